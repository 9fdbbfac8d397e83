//! The files of an original or a copy, below one root, whatever they were packed in.
//!
//! Two people who have the same work may have it as a folder, as a tarball that a packer put one more folder round, or as the
//! sources in a map. What can be held against each other is the files, so a tree is a list of files by path, and a path says
//! nothing of what the whole was packed in:
//!
//! - Paths go from the root. Where the root is an archive and one folder stands round everything in it (`package/`,
//!   `name-1.2/`), that folder is the packer's and is left out. Of a folder nothing is left out.
//! - A container below the root is a file, and what it holds are files too, at `outer!/inner`. So a zip that was added is one
//!   more file, and what is in it is told as well.
//! - Of a work tree with a store beside it the files as they are checked out count; of the store only hooks that git would run,
//!   since they are no part of what was committed. Of a store by itself, or a bundle or pack, the files count that stand at the
//!   head of the default branch, by all paths that commits hold them at: a file that was renamed may stand under both names.
//!
//! What could not be read makes the tree incomplete, with a problem that says what and why. Left out: empty folders, links,
//! modes, and what a scan finds inside of texts (`data:` URLs), which are part of their text.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use crate::blob::{Hops, Locator, MemberName, Sha256Digest};
use crate::container::{Effect, Trouble};
use crate::record::{Problem, Standing};
use crate::scan::facts::{Child, Kept, Outcome, Tree as Members};
use crate::sourcemap::resolve_source;

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

impl TreeFile {
    /// Whether what it holds can be held against something: its digest is known.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.sha256.is_some()
    }
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

impl Tree {
    /// A tree of files that are at hand: those of examples, and of tests. `content` says what each is.
    pub(crate) fn of_files<P: Into<Vec<u8>>, B: Into<Vec<u8>>>(
        files: impl IntoIterator<Item = (P, B)>,
        content: impl Fn(&[u8]) -> String,
    ) -> Self {
        let file = |(path, bytes): (P, B)| {
            let (path, bytes): (Vec<u8>, Vec<u8>) = (path.into(), bytes.into());
            let file = TreeFile {
                locator: format!("x/{}", shown_path(&path)),
                hops: Hops::default(),
                sha256: Some(Sha256Digest::of(&bytes)),
                len: bytes.len() as u64,
                content: content(&bytes),
                bytes: Some(Bytes::from(bytes)),
            };
            (path, file)
        };
        Self {
            root: "x".to_owned(),
            files: files.into_iter().map(file).collect(),
            complete: true,
            ..Self::default()
        }
    }

    /// Whether a file is an archive whose members stand below it: its bytes are theirs, and are not counted once more.
    #[must_use]
    pub fn counts_by_members(&self, path: &[u8], file: &TreeFile) -> bool {
        if matches!(file.content.as_str(), "text" | "html" | "source-map") {
            return false;
        }
        let below = [path, HOP].concat();
        let next = self.files.range(below.clone()..).next();
        next.is_some_and(|(path, _)| path.starts_with(&below))
    }

    /// The folder that stands round all files, with its slash. What stands between the members of an archive is in none.
    fn common_folder(&self) -> Option<Vec<u8>> {
        let mut paths = self.files.keys().filter(|path| !is_offset(path));
        let first = paths.next()?;
        let end = memchr::memchr(b'/', first)? + 1;
        let folder = first.get(..end).filter(|folder| !folder.ends_with(HOP))?;
        paths
            .all(|path| path.starts_with(folder))
            .then(|| folder.to_vec())
    }

    fn strip(&mut self, folder: &[u8]) {
        let files = std::mem::take(&mut self.files).into_iter();
        self.files = files
            .map(|(path, file)| match path.strip_prefix(folder) {
                Some(below) => (below.to_vec(), file),
                None => (path, file),
            })
            .collect();
    }
}

/// What was looked for in vain in bytes that are there: they are compared all the same.
pub const READ: [&str; 4] = [
    "carve-limit",
    "no-content",
    "search-limit",
    "settings-unread",
];

/// What stands between a container and its member.
const HOP: &[u8] = b"!/";

