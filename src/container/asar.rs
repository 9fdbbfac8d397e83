//! Electron's asar: the files of an application one after the other, with an index in front.
//!
//! The index is a JSON tree inside two pickles (a length-prefixed form of Chromium's): `04 00 00 00`, the length of
//! the second pickle, its payload's length, the text's length, the text. A file has `size` and `offset`, the latter
//! a decimal string, counted from the end of the second pickle. A file that is `unpacked` lies beside the archive in
//! `NAME.asar.unpacked`; a `link` is never followed. Source: README of the `electron/asar` repository ("Format").
//!
//! Everything in the index is a claim. A file whose bytes are not all there gives what is there; bytes that no file
//! claims are given as regions; a fault in the index costs what stands behind the fault. The tree is never built:
//! entries are given while the index is read, so that memory is the index and 16 bytes an entry.

use bytes::Bytes;

use super::claims::Claims;
use super::feed::Input;
use super::json::{self, Shape, Token, Tokens};
use super::spans::Spans;
use super::{Body, Event, Format, Member, Trouble, Walker};
use crate::blob::digest::hex;
use crate::blob::{Limits, MemberName, Sha256Digest};

/// Length of the first pickle and of the lengths in the second.
const TEXT_AT: u64 = 16;
/// Largest index that is read: a million files take about 200 MB.
const INDEX_MAX: u64 = 1 << 30;
/// Folders within folders. Paths of real applications have a dozen.
const DEPTH_MAX: usize = 1_000;
/// A longer path is not put together, so that nested long names cannot multiply.
const PATH_MAX: usize = 64 << 10;

/// Brackets within brackets that are kept track of; more are damage or malice, and each takes memory.
const OPEN_MAX: usize = 1 << 18;

/// The asar format.
pub struct Asar;

impl Format for Asar {
    fn name(&self) -> &'static str {
        "asar"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let Some(text) = head.get(TEXT_AT as usize..) else {
            return false;
        };
        let text = &text[..text.len().min(4 << 10)];
        head.starts_with(b"\x04\0\0\0")
            && text.starts_with(b"{")
            && memchr::memmem::find(text, b"\"files\"").is_some()
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let lengths = input.slice(0, TEXT_AT as usize).map_err(unreadable)?;
        let length = |at| u32_at(&lengths, at).map_or(0, u64::from);
        let (pickle, text_len) = (length(4), length(12));
        let data_at = 8 + pickle;
        let mut troubles = Vec::new();
        if text_len + 8 > pickle || data_at > input.len() {
            troubles.push(Trouble::odd(
                "asar-header-damaged",
                format!("the lengths in the header disagree (pickle {pickle}, text {text_len}, file {}); the index was read as far as it goes", input.len()),
            ));
        }
        if text_len > INDEX_MAX.min(limits.hold()) {
            return Err(Trouble::skipped(
                "memory-limit",
                format!("the index has {text_len} bytes, more than may be held; raise --memory"),
                Some(input.len()),
            ));
        }
        let text = input
            .slice(TEXT_AT, text_len as usize)
            .map_err(unreadable)?;
        if (text.len() as u64) < text_len {
            troubles.push(index_damaged(text.len() as u64));
        }
        Ok(Box::new(AsarWalker {
            data_at,
            index: Some(Index::new(text)),
            troubles,
            claims: Claims::default(),
            regions: Vec::new(),
            spans: Spans::new(input, limits.hold()),
        }))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn unreadable(error: std::io::Error) -> Trouble {
    Trouble::damaged(
        "unreadable",
        format!("the file could not be read: {error}"),
        None,
    )
}

fn index_damaged(at: u64) -> Trouble {
    Trouble::damaged(
        "asar-index-damaged",
        format!(
            "the index is damaged or cut at byte {at} of its text; the files before that were read, and what no file claims is given as regions"
        ),
        None,
    )
}

/// One node of the index, as far as it was read.
#[derive(Debug, Default)]
struct Node {
    /// Length of the path of the folder round it.
    folder_len: usize,
    has_files: bool,
    is_unpacked: bool,
    is_link: bool,
    size: Option<u64>,
    offset: Option<u64>,
    sha256: Option<Bytes>,
}

/// What an open bracket belongs to.
#[derive(Debug)]
enum Open {
    Node(Node),
    /// The object behind `files`: its keys are names.
    Files,
    /// The object behind `integrity`.
    Integrity,
    /// Anything else.
    Unknown,
}

/// A node that was read in full, with its path.
#[derive(Debug)]
struct Entry {
    /// `None` where it is too long to be put together.
    path: Option<Vec<u8>>,
    node: Node,
}

/// Reads the index, entry by entry.
struct Index {
    tokens: Tokens,
    open: Vec<Open>,
    key: Option<Bytes>,
    path: Vec<u8>,
    /// Levels of names, and those of them that made the path too long.
    levels: usize,
    is_too_deep: bool,
}

impl Index {
    fn new(text: Bytes) -> Self {
        Self {
            tokens: Tokens::new(text),
            open: Vec::new(),
            key: None,
            path: Vec::new(),
            levels: 0,
            is_too_deep: false,
        }
    }

