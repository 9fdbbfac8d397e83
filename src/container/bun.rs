//! Bun's standalone executables: bundled modules, their maps and bytecode, in a copy of the runtime.
//!
//! `bun build --compile` writes a graph of modules and closes it with `Offsets` and the line `---- Bun! ----`. Until
//! Bun 1.3 the graph is appended to the executable; later it is the section `.bun` (`__bun` in Mach-O), with its length
//! in front. `Offsets` says how long the graph is, where its table of modules stands and which module comes first.
//! Source: `src/StandaloneModuleGraph.zig` of the Bun repository, versions 0.6 to 1.3, and executables of Bun 1.0, 1.1,
//! 1.2 and 1.4, which `tests/apps.rs` builds.
//!
//! Records of modules grew with the versions and say nothing of their length, so the length is tried: the one with
//! which every pointer lies in the graph and every name begins as Bun's do is right. Where none is, the graph is given
//! as a region and each zstd frame in it unpacked: that is what sources are stored in.
//!
//! A module's map is no JSON but a form of Bun's own ([`BunMap`]), with one zstd frame for each source. It is there
//! whatever `--sourcemap` was asked for. What is in neither table nor map (module info, the runtime) comes as regions.

use std::ops::Range;

use bytes::Bytes;

use super::exe::{self, Wanted};
use super::listed::{Listed, held, number_at};
use super::{Body, Event, Format, Input, MapHead, Member, SourceMeta, Trouble, Walker, safe};
use crate::blob::url::name_without_passwords;
use crate::blob::{Decoders, Limits, MemberName, count_lines, room};
use crate::record::SourceStatus;

const TRAILER: &[u8] = b"\n---- Bun! ----\n";
/// The trailer is looked for so close to the end of an executable: a signature may stand behind it.
const TAIL: usize = 1 << 20;
const ZSTD_MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";
/// `Offsets` with and without the arguments that were compiled in.
const OFFSETS: [usize; 2] = [32, 24];
/// Lengths that records had so far, the newest first.
const RECORDS: [usize; 5] = [52, 36, 32, 28, 44];
/// What names of modules begin with.
const PREFIXES: [&[u8]; 4] = [b"/$bunfs/", b"B:/~BUN/", b"B:\\~BUN\\", b"compiled://"];

const WANTED: Wanted = Wanted {
    section: b".bun",
    note: b"",
    resource: "",
    macho_section: b"__bun",
};

/// A graph of modules, in an executable or by itself.
pub struct Bun;

impl Format for Bun {
    fn name(&self) -> &'static str {
        "bun"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        find(head).is_some()
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let content = held(input)?;
        let mut list = Listed::new("bun", content.clone());
        match find(&content) {
            Some(Found::Graph(graph)) => graph.list(&content, &mut list),
            Some(Found::Region(range)) => carve(&content, range, limits, &mut list),
            None => {}
        }
        Ok(list.finish())
    }
}

/// What was found in the content.
enum Found {
    Graph(Graph),
    /// A graph that no known layout fits.
    Region(Range<usize>),
}

fn find(content: &[u8]) -> Option<Found> {
    let within = region(content)?;
    let trailer = within.start + memchr::memmem::rfind(&content[within.clone()], TRAILER)?;
    let is_section = within.len() < content.len() && within.end < content.len();
    let graph = OFFSETS
        .iter()
        .find_map(|len| Graph::read(content, trailer, *len));
    match graph {
        Some(graph) => Some(Found::Graph(graph)),
        None if is_section => Some(Found::Region(within)),
        None => {
            // Appended, or by itself: only right at the end is it more than the runtime's own copy of the line.
            let behind = content.len() - trailer - TRAILER.len();
            let len = number_at(content, trailer.checked_sub(OFFSETS[0])?, 8)
                .filter(|len| *len <= trailer as u64)
                .or_else(|| number_at(content, trailer.checked_sub(OFFSETS[1])?, 8))
                .filter(|len| *len <= trailer as u64)
                .unwrap_or(0);
            let start = trailer.checked_sub(OFFSETS[0] + len as usize)?;
            (behind <= 8).then_some(Found::Region(start..trailer))
        }
    }
}

/// Where the trailer may stand: in the section, near the end of an executable, or at the very end of anything else.
fn region(content: &[u8]) -> Option<Range<usize>> {
    if exe::is_executable(content) {
        let tail = content.len().saturating_sub(TAIL)..content.len();
        return exe::find(content, &WANTED).or(Some(tail));
    }
    let start = content.len().checked_sub(TRAILER.len() + 8)?;
    let tail = &content[start..];
    (tail.starts_with(TRAILER) || tail.ends_with(TRAILER)).then_some(start..content.len())
}

