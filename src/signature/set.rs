//! A signature set that was opened: verified once, then asked.
//!
//! Opening maps the file (or reads it, [`Set::open_in_memory`]), verifies all of it and keeps where its tables lie.
//! Asking hashes one digest under the set's key and looks at a few rows; it allocates nothing and may be done from many
//! threads. A set that cannot be trusted in every byte is refused whole: a scan with half a set would say "not found"
//! of the other half.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::digest::hex;
use super::format::{
    self, CRC_SIZE_ID, Counts, EXACT_ID, FILE_ROW_BYTES, FILES_ID, FIRST_LAYOUT_ID, FLAG_BASELINE,
    FLAG_COMPACT, FLAG_FOR_THIRD_PARTIES, FLAG_OF_LISTS, FLAG_PUBLIC, Fields, FileRow, LAYOUT_ID,
    LicenceFlag, MD5_SIZE_ID, NORM_TEXT_ID, PartyFlag, Preface, Section,
};
use super::index::{Index, TierKey};
use super::key::Key;
use super::layout::Rules;
use super::names::{self, Names, NamesError};
use super::prints::Tier;
use super::table::{Ids, Table};
use super::{mmap, norm_text};
use crate::lex::Family;

/// Why a set could not be opened.
#[derive(Debug, Error)]
pub enum SetError {
    /// The file could not be read.
    #[error("cannot read the signature set {path:?}: {reason}")]
    Io {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The path leads to a folder, a pipe or a device.
    #[error("{path:?} is not a regular file; give the path of a signature set (.sigset)")]
    NotAFile {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The file was read and refused.
    #[error("signature set {path:?}: {fault}")]
    Refused {
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// Why the bytes of a set were refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// The magic is missing.
    #[error("this is not a signature set (it does not begin with STRNDSET)")]
    NotASet,
    /// Written in a layout that this release does not read.
    #[error(
        "it is of format version {major}.{minor} and this program reads version {}; use a newer program, or sign the work again",
        format::MAJOR
    )]
    OtherVersion {
        /// Major version of the set.
        major: u16,
        /// Minor version of the set.
        minor: u16,
    },
    /// A flag says that a reader must know something that this one does not.
    #[error(
        "it needs features that this program does not have (flags {flags:#010x}); use a newer program"
    )]
    UnknownFeature {
        /// The flags that are not known.
        flags: u32,
    },
    /// Fewer bytes than the header speaks of.
    #[error("it was cut short, or its header is damaged; get it again from where it was made")]
    Truncated,
    /// More bytes than the header speaks of.
    #[error("there are bytes after its end; get it again from where it was made")]
    Trailing,
    /// The header's checksum does not agree, or its fields contradict each other.
    #[error("its header is damaged; get it again from where it was made")]
    Header,
    /// A section is damaged.
    #[error("section {id} is damaged ({what}); get it again from where it was made")]
    Section {
        /// Id of the section.
        id: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The rows of files are missing.
    #[error("it has no section {FILES_ID}; it was made by a faulty program")]
    NoFiles,
    /// Signed with a key file that was not given.
    #[error("it was signed with a key (id {key_id}); give the same key file with --key")]
    KeyNeeded {
        /// Id of the key, hexadecimal.
        key_id: String,
    },
    /// Signed with another key file.
    #[error(
        "it was signed with the key {key_id}, and the key given is {given_id}; give the key file it was signed with"
    )]
    WrongKey {
        /// Id of the set's key, hexadecimal.
        key_id: String,
        /// Id of the key that was given, hexadecimal.
        given_id: String,
    },
}

