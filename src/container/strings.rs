//! The strings of a JSON document that is a container, beside those that are its members.
//!
//! A map holds names, addresses of sources and whatever a tool put under keys of its own; a capture of traffic holds headers
//! and queries. None of that is a member, and all of it may give something away. So it is handed out as plain text, unescaped,
//! piece by piece: each string on a line of its own, behind its key where it has one, as settings are written. Each knows where
//! it stands in the document.
//!
//! Nothing here needs a valid document: what stands between two quotes is a string.

use std::ops::Range;

use bytes::Bytes;

use super::json::unescape;

/// A piece ends behind the string with which it has as much text; bytes.
const PIECE: usize = 1 << 20;

/// Brackets within one another of which is known what opened them.
const DEPTH_MAX: usize = 64;

/// Strings of a document that are still to be handed out.
#[derive(Debug)]
pub struct Strings {
    document: Bytes,
    at: usize,
    end: usize,
    /// What stands between the quotes of members, ascending.
    members: std::iter::Peekable<std::vec::IntoIter<Range<usize>>>,
    /// Members stand behind `text` in what these keys open.
    bodies: &'static [&'static [u8]],
    /// Of each open bracket, whether one of them opened it.
    open: Vec<bool>,
    deeper: u64,
}

/// Text of some strings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// A line for each.
    pub text: Vec<u8>,
    /// Of each key and each string: where it begins in the text and in the document, and whether it has escapes there.
    places: Vec<(usize, usize, bool)>,
}

impl Piece {
    fn push(&mut self, raw: &[u8], from: usize) {
        let string = unescape(raw);
        let has_escapes = string.len() != raw.len();
        self.text.push(b'"');
        self.places.push((self.text.len(), from, has_escapes));
        self.text.extend_from_slice(&string);
        self.text.push(b'"');
    }
}

impl Strings {
    /// Of `document` between two places, without what stands in `members`.
    pub fn beside(document: Bytes, range: Range<usize>, mut members: Vec<Range<usize>>) -> Self {
        members.sort_unstable_by_key(|range| (range.start, range.end));
        let end = range.end.min(document.len());
        Self {
            document,
            at: range.start,
            end,
            members: members.into_iter().peekable(),
            bodies: &[],
            open: Vec::new(),
            deeper: 0,
        }
    }

    /// Of a document in which members stand behind `text` in what one of the keys opens.
    pub fn beside_bodies(document: Bytes, bodies: &'static [&'static [u8]]) -> Self {
        Self {
            bodies,
            ..Self::beside(document.clone(), 0..document.len(), Vec::new())
        }
    }

    /// Where in the document stands what stands at `at` in the text of a piece of it.
    pub fn place_of(&self, piece: &Piece, at: usize) -> usize {
        let index = piece.places.partition_point(|(start, ..)| *start <= at);
        let place = index
            .checked_sub(1)
            .and_then(|index| piece.places.get(index));
        let place = match place {
            Some(&(start, from, true)) => {
                from + written_before(self.document.get(from..).unwrap_or_default(), at - start)
            }
            Some(&(start, from, false)) => from + at - start,
            None => 0,
        };
        place.min(self.document.len())
    }

    /// The document.
    pub fn document(&self) -> &Bytes {
        &self.document
    }

    /// The next piece; `None` at the end.
    pub fn next_piece(&mut self) -> Option<Piece> {
        let mut piece = Piece::default();
        let document = self.document.clone();
        let mut key: Option<Range<usize>> = None;
        while piece.text.len() < PIECE
            && let Some(len) =
                memchr::memchr(b'"', document.get(self.at..self.end).unwrap_or_default())
        {
            let begins = self.at + len + 1;
            self.brackets(&document[self.at..begins], key.as_ref());
            if len > 0 && !is_colon(&document[self.at..begins - 1]) {
                key = None;
            }
            let (string, is_member) = self.string(begins);
            self.at = (string.end + 1).min(self.end);
            let rest = document.get(self.at..self.end).unwrap_or_default();
            let is_key = rest.trim_ascii_start().first() == Some(&b':');
            let is_body = self.open.last() == Some(&true)
                && key
                    .as_ref()
                    .is_some_and(|key| &document[key.clone()] == b"text");
            if is_key {
                key = Some(string);
                continue;
            }
            if !is_member && !is_body {
                if let Some(key) = key.take() {
                    piece.push(&document[key.clone()], key.start);
                    piece.text.extend_from_slice(b": ");
                }
                piece.push(&document[string.clone()], string.start);
                piece.text.push(b'\n');
            }
            key = None;
        }
        (!piece.text.is_empty()).then_some(piece)
    }

    /// What stands between the quote before `begins` and the next one that ends it; and whether it is a member.
    fn string(&mut self, begins: usize) -> (Range<usize>, bool) {
        while (self.members.next_if(|member| member.start < begins)).is_some() {}
        if let Some(member) = self.members.next_if(|member| member.start == begins) {
            return (member, true);
        }
        let mut at = begins;
        while let Some(len) =
            memchr::memchr2(b'"', b'\\', &self.document[at.min(self.end)..self.end])
        {
            at += len;
            if self.document[at] == b'"' {
                return (begins..at, false);
            }
            at += 2;
        }
        (begins..self.end, false)
    }

    /// Takes in the brackets between two strings, where it is asked what opened them.
    fn brackets(&mut self, between: &[u8], key: Option<&Range<usize>>) {
        if self.bodies.is_empty() {
            return;
        }
        let mut is_body = key.is_some_and(|key| self.bodies.contains(&&self.document[key.clone()]));
        for byte in between {
            match byte {
                b'{' | b'[' if self.open.len() == DEPTH_MAX => self.deeper += 1,
                b'{' | b'[' => {
                    self.open.push(is_body);
                    is_body = false;
                }
                b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
                b'}' | b']' => {
                    self.open.pop();
                }
                _ => {}
            }
        }
    }
}

