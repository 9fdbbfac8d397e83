//! Cabinets, as installers of Windows carry them (MS-CAB; MS-MCI for MSZIP; MS-PATCH for LZX).
//!
//! A header, a table of folders, a table of files, and the data of each folder in blocks of up to 32 KiB of content. A
//! folder is one run of content in which its files stand one behind the other, so that the walk keeps the decoder of one
//! folder and goes on in it: nothing is unpacked twice. MSZIP is deflate that looks back on the block before; LZX is read
//! by a kept crate. The tables are read here, tolerantly: the crate that reads cabinets stops at the first thing that is
//! odd. libarchive and 7-Zip are the oracles.
//!
//! Files that share bytes with one before them are said and not read again, since their bytes were. Content that no file
//! claims is given as a region by the offset of its folder's data. So is what nothing in the cabinet claims, signatures
//! mostly, by its own offset.
//!
//! Left out: Quantum, which nobody writes any more: its packed bytes are regions. Files that go on from cabinet to
//! cabinet are given as far as they stand in this one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::claims::Claims;
use super::feed::Input;
use super::spans::Spans;
use super::{Body, Event, Format, Member, Trouble, Walker};
use crate::blob::{Limits, MemberName};

const MAGIC: &[u8] = b"MSCF\0\0\0\0";
/// The header without what its flags add.
const HEADER: usize = 36;
/// A folder, a file and a block, without what is reserved in them and the name.
const FOLDER: usize = 8;
const FILE: usize = 16;
const BLOCK: usize = 8;
/// Content of one block, and what MSZIP looks back on.
const CONTENT_MAX: usize = 32 << 10;
/// Longest name that is read; the standard allows 256 bytes.
const NAME_MAX: usize = 1 << 10;

/// The cabinet format.
pub struct Cab;

impl Format for Cab {
    fn name(&self) -> &'static str {
        "cab"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(MAGIC) && (head.len() < HEADER || head[25] == 1)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        CabWalker::open(input, limits).map(|walker| Box::new(walker) as Box<dyn Walker>)
    }
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let raw = bytes.get(at..).and_then(|rest| rest.first_chunk());
    raw.map_or(0, |raw| u64::from(u32::from_le_bytes(*raw)))
}

fn short(bytes: &[u8], at: usize) -> u16 {
    let raw = bytes.get(at..).and_then(|rest| rest.first_chunk());
    raw.map_or(0, |raw| u16::from_le_bytes(*raw))
}

/// What the table says of a folder.
#[derive(Clone, Copy)]
struct Folder {
    at: u64,
    blocks: u16,
    method: u16,
}

/// What the table says of a file.
struct File {
    folder: u16,
    start: u64,
    len: u64,
    name: Vec<u8>,
}

/// Where a file stands that is not in one folder of this cabinet (CFFILE, `iFolder`).
const FROM_BEFORE: u16 = 0xfffd;
const TO_NEXT: u16 = 0xfffe;
const THROUGH: u16 = 0xffff;

/// The decoder of a folder, and how far it came.
struct Run {
    method: Method,
    /// Where the next block stands, and how many there are.
    at: u64,
    blocks: u16,
    reserved: u64,
    /// Content of the block that was unpacked last, and how much of it was given.
    content: Vec<u8>,
    given: usize,
    /// Bytes given so far.
    position: u64,
    /// Why nothing more comes.
    fault: Option<Trouble>,
    has_wrong_sum: bool,
}

enum Method {
    Stored,
    Zip,
    Lzx(Box<lzxd::Lzxd>),
}

impl Run {
    fn open(folder: Folder, reserved: u64) -> Result<Self, Trouble> {
        let method = match folder.method & 15 {
            0 => Method::Stored,
            1 => Method::Zip,
            3 => Method::Lzx(Box::new(lzxd::Lzxd::new(window(folder.method >> 8 & 31)?))),
            2 => return Err(unsupported("Quantum")),
            other => return Err(unsupported(&format!("method {other}"))),
        };
        Ok(Self {
            method,
            at: folder.at,
            blocks: folder.blocks,
            reserved,
            content: Vec::new(),
            given: 0,
            position: 0,
            fault: None,
            has_wrong_sum: false,
        })
    }