/// A graph whose every pointer was checked. All ranges are in the content.
struct Graph {
    modules: Vec<Module>,
    arguments: Range<usize>,
    /// The table, `Offsets` with the trailer, and lengths beside them.
    index: Vec<Range<usize>>,
}

struct Module {
    name: Range<usize>,
    contents: Range<usize>,
    map: Range<usize>,
    bytecode: Range<usize>,
}

impl Graph {
    fn read(content: &[u8], trailer: usize, offsets_len: usize) -> Option<Self> {
        let offsets = trailer.checked_sub(offsets_len)?;
        let len = usize::try_from(number_at(content, offsets, 8)?).ok()?;
        let start = offsets.checked_sub(len)?;
        let table = pointer(content, offsets + 8, start, len)?;
        let arguments = match offsets_len {
            32 => pointer(content, offsets + 20, start, len)?,
            _ => 0..0,
        };
        let modules = RECORDS
            .into_iter()
            .find_map(|record| modules(content, &table, record, start, len))?;
        let end = trailer + TRAILER.len();
        let mut index = vec![table, offsets..end];
        // A section has the graph's length in front; behind an appended one stands that of the whole file.
        if let Some(before) = start.checked_sub(8)
            && number_at(content, before, 8) == Some((end - start) as u64)
        {
            index.push(before..start);
        }
        if number_at(content, end, 8).is_some() && end + 8 == content.len() {
            index.push(end..end + 8);
        }
        Some(Self {
            modules,
            arguments,
            index,
        })
    }

    fn list(self, content: &[u8], list: &mut Listed) {
        for range in &self.index {
            list.claim(range);
        }
        if !self.arguments.is_empty() {
            list.region(self.arguments);
        }
        for module in self.modules {
            let name = content[module.name.clone()].to_vec();
            list.claim(&module.name);
            list.member(name.clone(), module.contents);
            if !module.map.is_empty() {
                list.member([&name[..], b".map"].concat(), module.map);
            }
            if !module.bytecode.is_empty() {
                list.member([&name[..], b".jsc"].concat(), module.bytecode);
            }
        }
    }
}

/// A pointer (offset, length) into the graph of `len` bytes at `start`, as a range of the content.
fn pointer(content: &[u8], at: usize, start: usize, len: usize) -> Option<Range<usize>> {
    let offset = number_at(content, at, 4)? as usize;
    let size = number_at(content, at + 4, 4)? as usize;
    if size == 0 {
        return Some(start..start);
    }
    let end = offset.checked_add(size).filter(|end| *end <= len)?;
    Some(start + offset..start + end)
}

/// The modules of a table whose records have `record` bytes; `None` unless all of them make sense.
fn modules(
    content: &[u8],
    table: &Range<usize>,
    record: usize,
    start: usize,
    len: usize,
) -> Option<Vec<Module>> {
    if table.is_empty() || !table.len().is_multiple_of(record) {
        return None;
    }
    table
        .clone()
        .step_by(record)
        .map(|at| {
            let at = |index: usize| pointer(content, at + index * 8, start, len);
            let module = Module {
                name: at(0)?,
                contents: at(1)?,
                map: at(2)?,
                // Records of 32 bytes hold no fourth pointer but wide flags.
                bytecode: if record >= 36 { at(3)? } else { start..start },
            };
            let name = &content[module.name.clone()];
            let is_name = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            is_name.then_some(module)
        })
        .collect()
}

/// Gives the zstd frames of a region, unpacked; the rest of it comes as regions.
fn carve(content: &Bytes, range: Range<usize>, limits: &Limits, list: &mut Listed) {
    list.trouble(Trouble::odd(
        "bun-layout-unknown",
        format!("the module graph at offset {} is of no known version; it was read as regions, and its zstd frames were unpacked", range.start),
    ));
    let mut at = range.start;
    while let Some(found) = memchr::memmem::find(&content[at..range.end], ZSTD_MAGIC) {
        at += found;
        let frame = super::zstd::frame_len(&content[at..range.end]);
        let Some(len) = frame else {
            at += ZSTD_MAGIC.len();
            continue;
        };
        let (hold, decoders) = (limits.hold(), limits.decoders);
        list.packed(&(at..at + len), move |frame| {
            let (bytes, trouble) = unpack(frame, hold, decoders);
            // What only looks like a frame is given as it stands.
            let bytes = match &trouble {
                Some(_) if bytes.is_empty() => Bytes::copy_from_slice(frame),
                _ => bytes,
            };
            let mut member = Member::whole(MemberName::Offset(at as u64), bytes);
            member.trouble = trouble;
            member
        });
        at += len;
    }
}

