//! The bytes of scripts: what each can begin, and where a word, a number or an operator ends, whatever stands around it.

use super::super::eight::{HIGH, alphanumeric, eight, equal};
use super::words::{KEY_BYTES, key};

/// What a byte can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    Space,
    Line,
    Word,
    Wide,
    Digit,
    Quote,
    Backtick,
    Slash,
    Less,
    Dot,
    Hash,
    Backslash,
    Open,
    Close,
    OpenBrace,
    CloseBrace,
    Comma,
    Semicolon,
    Mark,
}

pub(super) static CLASS: [Class; 256] = {
    let mut table = [Class::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | 0x0B | 0x0C => Class::Space,
            b'\n' | b'\r' => Class::Line,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => Class::Word,
            0x80.. => Class::Wide,
            b'0'..=b'9' => Class::Digit,
            b'"' | b'\'' => Class::Quote,
            b'`' => Class::Backtick,
            b'/' => Class::Slash,
            b'<' => Class::Less,
            b'.' => Class::Dot,
            b'#' => Class::Hash,
            b'\\' => Class::Backslash,
            b'(' | b'[' => Class::Open,
            b')' | b']' => Class::Close,
            b'{' => Class::OpenBrace,
            b'}' => Class::CloseBrace,
            b',' => Class::Comma,
            b';' => Class::Semicolon,
            _ => Class::Mark,
        };
        byte += 1;
    }
    table
};

/// What goes on with a word, as far as the byte alone says.
static PART: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(CLASS[byte], Class::Word | Class::Digit);
        byte += 1;
    }
    table
};

#[inline]
pub(super) fn is_part(byte: u8) -> bool {
    PART[byte as usize]
}

/// Whether a byte can begin a word.
#[inline]
pub(super) fn is_start(byte: u8) -> bool {
    matches!(
        CLASS[byte as usize],
        Class::Word | Class::Wide | Class::Backslash
    )
}

/// White space of more than one byte at the front: its length, and whether it ends a line (ECMA-262, 12.2 and 12.3).
pub(super) fn wide_space(rest: &[u8]) -> Option<(usize, bool)> {
    match rest {
        [0xC2, 0xA0, ..] => Some((2, false)),
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => Some((3, true)),
        [0xE2, 0x80, 0x80..=0x8A | 0xAF, ..]
        | [0xE2, 0x81, 0x9F, ..]
        | [0xE3, 0x80, 0x80, ..]
        | [0xE1, 0x9A, 0x80, ..]
        | [0xEF, 0xBB, 0xBF, ..] => Some((3, false)),
        _ => None,
    }
}

/// The length of `\u0061` or `\u{61}` at the front.
pub(super) fn escape_len(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'\\', b'u', b'{', digits @ ..] => {
            // As many digits as stand there: leading zeros are allowed.
            let len = digits.iter().position(|byte| !byte.is_ascii_hexdigit())?;
            (len > 0 && digits[len] == b'}').then_some(len + 4)
        }
        [b'\\', b'u', a, b, c, d, ..] => [a, b, c, d]
            .iter()
            .all(|byte| byte.is_ascii_hexdigit())
            .then_some(6),
        _ => None,
    }
}

/// Where the word ends that begins at `at`; `at` where none does.
#[inline]
pub(super) fn word_end(text: &[u8], at: usize) -> usize {
    word_and_key(text, at).0
}

/// Where the word ends that begins at `at`, and its key; 0 where it is too long for one.
#[inline]
pub(super) fn word_and_key(text: &[u8], at: usize) -> (usize, u64) {
    let Some(bytes) = eight(text, at) else {
        let end = long_word_end(text, at);
        let is_short = end - at <= KEY_BYTES;
        return (end, if is_short { key(&text[at..end]) } else { 0 });
    };
    let bits = bits_before_other(bytes);
    if bits == u64::BITS {
        let end = long_word_end(text, at + KEY_BYTES);
        return (end, if end == at + KEY_BYTES { bytes } else { 0 });
    }
    let end = at + bits as usize / 8;
    if matches!(CLASS[text[end] as usize], Class::Wide | Class::Backslash) {
        let whole = long_word_end(text, end);
        if whole > end {
            return (whole, 0);
        }
    }
    (end, bytes & !(u64::MAX << bits))
}

/// How many bits of eight bytes, from the lowest, belong to bytes that go on with a word: [`PART`], for all at once.
#[inline]
fn bits_before_other(bytes: u64) -> u32 {
    let part = alphanumeric(bytes) | equal(bytes, b'_') | equal(bytes, b'$');
    (!part & HIGH).trailing_zeros() & !7
}

/// [`word_end`], byte by byte.
pub(super) fn long_word_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(&byte) = text.get(end) {
        if is_part(byte) {
            end += 1;
        } else if matches!(CLASS[byte as usize], Class::Wide | Class::Backslash) {
            match odd_part_len(&text[end..]) {
                0 => return end,
                len => end += len,
            }
        } else {
            break;
        }
    }
    end
}

/// The length of a part of a word that is not ASCII, or escaped; 0 where it is no part.
#[cold]
fn odd_part_len(rest: &[u8]) -> usize {
    match rest.first() {
        Some(b'\\') => escape_len(rest).unwrap_or(0),
        _ => usize::from(wide_space(rest).is_none()),
    }
}

/// Where the number ends that begins at `at` with a digit, or with a dot and a digit (ECMA-262, 12.9.3 and B.1.1).
pub(super) fn number_end(text: &[u8], at: usize) -> usize {
    let run = |at: usize, is_in: fn(u8) -> bool| {
        let rest = text.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .position(|&byte| !is_in(byte) && byte != b'_')
            .unwrap_or(rest.len())
    };
    let digits = |at: usize| run(at, |byte| byte.is_ascii_digit());
    let big = |end: usize| end + usize::from(text.get(end) == Some(&b'n'));
    if text[at] == b'0' {
        match text.get(at + 1) {
            Some(b'x' | b'X') => return big(run(at + 2, |byte| byte.is_ascii_hexdigit())),
            Some(b'b' | b'B' | b'o' | b'O') => return big(digits(at + 2)),
            // Octal as it once was has no fraction: `07.a` is a property.
            Some(b'0'..=b'7') => {
                let end = digits(at);
                if text[at..end]
                    .iter()
                    .all(|byte| (b'0'..=b'7').contains(byte))
                {
                    return end;
                }
            }
            _ => {}
        }
    }
    let mut end = digits(at);
    if text.get(end) == Some(&b'n') {
        return end + 1;
    }
    if text.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let signed = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        if text.get(end + 1 + signed).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + signed);
        }
    }
    end
}

/// The length of the operator at the front, the longest that the language has.
#[inline]
pub(super) fn mark_len(rest: &[u8]) -> usize {
    let byte = |index: usize| rest.get(index).copied().unwrap_or(0);
    let (first, second) = (byte(0), byte(1));
    let equals = |at: usize| usize::from(byte(at) == b'=');
    match first {
        b'=' if second == b'>' => 2,
        b'=' | b'!' if second == b'=' => 2 + equals(2),
        b'+' | b'-' if second == first => 2,
        b'&' | b'|' | b'*' | b'?' if second == first => 2 + equals(2),
        b'?' if second == b'.' && !byte(2).is_ascii_digit() => 2,
        b'<' if second == b'<' => 2 + equals(2),
        b'>' if second == b'>' && byte(2) == b'>' => 3 + equals(3),
        b'>' if second == b'>' => 2 + equals(2),
        b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'<' | b'>' => 1 + equals(1),
        b'.' if second == b'.' && byte(2) == b'.' => 3,
        _ => 1,
    }
}
