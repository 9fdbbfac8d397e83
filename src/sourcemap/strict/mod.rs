//! The strict verdict: whether a document is a source map by ECMA-426, and if not, what is wrong and where.
//!
//! [`scan`](super::scan()) beside this forgives everything, for it is there to lose nothing. A report that says
//! "valid" must mean it, and this module is there for that. It follows the standard's own algorithms step by step
//! (ParseSourceMap and what it calls), so that it errs where they do and nowhere else.
//!
//! **What "valid" means.** The standard has errors that throw, and errors that a consumer may report or pass over.
//! Both kinds keep a document from conforming, as the standard says of generators and as the official tests count
//! it; so [`Verdict::is_valid`] wants neither. [`Fault::rank`] tells them apart, and [`Verdict::decodes`] says
//! whether a lenient consumer gets through.
//!
//! **One pass, no tree.** The document is checked as JSON from front to back. Of the known keys, only where their
//! values stand and how long the lists are is remembered; of keys that occur twice the last one counts, as in
//! `JSON.parse`, and takes the errors of the earlier one with it. What needs more than one key (`mappings` needs the
//! number of sources) is looked at again when its object closes.
//!
//! **What the standard leaves open**, and how it is decided here:
//!
//! - `mappings` beside `sections`: the text ignores keys that it does not know, the official tests refuse the map.
//!   Refused. Other keys of a plain map beside `sections` are ignored.
//! - Sections that overlap: the algorithm compares a section's offset with the last mapping before it, and lets them
//!   be equal; the official tests refuse two sections at the same offset with mappings in both. Both are followed.
//! - An entry of `ignoreList` beyond the sources: the text calls entries indices of sources and no algorithm looks;
//!   the official tests refuse it. Refused, as is an entry that is null, and a negative nought.
//! - Offsets of sections below 0: no algorithm looks, the type that they are put into does not hold them. Refused.
//! - A byte-order mark and the `)]}'` line are taken away when a map is fetched, so that they are noted and no more.
//!   On disk nobody can tell how a map was served.
//! - `x_google_ignoreList` is named and has no algorithm; it is looked at where `ignoreList` is not there, and noted.
//! - Of proposals (debug id, scopes, range mappings, hashes of sources) nothing is in the edition. Their keys are
//!   noted as not judged; of a debug id, that it is no UUID. Of the keys that tools add, React Native's names of
//!   functions are noted, since they tell of sources that are not there.
//!
//! Held against the official tests (tc39/source-map-tests, 99 cases) by hand, since no package brings them: all 32 valid
//! maps are valid here, and all 67 others are not. The table in the tests beside this is our own.
//!
//! Left out: whether mappings fit the generated code, which is not here to be looked at.

mod fault;
mod json;
mod mappings;
mod sampler;
mod url;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

pub use fault::{Code, Fault, KEPT_OF_A_CODE, Rank};

use super::link::is_uuid;
use super::spread::Spread;
use super::unescape::RawString;
use fault::Faults;
use json::{Broken, Flaw, Kind, Reader, Text};
use mappings::{Outcome, Position, Shown};
use sampler::Sampler;
pub use sampler::{SAMPLES_MAX, Sample};

/// What the standard says of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The errors that are kept, in the order of the document.
    pub faults: Vec<Fault>,
    /// How many there are of each code, in the order of the codes.
    pub counts: Vec<(Code, u64)>,
    /// The document is JSON. Where it is not, nothing else was looked at.
    pub is_json: bool,
    /// Places in sources that the mappings point to, at most [`SAMPLES_MAX`], spread over all of them.
    pub samples: Vec<Sample>,
    /// How much of the generated code the mappings say to come from a source.
    pub spread: Spread,
}

impl Verdict {
    /// No error, not even an optional one: a conforming source map.
    pub fn is_valid(&self) -> bool {
        self.faults.iter().all(|fault| fault.rank == Rank::Note)
    }

    /// Nothing throws: a consumer that passes over optional errors gets through.
    pub fn decodes(&self) -> bool {
        self.faults.iter().all(|fault| fault.rank != Rank::Thrown)
    }

    /// Whether there is an error of this code.
    pub fn has(&self, code: Code) -> bool {
        self.counts.iter().any(|(known, _)| *known == code)
    }

