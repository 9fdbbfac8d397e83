//! Holds the fingerprints of one text against many sets, and says how much of which file is in it.
//!
//! The text is fingerprinted once; every fingerprint is looked up in every set as it is made, and only those that a set
//! knows are kept, which for foreign text is next to none. What was found is then gathered for each file of each work:
//! how many of its fingerprints are there, what they weigh, and where they stand closest together. From this alone
//! ([`Likeness`]) the verdict is made ([`verdict`](super::verdict)).
//!
//! **Weight.** A fingerprint that is in public code says little. With a baseline, what stands for a stretch weighs 1 if the
//! baseline does not have it, and nothing if it has. An atom that `f` of the baseline's `N` files have weighs
//! `(ln((N + 1) / (f + 1)) / ln(N + 1))^4`, from 1 down to 0, and what comes out below [`WEIGHT_MIN`] nothing. Without a baseline everything
//! weighs 1, and the verdict is more careful. Where several files of the work share it, it is divided among them by the
//! root of their number.
//!
//! **Window.** A file that was bundled into another of a thousand times its size stands there in one stretch; what
//! agrees by chance lies scattered. So what counts is what falls into one stretch of the target that is as long
//! as the original (and at least [`WINDOW_MIN_BYTES`]).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::compact;
use super::ported::{Echo, Listener};
use super::prints::{Print, Side, Tier, prints_of};
use super::set::Set;
use crate::lex::{Family, family_of};

const TIERS: usize = Tier::ALL.len();

/// A window of the target is at least as long as this.
pub const WINDOW_MIN_BYTES: u32 = 2048;
/// A value that is in more files of a work than this says nothing of any of them.
pub(super) const FILES_MAX: usize = 64;
/// Places of one value that are looked at; what repeats itself more often adds nothing.
const PLACES_MAX: u32 = 8;
/// Fingerprints of the target are counted in stretches of this length.
const BUCKET_BYTES: u32 = 128;

/// How the fingerprints of one tier agree.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Agreement {
    /// Fingerprints of the original.
    pub original: u32,
    /// Of these, in the target.
    pub found: u32,
    /// Of these, in the window that holds most.
    pub in_window: u32,
    /// What those in the window weigh.
    pub weight: f32,
    /// Stretches that do not overlap in the window: what overlaps is one observation.
    pub runs: u32,
    /// Fingerprints of the target in the window.
    pub target: u32,
    /// Fingerprints of the target.
    pub target_total: u32,
    /// Of a compact set, the share of fingerprints that it keeps; all counts here are of these. Else 1.
    pub kept: f32,
}

impl Agreement {
    /// Share of the original's fingerprints that stand in the window.
    #[must_use]
    pub fn of_original(&self) -> f32 {
        self.in_window as f32 / self.original.max(1) as f32
    }

    /// Share of the window's fingerprints that are the original's. A window is cut to what agrees, so that in one where few
    /// were kept those that do not agree are outside of it; of a compact set one more is taken to be there.
    #[must_use]
    pub fn of_target(&self) -> f32 {
        let unseen = if self.kept < 1.0 { 1.0 } else { 0.0 };
        (self.in_window as f32 / (self.target.max(1) as f32 + unseen)).min(1.0)
    }
}

/// A fingerprint of the target that a file of a work has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// Its tier.
    pub tier: Tier,
    /// Where it stands in the target, in bytes of the decoded text.
    pub start: u32,
    /// Behind its last byte.
    pub end: u32,
    /// What the set says of its place in the original: see [`Form`](super::index::Form).
    pub(super) posting: u32,
    /// Its row in the set: the same for the same value.
    pub(super) row: u32,
}

/// What of two texts can be the same, by their languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Common {
    /// All that they are made of.
    Tokens,
    /// Their letters and digits: the original is in no language, so that tokens are numbers and words of prose.
    Text,
    /// What both quote: they are in two languages, and one is not the text of the other.
    Quotes,
}

/// What a text and a file of a work have in common.
#[derive(Debug, Clone)]
pub struct Likeness {
    /// Index of the set in the group.
    pub set: usize,
    /// Id of the file in that set.
    pub file: u32,
    /// What of the two can be the same at all.
    pub common: Common,
    /// How the tiers agree, in the order of [`Tier::ALL`].
    pub tiers: [Agreement; TIERS],
    /// The fingerprints that both have, in the order of their places in the target.
    pub traces: Vec<Trace>,
}

