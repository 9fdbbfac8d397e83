//! Findings beside the files that they were found in, for reports that are held against an earlier one.

use std::collections::{BTreeMap, BTreeSet};

use super::store::{Case, CaseError, RecordRow, locator_of, restore};
use crate::blob::digest::hex;
use crate::record::Record;

/// A file or git store of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitName {
    /// Its locator.
    pub locator: String,
    /// SHA-256 of its bytes, hex; `None` where it has none.
    pub sha256: Option<String>,
}

impl Case {
    /// Gives every finding and the unit that it was found in, by type and locator. What rests on several units has none.
    ///
    /// # Errors
    /// When the file cannot be read, or `give` fails.
    pub fn findings<E: From<CaseError>>(
        &self,
        mut give: impl FnMut(Record, Option<&UnitName>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!(
            "SELECT {}, input.label, unit.path, unit.sha256 FROM {}
             LEFT JOIN unit ON unit.id = record.unit LEFT JOIN input ON input.id = unit.input
             WHERE record.type IN ('exposure', 'secret', 'item', 'copy', 'suspect')
             ORDER BY record.type, record.locator, record.json",
            RecordRow::COLUMNS.replacen("unit", "record.unit", 1),
            RecordRow::TABLES
        );
        let mut query = self.db.prepare(&sql).map_err(|error| self.wrap(error))?;
        let mut rows = query.query([]).map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let read = || -> rusqlite::Result<(RecordRow, Option<UnitName>)> {
                let label: Option<String> = row.get(RecordRow::WIDTH)?;
                let unit = match label {
                    None => None,
                    Some(label) => {
                        let path: Vec<u8> = row.get(RecordRow::WIDTH + 1)?;
                        let sha256: Option<Vec<u8>> = row.get(RecordRow::WIDTH + 2)?;
                        Some(unit_name(&label, &path, sha256.as_deref()))
                    }
                };
                Ok((RecordRow::read(row)?, unit))
            };
            let (row, unit) = read().map_err(|error| self.wrap(error))?;
            give(restore(row)?, unit.as_ref())?;
        }
        Ok(())
    }

    /// Those of some units that the case holds, by locator, with their SHA-256.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn units_named(
        &self,
        wanted: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Option<String>>, CaseError> {
        let mut found = BTreeMap::new();
        self.each_unit(|unit| {
            if wanted.contains(&unit.locator) {
                found.insert(unit.locator, unit.sha256);
            }
        })?;
        Ok(found)
    }

    /// Gives every unit, in no useful order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn each_unit(&self, mut give: impl FnMut(UnitName)) -> Result<(), CaseError> {
        let mut read = || -> rusqlite::Result<()> {
            let mut query = self.db.prepare(
                "SELECT input.label, unit.path, unit.sha256 FROM unit JOIN input ON input.id = unit.input",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let (label, path): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
                let sha256: Option<Vec<u8>> = row.get(2)?;
                give(unit_name(&label, &path, sha256.as_deref()));
            }
            Ok(())
        };
        read().map_err(|error| self.wrap(error))
    }
}

fn unit_name(label: &str, path: &[u8], sha256: Option<&[u8]>) -> UnitName {
    UnitName {
        locator: locator_of(label, path).as_str().to_owned(),
        sha256: sha256.map(hex),
    }
}
