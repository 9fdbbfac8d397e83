//! Locators: the way from an input through every container hop to an entry.
//!
//! `a.tgz!/package/cli.js.map!/src/query.ts` reads: in the input `a.tgz`, the member `package/cli.js.map`, and in
//! that map the source `src/query.ts`. The text is reversible: everything that could be mistaken for the
//! grammar, hide on a terminal or turn text round is escaped as `%XX`, and nothing else is.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;

use super::Hops;
use super::url::name_without_passwords;

/// How a member is called by its container.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum MemberName {
    /// By a name, as raw bytes. Empty for the only member of a compressed stream.
    Named(Vec<u8>),
    /// By the byte offset where it begins: a data URL or a carved region.
    Offset(u64),
}

impl MemberName {
    /// By a name that may be an address: without what opens doors, since names are shown everywhere.
    pub fn of_address(name: Vec<u8>) -> Self {
        Self::Named(name_without_passwords(name))
    }

    /// The raw name; empty for members that have none.
    pub fn bytes(&self) -> &[u8] {
        match self {
            MemberName::Named(name) => name,
            MemberName::Offset(_) => b"",
        }
    }
}

/// A locator as text, and its hops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locator {
    text: String,
    hops: Hops,
}

impl Locator {
    /// The root of an input.
    pub fn input(label: &str) -> Self {
        Self {
            text: label.to_owned(),
            hops: Hops::default(),
        }
    }

    /// A path below an input folder; folders are no hops. An empty path is the input itself.
    pub fn file(label: &str, path: &[u8]) -> Self {
        if path.is_empty() {
            return Self {
                text: label.to_owned(),
                hops: Hops::default().then("file", label),
            };
        }
        let path = escape(path);
        Self {
            hops: Hops::default().then("file", &path),
            text: format!("{label}/{path}"),
        }
    }

    /// A member of the container here, which is of format `kind`.
    ///
    /// `ordinal` is 1 for the first member of that name, 2 for the second, and so on.
    #[must_use]
    pub fn member(&self, kind: &str, name: &MemberName, ordinal: u32) -> Self {
        // What escapes and ordinals take beyond this is rare.
        let mut text = String::with_capacity(self.text.len() + 2 + name.bytes().len().max(10));
        text.push_str(&self.text);
        text.push_str("!/");
        match name {
            MemberName::Named(bytes) => text.push_str(&escape(bytes)),
            MemberName::Offset(offset) => {
                let _ = write!(text, "@{offset}");
            }
        }
        if ordinal > 1 {
            let _ = write!(text, "#{ordinal}");
        }
        let hops = self.hops.then(kind, &text[self.text.len() + 2..]);
        Self { text, hops }
    }

    /// A folder inside the container here: same hops, a longer last name.
    #[must_use]
    pub fn folder(&self, kind: &str, path: &[u8]) -> Self {
        self.member(kind, &MemberName::Named(path.to_vec()), 1)
    }

    /// The locator as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hops, the input's file first.
    pub fn hops(&self) -> &Hops {
        &self.hops
    }
}

/// Escapes a name, and gives the raw bytes in base64 where that changed anything.
pub fn escape_with_raw(name: &[u8]) -> (String, Option<String>) {
    let escaped = escape(name);
    let raw = (escaped.as_bytes() != name)
        .then(|| base64::engine::general_purpose::STANDARD.encode(name));
    (escaped, raw)
}

/// Escapes a name for a locator (DESIGN, "Locators").
///
/// Escaped as `%XX`: `%`, `#`, C0 controls, DEL, C1 controls, bidi controls, bytes that are not UTF-8, a leading
/// `@`, and `!` before `/` or at the end.
pub fn escape(name: &[u8]) -> String {
    if let Some(name) = harmless(name) {
        return name.to_owned();
    }
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                escape_valid(valid, rest.len() == name.len(), &mut text);
                return text;
            }
            Err(error) => {
                let (valid, broken) = rest.split_at(error.valid_up_to());
                let first = rest.len() == name.len();
                // Cannot fail: `valid_up_to` is the end of valid text.
                let valid = std::str::from_utf8(valid).unwrap_or_default();
                // A `!` that ends this run is followed by a byte that is escaped, so it is not at the end.
                escape_valid_inner(valid, first, false, &mut text);
                let bad = error.error_len().unwrap_or(broken.len());
                for byte in &broken[..bad] {
                    percent(*byte, &mut text);
                }
                rest = &broken[bad..];
            }
        }
    }
}

