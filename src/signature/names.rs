//! The names of a set: which path an id stands for. Private, in a file of its own beside the set.
//!
//! JSON Lines (one object a line, each ended by LF). The first row is
//!
//! ```text
//! {"type":"names","schema":1,"work":…,"release":…,"set_sha256":…,"rows_sha256":…,"files":N}
//! ```
//!
//! and then one row for each file, ids ascending from 0 without a gap:
//!
//! ```text
//! {"id":0,"path":"src/cli.ts"}
//! ```
//!
//! `set_sha256` is the SHA-256 of the `.sigset` file; names of another set are refused, because they would put
//! wrong paths into evidence. `rows_sha256` is that of all bytes after the first row. Both can be checked with
//! `sha256sum` and `tail -n +2`. Readers ignore keys that they do not know and refuse another `schema`.
//!
//! A path is bytes, and need not be text. In `path` each byte that is `%`, part of a control character (C0, DEL, C1) or
//! of a bidirectional control, or not valid UTF-8 is written as `%XX`; nothing else is, so that undoing `%XX` gives back
//! exactly the bytes.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::digest::hex;

const TYPE: &str = "names";
const SCHEMA: u32 = 1;
/// No path is as long as this; keeps a damaged file from filling the memory.
const LINE_MAX_BYTES: u64 = 1 << 20;

/// Why the names of a set were refused. The set itself can be used without.
#[derive(Debug, Error)]
pub enum NamesError {
    /// The file could not be read.
    #[error("cannot read the names {path:?}: {reason}")]
    Io {
        /// The path as it was given.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The path leads to a folder, a pipe or a device.
    #[error("{path:?} is not a regular file; give the path of a .names file")]
    NotAFile {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The file was read and refused.
    #[error("names {path:?}: {fault}")]
    Refused {
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with it.
        fault: NamesFault,
    },
}

/// What is wrong with a file of names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NamesFault {
    /// Written by a later release.
    #[error("they are of schema {schema} and this program reads {SCHEMA}; use a newer program")]
    OtherSchema {
        /// The schema that the first row names.
        schema: u32,
    },
    /// They belong to another set.
    #[error(
        "they belong to the set with SHA-256 {named}, and the set at hand has {set}; give the names that were written with it"
    )]
    OtherSet {
        /// SHA-256 of the set that the names are for.
        named: String,
        /// SHA-256 of the set at hand.
        set: String,
    },
    /// A row is not what it must be.
    #[error("line {line} is damaged ({what}); get the file again from where it was made")]
    Damaged {
        /// Line, from 1.
        line: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// The rows are not those that were written.
    #[error(
        "the rows were changed after they were written (their SHA-256 does not agree with the first row)"
    )]
    Changed,
    /// Reading stopped.
    #[error("reading failed at line {line}: {reason}")]
    Unreadable {
        /// Line, from 1.
        line: u64,
        /// What the system said.
        reason: String,
    },
}

/// The paths of all files of a set.
#[derive(Debug)]
pub(super) struct Names {
    paths: Vec<u8>,
    /// Where each path ends in `paths`.
    ends: Vec<usize>,
}

impl Names {
    /// The path of file `id`.
    pub(super) fn get(&self, id: u32) -> Option<&[u8]> {
        let id = id as usize;
        let end = *self.ends.get(id)?;
        let start = match id.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.paths.get(start..end)
    }
}

#[derive(Serialize, Deserialize)]
struct HeaderRow {
    r#type: String,
    schema: u32,
    work: String,
    release: String,
    set_sha256: String,
    rows_sha256: String,
    files: u32,
}

/// What is read of a first row before its schema is known.
#[derive(Deserialize)]
struct HeaderStart {
    r#type: String,
    schema: u32,
}

#[derive(Serialize, Deserialize)]
struct PathRow {
    id: u32,
    path: String,
}

/// Where the names of the set at `set` usually are: `acme.sigset` has `acme.names`; a set with another extension or
/// none gets `.names` appended.
#[must_use]
pub fn names_path(set: &Path) -> PathBuf {
    if set
        .extension()
        .is_some_and(|extension| extension == "sigset")
    {
        return set.with_extension("names");
    }
    let mut path = set.as_os_str().to_owned();
    path.push(".names");
    PathBuf::from(path)
}

