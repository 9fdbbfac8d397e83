//! Builds a signature set and its names from files, in whatever order they come.
//!
//! The same files give the same bytes: entries are sorted, equal ones collapse, the key follows from the content (or is
//! given), and nothing of the machine or the hour goes in. Files are not made here: who has the set written chooses
//! the place and the permissions, and writes under a new name, since a set may be mapped by somebody
//! ([`Set::open`](super::Set::open)). What is larger than memory is kept where the caller says ([`Spill`], and
//! [`runs`](super::runs) for how).

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::digest::{FileDigests, digests_of, hex};
use super::format::{
    self, CRC_SIZE_ID, Counts, EXACT_ID, FILES_ID, FLAG_BASELINE, FLAG_COMPACT,
    FLAG_FOR_THIRD_PARTIES, FLAG_PUBLIC, FileRow, LAYOUT_ID, LicenceFlag, NAME_MAX_BYTES,
    NORM_TEXT_ID, PartyFlag, Preface,
};
use super::index::{self, Form, Stored, TierKey};
use super::key::Key;
use super::layout::Rules;
use super::prints::{FilePrints, Tier};
use super::runs::{Body, Spill, Stores};
use super::{compact, names, table};
use crate::lex::Family;

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
    /// Digest without its layout ([`layout::digest`](super::layout::digest)), `None` when there is none.
    pub layout: Option<[u8; 32]>,
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
            layout: digests.layout,
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
    /// Fewer fingerprints are kept: see [`compact`](super::compact). Nothing is left out of a baseline.
    pub compact: bool,
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
    /// What is built could not be written, or what was put aside could not be read again.
    #[error("the set could not be written: {reason}; is there room on the disk?")]
    Io {
        /// What the system said.
        reason: String,
    },
}

