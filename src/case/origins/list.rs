//! The user's list of places (`scan --origins`): which place a copy was got from, and which others there are.
//!
//! CSV with the names of its columns in the first line, in any order: `path`, `url`, `host`, `parent`, `seen-at`. Each row
//! names a path of the input, an address, or both. Lists come out of programs and spreadsheets, so a mark at the front,
//! either line end, quotes, and semicolons or tabs instead of commas are taken. What would lose rows in silence is an
//! error that names the line: a quote that is never closed makes one cell of the rest of the file.
//!
//! The list belongs to the run and not to its units, as that of releases does.

use std::path::{Path, PathBuf};

use crate::blob::digest::hex;
use crate::blob::url::{address_without_passwords, without_passwords};
use crate::exposure::Location;
use crate::exposure::packument::seconds_of;

/// Columns of a list.
const COLUMNS: [&str; 5] = ["path", "url", "host", "parent", "seen-at"];
/// Rows that are taken.
const ROWS_MAX: usize = 2_000_000;
/// Bytes of one cell; no address and no path that a system takes is longer.
const CELL_MAX: usize = 16 << 10;

/// Why a list of places, or a record of how they were acquired, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OriginsError {
    /// It is larger than it may be.
    #[error("{file}: {found} are more than the {most} {what} that are read; divide it")]
    TooMuch {
        /// Name of the file, as given.
        file: String,
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// How much is read.
        most: usize,
    },
    /// Nothing is in it.
    #[error("{file} is empty; its first line names the columns: {columns}")]
    Empty {
        /// Name of the file, as given.
        file: String,
        /// Columns that there may be.
        columns: String,
    },
    /// A column that nobody knows.
    #[error("{file}:1: unknown column `{column}`; did you mean `{nearest}`?")]
    UnknownColumn {
        /// Name of the file, as given.
        file: String,
        /// The column as written, escaped.
        column: String,
        /// The nearest known one.
        nearest: &'static str,
    },
    /// One column twice.
    #[error("{file}:1: the column `{column}` is there twice; take one away")]
    TwiceColumn {
        /// Name of the file, as given.
        file: String,
        /// The column.
        column: String,
    },
    /// Neither a path nor an address.
    #[error("{file}:{line}: neither `path` nor `url` is there, so it names no place")]
    NoPlace {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: u64,
    },
    /// A row with more or fewer cells than columns.
    #[error(
        "{file}:{line}: {found} cells where the first line names {wanted}; put quotes round cells that hold the divider"
    )]
    Cells {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: u64,
        /// Cells in it.
        found: usize,
        /// Columns.
        wanted: usize,
    },
    /// A cell that cannot mean what its column means.
    #[error("{file}:{line}: `{value}` in `{column}` is no {wanted}")]
    BadCell {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: u64,
        /// The column.
        column: String,
        /// The value as written, shortened and escaped.
        value: String,
        /// What is wanted.
        wanted: &'static str,
    },
    /// A cell that runs over lines.
    #[error(
        "{file}:{line}: a cell in `{column}` holds a line break; close the quote that opens it, so that no row is lost in it"
    )]
    Open {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: u64,
        /// The column.
        column: String,
    },
    /// Bytes that are no text.
    #[error(
        "{file}:{line}: this is not UTF-8; save the file as UTF-8, and write other bytes of a path as %XX, as locators have them"
    )]
    NotText {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: u64,
    },
    /// It is none of the forms.
    #[error("{file}:{line}: {what}")]
    Form {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: u64,
        /// What is wrong, and what to do.
        what: String,
    },
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) path: Option<String>,
    pub(super) url: Option<Location>,
    pub(super) host: Option<String>,
    pub(super) parent: Option<Location>,
    /// RFC 3339, UTC; a date alone where the list has no more.
    pub(super) seen_at: Option<String>,
}

/// A list of places that the user gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginList {
    pub(super) rows: Vec<Row>,
    /// Name of the file, as it is quoted.
    pub(super) file: String,
    /// The folder that paths in it begin at.
    pub(super) base: PathBuf,
    digest: String,
}

