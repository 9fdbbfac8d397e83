//! Builds a signature set and its names from files, in whatever order they come.
//!
//! The same files give the same bytes: entries are sorted, equal ones collapse, the key follows from the content (or is
//! given), and nothing of the machine or the hour goes in. The result is returned, not written: who writes it chooses
//! the place and the permissions, and writes under a new name, since a set may be mapped by somebody
//! ([`Set::open`](super::Set::open)).

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::digest::{FileDigests, digests_of, hex};
use super::format::{
    self, CRC_SIZE_ID, Counts, EXACT_ID, FILES_ID, FLAG_BASELINE, FLAG_FOR_THIRD_PARTIES,
    FLAG_PUBLIC, FileRow, LicenceFlag, NAME_MAX_BYTES, NORM_TEXT_ID, PartyFlag, Preface,
};
use super::index::{self, Form, TierKey};
use super::key::Key;
use super::prints::{FilePrints, Tier};
use super::{names, table};

/// One file of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Path below the root of the work, raw bytes. It goes to the names only.
    pub path: Vec<u8>,
    /// Length in bytes.
    pub bytes: u64,
    /// Lines as [`norm_text::lines`](super::norm_text::lines) counts them; 0 when it is not text.
    pub lines: u32,
    /// Whose it is. Only [`PartyFlag::First`] counts in the share of the work that a copy holds.
    pub party: PartyFlag,
    /// Its licence, as far as known.
    pub licence: LicenceFlag,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
    /// Git blob id ([`git_blob_sha1`](super::git_blob_sha1)).
    pub git_sha1: [u8; 20],
    /// CRC-32 of the bytes.
    pub crc32: u32,
    /// Digest of the normal form ([`norm_text::digest`](super::norm_text::digest)), `None` when there is none.
    pub norm: Option<[u8; 32]>,
    /// Its fingerprints ([`FilePrints::of`]).
    pub prints: FilePrints,
}

impl FileEntry {
    /// An entry with these digests and no known licence.
    #[must_use]
    pub fn new(path: impl Into<Vec<u8>>, party: PartyFlag, digests: FileDigests) -> FileEntry {
        FileEntry {
            path: path.into(),
            bytes: digests.bytes,
            lines: digests.lines,
            party,
            licence: LicenceFlag::Unknown,
            sha256: digests.sha256,
            git_sha1: digests.git_sha1,
            crc32: digests.crc32,
            norm: digests.norm,
            prints: FilePrints::default(),
        }
    }

    /// An entry for a file that is at hand.
    #[must_use]
    pub fn of(path: impl Into<Vec<u8>>, party: PartyFlag, content: &[u8]) -> FileEntry {
        let mut entry = FileEntry::new(path, party, digests_of(content));
        entry.prints = FilePrints::of(content);
        entry
    }
}

/// How a set is made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The work is public; matches are never a leak.
    pub public: bool,
    /// The set is public code to be subtracted.
    pub baseline: bool,
    /// The set is to be handed on: single atoms, which can be guessed one by one, are left out. Short texts are the
    /// caller's to leave out.
    pub for_third_parties: bool,
    /// The key, if one is given. Without one it is derived and stands in the set.
    pub key: Option<Key>,
}

/// Why a set could not be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BuildError {
    /// Name of work or release is empty or too long.
    #[error("the {field} has {bytes} bytes; it needs 1 to {NAME_MAX_BYTES}")]
    Name {
        /// `work` or `release`.
        field: &'static str,
        /// Its length in bytes.
        bytes: usize,
    },
    /// There is nothing to sign.
    #[error("there is no file to sign")]
    NoFiles,
    /// More files or bytes than the format can count.
    #[error(
        "more than {} files, or more bytes than can be counted; sign the work in parts",
        u32::MAX
    )]
    TooMany,
    /// Lists that name files in different ways.
    #[error(
        "one list names files by {} and another by {}, so that a file in both would count twice; make a set of each",
        kinds[0], kinds[1]
    )]
    MixedLists {
        /// Two of the ways, in words.
        kinds: [&'static str; 2],
    },
    /// Two entries have the same SHA-256 and differ in length, lines or another digest: the caller's mistake.
    #[error(
        "two entries with SHA-256 {sha256} do not agree about length, lines, git id or normal form"
    )]
    Contradiction {
        /// The SHA-256 that both have, hexadecimal.
        sha256: String,
    },
}

