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
