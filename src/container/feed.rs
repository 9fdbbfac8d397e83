//! Where a walker's bytes come from.
//!
//! Small content is a slice of memory and its members are slices of that slice: nothing is copied. Large content
//! is a file that is read at positions, or a stream that is read once. [`Feed`] is what a walker that goes
//! forward only (tar) needs, so that it is written once for both.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::blob::room;

/// Content that is to be opened.
#[derive(Debug, Clone)]
pub enum Input {
    /// In memory.
    Memory(Bytes),
    /// An input file that is too large to be held.
    File(InputFile),
}

impl Input {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Input::Memory(bytes) => bytes.len() as u64,
            Input::File(file) => file.len,
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to `len` bytes from `offset`; fewer where the content ends.
    ///
    /// Callers bound `len` by what they are ready to hold.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn slice(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        match self {
            Input::Memory(bytes) => {
                let start = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let end = start.saturating_add(len).min(bytes.len());
                Ok(bytes.slice(start..end))
            }
            Input::File(file) => {
                room::want(file.len.saturating_sub(offset).min(len as u64));
                file.read_at(offset, len)
            }
        }
    }

    /// What stands from `offset` on, as content of its own.
    #[must_use]
    pub fn behind(&self, offset: u64) -> Input {
        let offset = offset.min(self.len());
        match self {
            Input::Memory(bytes) => Input::Memory(bytes.slice(offset as usize..)),
            Input::File(file) => Input::File(InputFile {
                base: file.base + offset,
                len: file.len - offset,
                ..file.clone()
            }),
        }
    }

    /// `len` bytes from `offset`, or what there is of them, as content of its own.
    #[must_use]
    pub fn within(&self, offset: u64, len: u64) -> Input {
        match self.behind(offset) {
            Input::Memory(bytes) => {
                let end = usize::try_from(len).unwrap_or(usize::MAX).min(bytes.len());
                Input::Memory(bytes.slice(..end))
            }
            Input::File(file) => Input::File(InputFile {
                len: file.len.min(len),
                ..file
            }),
        }
    }

    /// Reads from `offset` to the end.
    pub fn reader(&self, offset: u64) -> InputReader {
        InputReader {
            input: self.clone(),
            offset,
        }
    }
}

/// An input file, read at positions, so that several walkers may read it.
#[derive(Debug, Clone)]
pub struct InputFile {
    file: Arc<File>,
    /// Where the content begins in the file.
    base: u64,
    /// Length in bytes when it was opened.
    pub len: u64,
    /// Highest position read so far, for the progress bar.
    reached: Arc<AtomicU64>,
}

impl InputFile {
    /// Wraps an open regular file of `len` bytes.
    pub fn new(file: File, len: u64) -> Self {
        Self {
            file: Arc::new(file),
            base: 0,
            len,
            reached: Arc::default(),
        }
    }

    /// The highest position that was read, in bytes.
    pub fn reached(&self) -> u64 {
        self.reached.load(Ordering::Relaxed)
    }

    /// The same file as if it ended at `len`.
    pub fn up_to(&self, len: u64) -> Self {
        Self {
            len: self.len.min(len),
            ..self.clone()
        }
    }

    /// The first piece at or behind `offset` that is stored, as its beginning and end; `None` where only a hole follows.
    /// A system that knows of no holes calls all of it stored.
    ///
    /// # Errors
    /// When the system cannot tell.
    #[cfg(target_os = "linux")]
    pub fn stored_after(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        use rustix::fs::{SeekFrom, seek};
        // Nothing here reads at the position that this moves.
        let start = match seek(&self.file, SeekFrom::Data(self.base + offset)) {
            Ok(start) => start,
            Err(rustix::io::Errno::NXIO) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let end = seek(&self.file, SeekFrom::Hole(start))?;
        Ok(Some((start - self.base, end - self.base)))
    }

    /// All of the rest: holes are not asked for here.
    ///
    /// # Errors
    /// None.
    #[cfg(not(target_os = "linux"))]
    pub fn stored_after(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        Ok((offset < self.len).then_some((offset, self.len)))
    }

    /// Up to `len` bytes at `offset`.
    ///
    /// # Errors
    /// When the system cannot read the file.
    pub fn read_at(&self, offset: u64, len: usize) -> io::Result<Bytes> {
        let rest = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; len.min(rest)];
        let got = self.read_into(offset, &mut buffer)?;
        buffer.truncate(got);
        Ok(buffer.into())
    }

