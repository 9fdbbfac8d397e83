//! cpio: the new portable format with and without sums (`070701`, `070702`), the old portable one (`070707`), and the
//! old binary one in both orders of bytes (`cpio(5)`).
//!
//! Packages of rpm, start-up disks of Linux and old backups are made of it. Each header carries the length of its name
//! and of its data, and an entry called `TRAILER!!!` ends the archive. Hard links of the new formats share one copy of
//! the data, which stands with the last of them; the others are counted.
//!
//! Start-up disks are several archives in a row, of which later ones may be compressed: zeros behind a trailer are
//! padding, a header goes on, and anything else is a region, which goes round again. After damage the next header is
//! looked for in what follows.
//!
//! Left out: the form that rpm uses for files beyond 4 GiB (`07070X`), whose sizes stand outside of the archive.

use bytes::Bytes;

use super::feed::{Feed, Input, SliceFeed, StreamFeed};
use super::stream::FeedWalker;
use super::{Body, Event, Format, Member, Trouble, Walker};
use crate::blob::{Limits, MemberName};

/// The longest name that is believed: `PATH_MAX` of Linux is 4,096.
const NAME_MAX: u64 = 64 << 10;
/// A member that states more than may be held is streamed if it has this many bytes.
const STREAMED_MIN: usize = 64 << 10;
/// The longest header, that of the new format.
const HEADER_MAX: usize = 110;
const TRAILER: &[u8] = b"TRAILER!!!";
/// Kinds of files, by the upper bits of the mode.
const KIND_MASK: u64 = 0o170_000;
/// The data of a symbolic link is its target; longer ones are read as members.
const LINK_MAX: u64 = 4_096;

/// The cpio format, not compressed.
pub struct Cpio;

impl Format for Cpio {
    fn name(&self) -> &'static str {
        "cpio"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        looks_like_cpio(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        Ok(match input {
            Input::Memory(bytes) => Box::new(CpioWalker::new(
                SliceFeed::new(bytes),
                "cpio",
                limits.hold(),
                u64::MAX,
            )),
            file @ Input::File(_) => Box::new(CpioWalker::new(
                StreamFeed::new(file.reader(0)),
                "cpio",
                limits.hold(),
                limits.hold(),
            )),
        })
    }
}

/// Whether content begins with a header of cpio and a name.
pub fn looks_like_cpio(head: &[u8]) -> bool {
    let Some(header) = Header::read(head) else {
        return false;
    };
    let name = head
        .get(header.dialect.len()..)
        .and_then(|behind| behind.get(..header.name_len as usize));
    let Some(name) = name else {
        return false;
    };
    let Some((&0, name)) = name.split_last() else {
        return false;
    };
    if name.is_empty() || name.contains(&0) {
        return false;
    }
    if header.dialect != Dialect::Little && header.dialect != Dialect::Big {
        return true;
    }
    // Two bytes of magic are few: the next header must stand where this one says, where that is to be seen.
    let next = header.data_at().saturating_add(header.padded_size());
    let next = usize::try_from(next).ok().and_then(|at| head.get(at..));
    header.has_known_kind()
        && next.is_none_or(|next| next.len() < 26 || Header::read(next).is_some())
}

/// Length of the archive that `bytes` begin with, by its headers up to the trailer, or to the last that stands there;
/// `None` where none does.
pub fn archive_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    while let Some(rest) = bytes.get(at..).filter(|rest| looks_like_cpio(rest)) {
        let header = Header::read(rest)?;
        let len = header.data_at().saturating_add(header.padded_size());
        at = at
            .saturating_add(usize::try_from(len).ok()?)
            .min(bytes.len());
        if rest[header.dialect.len()..].starts_with(TRAILER) {
            break;
        }
    }
    (at > 0).then_some(at)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// `070701`, and `070702` with a sum of the data.
    New {
        summed: bool,
    },
    /// `070707` in digits.
    Old,
    /// `070707` as a number of 16 bits.
    Little,
    Big,
}

