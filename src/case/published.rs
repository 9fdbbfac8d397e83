//! When releases were published: what documents of the input say, and the list that the user gives.
//!
//! A list (`scan --packages`) is text in columns divided by tabs, with their names in the first line: `name` and
//! `version`, and `published` (RFC 3339) or `downloads` or both. A registry's document about one package is taken too. The
//! list belongs to the run and not to its units: joins use it, so another list with the same inputs reads nothing anew.
//!
//! Where several say something of one release, the user's list comes first, then the documents by locator. Nothing else
//! is a publish date; a time in an archive least of all, since who packs it chooses it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::store::{Case, CaseError, unpacked};
use crate::blob::digest::hex;
use crate::exposure::packument::{Packument, seconds_of};

/// Columns of a list.
const COLUMNS: [&str; 4] = ["name", "version", "published", "downloads"];

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The first line does not name what is needed.
    #[error(
        "{file}:1: the column `{column}` is missing; the first line names the columns, divided by tabs"
    )]
    NoColumn {
        /// Name of the file, as given.
        file: String,
        /// The column.
        column: &'static str,
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
        column: &'static str,
    },
    /// A line with more or fewer cells than columns.
    #[error(
        "{file}:{line}: {found} cells where the first line names {wanted}; divide them by single tabs"
    )]
    Cells {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: usize,
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
        line: usize,
        /// The column.
        column: &'static str,
        /// The value as written, escaped.
        value: String,
        /// What is wanted.
        wanted: &'static str,
    },
    /// One release twice, with two dates or counts.
    #[error(
        "{file}:{line}: {name} {version} is there twice with different values; leave the right one"
    )]
    Twice {
        /// Name of the file, as given.
        file: String,
        /// Line of the second, 1-based.
        line: usize,
        /// The package, escaped.
        name: String,
        /// Its version, escaped.
        version: String,
    },
}

/// What a list says of one release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// Seconds since 1970.
    pub(super) published: Option<i64>,
    pub(super) downloads: Option<u64>,
}

/// A list of releases that the user gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseList {
    rows: BTreeMap<(String, String), Listed>,
    digest: String,
}

impl ReleaseList {
    /// Reads a list; `file` is only quoted in errors.
    ///
    /// # Errors
    /// Unknown or missing columns, and cells that are not what their column says.
    pub fn parse(bytes: &[u8], file: &str) -> Result<ReleaseList, ListError> {
        let digest = hex(blake3::hash(bytes).as_bytes());
        let rows = match Packument::from_json(bytes) {
            Some(document) => rows_of(document),
            None => rows_in(&String::from_utf8_lossy(bytes), file)?,
        };
        Ok(ReleaseList { rows, digest })
    }

    /// BLAKE3 of the list, hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Releases in it.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn of_name<'l>(&'l self, name: &'l str) -> impl Iterator<Item = (&'l str, Listed)> {
        let from = (name.to_owned(), String::new());
        let rows = self.rows.range(from..);
        let of_name = rows.take_while(move |((held, _), _)| held == name);
        of_name.map(|((_, version), listed)| (version.as_str(), *listed))
    }
}

fn rows_of(document: Packument) -> BTreeMap<(String, String), Listed> {
    let row = |(version, seconds)| {
        let listed = Listed {
            published: Some(seconds),
            downloads: None,
        };
        ((document.name.clone(), version), listed)
    };
    document.times.into_iter().map(row).collect()
}

fn rows_in(text: &str, file: &str) -> Result<BTreeMap<(String, String), Listed>, ListError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate();
    let head = lines.next().map_or("", |(_, line)| line);
    let columns = columns_of(head, file)?;
    let mut rows = BTreeMap::new();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let line_number = index + 1;
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        if cells.len() != columns.len() {
            return Err(ListError::Cells {
                file: file.to_owned(),
                line: line_number,
                found: cells.len(),
                wanted: columns.len(),
            });
        }
        let cell = |wanted: &str| {
            let at = columns.iter().position(|column| *column == wanted)?;
            cells.get(at).copied().filter(|text| !text.is_empty())
        };
        let bad = |column, wanted, value: &str| ListError::BadCell {
            file: file.to_owned(),
            line: line_number,
            column,
            value: value.escape_debug().to_string(),
            wanted,
        };
        let name = cell("name").ok_or_else(|| bad("name", "name of a package", ""))?;
        let version = cell("version").ok_or_else(|| bad("version", "version", ""))?;
        let published = cell("published").map(|text| {
            let wanted = "date and time with zone, such as 2026-03-31T04:00:00Z";
            seconds_of(text).ok_or_else(|| bad("published", wanted, text))
        });
        let downloads = cell("downloads").map(|text| {
            text.parse()
                .map_err(|_| bad("downloads", "whole number", text))
        });
        let listed = Listed {
            published: published.transpose()?,
            downloads: downloads.transpose()?,
        };
        let held = rows.insert((name.to_owned(), version.to_owned()), listed);
        if held.is_some_and(|held| held != listed) {
            return Err(ListError::Twice {
                file: file.to_owned(),
                line: line_number,
                name: name.escape_debug().to_string(),
                version: version.escape_debug().to_string(),
            });
        }
    }
    Ok(rows)
}

