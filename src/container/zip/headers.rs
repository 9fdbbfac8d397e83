//! What the directory of a zip says of its entries, without any of them being unpacked.
//!
//! For each entry the directory states a length and a CRC-32. That is a claim, and even where it is true it is no proof
//! that two files are equal; but it is read at the speed of a list. An entry that is stored as it is can be read, and
//! where its bytes stand is said. Nothing is checked here but that: what no entry covers, headers that disagree, and
//! what else a walk of the whole finds out is left to it.

use super::super::Trouble;
use super::super::feed::Input;
use super::records::{Directory, Entry};
use super::{Covered, ZipWalker};

/// One entry, as its headers state it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, raw.
    pub name: Vec<u8>,
    /// Length of the content in bytes.
    pub unpacked: u64,
    /// Length of what is stored, in bytes.
    pub packed: u64,
    /// CRC-32 of the content.
    pub crc32: u32,
    /// Where the bytes of the content stand, if they are stored as they are.
    pub stored_at: Option<u64>,
    /// What it is, where it is no regular file.
    pub other: Option<&'static str>,
}

/// The entries of a zip, one after the other.
pub struct Headers {
    input: Input,
    directory: Directory,
    prefix: u64,
}

impl Headers {
    /// Finds the directory.
    ///
    /// # Errors
    /// There is none.
    pub fn open(input: Input) -> Result<Self, Trouble> {
        let (directory, prefix) = Directory::find(&input, &mut Covered::default())?;
        Ok(Self {
            input,
            directory,
            prefix,
        })
    }

    /// What is odd about the directory, or cut it; asked at the end.
    pub fn finish(&mut self) -> Option<Trouble> {
        self.directory.finish()
    }

    fn header(&self, entry: Entry) -> Header {
        let is_stored =
            entry.method == 0 && !entry.is_encrypted() && entry.packed == entry.unpacked;
        let local = is_stored.then(|| ZipWalker::find_local(&self.input, self.prefix, &entry));
        let stored_at = local.flatten().map(|local| local.offset + local.len as u64);
        Header {
            unpacked: entry.unpacked,
            packed: entry.packed,
            crc32: entry.crc.unwrap_or(0),
            stored_at,
            other: entry.other().filter(|other| {
                // What has content though its mode is that of a folder is read by a scan.
                *other == "symlink" || entry.unpacked == 0
            }),
            name: entry.name,
        }
    }
}

impl Iterator for Headers {
    type Item = Header;

    fn next(&mut self) -> Option<Header> {
        let entry = self.directory.next()?;
        Some(self.header(entry))
    }
}