impl Dialect {
    /// Length of the header in bytes.
    fn len(self) -> usize {
        match self {
            Dialect::New { .. } => HEADER_MAX,
            Dialect::Old => 76,
            Dialect::Little | Dialect::Big => 26,
        }
    }

    /// What names (with the header) and data are padded to.
    fn alignment(self) -> u64 {
        match self {
            Dialect::New { .. } => 4,
            Dialect::Old => 1,
            Dialect::Little | Dialect::Big => 2,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Header {
    dialect: Dialect,
    mode: u64,
    links: u64,
    size: u64,
    name_len: u64,
    sum: u64,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let magic = bytes.get(..6)?;
        let header = match magic {
            b"070701" | b"070702" => {
                let field = |index: usize| digits(bytes.get(6 + index * 8..14 + index * 8)?, 16);
                Self {
                    dialect: Dialect::New {
                        summed: magic.ends_with(b"2"),
                    },
                    mode: field(1)?,
                    links: field(4)?,
                    size: field(6)?,
                    name_len: field(11)?,
                    sum: field(12)?,
                }
            }
            b"070707" => Self {
                dialect: Dialect::Old,
                mode: digits(bytes.get(18..24)?, 8)?,
                links: digits(bytes.get(36..42)?, 8)?,
                size: digits(bytes.get(65..76)?, 8)?,
                name_len: digits(bytes.get(59..65)?, 8)?,
                sum: 0,
            },
            [0xc7, 0x71, ..] => Self::binary(bytes, Dialect::Little, u16::from_le_bytes)?,
            [0x71, 0xc7, ..] => Self::binary(bytes, Dialect::Big, u16::from_be_bytes)?,
            _ => return None,
        };
        (1..=NAME_MAX).contains(&header.name_len).then_some(header)
    }

    /// Numbers of 32 bits are two of 16, the upper one first, whatever the order of the bytes in each.
    fn binary(bytes: &[u8], dialect: Dialect, word: fn([u8; 2]) -> u16) -> Option<Self> {
        let word = |index: usize| -> Option<u64> {
            Some(word(*bytes.get(index * 2..)?.first_chunk()?).into())
        };
        Some(Self {
            dialect,
            mode: word(3)?,
            links: word(6)?,
            size: word(11)? << 16 | word(12)?,
            name_len: word(10)?,
            sum: 0,
        })
    }

    fn padding(&self, len: u64) -> u64 {
        len.next_multiple_of(self.dialect.alignment()) - len
    }

    fn data_at(&self) -> u64 {
        let end = self.dialect.len() as u64 + self.name_len;
        end + self.padding(end)
    }

    fn padded_size(&self) -> u64 {
        self.size + self.padding(self.size)
    }

    fn has_known_kind(&self) -> bool {
        const KINDS: [u64; 8] = [0, 0o1, 0o2, 0o4, 0o6, 0o10, 0o12, 0o14];
        KINDS.contains(&(self.mode >> 12))
    }

    /// What it is beside a regular file.
    fn other(&self) -> Option<&'static str> {
        match self.mode & KIND_MASK {
            0o040_000 => Some("folder"),
            0o120_000 => Some("symlink"),
            0o020_000 | 0o060_000 => Some("device"),
            0o010_000 => Some("fifo"),
            0o140_000 => Some("socket"),
            _ => None,
        }
    }
}

fn digits(text: &[u8], radix: u32) -> Option<u64> {
    // A sign would be taken otherwise.
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    if !text.iter().all(is_digit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(text).ok()?, radix).ok()
}

/// What is left of a cpio, in memory.
struct Rest {
    /// Where it begins.
    base: u64,
    bytes: Bytes,
    feed: SliceFeed,
}

impl Rest {
    fn new(base: u64, bytes: Bytes) -> Self {
        let feed = SliceFeed::new(bytes.clone());
        Self { base, bytes, feed }
    }
}

/// Walks the headers of a cpio.
pub struct CpioWalker<F> {
    feed: F,
    kind: &'static str,
    hold: u64,
    /// Bytes up to which a member is given in memory.
    held_max: u64,
    /// What follows damage or the archive, in memory: the walk goes on there.
    rest: Option<Rest>,
    /// The rest of a streamed member: its beginning, bytes that were not read, and padding.
    streaming: Option<(Bytes, u64, u64)>,
    streamed_trouble: Option<Trouble>,
    pending: Vec<Event>,
    done: bool,
}

impl<F: Feed> CpioWalker<F> {
    /// Walks what `feed` gives. Up to `hold` bytes that are no member's are kept at a time; members up to `held_max`
    /// are given in memory, larger ones streamed.
    pub fn new(feed: F, kind: &'static str, hold: u64, held_max: u64) -> Self {
        Self {
            feed,
            kind,
            hold,
            held_max,
            rest: None,
            streaming: None,
            streamed_trouble: None,
            pending: Vec::new(),
            done: false,
        }
    }

