//! Copies beside their original: what a copy added, changed and dropped, and where it comes from.
//!
//! A scan says which places hold a signed work, and how much of it: it needs fingerprints only, and no original. Who has
//! the original can ask more: which lines of a copy are not in it, whether what was put in looks like tampering, and which
//! copies were made of which. That is here, as functions of trees of files; reading the trees is done by whoever asks.
//!
//! - [`tree`]: the files of an original or a copy, below one root, whatever they were packed in
//! - [`delta`]: two trees, file by file and line by line ([`lines`]; what layout changes: [`form`]; what is alike: `alike`; which folder is
//!   the root of the other: [`shift`])
//! - [`records`]: the records of one copy
//! - [`changes`]: two cases, place by place
//! - [`lineage`]: which copy was made of which, by shared changes
//! - [`tamper`]: rules over a delta, never over the original itself
//! - [`scope`]: what may be said of all listed places from those that were examined; [`draw`] chooses by chance what to
//!   examine next, and [`odds`] says what that allows

mod alike;
pub mod changes;
pub mod delta;
pub mod draw;
pub mod form;
pub mod lineage;
pub mod lines;
#[cfg(test)]
mod made;
pub mod odds;
pub mod records;
pub mod scope;
pub mod shift;
pub mod tamper;
pub mod tree;
