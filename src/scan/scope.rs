//! What stands beside an entry: the package round it, other entries by their paths, scripts that lead to a map.
//!
//! Of a container its facts tell all of it (`TreeScope`); of a folder of loose files the case does.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::facts::{Child, Facts, LinkFact, Tree, name_number};
use super::gates::{self, Script};
use super::packages::{PackageIndex, manifest_folder, manifest_of};
use crate::blob::{Locator, MemberName};
use crate::exposure::Manifest;
use crate::sourcemap;

/// The packages of one scope (a container, or an input folder), and what stands beside an entry.
pub trait Scope {
    /// The folder of the package that a path belongs to, and its manifest.
    fn package_of(&self, path: &[u8]) -> Option<(&[u8], &Manifest)>;

    /// The locator of the entry at this path, if there is one.
    fn find(&self, path: &[u8]) -> Option<String>;

    /// The locator of what a link in the entry at `path` leads to, if that is there.
    fn follow(&self, path: &[u8], link: &LinkFact) -> Option<String> {
        self.find(&path_of_link(path, link)?)
    }

    /// The script at this path, if it is one that leads to the map at the locator `map`.
    fn script_of(&self, path: &[u8], map: &str) -> Option<Script>;

    /// Whether a script with a map that stands here has a name of this number.
    fn has_name(&self, number: u32) -> bool;
}

/// The path that a link in the entry at `path` leads to.
fn path_of_link(path: &[u8], link: &LinkFact) -> Option<Vec<u8>> {
    if let Some(beside) = &link.beside {
        return Some([store_above(path)?, beside].concat());
    }
    (link.kind == crate::record::ReferenceKind::File)
        .then(|| sourcemap::resolve_link(path, &link.target))
        .flatten()
}

/// The root of the package store that a file which names packages lies in, with the slash at its end.
fn store_above(path: &[u8]) -> Option<&[u8]> {
    // npm's cache, and pnpm's store: since its eleventh version, in its tenth, and before that.
    let folders: [&[u8]; 4] = [b"index-v5/", b"index.db", b"index/", b"files/"];
    folders.iter().find_map(|folder| {
        let at = memchr::memmem::rfind(path, folder)?;
        let root = &path[..at];
        (root.is_empty() || root.ends_with(b"/")).then_some(root)
    })
}

/// A container as a scope.
pub(super) struct TreeScope<'a> {
    pub(super) packages: PackageIndex,
    names: &'a [u64],
    at: &'a Locator,
    kind: &'a str,
    /// Of a capture of traffic, the URLs of the maps in it, each with the first member that holds one.
    captured: Option<HashMap<String, &'a Child>>,
    /// Of a git store, objects by the paths at which commits hold them, each with the first one.
    by_path: Option<HashMap<&'a [u8], &'a Child>>,
    tree: &'a Tree,
    /// Members that are scripts which lead to maps, by their paths.
    scripts: OnceCell<HashMap<&'a [u8], &'a Child>>,
    /// Numbers of the names in all of those, sorted.
    all_names: OnceCell<Vec<u32>>,
}

impl<'a> TreeScope<'a> {
    pub(super) fn new(tree: &'a Tree, at: &'a Locator) -> Self {
        let manifests = tree.children.iter().filter_map(|child| {
            let folder = manifest_folder(child.name.bytes())?;
            Some((folder.to_vec(), manifest_of(&child.facts)?.clone()))
        });
        Self {
            packages: PackageIndex::new(manifests),
            names: &tree.names,
            at,
            kind: &tree.kind,
            captured: tree.is_capture().then(|| captured_maps(tree)),
            by_path: by_path(tree),
            tree,
            scripts: OnceCell::new(),
            all_names: OnceCell::new(),
        }
    }

    fn scripts(&self) -> &HashMap<&'a [u8], &'a Child> {
        self.scripts.get_or_init(|| {
            let members = self.tree.children.iter();
            let scripts = members.filter(|child| gates::is_read(child));
            scripts
                .map(|child| (self.tree.path_of(child), child))
                .collect()
        })
    }
}

/// Objects of a git store by path; `None` where it is none. A path may have held many; which of them a script of some
/// commit led to is not asked, only whether there was one.
fn by_path(tree: &Tree) -> Option<HashMap<&[u8], &Child>> {
    let mut found = HashMap::new();
    for child in &tree.children {
        for path in child.git.iter().flat_map(|git| &git.paths) {
            found.entry(path.as_slice()).or_insert(child);
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The maps of a capture by their URLs. A server that does not have a map often answers with a page in its place, so
/// that a URL by itself says nothing: what was captured there has to be a map.
fn captured_maps(tree: &Tree) -> HashMap<String, &Child> {
    let mut maps = HashMap::new();
    for child in tree.children.iter().filter(|child| holds_map(&child.facts)) {
        if let Some(url) = sourcemap::captured_url(child.name.bytes()) {
            maps.entry(url).or_insert(child);
        }
    }
    maps
}

/// Whether content is a map, or a compressed stream of one.
fn holds_map(mut facts: &Facts) -> bool {
    while let (None, Some(tree)) = (facts.as_map(), &facts.tree) {
        match &tree.children[..] {
            [only] if facts.is_archive() && tree.entries() == 1 => facts = &only.facts,
            _ => return false,
        }
    }
    facts.as_map().is_some()
}

impl Scope for TreeScope<'_> {
    fn package_of(&self, path: &[u8]) -> Option<(&[u8], &Manifest)> {
        self.packages.package_of(path)
    }

    fn find(&self, path: &[u8]) -> Option<String> {
        if let Some(child) = self.by_path.as_ref().and_then(|by_path| by_path.get(path)) {
            let locator = self.at.member(self.kind, &child.name, child.ordinal);
            return Some(locator.as_str().to_owned());
        }
        self.names.binary_search(&name_number(path)).ok()?;
        let name = MemberName::Named(path.to_vec());
        let locator = self.at.member(self.kind, &name, 1);
        Some(locator.as_str().to_owned())
    }

    fn follow(&self, path: &[u8], link: &LinkFact) -> Option<String> {
        let Some(captured) = &self.captured else {
            return self.find(&path_of_link(path, link)?);
        };
        let url = sourcemap::resolve_captured(path, &link.target)?;
        let map = captured.get(&url)?;
        let locator = self.at.member(self.kind, &map.name, map.ordinal);
        Some(locator.as_str().to_owned())
    }

    fn script_of(&self, path: &[u8], map: &str) -> Option<Script> {
        let child = self.scripts().get(path)?;
        let mut links = child.links.iter().chain(&child.facts.links);
        let leads = links.any(|link| self.follow(path, link).as_deref() == Some(map));
        let at = self.at.member(self.kind, &child.name, child.ordinal);
        leads.then(|| Script::of(child, &at)).flatten()
    }

    fn has_name(&self, number: u32) -> bool {
        let all = self.all_names.get_or_init(|| {
            gates::joined(
                self.scripts()
                    .values()
                    .map(|child| child.facts.names.clone()),
            )
        });
        all.binary_search(&number).is_ok()
    }
}
