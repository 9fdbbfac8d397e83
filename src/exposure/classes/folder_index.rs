//! Indexes that file managers leave in folders: `.DS_Store` of macOS, `Thumbs.db` of Windows.
//!
//! A `.DS_Store` lists the files that somebody looked at in a folder, those among them that were never packed. It is a tree
//! of blocks (buddy allocator, then a B-tree of records: name in UTF-16, kind of setting, value); names are collected, each
//! once. A `Thumbs.db` is a compound file with a catalogue of names and small pictures.

use std::collections::BTreeSet;

use super::circumstance::TELLING_NAMES;
use super::text::counted;
use super::{Artifact, Class, names};
use crate::exposure::content::Hits;
use crate::exposure::shown;

const CLASS: &str = "folder-index";

/// Indexes of folders.
pub struct FolderIndex;

/// Most blocks that are read, and most names that are kept.
const BLOCKS_MAX: usize = 4096;
const NAMES_MAX: usize = 10_000;

/// Names that a detail shows.
const SHOWN_MAX: usize = 5;

impl Class for FolderIndex {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        if bytes.starts_with(b"\0\0\0\x01Bud1") {
            return Some(of_names("a .DS_Store", &names_in(bytes)));
        }
        is_thumbs(bytes)
            .then(|| Artifact::proven(CLASS, "", "a catalogue of small pictures (Thumbs.db)"))
    }
}

fn of_names(what: &str, found: &BTreeSet<String>) -> Artifact {
    let telling: Vec<&String> = found
        .iter()
        .filter(|name| names::is_named(name.as_bytes()))
        .collect();
    let circumstance = if telling.is_empty() {
        ""
    } else {
        TELLING_NAMES
    };
    let first = telling
        .iter()
        .copied()
        .chain(found.iter().filter(|name| !telling.contains(name)));
    let first: Vec<String> = first
        .take(SHOWN_MAX)
        .map(|name| shown(name.as_bytes()))
        .collect();
    let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let list = if first.is_empty() {
        String::new()
    } else {
        format!(", such as {}", first.join(", "))
    };
    Artifact::proven(
        CLASS,
        circumstance,
        format!("{what} with {}{list}", counted(count, "name")),
    )
}

/// Names in a `.DS_Store`; those before a fault in it.
fn names_in(bytes: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let _ = collect(bytes, &mut found);
    found
}

/// A big-endian number at an offset.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes(*four)).ok()
}

fn collect(bytes: &[u8], found: &mut BTreeSet<String>) -> Option<()> {
    // All offsets count from behind the first four bytes.
    let file = bytes.get(4..)?;
    let root = file.get(number(file, 4)?..)?;
    let count = number(root, 0)?;
    let address = |block: usize| {
        (block < count.min(BLOCKS_MAX))
            .then(|| number(root, 8 + block * 4))
            .flatten()
    };
    // Addresses fill up whole runs of 256; then comes the list of trees by name.
    let list = root.get(8 + count.min(BLOCKS_MAX).div_ceil(256) * 1024..)?;
    let at = memchr::memmem::find(list.get(..list.len().min(1024))?, b"\x04DSDB")?;
    // The low five bits of an address are the size of the block as a power of two.
    let block = |id: usize| {
        let address = address(id)?;
        let start = address & !0x1f;
        let len = 1_usize.checked_shl(u32::try_from(address & 0x1f).ok()?)?;
        let rest = file.get(start..)?;
        Some(rest.get(..len).unwrap_or(rest))
    };
    let mut open = vec![number(block(number(list, at + 5)?)?, 0)?];
    // Blocks do not overlap: those of a damaged file that do could be read as often as it names them.
    let mut room = file.len();
    let mut read = BTreeSet::new();
    while let Some(id) = open.pop() {
        let node_of = block(id)?;
        if !read.insert(id) || read.len() > BLOCKS_MAX {
            return None;
        }
        room = room.checked_sub(node_of.len())?;
        node(node_of, &mut open, found)?;
    }
    Some(())
}

