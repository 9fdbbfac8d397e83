//! The bytes of a `.sigset` file, version 1.
//!
//! The layout is for good: files written today are read by every later release. It is meant to be mapped, so all
//! tables are sorted arrays at aligned places; to be checked, so every byte is under a checksum or must be zero; and to
//! be the same for the same work, so there is exactly one way to write a given content. All numbers are little-endian
//! and unsigned. Lengths are in bytes. BLAKE3 is used as its paper of 2020 defines it, with 32 bytes of output.
//!
//! # Header
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | magic, `STRNDSET` in ASCII |
//! | 8 | 2 | major version, 1. A reader refuses one that it does not know |
//! | 10 | 2 | minor version, 0. Rises when something is added that an older reader may pass over |
//! | 12 | 4 | length of the header, from byte 0, its checksum included; a multiple of 8 |
//! | 16 | 8 | length of the whole file |
//! | 24 | 4 | flags, below |
//! | 28 | 4 | number of sections |
//! | 32 | 4 | files of the work |
//! | 36 | 4 | of these, first-party |
//! | 40 | 8 | bytes of all files together |
//! | 48 | 8 | of these, in first-party files |
//! | 56 | 2 | length of the work's name |
//! | 58 | 2 | length of the release |
//! | 60 | 1 | how the key was made: 1 derived (it stands below), 2 given (it does not) |
//! | 61 | 3 | written as zero, not looked at |
//! | 64 | 16 | key id |
//! | 80 | 32 | the derived key; zeros if the key was given |
//! | 112 | … | name of the work, then release, each 1 to 1000 bytes of UTF-8; zeros to a multiple of 8 |
//! | … | 80 each | section table, in ascending order of id |
//! | end − 32 | 32 | BLAKE3 of all header bytes before |
//!
//! Flags: bit 0 public (the work is public; a match is never a leak), bit 1 baseline (public code, to be subtracted),
//! bit 2 for third parties (single atoms and texts under 200 bytes were left out). A reader passes over bits 3 to 15
//! that it does not know, and refuses a set with an unknown bit in 16 to 31. Of those two are in use. Bit 16, made of lists
//! ([`lists`](super::lists)). Nobody read the files of such a set, so that lines are 0 and say nothing, party is unknown or
//! third, and lengths may not be known; a reader that took the zeros for facts would pass files over. And bit 17, compact:
//! of its fingerprints a part was kept ([`compact`](super::compact)); a reader that took it for all would state shares that
//! are too small, and find less. It is never set with bits 1 or 16.
//!
//! A row of the section table:
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 32 | section id: 1 to 32 printable ASCII characters, then zeros |
//! | 32 | 8 | place of the section in the file; a multiple of 64 |
//! | 40 | 8 | its length |
//! | 48 | 32 | BLAKE3 of its bytes |
//!
//! Sections follow the header in the order of the table, each at the next multiple of 64, zeros between; the file ends
//! with the last byte of the last section. A section with an unknown id is verified and otherwise left alone.
//!
//! # Section `files/1`
//!
//! One row of 16 bytes for each file of the work. The row's index, from 0, is the file's id. Ids follow the bytewise
//! order of paths, then of SHA-256; the same content at the same path counts once.
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | length of the file |
//! | 8 | 4 | its lines (see [`norm_text::lines`](super::norm_text::lines)), 0 if not text |
//! | 12 | 4 | flags: bits 0–1 party (0 unknown, 1 first, 2 third); bits 2–3 licence (0 unknown, 1 open, 2 not open); bit 4: has a row in `norm-text/1`; bits 5–7 and 9–11 the lexer that read it, below; bit 8: its length is not known, and written as 0; others zero, not looked at |
//!
//! The number of the lexer has its low three bits in bits 5–7 and its high three in bits 9–11, which came later: 0 unknown,
//! 1 script, 2 python, 3 rust, 4 clike, 5 generic, 6 ruby, 7 shell, 8 css, 14 html, 15 sql. The low bits of those that came
//! later are 0, 6 or 7, which a reader that looks at no others takes for unknown. Numbers that are not in this list are
//! unknown; the next are 16, 22, 23, and so on.
//!
//! # A digest table
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 4 | rows *n* |
//! | 4 | 4 | directory bits *d*, the least with 4·2^*d* ≥ *n*, at most 24 |
//! | 8 | 4·(2^*d* + 1) | directory: entry *p* is the number of rows whose value's first *d* bits, read as a big-endian number, are below *p* |
//! | … | | zeros to a multiple of 8, counted from the beginning of the table |
//! | … | 32·*n* | values |
//! | … | 4·*n* | file ids, one for each value |
//! | … | | zeros to a multiple of 8 |
//!
//! Rows ascend by value bytewise, then by id. Files with the same content have one row each, with the same value.
//!
//! # Section `exact/1`
//!
//! Two digest tables, one after the other: of the SHA-256 of the bytes, and of the git blob id (SHA-1 of `blob `, the
//! decimal length, NUL, the bytes). Each has at most one row for a file; a file whose digest is not known or was left
//! out has none. A value is the BLAKE3 keyed hash, under the set's key, of `exact/1 sha256` NUL and the 32 bytes of the
//! digest, or of `exact/1 git-sha1` NUL and the 20 bytes.
//!
//! # Section `crc-size/1`
//!
//! One digest table with a row for every file: what the headers of a zip state of it. A value is the BLAKE3 keyed hash,
//! under the set's key, of `crc-size/1` NUL, the length in bytes (8 bytes) and the CRC-32 (4 bytes; ISO-HDLC, as in zip).
//! Equal values are a hint and no proof: anybody can make a file with a given CRC-32.
//!
//! # Section `md5-size/1`
//!
//! In sets that are made of lists, one digest table of the files that a list names by MD5 and length. A value is the
//! BLAKE3 keyed hash, under the set's key, of `md5-size/1` NUL, the length in bytes (8 bytes) and the MD5 (16 bytes).
//!
//! # Section `norm-text/1`
//!
//! One digest table with a row for every file that has a normal form (see [`norm_text`](super::norm_text)). A value is
//! the BLAKE3 keyed hash, under the set's key, of `norm-text/1` NUL and the 32 bytes of the digest.
//!
//! # Sections `layout/1` and `layout/2`
//!
//! One digest table with a row for every file that has a digest without its layout, by the rules of that id (see
//! [`layout`](super::layout)). A value is the BLAKE3 keyed hash, under the set's key, of `layout/1` or `layout/2`, NUL and the 32
//! bytes of the digest. Sets that were made before the first of these tiers came, and those of lists, have neither; what
//! is signed now has `layout/2`. Where a set has both, the second is asked.
//!
//! # Sections `atoms/1`, `grams/1`, `pieces/1`, `shape/1` and `winnow/1`
//!
//! Each is one index of fingerprints, of the tier that its id names; [`prints`](super::prints) says what they are made of. A
//! fingerprint has 64 bits, and a file has each at most once, at its first place. What is stored of it is a value of 40
//! bits: the first 40 of SipHash-1-3 (Aumasson and Bernstein, 2012; as a number of 64 bits, shifted right by 24) of its 8 bytes
//! (little-endian). The key of 16 bytes is the beginning of the BLAKE3 keyed hash, under the set's key, of `prints key` NUL
//! and the id of the section. A set has either all five sections, or no `atoms/1` (one for third parties), or none (no
//! file has any, or the set is of lists). A section may have no rows.
//!
//! A row is a value and a *posting*. What postings are, the form says:
//!
//! | form | posting | in |
//! | --- | --- | --- |
//! | 0 places | the number of a place: the fingerprints of all files are counted from 0, one file after the other by id, those of a file in the order of their first places in it | all but `atoms/1` |
//! | 1 files | the id of the file | `atoms/1` |
//! | 2 frequencies | the binary logarithm, rounded down, of the number of files that have the value, at most 15; one row for a value | a baseline, all |
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 4 | rows *n* |
//! | 4 | 4 | files of the work, as in the header |
//! | 8 | 1 | directory bits *d*, the least with 16·2^*d* ≥ *n*, at most 26 |
//! | 9 | 1 | posting bits *p*: of form 0 as many as *n* has, of form 1 as the number of files has (the bits of 5 are 3, those of 0 none), of form 2 4 |
//! | 10 | 1 | form |
//! | 11 | 5 | zeros |
//! | 16 | 4·(2^*d* + 1) | directory: entry *i* is the number of rows whose value's first *d* of 40 bits are, as a number, below *i* |
//! | … | | zeros to a multiple of 8, here and below counted from the beginning of the section |
//! | … | ⌈*n*·*r*/8⌉ | the rows, each in *r* = 40 − *d* + *p* bits |
//! | … | | zeros to a multiple of 8, and 16 more, so that a reader may load more than it needs |
//! | … | 4·(files + 1) | forms 0 and 1: entry *f* is the number of fingerprints in files with ids below *f* |
//! | … | 4·(files + 1) | form 0: entry *f* is where the lines of file *f* begin in what follows; the last one is its length |
//! | … | | form 0: the lines |
//! | … | | zeros to a multiple of 8, the end of the section |
//!
//! Rows ascend by value, then by posting, and no two are equal. Row *i* begins at bit *i*·*r*, where bit *b* of the rows is bit
//! *b* mod 8, from the least, of byte ⌊*b*/8⌋. Its low *p* bits are the posting, the 40 − *d* above them the rest of the
//! value; the first *d* bits of the value are the index *i* of the directory with entry *i* ≤ row < entry *i* + 1. Two
//! files with one value have two rows.
//!
//! Lines are those of the places of a file, in their order. Of each the line on which it begins is told by its distance from
//! the one before (from 1 for the first), and then how many line ends are within it. If the distance is less than 15 and the
//! ends are not more than 15, both are one byte, the distance in the high four bits. Else there is a byte 0xF0, and the two
//! numbers follow in LEB128, unsigned. A place that begins before the one before it has the distance 0.
//!
//! In a compact set (bit 17) rows, places and lines are those of the fingerprints that were kept.
//!
//! `tests/read_set.py` reads sets from this page alone, and a test holds what it reads against what was signed.
//!
//! # Checking on opening
//!
//! A reader verifies everything, all checksums, zeros, order, directories and ids, before it answers anything. That is
//! one pass of BLAKE3 at more than 2 GB/s and one look at each row: about 0.1 ms for a work of 1000 files, less
//! than 50 ms up to some 80 MB. A checksum guards against accidents, not against a forger; the checks of structure make
//! sure that a forged set can at worst give false answers. The key's own derivation is described in `key.rs`.

