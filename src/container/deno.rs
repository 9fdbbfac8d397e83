//! Deno's executables (`deno compile`): modules and files behind a slim Deno.
//!
//! `deno compile` hangs one section on the runtime. It begins and ends with `d3n0l4nd` and holds, each part with its
//! length in front: settings as JSON (permissions, the entry point, variables of an `.env` file), which packages of npm
//! are used, modules from the network by their URLs, an index of files as JSON, the files. A module in TypeScript is
//! there twice: as it was written, and as the JavaScript that runs, with a map between them. Up to Deno 2.1.4 only the
//! JavaScript is there, with the original in an inline map.
//!
//! Where the section stands depends on the system: an ELF note `SUI` whose data has the section's name in front, a PE
//! resource, a Mach-O section; before that (up to Deno 2.5 at least) it was put at the end of an ELF file with its
//! length behind it, and in Mach-O files for Intel it still stands behind a mark. Sources: `cli/rt/binary.rs` and
//! `cli/lib/standalone` of the Deno repository, the crate `libsui`, and executables of Deno 2.0.6, 2.1.0, 2.1.4, 2.1.5,
//! 2.1.6, 2.1.7, 2.1.9, 2.1.12, 2.1.14, 2.2.15, 2.3.0, 2.5.0 and 2.9.6 (this also for Windows and macOS), which these
//! readings were held against.
//!
//! The section does not say its version, so layouts are tried until one ends on the closing mark. A section that none
//! fits is given as a region, never dropped. Left out: Deno 1, whose modules stand in an archive of their own kind.

use std::ops::Range;

use bytes::Bytes;

use super::exe::{self, Wanted};
use super::json::{self, Shape, Token, Tokens};
use super::listed::{Listed, held, number_at};
use super::{Format, Input, Trouble, Walker};
use crate::blob::Limits;

const MAGIC: &[u8] = b"d3n0l4nd";

/// What the tool writes before a section in a Mach-O file for Intel; its length follows (8 bytes).
const INTEL_MARK: &[u8] = b"<~sui-data~>\xef\xbe\xad\xde";
/// Processor type of Mach-O files for Intel, 64 bits.
const INTEL: u64 = 0x0100_0007;

/// What stands behind a section at the end of an ELF file: this, a hash of its name, and the length with this trailer.
const TRAILER_MARK: u64 = 0x501e;

const WANTED: Wanted = Wanted {
    section: b"",
    note: b"SUI",
    resource: "D3N0L4ND",
    macho_section: MAGIC,
};

/// Folders within folders that are followed; more are damage or malice.
const DEPTH_MAX: usize = 1_000;
/// A longer path is not put together, so that nested long names cannot multiply. In bytes.
const PATH_MAX: usize = 64 << 10;

/// An executable made by Deno.
pub struct Deno;

impl Format for Deno {
    fn name(&self) -> &'static str {
        "deno"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        place(head).is_some()
    }

    fn open(&self, input: Input, _: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let content = held(input)?;
        let mut list = Listed::new("deno", content.clone());
        if let Some(place) = place(&content) {
            let found = LAYOUTS
                .iter()
                .find_map(|layout| Section::read(&content, &place, layout));
            match found {
                Some(section) => section.list(&content, &place, &mut list),
                None => {
                    list.trouble(Trouble::odd(
                        "deno-layout-unknown",
                        format!(
                            "the section at offset {} fits no known version; it was read as a region",
                            place.start
                        ),
                    ));
                    list.region(place);
                }
            }
        }
        Ok(list.finish())
    }
}

// -------------------------------------------------------------------------------------------------- the section

/// Where the section stands: from its first mark on.
fn place(content: &[u8]) -> Option<Range<usize>> {
    if !exe::is_executable(content) {
        return None;
    }
    [in_tables, at_the_end, behind_a_mark]
        .iter()
        .find_map(|look| look(content))
        .filter(|range| is_section(&content[range.clone()]))
}

/// A section begins with its mark, a length and JSON.
fn is_section(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && bytes.get(MAGIC.len() + 8) == Some(&b'{')
}

/// Where the tables of the executable say; in a note, the name and its length (2 bytes) stand before it.
fn in_tables(content: &[u8]) -> Option<Range<usize>> {
    let found = exe::find(content, &WANTED)?;
    let skip = match content[found.clone()].starts_with(MAGIC) {
        true => 0,
        false => 2 + MAGIC.len(),
    };
    let start = found.start + skip;
    (start <= found.end).then_some(start..found.end)
}

