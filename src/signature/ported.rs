//! Ports: a work that was written again in another language.
//!
//! Of the text nothing is left, and of a single file too little to say anything. What whoever ports a program carries over
//! are its words: messages, names of options and fields, regular expressions, odd numbers. Single atoms are made so that
//! they are equal across languages (see [`prints`](super::prints)). So a content leaves an [`Echo`] of a work: which rare
//! atoms of the work it has, whatever its files match otherwise. Echoes are united per place (a repository, a package,
//! a folder), where the order does not matter, and the place is judged as a whole. What comes out is a suspicion and is
//! called so: a *suspected port*, never a copy.
//!
//! **What counts.** An atom weighs what the baseline makes of it (as of those of files). It counts for a text of
//! one language if a first-party file of the work has it, and all files of the work that have it are known to be of
//! other languages: what is in the same language is a matter of the other tiers. Each language of a place is a port of
//! its own.
//!
//! **Score.** `cbrt(W) * shared / sqrt(original * target)`: the cosine of the two sets of atoms, times a slowly growing
//! function of what the shared ones weigh together. `original` are the atoms of the work that could have counted, `target` the
//! distinct atoms of those contents of the place that echo the work at all. A large place shares some words with every
//! large work; the cosine is small there, and weight alone is never enough. From [`BAR`] on it is a suspicion.
//!
//! **Bounds.** A content that has atoms of a work that weigh less than 2 together leaves no echo, and is stored nowhere. An echo holds
//! at most 4,096 atoms, the heaviest, and a sketch of all atoms of the content, of 256 bytes. Nothing is done at all where no set
//! has single atoms (one made for third parties has none), or where there is no baseline: without one nobody knows which
//! words are rare, and a suspicion would rest on what every program says.
//!
//! What this leaves out: where the port stands in the place, and which file was made of which; how likely it is by
//! chance; ports between languages that one lexer reads, such as from Java to C#, which are `derived` or nothing; and a small
//! port among much else in its language that echoes the work too.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::format::PartyFlag;
use super::liken::FILES_MAX;
use super::prints::Tier;
use super::set::Set;
use crate::lex::Family;

/// Score from which on a place is suspected, frozen on the development half of the benchmark.
pub const BAR: f64 = 0.36;
/// What the shared atoms of a place must weigh at least.
const PLACE_MIN_WEIGHT: f64 = 8.0;
/// What the atoms of one content must weigh at least to be kept.
const CONTENT_MIN_WEIGHT: f32 = 2.0;
/// Atoms of one content and one work that are kept.
const ATOMS_MAX: usize = 4096;
/// A weight of 1, as it is stored.
const WEIGHT_ONE: f32 = 255.0;
/// Bytes of a sketch.
const REGISTERS: usize = 256;

/// What a content has of a work in another language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// Index of the set in the group.
    set: u32,
    /// Language of the content.
    family: Family,
    /// Atoms of the work: the first row of each in the index of the set, ascending, and its weight in 255ths.
    atoms: Vec<(u32, u8)>,
    /// All atoms of the content.
    sketch: Sketch,
}

impl Echo {
    /// Index of the set in the group.
    pub(super) fn set(&self) -> usize {
        self.set as usize
    }

    /// Bytes that it takes, roughly.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Echo>() + self.atoms.len() * size_of::<(u32, u8)>() + REGISTERS
    }
}

/// How many distinct values were seen, within some hundredths: HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007) with
/// 256 registers. Sketches of two parts give that of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sketch(Vec<u8>);

impl Default for Sketch {
    fn default() -> Self {
        Sketch(vec![0; REGISTERS])
    }
}

impl Sketch {
    fn add(&mut self, value: u64) {
        let rank = (value >> 8 | 1 << 56).trailing_zeros() as u8 + 1;
        if let Some(register) = self.0.get_mut(value as usize % REGISTERS) {
            *register = rank.max(*register);
        }
    }

    fn unite(&mut self, other: &Sketch) {
        for (register, rank) in self.0.iter_mut().zip(&other.0) {
            *register = (*register).max(*rank);
        }
    }

