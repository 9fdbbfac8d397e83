//! LZ4: frames (lz4_Frame_format.md 1.6.4), the legacy frames of before, and blocks (lz4_Block_format.md).
//!
//! The decoder of blocks is our own, because blocks may have 4 MiB, and libraries give all of a block or nothing:
//! here a block that is cut or damaged gives every byte before that. It is short, since LZ4 is, and another reader of
//! the format is held against it in the tests.
//!
//! A block whose checksum does not fit is given as it stands. A frame that needs a dictionary is passed over by the
//! lengths of its blocks, and the frame behind it is read.

use std::ops::Range;

use super::stream::{self, Codec, Notes, Packed, RunsOn, Step};
use super::{Format, Input, Trouble, Walker};
use crate::blob::Limits;

/// What a frame begins with.
const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];
/// What a legacy frame begins with.
const LEGACY: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];
/// Magic, flags, block size, content size, dictionary, checksum.
const HEADER_MAX: usize = 19;
/// A block may look back so far on those before it.
const HISTORY: usize = 64 << 10;
/// What a block of a legacy frame unpacks to, except the last one.
const LEGACY_BLOCK: usize = 8 << 20;
/// The bit of a block's length that says that it is stored.
const STORED: u32 = 1 << 31;

/// The lz4 format.
pub struct Lz4 {
    /// Whether content that begins like this runs on across frames, tars apart.
    pub runs_on: RunsOn,
}

impl Format for Lz4 {
    fn name(&self) -> &'static str {
        Lz4Codec::KIND
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let head = stream::behind_skippable(head);
        Header::parse(head).is_ok_and(|header| header.is_some()) || is_legacy(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        Ok(stream::open(
            &input,
            Lz4Codec::default(),
            self.runs_on,
            limits,
        ))
    }
}

/// The legacy magic, and a first block that begins with literals as every block does, and is no larger than eight
/// MiB can become.
fn is_legacy(head: &[u8]) -> bool {
    let len = head.get(4..8).and_then(<[u8]>::first_chunk);
    head.starts_with(&LEGACY)
        && len.is_none_or(|len| (1..=legacy_max()).contains(&u32::from_le_bytes(*len)))
}

/// The most that a legacy block can have packed: incompressible content grows by a 255th.
fn legacy_max() -> u32 {
    (LEGACY_BLOCK + LEGACY_BLOCK / 255 + 16) as u32
}

/// What the header of a frame says.
#[derive(Debug, Clone, Copy, Default)]
struct Header {
    /// Bytes that it takes, its magic included.
    len: usize,
    block_max: usize,
    is_legacy: bool,
    is_linked: bool,
    has_block_checksum: bool,
    has_content_checksum: bool,
    dictionary: Option<u32>,
    /// Bytes of content, where it says so.
    stated: Option<u64>,
    fits: bool,
}

impl Header {
    /// `Ok(None)` where it is cut, `Err` where it is none.
    fn parse(head: &[u8]) -> Result<Option<Self>, ()> {
        if !head.starts_with(&MAGIC) {
            return Err(());
        }
        let &[flags, sizes, ..] = &head[MAGIC.len()..] else {
            return Ok(None);
        };
        let code = sizes >> 4;
        if flags >> 6 != 1 || flags & 2 != 0 || sizes & 0x8f != 0 || code < 4 {
            return Err(());
        }
        let at_dictionary = 6 + if flags & 8 == 0 { 0 } else { 8 };
        let has_dictionary = flags & 1 != 0;
        let at_sum = at_dictionary + if has_dictionary { 4 } else { 0 };
        let Some(&sum) = head.get(at_sum) else {
            return Ok(None);
        };
        let dictionary = head[at_dictionary..at_sum].first_chunk();
        let mut hash = Xxh32::default();
        hash.update(&head[MAGIC.len()..at_sum]);
        Ok(Some(Self {
            len: at_sum + 1,
            block_max: 1 << (2 * u32::from(code) + 8),
            is_legacy: false,
            is_linked: flags & 0x20 == 0,
            has_block_checksum: flags & 0x10 != 0,
            has_content_checksum: flags & 4 != 0,
            dictionary: dictionary.map(|id| u32::from_le_bytes(*id)),
            stated: head[6..at_dictionary]
                .first_chunk()
                .map(|size| u64::from_le_bytes(*size)),
            fits: (hash.finish() >> 8) as u8 == sum,
        }))
    }