    /// One line for each error that is kept, and one for each code of which there are more.
    pub fn lines(&self) -> Vec<String> {
        let more = self.counts.iter().filter_map(|(code, count)| {
            let more = count.checked_sub(KEPT_OF_A_CODE).filter(|more| *more > 0)?;
            Some(format!("{}: {more} more", code.as_str()))
        });
        self.faults
            .iter()
            .map(Fault::to_string)
            .chain(more)
            .collect()
    }
}

/// Judges one document. Never fails: what is no map gets a verdict too.
pub fn judge(document: &[u8]) -> Verdict {
    let mut faults = Faults::default();
    let mut sampler = Sampler::default();
    let mut is_json = true;
    let start = front(document, &mut faults);
    match document_faults(document, start, &mut sampler) {
        Ok(found) => faults.merge(found),
        Err((code, at)) => {
            is_json = false;
            faults.push(code, at, None, || broken_detail(document, code, at));
        }
    }
    let Faults {
        mut kept,
        mut counts,
    } = faults;
    kept.sort_by_key(|fault| (fault.at, fault.code));
    counts.sort();
    Verdict {
        faults: kept,
        counts,
        is_json,
        spread: if is_json {
            sampler.take_spread()
        } else {
            Spread::void()
        },
        samples: if is_json {
            sampler.finish()
        } else {
            Vec::new()
        },
    }
}

/// Steps over what fetching takes away: a byte-order mark, then a first line that begins with `)]}'`.
fn front(document: &[u8], faults: &mut Faults) -> usize {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    const XSSI: &[u8] = b")]}'";
    let mut start = 0;
    if document.starts_with(MARK) {
        faults.push(Code::ByteOrderMark, 0, None, || {
            "a byte-order mark".to_owned()
        });
        start = MARK.len();
    }
    let rest = document.get(start..).unwrap_or_default();
    if rest.starts_with(XSSI) {
        faults.push(Code::XssiPrefix, start, None, || {
            "a first line that is no part of the map".to_owned()
        });
        start += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    }
    start
}

fn document_faults(
    document: &[u8],
    start: usize,
    sampler: &mut Sampler,
) -> Result<Faults, (Code, usize)> {
    if let Err(error) = std::str::from_utf8(document) {
        return Err((Code::JsonInvalidUtf8, error.valid_up_to()));
    }
    let mut reader = Reader::new(document, start);
    let faults = top(&mut reader, sampler).map_err(|Broken { what, at }| (json_code(what), at))?;
    Ok(faults)
}

fn top(reader: &mut Reader<'_>, sampler: &mut Sampler) -> Result<Faults, Broken> {
    let faults = match reader.kind()? {
        Kind::Object => map(reader, None, sampler)?.faults,
        kind => {
            let mut faults = Faults::default();
            faults.push(Code::NotAnObject, reader.at(), None, || is_a(kind));
            reader.value()?;
            faults
        }
    };
    reader.finish()?;
    Ok(faults)
}

fn json_code(flaw: Flaw) -> Code {
    match flaw {
        Flaw::Ends => Code::JsonEnds,
        Flaw::Unexpected => Code::JsonUnexpected,
        Flaw::Control => Code::JsonControl,
        Flaw::Escape => Code::JsonEscape,
        Flaw::Number => Code::JsonNumber,
        Flaw::Trailing => Code::JsonTrailing,
    }
}

fn broken_detail(document: &[u8], code: Code, at: usize) -> String {
    match document.get(at) {
        None => "the document ends".to_owned(),
        Some(b'\\') if code == Code::JsonEscape => match document.get(at + 1) {
            Some(letter) => format!("a backslash before {}", Shown(*letter)),
            None => "a backslash".to_owned(),
        },
        Some(byte) => format!("{} stands there", Shown(*byte)),
    }
}

fn is_a(kind: Kind) -> String {
    format!("it is {}", kind.as_str())
}

// ---------------------------------------------------------------------------------------------------- one map

/// The keys that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Version,
    File,
    SourceRoot,
    Sources,
    Contents,
    Names,
    Mappings,
    IgnoreList,
    LegacyIgnoreList,
    Sections,
    DebugId,
    OldDebugId,
    Scopes,
    RangeMappings,
    SourcesHash,
    FunctionNames,
}

const KEYS: usize = Key::FunctionNames as usize + 1;

