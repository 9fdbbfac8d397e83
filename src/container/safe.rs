//! The second decoders: memory-safe ones in the place of those that are C libraries (`--safe-decoders`).
//!
//! Whoever reads what an attacker packed may not want a C library to be the first that sees it. So what is inflated by
//! libdeflate, unpacked by libzstd, and unpacked by liblzma otherwise, is here done by zlib-rs, ruzstd and lzma-rust2.
//! They are slower. The same records come out of what is whole or cut; each decoder is the other's
//! oracle in the tests. They differ by nature where bytes are damaged:
//!
//! - libzstd gives nothing of the block in which the damage is, ruzstd what it made before it;
//! - liblzma can be told to read on behind a wrong check, lzma-rust2 not: a wrong check in xz ends the stream, and is
//!   damage instead of odd;
//! - within a chunk of LZMA the two notice damage at other places;
//! - of several filters one behind the other in xz, lzma-rust2 knows one.
//!
//! bzip2, lz4, Brotli, deflate64 and PPMd have only ever been read in Rust.

use std::io::{self, BufRead, Read};

use lzma_rust2::{Action, LzmaReader, LzmaStream, Status, XzReader, XzStream};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::blob::Decoders;

/// The largest window of a reader that is not told another: what libzstd takes too.
const ZSTD_WINDOW: u64 = 128 << 20;
/// Bytes that are unpacked before they are given.
const PIECE: usize = 128 << 10;
/// The last block of a frame, with nothing in it (RFC 8878, 3.1.1.2).
const LAST_BLOCK: [u8; 3] = [1, 0, 0];

/// A reader that may go to another thread.
pub type Reader<'a> = Box<dyn Read + Send + 'a>;

// ---------------------------------------------------------------------------------------------------------------
// zstd

/// Reads zstd frames one behind the other. `None` where there is no memory for a decoder.
pub fn zstd<'a>(input: impl BufRead + Send + 'a, decoders: Decoders) -> Option<Reader<'a>> {
    Some(match decoders {
        Decoders::Fast => Box::new(::zstd::stream::read::Decoder::with_buffer(input).ok()?),
        Decoders::Safe => Box::new(ZstdReader::new(input)),
    })
}

/// Reads frames by ruzstd.
struct ZstdReader<R> {
    input: R,
    decoder: FrameDecoder,
    is_in_frame: bool,
    /// What ended the reading, told when all that came before it was given.
    failed: Option<io::Error>,
}

impl<R: BufRead> ZstdReader<R> {
    fn new(input: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW);
        Self {
            input,
            decoder,
            is_in_frame: false,
            failed: None,
        }
    }

    /// Begins the next frame. `false` where there is none.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.input) {
                Ok(()) => {
                    self.is_in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(
                        &mut (&mut self.input).take(u64::from(length)),
                        &mut io::sink(),
                    )?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    fn fail(&mut self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) {
        self.failed = Some(io::Error::other(error));
        release(&mut self.decoder);
    }
}

/// Lets a decoder give what it holds back to look at, since nothing follows.
fn release(decoder: &mut FrameDecoder) {
    let strategy = BlockDecodingStrategy::UptoBlocks(1);
    let _ = decoder.decode_blocks(&LAST_BLOCK[..], strategy);
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.is_in_frame {
                let made = self.decoder.read(buffer)?;
                if made > 0 {
                    return Ok(made);
                }
            }
            if let Some(error) = self.failed.take() {
                self.is_in_frame = false;
                return Err(error);
            }
            if !self.is_in_frame {
                if !self.begin()? {
                    return Ok(0);
                }
            } else if self.decoder.is_finished() {
                self.is_in_frame = false;
                let stated = self.decoder.get_checksum_from_data();
                if stated.is_some() && stated != self.decoder.get_calculated_checksum() {
                    return Err(io::Error::other("the checksum of the frame does not fit"));
                }
            } else {
                let strategy = BlockDecodingStrategy::UptoBytes(PIECE);
                if let Err(error) = self.decoder.decode_blocks(&mut self.input, strategy) {
                    self.fail(error);
                }
            }
        }
    }
}

/// One zstd frame at a time, that is fed its blocks part by part, as [`super::zstd`] does it.
pub struct ZstdFrame {
    decoder: FrameDecoder,
    /// The header of a block and what came of its content, or of the checksum.
    part: Vec<u8>,
    is_last: bool,
}

/// What came of feeding a frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Fed {
    /// There may be more.
    More,
    /// The frame ended.
    Ended,
    /// It ended, and its checksum does not fit.
    WrongChecksum,
    /// It is damaged.
    Corrupt,
}

impl Default for ZstdFrame {
    /// A decoder without a frame yet.
    fn default() -> Self {
        let mut decoder = FrameDecoder::new();
        // What the frame asks for was held against the limit before.
        decoder.set_max_window_size(u64::MAX);
        Self {
            decoder,
            part: Vec::new(),
            is_last: false,
        }
    }
}

