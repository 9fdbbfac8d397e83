//! tar: ustar (POSIX.1-1988), PAX (POSIX.1-2001) and GNU, walked over bytes.
//!
//! Libraries for unpacking are written to refuse: unsafe names, odd sizes, anything behind the end marker. For
//! evidence the opposite is wanted, so this walker takes names as raw bytes and sizes as claims, goes on behind
//! the end marker, finds the next header after damage, and says so each time.
//!
//! A PAX record applies to the next *file* header, never to the header of a GNU long name between them: readers
//! that mix this up can be made to see another list of files than tar does.
//!
//! Readers also differ in which headers have data. The rule here: what a size speaks of is read, whatever the type
//! of the header, and what is not a member for GNU tar is said to be odd. Where a folder or link states a size, its
//! data ends at the next valid header, so that a size that lies cannot swallow the members behind it.
//!
//! Sparse members (GNU's own form, and its forms 0.0, 0.1 and 1.0 in PAX records; "Storing Sparse Files" in the manual of
//! GNU tar) state where their data stands in the file, and the rest is holes. They are put together again up to
//! `SPARSE_MAX` bytes, or a multiple of what is stored: a few bytes can state a hole of any size. Beyond that the
//! stored bytes are given as they stand, which is all that anybody wrote, and it is said.

use std::collections::VecDeque;

use bytes::Bytes;

use super::feed::{Feed, Input, SeekFeed, SliceFeed};
use super::stream::FeedWalker;
use super::{Body, Event, Format, Member, Trouble, Walker};
use crate::blob::{Limits, MemberName, room};

const BLOCK: usize = 512;
/// Longest extension header (PAX records, GNU long name) that is read. Real ones are below 64 KiB.
const EXTENSION_MAX: u64 = 16 << 20;
/// A member that states more than may be held is streamed if it has this many bytes; a size that lies costs the
/// few bytes that are there nothing.
const STREAMED_MIN: usize = 64 << 10;
/// Largest size that a file can have: `off_t` is signed, and GNU tar refuses what is larger.
const SIZE_MAX: u64 = i64::MAX as u64;
/// A sparse member up to this size is put together; bytes.
const SPARSE_MAX: u64 = 64 << 20;
/// A larger one is if its data is at least this part of it, and it may be held.
const SPARSE_RATIO: u64 = 16;
/// None is beyond this, whatever may be held.
const EXPAND_MAX: u64 = 512 << 20;
/// Blocks of a map of data that are read: each states 21 pieces.
const SPARSE_BLOCKS_MAX: usize = 1 << 20;
/// Data of a folder or link is collected up to this size.
const UNEXPECTED_MAX: u64 = 64 << 20;

/// The tar format, not compressed.
pub struct Tar;

impl Format for Tar {
    fn name(&self) -> &'static str {
        "tar"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        looks_like_tar(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        Ok(match input {
            Input::Memory(bytes) => {
                // Members are slices of what is in memory already.
                Box::new(TarWalker::new(SliceFeed::new(bytes), "tar", u64::MAX))
            }
            file @ Input::File(_) => {
                Box::new(TarWalker::new(SeekFeed::new(file), "tar", limits.hold()))
            }
        })
    }
}

/// Whether content begins with a tar header: its checksum fits, and something is in it.
///
/// The checksum alone decides, so that headers of before ustar count too.
pub fn looks_like_tar(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>()
        .is_some_and(|block| block[0] != 0 && Header(block).is_valid())
}

/// Length of the archive that `bytes` begin with, by its headers one after the other; `None` where no header of a member
/// stands there. The blocks of zeros behind it belong to it.
pub fn archive_len(bytes: &[u8]) -> Option<usize> {
    let block_at = |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>());
    let (mut at, mut members) = (0_usize, 0);
    while let Some(block) = block_at(at).filter(|block| looks_like_tar(&block[..])) {
        let size = usize::try_from(Header(block).size()?).ok()?;
        let next = size
            .checked_next_multiple_of(BLOCK)?
            .checked_add(at + BLOCK)?;
        members += 1;
        if next > bytes.len() {
            at = bytes.len();
            break;
        }
        at = next;
    }
    while block_at(at).is_some_and(|block| block.iter().all(|&byte| byte == 0)) {
        at += BLOCK;
    }
    (members > 0).then_some(at)
}

/// A header block.
struct Header<'a>(&'a [u8; BLOCK]);

impl Header<'_> {
    fn field(&self, at: usize, len: usize) -> &[u8] {
        let field = &self.0[at..at + len];
        let end = memchr::memchr(0, field).unwrap_or(len);
        &field[..end]
    }

    /// Sum of all bytes, those of the checksum field taken as spaces; old tars summed signed bytes.
    fn is_valid(&self) -> bool {
        let Some(stated) = octal(&self.0[148..156]) else {
            return false;
        };
        let field = &self.0[148..156];
        let blanks = 8 * u64::from(b' ');
        let unsigned = sum(self.0) - sum(field) + blanks;
        if stated == unsigned {
            return true;
        }
        // Old tars summed signed bytes: each byte above 127 counts 256 less.
        let high = |bytes: &[u8]| bytes.iter().filter(|byte| **byte > 127).count() as u64;
        let less = 256 * (high(self.0) - high(field));
        less > 0 && stated + less == unsigned
    }

    fn is_ustar(&self) -> bool {
        &self.0[257..263] == b"ustar\0"
    }

    fn kind(&self) -> u8 {
        self.0[156]
    }

    /// Size of the member: octal, or base-256 where the first bit is set (GNU). `None` where it is neither, or larger
    /// than any file can be.
    fn size(&self) -> Option<u64> {
        number(&self.0[124..136]).filter(|size| *size <= SIZE_MAX)
    }

    /// When the member was written: seconds since 1970.
    fn time(&self) -> Option<i64> {
        number(&self.0[136..148]).and_then(|time| i64::try_from(time).ok())
    }

    /// Name, with the ustar prefix where there is one.
    fn name(&self) -> Vec<u8> {
        let name = self.field(0, 100);
        let prefix = self.field(345, 155);
        if !self.is_ustar() || prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }
}