impl Key {
    fn of(name: &[u8]) -> Option<Key> {
        Some(match name {
            b"version" => Key::Version,
            b"file" => Key::File,
            b"sourceRoot" => Key::SourceRoot,
            b"sources" => Key::Sources,
            b"sourcesContent" => Key::Contents,
            b"names" => Key::Names,
            b"mappings" => Key::Mappings,
            b"ignoreList" => Key::IgnoreList,
            b"x_google_ignoreList" => Key::LegacyIgnoreList,
            b"sections" => Key::Sections,
            b"debugId" => Key::DebugId,
            b"debug_id" => Key::OldDebugId,
            b"scopes" => Key::Scopes,
            b"rangeMappings" => Key::RangeMappings,
            b"sourcesHash" => Key::SourcesHash,
            b"x_facebook_sources" => Key::FunctionNames,
            _ => return None,
        })
    }
}

/// The value of a key: the last one, where it occurs twice.
struct Value {
    kind: Kind,
    /// From its first byte to behind its last one.
    span: Range<usize>,
    /// Entries, where it is an array.
    entries: usize,
    /// What is wrong with it alone.
    faults: Faults,
}

/// The text of a string between its quotes, without escapes.
fn unescaped<'a>(reader: &Reader<'a>, text: &Text) -> Cow<'a, [u8]> {
    let raw = reader.bytes(text.span.clone());
    if text.escaped {
        RawString {
            raw,
            complete: true,
        }
        .decode()
        .bytes
    } else {
        Cow::Borrowed(raw)
    }
}

/// What came of a map.
struct Judged {
    faults: Faults,
    /// The greatest generated position that it maps.
    last: Option<Position>,
}

/// Judges the object at the reader as a map: the outermost one, or that of a section.
fn map(
    reader: &mut Reader<'_>,
    section: Option<u32>,
    sampler: &mut Sampler,
) -> Result<Judged, Broken> {
    let at = reader.at();
    let mut found: [Option<Value>; KEYS] = [const { None }; KEYS];
    reader.object(|reader, key| {
        match Key::of(&unescaped(reader, &key)) {
            Some(key) => found[key as usize] = Some(value(reader, key, section, sampler)?),
            None => {
                reader.value()?;
            }
        }
        Ok(())
    })?;
    let mut draft = Draft {
        reader: Reader::new(reader.bytes(0..reader.at()), at),
        at,
        section,
        found,
        faults: Faults::default(),
    };
    let last = draft.close(sampler);
    Ok(Judged {
        faults: draft.faults,
        last,
    })
}

/// Steps over the value of a known key, looking at what can be seen without the other keys.
fn value(
    reader: &mut Reader<'_>,
    key: Key,
    section: Option<u32>,
    sampler: &mut Sampler,
) -> Result<Value, Broken> {
    let kind = reader.kind()?;
    let start = reader.at();
    let mut faults = Faults::default();
    let mut entries = 0;
    match (key, kind) {
        // Whether the sections of a section's map mean anything is known when it closes; they are never judged.
        (Key::Sections, Kind::Array) if section.is_none() => {
            sections(reader, &mut faults, sampler)?;
        }
        (Key::Sources | Key::Contents | Key::Names, Kind::Array) => {
            let (code, takes_null) = match key {
                Key::Sources => (Code::SourcesEntryType, true),
                Key::Contents => (Code::ContentsEntryType, true),
                _ => (Code::NamesEntryType, false),
            };
            reader.array(|reader| {
                match reader.kind()? {
                    Kind::String => {
                        reader.string()?;
                    }
                    kind => {
                        if kind != Kind::Null || !takes_null {
                            faults.push(code, reader.at(), section, || {
                                format!("entry {entries} is {}", kind.as_str())
                            });
                        }
                        reader.value()?;
                    }
                }
                entries += 1;
                Ok(())
            })?;
        }
        _ => {
            reader.value()?;
        }
    }
    Ok(Value {
        kind,
        span: start..reader.at(),
        entries,
        faults,
    })
}

/// A map whose last byte was read.
struct Draft<'a> {
    /// Reads again what needs a second look.
    reader: Reader<'a>,
    at: usize,
    section: Option<u32>,
    found: [Option<Value>; KEYS],
    faults: Faults,
}

impl<'a> Draft<'a> {
    fn get(&self, key: Key) -> Option<&Value> {
        self.found[key as usize].as_ref()
    }

    fn push(&mut self, code: Code, at: usize, detail: impl FnOnce() -> String) {
        self.faults.push(code, at, self.section, detail);
    }

