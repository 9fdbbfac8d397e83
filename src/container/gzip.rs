//! gzip (RFC 1952): compressed streams, and tars in them.
//!
//! A file may hold several members, one after the other, and tools differ in what they do then: most stop after
//! the first and say nothing. Here every member is read. A tar (or a map) that runs on across members is one;
//! otherwise each member is an entry of its own, with an empty name. A damaged or cut member gives the bytes
//! that came before the damage, and what follows the last member is given as a region of its own. Zeros behind a
//! member are padding, as gzip takes them, also where another member follows.
//!
//! Two ways to the same bytes: [`inflate`] into a reused buffer where the content is in memory and all is well,
//! [`GzipStream`] for everything else. Which one runs may depend on what other threads do, so both give the same in
//! everything; the tests hold one against the other.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::sync::Mutex;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::feed::{Feed, Input, InputReader, SliceFeed, StreamFeed};
use super::tar::TarWalker;
use super::{Body, Event, Format, Member, Trouble, Walker, inflate, tar};
use crate::blob::{Limits, MemberName};

/// What a member begins with (RFC 1952, 2.3.1).
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// How much of a member is looked at to tell a tar.
const PEEK: usize = 4 << 10;

/// The gzip format.
pub struct Gzip {
    /// Whether content that begins like this runs on across members, tars apart.
    pub runs_on: fn(&[u8]) -> bool,
}

impl Format for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    /// Magic and the only method there is (RFC 1952, 2.3.1).
    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(&[0x1f, 0x8b, 8]) && head.get(3).is_some_and(|flags| flags & 0xe0 == 0)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        if let Input::Memory(packed) = &input
            && let Some(unpacked) = inflate_all(packed, limits)
        {
            return Ok(self.open_unpacked(&input, &unpacked, limits));
        }
        Ok(self.open_stream(&input, limits))
    }
}

impl Gzip {
    fn open_unpacked(
        &self,
        input: &Input,
        unpacked: &Unpacked,
        limits: &Limits,
    ) -> Box<dyn Walker> {
        let content = &unpacked.content;
        let trailing = trailing_region(input, unpacked.used as u64, limits.hold());
        // The careful way knows no more of the first member when it decides.
        let first = unpacked.ends.first().copied().unwrap_or(0);
        let first = content.slice(..first.min(PEEK));
        if tar::looks_like_tar(&first) {
            let feed = SliceFeed::new(content.clone());
            return Box::new(TarStream {
                tar: TarWalker::new(feed, "tar.gz", limits.hold()),
                ended: false,
                input: input.clone(),
                hold: limits.hold(),
                after: |_| (Vec::new(), None),
                pending: trailing.into_iter().collect(),
            });
        }
        let mut parts = Vec::new();
        if unpacked.ends.len() > 1 && (self.runs_on)(&first) {
            parts.push(content.clone());
        } else {
            let mut start = 0;
            for &end in &unpacked.ends {
                parts.push(content.slice(start..end));
                start = end;
            }
        }
        let mut events: Vec<Event> = parts
            .into_iter()
            .map(|part| Event::Member(Member::whole(MemberName::Named(Vec::new()), part)))
            .collect();
        events.extend(trailing);
        events.reverse();
        Box::new(Parts { events })
    }

    fn open_stream(&self, input: &Input, limits: &Limits) -> Box<dyn Walker> {
        let mut stream = GzipStream::new(input.reader(0));
        let mut head = vec![0; PEEK];
        let got = read_up_to(&mut stream, &mut head);
        head.truncate(got);
        if tar::looks_like_tar(&head) {
            stream.let_run_on();
            let feed = StreamFeed::new(Cursor::new(head).chain(stream));
            return Box::new(TarStream {
                tar: TarWalker::new(feed, "tar.gz", limits.hold()),
                ended: false,
                input: input.clone(),
                hold: limits.hold(),
                after: |feed: &mut StreamFeed<Chain<Cursor<Vec<u8>>, GzipStream<InputReader>>>| {
                    let stream = feed.get_mut().get_mut().1;
                    let _ = io::copy(stream, &mut io::sink());
                    (stream.finish(), stream.trailing_at)
                },
                pending: Vec::new(),
            });
        }
        if (self.runs_on)(&head) {
            stream.let_run_on();
        }
        Box::new(Streams {
            stream,
            input: input.clone(),
            head,
            hold: limits.hold(),
            started: false,
            streaming: false,
            pending: Vec::new(),
        })
    }
}

