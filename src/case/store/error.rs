//! Why a case cannot be used.

use std::path::{Path, PathBuf};

use super::SCHEMA;

/// Why a case cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file is there and is something else.
    #[error("{path} is not a case of this program; name another file")]
    NotACase {
        /// The file.
        path: PathBuf,
    },
    /// Made by a later version.
    #[error(
        "the case {path} was made by a newer version (schema {found}, this program knows {SCHEMA}); use that version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema in it.
        found: i32,
    },
    /// Made by an earlier version.
    #[error(
        "the case {path} was made by an older version (schema {found}, this program knows {SCHEMA}); use that version, or scan into a new case"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The schema in it.
        found: i32,
    },
    /// It may not be written, and its log holds what is not in it yet.
    #[error(
        "the case {path} may not be written, and the log beside it (-wal) was not taken in; copy both to a folder of yours and use that"
    )]
    Sealed {
        /// The file.
        path: PathBuf,
    },
    /// Another run has it.
    #[error("the case {path} is in use by another run; wait until that has ended")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// No room.
    #[error(
        "the disk is full: the case {path} could not be written on. Everything committed before is kept; make room and run the same command again"
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The label stands for another input in this case.
    #[error(
        "the case holds another input under the label {label:?} ({held}); give this one a label of its own with --label"
    )]
    Label {
        /// The label.
        label: String,
        /// The path it stands for.
        held: String,
    },
    /// What other inputs gave was found with other sets, rules or limits.
    #[error(
        "the case holds {label:?}, which was read with other sets, rules, profile or limits, so that its findings and new ones cannot stand together; give {label:?} again beside the new inputs, or name another file with --case"
    )]
    OtherConfig {
        /// The label of one such input.
        label: String,
    },
    /// The file cannot be opened or made.
    #[error("cannot open the case {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Anything else.
    #[error("the case {path} could not be read or written: {error}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
    /// The custody log was changed.
    #[error(
        "the custody log of the case does not hold together from entry {seq} on, so nothing is added to it; `case custody` shows it"
    )]
    Custody {
        /// The first entry that is not what was written.
        seq: u64,
    },
    /// A row does not say what it should.
    #[error("a row of the case is damaged ({what}); run the scan again into a new case")]
    Damaged {
        /// Which.
        what: String,
    },
}

/// What SQLite says of the case, in words of this program.
pub(super) fn wrap(path: &Path, error: rusqlite::Error) -> CaseError {
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => CaseError::Full { path },
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            CaseError::InUse { path }
        }
        Some(rusqlite::ErrorCode::NotADatabase) => CaseError::NotACase { path },
        _ => CaseError::Sqlite { path, error },
    }
}
