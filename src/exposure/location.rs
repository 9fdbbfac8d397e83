//! Where a copy lies: addresses as lists, records and clones write them, compared by one form.
//!
//! Of one repository people write a web address, the scp form, with `.git` or without, with a slash behind it or without.
//! These are one place here. Other than a repository that a manifest names (`address`), a place may be
//! any address, so ports and queries stay in the form by which two are compared. What is no address at all is compared as it
//! stands: a list may name a forum post or a magnet link.
//!
//! An address may carry a password, also as the user's name or in its query. It is taken out when it is read, so
//! that nobody has to remember it later. Nothing is resolved: an address is text.

use super::address::host_form;
use crate::blob::url::address_without_passwords;

/// What stands for a user with a password.
const HIDDEN: &str = "***";

/// What addresses of people begin with.
const OF_PEOPLE: [&str; 5] = ["mailto:", "xmpp:", "sip:", "sips:", "acct:"];

/// Ports that say no more than the scheme does.
const USUAL_PORTS: [&str; 4] = ["80", "443", "22", "9418"];

/// An address, as it is shown and as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// As it was written, without passwords.
    pub shown: String,
    /// Its one form: host, port where it is an odd one, path without `.git` and slashes at its ends, query.
    pub key: String,
    /// The host, lower case; `None` where it names none.
    pub host: Option<String>,
}

impl Location {
    /// Reads an address; `None` where nothing is there.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let text = address_without_passwords(text);
        // Of an address without a scheme this module alone knows the form.
        let shown = match user_without_scheme(&text) {
            Some(len) => format!("{HIDDEN}{}", text.get(len..).unwrap_or_default()),
            None => text.into_owned(),
        };
        let parts = Parts::of(&shown);
        let (key, host) = match &parts {
            Some(parts) => (parts.key(), Some(host_form(parts.host))),
            None => (shown.clone(), None),
        };
        Some(Self { shown, key, host })
    }

    /// The form by which places are found: of two that [agree](Self::agrees) it is the same. Never shown.
    pub fn folded(&self) -> String {
        self.key.to_ascii_lowercase()
    }

    /// The same of an address as it is written; empty where nothing is there.
    pub fn fold(text: &str) -> String {
        Self::read(text).map_or_else(String::new, |location| location.folded())
    }

    /// Whether two name the same place. Letters may differ in case: most hosts take them as one, and two places that
    /// differ by nothing else are rarer than two spellings.
    pub fn agrees(&self, other: &Location) -> bool {
        self.key.eq_ignore_ascii_case(&other.key)
    }

    /// Whether `inner` is this place or lies in it: an archive of a repository, on the same host or one below it.
    pub fn holds(&self, inner: &Location) -> bool {
        if self.agrees(inner) {
            return true;
        }
        let (Some(host), Some(of_inner)) = (&self.host, &inner.host) else {
            return false;
        };
        let is_near = of_inner == host
            || of_inner
                .strip_suffix(host.as_str())
                .is_some_and(|label| label.ends_with('.'));
        let path = |key: &str| {
            key.split_once('/')
                .map_or(String::new(), |(_, path)| path.to_ascii_lowercase())
        };
        let (outer, inner) = (path(&self.key), path(&inner.key));
        is_near
            && inner
                .strip_prefix(&outer)
                .is_some_and(|rest| rest.starts_with(['/', '?']))
    }
}

