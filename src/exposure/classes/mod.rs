//! Classes of exposure that are told by a look at the bytes: one small file for each sort of artifact.
//!
//! A [`Class`] says of bytes that they are such an artifact, and under which circumstance of its rule; what that means
//! at a place (declared open, below tests) is judged there, for all of them alike. Each is asked about every leaf, so
//! the first thing that it does is to look at a few bytes, or at what the literal pass saw, and to say no.

mod build_graph;
mod build_log;
mod build_path;
mod copyleft;
mod core_dump;
mod coverage;
mod dump;
mod heap;
pub mod names;
mod notebook;
mod people;
mod programs;
mod proto;
mod python;
mod read;
mod shell_history;
mod sqlite;
mod tables;
mod tokenizer;
mod vectors;
mod wasm;
mod weights;

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

    /// The same of content that is too large to be held, by its first bytes. `None` where these do not tell, and of what
    /// is never so large.
    fn recognise_beginning(&self, _head: &[u8]) -> Option<Artifact> {
        None
    }
}

/// All of them, by name.
pub const ALL: &[&dyn Class] = &[
    &build_graph::BuildGraph,
    &build_log::BuildLog,
    &build_path::BuildPath,
    &copyleft::Copyleft,
    &core_dump::CoreDump,
    &coverage::Coverage,
    &dump::DatabaseDump,
    &heap::HeapSnapshot,
    &heap::Profile,
    &notebook::Notebook,
    &people::PersonalData,
    &programs::BuildInfo,
    &programs::DebugSymbols,
    &python::FrozenPython,
    &python::PythonBytecode,
    &shell_history::ShellHistory,
    &sqlite::Sqlite,
    &tables::DataSet,
    &tokenizer::Tokenizer,
    &vectors::VectorIndex,
    &wasm::WasmSymbols,
    &weights::ModelWeights,
];

/// Circumstances that recognisers give and rules may weigh, by name. Held against the rules in a test.
pub const CIRCUMSTANCES: &[&str] = &[
    "absolute-paths",
    "build-machine",
    "columns-only",
    "environment",
    "in-program",
    "names-only",
    "personal",
    "runs-commands",
    "schema-only",
    "small",
    "training",
];

/// All artifacts that a content is.
pub fn artifacts_of(bytes: &[u8], hits: &Hits) -> Vec<Artifact> {
    ALL.iter()
        .filter_map(|class| class.recognise(bytes, hits))
        .collect()
}

/// All artifacts that a content may be which begins so and is too large to be held. The details say that only its beginning was
/// looked at.
pub fn artifacts_beginning(head: &[u8]) -> Vec<Artifact> {
    let found = ALL
        .iter()
        .filter_map(|class| class.recognise_beginning(head));
    found
        .map(|artifact| Artifact {
            detail: format!("{}; told by its beginning", artifact.detail),
            ..artifact
        })
        .collect()
}
