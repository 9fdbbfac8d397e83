//! Paths of a work: what a place that holds none of its text may still have in common with it.
//!
//! Who rewrites a work, or empties it, often keeps where things stand: `billing/ledger.ts` becomes `billing/ledger.py`. A
//! map without contents, a listing, a rewrite by a machine: their files match nothing, and their paths say what they were
//! made of. So where a set's names are at hand, paths are compared as well, by their ends: the folder that a file lies
//! in and its name without its ending, in lower case. What stands above, and what the work was packed in, does not
//! count, and neither does the language.
//!
//! **What tells.** A pair counts only if its name or its folder is no word that every project has (`src/index`,
//! `lib/utils` tell nothing; `billing/index` and `src/ledger` do), and only if no set of public code that is given
//! with its names has the same pair.
//!
//! **How much is enough.** [`MIN_PATHS`] different pairs and [`MIN_SHARE`] of the work's own files: frameworks make
//! projects alike, and a handful of pairs out of hundreds is what two of one kind share by chance. The share is one of all
//! own files, those that tell nothing included, so that a work of which little is telling is rather missed than found
//! where it is not. It is a reason to look, and no more.
//!
//! Left out: files that lie in no folder, works without names, and objects of git stores, which are called by their digests.

use std::collections::{BTreeSet, HashSet};

use super::set::Set;

/// A place has at least so many different pairs of a work.
pub const MIN_PATHS: usize = 5;
/// They are at least this share of the work's own files.
pub const MIN_SHARE: f64 = 0.3;

/// Names, without their endings, that say nothing of a project.
const NAMES: [&str; 64] = [
    "__init__",
    "__main__",
    "app",
    "args",
    "base",
    "build",
    "bundle",
    "cargo",
    "changelog",
    "cli",
    "client",
    "common",
    "config",
    "const",
    "constants",
    "contributing",
    "core",
    "data",
    "default",
    "demo",
    "dockerfile",
    "env",
    "error",
    "errors",
    "example",
    "global",
    "globals",
    "helper",
    "helpers",
    "history",
    "index",
    "init",
    "interface",
    "interfaces",
    "lib",
    "licence",
    "license",
    "logger",
    "main",
    "makefile",
    "mod",
    "model",
    "models",
    "notice",
    "options",
    "package",
    "package-lock",
    "parser",
    "pyproject",
    "readme",
    "server",
    "settings",
    "setup",
    "shared",
    "style",
    "styles",
    "test",
    "tests",
    "tsconfig",
    "types",
    "util",
    "utils",
    "version",
    "webpack.config",
];

/// Folders that say nothing of a project.
const FOLDERS: [&str; 40] = [
    "api",
    "app",
    "assets",
    "bin",
    "build",
    "client",
    "common",
    "components",
    "config",
    "core",
    "dist",
    "doc",
    "docs",
    "example",
    "examples",
    "helpers",
    "hooks",
    "include",
    "js",
    "lib",
    "main",
    "models",
    "out",
    "package",
    "packages",
    "pages",
    "public",
    "scripts",
    "server",
    "services",
    "shared",
    "source",
    "src",
    "static",
    "styles",
    "test",
    "tests",
    "types",
    "util",
    "utils",
];

/// The telling pairs of all private works of a run whose names are at hand, as numbers.
#[derive(Debug, Default)]
pub struct PathIndex {
    numbers: HashSet<u64>,
    works: Vec<OfSet>,
}

/// The telling pairs of one set.
#[derive(Debug)]
struct OfSet {
    index: usize,
    numbers: HashSet<u64>,
    /// Files that count, those that tell nothing included.
    files: u64,
}

impl PathIndex {
    /// The pairs of these sets.
    #[must_use]
    pub fn of(sets: &[Set]) -> Self {
        let private = sets.iter().enumerate().filter(|(_, set)| is_private(set));
        let mut works: Vec<OfSet> = private
            .map(|(index, set)| OfSet {
                index,
                numbers: own_paths(set).collect(),
                files: set.counted().files,
            })
            .filter(|work| !work.numbers.is_empty())
            .collect();
        if works.is_empty() {
            return Self::default();
        }
        for set in sets.iter().filter(|set| !is_private(set)) {
            let paths = (0..set.files_total()).filter_map(|id| set.name(id));
            for number in paths.filter_map(number_of) {
                for work in &mut works {
                    work.numbers.remove(&number);
                }
            }
        }
        let all = works.iter().flat_map(|work| &work.numbers);
        Self {
            numbers: all.copied().collect(),
            works,
        }
    }

    /// The number of a path's end, where a work has it.
    #[must_use]
    pub fn find(&self, path: &[u8]) -> Option<u64> {
        if self.numbers.is_empty() {
            return None;
        }
        number_of(path).filter(|number| self.numbers.contains(number))
    }

    /// A digest of what is looked for; `None` where that is nothing.
    #[must_use]
    pub fn digest(&self) -> Option<[u8; 32]> {
        if self.numbers.is_empty() {
            return None;
        }
        let sorted: BTreeSet<u64> = self.numbers.iter().copied().collect();
        let mut hasher = blake3::Hasher::new();
        for number in sorted {
            hasher.update(&number.to_le_bytes());
        }
        Some(*hasher.finalize().as_bytes())
    }

