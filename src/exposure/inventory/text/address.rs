//! URLs, hosts, private addresses, buckets.
//!
//! A URL (RFC 3986) is found by its `://` and read up to what cannot be in one. What a template puts in (`${…}`, `{…}`,
//! `%s`, `#{…}`) is a hole, told as `${}`, so that `https://${region}.api.acme.example/v1/${id}` still tells host and path. Users,
//! queries and fragments are left out: they may be secrets.
//!
//! Hosts also stand by themselves, as a whole string or at the head of a path in prose. Then the last label must be one
//! that programs do not use as a property.
//!
//! A host is internal by its structure: a name reserved for inside, one label with a port, an address of a private
//! network (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291). Hosts for examples (RFC 2606) and the machine itself are
//! no items. Buckets are what object stores call the first label or the first folder.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use memchr::memmem;

use super::marks::Marks;
use super::{Finds, Page, inert};
use crate::blob::url::behind_user;
use crate::exposure::address::is_internal_host;
use crate::exposure::inventory::Confidence;

/// Longest URL that is read, in bytes.
const URL_MAX_BYTES: usize = 1_000;

/// What stands for a hole while an address is judged; told as [`super::HOLE`].
pub(super) const HOLE: &str = "{}";

/// Longest hole, in bytes.
const HOLE_MAX_BYTES: usize = 200;

/// Longest host name, in bytes (RFC 1035, 2.3.4).
const HOST_MAX_BYTES: usize = 253;

/// Schemes that name a place in a network.
const SCHEMES: [&str; 43] = [
    "abfs",
    "abfss",
    "amqp",
    "amqps",
    "az",
    "clickhouse",
    "ftp",
    "ftps",
    "git",
    "gs",
    "grpc",
    "grpcs",
    "http",
    "https",
    "imap",
    "imaps",
    "kafka",
    "ldap",
    "ldaps",
    "mariadb",
    "mongodb",
    "mongodb+srv",
    "mqtt",
    "mqtts",
    "mssql",
    "mysql",
    "nats",
    "postgres",
    "postgresql",
    "r2",
    "redis",
    "rediss",
    "rtmp",
    "rtsp",
    "s3",
    "sftp",
    "smb",
    "smtp",
    "smtps",
    "socks5",
    "ssh",
    "ws",
    "wss",
];

/// Schemes whose first part is a bucket.
const BUCKET_SCHEMES: [&str; 6] = ["s3", "gs", "r2", "az", "abfs", "abfss"];

/// Ends of hosts that stand by themselves. `true` where a label is no property or end of a file that programs have.
const TOP_LABELS: [(&str, bool); 17] = [
    ("com", true),
    ("org", true),
    ("net", true),
    ("edu", true),
    ("gov", true),
    ("io", false),
    ("dev", false),
    ("app", false),
    ("cloud", false),
    ("ai", false),
    ("eu", false),
    ("internal", false),
    ("corp", false),
    ("local", false),
    ("lan", false),
    ("intranet", false),
    ("arpa", false),
];

/// Hosts whose URLs name a kind of document, and no place that is asked.
const NAMESPACES: [&str; 14] = [
    "json-schema.org",
    "json.schemastore.org",
    "ns.adobe.com",
    "ogp.me",
    "openid.net",
    "purl.org",
    "schema.org",
    "schemas.android.com",
    "schemas.microsoft.com",
    "schemas.openxmlformats.org",
    "schemas.xmlsoap.org",
    "www.w3.org",
    "xml.org",
    "xmlns.com",
];

/// First labels with which programs call files and stores, not machines.
const FILE_LABELS: [&str; 9] = [
    "config",
    "docker-compose",
    "env",
    "local",
    "localstorage",
    "session",
    "settings",
    "storage",
    "tsconfig",
];

static TOPS: LazyLock<Marks> =
    LazyLock::new(|| Marks::new(TOP_LABELS.map(|(top, _)| format!(".{top}"))));

static PRIVATE: LazyLock<Marks> = LazyLock::new(|| Marks::new(PRIVATE_MARKS));

/// How private addresses of version 4 begin.
const PRIVATE_MARKS: [&str; 5] = ["10.", "172.", "192.168.", "169.254.", "100."];

