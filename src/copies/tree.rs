//! The files of an original or a copy, below one root, whatever they were packed in.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::blob::{Hops, Sha256Digest};

/// One file of a tree.
#[derive(Debug, Clone)]
pub struct TreeFile {
    /// Where it stands.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// SHA-256 of its bytes, where they were read.
    pub sha256: Option<Sha256Digest>,
    /// Length in bytes.
    pub len: u64,
    /// What it is, by content: the word in `blob` records.
    pub content: String,
    /// Its bytes, where they were read and may be held.
    pub bytes: Option<Bytes>,
}

/// The files below one root.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Locator of the root.
    pub root: String,
    /// The way to it.
    pub hops: Hops,
    /// The files by their path below the root, raw bytes, without a folder that all of them share where a packer made it.
    pub files: BTreeMap<Vec<u8>, TreeFile>,
    /// Everything below the root was read.
    pub complete: bool,
}
