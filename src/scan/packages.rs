//! The packages of a scope: which of them a path belongs to, and what is counted of each.
//!
//! A scope is a container or an input folder. Its manifests say where packages begin; a file belongs to the innermost one
//! round it.

use std::collections::{BTreeMap, HashMap};

use super::facts::{Facts, Tree};
use super::parts::Parts;
use crate::exposure::{self, Manifest, RawSources, Trait};
use crate::record::{Party, SourceCounts};

/// Packages by folder.
#[derive(Debug, Default)]
pub struct PackageIndex {
    by_folder: BTreeMap<Vec<u8>, Manifest>,
}

impl PackageIndex {
    /// Of all manifests of a scope, those that head a package: not inside another one, below its `node_modules`,
    /// or with a version of its own, as the packages of a mirror or a workspace have. What `npm pack` packed, below
    /// `package`, is one published unit: manifests in it belong to examples and templates.
    pub fn new(manifests: impl IntoIterator<Item = (Vec<u8>, Manifest)>) -> Self {
        let all: BTreeMap<Vec<u8>, Manifest> = manifests.into_iter().collect();
        let mut by_folder = BTreeMap::new();
        for (folder, manifest) in all {
            let heads = match enclosing(&by_folder, &folder) {
                None => true,
                Some((outer, _)) => {
                    is_module_folder(&folder) || (outer != b"package" && manifest.version.is_some())
                }
            };
            if heads {
                by_folder.insert(folder, manifest);
            }
        }
        Self { by_folder }
    }

    /// The package that a path belongs to.
    pub fn package_of(&self, path: &[u8]) -> Option<(&[u8], &Manifest)> {
        let folder = &path[..memchr::memrchr(b'/', path).unwrap_or(0)];
        enclosing(&self.by_folder, folder)
    }

    /// Folders and manifests, sorted by folder.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Manifest)> {
        self.by_folder
            .iter()
            .map(|(folder, manifest)| (folder.as_slice(), manifest))
    }

    /// Counts per package of what stands in each folder: a file belongs to the innermost package round it.
    pub fn distribute<'f>(
        &self,
        folders: impl IntoIterator<Item = (&'f Vec<u8>, u64)>,
    ) -> HashMap<Vec<u8>, FileCounts> {
        let mut counts: HashMap<Vec<u8>, FileCounts> = HashMap::new();
        for (folder, count) in folders {
            if let Some((package, _)) = enclosing(&self.by_folder, folder) {
                let below = folder.get(package.len()..).unwrap_or_default();
                let counted = counts.entry(package.to_vec()).or_default();
                counted.files += count;
                if exposure::is_test_folder(below) {
                    counted.tests += count;
                }
            }
        }
        counts
    }
}

/// Files of a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileCounts {
    /// All of them.
    pub files: u64,
    /// Those below a folder of tests.
    pub tests: u64,
}

/// The innermost folder of the index that `folder` is, or lies in.
fn enclosing<'a>(
    index: &'a BTreeMap<Vec<u8>, Manifest>,
    folder: &[u8],
) -> Option<(&'a [u8], &'a Manifest)> {
    let mut end = folder.len();
    loop {
        if let Some((key, manifest)) = index.get_key_value(&folder[..end]) {
            return Some((key, manifest));
        }
        if end == 0 {
            return None;
        }
        end = memchr::memrchr(b'/', &folder[..end]).unwrap_or(0);
    }
}

/// Whether a folder is `…/node_modules/NAME` or `…/node_modules/@SCOPE/NAME`.
pub(super) fn is_module_folder(folder: &[u8]) -> bool {
    let mut parts = folder.rsplit(|&byte| byte == b'/');
    let _name = parts.next();
    match parts.next() {
        Some(b"node_modules") => true,
        Some(scope) if scope.starts_with(b"@") => parts.next() == Some(b"node_modules"),
        _ => false,
    }
}

/// The folder that a manifest at `path` describes.
pub fn manifest_folder(path: &[u8]) -> Option<&[u8]> {
    if path == b"package.json" {
        return Some(b"");
    }
    path.strip_suffix(b"/package.json")
}

