//! 7z (7zFormat.txt of the LZMA SDK).
//!
//! A signature header of 32 bytes says where the header proper stands, at the end; that names the files, and says in
//! which packed streams their bytes are. Files stand one behind the other in blocks that are unpacked in one go
//! (solid), so the walk keeps the decoder of one block open and goes on in it from file to file: nothing is unpacked
//! twice, and what is too large to be held is streamed. The header is read here, tolerantly; the codecs are kept crates.
//!
//! Everything that needs memory by what the archive states (the header unpacked, dictionaries, the model of PPMd) is
//! held against what may be held first. An encrypted block is a problem at each of its files, an encrypted header one of
//! the archive. What stands between the header and the streams and belongs to nobody is given as regions.
//!
//! Left out: a header that is lost. Without it nobody knows where a block begins, and how it was packed; all there is is
//! given as a region then, since what was stored rather than packed can still be read in it.

mod decode;
mod header;

use std::io::{Read, Take};

use bytes::Bytes;

use super::claims::Claims;
use super::feed::Input;
use super::spans::Spans;
use super::zip::is_link_target;
use super::{Body, Event, Format, Member, Trouble, Walker};
use crate::blob::{Decoders, Limits, MemberName, room};
use decode::{Decoder, STREAMS_AT};
use header::{Entry, Header, Streams};

/// The first bytes of an archive.
pub const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// Largest header, unpacked: ten million files of ordinary names.
const HEADER_MAX: u64 = 1 << 30;
/// Headers that are packed within one another.
const LAYERS_MAX: u32 = 4;

/// The 7z format.
pub struct SevenZ;

impl Format for SevenZ {
    fn name(&self) -> &'static str {
        "7z"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let mut claims = Claims::default();
        let mut troubles = Vec::new();
        let header = read_header(&input, limits, &mut claims, &mut troubles);
        let (streams, files) = match header {
            Ok(header) => header,
            Err(trouble) if trouble.code == "7z-damaged" && input.len() > STREAMS_AT => {
                // What is packed in it is lost, and what is stored is not.
                claims = Claims::default();
                claims.note(0, STREAMS_AT);
                troubles = vec![trouble];
                (Streams::default(), Vec::new())
            }
            Err(trouble) => return Err(trouble),
        };
        for (at, len) in &streams.packed {
            claims.note(STREAMS_AT.saturating_add(*at), *len);
        }
        let (_, mut regions) = claims.settle(0, input.len());
        regions.reverse();
        Ok(Box::new(SevenZWalker {
            spans: Spans::new(input.clone(), limits.hold()),
            input,
            streams,
            files: files.into_iter(),
            hold: limits.hold(),
            window: limits.window(),
            decoders: limits.decoders,
            next_block: 0,
            open: None,
            streamed: None,
            pending: troubles.into_iter().map(Event::Trouble).collect(),
            regions,
        }))
    }
}

/// Where the header stands, as the signature header states: offset and length.
pub fn header_span(input: &Input) -> Option<(u64, u64)> {
    let start = input.slice(0, STREAMS_AT as usize).ok()?;
    let number = |at: usize| Some(u64::from_le_bytes(*start.get(at..)?.first_chunk()?));
    let (at, len) = (number(12)?.checked_add(STREAMS_AT)?, number(20)?);
    let end = at.checked_add(len)?;
    (end <= input.len()).then_some((at, len))
}

/// Whether a whole archive has something that cannot be read without a password: its header, or a block of it.
pub fn is_encrypted(archive: &Bytes) -> bool {
    const AES: &[u8] = &[6, 0xf1, 7];
    let input = Input::Memory(archive.clone());
    let (mut claims, mut troubles) = (Claims::default(), Vec::new());
    match read_header(&input, &Limits::default(), &mut claims, &mut troubles) {
        Ok((streams, _)) => {
            let mut coders = streams.blocks.iter().flat_map(|block| &block.coders);
            coders.any(|coder| coder.id.starts_with(AES))
        }
        Err(trouble) => trouble.code == "encrypted",
    }
}

/// Whether the checksum of the signature header fits.
pub fn is_start_sound(start: &[u8]) -> bool {
    let stated = start.get(8..).and_then(|rest| rest.first_chunk());
    let made = start.get(12..32).map(crc32fast::hash);
    stated.map(|raw| u32::from_le_bytes(*raw)) == made && made.is_some()
}

fn damaged(what: &str, unread: u64) -> Trouble {
    Trouble::damaged(
        "7z-damaged",
        format!(
            "the header of the 7z archive cannot be read ({what}), and without it nobody knows what is in it; it was scanned as it stands, get the file again"
        ),
        Some(unread),
    )
}

