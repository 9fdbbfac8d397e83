//! From the records of a case to what lineage is told by.

use std::collections::BTreeMap;

use super::{ChangeId, CopyChanges};
use crate::record::{Certainty, Origin, Record};

/// Takes records as they stream by, in any order. Memory: 48 bytes for each change.
#[derive(Debug, Default)]
pub struct Gather {
    rows: BTreeMap<String, Row>,
}

#[derive(Debug, Default)]
struct Row {
    copy: CopyChanges,
    /// It is a copy or a suspect, or was held against the original.
    counts: bool,
    compared: bool,
    changes: Vec<ChangeId>,
}

impl Gather {
    /// Takes what a record says of a copy; most say nothing.
    pub fn add(&mut self, record: &Record) {
        match record {
            Record::Copy(copy) | Record::Suspect(copy) => {
                let row = self.row(&copy.locator);
                row.counts = true;
                row.copy.hops = copy.hops.clone();
                // A place may hold two works; the class is that of both then.
                if !row.copy.class.is_empty() && row.copy.class != copy.class {
                    row.copy.class = row.copy.class.clone().max(copy.class.clone());
                } else {
                    row.copy.class.clone_from(&copy.class);
                }
                if let Some(dates) = &copy.dates {
                    note(&mut row.copy.dates, &dates.basis, &dates.first);
                }
            }
            Record::Comparison(comparison) => {
                let row = self.row(&comparison.locator);
                row.counts = true;
                row.compared = true;
                row.copy.hops = comparison.hops.clone();
            }
            Record::Change(change) => {
                let path = change.path.as_ref().or(change.original.as_ref());
                let path = path.map_or("", String::as_str);
                let id = ChangeId::of(change.kind, path, change.sha256.as_deref());
                self.row(&change.root).changes.push(id);
            }
            Record::Origin(origin) if origin.present && !origin.locator.is_empty() => {
                self.add_origin(origin);
            }
            _ => {}
        }
    }

    /// What a clone says of itself is no record of where it comes from.
    fn add_origin(&mut self, origin: &Origin) {
        if origin.certainty != Certainty::Proven {
            return;
        }
        let row = self.row(&origin.locator);
        let told = [
            (&mut row.copy.url, &origin.url),
            (&mut row.copy.parent, &origin.parent),
            (&mut row.copy.network, &origin.network),
        ];
        for (held, said) in told {
            // Of two records that differ the smaller one holds, whichever comes first.
            if let Some(said) = said
                && held.as_ref().is_none_or(|held| said < held)
            {
                *held = Some(said.clone());
            }
        }
        if let Some(seen) = &origin.seen_at {
            note(&mut row.copy.dates, "seen-at", seen);
        }
    }

    fn row(&mut self, locator: &str) -> &mut Row {
        self.rows.entry(locator.to_owned()).or_default()
    }

    /// The copies, in order of locators.
    pub fn finish(self) -> Vec<CopyChanges> {
        let rows = self.rows.into_iter().filter(|(_, row)| row.counts);
        rows.map(|(locator, row)| CopyChanges {
            locator,
            changes: row.compared.then_some(row.changes),
            ..row.copy
        })
        .collect()
    }
}

/// The earliest date by each source.
fn note(dates: &mut BTreeMap<String, String>, basis: &str, date: &str) {
    let held = dates
        .entry(basis.to_owned())
        .or_insert_with(|| date.to_owned());
    if date < held.as_str() {
        date.clone_into(held);
    }
}

/// What lineage is told by, of records in any order.
pub fn copies_in<'r>(records: impl IntoIterator<Item = &'r Record>) -> Vec<CopyChanges> {
    let mut gather = Gather::default();
    for record in records {
        gather.add(record);
    }
    gather.finish()
}
