//! Lists of digests as other programs write them: read and made a set of, and written of what was signed.
//!
//! Who has no source tree at hand may have a list of it: of `sha256sum` in an archive of releases, of an auditor's hashdeep,
//! of an archive that names contents by SWHID, of a SCANOSS client. Such a list says less than a tree. It makes a set that
//! finds equal bytes and nothing else, which says so in its header; and what a list does not state is not made up: lengths
//! may be unknown, lines are, and whose a file is, is unknown unless its path lies among dependencies.
//!
//! What a list is, its lines decide, and never its name. Each names a content in one of three ways ([`Digest`]):
//!
//! | list | by | a line |
//! | --- | --- | --- |
//! | `sha256sum`, also `--tag`, `-z`, and digests alone | SHA-256 | `HEX  path`, `SHA256 (path) = HEX` |
//! | hashdeep 1.0 | SHA-256 and length, else MD5 and length | columns as its `%%%%` line names them |
//! | SWHIDs (ISO/IEC 18670) of contents | git blob id | `swh:1:cnt:HEX[;path=/path…]`, then blanks and a path |
//! | SCANOSS `.wfp` | MD5 and length | `file=HEX,length,path`, then lines of fingerprints |
//!
//! MD5 or SHA-1 alone is not taken: of the first no length guards it, and the second is not git's. The fingerprints of a
//! `.wfp` are passed over: what they are made of is hashed in another way than ours, and they name no bytes to show.
//! Of SWHIDs, folders, revisions and releases are counted and left out. Lines that are none of these are counted, and
//! the first of them are named.

mod build;
mod winnow;
mod write;

pub use build::build;
pub use winnow::winnowed;
pub use write::{Row, write};

use std::io::{self, BufRead, BufReader, Cursor, Read};

use thiserror::Error;

/// No line of a list is as long as this; bytes.
const LINE_MAX: usize = 1 << 20;
/// As much of a list is looked at to tell whether NULs end its lines; bytes.
const HEAD: usize = 1 << 20;
/// Lines that were not understood are named up to this number; all are counted.
const NAMED_MAX: usize = 3;

/// What a list names a content by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// SHA-256 of the bytes.
    Sha256([u8; 32]),
    /// Git blob id, SHA-1 object format.
    Git([u8; 20]),
    /// MD5 of the bytes; a length stands beside it.
    Md5([u8; 16]),
}

impl Digest {
    /// What it is, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Digest::Sha256(_) => "SHA-256",
            Digest::Git(_) => "git blob id",
            Digest::Md5(_) => "MD5 and length",
        }
    }

    /// Whether it is that of no bytes at all.
    #[must_use]
    pub fn is_of_nothing(&self) -> bool {
        use sha2::Digest as _;
        match self {
            Digest::Sha256(digest) => *digest == <[u8; 32]>::from(sha2::Sha256::digest(b"")),
            Digest::Git(id) => *id == super::git_blob_sha1(b""),
            Digest::Md5(digest) => *digest == super::digest::md5_of(b""),
        }
    }
}

/// Whose program a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `sha256sum`.
    Sha256sum,
    /// hashdeep.
    Hashdeep,
    /// SWHIDs.
    Swhid,
    /// SCANOSS.
    Wfp,
}

impl Kind {
    /// What it is, for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sha256sum => "a list of sha256sum",
            Kind::Hashdeep => "a list of hashdeep",
            Kind::Swhid => "a list of SWHIDs",
            Kind::Wfp => "a list of SCANOSS (.wfp)",
        }
    }

    /// The list that a word of the command line means.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Kind> {
        match word {
            "sha256sum" => Some(Kind::Sha256sum),
            "hashdeep" => Some(Kind::Hashdeep),
            "swhid" => Some(Kind::Swhid),
            "wfp" => Some(Kind::Wfp),
            _ => None,
        }
    }
}

/// A file that a list names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Path as the list has it, without `./` before it; where there is none, its digest with a word before it.
    pub path: Vec<u8>,
    /// Length in bytes, where the list states it.
    pub bytes: Option<u64>,
    /// What it is named by.
    pub digest: Digest,
}

/// A list that was read.
#[derive(Debug)]
pub struct List {
    /// Whose it is.
    pub kind: Kind,
    /// Its files, in its order.
    pub files: Vec<Listed>,
    /// Lines with a SWHID of something else than a content.
    pub not_contents: u64,
    /// Lines that were not understood, and the first few of them by number, from 1.
    pub not_understood: (u64, Vec<u64>),
}

/// Why a list cannot be used.
#[derive(Debug, Error)]
pub enum ListError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// No line of it is one of a list.
    #[error(
        "it is no list of digests that can be used; give one of sha256sum, of hashdeep with SHA-256 or MD5, of SWHIDs of contents, or of SCANOSS (.wfp); MD5 or SHA-1 alone, without a length, is not taken"
    )]
    NotAList,
}

