//! Do the mappings and the contents of one map belong together?
//!
//! Mappings say where in a source each piece of code stood, and often what it was called there. In a map as a tool
//! made it, a word or a sign begins at each such place of the content, nearly without exception. Where contents were
//! put in later, edited, or taken from another release, the places fall anywhere: about half of them within a word, or
//! beyond the end. So a few hundred places are looked up, and the share that is right is a score. It says that the
//! two disagree, never why: there are tools that mix the stages of their pipeline up.
//!
//! Left out: contents of signs alone, which fit anything; contents with line ends that tools count in different ways.
//!
//! How often the name that the map gives stands at its place is counted too, and is no score: some tools, of good
//! repute, give the name of the generated code.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::strict::Sample;
use super::{MapScan, scan};

/// Places that were looked up in the contents of one map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consistency {
    /// How many.
    pub places: u64,
    /// Those that are there and do not lie within a word.
    pub places_right: u64,
    /// Those with a name.
    pub named: u64,
    /// Those where the name stands.
    pub named_right: u64,
}

impl Consistency {
    /// Places that it takes for a score.
    pub const PLACES_MIN: u64 = 16;

    /// The share of places that are right, 0 to 1.
    pub fn score(&self) -> Option<f64> {
        (self.places >= Self::PLACES_MIN).then(|| self.places_right as f64 / self.places as f64)
    }

    /// Looks places up in one content. They are sorted by line.
    pub fn look(&mut self, content: &[u8], places: &[Place]) {
        if places.is_empty() || has_other_line_ends(content) {
            return;
        }
        let (mut start, mut number) = (Some(0), 0);
        for place in places {
            start = start.and_then(|start| line_down(content, start, place.line - number));
            number = place.line;
            let line = start.and_then(|start| {
                let rest = content.get(start..)?;
                let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                rest.get(..len)
            });
            let rest = line.and_then(|line| behind_column(line, place.column));
            if rest.is_some_and(|(before, rest)| is_blank(before, rest)) {
                continue;
            }
            self.places += 1;
            let begins = rest.is_some_and(|(before, rest)| !within_word(before, rest));
            self.places_right += u64::from(begins);
            if let Some(name) = &place.name {
                self.named += 1;
                let stands = rest.is_some_and(|(_, rest)| rest.starts_with(name));
                self.named_right += u64::from(stands);
            }
        }
    }
}

/// A place in a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    line: u32,
    column: u32,
    name: Option<Vec<u8>>,
}

/// The places of a map by slot, each list sorted.
pub fn places_of(
    map: &MapScan<'_>,
    document: &[u8],
    samples: &[Sample],
) -> HashMap<usize, Vec<Place>> {
    let mut found: HashMap<usize, Vec<Place>> = HashMap::new();
    for part in &map.parts {
        let at = (part.mappings.raw.as_ptr() as usize).wrapping_sub(document.as_ptr() as usize);
        let here = samples.iter().filter(|sample| sample.mappings_at == at);
        let wanted = here.clone().filter_map(|sample| sample.name);
        let names = names_of(part.names, wanted);
        for sample in here {
            let slot = part.slots.start.saturating_add(sample.source as usize);
            if slot >= part.slots.end {
                continue;
            }
            let name = sample.name.and_then(|name| names.get(&name)).cloned();
            if sample.name.is_some() && name.as_ref().is_none_or(Vec::is_empty) {
                continue;
            }
            found.entry(slot).or_default().push(Place {
                line: sample.line,
                column: sample.column,
                name,
            });
        }
    }
    for places in found.values_mut() {
        places.sort();
    }
    found
}

fn names_of(list: Option<&[u8]>, wanted: impl Iterator<Item = u32>) -> BTreeMap<u32, Vec<u8>> {
    let mut names: BTreeMap<u32, Vec<u8>> = wanted.map(|index| (index, Vec::new())).collect();
    let Some(last) = names.last_key_value().map(|(index, _)| *index) else {
        return names;
    };
    for (index, name) in scan::strings_of(list.unwrap_or_default()) {
        if index > last {
            break;
        }
        if let Some(text) = names.get_mut(&index) {
            *text = name.decode().bytes.into_owned();
        }
    }
    names
}

/// Where the line begins that is so many lines below the one that begins at `start`.
fn line_down(content: &[u8], mut start: usize, mut lines: u32) -> Option<usize> {
    /// Bytes that are only counted while the line is not in them: counting is many times as fast as stopping.
    const BLOCK: usize = 1 << 10;
    while lines > 0 {
        let rest = content.get(start..)?;
        let block = rest.get(..BLOCK).unwrap_or(rest);
        let feeds = memchr::memchr_iter(b'\n', block).count();
        if feeds < lines as usize {
            if block.len() < BLOCK {
                return None;
            }
            lines -= feeds as u32;
            start += BLOCK;
            continue;
        }
        let feed = memchr::memchr_iter(b'\n', block).nth(lines as usize - 1)?;
        return Some(start + feed + 1);
    }
    Some(start)
}

