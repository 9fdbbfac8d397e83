//! The digest table: from a keyed value of 32 bytes to the ids of the files that have it.
//!
//! Values of a keyed hash are spread evenly, so a directory over their first bits leaves about four rows to look at,
//! whatever the size of the table: two cache misses and no tree. The layout stands in [`format`](mod@super::format).

use std::ops::Range;

use super::format::Fields;

/// A stored value.
pub(super) type Value = [u8; 32];

const VALUE_BYTES: usize = 32;
const ID_BYTES: usize = 4;
const ENTRY_BYTES: usize = 4;
/// Rows that one entry of the directory stands for, on average.
const ROWS_PER_ENTRY: u64 = 4;
const DIRECTORY_MAX_BITS: u32 = 24;

/// Where the parts of a verified table lie, in bytes from the beginning of the set.
#[derive(Debug, Clone)]
pub(super) struct Table {
    rows: usize,
    bits: u32,
    directory: Range<usize>,
    values: Range<usize>,
    ids: Range<usize>,
}

/// The bytes of a table of these rows, in any order.
pub(super) fn build(mut rows: Vec<(Value, u32)>) -> Vec<u8> {
    rows.sort_unstable();
    let bits = directory_bits(rows.len());
    let mut out = Vec::new();
    out.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    for prefix in 0..=(1_u32 << bits) {
        let below = rows.partition_point(|(value, _)| prefix_of(value, bits) < prefix);
        out.extend_from_slice(&(below as u32).to_le_bytes());
    }
    out.resize(out.len().next_multiple_of(8), 0);
    for (value, _) in &rows {
        out.extend_from_slice(value);
    }
    for (_, id) in &rows {
        out.extend_from_slice(&id.to_le_bytes());
    }
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

fn directory_bits(rows: usize) -> u32 {
    (0..DIRECTORY_MAX_BITS)
        .find(|bits| ROWS_PER_ENTRY << bits >= rows as u64)
        .unwrap_or(DIRECTORY_MAX_BITS)
}

/// The first `bits` bits of a value as a number.
fn prefix_of(value: &Value, bits: u32) -> u32 {
    let [a, b, c, d, ..] = *value;
    // A shift by all 32 bits is what an empty prefix asks for; it gives zero.
    u32::from_be_bytes([a, b, c, d])
        .checked_shr(32 - bits)
        .unwrap_or(0)
}

impl Table {
    /// Reads and checks the table at the front of `fields`, which stand at `base` in the set. `files` is the number of
    /// files that ids may point to. Errors say what is wrong with it.
    pub(super) fn parse(
        fields: &mut Fields<'_>,
        base: usize,
        files: u32,
    ) -> Result<Table, &'static str> {
        const SHORT: &str = "a table goes past its end";
        let rows = fields.u32().ok_or(SHORT)?;
        let bits = fields.u32().ok_or(SHORT)?;
        if rows > files {
            return Err("a table has more rows than the work has files");
        }
        let rows = rows as usize;
        if bits != directory_bits(rows) {
            return Err("a directory has the wrong size");
        }
        // On a small machine a row count that the file could never hold may be beyond all addresses.
        let column = |width: usize| rows.checked_mul(width).ok_or(SHORT);
        let mut part = |bytes: usize| -> Option<(&[u8], Range<usize>)> {
            let start = fields.position();
            let taken = fields.bytes(bytes)?;
            Some((taken, base + start..base + start + bytes))
        };
        let entries = (1_usize << bits) + 1;
        let (directory_bytes, directory) = part(entries * ENTRY_BYTES).ok_or(SHORT)?;
        // The table began at a multiple of 8 and its head is 8 bytes; an odd directory leaves 4 to fill.
        let (padding, _) = part(entries % 2 * ENTRY_BYTES).ok_or(SHORT)?;
        let (value_bytes, values) = part(column(VALUE_BYTES)?).ok_or(SHORT)?;
        let (id_bytes, ids) = part(column(ID_BYTES)?).ok_or(SHORT)?;
        let (end_padding, _) = part(rows % 2 * ID_BYTES).ok_or(SHORT)?;
        if padding.iter().chain(end_padding).any(|&b| b != 0) {
            return Err("the bytes between its parts are not zero");
        }
        let (value_rows, _) = value_bytes.as_chunks::<VALUE_BYTES>();
        let (id_rows, _) = id_bytes.as_chunks::<ID_BYTES>();
        check_rows(value_rows, id_rows, files)?;
        check_directory(
            directory_bytes.as_chunks::<ENTRY_BYTES>().0,
            value_rows,
            bits,
        )?;
        Ok(Table {
            rows,
            bits,
            directory,
            values,
            ids,
        })
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The ids of the files with this value, ascending. `data` is the whole set. Although all was checked on opening,
    /// nothing here relies on it: a map can change under our feet, and then the answer is "none".
    pub(super) fn find<'d>(&self, data: &'d [u8], value: &Value) -> Ids<'d> {
        self.find_checked(data, value).unwrap_or(Ids::NONE)
    }

    fn find_checked<'d>(&self, data: &'d [u8], value: &Value) -> Option<Ids<'d>> {
        let (directory, _) = data.get(self.directory.clone())?.as_chunks::<ENTRY_BYTES>();
        let prefix = prefix_of(value, self.bits) as usize;
        let entry = |at: usize| {
            directory
                .get(at)
                .map(|&row| u32::from_le_bytes(row) as usize)
        };
        let first_row = entry(prefix)?;
        let stop_row = entry(prefix + 1)?;
        let (values, _) = data.get(self.values.clone())?.as_chunks::<VALUE_BYTES>();
        let bucket = values.get(first_row..stop_row)?;
        let start = bucket.partition_point(|row| row < value);
        let equal = bucket.get(start..)?.partition_point(|row| row == value);
        let (ids, _) = data.get(self.ids.clone())?.as_chunks::<ID_BYTES>();
        let from = first_row + start;
        Some(Ids {
            ids: ids.get(from..from + equal)?,
        })
    }
}

