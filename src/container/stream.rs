//! What is true of every compressed stream, whatever it was compressed with.
//!
//! A file may hold several members, one after the other, and tools differ in what they do then: most stop after
//! the first and say nothing. Here every member is read. A tar or cpio (or a map) that runs on across members is one;
//! otherwise each member is an entry of its own, with an empty name. A damaged or cut member gives the bytes that
//! came before the damage, and what follows the last member is given as a region of its own. Content that is too
//! large to be held is streamed.
//!
//! A format brings a [`Codec`]: it tells where a member begins and decodes it piece by piece. All the rest is here,
//! so that no format can forget a part of it. What stands between members (padding, frames to be skipped) it
//! passes over in [`Codec::find`], and notes what must not be lost.
//!
//! Nothing here allocates by a length that the stream states. Decoders that look back on a window take what
//! [`Limits::window`] allows, and say so where a stream wants more.

use std::collections::VecDeque;
use std::io::{self, Chain, Cursor, Read};

use bytes::Bytes;

use super::cpio::{self, CpioWalker};
use super::feed::{Feed, Input, SliceFeed, StreamFeed};
use super::tar::TarWalker;
use super::{Body, Effect, Event, Member, Trouble, Walker, tar};
use crate::blob::{Limits, MemberName, room};

/// How much of a member is looked at to tell a tar.
const PEEK: usize = 4 << 10;
/// How much compressed input is taken at a time, unless a decoder needs more in one piece.
const CHUNK: usize = 128 << 10;

/// Whether content that begins like this runs on across members, tars apart.
pub type RunsOn = fn(&[u8]) -> bool;

/// What one format has of its own: one decoder, used for one member after the other.
pub trait Codec: Send + 'static {
    /// The word for the format in hops.
    const KIND: &'static str;
    /// The word for a tar in one such stream.
    const TAR: &'static str;
    /// The word for a cpio in one such stream.
    const CPIO: &'static str;

    /// Passes over what stands between members and has no content, and tells whether a member begins then.
    ///
    /// Where none does, the position is that of the first byte that belongs to nothing.
    fn find(&mut self, packed: &mut Packed, notes: &mut Notes) -> bool;

    /// Decodes on in the member. It takes input or makes output, unless the member ends.
    fn decode(&mut self, packed: &mut Packed, output: &mut [u8], notes: &mut Notes) -> Step;
}

/// What came of one call of a decoder.
#[derive(Debug)]
pub enum Step {
    /// So many bytes were made, and more may follow.
    More(usize),
    /// So many bytes were made, and the member ends with them.
    Ended(usize),
    /// So many bytes were made, and nothing behind them can be read.
    Broken(usize, Trouble),
}

/// What a library's decoder did with a piece of input.
#[derive(Debug)]
pub enum Then {
    /// It took all it could, or filled the output.
    More,
    /// The member ended.
    End,
    /// It found damage.
    Corrupt,
}

/// Runs a library's decoder on the next piece of input. `work` gets input and output, and says how many bytes it
/// took, how many it made, and how it goes on. It is asked once more when the input is at its end, since decoders
/// may hold output back.
pub fn run(
    packed: &mut Packed,
    kind: &str,
    output: &mut [u8],
    work: impl FnOnce(&[u8], &mut [u8]) -> (usize, usize, Then),
) -> Step {
    let input = packed.fill();
    let is_end = input.is_empty();
    let (taken, made, then) = work(input, output);
    packed.consume(taken);
    match then {
        Then::End => Step::Ended(made),
        Then::Corrupt => Step::Broken(made, corrupt(packed)),
        Then::More if is_end && made == 0 => Step::Broken(0, cut(packed, kind)),
        Then::More => Step::More(made),
    }
}

/// What a decoder has to say beside the bytes.
#[derive(Debug, Default)]
pub struct Notes {
    /// What is odd, or was passed over.
    pub troubles: Vec<Trouble>,
    /// Bytes of the input that stand beside the content: offset and length.
    pub regions: Vec<(u64, u64)>,
    /// Parts without content, which are only counted.
    pub others: u64,
}

// ---------------------------------------------------------------------------------------------------------------
// Input

/// The compressed bytes, read forward. What is in memory is not copied.
pub struct Packed {
    input: Input,
    window: Bytes,
    position: u64,
    unreadable: bool,
}

impl Packed {
    /// Reads `input` from its beginning.
    pub fn new(input: Input) -> Self {
        Self {
            input,
            window: Bytes::new(),
            position: 0,
            unreadable: false,
        }
    }

    /// Bytes taken so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes behind the position.
    pub fn rest(&self) -> u64 {
        self.input.len().saturating_sub(self.position)
    }

    /// Whether the file could not be read where something was asked for.
    pub fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// Some of the next bytes; none at the end.
    pub fn fill(&mut self) -> &[u8] {
        self.peek(1)
    }

    /// At least `len` of the next bytes; fewer only where the input ends. Callers bound `len`.
    pub fn peek(&mut self, len: usize) -> &[u8] {
        if self.window.len() < len {
            match self.input.slice(self.position, len.max(CHUNK)) {
                Ok(window) => self.window = window,
                Err(_) => {
                    self.window = Bytes::new();
                    self.unreadable = true;
                }
            }
        }
        &self.window
    }

    /// Takes `len` bytes of those that were shown.
    pub fn consume(&mut self, len: usize) {
        let len = len.min(self.window.len());
        let _ = self.window.split_to(len);
        self.position += len as u64;
    }