/// At the end of an ELF file, with a trailer behind it whose length has 4 bytes or, since Deno 2.2, 8.
fn at_the_end(content: &[u8]) -> Option<Range<usize>> {
    [8, 4].into_iter().find_map(|width| {
        let end = content.len().checked_sub(8 + width)?;
        if number_at(content, end, 4)? != TRAILER_MARK {
            return None;
        }
        let back = usize::try_from(number_at(content, end + 8, width)?).ok()?;
        let start = content.len().checked_sub(back)?;
        (start < end && content[start..].starts_with(MAGIC)).then_some(start..end)
    })
}

/// Behind a mark, in a Mach-O file for Intel. Nothing but a search finds it; other files are not searched.
fn behind_a_mark(content: &[u8]) -> Option<Range<usize>> {
    if !content.starts_with(b"\xcf\xfa\xed\xfe") || number_at(content, 4, 4)? != INTEL {
        return None;
    }
    let mark = memchr::memmem::rfind(content, INTEL_MARK)? + INTEL_MARK.len();
    let len = usize::try_from(number_at(content, mark, 8)?).ok()?;
    let start = mark + 8;
    let end = start.checked_add(len)?.min(content.len());
    Some(start..end)
}

/// How a version of Deno lays the section.
struct Layout {
    modules: Modules,
    /// Maps stand in a list behind the files.
    has_maps: bool,
}

/// How a version of Deno lays the modules from the network.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Modules {
    /// URLs with numbers, then modules by number, each with what belongs to it.
    Numbered,
    /// URLs with offsets, then the modules, each with the code that runs where that is another.
    Placed,
    /// URLs with offsets and the modules in one part, as the code that runs only.
    Code,
}

/// The layouts: of Deno 2.1.7 and later, of 2.1.5 and 2.1.6, and of 2.0 up to 2.1.4.
const LAYOUTS: [Layout; 3] = [
    Layout {
        modules: Modules::Numbered,
        has_maps: false,
    },
    Layout {
        modules: Modules::Placed,
        has_maps: true,
    },
    Layout {
        modules: Modules::Code,
        has_maps: false,
    },
];

/// A module from the network, as ranges of the content.
struct Module {
    url: Vec<u8>,
    data: Range<usize>,
    code: Option<Range<usize>>,
    map: Option<Range<usize>>,
    exports: Option<Range<usize>>,
}

/// What a section holds, as ranges of the content.
struct Section {
    settings: Range<usize>,
    packages: Range<usize>,
    modules: Vec<Module>,
    redirects: u64,
    /// The index of files.
    index: Range<usize>,
    files: Range<usize>,
    /// Maps by the names of what they belong to.
    maps: Vec<(Vec<u8>, Range<usize>)>,
}

/// Reads a section from front to back.
struct Cursor<'a> {
    content: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    fn within(&self, range: Range<usize>) -> Cursor<'a> {
        Cursor {
            content: self.content,
            at: range.start,
            end: range.end,
        }
    }

    fn take(&mut self, len: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.end)?;
        let range = self.at..end;
        self.at = end;
        Some(range)
    }

    fn byte(&mut self) -> Option<u8> {
        let range = self.take(1)?;
        self.content.get(range.start).copied()
    }

    /// A number of `width` (4 or 8) bytes.
    fn number(&mut self, width: usize) -> Option<u64> {
        let range = self.take(width)?;
        number_at(self.content, range.start, width)
    }

    /// A part with its length in front.
    fn part(&mut self, width: usize) -> Option<Range<usize>> {
        let len = usize::try_from(self.number(width)?).ok()?;
        self.take(len)
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        let range = self.part(4)?;
        Some(self.content[range].to_vec())
    }

    fn part_if(&mut self, is_there: bool) -> Option<Option<Range<usize>>> {
        match is_there {
            true => self.part(4).map(Some),
            false => Some(None),
        }
    }

    fn is_mark(&mut self) -> bool {
        self.take(MAGIC.len())
            .is_some_and(|range| self.content[range] == *MAGIC)
    }
}

