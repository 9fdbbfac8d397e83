//! LZMA alone: the `.lzma` files of before xz.
//!
//! They have no magic and no checksum, only a header of 13 bytes (lzma-file-format, section 1): properties, size of
//! the dictionary, size of the content. It counts as one only where every field is as compressors write it, and where
//! the first bytes can be decoded; the arithmetic of LZMA stumbles soon over what is something else.

use std::io::Read as _;

use liblzma::stream::Stream;
use lzma_rust2::LzmaReader;

use super::safe::Lzma as Decoder;
use super::stream::{self, Codec, Notes, Packed, RunsOn, Step};
use super::{Format, Input, Trouble, Walker, xz};
use crate::blob::{Decoders, Limits};

/// Properties, size of the dictionary, size of the content (1.1).
const HEADER: usize = 13;
/// Smallest dictionary that compressors use.
const DICTIONARY_MIN: u32 = 4 << 10;
/// Contents larger than this are not believed; the reference decoder draws the same line.
const SIZE_MAX: u64 = 256 << 30;
/// So many bytes of content are decoded to tell.
const TRIAL: usize = 512;
/// Memory for a trial, in KiB: what is decoded then looks back on nothing further.
const TRIAL_MEMORY: u32 = 1 << 10;

/// The format of `.lzma` files.
pub struct Lzma {
    /// Whether this may be something without a magic of its own: no text, and nothing known.
    pub is_candidate: fn(&[u8]) -> bool,
    /// Whether content that begins like this runs on, tars apart.
    pub runs_on: RunsOn,
}

impl Format for Lzma {
    fn name(&self) -> &'static str {
        LzmaCodec::KIND
    }

    fn recognise(&self, head: &[u8]) -> bool {
        is_header(head) && (self.is_candidate)(head) && decodes(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let codec = LzmaCodec {
            decoder: None,
            window: limits.window(),
            decoders: limits.decoders,
            is_done: false,
        };
        Ok(stream::open(&input, codec, self.runs_on, limits))
    }
}

/// Whether this is a header as compressors write it, with the zero that the range coder begins with behind it.
fn is_header(head: &[u8]) -> bool {
    let (Some(header), Some(0)) = (head.first_chunk::<HEADER>(), head.get(HEADER)) else {
        return false;
    };
    let [properties, d0, d1, d2, d3, size @ ..] = *header;
    let (lc, lp) = (properties % 9, properties / 9 % 5);
    let dictionary = u32::from_le_bytes([d0, d1, d2, d3]);
    let size = u64::from_le_bytes(size);
    properties < 9 * 5 * 5
        && lc + lp <= 4
        && dictionary >= DICTIONARY_MIN
        // A power of two, or one and a half of it, or all that there is.
        && (dictionary == u32::MAX || dictionary.count_ones() == 1 || is_one_and_a_half(dictionary))
        && (size == u64::MAX || (1..SIZE_MAX).contains(&size))
}

fn is_one_and_a_half(number: u32) -> bool {
    number.count_ones() == 2 && number & number >> 1 != 0
}

/// Whether the first bytes of the content can be decoded.
fn decodes(head: &[u8]) -> bool {
    let Some(header) = head.first_chunk::<HEADER>() else {
        return false;
    };
    // The declared dictionary would be allocated; nothing that is decoded here looks back further than this.
    let mut trial = *header;
    trial[1..5].copy_from_slice(&DICTIONARY_MIN.to_le_bytes());
    // By the memory-safe decoder in any case: nearly everything that comes here is something else.
    let input = trial.as_slice().chain(&head[HEADER..]);
    let Ok(mut decoder) = LzmaReader::new_mem_limit(input, TRIAL_MEMORY, None) else {
        return false;
    };
    decoder.set_defer_errors(true);
    let (mut output, mut made) = ([0; TRIAL], 0);
    let ended = loop {
        match decoder.read(&mut output[made..]) {
            Ok(0) => break made < TRIAL,
            Ok(more) => made += more,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break false,
            Err(_) => return false,
        }
        if made == TRIAL {
            break false;
        }
    };
    // Cut content has to give something at least.
    (ended && made > 0) || made >= TRIAL / 8
}

/// Decodes the one stream of a `.lzma` file.
pub struct LzmaCodec {
    decoder: Option<Decoder>,
    window: u64,
    decoders: Decoders,
    is_done: bool,
}

impl Codec for LzmaCodec {
    const KIND: &'static str = "lzma";
    const TAR: &'static str = "tar.lzma";
    const CPIO: &'static str = "cpio.lzma";

    /// There is one; what follows it is told by its own content.
    fn find(&mut self, packed: &mut Packed, _notes: &mut Notes) -> bool {
        let is_first = packed.position() == 0;
        packed.skip_zeros();
        if is_first {
            // The properties may be zero.
            packed.go_to(0);
        }
        is_first
    }

    fn decode(&mut self, packed: &mut Packed, output: &mut [u8], _notes: &mut Notes) -> Step {
        if self.decoder.is_none() && !self.is_done {
            let memory = self.window.saturating_add(xz::OWN_MEMORY);
            self.decoder = match self.decoders {
                Decoders::Fast => Stream::new_lzma_decoder(memory).ok().map(Decoder::Library),
                Decoders::Safe => Some(Decoder::safe_alone(memory)),
            };
        }
        let Some(decoder) = &mut self.decoder else {
            let trouble = stream::window_too_large(packed, Self::KIND, None, self.window);
            return Step::Broken(0, trouble);
        };
        let step = xz::run(decoder, packed, Self::KIND, output, self.window);
        if !matches!(step, Step::More(_)) {
            self.decoder = None;
            self.is_done = true;
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_those_that_compressors_write() {
        let header = |properties: u8, dictionary: u32, size: u64, next: u8| {
            let mut head = vec![properties];
            head.extend(dictionary.to_le_bytes());
            head.extend(size.to_le_bytes());
            head.push(next);
            is_header(&head)
        };
        for dictionary in [1 << 12, 1 << 23, 3 << 20, u32::MAX] {
            assert!(header(0x5d, dictionary, u64::MAX, 0), "{dictionary}");
        }
        for dictionary in [0, 1 << 11, 5 << 20, (1 << 20) + 1] {
            assert!(!header(0x5d, dictionary, u64::MAX, 0), "{dictionary}");
        }
        assert!(header(0, 1 << 16, 1, 0));
        assert!(!header(225, 1 << 16, 1, 0));
        // Four literal bits at most in all.
        assert!(!header(8 + 9, 1 << 16, 1, 0));
        assert!(!header(0x5d, 1 << 16, SIZE_MAX, 0));
        assert!(!header(0x5d, 1 << 16, 0, 0));
        assert!(!header(0x5d, 1 << 16, 1, 1));
    }

    #[test]
    fn a_header_before_something_else_is_not_enough() {
        let mut random = 88_172_645_463_325_252_u64;
        let mut claimed = 0;
        for _ in 0..2_000 {
            let mut head = vec![0x5d, 0, 0, 0x80, 0];
            head.extend([0xff; 8]);
            head.push(0);
            for _ in 0..1_000 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                head.push(random as u8);
            }
            claimed += u32::from(decodes(&head));
        }
        assert!(claimed < 20, "{claimed} of 2000");
    }
}
