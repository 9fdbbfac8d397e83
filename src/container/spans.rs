//! What walkers share that know where their members stand: members and regions by offset and length.
//!
//! A member whose bytes are not all there gives what is there and says so; one that is larger than may be held is
//! streamed; one in memory is a slice of it.

use std::io::Read;

use bytes::Bytes;

use super::feed::{Input, InputReader};
use super::{Body, Member, Trouble};
use crate::blob::MemberName;

/// Content, and the one member of it that is being streamed.
pub struct Spans {
    input: Input,
    hold: u64,
    streamed: Option<std::io::Take<InputReader>>,
    stands: Option<Input>,
}

impl Spans {
    /// Spans of `input`, of which up to `hold` bytes may be held at a time.
    pub fn new(input: Input, hold: u64) -> Self {
        Self {
            input,
            hold,
            streamed: None,
            stands: None,
        }
    }

    /// Length of the content in bytes.
    pub fn len(&self) -> u64 {
        self.input.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Up to `len` bytes from `at`; fewer where they end or cannot be read.
    pub fn slice(&self, at: u64, len: usize) -> Bytes {
        self.input.slice(at, len).unwrap_or_default()
    }

    /// The member that stands at `start` and has `len` bytes, as it is said.
    pub fn member(&mut self, name: MemberName, start: u64, len: u64) -> Member {
        let there = len.min(self.input.len().saturating_sub(start));
        let mut member = self.bytes(name, start, there);
        if there < len {
            member.trouble = Some(Trouble::damaged(
                "truncated",
                format!(
                    "the entry at offset {start} states {} bytes more than there are; what is there was read",
                    len - there
                ),
                Some(len - there),
            ));
        }
        member
    }

    /// What stands in `from..to` and is nobody's. `None` for padding.
    pub fn region(&mut self, from: u64, to: u64) -> Option<Member> {
        let mut at = from;
        while at < to {
            let bytes = self.slice(
                at,
                usize::try_from(to - at).unwrap_or(usize::MAX).min(1 << 20),
            );
            if bytes.is_empty() || bytes.iter().any(|&byte| byte != 0) {
                return Some(self.bytes(MemberName::Offset(from), from, to - from));
            }
            at += bytes.len() as u64;
        }
        None
    }

    fn bytes(&mut self, name: MemberName, start: u64, len: u64) -> Member {
        let is_held = matches!(self.input, Input::Memory(_)) || len <= self.hold;
        if !is_held {
            self.streamed = Some(self.input.reader(start).take(len));
            self.stands = Some(self.input.within(start, len));
            return Member {
                body: Body::Streamed(Some(len)),
                ..Member::whole(name, Bytes::new())
            };
        }
        let held = self
            .input
            .slice(start, usize::try_from(len).unwrap_or(usize::MAX));
        match held {
            Ok(bytes) => Member::whole(name, bytes),
            Err(error) => Member::absent(
                name,
                Trouble::damaged(
                    "unreadable",
                    format!("the file could not be read: {error}"),
                    Some(len),
                ),
            ),
        }
    }

    /// Where the member stands that was streamed last.
    pub fn stands(&self) -> Option<Input> {
        self.stands.clone()
    }

    /// Reads on in the member that was given last, where that is streamed.
    pub fn read(&mut self, buffer: &mut [u8]) -> usize {
        let streamed = self.streamed.as_mut();
        streamed.map_or(0, |reader| reader.read(buffer).unwrap_or(0))
    }

    /// The first place from `from` on where `word` stands and `is_wanted` says so.
    pub fn find(&self, from: u64, word: &[u8], is_wanted: impl Fn(u64) -> bool) -> Option<u64> {
        self.find_before(from, self.input.len(), word, is_wanted)
    }

    /// The first place in `from..to` where `word` stands as a whole and `is_wanted` says so.
    pub fn find_before(
        &self,
        from: u64,
        to: u64,
        word: &[u8],
        is_wanted: impl Fn(u64) -> bool,
    ) -> Option<u64> {
        const STEP: usize = 256 << 10;
        let mut at = from;
        while at < to {
            let left = usize::try_from(to - at).unwrap_or(usize::MAX);
            let bytes = self.slice(at, left.min(STEP + word.len() - 1));
            if bytes.is_empty() {
                return None;
            }
            let found = memchr::memmem::find_iter(&bytes, word)
                .map(|found| at + found as u64)
                .find(|&found| is_wanted(found));
            if found.is_some() {
                return found;
            }
            at += STEP as u64;
        }
        None
    }
}
