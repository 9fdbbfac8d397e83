//! Two texts, line by line.
//!
//! Lines are compared without their ends and the blanks before those: a checkout with other line ends has no other lines.
//! Everything else counts, also characters that nobody sees. The order of lines is kept (Myers, with the cut-offs that git
//! has, so that no text takes more than linear time and little more); of texts with more than [`LINES_MAX`] lines together
//! only how often each line stands in either is compared, and that is said.

use std::collections::HashMap;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput, Interner};

use crate::signature::lines_of;

/// Lines of both texts together that are compared in order.
pub const LINES_MAX: usize = 1_000_000;
/// Stretches of a text that are named; all lines are counted.
pub const STRETCHES_MAX: usize = 64;

/// What two texts have of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Lines that only the second has.
    pub added: u64,
    /// Lines that only the first has.
    pub removed: u64,
    /// Bytes of the first that stand in lines which both have.
    pub held_bytes: u64,
    /// Bytes of the second that stand in lines which only it has.
    pub outside_bytes: u64,
    /// Which lines of the second only it has, 1-based, inclusive; the first [`STRETCHES_MAX`] stretches.
    pub outside: Vec<[u64; 2]>,
    /// The order of lines counted; else each was looked for anywhere.
    pub is_ordered: bool,
}

/// A stretch of lines of the first text in whose place the second has others; counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Lines of the first.
    pub original: Range<usize>,
    /// Lines of the second.
    pub copy: Range<usize>,
}

/// Lines round a change.
pub const CONTEXT: usize = 3;

/// Hunks that stand so near to each other that they are shown as one, with the lines round them.
pub struct Group {
    /// Lines of the original, from 0.
    pub original: Range<usize>,
    /// Lines of the copy.
    pub copy: Range<usize>,
    /// What differs within.
    pub hunks: Vec<Hunk>,
}

/// Puts hunks with their context together. The first text has so many `lines`.
#[must_use]
pub fn grouped(found: &[Hunk], lines: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for hunk in found {
        let before = hunk.original.start.min(CONTEXT);
        let before = before.min(hunk.copy.start);
        let after = lines.saturating_sub(hunk.original.end).min(CONTEXT);
        let range = |range: &Range<usize>| range.start - before..range.end + after;
        let (original, copy) = (range(&hunk.original), range(&hunk.copy));
        match groups.last_mut() {
            Some(last) if original.start <= last.original.end => {
                last.original.end = original.end;
                last.copy.end = copy.end;
                last.hunks.push(hunk.clone());
            }
            _ => groups.push(Group {
                original,
                copy,
                hunks: vec![hunk.clone()],
            }),
        }
    }
    groups
}

/// What counts of a line.
fn key(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    &line[..end.map_or(0, |end| end + 1)]
}

/// Where two texts differ, in order. `None` where they have more lines than are compared in order.
#[must_use]
pub fn hunks(original: &[&[u8]], copy: &[&[u8]]) -> Option<Vec<Hunk>> {
    if original.len() + copy.len() > LINES_MAX {
        return None;
    }
    let mut interner = Interner::new(original.len() + copy.len());
    let before = original.iter().map(|line| interner.intern(key(line)));
    let before = before.collect();
    let after = copy.iter().map(|line| interner.intern(key(line)));
    let after = after.collect();
    let input = InternedInput {
        before,
        after,
        interner,
    };
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_lines(&input);
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    let hunks = diff.hunks().map(|hunk| Hunk {
        original: range(hunk.before),
        copy: range(hunk.after),
    });
    Some(hunks.collect())
}

/// Compares two texts.
#[must_use]
pub fn compare(original: &[u8], copy: &[u8]) -> Lines {
    let (first, second) = (lines_of(original), lines_of(copy));
    let mut lines = match hunks(&first, &second) {
        Some(hunks) => in_order(&first, &second, &hunks),
        None => anywhere(&first, &second),
    };
    lines.held_bytes = (original.len() as u64).saturating_sub(lines.held_bytes);
    lines.outside_bytes = lines.outside_bytes.min(copy.len() as u64);
    lines
}

/// Bytes of a line with what ends it.
fn len(line: &[u8]) -> u64 {
    line.len() as u64 + 1
}

/// `held_bytes` counts what is not held.
fn in_order(first: &[&[u8]], second: &[&[u8]], hunks: &[Hunk]) -> Lines {
    let bytes = |lines: &[&[u8]], range: &Range<usize>| -> u64 {
        let lines = lines.get(range.clone()).unwrap_or_default();
        lines.iter().map(|line| len(line)).sum()
    };
    let stretches = hunks.iter().filter(|hunk| !hunk.copy.is_empty());
    Lines {
        added: hunks.iter().map(|hunk| hunk.copy.len() as u64).sum(),
        removed: hunks.iter().map(|hunk| hunk.original.len() as u64).sum(),
        held_bytes: hunks.iter().map(|hunk| bytes(first, &hunk.original)).sum(),
        outside_bytes: hunks.iter().map(|hunk| bytes(second, &hunk.copy)).sum(),
        outside: stretches
            .take(STRETCHES_MAX)
            .map(|hunk| [hunk.copy.start as u64 + 1, hunk.copy.end as u64])
            .collect(),
        is_ordered: true,
    }
}

