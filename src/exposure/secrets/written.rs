//! Parts of a text that hide something by the way they are written.
//!
//! * **Escapes**: `\u0067hp_…`, `\x67hp_…`, `https:\/\/`: the stretch round an escape that stands for a letter, a digit or a
//!   mark of a token, with its escapes undone, up to the quotes or the line's end on both sides.
//! * **Put together**: literals with `+` between them, on one line or several; in texts that may be the vendor's own
//!   literals on following lines too, as C and Python join them, and `["…", "…"].join("")`.
//! * **Base64**: runs of at least forty digits that decode to text, one level deep; in texts that may be the vendor's own,
//!   in data, and in small files that do not begin as programs do.
//! * **UTF-16**: with a byte order mark, or with zeros where every other byte should be one.
//!
//! Each part knows for its bytes where they come from, so that what is found in it is told where it stands. The parts are
//! found in one pass that stops at a backslash or a `+`, and each is bounded, so that no text takes more than a few times
//! its length. Escapes are those that languages share; octal ones and those of regular expressions are left out, and so
//! are values that a program puts together in any other way.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::{memchr, memchr2, memmem};

use super::Written;
use crate::exposure::inspect::Role;
use crate::exposure::windows::View;

/// A stretch with escapes, and a chain of literals, are no longer than this; bytes.
const PART_MAX_BYTES: usize = 64 << 10;
/// How far a stretch goes before its first escape that matters, bytes.
const BEFORE_BYTES: usize = 512;
/// A literal in a chain is no longer than this; bytes.
const LITERAL_MAX_BYTES: usize = 4096;
/// White space between parts of a chain, bytes.
const SPACE_MAX_BYTES: usize = 256;
/// Digits of the shortest Base64 that is decoded.
const BASE64_MIN: usize = 40;
/// Digits of the longest; longer ones are files in a file.
const BASE64_MAX: usize = 64 << 10;
/// A text of no more than this may be settings, in which Base64 is looked for; bytes.
const SMALL_BYTES: usize = 32 << 10;

/// A decoded part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::exposure) struct Part {
    /// What it says.
    pub text: Vec<u8>,
    /// How it is written.
    pub how: Written,
    /// Stretches that were copied as they stand: where they begin in `text`, and in what it was made of.
    copies: Vec<(usize, usize)>,
    /// Bytes of the original for each group, and of `text`; for Base64 4 and 3, else 1 and 1.
    groups: (usize, usize),
}

impl Part {
    fn new(how: Written) -> Self {
        Self {
            text: Vec::new(),
            how,
            copies: Vec::new(),
            groups: (1, 1),
        }
    }

    fn push(&mut self, bytes: &[u8], from: usize) {
        self.copies.push((self.text.len(), from));
        self.text.extend_from_slice(bytes);
    }

    /// Where the byte at `at` comes from.
    pub fn place_of(&self, at: usize) -> usize {
        let index = self.copies.partition_point(|(start, _)| *start <= at);
        let (start, from) = index
            .checked_sub(1)
            .and_then(|index| self.copies.get(index))
            .copied()
            .unwrap_or_default();
        let (original, decoded) = self.groups;
        from + (at - start) / decoded * original + (at - start) % decoded
    }

    /// Calls `take` with the stretches of the original that a stretch of the text was made of: of literals that were put
    /// together only what stands within their quotes.
    pub fn stretches_of(&self, span: Range<usize>, mut take: impl FnMut(Range<usize>)) {
        match self.how {
            Written::Base64 => {
                // A digit is six bits: those that hold any bit of it.
                let from = self.place_of(0);
                take(from + span.start * 4 / 3..from + (span.end * 4).div_ceil(3));
            }
            Written::Folded => {
                let ends = self.copies.iter().skip(1).map(|(start, _)| *start);
                let ends = ends.chain([self.text.len()]);
                for (&(start, from), end) in self.copies.iter().zip(ends) {
                    let within = span.start.max(start)..span.end.min(end);
                    if !within.is_empty() {
                        take(from + within.start - start..from + within.end - start);
                    }
                }
            }
            Written::Escaped | Written::Utf16 => {
                take(self.place_of(span.start)..self.place_of(span.end));
            }
        }
    }
}

