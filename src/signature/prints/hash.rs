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

/// The hash of one byte under a seed.
#[must_use]
#[inline]
pub(super) const fn byte(seed: u64, byte: u8) -> u64 {
    mix(seed.wrapping_add(1) ^ byte as u64)
}

/// The hash of some bytes under a seed.
#[must_use]
#[inline]
pub(super) fn bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = seed.wrapping_add(bytes.len() as u64);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    if rest.is_empty() {
        return hash;
    }
    mix(hash ^ last_word(rest))
}

/// The same of `text[start..end]`. What stands behind is read along and masked, where something does: tokens are short and
/// their lengths change from one to the next, so that a branch on them costs more than the hash.
#[must_use]
#[inline]
pub(super) fn bytes_in(seed: u64, text: &[u8], start: usize, end: usize) -> u64 {
    let mut hash = seed.wrapping_add((end - start) as u64);
    for at in (start..end).step_by(8) {
        hash = mix(hash ^ word_in(text, at, end));
    }
    hash
}

/// The bytes of a text from `at` to `end`, at most eight, as a little-endian number.
#[must_use]
#[inline]
pub(super) fn word_in(text: &[u8], at: usize, end: usize) -> u64 {
    match text.get(at..).and_then(<[u8]>::first_chunk) {
        Some(&word) => {
            let absent = 8_usize.saturating_sub(end - at) as u32 * 8;
            u64::from_le_bytes(word) & u64::MAX >> absent
        }
        None => last_word(&text[at..end]),
    }
}

/// Fewer than eight bytes as a little-endian number. Tokens are short, so this is most of the work: it is done without a
/// loop, by reading parts that may overlap.
#[inline]
fn last_word(rest: &[u8]) -> u64 {
    match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let shift = (rest.len() - 4) * 8;
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << shift
        }
        _ => {
            let at = |place: usize| rest.get(place).map_or(0, |&b| u64::from(b) << (place * 8));
            at(0) | at(1) | at(2)
        }
    }
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

    #[test]
    fn short_bytes_are_hashed_as_the_page_says() {
        for len in 0..40_u8 {
            let text: Vec<u8> = (1..=len).collect();
            let words = text.chunks(8).map(|chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(word)
            });
            let expected = words.fold(9 + u64::from(len), |hash, word| mix(hash ^ word));
            assert_eq!(bytes(9, &text), expected);
        }
        assert_eq!(bytes(9, b"x"), byte(9, b'x'));
    }

    const GOLDEN_MIX_1: u64 = 0x4179_B061_E0C0_E0D0;
    const GOLDEN_BYTES: u64 = 0x489D_D1A3_28E5_00F6;
}
