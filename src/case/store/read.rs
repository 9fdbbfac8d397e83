//! Reading a case: its records in the order of the contract, and what was noted of its inputs.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, params};

use super::{Case, CaseError, Info, RecordRow, UnitAt, parse, restore};
use crate::record::{Record, RunInput};

impl Case {
    /// Gives every record in the order of the contract: `run`, units in order with records by locator, joins,
    /// `ledger`.
    ///
    /// # Errors
    /// When the file cannot be read, or `give` fails.
    pub fn records<E: From<CaseError>>(
        &self,
        mut give: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        self.meta_record("run")?.map_or(Ok(()), &mut give)?;
        let units = self.query_ids(
            "SELECT unit.id FROM unit JOIN input ON input.id = unit.input
             WHERE EXISTS (SELECT 1 FROM record WHERE record.unit = unit.id)
             ORDER BY input.position, unit.path",
        )?;
        for unit in units {
            self.records_where("unit = ?1", Some(unit), &mut give)?;
        }
        self.records_where("unit IS NULL AND ?1 IS NULL", None, &mut give)?;
        self.meta_record("ledger")?.map_or(Ok(()), &mut give)
    }

    /// Gives what the joins found, in no useful order: what [`UnitDone`](crate::scan::UnitDone) does not hold.
    ///
    /// # Errors
    /// When the file cannot be read, or `give` fails.
    pub fn joined_records<E: From<CaseError>>(
        &self,
        mut give: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        self.records_where("joined AND ?1 IS NULL", None, &mut give)
    }

    fn query_ids(&self, sql: &str) -> Result<Vec<i64>, CaseError> {
        let run = || -> rusqlite::Result<Vec<i64>> {
            let mut query = self.db.prepare(sql)?;
            let rows = query.query_map([], |row| row.get(0))?;
            rows.collect()
        };
        run().map_err(|error| self.wrap(error))
    }

