//! tar: ustar (POSIX.1-1988), PAX (POSIX.1-2001) and GNU, walked over bytes.
//!
//! Libraries for unpacking are written to refuse: unsafe names, odd sizes, anything behind the end marker. For
//! evidence the opposite is wanted, so this walker takes names as raw bytes and sizes as claims, goes on behind
//! the end marker, finds the next header after damage, and says so each time.
//!
//! A PAX record applies to the next *file* header, never to the header of a GNU long name between them: readers
//! that mix this up can be made to see another list of files than tar does.
//!
//! Left out for now: sparse members are given as they are stored (said in a problem).

use bytes::Bytes;

use super::feed::{Feed, Input, SliceFeed, StreamFeed};
use super::{Body, Event, Format, Member, Trouble, Walker};
use crate::blob::{Limits, MemberName};

const BLOCK: usize = 512;
/// Longest extension header (PAX records, GNU long name) that is read. Real ones are below 64 KiB.
const EXTENSION_MAX: u64 = 16 << 20;

/// The tar format, not compressed.
pub struct Tar;

impl Format for Tar {
    fn name(&self) -> &'static str {
        "tar"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        looks_like_tar(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        Ok(match input {
            Input::Memory(bytes) => {
                let len = bytes.len() as u64;
                Box::new(TarWalker::new(SliceFeed::new(bytes), "tar", len))
            }
            file @ Input::File(_) => Box::new(TarWalker::new(
                StreamFeed::new(file.reader(0)),
                "tar",
                limits.hold(),
            )),
        })
    }
}

/// Whether content begins with a tar header: its checksum fits, and something is in it.
///
/// The checksum alone decides, so that headers of before ustar count too.
pub fn looks_like_tar(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>()
        .is_some_and(|block| block[0] != 0 && Header(block).is_valid())
}

/// A header block.
struct Header<'a>(&'a [u8; BLOCK]);

impl Header<'_> {
    fn field(&self, at: usize, len: usize) -> &[u8] {
        let field = &self.0[at..at + len];
        let end = memchr::memchr(0, field).unwrap_or(len);
        &field[..end]
    }

    /// Sum of all bytes, those of the checksum field taken as spaces; old tars summed signed bytes.
    fn is_valid(&self) -> bool {
        let Some(stated) = octal(&self.0[148..156]) else {
            return false;
        };
        let field = &self.0[148..156];
        let blanks = 8 * u64::from(b' ');
        let unsigned = sum(self.0) - sum(field) + blanks;
        if stated == unsigned {
            return true;
        }
        // Old tars summed signed bytes: each byte above 127 counts 256 less.
        let high = |bytes: &[u8]| bytes.iter().filter(|byte| **byte > 127).count() as u64;
        let less = 256 * (high(self.0) - high(field));
        less > 0 && stated + less == unsigned
    }

    fn is_ustar(&self) -> bool {
        &self.0[257..263] == b"ustar\0"
    }

    fn kind(&self) -> u8 {
        self.0[156]
    }

    /// Size of the member: octal, or base-256 where the first bit is set (GNU). `None` where it is neither.
    fn size(&self) -> Option<u64> {
        number(&self.0[124..136])
    }

    /// Name, with the ustar prefix where there is one.
    fn name(&self) -> Vec<u8> {
        let name = self.field(0, 100);
        let prefix = self.field(345, 155);
        if !self.is_ustar() || prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }
}

fn number(field: &[u8]) -> Option<u64> {
    match field.first()? {
        0x80 => field[1..].iter().try_fold(0_u64, |value, &byte| {
            value.checked_mul(256)?.checked_add(u64::from(byte))
        }),
        byte if byte & 0x80 != 0 => None,
        _ => octal(field),
    }
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte)).sum()
}

/// Octal digits between blanks and NULs; an empty field is 0.
fn octal(field: &[u8]) -> Option<u64> {
    let blank = |byte: &u8| *byte == b' ' || *byte == 0;
    let start = field
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(blank).unwrap_or(digits.len());
    digits[..end]
        .iter()
        .try_fold(0_u64, |value, &byte| match byte {
            b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
            _ => None,
        })
}

