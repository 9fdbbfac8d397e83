//! Images of discs (ISO 9660, which is ECMA-119; Joliet; Rock Ridge, which is IEEE P1282 on SUSP; El Torito).
//!
//! A disc has a tree of folders with short names, and mostly a second way to the long ones: fields of Rock Ridge beside
//! the short names, or the whole tree again with names in UTF-16 (Joliet). Names are those of Rock Ridge where there are
//! any, else of Joliet, else the short ones without their version. The other trees are walked too: a file that only they
//! have is given with their name.
//!
//! Everything is an extent, a place and a length, and each is a claim. A folder that was read is not read again, so that
//! loops end; files may share extents, as hard links do; what no extent claims is given as regions, the first sixteen
//! sectors too, where programs that boot stand.
//!
//! Folders that Rock Ridge moved, since the standard allows eight levels, are read where they were. A file in several
//! extents is put together where those follow each other. Boot images are counted (`boot-image`): they are files of
//! the tree, or regions.
//!
//! Left out: UDF, sectors with their raw headers, files that are interleaved or compressed by zisofs (said, and given as
//! they stand), earlier sessions (regions).

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;

use super::claims::Claims;
use super::feed::Input;
use super::spans::Spans;
use super::{Event, Format, Member, Trouble, Walker};
use crate::blob::{Limits, MemberName};

/// Where the descriptors of the volume begin, and how long each is (ECMA-119, 6.2.1).
const DESCRIPTORS: u64 = 16 * SECTOR;
const SECTOR: u64 = 2_048;
/// Descriptors that are read; real discs have four.
const DESCRIPTORS_MAX: u64 = 64;
/// A record of a folder without its name (9.1).
const RECORD: usize = 33;
/// Longest path of a folder.
const PATH_MAX: usize = 16 << 10;
/// Pieces of one record's fields that stand elsewhere.
const CONTINUATIONS_MAX: usize = 64;
/// What files begin with that zisofs packed.
const ZISOFS: &[u8] = &[0x37, 0xe4, 0x53, 0x96, 0xc9, 0xdb, 0xd6, 0x07];

/// The format of disc images.
pub struct Iso;

impl Format for Iso {
    fn name(&self) -> &'static str {
        "iso"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let first = head.get(DESCRIPTORS as usize..).unwrap_or_default();
        first.len() > 6 && matches!(first[0], 0..=3) && &first[1..6] == b"CD001"
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        Ok(Box::new(IsoWalker::new(Spans::new(input, limits.hold()))))
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let raw = bytes.get(at..).and_then(|rest| rest.first_chunk());
    raw.map_or(0, |raw| u64::from(u32::from_le_bytes(*raw)))
}

/// How a tree writes its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Short,
    Joliet,
}

/// One tree of folders, as its descriptor states it.
struct Tree {
    names: Names,
    block: u64,
    root: Folder,
    /// Bytes to pass over in the fields of each record (SUSP, 5.3); `None` where there are no such fields.
    skip: Option<usize>,
}

/// A folder that waits, or is read.
struct Folder {
    path: Vec<u8>,
    at: u64,
    /// Its length as stated; `None` where only its own first record says it.
    len: Option<u64>,
}

/// A record of a folder (9.1).
struct Record {
    at: u64,
    len: u64,
    flags: u8,
    is_interleaved: bool,
    name: Vec<u8>,
    fields: Bytes,
}

const FLAG_FOLDER: u8 = 2;
const FLAG_ASSOCIATED: u8 = 4;
const FLAG_MORE: u8 = 0x80;

