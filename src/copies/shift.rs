//! Which folder of a copy stands for the root of the original, or the other way round.
//!
//! Paths of both trees say it: where most files of the copy are called `src/…` as files of the original are called `…`, the
//! original is what stands in `src/`. The folder is taken that brings most files to a path of the other tree; where another
//! brings no more than none at all does, paths stay as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::tree::Tree;

/// Folders of a path that are tried.
const FOLDERS_MAX: usize = 16;

/// How paths of a copy lead to paths of the original.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shift {
    /// The folder of the copy that the original's root is, with its slash; empty where it is the root.
    pub copy: Vec<u8>,
    /// The folder of the original that the copy's root is.
    pub original: Vec<u8>,
}

impl Shift {
    /// The one that brings most files together.
    #[must_use]
    pub fn between(original: &Tree, copy: &Tree) -> Self {
        let paths = copy.files.keys();
        let same = paths
            .filter(|path| original.files.contains_key(*path))
            .count();
        let (in_copy, of_copy) = nearest(copy, original);
        let (in_original, of_original) = nearest(original, copy);
        if in_copy <= same && in_original <= same {
            return Self::default();
        }
        if in_copy >= in_original {
            return Self {
                copy: of_copy,
                original: Vec::new(),
            };
        }
        Self {
            copy: Vec::new(),
            original: of_original,
        }
    }

    /// The path that a file of the copy has in the original; `None` where it stands outside of what that is.
    #[must_use]
    pub fn original_of<'p>(&self, path: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        let path = path.strip_prefix(self.copy.as_slice())?;
        if self.original.is_empty() {
            return Some(Cow::Borrowed(path));
        }
        Some(Cow::Owned([&self.original, path].concat()))
    }

    /// Whether a file of the copy stands where it does in the original.
    #[must_use]
    pub fn is_home(&self, path: &[u8], original: &[u8]) -> bool {
        self.original_of(path)
            .is_some_and(|home| home.as_ref() == original)
    }
}

/// The folder of a tree below which most files are called as files of the other are, and how many; of equals the shortest.
fn nearest(of: &Tree, other: &Tree) -> (usize, Vec<u8>) {
    let mut folders: BTreeMap<&[u8], usize> = BTreeMap::new();
    for path in of.files.keys() {
        // What stands in a container is at home there.
        let end = memchr::memmem::find(path, b"!/").unwrap_or(path.len());
        let slashes = memchr::memchr_iter(b'/', &path[..end]).take(FOLDERS_MAX);
        for at in slashes {
            let (folder, below) = path.split_at(at + 1);
            if other.files.contains_key(below) {
                *folders.entry(folder).or_insert(0) += 1;
            }
        }
    }
    let best = folders
        .into_iter()
        .max_by_key(|(folder, count)| (*count, std::cmp::Reverse((folder.len(), *folder))));
    best.map_or((0, Vec::new()), |(folder, count)| (count, folder.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree {
        Tree::of_files(paths.iter().map(|path| (*path, "")), |_| "text".to_owned())
    }

    fn between(original: &[&str], copy: &[&str]) -> (String, String) {
        let shift = Shift::between(&tree(original), &tree(copy));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(shift.copy), text(shift.original))
    }

    #[test]
    fn the_folder_that_brings_most_files_together_is_found() {
        let none = || (String::new(), String::new());
        let work = ["a.js", "b/c.js", "b/index.js"];
        assert_eq!(between(&work, &work), none());
        let copy = ["package.json", "src/a.js", "src/b/c.js", "src/b/index.js"];
        assert_eq!(between(&work, &copy), ("src/".to_owned(), String::new()));
        assert_eq!(between(&copy, &work), (String::new(), "src/".to_owned()));
        // One file of a usual name is no reason to move all others.
        assert_eq!(
            between(&["a.js", "index.js"], &["a.js", "x/index.js"]),
            none()
        );
        assert_eq!(between(&work, &["x.js"]), none());
        assert_eq!(between(&[], &[]), none());
        assert_eq!(between(&["a"], &["x.zip!/a"]), none());
    }

    #[test]
    fn paths_lead_to_the_original() {
        let shift = Shift {
            copy: b"src/".to_vec(),
            original: b"lib/".to_vec(),
        };
        assert_eq!(shift.original_of(b"src/a").as_deref(), Some(&b"lib/a"[..]));
        assert_eq!(shift.original_of(b"a"), None);
        assert!(shift.is_home(b"src/a", b"lib/a") && !shift.is_home(b"src/a", b"a"));
    }
}