fn number(field: &[u8]) -> Option<u64> {
    match field.first()? {
        0x80 => field[1..].iter().try_fold(0_u64, |value, &byte| {
            value.checked_mul(256)?.checked_add(u64::from(byte))
        }),
        byte if byte & 0x80 != 0 => None,
        _ => octal(field),
    }
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte)).sum()
}

/// Octal digits between blanks and NULs; an empty field is 0.
fn octal(field: &[u8]) -> Option<u64> {
    let blank = |byte: &u8| *byte == b' ' || *byte == 0;
    let start = field
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(blank).unwrap_or(digits.len());
    digits[..end]
        .iter()
        .try_fold(0_u64, |value, &byte| match byte {
            b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
            _ => None,
        })
}

/// What extension headers said of the next file.
#[derive(Default)]
struct Extensions {
    long_name: Option<Vec<u8>>,
    long_target: Option<Vec<u8>>,
    pax_path: Option<Vec<u8>>,
    pax_target: Option<Vec<u8>>,
    pax_size: Option<u64>,
    sparse: Sparse,
    /// A record is no record, or its value is none.
    malformed: bool,
}

/// What extension headers said of the holes of the next file.
#[derive(Default)]
struct Sparse {
    /// Anything was said of them.
    is_said: bool,
    name: Option<Vec<u8>>,
    /// Size of the file with its holes.
    size: Option<u64>,
    /// Offsets and lengths, one after the other.
    map: Vec<u64>,
    /// The map stands before the data (form 1.0).
    is_inline: bool,
}

impl Sparse {
    /// Takes a record in; `false` where its value is none.
    fn read(&mut self, key: &[u8], value: &[u8]) -> bool {
        self.is_said = true;
        let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
        match key {
            b"name" => self.name = Some(value.to_vec()),
            b"size" | b"realsize" => self.size = number(),
            b"offset" | b"numbytes" => self.map.extend(number()),
            b"major" => self.is_inline = value == b"1",
            b"map" => {
                let numbers = value.split(|&byte| byte == b',');
                self.map = numbers
                    .filter_map(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
                    .collect();
            }
            _ => {}
        }
        !matches!(key, b"size" | b"realsize" | b"offset" | b"numbytes") || number().is_some()
    }

    /// The file with its holes, of the data that is stored; `None` where that is not to be: the map does not fit, or
    /// the file is too large for what is in it.
    fn expand(&self, stored: &Bytes, hold: u64) -> Option<Bytes> {
        let (map, data) = if self.is_inline {
            inline_map(stored)?
        } else {
            (self.map.clone(), stored.clone())
        };
        let size = self.size?;
        let most = SPARSE_MAX.max((data.len() as u64).saturating_mul(SPARSE_RATIO));
        let (pieces, []) = map.as_chunks::<2>() else {
            return None;
        };
        if size > most.min(hold) {
            return None;
        }
        room::want(size);
        let mut file = vec![0; usize::try_from(size).ok()?];
        let (mut taken, mut reached) = (0_usize, 0_usize);
        for &[offset, len] in pieces {
            let (start, len) = (usize::try_from(offset).ok()?, usize::try_from(len).ok()?);
            // Pieces in order, so that none can be written over another.
            if start < reached {
                return None;
            }
            let piece = data.get(taken..taken.checked_add(len)?)?;
            file.get_mut(start..start.checked_add(len)?)?
                .copy_from_slice(piece);
            taken += len;
            reached = start + len;
        }
        (taken == data.len()).then(|| file.into())
    }
}

/// The map that stands before the data, in lines of digits and filled up to a block; and what follows it.
fn inline_map(stored: &Bytes) -> Option<(Vec<u64>, Bytes)> {
    let mut at = 0;
    let mut number = || -> Option<u64> {
        let line = stored.get(at..)?;
        let end = memchr::memchr(b'\n', line.get(..24).unwrap_or(line))?;
        at += end + 1;
        std::str::from_utf8(&line[..end]).ok()?.parse().ok()
    };
    let count = number()?.checked_mul(2)?;
    let mut map = Vec::new();
    for _ in 0..count {
        map.push(number()?);
    }
    let data = at.next_multiple_of(BLOCK).min(stored.len());
    Some((map, stored.slice(data..)))
}

/// Walks the headers of a tar.
pub struct TarWalker<F> {
    feed: F,
    kind: &'static str,
    hold: u64,
    /// Every member is streamed, so that its data is passed over unless somebody reads it.
    by_headers: bool,
    /// Bytes that a sparse member may have when it is put together.
    expand_max: u64,
    extensions: Extensions,
    /// Path and size that a global PAX header set for all that follow.
    global: Extensions,
    streaming: Option<Streaming>,
    streamed_trouble: Option<Trouble>,
    /// A header that was met where data was looked for, with its offset.
    met: Option<(u64, Bytes)>,
    /// What is given before the next header is looked at. A streamed member is always the last in it.
    pending: VecDeque<Event>,
    end_marker: bool,
    done: bool,
}

/// The rest of a streamed member.
struct Streaming {
    /// What was read of it already and not yet given.
    head: Bytes,
    /// Bytes behind the head that were not read.
    unread: u64,
    padding: u64,
}

/// Walks a tar by its headers: members are streamed, and where nobody reads them, their data is passed over.
pub fn by_headers(input: Input) -> TarWalker<SeekFeed> {
    let mut walker = TarWalker::new(SeekFeed::new(input), "tar", UNEXPECTED_MAX);
    walker.by_headers = true;
    walker
}

impl<F: Feed> TarWalker<F> {
    /// Walks what `feed` gives; members up to `hold` bytes are given in memory, larger ones streamed.
    pub fn new(feed: F, kind: &'static str, hold: u64) -> Self {
        Self {
            feed,
            kind,
            hold,
            by_headers: false,
            expand_max: hold.min(EXPAND_MAX),
            extensions: Extensions::default(),
            global: Extensions::default(),
            streaming: None,
            streamed_trouble: None,
            met: None,
            pending: VecDeque::new(),
            end_marker: false,
            done: false,
        }
    }