/// Writes the names of a set. `paths` in order of id; they are gone through twice, since the first row has the digest of the
/// others.
pub(super) fn write<'p>(
    work: &str,
    release: &str,
    set_sha256: &[u8; 32],
    paths: impl ExactSizeIterator<Item = &'p [u8]> + Clone,
    out: &mut dyn Write,
) -> io::Result<()> {
    let files = paths.len() as u32;
    let mut row = String::new();
    let mut each_row = |put: &mut dyn FnMut(&[u8]) -> io::Result<()>| {
        for (id, path) in (0..).zip(paths.clone()) {
            row.clear();
            let path = escape(path);
            push_row(&mut row, &PathRow { id, path });
            put(row.as_bytes())?;
        }
        Ok::<_, io::Error>(())
    };
    let mut hasher = Sha256::new();
    each_row(&mut |row| {
        hasher.update(row);
        Ok(())
    })?;
    let header = HeaderRow {
        r#type: TYPE.to_owned(),
        schema: SCHEMA,
        work: work.to_owned(),
        release: release.to_owned(),
        set_sha256: hex(set_sha256),
        rows_sha256: hex(&hasher.finalize()),
        files,
    };
    let mut first = String::new();
    push_row(&mut first, &header);
    out.write_all(first.as_bytes())?;
    each_row(&mut |row| out.write_all(row))
}

/// One row as JSON, and its line end.
fn push_row(out: &mut String, row: &impl Serialize) {
    // Structs of strings and numbers cannot fail to become JSON; a row that did would be missed by the reader.
    if let Ok(json) = serde_json::to_string(row) {
        out.push_str(&json);
        out.push('\n');
    }
}

/// Reads the names at `path` for the set with this SHA-256 and this number of files.
pub(super) fn read_file(
    path: &Path,
    set_sha256: &[u8; 32],
    files: u32,
) -> Result<Names, NamesError> {
    let io_error = |reason| NamesError::Io {
        path: path.to_owned(),
        reason,
    };
    // Asked before opening: to open a pipe would wait for somebody to write to it.
    if !fs::metadata(path).map_err(io_error)?.is_file() {
        return Err(NamesError::NotAFile {
            path: path.to_owned(),
        });
    }
    let file = File::open(path).map_err(io_error)?;
    read(BufReader::new(file), set_sha256, files).map_err(|fault| NamesError::Refused {
        path: path.to_owned(),
        fault,
    })
}

/// Reads names row by row; memory is what the paths need.
pub(super) fn read(
    reader: impl BufRead,
    set_sha256: &[u8; 32],
    files: u32,
) -> Result<Names, NamesFault> {
    let mut rows = Rows::new(reader);
    let header = read_header(rows.expect_next()?)
        .map_err(|fault| fault.unwrap_or_else(|| rows.damaged("it is not a row of names")))?;
    if header.set_sha256 != hex(set_sha256) {
        return Err(NamesFault::OtherSet {
            named: header
                .set_sha256
                .chars()
                .filter(char::is_ascii_hexdigit)
                .take(64)
                .collect(),
            set: hex(set_sha256),
        });
    }
    if header.files != files {
        return Err(rows.damaged("it speaks of another number of files than the set"));
    }
    let mut names = Names {
        paths: Vec::new(),
        ends: Vec::new(),
    };
    let mut hasher = Sha256::new();
    for id in 0..files {
        let row = rows.expect_next()?;
        hasher.update(row);
        let path =
            read_path(row, id).ok_or_else(|| rows.damaged("it is not the row of the next file"))?;
        names.paths.extend_from_slice(&path);
        names.ends.push(names.paths.len());
    }
    if rows.advance()? {
        return Err(rows.damaged("there are more rows than files"));
    }
    if header.rows_sha256 != hex(&hasher.finalize()) {
        return Err(NamesFault::Changed);
    }
    Ok(names)
}

/// `Err(None)` when it is no first row at all.
fn read_header(row: &[u8]) -> Result<HeaderRow, Option<NamesFault>> {
    let start: HeaderStart = serde_json::from_slice(row).map_err(|_| None)?;
    if start.r#type != TYPE {
        return Err(None);
    }
    if start.schema != SCHEMA {
        return Err(Some(NamesFault::OtherSchema {
            schema: start.schema,
        }));
    }
    serde_json::from_slice(row).map_err(|_| None)
}

fn read_path(row: &[u8], id: u32) -> Option<Vec<u8>> {
    let row: PathRow = serde_json::from_slice(row).ok()?;
    if row.id != id {
        return None;
    }
    unescape(&row.path)
}

/// Lines of bounded length, their LF included.
struct Rows<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Rows<R> {
    fn new(reader: R) -> Self {
        Rows {
            reader,
            line: Vec::new(),
            number: 0,
        }
    }

    /// Goes to the next line; false at the end.
    fn advance(&mut self) -> Result<bool, NamesFault> {
        self.line.clear();
        self.number += 1;
        let mut bounded = (&mut self.reader).take(LINE_MAX_BYTES);
        bounded
            .read_until(b'\n', &mut self.line)
            .map_err(|reason| NamesFault::Unreadable {
                line: self.number,
                reason: reason.to_string(),
            })?;
        match self.line.last() {
            None => Ok(false),
            Some(b'\n') => Ok(true),
            Some(_) => Err(self.damaged("it has no end")),
        }
    }

    fn expect_next(&mut self) -> Result<&[u8], NamesFault> {
        if self.advance()? {
            Ok(&self.line)
        } else {
            Err(self.damaged("it is missing"))
        }
    }

