//! What mappings tell of the sources: where their code went, and what they call things.
//!
//! A map whose sources have no content still says much of them: how far down each is mapped, and which of its names
//! stand where. [`segments`] reads mappings for that, and forgives what [`strict`](super::strict) does not: a segment
//! that cannot be read is left out, and reading goes on with the next, counting from the numbers before it.
//!
//! Numbers in mappings count from each other, so that a map that was tampered with can say anything. Everything here
//! is bounded by the length of the text, and what is kept of it by constants.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::scan::{Part, SourceSlot, strings_of};
use super::{Content, MapScan, vlq};

/// Names that are kept of one source; how many there are is counted beyond.
pub const NAMES_MAX: usize = 256;

/// One segment of mappings. Lines and columns count from 0, columns in UTF-16 code units (ECMA-426, "Position types").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Line in the generated code of the part.
    pub line: u64,
    /// Column in the generated code.
    pub column: u64,
    /// Where it came from, if it says so.
    pub original: Option<Original>,
}

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Original {
    /// Index into the sources of the part.
    pub source: u32,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// Index into the names of the part.
    pub name: Option<u32>,
}

/// Reads mappings and shows each segment that can be read, in the order of the text.
pub fn segments(text: &[u8], mut show: impl FnMut(Segment)) {
    let (mut source, mut line, mut column, mut name) = (0_i64, 0_i64, 0_i64, 0_i64);
    let mut generated_line = 0;
    let mut generated = 0_i64;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b';' => {
                generated_line += 1;
                generated = 0;
                at += 1;
                continue;
            }
            b',' => {
                at += 1;
                continue;
            }
            _ => {}
        }
        let mut fields = [0_i64; 5];
        let mut count = 0;
        while count < fields.len()
            && let Some((value, end)) = vlq::decode(text, at)
        {
            fields[count] = value;
            count += 1;
            at = end;
        }
        let is_whole = matches!(text.get(at), None | Some(b',' | b';'));
        if !is_whole {
            let rest = text.get(at..).unwrap_or_default();
            at += memchr::memchr2(b',', b';', rest).unwrap_or(rest.len());
        }
        if !is_whole || !matches!(count, 1 | 4 | 5) {
            continue;
        }
        generated = generated.saturating_add(fields[0]);
        let mut original = None;
        if count >= 4 {
            source = source.saturating_add(fields[1]);
            line = line.saturating_add(fields[2]);
            column = column.saturating_add(fields[3]);
            if count == 5 {
                name = name.saturating_add(fields[4]);
            }
            original = u32::try_from(source).ok().and_then(|source| {
                Some(Original {
                    source,
                    line: u32::try_from(line).ok()?,
                    column: u32::try_from(column).ok()?,
                    name: u32::try_from(name).ok().filter(|_| count == 5),
                })
            });
        }
        if let Ok(column) = u64::try_from(generated) {
            show(Segment {
                line: generated_line,
                column,
                original,
            });
        }
    }
}

/// What the mappings tell of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Lines up to the last one that is mapped: it has at least so many.
    pub lines: u64,
    /// Segments that point into it.
    pub segments: u64,
    /// Names that stand in it, in the order in which the bundle comes to them; at most [`NAMES_MAX`].
    pub names: Vec<Vec<u8>>,
    /// How many different names there are.
    pub names_total: u64,
}

/// What the mappings tell of the sources that have no content: by slot of the scan. Sources that nothing is mapped to
/// are not in it.
pub fn missing_profiles(map: &MapScan<'_>) -> HashMap<usize, Profile> {
    let mut found = HashMap::new();
    for part in &map.parts {
        let slots = map.sources.get(part.slots.clone()).unwrap_or_default();
        if slots.iter().any(is_missing) {
            part_profiles(part, slots, &mut found);
        }
    }
    found
}

fn is_missing(slot: &SourceSlot<'_>) -> bool {
    slot.content == Content::Missing
}

