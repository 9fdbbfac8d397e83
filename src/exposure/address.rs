//! Hosts and repositories as people write them in manifests and profiles.
//!
//! npm accepts half a dozen spellings of one repository (URL, `git+ssh`, scp form, `owner/name`). They all come down to
//! a host and a path here, so that they can be compared and so that "public by structure" can be judged. Nothing is
//! resolved: an address is text.

use std::net::IpAddr;

/// Where a repository lies: `github.com` and `acme/cli`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Host, lower case, without user, port, `www.` and final dot.
    pub host: String,
    /// Path without slashes at its ends and without `.git`; case kept.
    pub path: String,
}

/// Host names that are never public: top-level names of RFC 2606, RFC 6762, RFC 8375, and what companies use inside.
const INTERNAL_TOP_LEVELS: [&str; 13] = [
    "internal",
    "corp",
    "local",
    "lan",
    "intranet",
    "home",
    "private",
    "localdomain",
    "localhost",
    "test",
    "example",
    "invalid",
    "arpa",
];

/// Labels that say "inside" wherever they stand in a host name.
const INTERNAL_LABELS: [&str; 5] = ["corp", "internal", "intranet", "intra", "lan"];

/// Hosting services that npm knows by a prefix (`package.json`, "repository").
const SHORTHANDS: [(&str, &str); 4] = [
    ("github:", "github.com"),
    ("gitlab:", "gitlab.com"),
    ("bitbucket:", "bitbucket.org"),
    ("gist:", "gist.github.com"),
];

/// Reads any of npm's spellings of a repository. `None` for local paths and what is no address at all.
pub(super) fn repository(text: &str) -> Option<Address> {
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_whitespace) {
        return None;
    }
    let text = text.strip_prefix("git+").unwrap_or(text);
    if let Some((prefix, host)) = SHORTHANDS
        .iter()
        .find(|(prefix, _)| text.starts_with(prefix))
    {
        return address(host, &text[prefix.len()..]);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let known = ["http", "https", "git", "ssh", "git+ssh", "git+https"];
        return if known.contains(&scheme.to_ascii_lowercase().as_str()) {
            after_scheme(rest)
        } else {
            None
        };
    }
    if text.starts_with(['.', '/', '~']) || text.contains('\\') {
        return None;
    }
    let (first, rest) = match text.split_once('/') {
        Some((first, rest)) => (first, rest),
        None => (text, ""),
    };
    if first.contains(':') {
        // scp form: git@host:owner/name. A path may hold anything, so the host is cut before the first colon.
        let (host, path) = text.split_once(':')?;
        let host = host.rsplit('@').next().unwrap_or(host);
        return if host.len() < 2 {
            None
        } else {
            address(host, path)
        };
    }
    if first.contains('.') && !rest.is_empty() {
        return address(first, rest);
    }
    let is_pair =
        !first.is_empty() && !first.starts_with('@') && !rest.is_empty() && !rest.contains('/');
    if is_pair {
        address("github.com", rest_of_pair(text))
    } else {
        None
    }
}

/// `owner/name#branch` without the branch.
fn rest_of_pair(text: &str) -> &str {
    text.split('#').next().unwrap_or(text)
}

/// `user@host:port/path`, and the mixed form `git@host:owner/name` that follows `ssh://` in the wild.
fn after_scheme(rest: &str) -> Option<Address> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host_port = authority.rsplit('@').next().unwrap_or(authority);
    if let Some(v6) = host_port.strip_prefix('[') {
        return address(v6.split(']').next().unwrap_or(v6), path);
    }
    match host_port.split_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => address(host, path),
        Some((host, owner)) => address(host, &format!("{owner}{path}")),
        None => address(host_port, path),
    }
}

/// Puts both halves into their one form. `None` without a host or without a path: a bare host is no repository.
fn address(host: &str, path: &str) -> Option<Address> {
    let mut host = host_form(host);
    if host == "raw.githubusercontent.com" {
        // Single files of the same repositories; bundlers write such addresses into `sources`.
        host = "github.com".to_owned();
    }
    let path = path
        .split(['?', '#'])
        .next()
        .unwrap_or(path)
        .trim_matches('/');
    let path = path
        .strip_suffix(".git")
        .unwrap_or(path)
        .trim_end_matches('/');
    if host.is_empty() || path.is_empty() {
        None
    } else {
        Some(Address {
            host,
            path: path.to_owned(),
        })
    }
}

/// Lower case, without a final dot and without `www.`.
pub(super) fn host_form(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.strip_prefix("www.").map(str::to_owned).unwrap_or(host)
}

/// Whether a host can only be reached from inside: a bare name, an address in digits, or a name reserved for it.
pub(super) fn is_internal_host(host: &str) -> bool {
    let host = host_form(host);
    if host.parse::<IpAddr>().is_ok() {
        return true;
    }
    let Some((before, top)) = host.rsplit_once('.') else {
        return true;
    };
    // A top-level name of digits only is an old spelling of an IPv4 address.
    top.bytes().all(|b| b.is_ascii_digit())
        || INTERNAL_TOP_LEVELS.contains(&top)
        || before
            .split('.')
            .any(|label| INTERNAL_LABELS.contains(&label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, String)> {
        repository(text).map(|a| (a.host, a.path))
    }

    #[test]
    fn all_spellings_of_one_repository_are_equal() {
        let expected = Some(("github.com".to_owned(), "acme/cli".to_owned()));
        for text in [
            "acme/cli",
            "acme/cli#main",
            "github:acme/cli",
            "github.com/acme/cli",
            "https://github.com/acme/cli",
            "https://www.GitHub.com/acme/cli.git",
            "git+https://github.com/acme/cli.git#readme",
            "git://github.com/acme/cli.git",
            "git+ssh://git@github.com/acme/cli.git",
            "ssh://git@github.com:acme/cli.git",
            "ssh://git@github.com:22/acme/cli",
            "git@github.com:acme/cli.git",
            " https://user:pw@github.com:443/acme/cli/ ",
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_repository_is_none() {
        for text in [
            "",
            "   ",
            "cli",
            "./acme/cli",
            "/srv/git/cli",
            "file:///srv/git/cli",
            "C:\\git\\cli",
            "c:/x",
            "https://github.com",
            "https://github.com/",
            "@acme/cli",
            "a b/c",
            "https://",
            "://",
            ":",
            "/",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn internal_hosts_are_told_from_public_ones() {
        for host in [
            "gitserver",
            "localhost",
            "git.acme.corp",
            "git.corp.acme.com",
            "10.0.0.7",
            "203.0.113.9",
            "::1",
            "build.local",
            "x.internal",
            "code.acme.example",
            "10.1",
            "",
        ] {
            assert!(is_internal_host(host), "{host}");
        }
        for host in ["github.com", "git.acme.com", "codeberg.org.", "GitLab.com"] {
            assert!(!is_internal_host(host), "{host}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
            if let Some(address) = repository(&text) {
                proptest::prop_assert!(!address.host.is_empty() && !address.path.is_empty());
                is_internal_host(&address.host);
            }
        }
    }
}