    fn position(&self) -> u64 {
        match &self.rest {
            Some(rest) => rest.base + rest.feed.position(),
            None => self.feed.position(),
        }
    }

    fn take(&mut self, len: usize) -> Bytes {
        match &mut self.rest {
            Some(rest) => rest.feed.take(len),
            None => self.feed.take(len),
        }
    }

    fn skip(&mut self, len: u64) -> u64 {
        match &mut self.rest {
            Some(rest) => rest.feed.skip(len),
            None => self.feed.skip(len),
        }
    }

    /// Reads one header and what belongs to it.
    fn step(&mut self) -> Option<Event> {
        let at = self.position();
        let first = self.take(26);
        if first.len() < 26 {
            return self.leave(at, first, false);
        }
        let len = match first.get(..6) {
            Some(b"070701" | b"070702") => HEADER_MAX,
            Some(b"070707") => 76,
            _ => 26,
        };
        let mut head = first.to_vec();
        head.extend(self.take(len - 26));
        let Some(header) = Header::read(&head) else {
            return self.leave(at, head.into(), true);
        };
        let name = self.take(header.name_len as usize);
        let is_name = name.last() == Some(&0) && memchr::memchr(0, &name) == Some(name.len() - 1);
        if !is_name {
            head.extend(name);
            return self.leave(at, head.into(), true);
        }
        let end = header.dialect.len() as u64 + header.name_len;
        self.skip(header.padding(end));
        let name = name[..name.len() - 1].to_vec();
        if name == TRAILER {
            self.skip(header.padded_size());
            return self.after_trailer();
        }
        Some(self.entry(at, name, header))
    }

    fn entry(&mut self, at: u64, name: Vec<u8>, header: Header) -> Event {
        let is_new = matches!(header.dialect, Dialect::New { .. });
        if is_new && header.links > 1 && header.size == 0 && header.other().is_none() {
            return Event::Other("hard-link");
        }
        let is_link = header.other() == Some("symlink") && header.size <= LINK_MAX;
        if let Some(other) = header.other()
            && (header.size == 0 || is_link)
        {
            self.skip(header.padded_size());
            return Event::Other(other);
        }
        let mut member = self.body(at, name, header);
        if let Some(other) = header.other() {
            self.pending.push(Event::Other(other));
            member.trouble.get_or_insert_with(|| {
                Trouble::odd(
                    "unexpected-data",
                    format!("the mode of the entry is that of a {other}, and it has data, which was read as a member"),
                )
            });
        }
        Event::Member(member)
    }

