//! Fingerprints of a text: what is left of it when it was cut, reformatted, renamed, minified, bundled or ported.
//!
//! A digest finds a file as a whole. To find pieces of it, and what tools made of it, a text is turned into many small
//! values, each of which stands for a stretch or a word. Two texts that share enough rare values have something in
//! common. Each way of doing this is a tier, and survives other changes:
//!
//! | tier | a value stands for | survives |
//! | --- | --- | --- |
//! | `winnow/1` | 30 letters and digits | reformatting, cutting, pasting, light edits; any language |
//! | `pieces/1` | the tokens of a top-level piece | reformatting, reordering, splitting, merging |
//! | `shape/1` | a run of tokens whose names do not count | renaming, reformatting, comments, most of types |
//! | `grams/1` | four atoms that follow one another | the same, and minifying, bundling |
//! | `atoms/1` | one atom: a literal, a property, a long name | the same, and mangling, reordering, porting |
//!
//! An atom is what tools leave alone since the program would not run otherwise: the text of a string, the name of a
//! property, a number that is not small, a regular expression.
//!
//! The licence header of a file gives no values of `winnow/1` ([`header_end`]), and what begins in a licence elsewhere gives none
//! in an original ([`licence_texts`]). Where they are comments, tokens give none either.
//!
//! Values are made by one frozen hash (see `hash`), unkeyed, so that a text is hashed once for all sets; a set stores
//! them keyed. Values of tiers that rest on tokens are seeded by the id of the lexer, except atoms and their runs, which are to
//! be found again in another language.

mod hash;
mod tokens;
mod window;
mod winnow;

use std::collections::HashSet;

use super::index::LinePrint;
use super::norm_text;
use crate::lex::{Family, family_of, header_end, licence_texts};

/// A way of making fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Single atoms.
    Atoms,
    /// Runs of atoms.
    Grams,
    /// Top-level pieces.
    Pieces,
    /// Runs of tokens without names.
    Shape,
    /// Letters and digits.
    Winnow,
}

impl Tier {
    /// All tiers, in the order of their ids.
    pub const ALL: [Tier; 5] = [
        Tier::Atoms,
        Tier::Grams,
        Tier::Pieces,
        Tier::Shape,
        Tier::Winnow,
    ];

    /// The algorithm id, which is that of the section, too.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Tier::Atoms => "atoms/1",
            Tier::Grams => "grams/1",
            Tier::Pieces => "pieces/1",
            Tier::Shape => "shape/1",
            Tier::Winnow => "winnow/1",
        }
    }
}

impl Tier {
    /// The tier with this algorithm id.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| tier.id() == id)
    }
}

/// One fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Print {
    /// Its value, unkeyed.
    pub value: u64,
    /// Where the stretch begins that it stands for, in bytes of the text.
    pub start: u32,
    /// Behind its last byte.
    pub end: u32,
}

/// Which side of a comparison a text is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It is signed: what says nothing of it is left out.
    Original,
    /// It is held against what was signed: so is what it may hide.
    Target,
}

/// Gives the fingerprints of `text` in all tiers to `put`, those of one tier in the order of their places, but that a whole
/// comes behind its pieces, and those of texts within the text come in between. `text` is in UTF-8 or what comes near it,
/// without byte order mark; of a text longer than
/// [`TEXT_MAX_BYTES`](crate::lex::TEXT_MAX_BYTES) the beginning is read.
pub fn prints(text: &[u8], side: Side, put: impl FnMut(Tier, Print)) {
    prints_of(family_of(text), text, side, put);
}

/// The same of a text whose family is known.
pub fn prints_of(family: Family, text: &[u8], side: Side, mut put: impl FnMut(Tier, Print)) {
    prints_of_text(family, text, side, false, &mut put);
}

/// The same of a text that may have been found within another.
fn prints_of_text(
    family: Family,
    text: &[u8],
    side: Side,
    is_decoded: bool,
    put: &mut dyn FnMut(Tier, Print),
) {
    let text = text.get(..crate::lex::TEXT_MAX_BYTES).unwrap_or(text);
    let header = header_end(text, family);
    let licences = match side {
        Side::Original => licence_texts(text),
        Side::Target => Vec::new(),
    };
    winnow::prints(&text[header..], |print| {
        let behind = |at: u32| at + header as u32;
        let (start, end) = (behind(print.start), behind(print.end));
        if licences
            .iter()
            .any(|licence| licence.contains(&(start as usize)))
        {
            return;
        }
        put(
            Tier::Winnow,
            Print {
                start,
                end,
                ..print
            },
        );
    });
    tokens::prints(family, text, side, is_decoded, put);
}