/// The name, where nothing in it can be meant by the grammar: nearly always.
fn harmless(name: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'%' | b'#' | b'!');
    (name.first() != Some(&b'@') && name.iter().all(plain))
        .then(|| std::str::from_utf8(name).ok())
        .flatten()
}

fn escape_valid(valid: &str, first: bool, text: &mut String) {
    escape_valid_inner(valid, first, true, text);
}

fn escape_valid_inner(valid: &str, first: bool, last: bool, text: &mut String) {
    let mut characters = valid.chars().enumerate().peekable();
    while let Some((index, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let escaped = match character {
            '%' | '#' => true,
            '@' => first && index == 0,
            '!' => next == Some('/') || (next.is_none() && last),
            other => is_control_or_bidi(other),
        };
        if escaped {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                percent(byte, text);
            }
        } else {
            text.push(character);
        }
    }
}

/// Whether a character is a control (C0, DEL, C1) or turns the direction of text (Unicode bidi controls).
pub fn is_control_or_bidi(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn percent(byte: u8, text: &mut String) {
    let _ = write!(text, "%{byte:02X}");
}

/// Makes a line of text from an input safe to show on a terminal: controls and bidi characters are escaped.
pub fn shown(text: &str) -> String {
    if !text.chars().any(is_control_or_bidi) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_control_or_bidi(character) {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Makes JSON safe to show on a terminal: controls and bidi characters, which JSON allows in strings, are written as
/// its `\u` escapes. It says the same.
pub fn shown_json(json: &str) -> Cow<'_, str> {
    let is_plain = json.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_plain || !json.chars().any(is_control_or_bidi) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_control_or_bidi(character) {
            let _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Undoes [`escape`]. `None` where a `%` is not followed by two hex digits.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_could_mislead_is_escaped() {
        assert_eq!(escape(b"package/src/a b.ts"), "package/src/a b.ts");
        assert_eq!(escape(b"100%#1"), "100%25%231");
        assert_eq!(escape(b"@scope/x"), "%40scope/x");
        assert_eq!(escape(b"a/@scope/x"), "a/@scope/x");
        assert_eq!(escape(b"wow!/x!y!"), "wow%21/x!y%21");
        assert_eq!(escape(b"a\nb\x7f"), "a%0Ab%7F");
        assert_eq!(escape("\u{202e}gpj.exe".as_bytes()), "%E2%80%AEgpj.exe");
        assert_eq!(escape("\u{85}".as_bytes()), "%C2%85");
        assert_eq!(escape(b"\xff\xfea"), "%FF%FEa");
        assert_eq!(escape("naïve/日本".as_bytes()), "naïve/日本");
    }

    #[test]
    fn hops_read_as_the_contract_says() {
        let map = Locator::file("a.tgz", b"").member(
            "tar",
            &MemberName::Named(b"package/cli.js.map".to_vec()),
            1,
        );
        let source = map.member("source-map", &MemberName::Named(b"../src/q.ts".to_vec()), 2);
        assert_eq!(source.as_str(), "a.tgz!/package/cli.js.map!/../src/q.ts#2");
        assert_eq!(source.hops().list().len(), 3);
        let inline = Locator::file("in", b"x/y.js").member("inline", &MemberName::Offset(12), 1);
        assert_eq!(inline.as_str(), "in/x/y.js!/@12");
        let stream = Locator::file("x.js.gz", b"");
        assert_eq!(
            stream
                .member("gzip", &MemberName::Named(vec![]), 1)
                .as_str(),
            "x.js.gz!/"
        );
        assert_eq!(
            stream
                .member("gzip", &MemberName::Named(vec![]), 2)
                .as_str(),
            "x.js.gz!/#2"
        );
    }

    #[test]
    fn json_is_shown_without_what_turns_text_round() {
        let value = serde_json::json!({ "name": "a\u{202e}b\u{9b}c\u{7f}\nd" });
        let text = shown_json(&value.to_string()).into_owned();
        assert!(!text.chars().any(is_control_or_bidi), "{text}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
        assert_eq!(shown_json("{\"a\":\"naïve\"}"), "{\"a\":\"naïve\"}");
    }

    proptest! {
        #[test]
        fn escaping_is_reversible(name in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(unescape(&escape(&name)), Some(name));
        }

        #[test]
        fn escaped_names_never_look_like_a_hop(name in proptest::collection::vec(any::<u8>(), 0..60)) {
            let text = escape(&name);
            prop_assert!(!text.contains("!/") && !text.ends_with('!') && !text.contains('#'));
            prop_assert!(!text.chars().any(is_control_or_bidi));
        }
    }
}
