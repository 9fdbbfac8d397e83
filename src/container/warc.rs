//! WARC: what a crawler saw of the web, as archives keep it (ISO 28500:2017; 0.17 to 1.1 are read).
//!
//! Records one after the other, each with a head of named fields and a block of `Content-Length` bytes. A response is an
//! HTTP message as it came over the wire, so that a crawl holds scripts, their maps, and the headers that lead from one
//! to the other. Members are what was received: bodies of responses with their codings undone ([`super::http`]), and the
//! blocks of `resource` and `conversion` records, named by their `WARC-Target-URI`. Bodies of requests, blocks of kinds
//! that nobody knows and further segments of long records are regions by their offsets; `warcinfo`, `metadata`,
//! `revisit` and requests without a body are counted.
//!
//! Every length is a claim. Where no record follows the block that a length states, the next record is looked for, and
//! the block ends there; what no record claims is a region. So a length that lies costs no other record, and damage in a
//! head costs the bounds of one.
//!
//! A file on disk is read record by record, so that its size does not matter; a body that is larger than may be held is
//! streamed as it stands. A crawl is mostly kept as one gzip member a record: [`super::warc_gz`] reads those.
//!
//! Left out: what `revisit` records and segments stand for is not put together; the heads of requests and responses are
//! not scanned.

use std::collections::VecDeque;
use std::io::{self, Read};

use bytes::Bytes;
use sha1::Digest as _;

use super::feed::{Input, InputReader};
use super::http::{self, Head};
use super::{Body, Event, Format, Member, Trouble, Walker};
use crate::blob::{Decoders, Limits, MemberName};

/// What every record begins with, before its version.
const MAGIC: &[u8] = b"WARC/";
/// Longest head that is read. Real ones have less than 2 KiB.
const HEAD_MAX: usize = 256 << 10;
/// How much of a head is read at first.
const HEAD_FIRST: usize = 4 << 10;
/// The next record is looked for in pieces of this size.
const WINDOW: usize = 1 << 20;
/// Longest version line, so far as it tells a record.
const VERSION_MAX: usize = 16;

/// The WARC format.
pub struct Warc;

impl Format for Warc {
    fn name(&self) -> &'static str {
        "warc"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        begins_record(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        Ok(Box::new(WarcWalker::new(input, limits)))
    }
}

/// Whether bytes begin as a record does: `WARC/`, a version, the end of the line.
pub fn begins_record(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return false;
    };
    let version = rest
        .iter()
        .take(VERSION_MAX)
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    let has_dot = rest[..version].contains(&b'.') && rest[0].is_ascii_digit();
    has_dot && matches!(rest.get(version), Some(b'\r' | b'\n'))
}

/// Where the head of a record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeadEnd {
    /// With an empty line in what was looked at.
    Here,
    /// Nowhere: another record begins before it. Looking further would cost as much for each of them.
    Never,
    /// Behind what was looked at.
    Beyond,
}

fn head_end(head: &[u8]) -> HeadEnd {
    for line in memchr::memchr_iter(b'\n', head) {
        let rest = &head[line + 1..];
        if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
            return HeadEnd::Here;
        }
        if begins_record(rest) {
            return HeadEnd::Never;
        }
    }
    HeadEnd::Beyond
}

/// Bytes of the block of one record.
#[derive(Debug, Clone, Copy)]
struct Block {
    at: u64,
    end: u64,
}

impl Block {
    fn len(self) -> u64 {
        self.end - self.at
    }
}

/// Gives what the records of a capture hold.
pub struct WarcWalker {
    input: Input,
    /// Where the next record begins, separators apart.
    at: u64,
    /// Bytes of a block that may be given in memory as it stands.
    raw_max: u64,
    /// Bytes that a coded body may unfold to.
    hold: u64,
    decoders: Decoders,
    /// What is given before the next record is looked at.
    pending: VecDeque<Event>,
    /// What the streamed members among those are read from.
    streams: VecDeque<io::Take<InputReader>>,
    /// What the member that was given last is read from.
    streamed: Option<io::Take<InputReader>>,
    is_done: bool,
}

