//! JSON strings as bytes: where one ends, and what it says.
//!
//! A JSON library hands out text, and text must be valid: it refuses a lone surrogate or replaces it, and either way
//! the bytes of the source are gone. Here a string is unescaped to *bytes*. What is not valid is kept and flagged:
//!
//! - `\uD83D\uDE00` is joined to one character; a surrogate without its half is kept in three bytes (WTF-8).
//! - Bytes that are not UTF-8 and raw control characters are kept as they stand.
//! - An escape that JSON does not know (`\x`, `\u12`) is kept as written and counted.
//! - A string that is cut off ends before the escape that the cut runs through, so that what is decoded is always a
//!   prefix of what the whole string would have given.
//!
//! The two loops that matter for speed are [`closing_quote`] and `Output::copy_blocks`; nothing else looks at every
//! byte of a content.

use std::borrow::Cow;

use memchr::memchr;

use super::block::{BLOCK, masks};

/// How exact the bytes of a source are. Written in records as [`Status::as_str`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// The text is complete and valid UTF-8.
    Exact,
    /// Complete, with at least one surrogate that has no other half; kept as WTF-8.
    LoneSurrogate,
    /// Complete, with bytes that are not UTF-8; kept as they stand.
    InvalidUtf8,
    /// The map ends inside this text.
    Truncated,
    /// The map names the source and does not hold its text.
    Missing,
    /// A limit kept the text out.
    Refused,
}

impl Status {
    /// The word that records use for this status.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Exact => "exact",
            Status::LoneSurrogate => "lone-surrogate",
            Status::InvalidUtf8 => "invalid-utf8",
            Status::Truncated => "truncated",
            Status::Missing => "missing",
            Status::Refused => "refused",
        }
    }
}

/// A JSON string as it stands in the document: the bytes between the quotes, not yet unescaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawString<'a> {
    /// The bytes after the opening quote and before the closing one, or up to the end of the document.
    pub raw: &'a [u8],
    /// Whether the closing quote was found.
    pub complete: bool,
}

/// What a string says, and how exact that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The bytes of the text; borrowed where the string has no escapes.
    pub bytes: Cow<'a, [u8]>,
    /// The worst that applies: truncated, then invalid UTF-8, then lone surrogate, else exact.
    pub status: Status,
    /// Surrogates without their other half.
    pub lone_surrogates: usize,
    /// Escapes that JSON does not know (ECMA-404, section 9). They are kept as written and do not change the status.
    pub unknown_escapes: usize,
}

impl<'a> RawString<'a> {
    /// Unescapes the string. Never fails; the result is never longer than `raw`.
    pub fn decode(&self) -> Decoded<'a> {
        let text = unescape(self.raw, self.complete);
        let status = if !self.complete {
            Status::Truncated
        } else if text.is_wide && std::str::from_utf8(self.raw).is_err() {
            // Escapes are ASCII and yield whole characters, so that the text is valid exactly when the raw bytes are.
            Status::InvalidUtf8
        } else if text.lone_surrogates > 0 {
            Status::LoneSurrogate
        } else {
            Status::Exact
        };
        Decoded {
            bytes: text.bytes,
            status,
            lone_surrogates: text.lone_surrogates,
            unknown_escapes: text.unknown_escapes,
        }
    }

    /// Whether the string says `text`, in whatever spelling. Cheap for strings that are much longer.
    pub fn says(&self, text: &[u8]) -> bool {
        const LONGEST_ESCAPE: usize = 6;
        self.raw == text
            || (self.raw.len() > text.len()
                && self.raw.len() <= text.len() * LONGEST_ESCAPE
                && self.decode().bytes.as_ref() == text)
    }
}

/// Finds the quote that closes a string, where `start` is the offset after the opening one.
///
/// `None` when the document ends first. A quote counts when an even number of backslashes stands before it. Looking
/// for the quote and then back is quicker than stopping at each backslash, because sources have an escape every
/// twenty bytes or so and a quote much less often; each backslash is looked at once, so the time is linear.
pub fn closing_quote(document: &[u8], start: usize) -> Option<usize> {
    let string = document.get(start..)?;
    let mut from = 0;
    loop {
        let quote = from + memchr(b'"', string.get(from..)?)?;
        let before = string.get(..quote)?;
        let backslashes = before.iter().rev().take_while(|b| **b == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(start + quote);
        }
        from = quote + 1;
    }
}