/// Reads a list.
///
/// # Errors
/// It cannot be read, or no line of it is understood.
pub fn read(mut from: impl Read) -> Result<List, ListError> {
    let mut head = Vec::new();
    from.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let end = if memchr::memchr(0, &head).is_some() {
        0
    } else {
        b'\n'
    };
    let start = if head.starts_with(b"\xEF\xBB\xBF") {
        3
    } else {
        0
    };
    let mut head = Cursor::new(head);
    head.set_position(start);
    let mut lines = BufReader::new(head.chain(from));
    let mut reading = Reading::default();
    let mut line = Vec::new();
    while next_line(&mut lines, end, &mut line)? {
        reading.line(&line, end == 0);
    }
    reading.finish()
}

/// Reads the next line without its end; of one that is too long the beginning, which no list understands.
fn next_line(lines: &mut impl BufRead, end: u8, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let got = lines.by_ref().take(LINE_MAX as u64).read_until(end, line)?;
    if line.last() == Some(&end) {
        line.pop();
        if end == b'\n' && line.last() == Some(&b'\r') {
            line.pop();
        }
    } else if got == LINE_MAX {
        lines.skip_until(end)?;
        line.clear();
        line.push(b'\x01');
    }
    Ok(got > 0)
}

/// What was read of a list so far.
#[derive(Default)]
struct Reading {
    kind: Option<Kind>,
    /// Columns of a hashdeep list.
    columns: Vec<Column>,
    files: Vec<Listed>,
    lines: u64,
    not_contents: u64,
    not_understood: (u64, Vec<u64>),
}

/// A column of hashdeep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Size,
    Md5,
    Sha256,
    Filename,
    Other,
}

/// What a line says.
enum Said {
    File(Listed),
    /// A comment, a header, a fingerprint.
    Nothing,
    NotAContent,
}

impl Reading {
    fn line(&mut self, line: &[u8], is_raw: bool) {
        self.lines += 1;
        if line.is_empty() {
            return;
        }
        let said = match self.kind {
            Some(kind) => self.said(kind, line, is_raw),
            // The first line that any kind of list understands says which it is.
            None => [Kind::Hashdeep, Kind::Wfp, Kind::Swhid, Kind::Sha256sum]
                .into_iter()
                .find_map(|kind| {
                    let said = self.said(kind, line, is_raw)?;
                    self.kind = Some(kind);
                    Some(said)
                }),
        };
        match said {
            Some(Said::File(file)) => self.files.push(file),
            Some(Said::NotAContent) => self.not_contents += 1,
            Some(Said::Nothing) => {}
            None if line.starts_with(b"#") => {}
            None => {
                let (count, named) = &mut self.not_understood;
                *count += 1;
                if named.len() < NAMED_MAX {
                    named.push(self.lines);
                }
            }
        }
    }

    fn said(&mut self, kind: Kind, line: &[u8], is_raw: bool) -> Option<Said> {
        match kind {
            // A line of fingerprints is like many others; a file is not.
            Kind::Wfp if self.kind.is_none() && !line.starts_with(b"file=") => None,
            Kind::Sha256sum => sha256sum(line, is_raw).map(Said::File),
            Kind::Swhid => swhid(line),
            Kind::Wfp => wfp(line),
            Kind::Hashdeep => self.hashdeep(line),
        }
    }

    fn hashdeep(&mut self, line: &[u8]) -> Option<Said> {
        if let Some(header) = line.strip_prefix(b"%%%% ") {
            if header.starts_with(b"HASHDEEP-1.") {
                return Some(Said::Nothing);
            }
            self.columns = columns(header);
            return (self.kind == Some(Kind::Hashdeep)).then_some(Said::Nothing);
        }
        let columns = self.columns.len();
        let mut fields = line.splitn(columns, |&byte| byte == b',');
        let (mut bytes, mut md5, mut sha256, mut path) = (None, None, None, None);
        for column in &self.columns {
            let field = fields.next()?;
            match column {
                Column::Size => bytes = Some(number(field)?),
                Column::Md5 => md5 = Some(unhex(field)?),
                Column::Sha256 => sha256 = Some(unhex(field)?),
                Column::Filename => path = Some(field),
                Column::Other => {}
            }
        }
        let digest = match (sha256, md5) {
            (Some(sha256), _) => Digest::Sha256(sha256),
            (None, Some(md5)) => Digest::Md5(md5),
            (None, None) => return None,
        };
        bytes?;
        Some(Said::File(listed(path?.to_vec(), bytes, digest)))
    }

    fn finish(self) -> Result<List, ListError> {
        let kind = self
            .kind
            .filter(|_| !self.files.is_empty() || self.not_contents > 0);
        Ok(List {
            kind: kind.ok_or(ListError::NotAList)?,
            files: self.files,
            not_contents: self.not_contents,
            not_understood: self.not_understood,
        })
    }
}

fn columns(header: &[u8]) -> Vec<Column> {
    let names = header.split(|&byte| byte == b',');
    names
        .map(|name| match name {
            b"size" => Column::Size,
            b"md5" => Column::Md5,
            b"sha256" => Column::Sha256,
            b"filename" => Column::Filename,
            _ => Column::Other,
        })
        .collect()
}

