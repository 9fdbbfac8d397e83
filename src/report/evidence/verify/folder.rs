//! Reading a folder that somebody else made.
//!
//! All goes through one handle, so that no name leads out of it. Links, pipes and devices are never opened: what is in an
//! evidence folder is files. Files that must be held are read up to a limit; the others stream.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};
use sha2::{Digest as _, Sha256};

use super::VerifyError;
use crate::blob::Sha256Digest;
use crate::report::evidence::bag;

/// Files and folders that are looked at; a folder of ours cannot have more.
const MAX_ENTRIES: usize = bag::MAX_FILES + 1_000;
/// Bytes that are digested at a time.
const WINDOW: usize = 256 << 10;

/// An open folder.
pub struct Folder {
    dir: Dir,
}

impl Folder {
    /// Opens one.
    ///
    /// # Errors
    /// When it is none, or may not be read.
    pub fn open(path: &Path) -> Result<Self, VerifyError> {
        let dir = Dir::open_ambient_dir(path, ambient_authority());
        let dir = dir.map_err(|error| VerifyError::Unreadable {
            path: path.display().to_string(),
            error,
        })?;
        Ok(Self { dir })
    }

    /// All files below with their sizes, by path; and why that is not all of it, or something is there that should not.
    pub fn walk(&self) -> (BTreeMap<String, u64>, Result<(), String>) {
        let (mut files, mut wrong) = (BTreeMap::new(), Vec::new());
        let (mut folders, mut seen) = (vec![String::new()], 0);
        while let Some(folder) = folders.pop() {
            let at = if folder.is_empty() { "." } else { &folder };
            let entries = match self.dir.read_dir(at) {
                Ok(entries) => entries,
                Err(error) => {
                    wrong.push(format!("{at} cannot be read: {error}"));
                    continue;
                }
            };
            let before = seen;
            for entry in entries {
                seen += 1;
                if seen > MAX_ENTRIES {
                    wrong.push(format!("there are more than {MAX_ENTRIES} files"));
                    return (files, first_of(&wrong));
                }
                let looked = entry.and_then(|entry| {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    Ok((name, entry.metadata()?))
                });
                let (name, found) = match looked {
                    Ok(looked) => looked,
                    Err(error) => {
                        wrong.push(format!("{at} cannot be read: {error}"));
                        continue;
                    }
                };
                let path = if folder.is_empty() {
                    name
                } else {
                    format!("{folder}/{name}")
                };
                if !bag::is_name(&path) {
                    wrong.push(format!("{path:?} is no name that this program gives"));
                } else if found.is_dir() {
                    folders.push(path);
                } else if found.is_file() {
                    files.insert(path, found.len());
                } else {
                    wrong.push(format!(
                        "{path} is a link or a special file, and was not opened"
                    ));
                }
            }
            // No list can name it, so that it was put there by somebody, or lost what was in it.
            if seen == before && !folder.is_empty() {
                wrong.push(format!(
                    "{folder} is an empty folder, which none of ours has"
                ));
            }
        }
        wrong.sort();
        (files, first_of(&wrong))
    }

    /// Opens a file; `None` where there is none, or it is no file.
    fn file(&self, path: &str) -> Option<File> {
        let found = self.dir.symlink_metadata(path).ok()?;
        found.is_file().then(|| self.dir.open(path).ok()).flatten()
    }

    /// The bytes of a file, up to a limit.
    ///
    /// # Errors
    /// When it is missing, larger, or cannot be read: why, in words.
    pub fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, String> {
        let file = self.file(path).ok_or(format!("{path} is missing"))?;
        let mut bytes = Vec::new();
        let read = file.take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("{path} cannot be read: {error}"))?;
        if bytes.len() as u64 > limit {
            return Err(format!(
                "{path} has more than {limit} bytes, which none of ours has"
            ));
        }
        Ok(bytes)
    }

    /// The same, as text.
    ///
    /// # Errors
    /// When it is no UTF-8 either.
    pub fn text(&self, path: &str, limit: u64) -> Result<String, String> {
        String::from_utf8(self.read(path, limit)?).map_err(|_| format!("{path} is no UTF-8"))
    }

    /// A file as a stream.
    ///
    /// # Errors
    /// When it is missing.
    pub fn stream(&self, path: &str) -> Result<std::io::BufReader<File>, String> {
        let file = self.file(path).ok_or(format!("{path} is missing"))?;
        Ok(std::io::BufReader::with_capacity(WINDOW, file))
    }

    /// Digest and size of a file.
    ///
    /// # Errors
    /// When it is missing or cannot be read: why, in words.
    pub fn digest(&self, path: &str) -> Result<(Sha256Digest, u64), String> {
        let mut file = self.file(path).ok_or(format!("{path} is missing"))?;
        let (mut hasher, mut window, mut bytes) = (Sha256::new(), vec![0; WINDOW], 0);
        loop {
            let read = file.read(&mut window);
            let read = read.map_err(|error| format!("{path} cannot be read: {error}"))?;
            if read == 0 {
                return Ok((Sha256Digest(hasher.finalize().into()), bytes));
            }
            hasher.update(&window[..read]);
            bytes += read as u64;
        }
    }
}

/// The first of some complaints, and how many there are.
pub(super) fn first_of(wrong: &[String]) -> Result<(), String> {
    match wrong {
        [] => Ok(()),
        [one] => Err(one.clone()),
        [one, rest @ ..] => Err(format!("{one}; and {} more", rest.len())),
    }
}
