//! gzip (RFC 1952): compressed streams, and tars in them.
//!
//! What every compressed stream has in common is [`super::stream`]'s; here is what gzip has of its own: headers,
//! checksums, and the speed. Zeros behind a member are padding, as gzip takes them, also where another member
//! follows.
//!
//! Two ways to the same bytes: [`inflate`] into a reused buffer where the content is in memory and all is well,
//! [`GzipCodec`] for everything else. Which one runs may depend on what other threads do, so both give the same in
//! everything; the tests hold one against the other.

use std::sync::Mutex;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::feed::Input;
use super::stream::{self, Codec, Notes, Packed, RunsOn, Step, Unpacked, zeros};
use super::{Format, Trouble, Walker, inflate};
use crate::blob::{Decoders, Limits};

/// What a member begins with (RFC 1952, 2.3.1).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The gzip format.
pub struct Gzip {
    /// Whether content that begins like this runs on across members, tars apart.
    pub runs_on: RunsOn,
}

impl Format for Gzip {
    fn name(&self) -> &'static str {
        GzipCodec::KIND
    }

    /// Magic and the only method there is (RFC 1952, 2.3.1).
    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(&[0x1f, 0x8b, 8]) && head.get(3).is_some_and(|flags| flags & 0xe0 == 0)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        if let (Input::Memory(packed), Decoders::Fast) = (&input, limits.decoders)
            && let Some(unpacked) = inflate_all(packed, limits)
        {
            return Ok(stream::open_unpacked::<GzipCodec>(
                &input,
                &unpacked,
                self.runs_on,
                limits,
            ));
        }
        Ok(self.open_stream(&input, limits))
    }
}

impl Gzip {
    fn open_stream(&self, input: &Input, limits: &Limits) -> Box<dyn Walker> {
        stream::open(input, GzipCodec::new(), self.runs_on, limits)
    }
}

// ---------------------------------------------------------------------------------------------------------------
// The fast way

/// Outputs up to this size are made in one of several buffers that are used again.
const SMALL: usize = 32 << 20;
/// Outputs up to this size are made in the one large buffer; while that is taken, and for larger ones, the stream
/// is decoded piece by piece, to the same result.
const LARGE: usize = 96 << 20;
/// Idle buffers go when they and those in use take more than this.
const KEEP: usize = LARGE + SMALL;
/// DEFLATE cannot unfold further than this (a 258-byte match for each two bits), so that a small input needs no
/// large buffer.
const DEFLATE_MAX_RATIO: usize = 1_032;

/// Buffers for unpacking. They are used again, since fresh memory costs more than the decoding does; and there is
/// one large one for the whole program, so that memory stays bounded whatever the number of threads.
static POOL: Mutex<Pool> = Mutex::new(Pool {
    small: Vec::new(),
    large: None,
    large_taken: false,
    in_use: 0,
});

struct Pool {
    /// Idle ones of [`SMALL`] bytes.
    small: Vec<Vec<u8>>,
    /// The one of [`LARGE`] bytes, where it is idle.
    large: Option<Vec<u8>>,
    large_taken: bool,
    /// Bytes of all buffers that are not here.
    in_use: usize,
}

impl Pool {
    fn is_over(&self, more: usize) -> bool {
        let idle = self.small.len() * SMALL + self.large.as_ref().map_or(0, Vec::len);
        self.in_use + idle + more > KEEP
    }

    /// One of the small ones, unless those in use take all of `most` bytes.
    fn take_small(&mut self, most: usize) -> Option<Vec<u8>> {
        if self.in_use > 0 && self.in_use + SMALL > most {
            return None;
        }
        let buffer = self.small.pop().unwrap_or_else(|| {
            if self.is_over(SMALL) {
                self.large = None;
            }
            // Pages take memory when they are written, so a size costs nothing by itself.
            vec![0; SMALL]
        });
        self.in_use += SMALL;
        Some(buffer)
    }

