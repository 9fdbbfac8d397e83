//! The folder of `--keep-matched`: the bytes of each content with a match, in a file named by its SHA-256.
//!
//! A match that is explained in a year needs the bytes that it was found in, and mirrors go away. So a scan may keep them,
//! where the user says: this is the one place where `scan` writes what stands in an input. Names are digests, so nothing
//! in an input decides what a file is called; all is written through one handle, 0600 below 0700, and nothing is
//! overwritten. Content is kept when it is examined, before its unit is committed: of what a case calls done, the bytes are
//! there. A file that a killed run left half-written is the beginning of what belongs there, and is finished; any
//! other file under such a name is not what its name says, and ends the run.
//!
//! What it leaves out: content that was never held as a whole, which is compared by digest as it streams by. How many
//! matches are without bytes is told at the end.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_std::ambient_authority;
#[cfg(unix)]
use cap_std::fs::OpenOptionsExt;
use cap_std::fs::{Dir, OpenOptions};

use super::CliError;
use super::output::make_private_folder;
use crate::blob::Sha256Digest;
use crate::scan::analyse::Collector;

/// Bytes that are compared at a time.
const WINDOW: usize = 64 << 10;

/// The folder, and what this run put into it.
pub struct KeptFolder {
    folder: Dir,
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    taken: HashSet<Sha256Digest>,
    error: Option<CliError>,
}

impl KeptFolder {
    /// Makes the folder, or takes one that holds nothing but what earlier runs kept. It may not lie in an input: what is
    /// kept would be scanned next time.
    pub fn create(path: &Path, inputs: &[PathBuf]) -> Result<Self, CliError> {
        if inputs.iter().any(|input| lies_in(path, input)) {
            return Err(CliError::new(format!(
                "{} lies in an input; name a folder elsewhere for --keep-matched",
                path.display()
            )));
        }
        make_private_folder(path)?;
        let fail = |error| CliError::write(path, &error);
        let folder = Dir::open_ambient_dir(path, ambient_authority()).map_err(fail)?;
        for entry in folder.entries().map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            if !name.to_str().is_some_and(is_digest) {
                return Err(CliError::new(format!(
                    "the folder {} holds other things than contents that were kept, such as {}; name a new one",
                    path.display(),
                    Path::new(&name).display()
                )));
            }
        }
        Ok(Self {
            folder,
            path: path.to_path_buf(),
            state: Mutex::default(),
        })
    }

    /// What could not be written, if anything; once it is asked for it is gone.
    pub fn fault(&self) -> Result<(), CliError> {
        self.state().error.take().map_or(Ok(()), Err)
    }

    /// Whether the content with this SHA-256, in hex, is here.
    pub fn holds(&self, sha256: &str) -> bool {
        is_digest(sha256) && self.folder.symlink_metadata(sha256).is_ok()
    }

    /// One at a time, so that a content is there when anybody else is told that it is.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), CliError> {
        let fail = |error| CliError::write(&self.path.join(name), &error);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        match self.folder.open_with(name, &options) {
            Ok(mut file) => file.write_all(bytes).map_err(fail),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                self.finish(name, bytes)
            }
            Err(error) => Err(fail(error)),
        }
    }

    /// Writes what is missing of a file that is there.
    fn finish(&self, name: &str, bytes: &[u8]) -> Result<(), CliError> {
        let fail = |error| CliError::write(&self.path.join(name), &error);
        let other = || {
            CliError::new(format!(
                "{} is not the content that its name says; move it away, nothing is ever overwritten",
                self.path.join(name).display()
            ))
        };
        if !self.folder.symlink_metadata(name).map_err(fail)?.is_file() {
            return Err(other());
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let mut file = self.folder.open_with(name, &options).map_err(fail)?;
        let (mut window, mut rest) = (vec![0; WINDOW], bytes);
        loop {
            let read = file.read(&mut window).map_err(fail)?;
            if read == 0 {
                return file.write_all(rest).map_err(fail);
            }
            rest = rest.strip_prefix(&window[..read]).ok_or_else(other)?;
        }
    }
}

impl Collector for KeptFolder {
    fn take(&self, sha256: &Sha256Digest, bytes: &[u8]) {
        let mut state = self.state();
        if state.error.is_none() && state.taken.insert(*sha256) {
            state.error = self.keep(&sha256.hex(), bytes).err();
        }
    }
}

/// The file in which a scan kept a content, open; `None` where the folder has none.
pub fn open_kept(folder: &Path, sha256: &str) -> Result<Option<std::fs::File>, CliError> {
    let path = folder.join(sha256);
    let unreadable =
        |error: &std::io::Error| CliError::new(format!("cannot read {}: {error}", path.display()));
    if !folder.is_dir() {
        return Err(CliError::new(format!(
            "{} is no folder; name the one that was given with --keep-matched",
            folder.display()
        )));
    }
    match std::fs::File::open(&path) {
        Ok(file) if is_digest(sha256) => Ok(Some(file)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&error)),
    }
}

/// Whether a path is, or would be, in a folder or is it.
fn lies_in(path: &Path, folder: &Path) -> bool {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let nearest = absolute
        .ancestors()
        .find_map(|above| above.canonicalize().ok());
    let (Some(nearest), Ok(folder)) = (nearest, folder.canonicalize()) else {
        return false;
    };
    nearest.starts_with(folder)
}

fn is_digest(name: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    name.len() == 64 && name.bytes().all(is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_finished_or_refused_and_never_overwritten() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("kept");
        let bytes = b"let secret = 1;\n".repeat(10_000);
        let digest = Sha256Digest::of(&bytes);
        let file = path.join(digest.hex());
        let kept = || KeptFolder::create(&path, &[]).unwrap();
        let take = |kept: &KeptFolder| {
            kept.take(&digest, &bytes);
            kept.fault().map(|()| std::fs::read(&file).unwrap())
        };
        assert_eq!(take(&kept()).unwrap(), bytes);
        assert!(kept().holds(&digest.hex()) && !kept().holds("../kept"));
        assert_eq!(take(&kept()).unwrap(), bytes);
        // As a killed run leaves it.
        for left in [0, 1, 70_000] {
            std::fs::write(&file, &bytes[..left]).unwrap();
            assert_eq!(take(&kept()).unwrap(), bytes, "{left}");
        }
        for wrong in [&b"other"[..], &[&bytes[..], b"x"].concat()] {
            std::fs::write(&file, wrong).unwrap();
            let error = take(&kept()).unwrap_err().to_string();
            assert!(error.contains("not the content"), "{error}");
            assert_eq!(std::fs::read(&file).unwrap(), wrong);
        }
        std::fs::write(path.join("notes.txt"), "mine").unwrap();
        let other = KeptFolder::create(&path, &[]).map(drop).unwrap_err();
        assert!(other.to_string().contains("notes.txt"));
    }

    #[test]
    fn a_folder_in_an_input_is_refused_and_not_made() {
        let scratch = tempfile::tempdir().unwrap();
        let inputs = [scratch.path().to_path_buf()];
        let inside = scratch.path().join("a/b");
        assert!(KeptFolder::create(&inside, &inputs).is_err());
        assert!(!scratch.path().join("a").exists());
    }
}