impl Record {
    fn read(bytes: &Bytes, block: u64) -> Option<Self> {
        let len = usize::from(*bytes.first()?);
        let name_len = usize::from(*bytes.get(32)?);
        let name_end = RECORD + name_len;
        if name_len == 0 || len < name_end || bytes.len() < len {
            return None;
        }
        // A name of even length has padding behind it.
        let fields_at = (name_end + usize::from(name_len.is_multiple_of(2))).min(len);
        // Attributes stand before the content.
        let place = number(bytes, 2) + u64::from(bytes[1]);
        Some(Self {
            at: place * block,
            len: number(bytes, 10),
            flags: bytes[25],
            is_interleaved: bytes[26] != 0,
            name: bytes[RECORD..name_end].to_vec(),
            fields: bytes.slice(fields_at..len),
        })
    }
}

/// What the fields of Rock Ridge say of a record.
#[derive(Default)]
struct Ridge {
    name: Option<Vec<u8>>,
    is_link: bool,
    is_special: bool,
    /// It stands here only since it was moved.
    is_moved: bool,
    /// Where the folder stands that this is in the place of, in blocks.
    moved_to: Option<u64>,
}

/// A file of which more extents follow.
struct Pending {
    name: Vec<u8>,
    extents: Vec<(u64, u64)>,
}

/// Gives the files of all trees.
struct IsoWalker {
    spans: Spans,
    /// Trees that wait, the one with the best names first.
    trees: VecDeque<Tree>,
    /// The tree that is walked, its folders that wait, and the place in the one that is read.
    tree: Option<Tree>,
    folders: Vec<Folder>,
    reading: Option<Reading>,
    is_first_tree: bool,
    /// Sectors that were read as folders, and extents that were given.
    seen_folders: HashSet<u64>,
    given: HashSet<(u64, u64)>,
    several: Option<Pending>,
    claims: Option<Claims>,
    pending: VecDeque<Event>,
    regions: Vec<(u64, u64)>,
}

/// A folder that is read.
struct Reading {
    path: Vec<u8>,
    at: u64,
    end: u64,
    sector: Bytes,
    offset: usize,
}

impl IsoWalker {
    fn new(spans: Spans) -> Self {
        let mut walker = Self {
            spans,
            trees: VecDeque::new(),
            tree: None,
            folders: Vec::new(),
            reading: None,
            is_first_tree: true,
            seen_folders: HashSet::new(),
            given: HashSet::new(),
            several: None,
            claims: None,
            pending: VecDeque::new(),
            regions: Vec::new(),
        };
        let claims = walker.read_descriptors();
        walker.claims = Some(claims);
        walker
    }

    fn read_descriptors(&mut self) -> Claims {
        let mut claims = Claims::default();
        for index in 0..DESCRIPTORS_MAX {
            let at = DESCRIPTORS + index * SECTOR;
            let sector = self.spans.slice(at, SECTOR as usize);
            if sector.get(1..6) != Some(b"CD001") {
                break;
            }
            claims.note(at, SECTOR);
            self.pending.push_back(Event::Other("header"));
            match sector[0] {
                0 => self.boot_record(&sector),
                1 | 2 if sector.len() as u64 == SECTOR => self.volume(&sector, &mut claims),
                255 => break,
                _ => {}
            }
        }
        self.look_for_udf();
        // Names of Rock Ridge, of Joliet, short ones.
        self.trees
            .make_contiguous()
            .sort_by_key(|tree| (tree.skip.is_none(), tree.names == Names::Short));
        if self.trees.is_empty() {
            self.pending.push_back(Event::Trouble(Trouble::damaged(
                "iso-damaged",
                "the image of a disc has no descriptor of a volume; it was read as regions",
                None,
            )));
        }
        claims
    }

    /// A second file system beside this one may name other files (ECMA-167, 2/8 and 9.1: its marks follow the descriptors).
    fn look_for_udf(&mut self) {
        let mark = |index: u64| self.spans.slice(DESCRIPTORS + index * SECTOR + 1, 5);
        let has_udf =
            (1..DESCRIPTORS_MAX).any(|index| matches!(&mark(index)[..], b"NSR02" | b"NSR03"));
        if has_udf {
            self.pending.push_back(Event::Trouble(Trouble::damaged(
                "unsupported",
                "the disc has a UDF file system beside this one, which is not read: files that only it names were read as parts of regions; mount it and scan the files",
                None,
            )));
        }
    }

