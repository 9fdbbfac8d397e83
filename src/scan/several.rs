//! Archives that hold several copies side by side.
//!
//! People pack a folder of clones into one file. What lies in it is then as many copies as if the folder had been given, and
//! each has its own origin, its own class and its own share. But most archives with many manifests are one thing: a
//! repository with the packages of a workspace, or a package with what it depends on. So the rule asks for much:
//!
//! - From the folder that everything stands in, the archive's own or one within that stands round all of it, go on to what
//!   stands directly in it. Each of these, and there are two or more, is a folder that has a manifest or a git store in it, or is
//!   a store itself.
//! - Nothing stands beside them: no file, and no other folder. A workspace has a manifest, a README or a licence there.
//! - One of them is a store, or two of the packages have one name: those of a workspace have names of their own.
//! - The archive was read to its end.
//! - The folder is not `node_modules`, nor lies in one: what a package depends on belongs to it.
//!
//! Any other archive is one copy. Archives within an archive are no copies of their own, and images, captures and stores
//! are one thing each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::facts::Tree;
use super::files::{Count, FileTally};
use super::packages::PackageIndex;

/// One of several copies in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The word for the archive's format in hops.
    pub kind: String,
    /// Its folder, or the store that it is, as members are called; escaped.
    pub folder: String,
    /// Its files.
    pub files: FileTally,
    /// How many bytes those have that match nothing, is not known.
    pub lacks_bytes: bool,
}

/// The copies in an archive, while what is in it is placed.
pub(super) struct Several {
    /// The folder that they stand in, with its slash.
    round: Vec<u8>,
    /// What they are called there.
    names: BTreeMap<Vec<u8>, usize>,
    tallies: Vec<FileTally>,
}

impl Several {
    /// The copies of an archive that is more than one.
    pub(super) fn of(tree: &Tree, packages: &PackageIndex) -> Option<Self> {
        if tree.is_inside() || tree.holds_objects() || tree.is_capture() {
            return None;
        }
        let stores = tree.children.iter().filter(|child| {
            let tree = child.facts.tree.as_ref();
            tree.is_some_and(Tree::is_git_store)
        });
        let mut folders = tree.folders.clone();
        let heads = packages.iter().map(|(folder, _)| folder.to_vec());
        let mut heads: BTreeSet<Vec<u8>> = heads.collect();
        let mut has_store = false;
        for store in stores {
            has_store = true;
            let path = store.name.bytes();
            if let Some(count) = folders.get_mut(folder_of(path)) {
                count.files = count.files.saturating_sub(1);
            }
            // One that is called `.git` belongs to the folder that it stands in.
            let head = match path.strip_suffix(b"/.git".as_slice()) {
                Some(folder) => folder,
                None => path,
            };
            folders.insert(head.to_vec(), Count { files: 1, bytes: 0 });
            heads.insert(head.to_vec());
        }
        folders.retain(|_, count| count.files > 0);
        let round = round_all(&folders)?;
        if folders.contains_key(folder_of(&round)) || in_modules(&round) {
            return None;
        }
        let mut names = BTreeMap::new();
        for folder in folders.keys() {
            let name = first_name(folder.get(round.len()..)?);
            if !heads.contains(&[&round, name].concat()) {
                return None;
            }
            let number = names.len();
            names.entry(name.to_vec()).or_insert(number);
        }
        // Packages of a workspace have names of their own; clones of one work share one.
        let direct = packages.iter().filter(|(folder, _)| {
            let rest = folder.get(round.len()..);
            rest.is_some_and(|rest| names.contains_key(rest))
        });
        let mut seen = BTreeSet::new();
        let mut direct = direct.map(|(_, manifest)| manifest.name.as_str());
        if !has_store && direct.all(|name| seen.insert(name)) {
            return None;
        }
        (names.len() > 1).then(|| Self {
            round,
            tallies: vec![FileTally::default(); names.len()],
            names,
        })
    }

    /// The number of the copy that a member belongs to.
    pub(super) fn number_of(&self, path: &[u8]) -> Option<usize> {
        let name = first_name(path.strip_prefix(self.round.as_slice())?);
        self.names.get(name).copied()
    }

    /// Counts the files of a member.
    pub(super) fn add(&mut self, number: usize, files: FileTally) {
        if let Some(tally) = self.tallies.get_mut(number) {
            tally.unite(files);
        }
    }

    /// The copies, with the members that have nothing to tell counted.
    pub(super) fn finish(mut self, tree: &Tree) -> Vec<Part> {
        let mut plain = vec![Count::default(); self.tallies.len()];
        let mut lacks_bytes = vec![false; self.tallies.len()];
        for (folder, count) in &tree.folders {
            if let Some(slot) = self.number_of(folder).and_then(|it| plain.get_mut(it)) {
                slot.add(*count);
            }
        }
        for child in &tree.children {
            let number = self.number_of(child.name.bytes());
            if let Some(slot) = number.and_then(|it| plain.get_mut(it)) {
                slot.files = slot.files.saturating_sub(1);
                // Those of a store were not counted.
                let is_store = child.facts.tree.as_ref().is_some_and(Tree::is_git_store);
                let counted = if is_store { 0 } else { child.len };
                slot.bytes = slot.bytes.saturating_sub(counted);
            }
            // It may have been counted before it could not be read.
            let is_lost = (child.trouble.as_ref())
                .is_some_and(|trouble| child.key.is_none() && trouble.code == "unreadable");
            if let Some(lacks) = number.and_then(|it| lacks_bytes.get_mut(it)) {
                *lacks |= is_lost;
            }
        }
        let parts = self.names.into_iter().map(|(name, number)| {
            let mut files = self
                .tallies
                .get_mut(number)
                .map(std::mem::take)
                .unwrap_or_default();
            let plain = plain.get(number).copied().unwrap_or_default();
            files.add_plain(plain.files, plain.bytes);
            Part {
                lacks_bytes: lacks_bytes.get(number).copied().unwrap_or_default(),
                kind: tree.kind.clone(),
                folder: crate::blob::locator::escape(&[&self.round[..], &name].concat()),
                files,
            }
        });
        parts.collect()
    }
}

