//! The files of a unit by what they are to the works that are looked for: what a copy holds beside the work.
//!
//! Whether a repository is the work and nothing else, or the work among other things, is the first question of a notice.
//! Matches alone do not answer it: files that match nothing leave no record. So they are counted where a container closes,
//! together with what else is asked of a copy and stands at a place: licence files, and paths that works have too.
//!
//! A file is a regular file as it lies there, or a regular member of an archive, of nested ones too; an archive is none
//! itself, unless it matches as a whole. A map, a bundle or a program that holds others is one file, and matches when anything in it
//! does. Objects of git stores are none of these: what of them is a file at the head is what a checkout shows, and lies beside
//! the store mostly; it is counted apart (see [`heads`](super::heads)). Nothing is counted where no work is looked for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::facts::Child;
use super::heads::{Counts, Heads};
use crate::blob::Locator;
use crate::blob::locator::escape;
use crate::exposure;
use crate::record::Standing;

/// Licence files that are kept of a unit; those nearest to its root.
const LICENCES_MAX: usize = 64;

/// What a file is to the works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Something in it matches.
    Matched,
    /// It matches what is public and nothing beyond.
    Public,
    /// It was read and matches nothing.
    Other,
    /// It was not read in full, and nothing that was read of it matches.
    Unread,
}

/// Files and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How many.
    pub files: u64,
    /// Their bytes, as far as they were read.
    pub bytes: u64,
}

impl Count {
    pub(super) fn add(&mut self, other: Count) {
        self.files = self.files.saturating_add(other.files);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// A licence file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LicenceAt {
    /// How many folders and containers it lies in.
    pub depth: usize,
    /// Its locator; of a file at the head of a store its path there, escaped.
    pub at: String,
    /// It stands in a store.
    pub in_store: bool,
    /// SPDX identifier, where it is known.
    pub id: Option<String>,
}

/// The files of a unit, or of a root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTally {
    /// Files of which something matches.
    pub matched: Count,
    /// Files that match what is public and nothing beyond.
    pub public: Count,
    /// Files that match nothing.
    pub other: Count,
    /// Files that were not read in full.
    pub unread: Count,
    /// Containers that were not read to their end: what else was in them nobody knows.
    pub cut: u64,
    /// There is a git store.
    pub stores: bool,
    /// The files at the heads of stores; they count where no files lie open.
    pub heads: Heads,
    /// Licence files, the nearest to the root first.
    pub licences: BTreeSet<LicenceAt>,
    /// Ends of paths that works have too.
    pub paths: BTreeSet<u64>,
    /// Files of works, by set and number, whose content stands here and is public.
    pub public_of: BTreeSet<(u32, u32)>,
}

impl FileTally {
    /// Counts one file.
    pub fn add(&mut self, kind: Held, bytes: u64) {
        let count = match kind {
            Held::Matched => &mut self.matched,
            Held::Public => &mut self.public,
            Held::Other => &mut self.other,
            Held::Unread => &mut self.unread,
        };
        count.add(Count { files: 1, bytes });
    }

    /// Counts files that match nothing.
    pub fn add_plain(&mut self, files: u64, bytes: u64) {
        self.other.add(Count { files, bytes });
    }

    /// Notes a licence file.
    pub fn add_licence(&mut self, licence: LicenceAt) {
        self.licences.insert(licence);
        if self.licences.len() > LICENCES_MAX {
            self.licences.pop_last();
        }
    }

    /// Takes what another unit has.
    pub fn unite(&mut self, other: Self) {
        self.matched.add(other.matched);
        self.public.add(other.public);
        self.other.add(other.other);
        self.unread.add(other.unread);
        self.cut += other.cut;
        self.stores |= other.stores;
        self.heads.unite(other.heads);
        for licence in other.licences {
            self.add_licence(licence);
        }
        self.paths.extend(other.paths);
        self.public_of.extend(other.public_of);
    }

    /// The files that lie open.
    pub fn counts(&self) -> Counts {
        Counts {
            matched: self.matched,
            public: self.public,
            other: self.other,
            unread: self.unread,
        }
    }

    /// Takes all files out of it.
    pub(super) fn take_counts(&mut self) -> Counts {
        let counts = self.counts();
        for count in [
            &mut self.matched,
            &mut self.public,
            &mut self.other,
            &mut self.unread,
        ] {
            *count = Count::default();
        }
        self.heads = Heads::default();
        counts
    }

    /// Whether it says no more than that there is one file, which matches nothing.
    pub fn is_plain(&self) -> bool {
        let mut plain = Self::default();
        plain.add(Held::Other, self.other.bytes);
        *self == plain
    }

    /// Files that were read, in full or in part.
    pub fn read(&self) -> u64 {
        self.matched.files + self.public.files + self.other.files
    }
}

/// The licence file that an entry is. Of the objects of a store, those count that stand at the head.
pub(super) fn licence_of(
    child: &Child,
    at: &Locator,
    path: &[u8],
    is_shut: bool,
) -> Option<LicenceAt> {
    let is_named = exposure::is_licence_name(path);
    let text = child.facts.licence.as_ref();
    let is_prose = text.is_some() && exposure::may_be_prose(path);
    if !(is_named || is_prose) {
        return None;
    }
    let at_head = child
        .git
        .as_ref()
        .is_some_and(|git| git.standing == Some(Standing::DefaultBranchHead));
    if is_shut && child.facts.is_archive() || child.git.is_some() && !at_head {
        return None;
    }
    let id = text.and_then(|text| text.id.clone()).or_else(|| {
        let mut stated = child
            .facts
            .items
            .iter()
            .filter(|item| item.kind == "licence");
        stated.next().map(|item| item.value.clone())
    });
    let at = if at_head {
        escape(path)
    } else {
        at.as_str().to_owned()
    };
    Some(LicenceAt {
        depth: at.bytes().filter(|&byte| byte == b'/').count(),
        at,
        in_store: at_head,
        // Nothing that a licence is called is longer; what stands there is anybody's.
        id: id.map(|id| crate::blob::locator::shown(&id).chars().take(128).collect()),
    })
}