impl Section {
    /// Reads a section as of one layout; `None` unless it fits to its end. Counts in it allocate nothing: each thing
    /// that is counted takes bytes, and a lie ends with them.
    fn read(content: &[u8], place: &Range<usize>, layout: &Layout) -> Option<Self> {
        let mut cursor = Cursor {
            content,
            at: place.start + MAGIC.len(),
            end: place.end,
        };
        let settings = cursor.part(8)?;
        let packages = cursor.part(8)?;
        let (modules, redirects) = match layout.modules {
            Modules::Numbered => numbered(&mut cursor)?,
            Modules::Placed => by_place(&mut cursor, true)?,
            Modules::Code => {
                let whole = cursor.part(8)?;
                by_place(&mut cursor.within(whole), false)?
            }
        };
        let index = cursor.part(8)?;
        if !matches!(content.get(index.start), Some(b'[' | b'{')) {
            return None;
        }
        let files = cursor.part(8)?;
        let mut maps = Vec::new();
        if layout.has_maps {
            for _ in 0..cursor.number(4)? {
                maps.push((cursor.text()?, cursor.part(4)?));
            }
        }
        let fits = cursor.is_mark() && content[cursor.at..place.end].iter().all(|byte| *byte == 0);
        fits.then_some(Self {
            settings,
            packages,
            modules,
            redirects,
            index,
            files,
            maps,
        })
    }

    fn list(self, content: &Bytes, place: &Range<usize>, list: &mut Listed) {
        // All but the files is read from front to back without a gap.
        list.claim(&(place.start..self.files.start));
        list.claim(&(self.files.end..place.end));
        for _ in 0..self.redirects {
            list.other("redirect");
        }
        let index = Index::read(content.slice(self.index.clone()));
        index.list(&self.files, list);
        for module in self.modules {
            let Module {
                url,
                data,
                code,
                map,
                exports,
            } = module;
            list.member(url.clone(), data);
            belongings(list, &url, [code, map, exports]);
        }
        for (url, range) in self.maps {
            belongings(list, &url, [None, Some(range), None]);
        }
        for region in [self.settings, self.packages] {
            if !region.is_empty() {
                list.region(region);
            }
        }
    }
}

/// Adds what Deno made of a file or module: the code that runs, its map, and what it exports.
///
/// The code is called as the file with `.js` behind it and the map as the code with `.map`, as a tool that writes files
/// would; neither name is in the executable.
fn belongings(list: &mut Listed, name: &[u8], [code, map, exports]: [Option<Range<usize>>; 3]) {
    if let Some(range) = code {
        list.member([name, b".js"].concat(), range);
    }
    if let Some(range) = map {
        list.member([name, b".js.map"].concat(), range);
    }
    if let Some(range) = exports {
        list.region(range);
    }
}

fn numbered(cursor: &mut Cursor<'_>) -> Option<(Vec<Module>, u64)> {
    const HAS_CODE: u8 = 1;
    const HAS_MAP: u8 = 1 << 1;
    const HAS_EXPORTS: u8 = 1 << 2;
    let mut urls = Vec::new();
    for _ in 0..cursor.number(4)? {
        let url = cursor.text()?;
        urls.push((cursor.number(4)?, url));
    }
    // Where two URLs have one number, the first is meant.
    urls.sort_by_key(|(number, _)| *number);
    let redirects = cursor.number(4)?;
    for _ in 0..redirects {
        cursor.take(8)?;
    }
    let mut modules = Vec::new();
    for _ in 0..cursor.number(4)? {
        let number = cursor.number(4)?;
        let _media_type = cursor.byte()?;
        let data = cursor.part(4)?;
        let flags = cursor.byte()?;
        let at = urls.partition_point(|(known, _)| *known < number);
        let named = urls.get(at).filter(|(known, _)| *known == number);
        modules.push(Module {
            url: named.map_or_else(|| number.to_string().into_bytes(), |(_, url)| url.clone()),
            data,
            code: cursor.part_if(flags & HAS_CODE != 0)?,
            map: cursor.part_if(flags & HAS_MAP != 0)?,
            exports: cursor.part_if(flags & HAS_EXPORTS != 0)?,
        });
    }
    Some((modules, redirects))
}

