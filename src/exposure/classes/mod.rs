//! Classes of exposure that are told by a look at the bytes: one small file for each sort of artifact.
//!
//! A [`Class`] says of bytes that they are such an artifact, and under which circumstance of its rule; what that means
//! at a place (declared open, below tests) is judged there, for all of them alike. Each is asked about every leaf, so
//! the first thing that it does is to look at a few bytes, or at what the literal pass saw, and to say no.

pub mod names;
mod shell_history;

use super::content::Hits;

/// An artifact of a class, as its bytes prove it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Artifact {
    /// Id of the class, as in `signatures/`.
    pub class: String,
    /// Circumstance of the class's rule that sets the severity; empty for the plain one.
    pub circumstance: String,
    /// What was seen, in a sentence, without secrets and inert.
    pub detail: String,
    /// The bytes suggest the class and do not prove it.
    pub is_hint: bool,
}

impl Artifact {
    /// One that its bytes prove.
    pub fn proven(class: &str, circumstance: &str, detail: impl Into<String>) -> Artifact {
        Artifact {
            class: class.to_owned(),
            circumstance: circumstance.to_owned(),
            detail: detail.into(),
            is_hint: false,
        }
    }

    /// One that its bytes suggest.
    pub fn hinted(class: &str, circumstance: &str, detail: impl Into<String>) -> Artifact {
        Artifact {
            is_hint: true,
            ..Artifact::proven(class, circumstance, detail)
        }
    }
}

/// Recognises the artifacts of one class, or of a few that share a form.
pub trait Class: Sync {
    /// What the bytes are, if they are one. Quick where they are not.
    fn recognise(&self, bytes: &[u8], hits: &Hits) -> Option<Artifact>;
}

/// All of them, by name.
pub const ALL: &[&dyn Class] = &[&shell_history::ShellHistory];

/// Circumstances that recognisers give and rules may weigh, by name. Held against the rules in a test.
pub const CIRCUMSTANCES: &[&str] = &[];

/// All artifacts that a content is.
pub fn artifacts_of(bytes: &[u8], hits: &Hits) -> Vec<Artifact> {
    ALL.iter()
        .filter_map(|class| class.recognise(bytes, hits))
        .collect()
}