    /// The catalogue of boot images (El Torito, 2).
    fn boot_record(&mut self, sector: &Bytes) {
        if sector.get(7..30) != Some(b"EL TORITO SPECIFICATION") {
            return;
        }
        let at = number(sector, 71) * SECTOR;
        let catalogue = self.spans.slice(at, SECTOR as usize);
        let is_sound =
            catalogue.first() == Some(&1) && catalogue.get(30..32) == Some(&[0x55, 0xaa]);
        if is_sound && catalogue.get(32) == Some(&0x88) {
            self.pending.push_back(Event::Other("boot-image"));
        }
    }

    fn volume(&mut self, sector: &Bytes, claims: &mut Claims) {
        let block = match number(sector, 128) & 0xffff {
            block @ (512 | 1_024 | 2_048) => block,
            _ => SECTOR,
        };
        let escapes = &sector[88..120];
        let is_joliet = [&b"%/@"[..], b"%/C", b"%/E"]
            .iter()
            .any(|word| escapes.starts_with(word));
        let is_first = sector[0] == 1;
        if !is_first && !is_joliet {
            return;
        }
        // Path tables say what the folders say: one in each order of bytes, and a copy of each.
        let len = number(sector, 132);
        let big = |at: usize| u64::from((number(sector, at) as u32).swap_bytes());
        for place in [number(sector, 140), number(sector, 144), big(148), big(152)] {
            if place > 0 {
                claims.note(place * block, len);
            }
        }
        let Some(root) = Record::read(&sector.slice(156..190), block) else {
            return;
        };
        let skip = if is_first {
            self.fields_begin(&root)
        } else {
            None
        };
        self.trees.push_back(Tree {
            names: if is_first {
                Names::Short
            } else {
                Names::Joliet
            },
            block,
            skip,
            root: Folder {
                path: Vec::new(),
                at: root.at,
                len: Some(root.len),
            },
        });
    }

    /// Bytes to pass over before the fields of each record, where the root says that there are any.
    fn fields_begin(&self, root: &Record) -> Option<usize> {
        let sector = self.spans.slice(root.at, SECTOR as usize);
        let own = Record::read(&sector, 1)?;
        match *own.fields.get(..7)? {
            [b'S', b'P', _, _, 0xbe, 0xef, skip] => Some(usize::from(skip)),
            _ => None,
        }
    }

    /// Goes on to the next record, folder or tree. `false` at the end.
    fn step(&mut self) -> bool {
        if let Some(mut reading) = self.reading.take() {
            if let Some(record) = self.next_record(&mut reading) {
                self.record(&reading.path, record);
                self.reading = Some(reading);
            } else {
                self.finish_several();
            }
            return true;
        }
        if let Some(folder) = self.folders.pop() {
            self.open_folder(folder);
            return true;
        }
        if self.tree.is_some() {
            self.is_first_tree = false;
        }
        self.tree = self.trees.pop_front();
        let Some(tree) = &mut self.tree else {
            return false;
        };
        let root = std::mem::replace(
            &mut tree.root,
            Folder {
                path: Vec::new(),
                at: 0,
                len: None,
            },
        );
        self.open_folder(root);
        true
    }

    fn open_folder(&mut self, folder: Folder) {
        let first = self.spans.slice(folder.at, SECTOR as usize);
        let own = Record::read(&first, 1).map_or(SECTOR, |own| own.len);
        let len = folder.len.unwrap_or(own);
        let there = self.spans.len().saturating_sub(folder.at);
        if there < len {
            self.pending.push_back(Event::Trouble(Trouble::damaged(
                "truncated",
                format!(
                    "the folder at offset {} of the disc states {} bytes more than there are; what is there was read",
                    folder.at,
                    len - there
                ),
                Some(len - there),
            )));
        }
        self.reading = Some(Reading {
            path: folder.path,
            at: folder.at,
            end: folder.at + len.min(there),
            sector: Bytes::new(),
            offset: 0,
        });
    }

