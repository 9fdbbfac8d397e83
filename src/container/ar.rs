//! ar, as linkers and Debian packages use it (`ar(5)`; System V and GNU, BSD 4.4).
//!
//! A header of 60 bytes of text stands before each member, which is padded to an even length. What does not fit the 16
//! bytes of a name is written in two ways: GNU keeps long names in a member called `//` and gives offsets into it, BSD
//! puts the name in front of the data (`#1/LENGTH`). Both are read whatever else the archive looks like. Tables of
//! symbols are counted, since they say nothing that the objects do not.
//!
//! A thin archive (`!<thin>`) names files that lie elsewhere: they are counted, and it is said.
//!
//! After damage the next place is looked for where a header stands; what lies between is given as a region.

use bytes::Bytes;

use super::feed::Input;
use super::spans::Spans;
use super::{Event, Format, Trouble, Walker};
use crate::blob::{Limits, MemberName};

const MAGIC: &[u8] = b"!<arch>\n";
const THIN: &[u8] = b"!<thin>\n";
const HEADER: usize = 60;
/// Closes each header.
const END: &[u8] = b"`\n";
/// Longest table of long names that is kept: a million names take 30 MB.
const NAMES_MAX: u64 = 256 << 20;
/// Longest name in front of the data that is taken for one.
const NAME_MAX: u64 = 64 << 10;

/// The ar format.
pub struct Ar;

impl Format for Ar {
    fn name(&self) -> &'static str {
        "ar"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        // An archive without members is 8 bytes long.
        let behind = head.strip_prefix(MAGIC).or(head.strip_prefix(THIN));
        behind.is_some_and(|first| first.len() < HEADER || Header::read(first).is_some())
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let magic = input.slice(0, MAGIC.len()).unwrap_or_default();
        Ok(Box::new(ArWalker {
            is_thin: magic == THIN,
            names: Bytes::new(),
            position: MAGIC.len() as u64,
            spans: Spans::new(input, limits.hold()),
            pending: None,
            said: false,
        }))
    }
}

/// What a header says.
struct Header {
    name: Vec<u8>,
    size: u64,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = bytes.first_chunk()?;
        if !header.ends_with(END) {
            return None;
        }
        let size = header[48..58].trim_ascii();
        Some(Self {
            name: header[..16].trim_ascii_end().to_vec(),
            size: std::str::from_utf8(size).ok()?.parse().ok()?,
        })
    }
}

/// Gives the members in their order.
struct ArWalker {
    spans: Spans,
    is_thin: bool,
    /// The table of long names, once it was met.
    names: Bytes,
    position: u64,
    /// What is given before the next header is looked at.
    pending: Option<Event>,
    /// It was said that the archive is thin.
    said: bool,
}

impl ArWalker {
    fn header(&self) -> Option<Header> {
        Header::read(&self.spans.slice(self.position, HEADER))
    }

    fn entry(&mut self, header: Header) -> Event {
        let start = self.position + HEADER as u64;
        let is_table = matches!(header.name.as_slice(), b"/" | b"//" | b"/SYM64/")
            || header.name.starts_with(b"__.SYMDEF");
        if self.is_thin && !is_table {
            self.position = start;
            return Event::Other("unpacked");
        }
        self.position = start
            .saturating_add(header.size)
            .saturating_add(header.size % 2);
        let there = header.size.min(self.spans.len().saturating_sub(start));
        if header.name == b"//" {
            self.names = self.spans.slice(start, there.min(NAMES_MAX) as usize);
        }
        if is_table {
            return Event::Other("header");
        }
        let (name, skip) = self.name(header.name, start, there);
        if name.starts_with(b"__.SYMDEF") {
            return Event::Other("header");
        }
        Event::Member(
            self.spans
                .member(MemberName::Named(name), start + skip, header.size - skip),
        )
    }

    /// The whole name, and how many bytes of the data belong to it.
    fn name(&self, short: Vec<u8>, start: u64, there: u64) -> (Vec<u8>, u64) {
        let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u64>().ok();
        if let Some(len) = short.strip_prefix(b"#1/").and_then(number)
            && len <= there.min(NAME_MAX)
        {
            let name = self.spans.slice(start, len as usize);
            let end = name.iter().position(|&byte| byte == 0);
            return (name[..end.unwrap_or(name.len())].to_vec(), len);
        }
        let long = short
            .strip_prefix(b"/")
            .and_then(number)
            .and_then(|at| self.names.get(usize::try_from(at).ok()?..))
            .and_then(|names| names.split(|byte| matches!(byte, b'\n' | 0)).next());
        let name = long.map_or(short.clone(), <[u8]>::to_vec);
        // GNU closes names, so that they may end in blanks.
        match name.strip_suffix(b"/") {
            Some(bare) if !bare.is_empty() => (bare.to_vec(), 0),
            _ => (name, 0),
        }
    }

