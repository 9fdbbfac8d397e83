//! The map scanner: names and contents as slices, from any bytes that still resemble a map.
//!
//! One walk from front to back, with no tree, no recursion and no copy. Values that say nothing about sources
//! (`mappings` above all) are stepped over. A JSON parser gives up at the first wrong byte and with it gives up every
//! source; this walk notes what is odd ([`Oddity`]) and goes on with what it can see.
//!
//! How lists that do not fit are read, since a recovery must lose nothing and invent nothing:
//!
//! - Entry `i` of `sources` goes with entry `i` of `sourcesContent` (ECMA-426, "Resolving sources"). The longer list
//!   decides how many slots there are: a name without content is missing, a content without name has no name.
//! - `null`, and an entry that is not a string, is a missing name or content, never an empty one.
//! - A list that occurs twice under the same key is kept twice. The second `sources` goes with the second
//!   `sourcesContent`; where one of the two occurs less often, its last occurrence serves again, and only for the
//!   entries of the other. Each written entry therefore yields at least one slot, and no slot is made of thin air.
//!   Of other keys the last one counts, as in every JSON parser.
//! - Sections of an index map are flattened in the order of the document, nested ones too. Each keeps its own
//!   `sourceRoot`: an embedded map inherits nothing (ECMA-426, "Index source map").
//! - Where the document ends too early, everything that is complete is kept, and the string that is cut is marked.
//!
//! Left out: UTF-16 documents ([`utf16`](super::utf16)); further maps behind the first ([`MapScan::end`] says where to
//! look); maps inside other texts ([`carve`](super::carve)); the order and overlap of sections, which only the strict
//! verdict needs.

use std::ops::Range;

use thiserror::Error;

use super::cursor::{Cursor, Front, Key, Step, is_three};
use super::unescape::{Decoded, RawString, Status};

/// Bounds on what one map may make us keep. They are counts, so that the same input gives the same result everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// List entries, section references and `names` lists that are kept, over the whole document.
    pub entries: usize,
    /// Maps inside maps: 1 reads no sections at all.
    pub depth: usize,
}

impl Default for Limits {
    /// Two million entries (a million sources with content), 32 maps deep.
    fn default() -> Self {
        Limits {
            entries: 1 << 21,
            depth: 32,
        }
    }
}

/// Everything that one map says about its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapScan<'a> {
    /// The value of `version` as written, such as `3` or `"3"`; `None` when there is none.
    pub version: Option<&'a [u8]>,
    /// The generated file that the map belongs to.
    pub file: Option<Vec<u8>>,
    /// The outermost `sourceRoot`. The one in force for a source stands in its slot.
    pub source_root: Option<Vec<u8>>,
    /// `debugId`, or the older `debug_id`; that of the first section that has one where the map itself has none.
    pub debug_id: Option<Vec<u8>>,
    /// How many sections were seen, nested ones included; 0 for a plain map.
    pub sections: usize,
    /// Each `names` list as written, from bracket to bracket (to the end of the document where it is cut).
    pub names: Vec<&'a [u8]>,
    /// Indices into `sources` of this scan that `ignoreList` or `x_google_ignoreList` names, ascending.
    pub ignore_list: Vec<u32>,
    /// Every source, in the order of the document.
    pub sources: Vec<SourceSlot<'a>>,
    /// The document ends before the map does.
    pub truncated: bool,
    /// What is not as the standard wants it, one row for each kind.
    pub oddities: Vec<Oddity>,
    /// The mappings that there are: one part of a plain map, one for each section with mappings of an index map.
    pub parts: Vec<Part<'a>>,
    /// `url` of sections that point to a map elsewhere (a form that the standard dropped).
    pub sections_with_url: Vec<Vec<u8>>,
    /// Offset of the `{` that opens the map.
    pub start: usize,
    /// Offset after the `}` that closes it, or the length of the document.
    pub end: usize,
}

impl MapScan<'_> {
    /// How many sources have content, complete or cut.
    pub fn with_content(&self) -> usize {
        self.sources
            .iter()
            .filter(|slot| slot.content != Content::Missing)
            .count()
    }

    /// The oddity of this kind, if there is one.
    pub fn oddity(&self, kind: OddityKind) -> Option<Oddity> {
        self.oddities.iter().find(|odd| odd.kind == kind).copied()
    }
}

/// The `mappings` of one plain map: of the map itself, or of a section's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The section that it stands in; `None` in a plain map.
    pub section: Option<u32>,
    /// Where its generated code begins in the whole: line and column, from 0.
    pub begins: (u64, u64),
    /// The text of its mappings, as written.
    pub mappings: RawString<'a>,
    /// Its `names` list as written, from bracket to bracket.
    pub names: Option<&'a [u8]>,
    /// Which slots of the scan its source indices count in.
    pub slots: Range<usize>,
}

/// One source of a map: a place in `sources`, in `sourcesContent`, or in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceSlot<'a> {
    /// The section it stands in, counted from 0 in the order of the document; `None` in a plain map.
    pub section: Option<u32>,
    /// Its index in the lists of its own map or section.
    pub index: u32,
    /// The name as written in `sources`, without `sourceRoot`; `None` for `null` and for a content beyond the names.
    pub name: Option<RawString<'a>>,
    /// The `sourceRoot` of its own map or section.
    pub source_root: Option<RawString<'a>>,
    /// Its text.
    pub content: Content<'a>,
    /// Whether an ignore list names it: third-party code, says the tool that made the map.
    pub ignored: bool,
    /// What `sourcesHash` says of it (proposal "hashes for sources"): a text that only its maker needs to understand.
    pub hash: Option<RawString<'a>>,
}

/// The text of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// The map does not hold it.
    Missing,
    /// The string that holds it.
    Raw(RawString<'a>),
}

impl<'a> Content<'a> {
    /// The text and how exact it is; `None` where it is missing.
    pub fn decode(&self) -> Option<Decoded<'a>> {
        match self {
            Content::Missing => None,
            Content::Raw(string) => Some(string.decode()),
        }
    }

    /// [`Status::Missing`], or the status that decoding gives.
    pub fn status(&self) -> Status {
        self.decode()
            .map_or(Status::Missing, |decoded| decoded.status)
    }
}

/// Something that is not as the standard wants it. Rows are one for each kind, so that a hostile map cannot make many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oddity {
    /// What it is.
    pub kind: OddityKind,
    /// Where it was first seen: an offset into the document.
    pub offset: usize,
    /// How often.
    pub count: u64,
}