/// A set and its names, ready to be written.
#[derive(Debug, Clone)]
pub struct Built {
    /// The bytes of the `.sigset` file.
    pub set_bytes: Vec<u8>,
    /// The bytes of the `.names` file. Private: it holds the paths.
    pub names: Vec<u8>,
    /// What was signed.
    pub summary: Summary,
}

/// What was signed, for the person who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Files in the set.
    pub files: u32,
    /// Their length in bytes.
    pub bytes: u64,
    /// Of these, files flagged [`PartyFlag::First`].
    pub first_party_files: u32,
    /// Their length in bytes.
    pub first_party_bytes: u64,
    /// Files that can be found by their normal form.
    pub texts: u32,
    /// Distinct contents.
    pub contents: u32,
    /// Entries that were added more than once (same path, same bytes) and count once.
    pub repeats: u64,
    /// Files with fingerprints.
    pub printed: u32,
    /// Fingerprints that were left out, since the set is to be handed on.
    pub atoms_left_out: u64,
    /// The sections of the set by id, with their length in bytes.
    pub sections: Vec<(&'static str, u64)>,
    /// SHA-256 of the set's bytes.
    pub set_sha256: [u8; 32],
    /// Id of the key.
    pub key_id: [u8; 16],
}

/// Gathers files and makes a set of them.
#[derive(Debug)]
pub struct SetBuilder {
    work: String,
    release: String,
    options: Options,
    entries: Vec<FileEntry>,
}

impl SetBuilder {
    /// A builder for this release of this work.
    #[must_use]
    pub fn new(
        work: impl Into<String>,
        release: impl Into<String>,
        options: Options,
    ) -> SetBuilder {
        SetBuilder {
            work: work.into(),
            release: release.into(),
            options,
            entries: Vec::new(),
        }
    }

    /// Adds a file. Order does not matter; the same path with the same SHA-256 counts once, as first-party if it was
    /// that once.
    pub fn add(&mut self, entry: FileEntry) {
        self.entries.push(entry);
    }

    /// Builds the set and its names.
    ///
    /// # Errors
    /// A name that is empty or too long, no file, too many, or entries that contradict each other.
    pub fn finish(self) -> Result<Built, BuildError> {
        check_name("work", &self.work)?;
        check_name("release", &self.release)?;
        let added = self.entries.len();
        let entries = in_order(self.entries);
        if entries.is_empty() {
            return Err(BuildError::NoFiles);
        }
        let contents = distinct_contents(&entries)?;
        let rows: Vec<FileRow> = entries.iter().map(file_row).collect();
        let counts = count(&rows)?;

        let (key, stored_key) = match self.options.key {
            Some(given) => (given, None),
            None => {
                let derived = Key::derived(&self.work, &self.release, &contents);
                (derived.clone(), Some(derived))
            }
        };
        let is_handed_on = self.options.for_third_parties;
        let mut sections = vec![
            (CRC_SIZE_ID, crc_size_section(&key, &entries)),
            (EXACT_ID, exact_section(&key, &entries)),
            (FILES_ID, rows.iter().flat_map(FileRow::encode).collect()),
            (NORM_TEXT_ID, norm_text_section(&key, &entries)),
        ];
        if entries.iter().any(|entry| !entry.prints.is_empty()) {
            let is_baseline = self.options.baseline;
            let tiers = Tier::ALL.into_iter();
            let tiers = tiers.filter(|&tier| tier != Tier::Atoms || !is_handed_on);
            let indexes =
                tiers.map(|tier| (tier.id(), prints_section(&key, tier, is_baseline, &entries)));
            sections.extend(indexes);
        }
        sections.sort_unstable_by_key(|(id, _)| *id);
        let preface = Preface {
            flags: flags(self.options.public, self.options.baseline, is_handed_on),
            counts,
            work: self.work,
            release: self.release,
            key_id: key.id(),
            key: stored_key,
        };
        let set_bytes = format::assemble(&preface, &sections);
        let set_sha256 = Sha256::digest(&set_bytes).into();
        let paths = entries.iter().map(|entry| entry.path.as_slice());
        let names = names::write(&preface.work, &preface.release, &set_sha256, paths);
        let summary = Summary {
            files: counts.files,
            bytes: counts.bytes,
            first_party_files: counts.first_party_files,
            first_party_bytes: counts.first_party_bytes,
            texts: rows.iter().map(|row| u32::from(row.has_norm)).sum(),
            contents: contents.len() as u32,
            printed: entries
                .iter()
                .map(|e| u32::from(!e.prints.is_empty()))
                .sum(),
            atoms_left_out: if is_handed_on {
                let atoms = entries.iter().map(|e| e.prints.of_tier(Tier::Atoms).len());
                atoms.sum::<usize>() as u64
            } else {
                0
            },
            sections: sections
                .iter()
                .map(|(id, body)| (*id, body.len() as u64))
                .collect(),
            repeats: (added - entries.len()) as u64,
            set_sha256,
            key_id: preface.key_id,
        };
        Ok(Built {
            set_bytes,
            names,
            summary,
        })
    }
}

