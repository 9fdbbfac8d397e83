//! The header of a 7z archive: which files there are, and in which packed streams they stand.
//!
//! Everything in it is a claim, and a header may itself be packed, so that a few bytes state any number of anything.
//! Each count is held against the bytes that are left to back it up before room is made for it, and the graph of
//! coders is looked at as a graph: one without cycles, in which each stream is used once.

use bytes::Bytes;

/// Ids of what a header holds (7zFormat.txt of the LZMA SDK, "Property IDs").
mod id {
    pub const END: u8 = 0x00;
    pub const HEADER: u8 = 0x01;
    pub const ARCHIVE_PROPERTIES: u8 = 0x02;
    pub const ADDITIONAL_STREAMS: u8 = 0x03;
    pub const MAIN_STREAMS: u8 = 0x04;
    pub const FILES: u8 = 0x05;
    pub const PACK_INFO: u8 = 0x06;
    pub const UNPACK_INFO: u8 = 0x07;
    pub const SUBSTREAMS: u8 = 0x08;
    pub const SIZE: u8 = 0x09;
    pub const CRC: u8 = 0x0a;
    pub const FOLDER: u8 = 0x0b;
    pub const UNPACK_SIZE: u8 = 0x0c;
    pub const NUM_UNPACK_STREAMS: u8 = 0x0d;
    pub const EMPTY_STREAM: u8 = 0x0e;
    pub const EMPTY_FILE: u8 = 0x0f;
    pub const ANTI: u8 = 0x10;
    pub const NAMES: u8 = 0x11;
    pub const ATTRIBUTES: u8 = 0x15;
    pub const ENCODED_HEADER: u8 = 0x17;
}

/// Coders of one folder, and their inputs; 7-Zip takes no more either.
const CODERS_MAX: u64 = 32;
const INPUTS_MAX: u64 = 32;

/// A coder, in the order of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coder {
    /// Which method.
    pub id: Vec<u8>,
    /// Its settings.
    pub properties: Bytes,
    /// Streams that it reads.
    pub inputs: usize,
    /// Bytes that it makes.
    pub size: u64,
}

/// Where an input of a coder comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From a coder of the folder.
    Coder(usize),
    /// From a packed stream of the archive.
    Packed(usize),
}

/// What is unpacked in one go, and holds one file or many: a "folder" in the format's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its coders.
    pub coders: Vec<Coder>,
    /// Inputs of all coders, in their order.
    pub sources: Vec<Source>,
    /// The coder that gives the content.
    pub main: usize,
    /// Checksum of the whole.
    pub crc: Option<u32>,
    /// Length and checksum of each file in it.
    pub parts: Vec<(u64, Option<u32>)>,
}

/// Packed streams and blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Streams {
    /// Offset (behind the signature header) and length of each packed stream.
    pub packed: Vec<(u64, u64)>,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// One file, as the header names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// In UTF-8; what is not Unicode in surrogates as they stand.
    pub name: Vec<u8>,
    /// It has a part of a block.
    pub has_stream: bool,
    /// It has none, and is a folder.
    pub is_folder: bool,
    /// It has none, and says that a file is to be deleted.
    pub is_anti: bool,
    /// The mode of Unix, where one is given.
    pub mode: u32,
}

/// A header.
#[derive(Debug)]
pub enum Header {
    /// The header itself is packed in this.
    Packed(Streams),
    /// Streams and files.
    Plain(Streams, Vec<Entry>),
}

/// Why a header cannot be read: what was being read.
pub type Fault = &'static str;

/// Reads a header.
///
/// # Errors
/// What could not be read.
pub fn read(bytes: Bytes) -> Result<Header, Fault> {
    let mut reader = Reader { bytes };
    match reader.byte()? {
        id::ENCODED_HEADER => Ok(Header::Packed(reader.streams()?)),
        id::HEADER => reader.header(),
        _ => Err("the first byte"),
    }
}

struct Reader {
    bytes: Bytes,
}