/// What extension headers said of the next file.
#[derive(Default)]
struct Extensions {
    long_name: Option<Vec<u8>>,
    pax_path: Option<Vec<u8>>,
    pax_size: Option<u64>,
    sparse: bool,
}

/// Walks the headers of a tar.
pub struct TarWalker<F> {
    feed: F,
    kind: &'static str,
    hold: u64,
    extensions: Extensions,
    /// Path and size that a global PAX header set for all that follow.
    global: Extensions,
    /// Bytes of the streamed member that were not read, and its padding.
    streaming: Option<(u64, u64)>,
    streamed_trouble: Option<Trouble>,
    pending: Option<Event>,
    end_marker: bool,
    done: bool,
}

impl<F: Feed> TarWalker<F> {
    /// Walks what `feed` gives; members up to `hold` bytes are given in memory, larger ones streamed.
    pub fn new(feed: F, kind: &'static str, hold: u64) -> Self {
        Self {
            feed,
            kind,
            hold,
            extensions: Extensions::default(),
            global: Extensions::default(),
            streaming: None,
            streamed_trouble: None,
            pending: None,
            end_marker: false,
            done: false,
        }
    }

    /// The feed, to ask it for its trouble at the end.
    pub fn feed_mut(&mut self) -> &mut F {
        &mut self.feed
    }

    /// The next header block that is not all zeros, or `None` at the end.
    fn next_header(&mut self) -> Option<(u64, Bytes)> {
        loop {
            let at = self.feed.position();
            let block = self.feed.take(BLOCK);
            if block.len() < BLOCK {
                self.done = true;
                if block.iter().any(|&byte| byte != 0) {
                    self.pending = Some(Event::Trouble(Trouble::damaged(
                        "truncated",
                        format!("the tar ends within a header at offset {at}"),
                        Some(block.len() as u64),
                    )));
                }
                return None;
            }
            if block.iter().any(|&byte| byte != 0) {
                return Some((at, block));
            }
            self.end_marker = true;
        }
    }

    /// Looks for the next valid header after a block that is none.
    fn resynchronise(&mut self, from: u64) -> Option<Event> {
        let mut lost = BLOCK as u64;
        loop {
            let block = self.feed.take(BLOCK);
            let valid = looks_like_tar(&block);
            if block.len() < BLOCK || valid {
                let code = if self.end_marker {
                    "trailing-data"
                } else {
                    "tar-damaged"
                };
                if !valid {
                    lost += block.len() as u64;
                    self.done = true;
                }
                let trouble = Event::Trouble(Trouble::damaged(
                    code,
                    format!(
                        "{lost} bytes at offset {from} of the tar are neither a header nor a member's, and were passed over; {}",
                        if valid {
                            "the walk went on at the next header"
                        } else {
                            "no header follows"
                        }
                    ),
                    Some(lost),
                ));
                self.extensions = Extensions::default();
                if valid {
                    self.pending = self.header(from + lost, &block);
                }
                return Some(trouble);
            }
            lost += BLOCK as u64;
        }
    }

    /// Handles one valid header. `None` where it only said something of the next.
    fn header(&mut self, at: u64, block: &Bytes) -> Option<Event> {
        let block = block.first_chunk::<BLOCK>()?;
        let header = Header(block);
        match header.kind() {
            b'L' => {
                let mut name = self.extension(&header)?;
                name.truncate(memchr::memchr(0, &name).unwrap_or(name.len()));
                self.extensions.long_name = Some(name);
                Some(Event::Other("header"))
            }
            b'K' => {
                self.extension(&header)?;
                Some(Event::Other("header"))
            }
            b'x' | b'X' => {
                let records = self.extension(&header)?;
                read_pax(&records, &mut self.extensions);
                Some(Event::Other("header"))
            }
            b'g' => {
                let records = self.extension(&header)?;
                read_pax(&records, &mut self.global);
                Some(Event::Other("header"))
            }
            kind => Some(self.file(at, kind, &header)),
        }
    }

