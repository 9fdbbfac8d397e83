//! Git's object stores, read without git.
//!
//! A store keeps every version of every file, also those that no branch holds any more; whoever cleans a leak up by a
//! new commit leaves it all there. So every object is read, reachable or not, and where an object stands is found out
//! afterwards ([`graph`]), for those that something is to be said of.
//!
//! What is read here: loose objects and packs with everything round them (gitformat-pack(5), gitformat-loose(5),
//! gitformat-bundle(5), gitrepository-layout(5)). A pack keeps most objects as differences to others. Undoing each by
//! itself would undo the common bases again and again; so the differences are seen as trees, which are walked from
//! their roots down, and each object is made once ([`pack`]). Libraries that do so open packs by path and give up at
//! the first damaged entry. Here a pack is any run of bytes, and damage costs what depends on it and nothing else.
//!
//! An index is a help and a claim. Where it is absent or disagrees, the pack itself tells where its entries are; and
//! what an object is called is computed from its bytes, always: a name out of an index proves nothing.
//!
//! What this leaves out: git's own programs, hooks and configuration are never run or obeyed.

pub mod delta;
pub mod formats;
pub mod found;
pub mod graph;
pub(crate) mod head;
pub mod history;
pub mod index;
pub mod names;
pub mod object;
pub mod pack;
pub mod refs;
pub mod remotes;
pub mod store;

pub use formats::{GitBundle, GitLoose, GitPack};
pub use object::{Hash, Kind, Oid};