impl WarcWalker {
    /// Begins at the front of `input`.
    pub fn new(input: Input, limits: &Limits) -> Self {
        Self {
            raw_max: match &input {
                // A slice of what is in memory costs nothing.
                Input::Memory(_) => u64::MAX,
                Input::File(_) => limits.hold(),
            },
            hold: limits.hold(),
            decoders: limits.decoders,
            input,
            at: 0,
            pending: VecDeque::new(),
            streams: VecDeque::new(),
            streamed: None,
            is_done: false,
        }
    }

    /// Up to `len` bytes at `at`; what cannot be read reads as nothing, and is said.
    fn slice(&mut self, at: u64, len: usize) -> Bytes {
        self.input.slice(at, len).unwrap_or_else(|error| {
            self.is_done = true;
            self.pending.push_back(Event::Trouble(Trouble::damaged(
                "unreadable",
                format!("the file could not be read on at offset {at}: {error}"),
                Some(self.input.len().saturating_sub(at)),
            )));
            Bytes::new()
        })
    }

    /// Where the first byte stands that is no separator, from `at` on.
    fn behind_blanks(&mut self, mut at: u64) -> u64 {
        loop {
            let window = self.slice(at, HEAD_FIRST);
            let blanks = window
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            at += blanks as u64;
            if blanks < window.len() || window.is_empty() {
                return at;
            }
        }
    }

    /// Where the next record begins that stands at the beginning of a line, from `from` on.
    fn next_record(&mut self, from: u64) -> Option<u64> {
        let mut at = from.saturating_sub(1);
        loop {
            let window = self.slice(at, WINDOW);
            for line in memchr::memchr_iter(b'\n', &window) {
                let rest = &window[line + 1..];
                if begins_record(&rest[..rest.len().min(MAGIC.len() + VERSION_MAX + 1)]) {
                    return Some(at + line as u64 + 1);
                }
            }
            if window.len() < WINDOW {
                return None;
            }
            // The next window begins with the end of this one, so that no record is cut between the two.
            at += (WINDOW - MAGIC.len() - VERSION_MAX - 2) as u64;
        }
    }

    /// Reads what stands next: a record, or what is none.
    fn step(&mut self) {
        self.at = self.behind_blanks(self.at);
        let at = self.at;
        if at >= self.input.len() {
            self.is_done = true;
            return;
        }
        let head = self.slice(at, HEAD_FIRST);
        if !begins_record(&head) {
            return self.gap(at);
        }
        let mut end = head_end(&head);
        let mut read = None;
        if end == HeadEnd::Beyond && head.len() == HEAD_FIRST {
            let head = self.slice(at, HEAD_MAX);
            end = head_end(&head);
            read = Head::read(&head).filter(|_| end == HeadEnd::Here);
        } else if end == HeadEnd::Here {
            read = Head::read(&head);
        }
        match read {
            Some(head) => self.record(at, &head),
            None => self.gap(at),
        }
    }

    /// Gives what is no record, up to the next one.
    fn gap(&mut self, from: u64) {
        let to = self.next_record(from + 1).unwrap_or(self.input.len());
        let block = Block { at: from, end: to };
        let trouble = Trouble::damaged(
            "warc-damaged",
            format!(
                "{} bytes at offset {from} of the capture are no record; they were read as a region",
                block.len()
            ),
            None,
        );
        self.at = to;
        self.give(MemberName::Offset(from), block, Vec::new(), Some(trouble));
    }

