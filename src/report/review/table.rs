//! `review.csv`: the rows as a spreadsheet, out and in again.
//!
//! Lawyers review in spreadsheets, and spreadsheets change what they are given: they write semicolons for commas, a mark before
//! the first byte, other line ends, Latin-1, and dates in the style of the house. What they may change without harm is
//! taken as it comes; whatever might alter a decision is refused, by row and line, and never guessed. Cells that a
//! spreadsheet would run as formulas get an apostrophe in front and lose it on the way back, so that a text comes back as it went.
//!
//! Five columns are read: `decision`, `reviewer`, `fair-use-considered`, `note`, and `date`, which is for information, since
//! programs rewrite it: the time of a decision is when it was taken in, unless the cell was given anew as RFC 3339 in UTC.
//! `id` names the row, `seen` is the digest of what it said, `base` one of the decision that held when it was written. All else
//! is there for the eyes.

use std::fmt::Write as _;

use super::cells::{Cells, NAME_MAX, NOTE_MAX, cell_of, clean, standing_words, text_of, word_of};
use super::rows::{FileRow, Row};
use crate::blob::locator::shown;
use crate::case::Standing;
use crate::report::text::{percent, visible};

/// The columns, in order.
pub const COLUMNS: [&str; 18] = [
    "id",
    "location",
    "proposal",
    "decision",
    "reviewer",
    "date",
    "fair-use-considered",
    "note",
    "class",
    "work",
    "files",
    "share",
    "url",
    "group",
    "why",
    "standing",
    "seen",
    "base",
];
/// Rows that one file may have.
pub const ROWS_MAX: usize = 1_000_000;
/// A row as it came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// Its line in the file, 1-based.
    pub line: u64,
    /// Which row.
    pub id: String,
    /// Digest of what the row said.
    pub seen: String,
    /// Digest of what held; `None` where the file does not say.
    pub base: Option<String>,
    /// What was written.
    pub cells: Cells,
}

/// A row that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its line in the file, 1-based.
    pub line: u64,
    /// Which row, as far as that can be read.
    pub id: String,
    /// Why, and what to do.
    pub why: String,
}

/// A file as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Rows that can be read.
    pub rows: Vec<Edited>,
    /// Rows that cannot.
    pub refused: Vec<Refusal>,
    /// Columns that mean nothing here.
    pub other_columns: Vec<String>,
}

