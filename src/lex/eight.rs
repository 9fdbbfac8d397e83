//! Eight bytes at a time: what they are, asked of a number that holds them, the first one lowest.
//!
//! Words, blanks and names are short and their lengths change from one to the next. A loop over their bytes ends where the
//! processor did not expect it, which costs more than all the rest; so the lexers and the fingerprints ask eight bytes at once.
//! An answer has the high bit of each byte of which it is true. No byte carries into the next.

/// One in each byte.
const EACH: u64 = u64::MAX / 0xFF;
/// The high bit of each byte.
pub(crate) const HIGH: u64 = EACH * 0x80;

/// Eight bytes of a text from `at` on; `None` where it has fewer.
#[inline]
pub(crate) fn eight(text: &[u8], at: usize) -> Option<u64> {
    let chunk = text.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*chunk))
}

/// Which are ASCII letters or digits.
#[inline]
pub(crate) fn alphanumeric(bytes: u64) -> u64 {
    let low = bytes & !HIGH;
    let at_least = |bytes: u64, from: u8| bytes + EACH * (0x80 - u64::from(from));
    let small = low | (EACH * 0x20);
    let letter = at_least(small, b'a') & !at_least(small, b'z' + 1);
    let digit = at_least(low, b'0') & !at_least(low, b'9' + 1);
    (letter | digit) & !bytes & HIGH
}

/// Which are this byte, which is ASCII.
#[inline]
pub(crate) fn equal(bytes: u64, byte: u8) -> u64 {
    let low = bytes & !HIGH;
    let other = (low ^ (EACH * u64::from(byte))) + EACH * 0x7F;
    !(other | bytes) & HIGH
}

/// Letters and digits with the capitals made small; other bytes change, too.
#[inline]
pub(crate) fn small(bytes: u64) -> u64 {
    bytes | ((bytes & (EACH * 0x40)) >> 1)
}

/// How many bytes there are before the first of which the answer is true.
#[inline]
pub(crate) fn before(answer: u64) -> usize {
    answer.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_answered_for_itself() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                for around in [0, b'a', b'_', b'~', 0x7F, 0xFF] {
                    let mut bytes = [around; 8];
                    bytes[place] = byte;
                    let number = u64::from_le_bytes(bytes);
                    let told = |answer: u64| answer.to_le_bytes().map(|byte| byte != 0);
                    let expected = bytes.map(|byte| byte.is_ascii_alphanumeric());
                    assert_eq!(told(alphanumeric(number)), expected, "{bytes:?}");
                    assert_eq!(told(equal(number, b'_')), bytes.map(|byte| byte == b'_'));
                    assert_eq!(alphanumeric(number) & !HIGH, 0);
                }
            }
        }
        assert_eq!(
            small(u64::from_le_bytes(*b"aZ09Bz5A")).to_le_bytes(),
            *b"az09bz5a"
        );
        assert_eq!(before(equal(u64::from_le_bytes(*b"ab_c_def"), b'_')), 2);
        assert_eq!(before(0), 8);
    }
}
