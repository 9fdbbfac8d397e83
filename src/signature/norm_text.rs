//! Tier `norm-text/1`: the digest of a text in its normal form.
//!
//! Copies are checked out with other line ends, saved by editors that add a byte order mark or drop blanks at line
//! ends, and mailed through systems that touch the last newline. None of that changes what a person reads. The normal
//! form takes it away; two contents with the same form hold the same text. The rules are fixed for good under this id:
//!
//! 1. **Decode.** The first that applies:
//!    - begins with `EF BB BF`: those three bytes are dropped, the rest is taken as it is;
//!    - begins with `FF FE` or `FE FF`: the mark is dropped, the rest is UTF-16, little- or big-endian;
//!    - no mark, an even length of at least 16 bytes, and among the 16-bit units of the first 4096 bytes none is zero
//!      and at least three quarters have a zero high byte (in one and the same byte order): UTF-16 in that order;
//!    - anything else is taken as it is; it need not be UTF-8, and bytes that are not are kept.
//!
//!    UTF-16 becomes UTF-8. A surrogate without its partner becomes the three bytes that UTF-8's scheme would give it
//!    (WTF-8). UTF-16 of odd length has no normal form.
//! 2. **Text or not.** If there is a zero byte (after decoding), there is no normal form. UTF-32 ends here.
//! 3. **Line ends.** CR LF becomes LF, then each other CR becomes LF.
//! 4. **Blanks.** Spaces (20) and tabs (09) before a line end or the end of the text are dropped. No other kind of
//!    space is touched, nor is indentation.
//! 5. **End.** All line ends at the end of the text are dropped.
//! 6. **Empty.** If nothing is left, there is no normal form: it would equal that of every other empty file.
//!
//! The digest is BLAKE3-256 of the result, without a key; sets store it keyed. Comments, indentation, quotes and
//! Unicode composition are other tiers' business.
//!
//! **Speed.** A block without CR, NUL and blanks before LF is recognised with wide instructions and hashed where it
//! lies; that is nearly all text there is. Only UTF-16 is copied.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr3_iter};

/// The algorithm id of this tier.
pub const ALGORITHM: &str = "norm-text/1";

/// How much of a content without a byte order mark is looked at to tell UTF-16 from other things (rule 1).
const UTF16_WINDOW_BYTES: usize = 4096;
/// A shorter content without a byte order mark is never taken for UTF-16 (rule 1).
const UTF16_MIN_BYTES: usize = 16;
/// How much is looked at in one go to see whether something has to be changed.
const BLOCK_BYTES: usize = 4 * 1024;
/// Text in normal form goes to the hasher in pieces of about this size, so that it is still in the cache from being
/// looked at.
const RUN_BYTES: usize = 128 * 1024;
/// Pieces shorter than this (lines of a CR LF text) are gathered first: the hasher is fast on long pieces only.
const SHORT_PIECE_BYTES: usize = 2 * 1024;
/// How much is gathered before it goes to the hasher.
const GATHER_BYTES: usize = 16 * 1024;

/// Digest of the normal form of `content`, `None` when it has none (rules 1, 2 and 6).
#[must_use]
pub fn digest(content: &[u8]) -> Option<[u8; 32]> {
    let mut sink = HashSink::new();
    normalise(content, |piece| sink.put(piece))?;
    Some(sink.finish())
}

/// The normal form itself, `None` when there is none. For explaining and for checking; the digest does not need it.
#[must_use]
pub fn normal_form(content: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    normalise(content, |piece| text.extend_from_slice(piece))?;
    Some(text)
}

/// How many lines `content` has after decoding: line ends (LF, CR LF or CR), and one more if the text does not end with
/// one. `None` when it is not text (rules 1 and 2); 0 when it is empty. Stops at `u32::MAX`.
#[must_use]
pub fn lines(content: &[u8]) -> Option<u32> {
    let text = decode(content)?;
    let mut ends: u32 = 0;
    for at in memchr3_iter(b'\n', b'\r', 0, &text) {
        match text.get(at) {
            Some(0) => return None,
            Some(b'\r') if text.get(at + 1) == Some(&b'\n') => {} // counted at its LF
            _ => ends = ends.saturating_add(1),
        }
    }
    let open_line = !matches!(text.last(), None | Some(b'\n' | b'\r'));
    Some(ends.saturating_add(u32::from(open_line)))
}

