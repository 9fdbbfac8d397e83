//! WARC in gzip: one gzip member for each record, as crawlers pack them (ISO 28500:2017, annex D).
//!
//! Packed so, a crawl of any size is read with the memory of one record: members are unpacked one after the other, each
//! into the records that begin in it. Where a member does not begin with a record, as after tools that pack in blocks, it
//! goes on with what came before. That a stream of gzip members is a crawl is told by its first bytes unpacked, and like a
//! tar in gzip it is one hop.
//!
//! The second use of packing record by record is damage. What breaks one member costs that member: the next one that
//! begins with a record is looked for behind it, so that a bad sector in a crawl of a thousand sites costs a few pages.
//!
//! Offsets of regions count in the unpacked stream, as any reader of it sees them; those of bytes that are no gzip count
//! in the file.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::feed::{Input, InputReader};
use super::warc::{self, WarcWalker};
use super::{Event, Format, Member, Trouble, Walker, stream};
use crate::blob::{Limits, MemberName};

/// What a member begins with: the magic and the only method there is (RFC 1952, 2.3.1).
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// Unpacked bytes that tell a record.
const TELLING: usize = 32;
/// Packed bytes that give as many, unless the member has a long name or comment.
const LOOK: usize = 4 << 10;
/// The next member is looked for in pieces of this size.
const WINDOW: usize = 1 << 20;
/// A decoder may run on behind the damage before it stumbles: the next member is looked for from so far before that place.
const OVERRUN: u64 = 64 << 10;

/// The format of a crawl whose records are packed one by one.
pub struct WarcGz;

impl Format for WarcGz {
    fn name(&self) -> &'static str {
        "warc.gz"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(&MAGIC) && begins_packed(head, &mut Decompress::new(false))
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        Ok(Box::new(WarcGzWalker {
            reader: Reader::new(&input, 0),
            input,
            limits: limits.clone(),
            inflater: Decompress::new(false),
            begun: 0,
            unpacked: 0,
            ahead: None,
            records: None,
            pending: VecDeque::new(),
        }))
    }
}

/// Whether a gzip member begins here whose content begins with a record.
fn begins_packed(head: &[u8], inflater: &mut Decompress) -> bool {
    if !head.starts_with(&MAGIC) {
        return false;
    }
    let mut head = &head[..head.len().min(LOOK)];
    if skip_header(&mut head).is_none() {
        return false;
    }
    let mut first = [0; TELLING];
    inflater.reset(false);
    let _ = inflater.decompress(head, &mut first, FlushDecompress::None);
    warc::begins_record(&first[..(inflater.total_out() as usize).min(TELLING)])
}

/// Passes over the header of a member (RFC 1952, 2.3). `None` where it is cut or is none.
fn skip_header(reader: &mut impl Read) -> Option<()> {
    let mut fixed = [0; 10];
    reader.read_exact(&mut fixed).ok()?;
    let flags = fixed[3];
    if !fixed.starts_with(&MAGIC) || flags & 0xe0 != 0 {
        return None;
    }
    let mut byte = || {
        let mut one = [0];
        reader.read_exact(&mut one).ok().map(|()| one[0])
    };
    if flags & 4 != 0 {
        for _ in 0..u16::from_le_bytes([byte()?, byte()?]) {
            byte()?;
        }
    }
    for flag in [8, 16] {
        while flags & flag != 0 && byte()? != 0 {}
    }
    if flags & 2 != 0 {
        byte()?;
        byte()?;
    }
    Some(())
}

/// Reads a file forward and knows where it is.
struct Reader {
    buffered: BufReader<InputReader>,
    position: u64,
}

impl Reader {
    fn new(input: &Input, at: u64) -> Self {
        Self {
            buffered: BufReader::with_capacity(128 << 10, input.reader(at)),
            position: at,
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.buffered.read(buffer)?;
        self.position += got as u64;
        Ok(got)
    }
}

impl BufRead for Reader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.buffered.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.buffered.consume(len);
        self.position += len as u64;
    }
}

