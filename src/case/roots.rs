//! Roots: where one copy ends and the next begins.
//!
//! A root is a place that people speak of as one thing: an archive, a repository with what is checked out of it, a package, a
//! folder that was given. Every unit belongs to one.

use std::collections::{BTreeMap, BTreeSet};

use super::join::{FolderScope, InputRow};
use super::store::{Case, CaseError, locator_of};
use crate::record::Hops;

impl Case {
    /// Notes the roots of an input, and which of them each unit belongs to: an archive is one; a loose file
    /// belongs to the package or repository round it, else to the input.
    pub(super) fn note_roots(
        &self,
        row: &InputRow,
        scope: &FolderScope,
        roots: &mut BTreeMap<String, Root>,
    ) -> Result<(), CaseError> {
        let mut repositories = BTreeSet::new();
        self.each_path(row.id, |path| {
            let folder = git_folder(path).or_else(|| path.strip_suffix(b".git/HEAD".as_slice()));
            if let Some(folder) = folder {
                repositories.insert(folder.strip_suffix(b"/").unwrap_or(folder).to_vec());
            }
        })?;
        let read = || -> rusqlite::Result<Vec<(i64, Vec<u8>, bool)>> {
            let mut query = self.db.prepare(
                "SELECT unit.id, unit.path, coalesce(open_fact.is_archive, 0)
                 FROM unit LEFT JOIN open_fact ON open_fact.unit = unit.id
                 WHERE unit.input = ?1 ORDER BY unit.path",
            )?;
            query
                .query_map([row.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        };
        for (unit, path, is_archive) in read().map_err(|error| self.wrap(error))? {
            // What a store holds belongs to what is checked out of it; one by itself is a place of its own.
            let at = if is_archive && git_folder(&path).is_none() {
                locator_of(&row.label, &path)
            } else {
                let folder = root_folder(&path, scope, &repositories);
                locator_of(&row.label, &folder)
            };
            let root = roots
                .entry(at.as_str().to_owned())
                .or_insert_with(|| Root::new(at.hops().clone()));
            root.units.insert(unit);
        }
        Ok(())
    }
}

/// A place that is looked at for copies.
pub(super) struct Root {
    pub(super) hops: Hops,
    pub(super) units: BTreeSet<i64>,
}

impl Root {
    fn new(hops: Hops) -> Self {
        Self {
            hops,
            units: BTreeSet::new(),
        }
    }
}

/// The folder whose store, or the file that leads to it, a path is: what stands before `.git`.
fn git_folder(path: &[u8]) -> Option<&[u8]> {
    let folder = path.strip_suffix(b".git".as_slice())?;
    (folder.is_empty() || folder.ends_with(b"/")).then_some(folder)
}

/// The folder of the root that a loose file belongs to: the nearest repository, else the outermost package.
fn root_folder(path: &[u8], scope: &FolderScope, repositories: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let mut end = memchr::memrchr(b'/', path).unwrap_or(0);
    loop {
        if repositories.contains(&path[..end]) {
            return path[..end].to_vec();
        }
        if end == 0 {
            break;
        }
        end = memchr::memrchr(b'/', &path[..end]).unwrap_or(0);
    }
    // A dependency below `node_modules` belongs to the package that holds it.
    let mut within = memchr::memmem::find(path, b"node_modules/").map_or(path, |at| &path[..at]);
    let mut root: &[u8] = b"";
    while let Some((folder, _)) = scope.packages.package_of(within) {
        root = folder;
        if folder.is_empty() {
            break;
        }
        // The packages of a workspace belong together: on to what stands round this one.
        within = folder;
    }
    root.to_vec()
}