/// A line of `sha256sum`. A backslash before it says that the path is escaped; where NULs end lines none is.
fn sha256sum(line: &[u8], is_raw: bool) -> Option<Listed> {
    let (is_escaped, line) = match line.strip_prefix(b"\\") {
        Some(rest) if !is_raw => (true, rest),
        _ => (false, line),
    };
    let (digest, path) = match line.strip_prefix(b"SHA256 (") {
        Some(rest) => {
            let (before, digest) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
            (digest, before.strip_suffix(b") = ")?)
        }
        None => {
            let (digest, rest) = line.split_at_checked(64)?;
            let path = match rest {
                [] => rest,
                [b' ', b' ' | b'*', path @ ..] if !path.is_empty() => path,
                _ => return None,
            };
            (digest, path)
        }
    };
    let digest = Digest::Sha256(unhex(digest)?);
    let path = if is_escaped {
        unescaped(path)?
    } else {
        path.to_vec()
    };
    Some(listed(path, None, digest))
}

/// Undoes the escapes of `sha256sum`.
fn unescaped(path: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(path.len());
    let mut bytes = path.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b'\\' => b'\\',
                _ => return None,
            },
            byte => byte,
        });
    }
    Some(plain)
}

/// A line with a SWHID, and perhaps a path: as a qualifier, percent-encoded, or after a blank.
fn swhid(line: &[u8]) -> Option<Said> {
    let rest = line.strip_prefix(b"swh:1:")?;
    let (kind, rest) = (rest.get(..4)?, rest.get(4..)?);
    let (id, rest) = rest.split_at_checked(40)?;
    if id.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let id = unhex(id)?;
    let at = rest.iter().position(|byte| matches!(byte, b' ' | b'\t'));
    let (qualifiers, path) = rest.split_at(at.unwrap_or(rest.len()));
    if !(qualifiers.is_empty() || qualifiers.starts_with(b";")) {
        return None;
    }
    match kind {
        b"cnt:" => {}
        b"dir:" | b"rev:" | b"rel:" | b"snp:" => return Some(Said::NotAContent),
        _ => return None,
    }
    let path = path.trim_ascii_start();
    let named = qualifiers
        .split(|&byte| byte == b';')
        .find_map(|qualifier| qualifier.strip_prefix(b"path="));
    let path = match named {
        Some(named) if path.is_empty() => {
            let decoded = percent_decoded(named);
            decoded.strip_prefix(b"/").unwrap_or(&decoded).to_vec()
        }
        _ => path.to_vec(),
    };
    Some(Said::File(listed(path, None, Digest::Git(id))))
}

/// Undoes `%XX`; what is none stays as it is.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let encoded = after.get(..2).filter(|_| byte == b'%').and_then(unhex::<1>);
        match encoded {
            Some([decoded]) => {
                plain.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                plain.push(byte);
                rest = after;
            }
        }
    }
    plain
}

/// A line of a `.wfp`.
fn wfp(line: &[u8]) -> Option<Said> {
    let Some(file) = line.strip_prefix(b"file=") else {
        let is_header = line.starts_with(b"component=") || line.starts_with(b"start_line=");
        return (is_header || is_print(line)).then_some(Said::Nothing);
    };
    let mut fields = file.splitn(3, |&byte| byte == b',');
    let md5 = Digest::Md5(unhex(fields.next()?)?);
    let bytes = number(fields.next()?)?;
    let path = fields.next()?.to_vec();
    Some(Said::File(listed(path, Some(bytes), md5)))
}

/// Whether a line of a `.wfp` is one of those behind a file: fingerprints by line, or further digests of it.
fn is_print(line: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b'=', line) else {
        return false;
    };
    let (name, value) = line.split_at(at);
    let is_word = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_alphanumeric);
    is_word(name)
        && value
            .iter()
            .skip(1)
            .all(|byte| byte.is_ascii_hexdigit() || *byte == b',')
}

fn listed(path: Vec<u8>, bytes: Option<u64>, digest: Digest) -> Listed {
    let mut path = path.as_slice();
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    let path = if path.is_empty() {
        named_by(&digest).into_bytes()
    } else {
        path.to_vec()
    };
    Listed {
        path,
        bytes,
        digest,
    }
}

/// The name of a file that has no path.
fn named_by(digest: &Digest) -> String {
    use super::digest::hex;
    match digest {
        Digest::Sha256(digest) => format!("sha256:{}", hex(digest)),
        Digest::Git(id) => format!("swh:1:cnt:{}", hex(id)),
        Digest::Md5(digest) => format!("md5:{}", hex(digest)),
    }
}

/// Decimal digits and nothing else.
fn number(text: &[u8]) -> Option<u64> {
    let is_plain = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text)
        .ok()
        .filter(|_| is_plain)?
        .parse()
        .ok()
}

/// Exactly `N` bytes in hexadecimal.
fn unhex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        *byte = (digit(high)? << 4 | digit(low)?) as u8;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