    /// The large one, unless somebody has it, or it and those in use take more than `most` bytes.
    fn take_large(&mut self, most: usize) -> Option<Vec<u8>> {
        let is_much = self.in_use > 0 && self.in_use + LARGE > most;
        if self.large_taken || is_much {
            return None;
        }
        let buffer = self.large.take().unwrap_or_else(|| {
            while self.is_over(LARGE) && self.small.pop().is_some() {}
            vec![0; LARGE]
        });
        self.large_taken = true;
        self.in_use += LARGE;
        Some(buffer)
    }

    fn put_back(&mut self, buffer: Vec<u8>) {
        self.in_use -= buffer.len();
        if buffer.len() == LARGE {
            self.large_taken = false;
            self.large = Some(buffer);
        } else {
            self.small.push(buffer);
        }
    }
}

/// Bytes that all buffers may take.
fn shared(limits: &Limits) -> usize {
    usize::try_from(limits.memory / 4).unwrap_or(usize::MAX)
}

/// A buffer that goes back to the pool when the last slice of it is dropped.
struct Pooled {
    buffer: Vec<u8>,
    len: usize,
}

impl Pooled {
    fn small(limits: &Limits) -> Option<Self> {
        let buffer = POOL.lock().ok()?.take_small(shared(limits))?;
        Some(Self { buffer, len: 0 })
    }

    fn large(limits: &Limits) -> Option<Self> {
        let buffer = POOL.lock().ok()?.take_large(shared(limits))?;
        Some(Self { buffer, len: 0 })
    }
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Ok(mut pool) = POOL.lock() {
            pool.put_back(std::mem::take(&mut self.buffer));
        }
    }
}

/// Unpacks all members, or `None` where anything is unusual: too large, damaged, cut.
fn inflate_all(packed: &[u8], limits: &Limits) -> Option<Unpacked> {
    let cap = usize::try_from(limits.hold())
        .unwrap_or(usize::MAX)
        .min(LARGE)
        .min(packed.len().saturating_mul(DEFLATE_MAX_RATIO));
    // The length at the end of the member is hostile: it chooses between two buffers, and sizes neither.
    let hint = packed
        .last_chunk::<4>()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    if hint > cap {
        return None;
    }
    if hint <= SMALL {
        match inflate_members(packed, Pooled::small(limits)?, cap.min(SMALL)) {
            Ok(unpacked) => return Some(unpacked),
            Err(inflate::FastError::NoSpace) if cap > SMALL => {}
            Err(_) => return None,
        }
    }
    inflate_members(packed, Pooled::large(limits)?, cap).ok()
}

fn inflate_members(
    packed: &[u8],
    mut pooled: Pooled,
    cap: usize,
) -> Result<Unpacked, inflate::FastError> {
    let (mut used, mut ends) = (0, Vec::new());
    loop {
        used += zeros(&packed[used..]);
        if !packed[used..].starts_with(&MAGIC) {
            break;
        }
        let space = pooled
            .buffer
            .get_mut(pooled.len..cap)
            .ok_or(inflate::FastError::NoSpace)?;
        let (taken, made) = inflate::gzip_member(&packed[used..], space)?;
        if taken == 0 {
            break;
        }
        used += taken;
        pooled.len += made;
        ends.push(pooled.len);
    }
    Ok(Unpacked {
        content: Bytes::from_owner(pooled),
        ends,
        used,
    })
}

// ---------------------------------------------------------------------------------------------------------------
// The careful way

/// Decodes gzip members.
pub struct GzipCodec {
    inflater: Decompress,
    crc: crc32fast::Hasher,
    made: u64,
    /// Behind the header of a member.
    in_body: bool,
}

impl GzipCodec {
    fn new() -> Self {
        Self {
            inflater: Decompress::new(false),
            crc: crc32fast::Hasher::new(),
            made: 0,
            in_body: false,
        }
    }