/// Gives the normal form to `put`, piece by piece. `None` when there is none; what was put by then is void.
fn normalise(content: &[u8], mut put: impl FnMut(&[u8])) -> Option<()> {
    let text = decode(content)?;
    // Rules 4 and 5 at the end of the text come to the same as cutting off all blanks and line ends there: a line of
    // blanks only becomes an empty one, and that goes with the line ends.
    let body = cut_end(&text, |b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'));
    if body.is_empty() {
        return None;
    }
    // `body[run..]` is not put yet. A run goes on across blocks and line ends for as long as nothing has to be changed.
    let mut run = 0;
    let mut before = b'\n';
    for (block_at, block) in (0..).step_by(BLOCK_BYTES).zip(body.chunks(BLOCK_BYTES)) {
        if !is_clean(before, block) {
            run = normalise_block(body, run, block_at..block_at + block.len(), &mut put)?;
        }
        before = block.last().copied().unwrap_or(before);
        let done = block_at + block.len();
        // Blanks at the end of a run must wait: they go if a line end follows.
        if done - run >= RUN_BYTES && !is_blank(before) {
            put(&body[run..done]);
            run = done;
        }
    }
    put(&body[run..]);
    Some(())
}

/// Whether nothing in `block` has to be changed: no CR, no NUL, no blank before an LF. `before` is the byte in front of
/// the block. Written so that the compiler makes wide instructions of it.
fn is_clean(before: u8, block: &[u8]) -> bool {
    let is_suspect =
        |before: u8, byte: u8| (byte == 0) | (byte == b'\r') | ((byte == b'\n') & is_blank(before));
    let Some((&first, rest)) = block.split_first() else {
        return true;
    };
    let pairs = block.iter().zip(rest);
    let suspects = pairs.fold(
        u8::from(is_suspect(before, first)),
        |any, (&before, &byte)| any | u8::from(is_suspect(before, byte)),
    );
    suspects == 0
}

/// Puts what is pending from `run` on and changed within `block`, and says where the next run begins. `None` at a NUL.
fn normalise_block(
    body: &[u8],
    mut run: usize,
    block: Range<usize>,
    put: &mut impl FnMut(&[u8]),
) -> Option<usize> {
    for at in memchr3_iter(b'\n', b'\r', 0, &body[block.clone()]) {
        let at = block.start + at;
        let pending = &body[run..at];
        let line = cut_end(pending, is_blank);
        match body[at] {
            0 => return None,
            b'\n' => {
                if line.len() < pending.len() {
                    put(line);
                    run = at; // the LF opens the next run
                }
            }
            _ => {
                put(line);
                if body.get(at + 1) != Some(&b'\n') {
                    put(b"\n");
                }
                run = at + 1; // where the CR had an LF, that opens the next run
            }
        }
    }
    Some(run)
}

/// Space or tab, and no other kind (rule 4).
fn is_blank(byte: u8) -> bool {
    (byte == b' ') | (byte == b'\t')
}

/// `text` without the bytes at its end that `is_cut` names.
fn cut_end(text: &[u8], is_cut: impl Fn(u8) -> bool) -> &[u8] {
    let kept = text
        .iter()
        .rposition(|&b| !is_cut(b))
        .map_or(0, |at| at + 1);
    &text[..kept]
}

/// The text of a content as fingerprints are made of it, in UTF-8 or what comes near it; `None` where it is none.
///
/// More is text here than has a normal form: a byte too many at the end of UTF-16 is left out, and zeros here and there in what
/// is otherwise text are blanks. Either would hide a copy from everything.
#[must_use]
pub fn text_of(content: &[u8]) -> Option<Cow<'_, [u8]>> {
    let is_whole = |text: &Cow<'_, [u8]>| memchr(0, text).is_none();
    let even = &content[..content.len() & !1];
    decode(content)
        .filter(is_whole)
        .or_else(|| decode(even).filter(is_whole).filter(|_| is_utf16(even)))
        .or_else(|| without_zeros(content).map(Cow::Owned))
}

/// A text with blanks in the place of its zeros, if they are few and it has hardly any other control characters.
fn without_zeros(content: &[u8]) -> Option<Vec<u8>> {
    /// Bytes that are looked at first.
    const HEAD_BYTES: usize = 4096;
    /// Of as many bytes one may be a zero or another control character.
    const ONE_IN: usize = 64;
    let is_odd = |b: &&u8| b.is_ascii_control() && !b.is_ascii_whitespace();
    let is_text = |bytes: &[u8]| bytes.iter().filter(is_odd).count() <= bytes.len() / ONE_IN + 1;
    let head = &content[..content.len().min(HEAD_BYTES)];
    if !is_text(head) || !is_text(content) {
        return None;
    }
    let blank = |&b: &u8| if b == 0 { b' ' } else { b };
    Some(content.iter().map(blank).collect())
}

