//! The value of a numeric literal, whose tokens hold it as it is written.
//!
//! Minifiers write `1e3` for `1000` and `255` for `0xff`, and ports drop suffixes: only values can be compared. A value
//! is that of a 64-bit float, also where it was an integer that a float only comes near to: for telling files apart
//! nothing is lost by that.

/// Digits that are looked at. What has more than this is no number that anybody wrote.
const DIGITS_MAX: usize = 4_096;

/// The bits of the 64-bit float that is nearest to the value of a literal, of any of the languages: decimal, `0x`, `0o`,
/// `0b`, octal with a leading zero as scripts and C have it, `_` and `'` between digits, exponents (`p` in hexadecimal),
/// suffixes (`n`, `u32`, `f64`, `UL`, `j`). `None` for what is no number, and what is too long for one.
///
/// `0xff`, `255`, `255.0`, `2.55e2`, `255n` and `0XFF` are equal.
#[must_use]
pub fn number(raw: &[u8]) -> Option<u64> {
    // Most are short integers.
    if raw.len() <= 15 && raw.first() != Some(&b'0') && raw.iter().all(u8::is_ascii_digit) {
        let value = raw
            .iter()
            .fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        return (!raw.is_empty()).then_some((value as f64).to_bits());
    }
    if raw.len() > DIGITS_MAX {
        return None;
    }
    let digits: Vec<u8> = raw
        .iter()
        .filter(|byte| !matches!(byte, b'_' | b'\''))
        .map(u8::to_ascii_lowercase)
        .collect();
    let value = match digits.as_slice() {
        [b'0', b'x', rest @ ..] => hexadecimal(rest)?,
        [b'0', b'o', rest @ ..] => integer(rest, 8)?,
        [b'0', b'b', rest @ ..] => integer(rest, 2)?,
        [b'0', rest @ ..] if is_old_octal(rest) => integer(rest, 8)?,
        _ => decimal(&digits)?,
    };
    Some(value.to_bits())
}

/// Whether what follows a zero is octal as it once was: octal digits, and at most a suffix of an integer behind them.
fn is_old_octal(rest: &[u8]) -> bool {
    let len = rest
        .iter()
        .take_while(|byte| (b'0'..=b'7').contains(*byte))
        .count();
    len > 0
        && rest[len..]
            .iter()
            .all(|byte| matches!(byte, b'u' | b'l' | b'n'))
}

/// An integer of this base; what stands behind its digits is a suffix, if it is none of a digit.
fn integer(digits: &[u8], base: u32) -> Option<f64> {
    let is_digit = |byte: &&u8| (**byte as char).is_digit(base);
    let len = digits.iter().take_while(is_digit).count();
    if len == 0 || digits.get(len).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let digits = digits[..len]
        .iter()
        .map(|&byte| (byte as char).to_digit(base));
    Some(nearest(digits.flatten(), base.trailing_zeros()))
}

/// The float that is nearest to an integer whose digits have so many bits: what is beyond 64 bits decides only how the
/// last of them is rounded.
fn nearest(digits: impl Iterator<Item = u32>, bits: u32) -> f64 {
    let (mut value, mut shift, mut lost) = (0_u64, 0_i32, false);
    for digit in digits {
        for bit in (0..bits).rev() {
            let bit = u64::from(digit >> bit & 1);
            if value >> 63 == 0 {
                value = value << 1 | bit;
            } else {
                shift = shift.saturating_add(1);
                lost |= bit == 1;
            }
        }
    }
    // 64 bits are eleven more than a float has: the lowest may stand for all that was lost.
    scale((value | u64::from(lost)) as f64, shift)
}

/// `value` times two to the power of `shift`.
fn scale(value: f64, shift: i32) -> f64 {
    // In two steps, so that neither factor is out of range before the product is.
    let half = shift.clamp(-2_000, 2_000) / 2;
    value * 2_f64.powi(half) * 2_f64.powi(shift.clamp(-2_000, 2_000) - half)
}

