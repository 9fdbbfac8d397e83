//! Draws: which places were chosen at random to be examined next.
//!
//! What was found in some places says something of the others only if chance chose them. So a draw is written down when it is
//! made, with the list it was made from, and cannot be claimed later for what was examined anyway.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params, params_from_iter};
use serde::{Deserialize, Serialize};

use super::store::{Case, CaseError, RecordRow, json, restore};
use crate::record::Record;

/// The row of `meta` that they stand in.
const KEY: &str = "draws";

/// One draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// What chance was begun with.
    pub seed: u64,
    /// How many were asked for.
    pub n: u64,
    /// Address of the fork network that was drawn from; `None` for the whole list.
    pub network: Option<String>,
    /// BLAKE3 of the keys of all places listed there, hex.
    pub list: String,
    /// Places that were not examined then, from which was drawn.
    pub from: u64,
    /// Keys of the places that were drawn.
    pub drawn: BTreeSet<String>,
}

impl Case {
    /// Writes a draw down.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_draw(&self, draw: Draw) -> Result<(), CaseError> {
        let mut draws = self.draws()?;
        if draws.contains(&draw) {
            return Ok(());
        }
        draws.push(draw);
        json(&draws)
            .and_then(|text| {
                let sql = "INSERT OR REPLACE INTO meta VALUES (?1, ?2)";
                self.db.execute(sql, params![KEY, text])
            })
            .map(drop)
            .map_err(|error| self.wrap(error))
    }

    /// All draws, in their order.
    ///
    /// # Errors
    /// When the file cannot be read, or what is there is none.
    pub fn draws(&self) -> Result<Vec<Draw>, CaseError> {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        let text: Option<String> = self
            .db
            .query_row(sql, [KEY], |row| row.get(0))
            .optional()
            .map_err(|error| self.wrap(error))?;
        let text = text.unwrap_or_else(|| "[]".to_owned());
        serde_json::from_str(&text).map_err(|error| CaseError::Damaged {
            what: format!("draws: {error}"),
        })
    }

    /// Gives the records of some types, by locator.
    ///
    /// # Errors
    /// When the file cannot be read, or `give` fails.
    pub fn records_of<E: From<CaseError>>(
        &self,
        kinds: &[&str],
        mut give: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(), E> {
        let marks = vec!["?"; kinds.len()].join(", ");
        let sql = format!(
            "SELECT {} FROM {} WHERE type IN ({marks}) ORDER BY record.locator, type, record.json",
            RecordRow::COLUMNS,
            RecordRow::TABLES
        );
        let mut query = self.db.prepare(&sql).map_err(|error| self.wrap(error))?;
        let mut rows = query
            .query(params_from_iter(kinds))
            .map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let row = RecordRow::read(row).map_err(|error| self.wrap(error))?;
            give(restore(row)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_kept_in_their_order() {
        let case = Case::in_memory().unwrap();
        let draw = |seed| Draw {
            seed,
            n: 2,
            network: None,
            list: "00".to_owned(),
            from: 7,
            drawn: BTreeSet::from(["a".to_owned()]),
        };
        assert_eq!(case.draws().unwrap(), []);
        for seed in [2, 1, 2] {
            case.add_draw(draw(seed)).unwrap();
        }
        assert_eq!(case.draws().unwrap(), [draw(2), draw(1)]);
    }
}
