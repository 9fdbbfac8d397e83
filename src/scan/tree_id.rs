//! The git tree id of a folder: what git calls the folder's content, and what a SWHID of a folder holds.
//!
//! One digest proves a whole tree: names, contents, which files are programs, where links lead. It is SHA-1 of `tree `, the
//! length in decimal, a NUL, and for each entry its mode, a blank, its name, a NUL and its id, in bytewise order of names
//! where that of a folder counts as if it ended in `/` (gitformat-pack(5), git-hash-object(1)). As git has it, a folder with
//! nothing in it is no entry, what is no file, link or folder is none, and `.git` at the top is not looked at.
//!
//! There is no id, and why is said, where something cannot be read, where a folder below has a store of its own (git
//! holds a commit in its place, which nobody knows here), and where the system has no modes. Everything counts that lies in
//! the folder: where git was told to ignore some of it, its own id is another.

use std::fs;
use std::path::Path;

/// Digest of the folder's listing, or why there is none.
pub type TreeId = Result<[u8; 20], String>;

/// The id of the folder at `root`. Reads every file below it once.
///
/// # Errors
/// What kept it from being made, in words.
#[cfg(unix)]
pub fn tree_id(root: &Path) -> TreeId {
    walk::tree_id(root)
}

/// The id of the folder at `root`.
///
/// # Errors
/// Always: modes are not known here.
#[cfg(not(unix))]
pub fn tree_id(_root: &Path) -> TreeId {
    Err("this system has no file modes".to_owned())
}

#[cfg(unix)]
mod walk {
    use std::fs::DirEntry;
    use std::io::Read;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use sha1::{Digest, Sha1};

    use super::super::input::open_file;
    use super::{Path, TreeId, fs};
    use crate::signature::{git_blob_sha1, git_blob_sha1_read};

    const PROGRAM: u32 = 0o100;

    /// An entry of a listing.
    struct Entry {
        mode: &'static str,
        name: Vec<u8>,
        id: [u8; 20],
    }

    /// A folder whose listing is being made.
    struct Open {
        name: Vec<u8>,
        path: PathBuf,
        left: Vec<DirEntry>,
        entries: Vec<Entry>,
    }

    impl Open {
        fn of(path: PathBuf, name: Vec<u8>) -> Result<Open, String> {
            let failed = |error: std::io::Error| said(&path, &error.to_string());
            let mut left = fs::read_dir(&path)
                .map_err(failed)?
                .collect::<Result<Vec<_>, _>>()
                .map_err(failed)?;
            // They are taken from the end: what fails first is the same each time.
            left.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
            Ok(Open {
                name,
                left,
                entries: Vec::new(),
                path,
            })
        }

        fn id(mut self) -> [u8; 20] {
            self.entries.sort_by(|a, b| {
                let key = |entry: &Entry| {
                    let end: &[u8] = if entry.mode == FOLDER { b"/" } else { b"" };
                    [&entry.name, end].concat()
                };
                key(a).cmp(&key(b))
            });
            let mut listing = Vec::new();
            for entry in &self.entries {
                listing.extend_from_slice(entry.mode.as_bytes());
                listing.push(b' ');
                listing.extend_from_slice(&entry.name);
                listing.push(0);
                listing.extend_from_slice(&entry.id);
            }
            let mut hasher = Sha1::new();
            hasher.update(format!("tree {}\0", listing.len()));
            hasher.update(&listing);
            hasher.finalize().into()
        }
    }

    const FOLDER: &str = "40000";

    pub(super) fn tree_id(root: &Path) -> TreeId {
        let mut open = vec![Open::of(root.to_owned(), Vec::new())?];
        while let Some(mut folder) = open.pop() {
            let Some(entry) = folder.left.pop() else {
                let name = std::mem::take(&mut folder.name);
                let is_empty = folder.entries.is_empty();
                let id = folder.id();
                match open.last_mut() {
                    None => return Ok(id),
                    Some(_) if is_empty => {}
                    Some(above) => above.entries.push(Entry {
                        mode: FOLDER,
                        name,
                        id,
                    }),
                }
                continue;
            };
            let (path, name) = (entry.path(), entry.file_name().as_bytes().to_vec());
            let kind = entry
                .file_type()
                .map_err(|error| said(&path, &error.to_string()))?;
            let is_store = name == b".git";
            if is_store && open.is_empty() {
                open.push(folder);
                continue;
            }
            if is_store {
                return Err(said(&folder.path, "it has a git store of its own"));
            }
            if kind.is_dir() {
                let below = Open::of(path, name)?;
                open.push(folder);
                open.push(below);
                continue;
            }
            if kind.is_symlink() {
                let target =
                    fs::read_link(&path).map_err(|error| said(&path, &error.to_string()))?;
                let id = git_blob_sha1(target.as_os_str().as_bytes());
                folder.entries.push(Entry {
                    mode: "120000",
                    name,
                    id,
                });
            } else if kind.is_file() {
                let (mode, id) = file(&path).map_err(|error| said(&path, &error.to_string()))?;
                folder.entries.push(Entry { mode, name, id });
            }
            open.push(folder);
        }
        Err("there is no folder".to_owned())
    }

    fn file(path: &Path) -> std::io::Result<(&'static str, [u8; 20])> {
        // Neither a link nor a pipe that took its place meanwhile is followed or waited for.
        let mut file = open_file(path, false)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(std::io::Error::other("it changed while it was read"));
        }
        let mode = if metadata.permissions().mode() & PROGRAM == 0 {
            "100644"
        } else {
            "100755"
        };
        let id = git_blob_sha1_read(file.by_ref(), metadata.len(), |_| ())?;
        if file.read(&mut [0])? > 0 {
            return Err(std::io::Error::other("it grew while it was read"));
        }
        Ok((mode, id))
    }

    fn said(path: &Path, why: &str) -> String {
        format!("{}: {why}", path.display())
    }
}