    /// Passes over `len` bytes, and says how many there were.
    pub fn skip(&mut self, len: u64) -> u64 {
        let len = len.min(self.rest());
        self.go_to(self.position + len);
        len
    }

    /// Reads on from `position`.
    pub fn go_to(&mut self, position: u64) {
        self.window = Bytes::new();
        self.position = position.min(self.input.len());
    }

    /// Takes one byte.
    pub fn byte(&mut self) -> Option<u8> {
        let byte = *self.fill().first()?;
        self.consume(1);
        Some(byte)
    }

    /// Takes the next `N` bytes; where the input ends, what there is of them.
    pub fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        for slot in &mut bytes {
            *slot = self.byte()?;
        }
        Some(bytes)
    }

    /// Passes over zeros. `false` where nothing follows them.
    pub fn skip_zeros(&mut self) -> bool {
        loop {
            let window = self.fill();
            if window.is_empty() {
                return false;
            }
            let padding = zeros(window);
            let is_over = padding < window.len();
            self.consume(padding);
            if is_over {
                return true;
            }
        }
    }
}

/// Zeros at the beginning: padding, behind a member.
pub fn zeros(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|&byte| byte != 0)
        .unwrap_or(bytes.len())
}

// ---------------------------------------------------------------------------------------------------------------
// Skippable frames, which zstd and lz4 share (RFC 8878, 3.1.2)

/// Data of a skippable frame up to this length is only counted: sizes of the frames beside it, and such.
const SKIPPABLE_COUNTED: u64 = 16;

/// The length of the data in a skippable frame that begins here. Its header has 8 bytes.
fn skippable(head: &[u8]) -> Option<u32> {
    let magic = u32::from_le_bytes(*head.first_chunk()?);
    let length = head.get(4..)?.first_chunk()?;
    (magic & 0xffff_fff0 == 0x184d_2a50).then(|| u32::from_le_bytes(*length))
}

/// What follows the skippable frames at the beginning of `head`, as far as it shows.
pub fn behind_skippable(mut head: &[u8]) -> &[u8] {
    while let Some(len) = skippable(head) {
        let end = usize::try_from(len).ok().and_then(|len| len.checked_add(8));
        head = end.and_then(|end| head.get(end..)).unwrap_or_default();
    }
    head
}

/// Passes over zeros and skippable frames, and notes what stands in them. `false` where nothing follows.
pub fn skip_skippable(packed: &mut Packed, notes: &mut Notes) -> bool {
    while packed.skip_zeros() {
        let Some(len) = skippable(packed.peek(8)) else {
            return true;
        };
        packed.consume(8);
        let (at, len) = (packed.position(), u64::from(len));
        let got = packed.skip(len);
        if got > SKIPPABLE_COUNTED {
            notes.regions.push((at, got));
        } else {
            notes.others += 1;
        }
        if got < len {
            notes.troubles.push(Trouble::damaged(
                "truncated",
                format!(
                    "the skippable frame at offset {at} is cut; get the file again for the rest"
                ),
                Some(len - got),
            ));
        }
    }
    false
}

// ---------------------------------------------------------------------------------------------------------------
// Troubles in the same words for all formats

/// Nothing behind this can be read: what is left is not, and nobody can tell how much was cut off.
pub fn damage(packed: &Packed, code: &'static str, what: &str) -> Trouble {
    Trouble::damaged(
        code,
        format!("{what}; what came before it was read, get the file again for the rest"),
        (code != "truncated").then(|| packed.rest()),
    )
}

/// The input ended, or could not be read, within a member.
pub fn cut(packed: &Packed, kind: &str) -> Trouble {
    if packed.is_unreadable() {
        return damage(packed, "unreadable", "the file could not be read on");
    }
    damage(
        packed,
        "truncated",
        &format!(
            "the {kind} stream ends at offset {} before its end",
            packed.position()
        ),
    )
}

/// The decoder refuses what stands here.
pub fn corrupt(packed: &Packed) -> Trouble {
    damage(
        packed,
        "corrupt-data",
        &format!(
            "the compressed data is damaged near offset {}",
            packed.position()
        ),
    )
}

/// The window that the decoder would have to look back on is larger than it may be.
pub fn window_too_large(packed: &Packed, kind: &str, wanted: Option<u64>, limit: u64) -> Trouble {
    let wanted = wanted.map_or(String::new(), |bytes| format!(" ({bytes} bytes)"));
    Trouble::skipped(
        "memory-limit",
        format!(
            "the {kind} member at offset {} looks back on more than a decoder may hold{wanted}; {limit} bytes are allowed, raise --memory",
            packed.position()
        ),
        Some(packed.rest()),
    )
}

/// What was compressed with a dictionary cannot be read without it.
pub fn needs_dictionary(packed: &Packed, kind: &str, id: u32) -> Trouble {
    Trouble::skipped(
        "dictionary-needed",
        format!(
            "the {kind} member at offset {} was compressed with dictionary {id}, which is not in it; unpack it with that dictionary and scan the result",
            packed.position()
        ),
        None,
    )
}

/// A checksum does not fit, and all bytes came.
pub fn wrong_checksum(kind: &str, at: u64) -> Trouble {
    Trouble::odd(
        "checksum-mismatch",
        format!(
            "the {kind} checksum at offset {at} does not fit; the bytes were read as they stand"
        ),
    )
}