    fn damaged(&self, what: &'static str) -> NamesFault {
        NamesFault::Damaged {
            line: self.number,
            what,
        }
    }
}

/// Path bytes as text that can be undone.
fn escape(path: &[u8]) -> String {
    let mut text = String::new();
    for chunk in path.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '%' || c.is_control() || is_bidi_control(c) {
                push_escaped(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(c);
            }
        }
        push_escaped(&mut text, chunk.invalid());
    }
    text
}

/// U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069 (Unicode UAX #9, explicit and implicit controls).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn push_escaped(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push('%');
        text.push_str(&hex(&[*byte]).to_ascii_uppercase());
    }
}

/// `None` if a `%` is not followed by two hexadecimal digits.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut path = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            path.push(byte);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_first_chunk::<2>()?;
        let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
        path.push((high? << 4 | low?) as u8);
        rest = after;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SET: [u8; 32] = [7; 32];

    fn written(paths: &[&[u8]]) -> Vec<u8> {
        let mut names = Vec::new();
        write("acme", "1.0", &SET, paths.iter().copied(), &mut names).expect("in memory");
        names
    }

    fn fault(bytes: &[u8], files: u32) -> NamesFault {
        read(bytes, &SET, files)
            .map(|_| ())
            .expect_err("must be refused")
    }

    #[test]
    fn default_path_replaces_sigset_and_appends_otherwise() {
        assert_eq!(
            names_path(Path::new("a/acme.sigset")),
            Path::new("a/acme.names")
        );
        assert_eq!(
            names_path(Path::new("acme-1.2")),
            Path::new("acme-1.2.names")
        );
        assert_eq!(names_path(Path::new("x")), Path::new("x.names"));
    }

    #[test]
    fn layout_is_as_documented() {
        let text = String::from_utf8(written(&[b"src/a.ts", b"b%\x1b\xff.js"])).expect("UTF-8");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1..],
            [
                r#"{"id":0,"path":"src/a.ts"}"#,
                r#"{"id":1,"path":"b%25%1B%FF.js"}"#
            ]
        );
        let rows = format!("{}\n{}\n", lines[1], lines[2]);
        let rows_sha256 = hex(&Sha256::digest(rows.as_bytes()));
        let expected = format!(
            r#"{{"type":"names","schema":1,"work":"acme","release":"1.0","set_sha256":"{}","rows_sha256":"{rows_sha256}","files":2}}"#,
            "07".repeat(32)
        );
        assert_eq!(lines[0], expected);
    }

    #[test]
    fn bidirectional_and_c1_controls_are_escaped() {
        assert_eq!(escape("a\u{202E}b\u{85}é".as_bytes()), "a%E2%80%AEb%C2%85é");
    }

    #[test]
    fn wrong_set_is_refused() {
        let bytes = written(&[b"a"]);
        let refused = read(bytes.as_slice(), &[8; 32], 1).map(|_| ());
        assert!(matches!(refused, Err(NamesFault::OtherSet { .. })));
    }

    #[test]
    fn newer_schema_is_refused() {
        let text = String::from_utf8(written(&[b"a"])).expect("UTF-8");
        let newer = text.replace(r#""schema":1"#, r#""schema":2"#);
        assert_eq!(
            fault(newer.as_bytes(), 1),
            NamesFault::OtherSchema { schema: 2 }
        );
    }

    #[test]
    fn changed_cut_and_extended_files_are_refused() {
        let bytes = written(&[b"a", b"b"]);
        let changed = String::from_utf8(bytes.clone())
            .expect("UTF-8")
            .replace(r#""b""#, r#""c""#);
        assert_eq!(fault(changed.as_bytes(), 2), NamesFault::Changed);
        for cut in 0..bytes.len() {
            fault(&bytes[..cut], 2);
        }
        let mut longer = bytes.clone();
        longer.extend_from_slice(b"{\"id\":2,\"path\":\"c\"}\n");
        assert!(matches!(
            fault(&longer, 2),
            NamesFault::Damaged { line: 4, .. }
        ));
        assert!(matches!(
            fault(&bytes, 3),
            NamesFault::Damaged { line: 1, .. }
        ));
    }

    #[test]
    fn endless_line_is_refused_at_the_bound() {
        let endless = BufReader::new(io::repeat(b'x'));
        let refused = read(endless, &SET, 1).map(|_| ());
        assert!(matches!(refused, Err(NamesFault::Damaged { line: 1, .. })));
    }

    proptest! {
        #[test]
        fn any_paths_come_back(paths in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let slices: Vec<&[u8]> = paths.iter().map(Vec::as_slice).collect();
            let names = read(written(&slices).as_slice(), &SET, paths.len() as u32).expect("own names");
            for (id, path) in (0..).zip(&paths) {
                prop_assert_eq!(names.get(id), Some(path.as_slice()));
            }
            prop_assert_eq!(names.get(paths.len() as u32), None);
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(bytes.as_slice(), &SET, 1);
        }
    }
}