impl From<io::Error> for BuildError {
    fn from(error: io::Error) -> BuildError {
        BuildError::Io {
            reason: error.to_string(),
        }
    }
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
    /// Fingerprints that were left out, since the set is compact.
    pub thinned_out: u64,
    /// The sections of the set by id, with their length in bytes.
    pub sections: Vec<(&'static str, u64)>,
    /// Length of the set in bytes.
    pub set_bytes: u64,
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
    entries: Vec<Entry>,
    stores: Stores,
    /// The first thing that failed.
    failed: Option<BuildError>,
}

/// What is held of a file: all but its fingerprints.
#[derive(Debug)]
struct Entry {
    path: Box<[u8]>,
    bytes: u64,
    lines: u32,
    party: PartyFlag,
    licence: LicenceFlag,
    sha256: [u8; 32],
    git_sha1: [u8; 20],
    crc32: u32,
    norm: Option<[u8; 32]>,
    layout: Option<[u8; 32]>,
    family: Option<Family>,
    /// Where its fingerprints lie, in the order of [`Tier::ALL`].
    prints: [Stored; Tier::ALL.len()],
    thinned_out: u32,
}

impl Entry {
    fn has_prints(&self) -> bool {
        self.prints.iter().any(|tier| tier.prints > 0)
    }
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
            stores: Stores::in_memory(),
            failed: None,
        }
    }

    /// Has what does not fit in memory put aside. To be called before the first file is added.
    #[must_use]
    pub fn spilling(mut self, spill: Spill) -> SetBuilder {
        self.stores = Stores::spilling(spill);
        self
    }

    /// Adds a file, and gives a number for it. Order does not matter; the same path with the same SHA-256 counts once, as
    /// first-party if it was that once. What fails is told by [`SetBuilder::check`] and at the end.
    pub fn add(&mut self, file: FileEntry) -> usize {
        let at = self.entries.len();
        match self.entry(file) {
            Ok(entry) => self.entries.push(entry),
            Err(error) => self.failed = self.failed.take().or(Some(error.into())),
        }
        at
    }

    /// Puts the fingerprints of a file aside.
    fn entry(&mut self, mut file: FileEntry) -> io::Result<Entry> {
        let (mut prints, mut thinned_out) = ([Stored::default(); Tier::ALL.len()], 0);
        for tier in Tier::ALL {
            if self.options.compact && !self.options.baseline {
                thinned_out += file
                    .prints
                    .retain(tier, |value| compact::keeps(tier, value));
            }
            let form = self.form_of(tier);
            prints[tier as usize] =
                Stored::put(form, file.prints.of_tier(tier), &mut self.stores.kept)?;
        }
        Ok(Entry {
            path: file.path.into_boxed_slice(),
            bytes: file.bytes,
            lines: file.lines,
            party: file.party,
            licence: file.licence,
            sha256: file.sha256,
            git_sha1: file.git_sha1,
            crc32: file.crc32,
            norm: file.norm,
            layout: file.layout,
            family: file.prints.family(),
            prints,
            thinned_out,
        })
    }

    fn form_of(&self, tier: Tier) -> Form {
        match tier {
            _ if self.options.baseline => Form::Frequencies,
            Tier::Atoms => Form::Files,
            _ => Form::Places,
        }
    }

    /// Says what is known of the licence of a file, by the number that [`SetBuilder::add`] gave.
    pub fn set_licence(&mut self, at: usize, licence: LicenceFlag) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.licence = licence;
        }
    }

    /// Whether all went well so far, for those who would else read on for hours.
    ///
    /// # Errors
    /// What could not be put aside.
    pub fn check(&self) -> Result<(), BuildError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Builds the set and its names, in memory.
    ///
    /// # Errors
    /// A name that is empty or too long, no file, too many, or entries that contradict each other.
    pub fn finish(self) -> Result<Built, BuildError> {
        let (mut set_bytes, mut names) = (Vec::new(), Vec::new());
        let summary = self.finish_into(&mut set_bytes, &mut names)?;
        Ok(Built {
            set_bytes,
            names,
            summary,
        })
    }

    /// Builds the set and its names, and writes them.
    ///
    /// # Errors
    /// As [`SetBuilder::finish`], and where something cannot be written.
    pub fn finish_into(
        mut self,
        set: &mut dyn Write,
        names: &mut dyn Write,
    ) -> Result<Summary, BuildError> {
        check_name("work", &self.work)?;
        check_name("release", &self.release)?;
        self.check()?;
        let added = self.entries.len();
        let entries = in_order(std::mem::take(&mut self.entries));
        if entries.is_empty() {
            return Err(BuildError::NoFiles);
        }
        let contents = distinct_contents(&entries)?;
        let counts = count(entries.iter().map(file_row))?;
        let (key, stored_key) = match self.options.key.take() {
            Some(given) => (given, None),
            None => {
                let derived = Key::derived(&self.work, &self.release, &contents);
                (derived.clone(), Some(derived))
            }
        };
        let contents = contents.len() as u32;
        let sections = self.sections(&key, &entries)?;
        let preface = Preface {
            flags: flags(&self.options),
            counts,
            work: self.work,
            release: self.release,
            key_id: key.id(),
            key: stored_key,
        };
        let (set_bytes, set_sha256) = write_set(&preface, &sections, &self.stores, set)?;
        let paths = entries.iter().map(|entry| &*entry.path);
        names::write(&preface.work, &preface.release, &set_sha256, paths, names)?;
        let sum = |of: fn(&Entry) -> u64| entries.iter().map(of).sum::<u64>();
        Ok(Summary {
            files: counts.files,
            bytes: counts.bytes,
            first_party_files: counts.first_party_files,
            first_party_bytes: counts.first_party_bytes,
            texts: sum(|entry| u64::from(entry.norm.is_some())) as u32,
            contents,
            repeats: (added - entries.len()) as u64,
            printed: sum(|entry| u64::from(entry.has_prints())) as u32,
            atoms_left_out: if self.options.for_third_parties {
                sum(|entry| u64::from(entry.prints[Tier::Atoms as usize].prints))
            } else {
                0
            },
            thinned_out: sum(|entry| u64::from(entry.thinned_out)),
            sections: (sections.iter())
                .map(|(id, body)| (*id, body.bytes()))
                .collect(),
            set_bytes,
            set_sha256,
            key_id: preface.key_id,
        })
    }

    /// The sections, in ascending order of id.
    fn sections(
        &mut self,
        key: &Key,
        entries: &[Entry],
    ) -> Result<Vec<(&'static str, Body)>, BuildError> {
        let kept = &mut self.stores.kept;
        let files: Vec<u8> = (entries.iter())
            .flat_map(|entry| file_row(entry).encode())
            .collect();
        let mut sections = vec![
            (FILES_ID, Body::put(&files, kept)?),
            (
                CRC_SIZE_ID,
                Body::put(&crc_size_section(key, entries), kept)?,
            ),
            (EXACT_ID, Body::put(&exact_section(key, entries), kept)?),
            (
                NORM_TEXT_ID,
                Body::put(&norm_text_section(key, entries), kept)?,
            ),
            (LAYOUT_ID, Body::put(&layout_section(key, entries), kept)?),
        ];
        let has_prints = entries.iter().any(Entry::has_prints);
        for tier in Tier::ALL.into_iter().filter(|_| has_prints) {
            if tier == Tier::Atoms && self.options.for_third_parties {
                continue;
            }
            let (form, tier_key) = (self.form_of(tier), TierKey::new(&key.tier_key(tier.id())));
            let files = entries.iter().map(|entry| entry.prints[tier as usize]);
            let sorter = self.stores.runs.sorter();
            let body = index::write(form, &tier_key, files, sorter, &mut self.stores.kept)?;
            sections.push((tier.id(), body));
        }
        sections.sort_unstable_by_key(|(id, _)| *id);
        Ok(sections)
    }
}

