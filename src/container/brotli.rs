//! Brotli (RFC 7932).
//!
//! A Brotli stream has no magic, no checksum and no length: nearly any bytes begin as one. So it is told by trial, and
//! the trial is a function of the first bytes of the content alone, [`LOOK`] of them. A candidate is content that no
//! other format claims and that is neither text nor any known kind. It counts as a stream where
//!
//! - the first bytes that come out are text, or of a known kind; and
//! - all of the content is decoded, to its last byte, where it is short; or it goes on without fault, and comes out
//!   larger than it goes in, where it is long. Plain bytes behind a length, which Brotli can be made of too, do not grow.
//!
//! A long stream is therefore opened also where it is cut or damaged further on. One that is cut and short is not: it
//! cannot be told from chance. Most other content fails within the first bytes, which costs a few microseconds.
//!
//! The window has at most 16 MiB; the extension for larger ones is not accepted.

use std::panic::{AssertUnwindSafe, catch_unwind};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::stream::{self, Codec, Notes, Packed, RunsOn, Step, Then};
use super::{Format, Input, Trouble, Walker};
use crate::blob::Limits;

/// Bytes of the content that a trial looks at.
pub const LOOK: usize = 64 << 10;
/// A trial ends when so many bytes came out.
const LOOK_OUT: usize = 1 << 20;
/// So many bytes that come out first are held against what is known.
const HEAD: usize = 512;
/// Content that comes out shorter than this cannot be told from chance.
const OUT_MIN: usize = 48;
/// A stream that does not end within the trial has to grow at least by a fourth.
const GROWTH: (usize, usize) = (5, 4);
/// Input is fed in pieces of this size: what a piece makes is lost where it holds damage, and in a trial it is made for
/// nothing where it is no stream.
const PIECE: usize = 2 << 10;
/// Room for output in a trial.
const OUTPUT: usize = 8 << 10;

/// The Brotli format.
pub struct Brotli {
    /// Whether this may be something without a magic of its own: no text, and nothing known.
    pub is_candidate: fn(&[u8]) -> bool,
    /// Whether content that begins so is text or of a known kind.
    pub is_known: fn(&[u8]) -> bool,
    /// Whether content that begins like this runs on, tars apart.
    pub runs_on: RunsOn,
}

impl Format for Brotli {
    fn name(&self) -> &'static str {
        BrotliCodec::KIND
    }

    fn recognise(&self, head: &[u8]) -> bool {
        // Compressed bytes are not plain ASCII for long, and nearly all content is.
        let start = &head[..head.len().min(32)];
        let is_plain = start.iter().all(|byte| matches!(byte, 1..=0x7f));
        // A fault of the decoder with this content keeps it from being opened, and from nothing else.
        !is_plain
            && (self.is_candidate)(head)
            && catch_unwind(AssertUnwindSafe(|| self.decodes(head))).unwrap_or(false)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let codec = BrotliCodec { state: None };
        Ok(stream::open(&input, codec, self.runs_on, limits))
    }
}

impl Brotli {
    /// The trial.
    fn decodes(&self, head: &[u8]) -> bool {
        let is_long = head.len() >= LOOK;
        let mut state = new_state();
        let mut output = vec![0; OUTPUT];
        let (mut taken, mut made) = (0, 0);
        let mut first = Vec::new();
        for piece in head[..head.len().min(LOOK)].chunks(PIECE) {
            let mut input = piece;
            loop {
                let (took, gave, result) = decode(&mut state, input, &mut output);
                input = &input[took..];
                taken += took;
                made += gave;
                if first.len() < HEAD {
                    first.extend_from_slice(&output[..gave.min(HEAD)]);
                    let is_enough =
                        first.len() >= HEAD || matches!(result, BrotliResult::ResultSuccess);
                    if is_enough && !(self.is_known)(&first) {
                        return false;
                    }
                }
                match result {
                    BrotliResult::ResultFailure => return false,
                    BrotliResult::ResultSuccess => {
                        return taken == head.len() && made >= OUT_MIN;
                    }
                    // What it has made it gives in as many calls as it takes.
                    _ if gave == 0 && input.is_empty() => break,
                    _ if gave == 0 && took == 0 => return false,
                    _ if made >= LOOK_OUT => return has_grown(taken, made),
                    _ => {}
                }
            }
        }
        is_long && first.len() >= HEAD && has_grown(taken, made)
    }
}

fn has_grown(taken: usize, made: usize) -> bool {
    made * GROWTH.1 >= taken * GROWTH.0
}

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

fn new_state() -> Box<State> {
    Box::new(BrotliState::new_strict(
        StandardAlloc::default(),
        StandardAlloc::default(),
        StandardAlloc::default(),
    ))
}

/// Bytes taken, bytes made, and how it goes on.
fn decode(state: &mut State, input: &[u8], output: &mut [u8]) -> (usize, usize, BrotliResult) {
    let (mut left, mut taken) = (input.len(), 0);
    let (mut room, mut made, mut total) = (output.len(), 0, 0);
    let result = BrotliDecompressStream(
        &mut left, &mut taken, input, &mut room, &mut made, output, &mut total, state,
    );
    (taken, made, result)
}