struct Unescaped<'a> {
    bytes: Cow<'a, [u8]>,
    /// Whether a byte may not be ASCII.
    is_wide: bool,
    lone_surrogates: usize,
    unknown_escapes: usize,
}

/// One escape, and how many bytes it takes.
enum Escape {
    Char(char, usize),
    Lone(u16),
    Unknown,
    Cut,
}

const UNICODE_ESCAPE_BYTES: usize = 6;
/// A block, and as much behind it as a run that begins in it can need.
const WINDOW: usize = 2 * BLOCK;

fn unescape(raw: &[u8], complete: bool) -> Unescaped<'_> {
    let Some(first) = memchr(b'\\', raw) else {
        return Unescaped {
            bytes: Cow::Borrowed(raw),
            is_wide: true,
            lone_surrogates: 0,
            unknown_escapes: 0,
        };
    };
    let mut out = Output::new(raw.len());
    let begin = raw.get(..first).unwrap_or_default();
    out.put(begin);
    let (mut read, mut is_wide) = (first, !begin.is_ascii());
    let (mut lone_surrogates, mut unknown_escapes) = (0, 0);
    while read < raw.len() {
        read = out.copy_blocks(raw, read, &mut is_wide);
        let rest = raw.get(read..).unwrap_or_default();
        let run = memchr(b'\\', rest).unwrap_or(rest.len());
        let run = rest.get(..run).unwrap_or_default();
        out.put(run);
        is_wide |= !run.is_ascii();
        read += run.len();
        if read >= raw.len() {
            break;
        }
        match escape_at(raw, read, complete) {
            Escape::Char(c, bytes) => {
                out.put(c.encode_utf8(&mut [0; 4]).as_bytes());
                read += bytes;
            }
            Escape::Lone(unit) => {
                out.put(&wtf8(unit));
                lone_surrogates += 1;
                read += UNICODE_ESCAPE_BYTES;
            }
            Escape::Unknown => {
                out.put(b"\\");
                unknown_escapes += 1;
                read += 1;
            }
            Escape::Cut => break,
        }
    }
    Unescaped {
        bytes: Cow::Owned(out.finish()),
        is_wide,
        lone_surrogates,
        unknown_escapes,
    }
}

/// What the escapes of two bytes stand for, by their letter (ECMA-404, section 9); 0 for all others.
const SHORT_ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    table[b'n' as usize] = b'\n';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b't' as usize] = b'\t';
    table[b'r' as usize] = b'\r';
    table[b'/' as usize] = b'/';
    table[b'b' as usize] = 0x08;
    table[b'f' as usize] = 0x0c;
    table
};

/// Reads the escape whose backslash stands at `at`.
fn escape_at(raw: &[u8], at: usize, complete: bool) -> Escape {
    let Some(letter) = raw.get(at + 1) else {
        return if complete {
            Escape::Unknown
        } else {
            Escape::Cut
        };
    };
    match SHORT_ESCAPES[usize::from(*letter)] {
        0 if *letter == b'u' => unicode_escape_at(raw, at, complete),
        0 => Escape::Unknown,
        byte => Escape::Char(char::from(byte), 2),
    }
}