/// Unpacks one zstd frame, as far as it can be and may be.
fn unpack(frame: &[u8], most: u64, decoders: Decoders) -> (Bytes, Option<Trouble>) {
    let mut bytes = Vec::new();
    // What follows the frame is none of it.
    let frame = super::zstd::frame_len(frame).map_or(frame, |len| &frame[..len]);
    let result = safe::zstd(frame, decoders)
        .ok_or_else(|| std::io::Error::other("there is no memory for a decoder"))
        .and_then(|mut decoder| room::read(&mut decoder, most + 1, &mut bytes));
    let trouble = match result {
        Err(error) => Some(Trouble::damaged(
            "corrupt-data",
            format!(
                "the packed content is damaged ({error}); what came before the damage was read"
            ),
            None,
        )),
        Ok(_) if bytes.len() as u64 > most => {
            bytes.truncate(most as usize);
            Some(Trouble::damaged(
                "memory-limit",
                format!("the content unfolds to more than {most} bytes; raise --memory"),
                None,
            ))
        }
        Ok(_) => None,
    };
    (bytes.into(), trouble)
}

/// The map of a module, in Bun's own form.
///
/// Two counts (sources, bytes of mappings), a pointer to each name, a pointer to each content, the mappings, and then
/// what the pointers point to: names as they are, contents as zstd frames. Mappings are VLQ, or a denser form since
/// Bun 1.4. Columns `names` are not kept by Bun.
pub struct BunMap;

const COUNTS: usize = 8;
const POINTER: usize = 8;

/// The ranges of a map.
struct Frame {
    sources: usize,
    /// Where the names begin: behind counts, pointers and mappings.
    strings_at: usize,
}

impl Frame {
    fn read(head: &[u8]) -> Option<Self> {
        let sources = number_at(head, 0, 4)? as usize;
        let mappings = number_at(head, 4, 4)? as usize;
        let strings_at = sources
            .checked_mul(2 * POINTER)?
            .checked_add(COUNTS)?
            .checked_add(mappings)?;
        Some(Self {
            sources,
            strings_at,
        })
    }

    /// Offset and length that pointer `index` states.
    fn pointer(head: &[u8], index: usize) -> Option<(usize, usize)> {
        let at = index.checked_mul(POINTER)?.checked_add(COUNTS)?;
        Some((
            number_at(head, at, 4)? as usize,
            number_at(head, at + 4, 4)? as usize,
        ))
    }
}

impl Format for BunMap {
    fn name(&self) -> &'static str {
        "bun-map"
    }

    /// There is no magic, but the first name stands right behind the mappings, the second right behind the first, and
    /// the first content is a zstd frame: enough to never meet it by chance.
    fn recognise(&self, head: &[u8]) -> bool {
        let fits = || {
            let frame = Frame::read(head).filter(|frame| frame.sources > 0)?;
            let (first, len) = Frame::pointer(head, 0)?;
            let follows = Frame::pointer(head, 1)?.0 == first.checked_add(len)?;
            let (content, _) = Frame::pointer(head, frame.sources)?;
            let is_packed = content >= head.len() || head[content..].starts_with(ZSTD_MAGIC);
            Some(first == frame.strings_at && follows && is_packed && len > 0)
        };
        fits().unwrap_or(false)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let document = held(input)?;
        let sources = Frame::read(&document).map_or(0, |frame| frame.sources);
        Ok(Box::new(MapWalker {
            head: Some(Box::default()),
            // Pointers that are not there are no sources: the count allocates nothing and promises nothing.
            there: sources.min(document.len() / POINTER),
            sources,
            next: 0,
            hold: limits.hold(),
            decoders: limits.decoders,
            document,
        }))
    }
}

/// Gives the sources of a map.
struct MapWalker {
    head: Option<Box<MapHead>>,
    document: Bytes,
    sources: usize,
    there: usize,
    next: usize,
    hold: u64,
    decoders: Decoders,
}

impl MapWalker {
    /// What pointer `index` points to, as far as it is there, and whether all of it is.
    fn part(&self, index: usize) -> Option<(Bytes, bool)> {
        let (offset, len) = Frame::pointer(&self.document, index)?;
        let start = offset.min(self.document.len());
        let end = offset.saturating_add(len).min(self.document.len());
        Some((self.document.slice(start..end), end - start == len))
    }

