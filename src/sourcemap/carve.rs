//! Maps inside other texts: in a script that holds one as an object, in a log, in a JSON document, in a memory dump.
//!
//! What gives such a map away is its `sourcesContent`, which next to nothing else has. From there the object is looked
//! for that it stands in: back to a `{` with a key of a map behind it, from which [`scan`](super::scan()) reads on past
//! the place. A map that was put into a JSON string (a document within a document) has its quotes escaped; there the
//! string is taken, and what it says goes round again.
//!
//! Left out: maps without contents, which give nothing away here that their names in clear text do not; index maps as a
//! whole, whose sections are found one by one; maps in YAML or in other notations.

use memchr::{memchr, memmem, memrchr};

use super::eval;
use super::scan;

/// A map in a text, or a string that may hold one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carved {
    /// Offset of its first byte.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
    /// It is the inside of a string, with escapes.
    pub is_string: bool,
}

/// What was found in a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Maps, in order. They do not overlap.
    pub maps: Vec<Carved>,
    /// Where the search ended early: the text is full of what looks like the beginning of a map and is none.
    pub stopped_at: Option<usize>,
}

/// The word by which maps are found.
const WORD: &[u8] = b"sourcesContent";
/// Bytes that may be read of things that turn out to be no map, for each byte of the text. Each place is looked at
/// once; only objects within objects are read more than once.
const READING: usize = 4;
/// Objects with another first key that are tried for one place.
const STRANGE_MAX: usize = 16;

/// Finds the maps in a text. Takes linear time, whatever the text holds.
pub fn maps(text: &[u8]) -> Found {
    let mut found = Found::default();
    let mut search = Search {
        text,
        from: 0,
        budget: text.len().saturating_mul(READING).saturating_add(1 << 20),
    };
    for at in memmem::find_iter(text, WORD) {
        if at < search.from {
            continue;
        }
        let carved = match quoted(text, at) {
            Some(false) => search.around(at),
            Some(true) => search.string_around(at),
            None => None,
        };
        if search.budget == 0 {
            found.stopped_at = Some(at);
            break;
        }
        match carved {
            Some((carved, has_content)) => {
                search.from = carved.offset + carved.len;
                found.maps.extend(has_content.then_some(carved));
            }
            // What reaches to this place from before it would have been found.
            None => search.from = at + WORD.len(),
        }
    }
    found
}

/// A map, and whether it holds content.
type Candidate = (Carved, bool);

struct Search<'a> {
    text: &'a [u8],
    /// Where the text begins that belongs to nothing yet.
    from: usize,
    /// Bytes that may still be read for nothing.
    budget: usize,
}

