//! Credentials in running text.

use super::content::Hits;
use super::inspect::Role;
use crate::record::Severity;

/// Which rules found a credential.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Tier {
    /// Rules for one kind of credential, by its form. They run on everything.
    Specific,
    /// A value beside a name that says what it is. On texts that may be the vendor's own.
    Generic,
    /// The set of live secrets that the user gave.
    Known,
    /// Rules of the user's own.
    User,
}

impl Tier {
    /// The word in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Specific => "specific",
            Tier::Generic => "generic",
            Tier::Known => "known",
            Tier::User => "user",
        }
    }
}

/// What could be checked of a credential without a network.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Check {
    /// Nothing.
    Unchecked,
    /// Its parts are as they should be.
    StructureOk,
    /// It carries a checksum, and that is right.
    ChecksumOk,
}

impl Check {
    /// The word in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Check::Unchecked => "unchecked",
            Check::StructureOk => "structure-ok",
            Check::ChecksumOk => "checksum-ok",
        }
    }
}

/// How a credential was written down, where that is not plainly.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Written {
    /// With escapes of a string literal.
    Escaped,
    /// In parts that the program puts together.
    Folded,
    /// In Base64.
    Base64,
    /// In UTF-16.
    Utf16,
}

impl Written {
    /// The word in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Written::Escaped => "escaped",
            Written::Folded => "folded",
            Written::Base64 => "base64",
            Written::Utf16 => "utf-16",
        }
    }
}

/// A credential in a content. It holds nothing that would give it away.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SecretFact {
    /// Id of the rule.
    pub rule: String,
    /// Whose rules.
    pub tier: Tier,
    /// Line, 1-based.
    pub line: u64,
    /// Column in bytes, 1-based.
    pub column: u64,
    /// Bytes that it takes there, as it is written. In a case, for `case reveal`; in no record.
    pub length: u64,
    /// What identifies it safely.
    pub redacted: String,
    /// What could be checked.
    pub check: Check,
    /// How bad, wherever it lies.
    pub severity: Severity,
    /// How it was written, where not plainly.
    pub written: Option<Written>,
    /// What the credential says of itself, without what is secret.
    pub detail: Option<String>,
    /// Digest keyed by the user's key, where one was given.
    pub fingerprint: Option<[u8; 16]>,
}

/// The credentials in a text, in the order in which they stand.
pub fn secrets_of(_bytes: &[u8], _hits: &Hits, _role: Role) -> Vec<SecretFact> {
    Vec::new()
}
