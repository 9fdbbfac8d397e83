//! Many sets asked at once: what a scan holds every content against.
//!
//! Each set answers for itself, as if it were the only one, so that adding a set never changes what another says and a
//! part of a scan agrees with the whole. Within a set the strongest grade speaks: where bytes are equal, files that are
//! equal in normal form only are not named. The normal form of a content is computed once for all sets, and not at
//! all when every set knows its bytes.

use std::fmt;

use super::norm_text;
use super::set::Set;

/// How a content and a file of a work agree, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// The same bytes.
    Exact,
    /// The same text in normal form.
    Normalized,
}

impl Grade {
    /// The word that records use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Exact => "exact",
            Grade::Normalized => "normalized",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A content agrees with a file of a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// Index of the set in the group.
    pub set: usize,
    /// Id of the file in that set.
    pub file: u32,
    /// How they agree.
    pub grade: Grade,
}

/// Sets that are asked together.
#[derive(Debug, Default)]
pub struct SetGroup {
    sets: Vec<Set>,
}

impl SetGroup {
    /// A group of these sets, in this order.
    #[must_use]
    pub fn new(sets: Vec<Set>) -> SetGroup {
        SetGroup { sets }
    }

    /// The sets, in the order that [`Hit::set`] counts.
    #[must_use]
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// Whether there is nothing to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Whether any set can be asked for git blob ids.
    #[must_use]
    pub fn wants_git(&self) -> bool {
        self.sets.iter().any(Set::has_git)
    }

    /// Holds one content against all sets. `text` are its bytes, whatever they are, and `sha256` their digest. Hits come
    /// in order of set, then of file; the empty list allocates nothing.
    #[must_use]
    pub fn lookup(&self, sha256: &[u8; 32], text: &[u8]) -> Vec<Hit> {
        let mut norm = None;
        self.collect(sha256, || {
            *norm.get_or_insert_with(|| norm_text::digest(text))
        })
    }

    /// As [`SetGroup::lookup`] for a content whose bytes are gone and whose digests were kept. Without `norm` only the
    /// exact tier is asked.
    #[must_use]
    pub fn lookup_digests(&self, sha256: &[u8; 32], norm: Option<&[u8; 32]>) -> Vec<Hit> {
        self.collect(sha256, || norm.copied())
    }

    /// Holds a git blob id against all sets: what a pack index or a tree tells without the bytes.
    #[must_use]
    pub fn lookup_git(&self, git_sha1: &[u8; 20]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (set, asked) in self.sets.iter().enumerate() {
            let grade = Grade::Exact;
            hits.extend(
                asked
                    .find_git(git_sha1)
                    .map(|file| Hit { set, file, grade }),
            );
        }
        hits
    }

    fn collect(&self, sha256: &[u8; 32], mut norm: impl FnMut() -> Option<[u8; 32]>) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (set, asked) in self.sets.iter().enumerate() {
            let mut ids = asked.find_exact(sha256);
            let mut grade = Grade::Exact;
            if ids.len() == 0 && asked.has_norm_text() {
                let Some(norm) = norm() else { continue };
                ids = asked.find_norm(&norm);
                grade = Grade::Normalized;
            }
            hits.extend(ids.map(|file| Hit { set, file, grade }));
        }
        hits
    }
}