/// Reads URLs with offsets and the modules behind them: with the code that runs and shorter lengths, or without.
fn by_place(cursor: &mut Cursor<'_>, has_code: bool) -> Option<(Vec<Module>, u64)> {
    let count = cursor.number(4)?;
    let redirects = cursor.number(4)?;
    let mut urls = Vec::new();
    for _ in 0..count {
        let url = cursor.text()?;
        urls.push((cursor.number(8)?, url));
    }
    for _ in 0..redirects {
        cursor.part(4)?;
        cursor.part(4)?;
    }
    let whole = match has_code {
        true => cursor.part(8)?,
        false => cursor.at..cursor.end,
    };
    let mut inner = cursor.within(whole.clone());
    urls.sort_by_key(|(offset, _)| *offset);
    let mut modules = Vec::new();
    for (offset, url) in urls {
        // They stand without a gap, or the layout is another.
        if offset != (inner.at - whole.start) as u64 {
            return None;
        }
        let _media_type = inner.byte()?;
        let data = inner.part(if has_code { 4 } else { 8 })?;
        let code = match has_code.then(|| inner.byte()) {
            None => None,
            Some(flag) => match flag? {
                0 => None,
                1 => Some(inner.part(4)?),
                _ => return None,
            },
        };
        modules.push(Module {
            url,
            data,
            code,
            map: None,
            exports: None,
        });
    }
    (inner.at == inner.end).then_some((modules, redirects))
}

// ------------------------------------------------------------------------------------------------- its files

/// A place among the files: offset and length.
type Extent = (u64, u64);

/// A file of the index.
#[derive(Default)]
struct File {
    path: Vec<u8>,
    data: Option<Extent>,
    code: Option<Extent>,
    map: Option<Extent>,
    exports: Option<Extent>,
}

impl File {
    /// Notes the place that the index has under `key`.
    fn put(&mut self, key: &[u8], extent: Extent) {
        match key {
            b"o" => self.data = Some(extent),
            b"m" => self.code = Some(extent),
            b"s" => self.map = Some(extent),
            b"c" => self.exports = Some(extent),
            _ => {}
        }
    }
}

/// What the index says.
#[derive(Default)]
struct Index {
    files: Vec<File>,
    folders: usize,
    links: usize,
    is_damaged: bool,
    is_too_deep: bool,
}

/// An object of the index that is open.
enum Open {
    Folder {
        /// Length of the path before this folder's name.
        path_len: usize,
    },
    File(File, Vec<u8>),
    /// A place within a file, by the key before it: in older versions an object, in newer ones a list.
    Place(Bytes, Extent),
    Link,
    /// The object around one of these, or something that is not known.
    Around,
}

impl Index {
    /// Reads the index token by token: a fault in it hides nothing that stands before it.
    fn read(document: Bytes) -> Self {
        let mut index = Self::default();
        let mut tokens = Tokens::new(document);
        let (mut path, mut open) = (Vec::<u8>::new(), Vec::<Open>::new());
        let mut folders = 0;
        let (mut key, mut list_key) = (None::<Bytes>, None::<Bytes>);
        let mut numbers = Vec::<u64>::new();
        for token in tokens.by_ref() {
            match token {
                Token::Key(raw) => key = Some(raw),
                Token::Open(Shape::Array) => {
                    list_key = key.take();
                    numbers.clear();
                }
                Token::Close(Shape::Array) => {
                    if let (Some(Open::File(file, _)), [offset, len], Some(key)) =
                        (open.last_mut(), &numbers[..], list_key.take())
                    {
                        file.put(&key, (*offset, *len));
                    }
                    numbers.clear();
                }
                Token::Open(Shape::Object) => {
                    let key = key.take();
                    open.push(match (open.last(), key) {
                        (Some(Open::File(..)), Some(key)) => Open::Place(key, (0, 0)),
                        (_, Some(key)) if key == "Dir" => {
                            folders += 1;
                            Open::Folder {
                                path_len: path.len(),
                            }
                        }
                        (_, Some(key)) if key == "File" => Open::File(File::default(), Vec::new()),
                        (_, Some(key)) if key == "Symlink" => Open::Link,
                        _ => Open::Around,
                    });
                }
                Token::Close(Shape::Object) => match open.pop() {
                    Some(Open::Folder { path_len }) => {
                        path.truncate(path_len);
                        folders -= 1;
                        index.folders += 1;
                    }
                    Some(Open::File(file, name)) => {
                        if folders > DEPTH_MAX || path.len() + name.len() > PATH_MAX {
                            index.is_too_deep = true;
                            continue;
                        }
                        let path = [&path[..], &name].concat();
                        index.files.push(File { path, ..file });
                    }
                    Some(Open::Place(key, extent)) => {
                        if let Some(Open::File(file, _)) = open.last_mut() {
                            file.put(&key, extent);
                        }
                    }
                    Some(Open::Link) => index.links += 1,
                    Some(Open::Around) => {}
                    None => index.is_damaged = true,
                },
                Token::Text(raw) => match (key.take().as_deref(), open.last_mut()) {
                    // A path beyond the limit stays as long as it is: what is below it has no path either.
                    (Some(b"n" | b"name"), Some(Open::Folder { .. }))
                        if folders <= DEPTH_MAX && path.len() <= PATH_MAX =>
                    {
                        path.extend_from_slice(&json::unescape(&raw));
                        path.push(b'/');
                    }
                    (Some(b"n" | b"name"), Some(Open::File(_, name))) => {
                        *name = json::unescape(&raw).into_owned();
                    }
                    _ => {}
                },
                Token::Word(word) => {
                    let number = json::number(&word);
                    match (key.take().as_deref(), open.last_mut(), number) {
                        (None, _, Some(number)) if numbers.len() < 3 => numbers.push(number),
                        (Some(b"offset"), Some(Open::File(file, _)), Some(number)) => {
                            file.data.get_or_insert_default().0 = number;
                        }
                        (Some(b"len"), Some(Open::File(file, _)), Some(number)) => {
                            file.data.get_or_insert_default().1 = number;
                        }
                        (Some(b"o"), Some(Open::Place(_, extent)), Some(number)) => {
                            extent.0 = number;
                        }
                        (Some(b"l"), Some(Open::Place(_, extent)), Some(number)) => {
                            extent.1 = number;
                        }
                        _ => {}
                    }
                }
            }
        }
        index.is_damaged |= tokens.is_cut || tokens.stray > 0 || !open.is_empty();
        index
    }