/// What a set says about one file of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileInfo {
    /// Length in bytes; 0 when it is not known.
    pub bytes: u64,
    /// Whether its length is known: a list need not state it.
    pub is_length_known: bool,
    /// Lines as [`norm_text::lines`] counts them; 0 when it is not text, or nobody read it ([`Set::is_of_lists`]).
    pub lines: u32,
    /// Whose it is.
    pub party: PartyFlag,
    /// Its licence, as far as the signer knew.
    pub licence: LicenceFlag,
    /// Whether it can be found by its normal form.
    pub has_norm: bool,
    /// The lexer that its fingerprints were made with.
    pub family: Option<Family>,
}

/// One opened signature set.
#[derive(Debug)]
pub struct Set {
    data: Data,
    preface: Preface,
    key: Key,
    files: std::ops::Range<usize>,
    exact: Option<Exact>,
    crc_size: Option<Table>,
    md5_size: Option<Md5Size>,
    norm_text: Option<Table>,
    layout: Option<(Rules, Table)>,
    prints: [Option<Index>; Tier::ALL.len()],
    unknown_tiers: Vec<String>,
    names: Option<Names>,
    sha256: OnceLock<[u8; 32]>,
}

/// The two tables of `exact/1`.
#[derive(Debug)]
struct Exact {
    sha256: Table,
    git_sha1: Table,
}

/// The table of `md5-size/1`, and the lengths in it, ascending: what has none of these need not be digested.
#[derive(Debug)]
struct Md5Size {
    table: Table,
    lengths: Vec<u64>,
}

/// What files of a work count in a copy of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Files.
    pub files: u64,
    /// Their length in bytes, `None` where one of them is not known.
    pub bytes: Option<u64>,
}

/// Where the bytes of a set are.
#[derive(Debug)]
enum Data {
    Mapped(memmap2::Mmap),
    Memory(Bytes),
}

impl std::ops::Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Data::Mapped(map) => map,
            Data::Memory(bytes) => bytes,
        }
    }
}

impl Set {
    /// Maps the set at `path` and verifies it. `key` is needed if the set was signed with one, and not looked at
    /// otherwise. The file must not be changed while the set is open (see `mmap.rs`).
    ///
    /// # Errors
    /// The file cannot be read, is not a set, is damaged or too new, or the key is missing or wrong.
    pub fn open(path: &Path, key: Option<&Key>) -> Result<Set, SetError> {
        let io_error = |reason| SetError::Io {
            path: path.to_owned(),
            reason,
        };
        // Asked before opening: to open a pipe would wait for somebody to write to it.
        if !fs::metadata(path).map_err(io_error)?.is_file() {
            return Err(SetError::NotAFile {
                path: path.to_owned(),
            });
        }
        let file = File::open(path).map_err(io_error)?;
        let map = mmap::map(&file).map_err(io_error)?;
        Set::verify(Data::Mapped(map), key).map_err(|fault| SetError::Refused {
            path: path.to_owned(),
            fault,
        })
    }

    /// As [`Set::open`], with the file read into memory: for a file that somebody may change meanwhile.
    ///
    /// # Errors
    /// As [`Set::open`].
    pub fn open_in_memory(path: &Path, key: Option<&Key>) -> Result<Set, SetError> {
        let io_error = |reason| SetError::Io {
            path: path.to_owned(),
            reason,
        };
        if !fs::metadata(path).map_err(io_error)?.is_file() {
            return Err(SetError::NotAFile {
                path: path.to_owned(),
            });
        }
        let data = fs::read(path).map_err(io_error)?;
        Set::from_bytes(data, key).map_err(|fault| SetError::Refused {
            path: path.to_owned(),
            fault,
        })
    }

    /// Verifies a set that is in memory.
    ///
    /// # Errors
    /// It is not a set, is damaged or too new, or the key is missing or wrong.
    pub fn from_bytes(data: impl Into<Bytes>, key: Option<&Key>) -> Result<Set, Fault> {
        Set::verify(Data::Memory(data.into()), key)
    }