    fn source(&self, index: usize) -> Member {
        let name = self
            .part(index)
            .map(|(name, _)| name_without_passwords(name.to_vec()));
        let mut meta = SourceMeta {
            source_root: None,
            name: name.clone(),
            ignored: false,
            status: SourceStatus::Missing,
            lines: 0,
            profile: None,
            hash: None,
            written: None,
        };
        let name = MemberName::Named(name.unwrap_or_default());
        let packed = self
            .part(self.sources.saturating_add(index))
            .filter(|(packed, _)| !packed.is_empty());
        let mut member = match packed {
            None => Member::absent(
                name,
                Trouble::skipped(
                    "no-content",
                    "the map names this source and holds no content",
                    None,
                ),
            ),
            Some((packed, is_whole)) => {
                let (bytes, trouble) = unpack(&packed, self.hold, self.decoders);
                meta.lines = count_lines(&bytes);
                meta.status = match (std::str::from_utf8(&bytes), &trouble) {
                    (_, Some(_)) => SourceStatus::Truncated,
                    (Ok(_), None) if is_whole => SourceStatus::Exact,
                    (Err(_), None) if is_whole => SourceStatus::InvalidUtf8,
                    _ => SourceStatus::Truncated,
                };
                Member {
                    name,
                    body: Body::Held(bytes),
                    trouble,
                    source: None,
                    links: Vec::new(),
                    time: None,
                }
            }
        };
        member.source = Some(Box::new(meta));
        member
    }
}

