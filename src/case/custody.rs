//! The custody log: who did what with what the case holds, and when.
//!
//! A secret that was looked at by a person is one that this person may have leaked; whoever asks later must be able to
//! see who did. So what shows or hands on what the case protects is written down here before it happens, and rows are only
//! ever added. Each entry holds the SHA-256 of the one before it: a row that is changed or taken out of the middle breaks
//! every row behind it, and [`Case::custody`] says where.
//!
//! An entry is one JSON object, kept as the text that was hashed, so that any program can check the chain: its fields are
//! those of [`Entry`], in that order, without blanks. Who acted is what the system says of the process, and when is what
//! its clock says, with the time since it was started beside it, which nobody sets.
//!
//! Left out: proof against somebody who can write the file. Who makes the whole chain anew needs a copy of its last digest
//! elsewhere to be found out; sealing a case writes one.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{Case, CaseError};
use crate::blob::Sha256Digest;

/// What comes before the first entry.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is to be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// UTC by the system's clock, RFC 3339 with milliseconds.
    pub time: String,
    /// Milliseconds since the system was started, where it says so.
    pub uptime_ms: Option<u64>,
    /// Name and number of the user.
    pub actor: String,
    /// Name and version of the program.
    pub program: String,
    /// BLAKE3 of the program file, hex.
    pub program_blake3: Option<String>,
    /// What was asked, without paths of outputs: the command and what it was about.
    pub command: String,
    /// What was read for it.
    pub inputs: Vec<Handled>,
    /// What was given out.
    pub outputs: Vec<Handled>,
}

/// Something that was read or given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    /// A locator, a path, or where it went.
    pub what: String,
    /// SHA-256 of its bytes, hex; null where that would tell what is secret.
    pub sha256: Option<String>,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// What was done.
    #[serde(flatten)]
    pub deed: Deed,
    /// SHA-256 of the entry before it, hex; zeros for the first.
    pub previous: String,
}

/// The log, and whether it holds together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custody {
    /// Entries and their digests, in order, as far as they can be read.
    pub entries: Vec<(Entry, String)>,
    /// The number of the first row that is not what was written, or whose predecessor is missing.
    pub broken: Option<u64>,
}

impl Case {
    /// Adds an entry, and has it on the disk when this returns.
    ///
    /// # Errors
    /// When the log does not hold together, or the file cannot be written.
    pub fn add_custody(&self, deed: Deed) -> Result<Entry, CaseError> {
        let custody = self.custody()?;
        if let Some(seq) = custody.broken {
            return Err(CaseError::Custody { seq });
        }
        let last = custody.entries.last();
        let entry = Entry {
            seq: last.map_or(0, |(entry, _)| entry.seq) + 1,
            deed,
            previous: last.map_or(NOTHING, |(_, digest)| digest).to_owned(),
        };
        let write = || -> rusqlite::Result<()> {
            let text = super::store::json(&entry)?;
            let digest = Sha256Digest::of(text.as_bytes()).hex();
            self.db.pragma_update(None, "synchronous", "FULL")?;
            self.db
                .execute(
                    "INSERT INTO custody VALUES (?1, ?2, ?3)",
                    params![entry.seq as i64, digest, text],
                )
                .map(drop)
        };
        write().map_err(|error| self.wrap(error))?;
        let _ = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        Ok(entry)
    }

    /// The entries as they were hashed, in order, unchecked.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn custody_texts(&self) -> Result<Vec<String>, CaseError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut query = self.db.prepare("SELECT entry FROM custody ORDER BY seq")?;
            query.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|error| self.wrap(error))
    }

    /// The log, checked from its first entry to its last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn custody(&self) -> Result<Custody, CaseError> {
        let read = || -> rusqlite::Result<Vec<(i64, String, String)>> {
            let mut query = self
                .db
                .prepare("SELECT seq, sha256, entry FROM custody ORDER BY seq")?;
            query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        };
        let rows = read().map_err(|error| self.wrap(error))?;
        let mut custody = Custody {
            entries: Vec::new(),
            broken: None,
        };
        for (row, wanted) in rows.into_iter().zip(1_u64..) {
            let previous = custody.entries.last();
            let previous = previous.map_or(NOTHING, |(_, digest)| digest).to_owned();
            let (entry, holds) = checked(&row, wanted, &previous);
            if !holds && custody.broken.is_none() {
                custody.broken = Some(wanted);
            }
            if let Some(entry) = entry {
                custody.entries.push((entry, row.1));
            }
        }
        Ok(custody)
    }
}

/// The entry of a row, where it can be read, and whether it is what was written behind `previous`.
fn checked(row: &(i64, String, String), wanted: u64, previous: &str) -> (Option<Entry>, bool) {
    let (seq, digest, text) = row;
    let entry: Option<Entry> = serde_json::from_str(text).ok();
    let holds = entry.as_ref().is_some_and(|entry| {
        u64::try_from(*seq) == Ok(wanted)
            && entry.seq == wanted
            && entry.previous == previous
            && Sha256Digest::of(text.as_bytes()).hex() == *digest
    });
    (entry, holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(what: &str) -> Deed {
        Deed {
            time: "2026-11-22T07:00:00.000Z".to_owned(),
            uptime_ms: Some(1),
            actor: "me (1000)".to_owned(),
            program: "strandline 0".to_owned(),
            program_blake3: None,
            command: what.to_owned(),
            inputs: vec![Handled {
                what: "a.tgz".to_owned(),
                sha256: Some("00".to_owned()),
            }],
            outputs: Vec::new(),
        }
    }

    fn with_three() -> Case {
        let case = Case::in_memory().unwrap();
        for what in ["first", "second", "third"] {
            case.add_custody(deed(what)).unwrap();
        }
        case
    }

    #[test]
    fn each_entry_holds_the_digest_of_the_one_before() {
        let custody = with_three().custody().unwrap();
        assert_eq!(custody.broken, None);
        let entries = &custody.entries;
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[0].0.previous, NOTHING);
        assert_eq!(entries[1].0.previous, entries[0].1);
        assert_eq!(entries[2].0.previous, entries[1].1);
    }

    #[test]
    fn what_was_changed_afterwards_is_found() {
        let changes = [
            (
                "UPDATE custody SET entry = replace(entry, 'second', 'other') WHERE seq = 2",
                2,
            ),
            ("DELETE FROM custody WHERE seq = 2", 2),
            ("DELETE FROM custody WHERE seq = 1", 1),
            ("UPDATE custody SET sha256 = 'x' WHERE seq = 3", 3),
            ("UPDATE custody SET entry = 'x' WHERE seq = 1", 1),
        ];
        for (sql, broken) in changes {
            let case = with_three();
            case.db.execute_batch(sql).unwrap();
            assert_eq!(case.custody().unwrap().broken, Some(broken), "{sql}");
            // Nothing is added to a log that does not hold together.
            assert!(matches!(
                case.add_custody(deed("fourth")),
                Err(CaseError::Custody { .. })
            ));
        }
    }
}
