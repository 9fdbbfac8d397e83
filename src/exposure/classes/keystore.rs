//! Key stores: PKCS#12, Java's JKS and JCEKS, Bouncy Castle's BKS.
//!
//! Half of all such files hold certificates of authorities only, which are public; so the entries are told apart as far
//! as the form lets them be without the password. PKCS#12 says of each bag what it is (RFC 7292), unless all bags are
//! encrypted together.

use super::circumstance::UNSEEN;
use super::text::counted;
use super::{Artifact, Class};
use crate::exposure::content::Hits;

const CLASS: &str = "keystore";

/// Key stores.
pub struct KeyStore;

/// Most entries that are walked over.
const ENTRIES_MAX: u32 = 65_536;

impl Class for KeyStore {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        match *bytes.first_chunk::<4>()? {
            [0x30, ..] => pkcs12(bytes),
            [0xfe, 0xed, 0xfe, 0xed] => java(bytes, "JKS"),
            [0xce, 0xce, 0xce, 0xce] => java(bytes, "JCEKS"),
            [0, 0, 0, 1 | 2] => bouncy_castle(bytes),
            _ => None,
        }
    }
}

/// Version 3, then content that is data (1.2.840.113549.1.7.1) or signed data (…7.2).
fn pkcs12(bytes: &[u8]) -> Option<Artifact> {
    const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
    /// 1.2.840.113549.1.12.10.1: the bags.
    const BAG: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01";
    const ENCRYPTED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";
    let head = bytes.get(..bytes.len().min(40))?;
    let at = memchr::memmem::find(head, b"\x02\x01\x03\x30")?;
    let rest = &head[at..];
    let kind = memchr::memmem::find(rest, DATA)?;
    // The outermost sequence, the version, and the sequence round the content are all that stands before.
    if at > 6 || kind > 10 || !matches!(rest.get(kind + DATA.len()), Some(1 | 2)) {
        return None;
    }
    let (mut keys, mut certificates) = (0_u32, 0_u32);
    for at in memchr::memmem::find_iter(bytes, BAG).take(ENTRIES_MAX as usize) {
        match bytes.get(at + BAG.len()) {
            Some(1 | 2) => keys += 1,
            Some(3) => certificates += 1,
            _ => {}
        }
    }
    let sealed = memchr::memmem::find(bytes, ENCRYPTED_DATA).is_some();
    match (keys, sealed) {
        (1.., _) => Some(Artifact::proven(
            CLASS,
            "",
            format!("PKCS#12 with {}", counted(keys, "private key")),
        )),
        (0, true) => Some(Artifact::proven(
            CLASS,
            UNSEEN,
            "PKCS#12, encrypted as a whole: it may hold certificates only",
        )),
        (0, false) => {
            let _public = certificates;
            None
        }
    }
}

/// Version, count, and entries: 1 a private key, 2 a certificate, 3 a secret key (of JCEKS).
fn java(bytes: &[u8], name: &str) -> Option<Artifact> {
    let mut fields = Fields(bytes.get(4..)?);
    let version = fields.number()?;
    let count = fields.number()?;
    if !matches!(version, 1 | 2) || count > ENTRIES_MAX {
        return None;
    }
    let (mut keys, mut certificates, mut read_all) = (0_u32, 0_u32, true);
    for _ in 0..count {
        let Some(kind) = fields.number() else {
            read_all = false;
            break;
        };
        let entry = fields.short_string().and_then(|_alias| fields.skip(8));
        let done = match (kind, entry) {
            (1, Some(())) => {
                keys += 1;
                private_entry(&mut fields, version)
            }
            (2, Some(())) => {
                certificates += 1;
                certificate(&mut fields, version)
            }
            // A serialised object has no length of its own: what follows cannot be told.
            (3, Some(())) => {
                keys += 1;
                None
            }
            _ => None,
        };
        if done.is_none() {
            read_all = false;
            break;
        }
    }
    if keys > 0 {
        let detail = format!(
            "{name} with {}, {}",
            counted(keys, "private key"),
            counted(certificates, "certificate")
        );
        return Some(Artifact::proven(CLASS, "", detail));
    }
    // Certificates alone are public; what breaks off says nothing.
    (!read_all && certificates > 0)
        .then(|| Artifact::proven(CLASS, UNSEEN, format!("{name}, not read to its end")))
}

/// An encrypted key and its chain.
fn private_entry(fields: &mut Fields<'_>, version: u32) -> Option<()> {
    fields.long_string()?;
    let chain = fields.number()?;
    for _ in 0..chain.min(ENTRIES_MAX) {
        certificate(fields, version)?;
    }
    Some(())
}

fn certificate(fields: &mut Fields<'_>, version: u32) -> Option<()> {
    if version == 2 {
        fields.short_string()?;
    }
    fields.long_string().map(|_| ())
}

/// Version, salt of 20 bytes, rounds, then entries: 1 a certificate, 2 a key, 3 a secret, 4 a sealed key.
fn bouncy_castle(bytes: &[u8]) -> Option<Artifact> {
    let mut fields = Fields(bytes.get(4..)?);
    if fields.number()? != 20 {
        return None;
    }
    fields.skip(20)?;
    if !(1..=100_000).contains(&fields.number()?) {
        return None;
    }
    let (mut keys, mut certificates) = (0_u32, 0_u32);
    for _ in 0..ENTRIES_MAX {
        let kind = fields.byte()?;
        if kind == 0 {
            break;
        }
        fields.short_string()?;
        fields.skip(8)?;
        let chain = fields.number()?;
        for _ in 0..chain.min(ENTRIES_MAX) {
            fields.short_string()?;
            fields.long_string()?;
        }
        match kind {
            1 => {
                certificates += 1;
                fields.short_string()?;
                fields.long_string()?;
            }
            2 => {
                keys += 1;
                // What it is, its format and its algorithm, then the key.
                fields.byte()?;
                fields.short_string()?;
                fields.short_string()?;
                fields.long_string()?;
            }
            3 | 4 => {
                keys += 1;
                fields.long_string()?;
            }
            _ => return None,
        }
    }
    let detail = format!(
        "BKS with {}, {}",
        counted(keys, "key"),
        counted(certificates, "certificate")
    );
    (keys > 0).then(|| Artifact::proven(CLASS, "", detail))
}

/// A reader over Java's `DataOutputStream`.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.get(count..)?;
        Some(())
    }

    fn short_string(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.0 = rest;
        Some(text)
    }

    fn long_string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }
}