/// Splits a line at a column in UTF-16 code units; `None` where it is not that long.
fn behind_column(line: &[u8], column: u32) -> Option<(&[u8], &[u8])> {
    let column = column as usize;
    if let Some((before, rest)) = line.split_at_checked(column)
        && before.is_ascii()
    {
        return Some((before, rest));
    }
    let mut units = 0;
    let mut bytes = 0;
    for chunk in line.utf8_chunks() {
        for character in chunk.valid().chars() {
            if units >= column {
                return line.split_at_checked(bytes);
            }
            units += character.len_utf16();
            bytes += character.len_utf8();
        }
        // What is not UTF-8 counts one unit for each replacement that a reader would have made of it.
        if !chunk.invalid().is_empty() {
            if units >= column {
                return line.split_at_checked(bytes);
            }
            units += 1;
            bytes += chunk.invalid().len();
        }
    }
    (units >= column).then(|| line.split_at_checked(bytes))?
}

/// Whether a place lies between two bytes of one word.
fn within_word(before: &[u8], rest: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    before.last().is_some_and(is_word) && rest.first().is_some_and(is_word)
}

/// Whether a place says nothing: some tools map blanks, and of blanks any place is as good as any other.
fn is_blank(before: &[u8], rest: &[u8]) -> bool {
    match rest.first() {
        Some(byte) => byte.is_ascii_whitespace(),
        None => before.trim_ascii().is_empty(),
    }
}

/// Whether lines end otherwise than with a line feed. Tools count such lines in different ways, so that places in
/// them say nothing.
fn has_other_line_ends(content: &[u8]) -> bool {
    let lone = memchr::memchr_iter(b'\r', content)
        .any(|at| content.get(at + 1).is_some_and(|next| *next != b'\n'));
    // U+2028 and U+2029, which end a line in scripts (ECMA-262, "Line Terminators").
    lone || memchr::memmem::find_iter(content, b"\xE2\x80")
        .any(|at| matches!(content.get(at + 2), Some(0xA8 | 0xA9)))
}

#[cfg(test)]
mod tests {
    use super::super::strict::judge;
    use super::*;

    fn place(line: u32, column: u32, name: &str) -> Place {
        Place {
            line,
            column,
            name: (!name.is_empty()).then(|| name.as_bytes().to_vec()),
        }
    }

    #[test]
    fn a_place_is_right_when_the_name_stands_there() {
        let content = "let one = 1;\n\"ä😀\" + two;\n".as_bytes();
        let mut seen = Consistency::default();
        let places = [
            place(0, 4, "one"),
            place(0, 5, "one"),
            place(1, 8, "two"),
            place(1, 90, "two"),
            place(7, 0, "two"),
        ];
        seen.look(content, &places);
        assert_eq!((seen.named, seen.named_right), (5, 2));
        seen.look(
            content,
            &[place(0, 4, ""), place(0, 5, ""), place(3, 0, "")],
        );
        assert_eq!((seen.places, seen.places_right), (8, 3));
        assert_eq!((seen.named, seen.score()), (5, None));
    }

    #[test]
    fn blanks_and_other_line_ends_say_nothing() {
        let mut seen = Consistency::default();
        let places = [place(0, 1, ""), place(0, 9, ""), place(1, 0, "a")];
        for content in [
            &b"          \n   "[..],
            b"one\rtwo\rthree",
            "a\u{2028}b".as_bytes(),
        ] {
            seen.look(content, &places);
        }
        assert_eq!((seen.places, seen.named), (0, 0));
        seen.look(b"ab\r\n", &[place(0, 0, "")]);
        assert_eq!((seen.places, seen.places_right), (1, 1));
    }

    #[test]
    fn a_map_with_other_contents_scores_low() {
        // 20 segments of one line, each the name `abc` at column 0, 4, 8, …
        let mappings = format!("AAAAA{}", ",IAAIA".repeat(19));
        let score = |content: &str| {
            let map = format!(
                r#"{{"version":3,"sources":["a"],"sourcesContent":["{content}"],"names":["abc"],"mappings":"{mappings}"}}"#
            );
            let document = map.as_bytes();
            let scan = scan(document).unwrap();
            let places = places_of(&scan, document, &judge(document).samples);
            let mut seen = Consistency::default();
            seen.look(
                &scan.sources[0].content.decode().unwrap().bytes,
                &places[&0],
            );
            seen.score().unwrap()
        };
        assert_eq!(score(&"abc ".repeat(20)), 1.0);
        assert_eq!(score(&"abcdefgh".repeat(10)), 0.05);
        // Half of it, and the place at its very end.
        assert_eq!(score(&"abc ".repeat(10)), 0.55);
    }
}