/// Why a file is no table of reviews.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Two bytes for each character.
    #[error("the review file is UTF-16; save it as `CSV UTF-8`")]
    Utf16,
    /// A column that is needed is not there.
    #[error(
        "the first line of the review file has no column `{0}`; it was written by `case review --export`, and its columns id, decision, reviewer and seen have to stay (parts may stand in any order, divided by commas, semicolons or tabs)"
    )]
    NoColumn(&'static str),
    /// A column stands there twice.
    #[error("the column `{0}` stands in the review file twice; take one of them out")]
    TwoColumns(&'static str),
    /// It goes on and on.
    #[error("the review file has more than {ROWS_MAX} rows; divide it")]
    TooMany,
    /// Not even its rows can be told apart.
    #[error("the review file cannot be read as CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// The file of some rows: copies, then files.
#[must_use]
pub fn written(rows: &[Row], files: &[FileRow]) -> String {
    let mut out = COLUMNS.join(",") + "\r\n";
    for row in rows {
        let copy = &row.copy;
        put(
            &mut out,
            &row.id,
            &row.seen,
            &row.standing,
            [
                &copy.locator,
                row.proposal.word.as_str(),
                &copy.class,
                &format!("{} {}", copy.work, copy.release),
                &format!("{} of {}", copy.files_matched, copy.files_total),
                &percent(copy.of_original),
                copy.url.as_deref().unwrap_or_default(),
                row.group.as_deref().unwrap_or_default(),
                &row.proposal.reasons.join("; "),
            ],
        );
    }
    for row in files {
        let found = &row.found;
        put(
            &mut out,
            &row.id,
            &row.seen,
            &row.standing,
            [
                &found.locator,
                "",
                found.grade.as_str(),
                &format!("{} {}", found.work, found.release),
                &found.file,
                &percent(found.of_original),
                "",
                "",
                "",
            ],
        );
    }
    out
}

fn put(out: &mut String, id: &str, seen: &str, standing: &Standing, facts: [&str; 9]) {
    let cells = Cells::of(standing);
    let [
        location,
        proposal,
        class,
        work,
        files,
        share,
        url,
        group,
        why,
    ] = facts.map(visible);
    let base = cells.digest();
    let row = [
        id,
        &location,
        &proposal,
        &cells.decision,
        &cells.reviewer,
        &cells.date,
        &cells.fair_use,
        &cells.note,
        &class,
        &work,
        &files,
        &share,
        &url,
        &group,
        &why,
        &standing_words(standing),
        seen,
        &base,
    ];
    let row = row.map(cell_of);
    // Writing to a String cannot fail.
    let _ = write!(out, "{}\r\n", row.join(","));
}

/// Reads a file as it came back.
///
/// # Errors
/// When it is no table of reviews. Rows that cannot be taken are in the table, with why.
pub fn read(bytes: &[u8]) -> Result<Table, TableError> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(TableError::Utf16);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (bytes, skipped) = without_separator_line(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .flexible(true)
        .has_headers(false)
        .from_reader(bytes);
    let mut row = csv::ByteRecord::new();
    let mut table = Table::default();
    reader.read_byte_record(&mut row)?;
    let columns = Columns::of(&row, &mut table.other_columns)?;
    let (mut count, mut lines) = (0, Lines::new(bytes));
    while reader.read_byte_record(&mut row)? {
        count += 1;
        if count > ROWS_MAX {
            return Err(TableError::TooMany);
        }
        if row.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        let at = row
            .position()
            .map_or(0, |position| position.byte() as usize);
        let line = lines.at(at) + skipped;
        match columns.row(&row, line) {
            Ok(edited) => table.rows.push(edited),
            Err(refusal) => table.refused.push(refusal),
        }
    }
    Ok(table)
}

/// Which line a row begins in. The reader counts a line end of two bytes when it is half read.
struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
    line: u64,
}

impl<'b> Lines<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The line of the first byte at or behind an offset that ends no line; offsets come in order.
    fn at(&mut self, offset: usize) -> u64 {
        while let Some(&byte) = self.bytes.get(self.at) {
            let is_end = matches!(byte, b'\r' | b'\n');
            if self.at >= offset && !is_end {
                break;
            }
            let is_half = byte == b'\r' && self.bytes.get(self.at + 1) == Some(&b'\n');
            self.line += u64::from(is_end && !is_half);
            self.at += 1;
        }
        self.line
    }
}

/// Some spreadsheets write `sep=;` before everything.
fn without_separator_line(bytes: &[u8]) -> (&[u8], u64) {
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    let is_it = bytes.len() >= 4 && bytes[..4].eq_ignore_ascii_case(b"sep=") && end <= 8;
    if is_it {
        (bytes.get(end..).unwrap_or_default(), 1)
    } else {
        (bytes, 0)
    }
}

/// What divides the cells: what the first line has most of.
fn delimiter(bytes: &[u8]) -> u8 {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let first = bytes.get(..end).unwrap_or_default();
    let count = |byte: u8| memchr::memchr_iter(byte, first).count();
    // The first of several with the most wins.
    let mut best = b',';
    for other in [b';', b'\t'] {
        if count(other) > count(best) {
            best = other;
        }
    }
    best
}

/// Where the columns stand that are read.
struct Columns {
    width: usize,
    id: usize,
    seen: usize,
    base: Option<usize>,
    decision: usize,
    reviewer: usize,
    date: Option<usize>,
    fair_use: Option<usize>,
    note: Option<usize>,
}

