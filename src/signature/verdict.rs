//! From what two texts have in common to a grade: the thresholds, and nothing else.
//!
//! Each tier gives a score: what the agreeing fingerprints of the best window weigh, times the larger of the shares that
//! they are of the original's and of the window's. A small file that is there as a whole and a long excerpt of a large one
//! both score high; scattered agreement with a large text scores low whatever its sum. Scores are divided by the
//! tier's threshold and added up; from 1 on the pair is a match. If letters and digits alone suffice, the same text
//! is there, and the grade is `excerpt`; else it is `derived`.
//!
//! **Thresholds are part of the algorithm's version** ([`VERSION`]): they do not depend on how many files or targets a run
//! has, so that a part of a scan and the whole agree. They were set on the development half of the benchmark in
//! `benches/leakbench`, at a rate of false pairs of one in 100,000 or below, and scored on the other half; the figures
//! are in `benches/RESULTS.md`.
//!
//! **Likelihood.** `log10_p` answers: if the original's fingerprints came up in a foreign text of this size as
//! they do in foreign texts of the benchmark, independent of each other, how likely were this many or more? Observations
//! are counted, not fingerprints: those that overlap are one. The number of observations is then distributed as Poisson
//! has it, with a mean of `original * rate * target / TARGET_TYPICAL`. It is the figure of this pair alone; a report that
//! speaks of many pairs multiplies.

use super::group::Grade;
use super::liken::{Agreement, Common, Least, Likeness};
use super::prints::Tier;

/// Version of the verdict: thresholds and rates belong to it.
pub const VERSION: &str = "verdict/1";

/// What it takes in one tier.
#[derive(Debug, Clone, Copy)]
struct Bar {
    /// Score that suffices, with a baseline.
    with_baseline: f32,
    /// The same without one, where nobody knows what is common.
    without: f32,
    /// The most that fingerprints may weigh together that overlap: where they share tokens, one follows from another.
    of_a_run: f32,
    /// How often a fingerprint of a file is observed in a foreign text for each [`TARGET_TYPICAL`] fingerprints that this
    /// has: with a baseline, and without. Measured on the development half (`leakbench --rates`).
    rates: [f64; 2],
}

/// Fingerprints of a tier that the rates speak of.
const TARGET_TYPICAL: f64 = 100.0;

/// In the order of [`Tier::ALL`].
const BARS: [Bar; Tier::ALL.len()] = [
    Bar {
        with_baseline: 3.4,
        without: 17.0,
        of_a_run: f32::INFINITY,
        rates: [2.0e-3, 5.6e-3],
    },
    Bar {
        with_baseline: 2.05,
        without: 5.5,
        of_a_run: 2.0,
        rates: [2.3e-6, 4.6e-6],
    },
    Bar {
        with_baseline: 0.7,
        without: 2.0,
        of_a_run: f32::INFINITY,
        rates: [4.2e-7, 4.2e-7],
    },
    Bar {
        with_baseline: 1.55,
        without: 3.5,
        of_a_run: 2.0,
        rates: [4.8e-6, 4.7e-5],
    },
    Bar {
        with_baseline: 2.4,
        without: 5.5,
        of_a_run: f32::INFINITY,
        rates: [1.2e-6, 2.5e-6],
    },
];

/// What text counts that stands in programs in two languages: lists of words, which many programs have.
const QUOTES: f32 = 0.5;

/// What was judged of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// How the two agree.
    pub grade: Grade,
    /// 0 to 1: how far beyond the threshold; 0.5 is at it.
    pub score: f32,
    /// See the page.
    pub log10_p: f32,
    /// Share of the original's fingerprints that are in the target.
    pub of_original: f32,
    /// Share of the target's fingerprints that are the original's.
    pub of_target: f32,
}

/// Judges a pair; `None` where it does not suffice.
#[must_use]
pub fn judge(likeness: &Likeness, has_baseline: bool) -> Option<Verdict> {
    let sum = strength(likeness, has_baseline);
    if sum < 1.0 {
        return None;
    }
    let same_text =
        part(likeness, Tier::Winnow, has_baseline) + part(likeness, Tier::Pieces, has_baseline);
    let grade = if same_text >= 1.0 {
        Grade::Excerpt
    } else {
        Grade::Derived
    };
    let carrying = tiers_of(grade);
    let share = |of: fn(&Agreement) -> f32| {
        let shares = carrying.iter().map(|&tier| of(likeness.tier(tier)));
        shares.fold(0.0, f32::max).min(1.0)
    };
    Some(Verdict {
        grade,
        score: sum / (1.0 + sum),
        log10_p: least_likely(likeness, has_baseline),
        of_original: share(|tier| tier.found as f32 / tier.original.max(1) as f32),
        of_target: share(|tier| tier.found as f32 / tier.target_total.max(1) as f32),
    })
}

/// What a pair must be able to reach.
#[must_use]
pub fn least(has_baseline: bool) -> Least {
    Least {
        bars: BARS.map(|bar| {
            if has_baseline {
                bar.with_baseline
            } else {
                bar.without
            }
        }),
        strength: 1.0,
    }
}