impl Likeness {
    /// How one tier agrees.
    #[must_use]
    pub fn tier(&self, tier: Tier) -> &Agreement {
        &self.tiers[tier as usize]
    }
}

/// A fingerprint of the target that is in a set.
struct Found {
    print: Print,
    tier: Tier,
    first_row: u32,
    rows: u32,
    weight: f32,
}

/// The text as a whole: its family, and how many fingerprints of each tier stand in which stretch of it.
struct Target {
    family: Family,
    buckets: Vec<[u8; TIERS]>,
    total: [u32; TIERS],
}

impl Target {
    fn new(family: Family, text: &[u8]) -> Target {
        Target {
            family,
            buckets: vec![[0; TIERS]; text.len() / BUCKET_BYTES as usize + 1],
            total: [0; TIERS],
        }
    }

    #[inline]
    fn add(&mut self, tier: Tier, at: u32) {
        if let Some(counts) = self.buckets.get_mut((at / BUCKET_BYTES) as usize) {
            let count = &mut counts[tier as usize];
            *count = count.saturating_add(1);
        }
        self.total[tier as usize] += 1;
    }

    fn within(&self, tier: Tier, start: u32, end: u32) -> u32 {
        let last = (end / BUCKET_BYTES) as usize;
        let stretch = self
            .buckets
            .iter()
            .take(last + 1)
            .skip((start / BUCKET_BYTES) as usize);
        stretch.map(|counts| u32::from(counts[tier as usize])).sum()
    }
}

/// Holds `text` (decoded, see [`norm_text`](super::norm_text)) against those of `sets` that `is_asked` names. Beside what
/// its files have in common with it, what it echoes of works in other languages.
pub(super) fn likenesses(
    sets: &[Set],
    text: &[u8],
    least: &Least,
    is_asked: impl Fn(usize) -> bool,
) -> (Vec<Likeness>, Vec<Echo>) {
    let asked: Vec<(usize, &Set)> = (0..)
        .zip(sets)
        .filter(|&(at, set)| is_asked(at) && set.has_prints() && !set.is_baseline())
        .collect();
    if asked.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let mut search = Search::new(asked, sets, text);
    let family = search.whole.family;
    prints_of(family, text, Side::Target, |tier, print| {
        search.take(tier, print)
    });
    search.finish(sets, least)
}

/// Fingerprints that wait to be looked up together.
const BATCH: usize = 256;
/// What weighs less than this is in so much public code that it is not looked at.
const WEIGHT_MIN: f32 = 0.03;

/// A text that is held against sets, while its fingerprints come.
struct Search<'s> {
    asked: Vec<Asked<'s>>,
    baselines: Vec<&'s Set>,
    /// Files of all baselines.
    files: u32,
    whole: Target,
    /// The same of those fingerprints that a compact set would keep, where one is asked.
    kept: Option<Target>,
    listener: Listener,
    waiting: [Vec<Print>; TIERS],
    /// What each fingerprint weighs that some set has.
    weights: HashMap<(u64, Tier), f32, BuildHasherDefault<Mixed>>,
}

/// A set that is asked, and what it has of the text.
struct Asked<'s> {
    at: usize,
    set: &'s Set,
    found: Vec<Found>,
    /// Places of each so far.
    places: HashMap<(u64, Tier), u32, BuildHasherDefault<Mixed>>,
}

/// Values of fingerprints are mixed already: they are their own hash. Files are few.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 ^= value;
    }

    fn write_u32(&mut self, file: u32) {
        self.0 ^= u64::from(file).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_isize(&mut self, tier: isize) {
        self.0 = self.0.rotate_left(8) ^ tier as u64;
    }
}

impl<'s> Search<'s> {
    fn new(asked: Vec<(usize, &'s Set)>, sets: &'s [Set], text: &[u8]) -> Search<'s> {
        let baselines: Vec<&Set> = sets.iter().filter(|set| set.is_baseline()).collect();
        let family = family_of(text);
        let is_any_compact = asked.iter().any(|(_, set)| set.is_compact());
        let asked = asked.into_iter().map(|(at, set)| Asked {
            at,
            set,
            found: Vec::new(),
            places: HashMap::default(),
        });
        Search {
            asked: asked.collect(),
            files: baselines.iter().map(|set| set.files_total()).sum(),
            baselines,
            whole: Target::new(family, text),
            kept: is_any_compact.then(|| Target::new(family, text)),
            listener: Listener::new(sets, family),
            waiting: Default::default(),
            weights: HashMap::default(),
        }
    }