use std::ops::Range;

use super::key::Key;
use super::set::Fault;
use crate::lex::Family;

/// The first eight bytes of every set.
pub const MAGIC: [u8; 8] = *b"STRNDSET";
/// The layout that this page describes.
pub const MAJOR: u16 = 1;
/// Additions to it that an older reader may pass over.
pub const MINOR: u16 = 0;

/// Section id of the rows of files.
pub const FILES_ID: &str = "files/1";
/// Section id and algorithm id of the exact tier.
pub const EXACT_ID: &str = "exact/1";
/// Section id and algorithm id of the tier of lengths and checksums.
pub const CRC_SIZE_ID: &str = "crc-size/1";
/// Section id and algorithm id of the tier of MD5 and length, in sets that are made of lists.
pub const MD5_SIZE_ID: &str = "md5-size/1";
/// Section id and algorithm id of the tier of normal forms.
pub const NORM_TEXT_ID: &str = super::norm_text::ALGORITHM;
/// Section id and algorithm id of the tier of texts without their layout.
pub const LAYOUT_ID: &str = super::layout::ALGORITHM;
/// Section id and algorithm id of that tier as it was before.
pub const FIRST_LAYOUT_ID: &str = super::layout::FIRST_ALGORITHM;

/// Longest name of a work or a release, in bytes.
pub const NAME_MAX_BYTES: usize = 1000;

