//! The copy that another was probably made of: it has the changes of that one, and more.

use std::collections::{BTreeSet, HashMap};

use super::sets::{Marks, Postings, Sets, common, prefix};
use super::{CopyChanges, TIES_MAX, dated};
use crate::exposure::Location;

/// How much of a parent's changes a copy has at least, of 100.
const PARENT_PERCENT: usize = 90;
/// Further changes by which a set is found, beyond those that it must share one of: files that were edited further do not count.
const SPARE: usize = 2;
/// Members of a group of equal copies that are looked at, to find those that are not later.
const MEMBERS_MAX: usize = 1_000;

/// What shared changes say of a copy.
#[derive(Default)]
pub(super) struct Found {
    /// Those that are equally good, the best first.
    pub(super) best: Vec<usize>,
    pub(super) bounded: bool,
}

/// Copies that have the same changes.
struct Group<'a> {
    set: &'a [u32],
    /// The earliest first.
    members: Vec<usize>,
    by_network: HashMap<&'a str, Vec<usize>>,
}

/// The networks of copies, however they are written.
type Networks = [Option<String>];

fn network_of(networks: &Networks, at: usize) -> Option<&str> {
    networks.get(at)?.as_deref()
}

fn groups<'a>(copies: &[&CopyChanges], sets: &'a Sets, networks: &'a Networks) -> Vec<Group<'a>> {
    let mut numbers: HashMap<&[u32], usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut order: Vec<usize> = (0..copies.len()).collect();
    order.sort_by_key(|&at| (copies.get(at).and_then(|copy| copy.first()), at));
    for at in order {
        let set = sets.get(at);
        if !set.iter().any(|&change| sets.tells(change)) {
            continue;
        }
        let number = *numbers.entry(set).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Group {
                set,
                members: Vec::new(),
                by_network: HashMap::new(),
            });
        }
        let network = network_of(networks, at);
        if let Some(group) = groups.get_mut(number) {
            group.members.push(at);
            if let Some(network) = network {
                group.by_network.entry(network).or_default().push(at);
            }
        }
    }
    groups
}

pub(super) fn parents(copies: &[&CopyChanges], sets: &Sets, budget: usize) -> Vec<Found> {
    let networks = copies
        .iter()
        .map(|copy| copy.network.as_deref().map(Location::fold));
    let networks: Vec<Option<String>> = networks.collect();
    let groups = groups(copies, sets, &networks);
    let mut postings = Postings::default();
    for (at, group) in groups.iter().enumerate() {
        let rare = prefix(group.set.len(), PARENT_PERCENT) + SPARE;
        postings.add(group.set.get(..rare).unwrap_or(group.set), at);
    }
    let mut search = Search {
        copies,
        sets,
        groups: &groups,
        networks: &networks,
        changes: Marks::new(sets.path.len()),
        paths: Marks::new(sets.paths),
    };
    let mut out: Vec<Found> = copies.iter().map(|_| Found::default()).collect();
    for (slot, bounded) in out.iter_mut().zip(&sets.bounded) {
        slot.bounded = *bounded;
    }
    for group in &groups {
        let mut left = budget;
        let (mut candidates, all) = postings.sharing(group.set, &mut left);
        candidates.retain(|&other| search.len(other) <= group.set.len());
        search.mark(group.set);
        let mut known: HashMap<usize, Option<Shared>> = HashMap::new();
        for &at in &group.members {
            let mut found = search.best(at, &candidates, &mut known, &mut left);
            found.bounded |= !all || left == 0;
            if let Some(slot) = out.get_mut(at) {
                *slot = found;
            }
        }
    }
    out
}

/// What a copy and a group share.
#[derive(Clone, Copy)]
struct Shared {
    count: usize,
    /// The one change that tells, where no other does.
    alone: Option<u32>,
}

struct Search<'a> {
    copies: &'a [&'a CopyChanges],
    sets: &'a Sets,
    groups: &'a [Group<'a>],
    networks: &'a Networks,
    /// Changes of the copy whose parent is searched for, and their paths.
    changes: Marks,
    paths: Marks,
}

