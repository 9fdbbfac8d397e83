//! Tier `winnow/1`: stretches of letters and digits, whatever language they are in.
//!
//! A text that was cut, indented anew, pasted into another or edited here and there still has long stretches whose
//! letters and digits follow one another as before. So everything else is dropped, and of the rest every run of
//! [`GRAM`] characters is hashed; of every [`WINDOW`] runs that follow one another the one with the least hash is
//! kept. Two texts that share `GRAM + WINDOW - 1` characters in a row therefore share at least one fingerprint
//! (Schleimer, Wilkerson and Aiken: Winnowing, SIGMOD 2003), and each text keeps about two of `WINDOW + 1`.
//!
//! In full:
//!
//! 1. The characters are the ASCII letters and digits of the text, in order, capitals made small. All other
//!    bytes are left out, so that a copy in which they were lost or replaced is the same. So is what follows right
//!    behind a `\`: a copy within a string, as in JSON, has `\n` where the original has a line end. So are the
//!    references that a copy within HTML has: `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;`, `&nbsp;`, `&#39;`, `&#x27;`.
//! 2. `T[c]` is `mix(c + 1)`. The hash of the run `c1 … c30` is the XOR of `T[ci]` rotated left by `30 - i` bits, times
//!    0x9E3779B97F4A7C15.
//! 3. From the first full window on, each window gives its least hash, the last of equals. What the window before gave is not
//!    given again. A text with fewer than `WINDOW` runs is one window.

use super::Print;
use super::hash::mix;

/// Characters of a run.
pub const GRAM: usize = 30;
/// Runs of which one is kept.
pub const WINDOW: usize = 64;

/// Bytes of text that are folded in one go.
const BLOCK: usize = 4096;

/// What a byte becomes: 0 where it is left out.
const FOLD: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric() {
            table[byte] = b.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// What a character adds to the hash of a run that it enters.
const ENTERS: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = mix(byte as u64 + 1);
        byte += 1;
    }
    table
};

/// What it adds when it leaves: by then it was rotated once for each character of the run.
const LEAVES: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = ENTERS[byte].rotate_left(GRAM as u32);
        byte += 1;
    }
    table
};

/// Gives the fingerprints of `text` to `put`, in the order of their places.
pub(super) fn prints(text: &[u8], mut put: impl FnMut(Print)) {
    let mut state = State::new();
    for (block_at, block) in (0..).step_by(BLOCK).zip(text.chunks(BLOCK)) {
        let rest = text.get(block_at..).unwrap_or_default();
        state.take(block_at, block, rest, &mut put);
    }
    state.finish(&mut put);
}

/// Characters before the block at hand that are still needed: those of a window of runs.
const KEPT: usize = GRAM + WINDOW;

/// The characters of the block at hand and those before it, each with the run that ends with it.
///
/// The work on a block is done in three loops with hardly a branch, one after another: folding, hashing, choosing. That is
/// twice as fast as doing all three for each character.
struct State {
    chars: [u8; KEPT + BLOCK],
    places: [u32; KEPT + BLOCK],
    hashes: [u64; KEPT + BLOCK],
    len: usize,
    /// The end of the last reference to a character.
    reference_end: u32,
    /// The byte before the block.
    before: u8,
    /// Hash of the last run.
    hash: u64,
    /// Characters that went out of sight.
    gone: usize,
    /// The character that ends the run with the least hash of the window.
    least: usize,
}

impl State {
    fn new() -> State {
        State {
            chars: [0; KEPT + BLOCK],
            places: [0; KEPT + BLOCK],
            hashes: [0; KEPT + BLOCK],
            len: 0,
            reference_end: 0,
            before: 0,
            hash: 0,
            gone: 0,
            least: GRAM - 1,
        }
    }

    /// Takes the block at `block_at`, which `rest` begins with.
    fn take(&mut self, block_at: usize, block: &[u8], rest: &[u8], put: &mut impl FnMut(Print)) {
        self.make_room();
        let fresh = self.len;
        self.fold(block_at, block, rest);
        self.roll(fresh);
        self.choose(fresh, put);
    }