    fn body(&mut self, at: u64, name: Vec<u8>, header: Header) -> Member {
        let name = MemberName::Named(name);
        let size = header.size;
        let bytes = if size > self.held_max {
            let head = self.take(STREAMED_MIN.min(size as usize));
            if head.len() >= STREAMED_MIN {
                let unread = size - head.len() as u64;
                self.streaming = Some((head, unread, header.padding(size)));
                return Member {
                    body: Body::Streamed(Some(size)),
                    ..Member::whole(name, Bytes::new())
                };
            }
            head
        } else {
            self.take(size as usize)
        };
        let missing = size - bytes.len() as u64;
        let is_summed = header.dialect == Dialect::New { summed: true };
        let sum = || {
            let bytes = bytes.iter().map(|&byte| u32::from(byte));
            u64::from(bytes.fold(0, u32::wrapping_add))
        };
        let trouble = if missing > 0 {
            self.done = true;
            Some(cut(at, missing))
        } else if is_summed && header.other().is_none() && sum() != header.sum {
            Some(Trouble::odd(
                "checksum-mismatch",
                "the sum of the entry does not fit; the bytes were read as they stand",
            ))
        } else {
            None
        };
        self.skip(header.padding(size));
        let mut member = Member::whole(name, bytes);
        member.trouble = trouble;
        member
    }

    /// What follows a trailer: padding, the next archive, or a region.
    fn after_trailer(&mut self) -> Option<Event> {
        self.pending.push(Event::Other("header"));
        let Some((at, rest)) = self.collect(Bytes::new()) else {
            self.done = true;
            return self.pending.pop();
        };
        let padding = super::stream::zeros(&rest);
        let rest = rest.slice(padding..);
        let at = at + padding as u64;
        if looks_like_cpio(&rest) {
            self.rest = Some(Rest::new(at, rest));
        } else {
            self.done = true;
            if !rest.is_empty() {
                self.pending
                    .push(Event::Member(Member::whole(MemberName::Offset(at), rest)));
            }
        }
        self.pending.pop()
    }

    /// All that follows, in memory, as far as it may be held; `taken` was taken of it already.
    fn collect(&mut self, taken: Bytes) -> Option<(u64, Bytes)> {
        let at = self.position() - taken.len() as u64;
        if let Some(rest) = &self.rest {
            let from = usize::try_from(at - rest.base).unwrap_or(usize::MAX);
            let bytes = rest.bytes.slice(from.min(rest.bytes.len())..);
            return (!bytes.is_empty()).then_some((at, bytes));
        }
        let most = usize::try_from(self.hold).unwrap_or(usize::MAX);
        let rest = self.feed.take(most);
        let bytes = if taken.is_empty() {
            rest
        } else {
            [&taken[..], &rest].concat().into()
        };
        let unread = self.skip(u64::MAX);
        if unread > 0 {
            self.pending.push(Event::Trouble(Trouble::damaged(
                "memory-limit",
                format!("{unread} bytes behind the entries of the cpio are more than may be held; raise --memory"),
                Some(unread),
            )));
        }
        (!bytes.is_empty()).then_some((at, bytes))
    }

