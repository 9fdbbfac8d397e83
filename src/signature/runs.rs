//! Building a set that is larger than memory: sorting in runs.
//!
//! The rows of a set are sorted by values under its key, and a derived key follows from all that is signed. So nothing can
//! be sorted before the last file was read, and until then the fingerprints of all files, more bytes than the set will
//! have, must lie somewhere. What is small lies in memory. Beyond a bound it goes to two files, and from then on what
//! the builder holds of fingerprints stays at the bound, however much is signed:
//!
//! 1. Of each file that comes, its values and lines are appended to a [`Store`], unkeyed, in the order in which files come.
//! 2. With the last file the key is known, and with it every row. For one tier after the other rows are gathered up to the
//!    bound, sorted, and put as a run into the second store ([`Sorter`]); runs are then merged ([`Sorted`]) and
//!    packed to the section of the tier, which is appended to the first store. Merging is done anew for each of the few
//!    passes that writing takes; that is cheaper than to hold what one of them finds.
//! 3. The header, which names lengths and checksums of all sections, is made last and written first; then sections
//!    are copied behind it.
//!
//! There is one way: a set that fits in memory is built by the same steps, with one run that is never written. A test
//! holds the two to the same bytes.
//!
//! **The files** have no names. They are made anew where no other can be, beside the set or in the folder of `--spill`,
//! readable for nobody else, and unlinked while they are open (or made without a name from the start, where the system can).
//! So they are gone when the program is, however it ends. They hold fingerprints without a key, which are worth
//! as much to a reader as a set with its key; the disk has to be trusted that far. They take some .7 bytes for each
//! byte that is signed.
//!
//! What this leaves out: what is held for every file (path, digests, lengths, some 300 bytes) stays in memory, and so does
//! what the scan behind `sign` keeps, which is all members of an archive while that is read; and very many runs, each of
//! which needs [`BUFFER_MIN`] bytes when they are merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

/// Part of the memory that fingerprints may take before they go to a file, while content takes the rest.
const HELD_PART: u64 = 8;
/// Part of it that rows may take while they are sorted.
const SORTED_PART: u64 = 4;
/// What is written in one go, once something was.
const WRITTEN_BYTES: usize = 1 << 20;
/// What is copied in one go.
const COPIED_BYTES: u64 = 1 << 18;
/// The least and the most that is read of a run in one go.
const BUFFER_MIN: usize = 4 << 10;
const BUFFER_MAX: usize = 1 << 20;

/// What a builder may use when a work is larger than memory.
#[derive(Debug)]
pub struct Spill {
    /// Empty files that can be read and written, and that nobody else has.
    files: [File; 2],
    /// Bytes of memory that may be used, in all.
    memory: u64,
}

impl Spill {
    /// Two files, empty, that can be read and written and that nobody else has, and how many bytes of memory may be used.
    #[must_use]
    pub fn new(files: [File; 2], memory: u64) -> Spill {
        Spill { files, memory }
    }
}

/// Where fingerprints and sections lie, and where runs do.
#[derive(Debug)]
pub(super) struct Stores {
    pub kept: Store,
    pub runs: Runs,
}

impl Stores {
    /// In memory, all of it.
    pub(super) fn in_memory() -> Stores {
        Stores {
            kept: Store::new(None, usize::MAX),
            runs: Runs {
                store: Store::new(None, usize::MAX),
                rows_max: usize::MAX,
            },
        }
    }

    /// In files beyond a bound.
    pub(super) fn spilling(spill: Spill) -> Stores {
        let Spill {
            files: [kept, runs],
            memory,
        } = spill;
        let part = |of| usize::try_from(memory / of).unwrap_or(usize::MAX);
        Stores {
            kept: Store::new(Some(kept), part(HELD_PART)),
            runs: Runs {
                // What is written here was held before; there is no use in holding it again.
                store: Store::new(Some(runs), WRITTEN_BYTES),
                rows_max: (part(SORTED_PART) / size_of::<Row>()).max(1),
            },
        }
    }
}

/// Bytes that are appended and read again: in memory as long as they are few, then in a file.
#[derive(Debug)]
pub(super) struct Store {
    /// What is not in the file.
    held: Vec<u8>,
    held_max: usize,
    file: Option<File>,
    /// Bytes in the file, those before `held`.
    in_file: u64,
}

