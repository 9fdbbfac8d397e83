//! Files at the heads of git stores, by what they are to the works that are looked for.
//!
//! What a checkout of a store would lay out is counted as files are that lie there (see [`files`](super::files)): each path once,
//! and of an archive its members. How many files there are, the store tells when it closes; what is to be said of their
//! contents, those say that have something to tell, at each of their paths; the rest matches nothing. They are kept apart from
//! files that lie open: where these are, a store beside them shows nothing more.

use serde::{Deserialize, Serialize};

use super::files::{Count, FileTally};
use crate::container::HeadFiles;
use crate::container::git::head::{BYTES_MAX, FILES_MAX};

/// The files at the heads of the stores of a unit, or of a root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    /// The files.
    pub counts: Counts,
    /// Of a store among them nobody knows what its head holds.
    pub is_unknown: bool,
}

/// Files by what they are to the works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Files of which something matches.
    pub matched: Count,
    /// Files that match what is public and nothing beyond.
    pub public: Count,
    /// Files that match nothing.
    pub other: Count,
    /// Files that were not read in full.
    pub unread: Count,
}

impl Counts {
    fn each(&mut self) -> [&mut Count; 4] {
        [
            &mut self.matched,
            &mut self.public,
            &mut self.other,
            &mut self.unread,
        ]
    }

    /// Adds others, each so often.
    pub(super) fn add(&mut self, mut others: Counts, times: u64) {
        for (count, other) in self.each().into_iter().zip(others.each()) {
            count.add(Count {
                files: other.files.saturating_mul(times),
                bytes: other.bytes.saturating_mul(times),
            });
        }
    }

    /// Files that were read, in full or in part.
    pub fn read(&self) -> u64 {
        let sum = self.matched.files.saturating_add(self.public.files);
        sum.saturating_add(self.other.files)
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        self.read().saturating_add(self.unread.files)
    }
}

impl Heads {
    /// Takes what another unit has.
    pub(super) fn unite(&mut self, other: Self) {
        self.counts.add(other.counts, 1);
        self.is_unknown |= other.is_unknown;
    }

    /// The counts, where all of them are known.
    pub fn known(&self) -> Option<&Counts> {
        let mut counts = self.counts;
        let is_bounded = counts
            .each()
            .iter()
            .all(|count| count.files <= FILES_MAX && count.bytes <= BYTES_MAX);
        (is_bounded && !self.is_unknown).then_some(&self.counts)
    }
}

/// The files at the head of a store, while its contents are placed.
pub(super) struct AtHead {
    counts: Counts,
    /// Files and bytes of which nothing was said yet; `None` where that is not known.
    left: Option<Count>,
}

impl AtHead {
    /// What a store told of its head.
    pub(super) fn of(told: Option<HeadFiles>) -> Self {
        let mut counts = Counts::default();
        counts.unread.files = told.map_or(0, |head| head.absent);
        Self {
            counts,
            left: told.and_then(|head| {
                Some(Count {
                    files: head.files.checked_sub(head.absent)?,
                    bytes: head.bytes,
                })
            }),
        }
    }

    /// Takes the files that a content of `len` bytes is, or holds, out of the tally of one place; it stands at so many.
    pub(super) fn take(&mut self, places: u64, len: u64, tally: &mut FileTally) {
        self.counts.add(tally.take_counts(), places);
        self.left = self.left.and_then(|left| {
            Some(Count {
                files: left.files.checked_sub(places)?,
                bytes: left.bytes.checked_sub(len.checked_mul(places)?)?,
            })
        });
    }

    /// All of them: contents that have nothing to tell match nothing.
    pub(super) fn finish(mut self) -> Heads {
        self.counts.other.add(self.left.unwrap_or_default());
        Heads {
            counts: self.counts,
            is_unknown: self.left.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Held;
    use super::*;

    fn told(files: u64, bytes: u64, absent: u64) -> HeadFiles {
        HeadFiles {
            files,
            bytes,
            absent,
        }
    }

    #[test]
    fn contents_count_at_each_of_their_paths_and_the_rest_matches_nothing() {
        let mut head = AtHead::of(Some(told(10, 1_000, 1)));
        let mut matched = FileTally::default();
        matched.add(Held::Matched, 30);
        head.take(3, 30, &mut matched);
        // An archive of two files.
        let mut archive = FileTally::default();
        archive.add_plain(2, 500);
        archive.stores = true;
        head.take(2, 100, &mut archive);
        assert!(archive.stores && archive.read() == 0);
        let heads = head.finish();
        let counts = heads.known().unwrap();
        let count = |files, bytes| Count { files, bytes };
        assert_eq!(counts.matched, count(3, 90));
        assert_eq!(counts.other, count(4 + 4, 1_000 + 1_000 - 90 - 200));
        assert_eq!(counts.unread, count(1, 0));
        assert_eq!((counts.read(), counts.all()), (11, 12));
    }

    #[test]
    fn what_cannot_be_is_not_known() {
        assert!(AtHead::of(None).finish().known().is_none());
        let mut tally = FileTally::default();
        tally.add(Held::Other, 1);
        let mut fewer = AtHead::of(Some(told(1, 10, 0)));
        fewer.take(2, 1, &mut tally);
        assert!(fewer.finish().known().is_none());
        // An archive of very many files at very many paths.
        let mut bomb = AtHead::of(Some(told(FILES_MAX, 0, 0)));
        tally.add_plain(u64::MAX / 2, 0);
        bomb.take(FILES_MAX, 0, &mut tally);
        assert!(bomb.finish().known().is_none());
        // One store that is not known, and one that is.
        let mut both = AtHead::of(Some(told(1, 10, 0))).finish();
        assert_eq!(both.known().unwrap().all(), 1);
        both.unite(AtHead::of(None).finish());
        assert!(both.known().is_none());
    }
}
