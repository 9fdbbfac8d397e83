//! Classes of exposure that are told by a look at the bytes: one small file for each sort of artifact.
//!
//! A [`Class`] says of bytes that they are such an artifact, and under which circumstance of its rule; what that means
//! at a place (declared open, below tests) is judged there, for all of them alike. Each is asked about every leaf, so
//! the first thing that it does is to look at a few bytes, or at what the literal pass saw, and to say no.

mod agents;
pub(super) mod app_settings;
pub(crate) mod bounded_json;
mod build_graph;
mod build_log;
mod build_path;
mod ci;
mod cloud;
mod copyleft;
mod core_dump;
mod coverage;
mod deploy;
mod documents;
mod dump;
mod editor;
mod environment;
mod folder_index;
mod git;
mod heap;
mod hosts;
mod ide;
mod json;
mod keystore;
mod kube;
mod lists;
mod lockfiles;
mod logins;
pub mod names;
mod notebook;
mod openpgp;
mod package_logins;
mod people;
mod photo;
mod programs;
mod proto;
mod python;
mod read;
mod recordings;
mod sealed;
mod secret_keys;
mod shell_history;
mod snapshots;
mod sqlite;
mod ssh;
mod tables;
mod terraform;
pub(in crate::exposure) mod text;
mod tokenizer;
mod vcs;
mod vectors;
mod wasm;
mod weights;
mod yaml;

pub(super) use openpgp::LABEL as PGP_LABEL;
pub use recordings::har;

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
    /// Hosts that it points to, which the profile of a place may call its own.
    pub hosts: Vec<String>,
}

impl Artifact {
    /// One that its bytes prove.
    pub fn proven(class: &str, circumstance: &str, detail: impl Into<String>) -> Artifact {
        Artifact {
            class: class.to_owned(),
            circumstance: circumstance.to_owned(),
            detail: detail.into(),
            is_hint: false,
            hosts: Vec::new(),
        }
    }

    /// One that its bytes suggest.
    pub fn hinted(class: &str, circumstance: &str, detail: impl Into<String>) -> Artifact {
        Artifact {
            is_hint: true,
            ..Artifact::proven(class, circumstance, detail)
        }
    }

    /// The same with the hosts that it points to.
    fn pointing_to(self, hosts: hosts::Hosts) -> Artifact {
        Artifact {
            hosts: hosts.into_kept(),
            ..self
        }
    }
}

/// Recognises the artifacts of one class, or of a few that share a form.
pub trait Class: Sync {
    /// What the bytes are, if they are one. Quick where they are not.
    fn recognise(&self, bytes: &[u8], hits: &Hits) -> Option<Artifact>;

    /// The same, and what it is by its form and too large to be read as: a phrase that goes on "its … ".
    fn read(&self, bytes: &[u8], hits: &Hits, _unread: &mut Vec<&'static str>) -> Option<Artifact> {
        self.recognise(bytes, hits)
    }

    /// The same of content that is too large to be held, by its first bytes. `None` where these do not tell, and of what
    /// is never so large.
    fn recognise_beginning(&self, _head: &[u8]) -> Option<Artifact> {
        None
    }

    /// The same, and what it is by its form and cannot be read as.
    fn read_beginning(&self, head: &[u8], _unread: &mut Vec<&'static str>) -> Option<Artifact> {
        self.recognise_beginning(head)
    }
}

/// All of them, by name.
pub const ALL: &[&dyn Class] = &[
    &app_settings::AppSettings,
    &build_graph::BuildGraph,
    &build_log::BuildLog,
    &build_path::BuildPath,
    &copyleft::Copyleft,
    &core_dump::CoreDump,
    &coverage::Coverage,
    &dump::DatabaseDump,
    &editor::Editor,
    &folder_index::FolderIndex,
    &git::GitParts,
    &heap::HeapSnapshot,
    &heap::Profile,
    &keystore::KeyStore,
    &notebook::Notebook,
    &openpgp::OpenPgp,
    &people::PersonalData,
    &photo::Photo,
    &programs::BuildInfo,
    &programs::DebugSymbols,
    &python::FrozenPython,
    &python::PythonBytecode,
    &sealed::Sealed,
    &secret_keys::SecretKeys,
    &shell_history::ShellHistory,
    &snapshots::Snapshots,
    &sqlite::Sqlite,
    &tables::DataSet,
    &text::Texts,
    &tokenizer::Tokenizer,
    &vcs::WorkCopies,
    &vectors::VectorIndex,
    &wasm::WasmSymbols,
    &weights::ModelWeights,
];

