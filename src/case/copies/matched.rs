//! The matches of each root with each work, file by file.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, params};

use super::super::roots::Root;
use super::super::store::{Case, CaseError};
use super::super::union::Lines;
use super::{BILLION, Works};
use crate::record::{Basis, Grade, Match, Record, Standing};
use crate::scan::place::rfc3339;

/// Where a matched file stands, the nearest to what a visitor sees first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stands {
    /// As a file that lies there, or in an archive that does.
    CheckedOut,
    /// As an object of a git store.
    InStore(Standing),
    /// As an object of a store, pack or bundle without names.
    Unnamed,
}

impl Stands {
    fn of(found: &Match) -> Self {
        match found.git.as_deref() {
            None => Stands::CheckedOut,
            Some(git) => git.standing.map_or(Stands::Unnamed, Stands::InStore),
        }
    }

    /// The word in `standing` of a copy.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Stands::CheckedOut => "checked-out",
            Stands::InStore(Standing::DefaultBranchHead) => "default-branch-head",
            Stands::InStore(Standing::OtherRef) => "other-ref",
            Stands::InStore(Standing::HistoryOnly) => "history-only",
            Stands::InStore(Standing::Unreachable) => "unreachable",
            Stands::Unnamed => "unknown",
        }
    }
}

/// From when to when, RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: String,
    pub(super) last: String,
}

impl Span {
    /// What the commits of a match say.
    fn of_commits(found: &Match) -> Option<Self> {
        let git = found.git.as_deref()?;
        let first = git.first.as_ref().and_then(|commit| commit.date.clone());
        let last = git.last.as_ref().and_then(|commit| commit.date.clone());
        let either = first.clone().or_else(|| last.clone())?;
        Some(Self {
            first: first.unwrap_or_else(|| either.clone()),
            last: last.unwrap_or(either),
        })
    }

    fn at(time: String) -> Self {
        Self {
            first: time.clone(),
            last: time,
        }
    }

    /// Widens a span; dates of one form sort as texts.
    pub(super) fn unite(held: &mut Option<Self>, other: Option<&Self>) {
        let Some(other) = other else { return };
        match held {
            None => *held = Some(other.clone()),
            Some(held) => {
                if other.first < held.first {
                    held.first.clone_from(&other.first);
                }
                if other.last > held.last {
                    held.last.clone_from(&other.last);
                }
            }
        }
    }
}

/// The best match of one file of a work.
#[derive(Debug, Clone)]
pub(super) struct Best {
    pub(super) grade: Grade,
    pub(super) basis: Basis,
    of_original: f64,
    of_target: f64,
    /// Lines of the original that this match covers.
    lines: u64,
    /// Share of the original that is there in all contents of the root together.
    pub(super) share: f64,
    /// The best standing of all matches that count as this one does.
    pub(super) stands: Stands,
    /// Dates of the commits that hold those.
    pub(super) commits: Option<Span>,
    /// When those were written that lie there as files.
    pub(super) written: Option<Span>,
    /// The same of those that lie in archives, as these say.
    pub(super) packed: Option<Span>,
}

impl Best {
    /// The better of two matches of one file; where it stands and since when is taken from both where both make a copy, or
    /// neither does.
    fn better(&mut self, other: Best) {
        if self.grade.makes_copy() == other.grade.makes_copy() {
            let stands = self.stands.min(other.stands);
            let (mut commits, mut written) = (self.commits.take(), self.written.take());
            let mut packed = self.packed.take();
            Span::unite(&mut commits, other.commits.as_ref());
            Span::unite(&mut written, other.written.as_ref());
            Span::unite(&mut packed, other.packed.as_ref());
            if self.is_worse_than(&other) {
                *self = other;
            }
            (self.stands, self.commits) = (stands, commits);
            (self.written, self.packed) = (written, packed);
        } else if self.is_worse_than(&other) {
            *self = other;
        }
    }

    fn is_worse_than(&self, other: &Best) -> bool {
        let rank = |best: &Best| (best.grade, best.basis);
        let by_target = other.of_target.total_cmp(&self.of_target);
        let by_original = other.of_original.total_cmp(&self.of_original);
        let by_all = by_original
            .then(by_target)
            .then(other.lines.cmp(&self.lines));
        let more = by_all.is_gt();
        rank(other) < rank(self) || (rank(other) == rank(self) && more)
    }
}

/// Matches of a root with a work: files of each release by name, and what each content of the root agrees with.
#[derive(Default)]
pub(super) struct OfWork {
    pub(super) releases: BTreeMap<String, BTreeMap<String, Best>>,
    pub(super) targets: BTreeMap<String, Vec<(String, Grade, String)>>,
    /// Of each file of each release the lines that stand in any content, where stretches agree, and the shares of the
    /// original of all contents added up, in billionths, so that their order does not show: no more than that is there.
    pieces: BTreeMap<(String, String), (Lines, u64)>,
}