pub(super) fn check_name(field: &'static str, name: &str) -> Result<(), BuildError> {
    match name.len() {
        1..=NAME_MAX_BYTES => Ok(()),
        bytes => Err(BuildError::Name { field, bytes }),
    }
}

/// Sorted as ids are given, repeats gone. Of repeats that differ in their flags the first by flag order stays.
fn in_order(mut entries: Vec<FileEntry>) -> Vec<FileEntry> {
    entries.sort_by(|a, b| {
        let place = a.path.cmp(&b.path).then(a.sha256.cmp(&b.sha256));
        place
            .then(a.party.cmp(&b.party))
            .then(a.licence.cmp(&b.licence))
    });
    entries.dedup_by(|later, kept| later.path == kept.path && later.sha256 == kept.sha256);
    entries
}

/// The distinct SHA-256 digests, ascending. Entries that share one must agree in all that follows from the bytes.
fn distinct_contents(entries: &[FileEntry]) -> Result<Vec<[u8; 32]>, BuildError> {
    let mut by_content: Vec<&FileEntry> = entries.iter().collect();
    by_content.sort_unstable_by_key(|entry| entry.sha256);
    for (a, b) in by_content.iter().zip(by_content.iter().skip(1)) {
        let facts = |e: &FileEntry| (e.bytes, e.lines, e.git_sha1, e.crc32, e.norm);
        if a.sha256 == b.sha256 && facts(a) != facts(b) {
            return Err(BuildError::Contradiction {
                sha256: hex(&a.sha256),
            });
        }
    }
    let mut contents: Vec<[u8; 32]> = by_content.iter().map(|entry| entry.sha256).collect();
    contents.dedup();
    Ok(contents)
}

fn file_row(entry: &FileEntry) -> FileRow {
    FileRow {
        bytes: entry.bytes,
        lines: entry.lines,
        party: entry.party,
        licence: entry.licence,
        has_norm: entry.norm.is_some(),
        family: entry.prints.family(),
        is_length_known: true,
    }
}

pub(super) fn count(rows: &[FileRow]) -> Result<Counts, BuildError> {
    let mut counts = Counts::default();
    for row in rows {
        counts.add(row).ok_or(BuildError::TooMany)?;
    }
    Ok(counts)
}

fn flags(public: bool, baseline: bool, for_third_parties: bool) -> u32 {
    let flag = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
    flag(public, FLAG_PUBLIC)
        | flag(baseline, FLAG_BASELINE)
        | flag(for_third_parties, FLAG_FOR_THIRD_PARTIES)
}

fn crc_size_section(key: &Key, entries: &[FileEntry]) -> Vec<u8> {
    let by_crc = (0..)
        .zip(entries)
        .map(|(id, e)| (key.crc_value(e.bytes, e.crc32), id));
    table::build(by_crc.collect())
}

fn exact_section(key: &Key, entries: &[FileEntry]) -> Vec<u8> {
    let by_sha256 = (0..)
        .zip(entries)
        .map(|(id, e)| (key.sha256_value(&e.sha256), id));
    let mut section = table::build(by_sha256.collect());
    let by_git = (0..)
        .zip(entries)
        .map(|(id, e)| (key.git_value(&e.git_sha1), id));
    section.extend(table::build(by_git.collect()));
    section
}

fn prints_section(key: &Key, tier: Tier, is_baseline: bool, entries: &[FileEntry]) -> Vec<u8> {
    let form = match tier {
        _ if is_baseline => Form::Frequencies,
        Tier::Atoms => Form::Files,
        _ => Form::Places,
    };
    let files = entries.iter().map(|entry| entry.prints.of_tier(tier));
    index::build(form, &TierKey::new(&key.tier_key(tier.id())), files)
}

fn norm_text_section(key: &Key, entries: &[FileEntry]) -> Vec<u8> {
    let by_norm = (0..)
        .zip(entries)
        .filter_map(|(id, e)| e.norm.map(|norm| (key.norm_value(&norm), id)));
    table::build(by_norm.collect())
}