/// Neither a checksum nor the length beside it fits: not all bytes came as they were.
pub fn wrong_checksum_and_length(kind: &str, at: u64) -> Trouble {
    Trouble::damaged(
        "checksum-mismatch",
        format!(
            "neither the {kind} checksum at offset {at} nor the length stated with it fits, so bytes are missing or wrong; what came was read, get the file again"
        ),
        None,
    )
}

/// A length that is stated does not fit, and nothing else is wrong.
pub fn wrong_length(kind: &str, at: u64) -> Trouble {
    Trouble::odd(
        "length-mismatch",
        format!("the {kind} length at offset {at} does not fit; the bytes were read as they stand"),
    )
}

// ---------------------------------------------------------------------------------------------------------------
// Members

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Member,
    Between,
    End,
}

/// Decodes members one after the other, and keeps account of what is wrong with them.
pub struct Stream<C> {
    packed: Packed,
    codec: C,
    state: State,
    /// Members run on into one another; otherwise each ends with a read of 0 bytes.
    run_on: bool,
    /// Bytes were given since the member began, or the first of those that run on.
    has_given: bool,
    /// Calls of the decoder that came to nothing, in a row.
    idle: u32,
    notes: Notes,
    /// Where something that is no member follows the last one.
    trailing_at: Option<u64>,
}

/// A decoder that takes nothing and gives nothing so often in a row will do so for ever.
const IDLE_MAX: u32 = 8;