/// The folder that stands round all others, with its slash; nothing where there is none but the archive.
fn round_all(folders: &BTreeMap<Vec<u8>, Count>) -> Option<Vec<u8>> {
    let (first, last) = (folders.keys().next()?, folders.keys().next_back()?);
    let is_within = |path: &Vec<u8>| {
        let below = path.strip_prefix(first.as_slice());
        below.is_some_and(|below| below.is_empty() || below.starts_with(b"/"))
    };
    // What stands round another folder sorts before it. But so does `a-b` before `a/b`: each is asked.
    if !first.is_empty() && folders.keys().all(is_within) {
        return Some([first, &b"/"[..]].concat());
    }
    // What the outermost two have in common all have.
    let pairs = first.iter().zip(last);
    let common = pairs.take_while(|(a, b)| a == b).count();
    let end = memchr::memrchr(b'/', first.get(..common)?).map_or(0, |at| at + 1);
    first.get(..end).map(<[u8]>::to_vec)
}

/// The folder that a path stands in; of a folder with its slash, that folder.
fn folder_of(path: &[u8]) -> &[u8] {
    path.get(..memchr::memrchr(b'/', path).unwrap_or(0))
        .unwrap_or_default()
}

fn first_name(path: &[u8]) -> &[u8] {
    path.split(|&byte| byte == b'/').next().unwrap_or_default()
}

fn in_modules(folder: &[u8]) -> bool {
    folder
        .split(|&byte| byte == b'/')
        .any(|name| name == b"node_modules")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::Manifest;

    fn names(folders: &[&str], manifests: &[&str]) -> Vec<String> {
        let tree = Tree {
            kind: "zip".to_owned(),
            folders: folders
                .iter()
                .map(|folder| (folder.as_bytes().to_vec(), Count { files: 2, bytes: 7 }))
                .collect(),
            ..Tree::default()
        };
        let manifests = manifests.iter();
        let manifest = Manifest::from_npm(b"{\"name\": \"x\", \"version\": \"1.0.0\"}").unwrap();
        let packages = PackageIndex::new(
            manifests.map(|folder| (folder.as_bytes().to_vec(), manifest.clone())),
        );
        let parts = Several::of(&tree, &packages).map(|several| several.finish(&tree));
        let parts = parts.unwrap_or_default().into_iter();
        parts
            .map(|part| {
                assert_eq!(part.files.other.bytes * 2, part.files.other.files * 7);
                format!("{} {}", part.folder, part.files.other.files)
            })
            .collect()
    }

    #[test]
    fn folders_with_manifests_and_nothing_beside_are_copies() {
        assert_eq!(names(&["a", "a/src", "b"], &["a", "b"]), ["a 4", "b 2"]);
        // A name that another one begins with, and a dash, which sorts before a slash.
        assert_eq!(
            names(&["a/src", "a-b", "ab", "a"], &["a", "a-b", "ab"]),
            ["a 4", "a-b 2", "ab 2"]
        );
        assert_eq!(
            names(&["x/a", "x/a/src", "x/a-main"], &["x/a", "x/a-main"]),
            ["x/a 4", "x/a-main 2"]
        );
        assert_eq!(
            names(
                &["in/dumps/a", "in/dumps/b/x"],
                &["in/dumps/a", "in/dumps/b"]
            ),
            ["in/dumps/a 2", "in/dumps/b 2"]
        );
    }

    #[test]
    fn anything_else_is_one() {
        for (folders, manifests) in [
            // A package, and a workspace, in the folder that its packer put round it.
            (&["package", "package/src"][..], &["package"][..]),
            (
                &["r", "r/packages/a", "r/packages/b"],
                &["r", "r/packages/a", "r/packages/b"],
            ),
            // A workspace whose root has no manifest, but a licence.
            (&["r", "r/a", "r/b"], &["r/a", "r/b"]),
            (&["", "a", "b"], &["a", "b"]),
            // A folder that has none stands beside.
            (&["a", "b", "docs"], &["a", "b"]),
            (
                &["packages/a", "packages/b", "tools"],
                &["packages/a", "packages/b"],
            ),
            // One alone.
            (&["x/a", "x/a/b"], &["x/a"]),
            (
                &["node_modules/a", "node_modules/b"],
                &["node_modules/a", "node_modules/b"],
            ),
            (&[""], &[]),
            (&[], &[]),
        ] {
            assert_eq!(
                names(folders, manifests),
                Vec::<String>::new(),
                "{folders:?}"
            );
        }
    }
}
