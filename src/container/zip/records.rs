//! The records of a zip: end record, directory, entries, local headers, descriptors.
//!
//! Each of them is a claim about the others, and any of them may be missing. So they are read one by one, at the place
//! where another says they stand or where their magic is found, and nothing here decides what to believe: the walk
//! does.

use std::io::{BufRead, BufReader};

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::super::Trouble;
use super::super::feed::Input;
use super::Covered;
use super::unpack::Check;
use crate::blob::locator::escape;

pub(super) const END_MAGIC: &[u8] = b"PK\x05\x06";
pub(super) const END_LEN: usize = 22;
/// The end record may be followed by a comment of this length.
pub(super) const COMMENT_MAX: usize = 0xffff;
pub(super) const END64_MAGIC: &[u8] = b"PK\x06\x06";
pub(super) const LOCATOR64_MAGIC: &[u8] = b"PK\x06\x07";
pub(super) const LOCATOR64_LEN: usize = 20;
pub(super) const ENTRY_MAGIC: &[u8] = b"PK\x01\x02";
pub(super) const ENTRY_LEN: usize = 46;
pub(super) const LOCAL_MAGIC: &[u8] = b"PK\x03\x04";
pub(super) const LOCAL_LEN: usize = 30;
pub(super) const DESCRIPTOR_MAGIC: &[u8] = b"PK\x07\x08";
/// Begins a spanned archive that came out as one part (APPNOTE 8.5.4).
pub(super) const SPANNED_MAGIC: &[u8] = b"PK00";
/// Largest directory that is read: more than 50 M entries of ordinary length would not fit.
pub(super) const DIRECTORY_MAX: u64 = 4 << 30;
/// The flag of an entry that is encrypted (APPNOTE 4.4.4).
pub(super) const ENCRYPTED: u16 = 1;
/// The flag of an entry whose sizes follow its data.
pub(super) const DESCRIBED: u16 = 8;
/// The flag of local headers whose values are masked.
pub(super) const MASKED: u16 = 1 << 13;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The central directory, read entry by entry.
pub(super) struct Directory {
    pub(super) bytes: Bytes,
    pub(super) position: usize,
    /// Entries that the end record promises.
    pub(super) promised: u64,
    /// The count has 64 bits; a smaller one may have run over.
    pub(super) is_wide: bool,
    pub(super) seen: u64,
    pub(super) ended: bool,
    /// What is odd about the way that led here.
    pub(super) odd: Option<Trouble>,
    /// Where the end record begins, and where its comment ends.
    pub(super) end: (u64, u64),
}

impl Directory {
    /// The directory, and the bytes before the archive proper, by which all its offsets are off.
    pub(super) fn find(input: &Input, covered: &mut Covered) -> Result<(Self, u64), Trouble> {
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
        // A comment may hold another end record: the last that leads to entries is the archive's.
        let ends: Vec<EndRecord> = memchr::memmem::rfind_iter(&tail, END_MAGIC)
            .filter_map(|end| EndRecord::read(input, tail_at, &tail, end))
            .collect();
        let end = (ends.iter().find(|end| end.size > 0))
            .or(ends.first())
            .ok_or_else(missing)?;
        // An archive in front of this one ends before it; one whose comment holds this one is another matter.
        let is_ambiguous = ends.iter().any(|other| {
            let comment_end = other.at + END_LEN as u64 + other.comment;
            other.size > 0 && other.start != end.start && comment_end > end.at
        });
        let bytes = input
            .slice(end.start, end.size as usize)
            .map_err(unreadable)?;
        covered.add(end.start, end.start + end.size);
        if let Some((at, len)) = end.wide {
            // What the record holds beyond the fields of APPNOTE 4.3.14 is a gap like any other.
            covered.add(at, at + len);
            covered.add(end.at - LOCATOR64_LEN as u64, end.at);
        }
        covered.add(end.at, end.at + END_LEN as u64);
        let odd = if end.has_lies {
            Some("its 64-bit end record leads to no directory, and the other one was followed")
        } else if is_ambiguous {
            Some(
                "it has several end records that lead to directories; the last was followed, what it does not name was read as regions",
            )
        } else {
            None
        };
        let directory = Self {
            bytes,
            position: 0,
            promised: end.promised,
            is_wide: end.wide.is_some(),
            seen: 0,
            ended: false,
            odd: match end.disk {
                0 => odd.map(|what| {
                    Trouble::odd("zip-directory-odd", format!("the zip is ambiguous: {what}"))
                }),
                others => Some(Trouble::damaged(
                    "split-archive",
                    format!(
                        "the last of {} parts of a split zip: most of what it names stands in the others; join them (zip -s 0 --out) and scan the result",
                        others + 1
                    ),
                    None,
                )),
            },
            end: (end.at, end.at + END_LEN as u64 + end.comment),
        };
        Ok((directory, end.prefix))
    }

