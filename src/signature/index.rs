//! The index of one tier of fingerprints: from a stored value to the files and places that have it.
//!
//! A work of ten million bytes has half a million fingerprints, a scan asks for hundreds of millions, and nearly all
//! are not there. So the index is one sorted array of rows, packed to the bit, behind a directory over the first bits of
//! the values; in front of both stands a filter of a few bits for each value, made when the first question comes.
//! Nothing is decoded on opening; a mapped index costs the memory of its filter. The layout stands in
//! [`format`](mod@super::format).
//!
//! A stored value has [`VALUE_BITS`] bits: the first of SipHash-1-3 of the 8 bytes of a fingerprint (little-endian)
//! under the key of the tier. That a value of a foreign text is there by chance has a likelihood of rows / 2^40, one in
//! two million for a work of ten million bytes; a verdict rests on several.

use std::hash::Hasher;
use std::io;
use std::ops::Range;
use std::sync::OnceLock;

use siphasher::sip::SipHasher13;

use super::builder::BuildError;
use super::format::Fields;
use super::prints::Print;
use super::runs::{Body, Row, Sorted, Sorter, Store, Writer};

/// Bits of a stored value.
const VALUE_BITS: u32 = 40;
/// Rows that one entry of the directory stands for, on average.
const ROWS_PER_ENTRY: u64 = 16;
const DIRECTORY_MAX_BITS: u32 = 26;
/// Behind the rows, so that the last can be read as a whole.
const SLACK_BYTES: usize = 16;
/// Bits of the class of a document frequency.
const FREQUENCY_BITS: u32 = 4;
/// Fingerprints that are looked up in one go.
const ASKED_AT_ONCE: usize = 64;
/// The filter has this many bits for each row, at least.
const FILTER_BITS_PER_ROW: usize = 8;

/// What rows say beside their value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A place: the fingerprints of all files, one file after the other, each in the order of its places, are counted.
    Places,
    /// A file.
    Files,
    /// In how many files of a baseline it is.
    Frequencies,
}

impl Form {
    fn code(self) -> u8 {
        match self {
            Form::Places => 0,
            Form::Files => 1,
            Form::Frequencies => 2,
        }
    }

    fn of(code: u8) -> Option<Form> {
        [Form::Places, Form::Files, Form::Frequencies]
            .into_iter()
            .find(|form| form.code() == code)
    }
}

/// The key of one tier of one set.
#[derive(Clone)]
pub(super) struct TierKey(SipHasher13);

impl std::fmt::Debug for TierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TierKey")
    }
}

impl TierKey {
    pub(super) fn new(key: &[u8; 16]) -> TierKey {
        TierKey(SipHasher13::new_with_key(key))
    }

    /// What is stored for a fingerprint.
    #[inline]
    pub(super) fn value(&self, print: u64) -> u64 {
        let mut hasher = self.0;
        hasher.write(&print.to_le_bytes());
        hasher.finish() >> (64 - VALUE_BITS)
    }
}

/// One fingerprint of a file, ready to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinePrint {
    /// Its value, unkeyed.
    pub value: u64,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// Line ends within it.
    pub spans: u32,
}

/// Where the fingerprints of one tier of one file lie in a store: their values in the order of their places, each once, of 8
/// bytes (little-endian); and behind these their lines ([`put_lines`]), where the form of the index has them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stored {
    pub at: u64,
    pub prints: u32,
    pub line_bytes: u32,
}

/// Bytes of a stored value before it is keyed.
const PRINT_BYTES: u64 = 8;

impl Stored {
    /// Puts these fingerprints behind what is in the store.
    pub(super) fn put(form: Form, prints: &[LinePrint], store: &mut Store) -> io::Result<Stored> {
        let at = store.len();
        let mut bytes: Vec<u8> = (prints.iter())
            .flat_map(|print| print.value.to_le_bytes())
            .collect();
        let value_bytes = bytes.len();
        if form == Form::Places {
            put_lines(prints, &mut bytes);
        }
        store.append(&bytes)?;
        let fits = |count| u32::try_from(count).map_err(io::Error::other);
        Ok(Stored {
            at,
            prints: fits(prints.len())?,
            line_bytes: fits(bytes.len() - value_bytes)?,
        })
    }