/// A path as it is shown: escaped as locators are, container by container.
#[must_use]
pub fn shown_path(path: &[u8]) -> String {
    let mut shown = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = memchr::memmem::find(rest, HOP) {
        shown.push_str(&crate::blob::locator::escape(&rest[..at]));
        shown.push_str("!/");
        rest = &rest[at + HOP.len()..];
    }
    shown.push_str(&crate::blob::locator::escape(rest));
    shown
}

/// A tree that was read, and what was not.
#[derive(Debug, Default)]
pub struct Reading {
    /// The files.
    pub tree: Tree,
    /// What kept some of them from being read.
    pub problems: Vec<Problem>,
    /// Files that were not read as a whole, or are not held.
    pub unread: u64,
}

/// Contents that are held already, which a second tree need not hold once more.
pub type Held = HashMap<Sha256Digest, Bytes>;

/// Puts a tree together, file after file.
pub struct Gatherer<'h> {
    reading: Reading,
    held: Option<&'h Held>,
    /// Bytes that may still be held, and how many were not.
    room: u64,
    beyond: u64,
    /// The last number that a path of several files was given.
    numbers: HashMap<Vec<u8>, u64>,
    /// The root is an archive, so that a folder round everything is its packer's.
    is_archive: bool,
}

impl<'h> Gatherer<'h> {
    /// Begins a tree at a root. Of its contents `room` bytes may be held, beside those that are held already.
    #[must_use]
    pub fn new(root: &Locator, room: u64, held: Option<&'h Held>) -> Self {
        Self {
            reading: Reading {
                tree: Tree {
                    root: root.as_str().to_owned(),
                    hops: root.hops().clone(),
                    files: BTreeMap::new(),
                    complete: true,
                },
                ..Reading::default()
            },
            held,
            room,
            beyond: 0,
            numbers: HashMap::new(),
            is_archive: false,
        }
    }

    /// Takes a file that stands at `path` below the root, and what is in it.
    pub fn take(&mut self, child: &Child, at: &Locator, path: &[u8]) {
        match &child.facts.tree {
            Some(store) if is_of_git(store) => self.take_store(child, store, at, path),
            _ => self.take_at(child, at, path.to_vec()),
        }
    }

    /// Takes the file that the root is: its members, where it is a container, else itself. `name` is what it is called.
    pub fn take_root(&mut self, child: &Child, at: &Locator, name: &[u8]) {
        let is_part_of_text = |tree: &Members| tree.is_inside() && tree.map.is_none();
        let tree = child.facts.tree.as_ref();
        let Some(tree) = tree.filter(|tree| tree.entries() > 0 && !is_part_of_text(tree)) else {
            self.take_at(child, at, name.to_vec());
            return;
        };
        self.is_archive = tree.map.is_none() && !is_of_git(tree);
        self.note(child, at);
        if is_of_git(tree) {
            self.take_head(tree, at, b"");
            return;
        }
        for member in &tree.children {
            let at = at.member(&tree.kind, &member.name, member.ordinal);
            let path = match &member.source {
                // A map that stands alone says by its sources' names where they lay.
                Some(meta) => {
                    let source = meta.name.as_deref().unwrap_or_default();
                    resolve_source(name, meta.source_root.as_deref(), source)
                }
                // The one member of a compressed stream has no name.
                None => match &member.name {
                    MemberName::Offset(offset) => format!("@{offset}").into_bytes(),
                    MemberName::Named(of_stream) if of_stream.is_empty() => stem(name).to_vec(),
                    MemberName::Named(name) => name.clone(),
                },
            };
            self.take_at(member, &at, path);
        }
    }

    /// Takes a store that stands by itself among other files: what is at its head, below it.
    pub fn take_bare(&mut self, child: &Child, at: &Locator, path: &[u8]) {
        self.note(child, at);
        if let Some(tree) = &child.facts.tree {
            self.take_head(tree, at, &[path, HOP].concat());
        }
    }

