//! The files at the head of a store: how many a checkout would lay out, and how often each content is among them.
//!
//! Of a store that nothing is checked out of, nobody sees files; what its head shows is what a visitor sees. So where a work is
//! looked for, the files there are counted. The graph of the history says which folders stand in the tree that `HEAD` leads to,
//! and how often: a folder that two others have counts twice, and what is in it too. The counts go down from each folder to those
//! in it, each edge once, so that folders that unfold to more files than there are atoms take no longer than others. Then
//! the history is read again, up to the last of these folders, and their lines are counted; there are few of them, and git
//! writes the newest first.
//!
//! **What counts** is what is a file where it lies checked out: lines with the mode of a regular file. Links and
//! submodules are none, as links and folders are none where files lie open.
//!
//! **Nothing is guessed.** Where a folder is missing or damaged, where `HEAD` leads to no commit that is there, and beyond
//! [`FILES_MAX`] files or [`BYTES_MAX`] bytes, there is no count. A file whose content the store did not give is counted as one
//! that is absent. What `.gitattributes` or a filter would make of files in a checkout is not looked at.

use std::collections::HashMap;

use super::graph::{Graph, NONE, Refs};
use super::object::{Kind, tree_entries};
use super::pack::Object;
use crate::container::{HeadFiles, LenOf};

/// More files than this are no count, but folders that hold one another: a million times what the largest repositories have.
pub(crate) const FILES_MAX: u64 = 1 << 40;
/// More bytes than this are none either; as large as a number can be in JSON that every reader keeps exact.
pub(crate) const BYTES_MAX: u64 = 1 << 53;

type Key = [u8; 20];

/// Counts the files of the folders that stand at the head.
#[derive(Debug)]
pub(super) struct Head<'a> {
    wanted: &'a HashMap<Key, usize>,
    /// How often each folder stands there, until it was seen.
    folders: HashMap<Key, u64>,
    files: HeadFiles,
    /// At how many paths each wanted object stands, by its number.
    places: Vec<u64>,
    is_over: bool,
}

impl<'a> Head<'a> {
    /// What is to be counted for a graph that was asked for `wanted`; `None` where `HEAD` leads to no commit that is there.
    pub(super) fn of(graph: &Graph, wanted: &'a HashMap<Key, usize>, refs: &Refs) -> Option<Self> {
        Some(Self {
            wanted,
            folders: graph.folders_at_head(refs)?,
            files: HeadFiles::default(),
            places: vec![0; wanted.len()],
            is_over: false,
        })
    }

    /// Takes an object of the history; `false` where no more are needed.
    pub(super) fn take(&mut self, object: &Object, lens: &LenOf) -> bool {
        if object.kind == Kind::Tree
            && let Some(times) = self.folders.remove(&object.id.key())
        {
            self.is_over |= self.count(object, times, lens).is_none();
        }
        !self.is_over && !self.folders.is_empty()
    }

    /// Counts the files of a folder that stands there so often; `None` where that cannot be told.
    fn count(&mut self, folder: &Object, times: u64, lens: &LenOf) -> Option<()> {
        let mut entries = tree_entries(&folder.bytes, folder.id.hash());
        for entry in entries.by_ref().filter(|entry| entry.is_file()) {
            let files = &mut self.files;
            files.files = within(FILES_MAX, files.files, times)?;
            match lens(entry.id.hex().as_bytes()) {
                Some(len) => {
                    files.bytes = within(BYTES_MAX, files.bytes, times.checked_mul(len)?)?;
                }
                None => files.absent += times,
            }
            if let Some(places) =
                (self.wanted.get(&entry.id.key())).and_then(|number| self.places.get_mut(*number))
            {
                *places += times;
            }
        }
        entries.is_over().then_some(())
    }

    /// The count, and the places of each wanted object by its number; `None` where not all folders were seen whole.
    pub(super) fn finish(self) -> Option<(HeadFiles, Vec<u64>)> {
        let is_whole = !self.is_over && self.folders.is_empty();
        is_whole.then_some((self.files, self.places))
    }
}

/// A sum, where it is no more than may be.
fn within(most: u64, sum: u64, more: u64) -> Option<u64> {
    sum.checked_add(more).filter(|sum| *sum <= most)
}