    /// Where its lines lie.
    fn lines(&self) -> Range<u64> {
        let start = self.at + u64::from(self.prints) * PRINT_BYTES;
        start..start + u64::from(self.line_bytes)
    }
}

/// Writes the index of a tier behind what is in the store, where the fingerprints of all files of the work lie, too. `sorter`
/// has nothing in it.
pub(super) fn write(
    form: Form,
    key: &TierKey,
    files: impl ExactSizeIterator<Item = Stored> + Clone,
    mut sorter: Sorter<'_>,
    store: &mut Store,
) -> Result<Body, BuildError> {
    let file_count = u32::try_from(files.len()).map_err(|_| BuildError::TooMany)?;
    let total: u64 = files.clone().map(|file| u64::from(file.prints)).sum();
    let line_bytes: u64 = files.clone().map(|file| u64::from(file.line_bytes)).sum();
    if total.max(line_bytes) > u64::from(u32::MAX) {
        return Err(BuildError::TooMany);
    }
    let mut values = Vec::new();
    let mut place = 0;
    for (file, stored) in (0..).zip(files.clone()) {
        values.resize(stored.prints as usize * PRINT_BYTES as usize, 0);
        store.read(stored.at, &mut values)?;
        for value in values.as_chunks().0 {
            let posting = if form == Form::Places { place } else { file };
            sorter.push((key.value(u64::from_le_bytes(*value)), posting))?;
            place += 1;
        }
    }
    let sorted = sorter.finish();
    let rows = if form == Form::Frequencies {
        let mut distinct = 0;
        each_row(form, &sorted, |_| {
            distinct += 1;
            Ok(())
        })?;
        distinct
    } else {
        place
    };
    let bits = directory_bits(rows as usize);
    let posting_bits = posting_bits(form, rows, file_count);
    let mut out = Writer::new(store);
    out.put(&rows.to_le_bytes())?;
    out.put(&file_count.to_le_bytes())?;
    out.put(&[bits as u8, posting_bits as u8, form.code(), 0, 0, 0, 0, 0])?;
    write_directory(form, &sorted, bits, &mut out)?;
    out.fill_up()?;
    write_rows(form, &sorted, VALUE_BITS - bits, posting_bits, &mut out)?;
    out.fill_up()?;
    out.put(&[0; SLACK_BYTES])?;
    if form != Form::Frequencies {
        write_sums(files.clone().map(|file| file.prints), &mut out)?;
    }
    if form == Form::Places {
        write_sums(files.clone().map(|file| file.line_bytes), &mut out)?;
        for file in files {
            out.put_copy(file.lines())?;
        }
    }
    out.fill_up()?;
    Ok(out.finish()?)
}

/// Gives the rows as they stand in an index to `each`, in order. Of a baseline that is one for each value, with the binary
/// logarithm of the number of files that have it.
fn each_row(
    form: Form,
    sorted: &Sorted<'_>,
    mut each: impl FnMut(Row) -> io::Result<()>,
) -> io::Result<()> {
    if form != Form::Frequencies {
        return sorted.each(each);
    }
    let mut current: Option<(u64, u32)> = None;
    let class = |files: u32| files.ilog2().min((1 << FREQUENCY_BITS) - 1);
    sorted.each(|(value, _)| {
        match &mut current {
            Some((same, files)) if *same == value => *files += 1,
            _ => {
                if let Some((before, files)) = current.replace((value, 1)) {
                    each((before, class(files)))?;
                }
            }
        }
        Ok(())
    })?;
    match current {
        Some((last, files)) => each((last, class(files))),
        None => Ok(()),
    }
}

