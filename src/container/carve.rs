//! Archives that stand inside something else: behind the code of a program or a script, in the tail of a picture, in a
//! dump, or in a text as base64.
//!
//! One literal pass over the content finds the places where one could begin ([`Mark`]). Most are none: the same four
//! bytes stand in every program that reads the format. So a place counts only if what begins there opens: a stream that
//! decodes with the checksum that it states (or gives so much that chance is out of the question), an archive with a
//! member. What does not is no finding and no problem, since nobody said that anything is there.
//!
//! A region ends where its archive does, as the format tells: a stream by its own end, a zip by its end record, 7z by
//! its header, tar and cpio by their headers one after the other. Where that cannot be told it reaches to the end of
//! the content. Places within a region are the archive's own business.
//!
//! In a text, base64 is taken as it is found there: in lines, as in mail, PEM or YAML; in a JSON string with its escapes;
//! in a notebook's list of lines.
//!
//! Work is bounded, so that content made of nothing but beginnings is not quadratic: so many places that fail, and so
//! many bytes that are made in looking. Where a bound is met it is said.
//!
//! Left out: zlib, raw DEFLATE and brotli, which have no magic; other encodings than base64; base64 of a tar.

use bytes::Bytes;

use super::feed::Input;
use super::{Body, Event, Format, Trouble};
use super::{asar, bzip2, cpio, gzip, sevenz, tar, xz, zip, zstd};
use crate::blob::{Limits, MemberName};

/// What could begin at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// gzip.
    Gzip,
    /// zip, at one of its local headers.
    Zip,
    /// xz.
    Xz,
    /// zstd.
    Zstd,
    /// 7z.
    SevenZ,
    /// bzip2.
    Bzip2,
    /// tar, at its first header.
    Tar,
    /// cpio in its new form.
    Cpio,
    /// asar.
    Asar,
    /// One of these, or a source map, in base64.
    Base64,
}

/// A region that holds an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it begins in the content.
    pub offset: usize,
    /// How many bytes of the content it takes.
    pub len: usize,
    /// The archive.
    pub bytes: Bytes,
}

/// What was found, and whether that is all there can be.
#[derive(Debug, Default)]
pub struct Carved {
    /// Regions in order; they do not overlap.
    pub found: Vec<Found>,
    /// What kept further places from being looked at.
    pub trouble: Option<Trouble>,
}

/// Places that turn out to be none before the search ends, beside one in so many bytes.
const FAILURES_MIN: usize = 1_024;
const FAILURES_SHARE: usize = 4 << 10;
/// Bytes that may be made in looking, beside a multiple of the content's own.
const MADE_MIN: u64 = 256 << 20;
const MADE_RATIO: u64 = 16;
/// A stream that gave so many bytes is one, though it is damaged behind them.
const ENOUGH: u64 = 64 << 10;
/// Memory that looking may take.
const MEMORY_MAX: u64 = 256 << 20;
/// Bytes that an entry of a zip without directory may give in looking.
const ENTRY_MAX: u64 = 16 << 20;
/// A shorter run of base64 holds no archive.
const BASE64_MIN: usize = 32;
/// White space and escapes between two digits of base64: an indented line.
const GAP_MAX: usize = 256;

/// Looks at the places that the literal pass found, which are in order. `is_map` tells a source map.
pub fn archives(
    content: &Bytes,
    marks: impl IntoIterator<Item = (usize, Mark)>,
    limits: &Limits,
    is_map: fn(&[u8]) -> bool,
) -> Carved {
    let mut search = Search {
        content,
        limits: Limits {
            memory: limits.memory.min(MEMORY_MAX),
            ..limits.clone()
        },
        is_map,
        made: 0,
        made_max: MADE_MIN.max((content.len() as u64).saturating_mul(MADE_RATIO)),
        failures: 0,
        zips: None,
    };
    let mut carved = Carved::default();
    let mut from = 0;
    for (offset, mark) in marks {
        if offset < from {
            continue;
        }
        let failures_max = FAILURES_MIN + content.len() / FAILURES_SHARE;
        if search.failures >= failures_max || search.made > search.made_max {
            carved.trouble = Some(Trouble::damaged(
                "carve-limit",
                format!(
                    "so much here looks like the beginning of an archive and is none that no further ones were looked for from offset {offset} on"
                ),
                Some((content.len() - offset) as u64),
            ));
            break;
        }
        match search.look(offset, mark) {
            Some(found) => {
                from = found.offset + found.len;
                carved.found.push(found);
            }
            None => search.failures += 1,
        }
    }
    carved
}