    /// Constants and the correction for small numbers are those of the paper (figure 3).
    fn count(&self) -> f64 {
        let registers = REGISTERS as f64;
        let sum: f64 = self.0.iter().map(|&rank| (-f64::from(rank)).exp2()).sum();
        let raw = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / sum;
        let empty = self.0.iter().filter(|&&rank| rank == 0).count() as f64;
        if raw <= 2.5 * registers && empty > 0.0 {
            registers * (registers / empty).ln()
        } else {
            raw
        }
    }
}

/// Gathers the echoes of one text while its fingerprints are looked up.
pub(super) struct Listener {
    /// Language of the text; `None` where nothing is listened to.
    family: Option<Family>,
    /// All atoms of the text.
    sketch: Sketch,
    /// By set and first row: rows, and weight.
    found: HashMap<(u32, u32), (u32, f32)>,
}

impl Listener {
    /// Listens to a text of this family.
    pub(super) fn new(sets: &[Set], family: Family) -> Listener {
        let is_told = family.is_of_programs() && sets.iter().any(Set::is_baseline);
        Listener {
            family: is_told.then_some(family),
            sketch: Sketch::default(),
            found: HashMap::new(),
        }
    }

    /// An atom of the text.
    #[inline]
    pub(super) fn hear(&mut self, value: u64) {
        if self.family.is_some() {
            self.sketch.add(value);
        }
    }

    /// An atom that a set has, and what it weighs.
    pub(super) fn know(&mut self, set: usize, first_row: u32, rows: u32, weight: f32) {
        if self.family.is_some() {
            self.found.insert((set as u32, first_row), (rows, weight));
        }
    }

    /// The echoes, in the order of the sets.
    pub(super) fn finish(self, sets: &[Set]) -> Vec<Echo> {
        let Some(family) = self.family else {
            return Vec::new();
        };
        let mut of_set: BTreeMap<u32, Vec<(u32, u32, f32)>> = BTreeMap::new();
        for ((set, first), (rows, weight)) in self.found {
            of_set.entry(set).or_default().push((first, rows, weight));
        }
        let mut echoes = Vec::new();
        for (at, mut found) in of_set {
            let is_enough = |found: &[(u32, u32, f32)]| {
                found.iter().map(|(.., weight)| weight).sum::<f32>() >= CONTENT_MIN_WEIGHT
            };
            found.sort_unstable_by_key(|&(first, ..)| first);
            let Some(set) = sets.get(at as usize).filter(|_| is_enough(&found)) else {
                continue;
            };
            found.retain(|&(first, rows, _)| counts(set, first..first + rows, family));
            if !is_enough(&found) {
                continue;
            }
            let mut atoms: Vec<(u32, u8)> = found
                .iter()
                .map(|&(first, _, weight)| (first, (weight * WEIGHT_ONE).round() as u8))
                .collect();
            atoms.sort_by_key(|&(row, weight)| (std::cmp::Reverse(weight), row));
            atoms.truncate(ATOMS_MAX);
            atoms.sort_unstable();
            echoes.push(Echo {
                set: at,
                family,
                atoms,
                sketch: self.sketch.clone(),
            });
        }
        echoes
    }
}

/// Whether the atom of these rows counts for a text of a language.
fn counts(set: &Set, rows: std::ops::Range<u32>, family: Family) -> bool {
    if rows.len() > FILES_MAX {
        return false;
    }
    let Some(index) = set.index(Tier::Atoms) else {
        return false;
    };
    let files = rows.map(|row| {
        let posting = index.posting(set.data(), row as usize)?;
        set.file(index.file_of(set.data(), posting)?)
    });
    let mut is_own = false;
    for file in files {
        let Some(file) = file else { return false };
        let is_other = file
            .family
            .is_some_and(|other| other.is_of_programs() && other != family);
        if !is_other {
            return false;
        }
        is_own |= file.party == PartyFlag::First;
    }
    is_own
}

/// The echoes of many contents, united.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Echoes(BTreeMap<(u32, Family), Part>);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Part {
    atoms: BTreeMap<u32, u8>,
    sketch: Sketch,
}