impl Graph<'_> {
    /// How often each folder stands in the tree of the commit that `HEAD` leads to, itself included: once.
    fn folders_at_head(&self, refs: &Refs) -> Option<HashMap<Key, u64>> {
        let head = self.peeled(refs.head?).key();
        let commit = self.commits.get(*self.commit_by_id.get(&head)? as usize)?;
        if !commit.is_there || commit.tree == NONE {
            return None;
        }
        // How many lines lead to each of them: one comes when all those that hold it have come.
        let mut above: HashMap<u32, u64> = HashMap::from([(commit.tree, 0)]);
        let mut open = vec![commit.tree];
        while let Some(tree) = open.pop() {
            for (_, child) in self.folders.get(tree as usize)? {
                let count = above.entry(*child).or_insert_with(|| {
                    open.push(*child);
                    0
                });
                *count += 1;
            }
        }
        let mut times: HashMap<u32, u64> = HashMap::from([(commit.tree, 1)]);
        let mut open = vec![commit.tree];
        while let Some(tree) = open.pop() {
            let here = times.get(&tree).copied()?;
            for (_, child) in self.folders.get(tree as usize)? {
                let sum = times.entry(*child).or_insert(0);
                *sum = sum.saturating_add(here);
                let left = above.get_mut(child)?;
                *left = left.checked_sub(1)?;
                if *left == 0 {
                    open.push(*child);
                }
            }
        }
        let ids = self.tree_by_id.iter();
        Some(
            ids.filter_map(|(id, tree)| Some((*id, *times.get(tree)?)))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::{Hash, Oid, id_of};
    use super::*;

    fn object(kind: Kind, bytes: Vec<u8>) -> Object {
        Object {
            kind,
            id: id_of(Hash::Sha1, kind, &bytes),
            bytes: bytes.into(),
            offset: 0,
            trouble: None,
        }
    }

    fn tree(entries: &[(&str, &str, Oid)]) -> Object {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend(format!("{mode} {name}\0").bytes());
            bytes.extend(id.as_bytes());
        }
        object(Kind::Tree, bytes)
    }

    /// A tree of two folders that are the same, with what stands in them, and the commit of it.
    fn sample(inner: Object, name: Oid) -> [Object; 3] {
        let top = tree(&[
            ("40000", "a", inner.id),
            ("40000", "b", inner.id),
            ("100755", "c", name),
            ("120000", "link", name),
            ("160000", "module", name),
        ]);
        let commit = format!("tree {}\n\n", top.id.hex());
        [inner, top, object(Kind::Commit, commit.into_bytes())]
    }

    fn told(objects: &[Object], again: &[Object]) -> Option<(HeadFiles, Vec<u64>)> {
        let blob = id_of(Hash::Sha1, Kind::Blob, b"x");
        let wanted = HashMap::from([(blob.key(), 0)]);
        let mut graph = Graph::new(&wanted);
        for object in objects {
            graph.add(object.kind, &object.id, &object.bytes);
        }
        let refs = Refs {
            head: objects.last().map(|commit| commit.id),
            ..Refs::default()
        };
        let len = |name: &[u8]| (name == blob.hex().as_bytes()).then_some(7);
        let mut head = Head::of(&graph, &wanted, &refs)?;
        for object in again {
            if !head.take(object, &len) {
                break;
            }
        }
        head.finish()
    }

    #[test]
    fn each_path_counts_once_and_links_and_submodules_not_at_all() {
        let blob = id_of(Hash::Sha1, Kind::Blob, b"x");
        let lost = id_of(Hash::Sha1, Kind::Blob, b"lost");
        let inner = tree(&[("100644", "l", lost), ("100644", "x", blob)]);
        let all = sample(inner, blob);
        let expected = HeadFiles {
            files: 5,
            bytes: 21,
            absent: 2,
        };
        assert_eq!(told(&all, &all), Some((expected, vec![3])));
        // An object that comes twice, as from two packs, is one.
        let [inner, top, _] = &all;
        let again = [inner, inner, top].map(tree_again);
        assert_eq!(told(&all, &again), Some((expected, vec![3])));
    }

    fn tree_again(tree: &Object) -> Object {
        object(Kind::Tree, tree.bytes.to_vec())
    }

    #[test]
    fn what_is_missing_or_damaged_is_not_guessed() {
        let blob = id_of(Hash::Sha1, Kind::Blob, b"x");
        let all = sample(tree(&[("100644", "x", blob)]), blob);
        let [inner, top, _] = &all;
        assert!(told(&all, &[tree_again(top)]).is_none());
        assert!(told(&all, &[tree_again(inner)]).is_none());
        let without_commit = [tree_again(inner), tree_again(top)];
        assert!(told(&without_commit, &all).is_none());
        let empty = object(Kind::Commit, b"author nobody\n\n".to_vec());
        assert!(told(&[empty], &all).is_none());
        let mut bytes = tree(&[("100644", "x", blob)]).bytes.to_vec();
        bytes.extend(b"100644 cut");
        let damaged = sample(object(Kind::Tree, bytes), blob);
        assert!(told(&damaged, &damaged).is_none());
    }

    #[test]
    fn more_than_can_be_is_no_count() {
        let blob = id_of(Hash::Sha1, Kind::Blob, b"x");
        let unfolded = |depth: usize| {
            let mut all = vec![tree(&[("100644", "x", blob)])];
            for _ in 0..depth {
                let id = all.last().map(|below| below.id).unwrap();
                let names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
                all.push(tree(&names.map(|name| ("40000", name, id))));
            }
            let top = all.last().map(|top| top.id.hex()).unwrap();
            all.push(object(Kind::Commit, format!("tree {top}\n\n").into_bytes()));
            told(&all, &all).map(|(files, _)| files.files)
        };
        assert_eq!(unfolded(0), Some(1));
        assert_eq!(unfolded(12), Some(1_000_000_000_000));
        assert_eq!(unfolded(13), None);
        assert_eq!(unfolded(40), None);
    }
}