/// What follows the last member, at offset `at`: nothing, zeros (padding), or a region that is scanned as such.
fn trailing_region(input: &Input, at: u64, hold: u64) -> Option<Event> {
    let rest = input.len().saturating_sub(at);
    let hold = match input {
        // A slice of what is in memory costs nothing.
        Input::Memory(_) => u64::MAX,
        Input::File(_) => hold,
    };
    let bytes = input
        .slice(at, usize::try_from(rest.min(hold)).unwrap_or(usize::MAX))
        .ok()?;
    if bytes.iter().all(|&byte| byte == 0) && bytes.len() as u64 == rest {
        return None;
    }
    let unread = rest - bytes.len() as u64;
    let mut member = Member::whole(MemberName::Offset(at), bytes);
    member.trouble = Some(if unread == 0 {
        Trouble::odd(
            "trailing-data",
            format!(
                "{rest} bytes follow the last gzip member, from offset {at}; they were scanned as they stand"
            ),
        )
    } else {
        Trouble::damaged(
            "memory-limit",
            format!(
                "{rest} bytes follow the last gzip member, from offset {at}, more than may be held; raise --memory"
            ),
            Some(unread),
        )
    });
    Some(Event::Member(member))
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

    fn take_small(&mut self) -> Vec<u8> {
        let buffer = self.small.pop().unwrap_or_else(|| {
            if self.is_over(SMALL) {
                self.large = None;
            }
            // Pages take memory when they are written, so a size costs nothing by itself.
            vec![0; SMALL]
        });
        self.in_use += SMALL;
        buffer
    }

    fn take_large(&mut self) -> Option<Vec<u8>> {
        if self.large_taken {
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

/// A buffer that goes back to the pool when the last slice of it is dropped.
struct Pooled {
    buffer: Vec<u8>,
    len: usize,
}

impl Pooled {
    fn small() -> Option<Self> {
        let buffer = POOL.lock().ok()?.take_small();
        Some(Self { buffer, len: 0 })
    }

    /// The large buffer, unless somebody has it.
    fn large() -> Option<Self> {
        let buffer = POOL.lock().ok()?.take_large()?;
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

/// All members of a stream, unpacked into one buffer.
struct Unpacked {
    content: Bytes,
    /// Where each member ends in it.
    ends: Vec<usize>,
    /// Bytes of input that the members take.
    used: usize,
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
        match inflate_members(packed, Pooled::small()?, cap.min(SMALL)) {
            Ok(unpacked) => return Some(unpacked),
            Err(inflate::FastError::NoSpace) if cap > SMALL => {}
            Err(_) => return None,
        }
    }
    inflate_members(packed, Pooled::large()?, cap).ok()
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

/// Zeros at the beginning: padding, behind a member.
fn zeros(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|&byte| byte != 0)
        .unwrap_or(bytes.len())
}

// ---------------------------------------------------------------------------------------------------------------
// The careful way

/// Decodes gzip members one after the other, and keeps account of what is wrong with them.
pub struct GzipStream<R> {
    input: BufReader<R>,
    inflater: Decompress,
    state: State,
    crc: crc32fast::Hasher,
    made: u64,
    /// Members run on into one another; otherwise each ends with a read of 0 bytes.
    run_on: bool,
    troubles: Vec<Trouble>,
    /// Compressed bytes taken so far.
    position: u64,
    /// Where something that is no member follows the last one.
    trailing_at: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Behind the magic of a member.
    Header,
    Body,
    Between,
    End,
}

impl<R: Read> GzipStream<R> {
    fn new(input: R) -> Self {
        let mut stream = Self {
            input: BufReader::with_capacity(128 << 10, input),
            inflater: Decompress::new(false),
            state: State::Between,
            crc: crc32fast::Hasher::new(),
            made: 0,
            run_on: false,
            troubles: Vec::new(),
            position: 0,
            trailing_at: None,
        };
        stream.look_for_member();
        stream
    }

    /// From here on, members run on into one another, also from the one that has just ended.
    fn let_run_on(&mut self) {
        self.run_on = true;
        if self.state == State::Between {
            self.look_for_member();
        }
    }

    /// Goes on to the next member. `false` where there is none.
    fn next_member(&mut self) -> bool {
        while self.state == State::Body || self.state == State::Header {
            let mut sink = [0; 8 << 10];
            match self.read(&mut sink) {
                Ok(0) | Err(_) if self.state != State::Header => break,
                _ => {}
            }
        }
        self.state == State::Between && self.look_for_member()
    }

    /// Skips padding and tells whether another member begins.
    fn look_for_member(&mut self) -> bool {
        loop {
            let buffer = self.input.fill_buf().unwrap_or_default();
            if buffer.is_empty() {
                self.state = State::End;
                return false;
            }
            let padding = zeros(buffer);
            let next = buffer.get(padding).copied();
            self.consume(padding);
            if next.is_none() {
                continue;
            }
            // The trailing region is read from its offset, so that what was taken to tell it is not lost.
            let at = self.position;
            let is_member = MAGIC.iter().all(|&byte| self.byte() == Some(byte));
            if is_member {
                self.state = State::Header;
            } else {
                self.trailing_at = Some(at);
                self.state = State::End;
            }
            return is_member;
        }
    }

    fn consume(&mut self, len: usize) {
        self.input.consume(len);
        self.position += len as u64;
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.input.fill_buf().ok()?.first()?;
        self.consume(1);
        Some(byte)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        for slot in &mut bytes {
            *slot = self.byte()?;
        }
        Some(bytes)
    }

    /// Reads a member header behind its magic (RFC 1952, 2.3). `None` where it is cut or is none.
    fn header(&mut self) -> Option<()> {
        let [method, flags, ..] = self.bytes::<8>()?;
        if method != 8 {
            return None;
        }
        if flags & 4 != 0 {
            for _ in 0..u16::from_le_bytes(self.bytes()?) {
                self.byte()?;
            }
        }
        for flag in [8, 16] {
            if flags & flag != 0 {
                while self.byte()? != 0 {}
            }
        }
        if flags & 2 != 0 {
            self.bytes::<2>()?;
        }
        Some(())
    }

    fn start_member(&mut self) {
        let at = self.position.saturating_sub(MAGIC.len() as u64);
        if self.header().is_some() {
            self.inflater.reset(false);
            self.crc = crc32fast::Hasher::new();
            self.made = 0;
            self.state = State::Body;
        } else {
            self.damage(
                "gzip-header",
                &format!("the gzip header at offset {at} is damaged or cut"),
            );
        }
    }

    fn damage(&mut self, code: &'static str, what: &str) {
        let rest = io::copy(&mut self.input, &mut io::sink()).unwrap_or(0);
        self.state = State::End;
        self.troubles.push(Trouble::damaged(
            code,
            format!("{what}; what came before it was read, get the file again for the rest"),
            (code != "truncated").then_some(rest),
        ));
    }

    /// Checks the trailer: a wrong checksum is odd, since all bytes came.
    fn end_member(&mut self) {
        let at = self.position;
        let Some(trailer) = self.bytes::<8>() else {
            self.state = State::End;
            self.troubles.push(Trouble::damaged(
                "truncated",
                format!("the gzip stream ends within its trailer at offset {at}; all its bytes may be there, get the file again to be sure"),
                None,
            ));
            return;
        };
        let [c0, c1, c2, c3, l0, l1, l2, l3] = trailer;
        let crc = std::mem::take(&mut self.crc).finalize();
        if u32::from_le_bytes([c0, c1, c2, c3]) != crc {
            self.troubles.push(Trouble::odd(
                "checksum-mismatch",
                format!("the gzip checksum at offset {at} does not fit; the bytes were read as they stand"),
            ));
        }
        if u32::from_le_bytes([l0, l1, l2, l3]) != self.made as u32 {
            self.troubles.push(Trouble::odd(
                "length-mismatch",
                format!(
                    "the gzip length at offset {at} does not fit; the bytes were read as they stand"
                ),
            ));
        }
        self.state = State::Between;
        if self.run_on {
            self.look_for_member();
        }
    }

    fn inflate_some(&mut self, output: &mut [u8]) -> usize {
        let Ok(input) = self.input.fill_buf() else {
            self.damage("unreadable", "the file could not be read on");
            return 0;
        };
        if input.is_empty() {
            self.damage(
                "truncated",
                &format!(
                    "the gzip stream ends at offset {} before its end",
                    self.position
                ),
            );
            return 0;
        }
        let (in_before, out_before) = (self.inflater.total_in(), self.inflater.total_out());
        let result = self
            .inflater
            .decompress(input, output, FlushDecompress::None);
        let taken = (self.inflater.total_in() - in_before) as usize;
        let made = (self.inflater.total_out() - out_before) as usize;
        self.consume(taken);
        self.crc.update(&output[..made]);
        self.made += made as u64;
        match result {
            Ok(Status::StreamEnd) => self.end_member(),
            Ok(_) if taken > 0 || made > 0 => {}
            _ => self.damage(
                "corrupt-data",
                &format!(
                    "the compressed data is damaged near offset {}",
                    self.position
                ),
            ),
        }
        made
    }

    /// What was wrong, in order. Forgets it.
    fn finish(&mut self) -> Vec<Trouble> {
        std::mem::take(&mut self.troubles)
    }
}

impl<R: Read> Read for GzipStream<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while !output.is_empty() {
            match self.state {
                State::Header => self.start_member(),
                State::Body => {
                    let made = self.inflate_some(output);
                    if made > 0 {
                        return Ok(made);
                    }
                }
                State::Between | State::End => return Ok(0),
            }
        }
        Ok(0)
    }
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> usize {
    let mut got = 0;
    while got < buffer.len() {
        match reader.read(&mut buffer[got..]) {
            Ok(0) | Err(_) => break,
            Ok(n) => got += n,
        }
    }
    got
}

// ---------------------------------------------------------------------------------------------------------------
// Walkers

/// Members that are all in memory; popped from the end.
struct Parts {
    events: Vec<Event>,
}

impl Walker for Parts {
    fn kind(&self) -> &'static str {
        "gzip"
    }

    fn next(&mut self) -> Option<Event> {
        self.events.pop()
    }
}

/// A tar in a gzip stream: one hop.
struct TarStream<F> {
    tar: TarWalker<F>,
    ended: bool,
    input: Input,
    hold: u64,
    /// Reads the stream to its end; gives its troubles, and where something follows it.
    after: fn(&mut F) -> (Vec<Trouble>, Option<u64>),
    /// What is given behind the last member of the tar, last first.
    pending: Vec<Event>,
}

impl<F: Feed> Walker for TarStream<F> {
    fn kind(&self) -> &'static str {
        self.tar.kind()
    }

    fn next(&mut self) -> Option<Event> {
        if !self.ended {
            if let Some(event) = self.tar.next() {
                return Some(event);
            }
            self.ended = true;
            let (troubles, trailing_at) = (self.after)(self.tar.feed_mut());
            self.pending
                .extend(trailing_at.and_then(|at| trailing_region(&self.input, at, self.hold)));
            self.pending
                .extend(troubles.into_iter().rev().map(Event::Trouble));
        }
        self.pending.pop()
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        self.tar.read_streamed(buffer)
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.tar.streamed_trouble()
    }
}

/// Members of a stream that is not a tar, decoded one by one.
struct Streams {
    stream: GzipStream<InputReader>,
    input: Input,
    /// What was read to look at, not yet given.
    head: Vec<u8>,
    hold: u64,
    started: bool,
    streaming: bool,
    pending: Vec<Trouble>,
}

impl Walker for Streams {
    fn kind(&self) -> &'static str {
        "gzip"
    }

    fn next(&mut self) -> Option<Event> {
        if self.started {
            self.streaming = false;
            self.head.clear();
            if !self.stream.next_member() {
                self.pending.extend(self.stream.finish());
                if !self.pending.is_empty() {
                    return Some(Event::Trouble(self.pending.remove(0)));
                }
                let at = self.stream.trailing_at.take()?;
                return trailing_region(&self.input, at, self.hold);
            }
        }
        self.started = true;
        let mut content = std::mem::take(&mut self.head);
        let room = self.hold.saturating_sub(content.len() as u64) + 1;
        let _ = (&mut self.stream).take(room).read_to_end(&mut content);
        let name = MemberName::Named(Vec::new());
        if content.len() as u64 > self.hold {
            self.head = content;
            self.streaming = true;
            return Some(Event::Member(Member {
                name,
                body: Body::Streamed(None),
                trouble: None,
                source: None,
                links: Vec::new(),
            }));
        }
        let troubles = self.stream.finish();
        let mut member = Member::whole(name, content.into());
        // The worst of this member's troubles is the member's; the others are the container's.
        for trouble in troubles {
            if member.trouble.is_none() {
                member.trouble = Some(trouble);
            } else {
                self.pending.push(trouble);
            }
        }
        Some(Event::Member(member))
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        if !self.streaming {
            return 0;
        }
        if self.head.is_empty() {
            return self.stream.read(buffer).unwrap_or(0);
        }
        let got = buffer.len().min(self.head.len());
        buffer[..got].copy_from_slice(&self.head[..got]);
        self.head.drain(..got);
        got
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        let mut troubles = self.stream.finish().into_iter();
        let first = troubles.next();
        self.pending.extend(troubles);
        first
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

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
                        Body::Absent => names.push("absent".to_owned()),
                    }
                    names.push(format!("{:?}", member.name));
                    members.push(content);
                    troubles.extend(member.trouble);
                }
                Event::Trouble(trouble) => troubles.push(trouble),
                Event::Other(kind) => names.push(kind.to_owned()),
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
