//! The value of a text literal, whose tokens hold it as it is written.
//!
//! Minifiers choose the quotes anew and write a character in whatever way is shortest, so that only values can be
//! compared. What a family has no escape for stays as it stands, backslash and all: a value is never less than what was
//! written. Lone surrogates, which scripts can write, become the three bytes that UTF-8 would have for them (WTF-8),
//! so that two different ones stay different.

use memchr::{memchr, memchr2};

use super::Family;

/// Appends the value of `raw`, the text of a literal of this family, to `into`. What is not escaped is copied as it is,
/// UTF-8 or not. Families without escapes of their own here copy everything.
///
/// For [`Family::Script`] (ECMA-262, 12.9.4, 12.9.6 and B.1.2): `\n` and the like, `\x61`, `\u0061`, `\u{61}`, octal, a
/// pair of surrogates as one character, and an escaped line's end as nothing; CRLF and CR are LF, as in templates,
/// since strings hold neither.
pub fn unescape(family: Family, raw: &[u8], into: &mut Vec<u8>) {
    match family {
        Family::Script => script(raw, into),
        _ => into.extend_from_slice(raw),
    }
}

fn script(raw: &[u8], into: &mut Vec<u8>) {
    let mut rest = raw;
    // Where the last character of `into` is the first half of a pair, that half.
    let mut high: Option<u32> = None;
    while let Some(len) = memchr2(b'\\', b'\r', rest) {
        into.extend_from_slice(&rest[..len]);
        high = high.filter(|_| len == 0);
        rest = &rest[len..];
        let Some((value, len)) = script_escape(rest) else {
            into.push(rest[0]);
            rest = &rest[1..];
            high = None;
            continue;
        };
        rest = &rest[len..];
        let Some(unit) = value else { continue };
        high = match (high, unit) {
            (Some(first), 0xDC00..=0xDFFF) => {
                // The half that is there already is three bytes long.
                into.truncate(into.len() - 3);
                push(0x1_0000 + ((first - 0xD800) << 10) + (unit - 0xDC00), into);
                None
            }
            _ => {
                push(unit, into);
                (0xD800..=0xDBFF).contains(&unit).then_some(unit)
            }
        };
    }
    into.extend_from_slice(rest);
}

/// The escape or line's end at the front: its value, `None` for nothing, and its length; `None` where it is no escape.
fn script_escape(rest: &[u8]) -> Option<(Option<u32>, usize)> {
    if rest[0] == b'\r' {
        let len = if rest.get(1) == Some(&b'\n') { 2 } else { 1 };
        return Some((Some(u32::from(b'\n')), len));
    }
    let one = |value: u8| Some((Some(u32::from(value)), 2));
    match *rest.get(1)? {
        b'n' => one(b'\n'),
        b't' => one(b'\t'),
        b'r' => one(b'\r'),
        b'b' => one(8),
        b'v' => one(0x0B),
        b'f' => one(0x0C),
        b'\n' => Some((None, 2)),
        b'\r' if rest.get(2) == Some(&b'\n') => Some((None, 3)),
        b'\r' => Some((None, 2)),
        b'0'..=b'7' => Some(octal(rest)),
        b'x' => hex(rest.get(2..4)?).map(|value| (Some(value), 4)),
        b'u' if rest.get(2) == Some(&b'{') => {
            let len = memchr(b'}', &rest[3..])?;
            let value = hex(&rest[3..3 + len]).filter(|&value| value <= 0x10_FFFF)?;
            Some((Some(value), len + 4))
        }
        b'u' => hex(rest.get(2..6)?).map(|value| (Some(value), 6)),
        0xE2 if matches!(rest, [_, _, 0x80, 0xA8 | 0xA9, ..]) => Some((None, 4)),
        // Any other character is itself.
        byte if byte < 0x80 => one(byte),
        _ => Some((None, 1)),
    }
}