/// What an address is made of.
struct Parts<'t> {
    /// With what stands behind it: `https://`; empty where there is none.
    scheme: &'t str,
    host: &'t str,
    port: Option<&'t str>,
    /// What stands between host and path: nothing, or the colon of the scp form.
    colon: &'t str,
    path: &'t str,
    query: Option<&'t str>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Option<Self> {
        if text.contains(char::is_whitespace) {
            return None;
        }
        let (scheme, rest) = match text.find("://") {
            Some(at) if text[..at].bytes().all(is_scheme) => text.split_at(at + 3),
            _ => ("", text),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        let (user, host_port) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let (host, port, colon) = split_host(host_port)?;
        // Without a scheme it is an address where the first part looks like a host: `git@host:path`, `host.example/path`.
        let is_scp = !colon.is_empty();
        let looks_so = if scheme.is_empty() {
            let is_behind = is_scp && (user.is_some() || host.contains('.'));
            host.len() > 1
                && !host.starts_with('.')
                && (is_behind || (host.contains('.') && behind.starts_with('/')))
        } else {
            !host.is_empty() && !scheme.starts_with("file:")
        };
        if !looks_so || !is_host(host) {
            return None;
        }
        let path = if is_scp {
            let at = text.len() - rest.len() + (end - (host_port.len() - host.len() - 1));
            text.get(at..)?
        } else {
            behind
        };
        let (path, _) = cut(path, '#');
        let (path, query) = cut(path, '?');
        Some(Self {
            scheme,
            host,
            port,
            colon,
            path,
            query,
        })
    }

    fn key(&self) -> String {
        let mut key = host_form(self.host);
        let is_usual = |port: &&str| !USUAL_PORTS.contains(port) && self.is_web();
        if let Some(port) = self.port.filter(is_usual) {
            key.push(':');
            key.push_str(port);
        }
        let path = self.path.trim_matches('/');
        let path = path
            .strip_suffix(".git")
            .unwrap_or(path)
            .trim_end_matches('/');
        if !path.is_empty() {
            key.push('/');
            key.push_str(path);
        }
        if let Some(query) = self.query.filter(|query| !query.is_empty()) {
            key.push('?');
            key.push_str(query);
        }
        key
    }

    fn is_web(&self) -> bool {
        let scheme = self.scheme.to_ascii_lowercase();
        scheme.is_empty() && self.colon.is_empty() || scheme.contains("http")
    }
}

/// Length of the user in front of a host, `@` left out, where there is no scheme and a password is part of it:
/// `me:password@host:owner/name`. A password may hold a slash, so that what stands before it is no form at all.
fn user_without_scheme(text: &str) -> Option<usize> {
    let is_of_people = OF_PEOPLE.iter().any(|mark| text.starts_with(mark));
    if is_of_people || text.contains("://") || text.contains(char::is_whitespace) {
        return None;
    }
    let colon = text.find(':')?;
    // A host with a port, and a path with a version or a scope in it.
    let is_port = |rest: &str| {
        let end = rest.find('/').unwrap_or(rest.len());
        end > 0 && rest[..end].bytes().all(|byte| byte.is_ascii_digit())
    };
    if text[..colon].contains(['/', '@', '?', '#']) || is_port(&text[colon + 1..]) {
        return None;
    }
    let ats = text.match_indices('@').map(|(at, _)| at);
    ats.filter(|at| *at > colon).find(|at| {
        let rest = &text[at + 1..];
        let end = rest.find(['/', ':', '?', '#']).unwrap_or(rest.len());
        let host = &rest[..end];
        host.contains('.') && !host.ends_with('.') && is_host(host)
    })
}

fn is_host(host: &str) -> bool {
    let is_of_name = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') || !byte.is_ascii()
    };
    host.starts_with('[') || host.bytes().all(is_of_name)
}

fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