fn columns_of(head: &str, file: &str) -> Result<Vec<&'static str>, ListError> {
    let mut columns = Vec::new();
    for written in head.split('\t').map(str::trim) {
        let Some(column) = COLUMNS.into_iter().find(|column| *column == written) else {
            return Err(ListError::UnknownColumn {
                file: file.to_owned(),
                column: written.escape_debug().to_string(),
                nearest: nearest(written),
            });
        };
        if columns.contains(&column) {
            return Err(ListError::TwiceColumn {
                file: file.to_owned(),
                column,
            });
        }
        columns.push(column);
    }
    for column in &COLUMNS[..2] {
        if !columns.contains(column) {
            return Err(ListError::NoColumn {
                file: file.to_owned(),
                column,
            });
        }
    }
    Ok(columns)
}

fn nearest(written: &str) -> &'static str {
    let likeness = |column: &&str| (strsim::jaro_winkler(written, column) * 1e6) as u64;
    COLUMNS
        .into_iter()
        .max_by_key(likeness)
        .unwrap_or(COLUMNS[0])
}

/// What is known of the releases of one package.
#[derive(Debug, Default)]
pub(super) struct Times {
    known: HashMap<String, Known>,
}

/// What is known of one release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Seconds since 1970, and what says so.
    pub(super) published: Option<(i64, String)>,
    pub(super) downloads: Option<u64>,
}

impl Times {
    pub(super) fn of(&self, version: &str) -> Known {
        self.known.get(version).cloned().unwrap_or_default()
    }

    /// Versions that something speaks of; `None` where nothing does.
    pub(super) fn versions(&self) -> Option<impl Iterator<Item = &String>> {
        (!self.known.is_empty()).then(|| self.known.keys())
    }
}

impl Case {
    /// What documents of the input and the user's list say of the packages named.
    pub(super) fn times_of(
        &self,
        names: &BTreeSet<String>,
        list: Option<&ReleaseList>,
    ) -> Result<BTreeMap<String, Times>, CaseError> {
        let mut all: BTreeMap<String, Times> = BTreeMap::new();
        for name in names {
            let of_name = list.into_iter().flat_map(|list| list.of_name(name));
            for (version, listed) in of_name {
                let known = Known {
                    published: listed.published.map(|seconds| (seconds, "list".to_owned())),
                    downloads: listed.downloads,
                };
                let times = all.entry(name.clone()).or_default();
                times.known.insert(version.to_owned(), known);
            }
        }
        let mut query = self
            .db
            .prepare("SELECT name, locator, times FROM published ORDER BY locator")
            .map_err(|error| self.wrap(error))?;
        let mut rows = query.query([]).map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let name = row.get_ref(0).map_err(|error| self.wrap(error))?;
            let Some(name) = name.as_str().ok().filter(|name| names.contains(*name)) else {
                continue;
            };
            let read = || -> rusqlite::Result<(String, Vec<u8>)> { Ok((row.get(1)?, row.get(2)?)) };
            let (locator, packed) = read().map_err(|error| self.wrap(error))?;
            let rows: Vec<(String, i64)> = unpacked(&packed, "publish dates")?;
            let times = all.entry(name.to_owned()).or_default();
            for (version, seconds) in rows {
                let known = times.known.entry(version).or_default();
                known
                    .published
                    .get_or_insert_with(|| (seconds, locator.clone()));
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> String {
        ReleaseList::parse(text.as_bytes(), "l.tsv")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_list_says_when_and_how_often() {
        let text = "version\tname\tpublished\tdownloads\r\n1.0.0\t@acme/cli\t2026-03-31T04:00:00Z\t12\n\n1.0.1\t@acme/cli\t\t\n";
        let list = ReleaseList::parse(text.as_bytes(), "l.tsv").unwrap();
        let rows: Vec<_> = list.of_name("@acme/cli").collect();
        assert_eq!(rows[0].1.downloads, Some(12));
        assert_eq!(rows[0].1.published, Some(1_774_929_600));
        assert_eq!(rows[1], ("1.0.1", Listed::default()));
        assert_eq!(list.of_name("@acme/cl").count(), 0);
    }

    #[test]
    fn a_document_of_a_registry_is_a_list_too() {
        let text = br#"{"name":"a","dist-tags":{},"time":{"1.0.0":"2024-01-01T00:00:00Z"}}"#;
        let list = ReleaseList::parse(text, "a.json").unwrap();
        assert_eq!(list.of_name("a").count(), 1);
    }

    #[test]
    fn what_is_wrong_with_a_list_is_said_with_its_line() {
        assert_eq!(
            fails("name\tversion\tpublishd\n"),
            "l.tsv:1: unknown column `publishd`; did you mean `published`?"
        );
        assert!(fails("name\tpublished\n").contains("`version` is missing"));
        assert!(fails("").contains("unknown column"));
        assert!(fails("name\tversion\tname\n").contains("twice"));
        assert!(fails("name\tversion\na\n").starts_with("l.tsv:2: 1 cells"));
        assert!(fails("name\tversion\tpublished\na\t1\tMonday\n").starts_with("l.tsv:2: `Monday`"));
        assert!(fails("name\tversion\tdownloads\na\t1\t-3\n").contains("whole number"));
        assert!(fails("name\tversion\tdownloads\na\t1\t3\na\t1\t4\n").contains("twice"));
        assert!(fails("name\tversion\n\t1\n").contains("name of a package"));
    }
}