struct Search<'a> {
    content: &'a Bytes,
    limits: Limits,
    is_map: fn(&[u8]) -> bool,
    /// Bytes that were made in looking.
    made: u64,
    made_max: u64,
    failures: usize,
    /// Beginning and end of each zip with a directory, once one was looked for.
    zips: Option<Vec<(usize, usize)>>,
}

impl Search<'_> {
    fn look(&mut self, offset: usize, mark: Mark) -> Option<Found> {
        if mark == Mark::Base64 {
            return self.base64(offset);
        }
        let behind = self.content.slice(offset..);
        let len = match mark {
            Mark::Zip => self.zip(offset)?,
            _ => self.len_of(&behind, mark)?,
        };
        let bytes = behind.slice(..len.min(behind.len()));
        Some(Found {
            offset,
            len: bytes.len(),
            bytes,
        })
    }

    /// Length of the archive that `bytes` begin with.
    fn len_of(&mut self, bytes: &Bytes, mark: Mark) -> Option<usize> {
        let whole = bytes.len();
        match mark {
            Mark::Gzip => self.stream(bytes, &gzip::Gzip { runs_on: never }),
            Mark::Xz => self.stream(bytes, &xz::Xz { runs_on: never }),
            Mark::Zstd => self.stream(bytes, &zstd::Zstd { runs_on: never }),
            Mark::Bzip2 => self.stream(bytes, &bzip2::Bzip2 { runs_on: never }),
            Mark::SevenZ => {
                let (at, len) = sevenz::header_span(&Input::Memory(bytes.clone()))?;
                let is_sound = sevenz::is_start_sound(bytes) && len > 0;
                is_sound.then_some(usize::try_from(at + len).ok()?)
            }
            Mark::Tar => tar::archive_len(bytes),
            Mark::Cpio => cpio::archive_len(bytes),
            Mark::Asar => self.has_member(bytes, &asar::Asar).then_some(whole),
            Mark::Zip => {
                let ends = zip::archives(bytes);
                let end = ends.into_iter().find(|(start, _)| *start == 0);
                match end {
                    Some((_, end)) => Some(end),
                    None => self.has_entry(bytes).then_some(whole),
                }
            }
            Mark::Base64 => None,
        }
    }

    fn zip(&mut self, offset: usize) -> Option<usize> {
        let content = self.content;
        let zips = self.zips.get_or_insert_with(|| zip::archives(content));
        if let Ok(index) = zips.binary_search_by_key(&offset, |(start, _)| *start) {
            return Some(zips[index].1 - offset);
        }
        // One without a directory reaches as far as there is anything.
        let bytes = content.slice(offset..);
        self.has_entry(&bytes).then_some(bytes.len())
    }

    /// Whether the entry that a zip begins with can be read. Its length may have to be found out by unpacking it.
    fn has_entry(&mut self, bytes: &Bytes) -> bool {
        if !zip::begins_an_entry(bytes) {
            return false;
        }
        let is_one = self.has_member(bytes, &zip::Zip);
        if !is_one {
            self.made += ENTRY_MAX.min(bytes.len() as u64);
        }
        is_one
    }

    /// Whether an archive opens and its first member is sound.
    fn has_member(&mut self, bytes: &Bytes, format: &dyn Format) -> bool {
        if !format.recognise(bytes) {
            return false;
        }
        let limits = Limits {
            bytes: ENTRY_MAX,
            ..self.limits.clone()
        };
        let Ok(mut walker) = format.open(Input::Memory(bytes.clone()), &limits) else {
            return false;
        };
        const EVENTS_MAX: usize = 64;
        for _ in 0..EVENTS_MAX {
            match walker.next() {
                Some(Event::Member(member)) => {
                    let len = match &member.body {
                        Body::Held(bytes) => bytes.len() as u64,
                        Body::Streamed(_) => ENOUGH,
                        Body::At(_) | Body::Files(_) | Body::Absent => 0,
                    };
                    self.made += len;
                    let is_named = matches!(member.name, MemberName::Named(_));
                    if len > 0 {
                        return is_named && member.trouble.is_none();
                    }
                }
                Some(Event::Other(_) | Event::NamedOther(..) | Event::Map(_)) => {}
                Some(Event::Trouble(_)) | None => return false,
            }
        }
        false
    }

    /// Length of a compressed stream, which is decoded for that.
    fn stream(&mut self, bytes: &Bytes, format: &dyn Format) -> Option<usize> {
        if !format.recognise(bytes) {
            return None;
        }
        let mut walker = format
            .open(Input::Memory(bytes.clone()), &self.limits)
            .ok()?;
        let is_archive = walker.kind() != format.name();
        let (mut made, mut members, mut is_sound) = (0, 0_u32, true);
        let mut len = bytes.len();
        let mut buffer = vec![0; 64 << 10];
        while let Some(event) = walker.next() {
            match event {
                Event::Member(member) => {
                    let is_behind = member
                        .trouble
                        .as_ref()
                        .is_some_and(|trouble| trouble.code == "trailing-data");
                    if let (MemberName::Offset(at), true) = (&member.name, is_behind) {
                        len = usize::try_from(*at).ok()?;
                        break;
                    }
                    is_sound &= member.trouble.is_none();
                    members += u32::from(member.trouble.is_none());
                    match member.body {
                        Body::Held(bytes) => made += bytes.len() as u64,
                        Body::Streamed(_) => loop {
                            let got = walker.read_streamed(&mut buffer) as u64;
                            made += got;
                            if got == 0 || self.made + made > self.made_max {
                                break;
                            }
                        },
                        Body::At(_) | Body::Files(_) | Body::Absent => {}
                    }
                    is_sound &= walker.streamed_trouble().is_none();
                }
                // What is odd within a tar says nothing of the stream round it.
                Event::Trouble(trouble) => is_sound &= trouble.code == "tar-concatenated",
                Event::Other(_) | Event::NamedOther(..) | Event::Map(_) => {}
            }
            // So much was made that the end is not looked for.
            if self.made + made > self.made_max {
                break;
            }
        }
        self.made += made;
        let is_proof = made >= ENOUGH || (is_archive && members > 0);
        (made > 0 && (is_sound || is_proof)).then_some(len)
    }

    /// What stands at `offset` in base64.
    fn base64(&mut self, offset: usize) -> Option<Found> {
        let before = offset.checked_sub(1).and_then(|at| self.content.get(at));
        let is_escaped =
            self.content[..offset].ends_with(b"\\n") || self.content[..offset].ends_with(b"\\r");
        if before.is_some_and(|byte| is_digit(*byte)) && !is_escaped {
            return None;
        }
        let (digits, len) = digits_at(&self.content[offset..]);
        if digits.len() < BASE64_MIN {
            return None;
        }
        self.made += digits.len() as u64;
        let decoded = Bytes::from(decode(&digits)?);
        const MARKS: [(&[u8], Mark); 6] = [
            (b"\x1f\x8b\x08", Mark::Gzip),
            (b"PK\x03\x04", Mark::Zip),
            (b"\xfd7zXZ\0", Mark::Xz),
            (b"\x28\xb5\x2f\xfd", Mark::Zstd),
            (sevenz::MAGIC, Mark::SevenZ),
            (b"BZh", Mark::Bzip2),
        ];
        let mark = MARKS.iter().find(|(magic, _)| decoded.starts_with(magic));
        let end = match mark {
            Some((_, mark)) => self.len_of(&decoded, *mark)?,
            None if (self.is_map)(&decoded) => decoded.len(),
            None => return None,
        };
        Some(Found {
            offset,
            len,
            bytes: decoded.slice(..end.min(decoded.len())),
        })
    }
}

