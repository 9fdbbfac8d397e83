//! The page: one self-contained HTML file.
//!
//! No script, no link out, no font, no image from elsewhere: the content security policy in the page forbids them, so
//! that even a mistake here could not load anything. Every string from the model is escaped by the template engine;
//! those that come from an input pass `shown` first.
//!
//! The page has a most number of bytes. Tables are bounded by the model already; should hostile names still make the
//! page too large, it is made again with fewer rows, which it says beside each table.

use askama::Template;

use super::ReportError;
use super::bounded::Table;
use super::copies::draw::{Branch, Drawing, basis_words, branches, drawing};
use super::copies::{ScopeRow, SignRow, TreeOf, scope_rows};
use super::folders::{CellKind, Counts, Part};
use super::model::{Model, PackageRow, ROWS};
use super::since_previous::ChangeRow;
use super::text::{count_of, percent, shown, size};
use super::treemap::{Rect, squarify};
use super::views::{View, WITHHELD};
use crate::copies::scope::{Scope, Support};

/// Largest page, in bytes.
pub const MAX_HTML_BYTES: usize = 5_000_000;

/// Rows a table that are tried in turn until the page is small enough.
const ROW_LIMITS: [usize; 5] = [ROWS, 200, 80, 30, 10];

/// Rows of a fold that is printed though it is closed. A page of a hundred copies has folds for a hundred sheets, which nobody
/// asked for who prints it; whoever opens one before prints it too.
const PRINTED_ROWS: usize = 40;

/// Signs of tampering that are not folded.
const SIGNS_OPEN: usize = 40;

/// Packages that are not folded.
const PACKAGES_OPEN: usize = 15;

/// Size of the treemap in user units; the drawing scales.
const FIELD: Rect = Rect {
    x: 0.0,
    y: 0.0,
    w: 1200.0,
    h: 620.0,
};

/// Makes the page.
///
/// # Errors
///
/// When the page is larger than [`MAX_HTML_BYTES`] even with ten rows a table, or the template engine fails.
pub fn render_html(model: &Model) -> Result<String, ReportError> {
    render_within(model, MAX_HTML_BYTES)
}

fn render_within(model: &Model, limit: usize) -> Result<String, ReportError> {
    let mut bytes = 0;
    for rows in ROW_LIMITS {
        let page = Page {
            m: model,
            rows,
            cells: cells(&model.sources.treemap),
        }
        .render()?;
        if page.len() <= limit {
            return Ok(page);
        }
        bytes = page.len();
    }
    Err(ReportError::TooLarge { bytes, limit })
}

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    m: &'a Model,
    /// Rows of a table that are shown.
    rows: usize,
    cells: Vec<Cell>,
}

/// A cell of the treemap, and a row of its table.
struct Cell {
    number: usize,
    name: String,
    counts: Counts,
    party: &'static str,
    share: String,
    at: Rect,
    /// What fits into the cell; empty where nothing does.
    label: String,
    note: String,
}

/// One of the tables of what changed.
struct ChangeTable<'a> {
    id: &'static str,
    title: &'static str,
    table: &'a Table<ChangeRow>,
}

