//! Folders that could not be walked: what stands in them nobody knows, so they are named beside what was examined.
//!
//! No file of such a folder is a unit, and no root is made of it. Where it lies in a root, that root was not seen as a whole;
//! where it lies in none, it may have been a place of its own, and is told as one that was not readable.

use std::collections::BTreeMap;

use super::super::roots::Root;
use super::super::store::{Case, CaseError, locator_of};
use crate::blob::Locator;
use crate::blob::locator::unescape;
use crate::record::Problem;

/// Folders that could not be walked.
#[derive(Default)]
pub(super) struct Unwalked {
    /// How many lie in each root.
    within: BTreeMap<String, u64>,
    /// Those that lie in none, and why.
    pub(super) alone: Vec<(Locator, String)>,
}

impl Unwalked {
    /// What is to be said of a root.
    pub(super) fn note(&self, root: &str) -> Option<String> {
        let count = self.within.get(root)?;
        let folders = if *count == 1 { "folder" } else { "folders" };
        Some(format!("{count} {folders} in it could not be walked"))
    }

    fn add(&mut self, at: Locator, why: String, roots: &BTreeMap<String, Root>) {
        match round(at.as_str(), roots) {
            Some(root) => *self.within.entry(root.to_owned()).or_insert(0) += 1,
            None => self.alone.push((at, why)),
        }
    }
}

/// The innermost root that a locator lies in.
fn round<'a>(at: &'a str, roots: &BTreeMap<String, Root>) -> Option<&'a str> {
    let mut end = at.len();
    loop {
        let folder = &at[..end];
        if roots.contains_key(folder) {
            return Some(folder);
        }
        end = folder.rfind('/')?;
    }
}

impl Case {
    /// The folders of all inputs that could not be walked.
    pub(super) fn unwalked(&self, roots: &BTreeMap<String, Root>) -> Result<Unwalked, CaseError> {
        let read = || -> rusqlite::Result<Vec<(String, String)>> {
            let mut query = self
                .db
                .prepare("SELECT label, troubles FROM input ORDER BY position")?;
            query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let mut unwalked = Unwalked::default();
        for (label, troubles) in read().map_err(|error| self.wrap(error))? {
            let troubles: Vec<Problem> = serde_json::from_str(&troubles).unwrap_or_default();
            for trouble in troubles {
                let path = unescape(&trouble.locator).unwrap_or_default();
                let why = format!("{}: {}", trouble.code, trouble.detail);
                unwalked.add(locator_of(&label, &path), why, roots);
            }
        }
        Ok(unwalked)
    }
}