/// Circumstances that recognisers give and rules may weigh.
pub mod circumstance {
    /// A value in it looks like a live credential.
    pub const CREDENTIALS: &str = "credentials";
    /// It points to hosts, none of them told as internal by its name: nothing to tell unless the profile knows one.
    pub const ELSEWHERE: &str = "elsewhere";
    /// A passphrase or a key protects what is in it.
    pub const ENCRYPTED: &str = "encrypted";
    /// The environment of a process, no credential seen in it.
    pub const ENVIRONMENT: &str = "environment";
    /// It names repositories that are reached by SSH.
    pub const GIT_SSH: &str = "git-ssh";
    /// Hashes of passwords.
    pub const HASHES: &str = "hashes";
    /// It names hosts or machines inside somebody's network.
    pub const INTERNAL: &str = "internal";
    /// Keys and tokens of some sort, and nothing that is called a password or a secret.
    pub const KEYS_ONLY: &str = "keys-only";
    /// Nothing in it is a credential.
    pub const NO_CREDENTIALS: &str = "no-credentials";
    /// It points to a host of the organisation.
    pub const OWN_HOST: &str = "own-host";
    /// All its credentials are placeholders, or refer to variables.
    pub const PLACEHOLDERS: &str = "placeholders";
    /// It describes a project, and nothing of a person or a machine.
    pub const PROJECT: &str = "project";
    /// Public keys only.
    pub const PUBLIC_KEYS: &str = "public-keys";
    /// It lists files whose names are of interest themselves.
    pub const TELLING_NAMES: &str = "telling-names";
    /// Paths of a machine in it are absolute.
    pub const ABSOLUTE_PATHS: &str = "absolute-paths";
    /// The paths are those of a machine that builds.
    pub const BUILD_MACHINE: &str = "build-machine";
    /// Columns that speak of people, and no rows that were counted.
    pub const COLUMNS_ONLY: &str = "columns-only";
    /// It stands in a program.
    pub const IN_PROGRAM: &str = "in-program";
    /// It names files and holds no text of them.
    pub const NAMES_ONLY: &str = "names-only";
    /// It speaks of people.
    pub const PERSONAL: &str = "personal";
    /// Reading it may run commands.
    pub const RUNS_COMMANDS: &str = "runs-commands";
    /// It describes tables and holds no rows.
    pub const SCHEMA_ONLY: &str = "schema-only";
    /// There is little of it.
    pub const SMALL: &str = "small";
    /// What training leaves.
    pub const TRAINING: &str = "training";
    /// What is in it cannot be seen without its password.
    pub const UNSEEN: &str = "unseen";
}

/// All circumstances of recognisers, one a line. Held against the rules in a test.
pub const CIRCUMSTANCES: &[&str] = &[
    circumstance::CREDENTIALS,
    circumstance::ELSEWHERE,
    circumstance::ENCRYPTED,
    circumstance::ENVIRONMENT,
    circumstance::GIT_SSH,
    circumstance::HASHES,
    circumstance::INTERNAL,
    circumstance::KEYS_ONLY,
    circumstance::NO_CREDENTIALS,
    circumstance::OWN_HOST,
    circumstance::PLACEHOLDERS,
    circumstance::PROJECT,
    circumstance::PUBLIC_KEYS,
    circumstance::TELLING_NAMES,
    circumstance::ABSOLUTE_PATHS,
    circumstance::BUILD_MACHINE,
    circumstance::COLUMNS_ONLY,
    circumstance::IN_PROGRAM,
    circumstance::NAMES_ONLY,
    circumstance::PERSONAL,
    circumstance::RUNS_COMMANDS,
    circumstance::SCHEMA_ONLY,
    circumstance::SMALL,
    circumstance::TRAINING,
    circumstance::UNSEEN,
];

/// All artifacts that a content is; adds what it is by its form and too large to be read as.
pub fn artifacts_of(bytes: &[u8], hits: &Hits, unread: &mut Vec<&'static str>) -> Vec<Artifact> {
    ALL.iter()
        .filter_map(|class| class.read(bytes, hits, unread))
        .collect()
}

/// All artifacts that a content may be which begins so and is too large to be held. The details say that only its beginning was
/// looked at. Adds what it is by its form and cannot be read as.
pub fn artifacts_beginning(head: &[u8], unread: &mut Vec<&'static str>) -> Vec<Artifact> {
    let found = ALL
        .iter()
        .filter_map(|class| class.read_beginning(head, unread));
    found
        .map(|artifact| Artifact {
            detail: format!("{}; told by its beginning", artifact.detail),
            ..artifact
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::content::Prefilter;
    use crate::exposure::rules::Rules;
    use crate::exposure::samples::example_files;

    /// The contents of all examples of all rules.
    fn contents() -> Vec<Vec<u8>> {
        let rules = Rules::builtin().iter();
        let examples = rules.flat_map(|rule| rule.matches.iter().chain(&rule.rejects));
        examples
            .flat_map(|example| example_files(example).unwrap())
            .map(|(_, bytes)| bytes)
            .collect()
    }

    #[test]
    fn examples_that_were_cut_or_changed_are_read_without_panic() {
        let prefilter = Prefilter::new();
        let mut found = 0;
        for bytes in contents() {
            let steps = bytes.len().div_ceil(64).max(1);
            for at in (0..bytes.len()).step_by(steps) {
                let cut = &bytes[..at];
                found += artifacts_of(cut, &prefilter.scan(cut), &mut Vec::new()).len();
                for value in [0, 0x7f, 0xff, b'"', b'\n'] {
                    let mut changed = bytes.clone();
                    changed[at] = value;
                    found +=
                        artifacts_of(&changed, &prefilter.scan(&changed), &mut Vec::new()).len();
                }
            }
        }
        assert!(found > 1000, "{found}");
    }

    #[test]
    fn every_class_that_is_given_has_a_rule_and_knows_the_circumstance() {
        let prefilter = Prefilter::new();
        for bytes in contents() {
            for artifact in artifacts_of(&bytes, &prefilter.scan(&bytes), &mut Vec::new()) {
                let rule = Rules::builtin().get(&artifact.class);
                let rule = rule.unwrap_or_else(|| panic!("no rule {}", artifact.class));
                let circumstance = artifact.circumstance.as_str();
                assert!(
                    matches!(circumstance, "" | circumstance::ELSEWHERE)
                        || rule.severities.contains_key(circumstance),
                    "{}: {circumstance}",
                    rule.id
                );
            }
        }
    }
}
