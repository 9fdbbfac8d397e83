//! Changes as numbers, rare ones first, and how sets of them are found by what they share.

use std::collections::HashMap;

use super::{CHANGES_MAX, ChangeId, CopyChanges};

/// A new file that more copies have says nothing of any two of them.
const HOLDERS_MAX: u32 = 64;

/// The changes of each copy, as numbers: rare ones first.
pub(super) struct Sets {
    /// Sorted; `None` where a copy was not compared, or has too many to be.
    pub(super) of: Vec<Option<Vec<u32>>>,
    /// The number of the path of each change.
    pub(super) path: Vec<u32>,
    /// Whether a change has bytes of its own.
    telling: Vec<bool>,
    /// Who has a change that is a new file, where few have it.
    holders: HashMap<u32, Vec<usize>>,
    /// How many paths there are.
    pub(super) paths: usize,
    /// How many changes each copy has, compared or not.
    len: Vec<usize>,
    /// Copies that have too many.
    pub(super) bounded: Vec<bool>,
}

impl Sets {
    pub(super) fn of(copies: &[&CopyChanges]) -> Self {
        let mut counts: HashMap<ChangeId, u32> = HashMap::new();
        let mut sets: Vec<Option<Vec<ChangeId>>> = Vec::with_capacity(copies.len());
        let mut bounded = Vec::with_capacity(copies.len());
        let mut len = Vec::with_capacity(copies.len());
        for copy in copies {
            let set = copy.changes.as_ref().map(|changes| {
                let mut set = changes.clone();
                set.sort_unstable();
                set.dedup();
                set
            });
            let is_bounded = set.as_ref().is_some_and(|set| set.len() > CHANGES_MAX);
            bounded.push(is_bounded);
            len.push(set.as_ref().map_or(0, Vec::len));
            let set = set.filter(|_| !is_bounded);
            for change in set.iter().flatten() {
                *counts.entry(*change).or_default() += 1;
            }
            sets.push(set);
        }
        let mut all: Vec<(u32, ChangeId)> = counts.into_iter().map(|(id, n)| (n, id)).collect();
        all.sort_unstable();
        let mut numbers: HashMap<ChangeId, u32> = HashMap::with_capacity(all.len());
        let mut paths: HashMap<u128, u32> = HashMap::new();
        let (mut path, mut telling) = (Vec::new(), Vec::new());
        let mut holders: HashMap<u32, Vec<usize>> = HashMap::new();
        for (number, (count, id)) in (0..).zip(&all) {
            numbers.insert(*id, number);
            let next = u32::try_from(paths.len()).unwrap_or(u32::MAX);
            path.push(*paths.entry(id.path).or_insert(next));
            telling.push(id.telling);
            if id.is_new && (2..=HOLDERS_MAX).contains(count) {
                holders.insert(number, Vec::new());
            }
        }
        let of = sets.into_iter().map(|set| {
            let mut set: Vec<u32> = set?
                .iter()
                .filter_map(|id| numbers.get(id).copied())
                .collect();
            set.sort_unstable();
            Some(set)
        });
        let of: Vec<Option<Vec<u32>>> = of.collect();
        for (at, set) in of.iter().enumerate() {
            for change in set.iter().flatten() {
                if let Some(holders) = holders.get_mut(change) {
                    holders.push(at);
                }
            }
        }
        Self {
            of,
            holders,
            path,
            telling,
            paths: paths.len(),
            len,
            bounded,
        }
    }

    pub(super) fn get(&self, at: usize) -> &[u32] {
        self.of.get(at).and_then(Option::as_deref).unwrap_or(&[])
    }

    pub(super) fn path_of(&self, change: u32) -> usize {
        let path = self.path.get(change as usize).copied();
        path.map_or(usize::MAX, |path| path as usize)
    }

    pub(super) fn tells(&self, change: u32) -> bool {
        self.telling.get(change as usize).copied().unwrap_or(false)
    }

    /// Who has a change, where that is a new file that few have.
    pub(super) fn holders(&self, change: u32) -> Option<&[usize]> {
        self.holders.get(&change).map(Vec::as_slice)
    }

    /// How many changes a copy shares with its parent, and how many are its own.
    pub(super) fn shared(&self, at: usize, parent: Option<usize>) -> (u64, u64) {
        let own = self.get(at);
        let shared = parent.map_or(0, |parent| common(own, self.get(parent), 0));
        let all = self.len.get(at).copied().unwrap_or(0);
        (shared as u64, all.saturating_sub(shared) as u64)
    }
}

/// How many numbers two sorted sets have in common; fewer than that where it is seen to be less than `needed`.
pub(super) fn common(a: &[u32], b: &[u32], needed: usize) -> usize {
    let mut apart = (a.len() + b.len()).saturating_sub(2 * needed);
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut count = 0;
    while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
        let order = left.cmp(right);
        if order.is_eq() {
            count += 1;
        } else if apart == 0 {
            return count;
        } else {
            apart -= 1;
        }
        if order.is_le() {
            a.next();
        }
        if order.is_ge() {
            b.next();
        }
    }
    count
}

/// How many of the rarest of `len` changes a set must share one of, where `percent` of them are shared.
pub(super) fn prefix(len: usize, percent: usize) -> usize {
    let needed = (len * percent).div_ceil(100).max(1);
    (len + 1).saturating_sub(needed).min(len)
}

/// Who has a change among its rare ones, and how often each was met in one search.
#[derive(Default)]
pub(super) struct Postings {
    held: HashMap<u32, Vec<usize>>,
    hits: Vec<u32>,
    met: Vec<usize>,
}

impl Postings {
    pub(super) fn add(&mut self, changes: &[u32], at: usize) {
        for change in changes {
            self.held.entry(*change).or_default().push(at);
        }
        if self.hits.len() <= at {
            self.hits.resize(at + 1, 0);
        }
    }

    /// Who has one of these changes among its rare ones, those that have most of them first; `false` where the budget ran out.
    pub(super) fn sharing(&mut self, set: &[u32], budget: &mut usize) -> (Vec<usize>, bool) {
        let mut all = true;
        for change in set {
            let Some(held) = self.held.get(change) else {
                continue;
            };
            if *budget < held.len() {
                all = false;
                break;
            }
            *budget -= held.len();
            for &at in held {
                if let Some(hits) = self.hits.get_mut(at) {
                    if *hits == 0 {
                        self.met.push(at);
                    }
                    *hits += 1;
                }
            }
        }
        let hits = &mut self.hits;
        let mut met = std::mem::take(&mut self.met);
        met.sort_unstable_by_key(|&at| (std::cmp::Reverse(hits.get(at).copied()), at));
        for &at in &met {
            if let Some(hits) = hits.get_mut(at) {
                *hits = 0;
            }
        }
        (met, all)
    }
}

/// Marks that are taken back all at once.
pub(super) struct Marks {
    at: Vec<u32>,
    now: u32,
}

impl Marks {
    pub(super) fn new(len: usize) -> Self {
        Self {
            at: vec![0; len],
            now: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.at.fill(0);
            self.now = 1;
        }
    }

    pub(super) fn set(&mut self, at: usize) {
        if let Some(mark) = self.at.get_mut(at) {
            *mark = self.now;
        }
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.at.get(at) == Some(&self.now)
    }
}
