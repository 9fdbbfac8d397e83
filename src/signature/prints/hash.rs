//! The frozen hash that fingerprints are made with.
//!
//! Fingerprints of different sets, releases and years are compared, so the function must never change, and anybody must
//! be able to compute it again from this page with nothing but whole numbers. It need not keep secrets (what is stored
//! is keyed) nor withstand somebody who looks for collisions: a collision makes a false trace, never a false proof,
//! since a verdict rests on several. All numbers have 64 bits; sums and products lose what goes beyond.
//!
//! ```text
//! mix(x)         x = (x XOR (x >> 32)) * 0xD6E8FEB86659FD93, then the same again, then x XOR (x >> 32)
//! bytes(s, b)    h = s + length of b; for each 8 bytes of b as a little-endian number n, the last ones filled up with
//!                zeros: h = mix(h XOR n)
//! ```

const MULTIPLIER: u64 = 0xD6E8_FEB8_6659_FD93;

/// A permutation of the numbers of 64 bits in which every bit depends on every other.
#[must_use]
pub(super) const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 32)).wrapping_mul(MULTIPLIER);
    let x = (x ^ (x >> 32)).wrapping_mul(MULTIPLIER);
    x ^ (x >> 32)
}

/// The hash of some bytes under a seed.
#[must_use]
pub(super) fn bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = seed.wrapping_add(bytes.len() as u64);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = mix(hash ^ u64::from_le_bytes(word));
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published for good; computed with a second implementation, in Python.
    #[test]
    fn golden_vectors() {
        assert_eq!(mix(0), 0);
        assert_eq!(mix(1), GOLDEN_MIX_1);
        assert_eq!(bytes(0, b""), 0);
        assert_eq!(bytes(7, b"strandline"), GOLDEN_BYTES);
    }

    const GOLDEN_MIX_1: u64 = 0x4179_B061_E0C0_E0D0;
    const GOLDEN_BYTES: u64 = 0x489D_D1A3_28E5_00F6;
}
