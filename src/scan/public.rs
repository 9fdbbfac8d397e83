//! What is public already is no leak: which matches of a content are told where public sets and baselines know it too.
//!
//! An owner publishes part of a work, or an earlier release of it, and signs that with `--public`. A copy of it then
//! matches the private set as well, since both hold the same code, and to report it would accuse whoever does what they
//! may. So a match with a private set is told only if no public set and no baseline agrees with the content as well or
//! better. Where whole contents are equal, that is all there is to it. Where stretches agree, those that a public set
//! explains are taken away; the match stands if a stretch of 320 bytes or more is left, with what is left of its
//! ranges and its shares cut in proportion. A match that has no ranges is told if its score is above that of each public
//! one.
//!
//! What this leaves out: the likelihood of what is left. Score and `log10_p` stay those of the pair.

use std::borrow::Cow;
use std::ops::Range;

use super::facts::MatchFact;
use crate::record::Grade;
use crate::signature::{Found, Set, SetGroup, Stretch};

/// A stretch that a public set does not explain says something from this length on. It is longer than the gap over which
/// fingerprints are joined to one stretch, so that a seam between two is not taken for one.
const OWN_MIN_BYTES: u64 = 320;

/// What is to be said of the matches of one content.
#[derive(Debug, Default, PartialEq)]
pub struct Told<'f> {
    /// Matches with private sets that are told.
    pub matches: Vec<Cow<'f, MatchFact>>,
    /// It matches a public set, and nothing private beyond that.
    pub is_own_public: bool,
    /// Files of private sets, by set and number, that are this content as a whole while a public set has it as a whole too:
    /// these are public, wherever they stand.
    pub public_files: Vec<(u32, u32)>,
}

/// Tells of the matches of one content those that are with private sets and go beyond what is public.
#[must_use]
pub fn told<'f>(sets: &SetGroup, matches: &'f [MatchFact]) -> Told<'f> {
    let set_of = |fact: &MatchFact| sets.sets().get(fact.set as usize);
    let is_open = |set: &Set| set.is_public() || set.is_baseline();
    let (open, private): (Vec<&MatchFact>, Vec<&MatchFact>) = matches
        .iter()
        .filter(|fact| set_of(fact).is_some())
        .partition(|fact| set_of(fact).is_some_and(is_open));
    let is_public = |fact: &&MatchFact| set_of(fact).is_some_and(Set::is_public);
    let is_whole = |fact: &&MatchFact| fact.grade <= Grade::Normalized;
    let is_of_public = open.iter().any(|fact| is_public(fact) && is_whole(fact));
    let whole = private.iter().copied().filter(is_whole);
    let public_files = whole
        .filter(|_| is_of_public)
        .map(|fact| (fact.set, fact.file))
        .collect();
    let told: Vec<_> = private
        .into_iter()
        .filter_map(|fact| beyond(fact, &open))
        .collect();
    Told {
        is_own_public: told.is_empty() && open.iter().any(is_public),
        matches: told,
        public_files,
    }
}

/// What a match says beyond those with public code; `None` where that is nothing.
fn beyond<'f>(fact: &'f MatchFact, open: &[&MatchFact]) -> Option<Cow<'f, MatchFact>> {
    let mut as_good = open
        .iter()
        .filter(|other| other.grade <= fact.grade)
        .peekable();
    if as_good.peek().is_none() {
        return Some(Cow::Borrowed(fact));
    }
    let found = fact.found.as_deref()?;
    let as_good: Vec<&Found> = as_good
        .map(|other| other.found.as_deref())
        .collect::<Option<_>>()?;
    if found.stretches.is_empty() {
        let is_above = as_good.iter().all(|other| found.score > other.score);
        return is_above.then_some(Cow::Borrowed(fact));
    }
    let covered = joined(as_good.iter().flat_map(|other| &other.stretches));
    let (mut kept, mut all, mut own) = (Vec::new(), 0, 0);
    for stretch in &found.stretches {
        let [start, end] = stretch.target_bytes;
        let (left, longest) = left_of(start..end, &covered);
        all += end.saturating_sub(start);
        if longest >= OWN_MIN_BYTES {
            own += left;
            kept.push(*stretch);
        }
    }
    if kept.is_empty() {
        return None;
    }
    if own == all {
        return Some(Cow::Borrowed(fact));
    }
    let share = own as f32 / all.max(1) as f32;
    Some(Cow::Owned(MatchFact {
        found: Some(Box::new(Found {
            of_original: found.of_original * share,
            of_target: found.of_target * share,
            stretches: kept,
            ..*found
        })),
        ..*fact
    }))
}

/// The bytes that stretches cover, in order, none beside or within another.
fn joined<'s>(stretches: impl Iterator<Item = &'s Stretch>) -> Vec<Range<u64>> {
    let mut all: Vec<[u64; 2]> = stretches.map(|stretch| stretch.target_bytes).collect();
    all.sort_unstable();
    let mut joined: Vec<Range<u64>> = Vec::new();
    for [start, end] in all {
        match joined.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => joined.push(start..end),
        }
    }
    joined
}

/// How many bytes of a range are not covered, and how many of them in one piece at most.
fn left_of(range: Range<u64>, covered: &[Range<u64>]) -> (u64, u64) {
    let (mut left, mut longest, mut at) = (0, 0, range.start);
    let first = covered.partition_point(|cover| cover.end <= range.start);
    let within = covered.iter().skip(first);
    let end = range.end..range.end;
    let within = within.take_while(|cover| cover.start < range.end);
    for cover in within.chain(std::iter::once(&end)) {
        let piece = cover.start.saturating_sub(at);
        left += piece;
        longest = longest.max(piece);
        at = at.max(cover.end);
    }
    (left, longest)
}