    /// Takes the errors of a value alone.
    fn adopt(&mut self, key: Key) {
        let value = self.found[key as usize].as_mut();
        let faults = value.map(|value| std::mem::take(&mut value.faults));
        self.faults.merge(faults.unwrap_or_default());
    }

    fn close(&mut self, sampler: &mut Sampler) -> Option<Position> {
        self.proposals();
        let is_index = self.get(Key::Sections).is_some();
        match (is_index, self.section) {
            (true, None) => {
                self.index();
                None
            }
            (true, Some(_)) if self.get(Key::Mappings).is_none() => {
                let at = self.start_of(Key::Sections);
                self.push(Code::NestedIndex, at, || {
                    "it has sections of its own, and a section's map has to be a plain one"
                        .to_owned()
                });
                None
            }
            (nested, _) => {
                if nested {
                    let at = self.start_of(Key::Sections);
                    self.push(Code::SectionsIgnored, at, || {
                        "sections beside mappings in a section's map mean nothing".to_owned()
                    });
                }
                self.plain(sampler)
            }
        }
    }

    fn start_of(&self, key: Key) -> usize {
        self.get(key).map_or(self.at, |value| value.span.start)
    }

    /// DecodeIndexSourceMap, apart from the sections, which were judged on the way.
    fn index(&mut self) {
        self.version();
        self.of_kind(Key::File, Kind::String, Code::FileType);
        self.of_kind(Key::Sections, Kind::Array, Code::SectionsType);
        self.adopt(Key::Sections);
        if self.get(Key::Mappings).is_some() {
            let at = self.start_of(Key::Mappings);
            self.push(Code::SectionsAndMappings, at, || {
                "mappings stand beside sections".to_owned()
            });
        }
    }

    /// DecodeSourceMap.
    fn plain(&mut self, sampler: &mut Sampler) -> Option<Position> {
        self.version();
        self.needs(
            Key::Mappings,
            Kind::String,
            Code::MappingsMissing,
            Code::MappingsType,
        );
        self.needs(
            Key::Sources,
            Kind::Array,
            Code::SourcesMissing,
            Code::SourcesType,
        );
        self.of_kind(Key::File, Kind::String, Code::FileType);
        self.of_kind(Key::SourceRoot, Kind::String, Code::SourceRootType);
        self.of_kind(Key::Contents, Kind::Array, Code::ContentsType);
        self.of_kind(Key::Names, Kind::Array, Code::NamesType);
        for key in [Key::Sources, Key::Contents, Key::Names] {
            self.adopt(key);
        }
        self.ignore_list();
        self.urls();
        self.mappings(sampler)
    }

    fn version(&mut self) {
        const VERSION: f64 = 3.0;
        let Some(value) = self.get(Key::Version) else {
            let at = self.at;
            return self.push(Code::VersionMissing, at, || {
                "there is no version, and 3 is the only one".to_owned()
            });
        };
        let (kind, start) = (value.kind, value.span.start);
        if kind != Kind::Number {
            return self.push(Code::VersionWrong, start, || is_a(kind));
        }
        match Reader::new(self.reader.bytes(0..value.span.end), start).number() {
            Ok(VERSION) | Err(_) => {}
            Ok(other) => self.push(Code::VersionWrong, start, || {
                format!("it is {other}, and 3 is the only one")
            }),
        }
    }

    /// A key that may be absent, and else has a value of this kind.
    fn of_kind(&mut self, key: Key, kind: Kind, code: Code) {
        if let Some(value) = self.get(key)
            && value.kind != kind
        {
            let (kind, at) = (value.kind, value.span.start);
            self.push(code, at, || is_a(kind));
        }
    }

    /// A key that has to be there.
    fn needs(&mut self, key: Key, kind: Kind, missing: Code, wrong: Code) {
        if self.get(key).is_none() {
            let at = self.at;
            self.push(missing, at, || "the map does not have it".to_owned());
        }
        self.of_kind(key, kind, wrong);
    }

    fn sources(&self) -> usize {
        self.get(Key::Sources).map_or(0, |value| value.entries)
    }

    fn ignore_list(&mut self) {
        if self.get(Key::IgnoreList).is_some() {
            self.of_kind(Key::IgnoreList, Kind::Array, Code::IgnoreListType);
            self.indices(
                Key::IgnoreList,
                Code::IgnoreListEntryType,
                Code::IgnoreListRange,
            );
        } else {
            let code = Code::LegacyIgnoreList;
            self.of_kind(Key::LegacyIgnoreList, Kind::Array, code);
            self.indices(Key::LegacyIgnoreList, code, code);
        }
    }

