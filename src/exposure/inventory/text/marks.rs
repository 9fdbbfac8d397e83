//! A few short words, looked for at once.

use aho_corasick::packed::{Config, MatchKind, Searcher};
use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

/// What looks for words: by vectors where the machine has them, else by an automaton, which finds the same.
pub(super) enum Marks {
    Vectors(Searcher),
    Automaton(AhoCorasick),
    /// No words.
    None,
}

impl Marks {
    /// Of words that overlap, the one that begins first is found, and of those the longest.
    pub(super) fn new<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W> + Clone) -> Self {
        let mut config = Config::new();
        let mut builder = config.match_kind(MatchKind::LeftmostLongest).builder();
        if let Some(searcher) = builder.extend(words.clone()).build() {
            return Marks::Vectors(searcher);
        }
        let kind = aho_corasick::MatchKind::LeftmostLongest;
        AhoCorasickBuilder::new()
            .match_kind(kind)
            .build(words)
            .map_or(Marks::None, Marks::Automaton)
    }

    /// Shows every hit: where it begins and ends, and which word it is.
    pub(super) fn each(&self, bytes: &[u8], mut look: impl FnMut(usize, usize, usize)) {
        match self {
            Marks::Vectors(searcher) => {
                for hit in searcher.find_iter(bytes) {
                    look(hit.start(), hit.end(), hit.pattern().as_usize());
                }
            }
            Marks::Automaton(automaton) => {
                for hit in automaton.find_iter(bytes) {
                    look(hit.start(), hit.end(), hit.pattern().as_usize());
                }
            }
            Marks::None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_find_the_same() {
        let words = ["abc", "abcd", "bcd", "xyz"];
        let text = b"abcd bcd xabcyz xyz";
        let automaton = AhoCorasickBuilder::new()
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(words)
            .unwrap();
        let hits = |marks: &Marks| {
            let mut hits = Vec::new();
            marks.each(text, |start, end, word| hits.push((start, end, word)));
            hits
        };
        let expected = hits(&Marks::Automaton(automaton));
        assert_eq!(expected.len(), 4);
        assert_eq!(hits(&Marks::new(words)), expected);
    }
}
