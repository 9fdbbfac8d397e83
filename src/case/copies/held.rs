//! How much of a release is in a root: each file of the work once, with its best match, where it stands, and since when.

use std::collections::{BTreeMap, HashMap};

use super::WHOLE_MIN_SHARE;
use super::matched::{Best, Span};
use crate::record::{Basis, Grade};
use crate::signature::{Counted, Set};

/// Of files of a work, one in so many may be missing, and of its bytes one in so many.
const MISSING_FILES_PARTS: u64 = 32;
const MISSING_BYTES_PARTS: u64 = 100;
/// Below this share of a work equal stretches may be what a tool or a translator left as it was: names of exports, tables,
/// messages.
const THIN_MAX_SHARE: f64 = 0.25;
/// Of files that are there in traces, one in so many may be whole: of a list of exports a minifier leaves all.
const THIN_WHOLE_PARTS: u64 = 8;
/// Beside each file that is there under other names so many may be there in stretches.
const MADE_OVER_PARTS: u64 = 3;

/// A release that was signed, and its files that count by name: how many have that name, and their bytes.
pub(super) struct Signed<'s> {
    pub(super) set: &'s Set,
    pub(super) counted: Counted,
    pub(super) files: HashMap<String, (u64, u64)>,
}

impl<'s> Signed<'s> {
    /// What is `public` of the release does not count.
    pub(super) fn of(set: &'s Set, is_public: impl Fn(u32) -> bool) -> Self {
        let mut files = HashMap::new();
        let mut counted = set.counted();
        for id in 0..set.files_total() {
            let info = set.file(id);
            let Some(info) = info.filter(|info| set.counts(info)) else {
                continue;
            };
            if is_public(id) {
                counted.files = counted.files.saturating_sub(1);
                counted.bytes = counted.bytes.map(|all| all.saturating_sub(info.bytes));
                continue;
            }
            let name = set
                .name(id)
                .map_or_else(|| id.to_string(), crate::blob::locator::escape);
            let (count, bytes) = files.entry(name).or_insert((0, 0));
            *count += 1;
            *bytes += info.bytes;
        }
        Self {
            set,
            counted,
            files,
        }
    }
}

/// What of a release is in a root.
#[derive(Default)]
pub(super) struct Held {
    pub(super) grades: BTreeMap<String, u64>,
    pub(super) files: u64,
    pub(super) bytes: f64,
    pub(super) weakest: Basis,
    /// Files that were counted and are there in part, or with other text in them.
    pub(super) changed: u64,
    pub(super) exact: u64,
    /// Files that are there as a whole, whatever stands round them.
    pub(super) entire: u64,
    /// Bytes that the files that were counted have in the work.
    pub(super) bytes_of_files: u64,
    /// Files that were counted by where they stand.
    pub(super) standing: BTreeMap<String, u64>,
    /// From when to when commits hold them.
    pub(super) commits: Option<Span>,
    /// From when to when files that lie there as such were written.
    pub(super) written: Option<Span>,
    /// From when to when files that lie in archives were written, as these say.
    pub(super) packed: Option<Span>,
}

impl Held {
    pub(super) fn of(signed: &Signed, files: &BTreeMap<String, Best>, is_copy: bool) -> Held {
        let mut held = Held::default();
        for (name, best) in files {
            let Some(&(count, bytes)) = signed.files.get(name) else {
                continue;
            };
            *held
                .grades
                .entry(best.grade.as_str().to_owned())
                .or_insert(0) += count;
            // Beside files that are there, one that may be there is no part of the copy.
            if is_copy && !best.grade.makes_copy() {
                continue;
            }
            let is_whole = matches!(best.grade, Grade::Exact | Grade::Normalized | Grade::Hinted);
            let share = if is_whole { 1.0 } else { best.share };
            held.files += count;
            held.bytes += bytes as f64 * share;
            held.bytes_of_files += bytes;
            held.entire += if share >= WHOLE_MIN_SHARE { count } else { 0 };
            held.weakest = held.weakest.max(best.basis);
            held.changed += if is_whole { 0 } else { count };
            let standing = best.stands.as_str().to_owned();
            *held.standing.entry(standing).or_insert(0) += count;
            Span::unite(&mut held.commits, best.commits.as_ref());
            Span::unite(&mut held.written, best.written.as_ref());
            Span::unite(&mut held.packed, best.packed.as_ref());
            held.exact += if best.grade == Grade::Exact { count } else { 0 };
        }
        held
    }

