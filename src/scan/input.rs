//! From paths on the command line to units: what there is to read, in one order.
//!
//! A unit is the piece of an input that is done or not done: one file, or one git store with all its files. Folders are
//! walked completely: nothing hidden or ignored by git is left out, symbolic links are never followed, and what is no
//! regular file is counted and not opened. Units come in the order of the inputs, then bytewise by path; everything that is
//! reported follows that order, so it is the same for any number of threads.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::twin::{Twin, Twins};
use crate::container::Trouble;
use crate::container::git::store::{StoreFile, is_store};

/// An input given by the user.
#[derive(Debug, Clone)]
pub struct InputRoot {
    /// What locators begin with.
    pub label: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The file system that it is on, where others below it are to be left out.
    pub only_device: Option<u64>,
}

/// Why an input cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// No such file or folder, or not allowed to look.
    #[error("cannot open the input {path}: {error}")]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Neither a regular file nor a folder.
    #[error("the input {path} is neither a regular file nor a folder; give a file or a folder")]
    Special {
        /// The path as given.
        path: PathBuf,
    },
}

/// Looks at the inputs and gives each a label: its base name, `#2` for the second of that name, or `label`. With
/// `one_file_system` what is mounted below them is left out.
///
/// # Errors
/// When one is not there or is no file and no folder.
pub fn look_at(
    paths: &[PathBuf],
    label: Option<&str>,
    one_file_system: bool,
) -> Result<Vec<InputRoot>, InputError> {
    let mut used: BTreeMap<String, u32> = BTreeMap::new();
    paths
        .iter()
        .map(|path| {
            let metadata = std::fs::metadata(path).map_err(|error| InputError::Unreadable {
                path: path.clone(),
                error,
            })?;
            if !metadata.is_dir() && !metadata.is_file() {
                return Err(InputError::Special { path: path.clone() });
            }
            let name = match label {
                Some(label) => crate::blob::locator::escape(label.as_bytes()),
                None => base_name(path),
            };
            let count = used.entry(name.clone()).or_insert(0);
            *count += 1;
            let label = if *count == 1 {
                name
            } else {
                format!("{name}#{count}")
            };
            Ok(InputRoot {
                label,
                path: path.clone(),
                is_folder: metadata.is_dir(),
                only_device: one_file_system.then(|| device_of(&metadata)).flatten(),
            })
        })
        .collect()
}

#[cfg(unix)]
fn device_of(metadata: &Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::dev(metadata))
}

#[cfg(not(unix))]
fn device_of(_metadata: &Metadata) -> Option<u64> {
    None
}

/// The label of a path: its last component, escaped as locators are.
fn base_name(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let name = absolute
        .file_name()
        .or_else(|| path.file_name())
        .unwrap_or(OsStr::new("input"));
    crate::blob::locator::escape(name.as_encoded_bytes())
}

/// What tells whether a file is the one that was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Length in bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime: i64,
    /// Time of the last change of its metadata, nanoseconds since 1970; 0 where there is none.
    pub ctime: i64,
}

impl Stamp {
    /// The stamp of a file.
    pub fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let (mtime, ctime) = {
            use std::os::unix::fs::MetadataExt;
            let nanos = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000) + rest;
            (
                nanos(metadata.mtime(), metadata.mtime_nsec()),
                nanos(metadata.ctime(), metadata.ctime_nsec()),
            )
        };
        #[cfg(not(unix))]
        let (mtime, ctime) = {
            let since = metadata
                .modified()
                .ok()
                .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            (since.map_or(0, |since| since.as_nanos() as i64), 0)
        };
        Self {
            size: metadata.len(),
            mtime,
            ctime,
        }
    }

    /// The stamp of many files, sorted by path: it changes when a file comes, goes or changes.
    fn of_all(files: &[(Vec<u8>, Self)]) -> Self {
        let mut digest = blake3::Hasher::new();
        for (path, stamp) in files {
            digest.update(&(path.len() as u64).to_le_bytes());
            digest.update(path);
            digest.update(&stamp.size.to_le_bytes());
            digest.update(&stamp.mtime.to_le_bytes());
            digest.update(&stamp.ctime.to_le_bytes());
        }
        let digest = digest.finalize();
        let (first, _) = digest.as_bytes().as_chunks::<8>();
        Self {
            size: files.iter().map(|(_, stamp)| stamp.size).sum(),
            mtime: files
                .iter()
                .map(|(_, stamp)| stamp.mtime)
                .max()
                .unwrap_or(0),
            ctime: first.first().map_or(0, |bytes| i64::from_le_bytes(*bytes)),
        }
    }
}

