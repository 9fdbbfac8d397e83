//! The names of a store: `HEAD`, `packed-refs` and the files below `refs/` (gitrepository-layout(5)).
//!
//! A name is a file that holds an object's name in hexadecimal, or `ref: ` and another name. Files of their own win over
//! `packed-refs`. Each worktree has a `HEAD` of its own, which counts as one more name.

use std::collections::BTreeMap;

use super::graph::Refs;
use super::object::Oid;

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Object(Oid),
    Name(Vec<u8>),
}

fn target_of(text: &[u8]) -> Option<Target> {
    let text = text.trim_ascii();
    match text.strip_prefix(b"ref:") {
        Some(name) => Some(Target::Name(name.trim_ascii().to_vec())),
        None => Oid::parse(text)
            .filter(|id| !id.is_null())
            .map(Target::Object),
    }
}

/// Collects names file by file.
#[derive(Debug, Default)]
pub struct RefFiles {
    files: BTreeMap<Vec<u8>, Target>,
    packed: BTreeMap<Vec<u8>, Target>,
}

/// Whether the file at this path of a store holds names.
pub fn is_ref_file(path: &[u8]) -> bool {
    path == b"HEAD"
        || path == b"packed-refs"
        || path.starts_with(b"refs/")
        || (path.starts_with(b"worktrees/") && path.ends_with(b"/HEAD"))
}

impl RefFiles {
    /// Takes a file for which [`is_ref_file`] holds.
    pub fn add(&mut self, path: &[u8], bytes: &[u8]) {
        if path != b"packed-refs" {
            self.files
                .extend(target_of(bytes).map(|target| (path.to_vec(), target)));
            return;
        }
        for line in bytes.split(|&byte| byte == b'\n') {
            let space = memchr::memchr(b' ', line);
            if let (Some(space), Some(id)) = (space, Oid::parse(line)) {
                let name = line[space + 1..].trim_ascii_end().to_vec();
                self.packed.insert(name, Target::Object(id));
            }
        }
    }

    /// Adds a name that leads straight to an object.
    pub fn add_direct(&mut self, name: Vec<u8>, id: Oid) {
        self.files.insert(name, Target::Object(id));
    }

    /// What they lead to.
    pub fn resolve(&self) -> Refs {
        let mut refs = Refs {
            head: self.follow(b"HEAD"),
            ..Refs::default()
        };
        for name in self.files.keys().chain(self.packed.keys()) {
            refs.tips.extend(self.follow(name));
        }
        refs
    }

    fn follow(&self, name: &[u8]) -> Option<Oid> {
        /// As deep as git goes.
        const DEPTH_MAX: usize = 5;
        let mut name = name;
        for _ in 0..DEPTH_MAX {
            match self.files.get(name).or_else(|| self.packed.get(name))? {
                Target::Object(id) => return Some(*id),
                Target::Name(next) => name = next,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_win_over_the_packed_list() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let mut files = RefFiles::default();
        files.add(b"HEAD", b"ref: refs/heads/main\n");
        files.add(
            b"packed-refs",
            format!("# pack-refs with: peeled\n{a} refs/heads/main\n{a} refs/tags/v1\n^{b}\n")
                .as_bytes(),
        );
        assert_eq!(files.resolve().head.unwrap().hex(), a);
        files.add(b"refs/heads/main", format!("{b}\n").as_bytes());
        let refs = files.resolve();
        assert_eq!(refs.head.unwrap().hex(), b);
        assert_eq!(refs.tips.len(), 2);
        files.add(b"refs/heads/loop", b"ref: refs/heads/loop");
        assert_eq!(files.resolve(), refs);
        assert!(is_ref_file(b"worktrees/x/HEAD") && !is_ref_file(b"logs/HEAD"));
    }
}