    /// What stands where a header should: padding, or damage up to the next header.
    fn leave(&mut self, at: u64, taken: Bytes, is_damage: bool) -> Option<Event> {
        let Some((_, rest)) = self.collect(taken) else {
            self.done = true;
            return self.pending.pop();
        };
        let next = is_damage
            .then(|| {
                memchr::memmem::find_iter(&rest, b"07070")
                    .filter(|&found| found > 0)
                    .find(|&found| looks_like_cpio(&rest[found..]))
            })
            .flatten();
        let end = next.unwrap_or(rest.len());
        match next {
            Some(next) => self.rest = Some(Rest::new(at + next as u64, rest.slice(next..))),
            None => self.done = true,
        }
        let region = rest.slice(..end);
        if region.iter().all(|&byte| byte == 0) {
            return self.pending.pop().or(Some(Event::Other("padding")));
        }
        let code = if is_damage {
            "cpio-damaged"
        } else {
            "truncated"
        };
        self.pending.push(Event::Trouble(Trouble::damaged(
            code,
            format!(
                "{end} bytes at offset {at} of the cpio are neither a header nor a member's; they were scanned as they stand{}",
                if next.is_some() { ", and the walk went on at the next header" } else { ", and no header follows" }
            ),
            None,
        )));
        Some(Event::Member(Member::whole(MemberName::Offset(at), region)))
    }
}

fn cut(at: u64, missing: u64) -> Trouble {
    Trouble::damaged(
        "truncated",
        format!(
            "the entry at offset {at} of the cpio states {missing} bytes more than there are; what is there was read"
        ),
        Some(missing),
    )
}

impl<F: Feed> Walker for CpioWalker<F> {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn next(&mut self) -> Option<Event> {
        if let Some((_, unread, padding)) = self.streaming.take() {
            let skipped = self.skip(unread);
            if skipped < unread {
                self.done = true;
                return Some(Event::Trouble(cut(self.position(), unread - skipped)));
            }
            self.skip(padding);
        }
        if let Some(event) = self.pending.pop() {
            return Some(event);
        }
        if self.done {
            return None;
        }
        self.step()
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        let Some((mut head, mut unread, padding)) = self.streaming.take() else {
            return 0;
        };
        let got = if head.is_empty() {
            let want = usize::try_from(unread)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let bytes = self.take(want);
            buffer[..bytes.len()].copy_from_slice(&bytes);
            unread -= bytes.len() as u64;
            if bytes.len() < want {
                self.streamed_trouble = Some(cut(self.position(), unread));
                self.done = true;
                return bytes.len();
            }
            bytes.len()
        } else {
            let got = buffer.len().min(head.len());
            buffer[..got].copy_from_slice(&head.split_to(got));
            got
        };
        self.streaming = Some((head, unread, padding));
        got
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.streamed_trouble.take()
    }
}

impl<F: Feed> FeedWalker<F> for CpioWalker<F> {
    fn feed_mut(&mut self) -> &mut F {
        &mut self.feed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    const FILE: u64 = 0o100_644;

    fn entry(dialect: Dialect, name: &str, mode: u64, links: u64, data: &[u8]) -> Vec<u8> {
        let (name_len, size) = (name.len() as u64 + 1, data.len() as u64);
        let mut bytes = match dialect {
            Dialect::New { summed } => {
                let sum: u64 = data.iter().map(|&byte| u64::from(byte)).sum();
                let fields = [1, mode, 0, 0, links, 0, size, 0, 0, 0, 0, name_len, sum * u64::from(summed)];
                let fields: String = fields.iter().map(|field| format!("{field:08X}")).collect();
                format!("07070{}{fields}", 1 + u8::from(summed)).into_bytes()
            }
            Dialect::Old => format!(
                "070707{:06o}{:06o}{mode:06o}{:06o}{:06o}{links:06o}{:06o}{:011o}{name_len:06o}{size:011o}",
                0, 1, 0, 0, 0, 0
            )
            .into_bytes(),
            Dialect::Little | Dialect::Big => {
                let words = [0o070_707, 0, 1, mode, 0, 0, links, 0, 0, 0, name_len, size >> 16, size & 0xffff];
                let order = if dialect == Dialect::Big { u16::to_be_bytes } else { u16::to_le_bytes };
                words.iter().flat_map(|&word| order(word as u16)).collect()
            }
        };
        let step = dialect.alignment() as usize;
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(step), 0);
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(step), 0);
        bytes
    }

    fn archive(dialect: Dialect, files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes: Vec<u8> = files
            .iter()
            .flat_map(|(name, data)| entry(dialect, name, FILE, 1, data))
            .collect();
        bytes.extend(entry(dialect, "TRAILER!!!", 0, 1, b""));
        bytes
    }

    const DIALECTS: [Dialect; 5] = [
        Dialect::New { summed: false },
        Dialect::New { summed: true },
        Dialect::Old,
        Dialect::Little,
        Dialect::Big,
    ];

    fn read(bytes: &[u8]) -> Seen {
        assert!(Cpio.recognise(bytes));
        walk(&Cpio, bytes, &Limits::default()).unwrap()
    }

    fn named(files: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
        files
            .iter()
            .map(|(name, data)| ((*name).to_owned(), data.to_vec()))
            .collect()
    }