    /// What stands where a header should: padding, or damage up to the next header.
    fn resynchronise(&mut self) -> Option<Event> {
        let from = self.position;
        let len = self.spans.len();
        let is_header = |at: u64| Header::read(&self.spans.slice(at, HEADER)).is_some();
        let end = self
            .spans
            .find(from + 1 + 58, END, |at| is_header(at - 58))
            .map_or(len, |at| at - 58);
        self.position = end;
        let region = self.spans.region(from, end)?;
        self.pending = Some(Event::Member(region));
        Some(Event::Trouble(Trouble::damaged(
            "ar-damaged",
            format!(
                "{} bytes at offset {from} of the archive are neither a header nor a member's; they were scanned as they stand",
                end - from
            ),
            Some(0),
        )))
    }
}

impl Walker for ArWalker {
    fn kind(&self) -> &'static str {
        "ar"
    }

    fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.pending.take() {
            return Some(event);
        }
        if self.is_thin && !std::mem::replace(&mut self.said, true) {
            return Some(Event::Trouble(Trouble::odd(
                "thin-archive",
                "the archive is thin: it names files that lie beside it and holds none of them; scan those too",
            )));
        }
        while self.position < self.spans.len() {
            // What is passed over as padding is no event, and members may stand behind it.
            let event = match self.header() {
                Some(header) => Some(self.entry(header)),
                None => self.resynchronise(),
            };
            if event.is_some() {
                return event;
            }
        }
        None
    }

    fn stands(&self) -> Option<Input> {
        self.spans.stands()
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        self.spans.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    fn member(name: &str, data: &[u8]) -> Vec<u8> {
        let header = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
            0,
            0,
            0,
            100_644,
            data.len()
        );
        let mut bytes = [header.as_bytes(), data].concat();
        bytes.resize(bytes.len().next_multiple_of(2), b'\n');
        bytes
    }

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let members: Vec<u8> = members
            .iter()
            .flat_map(|(name, data)| member(name, data))
            .collect();
        [MAGIC, &members].concat()
    }

    fn read(bytes: &[u8]) -> Seen {
        assert!(Ar.recognise(bytes));
        walk(&Ar, bytes, &Limits::default()).unwrap()
    }

    fn named(members: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
        members
            .iter()
            .map(|(name, data)| ((*name).to_owned(), data.to_vec()))
            .collect()
    }

    #[test]
    fn names_of_every_dialect() {
        let seen = read(&archive(&[
            ("/", b"\0\0\0\0"),
            ("//", b"a long name of a member.o/\nsecond with/slash/\n"),
            ("plain", b"1"),
            ("gnu.o/", b"22"),
            ("/0", b"333"),
            ("/27", b"4"),
            ("#1/12", b"bsd name.o\0\0data"),
            ("/999", b"no such name"),
        ]));
        assert_eq!(
            seen.members,
            named(&[
                ("plain", b"1"),
                ("gnu.o", b"22"),
                ("a long name of a member.o", b"333"),
                ("second with/slash", b"4"),
                ("bsd name.o", b"data"),
                ("/999", b"no such name"),
            ])
        );
        assert_eq!(seen.others, ["header", "header"]);
        assert_eq!(seen.codes, [""; 0]);
    }

    #[test]
    fn damage_costs_what_it_stands_on() {
        let mut bytes = archive(&[("a", b"first"), ("b", b"second"), ("c", b"third!")]);
        let second = MAGIC.len() + 66;
        bytes[second + 50] = b'x';
        let seen = read(&bytes);
        assert_eq!(seen.codes, ["ar-damaged"]);
        assert_eq!(seen.members[0].0, "a");
        assert_eq!(seen.members[1].0, format!("@{second}"));
        assert_eq!(seen.members[2], ("c".to_owned(), b"third!".to_vec()));
    }

    #[test]
    fn what_stands_behind_padding_is_read() {
        let first = archive(&[("a", b"first!")]);
        let bytes = [&first, &[0; 40][..], &member("b", b"second")].concat();
        let seen = read(&bytes);
        assert_eq!(seen.members, named(&[("a", b"first!"), ("b", b"second")]));
    }

    #[test]
    fn a_cut_member_gives_what_is_there_and_a_thin_archive_says_so() {
        let bytes = archive(&[("a", b"0123456789")]);
        let seen = read(&bytes[..bytes.len() - 4]);
        assert_eq!(seen.members, named(&[("a", b"012345")]));
        assert_eq!(seen.codes, ["truncated"]);
        let header = &member("a.o/", b"123456")[..HEADER];
        let seen = read(&[THIN, header, header].concat());
        assert_eq!((seen.others.len(), seen.members.len()), (2, 0));
        assert_eq!(seen.codes, ["thin-archive"]);
        assert_eq!(
            read(MAGIC),
            Seen {
                kind: "ar",
                ..Seen::default()
            }
        );
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0..200_usize) {
            let mut bytes = archive(&[("//", b"long/\n"), ("/0", b"first"), ("#1/2", b"b second"), ("c", b"third!")]);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut);
            let seen = walk(&Ar, &bytes, &Limits::default()).unwrap();
            prop_assert!(seen.members.len() < 9);
        }
    }
}
