//! Where some hundred words stand in a text, at memory speed.
//!
//! Packed comparisons (Teddy, of the Hyperscan project, as `aho-corasick` has it) look for several words at once: words
//! are dealt to eight or sixteen buckets, and for each of four neighbouring bytes a bucket accepts any of the lower and
//! any of the upper halves that its words have there. So the more words a bucket has, and the less they look alike, the
//! more it accepts that is none of them; it is these false starts that cost, and with words dealt at random they cost ten
//! times the search itself.
//!
//! What is done about it: of each word only four bytes are looked for, its *part*; parts that several words share are
//! looked for once; and each word's part and bucket are chosen together so that what the buckets accept grows least, by a
//! rough share of each byte in programs and prose ([`SHARES`]). A group of sixteen buckets takes so many parts that a
//! false start is rare; what is more makes another group, which is another pass. Words of three bytes have a small group
//! of their own.
//!
//! Words are found wherever they stand, overlapping ones too. Machines without packed comparisons search with an automaton,
//! which gives the same.
//!
//! Left out: words shorter than three bytes, and any regard to case.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, Span, packed};

/// Buckets of a group with many parts, and of one with few.
const BUCKETS: usize = 16;
const FEW_BUCKETS: usize = 8;
/// Parts of a bucket: a search takes less than 128.
const BUCKET_MAX: usize = 7;
/// Parts of up to this number are dealt to few buckets, as the search does it.
const FEW_PARTS: usize = 32;

/// How common a byte is in programs and prose: its share in thousandths, roughly, and never nothing.
static SHARES: [u32; 256] = {
    let mut shares = [1; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        shares[byte] = match byte as u8 {
            b'e' | b't' => 60,
            b'a' | b'i' | b'n' | b'o' | b'r' | b's' => 45,
            b'c' | b'd' | b'l' | b'm' | b'p' | b'u' | b'.' | b'(' | b')' | b',' => 22,
            b'b' | b'f' | b'g' | b'h' | b'v' | b'y' | b'"' | b'\'' | b';' | b':' | b'=' | b'-' => {
                12
            }
            b'k' | b'w' | b'x' | b'/' | b'*' | b'{' | b'}' | b'_' | b'0'..=b'9' => 8,
            b'A' | b'C' | b'E' | b'I' | b'S' | b'T' | b'D' | b'P' | b'R' | b'z' | b'q' | b'j' => 4,
            _ => 2,
        };
        byte += 1;
    }
    shares[b' ' as usize] = 120;
    shares[b'\n' as usize] = 30;
    shares
};

/// A word behind its part.
#[derive(Debug, Clone)]
struct Entry {
    bytes: Box<[u8]>,
    /// Where its part begins in it.
    offset: usize,
    /// Its number.
    number: usize,
}

/// A search for words.
#[derive(Debug)]
pub(super) struct Words {
    groups: Vec<Group>,
}

/// A search for some parts.
#[derive(Debug)]
struct Group {
    search: Search,
    /// For each part, the words that have it.
    entries: Vec<Vec<Entry>>,
}

#[derive(Debug)]
enum Search {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

impl Words {
    /// Prepares the search; a word's number is its place in `words`. Words of less than three bytes are never found.
    pub fn new(words: &[&[u8]]) -> Words {
        Words::with(words, true)
    }

    fn with(words: &[&[u8]], is_packed: bool) -> Words {
        // A long word that holds a short one is looked for with that.
        let is_short = |word: &[u8]| word.len() == 3;
        let has_short = |word: &[u8]| word.windows(3).any(|part| words.contains(&part));
        let short = Dealt::new(words, 3, |word| {
            is_short(word) || word.len() > 3 && has_short(word)
        });
        let long = Dealt::new(words, 4, |word| word.len() > 3 && !has_short(word));
        let groups = long.groups.into_iter().chain(short.groups);
        Words {
            groups: groups
                .filter_map(|buckets| Group::new(buckets, is_packed))
                .collect(),
        }
    }