    #[test]
    fn every_dialect_gives_its_files() {
        let files: [(&str, &[u8]); 3] = [("a", b"first"), ("./b/c", b""), ("odd", b"1234567")];
        for dialect in DIALECTS {
            let mut bytes = archive(dialect, &files);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
            let seen = read(&bytes);
            assert_eq!(seen.members, named(&files), "{dialect:?}");
            assert_eq!(seen.codes, [""; 0], "{dialect:?}");
            assert_eq!(seen.others, ["header"]);
        }
    }

    #[test]
    fn links_folders_and_a_wrong_sum() {
        let new = Dialect::New { summed: false };
        let bytes = [
            entry(new, "d", 0o040_755, 2, b""),
            entry(new, "l", 0o120_777, 1, b"../target"),
            entry(new, "one", FILE, 2, b""),
            entry(new, "two", FILE, 2, b"shared"),
            entry(new, "sly", 0o040_755, 2, b"data of a folder"),
            archive(new, &[]),
        ]
        .concat();
        let seen = read(&bytes);
        assert_eq!(
            seen.members,
            named(&[("two", b"shared"), ("sly", b"data of a folder")])
        );
        assert_eq!(
            seen.others,
            ["folder", "symlink", "hard-link", "folder", "header"]
        );
        assert_eq!(seen.codes, ["unexpected-data"]);
        let mut summed = archive(Dialect::New { summed: true }, &[("a", b"content")]);
        let at = memchr::memmem::find(&summed, b"content").unwrap();
        summed[at] = b'C';
        let seen = read(&summed);
        assert_eq!(
            (seen.codes.len(), &seen.members[0].1[..]),
            (1, &b"Content"[..])
        );
    }

    #[test]
    fn what_follows_the_trailer_is_read() {
        let first = archive(Dialect::New { summed: false }, &[("microcode", b"1")]);
        let second = archive(Dialect::Old, &[("init", b"2")]);
        let pad = vec![0; 900];
        let seen = read(&[&first[..], &pad, &second].concat());
        assert_eq!(seen.members, named(&[("microcode", b"1"), ("init", b"2")]));
        let seen = read(&[&first[..], &pad, b"\x1f\x8b and so on"].concat());
        let at = first.len() + pad.len();
        assert_eq!(
            seen.members[1],
            (format!("@{at}"), b"\x1f\x8b and so on".to_vec())
        );
        assert_eq!(seen.codes, [""; 0]);
    }

    #[test]
    fn damage_costs_what_it_stands_on() {
        let new = Dialect::New { summed: false };
        let mut bytes = archive(new, &[("a", b"first"), ("b", b"second"), ("c", b"third")]);
        let second = entry(new, "a", FILE, 1, b"first").len();
        bytes[second] = b'x';
        let seen = read(&bytes);
        assert_eq!(seen.codes, ["cpio-damaged"]);
        assert_eq!(seen.members[0].0, "a");
        assert_eq!(seen.members[1].0, format!("@{second}"));
        assert_eq!(seen.members[2], ("c".to_owned(), b"third".to_vec()));
        let seen = read(&archive(new, &[("a", b"0123456789")])[..118]);
        assert_eq!(seen.codes, ["truncated"]);
    }

    proptest! {
        #[test]
        fn damage_never_panics(which in 0..5_usize, flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4), cut in 0..300_usize) {
            let mut bytes = archive(DIALECTS[which], &[("a", b"first"), ("bb", b"second"), ("ccc", &[7; 300])]);
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut);
            let seen = walk(&Cpio, &bytes, &Limits::default()).unwrap();
            let given: usize = seen.members.iter().map(|(_, data)| data.len()).sum();
            prop_assert!(given <= bytes.len());
        }

        #[test]
        fn any_bytes_do(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = walk(&Cpio, &[b"\xc7\x71".as_slice(), &bytes].concat(), &Limits::default());
        }
    }
}
