//! The bytes of a zip's entries: their decoders, and what is said of their checksums and lengths.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// Where the packed bytes of an entry stand, how many they are, and how many of them were taken.
    pub(super) packed: Option<(u64, u64, Arc<AtomicU64>)>,
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
    /// Where the packed bytes that it took begin and end; all of them, where it was not read to its end.
    pub(super) fn taken(&self) -> Option<(u64, u64)> {
        let (start, all, used) = self.packed.as_ref()?;
        let is_whole = self.ended && self.trouble.is_none();
        let len = if is_whole {
            used.load(Ordering::Relaxed)
        } else {
            *all
        };
        Some((*start, start.saturating_add(len)))
    }

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

/// Counts what is taken.
struct Counted<R> {
    inner: R,
    used: Arc<AtomicU64>,
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.used.fetch_add(len as u64, Ordering::Relaxed);
        self.inner.consume(len);
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.used.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Whether a decoder of this method takes no byte behind the end of its stream, so that what it left can be told. Of LZMA
/// and what is built on it that depends on the decoder.
pub(super) fn ends_exactly(method: u16) -> bool {
    matches!(method, 8 | 12)
}

/// The decoder of a method (APPNOTE 4.4.5), or `None` for those that are not supported. `used` is told how many packed
/// bytes it took.
pub(super) fn decoder(
    entry: &Entry,
    data: impl Read + Send + 'static,
    decoders: Decoders,
    used: Arc<AtomicU64>,
) -> Option<Box<dyn Read + Send>> {
    let data = Counted {
        inner: BufReader::new(data),
        used,
    };
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
