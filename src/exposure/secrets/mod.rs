//! Credentials in running text.
//!
//! What a credential is, stands in `signatures/secrets.toml`: kinds with a form of their own, which are looked for in
//! every text, and names beside which a value is one, which are looked for in texts that may be the vendor's own. [`rule`]
//! reads them, `find` tries them where their words stand, [`checks`] holds against each other what a credential says
//! of itself, `written` undoes what hides one, and `show` decides what of it may be seen. The bytes themselves leave this
//! module only as [`Hidden`], to those that make digests of them; a [`SecretFact`] holds nothing that would give them away.
//!
//! Left out: whether a credential is live. Nothing here asks anybody.

pub mod checks;
pub mod examples;
mod find;
mod generic;
mod known;
pub mod rule;
pub(super) mod settings;
mod show;
mod unknown_form;
pub(super) mod written;

pub(super) use find::stretches;
pub use find::{Search, find};

use crate::record::Severity;

/// Which rules found a credential.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
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
    /// Only that the content is a settings file makes it one: told where it lies as such.
    #[serde(default)]
    pub of_settings: bool,
    /// It is one in settings of any form, also where nothing is known of the program that reads them.
    #[serde(default)]
    pub in_any_settings: bool,
}

/// The bytes of a credential. They are overwritten when it goes, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(Vec<u8>);

impl Hidden {
    /// Takes them in.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes themselves: for digests, and for what the user asked to see on a terminal.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hidden")
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

/// A credential with its bytes, on its way to what makes digests of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What is kept.
    pub fact: SecretFact,
    /// Where in the text it begins; bytes.
    pub at: usize,
    /// What is secret, decoded.
    pub value: Hidden,
}

/// The text of what is in UTF-16, in which lines and columns of its credentials count.
pub fn utf16_text(bytes: &[u8]) -> Option<Vec<u8>> {
    written::utf16(bytes)
}