impl Page<'_> {
    /// Rows of a table that are shown. The templates need it by value.
    fn limit(&self) -> usize {
        self.rows
    }

    /// It is for everybody.
    fn is_public(&self) -> bool {
        self.m.view == View::Public
    }

    /// What stands where a release states nothing; the public view cannot tell that from what it withholds.
    fn not_stated(&self) -> &'static str {
        if self.is_public() {
            WITHHELD
        } else {
            "unknown"
        }
    }

    /// Labels of the first inputs, for the heading.
    fn input_names(&self) -> String {
        const NAMED: usize = 3;
        let inputs = &self.m.method.inputs;
        let names: Vec<&str> = inputs
            .first(NAMED)
            .iter()
            .map(|input| input.label.as_str())
            .collect();
        match (names.is_empty(), inputs.left_out(NAMED)) {
            (true, _) => "unknown input".to_owned(),
            (false, 0) => names.join(", "),
            (false, more) => format!("{} and {more} more", names.join(", ")),
        }
    }

    /// The headline: the highest level, and on which axes.
    fn level_words(&self) -> String {
        let verdict = &self.m.verdict;
        if verdict.level == 0 {
            return "Severity 0 of 4 on all axes".to_owned();
        }
        let axes = verdict.headline.join("; ");
        format!("Severity {} of 4: {axes}", verdict.level)
    }

    /// The tables of what changed since an earlier report.
    fn change_tables(&self) -> Vec<ChangeTable<'_>> {
        let Some(changes) = &self.m.changes else {
            return Vec::new();
        };
        let table = |id, title, table| ChangeTable { id, title, table };
        vec![
            table("new", "New findings", &changes.new),
            table(
                "withdrawn",
                "Findings that are withdrawn",
                &changes.withdrawn,
            ),
            table(
                "reclassified",
                "Findings that are judged otherwise",
                &changes.reclassified,
            ),
        ]
    }

    /// Rows that the page opens with, and those that stand folded below them: whoever reads it first wants to see what to do.
    fn opening_rows<'t>(
        &self,
        table: &'t Table<PackageRow>,
    ) -> (&'t [PackageRow], &'t [PackageRow]) {
        let rows = table.first(self.rows);
        rows.split_at(rows.len().min(PACKAGES_OPEN))
    }

    /// Signs of tampering that stand open, and those folded below them.
    fn opening_signs(&self) -> (&[SignRow], &[SignRow]) {
        let rows = self.m.copies.tampering.table.first(self.rows);
        rows.split_at(rows.len().min(SIGNS_OPEN))
    }

    /// Whether a fold stays closed on paper.
    fn is_long(&self, rows: usize) -> bool {
        rows > PRINTED_ROWS
    }

    /// What is said of it there.
    fn unprinted(&self, rows: usize) -> &'static str {
        if self.is_long(rows) {
            "Not printed, since it is long: open it before printing, or read report.json beside this page."
        } else {
            ""
        }
    }

    /// The timeline of copies.
    fn drawing(&self) -> Drawing {
        drawing(&self.m.copies.spread)
    }

    /// A tree of forks, as far as rows are shown.
    fn branches<'t>(&self, tree: &'t TreeOf) -> Vec<Branch<'t>> {
        branches(tree, self.rows)
    }

    /// The account of all places.
    fn scope_rows(&self, scope: &Scope) -> Vec<ScopeRow> {
        scope_rows(scope)
    }

    /// A statement about all places is borne out, by all of them or by a sample.
    fn is_supported(&self, scope: &Scope) -> bool {
        matches!(scope.support, Support::All | Support::Bounded)
    }

    /// What a source of dates is called.
    fn basis_words(&self, basis: &str) -> &'static str {
        basis_words(basis)
    }

    /// A copy that is shown was held against the original.
    fn has_deltas(&self) -> bool {
        let rows = self.m.copies.copies.first(self.rows);
        rows.iter().any(|row| row.delta.is_some())
    }

    fn has_treemap(&self) -> bool {
        self.cells.iter().any(|cell| cell.at.area() > 0.0)
    }
}

/// Lays out the parts: each in its parent's rectangle, rows of the cut become cells.
fn cells(parts: &[Part]) -> Vec<Cell> {
    let Some(whole) = parts.first() else {
        return Vec::new();
    };
    let whole_bytes = whole.counts.bytes;
    let mut carriers = parts
        .iter()
        .map(|part| part.carrier.as_str())
        .filter(|carrier| !carrier.is_empty());
    let first = carriers.next();
    let several = carriers.any(|carrier| Some(carrier) != first);
    let mut areas = vec![Rect::default(); parts.len()];
    areas[0] = FIELD;
    let mut out = Vec::new();
    // Depth first, so that neighbours in the drawing are neighbours in the table.
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        let part = &parts[at];
        if part.children.is_empty() {
            out.push(cell(out.len() + 1, part, areas[at], whole_bytes, several));
            continue;
        }
        let weights: Vec<u64> = part
            .children
            .iter()
            .map(|&child| parts[child].counts.bytes)
            .collect();
        for (&child, area) in part.children.iter().zip(squarify(&weights, areas[at])) {
            areas[child] = area;
        }
        open.extend(part.children.iter().rev());
    }
    out
}

fn cell(number: usize, part: &Part, at: Rect, whole_bytes: u64, several: bool) -> Cell {
    let carrier = shown(&part.carrier);
    let folder = shown(&part.folder);
    let folder_is_empty = folder.is_empty();
    let in_carrier = describe(folder.clone(), part.kind, part.carrier.is_empty());
    let place = match (several && !carrier.is_empty(), folder_is_empty) {
        (true, true) => carrier,
        (true, false) => format!("{carrier} › {folder}"),
        (false, true) => "(top folder)".to_owned(),
        (false, false) => folder.clone(),
    };
    let name = describe(place, part.kind, part.carrier.is_empty());
    let share = if whole_bytes == 0 {
        0.0
    } else {
        part.counts.bytes as f64 / whole_bytes as f64
    };
    // Within the drawing the folder says more than the archive that most cells share.
    let short = match part.kind {
        _ if folder_is_empty => &name,
        CellKind::Whole => &folder,
        _ => &in_carrier,
    };
    let label = label(number, short, at);
    let note = if label.is_empty() {
        String::new()
    } else {
        note(&part.counts, at)
    };
    Cell {
        number,
        name,
        counts: part.counts,
        party: part.counts.leading_party(),
        share: percent(share),
        at,
        label,
        note,
    }
}