impl Search<'_> {
    /// The map that the key at `at` stands in.
    fn around(&mut self, at: usize) -> Option<Candidate> {
        let mut strange = Vec::new();
        let mut end = at;
        while let Some(found) = memrchr(b'{', self.text.get(self.from..end)?) {
            let offset = self.from + found;
            end = offset;
            match first_key(self.text.get(offset + 1..)?) {
                Some(true) => match self.map_at(offset, at, false) {
                    None if self.budget > 0 => {}
                    outcome => return outcome,
                },
                Some(false) if strange.len() < STRANGE_MAX => strange.push(offset),
                _ => {}
            }
        }
        strange
            .into_iter()
            .find_map(|offset| self.map_at(offset, at, true))
    }

    /// The map that begins at `offset` and reaches beyond `at`, if there is one. A `strange` one must be in order, for
    /// its `{` may as well stand in a text of the map.
    fn map_at(&mut self, offset: usize, at: usize, strange: bool) -> Option<Candidate> {
        if let Some(literal) = self.literal_at(offset, at) {
            return Some((literal, true));
        }
        let map = scan::scan(self.text.get(offset..)?);
        let read = match &map {
            Ok(map) => map.end,
            Err(scan::NotAMap::NoMapKeys { end, .. }) => *end,
            Err(_) => 0,
        };
        match map {
            Ok(map)
                if offset + map.end > at
                    && !(strange && map.oddity(scan::OddityKind::Misplaced).is_some()) =>
            {
                let carved = Carved {
                    offset,
                    len: map.end,
                    is_string: false,
                };
                Some((carved, map.with_content() > 0))
            }
            _ => {
                self.budget = self.budget.saturating_sub(read.max(1));
                None
            }
        }
    }

    /// The string in quotes of a script that `{` at `offset` begins, where it reaches beyond `at`: code writes so what
    /// it will parse, and only backslashes are doubled then.
    fn literal_at(&self, offset: usize, at: usize) -> Option<Carved> {
        let before = self.text.get(..offset)?.trim_ascii_end();
        let quote = *before
            .last()
            .filter(|quote| matches!(**quote, b'\'' | b'`'))?;
        let inside = self.text.get(before.len()..)?;
        let end = before.len() + eval::literal_len(inside, quote).unwrap_or(inside.len());
        (end > at).then_some(Carved {
            offset: before.len(),
            len: end - before.len(),
            is_string: true,
        })
    }

    /// The string that the escaped key at `at` stands in.
    fn string_around(&self, at: usize) -> Option<Candidate> {
        let before = self.text.get(self.from..at)?;
        let (quote, start) = unescaped_quote(before)
            .map(|found| (b'"', found + 1))
            .or_else(|| {
                // Single quotes stand in all texts: here only where an object begins behind one.
                let find = |word: &[u8]| Some(memmem::rfind(before, word)? + 1);
                find(b"'{\\\"")
                    .map(|start| (b'\'', start))
                    .or_else(|| find(b"`{\\\"").map(|start| (b'`', start)))
            })?;
        let offset = self.from + start;
        let inside = self.text.get(offset..)?;
        let len = eval::literal_len(inside, quote).unwrap_or(inside.len());
        let carved = Carved {
            offset,
            len,
            is_string: true,
        };
        (offset + len > at).then_some((carved, true))
    }
}

/// The last double quote that no backslash stands before.
fn unescaped_quote(text: &[u8]) -> Option<usize> {
    let mut end = text.len();
    loop {
        let quote = memrchr(b'"', text.get(..end)?)?;
        if quote == 0 || text.get(quote - 1) != Some(&b'\\') {
            return Some(quote);
        }
        end = quote;
    }
}

/// Whether the word at `at` is a key whose value is a list, and if so, whether its quotes are escaped.
fn quoted(text: &[u8], at: usize) -> Option<bool> {
    let before = text.get(..at)?.strip_suffix(b"\"")?;
    let behind = text.get(at + WORD.len()..)?;
    // Each string within a string doubles the backslashes.
    let is_escaped = before.last() == Some(&b'\\');
    let escapes = behind.iter().take_while(|&&byte| byte == b'\\').count();
    let quote = behind.get(escapes..)?.strip_prefix(b"\"")?;
    let colon = quote.trim_ascii_start();
    let value = colon.strip_prefix(b":")?.trim_ascii_start();
    value.starts_with(b"[").then_some(is_escaped)
}