/// The fingerprints of one file, as a set keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilePrints {
    tiers: [Vec<LinePrint>; Tier::ALL.len()],
    family: Option<Family>,
}

impl FilePrints {
    /// The fingerprints of a content; none where it is not text. Each value stands once, at its first place.
    #[must_use]
    pub fn of(content: &[u8]) -> FilePrints {
        norm_text::text_of(content).map_or_else(FilePrints::default, |text| {
            FilePrints::of_text(family_of(&text), &text)
        })
    }

    /// The same of a text that is decoded, and whose family is known.
    #[must_use]
    pub fn of_text(family: Family, text: &[u8]) -> FilePrints {
        let mut found: [Vec<Print>; Tier::ALL.len()] = Default::default();
        prints_of(family, text, Side::Original, |tier, print| {
            found[tier as usize].push(print)
        });
        let lines = LineNumbers::of(text);
        let tiers = found.map(|mut tier| {
            tier.sort_by_key(|print| (print.start, print.end));
            let mut seen = HashSet::new();
            tier.retain(|print| seen.insert(print.value));
            tier.iter().map(|print| lines.print(print)).collect()
        });
        FilePrints {
            tiers,
            family: Some(family),
        }
    }

    /// Those of one tier, in the order of their places.
    #[must_use]
    pub fn of_tier(&self, tier: Tier) -> &[LinePrint] {
        &self.tiers[tier as usize]
    }

    /// The family of the text.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        self.family
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tiers.iter().all(Vec::is_empty)
    }

    /// Keeps those of a tier whose values are wanted; how many were not.
    pub(super) fn retain(&mut self, tier: Tier, mut is_kept: impl FnMut(u64) -> bool) -> u32 {
        let prints = &mut self.tiers[tier as usize];
        let before = prints.len();
        prints.retain(|print| is_kept(print.value));
        (before - prints.len()) as u32
    }
}

/// Bytes of text whose line ends are counted together.
const LINES_BLOCK: usize = 512;

/// On which line each byte of a text stands; lines end with LF, CR LF or CR.
///
/// A text may be nothing but line ends, so that a place for each would be four times the text: what is held is how many there
/// are before each block, and those within one are counted when they are asked for.
#[derive(Debug)]
pub(super) struct LineNumbers<'t> {
    text: &'t [u8],
    /// Line ends before each block.
    before: Vec<u32>,
}