    /// Moves what is still needed to the front.
    fn make_room(&mut self) {
        let Some(from) = self.len.checked_sub(KEPT) else {
            return;
        };
        self.chars.copy_within(from..self.len, 0);
        self.places.copy_within(from..self.len, 0);
        self.hashes.copy_within(from..self.len, 0);
        self.len = KEPT;
        self.gone += from;
        self.least -= from;
    }

    fn fold(&mut self, block_at: usize, block: &[u8], rest: &[u8]) {
        let mut len = self.len;
        let mut before = self.before;
        for (place, &byte) in (block_at as u32..).zip(block) {
            let is_escaped = before == b'\\';
            before = byte;
            if byte == b'&' {
                let at = place as usize - block_at;
                self.reference_end = place + reference_len(rest.get(at..).unwrap_or_default());
            }
            let is_left_out = is_escaped | (place < self.reference_end);
            let folded = FOLD[usize::from(byte)] * u8::from(!is_left_out);
            // Written whether it stays or not: a branch on every byte costs more.
            self.chars[len] = folded;
            self.places[len] = place;
            len += usize::from(folded != 0);
        }
        self.len = len;
        self.before = before;
    }

    /// Hashes the runs that end with the characters from `fresh` on.
    fn roll(&mut self, fresh: usize) {
        let mut hash = self.hash;
        // Nothing leaves while the first run is not full.
        let full = GRAM.saturating_sub(self.gone).clamp(fresh, self.len);
        for at in fresh..full {
            hash = hash.rotate_left(1) ^ ENTERS[usize::from(self.chars[at])];
            self.hashes[at] = finish(hash);
        }
        let entering = &self.chars[full..self.len];
        let leaving = &self.chars[full.saturating_sub(GRAM)..];
        let hashes = &mut self.hashes[full..self.len];
        for ((&enters, &leaves), out) in entering.iter().zip(leaving).zip(hashes) {
            hash = hash.rotate_left(1) ^ ENTERS[usize::from(enters)] ^ LEAVES[usize::from(leaves)];
            *out = finish(hash);
        }
        self.hash = hash;
    }

    /// Gives the least of each window that ends with a character from `fresh` on.
    fn choose(&mut self, fresh: usize, put: &mut impl FnMut(Print)) {
        // Where the first run and the first window end, as far as that is in sight.
        let first_run = (GRAM - 1).saturating_sub(self.gone);
        let first_window = (GRAM + WINDOW - 2).saturating_sub(self.gone);
        let mut least = self.least;
        let mut value = self.hashes[least];
        for at in fresh.max(first_run)..self.len {
            let hash = self.hashes[at];
            if hash <= value || at == first_run && self.gone == 0 {
                (least, value) = (at, hash);
            } else if at == least + WINDOW {
                least = self.least_of(at + 1 - WINDOW..at + 1);
                value = self.hashes[least];
            } else if at != first_window || self.gone > 0 {
                continue;
            }
            if at >= first_window {
                put(self.print(least));
            }
        }
        self.least = least;
    }

    /// The last of those with the least hash.
    fn least_of(&self, runs: std::ops::Range<usize>) -> usize {
        let mut least = runs.start;
        for at in runs {
            if self.hashes[at] <= self.hashes[least] {
                least = at;
            }
        }
        least
    }

    fn print(&self, at: usize) -> Print {
        Print {
            value: self.hashes[at],
            start: self.places[at + 1 - GRAM],
            end: self.places[at] + 1,
        }
    }

    /// What a text gives that is shorter than a window.
    fn finish(self, put: &mut impl FnMut(Print)) {
        let seen = self.gone + self.len;
        if (GRAM..GRAM + WINDOW - 1).contains(&seen) {
            put(self.print(self.least));
        }
    }
}

