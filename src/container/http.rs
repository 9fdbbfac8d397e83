//! HTTP messages as captures keep them: a head, and a body that may be coded twice.
//!
//! A capture holds what went over the wire. So a script in it may come in chunks (RFC 9112, 7.1) of a brotli stream
//! (RFC 9110, 8.4), and neither of the two is told by its first bytes: both are undone here, where the head that says
//! so is at hand. The same goes for gzip and zstd, though those are told by their bytes: a link in a script means
//! something only beside the script's own URL, one hop from the capture.
//!
//! Crawlers undo codings themselves and leave the head as it was. So a head is a claim: a body that does not begin as
//! its coding does is given as it stands. What does begin so and then breaks gives what came before the break, and the
//! caller gives the coded bytes too; so it does with what follows the end of a coding, trailer fields included.
//!
//! The head of a WARC record has the same form and is read here too. Left out: links in trailer fields, the coding
//! `compress`, which nobody sends, and a `SourceMap` header that is the map itself, as a `data:` URL.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;

use bytes::Bytes;

use super::{Trouble, brotli, safe};
use crate::blob::{Decoders, room};

/// Codings that are undone of one body; real ones have one.
const CODINGS_MAX: usize = 4;
/// Fields that are read of one head.
const FIELDS_MAX: usize = 4_096;