    /// Some of the next bytes, at most `len`; none at the end, or where the fault is.
    fn read(&mut self, spans: &Spans, len: usize) -> &[u8] {
        while self.given == self.content.len() && self.fault.is_none() && self.blocks > 0 {
            self.next_block(spans);
        }
        let got = len.min(self.content.len() - self.given);
        self.given += got;
        self.position += got as u64;
        &self.content[self.given - got..self.given]
    }

    fn next_block(&mut self, spans: &Spans) {
        let head = spans.slice(self.at, BLOCK);
        let (packed, unpacked) = (short(&head, 4), usize::from(short(&head, 6)));
        let data_at = self.at + BLOCK as u64 + self.reserved;
        let data = spans.slice(data_at, usize::from(packed));
        if head.len() < BLOCK || data.len() < usize::from(packed) {
            self.fault = Some(damaged("truncated", self.at, "it ends before its end"));
        } else if unpacked > CONTENT_MAX {
            self.fault = Some(damaged(
                "cab-damaged",
                self.at,
                "it states more than a block holds",
            ));
            return;
        }
        if self.fault.is_none() {
            self.check(spans, &head, &data);
        }
        self.blocks -= 1;
        let at = self.at;
        self.at = data_at + u64::from(packed);
        let before = std::mem::take(&mut self.content);
        self.given = 0;
        let (content, is_whole) = match &mut self.method {
            Method::Stored => (data.to_vec(), data.len() == unpacked),
            Method::Zip => inflate(&before, &data, unpacked),
            Method::Lzx(decoder) => lzx(decoder, &data, unpacked),
        };
        self.content = content;
        // The rest of a block stands in the next cabinet where it states no content.
        if unpacked == 0 && packed > 0 {
            self.fault = Some(continued());
        } else if !is_whole && self.fault.is_none() {
            self.fault = Some(damaged("corrupt-data", at, "it does not unpack"));
        }
    }

    /// The sum of a block (MS-CAB 2.4): of its data, and then of its lengths; 0 is none.
    fn check(&mut self, spans: &Spans, head: &[u8], data: &[u8]) {
        let stated = number(head, 0) as u32;
        let lengths = spans.slice(self.at + 4, 4 + self.reserved as usize);
        self.has_wrong_sum |= stated != 0 && stated != sum(&lengths, sum(data, 0));
    }
}

fn sum(bytes: &[u8], seed: u32) -> u32 {
    let mut words = bytes.chunks_exact(4);
    let mut sum = seed;
    for word in words.by_ref() {
        sum ^= u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
    }
    let rest = words.remainder().iter();
    sum ^ rest.fold(0, |last, &byte| last << 8 | u32::from(byte))
}

/// A block of MSZIP: `CK`, and a deflate stream that may look back on the block before.
fn inflate(before: &[u8], data: &[u8], unpacked: usize) -> (Vec<u8>, bool) {
    let Some(packed) = data.strip_prefix(b"CK") else {
        return (Vec::new(), false);
    };
    let mut inflater = Decompress::new(false);
    // What is looked back on goes in front as a stored block (RFC 1951, 3.2.4), and comes out as it went in.
    let len = before.len() as u16;
    let mut output = vec![0; before.len() + unpacked];
    let head = [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), before].concat();
    let mut is_over = false;
    for input in [head.as_slice(), packed] {
        let mut input = input;
        loop {
            let (taken, made) = (inflater.total_in(), inflater.total_out());
            let room = &mut output[made as usize..];
            let result = inflater.decompress(input, room, FlushDecompress::None);
            input = &input[(inflater.total_in() - taken) as usize..];
            is_over = matches!(result, Ok(Status::StreamEnd));
            let is_idle = inflater.total_in() == taken && inflater.total_out() == made;
            if result.is_err() || is_over || is_idle || input.is_empty() {
                break;
            }
        }
    }
    let made = inflater.total_out() as usize;
    output.truncate(made);
    let content = output.split_off(before.len().min(made));
    let is_whole = is_over && content.len() == unpacked;
    (content, is_whole)
}

