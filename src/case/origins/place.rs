//! Which root a path on a list means.
//!
//! Paths are compared as text, with `.` and `..` taken out: no link is followed and the file system is not asked, since what
//! it says now need not be what it said when the list was written. A path may be written as seen from where the command
//! is run, as an absolute one, as seen from an input, or as a locator.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::case::roots::Root;

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    /// The locator of a root.
    Root(String),
    /// It is no root and lies below the one named, if anything is there.
    Within {
        /// The root.
        root: String,
        /// The path, absolute.
        path: Vec<u8>,
    },
    /// It is in the input, and so many roots lie below it.
    Several(usize),
    /// It is not in the input.
    Elsewhere,
}

/// The roots by their paths.
pub(super) struct Places<'r> {
    roots: &'r BTreeMap<String, Root>,
    by_path: BTreeMap<Vec<u8>, &'r str>,
    /// Absolute paths of the inputs, by number.
    inputs: BTreeMap<i64, Vec<u8>>,
}

impl<'r> Places<'r> {
    /// `inputs` are the absolute paths of the inputs by number.
    pub(super) fn of(roots: &'r BTreeMap<String, Root>, inputs: &BTreeMap<i64, Vec<u8>>) -> Self {
        let inputs: BTreeMap<i64, Vec<u8>> = inputs
            .iter()
            .map(|(id, path)| (*id, normal(path)))
            .collect();
        let by_path = roots.iter().filter_map(|(locator, root)| {
            let input = inputs.get(&root.input)?;
            Some((joined(input, &root.folder), locator.as_str()))
        });
        Self {
            by_path: by_path.collect(),
            roots,
            inputs,
        }
    }

    /// Where `path` leads that is written as seen from `base`.
    pub(super) fn find(&self, path: &str, base: &Path) -> Found {
        let trimmed = path.trim_end_matches('/');
        if self.roots.contains_key(trimmed) {
            return Found::Root(trimmed.to_owned());
        }
        // Bytes that are no text are written as locators have them.
        let raw = crate::blob::locator::unescape(path);
        let forms = [Some(path.as_bytes().to_vec()), raw];
        let mut found = BTreeSet::new();
        for form in forms.into_iter().flatten() {
            let absolute = joined(base.as_os_str().as_encoded_bytes(), &form);
            let here = self.at(&normal(&absolute));
            if !matches!(here, Found::Elsewhere) {
                return here;
            }
            if form.starts_with(b"/") {
                continue;
            }
            for input in self.inputs.values() {
                let path = normal(&joined(input, &form));
                if path
                    .strip_prefix(input.as_slice())
                    .is_some_and(|rest| rest.starts_with(b"/"))
                {
                    found.insert(self.at(&path));
                }
            }
        }
        found.remove(&Found::Elsewhere);
        let mut roots = found.iter().filter(|found| matches!(found, Found::Root(_)));
        match (roots.next(), roots.next()) {
            (Some(root), None) => root.clone(),
            (Some(_), Some(_)) => Found::Several(found.len()),
            // That it lies within an input says nothing where it was not written as one that does.
            _ => Found::Elsewhere,
        }
    }

    /// Name of the file or folder that a root is.
    pub(super) fn file_name(&self, root: &str) -> Option<String> {
        let root = self.roots.get(root)?;
        let path = joined(self.inputs.get(&root.input)?, &root.folder);
        let start = memchr::memrchr(b'/', &path)? + 1;
        Some(String::from_utf8_lossy(path.get(start..)?).into_owned())
    }