/// Whether a content is UTF-16, by its mark or what it looks like.
fn is_utf16(content: &[u8]) -> bool {
    matches!(content, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) || order_of_unmarked(content).is_some()
}

/// Rule 1: the text as UTF-8 (or as what it is), without byte order mark.
fn decode(content: &[u8]) -> Option<Cow<'_, [u8]>> {
    match content {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Some(Cow::Borrowed(rest)),
        [0xFF, 0xFE, rest @ ..] => decode_utf16(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xFE, 0xFF, rest @ ..] => decode_utf16(rest, u16::from_be_bytes).map(Cow::Owned),
        _ => decode_unmarked(content),
    }
}

/// A content without a byte order mark. Zero bytes early on mean UTF-16 or no text at all.
fn decode_unmarked(content: &[u8]) -> Option<Cow<'_, [u8]>> {
    let window = &content[..content.len().min(UTF16_WINDOW_BYTES)];
    if memchr(0, window).is_none() {
        return Some(Cow::Borrowed(content));
    }
    decode_utf16(content, order_of_unmarked(content)?).map(Cow::Owned)
}

/// The order of the bytes in a unit, of what is UTF-16 without a mark.
fn order_of_unmarked(content: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    if content.len() < UTF16_MIN_BYTES || !content.len().is_multiple_of(2) {
        return None;
    }
    let window = &content[..content.len().min(UTF16_WINDOW_BYTES)];
    let orders: [fn([u8; 2]) -> u16; 2] = [u16::from_le_bytes, u16::from_be_bytes];
    orders
        .into_iter()
        .find(|&order| is_clearly_utf16(window, order))
}

/// No unit is zero, and three quarters or more are below U+0100.
fn is_clearly_utf16(window: &[u8], order: fn([u8; 2]) -> u16) -> bool {
    let (units, _) = window.as_chunks::<2>();
    let mut low_units = 0;
    for &unit in units {
        match order(unit) {
            0 => return false,
            0x01..=0xFF => low_units += 1,
            _ => {}
        }
    }
    low_units * 4 >= units.len() * 3
}

/// Where characters of the decoded text stand in `content`: for each byte of the text in `bytes` (ascending) the bytes of
/// the character that it is part of. `None` where the text stands in the content as it is.
pub(super) fn places_in_content(content: &[u8], bytes: &[u64]) -> Option<Vec<Range<u64>>> {
    let (mark_len, order): (usize, fn([u8; 2]) -> u16) = match content {
        [0xEF, 0xBB, 0xBF, ..] => {
            return Some(bytes.iter().map(|&byte| byte + 3..byte + 4).collect());
        }
        [0xFF, 0xFE, ..] => (2, u16::from_le_bytes),
        [0xFE, 0xFF, ..] => (2, u16::from_be_bytes),
        _ => {
            let window = &content[..content.len().min(UTF16_WINDOW_BYTES)];
            memchr(0, window)?;
            (0, order_of_unmarked(&content[..content.len() & !1])?)
        }
    };
    let (units, _) = content.get(mark_len..)?.as_chunks::<2>();
    let mut placed = Vec::with_capacity(bytes.len());
    let mut wanted = bytes.iter().peekable();
    let (mut at, mut in_text) = (mark_len as u64, 0);
    for decoded in char::decode_utf16(units.iter().map(|&unit| order(unit))) {
        // A lone surrogate takes three bytes: see `wtf8_of_surrogate`.
        let (len, text_len) = decoded.map_or((2, 3), |c| (2 * c.len_utf16(), c.len_utf8()));
        in_text += text_len as u64;
        while wanted.next_if(|&&byte| byte < in_text).is_some() {
            placed.push(at..at + len as u64);
        }
        at += len as u64;
        if wanted.peek().is_none() {
            break;
        }
    }
    placed.extend(wanted.map(|_| at..at));
    Some(placed)
}