fn read_header(
    input: &Input,
    limits: &Limits,
    claims: &mut Claims,
    troubles: &mut Vec<Trouble>,
) -> Result<(Streams, Vec<Entry>), Trouble> {
    let len = input.len();
    let start = input.slice(0, STREAMS_AT as usize).unwrap_or_default();
    let Some((at, header_len)) = header_span(input) else {
        return Err(damaged("it stands behind the end of the file", len));
    };
    claims.note(0, STREAMS_AT);
    claims.note(at, header_len);
    let most = HEADER_MAX.min(limits.hold());
    if header_len > most {
        return Err(header_too_large(header_len, most));
    }
    if header_len == 0 {
        return Ok((Streams::default(), Vec::new()));
    }
    let mut bytes = input.slice(at, header_len as usize).unwrap_or_default();
    let stated = start.get(28..).and_then(|rest| rest.first_chunk());
    let fits = stated.map(|raw| u32::from_le_bytes(*raw)) == Some(crc32fast::hash(&bytes));
    if !fits || !is_start_sound(&start) {
        troubles.push(Trouble::odd(
            "checksum-mismatch",
            "the checksum of the header of the 7z archive does not fit; it was read as it stands",
        ));
    }
    for _ in 0..LAYERS_MAX {
        match header::read(bytes).map_err(|fault| damaged(fault, len))? {
            Header::Plain(streams, files) => return Ok((streams, files)),
            Header::Packed(streams) => {
                for (at, len) in &streams.packed {
                    claims.note(STREAMS_AT.saturating_add(*at), *len);
                }
                bytes = unpack_header(input, &streams, limits, most)?;
            }
        }
    }
    Err(damaged("headers within headers", len))
}

fn unpack_header(
    input: &Input,
    streams: &Streams,
    limits: &Limits,
    most: u64,
) -> Result<Bytes, Trouble> {
    let block = streams
        .blocks
        .first()
        .ok_or_else(|| damaged("it is packed in nothing", input.len()))?;
    let decoder = decode::open(input, streams, block, limits.window(), limits.decoders).map_err(|trouble| match trouble.code.as_ref() {
        "encrypted" => Trouble::skipped(
            "encrypted",
            "the header of the 7z archive is encrypted, so that not even names can be read; unpack it with its password and scan the result",
            Some(input.len()),
        ),
        _ => trouble,
    })?;
    if decoder.limit() > most {
        return Err(header_too_large(decoder.limit(), most));
    }
    let mut bytes = Vec::new();
    let wanted = decoder.limit();
    let mut decoder = decoder;
    let result = decoder.read_to_end(&mut bytes);
    if result.is_err() || (bytes.len() as u64) < wanted {
        return Err(damaged(
            "it is packed, and its packed bytes are damaged",
            input.len(),
        ));
    }
    Ok(bytes.into())
}

fn header_too_large(len: u64, most: u64) -> Trouble {
    Trouble::skipped(
        "memory-limit",
        format!(
            "the header of the 7z archive has {len} bytes and {most} may be held; raise --memory"
        ),
        None,
    )
}

/// A block that is being unpacked.
struct OpenBlock {
    /// Its parts that are not given yet, last first.
    parts: Vec<(u64, Option<u32>)>,
    decoder: Result<Take<Decoder>, Trouble>,
}

/// A member that is too large to be held.
struct Streamed {
    /// What was read of it to find that out, not yet given.
    head: Bytes,
    left: u64,
    crc: crc32fast::Hasher,
    stated: Option<u32>,
    trouble: Option<Trouble>,
}

/// Gives the files in the order of the header.
struct SevenZWalker {
    input: Input,
    spans: Spans,
    streams: Streams,
    files: std::vec::IntoIter<Entry>,
    hold: u64,
    window: u64,
    decoders: Decoders,
    next_block: usize,
    open: Option<OpenBlock>,
    streamed: Option<Streamed>,
    /// What is given before the next file, last first.
    pending: Vec<Event>,
    /// What belongs to nobody, last first.
    regions: Vec<(u64, u64)>,
}

impl SevenZWalker {
    fn entry(&mut self, entry: Entry) -> Event {
        if !entry.has_stream {
            return if entry.is_anti {
                Event::Other("anti-item")
            } else if entry.is_folder {
                Event::Other("folder")
            } else {
                Event::Member(Member::whole(MemberName::Named(entry.name), Bytes::new()))
            };
        }
        let is_link = entry.mode & 0o170_000 == 0o120_000;
        let member = self.member(MemberName::Named(entry.name));
        match &member.body {
            Body::Held(bytes) if is_link && member.trouble.is_none() && is_link_target(bytes) => {
                Event::Other("symlink")
            }
            _ => Event::Member(member),
        }
    }