    /// The next node that is complete; `None` where the index ends.
    fn next(&mut self) -> Option<Entry> {
        loop {
            match self.tokens.next()? {
                Token::Key(key) => self.key = Some(key),
                Token::Open(_) if self.open.len() == OPEN_MAX => return None,
                Token::Open(shape) => {
                    let key = self.key.take();
                    let opened = self.opened(shape, key);
                    self.open.push(opened);
                }
                Token::Close(_) => {
                    let closed = self.open.pop();
                    if let Some(Open::Node(node)) = closed {
                        let entry = self.closed(node);
                        return Some(entry);
                    }
                }
                Token::Text(value) => self.value(value, true),
                Token::Word(value) => self.value(value, false),
            }
        }
    }

    fn opened(&mut self, shape: Shape, key: Option<Bytes>) -> Open {
        if shape != Shape::Object {
            return Open::Unknown;
        }
        match (self.open.last_mut(), key) {
            (None, _) => Open::Node(Node::default()),
            (Some(Open::Files), Some(name)) => {
                let folder_len = self.path.len();
                self.levels += 1;
                // A path beyond the limit stays as long as it is: what is below it has no path either.
                if self.levels <= DEPTH_MAX && self.path.len() <= PATH_MAX {
                    if !self.path.is_empty() || self.levels > 1 {
                        self.path.push(b'/');
                    }
                    self.path.extend_from_slice(&json::unescape(&name));
                }
                Open::Node(Node {
                    folder_len,
                    ..Node::default()
                })
            }
            (Some(Open::Node(node)), Some(key)) if key == "files" => {
                node.has_files = true;
                Open::Files
            }
            (Some(Open::Node(_)), Some(key)) if key == "integrity" => Open::Integrity,
            _ => Open::Unknown,
        }
    }

    fn closed(&mut self, node: Node) -> Entry {
        let is_deep = self.levels > DEPTH_MAX || self.path.len() > PATH_MAX;
        self.is_too_deep |= is_deep;
        let path = (!is_deep).then(|| self.path.clone());
        self.path.truncate(node.folder_len);
        self.levels = self.levels.saturating_sub(1);
        Entry { path, node }
    }

    fn value(&mut self, value: Bytes, is_text: bool) {
        let Some(key) = self.key.take() else {
            return;
        };
        match self.open.last_mut() {
            Some(Open::Node(node)) => match key.as_ref() {
                b"size" => node.size = json::number(&value),
                b"offset" => node.offset = json::number(&value),
                b"unpacked" => node.is_unpacked = value == "true",
                b"link" => node.is_link = is_text,
                _ => {}
            },
            Some(Open::Integrity) if key == "hash" => {
                let node = self.open.iter_mut().rev().nth(1);
                if let Some(Open::Node(node)) = node {
                    node.sha256 = Some(value).filter(|value| value.len() == 64);
                }
            }
            _ => {}
        }
    }

    /// What is wrong with the index, once it was read.
    fn finish(&self) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        if self.tokens.is_cut || self.tokens.stray > 0 || !self.open.is_empty() {
            troubles.push(index_damaged(self.tokens.position() as u64));
        }
        if self.is_too_deep {
            troubles.push(Trouble::odd(
                "name-too-long",
                format!("folders nest more than {DEPTH_MAX} deep, or paths are longer than {PATH_MAX} bytes; files there are given by their offsets"),
            ));
        }
        troubles
    }
}

/// Gives the files of an archive in the order of its index.
struct AsarWalker {
    spans: Spans,
    data_at: u64,
    index: Option<Index>,
    troubles: Vec<Trouble>,
    claims: Claims,
    /// What no file claimed, last first.
    regions: Vec<(u64, u64)>,
}