impl OriginList {
    /// A larger file is refused, in bytes: a million rows take a fifth of it.
    pub const FILE_MAX: u64 = 512 << 20;

    /// Reads a list; `file` is only quoted, and paths in it begin at `base`.
    ///
    /// # Errors
    /// Unknown columns, cells that are not what their column says, and what is no CSV.
    pub fn parse(bytes: &[u8], file: &str, base: &Path) -> Result<Self, OriginsError> {
        let mut table = Table::open(bytes, file, |name| known(name).map(str::to_owned))?;
        let mut rows = Vec::new();
        while let Some(cells) = table.next_row()? {
            rows.push(row_of(&cells)?);
        }
        Ok(Self {
            rows,
            file: base_name(file),
            base: base.to_path_buf(),
            digest: hex(blake3::hash(bytes).as_bytes()),
        })
    }

    /// BLAKE3 of the list, hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// How a file is called where its rows are quoted: its folders are nobody's business.
pub(super) fn base_name(file: &str) -> String {
    let name = Path::new(file).file_name();
    name.map_or_else(
        || file.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Refuses a file of more than `most` bytes.
pub(super) fn not_too_large(bytes: &[u8], file: &str, most: u64) -> Result<(), OriginsError> {
    if bytes.len() as u64 <= most {
        return Ok(());
    }
    Err(OriginsError::TooMuch {
        file: file.to_owned(),
        what: "bytes",
        found: bytes.len(),
        most: usize::try_from(most).unwrap_or(usize::MAX),
    })
}

fn known(written: &str) -> Result<&'static str, &'static str> {
    let plain = plain_name(written);
    let found = COLUMNS.into_iter().find(|column| *column == plain);
    found.ok_or_else(|| nearest(&plain, &COLUMNS))
}

/// A name of a column in its one form.
pub(super) fn plain_name(written: &str) -> String {
    written.trim().to_ascii_lowercase().replace('_', "-")
}

/// Of the known names that which is most like `written`.
pub(super) fn nearest(written: &str, known: &[&'static str]) -> &'static str {
    let likeness = |column: &&&str| (strsim::jaro_winkler(written, column) * 1e6) as u64;
    known.iter().max_by_key(likeness).copied().unwrap_or("url")
}

fn row_of(cells: &Cells) -> Result<Row, OriginsError> {
    let (path, url) = (cells.get("path"), cells.get("url"));
    let url = url.and_then(Location::read);
    if path.is_none() && url.is_none() {
        return Err(OriginsError::NoPlace {
            file: cells.file.to_owned(),
            line: cells.line,
        });
    }
    let seen_at = cells.get("seen-at").map(|text| {
        let wanted = "date, or date and time with zone, such as 2026-03-31T04:00:00Z";
        time_of(text).ok_or_else(|| cells.bad("seen-at", wanted))
    });
    Ok(Row {
        line: cells.line,
        path: path.map(|path| path_of(path).into_owned()),
        // Of an address that was put there, what stands behind the user.
        host: cells.get("host").map(|host| {
            let behind = host.rsplit('@').next().unwrap_or(host);
            behind.to_ascii_lowercase()
        }),
        url,
        parent: cells.get("parent").and_then(Location::read),
        seen_at: seen_at.transpose()?,
    })
}

/// A path; where an address was put there, that without passwords, since it is quoted. No path below an input has `://`.
pub(super) fn path_of(path: &str) -> std::borrow::Cow<'_, str> {
    match path.contains("://") {
        true => address_without_passwords(path),
        false => path.into(),
    }
}

/// A time in UTC, or the date that is all there is.
pub(super) fn time_of(text: &str) -> Option<String> {
    if let Some(seconds) = seconds_of(text) {
        let since = std::time::Duration::from_secs(u64::try_from(seconds).ok()?);
        let time = std::time::UNIX_EPOCH.checked_add(since)?;
        return Some(humantime::format_rfc3339_seconds(time).to_string());
    }
    let at_midnight = format!("{text}T00:00:00Z");
    (text.len() == 10 && seconds_of(&at_midnight).is_some()).then(|| text.to_owned())
}

/// A CSV file with named columns.
pub(super) struct Table<'b> {
    reader: csv::Reader<&'b [u8]>,
    record: csv::ByteRecord,
    columns: Vec<String>,
    file: String,
    rows: usize,
}

/// The cells of a row, by column.
pub(super) struct Cells<'t> {
    pub(super) file: &'t str,
    pub(super) line: u64,
    columns: &'t [String],
    values: Vec<&'t str>,
}

impl Cells<'_> {
    /// What stands in a column, where anything does.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.values.get(at).copied().filter(|text| !text.is_empty())
    }

