//! Indexes of package stores, which keep contents under their digests.
//!
//! npm's cache (`_cacache`) has an index of what was fetched: lines of a digest, a tab and JSON, whose `key` is an address
//! and whose `integrity` says where the content lies. pnpm's store has a file for each package: as JSON, one for each, up to
//! its tenth version; as rows of an SQLite database from the eleventh on. Of the database only the keys are wanted, which
//! are text (`sha512-…`, a tab, `NAME@VERSION`), so they are looked for in its bytes, in those of its log too, and rows
//! that were taken out are found with the others.

use base64::Engine as _;
use bytes::Bytes;
use serde_json::Value;

use super::{NAME_MAX, Named};

/// Length of a SHA-1 in hexadecimal, which begins each line of npm's index.
const SHA1_HEX: usize = 40;
/// Of a row of pnpm's database, how much is looked at for the digest of its manifest; bytes.
const ROW_MAX: usize = 4096;
/// How a key begins.
const START: &[u8] = b"sha512-";
/// What stands between the digest and the name in a key.
const KEY_IN_ROW: &[u8] = b"==\t";
/// Length of a SHA-512 in base64.
const SHA512_BASE64: usize = 88;

/// Whether a text is a bucket of npm's index.
pub(super) fn is_npm_index(head: &[u8]) -> bool {
    let line = head.strip_prefix(b"\n").unwrap_or(head);
    let (digest, rest) = line.split_at_checked(SHA1_HEX).unwrap_or_default();
    digest.len() == SHA1_HEX && digest.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(b"\t{")
}

/// Reads a bucket of npm's index.
pub(super) fn npm_index(text: &[u8], named: &mut Named) {
    for line in text.split(|&byte| byte == b'\n') {
        let Some(at) = memchr::memchr(b'\t', line) else {
            continue;
        };
        let Ok(entry) = serde_json::from_slice::<Value>(&line[at + 1..]) else {
            continue;
        };
        let key = entry.get("key").and_then(Value::as_str).unwrap_or_default();
        let integrity = entry.get("integrity").and_then(Value::as_str);
        let beside = integrity.and_then(content_of_npm);
        if let Some((name, version)) = package_of_address(key) {
            named.add(name.as_bytes(), version.as_bytes(), beside);
        }
    }
}

/// The package of an address `…/NAME/-/FILE-VERSION.tgz`, by which registries give archives.
fn package_of_address(address: &str) -> Option<(String, &str)> {
    let (before, file) = address.rsplit_once("/-/")?;
    let mut parts = before.rsplit('/');
    let own = parts.next()?;
    let own = own
        .replace("%2f", "/")
        .replace("%2F", "/")
        .replace("%40", "@");
    let scope = parts.next().filter(|scope| scope.starts_with('@'));
    let name = match scope {
        Some(scope) if !own.starts_with('@') => format!("{scope}/{own}"),
        _ => own,
    };
    let base = name.rsplit('/').next()?;
    let file = file.split(['?', '#']).next()?;
    let version = file.strip_prefix(base)?.strip_prefix('-')?;
    let version = version.strip_suffix(".tgz")?;
    Some((name, version))
}

/// Where npm's cache keeps what has this integrity: `content-v2/sha512/ab/cd/…`.
fn content_of_npm(integrity: &str) -> Option<Vec<u8>> {
    let first = integrity.split(' ').next()?;
    let (algorithm, digest) = first.split_once('-')?;
    let hex = hex_of(digest)?;
    let (one, rest) = hex.split_at_checked(2)?;
    let (two, rest) = rest.split_at_checked(2)?;
    Some(format!("content-v2/{algorithm}/{one}/{two}/{rest}").into_bytes())
}

fn hex_of(base64: &str) -> Option<String> {
    let digest = base64::engine::general_purpose::STANDARD.decode(base64);
    digest.ok().map(|digest| crate::blob::digest::hex(&digest))
}

