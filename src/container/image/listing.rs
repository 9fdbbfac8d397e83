//! What stands in a layer: enough to tell what it hides of the layers below it.
//!
//! Names are kept as numbers, 8 bytes each, and only of tars that are called as layers are. A whiteout (OCI image-spec 1.1,
//! "Layer Filesystem Changeset") is a file `.wh.NAME`, which takes `NAME` away, or `.wh..wh..opq`, which takes all of
//! its folder away that the layers below put there. Neither says anything of its own layer. In one tar the last entry
//! of a name counts.
//!
//! A git directory is one member of an archive here, and counts as a folder: what a later layer changes within it is not
//! told of its objects.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{folders_of, number, plain_path};

/// What names of whiteouts begin with.
const WHITEOUT: &[u8] = b".wh.";
/// What a folder holds whose content in lower layers is hidden.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// A symbolic link with a longer target leads nowhere (PATH_MAX of Linux); bytes.
const TARGET_MAX: usize = 4096;

/// What stands in a layer, as numbers of plain paths; each list is sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// What is no folder: files, links, devices.
    pub files: Vec<u64>,
    /// Folders, also those that only paths speak of.
    pub folders: Vec<u64>,
    /// What it takes away.
    pub removed: Vec<u64>,
    /// Folders of which it takes away everything below.
    pub opaque: Vec<u64>,
    /// Of names that stand in it more than once, the entry that counts.
    pub last: Vec<Last>,
    /// Symbolic links.
    pub links: Vec<Link>,
    /// All of it is known.
    pub is_whole: bool,
}

/// A symbolic link, as numbers of plain paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    /// Where it stands.
    pub path: u64,
    /// Where it leads to.
    pub target: u64,
    /// The folders on the way there.
    pub through: Vec<u64>,
}

/// The last entry of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Last {
    /// The path.
    pub path: u64,
    /// The number of the name as it is written; 0 where the entry is no member.
    pub written: u64,
    /// Which member of that name it is, from 1.
    pub ordinal: u32,
}

/// Notes what stands in a layer while that is walked.
#[derive(Debug, Default)]
pub struct Lister {
    files: HashMap<u64, Last>,
    again: Vec<u64>,
    folders: Vec<u64>,
    folder: Vec<u8>,
    removed: Vec<u64>,
    opaque: Vec<u64>,
    links: Vec<Link>,
}

impl Lister {
    /// Notes a member: the `ordinal`th of its name.
    pub fn member(&mut self, name: &[u8], ordinal: u32) {
        let path = plain_path(name);
        self.note_folders(&path);
        if !self.note_whiteout(&path) {
            self.note(&path, number(name), ordinal);
        }
    }

    /// Notes a link or a device.
    pub fn other(&mut self, name: &[u8]) {
        let path = plain_path(name);
        self.note_folders(&path);
        if !self.note_whiteout(&path) {
            self.note(&path, 0, 0);
        }
    }

    /// Notes a symbolic link.
    pub fn link(&mut self, name: &[u8], target: &[u8]) {
        self.other(name);
        // A longer one leads nowhere.
        if target.len() <= TARGET_MAX {
            let target = super::link_target(name, target);
            self.links.push(Link {
                path: number(&plain_path(name)),
                target: number(&target),
                through: folders_of(&target).map(number).collect(),
            });
        }
    }

    /// Notes a folder.
    pub fn folder(&mut self, name: &[u8]) {
        let path = plain_path(name);
        self.note_folders(&path);
        if !self.note_whiteout(&path) {
            self.folders.push(number(&path));
        }
    }

    /// Notes what a path takes away; `false` where it is called otherwise. What stands there besides its name does not
    /// matter: engines ask for no more.
    fn note_whiteout(&mut self, path: &[u8]) -> bool {
        let own = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let folder = &path[..path.len().saturating_sub(own.len() + 1)];
        if own == OPAQUE {
            self.opaque.push(number(folder));
            return true;
        }
        let Some(hidden) = own.strip_prefix(WHITEOUT) else {
            return false;
        };
        // Names of an engine's own begin with the same twice (`.wh..wh.plnk`).
        if !hidden.starts_with(WHITEOUT) {
            let slash: &[u8] = if folder.is_empty() { b"" } else { b"/" };
            self.removed.push(number(&[folder, slash, hidden].concat()));
        }
        true
    }

    fn note(&mut self, path: &[u8], written: u64, ordinal: u32) {
        let path = number(path);
        let last = Last {
            path,
            written,
            ordinal,
        };
        if self.files.insert(path, last).is_some() {
            self.again.push(path);
        }
    }

    /// Notes the folders that a path lies in; neighbours mostly share them.
    fn note_folders(&mut self, path: &[u8]) {
        let folder = folders_of(path).next().unwrap_or_default();
        if folder == self.folder {
            return;
        }
        self.folder = folder.to_vec();
        if !folder.is_empty() {
            self.folders.push(number(folder));
            self.folders.extend(folders_of(folder).map(number));
        }
    }

    /// What was noted, and whether that is all there is.
    pub fn finish(self, is_whole: bool) -> Listing {
        let sorted = |mut numbers: Vec<u64>| {
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let last = sorted(self.again);
        let mut links = self.links;
        links.sort_unstable();
        links.dedup();
        Listing {
            last: last
                .iter()
                .filter_map(|path| self.files.get(path).copied())
                .collect(),
            files: sorted(self.files.into_keys().collect()),
            folders: sorted(self.folders),
            removed: sorted(self.removed),
            opaque: sorted(self.opaque),
            links,
            is_whole,
        }
    }
}

impl Listing {
    /// Whether a member is what stands at its path in this layer, or another one behind it took its place.
    pub fn is_last(&self, path: u64, written: &[u8], ordinal: u32) -> bool {
        let found = self.last.binary_search_by_key(&path, |last| last.path);
        found.is_err() || {
            let last = &self.last[found.unwrap_or_default()];
            (last.written, last.ordinal) == (number(written), ordinal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiteouts_are_no_files() {
        let mut lister = Lister::default();
        lister.folder(b"./etc/");
        lister.member(b"etc/.wh.shadow", 1);
        lister.member(b".wh.top", 1);
        lister.member(b"var/.wh..wh..opq", 1);
        lister.member(b".wh..wh.plnk", 1);
        lister.other(b"lib");
        lister.link(b"opt/.wh.link", b"x");
        lister.folder(b"opt/.wh.folder/");
        lister.other(b"srv/.wh..wh..opq");
        let listing = lister.finish(true);
        let sorted = |mut numbers: Vec<u64>| {
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(listing.files, [number(b"lib")]);
        assert_eq!(
            listing.removed,
            sorted(vec![
                number(b"etc/shadow"),
                number(b"top"),
                number(b"opt/link"),
                number(b"opt/folder")
            ])
        );
        assert_eq!(listing.opaque, sorted(vec![number(b"var"), number(b"srv")]));
        assert_eq!(
            listing.folders,
            sorted([&b"etc"[..], b"var", b"opt", b"srv"].map(number).to_vec())
        );
    }

    #[test]
    fn the_last_entry_of_a_name_counts() {
        let mut lister = Lister::default();
        lister.member(b"a", 1);
        lister.member(b"b", 1);
        lister.member(b"a", 2);
        lister.member(b"c", 1);
        lister.other(b"./c");
        let listing = lister.finish(true);
        assert!(!listing.is_last(number(b"a"), b"a", 1));
        assert!(listing.is_last(number(b"a"), b"a", 2));
        assert!(listing.is_last(number(b"b"), b"b", 1));
        assert!(!listing.is_last(number(b"c"), b"c", 1));
    }
}
