//! What was made of what, over all copies of a case: made anew whenever copies were compared.
//!
//! Unlike a comparison it is about all copies at once, so none of its rows outlives a new one. The changes of thousands of
//! copies are many rows, and are read one by one.

use rusqlite::Connection;

use super::store::{Case, CaseError, RecordRow, put_record, restore};
use crate::copies::lineage::{self, Gather};
use crate::record::{Lineage, Record};

/// Types of records that lineage is told by.
const TOLD_BY: &str = "('copy', 'suspect', 'origin', 'comparison', 'change')";

impl Case {
    /// Forgets what was said of lineage, says it anew of all copies, and returns that.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn renew_lineage(&mut self) -> Result<Vec<Lineage>, CaseError> {
        let rows = lineage::of(&self.gather_lineage()?.finish());
        let write = |db: &mut Connection| -> rusqlite::Result<()> {
            let tx = db.transaction()?;
            tx.execute("DELETE FROM record WHERE type = 'lineage'", [])?;
            for row in &rows {
                put_record(&tx, None, false, row.clone().into())?;
            }
            tx.commit()
        };
        let written = write(&mut self.db);
        written.map_err(|error| self.wrap(error))?;
        Ok(rows)
    }

    fn gather_lineage(&self) -> Result<Gather, CaseError> {
        let mut gather = Gather::default();
        let sql = format!(
            "SELECT {} FROM {} WHERE type IN {TOLD_BY}",
            RecordRow::COLUMNS,
            RecordRow::TABLES
        );
        let mut query = self.db.prepare(&sql).map_err(|error| self.wrap(error))?;
        let rows = query.query_map([], RecordRow::read);
        for row in rows.map_err(|error| self.wrap(error))? {
            let record: Record = restore(row.map_err(|error| self.wrap(error))?)?;
            gather.add(&record);
        }
        Ok(gather)
    }
}
