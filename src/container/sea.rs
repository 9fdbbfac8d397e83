//! Node's single executable applications: a script, and its assets, in a copy of Node.
//!
//! `postject` or `node --build-sea` hangs a blob on the executable: an ELF note `NODE_SEA_BLOB`, a PE resource of that
//! name, a Mach-O section `__NODE_SEA_BLOB`. The blob is magic, flags, the path of the main script on the machine that
//! built it, the script as plain text (or a heap snapshot), a code cache, assets by name. Every string has its length
//! in front, as wide as a pointer. Source: `src/node_sea.cc` of the Node repository.
//!
//! The header grew: at first there was no path; since Node 25 there are a byte that says how arguments extend and one for
//! the module format. The version is nowhere, so layouts are tried until one fits to the last byte. A blob that none fits
//! is given as a region, never dropped.

use std::ops::Range;

use super::exe::{self, Wanted};
use super::listed::{Listed, held, number_at};
use super::{Format, Input, Trouble, Walker};
use crate::blob::Limits;

const MAGIC: &[u8] = b"\x20\xda\x43\x01";
const USES_SNAPSHOT: u64 = 1 << 1;
const USES_CODE_CACHE: u64 = 1 << 2;
const HAS_ASSETS: u64 = 1 << 3;
const HAS_ARGUMENTS: u64 = 1 << 4;
/// Bits that Node has given a meaning; a blob with others is of a version that nobody here knows.
const KNOWN_FLAGS: u64 = 0x1f;

const WANTED: Wanted = Wanted {
    section: b"",
    note: b"NODE_SEA_BLOB",
    resource: "NODE_SEA_BLOB",
    macho_section: b"__NODE_SEA_BLOB",
};

/// The blob, in an executable or as a file of its own (`node --experimental-sea-config` leaves one).
pub struct Sea;

impl Format for Sea {
    fn name(&self) -> &'static str {
        "node-sea"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        place(head).is_some()
    }

    fn open(&self, input: Input, _: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let content = held(input)?;
        let place = place(&content).unwrap_or(0..content.len());
        let mut list = Listed::new("node-sea", content.clone());
        match LAYOUTS
            .iter()
            .find_map(|layout| read(&content[place.clone()], layout))
        {
            Some(blob) => blob.list(place.start, &mut list),
            None => list.trouble(Trouble::odd(
                "sea-layout-unknown",
                format!(
                    "the blob at offset {} fits no known version; it was read as a region",
                    place.start
                ),
            )),
        }
        Ok(list.finish())
    }
}

/// Where the blob stands.
fn place(content: &[u8]) -> Option<Range<usize>> {
    if content.starts_with(MAGIC) {
        let is_blob = number_at(content, 4, 4).is_some_and(|flags| flags <= KNOWN_FLAGS);
        return is_blob.then_some(0..content.len());
    }
    let found = exe::find(content, &WANTED)?;
    content[found.clone()].starts_with(MAGIC).then_some(found)
}

/// How a version of Node lays the blob.
struct Layout {
    /// Bytes of the header.
    header: usize,
    has_path: bool,
    /// Bytes of a length.
    width: usize,
}

const LAYOUTS: [Layout; 8] = [
    Layout {
        header: 8,
        has_path: true,
        width: 8,
    },
    Layout {
        header: 9,
        has_path: true,
        width: 8,
    },
    Layout {
        header: 10,
        has_path: true,
        width: 8,
    },
    Layout {
        header: 8,
        has_path: false,
        width: 8,
    },
    Layout {
        header: 8,
        has_path: true,
        width: 4,
    },
    Layout {
        header: 9,
        has_path: true,
        width: 4,
    },
    Layout {
        header: 10,
        has_path: true,
        width: 4,
    },
    Layout {
        header: 8,
        has_path: false,
        width: 4,
    },
];

/// What a blob holds, as ranges in it.
struct Blob {
    flags: u64,
    path: Option<Vec<u8>>,
    main: Range<usize>,
    rest: Vec<Range<usize>>,
    assets: Vec<(Vec<u8>, Range<usize>)>,
    /// Everything that is index.
    index: Vec<Range<usize>>,
}

/// Reads strings of a blob one after the other.
struct Cursor<'a> {
    blob: &'a [u8],
    at: usize,
    width: usize,
    index: Vec<Range<usize>>,
}

impl Cursor<'_> {
    fn number(&mut self) -> Option<u64> {
        let number = number_at(self.blob, self.at, self.width)?;
        self.index.push(self.at..self.at + self.width);
        self.at += self.width;
        Some(number)
    }

    fn string(&mut self) -> Option<Range<usize>> {
        let len = usize::try_from(self.number()?).ok()?;
        let end = self
            .at
            .checked_add(len)
            .filter(|end| *end <= self.blob.len())?;
        let range = self.at..end;
        self.at = end;
        Some(range)
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        let range = self.string()?;
        let name = self.blob[range.clone()].to_vec();
        self.index.push(range);
        Some(name)
    }
}

