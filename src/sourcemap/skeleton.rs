//! Skeletons: what is left of a source whose text is in no map.
//!
//! Mappings say from which line and column of a source each piece of the generated code came, and often what it was
//! called there. Laid out at those places, under those names, the generated code shows the shape of the lost file:
//! its functions and their order, property names, strings, numbers, what it calls. Comments, types, and all that a
//! minifier folded away are gone.
//!
//! A skeleton is no source and must never be taken for one. Not one byte of it is evidence of what the source said,
//! though each piece of it is evidence of what the bundle says and of where the map puts that.
//!
//! How a line is laid out: each piece begins at its column. Its first token stands whole, since it is what the map
//! speaks of; what follows in the generated code stands as far as there is room before the next piece. Where two
//! pieces claim one place, one with a name goes before one without, and else the first in the code.
//!
//! A map can claim any line and column, and the same code any number of times, so that text could be made without
//! end: places beyond [`LINE_MAX`] and [`COLUMN_MAX`] are left out, and there is room for so many bytes and no more. A
//! skeleton that ends for want of room says so.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::mapped::{Segment, segments};
use super::scan::{self, Part, strings_of};
use super::{Content, MapScan, utf16};
use crate::blob::url::name_without_passwords;

/// Lines of one skeleton, at most.
pub const LINE_MAX: u32 = 1 << 20;
/// Columns of one skeleton, at most.
pub const COLUMN_MAX: u32 = 1 << 16;
/// Bytes that the skeletons of one map may have, for each byte of generated code and mappings: blanks make the most.
pub const ROOM_FACTOR: usize = 32;

/// The skeleton of one source, and which source that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skeleton {
    /// `sources[i]`; empty where it is null or no string.
    pub name: Vec<u8>,
    /// 1 for the first source of that name in the map, 2 for the second, …
    pub ordinal: u32,
    /// The `sourceRoot` in force.
    pub source_root: Option<Vec<u8>>,
    /// The generated code that is mapped to it, laid out.
    pub text: Vec<u8>,
    /// It ends before its end, for want of room.
    pub is_cut: bool,
}

/// Skeletons of all sources of a map that have no content in it, from the generated code that it belongs to. They take
/// at most `room` bytes.
pub fn of_missing(map: &[u8], generated: &[u8], room: usize) -> Vec<Skeleton> {
    let map = utf16::to_utf8(map).map_or(Cow::Borrowed(map), Cow::Owned);
    let Ok(scan) = scan::scan(&map) else {
        return Vec::new();
    };
    let is_missing = |slot: usize| {
        let source = scan.sources.get(slot);
        source.is_some_and(|source| source.content == Content::Missing)
    };
    if !(0..scan.sources.len()).any(is_missing) {
        return Vec::new();
    }
    let mut texts = lay_out(generated, &scan, is_missing, room);
    let mut ordinals: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut skeletons = Vec::new();
    for (slot, source) in scan.sources.iter().enumerate() {
        // As the map itself is read.
        let text = |string: super::RawString<'_>| {
            name_without_passwords(string.decode().bytes.into_owned())
        };
        let name = source.name.map(text).unwrap_or_default();
        let ordinal = ordinals.entry(name.clone()).or_insert(0);
        *ordinal += 1;
        if let Some(Drawn {
            text: drawn,
            is_cut,
        }) = texts.remove(&slot)
        {
            skeletons.push(Skeleton {
                is_cut,
                ordinal: *ordinal,
                source_root: source.source_root.map(text),
                name,
                text: drawn,
            });
        }
    }
    skeletons
}

/// A text that was laid out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// The text.
    pub text: Vec<u8>,
    /// It ends before its end, for want of room.
    pub is_cut: bool,
}

/// Lays out what the generated code holds of the sources that `wanted` tells by slot, in at most `room` bytes, and in
/// at most [`ROOM_FACTOR`] for each byte that there is. Sources that nothing is mapped to have no skeleton, and are not
/// in what comes back.
pub fn lay_out(
    generated: &[u8],
    map: &MapScan<'_>,
    wanted: impl Fn(usize) -> bool,
    room: usize,
) -> BTreeMap<usize, Drawn> {
    let lines: Vec<&[u8]> = generated.split(|&byte| byte == b'\n').collect();
    let mappings: usize = map.parts.iter().map(|part| part.mappings.raw.len()).sum();
    let mut room = room.min((generated.len() + mappings).saturating_mul(ROOM_FACTOR));
    let mut skeletons = BTreeMap::new();
    for part in &map.parts {
        let found = pieces(part, &lines, &wanted);
        let names = names_of(part, &found);
        for (slot, mut pieces) in found {
            pieces.sort_by_key(|piece| (piece.line, piece.column, piece.name.is_none()));
            pieces.dedup_by_key(|piece| (piece.line, piece.column));
            let drawn = draw(&pieces, &names, &mut room);
            if !drawn.text.is_empty() || drawn.is_cut {
                skeletons.insert(slot, drawn);
            }
        }
    }
    skeletons
}