/// A folder with what a row says of it.
fn describe(place: String, kind: CellKind, of_carriers: bool) -> String {
    match kind {
        CellKind::Direct => place,
        CellKind::Whole => format!("{place} and below"),
        CellKind::Rest(1) if of_carriers => "1 more archive or input".to_owned(),
        CellKind::Rest(more) if of_carriers => format!("{more} more archives or inputs"),
        CellKind::Rest(1) => format!("{place}: 1 more folder"),
        CellKind::Rest(more) => format!("{place}: {more} more folders"),
    }
}

fn party_words(party: &str) -> &'static str {
    match party {
        "first" => "first party",
        "third" => "third party",
        "unknown" => "unknown party",
        _ => "nothing recovered",
    }
}

/// Width of a bold and of a plain character and of both margins, in user units, at the drawing's font sizes.
const LABEL_CHAR: f64 = 8.6;
const NOTE_CHAR: f64 = 7.2;
const MARGINS: f64 = 14.0;

/// The number and as much of the name's end as fits, whole folders where possible, since the end of a path says
/// most. What is still too wide is cut by the cell's edge; the table has it in full.
fn label(number: usize, name: &str, at: Rect) -> String {
    if at.h < 20.0 || at.w < 26.0 {
        return String::new();
    }
    let number = number.to_string();
    let room = fitting(at.w, LABEL_CHAR).saturating_sub(number.len() + 1);
    if name.chars().count() <= room {
        return format!("{number} {name}");
    }
    let folders = name.match_indices('/').map(|(at, _)| &name[at..]);
    if let Some(end) = folders.into_iter().find(|end| end.chars().count() < room) {
        return format!("{number} …{end}");
    }
    if room < 5 {
        return number;
    }
    let skipped = name.chars().count() - (room - 1);
    format!(
        "{number} …{}",
        name.chars().skip(skipped).collect::<String>()
    )
}

/// Bytes and party, or bytes alone, or nothing, as the cell has room.
fn note(counts: &Counts, at: Rect) -> String {
    let bytes = size(counts.bytes);
    let full = format!("{bytes} · {}", party_words(counts.leading_party()));
    let room = fitting(at.w, NOTE_CHAR);
    let fits = |text: &String| at.h >= 44.0 && text.chars().count() <= room;
    [full, bytes].into_iter().find(fits).unwrap_or_default()
}

fn fitting(width: f64, character: f64) -> usize {
    ((width - MARGINS) / character).max(0.0) as usize
}

pub(super) mod filters {
    use super::super::text;
    use super::CellKind;

    /// A string from an input, with what is invisible spelled out.
    #[askama::filter_fn]
    pub fn shown(value: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(text::shown(&value.to_string()))
    }

    /// A sentence of the report's own, whole; what it holds of an input was cut when it was made.
    #[askama::filter_fn]
    pub fn whole(value: impl std::fmt::Display, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(text::visible(&value.to_string()))
    }

    /// A string from an input that may be an address: no program that reads the page makes a link of it.
    #[askama::filter_fn]
    pub fn defanged(
        value: impl std::fmt::Display,
        _: &dyn askama::Values,
    ) -> askama::Result<String> {
        Ok(text::defanged(&text::shown(&value.to_string())))
    }

    /// A number with thousands separators.
    #[askama::filter_fn]
    pub fn num(value: impl super::Number, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(text::grouped(value.number()))
    }

    /// A number of bytes in decimal units.
    #[askama::filter_fn]
    pub fn size(value: impl super::Number, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(text::size(value.number()))
    }

    /// A share as per cent.
    #[askama::filter_fn]
    pub fn percent(value: &f64, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(text::percent(*value))
    }

    /// A length in the drawing, to a hundredth.
    #[askama::filter_fn]
    pub fn units(value: &f64, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(format!("{value:.2}"))
    }

    /// A folder's row in a table.
    #[askama::filter_fn]
    pub fn folder(value: &str, _: &dyn askama::Values, kind: &CellKind) -> askama::Result<String> {
        let place = if value.is_empty() {
            "(top folder)".to_owned()
        } else {
            text::shown(value)
        };
        Ok(super::describe(place, *kind, false))
    }
}

/// Numbers that the templates show: `u64` and `usize`, by value or reference.
pub(super) trait Number {
    fn number(&self) -> u64;
}

impl Number for u64 {
    fn number(&self) -> u64 {
        *self
    }
}

impl Number for usize {
    fn number(&self) -> u64 {
        count_of(*self)
    }
}

impl<T: Number> Number for &T {
    fn number(&self) -> u64 {
        (*self).number()
    }
}

#[cfg(test)]
mod tests;
