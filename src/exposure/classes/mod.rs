//! Classes of exposure that are told by a look at the bytes: one small file for each sort of artifact.
//!
//! A [`Class`] says of bytes that they are such an artifact, and under which circumstance of its rule; what that means
//! at a place (declared open, below tests) is judged there, for all of them alike. Each is asked about every leaf, so
//! the first thing that it does is to look at a few bytes, or at what the literal pass saw, and to say no.

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
}

/// Recognises the artifacts of one class, or of a few that share a form.
pub trait Class: Sync {
    /// What the bytes are, if they are one. Quick where they are not.
    fn recognise(&self, bytes: &[u8], hits: &Hits) -> Option<Artifact>;
}

/// All of them.
pub const ALL: [&dyn Class; 0] = [];

/// All artifacts that a content is.
pub fn artifacts_of(bytes: &[u8], hits: &Hits) -> Vec<Artifact> {
    ALL.iter()
        .filter_map(|class| class.recognise(bytes, hits))
        .collect()
}
