//! The validation card: how often a grade was given where the truth is known to be another.
//!
//! Who relies on a method asks how it was tested, on what, and how often it was wrong. The answer belongs beside every
//! match and must not be looked up: so the program carries it. What was counted stands in `signatures/validation.toml`:
//! the test set by its digest, the versions of what was tested, and for each grade the false pairs among all pairs. A
//! test holds digest and versions against the benchmark and the program, so that neither changes under the card unseen.
//!
//! **Interval.** None found is not none there. For each rate the card states the exact binomial interval (Clopper and
//! Pearson, Biometrika 26, 1934, p. 404): all rates under which what was seen, or more, and what was seen, or less, each
//! have a likelihood above 2.5 %. Its bounds are found by halving, since the likelihood falls as the rate rises; that
//! takes no beta function, and the tests hold it against a statistics library.
//!
//! What this leaves out: recall. A card speaks of what is called a match and is none; of copies that are not found
//! `benches/RESULTS.md` tells. And a rate of pairs is none of cases: who asks of many pairs has to multiply.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::record;

/// The file that the program carries.
const BUILTIN: &str = include_str!("../../signatures/validation.toml");
/// Likelihood that an interval leaves out on each side: 95 % are within.
const TAIL: f64 = 0.025;
/// Halvings of an interval: more than a rate has bits.
const HALVINGS: u32 = 1_100;

/// What is known of how often grades are wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The counts are stand-ins: nothing was measured yet.
    pub provisional: bool,
    /// Version of the verdict that was tested.
    pub verdict: String,
    /// Algorithm ids of the tiers that were tested.
    pub tiers: Vec<String>,
    /// SHA-256 of the list that pins the test set, hex.
    pub test_set: String,
    /// What was counted of each grade, the strongest first.
    #[serde(rename(deserialize = "grade"))]
    pub grades: Vec<Measured>,
    /// Tiers that came after that, measured by themselves.
    pub apart: Vec<Apart>,
}

/// What was counted of one tier by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "CountedApart")]
pub struct Apart {
    /// Its algorithm id.
    pub tier: String,
    /// What of the test set it was measured on.
    pub of: String,
    /// Pairs that are none, whatever came out.
    pub pairs: u64,
    /// How many of them it holds for the same.
    pub wrong: Wrong,
}

/// What was counted of one grade.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Counted")]
pub struct Measured {
    /// The grade.
    pub grade: record::Grade,
    /// Pairs that are none, whatever came out.
    pub pairs: u64,
    /// What came out where a baseline was given.
    pub with_baseline: Wrong,
    /// What came out where none was, at the thresholds for that.
    pub without_baseline: Wrong,
}

/// How often a grade was given to pairs that are none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Wrong {
    /// Pairs that came out with it.
    pub false_pairs: u64,
    /// Bounds of the rate, see the page.
    pub interval: [f64; 2],
}

/// The row of a grade as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    name: record::Grade,
    r#false: u64,
    false_without_baseline: u64,
    pairs: u64,
}

/// The row of a tier by itself as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountedApart {
    tier: String,
    of: String,
    r#false: u64,
    pairs: u64,
}

impl From<CountedApart> for Apart {
    fn from(counted: CountedApart) -> Self {
        Self {
            tier: counted.tier,
            of: counted.of,
            pairs: counted.pairs,
            wrong: Wrong {
                false_pairs: counted.r#false,
                interval: interval(counted.r#false, counted.pairs),
            },
        }
    }
}

impl From<Counted> for Measured {
    fn from(counted: Counted) -> Self {
        let wrong = |false_pairs| Wrong {
            false_pairs,
            interval: interval(false_pairs, counted.pairs),
        };
        Self {
            grade: counted.name,
            pairs: counted.pairs,
            with_baseline: wrong(counted.r#false),
            without_baseline: wrong(counted.false_without_baseline),
        }
    }
}

impl Card {
    /// The card of this program.
    ///
    /// # Panics
    /// Never in a build that passed its tests: the file is part of the program, and a test reads it.
    #[must_use]
    pub fn builtin() -> &'static Card {
        static CARD: LazyLock<Card> = LazyLock::new(|| match toml::from_str(BUILTIN) {
            Ok(card) => card,
            Err(error) => panic!("the built-in validation card is broken: {error}"),
        });
        &CARD
    }

