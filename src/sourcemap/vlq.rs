//! Numbers as `mappings` writes them: base64 VLQ (ECMA-426, "base64 VLQ").
//!
//! A digit carries five bits, lowest first; a sixth says that another digit follows. The lowest bit of the whole is
//! the sign. Three points are easy to get wrong, and the crates at hand differ in them:
//!
//! - The limit counts value bits, not digits: `gggggggggA` is a long way to write 0, and valid.
//! - 32 bits include the sign, so that values go from -2³¹ to 2³¹ - 1.
//! - `B`, minus nought, is the one way to write -2³¹.
//!
//! [`decode`] is the inner loop of the strict verdict. It answers only "a number" or "something else"; what else
//! exactly is found out by [`diagnose`], off the fast path.

/// Class of a byte that is no base64 digit.
const NO_DIGIT: u8 = 0xFF;
const CONTINUES: u8 = 0x20;
const VALUE_BITS: u32 = 5;
/// Digits whose bits fit 32 whatever they are.
const SAFE_DIGITS: u32 = 6;

/// The base64 value of each byte (RFC 4648, section 4).
static DIGITS: [u8; 256] = digits();

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const fn digits() -> [u8; 256] {
    let mut table = [NO_DIGIT; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        table[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    table
}

/// Why no number stands where one was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// No digit at all: the text ends, or another byte stands there.
    NoDigit,
    /// The last digit says that another follows, and none does.
    Unterminated,
    /// The number does not fit 32 bits. It ends at this offset.
    TooLarge(usize),
}

/// Reads the number at `at`: its value, and the offset behind it.
#[inline(always)]
pub fn decode(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let digit = DIGITS[usize::from(*text.get(at)?)];
    if digit < CONTINUES {
        // One digit: most numbers in a map are small.
        return Some((signed(u64::from(digit)), at + 1));
    }
    if digit == NO_DIGIT {
        return None;
    }
    let mut value = u64::from(digit - CONTINUES);
    let mut shift = VALUE_BITS;
    let mut at = at + 1;
    loop {
        let digit = DIGITS[usize::from(*text.get(at)?)];
        if digit == NO_DIGIT {
            return None;
        }
        if shift >= SAFE_DIGITS * VALUE_BITS {
            return decode_long(text, at, value);
        }
        value |= u64::from(digit & !CONTINUES) << shift;
        at += 1;
        if digit < CONTINUES {
            return Some((signed(value), at));
        }
        shift += VALUE_BITS;
    }
}

/// The seventh digit and all behind it.
#[cold]
fn decode_long(text: &[u8], mut at: usize, mut value: u64) -> Option<(i64, usize)> {
    let mut shift = SAFE_DIGITS * VALUE_BITS;
    loop {
        let digit = DIGITS[usize::from(*text.get(at)?)];
        if digit == NO_DIGIT {
            return None;
        }
        let bits = u64::from(digit & !CONTINUES);
        if bits != 0 && (shift > u32::BITS || bits << shift > u64::from(u32::MAX)) {
            return None;
        }
        if bits != 0 {
            value |= bits << shift;
        }
        at += 1;
        if digit < CONTINUES {
            return Some((signed(value), at));
        }
        shift = shift.saturating_add(VALUE_BITS);
    }
}

/// Takes the sign out of the lowest bit.
#[inline(always)]
fn signed(unsigned: u64) -> i64 {
    const MINUS_NOUGHT: u64 = 1;
    let magnitude = (unsigned >> 1) as i64;
    let sign = -((unsigned & 1) as i64);
    let least = if unsigned == MINUS_NOUGHT {
        i64::from(i32::MIN)
    } else {
        0
    };
    ((magnitude ^ sign) - sign) | least
}

/// Says why [`decode`] finds no number at `at`; `None` if it finds one.
pub fn diagnose(text: &[u8], at: usize) -> Option<Bad> {
    if decode(text, at).is_some() {
        return None;
    }
    let rest = text.get(at..).unwrap_or_default();
    let digits = rest
        .iter()
        .map(|byte| DIGITS[usize::from(*byte)])
        .take_while(|digit| *digit != NO_DIGIT);
    let mut read = 0;
    for digit in digits {
        read += 1;
        if digit < CONTINUES {
            return Some(Bad::TooLarge(at + read));
        }
    }
    Some(if read == 0 {
        Bad::NoDigit
    } else {
        Bad::Unterminated
    })
}

/// Whether the byte is a base64 digit.
pub fn is_digit(byte: u8) -> bool {
    DIGITS[usize::from(byte)] != NO_DIGIT
}

/// Whether the byte is a digit that ends a number.
pub fn is_last(byte: u8) -> bool {
    DIGITS[usize::from(byte)] < CONTINUES
}

/// Writes a number in as few digits as it takes.
pub fn encode(value: i32, text: &mut Vec<u8>) {
    let magnitude = u64::from(value.unsigned_abs());
    let mut rest = if value == i32::MIN {
        1
    } else {
        magnitude << 1 | u64::from(value < 0)
    };
    loop {
        let bits = (rest & u64::from(CONTINUES - 1)) as usize;
        rest >>= VALUE_BITS;
        let more = if rest == 0 { 0 } else { usize::from(CONTINUES) };
        text.push(ALPHABET[bits | more]);
        if rest == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Option<i64> {
        let (value, end) = decode(text.as_bytes(), 0)?;
        (end == text.len()).then_some(value)
    }

    #[test]
    fn the_standards_examples_and_limits() {
        for (text, expected) in [
            ("A", 0),
            ("C", 1),
            ("D", -1),
            ("V", -10),
            ("iB", 17),
            ("+/////D", i64::from(i32::MAX)),
            ("//////D", -i64::from(i32::MAX)),
            ("B", i64::from(i32::MIN)),
            ("hA", i64::from(i32::MIN)),
            ("gggggggggggggggggggA", 0),
            ("igggggggggggggggggggA", 1),
            ("ggggggC", 1 << 30),
        ] {
            assert_eq!(value(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_told_apart() {
        for (text, expected) in [
            ("", Bad::NoDigit),
            (",", Bad::NoDigit),
            ("-", Bad::NoDigit),
            ("_", Bad::NoDigit),
            ("=", Bad::NoDigit),
            ("é", Bad::NoDigit),
            ("g", Bad::Unterminated),
            ("gggggggg;", Bad::Unterminated),
            ("ggggggE", Bad::TooLarge(7)),
            ("hgggggE", Bad::TooLarge(7)),
            ("ggggggggB", Bad::TooLarge(9)),
            ("gggggggggggggggggggggggggB", Bad::TooLarge(26)),
        ] {
            assert_eq!(decode(text.as_bytes(), 0), None, "{text}");
            assert_eq!(diagnose(text.as_bytes(), 0), Some(expected), "{text}");
        }
        assert_eq!(diagnose(b"A", 0), None);
        assert!(is_digit(b'/') && !is_digit(b',') && !is_digit(0x80));
    }

    /// The value by the standard's own arithmetic, with digits as numbers.
    fn by_the_book(digits: &[u8]) -> Option<i64> {
        let unsigned = digits.iter().rev().try_fold(0_u128, |value, digit| {
            let value = value * 32 + u128::from(digit % 32);
            (value < 1 << 100).then_some(value)
        })?;
        let (magnitude, negative) = (unsigned / 2, unsigned % 2 == 1);
        match (magnitude, negative) {
            (0, true) => Some(-(1 << 31)),
            (magnitude, _) if magnitude >= 1 << 31 => None,
            (magnitude, true) => Some(-(magnitude as i64)),
            (magnitude, false) => Some(magnitude as i64),
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(value: i32, before in "[;,]{0,3}") {
            let mut text = before.clone().into_bytes();
            encode(value, &mut text);
            prop_assert_eq!(decode(&text, before.len()), Some((i64::from(value), text.len())));
        }

        #[test]
        fn digits_mean_what_the_book_says(digits in prop::collection::vec(0_u8..32, 1..12)) {
            let last = digits.len() - 1;
            let text: Vec<u8> = digits
                .iter()
                .enumerate()
                .map(|(index, digit)| ALPHABET[usize::from(digit + if index < last { 32 } else { 0 })])
                .collect();
            let expected = by_the_book(&digits);
            prop_assert_eq!(decode(&text, 0), expected.map(|value| (value, text.len())));
            prop_assert_eq!(diagnose(&text, 0), expected.is_none().then_some(Bad::TooLarge(text.len())));
        }

        #[test]
        fn any_bytes_are_a_number_or_not_one(text in prop::collection::vec(any::<u8>(), 0..20)) {
            prop_assert_eq!(decode(&text, 0).is_none(), diagnose(&text, 0).is_some());
        }
    }
}
