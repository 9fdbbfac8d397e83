//! The key of a case: how two reports speak of the same secret without showing it.
//!
//! With `--case-key FILE` each credential gets a fingerprint, BLAKE3 of its value keyed with that file, cut to 16 bytes. Equal
//! secrets have equal fingerprints in all that was made with one key, and none that can be compared in anything else.
//! Without the file nobody can try values against a fingerprint, which is why there is none without a key: a plain hash
//! of something that people made up is soon guessed.

use std::fmt;

/// What values are keyed with. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CaseKey(pub [u8; 32]);

impl CaseKey {
    /// What to derive it for from a key file.
    pub const CONTEXT: &str = "strandline case key 1: key from a key file";

    /// The fingerprint of a value.
    pub fn fingerprint(&self, value: &[u8]) -> [u8; 16] {
        let mut first = [0; 16];
        first.copy_from_slice(&blake3::keyed_hash(&self.0, value).as_bytes()[..16]);
        first
    }

    /// What tells keys apart without giving them away.
    pub fn digest(&self) -> [u8; 32] {
        blake3::derive_key("strandline case key 1: digest", &self.0)
    }
}

impl fmt::Debug for CaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_gives_one_fingerprint_and_another_another() {
        let (a, b) = (CaseKey([1; 32]), CaseKey([2; 32]));
        assert_eq!(a.fingerprint(b"value"), a.clone().fingerprint(b"value"));
        assert_ne!(a.fingerprint(b"value"), b.fingerprint(b"value"));
        assert_ne!(a.fingerprint(b"value"), a.fingerprint(b"other"));
        assert_ne!(a.digest(), b.digest());
        assert_eq!(format!("{a:?}"), "CaseKey");
    }
}