    fn legacy() -> Self {
        Self {
            len: LEGACY.len(),
            block_max: LEGACY_BLOCK,
            is_legacy: true,
            fits: true,
            ..Self::default()
        }
    }
}

/// Decodes lz4 frames.
#[derive(Default)]
pub struct Lz4Codec {
    /// Of the frame that is decoded; `None` between frames.
    header: Option<Header>,
    /// What was made: up to [`HISTORY`] bytes that were given, and then those that are to be given.
    made: Vec<u8>,
    given: usize,
    /// Bytes of content of the frame, so far.
    total: u64,
    /// A checksum of a block did not fit.
    is_doubtful: bool,
    hash: Xxh32,
    /// What ends the frame when all that was made is given.
    end: Option<Trouble>,
}

impl Lz4Codec {
    fn start(&mut self, packed: &mut Packed, notes: &mut Notes) -> Step {
        self.made.clear();
        self.given = 0;
        self.total = 0;
        self.is_doubtful = false;
        self.hash = Xxh32::default();
        let at = packed.position();
        let head = packed.peek(HEADER_MAX);
        let header = if head.starts_with(&LEGACY) {
            Ok(Some(Header::legacy()))
        } else {
            Header::parse(head)
        };
        let header = match header {
            Ok(Some(header)) => header,
            Ok(None) => {
                packed.skip(HEADER_MAX as u64);
                return Step::Broken(0, stream::cut(packed, Self::KIND));
            }
            Err(()) => return Step::Broken(0, stream::corrupt(packed)),
        };
        if !header.fits {
            notes.troubles.push(stream::wrong_checksum(
                Self::KIND,
                at + header.len as u64 - 1,
            ));
        }
        if let Some(id) = header.dictionary {
            notes
                .troubles
                .push(stream::needs_dictionary(packed, Self::KIND, id));
        }
        packed.consume(header.len);
        self.header = Some(header);
        Step::More(0)
    }

    /// The length of the next block and whether it is stored; `None` behind the last.
    fn block_header(
        header: &Header,
        packed: &mut Packed,
    ) -> Result<Option<(usize, bool)>, Trouble> {
        let head = packed.peek(4);
        if header.is_legacy {
            // A legacy frame ends where the file does, or another frame begins.
            let is_next = head.starts_with(&MAGIC)
                || head.starts_with(&LEGACY)
                || stream::behind_skippable(head).len() < head.len();
            if head.is_empty() || is_next {
                return Ok(None);
            }
        }
        let Some(word) = packed
            .peek(4)
            .first_chunk()
            .map(|word| u32::from_le_bytes(*word))
        else {
            packed.skip(4);
            return Err(stream::cut(packed, Self::KIND));
        };
        if header.is_legacy {
            return if (1..=legacy_max()).contains(&word) {
                packed.consume(4);
                Ok(Some((word as usize, false)))
            } else if word == 0 {
                Ok(None)
            } else {
                Err(stream::corrupt(packed))
            };
        }
        packed.consume(4);
        let len = (word & !STORED) as usize;
        match word {
            0 => Ok(None),
            _ if len > header.block_max => Err(stream::corrupt(packed)),
            _ => Ok(Some((len, word & STORED != 0))),
        }
    }