    /// GetOptionalListOfArrayIndexes, and that each names a source.
    fn indices(&mut self, key: Key, wrong: Code, beyond: Code) {
        let sources = self.sources();
        let Some(value) = self.get(key).filter(|value| value.kind == Kind::Array) else {
            return;
        };
        let mut list = Reader::new(self.reader.bytes(0..value.span.end), value.span.start);
        let (section, faults) = (self.section, &mut self.faults);
        // The list was read before: it is JSON.
        let _ = list.array(|list| {
            let kind = list.kind()?;
            let at = list.at();
            if kind != Kind::Number {
                faults.push(wrong, at, section, || is_a(kind));
                return list.value().map(|_| ());
            }
            let index = list.number()?;
            if index.fract() != 0.0 || index.is_sign_negative() || index.is_infinite() {
                faults.push(wrong, at, section, || format!("{index:?} is no index"));
            } else if index >= sources as f64 {
                faults.push(beyond, at, section, || {
                    format!("index {index}, where there are {sources} sources")
                });
            }
            Ok(())
        });
    }

    /// DecodeSourceMapSources, as far as it can be wrong.
    fn urls(&mut self) {
        let root = self.get(Key::SourceRoot).and_then(|value| {
            let mut reader = Reader::new(self.reader.bytes(0..value.span.end), value.span.start);
            let text = reader.string().ok()?;
            Some(String::from_utf8_lossy(&unescaped(&reader, &text)).into_owned())
        });
        let prefix = url::Prefix::new(root.as_deref());
        let Some(value) = self
            .get(Key::Sources)
            .filter(|value| value.kind == Kind::Array)
        else {
            return;
        };
        let mut list = Reader::new(self.reader.bytes(0..value.span.end), value.span.start);
        let (section, faults) = (self.section, &mut self.faults);
        let mut entry = 0;
        let _ = list.array(|list| {
            if list.kind()? == Kind::String {
                let at = list.at();
                let text = list.string()?;
                if prefix.makes_no_url(&String::from_utf8_lossy(&unescaped(list, &text))) {
                    faults.push(Code::SourceUrl, at, section, || {
                        format!("entry {entry} with its root in front is no URL")
                    });
                }
            } else {
                list.value()?;
            }
            entry += 1;
            Ok(())
        });
    }

    /// DecodeMappings.
    fn mappings(&mut self, sampler: &mut Sampler) -> Option<Position> {
        let value = self
            .get(Key::Mappings)
            .filter(|value| value.kind == Kind::String)?;
        let names = self.get(Key::Names).map_or(0, |value| value.entries);
        let (span, sources) = (value.span.clone(), self.sources());
        // A base64 digit may be written as `\/`, and is by some.
        let raw = self
            .reader
            .bytes(span.start + 1..span.end.saturating_sub(1));
        let text = Text {
            escaped: memchr::memchr(b'\\', raw).is_some(),
            span: span.start + 1..span.end.saturating_sub(1),
        };
        let escaped = text.escaped;
        let text = unescaped(&self.reader, &text);
        let (mut grammar, mut ranges) = (Faults::default(), Faults::default());
        let section = self.section;
        let show = |mapped| sampler.take(span.start + 1, mapped);
        let Outcome {
            broken,
            last,
            spread,
        } = mappings::check(&text, sources, names, show, |found| {
            let at = if escaped {
                span.start
            } else {
                span.start + 1 + found.at
            };
            let faults = if found.fault.is_grammar() {
                &mut grammar
            } else {
                &mut ranges
            };
            faults.push(segment_code(found.fault), at, section, || {
                segment_detail(&found, &text, sources, names)
            });
        });
        sampler.spread(spread);
        self.faults.merge(if broken { grammar } else { ranges });
        last
    }