/// Calls `take` with each part of a view's text that hides something.
pub(in crate::exposure) fn parts_in(view: &View, mut take: impl FnMut(&Part)) {
    let (text, role) = (view.bytes, view.role);
    let (mut escaped_until, mut joined_until) = (0, 0);
    let mut at = 0;
    while let Some(len) = memchr2(b'\\', b'+', text.get(at..).unwrap_or_default()) {
        at += len;
        if text[at] == b'\\' {
            if at >= escaped_until && matters(text, at) {
                let (part, end) = unescaped(text, at, escaped_until);
                escaped_until = end;
                take(&part);
            }
            // A backslash takes the next byte along.
            at += 2;
        } else {
            if at >= joined_until
                && let Some((part, end)) = chain(text, at, joined_until, role)
            {
                joined_until = end;
                take(&part);
            }
            at += 1;
        }
    }
    if role == Role::Own {
        adjacent(text, &mut take);
        arrays(text, &mut take);
    }
    if role == Role::Own || view.may_be_settings {
        base64_runs(text, &mut take);
    }
}

/// Whether a text begins as data does.
pub(in crate::exposure) fn begins_as_data(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Data, or a small text that does not begin as a program does.
pub(in crate::exposure) fn may_be_settings(text: &[u8]) -> bool {
    /// Bytes of the beginning that are looked at, and marks that end statements in a program's.
    const BEGINNING_BYTES: usize = 2048;
    const STATEMENTS: usize = 8;
    if begins_as_data(text) {
        return true;
    }
    let beginning = text.get(..BEGINNING_BYTES).unwrap_or(text);
    let has = |word: &[u8]| memmem::find(beginning, word).is_some();
    text.len() <= SMALL_BYTES
        && memchr::memchr_iter(b';', beginning).count() < STATEMENTS
        && !(has(b"import ") || has(b"export ") || has(b"require(") || has(b"function"))
}

// ---------------------------------------------------------------------------------------------------------------
// Escapes

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, &digit| {
        Some(value << 4 | (digit as char).to_digit(16)?)
    })
}

/// The character that the escape at `at` stands for, and its length; only ASCII.
fn escape(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let rest = text.get(at..text.len().min(at + 12))?;
    let (value, len) = match rest.get(1)? {
        b'x' => (hex(rest.get(2..4)?)?, 4),
        b'u' | b'U' if rest.get(2) == Some(&b'{') => {
            let len = memchr(b'}', rest)?;
            (hex(rest.get(3..len)?)?, len + 1)
        }
        b'u' => (hex(rest.get(2..6)?)?, 6),
        b'U' => (hex(rest.get(2..10)?)?, 10),
        b'n' => (10, 2),
        b'r' => (13, 2),
        b't' => (9, 2),
        byte @ (b'/' | b'"' | b'\'' | b'\\' | b'`' | b'$') => (u32::from(*byte), 2),
        _ => return None,
    };
    let byte = u8::try_from(value).ok().filter(u8::is_ascii)?;
    Some((byte, len))
}

/// Whether the backslash at `at` stands for what a credential is made of, where it need not.
fn matters(text: &[u8], at: usize) -> bool {
    match text.get(at + 1) {
        Some(b'x' | b'u' | b'U') => escape(text, at)
            .is_some_and(|(byte, _)| byte.is_ascii_alphanumeric() || b"_-+/=:.@~$".contains(&byte)),
        // `:\/\/` as JSON may write a URL.
        Some(b'/') => at > 0 && text[at - 1] == b':' && text.get(at + 2..at + 4) == Some(b"\\/"),
        _ => false,
    }
}

fn ends_stretch(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`' | b'\n' | b'\r')
}

/// The stretch round the escape at `at`, not before `floor`; and where it ends.
fn unescaped(text: &[u8], at: usize, floor: usize) -> (Part, usize) {
    let floor = floor.max(at.saturating_sub(BEFORE_BYTES));
    let before = text[floor..at]
        .iter()
        .rev()
        .take_while(|byte| !ends_stretch(**byte))
        .count();
    let mut part = Part::new(Written::Escaped);
    let (mut from, mut here) = (at - before, at - before);
    let limit = text.len().min(at + PART_MAX_BYTES);
    while here < limit && !ends_stretch(text[here]) {
        if text[here] != b'\\' {
            here += 1;
            continue;
        }
        match escape(text, here) {
            Some((byte, len)) => {
                part.push(&text[from..here], from);
                part.push(&[byte], here);
                here += len;
                from = here;
            }
            None => here += 2,
        }
    }
    let end = here.min(limit).max(from);
    part.push(&text[from..end], from);
    (part, end)
}

// ---------------------------------------------------------------------------------------------------------------
// Literals that are put together

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Behind the white space from `at` on; a line that ends with a backslash goes on.
fn behind_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take(SPACE_MAX_BYTES)
        .take_while(|&&byte| is_space(byte) || byte == b'\\')
        .count()
}

/// The closing quote of the literal that opens at `open`.
fn closing(text: &[u8], open: usize) -> Option<usize> {
    let quote = *text.get(open)?;
    let mut at = open + 1;
    let limit = text.len().min(open + LITERAL_MAX_BYTES);
    loop {
        at += memchr2(quote, b'\\', text.get(at..limit)?)?;
        if text[at] == quote {
            let body = &text[open + 1..at];
            return (quote == b'`' || memchr(b'\n', body).is_none()).then_some(at);
        }
        at += 2;
    }
}