/// The length of the reference to a character that a text begins with; 0 where it does not.
#[inline]
fn reference_len(text: &[u8]) -> u32 {
    let known = REFERENCES.iter().find(|name| text.starts_with(name));
    known.map_or(0, |name| name.len() as u32)
}

/// What writers of HTML put for characters that mean something there.
const REFERENCES: [&[u8]; 8] = [
    b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&apos;", b"&nbsp;", b"&#39;", b"&#x27;",
];

/// Spreads the hash of a run over the numbers, so that the least is any of them.
#[inline]
fn finish(hash: u64) -> u64 {
    hash.wrapping_mul(SPREAD)
}

/// The factor of it.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &[u8]) -> Vec<Print> {
        let mut found = Vec::new();
        prints(text, |print| found.push(print));
        found
    }

    /// The rules of the page, word for word and slowly.
    fn slowly(text: &[u8]) -> Vec<Print> {
        let is_referred = |at: usize| {
            let mut starts = at.saturating_sub(5)..at;
            starts.any(|from| from + reference_len(&text[from..]) as usize > at)
        };
        let chars: Vec<(u32, u8)> = (0..)
            .zip(text)
            .filter(|(at, b)| {
                let at = *at as usize;
                b.is_ascii_alphanumeric() && (at == 0 || text[at - 1] != b'\\') && !is_referred(at)
            })
            .map(|(at, b)| (at, b.to_ascii_lowercase()))
            .collect();
        let runs: Vec<Print> = chars
            .windows(GRAM)
            .map(|run| {
                let mut hash = 0;
                for (i, (_, c)) in (1..).zip(run) {
                    hash ^= mix(u64::from(*c) + 1).rotate_left(GRAM as u32 - i);
                }
                Print {
                    value: finish(hash),
                    start: run[0].0,
                    end: run[GRAM - 1].0 + 1,
                }
            })
            .collect();
        let mut found: Vec<Print> = Vec::new();
        for window in runs.windows(WINDOW.min(runs.len().max(1))) {
            let least = window.iter().map(|run| run.value).min();
            let chosen = window.iter().rev().find(|run| Some(run.value) == least);
            if let Some(run) = chosen.filter(|run| found.last() != Some(run)) {
                found.push(*run);
            }
        }
        found
    }

    #[test]
    fn a_text_shorter_than_a_run_gives_nothing() {
        assert_eq!(all(&[b'a'; GRAM - 1]), []);
        assert_eq!(all(&[b'a'; GRAM]).len(), 1);
    }

    #[test]
    fn what_is_no_letter_or_digit_changes_nothing_but_places() {
        let text: Vec<u8> = (0..5000_u32).map(|n| b'a' + (n * n % 23) as u8).collect();
        let spaced: Vec<u8> = text
            .iter()
            .flat_map(|&b| [b' ', b.to_ascii_uppercase(), 0xFF])
            .collect();
        let values = |text: &[u8]| all(text).iter().map(|p| p.value).collect::<Vec<_>>();
        assert_eq!(values(&text), values(&spaced));
        for (print, spread) in all(&text).iter().zip(all(&spaced)) {
            assert_eq!(spread.start, print.start * 3 + 1);
        }
    }

    proptest! {
        #[test]
        fn it_is_as_the_page_says(text in r"([a-e .\\&]|&lt;|&#x27;){0,9000}") {
            prop_assert_eq!(all(text.as_bytes()), slowly(text.as_bytes()));
        }

        #[test]
        fn shared_stretches_share_a_fingerprint(
            before in "[a-z]{0,200}", shared in "[a-z0-9]{93,93}", after in "[a-z]{0,200}",
            other in "[a-z]{0,200}", end in "[a-z]{0,200}",
        ) {
            let one = all(format!("{before}{shared}{after}").as_bytes());
            let two = all(format!("{other}{shared}{end}").as_bytes());
            prop_assert!(one.iter().any(|a| two.iter().any(|b| a.value == b.value)));
        }
    }
}
