//! Copies beside their original, as one page: what each holds and what is in it besides, line beside line.
//!
//! The page is for somebody who was not there, so it is made like an exhibit: no script, nothing loaded, every string of an
//! input visible and inert, and no word that is a verdict. It shows as little of the text as says something: of each file the
//! places that differ, with a few lines round them, up to a number of lines for each file and for the page. What is cut is
//! counted, there and at the top; all of it is in the records. Credentials are overwritten ([`crate::exposure::mask`]); which
//! lines differ is told from the texts as they are.

use std::borrow::Cow;

use askama::Template;

use super::exhibit::visible;
use super::{ReportError, html::filters};
use crate::copies::delta::{Delta, Detail, Pair, text_of};
use crate::copies::lines::{Hunk, grouped, hunks};
use crate::copies::tree::{TreeFile, shown_path};
use crate::exposure::mask::MaskCache;
use crate::record::{ChangeKind, Comparison, Sign};
use crate::signature::lines_of;

/// Lines of one file that are shown, where the user says nothing else.
pub const LINES_OF_FILE: usize = 40;
/// Times as many are shown on the page.
const FILES_WORTH: usize = 10;
/// Copies, and of each the files and the signs, that are listed; the rest is counted.
const COPIES_MAX: usize = 200;
const FILES_MAX: usize = 100;
const SIGNS_MAX: usize = 50;

/// Which lines stand beside each other, counted from 0.
struct Place {
    sign: &'static str,
    original: Option<usize>,
    copy: Option<usize>,
}

/// One line of both sides.
struct Row {
    /// `=`, `-`, `+`, `~` (another in its place), or empty where lines are left out.
    sign: &'static str,
    original: Option<(usize, String)>,
    copy: Option<(usize, String)>,
}

/// One file.
struct FilePart {
    word: &'static str,
    path: String,
    original: Option<String>,
    added: Option<u64>,
    removed: Option<u64>,
    bytes: u64,
    content: String,
    header_removed: bool,
    rows: Vec<Row>,
    /// Lines of both sides that are not shown, and why none are.
    more: u64,
    note: &'static str,
}

/// One copy.
struct CopyPart {
    whole: Comparison,
    /// Share of the original that it holds.
    held: f64,
    signs: Vec<Sign>,
    more_signs: u64,
    files: Vec<FilePart>,
    more_files: u64,
}

/// The page, while it is made.
pub struct BesidePage {
    original: String,
    of_file: usize,
    left: usize,
    of_page: usize,
    copies: Vec<CopyPart>,
    more_copies: u64,
    /// Lines that differ and are not shown.
    cut: u64,
    /// Where secrets stand in what was shown.
    masks: MaskCache,
}

#[derive(Template)]
#[template(path = "beside.html")]
struct Page<'a> {
    version: &'a str,
    page: &'a BesidePage,
}

impl BesidePage {
    /// Begins a page on copies of `original`, with at most so many lines of each file.
    #[must_use]
    pub fn new(original: &str, of_file: usize) -> Self {
        let of_page = of_file.saturating_mul(FILES_WORTH);
        Self {
            original: original.to_owned(),
            of_file,
            left: of_page,
            of_page,
            copies: Vec::new(),
            more_copies: 0,
            cut: 0,
            masks: MaskCache::default(),
        }
    }

