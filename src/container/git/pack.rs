//! A pack: objects one after the other, most of them as differences (gitformat-pack(5)).
//!
//! [`PackWalk`] gives every object once. It looks at the head of each entry first, and links each difference to its
//! base; then it walks the trees that this makes, from their roots down. A base is held while differences to it are
//! still to come. The branch with the most behind it is taken last, and the base let go before that, so that in a pack
//! of `n` entries no more than log2(n) bases are held at a time, however deep its chains are. Their bytes are bounded as
//! well: where they would be more than [`Limits::hold`], the differences to one base are given up, and said.
//!
//! Where entries stand is known from an index; without one, by inflating each to find its end. Behind an entry that is
//! damaged the next one is looked for: a zlib stream whose length and checksum are right, behind a head that states that
//! length, is not there by chance.
//!
//! Differences name their base by its distance, or by its name. The latter wait until an object of that name was made,
//! here or, for thin packs, elsewhere ([`Found::Wants`]). So a circle of them waits for ever and is said in the end.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::super::feed::Input;
use super::super::{Trouble, inflate};
use super::delta;
use super::object::{Hash, Kind, Oid, id_of};
use crate::blob::{Decoders, Limits, room};

/// `PACK`, version, number of entries.
pub const HEAD_LEN: u64 = 12;
/// The longest head of an entry: its length in up to ten bytes, and the name of its base.
const ENTRY_HEAD: usize = 10 + 32;
/// Bytes that are read of a file at a time where one entry is read after the other,
const WINDOW: usize = 1 << 20;
/// and where differences lead to and fro.
const LOOK: usize = 16 << 10;
/// Objects up to this size are inflated in one piece into a buffer of that size.
const AT_ONCE: u64 = 1 << 20;
/// DEFLATE makes no more bytes than this of one (zlib's own documentation: 1032 to 1).
const INFLATE_RATIO: u64 = 1_032;
/// Nobody.
const NONE: u32 = u32::MAX;

/// Whether content begins as a pack does: versions 2 and 3, as big-endian numbers.
pub fn is_pack(head: &[u8]) -> bool {
    head.len() >= HEAD_LEN as usize && matches!(&head[..8], b"PACK\0\0\0\x02" | b"PACK\0\0\0\x03")
}

/// What an entry says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// It is an object as it stands.
    Whole(Kind),
    /// A difference to the entry so many bytes before it.
    Before(u64),
    /// A difference to the object of this name.
    Named(Oid),
}

/// The head of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EntryHead {
    base: Base,
    /// Length in bytes of what is deflated behind it.
    size: u64,
    /// Length in bytes of the head.
    len: usize,
}

/// Reads the head of an entry.
fn entry_head(bytes: &[u8], hash: Hash) -> Option<EntryHead> {
    let (&first, rest) = bytes.split_first()?;
    let mut size = u64::from(first & 15);
    let (mut len, mut shift, mut byte) = (1, 4, first);
    while byte & 0x80 != 0 {
        byte = *rest.get(len - 1)?;
        if shift > 60 {
            return None;
        }
        size |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        len += 1;
    }
    let base = match first >> 4 & 7 {
        1 => Base::Whole(Kind::Commit),
        2 => Base::Whole(Kind::Tree),
        3 => Base::Whole(Kind::Blob),
        4 => Base::Whole(Kind::Tag),
        6 => {
            let (distance, used) = distance(bytes.get(len..)?)?;
            len += used;
            Base::Before(distance)
        }
        7 => {
            let id = Oid::read(bytes.get(len..)?, hash)?;
            len += hash.width();
            Base::Named(id)
        }
        _ => return None,
    };
    Some(EntryHead { base, size, len })
}

/// How far before an entry its base stands: seven bits a byte, the high ones first, one added at each further byte.
fn distance(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(9) {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
        value += 1;
    }
    None
}

/// An object that was made in full.
#[derive(Debug, Clone)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its name, computed from its bytes.
    pub id: Oid,
    /// Its bytes.
    pub bytes: Bytes,
    /// Where its entry begins.
    pub offset: u64,
    /// What is odd about it.
    pub trouble: Option<Trouble>,
}

/// An entry that gave no whole object.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Where it begins.
    pub offset: u64,
    /// What an index calls it.
    pub id: Option<Oid>,
    /// What it is, where that is known.
    pub kind: Option<Kind>,
    /// What came before the damage, of an entry that is no difference.
    pub bytes: Option<Bytes>,
    /// Why.
    pub trouble: Trouble,
}

/// What a walk gives.
#[derive(Debug)]
pub enum Found {
    /// An object.
    Object(Object),
    /// An entry that could not be read in full.
    Broken(Box<Broken>),
    /// Something is wrong with the pack itself.
    Trouble(Trouble),
    /// Differences wait for an object that is not in this pack: [`PackWalk::supply`] it before going on, if it is known.
    Wants(Oid),
}

/// What an index says: offsets of entries in the pack and what they are called, in any order.
pub type Listing = Vec<(u64, Option<Oid>)>;

/// Which objects are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them; commits, trees and tags before blobs.
    All,
    /// Commits, trees and tags: what tells of the others.
    AllButBlobs,
}

struct Entry {
    offset: u64,
    /// First of those that are differences to it, but for the heavy one.
    child: u32,
    /// The next difference to the same base.
    sibling: u32,
    /// That with the most behind it.
    heavy: u32,
    /// How many entries depend on it, itself included.
    weight: u32,
}

/// A base that further differences are made to.
struct Held {
    kind: Kind,
    bytes: Bytes,
    /// Differences that come next, the last one first.
    children: Vec<u32>,
}