/// A block of LZX. The crate trusts what it reads in places; a fault of it is damage of the block.
fn lzx(decoder: &mut lzxd::Lzxd, data: &[u8], unpacked: usize) -> (Vec<u8>, bool) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        decoder
            .decompress_next(data, unpacked)
            .map(<[u8]>::to_vec)
            .ok()
    }));
    match result {
        Ok(Some(content)) => {
            let is_whole = content.len() == unpacked;
            (content, is_whole)
        }
        _ => (Vec::new(), false),
    }
}

fn window(bits: u16) -> Result<lzxd::WindowSize, Trouble> {
    Ok(match bits {
        15 => lzxd::WindowSize::KB32,
        16 => lzxd::WindowSize::KB64,
        17 => lzxd::WindowSize::KB128,
        18 => lzxd::WindowSize::KB256,
        19 => lzxd::WindowSize::KB512,
        20 => lzxd::WindowSize::MB1,
        21 => lzxd::WindowSize::MB2,
        _ => return Err(unsupported(&format!("LZX with a window of {bits} bits"))),
    })
}

fn unsupported(what: &str) -> Trouble {
    Trouble::skipped(
        "unsupported",
        format!(
            "the folder of the cabinet is packed with {what}, which is not read; unpack it with another program and scan the result"
        ),
        None,
    )
}

fn damaged(code: &'static str, at: u64, what: &str) -> Trouble {
    Trouble::damaged(
        code,
        format!(
            "the block at offset {at} of the cabinet is damaged ({what}); what came before it in its folder was read"
        ),
        None,
    )
}

fn continued() -> Trouble {
    Trouble::damaged(
        "continued-member",
        "the folder goes on in another cabinet; what stands in this one was read, unpack all of them together and scan the result",
        None,
    )
}

/// Gives the files, folder by folder.
struct CabWalker {
    spans: Spans,
    folders: Vec<Folder>,
    /// Sorted by folder and place, first last.
    files: Vec<File>,
    reserved: u64,
    hold: u64,
    /// The folder that is being read, and its decoder.
    current: Option<(u16, Result<Run, Trouble>)>,
    /// Bytes left of a streamed file.
    left: u64,
    streamed_trouble: Option<Trouble>,
    /// What is given before the next file.
    pending: VecDeque<Event>,
    claims: Option<Claims>,
    regions: Vec<(u64, u64)>,
}

impl CabWalker {
    fn open(input: Input, limits: &Limits) -> Result<Self, Trouble> {
        let spans = Spans::new(input, limits.hold());
        let head = spans.slice(0, HEADER);
        if head.len() < HEADER {
            return Err(cut_header(spans.len()));
        }
        let flags = short(&head, 30);
        let mut at = HEADER as u64;
        let (mut folder_extra, mut reserved) = (0, 0);
        if flags & 4 != 0 {
            let extra = spans.slice(at, 4);
            folder_extra = extra.get(2).copied().map_or(0, usize::from);
            reserved = extra.get(3).copied().map_or(0, u64::from);
            // Left to the regions: signatures stand there.
            at += 4 + u64::from(short(&extra, 0));
        }
        let mut claims = Claims::default();
        claims.note(0, (HEADER + if flags & 4 != 0 { 4 } else { 0 }) as u64);
        let names_at = at;
        for flag in [1, 2] {
            if flags & flag != 0 {
                at += string(&spans, at).len() as u64 + 1;
                at += string(&spans, at).len() as u64 + 1;
            }
        }
        claims.note(names_at, at - names_at);
        let mut walker = Self {
            spans,
            folders: Vec::new(),
            files: Vec::new(),
            reserved,
            hold: limits.hold(),
            current: None,
            left: 0,
            streamed_trouble: None,
            pending: VecDeque::new(),
            claims: None,
            regions: Vec::new(),
        };
        let step = FOLDER + folder_extra;
        for index in 0..usize::from(short(&head, 26)) {
            let row = walker.spans.slice(at + (index * step) as u64, step);
            if row.len() < FOLDER {
                break;
            }
            walker.folders.push(Folder {
                at: number(&row, 0),
                blocks: short(&row, 4),
                method: short(&row, 6),
            });
        }
        claims.note(at, (walker.folders.len() * step) as u64);
        walker.read_files(number(&head, 16), short(&head, 28), &mut claims);
        walker.claims = Some(claims);
        Ok(walker)
    }