/// `\0`, `\12`, `\377`: at most three digits, and no more than a byte.
fn octal(rest: &[u8]) -> (Option<u32>, usize) {
    let (mut value, mut len) = (0, 1);
    while let Some(&digit @ b'0'..=b'7') = rest.get(len) {
        let more = value * 8 + u32::from(digit - b'0');
        if len > 3 || more > 0xFF {
            break;
        }
        value = more;
        len += 1;
    }
    (Some(value), len)
}

/// The value of hexadecimal digits; nothing where there are none, others, or too many.
fn hex(digits: &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    for &digit in digits {
        let digit = (digit as char).to_digit(16)?;
        value = value.checked_mul(16)? | digit;
    }
    (!digits.is_empty()).then_some(value)
}

/// Appends a code point, a surrogate too, as UTF-8 would write it.
fn push(point: u32, into: &mut Vec<u8>) {
    match char::from_u32(point) {
        Some(character) => {
            into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        None => {
            let bits = |shift: u32| (point >> shift) as u8 & 0x3F | 0x80;
            into.extend_from_slice(&[0xE0 | (point >> 12) as u8, bits(6), bits(0)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(raw: &str) -> Vec<u8> {
        let mut into = b"before ".to_vec();
        unescape(Family::Script, raw.as_bytes(), &mut into);
        into.split_off(7)
    }

    #[test]
    fn scripts_have_these_escapes() {
        for (raw, expected) in [
            ("", ""),
            ("plain", "plain"),
            (r"a\nb\tc\rd\be\vf\fg", "a\nb\tc\rd\u{8}e\u{b}f\u{c}g"),
            (r#"\'\"\`\\\/\$\q"#, "'\"`\\/$q"),
            (r"\x41\u0042\u{43}\u{1f600}\u{00000044}", "ABC\u{1f600}D"),
            (r"\0\7\12\101\377\400\8", "\0\u{7}\nA\u{ff}\u{20}08"),
            (r"\ud83d\ude00", "\u{1f600}"),
            (r"\u{d83d}\ude00", "\u{1f600}"),
            ("a\\\nb\\\r\nc\\\rd\\\u{2028}e", "abcde"),
            ("a\r\nb\rc\nd", "a\nb\nc\nd"),
            ("\\é\\\u{1f600}", "é\u{1f600}"),
            // No escapes.
            (r"\x4", r"\x4"),
            (r"\xg0", r"\xg0"),
            (r"\u12", r"\u12"),
            (r"\u{110000}", r"\u{110000}"),
            (r"\u{}", r"\u{}"),
            (r"\u{41", r"\u{41"),
            (r"\u{fffffffffffff}", r"\u{fffffffffffff}"),
            ("\\", "\\"),
        ] {
            assert_eq!(value(raw), expected.as_bytes(), "{raw:?}");
        }
    }

    #[test]
    fn lone_surrogates_stay_apart() {
        assert_eq!(value(r"\ud83d"), b"\xED\xA0\xBD");
        assert_eq!(value(r"\ude00\ud83d"), b"\xED\xB8\x80\xED\xA0\xBD");
        assert_eq!(value(r"\ud83d-\ude00"), b"\xED\xA0\xBD-\xED\xB8\x80");
        assert_eq!(value(r"\ud83d\n\ude00"), b"\xED\xA0\xBD\n\xED\xB8\x80");
        assert_eq!(
            value(r"\ud83d\ud83d\ude00"),
            b"\xED\xA0\xBD\xF0\x9F\x98\x80"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_value(raw in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'u'), Just(b'{'), Just(b'd'), Just(b'8'), any::<u8>()], 0..60)) {
            for family in Family::ALL {
                let mut into = Vec::new();
                unescape(family, &raw, &mut into);
                prop_assert!(into.len() <= raw.len());
            }
        }

        #[test]
        fn what_json_escapes_is_read_back(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(value(&json[1..json.len() - 1]), text.into_bytes());
        }
    }
}