    /// The part of a block that is next.
    fn part(&mut self) -> Option<(u64, Option<u32>)> {
        loop {
            if let Some(part) = self.open.as_mut().and_then(|open| open.parts.pop()) {
                return Some(part);
            }
            let block = self.streams.blocks.get_mut(self.next_block)?;
            self.next_block += 1;
            let mut parts = std::mem::take(&mut block.parts);
            parts.reverse();
            let block = &self.streams.blocks[self.next_block - 1];
            let decoder = decode::open(
                &self.input,
                &self.streams,
                block,
                self.window,
                self.decoders,
            );
            self.open = Some(OpenBlock { parts, decoder });
        }
    }

    fn member(&mut self, name: MemberName) -> Member {
        let Some((size, crc)) = self.part() else {
            return Member::absent(name, broken("the header states no bytes for it", None));
        };
        let Some(open) = &mut self.open else {
            return Member::absent(name, broken("the header states no bytes for it", None));
        };
        let decoder = match &mut open.decoder {
            Ok(decoder) => decoder,
            Err(trouble) => {
                let mut trouble = trouble.clone();
                trouble.unread = Some(size);
                return Member::absent(name, trouble);
            }
        };
        let mut content = Vec::new();
        let result = room::read(decoder, size.min(self.hold + 1), &mut content);
        let got = content.len() as u64;
        let trouble = match result {
            Err(error) => Some(broken(&error.to_string(), Some(size - got))),
            Ok(_) if got < size.min(self.hold + 1) => {
                Some(broken("it ends early", Some(size - got)))
            }
            Ok(_) => None,
        };
        if let Some(trouble) = trouble {
            open.decoder = Err(Trouble {
                effect: super::Effect::Skipped,
                ..trouble.clone()
            });
            let mut member = Member::whole(name, content.into());
            member.trouble = Some(trouble);
            return member;
        }
        if got < size {
            self.streamed = Some(Streamed {
                head: content.into(),
                left: size,
                crc: crc32fast::Hasher::new(),
                stated: crc,
                trouble: None,
            });
            return Member {
                body: Body::Streamed(Some(size)),
                ..Member::whole(name, Bytes::new())
            };
        }
        let is_wrong = crc.is_some_and(|stated| stated != crc32fast::hash(&content));
        let mut member = Member::whole(name, content.into());
        member.trouble = is_wrong.then(wrong_checksum);
        member
    }

    /// Passes over what was not read of a streamed member.
    fn skip_streamed(&mut self) {
        let mut sink = vec![0; 64 << 10];
        while self.streamed.is_some() && self.read_streamed(&mut sink) > 0 {}
        self.streamed = None;
    }

    fn region(&mut self) -> Option<Event> {
        while let Some((from, to)) = self.regions.pop() {
            if let Some(mut member) = self.spans.region(from, to) {
                member.trouble.get_or_insert_with(|| {
                    Trouble::odd(
                        "gap-data",
                        format!(
                            "{} bytes from offset {from} of the 7z archive belong to no file that it names; they were scanned as they stand",
                            to - from
                        ),
                    )
                });
                return Some(Event::Member(member));
            }
        }
        None
    }
}

fn broken(what: &str, unread: Option<u64>) -> Trouble {
    Trouble::damaged(
        "corrupt-data",
        format!(
            "the packed bytes of the 7z block are damaged or cut here or before ({what}); what came before the damage was read"
        ),
        unread,
    )
}

fn wrong_checksum() -> Trouble {
    Trouble::odd(
        "checksum-mismatch",
        "the checksum of the entry does not fit; the bytes were read as they stand",
    )
}