fn never(_head: &[u8]) -> bool {
    false
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// The digits of base64 that a text begins with, and how many of its bytes they take. White space is passed over, and so
/// is what stands between lines in a JSON string (escapes) and in a list of strings (quotes and a comma or a plus).
fn digits_at(text: &[u8]) -> (Vec<u8>, usize) {
    let mut digits = Vec::new();
    let (mut at, mut end) = (0, 0);
    while let Some(&byte) = text.get(at) {
        if is_digit(byte) {
            // Whole runs at a time: they are long.
            let run = text[at..].iter().position(|byte| !is_digit(*byte));
            let next = run.map_or(text.len(), |run| at + run);
            digits.extend_from_slice(&text[at..next]);
            (at, end) = (next, next);
            continue;
        }
        if byte == b'=' {
            break;
        }
        match gap(&text[at..]) {
            Some(len) => at += len,
            None => break,
        }
    }
    (digits, end)
}

/// Length of what may stand between two lines of digits; digits must follow.
fn gap(text: &[u8]) -> Option<usize> {
    let text = &text[..text.len().min(GAP_MAX)];
    let (mut at, mut quotes, mut joins) = (0, 0, 0);
    while let Some(&byte) = text.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'\\' => {
                let slashes = text[at..].iter().take_while(|byte| **byte == b'\\').count();
                match text.get(at + slashes) {
                    Some(b'n' | b'r' | b't') => at += slashes + 1,
                    // The digit itself may be escaped.
                    Some(b'/') => return Some(at + slashes),
                    Some(b'\n' | b'\r') => at += slashes,
                    _ => return None,
                }
            }
            b'"' | b'\'' => {
                quotes += 1;
                at += 1;
            }
            b',' | b'+' if quotes == 1 => {
                joins += 1;
                at += 1;
            }
            // A plus is a digit: that of a text in pieces stands between quotes.
            byte if is_digit(byte) => {
                let is_list = quotes == 2 && joins == 1;
                return (quotes == 0 || is_list).then_some(at);
            }
            _ => return None,
        }
    }
    None
}

