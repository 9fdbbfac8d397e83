//! What was seen before, so that nothing is analysed twice.
//!
//! Content that has nothing to tell is remembered by its key alone. Facts of other content are kept while there
//! is room; when they were dropped, the content is simply analysed again, with the same result, since facts are a
//! pure function of bytes. So this is a matter of speed only: nothing that is reported depends on it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use hashbrown::HashSet;

use super::facts::{Facts, MatchFact};
use crate::blob::ContentKey;
use crate::exposure::{Trait, yara};
use crate::signature::Stretch;
use crate::signature::ported::Echo;

const SHARDS: usize = 64;

/// Facts that are kept, in all shards together, by a rough count of their bytes.
const FACTS_MAX: usize = 16 << 20;

#[derive(Default)]
struct Shard {
    plain: HashSet<ContentKey>,
    facts: HashMap<ContentKey, Arc<Facts>>,
    weight: usize,
}

/// Everything that was seen, shared by all workers.
pub struct Seen {
    shards: Vec<Mutex<Shard>>,
}

/// What is known of a content.
pub enum Known {
    /// It has nothing to tell.
    Plain,
    /// These are its facts.
    Facts(Arc<Facts>),
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Seen {
    fn with<T>(&self, key: &ContentKey, act: impl FnOnce(&mut Shard) -> T) -> T {
        let shard = &self.shards[usize::from(key.0[0]) % SHARDS];
        // A worker that panicked while it held the lock left a whole map behind: inserts do not panic midway.
        let mut shard = shard
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        act(&mut shard)
    }

    /// Forgets everything, to give the memory back.
    pub fn clear(&self) {
        for shard in &self.shards {
            *shard
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner()) = Shard::default();
        }
    }

    /// What is known of a content, if anything.
    pub fn get(&self, key: &ContentKey) -> Option<Known> {
        self.with(key, |shard| {
            if shard.plain.contains(key) {
                return Some(Known::Plain);
            }
            shard.facts.get(key).cloned().map(Known::Facts)
        })
    }

    /// Remembers content that has nothing to tell.
    pub fn insert_plain(&self, key: ContentKey) {
        self.with(&key, |shard| shard.plain.insert(key));
    }

    /// Remembers facts, and drops those of a full shard to make room.
    pub fn insert_facts(&self, key: ContentKey, facts: &Arc<Facts>) {
        let weight = weight(facts);
        self.with(&key, |shard| {
            if shard.weight + weight > FACTS_MAX / SHARDS {
                shard.facts.clear();
                shard.weight = 0;
            }
            if weight <= FACTS_MAX / SHARDS && shard.facts.insert(key, Arc::clone(facts)).is_none()
            {
                shard.weight += weight;
            }
        });
    }
}

fn weight_of_match(fact: &MatchFact) -> usize {
    let found = fact.found.as_deref();
    let stretches = found.map_or(0, |found| 64 + found.stretches.len() * size_of::<Stretch>());
    size_of::<MatchFact>() + stretches
}

/// Bytes of the traits that may be long.
fn weight_of_long(fact: &Trait) -> usize {
    match fact {
        Trait::Packument(document) => document.weight(),
        Trait::Yara(found) => yara::weight(found),
        _ => 0,
    }
}

/// Bytes that facts take, roughly; nested ones are shared and counted where they stand.
fn weight(facts: &Facts) -> usize {
    let tree = facts.tree.as_ref().map_or(0, |tree| {
        let children: usize = tree
            .children
            .iter()
            .map(|child| {
                300 + child.name.bytes().len()
                    + child
                        .links
                        .iter()
                        .map(|link| 64 + link.target.len())
                        .sum::<usize>()
                    + child
                        .source
                        .as_ref()
                        .and_then(|source| source.name.as_ref())
                        .map_or(0, Vec::len)
            })
            .sum();
        children + tree.plain.len() * ContentKey::LEN
    });
    let links: usize = facts.links.iter().map(|link| 64 + link.target.len()).sum();
    let matches: usize = facts.matches.iter().map(weight_of_match).sum();
    let echoes: usize = facts.echoes.iter().map(Echo::weight).sum();
    let long: usize = facts.traits.iter().map(weight_of_long).sum();
    let inspected = (facts.secrets.len() + facts.items.len()) * 200
        + (facts.names.len() + facts.lengths.len()) * 4;
    400 + tree + links + facts.traits.len() * 200 + long + inspected + matches + echoes
}
