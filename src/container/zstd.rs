//! Zstandard (RFC 8878).
//!
//! The library keeps back everything that it made in a call in which it meets damage, and where it has a whole frame
//! and room for it, it unpacks the frame in one go and gives nothing of a damaged one. So it is fed part by part:
//! the frame header, each block header, each block. Then damage costs the block that it is in, at most 128 KiB. The
//! frame header that it is fed is ours, without the size of the content, on which it would rely.
//!
//! Block headers also lead past a frame that cannot be decoded, because it needs a dictionary or a larger window than
//! it may have, to the one behind it. Frames that decoders skip hold whatever somebody put there: what is long enough
//! to say something is given as a region.
//!
//! Left out: frames of before version 0.8, which have other magics.

use super::safe::{Fed, ZstdFrame};
use ::zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective};

use super::stream::{self, Codec, Notes, Packed, RunsOn, Step};
use super::{Format, Input, Trouble, Walker};
use crate::blob::{Decoders, Limits};

/// What a frame begins with (3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Longest frame header: magic, descriptor, window, dictionary, content size (3.1.1.1).
const HEADER_MAX: usize = 18;
/// A block header (3.1.1.2).
const BLOCK_HEADER: usize = 3;
/// Error numbers of the library that it keeps from version to version.
const CHECKSUM_WRONG: usize = 22;
const NO_MEMORY: usize = 64;

/// The zstd format.
pub struct Zstd {
    /// Whether content that begins like this runs on across frames, tars apart.
    pub runs_on: RunsOn,
}

impl Format for Zstd {
    fn name(&self) -> &'static str {
        ZstdCodec::KIND
    }

    fn recognise(&self, head: &[u8]) -> bool {
        stream::behind_skippable(head).starts_with(&MAGIC)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let codec = ZstdCodec::new(limits).ok_or_else(|| {
            let detail = "there is no memory for a decoder; scan with fewer --jobs";
            Trouble::skipped("memory-limit", detail, Some(input.len()))
        })?;
        Ok(stream::open(&input, codec, self.runs_on, limits))
    }
}

/// What a frame header says (3.1.1.1).
#[derive(Debug, PartialEq, Eq)]
struct Header {
    /// Bytes that it takes, its magic included.
    len: usize,
    window: u64,
    dictionary: u32,
    /// Bytes of content, where that is stated.
    size: Option<u64>,
    has_checksum: bool,
}

impl Header {
    /// `None` where `head` is too short.
    fn parse(head: &[u8]) -> Option<Self> {
        let descriptor = *head.get(MAGIC.len())?;
        let is_single = descriptor & 0x20 != 0;
        let mut at = MAGIC.len() + 1;
        let mut number = |len: usize| -> Option<u64> {
            let bytes = head.get(at..at + len)?;
            at += len;
            let fold = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
            Some(bytes.iter().rev().fold(0, fold))
        };
        let window = if is_single { None } else { Some(number(1)?) };
        let dictionary = number([0, 1, 2, 4][usize::from(descriptor & 3)])?;
        let size_len = match descriptor >> 6 {
            0 => usize::from(is_single),
            flag => 1 << flag,
        };
        let less = if size_len == 2 { 256 } else { 0 };
        let size = number(size_len)?.saturating_add(less);
        Some(Self {
            window: window.map_or(size, window_size),
            size: (size_len > 0).then_some(size),
            dictionary: u32::try_from(dictionary).unwrap_or(u32::MAX),
            has_checksum: descriptor & 4 != 0,
            len: at,
        })
    }
}

/// The length of the frame that `bytes` begin with, its blocks and checksum included; `None` where it is cut or none.
pub fn frame_len(bytes: &[u8]) -> Option<usize> {
    let header = Header::parse(bytes).filter(|_| bytes.starts_with(&MAGIC))?;
    let mut at = header.len;
    loop {
        let [a, b, c] = *bytes.get(at..)?.first_chunk::<BLOCK_HEADER>()?;
        let block = u32::from_le_bytes([a, b, c, 0]);
        let is_repeated = block >> 1 & 3 == 1;
        at += BLOCK_HEADER
            + if is_repeated {
                1
            } else {
                (block >> 3) as usize
            };
        if block & 1 != 0 {
            at += if header.has_checksum { 4 } else { 0 };
            return (at <= bytes.len()).then_some(at);
        }
    }
}