/// The tiers whose agreement a grade rests on.
#[must_use]
pub fn tiers_of(grade: Grade) -> &'static [Tier] {
    match grade {
        Grade::Exact | Grade::Normalized => &[],
        Grade::Excerpt => &[Tier::Winnow, Tier::Pieces],
        Grade::Derived => &[Tier::Atoms, Tier::Grams, Tier::Shape],
    }
}

/// The scores of all tiers, each as a multiple of its threshold, together.
#[must_use]
pub fn strength(likeness: &Likeness, has_baseline: bool) -> f32 {
    Tier::ALL
        .into_iter()
        .map(|tier| part(likeness, tier, has_baseline))
        .sum()
}

fn part(likeness: &Likeness, tier: Tier, has_baseline: bool) -> f32 {
    let is_of_text = matches!(tier, Tier::Winnow | Tier::Pieces);
    let counts = match likeness.common {
        Common::Tokens => 1.0,
        Common::Text if is_of_text => 1.0,
        Common::Quotes if is_of_text => QUOTES,
        Common::Text | Common::Quotes => return 0.0,
    };
    let bar = BARS[tier as usize];
    let agreement = likeness.tier(tier);
    let weight = agreement.weight.min(bar.of_a_run * agreement.runs as f32);
    let score = weight * agreement.of_original().max(agreement.of_target());
    counts * score
        / if has_baseline {
            bar.with_baseline
        } else {
            bar.without
        }
}

/// The least of the tiers' likelihoods. Words of one field come together, so atoms are asked only where they are all there is.
fn least_likely(likeness: &Likeness, has_baseline: bool) -> f32 {
    let of = |tier| log10_p(likeness.tier(tier), tier, has_baseline);
    let others = Tier::ALL.into_iter().filter(|&tier| tier != Tier::Atoms);
    match others.map(of).fold(0.0, f32::min) {
        0.0 => of(Tier::Atoms),
        least => least,
    }
}

/// The likelihood of as many observations or more by chance.
fn log10_p(agreement: &Agreement, tier: Tier, has_baseline: bool) -> f32 {
    let [with, without] = BARS[tier as usize].rates;
    let rate = if has_baseline { with } else { without };
    // Any of the target's fingerprints can be one of the original's, also of those that a compact set would not keep.
    let target = f64::from(agreement.target).max(1.0) / f64::from(agreement.kept) / TARGET_TYPICAL;
    let mean = (f64::from(agreement.original) * rate * target).max(f64::MIN_POSITIVE);
    log10_of_tail(observations(agreement), mean) as f32
}

/// Fingerprints that agree, those that overlap counted once.
#[must_use]
pub fn observations(agreement: &Agreement) -> u32 {
    u32::min(agreement.runs, agreement.in_window)
}

/// log10 of the likelihood that a Poisson variable of this mean is `count` or more.
///
/// Sums are taken over the terms that fall, away from the mean: those in the other direction rise first, by more than a
/// float holds where the mean is in the hundreds, as it is for a large file that is there in part.
fn log10_of_tail(count: u32, mean: f64) -> f64 {
    let log_of_term = |at: u32| (1..=at).fold(-mean, |sum, k| sum + mean.ln() - f64::from(k).ln());
    let Some(below) = count.checked_sub(1) else {
        return 0.0;
    };
    if f64::from(count) <= mean {
        let falling = (0..=below).rev().map(|k| f64::from(k) / mean);
        let is_less = (log_of_term(below) + sum_of_falling(falling).ln()).exp();
        return (-is_less).ln_1p() / std::f64::consts::LN_10;
    }
    let falling = (count..u32::MAX).map(|k| mean / (f64::from(k) + 1.0));
    let log_tail = log_of_term(count) + sum_of_falling(falling).ln();
    (log_tail / std::f64::consts::LN_10).min(0.0)
}

/// 1, and each next term as the one before it times its ratio, until the rest adds nothing.
fn sum_of_falling(ratios: impl Iterator<Item = f64>) -> f64 {
    const NOTHING: f64 = 1e-12;
    let (mut sum, mut term) = (1.0, 1.0);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        if term < sum * NOTHING {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of scipy.stats.poisson.sf(count - 1, mean), log10.
    #[test]
    fn tail_is_that_of_a_statistics_library() {
        for (count, mean, expected) in [
            (1, 1e-6, -6.000_000_2),
            (3, 0.5, -1.842_052_9),
            (10, 0.01, -26.563_7),
            (5, 20.0, -7.37e-6),
            (0, 3.0, 0.0),
            // Large files that are there in part: their terms rise beyond what a float holds.
            (990, 1000.0, -0.201_836),
            (1000, 1000.0, -0.297_393),
            (1100, 1000.0, -3.016_54),
            (1, 800.0, 0.0),
            (1000, 20_000.0, 0.0),
            (5_000, 2_000_000.0, 0.0),
        ] {
            let tail = log10_of_tail(count, mean);
            assert!((tail - expected).abs() < 1e-3, "{count} {mean}: {tail}");
        }
    }
}
