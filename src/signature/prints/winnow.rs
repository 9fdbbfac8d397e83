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

/// Bytes of text that are taken in one go. What is known of them fits into the nearest cache.
const BLOCK: usize = 1024;

/// A hash below this is low. One in eight is, so that nearly every window has some; then its least is one of them, and the
/// others need not be looked at.
const LOW: u64 = 1 << 61;

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
    for block_at in (0..text.len()).step_by(BLOCK) {
        state.take(text, block_at, &mut put);
    }
    state.finish(&mut put);
}

/// Characters before the block at hand that are still needed: those of a window of runs.
const KEPT: usize = GRAM + WINDOW;

/// Characters that are in sight: what is moved out of it is a multiple of the bits of a word.
const SIGHT: usize = (KEPT + 64 + BLOCK).next_multiple_of(64);

/// The characters of the block at hand and those before it, each with the run that ends with it.
///
/// The work on a block is done in loops with hardly a branch, one after another: folding, closing up, hashing, choosing. That is
/// far faster than doing all of it for each character.
struct State {
    chars: [Char; SIGHT],
    /// Hash of the run that ends with each.
    hashes: [u64; SIGHT],
    /// Which of them are low, a bit for each, the first one highest.
    low: [u64; SIGHT / 64 + 1],
    len: usize,
    /// The end of the last reference to a character.
    reference_end: usize,
    /// Hash of the last run, before it is spread.
    hash: u64,
    /// Characters that went out of sight.
    gone: usize,
    /// The character that ends the run with the least hash of the window.
    least: usize,
}

/// A character in the low byte and its place in the upper half, so that both are written at once.
#[derive(Clone, Copy)]
struct Char(u64);

impl Char {
    #[inline]
    fn place(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    fn byte(self) -> usize {
        usize::from(self.0 as u8)
    }
}

impl State {
    fn new() -> State {
        State {
            chars: [Char(0); SIGHT],
            hashes: [0; SIGHT],
            low: [0; SIGHT / 64 + 1],
            len: 0,
            reference_end: 0,
            hash: 0,
            gone: 0,
            least: GRAM - 1,
        }
    }

    /// Takes the block that begins at `block_at`.
    fn take(&mut self, text: &[u8], block_at: usize, put: &mut impl FnMut(Print)) {
        self.make_room();
        let fresh = self.len;
        let block = text.len().min(block_at + BLOCK) - block_at;
        let folded = self.fold(text, block_at);
        self.close_up(block_at, &folded[..block]);
        self.roll(fresh);
        self.choose(fresh, put);
    }

    /// Moves what is still needed to the front.
    fn make_room(&mut self) {
        let words = self.len.saturating_sub(KEPT) / 64;
        let from = words * 64;
        self.chars.copy_within(from..self.len, 0);
        self.hashes.copy_within(from..self.len, 0);
        self.low.copy_within(words.., 0);
        self.len -= from;
        self.low[self.len.div_ceil(64)..].fill(0);
        self.gone += from;
        self.least -= from;
    }

    /// What the bytes of the block become.
    fn fold(&mut self, text: &[u8], block_at: usize) -> [u8; BLOCK] {
        let mut folded = [0; BLOCK];
        let block = &text[block_at..text.len().min(block_at + BLOCK)];
        let before = block_at.checked_sub(1).map_or(0, |at| text[at]);
        folded[0] = fold(before, block[0]);
        let pairs = block.iter().zip(&block[1..]);
        for (out, (&before, &byte)) in folded[1..].iter_mut().zip(pairs) {
            *out = fold(before, byte);
        }
        leave_out(&mut folded, 0, self.reference_end.saturating_sub(block_at));
        for at in memchr::memchr_iter(b'&', block) {
            let len = reference_len(&text[block_at + at..]);
            leave_out(&mut folded, at, len);
            self.reference_end = block_at + at + len;
        }
        folded
    }

    /// Closes the characters of the block up behind those before.
    fn close_up(&mut self, block_at: usize, folded: &[u8]) {
        let mut len = self.len;
        for (place, &byte) in (block_at as u64..).zip(folded) {
            // Written whether it stays or not: a branch on every byte costs more.
            self.chars[len] = Char(place << 32 | u64::from(byte));
            len += usize::from(byte != 0);
        }
        self.len = len;
    }