/// Flag: the work is public.
pub(super) const FLAG_PUBLIC: u32 = 1;
/// Flag: the set is a baseline.
pub(super) const FLAG_BASELINE: u32 = 1 << 1;
/// Flag: what a third party could guess was left out.
pub(super) const FLAG_FOR_THIRD_PARTIES: u32 = 1 << 2;
/// Flag: made of lists of digests, see above.
pub(super) const FLAG_OF_LISTS: u32 = 1 << 16;
/// Flag: fingerprints were thinned out, see above.
pub(super) const FLAG_COMPACT: u32 = 1 << 17;
/// Flags that a reader may not pass over when it does not know them.
const FLAGS_MANDATORY: u32 = 0xFFFF_0000;
/// Those of them that this reader knows.
const FLAGS_KNOWN: u32 = FLAG_OF_LISTS | FLAG_COMPACT;

const KEY_DERIVED: u8 = 1;
const KEY_GIVEN: u8 = 2;

const FIXED_BYTES: usize = 112;
const SECTION_ROW_BYTES: usize = 80;
const SECTION_ID_BYTES: usize = 32;
const SUM_BYTES: usize = 32;
pub(super) const SECTION_ALIGN: usize = 64;
/// Far more tiers than will ever be; keeps a hostile header small.
const SECTIONS_MAX: usize = 256;

