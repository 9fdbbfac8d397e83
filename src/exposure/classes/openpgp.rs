//! OpenPGP secret keys, in armour or in packets.
//!
//! A packet says by its tag whether a key is secret (RFC 9580, 5.5); behind the public numbers one octet says whether a
//! passphrase protects the rest. GnuPG exports stubs too, which hold no secret: the key is on a card, or was left out.
//! Public keys and keyrings of them are no finding.

use super::circumstance::ENCRYPTED;
use super::text::counted;
use super::{Artifact, Class};
use crate::exposure::content::Hits;
use crate::exposure::key::{Armour, decode_base64};

/// OpenPGP secret keys.
pub struct OpenPgp;

/// Longest armour that is read: large keys with many signatures and a photo. Bytes.
const MAX_ARMOUR: usize = 1 << 20;

/// Most packets, and most blocks of armour, that are looked at.
const PACKETS_MAX: usize = 4096;
const BLOCKS_MAX: usize = 256;

/// What follows the five dashes in the first line of armour.
pub const LABEL: &[u8] = b"PRIVATE KEY BLOCK-----";

/// Secret keys and subkeys of one file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Keys {
    plain: u32,
    encrypted: u32,
    stubs: u32,
}

impl Class for OpenPgp {
    fn recognise(&self, bytes: &[u8], hits: &Hits) -> Option<Artifact> {
        let mut keys = Keys::default();
        for &at in hits.pgp_keys().iter().take(BLOCKS_MAX) {
            if let Some(packets) = dearmoured(bytes, at) {
                keys.read(&packets);
            }
        }
        // Tag 5 in either form of packet.
        if matches!(bytes.first(), Some(0x94..=0x97 | 0xc5)) {
            let mut whole = Keys::default();
            if whole.read(bytes).is_some() {
                keys = whole;
            }
        }
        let circumstance = match (keys.plain, keys.encrypted) {
            (1.., _) => "",
            (0, 1..) => ENCRYPTED,
            _ => return None,
        };
        let stubs = if keys.stubs > 0 {
            format!(", {} without the secret", keys.stubs)
        } else {
            String::new()
        };
        let detail = format!(
            "{} of OpenPGP, {} with a passphrase{stubs}",
            counted(keys.plain + keys.encrypted, "secret key"),
            keys.encrypted
        );
        Some(Artifact::proven("openpgp-key", circumstance, detail))
    }
}

/// The packets in the armour whose label ends with [`LABEL`] at `at`.
fn dearmoured(bytes: &[u8], at: usize) -> Option<Vec<u8>> {
    let before = bytes.get(at.saturating_sub(15)..at)?;
    if !before.ends_with(b"-----BEGIN PGP ") {
        return None;
    }
    let body = bytes.get(at + LABEL.len()..)?;
    let body = body.get(..MAX_ARMOUR).unwrap_or(body);
    let body = &body[..memchr::memmem::find(body, b"-----")?];
    let text = Armour::read(body).text;
    // The checksum's line begins with a `=` of its own: `=njUN`.
    let text = match text.len().checked_sub(5) {
        Some(end) if text[end] == b'=' => &text[..end],
        _ => &text[..],
    };
    decode_base64(text)
}

impl Keys {
    /// Walks packets. `None` where the run of them breaks before its end.
    fn read(&mut self, packets: &[u8]) -> Option<()> {
        let mut rest = packets;
        for _ in 0..PACKETS_MAX {
            if rest.is_empty() {
                return Some(());
            }
            let (tag, body, behind) = packet(rest)?;
            if matches!(tag, 5 | 7) {
                self.add(body)?;
            }
            rest = behind;
        }
        None
    }

    fn add(&mut self, body: &[u8]) -> Option<()> {
        let private = private_part(body)?;
        match *private.first()? {
            0 => self.plain += 1,
            // A cipher, then how the key is made of the passphrase; 101 is GnuPG's own, for keys that are elsewhere.
            253..=255
                if private
                    .get(1..8)
                    .is_some_and(|part| part[1] == 101 && part[3..6] == *b"GNU") =>
            {
                self.stubs += 1;
            }
            _ => self.encrypted += 1,
        }
        Some(())
    }
}

/// Tag, body, and what follows (RFC 9580, 4.2). Bodies in parts are never keys.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte))
    };
    let (tag, length, rest) = match first {
        0xc0.. => {
            let (&length, rest) = rest.split_first()?;
            let (length, rest) = match length {
                0..=191 => (usize::from(length), rest),
                192..=223 => {
                    let (&low, rest) = rest.split_first()?;
                    (
                        ((usize::from(length) - 192) << 8) + usize::from(low) + 192,
                        rest,
                    )
                }
                255 => {
                    let (length, rest) = rest.split_at_checked(4)?;
                    (number(length), rest)
                }
                _ => return None,
            };
            (first & 0x3f, length, rest)
        }
        0x80.. => {
            let width = match first & 3 {
                0 => 1,
                1 => 2,
                2 => 4,
                _ => return None,
            };
            let (length, rest) = rest.split_at_checked(width)?;
            (first >> 2 & 0xf, number(length), rest)
        }
        _ => return None,
    };
    let (body, behind) = rest.split_at_checked(length)?;
    Some((tag, body, behind))
}

/// What follows the public numbers of a key, versions 4 and 6.
fn private_part(body: &[u8]) -> Option<&[u8]> {
    let (&version, rest) = body.split_first()?;
    let rest = rest.get(4..)?;
    let (&algorithm, rest) = rest.split_first()?;
    match version {
        6 => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            rest.get(usize::try_from(u32::from_be_bytes(*length)).ok()?..)
        }
        4 => {
            // Numbers of any length, then fields that say their own length in one octet.
            let rest = match algorithm {
                1..=3 => skip_numbers(rest, 2)?,
                16 => skip_numbers(rest, 3)?,
                17 => skip_numbers(rest, 4)?,
                19 | 22 => skip_numbers(skip_field(rest)?, 1)?,
                18 => skip_field(skip_numbers(skip_field(rest)?, 1)?)?,
                25 | 27 => rest.get(32..)?,
                26 => rest.get(56..)?,
                28 => rest.get(57..)?,
                _ => return None,
            };
            Some(rest)
        }
        _ => None,
    }
}

fn skip_numbers(mut bytes: &[u8], count: usize) -> Option<&[u8]> {
    for _ in 0..count {
        let (bits, rest) = bytes.split_first_chunk::<2>()?;
        bytes = rest.get(usize::from(u16::from_be_bytes(*bits)).div_ceil(8)..)?;
    }
    Some(bytes)
}

fn skip_field(bytes: &[u8]) -> Option<&[u8]> {
    let (&length, rest) = bytes.split_first()?;
    rest.get(usize::from(length)..)
}
