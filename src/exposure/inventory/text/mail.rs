//! Addresses of mail.
//!
//! The mark is `@`, which stands in much else: versions of packages, decorators, users in URLs, pictures at twice their
//! size, names of ciphers. So both sides must have the form of an address (RFC 5321, 4.1.2, without quoted parts), the
//! last label must be one under which addresses are given out, and what stands before must not make it a part of
//! something larger.

use memchr::memchr_iter;

use super::{Finds, HOLE, Page};
use crate::exposure::inventory::Confidence;

/// Longest parts of an address, in bytes (RFC 5321, 4.5.3.1).
const LOCAL_MAX_BYTES: usize = 64;
const DOMAIN_MAX_BYTES: usize = 253;

/// Top labels of more than two letters under which people have addresses.
const TOP_LABELS: [&str; 41] = [
    "academy", "agency", "app", "biz", "blog", "cloud", "club", "codes", "com", "company",
    "design", "dev", "digital", "edu", "email", "global", "gov", "group", "guru", "info", "int",
    "live", "ltd", "mil", "name", "net", "network", "one", "online", "org", "page", "pro",
    "science", "services", "site", "software", "space", "studio", "systems", "tech", "xyz",
];

/// Labels inside companies.
const INTERNAL_LABELS: [&str; 5] = ["internal", "corp", "local", "lan", "intranet"];

/// Two letters that end files more often than addresses.
const FILE_ENDS: [&str; 9] = ["js", "ts", "go", "cs", "hs", "kt", "md", "py", "rb"];

/// Domains that stand for anybody's: of people who write examples, and of names of algorithms in SSH.
const NOBODYS: [&str; 19] = [
    "acme.com",
    "bar.com",
    "company.com",
    "domain.com",
    "domain.tld",
    "email.com",
    "foo.bar",
    "foo.com",
    "host.com",
    "libssh.org",
    "mail.com",
    "mycompany.com",
    "openssh.com",
    "server.com",
    "site.com",
    "test.com",
    "xyz.com",
    "yourcompany.com",
    "yourdomain.com",
];

/// Finds addresses of mail.
pub(super) fn find(page: &Page, found: &mut Finds) {
    for at in memchr_iter(b'@', page.bytes) {
        if let Some((start, address, confidence)) = address_at(page, at) {
            found.add(start, "email", address, confidence);
        }
    }
}

/// The address round the `@` at `at`: where it begins, its text, and how sure it is.
fn address_at(page: &Page, at: usize) -> Option<(usize, String, Confidence)> {
    let domain = domain_behind(page, at)?;
    let from = at.saturating_sub(LOCAL_MAX_BYTES + 1);
    let head = &page.bytes[from..at];
    let len = head.iter().rev().take_while(|b| is_of_local(**b)).count();
    if len > LOCAL_MAX_BYTES {
        return None;
    }
    let local = head[head.len() - len..].trim_ascii();
    let local = std::str::from_utf8(local)
        .ok()?
        .trim_start_matches(['.', '-', '%', '+']);
    let start = at - local.len();
    if local.is_empty() {
        // `${name}@acme.com` tells the domain at least.
        let has_hole = page.before(at) == Some(b'}') && super::address::is_hole_before(page, at);
        return has_hole.then(|| (at, format!("{HOLE}@{domain}"), Confidence::Medium));
    }
    let behind = page.byte(at + 1 + domain.len());
    if is_part_of_more(page, start, local, behind) || local.ends_with('.') {
        return None;
    }
    let confidence = if is_nobodys(local, &domain) {
        Confidence::Low
    } else {
        Confidence::High
    };
    Some((start, format!("{local}@{domain}"), confidence))
}

fn is_of_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

/// The domain behind the `@`, in small letters, if it can be one of mail.
fn domain_behind(page: &Page, at: usize) -> Option<String> {
    let rest = &page.bytes[at + 1..page.bytes.len().min(at + 2 + DOMAIN_MAX_BYTES)];
    let len = rest
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        .count();
    let text = std::str::from_utf8(&rest[..len])
        .ok()?
        .trim_end_matches(['.', '-']);
    let top = text.rsplit('.').next()?;
    let is_top =
        top.bytes().all(|b| b.is_ascii_lowercase()) || top.bytes().all(|b| b.is_ascii_uppercase());
    let domain = text.to_ascii_lowercase();
    let (before, top) = domain.rsplit_once('.')?;
    let labels = before.split('.').all(|label| {
        !label.is_empty() && label.len() < 64 && !label.starts_with('-') && !label.ends_with('-')
    });
    let known = match top.len() {
        2 => !FILE_ENDS.contains(&top),
        _ => TOP_LABELS.contains(&top) || INTERNAL_LABELS.contains(&top),
    };
    // Reserved for examples (RFC 2606).
    let reserved = ["example", "example.com", "example.org", "example.net"];
    let is_reserved = reserved.iter().any(|own| {
        domain
            .strip_suffix(own)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    });
    (is_top && labels && known && !is_reserved).then_some(domain)
}

/// Whether what stands round it makes it a user in a URL, a repository, or a package.
fn is_part_of_more(page: &Page, start: usize, local: &str, behind: Option<u8>) -> bool {
    if behind == Some(b'(') || (behind == Some(b'/') && local != "noreply") {
        return true;
    }
    if behind == Some(b':') && (local == "git" || !is_blank_behind_colon(page, start, local)) {
        return true;
    }
    match page.before(start) {
        Some(b'/' | b'\\' | b'@' | b'$' | b'=' | b'&') => !is_mail_scheme(page, start),
        Some(b':') => {
            let before = page.line_before(start - 1);
            let word = before
                .iter()
                .rev()
                .take_while(|b| b.is_ascii_alphanumeric() || **b == b'-')
                .count();
            let word = before[before.len() - word..].to_ascii_lowercase();
            let names_mail = [
                &b"mailto"[..],
                b"mail",
                b"email",
                b"e-mail",
                b"contact",
                b"author",
                b"from",
                b"to",
            ];
            !(word.is_empty() || names_mail.contains(&word.as_slice()))
        }
        Some(byte) => byte >= 0x80,
        None => false,
    }
}

/// `mailto://` and `?to=`.
fn is_mail_scheme(page: &Page, start: usize) -> bool {
    let before = page.line_before(start);
    [
        &b"mailto://"[..],
        b"mail=",
        b"to=",
        b"cc=",
        b"from=",
        b"author=",
        b"user=",
        b"contact=",
        b"\\n",
        b"\\t",
    ]
    .iter()
    .any(|end| before.ends_with(end))
}

/// Whether the `:` behind an address ends a clause, and no host.
fn is_blank_behind_colon(page: &Page, start: usize, local: &str) -> bool {
    let rest = page.line_behind(start + local.len() + 1);
    let colon = rest.iter().position(|&b| b == b':').unwrap_or(0);
    rest.get(colon + 1)
        .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b'<' | b'*'))
}

/// Whether an address is one of an example.
fn is_nobodys(local: &str, domain: &str) -> bool {
    let locals = [
        "you",
        "your",
        "your-email",
        "your.email",
        "youremail",
        "yourname",
        "me",
        "name",
        "someone",
        "user",
        "username",
    ];
    let is_free = ["gmail.com", "mail.com", "email.com", "outlook.com"].contains(&domain);
    NOBODYS.contains(&domain) || domain.contains("your") || (is_free && locals.contains(&local))
}