/// Behind `0x`: an integer, or a float of C (`1.8p3`), whose exponent tells it.
fn hexadecimal(digits: &[u8]) -> Option<f64> {
    let Some(exponent_at) = digits.iter().position(|&byte| byte == b'p') else {
        return integer(digits, 16);
    };
    let (mantissa, exponent) = (&digits[..exponent_at], &digits[exponent_at + 1..]);
    let point = mantissa.iter().position(|&byte| byte == b'.');
    let behind = point.map_or(0, |at| mantissa.len() - at - 1);
    let whole: Vec<u8> = mantissa
        .iter()
        .copied()
        .filter(|&byte| byte != b'.')
        .collect();
    if whole.is_empty() || !whole.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let len = exponent
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-'));
    let exponent: i32 = std::str::from_utf8(&exponent[..len.count()])
        .ok()?
        .parse()
        .ok()?;
    let digits = whole.iter().filter_map(|&byte| (byte as char).to_digit(16));
    let shift = exponent.saturating_sub(i32::try_from(behind * 4).ok()?);
    Some(scale(nearest(digits, 4), shift))
}

/// A decimal, a suffix behind it left out.
fn decimal(digits: &[u8]) -> Option<f64> {
    let run = |from: usize| {
        let rest = digits.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut end = run(0);
    if digits.get(end) == Some(&b'.') {
        end = run(end + 1);
    }
    if digits.get(end) == Some(&b'e') {
        let signed = usize::from(matches!(digits.get(end + 1), Some(b'+' | b'-')));
        let exponent_end = run(end + 1 + signed);
        if exponent_end > end + 1 + signed {
            end = exponent_end;
        }
    }
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_value_written_in_many_ways_is_one() {
        for (value, ways) in [
            (
                255.0,
                &[
                    "255",
                    "255.",
                    "255.0",
                    "2.55e2",
                    "2550e-1",
                    "255n",
                    "0xff",
                    "0XFF",
                    "0xFFn",
                    "0o377",
                    "0O377",
                    "0377",
                    "0b11111111",
                    "2_5_5",
                    "2'55",
                    "0xf_f",
                    "255u32",
                    "255_i64",
                    "255f64",
                    "255.0f",
                    "255UL",
                    "0xffUL",
                    "0xFFu8",
                    "0377L",
                    "255j",
                    "0x1.FEp7",
                    "0xffp0",
                    "255L",
                    "0xffi64",
                ][..],
            ),
            (
                0.0,
                &["0", "0.0", ".0", "0.", "00", "0x0", "0n", "0e10", "0u8"],
            ),
            (0.5, &[".5", "0.5", "5e-1", "0.50", "0x1p-1", "0x.8p0"]),
            (89.0, &["089", "89", "089.0"]),
            (
                1e21,
                &[
                    "1e21",
                    "1E+21",
                    "1000000000000000000000",
                    "1_000_000_000_000_000_000_000n",
                ],
            ),
            // 2^64 + 1 and 2^53 + 1 are nearest to an even neighbour.
            (
                18_446_744_073_709_551_616.0,
                &["18446744073709551617", "0x10000000000000001"],
            ),
            (
                9_007_199_254_740_992.0,
                &[
                    "9007199254740993",
                    "0x20000000000001",
                    "0b100000000000000000000000000000000000000000000000000001",
                ],
            ),
            (f64::INFINITY, &["1e999"]),
        ] {
            for way in ways {
                assert_eq!(
                    number(way.as_bytes()).map(f64::from_bits),
                    Some(value),
                    "{way}"
                );
            }
        }
        let many = format!("0x{}", "f".repeat(400));
        assert_eq!(number(many.as_bytes()), Some(f64::INFINITY.to_bits()));
        for way in [
            "", "x", "0x", "0xg", "0b2", "0o8", ".", "_", "n", "0x.p1", "0xp1", "0x1p",
        ] {
            assert_eq!(number(way.as_bytes()), None, "{way}");
        }
        assert_eq!(number(&[b'1'; DIGITS_MAX + 1]), None);
    }

    proptest! {
        #[test]
        fn integers_of_any_base_are_what_the_compiler_makes_of_them(value: u64) {
            let bits = Some((value as f64).to_bits());
            for way in [format!("{value}"), format!("{value:#x}"), format!("{value:#o}"), format!("{value:#b}"), format!("{value}n")] {
                prop_assert_eq!(number(way.as_bytes()), bits, "{}", way);
            }
        }

        #[test]
        fn floats_are_read_back(value in 0.0..f64::MAX) {
            let way = format!("{value:e}");
            prop_assert_eq!(number(way.as_bytes()), Some(value.to_bits()));
        }

        #[test]
        fn any_bytes_are_a_number_or_none(raw in proptest::collection::vec(prop_oneof![Just(b'0'), Just(b'x'), Just(b'p'), Just(b'.'), Just(b'e'), Just(b'-'), any::<u8>()], 0..40)) {
            let _ = number(&raw);
        }
    }
}
