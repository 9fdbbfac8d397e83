//! Winnowing: of every so many values that follow one another, the least.
//!
//! See Schleimer, Wilkerson and Aiken, Winnowing: Local Algorithms for Document Fingerprinting (SIGMOD 2003). Each
//! window of `W` values gives its least, the last of equals; what the window before gave is not given again. A
//! sequence of fewer than `W` is one window.

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