    fn records_where<E: From<CaseError>>(
        &self,
        condition: &str,
        unit: Option<i64>,
        give: &mut impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!(
            "SELECT {} FROM {} WHERE {condition} ORDER BY record.locator, type, record.json",
            RecordRow::COLUMNS,
            RecordRow::TABLES
        );
        let mut query = self
            .db
            .prepare_cached(&sql)
            .map_err(|error| self.wrap(error))?;
        let mut rows = query
            .query(params![unit])
            .map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let row = RecordRow::read(row).map_err(|error| self.wrap(error))?;
            give(restore(row)?)?;
        }
        Ok(())
    }

    /// All records of one type, in no useful order.
    pub(in crate::case) fn records_of_type(
        &self,
        kind: &str,
    ) -> Result<Vec<(Option<i64>, Record)>, CaseError> {
        let rows = || -> rusqlite::Result<Vec<RecordRow>> {
            let sql = format!(
                "SELECT {} FROM {} WHERE type = ?1",
                RecordRow::COLUMNS,
                RecordRow::TABLES
            );
            let mut query = self.db.prepare_cached(&sql)?;
            query.query_map([kind], RecordRow::read)?.collect()
        };
        rows()
            .map_err(|error| self.wrap(error))?
            .into_iter()
            .map(|row| Ok((row.unit, restore(row)?)))
            .collect()
    }

    /// The records of one type that units have whose numbers are in a range, ends included, in no useful order.
    pub(in crate::case) fn records_of_units(
        &self,
        kind: &str,
        (first, last): (i64, i64),
        begins: Option<&str>,
    ) -> Result<Vec<(i64, Record)>, CaseError> {
        let rows = || -> rusqlite::Result<Vec<RecordRow>> {
            let sql = format!(
                "SELECT {} FROM {} WHERE record.unit BETWEEN ?1 AND ?2 AND type = ?3
                 AND (?4 IS NULL OR substr(record.locator, 1, length(?4)) = ?4)",
                RecordRow::COLUMNS,
                RecordRow::TABLES
            );
            let mut query = self.db.prepare_cached(&sql)?;
            query
                .query_map(params![first, last, kind, begins], RecordRow::read)?
                .collect()
        };
        let rows = rows().map_err(|error| self.wrap(error))?.into_iter();
        rows.filter_map(|row| {
            let unit = row.unit?;
            Some(restore(row).map(|record| (unit, record)))
        })
        .collect()
    }

    fn meta_record(&self, key: &str) -> Result<Option<Record>, CaseError> {
        let text: Option<String> = self
            .db
            .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| self.wrap(error))?;
        text.as_deref().map(parse).transpose()
    }

    /// The unit that holds the match at a locator; `None` where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unit_of_match(&self, locator: &str) -> Result<Option<UnitAt>, CaseError> {
        self.unit_of("match", locator)
    }

    /// The unit that a record of this type at a locator came from; `None` where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unit_of(&self, kind: &str, locator: &str) -> Result<Option<UnitAt>, CaseError> {
        let sql = "SELECT input.label, input.path, unit.path, unit.sha256 FROM record
             JOIN unit ON unit.id = record.unit JOIN input ON input.id = unit.input
             WHERE record.type = ?1 AND record.locator = ?2 LIMIT 1";
        let unit = |row: &rusqlite::Row| {
            let sha256: Option<Vec<u8>> = row.get(3)?;
            Ok(UnitAt {
                label: row.get(0)?,
                input: row.get(1)?,
                path: row.get(2)?,
                sha256: sha256.and_then(|digest| digest.try_into().ok()),
            })
        };
        self.db
            .query_row(sql, [kind, locator], unit)
            .optional()
            .map_err(|error| self.wrap(error))
    }

    /// SHA-256, in hex, of each content that a match stands in and whose bytes were read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn matched_contents(&self) -> Result<BTreeSet<String>, CaseError> {
        let read = || -> rusqlite::Result<BTreeSet<String>> {
            let sql = "SELECT DISTINCT json ->> 'sha256' FROM record
                 WHERE type = 'match' AND json ->> 'sha256' IS NOT NULL";
            let mut query = self.db.prepare(sql)?;
            query.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|error| self.wrap(error))
    }

    /// A short account of the case.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn info(&self) -> Result<Info, CaseError> {
        let read = || -> rusqlite::Result<_> {
            let mut query = self
                .db
                .prepare("SELECT label, path FROM input ORDER BY position")?;
            let inputs = query
                .query_map([], |row| {
                    let path: Vec<u8> = row.get(1)?;
                    Ok((row.get(0)?, String::from_utf8_lossy(&path).into_owned()))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let units = self
                .db
                .query_row("SELECT count(*) FROM unit", [], |row| row.get::<_, i64>(0))?
                as u64;
            let mut query = self
                .db
                .prepare("SELECT type, count(*) FROM record GROUP BY type")?;
            let records = query
                .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
                .collect::<rusqlite::Result<BTreeMap<_, _>>>()?;
            let unfinished: Option<String> = self
                .db
                .query_row(
                    "SELECT value FROM meta WHERE key = 'unfinished'",
                    [],
                    |row| row.get(0),
                )
                .optional()?;
            Ok((inputs, units, records, unfinished.as_deref() == Some("1")))
        };
        let (inputs, units, records, unfinished) = read().map_err(|error| self.wrap(error))?;
        let run = match self.meta_record("run")? {
            Some(Record::Run(run)) => Some(*run),
            _ => None,
        };
        let ledger = match self.meta_record("ledger")? {
            Some(Record::Ledger(ledger)) => Some(*ledger),
            _ => None,
        };
        Ok(Info {
            run,
            ledger,
            inputs,
            units,
            records,
            unfinished,
        })
    }

    /// Every input of the case, as the `run` record names them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn run_inputs(&self) -> Result<Vec<RunInput>, CaseError> {
        let read = || -> rusqlite::Result<Vec<RunInput>> {
            let mut query = self.db.prepare(
                "SELECT label, (SELECT sha256 FROM unit
                                WHERE unit.input = input.id AND path = x'' AND NOT is_folder)
                 FROM input ORDER BY position",
            )?;
            query
                .query_map([], |row| {
                    let sha256: Option<[u8; 32]> = row.get(1)?;
                    Ok(RunInput {
                        label: row.get(0)?,
                        sha256: sha256.map(|digest| crate::blob::digest::hex(&digest)),
                    })
                })?
                .collect()
        };
        read().map_err(|error| self.wrap(error))
    }

    /// Bytes of all files of inputs that this run was not given.
    pub(in crate::case) fn bytes_of_other_inputs(&self) -> Result<u64, CaseError> {
        let read = || -> rusqlite::Result<u64> {
            let mut query = self
                .db
                .prepare("SELECT input, sum(size) FROM unit GROUP BY input")?;
            let sums: Vec<(i64, i64)> = query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let others = sums
                .into_iter()
                .filter(|(input, _)| !self.inputs.contains(input));
            Ok(others.map(|(_, bytes)| bytes as u64).sum())
        };
        read().map_err(|error| self.wrap(error))
    }
}