/// One member, unpacked as far as that went.
struct Unpacked {
    bytes: Vec<u8>,
    trouble: Option<Trouble>,
    /// It broke, and what follows has to be looked for.
    is_broken: bool,
}

struct WarcGzWalker {
    input: Input,
    limits: Limits,
    reader: Reader,
    inflater: Decompress,
    /// Where the member begins that was unpacked last.
    begun: u64,
    /// Bytes that the members before the current records unpacked to.
    unpacked: u64,
    /// A member that was unpacked to see whether it goes on with the one before.
    ahead: Option<Unpacked>,
    /// The records that are being given, and how many bytes they have.
    records: Option<(WarcWalker, u64)>,
    /// What is given behind the records.
    pending: VecDeque<Event>,
}

impl WarcGzWalker {
    /// Unpacks the next member; `None` at the end. What is no member is given as a region on the way.
    fn member(&mut self) -> Option<Unpacked> {
        if let Some(ahead) = self.ahead.take() {
            return Some(ahead);
        }
        loop {
            // Zeros behind a member are padding.
            let buffer = self.reader.fill_buf().unwrap_or_default();
            if buffer.is_empty() {
                return None;
            }
            let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
            if zeros > 0 {
                self.reader.consume(zeros);
                continue;
            }
            let at = self.reader.position;
            if skip_header(&mut self.reader.by_ref().take(LOOK as u64)).is_some() {
                return Some(self.unpack(at));
            }
            self.gap(at);
        }
    }

    /// Gives what is no member, up to the next one that begins with a record.
    fn gap(&mut self, from: u64) {
        let next = self.next_member(from + 1);
        let to = next.unwrap_or(self.input.len());
        let hold = self.limits.hold();
        let len = (to - from).min(hold);
        let bytes = self
            .input
            .slice(from, usize::try_from(len).unwrap_or(usize::MAX))
            .unwrap_or_default();
        let unread = to - from - bytes.len() as u64;
        let mut member = Member::whole(MemberName::Offset(from), bytes);
        let what = format!(
            "{} bytes at offset {from} of the file are no gzip",
            to - from
        );
        member.trouble = Some(if unread > 0 {
            Trouble::damaged(
                "memory-limit",
                format!("{what}, and more than may be held; raise --memory"),
                Some(unread),
            )
        } else if next.is_some() {
            Trouble::damaged(
                "gzip-damaged",
                format!(
                    "{what}; they were scanned as they stand, and the walk went on at the next record"
                ),
                None,
            )
        } else {
            Trouble::odd(
                "trailing-data",
                format!("{what}; they were scanned as they stand"),
            )
        });
        self.pending.push_back(Event::Member(member));
        self.reader = Reader::new(&self.input, to);
    }

    /// Where the next member begins that begins with a record, from `from` on.
    fn next_member(&mut self, from: u64) -> Option<u64> {
        let mut at = from;
        loop {
            let window = self.input.slice(at, WINDOW).unwrap_or_default();
            // The last bytes of a window are looked at in the next one, unless there is none.
            let last = if window.len() < WINDOW {
                window.len()
            } else {
                window.len() - LOOK
            };
            let found = memchr::memmem::find_iter(&window, &MAGIC)
                .take_while(|start| *start < last)
                .find(|start| begins_packed(&window[*start..], &mut self.inflater));
            if let Some(start) = found {
                return Some(at + start as u64);
            }
            if window.len() < WINDOW {
                return None;
            }
            at += last as u64;
        }
    }