/// Length of a row of `files/1`.
pub(super) const FILE_ROW_BYTES: usize = 16;
const FILE_HAS_NORM: u32 = 1 << 4;
const FILE_LENGTH_UNKNOWN: u32 = 1 << 8;

/// Whose a file of the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartyFlag {
    /// The signer's own.
    First,
    /// Nobody could tell.
    Unknown,
    /// Somebody else's, vendored or installed.
    Third,
}

/// Under what kind of licence a file of the work stands, as far as the signer knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum LicenceFlag {
    /// Nobody looked, or nobody could tell.
    #[default]
    Unknown,
    /// An open licence.
    Open,
    /// Not an open licence.
    NotOpen,
}

/// One row of `files/1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileRow {
    pub bytes: u64,
    pub lines: u32,
    pub party: PartyFlag,
    pub licence: LicenceFlag,
    pub has_norm: bool,
    pub family: Option<Family>,
    /// Where it is not, `bytes` is 0.
    pub is_length_known: bool,
}

/// The lexers with their numbers.
const FAMILIES: [(u32, Family); Family::ALL.len()] = [
    (1, Family::Script),
    (2, Family::Python),
    (3, Family::Rust),
    (4, Family::Clike),
    (5, Family::Generic),
    (6, Family::Ruby),
    (7, Family::Shell),
    (8, Family::Css),
    (14, Family::Html),
    (15, Family::Sql),
];
/// Where the low three bits of such a number stand, and where the high three.
const FAMILY_LOW_SHIFT: u32 = 5;
const FAMILY_HIGH_SHIFT: u32 = 9;
const FAMILY_BITS: u32 = 3;
const FAMILY_MASK: u32 = (1 << FAMILY_BITS) - 1;

/// The bits of the flags that say which lexer read a file.
fn family_flags(family: Option<Family>) -> u32 {
    let row = FAMILIES.iter().find(|(_, other)| Some(*other) == family);
    let number = row.map_or(0, |(number, _)| *number);
    (number & FAMILY_MASK) << FAMILY_LOW_SHIFT | (number >> FAMILY_BITS) << FAMILY_HIGH_SHIFT
}

/// The lexer that these flags name; `None` for one of a later version, too.
fn family_of_flags(flags: u32) -> Option<Family> {
    let (low, high) = (flags >> FAMILY_LOW_SHIFT, flags >> FAMILY_HIGH_SHIFT);
    let number = low & FAMILY_MASK | (high & FAMILY_MASK) << FAMILY_BITS;
    let row = FAMILIES.iter().find(|(other, _)| *other == number);
    row.map(|(_, family)| *family)
}

