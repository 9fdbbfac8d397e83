//! Signs of tampering: rules over what a copy has otherwise than the original, never over the original itself.

use super::delta::Pair;
use super::tree::Tree;
use crate::exposure::Organisation;
use crate::record::{Certainty, Severity};

/// What of the original is known beside the files that a copy changed: a host that stands anywhere in it is no new host.
/// Made once, and used for each copy.
#[derive(Debug, Default)]
pub struct Original {}

impl Original {
    /// Reads the whole original.
    pub fn of(_tree: &Tree) -> Self {
        Self::default()
    }
}

/// What rules may ask beside the files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// Whose the original is: its internal scopes.
    pub organisation: Option<&'a Organisation>,
    /// First date of the copy, RFC 3339, UTC, and what says so.
    pub first: Option<(&'a str, &'a str)>,
    /// When the original became public, RFC 3339, UTC.
    pub leaked: Option<&'a str>,
}

/// One sign. It becomes a `sign` record.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Id of the rule.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// Path of the file in the copy.
    pub path: Vec<u8>,
    /// Line in the copy, 1-based; `None` where the file as a whole is meant.
    pub line: Option<u64>,
    /// What is there now, shortened.
    pub found: String,
    /// What the original has in its place.
    pub original: Option<String>,
}

/// The signs of a copy, by path, line and rule.
pub fn signs(_original: &Original, _pairs: &[Pair], _context: &Context) -> Vec<Found> {
    Vec::new()
}