    /// Where the data of the member stands that was given last, if it was given as [`Body::Streamed`].
    pub fn data_at(&self) -> Option<u64> {
        self.streaming.as_ref().map(|_| self.feed.position())
    }

    /// The next header block that is not all zeros, or `None` at the end.
    fn next_header(&mut self) -> Option<(u64, Bytes)> {
        if let Some(met) = self.met.take() {
            return Some(met);
        }
        loop {
            let at = self.feed.position();
            let block = self.feed.take(BLOCK);
            if block.len() < BLOCK {
                self.done = true;
                if block.iter().any(|&byte| byte != 0) {
                    self.trouble(Trouble::damaged(
                        "truncated",
                        format!("the tar ends within a header at offset {at}"),
                        Some(block.len() as u64),
                    ));
                }
                return None;
            }
            if block.iter().any(|&byte| byte != 0) {
                return Some((at, block));
            }
            self.end_marker = true;
        }
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.pending.push_back(Event::Trouble(trouble));
    }

    /// Looks for the next valid header after a block that is none.
    fn resynchronise(&mut self, from: u64) {
        let mut lost = BLOCK as u64;
        loop {
            let block = self.feed.take(BLOCK);
            let valid = looks_like_tar(&block);
            if block.len() < BLOCK || valid {
                let code = if self.end_marker {
                    "trailing-data"
                } else {
                    "tar-damaged"
                };
                if !valid {
                    lost += block.len() as u64;
                    self.done = true;
                }
                self.trouble(Trouble::damaged(
                    code,
                    format!(
                        "{lost} bytes at offset {from} of the tar are neither a header nor a member's, and were passed over; {}",
                        if valid {
                            "the walk went on at the next header"
                        } else {
                            "no header follows"
                        }
                    ),
                    Some(lost),
                ));
                self.extensions = Extensions::default();
                if valid {
                    self.header(from + lost, &block);
                }
                return;
            }
            lost += BLOCK as u64;
        }
    }

    /// Handles one valid header: what it gives is pending afterwards.
    fn header(&mut self, at: u64, block: &Bytes) {
        let Some(block) = block.first_chunk::<BLOCK>() else {
            return;
        };
        let header = Header(block);
        let kind = header.kind();
        if !matches!(kind, b'L' | b'K' | b'x' | b'X' | b'g') {
            self.file(at, kind, &header);
            return;
        }
        self.pending.push_back(Event::Other("header"));
        let mut data = self.extension(at, &header);
        match kind {
            b'L' => {
                data.truncate(memchr::memchr(0, &data).unwrap_or(data.len()));
                self.extensions.long_name = Some(data).filter(|name| !name.is_empty());
            }
            b'K' => {
                data.truncate(memchr::memchr(0, &data).unwrap_or(data.len()));
                self.extensions.long_target = Some(data).filter(|target| !target.is_empty());
            }
            b'x' | b'X' => read_pax(&data, &mut self.extensions),
            b'g' => read_pax(&data, &mut self.global),
            _ => {}
        }
        let malformed = [&mut self.extensions, &mut self.global]
            .into_iter()
            .any(|extensions| std::mem::take(&mut extensions.malformed));
        if malformed {
            self.trouble(Trouble::odd(
                "pax-malformed",
                format!(
                    "a record in the extended header at offset {at} of the tar is malformed; it and what follows it there was passed over, so a name or size may be another than meant"
                ),
            ));
        }
    }

    /// The data of an extension header, by its own size.
    fn extension(&mut self, at: u64, header: &Header) -> Vec<u8> {
        let Some(size) = header.size() else {
            self.trouble(no_size(at));
            return Vec::new();
        };
        let read = size.min(EXTENSION_MAX);
        let data = self.feed.take(read as usize);
        let rest = size - read;
        let skipped = if rest > 0 { self.feed.skip(rest) } else { 0 };
        self.feed.skip(padding(size));
        let is_cut = (data.len() as u64) < read || skipped < rest;
        if is_cut || rest > 0 {
            self.trouble(Trouble::damaged(
                if is_cut { "truncated" } else { "tar-damaged" },
                format!(
                    "the extension header at offset {at} of the tar is cut or absurdly large; names behind it may be shortened"
                ),
                Some(size - data.len() as u64),
            ));
        }
        data.to_vec()
    }