/// For every prefix of `bits` bits, and for one more, how many rows are below it.
fn write_directory(
    form: Form,
    sorted: &Sorted<'_>,
    bits: u32,
    out: &mut Writer<'_>,
) -> io::Result<()> {
    let (mut below, mut prefix) = (0_u32, 0_u64);
    each_row(form, sorted, |(value, _)| {
        while prefix <= value >> (VALUE_BITS - bits) {
            out.put(&below.to_le_bytes())?;
            prefix += 1;
        }
        below += 1;
        Ok(())
    })?;
    for _ in prefix..=1 << bits {
        out.put(&below.to_le_bytes())?;
    }
    Ok(())
}

/// Rows one after another, each as a number of as many bits as it takes: the rest of its value, then its posting in
/// the low bits. The first row stands in the lowest bits.
fn write_rows(
    form: Form,
    sorted: &Sorted<'_>,
    rest_bits: u32,
    posting_bits: u32,
    out: &mut Writer<'_>,
) -> io::Result<()> {
    let mask = (1_u64 << rest_bits) - 1;
    let (mut pending, mut filled) = (0_u128, 0);
    each_row(form, sorted, |(value, posting)| {
        let row = u128::from(value & mask) << posting_bits | u128::from(posting);
        pending |= row << filled;
        filled += rest_bits + posting_bits;
        let full = filled as usize / 8;
        out.put(&pending.to_le_bytes()[..full])?;
        pending >>= full * 8;
        filled %= 8;
        Ok(())
    })?;
    if filled > 0 {
        out.put(&[pending as u8])?;
    }
    Ok(())
}

/// 0, and behind each number the sum so far.
fn write_sums(numbers: impl Iterator<Item = u32>, out: &mut Writer<'_>) -> io::Result<()> {
    let mut sum = 0_u32;
    out.put(&sum.to_le_bytes())?;
    for number in numbers {
        sum += number;
        out.put(&sum.to_le_bytes())?;
    }
    Ok(())
}

fn directory_bits(rows: usize) -> u32 {
    (0..DIRECTORY_MAX_BITS)
        .find(|bits| ROWS_PER_ENTRY << bits >= rows as u64)
        .unwrap_or(DIRECTORY_MAX_BITS)
}

fn posting_bits(form: Form, rows: u32, files: u32) -> u32 {
    match form {
        Form::Places => u32::BITS - rows.leading_zeros(),
        Form::Files => u32::BITS - files.leading_zeros(),
        Form::Frequencies => FREQUENCY_BITS,
    }
}

/// Both numbers in one byte where each is less than this; else this in the high bits and two numbers of variable length.
const SHORT: u32 = 15;

/// Lines of the fingerprints of a file: for each the lines since the one before it, and how many it spans.
fn put_lines(prints: &[LinePrint], out: &mut Vec<u8>) {
    let mut before = 1;
    for print in prints {
        let delta = print.line.saturating_sub(before);
        before = before.max(print.line);
        if delta < SHORT && print.spans <= SHORT {
            out.push((delta << 4 | print.spans) as u8);
        } else {
            out.push((SHORT << 4) as u8);
            put_leb(delta, out);
            put_leb(print.spans, out);
        }
    }
}

