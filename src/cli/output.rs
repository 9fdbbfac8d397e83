//! Writing files: private (0600, folders 0700), never over something that is there, never outside the folder that
//! the user named.

use std::io::Write;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, OpenOptions};
#[cfg(unix)]
use cap_std::fs::{DirBuilderExt, OpenOptionsExt};

use super::CliError;

/// A folder of ours. Everything is written through its handle, so that neither a name nor a link leads out of it.
pub struct OutputFolder {
    folder: Dir,
    path: PathBuf,
}

impl OutputFolder {
    /// Makes the folder, or takes one that is there and empty.
    pub fn create(path: &Path) -> Result<Self, CliError> {
        make_private_folder(path)?;
        let folder = Dir::open_ambient_dir(path, ambient_authority())
            .map_err(|error| CliError::write(path, &error))?;
        let mut entries = folder
            .entries()
            .map_err(|error| CliError::write(path, &error))?;
        if entries.next().is_some() {
            return Err(CliError::new(format!(
                "the output folder {} is not empty; name a new one, nothing is ever overwritten",
                path.display()
            )));
        }
        Ok(Self {
            folder,
            path: path.to_path_buf(),
        })
    }

    /// Makes a folder below, and those above it.
    pub fn make_folder(&self, path: &str) -> Result<(), CliError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        builder.mode(0o700);
        self.folder
            .create_dir_with(path, &builder)
            .map_err(|error| CliError::write(&self.path.join(path), &error))
    }

    /// Makes a folder below, and those above it, as a folder of its own.
    pub fn below(&self, path: &str) -> Result<Self, CliError> {
        self.make_folder(path)?;
        let full = self.path.join(path);
        let folder = self.folder.open_dir(path);
        Ok(Self {
            folder: folder.map_err(|error| CliError::write(&full, &error))?,
            path: full,
        })
    }

    /// A new file below.
    pub fn create_file(&self, path: &str) -> Result<impl Write + use<>, CliError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        self.folder
            .open_with(path, &options)
            .map_err(|error| CliError::write(&self.path.join(path), &error))
    }

    /// Writes a new file below.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(), CliError> {
        let mut file = self.create_file(path)?;
        file.write_all(bytes)
            .and_then(|()| file.flush())
            .map_err(|error| CliError::write(&self.path.join(path), &error))
    }
}

/// The bytes of a small file that the user named.
pub fn read_at_most(path: &Path, limit: u64) -> Result<Vec<u8>, CliError> {
    let failed =
        |error: std::io::Error| CliError::new(format!("cannot read {}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, limit + 1), &mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(CliError::new(format!(
            "{} has more than {limit} bytes, so it is not what was asked for; name another file",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Makes a folder, and those above it, that only its owner may enter; one that is there stays as it is.
pub fn make_private_folder(path: &Path) -> Result<(), CliError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| CliError::write(path, &error))
}

/// A new private file that is named by the user, open from before the work to its end: behind the wall no file can be
/// made. Where it is not filled, nothing half-written is left behind.
pub struct NewFile {
    file: std::fs::File,
    path: PathBuf,
    /// A pipe or a device is written into, and stays what it is.
    is_ours: bool,
}

impl NewFile {
    /// Makes the file. An empty one that is there is taken, since there is nothing in it to overwrite: a run that was
    /// killed leaves one.
    pub fn create(path: &Path) -> Result<Self, CliError> {
        let is_ours = !takes_a_stream(path);
        check_free(path)?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true);
        let is_there = is_ours && is_empty_file(path);
        if is_ours && !is_there {
            options.create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let fail = |error| CliError::write(path, &error);
        let file = options.open(path).map_err(fail)?;
        #[cfg(unix)]
        if is_there {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))
                .map_err(fail)?;
        }
        Ok(Self {
            file,
            path: path.to_path_buf(),
            is_ours,
        })
    }

    /// Writes all of it.
    pub fn fill(
        mut self,
        fill: impl FnOnce(&mut dyn Write) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let mut file = std::io::BufWriter::new(&self.file);
        fill(&mut file).map_err(|error| {
            CliError::new(format!("cannot write {}: {error}", self.path.display()))
        })?;
        file.flush()
            .map_err(|error| CliError::write(&self.path, &error))?;
        drop(file);
        self.is_ours = false;
        Ok(())
    }
}

impl Drop for NewFile {
    /// Takes away what was not filled; behind the wall it can only be emptied. Why it was not is what the user needs.
    fn drop(&mut self) {
        if self.is_ours && std::fs::remove_file(&self.path).is_err() {
            let _ = self.file.set_len(0);
        }
    }
}

/// Refuses a path where something is, before the work that would be lost; pipes and devices are written into, and in an
/// empty file is nothing to lose.
pub fn check_free(path: &Path) -> Result<(), CliError> {
    let is_free = match std::fs::symlink_metadata(path) {
        Ok(_) => takes_a_stream(path) || is_empty_file(path),
        Err(_) => true,
    };
    if is_free {
        return Ok(());
    }
    Err(CliError::new(format!(
        "{} is there already; name a new file, nothing is ever overwritten",
        path.display()
    )))
}

fn takes_a_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Whether there is a file with nothing in it; a link to one is none.
fn is_empty_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == 0)
}

/// Writes a new private file that is named by the user.
pub fn write_new(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), CliError>,
) -> Result<(), CliError> {
    NewFile::create(path)?.fill(fill)
}