    /// Of each set of which there are so many pairs among `found` that it is told: its index, and how many pairs those are.
    #[must_use]
    pub fn told(&self, found: &BTreeSet<u64>) -> Vec<(usize, u64)> {
        if found.len() < MIN_PATHS {
            return Vec::new();
        }
        let shared = self.works.iter().map(|work| {
            let shared = found.iter().filter(|number| work.numbers.contains(number));
            (work, shared.count())
        });
        shared
            .filter(|(work, shared)| is_enough(*shared, work.files))
            .map(|(work, shared)| (work.index, shared as u64))
            .collect()
    }
}

fn is_private(set: &Set) -> bool {
    !set.is_public() && !set.is_baseline()
}

/// Whether so many pairs of a work with so many own files are told.
fn is_enough(shared: usize, files: u64) -> bool {
    shared >= MIN_PATHS && shared as f64 >= files as f64 * MIN_SHARE
}

/// Numbers of the pairs of files of a set that count.
fn own_paths(set: &Set) -> impl Iterator<Item = u64> + '_ {
    (0..set.files_total()).filter_map(|id| {
        let counts = set.file(id).is_some_and(|file| set.counts(&file));
        number_of(set.name(id).filter(|_| counts)?)
    })
}

/// The number of the end of a path, where that tells something.
fn number_of(path: &[u8]) -> Option<u64> {
    let (folder, name) = end_of(path)?;
    let folder = folder.to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let is_common = |words: &[&str], word: &[u8]| {
        let found = words.binary_search_by(|held| held.as_bytes().cmp(word));
        word.len() < 3 || found.is_ok()
    };
    if is_common(&NAMES, &name) && is_common(&FOLDERS, &folder) {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&folder).update(b"/").update(&name);
    let digest = hasher.finalize();
    let (first, _) = digest.as_bytes().as_chunks::<8>();
    first.first().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The folder that a file lies in, and its name without its last ending.
fn end_of(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_step = |part: &&[u8]| !part.is_empty() && !matches!(*part, b"." | b"..");
    let mut parts = path
        .rsplit(|&byte| matches!(byte, b'/' | b'\\'))
        .filter(is_step);
    let file = parts.next()?;
    let folder = parts.next()?;
    let end = memchr::memrchr(b'.', file).filter(|&at| at > 0);
    Some((folder, &file[..end.unwrap_or(file.len())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::{FileEntry, Options, PartyFlag, SetBuilder};

    #[test]
    fn words_are_sorted() {
        assert!(NAMES.is_sorted() && FOLDERS.is_sorted());
    }

    #[test]
    fn the_end_of_a_path_counts_and_not_its_language() {
        let same = [
            "src/billing/ledger.ts",
            "acme-cli/src/Billing/Ledger.py",
            "webpack://acme/./src/billing/ledger.ts",
            "..\\billing\\ledger.rs",
        ];
        let numbers: BTreeSet<_> = same.map(|path| number_of(path.as_bytes())).into();
        assert_eq!(numbers.len(), 1);
        assert!(numbers.iter().all(Option::is_some));
        for dull in [
            "src/index.ts",
            "lib/utils.js",
            "ledger.ts",
            "docs/README.md",
        ] {
            assert_eq!(number_of(dull.as_bytes()), None, "{dull}");
        }
        for telling in ["billing/index.ts", "src/ledger.ts"] {
            assert!(number_of(telling.as_bytes()).is_some(), "{telling}");
        }
    }

    fn set_of(paths: &[String], public: bool) -> (Set, tempfile::TempDir) {
        let mut builder = SetBuilder::new(
            "acme",
            "1",
            Options {
                public,
                ..Options::default()
            },
        );
        for path in paths {
            builder.add(FileEntry::of(
                path.as_bytes(),
                PartyFlag::First,
                path.as_bytes(),
            ));
        }
        let built = builder.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let names = folder.path().join("x.names");
        std::fs::write(&names, &built.names).unwrap();
        let mut set = Set::from_bytes(built.set_bytes, None).unwrap();
        set.load_names(&names).unwrap();
        (set, folder)
    }

    #[test]
    fn a_third_of_a_work_is_told_and_less_is_not() {
        let paths: Vec<String> = (0..20)
            .map(|n| format!("src/part{n}/thing{n}.ts"))
            .collect();
        let (set, _folder) = set_of(&paths, false);
        let sets = [set];
        let index = PathIndex::of(&sets);
        let told = |count: usize| {
            let found = paths.iter().take(count);
            let found = found.map(|path| index.find(path.replace(".ts", ".go").as_bytes()));
            index.told(&found.flatten().collect())
        };
        assert_eq!(told(6), [(0, 6)]);
        assert_eq!(told(5), []);
        assert_eq!(index.find(b"other/thing1.ts"), None);
    }

    #[test]
    fn what_public_code_is_called_tells_nothing() {
        let paths: Vec<String> = (0..8).map(|n| format!("src/part{n}.ts")).collect();
        let (private, _a) = set_of(&paths, false);
        let (public, _b) = set_of(&paths[..4], true);
        let index = PathIndex::of(&[private, public]);
        let found = paths
            .iter()
            .filter(|path| index.find(path.as_bytes()).is_some());
        assert_eq!(found.count(), 4);
        // Without names nothing is looked for.
        let mut builder = SetBuilder::new("acme", "1", Options::default());
        builder.add(FileEntry::of("src/part1.ts", PartyFlag::First, b"x"));
        let bare = Set::from_bytes(builder.finish().unwrap().set_bytes, None).unwrap();
        assert_eq!(PathIndex::of(&[bare]).digest(), None);
    }
}