    /// The next record of a folder. Records do not reach over sectors; zeros fill the rest of one (6.8.1.1).
    fn next_record(&mut self, reading: &mut Reading) -> Option<Record> {
        let block = self.tree.as_ref()?.block;
        loop {
            let rest = reading
                .sector
                .slice(reading.offset.min(reading.sector.len())..);
            if rest.first().is_some_and(|&len| len > 0) {
                if let Some(record) = Record::read(&rest, block) {
                    reading.offset += usize::from(rest[0]);
                    return Some(record);
                }
                self.damaged_folder(reading.at - 1, "a record of it is none");
            }
            if reading.at >= reading.end {
                return None;
            }
            if !self.seen_folders.insert(reading.at) {
                self.damaged_folder(
                    reading.at,
                    "it was read before, so that folders would hold each other",
                );
                return None;
            }
            let len = (reading.end - reading.at).min(SECTOR);
            reading.sector = self.spans.slice(reading.at, len as usize);
            if let Some(claims) = &mut self.claims {
                claims.note(reading.at, len);
            }
            reading.at += len;
            reading.offset = 0;
        }
    }

    fn damaged_folder(&mut self, at: u64, what: &str) {
        self.pending.push_back(Event::Trouble(Trouble::damaged(
            "iso-damaged",
            format!("a folder cannot be read on near offset {at} of the disc: {what}; what stands there and has no name is read as a region"),
            None,
        )));
    }

    fn record(&mut self, path: &[u8], record: Record) {
        let ridge = self.ridge(&record);
        // The folder itself and the one above (6.8.2.2).
        if matches!(record.name.as_slice(), [0] | [1]) {
            return;
        }
        if ridge.is_moved {
            return;
        }
        let Some(tree) = &self.tree else { return };
        let own = match (ridge.name, tree.names) {
            (Some(name), _) => name,
            (None, Names::Joliet) => without_version(&from_utf16(&record.name)),
            (None, Names::Short) => without_version(&record.name),
        };
        let mut name = path.to_vec();
        if !path.is_empty() {
            name.push(b'/');
        }
        name.extend(own);
        if let Some(place) = ridge.moved_to {
            let at = place * tree.block;
            return self.folder(name, at, None);
        }
        if record.flags & FLAG_FOLDER != 0 {
            return self.folder(name, record.at, Some(record.len));
        }
        if ridge.is_link || ridge.is_special {
            let kind = if ridge.is_link { "symlink" } else { "special" };
            return self.other(kind);
        }
        self.extent(name, &record);
    }

    fn folder(&mut self, path: Vec<u8>, at: u64, len: Option<u64>) {
        self.other("folder");
        if path.len() > PATH_MAX {
            self.pending.push_back(Event::Trouble(Trouble::damaged(
                "depth-limit",
                format!(
                    "the folder at offset {at} of the disc lies too deep; it was read as a region"
                ),
                None,
            )));
            return;
        }
        self.folders.push(Folder { path, at, len });
    }

    /// Counts something, once for all trees.
    fn other(&mut self, kind: &'static str) {
        if self.is_first_tree {
            self.pending.push_back(Event::Other(kind));
        }
    }

    fn extent(&mut self, name: Vec<u8>, record: &Record) {
        if record.flags & FLAG_ASSOCIATED != 0 {
            self.other("associated");
        }
        if record.is_interleaved {
            self.pending.push_back(Event::Trouble(Trouble::skipped(
                "unsupported",
                format!("the file at offset {} of the disc is interleaved with others; it was read as it stands", record.at),
                Some(record.len),
            )));
        }
        let mut file = match self.several.take() {
            Some(file) if file.name == name => file,
            other => {
                self.several = other;
                self.finish_several();
                Pending {
                    name,
                    extents: Vec::new(),
                }
            }
        };
        match file.extents.last_mut() {
            Some((at, len)) if *at + *len == record.at => *len += record.len,
            _ => file.extents.push((record.at, record.len)),
        }
        self.several = Some(file);
        if record.flags & FLAG_MORE == 0 {
            self.finish_several();
        }
    }

