//! Thirty-two bytes at a time: where the backslashes are.
//!
//! On x86-64 this is SSE2, elsewhere arithmetic on words of eight bytes. Tests compile both and hold them against
//! each other. The only `unsafe` is the call of a function that needs SSE2, which every x86-64 processor has.

#![allow(
    unsafe_code,
    reason = "the compiler wants a promise that SSE2 is there, which x86-64 gives"
)]

/// Bytes that are looked at together.
pub const BLOCK: usize = 32;

/// One bit for each byte of a block, the first byte lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Masks {
    /// Bytes that are a backslash.
    pub backslash: u32,
    /// Bytes that are not ASCII.
    pub wide: u32,
}

/// Looks at a block.
#[inline]
pub fn masks(block: &[u8; BLOCK]) -> Masks {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE2 belongs to x86-64 itself.
    return unsafe { sse2(block) };
    #[cfg(not(target_arch = "x86_64"))]
    return scalar(block);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn sse2(block: &[u8; BLOCK]) -> Masks {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    // Compiles to two plain loads.
    let [a, b, c, d] = words(block).map(u64::cast_signed);
    let (low, high) = (_mm_set_epi64x(b, a), _mm_set_epi64x(d, c));
    let wanted = _mm_set1_epi8(b'\\'.cast_signed());
    let join = |low: i32, high: i32| low.cast_unsigned() | high.cast_unsigned() << 16;
    Masks {
        backslash: join(
            _mm_movemask_epi8(_mm_cmpeq_epi8(low, wanted)),
            _mm_movemask_epi8(_mm_cmpeq_epi8(high, wanted)),
        ),
        wide: join(_mm_movemask_epi8(low), _mm_movemask_epi8(high)),
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn scalar(block: &[u8; BLOCK]) -> Masks {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = ONES << 7;
    // The top bit of each byte, gathered into the lowest byte.
    let gather = |tops: u64| (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    let (mut backslash, mut wide) = (0, 0);
    for (index, word) in words(block).into_iter().enumerate() {
        let zero_where_hit = word ^ (ONES * u64::from(b'\\'));
        let low_bits = (zero_where_hit & !TOPS) + !TOPS;
        backslash |= gather(!(low_bits | zero_where_hit) & TOPS) << (index * 8);
        wide |= gather(word & TOPS) << (index * 8);
    }
    Masks {
        backslash: backslash as u32,
        wide: wide as u32,
    }
}

#[inline]
fn words(block: &[u8; BLOCK]) -> [u64; 4] {
    let (words, _) = block.as_chunks::<8>();
    std::array::from_fn(|index| words.get(index).map_or(0, |word| u64::from_le_bytes(*word)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_hand(block: &[u8; BLOCK]) -> Masks {
        let bits = |is: fn(u8) -> bool| {
            block.iter().enumerate().fold(0, |bits, (index, byte)| {
                bits | u32::from(is(*byte)) << index
            })
        };
        Masks {
            backslash: bits(|byte| byte == b'\\'),
            wide: bits(|byte| !byte.is_ascii()),
        }
    }

    #[test]
    fn every_byte_at_every_place() {
        for place in 0..BLOCK {
            for byte in 0..=u8::MAX {
                let mut block = [b'\\' ^ 1; BLOCK];
                block[place] = byte;
                assert_eq!(masks(&block), by_hand(&block));
                assert_eq!(scalar(&block), by_hand(&block));
            }
        }
    }

    proptest! {
        #[test]
        fn the_twins_agree(bytes in proptest::array::uniform32(prop_oneof![Just(b'\\'), any::<u8>()])) {
            prop_assert_eq!(masks(&bytes), by_hand(&bytes));
            prop_assert_eq!(scalar(&bytes), by_hand(&bytes));
        }
    }
}
