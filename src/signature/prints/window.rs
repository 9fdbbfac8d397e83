//! Winnowing: of every so many values that follow one another, the least.
//!
//! See Schleimer, Wilkerson and Aiken, Winnowing: Local Algorithms for Document Fingerprinting (SIGMOD 2003). Each
//! window of `W` values gives its least, the last of equals; what the window before gave is not given again. A
//! sequence of fewer than `W` is one window.
//!
//! This is for the numbers of tokens, which come one every ten bytes. `winnow/1` has a run for every letter, and a window that
//! is as wide as a machine word: it chooses by bit sets of those that can be the least (see `winnow`), which takes
//! half the time there and nothing off here, where a window has thirteen. Each is held to the rule by a test that does it slowly.

use super::Print;

/// Places for values that are held, a power of two: `W` of them are in use.
const RING: usize = 16;

/// The last `W` values, and which of them is the least.
pub(super) struct Window<const W: usize> {
    ring: [Print; RING],
    /// Values so far.
    seen: usize,
    /// The least of the window, counted from 0.
    least: usize,
    /// Behind the value that was given last.
    given: usize,
}

impl<const W: usize> Default for Window<W> {
    fn default() -> Self {
        const { assert!(W <= RING) };
        let none = Print {
            value: u64::MAX,
            start: 0,
            end: 0,
        };
        Window {
            ring: [none; RING],
            seen: 0,
            least: 0,
            given: 0,
        }
    }
}

impl<const W: usize> Window<W> {
    /// Takes the next value; what the window that it ends gives.
    #[inline]
    pub(super) fn push(&mut self, print: Print) -> Option<Print> {
        let at = self.seen;
        // Asked before the slot of the value that leaves is written over: that may be the least.
        let is_least = at == 0 || print.value <= self.ring[self.least % RING].value;
        self.ring[at % RING] = print;
        self.seen = at + 1;
        if is_least {
            self.least = at;
        } else if self.least + W == at {
            self.least = self.least_of_all();
        }
        if self.seen < W { None } else { self.give() }
    }

    /// The last of the values in a full window that are the least.
    fn least_of_all(&self) -> usize {
        let oldest = self.seen - W;
        let mut least = oldest;
        for at in oldest..self.seen {
            if self.ring[at % RING].value <= self.ring[least % RING].value {
                least = at;
            }
        }
        least
    }

    #[inline]
    fn give(&mut self) -> Option<Print> {
        if self.least < self.given {
            return None;
        }
        self.given = self.least + 1;
        Some(self.ring[self.least % RING])
    }

    /// What a sequence gives that is shorter than a window.
    pub(super) fn finish(mut self) -> Option<Print> {
        if self.seen == 0 || self.seen >= W {
            return None;
        }
        self.give()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const W: usize = 5;

    fn print(value: u64, at: usize) -> Print {
        Print {
            value,
            start: at as u32,
            end: at as u32 + 1,
        }
    }

    /// The rule of the page, word for word and slowly.
    fn slowly(prints: &[Print]) -> Vec<Print> {
        let mut found: Vec<Print> = Vec::new();
        for window in prints.windows(W.min(prints.len().max(1))) {
            let least = window.iter().map(|print| print.value).min();
            let chosen = window.iter().rev().find(|print| Some(print.value) == least);
            if let Some(print) = chosen.filter(|print| found.last() != Some(print)) {
                found.push(*print);
            }
        }
        found
    }

    proptest! {
        #[test]
        fn it_is_as_the_page_says(values in prop::collection::vec(0_u64..20, 0..60)) {
            let prints: Vec<Print> = (0..).zip(&values).map(|(at, &value)| print(value, at)).collect();
            let mut window = Window::<W>::default();
            let mut found: Vec<Print> = prints.iter().filter_map(|&print| window.push(print)).collect();
            found.extend(window.finish());
            prop_assert_eq!(found, slowly(&prints));
        }
    }
}
