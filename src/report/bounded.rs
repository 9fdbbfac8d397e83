//! Tables that cannot grow without end.
//!
//! A mirror of two million packages gives tens of millions of records; a page shows some hundreds of rows a table.
//! So rows are ranked while they stream by, only the best are kept, and the total is counted. The outcome depends on
//! the records and their order alone, never on hashing.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};

use serde::Serialize;

use super::text::{KEPT_CHARS, clip, count_of};

/// Rows of a table, and how many there would be without its bound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table<T> {
    /// Rows in all.
    pub total: u64,
    /// The rows kept, best first.
    pub rows: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            total: 0,
            rows: Vec::new(),
        }
    }
}

impl<T> Table<T> {
    /// A table that shows all of its rows.
    pub fn whole(rows: Vec<T>) -> Self {
        Self {
            total: count_of(rows.len()),
            rows,
        }
    }

    /// Nothing to show.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The first `most` rows.
    pub fn first(&self, most: usize) -> &[T] {
        &self.rows[..self.rows.len().min(most)]
    }

    /// How many rows `first(most)` leaves out.
    pub fn left_out(&self, most: usize) -> u64 {
        self.total.saturating_sub(count_of(self.first(most).len()))
    }
}

/// A name and how often it came up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What is counted.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// Counts by name. The first [`Tally::NAMES`] names are kept apart, later ones fall into one row.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    counts: BTreeMap<String, u64>,
    others: u64,
}

impl Tally {
    /// Names come from rules and formats and are few; the bound is for records that somebody forged.
    const NAMES: usize = 500;

    pub(super) fn add(&mut self, name: &str, count: u64) {
        if let Some(known) = self.counts.get_mut(name) {
            *known = known.saturating_add(count);
        } else if self.counts.len() < Self::NAMES {
            self.counts.insert(clip(name, KEPT_CHARS), count);
        } else {
            self.others = self.others.saturating_add(count);
        }
    }

    /// In order of name, what fell outside last.
    pub(super) fn finish(self) -> Vec<Count> {
        let mut rows: Vec<Count> = self
            .counts
            .into_iter()
            .map(|(name, count)| Count { name, count })
            .collect();
        if self.others > 0 {
            rows.push(Count {
                name: "(further names)".to_owned(),
                count: self.others,
            });
        }
        rows
    }
}

/// Keeps the `cap` rows with the smallest keys and counts all. Rows of equal key stay in order of arrival.
#[derive(Debug)]
pub(super) struct Top<K: Ord, V> {
    cap: usize,
    total: u64,
    worst_first: BinaryHeap<Ranked<K, V>>,
}

#[derive(Debug)]
struct Ranked<K, V> {
    key: (K, u64),
    row: V,
}

impl<K: Ord, V> PartialEq for Ranked<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<K: Ord, V> Eq for Ranked<K, V> {}

impl<K: Ord, V> PartialOrd for Ranked<K, V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord, V> Ord for Ranked<K, V> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl<K: Ord, V> Top<K, V> {
    pub(super) fn new(cap: usize) -> Self {
        Self {
            cap,
            total: 0,
            worst_first: BinaryHeap::new(),
        }
    }

    /// Counts a row, and keeps it if it is among the best so far.
    pub(super) fn push(&mut self, key: K, row: V) {
        let ranked = Ranked {
            key: (key, self.total),
            row,
        };
        self.total += 1;
        if self.worst_first.len() < self.cap {
            self.worst_first.push(ranked);
        } else if let Some(mut worst) = self.worst_first.peek_mut()
            && ranked.key < worst.key
        {
            *worst = ranked;
        }
    }

    /// The rows kept, smallest key first.
    pub(super) fn finish(self) -> Table<V> {
        let rows = self
            .worst_first
            .into_sorted_vec()
            .into_iter()
            .map(|ranked| ranked.row)
            .collect();
        Table {
            total: self.total,
            rows,
        }
    }
}

/// What rows with equal keys are put together as, so that each is there once.
pub(super) type GroupKey = [u8; 16];