/// Walks a pack: every object once, bases before their differences.
pub struct PackWalk {
    source: Source,
    hash: Hash,
    which: Which,
    limits: Limits,
    entries: Vec<Entry>,
    /// Names out of an index, in the order of the entries; empty without one.
    names: Vec<Option<Oid>>,
    /// Entries that are whole, in order: those of commits, trees and tags, then blobs.
    roots: VecDeque<(u32, Kind)>,
    stack: Vec<Held>,
    held: u64,
    /// Differences by the name of their base.
    waiting: HashMap<Oid, Vec<u32>>,
    /// Names that were asked for; only once all roots are done.
    wanted: Option<VecDeque<Oid>>,
    asked: Option<Oid>,
    /// Entries that cannot be made, since their base could not.
    lost: Vec<u32>,
    ready: VecDeque<Found>,
    produced: u64,
    made: u64,
    is_over: bool,
}

/// The bytes of a pack, or of a loose object.
pub(super) struct Source {
    input: Input,
    /// Where the pack begins.
    start: u64,
    /// Where its trailer begins, or its bytes end.
    end: u64,
    window: Bytes,
    window_at: u64,
    decoders: Decoders,
}

impl Source {
    /// All of `input` from `start` on.
    pub(super) fn new(input: Input, start: u64, decoders: Decoders) -> Self {
        Self {
            start,
            end: input.len(),
            input,
            window: Bytes::new(),
            window_at: 0,
            decoders,
        }
    }

    /// Up to `len` bytes from `offset` in the pack; fewer where it ends or cannot be read.
    fn get(&mut self, offset: u64, len: usize) -> Bytes {
        let at = self.start.saturating_add(offset);
        let len = len.min(usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX));
        if let Input::Memory(_) = self.input {
            return self.input.slice(at, len).unwrap_or_default();
        }
        let inside = at
            .checked_sub(self.window_at)
            .and_then(|from| usize::try_from(from).ok())
            .filter(|from| from.saturating_add(len) <= self.window.len());
        if let Some(from) = inside {
            return self.window.slice(from..from + len);
        }
        let reached = self.window_at + self.window.len() as u64;
        let goes_on = at >= self.window_at && at <= reached + LOOK as u64;
        let ahead = if goes_on { WINDOW } else { LOOK };
        self.window = self.input.slice(at, len.max(ahead)).unwrap_or_default();
        self.window_at = at;
        self.window.slice(..len.min(self.window.len()))
    }

    /// Bytes of the pack, its trailer apart.
    fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// What inflating gave: as many bytes as there were, how much input that took, and what is wrong.
pub(super) struct Inflated {
    pub bytes: Vec<u8>,
    pub used: u64,
    pub fault: Option<&'static str>,
}

impl Source {
    /// Inflates the stream at `offset`, which states `size` bytes and ends before `end`.
    pub(super) fn inflate(&mut self, offset: u64, size: u64, end: u64) -> Inflated {
        let there = end.saturating_sub(offset).min(self.len());
        // As much as compressors make of so many bytes at worst.
        let most = size.saturating_add(size / 8).saturating_add(128).min(there);
        let is_plain = size <= AT_ONCE || size <= there.saturating_mul(4);
        let is_fast = is_plain && self.decoders == Decoders::Fast;
        if is_fast && size <= there.saturating_mul(INFLATE_RATIO) {
            let packed = self.get(offset, usize::try_from(most).unwrap_or(usize::MAX));
            room::want(size);
            let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
            if let Ok((used, made)) = inflate::zlib(&packed, &mut bytes)
                && made == bytes.len()
            {
                return Inflated {
                    bytes,
                    used: used as u64,
                    fault: None,
                };
            }
        }
        self.inflate_slowly(offset, size)
    }

    /// The same piece by piece: memory follows what is made, and what came before damage is given.
    fn inflate_slowly(&mut self, offset: u64, size: u64) -> Inflated {
        let mut inflater = Decompress::new(true);
        let mut bytes = Vec::new();
        let mut spill = [0; 1];
        let fault = loop {
            let before = (inflater.total_in(), inflater.total_out());
            let packed = self.get(offset + before.0, 64 << 10);
            let left = size - bytes.len() as u64;
            if left == 0 {
                // All that was stated is there; the end of the stream, with its checksum, must follow.
                match inflater.decompress(&packed, &mut spill, FlushDecompress::None) {
                    Ok(Status::StreamEnd) if inflater.total_out() == size => break None,
                    Ok(_) if inflater.total_out() > size => {
                        break Some("it holds more than its head states");
                    }
                    Ok(_) if packed.is_empty() => break Some("the pack ends within it"),
                    Ok(_) if inflater.total_in() > before.0 => continue,
                    Ok(_) => break Some("its end is damaged"),
                    Err(_) => break Some("its checksum is wrong, or its end is damaged"),
                }
            }
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(64 << 10);
            let held = bytes.len();
            bytes.resize(held + room, 0);
            let result = inflater.decompress(&packed, &mut bytes[held..], FlushDecompress::None);
            let made = inflater.total_out();
            bytes.truncate(made as usize);
            match result {
                Ok(Status::StreamEnd) if made == size => break None,
                Ok(Status::StreamEnd) => break Some("it holds less than its head states"),
                Ok(_) if (inflater.total_in(), made) != before => {}
                Ok(_) if packed.is_empty() => break Some("the pack ends within it"),
                Ok(_) => break Some("its compressed data is damaged"),
                Err(_) => break Some("its compressed data is damaged"),
            }
        };
        Inflated {
            bytes,
            used: inflater.total_in(),
            fault,
        }
    }

    /// Passes over the stream at `offset` without keeping it: bytes it takes and bytes it makes, where it is sound.
    fn measure(&mut self, offset: u64, size_max: u64) -> Option<(u64, u64)> {
        let mut inflater = Decompress::new(true);
        let mut sink = vec![0; 32 << 10];
        loop {
            let packed = self.get(offset + inflater.total_in(), 64 << 10);
            let before = (inflater.total_in(), inflater.total_out());
            let result = inflater.decompress(&packed, &mut sink, FlushDecompress::None);
            match result {
                Ok(Status::StreamEnd) => return Some((inflater.total_in(), inflater.total_out())),
                Ok(_) if inflater.total_out() > size_max => return None,
                Ok(_) if (inflater.total_in(), inflater.total_out()) != before => {}
                _ => return None,
            }
        }
    }
}

