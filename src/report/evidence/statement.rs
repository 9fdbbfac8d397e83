//! What is claimed of the files: an in-toto statement (<https://github.com/in-toto/attestation>, Statement v1).
//!
//! Subjects are files of the folder, by path, and exhibits that are listed and not copied, by locator; each with its
//! SHA-256. The predicate says how that came about: program, rules, sets, limits, the whole account of what was read, how often
//! each grade of a match is wrong, and the head of the custody log. It says what was done, not what follows from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::blob::Sha256Digest;

/// The type of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of what is said; a name, no page.
pub const PREDICATE_TYPE: &str = "https://strandline.example/evidence/v1";
/// What stands before the locator of an exhibit that is listed and not copied.
pub const LISTED: &str = "exhibit:";
/// Exhibits that are subjects of their own; more are bound by the list of them, which is a subject too.
pub const MAX_LISTED: usize = 50_000;

/// How the claims came about, in a sentence each.
const METHOD: [&str; 5] = [
    "Every regular member of every input was counted, and each has one outcome: the ledger adds up.",
    "Content is named by its SHA-256. Equal content was examined once.",
    "Works were looked for by the signature sets named here, content that is public by its set subtracted; grades and their thresholds are those of the program and rules named by digest.",
    "Rates of wrong matches were measured on the test set that the validation names; 95 % intervals are exact (Clopper and Pearson).",
    "No input was changed, nothing of an input was run, no network was used.",
];

/// A statement.
#[derive(Debug, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    pub predicate: Predicate,
}

/// A file or an exhibit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subject {
    /// Path below the folder; of an exhibit that is listed only, [`LISTED`] and its locator.
    pub name: String,
    /// Its digests.
    pub digest: Digests,
}

/// Digests of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// SHA-256, hex.
    pub sha256: String,
}

/// How it came about.
#[derive(Debug, Serialize, Deserialize)]
pub struct Predicate {
    /// Name and version of the program that sealed.
    pub program: String,
    /// BLAKE3 of its file, hex.
    pub program_blake3: Option<String>,
    /// How claims came about.
    pub method: Vec<String>,
    /// Who the report is for.
    pub view: String,
    /// The `run` record: versions, rules, sets, limits.
    pub run: Value,
    /// The `ledger` record: what was read, and what not.
    pub ledger: Value,
    /// Records by type.
    pub counts: BTreeMap<String, u64>,
    /// How often grades of matches are wrong, as measured.
    pub validation: Value,
    /// The custody log.
    pub custody: LogHead,
    /// Exhibits.
    pub exhibits: ExhibitCounts,
    /// Whether what people decided and drafted is in the folder.
    pub work_product: bool,
}

/// The head of the custody log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// Names the log.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Base64 of the head.
    pub root: String,
}

/// How many exhibits there are, and what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExhibitCounts {
    /// Rows of the list.
    pub listed: u64,
    /// Distinct contents that were copied into the folder.
    pub copied: u64,
    /// Distinct contents with a match that were to be copied, and are not in the folder that they were to come from.
    pub not_kept: u64,
    /// Rows that are no subject of their own.
    pub without_subject: u64,
}

impl Statement {
    /// A statement.
    #[must_use]
    pub fn new(subject: Vec<Subject>, predicate: Predicate) -> Self {
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject,
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate,
        }
    }
}

impl Subject {
    /// A file of the folder.
    #[must_use]
    pub fn file(path: &str, digest: &Sha256Digest) -> Self {
        Self::named(path.to_owned(), digest.hex())
    }

    /// An exhibit that is listed only.
    #[must_use]
    pub fn listed(locator: &str, sha256: &str) -> Self {
        Self::named(format!("{LISTED}{locator}"), sha256.to_owned())
    }

    fn named(name: String, sha256: String) -> Self {
        Self {
            name,
            digest: Digests { sha256 },
        }
    }
}

/// The sentences of the method.
#[must_use]
pub fn method() -> Vec<String> {
    METHOD.iter().map(ToString::to_string).collect()
}
