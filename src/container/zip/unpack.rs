//! The bytes of a zip's entries: their decoders, and what is said of their checksums and lengths.

use std::io::{BufRead, BufReader, Cursor, Read};

use bytes::Bytes;

use super::super::{Member, Trouble, safe};
use super::records::Entry;
use crate::blob::{Decoders, MemberName};

/// A member that is too large to be held.
pub(super) struct Streamed {
    /// What was read of it to find that out, not yet given.
    pub(super) head: Vec<u8>,
    pub(super) decoder: Box<dyn Read + Send>,
    pub(super) check: Check,
    pub(super) made: u64,
    pub(super) crc: crc32fast::Hasher,
    pub(super) trouble: Option<Trouble>,
    pub(super) ended: bool,
}

/// What is stated of the bytes of a member.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub(super) crc: Option<u32>,
    pub(super) unpacked: u64,
}

impl Check {
    /// What is wrong with `made` bytes of checksum `crc`.
    pub(super) fn trouble(self, made: u64, crc: u32) -> Option<Trouble> {
        let missing = self.unpacked.saturating_sub(made);
        if missing > 0 {
            return Some(Trouble::damaged(
                "truncated",
                format!(
                    "the directory states {missing} bytes more than there are; what is there was read"
                ),
                Some(missing),
            ));
        }
        (self.crc.is_some_and(|stated| stated != crc)).then(|| {
            Trouble::odd(
                "checksum-mismatch",
                "the checksum of the entry does not fit; the bytes were read as they stand",
            )
        })
    }
}

impl Streamed {
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> usize {
        if buffer.is_empty() || self.ended {
            return 0;
        }
        let got = if self.head.is_empty() {
            match read_on(&mut self.decoder, buffer) {
                Ok(got) => got,
                Err(error) => {
                    self.trouble = Some(corrupt(&error));
                    self.ended = true;
                    return 0;
                }
            }
        } else {
            let got = buffer.len().min(self.head.len());
            buffer[..got].copy_from_slice(&self.head[..got]);
            self.head.drain(..got);
            got
        };
        self.made += got as u64;
        self.crc.update(&buffer[..got]);
        if got == 0 {
            self.ended = true;
            let crc = std::mem::take(&mut self.crc).finalize();
            self.trouble = self.check.trouble(self.made, crc);
        }
        got
    }
}

/// Reads once, whatever interrupts it.
pub(super) fn read_on(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

pub(super) fn corrupt(error: &std::io::Error) -> Trouble {
    Trouble::damaged(
        "corrupt-data",
        format!(
            "the packed data is damaged or cut ({error}); what came before the damage was read"
        ),
        None,
    )
}

/// A member whose checksum was looked at.
pub(super) fn checked(name: MemberName, bytes: Bytes, entry: &Entry) -> Member {
    let trouble = entry
        .check()
        .trouble(bytes.len() as u64, crc32fast::hash(&bytes));
    let mut member = Member::whole(name, bytes);
    member.trouble = trouble;
    member
}

/// The decoder of a method (APPNOTE 4.4.5), or `None` for those that are not supported.
pub(super) fn decoder(
    entry: &Entry,
    data: impl Read + Send + 'static,
    decoders: Decoders,
) -> Option<Box<dyn Read + Send>> {
    let data = BufReader::new(data);
    Some(match entry.method {
        0 => Box::new(data),
        8 => Box::new(flate2::bufread::DeflateDecoder::new(data)),
        9 => Box::new(deflate64::Deflate64Decoder::with_buffer(data)),
        12 => Box::new(bzip2::bufread::BzDecoder::new(data)),
        14 => return lzma(entry, data, decoders),
        93 => safe::zstd(data, decoders)?,
        95 => safe::xz(data, LZMA_MEMORY_MAX, decoders),
        _ => return None,
    })
}

/// A dictionary larger than this is refused rather than allocated.
pub(super) const LZMA_MEMORY_MAX: u64 = 1 << 30;
/// The flag that says an end marker closes the stream, so that no length is needed (APPNOTE 4.4.4).
pub(super) const LZMA_END_MARKER: u16 = 2;

/// LZMA as zip holds it (APPNOTE 5.8.8): version, length of the properties, properties, raw stream. The decoder
/// wants the properties and the length in front, as `.lzma` files have them.
pub(super) fn lzma(
    entry: &Entry,
    mut data: impl BufRead + Send + 'static,
    decoders: Decoders,
) -> Option<Box<dyn Read + Send>> {
    let mut header = [0; 9];
    data.read_exact(&mut header).ok()?;
    if header[2..4] != [5, 0] {
        return None;
    }
    let length = if entry.flags & LZMA_END_MARKER == 0 {
        entry.unpacked
    } else {
        u64::MAX
    };
    let mut alone = header[4..].to_vec();
    alone.extend(length.to_le_bytes());
    let data = Cursor::new(alone).chain(data);
    safe::alone(data, LZMA_MEMORY_MAX, decoders)
}