/// A header that says the same of the frame, but not how much is in it: a size that lies would cost what was made, and
/// one that does not lie is not needed. The window is rounded up to a power of two.
fn plain_header(header: &Header) -> [u8; 6] {
    let log = (u64::BITS - header.window.saturating_sub(1).leading_zeros()).clamp(10, 41);
    let [a, b, c, d] = MAGIC;
    let descriptor = if header.has_checksum { 4 } else { 0 };
    [a, b, c, d, descriptor, ((log - 10) << 3) as u8]
}

/// The window that a descriptor stands for (3.1.1.1.2).
fn window_size(descriptor: u64) -> u64 {
    let base = 1_u64 << (10 + (descriptor >> 3));
    base + base / 8 * (descriptor & 7)
}

/// Where in a frame the decoder stands.
#[derive(Debug, Clone, Copy)]
enum Part {
    FrameHeader,
    BlockHeader,
    /// Within a block: bytes of it to come.
    Block {
        left: usize,
        is_last: bool,
    },
    /// Within the checksum: bytes of it to come.
    Checksum {
        left: usize,
    },
}

/// Decodes zstd frames.
pub struct ZstdCodec {
    context: Context,
    window: u64,
    part: Part,
    has_checksum: bool,
    /// Bytes that the frame is said to have, and those that it gave.
    stated: Option<u64>,
    made: u64,
    /// The frame is only passed over.
    is_passing: bool,
    /// The last call filled the output, so that there may be more to give.
    is_full: bool,
    /// The decoder held back bytes to look at when it broke off: they are given first.
    broken: Option<Trouble>,
}

/// The decoder.
enum Context {
    Library(DCtx<'static>),
    Safe(Box<ZstdFrame>),
}

impl Context {
    fn library(window: u64) -> Option<Self> {
        let mut context = DCtx::try_create()?;
        // The library rounds up; what counts is held against the limit to the byte in `start`.
        let log = (u64::BITS - window.leading_zeros()).min(31);
        context
            .set_parameter(DParameter::WindowLogMax(log))
            .or_else(|_| context.set_parameter(DParameter::WindowLogMax(27)))
            .ok()?;
        Some(Context::Library(context))
    }

    /// Begins a frame. `false` where its header is damaged.
    fn begin(&mut self, header: &Header) -> bool {
        match self {
            Context::Library(context) => {
                let _ = context.reset(ResetDirective::SessionOnly);
                let head = plain_header(header);
                let mut input = InBuffer::around(&head);
                let mut nothing: [u8; 0] = [];
                let mut output = OutBuffer::around(&mut nothing[..]);
                context.decompress_stream(&mut output, &mut input).is_ok()
            }
            // It would look for a checksum in the same piece as the last block.
            Context::Safe(frame) => frame.begin(&plain_header(&Header {
                has_checksum: false,
                ..*header
            })),
        }
    }

    /// Takes a piece of input: bytes taken, bytes made, and how it goes on or why not.
    fn feed(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize, Result<Fed, usize>) {
        match self {
            Context::Library(context) => {
                let mut input = InBuffer::around(input);
                let mut output = OutBuffer::around(output);
                let result = context.decompress_stream(&mut output, &mut input);
                let fed = result.map(|left| if left == 0 { Fed::Ended } else { Fed::More });
                let fed = fed.map_err(|code| 0_usize.wrapping_sub(code));
                (input.pos(), output.pos(), fed)
            }
            Context::Safe(frame) => {
                let (taken, made, fed) = frame.feed(input, output);
                let fed = match fed {
                    Fed::WrongChecksum => Err(CHECKSUM_WRONG),
                    Fed::Corrupt => Err(0),
                    fed => Ok(fed),
                };
                (taken, made, fed)
            }
        }
    }
}

impl ZstdCodec {
    fn new(limits: &Limits) -> Option<Self> {
        let window = limits.window();
        let context = match limits.decoders {
            Decoders::Fast => Context::library(window)?,
            Decoders::Safe => Context::Safe(Box::default()),
        };
        Some(Self {
            context,
            window,
            part: Part::FrameHeader,
            has_checksum: false,
            stated: None,
            made: 0,
            is_passing: false,
            is_full: false,
            broken: None,
        })
    }

