//! A walker for content whose parts are all known once it is opened.
//!
//! Executables that carry an application have an index of a few hundred entries, so it is read at once; the parts
//! are slices of the content and cost nothing. What this adds is the account: whatever no part claims (the runtime,
//! mostly) is given as regions in the end, so that nothing of an executable is left unread because it was opened.

use std::ops::Range;

use bytes::Bytes;

use super::claims::Claims;
use super::{Event, Input, Member, Trouble, Walker};
use crate::blob::MemberName;

/// Parts of one content, collected while its index is read.
pub struct Listed {
    kind: &'static str,
    content: Bytes,
    claims: Claims,
    parts: Vec<Part>,
}

/// A part, as it waits.
enum Part {
    Ready(Event),
    /// Packed bytes, and what makes a member of them. Not before its turn: unpacked, all of them would not fit.
    Packed(Bytes, Unpack),
}

/// Makes a member of packed bytes.
type Unpack = Box<dyn FnOnce(&[u8]) -> Member + Send>;

impl Listed {
    /// Begins a list of the parts of `content`.
    pub fn new(kind: &'static str, content: Bytes) -> Self {
        Self {
            kind,
            content,
            claims: Claims::default(),
            parts: Vec::new(),
        }
    }

    /// The bytes in `range`, as far as they are there.
    pub fn slice(&self, range: &Range<usize>) -> Bytes {
        let end = range.end.min(self.content.len());
        self.content.slice(range.start.min(end)..end)
    }

    /// Adds the member `name`, which stands in `range`.
    pub fn member(&mut self, name: Vec<u8>, range: Range<usize>) {
        let bytes = self.slice(&range);
        let missing = range.len() - bytes.len();
        let mut member = Member::whole(MemberName::of_address(name), bytes);
        member.trouble = (missing > 0).then(|| {
            Trouble::damaged(
                "truncated",
                format!(
                    "the file ends {missing} bytes before this entry does; what is there was read"
                ),
                Some(missing as u64),
            )
        });
        self.claim(&range);
        self.parts.push(Part::Ready(Event::Member(member)));
    }

    /// Adds what `unpack` makes of the bytes in `range` when its turn comes.
    pub fn packed(
        &mut self,
        range: &Range<usize>,
        unpack: impl FnOnce(&[u8]) -> Member + Send + 'static,
    ) {
        self.claim(range);
        self.parts
            .push(Part::Packed(self.slice(range), Box::new(unpack)));
    }

    /// Adds what stands in `range` and has no name.
    pub fn region(&mut self, range: Range<usize>) {
        let name = MemberName::Offset(range.start as u64);
        let member = Member::whole(name, self.slice(&range));
        self.claim(&range);
        self.parts.push(Part::Ready(Event::Member(member)));
    }

    /// Notes that `range` was read as part of the index and is nobody's content.
    pub fn claim(&mut self, range: &Range<usize>) {
        self.claims.note(range.start as u64, range.len() as u64);
    }

    /// Adds something that is no member.
    pub fn other(&mut self, kind: &'static str) {
        self.parts.push(Part::Ready(Event::Other(kind)));
    }

    /// Adds a trouble of the whole.
    pub fn trouble(&mut self, trouble: Trouble) {
        self.parts.push(Part::Ready(Event::Trouble(trouble)));
    }

    /// Closes the list: what nobody claimed becomes regions, padding apart.
    pub fn finish(mut self) -> Box<dyn Walker> {
        let claims = std::mem::take(&mut self.claims);
        let (_, gaps) = claims.settle(0, self.content.len() as u64);
        for (from, to) in gaps {
            let region = self.content.slice(from as usize..to as usize);
            self.parts
                .push(Part::Ready(if region.iter().all(|byte| *byte == 0) {
                    Event::Other("padding")
                } else {
                    Event::Member(Member::whole(MemberName::Offset(from), region))
                }));
        }
        Box::new(ListedWalker {
            kind: self.kind,
            parts: self.parts.into_iter(),
        })
    }
}

struct ListedWalker {
    kind: &'static str,
    parts: std::vec::IntoIter<Part>,
}

impl Walker for ListedWalker {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn next(&mut self) -> Option<Event> {
        Some(match self.parts.next()? {
            Part::Ready(event) => event,
            Part::Packed(bytes, unpack) => Event::Member(unpack(&bytes)),
        })
    }
}

/// The content of an input that is in memory.
///
/// # Errors
/// Where it is too large to be held.
pub fn held(input: Input) -> Result<Bytes, Trouble> {
    match input {
        Input::Memory(bytes) => Ok(bytes),
        Input::File(file) => Err(Trouble::skipped(
            "memory-limit",
            "the file is larger than content may be held, and its parts stand anywhere in it; raise --memory to twice its size",
            Some(file.len),
        )),
    }
}

/// The number of `width` (4 or 8) bytes at `at`, little-endian.
pub fn number_at(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?;
    match width {
        4 => bytes
            .first_chunk()
            .map(|raw| u32::from_le_bytes(*raw).into()),
        _ => bytes.first_chunk().map(|raw| u64::from_le_bytes(*raw)),
    }
}