    /// Gives a file whose extents are all known.
    fn finish_several(&mut self) {
        let Some(file) = self.several.take() else {
            return;
        };
        let is_apart = file.extents.len() > 1;
        for (at, len) in file.extents {
            // Other trees name the same files; empty ones have no place of their own.
            let is_known = len == 0 || self.given.contains(&(at, len));
            if !self.is_first_tree && is_known {
                continue;
            }
            self.given.insert((at, len));
            if let Some(claims) = &mut self.claims {
                claims.note(at, len);
            }
            let packed = self.spans.slice(at, ZISOFS.len().min(len as usize)) == ZISOFS;
            let mut member = self.member(file.name.clone(), at, len);
            if member.trouble.is_none() && packed {
                member.trouble = Some(Trouble::skipped(
                    "unsupported",
                    "the file is packed by zisofs, which is not read; it was read as it stands",
                    Some(len),
                ));
            }
            if member.trouble.is_none() && is_apart {
                member.trouble = Some(Trouble::odd(
                    "continued-member",
                    "one of several extents of a file that do not follow each other; each was read for itself",
                ));
            }
            self.pending.push_back(Event::Member(member));
        }
    }

    fn member(&mut self, name: Vec<u8>, at: u64, len: u64) -> Member {
        if len == 0 {
            return Member::whole(MemberName::Named(name), Bytes::new());
        }
        self.spans.member(MemberName::Named(name), at, len)
    }

    /// What Rock Ridge says of a record (P1282, 4.1), wherever its fields go on (SUSP, 5.1).
    fn ridge(&mut self, record: &Record) -> Ridge {
        let mut ridge = Ridge::default();
        let Some(tree) = &self.tree else { return ridge };
        let (Some(skip), block) = (tree.skip, tree.block) else {
            return ridge;
        };
        let mut area = record.fields.slice(skip.min(record.fields.len())..);
        for _ in 0..CONTINUATIONS_MAX {
            let mut next = None;
            while area.len() >= 4 {
                let len = usize::from(area[2]);
                if len < 4 || len > area.len() {
                    break;
                }
                let field = area.split_to(len);
                match &field[..2] {
                    b"NM" if len > 4 => take_name(&field, &mut ridge),
                    b"SL" => ridge.is_link = true,
                    b"RE" => ridge.is_moved = true,
                    b"CL" => ridge.moved_to = Some(number(&field, 4)),
                    b"PX" => {
                        let kind = number(&field, 4) & 0o170_000;
                        ridge.is_link |= kind == 0o120_000;
                        ridge.is_special |=
                            matches!(kind, 0o10_000 | 0o20_000 | 0o60_000 | 0o140_000);
                    }
                    b"CE" => {
                        next = Some((number(&field, 4), number(&field, 12), number(&field, 20)))
                    }
                    b"ST" => break,
                    _ => {}
                }
            }
            let Some((place, offset, len)) = next else {
                break;
            };
            let at = place * block + offset;
            if let Some(claims) = &mut self.claims {
                claims.note(at, len.min(SECTOR));
            }
            area = self.spans.slice(at, len.min(SECTOR) as usize);
        }
        ridge
    }