    /// Whether no file of a release is missing but what is next to nothing of it: a manifest of ten lines with another
    /// version in it is nothing that anybody could tell.
    pub(super) fn is_all(&self, counted: Counted) -> bool {
        let missing = counted.files.saturating_sub(self.files);
        let bytes = |all: u64| {
            let missing = all.saturating_sub(self.bytes_of_files);
            missing.saturating_mul(MISSING_BYTES_PARTS) <= all
        };
        missing == 0
            || (missing.saturating_mul(MISSING_FILES_PARTS) <= counted.files
                && counted.bytes.is_some_and(bytes))
    }

    /// Whether the work is there in traces only: next to no file as a whole, and of all of it little.
    pub(super) fn is_thin(&self, counted: Counted) -> bool {
        self.entire.saturating_mul(THIN_WHOLE_PARTS) <= self.files
            && self.of_original(counted) < THIN_MAX_SHARE
    }

    /// Whether half of the work's files are recognised, a good part of them under other names or edited beyond equal
    /// stretches only: an excerpt of one file makes no derived work.
    pub(super) fn is_made_over(&self, counted: Counted) -> bool {
        let derived = *self.grades.get(Grade::Derived.as_str()).unwrap_or(&0);
        derived > 0
            && derived.saturating_mul(MADE_OVER_PARTS) >= self.files
            && (self.files + derived).saturating_mul(2) >= counted.files
    }

    pub(super) fn of_original(&self, counted: Counted) -> f64 {
        match counted.bytes {
            Some(bytes) => self.bytes / bytes.max(1) as f64,
            None => self.files as f64 / counted.files.max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(files: u64, bytes: u64) -> Counted {
        Counted {
            files,
            bytes: Some(bytes),
        }
    }

    #[test]
    fn a_work_is_all_there_where_next_to_nothing_is_missing() {
        let held = |files, bytes_of_files| Held {
            files,
            bytes_of_files,
            ..Held::default()
        };
        let all = work(64, 100_000);
        assert!(held(64, 100_000).is_all(all));
        // One in 32 files, and one in a hundred bytes.
        assert!(held(62, 99_000).is_all(all));
        assert!(!held(61, 99_990).is_all(all));
        assert!(!held(63, 98_999).is_all(all));
        // Of a small work nothing may be missing.
        assert!(!held(30, 99_999).is_all(work(31, 100_000)));
        // Where lengths are not known, nobody can tell that what is missing is little.
        let listed = Counted {
            files: 64,
            bytes: None,
        };
        assert!(held(64, 0).is_all(listed));
        assert!(!held(63, 0).is_all(listed));
    }

    #[test]
    fn traces_are_little_of_all_and_next_to_no_file() {
        let held = |files, entire, bytes| Held {
            files,
            entire,
            bytes,
            ..Held::default()
        };
        let all = work(40, 1_000);
        assert!(held(40, 5, 249.0).is_thin(all));
        assert!(!held(40, 6, 249.0).is_thin(all));
        assert!(!held(40, 5, 250.0).is_thin(all));
        assert!(held(3, 0, 10.0).is_thin(all));
        assert!(!held(3, 1, 10.0).is_thin(all));
        // Without lengths the share is one of files.
        let listed = Counted {
            files: 40,
            bytes: None,
        };
        assert!(held(9, 0, 0.0).is_thin(listed));
        assert!(!held(10, 0, 0.0).is_thin(listed));
    }

    #[test]
    fn a_work_is_made_over_where_half_of_it_is_known_under_other_names() {
        let held = |files, derived| Held {
            files,
            grades: BTreeMap::from([(Grade::Derived.as_str().to_owned(), derived)]),
            ..Held::default()
        };
        let all = work(40, 1_000);
        assert!(held(15, 5).is_made_over(all));
        assert!(
            !held(16, 5).is_made_over(all),
            "stretches speak for cutting"
        );
        assert!(!held(12, 7).is_made_over(all), "less than half is known");
        assert!(!held(40, 0).is_made_over(all), "nothing has other names");
        assert!(held(0, 20).is_made_over(all));
    }
}