fn part_profiles(part: &Part<'_>, slots: &[SourceSlot<'_>], found: &mut HashMap<usize, Profile>) {
    /// Profile, and the indices of its names with the order in which they came.
    type Draft = (Profile, HashMap<u32, u32>);
    let mut drafts: HashMap<u32, Draft> = HashMap::new();
    segments(&part.mappings.decode().bytes, |segment| {
        let Some(original) = segment.original else {
            return;
        };
        if !slots.get(original.source as usize).is_some_and(is_missing) {
            return;
        }
        let (profile, names) = drafts.entry(original.source).or_default();
        profile.segments += 1;
        profile.lines = profile.lines.max(u64::from(original.line) + 1);
        if let Some(name) = original.name {
            let next = u32::try_from(names.len()).unwrap_or(u32::MAX);
            names.entry(name).or_insert(next);
        }
    });
    // Sources by name, so that the list is walked once for all of them.
    let mut wanted: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    for (source, (_, names)) in &mut drafts {
        for (name, order) in std::mem::take(names) {
            wanted.entry(name).or_default().push((*source, order));
        }
    }
    let mut ordered: HashMap<u32, Vec<(u32, Vec<u8>)>> = HashMap::new();
    for (index, name) in strings_of(part.names.unwrap_or_default()) {
        for (source, order) in wanted.get(&index).into_iter().flatten() {
            if let Some((profile, _)) = drafts.get_mut(source) {
                profile.names_total += 1;
            }
            if (*order as usize) < NAMES_MAX {
                let text = name.decode().bytes.into_owned();
                ordered.entry(*source).or_default().push((*order, text));
            }
        }
    }
    for (source, (mut profile, _)) in drafts {
        let mut names = ordered.remove(&source).unwrap_or_default();
        names.sort();
        profile.names = names.into_iter().map(|(_, name)| name).collect();
        found.insert(part.slots.start + source as usize, profile);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scan;
    use super::*;

    fn read(text: &str) -> Vec<Segment> {
        let mut found = Vec::new();
        segments(text.as_bytes(), |segment| found.push(segment));
        found
    }

    fn original(source: u32, line: u32, column: u32, name: Option<u32>) -> Option<Original> {
        Some(Original {
            source,
            line,
            column,
            name,
        })
    }

    #[test]
    fn segments_count_from_those_before_them() {
        let found = read("AAAA,CACEC;A,ADDF");
        let places: Vec<_> = found.iter().map(|at| (at.line, at.column)).collect();
        assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 0)]);
        let originals: Vec<_> = found.iter().map(|at| at.original).collect();
        assert_eq!(
            originals,
            [
                original(0, 0, 0, None),
                original(0, 1, 2, Some(1)),
                None,
                // Source -1 is none.
                None
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for (text, count) in [
            ("AAAA,!,CAAC", 2),
            ("AAAA,AA,CAAC", 2),
            ("AAAA,g;CAAC", 2),
            ("AAAA,AAAAAA,CAAC", 2),
            ("D,AAAA", 0),
            (",,;;", 0),
        ] {
            assert_eq!(read(text).len(), count, "{text}");
        }
    }

    #[test]
    fn missing_sources_have_lines_and_names() {
        // b.ts: lines 3 and 5, names `two` and `one`, in that order.
        let map = br#"{"version":3,"sources":["a.ts","b.ts","c.ts"],"sourcesContent":["a",null],
            "names":["one","two",7,"three"],"mappings":"AAAAG,CCEAF,CAEAD,CAAAC,CDJAE"}"#;
        let found = missing_profiles(&scan(map).unwrap());
        assert_eq!(found.len(), 1);
        let profile = &found[&1];
        assert_eq!((profile.lines, profile.segments), (5, 3));
        assert_eq!(profile.names_total, 2);
        assert_eq!(profile.names, [b"two".to_vec(), b"one".to_vec()]);
    }

    #[test]
    fn each_section_has_its_own_sources_and_names() {
        let map = br#"{"version":3,"sections":[
            {"offset":{"line":0,"column":0},"map":{"version":3,"sources":["a"],"names":["x"],"mappings":"AAAAA"}},
            {"offset":{"line":2,"column":7},"map":{"version":3,"sources":["b"],"names":["y"],"mappings":"AAUAA"}}]}"#;
        let scan = scan(map).unwrap();
        assert_eq!(scan.parts[1].begins, (2, 7));
        let found = missing_profiles(&scan);
        assert_eq!((found[&0].lines, found[&1].lines), (1, 11));
        assert_eq!(found[&1].names, [b"y".to_vec()]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut lines = 0;
            segments(&text, |segment| lines = segment.line);
            prop_assert!(lines <= text.len() as u64);
        }
    }
}