    /// All columns that hold something.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let named = self.columns.iter().map(String::as_str);
        let all = named.zip(self.values.iter().copied());
        all.filter(|(_, text)| !text.is_empty())
    }

    pub(super) fn bad(&self, column: &str, wanted: &'static str) -> OriginsError {
        let value = self.get(column).unwrap_or_default();
        OriginsError::BadCell {
            file: self.file.to_owned(),
            line: self.line,
            column: column.to_owned(),
            value: quoted(value),
            wanted,
        }
    }
}

/// A value as an error quotes it.
pub(super) fn quoted(value: &str) -> String {
    without_passwords(value)
        .chars()
        .take(80)
        .collect::<String>()
        .escape_debug()
        .to_string()
}

impl<'b> Table<'b> {
    /// Reads the first line; `name_of` gives the one form of a column's name, or the nearest that there is.
    pub(super) fn open(
        bytes: &'b [u8],
        file: &str,
        name_of: impl Fn(&str) -> Result<String, &'static str>,
    ) -> Result<Self, OriginsError> {
        let file = file.to_owned();
        not_too_large(bytes, &file, OriginList::FILE_MAX)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let head = bytes
            .split(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        // A spreadsheet divides by what its country writes.
        let divider = if head.contains(&b',') {
            b','
        } else {
            let other = head.iter().find(|byte| matches!(byte, b';' | b'\t'));
            other.copied().unwrap_or(b',')
        };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // Lines are counted by their feeds; a return before one is cut off with the blanks of its cell.
            .terminator(csv::Terminator::Any(b'\n'))
            .delimiter(divider)
            .from_reader(bytes);
        let mut table = Self {
            reader,
            record: csv::ByteRecord::new(),
            columns: Vec::new(),
            file,
            rows: 0,
        };
        let columns: Vec<String> = match table.read()? {
            None => {
                return Err(OriginsError::Empty {
                    file: table.file,
                    columns: COLUMNS.join(", "),
                });
            }
            Some(cells) => cells.values.iter().map(|name| (*name).to_owned()).collect(),
        };
        for written in columns {
            let column = name_of(&written).map_err(|nearest| OriginsError::UnknownColumn {
                file: table.file.clone(),
                column: quoted(&written),
                nearest,
            })?;
            if table.columns.contains(&column) {
                return Err(OriginsError::TwiceColumn {
                    file: table.file,
                    column: quoted(&column),
                });
            }
            table.columns.push(column);
        }
        Ok(table)
    }

    /// The next row that holds anything.
    pub(super) fn next_row(&mut self) -> Result<Option<Cells<'_>>, OriginsError> {
        loop {
            self.rows += 1;
            if self.rows > ROWS_MAX {
                return Err(OriginsError::TooMuch {
                    file: self.file.clone(),
                    what: "rows",
                    found: self.rows,
                    most: ROWS_MAX,
                });
            }
            let wanted = self.columns.len();
            let file = self.file.clone();
            let is_there = match self.read()? {
                None => return Ok(None),
                // A spreadsheet writes rows that nobody filled in.
                Some(cells) if cells.values.iter().all(|text| text.is_empty()) => false,
                Some(cells) if cells.values.len() != wanted => {
                    return Err(OriginsError::Cells {
                        file,
                        line: cells.line,
                        found: cells.values.len(),
                        wanted,
                    });
                }
                Some(_) => true,
            };
            if is_there {
                return self.cells().map(Some);
            }
        }
    }