impl FileRow {
    pub(super) fn encode(&self) -> [u8; FILE_ROW_BYTES] {
        let party = match self.party {
            PartyFlag::Unknown => 0,
            PartyFlag::First => 1,
            PartyFlag::Third => 2,
        };
        let licence = match self.licence {
            LicenceFlag::Unknown => 0,
            LicenceFlag::Open => 1,
            LicenceFlag::NotOpen => 2,
        };
        let norm = if self.has_norm { FILE_HAS_NORM } else { 0 };
        let length = if self.is_length_known {
            0
        } else {
            FILE_LENGTH_UNKNOWN
        };
        let family = family_flags(self.family);
        let mut row = [0; FILE_ROW_BYTES];
        row[..8].copy_from_slice(&self.bytes.to_le_bytes());
        row[8..12].copy_from_slice(&self.lines.to_le_bytes());
        row[12..].copy_from_slice(&(party | licence << 2 | norm | family | length).to_le_bytes());
        row
    }

    /// A flag value of a later minor version reads as unknown.
    pub(super) fn decode(row: &[u8; FILE_ROW_BYTES]) -> FileRow {
        let [
            b0,
            b1,
            b2,
            b3,
            b4,
            b5,
            b6,
            b7,
            l0,
            l1,
            l2,
            l3,
            f0,
            f1,
            f2,
            f3,
        ] = *row;
        let flags = u32::from_le_bytes([f0, f1, f2, f3]);
        FileRow {
            bytes: u64::from_le_bytes([b0, b1, b2, b3, b4, b5, b6, b7]),
            lines: u32::from_le_bytes([l0, l1, l2, l3]),
            party: match flags & 3 {
                1 => PartyFlag::First,
                2 => PartyFlag::Third,
                _ => PartyFlag::Unknown,
            },
            licence: match (flags >> 2) & 3 {
                1 => LicenceFlag::Open,
                2 => LicenceFlag::NotOpen,
                _ => LicenceFlag::Unknown,
            },
            has_norm: flags & FILE_HAS_NORM != 0,
            family: family_of_flags(flags),
            is_length_known: flags & FILE_LENGTH_UNKNOWN == 0,
        }
    }
}

/// Counts over `files/1`, kept in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub files: u32,
    pub first_party_files: u32,
    pub bytes: u64,
    pub first_party_bytes: u64,
}

impl Counts {
    /// Adds one file. `None` when a sum does not fit, which no real work comes near.
    pub(super) fn add(&mut self, file: &FileRow) -> Option<()> {
        self.files = self.files.checked_add(1)?;
        self.bytes = self.bytes.checked_add(file.bytes)?;
        if file.party == PartyFlag::First {
            self.first_party_files += 1;
            self.first_party_bytes += file.bytes;
        }
        Some(())
    }
}

/// What the header says, section table apart.
#[derive(Debug, Clone)]
pub(super) struct Preface {
    pub flags: u32,
    pub counts: Counts,
    pub work: String,
    pub release: String,
    pub key_id: [u8; 16],
    /// The key, when it was derived.
    pub key: Option<Key>,
}

/// A section, verified against its checksum.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub id: String,
    pub range: Range<usize>,
}

/// Lays out a whole set. `sections` in ascending order of id; `work` and `release` of at most [`NAME_MAX_BYTES`].
pub(super) fn assemble(preface: &Preface, sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let stated: Vec<(&str, u64, [u8; 32])> = (sections.iter())
        .map(|(id, body)| (*id, body.len() as u64, *blake3::hash(body).as_bytes()))
        .collect();
    let mut out = header(preface, &stated);
    for (_, body) in sections {
        out.resize(out.len().next_multiple_of(SECTION_ALIGN), 0);
        out.extend_from_slice(body);
    }
    out
}

