//! The account of a comparison: what became of every entry of the original and of the copies.
//!
//! It is made as that of a scan is, over both sides: content that the original has is a duplicate in the copy. What was not
//! read at all (a copy that vanished) has no entries, and makes the account incomplete. Content that was read and only not
//! looked into any further is complete here: it was held against the other side, byte by byte.

use std::collections::BTreeMap;

use super::super::{CliError, pipeline};
use super::Outcome;
use super::read::ReadPlace;
use crate::blob::ContentKey;
use crate::copies::tree::READ;
use crate::record::Ledger;

/// The account while it is made.
pub struct Account {
    ledger: Ledger,
    /// Contents that were met.
    distinct: hashbrown::HashSet<ContentKey>,
}

impl Account {
    /// Begins with the original.
    pub fn new(original: &ReadPlace) -> Self {
        let mut account = Self {
            ledger: Ledger::default(),
            distinct: hashbrown::HashSet::new(),
        };
        account.add(original);
        account
    }

    /// Adds a root that was read.
    pub fn add(&mut self, read: &ReadPlace) {
        let (ledger, tally) = (&mut self.ledger, &read.tally);
        ledger.entries += tally.entries;
        ledger.containers += tally.damaged_containers;
        ledger.bytes_in = ledger.bytes_in.saturating_add(read.bytes);
        ledger.bytes_scanned = ledger.bytes_scanned.saturating_add(tally.bytes);
        add_all(&mut ledger.skipped, &tally.skipped);
        add_all(&mut ledger.damaged, &tally.damaged);
        add_all(&mut ledger.other, &tally.other);
        for key in &tally.keys {
            if self.distinct.insert(*key) {
                ledger.scanned += 1;
                ledger.containers += u64::from(key.is_container());
            } else {
                ledger.duplicate += 1;
            }
        }
    }

    /// The record.
    ///
    /// # Errors
    /// When it does not add up.
    pub fn ledger(&self, outcome: &Outcome) -> Result<Ledger, CliError> {
        let mut kept_out = self.ledger.skipped.keys().chain(self.ledger.damaged.keys());
        let is_read = kept_out.all(|code| READ.contains(&code.as_str()));
        let ledger = Ledger {
            findings_failing: outcome.failing,
            complete: is_read && !outcome.is_incomplete,
            ..self.ledger.clone()
        };
        pipeline::assert_adds_up(&ledger)?;
        Ok(ledger)
    }
}

fn add_all(counts: &mut BTreeMap<String, u64>, more: &BTreeMap<String, u64>) {
    for (reason, number) in more {
        *counts.entry(reason.clone()).or_insert(0) += number;
    }
}