/// LEB128, unsigned.
fn put_leb(mut number: u32, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_leb(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..u32::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Where the parts of a verified index lie, in bytes from the beginning of the set.
#[derive(Debug)]
pub(super) struct Index {
    form: Form,
    rows: usize,
    bits: u32,
    posting_bits: u32,
    directory: Range<usize>,
    packed: Range<usize>,
    starts: Range<usize>,
    line_starts: Range<usize>,
    lines: Range<usize>,
    key: TierKey,
    filter: OnceLock<Filter>,
}

impl Index {
    /// Reads and checks the index that `body` is; it stands at `base` in the set, whose work has `files` files. Errors say
    /// what is wrong with it.
    pub(super) fn parse(
        body: &[u8],
        base: usize,
        files: u32,
        key: TierKey,
    ) -> Result<Index, &'static str> {
        const LENGTH: &str = "its length does not agree with its head";
        let mut fields = Fields::new(body);
        let rows = fields.u32().ok_or(LENGTH)? as usize;
        let stated_files = fields.u32().ok_or(LENGTH)?;
        let [bits, posting_bits, form, zeros @ ..] = fields.array::<8>().ok_or(LENGTH)?;
        let (bits, posting_bits) = (u32::from(bits), u32::from(posting_bits));
        let form = Form::of(form).ok_or("its rows are of an unknown form")?;
        let rows_u32 = u32::try_from(rows).map_err(|_| LENGTH)?;
        if zeros != [0; 5]
            || stated_files != files
            || bits != directory_bits(rows)
            || posting_bits != self::posting_bits(form, rows_u32, files)
        {
            return Err("its head contradicts itself");
        }
        let row_bits = (VALUE_BITS - bits + posting_bits) as usize;
        let packed_bytes = rows.checked_mul(row_bits).ok_or(LENGTH)?.div_ceil(8);
        let mut part = |bytes: usize| -> Option<Range<usize>> {
            let start = fields.position();
            fields.bytes(bytes)?;
            Some(base + start..base + start + bytes)
        };
        let entries = (1_usize << bits) + 1;
        let directory = part(entries * 4).ok_or(LENGTH)?;
        part(entries % 2 * 4).ok_or(LENGTH)?;
        let packed = part(packed_bytes.next_multiple_of(8) + SLACK_BYTES).ok_or(LENGTH)?;
        let per_file = |is_there: bool| {
            if is_there {
                (files as usize + 1) * 4
            } else {
                0
            }
        };
        let starts = part(per_file(form != Form::Frequencies)).ok_or(LENGTH)?;
        let line_starts = part(per_file(form == Form::Places)).ok_or(LENGTH)?;
        let lines_start = base + fields.position();
        let index = Index {
            form,
            rows,
            bits,
            posting_bits,
            directory,
            packed,
            starts,
            line_starts,
            lines: lines_start..base + body.len(),
            key,
            filter: OnceLock::new(),
        };
        index.check(body, base, files)?;
        Ok(index)
    }

    /// Order of the rows, the directory, the postings, the places of the files.
    fn check(&self, body: &[u8], base: usize, files: u32) -> Result<(), &'static str> {
        let data = Shifted { body, base };
        let mut prefix = 0;
        let mut before = None;
        let limit = match self.form {
            Form::Places => self.rows as u64,
            Form::Files => u64::from(files),
            Form::Frequencies => 1 << FREQUENCY_BITS,
        };
        let directory = data.numbers(&self.directory);
        let entry = |at: u64| {
            directory
                .get(at as usize)
                .map(|&n| u32::from_le_bytes(n) as usize)
        };
        let wrong = "its directory does not agree with its rows";
        if entry(0) != Some(0) {
            return Err(wrong);
        }
        for at in 0..self.rows {
            let (rest, posting) = self.row(data.part(&self.packed), at).ok_or(wrong)?;
            while entry(prefix + 1).ok_or(wrong)? <= at {
                prefix += 1;
            }
            let row = (prefix << (VALUE_BITS - self.bits) | rest, posting);
            if u64::from(posting) >= limit {
                return Err("a row points to what is not there");
            }
            if before.is_some_and(|before| before >= row) {
                return Err("its rows are not in order");
            }
            before = Some(row);
        }
        let rest = directory.get(prefix as usize + 1..).unwrap_or_default();
        if rest
            .iter()
            .any(|&n| u32::from_le_bytes(n) as usize != self.rows)
        {
            return Err(wrong);
        }
        let ascends = |range: &Range<usize>, end: usize| {
            let numbers = data.numbers(range);
            let mut numbers = numbers.iter().map(|&n| u32::from_le_bytes(n) as usize);
            numbers.clone().is_sorted() && numbers.next_back().is_none_or(|last| last == end)
        };
        let lines = self.lines.len();
        let stated = data.numbers(&self.line_starts).last();
        let stated = stated.map_or(0, |&n| u32::from_le_bytes(n) as usize);
        if !ascends(&self.starts, self.rows)
            || !ascends(&self.line_starts, stated)
            || (self.base_of(base) + stated).next_multiple_of(8) != self.base_of(base) + lines
        {
            return Err("the places of its files are wrong");
        }
        Ok(())
    }

    /// Where the lines begin in the section.
    fn base_of(&self, base: usize) -> usize {
        self.lines.start - base
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The rest of the value of a row, and its posting.
    #[inline]
    fn row(&self, packed: &[u8], at: usize) -> Option<(u64, u32)> {
        let rest_bits = VALUE_BITS - self.bits;
        let bit = at * (rest_bits + self.posting_bits) as usize;
        let bytes = packed.get(bit / 8..)?;
        let word = u128::from_le_bytes(*bytes.first_chunk()?) >> (bit % 8);
        let posting = word as u64 & ((1 << self.posting_bits) - 1);
        let rest = (word >> self.posting_bits) as u64 & ((1 << rest_bits) - 1);
        Some((rest, posting as u32))
    }

    /// The rows that have the value of this fingerprint.
    #[inline]
    pub(super) fn find(&self, data: &[u8], print: u64) -> Range<usize> {
        let value = self.key.value(print);
        let filter = self.filter.get_or_init(|| self.make_filter(data));
        if !filter.may_hold(value) {
            return 0..0;
        }
        self.find_rows(data, value).unwrap_or(0..0)
    }

    /// Calls `each` with every one of `prints` that has rows, and these.
    ///
    /// Filter, directory and rows are larger than any cache. So each is asked for many values at once, without a branch
    /// on the answer: the memory that they need is then waited for once and not for each.
    pub(super) fn find_each<'p>(
        &self,
        data: &[u8],
        prints: &'p [Print],
        mut each: impl FnMut(&'p Print, Range<usize>),
    ) {
        let filter = self.filter.get_or_init(|| self.make_filter(data));
        for prints in prints.chunks(ASKED_AT_ONCE) {
            let mut values = [0; ASKED_AT_ONCE];
            for (value, print) in values.iter_mut().zip(prints) {
                *value = self.key.value(print.value);
            }
            let mut held = [(0, 0); ASKED_AT_ONCE];
            let mut len = 0;
            for (at, &value) in values[..prints.len()].iter().enumerate() {
                held[len] = (at, value);
                len += usize::from(filter.may_hold(value));
            }
            let mut stretches = [(0, 0); ASKED_AT_ONCE];
            for (stretch, &(_, value)) in stretches.iter_mut().zip(&held[..len]) {
                *stretch = self.stretch(data, value).unwrap_or_default();
            }
            for (&(at, value), stretch) in held[..len].iter().zip(stretches) {
                if let Some(rows) = self.rows_within(data, value, stretch) {
                    each(&prints[at], rows);
                }
            }
        }
    }

    fn find_rows(&self, data: &[u8], value: u64) -> Option<Range<usize>> {
        self.rows_within(data, value, self.stretch(data, value)?)
    }

    /// The rows among which those of a value stand: the first, and behind the last.
    #[inline]
    fn stretch(&self, data: &[u8], value: u64) -> Option<(usize, usize)> {
        let (directory, _) = data.get(self.directory.clone())?.as_chunks::<4>();
        let prefix = (value >> (VALUE_BITS - self.bits)) as usize;
        let entry = |at: usize| directory.get(at).map(|&n| u32::from_le_bytes(n) as usize);
        Some((entry(prefix)?, entry(prefix + 1)?.min(self.rows)))
    }

    fn rows_within(
        &self,
        data: &[u8],
        value: u64,
        (first, stop): (usize, usize),
    ) -> Option<Range<usize>> {
        let wanted = value & ((1 << (VALUE_BITS - self.bits)) - 1);
        let packed = data.get(self.packed.clone())?;
        let rest = |at: usize| self.row(packed, at).map(|(rest, _)| rest);
        let behind = |mut low: usize, is_before: &dyn Fn(u64) -> bool| {
            let mut high = stop;
            while low < high {
                let middle = low.midpoint(high);
                if rest(middle).is_some_and(is_before) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low
        };
        let from = behind(first, &|rest| rest < wanted);
        if from >= stop || rest(from)? != wanted {
            return None;
        }
        // Mostly one file has it.
        if from + 1 == stop || rest(from + 1)? != wanted {
            return Some(from..from + 1);
        }
        Some(from..behind(from + 2, &|rest| rest <= wanted))
    }

    /// What a row says beside its value: see [`Form`].
    pub(super) fn posting(&self, data: &[u8], row: usize) -> Option<u32> {
        let packed = data.get(self.packed.clone())?;
        self.row(packed, row).map(|(_, posting)| posting)
    }

    /// In how many files of a baseline a fingerprint is, as a power of two or more; 0 where it is in none.
    pub(super) fn frequency(&self, data: &[u8], print: u64) -> u32 {
        let rows = self.find(data, print);
        if self.form != Form::Frequencies {
            return rows.len() as u32;
        }
        let class = rows
            .into_iter()
            .next()
            .and_then(|row| self.posting(data, row));
        class.map_or(0, |class| 1 << class)
    }

    /// The file that a row belongs to.
    pub(super) fn file_of(&self, data: &[u8], posting: u32) -> Option<u32> {
        if self.form == Form::Files {
            return Some(posting);
        }
        let (starts, _) = data.get(self.starts.clone())?.as_chunks::<4>();
        let behind = starts.partition_point(|&start| u32::from_le_bytes(start) <= posting);
        u32::try_from(behind.checked_sub(1)?).ok()
    }

    /// How many fingerprints a file has.
    pub(super) fn count_of(&self, data: &[u8], file: u32) -> u32 {
        let (starts, _) = data
            .get(self.starts.clone())
            .unwrap_or_default()
            .as_chunks::<4>();
        let start = |at: usize| starts.get(at).map_or(0, |&start| u32::from_le_bytes(start));
        start(file as usize + 1).saturating_sub(start(file as usize))
    }

    /// First and last line of each place of a file, in their order.
    pub(super) fn lines_of(&self, data: &[u8], file: u32) -> Vec<(u32, u32)> {
        self.lines_within(data, file).unwrap_or_default()
    }

    /// The first of the places of a file.
    pub(super) fn first_of(&self, data: &[u8], file: u32) -> u32 {
        let (starts, _) = data
            .get(self.starts.clone())
            .unwrap_or_default()
            .as_chunks::<4>();
        starts
            .get(file as usize)
            .map_or(0, |&start| u32::from_le_bytes(start))
    }

    fn lines_within(&self, data: &[u8], file: u32) -> Option<Vec<(u32, u32)>> {
        let (starts, _) = data.get(self.line_starts.clone())?.as_chunks::<4>();
        let start = |at: usize| {
            starts
                .get(at)
                .map(|&start| u32::from_le_bytes(start) as usize)
        };
        let lines = data.get(self.lines.clone())?;
        let mut bytes = lines.get(start(file as usize)?..start(file as usize + 1)?)?;
        let mut line = 1_u32;
        let mut found = Vec::new();
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = rest;
            let (delta, spans) = if u32::from(byte >> 4) == SHORT {
                (take_leb(&mut bytes)?, take_leb(&mut bytes)?)
            } else {
                (u32::from(byte >> 4), u32::from(byte & 15))
            };
            line = line.saturating_add(delta);
            found.push((line, line.saturating_add(spans)));
        }
        Some(found)
    }

    /// Calls `each` with the rows of every distinct value, in the order of the rows.
    pub(super) fn each_value(&self, data: &[u8], mut each: impl FnMut(Range<usize>)) {
        let packed = data.get(self.packed.clone()).unwrap_or_default();
        let (directory, _) = data
            .get(self.directory.clone())
            .unwrap_or_default()
            .as_chunks::<4>();
        for pair in directory.windows(2) {
            let &[first, stop] = pair else { continue };
            let stop = (u32::from_le_bytes(stop) as usize).min(self.rows);
            let mut from = u32::from_le_bytes(first) as usize;
            while from < stop {
                let rest = |at: usize| self.row(packed, at).map(|(rest, _)| rest);
                let value = rest(from);
                let behind = (from + 1..stop).find(|&at| rest(at) != value);
                let behind = behind.unwrap_or(stop);
                each(from..behind);
                from = behind;
            }
        }
    }

    fn make_filter(&self, data: &[u8]) -> Filter {
        let mut filter = Filter::for_rows(self.rows);
        let packed = data.get(self.packed.clone()).unwrap_or_default();
        let (directory, _) = data
            .get(self.directory.clone())
            .unwrap_or_default()
            .as_chunks::<4>();
        for (prefix, pair) in (0_u64..).zip(directory.windows(2)) {
            let &[first, stop] = pair else { continue };
            for at in u32::from_le_bytes(first)..u32::from_le_bytes(stop) {
                if let Some((rest, _)) = self.row(packed, at as usize) {
                    filter.insert(prefix << (VALUE_BITS - self.bits) | rest);
                }
            }
        }
        filter
    }
}

/// The section as a part of the set that it is cut from.
struct Shifted<'d> {
    body: &'d [u8],
    base: usize,
}

