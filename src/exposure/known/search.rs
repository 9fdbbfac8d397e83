//! The search through a content, whole or in windows.
//!
//! What is too large to be held comes in windows, each of which begins with the end of the last one. What lies in that end
//! altogether was told with the last window; what only reaches into it was not, as long as windows overlap by what the
//! longest secret takes ([`super::list::LENGTH_MAX`]). Lines are counted on from window to window.

use std::collections::HashMap;

use super::{CaseKey, KnownSecrets, SecretFact};

/// Places of one secret in one content that are told one by one; the last of them says how many more there are.
pub(super) const PLACES_MAX: u64 = 64;

/// A search that is under way.
#[derive(Debug, Default)]
pub struct Search {
    facts: Vec<SecretFact>,
    /// Of each secret that was found: its places, and the fact of the last that is told.
    places: HashMap<u32, (u64, usize)>,
    /// Line feeds before the window.
    feeds: u64,
    /// Bytes of the window's first line that lie before it.
    before: u64,
}

impl Search {
    /// Looks through a window of which the first `told` bytes were part of the last.
    pub fn look(
        &mut self,
        set: &KnownSecrets,
        window: &[u8],
        told: usize,
        case_key: Option<&CaseKey>,
    ) {
        let mut lines = Lines::new(window, self.feeds, self.before);
        for found in set.find(window) {
            if found.range().end <= told {
                continue;
            }
            let (line, column) = lines.at(found.at);
            let (places, last) = self.places.entry(found.secret).or_default();
            *places += 1;
            if *places > PLACES_MAX {
                continue;
            }
            *last = self.facts.len();
            let value = window.get(found.range()).unwrap_or_default();
            self.facts.push(SecretFact {
                fingerprint: case_key.map(|key| key.fingerprint(value)),
                ..set.fact(&found, line, column)
            });
        }
    }

    /// Leaves bytes behind that were looked at, so that the next window begins behind them.
    pub fn leave(&mut self, bytes: &[u8]) {
        self.feeds += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.before = match memchr::memrchr(b'\n', bytes) {
            Some(feed) => (bytes.len() - feed - 1) as u64,
            None => self.before + bytes.len() as u64,
        };
    }

    /// What was found, in order.
    pub fn finish(mut self) -> Vec<SecretFact> {
        for (places, last) in self.places.into_values() {
            if let (more @ 1.., Some(fact)) =
                (places.saturating_sub(PLACES_MAX), self.facts.get_mut(last))
            {
                fact.detail = Some(and_more(more));
            }
        }
        self.facts
    }
}

/// What is said of the last place that is told of a secret.
pub(super) fn and_more(places: u64) -> String {
    format!("and at {places} more places of this content")
}

/// Lines and columns of places that are asked for in order.
#[derive(Debug)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    line: u64,
    /// Bytes of the line that lie before `looked`.
    before: u64,
    looked: usize,
}

impl<'a> Lines<'a> {
    /// Of a stretch behind so many line feeds, and so many bytes of its first line.
    pub fn new(bytes: &'a [u8], feeds: u64, before: u64) -> Self {
        Self {
            bytes,
            line: feeds + 1,
            before,
            looked: 0,
        }
    }

    /// Line and column of a place, both 1-based, the column in bytes.
    pub fn at(&mut self, place: usize) -> (u64, u64) {
        let passed = self.bytes.get(self.looked..place).unwrap_or_default();
        let mut from = 0;
        for feed in memchr::memchr_iter(b'\n', passed) {
            self.line += 1;
            self.before = 0;
            from = feed + 1;
        }
        self.before += (passed.len() - from) as u64;
        self.looked = place.max(self.looked);
        (self.line, self.before + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::made;
    use super::super::{Keying, List, build};
    use super::*;

    #[test]
    fn windows_tell_what_the_whole_tells() {
        let (a, b) = (made("a"), made("b"));
        let list = List::parse(format!("A={a}\nB={b}\n").as_bytes(), false);
        let set =
            KnownSecrets::read(&build(&list, &Keying::drawn().unwrap()).unwrap(), None).unwrap();
        let text = format!("{a}\n\n  {b}x\n{}{a}{a}\n y{b}", "z".repeat(90)).into_bytes();
        let whole = set.facts(&text, None);
        assert_eq!(whole.len(), 5);
        for step in [1, 7, 32, 33, 100, 1000] {
            // Overlapping by what the longest secret takes.
            let (mut search, mut window, mut told) = (Search::default(), Vec::new(), 0);
            for piece in text.chunks(step) {
                window.extend_from_slice(piece);
                search.look(&set, &window, told, None);
                let done = window.len().saturating_sub(32);
                search.leave(&window[..done]);
                window.drain(..done);
                told = window.len();
            }
            assert_eq!(search.finish(), whole, "in steps of {step}");
        }
    }
}