    /// Reads the header of a frame.
    fn start(&mut self, packed: &mut Packed, notes: &mut Notes) -> Step {
        let Some(header) = Header::parse(packed.peek(HEADER_MAX)) else {
            packed.skip(HEADER_MAX as u64);
            return Step::Broken(0, stream::cut(packed, Self::KIND));
        };
        self.has_checksum = header.has_checksum;
        self.is_full = false;
        self.is_passing = true;
        if header.dictionary != 0 {
            let trouble = stream::needs_dictionary(packed, Self::KIND, header.dictionary);
            notes.troubles.push(trouble);
        } else if header.window > self.window {
            let wanted = Some(header.window);
            notes.troubles.push(stream::window_too_large(
                packed,
                Self::KIND,
                wanted,
                self.window,
            ));
        } else {
            self.is_passing = false;
        }
        self.stated = header.size.filter(|_| !self.is_passing);
        self.made = 0;
        self.part = Part::BlockHeader;
        packed.consume(header.len);
        if self.is_passing {
            return Step::More(0);
        }
        if self.context.begin(&header) {
            Step::More(0)
        } else {
            Step::Broken(0, stream::corrupt(packed))
        }
    }

    /// Takes up to `len` bytes. `Err` where the frame cannot be read on.
    fn feed(
        &mut self,
        packed: &mut Packed,
        len: usize,
        output: &mut [u8],
        notes: &mut Notes,
    ) -> Result<Step, Step> {
        let at = packed.position();
        let input = packed.peek(len);
        let input = &input[..len.min(input.len())];
        if self.is_passing {
            let len = input.len();
            packed.consume(len);
            return Ok(Step::More(0));
        }
        let room = output.len();
        let (taken, made, result) = self.context.feed(input, output);
        packed.consume(taken);
        self.is_full = made == room && room > 0;
        match result {
            Ok(Fed::Ended) => Ok(Step::Ended(made)),
            Ok(_) => Ok(Step::More(made)),
            Err(code) => match code {
                CHECKSUM_WRONG => {
                    notes.troubles.push(stream::wrong_checksum(Self::KIND, at));
                    // One decoder has taken it by then, the other has not.
                    packed.consume(len.saturating_sub(taken));
                    Ok(Step::Ended(made))
                }
                NO_MEMORY => {
                    let trouble = stream::window_too_large(packed, Self::KIND, None, self.window);
                    Err(Step::Broken(made, trouble))
                }
                _ => Err(Step::Broken(made, stream::corrupt(packed))),
            },
        }
    }

    /// Takes a part that begins at the position, or as much of it as there is. Says what came of it, and how many of
    /// its bytes were taken.
    fn part(
        &mut self,
        packed: &mut Packed,
        len: usize,
        output: &mut [u8],
        notes: &mut Notes,
    ) -> Result<(Step, usize), Step> {
        let before = packed.position();
        if packed.peek(len.min(1)).is_empty() && len > 0 {
            return Err(Step::Broken(0, stream::cut(packed, Self::KIND)));
        }
        let step = self.feed(packed, len, output, notes)?;
        Ok((step, (packed.position() - before) as usize))
    }

    fn part_behind_blocks(&self) -> Part {
        Part::Checksum {
            left: if self.has_checksum { 4 } else { 0 },
        }
    }

    /// Decodes one part, or a piece of it.
    fn step(
        &mut self,
        packed: &mut Packed,
        output: &mut [u8],
        notes: &mut Notes,
    ) -> Result<Step, Step> {
        if self.is_full {
            // Before anything else is fed: what a call makes is lost where it meets damage.
            return self.feed(packed, 0, output, notes);
        }
        match self.part {
            Part::FrameHeader => Ok(self.start(packed, notes)),
            Part::BlockHeader => {
                let Some(header) = packed.peek(BLOCK_HEADER).first_chunk::<BLOCK_HEADER>() else {
                    packed.skip(BLOCK_HEADER as u64);
                    return Err(Step::Broken(0, stream::cut(packed, Self::KIND)));
                };
                let header = u32::from_le_bytes([header[0], header[1], header[2], 0]);
                let is_rle = header >> 1 & 3 == 1;
                let left = if is_rle { 1 } else { (header >> 3) as usize };
                let (step, _) = self.part(packed, BLOCK_HEADER, output, notes)?;
                self.part = Part::Block {
                    left,
                    is_last: header & 1 != 0,
                };
                Ok(step)
            }
            Part::Block { left: 0, is_last } => {
                self.part = if is_last {
                    self.part_behind_blocks()
                } else {
                    Part::BlockHeader
                };
                Ok(Step::More(0))
            }
            Part::Block { left, is_last } => {
                let (step, taken) = self.part(packed, left, output, notes)?;
                let left = left - taken.min(left);
                self.part = Part::Block { left, is_last };
                Ok(step)
            }
            // Only a frame that was passed over has no word from the library that it ended.
            Part::Checksum { left: 0 } => Ok(Step::Ended(0)),
            Part::Checksum { left } => {
                let (step, taken) = self.part(packed, left, output, notes)?;
                self.part = Part::Checksum {
                    left: left - taken.min(left),
                };
                Ok(step)
            }
        }
    }
}

impl Codec for ZstdCodec {
    const KIND: &'static str = "zstd";
    const TAR: &'static str = "tar.zst";
    const CPIO: &'static str = "cpio.zst";