    fn end_member(&mut self, packed: &mut Packed, made: usize, notes: &mut Notes) -> Step {
        self.in_body = false;
        let at = packed.position();
        let Some(trailer) = packed.bytes::<8>() else {
            let trouble = Trouble::damaged(
                "truncated",
                format!(
                    "the gzip stream ends within its trailer at offset {at}; all its bytes may be there, get the file again to be sure"
                ),
                None,
            );
            return Step::Broken(made, trouble);
        };
        let [c0, c1, c2, c3, l0, l1, l2, l3] = trailer;
        // A wrong checksum is odd where the length says that all bytes came.
        let crc = std::mem::take(&mut self.crc).finalize();
        let is_sum = u32::from_le_bytes([c0, c1, c2, c3]) == crc;
        let is_len = u32::from_le_bytes([l0, l1, l2, l3]) == self.made as u32;
        notes.troubles.extend(match (is_sum, is_len) {
            (true, true) => None,
            (false, true) => Some(stream::wrong_checksum(Self::KIND, at)),
            (true, false) => Some(stream::wrong_length(Self::KIND, at)),
            (false, false) => Some(stream::wrong_checksum_and_length(Self::KIND, at)),
        });
        Step::Ended(made)
    }
}

impl Codec for GzipCodec {
    const KIND: &'static str = "gzip";
    const TAR: &'static str = "tar.gz";
    const CPIO: &'static str = "cpio.gz";

    fn find(&mut self, packed: &mut Packed, _notes: &mut Notes) -> bool {
        packed.skip_zeros() && packed.peek(MAGIC.len()).starts_with(&MAGIC)
    }

    fn decode(&mut self, packed: &mut Packed, output: &mut [u8], notes: &mut Notes) -> Step {
        if !self.in_body {
            let at = packed.position();
            packed.consume(MAGIC.len());
            if header(packed).is_none() {
                let what = format!("the gzip header at offset {at} is damaged or cut");
                return Step::Broken(0, stream::damage(packed, "gzip-header", &what));
            }
            self.inflater.reset(false);
            self.crc = crc32fast::Hasher::new();
            self.made = 0;
            self.in_body = true;
        }
        let input = packed.fill();
        if input.is_empty() {
            return Step::Broken(0, stream::cut(packed, Self::KIND));
        }
        let (in_before, out_before) = (self.inflater.total_in(), self.inflater.total_out());
        let result = self
            .inflater
            .decompress(input, output, FlushDecompress::None);
        let taken = (self.inflater.total_in() - in_before) as usize;
        let made = (self.inflater.total_out() - out_before) as usize;
        packed.consume(taken);
        self.crc.update(&output[..made]);
        self.made += made as u64;
        match result {
            Ok(Status::StreamEnd) => self.end_member(packed, made, notes),
            Ok(_) if taken > 0 || made > 0 => Step::More(made),
            _ => Step::Broken(made, stream::corrupt(packed)),
        }
    }
}