impl Columns {
    fn of(head: &csv::ByteRecord, others: &mut Vec<String>) -> Result<Self, TableError> {
        let names: Vec<String> = head
            .iter()
            .map(|cell| String::from_utf8_lossy(cell).trim().to_lowercase())
            .collect();
        for name in names.iter().filter(|name| !name.is_empty()) {
            if !COLUMNS.contains(&name.as_str()) {
                others.push(name.clone());
            }
        }
        let maybe = |wanted: &'static str| {
            let mut at = names.iter().enumerate().filter(|(_, name)| *name == wanted);
            let first = at.next().map(|(at, _)| at);
            match at.next() {
                Some(_) => Err(TableError::TwoColumns(wanted)),
                None => Ok(first),
            }
        };
        let needed = |wanted: &'static str| maybe(wanted)?.ok_or(TableError::NoColumn(wanted));
        Ok(Self {
            width: names.len(),
            id: needed("id")?,
            seen: needed("seen")?,
            base: maybe("base")?,
            decision: needed("decision")?,
            reviewer: needed("reviewer")?,
            date: maybe("date")?,
            fair_use: maybe("fair-use-considered")?,
            note: maybe("note")?,
        })
    }

    fn row(&self, row: &csv::ByteRecord, line: u64) -> Result<Edited, Refusal> {
        let id = row.get(self.id).unwrap_or_default();
        let id = shown(String::from_utf8_lossy(id).trim());
        let refused = |why: String| Refusal {
            line,
            id: id.chars().take(40).collect(),
            why,
        };
        let has_more = row.iter().skip(self.width).any(|cell| !cell.is_empty());
        if row.len() < self.width || has_more {
            return Err(refused(format!(
                "it has {} cells where the first line has {}; is a comma or a quote missing?",
                row.len(),
                self.width
            )));
        }
        let text = |at: Option<usize>| -> Result<String, Refusal> {
            let cell = at.and_then(|at| row.get(at)).unwrap_or_default();
            let cell = std::str::from_utf8(cell).map_err(|error| {
                let byte = cell.get(error.valid_up_to()).copied().unwrap_or_default();
                refused(format!(
                    "a cell is not UTF-8 (byte 0x{byte:02X}; Latin-1 perhaps); save the file as `CSV UTF-8`"
                ))
            })?;
            Ok(text_of(cell).to_owned())
        };
        let cells = Cells {
            decision: text(Some(self.decision))?.trim().to_lowercase(),
            reviewer: clean(&text(Some(self.reviewer))?, NAME_MAX)
                .map_err(|why| refused(format!("the name {why}")))?,
            date: text(self.date)?.trim().to_owned(),
            fair_use: text(self.fair_use)?.trim().to_lowercase(),
            note: clean(&text(self.note)?, NOTE_MAX)
                .map_err(|why| refused(format!("the note {why}")))?,
        };
        let base = text(self.base)?.trim().to_owned();
        Ok(Edited {
            line,
            seen: text(Some(self.seen))?.trim().to_lowercase(),
            base: Some(base).filter(|base| !base.is_empty()),
            cells: Cells {
                decision: word_of(&cells.decision)
                    .map_or(cells.decision.clone(), |word| word.as_str().to_owned()),
                ..cells
            },
            id,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::blob::locator::is_control_or_bidi;
    use crate::case::{Decision, Review, copy_id, seen};
    use crate::record::Copy;
    use crate::report::review::proposal::{Tampering, proposal};

    fn row(locator: &str, reviewer: &str, note: &str) -> Row {
        let copy = Copy {
            locator: locator.to_owned(),
            work: "acme".to_owned(),
            class: "verbatim".to_owned(),
            ..Copy::default()
        };
        let (id, digest) = (copy_id(&copy), seen(&copy).unwrap());
        let review = Review {
            subject: id.clone(),
            locator: locator.to_owned(),
            seen: digest.clone(),
            decision: Decision::Confirmed,
            reviewer: reviewer.to_owned(),
            time: "2026-04-01T00:00:00Z".to_owned(),
            bulk: None,
            fair_use_considered: Some(false),
            note: Some(note.to_owned()),
        };
        Row {
            proposal: proposal(&copy, Tampering::default(), &[]),
            id,
            seen: digest,
            is_suspect: false,
            network: None,
            group: None,
            family: locator.to_owned(),
            tampering: Tampering::default(),
            was_compared: false,
            standing: Standing::Decided(review),
            copy,
        }
    }

    fn text() -> impl Strategy<Value = String> {
        // What is kept is clean, so only what is clean has to come back.
        let any = prop_oneof!["[=+@'\"',; a-z\n-]{0,12}", "\\PC{0,20}"];
        any.prop_map(|text| {
            let text: String = text
                .chars()
                .filter(|c| *c == '\n' || !is_control_or_bidi(*c))
                .collect();
            clean(&text, NOTE_MAX).unwrap()
        })
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(name in text(), note in text(), locator in "\\PC{0,12}") {
            let name = name.replace('\n', " ").trim().to_owned();
            let row = row(&locator, &name, &note);
            for delimiter in [",", ";", "\t"] {
                let mut out = written(std::slice::from_ref(&row), &[]);
                if delimiter != "," {
                    out = again(&out, delimiter.as_bytes()[0]);
                }
                let table = read(out.as_bytes()).unwrap();
                prop_assert_eq!(&table.refused, &[]);
                prop_assert_eq!(table.rows.len(), 1);
                let back = &table.rows[0];
                prop_assert_eq!(&back.cells.reviewer, &name);
                prop_assert_eq!(&back.cells.note, &note);
                prop_assert_eq!(&back.cells.fair_use, "no");
                prop_assert_eq!(&back.seen, &row.seen);
                // Untouched, and seen to be so.
                let digest = back.cells.digest();
                prop_assert_eq!(back.base.as_deref(), Some(digest.as_str()));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), head in any::<bool>()) {
            let mut all = if head { b"id,decision,reviewer,seen,note\n".to_vec() } else { Vec::new() };
            all.extend(bytes);
            let _ = read(&all);
        }
    }

    /// The same table with another delimiter, as a spreadsheet saves it.
    fn again(table: &str, delimiter: u8) -> String {
        let mut out = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(table.as_bytes());
        for row in reader.byte_records() {
            out.write_byte_record(&row.unwrap()).unwrap();
        }
        String::from_utf8(out.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn what_spreadsheets_do_to_a_file_is_borne() {
        let out = written(&[row("in/a", "R", "n")], &[]);
        let marked = format!("\u{feff}sep=;\r\n{}\r\n;;;\r\n", again(&out, b';'));
        let table = read(marked.as_bytes()).unwrap();
        assert_eq!((table.rows.len(), table.refused.len()), (1, 0), "{table:?}");
        assert_eq!(table.rows[0].line, 3);
        assert_eq!(
            read(out.replace("\r\n", "\n").as_bytes())
                .unwrap()
                .rows
                .len(),
            1
        );
    }

    #[test]
    fn what_may_alter_a_decision_is_refused_by_row() {
        let head = "id,decision,reviewer,note,seen\r\n";
        let refused = |rows: &[u8]| {
            let table = read(&[head.as_bytes(), rows].concat()).unwrap();
            assert_eq!(table.refused.len(), 1, "{table:?}");
            (table.refused[0].line, table.refused[0].why.clone())
        };
        let (line, why) = refused(b"c1,confirmed,R,ok,00\r\nc2,confirmed,Ren\xe9,,00\r\n");
        assert!(line == 3 && why.contains("0xE9"), "{line} {why}");
        assert!(refused(b"c1,confirmed,R\r\n").1.contains("3 cells"));
        assert!(
            refused(b"c1,confirmed,R,a,00,more\r\n")
                .1
                .contains("6 cells")
        );
        assert!(
            refused("c1,confirmed,R,a\u{202e}b,00\r\n".as_bytes())
                .1
                .contains("U+202E")
        );
        let long = format!("c1,confirmed,R,{},00\r\n", "x".repeat(NOTE_MAX + 1));
        assert!(refused(long.as_bytes()).1.contains("4001"));
    }

    #[test]
    fn a_file_that_is_none_is_told_why() {
        let said = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert!(said(b"\xff\xfei\0d\0").contains("UTF-16"));
        assert!(said(b"").contains("`id`"));
        assert!(said(b"id,decision,reviewer\n").contains("`seen`"));
        assert!(said(b"id,decision,reviewer,seen,id\n").contains("twice"));
    }
}
