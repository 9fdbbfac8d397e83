//! The page: sections with points, rows and sentences, so small that all of it is one sheet.

use askama::Template;

use crate::report::ReportError;
use crate::report::notice::{Part, Text};

const POINT: &str = "- ";
const ROW: &str = "| ";

/// What stands in a section.
#[derive(Debug, PartialEq, Eq)]
enum Block<'t> {
    Sentence(&'t str),
    Points(Vec<&'t str>),
    /// The first row is the head.
    Rows(Vec<Vec<&'t str>>),
}

/// The cells of a line that is a row.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix(ROW)?.trim_end().trim_end_matches('|');
    Some(row.split('|').map(str::trim).collect())
}

/// The blocks of a section: points and rows that follow each other are one list or table.
fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut out: Vec<Block<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(point) = line.strip_prefix(POINT) {
            match out.last_mut() {
                Some(Block::Points(points)) => points.push(point),
                _ => out.push(Block::Points(vec![point])),
            }
        } else if let Some(row) = cells(line) {
            match out.last_mut() {
                Some(Block::Rows(rows)) => rows.push(row),
                _ => out.push(Block::Rows(vec![row])),
            }
        } else {
            out.push(Block::Sentence(line));
        }
    }
    out
}

struct Section<'t> {
    title: &'t str,
    blocks: Vec<Block<'t>>,
}

#[derive(Template)]
#[template(path = "brief.html")]
struct Page<'t> {
    title: &'t str,
    state: &'t str,
    sections: Vec<Section<'t>>,
}

/// The page as HTML.
pub(super) fn html(text: &Text, state: &str) -> Result<String, ReportError> {
    fn section(part: &Part) -> Section<'_> {
        Section {
            title: &part.title,
            blocks: blocks(&part.text),
        }
    }
    let page = Page {
        title: &text.title,
        state,
        sections: text.parts.iter().map(section).collect(),
    };
    Ok(page.render()?)
}

/// As text for a word processor: rows with semicolons between cells, and where it comes from at the end.
pub(super) fn plain(text: &Text, state: &str) -> Text {
    let line = |line: &str| cells(line).map_or(line.to_owned(), |cells| cells.join("; "));
    let mut out = text.clone();
    for part in &mut out.parts {
        let lines = part.text.lines().filter(|line| !line.trim().is_empty());
        part.text = lines.map(line).collect::<Vec<_>>().join("\n");
    }
    if let Some(last) = out.parts.last_mut() {
        last.text = format!("{}\n\n{state}", last.text);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_rows_that_follow_each_other_are_one() {
        let text = "One.\n\n- a\n- b\n| x | y |\n| 1 | |\nTwo - | three.\n";
        assert_eq!(
            blocks(text),
            [
                Block::Sentence("One."),
                Block::Points(vec!["a", "b"]),
                Block::Rows(vec![vec!["x", "y"], vec!["1", ""]]),
                Block::Sentence("Two - | three."),
            ]
        );
    }
}
