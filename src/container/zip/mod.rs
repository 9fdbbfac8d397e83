//! zip (APPNOTE.TXT 6.3.10), by its central directory; without one, by its local headers.
//!
//! The directory at the end says what is in the archive; each of its entries points to a local header, behind
//! which the data stands. Everything in both is a claim: offsets are checked, sizes never decide what is
//! allocated, a wrong checksum is said and loses nothing, two headers that disagree are said. The codecs are kept
//! crates; encrypted entries and methods that nobody here can undo are problems, not silence. Where there are several
//! end records, or a 64-bit one beside the other, those that lead to no directory are passed over.
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

pub mod headers;
mod records;
#[cfg(test)]
mod tests;
mod unpack;

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::feed::Input;
use super::{Body, Event, Format, Member, Trouble, Walker, exe, inflate};
use crate::blob::{Decoders, Limits, MemberName, room};
use records::{
    COMMENT_MAX, DESCRIPTOR_MAGIC, Descriptor, Directory, END_LEN, END_MAGIC, ENTRY_MAGIC, Entry,
    LOCAL_MAGIC, Locals, SPANNED_MAGIC, u32_at, unreadable,
};
use unpack::{Check, Streamed, checked, corrupt, decoder, ends_exactly};

/// Begins a packed extension of Chromium's; a version follows.
const CRX_MAGIC: &[u8] = b"Cr24";
/// Regions up to this size are padding or an unusual data descriptor: given, and not worth a problem.
const TINY: u64 = 32;
/// Longest text that is taken for the target of a link: `PATH_MAX`.
const LINK_MAX: usize = 4096;
/// The last bytes of an APK signing block, which stands before the directory.
const SIGNING_BLOCK_END: &[u8] = b"APK Sig Block 42";
/// The fast decoder is used up to this size.
const FAST_MAX: u64 = 64 << 20;
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
        // What was meant for several disks begins with a mark of it (APPNOTE 8.5.4 and 8.5.5).
        let behind = [DESCRIPTOR_MAGIC, SPANNED_MAGIC]
            .iter()
            .find_map(|mark| head.strip_prefix(*mark));
        head.starts_with(END_MAGIC) || behind.unwrap_or(head).starts_with(LOCAL_MAGIC)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let mut covered = Covered::default();
        let (entries, prefix) = match Directory::find(&input, &mut covered) {
            Ok((directory, prefix)) => (Entries::Directory(directory), prefix),
            Err(trouble) => {
                // A header of a local entry has to stand at the beginning, so that a region of an archive is not
                // given as a region of itself.
                let first = [0, 4]
                    .into_iter()
                    .find_map(|at| Entry::read_local(&input, at))
                    .ok_or(trouble)?;
                (Entries::Locals(Locals::new(first.offset)), 0)
            }
        };
        Ok(Box::new(ZipWalker {
            input,
            entries,
            prefix,
            covered,
            overlaps: Overlaps::default(),
            hold: limits.hold(),
            decoders: limits.decoders,
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

/// Whether the local header that `bytes` begin with is one that a packer would write: a method that there is, and a name.
pub fn begins_an_entry(bytes: &Bytes) -> bool {
    const METHODS: [u16; 9] = [0, 8, 9, 12, 14, 93, 95, 98, 99];
    let entry = Entry::read_local(&Input::Memory(bytes.clone()), 0);
    entry.is_some_and(|entry| {
        METHODS.contains(&entry.method) && !entry.name.is_empty() && !entry.name.contains(&0)
    })
}

/// Beginning and end of every archive in `content` that has a directory, in order of their beginnings. Archives that lie
/// in others are among them.
pub fn archives(content: &Bytes) -> Vec<(usize, usize)> {
    /// End records that are looked at.
    const ENDS_MAX: usize = 1 << 16;
    let input = Input::Memory(content.clone());
    let mut archives: Vec<(usize, usize)> = memchr::memmem::find_iter(content, END_MAGIC)
        .take(ENDS_MAX)
        .filter_map(|end| {
            let (start, end) = records::span(&input, content, end)?;
            content[start..]
                .starts_with(LOCAL_MAGIC)
                .then_some((start, end))
        })
        .collect();
    // Of several that begin at the same place, the longest.
    archives.sort_unstable_by_key(|(start, end)| (*start, std::cmp::Reverse(*end)));
    archives.dedup_by_key(|(start, _)| *start);
    archives
}

/// Ranges of the archive that something accounts for. Neighbours are one: an ordinary archive has one range.
#[derive(Default)]
struct Covered {
    /// Ends by beginnings; ranges neither overlap nor touch.
    ranges: BTreeMap<u64, u64>,
}

impl Covered {
    fn add(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        let (mut start, mut end) = (start, end);
        // What begins before its end and ends at its beginning or behind is one with it.
        while let Some((&from, &to)) = self.ranges.range(..=end).next_back() {
            if to < start {
                break;
            }
            self.ranges.remove(&from);
            start = start.min(from);
            end = end.max(to);
        }
        self.ranges.insert(start, end);
    }

    /// Whether something accounts for a byte of this range already.
    fn overlaps(&self, start: u64, end: u64) -> bool {
        let before = self.ranges.range(..end).next_back();
        start < end && before.is_some_and(|(_, &to)| to > start)
    }

    /// What nothing accounts for, of `len` bytes, in order.
    fn gaps(self, len: u64) -> VecDeque<(u64, u64)> {
        let (mut gaps, mut reached) = (VecDeque::new(), 0);
        for (start, end) in self.ranges.into_iter().chain([(len, len)]) {
            if start > reached {
                gaps.push_back((reached, start.min(len)));
            }
            reached = reached.max(end);
        }
        gaps.retain(|(start, end)| start < end);
        gaps
    }
}

/// Entries whose packed bytes are another's too, wholly or in part.
///
/// That is how a few kilobytes state terabytes (D. Fifield, "A better zip bomb", WOOT 2019). A packer may also do it
/// in good faith, to store equal files once. So the same range is unpacked once and given again, and ranges that
/// overlap otherwise are read until they amount to a multiple of the file: all there can be in them is read by then.
#[derive(Default)]
struct Overlaps {
    /// The last ranges that were read more than once or may be: data, packed bytes, method; and what is in them.
    known: VecDeque<((u64, u64, u16), Bytes)>,
    /// Bytes of those.
    known_bytes: u64,
    /// Entries that stand on another's bytes.
    entries: u64,
    /// Those of them that were not read.
    left_out: u64,
    /// Packed bytes of those that were read.
    read: u64,
    said: bool,
}

/// Ranges that are kept to be given again, and bytes of them.
const KNOWN_MAX: usize = 16;
const KNOWN_BYTES_MAX: u64 = 64 << 20;
/// How often the bytes of a file may be read for entries that overlap.
const OVERLAP_MAX: u64 = 16;

impl Overlaps {
    /// The content of a range that was read before.
    fn known(&self, range: (u64, u64, u16)) -> Option<Bytes> {
        let mut known = self.known.iter().rev();
        known
            .find(|(other, _)| *other == range)
            .map(|(_, bytes)| bytes.clone())
    }

    /// Keeps what is in a range for those that say the same of it.
    fn keep(&mut self, range: (u64, u64, u16), bytes: &Bytes) {
        let len = bytes.len() as u64;
        if len > KNOWN_BYTES_MAX {
            return;
        }
        self.known.push_back((range, bytes.clone()));
        self.known_bytes += len;
        while self.known.len() > KNOWN_MAX || self.known_bytes > KNOWN_BYTES_MAX {
            let Some((_, bytes)) = self.known.pop_front() else {
                break;
            };
            self.known_bytes -= bytes.len() as u64;
        }
    }

    /// What is said of them at the end of the walk.
    fn finish(&mut self) -> Option<Trouble> {
        if self.entries == 0 || std::mem::replace(&mut self.said, true) {
            return None;
        }
        Some(Trouble::odd(
            "zip-overlap",
            format!(
                "{} entries of the zip stand on packed bytes that belong to others too, and {} of them were not read: an archive that is made so can state any size",
                self.entries, self.left_out
            ),
        ))
    }
}

/// Where entries come from.
enum Entries {
    Directory(Directory),
    Locals(Locals),
}

/// Walks the entries of an archive, and then what they leave over.
struct ZipWalker {
    input: Input,
    entries: Entries,
    /// Bytes before the archive proper, by which all offsets in the directory are off.
    prefix: u64,
    covered: Covered,
    overlaps: Overlaps,
    hold: u64,
    decoders: Decoders,
    bytes_max: u64,
    streamed: Option<Streamed>,
    /// What is given before the next entry is looked at.
    pending: VecDeque<Event>,
    /// What no entry covers, once all entries were given.
    regions: Option<VecDeque<(u64, u64)>>,
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
        member.time = entry.time;
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
        let packed_end = data.saturating_add(entry.packed).min(self.input.len());
        let overlaps = self.covered.overlaps(at, packed_end);
        self.overlaps.entries += u64::from(overlaps);
        let range = (data, entry.packed, entry.method);
        let known = self.overlaps.known(range).filter(|_| overlaps);
        let is_too_much = overlaps
            && known.is_none()
            && self.overlaps.read > self.input.len().saturating_mul(OVERLAP_MAX);
        let (mut member, used) = if entry.is_encrypted() {
            let trouble = Trouble::skipped(
                "encrypted",
                "the entry is encrypted and was not read; unpack it with its password and scan the result",
                Some(entry.packed),
            );
            (Member::absent(name, trouble), entry.packed)
        } else if let Some(bytes) = known {
            (checked(name, bytes, entry), entry.packed)
        } else if is_too_much {
            self.overlaps.left_out += 1;
            let trouble = Trouble::skipped(
                "zip-overlap",
                format!(
                    "the entry stands on packed bytes of others, of which so many were read that they amount to {OVERLAP_MAX} times the file; it was not read"
                ),
                Some(packed_end.saturating_sub(data)),
            );
            (Member::absent(name, trouble), 0)
        } else {
            if overlaps {
                self.overlaps.read += packed_end.saturating_sub(data);
            }
            let (member, used) = self.read(name, entry, data);
            if let Body::Held(bytes) = &member.body
                && entry.packed > 0
            {
                self.overlaps.keep(range, bytes);
            }
            (member, used)
        };
        let end = data.saturating_add(used).min(self.input.len());
        let described = Descriptor::read(&self.input, end, entry).map_or(0, |found| found.len);
        if self
            .streamed
            .as_ref()
            .is_some_and(|streamed| streamed.packed.is_some())
        {
            // How much of its data it covers is known when it was read.
            self.covered.add(at, data);
            self.covered.add(end, end + described);
        } else {
            self.covered.add(at, end + described);
        }
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
        Self::find_local(&self.input, self.prefix, entry).ok_or_else(|| {
                let at = self.prefix.saturating_add(entry.offset);
                Trouble::damaged(
                    "zip-entry-damaged",
                    format!("no local header stands at offset {at}, where the directory says; the entry was not read"),
                    Some(entry.packed),
                )
            })
    }

    fn find_local(input: &Input, prefix: u64, entry: &Entry) -> Option<Entry> {
        Entry::read_local(input, prefix.saturating_add(entry.offset))
            .or_else(|| Entry::read_local(input, entry.offset))
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
                packed: None,
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
        let used = Arc::new(AtomicU64::new(0));
        let Some(mut decoder) = decoder(entry, data, self.decoders, Arc::clone(&used)) else {
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
        let result = room::read(&mut decoder, self.hold + 1, &mut content);
        if content.len() as u64 > self.hold {
            self.streamed = Some(Streamed {
                head: content,
                decoder,
                check: entry.check(),
                made: 0,
                crc: crc32fast::Hasher::new(),
                trouble: None,
                ended: false,
                packed: ends_exactly(entry.method).then_some((at, all, used)),
            });
            let member = Member {
                name,
                body: Body::Streamed(None),
                trouble: None,
                source: None,
                links: Vec::new(),
                time: None,
            };
            return (member, all);
        }
        let mut member = checked(name, content.into(), entry);
        match result {
            Err(error) => member.trouble = Some(corrupt(&error)),
            // As the fast way: what an entry holds behind the end of its stream is hidden.
            Ok(()) if ends_exactly(entry.method) => {
                return (member, used.load(Ordering::Relaxed));
            }
            Ok(()) => {}
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
        if entry.method != 8 || !believable || self.decoders == Decoders::Safe {
            return None;
        }
        let packed = self.input.slice(at, entry.packed as usize).ok()?;
        room::want(entry.unpacked);
        let mut content = vec![0; entry.unpacked as usize];
        let (used, made) = inflate::raw(&packed, &mut content).ok()?;
        content.truncate(made);
        Some((content.into(), used as u64))
    }
}

/// Whether the data of a link is what a link has: a path, and not content that is to look like one.
pub(super) fn is_link_target(bytes: &[u8]) -> bool {
    bytes.len() <= LINK_MAX
        && !bytes
            .iter()
            .any(|byte| byte.is_ascii_control() || b"\"{}<>|".contains(byte))
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
            let taken = self.streamed.take().and_then(|streamed| streamed.taken());
            if let Some((start, end)) = taken {
                self.covered.add(start, end.min(self.input.len()));
            }
            let Some(entry) = self.next_entry() else {
                break;
            };
            self.entry(&entry);
        }
        let trouble = self.finish_entries().or_else(|| self.overlaps.finish());
        if let Some(trouble) = trouble {
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