/// A node: the last child, how many records, and each record behind its child where there are children.
fn node(bytes: &[u8], open: &mut Vec<usize>, found: &mut BTreeSet<String>) -> Option<()> {
    let last = number(bytes, 0)?;
    let count = number(bytes, 4)?;
    let mut rest = bytes.get(8..)?;
    for _ in 0..count {
        if last != 0 {
            open.push(number(rest, 0)?);
            rest = rest.get(4..)?;
        }
        rest = record(rest, found)?;
        if open.len() > BLOCKS_MAX || found.len() >= NAMES_MAX {
            return None;
        }
    }
    if last != 0 {
        open.push(last);
    }
    Some(())
}

/// A record: length of the name in units of UTF-16, name, setting, type of value, value.
fn record<'a>(bytes: &'a [u8], found: &mut BTreeSet<String>) -> Option<&'a [u8]> {
    let length = number(bytes, 0)?.checked_mul(2)?;
    let (name, rest) = bytes.get(4..)?.split_at_checked(length)?;
    let units = name
        .as_chunks::<2>()
        .0
        .iter()
        .map(|&pair| u16::from_be_bytes(pair));
    let name: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    // A setting of the folder itself goes by a dot.
    if name != "." {
        found.insert(name);
    }
    let kind = rest.get(4..8)?;
    let value = rest.get(8..)?;
    let size = match kind {
        b"bool" => 1,
        b"long" | b"shor" | b"type" => 4,
        b"comp" | b"dutc" => 8,
        b"blob" => number(value, 0)?.checked_add(4)?,
        b"ustr" => number(value, 0)?.checked_mul(2)?.checked_add(4)?,
        _ => return None,
    };
    value.get(size..)
}

/// A compound file with a stream called `Catalog` (or pictures by size and hash, as of Vista).
fn is_thumbs(bytes: &[u8]) -> bool {
    const LOOK: usize = 1 << 20;
    const CATALOG: &[u8] = b"C\0a\0t\0a\0l\0o\0g\0\0\0";
    const PICTURE: &[u8] = b"2\x005\x006\0_\0";
    if !bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return false;
    }
    let head = &bytes[..bytes.len().min(LOOK)];
    let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
    has(CATALOG) || has(PICTURE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::samples::make;

    #[test]
    fn names_are_listed() {
        let bytes = make("ds-store notes.txt id_rsa").unwrap();
        let found: Vec<String> = names_in(&bytes).into_iter().collect();
        assert_eq!(found, ["id_rsa", "notes.txt"]);
        for cut in 0..bytes.len() {
            names_in(&bytes[..cut]);
        }
    }

    /// A tree whose one inner node names the same leaf again and again.
    fn looping() -> Vec<u8> {
        const RECORD: &[u8] = b"\0\0\0\x01\0.abcdbool\x01";
        let numbers = |numbers: &[u32]| -> Vec<u8> {
            numbers
                .iter()
                .flat_map(|number| number.to_be_bytes())
                .collect()
        };
        let mut file = vec![0; 0x180000];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &[b"Bud1".to_vec(), numbers(&[0x4000])].concat());
        put(0x20, &numbers(&[2]));
        let mut root = numbers(&[4, 0, 0x4000 | 13, 0x20 | 5, 0x10000 | 17, 0x80000 | 20]);
        root.resize(8 + 1024, 0);
        put(
            0x4000,
            &[root, numbers(&[1]), b"\x04DSDB".to_vec(), numbers(&[1])].concat(),
        );
        let child = [numbers(&[3]), RECORD.to_vec()].concat();
        put(
            0x10000,
            &[numbers(&[3, 4_000]), child.repeat(4_000)].concat(),
        );
        let rows = (1 << 20) / RECORD.len() - 1;
        put(
            0x80000,
            &[numbers(&[0, rows as u32]), RECORD.repeat(rows)].concat(),
        );
        [&b"\0\0\0\x01"[..], &file].concat()
    }

    #[test]
    fn a_block_is_read_once() {
        // As often as it is named takes a minute.
        assert!(names_in(&looping()).is_empty());
    }
}