    /// Adds a copy.
    pub fn add(&mut self, whole: &Comparison, mut signs: Vec<Sign>, delta: &Delta) {
        if self.copies.len() >= COPIES_MAX {
            self.more_copies += 1;
            return;
        }
        signs.sort_by(|a, b| {
            let place = |sign: &Sign| (sign.path.clone(), sign.line, sign.rule.clone());
            b.severity
                .cmp(&a.severity)
                .then_with(|| place(a).cmp(&place(b)))
        });
        let more_signs = signs.len().saturating_sub(SIGNS_MAX) as u64;
        signs.truncate(SIGNS_MAX);
        let rows = delta.pairs.iter().zip(&delta.details);
        let mut rows: Vec<_> = rows
            .filter(|(pair, _)| pair.kind != ChangeKind::Moved)
            .collect();
        // Those that a sign is about, then those with most of their own.
        let outside = |pair: &Pair, lines: u64| {
            let path = pair.copy.map(|(path, _)| shown_path(path));
            let has_sign = path.is_some_and(|path| signs.iter().any(|sign| sign.path == path));
            let rank = match pair.kind {
                ChangeKind::Changed | ChangeKind::Added => 2,
                ChangeKind::Removed => 0,
                _ => 1,
            };
            std::cmp::Reverse((has_sign, rank, lines))
        };
        rows.sort_by_cached_key(|(pair, detail)| {
            let lines = detail.lines.as_deref().map(|lines| lines.added);
            outside(pair, lines.or(detail.all_lines).unwrap_or(0))
        });
        let more_files = rows.len().saturating_sub(FILES_MAX) as u64;
        let mut files = Vec::new();
        for (pair, detail) in rows.into_iter().take(FILES_MAX) {
            files.push(self.file(pair, detail));
        }
        self.copies.push(CopyPart {
            held: whole.bytes_held as f64 / whole.bytes_original.max(1) as f64,
            whole: whole.clone(),
            signs,
            more_signs,
            files,
            more_files,
        });
    }

    fn file(&mut self, pair: &Pair, detail: &Detail) -> FilePart {
        let (places, note) = places_of(pair);
        let all = places.len();
        let shown = all.min(self.of_file).min(self.left);
        self.left -= shown;
        let more = (all - shown) as u64;
        let rows = rows_of(
            pair,
            places.get(..shown).unwrap_or_default(),
            &mut self.masks,
        );
        self.cut += more;
        let file = pair.copy.or(pair.original);
        let path = file.map(|(path, _)| shown_path(path)).unwrap_or_default();
        let original = pair.original.map(|(path, _)| shown_path(path));
        let lines = detail.lines.as_deref();
        FilePart {
            word: match pair.kind {
                ChangeKind::Added => "added",
                ChangeKind::Changed => "changed",
                ChangeKind::Reformatted => "layout only",
                ChangeKind::Moved => "moved",
                ChangeKind::Removed => "removed",
            },
            original: original.filter(|original| *original != path),
            path,
            added: lines.map(|lines| lines.added).or(detail.all_lines),
            removed: lines.map(|lines| lines.removed),
            bytes: file.map_or(0, |(_, file)| file.len),
            content: file
                .map(|(_, file)| file.content.clone())
                .unwrap_or_default(),
            header_removed: detail.header_removed,
            rows,
            more,
            note,
        }
    }

    /// Renders the page.
    ///
    /// # Errors
    /// When the template engine fails.
    pub fn render(&self, version: &str) -> Result<String, ReportError> {
        Ok(Page {
            version,
            page: self,
        }
        .render()?)
    }
}

/// The text of a side as it is compared.
fn text<'t>(side: Option<(&[u8], &'t TreeFile)>) -> Option<Cow<'t, [u8]>> {
    side.and_then(|(_, file)| text_of(file))
}

/// What differs in a file, line beside line; and why nothing is shown.
fn places_of(pair: &Pair) -> (Vec<Place>, &'static str) {
    match pair.kind {
        ChangeKind::Added => {
            let Some(text) = text(pair.copy) else {
                return (Vec::new(), "no text, or not held");
            };
            let place = |at: usize| Place {
                sign: "+",
                original: None,
                copy: Some(at),
            };
            ((0..lines_of(&text).len()).map(place).collect(), "")
        }
        ChangeKind::Changed => {
            let Some((original, copy)) = text(pair.original).zip(text(pair.copy)) else {
                return (Vec::new(), "no text, or not held");
            };
            let (first, second) = (lines_of(&original), lines_of(&copy));
            match hunks(&first, &second) {
                Some(found) => (beside(first.len(), &found), ""),
                None => (Vec::new(), "too long to be shown line beside line"),
            }
        }
        ChangeKind::Reformatted => (Vec::new(), "the same but for layout"),
        ChangeKind::Moved | ChangeKind::Removed => (Vec::new(), ""),
    }
}

