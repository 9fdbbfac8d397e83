//! Compact sets: which fingerprints are kept.
//!
//! A set at full density takes some 30 % of the size of its work; nearly all of that is fingerprints of stretches, of which
//! every file has many more than it takes to recognise it as a whole. A compact set keeps one in three of these, and takes
//! half. What suffers is what was small to begin with: an excerpt of a few lines. `benches/RESULTS.md` has the figures.
//!
//! **The rule** looks at the value of a fingerprint alone: it is kept if the first 8 bits of the 64 of `value *
//! 0xD6E8FEB86659FD93` are, as a number, less than 85. So all releases of a work keep the same ones, what
//! is common to two files stays so, and the share of a file's kept fingerprints that a text has is an estimate of its share of
//! all that is as often too large as too small (Broder, On the resemblance and containment of documents, 1997). The values
//! of `winnow/1` are small numbers more often than large ones, since the least of a window was chosen; the product spreads
//! them. Single atoms and pieces are all kept: they are few, and a piece may be all that is left of a file.
//! The numbers are frozen with the flag in the header ([`format`](mod@super::format)).
//!
//! **What is asked of a compact set** is asked as always. Counted is on both sides what would be kept: shares of the
//! original are of its kept fingerprints, and shares of the target of those of its own that would be kept. What stands for
//! several weighs nearly as much as they, so that thresholds stay; and where a likelihood rests on how many fingerprints
//! the target has, these are all of them.

use super::prints::Tier;

/// Of 256 fingerprints of a tier so many are kept, in the order of [`Tier::ALL`].
const KEPT_OF_256: [u32; Tier::ALL.len()] = [256, 85, 256, 85, 85];

const SPREAD: u64 = 0xD6E8_FEB8_6659_FD93;

/// Whether a compact set keeps this fingerprint.
#[inline]
pub(super) fn keeps(tier: Tier, value: u64) -> bool {
    (value.wrapping_mul(SPREAD) >> 56) < u64::from(KEPT_OF_256[tier as usize])
}

/// The share of the fingerprints of a tier that is kept, 0 to 1.
pub(super) fn share(tier: Tier) -> f32 {
    KEPT_OF_256[tier as usize] as f32 / 256.0
}

/// What one that was kept weighs for those that it stands for. Somewhat less than their number, which is 3: it is one
/// observation, and what agrees by chance weighs more, too. Set on the development half of the benchmark, for one false pair in
/// 100,000; part of the version of the verdict, and not of the format.
pub(super) fn scale(tier: Tier) -> f32 {
    if share(tier) < 1.0 { 2.5 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::super::prints::FilePrints;
    use super::*;

    /// Published for good; computed with a second implementation, in Python.
    #[test]
    fn golden_values() {
        let kept = (0..200).filter(|&value| keeps(Tier::Winnow, value)).count();
        assert_eq!(kept, GOLDEN);
        assert!((0..200).all(|value| keeps(Tier::Atoms, value) && keeps(Tier::Pieces, value)));
    }

    const GOLDEN: usize = 66;

    #[test]
    fn a_third_of_each_tier_is_kept() {
        let text: String = (0..4000_u32)
            .map(|n| {
                let word = n.wrapping_mul(2_654_435_761);
                format!("call{word}(item.field{n}, \"text {word:x}\") + {word};\n")
            })
            .collect();
        let prints = FilePrints::of(text.as_bytes());
        for tier in Tier::ALL {
            let all = prints.of_tier(tier);
            let kept = all.iter().filter(|print| keeps(tier, print.value)).count();
            let expected = all.len() as f32 * share(tier);
            // Five standard deviations of a binomial distribution.
            let room = 5.0 * (expected * (1.0 - share(tier))).sqrt();
            assert!((kept as f32 - expected).abs() <= room, "{tier:?} {kept}");
        }
    }
}