    fn read_files(&mut self, from: u64, count: u16, claims: &mut Claims) {
        let mut at = from;
        for _ in 0..count {
            let row = self.spans.slice(at, FILE);
            if row.len() < FILE {
                let trouble = Trouble::damaged(
                    "truncated",
                    format!(
                        "the table of files ends after {} of {count} files; those were read",
                        self.files.len()
                    ),
                    None,
                );
                self.pending.push_back(Event::Trouble(trouble));
                break;
            }
            let name = string(&self.spans, at + FILE as u64);
            at += FILE as u64 + name.len() as u64 + 1;
            self.files.push(File {
                len: number(&row, 0),
                start: number(&row, 4),
                folder: short(&row, 8),
                name,
            });
        }
        claims.note(from, at - from);
        let last = self.folders.len().saturating_sub(1) as u16;
        for file in &mut self.files {
            if file.folder == TO_NEXT {
                file.folder = last;
            }
        }
        self.files.sort_by_key(|file| (file.folder, file.start));
        self.files.reverse();
    }

    fn file(&mut self, file: File) {
        let name = MemberName::Named(file.name);
        if matches!(file.folder, FROM_BEFORE | THROUGH) {
            let mut trouble = continued();
            trouble.effect = super::Effect::Skipped;
            trouble.unread = Some(file.len);
            return self.give(Member::absent(name, trouble));
        }
        self.go_to(file.folder);
        let Some((_, Ok(run))) = &self.current else {
            let trouble = match &self.current {
                Some((_, Err(trouble))) => trouble.clone(),
                _ => damaged("cab-damaged", 0, "the table of folders does not have it"),
            };
            let trouble = Trouble {
                effect: super::Effect::Skipped,
                unread: Some(file.len),
                ..trouble
            };
            return self.give(Member::absent(name, trouble));
        };
        if file.start < run.position {
            let trouble = Trouble::skipped(
                "cab-overlap",
                format!(
                    "the file begins at {} of its folder, within files that were given already; its bytes were read with those",
                    file.start
                ),
                Some(file.len),
            );
            return self.give(Member::absent(name, trouble));
        }
        if let Some(gap) = self.take_region(file.start - run.position) {
            self.pending.push_back(Event::Member(gap));
        }
        if file.len > self.hold {
            self.left = file.len;
            let member = Member {
                body: Body::Streamed(Some(file.len)),
                ..Member::whole(name, Bytes::new())
            };
            return self.give(member);
        }
        let content = self.take(file.len);
        let missing = file.len - content.len() as u64;
        let mut member = Member::whole(name, content.into());
        member.trouble = self.fault(missing);
        self.give(member);
    }

    /// What is missing of a file, and why.
    fn fault(&self, missing: u64) -> Option<Trouble> {
        let Some((_, Ok(run))) = &self.current else {
            return None;
        };
        let fault = run.fault.clone().unwrap_or_else(|| {
            damaged("truncated", run.at, "its folder ends before the file does")
        });
        (missing > 0).then_some(Trouble {
            unread: Some(missing),
            ..fault
        })
    }

    /// Puts an event behind those that wait.
    fn give(&mut self, member: Member) {
        self.pending.push_back(Event::Member(member));
    }

