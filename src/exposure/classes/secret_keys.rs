//! Secret keys in forms of their own: age, minisign and signify, WireGuard, Tor, Kerberos, GnuPG's private folder.
//!
//! Each begins in a way that nothing else does; what follows is checked as far as it can be without computing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::circumstance::ENCRYPTED;
use super::text::{Text, settings};
use super::{Artifact, Class};
use crate::exposure::bech32;
use crate::exposure::content::Hits;

const CLASS: &str = "secret-key-file";

/// Keys that the first bytes tell.
pub struct SecretKeys;

/// How much of a file is looked at; bytes. Each is told by its first lines.
const LOOKED_AT: usize = 1 << 20;

impl Class for SecretKeys {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        let bytes = bytes.get(..LOOKED_AT).unwrap_or(bytes);
        let (circumstance, what) = match bytes {
            [b'#' | b'A', ..] if is_age(bytes) => ("", "an identity of age"),
            [b'u', ..] => minisign(bytes)?,
            [b'=', ..] if is_tor(bytes) => ("", "the key of a Tor service"),
            [5, 2, ..] if is_keytab(bytes) => ("", "a Kerberos keytab"),
            [b'(', ..] | [b'K', b'e', b'y', ..] | [b'C', b'r', b'e', ..] => gnupg(bytes)?,
            _ => return None,
        };
        Some(Artifact::proven(CLASS, circumstance, what))
    }
}

/// `AGE-SECRET-KEY-1` and 58 characters of Bech32, the last six a checksum (age specification; BIP 173).
fn is_age(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"AGE-SECRET-KEY-1";
    let mut lines = bytes
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .take(16);
    lines.any(|line| line.starts_with(BEGIN) && line.len() == 74 && bech32::holds(line))
}

/// minisign and signify: a comment, then the key in base64 (signify manual, "FILES").
fn minisign(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix("untrusted comment: ")?;
    let (_, rest) = rest.split_once('\n')?;
    let key = STANDARD.decode(rest.lines().next()?.trim()).ok()?;
    match (key.get(..4)?, key.len()) {
        // Algorithm "Ed", key derivation: none, scrypt; minisign has 158 bytes of key, signify 104.
        (b"Ed\0\0", 158) => Some(("", "a secret key of minisign")),
        (b"EdSc", 158) => Some((ENCRYPTED, "a secret key of minisign")),
        // Rounds of the derivation stand behind its name; none where there is no passphrase.
        (b"EdBK", 104) if key.get(4..8) == Some(&[0; 4]) => Some(("", "a secret key of signify")),
        (b"EdBK", 104) => Some((ENCRYPTED, "a secret key of signify")),
        _ => None,
    }
}

/// `== ed25519v1-secret: type0 ==`, padded to 32 bytes, then 64 bytes of key (Tor, key files of onion services).
fn is_tor(bytes: &[u8]) -> bool {
    bytes.starts_with(b"== ed25519v1-secret: type0 ==") && bytes.len() == 96
}

/// Version 5.2, then entries, each with its length (MIT Kerberos, "Keytab file format").
fn is_keytab(bytes: &[u8]) -> bool {
    let mut rest = &bytes[2..];
    let mut entries = 0;
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        // A negative length is a hole.
        let length = i32::from_be_bytes(*length);
        let Some((entry, behind)) = behind.split_at_checked(length.unsigned_abs() as usize) else {
            return false;
        };
        // At least components, realm, type, time, version and an empty key.
        if length == 0 || length > 0 && entry.len() < 20 {
            return false;
        }
        entries += usize::from(length > 0);
        rest = behind;
    }
    entries > 0 && rest.is_empty()
}

/// Files below `private-keys-v1.d` (GnuPG, "agent/keyformat.txt"): an S-expression, bare or behind `Key: `.
fn gnupg(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let head = &bytes[..bytes.len().min(4096)];
    let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
    if !bytes.starts_with(b"(") && !has(b"Key: (") {
        return None;
    }
    if has(b"21:protected-private-key") || has(b"(protected-private-key") {
        Some((ENCRYPTED, "a private key of GnuPG's agent"))
    } else if has(b"11:private-key") || has(b"(private-key") {
        Some(("", "a private key of GnuPG's agent"))
    } else {
        None
    }
}

/// `[Interface]` with `PrivateKey`: 32 bytes in base64 (wg manual, "CONFIGURATION FILE FORMAT").
pub fn read_wireguard(text: &Text<'_>) -> Option<Artifact> {
    let mut settings =
        settings(text).filter(|(section, key, _)| *section == "Interface" && *key == "PrivateKey");
    // `settings` cuts at the first `=`, which stands before the padding.
    let (_, _, value) = settings.next()?;
    let key = STANDARD.decode(value).ok()?;
    let is_key = key.len() == 32 && key.iter().any(|&byte| byte != key[0]);
    is_key.then(|| Artifact::proven(CLASS, "", "settings of WireGuard with the private key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_a_keytab_must_fit() {
        let entry = [&[0, 0, 0, 24][..], &[1; 24]].concat();
        assert!(is_keytab(&[&[5, 2][..], &entry].concat()));
        assert!(!is_keytab(&[5, 2]));
        assert!(!is_keytab(&[&[5, 2][..], &entry[..20]].concat()));
        assert!(!is_keytab(b"\x05\x02\xff\xff\xff\xff\xff"));
    }
}