impl PackWalk {
    /// Begins to walk the pack at `start` of `input`. `listing` is what an index says of it.
    ///
    /// # Errors
    /// Where it is no pack that can be read.
    pub fn open(
        input: Input,
        start: u64,
        hash: Hash,
        listing: Option<Listing>,
        which: Which,
        limits: &Limits,
    ) -> Result<Self, Trouble> {
        let head = input.slice(start, HEAD_LEN as usize).map_err(|error| {
            Trouble::damaged(
                "unreadable",
                format!("the pack could not be read: {error}"),
                None,
            )
        })?;
        if !is_pack(&head) {
            return Err(Trouble::skipped(
                "git-pack-damaged",
                "this does not begin as a pack does; its objects were not read",
                Some(input.len().saturating_sub(start)),
            ));
        }
        let count = u32::from_be_bytes([head[8], head[9], head[10], head[11]]);
        let mut walk = Self::empty(
            Source::new(input, start, limits.decoders),
            hash,
            which,
            limits,
        );
        let listed = listing.filter(|listing| listing.len() == count as usize);
        match listed {
            Some(listing) => walk.take_listing(listing),
            None => walk.find_entries(count),
        }
        walk.link();
        Ok(walk)
    }

    /// A further walk through the same entries.
    pub fn again(&self, which: Which) -> Self {
        let source = Source {
            end: self.source.end,
            ..Source::new(
                self.source.input.clone(),
                self.source.start,
                self.source.decoders,
            )
        };
        let mut walk = Self::empty(source, self.hash, which, &self.limits);
        let offsets = self.entries.iter().map(|entry| entry.offset);
        walk.entries = offsets.map(Entry::at).collect();
        walk.names.clone_from(&self.names);
        walk.link();
        walk
    }

    fn empty(source: Source, hash: Hash, which: Which, limits: &Limits) -> Self {
        Self {
            source,
            hash,
            which,
            limits: limits.clone(),
            entries: Vec::new(),
            names: Vec::new(),
            roots: VecDeque::new(),
            stack: Vec::new(),
            held: 0,
            waiting: HashMap::new(),
            wanted: None,
            asked: None,
            lost: Vec::new(),
            ready: VecDeque::new(),
            produced: 0,
            made: 0,
            is_over: false,
        }
    }

    /// The names that objects of this pack have.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    // -----------------------------------------------------------------------------------------------------------
    // Where entries are

    fn take_listing(&mut self, mut listing: Listing) {
        self.source.end = self
            .source
            .end
            .saturating_sub(self.hash.width() as u64)
            .max(self.source.start);
        listing.sort_unstable_by_key(|(offset, _)| *offset);
        listing.dedup_by_key(|(offset, _)| *offset);
        self.entries.reserve_exact(listing.len());
        self.names.reserve_exact(listing.len());
        for (offset, name) in listing {
            self.entries.push(Entry::at(offset));
            self.names.push(name);
        }
    }

    /// Finds the entries by reading one after the other. A pack does not say which digest it uses: where reading it as one
    /// of SHA-1 fails, the other is tried.
    fn find_entries(&mut self, count: u32) {
        let whole = self.source.end;
        let tries = [self.hash, Hash::Sha1, Hash::Sha256];
        let mut best: Option<(Hash, Scan)> = None;
        for hash in tries {
            if best.as_ref().is_some_and(|(_, scan)| scan.is_clean) {
                break;
            }
            if best.as_ref().is_some_and(|(tried, _)| *tried == hash) {
                continue;
            }
            self.source.end = whole;
            let scan = self.scan(count, hash);
            let is_better = |(_, held): &(Hash, Scan)| scan.offsets.len() > held.offsets.len();
            if scan.is_clean || best.as_ref().is_none_or(is_better) {
                best = Some((hash, scan));
            }
        }
        let Some((hash, scan)) = best else { return };
        self.hash = hash;
        self.source.end = (self.source.start + scan.end).min(whole);
        self.entries = scan.offsets.into_iter().map(Entry::at).collect();
        self.ready
            .extend(scan.troubles.into_iter().map(Found::Trouble));
    }

    fn scan(&mut self, count: u32, hash: Hash) -> Scan {
        let mut scan = Scan::default();
        let mut at = HEAD_LEN;
        let end = self.source.len();
        let mut buffer = Vec::new();
        while scan.offsets.len() < count as usize {
            match self.entry_end(at, hash, &mut buffer) {
                Some(next) => {
                    scan.offsets.push(at);
                    at = next;
                }
                None if at >= end => {
                    scan.troubles.push(Trouble::damaged(
                        "truncated",
                        format!(
                            "the pack states {count} objects and ends after {}; get it again for the rest",
                            scan.offsets.len()
                        ),
                        None,
                    ));
                    break;
                }
                None => {
                    // What can be read of the damaged one is given when its turn comes.
                    scan.offsets.push(at);
                    let found = self.next_entry(at + 1, hash);
                    let next = found.unwrap_or(end);
                    scan.troubles.push(Trouble::damaged(
                        "git-pack-damaged",
                        format!(
                            "the entry at offset {at} is damaged or cut{}",
                            match found {
                                Some(next) => format!("; the next one that can be read stands at offset {next}"),
                                None => ", and no other was found behind it; get the pack again for the rest".to_owned(),
                            }
                        ),
                        Some(next - at),
                    ));
                    at = next;
                    if found.is_none() {
                        break;
                    }
                }
            }
        }
        let rest = end.saturating_sub(at);
        let is_whole = rest == hash.width() as u64;
        scan.is_clean = scan.troubles.is_empty() && is_whole;
        if scan.troubles.is_empty() && !is_whole {
            scan.troubles.push(if rest < hash.width() as u64 {
                Trouble::odd("git-pack-damaged", "the pack ends within its checksum; all its objects are there")
            } else {
                Trouble::damaged(
                    "git-unlisted",
                    format!("{rest} bytes follow the {count} objects that the pack states; they were not read"),
                    Some(rest),
                )
            });
        }
        scan.end = at;
        scan
    }