    /// Unpacks the member that begins at `at` and whose header was passed over.
    fn unpack(&mut self, at: u64) -> Unpacked {
        const PIECE: usize = 64 << 10;
        let most = usize::try_from(self.limits.hold()).unwrap_or(usize::MAX);
        self.begun = at;
        self.inflater.reset(false);
        let mut bytes = Vec::new();
        let mut crc = crc32fast::Hasher::new();
        let mut piece = vec![0; PIECE];
        let mut is_full = false;
        let broken = loop {
            let packed = self.reader.fill_buf().unwrap_or_default();
            if packed.is_empty() {
                break Some("truncated");
            }
            let (before, made) = (self.inflater.total_in(), self.inflater.total_out());
            let result = self
                .inflater
                .decompress(packed, &mut piece, FlushDecompress::None);
            let taken = (self.inflater.total_in() - before) as usize;
            let made = &piece[..(self.inflater.total_out() - made) as usize];
            self.reader.consume(taken);
            crc.update(made);
            let room = most - bytes.len();
            is_full |= made.len() > room;
            bytes.extend_from_slice(&made[..made.len().min(room)]);
            match result {
                Ok(Status::StreamEnd) => break None,
                Ok(_) if taken > 0 || !made.is_empty() => {}
                _ => break Some("gzip-damaged"),
            }
        };
        let trouble = match broken {
            Some(code) => Some(self.broken(code, at)),
            None => self.trailer(at, &crc.finalize().to_le_bytes()),
        };
        let trouble = trouble.or_else(|| {
            is_full.then(|| {
                Trouble::damaged(
                    "memory-limit",
                    format!("the gzip member at offset {at} unfolds to more than may be held ({most} bytes); its beginning was read, raise --memory"),
                    None,
                )
            })
        });
        Unpacked {
            bytes,
            is_broken: broken.is_some(),
            trouble,
        }
    }

    fn broken(&self, code: &'static str, at: u64) -> Trouble {
        let here = self.reader.position;
        Trouble::damaged(
            code,
            format!(
                "the gzip member at offset {at} is cut or damaged at offset {here}; what came before was read, and the walk goes on at the next record"
            ),
            None,
        )
    }

    /// Checks what stands behind a member: a wrong checksum is odd where the length says that all bytes came.
    fn trailer(&mut self, at: u64, crc: &[u8; 4]) -> Option<Trouble> {
        let mut trailer = [0; 8];
        let length = self.inflater.total_out() as u32;
        if self.reader.read_exact(&mut trailer).is_err() {
            return Some(Trouble::damaged(
                "truncated",
                format!(
                    "the gzip member at offset {at} ends within its trailer; all its bytes may be there, get the file again to be sure"
                ),
                None,
            ));
        }
        let is_len = trailer[4..] == length.to_le_bytes();
        match (trailer[..4] == crc[..], is_len) {
            (true, true) => None,
            (false, true) => Some(stream::wrong_checksum("gzip", at)),
            (true, false) => Some(stream::wrong_length("gzip", at)),
            (false, false) => Some(stream::wrong_checksum_and_length("gzip", at)),
        }
    }

    /// Unpacks what comes next: a member, and those behind it that do not begin with a record.
    fn step(&mut self) -> Option<()> {
        let first = self.member()?;
        let mut bytes = first.bytes;
        self.note(first.trouble, first.is_broken);
        let mut is_broken = first.is_broken;
        while !is_broken {
            let Some(next) = self.member() else { break };
            if warc::begins_record(&next.bytes) {
                self.ahead = Some(next);
                break;
            }
            let len = bytes.len() + next.bytes.len();
            if len as u64 > self.limits.hold() {
                self.pending.push_back(Event::Trouble(Trouble::damaged(
                    "memory-limit",
                    format!("records run on over gzip members before offset {} of the file, and unfold to more than may be held ({} bytes); they were read in pieces, raise --memory", self.reader.position, self.limits.hold()),
                    None,
                )));
                self.ahead = Some(next);
                break;
            }
            bytes.extend_from_slice(&next.bytes);
            is_broken = next.is_broken;
            self.note(next.trouble, next.is_broken);
        }
        let len = bytes.len() as u64;
        let records = WarcWalker::new(Input::Memory(Bytes::from(bytes)), &self.limits);
        self.records = Some((records, len));
        Some(())
    }

