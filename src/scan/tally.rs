//! The account of one unit: what was met in it, and what became of each entry.
//!
//! Whether an entry that was read counts as scanned or as duplicate depends on what other units hold, so that is
//! not decided here: the keys are handed on, and the ledger counts distinct ones when all units are done.

use std::collections::BTreeMap;

use super::facts::{Child, Outcome, Tree};
use crate::blob::ContentKey;

/// What was met in one unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Regular members, the unit's own file included.
    pub entries: u64,
    /// Not read, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Read in part, by reason.
    pub damaged: BTreeMap<String, u64>,
    /// Folders, links and headers, by kind.
    pub other: BTreeMap<String, u64>,
    /// Bytes of all entries.
    pub bytes: u64,
    /// A key for each entry that was read; those of opened containers are marked.
    pub keys: Vec<ContentKey>,
    /// Containers that were opened and have no key of their own here, since they were read in part.
    pub damaged_containers: u64,
}

impl Tally {
    /// The account of a unit whose file has these facts.
    pub fn of(root: &Child) -> Self {
        let mut tally = Self::default();
        tally.add(root);
        tally
    }

    /// Adds an entry and everything in it.
    pub fn add(&mut self, child: &Child) {
        self.entries += 1;
        self.bytes += child.len;
        let opened = child.facts.tree.is_some();
        match child.outcome() {
            Outcome::Read => {
                let key = child.key.unwrap_or(ContentKey([0; ContentKey::LEN]));
                self.keys
                    .push(if opened { key.as_container() } else { key });
            }
            Outcome::Skipped(reason) => {
                count(&mut self.skipped, reason);
                self.damaged_containers += u64::from(opened);
            }
            Outcome::Damaged(reason) => {
                count(&mut self.damaged, reason);
                self.damaged_containers += u64::from(opened);
            }
        }
        if let Some(tree) = &child.facts.tree {
            self.add_tree(tree);
        }
    }

    fn add_tree(&mut self, tree: &Tree) {
        self.entries += tree.plain.len() as u64;
        self.bytes += tree.plain_bytes;
        self.keys.extend_from_slice(&tree.plain);
        for (kind, number) in &tree.other {
            *self.other.entry(kind.clone()).or_insert(0) += number;
        }
        for child in &tree.children {
            self.add(child);
        }
    }

    /// Whether every entry has one outcome.
    pub fn adds_up(&self) -> bool {
        let kept_out: u64 = self.skipped.values().chain(self.damaged.values()).sum();
        self.entries == self.keys.len() as u64 + kept_out
    }
}

fn count(counts: &mut BTreeMap<String, u64>, reason: &str) {
    match counts.get_mut(reason) {
        Some(number) => *number += 1,
        None => {
            counts.insert(reason.to_owned(), 1);
        }
    }
}