/// Finds URLs, hosts, private addresses and buckets.
pub(super) fn find(page: &Page, found: &mut Finds) {
    // JSON and scripts may escape a slash.
    for mark in [&b"://"[..], b":\\/\\/"] {
        for at in memmem::find_iter(page.bytes, mark) {
            if let Some(url) = Url::at(page, at, mark.len()) {
                url.tell(page, found);
            }
        }
    }
    find_hosts(page, found);
    find_private(page, found);
    find_resource_names(page, found);
}

/// A URL as it stands in a text.
struct Url {
    start: usize,
    scheme: String,
    /// In small letters, holes as [`HOLE`], without user and port.
    host: String,
    port: Option<String>,
    /// From its slash, without query.
    path: String,
}

impl Url {
    fn at(page: &Page, colon: usize, mark_len: usize) -> Option<Url> {
        let head = &page.bytes[colon.saturating_sub(16)..colon];
        let len = head
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_alphanumeric() || **b == b'+')
            .count();
        let scheme = std::str::from_utf8(&head[head.len() - len..]).ok()?;
        let mut scheme = scheme.to_ascii_lowercase();
        let mut start = colon - len;
        if !SCHEMES.contains(&scheme.as_str()) {
            // `git+https://`, `sqlalchemy+postgresql://`, `\nhttps://`.
            let last = SCHEMES.iter().filter(|known| {
                scheme
                    .strip_suffix(**known)
                    .is_some_and(|before| before.ends_with('+') || before == "n" || before == "t")
            });
            let known = last.max_by_key(|known| known.len())?;
            start = colon - known.len();
            scheme = (*known).to_owned();
        }
        let from = colon + mark_len;
        let rest = &page.bytes[from..page.bytes.len().min(from + URL_MAX_BYTES)];
        let text = with_holes(rest);
        // A password may hold what ends a host.
        let text = behind_user(&scheme, &text);
        let end = text.find(['/', '?', '#']).unwrap_or(text.len());
        let (authority, behind) = text.split_at(end);
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = split_port(authority);
        let path = behind.split(['?', '#']).next().unwrap_or_default();
        Some(Url {
            start,
            scheme,
            host: host.trim_end_matches('.').to_ascii_lowercase(),
            port,
            path: trimmed(path).to_owned(),
        })
    }

    fn tell(self, page: &Page, found: &mut Finds) {
        if self.host.is_empty() {
            return;
        }
        let place = Place::of(&self.host, self.port.is_some());
        let in_comment = page.is_in_comment(self.start);
        let (confidence, detail) = match in_comment {
            true => (Confidence::Medium, Some("in a comment".to_owned())),
            false => (Confidence::High, None),
        };
        if BUCKET_SCHEMES.contains(&self.scheme.as_str()) {
            if is_bucket(&self.host) {
                let value = format!("{}://{}", self.scheme, self.host);
                found.add_with(self.start, "bucket", value, confidence, detail);
            }
            return;
        }
        match place {
            Place::None => return,
            Place::Hole if self.path.len() < 2 => return,
            Place::Hole | Place::Machine => {}
            Place::Namespace => {
                let detail = Some("names a kind of document".to_owned());
                found.add_with(
                    self.start,
                    "host",
                    self.host.clone(),
                    Confidence::Low,
                    detail,
                );
            }
            Place::Internal => {
                let detail = Some("internal by its name".to_owned());
                found.add_with(
                    self.start,
                    "host",
                    self.host.clone(),
                    Confidence::High,
                    detail,
                );
            }
            Place::Private => {
                found.add(
                    self.start,
                    "private-address",
                    self.host.clone(),
                    Confidence::High,
                );
            }
            Place::Public => {
                found.add_with(
                    self.start,
                    "host",
                    self.host.clone(),
                    confidence,
                    detail.clone(),
                );
            }
        }
        if let Some(bucket) = bucket_of(&self.host, &self.path) {
            found.add(self.start, "bucket", bucket, Confidence::High);
        }
        let confidence = match place {
            Place::Namespace | Place::Machine => Confidence::Low,
            Place::Hole => Confidence::Medium,
            _ => confidence,
        };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let path = inert(&self.path);
        let value = format!("{}://{}{port}{path}", self.scheme, self.host);
        found.add_with(self.start, "url", value, confidence, detail);
    }
}

