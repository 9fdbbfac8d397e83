//! bzip2.
//!
//! Parallel compressors make one stream for each block, so a file of several streams is common. The library gives a
//! block before it checks it, and does not go on behind one whose checksum does not fit: such a block cannot be told
//! from a damaged one, and counts as damage.
//!
//! There is no standard; the layout is that of bzip2 1.0.8 (`decompress.c`).

use ::bzip2::{Decompress, Status};

use super::stream::{self, Codec, Notes, Packed, RunsOn, Step, Then};
use super::{Format, Input, Trouble, Walker};
use crate::blob::Limits;

/// What a stream begins with; the size of blocks follows, as a digit from 1.
const MAGIC: &[u8] = b"BZh";
/// What the first block begins with (π in decimal digits).
const BLOCK: &[u8] = b"1AY&SY";
/// What stands there in a stream without blocks (√π).
const END: &[u8] = b"\x17\x72\x45\x38\x50\x90";

/// Length of a stream without blocks: its magic, its end, and the checksum of nothing, which is 0.
const EMPTY: usize = 14;

/// The bzip2 format.
pub struct Bzip2 {
    /// Whether content that begins like this runs on across streams, tars apart.
    pub runs_on: RunsOn,
}

impl Format for Bzip2 {
    fn name(&self) -> &'static str {
        Bzip2Codec::KIND
    }

    fn recognise(&self, head: &[u8]) -> bool {
        is_stream(head)
            && head
                .get(4..10)
                .is_some_and(|magic| magic == BLOCK || magic == END)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let codec = Bzip2Codec { decoder: None };
        Ok(stream::open(&input, codec, self.runs_on, limits))
    }
}

fn is_stream(head: &[u8]) -> bool {
    head.starts_with(MAGIC) && matches!(head.get(3), Some(b'1'..=b'9'))
}

/// Bytes that the decoder is asked for at a time: what a call makes before it meets damage is lost with it.
const PIECE: usize = 4 << 10;

/// Decodes bzip2 streams.
pub struct Bzip2Codec {
    /// `None` between streams.
    decoder: Option<Decompress>,
}

impl Codec for Bzip2Codec {
    const KIND: &'static str = "bzip2";
    const TAR: &'static str = "tar.bz2";
    const CPIO: &'static str = "cpio.bz2";

    fn find(&mut self, packed: &mut Packed, _notes: &mut Notes) -> bool {
        packed.skip_zeros() && is_stream(packed.peek(MAGIC.len() + 1))
    }

    fn decode(&mut self, packed: &mut Packed, output: &mut [u8], _notes: &mut Notes) -> Step {
        // A decoder takes megabytes; a file may hold any number of streams that hold nothing.
        let head = packed.peek(EMPTY);
        if self.decoder.is_none()
            && head.get(4..10) == Some(END)
            && head.get(10..EMPTY) == Some(&[0; 4])
        {
            packed.consume(EMPTY);
            return Step::Ended(0);
        }
        let decoder = self.decoder.get_or_insert_with(|| Decompress::new(false));
        let room = output.len().min(PIECE);
        let output = &mut output[..room];
        let step = stream::run(packed, Self::KIND, output, |input, output| {
            let before = (decoder.total_in(), decoder.total_out());
            let result = decoder.decompress(input, output);
            let then = match result {
                Ok(Status::StreamEnd) => Then::End,
                Ok(_) => Then::More,
                Err(_) => Then::Corrupt,
            };
            let taken = (decoder.total_in() - before.0) as usize;
            (taken, (decoder.total_out() - before.1) as usize, then)
        });
        if !matches!(step, Step::More(_)) {
            self.decoder = None;
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::walk;

    const FORMAT: Bzip2 = Bzip2 { runs_on: |_| false };

    #[test]
    fn the_magic_of_the_first_block_decides() {
        assert!(FORMAT.recognise(b"BZh91AY&SY\0"));
        assert!(!FORMAT.recognise(b"BZh01AY&SY\0"));
        assert!(!FORMAT.recognise(b"BZh9 is how a sentence may begin"));
        // An empty stream: no block, and the checksum of nothing.
        let empty = [b"BZh9".as_slice(), END, &[0; 4]].concat();
        assert!(FORMAT.recognise(&empty));
        let seen = walk(&FORMAT, &empty, &Limits::default()).unwrap();
        assert_eq!(seen.members, [(String::new(), Vec::new())]);
        assert_eq!(seen.codes, [""; 0]);
        let mut wrong = empty.clone();
        wrong[13] = 1;
        let seen = walk(&FORMAT, &wrong, &Limits::default()).unwrap();
        assert_eq!(seen.codes, ["corrupt-data"]);
    }

    /// A decoder for each of these would take half a minute.
    #[test]
    fn empty_streams_take_no_decoder() {
        let empty = [b"BZh9".as_slice(), END, &[0; 4]].concat();
        let seen = walk(&FORMAT, &empty.repeat(100_000), &Limits::default()).unwrap();
        assert_eq!(seen.members.len(), 100_000);
        assert_eq!(seen.codes, [""; 0]);
    }
}