/// The header of a set with these sections: of each its id, its length in bytes and the BLAKE3 of its bytes, in ascending
/// order of id.
pub(super) fn header(preface: &Preface, sections: &[(&str, u64, [u8; 32])]) -> Vec<u8> {
    let names_bytes = (preface.work.len() + preface.release.len()).next_multiple_of(8);
    let header_bytes = FIXED_BYTES + names_bytes + sections.len() * SECTION_ROW_BYTES + SUM_BYTES;

    let mut rows = Vec::new();
    let mut file_bytes = header_bytes as u64;
    for (id, bytes, sum) in sections {
        let offset = file_bytes + u64::from(zeros_before_section(file_bytes));
        file_bytes = offset + bytes;
        let mut row = [0; SECTION_ROW_BYTES];
        row[..id.len()].copy_from_slice(id.as_bytes());
        row[32..40].copy_from_slice(&offset.to_le_bytes());
        row[40..48].copy_from_slice(&bytes.to_le_bytes());
        row[48..].copy_from_slice(sum);
        rows.extend_from_slice(&row);
    }

    let mut out = Vec::with_capacity(header_bytes);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&MAJOR.to_le_bytes());
    out.extend_from_slice(&MINOR.to_le_bytes());
    out.extend_from_slice(&(header_bytes as u32).to_le_bytes());
    out.extend_from_slice(&file_bytes.to_le_bytes());
    out.extend_from_slice(&preface.flags.to_le_bytes());
    out.extend_from_slice(&(sections.len() as u32).to_le_bytes());
    out.extend_from_slice(&preface.counts.files.to_le_bytes());
    out.extend_from_slice(&preface.counts.first_party_files.to_le_bytes());
    out.extend_from_slice(&preface.counts.bytes.to_le_bytes());
    out.extend_from_slice(&preface.counts.first_party_bytes.to_le_bytes());
    out.extend_from_slice(&(preface.work.len() as u16).to_le_bytes());
    out.extend_from_slice(&(preface.release.len() as u16).to_le_bytes());
    let key_mode = if preface.key.is_some() {
        KEY_DERIVED
    } else {
        KEY_GIVEN
    };
    out.extend_from_slice(&[key_mode, 0, 0, 0]);
    out.extend_from_slice(&preface.key_id);
    out.extend_from_slice(&preface.key.as_ref().map_or([0; 32], |key| *key.stored()));
    out.extend_from_slice(preface.work.as_bytes());
    out.extend_from_slice(preface.release.as_bytes());
    out.resize(FIXED_BYTES + names_bytes, 0);
    out.extend_from_slice(&rows);
    let header_sum = blake3::hash(&out);
    out.extend_from_slice(header_sum.as_bytes());
    out
}

/// How many zeros stand between what ends at `end` and the next section.
pub(super) fn zeros_before_section(end: u64) -> u8 {
    (end.next_multiple_of(SECTION_ALIGN as u64) - end) as u8
}

/// Reads the header and verifies every checksum, and the zeros between the sections.
pub(super) fn parse(data: &[u8]) -> Result<(Preface, Vec<Section>), Fault> {
    let mut fields = Fields::new(data);
    if fields.array() != Some(MAGIC) {
        return Err(Fault::NotASet);
    }
    // The version comes before everything else: a later layout may put all that follows elsewhere.
    let major = fields.u16().ok_or(Fault::Truncated)?;
    let minor = fields.u16().ok_or(Fault::Truncated)?;
    if major != MAJOR {
        return Err(Fault::OtherVersion { major, minor });
    }
    let header_bytes = to_usize(fields.u32().ok_or(Fault::Truncated)?.into())?;
    let file_bytes = to_usize(fields.u64().ok_or(Fault::Truncated)?)?;
    if data.len() < file_bytes || data.len() < header_bytes {
        return Err(Fault::Truncated);
    }
    let header = verified_header(data, header_bytes)?;
    if data.len() > file_bytes {
        return Err(Fault::Trailing);
    }
    // From here on the header is as it was written; what is wrong with it, its writer did.
    let (preface, sections) = read_header(header).ok_or(Fault::Header)??;
    let sections = verified_sections(data, header_bytes, &sections)?;
    Ok((preface, sections))
}

