//! Which copy was made of which: families of copies that are nearly the same, and a parent by shared changes.
//!
//! Who copies a copy takes over what was changed in it. So a copy that has all changes of another, and more of its own,
//! was probably made of it; the other way round it was not. What is compared are sets of changes against the original,
//! never the copies themselves: of what all of them have from the original nothing can be told.
//!
//! - **Families**: copies of one class whose sets of changes agree to 95 % (Jaccard). Each is held against the first of
//!   its family, not against the next one, so that a long row of small steps does not become one family.
//! - **Parents**: the copy that shares the most with this one, of those of whose changes at least 90 % are in it. A file
//!   that both changed, each its own way, counts neither for nor against: who edits further replaces an edit. Something
//!   that was put in or rewritten has to be among what they share, twice at least: two people who leave out the same
//!   folder need not know of each other, and two who make the same edit, or use the same kit, need not either. One such
//!   change is enough where it is a new file that none but the two and what was made of them have, and nothing that was put
//!   into the copy points to another one. A copy that is dated later is no parent, where both dates have the same source.
//! - What a list records of forks wins over that, and a contradiction is said.
//!
//! A copy that has the same changes as another, and no more, can be told to come after it by dates only; without them it
//! has the same parent, and the same family. Times of files do not count as dates here: they say when a copy was written
//! where it lies. Days of sightings do, their hours do not: a list is made in the order in which somebody looked.
//!
//! **Cost.** Changes are numbered from rare to common. Two sets that agree to 95 % share one of their few rarest changes,
//! and so do a set and one that has 90 % of it; so only copies that share a rare change are held against each other, and
//! what most copies have (the licence left out, a banner put in) costs nothing. What that does not bound (thousands of
//! copies made of the same few changes in ever other mixtures) has a budget for each copy, and a row says so where it ran out.
//!
//! Left out: merges (a copy has one parent), and what two copies both took from a third place.

mod gather;
mod parents;
mod sets;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use crate::blob::Hops;
use crate::exposure::Location;
use crate::record::{ChangeKind, Lineage, ParentBasis};

pub use gather::{Gather, copies_in};
use parents::{Found, parents};
use sets::{Postings, Sets, common, prefix};

/// How far two sets of changes agree, of 100, in one family.
const FAMILY_PERCENT: usize = 95;
/// Ties that are named.
const TIES_MAX: usize = 16;
/// Changes of a copy that can be compared; one with more has no family and no parent by changes.
const CHANGES_MAX: usize = 100_000;
/// Steps that all copies together may take in each of the two searches. Each copy has an equal part of it, so that what is
/// found does not hang on the order.
const STEPS_MAX: usize = 1_500_000_000;
/// Steps that each copy may take at least.
const STEPS_MIN: usize = 20_000;
/// Ancestors that are walked through to see that no copy becomes its own.
const CHAIN_MAX: usize = 10_000;

/// One change, as far as it can be held against another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId {
    /// What was done to which path, with which outcome.
    pub what: u128,
    /// The path alone.
    pub path: u128,
    /// The outcome has bytes of its own: it was put in, rewritten or laid out anew, and not only dropped or moved.
    pub telling: bool,
    /// It is a file that the original has not.
    pub is_new: bool,
}

impl ChangeId {
    /// The identity of a change: equal in two copies that did the same.
    pub fn of(kind: ChangeKind, path: &str, sha256: Option<&str>) -> Self {
        let (word, telling) = match kind {
            ChangeKind::Added => ("added", true),
            ChangeKind::Changed => ("changed", true),
            ChangeKind::Reformatted => ("reformatted", true),
            ChangeKind::Moved => ("moved", false),
            ChangeKind::Removed => ("removed", false),
        };
        Self {
            what: short(&[word, path, sha256.unwrap_or_default()]),
            path: short(&[path]),
            // Content that was not read may be anything.
            telling: telling && sha256.is_some(),
            is_new: kind == ChangeKind::Added && sha256.is_some(),
        }
    }
}

/// Half a BLAKE3: nobody makes two changes look like one.
fn short(parts: &[&str]) -> u128 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut half = [0; 16];
    hasher.finalize_xof().fill(&mut half);
    u128::from_le_bytes(half)
}

/// A copy, as lineage sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CopyChanges {
    /// The root of the copy.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Its class.
    pub class: String,
    /// Its address, as recorded.
    pub url: Option<String>,
    /// Address of what it was forked from, as recorded.
    pub parent: Option<String>,
    /// Address of the root of its fork network, as recorded.
    pub network: Option<String>,
    /// First dates (RFC 3339, UTC), by what says so: `git-author`, `seen-at`, `file`, `archive-member`.
    pub dates: BTreeMap<String, String>,
    /// What it has otherwise than the original; null where it was not compared.
    pub changes: Option<Vec<ChangeId>>,
}