/// What kind of place a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// No host, or one for examples.
    None,
    /// Put in by the program.
    Hole,
    /// The machine itself, or a single label without a port.
    Machine,
    Namespace,
    Internal,
    Private,
    Public,
}

impl Place {
    fn of(host: &str, has_port: bool) -> Place {
        if let Some(inside) = host.strip_prefix('[') {
            return match inside.trim_end_matches(']').parse::<Ipv6Addr>() {
                Ok(address) if is_private_v6(address) => Place::Private,
                Ok(address) if address.is_loopback() || address.is_unspecified() => Place::Machine,
                Ok(_) => Place::Public,
                Err(_) => Place::None,
            };
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return match () {
                () if is_private_v4(address) => Place::Private,
                () if address.is_loopback() || address.is_unspecified() => Place::Machine,
                () if address.is_documentation() || address.is_broadcast() => Place::None,
                () => Place::Public,
            };
        }
        if host
            .replace(HOLE, "")
            .chars()
            .all(|c| matches!(c, '.' | '-' | '*'))
        {
            return if host.contains(HOLE) {
                Place::Hole
            } else {
                Place::None
            };
        }
        if !is_host(host) || is_for_examples(host) {
            return Place::None;
        }
        if host == "localhost" || host.ends_with(".localhost") {
            return Place::Machine;
        }
        if NAMESPACES.contains(&host) {
            return Place::Namespace;
        }
        match host.rsplit_once('.') {
            None if has_port && !host.contains(HOLE) => Place::Internal,
            None => Place::Machine,
            Some((_, top)) if top.contains(HOLE) => Place::Hole,
            Some((_, top))
                if top.len() < 2
                    || !top.bytes().all(|b| b.is_ascii_alphabetic())
                        && !top.starts_with("xn--") =>
            {
                Place::None
            }
            Some(_) if is_internal_host(host) => Place::Internal,
            Some(_) => Place::Public,
        }
    }
}

/// Whether every label has the form of one; holes and a leading `*` may stand in them.
fn is_host(host: &str) -> bool {
    let host = host.strip_prefix("*.").unwrap_or(host);
    host.len() <= HOST_MAX_BYTES
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() < 64
                && !label.starts_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'{' | b'}'))
        })
}

/// Whether a name is reserved for examples and tests (RFC 2606), or nobody's.
fn is_for_examples(host: &str) -> bool {
    let ends = [
        "example",
        "invalid",
        "test",
        "example.com",
        "example.org",
        "example.net",
        "domain.tld",
    ];
    let is_end = |end: &&str| {
        host.strip_suffix(*end)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    ends.iter().any(is_end)
        || host.starts_with("your-")
        || host.contains(".your-")
        || host.contains("yourdomain")
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    address.is_private() || address.is_link_local() || is_shared
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_unique_local() || address.is_unicast_link_local()
}

/// Host and port of an authority.
fn split_port(authority: &str) -> (&str, Option<String>) {
    if let Some(end) = authority.find(']').filter(|_| authority.starts_with('[')) {
        let (host, behind) = authority.split_at(end + 1);
        let port = behind.strip_prefix(':').filter(|port| !port.is_empty());
        return (host, port.map(str::to_owned));
    }
    match authority.split_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, Some(port.to_owned()))
        }
        Some((host, port)) if port.starts_with(HOLE) => (host, Some(HOLE.to_owned())),
        Some((host, _)) => (host, None),
        None => (authority, None),
    }
}

