//! zlib (RFC 1950): DEFLATE in two bytes of header and a checksum.
//!
//! Two bytes are weak evidence, so content counts as such a stream only where its beginning can be inflated: all of it
//! where it is short, its checksum included, else the first kilobyte. What happens to be inflated that far by chance
//! is less likely than damage is. Streams that need a dictionary cannot be tried and are not recognised.

use flate2::{Decompress, FlushDecompress, Status};

use super::stream::{self, Codec, Notes, Packed, RunsOn, Step, Then};
use super::{Format, Input, Trouble, Walker};
use crate::blob::Limits;

/// Method and flags (2.2).
const HEADER: usize = 2;
/// So many bytes of content are inflated to tell.
const TRIAL: usize = 1 << 10;
/// A stream that is cut before that must give at least so many.
const CUT_MIN: usize = 64;

/// The zlib format.
pub struct Zlib {
    /// Whether this may be something without a magic of its own: no text, and nothing known.
    pub is_candidate: fn(&[u8]) -> bool,
    /// Whether content that begins like this runs on, tars apart.
    pub runs_on: RunsOn,
}

impl Format for Zlib {
    fn name(&self) -> &'static str {
        ZlibCodec::KIND
    }

    fn recognise(&self, head: &[u8]) -> bool {
        is_header(head) && (self.is_candidate)(head) && inflates(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let codec = ZlibCodec {
            inflater: Decompress::new(false),
            sum: Adler::default(),
            in_body: false,
        };
        Ok(stream::open(&input, codec, self.runs_on, limits))
    }
}