impl<'d> Shifted<'d> {
    fn part(&self, range: &Range<usize>) -> &'d [u8] {
        let range = range.start.saturating_sub(self.base)..range.end.saturating_sub(self.base);
        self.body.get(range).unwrap_or_default()
    }

    fn numbers(&self, range: &Range<usize>) -> &'d [[u8; 4]] {
        self.part(range).as_chunks::<4>().0
    }
}

/// Says at once of nearly everything that it is not there: a Bloom filter in which the bits of a value stand in one word, so that
/// an answer costs one place in memory (Putze, Sanders and Singler, Cache-, Hash- and Space-Efficient Bloom Filters, 2007).
#[derive(Debug)]
struct Filter {
    words: Vec<u64>,
    mask: u64,
}

impl Filter {
    fn for_rows(rows: usize) -> Filter {
        let words = (rows.saturating_mul(FILTER_BITS_PER_ROW) / 64)
            .next_power_of_two()
            .max(1);
        Filter {
            words: vec![0; words],
            mask: words as u64 - 1,
        }
    }

    fn insert(&mut self, value: u64) {
        if let Some(word) = self.words.get_mut((value & self.mask) as usize) {
            *word |= Self::bits(value);
        }
    }

    #[inline]
    fn may_hold(&self, value: u64) -> bool {
        let bits = Self::bits(value);
        self.words
            .get((value & self.mask) as usize)
            .is_some_and(|word| word & bits == bits)
    }

