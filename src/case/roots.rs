//! Roots: where one copy ends and the next begins.
//!
//! A root is a place that people speak of as one thing: an archive, a repository with what is checked out of it, a package, a
//! folder that was given. Every unit belongs to one. Where the user says that a folder holds copies (`--copies-root`), what lies
//! directly in it is one root each, whatever is in it: people keep clones with other clones in them, and unpacked archives
//! in which nothing says what they are. An archive in which several copies lie side by side is as many roots (see
//! [`several`](crate::scan::several)); it stays one itself, for what speaks of it as a whole, and has no row where nothing does.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use super::join::{FolderScope, InputRow};
use super::store::{Case, CaseError, locator_of, put_record};
use crate::blob::Locator;
use crate::blob::locator::unescape;
use crate::record::{Certainty, Hops, Record};
use crate::scan::several::Part;

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
            // A store that nothing could be made of is files: its head tells what it was.
            let head = path.strip_suffix(b"/HEAD".as_slice());
            let bare = head.filter(|folder| folder.ends_with(b".git"));
            let folder =
                git_folder(path).or_else(|| bare.map(|bare| git_folder(bare).unwrap_or(bare)));
            if let Some(folder) = folder {
                repositories.insert(folder.strip_suffix(b"/").unwrap_or(folder).to_vec());
            }
        })?;
        let parts = self.parts_of(row.id)?;
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
            let parts = parts.get(&unit).filter(|_| child.is_none());
            let folder = if let Some(child) = child {
                child.to_vec()
            } else if is_archive && git_folder(&path).is_none() {
                path
            } else {
                root_folder(&path, scope, &repositories)
            };
            let at = locator_of(&row.label, &folder);
            for part in parts.into_iter().flatten() {
                let (at, root) = Root::of_part(part, &at, row.id, &folder, unit);
                roots.insert(at, root);
            }
            let root = roots
                .entry(at.as_str().to_owned())
                .or_insert_with(|| Root::new(&at, row.id, folder));
            root.units.insert(unit);
            root.is_several = parts.is_some();
        }
        Ok(())
    }

    /// Tells of the git folders of an input. A repository that was given as one is no exposure of itself: what is in it may be.
    pub(super) fn place_git_folders(
        &self,
        row: &InputRow,
        copies_roots: &[CopiesRoot],
    ) -> Result<(), CaseError> {
        for (unit, path, record) in self.noted::<Record>(row.id, "git_folder")? {
            if is_given_store(&row.label, &path, copies_roots) {
                continue;
            }
            put_record(&self.db, Some(unit), true, record).map_err(|error| self.wrap(error))?;
        }
        Ok(())
    }

    /// The copies in archives that are several, by unit.
    pub(super) fn parts_of(&self, input: i64) -> Result<BTreeMap<i64, Vec<Part>>, CaseError> {
        let parts = self.noted(input, "parts")?;
        Ok(parts
            .into_iter()
            .map(|(unit, _, parts)| (unit, parts))
            .collect())
    }

    /// What the tallies of an input's units hold under a name, with number and path of each unit that has it.
    ///
    /// # Errors
    ///
    /// The case cannot be read, or holds there what this program did not write.
    fn noted<T: DeserializeOwned>(
        &self,
        input: i64,
        what: &str,
    ) -> Result<Vec<(i64, Vec<u8>, T)>, CaseError> {
        let read = || -> rusqlite::Result<Vec<(i64, Vec<u8>, String)>> {
            let mut query = self.db.prepare(
                "SELECT id, path, tally -> ?2 FROM unit
                 WHERE input = ?1 AND tally -> ?2 IS NOT NULL ORDER BY path",
            )?;
            let values = (input, format!("$.{what}"));
            query
                .query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        };
        let rows = read().map_err(|error| self.wrap(error))?;
        let parsed = rows.into_iter().map(|(unit, path, text)| {
            let damaged = |error| CaseError::Damaged {
                what: format!("{what} of unit {unit}: {error}"),
            };
            let value = serde_json::from_str(&text).map_err(damaged)?;
            Ok((unit, path, value))
        });
        parsed.collect()
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
    /// It is an archive, and its copies are roots of their own.
    pub(super) is_several: bool,
    /// The archive that it is one of several copies in.
    pub(super) archive: Option<String>,
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
            is_several: false,
            archive: None,
        }
    }

    /// One of several copies in an archive, by its locator.
    fn of_part(
        part: &Part,
        archive: &Locator,
        input: i64,
        path: &[u8],
        unit: i64,
    ) -> (String, Self) {
        let folder = unescape(&part.folder).unwrap_or_default();
        let at = archive.folder(&part.kind, &folder);
        let mut root = Self::new(&at, input, [path, b"!/", &folder].concat());
        root.archive = Some(archive.as_str().to_owned());
        root.units.insert(unit);
        (at.as_str().to_owned(), root)
    }

    /// Whether what stands at a locator, in a unit of the root at another one, is the root's.
    pub(super) fn holds(&self, root: &str, locator: &str) -> bool {
        if self.is_several {
            // All that lies in it is one of its copies'.
            return !locator.contains("!/");
        }
        let below = locator.strip_prefix(root);
        self.archive.is_none()
            || below.is_some_and(|below| below.is_empty() || below.starts_with(['/', '!']))
    }
}

/// Whether a store is that of a repository which the user gave as one: its folder is the input, or lies directly in a folder of
/// copies. Anywhere else it lies among other things, and who published those published it with them. A folder that is served to
/// others cannot be told from a clone when it is given by itself; given with the folder above, it is judged.
fn is_given_store(label: &str, path: &[u8], copies_roots: &[CopiesRoot]) -> bool {
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