impl AsarWalker {
    fn entry(&mut self, entry: Entry) -> Event {
        let Entry { path, node } = entry;
        if node.is_link {
            return Event::Other("symlink");
        }
        if node.has_files && node.offset.is_none() {
            return Event::Other("folder");
        }
        if node.is_unpacked {
            return Event::Other("unpacked");
        }
        let (Some(size), Some(offset)) = (node.size, node.offset) else {
            let trouble = Trouble::damaged(
                "asar-entry-damaged",
                "the index does not say where this file is; what no file claims is given as regions",
                node.size,
            );
            return Event::Member(Member::absent(name_of(path, None), trouble));
        };
        let start = self.data_at.saturating_add(offset);
        let there = size.min(self.spans.len().saturating_sub(start));
        self.claims.note(start, there);
        let mut member = self.spans.member(name_of(path, Some(start)), start, size);
        if member.trouble.is_none()
            && let (Some(sha256), Body::Held(bytes)) = (&node.sha256, &member.body)
            && !hex(&Sha256Digest::of(bytes).0)
                .as_bytes()
                .eq_ignore_ascii_case(sha256)
        {
            member.trouble = Some(Trouble::odd(
                "checksum-mismatch",
                "the SHA-256 that the index states does not fit; the bytes were read as they stand",
            ));
        }
        Event::Member(member)
    }

    /// Looks at what the index left out, once it was read.
    fn settle(&mut self, index: &Index) {
        self.troubles.append(&mut index.finish());
        let claims = std::mem::take(&mut self.claims);
        let (overlaps, mut regions) = claims.settle(self.data_at, self.spans.len());
        if overlaps > 0 {
            self.troubles.push(Trouble::odd(
                "asar-overlap",
                format!("{overlaps} files begin within the bytes of another; each was read as the index states"),
            ));
        }
        if !regions.is_empty() {
            let bytes: u64 = regions.iter().map(|(from, to)| to - from).sum();
            self.troubles.push(Trouble::odd(
                "asar-unlisted",
                format!("{bytes} bytes belong to no file of the index; they were read as regions"),
            ));
        }
        regions.reverse();
        self.regions = regions;
    }
}

fn name_of(path: Option<Vec<u8>>, offset: Option<u64>) -> MemberName {
    match (path, offset) {
        (Some(path), _) => MemberName::Named(path),
        (None, offset) => MemberName::Offset(offset.unwrap_or_default()),
    }
}