impl Reader {
    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = *self.bytes.first().ok_or("what is cut")?;
        let _ = self.bytes.split_to(1);
        Ok(byte)
    }

    fn take(&mut self, len: u64) -> Result<Bytes, Fault> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > self.bytes.len() {
            return Err("what is cut");
        }
        Ok(self.bytes.split_to(len))
    }

    /// A number of 1 to 9 bytes: the ones in front of the first byte say how many follow ("REAL_UINT64" and "NUMBER").
    fn number(&mut self) -> Result<u64, Fault> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let mut value = 0_u64;
        for index in 0..more {
            value |= u64::from(self.byte()?) << (8 * index);
        }
        if more < 7 {
            let high = u64::from(first) & (0x7f >> more);
            value |= high << (8 * more);
        }
        Ok(value)
    }

    /// A number of things that each take some of the bytes that are left; at least a bit.
    fn count(&mut self, bits: u64) -> Result<usize, Fault> {
        let count = self.number()?;
        let most = (self.bytes.len() as u64).saturating_mul(8) / bits;
        if count > most {
            return Err("a number of things, of which there cannot be so many");
        }
        Ok(count as usize)
    }

    fn u32(&mut self) -> Result<u32, Fault> {
        let bytes = self.take(4)?;
        Ok(bytes
            .first_chunk()
            .map_or(0, |raw| u32::from_le_bytes(*raw)))
    }

    fn bits(&mut self, count: usize) -> Result<Vec<bool>, Fault> {
        let bytes = self.take(count.div_ceil(8) as u64)?;
        let bit = |index: usize| bytes[index / 8] & (0x80 >> (index % 8)) != 0;
        Ok((0..count).map(bit).collect())
    }

    /// A bit for each, unless all are set.
    fn defined(&mut self, count: usize) -> Result<Vec<bool>, Fault> {
        if self.byte()? == 0 {
            return self.bits(count);
        }
        // Each that is defined has bytes behind this.
        if count > self.bytes.len() {
            return Err("a list that is longer than the header");
        }
        Ok(vec![true; count])
    }

    fn checksums(&mut self, count: usize) -> Result<Vec<Option<u32>>, Fault> {
        let defined = self.defined(count)?;
        let mut read = |is_defined: bool| is_defined.then(|| self.u32()).transpose();
        defined.into_iter().map(&mut read).collect()
    }

    fn header(&mut self) -> Result<Header, Fault> {
        let mut streams = Streams::default();
        let mut files = Vec::new();
        loop {
            match self.byte()? {
                id::END => return Ok(Header::Plain(streams, files)),
                id::ARCHIVE_PROPERTIES => {
                    while self.byte()? != id::END {
                        let len = self.number()?;
                        self.take(len)?;
                    }
                }
                id::ADDITIONAL_STREAMS => {
                    self.streams()?;
                }
                id::MAIN_STREAMS => streams = self.streams()?,
                id::FILES => files = self.files()?,
                _ => return Err("a property that is not known"),
            }
        }
    }

    fn streams(&mut self) -> Result<Streams, Fault> {
        let mut streams = Streams::default();
        loop {
            match self.byte()? {
                id::END => return Ok(streams),
                id::PACK_INFO => streams.packed = self.pack_info()?,
                id::UNPACK_INFO => streams.blocks = self.blocks(streams.packed.len())?,
                id::SUBSTREAMS => self.parts(&mut streams.blocks)?,
                _ => return Err("the list of streams"),
            }
        }
    }

    fn pack_info(&mut self) -> Result<Vec<(u64, u64)>, Fault> {
        let mut at = self.number()?;
        let count = self.count(8)?;
        let mut packed = Vec::new();
        loop {
            match self.byte()? {
                id::END => return Ok(packed),
                id::SIZE => {
                    for _ in 0..count {
                        let len = self.number()?;
                        packed.push((at, len));
                        at = at.checked_add(len).ok_or("the sizes of streams")?;
                    }
                }
                id::CRC => {
                    self.checksums(count)?;
                }
                _ => return Err("the list of packed streams"),
            }
        }
    }

    fn blocks(&mut self, packed: usize) -> Result<Vec<Block>, Fault> {
        if self.byte()? != id::FOLDER {
            return Err("the list of blocks");
        }
        let count = self.count(8)?;
        if self.byte()? != 0 {
            return Err("a list of blocks that stands elsewhere");
        }
        let mut blocks = Vec::new();
        let mut next = 0;
        for _ in 0..count {
            blocks.push(self.block(&mut next)?);
        }
        if next > packed {
            return Err("blocks of streams that are not there");
        }
        if self.byte()? != id::UNPACK_SIZE {
            return Err("the sizes of blocks");
        }
        for block in &mut blocks {
            for coder in &mut block.coders {
                coder.size = self.number()?;
            }
            block.parts = vec![(block.coders[block.main].size, None)];
        }
        loop {
            match self.byte()? {
                id::END => return Ok(blocks),
                id::CRC => {
                    let sums = self.checksums(count)?;
                    for (block, crc) in blocks.iter_mut().zip(sums) {
                        block.crc = crc;
                        block.parts[0].1 = crc;
                    }
                }
                _ => return Err("the checksums of blocks"),
            }
        }
    }

    fn block(&mut self, next_packed: &mut usize) -> Result<Block, Fault> {
        const FAULT: Fault = "the coders of a block";
        let count = self.number()?;
        if count == 0 || count > CODERS_MAX {
            return Err(FAULT);
        }
        let mut coders = Vec::new();
        for _ in 0..count {
            coders.push(self.coder()?);
        }
        let inputs: usize = coders.iter().map(|coder| coder.inputs).sum();
        let binds = coders.len() - 1;
        if inputs < binds || inputs as u64 > INPUTS_MAX {
            return Err(FAULT);
        }
        let mut sources: Vec<Option<Source>> = vec![None; inputs];
        let mut is_used = vec![false; coders.len()];
        for _ in 0..binds {
            let (input, output) = (self.number()?, self.number()?);
            let slot = sources.get_mut(input as usize).ok_or(FAULT)?;
            let used = is_used.get_mut(output as usize).ok_or(FAULT)?;
            if slot.is_some() || *used {
                return Err(FAULT);
            }
            (*slot, *used) = (Some(Source::Coder(output as usize)), true);
        }
        let packed = inputs - binds;
        for index in 0..packed {
            let input = if packed == 1 {
                sources.iter().position(Option::is_none).ok_or(FAULT)?
            } else {
                self.number()? as usize
            };
            let slot = sources.get_mut(input).ok_or(FAULT)?;
            if slot.is_some() {
                return Err(FAULT);
            }
            *slot = Some(Source::Packed(*next_packed + index));
        }
        *next_packed += packed;
        let main = is_used.iter().position(|used| !used).ok_or(FAULT)?;
        let sources = sources
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or(FAULT)?;
        Ok(Block {
            coders,
            sources,
            main,
            crc: None,
            parts: Vec::new(),
        })
    }

    fn coder(&mut self) -> Result<Coder, Fault> {
        let flags = self.byte()?;
        let id = self.take(u64::from(flags & 0x0f))?.to_vec();
        let (inputs, outputs) = if flags & 0x10 == 0 {
            (1, 1)
        } else {
            (self.number()?, self.number()?)
        };
        // No method makes several streams; some old ones could have.
        if outputs != 1 || inputs > INPUTS_MAX {
            return Err("a coder of several outputs");
        }
        let properties = if flags & 0x20 == 0 {
            Bytes::new()
        } else {
            let len = self.number()?;
            self.take(len)?
        };
        Ok(Coder {
            id,
            properties,
            inputs: inputs as usize,
            size: 0,
        })
    }

    fn parts(&mut self, blocks: &mut [Block]) -> Result<(), Fault> {
        const FAULT: Fault = "the parts of blocks";
        let mut property = self.byte()?;
        let mut counts = vec![1_usize; blocks.len()];
        if property == id::NUM_UNPACK_STREAMS {
            let mut all = 0;
            for count in &mut counts {
                *count = self.number()? as usize;
                all = count.checked_add(all).ok_or(FAULT)?;
                // All but the last of each block have a size behind this.
                if count.saturating_sub(1) > self.bytes.len() || all > (1 << 32) {
                    return Err(FAULT);
                }
            }
            property = self.byte()?;
        }
        let has_sizes = property == id::SIZE;
        for (block, count) in blocks.iter_mut().zip(counts) {
            let whole = block.coders[block.main].size;
            let mut parts = Vec::new();
            let mut rest = whole;
            for index in 0..count {
                let size = if index + 1 == count {
                    rest
                } else if has_sizes {
                    self.number()?
                } else {
                    return Err(FAULT);
                };
                rest = rest.checked_sub(size).ok_or(FAULT)?;
                parts.push((size, if count == 1 { block.crc } else { None }));
            }
            block.parts = parts;
        }
        if has_sizes {
            property = self.byte()?;
        }
        loop {
            match property {
                id::END => return Ok(()),
                id::CRC => {
                    let unknown = |block: &Block| block.parts.len() != 1 || block.crc.is_none();
                    let missing: usize = blocks
                        .iter()
                        .filter(|block| unknown(block))
                        .map(|block| block.parts.len())
                        .sum();
                    let mut sums = self.checksums(missing)?.into_iter();
                    for block in blocks.iter_mut().filter(|block| unknown(block)) {
                        for part in &mut block.parts {
                            part.1 = sums.next().flatten();
                        }
                    }
                }
                _ => {
                    let len = self.number()?;
                    self.take(len)?;
                }
            }
            property = self.byte()?;
        }
    }

    fn files(&mut self) -> Result<Vec<Entry>, Fault> {
        const FAULT: Fault = "the list of files";
        // Each has a name of at least a closing zero of 16 bits; what has none of them is not believed.
        let count = self.count(16)?;
        let mut files = vec![Entry::default(); count];
        let mut is_empty = vec![false; count];
        let (mut is_file, mut is_anti) = (Vec::new(), Vec::new());
        loop {
            let property = self.byte()?;
            if property == id::END {
                break;
            }
            let len = self.number()?;
            let mut data = Reader {
                bytes: self.take(len)?,
            };
            let empty = || is_empty.iter().filter(|empty| **empty).count();
            match property {
                id::EMPTY_STREAM => is_empty = data.bits(count)?,
                id::EMPTY_FILE => is_file = data.bits(empty())?,
                id::ANTI => is_anti = data.bits(empty())?,
                id::NAMES => {
                    if data.byte()? != 0 {
                        return Err("names that stand elsewhere");
                    }
                    names(&data.bytes, &mut files)?;
                }
                id::ATTRIBUTES => {
                    let defined = data.defined(count)?;
                    if data.byte()? != 0 {
                        return Err("attributes that stand elsewhere");
                    }
                    for (file, _) in files.iter_mut().zip(defined).filter(|(_, is)| *is) {
                        let attributes = data.u32()?;
                        // The upper half is a mode where this bit says so.
                        if attributes & 0x8000 != 0 {
                            file.mode = attributes >> 16;
                        }
                    }
                }
                // Times, a start position, padding.
                0x12..=0x1f => {}
                _ => return Err(FAULT),
            }
        }
        let mut empties = 0;
        for (file, is_empty) in files.iter_mut().zip(is_empty) {
            file.has_stream = !is_empty;
            if is_empty {
                let bit = |bits: &[bool]| bits.get(empties).copied().unwrap_or(false);
                file.is_anti = bit(&is_anti);
                file.is_folder = !bit(&is_file);
                empties += 1;
            }
        }
        Ok(files)
    }
}