/// The opening quote of the literal that closes at `close`, not before `floor`.
fn opening(text: &[u8], close: usize, floor: usize) -> Option<usize> {
    let quote = text[close];
    let floor = floor.max(close.saturating_sub(LITERAL_MAX_BYTES));
    let body = text.get(floor..close)?;
    let at = floor + memchr::memrchr2(quote, b'\n', body)?;
    (text[at] == quote).then_some(at)
}

/// Whether a credential may go on from the literal that closes at `close` into the one that opens at `open`: most text that
/// is put together has blanks or tags there.
fn is_seam(text: &[u8], close: usize, open: usize) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+/=.:@~$!?&#%".contains(&byte);
    let before = close.checked_sub(1).and_then(|at| text.get(at));
    let behind = text.get(open + 1);
    before
        .zip(behind)
        .is_some_and(|(&before, &behind)| is_part(before) && is_part(behind))
}

/// Literals with `+` between them, where one stands at `plus`; and where the last ends.
fn chain(text: &[u8], plus: usize, floor: usize, role: Role) -> Option<(Part, usize)> {
    let before = text[plus.saturating_sub(SPACE_MAX_BYTES)..plus]
        .iter()
        .rev()
        .take_while(|byte| is_space(**byte))
        .count();
    let close = plus
        .checked_sub(before + 1)
        .filter(|&at| at >= floor && is_quote(text[at]))?;
    let next = behind_space(text, plus + 1);
    if !is_quote(*text.get(next)?) {
        return None;
    }
    if !is_seam(text, close, next) {
        return None;
    }
    let open = opening(text, close, floor)?;
    let mut part = Part::new(Written::Folded);
    part.push(&text[open + 1..close], open + 1);
    Some(follow(text, next, part, role))
}

/// Adds the literals from the one that opens at `open` on, as long as one follows another.
fn follow(text: &[u8], mut open: usize, mut part: Part, role: Role) -> (Part, usize) {
    let mut end = open;
    while part.text.len() < PART_MAX_BYTES
        && let Some(close) = closing(text, open)
    {
        part.push(&text[open + 1..close], open + 1);
        end = close + 1;
        let mut next = behind_space(text, end);
        match text.get(next) {
            Some(b'+') => next = behind_space(text, next + 1),
            Some(&quote) if is_quote(quote) && role == Role::Own && next > end => {}
            _ => break,
        }
        if !text.get(next).is_some_and(|&byte| is_quote(byte)) || !is_seam(text, close, next) {
            break;
        }
        open = next;
    }
    (part, end)
}

/// Literals on lines that follow each other, with nothing between them.
fn adjacent(text: &[u8], take: &mut impl FnMut(&Part)) {
    let mut until = 0;
    for feed in memchr::memchr_iter(b'\n', text) {
        if feed < until {
            continue;
        }
        let line = text[..feed].strip_suffix(b"\r").unwrap_or(&text[..feed]);
        let line = line.strip_suffix(b"\\").unwrap_or(line);
        // No further back than a seam goes: of a thousand empty lines each would be looked back over to the first.
        let floor = line.len().saturating_sub(SPACE_MAX_BYTES);
        let close = floor + line[floor..].trim_ascii_end().len();
        let Some(close) = close.checked_sub(1).filter(|&close| close >= floor) else {
            continue;
        };
        let quote = text[close];
        if !matches!(quote, b'"' | b'\'') {
            continue;
        }
        let next = behind_space(text, feed);
        if text.get(next) != Some(&quote) || !is_seam(text, close, next) {
            continue;
        }
        let Some(open) = opening(text, close, until) else {
            continue;
        };
        let mut part = Part::new(Written::Folded);
        part.push(&text[open + 1..close], open + 1);
        let (part, end) = follow(text, next, part, Role::Own);
        until = end;
        take(&part);
    }
}

