//! zip (APPNOTE.TXT 6.3.10), by its central directory.
//!
//! The directory at the end says what is in the archive; each of its entries points to a local header, behind
//! which the data stands. Everything in both is a claim: offsets are checked, sizes never decide what is
//! allocated, a wrong checksum is said and loses nothing. The codecs are kept crates; encrypted entries and
//! methods that nobody here can undo are problems, not silence.
//!
//! The directory stands at the end, so anything may stand in front: a browser extension's signature (CRX 2 and 3), the
//! program of a self-extracting archive, a script. What is in front is given as a region.
//!
//! Left out for now: the walk over local headers that finds what the directory does not tell.

use std::io::{BufRead, BufReader, Cursor, Read};

use bytes::Bytes;

use super::feed::Input;
use super::{Body, Event, Format, Member, Trouble, Walker, exe, inflate};
use crate::blob::{Limits, MemberName};

const END_MAGIC: &[u8] = b"PK\x05\x06";
const END_LEN: usize = 22;
/// The end record may be followed by a comment of this length.
const COMMENT_MAX: usize = 0xffff;
const END64_MAGIC: &[u8] = b"PK\x06\x06";
const LOCATOR64_MAGIC: &[u8] = b"PK\x06\x07";
const LOCATOR64_LEN: usize = 20;
const ENTRY_MAGIC: &[u8] = b"PK\x01\x02";
const ENTRY_LEN: usize = 46;
const LOCAL_MAGIC: &[u8] = b"PK\x03\x04";
const LOCAL_LEN: usize = 30;
/// Largest directory that is read: more than 50 M entries of ordinary length would not fit.
const DIRECTORY_MAX: u64 = 4 << 30;
/// Begins a packed extension of Chromium's; a version follows.
const CRX_MAGIC: &[u8] = b"Cr24";
/// The fast decoder is used up to this size.
const FAST_MAX: u64 = 64 << 20;

/// The zip format.
pub struct Zip;

impl Format for Zip {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(LOCAL_MAGIC) || head.starts_with(END_MAGIC)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let directory = Directory::find(&input)?;
        Ok(Box::new(ZipWalker {
            input,
            directory,
            hold: limits.hold(),
            streamed: None,
            front: None,
        }))
    }
}

/// A zip behind something else.
pub struct PrefixedZip;

impl Format for PrefixedZip {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let is_crx = head.starts_with(CRX_MAGIC) && matches!(u32_at(head, 4), Some(2 | 3));
        let may_carry = || exe::is_executable(head) || head.starts_with(b"#!");
        is_crx || (may_carry() && ends_in_directory(head))
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let directory = Directory::find(&input)?;
        let prefix = usize::try_from(directory.prefix).unwrap_or(usize::MAX);
        let front = if directory.prefix <= limits.hold() {
            let bytes = input.slice(0, prefix).map_err(unreadable)?;
            Member::whole(MemberName::Offset(0), bytes)
        } else {
            Member::absent(
                MemberName::Offset(0),
                Trouble::skipped(
                    "memory-limit",
                    "what stands before the archive is larger than content may be held; raise --memory",
                    Some(directory.prefix),
                ),
            )
        };
        Ok(Box::new(ZipWalker {
            input,
            directory,
            hold: limits.hold(),
            streamed: None,
            front: Some(front),
        }))
    }
}

