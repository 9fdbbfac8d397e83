//! Roots: where one copy ends and the next begins.
//!
//! A root is a place that people speak of as one thing: an archive, a repository with what is checked out of it, a package, a
//! folder that was given. Every unit belongs to one. Where the user says that a folder holds copies (`--copies-root`), what lies
//! directly in it is one root each, whatever is in it: people keep clones with other clones in them, and unpacked archives
//! in which nothing says what they are.

use std::collections::{BTreeMap, BTreeSet};

use super::join::{FolderScope, InputRow};
use super::store::{Case, CaseError, locator_of};
use crate::blob::Locator;
use crate::record::{Certainty, Hops};

/// A folder of which each thing directly in it is one root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiesRoot {
    /// Label of the input that it lies in or is.
    pub label: String,
    /// Its path below that, raw bytes.
    pub folder: Vec<u8>,
}

impl CopiesRoot {
    /// Its locator.
    pub fn locator(&self) -> String {
        locator_of(&self.label, &self.folder).as_str().to_owned()
    }

    /// The thing directly in the folder that a path of the same input belongs to.
    fn child_of<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        let start = if self.folder.is_empty() {
            0
        } else {
            let rest = path.strip_prefix(self.folder.as_slice())?;
            rest.strip_prefix(b"/")?;
            self.folder.len() + 1
        };
        let rest = path.get(start..).filter(|rest| !rest.is_empty())?;
        let len = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        path.get(..start + len)
    }
}

impl Case {
    /// Notes the roots of an input, and which of them each unit belongs to: an archive is one; a loose file
    /// belongs to the package or repository round it, else to the input.
    pub(super) fn note_roots(
        &self,
        row: &InputRow,
        scope: &FolderScope,
        copies_roots: &[CopiesRoot],
        roots: &mut BTreeMap<String, Root>,
    ) -> Result<(), CaseError> {
        let of_input = copies_roots.iter().filter(|root| root.label == row.label);
        let mut copies_roots: Vec<&CopiesRoot> = of_input.collect();
        // The innermost folder decides.
        copies_roots.sort_by_key(|root| std::cmp::Reverse(root.folder.len()));
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
            let child = copies_roots.iter().find_map(|root| root.child_of(&path));
            let folder = if let Some(child) = child {
                child.to_vec()
            } else if is_archive && git_folder(&path).is_none() {
                path
            } else {
                root_folder(&path, scope, &repositories)
            };
            let at = locator_of(&row.label, &folder);
            let root = roots
                .entry(at.as_str().to_owned())
                .or_insert_with(|| Root::new(&at, row.id, folder));
            root.units.insert(unit);
        }
        Ok(())
    }
}

/// A place that is looked at for copies.
pub(super) struct Root {
    pub(super) hops: Hops,
    /// Number of its input, and its path below that.
    pub(super) input: i64,
    pub(super) folder: Vec<u8>,
    pub(super) units: BTreeSet<i64>,
    /// Where it was got from, and how sure that is; see [`origins`](super::origins).
    pub(super) url: Option<String>,
    pub(super) location: Option<Certainty>,
}

impl Root {
    pub(super) fn new(at: &Locator, input: i64, folder: Vec<u8>) -> Self {
        Self {
            hops: at.hops().clone(),
            input,
            folder,
            units: BTreeSet::new(),
            url: None,
            location: None,
        }
    }
}

/// Whether a store is that of a repository which the user gave as one: its folder is the input, or lies directly in a folder of
/// copies. Anywhere else it lies among other things, and who published those published it with them. A folder that is served to
/// others cannot be told from a clone when it is given by itself; given with the folder above, it is judged.
pub(super) fn is_given_store(label: &str, path: &[u8], copies_roots: &[CopiesRoot]) -> bool {
    let Some(folder) = git_folder(path) else {
        return false;
    };
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    let mut roots = copies_roots.iter().filter(|root| root.label == label);
    folder.is_empty() || roots.any(|root| root.child_of(path) == Some(folder))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_directly_in_a_folder_of_copies_is_one_root() {
        let root = |folder: &[u8]| CopiesRoot {
            label: "in".to_owned(),
            folder: folder.to_vec(),
        };
        assert_eq!(root(b"").child_of(b"a/b/c"), Some(&b"a"[..]));
        assert_eq!(root(b"x/y").child_of(b"x/y/a/b"), Some(&b"x/y/a"[..]));
        assert_eq!(root(b"x/y").child_of(b"x/y/a.tgz"), Some(&b"x/y/a.tgz"[..]));
        for other in [&b"x/y"[..], b"x/yz/a", b"x", b"x/y/"] {
            assert_eq!(root(b"x/y").child_of(other), None);
        }
        assert_eq!(root(b"x/y").locator(), "in/x/y");
    }
}
