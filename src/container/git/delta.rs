//! Differences between objects (gitformat-pack(5), "Deltified representation").
//!
//! A difference states the length of its base and of its result, and builds the result from runs of the base and bytes
//! of its own. Seven bytes can copy sixteen megabytes, so a result grows as it is made and never beyond what was
//! stated, which callers bound.

/// What is wrong with a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// It ends within an instruction, or before its result is whole.
    #[error("it ends before its result is whole")]
    Cut,
    /// It was made against a base of another length.
    #[error("it belongs to a base of another length")]
    OtherBase,
    /// It copies from where the base has nothing, or makes more than it states.
    #[error("an instruction leaves its bounds")]
    OutOfBounds,
    /// Instruction 0 is reserved.
    #[error("it holds an instruction that does not exist")]
    Reserved,
    /// The result would be larger than allowed.
    #[error("its result is larger than may be held")]
    TooLarge,
}

/// The two lengths at the beginning: of the base, of the result, and how many bytes they take.
pub fn lengths(delta: &[u8]) -> Option<(u64, u64, usize)> {
    let (base, first) = length(delta)?;
    let (result, second) = length(&delta[first..])?;
    Some((base, result, first + second))
}

/// Seven bits a byte, the low ones first.
fn length(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(7 * index as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Makes the result of `delta` on `base`, which may have `max` bytes.
///
/// # Errors
/// What is wrong with it; nothing is given then, since half a result is nobody's content.
pub fn apply(base: &[u8], delta: &[u8], max: u64) -> Result<Vec<u8>, DeltaError> {
    let (base_len, result_len, head) = lengths(delta).ok_or(DeltaError::Cut)?;
    if base_len != base.len() as u64 {
        return Err(DeltaError::OtherBase);
    }
    if result_len > max {
        return Err(DeltaError::TooLarge);
    }
    let result_len = usize::try_from(result_len).map_err(|_| DeltaError::TooLarge)?;
    // Room for as much as is there to be taken; what is stated beyond that has to be made first.
    let mut result = Vec::with_capacity(result_len.min(base.len() + delta.len()));
    let mut rest = &delta[head..];
    while let Some((&instruction, tail)) = rest.split_first() {
        rest = tail;
        let piece = if instruction & 0x80 != 0 {
            let (offset, len) = copied(instruction, &mut rest)?;
            let end = offset.checked_add(len).ok_or(DeltaError::OutOfBounds)?;
            base.get(offset..end).ok_or(DeltaError::OutOfBounds)?
        } else if instruction > 0 {
            let len = usize::from(instruction);
            let piece = rest.get(..len).ok_or(DeltaError::Cut)?;
            rest = &rest[len..];
            piece
        } else {
            return Err(DeltaError::Reserved);
        };
        if piece.len() > result_len - result.len() {
            return Err(DeltaError::OutOfBounds);
        }
        result.extend_from_slice(piece);
    }
    if result.len() < result_len {
        return Err(DeltaError::Cut);
    }
    Ok(result)
}

/// Offset and length of a copy: those bytes of both that the instruction names follow it.
fn copied(instruction: u8, rest: &mut &[u8]) -> Result<(usize, usize), DeltaError> {
    let mut take = |bits: std::ops::Range<u32>| -> Result<usize, DeltaError> {
        let mut value = 0;
        for (place, bit) in bits.enumerate() {
            if instruction & (1 << bit) != 0 {
                let (&byte, tail) = rest.split_first().ok_or(DeltaError::Cut)?;
                *rest = tail;
                value |= usize::from(byte) << (8 * place);
            }
        }
        Ok(value)
    };
    let offset = take(0..4)?;
    let len = take(4..7)?;
    Ok((offset, if len == 0 { 0x10000 } else { len }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: u64 = 1 << 20;

    #[test]
    fn copies_and_insertions() {
        let base = b"0123456789";
        // Base 10, result 8: copy 3 from offset 2, insert two, copy 3 from offset 0.
        let delta = [10, 8, 0x91, 2, 3, 2, b'a', b'b', 0x90, 3];
        assert_eq!(apply(base, &delta, MAX).unwrap(), b"234ab012");
        assert_eq!(apply(base, &delta, 7), Err(DeltaError::TooLarge));
        assert_eq!(apply(b"short", &delta, MAX), Err(DeltaError::OtherBase));
        assert_eq!(apply(base, &delta[..9], MAX), Err(DeltaError::Cut));
        assert_eq!(apply(base, &[10, 1, 0], MAX), Err(DeltaError::Reserved));
        assert_eq!(
            apply(base, &[10, 4, 0x91, 8, 4], MAX),
            Err(DeltaError::OutOfBounds)
        );
        assert_eq!(
            apply(base, &[10, 1, 0x90, 4], MAX),
            Err(DeltaError::OutOfBounds)
        );
        assert_eq!(apply(b"", &[0, 0], MAX).unwrap(), b"");
        assert_eq!(apply(b"", &[], MAX), Err(DeltaError::Cut));
    }

    #[test]
    fn a_copy_without_a_length_takes_64_kib() {
        let base = vec![7; 0x10001];
        // 0x10001 and 0x10000 in sevens; the offset byte 1.
        let delta = [0x81, 0x80, 0x04, 0x80, 0x80, 0x04, 0x81, 1];
        assert_eq!(apply(&base, &delta, MAX).unwrap().len(), 0x10000);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(
            base in proptest::collection::vec(any::<u8>(), 0..60),
            delta in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut delta = delta;
            if let Some(first) = delta.first_mut() {
                *first = base.len() as u8;
            }
            if let Ok(result) = apply(&base, &delta, MAX) {
                prop_assert_eq!(lengths(&delta).unwrap().1, result.len() as u64);
            }
        }
    }
}