/// A start line, fields, an empty line.
#[derive(Debug)]
pub struct Head {
    /// Length in bytes, with the empty line.
    pub len: usize,
    /// Names in lower case and values without blanks round them, in their order.
    fields: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Head {
    /// Reads the head at the front of `message`; `None` where no empty line ends it. Lines may end with a line feed
    /// alone, and a line that begins with a blank continues the one before (RFC 9112, 5.2).
    pub fn read(message: &[u8]) -> Option<Self> {
        let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut at = memchr::memchr(b'\n', message)? + 1;
        loop {
            let rest = message.get(at..)?;
            let end = memchr::memchr(b'\n', rest)?;
            let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            at += end + 1;
            if line.is_empty() {
                return Some(Self { len: at, fields });
            }
            let is_continued = line.starts_with(b" ") || line.starts_with(b"\t");
            if let (true, Some((_, value))) = (is_continued, fields.last_mut()) {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            } else if let Some(colon) = memchr::memchr(b':', line)
                && fields.len() < FIELDS_MAX
            {
                let name = line[..colon].trim_ascii().to_ascii_lowercase();
                fields.push((name, line[colon + 1..].trim_ascii().to_vec()));
            }
        }
    }

    /// The values of all fields called `name`, which is in lower case.
    pub fn all(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        self.fields
            .iter()
            .filter(move |(other, _)| other == name.as_bytes())
            .map(|(_, value)| value.as_slice())
    }

    /// The value of the first field called `name`, which is in lower case.
    pub fn first(&self, name: &'static str) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// Where the head says that the source map is.
    pub fn links(&self) -> Vec<Vec<u8>> {
        let mut links = Vec::new();
        for (name, value) in &self.fields {
            note_link(name, value, &mut links);
        }
        distinct(links)
    }

    /// The codings that were applied to the body, in their order and in lower case.
    fn codings(&self, field: &'static str) -> Vec<Vec<u8>> {
        self.all(field)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(|coding| coding.trim_ascii().to_ascii_lowercase())
            .filter(|coding| !coding.is_empty() && coding != b"identity")
            .collect()
    }

    /// Whether the body comes in chunks.
    pub fn is_chunked(&self) -> bool {
        self.codings("transfer-encoding")
            .last()
            .is_some_and(|coding| coding == b"chunked")
    }

    /// Whether the body is coded in any way.
    pub fn is_coded(&self) -> bool {
        self.is_chunked() || !self.codings("content-encoding").is_empty()
    }
}

/// Notes the value of a header that says where the source map of a response is: `SourceMap`, and `X-SourceMap` as it was
/// called before (ECMA-426, "Linking through HTTP headers"). Names may be of either case.
pub fn note_link(name: &[u8], value: &[u8], links: &mut Vec<Vec<u8>>) {
    let is_link =
        name.eq_ignore_ascii_case(b"sourcemap") || name.eq_ignore_ascii_case(b"x-sourcemap");
    let value = value.trim_ascii();
    if is_link && !value.is_empty() {
        links.push(value.to_vec());
    }
}

/// Links without those that were there before, in their order.
pub fn distinct(links: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut seen = HashSet::new();
    let is_new: Vec<bool> = links.iter().map(|link| seen.insert(link)).collect();
    let links = links.into_iter().zip(is_new);
    links
        .filter_map(|(link, is_new)| is_new.then_some(link))
        .collect()
}

/// A body with its codings undone, as far as that went.
#[derive(Debug)]
pub struct Plain {
    /// The bytes.
    pub bytes: Bytes,
    /// Why they are not all of them, or what is odd.
    pub trouble: Option<Trouble>,
    /// From where on the coded body is to be given as well: it holds what these bytes do not.
    pub coded_from: Option<usize>,
}

/// Undoes the codings that `head` states for `body`; gives at most `most` bytes.
pub fn plain(head: &Head, body: Bytes, most: u64, decoders: Decoders) -> Plain {
    let mut plain = Plain {
        bytes: body.clone(),
        trouble: None,
        coded_from: None,
    };
    if head.is_chunked() {
        plain = unchunked(&plain.bytes);
    }
    // As long as nothing was undone, places in these bytes are places in the body.
    let mut is_body = plain.bytes.as_ptr() == body.as_ptr();
    // The last coding was applied last.
    let codings = head.codings("content-encoding");
    for coding in codings.iter().rev().take(CODINGS_MAX) {
        match undone(coding, &plain.bytes, most, decoders) {
            Some(inner) => {
                plain.bytes = inner.bytes;
                plain.trouble = plain.trouble.or(inner.trouble);
                let from = inner.coded_from.map(|from| if is_body { from } else { 0 });
                plain.coded_from = plain.coded_from.into_iter().chain(from).min();
                is_body = false;
            }
            None => break,
        }
    }
    plain
}

// ---------------------------------------------------------------------------------------------------------------
// Transfer coding

/// Puts chunks together. A body that does not begin with the length of a chunk is none, and stays as it is.
fn unchunked(body: &Bytes) -> Plain {
    let mut whole = Vec::new();
    let mut at = 0;
    let fault = loop {
        let Some((len, data_at)) = chunk(body, at) else {
            if at == 0 {
                let bytes = body.clone();
                return Plain {
                    bytes,
                    trouble: None,
                    coded_from: None,
                };
            }
            break Some(at);
        };
        if len == 0 {
            return behind_chunks(whole, body, data_at);
        }
        let data = &body[data_at..];
        whole.extend_from_slice(&data[..data.len().min(len)]);
        let end = data_at.saturating_add(len);
        let behind = body.get(end..).unwrap_or_default();
        at = match behind {
            [b'\r', b'\n', ..] => end + 2,
            [b'\n', ..] => end + 1,
            _ => break Some(end.min(body.len())),
        };
    };
    let trouble = fault.map(|at| {
        Trouble::damaged(
            "chunks-damaged",
            format!("the chunks of the body break off or are damaged at its byte {at}; what came before was put together"),
            Some((body.len() - at) as u64),
        )
    });
    Plain {
        bytes: whole.into(),
        coded_from: trouble.is_some().then_some(0),
        trouble,
    }
}

/// What stands behind the last chunk: nothing, or trailer fields up to an empty line (RFC 9112, 7.1.2). What follows
/// that belongs to nothing.
fn behind_chunks(whole: Vec<u8>, body: &[u8], at: usize) -> Plain {
    let rest = &body[at..];
    let mut end = 0;
    for line in rest.split_inclusive(|&byte| byte == b'\n') {
        let is_last = line.trim_ascii().is_empty();
        if !is_last && !line.contains(&b':') {
            break;
        }
        end += line.len();
        if is_last {
            break;
        }
    }
    let stray = rest.get(end..).unwrap_or_default();
    let is_stray = !stray.trim_ascii().is_empty();
    Plain {
        bytes: whole.into(),
        trouble: is_stray.then(|| trailing("last chunk", stray.len())),
        coded_from: (!rest.trim_ascii().is_empty()).then_some(at),
    }
}

fn trailing(what: &str, len: usize) -> Trouble {
    Trouble::odd(
        "trailing-data",
        format!("{len} bytes follow the {what} of the body; they were scanned as they stand"),
    )
}

/// The length of the chunk at `at`, and where its data begins.
fn chunk(body: &[u8], at: usize) -> Option<(usize, usize)> {
    /// Digits and extensions; real lines have eight bytes.
    const LINE_MAX: usize = 4 << 10;
    let rest = body.get(at..)?;
    let end = memchr::memchr(b'\n', &rest[..rest.len().min(LINE_MAX)])?;
    let line = rest[..end].split(|&byte| byte == b';').next()?;
    let digits = std::str::from_utf8(line.trim_ascii()).ok()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let len = is_number.then(|| usize::from_str_radix(digits, 16))?;
    Some((len.ok()?, at + end + 1))
}

// ---------------------------------------------------------------------------------------------------------------
// Content coding

/// What `body` unfolds to; `None` where it stays as it is.
fn undone(coding: &[u8], body: &Bytes, most: u64, decoders: Decoders) -> Option<Plain> {
    if body.is_empty() {
        return None;
    }
    let mut rest: &[u8] = body;
    let (bytes, ended) = match coding {
        b"gzip" | b"x-gzip" if body.starts_with(b"\x1f\x8b") => {
            let unfolded = unfold(flate2::bufread::MultiGzDecoder::new(&mut rest), most);
            // Read as a container of its own, a stream that is not clean says more.
            return (unfolded.1 == Ended::Well && rest.is_empty()).then(|| whole(unfolded.0));
        }
        b"deflate" if is_zlib(body) => unfold(flate2::bufread::ZlibDecoder::new(&mut rest), most),
        // Servers of old sent it without its frame (RFC 9110, 8.4.1.2).
        b"deflate" => unfold(flate2::bufread::DeflateDecoder::new(&mut rest), most),
        b"br" => {
            let (bytes, taken, is_ended) = brotli::unfold(body, most);
            rest = &body[taken..];
            let ended = if is_ended { Ended::Well } else { Ended::Broken };
            cut(bytes, ended, most)
        }
        b"zstd" if body.starts_with(b"\x28\xb5\x2f\xfd") => {
            // What it leaves shows in `rest`.
            let input = &mut rest;
            let decoder = safe::zstd(input, decoders)?;
            unfold(decoder, most)
        }
        b"gzip" | b"x-gzip" | b"zstd" => return None,
        unknown => {
            let trouble = Trouble::skipped(
                "unsupported",
                format!(
                    "the body has the content coding {}, which is not known; it was read as it stands",
                    shown(unknown)
                ),
                Some(body.len() as u64),
            );
            return Some(Plain {
                bytes: body.clone(),
                trouble: Some(trouble),
                coded_from: None,
            });
        }
    };
    let behind = body.len() - rest.len();
    let is_white = rest.trim_ascii().is_empty();
    match ended {
        Ended::Well if is_white => Some(whole(bytes)),
        Ended::Full => Some(Plain {
            bytes: bytes.into(),
            trouble: Some(Trouble::damaged(
                "memory-limit",
                format!("the body unfolds to more than may be held ({most} bytes); raise --memory"),
                None,
            )),
            coded_from: None,
        }),
        // Text is not what a coding makes: somebody undid it and left the head as it was.
        _ if is_text(body) => None,
        Ended::Well => Some(Plain {
            bytes: bytes.into(),
            trouble: Some(trailing("end of the content coding", rest.len())),
            coded_from: Some(behind),
        }),
        _ => Some(Plain {
            bytes: bytes.into(),
            trouble: Some(Trouble::damaged(
                "content-coding-damaged",
                format!(
                    "the body is cut or damaged within its content coding ({}); what unfolds of it was read, and the coded bytes as they stand",
                    shown(coding)
                ),
                None,
            )),
            coded_from: Some(0),
        }),
    }
}

fn whole(bytes: Vec<u8>) -> Plain {
    Plain {
        bytes: bytes.into(),
        trouble: None,
        coded_from: None,
    }
}

/// How a decoder ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    Broken,
    /// There is more than may be held.
    Full,
}

fn unfold(mut decoder: impl Read, most: u64) -> (Vec<u8>, Ended) {
    let mut bytes = Vec::new();
    let result = room::read(&mut decoder, most.saturating_add(1), &mut bytes);
    let ended = result.map_or(Ended::Broken, |_| Ended::Well);
    cut(bytes, ended, most)
}

/// No more of what was unfolded than may be held.
fn cut(mut bytes: Vec<u8>, ended: Ended, most: u64) -> (Vec<u8>, Ended) {
    if bytes.len() as u64 > most {
        bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        return (bytes, Ended::Full);
    }
    (bytes, ended)
}

/// Whether bytes begin as a zlib stream does (RFC 1950, 2.2).
fn is_zlib(bytes: &[u8]) -> bool {
    let Some(&[method, flags]) = bytes.first_chunk::<2>() else {
        return false;
    };
    method & 0x0f == 8 && (u16::from(method) << 8 | u16::from(flags)).is_multiple_of(31)
}

/// Whether bytes begin as text does, without control characters.
fn is_text(bytes: &[u8]) -> bool {
    const LOOK: usize = 4 << 10;
    let head = &bytes[..bytes.len().min(LOOK)];
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    is_utf8
        && head
            .iter()
            .all(|byte| *byte >= b' ' || byte.is_ascii_whitespace())
}

/// A word of a head for people, in few characters.
fn shown(word: &[u8]) -> Cow<'_, str> {
    const MOST: usize = 40;
    let text = String::from_utf8_lossy(&word[..word.len().min(MOST)]);
    Cow::Owned(crate::blob::locator::shown(&text))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn head(text: &str) -> Head {
        Head::read(text.as_bytes()).expect("a head")
    }