/// Names in UTF-16, each closed by a zero.
fn names(bytes: &[u8], files: &mut [Entry]) -> Result<(), Fault> {
    let (units, _) = bytes.as_chunks::<2>();
    let mut units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    for file in files {
        let mut is_closed = false;
        let name = units.by_ref().take_while(|unit| {
            is_closed = *unit == 0;
            !is_closed
        });
        file.name = utf8(name);
        if !is_closed {
            return Err("names, of which there are too few");
        }
    }
    Ok(())
}

/// UTF-8, with lone surrogates in the same form (WTF-8).
fn utf8(units: impl Iterator<Item = u16>) -> Vec<u8> {
    let mut name = Vec::new();
    for unit in char::decode_utf16(units) {
        match unit {
            Ok(character) => {
                name.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                name.extend([
                    0xe0 | (unit >> 12) as u8,
                    0x80 | (unit >> 6 & 0x3f) as u8,
                    0x80 | (unit & 0x3f) as u8,
                ]);
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &'static [u8]) -> u64 {
        let mut reader = Reader {
            bytes: Bytes::from_static(bytes),
        };
        reader.number().unwrap()
    }

    #[test]
    fn numbers_of_every_length() {
        assert_eq!(number(&[0x7f]), 0x7f);
        assert_eq!(number(&[0x80, 0x81]), 0x81);
        assert_eq!(number(&[0xbf, 0xff]), 0x3fff);
        assert_eq!(number(&[0xc1, 0x02, 0x03]), 0x10302);
        assert_eq!(number(&[0xfe, 1, 2, 3, 4, 5, 6, 7]), 0x07_0605_0403_0201);
        assert_eq!(
            number(&[0xff, 1, 0, 0, 0, 0, 0, 0, 0x80]),
            0x8000_0000_0000_0001
        );
    }

    #[test]
    fn counts_are_held_against_what_is_there() {
        let header = [
            id::HEADER,
            id::FILES,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0,
            0,
            0,
            0,
        ];
        assert!(read(Bytes::copy_from_slice(&header)).is_err());
        // Two coders that read each other.
        let cycle = [
            id::ENCODED_HEADER,
            id::PACK_INFO,
            0,
            1,
            id::SIZE,
            1,
            id::END,
            id::UNPACK_INFO,
            id::FOLDER,
            1,
            0,
            2,
            1,
            0,
            1,
            0,
            0,
            0,
            1,
        ];
        assert!(read(Bytes::copy_from_slice(&cycle)).is_err());
    }

    #[test]
    fn names_keep_what_is_no_unicode() {
        assert_eq!(utf8([0x61, 0xd800, 0x62].into_iter()), b"a\xed\xa0\x80b");
        assert_eq!(utf8([0xd83d, 0xde00].into_iter()), "\u{1f600}".as_bytes());
    }
}