    /// Calls `found` with the number of each word and where it begins.
    pub fn find(&self, bytes: &[u8], mut found: impl FnMut(usize, usize)) {
        for group in &self.groups {
            group.find(bytes, &mut found);
        }
    }
}

impl Group {
    fn new(buckets: Vec<Bucket>, is_packed: bool) -> Option<Group> {
        let rows = buckets.iter().map(|bucket| bucket.parts.len()).max()?;
        let mut search = packed::Config::new()
            .heuristic_pattern_limits(false)
            .builder();
        let (mut parts, mut entries) = (Vec::new(), Vec::new());
        for row in 0..rows {
            // The search deals parts to buckets in turns, from the last on, and one that it has already to where that is.
            for bucket in buckets.iter().rev() {
                let any = bucket
                    .parts
                    .first()
                    .or_else(|| buckets.iter().find_map(|bucket| bucket.parts.first()))?;
                let (part, words) = bucket.parts.get(row).unwrap_or(any);
                search.add(part);
                parts.push(part.clone());
                entries.push(words.clone());
            }
        }
        let packed = search.build().filter(|_| is_packed).map(Search::Packed);
        let search = match packed {
            Some(search) => search,
            None => Search::Automaton(AhoCorasick::new(&parts).ok()?),
        };
        Some(Group { search, entries })
    }

    fn find(&self, bytes: &[u8], found: &mut impl FnMut(usize, usize)) {
        let mut from = 0;
        // From the next byte on, not behind the part: the next may overlap it.
        while let Some((part, start)) = self.next(bytes, from) {
            for entry in self.entries.get(part).into_iter().flatten() {
                let Some(at) = start.checked_sub(entry.offset) else {
                    continue;
                };
                if bytes
                    .get(at..)
                    .is_some_and(|rest| rest.starts_with(&entry.bytes))
                {
                    found(entry.number, at);
                }
            }
            from = start + 1;
        }
    }

    #[inline]
    fn next(&self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        let found = match &self.search {
            Search::Packed(search) => search.find_in(bytes, Span::from(from..bytes.len())),
            Search::Automaton(search) => search.find(aho_corasick::Input::new(bytes).range(from..)),
        }?;
        Some((found.pattern().as_usize(), found.start()))
    }
}

/// Parts that a search takes for each other's.
#[derive(Debug, Clone)]
struct Bucket {
    parts: Vec<(Vec<u8>, Vec<Entry>)>,
    /// For each byte of a part, the lower and the upper halves that are accepted, and the share of bytes that they make.
    accepted: Vec<(u16, u16, u64)>,
}

impl Bucket {
    fn new(len: usize) -> Bucket {
        Bucket {
            parts: Vec::new(),
            accepted: vec![(0, 0, 0); len],
        }
    }