/// Whether the inside of an object begins with a key of a map; `None` where it begins with no key at all.
fn first_key(inside: &[u8]) -> Option<bool> {
    const KEYS: [&[u8]; 9] = [
        b"version",
        b"file",
        b"sources",
        b"sourcesContent",
        b"sourceRoot",
        b"names",
        b"mappings",
        b"debugId",
        b"debug_id",
    ];
    let key = inside.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr(b'"', key.get(..64).unwrap_or(key))?;
    Some(KEYS.contains(&&key[..end]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAP: &str =
        r#"{"version":3,"sources":["a{"],"sourcesContent":["{\"x\":1}"],"mappings":"AAAA"}"#;

    fn pieces(text: &str) -> Vec<&str> {
        maps(text.as_bytes())
            .maps
            .iter()
            .map(|carved| &text[carved.offset..carved.offset + carved.len])
            .collect()
    }

    #[test]
    fn maps_are_found_in_code_in_logs_and_in_documents() {
        for (before, behind) in [
            ("module.exports = ", ";\n"),
            ("12:00 wrote {\"id\": 7} ", " in 3 ms"),
            (r#"{"files":{"a.js":1},"map":"#, "}"),
            ("\0\u{1}dump ", "\0\0"),
            ("{{{{ {\"version\": 1} ", ""),
        ] {
            assert_eq!(pieces(&format!("{before}{MAP}{behind}")), [MAP], "{before}");
        }
        let two = format!("[{MAP},{MAP}]");
        assert_eq!(pieces(&two), [MAP, MAP]);
    }

    #[test]
    fn a_map_in_a_string_is_the_string() {
        let once = serde_json::to_string(MAP).unwrap();
        let text = format!(r#"{{"map":{once},"b":1}}"#);
        let found = maps(text.as_bytes()).maps;
        assert_eq!(found.len(), 1);
        assert!(found[0].is_string);
        assert_eq!(pieces(&text), [&once[1..once.len() - 1]]);
    }

    #[test]
    fn a_map_in_quotes_of_a_script_is_what_the_script_reads() {
        let map =
            r#"{"version":3,"sources":["a"],"sourcesContent":["it's\n\"x\"\n"],"mappings":"AAAA"}"#;
        let written = map.replace('\\', "\\\\").replace('\'', "\\'");
        for text in [
            format!("e.exports=JSON.parse('{written}')"),
            format!("e.exports=JSON.parse(' {written}')"),
            format!("e.exports=JSON.parse(`{written}`)"),
            format!("e.exports=JSON.parse('{}')", written.replace('"', "\\\"")),
        ] {
            let found = maps(text.as_bytes()).maps;
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].is_string);
            let raw = &text.as_bytes()[found[0].offset..found[0].offset + found[0].len];
            let read = eval::Module { offset: 0, raw }.text();
            assert_eq!(read.trim_ascii(), map.as_bytes(), "{text}");
        }
    }

    #[test]
    fn maps_without_content_and_strange_keys_hide_no_map() {
        let without = r#"{"version":3,"sources":["a"],"sourcesContent":[null],"mappings":""}"#;
        assert_eq!(pieces(&format!("x {}{MAP}", without.repeat(50))), [MAP]);
        let strange = MAP.replacen('{', r#"{"$schema":"x","x_google_ignoreList":[],"#, 1);
        assert_eq!(pieces(&format!("log {strange} end")), [strange]);
    }

    #[test]
    fn a_text_full_of_beginnings_is_given_up_in_linear_time() {
        let nested = r#"{"version":"#.repeat(200_000);
        let text = format!(r#"{nested} "sourcesContent":[ {MAP}"#);
        assert!(maps(text.as_bytes()).stopped_at.is_some());
        for word in [
            r#"\"sourcesContent\":["#,
            r#""sourcesContent":["#,
            "{\"sourcesContent\":[1]}",
        ] {
            maps(word.repeat(200_000).as_bytes());
        }
    }

    #[test]
    fn the_word_alone_is_no_map() {
        for text in [
            "map.sourcesContent = []",
            r#"if ("sourcesContent" in map) {}"#,
            r#"{"sourcesContent": null}"#,
            r#"{"a": {"sourcesContent": []}}"#,
            r#"{"sourcesContent": [null]}"#,
        ] {
            assert_eq!(pieces(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_map_that_is_cut_is_found_to_its_end() {
        let cut = &MAP[..MAP.len() - 30];
        assert_eq!(pieces(&format!("x = {cut}")), [cut]);
    }

    proptest! {
        #[test]
        fn any_text_gives_pieces_within_it_that_do_not_overlap(
            text in r#"([{}\[\]",: ]|\\"|sourcesContent|"sourcesContent":\["|"version":3|mappings){0,40}"#
        ) {
            let mut from = 0;
            for carved in maps(text.as_bytes()).maps {
                prop_assert!(carved.offset >= from && carved.len > 0);
                from = carved.offset + carved.len;
                prop_assert!(from <= text.len());
            }
        }
    }
}