/// The kinds of oddities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OddityKind {
    /// A UTF-8 byte-order mark before the map.
    ByteOrderMark,
    /// A line that begins with `)]}'` before the map.
    XssiPrefix,
    /// A known key that occurs twice in one map.
    DuplicateKey,
    /// `sources` and `sourcesContent` are both there and not equally long.
    LengthsDiffer,
    /// No `version`.
    NoVersion,
    /// A `version` other than the number 3.
    WrongVersion,
    /// A value of a known key that is not of the type that the standard gives it.
    WrongType,
    /// An entry of `sources` or `sourcesContent` that is neither a string nor `null`.
    NonStringEntry,
    /// An entry of an ignore list that is no index of a source.
    BadIgnoreEntry,
    /// A byte where JSON allows none such; stepped over.
    Misplaced,
    /// Bytes other than white space after the map.
    TrailingBytes,
    /// More entries than [`Limits::entries`]; the rest is left out.
    TooManyEntries,
    /// Sections nested deeper than [`Limits::depth`]; their maps are left out.
    TooDeep,
}

impl OddityKind {
    /// A short name for records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            OddityKind::ByteOrderMark => "byte-order-mark",
            OddityKind::XssiPrefix => "xssi-prefix",
            OddityKind::DuplicateKey => "duplicate-key",
            OddityKind::LengthsDiffer => "lengths-differ",
            OddityKind::NoVersion => "no-version",
            OddityKind::WrongVersion => "wrong-version",
            OddityKind::WrongType => "wrong-type",
            OddityKind::NonStringEntry => "non-string-entry",
            OddityKind::BadIgnoreEntry => "bad-ignore-entry",
            OddityKind::Misplaced => "misplaced-byte",
            OddityKind::TrailingBytes => "trailing-bytes",
            OddityKind::TooManyEntries => "too-many-entries",
            OddityKind::TooDeep => "too-deep",
        }
    }
}

/// Why bytes are not a source map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAMap {
    /// There is nothing, or nothing but a prefix and white space.
    #[error("not a source map: the document ends at byte {offset} before anything begins")]
    Empty {
        /// Where it ends.
        offset: usize,
    },
    /// Something other than an object stands at the front.
    #[error(
        "not a source map: byte {offset} is 0x{found:02x}, where a map opens with '{{' (0x7b); look for one further on"
    )]
    NoObject {
        /// Where it stands.
        offset: usize,
        /// What stands there.
        found: u8,
    },
    /// An object without any key of a map.
    #[error(
        "not a source map: the object from byte {start} to {end} has none of the keys sources, sourcesContent, mappings and sections"
    )]
    NoMapKeys {
        /// Offset of its `{`.
        start: usize,
        /// Offset where it ends.
        end: usize,
    },
}

/// Scans one map with the default [`Limits`]. See the module for how damage and misfits are read.
///
/// # Errors
/// [`NotAMap`] when there is no object at the front or it has no key of a map.
pub fn scan(document: &[u8]) -> Result<MapScan<'_>, NotAMap> {
    scan_with(document, &Limits::default())
}

/// Scans one map with limits of the caller's choice.
///
/// # Errors
/// As [`scan`].
pub fn scan_with<'a>(document: &'a [u8], limits: &Limits) -> Result<MapScan<'a>, NotAMap> {
    let front = Front::of(document);
    match document.get(front.start) {
        Some(b'{') => Scanner::new(document, &front, limits).run(),
        Some(found) => Err(NotAMap::NoObject {
            offset: front.start,
            found: *found,
        }),
        None => Err(NotAMap::Empty {
            offset: document.len(),
        }),
    }
}

// ---------------------------------------------------------------------------------------------------- the scan

/// One list entry; `None` for `null` and for what is not a string.
type Entry<'a> = Option<RawString<'a>>;

/// A map or section whose closing bracket has not been reached.
#[derive(Default)]
struct Draft<'a> {
    section: Option<u32>,
    start: usize,
    seen: u16,
    version: Option<&'a [u8]>,
    file: Option<RawString<'a>>,
    source_root: Option<RawString<'a>>,
    debug_id: Option<RawString<'a>>,
    sources: Vec<Vec<Entry<'a>>>,
    contents: Vec<Vec<Entry<'a>>>,
    ignored: Vec<u32>,
    mappings: Option<RawString<'a>>,
    names: Option<&'a [u8]>,
    hashes: Vec<Entry<'a>>,
}

impl Draft<'_> {
    fn has(&self, key: Key) -> bool {
        self.seen & key.bit() != 0
    }
}

/// What the scanner is inside of. A stack of these takes the place of recursion.
enum Frame<'a> {
    Map(Box<Draft<'a>>),
    Sections,
    Section(u32),
}

/// Where a section stands: in which other one, and its `offset` there, line and column.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    within: Option<u32>,
    offset: (u64, u64),
}

/// Where a list of strings stopped.
#[derive(PartialEq, Eq)]
enum ListEnd {
    Closed,
    Cut,
}

struct Scanner<'a> {
    cursor: Cursor<'a>,
    found: MapScan<'a>,
    /// Keys of the outermost map, once it is closed.
    seen: u16,
    /// List entries that may be kept, and that may still be.
    entries: usize,
    room: usize,
    depth: usize,
    /// Of each section that there was room for.
    standing: Vec<Standing>,
}

impl<'a> Scanner<'a> {
    fn new(document: &'a [u8], front: &Front, limits: &Limits) -> Self {
        let mut scanner = Scanner {
            cursor: Cursor {
                document,
                at: front.start + 1,
            },
            found: MapScan {
                version: None,
                file: None,
                source_root: None,
                debug_id: None,
                sections: 0,
                names: Vec::new(),
                ignore_list: Vec::new(),
                sources: Vec::new(),
                truncated: false,
                oddities: Vec::new(),
                parts: Vec::new(),
                sections_with_url: Vec::new(),
                start: front.start,
                end: document.len(),
            },
            seen: 0,
            entries: limits.entries,
            room: limits.entries,
            depth: limits.depth,
            standing: Vec::new(),
        };
        if front.has_mark {
            scanner.note(OddityKind::ByteOrderMark, 0);
        }
        if let Some(offset) = front.xssi {
            scanner.note(OddityKind::XssiPrefix, offset);
        }
        scanner
    }