impl Walker for SevenZWalker {
    fn kind(&self) -> &'static str {
        "7z"
    }

    fn next(&mut self) -> Option<Event> {
        self.skip_streamed();
        if let Some(event) = self.pending.pop() {
            return Some(event);
        }
        match self.files.next() {
            Some(entry) => Some(self.entry(entry)),
            None => self.region(),
        }
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        let Some(streamed) = &mut self.streamed else {
            return self.spans.read(buffer);
        };
        let most = usize::try_from(streamed.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let buffer = &mut buffer[..most];
        if buffer.is_empty() {
            return 0;
        }
        let mut fault = None;
        let got = if streamed.head.is_empty() {
            let decoder = self.open.as_mut().map(|open| &mut open.decoder);
            match decoder {
                Some(Ok(decoder)) => decoder.read(buffer).unwrap_or_else(|error| {
                    fault = Some(error.to_string());
                    0
                }),
                _ => 0,
            }
        } else {
            let got = buffer.len().min(streamed.head.len());
            buffer[..got].copy_from_slice(&streamed.head.split_to(got));
            got
        };
        streamed.crc.update(&buffer[..got]);
        streamed.left -= got as u64;
        if got == 0 {
            let fault = fault.unwrap_or_else(|| "it ends early".to_owned());
            let trouble = broken(&fault, Some(streamed.left));
            if let Some(open) = &mut self.open {
                open.decoder = Err(Trouble {
                    effect: super::Effect::Skipped,
                    ..trouble.clone()
                });
            }
            streamed.left = 0;
            streamed.trouble = Some(trouble);
        } else if streamed.left == 0 {
            let made = std::mem::take(&mut streamed.crc).finalize();
            let is_wrong = streamed.stated.is_some_and(|stated| stated != made);
            streamed.trouble = is_wrong.then(wrong_checksum);
        }
        got
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.streamed.as_mut()?.trouble.take()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use sevenz_rust2::encoder_options::{AesEncoderOptions, DeltaOptions};
    use sevenz_rust2::{
        ArchiveEntry, ArchiveWriter, EncoderConfiguration, EncoderMethod, Password,
    };

    use super::super::testing::{Seen, walk};
    use super::*;

    /// An archive made by the reference crate, of one block where `solid`.
    fn made(files: &[(&str, &[u8])], methods: Vec<EncoderConfiguration>, solid: bool) -> Vec<u8> {
        let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
        writer.set_content_methods(methods);
        writer.set_encrypt_header(false);
        let entries = || files.iter().map(|(name, _)| ArchiveEntry::new_file(name));
        if solid {
            let readers = files
                .iter()
                .map(|(_, data)| sevenz_rust2::SourceReader::new(*data))
                .collect();
            writer
                .push_archive_entries(entries().collect(), readers)
                .unwrap();
        } else {
            for (entry, (_, data)) in entries().zip(files) {
                writer.push_archive_entry(entry, Some(*data)).unwrap();
            }
        }
        writer.finish().unwrap().into_inner()
    }

    fn lzma2() -> Vec<EncoderConfiguration> {
        vec![EncoderMethod::LZMA2.into()]
    }

    fn read(bytes: &[u8]) -> Seen {
        assert!(SevenZ.recognise(bytes));
        walk(&SevenZ, bytes, &Limits::default()).unwrap()
    }

    fn named(files: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
        files
            .iter()
            .map(|(name, data)| ((*name).to_owned(), data.to_vec()))
            .collect()
    }

    fn text(len: usize) -> Vec<u8> {
        let mut text = Vec::new();
        let mut number = 1_u32;
        while text.len() < len {
            number = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
            text.extend(format!("line {} of {}\n", number >> 20, number >> 8 & 0xff).bytes());
        }
        text.truncate(len);
        text
    }

    #[test]
    fn every_method_of_the_reference_crate_is_read() {
        let text = text(50_000);
        let files: [(&str, &[u8]); 4] = [
            ("../a", &text),
            ("b/ü", b"second"),
            ("empty", b""),
            ("c", &text[9..]),
        ];
        let delta = || {
            EncoderConfiguration::new(EncoderMethod::DELTA_FILTER)
                .with_options(DeltaOptions::from_distance(4).into())
        };
        for methods in [
            lzma2(),
            vec![EncoderMethod::COPY.into()],
            vec![EncoderMethod::LZMA.into()],
            vec![EncoderMethod::BZIP2.into()],
            vec![EncoderMethod::DEFLATE.into()],
            vec![EncoderMethod::PPMD.into()],
            vec![
                EncoderMethod::BCJ_X86_FILTER.into(),
                EncoderMethod::LZMA2.into(),
            ],
            vec![
                EncoderMethod::BCJ_ARM64_FILTER.into(),
                EncoderMethod::LZMA.into(),
            ],
            vec![delta(), EncoderMethod::LZMA2.into()],
        ] {
            for solid in [false, true] {
                let what = format!("{methods:?} {solid}");
                let seen = read(&made(&files, methods.clone(), solid));
                let mut members = seen.members;
                let mut expected = named(&files);
                members.sort();
                expected.sort();
                assert_eq!(members.len(), expected.len(), "{what}");
                assert!(members == expected, "{what}");
                assert_eq!(seen.codes, [""; 0], "{what}");
            }
        }
    }

    #[test]
    fn encryption_is_said_at_each_file() {
        let aes = AesEncoderOptions::new(Password::from("secret"));
        let methods = vec![aes.into(), EncoderMethod::LZMA2.into()];
        let seen = read(&made(&[("a", b"one"), ("b", b"two")], methods, false));
        assert_eq!(seen.members, []);
        assert!(
            seen.codes.iter().all(|code| code == "encrypted") && !seen.codes.is_empty(),
            "{:?}",
            seen.codes
        );
    }

    #[test]
    fn what_may_not_be_held_is_streamed_to_the_same_bytes() {
        let text = text(200_000);
        let bytes = made(&[("a", &text), ("b", b"behind")], lzma2(), true);
        let limits = Limits {
            memory: 20_000,
            ..Limits::default()
        };
        let seen = walk(&SevenZ, &bytes, &limits).unwrap();
        assert_eq!(seen.streamed, 1);
        assert!(seen.members == named(&[("a", &text), ("b", b"behind")]));
        assert_eq!(seen.codes, [""; 0]);
    }

    #[test]
    fn damage_in_a_block_is_said_of_every_file_behind_it() {
        let text = text(200_000);
        let files: [(&str, &[u8]); 3] = [("a", b"before"), ("b", &text), ("c", b"behind")];
        for method in [
            EncoderMethod::BZIP2,
            EncoderMethod::LZMA2,
            EncoderMethod::DEFLATE,
        ] {
            let mut bytes = made(&files, vec![method.into()], true);
            let at = bytes.len() / 2;
            bytes[at..at + 40].fill(0xff);
            let seen = read(&bytes);
            assert!(seen.codes.len() >= 2, "{method:?}: {:?}", seen.codes);
            let whole = seen.members.iter().filter(|(_, data)| *data == text);
            assert_eq!(whole.count(), 0);
        }
    }

    #[test]
    fn what_belongs_to_nobody_is_a_region() {
        let mut bytes = made(&[("a", b"content")], lzma2(), false);
        let at = bytes.len();
        bytes.extend(b"behind the archive");
        let seen = read(&bytes);
        assert_eq!(
            seen.members[1],
            (format!("@{at}"), b"behind the archive".to_vec())
        );
        assert_eq!(seen.codes, ["gap-data"]);
        let cut = read(&bytes[..at - 5]);
        assert_eq!(cut.codes, ["7z-damaged", "gap-data"]);
        assert_eq!(
            cut.members,
            [("@32".to_owned(), bytes[32..at - 5].to_vec())]
        );
        let cut = walk(&SevenZ, &bytes[..20], &Limits::default()).unwrap_err();
        assert_eq!(cut.code, "7z-damaged");
    }

    /// A packed header that states gigabytes is refused before it is unpacked.
    #[test]
    fn a_header_that_states_gigabytes_takes_no_memory() {
        use header::{Block, Coder, Source};
        let streams = Streams {
            packed: vec![(0, 10)],
            blocks: vec![Block {
                coders: vec![Coder {
                    id: vec![0],
                    properties: Bytes::new(),
                    inputs: 1,
                    size: 1 << 40,
                }],
                sources: vec![Source::Packed(0)],
                main: 0,
                crc: None,
                parts: vec![(1 << 40, None)],
            }],
        };
        let input = Input::Memory(vec![0; 100].into());
        let trouble = unpack_header(&input, &streams, &Limits::default(), 1 << 20).unwrap_err();
        assert_eq!(trouble.code, "memory-limit");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0..200_usize, fix in any::<bool>()) {
            let mut bytes = made(&[("one", &[b'a'; 300]), ("two", b"2"), ("three", b"")], vec![EncoderMethod::COPY.into()], true);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut.min(bytes.len() - 6));
            // Damage behind checksums that fit goes deeper.
            if fix && let Some((at, len)) = header_span(&Input::Memory(bytes.clone().into())) {
                let crc = crc32fast::hash(&bytes[at as usize..(at + len) as usize]);
                bytes[28..32].copy_from_slice(&crc.to_le_bytes());
                let crc = crc32fast::hash(&bytes[12..32]);
                bytes[8..12].copy_from_slice(&crc.to_le_bytes());
            }
            let _ = walk(&SevenZ, &bytes, &Limits::default());
        }

        #[test]
        fn any_header_does(bytes in proptest::collection::vec(0..24_u8, 0..80)) {
            for first in [1, 0x17] {
                let _ = header::read([&[first][..], &bytes].concat().into());
            }
        }
    }
}
