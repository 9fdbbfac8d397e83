//! Fingerprints that two contents share, for those who want to see what a match rests on.
//!
//! A set holds values and lines, and no text; with the original at hand the same fingerprints are made of both sides
//! anew and laid beside each other. That takes no set and no key: values are keyed only where they are stored. What comes
//! out is what the matcher saw, except for what a baseline takes away and what a compact set does not keep.

use std::collections::HashMap;

use super::norm_text;
use super::prints::{FilePrints, LineNumbers, Print, Side, Tier, prints};

/// One fingerprint that both sides have, at its first place on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared {
    /// Its tier.
    pub tier: Tier,
    /// First and last line of the original that it stands for, from 1.
    pub original_lines: [u32; 2],
    /// The same of the target.
    pub target_lines: [u32; 2],
    /// Bytes of the target, half-open.
    pub target_bytes: [u64; 2],
}

/// How many fingerprints of one tier the original has, and how many of them the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedCount {
    /// The tier.
    pub tier: Tier,
    /// Different fingerprints of the original.
    pub original: usize,
    /// Of these, in the target.
    pub shared: usize,
}

/// The fingerprints that both contents have, by tier and then by place in the target; nothing where one is no text.
#[must_use]
pub fn shared(original: &[u8], target: &[u8]) -> (Vec<SharedCount>, Vec<Shared>) {
    let of_original = FilePrints::of(original);
    let mut first: HashMap<(Tier, u64), Print> = HashMap::new();
    let text = norm_text::text_of(target).unwrap_or_default();
    prints(&text, Side::Target, |tier, print| {
        let held = first.entry((tier, print.value)).or_insert(print);
        if print.start < held.start {
            *held = print;
        }
    });
    let lines = LineNumbers::of(&text);
    let (mut counts, mut found) = (Vec::new(), Vec::new());
    for tier in Tier::ALL {
        let all = of_original.of_tier(tier);
        let before = found.len();
        found.extend(all.iter().filter_map(|print| {
            let at = first.get(&(tier, print.value))?;
            let last = at.end.saturating_sub(1).max(at.start);
            Some(Shared {
                tier,
                original_lines: [print.line, print.line.saturating_add(print.spans)],
                target_lines: [lines.line_of(at.start), lines.line_of(last)],
                target_bytes: [at.start.into(), at.end.into()],
            })
        }));
        found[before..].sort_by_key(|one| (one.target_bytes, one.original_lines));
        counts.push(SharedCount {
            tier,
            original: all.len(),
            shared: found.len() - before,
        });
    }
    into_content(target, &mut found);
    (counts, found)
}

/// Places were found in the text; turns them into those of the content that it was decoded from.
fn into_content(content: &[u8], found: &mut [Shared]) {
    let ends = |one: &Shared| [one.target_bytes[0], one.target_bytes[1].saturating_sub(1)];
    let mut wanted: Vec<u64> = found.iter().flat_map(ends).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let Some(places) = norm_text::places_in_content(content, &wanted) else {
        return;
    };
    let at = |byte: &u64| {
        wanted
            .binary_search(byte)
            .ok()
            .and_then(|at| places.get(at))
    };
    for one in found {
        let [first, last] = ends(one);
        if let (Some(first), Some(last)) = (at(&first), at(&last)) {
            one.target_bytes = [first.start, last.end];
        }
    }
}

/// The lines of a text, without their ends; LF, CR LF and CR end one.
#[must_use]
pub fn lines_of(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for at in memchr::memchr2_iter(b'\n', b'\r', text) {
        if at < start {
            continue;
        }
        lines.push(&text[start..at]);
        let is_pair = text[at] == b'\r' && text.get(at + 1) == Some(&b'\n');
        start = at + 1 + usize::from(is_pair);
    }
    if start < text.len() {
        lines.push(&text[start..]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_end_ends_a_line() {
        assert_eq!(
            lines_of(b"a\r\nb\rc\n\nd"),
            [&b"a"[..], b"b", b"c", b"", b"d"]
        );
        assert_eq!(lines_of(b"a\n"), [b"a"]);
        assert!(lines_of(b"").is_empty());
    }

    #[test]
    fn what_both_have_is_laid_side_by_side() {
        let original: String = (0..60)
            .map(|n| format!("call{n}(\"text number {n}\");\n"))
            .collect();
        let part: String = original
            .lines()
            .skip(20)
            .take(10)
            .map(|line| format!("{line}\n"))
            .collect();
        let target = format!("x\ny\n{part}");
        let (counts, found) = shared(original.as_bytes(), target.as_bytes());
        assert!(
            counts
                .iter()
                .any(|count| count.shared > 0 && count.shared < count.original)
        );
        assert!(!found.is_empty());
        for one in found.iter().filter(|one| one.tier == Tier::Winnow) {
            let off = i64::from(one.original_lines[0]) - i64::from(one.target_lines[0]);
            assert_eq!(off, 18, "{one:?}");
        }
        assert!(shared(b"\0\0", target.as_bytes()).1.is_empty());
    }
}