    /// Decodes the next block. `Ok(false)` behind the last.
    fn block(
        &mut self,
        header: &Header,
        packed: &mut Packed,
        notes: &mut Notes,
    ) -> Result<bool, Trouble> {
        let Some((len, is_stored)) = Self::block_header(header, packed)? else {
            return Ok(false);
        };
        if header.dictionary.is_some() {
            let extra = if header.has_block_checksum { 4 } else { 0 };
            let len = len as u64 + extra;
            return if packed.skip(len) == len {
                Ok(true)
            } else {
                Err(stream::cut(packed, Self::KIND))
            };
        }
        let keep = if header.is_linked { HISTORY } else { 0 };
        self.made.drain(..self.made.len().saturating_sub(keep));
        let before = self.made.len();
        self.given = before;
        let at = packed.position();
        let data = packed.peek(len);
        let is_cut = data.len() < len;
        let data = &data[..len.min(data.len())];
        let is_whole = if is_stored {
            self.made.extend_from_slice(data);
            true
        } else {
            unpack(data, &mut self.made, before + header.block_max)
        };
        let mut hash = Xxh32::default();
        if header.has_block_checksum {
            hash.update(data);
        }
        self.total += (self.made.len() - before) as u64;
        if header.has_content_checksum {
            self.hash.update(&self.made[before..]);
        }
        packed.skip(len as u64);
        if is_cut {
            return Err(stream::cut(packed, Self::KIND));
        }
        if !is_whole {
            packed.go_to(at);
            return Err(stream::corrupt(packed));
        }
        if header.has_block_checksum {
            self.is_doubtful |= !check(packed, &hash, notes)?;
        }
        Ok(true)
    }
}

/// Reads a checksum and holds it against what it should be: `false` where it is another.
fn check(packed: &mut Packed, hash: &Xxh32, notes: &mut Notes) -> Result<bool, Trouble> {
    let at = packed.position();
    let stated = packed
        .bytes()
        .ok_or_else(|| stream::cut(packed, Lz4Codec::KIND))?;
    let fits = u32::from_le_bytes(stated) == hash.finish();
    if !fits {
        notes
            .troubles
            .push(stream::wrong_checksum(Lz4Codec::KIND, at));
    }
    Ok(fits)
}

impl Codec for Lz4Codec {
    const KIND: &'static str = "lz4";
    const TAR: &'static str = "tar.lz4";
    const CPIO: &'static str = "cpio.lz4";

    fn find(&mut self, packed: &mut Packed, notes: &mut Notes) -> bool {
        stream::skip_skippable(packed, notes) && {
            let head = packed.peek(8);
            head.starts_with(&MAGIC) || is_legacy(head)
        }
    }

    fn decode(&mut self, packed: &mut Packed, output: &mut [u8], notes: &mut Notes) -> Step {
        let Some(header) = self.header else {
            return self.start(packed, notes);
        };
        if self.given < self.made.len() {
            let given = output.len().min(self.made.len() - self.given);
            let end = self.given + given;
            output[..given].copy_from_slice(&self.made[self.given..end]);
            self.given = end;
            return Step::More(given);
        }
        let ended = match self.end.take() {
            Some(trouble) => Err(trouble),
            None => self.block(&header, packed, notes),
        };
        match ended {
            Ok(true) => Step::More(0),
            // What came before the damage is given first.
            Err(trouble) if self.given < self.made.len() => {
                self.end = Some(trouble);
                Step::More(0)
            }
            Err(trouble) => {
                self.header = None;
                Step::Broken(0, trouble)
            }
            Ok(false) => {
                self.header = None;
                if header.has_content_checksum {
                    let mut hash = std::mem::take(&mut self.hash);
                    if header.dictionary.is_some() {
                        packed.skip(4);
                        return Step::Ended(0);
                    }
                    hash.update(&[]);
                    match check(packed, &hash, notes) {
                        Ok(fits) => self.is_doubtful |= !fits,
                        Err(trouble) => return Step::Broken(0, trouble),
                    }
                }
                if header.dictionary.is_none()
                    && header.stated.is_some_and(|stated| stated != self.total)
                {
                    let at = packed.position();
                    notes.troubles.push(match self.is_doubtful {
                        true => stream::wrong_checksum_and_length(Self::KIND, at),
                        false => stream::wrong_length(Self::KIND, at),
                    });
                }
                Step::Ended(0)
            }
        }
    }
}