    /// Takes what the store beside a work tree has that nobody committed.
    fn take_store(&mut self, child: &Child, tree: &Members, at: &Locator, path: &[u8]) {
        self.note(child, at);
        for member in &tree.children {
            if is_active_hook(member.name.bytes()) && member.git.is_none() {
                let at = at.member(&tree.kind, &member.name, member.ordinal);
                let path = [path, b"/", member.name.bytes()].concat();
                self.take_at(member, &at, path);
            }
        }
    }

    /// Takes the files of a store at the head of its default branch.
    fn take_head(&mut self, tree: &Members, at: &Locator, above: &[u8]) {
        for member in &tree.children {
            let Some(git) = member.git.as_deref().filter(|git| git.kind == "blob") else {
                continue;
            };
            // Without names nobody knows what stands where: everything does.
            let is_at_head = git
                .standing
                .is_none_or(|standing| standing == Standing::DefaultBranchHead);
            if !is_at_head {
                continue;
            }
            let at = at.member(&tree.kind, &member.name, member.ordinal);
            for path in &git.paths {
                self.take_at(member, &at, [above, path].concat());
            }
        }
    }

    /// Takes an entry and, below it, its members. One stack frame a level; levels are bounded by the limits of the scan.
    fn take_at(&mut self, child: &Child, at: &Locator, path: Vec<u8>) {
        if child.outcome() == Outcome::Skipped("no-content") {
            return;
        }
        let known = self.reading.problems.len();
        self.note(child, at);
        let path = self.free(path);
        let file = self.file(child, at);
        let is_lost = self.reading.problems.len() > known;
        let is_held = file.bytes.is_some() || child.facts.tree.is_some();
        self.reading.unread += u64::from(is_lost || file.sha256.is_none() || !is_held);
        let below = path.clone();
        self.reading.tree.files.insert(path, file);
        let Some(tree) = &child.facts.tree else {
            return;
        };
        if is_of_git(tree) || (tree.is_inside() && !holds_sources(tree)) {
            return;
        }
        for member in &tree.children {
            let at = at.member(&tree.kind, &member.name, member.ordinal);
            let name = match &member.name {
                MemberName::Named(name) => name.clone(),
                MemberName::Offset(offset) => format!("@{offset}").into_bytes(),
            };
            if member.facts.tree.as_ref().is_some_and(is_of_git) {
                let path = [&below, HOP, &name].concat();
                if let Some(store) = &member.facts.tree {
                    self.take_store(member, store, &at, &path);
                }
                continue;
            }
            self.take_at(member, &at, [&below, HOP, &name].concat());
        }
    }

    /// A path that no file has yet: the second of a name gets a number, as in locators.
    fn free(&mut self, path: Vec<u8>) -> Vec<u8> {
        let files = &self.reading.tree.files;
        if !files.contains_key(&path) {
            return path;
        }
        // Counted on from the last one: an archive may have a million members of one name.
        let last = self.numbers.entry(path.clone()).or_insert(1);
        loop {
            *last += 1;
            let numbered = [&path[..], format!("#{last}").as_bytes()].concat();
            if !files.contains_key(&numbered) {
                return numbered;
            }
        }
    }

    fn file(&mut self, child: &Child, at: &Locator) -> TreeFile {
        let known = child.sha256.and_then(|sha256| self.held?.get(&sha256));
        let bytes = match (known, &child.kept) {
            (Some(bytes), _) => Some(bytes.clone()),
            // A large archive stands for its members; anything else was too large to be held.
            (None, None) => {
                let is_leaf = child.facts.tree.is_none() && child.sha256.is_some();
                self.beyond += u64::from(is_leaf);
                None
            }
            (None, Some(_)) if child.len > self.room => {
                self.beyond += 1;
                None
            }
            (None, Some(kept)) => {
                self.room -= child.len;
                Some(match kept {
                    Kept::Whole(bytes) => bytes.clone(),
                    written => Bytes::from(written.bytes().into_owned()),
                })
            }
        };
        TreeFile {
            locator: at.as_str().to_owned(),
            hops: at.hops().clone(),
            sha256: child.sha256,
            len: child.len,
            content: child.facts.kind.clone(),
            bytes,
        }
    }