impl<'t> LineNumbers<'t> {
    pub(super) fn of(text: &'t [u8]) -> LineNumbers<'t> {
        let mut lines = LineNumbers {
            text,
            before: Vec::with_capacity(text.len() / LINES_BLOCK + 1),
        };
        let mut before = 0;
        for start in (0..=text.len()).step_by(LINES_BLOCK) {
            lines.before.push(before);
            before += lines.ends_within(start..text.len().min(start + LINES_BLOCK));
        }
        lines
    }

    fn ends_within(&self, places: std::ops::Range<usize>) -> u32 {
        let start = places.start;
        let block = self.text.get(places).unwrap_or_default();
        let ends = memchr::memchr2_iter(b'\n', b'\r', block);
        let ends = ends.filter(|at| {
            block.get(*at) == Some(&b'\n') || self.text.get(start + at + 1) != Some(&b'\n')
        });
        ends.count() as u32
    }

    /// The line that holds a byte, from 1.
    pub(super) fn line_of(&self, at: u32) -> u32 {
        let at = (at as usize).min(self.text.len());
        let block = at / LINES_BLOCK;
        let before = self.before.get(block).copied().unwrap_or(0);
        1 + before + self.ends_within(block * LINES_BLOCK..at)
    }

    fn print(&self, print: &Print) -> LinePrint {
        let line = self.line_of(print.start);
        let last = self.line_of(print.end.saturating_sub(1).max(print.start));
        LinePrint {
            value: print.value,
            line,
            spans: last - line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r##"import { readFile } from "node:fs";

export function describeVessel(vesselName, tonnage = 4096) {
  const harbourMaster = lookup(vesselName, { "berth-number": 512, isMoored: true });
  if (!harbourMaster.pilotOnBoard && tonnage > 0x2000) {
    throw new Error('no pilot: \x27take one\'');
  }
  return harbourMaster.manifest.filter((entry) => /^cargo-\d+$/.test(entry.label)).map((entry) => `${entry.label} of ${tonnage}`);
}

export const tideTable = ["high", "low", 1.125, 300, 301, 302, 303, 304, 305, 306];
"##;

    /// Published for good under the ids of the tiers and of the script lexer: the number of values, and their XOR. Those of
    /// `winnow/1` were computed with a second implementation, too (`tests/recompute.py`).
    #[test]
    fn golden_values() {
        let mut sums = [(0, 0); Tier::ALL.len()];
        prints(TEXT.as_bytes(), Side::Original, |tier, print| {
            let (count, sum) = &mut sums[tier as usize];
            *count += 1;
            *sum ^= print.value;
        });
        let golden = [
            (29, 0x004B_253B_5A03_978D),
            (15, 0xB3B2_5678_F4AA_B36D),
            (3, 0x8B25_162E_5BB8_1896),
            (4, 0x66A6_0EB7_01FB_FC38),
            (7, 0x01E7_F429_A26A_028A),
        ];
        assert_eq!(sums, golden);
    }

    fn values(text: &str, side: Side, tier: Tier) -> HashSet<u64> {
        let mut found = HashSet::new();
        prints(text.as_bytes(), side, |of, print| {
            if of == tier {
                found.insert(print.value);
            }
        });
        found
    }

    #[test]
    fn a_target_is_asked_for_what_an_obfuscator_hid() {
        let words = [
            "environment",
            "Base weight of %d",
            "outgoingRadiance",
            "berth",
        ];
        let program: String = words.map(|word| format!("f(g('{word}'));\n")).concat();
        let original = values(&program, Side::Original, Tier::Atoms);
        assert_eq!(original.len(), words.len());
        // As javascript-obfuscator writes them: Base64, capitals and small letters exchanged, nothing behind.
        let hidden = |word: &str| {
            use base64::Engine;
            let digits = base64::engine::general_purpose::STANDARD_NO_PAD.encode(word);
            let swapped = digits.chars().map(|c| match c {
                'a'..='z' => c.to_ascii_uppercase(),
                _ => c.to_ascii_lowercase(),
            });
            format!("'{}'", swapped.collect::<String>())
        };
        let others = ["'first'", "'second'"].repeat(6).join(",");
        let table = format!("let t=[{others},{}];", words.map(hidden).join(","));
        let target = values(&table, Side::Target, Tier::Atoms);
        assert!(original.is_subset(&target), "{original:?} {target:?}");
        let signed = values(&table, Side::Original, Tier::Atoms);
        assert_eq!(
            signed.len(),
            2,
            "a table that is signed says as much as its beginning"
        );
    }

    #[test]
    fn numbers_that_count_up_are_no_atoms() {
        let listed = "f(1000); f(1001); f(1002); f(2000);";
        let scattered = "f(1000); f(1101); f(1202); f(2000);";
        let count = |text| values(text, Side::Target, Tier::Atoms).len();
        assert_eq!((count(listed), count(scattered)), (2, 4));
    }

    #[test]
    fn a_litany_has_no_shape() {
        let arms = |count: u32| -> String {
            (0..count)
                .map(|n| format!("Kind::A{n} => f(a),\n"))
                .collect()
        };
        let litany = format!("match a {{\n{}}}\n", arms(60));
        // Its beginning has one, by what stands before.
        assert!(values(&litany, Side::Target, Tier::Shape).len() <= 1);
        assert!(values(TEXT, Side::Target, Tier::Shape).len() > 3);
    }

    #[test]
    fn a_copy_in_base64_has_the_values_of_the_text() {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode(TEXT);
        let copy = format!("{{\"content\": \"{encoded}\"}}");
        let of = |text: &str, tier| -> HashSet<u64> {
            let prints = FilePrints::of(text.as_bytes());
            prints
                .of_tier(tier)
                .iter()
                .map(|print| print.value)
                .collect()
        };
        for tier in Tier::ALL {
            assert!(of(&copy, tier).is_superset(&of(TEXT, tier)), "{tier:?}");
        }
    }
}