/// Decodes a block behind what is in `made`, which it may look back on, up to a length of `max` in all. `false` where
/// it is damaged or cut; what could be decoded is there then.
fn unpack(block: &[u8], made: &mut Vec<u8>, max: usize) -> bool {
    let mut at = 0;
    while let Some(&token) = block.get(at) {
        at += 1;
        let Some(literals) = length(block, &mut at, token >> 4) else {
            return false;
        };
        let end = at.saturating_add(literals).min(block.len());
        let room = max - made.len();
        made.extend_from_slice(&block[at..end][..room.min(end - at)]);
        if end - at > room || end - at < literals {
            return false;
        }
        at = end;
        if at == block.len() {
            // The last sequence has literals only.
            return true;
        }
        let Some(offset) = block.get(at..at + 2).and_then(<[u8]>::first_chunk) else {
            return false;
        };
        at += 2;
        let offset = usize::from(u16::from_le_bytes(*offset));
        let Some(more) = length(block, &mut at, token & 15) else {
            return false;
        };
        let Some(from) = made.len().checked_sub(offset).filter(|_| offset > 0) else {
            return false;
        };
        let wanted = more.saturating_add(4);
        let len = wanted.min(max - made.len());
        repeat(made, from, len);
        if len < wanted {
            return false;
        }
    }
    true
}

/// The rest of a length: a half byte of 15 goes on in bytes, up to the first that is not 255.
fn length(block: &[u8], at: &mut usize, half: u8) -> Option<usize> {
    let mut length = usize::from(half);
    if half == 15 {
        loop {
            let byte = *block.get(*at)?;
            *at += 1;
            length = length.checked_add(usize::from(byte))?;
            if byte != 255 {
                break;
            }
        }
    }
    Some(length)
}

/// Appends `len` bytes from `from` on, also those that are only made by that.
fn repeat(made: &mut Vec<u8>, from: usize, len: usize) {
    let mut left = len;
    while left > 0 {
        // Each turn doubles what there is to be copied.
        let end = made.len().min(from.saturating_add(left));
        let run: Range<usize> = from..end;
        left -= run.len();
        made.extend_from_within(run);
    }
}

/// xxHash of 32 bits, seed 0 (xxhash_spec.md, XXH32).
#[derive(Debug, Clone)]
struct Xxh32 {
    lanes: [u32; 4],
    waiting: [u8; 16],
    count: usize,
    total: u64,
}

const PRIMES: [u32; 5] = [
    0x9e37_79b1,
    0x85eb_ca77,
    0xc2b2_ae3d,
    0x27d4_eb2f,
    0x1656_67b1,
];

impl Default for Xxh32 {
    fn default() -> Self {
        Self {
            lanes: [
                PRIMES[0].wrapping_add(PRIMES[1]),
                PRIMES[1],
                0,
                PRIMES[0].wrapping_neg(),
            ],
            waiting: [0; 16],
            count: 0,
            total: 0,
        }
    }
}

fn word(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes)
}

impl Xxh32 {
    fn stripe(lanes: &mut [u32; 4], stripe: &[u8; 16]) {
        for (lane, input) in lanes.iter_mut().zip(stripe.as_chunks::<4>().0) {
            *lane = lane
                .wrapping_add(word(*input).wrapping_mul(PRIMES[1]))
                .rotate_left(13)
                .wrapping_mul(PRIMES[0]);
        }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        self.total += bytes.len() as u64;
        if self.count > 0 {
            let taken = bytes.len().min(16 - self.count);
            self.waiting[self.count..self.count + taken].copy_from_slice(&bytes[..taken]);
            self.count += taken;
            bytes = &bytes[taken..];
            if self.count < 16 {
                return;
            }
            Self::stripe(&mut self.lanes, &self.waiting);
        }
        let (stripes, rest) = bytes.as_chunks::<16>();
        for stripe in stripes {
            Self::stripe(&mut self.lanes, stripe);
        }
        self.waiting[..rest.len()].copy_from_slice(rest);
        self.count = rest.len();
    }