/// The text of a URL from behind its scheme to its end, with holes as [`HOLE`] and escaped slashes as such.
fn with_holes(rest: &[u8]) -> String {
    let mut text = String::new();
    let mut depth = 0_i32;
    let mut at = 0;
    while let Some(&byte) = rest.get(at) {
        let behind = rest.get(at + 1).copied();
        let hole = match (byte, behind) {
            (b'$' | b'#', Some(b'{')) => hole_len(&rest[at + 1..]).map(|len| len + 1),
            (b'{', Some(b'{')) => hole_len(&rest[at..]),
            (b'{', Some(next)) if next == b'}' || next.is_ascii_alphabetic() || next == b'_' => {
                hole_len(&rest[at..])
            }
            (b'%', Some(b's' | b'd' | b'v'))
                if !rest.get(at + 2).is_some_and(u8::is_ascii_hexdigit) =>
            {
                Some(2)
            }
            (b'%', Some(b'(')) => name_len(&rest[at + 2..]).map(|len| len + 4),
            (b'$', Some(next)) if next.is_ascii_alphabetic() || next == b'_' => {
                name_len(&rest[at + 1..]).map(|len| len + 1)
            }
            _ => None,
        };
        if let Some(len) = hole {
            text.push_str(HOLE);
            at += len;
            continue;
        }
        match byte {
            b'\\' if behind == Some(b'/') => {
                text.push('/');
                at += 2;
                continue;
            }
            b'(' => depth += 1,
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            // Brackets are of an address of version 6 alone.
            b'[' if text.is_empty() => {}
            b']' if text.starts_with('[') && !text.contains('/') => {}
            b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b'^' | b'\\' | b'{' | b'}' | b'[' | b']'
            | b',' | b';' => break,
            0..=0x20 | 0x7F.. => break,
            _ => {}
        }
        text.push(char::from(byte));
        at += 1;
    }
    trimmed(&text).to_owned()
}

/// Without the marks that end a clause behind a URL.
fn trimmed(text: &str) -> &str {
    let mut text = text;
    loop {
        let next = text.trim_end_matches(['.', ':', '!', '*', '&']);
        // A `)` that nothing in the URL opens closes the sentence round it.
        let next = match next.strip_suffix(')') {
            Some(before) if before.matches('(').count() <= before.matches(')').count() => before,
            _ => next,
        };
        if next.len() == text.len() {
            return text;
        }
        text = next;
    }
}

/// Bytes of a hole from its `{` to behind the brace that closes it.
fn hole_len(rest: &[u8]) -> Option<usize> {
    let mut depth = 0;
    for (at, &byte) in rest.iter().enumerate().take(HOLE_MAX_BYTES) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'\n' => return None,
            _ => {}
        }
    }
    None
}

fn name_len(rest: &[u8]) -> Option<usize> {
    let len = rest
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
        .count();
    (len > 0 && len < HOLE_MAX_BYTES).then_some(len)
}

/// Whether the `}` before `at` closes a hole of a template.
pub(super) fn is_hole_before(page: &Page, at: usize) -> bool {
    let before = page.line_before(at);
    memmem::rfind(before, b"{").is_some_and(|open| {
        let name = &before[open + 1..before.len().saturating_sub(1)];
        let marked = open > 0 && matches!(before[open - 1], b'$' | b'#');
        (marked || !name.is_empty())
            && name.iter().all(|b| {
                b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'(' | b')' | b'?' | b' ')
            })
    })
}

/// Finds hosts that stand by themselves.
fn find_hosts(page: &Page, found: &mut Finds) {
    TOPS.each(page.bytes, |dot, end, _| {
        let behind = page.byte(end);
        let goes_on = behind.is_some_and(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'(' | b'$' | b'.')
        });
        if goes_on && !ends_sentence(page, end) {
            return;
        }
        let head = &page.bytes[dot.saturating_sub(HOST_MAX_BYTES)..dot];
        let len = head
            .iter()
            .rev()
            .take_while(|b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-')
            })
            .count();
        let start = dot - len;
        if let Ok(host) = std::str::from_utf8(&page.bytes[start..end])
            && stands_alone(page, start, end, host)
        {
            tell_host(page, start, host, found);
        }
    });
}

/// Whether a `.` ends a sentence, not a label.
fn ends_sentence(page: &Page, at: usize) -> bool {
    page.byte(at) == Some(b'.')
        && page
            .byte(at + 1)
            .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'<'))
}