    fn verify(data: Data, key: Option<&Key>) -> Result<Set, Fault> {
        let (preface, sections) = format::parse(&data)?;
        let files = verified_files(&data, &preface.counts, &sections)?;
        let key = usable_key(&preface, key)?;
        let mut set = Set {
            files,
            exact: None,
            crc_size: None,
            md5_size: None,
            norm_text: None,
            layout: None,
            prints: Default::default(),
            unknown_tiers: Vec::new(),
            names: None,
            sha256: OnceLock::new(),
            preface,
            key,
            data,
        };
        for section in &sections {
            set.read_tier(section)?;
        }
        Ok(set)
    }

    fn read_tier(&mut self, section: &Section) -> Result<(), Fault> {
        match section.id.as_str() {
            FILES_ID => {}
            EXACT_ID => {
                let [sha256, git_sha1] = self.tables(section)?;
                self.exact = Some(Exact { sha256, git_sha1 });
            }
            CRC_SIZE_ID => {
                let [table] = self.tables(section)?;
                self.crc_size = Some(table);
            }
            MD5_SIZE_ID => {
                let [table] = self.tables(section)?;
                let mut lengths: Vec<u64> = self.lengths().collect();
                lengths.sort_unstable();
                lengths.dedup();
                self.md5_size = Some(Md5Size { table, lengths });
            }
            NORM_TEXT_ID => {
                let [table] = self.tables(section)?;
                self.norm_text = Some(table);
            }
            id @ (FIRST_LAYOUT_ID | LAYOUT_ID) => {
                let [table] = self.tables(section)?;
                let rules = match id {
                    LAYOUT_ID => Rules::Second,
                    _ => Rules::First,
                };
                // Sections come in ascending order: of two the second is asked.
                self.layout = Some((rules, table));
            }
            id => match Tier::of_id(id) {
                Some(tier) => {
                    let body = self.data.get(section.range.clone()).unwrap_or_default();
                    let key = TierKey::new(&self.key.tier_key(id));
                    let index =
                        Index::parse(body, section.range.start, self.preface.counts.files, key)
                            .map_err(|what| section_fault(section, what))?;
                    self.prints[tier as usize] = Some(index);
                }
                None => self.unknown_tiers.push(id.to_owned()),
            },
        }
        Ok(())
    }

    /// The `N` digest tables that a section consists of.
    fn tables<const N: usize>(&self, section: &Section) -> Result<[Table; N], Fault> {
        let body = self.data.get(section.range.clone()).unwrap_or_default();
        let mut fields = Fields::new(body);
        let mut tables = Vec::new();
        for _ in 0..N {
            let table = Table::parse(&mut fields, section.range.start, self.preface.counts.files)
                .map_err(|what| section_fault(section, what))?;
            tables.push(table);
        }
        if !fields.is_at_end() {
            return Err(section_fault(
                section,
                "there are bytes after its last table",
            ));
        }
        tables
            .try_into()
            .map_err(|_| section_fault(section, "it does not have the right number of tables"))
    }

    /// Name of the work.
    #[must_use]
    pub fn work(&self) -> &str {
        &self.preface.work
    }

    /// Release of the work.
    #[must_use]
    pub fn release(&self) -> &str {
        &self.preface.release
    }

    /// SHA-256 of the whole file: the identity of the set in every output. Computed at the first call, at
    /// about 1 ms for each MB, and kept.
    pub fn digest(&self) -> [u8; 32] {
        *self
            .sha256
            .get_or_init(|| Sha256::digest(&*self.data).into())
    }