/// UTF-16 to UTF-8, lone surrogates as WTF-8. `None` when a byte is left over.
fn decode_utf16(bytes: &[u8], order: fn([u8; 2]) -> u16) -> Option<Vec<u8>> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let mut text = Vec::with_capacity(units.len());
    let mut utf8 = [0; 4];
    for decoded in char::decode_utf16(units.iter().map(|&unit| order(unit))) {
        match decoded {
            Ok(c) => text.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes()),
            Err(lone) => text.extend_from_slice(&wtf8_of_surrogate(lone.unpaired_surrogate())),
        }
    }
    Some(text)
}

/// The three bytes that UTF-8's scheme gives to a code point between U+0800 and U+FFFF.
fn wtf8_of_surrogate(unit: u16) -> [u8; 3] {
    let low_six = |shift: u16| ((unit >> shift) & 0x3F) as u8;
    [
        0xE0 | (unit >> 12) as u8,
        0x80 | low_six(6),
        0x80 | low_six(0),
    ]
}

/// Hands long pieces to BLAKE3 as they are and gathers short ones.
struct HashSink {
    hasher: blake3::Hasher,
    gathered: Vec<u8>,
}

impl HashSink {
    fn new() -> Self {
        HashSink {
            hasher: blake3::Hasher::new(),
            gathered: Vec::new(),
        }
    }

    fn put(&mut self, piece: &[u8]) {
        let is_short = piece.len() < SHORT_PIECE_BYTES;
        if !is_short || self.gathered.len() >= GATHER_BYTES {
            self.hasher.update(&self.gathered);
            self.gathered.clear();
        }
        if is_short {
            self.gathered.extend_from_slice(piece);
        } else {
            self.hasher.update(piece);
        }
    }

