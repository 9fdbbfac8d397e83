//! The folder as a bag (BagIt 1.0, RFC 8493): a list of files with their digests, and a list of the lists.
//!
//! It is the simplest form that programs of other hands check as a whole: nothing missing, nothing more, nothing changed.
//! The payload lies below `data/` and stands in `manifest-sha256.txt`; what describes it stands in `tagmanifest-sha256.txt`,
//! the manifest among it. So that last list binds everything, and is what gets signed and stamped.
//!
//! All names in such a folder are the program's own, and few characters are enough for them ([`is_name`]): nothing needs the
//! encoding that the RFC has for line ends and percent signs, no name leads out of the folder, and none means one file on
//! one system and another elsewhere. A reader that meets any other name did not get a folder of ours, and says so. Lines
//! stand in bytewise order, each path once: what is written has one form, and any other is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::blob::Sha256Digest;

/// The declaration (RFC 8493, section 2.1.1).
pub const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
/// Its file.
pub const DECLARATION_FILE: &str = "bagit.txt";
/// What is said of the bag (section 2.2.2).
pub const INFO_FILE: &str = "bag-info.txt";
/// Digests of the payload (section 2.1.3).
pub const MANIFEST_FILE: &str = "manifest-sha256.txt";
/// Digests of all that is not payload, but of itself and of what is made of it (section 2.2.1).
pub const TAG_MANIFEST_FILE: &str = "tagmanifest-sha256.txt";
/// Folder of the payload.
pub const PAYLOAD: &str = "data/";

/// Files that a bag may list. A case with more distinct matched contents than this has them listed, not copied.
pub const MAX_FILES: usize = 1_000_000;
/// Bytes of a name.
const MAX_NAME_BYTES: usize = 1_024;
/// Digits of a digest.
const DIGEST_CHARS: usize = 64;

/// Files and their digests, in bytewise order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Digest of each file, by its path below the folder.
    pub files: BTreeMap<String, Sha256Digest>,
}

/// Why a manifest is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BagError {
    /// A line has another form.
    #[error("line {line} is not what this program writes: a digest, two spaces, a path")]
    Line {
        /// Its number, 1-based.
        line: usize,
    },
    /// A path that no folder of ours has.
    #[error(
        "line {line} names {path:?}, which leads elsewhere or has characters that this program does not use"
    )]
    Name {
        /// Its number, 1-based.
        line: usize,
        /// The path.
        path: String,
    },
    /// A path twice, or out of order.
    #[error("line {line} is out of order, or names what stands above it")]
    Order {
        /// Its number, 1-based.
        line: usize,
    },
    /// Two names that some systems take for one.
    #[error("line {line} names what is the same as a line above but for capital letters")]
    Capitals {
        /// Its number, 1-based.
        line: usize,
    },
    /// Too long.
    #[error("it lists more than {MAX_FILES} files")]
    TooMany,
}

impl Manifest {
    /// Adds a file.
    pub fn add(&mut self, path: &str, digest: Sha256Digest) {
        self.files.insert(path.to_owned(), digest);
    }

    /// As it is written: the form that `sha256sum -c` reads too.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (path, digest) in &self.files {
            let _ = writeln!(text, "{}  {path}", digest.hex());
        }
        text
    }

    /// Reads one.
    ///
    /// # Errors
    /// When it has any other form than [`Self::text`] gives it.
    pub fn parse(text: &[u8]) -> Result<Self, BagError> {
        let mut manifest = Self::default();
        let mut folded = BTreeSet::new();
        let mut last = "";
        for (index, row) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let line = index + 1;
            if index >= MAX_FILES {
                return Err(BagError::TooMany);
            }
            let row = std::str::from_utf8(row).ok();
            let row = row.and_then(|row| row.strip_suffix('\n'));
            let parts = row.and_then(|row| row.split_once("  "));
            let parts = parts.and_then(|(digest, path)| Some((from_hex(digest)?, path)));
            let (digest, path) = parts.ok_or(BagError::Line { line })?;
            if !is_name(path) {
                return Err(BagError::Name {
                    line,
                    path: path.to_owned(),
                });
            }
            if path <= last {
                return Err(BagError::Order { line });
            }
            if !folded.insert(path.to_ascii_lowercase()) {
                return Err(BagError::Capitals { line });
            }
            last = path;
            manifest.add(path, digest);
        }
        Ok(manifest)
    }
}

/// Whether a path is one that this program writes: letters, digits, `.`, `-`, `_` and `@` in parts that are not empty and
/// do not begin with a dot.
#[must_use]
pub fn is_name(path: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte);
    let is_part =
        |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_char);
    path.len() <= MAX_NAME_BYTES && path.split('/').all(is_part)
}