impl Echoes {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds that of a content.
    pub fn add(&mut self, echo: &Echo) {
        let part = self.0.entry((echo.set, echo.family)).or_default();
        part.atoms.extend(echo.atoms.iter().copied());
        part.sketch.unite(&echo.sketch);
    }

    /// Adds those of other contents.
    pub fn unite(&mut self, other: Echoes) {
        for (of, other) in other.0 {
            let part = self.0.entry(of).or_default();
            part.atoms.extend(other.atoms);
            part.sketch.unite(&other.sketch);
        }
    }

    /// What each set makes of them, in the order of sets, those below the [`BAR`] included.
    #[must_use]
    pub fn judge(&self, sets: &[Set], originals: &mut Originals) -> Vec<Ported> {
        let mut best: BTreeMap<u32, Ported> = BTreeMap::new();
        for (&(at, family), part) in &self.0 {
            let Some(set) = sets.get(at as usize) else {
                continue;
            };
            let original = originals.of(at, set, family);
            let ported = part.judge(at, original);
            let is_better = |held: &Ported| ported.score > held.score;
            if best.get(&at).is_none_or(is_better) {
                best.insert(at, ported);
            }
        }
        best.into_values().collect()
    }
}

impl Part {
    fn judge(&self, set: u32, original: u64) -> Ported {
        let shared = self.atoms.len() as f64;
        let sum: u64 = self.atoms.values().map(|&weight| u64::from(weight)).sum();
        let weight = sum as f64 / f64::from(WEIGHT_ONE);
        let original = (original as f64).max(shared).max(1.0);
        let target = self.sketch.count().max(shared).max(1.0);
        let score = if weight < PLACE_MIN_WEIGHT {
            0.0
        } else {
            weight.cbrt() * shared / (original * target).sqrt()
        };
        Ported {
            set: set as usize,
            score,
            of_original: shared / original,
            of_target: shared / target,
        }
    }
}

/// How many atoms of each set could count for each language; counted when first asked for.
#[derive(Debug, Default)]
pub struct Originals(HashMap<(u32, Family), u64>);

impl Originals {
    fn of(&mut self, at: u32, set: &Set, family: Family) -> u64 {
        *self.0.entry((at, family)).or_insert_with(|| {
            let Some(index) = set.index(Tier::Atoms) else {
                return 0;
            };
            let mut count = 0;
            index.each_value(set.data(), |rows| {
                count += u64::from(counts(set, rows.start as u32..rows.end as u32, family));
            });
            count
        })
    }
}

/// What a set makes of a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ported {
    /// Index of the set in the group.
    pub set: usize,
    /// To be held against [`BAR`].
    pub score: f64,
    /// Share of the work's atoms that are there, 0 to 1.
    pub of_original: f64,
    /// Share of the atoms of the contents that echo it, 0 to 1.
    pub of_target: f64,
}

impl Ported {
    /// Whether it is a suspicion.
    #[must_use]
    pub fn is_suspected(&self) -> bool {
        self.score >= BAR
    }

    /// 0 to 1, 0.5 at the bar: as the scores of files are given.
    #[must_use]
    pub fn score_of_record(&self) -> f64 {
        self.score / (self.score + BAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spreads numbers as the values of atoms are spread (splitmix64, Steele, Lea and Flood 2014).
    fn mix(number: u64) -> u64 {
        let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    #[test]
    fn a_sketch_counts_what_is_distinct() {
        for count in [0_u64, 1, 40, 300, 2000, 50_000] {
            let mut sketch = Sketch::default();
            for value in (1..=count).chain(1..=count) {
                sketch.add(mix(value));
            }
            let off = (sketch.count() - count as f64).abs();
            assert!(off <= 0.15 * count as f64, "{count}: {}", sketch.count());
        }
    }

    #[test]
    fn sketches_of_parts_are_those_of_the_whole() {
        let of = |values: std::ops::Range<u64>| {
            let mut sketch = Sketch::default();
            values.for_each(|value| sketch.add(mix(value)));
            sketch
        };
        let mut united = of(0..700);
        united.unite(&of(300..1000));
        assert_eq!(united, of(0..1000));
    }
}
