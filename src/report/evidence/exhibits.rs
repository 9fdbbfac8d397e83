//! The list of exhibits: where what was found stands, and the digest of it.
//!
//! An exhibit is a place with a match or an exposure. A folder of evidence goes to outside counsel, and notices get
//! published; so by default it names exhibits by locator and SHA-256 and holds none of their bytes: who has the input can find
//! each of them, and who has not learns no line of it. Copies are put in when the user says so, and only those that a scan
//! kept.
//!
//! A row stands for a place and a reason, in the order of the records.

use std::collections::HashMap;
use std::io::Write;

use super::bag::from_hex;
use crate::record::Record;
use crate::report::export::csv::cell;

/// Distinct contents whose sizes are looked up; of more the column stays empty.
const MAX_SIZES: usize = 1_000_000;

/// One exhibit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit<'a> {
    /// Where it stands.
    pub locator: &'a str,
    /// SHA-256 of its content, hex.
    pub sha256: &'a str,
    /// Why it is one: `match` or `exposure`.
    pub reason: &'static str,
}

/// The exhibit that a record makes, if any. Where bytes were not read there is nothing to name by digest.
#[must_use]
pub fn of(record: &Record) -> Option<Exhibit<'_>> {
    let (locator, sha256, reason) = match record {
        Record::Match(found) => (&found.locator, &found.sha256, "match"),
        Record::Exposure(found) => (&found.locator, &found.sha256, "exposure"),
        _ => return None,
    };
    Some(Exhibit {
        locator,
        sha256: sha256.as_deref()?,
        reason,
    })
}

/// Sizes of contents, where a record says them.
#[derive(Default)]
pub struct Sizes {
    of: HashMap<[u8; 32], Option<u64>>,
}

impl Sizes {
    /// Notes a content whose size will be asked for.
    pub fn ask(&mut self, sha256: &str) {
        if let Some(digest) = from_hex(sha256).filter(|_| self.of.len() < MAX_SIZES) {
            self.of.entry(digest.0).or_default();
        }
    }

    /// Takes what a record says of the size of its content.
    pub fn learn(&mut self, record: &Record) {
        let (sha256, bytes) = match record {
            Record::Source(source) => (source.sha256.as_deref(), source.bytes),
            Record::Blob(blob) => (Some(blob.sha256.as_str()), Some(blob.bytes)),
            _ => return,
        };
        let digest = sha256.and_then(from_hex);
        let slot = digest.and_then(|digest| self.of.get_mut(&digest.0));
        if let (Some(slot), Some(_)) = (slot, bytes) {
            *slot = bytes;
        }
    }

    /// Sets what was counted.
    pub fn set(&mut self, sha256: &str, bytes: u64) {
        let slot = from_hex(sha256).and_then(|digest| self.of.get_mut(&digest.0));
        if let Some(slot) = slot {
            *slot = Some(bytes);
        }
    }

    fn get(&self, sha256: &str) -> Option<u64> {
        self.of.get(&from_hex(sha256)?.0).copied().flatten()
    }
}

/// Writes the list.
pub struct List<W: Write> {
    out: W,
    last: (String, &'static str),
    /// Rows written.
    pub rows: u64,
}

impl<W: Write> List<W> {
    /// Begins it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(mut out: W) -> std::io::Result<Self> {
        out.write_all(b"locator,sha256,bytes,reason,file\r\n")?;
        Ok(Self {
            out,
            last: Default::default(),
            rows: 0,
        })
    }

    /// Adds a row, unless the one before says the same. `file` is the path of a copy, below the payload.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(
        &mut self,
        exhibit: &Exhibit<'_>,
        sizes: &Sizes,
        file: Option<&str>,
    ) -> std::io::Result<bool> {
        if self.last.0 == exhibit.locator && self.last.1 == exhibit.reason {
            return Ok(false);
        }
        self.last = (exhibit.locator.to_owned(), exhibit.reason);
        self.rows += 1;
        let bytes = sizes.get(exhibit.sha256);
        write!(
            self.out,
            "{},{},{},{},{}\r\n",
            cell(exhibit.locator),
            cell(exhibit.sha256),
            bytes.map_or(String::new(), |bytes| bytes.to_string()),
            exhibit.reason,
            file.unwrap_or_default()
        )?;
        Ok(true)
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> std::io::Result<u64> {
        self.out.flush()?;
        Ok(self.rows)
    }
}
