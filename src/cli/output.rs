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
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(path)
            .map_err(|error| CliError::write(path, &error))?;
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

/// Refuses a path where something is, before the work that would be lost; pipes and devices are written into.
pub fn check_free(path: &Path) -> Result<(), CliError> {
    match std::fs::symlink_metadata(path) {
        Ok(_) if takes_a_stream(path) => Ok(()),
        Ok(_) => Err(CliError::new(format!(
            "{} is there already; name a new file, nothing is ever overwritten",
            path.display()
        ))),
        Err(_) => Ok(()),
    }
}

fn takes_a_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Writes a new private file that is named by the user. Where that fails nothing half-written is left behind.
pub fn write_new(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), CliError>,
) -> Result<(), CliError> {
    check_free(path)?;
    let fail = |error: std::io::Error| CliError::write(path, &error);
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    let is_new = !takes_a_stream(path);
    if is_new {
        options.create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = std::io::BufWriter::new(options.open(path).map_err(fail)?);
    let result = fill(&mut file)
        .map_err(|error| CliError::new(format!("cannot write {}: {error}", path.display())))
        .and_then(|()| file.flush().map_err(fail));
    if result.is_err() && is_new {
        // The error itself is what the user needs.
        let _ = std::fs::remove_file(path);
    }
    result
}