/// Method 8, a window of up to 32 KiB, no dictionary, and the check of both bytes (2.2).
fn is_header(head: &[u8]) -> bool {
    let Some(&[method, flags]) = head.first_chunk::<HEADER>() else {
        return false;
    };
    method & 15 == 8
        && method >> 4 <= 7
        && flags & 0x20 == 0
        && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

/// Whether the beginning can be inflated.
fn inflates(head: &[u8]) -> bool {
    let mut inflater = Decompress::new(false);
    let mut output = [0; TRIAL];
    let result = inflater.decompress(&head[HEADER..], &mut output, FlushDecompress::None);
    let made = inflater.total_out() as usize;
    match result {
        Ok(Status::StreamEnd) => {
            let mut sum = Adler::default();
            sum.update(&output[..made]);
            let stated = head.get(HEADER + inflater.total_in() as usize..);
            match stated.and_then(|stated| stated.first_chunk()) {
                Some(stated) => made > 0 && u32::from_be_bytes(*stated) == sum.finish(),
                None => made >= CUT_MIN,
            }
        }
        Ok(_) => made >= CUT_MIN,
        // It makes what it can before it says so.
        Err(_) => false,
    }
}

/// Adler-32 (RFC 1950, 8.2).
struct Adler {
    a: u32,
    b: u32,
}

impl Default for Adler {
    fn default() -> Self {
        Self { a: 1, b: 0 }
    }
}

impl Adler {
    const MODULUS: u32 = 65_521;
    /// So many bytes can be summed before either sum may overflow.
    const RUN: usize = 5_552;

    fn update(&mut self, bytes: &[u8]) {
        for run in bytes.chunks(Self::RUN) {
            for &byte in run {
                self.a += u32::from(byte);
                self.b += self.a;
            }
            self.a %= Self::MODULUS;
            self.b %= Self::MODULUS;
        }
    }

    fn finish(&self) -> u32 {
        self.b << 16 | self.a
    }
}

/// Decodes the one stream of a zlib file.
pub struct ZlibCodec {
    inflater: Decompress,
    sum: Adler,
    in_body: bool,
}

impl ZlibCodec {
    fn end(&self, packed: &mut Packed, made: usize, notes: &mut Notes) -> Step {
        let at = packed.position();
        let Some(stated) = packed.bytes() else {
            let trouble = Trouble::damaged(
                "truncated",
                format!(
                    "the zlib stream ends within its checksum at offset {at}; all its bytes may be there, get the file again to be sure"
                ),
                None,
            );
            return Step::Broken(made, trouble);
        };
        if u32::from_be_bytes(stated) != self.sum.finish() {
            notes.troubles.push(stream::wrong_checksum(Self::KIND, at));
        }
        Step::Ended(made)
    }
}

impl Codec for ZlibCodec {
    const KIND: &'static str = "zlib";
    const TAR: &'static str = "tar.zlib";
    const CPIO: &'static str = "cpio.zlib";

    /// There is one; what follows it is told by its own content.
    fn find(&mut self, packed: &mut Packed, _notes: &mut Notes) -> bool {
        let is_first = packed.position() == 0;
        packed.skip_zeros();
        is_first
    }

    fn decode(&mut self, packed: &mut Packed, output: &mut [u8], notes: &mut Notes) -> Step {
        if !self.in_body {
            packed.skip(HEADER as u64);
            self.in_body = true;
        }
        let inflater = &mut self.inflater;
        let step = stream::run(packed, Self::KIND, output, |input, output| {
            let before = (inflater.total_in(), inflater.total_out());
            let then = match inflater.decompress(input, output, FlushDecompress::None) {
                Ok(Status::StreamEnd) => Then::End,
                Ok(_) => Then::More,
                Err(_) => Then::Corrupt,
            };
            let taken = (inflater.total_in() - before.0) as usize;
            (taken, (inflater.total_out() - before.1) as usize, then)
        });
        let (Step::More(made) | Step::Ended(made) | Step::Broken(made, _)) = &step;
        self.sum.update(&output[..*made]);
        match step {
            Step::Ended(made) => self.end(packed, made, notes),
            step => step,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::container::Effect;
    use crate::container::testing::walk;

    const FORMAT: Zlib = Zlib {
        is_candidate: |_| true,
        runs_on: |_| false,
    };

    fn packed(content: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_sum_is_that_of_the_standard() {
        let mut sum = Adler::default();
        assert_eq!(sum.finish(), 1);
        sum.update(b"Wiki");
        sum.update(b"pedia");
        assert_eq!(sum.finish(), 0x11e6_0398);
        let mut long = Adler::default();
        long.update(&[0xff; 100_000]);
        // 1 + 255 n, and n + 255 n (n + 1) / 2, each modulo 65521.
        let (n, m) = (100_000_u64, 65_521);
        let b = n + 255 * n * (n + 1) / 2;
        assert_eq!(
            u64::from(long.finish()),
            ((b % m) << 16) | ((1 + 255 * n) % m)
        );
    }

    #[test]
    fn a_short_stream_needs_its_checksum_and_a_long_one_does_not() {
        let mut short = packed(b"a short text");
        assert!(FORMAT.recognise(&short));
        let last = short.len() - 1;
        short[last] ^= 1;
        assert!(!FORMAT.recognise(&short));
        let text: Vec<u8> = (0..2_000)
            .flat_map(|n| format!("{n} ").into_bytes())
            .collect();
        let mut long = packed(&text);
        let last = long.len() - 1;
        long[last] ^= 1;
        assert!(FORMAT.recognise(&long));
        let seen = walk(&FORMAT, &long, &Limits::default()).unwrap();
        assert_eq!(seen.members, [(String::new(), text)]);
        assert_eq!(seen.codes, ["checksum-mismatch"]);
        assert_eq!(seen.effects, [Effect::Odd]);
    }

    #[test]
    fn the_two_bytes_alone_are_not_enough() {
        let mut random = 88_172_645_463_325_252_u64;
        for flags in [0x01, 0x5e, 0x9c, 0xda] {
            for _ in 0..5_000 {
                let mut head = vec![0x78, flags];
                for _ in 0..600 {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    head.push(random as u8);
                }
                assert!(!FORMAT.recognise(&head));
            }
        }
        assert!(!FORMAT.recognise(b"x\x9c"));
        assert!(!FORMAT.recognise(b"x^2 + y^2, as in any text"));
    }
}