    #[inline]
    fn take(&mut self, tier: Tier, print: Print) {
        self.whole.add(tier, print.start);
        if let Some(kept) = self
            .kept
            .as_mut()
            .filter(|_| compact::keeps(tier, print.value))
        {
            kept.add(tier, print.start);
        }
        if tier == Tier::Atoms {
            self.listener.hear(print.value);
        }
        let waiting = &mut self.waiting[tier as usize];
        waiting.push(print);
        if waiting.len() >= BATCH {
            self.look_up(tier);
        }
    }

    /// Looks those of one tier up that wait.
    fn look_up(&mut self, tier: Tier) {
        let mut waiting = std::mem::take(&mut self.waiting[tier as usize]);
        for asked in &mut self.asked {
            let Some(index) = asked.set.index(tier) else {
                continue;
            };
            let data = asked.set.data();
            let stands_for = if asked.set.is_compact() {
                compact::scale(tier)
            } else {
                1.0
            };
            index.find_each(data, &waiting, |print, rows| {
                if rows.len() > FILES_MAX {
                    return;
                }
                let key = (print.value, tier);
                let weight = *self
                    .weights
                    .entry(key)
                    .or_insert_with(|| weight_of(&self.baselines, self.files, tier, print.value));
                if weight < WEIGHT_MIN {
                    return;
                }
                let places = asked.places.entry(key).or_insert(0);
                *places += 1;
                if tier == Tier::Atoms && *places == 1 {
                    self.listener
                        .know(asked.at, rows.start as u32, rows.len() as u32, weight);
                }
                if *places <= PLACES_MAX {
                    asked.found.push(Found {
                        print: *print,
                        tier,
                        first_row: rows.start as u32,
                        rows: rows.len() as u32,
                        weight: weight * stands_for / (rows.len() as f32).sqrt(),
                    });
                }
            });
        }
        waiting.clear();
        self.waiting[tier as usize] = waiting;
    }

    fn finish(mut self, sets: &[Set], least: &Least) -> (Vec<Likeness>, Vec<Echo>) {
        for tier in Tier::ALL {
            self.look_up(tier);
        }
        let mut likenesses = Vec::new();
        for asked in &self.asked {
            let kept = self.kept.as_ref().filter(|_| asked.set.is_compact());
            gather(
                asked.at,
                asked.set,
                &asked.found,
                kept.unwrap_or(&self.whole),
                least,
                &mut likenesses,
            );
        }
        (likenesses, self.listener.finish(sets))
    }
}

/// What a fingerprint weighs: see the page.
fn weight_of(baselines: &[&Set], files: u32, tier: Tier, value: u64) -> f32 {
    if files == 0 {
        return 1.0;
    }
    let having: u32 = baselines
        .iter()
        .filter_map(|set| Some(set.index(tier)?.frequency(set.data(), value)))
        .sum();
    if having > 0 && tier != Tier::Atoms {
        return 0.0;
    }
    let all = f64::from(files) + 1.0;
    let weight = (all / (f64::from(having) + 1.0)).ln() / all.ln();
    (weight.max(0.0) as f32).powi(4)
}

/// Puts what was found of each file of a set together, of files that could reach `least` by it.
fn gather(
    at: usize,
    set: &Set,
    found: &[Found],
    whole: &Target,
    least: &Least,
    into: &mut Vec<Likeness>,
) {
    let promising = promising(set, found, least);
    let mut files: BTreeMap<u32, Vec<(Trace, f32)>> = BTreeMap::new();
    for_each_file(set, found, |hit, row, posting, file| {
        if !promising.contains(&file) {
            return;
        }
        let trace = Trace {
            tier: hit.tier,
            start: hit.print.start,
            end: hit.print.end,
            posting,
            row,
        };
        files.entry(file).or_default().push((trace, hit.weight));
    });
    for (file, mut traces) in files {
        traces.sort_by_key(|(trace, _)| (trace.start, trace.end, trace.tier));
        let length = set.file(file).map_or(0, |info| info.bytes);
        let window = u32::try_from(length)
            .unwrap_or(u32::MAX)
            .max(WINDOW_MIN_BYTES);
        let tiers = Tier::ALL.map(|tier| {
            let original = set
                .index(tier)
                .map_or(0, |index| index.count_of(set.data(), file));
            let of_tier: Vec<&(Trace, f32)> = traces
                .iter()
                .filter(|(trace, _)| trace.tier == tier)
                .collect();
            let agreement = agreement(&of_tier, tier, window, original, whole);
            let kept = if set.is_compact() {
                compact::share(tier)
            } else {
                1.0
            };
            Agreement { kept, ..agreement }
        });
        into.push(Likeness {
            set: at,
            file,
            common: common(set, file, whole.family),
            tiers,
            traces: traces.into_iter().map(|(trace, _)| trace).collect(),
        });
    }
}

