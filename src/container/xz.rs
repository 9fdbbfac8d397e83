//! xz (the .xz file format, version 1.2.1), by liblzma.
//!
//! The library checks each block when all of it has come out, and calls a wrong check damage. Whether it is only the
//! check that is wrong shows when the stream is decoded once more without checks: bytes that come then are given,
//! and the check is said to be odd. So the second time costs something only where something is wrong.
//!
//! Dictionaries are as large as the stream says, up to what [`Limits::window`] allows.

use liblzma::stream::{IGNORE_CHECK, Stream};

use super::safe::{Fault, Lzma};
use super::stream::{self, Codec, Notes, Packed, RunsOn, Step, Then};
use super::{Format, Input, Trouble, Walker};
use crate::blob::{Decoders, Limits};

/// What a stream begins with (2.1.1.1).
const MAGIC: &[u8] = b"\xfd7zXZ\0";
/// Beside the dictionary, what the decoder takes for itself: tables, filters, the index.
pub const OWN_MEMORY: u64 = 2 << 20;

/// The xz format.
pub struct Xz {
    /// Whether content that begins like this runs on across streams, tars apart.
    pub runs_on: RunsOn,
}

impl Format for Xz {
    fn name(&self) -> &'static str {
        XzCodec::KIND
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let codec = XzCodec {
            decoder: None,
            window: limits.window(),
            decoders: limits.decoders,
            start: 0,
            ignores_checks: false,
            failed: None,
        };
        Ok(stream::open(&input, codec, self.runs_on, limits))
    }
}

/// Decodes xz streams.
pub struct XzCodec {
    /// `None` between streams.
    decoder: Option<Lzma>,
    window: u64,
    decoders: Decoders,
    /// Where the stream begins.
    start: u64,
    ignores_checks: bool,
    /// Where the decoder found damage, which may be no more than a wrong check.
    failed: Option<(u64, Trouble)>,
}

impl XzCodec {
    /// Begins the stream anew without checks, reads as far as the decoder with checks came, and gives what follows.
    fn go_on_without_checks(&mut self, packed: &mut Packed, output: &mut [u8]) -> Step {
        let made = self.decoder.as_ref().map_or(0, Lzma::total_out);
        let Some(mut decoder) = new_decoder(self.window, IGNORE_CHECK) else {
            return Step::Broken(0, stream::corrupt(packed));
        };
        packed.go_to(self.start);
        let mut sink = [0; 16 << 10];
        while decoder.total_out() < made {
            let left = usize::try_from(made - decoder.total_out()).unwrap_or(usize::MAX);
            let room = &mut sink[..left.min(16 << 10)];
            match run(&mut decoder, packed, Self::KIND, room, self.window) {
                Step::More(_) => {}
                // The stream may end in the call that makes its last byte.
                Step::Ended(_) if decoder.total_out() == made => return Step::Ended(0),
                _ => return Step::Broken(0, stream::corrupt(packed)),
            }
        }
        let mut step = Step::More(0);
        while matches!(step, Step::More(0)) {
            step = run(&mut decoder, packed, Self::KIND, output, self.window);
        }
        self.decoder = Some(decoder);
        step
    }
}

fn new_decoder(window: u64, flags: u32) -> Option<Lzma> {
    let memory = window.saturating_add(OWN_MEMORY);
    Stream::new_stream_decoder(memory, flags)
        .ok()
        .map(Lzma::Library)
}

/// Runs a decoder of liblzma on the next piece of input.
pub fn run(
    decoder: &mut Lzma,
    packed: &mut Packed,
    kind: &str,
    output: &mut [u8],
    window: u64,
) -> Step {
    let mut error = None;
    let step = stream::run(packed, kind, output, |input, output| {
        let before = (decoder.total_in(), decoder.total_out());
        let result = decoder.process(input, output);
        let taken = (decoder.total_in() - before.0) as usize;
        let made = (decoder.total_out() - before.1) as usize;
        error = result.err();
        let then = match result {
            Ok(true) => Then::End,
            Ok(false) => Then::More,
            Err(_) => Then::Corrupt,
        };
        (taken, made, then)
    });
    if matches!(step, Step::Ended(_)) {
        packed.go_to(packed.position().saturating_sub(decoder.unused()));
    }
    let Step::Broken(made, _) = step else {
        return step;
    };
    match error {
        Some(Fault::Memory) => {
            Step::Broken(made, stream::window_too_large(packed, kind, None, window))
        }
        Some(Fault::Check) => Step::Broken(made, unfit_check(packed, kind)),
        Some(Fault::Unsupported) => Step::Broken(
            made,
            Trouble::skipped(
                "unsupported",
                format!(
                    "this {kind} stream uses a filter that is not known; unpack it with the newest xz and scan the result"
                ),
                Some(packed.rest()),
            ),
        ),
        _ => step,
    }
}