    fn list(self, files: &Range<usize>, list: &mut Listed) {
        (0..self.folders).for_each(|_| list.other("folder"));
        (0..self.links).for_each(|_| list.other("symlink"));
        if self.is_damaged {
            list.trouble(Trouble::odd(
                "deno-index-damaged",
                "the index of files is damaged; what no file claims is given as regions",
            ));
        }
        if self.is_too_deep {
            list.trouble(Trouble::odd(
                "name-too-long",
                format!("folders nest more than {DEPTH_MAX} deep, or paths are longer than {PATH_MAX} bytes; files there are given by their offsets"),
            ));
        }
        let mut lies = 0_u64;
        let mut range = |extent: Extent| {
            let start = usize::try_from(extent.0).ok()?.checked_add(files.start);
            let end = start?.checked_add(usize::try_from(extent.1).ok()?)?;
            (end <= files.end).then_some(start?..end)
        };
        for file in self.files {
            let mut place = |extent: Option<Extent>| {
                let found = extent.and_then(&mut range);
                lies += u64::from(extent.is_some() && found.is_none());
                found
            };
            // Older versions tell the code of every file, and it is the file itself where nothing was changed.
            let code = file.code.filter(|code| Some(*code) != file.data);
            let [data, code, map, exports] =
                [file.data, code, file.map, file.exports].map(&mut place);
            if let Some(data) = data {
                list.member(file.path.clone(), data);
            }
            belongings(list, &file.path, [code, map, exports]);
        }
        if lies > 0 {
            list.trouble(Trouble::odd(
                "deno-index-damaged",
                format!("{lies} places in the index are beyond the files; what no file claims is given as regions"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, elf_with_note, macho_with_section, pe_with_section, walk};
    use super::*;

    const SETTINGS: &[u8] = br#"{"argv":[],"entrypoint_key":"main.ts"}"#;

    fn long(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u64).to_le_bytes(), bytes].concat()
    }

    fn short(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u32).to_le_bytes(), bytes].concat()
    }

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    fn section(modules: &[u8], index: &str, files: &[u8], behind: &[u8]) -> Vec<u8> {
        [
            MAGIC,
            &long(SETTINGS),
            &long(b"NPM"),
            modules,
            &long(index.as_bytes()),
            &long(files),
            behind,
            MAGIC,
        ]
        .concat()
    }

    const INDEX: &str = r#"[{"Dir":{"n":"lib","e":[{"File":{"n":"u.ts","o":[0,4],"u":true,"m":[4,3],"s":[7,2],"t":1}},{"Symlink":{"n":"l","p":["lib","u.ts"]}}]}},{"File":{"n":"main.ts","o":[9,5],"c":[14,2]}}]"#;
    const FILES: &[u8] = b"u=1;u=1{}main;[]rest";