    fn next_region(&mut self) -> Option<Event> {
        if let Some(claims) = self.claims.take() {
            let (overlaps, regions) = claims.settle(0, self.spans.len());
            self.regions = regions;
            self.regions.reverse();
            if overlaps > 0 {
                return Some(Event::Trouble(Trouble::odd(
                    "iso-overlap",
                    format!(
                        "{overlaps} extents of the disc begin within another; each was read as its record states"
                    ),
                )));
            }
        }
        while let Some((from, to)) = self.regions.pop() {
            if let Some(region) = self.spans.region(from, to) {
                return Some(Event::Member(region));
            }
        }
        None
    }
}

/// A piece of a name; it may go on in the next field (P1282, 4.1.4).
fn take_name(field: &[u8], ridge: &mut Ridge) {
    const ITSELF_OR_ABOVE: u8 = 6;
    if field[4] & ITSELF_OR_ABOVE == 0 && field.len() > 5 {
        let name = ridge.name.get_or_insert_with(Vec::new);
        name.extend_from_slice(&field[5..]);
    }
}

/// A name without the version of the file behind it, and the dot of an ending that is not there (7.5.1).
fn without_version(name: &[u8]) -> Vec<u8> {
    let end = memchr::memrchr(b';', name).unwrap_or(name.len());
    let is_version = name[end..].iter().skip(1).all(u8::is_ascii_digit);
    let name = if is_version { &name[..end] } else { name };
    name.strip_suffix(b".").unwrap_or(name).to_vec()
}

/// A name of Joliet. What is no character is shown as such: the raw name stands in the other tree.
fn from_utf16(name: &[u8]) -> Vec<u8> {
    let units: Vec<u16> = name
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units).into_bytes()
}