/// What a text of this family and a file of a work can have in common, as far as their languages can be told.
fn common(set: &Set, file: u32, family: Family) -> Common {
    match set.file(file).and_then(|info| info.family) {
        Some(Family::Generic) => Common::Text,
        Some(original) if original != family && !family.is_mixed() => Common::Quotes,
        _ => Common::Tokens,
    }
}

/// The files whose fingerprints together weigh enough. What they weigh is the most that their score can be, so nothing is
/// lost; nearly all files that share a few words with a text end here.
fn promising(set: &Set, found: &[Found], least: &Least) -> HashSet<u32> {
    let of = |hit: &Found| hit.weight / least.bars[hit.tier as usize];
    // No file has more than all of them; what rounding adds is far less than half.
    if found.iter().map(of).map(f64::from).sum::<f64>() < f64::from(least.strength) / 2.0 {
        return HashSet::new();
    }
    let mut sums: HashMap<u32, f32, BuildHasherDefault<Mixed>> = HashMap::default();
    for_each_file(set, found, |hit, _, _, file| {
        *sums.entry(file).or_insert(0.0) += of(hit);
    });
    let enough = sums.into_iter().filter(|(_, sum)| *sum >= least.strength);
    enough.map(|(file, _)| file).collect()
}

/// Calls `each` with what was found, its row, its posting and the file, for every file that has it.
fn for_each_file(set: &Set, found: &[Found], mut each: impl FnMut(&Found, u32, u32, u32)) {
    for hit in found {
        let Some(index) = set.index(hit.tier) else {
            continue;
        };
        for row in hit.first_row..hit.first_row + hit.rows {
            let Some(posting) = index.posting(set.data(), row as usize) else {
                continue;
            };
            if let Some(file) = index.file_of(set.data(), posting) {
                each(hit, row, posting, file);
            }
        }
    }
}

/// What a pair must be able to reach to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Least {
    /// What counts as 1 in each tier, in the order of [`Tier::ALL`].
    pub bars: [f32; TIERS],
    /// The sum that is asked for.
    pub strength: f32,
}

/// How one tier agrees: the window of `window` bytes whose fingerprints weigh most.
fn agreement(
    traces: &[&(Trace, f32)],
    tier: Tier,
    window: u32,
    original: u32,
    whole: &Target,
) -> Agreement {
    let mut inside: HashMap<u32, u32> = HashMap::new();
    let (mut weight, mut best) = (0.0_f64, (0.0_f64, 0, 0));
    let mut first = 0;
    for (last, (trace, value)) in (0..).zip(traces.iter().copied()) {
        let times = inside.entry(trace.row).or_insert(0);
        *times += 1;
        if *times == 1 {
            weight += f64::from(*value);
        }
        while let Some((left, value)) = traces
            .get(first)
            .filter(|(left, _)| first < last && trace.end - left.start > window)
        {
            first += 1;
            if let Some(times) = inside.get_mut(&left.row) {
                *times -= 1;
                if *times == 0 {
                    inside.remove(&left.row);
                    weight -= f64::from(*value);
                }
            }
        }
        // Sums of what came and went again are never quite what they were.
        if weight > best.0 + 1e-9 {
            best = (weight, first, last + 1);
        }
    }
    let held = traces.get(best.1..best.2).unwrap_or_default();
    let mut rows: Vec<u32> = held.iter().map(|(trace, _)| trace.row).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut all: Vec<u32> = traces.iter().map(|(trace, _)| trace.row).collect();
    all.sort_unstable();
    all.dedup();
    let (mut runs, mut behind) = (0, 0);
    for (trace, _) in held {
        if trace.start >= behind {
            runs += 1;
            behind = trace.end;
        }
    }
    let target = match held {
        [] => 0,
        [(one, _)] => whole.within(tier, one.start, one.end),
        [(first, _), .., (last, _)] => whole.within(tier, first.start, last.end),
    };
    Agreement {
        original,
        found: all.len() as u32,
        in_window: rows.len() as u32,
        weight: best.0 as f32,
        runs,
        target,
        target_total: whole.total[tier as usize],
        kept: 1.0,
    }
}