/// A piece of generated code, and where it stood.
struct Piece<'a> {
    line: u32,
    column: u32,
    /// Index into the names of the part.
    name: Option<u32>,
    code: &'a [u8],
}

/// The pieces of each wanted source, by slot.
fn pieces<'a>(
    part: &Part<'_>,
    lines: &[&'a [u8]],
    wanted: &impl Fn(usize) -> bool,
) -> BTreeMap<usize, Vec<Piece<'a>>> {
    let mut found: BTreeMap<usize, Vec<Piece<'a>>> = BTreeMap::new();
    let mut of_line: Vec<Segment> = Vec::new();
    let mut take = |of_line: &mut Vec<Segment>| {
        let Some(number) = of_line.first().map(|segment| segment.line) else {
            return;
        };
        let column = if number == 0 { part.begins.1 } else { 0 };
        let number = usize::try_from(number.saturating_add(part.begins.0)).ok();
        let line = number.and_then(|number| lines.get(number)).copied();
        cut(
            line.unwrap_or_default(),
            column,
            of_line,
            |segment, code| {
                let Some(original) = segment.original else {
                    return;
                };
                let slot = part.slots.start.saturating_add(original.source as usize);
                let is_near = original.line < LINE_MAX && original.column < COLUMN_MAX;
                if is_near && slot < part.slots.end && wanted(slot) {
                    found.entry(slot).or_default().push(Piece {
                        line: original.line,
                        column: original.column,
                        name: original.name,
                        code,
                    });
                }
            },
        );
        of_line.clear();
    };
    segments(&part.mappings.decode().bytes, |segment| {
        if of_line.last().is_some_and(|last| last.line != segment.line) {
            take(&mut of_line);
        }
        of_line.push(segment);
    });
    take(&mut of_line);
    found
}

/// Cuts a line of generated code at the columns of its segments, which are in UTF-16 code units, `shift` of them
/// before the part begins.
fn cut<'a>(
    line: &'a [u8],
    shift: u64,
    segments: &mut [Segment],
    mut show: impl FnMut(&Segment, &'a [u8]),
) {
    segments.sort_by_key(|segment| segment.column);
    let mut columns = Columns::new(line);
    let mut next = segments
        .first()
        .map(|first| columns.byte(first.column + shift));
    for (index, segment) in segments.iter().enumerate() {
        let start = next.unwrap_or(line.len());
        next = segments
            .get(index + 1)
            .map(|behind| columns.byte(behind.column.saturating_add(shift)));
        let code = line.get(start..next.unwrap_or(line.len()));
        show(segment, code.unwrap_or_default().trim_ascii());
    }
}

/// Bytes of a line by column, asked in ascending order.
struct Columns<'a> {
    line: &'a [u8],
    is_ascii: bool,
    byte: usize,
    units: u64,
}

impl<'a> Columns<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self {
            line,
            is_ascii: line.is_ascii(),
            byte: 0,
            units: 0,
        }
    }

    /// The byte that a column begins at; the end of the line for those beyond.
    fn byte(&mut self, column: u64) -> usize {
        if self.is_ascii {
            return usize::try_from(column).map_or(self.line.len(), |at| at.min(self.line.len()));
        }
        while self.units < column && self.byte < self.line.len() {
            // A byte that continues a character has no column of its own; four bytes make two code units.
            let lead = self.line[self.byte];
            self.units += if lead >= 0xF0 { 2 } else { 1 };
            self.byte += 1;
            while self
                .line
                .get(self.byte)
                .is_some_and(|byte| byte & 0xC0 == 0x80)
            {
                self.byte += 1;
            }
        }
        self.byte
    }
}

