//! An exhibit: one match as one page, for somebody who was not there.
//!
//! It shows both sides by their hashes, the stretches that correspond with their lines numbered and side by side, what
//! was computed, and what each word means. It says nothing of what follows from that: no word on it is a verdict. The
//! page loads nothing and prints; what comes from an input goes through [`text::visible`] and the template's escaping, and
//! credentials are overwritten before ([`crate::exposure::mask`]). Digests are of the bytes as they are.

use std::borrow::Cow;

use askama::Template;

use super::text;
use super::{ReportError, html::filters};
use crate::exposure::mask::Masks;
use crate::record::{Grade, Match};
use crate::signature::norm_text::text_of;
use crate::signature::validation::Card;
use crate::signature::{SharedCount, lines_of};

/// Lines of one stretch that are shown on each side; the rest is counted.
const LINES_MAX: usize = 2_000;
/// Characters of one line that are shown.
const LINE_MAX_CHARS: usize = 2_000;

/// One side of a match.
#[derive(Debug)]
pub struct Side<'a> {
    /// What it is called: a locator, or a file of a work.
    pub name: String,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where they were read for this page.
    pub read_from: &'static str,
}

/// A stretch of both sides.
struct Stretch {
    original: Vec<(usize, String)>,
    target: Vec<(usize, String)>,
    original_more: usize,
    target_more: usize,
    bytes: [u64; 2],
}

#[derive(Template)]
#[template(path = "exhibit.html")]
struct Page<'a> {
    version: &'a str,
    verdict: &'a str,
    run_version: &'a str,
    found: &'a Match,
    definition: &'static str,
    original: &'a Side<'a>,
    target: &'a Side<'a>,
    counts: &'a [SharedCount],
    stretches: Vec<Stretch>,
    card: &'static Card,
}

/// What a grade means, in words that both the page and the terminal use.
#[must_use]
pub fn definition(grade: Grade) -> &'static str {
    match grade {
        Grade::Exact => "the bytes of both sides are the same",
        Grade::Normalized => {
            "the texts of both sides are the same after normal forms: encoding, line ends, blanks at line ends, or all layout of a program"
        }
        Grade::Excerpt => {
            "stretches of both sides hold the same letters and digits in the same order"
        }
        Grade::Derived => {
            "both sides share literals, names of properties and the shape of their code, as after renaming, minifying or bundling by a tool"
        }
        Grade::Ported => "both sides share what survives a translation to another language",
        Grade::Hinted => {
            "length and checksum as a header states them are the same; the bytes were not read"
        }
    }
}

/// Renders the page. `run_version` is the program that made the record, `version` the one that renders.
///
/// # Errors
/// When the template engine fails.
pub fn render_exhibit(
    found: &Match,
    original: &Side,
    target: &Side,
    counts: &[SharedCount],
    version: &str,
    run_version: &str,
) -> Result<String, ReportError> {
    let texts = [original.bytes, target.bytes].map(|bytes| text_of(bytes).unwrap_or_default());
    let masks = texts.each_ref().map(|text| Masks::of(text));
    // Where a text is not the bytes as they lie, places in bytes say nothing of it.
    let skipped = match &texts[1] {
        Cow::Borrowed(text) => Some(target.bytes.len() - text.len()),
        Cow::Owned(_) => None,
    };
    let texts = [masks[0].over(&texts[0]), masks[1].over(&texts[1])];
    let [of_original, of_target] = texts.each_ref().map(|text| lines_of(text));
    let stretches = found
        .ranges
        .iter()
        .map(|range| {
            let (left, original_more) = numbered(&of_original, range.original_lines);
            let one_line = range.target_lines[0] == range.target_lines[1];
            let is_long = line_at(&of_target, range.target_lines[0]).len() > LINE_MAX_CHARS;
            let (right, target_more) = match skipped.filter(|_| one_line && is_long) {
                Some(skipped) => {
                    let bytes = range
                        .target_bytes
                        .map(|at| at.saturating_sub(skipped as u64));
                    (within(&texts[1], bytes, range.target_lines[0]), 0)
                }
                None => numbered(&of_target, range.target_lines),
            };
            Stretch {
                original: left,
                target: right,
                original_more,
                target_more,
                bytes: range.target_bytes,
            }
        })
        .collect();
    let page = Page {
        version,
        verdict: crate::signature::verdict::VERSION,
        run_version,
        found,
        definition: definition(found.grade),
        original,
        target,
        counts,
        stretches,
        card: Card::builtin(),
    };
    Ok(page.render()?)
}

fn line_at<'t>(lines: &[&'t [u8]], number: u64) -> &'t [u8] {
    let at = usize::try_from(number).unwrap_or(usize::MAX);
    lines.get(at.wrapping_sub(1)).copied().unwrap_or_default()
}

/// Lines with their numbers, and how many more there are.
fn numbered(lines: &[&[u8]], [first, last]: [u64; 2]) -> (Vec<(usize, String)>, usize) {
    let first = usize::try_from(first).unwrap_or(usize::MAX).max(1);
    let last = usize::try_from(last).unwrap_or(usize::MAX).min(lines.len());
    let all = (1..).zip(lines).skip(first - 1);
    let all = all.take_while(|(number, _)| *number <= last);
    let shown = all
        .take(LINES_MAX)
        .map(|(number, line)| (number, visible(line)));
    let more = (last + 1).saturating_sub(first).saturating_sub(LINES_MAX);
    (shown.collect(), more)
}

/// A stretch of one long line.
fn within(bytes: &[u8], [start, end]: [u64; 2], line: u64) -> Vec<(usize, String)> {
    let at = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX).min(bytes.len());
    let part = bytes.get(at(start)..at(end)).unwrap_or_default();
    let line = usize::try_from(line).unwrap_or(usize::MAX);
    vec![(line, visible(part))]
}

/// A line as it is shown.
pub(super) fn visible(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text::visible(&text::clip(&text.replace('\t', "    "), LINE_MAX_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Basis, Hops, MatchRange};

    #[test]
    fn lines_stand_side_by_side_and_nothing_breaks_out() {
        let original = b"one\ntwo <script>alert(1)</script>\nthree\n";
        let target = "zero\none\ntwo \u{202e}<script>\n".as_bytes();
        let found = Match {
            locator: "in/x.js".to_owned(),
            hops: Hops::default(),
            sha256: None,
            work: "acme".to_owned(),
            release: "1".to_owned(),
            file: "src/x.js".to_owned(),
            grade: Grade::Excerpt,
            basis: Basis::Content,
            score: 0.9,
            log10_p: Some(-12.0),
            of_original: 0.5,
            of_target: 0.5,
            ranges: vec![MatchRange {
                original_lines: [1, 2],
                target_lines: [2, 3],
                target_bytes: [5, 20],
            }],
            written: None,
            git: None,
            image: None,
        };
        let side = |name: &str, bytes| Side {
            name: name.to_owned(),
            sha256: "00".to_owned(),
            bytes,
            read_from: "the input",
        };
        let (left, right) = (side("src/x.js", &original[..]), side("in/x.js", target));
        let page = render_exhibit(&found, &left, &right, &[], "v1", "v0").unwrap();
        assert!(page.contains("&#60;script&#62;") && !page.to_lowercase().contains("<script"));
        assert!(page.contains("[U+202E]") && !page.contains('\u{202e}'));
        assert!(!page.contains("three") && !page.contains("zero"));
        for word in ["copy", "copied", "stolen", "leak", "infring", "theft"] {
            assert!(!page.to_lowercase().contains(word), "{word} is a verdict");
        }
    }
}