/// One file, or one git store, to be read.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Index of its input.
    pub input: usize,
    /// Path below the input, as raw bytes; empty where the input is the file.
    pub path: Vec<u8>,
    /// How it looked when the folder was walked.
    pub stamp: Stamp,
    /// The files of a git directory, sorted by path; `None` for a file.
    pub store: Option<Arc<Vec<StoreFile>>>,
    /// What it shares with other paths of the same file.
    pub twin: Option<Arc<Twin>>,
}

/// What walking one input found beside units.
#[derive(Debug, Default)]
pub struct Walked {
    /// Folders, links and special files, by kind.
    pub other: BTreeMap<String, u64>,
    /// Path below the input, and what kept it from being walked.
    pub troubles: Vec<(Vec<u8>, Trouble)>,
}

/// Walks one input; its units come sorted by path. `twins` are the files with several paths that all inputs have.
pub fn walk(index: usize, root: &InputRoot, twins: &mut Twins) -> (Vec<Unit>, Walked) {
    let mut walked = Walked::default();
    if !root.is_folder {
        let metadata = std::fs::metadata(&root.path).ok();
        let unit = Unit {
            input: index,
            path: Vec::new(),
            stamp: metadata.as_ref().map(Stamp::of).unwrap_or_default(),
            store: None,
            twin: metadata.and_then(|metadata| twins.of(&metadata)),
        };
        return (vec![unit], walked);
    }
    let mut units = Vec::new();
    let mut stores = Vec::new();
    if looks_like_store(&root.path) {
        stores.push(root.path.clone());
    } else {
        for_each_below(
            &root.path,
            root,
            &mut stores,
            &mut walked,
            |entry, metadata| {
                units.push(Unit {
                    input: index,
                    path: below(root, entry.path()),
                    stamp: metadata.map(Stamp::of).unwrap_or_default(),
                    store: None,
                    twin: metadata.and_then(|metadata| twins.of(metadata)),
                });
            },
        );
    }
    // Submodules keep their stores within that of the whole.
    while let Some(folder) = stores.pop() {
        units.push(walk_store(index, root, &folder, &mut stores, &mut walked));
    }
    units.sort_by(|a, b| a.path.cmp(&b.path));
    walked.troubles.sort_by(|a, b| a.0.cmp(&b.0));
    (units, walked)
}

/// Shows every regular file below a folder to `file`, in no order, with what the system says of it: nothing where it
/// vanishes here, which is reported when it is opened. Git directories are passed over and noted.
fn for_each_below(
    folder: &Path,
    root: &InputRoot,
    stores: &mut Vec<PathBuf>,
    walked: &mut Walked,
    mut file: impl FnMut(&walkdir::DirEntry, Option<&Metadata>),
) {
    let mut walk = walkdir::WalkDir::new(folder)
        .follow_links(false)
        .min_depth(1)
        .into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                walked.troubles.push(unwalked(root, &error));
                continue;
            }
        };
        let kind = entry.file_type();
        let metadata = (kind.is_file() || root.only_device.is_some() && kind.is_dir())
            .then(|| entry.metadata().ok())
            .flatten();
        let device = metadata.as_ref().and_then(device_of);
        if root.only_device.is_some() && device.is_some() && device != root.only_device {
            *walked.other.entry("mount".to_owned()).or_insert(0) += 1;
            if kind.is_dir() {
                walk.skip_current_dir();
            }
            continue;
        }
        if kind.is_file() {
            file(&entry, metadata.as_ref());
            continue;
        }
        let word = if kind.is_dir() {
            "folder"
        } else if kind.is_symlink() {
            "symlink"
        } else {
            special_kind(&kind)
        };
        *walked.other.entry(word.to_owned()).or_insert(0) += 1;
        if kind.is_dir() && looks_like_store(entry.path()) {
            stores.push(entry.path().to_path_buf());
            walk.skip_current_dir();
        }
    }
}