    /// Whether the signed work is public, so that a match is never a leak.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.preface.flags & FLAG_PUBLIC != 0
    }

    /// Whether this is public code to be subtracted before anything is called a match.
    #[must_use]
    pub fn is_baseline(&self) -> bool {
        self.preface.flags & FLAG_BASELINE != 0
    }

    /// Whether single atoms and texts under 200 bytes were left out, so that the set can be handed on.
    #[must_use]
    pub fn is_for_third_parties(&self) -> bool {
        self.preface.flags & FLAG_FOR_THIRD_PARTIES != 0
    }

    /// Whether a part of the fingerprints was kept, so that the set is half as large: see [`compact`](super::compact).
    #[must_use]
    pub fn is_compact(&self) -> bool {
        self.preface.flags & FLAG_COMPACT != 0
    }

    /// Whether it is made of lists of digests by other programs: nothing is known of its files but what they say, and
    /// it finds equal bytes and nothing else.
    #[must_use]
    pub fn is_of_lists(&self) -> bool {
        self.preface.flags & FLAG_OF_LISTS != 0
    }

    /// Id of the key that the stored values are made with.
    #[must_use]
    pub fn key_id(&self) -> [u8; 16] {
        self.preface.key_id
    }

    /// Whether the set was signed with a key file, so that it tells nothing about texts without it.
    #[must_use]
    pub fn has_given_key(&self) -> bool {
        self.preface.key.is_none()
    }

    /// Section ids that this release does not know, ascending: tiers that were not compared (`tier-unknown`).
    #[must_use]
    pub fn unknown_tiers(&self) -> &[String] {
        &self.unknown_tiers
    }

    /// The known tiers of this set, ascending: those that are compared.
    #[must_use]
    pub fn tiers(&self) -> Vec<&'static str> {
        let exact = self.exact.as_ref().map(|_| EXACT_ID);
        let norm_text = self.norm_text.as_ref().map(|_| norm_text::ALGORITHM);
        let crc_size = self.crc_size.as_ref().map(|_| CRC_SIZE_ID);
        let md5_size = self.md5_size.as_ref().map(|_| MD5_SIZE_ID);
        let prints = Tier::ALL
            .into_iter()
            .filter(|&tier| self.index(tier).is_some());
        let mut tiers: Vec<_> = crc_size.into_iter().chain(exact).chain(norm_text).collect();
        tiers.extend(md5_size);
        tiers.extend(self.layout.as_ref().map(|(rules, _)| rules.id()));
        tiers.extend(prints.map(Tier::id));
        tiers.sort_unstable();
        tiers
    }

    /// How many files the work has. Ids run from 0 to one less.
    #[must_use]
    pub fn files_total(&self) -> u32 {
        self.preface.counts.files
    }

    /// Length of all files of the work together, in bytes.
    #[must_use]
    pub fn bytes_total(&self) -> u64 {
        self.preface.counts.bytes
    }

    /// How many files are flagged [`PartyFlag::First`].
    #[must_use]
    pub fn first_party_files(&self) -> u32 {
        self.preface.counts.first_party_files
    }

    /// Their length together, in bytes.
    #[must_use]
    pub fn first_party_bytes(&self) -> u64 {
        self.preface.counts.first_party_bytes
    }

    /// Whether a file counts in a copy: first-party files do, and of a set that is made of lists, which cannot tell whose
    /// a file is, every one that its path does not give to somebody else.
    #[must_use]
    pub fn counts(&self, file: &FileInfo) -> bool {
        match file.party {
            PartyFlag::First => true,
            PartyFlag::Unknown => self.is_of_lists(),
            PartyFlag::Third => false,
        }
    }

    /// The files that count in a copy ([`Set::counts`]).
    #[must_use]
    pub fn counted(&self) -> Counted {
        if !self.is_of_lists() {
            return Counted {
                files: u64::from(self.first_party_files()),
                bytes: Some(self.first_party_bytes()),
            };
        }
        let files = (0..self.files_total()).filter_map(|id| self.file(id));
        let counted = files.filter(|file| self.counts(file));
        counted.fold(
            Counted {
                files: 0,
                bytes: Some(0),
            },
            |sum, file| Counted {
                files: sum.files + 1,
                bytes: sum
                    .bytes
                    .filter(|_| file.is_length_known)
                    .and_then(|bytes| bytes.checked_add(file.bytes)),
            },
        )
    }

    /// What the set says about file `id`, `None` if there is no such file.
    #[must_use]
    pub fn file(&self, id: u32) -> Option<FileInfo> {
        let (rows, _) = self
            .data
            .get(self.files.clone())?
            .as_chunks::<FILE_ROW_BYTES>();
        let row = FileRow::decode(rows.get(id as usize)?);
        Some(FileInfo {
            bytes: row.bytes,
            is_length_known: row.is_length_known,
            lines: row.lines,
            party: row.party,
            licence: row.licence,
            has_norm: row.has_norm,
            family: row.family,
        })
    }

    /// The path of file `id`, raw, if the names were loaded.
    #[must_use]
    pub fn name(&self, id: u32) -> Option<&[u8]> {
        self.names.as_ref()?.get(id)
    }

    /// Loads the `.names` file at `path` ([`names_path`](super::names_path) says where it usually is).
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or belongs to another set. The set stays usable without names.
    pub fn load_names(&mut self, path: &Path) -> Result<(), NamesError> {
        let names = names::read_file(path, &self.digest(), self.files_total())?;
        self.names = Some(names);
        Ok(())
    }

    /// The files whose bytes have this SHA-256.
    #[must_use]
    pub fn find_exact(&self, sha256: &[u8; 32]) -> Ids<'_> {
        match &self.exact {
            Some(exact) => exact
                .sha256
                .find(&self.data, &self.key.sha256_value(sha256)),
            None => Ids::NONE,
        }
    }

    /// The files whose git blob id this is.
    #[must_use]
    pub fn find_git(&self, git_sha1: &[u8; 20]) -> Ids<'_> {
        match &self.exact {
            Some(exact) => exact
                .git_sha1
                .find(&self.data, &self.key.git_value(git_sha1)),
            None => Ids::NONE,
        }
    }

    /// The files of this length and CRC-32: a hint, since the bytes were not seen.
    #[must_use]
    pub fn find_crc(&self, bytes: u64, crc32: u32) -> Ids<'_> {
        match &self.crc_size {
            Some(table) => table.find(&self.data, &self.key.crc_value(bytes, crc32)),
            None => Ids::NONE,
        }
    }

    /// Whether the set can be asked for lengths and checksums; those made before there was the tier cannot.
    #[must_use]
    pub fn has_crc(&self) -> bool {
        self.crc_size.is_some()
    }

    /// The files of this length and MD5.
    #[must_use]
    pub fn find_md5(&self, bytes: u64, md5: &[u8; 16]) -> Ids<'_> {
        match &self.md5_size {
            Some(tier) => tier.table.find(&self.data, &self.key.md5_value(bytes, md5)),
            None => Ids::NONE,
        }
    }

    /// Whether the set knows a file of this length by its MD5 only.
    #[must_use]
    pub fn asks_md5_of(&self, bytes: u64) -> bool {
        self.md5_size
            .as_ref()
            .is_some_and(|tier| tier.lengths.binary_search(&bytes).is_ok())
    }

    /// Whether there are files that the set knows by a git blob id only: a list named them so.
    #[must_use]
    pub fn asks_git(&self) -> bool {
        let by_sha256 = self.exact.as_ref().map_or(0, |exact| exact.sha256.rows());
        self.has_git() && by_sha256 < self.files_total() as usize
    }

    /// Whether there are files that the set does not know by SHA-256.
    #[must_use]
    pub fn asks_more_than_sha256(&self) -> bool {
        self.asks_git() || self.md5_size.is_some()
    }

    /// The lengths of the files of the work in bytes as far as they are known, in no order.
    pub fn lengths(&self) -> impl Iterator<Item = u64> {
        let files = (0..self.files_total()).filter_map(|id| self.file(id));
        let known = files.filter(|file| file.is_length_known);
        known.map(|file| file.bytes)
    }

    /// Whether the length of any file of the work is not known.
    #[must_use]
    pub fn has_unknown_lengths(&self) -> bool {
        let mut files = (0..self.files_total()).filter_map(|id| self.file(id));
        self.is_of_lists() && files.any(|file| !file.is_length_known)
    }

    /// The files whose normal form has this digest ([`norm_text::digest`]).
    #[must_use]
    pub fn find_norm(&self, norm: &[u8; 32]) -> Ids<'_> {
        match &self.norm_text {
            Some(table) => table.find(&self.data, &self.key.norm_value(norm)),
            None => Ids::NONE,
        }
    }

    /// The files that have this digest without their layout by these rules
    /// ([`layout::digest_of_text`](super::layout::digest_of_text)).
    #[must_use]
    pub fn find_layout(&self, rules: Rules, layout: &[u8; 32]) -> Ids<'_> {
        match &self.layout {
            Some((of_set, table)) if *of_set == rules => {
                table.find(&self.data, &self.key.layout_value(rules, layout))
            }
            _ => Ids::NONE,
        }
    }

    /// The index of a tier of fingerprints, if the set has it.
    pub(super) fn index(&self, tier: Tier) -> Option<&Index> {
        self.prints.get(tier as usize)?.as_ref()
    }

    /// Whether the set can be asked for fingerprints.
    pub(super) fn has_prints(&self) -> bool {
        self.prints.iter().flatten().any(|index| index.rows() > 0)
    }

    /// All bytes of the set, which an index lies in.
    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Whether the set can be asked for git blob ids.
    #[must_use]
    pub fn has_git(&self) -> bool {
        self.exact
            .as_ref()
            .is_some_and(|exact| exact.git_sha1.rows() > 0)
    }

    /// Whether the set can be asked for normal forms.
    pub(super) fn has_norm_text(&self) -> bool {
        self.norm_text
            .as_ref()
            .is_some_and(|table| table.rows() > 0)
    }

    #[cfg(test)]
    pub(super) fn layout_value(&self, rules: Rules, layout: &[u8; 32]) -> [u8; 32] {
        self.key.layout_value(rules, layout)
    }

    /// By which rules the set can be asked for texts without their layout.
    #[must_use]
    pub(super) fn layout_rules(&self) -> Option<Rules> {
        let (rules, table) = self.layout.as_ref()?;
        (table.rows() > 0).then_some(*rules)
    }
}