impl ZstdFrame {
    /// Begins a frame with a header that states no checksum. `false` where that is damaged.
    pub fn begin(&mut self, header: &[u8]) -> bool {
        self.part.clear();
        self.is_last = false;
        self.decoder.init(header).is_ok()
    }

    /// Takes a piece of a block, or of the checksum behind the last one; gives how many bytes it took and made.
    pub fn feed(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize, Fed) {
        let wanted = self.wanted();
        let taken = input.len().min(wanted - self.part.len().min(wanted));
        self.part.extend_from_slice(&input[..taken]);
        let mut fed = Fed::More;
        if !self.part.is_empty() && self.part.len() == self.wanted() {
            fed = self.complete();
        }
        let made = self.decoder.read(output).unwrap_or(0);
        (taken, made, fed)
    }

    /// Gives what is held back, since nothing follows.
    pub fn drain(&mut self, output: &mut [u8]) -> usize {
        if !self.is_last {
            self.is_last = true;
            release(&mut self.decoder);
        }
        self.decoder.read(output).unwrap_or(0)
    }

    /// Bytes of the part that is being taken, as far as they are known.
    fn wanted(&self) -> usize {
        if self.is_last {
            return 4;
        }
        let Some([a, b, c]) = self.part.first_chunk() else {
            return 3;
        };
        let header = u32::from_le_bytes([*a, *b, *c, 0]);
        let is_repeated = header >> 1 & 3 == 1;
        3 + if is_repeated {
            1
        } else {
            (header >> 3) as usize
        }
    }

    fn complete(&mut self) -> Fed {
        let part = std::mem::take(&mut self.part);
        if self.is_last {
            let stated = part.first_chunk().map(|raw| u32::from_le_bytes(*raw));
            let fits = stated == self.decoder.get_calculated_checksum();
            return if fits { Fed::Ended } else { Fed::WrongChecksum };
        }
        let strategy = BlockDecodingStrategy::UptoBlocks(1);
        match self.decoder.decode_blocks(part.as_slice(), strategy) {
            Ok(is_last) => {
                self.is_last = is_last;
                Fed::More
            }
            Err(_) => Fed::Corrupt,
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------
// LZMA

/// Why a decoder of LZMA goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It wants more memory than it may have.
    Memory,
    /// A filter that is not known.
    Unsupported,
    /// A check does not fit.
    Check,
    /// Anything else.
    Corrupt,
}

/// A decoder that is fed piece by piece.
pub enum Lzma {
    /// The C library's.
    Library(liblzma::stream::Stream),
    /// Of `.xz` files.
    Xz(Box<XzStream>),
    /// Of `.lzma` files.
    Alone(Box<LzmaStream>),
}

impl Lzma {
    /// A decoder of one xz stream that takes up to `memory` bytes.
    pub fn safe_xz(memory: u64) -> Self {
        Lzma::Xz(Box::new(XzStream::new_mem_limit(false, kibibytes(memory))))
    }

    /// A decoder of a `.lzma` file that takes up to `memory` bytes.
    pub fn safe_alone(memory: u64) -> Self {
        Lzma::Alone(Box::new(LzmaStream::new_mem_limit(kibibytes(memory), None)))
    }

    /// Bytes taken so far.
    pub fn total_in(&self) -> u64 {
        match self {
            Lzma::Library(stream) => stream.total_in(),
            Lzma::Xz(stream) => stream.total_in(),
            Lzma::Alone(stream) => stream.total_in(),
        }
    }

    /// Bytes that were taken and are none of the stream, once it has ended.
    pub fn unused(&self) -> u64 {
        match self {
            Lzma::Library(_) | Lzma::Xz(_) => 0,
            Lzma::Alone(stream) => stream.unused_input().len() as u64,
        }
    }

    /// Bytes made so far.
    pub fn total_out(&self) -> u64 {
        match self {
            Lzma::Library(stream) => stream.total_out(),
            Lzma::Xz(stream) => stream.total_out(),
            Lzma::Alone(stream) => stream.total_out(),
        }
    }

    /// Decodes on; `true` at the end of the stream. No input means that none follows.
    ///
    /// # Errors
    /// The fault behind the bytes that were made.
    pub fn process(&mut self, input: &[u8], output: &mut [u8]) -> Result<bool, Fault> {
        let action = if input.is_empty() {
            Action::Finish
        } else {
            Action::Run
        };
        let result = match self {
            Lzma::Library(stream) => return library(stream, input, output),
            Lzma::Xz(stream) => stream.process(input, output, action),
            Lzma::Alone(stream) => stream.process(input, output, action),
        };
        match result {
            Ok(result) => Ok(result.status == Status::StreamEnd),
            Err(error) => match error.kind() {
                // The caller sees that nothing more comes. What misses its end is called damaged then as well.
                io::ErrorKind::UnexpectedEof => Ok(false),
                io::ErrorKind::InvalidData if input.is_empty() => Ok(false),
                io::ErrorKind::OutOfMemory => Err(Fault::Memory),
                io::ErrorKind::Unsupported => Err(Fault::Unsupported),
                _ if error.to_string().contains("block checksum") => Err(Fault::Check),
                _ => Err(Fault::Corrupt),
            },
        }
    }
}

fn library(
    stream: &mut liblzma::stream::Stream,
    input: &[u8],
    output: &mut [u8],
) -> Result<bool, Fault> {
    use liblzma::stream::{Action, Error, Status};
    match stream.process(input, output, Action::Run) {
        Ok(status) => Ok(status == Status::StreamEnd),
        Err(Error::MemLimit | Error::Mem) => Err(Fault::Memory),
        Err(Error::Options) => Err(Fault::Unsupported),
        Err(_) => Err(Fault::Corrupt),
    }
}

fn kibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes >> 10).unwrap_or(u32::MAX)
}