    /// What would be accepted with this part too.
    fn with(&self, part: &[u8]) -> Vec<(u16, u16, u64)> {
        let wider = self
            .accepted
            .iter()
            .zip(part)
            .map(|(&(lower, upper, share), &byte)| {
                let wide = (lower | 1 << (byte & 15), upper | 1 << (byte >> 4));
                if wide == (lower, upper) {
                    (lower, upper, share)
                } else {
                    (wide.0, wide.1, share_of(wide.0, wide.1))
                }
            });
        wider.collect()
    }
}

/// The share of all bytes with one of these halves each.
fn share_of(lower: u16, upper: u16) -> u64 {
    let highs = (0..16_usize).filter(|high| upper >> high & 1 == 1);
    highs
        .flat_map(|high| {
            (0..16_usize)
                .filter(move |low| lower >> low & 1 == 1)
                .map(move |low| high << 4 | low)
        })
        .map(|byte| u64::from(SHARES[byte]))
        .sum()
}

fn product(accepted: &[(u16, u16, u64)]) -> u64 {
    accepted.iter().map(|(_, _, share)| share).product()
}

/// Words dealt to the buckets of as many groups as they need.
struct Dealt {
    groups: Vec<Vec<Bucket>>,
}

impl Dealt {
    fn new(words: &[&[u8]], len: usize, is_meant: impl Fn(&[u8]) -> bool) -> Dealt {
        let mut order: Vec<(usize, &[u8])> = words
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, word)| is_meant(word))
            .collect();
        // Those that have no choice come first.
        order.sort_by_key(|(number, word)| (word.len(), *word, *number));
        let buckets = if order.len() <= FEW_PARTS {
            FEW_BUCKETS
        } else {
            BUCKETS
        };
        let mut dealt = Dealt { groups: Vec::new() };
        // Where a part is: group, bucket, number.
        let mut known: BTreeMap<&[u8], (usize, usize, usize)> = BTreeMap::new();
        for (number, word) in order {
            let entry = |offset: usize| Entry {
                bytes: word.into(),
                offset,
                number,
            };
            let shared = word
                .windows(len)
                .enumerate()
                .find_map(|(offset, part)| Some((offset, *known.get(part)?)));
            if let Some((offset, (group, bucket, index))) = shared {
                dealt.groups[group][bucket].parts[index]
                    .1
                    .push(entry(offset));
                continue;
            }
            let (offset, group, bucket) = dealt.best(word, len, buckets);
            let part = &word[offset..offset + len];
            let bucket_of = &mut dealt.groups[group][bucket];
            bucket_of.accepted = bucket_of.with(part);
            known.insert(part, (group, bucket, bucket_of.parts.len()));
            bucket_of.parts.push((part.to_vec(), vec![entry(offset)]));
        }
        dealt
    }

    /// The part of a word and the bucket for which least more is accepted.
    fn best(&mut self, word: &[u8], len: usize, buckets: usize) -> (usize, usize, usize) {
        let is_full =
            |group: &Vec<Bucket>| group.iter().all(|bucket| bucket.parts.len() >= BUCKET_MAX);
        if self.groups.iter().all(is_full) {
            self.groups.push(vec![Bucket::new(len); buckets]);
        }
        let mut best = (u64::MAX, 0, 0, 0);
        for (offset, part) in word.windows(len).enumerate() {
            for (group, of_group) in self.groups.iter().enumerate() {
                for (number, bucket) in of_group.iter().enumerate() {
                    if bucket.parts.len() < BUCKET_MAX {
                        let more = product(&bucket.with(part)) - product(&bucket.accepted);
                        best = best.min((more, group, number, offset));
                    }
                }
            }
        }
        (best.3, best.1, best.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memchr::memmem;

    const WORDS: [&str; 10] = [
        "ghp_",
        "hf_",
        "AKIA",
        "sourceMappingURL",
        "8Q~",
        "p://",
        "://a",
        "_auth",
        "hp_g",
        "sourceURL",
    ];

    fn found_by(search: &Words, text: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        search.find(text, |word, at| all.push((word, at)));
        all.sort_unstable();
        all
    }

    fn words() -> Vec<&'static [u8]> {
        WORDS.iter().map(|word| word.as_bytes()).collect()
    }

    fn expected(text: &[u8]) -> Vec<(usize, usize)> {
        let all = WORDS.iter().enumerate().flat_map(|(number, word)| {
            (0..text.len())
                .filter(move |&at| text[at..].starts_with(word.as_bytes()))
                .map(move |at| (number, at))
        });
        all.collect()
    }

    #[test]
    fn words_are_found_at_every_place() {
        for search in [Words::new(&words()), Words::with(&words(), false)] {
            for before in 0..40 {
                for word in WORDS {
                    for behind in [0, 1, 2, 3, 30] {
                        let text = format!("{}{word}{}", "-".repeat(before), "-".repeat(behind));
                        assert_eq!(
                            found_by(&search, text.as_bytes()),
                            expected(text.as_bytes()),
                            "{text}"
                        );
                    }
                }
            }
            for text in ["http://a ghp_ghp_", "", "gh"] {
                assert_eq!(
                    found_by(&search, text.as_bytes()),
                    expected(text.as_bytes())
                );
            }
        }
    }

    #[test]
    fn more_words_than_a_group_takes_make_another() {
        let many: Vec<String> = (0..300)
            .map(|number| format!("{:04}", number * 31 + 1000))
            .collect();
        let many: Vec<&[u8]> = many.iter().map(|word| word.as_bytes()).collect();
        let search = Words::new(&many);
        assert!(search.groups.len() > 2);
        let text = many.join(&b' ');
        let all = found_by(&search, &text);
        assert_eq!(all.len(), memmem::find_iter(&text, b" ").count() + 1);
    }

    proptest::proptest! {
        #[test]
        fn the_search_gives_what_a_plain_one_gives(text in "(ghp_|hf_|AKIA|source|MappingURL|[8Q~]|p?://a?|_auth|x|é){0,40}") {
            let text = text.as_bytes();
            proptest::prop_assert_eq!(found_by(&Words::new(&words()), text), expected(text));
            proptest::prop_assert_eq!(found_by(&Words::with(&words(), false), text), expected(text));
        }
    }
}