    /// As Deno 2.9 lays it, with a module of the network that has everything and a redirect to it.
    fn newest() -> Vec<u8> {
        let modules = [
            &numbers(&[2])[..],
            &short(b"https://a.example/m.ts"),
            &numbers(&[7]),
            &short(b"https://a.example/m"),
            &numbers(&[8]),
            &numbers(&[1, 8, 7]),
            &numbers(&[1, 7]),
            b"\x04",
            &short(b"m:T"),
            &[0b1111],
            &short(b"m"),
            &short(b"{}"),
            &short(b"\"Esm\""),
        ]
        .concat();
        section(&modules, INDEX, FILES, b"")
    }

    /// As Deno 2.1.0 lays it.
    fn oldest() -> Vec<u8> {
        let urls = [
            &numbers(&[1, 1])[..],
            &short(b"https://a.example/m.ts"),
            &0_u64.to_le_bytes(),
            &short(b"https://a.example/m"),
            &short(b"https://a.example/m.ts"),
        ]
        .concat();
        let data = [b"\x04", &long(b"m")[..]].concat();
        let index = r#"{"name":"root","entries":[{"Dir":{"name":"app","entries":[{"File":{"name":"main.ts","offset":0,"len":4}}]}}]}"#;
        section(&long(&[urls, data].concat()), index, b"main", b"")
    }

    fn at_end(section: &[u8], width: usize) -> Vec<u8> {
        let mut exe = [b"\x7fELF the runtime", section].concat();
        exe.extend((TRAILER_MARK as u32).to_le_bytes());
        exe.extend([0xa7, 2, 0, 0]);
        let len = (section.len() + 8 + width) as u64;
        exe.extend(&len.to_le_bytes()[..width]);
        exe
    }

    fn in_note(section: &[u8]) -> Vec<u8> {
        elf_with_note(b"SUI", &[&[8, 0], MAGIC, section].concat())
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(Deno.recognise(bytes));
        walk(&Deno, bytes, &Limits::default()).expect("it opens")
    }

    fn named(seen: &Seen) -> Vec<(&str, &[u8])> {
        seen.members
            .iter()
            .filter(|(name, _)| !name.starts_with('@'))
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect()
    }

    fn regions(seen: &Seen) -> Vec<&[u8]> {
        let regions = seen
            .members
            .iter()
            .filter(|(name, _)| name.starts_with('@'));
        regions.map(|(_, bytes)| bytes.as_slice()).collect()
    }

    #[test]
    fn files_and_modules_come_out_with_what_belongs_to_them() {
        let found = seen(&in_note(&newest()));
        let expected: [(&str, &[u8]); 7] = [
            ("lib/u.ts", b"u=1;"),
            ("lib/u.ts.js", b"u=1"),
            ("lib/u.ts.js.map", b"{}"),
            ("main.ts", b"main;"),
            ("https://a.example/m.ts", b"m:T"),
            ("https://a.example/m.ts.js", b"m"),
            ("https://a.example/m.ts.js.map", b"{}"),
        ];
        assert_eq!(named(&found), expected);
        for region in [SETTINGS, b"NPM", b"[]", b"rest", b"\"Esm\""] {
            assert!(regions(&found).contains(&region), "{region:?}");
        }
        for other in ["folder", "symlink", "redirect"] {
            assert!(found.others.contains(&other), "{other}");
        }
        assert!(found.codes.is_empty());
    }

    #[test]
    fn older_layouts_are_told_by_what_fits() {
        let found = seen(&at_end(&oldest(), 4));
        let expected: [(&str, &[u8]); 2] =
            [("app/main.ts", b"main"), ("https://a.example/m.ts", b"m")];
        assert_eq!(named(&found), expected);
        let urls = [&numbers(&[1, 0])[..], &short(b"u"), &0_u64.to_le_bytes()].concat();
        let data = [b"\x04", &short(b"T")[..], b"\x01", &short(b"J")].concat();
        let maps = [&numbers(&[1])[..], &short(b"u"), &short(b"{}")].concat();
        let middle = section(
            &[urls, long(&data)].concat(),
            r#"[{"File":{"n":"a.ts","o":{"o":0,"l":1},"m":{"o":1,"l":1}}},{"File":{"n":"b","o":{"o":1,"l":1},"m":{"o":1,"l":1}}}]"#,
            b"ab",
            &maps,
        );
        let found = seen(&at_end(&middle, 8));
        let expected: [(&str, &[u8]); 6] = [
            ("a.ts", b"a"),
            ("a.ts.js", b"b"),
            ("b", b"b"),
            ("u", b"T"),
            ("u.js", b"J"),
            ("u.js.map", b"{}"),
        ];
        assert_eq!(named(&found), expected);
    }