    /// Where the entry at `at` ends, if it is sound.
    fn entry_end(&mut self, at: u64, hash: Hash, buffer: &mut Vec<u8>) -> Option<u64> {
        let head = entry_head(&self.source.get(at, ENTRY_HEAD), hash)?;
        if matches!(head.base, Base::Before(distance) if distance == 0 || distance > at - HEAD_LEN.min(at))
        {
            return None;
        }
        let data = at + head.len as u64;
        if head.size <= AT_ONCE && self.limits.decoders == Decoders::Fast {
            let most = (head.size + head.size / 8 + 128) as usize;
            let packed = self.source.get(data, most);
            buffer.resize(head.size as usize, 0);
            if let Ok((used, made)) = inflate::zlib(&packed, buffer) {
                return (made as u64 == head.size).then(|| data + used as u64);
            }
        }
        let (used, made) = self.source.measure(data, head.size)?;
        (made == head.size).then(|| data + used)
    }

    /// The first sound entry from `from` on.
    fn next_entry(&mut self, from: u64, hash: Hash) -> Option<u64> {
        /// What the first byte of git's zlib streams is: method 8, a window of 32 KiB.
        const METHOD: u8 = 0x78;
        let (mut at, end) = (from, self.source.len());
        let mut buffer = Vec::new();
        while at < end {
            let window = self.source.get(at, WINDOW);
            if window.is_empty() {
                return None;
            }
            let streams = memchr::memchr_iter(METHOD, &window);
            for place in streams {
                let sound = window.get(place + 1).is_some_and(|flags| {
                    u16::from_be_bytes([METHOD, *flags]).is_multiple_of(31) && flags & 0x20 == 0
                });
                if !sound {
                    continue;
                }
                let stream = at + place as u64;
                let earliest = stream.saturating_sub(ENTRY_HEAD as u64).max(from);
                for begin in earliest..stream {
                    let fits = entry_head(&self.source.get(begin, ENTRY_HEAD), hash)
                        .is_some_and(|head| begin + head.len as u64 == stream);
                    if fits && self.entry_end(begin, hash, &mut buffer).is_some() {
                        return Some(begin);
                    }
                }
            }
            at += (window.len() as u64).max(2) - 1;
            if window.len() == 1 {
                return None;
            }
        }
        None
    }

    // -----------------------------------------------------------------------------------------------------------
    // Which entry is a difference to which

    /// Looks at the heads of all entries and links differences to their bases.
    fn link(&mut self) {
        let mut blobs = Vec::new();
        let mut stray = Vec::new();
        let mut parents = vec![NONE; self.entries.len()];
        for index in 0..self.entries.len() {
            let offset = self.entries[index].offset;
            let head = entry_head(&self.source.get(offset, ENTRY_HEAD), self.hash);
            let index = index as u32;
            match head.map(|head| head.base) {
                None => self.lose(
                    index,
                    None,
                    "git-object-damaged",
                    "has a head that makes no sense",
                ),
                Some(Base::Whole(Kind::Blob)) => blobs.push((index, Kind::Blob)),
                Some(Base::Whole(kind)) => self.roots.push_back((index, kind)),
                Some(Base::Named(id)) => self.waiting.entry(id).or_default().push(index),
                Some(Base::Before(distance)) => {
                    let base = offset.checked_sub(distance).filter(|_| distance > 0);
                    let found = base.and_then(|base| {
                        self.entries
                            .binary_search_by_key(&base, |entry| entry.offset)
                            .ok()
                    });
                    match found {
                        Some(parent) => parents[index as usize] = parent as u32,
                        None => stray.push(index),
                    }
                }
            }
        }
        if self.which == Which::All {
            self.roots.extend(blobs);
        }
        // Bases stand before their differences, so that from behind each one's weight is known when it is linked.
        for index in (0..self.entries.len()).rev() {
            let parent = parents[index];
            if parent != NONE {
                self.adopt(parent, index as u32);
            }
        }
        for index in stray {
            self.lose(
                index,
                None,
                "git-base-missing",
                "is a difference to an entry that is not there",
            );
            self.lose_behind(index);
        }
    }

    fn adopt(&mut self, parent: u32, child: u32) {
        let (parent, child) = (parent as usize, child as usize);
        let weight = self.entries[child].weight;
        self.entries[parent].weight = self.entries[parent].weight.saturating_add(weight);
        let heavy = self.entries[parent].heavy;
        let is_heavier = heavy == NONE || self.entries[heavy as usize].weight < weight;
        let light = if is_heavier {
            std::mem::replace(&mut self.entries[parent].heavy, child as u32)
        } else {
            child as u32
        };
        if light != NONE {
            self.entries[light as usize].sibling = self.entries[parent].child;
            self.entries[parent].child = light;
        }
    }

    /// The differences to an entry: that with the most behind it comes last, and stands first here.
    fn children(&self, index: u32) -> Vec<u32> {
        let entry = &self.entries[index as usize];
        if entry.heavy == NONE {
            return Vec::new();
        }
        let mut children = Vec::new();
        let mut child = entry.child;
        while child != NONE {
            children.push(child);
            child = self.entries[child as usize].sibling;
        }
        // Linked from behind, so that the list already runs from the front of the pack.
        children.push(entry.heavy);
        children.reverse();
        children
    }