/// Whether a content as a whole is public: byte for byte, or but for its form.
#[must_use]
pub fn is_public(sets: &SetGroup, matches: &[MatchFact]) -> bool {
    public_set(sets, matches).is_some()
}

/// The first set that says so.
#[must_use]
pub fn public_set<'s>(sets: &'s SetGroup, matches: &[MatchFact]) -> Option<&'s Set> {
    let whole = matches
        .iter()
        .filter(|fact| fact.grade <= Grade::Normalized);
    whole
        .filter_map(|fact| sets.sets().get(fact.set as usize))
        .find(|set| set.is_public() || set.is_baseline())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::{FileEntry, Options, PartyFlag, SetBuilder};

    /// Sets 0 (private), 1 (public) and 2 (baseline).
    fn sets() -> SetGroup {
        let set = |public, baseline| {
            let options = Options {
                public,
                baseline,
                ..Options::default()
            };
            let mut builder = SetBuilder::new("acme", "1", options);
            builder.add(FileEntry::of("a.ts", PartyFlag::First, b"let a = 1;\n"));
            Set::from_bytes(builder.finish().unwrap().set_bytes, None).unwrap()
        };
        SetGroup::new(vec![set(false, false), set(true, false), set(false, true)])
    }

    fn whole(set: u32, grade: Grade) -> MatchFact {
        MatchFact {
            set,
            file: 0,
            grade,
            found: None,
        }
    }

    fn stretches(set: u32, grade: Grade, score: f32, bytes: &[[u64; 2]]) -> MatchFact {
        let stretch = |&target_bytes| Stretch {
            original_lines: [1, 2],
            target_lines: [1, 2],
            target_bytes,
        };
        MatchFact {
            found: Some(Box::new(Found {
                score,
                log10_p: -9.0,
                of_original: 0.8,
                of_target: 0.4,
                stretches: bytes.iter().map(stretch).collect(),
            })),
            ..whole(set, grade)
        }
    }

    #[test]
    fn a_file_of_a_work_is_public_where_a_public_set_has_all_of_it() {
        let files = |matches: &[MatchFact]| told(&sets(), matches).public_files;
        let own = whole(0, Grade::Exact);
        assert_eq!(files(&[own.clone(), whole(1, Grade::Exact)]), [(0, 0)]);
        assert_eq!(files(&[own.clone(), whole(1, Grade::Normalized)]), [(0, 0)]);
        // Everybody's code is not published by its owner, and a part is not the whole.
        assert_eq!(files(&[own.clone(), whole(2, Grade::Exact)]), []);
        let part = stretches(1, Grade::Excerpt, 0.9, &[[0, 10]]);
        assert_eq!(files(&[own, part.clone()]), []);
        assert_eq!(files(&[part, whole(1, Grade::Exact)]), []);
    }

    #[test]
    fn equal_content_is_told_unless_it_is_public_to_the_same_degree() {
        let sets = sets();
        let count = |facts: &[MatchFact]| {
            let told = told(&sets, facts);
            (told.matches.len(), told.is_own_public)
        };
        let private = || whole(0, Grade::Normalized);
        assert_eq!(count(&[private()]), (1, false));
        assert_eq!(count(&[private(), whole(1, Grade::Exact)]), (0, true));
        assert_eq!(count(&[private(), whole(1, Grade::Normalized)]), (0, true));
        assert_eq!(count(&[private(), whole(2, Grade::Exact)]), (0, false));
        let weaker = stretches(1, Grade::Excerpt, 0.9, &[[0, 5000]]);
        assert_eq!(count(&[private(), weaker]), (1, false));
        assert_eq!(count(&[whole(1, Grade::Exact)]), (0, true));
        assert_eq!(count(&[]), (0, false));
    }

    #[test]
    fn stretches_that_a_public_set_explains_are_taken_away() {
        let sets = sets();
        let private = stretches(0, Grade::Excerpt, 0.9, &[[0, 1000], [2000, 4000]]);
        let explained = [
            private.clone(),
            stretches(1, Grade::Excerpt, 0.6, &[[0, 1700], [2100, 4000]]),
        ];
        // The seam of a hundred bytes is no text of its own.
        assert!(told(&sets, &explained).is_own_public);
        let in_part = [
            private.clone(),
            stretches(1, Grade::Excerpt, 0.99, &[[0, 1000], [2500, 3000]]),
        ];
        let told_in_part = told(&sets, &in_part);
        let found = told_in_part.matches[0].found.clone().unwrap();
        assert_eq!(found.stretches.len(), 1);
        assert_eq!(found.stretches[0].target_bytes, [2000, 4000]);
        assert!((found.of_original - 0.4).abs() < 1e-6, "{found:?}");
        assert!(!told_in_part.is_own_public);
        // What agrees less closely explains nothing.
        let weaker = [private, stretches(1, Grade::Derived, 0.99, &[[0, 9000]])];
        assert_eq!(told(&sets, &weaker).matches[0].as_ref(), &weaker[0]);
    }

    #[test]
    fn without_stretches_the_score_decides() {
        let sets = sets();
        let private = stretches(0, Grade::Derived, 0.7, &[]);
        let told_beside = |score| {
            let facts = [private.clone(), stretches(1, Grade::Derived, score, &[])];
            told(&sets, &facts).matches.len()
        };
        assert_eq!((told_beside(0.7), told_beside(0.69)), (0, 1));
    }
}