    /// Opens the folder of this number, and closes the one before.
    fn go_to(&mut self, folder: u16) {
        if self
            .current
            .as_ref()
            .is_some_and(|(open, _)| *open == folder)
        {
            return;
        }
        self.close();
        let row = self.folders.get(usize::from(folder)).copied();
        let run = row
            .ok_or_else(|| damaged("cab-damaged", 0, "the table of folders does not have it"))
            .and_then(|row| Run::open(row, self.reserved));
        self.current = Some((folder, run));
    }

    /// Gives what stands in a folder behind its files, and says what was odd in it.
    fn close(&mut self) {
        if let Some(rest) = self.take_region(u64::MAX) {
            self.pending.push_back(Event::Member(rest));
        }
        let Some((folder, Ok(run))) = self.current.take() else {
            return;
        };
        let start = self
            .folders
            .get(usize::from(folder))
            .map_or(0, |row| row.at);
        if let Some(claims) = &mut self.claims {
            claims.note(start, run.at.saturating_sub(start));
        }
        if run.has_wrong_sum {
            let trouble = Trouble::odd(
                "checksum-mismatch",
                format!(
                    "a checksum in the folder at offset {start} of the cabinet does not fit; its bytes were read as they stand"
                ),
            );
            self.pending.push_back(Event::Trouble(trouble));
        }
    }

    /// Up to `len` of the next bytes of the folder.
    fn take(&mut self, len: u64) -> Vec<u8> {
        let mut content = Vec::new();
        let Some((_, Ok(run))) = &mut self.current else {
            return content;
        };
        while (content.len() as u64) < len {
            let left = usize::try_from(len - content.len() as u64).unwrap_or(usize::MAX);
            let piece = run.read(&self.spans, left);
            if piece.is_empty() {
                break;
            }
            content.extend_from_slice(piece);
        }
        content
    }

    /// Content that no file claims, as much of it as may be held; `None` where it is nothing but padding.
    fn take_region(&mut self, len: u64) -> Option<Member> {
        let (folder, start) = match &self.current {
            Some((folder, Ok(run))) if len > 0 => (*folder, run.position),
            _ => return None,
        };
        let content = self.take(len.min(self.hold));
        let at = self
            .folders
            .get(usize::from(folder))
            .map_or(0, |row| row.at);
        let is_cut = content.len() as u64 == self.hold && len > self.hold;
        if content.iter().all(|&byte| byte == 0) && !is_cut {
            return None;
        }
        let mut member = Member::whole(MemberName::Offset(at), content.into());
        member.trouble = Some(if is_cut {
            Trouble::damaged(
                "memory-limit",
                format!(
                    "from {start} of the folder on no file claims its content, and that is more than may be held; raise --memory"
                ),
                None,
            )
        } else {
            Trouble::odd(
                "unclaimed-content",
                format!(
                    "from {start} of the folder on no file claims its content; it was read as a region"
                ),
            )
        });
        Some(member)
    }
}

fn cut_header(len: u64) -> Trouble {
    let detail = "the cabinet ends within its header; get the file again";
    Trouble::skipped("truncated", detail, Some(len))
}

/// The string that ends with a zero at `at`.
fn string(spans: &Spans, at: u64) -> Vec<u8> {
    let bytes = spans.slice(at, NAME_MAX);
    let end = memchr::memchr(0, &bytes).unwrap_or(bytes.len());
    bytes[..end].to_vec()
}