    fn record(&mut self, at: u64, head: &Head) {
        let block_at = at + head.len as u64;
        let (block, mut trouble) = self.bounds(block_at, head);
        self.at = block.end;
        if trouble.is_none() {
            trouble = self.checked(block, head);
        }
        let name = match head.first("warc-target-uri") {
            // Version 1.0 asked for angle brackets by mistake, and some writers set them.
            Some(uri) => {
                let bare = uri
                    .strip_prefix(b"<")
                    .and_then(|uri| uri.strip_suffix(b">"));
                MemberName::of_address(bare.unwrap_or(uri).to_vec())
            }
            None => MemberName::Offset(block.at),
        };
        let kind = head
            .first("warc-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        match kind.as_slice() {
            b"response" => self.response(name, block, trouble),
            b"resource" | b"conversion" => self.give(name, block, Vec::new(), trouble),
            b"request" => self.request(block, trouble),
            b"warcinfo" => self.other("warcinfo", trouble),
            b"metadata" => self.other("metadata", trouble),
            b"revisit" => self.other("revisit", trouble),
            b"continuation" => {
                let trouble = trouble.unwrap_or_else(|| {
                    Trouble::odd(
                        "continued-member",
                        "a further segment of a record: it was read, and not joined to the others",
                    )
                });
                self.give(
                    MemberName::Offset(block.at),
                    block,
                    Vec::new(),
                    Some(trouble),
                );
            }
            _ => self.give(MemberName::Offset(block.at), block, Vec::new(), trouble),
        }
    }

    fn other(&mut self, kind: &'static str, trouble: Option<Trouble>) {
        self.pending.push_back(Event::Other(kind));
        self.pending.extend(trouble.map(Event::Trouble));
    }