/// What was counted of one package while its entries were placed.
#[derive(Debug, Clone, Default)]
pub struct PackageStats {
    /// Source maps.
    pub maps: u64,
    /// Sources by party.
    pub sources: SourceCounts,
    /// Bytes of sources that are not a third party's.
    pub own_bytes: u64,
    /// Exposures by class.
    pub exposures: BTreeMap<String, u64>,
    /// Secrets.
    pub secrets: u64,
    /// Items.
    pub items: u64,
    /// Something was not read in full.
    pub incomplete: bool,
    /// Original sources that lie there as files.
    pub raw: RawSources,
    /// Packages that sources come from.
    pub parts: Parts,
}

impl PackageStats {
    /// Counts a source of so many bytes.
    pub(super) fn add_source(&mut self, party: Party, has_content: bool, len: u64) {
        match party {
            Party::First => self.sources.first += 1,
            Party::Third => self.sources.third += 1,
            Party::Unknown => self.sources.unknown += 1,
        }
        self.sources.with_content += u64::from(has_content);
        if party != Party::Third {
            self.own_bytes += len;
        }
    }

    /// Adds what was counted of the same package elsewhere.
    pub(super) fn merge(&mut self, from: PackageStats) {
        self.maps += from.maps;
        self.sources.first += from.sources.first;
        self.sources.third += from.sources.third;
        self.sources.unknown += from.sources.unknown;
        self.sources.with_content += from.sources.with_content;
        self.own_bytes += from.own_bytes;
        for (class, count) in from.exposures {
            *self.exposures.entry(class).or_insert(0) += count;
        }
        self.secrets += from.secrets;
        self.items += from.items;
        self.parts.merge(from.parts);
        self.incomplete |= from.incomplete;
        self.raw.files += from.raw.files;
        self.raw.bytes += from.raw.bytes;
        self.raw.compiled += from.raw.compiled;
        let room = RawSources::MAX_EXAMPLES.saturating_sub(self.raw.examples.len());
        self.raw
            .examples
            .extend(from.raw.examples.into_iter().take(room));
    }
}

/// The manifest among the traits of a blob.
pub fn manifest_of(facts: &Facts) -> Option<&Manifest> {
    facts.traits.iter().find_map(|fact| match fact {
        Trait::Manifest(manifest) => Some(manifest),
        _ => None,
    })
}

/// The manifest that heads an archive: at its root, or in its only top folder.
pub fn head_manifest(tree: &Tree) -> Option<&Manifest> {
    tree.children
        .iter()
        .filter(|child| {
            manifest_folder(child.name.bytes()).is_some_and(|folder| !folder.contains(&b'/'))
        })
        .find_map(|child| manifest_of(&child.facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str) -> Manifest {
        Manifest::from_npm(format!(r#"{{"name":"{name}","version":"1.0.0"}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn packages_within_packages_are_those_below_node_modules() {
        let index = PackageIndex::new([
            (b"package".to_vec(), manifest("outer")),
            (b"package/test/fixture".to_vec(), manifest("fixture")),
            (b"package/node_modules/@s/dep".to_vec(), manifest("dep")),
        ]);
        let name = |path: &[u8]| index.package_of(path).map(|(_, found)| found.name.clone());
        assert_eq!(name(b"package/test/fixture/x.js").as_deref(), Some("outer"));
        assert_eq!(
            name(b"package/node_modules/@s/dep/x.js").as_deref(),
            Some("dep")
        );
        assert_eq!(name(b"package/x.js").as_deref(), Some("outer"));
        assert_eq!(name(b"other/x.js"), None);
        let folders = [
            (b"package/dist".to_vec(), 3),
            (b"package/node_modules/@s/dep/lib".to_vec(), 2),
        ];
        let counts = index.distribute(folders.iter().map(|(folder, count)| (folder, *count)));
        assert_eq!(counts[&b"package".to_vec()].files, 3);
        assert_eq!(counts[&b"package/node_modules/@s/dep".to_vec()].files, 2);
    }

    #[test]
    fn a_manifest_at_the_root_heads_everything() {
        let index = PackageIndex::new([(Vec::new(), manifest("root"))]);
        assert!(index.package_of(b"a/b/c.js").is_some());
        assert!(index.package_of(b"c.js").is_some());
    }
}
