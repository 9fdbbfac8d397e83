//! Copies that are held against their original: where each lies, and what came of it.
//!
//! A comparison needs the original, which no case holds, so it is no join: its rows stay as they are when joins are made
//! anew. They are about the units as they were read; where any unit is read again or is gone, they go too, and the command
//! that made them is to be run again.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, params};

use super::store::{Case, CaseError, put_record};
use crate::blob::Hops;
use crate::blob::locator::unescape;
use crate::record::{Copy, CopyDates, Record};
use crate::scan::input::Stamp;

/// Rows that comparisons made: no unit has them, and no join.
const OF_COMPARISONS: &str = "unit IS NULL AND NOT joined AND type IN ('comparison', 'change', 'sign', 'lineage', 'problem')";

/// Id, position and path of each input, by its label.
type Inputs = BTreeMap<String, (i64, i64, Vec<u8>)>;

/// A unit of a copy, as the scan found it.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyUnit {
    /// Its path below the root.
    pub path: Vec<u8>,
    /// Its size and times.
    pub stamp: Stamp,
    /// SHA-256 of its file, where it is one and was read.
    pub sha256: Option<[u8; 32]>,
}

/// Where a copy lies.
#[derive(Debug, Clone)]
pub struct CopyPlace {
    /// Locator of its root.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Label of its input.
    pub label: String,
    /// Path of that input, raw bytes.
    pub input: Vec<u8>,
    /// Path of the root below it.
    pub path: Vec<u8>,
    /// Folders and stores below the root that are roots of their own, by their path below it.
    pub others: HashSet<Vec<u8>>,
    /// From when to when it is dated.
    pub dates: Option<CopyDates>,
    /// The root lies in a container, so that it cannot be read by itself.
    pub is_within: bool,
    /// Id and position of the input.
    order: (i64, i64),
}

impl Case {
    /// The places of all copies, and of suspects too, in the order of reports.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn copy_places(&self, suspects: bool) -> Result<Vec<CopyPlace>, CaseError> {
        let mut copies: BTreeMap<String, Copy> = BTreeMap::new();
        for kind in ["copy", "suspect"]
            .into_iter()
            .take(1 + usize::from(suspects))
        {
            for (_, record) in self.records_of_type(kind)? {
                let (Record::Copy(copy) | Record::Suspect(copy)) = record else {
                    continue;
                };
                copies.entry(copy.locator.clone()).or_insert(*copy);
            }
        }
        let inputs = self.inputs_by_label()?;
        let mut examined: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
        let rows = self.records_of_type("examined")?;
        for (_, record) in &rows {
            let Record::Examined(row) = record else {
                continue;
            };
            if let Some((label, path)) = split(&row.locator) {
                examined.entry(label).or_default().push(path);
            }
        }
        for paths in examined.values_mut() {
            paths.sort_unstable();
        }
        let mut places = Vec::new();
        for (locator, copy) in copies {
            let Some((label, path)) = split(&locator) else {
                continue;
            };
            let Some((id, position, input)) = inputs.get(label) else {
                continue;
            };
            let roots = examined.get(label).map_or(&[][..], Vec::as_slice);
            places.push(CopyPlace {
                is_within: locator.contains("!/"),
                label: label.to_owned(),
                input: input.clone(),
                others: below(roots, &path),
                path,
                dates: copy.dates,
                hops: copy.hops,
                order: (*position, *id),
                locator,
            });
        }
        places.sort_by(|a, b| (a.order, &a.path).cmp(&(b.order, &b.path)));
        Ok(places)
    }

    fn inputs_by_label(&self) -> Result<Inputs, CaseError> {
        let read = || -> rusqlite::Result<Inputs> {
            let mut query = self
                .db
                .prepare("SELECT label, id, position, path FROM input")?;
            query
                .query_map([], |row| {
                    Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
                })?
                .collect()
        };
        read().map_err(|error| self.wrap(error))
    }

    /// The units at and below the root of a copy, by path.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn units_of_copy(&self, place: &CopyPlace) -> Result<Vec<CopyUnit>, CaseError> {
        let (from, until) = match place.path.as_slice() {
            [] => (Vec::new(), None),
            // `0` comes behind `/`.
            path => ([path, b"/"].concat(), Some([path, b"0"].concat())),
        };
        let skip = from.len();
        let read = || -> rusqlite::Result<Vec<CopyUnit>> {
            let mut query = self.db.prepare_cached(
                "SELECT path, size, mtime, ctime, sha256 FROM unit
                 WHERE input = ?1 AND (path = ?2 OR (path >= ?3 AND (path < ?4 OR ?4 IS NULL))) ORDER BY path",
            )?;
            query
                .query_map(params![place.order.1, place.path, from, until], |row| {
                    let path: Vec<u8> = row.get(0)?;
                    Ok(CopyUnit {
                        path: path.get(skip..).unwrap_or_default().to_vec(),
                        stamp: Stamp {
                            size: row.get::<_, i64>(1)? as u64,
                            mtime: row.get(2)?,
                            ctime: row.get(3)?,
                        },
                        sha256: row.get(4)?,
                    })
                })?
                .collect()
        };
        read().map_err(|error| self.wrap(error))
    }

    /// Forgets what comparisons said of these roots.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget_comparisons(&mut self, places: &[CopyPlace]) -> Result<(), CaseError> {
        let roots: Vec<&str> = places.iter().map(|place| place.locator.as_str()).collect();
        let write = || -> rusqlite::Result<()> {
            let sql = format!(
                "DELETE FROM record WHERE {OF_COMPARISONS}
                 AND coalesce(json ->> 'root', locator) IN (SELECT value FROM json_each(?1))"
            );
            let roots = super::store::json(&roots)?;
            self.db.execute(&sql, [roots]).map(drop)
        };
        write().map_err(|error| self.wrap(error))
    }

    /// Writes what came of one copy, all of it or nothing.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_comparison(&mut self, records: &[Record]) -> Result<(), CaseError> {
        let write = |db: &mut Connection| -> rusqlite::Result<()> {
            let tx = db.transaction()?;
            for record in records {
                put_record(&tx, None, false, record.clone())?;
            }
            tx.commit()
        };
        let written = write(&mut self.db);
        written.map_err(|error| self.wrap(error))
    }
}