/// The header without its checksum, once that agrees.
fn verified_header(data: &[u8], header_bytes: usize) -> Result<&[u8], Fault> {
    let header = data.get(..header_bytes).ok_or(Fault::Truncated)?;
    let (body, sum) = header
        .split_last_chunk::<SUM_BYTES>()
        .ok_or(Fault::Header)?;
    if body.len() < FIXED_BYTES || blake3::hash(body).as_bytes() != sum {
        return Err(Fault::Header);
    }
    Ok(body)
}

/// A row of the section table, not yet believed.
struct SectionRow {
    id: String,
    offset: u64,
    bytes: u64,
    sum: [u8; SUM_BYTES],
}

/// The fields of the header. `None` when they do not fit in it or contradict each other.
fn read_header(header: &[u8]) -> Option<Result<(Preface, Vec<SectionRow>), Fault>> {
    let mut fields = Fields::new(header);
    fields.bytes(24)?; // magic, version and lengths are dealt with
    let flags = fields.u32()?;
    let unknown_mandatory = flags & FLAGS_MANDATORY & !FLAGS_KNOWN;
    if unknown_mandatory != 0 {
        return Some(Err(Fault::UnknownFeature {
            flags: unknown_mandatory,
        }));
    }
    let section_count = fields.u32()? as usize;
    let counts = Counts {
        files: fields.u32()?,
        first_party_files: fields.u32()?,
        bytes: fields.u64()?,
        first_party_bytes: fields.u64()?,
    };
    let work_bytes = usize::from(fields.u16()?);
    let release_bytes = usize::from(fields.u16()?);
    let [key_mode, ..] = fields.array::<4>()?;
    let key_id = fields.array::<16>()?;
    let stored_key = fields.array::<32>()?;
    let key = match key_mode {
        KEY_DERIVED => Some(Key::from_stored(stored_key)),
        KEY_GIVEN if stored_key == [0; 32] => None,
        _ => return None,
    };
    if key.as_ref().is_some_and(|key| key.id() != key_id) {
        return None;
    }
    let name_lengths = 1..=NAME_MAX_BYTES;
    if !name_lengths.contains(&work_bytes) || !name_lengths.contains(&release_bytes) {
        return None;
    }
    let work = String::from_utf8(fields.bytes(work_bytes)?.to_vec()).ok()?;
    let release = String::from_utf8(fields.bytes(release_bytes)?.to_vec()).ok()?;
    fields.zeros_to(8)?;
    if section_count > SECTIONS_MAX {
        return None;
    }
    let mut sections = Vec::new();
    for _ in 0..section_count {
        sections.push(read_section_row(&mut fields)?);
    }
    let is_ascending = sections.is_sorted_by(|a, b| a.id < b.id);
    if !is_ascending || !fields.is_at_end() {
        return None;
    }
    let preface = Preface {
        flags,
        counts,
        work,
        release,
        key_id,
        key,
    };
    Some(Ok((preface, sections)))
}

fn read_section_row(fields: &mut Fields<'_>) -> Option<SectionRow> {
    let padded_id = fields.array::<SECTION_ID_BYTES>()?;
    let id_bytes = padded_id
        .iter()
        .position(|&b| b == 0)
        .unwrap_or(SECTION_ID_BYTES);
    let (id, padding) = padded_id.split_at(id_bytes);
    let is_printable = !id.is_empty() && id.iter().all(u8::is_ascii_graphic);
    if !is_printable || padding.iter().any(|&b| b != 0) {
        return None;
    }
    Some(SectionRow {
        id: String::from_utf8(id.to_vec()).ok()?,
        offset: fields.u64()?,
        bytes: fields.u64()?,
        sum: fields.array()?,
    })
}