impl Walker for AsarWalker {
    fn kind(&self) -> &'static str {
        "asar"
    }

    fn next(&mut self) -> Option<Event> {
        if let Some(mut index) = self.index.take() {
            if let Some(entry) = index.next() {
                self.index = Some(index);
                return Some(self.entry(entry));
            }
            self.settle(&index);
        }
        if let Some((from, to)) = self.regions.pop() {
            let name = MemberName::Offset(from);
            return Some(Event::Member(self.spans.member(name, from, to - from)));
        }
        self.troubles.pop().map(Event::Trouble)
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

    /// An archive with this index and these bytes behind it.
    fn laid(index: &str, data: &[u8]) -> Vec<u8> {
        let text_len = index.len() as u32;
        let padded = text_len.next_multiple_of(4);
        let mut bytes = Vec::new();
        for length in [4, padded + 8, padded + 4, text_len] {
            bytes.extend(length.to_le_bytes());
        }
        bytes.extend(index.as_bytes());
        bytes.resize(16 + padded as usize, 0);
        bytes.extend(data);
        bytes
    }

    fn read(bytes: &[u8]) -> Seen {
        assert!(Asar.recognise(bytes));
        walk(&Asar, bytes, &Limits::default()).expect("it opens")
    }

    #[test]
    fn files_folders_links_and_unpacked_files() {
        let index = r#"{"files":{
            "a.js":{"size":3,"offset":"0","integrity":{"algorithm":"SHA256","hash":"9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0","blocks":["x"]}},
            "d":{"files":{"\u00fc":{"size":2,"offset":"3","executable":true},"e":{"files":{}}}},
            "l":{"link":"d/x"},
            "n.node":{"size":9,"unpacked":true}}}"#;
        let seen = read(&laid(index, b"aaabb"));
        assert_eq!(
            seen.members,
            [
                ("a.js".to_owned(), b"aaa".to_vec()),
                ("d/ü".to_owned(), b"bb".to_vec())
            ]
        );
        assert_eq!(
            seen.others,
            ["folder", "folder", "symlink", "unpacked", "folder"]
        );
        assert!(seen.codes.is_empty(), "{:?}", seen.codes);
    }

    #[test]
    fn a_wrong_hash_is_odd_and_loses_nothing() {
        let index = format!(
            r#"{{"files":{{"a":{{"size":1,"offset":"0","integrity":{{"hash":"{}"}}}}}}}}"#,
            "0".repeat(64)
        );
        let seen = read(&laid(&index, b"x"));
        assert_eq!(seen.members, [("a".to_owned(), b"x".to_vec())]);
        assert_eq!(seen.codes, ["checksum-mismatch"]);
    }

    #[test]
    fn lying_extents_give_what_is_there() {
        let index = r#"{"files":{"past":{"size":9,"offset":"4"},"far":{"size":1,"offset":"18446744073709551615"},
            "a":{"size":3,"offset":"0"},"b":{"size":3,"offset":"1"},"none":{"size":2}}}"#;
        let seen = read(&laid(index, b"123456"));
        let names: Vec<_> = seen
            .members
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        assert_eq!(
            names,
            [
                ("past", &b"56"[..]),
                ("far", b""),
                ("a", b"123"),
                ("b", b"234")
            ]
        );
        assert_eq!(
            seen.codes,
            [
                "truncated",
                "truncated",
                "asar-entry-damaged",
                "asar-overlap"
            ]
        );
    }

    #[test]
    fn what_the_index_does_not_mention_is_a_region() {
        let seen = read(&laid(r#"{"files":{"a":{"size":1,"offset":"2"}}}"#, b"..A?"));
        let names: Vec<_> = seen.members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "@56", "@59"]);
        assert_eq!(seen.codes, ["asar-unlisted"]);
    }

    #[test]
    fn a_cut_index_gives_the_files_before_the_cut() {
        let whole = laid(
            r#"{"files":{"a":{"size":1,"offset":"0"},"b":{"size":1,"offset":"1"}}}"#,
            b"xy",
        );
        // The text's length now ends it within the second entry.
        let mut cut = whole.clone();
        cut[12] -= 20;
        let seen = read(&cut);
        assert_eq!(seen.members[0], ("a".to_owned(), b"x".to_vec()));
        assert_eq!(seen.members[1].1, b"y");
        assert_eq!(seen.codes, ["asar-unlisted", "asar-index-damaged"]);
    }

    #[test]
    fn deep_nesting_loses_no_file() {
        let depth = 20_000;
        let index = format!(
            r#"{}"f":{{"size":1,"offset":"0"}}{}"#,
            r#"{"files":{"x":"#.repeat(depth) + r#"{"files":{"#,
            "}}".repeat(depth + 1)
        );
        let seen = read(&laid(&index, b"!"));
        assert_eq!(seen.members.len(), 1);
        assert!(seen.members[0].0.starts_with('@'));
        assert_eq!(seen.codes, ["name-too-long"]);
    }

    #[test]
    fn brackets_without_end_take_no_memory_without_end() {
        let index = r#"{"files":"#.to_owned() + &"[".repeat(OPEN_MAX + 9);
        let seen = read(&laid(&index, b"!"));
        assert_eq!(seen.members.len(), 1);
        assert_eq!(seen.codes, ["asar-unlisted", "asar-index-damaged"]);
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(files in proptest::collection::btree_map("[a-zü\"\\\\]{1,9}", proptest::collection::vec(any::<u8>(), 0..60), 0..9)) {
            let (mut data, mut nodes) = (Vec::new(), serde_json::Map::new());
            for (name, bytes) in &files {
                nodes.insert(name.clone(), serde_json::json!({ "size": bytes.len(), "offset": data.len().to_string() }));
                data.extend(bytes);
            }
            let seen = read(&laid(&serde_json::json!({ "files": nodes }).to_string(), &data));
            prop_assert_eq!(seen.members, files.into_iter().collect::<Vec<_>>());
            prop_assert!(seen.codes.is_empty());
        }

        #[test]
        fn damage_never_panics(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in 0..90_usize) {
            let mut bytes = laid(r#"{"files":{"a":{"size":3,"offset":"0"},"d":{"files":{"b":{"size":2,"offset":"3"}}}}}"#, b"aaabb");
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut);
            let _ = walk(&Asar, &bytes, &Limits::default());
        }

        #[test]
        fn any_bytes_do(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = walk(&Asar, &bytes, &Limits::default());
        }
    }
}