    /// Notes what kept an entry from being read.
    fn note(&mut self, child: &Child, at: &Locator) {
        for trouble in child.trouble.iter().chain(&child.facts.troubles) {
            self.note_trouble(trouble, at);
        }
    }

    /// Notes something that was not read.
    pub fn note_trouble(&mut self, trouble: &Trouble, at: &Locator) {
        if trouble.effect == Effect::Odd || READ.contains(&trouble.code.as_ref()) {
            return;
        }
        self.reading.tree.complete = false;
        self.reading.problems.push(Problem {
            code: trouble.code.clone().into_owned(),
            locator: at.as_str().to_owned(),
            hops: at.hops().clone(),
            detail: trouble.detail.clone(),
            bytes_unread: trouble.unread,
        });
    }

    /// The tree.
    #[must_use]
    pub fn finish(mut self) -> Reading {
        if self.is_archive
            && let Some(folder) = self.reading.tree.common_folder()
        {
            self.reading.tree.strip(&folder);
        }
        if self.beyond > 0 {
            self.reading.tree.complete = false;
            self.reading.problems.push(Problem {
                code: "memory-limit".to_owned(),
                locator: self.reading.tree.root.clone(),
                hops: self.reading.tree.hops.clone(),
                detail: format!(
                    "{} files were larger, or more, than may be held: whether they are equal is known, not what is in them; raise --memory",
                    self.beyond
                ),
                bytes_unread: None,
            });
        }
        self.reading
    }
}

/// Whether members are objects of git.
fn is_of_git(tree: &Members) -> bool {
    tree.kind == "git" || tree.kind.starts_with("git-")
}

/// Whether sources stand in it: it is a map, or a text that carries one.
fn holds_sources(tree: &Members) -> bool {
    tree.map.is_some()
        || tree.children.iter().any(|member| {
            let tree = member.facts.tree.as_ref();
            tree.is_some_and(|tree| tree.map.is_some())
        })
}

/// Whether git would run this file of its directory.
#[must_use]
pub fn is_active_hook(path: &[u8]) -> bool {
    let name = path.strip_prefix(b"hooks/");
    name.is_some_and(|name| !name.is_empty() && !name.ends_with(b".sample"))
}

/// Whether a path is what stands for a member without a name: `@` and where it begins.
fn is_offset(path: &[u8]) -> bool {
    let digits = path.strip_prefix(b"@");
    digits.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// A name without its last extension: what the one member of a compressed stream is called.
fn stem(name: &[u8]) -> &[u8] {
    match memchr::memrchr(b'.', name) {
        Some(at @ 1..) => &name[..at],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree {
        Tree::of_files(paths.iter().map(|path| (*path, "")), |_| "zip".to_owned())
    }

    #[test]
    fn a_folder_round_everything_is_found() {
        let folder = |paths: &[&str]| tree(paths).common_folder();
        assert_eq!(folder(&["r/a.js", "r/src/b.js"]), Some(b"r/".to_vec()));
        // The comment of a zip is in no folder.
        assert_eq!(folder(&["@123", "r/a.js"]), Some(b"r/".to_vec()));
        assert_eq!(folder(&["r/a.js", "s/b.js"]), None);
        assert_eq!(folder(&["x.zip!/a", "x.zip!/b"]), None);
        assert_eq!(folder(&[]), None);
    }

    #[test]
    fn an_archive_counts_by_what_is_in_it() {
        let tree = tree(&["a", "a!/b", "a.js"]);
        let counts =
            |path: &str| tree.counts_by_members(path.as_bytes(), &tree.files[path.as_bytes()]);
        assert!(counts("a"));
        assert!(!counts("a!/b") && !counts("a.js"));
    }

    #[test]
    fn paths_are_shown_container_by_container() {
        assert_eq!(shown_path(b"a.zip!/x\x1b[1m"), "a.zip!/x%1B[1m");
        assert_eq!(shown_path(b"plain/x.js"), "plain/x.js");
    }

    #[test]
    fn hooks_that_git_runs() {
        assert!(is_active_hook(b"hooks/pre-commit"));
        assert!(!is_active_hook(b"hooks/pre-commit.sample"));
        assert!(!is_active_hook(b"config"));
    }
}