/// Host, port, and the colon where a path stands behind it (`host:owner`).
fn split_host(text: &str) -> Option<(&str, Option<&str>, &str)> {
    if text.starts_with('[') {
        let end = text.find(']')? + 1;
        let port = text[end..].strip_prefix(':');
        return Some((&text[..end], port, ""));
    }
    Some(match text.split_once(':') {
        None => (text, None, ""),
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, Some(port), "")
        }
        Some((host, _)) => (host, None, ":"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Location {
        Location::read(text).unwrap()
    }

    #[test]
    fn all_spellings_of_one_place_are_equal() {
        for text in [
            "https://git.example/acme/cli",
            "https://www.GIT.example/acme/cli.git",
            "http://git.example/acme/cli/",
            "https://git.example:443/acme/cli#readme",
            "git@git.example:acme/cli.git",
            "ssh://git@git.example:7999/acme/cli.git",
            "ssh://git@git.example:acme/cli.git",
            "git://git.example/acme/cli",
            "git+https://git.example/acme/cli",
            "git.example/acme/cli",
            " https://user:pw@git.example/acme/cli ",
        ] {
            let read = read(text);
            assert_eq!(read.key, "git.example/acme/cli", "{text}");
            assert_eq!(read.host.as_deref(), Some("git.example"), "{text}");
        }
        assert_ne!(
            read("https://git.example:8443/a").key,
            read("https://git.example/a").key
        );
        assert_ne!(
            read("https://cdn.example/a?v=1").key,
            read("https://cdn.example/a?v=2").key
        );
        assert!(read("https://git.example/Acme/CLI").agrees(&read("git.example/acme/cli")));
    }

    #[test]
    fn what_is_no_address_stays_text() {
        for text in [
            "=HYPERLINK(\"x\")",
            "magnet:?xt=urn:btih:00",
            "/srv/git/cli",
            "C:\\git\\cli",
            "c:/x",
            "cli",
            "mailto:ann@acme.example",
            "./a/b",
            "file:///srv/x",
            "a b/c",
            "://",
            "@",
        ] {
            let read = read(text);
            assert_eq!((read.shown.as_str(), read.host), (text, None), "{text}");
        }
        assert_eq!(Location::read("  "), None);
    }

    #[test]
    fn passwords_are_never_shown() {
        for text in [
            "https://me:hunter2@git.example/a/b.git",
            "https://hunter2@git.example/a/b",
            "ssh://me:hunter2@git.example/a/b",
            "me:hunter2@git.example:a/b",
            "https://cdn.example/x.tgz?X-Amz-Signature=hunter2&v=1",
            "https://cdn.example/x#access_token=hunter2",
            "https://me:hunter2@git.example/a seen on Monday",
            "https://me:/hunter2@git.example/a",
            "https://me:?hunter2@git.example/a",
            "https://me:#hunter2@git.example/a",
            "https://me:@hunter2@git.example/a",
            "me:/hunter2@git.example:a/b",
            "//me:hunter2@git.example/a",
            "https://git.example/a?user_passwd=hunter2",
            "https://git.example/a?pwd=hunter2",
            "https://git.example/a?jwt=hunter2",
        ] {
            let read = read(text);
            assert!(!format!("{read:?}").contains("hunter2"), "{read:?}");
            assert!(read.shown.contains(".example"), "{read:?}");
        }
        assert_eq!(
            read("git@git.example:a/b.git").shown,
            "git@git.example:a/b.git"
        );
        assert_eq!(
            read("https://me:x@git.example/a?v=1").shown,
            "https://***@git.example/a?v=1"
        );
    }

    #[test]
    fn an_archive_lies_in_its_repository() {
        let repository = read("https://git.example/acme/cli");
        assert!(repository.holds(&read("https://codeload.git.example/acme/cli/tar.gz/main")));
        assert!(repository.holds(&read("https://git.example/acme/cli/archive/main.zip")));
        assert!(!repository.holds(&read("https://git.example/acme/client")));
        assert!(!repository.holds(&read("https://other.example/acme/cli/x")));
        assert!(!repository.holds(&read("https://evilgit.example/acme/cli/x")));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_and_reads_the_same_again(text in "(https?://)?([a-z:@]{0,9})[a-z./:@?#=&\\[\\]é]{0,40}") {
            if let Some(read) = Location::read(&text) {
                let again = Location::read(&read.shown).unwrap();
                proptest::prop_assert_eq!(&again.key, &read.key);
                proptest::prop_assert_eq!(&again.shown, &read.shown);
            }
        }
    }
}
