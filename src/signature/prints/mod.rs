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
//! The licence header of a file gives no values: see `header`.
//!
//! Values are made by one frozen hash (see `hash`), unkeyed, so that a text is hashed once for all sets; a set stores
//! them keyed. Values of tiers that rest on tokens are seeded by the id of the lexer, except atoms, which are to be
//! found again in another language.

mod hash;
mod header;
mod tokens;
mod window;
mod winnow;

use std::collections::HashSet;

use super::index::LinePrint;
use super::norm_text;
use crate::lex::{Family, family_of};

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

/// Gives the fingerprints of `text` in all tiers to `put`, those of one tier in the order of their places. `text` is in
/// UTF-8 or what comes near it, without byte order mark; of a text longer than
/// [`TEXT_MAX_BYTES`](crate::lex::TEXT_MAX_BYTES) the beginning is read.
pub fn prints(text: &[u8], put: impl FnMut(Tier, Print)) {
    prints_of(family_of(text), text, put);
}

/// The same of a text whose family is known.
pub fn prints_of(family: Family, text: &[u8], mut put: impl FnMut(Tier, Print)) {
    prints_of_text(family, text, false, &mut put);
}

/// The same of a text that may have been found within another.
fn prints_of_text(family: Family, text: &[u8], is_decoded: bool, put: &mut dyn FnMut(Tier, Print)) {
    let text = text.get(..crate::lex::TEXT_MAX_BYTES).unwrap_or(text);
    let header = header::header_end(text);
    winnow::prints(&text[header..], |print| {
        let behind = |at: u32| at + header as u32;
        let (start, end) = (behind(print.start), behind(print.end));
        put(
            Tier::Winnow,
            Print {
                start,
                end,
                ..print
            },
        );
    });
    tokens::prints(family, text, is_decoded, put);
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
        let Some(text) =
            norm_text::decode(content).filter(|text| memchr::memchr(0, text).is_none())
        else {
            return FilePrints::default();
        };
        let mut found: [Vec<Print>; Tier::ALL.len()] = Default::default();
        let family = family_of(&text);
        prints_of(family, &text, |tier, print| {
            found[tier as usize].push(print)
        });
        let lines = LineStarts::of(&text);
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
}

/// Where the lines of a text begin; lines end with LF, CR LF or CR.
#[derive(Debug)]
pub(super) struct LineStarts(Vec<u32>);

impl LineStarts {
    pub(super) fn of(text: &[u8]) -> LineStarts {
        let ends = memchr::memchr2_iter(b'\n', b'\r', text);
        let ends = ends.filter(|&at| text[at] == b'\n' || text.get(at + 1) != Some(&b'\n'));
        LineStarts(
            std::iter::once(0)
                .chain(ends.map(|at| at as u32 + 1))
                .collect(),
        )
    }

    /// The line that holds a byte, from 1.
    pub(super) fn line_of(&self, at: u32) -> u32 {
        self.0.partition_point(|&start| start <= at) as u32
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
        prints(TEXT.as_bytes(), |tier, print| {
            let (count, sum) = &mut sums[tier as usize];
            *count += 1;
            *sum ^= print.value;
        });
        let golden = [
            (33, 0x8DCA_87A7_B234_7C52),
            (19, 0xC526_5562_172E_CBAB),
            (3, 0x8B25_162E_5BB8_1896),
            (4, 0x66A6_0EB7_01FB_FC38),
            (7, 0x01E7_F429_A26A_028A),
        ];
        assert_eq!(sums, golden);
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