    fn run(mut self) -> Result<MapScan<'a>, NotAMap> {
        let start = self.found.start;
        let mut stack = vec![Frame::Map(Box::new(Draft {
            start,
            ..Draft::default()
        }))];
        while let Some(frame) = stack.pop() {
            match frame {
                Frame::Map(draft) => self.step_map(draft, &mut stack),
                Frame::Sections => self.step_sections(&mut stack),
                Frame::Section(index) => self.step_section(index, &mut stack),
            }
        }
        self.finish()
    }

    fn finish(mut self) -> Result<MapScan<'a>, NotAMap> {
        self.found.end = self.cursor.at;
        for part in &mut self.found.parts {
            part.begins = begins(&self.standing, part.section);
        }
        let telling = [
            Key::Sources,
            Key::SourcesContent,
            Key::Mappings,
            Key::Sections,
        ];
        if telling.iter().all(|key| self.seen & key.bit() == 0) {
            return Err(NotAMap::NoMapKeys {
                start: self.found.start,
                end: self.found.end,
            });
        }
        self.cursor.skip_space();
        if self.cursor.peek().is_some() {
            let offset = self.cursor.at;
            self.note(OddityKind::TrailingBytes, offset);
        }
        Ok(self.found)
    }

    fn note(&mut self, kind: OddityKind, offset: usize) {
        match self.found.oddities.iter_mut().find(|odd| odd.kind == kind) {
            Some(odd) => odd.count += 1,
            None => self.found.oddities.push(Oddity {
                kind,
                offset,
                count: 1,
            }),
        }
    }

    fn next_key(&mut self) -> Step<'a> {
        let mut cursor = self.cursor.clone();
        let step = cursor.next_key(|offset| self.note(OddityKind::Misplaced, offset));
        self.cursor = cursor;
        step
    }

    /// Steps over a value that nobody needs.
    fn skip(&mut self) {
        if !self.cursor.skip_value() {
            self.found.truncated = true;
        }
    }

    fn skip_wrong_type(&mut self) {
        self.note(OddityKind::WrongType, self.cursor.at);
        self.skip();
    }

    /// Whether one more section may be kept beside so many: there is room for as many as for list entries.
    fn has_room(&mut self, kept: usize) -> bool {
        if kept < self.entries {
            return true;
        }
        self.note(OddityKind::TooManyEntries, self.cursor.at);
        false
    }

    /// Takes room for one more thing to keep, if there is any.
    fn take_room(&mut self) -> bool {
        match self.room.checked_sub(1) {
            Some(room) => {
                self.room = room;
                true
            }
            None => {
                self.note(OddityKind::TooManyEntries, self.cursor.at);
                false
            }
        }
    }

    // ------------------------------------------------------------------------------------------------ the frames

    /// Reads keys of a map until it ends or a list of sections has to be read first.
    fn step_map(&mut self, mut draft: Box<Draft<'a>>, stack: &mut Vec<Frame<'a>>) {
        while !self.found.truncated {
            let key = match self.next_key() {
                Step::Key(key) => Key::of(&key),
                Step::End => break,
                Step::Cut => {
                    self.found.truncated = true;
                    break;
                }
            };
            let Some(key) = key else {
                self.skip();
                continue;
            };
            if draft.has(key) && !key.has_spellings() {
                self.note(OddityKind::DuplicateKey, self.cursor.at);
            }
            draft.seen |= key.bit();
            if key == Key::Sections && self.cursor.peek() == Some(b'[') {
                self.cursor.at += 1;
                stack.push(Frame::Map(draft));
                stack.push(Frame::Sections);
                return;
            }
            self.read_value(key, &mut draft);
        }
        self.close_map(*draft);
    }

    fn read_value(&mut self, key: Key, draft: &mut Draft<'a>) {
        let opens = self.cursor.peek();
        match (key, opens) {
            (Key::Version, _) => {
                let version = self.cursor.take_value();
                draft.version = (!version.is_empty()).then_some(version);
            }
            (Key::File, Some(b'"')) => draft.file = Some(self.string()),
            (Key::SourceRoot, Some(b'"')) => draft.source_root = Some(self.string()),
            (Key::DebugId, Some(b'"')) => draft.debug_id = Some(self.string()),
            (Key::Mappings, Some(b'"')) => draft.mappings = Some(self.string()),
            (Key::Sources, Some(b'[')) => {
                let list = self.string_list();
                draft.sources.push(list);
            }
            (Key::SourcesContent, Some(b'[')) => {
                let list = self.string_list();
                draft.contents.push(list);
            }
            (Key::SourcesHash, Some(b'[')) => draft.hashes = self.string_list(),
            (Key::Names, Some(b'[')) => draft.names = self.read_names(),
            (Key::IgnoreList, Some(b'[')) => self.read_ignore_list(&mut draft.ignored),
            (_, Some(b'n')) if self.at_null() => self.skip(),
            _ => self.skip_wrong_type(),
        }
    }

    fn step_sections(&mut self, stack: &mut Vec<Frame<'a>>) {
        while !self.found.truncated {
            self.cursor.skip_space();
            match self.cursor.peek() {
                None => self.found.truncated = true,
                Some(b']') => {
                    self.cursor.at += 1;
                    return;
                }
                Some(b',') => self.cursor.at += 1,
                Some(b'{') => {
                    let index = u32::try_from(self.found.sections).unwrap_or(u32::MAX);
                    self.found.sections += 1;
                    self.cursor.at += 1;
                    if self.has_room(self.standing.len()) {
                        let within = stack.iter().rev().find_map(|frame| match frame {
                            Frame::Section(outer) => Some(*outer),
                            _ => None,
                        });
                        self.standing.push(Standing {
                            within,
                            ..Standing::default()
                        });
                    }
                    stack.push(Frame::Sections);
                    stack.push(Frame::Section(index));
                    return;
                }
                // The list was never closed: leave the bracket to the map.
                Some(b'}') => {
                    self.note(OddityKind::Misplaced, self.cursor.at);
                    return;
                }
                Some(_) => self.skip_wrong_type(),
            }
        }
    }

    fn step_section(&mut self, index: u32, stack: &mut Vec<Frame<'a>>) {
        while !self.found.truncated {
            let key = match self.next_key() {
                Step::Key(key) => key,
                Step::End => return,
                Step::Cut => {
                    self.found.truncated = true;
                    return;
                }
            };
            let opens = self.cursor.peek();
            if key.says(b"map") && opens == Some(b'{') {
                if stack.iter().filter(|f| matches!(f, Frame::Map(_))).count() >= self.depth {
                    self.note(OddityKind::TooDeep, self.cursor.at);
                    self.skip();
                    continue;
                }
                let draft = Draft {
                    section: Some(index),
                    start: self.cursor.at,
                    ..Draft::default()
                };
                self.cursor.at += 1;
                stack.push(Frame::Section(index));
                stack.push(Frame::Map(Box::new(draft)));
                return;
            }
            if key.says(b"offset") && opens == Some(b'{') {
                let offset = read_offset(self.cursor.clone());
                if let Some(standing) = self.standing.get_mut(index as usize) {
                    standing.offset = offset;
                }
                self.skip();
            } else if key.says(b"url") && opens == Some(b'"') {
                let url = self.string();
                if self.take_room() {
                    self.found
                        .sections_with_url
                        .push(url.decode().bytes.into_owned());
                }
            } else {
                self.skip();
            }
        }
    }

    // ------------------------------------------------------------------------------------------------ the values

    fn string(&mut self) -> RawString<'a> {
        let string = self.cursor.string();
        self.found.truncated |= !string.complete;
        string
    }

    fn at_null(&self) -> bool {
        self.cursor.rest().starts_with(b"null")
    }

    fn read_names(&mut self) -> Option<&'a [u8]> {
        let start = self.cursor.at;
        self.skip();
        let names = self.cursor.document.get(start..self.cursor.at);
        if self.take_room() {
            self.found.names.extend(names);
        }
        names
    }

    /// Reads a list of strings and nulls. The cursor stands at its bracket.
    fn string_list(&mut self) -> Vec<Entry<'a>> {
        self.cursor.at += 1;
        let mut entries = Vec::new();
        if self.fill_string_list(&mut entries) == ListEnd::Cut {
            self.found.truncated = true;
        }
        entries
    }

    fn fill_string_list(&mut self, entries: &mut Vec<Entry<'a>>) -> ListEnd {
        // Whether an entry stands since the last comma: a comma without one leaves out an entry, and the ones behind
        // it must keep their places.
        let mut filled = false;
        let mut last_string_at = 0;
        loop {
            self.cursor.skip_space();
            let at = self.cursor.at;
            let entry = match self.cursor.peek() {
                None => return ListEnd::Cut,
                Some(b']') => {
                    self.cursor.at += 1;
                    return ListEnd::Closed;
                }
                Some(b',') if filled => {
                    self.cursor.at += 1;
                    filled = false;
                    continue;
                }
                Some(b',') => {
                    self.note(OddityKind::Misplaced, at);
                    self.cursor.at += 1;
                    None
                }
                // The bracket is lost: the last string was the next key.
                Some(b':') if filled && ends_in_key(entries) => {
                    self.note(OddityKind::Misplaced, at);
                    entries.pop();
                    self.cursor.at = last_string_at;
                    return ListEnd::Closed;
                }
                Some(b':') => {
                    self.note(OddityKind::Misplaced, at);
                    self.cursor.at += 1;
                    filled = false;
                    continue;
                }
                // The bracket is lost, and the map is over.
                Some(b'}') => {
                    self.note(OddityKind::Misplaced, at);
                    return ListEnd::Closed;
                }
                Some(b'"') => {
                    let string = self.cursor.string();
                    filled = true;
                    last_string_at = at;
                    Some(string)
                }
                Some(_) => {
                    let is_null = self.at_null();
                    if !self.cursor.skip_value() {
                        return ListEnd::Cut;
                    }
                    if !is_null {
                        self.note(OddityKind::NonStringEntry, at);
                    }
                    filled = true;
                    None
                }
            };
            if !self.take_room() {
                let closed = self.cursor.skip_nested(1);
                return if closed {
                    ListEnd::Closed
                } else {
                    ListEnd::Cut
                };
            }
            entries.push(entry);
            if entry.is_some_and(|string| !string.complete) {
                return ListEnd::Cut;
            }
        }
    }

    /// Reads a list of indices. The cursor stands at its bracket.
    fn read_ignore_list(&mut self, indices: &mut Vec<u32>) {
        self.cursor.at += 1;
        loop {
            self.cursor.skip_space();
            let at = self.cursor.at;
            match self.cursor.peek() {
                None => {
                    self.found.truncated = true;
                    return;
                }
                Some(b']') => {
                    self.cursor.at += 1;
                    return;
                }
                Some(b',') => self.cursor.at += 1,
                Some(b'}') => {
                    self.note(OddityKind::Misplaced, at);
                    return;
                }
                Some(_) => {
                    if !self.cursor.skip_value() {
                        self.found.truncated = true;
                        return;
                    }
                    let written = self.cursor.document.get(at..self.cursor.at);
                    match written.and_then(array_index) {
                        Some(index) => {
                            if self.take_room() {
                                indices.push(index);
                            }
                        }
                        None => self.note(OddityKind::BadIgnoreEntry, at),
                    }
                }
            }
        }
    }

    // ------------------------------------------------------------------------------------------------ the close

    /// Turns the lists of a map into slots.
    fn close_map(&mut self, mut draft: Draft<'a>) {
        self.judge(&draft);
        draft.ignored.sort_unstable();
        draft.ignored.dedup();
        let pairs = draft.sources.len().max(draft.contents.len());
        let mut last = self.found.sources.len();
        for pair in 0..pairs {
            last = self.found.sources.len();
            let (names, names_again) = nth_or_last(&draft.sources, pair);
            let (contents, contents_again) = nth_or_last(&draft.contents, pair);
            let slots = match (names_again, contents_again) {
                (true, _) => contents.len(),
                (_, true) => names.len(),
                _ => names.len().max(contents.len()),
            };
            for index in 0..slots {
                self.push_slot(&draft, names, contents, index);
            }
        }
        if let Some(mappings) = draft.mappings
            && self.has_room(self.found.parts.len())
        {
            self.found.parts.push(Part {
                section: draft.section,
                begins: (0, 0),
                mappings,
                names: draft.names,
                slots: last..self.found.sources.len(),
            });
        }
        self.keep_heading(&draft);
    }

    fn push_slot(
        &mut self,
        draft: &Draft<'a>,
        names: &[Entry<'a>],
        contents: &[Entry<'a>],
        index: usize,
    ) {
        // Both fit: `Limits::entries` would have to be raised beyond what memory holds for them not to.
        let here = u32::try_from(self.found.sources.len()).unwrap_or(u32::MAX);
        let index_in_map = u32::try_from(index).unwrap_or(u32::MAX);
        let ignored = draft.ignored.binary_search(&index_in_map).is_ok();
        if ignored {
            self.found.ignore_list.push(here);
        }
        self.found.sources.push(SourceSlot {
            section: draft.section,
            index: index_in_map,
            name: names.get(index).copied().flatten(),
            source_root: draft.source_root,
            content: match contents.get(index).copied().flatten() {
                Some(string) => Content::Raw(string),
                None => Content::Missing,
            },
            ignored,
            hash: draft.hashes.get(index).copied().flatten(),
        });
    }

    /// Notes what is wrong with a map as a whole.
    fn judge(&mut self, draft: &Draft<'a>) {
        match draft.version {
            Some(version) if is_three(version) => {}
            Some(_) => self.note(OddityKind::WrongVersion, draft.start),
            None if self.found.truncated => {}
            None => self.note(OddityKind::NoVersion, draft.start),
        }
        let pairs = draft.sources.iter().zip(&draft.contents);
        if !self.found.truncated
            && pairs
                .into_iter()
                .any(|(names, contents)| names.len() != contents.len())
        {
            self.note(OddityKind::LengthsDiffer, draft.start);
        }
        let names = draft.sources.iter().map(Vec::len).max().unwrap_or(0);
        for index in &draft.ignored {
            if usize::try_from(*index).is_ok_and(|index| index >= names) && !self.found.truncated {
                self.note(OddityKind::BadIgnoreEntry, draft.start);
            }
        }
    }

    /// Keeps what is said once for the whole document; a section only supplies the debug id where the map has none.
    fn keep_heading(&mut self, draft: &Draft<'a>) {
        let text = |string: &RawString<'_>| string.decode().bytes.into_owned();
        let is_outermost = draft.section.is_none();
        if is_outermost {
            self.seen = draft.seen;
            self.found.version = draft.version;
            self.found.file = draft.file.as_ref().map(text);
            self.found.source_root = draft.source_root.as_ref().map(text);
        }
        if let Some(id) = &draft.debug_id
            && (is_outermost || self.found.debug_id.is_none())
        {
            self.found.debug_id = Some(text(id));
        }
    }
}

/// Where a section begins in the whole: the offsets of those round it added up, columns only within one line.
fn begins(standing: &[Standing], section: Option<u32>) -> (u64, u64) {
    let mut at = (0_u64, 0_u64);
    let mut next = section;
    // Sections stand in those before them, so that this ends.
    while let Some(here) = next.and_then(|index| standing.get(index as usize)) {
        let (line, column) = here.offset;
        if at.0 == 0 {
            at.1 = at.1.saturating_add(column);
        }
        at.0 = at.0.saturating_add(line);
        next = here.within;
    }
    at
}

/// Line and column of the `offset` that the cursor stands at; 0 for what is not there or no number.
fn read_offset(mut cursor: Cursor<'_>) -> (u64, u64) {
    let mut offset = (0, 0);
    cursor.at += 1;
    while let Step::Key(key) = cursor.next_key(|_| ()) {
        let (is_line, is_column) = (key.says(b"line"), key.says(b"column"));
        let value = cursor.take_value();
        let number = array_index(value).map_or(0, u64::from);
        if is_line {
            offset.0 = number;
        } else if is_column {
            offset.1 = number;
        }
    }
    offset
}

/// The strings of a list as written, each with its place in the list; what is no string is left out.
pub fn strings_of(list: &[u8]) -> impl Iterator<Item = (u32, RawString<'_>)> {
    let mut cursor = Cursor {
        document: list,
        at: 1,
    };
    let mut index = 0;
    let mut filled = false;
    std::iter::from_fn(move || {
        loop {
            cursor.skip_space();
            match cursor.peek()? {
                b',' => {
                    index += 1;
                    filled = false;
                    cursor.at += 1;
                }
                b']' => return None,
                b'"' if !filled => {
                    filled = true;
                    return Some((index, cursor.string()));
                }
                _ => {
                    // At least one byte, whatever stands there.
                    let before = cursor.at;
                    cursor.skip_value();
                    cursor.at = cursor.at.max(before + 1);
                }
            }
        }
    })
}

/// The list for a pair, and whether it served an earlier pair already.
fn nth_or_last<'l, 'a>(lists: &'l [Vec<Entry<'a>>], pair: usize) -> (&'l [Entry<'a>], bool) {
    match lists.get(pair) {
        Some(list) => (list, false),
        None => (lists.last().map_or(&[], Vec::as_slice), !lists.is_empty()),
    }
}