    /// The data of an extension header, by its own size.
    fn extension(&mut self, header: &Header) -> Option<Vec<u8>> {
        let size = header.size().unwrap_or(0);
        let read = size.min(EXTENSION_MAX);
        let data = self.feed.take(read as usize);
        self.feed.skip(size - read + padding(size));
        if size > read || (data.len() as u64) < read {
            self.pending = Some(Event::Trouble(Trouble::damaged(
                "tar-damaged",
                "an extension header is cut or absurdly large; names behind it may be shortened",
                Some(size - data.len() as u64),
            )));
        }
        Some(data.to_vec())
    }

    fn file(&mut self, at: u64, kind: u8, header: &Header) -> Event {
        let extensions = std::mem::take(&mut self.extensions);
        let name = extensions
            .pax_path
            .or(extensions.long_name)
            .or_else(|| self.global.pax_path.clone())
            .unwrap_or_else(|| header.name());
        let size = extensions
            .pax_size
            .or(self.global.pax_size)
            .or_else(|| header.size());
        let other = match kind {
            b'1' => Some("hard-link"),
            b'2' => Some("symlink"),
            b'3' | b'4' => Some("device"),
            b'5' => Some("folder"),
            b'6' => Some("fifo"),
            b'V' | b'M' | b'N' => Some("header"),
            b'D' => Some("folder"),
            // Before ustar, a folder was a file whose name ends so.
            0 | b'0' if name.ends_with(b"/") => Some("folder"),
            _ => None,
        };
        let Some(size) = size else {
            return Event::Member(Member::absent(
                MemberName::Named(name),
                Trouble::damaged(
                    "tar-damaged",
                    format!(
                        "the size in the header at offset {at} of the tar is no number; the walk went on behind the header"
                    ),
                    None,
                ),
            ));
        };
        if let Some(other) = other {
            // Links, devices and folders carry no data, whatever size they state.
            if !matches!(kind, b'1'..=b'6') {
                self.feed.skip(size.saturating_add(padding(size)));
            }
            return Event::Other(other);
        }
        self.body(at, name, size, kind == b'S' || extensions.sparse)
    }

    fn body(&mut self, at: u64, name: Vec<u8>, size: u64, sparse: bool) -> Event {
        let name = MemberName::Named(name);
        if size > self.hold {
            self.streaming = Some((size, padding(size)));
            return Event::Member(Member {
                name,
                body: Body::Streamed(Some(size)),
                trouble: None,
                source: None,
            });
        }
        let bytes = self.feed.take(size as usize);
        let missing = size - bytes.len() as u64;
        let mut member = Member::whole(name, bytes);
        if missing > 0 {
            member.trouble = Some(cut(at, missing));
            self.done = true;
        } else {
            self.feed.skip(padding(size));
            member.trouble = sparse.then(|| {
                Trouble::odd(
                    "sparse-member",
                    "a sparse member: its stored bytes were read, its holes were not filled in",
                )
            });
        }
        Event::Member(member)
    }
}

fn cut(at: u64, missing: u64) -> Trouble {
    Trouble::damaged(
        "truncated",
        format!(
            "the member at offset {at} of the tar states {missing} bytes more than there are; what is there was read"
        ),
        Some(missing),
    )
}

/// Bytes between the end of a member of `size` bytes and the next header.
fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// Reads PAX records: `LEN KEY=VALUE\n`, LEN counting itself. Stops at the first that is none.
fn read_pax(mut records: &[u8], into: &mut Extensions) {
    while let Some(space) = memchr::memchr(b' ', records) {
        let len = std::str::from_utf8(&records[..space])
            .ok()
            .and_then(|digits| digits.parse::<usize>().ok());
        let Some(record) = len.and_then(|len| records.get(space + 1..len.checked_sub(1)?)) else {
            return;
        };
        if let Some(equals) = memchr::memchr(b'=', record) {
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => into.pax_path = Some(value.to_vec()),
                b"size" => {
                    into.pax_size = std::str::from_utf8(value)
                        .ok()
                        .and_then(|digits| digits.parse().ok());
                }
                b"GNU.sparse.name" => {
                    into.pax_path = Some(value.to_vec());
                    into.sparse = true;
                }
                _ if key.starts_with(b"GNU.sparse.") => into.sparse = true,
                _ => {}
            }
        }
        records = &records[len.unwrap_or(records.len())..];
    }
}