    fn read(&mut self) -> Result<Option<Cells<'_>>, OriginsError> {
        let line = self.reader.position().line();
        let is_there = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| OriginsError::Form {
                file: self.file.clone(),
                line,
                what: format!("this is no CSV: {error}"),
            })?;
        if is_there {
            self.cells().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The row that was read last, checked.
    fn cells(&self) -> Result<Cells<'_>, OriginsError> {
        let line = self.record.position().map_or(1, csv::Position::line);
        let mut values = Vec::with_capacity(self.record.len());
        for (index, cell) in self.record.iter().enumerate() {
            let column = || {
                let name = self.columns.get(index).cloned();
                name.unwrap_or_else(|| (index + 1).to_string())
            };
            let cell = cell.trim_ascii();
            if cell.contains(&b'\n') || cell.contains(&b'\r') {
                return Err(OriginsError::Open {
                    file: self.file.clone(),
                    line,
                    column: column(),
                });
            }
            if cell.len() > CELL_MAX {
                return Err(OriginsError::TooMuch {
                    file: format!("{}:{line}: {}", self.file, column()),
                    what: "bytes of one cell",
                    found: cell.len(),
                    most: CELL_MAX,
                });
            }
            let text = std::str::from_utf8(cell).map_err(|_| OriginsError::NotText {
                file: self.file.clone(),
                line,
            })?;
            values.push(text.trim());
        }
        Ok(Cells {
            file: &self.file,
            line,
            columns: &self.columns,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<OriginList, OriginsError> {
        OriginList::parse(bytes, "in/forks.csv", Path::new("/base"))
    }

    fn fails(bytes: &[u8]) -> String {
        parse(bytes).unwrap_err().to_string()
    }

    #[test]
    fn columns_come_in_any_order_and_lists_from_any_program() {
        let wanted = parse(b"url,path,seen-at\nhttps://git.example/a/b,clones/b,2026-04-01T02:00:00+02:00\nhttps://git.example/a/c,,\n").unwrap();
        assert_eq!(wanted.rows.len(), 2);
        assert_eq!(wanted.file, "forks.csv");
        let first = &wanted.rows[0];
        assert_eq!(first.seen_at.as_deref(), Some("2026-04-01T00:00:00Z"));
        assert_eq!((first.line, wanted.rows[1].line), (2, 3));
        for other in [
            &b"\xef\xbb\xbfurl,path,seen_at\r\n\"https://git.example/a/b\",\"clones/b\",2026-04-01T00:00:00Z\r\nhttps://git.example/a/c,,\r\n,,\r\n\r\n"[..],
            b"url;path;Seen-At\nhttps://git.example/a/b;clones/b;2026-04-01 00:00:00Z\nhttps://git.example/a/c;;",
            b"url\tpath\tseen-at\nhttps://git.example/a/b\tclones/b\t2026-04-01T00:00:00Z\nhttps://git.example/a/c\t\t",
        ] {
            assert_eq!(parse(other).unwrap().rows, wanted.rows);
        }
        assert_eq!(time_of("2026-04-01").as_deref(), Some("2026-04-01"));
    }

    #[test]
    fn what_is_wrong_with_a_list_is_said_with_its_line() {
        assert_eq!(
            fails(b"ulr,path\n"),
            "in/forks.csv:1: unknown column `ulr`; did you mean `url`?"
        );
        assert!(fails(b"").contains("is empty"));
        assert!(fails(b"url,path,url\n").contains("twice"));
        assert!(fails(b"url,path\nx\n").starts_with("in/forks.csv:2: 1 cells"));
        assert!(fails(b"host,url\ngit.example,\n").starts_with("in/forks.csv:2: neither"));
        assert!(fails(b"url,seen-at\nx,yesterday\n").starts_with("in/forks.csv:2: `yesterday`"));
        assert!(fails(b"url,path\nx,a\n\"y,b\nz,c\n").contains("close the quote"));
        assert!(fails(b"url,path\nx,a\ny,\xff\n").starts_with("in/forks.csv:3: this is not UTF-8"));
        assert!(fails(&[b"url\n".as_slice(), &[b'a'; CELL_MAX + 1]].concat()).contains("one cell"));
        // A list of nothing is a list.
        assert_eq!(parse(b"path,url\n").unwrap().rows.len(), 0);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[&b"url,path\n"[..], &bytes].concat());
        }
    }
}