    // -----------------------------------------------------------------------------------------------------------
    // Making objects

    /// Gives the object that was asked for by [`Found::Wants`].
    pub fn supply(&mut self, kind: Kind, bytes: Bytes) {
        let Some(id) = self.asked.take() else { return };
        let mut children = self.waiting.remove(&id).unwrap_or_default();
        children.reverse();
        self.hold(kind, bytes, children);
    }

    /// The next thing; `None` at the end.
    pub fn advance(&mut self) -> Option<Found> {
        loop {
            if let Some(found) = self.ready.pop_front() {
                return Some(found);
            }
            if self.is_over {
                return None;
            }
            if let Some(index) = self.lost.pop() {
                self.lose(
                    index,
                    None,
                    "git-base-missing",
                    "is a difference to an object that could not be read",
                );
                self.lose_behind(index);
                continue;
            }
            if let Some(id) = self.asked.take() {
                self.give_up(&id);
                continue;
            }
            if let Some(held) = self.stack.last_mut() {
                let Some(child) = held.children.pop() else {
                    self.release();
                    continue;
                };
                let (kind, base) = (held.kind, held.bytes.clone());
                if held.children.is_empty() {
                    self.release();
                }
                self.make(child, Some((kind, base)));
                continue;
            }
            if let Some((index, _)) = self.roots.pop_front() {
                self.make(index, None);
                continue;
            }
            let wanted = self.wanted.get_or_insert_with(|| {
                // By entry, so that the order is that of the pack.
                let ids: BTreeMap<u32, Oid> = (self.waiting.iter())
                    .filter_map(|(id, waiting)| Some((*waiting.first()?, *id)))
                    .collect();
                ids.into_values().collect()
            });
            let id = wanted.pop_front()?;
            if self.waiting.contains_key(&id) {
                self.asked = Some(id);
                return Some(Found::Wants(id));
            }
        }
    }

    /// Nobody has the base that differences wait for.
    fn give_up(&mut self, id: &Oid) {
        let code = "git-base-missing";
        for index in self.waiting.remove(id).unwrap_or_default() {
            // Of a walk without blobs nobody knows what they would have been.
            if self.which == Which::All {
                self.lose(
                    index,
                    None,
                    code,
                    &format!("is a difference to {}, which is not there", id.hex()),
                );
                self.lose_behind(index);
            }
        }
    }

    fn release(&mut self) {
        if let Some(held) = self.stack.pop() {
            self.held -= held.bytes.len() as u64;
        }
    }

    /// Holds a base while the differences to it are made.
    fn hold(&mut self, kind: Kind, bytes: Bytes, children: Vec<u32>) {
        if children.is_empty() {
            return;
        }
        let len = bytes.len() as u64;
        if self.held + len > self.limits.hold() && !self.stack.is_empty() {
            for &child in children.iter().rev() {
                let held = self.limits.hold();
                let why = format!(
                    "is a difference to one of many large objects that would have to be held at a time, more than {held} bytes; raise --memory"
                );
                self.lose(child, Some(kind), "memory-limit", &why);
                self.lose_behind(child);
            }
            return;
        }
        self.held += len;
        room::want(self.held);
        self.stack.push(Held {
            kind,
            bytes,
            children,
        });
    }

    /// Makes one object, holds it for the differences to it, and gives it.
    fn make(&mut self, index: u32, base: Option<(Kind, Bytes)>) {
        let offset = self.entries[index as usize].offset;
        let end = match self.entries.get(index as usize + 1) {
            Some(next) => next.offset,
            None => self.source.len(),
        };
        let Some(head) = entry_head(&self.source.get(offset, ENTRY_HEAD), self.hash) else {
            self.lose(
                index,
                None,
                "git-object-damaged",
                "has a head that makes no sense",
            );
            self.lose_behind(index);
            return;
        };
        if head.size > self.limits.hold() {
            let why = format!(
                "states {} bytes, more than may be held; raise --memory",
                head.size
            );
            let kind = base.as_ref().map(|(kind, _)| *kind);
            self.lose(index, kind, "memory-limit", &why);
            self.lose_behind(index);
            return;
        }
        let data = offset + head.len as u64;
        let inflated = self.source.inflate(data, head.size, end.max(data));
        if let Some(fault) = inflated.fault {
            let is_whole = matches!(head.base, Base::Whole(_));
            let kind = match head.base {
                Base::Whole(kind) => Some(kind),
                _ => base.map(|(kind, _)| kind),
            };
            let bytes = (is_whole && !inflated.bytes.is_empty()).then(|| inflated.bytes.into());
            self.lose_with(
                index,
                kind,
                bytes,
                "git-object-damaged",
                &format!("is damaged: {fault}"),
            );
            self.lose_behind(index);
            return;
        }
        let (kind, bytes) = match (head.base, base) {
            (Base::Whole(kind), _) => (kind, inflated.bytes),
            (_, Some((kind, base))) => {
                match delta::apply(&base, &inflated.bytes, self.limits.hold()) {
                    Ok(bytes) => (kind, bytes),
                    Err(error) => {
                        let code = match error {
                            delta::DeltaError::TooLarge => "memory-limit",
                            _ => "git-object-damaged",
                        };
                        self.lose(
                            index,
                            Some(kind),
                            code,
                            &format!("is a difference that cannot be undone: {error}"),
                        );
                        self.lose_behind(index);
                        return;
                    }
                }
            }
            // A difference is made from its base alone.
            (_, None) => return,
        };
        let gap = end.saturating_sub(data + inflated.used);
        self.give(index, kind, bytes.into(), gap);
    }