/// The key of a group: what makes two rows the same, part by part.
pub(super) fn group_key(parts: &[&str]) -> GroupKey {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&count_of(part.len()).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut key = GroupKey::default();
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

/// A row of which the smallest are the most urgent.
pub(super) trait Urgent {
    /// Its rank; it ends in something that tells rows apart.
    type Rank: Ord;
    /// How urgent it is now.
    fn rank(&self) -> Self::Rank;
}

/// Rows that gather what belongs together. Past twice `cap` of them the less urgent half is given up: those are counted and
/// come no more. Memory: twice `cap` rows, and 16 bytes for each row given up.
#[derive(Debug)]
pub(super) struct Groups<V> {
    cap: usize,
    rows: HashMap<GroupKey, V>,
    given_up: HashSet<GroupKey>,
}

impl<V: Urgent> Groups<V> {
    pub(super) fn new(cap: usize) -> Self {
        Self {
            cap,
            rows: HashMap::new(),
            given_up: HashSet::new(),
        }
    }

    /// Adds to the row of this key, which is made where there is none.
    pub(super) fn add(
        &mut self,
        key: GroupKey,
        make: impl FnOnce() -> V,
        merge: impl FnOnce(&mut V),
    ) {
        if let Some(row) = self.rows.get_mut(&key) {
            merge(row);
            return;
        }
        if self.given_up.contains(&key) {
            return;
        }
        if self.rows.len() >= self.cap.saturating_mul(2) {
            self.give_up();
        }
        self.rows.insert(key, make());
    }

    fn give_up(&mut self) {
        let mut all: Vec<(V::Rank, GroupKey)> = self
            .rows
            .iter()
            .map(|(key, row)| (row.rank(), *key))
            .collect();
        all.sort();
        for (_, key) in all.into_iter().skip(self.cap) {
            self.rows.remove(&key);
            self.given_up.insert(key);
        }
    }

    /// The most urgent rows, at most `cap`, and how many different ones there are.
    pub(super) fn finish(mut self) -> Table<V> {
        if self.rows.len() > self.cap {
            self.give_up();
        }
        let total = count_of(self.rows.len() + self.given_up.len());
        let mut rows: Vec<V> = self.rows.into_values().collect();
        rows.sort_by_cached_key(Urgent::rank);
        Table { total, rows }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_best_rows_are_kept_in_order(keys in proptest::collection::vec(0_u8..20, 0..200), cap in 0_usize..30) {
            let mut top = Top::new(cap);
            for (i, key) in keys.iter().enumerate() {
                top.push(*key, (*key, i));
            }
            let mut all: Vec<(u8, usize)> = keys.iter().copied().enumerate().map(|(i, k)| (k, i)).collect();
            all.sort();
            all.truncate(cap);
            let table = top.finish();
            prop_assert_eq!(table.total, keys.len() as u64);
            prop_assert_eq!(table.rows, all);
        }
    }

    impl Urgent for (u64, u64) {
        type Rank = (Reverse<u64>, u64);
        fn rank(&self) -> Self::Rank {
            (Reverse(self.1), self.0)
        }
    }

    #[test]
    fn groups_keep_the_most_urgent_and_count_all() {
        let mut groups = Groups::new(10);
        for i in 0..1_000_u64 {
            // Every fifth is heavy, and each comes twice.
            let weight = if i % 5 == 0 { 100 } else { 1 };
            for _ in 0..2 {
                let key = group_key(&["a", &i.to_string()]);
                groups.add(key, || (i, weight), |row| row.1 += weight);
            }
        }
        let table = groups.finish();
        assert_eq!((table.total, table.rows.len()), (1_000, 10));
        assert!(table.rows.iter().all(|row| row.1 == 200), "{table:?}");
        assert_ne!(group_key(&["ab", "c"]), group_key(&["a", "bc"]));
    }

    #[test]
    fn a_tally_is_bounded_and_loses_nothing() {
        let mut tally = Tally::default();
        for i in 0..2_000 {
            tally.add(&format!("name-{i:04}"), 2);
        }
        let rows = tally.finish();
        assert_eq!(rows.len(), Tally::NAMES + 1);
        assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), 4_000);
        assert_eq!(
            rows.last().map(|row| row.name.as_str()),
            Some("(further names)")
        );
    }

    #[test]
    fn a_table_says_what_it_leaves_out() {
        let table = Table {
            total: 12,
            rows: vec![1, 2, 3],
        };
        assert_eq!((table.first(2), table.left_out(2)), (&[1, 2][..], 10));
        assert_eq!(table.left_out(100), 9);
    }
}
