//! How much of a script its mappings say to come from a source.
//!
//! Mappings give places where something begins; it goes on to the next place in the same line, or to the end of the line. What
//! lies between two places is known from the map alone ([`Spread`]), what lies behind the last place of a line only with
//! the lengths of the script's lines ([`line_lengths`]); [`Spread::explained`] joins both.
//!
//! Counted are UTF-16 code units, as columns are (ECMA-426, "Position types"), without line ends and without the line that
//! leads to the map, which came behind it. Nothing is said where the map has sections, where its mappings are faulty or not
//! in order, where they point beyond the script, and where script or map have more lines than are kept.

use serde::{Deserialize, Serialize};

/// Lines of a script whose lengths are kept.
const LINES_MAX: usize = 1 << 16;

/// Runs of lines that are kept of a map.
const RUNS_MAX: usize = 1 << 14;

/// What mappings say of the generated code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Code units between two places of a line, where the first comes from a source.
    inside: u64,
    /// The columns of the last places of lines, added up, where they come from a source.
    starts: u64,
    /// Those lines: the first of each run, and how many there are.
    tails: Vec<(u32, u32)>,
    /// Nothing can be said.
    is_void: bool,
}

impl Spread {
    /// One that says nothing.
    pub fn void() -> Self {
        Self {
            is_void: true,
            ..Self::default()
        }
    }

    /// Nothing can be said from here on.
    pub(super) fn give_up(&mut self) {
        *self = Self::void();
    }

    /// Adds what lies between two places of a line.
    #[inline(always)]
    pub(super) fn add_inside(&mut self, units: u64) {
        self.inside = self.inside.saturating_add(units);
    }

    /// Adds a line whose last place comes from a source. Lines come in order.
    pub(super) fn add_tail(&mut self, line: u64, column: u64) {
        if self.is_void {
            return;
        }
        let Ok(line) = u32::try_from(line) else {
            return self.give_up();
        };
        self.starts = self.starts.saturating_add(column);
        let is_full = self.tails.len() == RUNS_MAX;
        match self.tails.last_mut() {
            Some((first, count)) if first.checked_add(*count) == Some(line) => *count += 1,
            _ if is_full => self.give_up(),
            _ => self.tails.push((line, 1)),
        }
    }

    /// Code units of a script with lines of these lengths that come from a source, and all of them; nothing where the two
    /// do not fit or too little is known.
    pub fn explained(&self, lines: &[u32]) -> Option<(u64, u64)> {
        if self.is_void || lines.is_empty() {
            return None;
        }
        let sum = |lines: &[u32]| lines.iter().map(|len| u64::from(*len)).sum::<u64>();
        let mut whole = 0_u64;
        for (first, count) in &self.tails {
            let first = *first as usize;
            whole += sum(lines.get(first..first.checked_add(*count as usize)?)?);
        }
        let all = sum(lines);
        let behind = whole.checked_sub(self.starts)?;
        let explained = behind.checked_add(self.inside)?;
        (explained <= all && all > 0).then_some((explained, all))
    }
}

/// The lengths of a script's lines in UTF-16 code units, without line ends; 0 for a line that only leads to a map. None at
/// all where there are more than are kept.
pub fn line_lengths(script: &[u8]) -> Vec<u32> {
    let is_ascii = script.is_ascii();
    let mut lengths = Vec::new();
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', script);
    let last = (!script.ends_with(b"\n")).then_some(script.len());
    for end in ends.chain(last.filter(|len| *len > 0)) {
        if lengths.len() == LINES_MAX {
            return Vec::new();
        }
        let line = script.get(start..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let units = match line.first() {
            Some(b'/') if is_link(line) => 0,
            _ if is_ascii => line.len(),
            _ => units(line),
        };
        lengths.push(u32::try_from(units).unwrap_or(u32::MAX));
        start = end + 1;
    }
    lengths.shrink_to_fit();
    lengths
}

/// Whether a line is nothing but a link to a map.
fn is_link(line: &[u8]) -> bool {
    let begins = [
        "//# sourceMappingURL=",
        "//@ sourceMappingURL=",
        "/*# sourceMappingURL=",
    ];
    begins
        .iter()
        .any(|begin| line.starts_with(begin.as_bytes()))
}

/// UTF-16 code units of a text in UTF-8: one for each character, two beyond the first 65,536.
fn units(line: &[u8]) -> usize {
    if line.is_ascii() {
        return line.len();
    }
    let unit = |byte: &u8| match byte {
        0x80..=0xBF => 0,
        0xF0.. => 2,
        _ => 1,
    };
    line.iter().map(unit).sum()
}

#[cfg(test)]
mod tests {
    use super::super::strict;
    use super::*;

    fn explained(mappings: &str, script: &str) -> Option<(u64, u64)> {
        let map =
            format!(r#"{{"version":3,"sources":["a","b"],"names":["n"],"mappings":"{mappings}"}}"#);
        strict::judge(map.as_bytes())
            .spread
            .explained(&line_lengths(script.as_bytes()))
    }

    #[test]
    fn spans_reach_to_the_next_place_or_the_end_of_the_line() {
        // From column 2 to the end of each line.
        assert_eq!(explained("EAAA;EAAA", "abcdef\nabcd"), Some((6, 10)));
        // From 2 to 4, where a place without a source begins.
        assert_eq!(explained("EAAA,E", "abcdef"), Some((2, 6)));
        // Lines without a place, and a link, are not explained; the link is not counted.
        assert_eq!(
            explained("AAAA;;AAAA", "ab\nxyz\ncd\n//# sourceMappingURL=a.js.map\n"),
            Some((4, 7))
        );
        assert_eq!(explained("", "abc"), Some((0, 3)));
        // Two units for one character beyond the first 65,536, one for others.
        assert_eq!(explained("EAAA", "\u{1f600}ü"), Some((1, 3)));
    }

    #[test]
    fn nothing_is_said_where_the_two_do_not_fit() {
        for (mappings, script) in [
            ("AAAA;AAAA", "only one line"),
            ("oBAAA", "short"),
            ("EAAA,DAAA", "not in order"),
            ("AAAA,AEAA", "no such source"),
            ("AAAA,!", "no mapping"),
            ("AAAA", ""),
        ] {
            assert_eq!(explained(mappings, script), None, "{mappings}");
        }
        let sections = br#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sources":["a"],"names":[],"mappings":"AAAA"}},
            {"offset":{"line":1,"column":0},"map":{"version":3,"sources":["a"],"names":[],"mappings":"AAAA"}}]}"#;
        assert_eq!(strict::judge(sections).spread.explained(&[3, 3]), None);
    }

    #[test]
    fn of_too_many_lines_nothing_is_said() {
        assert_eq!(line_lengths(&vec![b'\n'; LINES_MAX]).len(), LINES_MAX);
        assert!(line_lengths(&vec![b'\n'; LINES_MAX + 1]).is_empty());
    }
}