/// Places that differ and the lines round them, of an original of so many lines.
fn beside(lines: usize, found: &[Hunk]) -> Vec<Place> {
    let mut places = Vec::new();
    for group in grouped(found, lines) {
        if !places.is_empty() {
            places.push(Place {
                sign: "",
                original: None,
                copy: None,
            });
        }
        let (mut left, mut right) = (group.original.start, group.copy.start);
        for hunk in group.hunks.iter().cloned().chain([Hunk {
            original: group.original.end..group.original.end,
            copy: group.copy.end..group.copy.end,
        }]) {
            for (left, right) in (left..hunk.original.start).zip(right..hunk.copy.start) {
                places.push(Place {
                    sign: "=",
                    original: Some(left),
                    copy: Some(right),
                });
            }
            for at in 0..hunk.original.len().max(hunk.copy.len()) {
                let within =
                    |range: &std::ops::Range<usize>| (at < range.len()).then_some(range.start + at);
                let (original, copy) = (within(&hunk.original), within(&hunk.copy));
                places.push(Place {
                    sign: match (original, copy) {
                        (Some(_), Some(_)) => "~",
                        (Some(_), None) => "-",
                        _ => "+",
                    },
                    original,
                    copy,
                });
            }
            (left, right) = (hunk.original.end, hunk.copy.end);
        }
    }
    places
}

/// The lines of these places as they are shown.
fn rows_of(pair: &Pair, places: &[Place], masks: &mut MaskCache) -> Vec<Row> {
    if places.is_empty() {
        return Vec::new();
    }
    let mut masked = |side: Option<(&[u8], &TreeFile)>| {
        let text = text(side)?;
        let sha256 = side.and_then(|(_, file)| file.sha256);
        Some(masks.of(sha256, &text).over(&text).into_owned())
    };
    let (original, copy) = (masked(pair.original), masked(pair.copy));
    let first = original.as_deref().map(lines_of).unwrap_or_default();
    let second = copy.as_deref().map(lines_of).unwrap_or_default();
    let line = |lines: &[&[u8]], at: Option<usize>| {
        let at = at?;
        lines.get(at).map(|line| (at + 1, visible(line)))
    };
    let row = |place: &Place| Row {
        sign: place.sign,
        original: line(&first, place.original),
        copy: line(&second, place.copy),
    };
    places.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copies::tree::{Reading, Tree};
    use crate::record::Record;

    fn tree(files: &[(&str, String)]) -> Reading {
        let files = files.iter().map(|(path, text)| (*path, text.as_str()));
        Reading {
            tree: Tree::of_files(files, |_| "text".to_owned()),
            ..Reading::default()
        }
    }

    fn page(original: &Reading, copy: &Reading, lines: usize) -> String {
        let delta = Delta::between(&original.tree, &copy.tree);
        let records = crate::copies::records::of(("work", original), copy, &delta, &[]);
        let mut page = BesidePage::new("work", lines);
        for record in records {
            if let Record::Comparison(whole) = record {
                page.add(&whole, Vec::new(), &delta);
            }
        }
        page.render("v1").unwrap()
    }

    #[test]
    fn lines_stand_side_by_side_and_nothing_breaks_out() {
        let text =
            |middle: &str| format!("one\ntwo\nthree\nfour\n{middle}\nfive\nsix\nseven\nninth\n");
        let original = tree(&[("a.js", text("old <b>"))]);
        let copy = tree(&[("a.js", text("new <script>alert(1)</script> \u{202e}"))]);
        let page = page(&original, &copy, 40);
        assert!(page.contains("&#60;script&#62;") && !page.to_lowercase().contains("<script"));
        assert!(page.contains("[U+202E]") && !page.contains('\u{202e}'));
        assert!(
            page.contains("old &#60;b&#62;") && page.contains("two") && !page.contains("ninth")
        );
        for word in ["stolen", "leak", "infring", "theft", "pirat"] {
            assert!(!page.to_lowercase().contains(word), "{word} is a verdict");
        }
    }

    #[test]
    fn no_more_is_shown_than_was_asked_for_and_the_rest_is_counted() {
        let many: String = (0..500).map(|n| format!("added line {n}\n")).collect();
        let files: Vec<(String, String)> = (0..30)
            .map(|n| (format!("n{n}"), format!("{many}{n}\n")))
            .collect();
        let files: Vec<(&str, String)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.clone()))
            .collect();
        let page = page(&tree(&[]), &tree(&files), 5);
        assert_eq!(page.matches("added line").count(), 50);
        assert!(page.contains("14,980 lines"), "{page}");
    }
}