/// Reads a blob as of one layout; `None` unless it fits to its end.
fn read(blob: &[u8], layout: &Layout) -> Option<Blob> {
    let flags = number_at(blob, 4, 4)?;
    let mut cursor = Cursor {
        blob,
        at: layout.header,
        width: layout.width,
        index: Vec::new(),
    };
    cursor.index.push(0..layout.header);
    let path = match layout.has_path {
        true => Some(cursor.name()?),
        false => None,
    };
    let main = cursor.string()?;
    let mut rest = Vec::new();
    if flags & USES_CODE_CACHE != 0 {
        rest.push(cursor.string()?);
    }
    let mut assets = Vec::new();
    if flags & HAS_ASSETS != 0 {
        // The count allocates nothing: a lie ends with the bytes.
        for _ in 0..cursor.number()? {
            assets.push((cursor.name()?, cursor.string()?));
        }
    }
    if flags & HAS_ARGUMENTS != 0 {
        for _ in 0..cursor.number()? {
            rest.push(cursor.string()?);
        }
    }
    let fits = flags <= KNOWN_FLAGS && blob[cursor.at..].iter().all(|byte| *byte == 0);
    fits.then_some(Blob {
        flags,
        path,
        main,
        rest,
        assets,
        index: cursor.index,
    })
}

impl Blob {
    fn list(self, base: usize, list: &mut Listed) {
        let moved = |range: Range<usize>| range.start + base..range.end + base;
        for range in self.index {
            list.claim(&moved(range));
        }
        // A snapshot is no script, whatever its path says: it stays a region, as the code cache and arguments do.
        let is_snapshot = self.flags & USES_SNAPSHOT != 0;
        match self.path {
            Some(path) if !is_snapshot => list.member(path, moved(self.main)),
            _ => list.region(moved(self.main)),
        }
        for (name, range) in self.assets {
            list.member(name, moved(range));
        }
        for range in self.rest {
            list.region(moved(range));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, elf_with_note, walk};
    use super::*;

    fn string(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u64).to_le_bytes(), bytes].concat()
    }

    /// A blob as Node 20 and 22 write it.
    fn laid(flags: u32, strings: &[&[u8]]) -> Vec<u8> {
        let mut blob = [MAGIC, &flags.to_le_bytes()].concat();
        strings.iter().for_each(|bytes| blob.extend(string(bytes)));
        blob
    }

    fn with_assets() -> Vec<u8> {
        let mut blob = laid(0b1101, &[b"/home/me/main.js", b"run();", b"CACHE"]);
        blob.extend(2_u64.to_le_bytes());
        for part in ["a.txt", "one", "d/b", ""] {
            blob.extend(string(part.as_bytes()));
        }
        blob
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(Sea.recognise(bytes));
        walk(&Sea, bytes, &Limits::default()).expect("it opens")
    }

    #[test]
    fn script_assets_and_cache_come_out() {
        let found = seen(&with_assets());
        assert_eq!(
            found.named(),
            [
                ("/home/me/main.js", &b"run();"[..]),
                ("a.txt", b"one"),
                ("d/b", b""),
                ("@54", b"CACHE")
            ]
        );
        assert!(found.codes.is_empty());
    }

    #[test]
    fn it_is_found_in_an_executable_and_the_rest_is_given() {
        let exe = elf_with_note(WANTED.note, &laid(0, &[b"m.js", b"run();"]));
        let found = seen(&exe);
        assert_eq!(found.named()[0], ("m.js", &b"run();"[..]));
        assert_eq!(found.named()[1].0, "@0");
        let given: usize = found.members.iter().map(|(_, bytes)| bytes.len()).sum();
        // All but the index of the blob (header and two lengths, the path) and padding.
        assert!(
            exe.len() - given <= 8 + 16 + 4 + 4,
            "{given} of {}",
            exe.len()
        );
    }

    #[test]
    fn other_versions_are_told_by_what_fits() {
        let without_path = laid(0, &[b"run();"]);
        assert_eq!(seen(&without_path).named(), [("@16", &b"run();"[..])]);
        let mut newer = [MAGIC, &[0, 0, 0, 0, 1]].concat();
        newer.extend(string(b"m.js"));
        newer.extend(string(b"run();"));
        assert_eq!(seen(&newer).named(), [("m.js", &b"run();"[..])]);
    }

    #[test]
    fn a_blob_that_nothing_fits_is_a_region() {
        let mut lying = with_assets();
        lying[8] = 0xff;
        let found = seen(&lying);
        assert_eq!(found.named(), [("@0", lying.as_slice())]);
        assert_eq!(found.codes, ["sea-layout-unknown"]);
    }

    #[test]
    fn a_snapshot_is_no_script() {
        let found = seen(&laid(0b10, &[b"m.js", b"HEAP"]));
        assert_eq!(found.named(), [("@28", &b"HEAP"[..])]);
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_loses_nothing(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0..40_usize) {
            let mut blob = with_assets();
            let at = at.index(blob.len());
            blob[at] = byte;
            blob.truncate(blob.len() - cut);
            if let Ok(found) = walk(&Sea, &blob, &Limits::default()) {
                prop_assert!(!found.members.is_empty());
            }
        }

        #[test]
        fn any_bytes_do(bytes in proptest::collection::vec(any::<u8>(), 0..200), flags in 0..32_u32) {
            let blob = [MAGIC, &flags.to_le_bytes(), &bytes].concat();
            let _ = walk(&Sea, &blob, &Limits::default());
        }
    }
}