    fn coded(coding: &str, body: &[u8]) -> (Vec<u8>, Option<String>) {
        let head = head(&format!("HTTP/1.1 200 OK\r\n{coding}\r\n\r\n"));
        let plain = plain(&head, Bytes::copy_from_slice(body), 1 << 20, Decoders::Fast);
        let code = plain.trouble.map(|trouble| trouble.code.into_owned());
        (plain.bytes.to_vec(), code)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8], framed: bool) -> Vec<u8> {
        let level = flate2::Compression::fast();
        if framed {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).unwrap();
            return encoder.finish().unwrap();
        }
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// `console.log("brotli");` twenty times, by the reference encoder (quality 9).
    const BROTLI: &[u8] = &[
        0x1b, 0xcb, 0x01, 0x00, 0xc4, 0x6d, 0xec, 0x77, 0xa6, 0xab, 0x4e, 0xe3, 0xf4, 0x5e, 0x27,
        0x02, 0x41, 0x88, 0xaa, 0x10, 0x06, 0xab, 0xea, 0xc4, 0xf4, 0x2d, 0xa9, 0x71, 0xf4, 0xe9,
        0xb9, 0x88, 0x32, 0x02,
    ];

    fn brotli_text() -> Vec<u8> {
        b"console.log(\"brotli\");\n".repeat(20)
    }

    #[test]
    fn a_head_is_read_line_by_line() {
        let text = "HTTP/1.1 200 OK\r\nX-SourceMap: a.map\r\nsourcemap:\tb.map \r\nFolded: one\r\n  two\r\nnothing\n\nbody";
        let head = head(text);
        assert_eq!(&text[head.len..], "body");
        assert_eq!(head.links(), [b"a.map".to_vec(), b"b.map".to_vec()]);
        assert_eq!(head.first("folded"), Some(&b"one two"[..]));
        assert_eq!(head.first("nothing"), None);
        assert!(Head::read(b"HTTP/1.1 200 OK\r\nA: b\r\n").is_none());
    }

    #[test]
    fn chunks_are_put_together() {
        let chunked = "Transfer-Encoding: Chunked";
        let body = b"4\r\nabcd\r\n3;name=value\r\nefg\r\n0\r\nTrailer: x\r\n\r\n";
        assert_eq!(coded(chunked, body), (b"abcdefg".to_vec(), None));
        // Put together already, with the head left as it was.
        assert_eq!(coded(chunked, b"plain"), (b"plain".to_vec(), None));
        let cut = (b"abcdef".to_vec(), Some("chunks-damaged".to_owned()));
        assert_eq!(coded(chunked, &body[..25]), cut);
        assert_eq!(
            coded(chunked, b"2\r\nab\r\nzz\r\n"),
            (b"ab".to_vec(), Some("chunks-damaged".to_owned()))
        );
        let huge = b"ffffffffffffffff\r\nab";
        assert_eq!(coded(chunked, huge).0, b"ab");
        assert_eq!(coded(chunked, b"fffffffffffffffff\r\nab").1, None);
    }

    #[test]
    fn what_follows_a_coding_is_told_of() {
        let told = |fields: &str, body: &[u8]| {
            let head = head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"));
            let plain = plain(&head, Bytes::copy_from_slice(body), 1 << 20, Decoders::Fast);
            let code = plain.trouble.map(|trouble| trouble.code.into_owned());
            (plain.bytes.to_vec(), code, plain.coded_from)
        };
        let odd = || Some("trailing-data".to_owned());
        let text = brotli_text();
        for (coding, body) in [
            ("br", BROTLI.to_vec()),
            ("deflate", deflate(&text, true)),
            ("deflate", deflate(&text, false)),
        ] {
            let field = format!("Content-Encoding: {coding}");
            let white = [&body[..], b"\r\n"].concat();
            assert_eq!(told(&field, &white), (text.clone(), None, None));
            let more = [&body[..], b"token=abc"].concat();
            let expected = (text.clone(), odd(), Some(body.len()));
            assert_eq!(told(&field, &more), expected, "{coding}");
            // No place in the chunks: all of the body is given.
            let mut chunked = format!("{:x}\r\n", more.len()).into_bytes();
            chunked.extend(&more);
            chunked.extend(b"\r\n0\r\n\r\n");
            let field = format!("{field}\r\nTransfer-Encoding: chunked");
            assert_eq!(told(&field, &chunked), (text.clone(), odd(), Some(0)));
        }
        let chunked = "Transfer-Encoding: chunked";
        let fields = b"2\r\nab\r\n0\r\nA: b\r\nC: d\r\n\r\n";
        assert_eq!(told(chunked, fields), (b"ab".to_vec(), None, Some(10)));
        for stray in [
            &b"0\r\n\r\nmore"[..],
            b"0\r\nA: b\r\n\r\nmore",
            b"0\r\nmore",
        ] {
            let body = [b"2\r\nab\r\n", stray].concat();
            assert_eq!(told(chunked, &body), (b"ab".to_vec(), odd(), Some(10)));
        }
    }

    #[test]
    fn many_links_take_linear_time() {
        let mut text = "HTTP/1.1 200 OK\r\n".to_owned();
        for n in 0..4_000 {
            text.push_str(&format!("SourceMap: {}.map\r\n", n % 2_000));
        }
        let links = head(&format!("{text}\r\n")).links();
        assert_eq!(
            (links.len(), links[1_999].as_slice()),
            (2_000, &b"1999.map"[..])
        );
    }

    #[test]
    fn every_coding_is_undone() {
        let text = brotli_text();
        for (coding, body) in [
            ("gzip", gzip(&text)),
            ("X-GZIP", gzip(&text)),
            ("deflate", deflate(&text, true)),
            ("deflate", deflate(&text, false)),
            ("br", BROTLI.to_vec()),
            ("zstd", zstd::encode_all(&text[..], 1).unwrap()),
            ("identity", text.clone()),
            ("deflate, gzip", gzip(&deflate(&text, true))),
        ] {
            let field = format!("Content-Encoding: {coding}");
            assert_eq!(coded(&field, &body), (text.clone(), None), "{coding}");
            // The head may be left over from before somebody undid it.
            assert_eq!(coded(&field, &text), (text.clone(), None), "{coding}");
        }
    }

    #[test]
    fn what_breaks_gives_what_came_before() {
        let text = brotli_text();
        for (coding, body) in [
            ("deflate", deflate(&text, true)),
            ("deflate", deflate(&text, false)),
            ("br", BROTLI.to_vec()),
            ("zstd", zstd::encode_all(&text[..], 1).unwrap()),
        ] {
            let cut = &body[..body.len() - 2];
            let (found, code) = coded(&format!("Content-Encoding: {coding}"), cut);
            assert!(text.starts_with(&found), "{coding}");
            assert_eq!(code.as_deref(), Some("content-coding-damaged"), "{coding}");
        }
        // A gzip stays one: its own reader says what is wrong with it.
        let packed = gzip(&text);
        let cut = &packed[..packed.len() - 9];
        assert_eq!(coded("Content-Encoding: gzip", cut), (cut.to_vec(), None));
        let unknown = coded("Content-Encoding: rot13", b"nopq");
        assert_eq!(unknown, (b"nopq".to_vec(), Some("unsupported".to_owned())));
    }

    #[test]
    fn a_bomb_is_cut() {
        let head = head("HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n");
        let bomb = deflate(&vec![0; 100_000], true);
        let plain = plain(&head, bomb.into(), 1_000, Decoders::Fast);
        assert_eq!(plain.bytes.len(), 1_000);
        assert_eq!(plain.trouble.unwrap().code, "memory-limit");
    }

    proptest! {
        #[test]
        fn any_body_ends(body in proptest::collection::vec(any::<u8>(), 0..300), coding in "(gzip|deflate|br|zstd|chunked)") {
            coded(&format!("Content-Encoding: {coding}\r\nTransfer-Encoding: {coding}"), &body);
        }

        #[test]
        fn any_head_ends(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(head) = Head::read(&bytes) {
                prop_assert!(head.len <= bytes.len());
            }
        }

        #[test]
        fn what_was_cut_into_chunks_comes_back(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..9)) {
            let mut body = Vec::new();
            for piece in &pieces {
                write!(body, "{:x}\r\n", piece.len()).unwrap();
                body.extend(piece);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\n\r\n");
            let found = coded("Transfer-Encoding: chunked", &body);
            prop_assert_eq!(found, (pieces.concat(), None));
        }
    }
}