    /// Keys of proposals: told, not judged.
    fn proposals(&mut self) {
        for (key, code) in [
            (Key::Scopes, Code::Scopes),
            (Key::RangeMappings, Code::RangeMappings),
            (Key::SourcesHash, Code::SourcesHash),
        ] {
            if self.get(key).is_some() {
                let at = self.start_of(key);
                self.push(code, at, || {
                    "no part of the edition, and not judged".to_owned()
                });
            }
        }
        if self.get(Key::FunctionNames).is_some() {
            let at = self.start_of(Key::FunctionNames);
            self.push(Code::FunctionNames, at, || {
                "`x_facebook_sources` names the functions of each source, with or without its content"
                    .to_owned()
            });
        }
        for key in [Key::DebugId, Key::OldDebugId] {
            let Some(value) = self.get(key) else { continue };
            let at = value.span.start;
            let written = self.reader.bytes(value.span.clone());
            let id = written
                .trim_ascii_end()
                .strip_prefix(b"\"")
                .and_then(|id| id.strip_suffix(b"\""));
            if value.kind != Kind::String || !id.is_some_and(is_uuid) {
                self.push(Code::DebugId, at, || "it is no UUID in a string".to_owned());
            }
        }
    }
}

fn segment_code(fault: mappings::Fault) -> Code {
    use mappings::Fault;
    match fault {
        Fault::BadCharacter(_) => Code::MappingsCharacter,
        Fault::Unterminated => Code::VlqUnterminated,
        Fault::Empty => Code::SegmentEmpty,
        Fault::Fields(_) => Code::SegmentFields,
        Fault::TooLarge => Code::VlqTooLarge,
        Fault::GeneratedColumn(_) => Code::SegmentColumn,
        Fault::Source(_) => Code::SegmentSource,
        Fault::OriginalLine(_) => Code::SegmentOriginalLine,
        Fault::OriginalColumn(_) => Code::SegmentOriginalColumn,
        Fault::Name(_) => Code::SegmentName,
    }
}

fn segment_detail(found: &mappings::Found, text: &[u8], sources: usize, names: usize) -> String {
    use mappings::Fault;
    let what = match found.fault {
        Fault::BadCharacter(byte) => format!("{} is no base64 digit", Shown(byte)),
        Fault::Unterminated => "the last number goes on, and nothing follows".to_owned(),
        Fault::Empty => "nothing beside a comma".to_owned(),
        Fault::Fields(count) => format!("{count} fields, where 1, 4 or 5 may be"),
        Fault::TooLarge => "a number of more than 32 bits".to_owned(),
        Fault::GeneratedColumn(value) => format!("the generated column is {value}"),
        Fault::Source(value) => format!("source {value}, where there are {sources}"),
        Fault::OriginalLine(value) => format!("the original line is {value}"),
        Fault::OriginalColumn(value) => format!("the original column is {value}"),
        Fault::Name(value) => format!("name {value}, where there are {names}"),
    };
    let (line, ordinal) = (found.line, found.ordinal(text));
    format!("{what}, in segment {ordinal} of generated line {line}")
}

// ---------------------------------------------------------------------------------------------------- sections

/// What the sections before tell of the next one.
#[derive(Default)]
struct Previous {
    offset: Option<Position>,
    last: Option<Position>,
}

/// Judges the sections of an index map. The reader stands at the bracket of their list.
fn sections(
    reader: &mut Reader<'_>,
    faults: &mut Faults,
    sampler: &mut Sampler,
) -> Result<(), Broken> {
    let mut previous = Previous::default();
    let mut index = 0;
    reader.array(|reader| {
        let kind = reader.kind()?;
        if kind == Kind::Object {
            section(reader, index, &mut previous, faults, sampler)?;
        } else {
            faults.push(Code::SectionType, reader.at(), Some(index), || is_a(kind));
            reader.value()?;
        }
        index = index.saturating_add(1);
        Ok(())
    })
}