impl<C: Codec> Stream<C> {
    /// Reads what `input` holds, from its beginning.
    pub fn new(input: Input, codec: C) -> Self {
        let mut stream = Self {
            packed: Packed::new(input),
            codec,
            state: State::Between,
            run_on: false,
            has_given: false,
            idle: 0,
            notes: Notes::default(),
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
        let mut sink = [0; 8 << 10];
        while self.state == State::Member {
            self.step(&mut sink);
        }
        self.has_given = false;
        self.state == State::Between && self.look_for_member()
    }

    fn look_for_member(&mut self) -> bool {
        let is_member = self.codec.find(&mut self.packed, &mut self.notes);
        self.state = if is_member { State::Member } else { State::End };
        if !is_member && self.packed.rest() > 0 {
            self.trailing_at = Some(self.packed.position());
        }
        is_member
    }

    /// Decodes some bytes of a member, and goes on to the next one where it ends and they run on.
    fn step(&mut self, output: &mut [u8]) -> usize {
        let before = (self.packed.position(), self.notes.troubles.len());
        let step = self.codec.decode(&mut self.packed, output, &mut self.notes);
        let (made, end, trouble) = match step {
            Step::More(made) => (made, None, None),
            Step::Ended(made) => (made, Some(State::Between), None),
            Step::Broken(made, trouble) => (made, Some(State::End), Some(trouble)),
        };
        self.has_given |= made > 0;
        self.notes.troubles.extend(trouble);
        if let Some(end) = end {
            self.state = end;
        }
        let is_idle = end.is_none() && made == 0 && self.packed.position() == before.0;
        self.idle = if is_idle { self.idle + 1 } else { 0 };
        if self.idle > IDLE_MAX {
            self.state = State::End;
            self.notes.troubles.push(corrupt(&self.packed));
        }
        if self.has_given {
            // Some of it was read, so it is not left out but incomplete.
            for trouble in &mut self.notes.troubles[before.1..] {
                if trouble.effect == Effect::Skipped {
                    trouble.effect = Effect::Damaged;
                    if self.run_on {
                        // What follows would join what came before, and pass for content that never was.
                        self.state = State::End;
                    }
                }
            }
        }
        if self.state == State::Between && self.run_on {
            self.look_for_member();
        }
        made
    }

    /// What was wrong, in order. Forgets it.
    fn finish(&mut self) -> Vec<Trouble> {
        std::mem::take(&mut self.notes.troubles)
    }

    /// What stands beside the content.
    fn beside(&mut self, hold: u64) -> Vec<Event> {
        let input = &self.packed.input;
        let others = std::mem::take(&mut self.notes.others);
        let regions = std::mem::take(&mut self.notes.regions);
        (0..others)
            .map(|_| Event::Other("skippable-frame"))
            .chain(
                regions
                    .into_iter()
                    .filter_map(|(at, len)| skippable_region(input, at, len, hold)),
            )
            .collect()
    }
}

impl<C: Codec> Read for Stream<C> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while !output.is_empty() && self.state == State::Member {
            let made = self.step(output);
            if made > 0 {
                return Ok(made);
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
// Regions

/// The bytes of a region, as many of `len` as may be held.
fn region(input: &Input, at: u64, len: u64, hold: u64) -> Option<Bytes> {
    let hold = match input {
        // A slice of what is in memory costs nothing.
        Input::Memory(_) => u64::MAX,
        Input::File(_) => hold,
    };
    input
        .slice(at, usize::try_from(len.min(hold)).unwrap_or(usize::MAX))
        .ok()
}

/// What follows the last member, at offset `at`: nothing, zeros (padding), or a region that is scanned as such.
fn trailing_region(input: &Input, at: u64, kind: &str, hold: u64) -> Option<Event> {
    let rest = input.len().saturating_sub(at);
    let bytes = region(input, at, rest, hold)?;
    if bytes.iter().all(|&byte| byte == 0) && bytes.len() as u64 == rest {
        return None;
    }
    let unread = rest - bytes.len() as u64;
    let mut member = Member::whole(MemberName::Offset(at), bytes);
    member.trouble = Some(if unread == 0 {
        Trouble::odd(
            "trailing-data",
            format!(
                "{rest} bytes follow the last {kind} member, from offset {at}; they were scanned as they stand"
            ),
        )
    } else {
        Trouble::damaged(
            "memory-limit",
            format!(
                "{rest} bytes follow the last {kind} member, from offset {at}, more than may be held; raise --memory"
            ),
            Some(unread),
        )
    });
    Some(Event::Member(member))
}

/// The data of a frame that decoders skip: nothing is wrong with it, and anything may stand in it.
fn skippable_region(input: &Input, at: u64, len: u64, hold: u64) -> Option<Event> {
    let bytes = region(input, at, len, hold)?;
    let unread = len - bytes.len() as u64;
    let mut member = Member::whole(MemberName::Offset(at), bytes);
    member.trouble = (unread > 0).then(|| {
        Trouble::damaged(
            "memory-limit",
            format!("the skippable frame at offset {at} has {len} bytes, more than may be held; raise --memory"),
            Some(unread),
        )
    });
    Some(Event::Member(member))
}

// ---------------------------------------------------------------------------------------------------------------
// Walkers

/// Opens a stream that is decoded piece by piece.
pub fn open<C: Codec>(
    input: &Input,
    codec: C,
    runs_on: RunsOn,
    limits: &Limits,
) -> Box<dyn Walker> {
    let mut stream = Stream::new(input.clone(), codec);
    let mut head = vec![0; PEEK];
    let got = read_up_to(&mut stream, &mut head);
    head.truncate(got);
    if let Some(archive) = Archive::of(&head) {
        stream.let_run_on();
        let feed = StreamFeed::new(Cursor::new(head).chain(stream));
        return Box::new(ArchiveStream {
            archive: archive.walker::<C, _>(feed, input, limits),
            ended: false,
            hold: limits.hold(),
            after: after::<C>,
            pending: Vec::new(),
        });
    }
    if runs_on(&head) {
        stream.let_run_on();
    }
    Box::new(Streams {
        stream,
        input: input.clone(),
        head: head.into(),
        hold: limits.hold(),
        started: false,
        streaming: false,
        pending: VecDeque::new(),
        looked_beside: false,
    })
}

/// All members of a stream, decoded into one buffer: what a format gives that has a faster way to do so.
pub struct Unpacked {
    /// What the members hold, one behind the other.
    pub content: Bytes,
    /// Where each member ends in it.
    pub ends: Vec<usize>,
    /// Bytes of input that the members take.
    pub used: usize,
}

/// Opens a stream that is decoded already; tells the same of it as [`open`].
pub fn open_unpacked<C: Codec>(
    input: &Input,
    unpacked: &Unpacked,
    runs_on: RunsOn,
    limits: &Limits,
) -> Box<dyn Walker> {
    let content = &unpacked.content;
    let trailing = trailing_region(input, unpacked.used as u64, C::KIND, limits.hold());
    // The careful way knows no more of the first member when it decides.
    let first = unpacked.ends.first().copied().unwrap_or(0);
    let first = content.slice(..first.min(PEEK));
    if let Some(archive) = Archive::of(&first) {
        let feed = SliceFeed::new(content.clone());
        return Box::new(ArchiveStream {
            archive: archive.walker::<C, _>(feed, input, limits),
            ended: false,
            hold: limits.hold(),
            after: |_, _| After::default(),
            pending: trailing.into_iter().collect(),
        });
    }
    let mut parts = Vec::new();
    if unpacked.ends.len() > 1 && runs_on(&first) {
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
    Box::new(Parts {
        kind: C::KIND,
        events,
    })
}

/// Members that are all in memory; popped from the end.
struct Parts {
    kind: &'static str,
    events: Vec<Event>,
}

impl Walker for Parts {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn next(&mut self) -> Option<Event> {
        self.events.pop()
    }
}

/// What is told of a stream behind the archive in it.
#[derive(Default)]
struct After {
    troubles: Vec<Trouble>,
    beside: Vec<Event>,
    trailing: Option<Event>,
}

/// An archive that is one hop with the stream that it is in.
#[derive(Clone, Copy)]
enum Archive {
    Tar,
    Cpio,
}

impl Archive {
    /// The archive that begins so.
    fn of(head: &[u8]) -> Option<Self> {
        if tar::looks_like_tar(head) {
            Some(Archive::Tar)
        } else {
            cpio::looks_like_cpio(head).then_some(Archive::Cpio)
        }
    }

    /// Walks it, within the limits.
    fn walker<C: Codec, F: Feed + 'static>(
        self,
        feed: F,
        input: &Input,
        limits: &Limits,
    ) -> Box<dyn FeedWalker<Metered<F>>> {
        let feed = Metered::new(feed, input.len(), limits);
        let hold = limits.hold();
        match self {
            Archive::Tar => Box::new(TarWalker::new(feed, C::TAR, hold)),
            Archive::Cpio => Box::new(CpioWalker::new(feed, C::CPIO, hold, hold)),
        }
    }
}

/// A walker that takes its bytes from a feed, and gives that back to be asked for its trouble.
pub trait FeedWalker<F>: Walker {
    /// The feed.
    fn feed_mut(&mut self) -> &mut F;
}

/// What a stream has to tell behind the tar in it. The walk of the tar has read it to its end, or to a limit.
fn after<C: Codec>(feed: &mut StreamFeed<Chain<Cursor<Vec<u8>>, Stream<C>>>, hold: u64) -> After {
    let stream = feed.get_mut().get_mut().1;
    // What is packed is the decoder's alone.
    let trailing = stream
        .trailing_at
        .and_then(|at| trailing_region(&stream.packed.input, at, C::KIND, hold));
    After {
        troubles: stream.finish(),
        beside: stream.beside(hold),
        trailing,
    }
}

/// Bytes of a tar or cpio that are part of no member, kept within the limits.
///
/// The engine counts what members give. Behind them, and between them, a few kilobytes can unfold to any number of
/// zeros or other bytes that the tar passes over: those are counted here. What a header and its padding take is no
/// part of that.
struct Metered<F> {
    feed: F,
    input: u64,
    limits: Limits,
    /// Bytes that came in members, and what headers and padding may take beside them.
    accounted: u64,
    /// The limit that ended it.
    hit: Option<&'static str>,
}

impl<F: Feed> Metered<F> {
    /// Padding that any tar may have at its end: the largest records that writers make.
    const PADDING: u64 = 1 << 20;
    /// What a member or an extension header may take beside its data: a block and padding for each of two.
    const HEADER: u64 = 2 << 10;

    fn new(feed: F, input: u64, limits: &Limits) -> Self {
        Self {
            feed,
            input,
            limits: limits.clone(),
            accounted: Self::PADDING,
            hit: None,
        }
    }

    fn passed_over(&self) -> u64 {
        self.feed.position().saturating_sub(self.accounted)
    }

    /// Whether a limit is passed.
    fn is_over(&mut self) -> bool {
        let bytes = self.passed_over();
        let code = if bytes > self.limits.bytes {
            "bytes-limit"
        } else if self.limits.is_bomb(0, bytes, self.input) {
            "ratio-limit"
        } else {
            return self.hit.is_some();
        };
        self.hit.get_or_insert(code);
        true
    }

    fn note(&mut self, event: &Event) {
        let given = match event {
            Event::Member(member) => match &member.body {
                Body::Held(bytes) => bytes.len() as u64,
                _ => 0,
            },
            Event::Other(_) | Event::NamedOther(..) => 0,
            _ => return,
        };
        self.accounted = self.accounted.saturating_add(given + Self::HEADER);
    }

    fn trouble(&self) -> Option<Trouble> {
        let code = self.hit?;
        Some(Trouble::damaged(
            code,
            format!(
                "stopped after {} bytes of the tar that are part of no member; what came before was read, raise --limit-{} to read on",
                self.passed_over(),
                code.trim_end_matches("-limit"),
            ),
            None,
        ))
    }
}

impl<F: Feed> Feed for Metered<F> {
    fn take(&mut self, len: usize) -> Bytes {
        // A member is known as one when it is given: what comes now is judged the next time.
        if self.is_over() {
            return Bytes::new();
        }
        self.feed.take(len)
    }

    fn skip(&mut self, len: u64) -> u64 {
        const STEP: u64 = 1 << 20;
        // The padding of a member that was taken and is not given yet.
        const BLOCK: u64 = 512;
        if len < BLOCK {
            return self.feed.skip(len);
        }
        let mut skipped = 0;
        while skipped < len && !self.is_over() {
            let step = (len - skipped).min(STEP);
            let got = self.feed.skip(step);
            skipped += got;
            if got < step {
                break;
            }
        }
        skipped
    }

    fn position(&self) -> u64 {
        self.feed.position()
    }
}

/// A tar or cpio in a compressed stream: one hop.
struct ArchiveStream<F> {
    archive: Box<dyn FeedWalker<Metered<F>>>,
    ended: bool,
    hold: u64,
    after: fn(&mut F, u64) -> After,
    /// What is given behind the last member of the archive, last first.
    pending: Vec<Event>,
}

impl<F: Feed> Walker for ArchiveStream<F> {
    fn kind(&self) -> &'static str {
        self.archive.kind()
    }

    fn next(&mut self) -> Option<Event> {
        if !self.ended {
            if let Some(event) = self.archive.next() {
                self.archive.feed_mut().note(&event);
                return Some(event);
            }
            self.ended = true;
            let limit = self.archive.feed_mut().trouble();
            let after = (self.after)(&mut self.archive.feed_mut().feed, self.hold);
            self.pending.extend(after.trailing);
            self.pending.extend(after.beside.into_iter().rev());
            self.pending
                .extend(after.troubles.into_iter().rev().map(Event::Trouble));
            self.pending.extend(limit.map(Event::Trouble));
        }
        self.pending.pop()
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        let got = self.archive.read_streamed(buffer);
        let feed = self.archive.feed_mut();
        feed.accounted = feed.accounted.saturating_add(got as u64);
        got
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.archive.streamed_trouble()
    }
}

/// Members of a stream that is no such archive, decoded one by one.
struct Streams<C> {
    stream: Stream<C>,
    input: Input,
    /// What was read to look at, not yet given.
    head: Bytes,
    hold: u64,
    started: bool,
    streaming: bool,
    /// What is told behind the last member.
    pending: VecDeque<Event>,
    looked_beside: bool,
}

impl<C: Codec> Streams<C> {
    /// What is told behind the last member.
    fn end(&mut self) -> Option<Event> {
        let troubles = self.stream.finish();
        self.pending
            .extend(troubles.into_iter().map(Event::Trouble));
        if !std::mem::replace(&mut self.looked_beside, true) {
            self.pending.extend(self.stream.beside(self.hold));
        }
        if let Some(event) = self.pending.pop_front() {
            return Some(event);
        }
        let at = self.stream.trailing_at.take()?;
        trailing_region(&self.input, at, C::KIND, self.hold)
    }
}

impl<C: Codec> Walker for Streams<C> {
    fn kind(&self) -> &'static str {
        C::KIND
    }