    /// Where a block ends: where its length says, if a record or nothing follows there, else before the next record.
    fn bounds(&mut self, at: u64, head: &Head) -> (Block, Option<Trouble>) {
        let len = self.input.len();
        let stated = head
            .first("content-length")
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok());
        let end = stated.and_then(|stated| at.checked_add(stated));
        if let Some(end) = end.filter(|end| *end <= len) {
            // Two line ends behind the block make it sure, even where no record follows them.
            let behind = self.slice(end, HEAD_FIRST);
            let is_separated = behind.starts_with(b"\r\n\r\n") || behind.starts_with(b"\n\n");
            // Any number of records may state the same end: what stands there is looked at in a few bytes.
            let blanks = behind
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            let next = end + blanks as u64;
            let follows = self.slice(next, MAGIC.len() + VERSION_MAX + 1);
            if is_separated || next >= len || begins_record(&follows) {
                return (Block { at, end }, None);
            }
        }
        let stated = stated.map_or("none".to_owned(), |stated| stated.to_string());
        if let Some(next) = self.next_record(at) {
            let before = self.slice(next.saturating_sub(4).max(at), (next - at).min(4) as usize);
            let blanks = before
                .iter()
                .rev()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            let end = next - blanks as u64;
            let trouble = Trouble::odd(
                "length-mismatch",
                format!(
                    "the head of the record states {stated} bytes, and the next record begins behind {}; those were read",
                    end - at
                ),
            );
            return (Block { at, end }, Some(trouble));
        }
        match end {
            // What follows is no record, and is looked at as such.
            Some(end) if end <= len => (Block { at, end }, None),
            _ => {
                let there = len.saturating_sub(at);
                let trouble = Trouble::damaged(
                    "truncated",
                    format!(
                        "the head of the record states {stated} bytes, of which {there} are there; get the file again for the rest"
                    ),
                    end.map(|end| end - len),
                );
                (
                    Block {
                        at,
                        end: len.max(at),
                    },
                    Some(trouble),
                )
            }
        }
    }

    /// What is odd about a block that its own digest does not fit. Larger blocks than may be held are not checked.
    fn checked(&mut self, block: Block, head: &Head) -> Option<Trouble> {
        let stated = head.first("warc-block-digest")?;
        if block.len() > self.raw_max {
            return None;
        }
        let bytes = self.slice(block.at, usize::try_from(block.len()).ok()?);
        let colon = memchr::memchr(b':', stated)?;
        let digest = match stated[..colon].to_ascii_lowercase().as_slice() {
            b"sha1" => sha1::Sha1::digest(&bytes).to_vec(),
            b"sha256" => sha2::Sha256::digest(&bytes).to_vec(),
            _ => return None,
        };
        let value = &stated[colon + 1..];
        let fits = [base32(&digest), crate::blob::digest::hex(&digest)]
            .iter()
            .any(|text| text.as_bytes().eq_ignore_ascii_case(value));
        (!fits).then(|| {
            Trouble::odd(
                "checksum-mismatch",
                format!("the digest that the head of the record at offset {} states does not fit its block; the bytes were read as they stand", block.at),
            )
        })
    }

    /// Gives a request's body, if it has one, as a region: it was sent, and is not what stands at the URL.
    fn request(&mut self, block: Block, trouble: Option<Trouble>) {
        let body = self.message(block).map_or(block, |head| Block {
            at: block.at + head.len as u64,
            ..block
        });
        if body.len() == 0 {
            return self.other("request", trouble);
        }
        self.give(MemberName::Offset(body.at), body, Vec::new(), trouble);
    }

    /// The head of the HTTP message in a block.
    fn message(&mut self, block: Block) -> Option<Head> {
        let most = usize::try_from(block.len()).unwrap_or(usize::MAX);
        let head = self.slice(block.at, most.min(HEAD_FIRST));
        Head::read(&head).or_else(|| {
            let head = self.slice(block.at, most.min(HEAD_MAX));
            Head::read(&head)
        })
    }

    fn response(&mut self, name: MemberName, block: Block, trouble: Option<Trouble>) {
        let is_http = self.slice(block.at, 5).as_ref() == b"HTTP/";
        let Some(head) = is_http.then(|| self.message(block)).flatten() else {
            // Other protocols have no head; one that is cut has nothing behind it.
            return self.give(name, block, Vec::new(), trouble);
        };
        let body = Block {
            at: block.at + head.len as u64,
            ..block
        };
        let links = head.links();
        if !head.is_coded() {
            return self.give(name, body, links, trouble);
        }
        if body.len() > self.raw_max {
            let coded = Trouble::damaged(
                "memory-limit",
                format!(
                    "the body is coded and larger than may be held ({} bytes); its coded bytes were read as they stand, raise --memory",
                    self.hold
                ),
                None,
            );
            return self.give(name, body, links, Some(trouble.unwrap_or(coded)));
        }
        let coded = self.slice(body.at, usize::try_from(body.len()).unwrap_or(usize::MAX));
        let plain = http::plain(&head, coded.clone(), self.hold, self.decoders);
        let mut member = Member::whole(name, plain.bytes);
        member.trouble = worse(plain.trouble, trouble);
        member.links = links;
        self.pending.push_back(Event::Member(member));
        if let Some(from) = plain.coded_from {
            let name = MemberName::Offset(body.at + from as u64);
            let coded = Member::whole(name, coded.slice(from..));
            self.pending.push_back(Event::Member(coded));
        }
    }

    fn give(
        &mut self,
        name: MemberName,
        block: Block,
        links: Vec<Vec<u8>>,
        trouble: Option<Trouble>,
    ) {
        let mut member = if block.len() > self.raw_max {
            let stream = self.input.reader(block.at).take(block.len());
            self.streams.push_back(stream);
            Member {
                name,
                body: Body::Streamed(Some(block.len())),
                trouble: None,
                source: None,
                links: Vec::new(),
                time: None,
            }
        } else {
            let len = usize::try_from(block.len()).unwrap_or(usize::MAX);
            Member::whole(name, self.slice(block.at, len))
        };
        member.trouble = trouble;
        member.links = links;
        self.pending.push_back(Event::Member(member));
    }
}

/// The trouble that says more about what is missing.
fn worse(one: Option<Trouble>, other: Option<Trouble>) -> Option<Trouble> {
    let is_odd = |trouble: &Trouble| trouble.effect == super::Effect::Odd;
    match (one, other) {
        (Some(one), Some(other)) if is_odd(&one) => Some(other),
        (one, other) => one.or(other),
    }
}

/// Base32 without padding (RFC 4648, 6), as WARC writes digests.
fn base32(bytes: &[u8]) -> String {
    const DIGITS: [u8; 32] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(DIGITS[(held >> bits) as usize & 31]));
        }
    }
    if bits > 0 {
        text.push(char::from(DIGITS[(held << (5 - bits)) as usize & 31]));
    }
    text
}