    fn file(&mut self, at: u64, kind: u8, header: &Header) {
        let mut extensions = std::mem::take(&mut self.extensions);
        // The path of a sparse file in form 1.0 is one made up for readers that know nothing of it.
        let name = (extensions.sparse.name.take())
            .or(extensions.pax_path)
            .or(extensions.long_name)
            .or_else(|| self.global.pax_path.clone())
            .unwrap_or_else(|| header.name());
        let target = extensions
            .pax_target
            .or(extensions.long_target)
            .unwrap_or_else(|| header.field(157, 100).to_vec());
        let mut sparse = extensions.sparse;
        if kind == b'S' {
            self.old_sparse(header, &mut sparse);
        }
        let size = extensions
            .pax_size
            .or(self.global.pax_size)
            .or_else(|| header.size());
        let other = match kind {
            b'1' => Some("hard-link"),
            b'2' => Some("symlink"),
            b'3' | b'4' => Some("device"),
            b'5' | b'D' => Some("folder"),
            b'6' => Some("fifo"),
            b'V' | b'N' => Some("header"),
            // Before ustar, a folder was a file whose name ends so.
            0 | b'0' if name.ends_with(b"/") => Some("folder"),
            _ => None,
        };
        match (other, size) {
            (Some(other), Some(size)) => {
                self.pending.push_back(other_event(other, &name, &target));
                if size > 0 {
                    self.unexpected(at, name, kind, other, size);
                }
            }
            (Some(other), None) => {
                self.pending.push_back(other_event(other, &name, &target));
                self.trouble(no_size(at));
            }
            (None, Some(size)) => {
                let odd = (kind == b'M').then(|| {
                    Trouble::odd(
                        "continued-member",
                        "the member is continued from another volume: what is here was read, scan the volume before it too",
                    )
                });
                let mut event = self.body(at, name, size, odd);
                if let Event::Member(member) = &mut event {
                    member.time = header.time();
                }
                if sparse.is_said {
                    self.fill_holes(&sparse, &mut event);
                }
                self.pending.push_back(event);
            }
            (None, None) => {
                let member = Member::absent(MemberName::Named(name), no_size(at));
                self.pending.push_back(Event::Member(member));
            }
        }
    }

    /// The map in a header of GNU's own form, and in the blocks that follow it where there is more of it.
    fn old_sparse(&mut self, header: &Header, sparse: &mut Sparse) {
        sparse.is_said = true;
        sparse.size = number(&header.0[483..495]);
        take_pieces(&header.0[386..482], &mut sparse.map);
        let mut is_more = header.0[482] != 0;
        let mut blocks = 0;
        while is_more && blocks < SPARSE_BLOCKS_MAX {
            let block = self.feed.take(BLOCK);
            let Some(block) = block.first_chunk::<BLOCK>() else {
                return;
            };
            take_pieces(&block[..504], &mut sparse.map);
            is_more = block[504] != 0;
            blocks += 1;
        }
    }

    /// Puts a sparse file together, or says why it was not.
    fn fill_holes(&self, sparse: &Sparse, event: &mut Event) {
        let Event::Member(member) = event else { return };
        let expanded = match &member.body {
            Body::Held(stored) if member.trouble.is_none() => {
                sparse.expand(stored, self.expand_max)
            }
            _ => None,
        };
        match expanded {
            Some(file) => member.body = Body::Held(file),
            None => {
                member.trouble.get_or_insert_with(|| {
                    Trouble::odd(
                        "sparse-member",
                        "a sparse member: its stored bytes were read, its holes were not filled in",
                    )
                });
            }
        }
    }

    /// Data of what has none: read up to the next valid header, and given as a member.
    ///
    /// GNU tar passes over the data of volume headers and folder lists, and some readers over that of folders and
    /// links; others take the next block for a header. So both are looked at: a valid header is one.
    fn unexpected(&mut self, at: u64, name: Vec<u8>, kind: u8, other: &str, size: u64) {
        let most = size.min(UNEXPECTED_MAX).min(self.hold);
        let mut data = Vec::new();
        let mut is_cut = false;
        while (data.len() as u64) < most {
            let position = self.feed.position();
            let block = self.feed.take(BLOCK);
            let is_end = data.is_empty() && block.iter().all(|&byte| byte == 0);
            if block.len() == BLOCK && (is_end || looks_like_tar(&block)) {
                self.end_marker |= is_end;
                if !is_end {
                    self.met = Some((position, block));
                }
                break;
            }
            data.extend_from_slice(&block);
            if block.len() < BLOCK {
                is_cut = (data.len() as u64) < size;
                break;
            }
        }
        data.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        if data.is_empty() {
            if is_cut {
                self.trouble(cut(at, size));
            }
            return;
        }
        let missing = size - data.len() as u64;
        let is_list = kind == b'D' && is_folder_list(&data);
        let mut member = Member::whole(MemberName::Named(name), data.into());
        member.trouble = if is_cut {
            Some(cut(at, missing))
        } else if missing > 0 && most < size && self.met.is_none() && !self.end_marker {
            Some(Trouble::damaged(
                "memory-limit",
                format!(
                    "the header at offset {at} of the tar is that of a {other} and states {size} bytes of data, more than may be held; what follows was read as headers"
                ),
                Some(missing),
            ))
        } else {
            (!is_list).then(|| {
                Trouble::odd(
                    "unexpected-data",
                    format!(
                        "the header at offset {at} of the tar is that of a {other} and has data, which tar does not unpack; it was read as a member"
                    ),
                )
            })
        };
        self.pending.push_back(Event::Member(member));
    }