/// Whether what looks like a host is one: a whole string, or a word of a sentence.
fn stands_alone(page: &Page, start: usize, end: usize, host: &str) -> bool {
    let Some((before, top)) = host.rsplit_once('.') else {
        return false;
    };
    if before.is_empty()
        || !is_host(host)
        || before.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    {
        return false;
    }
    let is_plain = TOP_LABELS
        .iter()
        .any(|(known, is_plain)| *known == top && *is_plain);
    let labels = before.split('.').count();
    let first = before.split('.').next().unwrap_or_default();
    if !is_plain && (labels < 2 && !before.contains('-') || FILE_LABELS.contains(&first)) {
        return false;
    }
    let (open, close) = (page.before(start), page.byte(end));
    let is_quote = |byte: Option<u8>| matches!(byte, Some(b'"' | b'\'' | b'`'));
    // `'a.text.dev': …` is the key of a text.
    let is_key = is_quote(close) && page.byte(end + 1) == Some(b':');
    if !is_plain && is_key {
        return false;
    }
    if is_quote(open) && (is_quote(close) || matches!(close, Some(b'/')) || is_port(page, end)) {
        return true;
    }
    let opens_word = open
        .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'(' | b'<' | b'"' | b'\'' | b'`'));
    let ends_word = close.is_none_or(|b| {
        b.is_ascii_whitespace()
            || matches!(
                b,
                b'/' | b')' | b'>' | b',' | b'"' | b'\'' | b'`' | b'.' | b';'
            )
    }) || is_port(page, end);
    if !opens_word || !ends_word {
        return false;
    }
    page.is_literal
        || page.is_in_comment(start)
        || (close == Some(b'/')
            && page.byte(end + 1).is_some_and(|b| b.is_ascii_alphabetic())
            && is_plain)
}

/// Whether `:8080` stands at `at`.
fn is_port(page: &Page, at: usize) -> bool {
    page.byte(at) == Some(b':') && page.byte(at + 1).is_some_and(|b| b.is_ascii_digit())
}

fn tell_host(page: &Page, start: usize, host: &str, found: &mut Finds) {
    match Place::of(host, false) {
        Place::Public if page.is_in_comment(start) => {
            let detail = Some("in a comment".to_owned());
            found.add_with(start, "host", host, Confidence::Medium, detail);
        }
        Place::Public => found.add(start, "host", host, Confidence::Medium),
        Place::Internal => {
            let detail = Some("internal by its name".to_owned());
            found.add_with(start, "host", host, Confidence::Medium, detail);
        }
        _ => return,
    }
    if let Some(bucket) = bucket_of(host, "") {
        found.add(start, "bucket", bucket, Confidence::High);
    }
}

/// Finds addresses of private networks.
fn find_private(page: &Page, found: &mut Finds) {
    PRIVATE.each(page.bytes, |start, _, _| {
        if is_inside_of_more(page, start) {
            return;
        }
        let value = private_v4(&page.bytes[start..page.bytes.len().min(start + 64)]);
        if let Some(value) = value.filter(|_| !is_version(page, start)) {
            found.add(start, "private-address", value, Confidence::High);
        }
    });
    // Addresses of version 6 leave zeros out nearly always.
    for at in memmem::find_iter(page.bytes, b"::") {
        let head = &page.bytes[at.saturating_sub(40)..at];
        let len = head
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_hexdigit() || **b == b':')
            .count();
        let start = at - len;
        if len < 4
            || !matches!(page.byte(start), Some(b'f' | b'F'))
            || is_inside_of_more(page, start)
        {
            continue;
        }
        if let Some(value) = private_v6(&page.bytes[start..page.bytes.len().min(start + 64)]) {
            found.add(start, "private-address", value, Confidence::High);
        }
    }
}

/// Whether what stands before makes an address a part of a longer word or number.
fn is_inside_of_more(page: &Page, start: usize) -> bool {
    let joins = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'$') || b >= 0x80
    };
    page.before(start).is_some_and(joins) && !is_name_before(page, start)
}

/// `host:10.0.0.1`.
fn is_name_before(page: &Page, start: usize) -> bool {
    page.before(start) == Some(b':')
        && page
            .before(start - 1)
            .is_some_and(|b| b.is_ascii_alphabetic())
}

/// Whether the line speaks of a version.
fn is_version(page: &Page, start: usize) -> bool {
    let before = page.line_before(start).to_ascii_lowercase();
    let tail = &before[before.len().saturating_sub(24)..];
    [&b"version"[..], b"chrome/", b"ver ", b"firmware", b"build "]
        .iter()
        .any(|word| memmem::find(tail, word).is_some())
}