/// Reads the first xz stream.
pub fn xz<'a>(input: impl BufRead + Send + 'a, memory: u64, decoders: Decoders) -> Reader<'a> {
    match decoders {
        Decoders::Fast => Box::new(liblzma::bufread::XzDecoder::new(input)),
        Decoders::Safe => Box::new(XzReader::new_mem_limit(input, false, kibibytes(memory))),
    }
}

/// Reads what `.lzma` files hold, header and all. `None` where that cannot be.
pub fn alone<'a>(
    input: impl BufRead + Send + 'a,
    memory: u64,
    decoders: Decoders,
) -> Option<Reader<'a>> {
    Some(match decoders {
        Decoders::Fast => {
            let stream = liblzma::stream::Stream::new_lzma_decoder(memory).ok()?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(input, stream))
        }
        Decoders::Safe => {
            let mut reader = LzmaReader::new_mem_limit(input, kibibytes(memory), None).ok()?;
            reader.set_defer_errors(true);
            Box::new(reader)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::super::{Format, gzip, lzma, xz, zstd};
    use super::*;
    use crate::blob::Limits;

    type Pack = fn(&[u8]) -> Vec<u8>;

    fn cases() -> Vec<(Box<dyn Format>, Pack)> {
        fn runs_on(_: &[u8]) -> bool {
            false
        }
        vec![
            (Box::new(gzip::Gzip { runs_on }), |bytes| {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }),
            (Box::new(zstd::Zstd { runs_on }), |bytes| {
                let mut encoder = ::zstd::Encoder::new(Vec::new(), 3).unwrap();
                encoder.include_checksum(true).unwrap();
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }),
            (Box::new(xz::Xz { runs_on }), |bytes| {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }),
            (
                Box::new(lzma::Lzma {
                    is_candidate: |_| true,
                    runs_on,
                }),
                |bytes| {
                    let options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
                    let stream = liblzma::stream::Stream::new_lzma_encoder(&options).unwrap();
                    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
                    encoder.write_all(bytes).unwrap();
                    encoder.finish().unwrap()
                },
            ),
        ]
    }

    #[test]
    fn what_follows_the_one_stream_is_given_back() {
        let (format, pack) = cases().pop().expect("LZMA is the last");
        for trailing in 1..60 {
            let file = [pack(b"some text"), vec![b'x'; trailing]].concat();
            let (fast, safe) = both(format.as_ref(), &file, 1 << 20);
            assert_eq!(safe.members, fast.members, "{trailing}");
            assert_eq!(safe.members[1].1.len(), trailing);
        }
    }

    fn both(format: &dyn Format, file: &[u8], memory: u64) -> (Seen, Seen) {
        let with = |decoders| {
            let limits = Limits {
                decoders,
                memory,
                ..Limits::default()
            };
            walk(format, file, &limits).unwrap()
        };
        (with(Decoders::Fast), with(Decoders::Safe))
    }

    fn given(seen: &Seen) -> Vec<u8> {
        let members = seen.members.iter();
        members.flat_map(|(_, bytes)| bytes.clone()).collect()
    }

    /// Text that compresses about as real text does, over several blocks and a window.
    fn text(len: usize, seed: u32) -> Vec<u8> {
        let mut text = Vec::new();
        let mut number = seed | 1;
        while text.len() < len {
            number = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
            text.extend(format!("line {} of {}\n", number >> 20, number >> 8 & 0xff).bytes());
        }
        text.truncate(len);
        text
    }

    #[test]
    fn whole_and_cut_streams_give_the_same() {
        let content = text(900_000, 7);
        for (format, pack) in cases() {
            let whole = pack(&content);
            let two = [whole.clone(), pack(b"the second"), b"and a tail".to_vec()].concat();
            for memory in [20_000, 1 << 30] {
                for file in [&whole, &two] {
                    let (fast, safe) = both(format.as_ref(), file, memory);
                    assert!(fast == safe, "{}", format.name());
                    assert!(given(&safe).starts_with(&content), "{}", format.name());
                }
                for parts in 1..8 {
                    let cut = &whole[..whole.len() * parts / 8];
                    let (fast, safe) = both(format.as_ref(), cut, memory);
                    assert_eq!(fast.codes, safe.codes, "{}", format.name());
                    assert_eq!(fast.effects, safe.effects, "{}", format.name());
                    let (fast, safe) = (given(&fast), given(&safe));
                    let short = fast.len().min(safe.len());
                    assert!(content.starts_with(&fast) && content.starts_with(&safe));
                    // What the input holds of a last symbol is noticed a little sooner or later.
                    let apart = fast.len().max(safe.len()) - short;
                    assert!(apart <= 300, "{}: {apart} bytes", format.name());
                }
            }
        }
    }

    /// Wrong checks: the bytes are there either way.
    #[test]
    fn wrong_checks_are_said() {
        let content = text(300_000, 9);
        for (format, pack) in cases().into_iter().take(3) {
            let mut file = pack(&content);
            // gzip: the checksum before the length. zstd: at the end. xz: before an index of 8 and a footer of 12 bytes.
            let back = match format.name() {
                "gzip" => 8,
                "zstd" => 4,
                _ => 12 + 8 + 8,
            };
            let at = file.len() - back;
            file[at] ^= 1;
            let (fast, safe) = both(format.as_ref(), &file, 1 << 30);
            assert_eq!(given(&fast), content, "{}", format.name());
            assert_eq!(given(&safe), content, "{}", format.name());
            assert_eq!(fast.codes, ["checksum-mismatch"], "{}", format.name());
            assert_eq!(safe.codes, ["checksum-mismatch"], "{}", format.name());
        }
    }

    #[test]
    fn readers_give_the_same() {
        let content = text(400_000, 3);
        let packed = ::zstd::encode_all(&content[..], 3).unwrap();
        let skippable = [
            &0x184d_2a5e_u32.to_le_bytes()[..],
            &3_u32.to_le_bytes(),
            b"abc",
        ]
        .concat();
        let file = [packed.clone(), skippable, packed.clone()].concat();
        for file in [
            &file[..],
            &packed[..packed.len() / 2],
            &[packed.clone(), b"tail".to_vec()].concat(),
        ] {
            let read = |decoders| {
                let mut bytes = Vec::new();
                let result = super::zstd(file, decoders).unwrap().read_to_end(&mut bytes);
                (bytes, result.is_ok())
            };
            let (fast, safe) = (read(Decoders::Fast), read(Decoders::Safe));
            assert_eq!(fast.1, safe.1);
            assert!(safe.0.starts_with(&fast.0) && safe.0.len() < 2 * content.len() + 1);
        }
        let frame = [&packed[..], b"behind"].concat();
        assert_eq!(super::super::zstd::frame_len(&frame), Some(packed.len()));
        assert_eq!(
            super::super::zstd::frame_len(&frame[..packed.len() - 1]),
            None
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn each_is_the_others_oracle(len in 1..30_000_usize, seed in any::<u32>()) {
            for (format, pack) in cases() {
                let content = text(len, seed);
                let (fast, safe) = both(format.as_ref(), &pack(&content), 1 << 30);
                prop_assert_eq!(&given(&safe), &content, "{}", format.name());
                prop_assert!(fast == safe, "{}", format.name());
            }
        }

        /// Equal up to where both give something, and neither calls damage whole that the other sees.
        #[test]
        fn damage_is_seen_by_both(len in 1..30_000_usize, seed in any::<u32>(), share in 0.0..1.0_f64, bit in 0..8_u8) {
            for (format, pack) in cases() {
                let content = text(len, seed);
                let mut file = pack(&content);
                let at = (file.len() as f64 * share) as usize;
                file[at] ^= 1 << bit;
                if !format.recognise(&file) {
                    continue;
                }
                let (fast, safe) = both(format.as_ref(), &file, 1 << 30);
                let (one, other) = (given(&fast), given(&safe));
                let same = one.len().min(other.len());
                // Without a checksum, or behind a wrong one, the same bytes decode to the same.
                prop_assert!(one[..same] == other[..same] || fast.members.len() != safe.members.len(), "{}", format.name());
                prop_assert_eq!(fast.codes.is_empty(), safe.codes.is_empty(), "{} {:?} {:?}", format.name(), fast.codes, safe.codes);
            }
        }
    }
}