    pub(super) fn next(&mut self) -> Option<Entry> {
        let entry = Entry::read(self.bytes.get(self.position..)?)?;
        self.position += entry.len;
        self.seen += 1;
        Some(entry)
    }

    /// What is wrong at the end: damage, or another number of entries than promised.
    pub(super) fn finish(&mut self) -> Option<Trouble> {
        if let Some(odd) = self.odd.take() {
            return Some(odd);
        }
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
pub(super) struct Locals {
    pub(super) position: u64,
    pub(super) seen: u64,
    /// Bytes that were looked through in vain; bounded, so that headers that lie cannot make the walk quadratic.
    pub(super) in_vain: u64,
    pub(super) ended: bool,
}

impl Locals {
    pub(super) fn new(position: u64) -> Self {
        Self {
            position,
            seen: 0,
            in_vain: 0,
            ended: false,
        }
    }

    pub(super) fn next(
        &mut self,
        input: &Input,
        covered: &mut Covered,
        bytes_max: u64,
    ) -> Option<Entry> {
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
    pub(super) fn measure(&mut self, input: &Input, entry: &mut Entry, data: u64, bytes_max: u64) {
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

    pub(super) fn finish(&mut self) -> Option<Trouble> {
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
pub(super) fn directory_entry_len(input: &Input, at: u64) -> Option<u64> {
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
pub(super) fn find(
    input: &Input,
    from: u64,
    is_wanted: impl Fn(u64, &[u8]) -> bool,
) -> Option<u64> {
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

pub(super) fn is_header(_at: u64, bytes: &[u8]) -> bool {
    bytes.starts_with(LOCAL_MAGIC) || bytes.starts_with(ENTRY_MAGIC)
}

/// Length of the DEFLATE stream at `at`, where one stands there whole.
pub(super) fn deflated_len(input: &Input, at: u64, bytes_max: u64) -> Option<u64> {
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
pub(super) struct Descriptor {
    pub(super) crc: u32,
    pub(super) unpacked: u64,
    pub(super) len: u64,
}

impl Descriptor {
    /// The descriptor at `at`, if one stands there that fits the entry. Its magic is optional, its sizes have 32 or
    /// 64 bits.
    pub(super) fn read(input: &Input, at: u64, entry: &Entry) -> Option<Self> {
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
    pub(super) fn find(input: &Input, data: u64) -> Option<u64> {
        let at = find(input, data, |at, bytes| {
            let len = at - data;
            bytes.starts_with(DESCRIPTOR_MAGIC)
                && (u32_at(bytes, 8).map(u64::from) == Some(len) || u64_at(bytes, 8) == Some(len))
        })?;
        Some(at - data)
    }
}

/// Where the archive begins and ends whose end record stands at `end` of `content`, if that leads to a directory.
pub(super) fn span(input: &Input, content: &Bytes, end: usize) -> Option<(usize, usize)> {
    let record = EndRecord::read(input, 0, content, end)?;
    let start = usize::try_from(record.prefix).ok()?;
    let end = (end + END_LEN).saturating_add(usize::try_from(record.comment).ok()?);
    Some((start, end.min(content.len()))).filter(|(start, end)| start < end)
}

/// An end record that leads to a directory.
struct EndRecord {
    /// Its offset.
    at: u64,
    /// Where the directory begins, and its length in bytes.
    start: u64,
    size: u64,
    /// Entries that it promises.
    promised: u64,
    /// Bytes before the archive proper.
    prefix: u64,
    /// Length of the comment.
    comment: u64,
    /// Offset and length of the 64-bit record, where that was followed.
    wide: Option<(u64, u64)>,
    /// There is a 64-bit record, and it leads nowhere.
    has_lies: bool,
    /// Parts of the archive before this one.
    disk: u64,
}

impl EndRecord {
    /// Reads the record that stands at `end` of `tail`, which begins at `tail_at`. `None` where no directory stands
    /// where it says.
    fn read(input: &Input, tail_at: u64, tail: &Bytes, end: usize) -> Option<Self> {
        let record = tail.get(end..).filter(|record| record.len() >= END_LEN)?;
        let at = tail_at + end as u64;
        let wide = end64(input, at);
        let narrow = Self {
            at,
            start: at,
            size: u64::from(u32_at(record, 12)?),
            promised: u64::from(u16_at(record, 10)?),
            prefix: u64::from(u32_at(record, 16)?),
            comment: u64::from(u16_at(record, 20)?),
            wide: None,
            has_lies: wide.is_some(),
            // All ones: the 64-bit record says it.
            disk: u64::from(u16_at(record, 4)?) % u64::from(u16::MAX),
        };
        let (comment, has_lies, disk) = (narrow.comment, false, narrow.disk);
        let stated = wide.and_then(|(wide_at, record)| {
            Some(Self {
                at,
                start: wide_at,
                size: u64_at(&record, 40)?,
                promised: u64_at(&record, 32)?,
                prefix: u64_at(&record, 48)?,
                comment,
                wide: Some((wide_at, record.len() as u64)),
                has_lies,
                disk,
            })
        });
        stated
            .and_then(|stated| stated.settle(input))
            .or_else(|| narrow.settle(input))
    }

    /// The directory ends where the record begins; what is stated of its offset tells the prefix.
    fn settle(mut self, input: &Input) -> Option<Self> {
        self.start = self
            .start
            .checked_sub(self.size)
            .filter(|_| self.size <= DIRECTORY_MAX)?;
        self.prefix = self.start.checked_sub(self.prefix)?;
        let is_empty = self.size == 0 && self.promised == 0;
        let head = input.slice(self.start, ENTRY_MAGIC.len()).ok()?;
        (is_empty || (self.size > 0 && head == ENTRY_MAGIC)).then_some(self)
    }
}

/// The zip64 end record and its offset, where its locator stands before the end record.
pub(super) fn end64(input: &Input, end_at: u64) -> Option<(u64, Bytes)> {
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

pub(super) fn unreadable(error: std::io::Error) -> Trouble {
    Trouble::damaged(
        "unreadable",
        format!("the file could not be read: {error}"),
        None,
    )
}

/// Seconds since 1970 of a date and a time of DOS (APPNOTE 4.4.6); `None` where there is no such day.
fn dos_time(date: u16, time: u16) -> Option<i64> {
    let (year, month, day) = (
        i64::from(date >> 9) + 1980,
        i64::from(date >> 5 & 15),
        i64::from(date & 31),
    );
    if !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    // Years that begin in March, so that the day that some years have more is their last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days_of_years = year * 365 + year / 4 - year / 100 + year / 400;
    let days = days_of_years + (153 * month + 2) / 5 + day - 1 - 719_468;
    let (hours, minutes, seconds) = (time >> 11, time >> 5 & 63, (time & 31) * 2);
    Some(days * 86_400 + i64::from(hours) * 3_600 + i64::from(minutes) * 60 + i64::from(seconds))
}

/// One entry of the central directory.
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// Not known where only a local header tells of the entry, and nothing follows its data.
    pub(super) crc: Option<u32>,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    pub(super) offset: u64,
    pub(super) unix_mode: u32,
    /// Length of the entry in the directory, or of the local header.
    pub(super) len: usize,
    /// When the file was written: seconds since 1970. The field of DOS has no zone, and is taken as it is.
    pub(super) time: Option<i64>,
}

impl Entry {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
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
            time: dos_time(u16_at(bytes, 14)?, u16_at(bytes, 12)?),
        };
        entry.read_zip64(extra);
        (bytes.len() >= entry.len).then_some(entry)
    }

    /// What the local header at `at` says; `None` where none stands there whole.
    pub(super) fn read_local(input: &Input, at: u64) -> Option<Self> {
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
            time: dos_time(u16_at(&header, 12)?, u16_at(&header, 10)?),
        };
        entry.read_zip64(names.get(name_len..)?);
        entry.offset = at;
        (names.len() == name_len + extra_len).then_some(entry)
    }

    /// How the local header differs from the directory in what a reader may believe of either.
    pub(super) fn differs_from(&self, local: &Self) -> Option<String> {
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
    pub(super) fn read_zip64(&mut self, mut extra: &[u8]) {
        while let (Some(id), Some(len)) = (u16_at(extra, 0), u16_at(extra, 2)) {
            let end = 4 + usize::from(len);
            // Info-ZIP's extended timestamp: flags, then the time of writing, if the first of them says so.
            if id == 0x5455
                && extra.get(4).is_some_and(|flags| flags & 1 != 0)
                && let Some(time) = extra.get(..end).and_then(|field| u32_at(field, 5))
            {
                self.time = Some(i64::from(time.cast_signed()));
            }
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

    pub(super) fn check(&self) -> Check {
        Check {
            crc: self.crc,
            unpacked: self.unpacked,
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    /// What it is beside a regular file.
    pub(super) fn other(&self) -> Option<&'static str> {
        match self.unix_mode & 0o170_000 {
            0o120_000 => Some("symlink"),
            0o040_000 => Some("folder"),
            _ if self.name.ends_with(b"/") => Some("folder"),
            _ => None,
        }
    }
}
