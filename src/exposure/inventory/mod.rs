//! What recovered code reveals: flags, settings, hosts, commands, prompts, people.

/// How sure it is that an item is what its kind says.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Confidence {
    /// Looks like it.
    Low,
    /// Stands where such things stand.
    Medium,
    /// The code says so.
    High,
}

impl Confidence {
    /// The word in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// One thing that a text reveals.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ItemFact {
    /// What it is: one of [`KINDS`].
    pub kind: String,
    /// The value, as the text means it (escapes undone), cut to a bound.
    pub value: String,
    /// Line, 1-based.
    pub line: u64,
    /// How sure.
    pub confidence: Confidence,
    /// What else the code says of it: a default, a description, the call that names it.
    pub detail: Option<String>,
}

/// All kinds of items.
pub const KINDS: [&str; 0] = [];

/// The items of a text, in the order in which they stand.
pub fn items_of(_bytes: &[u8]) -> Vec<ItemFact> {
    Vec::new()
}
