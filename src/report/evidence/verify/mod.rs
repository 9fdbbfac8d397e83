//! Checking an evidence folder, and saying of each check what it proves and what not.
//!
//! A folder comes from somebody: it may be damaged, altered, or made to break whoever looks at it. So nothing in it is
//! believed before it was checked, files are read as streams or up to a limit, and links and special files are refused unopened
//! (`folder.rs`). One failed check does not keep the others from being made: what else is wrong is worth knowing.
//!
//! What cannot be checked (a key of a kind that is not known here) is said as such, and neither passed nor failed. What is
//! not there and need not be (a signature, a time stamp) is said too: an unsigned folder is whole, and anybody's.

mod complete;
mod custody;
mod folder;
mod records;
mod signed;
mod stated;

use std::path::Path;

use x509_cert::Certificate;

pub use custody::{Consistency, Head};
pub use folder::Folder;

use super::sshsig::AllowedSigners;
use super::tree_head::Checkpoint;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// What it would check is not there, and need not be.
    Absent,
    /// It cannot be made here.
    Unchecked,
    /// It does not hold.
    Failed,
}

impl Outcome {
    /// The word in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Absent => "absent",
            Outcome::Unchecked => "not checked",
            Outcome::Failed => "FAILED",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is checked.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was seen.
    pub says: String,
    /// What it proves where it passed.
    pub proves: &'static str,
    /// What it does not prove.
    pub not: &'static str,
}

/// What the user gives along.
#[derive(Default)]
pub struct Asked {
    /// Whose keys are whose.
    pub signers: Option<AllowedSigners>,
    /// Certificates of time-stamping authorities that are trusted.
    pub trusted: Vec<Certificate>,
    /// The head of the log in an earlier folder of the same case.
    pub previous: Option<Checkpoint>,
    /// A reply to be checked in place of the one in the folder.
    pub reply: Option<Vec<u8>>,
}

/// Why a folder cannot be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is no folder, or cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// The folder, or what of it.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is nothing in it that says what it is.
    #[error("{path} is no evidence folder: it has no bagit.txt; name the folder that `seal` wrote")]
    NoFolder {
        /// The folder.
        path: String,
    },
}

/// Checks a folder.
///
/// # Errors
/// When it cannot be read at all. What is wrong with it is in the checks.
pub fn verify(path: &Path, asked: &Asked) -> Result<Vec<Check>, VerifyError> {
    let folder = Folder::open(path)?;
    let (found, walked) = folder.walk();
    if !found.contains_key(super::bag::DECLARATION_FILE) && walked.is_ok() {
        return Err(VerifyError::NoFolder {
            path: path.display().to_string(),
        });
    }
    let (mut checks, manifest) = complete::check(&folder, &found, walked);
    let (log, head) = custody::check(&folder, asked);
    checks.extend(log);
    let counted = records::read(&folder);
    let stated = stated::read(&folder);
    checks.push(records::check(&folder, &counted));
    checks.push(stated::check(&stated, &manifest, &counted, head.as_ref()));
    checks.extend(signed::check(&folder, &found, stated.as_ref().ok(), asked));
    Ok(checks)
}

/// The worst of some checks.
#[must_use]
pub fn worst(checks: &[Check]) -> Outcome {
    let outcomes = checks.iter().map(|check| check.outcome);
    outcomes.max().unwrap_or(Outcome::Failed)
}

/// A check that ended with words for either way.
fn told(
    name: &'static str,
    result: Result<String, String>,
    proves: &'static str,
    not: &'static str,
) -> Check {
    let (outcome, says) = match result {
        Ok(says) => (Outcome::Passed, says),
        Err(says) => (Outcome::Failed, says),
    };
    Check {
        name,
        outcome,
        says,
        proves,
        not,
    }
}
