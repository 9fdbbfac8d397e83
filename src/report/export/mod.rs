//! Exports: the records of a case in the forms of other programs.
//!
//! SARIF 2.1.0 for code-scanning viewers, CSV for spreadsheets, CycloneDX 1.6 for inventories of third-party code, STIX
//! 2.1 for those who watch for what was put into copies, CASE/UCO for systems that keep cases. Each
//! takes a stream of records, as often as it needs one, and writes as it goes, so that a large case needs no large memory.
//! The same case gives the same bytes: there is no clock and no random number in any of them.
//!
//! Secrets are as redacted here as in the records. Left out: what a format has no place for; the records hold it.

pub mod case_uco;
pub mod csv;
pub mod cyclonedx;
pub mod sarif;
pub mod stix;

use std::io::Write;

use crate::record::Record;

/// Why an export could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The output does not take more.
    #[error("cannot write the export: {0}")]
    Write(#[from] std::io::Error),
    /// A value cannot be said in JSON. This is a defect of the program.
    #[error("the export could not be put into JSON: {0}; please report this as a defect")]
    Json(#[from] serde_json::Error),
    /// The records could not be read.
    #[error("{0}")]
    Read(#[from] crate::case::CaseError),
}

/// What takes records one by one.
pub type Take<'t> = dyn FnMut(Record) -> Result<(), ExportError> + 't;
/// Where records come from: gives all of them each time it is asked.
pub type Records<'r> = dyn Fn(&mut Take<'_>) -> Result<(), ExportError> + 'r;

/// A UUID of this version (RFC 9562, section 4) from the first 128 bits of a digest; what is missing of them is zero.
fn uuid(digest: &[u8], version: u8) -> String {
    let mut bytes = [0; 16];
    for (byte, of_digest) in bytes.iter_mut().zip(digest) {
        *byte = *of_digest;
    }
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = crate::blob::digest::hex(&bytes);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

/// Items of a JSON array, written one by one.
struct Items<'w> {
    out: &'w mut dyn Write,
    is_first: bool,
}

impl<'w> Items<'w> {
    fn new(out: &'w mut dyn Write) -> Self {
        Self {
            out,
            is_first: true,
        }
    }

    fn put(&mut self, item: &serde_json::Value) -> Result<(), ExportError> {
        let comma = if self.is_first { "\n" } else { ",\n" };
        self.is_first = false;
        let text = serde_json::to_string(item)?;
        write!(
            self.out,
            "{comma}{}",
            crate::blob::locator::shown_json(&text)
        )?;
        Ok(())
    }
}