/// A digest from 64 small hex digits.
#[must_use]
pub fn from_hex(text: &str) -> Option<Sha256Digest> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != DIGEST_CHARS || !text.bytes().all(is_digit) {
        return None;
    }
    let mut digest = [0; 32];
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(Sha256Digest(digest))
}

/// What `bag-info.txt` says. No clock is asked: the date is there only where `SOURCE_DATE_EPOCH` gives one, since all that
/// differs from one sealing of a case to the next stands in the custody log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Name and version of the program.
    pub program: String,
    /// Bytes of the payload.
    pub bytes: u64,
    /// Files of the payload.
    pub files: u64,
    /// The day of `SOURCE_DATE_EPOCH`, `YYYY-MM-DD`.
    pub date: Option<String>,
}

impl Info {
    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("Bag-Software-Agent: {}\n", self.program);
        if let Some(date) = &self.date {
            let _ = writeln!(text, "Bagging-Date: {date}");
        }
        let _ = writeln!(
            text,
            "External-Description: Sealed evidence of a case; HOW-TO-VERIFY.txt says how to check it"
        );
        let _ = writeln!(text, "Payload-Oxum: {}.{}", self.bytes, self.files);
        text
    }
}

/// Bytes and files of the payload, as `bag-info.txt` says.
#[must_use]
pub fn oxum(info: &str) -> Option<(u64, u64)> {
    let mut values = info
        .lines()
        .filter_map(|line| line.strip_prefix("Payload-Oxum: "));
    let (bytes, files) = values.next()?.split_once('.')?;
    if values.next().is_some() {
        return None;
    }
    Some((bytes.parse().ok()?, files.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str) -> String {
        format!("{}  {path}\n", Sha256Digest::of(path.as_bytes()).hex())
    }

    #[test]
    fn what_is_written_is_read() {
        let mut manifest = Manifest::default();
        for path in ["data/b", "data/a/x.txt", "data/a-"] {
            manifest.add(path, Sha256Digest::of(path.as_bytes()));
        }
        let text = manifest.text();
        assert_eq!(text, row("data/a-") + &row("data/a/x.txt") + &row("data/b"));
        assert_eq!(Manifest::parse(text.as_bytes()), Ok(manifest));
    }

    #[test]
    fn any_other_form_is_refused() {
        let name = |line, path: &str| BagError::Name {
            line,
            path: path.to_owned(),
        };
        let cases = [
            (
                "\u{feff}".to_owned() + &row("data/a"),
                BagError::Line { line: 1 },
            ),
            (row("data/a").replace("  ", " "), BagError::Line { line: 1 }),
            (
                row("data/a").replace("  ", " *"),
                BagError::Line { line: 1 },
            ),
            (row("data/a").replace('\n', "\r\n"), name(1, "data/a\r")),
            (row("data/a").replace('\n', ""), BagError::Line { line: 1 }),
            (row("data/a").to_uppercase(), BagError::Line { line: 1 }),
            (
                row("data/../../etc/passwd"),
                name(1, "data/../../etc/passwd"),
            ),
            (row("/etc/passwd"), name(1, "/etc/passwd")),
            (row("data/a%0Ab"), name(1, "data/a%0Ab")),
            (row("data\\a"), name(1, "data\\a")),
            (row("c:a"), name(1, "c:a")),
            (row("data/.git/config"), name(1, "data/.git/config")),
            (row("data//a"), name(1, "data//a")),
            (row("data/b") + &row("data/a"), BagError::Order { line: 2 }),
            (row("data/a") + &row("data/a"), BagError::Order { line: 2 }),
            (
                row("data/A") + &row("data/a"),
                BagError::Capitals { line: 2 },
            ),
            ("\n".to_owned(), BagError::Line { line: 1 }),
        ];
        for (text, error) in cases {
            assert_eq!(Manifest::parse(text.as_bytes()), Err(error), "{text:?}");
        }
    }

    #[test]
    fn the_payload_is_counted_once() {
        let mut info = Info {
            program: "strandline 0".to_owned(),
            bytes: 12,
            files: 3,
            date: None,
        };
        assert_eq!(oxum(&info.text()), Some((12, 3)));
        assert!(!info.text().contains("Bagging-Date"));
        info.date = Some("2026-04-01".to_owned());
        assert!(info.text().contains("\nBagging-Date: 2026-04-01\n"));
        assert_eq!(oxum(&info.text().repeat(2)), None);
        assert_eq!(oxum("Payload-Oxum: -1.2\n"), None);
    }
}
