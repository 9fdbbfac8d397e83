//! From fingerprints that agree to stretches of both sides that correspond.
//!
//! Fingerprints are points; people need "lines 12 to 80 of theirs are lines 40 to 108 of ours". Neighbours are joined
//! where they follow one another closely on both sides. Between two joined fingerprints the texts usually agree, and
//! need not: a range says that the stretches correspond, not that they are equal in every byte.

use std::ops::Range;

use super::liken::Trace;
use super::prints::{LineNumbers, Tier};
use super::set::Set;

/// Bytes of the target between two fingerprints that are joined, at first.
const GAP_BYTES: u32 = 256;
/// Lines of the original between them.
const GAP_LINES: u32 = 6;
/// With more ranges than this for a pair, wider gaps are joined.
const RANGES_MAX: usize = 100;

/// Stretches of both sides that correspond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stretch {
    /// First and last line of the original, from 1.
    pub original_lines: [u32; 2],
    /// First and last line of the target, from 1.
    pub target_lines: [u32; 2],
    /// Bytes of the target, half-open.
    pub target_bytes: [u64; 2],
}

/// A trace with the lines of its place in the original.
struct Placed {
    original: [u32; 2],
    target: Range<u32>,
}

/// The stretches that the traces of `tiers` show, in the order of their places in the target.
pub(super) fn stretches(
    set: &Set,
    file: u32,
    traces: &[Trace],
    tiers: &[Tier],
    lines: &LineNumbers<'_>,
) -> Vec<Stretch> {
    let placed = placed(set, file, traces, tiers);
    let (mut bytes, mut feeds) = (GAP_BYTES, GAP_LINES);
    let mut joined = join(&placed, bytes, feeds);
    while joined.len() > RANGES_MAX {
        (bytes, feeds) = (bytes.saturating_mul(2), feeds.saturating_mul(2));
        joined = join(&placed, bytes, feeds);
        if bytes == u32::MAX {
            break;
        }
    }
    joined
        .into_iter()
        .map(|stretch| Stretch {
            original_lines: stretch.original,
            target_lines: [
                lines.line_of(stretch.target.start),
                lines.line_of(stretch.target.end.saturating_sub(1)),
            ],
            target_bytes: [stretch.target.start.into(), stretch.target.end.into()],
        })
        .collect()
}

fn placed(set: &Set, file: u32, traces: &[Trace], tiers: &[Tier]) -> Vec<Placed> {
    let mut placed = Vec::new();
    for &tier in tiers {
        let Some(index) = set.index(tier) else {
            continue;
        };
        let lines = index.lines_of(set.data(), file);
        let first = index.first_of(set.data(), file);
        for trace in traces.iter().filter(|trace| trace.tier == tier) {
            let place = trace.posting.checked_sub(first).map(|place| place as usize);
            if let Some(&(line, last)) = place.and_then(|place| lines.get(place)) {
                placed.push(Placed {
                    original: [line, last],
                    target: trace.start..trace.end,
                });
            }
        }
    }
    placed.sort_by_key(|one| (one.target.start, one.target.end, one.original));
    placed
}

/// Joins each to the last stretch that it follows closely on both sides.
fn join(placed: &[Placed], gap_bytes: u32, gap_lines: u32) -> Vec<Placed> {
    let mut joined: Vec<Placed> = Vec::new();
    for one in placed {
        // Few stretches are open at a time: those that end not far before this one begins.
        let follows = joined.iter_mut().rev().take(8).find(|open| {
            one.target.start <= open.target.end.saturating_add(gap_bytes)
                && one.original[0].saturating_add(gap_lines) >= open.original[0]
                && one.original[0] <= open.original[1].saturating_add(gap_lines)
        });
        match follows {
            Some(open) => {
                open.target.end = open.target.end.max(one.target.end);
                open.original[0] = open.original[0].min(one.original[0]);
                open.original[1] = open.original[1].max(one.original[1]);
            }
            None => joined.push(Placed {
                original: one.original,
                target: one.target.clone(),
            }),
        }
    }
    joined
}