/// Checks the rows of `files/1` against the counts of the header and says where they lie.
fn verified_files(
    data: &[u8],
    counts: &Counts,
    sections: &[Section],
) -> Result<std::ops::Range<usize>, Fault> {
    let section = sections
        .iter()
        .find(|section| section.id == FILES_ID)
        .ok_or(Fault::NoFiles)?;
    let body = data.get(section.range.clone()).unwrap_or_default();
    let (rows, rest) = body.as_chunks::<FILE_ROW_BYTES>();
    let mut counted = Counts::default();
    for row in rows {
        counted
            .add(&FileRow::decode(row))
            .ok_or_else(|| section_fault(section, "its lengths are beyond all bounds"))?;
    }
    if counted != *counts || !rest.is_empty() {
        return Err(section_fault(
            section,
            "it does not agree with the header's counts",
        ));
    }
    Ok(section.range.clone())
}

/// The key to ask with: the set's own, or the given one if it is the right one.
fn usable_key(preface: &Preface, given: Option<&Key>) -> Result<Key, Fault> {
    if let Some(derived) = &preface.key {
        return Ok(derived.clone());
    }
    let given = given.ok_or_else(|| Fault::KeyNeeded {
        key_id: hex(&preface.key_id),
    })?;
    if given.id() != preface.key_id {
        return Err(Fault::WrongKey {
            key_id: hex(&preface.key_id),
            given_id: hex(&given.id()),
        });
    }
    Ok(given.clone())
}

fn section_fault(section: &Section, what: &'static str) -> Fault {
    Fault::Section {
        id: section.id.clone(),
        what,
    }
}