/// Whether content ends as a zip does, with a directory where the end record says.
fn ends_in_directory(content: &[u8]) -> bool {
    let tail_at = content.len().saturating_sub(END_LEN + COMMENT_MAX);
    let ends = || {
        let end = tail_at + memchr::memmem::rfind(&content[tail_at..], END_MAGIC)?;
        let size = u32_at(content, end + 12)? as usize;
        let offset = u32_at(content, end + 16)? as usize;
        let start = end.checked_sub(size)?;
        Some(start > offset && content[start..].starts_with(ENTRY_MAGIC))
    };
    ends().unwrap_or(false)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The central directory, read entry by entry.
struct Directory {
    bytes: Bytes,
    position: usize,
    /// Bytes before the archive proper, by which all its offsets are off.
    prefix: u64,
    /// Entries that the end record promises.
    promised: u64,
    seen: u64,
    ended: bool,
}

impl Directory {
    fn find(input: &Input) -> Result<Self, Trouble> {
        let missing = || {
            Trouble::damaged(
                "zip-no-directory",
                "the zip has no central directory, so it is cut or damaged; its entries were not read",
                Some(input.len()),
            )
        };
        let tail_len =
            (END_LEN + COMMENT_MAX).min(usize::try_from(input.len()).unwrap_or(usize::MAX));
        let tail_at = input.len() - tail_len as u64;
        let tail = input.slice(tail_at, tail_len).map_err(unreadable)?;
        let end = memchr::memmem::rfind(&tail, END_MAGIC)
            .filter(|end| tail.len() - end >= END_LEN)
            .ok_or_else(missing)?;
        let record = &tail[end..];
        let end_at = tail_at + end as u64;
        let mut promised = u64::from(u16_at(record, 10).ok_or_else(missing)?);
        let mut size = u64::from(u32_at(record, 12).ok_or_else(missing)?);
        let mut offset = u64::from(u32_at(record, 16).ok_or_else(missing)?);
        let mut directory_end = end_at;
        if let Some((at, record)) = end64(input, end_at) {
            promised = u64_at(&record, 32).ok_or_else(missing)?;
            size = u64_at(&record, 40).ok_or_else(missing)?;
            offset = u64_at(&record, 48).ok_or_else(missing)?;
            directory_end = at;
        }
        // The directory ends where the end record begins; what it states of its offset tells the prefix.
        let start = directory_end
            .checked_sub(size)
            .filter(|_| size <= DIRECTORY_MAX)
            .ok_or_else(missing)?;
        let prefix = start.checked_sub(offset).ok_or_else(missing)?;
        let bytes = input.slice(start, size as usize).map_err(unreadable)?;
        Ok(Self {
            bytes,
            position: 0,
            prefix,
            promised,
            seen: 0,
            ended: false,
        })
    }

    fn next(&mut self) -> Option<Entry> {
        let entry = Entry::read(self.bytes.get(self.position..)?)?;
        self.position += entry.len;
        self.seen += 1;
        Some(entry)
    }

    /// What is wrong at the end: fewer entries than promised.
    fn finish(&mut self) -> Option<Trouble> {
        if std::mem::replace(&mut self.ended, true) || self.position == self.bytes.len() {
            return None;
        }
        Some(Trouble::damaged(
            "zip-directory-damaged",
            format!(
                "the central directory is damaged behind entry {} of {}; the entries behind it were not read",
                self.seen, self.promised
            ),
            None,
        ))
    }
}

/// The zip64 end record and its offset, where its locator stands before the end record.
fn end64(input: &Input, end_at: u64) -> Option<(u64, Bytes)> {
    let locator_at = end_at.checked_sub(LOCATOR64_LEN as u64)?;
    let locator = input.slice(locator_at, LOCATOR64_LEN).ok()?;
    if !locator.starts_with(LOCATOR64_MAGIC) {
        return None;
    }
    // The stated offset does not count a prefix; the record itself stands right before its locator.
    [u64_at(&locator, 8)?, locator_at.checked_sub(56)?]
        .into_iter()
        .find_map(|at| {
            let record = input.slice(at, 56).ok()?;
            (record.starts_with(END64_MAGIC) && record.len() == 56).then_some((at, record))
        })
}

fn unreadable(error: std::io::Error) -> Trouble {
    Trouble::damaged(
        "unreadable",
        format!("the file could not be read: {error}"),
        None,
    )
}

/// One entry of the central directory.
struct Entry {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
    offset: u64,
    unix_mode: u32,
    /// Length of the entry in the directory.
    len: usize,
}

impl Entry {
    fn read(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(ENTRY_MAGIC) {
            return None;
        }
        let name_len = usize::from(u16_at(bytes, 28)?);
        let extra_len = usize::from(u16_at(bytes, 30)?);
        let comment_len = usize::from(u16_at(bytes, 32)?);
        let name = bytes.get(ENTRY_LEN..ENTRY_LEN + name_len)?.to_vec();
        let extra = bytes.get(ENTRY_LEN + name_len..)?.get(..extra_len)?;
        let made_by_unix = bytes.get(5)? == &3;
        let mut entry = Self {
            name,
            flags: u16_at(bytes, 8)?,
            method: u16_at(bytes, 10)?,
            crc: u32_at(bytes, 16)?,
            packed: u64::from(u32_at(bytes, 20)?),
            unpacked: u64::from(u32_at(bytes, 24)?),
            offset: u64::from(u32_at(bytes, 42)?),
            unix_mode: if made_by_unix {
                u32_at(bytes, 38)? >> 16
            } else {
                0
            },
            len: ENTRY_LEN + name_len + extra_len + comment_len,
        };
        entry.read_zip64(extra);
        (bytes.len() >= entry.len).then_some(entry)
    }

    /// Takes the 64-bit values for those that are saturated (APPNOTE 4.5.3), in their fixed order.
    fn read_zip64(&mut self, mut extra: &[u8]) {
        while let (Some(id), Some(len)) = (u16_at(extra, 0), u16_at(extra, 2)) {
            let end = 4 + usize::from(len);
            if id == 1 {
                let mut field = extra.get(4..end).unwrap_or_default();
                for value in [&mut self.unpacked, &mut self.packed, &mut self.offset] {
                    if *value == u64::from(u32::MAX)
                        && let Some(wide) = u64_at(field, 0)
                    {
                        *value = wide;
                        field = &field[8..];
                    }
                }
            }
            extra = extra.get(end..).unwrap_or_default();
        }
    }

    fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// What it is beside a regular file.
    fn other(&self) -> Option<&'static str> {
        match self.unix_mode & 0o170_000 {
            0o120_000 => Some("symlink"),
            0o040_000 => Some("folder"),
            _ if self.name.ends_with(b"/") && self.unpacked == 0 => Some("folder"),
            _ => None,
        }
    }
}

