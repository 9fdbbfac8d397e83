//! Hosts that a file points to, told from outside as far as a name shows it: public, or inside somebody's network.
//!
//! Nothing is resolved. A host is inside where it is an address of a private range (RFC 1918, RFC 4193, link-local), where its
//! top-level name is reserved for such, or where it is a bare name; the user's profile names others.

use std::net::IpAddr;

use crate::exposure::address::{host_form, is_internal_host};

/// Most hosts of a file that are kept.
const KEPT_MAX: usize = 16;

/// Hosts of a file, each once, in the order in which they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    kept: Vec<String>,
    internal: Vec<String>,
    /// Addresses with `ssh`.
    ssh: u32,
}

impl Hosts {
    /// Takes in an address: a URL, or git's short form `user@host:path`.
    pub fn add(&mut self, address: &str) {
        self.ssh += u32::from(address.starts_with("ssh://") || address.starts_with("git+ssh://"));
        let Some(host) = host_of(address) else { return };
        let host = host_form(host);
        if is_inside(&host) && !self.internal.contains(&host) && self.internal.len() < KEPT_MAX {
            self.internal.push(host.clone());
        }
        if !self.kept.contains(&host) && self.kept.len() < KEPT_MAX {
            self.kept.push(host);
        }
    }

    /// Takes in all URLs of a text.
    pub fn add_all(&mut self, text: &str) {
        for address in addresses(text, "\"'<>,)]}`\\") {
            self.add(address);
        }
    }

    /// Those that are inside somebody's network.
    pub fn internal(&self) -> &[String] {
        &self.internal
    }

    /// All that are kept.
    pub fn into_kept(self) -> Vec<String> {
        self.kept
    }

    /// Whether an address is one of SSH.
    pub fn has_ssh(&self) -> bool {
        self.ssh > 0
    }

    /// `, internal hosts: a, b`, where there are some.
    pub fn said(&self) -> String {
        if self.internal.is_empty() {
            return String::new();
        }
        let shown: Vec<String> = self
            .internal
            .iter()
            .take(4)
            .map(|host| crate::exposure::shown(host.as_bytes()))
            .collect();
        let more = self.internal.len().saturating_sub(shown.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!(", internal hosts: {}{more}", shown.join(", "))
    }
}

/// The URLs of a text, each from its scheme to white space, one of `ends`, or the `://` of the next: what stands behind
/// that is none of its host, and in a line of addresses without an end each would be read to the end of all.
pub fn addresses<'t>(text: &'t str, ends: &'t str) -> impl Iterator<Item = &'t str> {
    let mut places = memchr::memmem::find_iter(text.as_bytes(), b"://").peekable();
    std::iter::from_fn(move || {
        let at = places.next()?;
        let before = text.as_bytes()[..at].iter().rev();
        let scheme = before.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'+');
        let next = places.peek().copied().unwrap_or(text.len());
        let rest = text.get(at - scheme.count()..next).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || ends.contains(c));
        Some(&rest[..end.unwrap_or(rest.len())])
    })
}

/// The host of `scheme://user@host:port/path`, or of `user@host:path`.
fn host_of(address: &str) -> Option<&str> {
    let authority = match address.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next()?,
        None => {
            let (before, _) = address.split_once(':')?;
            before.contains('@').then_some(before)?
        }
    };
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    let is_name = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
    (is_name && !host.is_empty()).then_some(host)
}

/// Whether a host can only be reached from inside. This machine is no host of a network, names that documents use for
/// examples are nobody's, and neither is a variable.
pub fn is_inside(host: &str) -> bool {
    const NOBODYS: [&str; 6] = [
        "localhost",
        "example",
        "test",
        "invalid",
        "localdomain",
        "arpa",
    ];
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
        };
    }
    let top = host.rsplit('.').next().unwrap_or(host);
    let is_bare = top == host;
    if NOBODYS.contains(&top) || !is_internal_host(host) {
        return false;
    }
    // Placeholders of documents, and hosts of a container's own network, are bare names too.
    let is_word = [
        "host",
        "hostname",
        "server",
        "registry",
        "user",
        "username",
        "host.docker.internal",
    ]
    .contains(&host);
    !is_word
        && (!is_bare || host.len() > 2 && host.bytes().any(|byte| byte.is_ascii_alphabetic()))
        && host != "host.docker.internal"
        && !top.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_inside_are_told_by_structure() {
        let mut hosts = Hosts::default();
        for address in [
            "https://npm.acme.corp/a",
            "http://10.0.0.7:4873/a",
            "git+ssh://git@gitserver/acme/a.git",
            "git@code.acme.internal:acme/a.git",
            "https://registry.acme.example/a",
            "http://localhost:3000",
            "https://host/path",
            "http://127.0.0.1/",
            "https://1.2.3.4/",
            "https://${HOST}/",
            "file:///srv/x",
            "C:/x",
            "https://[fd00::1]/x",
        ] {
            hosts.add(address);
        }
        assert_eq!(
            hosts.internal(),
            [
                "npm.acme.corp",
                "10.0.0.7",
                "gitserver",
                "code.acme.internal",
                "fd00::1"
            ]
        );
        assert!(hosts.has_ssh());
    }

    #[test]
    fn addresses_without_an_end_are_read_in_linear_time() {
        // To the end of the text each took minutes.
        let text = format!("{}é://x.corp", "a://b.lan".repeat(100_000));
        assert_eq!(addresses(&text, "").count(), 100_001);
        let mut hosts = Hosts::default();
        hosts.add_all(&text);
        assert_eq!(hosts.internal().last().map(String::as_str), Some("x.corp"));
    }

    #[test]
    fn urls_are_found_in_running_text() {
        let mut hosts = Hosts::default();
        hosts.add_all("resolved \"http://nexus.lan/a\", <https://x.acme.dev/>://://é://y.corp`");
        assert_eq!(hosts.internal(), ["nexus.lan", "y.corp"]);
        assert_eq!(
            hosts.clone().into_kept(),
            ["nexus.lan", "x.acme.dev", "y.corp"]
        );
    }
}