fn check_rows(values: &[Value], ids: &[[u8; ID_BYTES]], files: u32) -> Result<(), &'static str> {
    let mut previous = None;
    for (value, id) in values.iter().zip(ids) {
        let id = u32::from_le_bytes(*id);
        if id >= files {
            return Err("a row points to a file that is not there");
        }
        if previous.is_some_and(|before| before >= (value, id)) {
            return Err("its rows are not in order");
        }
        previous = Some((value, id));
    }
    Ok(())
}

/// Entry `p` must be the number of rows whose prefix is below `p`.
fn check_directory(
    directory: &[[u8; ENTRY_BYTES]],
    values: &[Value],
    bits: u32,
) -> Result<(), &'static str> {
    let mut rows = values.iter().peekable();
    let mut below = 0_u32;
    for (prefix, entry) in (0_u32..).zip(directory) {
        while rows
            .next_if(|value| prefix_of(value, bits) < prefix)
            .is_some()
        {
            below += 1;
        }
        if u32::from_le_bytes(*entry) != below {
            return Err("its directory does not agree with its rows");
        }
    }
    Ok(())
}

/// The ids of the files that a lookup found, ascending. Nothing is copied.
#[derive(Debug, Clone)]
pub struct Ids<'d> {
    ids: &'d [[u8; ID_BYTES]],
}

impl Ids<'_> {
    /// What a set answers that does not have the tier.
    pub(super) const NONE: Ids<'static> = Ids { ids: &[] };
}

impl Iterator for Ids<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (first, rest) = self.ids.split_first()?;
        self.ids = rest;
        Some(u32::from_le_bytes(*first))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ids.len(), Some(self.ids.len()))
    }
}

impl ExactSizeIterator for Ids<'_> {}