    /// Three bits of a word, told by the high bits of the value; its low bits tell the word.
    #[inline]
    fn bits(value: u64) -> u64 {
        let bit = |from: u32| 1 << (value >> (VALUE_BITS - from) & 63);
        bit(6) | bit(12) | bit(18)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::runs::Stores;
    use super::*;

    const KEY: [u8; 16] = [3; 16];

    fn print(value: u64, line: u32, spans: u32) -> LinePrint {
        LinePrint { value, line, spans }
    }

    fn built(form: Form, files: &[Vec<LinePrint>]) -> Vec<u8> {
        let mut stores = Stores::in_memory();
        let stored: Vec<Stored> = (files.iter())
            .map(|prints| Stored::put(form, prints, &mut stores.kept).expect("in memory"))
            .collect();
        let (key, files) = (TierKey::new(&KEY), stored.iter().copied());
        let sorter = stores.runs.sorter();
        let body = write(form, &key, files, sorter, &mut stores.kept).expect("in memory");
        let mut bytes = vec![0; body.bytes() as usize];
        stores.kept.read(body.at, &mut bytes).expect("in memory");
        assert_eq!(body.sum, *blake3::hash(&bytes).as_bytes());
        bytes
    }

    fn parsed(body: &[u8], files: usize) -> Result<Index, &'static str> {
        Index::parse(body, 0, files as u32, TierKey::new(&KEY))
    }

