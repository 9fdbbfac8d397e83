//! How much of a release is in a root: each file of the work once, with its best match, where it stands, and since when.

use std::collections::{BTreeMap, HashMap};

use super::matched::{Best, Span};
use crate::record::{Basis, Grade};
use crate::signature::{Counted, Set};

/// A release that was signed, and its files that count by name: how many have that name, and their bytes.
pub(super) struct Signed<'s> {
    pub(super) set: &'s Set,
    pub(super) counted: Counted,
    pub(super) files: HashMap<String, (u64, u64)>,
}

impl<'s> Signed<'s> {
    pub(super) fn of(set: &'s Set) -> Self {
        let mut files = HashMap::new();
        for id in 0..set.files_total() {
            let info = set.file(id);
            let Some(info) = info.filter(|info| set.counts(info)) else {
                continue;
            };
            let name = set
                .name(id)
                .map_or_else(|| id.to_string(), crate::blob::locator::escape);
            let (count, bytes) = files.entry(name).or_insert((0, 0));
            *count += 1;
            *bytes += info.bytes;
        }
        Self {
            set,
            counted: set.counted(),
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
    /// Files that were counted by where they stand.
    pub(super) standing: BTreeMap<String, u64>,
    /// From when to when commits hold them.
    pub(super) commits: Option<Span>,
    /// From when to when files that lie there as such were written.
    pub(super) written: Option<Span>,
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
            held.weakest = held.weakest.max(best.basis);
            held.changed += if is_whole || best.is_reformatted() {
                0
            } else {
                count
            };
            let standing = best.stands.as_str().to_owned();
            *held.standing.entry(standing).or_insert(0) += count;
            Span::unite(&mut held.commits, best.commits.as_ref());
            Span::unite(&mut held.written, best.written.as_ref());
            held.exact += if best.grade == Grade::Exact { count } else { 0 };
        }
        held
    }

    pub(super) fn of_original(&self, counted: Counted) -> f64 {
        match counted.bytes {
            Some(bytes) => self.bytes / bytes.max(1) as f64,
            None => self.files as f64 / counted.files.max(1) as f64,
        }
    }
}
