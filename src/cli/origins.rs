//! Where copies come from, as the user says it: reads the list, the records of acquisition, and the folders of copies.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::CliError;
use crate::case::{AcquisitionList, CopiesRoot, OriginList, OriginsAsked};
use crate::scan::input::InputRoot;

/// What `scan` takes.
#[derive(Debug, clap::Args)]
pub struct OriginsArgs {
    /// List of the places that copies were got from, and of others: CSV with any of the columns path, url, host, parent,
    /// seen-at. A row whose path is not in the input, or without one, is a place that was not examined
    #[arg(long, value_name = "FILE")]
    origins: Option<PathBuf>,
    /// Record of how inputs were acquired: CSV or JSON with path, url, time, tool, version, person, sha256, capture and
    /// headers (columns `header:NAME`), or a WARC. May be given several times
    #[arg(long, value_name = "FILE")]
    acquisition: Vec<PathBuf>,
    /// Folder of copies, an input or below one: each thing directly in it is one place, whatever it holds. May be given
    /// several times
    #[arg(long, value_name = "DIR")]
    copies_root: Vec<PathBuf>,
}

impl OriginsArgs {
    /// Reads what was given. `roots` are the inputs.
    pub fn load(&self, roots: &[InputRoot]) -> Result<OriginsAsked, CliError> {
        let base = std::env::current_dir().map_err(|error| {
            CliError::new(format!("cannot tell the folder this runs in: {error}"))
        })?;
        let mut asked = OriginsAsked::default();
        if let Some(path) = &self.origins {
            let list = OriginList::parse(&read(path)?, &path.display().to_string(), &base)?;
            asked.list = Some(list);
        }
        for path in &self.acquisition {
            let list = AcquisitionList::parse(&read(path)?, &path.display().to_string(), &base)?;
            asked.acquired.push(list);
        }
        for folder in &self.copies_root {
            asked.copies_roots.extend(copies_roots(folder, roots)?);
        }
        Ok(asked)
    }
}

/// The bytes of a file, and one more than is taken where it is larger.
fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(OriginList::FILE_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| CliError::new(format!("cannot read {}: {error}", path.display())))?;
    Ok(bytes)
}

/// A folder of copies, below each input that it is in.
fn copies_roots(folder: &Path, roots: &[InputRoot]) -> Result<Vec<CopiesRoot>, CliError> {
    if !folder.is_dir() {
        return Err(CliError::new(format!(
            "--copies-root {} is no folder; name the folder that the copies lie in",
            folder.display()
        )));
    }
    let wanted = plain(folder);
    let within = |root: &InputRoot| {
        let below = wanted.strip_prefix(plain(&root.path)).ok()?.to_owned();
        root.is_folder.then(|| CopiesRoot {
            label: root.label.clone(),
            folder: crate::scan::input::slashed(&below),
        })
    };
    let found: Vec<CopiesRoot> = roots.iter().filter_map(within).collect();
    if found.is_empty() {
        return Err(CliError::new(format!(
            "--copies-root {} is no input and lies in none; give it as an input too",
            folder.display()
        )));
    }
    Ok(found)
}

/// An absolute path without `.` and `..`, as text: no link is followed.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            std::path::Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_copies_lies_in_an_input() {
        let scratch = tempfile::tempdir().unwrap();
        let root = |path: &Path| InputRoot {
            label: "in".to_owned(),
            path: path.to_path_buf(),
            is_folder: true,
            only_device: None,
        };
        let (input, other) = (scratch.path().join("in"), scratch.path().join("input"));
        std::fs::create_dir_all(input.join("a/b")).unwrap();
        std::fs::create_dir_all(&other).unwrap();
        let roots = [root(&input)];
        let folder = |path: &Path| {
            let found = copies_roots(path, &roots).map_err(|error| error.to_string())?;
            Ok::<_, String>(String::from_utf8_lossy(&found[0].folder).into_owned())
        };
        assert_eq!(folder(&input), Ok(String::new()));
        assert_eq!(folder(&input.join("a/../a/b/.")), Ok("a/b".to_owned()));
        assert!(folder(&other).unwrap_err().contains("give it as an input"));
        assert!(folder(&input.join("c")).unwrap_err().contains("no folder"));
    }
}