/// Walks the entries of the central directory.
struct ZipWalker {
    input: Input,
    directory: Directory,
    hold: u64,
    /// Decoder of a member that is too large to be held, and what was read of it to find that out.
    streamed: Option<(Vec<u8>, Box<dyn Read + Send>)>,
    /// What stands before the archive, until it was given.
    front: Option<Member>,
}

impl ZipWalker {
    fn member(&mut self, entry: Entry) -> Member {
        let name = MemberName::Named(entry.name.clone());
        if entry.is_encrypted() {
            return Member::absent(
                name,
                Trouble::skipped(
                    "encrypted",
                    "the entry is encrypted and was not read; unpack it with its password and scan the result",
                    Some(entry.packed),
                ),
            );
        }
        match self.data_offset(&entry) {
            Ok(at) => self.read(name, &entry, at),
            Err(trouble) => Member::absent(name, trouble),
        }
    }

    /// Where the data of an entry begins: behind its local header.
    fn data_offset(&self, entry: &Entry) -> Result<u64, Trouble> {
        let at = self.directory.prefix.saturating_add(entry.offset);
        let header = self.input.slice(at, LOCAL_LEN).map_err(unreadable)?;
        let lens = header
            .starts_with(LOCAL_MAGIC)
            .then(|| Some(u64::from(u16_at(&header, 26)?) + u64::from(u16_at(&header, 28)?)))
            .flatten();
        lens.map(|lens| at + LOCAL_LEN as u64 + lens).ok_or_else(|| {
            Trouble::damaged(
                "zip-entry-damaged",
                format!("no local header stands at offset {at}, where the directory says; the entry was not read"),
                Some(entry.packed),
            )
        })
    }