/// What dates are told by, the best first.
const BASES: [&str; 4] = ["git-author", "seen-at", "file", "archive-member"];

impl CopyChanges {
    fn first(&self) -> Option<(&str, &str)> {
        BASES
            .iter()
            .find_map(|basis| Some((*basis, self.dates.get(*basis)?.as_str())))
    }
}

/// Whether `a` is dated before, with or after `b` by the same source; `None` where that cannot be told.
fn dated(a: &CopyChanges, b: &CopyChanges) -> Option<std::cmp::Ordering> {
    // Seconds of commits, days of sightings.
    let told = [("git-author", 19), ("seen-at", 10)];
    told.iter().find_map(|(basis, chars)| {
        let (a, b) = (a.dates.get(*basis)?, b.dates.get(*basis)?);
        Some(a.get(..*chars)?.cmp(b.get(..*chars)?))
    })
}

/// Families and parents of all copies, in order of locators. Rows of one locator become one.
pub fn of(copies: &[CopyChanges]) -> Vec<Lineage> {
    let mut by_locator: BTreeMap<&str, &CopyChanges> = BTreeMap::new();
    for copy in copies {
        let held = by_locator.entry(&copy.locator).or_insert(copy);
        // Whichever says more, so that the order of rows does not matter.
        if said(copy) > said(held) {
            *held = copy;
        }
    }
    let copies: Vec<&CopyChanges> = by_locator.into_values().collect();
    let sets = Sets::of(&copies);
    let budget = (STEPS_MAX / copies.len().max(1)).max(STEPS_MIN);
    let families = families(&copies, &sets, budget);
    let recorded = recorded_parents(&copies);
    let found = parents(&copies, &sets, budget);
    let chosen = choose(&copies, &sets, &recorded, &found);
    let mut sizes: HashMap<usize, u64> = HashMap::new();
    for family in &families {
        *sizes.entry(family.first).or_default() += 1;
    }
    let rows = copies.iter().enumerate().zip(chosen).zip(&families);
    rows.map(|(((at, copy), chosen), family)| {
        let name = |at: usize| copies.get(at).map_or("", |copy| copy.locator.as_str());
        let first = copy.first();
        let (shared, own) = sets.shared(at, chosen.parent);
        Lineage {
            locator: copy.locator.clone(),
            hops: copy.hops.clone(),
            network: copy.network.clone(),
            family: name(family.first).to_owned(),
            family_size: sizes.get(&family.first).copied().unwrap_or(1),
            parent: chosen.parent.map(|at| name(at).to_owned()),
            parent_basis: chosen.basis,
            parent_ties: chosen.ties.iter().map(|&at| name(at).to_owned()).collect(),
            parent_url: copy.parent.clone(),
            contradicted: chosen.contradicted,
            changes_shared: shared,
            changes_own: own,
            first: first.map(|(_, date)| date.to_owned()),
            first_basis: first.map(|(basis, _)| basis.to_owned()),
            bounded: family.bounded || found.get(at).is_some_and(|found| found.bounded),
        }
    })
    .collect()
}

/// Orders rows of one locator by how much they say.
fn said(copy: &CopyChanges) -> impl Ord + use<'_> {
    (
        copy.changes.as_ref().map(Vec::len),
        &copy.parent,
        &copy.network,
        &copy.dates,
        (&copy.class, &copy.url, &copy.changes),
    )
}

/// The family of a copy.
struct Family {
    /// The copy that it is called after.
    first: usize,
    bounded: bool,
}