    fn finish(mut self) -> [u8; 32] {
        self.hasher.update(&self.gathered);
        *self.hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::digest::hex;
    use super::*;

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    fn joined(mark: &[u8], rest: &[u8]) -> Vec<u8> {
        [mark, rest].concat()
    }

    /// Published for good: an entry may be added, none may change. Computed with a second implementation, in Python.
    #[test]
    fn golden_vectors() {
        let le = u16::to_le_bytes;
        let be = u16::to_be_bytes;
        let hello = "205eee3a67dde1a72e376f21dc98b892a2ba2e255e70c5bab16a94bf842e6be2";
        let code = "37d5f2d7fd4c30bc24fb771774d0b7826b46d7d4776a87351f72f97e746a8198";
        let vectors: Vec<(Vec<u8>, Option<&str>)> = vec![
            (b"hello\nworld".to_vec(), Some(hello)),
            (b"hello\nworld\n".to_vec(), Some(hello)),
            (b"hello\r\nworld\r\n\r\n".to_vec(), Some(hello)),
            (b"hello\rworld\r".to_vec(), Some(hello)),
            (b"hello \t\nworld\t \n \n\t\n".to_vec(), Some(hello)),
            (joined(b"\xEF\xBB\xBF", b"hello\nworld\n"), Some(hello)),
            (
                joined(b"\xFF\xFE", &utf16("hello\r\nworld\r\n", le)),
                Some(hello),
            ),
            (joined(b"\xFE\xFF", &utf16("hello\nworld", be)), Some(hello)),
            (utf16("hello\nworld", le), Some(hello)),
            (utf16("hello\nworld", be), Some(hello)),
            ("const π = \"naïve 💡\";\n".into(), Some(code)),
            (
                joined(b"\xFF\xFE", &utf16("const π = \"naïve 💡\";", le)),
                Some(code),
            ),
            (
                b"\n\n a  b\n".to_vec(),
                Some("8f927cf5aa6334eefe3ddaf68a561c0bb2d04abb28da7fc5866c32275416ea95"),
            ),
            (
                b"caf\xE9\xFF\n".to_vec(),
                Some("ac14284b776a5faf7e7bea63f21a851328c1fd0186c3e0d232bd7d80df669d43"),
            ),
            (
                b"a\r\r\nb".to_vec(),
                Some("ffc5ee5b46ac6c8aa7cb5add0f958a42caea84972dcc07abc221b44e92914905"),
            ),
            (
                b"a\x0C\nb\xC2\xA0\n".to_vec(),
                Some("c081b66aba8f9160be681bd0615767236dce0e6793221a91103021e0317a195a"),
            ),
            (
                b"\xFF\xFEa\0\x00\xD8b\0".to_vec(),
                Some("5424a5a09958375fdb08ce5ab2a7d7b1519d1c088d2fe2e2db9dbee0b6fb8979"),
            ),
            (
                b"\xEF\xBB\xBF\xEF\xBB\xBFx".to_vec(),
                Some("9e17d894da4b20ef8b4fb64be1233d2d521ad60b0ee1eb23a774ff7dfc5d44c2"),
            ),
            (
                golden_long_text(),
                Some("dcc0e04b4c8bf2afb0c7fe5d39b88330fc5b334fb7c5f34b89a848a4a954a520"),
            ),
            (b"".to_vec(), None),
            (b" \t\r\n".to_vec(), None),
            (b"a\0b".to_vec(), None),
            (b"\xFF\xFEa\0b".to_vec(), None),
            (b"\xFF\xFE\0\0a\0\0\0".to_vec(), None),
            (utf16("1234567", le), None),
        ];
        for (content, expected) in vectors {
            let shown = String::from_utf8_lossy(&content[..content.len().min(40)]).into_owned();
            assert_eq!(
                digest(&content).map(|d| hex(&d)).as_deref(),
                expected,
                "{shown:?}"
            );
        }
    }

    /// 20,000 lines, every hundredth with a blank at its end.
    fn golden_long_text() -> Vec<u8> {
        let line = |n: u32| {
            format!(
                "  line {n};{}\n",
                if n.is_multiple_of(100) { " " } else { "" }
            )
        };
        (0..20_000).map(line).collect::<String>().into_bytes()
    }

    /// The rules one after the other, each in the plainest way.
    fn slow_normal_form(content: &[u8]) -> Option<Vec<u8>> {
        let text = decode(content)?;
        if text.contains(&0) {
            return None;
        }
        let mut lf = Vec::new();
        for (at, &byte) in text.iter().enumerate() {
            match byte {
                b'\r' if text.get(at + 1) == Some(&b'\n') => {}
                b'\r' => lf.push(b'\n'),
                other => lf.push(other),
            }
        }
        let mut lines = Vec::new();
        for line in lf.split(|&b| b == b'\n') {
            let mut line = line.to_vec();
            while matches!(line.last(), Some(b' ' | b'\t')) {
                line.pop();
            }
            lines.push(line);
        }
        while lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        (!lines.is_empty()).then(|| lines.join(&b'\n'))
    }

    #[test]
    fn utf16_without_a_mark_needs_three_quarters_of_low_units() {
        let clear = utf16("abcdef汉字", u16::to_le_bytes);
        assert_eq!(
            normal_form(&clear).as_deref(),
            Some("abcdef汉字".as_bytes())
        );
        let unclear = utf16("abcde汉字字", u16::to_le_bytes);
        assert_eq!(normal_form(&unclear), None);
        let odd = [utf16("abcdefgh", u16::to_le_bytes), vec![b'x']].concat();
        assert_eq!(normal_form(&odd), None);
    }

    #[test]
    fn zero_byte_anywhere_means_no_text() {
        for at in [0, 1, 5000, 299_999] {
            let mut content = b"some text\n".repeat(30_000);
            content[at] = 0;
            assert_eq!(digest(&content), None, "at {at}");
            assert_eq!(lines(&content), None, "at {at}");
        }
    }

    #[test]
    fn blanks_across_blocks_and_runs_are_dropped() {
        for text_bytes in [BLOCK_BYTES, RUN_BYTES, 2 * RUN_BYTES] {
            for blanks in [1, 20, BLOCK_BYTES + 1] {
                for shift in 0..3 {
                    let text = "x".repeat(text_bytes - shift);
                    let content = format!("{text}{}\nend", " ".repeat(blanks));
                    let inside = format!("{text}{}end", " ".repeat(blanks));
                    let expected = format!("{text}\nend");
                    assert!(
                        normal_form(content.as_bytes()).as_deref() == Some(expected.as_bytes())
                    );
                    assert!(normal_form(inside.as_bytes()).as_deref() == Some(inside.as_bytes()));
                }
            }
        }
    }

    #[test]
    fn lines_count_every_kind_of_end() {
        let cases: [(&[u8], Option<u32>); 8] = [
            (b"", Some(0)),
            (b"\n", Some(1)),
            (b"a", Some(1)),
            (b"a\nb\n", Some(2)),
            (b"a\r\nb\rc\n\nd", Some(5)),
            (b"\xFF\xFEa\0\n\0b\0", Some(2)),
            (b"\xEF\xBB\xBF", Some(0)),
            (b"a\0", None),
        ];
        for (content, expected) in cases {
            assert_eq!(lines(content), expected, "{content:?}");
        }
    }

    #[test]
    fn places_lead_back_to_the_content() {
        let text = "ab é 漢 💡 z";
        let all: Vec<u64> = (0..text.len() as u64).collect();
        let of_text: Vec<char> = text
            .char_indices()
            .flat_map(|(_, c)| std::iter::repeat_n(c, c.len_utf8()))
            .collect();
        for (mark, to_bytes, of_bytes) in [
            (
                &b"\xFF\xFE"[..],
                u16::to_le_bytes as fn(u16) -> [u8; 2],
                u16::from_le_bytes as fn([u8; 2]) -> u16,
            ),
            (b"\xFE\xFF", u16::to_be_bytes, u16::from_be_bytes),
        ] {
            let content = joined(mark, &utf16(text, to_bytes));
            let places = places_in_content(&content, &all).unwrap();
            for (place, expected) in places.iter().zip(&of_text) {
                let bytes = &content[place.start as usize..place.end as usize];
                let (units, _) = bytes.as_chunks::<2>();
                let units: Vec<u16> = units.iter().map(|&unit| of_bytes(unit)).collect();
                assert_eq!(String::from_utf16(&units).unwrap(), expected.to_string());
            }
            assert_eq!(places.len(), all.len());
        }
        let unmarked = utf16("plain text of letters", u16::to_le_bytes);
        let of_unmarked = places_in_content(&unmarked, &[3, 4]);
        assert_eq!(of_unmarked, Some(vec![6..8, 8..10]));
        assert_eq!(
            places_in_content(b"\xEF\xBB\xBFabc", &[0, 2]),
            Some(vec![3..4, 5..6])
        );
        assert_eq!(places_in_content(b"abc", &[0, 2]), None);
    }

    #[test]
    fn a_stray_byte_hides_no_text() {
        let text = "plain text of letters, and some more";
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let mut odd = utf16(text, order);
            odd.push(b'x');
            assert_eq!(text_of(&odd).as_deref(), Some(text.as_bytes()));
            let marked = [&order(0xFEFF)[..], &odd].concat();
            assert_eq!(text_of(&marked).as_deref(), Some(text.as_bytes()));
        }
        let stray = [text.as_bytes(), b"\0", text.as_bytes()].concat();
        let blank = format!("{text} {text}");
        assert_eq!(text_of(&stray).as_deref(), Some(blank.as_bytes()));
        assert_eq!(places_in_content(&stray, &[0, 2]), None);
        let binary: Vec<u8> = (0..=255).cycle().take(5000).collect();
        assert_eq!(text_of(&binary), None);
    }