/// `["…", "…"].join("")`.
fn arrays(text: &[u8], take: &mut impl FnMut(&Part)) {
    let mut floor = 0;
    for at in memmem::find_iter(text, b"].join(") {
        let glue = &text[at + 7..text.len().min(at + 9)];
        if !matches!(glue, b"\"\"" | b"''" | b"``") {
            continue;
        }
        let start = floor.max(at.saturating_sub(LITERAL_MAX_BYTES));
        let Some(open) = memchr::memrchr(b'[', &text[start..at]) else {
            continue;
        };
        let mut part = Part::new(Written::Folded);
        let mut here = behind_space(text, start + open + 1);
        while here < at
            && is_quote(text[here])
            && let Some(close) = closing(text, here).filter(|&close| close < at)
        {
            part.push(&text[here + 1..close], here + 1);
            here = behind_space(text, close + 1);
            if text.get(here) == Some(&b',') {
                here = behind_space(text, here + 1);
            }
        }
        floor = at;
        if here == at {
            take(&part);
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Base64

/// Digits of Base64 in both alphabets.
static DIGITS: [bool; 256] = {
    let mut digits = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let letter = byte as u8;
        digits[byte] =
            letter.is_ascii_alphanumeric() || matches!(letter, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    digits
};

fn is_digit(byte: u8) -> bool {
    DIGITS[usize::from(byte)]
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// Tables that take time to make.
static LENIENT_STANDARD: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
static LENIENT_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

fn decode(run: &[u8]) -> Option<Vec<u8>> {
    let is_url = run.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if is_url {
        &LENIENT_URL
    } else {
        &LENIENT_STANDARD
    };
    // What does not fill a group is a cut, or no Base64: one digit says nothing.
    let len = if run.len() % 4 == 1 {
        run.len() - 1
    } else {
        run.len()
    };
    engine.decode(&run[..len]).ok()
}

/// Most of it are characters that people read.
fn is_text(bytes: &[u8]) -> bool {
    let odd = bytes
        .iter()
        .filter(|byte| byte.is_ascii_control() && !is_space(**byte) || **byte >= 0x80)
        .count();
    odd * 8 <= bytes.len()
}

/// Maps in data URLs are opened as what they are, and searched there.
fn is_map(decoded: &[u8]) -> bool {
    let has = |key: &[u8]| memmem::find(decoded, key).is_some();
    decoded.starts_with(b"{") && has(b"\"mappings\"") && has(b"\"sources\"")
}

fn base64_runs(text: &[u8], take: &mut impl FnMut(&Part)) {
    let mut at = 0;
    while let Some(window) = text.get(at..at + BASE64_MIN) {
        // From its end: the last byte that is no digit rules out every run that would hold it.
        if let Some(other) = window.iter().rposition(|&byte| !is_digit(byte)) {
            at += other + 1;
            continue;
        }
        let rest = &text[at + BASE64_MIN..];
        let len = BASE64_MIN + rest.iter().take_while(|&&byte| is_digit(byte)).count();
        let run = &text[at..at + len];
        // Names in one case and rows of one mark are none.
        let is_mixed = |kind: fn(&u8) -> bool| run[..BASE64_MIN].iter().any(kind);
        if len <= BASE64_MAX
            && is_mixed(u8::is_ascii_uppercase)
            && is_mixed(u8::is_ascii_lowercase)
            && decode(&run[..32]).is_some_and(|start| is_text(&start))
            && let Some(decoded) = decode(run)
            && is_text(&decoded)
            && !is_map(&decoded)
        {
            let mut part = Part::new(Written::Base64);
            part.groups = (4, 3);
            part.push(&decoded, at);
            take(&part);
        }
        at += len;
    }
}

// ---------------------------------------------------------------------------------------------------------------
// UTF-16

/// How the units of UTF-16 lie in bytes.
pub(in crate::exposure) type Unit = fn([u8; 2]) -> u16;

/// The text of what is in UTF-16, as UTF-8.
pub(in crate::exposure) fn utf16(bytes: &[u8]) -> Option<Vec<u8>> {
    let read = utf16_unit(bytes)?;
    let (units, _) = bytes.as_chunks::<2>();
    Some(utf16_text(units.iter().map(|&unit| read(unit))).into_bytes())
}

/// The text of units; marks of the order at the beginning are left out.
pub(in crate::exposure) fn utf16_text(units: impl Iterator<Item = u16>) -> String {
    utf16_text_on(units.skip_while(|&unit| unit == 0xFEFF))
}

/// The text of units that do not stand at the beginning.
pub(in crate::exposure) fn utf16_text_on(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// How the units lie in what begins so, if it is in UTF-16.
pub(in crate::exposure) fn utf16_unit(bytes: &[u8]) -> Option<Unit> {
    /// Units that are looked at where no mark tells.
    const SAMPLE: usize = 64;
    match bytes {
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        _ => {
            let (units, _) = bytes.as_chunks::<2>();
            let units = &units[..units.len().min(SAMPLE)];
            let is_wide = |zero: usize| {
                units.len() >= 8
                    && units.iter().all(|unit| {
                        unit[zero] == 0 && unit[1 - zero].is_ascii() && unit[1 - zero] != 0
                    })
            };
            match (is_wide(1), is_wide(0)) {
                (true, _) => Some(u16::from_le_bytes),
                (_, true) => Some(u16::from_be_bytes),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, role: Role) -> Vec<(String, Written, usize)> {
        let mut all = Vec::new();
        parts_in(&View::whole(text.as_bytes(), role), |part| {
            all.push((
                String::from_utf8_lossy(&part.text).into_owned(),
                part.how,
                part.place_of(part.text.len().saturating_sub(1)),
            ));
        });
        all
    }

    fn texts(text: &str) -> Vec<String> {
        found(text, Role::Own)
            .into_iter()
            .map(|(text, _, _)| text)
            .collect()
    }

    #[test]
    fn escapes_are_undone_where_they_hide_something() {
        assert_eq!(
            found(r#"a = "x\u0067hp\x5F1";"#, Role::Bulk),
            [("xghp_1".into(), Written::Escaped, 18)]
        );
        assert_eq!(texts(r#""\u{67}\n\q""#), ["g\n\\q"]);
        assert_eq!(texts(r#""https:\/\/a:b@c""#), ["https://a:b@c"]);
        assert!(texts(r#""\u003c\n\"\/ \u00e9 \u12""#).is_empty());
    }

    #[test]
    fn literals_are_joined() {
        assert_eq!(
            found("t = 'gh' +\n  \"p_\" + `1` + x;", Role::Bulk),
            [("ghp_1".into(), Written::Folded, 21)]
        );
        assert_eq!(texts("t = (\n  'ab'\n  'cd'\n)"), ["abcd"]);
        assert_eq!(texts("[\"ab\", 'cd',].join('')"), ["abcd"]);
        assert!(found("t = (\n  'ab'\n  'cd'\n)", Role::Bulk).is_empty());
        assert!(texts("a + 'b' + c; 1 + 2; [a, 'b'].join(''); ['a'].join(',')").is_empty());
    }

    #[test]
    fn base64_of_text_is_decoded() {
        let secret =
            base64::engine::general_purpose::STANDARD.encode("password: something-else-1234567");
        let all = found(&format!("key: {secret}"), Role::Own);
        assert_eq!(all[0].0, "password: something-else-1234567");
        assert_eq!(all[0].1, Written::Base64);
        assert!(found(&"QUJD".repeat(5), Role::Own).is_empty());
        assert!(found(&"/w8A".repeat(20), Role::Own).is_empty());
    }

    #[test]
    fn wide_text_is_read_with_and_without_a_mark() {
        let little: Vec<u8> = "key = 12"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let big: Vec<u8> = "key = 12"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        for bytes in [
            little.clone(),
            big.clone(),
            [&b"\xff\xfe"[..], &little].concat(),
            [&b"\xfe\xff"[..], &big].concat(),
        ] {
            assert_eq!(utf16(&bytes).unwrap(), b"key = 12");
        }
        assert!(
            utf16(b"key = 12345678901234").is_none()
                && utf16(b"").is_none()
                && utf16(&[0; 64]).is_none()
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(\\\\u0067|\\\\x67|\\\\|\"|'|`| |\n|\\+|ab|\\]\\.join\\(''\\)|\\[|,|é|[A-Za-z0-9+/]{50}){0,40}") {
            for role in [Role::Bulk, Role::Own] {
                parts_in(&View::whole(text.as_bytes(), role), |part| {
                    for at in 0..part.text.len() {
                        assert!(part.place_of(at) < text.len());
                    }
                });
            }
        }
    }
}
