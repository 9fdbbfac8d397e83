//! The decoders of a 7z block, put together as its coders are.

use std::io::{BufReader, Read, Take};

use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::bcj2::Bcj2Reader;
use lzma_rust2::filter::delta::DeltaReader;
use lzma_rust2::{Lzma2Reader, LzmaReader};

use super::header::{Block, Coder, Source, Streams};
use crate::blob::Decoders;
use crate::container::feed::Input;
use crate::container::{Trouble, safe};

/// Where packed streams are counted from.
pub const STREAMS_AT: u64 = 32;
/// The smallest dictionary that LZMA has.
const DICTIONARY_MIN: u64 = 4 << 10;

/// Bytes of a block, unpacked.
pub type Decoder = Box<dyn Read + Send>;

/// Puts the decoders of a block together; its content is what they give, and ends where that does.
///
/// # Errors
/// The trouble that keeps it from being unpacked: encryption, a method that is not known, or one that needs more
/// memory than `window` bytes.
pub fn open(
    input: &Input,
    streams: &Streams,
    block: &Block,
    window: u64,
    decoders: Decoders,
) -> Result<Take<Decoder>, Trouble> {
    let opened = Opening {
        input,
        streams,
        block,
        window,
        decoders,
    };
    let main = block.coders.get(block.main).map_or(0, |coder| coder.size);
    Ok(opened.coder(block.main, block.coders.len())?.take(main))
}

struct Opening<'a> {
    input: &'a Input,
    streams: &'a Streams,
    block: &'a Block,
    window: u64,
    decoders: Decoders,
}

