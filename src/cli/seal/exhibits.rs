//! Exhibits of a folder that is sealed: the list, and the copies where they are wanted.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::Path;

use crate::blob::digest::StreamDigests;
use crate::case::Case;
use crate::cli::CliError;
use crate::cli::kept::open_kept;
use crate::cli::output::OutputFolder;
use crate::record::Record;
use crate::report::evidence::exhibits::{self, List, Sizes};
use crate::report::evidence::statement::{ExhibitCounts, MAX_LISTED, Subject};
use crate::report::evidence::{EXHIBITS_FILE, EXHIBITS_FOLDER, bag};

/// Bytes that are copied at a time.
const WINDOW: usize = 256 << 10;
/// Contents that are copied; the other files of a bag need room too.
const MAX_COPIES: u64 = bag::MAX_FILES as u64 - 1_000;

/// What is gathered while records stream by.
#[derive(Default)]
pub struct Exhibits {
    sizes: Sizes,
    copied: BTreeSet<String>,
    missing: BTreeSet<String>,
    /// Those that are named in the statement.
    pub subjects: Vec<Subject>,
    /// How many there are.
    pub counts: ExhibitCounts,
}

impl Exhibits {
    /// Notes the content of a record, if it is an exhibit.
    pub fn note(&mut self, record: &Record) {
        if let Some(exhibit) = exhibits::of(record) {
            self.sizes.ask(exhibit.sha256);
        }
    }

    /// Writes the list, and copies contents with a match from the folder in which a scan kept them.
    pub fn write(
        &mut self,
        case: &Case,
        folder: &OutputFolder,
        kept: Option<&Path>,
    ) -> Result<(), CliError> {
        case.records(|record| -> Result<(), CliError> {
            self.sizes.learn(&record);
            Ok(())
        })?;
        folder.make_folder("data/exhibits")?;
        let out = std::io::BufWriter::new(folder.create_file(EXHIBITS_FILE)?);
        let mut list = List::begin(out)?;
        case.records(|record| -> Result<(), CliError> {
            let Some(exhibit) = exhibits::of(&record) else {
                return Ok(());
            };
            if let (Some(kept), Record::Match(_)) = (kept, &record) {
                self.copy(folder, kept, exhibit.sha256)?;
            }
            let file = self.copied.contains(exhibit.sha256);
            let file = file.then(|| format!("files/{}", exhibit.sha256));
            if list.add(&exhibit, &self.sizes, file.as_deref())? {
                self.name(&exhibit);
            }
            Ok(())
        })?;
        self.counts.listed = list.finish()?;
        self.counts.copied = self.copied.len() as u64;
        self.counts.not_kept = self.missing.len() as u64;
        Ok(())
    }

    fn name(&mut self, exhibit: &exhibits::Exhibit<'_>) {
        if self.subjects.len() < MAX_LISTED {
            let subject = Subject::listed(exhibit.locator, exhibit.sha256);
            self.subjects.push(subject);
        } else {
            self.counts.without_subject += 1;
        }
    }

    /// Copies a content, once.
    fn copy(&mut self, folder: &OutputFolder, kept: &Path, sha256: &str) -> Result<(), CliError> {
        if self.copied.contains(sha256) || self.missing.contains(sha256) {
            return Ok(());
        }
        let file = if self.copied.len() as u64 >= MAX_COPIES {
            None
        } else {
            open_kept(kept, sha256)?
        };
        let Some(mut file) = file else {
            self.missing.insert(sha256.to_owned());
            return Ok(());
        };
        if self.copied.is_empty() {
            // Not before there is something to lie in it: no list names an empty folder.
            folder.make_folder(EXHIBITS_FOLDER)?;
        }
        let mut out = folder.create_file(&format!("{EXHIBITS_FOLDER}/{sha256}"))?;
        let (mut digests, mut window) = (StreamDigests::default(), vec![0; WINDOW]);
        loop {
            let read = file.read(&mut window)?;
            if read == 0 {
                break;
            }
            digests.update(&window[..read]);
            out.write_all(&window[..read])?;
        }
        out.flush()?;
        let (_, digest, bytes) = digests.finish();
        if digest.hex() != sha256 {
            return Err(CliError::new(format!(
                "what was kept as {sha256} is not the content of that name, so nothing is sealed; move it away, or seal without --copy-matched"
            )));
        }
        self.sizes.set(sha256, bytes);
        self.copied.insert(sha256.to_owned());
        Ok(())
    }
}