/// The bytes that digits of base64 stand for; what is less than a byte at the end is left out.
fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine;
    use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
    const FORGIVING: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let len = digits.len() - usize::from(digits.len() % 4 == 1);
    FORGIVING.decode(&digits[..len]).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zip_of(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut writer = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = ::zip::write::SimpleFileOptions::default();
        writer.start_file(name, options).unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn tar_of(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut builder = ::tar::Builder::new(Vec::new());
        let mut header = ::tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes).unwrap();
        builder.into_inner().unwrap()
    }

    fn marked(content: &[u8]) -> Vec<(usize, Mark)> {
        let hits = crate::exposure::Prefilter::new().scan(content);
        hits.archives().to_vec()
    }

    fn carve(content: &[u8]) -> Carved {
        let is_map = |bytes: &[u8]| bytes.starts_with(b"{\"version\"");
        let bytes = Bytes::copy_from_slice(content);
        archives(&bytes, marked(content), &Limits::default(), is_map)
    }

    fn kinds() -> Vec<Vec<u8>> {
        let text = b"some text that is packed, some text that is packed".repeat(20);
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&text).unwrap();
        let mut bz = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(4));
        bz.write_all(&text).unwrap();
        let mut seven = sevenz_rust2::ArchiveWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
        let entry = sevenz_rust2::ArchiveEntry::new_file("a");
        seven.push_archive_entry(entry, Some(&text[..])).unwrap();
        vec![
            gzip(&text),
            gzip(&tar_of("a", &text)),
            zip_of("a", &text),
            xz.finish().unwrap(),
            ::zstd::encode_all(&text[..], 3).unwrap(),
            bz.finish().unwrap(),
            seven.finish().unwrap().into_inner(),
            tar_of("a", &text),
        ]
    }

    #[test]
    fn archives_are_found_where_they_stand_and_end_where_they_end() {
        for archive in kinds() {
            for (before, behind) in [
                (&b"\x7fELF program\0"[..], &b""[..]),
                (b"\x89PNG tail", b"something behind it \xff\x01"),
                (b"#!/bin/sh\ntail -c +99 $0 | tar x\nexit\n", b"\n\n"),
            ] {
                let content = [before, &archive, behind].concat();
                let carved = carve(&content);
                assert_eq!(carved.found.len(), 1, "{:?}", &archive[..6]);
                assert_eq!(carved.found[0].offset, before.len());
                // What ends in blocks of zeros may be taken a little longer or shorter.
                let len = carved.found[0].len;
                assert!(
                    len == archive.len() || archive[257..].starts_with(b"ustar"),
                    "{len} of {}",
                    archive.len()
                );
                assert!(carved.trouble.is_none());
            }
        }
    }

    #[test]
    fn several_stand_side_by_side() {
        let content = kinds().join(&b" and "[..]);
        let carved = carve(&content);
        assert_eq!(carved.found.len(), kinds().len(), "{:?}", carved.found);
    }

    #[test]
    fn base64_is_read_as_texts_hold_it() {
        let archive = gzip(&b"some text that is packed, 1234567890".repeat(9));
        let digits = STANDARD.encode(&archive);
        let lines: Vec<String> = digits
            .as_bytes()
            .chunks(20)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        for text in [
            format!("const data = '{digits}';"),
            format!("-----BEGIN X-----\n{}\n-----END X-----\n", lines.join("\n")),
            format!("data: |\n    {}\nnext: 1\n", lines.join("\n    ")),
            format!("{{\"data\":\"{}\\n\"}}", lines.join("\\n")),
            format!("{{\"data\":\"{}\"}}", digits.replace('/', "\\/")),
            format!(
                "{{\"image\": [\n    \"{}\\n\"\n  ]}}",
                lines.join("\\n\",\n    \"")
            ),
            format!("x = \"{}\";", lines.join("\" +\n  \"")),
            format!(
                "{{\"a\":\"{{\\\"b\\\":\\\"{}\\\"}}\"}}",
                lines.join("\\\\n")
            ),
        ] {
            let carved = carve(text.as_bytes());
            assert_eq!(carved.found.len(), 1, "{text}");
            assert_eq!(carved.found[0].bytes, archive, "{text}");
            assert_eq!(carved.found[0].offset, text.find("H4sI").unwrap());
        }
        let map = format!(
            "x = '{}'",
            STANDARD.encode(r#"{"version":3,"sources":["a"],"sourcesContent":["b"]}"#)
        );
        assert_eq!(carve(map.as_bytes()).found.len(), 1);
        assert_eq!(carve(b"H4sI is how gzip begins in base64, H4sIAAAAAAAAA and so on, AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").found, []);
    }

    #[test]
    fn what_only_looks_so_is_left_alone() {
        let mut noise = Vec::new();
        for magic in [
            &b"\x1f\x8b\x08\0"[..],
            b"PK\x03\x04",
            b"\xfd7zXZ\0",
            b"\x28\xb5\x2f\xfd",
            b"7z\xbc\xaf\x27\x1c",
            b"BZh91AY&SY",
        ] {
            noise.extend(magic);
            noise.extend((0..300_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8));
        }
        let carved = carve(&noise);
        assert_eq!(carved.found, []);
        assert!(carved.trouble.is_none());
    }

    #[test]
    fn nothing_but_beginnings_is_bounded_and_said() {
        let content = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".repeat(20_000);
        let carved = carve(&content);
        assert_eq!(carved.found, []);
        assert_eq!(carved.trouble.unwrap().code, "carve-limit");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn damage_never_panics_and_regions_never_overlap(which in 0..8_usize, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0..300_usize) {
            let mut content = [b"\x7fELF", &kinds()[which][..], b"between", &kinds()[1]].concat();
            let at = at.index(content.len());
            content[at] = byte;
            content.truncate(content.len().saturating_sub(cut));
            let mut from = 0;
            for found in carve(&content).found {
                prop_assert!(found.offset >= from && found.len > 0);
                from = found.offset + found.len;
                prop_assert!(from <= content.len());
            }
        }
    }
}