impl Walker for MapWalker {
    fn kind(&self) -> &'static str {
        "bun-map"
    }

    fn next(&mut self) -> Option<Event> {
        if let Some(head) = self.head.take() {
            return Some(Event::Map(head));
        }
        if self.next == self.there && self.there < self.sources {
            self.sources = self.there;
            return Some(Event::Trouble(Trouble::damaged(
                "map-damaged",
                "the map states more sources than it has room for; those that are there were read",
                None,
            )));
        }
        let index = self.next;
        self.next += 1;
        (index < self.there).then(|| Event::Member(self.source(index)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, macho_with_section, pe_with_section, walk};
    use super::*;

    /// A map as Bun writes it.
    fn map(sources: &[(&str, &str)]) -> Vec<u8> {
        let mappings = b"AAAA;AACA";
        let mut bytes = Vec::new();
        bytes.extend((sources.len() as u32).to_le_bytes());
        bytes.extend((mappings.len() as u32).to_le_bytes());
        let start = COUNTS + sources.len() * 16 + mappings.len();
        let mut strings = Vec::new();
        let names = sources.iter().map(|(name, _)| name.as_bytes().to_vec());
        let contents = sources
            .iter()
            .map(|(_, content)| zstd::encode_all(content.as_bytes(), 1).unwrap());
        for string in names.chain(contents) {
            bytes.extend(((start + strings.len()) as u32).to_le_bytes());
            bytes.extend((string.len() as u32).to_le_bytes());
            strings.extend(string);
        }
        bytes.extend(mappings);
        bytes.extend(strings);
        bytes
    }

    /// A graph as a version with records of `record` bytes lays it.
    fn graph(record: usize, modules: &[(&str, &[u8], &[u8])]) -> Vec<u8> {
        let (mut bytes, mut table) = (Vec::new(), Vec::new());
        for (name, contents, map) in modules {
            let mut row = Vec::new();
            for part in [name.as_bytes(), contents, map] {
                row.extend((bytes.len() as u32).to_le_bytes());
                row.extend((part.len() as u32).to_le_bytes());
                bytes.extend(part);
                bytes.push(0);
            }
            row.resize(record, 0);
            table.extend(row);
        }
        let at = bytes.len() as u32;
        bytes.extend(&table);
        let len = bytes.len() as u64;
        bytes.extend(len.to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend((table.len() as u32).to_le_bytes());
        let rest = if record >= 44 { 16 } else { 8 };
        bytes.extend(vec![0; rest]);
        bytes.extend(TRAILER);
        bytes
    }

    fn seen(format: &dyn Format, bytes: &[u8]) -> Seen {
        assert!(format.recognise(bytes));
        walk(format, bytes, &Limits::default()).expect("it opens")
    }

    fn names(seen: &Seen) -> Vec<&str> {
        seen.members.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn every_length_of_records_is_told() {
        let map = map(&[("a.ts", "let a: 1;"), ("b.ts", "")]);
        for record in RECORDS {
            let modules: [(&str, &[u8], &[u8]); 2] = [
                ("/$bunfs/root/app", b"run()", &map),
                ("/$bunfs/root/note.txt", b"text", b""),
            ];
            let found = seen(&Bun, &graph(record, &modules));
            assert_eq!(
                names(&found),
                [
                    "/$bunfs/root/app",
                    "/$bunfs/root/app.map",
                    "/$bunfs/root/note.txt"
                ],
                "{record}"
            );
            assert_eq!(found.members[1].1, map);
            assert!(found.codes.is_empty());
        }
    }

    #[test]
    fn it_is_found_behind_and_inside_executables() {
        let graph = graph(52, &[("B:/~BUN/root/app", b"run()", b"")]);
        let len = (graph.len() as u64).to_le_bytes();
        let section = [&len[..], &graph].concat();
        let stub = [b"\x7fELF", &[1; 300][..]].concat();
        for exe in [
            macho_with_section(b"__BUN", b"__bun", &section),
            pe_with_section(b".bun", &section),
            [&stub[..], &graph, &len].concat(),
        ] {
            let found = seen(&Bun, &exe);
            assert_eq!(
                found.members[0],
                ("B:/~BUN/root/app".to_owned(), b"run()".to_vec())
            );
            assert_eq!(found.members[1].0, "@0");
        }
        assert!(!Bun.recognise(&stub));
        // The runtime holds the line too, to look for it.
        assert!(!Bun.recognise(&[&stub[..], TRAILER, &stub].concat()));
    }

    #[test]
    fn a_graph_of_no_known_version_is_carved() {
        let packed = zstd::encode_all(&b"the source of a module"[..], 1).unwrap();
        let mut graph = graph(52, &[("/$bunfs/root/app", b"run()", &packed)]);
        let at = memchr::memmem::find(&graph, b"/$bunfs").unwrap();
        graph[at] = b'?';
        let found = seen(&Bun, &graph);
        assert_eq!(found.codes, ["bun-layout-unknown"]);
        assert!(
            found
                .members
                .iter()
                .any(|(_, bytes)| bytes == b"the source of a module")
        );
        assert!(
            found
                .members
                .iter()
                .any(|(_, bytes)| memchr::memmem::find(bytes, b"run()").is_some())
        );
    }

    #[test]
    fn sources_of_a_map_come_out() {
        let found = seen(&BunMap, &map(&[("../a.ts", "let a: 1;"), ("b.ts", "ü")]));
        assert_eq!(
            found.members,
            [
                ("../a.ts".to_owned(), b"let a: 1;".to_vec()),
                ("b.ts".to_owned(), "ü".as_bytes().to_vec())
            ]
        );
        assert!(found.codes.is_empty());
    }

    #[test]
    fn a_map_that_lies_gives_what_is_there() {
        let whole = map(&[("a.ts", "let a: 1;"), ("b.ts", "let b: 2;")]);
        let found = seen(&BunMap, &whole[..whole.len() - 4]);
        assert_eq!(found.members[0].1, b"let a: 1;");
        assert_eq!(found.codes, ["corrupt-data"]);
        let mut many = whole;
        many[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        let found = walk(&BunMap, &many, &Limits::default()).expect("it opens");
        assert!(found.codes.contains(&"map-damaged".to_owned()));
    }

    #[test]
    fn a_bomb_is_cut_at_the_limit() {
        let limits = Limits {
            memory: 2 << 20,
            ..Limits::default()
        };
        let bomb = map(&[("a", &"x".repeat(8 << 20))]);
        let found = walk(&BunMap, &bomb, &limits).expect("it opens");
        assert_eq!(found.members[0].1.len(), 1 << 20);
        assert_eq!(found.codes, ["memory-limit"]);
    }

    proptest! {
        #[test]
        fn damage_never_panics(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in 0..80_usize) {
            let map = map(&[("a.ts", "let a: 1;")]);
            let mut bytes = graph(52, &[("/$bunfs/root/app", b"run()", &map)]);
            let mut alone = map;
            for (at, byte) in flips {
                let place = at.index(bytes.len());
                bytes[place] = byte;
                let place = at.index(alone.len());
                alone[place] = byte;
            }
            bytes.truncate(bytes.len() - cut);
            alone.truncate(alone.len() - cut.min(alone.len()));
            let _ = (Bun.recognise(&bytes), BunMap.recognise(&alone));
            let _ = walk(&Bun, &bytes, &Limits::default());
            let _ = walk(&BunMap, &alone, &Limits::default());
        }
    }
}