/// `10.0.0.1`, `10.0.0.0/8`.
fn private_v4(rest: &[u8]) -> Option<String> {
    let len = rest
        .iter()
        .take_while(|b| b.is_ascii_digit() || **b == b'.')
        .count();
    let text = std::str::from_utf8(&rest[..len])
        .ok()?
        .trim_end_matches('.');
    let address: Ipv4Addr = text.parse().ok()?;
    let behind = &rest[text.len()..];
    if behind
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-'))
        || !is_private_v4(address)
    {
        return None;
    }
    Some(with_prefix(text, behind))
}

/// `fd12:3456:789a::1`, `fe80::/10`.
fn private_v6(rest: &[u8]) -> Option<String> {
    let len = rest
        .iter()
        .take_while(|b| b.is_ascii_hexdigit() || **b == b':')
        .count();
    let text = std::str::from_utf8(&rest[..len]).ok()?;
    let text = text
        .strip_suffix(':')
        .filter(|before| !before.ends_with(':'))
        .unwrap_or(text);
    if text.matches(':').count() < 2 {
        return None;
    }
    let address: Ipv6Addr = text.parse().ok()?;
    is_private_v6(address).then(|| with_prefix(text, &rest[text.len()..]))
}

/// With the length of the network's prefix, where one stands behind.
fn with_prefix(text: &str, behind: &[u8]) -> String {
    let digits = behind.strip_prefix(b"/").unwrap_or_default();
    let len = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    match std::str::from_utf8(&digits[..len]) {
        Ok(prefix) if (1..=3).contains(&len) => format!("{text}/{prefix}"),
        _ => text.to_owned(),
    }
}

/// Whether a name may be one of a bucket.
fn is_bucket(name: &str) -> bool {
    let bare = name.replace(HOLE, "x");
    (3..=63).contains(&bare.len())
        && name != HOLE
        && !bare.starts_with(['-', '.'])
        && ![
            "bucket",
            "bucket-name",
            "my-bucket",
            "mybucket",
            "your-bucket",
            "my_bucket",
        ]
        .contains(&name)
        && bare.bytes().all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_')
        })
}

/// The bucket that a URL of an object store names, by the structure of its host.
fn bucket_of(host: &str, path: &str) -> Option<String> {
    let folder = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    let first = |end: &str| host.strip_suffix(end).filter(|before| !before.is_empty());
    let named = |name: &str| is_bucket(name).then(|| name.to_owned());
    // Virtual-hosted: BUCKET.s3.REGION.…, BUCKET.s3-REGION.…; path-style: s3.REGION.…/BUCKET.
    if let Some(service) = first(".amazonaws.com") {
        let mut labels = service.split('.').collect::<Vec<_>>();
        let at = labels
            .iter()
            .position(|label| *label == "s3" || label.starts_with("s3-"))?;
        labels.truncate(at);
        let bucket = labels.join(".");
        return named(if bucket.is_empty() { folder } else { &bucket });
    }
    for end in [
        ".storage.googleapis.com",
        ".r2.dev",
        ".digitaloceanspaces.com",
    ] {
        if let Some(bucket) = first(end) {
            return named(bucket.split('.').next().unwrap_or(bucket));
        }
    }
    if host == "storage.googleapis.com"
        || host == "storage.cloud.google.com"
        || host.ends_with(".r2.cloudflarestorage.com")
    {
        return named(folder);
    }
    if let Some(bucket) = host
        .strip_suffix(".appspot.com")
        .filter(|_| path.is_empty())
    {
        return named(&format!("{bucket}.appspot.com"));
    }
    if host == "firebasestorage.googleapis.com" {
        let name = path.split("/b/").nth(1)?.split('/').next()?;
        return named(name);
    }
    let account = first(".blob.core.windows.net").or_else(|| first(".dfs.core.windows.net"))?;
    let name = match folder {
        "" => account.to_owned(),
        container => format!("{account}/{container}"),
    };
    is_bucket(account).then_some(name)
}

/// Buckets that are named as resources: `arn:aws:s3:::BUCKET`.
fn find_resource_names(page: &Page, found: &mut Finds) {
    const MARK: &[u8] = b":s3:::";
    for at in memmem::find_iter(page.bytes, MARK) {
        let rest = page.line_behind(at + MARK.len());
        let name = with_holes(rest);
        let name = name.split(['/', '*', ':']).next().unwrap_or_default();
        if is_bucket(name) {
            found.add(at, "bucket", name, Confidence::High);
        }
    }
}
