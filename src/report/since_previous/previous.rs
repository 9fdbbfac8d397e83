//! Reading the findings of an earlier report.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::head::{FORM, FORM_OLDEST, Head};
use super::{FINDINGS_FILE, FindingsList, Line};

/// Why an earlier report cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PreviousError {
    /// It cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is something else.
    #[error(
        "{path} is no report.json that lists its findings; give the report.json of a report of this program, with {FINDINGS_FILE} beside it"
    )]
    NoReport {
        /// The file.
        path: PathBuf,
    },
    /// It has other bytes than its report says.
    #[error(
        "{path} is not the list of findings that its report.json names: it was changed since; make that report again"
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A line is not what it should be.
    #[error("{path}:{line}: {what}; make that report again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Line, 1-based.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// The findings of an earlier report.
#[derive(Debug)]
pub struct Previous {
    pub(super) head: Head,
    pub(super) lines: BTreeMap<String, Line>,
    pub(super) blake3: String,
}

/// What is needed of `report.json`.
#[derive(Deserialize)]
struct Twin {
    findings_list: Option<FindingsList>,
}

impl Previous {
    /// Reads the list beside a `report.json`, or the list itself.
    ///
    /// # Errors
    /// When it cannot be read, is something else, or was changed since its report was made.
    pub fn read(path: &Path) -> Result<Previous, PreviousError> {
        let unreadable = |path: &Path, error| PreviousError::Unreadable {
            path: path.to_path_buf(),
            error,
        };
        let is_list = path
            .extension()
            .is_some_and(|extension| extension == "jsonl");
        if is_list {
            let bytes = std::fs::read(path).map_err(|error| unreadable(path, error))?;
            return Self::parse(&bytes, path);
        }
        let twin = std::fs::read(path).map_err(|error| unreadable(path, error))?;
        let listed = serde_json::from_slice::<Twin>(&twin).ok();
        let Some(listed) = listed.and_then(|twin| twin.findings_list) else {
            return Err(PreviousError::NoReport {
                path: path.to_path_buf(),
            });
        };
        // The name is ours whatever the report says: it may come from others.
        let list = path.with_file_name(FINDINGS_FILE);
        let bytes = std::fs::read(&list).map_err(|error| unreadable(&list, error))?;
        if blake3::hash(&bytes).to_hex().as_str() != listed.blake3 {
            return Err(PreviousError::Changed { path: list });
        }
        Self::parse(&bytes, &list)
    }

    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Previous, PreviousError> {
        let damaged = |line: usize, what: String| PreviousError::Damaged {
            path: path.to_path_buf(),
            line,
            what,
        };
        let mut lines = bytes.lines().enumerate();
        let Some((_, Ok(first))) = lines.next() else {
            return Err(damaged(1, "nothing is in it".to_owned()));
        };
        let head: Head =
            serde_json::from_str(&first).map_err(|error| damaged(1, error.to_string()))?;
        if !(FORM_OLDEST..=FORM).contains(&head.form) {
            return Err(damaged(
                1,
                format!(
                    "its form is {}, and this program knows {FORM_OLDEST} to {FORM}",
                    head.form
                ),
            ));
        }
        let mut found = BTreeMap::new();
        for (index, line) in lines {
            let line = line.map_err(|error| damaged(index + 1, error.to_string()))?;
            let line: Line = serde_json::from_str(&line)
                .map_err(|error| damaged(index + 1, error.to_string()))?;
            found.insert(line.id.clone(), line);
        }
        Ok(Previous {
            head,
            lines: found,
            blake3: blake3::hash(bytes).to_hex().to_string(),
        })
    }
}