    /// Computed with a second implementation, in Python, that gives the designers' published vector for SipHash-2-4.
    #[test]
    fn stored_values_are_siphash() {
        let key: [u8; 16] = std::array::from_fn(|n| n as u8);
        let message = u64::from_le_bytes(std::array::from_fn(|n| n as u8));
        assert_eq!(TierKey::new(&key).value(message), GOLDEN);
    }

    const GOLDEN: u64 = 0x36_9095_118D;

    #[test]
    fn places_come_back_with_their_lines() {
        let files = vec![
            vec![print(7, 1, 0), print(9, 40, 3), print(8, 41, 900)],
            vec![],
            vec![print(9, 100_000, 1)],
        ];
        let body = built(Form::Places, &files);
        let index = parsed(&body, 3).expect("own index");
        let rows = index.find(&body, 9);
        let files_of_9: Vec<_> = rows
            .filter_map(|row| index.file_of(&body, index.posting(&body, row)?))
            .collect();
        assert_eq!(files_of_9, [0, 2]);
        assert_eq!(index.lines_of(&body, 0), [(1, 1), (40, 43), (41, 941)]);
        assert_eq!(index.lines_of(&body, 1), []);
        assert_eq!(index.lines_of(&body, 2), [(100_000, 100_001)]);
        assert_eq!([0, 1, 2].map(|file| index.count_of(&body, file)), [3, 0, 1]);
    }