impl Walker for WarcWalker {
    fn kind(&self) -> &'static str {
        "warc"
    }

    fn next(&mut self) -> Option<Event> {
        self.streamed = None;
        loop {
            if let Some(event) = self.pending.pop_front() {
                if let Event::Member(member) = &event
                    && matches!(member.body, Body::Streamed(_))
                {
                    self.streamed = self.streams.pop_front();
                }
                return Some(event);
            }
            if self.is_done {
                return None;
            }
            self.step();
        }
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        self.streamed
            .as_mut()
            .and_then(|reader| reader.read(buffer).ok())
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::InputFile;
    use super::super::testing::{Seen, walk};
    use super::*;

    fn record(kind: &str, uri: &str, more: &str, block: &[u8]) -> Vec<u8> {
        let uri = match uri {
            "" => String::new(),
            uri => format!("WARC-Target-URI: {uri}\r\n"),
        };
        let head = format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\n{uri}{more}Content-Length: {}\r\n\r\n",
            block.len()
        );
        [head.as_bytes(), block, b"\r\n\r\n"].concat()
    }

    fn response(uri: &str, fields: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        record("response", uri, "", &[head.as_bytes(), body].concat())
    }

    /// Each was looked at for 256 KiB, whatever stood in it.
    #[test]
    fn heads_without_end_take_linear_time() {
        let file = b"WARC/1.0\r\nA: b\r\n".repeat(20_000);
        let found = walk(&Warc, &file, &Limits::default()).unwrap();
        assert_eq!(found.members.len(), 20_000);
        assert_eq!(found.codes[..2], ["warc-damaged", "warc-damaged"]);
        // A record behind a head that is cut is read.
        let file = [
            &b"WARC/1.0\r\nA: b\r\n"[..],
            &record("resource", "u:1", "", b"text"),
        ]
        .concat();
        let found = walk(&Warc, &file, &Limits::default()).unwrap();
        assert_eq!(found.members[1], ("u:1".to_owned(), b"text".to_vec()));
        let long = format!("X: {}\r\n", "y".repeat(100_000));
        let file = record("resource", "u:1", &long, b"text");
        let found = walk(&Warc, &file, &Limits::default()).unwrap();
        assert_eq!(found.members, [("u:1".to_owned(), b"text".to_vec())]);
        assert_eq!(found.codes, [""; 0]);
    }

    fn crawl() -> Vec<u8> {
        [
            record("warcinfo", "", "", b"software: x\r\n"),
            record(
                "request",
                "https://h/a.js",
                "",
                b"GET /a.js HTTP/1.1\r\n\r\n",
            ),
            response("https://h/a.js", "SourceMap: a.js.map\r\n", b"run();"),
            response(
                "<https://h/b>",
                "Transfer-Encoding: chunked\r\n",
                b"3\r\nabc\r\n0\r\n\r\n",
            ),
            record(
                "request",
                "https://h/b",
                "",
                b"POST /b HTTP/1.1\r\nA: b\r\n\r\nsent",
            ),
            record("resource", "file:///c.txt", "", b"text\r\n\r\n"),
            record("metadata", "https://h/b", "", b"outlink: x"),
            record("revisit", "https://h/a.js", "", b"HTTP/1.1 304\r\n\r\n"),
        ]
        .concat()
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(Warc.recognise(bytes));
        walk(&Warc, bytes, &Limits::default()).expect("it opens")
    }

    #[test]
    fn records_come_by_their_kind() {
        let bytes = crawl();
        let found = seen(&bytes);
        let sent = memchr::memmem::find(&bytes, b"sent").unwrap();
        assert_eq!(
            found.named(),
            [
                ("https://h/a.js", &b"run();"[..]),
                ("https://h/b", b"abc"),
                (format!("@{sent}").as_str(), b"sent"),
                ("file:///c.txt", b"text\r\n\r\n"),
            ]
        );
        assert_eq!(found.others, ["warcinfo", "request", "metadata", "revisit"]);
        assert!(found.codes.is_empty(), "{:?}", found.codes);
    }

    /// The example of the standard's annex, shortened to two records (ISO 28500:2017, C.2 and C.3), with other names.
    #[test]
    fn the_standards_own_form_is_read() {
        let text = "WARC/1.1\r\nWARC-Type: response\r\n\
            WARC-Target-URI: http://www.example.org/images/logo.gif\r\n\
            WARC-Warcinfo-ID: <urn:uuid:d7ae5c10-e6b3-4d27-967d-34780c58ba39>\r\n\
            WARC-Date: 2016-09-19T17:20:24Z\r\n\
            Content-Type: application/http;msgtype=response\r\nContent-Length: 44\r\n\r\n\
            HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nGIF8xx\r\n\r\n\
            WARC/1.1\r\nWARC-Type: conversion\r\nContent-Type: image/neoimg\r\n\
            WARC-Target-URI: http://www.example.org/images/logo.gif\r\ncontent-length : 3\r\n\r\nNEO\r\n\r\n";
        let found = seen(text.as_bytes());
        let name = "http://www.example.org/images/logo.gif";
        assert_eq!(found.named(), [(name, &b"GIF8xx"[..]), (name, b"NEO")]);
        assert!(found.codes.is_empty(), "{:?}", found.codes);
    }

    #[test]
    fn headers_lead_to_maps() {
        let input = Input::Memory(crawl().into());
        let mut walker = Warc.open(input, &Limits::default()).unwrap();
        let mut links = Vec::new();
        while let Some(event) = walker.next() {
            if let Event::Member(member) = event {
                links.extend(member.links);
            }
        }
        assert_eq!(links, [b"a.js.map".to_vec()]);
    }

    #[test]
    fn lengths_that_lie_cost_no_record() {
        let first = response("https://h/1", "", b"one");
        let second = response("https://h/2", "", b"two");
        let whole = [first.clone(), second].concat();
        let at = memchr::memmem::find(&whole, b"Content-Length: ").unwrap() + 16;
        for (digits, name) in [("10", "short"), ("99", "long"), ("zz", "none")] {
            let mut lying = whole.clone();
            lying[at..at + 2].copy_from_slice(digits.as_bytes());
            let found = seen(&lying);
            let expected = [("https://h/1", &b"one"[..]), ("https://h/2", b"two")];
            if name == "short" {
                // The head of the message is cut, and the rest of it belongs to the block again.
                assert_eq!(found.named().last(), expected.last());
            } else {
                assert_eq!(found.named(), expected, "{name}");
            }
            assert_eq!(found.codes, ["length-mismatch"], "{name}");
        }
    }

    #[test]
    fn what_is_no_record_is_a_region() {
        let record = response("https://h/1", "", b"one");
        let bytes = [&record[..], b"stray\r\nbytes\n", &record[..], b"the end"].concat();
        let found = seen(&bytes);
        let names: Vec<_> = found.named().iter().map(|(name, _)| *name).collect();
        let stray = format!("@{}", record.len());
        let end = format!("@{}", bytes.len() - 7);
        assert_eq!(names, ["https://h/1", &stray, "https://h/1", &end]);
        assert_eq!(found.codes, ["warc-damaged", "warc-damaged"]);
    }

    #[test]
    fn a_cut_block_gives_what_is_there() {
        let bytes = response("https://h/1", "", b"one two");
        let found = seen(&bytes[..bytes.len() - 7]);
        assert_eq!(found.named(), [("https://h/1", &b"one "[..])]);
        assert_eq!(found.codes, ["truncated"]);
    }

    #[test]
    fn a_digest_that_does_not_fit_is_odd() {
        // SHA-1 of "text" in base32, by another program.
        let right = "WARC-Block-Digest: sha1:G4XKBDFLGPTRYAWGKHN4QOSHJUZMM5XK\r\n";
        let found = seen(&record("resource", "u:x", right, b"text"));
        let wrong = seen(&record("resource", "u:x", right, b"test"));
        assert_eq!(wrong.codes, ["checksum-mismatch"]);
        assert_eq!(wrong.members[0].1, b"test");
        assert!(found.codes.is_empty());
    }

    #[test]
    fn a_coding_that_breaks_gives_both_forms() {
        let packed = zstd::encode_all(&b"a text that is longer than its beginning"[..], 1).unwrap();
        let bytes = response(
            "u:x",
            "Content-Encoding: zstd\r\n",
            &packed[..packed.len() - 5],
        );
        let found = seen(&bytes);
        assert_eq!(found.codes, ["content-coding-damaged"]);
        assert_eq!(found.members[1].1, packed[..packed.len() - 5]);
    }

    fn walk_file(bytes: &[u8], memory: u64) -> Seen {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        let input = Input::File(InputFile::new(file, bytes.len() as u64));
        let limits = Limits {
            memory,
            ..Limits::default()
        };
        let mut walker = Warc.open(input, &limits).unwrap();
        super::super::testing::walked(walker.as_mut())
    }

    #[test]
    fn a_file_is_read_record_by_record() {
        let large: Vec<u8> = (0..3 * WINDOW).map(|at| (at % 251) as u8).collect();
        let bytes = [
            crawl(),
            response("https://h/large", "", &large),
            response("https://h/coded", "Transfer-Encoding: chunked\r\n", &large),
            response("https://h/last", "", b"last"),
        ]
        .concat();
        let held = seen(&bytes);
        let streamed = walk_file(&bytes, 1 << 20);
        assert_eq!(streamed.members, held.members);
        assert_eq!(streamed.others, held.others);
        assert_eq!(streamed.codes, ["memory-limit"]);
        assert_eq!(walk_file(&bytes, u64::MAX).codes, held.codes);
    }

    #[test]
    fn what_only_speaks_of_warc_is_none() {
        for text in [
            "WARC/",
            "WARC/1.0",
            "WARC/x.0\r\n",
            "WARC/10\r\n",
            "warc/1.0\r\n",
            " WARC/1.0\r\n",
        ] {
            assert!(!Warc.recognise(text.as_bytes()), "{text}");
        }
        assert!(Warc.recognise(b"WARC/1.0\n"));
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(records in proptest::collection::vec(("[a-z]{1,9}", proptest::collection::vec(any::<u8>(), 0..99)), 0..9)) {
            let mut bytes = record("warcinfo", "", "", b"");
            let mut expected = Vec::new();
            for (name, body) in records {
                let uri = format!("https://h/{name}");
                bytes.extend(response(&uri, "", &body));
                expected.push((uri, body));
            }
            let found = seen(&bytes);
            prop_assert_eq!(&found.members, &expected);
            prop_assert!(found.codes.is_empty());
            prop_assert_eq!(walk_file(&bytes, 64).members, expected);
        }

        #[test]
        fn damage_never_panics_and_both_ways_agree(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in any::<prop::sample::Index>()) {
            let mut bytes = crawl();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut.index(bytes.len()));
            let held = walk(&Warc, &bytes, &Limits::default()).expect("it opens");
            let file = walk_file(&bytes, u64::MAX);
            prop_assert_eq!(held.members, file.members);
            prop_assert_eq!(held.codes, file.codes);
        }

        #[test]
        fn a_cut_loses_nothing_before_it(cut in any::<prop::sample::Index>()) {
            let bytes = crawl();
            let all = seen(&bytes).members;
            let cut = cut.index(bytes.len());
            let found = walk(&Warc, &bytes[..cut], &Limits::default()).expect("it opens").members;
            for (index, (name, body)) in all.iter().enumerate() {
                let at = memchr::memmem::rfind(&bytes, body).unwrap() + body.len();
                if at + 40 <= cut {
                    prop_assert_eq!(&found[index], &(name.clone(), body.clone()));
                }
            }
        }

        #[test]
        fn any_bytes_do(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes = [b"WARC/1.0\r\n", &bytes[..]].concat();
            let _ = walk(&Warc, &bytes, &Limits::default());
        }
    }
}
