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

use super::scan;
use super::unescape::closing_quote;

/// A map in a text, or a string that may hold one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carved {
    /// Offset of its first byte.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
    /// It is the inside of a JSON string, with escapes.
    pub is_string: bool,
}

/// The word by which maps are found.
const WORD: &[u8] = b"sourcesContent";
/// Objects that turn out to be no map before the search ends: damaged and hostile texts may have any number.
const FAILURES_MAX: usize = 256;
/// Brackets that are looked at for one place.
const BRACKETS_MAX: usize = 1 << 16;

/// Finds the maps in a text, in order. They do not overlap.
pub fn maps(text: &[u8]) -> Vec<Carved> {
    let mut found: Vec<Carved> = Vec::new();
    let mut from = 0;
    let mut failures = 0;
    for at in memmem::find_iter(text, WORD) {
        if at < from || failures > FAILURES_MAX {
            continue;
        }
        let carved = match quoted(text, at) {
            Some(false) => around(text, from, at, &mut failures),
            Some(true) => string_around(text, from, at),
            None => None,
        };
        if let Some(carved) = carved {
            from = carved.offset + carved.len;
            found.push(carved);
        }
    }
    found
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

/// The map that the key at `at` stands in; it begins at `from` or behind.
fn around(text: &[u8], from: usize, at: usize, failures: &mut usize) -> Option<Carved> {
    let mut end = at;
    for _ in 0..BRACKETS_MAX {
        let offset = from + memrchr(b'{', text.get(from..end)?)?;
        end = offset;
        if !begins_a_map(text.get(offset + 1..)?) {
            continue;
        }
        match scan::scan(text.get(offset..)?) {
            Ok(map) if offset + map.end > at && map.with_content() > 0 => {
                return Some(Carved {
                    offset,
                    len: map.end,
                    is_string: false,
                });
            }
            _ => *failures += 1,
        }
        if *failures > FAILURES_MAX {
            return None;
        }
    }
    None
}

/// Whether the inside of an object begins with a key of a map.
fn begins_a_map(inside: &[u8]) -> bool {
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
    let Some(key) = inside.trim_ascii_start().strip_prefix(b"\"") else {
        return false;
    };
    let end = memchr(b'"', key.get(..16).unwrap_or(key));
    end.is_some_and(|end| KEYS.contains(&&key[..end]))
}

/// The JSON string that the escaped key at `at` stands in.
fn string_around(text: &[u8], from: usize, at: usize) -> Option<Carved> {
    let mut end = at;
    loop {
        let quote = from + memrchr(b'"', text.get(from..end)?)?;
        end = quote;
        if quote > 0 && text.get(quote - 1) == Some(&b'\\') {
            continue;
        }
        let offset = quote + 1;
        let end = closing_quote(text, offset).unwrap_or(text.len());
        return (end > at).then_some(Carved {
            offset,
            len: end - offset,
            is_string: true,
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAP: &str =
        r#"{"version":3,"sources":["a{"],"sourcesContent":["{\"x\":1}"],"mappings":"AAAA"}"#;

    fn pieces(text: &str) -> Vec<&str> {
        maps(text.as_bytes())
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
        let found = maps(text.as_bytes());
        assert_eq!(found.len(), 1);
        assert!(found[0].is_string);
        assert_eq!(pieces(&text), [&once[1..once.len() - 1]]);
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
            for carved in maps(text.as_bytes()) {
                prop_assert!(carved.offset >= from && carved.len > 0);
                from = carved.offset + carved.len;
                prop_assert!(from <= text.len());
            }
        }
    }
}