/// Reads a member header behind its magic (RFC 1952, 2.3). `None` where it is cut or is none.
fn header(packed: &mut Packed) -> Option<()> {
    let [method, flags, ..] = packed.bytes::<8>()?;
    if method != 8 {
        return None;
    }
    if flags & 4 != 0 {
        for _ in 0..u16::from_le_bytes(packed.bytes()?) {
            packed.byte()?;
        }
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            while packed.byte()? != 0 {}
        }
    }
    if flags & 2 != 0 {
        packed.bytes::<2>()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::container::{Body, Event};

    const FORMAT: Gzip = Gzip {
        runs_on: |head| head.starts_with(b"{"),
    };

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Everything that a walker gives, in words, and its members.
    fn told(walker: &mut dyn Walker) -> (Vec<Vec<u8>>, Vec<Trouble>, Vec<String>) {
        let (mut members, mut troubles, mut names) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(event) = walker.next() {
            match event {
                Event::Member(member) => {
                    let mut content = Vec::new();
                    match &member.body {
                        Body::Held(bytes) => content.extend(bytes),
                        Body::Streamed(_) => {
                            names.push("streamed".to_owned());
                            let mut buffer = [0; 999];
                            loop {
                                let got = walker.read_streamed(&mut buffer);
                                if got == 0 {
                                    break;
                                }
                                content.extend(&buffer[..got]);
                            }
                            troubles.extend(walker.streamed_trouble());
                        }
                        Body::At(_) | Body::Files(_) | Body::Absent => {
                            names.push("absent".to_owned())
                        }
                    }
                    names.push(format!("{:?}", member.name));
                    members.push(content);
                    troubles.extend(member.trouble);
                }
                Event::Trouble(trouble) => troubles.push(trouble),
                Event::Other(kind) | Event::NamedOther(kind, ..) => names.push(kind.to_owned()),
                Event::Map(_) => {}
            }
        }
        names.push(walker.kind().to_owned());
        (members, troubles, names)
    }

    /// Members and troubles of a stream, read the fast or the careful way.
    fn walk(input: Vec<u8>, fast: bool) -> (Vec<Vec<u8>>, Vec<String>) {
        let limits = Limits::default();
        let input = Input::Memory(input.into());
        let mut walker = if fast {
            FORMAT.open(input, &limits).unwrap()
        } else {
            FORMAT.open_stream(&input, &limits)
        };
        let (members, troubles, _) = told(walker.as_mut());
        let codes = troubles
            .into_iter()
            .map(|trouble| trouble.code.into_owned());
        (members, codes.collect())
    }

    #[test]
    fn every_member_is_read_both_ways() {
        let mut file = packed(b"first");
        file.extend(packed(b"second"));
        file.extend([0; 100]);
        let expected = (vec![b"first".to_vec(), b"second".to_vec()], vec![]);
        assert_eq!(walk(file.clone(), true), expected);
        assert_eq!(walk(file, false), expected);
    }

    #[test]
    fn zeros_between_members_are_padding_both_ways() {
        let mut file = packed(b"first");
        file.extend([0; 512]);
        file.extend(packed(b"second"));
        file.extend([0; 300_000]);
        let end = file.len();
        let expected = [b"first".to_vec(), b"second".to_vec()];
        for rest in [b"".as_slice(), b"\x1frest", b"\x1f", b"rest"] {
            file.truncate(end);
            file.extend(rest);
            for fast in [true, false] {
                let (members, codes) = walk(file.clone(), fast);
                assert_eq!(members[..2], expected);
                assert_eq!(members.get(2).map_or(b"".as_slice(), |last| last), rest);
                assert_eq!(codes.len(), usize::from(!rest.is_empty()), "{codes:?}");
            }
        }
    }

    #[test]
    fn content_that_runs_on_is_one() {
        let mut file = packed(b"{\"a\":");
        file.extend(packed(b"1}"));
        for fast in [true, false] {
            assert_eq!(walk(file.clone(), fast).0, [b"{\"a\":1}".to_vec()]);
        }
    }

    #[test]
    fn a_wrong_checksum_is_odd_and_loses_nothing() {
        let mut file = packed(b"content");
        let at = file.len() - 8;
        file[at] ^= 1;
        assert_eq!(
            walk(file, true),
            (
                vec![b"content".to_vec()],
                vec!["checksum-mismatch".to_owned()]
            )
        );
    }

    #[test]
    fn a_wrong_checksum_and_a_wrong_length_are_damage_both_ways() {
        let mut file = packed(b"content");
        let at = file.len() - 8;
        file[at] ^= 1;
        file[at + 4] ^= 1;
        for fast in [true, false] {
            let input = Input::Memory(file.clone().into());
            let limits = Limits::default();
            let mut walker = if fast {
                FORMAT.open(input, &limits).unwrap()
            } else {
                FORMAT.open_stream(&input, &limits)
            };
            let (members, troubles, _) = told(walker.as_mut());
            assert_eq!(members, [b"content".to_vec()]);
            assert_eq!(troubles.len(), 1);
            assert_eq!(troubles[0].code, "checksum-mismatch");
            assert_eq!(troubles[0].effect, crate::container::Effect::Damaged);
        }
    }

    #[test]
    fn bytes_behind_the_last_member_are_given() {
        let mut file = packed(b"content");
        file.extend(b"trailing secret");
        let (members, troubles) = walk(file, true);
        assert_eq!(members, [b"content".to_vec(), b"trailing secret".to_vec()]);
        assert_eq!(troubles, ["trailing-data"]);
    }

    #[test]
    fn a_cut_stream_gives_what_was_read() {
        let text: Vec<u8> = (0..100_000_u32)
            .flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes())
            .collect();
        let file = packed(&text);
        let (members, troubles) = walk(file[..file.len() / 2].to_vec(), true);
        assert_eq!(troubles, ["truncated"]);
        assert!(members[0].len() > text.len() / 3);
        assert!(text.starts_with(&members[0]));
    }

    #[test]
    fn a_lying_length_does_not_matter() {
        let mut file = packed(b"content");
        let at = file.len() - 4;
        file[at..].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(
            walk(file, true),
            (
                vec![b"content".to_vec()],
                vec!["length-mismatch".to_owned()]
            )
        );
    }

    /// A header block of a tar that states `size` bytes for a file.
    fn tar_header(size: u64) -> Vec<u8> {
        let mut header = ::tar::Header::new_gnu();
        header.set_path("a").unwrap();
        header.set_size(size);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    /// One piece of a file: a member of some content, padding, or what is neither.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let content = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            Just(b"{\"a\":1".to_vec()),
            Just(vec![b'{'; 9_000]),
            (0..2_000_u64, 0..2_000_usize).prop_map(|(stated, len)| {
                let mut tar = tar_header(stated);
                tar.resize(512 + len, b'x');
                tar
            }),
            Just(tar_header(1 << 40)),
        ];
        prop_oneof![
            5 => content.prop_map(|content| packed(&content)),
            1 => (0..1_000_usize).prop_map(|len| vec![0; len]),
            1 => Just(vec![0x1f]),
            1 => Just(vec![0x1f, 0x8b]),
            1 => Just(vec![0x1f, 0x8b, 8, 0]),
            1 => proptest::collection::vec(any::<u8>(), 0..50),
        ]
    }

    proptest! {
        /// Which way a file is read depends on the other threads, so nothing at all may depend on the way.
        #[test]
        fn both_ways_tell_the_same_of_anything(
            first in proptest::collection::vec(any::<u8>(), 0..300),
            pieces in proptest::collection::vec(piece(), 0..6),
            memory in prop_oneof![Just(1_u64 << 30), 0..20_000_u64],
        ) {
            let mut file = packed(&first);
            file.extend(pieces.concat());
            if first.len() % 3 == 0 {
                file = pieces.concat();
            }
            prop_assume!(FORMAT.recognise(&file));
            let limits = Limits { memory, ..Limits::default() };
            let input = Input::Memory(file.into());
            let mut fast = FORMAT.open(input.clone(), &limits).unwrap();
            let mut careful = FORMAT.open_stream(&input, &limits);
            prop_assert_eq!(told(fast.as_mut()), told(careful.as_mut()));
        }

        #[test]
        fn both_ways_give_the_same(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..5)) {
            let mut file = Vec::new();
            for part in &parts {
                file.extend(packed(part));
            }
            prop_assert_eq!(walk(file.clone(), true), walk(file, false));
        }

        #[test]
        fn damage_never_panics(cut in 0..200_usize, flip in 0..200_usize) {
            let mut file = packed(&[b'a'; 500]);
            file.extend(packed(b"another member, with some text in it"));
            let flip = flip % file.len();
            file[flip] ^= 0x55;
            file.truncate(file.len() - cut.min(file.len()));
            walk(file.clone(), true);
            walk(file, false);
        }
    }
}