    #[test]
    fn frequencies_are_powers_of_two() {
        let files = vec![vec![print(1, 1, 0)]; 5];
        let body = built(Form::Frequencies, &files);
        let index = parsed(&body, 5).expect("own index");
        assert_eq!(index.frequency(&body, 1), 4);
        assert_eq!(index.frequency(&body, 2), 0);
    }

    proptest! {
        #[test]
        fn all_that_was_put_in_is_found(files in prop::collection::vec(prop::collection::hash_set(0_u64..500, 0..60), 1..20)) {
            let prints: Vec<Vec<LinePrint>> = files
                .iter()
                .map(|values| (1..).zip(values).map(|(line, &value)| print(value, line, 0)).collect())
                .collect();
            for form in [Form::Places, Form::Files] {
                let body = built(form, &prints);
                let index = parsed(&body, files.len()).expect("own index");
                for value in 0..500 {
                    let found: Vec<u32> = index
                        .find(&body, value)
                        .filter_map(|row| index.file_of(&body, index.posting(&body, row)?))
                        .collect();
                    let expected: Vec<u32> =
                        (0..).zip(&files).filter(|(_, values)| values.contains(&value)).map(|(file, _)| file).collect();
                    prop_assert_eq!(found, expected);
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(
            mut flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            cut in any::<prop::sample::Index>(),
            is_cut in any::<bool>(),
        ) {
            let files: Vec<Vec<LinePrint>> = (0..4).map(|file| (0..30).map(|n| print(n * file, n as u32 + 1, 0)).collect()).collect();
            let mut body = built(Form::Places, &files);
            for (at, byte) in flips.drain(..) {
                let at = at.index(body.len());
                body[at] = byte;
            }
            if is_cut {
                body.truncate(cut.index(body.len()));
            }
            if let Ok(index) = parsed(&body, 4) {
                for value in 0..100 {
                    for row in index.find(&body, value) {
                        let _ = index.posting(&body, row).and_then(|posting| index.file_of(&body, posting));
                    }
                }
                for file in 0..5 {
                    let _ = (index.lines_of(&body, file), index.count_of(&body, file));
                }
            }
        }
    }
}
