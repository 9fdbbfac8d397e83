//! Files with more holes than anybody can read.
//!
//! A sparse file has bytes that were never written: it takes a moment to make one of many terabytes, and images of disks
//! and dumps of memory are such files. Its holes are zeros, and a digest takes them like any byte: a 60 GB file without
//! content would take minutes, and say nothing. So where the holes of a file amount to more than [`HOLES_MAX`], only what
//! is stored is read, as it is with sparse members of a tar, and `sparse-file` says so: such a file has no SHA-256, and is
//! the same as another one when what is stored in it is the same at the same offsets. Smaller holes are read as the
//! zeros that they are, and so are those in the midst of an archive: a member's digest needs them.

use super::facts::Child;
use crate::blob::ContentKey;
use crate::container::{InputFile, Trouble};

/// Bytes of holes in a file that are read as zeros: about a second's work.
const HOLES_MAX: u64 = 1 << 30;
/// Pieces of data that are looked for; a file in more of them is read whole.
const PIECES_MAX: usize = 1 << 16;
/// Set before what is hashed in place of a file, so that it is no file's key.
const DOMAIN: &[u8] = b"strandline sparse file/1";

/// The stored pieces of a file that has too many holes: offset and length in bytes, ascending.
#[derive(Debug)]
pub struct Pieces(Vec<(u64, u64)>);

impl Pieces {
    /// Looks for holes. `None` where there are few, or the system does not tell.
    pub fn of(file: &InputFile) -> Option<Self> {
        if file.len <= HOLES_MAX {
            return None;
        }
        let (mut pieces, mut at, mut stored) = (Vec::new(), 0, 0_u64);
        while at < file.len && pieces.len() < PIECES_MAX {
            let Some((start, end)) = file.stored_after(at).ok()? else {
                break;
            };
            let end = end.min(file.len);
            if start >= end {
                break;
            }
            pieces.push((start, end - start));
            stored += end - start;
            at = end;
        }
        let is_all = pieces.len() < PIECES_MAX;
        (is_all && file.len - stored > HOLES_MAX).then_some(Self(pieces))
    }

    /// Bytes that are stored.
    pub fn stored(&self) -> u64 {
        self.0.iter().map(|(_, len)| len).sum()
    }

    /// Where the last of them ends.
    pub fn end(&self) -> u64 {
        self.0.last().map_or(0, |(start, len)| start + len)
    }

    /// Reads what is stored at or behind `position`, and gives where it ends; 0 bytes at the end of the file.
    pub fn read_into(
        &self,
        file: &InputFile,
        position: u64,
        buffer: &mut [u8],
    ) -> std::io::Result<(usize, u64)> {
        let index = (self.0).partition_point(|(start, len)| start + len <= position);
        let Some(&(start, len)) = self.0.get(index) else {
            return Ok((0, position));
        };
        let from = start.max(position);
        let room = usize::try_from(start + len - from).unwrap_or(usize::MAX);
        let most = buffer.len().min(room);
        let got = file.read_into(from, &mut buffer[..most])?;
        Ok((got, from + got as u64))
    }

    /// A key in place of that of the whole: `stored` is the key of what is stored.
    pub fn key(&self, file: &InputFile, stored: &ContentKey) -> ContentKey {
        let mut text = DOMAIN.to_vec();
        text.extend_from_slice(&file.len.to_le_bytes());
        for (start, len) in &self.0 {
            text.extend_from_slice(&start.to_le_bytes());
            text.extend_from_slice(&len.to_le_bytes());
        }
        text.extend_from_slice(&stored.0);
        ContentKey::of(&text)
    }

    /// Says of a file what was read of it, and takes back what is true of whole files only.
    pub fn mark(&self, file: &InputFile, child: &mut Child) {
        child.sha256 = None;
        child.trouble.get_or_insert_with(|| {
            Trouble::odd(
                "sparse-file",
                format!(
                    "a sparse file of {} bytes: the {} that are stored were read; its holes, which are zeros, were not, so it has no SHA-256 and was held against no set",
                    file.len,
                    self.stored()
                ),
            )
        });
        if !child.facts.matches.is_empty() || !child.facts.echoes.is_empty() {
            let facts = std::sync::Arc::make_mut(&mut child.facts);
            facts.matches.clear();
            facts.echoes.clear();
        }
    }
}