fn unwalked(root: &InputRoot, error: &walkdir::Error) -> (Vec<u8>, Trouble) {
    let path = error.path().map(|path| below(root, path));
    // It names the path too, which the locator does already.
    let why = (error.io_error()).map_or_else(|| error.to_string(), ToString::to_string);
    let trouble = Trouble::skipped(
        "unreadable",
        format!(
            "this could not be read: {why}; {}, and run the same command again",
            way_out(error.io_error())
        ),
        None,
    );
    (path.unwrap_or_default(), trouble)
}

/// What to do about something that cannot be opened.
fn way_out(error: Option<&io::Error>) -> &'static str {
    match error.map(io::Error::kind) {
        Some(io::ErrorKind::InvalidFilename) => {
            "its path is longer than the system takes: give a folder further down as an input"
        }
        _ => "make it readable",
    }
}

/// Whether a folder is a git directory, by what stands in it.
fn looks_like_store(folder: &Path) -> bool {
    let kind = |name: &str| {
        std::fs::symlink_metadata(folder.join(name))
            .ok()
            .map(|metadata| metadata.file_type())
    };
    // Old versions of git made HEAD a link.
    let has_head = kind("HEAD").is_some_and(|kind| kind.is_file() || kind.is_symlink());
    has_head
        && is_store(
            has_head,
            kind("objects").is_some_and(|kind| kind.is_dir()),
            kind("refs").is_some_and(|kind| kind.is_dir())
                || kind("packed-refs").is_some_and(|kind| kind.is_file()),
        )
}

/// The unit of a git directory. Its stamp stands for those of all its files.
fn walk_store(
    index: usize,
    root: &InputRoot,
    folder: &Path,
    stores: &mut Vec<PathBuf>,
    walked: &mut Walked,
) -> Unit {
    let mut files = Vec::new();
    for_each_below(folder, root, stores, walked, |entry, metadata| {
        let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let stamp = metadata.map(Stamp::of).unwrap_or_default();
        files.push((slashed(path), stamp));
    });
    files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Unit {
        input: index,
        path: below(root, folder),
        stamp: Stamp::of_all(&files),
        store: Some(Arc::new(
            files
                .into_iter()
                .map(|(path, stamp)| StoreFile {
                    path,
                    len: stamp.size,
                })
                .collect(),
        )),
        twin: None,
    }
}

/// The same unit as it looks now.
pub fn look_again(root: &InputRoot, unit: &Unit) -> Unit {
    let (mut stores, mut walked) = (Vec::new(), Walked::default());
    walk_store(
        unit.input,
        root,
        &path_of(root, unit),
        &mut stores,
        &mut walked,
    )
}

#[cfg(unix)]
fn special_kind(kind: &std::fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "fifo"
    } else if kind.is_socket() {
        "socket"
    } else {
        "device"
    }
}

#[cfg(not(unix))]
fn special_kind(_kind: &std::fs::FileType) -> &'static str {
    "special"
}

/// The path below an input as raw bytes, with `/` between folders.
fn below(root: &InputRoot, path: &Path) -> Vec<u8> {
    slashed(path.strip_prefix(&root.path).unwrap_or(path))
}

/// The bytes of a path, with `/` between folders.
pub fn slashed(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_encoded_bytes().to_vec();
    if std::path::MAIN_SEPARATOR == '/' {
        return bytes;
    }
    bytes
        .into_iter()
        .map(|byte| if byte == b'\\' { b'/' } else { byte })
        .collect()
}

/// The path of a unit in the file system.
pub fn path_of(root: &InputRoot, unit: &Unit) -> PathBuf {
    below_path(&root.path, &unit.path)
}