/// Reads pnpm's file about one package. Its `package.json` stands for the whole: it lies below `files` by its digest.
pub(super) fn pnpm_index(document: &Bytes, named: &mut Named) {
    /// A larger one is of no package; bytes.
    const MAX_BYTES: usize = 32 << 20;
    if document.len() > MAX_BYTES {
        named.is_too_large = true;
        return;
    }
    let Ok(index) = serde_json::from_slice::<Value>(document) else {
        return;
    };
    let text = |pointer: &str| index.pointer(pointer).and_then(Value::as_str);
    let (Some(name), Some(version)) = (text("/name"), text("/version")) else {
        return;
    };
    let digest =
        text("/files/package.json/integrity").and_then(|text| text.strip_prefix("sha512-"));
    let beside = digest.and_then(hex_of).and_then(|hex| {
        let (first, rest) = hex.split_at_checked(2)?;
        Some(format!("files/{first}/{rest}").into_bytes())
    });
    named.add(name.as_bytes(), version.as_bytes(), beside);
}

/// Whether content is an SQLite database or the log of one (SQLite file format, 1.3 and 4.1).
pub(super) fn is_database(head: &[u8]) -> bool {
    head.starts_with(b"SQLite format 3\0")
        || head.starts_with(b"\x37\x7f\x06\x82")
        || head.starts_with(b"\x37\x7f\x06\x83")
}

/// Whether bytes of a database may hold a key of pnpm's.
pub(super) fn has_keys(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, START)
        .any(|at| bytes.get(at + START.len() + SHA512_BASE64) == Some(&b'\t'))
}

/// Looks for the keys of pnpm's database.
pub(super) fn pnpm_database(bytes: &[u8], named: &mut Named) {
    for at in memchr::memmem::find_iter(bytes, START) {
        let rest = &bytes[at + START.len()..];
        let name = rest
            .get(SHA512_BASE64..)
            .and_then(|rest| rest.strip_prefix(b"\t"));
        let Some(name) = name else {
            continue;
        };
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"@/._+-~".contains(byte);
        let len = name.iter().take(NAME_MAX).take_while(is_part).count();
        let (name, row) = name.split_at(len);
        // In the table of other names one key follows the other.
        let end = memchr::memmem::find(name, START).unwrap_or(len);
        let row = &row[..row.len().min(ROW_MAX)];
        let row = &row[..memchr::memmem::find(row, KEY_IN_ROW).unwrap_or(row.len())];
        named.add_joined(&name[..end], content_in_row(row));
    }
}

/// Where the store keeps the `package.json` that a row names; `None` where the row does not lie in one piece.
fn content_in_row(row: &[u8]) -> Option<Vec<u8>> {
    /// The name as MessagePack writes it, with its length before it.
    const NAME: &[u8] = b"\xacpackage.json";
    /// What stands before a text of 128 bytes in MessagePack.
    const DIGEST: &[u8] = b"\xd9\x80";
    const HEX: usize = 128;
    let behind = &row[memchr::memmem::find(row, NAME)? + NAME.len()..];
    let digest = &behind[memchr::memmem::find(behind, DIGEST)? + DIGEST.len()..];
    let (digest, _) = digest.split_at_checked(HEX)?;
    let is_hex = digest.iter().all(u8::is_ascii_hexdigit);
    let (first, rest) = digest.split_at(2);
    is_hex.then(|| [b"files/", first, b"/", rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_archives() {
        let package = |address| package_of_address(address);
        for address in [
            "make-fetch-happen:request-cache:http://localhost:4873/@acme/cli/-/cli-2.1.0-beta.1.tgz",
            "https://host.example/npm/@acme%2fcli/-/cli-2.1.0-beta.1.tgz?x=1",
        ] {
            assert_eq!(
                package(address),
                Some(("@acme/cli".to_owned(), "2.1.0-beta.1")),
                "{address}"
            );
        }
        assert_eq!(
            package("http://localhost/left/-/left-1.0.0.tgz"),
            Some(("left".to_owned(), "1.0.0"))
        );
        assert_eq!(package("http://localhost/left"), None);
        assert_eq!(package("http://localhost/left/-/right-1.0.0.tgz"), None);
    }

    #[test]
    fn contents_by_integrity() {
        assert_eq!(
            content_of_npm("sha1-//8A").as_deref(),
            Some(&b"content-v2/sha1/ff/ff/00"[..])
        );
        assert_eq!(content_of_npm("sha512-"), None);
        assert_eq!(content_of_npm("x"), None);
    }
}