/// Bytes of a string as it is written that stand for its first `len` bytes (RFC 8259, section 7).
fn written_before(raw: &[u8], len: usize) -> usize {
    let (mut at, mut said) = (0, 0);
    while said < len && at < raw.len() {
        let is_unit = raw[at] == b'\\' && raw.get(at + 1) == Some(&b'u');
        let taken = match raw[at] {
            b'\\' if is_unit => 6,
            b'\\' => 2,
            _ => 1,
        };
        let unit = is_unit.then(|| hex(raw.get(at + 2..at + 6))).flatten();
        said += match unit {
            None | Some(..0x80) => 1,
            Some(0x80..0x800) => 2,
            // Two of them make one character of four bytes.
            Some(0xD800..0xE000) => 2,
            Some(_) => 3,
        };
        at += taken;
    }
    at.min(raw.len())
}

fn hex(digits: Option<&[u8]>) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits?).ok()?, 16).ok()
}

/// Whether nothing but a colon stands between a key and its string.
fn is_colon(between: &[u8]) -> bool {
    between
        .iter()
        .all(|byte| *byte == b':' || byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(mut strings: Strings) -> String {
        let mut all = Vec::new();
        while let Some(piece) = strings.next_piece() {
            all.extend(piece.text);
        }
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn strings_stand_behind_their_keys_and_members_are_left_out() {
        let document = r#"{"version":3,"file":"a\tb","names":["x", "y"],"x_acme":{"token":"t","n":1,"deep":["z"]},"sourcesContent":["se\"cret"]}"#;
        let start = document.find("se\\").unwrap();
        let member = start..start + "se\\\"cret".len();
        let strings = Strings::beside(Bytes::from(document), 0..document.len(), vec![member]);
        assert_eq!(
            text(strings),
            "\"file\": \"a\tb\"\n\"x\"\n\"y\"\n\"token\": \"t\"\n\"z\"\n"
        );
    }

    #[test]
    fn places_are_those_of_the_document() {
        let document = r#"{"a":"one","b":"t\nw\u00e9\ud83d\ude00\u0067o","c":"three"}"#;
        let mut strings = Strings::beside(Bytes::from(document), 0..document.len(), Vec::new());
        let piece = strings.next_piece().unwrap();
        let text = String::from_utf8(piece.text.clone()).unwrap();
        for (word, written) in [
            ("one", "one"),
            ("three", "three"),
            ("w", "w"),
            ("go", "\\u0067o"),
        ] {
            let place = strings.place_of(&piece, text.find(word).unwrap());
            assert_eq!(place, document.find(written).unwrap(), "{word}");
        }
        assert_eq!(strings.next_piece(), None);
    }

    #[test]
    fn bodies_are_left_out_and_other_texts_are_not() {
        let document = r#"{"log":{"text":"a","entries":[{"request":{"headers":[{"name":"n","value":"v"}],"postData":{"text":"no"}},
            "response":{"content":{"size":1,"text":"no","comment":"b"},"text":"c"}}]}}"#;
        let strings = Strings::beside_bodies(Bytes::from(document), &[b"content", b"postData"]);
        let text = text(strings);
        assert!(!text.contains("no"), "{text}");
        for word in ["\"a\"", "\"n\"", "\"v\"", "\"b\"", "\"c\""] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_document_is_read(text in "([{}:,]|\\[|\\]|\"|\\\\|a|text|content| ){0,60}") {
            let mut strings = Strings::beside_bodies(Bytes::from(text.clone()), &[b"content"]);
            while let Some(piece) = strings.next_piece() {
                for at in 0..piece.text.len() {
                    proptest::prop_assert!(strings.place_of(&piece, at) <= text.len());
                }
            }
            let cut = text.len() / 2;
            let mut strings = Strings::beside(Bytes::from(text), 1..cut.max(1), vec![2..5, 3..9]);
            while strings.next_piece().is_some() {}
        }
    }
}
