//! Keys of signature sets, and the keyed values that are stored instead of digests.
//!
//! stored value = BLAKE3 keyed hash (BLAKE3 paper, section 2.3) under the set's key of `domain ‖ digest`, 32 bytes. The
//! domain is a constant per kind of digest, so that a git id can never be taken for a SHA-256. One value is one
//! compression of 64 bytes, some 50 ns; the text itself is hashed once for all sets, without a key.
//!
//! Three frozen BLAKE3 `derive_key` contexts keep the uses of key material apart:
//!
//! | context | input | gives |
//! | --- | --- | --- |
//! | [`GIVEN_CONTEXT`] | the bytes of the key file, as they are | a given key |
//! | [`DERIVED_CONTEXT`] | see [`Key::derived`] | a derived key |
//! | [`ID_CONTEXT`] | the 32 bytes of a key | its id, first 16 bytes |
//!
//! The key id lets a reader say "wrong key" instead of "no match". It also lets whoever holds a set try guesses of the
//! key file offline: a key file should be random bytes, not a pass phrase.

use super::layout::Rules;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// `derive_key` context of keys that come from a key file.
pub const GIVEN_CONTEXT: &str = "strandline signature set 1: key from a key file";
/// `derive_key` context of keys that come from work, release and content.
pub const DERIVED_CONTEXT: &str = "strandline signature set 1: key from work, release and content";
/// `derive_key` context of key ids.
pub const ID_CONTEXT: &str = "strandline signature set 1: key id";

/// Fewer bytes than this cannot hold a key worth the name.
const KEY_FILE_MIN_BYTES: usize = 16;
/// A key file larger than this is a mistake (or a device that never ends).
const KEY_FILE_MAX_BYTES: u64 = 1 << 20;

/// Why a key file was refused.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file could not be read.
    #[error("cannot read the key file {path:?}: {reason}")]
    Io {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The file holds too little to be a key.
    #[error(
        "the key file holds {bytes} bytes; a key needs at least {KEY_FILE_MIN_BYTES} random bytes (32 bytes of /dev/urandom do)"
    )]
    TooShort {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The file is larger than any key file.
    #[error("the key file holds more than {KEY_FILE_MAX_BYTES} bytes; is this the right file?")]
    TooLong,
}