impl Search<'_> {
    fn len(&self, group: usize) -> usize {
        self.groups.get(group).map_or(0, |group| group.set.len())
    }

    fn mark(&mut self, set: &[u32]) {
        self.changes.clear();
        self.paths.clear();
        for &change in set {
            self.changes.set(change as usize);
            self.paths.set(self.sets.path_of(change));
        }
    }

    /// How many changes of a group are in the marked set, where that is enough, and the one that tells where only one does.
    fn held(&self, group: usize, left: &mut usize) -> Option<Shared> {
        let other = self.groups.get(group)?.set;
        let (mut shared, mut missing) = (0, 0);
        let (mut telling, mut told_by) = (0, None);
        let allowed = other.len() * (100 - PARENT_PERCENT) / 100;
        for &change in other {
            *left = left.saturating_sub(1);
            if *left == 0 {
                return None;
            }
            if self.changes.has(change as usize) {
                shared += 1;
                if self.sets.tells(change) {
                    telling += 1;
                    told_by = Some(change);
                }
            } else if !self.paths.has(self.sets.path_of(change)) {
                missing += 1;
                if missing > allowed {
                    return None;
                }
            }
        }
        let enough = telling > 0 && shared * 100 >= (shared + missing) * PARENT_PERCENT;
        // What was edited further is at most half of it.
        (enough && shared * 2 >= other.len()).then_some(Shared {
            count: shared,
            alone: told_by.filter(|_| telling == 1),
        })
    }

    /// The best of the candidates that is not later than a copy. `known` is what was found of them before.
    fn best(
        &self,
        at: usize,
        candidates: &[usize],
        known: &mut HashMap<usize, Option<Shared>>,
        left: &mut usize,
    ) -> Found {
        let mut found = Found::default();
        // Most shared, then least that is not shared.
        let mut best = (0, std::cmp::Reverse(usize::MAX));
        // Changes that tell of a candidate with none beside them.
        let mut alone: BTreeSet<u32> = BTreeSet::new();
        let mut best_alone = None;
        for &group in candidates {
            let len = self.len(group);
            if len < best.0 {
                continue;
            }
            let shared = *known.entry(group).or_insert_with(|| self.held(group, left));
            let Some(shared) = shared else { continue };
            if let Some(change) = shared.alone {
                alone.insert(change);
                if !self.is_of_two(at, group, change) {
                    continue;
                }
            }
            let rank = (shared.count, std::cmp::Reverse(len));
            if rank < best {
                continue;
            }
            let may = self.earlier(at, group);
            if may.is_empty() {
                continue;
            }
            if rank > best {
                found.best.clear();
                best = rank;
                best_alone = shared.alone;
            }
            found.best.extend(may);
        }
        // What one new file says is taken back by another one that leads elsewhere.
        if best_alone.is_some_and(|change| alone.iter().any(|other| *other != change)) {
            found.best.clear();
        }
        self.order(at, &mut found.best);
        found
    }

    /// Whether a change is a new file that none but a copy, those of a group, and what has all that the copy has, have.
    fn is_of_two(&self, at: usize, group: usize, change: u32) -> bool {
        let (Some(holders), Some(group)) = (self.sets.holders(change), self.groups.get(group))
        else {
            return false;
        };
        let own = self.sets.get(at);
        holders.iter().all(|&other| {
            let set = self.sets.get(other);
            set == group.set || (set.len() >= own.len() && common(own, set, 0) == own.len())
        })
    }

    /// Members of a group that a copy may have been made of: those of its network first, then the earliest.
    fn earlier(&self, at: usize, group: usize) -> Vec<usize> {
        let (Some(copy), Some(group)) = (self.copies.get(at), self.groups.get(group)) else {
            return Vec::new();
        };
        let own = self.sets.get(at).len();
        let network = network_of(self.networks, at);
        let near = network.and_then(|network| group.by_network.get(network));
        let mut may = Vec::new();
        for list in near.into_iter().chain([&group.members]) {
            for &other in list.iter().take(MEMBERS_MAX) {
                let Some(held) = self.copies.get(other).filter(|_| other != at) else {
                    continue;
                };
                let order = dated(held, copy);
                let is_earlier = if group.set.len() < own {
                    order.is_none_or(std::cmp::Ordering::is_le)
                } else {
                    // Of two that have as much, only a date tells which was first.
                    order.is_some_and(std::cmp::Ordering::is_lt)
                };
                if is_earlier && !may.contains(&other) {
                    may.push(other);
                }
                if may.len() > 2 * TIES_MAX {
                    return may;
                }
            }
        }
        may
    }

    fn order(&self, at: usize, best: &mut [usize]) {
        let network = |at: usize| network_of(self.networks, at);
        let own = network(at);
        best.sort_by_key(|&other| {
            let first = self.copies.get(other).and_then(|copy| copy.first());
            (own.is_none() || network(other) != own, first, other)
        });
    }
}