impl Store {
    fn new(file: Option<File>, held_max: usize) -> Store {
        Store {
            held: Vec::new(),
            held_max,
            file,
            in_file: 0,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.in_file + self.held.len() as u64
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.held.extend_from_slice(bytes);
        if self.held.len() < self.held_max {
            return Ok(());
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.seek(SeekFrom::Start(self.in_file))?;
        file.write_all(&self.held)?;
        self.in_file += self.held.len() as u64;
        // From here on it is a buffer; the memory is for rows.
        self.held_max = self.held_max.min(WRITTEN_BYTES);
        self.held.clear();
        self.held.shrink_to(self.held_max);
        Ok(())
    }

    /// Reads what stands at `at` until `into` is full.
    pub(super) fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let in_file = usize::try_from(self.in_file.saturating_sub(at)).unwrap_or(usize::MAX);
        let (written, held) = into.split_at_mut(in_file.min(into.len()));
        if let Some(mut file) = self.file.as_ref().filter(|_| !written.is_empty()) {
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(written)?;
        }
        if held.is_empty() {
            return Ok(());
        }
        let from = usize::try_from(at.saturating_sub(self.in_file)).unwrap_or(usize::MAX);
        let kept = self
            .held
            .get(from..)
            .and_then(|kept| kept.get(..held.len()));
        held.copy_from_slice(kept.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    /// Gives what stands in `range` to `put`, piece by piece.
    pub(super) fn copy(
        &self,
        range: Range<u64>,
        mut put: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut piece = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let bytes = (range.end - at).min(COPIED_BYTES);
            piece.resize(bytes as usize, 0);
            self.read(at, &mut piece)?;
            put(&piece)?;
            at += bytes;
        }
        Ok(())
    }

    /// Forgets what is in it, so that the room is used again.
    fn clear(&mut self) {
        self.held.clear();
        self.in_file = 0;
    }
}

/// A section that lies in a store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    pub at: u64,
    /// Behind its last byte.
    pub end: u64,
    /// BLAKE3 of its bytes.
    pub sum: [u8; 32],
}

impl Body {
    /// Puts these bytes behind what is in the store.
    pub(super) fn put(bytes: &[u8], store: &mut Store) -> io::Result<Body> {
        let mut out = Writer::new(store);
        out.put(bytes)?;
        out.finish()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.end - self.at
    }
}

/// Puts a section behind what is in a store, in small pieces.
pub(super) struct Writer<'s> {
    store: &'s mut Store,
    start: u64,
    /// What is on its way to the store.
    pending: Vec<u8>,
    hasher: blake3::Hasher,
}

impl<'s> Writer<'s> {
    pub(super) fn new(store: &'s mut Store) -> Writer<'s> {
        Writer {
            start: store.len(),
            store,
            pending: Vec::new(),
            hasher: blake3::Hasher::new(),
        }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < COPIED_BYTES as usize {
            return Ok(());
        }
        self.hand_on()
    }

    fn hand_on(&mut self) -> io::Result<()> {
        self.hasher.update(&self.pending);
        self.store.append(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    /// Also puts what stands elsewhere in the store.
    pub(super) fn put_copy(&mut self, range: Range<u64>) -> io::Result<()> {
        // Of one file and one tier: not more than the file had.
        let before = self.pending.len();
        self.pending
            .resize(before + (range.end - range.start) as usize, 0);
        self.store.read(range.start, &mut self.pending[before..])?;
        self.put(&[])
    }

    /// Zeros to a multiple of 8 bytes, counted from the beginning of the section.
    pub(super) fn fill_up(&mut self) -> io::Result<()> {
        let bytes = self.store.len() - self.start + self.pending.len() as u64;
        let zeros = bytes.next_multiple_of(8) - bytes;
        self.put(&[0; 8][..zeros as usize])
    }

    pub(super) fn finish(mut self) -> io::Result<Body> {
        self.hand_on()?;
        Ok(Body {
            at: self.start,
            end: self.store.len(),
            sum: *self.hasher.finalize().as_bytes(),
        })
    }
}

/// A value as it is stored, of 40 bits, and what stands beside it.
pub(super) type Row = (u64, u32);

/// Bytes of a row in a run: 5 of the value and 4 of what stands beside it, little-endian.
const ROW_BYTES: usize = 9;
const VALUE_BYTES: usize = 5;

fn encode(row: Row) -> [u8; ROW_BYTES] {
    let mut bytes = [0; ROW_BYTES];
    let [value @ .., _, _, _] = row.0.to_le_bytes();
    bytes[..VALUE_BYTES].copy_from_slice(&value);
    bytes[VALUE_BYTES..].copy_from_slice(&row.1.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; ROW_BYTES]) -> Row {
    let [a, b, c, d, e, posting @ ..] = *bytes;
    let value = u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]);
    (value, u32::from_le_bytes(posting))
}

/// Where runs lie, and how many rows are sorted at once.
#[derive(Debug)]
pub(super) struct Runs {
    store: Store,
    rows_max: usize,
}

impl Runs {
    /// Sorts other rows: those before are forgotten.
    pub(super) fn sorter(&mut self) -> Sorter<'_> {
        self.store.clear();
        Sorter {
            rows: Vec::new(),
            rows_max: self.rows_max,
            runs: Vec::new(),
            store: &mut self.store,
        }
    }
}

