//! Gates of a map's sources that are not in the script that the map is of.
//!
//! What a script holds is a fact of its content (see [`crate::exposure::gates`]); that it is the map's is known at the
//! place where both stand: a script that bears the map in itself, or one beside it that leads to it, by the name that
//! the map gives or the map's own without its ending. A map that no script here leads to says nothing of gates.
//!
//! A build that splits its output writes a source into the maps of several scripts, so that a name must be in no script
//! with a map in the same container or folder before its gate is told.

use std::sync::Arc;

use super::facts::{Child, Facts};
use super::scope::Scope;
use crate::blob::Locator;
use crate::exposure::{ItemFact, gates};
use crate::sourcemap;

/// A script that leads to a map.
#[derive(Debug, Clone)]
pub struct Script {
    /// Where it stands.
    pub at: String,
    /// What it is.
    pub facts: Arc<Facts>,
}

/// The script beside a map at `path` that leads to it. `file` is the name that the map gives.
pub(super) fn beside(
    map: &Locator,
    path: &[u8],
    file: Option<&[u8]>,
    scope: &dyn Scope,
) -> Option<Script> {
    let own = path.strip_suffix(b".map").map(<[u8]>::to_vec);
    let named = file
        .filter(|file| !file.is_empty())
        .map(|file| sourcemap::resolve_source(path, None, file));
    let mut paths = own.into_iter().chain(named);
    paths.find_map(|path| scope.script_of(&path, map.as_str()))
}

/// Whether an entry was read as a script that leads to a map.
pub(super) fn is_read(child: &Child) -> bool {
    !child.facts.names.is_empty() || !child.facts.lengths.is_empty()
}

impl Script {
    /// Of an entry that was read as one.
    pub fn of(child: &Child, at: &Locator) -> Option<Self> {
        is_read(child).then(|| Self {
            at: at.as_str().to_owned(),
            facts: Arc::clone(&child.facts),
        })
    }

    /// The gates of a source that are neither in the script nor in others beside it.
    pub(super) fn lacks(&self, source: &Child, scope: Option<&dyn Scope>) -> Vec<ItemFact> {
        let names = &self.facts.names;
        if names.is_empty() {
            return Vec::new();
        }
        let is_here = |number: &u32| {
            names.binary_search(number).is_ok()
                || scope.is_some_and(|scope| scope.has_name(*number))
        };
        let flags = source.facts.items.iter();
        let missing = flags.filter(|flag| {
            let traces = gates::traces(flag);
            !traces.is_empty() && !traces.iter().any(is_here)
        });
        missing.map(|flag| gates::absent(flag, &self.at)).collect()
    }
}

/// The numbers of the names of many scripts, sorted, each once.
pub fn joined(names: impl Iterator<Item = Vec<u32>>) -> Vec<u32> {
    let mut all: Vec<u32> = Vec::new();
    let mut settled = 0;
    for more in names {
        all.extend(more);
        // Equal scripts are many in a folder of copies.
        if all.len() > 2 * settled + (1 << 20) {
            all.sort_unstable();
            all.dedup();
            settled = all.len();
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}