/// The path of something below a folder, by raw bytes.
pub(super) fn below_path(folder: &Path, path: &[u8]) -> PathBuf {
    if path.is_empty() {
        return folder.to_path_buf();
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        folder.join(OsStr::from_bytes(path))
    }
    #[cfg(not(unix))]
    folder.join(String::from_utf8_lossy(path).as_ref())
}

/// Opens a unit read-only; never through a link, never waiting for a pipe, without touching its access time where
/// the system allows that.
///
/// # Errors
/// The trouble to report: vanished, unreadable, or no longer a regular file.
pub fn open(root: &InputRoot, unit: &Unit) -> Result<(File, Stamp), Trouble> {
    // The user may name a link as an input; links found while walking are never followed.
    let follow = unit.path.is_empty();
    open_at(&path_of(root, unit), follow, unit.stamp.size)
}

/// Opens a file of a git directory, as [`open`] does.
///
/// # Errors
/// As [`open`].
pub fn open_in_store(folder: &Path, file: &StoreFile) -> Result<(File, Stamp), Trouble> {
    open_at(&below_path(folder, &file.path), false, file.len)
}

fn open_at(path: &Path, follow: bool, size: u64) -> Result<(File, Stamp), Trouble> {
    let file = open_file(path, follow).map_err(|error| {
        let (code, what, then) = match error.kind() {
            io::ErrorKind::NotFound => (
                "vanished",
                "the file vanished after the folder was walked",
                "run the same command again when it can be read",
            ),
            io::ErrorKind::InvalidFilename => (
                "unreadable",
                "the file could not be opened",
                way_out(Some(&error)),
            ),
            _ => (
                "unreadable",
                "the file could not be opened",
                "run the same command again when it can be read",
            ),
        };
        Trouble::skipped(code, format!("{what}: {error}; {then}"), Some(size))
    })?;
    let metadata = file.metadata().map_err(|error| unreadable(&error, size))?;
    if !metadata.is_file() {
        return Err(Trouble::skipped(
            "unreadable",
            "this was a regular file when the folder was walked, and is none any more",
            Some(size),
        ));
    }
    Ok((file, Stamp::of(&metadata)))
}

fn unreadable(error: &io::Error, size: u64) -> Trouble {
    Trouble::skipped(
        "unreadable",
        format!(
            "the file could not be read: {error}; run the same command again when it can be read"
        ),
        Some(size),
    )
}

#[cfg(target_os = "linux")]
pub(super) fn open_file(path: &Path, follow: bool) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let base = libc::O_NONBLOCK | libc::O_CLOEXEC | if follow { 0 } else { libc::O_NOFOLLOW };
    let open = |flags| OpenOptions::new().read(true).custom_flags(flags).open(path);
    // Only the owner of a file may leave its access time alone.
    open(base | libc::O_NOATIME).or_else(|error| match error.raw_os_error() {
        Some(libc::EPERM) => open(base),
        _ => Err(error),
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open_file(path: &Path, _follow: bool) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_base_names_and_numbered_when_equal() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("x/in"), folder.path().join("y/in"));
        std::fs::create_dir_all(&a).unwrap();
        std::fs::create_dir_all(&b).unwrap();
        let roots = look_at(&[a, b], None, false).unwrap();
        assert_eq!(roots[0].label, "in");
        assert_eq!(roots[1].label, "in#2");
    }

    #[cfg(unix)]
    #[test]
    fn hidden_files_are_units_and_links_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join(".git")).unwrap();
        std::fs::write(root.join(".git/HEAD"), "ref: x").unwrap();
        std::fs::write(root.join(".gitignore"), "b").unwrap();
        std::fs::write(root.join("b"), "").unwrap();
        std::os::unix::fs::symlink("..", root.join("loop")).unwrap();
        let roots = look_at(&[root.to_path_buf()], None, false).unwrap();
        let (units, walked) = walk(0, &roots[0], &mut Twins::default());
        let paths: Vec<_> = units.iter().map(|unit| unit.path.as_slice()).collect();
        assert_eq!(paths, [&b".git/HEAD"[..], b".gitignore", b"b"]);
        assert_eq!(walked.other["folder"], 1);
        assert_eq!(walked.other["symlink"], 1);
    }
}