    fn note(&mut self, trouble: Option<Trouble>, is_broken: bool) {
        self.pending.extend(trouble.map(Event::Trouble));
        if is_broken {
            let from = self.reader.position.saturating_sub(OVERRUN);
            let next = self.next_member(from.max(self.begun + 1));
            self.reader = Reader::new(&self.input, next.unwrap_or(self.input.len()));
        }
    }

    /// The same with offsets of the whole stream.
    fn moved(&self, event: Event) -> Event {
        match event {
            Event::Member(mut member) => {
                if let MemberName::Offset(at) = &mut member.name {
                    *at += self.unpacked;
                }
                Event::Member(member)
            }
            other => other,
        }
    }
}

impl Walker for WarcGzWalker {
    fn kind(&self) -> &'static str {
        "warc.gz"
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((records, len)) = &mut self.records {
                if let Some(event) = records.next() {
                    return Some(self.moved(event));
                }
                self.unpacked += *len;
                self.records = None;
            }
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            self.step().or_else(|| {
                // Something may be left to be said of the end.
                (!self.pending.is_empty()).then_some(())
            })?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::super::testing::{Seen, walk, walked};
    use super::super::warc::Warc;
    use super::super::{Effect, InputFile};
    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn record(name: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: u:{name}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body, b"\r\n\r\n"].concat()
    }

    /// Text that does not shrink to nothing.
    fn body(seed: u32) -> Vec<u8> {
        (0..2_000_u32)
            .map(|at| b'a' + (at.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 27) as u8 % 26)
            .collect()
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(WarcGz.recognise(bytes));
        walk(&WarcGz, bytes, &Limits::default()).expect("it opens")
    }

    fn names(seen: &Seen) -> Vec<&str> {
        seen.members.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn records_come_from_members_of_their_own_and_from_blocks() {
        let records = [
            record("1", &body(1)),
            record("2", &body(2)),
            record("3", b""),
        ];
        let by_record: Vec<u8> = records.iter().flat_map(|record| packed(record)).collect();
        let blocks = records.concat();
        let by_block: Vec<u8> = blocks.chunks(700).flat_map(packed).collect();
        let plain = walk(&Warc, &records.concat(), &Limits::default()).unwrap();
        for bytes in [by_record, by_block, packed(&records.concat())] {
            let found = seen(&bytes);
            assert_eq!(found.members, plain.members);
            assert!(found.codes.is_empty(), "{:?}", found.codes);
        }
    }

    #[test]
    fn damage_costs_one_record() {
        let members: Vec<_> = (1..=4)
            .map(|number| packed(&record(&number.to_string(), &body(number))))
            .collect();
        let second = members[0].len();
        let mut whole = members.concat();
        // Within the compressed data of the second record.
        whole[second + 300..second + 340].fill(0xff);
        let found = seen(&whole);
        let all = names(&found);
        assert_eq!(all.first(), Some(&"u:1"));
        assert!(all.ends_with(&["u:3", "u:4"]), "{all:?}");
        assert!(found.codes.contains(&"gzip-damaged".to_owned()));
        // The second one begins as it was written.
        let part = &found.members[1].1;
        assert!(part.len() > 10 && body(2).starts_with(&part[..10]));

        let mut whole = members.concat();
        whole[second] = b'X';
        let found = seen(&whole);
        let region = format!("@{second}");
        assert_eq!(names(&found), ["u:1", &region, "u:3", "u:4"]);
        assert_eq!(found.codes, ["gzip-damaged"]);
    }

    #[test]
    fn a_cut_and_what_follows_are_said() {
        let one = packed(&record("1", &body(1)));
        let two = packed(&record("2", &body(2)));
        let whole = [&one[..], &two].concat();
        let found = seen(&whole[..whole.len() - 30]);
        assert_eq!(names(&found), ["u:1", "u:2"]);
        assert_eq!(found.codes, ["truncated", "truncated"]);
        assert!(body(2).starts_with(&found.members[1].1));

        let trailing = [&one[..], &[0; 600], b"more"].concat();
        let found = seen(&trailing);
        assert_eq!(names(&found), ["u:1", &format!("@{}", one.len() + 600)]);
        assert_eq!(found.codes, ["trailing-data"]);
        assert!(seen(&trailing[..trailing.len() - 4]).codes.is_empty());
    }

    #[test]
    fn a_wrong_checksum_is_odd() {
        let mut one = packed(&record("1", b"text"));
        let at = one.len() - 8;
        one[at] ^= 1;
        let found = seen(&one);
        assert_eq!(found.codes, ["checksum-mismatch"]);
        assert_eq!(found.effects, [Effect::Odd]);
        assert_eq!(found.members[0].1, b"text");
        // With a wrong length too, not all bytes came as they were.
        one[at + 4] ^= 1;
        let found = seen(&one);
        assert_eq!(found.codes, ["checksum-mismatch"]);
        assert_eq!(found.effects, [Effect::Damaged]);
    }

    #[test]
    fn regions_count_in_the_unpacked_stream() {
        let first = record("1", b"text");
        let stray = record("2", b"").replace(b"resource", b"unheard_");
        let second = [packed(&first), packed(&stray)].concat();
        let found = seen(&second);
        let at = first.len() + stray.len() - 4;
        assert_eq!(names(&found), ["u:1", &format!("@{at}")]);
    }

    trait Replace {
        fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8>;
    }

    impl Replace for Vec<u8> {
        fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8> {
            let at = memchr::memmem::find(self, from).expect("it is there");
            [&self[..at], to, &self[at + from.len()..]].concat()
        }
    }

    fn walk_file(bytes: &[u8], memory: u64) -> Seen {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let input = Input::File(InputFile::new(file, bytes.len() as u64));
        let limits = Limits {
            memory,
            ..Limits::default()
        };
        walked(WarcGz.open(input, &limits).unwrap().as_mut())
    }

    #[test]
    fn a_file_takes_the_memory_of_one_record() {
        let records: Vec<_> = (0..200)
            .map(|number| record(&number.to_string(), &body(number)))
            .collect();
        let bytes: Vec<u8> = records.iter().flat_map(|record| packed(record)).collect();
        let found = walk_file(&bytes, 8_000);
        assert_eq!(found.members.len(), 200);
        assert!(found.codes.is_empty(), "{:?}", found.codes);
        let blocks: Vec<u8> = records.concat().chunks(700).flat_map(packed).collect();
        let found = walk_file(&blocks, 8_000);
        assert!(found.codes.contains(&"memory-limit".to_owned()));
        let large = [
            packed(&record("1", &body(1))),
            packed(&record("2", &body(2))),
        ]
        .concat();
        let found = walk_file(&large, 2_000);
        assert_eq!(names(&found), ["u:1", "u:2"]);
        assert!(found.codes.contains(&"memory-limit".to_owned()));
    }

    #[test]
    fn other_gzip_files_are_none() {
        assert!(!WarcGz.recognise(&packed(b"WARC/ is a format")));
        assert!(!WarcGz.recognise(&packed(b"")));
        assert!(!WarcGz.recognise(&packed(&record("1", b""))[..12]));
        assert!(!WarcGz.recognise(b"WARC/1.0\r\n"));
    }

    proptest! {
        #[test]
        fn damage_never_panics_and_both_inputs_agree(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in any::<prop::sample::Index>()) {
            let mut bytes = [packed(&record("1", b"one")), packed(&record("2", &body(2))), packed(&record("3", b"three"))].concat();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut.index(bytes.len()));
            let held = walk(&WarcGz, &bytes, &Limits::default()).expect("it opens");
            let file = walk_file(&bytes, 1 << 30);
            prop_assert_eq!(held.members, file.members);
            prop_assert_eq!(held.codes, file.codes);
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let bytes = [&packed(b"WARC/1.0\r\n")[..], &bytes].concat();
            let _ = walk(&WarcGz, &bytes, &Limits::default());
        }
    }
}
