//! Which places to examine next, drawn by chance that can be drawn again.
//!
//! Each place gets a number from its address and the seed (keyed BLAKE3), and the least numbers win. So a draw depends on
//! nothing but which places there are: not on the order of the list, and not on the machine. Whoever has the seed can draw
//! again and see that nobody chose.

use std::collections::BTreeMap;

/// What keys are derived for.
const CONTEXT: &str = "strandline 2026-11 case sample: which places to examine next";

/// The first `n` of these by chance, in the order in which they were drawn.
pub fn draw<'k, T>(places: &BTreeMap<&'k str, T>, n: u64, seed: u64) -> Vec<&'k str> {
    let key = blake3::derive_key(CONTEXT, &seed.to_le_bytes());
    let number = |place: &&str| *blake3::keyed_hash(&key, place.as_bytes()).as_bytes();
    let mut drawn: Vec<([u8; 32], &str)> =
        places.keys().map(|place| (number(place), *place)).collect();
    drawn.sort_unstable();
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    drawn.into_iter().take(n).map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(count: u32) -> Vec<String> {
        (0..count)
            .map(|number| format!("git.example/f{number}/x"))
            .collect()
    }

    #[test]
    fn a_draw_can_be_drawn_again_and_goes_on() {
        let names = places(100);
        let all: BTreeMap<&str, ()> = names.iter().map(|name| (name.as_str(), ())).collect();
        let ten = draw(&all, 10, 7);
        assert_eq!(ten, draw(&all, 10, 7));
        assert_ne!(ten, draw(&all, 10, 8));
        assert_eq!(draw(&all, 20, 7)[..10], ten);
        // What was drawn and examined is no more among them, and the next draw goes on behind it.
        let mut rest = all.clone();
        rest.retain(|name, ()| !ten.contains(name));
        assert_eq!(draw(&rest, 10, 7), draw(&all, 20, 7)[10..]);
        assert_eq!(draw(&all, u64::MAX, 7).len(), 100);
    }

    /// Chi-square over a hundred cells with 99 degrees of freedom: 1 in 10,000 lies beyond 161.3.
    #[test]
    fn each_place_is_as_likely_as_any() {
        let names = places(100);
        let all: BTreeMap<&str, ()> = names.iter().map(|name| (name.as_str(), ())).collect();
        let mut counts: BTreeMap<&str, f64> = all.keys().map(|name| (*name, 0.0)).collect();
        for seed in 0..1_000 {
            for name in draw(&all, 10, seed) {
                if let Some(count) = counts.get_mut(name) {
                    *count += 1.0;
                }
            }
        }
        let chi: f64 = counts
            .values()
            .map(|count| (count - 100.0_f64).powi(2) / 100.0)
            .sum();
        assert!(chi < 161.3, "{chi}");
    }
}
