//! zip (APPNOTE.TXT 6.3.10), by its central directory; without one, by its local headers.
//!
//! The directory at the end says what is in the archive; each of its entries points to a local header, behind
//! which the data stands. Everything in both is a claim: offsets are checked, sizes never decide what is
//! allocated, a wrong checksum is said and loses nothing, two headers that disagree are said. The codecs are kept
//! crates; encrypted entries and methods that nobody here can undo are problems, not silence.
//!
//! The directory stands at the end, so anything may stand in front: a browser extension's signature (CRX 2 and 3), the
//! program of a self-extracting archive, a script.
//!
//! What no entry covers is where things are hidden: an archive in front of the archive, an entry that the directory
//! does not name, bytes behind the end record. So the ranges that entries take are kept (neighbours merge, an
//! ordinary archive has one), and what remains is given as regions. A region that begins with a local header goes
//! round again, and is walked by its local headers here.
//!
//! Left out: the bytes of extra fields, and what follows the end of a packed stream within the size that its entry
//! states, where that is not DEFLATE of ordinary size.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Cursor, Read};

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::feed::Input;
use super::{Body, Event, Format, Member, Trouble, Walker, exe, inflate};
use crate::blob::locator::escape;
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
const DESCRIPTOR_MAGIC: &[u8] = b"PK\x07\x08";
/// Largest directory that is read: more than 50 M entries of ordinary length would not fit.
const DIRECTORY_MAX: u64 = 4 << 30;
/// Begins a packed extension of Chromium's; a version follows.
const CRX_MAGIC: &[u8] = b"Cr24";
/// The fast decoder is used up to this size.
const FAST_MAX: u64 = 64 << 20;
/// The flag of an entry that is encrypted (APPNOTE 4.4.4).
const ENCRYPTED: u16 = 1;
/// The flag of an entry whose sizes follow its data.
const DESCRIBED: u16 = 8;
/// The flag of local headers whose values are masked.
const MASKED: u16 = 1 << 13;
/// Regions up to this size are padding or an unusual data descriptor: given, and not worth a problem.
const TINY: u64 = 32;
/// Longest text that is taken for the target of a link: `PATH_MAX`.
const LINK_MAX: usize = 4096;
/// The last bytes of an APK signing block, which stands before the directory.
const SIGNING_BLOCK_END: &[u8] = b"APK Sig Block 42";
/// What a self-extracting or runnable archive begins with: programs, scripts, browser extensions.
const STUBS: [&[u8]; 6] = [
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"Cr24",
];

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
        let mut covered = Covered::default();
        let (entries, prefix) = match Directory::find(&input, &mut covered) {
            Ok((directory, prefix)) => (Entries::Directory(directory), prefix),
            Err(trouble) => {
                // A header of a local entry has to stand at the beginning, so that a region of an archive is not
                // given as a region of itself.
                let first = Entry::read_local(&input, 0).ok_or(trouble)?;
                (Entries::Locals(Locals::new(first.offset)), 0)
            }
        };
        Ok(Box::new(ZipWalker {
            input,
            entries,
            prefix,
            covered,
            hold: limits.hold(),
            bytes_max: limits.bytes,
            streamed: None,
            pending: VecDeque::new(),
            regions: None,
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
        // What is in front is covered by no entry, and given for that.
        Zip.open(input, limits)
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

/// Ranges of the archive that something accounts for.
#[derive(Default)]
struct Covered {
    ranges: Vec<(u64, u64)>,
}

impl Covered {
    fn add(&mut self, start: u64, end: u64) {
        match self.ranges.last_mut() {
            Some(last) if last.1 == start && end >= start => last.1 = end,
            _ => self.ranges.push((start, end)),
        }
    }

    /// What nothing accounts for, of `len` bytes, in order.
    fn gaps(mut self, len: u64) -> VecDeque<(u64, u64)> {
        self.ranges.sort_unstable();
        self.ranges.push((len, len));
        let (mut gaps, mut reached) = (VecDeque::new(), 0);
        for (start, end) in self.ranges {
            if start > reached {
                gaps.push_back((reached, start.min(len)));
            }
            reached = reached.max(end);
        }
        gaps.retain(|(start, end)| start < end);
        gaps
    }
}

/// Where entries come from.
enum Entries {
    Directory(Directory),
    Locals(Locals),
}

/// The central directory, read entry by entry.
struct Directory {
    bytes: Bytes,
    position: usize,
    /// Entries that the end record promises.
    promised: u64,
    /// The count has 64 bits; a smaller one may have run over.
    is_wide: bool,
    seen: u64,
    ended: bool,
    /// Where the end record begins, and where its comment does.
    end: (u64, u64),
}

impl Directory {
    /// The directory, and the bytes before the archive proper, by which all its offsets are off.
    fn find(input: &Input, covered: &mut Covered) -> Result<(Self, u64), Trouble> {
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
        let wide = end64(input, end_at);
        if let Some((at, record)) = &wide {
            promised = u64_at(record, 32).ok_or_else(missing)?;
            size = u64_at(record, 40).ok_or_else(missing)?;
            offset = u64_at(record, 48).ok_or_else(missing)?;
            directory_end = *at;
        }
        // The directory ends where the end record begins; what it states of its offset tells the prefix.
        let start = directory_end
            .checked_sub(size)
            .filter(|_| size <= DIRECTORY_MAX)
            .ok_or_else(missing)?;
        let prefix = start.checked_sub(offset).ok_or_else(missing)?;
        let bytes = input.slice(start, size as usize).map_err(unreadable)?;
        let comment = u64::from(u16_at(record, 20).ok_or_else(missing)?);
        let comment_at = end_at + END_LEN as u64;
        covered.add(start, directory_end);
        if let Some((at, record)) = &wide {
            // What the record holds beyond the fields of APPNOTE 4.3.14 is a gap like any other.
            covered.add(*at, at + record.len() as u64);
            covered.add(end_at - LOCATOR64_LEN as u64, end_at);
        }
        covered.add(end_at, comment_at);
        let directory = Self {
            bytes,
            position: 0,
            promised,
            is_wide: wide.is_some(),
            seen: 0,
            ended: false,
            end: (end_at, comment_at + comment),
        };
        Ok((directory, prefix))
    }

    fn next(&mut self) -> Option<Entry> {
        let entry = Entry::read(self.bytes.get(self.position..)?)?;
        self.position += entry.len;
        self.seen += 1;
        Some(entry)
    }

    /// What is wrong at the end: damage, or another number of entries than promised.
    fn finish(&mut self) -> Option<Trouble> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        if self.position != self.bytes.len() {
            return Some(Trouble::damaged(
                "zip-directory-damaged",
                format!(
                    "the central directory is damaged behind entry {} of {}; the entries behind it were read only where their local headers could be found",
                    self.seen, self.promised
                ),
                None,
            ));
        }
        let counted = if self.is_wide {
            self.seen
        } else {
            self.seen & 0xffff
        };
        let detail = || {
            format!(
                "the end record of the zip promises {} entries and its directory has {}",
                self.promised, self.seen
            )
        };
        match counted.cmp(&self.promised) {
            std::cmp::Ordering::Less => Some(Trouble::damaged(
                "zip-directory-damaged",
                format!(
                    "{}; what it does not name was read only where its local header could be found",
                    detail()
                ),
                None,
            )),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Trouble::odd(
                "zip-directory-odd",
                format!("{}; all of them were read", detail()),
            )),
        }
    }
}

/// Local headers, one after the other, where there is no directory.
struct Locals {
    position: u64,
    seen: u64,
    /// Bytes that were looked through in vain; bounded, so that headers that lie cannot make the walk quadratic.
    in_vain: u64,
    ended: bool,
}

impl Locals {
    fn new(position: u64) -> Self {
        Self {
            position,
            seen: 0,
            in_vain: 0,
            ended: false,
        }
    }

    fn next(&mut self, input: &Input, covered: &mut Covered, bytes_max: u64) -> Option<Entry> {
        loop {
            if let Some(mut entry) = Entry::read_local(input, self.position) {
                let data = self.position + entry.len as u64;
                if entry.flags & DESCRIBED != 0 && entry.packed == 0 {
                    self.measure(input, &mut entry, data, bytes_max);
                }
                let end = data.saturating_add(entry.packed).min(input.len());
                let described = Descriptor::read(input, end, &entry).map_or(0, |found| found.len);
                self.position = end + described;
                self.seen += 1;
                return Some(entry);
            }
            if let Some(len) = directory_entry_len(input, self.position) {
                covered.add(self.position, self.position + len);
                self.position += len;
                continue;
            }
            self.position = find(input, self.position + 1, is_header)?;
        }
    }

    /// Finds out how long the data of an entry is that does not say so before it.
    fn measure(&mut self, input: &Input, entry: &mut Entry, data: u64, bytes_max: u64) {
        let may_look = self.in_vain <= input.len().saturating_mul(4);
        let found = if !may_look {
            None
        } else if entry.method == 8 {
            deflated_len(input, data, bytes_max)
        } else {
            Descriptor::find(input, data)
        };
        let len = found.unwrap_or_else(|| {
            self.in_vain = self
                .in_vain
                .saturating_add(input.len() - data.min(input.len()));
            find(input, data, is_header)
                .unwrap_or(input.len())
                .saturating_sub(data)
        });
        entry.packed = len;
        entry.crc = None;
        if let Some(descriptor) = Descriptor::read(input, data.saturating_add(len), entry) {
            entry.crc = Some(descriptor.crc);
            entry.unpacked = descriptor.unpacked;
        }
    }

    fn finish(&mut self) -> Option<Trouble> {
        (!std::mem::replace(&mut self.ended, true)).then(|| {
            Trouble::damaged(
                "zip-no-directory",
                format!(
                    "the zip has no central directory, so it is cut or damaged; {} entries were found by their local headers and read, get the file again to be sure of the rest",
                    self.seen
                ),
                None,
            )
        })
    }
}

/// Length of the entry of a central directory that stands at `at`, if one does, whole.
fn directory_entry_len(input: &Input, at: u64) -> Option<u64> {
    let header = input.slice(at, ENTRY_LEN).ok()?;
    if !header.starts_with(ENTRY_MAGIC) || header.len() < ENTRY_LEN {
        return None;
    }
    let lens = [28, 30, 32].map(|field| u16_at(&header, field).map_or(0, u64::from));
    let len = ENTRY_LEN as u64 + lens.iter().sum::<u64>();
    (len <= input.len().saturating_sub(at)).then_some(len)
}

/// The first place from `from` on where `PK` stands and `is_wanted` says so of that offset and of the 16 bytes there
/// (fewer at the end).
fn find(input: &Input, from: u64, is_wanted: impl Fn(u64, &[u8]) -> bool) -> Option<u64> {
    // What is near is found with a short read: a search for each of many small entries must not read far for each.
    const FIRST: usize = 4 << 10;
    const LAST: usize = 1 << 20;
    const LOOK: usize = 16;
    let (mut at, mut step) = (from, FIRST);
    while at < input.len() {
        let bytes = input.slice(at, step + LOOK).ok()?;
        let found = memchr::memmem::find_iter(&bytes, b"PK")
            .take_while(|&found| found < step)
            .find(|&found| {
                let look = &bytes[found..bytes.len().min(found + LOOK)];
                is_wanted(at + found as u64, look)
            });
        if let Some(found) = found {
            return Some(at + found as u64);
        }
        at += step as u64;
        step = LAST.min(step * 2);
    }
    None
}

fn is_header(_at: u64, bytes: &[u8]) -> bool {
    bytes.starts_with(LOCAL_MAGIC) || bytes.starts_with(ENTRY_MAGIC)
}

/// Length of the DEFLATE stream at `at`, where one stands there whole.
fn deflated_len(input: &Input, at: u64, bytes_max: u64) -> Option<u64> {
    let mut reader = BufReader::with_capacity(64 << 10, input.reader(at));
    let mut inflater = Decompress::new(false);
    let mut sink = vec![0; 64 << 10];
    while inflater.total_out() <= bytes_max {
        let packed = reader.fill_buf().ok()?;
        let before = (inflater.total_in(), inflater.total_out());
        let status = inflater
            .decompress(packed, &mut sink, FlushDecompress::None)
            .ok()?;
        let taken = inflater.total_in() - before.0;
        reader.consume(taken as usize);
        if status == Status::StreamEnd {
            return Some(inflater.total_in());
        }
        if (inflater.total_in(), inflater.total_out()) == before {
            return None;
        }
    }
    None
}

/// What follows the data of an entry that was written without knowing its size (APPNOTE 4.3.9).
struct Descriptor {
    crc: u32,
    unpacked: u64,
    len: u64,
}

impl Descriptor {
    /// The descriptor at `at`, if one stands there that fits the entry. Its magic is optional, its sizes have 32 or
    /// 64 bits.
    fn read(input: &Input, at: u64, entry: &Entry) -> Option<Self> {
        if entry.flags & DESCRIBED == 0 {
            return None;
        }
        let bytes = input.slice(at, 24).ok()?;
        let read = |(magic, width): (usize, usize)| {
            let sizes = magic + 4;
            let value = |at| match width {
                4 => u32_at(&bytes, at).map(u64::from),
                _ => u64_at(&bytes, at),
            };
            let crc = u32_at(&bytes, magic)?;
            let fits = DESCRIPTOR_MAGIC.starts_with(&bytes[..magic])
                && value(sizes)? == entry.packed
                && entry.crc.is_none_or(|stated| stated == crc);
            Some(Self {
                crc,
                unpacked: value(sizes + width)?,
                len: (sizes + 2 * width) as u64,
            })
            .filter(|_| fits)
        };
        // A size of 64 bits begins with one of 32: what follows decides.
        let is_followed = |found: &Self| {
            let next = input.slice(at + found.len, 2).unwrap_or_default();
            next.is_empty() || next.starts_with(b"PK")
        };
        let forms = [(4, 4), (4, 8), (0, 4), (0, 8)].map(read);
        let is_any_followed = forms.iter().flatten().any(is_followed);
        forms
            .into_iter()
            .flatten()
            .find(|found| !is_any_followed || is_followed(found))
    }

    /// Length of the data at `data` that ends at a descriptor which states that length.
    fn find(input: &Input, data: u64) -> Option<u64> {
        let at = find(input, data, |at, bytes| {
            let len = at - data;
            bytes.starts_with(DESCRIPTOR_MAGIC)
                && (u32_at(bytes, 8).map(u64::from) == Some(len) || u64_at(bytes, 8) == Some(len))
        })?;
        Some(at - data)
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
    /// Not known where only a local header tells of the entry, and nothing follows its data.
    crc: Option<u32>,
    packed: u64,
    unpacked: u64,
    offset: u64,
    unix_mode: u32,
    /// Length of the entry in the directory, or of the local header.
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
            crc: Some(u32_at(bytes, 16)?),
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

    /// What the local header at `at` says; `None` where none stands there whole.
    fn read_local(input: &Input, at: u64) -> Option<Self> {
        let header = input.slice(at, LOCAL_LEN).ok()?;
        if !header.starts_with(LOCAL_MAGIC) {
            return None;
        }
        let name_len = usize::from(u16_at(&header, 26)?);
        let extra_len = usize::from(u16_at(&header, 28)?);
        let len = LOCAL_LEN + name_len + extra_len;
        let names = input
            .slice(at + LOCAL_LEN as u64, name_len + extra_len)
            .ok()?;
        let mut entry = Self {
            name: names.get(..name_len)?.to_vec(),
            flags: u16_at(&header, 6)?,
            method: u16_at(&header, 8)?,
            crc: Some(u32_at(&header, 14)?),
            packed: u64::from(u32_at(&header, 18)?),
            unpacked: u64::from(u32_at(&header, 22)?),
            offset: 0,
            unix_mode: 0,
            len,
        };
        entry.read_zip64(names.get(name_len..)?);
        entry.offset = at;
        (names.len() == name_len + extra_len).then_some(entry)
    }

    /// How the local header differs from the directory in what a reader may believe of either.
    fn differs_from(&self, local: &Self) -> Option<String> {
        if local.flags & MASKED != 0 {
            return None;
        }
        if self.name != local.name {
            let name = |entry: &Self| escape(&entry.name);
            return Some(format!(
                "the directory calls it {} and its local header {}",
                name(self),
                name(local)
            ));
        }
        if self.method != local.method {
            return Some(format!(
                "the directory states method {} and its local header {}",
                self.method, local.method
            ));
        }
        let sizes = |entry: &Self| (entry.packed, entry.unpacked);
        (local.flags & DESCRIBED == 0 && sizes(self) != sizes(local)).then(|| {
            format!(
                "the directory states {} bytes packed and {} unpacked, its local header {} and {}",
                self.packed, self.unpacked, local.packed, local.unpacked
            )
        })
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

    fn check(&self) -> Check {
        Check {
            crc: self.crc,
            unpacked: self.unpacked,
        }
    }

    fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    /// What it is beside a regular file.
    fn other(&self) -> Option<&'static str> {
        match self.unix_mode & 0o170_000 {
            0o120_000 => Some("symlink"),
            0o040_000 => Some("folder"),
            _ if self.name.ends_with(b"/") => Some("folder"),
            _ => None,
        }
    }
}

/// Walks the entries of an archive, and then what they leave over.
struct ZipWalker {
    input: Input,
    entries: Entries,
    /// Bytes before the archive proper, by which all offsets in the directory are off.
    prefix: u64,
    covered: Covered,
    hold: u64,
    bytes_max: u64,
    streamed: Option<Streamed>,
    /// What is given before the next entry is looked at.
    pending: VecDeque<Event>,
    /// What no entry covers, once all entries were given.
    regions: Option<VecDeque<(u64, u64)>>,
}

/// A member that is too large to be held.
struct Streamed {
    /// What was read of it to find that out, not yet given.
    head: Vec<u8>,
    decoder: Box<dyn Read + Send>,
    check: Check,
    made: u64,
    crc: crc32fast::Hasher,
    trouble: Option<Trouble>,
    ended: bool,
}

/// What is stated of the bytes of a member.
#[derive(Clone, Copy)]
struct Check {
    crc: Option<u32>,
    unpacked: u64,
}

impl Check {
    /// What is wrong with `made` bytes of checksum `crc`.
    fn trouble(self, made: u64, crc: u32) -> Option<Trouble> {
        let missing = self.unpacked.saturating_sub(made);
        if missing > 0 {
            return Some(Trouble::damaged(
                "truncated",
                format!(
                    "the directory states {missing} bytes more than there are; what is there was read"
                ),
                Some(missing),
            ));
        }
        (self.crc.is_some_and(|stated| stated != crc)).then(|| {
            Trouble::odd(
                "checksum-mismatch",
                "the checksum of the entry does not fit; the bytes were read as they stand",
            )
        })
    }
}

impl Streamed {
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        if buffer.is_empty() || self.ended {
            return 0;
        }
        let got = if self.head.is_empty() {
            match read_on(&mut self.decoder, buffer) {
                Ok(got) => got,
                Err(error) => {
                    self.trouble = Some(corrupt(&error));
                    self.ended = true;
                    return 0;
                }
            }
        } else {
            let got = buffer.len().min(self.head.len());
            buffer[..got].copy_from_slice(&self.head[..got]);
            self.head.drain(..got);
            got
        };
        self.made += got as u64;
        self.crc.update(&buffer[..got]);
        if got == 0 {
            self.ended = true;
            let crc = std::mem::take(&mut self.crc).finalize();
            self.trouble = self.check.trouble(self.made, crc);
        }
        got
    }
}

/// Reads once, whatever interrupts it.
fn read_on(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn corrupt(error: &std::io::Error) -> Trouble {
    Trouble::damaged(
        "corrupt-data",
        format!(
            "the packed data is damaged or cut ({error}); what came before the damage was read"
        ),
        None,
    )
}

impl ZipWalker {
    fn next_entry(&mut self) -> Option<Entry> {
        match &mut self.entries {
            Entries::Directory(directory) => directory.next(),
            Entries::Locals(locals) => locals.next(&self.input, &mut self.covered, self.bytes_max),
        }
    }

    fn finish_entries(&mut self) -> Option<Trouble> {
        match &mut self.entries {
            Entries::Directory(directory) => directory.finish(),
            Entries::Locals(locals) => locals.finish(),
        }
    }

    /// Takes an entry: what it gives is pending afterwards.
    fn entry(&mut self, entry: &Entry) {
        let mut member = self.member(entry);
        if let Some(other) = entry.other() {
            let is_nothing_else = match &member.body {
                Body::Held(bytes) if member.trouble.is_none() => {
                    bytes.is_empty() || (other == "symlink" && is_link_target(bytes))
                }
                // Nothing is stated, so nothing is missing.
                _ => entry.packed == 0 && entry.unpacked == 0,
            };
            self.pending.push_back(Event::Other(other));
            if is_nothing_else {
                return;
            }
            member.trouble.get_or_insert_with(|| {
                Trouble::odd(
                    "unexpected-data",
                    format!(
                        "the mode or name of the entry is that of a {other}, and its data is not; it was read as a member"
                    ),
                )
            });
        }
        self.pending.push_back(Event::Member(member));
    }

    fn member(&mut self, entry: &Entry) -> Member {
        let name = MemberName::Named(entry.name.clone());
        let local = match self.local(entry) {
            Ok(local) => local,
            Err(trouble) => return Member::absent(name, trouble),
        };
        let at = local.offset;
        let data = at + local.len as u64;
        let (mut member, used) = if entry.is_encrypted() {
            let trouble = Trouble::skipped(
                "encrypted",
                "the entry is encrypted and was not read; unpack it with its password and scan the result",
                Some(entry.packed),
            );
            (Member::absent(name, trouble), entry.packed)
        } else {
            self.read(name, entry, data)
        };
        let end = data.saturating_add(used).min(self.input.len());
        let described = Descriptor::read(&self.input, end, entry).map_or(0, |found| found.len);
        self.covered.add(at, end + described);
        if let Some(difference) = entry.differs_from(&local) {
            let trouble = Trouble::odd(
                "header-mismatch",
                format!(
                    "two headers of an entry of the zip disagree: {difference}; it was read by the directory"
                ),
            );
            match member.trouble {
                None => member.trouble = Some(trouble),
                Some(_) => self.pending.push_back(Event::Trouble(trouble)),
            }
        }
        member
    }

    /// The local header of an entry; its data is behind it.
    ///
    /// Bytes in front of the directory shift it and nothing else, bytes in front of the archive shift everything: what
    /// is missing between the two offsets of the directory can be either.
    fn local(&self, entry: &Entry) -> Result<Entry, Trouble> {
        let at = self.prefix.saturating_add(entry.offset);
        Entry::read_local(&self.input, at)
            .or_else(|| Entry::read_local(&self.input, entry.offset))
            .ok_or_else(|| {
                Trouble::damaged(
                    "zip-entry-damaged",
                    format!("no local header stands at offset {at}, where the directory says; the entry was not read"),
                    Some(entry.packed),
                )
            })
    }

    /// A region that no entry covers. `None` for padding.
    fn region(&mut self, start: u64, end: u64) -> Option<Member> {
        let len = end - start;
        let name = MemberName::Offset(start);
        let held = usize::try_from(len.min(self.hold)).unwrap_or(usize::MAX);
        let bytes = match self.input.slice(start, held) {
            Ok(bytes) => bytes,
            Err(error) => return Some(Member::absent(name, unreadable(error))),
        };
        let is_whole = bytes.len() as u64 == len;
        if is_whole && bytes.iter().all(|&byte| byte == 0) {
            return None;
        }
        let trouble = self.region_trouble(start, end, &bytes);
        let mut member = Member::whole(name, bytes);
        member.trouble = trouble;
        if !is_whole {
            member.body = Body::Streamed(Some(len));
            self.streamed = Some(Streamed {
                head: Vec::new(),
                decoder: Box::new(self.input.reader(start).take(len)),
                check: Check {
                    crc: None,
                    unpacked: len,
                },
                made: 0,
                crc: crc32fast::Hasher::new(),
                trouble: None,
                ended: false,
            });
        }
        Some(member)
    }

    fn region_trouble(&self, start: u64, end: u64, bytes: &[u8]) -> Option<Trouble> {
        let (end_record, comment_end) = match &self.entries {
            Entries::Directory(directory) => directory.end,
            Entries::Locals(_) => (u64::MAX, u64::MAX),
        };
        let is_comment = start >= end_record && end <= comment_end;
        let is_stub = start == 0 && STUBS.iter().any(|stub| bytes.starts_with(stub));
        let is_usual = is_comment || is_stub || bytes.ends_with(SIGNING_BLOCK_END);
        if is_usual || end - start <= TINY {
            return None;
        }
        let code = if start == 0 {
            "leading-data"
        } else if start >= end_record {
            "trailing-data"
        } else {
            "gap-data"
        };
        Some(Trouble::odd(
            code,
            format!(
                "{} bytes from offset {start} of the zip belong to no entry that it names; they were scanned as they stand",
                end - start
            ),
        ))
    }

    /// The next region that is given, once there are no more entries.
    fn next_region(&mut self) -> Option<Event> {
        let len = self.input.len();
        let covered = &mut self.covered;
        let comment_end = match &self.entries {
            Entries::Directory(directory) => directory.end.1,
            Entries::Locals(_) => len,
        };
        self.regions.get_or_insert_with(|| {
            let mut gaps = std::mem::take(covered).gaps(len);
            // The comment and what is behind it are two things.
            if let Some((start, end)) = gaps.pop_back() {
                let middle = comment_end.clamp(start, end);
                gaps.extend([(start, middle), (middle, end)]);
            }
            gaps.retain(|(start, end)| start < end);
            gaps
        });
        while let Some((start, end)) = self.regions.as_mut()?.pop_front() {
            if let Some(member) = self.region(start, end) {
                return Some(Event::Member(member));
            }
        }
        None
    }

    /// The bytes of an entry, which stand at `at`; and how many of the packed ones they are.
    fn read(&mut self, name: MemberName, entry: &Entry, at: u64) -> (Member, u64) {
        let all = entry.packed;
        if entry.method == 0 && entry.packed <= self.hold {
            let member = match self.input.slice(at, entry.packed as usize) {
                Ok(bytes) => checked(name, bytes, entry),
                Err(error) => Member::absent(name, unreadable(error)),
            };
            return (member, all);
        }
        if let Some((bytes, used)) = self.inflate_fast(entry, at) {
            return (checked(name, bytes, entry), used);
        }
        let data = self.input.reader(at).take(entry.packed);
        let Some(mut decoder) = decoder(entry, data) else {
            let trouble = Trouble::skipped(
                "unsupported",
                format!(
                    "the entry is packed by method {}, which is not supported; unpack it elsewhere and scan the result",
                    entry.method
                ),
                Some(entry.packed),
            );
            return (Member::absent(name, trouble), all);
        };
        let mut content = Vec::new();
        let result = (&mut decoder).take(self.hold + 1).read_to_end(&mut content);
        if content.len() as u64 > self.hold {
            self.streamed = Some(Streamed {
                head: content,
                decoder,
                check: entry.check(),
                made: 0,
                crc: crc32fast::Hasher::new(),
                trouble: None,
                ended: false,
            });
            let member = Member {
                name,
                body: Body::Streamed(None),
                trouble: None,
                source: None,
                links: Vec::new(),
            };
            return (member, all);
        }
        let mut member = checked(name, content.into(), entry);
        if let Err(error) = result {
            member.trouble = Some(corrupt(&error));
        }
        (member, all)
    }

    /// Inflates in one go where the stated size is believable; the result is the same as the decoder's.
    ///
    /// Also gives how many of the packed bytes it took: what an entry holds behind the end of its stream is hidden.
    fn inflate_fast(&self, entry: &Entry, at: u64) -> Option<(Bytes, u64)> {
        let believable = entry.unpacked <= entry.packed.saturating_mul(1_032)
            && entry.unpacked <= FAST_MAX.min(self.hold)
            && entry.packed <= FAST_MAX;
        if entry.method != 8 || !believable {
            return None;
        }
        let packed = self.input.slice(at, entry.packed as usize).ok()?;
        let mut content = vec![0; entry.unpacked as usize];
        let (used, made) = inflate::raw(&packed, &mut content).ok()?;
        content.truncate(made);
        Some((content.into(), used as u64))
    }
}

/// A member whose checksum was looked at.
fn checked(name: MemberName, bytes: Bytes, entry: &Entry) -> Member {
    let trouble = entry
        .check()
        .trouble(bytes.len() as u64, crc32fast::hash(&bytes));
    let mut member = Member::whole(name, bytes);
    member.trouble = trouble;
    member
}

/// Whether the data of a link is what a link has: a path, and not content that is to look like one.
fn is_link_target(bytes: &[u8]) -> bool {
    bytes.len() <= LINK_MAX
        && !bytes
            .iter()
            .any(|byte| byte.is_ascii_control() || b"\"{}<>|".contains(byte))
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
        loop {
            // A streamed member is always the last that is pending.
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            self.streamed = None;
            let Some(entry) = self.next_entry() else {
                break;
            };
            self.entry(&entry);
        }
        if let Some(trouble) = self.finish_entries() {
            return Some(Event::Trouble(trouble));
        }
        self.next_region()
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        self.streamed
            .as_mut()
            .map_or(0, |streamed| streamed.read(buffer))
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.streamed.as_mut()?.trouble.take()
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
            walk(&bytes).unwrap().0[0],
            (b"a".to_vec(), b"content".to_vec())
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
                    ("manifest.json".to_owned(), b"{}".to_vec()),
                    ("@0".to_owned(), front)
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
        assert_eq!(members[0], (b"classes.dex".to_vec(), b"dex".to_vec()));
        assert_eq!(members[1], (Vec::new(), block.to_vec()));
        assert!(members.len() == 2 && codes.is_empty());
    }

    #[test]
    fn no_directory_is_said() {
        let bytes = made(&[("a", b"content")], CompressionMethod::Stored);
        let (members, codes) = walk(&bytes[..bytes.len() - 30]).unwrap();
        assert_eq!(members[0], (b"a".to_vec(), b"content".to_vec()));
        assert_eq!(codes[0], "zip-no-directory");
        assert_eq!(walk(&bytes[..20]), Err("zip-no-directory".to_owned()));
    }

    /// Where the directory and the end record begin.
    fn parts(bytes: &[u8]) -> (usize, usize) {
        let find = |magic| memchr::memmem::find(bytes, magic).unwrap();
        (find(ENTRY_MAGIC), find(END_MAGIC))
    }

    fn offset(at: usize) -> Vec<u8> {
        MemberName::Offset(at as u64).bytes().to_vec()
    }

    #[test]
    fn what_no_entry_covers_is_given_and_said() {
        let front = made(&[("hidden", b"secret")], CompressionMethod::Deflated);
        let back = made(&[("a", b"content")], CompressionMethod::Deflated);
        let content = (b"a".to_vec(), b"content".to_vec());
        let (members, codes) = walk(&[front.clone(), back.clone()].concat()).unwrap();
        assert_eq!(members, [content.clone(), (offset(0), front)]);
        assert_eq!(codes, ["leading-data"]);

        let rest = vec![b'x'; 40];
        let (members, codes) = walk(&[back.clone(), rest.clone()].concat()).unwrap();
        assert_eq!(
            members,
            [content.clone(), (offset(back.len()), rest.clone())]
        );
        assert_eq!(codes, ["trailing-data"]);

        let (directory, _) = parts(&back);
        let between = [&back[..directory], &rest, &back[directory..]].concat();
        let (members, codes) = walk(&between).unwrap();
        assert_eq!(
            members,
            [content.clone(), (offset(directory), rest.clone())]
        );
        assert_eq!(codes, ["gap-data"]);

        let stub = [b"#!/bin/sh\n".as_slice(), &rest, &back].concat();
        let (members, codes) = walk(&stub).unwrap();
        assert_eq!((members.len(), codes.len()), (2, 0));
        let padded = [
            &back[..directory],
            &[0; 4_000],
            &back[directory..],
            &[0; 99],
        ]
        .concat();
        assert_eq!(walk(&padded).unwrap(), (vec![content], vec![]));
    }

    #[test]
    fn the_comment_is_given_and_what_follows_it_is_told_apart() {
        let mut bytes = made(&[("a", b"content")], CompressionMethod::Stored);
        let at = bytes.len();
        bytes[at - 2..].copy_from_slice(&40_u16.to_le_bytes());
        bytes.extend([b'c'; 40]);
        let (members, codes) = walk(&bytes).unwrap();
        assert_eq!(members[1], (offset(at), vec![b'c'; 40]));
        assert!(codes.is_empty());
        bytes.extend([b't'; 40]);
        let (members, codes) = walk(&bytes).unwrap();
        assert_eq!(members[2], (offset(at + 40), vec![b't'; 40]));
        assert_eq!(codes, ["trailing-data"]);
    }

    #[test]
    fn an_entry_that_the_directory_does_not_name_is_found() {
        let bytes = made(
            &[("hidden", b"secret"), ("a", b"content")],
            CompressionMethod::Deflated,
        );
        let (directory, end) = parts(&bytes);
        let second = directory + ENTRY_LEN + b"hidden".len();
        for promised in [1_u16, 2] {
            let mut file = [&bytes[..directory], &bytes[second..]].concat();
            let end = end - (second - directory);
            file[end + 8..end + 10].copy_from_slice(&promised.to_le_bytes());
            file[end + 10..end + 12].copy_from_slice(&promised.to_le_bytes());
            let size = (end - directory) as u32;
            file[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
            let (members, codes) = walk(&file).unwrap();
            assert_eq!(members[0], (b"a".to_vec(), b"content".to_vec()));
            let (name, region) = &members[1];
            assert_eq!(name, &offset(0));
            // The region goes round again.
            let (inner, inner_codes) = walk(region).unwrap();
            assert_eq!(inner, [(b"hidden".to_vec(), b"secret".to_vec())]);
            assert_eq!(inner_codes, ["zip-no-directory"]);
            let expected: &[&str] = if promised == 2 {
                &["zip-directory-damaged", "leading-data"]
            } else {
                &["leading-data"]
            };
            // Members' troubles and the container's, in the order in which they are met.
            assert_eq!(codes, expected);
        }
    }

    #[test]
    fn local_headers_are_walked_with_descriptors_of_every_form() {
        let text = b"some text that repeats, some text that repeats".repeat(20);
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&text).unwrap();
        let packed = encoder.finish().unwrap();
        for (method, data) in [(8_u16, &packed), (0, &text)] {
            for (magic, width) in [(true, 4), (true, 8), (false, 4), (false, 8)] {
                if method == 0 && !magic {
                    continue;
                }
                let mut file = Vec::new();
                for name in [b"a", b"b"] {
                    file.extend(LOCAL_MAGIC);
                    file.extend([20, 0]);
                    file.extend(DESCRIBED.to_le_bytes());
                    file.extend(method.to_le_bytes());
                    file.extend([0; 16]);
                    file.extend([1, 0, 0, 0]);
                    file.extend(name);
                    file.extend(data);
                    if magic {
                        file.extend(DESCRIPTOR_MAGIC);
                    }
                    file.extend(crc32fast::hash(&text).to_le_bytes());
                    for size in [data.len() as u64, text.len() as u64] {
                        file.extend(&size.to_le_bytes()[..width]);
                    }
                }
                let expected = [(b"a".to_vec(), text.clone()), (b"b".to_vec(), text.clone())];
                let (members, codes) = walk(&file).unwrap();
                assert_eq!(members, expected, "{method} {magic} {width}");
                assert_eq!(codes, ["zip-no-directory"]);
            }
        }
    }

    #[test]
    fn names_that_disagree_are_both_said() {
        let mut bytes = made(&[("public", b"content")], CompressionMethod::Stored);
        bytes[LOCAL_LEN..LOCAL_LEN + 6].copy_from_slice(b"secret");
        let (members, codes) = walk(&bytes).unwrap();
        assert_eq!(members, [(b"public".to_vec(), b"content".to_vec())]);
        assert_eq!(codes, ["header-mismatch"]);
    }

    #[test]
    fn data_of_a_folder_or_a_link_is_read() {
        let map = b"{\"version\":3}".as_slice();
        for (mode, content, given) in [
            (0o040_755_u32, map, true),
            (0o120_777, map, true),
            (0o120_777, b"../some where/x", false),
            (0o040_755, b"", false),
        ] {
            let mut bytes = made(&[("a", content)], CompressionMethod::Deflated);
            let (directory, _) = parts(&bytes);
            bytes[directory + 5] = 3;
            bytes[directory + 38..directory + 42].copy_from_slice(&(mode << 16).to_le_bytes());
            let (members, codes) = walk(&bytes).unwrap();
            assert_eq!(members.len(), usize::from(given));
            assert_eq!(codes.len(), usize::from(given));
            if given {
                assert_eq!(members[0].1, content);
                assert_eq!(codes, ["unexpected-data"]);
            }
        }
    }

    #[test]
    fn a_streamed_member_is_checked_as_a_held_one_is() {
        let text: Vec<u8> = (0..100_000_u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        let whole = made(&[("a", &text)], CompressionMethod::Deflated);
        let limits = Limits {
            memory: 100_000,
            ..Limits::default()
        };
        let (directory, _) = parts(&whole);
        let trouble = |at: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[at] ^= byte;
            let mut walker = Zip.open(Input::Memory(bytes.into()), &limits).unwrap();
            let Some(Event::Member(member)) = walker.next() else {
                panic!("a member");
            };
            assert!(matches!(member.body, Body::Streamed(_)));
            let mut buffer = [0; 9_999];
            let mut made = 0;
            loop {
                let got = walker.read_streamed(&mut buffer);
                if got == 0 {
                    break;
                }
                made += got;
            }
            let code = walker.streamed_trouble().map(|trouble| trouble.code);
            (made == text.len(), code)
        };
        assert_eq!(trouble(0, 0), (true, None));
        // The checksum, the size, and the packed size that the directory states.
        assert_eq!(
            trouble(directory + 16, 1),
            (true, Some("checksum-mismatch".into()))
        );
        assert_eq!(trouble(directory + 27, 1), (true, Some("truncated".into())));
        let (is_whole, code) = trouble(directory + 22, 4);
        assert!(is_whole || code.is_some());
        let (is_whole, code) = trouble(directory + 22, 1);
        assert!(is_whole || code.is_some());
        let (is_whole, code) = trouble(directory / 2, 0xff);
        assert!(code.is_some(), "{is_whole}");
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
        fn a_walk_without_directory_never_panics(
            bytes in proptest::collection::vec(
                prop_oneof![
                    Just(LOCAL_MAGIC.to_vec()),
                    Just(ENTRY_MAGIC.to_vec()),
                    Just(END_MAGIC.to_vec()),
                    Just(DESCRIPTOR_MAGIC.to_vec()),
                    Just(vec![0; 26]),
                    proptest::collection::vec(any::<u8>(), 0..60),
                ],
                0..12,
            ),
        ) {
            let bytes = [LOCAL_MAGIC.to_vec(), bytes.concat()].concat();
            let _ = walk(&bytes);
        }

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