    fn give(&mut self, index: u32, kind: Kind, bytes: Bytes, gap: u64) {
        self.made += 1;
        self.produced = self.produced.saturating_add(bytes.len() as u64);
        let is_bomb = self
            .limits
            .is_bomb(self.made, self.produced, self.source.len());
        if is_bomb || self.produced > self.limits.bytes {
            let code = if is_bomb {
                "ratio-limit"
            } else {
                "bytes-limit"
            };
            self.is_over = true;
            self.ready.push_back(Found::Trouble(Trouble::damaged(
                code,
                format!(
                    "stopped after {} of {} objects: they unfold to {} bytes; what came before is reported, raise --limit-{} to read on",
                    self.made,
                    self.entries.len(),
                    self.produced,
                    code.trim_end_matches("-limit")
                ),
                None,
            )));
            return;
        }
        let offset = self.entries[index as usize].offset;
        let id = id_of(self.hash, kind, &bytes);
        let named = self.waiting.remove(&id).unwrap_or_default();
        let mut children = self.children(index);
        // Those that come first stand last.
        children.extend(named.into_iter().rev());
        self.hold(kind, bytes.clone(), children);
        let claimed = self.names.get(index as usize).copied().flatten();
        let mut trouble = claimed.filter(|claimed| *claimed != id).map(|claimed| {
            Trouble::odd(
                "git-id-mismatch",
                format!(
                    "the index calls the object at offset {offset} {}, and its bytes say otherwise",
                    claimed.hex()
                ),
            )
        });
        if gap > 0 {
            trouble.get_or_insert_with(|| {
                Trouble::damaged(
                    "git-unlisted",
                    format!("{gap} bytes stand behind the entry at offset {offset}, and no index names them; they were not read"),
                    Some(gap),
                )
            });
        }
        self.ready.push_front(Found::Object(Object {
            kind,
            id,
            bytes,
            offset,
            trouble,
        }));
    }

    /// Gives an entry up.
    fn lose(&mut self, index: u32, kind: Option<Kind>, code: &'static str, why: &str) {
        self.lose_with(index, kind, None, code, why);
    }

    fn lose_with(
        &mut self,
        index: u32,
        kind: Option<Kind>,
        bytes: Option<Bytes>,
        code: &'static str,
        why: &str,
    ) {
        let offset = self.entries[index as usize].offset;
        let detail = format!("the entry at offset {offset} of the pack {why}");
        let trouble = match bytes {
            Some(_) => Trouble::damaged(code, detail, None),
            None => Trouble::skipped(code, detail, None),
        };
        self.ready.push_back(Found::Broken(Box::new(Broken {
            offset,
            id: self.names.get(index as usize).copied().flatten(),
            kind,
            bytes,
            trouble,
        })));
    }

    /// Gives up what depends on an entry.
    fn lose_behind(&mut self, index: u32) {
        let children = self.children(index);
        self.lost.extend(children);
    }
}

impl Entry {
    fn at(offset: u64) -> Self {
        Self {
            offset,
            child: NONE,
            sibling: NONE,
            heavy: NONE,
            weight: 1,
        }
    }
}

/// What reading entries one after the other found.
#[derive(Default)]
struct Scan {
    offsets: Vec<u64>,
    troubles: Vec<Trouble>,
    /// Where the last one ends.
    end: u64,
    /// Nothing was odd.
    is_clean: bool,
}