    fn read(&mut self, name: MemberName, entry: &Entry, at: u64) -> Member {
        if entry.method == 0 && entry.packed <= self.hold {
            return match self.input.slice(at, entry.packed as usize) {
                Ok(bytes) => checked(name, bytes, entry),
                Err(error) => Member::absent(name, unreadable(error)),
            };
        }
        if let Some(bytes) = self.inflate_fast(entry, at) {
            return checked(name, bytes, entry);
        }
        let data = self.input.reader(at).take(entry.packed);
        let Some(mut decoder) = decoder(entry, data) else {
            return Member::absent(
                name,
                Trouble::skipped(
                    "unsupported",
                    format!(
                        "the entry is packed by method {}, which is not supported; unpack it elsewhere and scan the result",
                        entry.method
                    ),
                    Some(entry.packed),
                ),
            );
        };
        let mut content = Vec::new();
        let result = (&mut decoder).take(self.hold + 1).read_to_end(&mut content);
        if content.len() as u64 > self.hold {
            self.streamed = Some((content, decoder));
            return Member {
                name,
                body: Body::Streamed(None),
                trouble: None,
                source: None,
            };
        }
        let mut member = checked(name, content.into(), entry);
        if let Err(error) = result {
            member.trouble = Some(Trouble::damaged(
                "corrupt-data",
                format!(
                    "the packed data is damaged or cut ({error}); what came before the damage was read"
                ),
                None,
            ));
        }
        member
    }

    /// Inflates in one go where the stated size is believable; the result is the same as the decoder's.
    fn inflate_fast(&self, entry: &Entry, at: u64) -> Option<Bytes> {
        let believable = entry.unpacked <= entry.packed.saturating_mul(1_032)
            && entry.unpacked <= FAST_MAX.min(self.hold)
            && entry.packed <= FAST_MAX;
        if entry.method != 8 || !believable {
            return None;
        }
        let packed = self.input.slice(at, entry.packed as usize).ok()?;
        let mut content = vec![0; entry.unpacked as usize];
        let (_, made) = inflate::raw(&packed, &mut content).ok()?;
        content.truncate(made);
        Some(content.into())
    }
}

/// A member whose checksum was looked at.
fn checked(name: MemberName, bytes: Bytes, entry: &Entry) -> Member {
    let wrong = crc32fast::hash(&bytes) != entry.crc;
    let missing = entry.unpacked.saturating_sub(bytes.len() as u64);
    let mut member = Member::whole(name, bytes);
    if missing > 0 {
        member.trouble = Some(Trouble::damaged(
            "truncated",
            format!(
                "the directory states {missing} bytes more than there are; what is there was read"
            ),
            Some(missing),
        ));
    } else if wrong {
        member.trouble = Some(Trouble::odd(
            "checksum-mismatch",
            "the checksum of the entry does not fit; the bytes were read as they stand",
        ));
    }
    member
}

/// The decoder of a method (APPNOTE 4.4.5), or `None` for those that are not supported.
fn decoder(entry: &Entry, data: impl Read + Send + 'static) -> Option<Box<dyn Read + Send>> {
    let data = BufReader::new(data);
    Some(match entry.method {
        0 => Box::new(data),
        8 => Box::new(flate2::bufread::DeflateDecoder::new(data)),
        12 => Box::new(bzip2::bufread::BzDecoder::new(data)),
        14 => return lzma(entry, data),
        93 => Box::new(zstd::stream::read::Decoder::with_buffer(data).ok()?),
        95 => Box::new(liblzma::bufread::XzDecoder::new(data)),
        _ => return None,
    })
}

/// A dictionary larger than this is refused rather than allocated.
const LZMA_MEMORY_MAX: u64 = 1 << 30;
/// The flag that says an end marker closes the stream, so that no length is needed (APPNOTE 4.4.4).
const LZMA_END_MARKER: u16 = 2;

