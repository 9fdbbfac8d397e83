//! One file under several paths: hard links.
//!
//! A tree of backups or a package store holds the same file at many paths. Each path is a unit and an entry with its
//! records, as any file of equal bytes is, and all but one count as duplicate; but the bytes are read once, and the size
//! of the input counts them once. The paths share a [`Twin`]: whoever comes first reads, the others wait and take what is
//! known. This is a matter of speed only: facts are a pure function of bytes, and where they were dropped meanwhile or
//! the file changed, it is read again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use super::analyse::Analyser;
use super::facts::{Child, Facts, TextDigest};
use super::input::{Stamp, Unit};
use crate::blob::{ContentKey, MemberName, Sha256Digest};
use crate::exposure::Role;

/// Links, traits and matches of facts that are kept here; larger ones may be with what was seen.
const KEPT_MAX: usize = 64;

/// What the paths of one file share.
#[derive(Debug, Default)]
pub struct Twin {
    known: Mutex<Option<Known>>,
}

/// What is known of the bytes once they were read.
#[derive(Debug)]
struct Known {
    stamp: Stamp,
    role: Role,
    len: u64,
    key: ContentKey,
    sha256: Option<Sha256Digest>,
    text: Option<Box<TextDigest>>,
    kind: String,
    facts: Option<Arc<Facts>>,
}

impl Twin {
    /// What was read at another path, or what `read` gives now of the one with `name`. While another thread reads the file this one helps it,
    /// until it is done or `is_stopped`.
    pub fn or_read(
        &self,
        analyser: &Analyser,
        name: &[u8],
        stamp: Stamp,
        is_stopped: impl Fn() -> bool,
        read: impl FnOnce() -> Child,
    ) -> Child {
        let mut known = loop {
            match self.known.try_lock() {
                Ok(known) => break known,
                Err(TryLockError::Poisoned(poisoned)) => break PoisonError::into_inner(poisoned),
                // What is read is thrown away then.
                Err(TryLockError::WouldBlock) if is_stopped() => return read(),
                Err(TryLockError::WouldBlock) => {
                    if rayon::yield_now() != Some(rayon::Yield::Executed) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
            }
        };
        let role = analyser.inspector.role_of(name, false, false);
        let held = known
            .as_ref()
            .filter(|known| known.stamp == stamp && known.role == role);
        if let Some(child) = held.and_then(|known| known.child(analyser, name)) {
            return child;
        }
        let child = read();
        *known = Known::of(&child, stamp, role);
        child
    }
}

impl Known {
    fn of(child: &Child, stamp: Stamp, role: Role) -> Option<Self> {
        let facts = &child.facts;
        let weight = facts.links.len()
            + facts.traits.len()
            + facts.matches.len()
            + facts.secrets.len()
            + facts.items.len()
            + (facts.names.len() + facts.lengths.len()) / 16;
        let is_light = facts.tree.is_none()
            && weight <= KEPT_MAX
            && facts.echoes.is_empty()
            && !facts.cut_by_limit;
        // What was wrong with reading it may be gone at the next path.
        let is_whole = child.trouble.is_none() && child.kept.is_none();
        is_whole.then_some(Self {
            stamp,
            role,
            len: child.len,
            key: child.key?,
            sha256: child.sha256,
            text: child.text.clone(),
            kind: facts.kind.clone(),
            facts: is_light.then(|| Arc::clone(facts)),
        })
    }

    fn child(&self, analyser: &Analyser, name: &[u8]) -> Option<Child> {
        let facts = match &self.facts {
            Some(facts) => Arc::clone(facts),
            None => analyser
                .known(&self.role.key(self.key), 0, 0, name)?
                .unwrap_or_else(|| Arc::new(Facts::plain(&self.kind))),
        };
        Some(Child {
            name: MemberName::Named(Vec::new()),
            ordinal: 1,
            len: self.len,
            key: Some(self.key),
            sha256: self.sha256,
            facts,
            trouble: None,
            source: None,
            links: Vec::new(),
            git: None,
            written: None,
            text: self.text.clone(),
            kept: None,
        })
    }
}

/// The files that were met with several paths, by device and number.
#[derive(Debug, Default)]
pub struct Twins(HashMap<(u64, u64), Arc<Twin>>);

impl Twins {
    /// The one that a path belongs to; `None` where it is the only path of its file.
    #[cfg(unix)]
    pub fn of(&mut self, metadata: &std::fs::Metadata) -> Option<Arc<Twin>> {
        use std::os::unix::fs::MetadataExt;
        let id = (metadata.dev(), metadata.ino());
        let has_others = metadata.nlink() > 1;
        has_others.then(|| Arc::clone(self.0.entry(id).or_default()))
    }

    /// Elsewhere each path is a file of its own.
    #[cfg(not(unix))]
    pub fn of(&mut self, _metadata: &std::fs::Metadata) -> Option<Arc<Twin>> {
        None
    }
}

/// Bytes that these units have on the disk: a file with several paths counts once.
pub fn bytes_of<'u>(units: impl IntoIterator<Item = &'u Unit>) -> u64 {
    let mut met = HashSet::new();
    let mut is_new = |unit: &&Unit| {
        let twin = unit.twin.as_ref();
        twin.is_none_or(|twin| met.insert(Arc::as_ptr(twin)))
    };
    let mut bytes = 0_u64;
    for unit in units.into_iter().filter(|unit| is_new(unit)) {
        bytes = bytes.saturating_add(unit.stamp.size);
    }
    bytes
}
