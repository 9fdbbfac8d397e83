//! The names of all objects of a store, without an object being read: from indexes, and from what loose files are called.
//!
//! An object's name is the digest of its kind and bytes, so a list of names is nearly a list of contents: who knows the
//! name of a file can ask whether a store of a million objects has it by reading 20 bytes for each. That is what a
//! triage does. It rests on what the store says of itself: no object is read, so nothing proves that the bytes behind a
//! name have it. What can be held against something else cheaply is: an index must be in order, its table of sums must
//! fit its names, and it must name as many objects as the head of its pack states. Where that fails the names are
//! given all the same, and it is said.
//!
//! Every name is given once, in order, however many packs hold it. Only names of packs that are there count: an index
//! alone holds nothing. Packs that no index speaks of are handed back, for they were not looked at.

use bytes::Bytes;

use super::super::Trouble;
use super::index::{Index, MultiIndex};
use super::object::Hash;
use super::store::{Layout, Settings, StoreFiles, small};
use crate::blob::Limits;
use crate::blob::locator::escape;

/// Names one after the other, at equal distances, ascending.
#[derive(Debug, Clone)]
struct Names {
    bytes: Bytes,
    first: usize,
    stride: usize,
    count: usize,
}

impl Names {
    /// Names that stand in `bytes` side by side, put in order.
    fn sorted<const W: usize>(mut names: Vec<[u8; W]>) -> Self {
        names.sort_unstable();
        Self {
            first: 0,
            stride: W,
            count: names.len(),
            bytes: names.as_flattened().to_vec().into(),
        }
    }

    fn get<const W: usize>(&self, number: usize) -> Option<&[u8; W]> {
        if number >= self.count {
            return None;
        }
        self.bytes
            .get(self.first + number * self.stride..)?
            .first_chunk()
    }

    fn each<const W: usize>(&self) -> impl Iterator<Item = &[u8; W]> {
        (0..self.count).map_while(|number| self.get(number))
    }
}

/// Bytes that a loose object has at least: a stream of zlib that holds `blob 0` and a NUL.
const LOOSE_MIN: u64 = 13;

/// What the files of a store tell of its objects.
#[derive(Debug)]
pub struct StoreNames {
    /// Its settings.
    pub settings: Settings,
    /// Packs that no index names the objects of, by their number among the files.
    pub unnamed: Vec<usize>,
    /// Files that are no part of how objects are kept, by number.
    pub others: Vec<usize>,
    /// How many files of each kind hold objects, or say where they are.
    pub counted: Vec<(&'static str, usize)>,
    /// What is odd about it.
    pub troubles: Vec<Trouble>,
    lists: Vec<Names>,
}

impl StoreNames {
    /// Reads the indexes of a store.
    pub fn of(files: &dyn StoreFiles, limits: &Limits) -> Self {
        let layout = Layout::of(files, limits);
        let mut names = Self {
            settings: layout.settings,
            unnamed: Vec::new(),
            others: layout.others.clone(),
            counted: layout.counted().to_vec(),
            troubles: layout.lacks(files).collect(),
            lists: Vec::new(),
        };
        match layout.settings.hash {
            Hash::Sha1 => names.read::<20>(files, &layout, limits),
            Hash::Sha256 => names.read::<32>(files, &layout, limits),
        }
        names
    }

    fn read<const W: usize>(&mut self, files: &dyn StoreFiles, layout: &Layout, limits: &Limits) {
        let mut without = Vec::new();
        for &pack in &layout.packs {
            if !self.read_index::<W>(files, layout, pack, limits) {
                without.push(pack);
            }
        }
        self.read_multi::<W>(files, layout, without, limits);
        let (mut loose, mut short) = (Vec::new(), 0_u64);
        for (number, id) in &layout.loose {
            // What a crash leaves behind.
            if files.list()[*number].len < LOOSE_MIN {
                short += 1;
                continue;
            }
            match id.as_bytes().try_into() {
                Ok(name) => loose.push(name),
                // Called by a name of the other kind: it is no object of this store.
                Err(_) => self.others.push(*number),
            }
        }
        if !loose.is_empty() {
            self.lists.push(Names::sorted::<W>(loose));
        }
        if short > 0 {
            self.troubles.push(Trouble::damaged(
                "git-object-damaged",
                format!("{short} files that are called as objects are empty or too short to be one; get the repository again"),
                None,
            ));
        }
    }