/// LZMA as zip holds it (APPNOTE 5.8.8): version, length of the properties, properties, raw stream. The decoder
/// wants the properties and the length in front, as `.lzma` files have them.
fn lzma(entry: &Entry, mut data: impl BufRead + Send + 'static) -> Option<Box<dyn Read + Send>> {
    let mut header = [0; 9];
    data.read_exact(&mut header).ok()?;
    if header[2..4] != [5, 0] {
        return None;
    }
    let length = if entry.flags & LZMA_END_MARKER == 0 {
        entry.unpacked
    } else {
        u64::MAX
    };
    let mut alone = header[4..].to_vec();
    alone.extend(length.to_le_bytes());
    let stream = liblzma::stream::Stream::new_lzma_decoder(LZMA_MEMORY_MAX).ok()?;
    let data = Cursor::new(alone).chain(data);
    Some(Box::new(liblzma::bufread::XzDecoder::new_stream(
        data, stream,
    )))
}

impl Walker for ZipWalker {
    fn kind(&self) -> &'static str {
        "zip"
    }

    fn next(&mut self) -> Option<Event> {
        self.streamed = None;
        if let Some(front) = self.front.take() {
            return Some(Event::Member(front));
        }
        let Some(entry) = self.directory.next() else {
            return self.directory.finish().map(Event::Trouble);
        };
        if let Some(other) = entry.other() {
            return Some(Event::Other(other));
        }
        Some(Event::Member(self.member(entry)))
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        let Some((head, decoder)) = &mut self.streamed else {
            return 0;
        };
        if head.is_empty() {
            return decoder.read(buffer).unwrap_or(0);
        }
        let got = buffer.len().min(head.len());
        buffer[..got].copy_from_slice(&head[..got]);
        head.drain(..got);
        got
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use zip::CompressionMethod;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// Names and contents of members, and codes of troubles.
    type Seen = (Vec<(Vec<u8>, Vec<u8>)>, Vec<String>);

    fn walk(bytes: &[u8]) -> Result<Seen, String> {
        let input = Input::Memory(Bytes::copy_from_slice(bytes));
        let mut walker = Zip
            .open(input, &Limits::default())
            .map_err(|trouble| trouble.code.into_owned())?;
        let (mut members, mut codes) = (Vec::new(), Vec::new());
        while let Some(event) = walker.next() {
            match event {
                Event::Member(member) => {
                    codes.extend(member.trouble.map(|trouble| trouble.code.into_owned()));
                    if let Body::Held(content) = member.body {
                        members.push((member.name.bytes().to_vec(), content.to_vec()));
                    }
                }
                Event::Trouble(trouble) => codes.push(trouble.code.into_owned()),
                Event::Other(_) | Event::Map(_) => {}
            }
        }
        Ok((members, codes))
    }

    /// A zip made by the reference crate.
    fn made(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for (name, content) in files {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn every_method_of_the_reference_crate_is_read() {
        let text = b"some text that repeats, some text that repeats".repeat(50);
        for method in [
            CompressionMethod::Stored,
            CompressionMethod::Deflated,
            CompressionMethod::Bzip2,
            CompressionMethod::Zstd,
        ] {
            let bytes = made(&[("../a", &text), ("b/c", b"")], method);
            let (members, codes) = walk(&bytes).unwrap();
            assert_eq!(
                members,
                [(b"../a".to_vec(), text.clone()), (b"b/c".to_vec(), vec![])]
            );
            assert!(codes.is_empty(), "{method:?}: {codes:?}");
        }
    }

    #[test]
    fn a_prefix_does_not_hide_the_archive() {
        let mut bytes = b"#!/bin/sh\nexit\n".to_vec();
        bytes.extend(made(&[("a", b"content")], CompressionMethod::Deflated));
        assert_eq!(
            walk(&bytes).unwrap().0,
            [(b"a".to_vec(), b"content".to_vec())]
        );
    }

    #[test]
    fn what_stands_before_the_archive_is_a_region() {
        let zip = made(&[("manifest.json", b"{}")], CompressionMethod::Deflated);
        let crx3 = [&b"Cr24\x03\0\0\0\x04\0\0\0HEAD"[..], &zip].concat();
        let exe = [b"MZ", &[7; 500][..], &zip].concat();
        let script = [b"#!/usr/bin/env python3\n", &zip[..]].concat();
        for bytes in [crx3, exe, script] {
            assert!(PrefixedZip.recognise(&bytes) && !Zip.recognise(&bytes));
            let seen =
                super::super::testing::walk(&PrefixedZip, &bytes, &Limits::default()).unwrap();
            let front = bytes[..bytes.len() - zip.len()].to_vec();
            assert_eq!(
                seen.members,
                [
                    ("@0".to_owned(), front),
                    ("manifest.json".to_owned(), b"{}".to_vec())
                ]
            );
            assert!(seen.codes.is_empty());
        }
        assert!(!PrefixedZip.recognise(b"MZ with PK\x05\x06 in it, and nothing that fits behind"));
        assert!(!PrefixedZip.recognise(b"Cr24\x09\0\0\0"));
    }

    /// jar, war, VSIX and XPI are plain zips; an APK has its signatures between the entries and the directory.
    #[test]
    fn a_block_of_signatures_before_the_directory_does_no_harm() {
        let mut bytes = made(&[("classes.dex", b"dex")], CompressionMethod::Deflated);
        let directory = memchr::memmem::find(&bytes, ENTRY_MAGIC).unwrap();
        let block = b"\x18\0\0\0\0\0\0\0\x18\0\0\0\0\0\0\0APK Sig Block 42";
        bytes.splice(directory..directory, block.iter().copied());
        let at = bytes.len() - END_LEN + 16;
        let moved = (directory + block.len()) as u32;
        bytes[at..at + 4].copy_from_slice(&moved.to_le_bytes());
        let (members, codes) = walk(&bytes).unwrap();
        assert_eq!(members, [(b"classes.dex".to_vec(), b"dex".to_vec())]);
        assert!(codes.is_empty());
    }

    #[test]
    fn no_directory_is_said() {
        let bytes = made(&[("a", b"content")], CompressionMethod::Stored);
        assert_eq!(
            walk(&bytes[..bytes.len() - 30]),
            Err("zip-no-directory".to_owned())
        );
    }

    #[test]
    fn a_wrong_checksum_is_odd_and_loses_nothing() {
        let mut bytes = made(&[("a", b"content")], CompressionMethod::Stored);
        let at = memchr::memmem::find(&bytes, b"content").unwrap();
        bytes[at] = b'X';
        let (members, codes) = walk(&bytes).unwrap();
        assert_eq!(members, [(b"a".to_vec(), b"Xontent".to_vec())]);
        assert_eq!(codes, ["checksum-mismatch"]);
    }

    proptest! {
        #[test]
        fn agrees_with_the_reference_crate(
            contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..2_000), 0..6),
        ) {
            let names: Vec<_> = (0..contents.len()).map(|n| format!("f{n}")).collect();
            let files: Vec<_> = names.iter().zip(&contents).map(|(name, content)| (name.as_str(), content.as_slice())).collect();
            let (members, codes) = walk(&made(&files, CompressionMethod::Deflated)).unwrap();
            let expected: Vec<_> = files.iter().map(|(name, content)| (name.as_bytes().to_vec(), content.to_vec())).collect();
            prop_assert_eq!(members, expected);
            prop_assert!(codes.is_empty());
        }

        #[test]
        fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0..400_usize) {
            let mut bytes = made(&[("one", &[b'a'; 300]), ("two", b"2")], CompressionMethod::Deflated);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            let _ = walk(&bytes);
            let exe = [b"MZ", &bytes[..]].concat();
            let _ = PrefixedZip.recognise(&exe);
            let _ = super::super::testing::walk(&PrefixedZip, &exe, &Limits::default());
        }
    }
}