/// The 32-byte key under which the values of a set are stored. Never printed; `Debug` shows the id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// The key that the bytes of a key file stand for, every byte counted (a final newline too).
    ///
    /// # Errors
    /// Fewer than 16 bytes or more than 1 MiB.
    pub fn from_file_bytes(bytes: &[u8]) -> Result<Key, KeyError> {
        if bytes.len() < KEY_FILE_MIN_BYTES {
            return Err(KeyError::TooShort { bytes: bytes.len() });
        }
        if bytes.len() as u64 > KEY_FILE_MAX_BYTES {
            return Err(KeyError::TooLong);
        }
        Ok(Key(blake3::derive_key(GIVEN_CONTEXT, bytes)))
    }

    /// Reads a key file; see [`Key::from_file_bytes`].
    ///
    /// # Errors
    /// The file cannot be read, or is too short or too long.
    pub fn read(path: &Path) -> Result<Key, KeyError> {
        let io_error = |reason| KeyError::Io {
            path: path.to_owned(),
            reason,
        };
        let file = File::open(path).map_err(io_error)?;
        let mut bytes = Vec::new();
        // One byte past the limit tells "too long" from "just fits"; a device is not read to its end.
        file.take(KEY_FILE_MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(io_error)?;
        Key::from_file_bytes(&bytes)
    }

    /// The key of a set that was signed without a key file. Input to `derive_key`, in this order: length of `work` in
    /// bytes (u64, little-endian) and its UTF-8, the same for `release`, the number of distinct contents (u64), and
    /// their SHA-256 digests in ascending order. `digests` must be sorted and free of repeats. For a content that a list
    /// names otherwise, what stands in the place of its SHA-256 is the git blob id, or MD5 and length (8 bytes,
    /// little-endian), with zeros to 32 bytes.
    pub(super) fn derived(work: &str, release: &str, digests: &[[u8; 32]]) -> Key {
        let mut hasher = blake3::Hasher::new_derive_key(DERIVED_CONTEXT);
        for text in [work, release] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&(digests.len() as u64).to_le_bytes());
        hasher.update(digests.as_flattened());
        Key(*hasher.finalize().as_bytes())
    }

    /// 32 bytes for another purpose, which say nothing of the key; `context` is what BLAKE3 calls one.
    pub fn derive(&self, context: &str) -> [u8; 32] {
        blake3::derive_key(context, &self.0)
    }

    /// A key as it stands in the header of a set.
    pub(super) fn from_stored(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    /// The 32 bytes, for the header of a set with a derived key.
    pub(super) fn stored(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id that tells keys apart without giving them away: 16 bytes.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        let full = blake3::derive_key(ID_CONTEXT, &self.0);
        let mut id = [0; 16];
        id.copy_from_slice(&full[..16]);
        id
    }

    /// The value that is stored for a SHA-256 digest of bytes (tier `exact/1`).
    pub(super) fn sha256_value(&self, sha256: &[u8; 32]) -> [u8; 32] {
        self.value(b"exact/1 sha256\0", sha256)
    }

    /// The value that is stored for a git blob id of the SHA-1 object format (tier `exact/1`).
    pub(super) fn git_value(&self, git_sha1: &[u8; 20]) -> [u8; 32] {
        self.value(b"exact/1 git-sha1\0", git_sha1)
    }

    /// The value that is stored for the length and the CRC-32 of a file (tier `crc-size/1`).
    pub(super) fn crc_value(&self, bytes: u64, crc32: u32) -> [u8; 32] {
        let mut stated = [0; 12];
        stated[..8].copy_from_slice(&bytes.to_le_bytes());
        stated[8..].copy_from_slice(&crc32.to_le_bytes());
        self.value(b"crc-size/1\0", &stated)
    }

    /// The value that is stored for the length and the MD5 of a file (tier `md5-size/1`).
    pub(super) fn md5_value(&self, bytes: u64, md5: &[u8; 16]) -> [u8; 32] {
        let mut stated = [0; 24];
        stated[..8].copy_from_slice(&bytes.to_le_bytes());
        stated[8..].copy_from_slice(md5);
        self.value(b"md5-size/1\0", &stated)
    }

    /// The key of the index of a tier of fingerprints: 16 bytes.
    pub(super) fn tier_key(&self, tier: &str) -> [u8; 16] {
        let full = self.value(b"prints key\0", tier.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&full[..16]);
        key
    }

    /// The value that is stored for a digest of a normal form (tier `norm-text/1`).
    pub(super) fn norm_value(&self, norm: &[u8; 32]) -> [u8; 32] {
        self.value(b"norm-text/1\0", norm)
    }

    /// The value that is stored for the digest of a text without its layout (tiers `layout/1` and `layout/2`).
    pub(super) fn layout_value(&self, rules: Rules, layout: &[u8; 32]) -> [u8; 32] {
        let domain: &[u8] = match rules {
            Rules::First => b"layout/1\0",
            Rules::Second => b"layout/2\0",
        };
        self.value(domain, layout)
    }

    /// `domain` and `digest` together are at most one block of the hash.
    fn value(&self, domain: &[u8], digest: &[u8]) -> [u8; 32] {
        let mut input = [0; 64];
        let bytes = domain.len() + digest.len();
        input[..domain.len()].copy_from_slice(domain);
        input[domain.len()..bytes].copy_from_slice(digest);
        *blake3::keyed_hash(&self.0, &input[..bytes]).as_bytes()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(id {})", super::digest::hex(&self.id()))
    }
}