    /// Fills `buffer` from `offset`; fewer bytes only where the file ends, or ended when it was opened: one that grows has
    /// an end too.
    ///
    /// # Errors
    /// When the system cannot read the file.
    pub fn read_into(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let most = buffer.len().min(rest);
        let buffer = &mut buffer[..most];
        let offset = self.base + offset;
        let mut got = 0;
        while got < buffer.len() {
            match read_file_at(&self.file, &mut buffer[got..], offset + got as u64) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.reached
            .fetch_max(offset + got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

#[cfg(unix)]
fn read_file_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_file_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Reads an [`Input`] forward.
#[derive(Debug)]
pub struct InputReader {
    input: Input,
    offset: u64,
}

impl Read for InputReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = match &self.input {
            Input::Memory(bytes) => {
                let start = usize::try_from(self.offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let got = buffer.len().min(bytes.len() - start);
                buffer[..got].copy_from_slice(&bytes[start..start + got]);
                got
            }
            Input::File(file) => {
                let rest = file.len.saturating_sub(self.offset);
                let want = buffer
                    .len()
                    .min(usize::try_from(rest).unwrap_or(usize::MAX));
                file.read_into(self.offset, &mut buffer[..want])?
            }
        };
        self.offset += got as u64;
        Ok(got)
    }
}

/// Bytes that are taken from the front, once.
pub trait Feed: Send {
    /// Takes `len` bytes; fewer only where the bytes end.
    fn take(&mut self, len: usize) -> Bytes;

    /// Passes over `len` bytes and says how many there were.
    fn skip(&mut self, len: u64) -> u64;

    /// Bytes taken or passed over so far.
    fn position(&self) -> u64;

    /// `len` bytes from `at` as content of its own, where they can be read again.
    fn content(&self, _at: u64, _len: u64) -> Option<Input> {
        None
    }
}

/// A [`Feed`] over memory. What it gives are slices, not copies.
pub struct SliceFeed {
    bytes: Bytes,
    position: usize,
}

impl SliceFeed {
    /// Feeds `bytes` from their beginning.
    pub fn new(bytes: Bytes) -> Self {
        Self { bytes, position: 0 }
    }
}

impl Feed for SliceFeed {
    fn take(&mut self, len: usize) -> Bytes {
        let end = self.position.saturating_add(len).min(self.bytes.len());
        let taken = self.bytes.slice(self.position..end);
        self.position = end;
        taken
    }

    fn skip(&mut self, len: u64) -> u64 {
        let rest = self.bytes.len() - self.position;
        let skipped = usize::try_from(len).unwrap_or(usize::MAX).min(rest);
        self.position += skipped;
        skipped as u64
    }

    fn position(&self) -> u64 {
        self.position as u64
    }
}

/// A [`Feed`] over content that is read at positions: what is passed over is not read.
pub struct SeekFeed {
    input: Input,
    position: u64,
}

impl SeekFeed {
    /// Feeds `input` from its beginning. What cannot be read ends it.
    pub fn new(input: Input) -> Self {
        Self { input, position: 0 }
    }
}

impl Feed for SeekFeed {
    fn take(&mut self, len: usize) -> Bytes {
        let taken = self.input.slice(self.position, len).unwrap_or_default();
        self.position += taken.len() as u64;
        taken
    }

    fn skip(&mut self, len: u64) -> u64 {
        let skipped = len.min(self.input.len().saturating_sub(self.position));
        self.position += skipped;
        skipped
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn content(&self, at: u64, len: u64) -> Option<Input> {
        Some(self.input.within(at, len))
    }
}

/// A [`Feed`] over a stream. Memory follows what was read, never what was asked for.
pub struct StreamFeed<R> {
    reader: R,
    position: u64,
}

impl<R: Read> StreamFeed<R> {
    /// Feeds what `reader` gives. Its errors read as its end: decoders note their own trouble.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            position: 0,
        }
    }

    /// The reader.
    pub fn get_ref(&self) -> &R {
        &self.reader
    }

    /// The reader, to ask it for its trouble.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }
}

impl<R: Read + Send> Feed for StreamFeed<R> {
    fn take(&mut self, len: usize) -> Bytes {
        const FIRST: usize = 64 << 10;
        let mut taken = vec![0; len.min(FIRST)];
        let mut got = 0;
        while got < len {
            if got == taken.len() {
                let room = len.min(taken.len() * 2);
                room::want(room as u64);
                taken.resize(room, 0);
            }
            match self.reader.read(&mut taken[got..]) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        taken.truncate(got);
        self.position += got as u64;
        taken.into()
    }

    fn skip(&mut self, len: u64) -> u64 {
        let mut sink = [0; 16 << 10];
        let mut skipped = 0;
        while skipped < len {
            let want = usize::try_from(len - skipped)
                .unwrap_or(usize::MAX)
                .min(sink.len());
            match self.reader.read(&mut sink[..want]) {
                Ok(0) => break,
                Ok(n) => skipped += n as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.position += skipped;
        skipped
    }

    fn position(&self) -> u64 {
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_within_content_ends_where_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"0123456789").unwrap();
        let file = InputFile::new(File::open(&path).unwrap(), 10);
        for input in [
            Input::File(file),
            Input::Memory(Bytes::from_static(b"0123456789")),
        ] {
            let within = input.within(2, 5).within(1, 3);
            assert_eq!(within.len(), 3);
            let mut read = Vec::new();
            within.reader(0).read_to_end(&mut read).unwrap();
            assert_eq!(read, b"345");
            assert_eq!(within.slice(1, 9).unwrap(), &b"45"[..]);
            assert_eq!(input.within(8, 5).len(), 2);
            assert_eq!(input.within(80, 5).len(), 0);
        }
    }

    #[test]
    fn all_feeds_give_the_same() {
        let bytes = Bytes::from((0..200_000_u32).map(|n| n as u8).collect::<Vec<_>>());
        let mut slice = SliceFeed::new(bytes.clone());
        let mut stream = StreamFeed::new(Input::Memory(bytes.clone()).reader(0));
        let mut seek = SeekFeed::new(Input::Memory(bytes.clone()));
        for step in [0, 1, 511, 70_000, 3, 140_000, 10] {
            let taken = slice.take(step);
            assert_eq!(taken, stream.take(step));
            assert_eq!(taken, seek.take(step));
            let skipped = slice.skip(7);
            assert_eq!((skipped, skipped), (stream.skip(7), seek.skip(7)));
            assert_eq!(slice.position(), stream.position());
            assert_eq!(slice.position(), seek.position());
        }
    }
}