    fn body(&mut self, at: u64, name: Vec<u8>, size: u64, odd: Option<Trouble>) -> Event {
        let name = MemberName::Named(name);
        if self.by_headers && size > 0 {
            self.streaming = Some(Streaming {
                head: Bytes::new(),
                unread: size,
                padding: padding(size),
            });
            return Event::Member(Member {
                name,
                body: Body::Streamed(Some(size)),
                trouble: odd,
                source: None,
                links: Vec::new(),
                time: None,
            });
        }
        let bytes = if size > self.hold {
            let head = self.feed.take(STREAMED_MIN.min(size as usize));
            if head.len() >= STREAMED_MIN {
                self.streaming = Some(Streaming {
                    unread: size - head.len() as u64,
                    head,
                    padding: padding(size),
                });
                return Event::Member(Member {
                    name,
                    body: Body::Streamed(Some(size)),
                    trouble: odd,
                    source: None,
                    links: Vec::new(),
                    time: None,
                });
            }
            head
        } else {
            self.feed.take(size as usize)
        };
        let missing = size - bytes.len() as u64;
        let mut member = Member::whole(name, bytes);
        if missing > 0 {
            member.trouble = Some(cut(at, missing));
            self.done = true;
        } else {
            self.feed.skip(padding(size));
            member.trouble = odd;
        }
        Event::Member(member)
    }
}

/// What is no member: with its name, where that is a path, and with where it leads to.
fn other_event(kind: &'static str, name: &[u8], target: &[u8]) -> Event {
    match kind {
        "header" => Event::Other(kind),
        _ => Event::NamedOther(kind, name.to_vec(), target.to_vec()),
    }
}

/// Whether data is what GNU tar writes behind a folder's header in incremental archives: names, each behind a
/// letter that says whether it is in the archive, each closed by NUL, and a NUL at the end ("Dumpdir" in its manual).
fn is_folder_list(data: &[u8]) -> bool {
    let Some(names) = data.strip_suffix(b"\0") else {
        return false;
    };
    names
        .split_inclusive(|&byte| byte == 0)
        .all(|name| b"YNDRTX".contains(&name[0]) && name.ends_with(b"\0"))
}

/// Pieces of a map: offset and length in 12 bytes each, up to the first that is empty.
fn take_pieces(fields: &[u8], map: &mut Vec<u64>) {
    let (pieces, _) = fields.as_chunks::<24>();
    for piece in pieces {
        if piece[0] == 0 {
            return;
        }
        if let (Some(offset), Some(len)) = (number(&piece[..12]), number(&piece[12..])) {
            map.extend([offset, len]);
        }
    }
}

fn no_size(at: u64) -> Trouble {
    Trouble::damaged(
        "tar-damaged",
        format!(
            "the size in the header at offset {at} of the tar is no number that a file can have; the walk went on behind the header"
        ),
        None,
    )
}

fn cut(at: u64, missing: u64) -> Trouble {
    Trouble::damaged(
        "truncated",
        format!(
            "the member at offset {at} of the tar states {missing} bytes more than there are; what is there was read"
        ),
        Some(missing),
    )
}

/// Bytes between the end of a member of `size` bytes and the next header.
fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// Reads PAX records: `LEN KEY=VALUE\n`, LEN counting itself. Stops at the first that is none, and says so.
fn read_pax(mut records: &[u8], into: &mut Extensions) {
    while let Some((record, rest)) = pax_record(records) {
        records = rest;
        let Some(equals) = memchr::memchr(b'=', record) else {
            into.malformed = true;
            continue;
        };
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        match key {
            b"path" => into.pax_path = Some(value.to_vec()),
            b"linkpath" => into.pax_target = Some(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value)
                    .ok()
                    .and_then(|digits| digits.parse().ok())
                    .filter(|size| *size <= SIZE_MAX);
                into.malformed |= size.is_none();
                into.pax_size = size;
            }
            _ => {
                if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    into.malformed |= !into.sparse.read(key, value);
                }
            }
        }
    }
    // Some writers fill up with NULs.
    into.malformed |= records.iter().any(|&byte| byte != 0);
}

/// The first record without its length and line feed, and what follows it.
fn pax_record(records: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = memchr::memchr(b' ', records)?;
    let len: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
    let (record, rest) = records.split_at_checked(len)?;
    Some((record.strip_suffix(b"\n")?.get(space + 1..)?, rest))
}

impl<F: Feed> FeedWalker<F> for TarWalker<F> {
    fn feed_mut(&mut self) -> &mut F {
        &mut self.feed
    }
}