impl OfWork {
    /// Counts further lines that other contents hold, in proportion to those of the best match.
    fn add_up(&mut self) {
        for ((release, file), (lines, at_most)) in std::mem::take(&mut self.pieces) {
            let files = self.releases.get_mut(&release);
            let best = files.and_then(|files| files.get_mut(&file));
            let is_cut = |best: &&mut Best| best.grade == Grade::Excerpt && best.lines > 0;
            if let Some(best) = best.filter(is_cut) {
                let share = best.of_original * lines.count() as f64 / best.lines as f64;
                let share = share.min(at_most as f64 / BILLION);
                best.share = share.max(best.of_original).min(1.0);
            }
        }
    }
}

impl Case {
    /// The matches of a root with each work. Roots are asked one after the other: there may be thousands, each with all files
    /// of a work.
    pub(super) fn matches_in(
        &self,
        at: &str,
        root: &Root,
        works: &Works,
    ) -> Result<BTreeMap<String, OfWork>, CaseError> {
        let mut matched: BTreeMap<String, OfWork> = BTreeMap::new();
        let begins = root.archive.as_ref().map(|_| at);
        for range in runs(&root.units) {
            let mut last: Option<(i64, Option<Span>)> = None;
            for (unit, record) in self.records_of_units("match", range, begins)? {
                let Record::Match(found) = record else {
                    continue;
                };
                if !root.holds(at, &found.locator) {
                    continue;
                }
                if last.as_ref().is_none_or(|(held, _)| *held != unit) {
                    last = Some((unit, self.written(unit)?.map(Span::at)));
                }
                let written = last.as_ref().and_then(|(_, written)| written.as_ref());
                take(*found, written, works, &mut matched);
            }
        }
        matched.values_mut().for_each(OfWork::add_up);
        Ok(matched)
    }

    /// When a file was written that lies there as such; of an archive that says nothing of what is in it.
    fn written(&self, unit: i64) -> Result<Option<String>, CaseError> {
        let sql = "SELECT unit.mtime FROM unit JOIN open_fact ON open_fact.unit = unit.id
                   WHERE unit.id = ?1 AND NOT open_fact.is_archive";
        let read = || -> rusqlite::Result<Option<i64>> {
            let mut query = self.db.prepare_cached(sql)?;
            query.query_row(params![unit], |row| row.get(0)).optional()
        };
        let time = read().map_err(|error| self.wrap(error))?;
        Ok(time.and_then(|nanoseconds| rfc3339(nanoseconds.div_euclid(1_000_000_000))))
    }
}

/// Numbers that follow one another, as ranges: the units of a folder do.
fn runs(units: &BTreeSet<i64>) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for &unit in units {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(unit) => *last = unit,
            _ => runs.push((unit, unit)),
        }
    }
    runs
}

/// Takes one match of a root in.
fn take(
    found: Match,
    written: Option<&Span>,
    works: &Works,
    matched: &mut BTreeMap<String, OfWork>,
) {
    let releases = works.get(found.work.as_str());
    let is_one_of_many = releases.is_some_and(|releases| releases.len() > 1);
    let stands = Stands::of(&found);
    let commits = Span::of_commits(&found);
    let Match {
        locator,
        work,
        release,
        file,
        grade,
        basis,
        of_original,
        of_target,
        ranges,
        written: packed,
        ..
    } = found;
    let of_work = matched.entry(work).or_default();
    if is_one_of_many {
        let of_target = of_work.targets.entry(locator).or_default();
        of_target.push((release.clone(), grade, file.clone()));
    }
    let ranges = ranges.iter().map(|range| range.original_lines);
    if grade == Grade::Excerpt {
        let name = (release.clone(), file.clone());
        let (lines, at_most) = of_work.pieces.entry(name).or_default();
        ranges.clone().for_each(|range| lines.add(range));
        *at_most = at_most.saturating_add((of_original * BILLION) as u64);
    }
    let best = Best {
        grade,
        basis,
        of_original,
        of_target,
        lines: Lines::of(ranges).count(),
        share: of_original,
        stands,
        commits,
        written: written.filter(|_| stands == Stands::CheckedOut).cloned(),
        packed: packed.map(Span::at),
    };
    match of_work.releases.entry(release).or_default().entry(file) {
        Entry::Occupied(mut held) => held.get_mut().better(best),
        Entry::Vacant(free) => drop(free.insert(best)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_one_another_are_one_range() {
        let of = |units: &[i64]| runs(&units.iter().copied().collect());
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[3, 4, 5, 9, 11, 12]), [(3, 5), (9, 9), (11, 12)]);
    }
}