    fn next(&mut self) -> Option<Event> {
        if self.started {
            self.streaming = false;
            self.head = Bytes::new();
            if !self.stream.next_member() {
                return self.end();
            }
        }
        self.started = true;
        let mut content = Vec::from(std::mem::take(&mut self.head));
        let room = self.hold.saturating_sub(content.len() as u64) + 1;
        let _ = room::read(&mut self.stream, room, &mut content);
        let name = MemberName::Named(Vec::new());
        if content.len() as u64 > self.hold {
            self.head = content.into();
            self.streaming = true;
            return Some(Event::Member(Member {
                name,
                body: Body::Streamed(None),
                trouble: None,
                source: None,
                links: Vec::new(),
                time: None,
            }));
        }
        let mut troubles = self.stream.finish().into_iter();
        let first = troubles.next();
        // The first of this member's troubles is the member's; the others are the container's.
        self.pending.extend(troubles.map(Event::Trouble));
        let mut member = match first {
            Some(trouble) if trouble.effect == Effect::Skipped && content.is_empty() => {
                return Some(Event::Member(Member::absent(name, trouble)));
            }
            _ => Member::whole(name, content.into()),
        };
        member.trouble = first;
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
        buffer[..got].copy_from_slice(&self.head.split_to(got));
        got
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        let mut troubles = self.stream.finish().into_iter();
        let first = troubles.next();
        self.pending.extend(troubles.map(Event::Trouble));
        first
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::container::testing::{Seen, walk, walk_input};
    use crate::container::{Format, bzip2, gzip, lz4, lzma, xz, zlib, zstd};

    /// A format, and another hand's way to pack.
    struct Case {
        format: Box<dyn Format>,
        tar: &'static str,
        pack: fn(&[u8]) -> Vec<u8>,
        /// Whether files may have several members.
        is_many: bool,
        /// Bytes that may be lost before the place of damage, since the decoder gives no part of a block.
        block: usize,
    }

    fn runs_on(head: &[u8]) -> bool {
        head.starts_with(b"{")
    }

    fn cases() -> Vec<Case> {
        vec![
            Case {
                format: Box::new(gzip::Gzip { runs_on }),
                tar: "tar.gz",
                pack: |bytes| written(flate2::write::GzEncoder::new(Vec::new(), level()), bytes),
                is_many: true,
                block: 0,
            },
            Case {
                format: Box::new(zstd::Zstd { runs_on }),
                tar: "tar.zst",
                pack: |bytes| {
                    let mut encoder = ::zstd::Encoder::new(Vec::new(), 3).unwrap();
                    encoder.include_checksum(true).unwrap();
                    written(encoder, bytes)
                },
                is_many: true,
                block: 128 << 10,
            },
            Case {
                format: Box::new(xz::Xz { runs_on }),
                tar: "tar.xz",
                pack: |bytes| written(liblzma::write::XzEncoder::new(Vec::new(), 1), bytes),
                is_many: true,
                block: 0,
            },
            Case {
                format: Box::new(lzma::Lzma {
                    is_candidate: |_| true,
                    runs_on,
                }),
                tar: "tar.lzma",
                pack: |bytes| {
                    let options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
                    let stream = liblzma::stream::Stream::new_lzma_encoder(&options).unwrap();
                    written(
                        liblzma::write::XzEncoder::new_stream(Vec::new(), stream),
                        bytes,
                    )
                },
                is_many: false,
                block: 0,
            },
            Case {
                format: Box::new(bzip2::Bzip2 { runs_on }),
                tar: "tar.bz2",
                pack: |bytes| {
                    let level = ::bzip2::Compression::new(1);
                    written(::bzip2::write::BzEncoder::new(Vec::new(), level), bytes)
                },
                is_many: true,
                block: 100_000,
            },
            Case {
                format: Box::new(lz4::Lz4 { runs_on }),
                tar: "tar.lz4",
                pack: |bytes| written(lz4_flex::frame::FrameEncoder::new(Vec::new()), bytes),
                is_many: true,
                block: 0,
            },
            Case {
                format: Box::new(zlib::Zlib {
                    is_candidate: |_| true,
                    runs_on,
                }),
                tar: "tar.zlib",
                pack: |bytes| written(flate2::write::ZlibEncoder::new(Vec::new(), level()), bytes),
                is_many: false,
                block: 0,
            },
        ]
    }

    fn level() -> flate2::Compression {
        flate2::Compression::default()
    }

    /// What encoders call their end.
    trait Finish: io::Write {
        fn end(self) -> Vec<u8>;
    }

    macro_rules! finish {
        ($($encoder:ty),*) => {
            $(impl Finish for $encoder {
                fn end(self) -> Vec<u8> {
                    self.finish().unwrap()
                }
            })*
        };
    }
    finish!(
        flate2::write::GzEncoder<Vec<u8>>,
        flate2::write::ZlibEncoder<Vec<u8>>,
        ::zstd::Encoder<'_, Vec<u8>>,
        liblzma::write::XzEncoder<Vec<u8>>,
        ::bzip2::write::BzEncoder<Vec<u8>>,
        lz4_flex::frame::FrameEncoder<Vec<u8>>
    );

    fn written(mut encoder: impl Finish, bytes: &[u8]) -> Vec<u8> {
        encoder.write_all(bytes).unwrap();
        encoder.end()
    }

    fn seen(case: &Case, file: &[u8]) -> Seen {
        walk(case.format.as_ref(), file, &Limits::default()).unwrap()
    }

    /// Text that compresses about as real text does.
    fn text(len: usize) -> Vec<u8> {
        let mut text = Vec::new();
        let mut number = 1_u32;
        while text.len() < len {
            number = number.wrapping_mul(2_654_435_761).wrapping_add(12_345);
            text.extend(format!("line {} of {}\n", number >> 20, number >> 8 & 0xff).bytes());
        }
        text.truncate(len);
        text
    }

    fn tar_of(name: &str, content: &[u8]) -> Vec<u8> {
        let mut builder = ::tar::Builder::new(Vec::new());
        let mut header = ::tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn members_are_entries_and_zeros_behind_them_padding() {
        for case in cases() {
            let first = (case.pack)(b"the first member, which is no map");
            assert!(case.format.recognise(&first), "{}", case.tar);
            let mut file = first.clone();
            file.extend([0; 24]);
            let mut expected = vec![b"the first member, which is no map".to_vec()];
            if case.is_many {
                file.extend((case.pack)(b"the second"));
                expected.push(b"the second".to_vec());
            }
            file.extend([0; 512]);
            let seen = seen(&case, &file);
            let members: Vec<_> = seen.members.into_iter().collect();
            let named = |content| (String::new(), content);
            let expected: Vec<_> = expected.into_iter().map(named).collect();
            assert_eq!(members, expected, "{}", case.tar);
            assert_eq!(seen.codes, [""; 0], "{}", case.tar);
            assert_eq!(seen.kind, case.format.name());
        }
    }

    #[test]
    fn maps_and_tars_run_on_across_members_and_a_tar_is_one_hop() {
        let tar = tar_of("a/b.txt", &text(9_000));
        for case in cases() {
            if case.is_many {
                let file = [(case.pack)(b"{\"a\":"), (case.pack)(b"1}")].concat();
                assert_eq!(
                    seen(&case, &file).members,
                    [(String::new(), b"{\"a\":1}".to_vec())]
                );
            }
            let file = if case.is_many {
                [(case.pack)(&tar[..5_000]), (case.pack)(&tar[5_000..])].concat()
            } else {
                (case.pack)(&tar)
            };
            let seen = seen(&case, &file);
            assert_eq!(seen.kind, case.tar);
            assert_eq!(seen.members, [("a/b.txt".to_owned(), text(9_000))]);
            assert_eq!(seen.codes, [""; 0]);
        }
    }

    #[test]
    fn what_follows_the_last_member_is_a_region() {
        let tar = tar_of("a/b.txt", b"content");
        for case in cases() {
            for content in [&b"just some text, a little longer than a word"[..], &tar] {
                let mut file = (case.pack)(content);
                let at = file.len();
                file.extend(b"behind the stream");
                let seen = seen(&case, &file);
                let region = (format!("@{at}"), b"behind the stream".to_vec());
                assert_eq!(seen.members.last(), Some(&region), "{}", case.tar);
                assert_eq!(seen.members.len(), 2);
                assert_eq!(seen.codes, ["trailing-data"]);
            }
        }
    }

    /// A tar with so many zeros behind its end, in zstd, read with `limits`.
    fn padded(zeros: u64, limits: &Limits) -> Seen {
        let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
        io::Write::write_all(&mut encoder, &tar_of("a/b.txt", b"content")).unwrap();
        io::copy(&mut io::repeat(0).take(zeros), &mut encoder).unwrap();
        let file = encoder.finish().unwrap();
        walk(&zstd::Zstd { runs_on }, &file, limits).unwrap()
    }

    #[test]
    fn padding_behind_a_tar_is_bounded_by_the_limits() {
        let member = [("a/b.txt".to_owned(), b"content".to_vec())];
        let limits = Limits {
            bytes: 3 << 20,
            ..Limits::default()
        };
        let seen = padded(1 << 20, &limits);
        assert_eq!(seen.members, member);
        assert_eq!(seen.codes, [""; 0]);
        let seen = padded(8 << 20, &limits);
        assert_eq!(seen.members, member);
        assert_eq!(seen.codes, ["bytes-limit"]);
        assert_eq!(seen.effects, [Effect::Damaged]);
        let seen = padded(300 << 20, &Limits::default());
        assert_eq!(seen.codes, ["ratio-limit"]);
        assert_eq!(seen.effects, [Effect::Damaged]);
    }

    /// Whichever way a gzip is decoded; members and their headers count nothing.
    #[test]
    fn a_tar_in_memory_has_the_same_bounds() {
        let mut builder = ::tar::Builder::new(Vec::new());
        for at in 0..3_000 {
            let mut header = ::tar::Header::new_gnu();
            header.set_size(1);
            header.set_mode(0o644);
            let name = format!("{}{at}", "long/".repeat(40));
            builder.append_data(&mut header, name, &b"x"[..]).unwrap();
        }
        let mut tar = builder.into_inner().unwrap();
        let limits = Limits {
            bytes: 10_000,
            ..Limits::default()
        };
        let pack = |tar: &[u8]| written(flate2::write::GzEncoder::new(Vec::new(), level()), tar);
        let found = walk(&gzip::Gzip { runs_on }, &pack(&tar), &limits).unwrap();
        assert_eq!((found.members.len(), found.codes.len()), (3_000, 0));
        // What is no padding is told of too.
        tar.extend(vec![0; 16 << 20]);
        tar.extend(b"behind the zeros");
        let found = walk(&gzip::Gzip { runs_on }, &pack(&tar), &limits).unwrap();
        assert_eq!(found.members.len(), 3_000);
        assert_eq!(found.codes, ["bytes-limit"]);
        let found = walk(&gzip::Gzip { runs_on }, &pack(&tar), &Limits::default()).unwrap();
        assert_eq!(found.codes, ["truncated"]);
    }

    #[test]
    fn what_may_not_be_held_is_streamed_to_the_same_bytes() {
        let content = text(300_000);
        let limits = Limits {
            memory: 20_000,
            ..Limits::default()
        };
        for case in cases() {
            let mut file = (case.pack)(&content);
            let seen = walk(case.format.as_ref(), &file, &limits).unwrap();
            assert_eq!(seen.streamed, 1, "{}", case.tar);
            assert_eq!(seen.members, [(String::new(), content.clone())]);
            assert_eq!(seen.codes, [""; 0], "{}", case.tar);
            file.truncate(file.len() - 20);
            let seen = walk(case.format.as_ref(), &file, &limits).unwrap();
            assert_eq!(seen.codes, ["truncated"], "{}", case.tar);
        }
    }

    /// Input in memory is one piece, a file comes in many.
    #[test]
    fn files_are_read_as_memory_is() {
        let content = text(3_000_000);
        for case in cases() {
            let mut bytes = (case.pack)(&content);
            if case.is_many {
                bytes.extend([0; 300_000]);
                bytes.extend((case.pack)(&content[..200_000]));
            }
            bytes.extend(b"behind");
            let cut = bytes.len() * 2 / 5;
            for bytes in [&bytes[..], &bytes[..cut]] {
                let mut file = tempfile::tempfile().unwrap();
                io::Write::write_all(&mut file, bytes).unwrap();
                let input = Input::File(crate::container::InputFile::new(file, bytes.len() as u64));
                let limits = Limits::default();
                let found = walk_input(case.format.as_ref(), input, &limits).unwrap();
                assert!(found == seen(&case, bytes), "{}", case.tar);
            }
        }
    }

    /// Damage in the middle costs what is behind it, and is said.
    #[test]
    fn bytes_before_the_damage_come_back() {
        let content = text(600_000);
        for case in cases() {
            let whole = (case.pack)(&content);
            let cut = seen(&case, &whole[..whole.len() / 2]);
            let (_, got) = &cut.members[0];
            assert!(content.starts_with(got), "{}", case.tar);
            let least = (content.len() / 3).saturating_sub(case.block);
            assert!(got.len() >= least, "{}: {} bytes", case.tar, got.len());
            assert_eq!(cut.codes, ["truncated"], "{}", case.tar);
            assert_eq!(cut.effects, [Effect::Damaged], "{}", case.tar);

            let mut broken = whole.clone();
            let middle = broken.len() / 2;
            broken[middle..middle + 40].fill(0xff);
            let seen = seen(&case, &broken);
            let (_, got) = &seen.members[0];
            let same = content.iter().zip(got).take_while(|(a, b)| a == b).count();
            assert!(same >= least, "{}: {same} bytes", case.tar);
            // Without a checksum nobody can tell.
            let is_silent = case.tar == "tar.lzma" || case.tar == "tar.lz4";
            assert!(is_silent || !seen.codes.is_empty(), "{}", case.tar);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_cut_anywhere_gives_a_beginning(len in 1..9_000_usize, share in 0.0..1.0_f64) {
            let content = text(len);
            for case in cases() {
                let whole = (case.pack)(&content);
                // What is shorter than its magic is not taken for a stream.
                let at = ((whole.len() as f64 * share) as usize).max(14).min(whole.len());
                let seen = seen(&case, &whole[..at]);
                let got: Vec<u8> = seen.members.into_iter().flat_map(|(_, bytes)| bytes).collect();
                prop_assert!(content.starts_with(&got), "{}: cut at {}", case.tar, at);
                prop_assert!(got == content || !seen.codes.is_empty(), "{}: cut at {}", case.tar, at);
            }
        }

        #[test]
        fn a_flip_anywhere_is_survived(len in 1..9_000_usize, share in 0.0..1.0_f64, bit in 0..8_u8, second in any::<bool>()) {
            let content = text(len);
            for case in cases() {
                let mut file = (case.pack)(&content);
                if second && case.is_many {
                    file.extend((case.pack)(&content));
                }
                let at = (file.len() as f64 * share) as usize;
                file[at] ^= 1 << bit;
                let seen = seen(&case, &file);
                prop_assert!(seen.members.len() <= 4, "{}: {} members", case.tar, seen.members.len());
            }
        }

        #[test]
        fn anything_behind_a_magic_is_survived(rest in proptest::collection::vec(any::<u8>(), 0..400)) {
            for case in cases() {
                let mut file = (case.pack)(b"some text that is packed");
                for keep in [4, 6, 14] {
                    file.truncate(keep.min(file.len()));
                    let file = [&file[..], &rest].concat();
                    if case.format.recognise(&file) {
                        seen(&case, &file);
                    }
                }
            }
        }
    }
}