/// Writes header and sections; the length of the set, and its SHA-256.
fn write_set(
    preface: &Preface,
    sections: &[(&'static str, Body)],
    stores: &Stores,
    out: &mut dyn Write,
) -> io::Result<(u64, [u8; 32])> {
    let stated: Vec<(&str, u64, [u8; 32])> = (sections.iter())
        .map(|(id, body)| (*id, body.bytes(), body.sum))
        .collect();
    let mut hasher = Sha256::new();
    let mut put = |bytes: &[u8]| {
        hasher.update(bytes);
        out.write_all(bytes)
    };
    let header = format::header(preface, &stated);
    put(&header)?;
    let mut written = header.len() as u64;
    for (_, body) in sections {
        let zeros = format::zeros_before_section(written);
        put(&[0; format::SECTION_ALIGN][..usize::from(zeros)])?;
        stores.kept.copy(body.at..body.end, &mut put)?;
        written += u64::from(zeros) + body.bytes();
    }
    Ok((written, hasher.finalize().into()))
}

pub(super) fn check_name(field: &'static str, name: &str) -> Result<(), BuildError> {
    match name.len() {
        1..=NAME_MAX_BYTES => Ok(()),
        bytes => Err(BuildError::Name { field, bytes }),
    }
}

/// Sorted as ids are given, repeats gone. Of repeats that differ in their flags the first by flag order stays.
fn in_order(mut entries: Vec<Entry>) -> Vec<Entry> {
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
fn distinct_contents(entries: &[Entry]) -> Result<Vec<[u8; 32]>, BuildError> {
    let mut by_content: Vec<&Entry> = entries.iter().collect();
    by_content.sort_unstable_by_key(|entry| entry.sha256);
    for (a, b) in by_content.iter().zip(by_content.iter().skip(1)) {
        let facts = |e: &Entry| (e.bytes, e.lines, e.git_sha1, e.crc32, e.norm, e.layout);
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

fn file_row(entry: &Entry) -> FileRow {
    FileRow {
        bytes: entry.bytes,
        lines: entry.lines,
        party: entry.party,
        licence: entry.licence,
        has_norm: entry.norm.is_some(),
        family: entry.family,
        is_length_known: true,
    }
}

pub(super) fn count(rows: impl Iterator<Item = FileRow>) -> Result<Counts, BuildError> {
    let mut counts = Counts::default();
    for row in rows {
        counts.add(&row).ok_or(BuildError::TooMany)?;
    }
    Ok(counts)
}

fn flags(options: &Options) -> u32 {
    let flag = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
    flag(options.public, FLAG_PUBLIC)
        | flag(options.baseline, FLAG_BASELINE)
        | flag(options.for_third_parties, FLAG_FOR_THIRD_PARTIES)
        | flag(options.compact && !options.baseline, FLAG_COMPACT)
}

fn crc_size_section(key: &Key, entries: &[Entry]) -> Vec<u8> {
    let by_crc = (0..)
        .zip(entries)
        .map(|(id, e)| (key.crc_value(e.bytes, e.crc32), id));
    table::build(by_crc.collect())
}

fn exact_section(key: &Key, entries: &[Entry]) -> Vec<u8> {
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

fn norm_text_section(key: &Key, entries: &[Entry]) -> Vec<u8> {
    let by_norm = (0..)
        .zip(entries)
        .filter_map(|(id, e)| e.norm.map(|norm| (key.norm_value(&norm), id)));
    table::build(by_norm.collect())
}

fn layout_section(key: &Key, entries: &[Entry]) -> Vec<u8> {
    let by_layout = (0..).zip(entries).filter_map(|(id, e)| {
        e.layout
            .map(|layout| (key.layout_value(Rules::Second, &layout), id))
    });
    table::build(by_layout.collect())
}