impl Opening<'_> {
    /// The coder of this number, in a chain that may have so many more.
    fn coder(&self, index: usize, left: usize) -> Result<Decoder, Trouble> {
        let (Some(coder), Some(left)) = (self.block.coders.get(index), left.checked_sub(1)) else {
            return Err(unsupported("coders that read each other"));
        };
        let first: usize = self.block.coders[..index]
            .iter()
            .map(|coder| coder.inputs)
            .sum();
        let sources = self
            .block
            .sources
            .get(first..first + coder.inputs)
            .unwrap_or_default();
        let mut inputs = sources
            .iter()
            .map(|source| self.source(*source, left))
            .collect::<Result<Vec<_>, _>>()?;
        if coder.id == [3, 3, 1, 0x1b] && inputs.len() == 4 {
            return Ok(Box::new(Bcj2Reader::new(inputs, coder.size)));
        }
        match (inputs.pop(), inputs.is_empty()) {
            (Some(input), true) => self.simple(coder, input),
            _ => Err(unsupported(
                "a coder with another number of inputs than it has",
            )),
        }
    }

    fn source(&self, source: Source, left: usize) -> Result<Decoder, Trouble> {
        match source {
            Source::Coder(index) => {
                let size = self.block.coders.get(index).map_or(0, |coder| coder.size);
                Ok(Box::new(self.coder(index, left)?.take(size)))
            }
            Source::Packed(index) => {
                let (at, len) = self.streams.packed.get(index).copied().unwrap_or_default();
                let reader = self.input.reader(STREAMS_AT.saturating_add(at)).take(len);
                Ok(Box::new(BufReader::with_capacity(64 << 10, reader)))
            }
        }
    }

    fn simple(&self, coder: &Coder, input: Decoder) -> Result<Decoder, Trouble> {
        let buffered = |input| BufReader::new(input);
        Ok(match coder.id.as_slice() {
            [] | [0] => input,
            [3, 1, 1] => self.lzma1(coder, input)?,
            [0x21] => self.lzma2(coder, input)?,
            [3, 4, 1] => self.ppmd(coder, input)?,
            [4, 1, 8] => Box::new(flate2::bufread::DeflateDecoder::new(buffered(input))),
            [4, 1, 9] => Box::new(deflate64::Deflate64Decoder::with_buffer(buffered(input))),
            [4, 2, 2] => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(input))),
            [4, 0xf7, 0x11, 1] => match safe::zstd(buffered(input), self.decoders) {
                Some(decoder) => decoder,
                None => return Err(unsupported("zstd")),
            },
            [3] => {
                let distance = coder
                    .properties
                    .first()
                    .map_or(1, |byte| usize::from(*byte) + 1);
                Box::new(DeltaReader::new(input, distance))
            }
            [4] | [3, 3, 1, 3] => Box::new(BcjReader::new_x86(input, 0)),
            [5] | [3, 3, 2, 5] => Box::new(BcjReader::new_ppc(input, 0)),
            [6] | [3, 3, 4, 1] => Box::new(BcjReader::new_ia64(input, 0)),
            [7] | [3, 3, 5, 1] => Box::new(BcjReader::new_arm(input, 0)),
            [8] | [3, 3, 7, 1] => Box::new(BcjReader::new_arm_thumb(input, 0)),
            [9] | [3, 3, 8, 5] => Box::new(BcjReader::new_sparc(input, 0)),
            [0xa] => Box::new(BcjReader::new_arm64(input, 0)),
            [0xb] => Box::new(BcjReader::new_riscv(input, 0)),
            [6, 0xf1, 7, ..] => {
                return Err(Trouble::skipped(
                    "encrypted",
                    "the block of the 7z archive is encrypted and was not read; unpack it with its password and scan the result",
                    None,
                ));
            }
            id => {
                return Err(unsupported(&format!(
                    "method {}",
                    crate::blob::digest::hex(id)
                )));
            }
        })
    }

    /// A dictionary larger than what there is to look back on is never looked at.
    fn dictionary(&self, stated: u64, coder: &Coder) -> Result<u64, Trouble> {
        let needed = stated.min(coder.size).max(DICTIONARY_MIN);
        if needed > self.window {
            return Err(too_large(needed, self.window));
        }
        Ok(needed)
    }

    fn lzma1(&self, coder: &Coder, input: Decoder) -> Result<Decoder, Trouble> {
        let Some(&[first, a, b, c, d]) = coder.properties.first_chunk() else {
            return Err(unsupported("LZMA without its settings"));
        };
        let stated = u32::from_le_bytes([a, b, c, d]);
        let size = self.dictionary(u64::from(stated), coder)? as u32;
        if self.decoders == Decoders::Safe {
            let mut reader = LzmaReader::new_with_props(input, coder.size, first, size, None)
                .map_err(|_| unsupported("LZMA with these settings"))?;
            reader.set_defer_errors(true);
            return Ok(Box::new(reader));
        }
        let [a, b, c, d] = size.to_le_bytes();
        let mut filters = liblzma::stream::Filters::new();
        filters
            .lzma1_properties(&[first, a, b, c, d])
            .map_err(|_| unsupported("LZMA with these settings"))?;
        raw(&filters, input)
    }

    fn lzma2(&self, coder: &Coder, input: Decoder) -> Result<Decoder, Trouble> {
        // 2 or 3 times a power of two, from 4 KiB to 4 GiB.
        let size = |bits: u8| (2 | u64::from(bits & 1)) << (bits / 2 + 11);
        let stated = coder.properties.first().copied().filter(|bits| *bits <= 40);
        let stated = stated.ok_or_else(|| unsupported("LZMA2 with these settings"))?;
        let needed = self.dictionary(size(stated), coder)?;
        let bits = (0..=stated)
            .find(|bits| size(*bits) >= needed)
            .unwrap_or(stated);
        if self.decoders == Decoders::Safe {
            let size = u32::try_from(size(bits)).unwrap_or(u32::MAX);
            return Ok(Box::new(Lzma2Reader::new(input, size, None)));
        }
        let mut filters = liblzma::stream::Filters::new();
        filters
            .lzma2_properties(&[bits])
            .map_err(|_| unsupported("LZMA2 with these settings"))?;
        raw(&filters, input)
    }

    fn ppmd(&self, coder: &Coder, input: Decoder) -> Result<Decoder, Trouble> {
        let Some(&[order, a, b, c, d]) = coder.properties.first_chunk() else {
            return Err(unsupported("PPMd without its settings"));
        };
        let memory = u32::from_le_bytes([a, b, c, d]);
        if u64::from(memory) > self.window {
            return Err(too_large(u64::from(memory), self.window));
        }
        ppmd_rust::Ppmd7Decoder::new(input, u32::from(order), memory)
            .map(|decoder| Box::new(decoder) as Decoder)
            .map_err(|_| unsupported("PPMd with these settings"))
    }
}

fn raw(filters: &liblzma::stream::Filters, input: Decoder) -> Result<Decoder, Trouble> {
    let stream = liblzma::stream::Stream::new_raw_decoder(filters)
        .map_err(|_| unsupported("LZMA with these settings"))?;
    let input = BufReader::with_capacity(64 << 10, input);
    Ok(Box::new(liblzma::bufread::XzDecoder::new_stream(
        input, stream,
    )))
}

fn unsupported(what: &str) -> Trouble {
    Trouble::skipped(
        "unsupported",
        format!(
            "the block of the 7z archive is packed by {what}, which is not supported; unpack it elsewhere and scan the result"
        ),
        None,
    )
}

fn too_large(needed: u64, window: u64) -> Trouble {
    Trouble::skipped(
        "memory-limit",
        format!(
            "the block of the 7z archive looks back on {needed} bytes; {window} are allowed, raise --memory"
        ),
        None,
    )
}