    fn find(&mut self, packed: &mut Packed, notes: &mut Notes) -> bool {
        stream::skip_skippable(packed, notes) && packed.peek(MAGIC.len()).starts_with(&MAGIC)
    }

    fn decode(&mut self, packed: &mut Packed, output: &mut [u8], notes: &mut Notes) -> Step {
        let before = notes.troubles.len();
        let mut step = match self.broken.take() {
            Some(trouble) => Step::Broken(0, trouble),
            None => self.step(packed, output, notes).unwrap_or_else(|step| step),
        };
        if let (Step::Broken(0, trouble), Context::Safe(frame), false) =
            (&step, &mut self.context, self.is_passing)
        {
            let made = frame.drain(output);
            if made > 0 {
                self.broken = Some(trouble.clone());
                step = Step::More(made);
            }
        }
        let (Step::More(made) | Step::Ended(made) | Step::Broken(made, _)) = &step;
        self.made += *made as u64;
        if let Step::Ended(_) = step
            && self.stated.is_some_and(|stated| stated != self.made)
        {
            let at = packed.position();
            let mut trouble = Trouble::odd(
                "length-mismatch",
                format!(
                    "the zstd frame that ends at offset {at} does not have the length that it states; the bytes were read as they stand"
                ),
            );
            let sum = (notes.troubles.iter().skip(before))
                .position(|trouble| trouble.code == "checksum-mismatch");
            if let Some(sum) = sum {
                notes.troubles.remove(before + sum);
                trouble = stream::wrong_checksum_and_length(Self::KIND, at);
            }
            notes.troubles.push(trouble);
        }
        if !matches!(step, Step::More(_)) {
            self.part = Part::FrameHeader;
            self.is_full = false;
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Effect;
    use crate::container::testing::{Seen, walk};

    const FORMAT: Zstd = Zstd {
        runs_on: |head| head.starts_with(b"{"),
    };

    /// A block header and its content (3.1.1.2).
    fn block(kind: u32, is_last: bool, size: usize, content: &[u8]) -> Vec<u8> {
        let header = u32::from(is_last) | kind << 1 | (size as u32) << 3;
        [&header.to_le_bytes()[..3], content].concat()
    }

    /// A frame of one stored block, with no window but its size, and with what a descriptor adds.
    fn frame(descriptor: u8, fields: &[u8], content: &[u8]) -> Vec<u8> {
        let block = block(0, true, content.len(), content);
        [&MAGIC[..], &[descriptor], fields, &block].concat()
    }

    fn plain(content: &[u8]) -> Vec<u8> {
        frame(0x20, &[content.len() as u8], content)
    }

    fn skippable(content: &[u8]) -> Vec<u8> {
        let len = (content.len() as u32).to_le_bytes();
        [&0x184d_2a5e_u32.to_le_bytes(), &len[..], content].concat()
    }

    #[test]
    fn a_frame_behind_one_with_a_wrong_sum_is_read_by_both_decoders() {
        let wrong = [frame(0x24, &[5], b"first"), b"nope".to_vec()].concat();
        let file = [wrong, plain(b"second")].concat();
        for decoders in [Decoders::Fast, Decoders::Safe] {
            let limits = Limits {
                decoders,
                ..Limits::default()
            };
            let found = walk(&FORMAT, &file, &limits).unwrap();
            let contents: Vec<_> = found.members.iter().map(|(_, text)| &text[..]).collect();
            assert_eq!(contents, [&b"first"[..], b"second"]);
            assert_eq!(found.codes, ["checksum-mismatch"]);
        }
    }

    fn seen(file: &[u8], memory: u64) -> Seen {
        assert!(FORMAT.recognise(file));
        let limits = Limits {
            memory,
            ..Limits::default()
        };
        walk(&FORMAT, file, &limits).unwrap()
    }

    fn named(content: &[u8]) -> (String, Vec<u8>) {
        (String::new(), content.to_vec())
    }

    #[test]
    fn frames_laid_out_by_hand_are_read() {
        // No size is stated, the window is 1 KiB; one byte three times, then stored ones.
        let blocks = [block(1, false, 3, b"a"), block(0, true, 2, b"bc")].concat();
        let windowed = [&MAGIC[..], &[0, 0], &blocks].concat();
        let file = [plain(b"first"), windowed, plain(b"")].concat();
        let seen = seen(&file, 1 << 30);
        assert_eq!(seen.members, [named(b"first"), named(b"aaabc"), named(b"")]);
        assert_eq!(seen.codes, [""; 0]);
    }

    #[test]
    fn headers_are_parsed_as_the_standard_lays_them_out() {
        assert_eq!(window_size(0), 1 << 10);
        assert_eq!(window_size(0xff), (1 << 41) + 7 * (1 << 38));
        let head = [
            &MAGIC[..],
            &[0xc7, 0x50, 1, 2, 0, 0, 9, 0, 0, 0, 0, 0, 0, 1],
        ]
        .concat();
        let header = Header {
            len: 18,
            window: 1 << 20,
            dictionary: 0x201,
            size: Some(0x0100_0000_0000_0009),
            has_checksum: true,
        };
        assert_eq!(Header::parse(&head), Some(header));
        assert_eq!(Header::parse(&head[..17]), None);
    }

    #[test]
    fn a_frame_that_needs_a_dictionary_is_told_and_the_next_one_read() {
        let needs = frame(0x21, &[7, 5], b"hello");
        let seen = seen(&[needs, plain(b"behind")].concat(), 1 << 30);
        assert_eq!(seen.members, [named(b"behind")]);
        assert_eq!(seen.codes, ["dictionary-needed"]);
        assert_eq!(seen.effects, [Effect::Skipped]);
    }

    /// What cannot be read within a map must not join what is on both sides of it.
    #[test]
    fn content_with_a_gap_ends_there() {
        let needs = frame(0x21, &[7, 5], b"hello");
        let file = [plain(b"{\"a\":"), needs, plain(b"1}")].concat();
        let seen = seen(&file, 1 << 30);
        assert_eq!(seen.members, [named(b"{\"a\":")]);
        assert_eq!(seen.codes, ["dictionary-needed"]);
        assert_eq!(seen.effects, [Effect::Damaged]);
    }

    #[test]
    fn a_declared_window_is_never_allocated_beyond_the_limit() {
        // The largest window there is, and a single segment of 2^60 bytes.
        let window = [&MAGIC[..], &[0, 0xff], &block(0, true, 1, b"x")].concat();
        let size = frame(0xe0, &(1_u64 << 60).to_le_bytes(), b"y");
        let seen = seen(&[plain(b"a"), window, size, plain(b"z")].concat(), 1 << 20);
        assert_eq!(seen.members, [named(b"a"), named(b"z")]);
        assert_eq!(seen.codes, ["memory-limit", "memory-limit"]);
        // Within the limit, a size that lies is odd, and costs nothing.
        let lies = frame(0xa0, &(1_u32 << 23).to_le_bytes(), b"true bytes");
        let seen = self::seen(&lies, 1 << 20);
        assert_eq!(seen.members, [named(b"true bytes")]);
        assert_eq!(seen.codes, ["length-mismatch"]);
    }

    #[test]
    fn skippable_frames_are_counted_or_given() {
        let text = b"something that somebody put there";
        let file = [skippable(b"short"), plain(b"a"), skippable(text)].concat();
        let seen = seen(&file, 1 << 30);
        let at = file.len() - text.len();
        assert_eq!(
            seen.members,
            [named(b"a"), (format!("@{at}"), text.to_vec())]
        );
        assert_eq!(seen.others, ["skippable-frame"]);
        assert_eq!(seen.codes, [""; 0]);
        let cut = self::seen(&file[..file.len() - 10], 1 << 30);
        assert_eq!(cut.codes, ["truncated"]);
    }

    #[test]
    fn a_wrong_checksum_and_a_wrong_length_are_damage() {
        let mut file = frame(0x24, &[9], b"first");
        file.extend([1, 2, 3, 4]);
        file.extend(plain(b"second"));
        let seen = seen(&file, 1 << 30);
        assert!(seen.effects.contains(&Effect::Damaged), "{:?}", seen.codes);
        assert_eq!(seen.codes.len(), 1, "{:?}", seen.codes);
    }

    #[test]
    fn a_wrong_checksum_is_odd_and_the_next_frame_is_read() {
        let mut file = frame(0x24, &[5], b"first");
        file.extend([1, 2, 3, 4]);
        file.extend(plain(b"second"));
        let seen = seen(&file, 1 << 30);
        assert_eq!(seen.members, [named(b"first"), named(b"second")]);
        assert_eq!(seen.codes, ["checksum-mismatch"]);
        assert_eq!(seen.effects, [Effect::Odd]);
    }
}