impl<F: Feed> Walker for TarWalker<F> {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn next(&mut self) -> Option<Event> {
        if let Some((unread, padding)) = self.streaming.take() {
            self.feed.skip(unread.saturating_add(padding));
        }
        loop {
            if let Some(event) = self.pending.take() {
                return Some(event);
            }
            if self.done {
                return None;
            }
            let Some((at, block)) = self.next_header() else {
                continue;
            };
            if !looks_like_tar(&block) {
                return self.resynchronise(at);
            }
            if std::mem::take(&mut self.end_marker) {
                self.pending = self.header(at, &block);
                return Some(Event::Trouble(Trouble::odd(
                    "tar-concatenated",
                    format!("another tar follows the end marker, at offset {at}; it was read too"),
                )));
            }
            if let Some(event) = self.header(at, &block) {
                return Some(event);
            }
        }
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        let Some((unread, padding)) = self.streaming else {
            return 0;
        };
        let want = usize::try_from(unread)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let bytes = self.feed.take(want);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        let left = unread - bytes.len() as u64;
        self.streaming = Some((left, padding));
        if bytes.len() < want {
            self.streamed_trouble = Some(cut(self.feed.position(), left));
            self.streaming = None;
            self.done = true;
        }
        bytes.len()
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.streamed_trouble.take()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Seen = (Vec<(Vec<u8>, Vec<u8>)>, Vec<String>, u64);

    /// Members, codes of troubles, and number of other things.
    fn walk<F: Feed>(mut walker: TarWalker<F>) -> Seen {
        let (mut members, mut codes, mut others) = (Vec::new(), Vec::new(), 0);
        while let Some(event) = walker.next() {
            match event {
                Event::Member(member) => {
                    codes.extend(member.trouble.map(|trouble| trouble.code.into_owned()));
                    let mut content = Vec::new();
                    match member.body {
                        Body::Held(bytes) => content = bytes.to_vec(),
                        Body::Streamed(_) => {
                            let mut buffer = [0; 100];
                            loop {
                                let got = walker.read_streamed(&mut buffer);
                                if got == 0 {
                                    break;
                                }
                                content.extend(&buffer[..got]);
                            }
                            codes.extend(
                                walker
                                    .streamed_trouble()
                                    .map(|trouble| trouble.code.into_owned()),
                            );
                        }
                        Body::Absent => {}
                    }
                    members.push((member.name.bytes().to_vec(), content));
                }
                Event::Other(_) => others += 1,
                Event::Trouble(trouble) => codes.push(trouble.code.into_owned()),
                Event::Map(_) => {}
            }
        }
        (members, codes, others)
    }

    fn walk_slice(bytes: &[u8]) -> Seen {
        let bytes = Bytes::copy_from_slice(bytes);
        walk(TarWalker::new(SliceFeed::new(bytes), "tar", u64::MAX))
    }

    fn walk_stream(bytes: &[u8], hold: u64) -> Seen {
        let input = Input::Memory(Bytes::copy_from_slice(bytes));
        walk(TarWalker::new(
            StreamFeed::new(input.reader(0)),
            "tar",
            hold,
        ))
    }

    /// A tar made by the reference crate.
    fn made(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn raw_header(name: &[u8], size: &[u8], kind: u8) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name);
        block[124..124 + size.len()].copy_from_slice(size);
        block[156] = kind;
        block[257..263].copy_from_slice(b"ustar\0");
        block[148..156].copy_from_slice(b"        ");
        let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }

    #[test]
    fn names_that_try_to_leave_are_data() {
        let mut file = raw_header(b"../../etc/x", b"00000000003\0", b'0');
        file.extend(b"abc");
        file.resize(1024, 0);
        file.extend(raw_header(b"/abs\xff", b"00000000000\0", b'0'));
        let (members, codes, _) = walk_slice(&file);
        assert_eq!(
            members,
            [
                (b"../../etc/x".to_vec(), b"abc".to_vec()),
                (b"/abs\xff".to_vec(), vec![])
            ]
        );
        assert!(codes.is_empty());
    }