/// Takes rows in any order.
pub(super) struct Sorter<'s> {
    rows: Vec<Row>,
    rows_max: usize,
    runs: Vec<Range<u64>>,
    store: &'s mut Store,
}

impl<'s> Sorter<'s> {
    pub(super) fn push(&mut self, row: Row) -> io::Result<()> {
        if self.rows.len() >= self.rows_max {
            self.spill()?;
        }
        self.rows.push(row);
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.rows.sort_unstable();
        let start = self.store.len();
        for &row in &self.rows {
            self.store.append(&encode(row))?;
        }
        self.runs.push(start..self.store.len());
        self.rows.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Sorted<'s> {
        self.rows.sort_unstable();
        Sorted {
            buffer_bytes: self.rows_max.saturating_mul(size_of::<Row>())
                / self.runs.len().saturating_add(1),
            rows: self.rows,
            runs: self.runs,
            store: self.store,
        }
    }
}

/// Rows that can be had in order, as often as they are asked for.
pub(super) struct Sorted<'s> {
    /// The last run, which was never written.
    rows: Vec<Row>,
    runs: Vec<Range<u64>>,
    store: &'s Store,
    buffer_bytes: usize,
}

impl Sorted<'_> {
    /// Gives every row to `each`, in order.
    pub(super) fn each(&self, mut each: impl FnMut(Row) -> io::Result<()>) -> io::Result<()> {
        let buffer_bytes = self.buffer_bytes.clamp(BUFFER_MIN, BUFFER_MAX);
        let mut held = self.rows.iter().copied();
        let mut runs: Vec<Run> = (self.runs.iter())
            .map(|range| Run::new(range.clone(), buffer_bytes))
            .collect();
        let mut next = |run: usize| match runs.get_mut(run) {
            Some(run) => run.next(self.store),
            None => Ok(held.next()),
        };
        let mut heads = BinaryHeap::new();
        for run in 0..=self.runs.len() {
            heads.extend(next(run)?.map(|row| Reverse((row, run))));
        }
        while let Some(Reverse((row, run))) = heads.pop() {
            each(row)?;
            heads.extend(next(run)?.map(|row| Reverse((row, run))));
        }
        Ok(())
    }
}

/// A run that is being read.
struct Run {
    left: Range<u64>,
    buffer: Vec<u8>,
    /// What was taken of the buffer.
    taken: usize,
    buffer_bytes: usize,
}

impl Run {
    fn new(left: Range<u64>, buffer_bytes: usize) -> Run {
        Run {
            left,
            buffer: Vec::new(),
            taken: 0,
            buffer_bytes: buffer_bytes / ROW_BYTES * ROW_BYTES,
        }
    }

    fn next(&mut self, store: &Store) -> io::Result<Option<Row>> {
        if self.taken == self.buffer.len() {
            let bytes = (self.left.end - self.left.start).min(self.buffer_bytes as u64);
            self.buffer.resize(bytes as usize, 0);
            store.read(self.left.start, &mut self.buffer)?;
            self.left.start += bytes;
            self.taken = 0;
        }
        let row = self
            .buffer
            .get(self.taken..)
            .and_then(|rest| rest.first_chunk());
        self.taken += row.map_or(0, |_| ROW_BYTES);
        Ok(row.map(decode))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spilling(memory: u64) -> Stores {
        let file = || tempfile::tempfile().expect("a file");
        Stores::spilling(Spill::new([file(), file()], memory))
    }

    proptest! {
        #[test]
        fn rows_come_in_order_however_many_runs(rows in prop::collection::vec((0_u64..1 << 40, any::<u32>()), 0..500), memory in 0_u64..2000) {
            let mut stores = spilling(memory);
            // What was sorted before does not come back.
            for times in 1..=2 {
                let mut sorter = stores.runs.sorter();
                for row in rows.iter().skip(times) {
                    sorter.push(*row).expect("pushed");
                }
                let sorted = sorter.finish();
                let mut expected: Vec<Row> = rows.iter().skip(times).copied().collect();
                expected.sort_unstable();
                for _ in 0..2 {
                    let mut found = Vec::new();
                    sorted.each(|row| { found.push(row); Ok(()) }).expect("read");
                    prop_assert_eq!(&found, &expected);
                }
            }
        }

        #[test]
        fn what_is_stored_is_read_again(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..60), held in 0_u64..4000, cut in any::<prop::sample::Index>()) {
            let mut store = spilling(held).kept;
            let mut all = Vec::new();
            for piece in &pieces {
                prop_assert_eq!(store.len(), all.len() as u64);
                store.append(piece).expect("appended");
                all.extend_from_slice(piece);
                let from = cut.index(all.len() + 1);
                let mut read = vec![0; all.len() - from];
                store.read(from as u64, &mut read).expect("read");
                prop_assert_eq!(&read, &all[from..]);
            }
            prop_assert!(store.read(all.len() as u64, &mut [0]).is_err());
        }
    }
}