/// A decoder that cannot read on behind a check that does not fit.
fn unfit_check(packed: &Packed, kind: &str) -> Trouble {
    Trouble::damaged(
        "checksum-mismatch",
        format!(
            "the {kind} checksum at offset {} does not fit, and the memory-safe decoder goes no further; what came before was read, scan without --safe-decoders for the rest",
            packed.position()
        ),
        Some(packed.rest()),
    )
}

impl Codec for XzCodec {
    const KIND: &'static str = "xz";
    const TAR: &'static str = "tar.xz";
    const CPIO: &'static str = "cpio.xz";

    /// Streams may have zeros between them (2.2).
    fn find(&mut self, packed: &mut Packed, _notes: &mut Notes) -> bool {
        packed.skip_zeros() && packed.peek(MAGIC.len()).starts_with(MAGIC)
    }

    fn decode(&mut self, packed: &mut Packed, output: &mut [u8], notes: &mut Notes) -> Step {
        if self.decoder.is_none() {
            self.start = packed.position();
            self.ignores_checks = false;
            self.decoder = match self.decoders {
                Decoders::Fast => new_decoder(self.window, 0),
                Decoders::Safe => Some(Lzma::safe_xz(self.window.saturating_add(OWN_MEMORY))),
            };
        }
        let Some(decoder) = &mut self.decoder else {
            let trouble = stream::window_too_large(packed, Self::KIND, None, self.window);
            return Step::Broken(0, trouble);
        };
        let mut step = Step::More(0);
        if self.failed.is_none() {
            step = run(decoder, packed, Self::KIND, output, self.window);
            if let Step::Broken(made, trouble) = step {
                let is_safe = self.decoders == Decoders::Safe;
                if trouble.code != "corrupt-data" || self.ignores_checks || is_safe {
                    self.decoder = None;
                    return Step::Broken(made, trouble);
                }
                self.failed = Some((packed.position(), trouble));
                step = Step::More(made);
            }
        }
        // What was made is given first.
        if !matches!(step, Step::More(1..))
            && let Some((at, trouble)) = self.failed.take()
        {
            step = self.go_on_without_checks(packed, output);
            if let Step::Broken(..) = step {
                packed.go_to(at);
                step = Step::Broken(0, trouble);
            } else {
                self.ignores_checks = true;
                notes.troubles.push(stream::wrong_checksum(Self::KIND, at));
            }
        }
        if !matches!(step, Step::More(_)) {
            self.decoder = None;
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use liblzma::stream::{Check, Filters, LzmaOptions};

    use super::*;
    use crate::container::Effect;
    use crate::container::testing::{Seen, walk};

    const FORMAT: Xz = Xz {
        runs_on: |head| head.starts_with(b"{"),
    };

    fn packed(content: &[u8], check: Check, dictionary: u32) -> Vec<u8> {
        let mut options = LzmaOptions::new_preset(1).unwrap();
        options.dict_size(dictionary);
        let stream = Stream::new_stream_encoder(Filters::new().lzma2(&options), check).unwrap();
        let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn seen(file: &[u8], memory: u64) -> Seen {
        let limits = Limits {
            memory,
            ..Limits::default()
        };
        walk(&FORMAT, file, &limits).unwrap()
    }

    #[test]
    fn every_check_is_known_and_a_wrong_one_is_odd() {
        let text = "some text, and more of it; ".repeat(9_000).into_bytes();
        for (check, len) in [
            (Check::None, 0),
            (Check::Crc32, 4),
            (Check::Crc64, 8),
            (Check::Sha256, 32),
        ] {
            let mut file = packed(&text, check, 1 << 20);
            let whole = seen(&file, 1 << 30);
            assert!(whole.members == [(String::new(), text.clone())]);
            assert_eq!(whole.codes, [""; 0], "{check:?}");
            if len == 0 {
                continue;
            }
            // Behind the check are an index and a footer of 12 bytes, which states the size of the index.
            let footer = file.len() - 12;
            let index = u32::from_le_bytes(file[footer + 4..footer + 8].try_into().unwrap());
            let at = footer - (index as usize + 1) * 4 - len;
            file[at] ^= 1;
            file.extend(packed(b"another", check, 1 << 20));
            let odd = seen(&file, 1 << 30);
            assert_eq!(odd.codes, ["checksum-mismatch"], "{check:?}");
            assert_eq!(odd.members.len(), 2);
            assert!(odd.members[0].1 == text && odd.members[1].1 == b"another");
            assert_eq!(odd.effects, [Effect::Odd]);
        }
    }

    #[test]
    fn a_dictionary_beyond_the_limit_is_said() {
        let file = packed(b"text", Check::Crc32, 64 << 20);
        let refused = seen(&file, 1 << 20);
        assert_eq!(refused.members, []);
        assert_eq!(refused.codes, ["memory-limit"]);
        assert_eq!(refused.effects, [Effect::Skipped]);
        assert_eq!(seen(&file, 1 << 30).codes, [""; 0]);
    }
}