    #[test]
    fn a_size_that_lies_gives_what_is_there() {
        let mut file = raw_header(b"a", b"00000010000\0", b'0');
        file.extend(b"only this");
        let (members, codes, _) = walk_slice(&file);
        assert_eq!(members, [(b"a".to_vec(), b"only this".to_vec())]);
        assert_eq!(codes, ["truncated"]);
        assert_eq!(walk_stream(&file, 100).0, members);
    }

    #[test]
    fn what_follows_the_end_marker_is_read() {
        let mut file = made(&[("a", b"1")]);
        file.extend(made(&[("b", b"2")]));
        let (members, codes, _) = walk_slice(&file);
        assert_eq!(members.len(), 2);
        assert_eq!(codes, ["tar-concatenated"]);
    }

    #[test]
    fn the_walk_goes_on_after_damage() {
        let mut file = made(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
        file[1024 + 150] = b'x';
        let (members, codes, _) = walk_slice(&file);
        let names: Vec<_> = members.iter().map(|(name, _)| name.as_slice()).collect();
        assert_eq!(names, [b"a".as_slice(), b"c"]);
        assert_eq!(codes, ["tar-damaged"]);
    }

    #[test]
    fn a_pax_size_belongs_to_the_file_and_not_to_a_long_name_between() {
        let record = b"11 size=3\n";
        let record = [&b"10 size=3\n"[..], &[][..]]
            .concat()
            .len()
            .max(record.len() - 1);
        assert_eq!(record, 10);
        let mut file = raw_header(b"pax", b"00000000012\0", b'x');
        file.extend(b"10 size=3\n");
        file.resize(1024, 0);
        file.extend(raw_header(b"././@LongLink", b"00000000012\0", b'L'));
        file.extend(b"long-name\0");
        file.resize(2048, 0);
        file.extend(raw_header(b"short", b"00000000000\0", b'0'));
        file.extend(b"abc");
        file.resize(3072, 0);
        let (members, codes, others) = walk_slice(&file);
        assert_eq!(members, [(b"long-name".to_vec(), b"abc".to_vec())]);
        assert!(codes.is_empty());
        assert_eq!(others, 2);
    }

    #[test]
    fn base_256_sizes_are_read_and_negative_ones_refused() {
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), Some(258));
        assert_eq!(number(&[0xff; 12]), None);
        assert_eq!(number(b"00000000017\0"), Some(15));
        assert_eq!(number(b"99999999999\0"), None);
    }

    proptest! {
        #[test]
        fn agrees_with_the_reference_crate(
            files in proptest::collection::vec(("[a-z/]{1,150}[a-z]", proptest::collection::vec(any::<u8>(), 0..1500)), 0..6),
        ) {
            let files: Vec<_> = files.iter().map(|(name, content)| (name.trim_matches('/'), content.as_slice())).collect();
            let bytes = made(&files);
            let mut archive = tar::Archive::new(bytes.as_slice());
            let mut expected = Vec::new();
            for entry in archive.entries().unwrap() {
                let mut entry = entry.unwrap();
                let name = entry.path_bytes().to_vec();
                let mut content = Vec::new();
                std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
                expected.push((name, content));
            }
            let (members, codes, _) = walk_slice(&bytes);
            prop_assert_eq!(&members, &expected);
            prop_assert!(codes.is_empty());
            prop_assert_eq!(&walk_stream(&bytes, 700).0, &expected);
        }

        #[test]
        fn damage_never_panics_and_both_feeds_agree(cut in 0..4000_usize, at in 0..4000_usize, byte in any::<u8>()) {
            let mut bytes = made(&[("one", &[1; 700]), ("two", b"2"), (&"n".repeat(200), b"3")]);
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            prop_assert_eq!(walk_slice(&bytes), walk_stream(&bytes, u64::MAX));
        }
    }
}