    /// Takes the names in the index of a pack; `false` where it has none of use.
    fn read_index<const W: usize>(
        &mut self,
        files: &dyn StoreFiles,
        layout: &Layout,
        pack: usize,
        limits: &Limits,
    ) -> bool {
        let path = &files.list()[pack].path;
        let Some(stem) = path.strip_suffix(b"pack".as_slice()) else {
            return false;
        };
        let beside = [stem, b"idx"].concat();
        let Some(number) = layout.file(files, &beside) else {
            return false;
        };
        let parsed = small(files, number, limits).and_then(|bytes| {
            match Index::parse(bytes.clone(), layout.settings.hash) {
                Ok(index) => Ok((index, bytes)),
                Err(error) => Err(odd(&beside, &format!("is of no use: {error}"))),
            }
        });
        let (index, bytes) = match parsed {
            Ok(parsed) => parsed,
            Err(trouble) => {
                self.troubles.push(trouble);
                return false;
            }
        };
        let (first, stride) = index.table();
        let names = Names {
            bytes,
            first,
            stride,
            count: index.count() as usize,
        };
        let stated = stated_objects(files, pack);
        if stated != Some(index.count()) {
            let stated = stated.map_or("no number".to_owned(), |number| number.to_string());
            let what = format!(
                "names {} objects, and its pack states {stated}: it is of another pack, or lies",
                index.count()
            );
            self.troubles.push(odd(&beside, &what));
            self.unnamed.push(pack);
        }
        self.take::<W>(names, &beside, |first| index.sum(first));
        true
    }

    /// Takes the names that the index over several packs has of those in `without`.
    fn read_multi<const W: usize>(
        &mut self,
        files: &dyn StoreFiles,
        layout: &Layout,
        without: Vec<usize>,
        limits: &Limits,
    ) {
        if without.is_empty() {
            return;
        }
        let multi = layout.multi.and_then(|number| {
            let bytes = small(files, number, limits).ok()?;
            MultiIndex::parse(bytes).ok()
        });
        let Some(multi) = multi else {
            self.unnamed.extend(without);
            return;
        };
        // Which of the packs that it speaks of are wanted, by its numbers.
        let mut wanted = vec![false; multi.packs().len()];
        for pack in without {
            let path = &files.list()[pack].path;
            let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
            let index = [
                name.strip_suffix(b"pack".as_slice()).unwrap_or(name),
                b"idx",
            ]
            .concat();
            match multi.packs().iter().position(|name| *name == index) {
                Some(number) => wanted[number] = true,
                None => self.unnamed.push(pack),
            }
        }
        let names = (0..multi.count()).filter_map(|number| {
            let (pack, _) = multi.place(number)?;
            let is_wanted = wanted.get(pack as usize).copied().unwrap_or(false);
            let id = multi.id(number).filter(|_| is_wanted)?;
            id.as_bytes().try_into().ok()
        });
        let names: Vec<[u8; W]> = names.collect();
        if !names.is_empty() {
            self.lists.push(Names::sorted(names));
        }
    }

    /// Takes a list, in order.
    fn take<const W: usize>(&mut self, names: Names, path: &[u8], sum: impl Fn(u8) -> Option<u32>) {
        if !names.each::<W>().is_sorted() {
            self.troubles
                .push(odd(path, "has its names out of order; all were looked at"));
            let copied = names.each::<W>().copied().collect();
            self.lists.push(Names::sorted::<W>(copied));
            return;
        }
        let begins_up_to = |number: u32, first: u8| {
            let name = names.get::<W>(number as usize);
            name.is_some_and(|name| name[0] <= first)
        };
        let fits = (0..=u8::MAX).all(|first| {
            sum(first).is_some_and(|sum| {
                sum as usize <= names.count
                    && (sum == 0 || begins_up_to(sum - 1, first))
                    && !begins_up_to(sum, first)
            })
        });
        if !fits {
            let what = "has a table of sums that does not fit its names; all were looked at";
            self.troubles.push(odd(path, what));
        }
        self.lists.push(names);
    }

    /// Shows every name once, in order, and says how many there are. `W` is the width of the store's names in bytes.
    pub fn each<const W: usize>(&self, mut look: impl FnMut(&[u8; W])) -> u64 {
        if let [names] = &self.lists[..] {
            return once(names.each::<W>(), &mut look);
        }
        // Lists are merged by the first byte, so that no more than a part of all names is held.
        let mut reached = vec![0; self.lists.len()];
        let (mut part, mut count) = (Vec::new(), 0);
        for first in 0..=u8::MAX {
            part.clear();
            for (names, at) in self.lists.iter().zip(&mut reached) {
                while let Some(name) = names.get::<W>(*at).filter(|name| name[0] == first) {
                    part.push(*name);
                    *at += 1;
                }
            }
            part.sort_unstable();
            count += once(part.iter(), &mut look);
        }
        count
    }
}

/// Shows each of these names, which are in order, once.
fn once<'n, const W: usize>(
    names: impl Iterator<Item = &'n [u8; W]>,
    look: &mut impl FnMut(&[u8; W]),
) -> u64 {
    let (mut before, mut count) = (None, 0);
    for name in names {
        if before != Some(name) {
            look(name);
            count += 1;
        }
        before = Some(name);
    }
    count
}