    /// Grades that a match may have and that were not measured.
    pub fn not_measured(&self) -> impl Iterator<Item = record::Grade> {
        use record::Grade::{Derived, Exact, Excerpt, Hinted, Normalized, Ported};
        let all = [Exact, Normalized, Excerpt, Derived, Ported, Hinted];
        all.into_iter()
            .filter(|grade| self.grades.iter().all(|row| row.grade != *grade))
    }
}

impl Measured {
    /// What came out with a baseline or without one.
    #[must_use]
    pub fn wrong(&self, has_baseline: bool) -> &Wrong {
        if has_baseline {
            &self.with_baseline
        } else {
            &self.without_baseline
        }
    }
}

impl Wrong {
    /// The interval in words: `0 to 3.7e-6`.
    #[must_use]
    pub fn interval_words(&self) -> String {
        let [from, to] = self.interval.map(rate_words);
        format!("{from} to {to}")
    }
}

/// A rate with two digits that count, which is more than it is known to.
fn rate_words(rate: f64) -> String {
    match rate {
        0.0 => "0".to_owned(),
        ..0.01 => format!("{rate:.1e}"),
        _ => format!("{rate:.3}"),
    }
}

/// The exact binomial interval of a rate of which `found` of `all` were seen; of nothing seen nothing is known.
#[must_use]
pub fn interval(found: u64, all: u64) -> [f64; 2] {
    let found = found.min(all);
    let from = match found {
        0 => 0.0,
        // As many or more: one less the likelihood of fewer.
        _ => halved(|rate| 1.0 - at_most(found - 1, all, rate) >= TAIL),
    };
    let to = if found == all {
        1.0
    } else {
        halved(|rate| at_most(found, all, rate) <= TAIL)
    };
    [from, to]
}

/// The least rate for which something is true that stays so for all above it.
fn halved(is_reached: impl Fn(f64) -> bool) -> f64 {
    let (mut below, mut above) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(below, above);
        if middle <= below || middle >= above {
            break;
        }
        if is_reached(middle) {
            above = middle;
        } else {
            below = middle;
        }
    }
    above
}

/// The likelihood of `found` or fewer of `all`, each with this likelihood by itself.
fn at_most(found: u64, all: u64, rate: f64) -> f64 {
    // Each term as a multiple of the one before it; logarithms, since the first may be less than any number.
    let odds = (rate / (1.0 - rate)).ln();
    let mut term = all as f64 * (-rate).ln_1p();
    let mut sum = term;
    for k in 0..found {
        term += odds + ((all - k) as f64 / (k + 1) as f64).ln();
        let (small, large) = (sum.min(term), sum.max(term));
        sum = large + (small - large).exp().ln_1p();
    }
    sum.exp().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::Sha256Digest;
    use crate::signature::{format, norm_text, prints, verdict};

    #[test]
    fn the_card_speaks_of_this_program_and_of_this_test_set() {
        let card = Card::builtin();
        assert_eq!(card.verdict, verdict::VERSION);
        let mut tiers = vec![format::EXACT_ID, norm_text::ALGORITHM];
        tiers.extend(prints::Tier::ALL.map(prints::Tier::id));
        assert_eq!(card.tiers, tiers);
        let list = include_bytes!("../../benches/leakbench/packages.tsv");
        assert_eq!(card.test_set, Sha256Digest::of(list).hex());
        assert!(card.grades.is_sorted_by(|a, b| a.grade < b.grade));
        for row in &card.grades {
            for has_baseline in [true, false] {
                let wrong = row.wrong(has_baseline).false_pairs;
                assert!(wrong <= row.pairs && row.pairs > 0, "{row:?}");
            }
        }
        let apart: Vec<&str> = card.apart.iter().map(|row| row.tier.as_str()).collect();
        assert_eq!(apart, [format::LAYOUT_ID]);
        let missing: Vec<_> = card.not_measured().collect();
        assert_eq!(missing.len() + card.grades.len(), 6);
    }

    /// Values of scipy.stats.beta: `ppf(0.025, k, n - k + 1)` and `ppf(0.975, k + 1, n - k)`.
    #[test]
    fn intervals_are_those_of_a_statistics_library() {
        for (found, all, from, to) in [
            (0, 1, 0.0, 0.975),
            (1, 1, 0.025, 1.0),
            (0, 20, 0.0, 0.168_433_470_983_085_3),
            (3, 20, 0.032_070_937_185_463_7, 0.378_926_826_545_313_96),
            (19, 20, 0.751_267_237_227_972_2, 0.998_734_910_502_050_2),
            (20, 20, 0.831_566_529_016_914_6, 1.0),
            (0, 1_000_000, 0.0, 3.688_872_650_206_488e-6),
            (
                1,
                1_000_000,
                2.531_780_766_379_417_8e-8,
                5.571_630_655_166_939e-6,
            ),
            (
                7,
                1_000_000,
                2.814_367_534_302_22e-6,
                1.442_262_183_433_102_8e-5,
            ),
            (
                1_200,
                1_000_000,
                1.133_094_286_115_485_5e-3,
                1.269_821_190_709_889e-3,
            ),
            (0, 2_000_000_000, 0.0, 1.844_439_725_355_988_8e-9),
            (
                25,
                2_000_000_000,
                8.089_340_939_731_988e-9,
                1.845_246_592_341_000_5e-8,
            ),
        ] {
            let [low, high] = interval(found, all);
            for (ours, theirs) in [(low, from), (high, to)] {
                let is_near = (ours - theirs).abs() <= 1e-7 * theirs;
                assert!(is_near, "{found} of {all}: {ours} is not {theirs}");
            }
        }
        assert_eq!(interval(0, 0), [0.0, 1.0]);
    }

    #[test]
    fn rates_have_as_many_digits_as_say_something() {
        let words = |interval| {
            let wrong = Wrong {
                false_pairs: 0,
                interval,
            };
            wrong.interval_words()
        };
        assert_eq!(words([0.0, 3.688_872e-6]), "0 to 3.7e-6");
        assert_eq!(words([0.032_070_9, 0.975]), "0.032 to 0.975");
    }
}
