//! What lies beside a notice: the same rows as a table for machines and as one for people, and the notice itself to be read and
//! printed.
//!
//! The match table is what no published notice has: which file of the work each file matches, how, and by which digest
//! anybody can check it, with how often the method is wrong. All of it comes from the rows that the text comes from.

use askama::Template;

use super::drafts::Draft;
use super::render::Text;
use crate::report::ReportError;
use crate::report::export::csv::cell;
use crate::report::html::filters;
use crate::signature::validation::Card;

/// Columns of `exhibit.csv`.
const COLUMNS: [&str; 18] = [
    "id",
    "copy",
    "place",
    "url",
    "permalink",
    "commit",
    "path",
    "lines",
    "grade",
    "of_original",
    "of_target",
    "bytes",
    "sha256",
    "original",
    "also",
    "standing",
    "review",
    "contradicted",
];

/// One row for each file that is claimed; stamps are a column of their own, so that no row is without them.
#[must_use]
pub fn exhibit_csv(draft: &Draft) -> String {
    let stamps = draft.stamps.join("; ");
    let mut out = COLUMNS.join(",");
    if !stamps.is_empty() {
        out += ",stamp";
    }
    out += "\r\n";
    for item in &draft.items {
        let contradicted = item.contradicted_by.join("; ");
        for file in &item.files {
            let text = |text: &Option<String>| text.as_deref().map_or(String::new(), cell);
            let mut row = vec![
                cell(&file.id),
                cell(&item.id),
                cell(&item.locator),
                cell(&item.url),
                text(&file.permalink),
                text(&file.commit),
                cell(&file.path),
                cell(&file.lines),
                file.grade.as_str().to_owned(),
                format!("{:.4}", file.of_original),
                format!("{:.4}", file.of_target),
                file.bytes.to_string(),
                text(&file.sha256),
                cell(&file.original),
                file.also.to_string(),
                cell(file.standing_words),
                cell(&item.reviewed),
                cell(&contradicted),
            ];
            if !stamps.is_empty() {
                row.push(cell(&stamps));
            }
            out += &row.join(",");
            out += "\r\n";
        }
    }
    out
}

#[derive(Template)]
#[template(path = "notice_exhibit.html")]
struct ExhibitPage<'a> {
    draft: &'a Draft,
    title: String,
    version: &'a str,
    files: u64,
    card: &'static Card,
}

/// The match table with the card of its method.
///
/// # Errors
/// When the template engine fails.
pub fn exhibit_html(draft: &Draft, version: &str) -> Result<String, ReportError> {
    let page = ExhibitPage {
        title: draft.title(),
        files: draft.items.iter().map(|item| item.files_here).sum(),
        draft,
        version,
        card: Card::builtin(),
    };
    Ok(page.render()?)
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    text: &'a Text,
    version: &'a str,
}

/// A notice to be read and printed.
///
/// # Errors
/// When the template engine fails.
pub fn notice_html(text: &Text, version: &str) -> Result<String, ReportError> {
    Ok(NoticePage { text, version }.render()?)
}