    /// Hashes the runs that end with the characters from `fresh` on.
    fn roll(&mut self, fresh: usize) {
        let mut hash = self.hash;
        // Nothing leaves while the first run is not full.
        let full = GRAM.saturating_sub(self.gone).clamp(fresh, self.len);
        for at in fresh..full {
            hash = hash.rotate_left(1) ^ ENTERS[self.chars[at].byte()];
            self.hashes[at] = finish(hash);
        }
        let mut from = full;
        while from < self.len {
            let word = from / 64;
            let end = self.len.min(word * 64 + 64);
            let mut low = self.low[word].unbounded_shr((64 - from % 64) as u32);
            let entering = &self.chars[from..end];
            let leaving = &self.chars[from - GRAM..];
            let hashes = &mut self.hashes[from..end];
            for ((enters, leaves), out) in entering.iter().zip(leaving).zip(hashes) {
                hash = hash.rotate_left(1) ^ (ENTERS[enters.byte()] ^ LEAVES[leaves.byte()]);
                let spread = finish(hash);
                *out = spread;
                low = low << 1 | u64::from(spread < LOW);
            }
            self.low[word] = low << (word * 64 + 64 - end);
            from = end;
        }
        self.hash = hash;
    }

    /// Gives the least of each window that ends with a character from `fresh` on.
    fn choose(&mut self, fresh: usize, put: &mut impl FnMut(Print)) {
        let mut at = self.choose_first(fresh, put);
        let mut value = self.hashes[self.least];
        while at < self.len {
            let passed = self.least + WINDOW;
            // Nothing happens before one comes that may be less, or the window has passed the least.
            let here = if value < LOW {
                passed.min(at + self.low_from(at).leading_zeros() as usize)
            } else {
                at
            };
            if here >= self.len {
                break;
            }
            at = here + 1;
            if self.hashes[here] <= value {
                self.least = here;
            } else if here == passed {
                self.least = self.least_of(at - WINDOW);
            } else {
                continue;
            }
            value = self.hashes[self.least];
            put(self.print(self.least));
        }
    }

    /// The same for the first window, as far as it goes; gives the character behind it.
    fn choose_first(&mut self, fresh: usize, put: &mut impl FnMut(Print)) -> usize {
        let behind = |chars: usize| chars.saturating_sub(self.gone);
        let (first, end) = (behind(GRAM - 1), behind(GRAM + WINDOW - 1));
        let mut at = fresh.max(first);
        while at < self.len.min(end) {
            // Before its place comes, the first run is the least of none.
            if at == first || self.hashes[at] <= self.hashes[self.least] {
                self.least = at;
            }
            at += 1;
            if at == end {
                put(self.print(self.least));
            }
        }
        at
    }

    /// Which of the 64 hashes from `at` on are low, the first one highest.
    #[inline]
    fn low_from(&self, at: usize) -> u64 {
        let (word, bit) = (at / 64, (at % 64) as u32);
        let next = self.low[word + 1].unbounded_shr(u64::BITS - bit);
        self.low[word] << bit | next
    }

    /// The last of those with the least hash in the window that begins at `first`.
    fn least_of(&self, first: usize) -> usize {
        const { assert!(WINDOW == 64) };
        let mut low = self.low_from(first);
        if low == 0 {
            low = u64::MAX;
        }
        let mut least = first + low.leading_zeros() as usize;
        while low != 0 {
            let bit = low.leading_zeros();
            let at = first + bit as usize;
            if self.hashes[at] <= self.hashes[least] {
                least = at;
            }
            low &= !(1 << 63 >> bit);
        }
        least
    }

    fn print(&self, at: usize) -> Print {
        Print {
            value: self.hashes[at],
            start: self.chars[at + 1 - GRAM].place(),
            end: self.chars[at].place() + 1,
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

/// What a byte becomes behind another: 0 where it is left out. Written so that the compiler makes wide instructions of it.
#[inline]
fn fold(before: u8, byte: u8) -> u8 {
    let small = byte | 0x20;
    let is_letter = small.wrapping_sub(b'a') < 26;
    let is_digit = byte.wrapping_sub(b'0') < 10;
    if (is_letter | is_digit) & (before != b'\\') {
        small
    } else {
        0
    }
}

fn leave_out(folded: &mut [u8; BLOCK], at: usize, len: usize) {
    let end = (at + len).min(BLOCK);
    folded[at.min(end)..end].fill(0);
}

/// The length of the reference to a character that a text begins with; 0 where it does not.
#[inline]
fn reference_len(text: &[u8]) -> usize {
    let known = REFERENCES.iter().find(|name| text.starts_with(name));
    known.map_or(0, |name| name.len())
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
            starts.any(|from| from + reference_len(&text[from..]) > at)
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