impl Walker for IsoWalker {
    fn kind(&self) -> &'static str {
        "iso"
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            if !self.step() {
                return self.next_region();
            }
        }
    }

    fn stands(&self) -> Option<Input> {
        self.spans.stands()
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        self.spans.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    /// A record of a folder (9.1).
    fn record(name: &[u8], sector: u32, len: u32, flags: u8) -> Vec<u8> {
        let mut bytes = vec![0; RECORD];
        bytes[2..6].copy_from_slice(&sector.to_le_bytes());
        bytes[10..14].copy_from_slice(&len.to_le_bytes());
        bytes[25] = flags;
        bytes[32] = name.len() as u8;
        bytes.extend(name);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes[0] = bytes.len() as u8;
        bytes
    }

    /// A disc whose root stands in sector 20, with what else stands in sectors.
    fn disc(root: &[Vec<u8>], sectors: &[(usize, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; 30 * SECTOR as usize];
        let mut put = |sector: usize, at: usize, content: &[u8]| {
            let at = sector * SECTOR as usize + at;
            bytes[at..at + content.len()].copy_from_slice(content);
        };
        put(16, 0, b"\x01CD001\x01");
        put(16, 128, &[0, 8]);
        put(16, 156, &record(&[0], 20, 2_048, 2));
        put(17, 0, b"\xffCD001\x01");
        let own = [record(&[0], 20, 2_048, 2), record(&[1], 20, 2_048, 2)];
        put(20, 0, &[own.concat(), root.concat()].concat());
        for (sector, content) in sectors {
            put(*sector, 0, content);
        }
        bytes
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(Iso.recognise(bytes));
        walk(&Iso, bytes, &Limits::default()).unwrap()
    }

    #[test]
    fn files_and_folders_are_read() {
        let inner = [
            record(&[0], 21, 2_048, 2),
            record(&[1], 20, 2_048, 2),
            record(b"B.TXT;1", 23, 4, 0),
        ];
        let root = [
            record(b"A.;1", 22, 5, 0),
            record(b"DIR", 21, 2_048, 2),
            record(b"LONG;1", 24, 2_048, FLAG_MORE),
            record(b"LONG;1", 25, 3, 0),
            record(b"EMPTY;1", 0, 0, 0),
        ];
        let long = [7; 2_048];
        let bytes = disc(
            &root,
            &[
                (21, &inner.concat()),
                (22, b"first"),
                (23, b"four"),
                (24, &long),
                (25, b"end"),
                (28, b"hidden"),
            ],
        );
        let found = seen(&bytes);
        let joined = [&long[..], b"end"].concat();
        let region = format!("@{}", 28 * SECTOR - (SECTOR * 3 - 3));
        let names: Vec<_> = found.named().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["A", "LONG", "EMPTY", "DIR/B.TXT", &region]);
        assert_eq!(found.members[1].1, joined);
        assert_eq!(found.members[3].1, b"four");
        assert_eq!(found.codes, [""; 0]);
        assert_eq!(found.others, ["header", "header", "folder"]);
    }

    #[test]
    fn folders_that_hold_each_other_end() {
        let inner = [
            record(&[0], 21, 2_048, 2),
            record(b"UP", 20, 2_048, 2),
            record(b"SELF", 21, 2_048, 2),
        ];
        let bytes = disc(&[record(b"DIR", 21, 2_048, 2)], &[(21, &inner.concat())]);
        let found = seen(&bytes);
        assert_eq!(found.codes, ["iso-damaged", "iso-damaged"]);
        assert_eq!(found.members, []);
    }

    #[test]
    fn a_second_file_system_is_said_not_to_be_read() {
        let file = [record(b"A", 22, 4, 0)];
        let bytes = disc(&file, &[(18, b"\0NSR02\x01"), (22, b"text")]);
        let found = seen(&bytes);
        assert_eq!(found.codes, ["unsupported"]);
        assert_eq!(found.members[0], ("A".to_owned(), b"text".to_vec()));
    }

    #[test]
    fn lies_are_said() {
        let code = |root: &[Vec<u8>]| seen(&disc(root, &[(22, b"text")])).codes.join(" ");
        assert_eq!(code(&[record(b"A", 22, u32::MAX, 0)]), "truncated");
        assert_eq!(code(&[record(b"A", u32::MAX, 9, 0)]), "truncated");
        assert_eq!(
            code(&[record(b"D", 22, u32::MAX, 2)]),
            "truncated iso-damaged"
        );
        assert_eq!(code(&[record(b"A", 22, 9, 0), record(b"B", 22, 9, 0)]), "");
        assert_eq!(
            code(&[record(b"A", 22, 5_000, 0), record(b"B", 23, 9, 0)]),
            "iso-overlap"
        );
        assert_eq!(
            code(&[record(b"A", 22, 4, FLAG_MORE), record(b"A", 24, 4, 0)]),
            "continued-member continued-member"
        );
        assert_eq!(code(&[vec![200; 3]]), "iso-damaged");
        let mut none = disc(&[], &[]);
        none[16 * SECTOR as usize] = 3;
        assert_eq!(seen(&none).codes, ["iso-damaged"]);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_ends(flips in proptest::collection::vec((0..500_usize, any::<u8>(), 0..3_usize), 1..9), cut in 0..20_000_usize) {
            let inner = [record(&[0], 21, 2_048, 2), record(&[1], 20, 2_048, 2), record(b"B.TXT;1", 23, 4, 0)];
            let root = [record(b"A.;1", 22, 5, 0), record(b"DIR", 21, 2_048, 2)];
            let mut bytes = disc(&root, &[(21, &inner.concat()), (22, b"first"), (23, b"four")]);
            for (at, byte, part) in flips {
                let at = [16, 20, 21][part] * SECTOR as usize + at + if part == 0 { 7 } else { 0 };
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut);
            let found = walk(&Iso, &bytes, &Limits::default()).unwrap();
            prop_assert!(found.members.len() < 400);
        }

        #[test]
        fn versions_are_taken_off(name in "[A-Z]{1,8}", ending in "[A-Z]{0,3}", version in 1..99_u32) {
            let written = format!("{name}.{ending};{version}");
            let expected = if ending.is_empty() { name } else { format!("{name}.{ending}") };
            prop_assert_eq!(without_version(written.as_bytes()), expected.into_bytes());
        }
    }
}