fn unicode_escape_at(raw: &[u8], at: usize, complete: bool) -> Escape {
    let Some(unit) = code_unit(raw, at) else {
        return if !complete && may_begin_escape(raw, at) {
            Escape::Cut
        } else {
            Escape::Unknown
        };
    };
    if let Some(c) = char::from_u32(u32::from(unit)) {
        return Escape::Char(c, UNICODE_ESCAPE_BYTES);
    }
    let is_high = unit < 0xDC00;
    if !is_high {
        return Escape::Lone(unit);
    }
    let next = at + UNICODE_ESCAPE_BYTES;
    match code_unit(raw, next) {
        Some(low @ 0xDC00..=0xDFFF) => {
            let scalar = 0x1_0000 + ((u32::from(unit) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
            match char::from_u32(scalar) {
                Some(c) => Escape::Char(c, 2 * UNICODE_ESCAPE_BYTES),
                None => Escape::Lone(unit),
            }
        }
        // The other half may have stood behind the cut: say nothing rather than something that may be wrong.
        None if !complete && may_begin_escape(raw, next) => Escape::Cut,
        _ => Escape::Lone(unit),
    }
}

/// The value of `\uXXXX` at `at`, if that is what stands there.
fn code_unit(raw: &[u8], at: usize) -> Option<u16> {
    let escape: &[u8; UNICODE_ESCAPE_BYTES] = raw.get(at..)?.first_chunk()?;
    let [b'\\', b'u', digits @ ..] = escape else {
        return None;
    };
    digits.iter().try_fold(0_u16, |value, digit| {
        let nibble = char::from(*digit).to_digit(16)?;
        Some(value << 4 | u16::try_from(nibble).ok()?)
    })
}

/// Whether the rest of `raw` from `at` on is the beginning of a `\uXXXX` that the cut runs through.
fn may_begin_escape(raw: &[u8], at: usize) -> bool {
    let rest = raw.get(at..).unwrap_or_default();
    rest.len() < UNICODE_ESCAPE_BYTES
        && rest.iter().enumerate().all(|(index, byte)| match index {
            0 => *byte == b'\\',
            1 => *byte == b'u',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A surrogate in the three bytes that UTF-8 would give it (WTF-8, section "Generalized UTF-8").
pub(super) fn wtf8(unit: u16) -> [u8; 3] {
    let [high, low] = unit.to_be_bytes();
    [
        0xE0 | high >> 4,
        0x80 | (high & 0x0F) << 2 | low >> 6,
        0x80 | low & 0x3F,
    ]
}

/// The text being written. No escape is shorter than what it stands for, so that the raw length is enough.
struct Output {
    bytes: Vec<u8>,
    written: usize,
}

impl Output {
    fn new(longest: usize) -> Self {
        Output {
            bytes: vec![0; longest],
            written: 0,
        }
    }

    fn put(&mut self, text: &[u8]) {
        let end = self.written + text.len();
        if let Some(room) = self.bytes.get_mut(self.written..end) {
            room.copy_from_slice(text);
            self.written = end;
        }
    }

    /// Copies from `raw[from..]` on, short escapes included, and returns how far it came: to an escape that is no
    /// short one, or to the last two blocks.
    ///
    /// Sources have an escape every twenty bytes or so. So the escapes of a block are found together, and each run
    /// between two of them is copied as a whole block: what is copied beyond the run is overwritten by what comes next.
    #[inline]
    fn copy_blocks(&mut self, raw: &[u8], from: usize, is_wide: &mut bool) -> usize {
        let mut base = from;
        let mut wide = 0;
        'blocks: while let Some(window) = raw.get(base..).and_then(<[u8]>::first_chunk::<WINDOW>) {
            let Some(block) = window.first_chunk() else {
                break;
            };
            let found = masks(block);
            wide |= found.wide;
            let mut left = found.backslash;
            // Where the run that is being copied begins in the window.
            let mut run = 0;
            while left != 0 {
                let at = left.trailing_zeros() as usize;
                let letter = window[(at + 1) % WINDOW];
                let byte = SHORT_ESCAPES[usize::from(letter)];
                if !self.put_block(window, run, at - run) {
                    break 'blocks;
                }
                if byte == 0 {
                    base += at;
                    break 'blocks;
                }
                if let Some(place) = self.bytes.get_mut(self.written) {
                    *place = byte;
                }
                self.written += 1;
                run = at + 2;
                // The letter may be a backslash itself.
                left &= !(0b11 << at);
            }
            if run < BLOCK && !self.put_block(window, run, BLOCK - run) {
                break;
            }
            base += run.max(BLOCK);
        }
        *is_wide |= wide != 0;
        base
    }

    /// Copies a block from `window[from..]`, of which the first `len` bytes count. `false`, and nothing done, where
    /// there is no room, which cannot be: what is written is never longer than what was read.
    #[inline]
    fn put_block(&mut self, window: &[u8; WINDOW], from: usize, len: usize) -> bool {
        let source = window.get(from..).and_then(<[u8]>::first_chunk::<BLOCK>);
        let room = self.bytes.get_mut(self.written..);
        let (Some(source), Some(room)) = (source, room.and_then(<[u8]>::first_chunk_mut::<BLOCK>))
        else {
            return false;
        };
        *room = *source;
        self.written += len;
        true
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.truncate(self.written);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(raw: &[u8]) -> Decoded<'_> {
        RawString {
            raw,
            complete: true,
        }
        .decode()
    }

    fn decode_cut(raw: &[u8]) -> Decoded<'_> {
        RawString {
            raw,
            complete: false,
        }
        .decode()
    }

    #[test]
    fn every_escape_of_the_standard_is_undone() {
        let decoded = decode(br#"a\"b\\c\/d\be\ff\ng\rh\ti\u00e9j\u0000"#);
        assert_eq!(
            decoded.bytes.as_ref(),
            "a\"b\\c/d\u{8}e\u{c}f\ng\rh\tiéj\0".as_bytes()
        );
        assert_eq!(decoded.status, Status::Exact);
    }

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        assert!(matches!(decode("zoë".as_bytes()).bytes, Cow::Borrowed(_)));
    }

    #[test]
    fn surrogate_pairs_become_one_character() {
        let decoded = decode(br"\uD83D\uDE00\ud83d\ude00");
        assert_eq!(decoded.bytes.as_ref(), "😀😀".as_bytes());
        assert_eq!(decoded.status, Status::Exact);
    }

    #[test]
    fn lone_surrogates_are_kept_as_wtf8_and_counted() {
        for (raw, text) in [
            (&br"x\uD83Dy"[..], &b"x\xED\xA0\xBDy"[..]),
            (br"\uDE00\uD83D", b"\xED\xB8\x80\xED\xA0\xBD"),
            (br"\uD83D\n", b"\xED\xA0\xBD\n"),
            (br"\uD83D\u0041", b"\xED\xA0\xBDA"),
        ] {
            let decoded = decode(raw);
            assert_eq!(decoded.bytes.as_ref(), text);
            assert_eq!(decoded.status, Status::LoneSurrogate);
        }
        assert_eq!(decode(br"\uDE00\uD83D").lone_surrogates, 2);
        assert_eq!(
            decode(br"\uD83D\uD83D\uDE00").bytes.as_ref(),
            b"\xED\xA0\xBD\xF0\x9F\x98\x80"
        );
    }

    #[test]
    fn invalid_utf8_and_raw_control_characters_are_kept() {
        let decoded = decode(b"a\xFF\\n\xC3");
        assert_eq!(decoded.bytes.as_ref(), b"a\xFF\n\xC3");
        assert_eq!(decoded.status, Status::InvalidUtf8);
        let decoded = decode(b"a\n\x00\\tb");
        assert_eq!(decoded.bytes.as_ref(), b"a\n\x00\tb");
        assert_eq!(decoded.status, Status::Exact);
    }

    #[test]
    fn bytes_around_an_escape_never_join_into_a_character() {
        // C3 and the escaped A9 would be one character if the bytes simply followed each other.
        let decoded = decode(b"\xC3\\u00A9");
        assert_eq!(decoded.status, Status::InvalidUtf8);
        assert!(std::str::from_utf8(&decoded.bytes).is_err());
    }

    #[test]
    fn unknown_escapes_are_kept_as_written_and_counted() {
        let decoded = decode("a\\x41\\u12G4\\é\\u".as_bytes());
        assert_eq!(decoded.bytes.as_ref(), "a\\x41\\u12G4\\é\\u".as_bytes());
        assert_eq!(decoded.unknown_escapes, 4);
    }

    #[test]
    fn a_cut_inside_an_escape_keeps_what_came_before() {
        for raw in [&br"ab\"[..], br"ab\u", br"ab\u00", br"ab\u00e"] {
            let decoded = decode_cut(raw);
            assert_eq!(decoded.bytes.as_ref(), b"ab", "{raw:?}");
            assert_eq!(decoded.status, Status::Truncated);
        }
        for raw in [
            &br"ab\uD83D"[..],
            br"ab\uD83D\",
            br"ab\uD83D\u",
            br"ab\uD83D\uDE",
        ] {
            assert_eq!(decode_cut(raw).bytes.as_ref(), b"ab", "{raw:?}");
        }
        assert_eq!(decode_cut(br"ab\uD83Dc").lone_surrogates, 1);
        assert_eq!(decode_cut(br"ab\uZ").bytes.as_ref(), br"ab\uZ");
    }

    #[test]
    fn the_closing_quote_is_the_first_one_that_is_not_escaped() {
        assert_eq!(closing_quote(br#"abc" rest"#, 0), Some(3));
        assert_eq!(closing_quote(br#"a\"b\\" "#, 0), Some(6));
        assert_eq!(closing_quote(br#"\\\"" "#, 0), Some(4));
        assert_eq!(closing_quote(br#"abc\""#, 0), None);
        assert_eq!(closing_quote(b"", 0), None);
        assert_eq!(closing_quote(b"x", 7), None);
        // A backslash in front of the string is not part of it.
        assert_eq!(closing_quote(br#"\""#, 1), Some(1));
    }

    #[test]
    fn a_key_in_another_spelling_is_the_same_key() {
        let key = |raw| RawString {
            raw,
            complete: true,
        };
        assert!(key(b"sources").says(b"sources"));
        assert!(key(br"\u0073ources").says(b"sources"));
        assert!(!key(b"source").says(b"sources"));
        assert!(!key(br"\u0073ource").says(b"sources"));
    }

    /// The slow and plain way to find the end of a string.
    fn closing_quote_plain(document: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            match document.get(at)? {
                b'"' => return Some(at),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_a_round_trip_through_json(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let raw = &json.as_bytes()[1..json.len() - 1];
            let decoded = decode(raw);
            prop_assert_eq!(decoded.bytes.as_ref(), text.as_bytes());
            prop_assert_eq!(decoded.status, Status::Exact);
            prop_assert_eq!(closing_quote(json.as_bytes(), 1), Some(json.len() - 1));
        }

        #[test]
        fn valid_escapes_mean_what_serde_json_says(
            parts in prop::collection::vec(
                prop_oneof![
                    Just("\\n".to_owned()), Just("\\\\".to_owned()), Just("\\\"".to_owned()), Just("\\/".to_owned()),
                    (0_u32..0xD800).prop_map(|c| format!("\\u{c:04X}")),
                    (0_u32..0x400, 0_u32..0x400)
                        .prop_map(|(h, l)| format!("\\u{:04x}\\u{:04X}", 0xD800 + h, 0xDC00 + l)),
                    "[a-zé😀 ]{0,40}",
                ],
                0..20,
            ),
        ) {
            let raw = parts.concat();
            let oracle: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
            let decoded = decode(raw.as_bytes());
            prop_assert_eq!(decoded.bytes.as_ref(), oracle.as_bytes());
            prop_assert_eq!(decoded.status, Status::Exact);
            prop_assert_eq!(decoded.unknown_escapes, 0);
        }

        #[test]
        fn a_cut_string_gives_a_prefix(text in any::<String>(), ascii in any::<bool>(), cut in any::<prop::sample::Index>()) {
            let json = if ascii { ascii_json(&text) } else { serde_json::to_string(&text).unwrap() };
            let raw = &json.as_bytes()[1..json.len() - 1];
            let decoded = decode_cut(&raw[..cut.index(raw.len() + 1)]);
            prop_assert!(text.as_bytes().starts_with(&decoded.bytes));
        }

        #[test]
        fn any_bytes_decode_without_a_panic_and_never_grow(raw in prop::collection::vec(
            prop_oneof![Just(b'\\'), Just(b'u'), Just(b'D'), Just(b'8'), Just(b'"'), any::<u8>()], 0..200), complete: bool) {
            let decoded = RawString { raw: &raw, complete }.decode();
            prop_assert!(decoded.bytes.len() <= raw.len());
            prop_assert_eq!(decoded.status == Status::Truncated, !complete);
            if decoded.status == Status::Exact {
                prop_assert!(std::str::from_utf8(&decoded.bytes).is_ok());
            }
        }

        #[test]
        fn the_closing_quote_is_where_the_plain_loop_finds_it(
            document in prop::collection::vec(prop_oneof![Just(b'\\'), Just(b'"'), Just(b'a')], 0..60)) {
            prop_assert_eq!(closing_quote(&document, 0), closing_quote_plain(&document));
        }
    }

    /// JSON with everything beyond ASCII escaped, so that cuts run through surrogate pairs.
    fn ascii_json(text: &str) -> String {
        let units: String = text
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        format!("\"{units}\"")
    }
}