    /// Bytes that make every rule meet every other.
    fn tricky_text() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            &b"\r"[..],
            b"\n",
            b"\r\n",
            b" ",
            b"\t",
            b"a",
            b"bc",
            b"\xFF",
            b"\xEF\xBB\xBF",
            b"\xFF\xFE",
            b"x\0",
            b"\0x",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn agrees_with_the_rules_applied_one_by_one(text in tricky_text()) {
            let expected = slow_normal_form(&text);
            prop_assert_eq!(normal_form(&text), expected.clone());
            prop_assert_eq!(digest(&text), expected.map(|form| *blake3::hash(&form).as_bytes()));
        }

        #[test]
        fn long_texts_are_hashed_as_their_form(text in tricky_text(), times in 1_usize..3000, other in tricky_text()) {
            let long = [text.repeat(times), other].concat();
            let expected = slow_normal_form(&long).map(|form| *blake3::hash(&form).as_bytes());
            prop_assert_eq!(digest(&long), expected);
        }

        #[test]
        fn every_encoding_of_a_text_has_its_form(text in "[a-z \t\r\n\u{e9}\u{6f22}\u{1F4A1}]{1,60}") {
            let plain = digest(text.as_bytes());
            prop_assert_eq!(digest(&joined(b"\xEF\xBB\xBF", text.as_bytes())), plain);
            prop_assert_eq!(digest(&joined(b"\xFF\xFE", &utf16(&text, u16::to_le_bytes))), plain);
            prop_assert_eq!(digest(&joined(b"\xFE\xFF", &utf16(&text, u16::to_be_bytes))), plain);
        }

        #[test]
        fn any_bytes_are_normalised_or_refused_without_a_panic(content in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(normal_form(&content), slow_normal_form(&content));
            let _ = lines(&content);
        }
    }
}