    fn at(&self, path: &[u8]) -> Found {
        let path = path.strip_suffix(b"/.git".as_slice()).unwrap_or(path);
        if let Some(root) = self.by_path.get(path) {
            return Found::Root((*root).to_owned());
        }
        let below = [path, b"/"].concat();
        let mut inner = self
            .by_path
            .range(below.clone()..)
            .take_while(|(path, _)| path.starts_with(&below));
        let is_input_above =
            |input: &Vec<u8>| input == path || path.starts_with(&joined(input, b""));
        match (inner.next(), inner.next()) {
            (Some((_, root)), None) if self.inputs.values().any(is_input_above) => {
                return Found::Root((*root).to_owned());
            }
            (Some(_), Some(_)) if self.inputs.values().any(is_input_above) => {
                return Found::Several(2 + inner.count());
            }
            (Some(_), _) => return Found::Elsewhere,
            _ => {}
        }
        let mut end = path.len();
        while let Some(slash) = path.get(..end).and_then(|path| memchr::memrchr(b'/', path)) {
            end = slash;
            if let Some(root) = path.get(..end).and_then(|path| self.by_path.get(path)) {
                return Found::Within {
                    root: (*root).to_owned(),
                    path: path.to_vec(),
                };
            }
        }
        Found::Elsewhere
    }
}

/// A path below a folder; one that is absolute stands for itself.
fn joined(folder: &[u8], path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"/") {
        return path.to_vec();
    }
    let folder = folder.strip_suffix(b"/").unwrap_or(folder);
    if path.is_empty() {
        return folder.to_vec();
    }
    [folder, b"/", path].concat()
}

/// A path without `.`, `..` and empty parts.
pub(in crate::case) fn normal(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut normal = Vec::with_capacity(path.len());
    for part in parts {
        normal.push(b'/');
        normal.extend_from_slice(part);
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::Locator;

    fn roots(places: &[(&str, i64, &str)]) -> BTreeMap<String, Root> {
        let root = |(label, input, folder): &(&str, i64, &str)| {
            let at = Locator::file(label, folder.as_bytes());
            let root = Root::new(&at, *input, folder.as_bytes().to_vec());
            (at.as_str().to_owned(), root)
        };
        places.iter().map(root).collect()
    }

    #[test]
    fn a_path_means_a_root_however_it_is_written() {
        let roots = roots(&[
            ("clones", 1, "a"),
            ("clones", 1, "b/deep"),
            ("x.tgz", 2, ""),
        ]);
        let inputs = BTreeMap::from([
            (1, b"/data/./in/clones".to_vec()),
            (2, b"/data/x.tgz".to_vec()),
        ]);
        let places = Places::of(&roots, &inputs);
        let find = |path: &str| places.find(path, Path::new("/data/in"));
        for path in [
            "clones/a",
            "./clones//a/",
            "clones/b/../a",
            "/data/in/clones/a",
            "a",
            "clones/a/.git",
        ] {
            assert_eq!(find(path), Found::Root("clones/a".to_owned()), "{path}");
        }
        assert_eq!(find("../x.tgz"), Found::Root("x.tgz".to_owned()));
        assert_eq!(find("x.tgz"), Found::Root("x.tgz".to_owned()));
        assert_eq!(find("clones/b"), Found::Root("clones/b/deep".to_owned()));
        let within = Found::Within {
            root: "clones/a".to_owned(),
            path: b"/data/in/clones/a/src".to_vec(),
        };
        assert_eq!(find("clones/a/src"), within);
        assert_eq!(find("clones"), Found::Several(2));
        for path in ["clones/c", "/data/in/clone", "/data", "../..", "", ".", "c"] {
            assert_eq!(find(path), Found::Elsewhere, "{path}");
        }
    }

    #[test]
    fn a_path_that_two_inputs_have_is_not_guessed() {
        let roots = roots(&[("in", 1, "a"), ("in#2", 2, "a")]);
        let inputs = BTreeMap::from([(1, b"/x/in".to_vec()), (2, b"/y/in".to_vec())]);
        let places = Places::of(&roots, &inputs);
        assert_eq!(places.find("a", Path::new("/z")), Found::Several(2));
        assert_eq!(
            places.find("in#2/a", Path::new("/z")),
            Found::Root("in#2/a".to_owned())
        );
    }
}