impl Walker for CabWalker {
    fn kind(&self) -> &'static str {
        "cab"
    }

    fn next(&mut self) -> Option<Event> {
        // What was not read of a streamed file is passed over; while events wait, it was not given yet.
        while self.left > 0 && self.pending.is_empty() {
            let len = self.left.min(CONTENT_MAX as u64);
            let got = self.take(len).len() as u64;
            self.left = if got == 0 { 0 } else { self.left - got };
        }
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            match self.files.pop() {
                Some(file) => self.file(file),
                None if self.current.is_some() => self.close(),
                None => break,
            }
        }
        if let Some(claims) = self.claims.take() {
            self.regions = claims.settle(0, self.spans.len()).1;
            self.regions.reverse();
        }
        while let Some((from, to)) = self.regions.pop() {
            if let Some(region) = self.spans.region(from, to) {
                return Some(Event::Member(region));
            }
        }
        None
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        if self.left == 0 {
            return self.spans.read(buffer);
        }
        let len = (buffer.len() as u64).min(self.left).min(CONTENT_MAX as u64);
        let piece = self.take(len);
        buffer[..piece.len()].copy_from_slice(&piece);
        self.left -= piece.len() as u64;
        if piece.is_empty() {
            self.streamed_trouble = self.fault(self.left);
            self.left = 0;
        }
        piece.len()
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.streamed_trouble.take()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    /// A block of a folder with its sum.
    fn block(data: &[u8], unpacked: usize) -> Vec<u8> {
        let lengths = [
            (data.len() as u16).to_le_bytes(),
            (unpacked as u16).to_le_bytes(),
        ]
        .concat();
        let stated = sum(&lengths, sum(data, 0)).to_le_bytes();
        [&stated[..], &lengths, data].concat()
    }

    /// `CK` and deflate, each block for itself.
    fn zipped(content: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        let mut encoder = flate2::write::DeflateEncoder::new(b"CK".to_vec(), level);
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// A cabinet of one folder.
    fn cabinet(method: u16, blocks: &[Vec<u8>], files: &[(&str, u32, u32)]) -> Vec<u8> {
        let mut table = Vec::new();
        for (name, start, len) in files {
            table.extend(len.to_le_bytes());
            table.extend(start.to_le_bytes());
            table.extend([0; 8]);
            table.extend(name.bytes());
            table.push(0);
        }
        let data_at = HEADER + FOLDER + table.len();
        let mut bytes = MAGIC.to_vec();
        bytes.extend([0; 8]);
        bytes.extend(((HEADER + FOLDER) as u32).to_le_bytes());
        bytes.extend([0, 0, 0, 0, 3, 1, 1, 0]);
        bytes.extend((files.len() as u16).to_le_bytes());
        bytes.extend([0; 6]);
        bytes.extend((data_at as u32).to_le_bytes());
        bytes.extend((blocks.len() as u16).to_le_bytes());
        bytes.extend(method.to_le_bytes());
        bytes.extend(table);
        bytes.extend(blocks.concat());
        bytes
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(Cab.recognise(bytes));
        walk(&Cab, bytes, &Limits::default()).unwrap()
    }

    fn three() -> Vec<u8> {
        let blocks = [
            block(&zipped(b"first file,sec"), 14),
            block(&zipped(b"ond file,third"), 14),
        ];
        cabinet(
            1,
            &blocks,
            &[("a", 0, 11), ("dir\\b", 11, 12), ("c", 23, 5)],
        )
    }

    #[test]
    fn a_file_that_is_streamed_behind_a_gap_is_read() {
        let blocks = [block(
            b"a gap, and a file that is larger than may be held",
            49,
        )];
        let bytes = cabinet(0, &blocks, &[("a", 7, 42)]);
        let limits = Limits {
            memory: 32,
            ..Limits::default()
        };
        let found = walk(&Cab, &bytes, &limits).unwrap();
        assert_eq!(found.streamed, 1);
        let (name, content) = &found.named()[1];
        assert_eq!(*name, "a");
        assert_eq!(*content, b"and a file that is larger than may be held");
        assert_eq!(found.codes, ["unclaimed-content"]);
    }

    #[test]
    fn files_run_on_over_blocks() {
        let found = seen(&three());
        let expected: [(&str, &[u8]); 3] = [
            ("a", b"first file,"),
            ("dir\\b", b"second file,"),
            ("c", b"third"),
        ];
        assert_eq!(found.named(), expected);
        assert_eq!(found.codes, [""; 0]);
        let stored = cabinet(0, &[block(b"as it is", 8)], &[("a", 0, 8)]);
        // The example of MS-PATCH (3.1): a block that is not compressed, of "abc".
        let example = [&b"\0\x30\x30\0\x01\0\0\0\x01\0\0\0\x01\0\0\0abc"[..], &[0]].concat();
        let lzx = cabinet(0x1503, &[block(&example, 3)], &[("a", 0, 3)]);
        assert_eq!(seen(&lzx).named(), [("a", &b"abc"[..])]);
        assert_eq!(seen(&stored).named(), [("a", &b"as it is"[..])]);
    }

    #[test]
    fn what_no_file_claims_is_a_region() {
        let mut bytes = cabinet(0, &[block(b"0123456789", 10)], &[("a", 2, 3)]);
        bytes.extend(b"signature");
        let (data, tail) = (bytes.len() - 27, bytes.len() - 9);
        let (data, tail) = (format!("@{data}"), format!("@{tail}"));
        let found = seen(&bytes);
        assert_eq!(
            found.named(),
            [
                (data.as_str(), &b"01"[..]),
                ("a", b"234"),
                (&data, b"56789"),
                (&tail, b"signature"),
            ]
        );
        assert_eq!(found.codes, ["unclaimed-content", "unclaimed-content"]);
    }

    #[test]
    fn damage_and_what_is_not_read_is_said() {
        let code = |bytes: &[u8]| seen(bytes).codes.join(" ");
        let one = |data: &[u8], unpacked| [block(data, unpacked)];
        let mut wrong = three();
        let at = memchr::memmem::find(&wrong, b"CK").unwrap();
        wrong[at - 8] ^= 1;
        assert_eq!(code(&wrong), "checksum-mismatch");
        assert_eq!(code(&three()[..at + 3]), "truncated truncated truncated");
        assert_eq!(
            code(&cabinet(1, &one(b"CKnonsense", 9), &[("a", 0, 9)])),
            "corrupt-data"
        );
        assert_eq!(
            code(&cabinet(2, &one(b"x", 9), &[("a", 0, 9)])),
            "unsupported"
        );
        assert_eq!(
            code(&cabinet(0x1503, &one(b"nonsense", 9), &[("a", 0, 9)])),
            "corrupt-data"
        );
        let twice = cabinet(0, &one(b"abcdef", 6), &[("a", 0, 6), ("b", 3, 3)]);
        assert_eq!(code(&twice), "cab-overlap");
        assert_eq!(
            code(&cabinet(0, &one(b"abc", 0), &[("a", 0, 9)])),
            "continued-member"
        );
        assert_eq!(
            code(&cabinet(0, &one(b"abc", 3), &[("a", 0, u32::MAX)])),
            "truncated"
        );
    }

    #[test]
    fn a_large_file_is_streamed() {
        let limits = Limits {
            memory: 8,
            ..Limits::default()
        };
        let found = walk(&Cab, &three(), &limits).unwrap();
        assert_eq!(found.members, seen(&three()).members);
        assert_eq!(found.streamed, 3);
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(content in proptest::collection::vec(0..4_u8, 1..90_000), place in any::<prop::sample::Index>()) {
            let blocks: Vec<_> = content
                .chunks(CONTENT_MAX)
                .map(|piece| block(&zipped(piece), piece.len()))
                .collect();
            let at = place.index(content.len());
            let (first, second) = content.split_at(at);
            let files = [("a", 0, first.len() as u32), ("b", at as u32, second.len() as u32)];
            let found = seen(&cabinet(1, &blocks, &files));
            prop_assert!(found.named() == [("a", first), ("b", second)]);
        }

        #[test]
        fn damage_never_panics(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in 0..40_usize, lzx in any::<bool>()) {
            let mut bytes = three();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if lzx {
                bytes[HEADER + 6..HEADER + 8].copy_from_slice(&[3, 0x15]);
            }
            bytes.truncate(bytes.len() - cut);
            if Cab.recognise(&bytes) && let Ok(found) = walk(&Cab, &bytes, &Limits::default()) {
                prop_assert!(found.members.len() < 500);
            }
        }
    }
}