fn section(
    reader: &mut Reader<'_>,
    index: u32,
    previous: &mut Previous,
    faults: &mut Faults,
    sampler: &mut Sampler,
) -> Result<(), Broken> {
    let start = reader.at();
    let (mut offset, mut inner, mut has_url) = (None, None, false);
    reader.object(|reader, key| {
        match unescaped(reader, &key).as_ref() {
            b"offset" => offset = Some(section_offset(reader, index)?),
            b"map" => inner = Some(section_map(reader, index, sampler)?),
            key => {
                has_url |= key == b"url";
                reader.value()?;
            }
        }
        Ok(())
    })?;
    let here = Some(index);
    let Some((offset, offset_faults)) = offset else {
        faults.push(Code::OffsetType, start, here, || {
            "the section has no offset".to_owned()
        });
        faults.merge(inner.map(|(_, found)| found).unwrap_or_default());
        return Ok(());
    };
    faults.merge(offset_faults);
    if let Some(offset) = offset {
        order(offset, start, index, previous, faults);
    }
    let Some((last, mut found)) = inner else {
        faults.push(Code::SectionMapType, start, here, || {
            if has_url {
                "the section points to a map elsewhere, a form that the standard dropped".to_owned()
            } else {
                "the section has no map".to_owned()
            }
        });
        return Ok(());
    };
    let throws = found.any(Rank::Thrown);
    // What is wrong with the map of a section is caught there; that it is no object is not.
    let is_no_map = found
        .kept
        .iter()
        .any(|fault| fault.code == Code::SectionMapType);
    if !is_no_map {
        found.demote();
    }
    faults.merge(found);
    if let Some(offset) = offset.filter(|_| !throws) {
        previous.offset = Some(offset);
        previous.last = last
            .map(|last| Position {
                line: last.line.saturating_add(offset.line),
                column: if last.line == 0 {
                    last.column.saturating_add(offset.column)
                } else {
                    last.column
                },
            })
            .or(previous.last);
    }
    Ok(())
}

/// Whether a section begins where it may.
fn order(offset: Position, at: usize, index: u32, previous: &Previous, faults: &mut Faults) {
    let shown = |position: Position| format!("line {}, column {}", position.line, position.column);
    let Some(before) = previous.offset else {
        return;
    };
    if offset < before {
        faults.push(Code::SectionsOrder, at, Some(index), || {
            format!(
                "it begins at {}, the one before at {}",
                shown(offset),
                shown(before)
            )
        });
    }
    if let Some(last) = previous.last
        && (offset < last || (offset == last && offset == before))
    {
        faults.push(Code::SectionsOverlap, at, Some(index), || {
            format!(
                "it begins at {}, where those before still map {}",
                shown(offset),
                shown(last)
            )
        });
    }
}

type Offset = (Option<Position>, Faults);

/// The `offset` of a section; none where it is no object.
fn section_offset(reader: &mut Reader<'_>, index: u32) -> Result<Offset, Broken> {
    let mut faults = Faults::default();
    let here = Some(index);
    let kind = reader.kind()?;
    let start = reader.at();
    if kind != Kind::Object {
        faults.push(Code::OffsetType, start, here, || is_a(kind));
        reader.value()?;
        return Ok((None, faults));
    }
    let (mut line, mut column) = (None, None);
    reader.object(|reader, key| {
        let slot = match unescaped(reader, &key).as_ref() {
            b"line" => &mut line,
            b"column" => &mut column,
            _ => {
                reader.value()?;
                return Ok(());
            }
        };
        let kind = reader.kind()?;
        let at = reader.at();
        *slot = Some(if kind == Kind::Number {
            (kind, at, reader.number()?)
        } else {
            reader.value()?;
            (kind, at, f64::NAN)
        });
        Ok(())
    })?;
    let mut number = |slot: Option<(Kind, usize, f64)>, code| {
        let Some((kind, at, value)) = slot else {
            faults.push(code, start, here, || "it is not there".to_owned());
            return 0;
        };
        if kind != Kind::Number {
            faults.push(code, at, here, || is_a(kind));
            return 0;
        }
        if value.is_infinite() || value.fract() != 0.0 {
            faults.push(code, at, here, || format!("{value} is no integer"));
            return 0;
        }
        if value < 0.0 {
            faults.push(Code::OffsetNegative, at, here, || format!("it is {value}"));
            return 0;
        }
        // Integers beyond what 63 bits hold stay the greatest: they only have to compare.
        value as i64
    };
    let line = number(line, Code::OffsetLine).unsigned_abs();
    let column = number(column, Code::OffsetColumn);
    Ok((Some(Position { line, column }), faults))
}

/// The `map` of a section, and the greatest position that it maps.
fn section_map(
    reader: &mut Reader<'_>,
    index: u32,
    sampler: &mut Sampler,
) -> Result<(Option<Position>, Faults), Broken> {
    let kind = reader.kind()?;
    if kind == Kind::Object {
        let Judged { faults, last } = map(reader, Some(index), sampler)?;
        return Ok((last, faults));
    }
    let mut faults = Faults::default();
    faults.push(Code::SectionMapType, reader.at(), Some(index), || {
        is_a(kind)
    });
    reader.value()?;
    Ok((None, faults))
}
