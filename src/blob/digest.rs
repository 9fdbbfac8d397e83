//! Digests of content.
//!
//! Two are in use everywhere: BLAKE3 for every blob (the dedupe key), SHA-256 for every distinct one and every one
//! that is reported. Git's SHA-1 belongs to signature sets and lives there.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// A SHA-256 digest (FIPS 180-4), the identity of content in every output.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sha256Digest(pub [u8; 32]);

impl Sha256Digest {
    /// Digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Lower-case hex, 64 characters.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// The dedupe key: the first 159 bits of BLAKE3, and one bit that says whether the content is a container.
///
/// 20 bytes, so that an index of everything seen stays small; finding two contents with one key costs about
/// 2^79 work. The last bit is used where keys are stored, so that containers can be counted once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentKey(pub [u8; ContentKey::LEN]);

impl ContentKey {
    /// Length of a key in bytes.
    pub const LEN: usize = 20;

    /// Key of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_blake3(&blake3::hash(bytes))
    }

    /// Key from a finished BLAKE3 hash.
    pub fn from_blake3(hash: &blake3::Hash) -> Self {
        let mut key = [0; Self::LEN];
        key.copy_from_slice(&hash.as_bytes()[..Self::LEN]);
        key[Self::LEN - 1] &= !1;
        Self(key)
    }

    /// The same key, marked as that of a container.
    #[must_use]
    pub fn as_container(mut self) -> Self {
        self.0[Self::LEN - 1] |= 1;
        self
    }

    /// A key of its own for the same content where that is read more closely.
    #[must_use]
    pub fn read_closely(mut self) -> Self {
        self.0.iter_mut().for_each(|byte| *byte = !*byte);
        self
    }

    /// Whether the key is marked as that of a container.
    pub fn is_container(&self) -> bool {
        self.0[Self::LEN - 1] & 1 == 1
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Lower-case hex of any bytes.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Digests of content that is never in memory as a whole.
#[derive(Default)]
pub struct StreamDigests {
    blake3: blake3::Hasher,
    sha256: sha2::Sha256,
    length: u64,
}

impl StreamDigests {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.sha256.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// Key, SHA-256 and length in bytes of all that was taken.
    pub fn finish(self) -> (ContentKey, Sha256Digest, u64) {
        (
            ContentKey::from_blake3(&self.blake3.finalize()),
            Sha256Digest(self.sha256.finalize().into()),
            self.length,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_agrees_with_the_published_vector() {
        // FIPS 180-4 example, one block.
        assert_eq!(
            Sha256Digest::of(b"abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn streamed_digests_equal_those_of_the_whole() {
        let text = vec![7_u8; 300_000];
        let mut stream = StreamDigests::default();
        for piece in text.chunks(1_001) {
            stream.update(piece);
        }
        assert_eq!(
            stream.finish(),
            (ContentKey::of(&text), Sha256Digest::of(&text), 300_000)
        );
    }

    #[test]
    fn marking_a_key_changes_only_the_mark() {
        let key = ContentKey::of(b"x");
        assert!(!key.is_container());
        assert!(key.as_container().is_container());
        assert_eq!(key.0[..19], key.as_container().0[..19]);
    }
}