/// Forgets all comparisons; says how many there were.
pub(super) fn forget_all(db: &Connection) -> rusqlite::Result<u64> {
    let count: i64 = db.query_row(
        "SELECT count(*) FROM record WHERE type = 'comparison' AND unit IS NULL AND NOT joined",
        [],
        |row| row.get(0),
    )?;
    db.execute(&format!("DELETE FROM record WHERE {OF_COMPARISONS}"), [])?;
    Ok(count as u64)
}

/// The label of a locator, and the path below the input.
fn split(locator: &str) -> Option<(&str, Vec<u8>)> {
    match locator.split_once('/') {
        None => Some((locator, Vec::new())),
        // A copy within an archive that is an input itself: `forks.zip!/ann`.
        Some((label, path)) => Some((label.strip_suffix('!').unwrap_or(label), unescape(path)?)),
    }
}

/// The roots below another, by their path below it. `roots` are sorted.
fn below(roots: &[Vec<u8>], path: &[u8]) -> HashSet<Vec<u8>> {
    let folder = match path {
        [] => Vec::new(),
        path => [path, b"/"].concat(),
    };
    let first = roots.partition_point(|root| root.as_slice() < folder.as_slice());
    let within = roots.iter().skip(first);
    within
        .map_while(|root| root.strip_prefix(folder.as_slice()))
        .filter(|root| !root.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_below_another_are_its_own() {
        let roots: Vec<Vec<u8>> = ["", "a", "a-b", "a/x", "a/x/y", "b"]
            .map(|root| root.as_bytes().to_vec())
            .to_vec();
        let found = |path: &str| {
            let mut found: Vec<_> = below(&roots, path.as_bytes()).into_iter().collect();
            found.sort();
            found
        };
        assert_eq!(found("a"), [b"x".to_vec(), b"x/y".to_vec()]);
        assert_eq!(found("b"), Vec::<Vec<u8>>::new());
        assert_eq!(found("").len(), 5);
    }

    #[test]
    fn a_locator_says_its_label_and_path() {
        assert_eq!(split("in"), Some(("in", Vec::new())));
        assert_eq!(split("in#2/a%25/b"), Some(("in#2", b"a%/b".to_vec())));
    }
}