/// Makes one object of a pack by itself: its bases are looked for one after the other, down to one that is whole. For
/// the few that are asked for by name; a walk makes each base once.
pub(super) fn read_one(
    input: Input,
    offset: u64,
    index: &super::index::Index,
    hash: Hash,
    limits: &Limits,
) -> Option<(Kind, Bytes)> {
    /// Longer chains than git ever makes (its limit is 4,095).
    const CHAIN_MAX: usize = 10_000;
    let mut source = Source::new(input, 0, limits.decoders);
    let (mut deltas, mut held, mut at) = (Vec::<Vec<u8>>::new(), 0_u64, offset);
    loop {
        let head = entry_head(&source.get(at, ENTRY_HEAD), hash)?;
        held = held.saturating_add(head.size);
        if held > limits.hold() || deltas.len() > CHAIN_MAX {
            return None;
        }
        let inflated = source.inflate(at + head.len as u64, head.size, source.end);
        if inflated.fault.is_some() {
            return None;
        }
        at = match head.base {
            Base::Whole(kind) => {
                let mut bytes = inflated.bytes;
                while let Some(delta) = deltas.pop() {
                    bytes = delta::apply(&bytes, &delta, limits.hold()).ok()?;
                }
                return Some((kind, bytes.into()));
            }
            Base::Before(distance) => {
                deltas.push(inflated.bytes);
                at.checked_sub(distance).filter(|_| distance > 0)?
            }
            Base::Named(id) => {
                deltas.push(inflated.bytes);
                index.offset(index.find(&id)?)?
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::super::super::testing::{Seen, walk};
    use super::super::{GitBundle, GitLoose, GitPack};
    use super::*;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Seven bits a byte, the low ones first.
    fn sevens(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    fn head(kind: u8, size: usize) -> Vec<u8> {
        let mut bytes = vec![kind << 4 | (size & 15) as u8];
        if size >= 16 {
            bytes[0] |= 0x80;
            bytes.extend(sevens(size >> 4));
        }
        bytes
    }

    /// Lays entries out as a pack; each knows where it begins.
    #[derive(Default)]
    struct Layer {
        bytes: Vec<u8>,
        count: u32,
    }

    impl Layer {
        fn add(&mut self, kind: u8, base: &[u8], content: &[u8]) -> usize {
            if self.bytes.is_empty() {
                self.bytes = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
            }
            let at = self.bytes.len();
            self.bytes.extend(head(kind, content.len()));
            self.bytes.extend(base);
            self.bytes.extend(deflated(content));
            self.count += 1;
            at
        }

        fn blob(&mut self, content: &[u8]) -> usize {
            self.add(3, b"", content)
        }

        /// A difference to the entry at `base`.
        fn before(&mut self, base: usize, delta: &[u8]) -> usize {
            let mut distance = self.bytes.len() - base;
            let mut bytes = vec![(distance & 0x7f) as u8];
            while distance >= 0x80 {
                distance = (distance >> 7) - 1;
                bytes.insert(0, 0x80 | (distance & 0x7f) as u8);
            }
            self.add(6, &bytes, delta)
        }

        fn finish(mut self) -> Vec<u8> {
            self.bytes[8..12].copy_from_slice(&self.count.to_be_bytes());
            self.bytes.extend([0; 20]);
            self.bytes
        }
    }

    /// A difference that puts `text` behind the whole of a base of `len` bytes, up to 64 KiB.
    fn appended(len: usize, text: &[u8]) -> Vec<u8> {
        let mut delta = sevens(len);
        delta.extend(sevens(len + text.len()));
        if len > 0 {
            delta.extend([0xb0, len as u8, (len >> 8) as u8]);
        }
        delta.push(text.len() as u8);
        delta.extend(text);
        delta
    }

    fn read(pack: &[u8], limits: &Limits) -> Seen {
        walk(&GitPack, pack, limits).expect("it opens")
    }

    fn contents(seen: &Seen) -> Vec<&[u8]> {
        let mut contents: Vec<&[u8]> = seen.members.iter().map(|(_, bytes)| &bytes[..]).collect();
        contents.sort_unstable();
        contents
    }

    #[test]
    fn differences_of_both_kinds() {
        let mut layer = Layer::default();
        let named = id_of(Hash::Sha1, Kind::Blob, b"base and more");
        layer.add(7, named.as_bytes(), &appended(13, b" and last"));
        let base = layer.blob(b"base");
        layer.before(base, &appended(4, b" and more"));
        layer.add(1, b"", b"tree 1\n\n");
        layer.add(2, b"", b"");
        let seen = read(&layer.finish(), &Limits::default());
        assert_eq!(
            contents(&seen),
            [
                &b"base"[..],
                b"base and more",
                b"base and more and last",
                b"tree 1\n\n"
            ]
        );
        assert_eq!(seen.codes, [""; 0]);
        assert_eq!(seen.others, ["git-tree"]);
        let names: Vec<_> = seen.members.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&named.hex().as_str()));
    }

    #[test]
    fn the_third_version_reads_as_the_second() {
        let mut layer = Layer::default();
        layer.blob(b"text");
        let mut pack = layer.finish();
        pack[7] = 3;
        assert_eq!(contents(&read(&pack, &Limits::default())), [b"text"]);
    }

    #[test]
    fn what_hangs_on_damage_is_named_and_the_rest_is_read() {
        let mut layer = Layer::default();
        let good = layer.blob(b"good");
        let bad = layer.blob(b"this one is to be damaged, and has some length");
        let child = layer.before(bad, &appended(46, b"!"));
        layer.before(child, &appended(47, b"?"));
        layer.before(good, &appended(4, b" too"));
        layer.add(7, &[9; 20], &appended(4, b"x"));
        let mut pack = layer.finish();
        pack[bad + 12] ^= 0x55;
        let seen = read(&pack, &Limits::default());
        assert!(contents(&seen).contains(&&b"good too"[..]));
        let missing = seen.codes.iter().filter(|code| *code == "git-base-missing");
        assert_eq!(missing.count(), 3, "{:?}", seen.codes);
        assert!(seen.codes.iter().any(|code| code == "git-object-damaged"));
    }

    #[test]
    fn a_circle_of_differences_ends() {
        let mut layer = Layer::default();
        layer.blob(b"good");
        layer.add(7, &[1; 20], &appended(4, b"x"));
        layer.add(7, &[2; 20], &appended(4, b"y"));
        let seen = read(&layer.finish(), &Limits::default());
        assert_eq!(contents(&seen), [b"good"]);
        assert_eq!(seen.codes, ["git-base-missing"; 2]);
    }

    /// Each difference doubles what is there by copying it twice.
    #[test]
    fn a_bomb_of_differences_is_bounded_and_loud() {
        let mut layer = Layer::default();
        let mut base = layer.blob(&[b'x'; 1 << 12]);
        let mut len = 1_usize << 12;
        for _ in 0..30 {
            let mut delta = sevens(len);
            delta.extend(sevens(len * 2));
            for _ in 0..2 {
                let mut from = 0;
                while from < len {
                    let take = (len - from).min(0xff_ffff);
                    delta.push(0xff);
                    delta.extend((from as u32).to_le_bytes());
                    delta.extend(&(take as u32).to_le_bytes()[..3]);
                    from += take;
                }
            }
            base = layer.before(base, &delta);
            len *= 2;
            if len > 1 << 32 {
                break;
            }
        }
        let limits = Limits {
            memory: 64 << 20,
            ..Limits::default()
        };
        let seen = read(&layer.finish(), &limits);
        assert_eq!(seen.members.len(), 14, "up to half of the memory");
        assert!(
            seen.codes.contains(&"memory-limit".to_owned()),
            "{:?}",
            seen.codes
        );

        // Many results of one base: no single one is large.
        let mut layer = Layer::default();
        let base = layer.blob(&vec![b'x'; 1 << 20]);
        for number in 0..2_000_u32 {
            let mut delta = sevens(1 << 20);
            delta.extend(sevens((1 << 20) + 4));
            delta.extend([0xc0, 0x10]);
            delta.push(4);
            delta.extend(number.to_be_bytes());
            layer.before(base, &delta);
        }
        let seen = read(
            &layer.finish(),
            &Limits {
                ratio: 100,
                ..Limits::default()
            },
        );
        assert!(seen.members.len() < 300);
        assert_eq!(seen.codes.last().unwrap(), "ratio-limit");
    }

    #[test]
    fn no_more_bases_are_held_than_needed() {
        // A chain with a leaf at every link: the chain is the heavy branch, so that one base is held at a time.
        let mut layer = Layer::default();
        let mut base = layer.blob(&[0; 1 << 10]);
        let mut len = 1 << 10;
        for number in 0..200_u8 {
            let next = layer.before(base, &appended(len, &[number]));
            layer.before(base, &appended(len, b"leaf"));
            (base, len) = (next, len + 1);
        }
        let pack = layer.finish();
        let input = Input::Memory(pack.into());
        let limits = Limits::default();
        let mut walk = PackWalk::open(input, 0, Hash::Sha1, None, Which::All, &limits).unwrap();
        let (mut most, mut objects) = (0, 0);
        while let Some(found) = walk.advance() {
            objects += usize::from(matches!(found, Found::Object(_)));
            most = most.max(walk.stack.len());
        }
        assert_eq!((objects, most), (401, 1));
    }

    #[test]
    fn a_file_is_read_as_memory_is() {
        let mut layer = Layer::default();
        let mut random = 7_u64;
        let mut bases = Vec::new();
        for number in 0..60_usize {
            let content: Vec<u8> = (0..number * 900)
                .map(|_| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (random >> 56) as u8
                })
                .collect();
            bases.push((layer.blob(&content), content.len()));
        }
        for (number, (base, len)) in bases.iter().enumerate().rev() {
            layer.before(*base, &appended(*len, &[number as u8; 9]));
        }
        let mut pack = layer.finish();
        for is_damaged in [false, true] {
            if is_damaged {
                pack[300_000..300_100].fill(3);
            }
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&pack).unwrap();
            let file = crate::container::InputFile::new(file, pack.len() as u64);
            let limits = Limits::default();
            let input = Input::File(file);
            let of_file = super::super::super::testing::walk_input(&GitPack, input, &limits);
            let of_memory = read(&pack, &limits);
            assert_eq!(of_memory.codes.is_empty(), !is_damaged);
            assert!(of_memory.members.len() > 60);
            assert!(of_file.unwrap() == of_memory);
        }
    }

    #[test]
    fn stated_lengths_are_not_believed() {
        let mut layer = Layer::default();
        layer.blob(b"good");
        let mut pack = layer.finish();
        pack.truncate(pack.len() - 20);
        // A blob of 2^40 bytes in nine.
        pack.extend(head(3, 1 << 40));
        pack.extend(deflated(b"x"));
        // And one of 400 MB.
        pack.extend(head(3, 400 << 20));
        pack.extend(deflated(b"y"));
        pack[11] = 3;
        let seen = read(&pack, &Limits::default());
        assert!(contents(&seen).contains(&&b"good"[..]));
        assert!(seen.codes.len() >= 2);
    }

    #[test]
    fn entries_behind_damage_are_found_again() {
        let mut layer = Layer::default();
        let first = layer.blob(&(0..=255).cycle().take(4_000).collect::<Vec<u8>>());
        for number in 0..20 {
            layer.blob(format!("entry {number}, which is sound").as_bytes());
        }
        let mut pack = layer.finish();
        pack[first + 2..first + 40].fill(0);
        let seen = read(&pack, &Limits::default());
        let whole = seen
            .members
            .iter()
            .filter(|(_, bytes)| bytes.starts_with(b"entry "));
        assert_eq!(whole.count(), 20);
        assert!(seen.codes.iter().any(|code| code == "git-pack-damaged"));
    }

    fn sample() -> Vec<u8> {
        let mut layer = Layer::default();
        let base = layer.blob(b"a base with some text in it");
        let next = layer.before(base, &appended(27, b" and more"));
        layer.before(next, &appended(36, b" and so on"));
        layer.add(1, b"", b"tree 0\nauthor A <a> 1 +0000\n\nm\n");
        layer.add(2, b"", b"100644 a\0aaaaaaaaaaaaaaaaaaaa");
        layer.add(7, &[3; 20], &appended(27, b"thin"));
        layer.finish()
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(
            flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
            is_cut in any::<bool>(),
        ) {
            let mut pack = sample();
            for (at, with) in flips {
                let at = 12 + at.index(pack.len() - 12);
                pack[at] = with;
            }
            if is_cut {
                pack.truncate(12 + cut.index(pack.len() - 11));
            }
            let seen = read(&pack, &Limits::default());
            prop_assert!(seen.members.len() + seen.codes.len() < 100);
            let mut bundle = b"# v2 git bundle\n\n".to_vec();
            bundle.extend(&pack);
            let of_bundle = walk(&GitBundle, &bundle, &Limits::default()).unwrap();
            prop_assert_eq!(of_bundle.members.len(), seen.members.len());
        }

        #[test]
        fn any_listing_is_survived(offsets in proptest::collection::vec(0..400_u64, 6..=6)) {
            let listing = offsets.into_iter().map(|offset| (offset, None)).collect();
            let input = Input::Memory(sample().into());
            let limits = Limits::default();
            let mut walk =
                PackWalk::open(input, 0, Hash::Sha1, Some(listing), Which::All, &limits).unwrap();
            let mut count = 0;
            while walk.advance().is_some() {
                count += 1;
                prop_assert!(count < 100);
            }
        }

        #[test]
        fn loose_objects_may_be_anything(
            text in proptest::collection::vec(any::<u8>(), 0..60),
            at in any::<prop::sample::Index>(),
            with in any::<u8>(),
        ) {
            let mut packed = deflated(&[b"blob 30\0", &text[..]].concat());
            let at = at.index(packed.len());
            packed[at] = with;
            if let Ok(seen) = walk(&GitLoose, &packed, &Limits::default()) {
                prop_assert!(seen.members.len() + seen.codes.len() > 0);
            }
        }
    }
}