impl<F: Feed> Walker for TarWalker<F> {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            if let Some(streaming) = self.streaming.take() {
                let skipped = self.feed.skip(streaming.unread);
                if skipped < streaming.unread {
                    let missing = streaming.unread - skipped;
                    self.trouble(cut(self.feed.position(), missing));
                    self.done = true;
                    continue;
                }
                self.feed.skip(streaming.padding);
            }
            if self.done {
                return None;
            }
            let Some((at, block)) = self.next_header() else {
                continue;
            };
            if !looks_like_tar(&block) {
                self.resynchronise(at);
                continue;
            }
            if std::mem::take(&mut self.end_marker) {
                self.trouble(Trouble::odd(
                    "tar-concatenated",
                    format!("another tar follows the end marker, at offset {at}; it was read too"),
                ));
            }
            self.header(at, &block);
        }
    }

    fn stands(&self) -> Option<Input> {
        let streaming = self.streaming.as_ref()?;
        let head = streaming.head.len() as u64;
        let at = self.feed.position().checked_sub(head)?;
        self.feed.content(at, head + streaming.unread)
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        let Some(streaming) = &mut self.streaming else {
            return 0;
        };
        if !streaming.head.is_empty() {
            let got = buffer.len().min(streaming.head.len());
            buffer[..got].copy_from_slice(&streaming.head.split_to(got));
            return got;
        }
        let want = usize::try_from(streaming.unread)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let bytes = self.feed.take(want);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        streaming.unread -= bytes.len() as u64;
        if bytes.len() < want {
            let missing = streaming.unread;
            self.streamed_trouble = Some(cut(self.feed.position(), missing));
            self.streaming = None;
            self.done = true;
        }
        bytes.len()
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.streamed_trouble.take()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Seen = (Vec<(Vec<u8>, Vec<u8>)>, Vec<String>, u64);

    /// Members, codes of troubles, and number of other things.
    fn walk<F: Feed>(mut walker: TarWalker<F>) -> Seen {
        let (mut members, mut codes, mut others) = (Vec::new(), Vec::new(), 0);
        while let Some(event) = walker.next() {
            match event {
                Event::Member(member) => {
                    codes.extend(member.trouble.map(|trouble| trouble.code.into_owned()));
                    let mut content = Vec::new();
                    match member.body {
                        Body::Held(bytes) => content = bytes.to_vec(),
                        Body::Streamed(_) => {
                            let mut buffer = [0; 100];
                            loop {
                                let got = walker.read_streamed(&mut buffer);
                                if got == 0 {
                                    break;
                                }
                                content.extend(&buffer[..got]);
                            }
                            codes.extend(
                                walker
                                    .streamed_trouble()
                                    .map(|trouble| trouble.code.into_owned()),
                            );
                        }
                        Body::At(_) | Body::Files(_) | Body::Absent => {}
                    }
                    members.push((member.name.bytes().to_vec(), content));
                }
                Event::Other(_) | Event::NamedOther(..) => others += 1,
                Event::Trouble(trouble) => codes.push(trouble.code.into_owned()),
                Event::Map(_) => {}
            }
        }
        (members, codes, others)
    }

    fn walk_slice(bytes: &[u8]) -> Seen {
        let bytes = Bytes::copy_from_slice(bytes);
        walk(TarWalker::new(SliceFeed::new(bytes), "tar", u64::MAX))
    }

    fn walk_stream(bytes: &[u8], hold: u64) -> Seen {
        let input = Input::Memory(Bytes::copy_from_slice(bytes));
        walk(TarWalker::new(
            crate::container::feed::StreamFeed::new(input.reader(0)),
            "tar",
            hold,
        ))
    }

    /// A tar made by the reference crate.
    fn made(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn raw_header(name: &[u8], size: &[u8], kind: u8) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name);
        block[124..124 + size.len()].copy_from_slice(size);
        block[156] = kind;
        block[257..263].copy_from_slice(b"ustar\0");
        block[148..156].copy_from_slice(b"        ");
        let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }

    fn header(name: &str, kind: u8, size: &str, fields: &[(usize, &str)]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..124 + size.len()].copy_from_slice(size.as_bytes());
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar  \0");
        for (at, field) in fields {
            block[*at..at + field.len()].copy_from_slice(field.as_bytes());
        }
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }

    fn blocks(data: &[u8]) -> Vec<u8> {
        let mut data = data.to_vec();
        data.resize(data.len().next_multiple_of(BLOCK), 0);
        data
    }

    /// What follows the map of GNU's own form is more of it, and no data.
    #[test]
    fn sparse_files_are_put_together_from_every_form() {
        let mut expected = vec![0; 3_000];
        expected[1_000..1_003].copy_from_slice(b"abc");
        expected[2_000..2_002].copy_from_slice(b"de");
        let last = |name: &str| [header(name, b'0', "00000000004", &[]), blocks(b"last")].concat();
        let piece = |offset: u32, len: u32| format!("{offset:011o}\0{len:011o}\0");
        let mut more = piece(2_000, 2).into_bytes();
        more.resize(BLOCK, 0);
        let old = [
            header(
                "old",
                b'S',
                "00000000005",
                &[
                    (386, &piece(1_000, 3)),
                    (482, "1"),
                    (483, &format!("{:011o}\0", 3_000)),
                ],
            ),
            more,
            blocks(b"abcde"),
            last("behind"),
        ]
        .concat();
        let pax = |records: &[(&str, &str)], data: &[u8]| {
            let records: String = records
                .iter()
                .map(|(key, value)| {
                    let len = key.len() + value.len() + 3;
                    let len = (1..)
                        .map(|digits| len + digits)
                        .find(|len| len.to_string().len() == len - key.len() - value.len() - 3);
                    format!("{} {key}={value}\n", len.unwrap())
                })
                .collect();
            let size = |len: usize| format!("{len:011o}");
            [
                header("x", b'x', &size(records.len()), &[]),
                blocks(records.as_bytes()),
                header("GNUSparseFile.0/made-up", b'0', &size(data.len()), &[]),
                blocks(data),
                last("behind"),
            ]
            .concat()
        };
        let first = pax(
            &[
                ("path", "f"),
                ("GNU.sparse.size", "3000"),
                ("GNU.sparse.numblocks", "2"),
                ("GNU.sparse.offset", "1000"),
                ("GNU.sparse.numbytes", "3"),
                ("GNU.sparse.offset", "2000"),
                ("GNU.sparse.numbytes", "2"),
            ],
            b"abcde",
        );
        let second = pax(
            &[
                ("GNU.sparse.name", "f"),
                ("GNU.sparse.size", "3000"),
                ("GNU.sparse.map", "1000,3,2000,2"),
            ],
            b"abcde",
        );
        let inline = [blocks(b"2\n1000\n3\n2000\n2\n"), b"abcde".to_vec()].concat();
        let records = [
            ("GNU.sparse.major", "1"),
            ("GNU.sparse.minor", "0"),
            ("GNU.sparse.name", "f"),
            ("GNU.sparse.realsize", "3000"),
        ];
        let third = pax(&records, &inline);
        for (bytes, name) in [(old, "old"), (first, "f"), (second, "f"), (third, "f")] {
            let (members, codes, _) = walk(TarWalker::new(
                SliceFeed::new(bytes.into()),
                "tar",
                u64::MAX,
            ));
            assert_eq!(members[0].0, name.as_bytes());
            assert!(members[0].1 == expected, "{name}");
            assert_eq!(members[1], (b"behind".to_vec(), b"last".to_vec()));
            assert_eq!(codes, [""; 0], "{name}");
        }
    }

    /// What is stored is given where the holes are too large, or the map lies.
    #[test]
    fn holes_of_any_size_take_no_memory() {
        for (size, map) in [
            ("60000000000", "0,1,59999999000,4"),
            ("3000", "5,9"),
            ("3000", "9,1,3,4"),
            ("3000", "2999,5"),
        ] {
            let records = format!("{} GNU.sparse.map={map}\n", 19 + map.len());
            let records = format!("{records}{} GNU.sparse.size={size}\n", 20 + size.len());
            let bytes = [
                header("x", b'x', &format!("{:011o}", records.len()), &[]),
                blocks(records.as_bytes()),
                header("a", b'0', "00000000005", &[]),
                blocks(b"abcde"),
            ]
            .concat();
            let (members, codes, _) = walk(TarWalker::new(
                SliceFeed::new(bytes.into()),
                "tar",
                u64::MAX,
            ));
            assert_eq!(members, [(b"a".to_vec(), b"abcde".to_vec())], "{map}");
            assert_eq!(codes, ["sparse-member"], "{map}");
        }
    }

    #[test]
    fn names_that_try_to_leave_are_data() {
        let mut file = raw_header(b"../../etc/x", b"00000000003\0", b'0');
        file.extend(b"abc");
        file.resize(1024, 0);
        file.extend(raw_header(b"/abs\xff", b"00000000000\0", b'0'));
        let (members, codes, _) = walk_slice(&file);
        assert_eq!(
            members,
            [
                (b"../../etc/x".to_vec(), b"abc".to_vec()),
                (b"/abs\xff".to_vec(), vec![])
            ]
        );
        assert!(codes.is_empty());
    }

    #[test]
    fn a_size_that_lies_gives_what_is_there() {
        let mut file = raw_header(b"a", b"00000010000\0", b'0');
        file.extend(b"only this");
        let (members, codes, _) = walk_slice(&file);
        assert_eq!(members, [(b"a".to_vec(), b"only this".to_vec())]);
        assert_eq!(codes, ["truncated"]);
        assert_eq!(walk_stream(&file, 100).0, members);
    }

    #[test]
    fn what_follows_the_end_marker_is_read() {
        let mut file = made(&[("a", b"1")]);
        file.extend(made(&[("b", b"2")]));
        let (members, codes, _) = walk_slice(&file);
        assert_eq!(members.len(), 2);
        assert_eq!(codes, ["tar-concatenated"]);
    }

    #[test]
    fn the_walk_goes_on_after_damage() {
        let mut file = made(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
        file[1024 + 150] = b'x';
        let (members, codes, _) = walk_slice(&file);
        let names: Vec<_> = members.iter().map(|(name, _)| name.as_slice()).collect();
        assert_eq!(names, [b"a".as_slice(), b"c"]);
        assert_eq!(codes, ["tar-damaged"]);
    }

    #[test]
    fn a_pax_size_belongs_to_the_file_and_not_to_a_long_name_between() {
        let record = b"11 size=3\n";
        let record = [&b"10 size=3\n"[..], &[][..]]
            .concat()
            .len()
            .max(record.len() - 1);
        assert_eq!(record, 10);
        let mut file = raw_header(b"pax", b"00000000012\0", b'x');
        file.extend(b"10 size=3\n");
        file.resize(1024, 0);
        file.extend(raw_header(b"././@LongLink", b"00000000012\0", b'L'));
        file.extend(b"long-name\0");
        file.resize(2048, 0);
        file.extend(raw_header(b"short", b"00000000000\0", b'0'));
        file.extend(b"abc");
        file.resize(3072, 0);
        let (members, codes, others) = walk_slice(&file);
        assert_eq!(members, [(b"long-name".to_vec(), b"abc".to_vec())]);
        assert!(codes.is_empty());
        assert_eq!(others, 2);
    }

    /// A header of `kind` with its data, padded.
    fn entry(name: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
        let mut bytes = raw_header(name, format!("{:011o}\0", data.len()).as_bytes(), kind);
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    #[test]
    fn a_malformed_pax_record_loses_nothing_else() {
        let expected = [(b"real".to_vec(), b"abc".to_vec())];
        // Without its line feed and one longer than there is; too long; too short; no number; nothing behind it.
        for records in [
            b"9 path=x".as_slice(),
            b"8 path=x",
            b"99 path=x\n",
            b"1 path=x\n",
            b"0 path=x\n",
            b"x path=x\n",
            b"2 ",
            b"18446744073709551615 path=x\n",
            b"garbage",
        ] {
            let file = [entry(b"pax", b'x', records), entry(b"real", b'0', b"abc")].concat();
            let (members, codes, _) = walk_slice(&file);
            assert_eq!(members, expected, "{records:?}");
            assert_eq!(codes, ["pax-malformed"], "{records:?}");
        }
        // What comes before it counts.
        let records = b"10 path=x\n9 path=y";
        let file = [entry(b"pax", b'x', records), entry(b"real", b'0', b"abc")].concat();
        assert_eq!(walk_slice(&file).0, [(b"x".to_vec(), b"abc".to_vec())]);
    }

    #[test]
    fn data_of_what_has_none_is_read_and_said() {
        for kind in *b"123456VND" {
            let file = [entry(b"a", kind, b"hidden"), entry(b"b", b'0', b"abc")].concat();
            let (members, codes, others) = walk_slice(&file);
            let expected = [
                (b"a".to_vec(), b"hidden".to_vec()),
                (b"b".to_vec(), b"abc".to_vec()),
            ];
            assert_eq!(members, expected, "{}", kind as char);
            assert_eq!((codes, others), (vec!["unexpected-data".to_owned()], 1));
            assert_eq!(walk_stream(&file, u64::MAX).0, expected);
        }
        let slash = entry(b"a/", b'0', b"hidden");
        assert_eq!(walk_slice(&slash).0[0].1, b"hidden");
        let continued = entry(b"a", b'M', b"hidden");
        assert_eq!(walk_slice(&continued).1, ["continued-member"]);
    }

    #[test]
    fn the_list_of_a_folder_in_an_incremental_archive_is_not_odd() {
        let file = entry(b"a/", b'D', b"Yone\0Ntwo\0\0");
        let (members, codes, others) = walk_slice(&file);
        assert_eq!((members.len(), codes.len(), others), (1, 0, 1));
        assert!(!is_folder_list(b"Yone\0\0\0"));
        assert!(!is_folder_list(b"secret"));
        assert!(is_folder_list(b"\0"));
    }

    #[test]
    fn a_size_on_a_folder_or_link_swallows_no_member() {
        for kind in *b"12345VD" {
            let mut file = raw_header(b"a", b"00000001000\0", kind);
            file.extend(entry(b"b", b'0', b"abc"));
            let (members, codes, _) = walk_slice(&file);
            assert_eq!(members, [(b"b".to_vec(), b"abc".to_vec())]);
            assert!(codes.is_empty());
        }
        let records = b"29 size=18446744073709551615\n";
        let file = [
            entry(b"pax", b'x', records),
            entry(b"a/", b'0', b""),
            entry(b"b", b'0', b"abc"),
        ]
        .concat();
        let (members, codes, _) = walk_slice(&file);
        assert_eq!(members, [(b"b".to_vec(), b"abc".to_vec())]);
        assert_eq!(codes, ["pax-malformed"]);
    }

    /// GNU tar refuses such a header, says so, and goes on with the block behind it.
    #[test]
    fn a_size_that_no_file_can_have_is_said_whatever_the_type() {
        for kind in *b"0VMLKxgD5" {
            let mut file = raw_header(
                b"a",
                &[[0x80; 1].as_slice(), &[0; 3], &[0xff; 8]].concat(),
                kind,
            );
            file.extend(entry(b"b", b'0', b"abc"));
            let (members, codes, _) = walk_slice(&file);
            assert_eq!(
                members.last().map(|(name, _)| name.as_slice()),
                Some(b"b".as_slice())
            );
            assert_eq!(codes, ["tar-damaged"], "{}", kind as char);
        }
        // What is stated and not there is not passed over in silence, of an extension either.
        for kind in *b"LKxgM" {
            let file = raw_header(b"a", b"77777777777\0", kind);
            assert_eq!(walk_slice(&file).1, ["truncated"], "{}", kind as char);
        }
    }

    #[test]
    fn a_streamed_member_behind_an_end_marker_is_read() {
        let large = vec![7; STREAMED_MIN + 1_000];
        let mut file = made(&[("a", b"1")]);
        file.extend(made(&[("b", &large)]));
        let (members, codes, _) = walk_stream(&file, 100);
        assert_eq!(
            members,
            [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), large)]
        );
        assert_eq!(codes, ["tar-concatenated"]);
    }

    #[test]
    fn base_256_sizes_are_read_and_negative_ones_refused() {
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), Some(258));
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(b"00000000017\0"), Some(15));
        assert_eq!(number(b"99999999999\0"), None);
    }

    proptest! {
        #[test]
        fn agrees_with_the_reference_crate(
            files in proptest::collection::vec(("[a-z/]{1,150}[a-z]", proptest::collection::vec(any::<u8>(), 0..1500)), 0..6),
        ) {
            let files: Vec<_> = files.iter().map(|(name, content)| (name.trim_matches('/'), content.as_slice())).collect();
            let bytes = made(&files);
            let mut archive = tar::Archive::new(bytes.as_slice());
            let mut expected = Vec::new();
            for entry in archive.entries().unwrap() {
                let mut entry = entry.unwrap();
                let name = entry.path_bytes().to_vec();
                let mut content = Vec::new();
                std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
                expected.push((name, content));
            }
            let (members, codes, _) = walk_slice(&bytes);
            prop_assert_eq!(&members, &expected);
            prop_assert!(codes.is_empty());
            prop_assert_eq!(&walk_stream(&bytes, 700).0, &expected);
        }

        #[test]
        fn damage_never_panics_and_both_feeds_agree(cut in 0..4000_usize, at in 0..4000_usize, byte in any::<u8>()) {
            let mut bytes = made(&[("one", &[1; 700]), ("two", b"2"), (&"n".repeat(200), b"3")]);
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            prop_assert_eq!(walk_slice(&bytes), walk_stream(&bytes, u64::MAX));
        }
    }
}