fn families(copies: &[&CopyChanges], sets: &Sets, budget: usize) -> Vec<Family> {
    let mut postings = Postings::default();
    // Those without any change, and those that are the same, are found at once.
    let mut same: HashMap<(&str, &[u32]), usize> = HashMap::new();
    let mut out: Vec<Family> = Vec::with_capacity(copies.len());
    for (at, copy) in copies.iter().enumerate() {
        let alone = Family {
            first: at,
            bounded: sets.bounded.get(at).copied().unwrap_or(false),
        };
        let Some(Some(set)) = sets.of.get(at) else {
            out.push(alone);
            continue;
        };
        if let Some(&first) = same.get(&(copy.class.as_str(), set.as_slice())) {
            out.push(Family { first, ..alone });
            continue;
        }
        let mut left = budget;
        let rare = prefix(set.len(), FAMILY_PERCENT);
        let rarest = set.get(..rare).unwrap_or(set);
        let (candidates, all) = postings.sharing(rarest, &mut left);
        let mut best: Option<(usize, usize, usize)> = None;
        let mut bounded = !all;
        for first in candidates {
            let other = sets.get(first);
            if copies
                .get(first)
                .is_none_or(|held| held.class != copy.class)
                || other.len().min(set.len()) * 100 < other.len().max(set.len()) * FAMILY_PERCENT
            {
                continue;
            }
            let cost = set.len() + other.len();
            if left < cost {
                bounded = true;
                break;
            }
            left -= cost;
            // |A ∩ B| of a Jaccard of p is p (|A| + |B|) / (1 + p).
            let needed = (cost * FAMILY_PERCENT).div_ceil(100 + FAMILY_PERCENT);
            let shared = common(set, other, needed);
            let union = cost - shared;
            let near = shared * 100 >= union * FAMILY_PERCENT;
            // Fractions are compared crosswise.
            let better = |(held, s, u): (usize, usize, usize)| {
                (shared * u, std::cmp::Reverse(first)) > (s * union, std::cmp::Reverse(held))
            };
            if near && best.is_none_or(better) {
                best = Some((first, shared, union));
            }
        }
        let first = best.map_or(at, |(first, _, _)| first);
        same.insert((&copy.class, set), first);
        if first == at {
            postings.add(rarest, at);
        }
        out.push(Family { first, bounded });
    }
    out
}

/// An address as far as two lists may write it differently; never shown.
pub(crate) fn plain(url: &str) -> String {
    Location::fold(url)
}

/// The parent that is recorded, where it is one of the copies.
fn recorded_parents(copies: &[&CopyChanges]) -> Vec<Option<usize>> {
    let mut by_url: HashMap<String, usize> = HashMap::new();
    for (at, copy) in copies.iter().enumerate() {
        if let Some(url) = &copy.url {
            by_url.entry(plain(url)).or_insert(at);
        }
    }
    let parent = |(at, copy): (usize, &&CopyChanges)| {
        let parent = by_url.get(&plain(copy.parent.as_deref()?)).copied();
        parent.filter(|&parent| parent != at)
    };
    copies.iter().enumerate().map(parent).collect()
}

/// The parent that a row names.
#[derive(Default, Clone)]
struct Chosen {
    parent: Option<usize>,
    basis: Option<ParentBasis>,
    ties: Vec<usize>,
    contradicted: bool,
}

fn choose(
    copies: &[&CopyChanges],
    sets: &Sets,
    recorded: &[Option<usize>],
    found: &[Found],
) -> Vec<Chosen> {
    let mut parent_of: Vec<Option<usize>> = recorded.to_vec();
    let mut out = Vec::with_capacity(copies.len());
    for (at, found) in found.iter().enumerate() {
        if let Some(parent) = recorded.get(at).copied().flatten() {
            out.push(Chosen {
                parent: Some(parent),
                basis: Some(ParentBasis::Recorded),
                ties: Vec::new(),
                contradicted: leads_to(recorded, parent, at)
                    || points_elsewhere(sets, recorded, at, parent, found),
            });
            continue;
        }
        let mut may = found.best.clone();
        may.retain(|&other| !leads_to(&parent_of, other, at));
        let parent = may.first().copied();
        if let Some(slot) = parent_of.get_mut(at) {
            *slot = parent;
        }
        out.push(Chosen {
            parent,
            basis: parent.map(|_| ParentBasis::SharedChanges),
            ties: may.into_iter().skip(1).take(TIES_MAX).collect(),
            contradicted: false,
        });
    }
    out
}

/// Whether the parents of a copy lead to another, or farther than is walked.
fn leads_to(parent_of: &[Option<usize>], from: usize, to: usize) -> bool {
    let mut at = from;
    for _ in 0..CHAIN_MAX {
        if at == to {
            return true;
        }
        match parent_of.get(at).copied().flatten() {
            // Lists may lead in a circle that does not pass here.
            Some(next) if next != from => at = next,
            _ => return false,
        }
    }
    true
}

/// A copy has less than half of the changes of its recorded parent, and has those of another that is not of the same line.
fn points_elsewhere(
    sets: &Sets,
    recorded: &[Option<usize>],
    at: usize,
    parent: usize,
    found: &Found,
) -> bool {
    let of_parent = sets.get(parent);
    let is_line =
        |other: usize| leads_to(recorded, other, parent) || leads_to(recorded, parent, other);
    common(sets.get(at), of_parent, 0) * 2 < of_parent.len()
        && !found.best.is_empty()
        && !found.best.iter().any(|&other| is_line(other))
}