    fn finish(&self) -> u32 {
        let [a, b, c, d] = self.lanes;
        let mut sum = if self.total < 16 {
            PRIMES[4]
        } else {
            a.rotate_left(1)
                .wrapping_add(b.rotate_left(7))
                .wrapping_add(c.rotate_left(12))
                .wrapping_add(d.rotate_left(18))
        };
        sum = sum.wrapping_add(self.total as u32);
        let (words, rest) = self.waiting[..self.count].as_chunks::<4>();
        for input in words {
            sum = sum
                .wrapping_add(word(*input).wrapping_mul(PRIMES[2]))
                .rotate_left(17)
                .wrapping_mul(PRIMES[3]);
        }
        for &byte in rest {
            sum = sum
                .wrapping_add(u32::from(byte).wrapping_mul(PRIMES[4]))
                .rotate_left(11)
                .wrapping_mul(PRIMES[0]);
        }
        sum ^= sum >> 15;
        sum = sum.wrapping_mul(PRIMES[1]);
        sum ^= sum >> 13;
        sum = sum.wrapping_mul(PRIMES[2]);
        sum ^ sum >> 16
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    use proptest::prelude::*;

    use super::*;
    use crate::container::Effect;
    use crate::container::testing::{Seen, walk};

    const FORMAT: Lz4 = Lz4 {
        runs_on: |head| head.starts_with(b"{"),
    };

    fn seen(file: &[u8]) -> Seen {
        assert!(FORMAT.recognise(file));
        walk(&FORMAT, file, &Limits::default()).unwrap()
    }

    fn named(content: &[u8]) -> (String, Vec<u8>) {
        (String::new(), content.to_vec())
    }

    fn text(len: usize) -> Vec<u8> {
        (0..)
            .flat_map(|n: u32| format!("{} ", n.wrapping_mul(2_654_435_761) >> 12).into_bytes())
            .take(len)
            .collect()
    }

    fn packed(content: &[u8], mode: BlockMode) -> Vec<u8> {
        let info = FrameInfo::new()
            .block_size(BlockSize::Max64KB)
            .block_mode(mode)
            .block_checksums(true)
            .content_checksum(true);
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_hash_is_that_of_the_specification() {
        let hash = |bytes: &[u8]| {
            let mut hash = Xxh32::default();
            hash.update(bytes);
            hash.finish()
        };
        assert_eq!(hash(b""), 0x02cc_5d05);
        assert_eq!(hash(b"a"), 0x550d_7456);
        assert_eq!(hash(b"abc"), 0x32d1_53ff);
        let mut parts = Xxh32::default();
        for part in text(1_000).chunks(7) {
            parts.update(part);
        }
        assert_eq!(parts.finish(), hash(&text(1_000)));
    }

    #[test]
    fn linked_and_independent_blocks_are_read() {
        let content = text(500_000);
        for mode in [BlockMode::Linked, BlockMode::Independent] {
            let seen = seen(&packed(&content, mode));
            assert_eq!(seen.members, [named(&content)]);
            assert_eq!(seen.codes, [""; 0]);
        }
    }

    #[test]
    fn wrong_checksums_are_odd() {
        let content = text(100_000);
        let mut file = packed(&content, BlockMode::Independent);
        let last = file.len() - 1;
        file[last] ^= 1;
        let seen = seen(&file);
        assert_eq!(seen.members, [named(&content)]);
        assert_eq!(seen.codes, ["checksum-mismatch"]);
        assert_eq!(seen.effects, [Effect::Odd]);
    }

    #[test]
    fn a_length_that_lies_is_odd_and_damage_with_a_wrong_checksum() {
        let content = text(1_000);
        let info = FrameInfo::new()
            .content_size(Some(1_000))
            .content_checksum(true);
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(&content).unwrap();
        let mut file = encoder.finish().unwrap();
        assert_eq!(seen(&file).codes, [""; 0]);
        file[6] ^= 1;
        let mut hash = Xxh32::default();
        hash.update(&file[4..14]);
        file[14] = (hash.finish() >> 8) as u8;
        let found = seen(&file);
        assert_eq!(found.members, [named(&content)]);
        assert_eq!(found.codes, ["length-mismatch"]);
        assert_eq!(found.effects, [Effect::Odd]);
        let last = file.len() - 1;
        file[last] ^= 1;
        let found = seen(&file);
        assert_eq!(found.members, [named(&content)]);
        assert_eq!(found.effects, [Effect::Odd, Effect::Damaged]);
    }

    #[test]
    fn legacy_frames_are_read_up_to_the_next_frame() {
        let content = text(200_000);
        let mut file = LEGACY.to_vec();
        for part in content.chunks(120_000) {
            let block = lz4_flex::block::compress(part);
            file.extend((block.len() as u32).to_le_bytes());
            file.extend(block);
        }
        assert_eq!(seen(&file).members, [named(&content)]);
        file.extend(packed(b"a frame of today", BlockMode::Linked));
        let seen = seen(&file);
        assert_eq!(seen.members, [named(&content), named(b"a frame of today")]);
        assert_eq!(seen.codes, [""; 0]);
    }

    #[test]
    fn a_frame_that_needs_a_dictionary_is_told_and_the_next_one_read() {
        let descriptor = [0x61, 0x40, 9, 0, 0, 0];
        let mut hash = Xxh32::default();
        hash.update(&descriptor);
        let mut file = [&MAGIC[..], &descriptor, &[(hash.finish() >> 8) as u8]].concat();
        file.extend([3, 0, 0, 0x80, b'x', b'y', b'z', 0, 0, 0, 0]);
        file.extend(packed(b"behind", BlockMode::Linked));
        let seen = seen(&file);
        assert_eq!(seen.members, [named(b"behind")]);
        assert_eq!(seen.codes, ["dictionary-needed"]);
        assert_eq!(seen.effects, [Effect::Skipped]);
    }

    #[test]
    fn a_cut_block_gives_every_byte_before_the_cut() {
        // The example of the block format: a literal, and a match that runs into itself.
        let mut made = Vec::new();
        assert!(unpack(
            &[0x1f, b'a', 1, 0, 10, 0x20, b'b', b'c'],
            &mut made,
            1_000
        ));
        assert_eq!(made, [&[b'a'; 30][..], b"bc"].concat());
        made.clear();
        assert!(!unpack(
            &[0x1f, b'a', 1, 0, 10, 0x20, b'b'],
            &mut made,
            1_000
        ));
        assert_eq!(made, [&[b'a'; 30][..], b"b"].concat());
        made.clear();
        assert!(!unpack(
            &[0x1f, b'a', 1, 0, 10, 0x20, b'b', b'c'],
            &mut made,
            12
        ));
        assert_eq!(made, [b'a'; 12]);
        // Nothing is that far back.
        made.clear();
        assert!(!unpack(&[0x10, b'a', 2, 0], &mut made, 1_000));
        assert_eq!(made, b"a");
    }

    proptest! {
        #[test]
        fn agrees_with_another_reader_on_anything(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            words in proptest::collection::vec(0..40_u8, 0..900),
            flip in any::<prop::sample::Index>(),
        ) {
            let content = [&words[..], &bytes].concat();
            let mut block = lz4_flex::block::compress(&content);
            let mut made = Vec::new();
            prop_assert!(unpack(&block, &mut made, content.len()));
            prop_assert_eq!(&made, &content);
            let at = flip.index(block.len());
            block[at] ^= 0x41;
            let theirs = lz4_flex::block::decompress(&block, 4_000);
            made.clear();
            let is_whole = unpack(&block, &mut made, 4_000);
            if let Ok(theirs) = theirs {
                prop_assert!(is_whole);
                prop_assert_eq!(made, theirs);
            }
        }
    }
}