/// What the stream at the front of `body` unfolds to, how many bytes it takes, and whether it ends well. Stops once
/// there are more than `most` bytes.
pub(super) fn unfold(body: &[u8], most: u64) -> (Vec<u8>, usize, bool) {
    let mut state = new_state();
    let (mut bytes, mut at) = (Vec::new(), 0);
    let mut output = vec![0; OUTPUT];
    loop {
        let (taken, made, result) = decode(&mut state, &body[at..], &mut output);
        at += taken;
        bytes.extend_from_slice(&output[..made]);
        let is_idle = taken == 0 && made == 0;
        match result {
            BrotliResult::ResultSuccess => return (bytes, at, true),
            BrotliResult::ResultFailure => return (bytes, at, false),
            _ if is_idle || bytes.len() as u64 > most => return (bytes, at, false),
            _ => {}
        }
    }
}

/// Decodes the one stream of a Brotli file.
pub struct BrotliCodec {
    state: Option<Box<State>>,
}

impl Codec for BrotliCodec {
    const KIND: &'static str = "brotli";
    const TAR: &'static str = "tar.br";
    const CPIO: &'static str = "cpio.br";

    /// There is one; what follows it is told by its own content.
    fn find(&mut self, packed: &mut Packed, _notes: &mut Notes) -> bool {
        packed.position() == 0
    }

    fn decode(&mut self, packed: &mut Packed, output: &mut [u8], _notes: &mut Notes) -> Step {
        let state = self.state.get_or_insert_with(new_state);
        stream::run(packed, Self::KIND, output, |input, output| {
            let input = &input[..input.len().min(PIECE)];
            let (taken, made, result) = decode(state, input, output);
            let then = match result {
                BrotliResult::ResultSuccess => Then::End,
                BrotliResult::ResultFailure => Then::Corrupt,
                _ => Then::More,
            };
            (taken, made, then)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::walk;

    const FORMAT: Brotli = Brotli {
        is_candidate: |_| true,
        is_known: |head| std::str::from_utf8(head).is_ok(),
        runs_on: |_| false,
    };
    const TEXT: &[u8] =
        b"'use strict';var a=require('a');var b=require('b');module.exports={a,b};\n";
    /// [`TEXT`], packed by the reference encoder at its highest quality.
    const PACKED: [u8; 67] = [
        0x1b, 0x48, 0x00, 0xf8, 0x8d, 0xd4, 0x60, 0xad, 0x30, 0xcb, 0xe9, 0xdc, 0x52, 0xa5, 0x5d,
        0x37, 0x67, 0x28, 0x8c, 0x16, 0x8e, 0x33, 0x58, 0x01, 0x93, 0xb3, 0x14, 0xec, 0x60, 0x03,
        0x8e, 0x73, 0x5b, 0x61, 0x9d, 0x64, 0xc0, 0x41, 0xfc, 0x16, 0xc1, 0x8b, 0x50, 0x70, 0xf1,
        0xe0, 0xe6, 0x96, 0xac, 0x38, 0xab, 0xa0, 0x19, 0x42, 0xeb, 0x36, 0x10, 0x1d, 0x11, 0xc7,
        0x6d, 0xe6, 0x3f, 0xf6, 0x38, 0xfc, 0x2b,
    ];

    #[test]
    fn a_stream_is_known_by_its_exact_end() {
        assert!(FORMAT.recognise(&PACKED));
        let seen = walk(&FORMAT, &PACKED, &Limits::default()).unwrap();
        assert_eq!(seen.members, [(String::new(), TEXT.to_vec())]);
        assert_eq!(seen.codes, [""; 0]);
        assert!(!FORMAT.recognise(&PACKED[..66]));
        assert!(!FORMAT.recognise(&[&PACKED[..], b"\x80"].concat()));
        assert!(!FORMAT.recognise(b"\x06"));
        assert!(!FORMAT.recognise(b""));
    }

    #[test]
    fn damage_anywhere_is_survived() {
        for at in 0..PACKED.len() {
            for bit in 0..8 {
                let mut broken = PACKED;
                broken[at] ^= 1 << bit;
                for file in [&broken[..], &PACKED[..at]] {
                    let seen = walk(&FORMAT, file, &Limits::default()).unwrap();
                    assert!(seen.members.len() <= 2);
                }
                let cut = walk(&FORMAT, &PACKED[..at], &Limits::default()).unwrap();
                assert!(cut.members.iter().all(|(_, got)| TEXT.starts_with(got)));
                assert!(at == 0 || cut.codes == ["truncated"]);
            }
        }
    }

    /// Text behind a length reads as a stream that is not compressed, if the length is right: it does not grow.
    #[test]
    fn plain_bytes_behind_a_length_are_none() {
        // A window of 2^16, no last part, six half bytes of length, stored (9.2).
        let length = (1 << 24) - 1_u32;
        let header = 2 << 2 | u64::from(length) << 4 | 1 << 28;
        let mut file = header.to_le_bytes()[..4].to_vec();
        let text = b"plain text\n".iter().copied().cycle();
        file.extend(text.take(3 << 20));
        let mut state = new_state();
        let (_, made, _) = decode(&mut state, &file, &mut [0; 100]);
        assert_eq!(made, 100, "the decoder takes it for a stream");
        assert!(!FORMAT.recognise(&file));
    }

    #[test]
    fn chance_is_not_taken_for_a_stream() {
        let mut random = 88_172_645_463_325_252_u64;
        for round in 0..20_000_usize {
            let bytes: Vec<u8> = (0..1 + round % 700)
                .map(|_| {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    random as u8
                })
                .collect();
            assert!(!FORMAT.recognise(&bytes), "{bytes:?}");
        }
    }
}