    #[test]
    fn it_is_found_wherever_a_system_has_it() {
        let section = newest();
        let marked = {
            let mut exe = macho_with_section(b"__TEXT", b"__text", b"the runtime");
            exe.extend(INTEL_MARK);
            exe.extend(long(&section));
            exe
        };
        for exe in [
            at_end(&section, 4),
            at_end(&section, 8),
            macho_with_section(b"__SUI", MAGIC, &section),
            marked,
        ] {
            assert_eq!(named(&seen(&exe)).len(), 7);
        }
        assert!(!Deno.recognise(&pe_with_section(b".rsrc", &section)));
        assert!(!Deno.recognise(&section));
        assert!(!Deno.recognise(&elf_with_note(b"SUI", b"something else")));
    }

    #[test]
    fn a_section_that_nothing_fits_is_a_region() {
        let mut exe = at_end(&newest(), 8);
        let at = memchr::memmem::find(&exe, b"NPM").expect("it is there");
        exe[at - 8] = 0xff;
        let found = seen(&exe);
        assert!(named(&found).is_empty());
        assert_eq!(found.codes, ["deno-layout-unknown"]);
        assert!(
            regions(&found)
                .iter()
                .any(|region| region.starts_with(MAGIC))
        );
    }

    #[test]
    fn an_index_that_lies_costs_no_bytes() {
        let index = r#"[{"File":{"n":"a","o":[9000000000000000000,9000000000000000000]}},{"File":{"n":"b","o":[3,2]}}]"#;
        let found = seen(&in_note(&section(
            &numbers(&[0, 0, 0]),
            index,
            b"abcd",
            b"",
        )));
        assert!(named(&found).is_empty());
        assert_eq!(found.codes, ["deno-index-damaged"]);
        assert!(regions(&found).contains(&&b"abcd"[..]));
        let cut = seen(&in_note(&section(
            &numbers(&[0, 0, 0]),
            r#"[{"File":{"n":"a","o":[0,4]}},{"Dir":{"n":"#,
            b"abcd",
            b"",
        )));
        assert_eq!(named(&cut), [("a", &b"abcd"[..])]);
        assert_eq!(cut.codes, ["deno-index-damaged"]);
    }

    #[test]
    fn deep_nesting_ends_and_loses_no_bytes() {
        let depth = 20_000;
        let index = r#"[{"Dir":{"n":"x","e":"#.repeat(depth)
            + r#"[{"File":{"n":"a","o":[0,4]}}]"#
            + &"}}]".repeat(depth);
        let found = seen(&in_note(&section(
            &numbers(&[0, 0, 0]),
            &index,
            b"abcd",
            b"",
        )));
        assert_eq!(found.codes, ["name-too-long"]);
        assert!(regions(&found).contains(&&b"abcd"[..]));
    }

    proptest! {
        #[test]
        fn damage_never_panics(is_old in any::<bool>(), flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), cut in any::<prop::sample::Index>()) {
            let mut exe = if is_old { at_end(&oldest(), 4) } else { in_note(&newest()) };
            for (at, byte) in flips {
                let at = at.index(exe.len());
                exe[at] = byte;
            }
            exe.truncate(exe.len() - cut.index(exe.len()) / 4);
            let _ = walk(&Deno, &exe, &Limits::default());
        }

        #[test]
        fn damage_in_the_section_loses_no_byte_of_its_files(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)) {
            let mut section = newest();
            for (at, byte) in flips {
                let at = MAGIC.len() + 9 + at.index(section.len() - MAGIC.len() - 9);
                section[at] = byte;
            }
            let found = seen(&in_note(&section));
            // The files are read whole, in pieces or as part of the section: no byte value of them may be missing.
            let given: Vec<u8> = found.members.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
            let there = section.iter().rev().skip(MAGIC.len()).take(FILES.len());
            for byte in there.filter(|byte| **byte != 0) {
                prop_assert!(given.contains(byte));
            }
        }
    }
}