/// How many objects the head of a pack states (gitformat-pack(5)).
fn stated_objects(files: &dyn StoreFiles, pack: usize) -> Option<u32> {
    /// Signature, version, number of objects.
    const HEAD: usize = 12;
    let head = files.open_head(pack, HEAD).ok()?;
    let stated = head.strip_prefix(b"PACK")?.get(4..)?;
    Some(u32::from_be_bytes(*stated.first_chunk()?))
}

fn odd(path: &[u8], what: &str) -> Trouble {
    Trouble::odd("git-index-damaged", format!("{} {what}", escape(path)))
}

#[cfg(test)]
mod tests {
    use super::super::super::Input;
    use super::super::store::StoreFile;
    use super::*;

    #[derive(Debug)]
    struct Made(Vec<StoreFile>, Vec<Bytes>);

    impl Made {
        fn of(mut files: Vec<(&str, Vec<u8>)>) -> Self {
            files.sort();
            let list = files.iter().map(|(path, bytes)| StoreFile {
                path: path.as_bytes().to_vec(),
                len: bytes.len() as u64,
            });
            let list = list.collect();
            Self(
                list,
                files.into_iter().map(|(_, bytes)| bytes.into()).collect(),
            )
        }
    }

    impl StoreFiles for Made {
        fn list(&self) -> &[StoreFile] {
            &self.0
        }

        fn open(&self, number: usize) -> Result<Input, Trouble> {
            Ok(Input::Memory(self.1[number].clone()))
        }
    }

    /// An index of version 2 of objects whose names are one byte, twenty times.
    fn index(names: &[u8]) -> Vec<u8> {
        let mut bytes = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=u8::MAX {
            let sum = names.iter().filter(|name| **name <= first).count();
            bytes.extend((sum as u32).to_be_bytes());
        }
        bytes.extend(names.iter().flat_map(|name| [*name; 20]));
        bytes.extend(vec![0; names.len() * 8 + 40]);
        bytes
    }

    fn pack(objects: u32) -> Vec<u8> {
        [&b"PACK\0\0\0\x02"[..], &objects.to_be_bytes()].concat()
    }

    fn told(files: Vec<(&str, Vec<u8>)>) -> (Vec<u8>, StoreNames) {
        let names = StoreNames::of(&Made::of(files), &Limits::default());
        let mut seen = Vec::new();
        let count = names.each::<20>(|name| seen.push(name[0]));
        assert_eq!(count, seen.len() as u64);
        (seen, names)
    }

    #[test]
    fn each_name_is_given_once_and_in_order() {
        let loose = format!("objects/05/{}", "05".repeat(19));
        let (seen, names) = told(vec![
            ("objects/pack/a.pack", pack(3)),
            ("objects/pack/a.idx", index(&[1, 5, 200])),
            ("objects/pack/b.pack", pack(2)),
            ("objects/pack/b.idx", index(&[1, 9])),
            ("objects/pack/gone.idx", index(&[77])),
            (&loose, vec![0; LOOSE_MIN as usize]),
            ("HEAD", Vec::new()),
        ]);
        assert_eq!(seen, [1, 5, 9, 200]);
        assert!(names.troubles.is_empty(), "{:?}", names.troubles);
        assert!(names.unnamed.is_empty());
        assert_eq!(names.others.len(), 1);
    }

    #[test]
    fn an_object_that_is_empty_is_none() {
        let loose = format!("objects/05/{}", "05".repeat(19));
        let (seen, names) = told(vec![(&loose, Vec::new()), ("HEAD", Vec::new())]);
        assert!(seen.is_empty());
        assert_eq!(names.troubles[0].code, "git-object-damaged");
    }

    #[test]
    fn an_index_that_lies_is_said_and_loses_nothing_that_it_names() {
        let mut crooked = index(&[1, 5, 200]);
        crooked[8 + 40] = 7;
        let cases = [
            (index(&[5, 1, 200]), "out of order"),
            (index(&[1, 5]), "its pack states 3"),
            (crooked, "table of sums"),
        ];
        for (bytes, says) in cases {
            let (seen, names) = told(vec![
                ("objects/pack/a.pack", pack(3)),
                ("objects/pack/a.idx", bytes),
            ]);
            assert!(seen.contains(&1) && seen.contains(&5), "{says}");
            assert!(names.troubles[0].detail.contains(says), "{names:?}");
        }
        let mut more = index(&[1, 5, 200]);
        more[8 + 1_020..8 + 1_024].copy_from_slice(&u32::MAX.to_be_bytes());
        let (seen, names) = told(vec![
            ("objects/pack/a.pack", pack(3)),
            ("objects/pack/a.idx", more),
        ]);
        assert!(seen.is_empty() && names.unnamed.len() == 1);
    }
}