/// Walks the sections in file order: each where it must be, each as its checksum says, nothing between or behind.
fn verified_sections(
    data: &[u8],
    header_bytes: usize,
    rows: &[SectionRow],
) -> Result<Vec<Section>, Fault> {
    let mut sections = Vec::new();
    let mut end = header_bytes;
    for row in rows {
        let fault = |what| Fault::Section {
            id: row.id.clone(),
            what,
        };
        let start = to_usize(row.offset)?;
        let is_in_place = end.checked_next_multiple_of(SECTION_ALIGN) == Some(start);
        let gap = data
            .get(end..start)
            .filter(|_| is_in_place)
            .ok_or_else(|| fault("its place in the file is wrong"))?;
        if gap.iter().any(|&b| b != 0) {
            return Err(fault("the bytes before it are not zero"));
        }
        let stop = start
            .checked_add(to_usize(row.bytes)?)
            .ok_or(Fault::Truncated)?;
        let body = data
            .get(start..stop)
            .ok_or_else(|| fault("it goes past the end of the file"))?;
        if *blake3::hash(body).as_bytes() != row.sum {
            return Err(fault("its checksum does not agree"));
        }
        sections.push(Section {
            id: row.id.clone(),
            range: start..stop,
        });
        end = stop;
    }
    if end != data.len() {
        return Err(Fault::Trailing);
    }
    Ok(sections)
}

/// A length of the file as this machine counts; what does not fit is more than there can be.
fn to_usize(bytes: u64) -> Result<usize, Fault> {
    usize::try_from(bytes).map_err(|_| Fault::Truncated)
}

/// Takes fixed fields off the front of a slice; `None` once there is not enough left.
pub(super) struct Fields<'d> {
    data: &'d [u8],
    at: usize,
}

impl<'d> Fields<'d> {
    pub(super) fn new(data: &'d [u8]) -> Self {
        Fields { data, at: 0 }
    }

    /// How much was taken so far.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.data.len()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'d [u8]> {
        let stop = self.at.checked_add(count)?;
        let taken = self.data.get(self.at..stop)?;
        self.at = stop;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Takes what is left to a multiple of `align`, which must be zeros.
    pub(super) fn zeros_to(&mut self, align: usize) -> Option<()> {
        let padding = self.at.next_multiple_of(align) - self.at;
        self.bytes(padding)?.iter().all(|&b| b == 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lexers_have_the_bits_that_the_page_says() {
        let row = |family| FileRow {
            bytes: 1,
            lines: 2,
            party: PartyFlag::Third,
            licence: LicenceFlag::NotOpen,
            has_norm: true,
            family,
            is_length_known: true,
        };
        let flags = |family| {
            let [.., a, b, c, d] = row(family).encode();
            u32::from_le_bytes([a, b, c, d])
        };
        let plain = flags(None);
        assert_eq!(plain, 0b1_1010);
        for (family, bits) in [
            (Family::Script, 1 << 5),
            (Family::Generic, 5 << 5),
            (Family::Ruby, 6 << 5),
            (Family::Shell, 7 << 5),
            (Family::Css, 1 << 9),
            (Family::Html, 6 << 5 | 1 << 9),
            (Family::Sql, 7 << 5 | 1 << 9),
        ] {
            assert_eq!(flags(Some(family)), plain | bits, "{family:?}");
        }
        for family in Family::ALL {
            let read = FileRow::decode(&row(Some(family)).encode());
            assert_eq!(read, row(Some(family)));
        }
    }

    #[test]
    fn a_reader_from_before_takes_what_came_later_for_unknown() {
        for (number, family) in FAMILIES {
            let low = number & FAMILY_MASK;
            assert!(number < 6 || !(1..=5).contains(&low), "{family:?}");
        }
        // And a number that is none yet is unknown to this one.
        assert_eq!(family_of_flags(2 << FAMILY_HIGH_SHIFT), None);
    }
}