/// The same by how often each line stands in either text. `held_bytes` counts what is not held.
fn anywhere(first: &[&[u8]], second: &[&[u8]]) -> Lines {
    let mut left: HashMap<&[u8], u64> = HashMap::new();
    for line in first {
        *left.entry(key(line)).or_insert(0) += 1;
    }
    let mut lines = Lines {
        added: 0,
        removed: 0,
        held_bytes: 0,
        outside_bytes: 0,
        outside: Vec::new(),
        is_ordered: false,
    };
    for (number, line) in (1..).zip(second) {
        match left.get_mut(key(line)).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => {
                lines.added += 1;
                lines.outside_bytes += len(line);
                put(&mut lines.outside, number);
            }
        }
    }
    for (line, count) in left {
        lines.removed += count;
        lines.held_bytes += count * len(line);
    }
    lines
}

/// Adds a line to stretches.
fn put(stretches: &mut Vec<[u64; 2]>, line: u64) {
    let count = stretches.len();
    match stretches.last_mut() {
        Some([_, last]) if *last + 1 == line => *last = line,
        _ if count < STRETCHES_MAX => stretches.push([line, line]),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_only_the_second_has_is_named_by_line() {
        let lines = compare(
            b"one\ntwo\nthree\nfour\n",
            b"one\r\nTWO\r\nmore\r\nthree  \r\n",
        );
        assert_eq!((lines.added, lines.removed), (2, 2));
        assert_eq!(lines.outside, [[2, 3]]);
        assert_eq!(lines.outside_bytes, 9);
        // `one`, `three` and what ends them.
        assert_eq!(lines.held_bytes, 10);
    }

    #[test]
    fn without_order_lines_are_looked_for_anywhere() {
        let (first, second) = (lines_of(b"a\nb\nb\n"), lines_of(b"b\nx\na\ny\nz\n"));
        let lines = anywhere(&first, &second);
        assert_eq!(
            (lines.added, lines.removed, lines.is_ordered),
            (3, 1, false)
        );
        assert_eq!(lines.outside, [[2, 2], [4, 5]]);
    }

    #[test]
    fn near_hunks_are_shown_together() {
        let hunk = |original: Range<usize>, copy| Hunk { original, copy };
        let groups = grouped(
            &[hunk(1..2, 1..3), hunk(6..6, 7..8), hunk(30..31, 32..32)],
            33,
        );
        let ranges: Vec<_> = groups
            .iter()
            .map(|group| {
                (
                    group.original.clone(),
                    group.copy.clone(),
                    group.hunks.len(),
                )
            })
            .collect();
        assert_eq!(ranges, [(0..9, 0..11, 2), (27..33, 29..34, 1)]);
    }

    #[test]
    fn a_long_text_takes_no_long_time() {
        let lines = |step: u64| -> Vec<u8> {
            let lines = (0..100_000_u64).map(|line| format!("line {}\n", line * step % 99_991));
            lines.collect::<String>().into_bytes()
        };
        let started = std::time::Instant::now();
        let found = compare(&lines(7), &lines(31));
        assert!(found.added > 0 && found.added == found.removed);
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let line = prop::sample::select(vec!["a\n", "b\n", "c\r\n", "  d\n", "\n", "e \n", "f"]);
        prop::collection::vec(line, 0..40).prop_map(|lines| lines.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn both_ways_agree_on_how_many(a in text(), b in text()) {
            let (there, back) = (compare(&a, &b), compare(&b, &a));
            let count = |text: &[u8]| lines_of(text).len() as u64;
            prop_assert_eq!(count(&a) - there.removed, count(&b) - there.added);
            prop_assert_eq!(count(&b) - back.removed, count(&a) - back.added);
            prop_assert!(there.held_bytes <= a.len() as u64 && there.outside_bytes <= b.len() as u64);
            let (first, second) = (lines_of(&a), lines_of(&b));
            // Without order no fewer lines are found again.
            prop_assert!(anywhere(&first, &second).added <= there.added);
            prop_assert_eq!(compare(&a, &a).added, 0);
        }

        #[test]
        fn what_is_put_in_place_of_hunks_makes_the_second_text(a in text(), b in text()) {
            let (first, second) = (lines_of(&a), lines_of(&b));
            let (mut made, mut at) = (Vec::new(), 0);
            for hunk in hunks(&first, &second).unwrap() {
                made.extend(first[at..hunk.original.start].iter().map(|line| key(line)));
                made.extend(second[hunk.copy.clone()].iter().map(|line| key(line)));
                at = hunk.original.end;
            }
            made.extend(first[at..].iter().map(|line| key(line)));
            prop_assert_eq!(made, second.iter().map(|line| key(line)).collect::<Vec<_>>());
        }
    }
}