/// The names that pieces have, by index.
fn names_of(part: &Part<'_>, found: &BTreeMap<usize, Vec<Piece<'_>>>) -> HashMap<u32, Vec<u8>> {
    let wanted: HashSet<u32> = found
        .values()
        .flatten()
        .filter_map(|piece| piece.name)
        .collect();
    strings_of(part.names.unwrap_or_default())
        .filter(|(index, _)| wanted.contains(index))
        .map(|(index, name)| (index, name.decode().bytes.into_owned()))
        .collect()
}

/// Draws pieces that are sorted by place. Stops where there is no more room.
fn draw(pieces: &[Piece<'_>], names: &HashMap<u32, Vec<u8>>, left: &mut usize) -> Drawn {
    let mut text = Vec::new();
    let mut is_cut = false;
    let (mut line, mut column) = (0_u32, 0_usize);
    for (index, piece) in pieces.iter().enumerate() {
        let mut tokens = Tokens { code: piece.code };
        let Some((first, _)) = tokens.next() else {
            continue;
        };
        let down = (piece.line - line) as usize;
        if down > 0 {
            (line, column) = (piece.line, 0);
        }
        let right = (piece.column as usize).saturating_sub(column);
        if text.len() + down + right + piece.code.len() >= *left {
            is_cut = true;
            break;
        }
        text.resize(text.len() + down, b'\n');
        text.resize(text.len() + right, b' ');
        let name = piece.name.and_then(|name| names.get(&name));
        let first = match name {
            Some(name) if is_name(first) && !name.is_empty() => name.as_slice(),
            _ => first,
        };
        column += right;
        column += put(&mut text, first);
        let room = pieces
            .get(index + 1)
            .filter(|next| next.line == piece.line)
            .map(|next| next.column as usize);
        for (token, blank) in tokens {
            let width = width(token) + usize::from(blank);
            if room.is_some_and(|room| column + width > room) {
                break;
            }
            if blank {
                text.push(b' ');
            }
            text.extend_from_slice(token);
            column += width;
        }
    }
    if !text.is_empty() {
        text.push(b'\n');
    }
    *left = left.saturating_sub(text.len());
    Drawn { text, is_cut }
}

/// Writes a token, with a blank before it where it would else run into a word. Gives the columns that it takes. A
/// line end within it (of a template or a hostile name) is written as an escape, so that lines keep their numbers.
fn put(text: &mut Vec<u8>, token: &[u8]) -> usize {
    let joins = text.last().is_some_and(|&byte| is_word(byte))
        && token.first().is_some_and(|&byte| is_word(byte));
    if joins {
        text.push(b' ');
    }
    let mut written = usize::from(joins);
    for (index, line) in token.split(|&byte| byte == b'\n').enumerate() {
        if index > 0 {
            text.extend_from_slice(b"\\n");
            written += 2;
        }
        text.extend_from_slice(line);
        written += width(line);
    }
    written
}

/// Columns that a text takes: UTF-16 code units.
fn width(text: &[u8]) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let leads = text.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
    leads + text.iter().filter(|&&byte| byte >= 0xF0).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

/// Whether a token may be called otherwise in the source: a word that is no number and no keyword.
fn is_name(token: &[u8]) -> bool {
    const KEYWORDS: [&[u8]; 36] = [
        b"async",
        b"await",
        b"break",
        b"case",
        b"catch",
        b"class",
        b"const",
        b"continue",
        b"debugger",
        b"default",
        b"delete",
        b"do",
        b"else",
        b"export",
        b"extends",
        b"finally",
        b"for",
        b"function",
        b"if",
        b"import",
        b"in",
        b"instanceof",
        b"let",
        b"new",
        b"return",
        b"static",
        b"super",
        b"switch",
        b"throw",
        b"try",
        b"typeof",
        b"var",
        b"void",
        b"while",
        b"with",
        b"yield",
    ];
    token
        .first()
        .is_some_and(|&byte| is_word(byte) && !byte.is_ascii_digit())
        && !KEYWORDS.contains(&token)
}

/// The tokens of a piece of code, and whether a blank stands before each. Tolerant: a string without an end reaches
/// to the end of the piece.
struct Tokens<'a> {
    code: &'a [u8],
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (&'a [u8], bool);

    fn next(&mut self) -> Option<Self::Item> {
        let code = self.code.trim_ascii_start();
        let blank = code.len() < self.code.len();
        let first = *code.first()?;
        let len = match first {
            b'"' | b'\'' | b'`' => {
                let mut at = 1;
                loop {
                    match code.get(at) {
                        None => break at.min(code.len()),
                        Some(b'\\') => at += 2,
                        Some(byte) if *byte == first => break at + 1,
                        Some(_) => at += 1,
                    }
                }
            }
            byte if is_word(byte) => code
                .iter()
                .position(|&byte| !is_word(byte))
                .unwrap_or(code.len()),
            _ => 1,
        };
        let (token, rest) = code.split_at(len.min(code.len()));
        self.code = rest;
        Some((token, blank))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scan;
    use super::*;

    fn one(generated: &str, names: &str, mappings: &str) -> String {
        let map = format!(
            r#"{{"version":3,"sources":["a","b"],"names":[{names}],"mappings":"{mappings}"}}"#
        );
        let scan = scan(map.as_bytes()).unwrap();
        let mut found = lay_out(generated.as_bytes(), &scan, |slot| slot == 0, usize::MAX);
        String::from_utf8(found.remove(&0).unwrap_or_default().text).unwrap()
    }

    #[test]
    fn tokens_stand_where_they_came_from_under_their_names() {
        // `function a(b){return b.c}` was `function area(box) {` and `  return box.size` on two lines.
        let text = one(
            "function a(b){return b.c}",
            r#""area","box""#,
            "AAAA,SAASA,EAAKC,GACZ,OAAOA",
        );
        assert_eq!(text, "function area(box){\n  return box.c}\n");
    }

    #[test]
    fn the_first_token_stands_whole_and_the_rest_as_far_as_there_is_room() {
        // Pieces `abc+def` at 0:0 and `g` at 0:5.
        assert_eq!(one("abc+def;g", "", "AAAA,QAAK"), "abc+ g\n");
        // A name that is longer than there is room pushes on.
        assert_eq!(one("a;b", r#""longer""#, "AAAAA,EAAC"), "longer b\n");
    }

    #[test]
    fn of_two_pieces_at_one_place_that_with_a_name_stands() {
        assert_eq!(one("a,b", r#""x""#, "AAAA,EAAAA"), "x\n");
    }

    #[test]
    fn columns_are_utf_16() {
        assert_eq!(one("'ä😀',b", "", "AAAA,MAAM"), "'ä😀',b\n");
        assert_eq!(one("'ä😀',b", "", "MAAA"), "b\n");
    }

    #[test]
    fn a_place_far_away_draws_no_blanks_without_end() {
        // Line 2^30.
        let mut far = b"AA".to_vec();
        super::super::vlq::encode(1 << 30, &mut far);
        far.push(b'A');
        assert_eq!(one("a", "", std::str::from_utf8(&far).unwrap()), "");
        let mut line = b"AA".to_vec();
        super::super::vlq::encode(1 << 19, &mut line);
        line.push(b'A');
        assert_eq!(one("a", "", std::str::from_utf8(&line).unwrap()), "");
    }

    #[test]
    fn what_is_cut_for_want_of_room_says_so() {
        // The same code for each of many sections.
        let section = r#"{"offset":{"line":0,"column":0},"map":{"version":3,"sources":["a"],"mappings":"AAAA"}}"#;
        let map = format!(
            r#"{{"version":3,"sections":[{}]}}"#,
            vec![section; 500].join(",")
        );
        let code = "call(1);".repeat(1_000);
        let scan = scan(map.as_bytes()).unwrap();
        let found = lay_out(code.as_bytes(), &scan, |_| true, usize::MAX);
        let bytes: usize = found.values().map(|drawn| drawn.text.len()).sum();
        assert!(bytes <= (code.len() + 2_000) * ROOM_FACTOR);
        assert_eq!(found.len(), 500);
        assert!(found.values().any(|drawn| drawn.is_cut));
    }

    #[test]
    fn strings_and_line_ends_keep_lines_in_their_place() {
        assert_eq!(one("`a ${b}`;c", "", "AAAA,SACA"), "`a ${b}`;\nc\n");
        assert_eq!(one("x", r#""y\nz""#, "AAAAA"), "y\\nz\n");
    }

    proptest! {
        #[test]
        fn any_map_and_any_code_give_a_bounded_text(code in "[a-z \"'`();\\\\\né😀]{0,60}", mappings in "[A-Ea-f+/,;]{0,80}") {
            let text = one(&code, r#""n","m""#, &mappings);
            prop_assert!(text.len() <= (code.len() + mappings.len()) * ROOM_FACTOR + 2);
        }
    }
}