fn ends_in_key(entries: &[Entry<'_>]) -> bool {
    matches!(entries.last(), Some(Some(string)) if Key::of(string).is_some())
}

fn array_index(written: &[u8]) -> Option<u32> {
    std::str::from_utf8(written).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::sniff::looks_like_map;
    use super::*;

    fn names(found: &MapScan<'_>) -> Vec<Option<String>> {
        found
            .sources
            .iter()
            .map(|slot| {
                slot.name
                    .map(|name| String::from_utf8_lossy(&name.decode().bytes).into_owned())
            })
            .collect()
    }

    fn contents(found: &MapScan<'_>) -> Vec<Option<String>> {
        found
            .sources
            .iter()
            .map(|slot| {
                slot.content
                    .decode()
                    .map(|text| String::from_utf8_lossy(&text.bytes).into_owned())
            })
            .collect()
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    fn kinds(found: &MapScan<'_>) -> Vec<OddityKind> {
        let mut kinds: Vec<_> = found.oddities.iter().map(|odd| odd.kind).collect();
        kinds.sort();
        kinds
    }

    /// The plain map of ECMA-426, "Source map format", with content.
    const PLAIN: &[u8] = br#"{
        "version" : 3, "file": "out.js", "sourceRoot": "", "sources": ["foo.js", "bar.js"],
        "sourcesContent": ["one\n", null], "names": ["src", "maps", "are", "fun"],
        "mappings": "A,AAAB;;ABCDE", "ignoreList": [1]
    }"#;

    /// The index map of ECMA-426, "Index source map", with content.
    const INDEX: &[u8] = br#"{
        "version" : 3, "file": "app.js", "sections": [
            { "offset": {"line": 0, "column": 0}, "map": { "version" : 3, "file": "section.js", "sourceRoot": "a",
              "sources": ["foo.js", "bar.js"], "sourcesContent": ["f", "b"], "names": ["src"], "mappings": "AAAA,E",
              "x_google_ignoreList": [1] } },
            { "offset": {"line": 100, "column": 10}, "map": { "version" : 3, "file": "another_section.js",
              "sources": ["more.js"], "sourcesContent": ["m"], "names": ["more"], "mappings": "AAAA", "ignoreList": [0] } }
        ] }"#;

    #[test]
    fn a_plain_map_gives_names_contents_and_heading() {
        let found = scan(PLAIN).unwrap();
        assert_eq!(names(&found), some(&["foo.js", "bar.js"]));
        assert_eq!(contents(&found), vec![Some("one\n".to_owned()), None]);
        assert_eq!(found.version, Some(&b"3"[..]));
        assert_eq!(found.file.as_deref(), Some(&b"out.js"[..]));
        assert_eq!(found.source_root.as_deref(), Some(&b""[..]));
        assert_eq!(found.names, [&br#"["src", "maps", "are", "fun"]"#[..]]);
        assert_eq!(found.ignore_list, [1]);
        assert!(found.parts.len() == 1 && !found.truncated && found.oddities.is_empty());
        assert_eq!(found.sources[1].content.status(), Status::Missing);
        assert_eq!(
            (found.sections, found.sources[0].section, found.end),
            (0, None, PLAIN.len())
        );
        assert!(looks_like_map(PLAIN));
    }

    #[test]
    fn an_index_map_is_flattened_with_each_sections_own_root_and_ignore_list() {
        let found = scan(INDEX).unwrap();
        assert_eq!(names(&found), some(&["foo.js", "bar.js", "more.js"]));
        assert_eq!(contents(&found), some(&["f", "b", "m"]));
        let places: Vec<_> = found
            .sources
            .iter()
            .map(|s| (s.section, s.index, s.ignored))
            .collect();
        assert_eq!(
            places,
            [(Some(0), 0, false), (Some(0), 1, true), (Some(1), 0, true)]
        );
        assert_eq!(found.ignore_list, [1, 2]);
        assert!(found.sources[0].source_root.unwrap().says(b"a"));
        assert_eq!(found.sources[2].source_root, None);
        assert_eq!(found.sections, 2);
        assert_eq!(found.file.as_deref(), Some(&b"app.js"[..]));
        assert_eq!(kinds(&found), []);
        assert!(looks_like_map(INDEX));
    }

    #[test]
    fn sections_nest_up_to_the_limit_and_no_further() {
        let mut map =
            json!({"version": 3, "sources": ["deep.js"], "sourcesContent": ["d"], "mappings": ""});
        for _ in 0..4 {
            map = json!({"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "map": map}]});
        }
        let text = map.to_string();
        let found = scan(text.as_bytes()).unwrap();
        assert_eq!(contents(&found), some(&["d"]));
        assert_eq!(found.sources[0].section, Some(3));
        let read = |depth| {
            let limits = Limits {
                depth,
                ..Limits::default()
            };
            scan_with(text.as_bytes(), &limits).unwrap()
        };
        assert_eq!(read(5), found);
        let found = read(4);
        assert!(found.sources.is_empty());
        assert_eq!(found.oddity(OddityKind::TooDeep).unwrap().count, 1);
    }

    #[test]
    fn nesting_without_end_neither_overflows_the_stack_nor_takes_long() {
        for piece in [
            r#"{"sections":[{"map":"#,
            "[",
            r#"{"a":"#,
            r#"{"sources":["#,
        ] {
            let text = format!(r#"{{"sources":[],"x":{}"#, piece.repeat(100_000));
            assert!(scan(text.as_bytes()).unwrap().truncated);
            let text = piece.repeat(100_000);
            assert!(!looks_like_map(text.as_bytes()), "{piece}");
            let found = scan(text.as_bytes());
            assert_eq!(found.is_ok(), piece.contains("\"s"), "{piece}");
        }
    }

    #[test]
    fn sections_that_point_elsewhere_are_reported() {
        let found = scan(
            br#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"url":"part\u002ejs.map"},7,{"map":null}]}"#,
        )
        .unwrap();
        assert_eq!(found.sections_with_url, [b"part.js.map".to_vec()]);
        assert_eq!(found.sections, 2);
        assert_eq!(kinds(&found), [OddityKind::WrongType]);
    }

    #[test]
    fn lists_of_different_length_lose_nothing_and_invent_nothing() {
        let found =
            scan(br#"{"version":3,"sources":["a"],"sourcesContent":["A","B"],"mappings":""}"#)
                .unwrap();
        assert_eq!(names(&found), [Some("a".to_owned()), None]);
        assert_eq!(contents(&found), some(&["A", "B"]));
        assert_eq!(kinds(&found), [OddityKind::LengthsDiffer]);

        let found = scan(br#"{"version":3,"sources":["a","b"],"sourcesContent":["A"]}"#).unwrap();
        assert_eq!(contents(&found), [Some("A".to_owned()), None]);
        let found = scan(br#"{"version":3,"sources":["a","b"]}"#).unwrap();
        assert_eq!(contents(&found), [None, None]);
        assert_eq!(found.with_content(), 0);
        assert_eq!(kinds(&found), []);
    }

    #[test]
    fn null_and_entries_that_are_no_strings_are_missing_and_keep_their_places() {
        let found = scan(
            br#"{"version":3,"sources":[null,"b",4,["x","y"],"e"],"sourcesContent":["A",null,{"n":[1]},true,"E"]}"#,
        )
        .unwrap();
        assert_eq!(
            names(&found),
            [None, Some("b".into()), None, None, Some("e".into())]
        );
        assert_eq!(
            contents(&found),
            [Some("A".into()), None, None, None, Some("E".into())]
        );
        assert_eq!(found.oddity(OddityKind::NonStringEntry).unwrap().count, 4);
    }

    #[test]
    fn an_empty_content_is_not_a_missing_one() {
        let found =
            scan(br#"{"version":3,"sources":["a","b"],"sourcesContent":["",null]}"#).unwrap();
        assert_eq!(found.sources[0].content.status(), Status::Exact);
        assert_eq!(found.sources[1].content.status(), Status::Missing);
    }

    #[test]
    fn lists_that_occur_twice_are_kept_twice() {
        let found = scan(
            br#"{"version":3,"sources":["a","b"],"sourcesContent":["A","B"],"sources":["c"],"sourcesContent":["C","D"]}"#,
        )
        .unwrap();
        assert_eq!(
            names(&found),
            [Some("a".into()), Some("b".into()), Some("c".into()), None]
        );
        assert_eq!(contents(&found), some(&["A", "B", "C", "D"]));
        assert_eq!(found.oddity(OddityKind::DuplicateKey).unwrap().count, 2);

        let found = scan(
            br#"{"version":3,"sources":["a","b"],"sourcesContent":["A","B"],"sourcesContent":["X"]}"#,
        )
        .unwrap();
        assert_eq!(names(&found), some(&["a", "b", "a"]));
        assert_eq!(contents(&found), some(&["A", "B", "X"]));

        let found = scan(
            br#"{"version":3,"sources":["a"],"sources":["c"],"sources":[],"sourcesContent":["A","B"]}"#,
        )
        .unwrap();
        assert_eq!(names(&found), [Some("a".into()), None, Some("c".into())]);
        assert_eq!(contents(&found), some(&["A", "B", "A"]));
    }

    #[test]
    fn many_empty_lists_beside_a_long_one_do_not_multiply() {
        let text = format!(
            r#"{{"sourcesContent":[{}1]{}}}"#,
            r#""","#.repeat(1_000),
            r#","sources":[]"#.repeat(1_000)
        );
        assert_eq!(scan(text.as_bytes()).unwrap().sources.len(), 1_001);
    }

    #[test]
    fn the_frame_may_be_wrong_and_the_sources_still_come_back() {
        let plain = std::str::from_utf8(PLAIN).unwrap();
        for (text, expected) in [
            (format!("\u{feff}{plain}"), vec![OddityKind::ByteOrderMark]),
            (format!(")]}}'\n{plain}"), vec![OddityKind::XssiPrefix]),
            (
                format!(")]}}'garbage here\r\n{plain}"),
                vec![OddityKind::XssiPrefix],
            ),
            (format!(")]}}'{plain}"), vec![OddityKind::XssiPrefix]),
            (
                format!("\u{feff} )]}}',\n {plain}"),
                vec![OddityKind::ByteOrderMark, OddityKind::XssiPrefix],
            ),
            (format!("{plain}\n\n"), vec![]),
            (format!("{plain}\n{plain}"), vec![OddityKind::TrailingBytes]),
            (
                plain.replace("\"version\" : 3", "\"version\":\"3\""),
                vec![OddityKind::WrongVersion],
            ),
            (
                plain.replace("\"version\" : 3", "\"version\":2"),
                vec![OddityKind::WrongVersion],
            ),
            (
                plain.replace("\"version\" : 3,", ""),
                vec![OddityKind::NoVersion],
            ),
            (plain.replace("\"version\" : 3", "\"version\":3.0"), vec![]),
            (
                plain.replace("\"A,AAAB;;ABCDE\"", "17"),
                vec![OddityKind::WrongType],
            ),
            (plain.replace("\"out.js\"", "null"), vec![]),
            (
                plain.replace("\"out.js\"", "[\"out.js\"]"),
                vec![OddityKind::WrongType],
            ),
            (
                plain.replace("[1]", "[-1,1,7]"),
                vec![OddityKind::BadIgnoreEntry],
            ),
            (plain.replace("\"sources\"", "\"\\u0073ources\""), vec![]),
            (
                plain.replace("\"file\"", "# \"file\""),
                vec![OddityKind::Misplaced],
            ),
            (
                plain.replace("\"bar.js\"],", "\"bar.js\","),
                vec![OddityKind::Misplaced],
            ),
            (plain.replace("one\\n", "one\n"), vec![]),
        ] {
            let found = scan(text.as_bytes()).unwrap();
            assert_eq!(names(&found), some(&["foo.js", "bar.js"]), "{text}");
            assert_eq!(contents(&found), [Some("one\n".to_owned()), None], "{text}");
            assert_eq!(found.ignore_list, [1], "{text}");
            assert_eq!(kinds(&found), expected, "{text}");
            assert!(looks_like_map(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_end_says_where_the_next_map_may_begin() {
        let twice = [PLAIN, b"\n", PLAIN].concat();
        let first = scan(&twice).unwrap();
        assert_eq!(first.end, PLAIN.len());
        assert_eq!(
            names(&scan(&twice[first.end..]).unwrap()),
            some(&["foo.js", "bar.js"])
        );
    }

    #[test]
    fn a_comma_too_many_keeps_the_places_of_what_follows() {
        let found =
            scan(br#"{"version":3,"sources":["a",,"c",],"sourcesContent":[,"B" "C"]}"#).unwrap();
        assert_eq!(names(&found), [Some("a".into()), None, Some("c".into())]);
        assert_eq!(contents(&found), [None, Some("B".into()), Some("C".into())]);
        assert_eq!(found.oddity(OddityKind::Misplaced).unwrap().count, 2);
    }

    #[test]
    fn a_cut_gives_complete_strings_as_exact_and_the_cut_one_as_truncated() {
        let map =
            br#"{"version":3,"sources":["a","b","c"],"sourcesContent":["Aa","B\u00e9\nb","C"]}"#;
        let inside = map.iter().rposition(|b| *b == b'9').unwrap();
        let found = scan(&map[..inside]).unwrap();
        let read: Vec<_> = found
            .sources
            .iter()
            .map(|s| {
                (
                    s.content.status(),
                    s.content.decode().map(|t| t.bytes.into_owned()),
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                (Status::Exact, Some(b"Aa".to_vec())),
                (Status::Truncated, Some(b"B".to_vec())),
                (Status::Missing, None)
            ]
        );
        assert!(found.truncated);
        assert_eq!(found.end, inside);
        assert_eq!(kinds(&found), []);
    }

    #[test]
    fn a_cut_inside_a_section_keeps_the_sections_before_it() {
        let cut = INDEX.len() - 60;
        let found = scan(&INDEX[..cut]).unwrap();
        assert_eq!(contents(&found), some(&["f", "b", "m"]));
        assert!(found.truncated);
        assert_eq!(found.file.as_deref(), Some(&b"app.js"[..]));
    }

    #[test]
    fn what_lies_behind_a_cut_is_not_called_wrong() {
        let found = scan(br#"{"sources":["a","b"],"sourcesContent":["A","#).unwrap();
        assert_eq!(kinds(&found), []);
    }

    #[test]
    fn a_colon_between_entries_loses_none_of_them() {
        let found = scan(br#"{"version":3,"sources":["a":"b"]}"#).unwrap();
        assert_eq!(names(&found), some(&["a", "b"]));
        assert_eq!(kinds(&found), [OddityKind::Misplaced]);
    }

    #[test]
    fn debug_ids_come_from_the_map_before_any_section() {
        let section = br#"{"sections":[{"map":{"debugId":"s0"}},{"map":{"debug_id":"s1"}}]}"#;
        assert_eq!(scan(section).unwrap().debug_id.as_deref(), Some(&b"s0"[..]));
        let both = br#"{"sections":[{"map":{"debugId":"s0"}}],"debug_id":"top"}"#;
        assert_eq!(scan(both).unwrap().debug_id.as_deref(), Some(&b"top"[..]));
    }

    #[test]
    fn entries_beyond_the_limit_are_left_out_loudly() {
        let limits = Limits {
            entries: 3,
            ..Limits::default()
        };
        let map =
            br#"{"version":3,"sources":["a","b","c","d",["]"]],"sourcesContent":["A"],"file":"f"}"#;
        let found = scan_with(map, &limits).unwrap();
        assert_eq!(names(&found), some(&["a", "b", "c"]));
        assert_eq!(
            kinds(&found),
            [OddityKind::LengthsDiffer, OddityKind::TooManyEntries]
        );
        assert_eq!(found.file.as_deref(), Some(&b"f"[..]));
        assert!(!found.truncated);
    }

    #[test]
    fn what_is_no_map_says_why_and_where() {
        assert_eq!(scan(b""), Err(NotAMap::Empty { offset: 0 }));
        assert_eq!(scan(b" \n"), Err(NotAMap::Empty { offset: 2 }));
        assert_eq!(
            scan(b" [1]"),
            Err(NotAMap::NoObject {
                offset: 1,
                found: b'['
            })
        );
        assert_eq!(
            scan(br#"{"name":"x","version":"1.0.0"}"#),
            Err(NotAMap::NoMapKeys { start: 0, end: 30 })
        );
        let message = scan(b"x").unwrap_err().to_string();
        assert!(
            message.contains("byte 0") && message.contains("0x78"),
            "{message}"
        );
    }

    #[test]
    fn the_sniff_refuses_what_only_mentions_the_words() {
        for text in [
            &br#"{"name":"x","version":"3","files":["a"],"description":"reads \"mappings\" and \"sourcesContent\""}"#[..],
            br#"{"mappings":{"properties":{"a":{"type":"text"}}},"settings":{}}"#,
            br#"{"version":3,"sections":[{"title":"Intro"},{"title":"End"}]}"#,
            br#"{"sections":[]}"#,
            br#"{"sections":[{"map":{"title":"Europe"}},{"map":{"sections":[{"map":{"version":3,"mappings":""}}]}}]}"#,
            br#"{"mappings":"AAAA"}"#,
            br#"{"config":{"version":3,"sources":[],"sourcesContent":[],"mappings":""}}"#,
            br#"{"keys":["mappings","sources","sourcesContent"],"version":3}"#,
            br#"{"version":3,"sources":["a"],"layers":[]}"#,
            br#"{ mappings: "AAAA", "sources": [], "mappings": "" }"#,
            br#"({"version":3,"sources":[],"mappings":""})"#,
            br#"var map = {"version":3,"sources":[],"mappings":""};"#,
            br#"["version","sources","mappings"]"#,
            b"{",
            b"",
            b")]}'",
        ] {
            assert!(!looks_like_map(text), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn the_line_in_front_may_hold_brackets() {
        const MAP: &str = r#"{"version":3,"sources":["a"],"mappings":"AAAA"}"#;
        for front in [
            ")]}'\n",
            ")]}'",
            ")]}'{\n",
            ")]}'{}\n",
            ")]}'{\"\n",
            ")]}' if (a) { b() }\n",
        ] {
            let document = format!("{front}{MAP}");
            let map = scan(document.as_bytes()).expect(front);
            assert_eq!(map.sources.len(), 1, "{front}");
            assert!(looks_like_map(document.as_bytes()), "{front}");
        }
        // A map that begins in the same line, and goes on in others.
        let document = format!(")]}}'{}", MAP.replacen('{', "{\n  ", 1));
        assert_eq!(scan(document.as_bytes()).unwrap().sources.len(), 1);
    }

    #[test]
    fn the_sniff_accepts_maps_in_any_order_of_keys_and_cut_behind_the_telling_ones() {
        for text in [
            &br#"{"version":3,"mappings":"AAAA"}"#[..],
            br#"{"mappings":"","sources":[],"version":3}"#,
            br#"{"sourcesContent":["a"],"sources":["b"]}"#,
            br#"{"names":[],"sourcesContent":["a cut cont"#,
            br#"{"version":3,"sources":["a.js","b.j"#,
            br#"{"version":3,"file":"x.js","mappings":"AAAA;"#,
            br#"{"sections":[{"offset":{"line":0,"column":0},"map":{"version":3}}]}"#,
            br#"{"sections":[{"map":{"version":3,"sources":["a"],"mappings":""}}]}"#,
            br#"{"sections":[{"offset":7,"map":{"sources":["a"],"sourcesContent":["b"]}}]}"#,
        ] {
            assert!(looks_like_map(text), "{}", String::from_utf8_lossy(text));
        }
        assert!(!looks_like_map(br#"{"sourcesContent":["nothing beside it"#));
    }

    // ------------------------------------------------------------------------------------------------ properties

    type Lists = (Vec<Option<String>>, Vec<Option<String>>);

    fn any_lists() -> impl Strategy<Value = Lists> {
        let text = prop_oneof![
            any::<String>(),
            "[a-z\n\"\\\\/{}\\[\\]:,]{0,30}",
            "[é😀\u{2028}]{0,8}",
        ];
        let list = prop::collection::vec(prop::option::weighted(0.9, text), 0..12);
        (list.clone(), list)
    }

    fn any_map() -> impl Strategy<Value = String> {
        (any_lists(), any_lists(), any::<bool>(), any::<bool>()).prop_map(
            |(lists, more, is_index, is_pretty)| {
                let map = |(sources, contents): &Lists| {
                    json!({"version": 3, "sourceRoot": "r", "sources": sources, "names": ["n\"]"],
                           "mappings": "AAAA;\"}", "sourcesContent": contents, "ignoreList": [0, 1]})
                };
                let value = if is_index {
                    let offset = json!({"line": 0, "column": 0});
                    json!({"version": 3, "sections": [{"offset": offset, "map": map(&lists)},
                                                      {"offset": offset, "map": map(&more)}]})
                } else {
                    map(&lists)
                };
                if is_pretty {
                    serde_json::to_string_pretty(&value).unwrap()
                } else {
                    value.to_string()
                }
            },
        )
    }

    /// Names and contents as a JSON library reads them.
    fn oracle(map: &str) -> Vec<(Option<String>, Option<String>)> {
        let value: serde_json::Value = serde_json::from_str(map).unwrap();
        let maps = match value["sections"].as_array() {
            Some(sections) => sections.iter().map(|s| s["map"].clone()).collect(),
            None => vec![value],
        };
        let mut slots = Vec::new();
        for map in maps {
            let list = |key: &str| map[key].as_array().cloned().unwrap_or_default();
            let (sources, contents) = (list("sources"), list("sourcesContent"));
            let text = |list: &[serde_json::Value], i: usize| {
                list.get(i).and_then(|v| v.as_str()).map(str::to_owned)
            };
            let longest = sources.len().max(contents.len());
            slots.extend((0..longest).map(|i| (text(&sources, i), text(&contents, i))));
        }
        slots
    }

    proptest! {
        #[test]
        fn any_map_reads_as_serde_json_reads_it(map in any_map()) {
            let found = scan(map.as_bytes()).unwrap();
            let read: Vec<_> = names(&found).into_iter().zip(contents(&found)).collect();
            prop_assert_eq!(read, oracle(&map));
            prop_assert!(!found.truncated);
            prop_assert!(looks_like_map(map.as_bytes()));
            prop_assert_eq!(found.end, map.len());
        }

        #[test]
        fn every_string_before_a_cut_is_exact_and_the_rest_is_a_prefix(map in any_map(), cut in any::<prop::sample::Index>()) {
            let cut = cut.index(map.len());
            let whole = scan(map.as_bytes()).unwrap();
            let Ok(found) = scan(&map.as_bytes()[..cut]) else { return Ok(()); };
            prop_assert!(found.truncated);
            let document = map.as_bytes().as_ptr() as usize;
            for (slot, full) in whole.sources.iter().enumerate() {
                let Content::Raw(full_text) = full.content else { continue };
                let start = full_text.raw.as_ptr() as usize - document;
                let end = start + full_text.raw.len();
                if start > cut { continue; }
                let read = found.sources.iter().filter_map(|s| match s.content {
                    Content::Raw(text) if text.raw.as_ptr() as usize - document == start => Some(text.decode()),
                    _ => None,
                }).next();
                let Some(read) = read else { return Err(TestCaseError::fail(format!("source {slot} is lost"))); };
                let expected = full_text.decode();
                if end < cut {
                    prop_assert_eq!(read, expected);
                } else {
                    prop_assert_eq!(read.status, Status::Truncated);
                    prop_assert!(expected.bytes.starts_with(&read.bytes));
                }
            }
        }

        #[test]
        fn flips_and_cuts_never_panic(
            map in any_map(),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = map.into_bytes();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(cut.index(bytes.len() + 1));
            looks_like_map(&bytes);
            if let Ok(found) = scan(&bytes) {
                for slot in &found.sources {
                    let _ = slot.content.decode();
                }
                prop_assert!(found.end <= bytes.len());
            }
        }

        #[test]
        fn bytes_made_of_json_pieces_never_panic(pieces in prop::collection::vec(prop_oneof![
            Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\""), Just("\\"), Just("null"),
            Just("\"sources\":"), Just("\"sourcesContent\":["), Just("\"sections\":[{"), Just("\"map\":{"),
            Just("\"url\":"), Just("3"), Just(" "), Just("\"ignoreList\":["), Just("é")], 0..40)) {
            let text = format!("{{{}", pieces.concat());
            looks_like_map(text.as_bytes());
            let _ = scan(text.as_bytes());
        }
    }
}
