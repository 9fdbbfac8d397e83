//! JSON as `JSON.parse` takes it (RFC 8259; ECMA-404), stepped over value by value.
//!
//! The verdict needs to know that a document *is* JSON, and what stands under a few keys; it never needs a tree. So
//! this reader only moves forward. Whether brackets match is kept in one bit for each that is open, so that no depth
//! is too deep: there is no stack to overflow, and no bound that would have to be explained.
//!
//! Strings are nearly all of a map. They are looked through eight bytes at a time for the three things that matter in
//! them: the closing quote, an escape, a control character.
//!
//! That the document is UTF-8 is for the caller to make sure of. A lone surrogate in an escape is JSON (RFC 8259,
//! section 8.2), and is let through.

use std::ops::Range;

/// What is wrong with the JSON, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// What it is.
    pub what: Flaw,
    /// Where.
    pub at: usize,
}

/// The ways in which a document is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The document ends inside a value.
    Ends,
    /// A byte that nothing allows at this place.
    Unexpected,
    /// A control character in a string that is not escaped.
    Control,
    /// An escape that JSON does not have.
    Escape,
    /// A number that is not written as JSON writes them.
    Number,
    /// Something other than white space behind the value.
    Trailing,
}

/// The kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The word for it, with its article.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

/// A string of the document: what stands between its quotes.
#[derive(Debug, Clone)]
pub struct Text {
    /// Offsets of its first byte, and of the closing quote.
    pub span: Range<usize>,
    /// Whether it holds escapes.
    pub escaped: bool,
}

/// Reads a document from front to back.
pub struct Reader<'a> {
    document: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at an offset.
    pub fn new(document: &'a [u8], at: usize) -> Self {
        Reader { document, at }
    }

    /// Offset of the next byte.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The bytes of a part of the document.
    pub fn bytes(&self, span: Range<usize>) -> &'a [u8] {
        self.document.get(span).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.document.get(self.at).copied()
    }

    fn broken(&self, what: Flaw) -> Broken {
        Broken { what, at: self.at }
    }

    /// The fault of the next byte's being there, or of its not being there.
    fn unexpected(&self) -> Broken {
        self.broken(match self.peek() {
            None => Flaw::Ends,
            Some(_) => Flaw::Unexpected,
        })
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), Broken> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    /// Goes to the next value and says what kind it is, by its first byte.
    pub fn kind(&mut self) -> Result<Kind, Broken> {
        self.space();
        match self.peek() {
            Some(b'"') => Ok(Kind::String),
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'n') => Ok(Kind::Null),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            _ => Err(self.unexpected()),
        }
    }

    /// Makes sure that nothing but white space is left.
    pub fn finish(&mut self) -> Result<(), Broken> {
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.broken(Flaw::Trailing)),
        }
    }

    // ------------------------------------------------------------------------------------------------ values

    /// Steps over an object; `member` is called with each key, and has to step over the value.
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Text) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        self.take(b'{')?;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.key()?;
            member(self, key)?;
            if !self.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    /// Steps over an array; `element` is called at each element, and has to step over it.
    pub fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        self.take(b'[')?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.goes_on(b']')? {
                return Ok(());
            }
        }
    }

    fn key(&mut self) -> Result<Text, Broken> {
        self.space();
        let key = self.string()?;
        self.space();
        self.take(b':')?;
        Ok(key)
    }

    /// After a member or an element: whether another one follows.
    fn goes_on(&mut self, closing: u8) -> Result<bool, Broken> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == closing => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Steps over one value of any kind.
    pub fn value(&mut self) -> Result<Kind, Broken> {
        let kind = self.kind()?;
        let mut open = Brackets::default();
        // Each turn steps over one value, or into one; then out of all that end there.
        loop {
            let entered = match self.kind()? {
                Kind::String => {
                    self.string()?;
                    false
                }
                Kind::Number => {
                    self.number()?;
                    false
                }
                Kind::Null | Kind::Bool => {
                    self.word()?;
                    false
                }
                Kind::Object => self.enter(b'}', &mut open)?,
                Kind::Array => self.enter(b']', &mut open)?,
            };
            if entered {
                continue;
            }
            loop {
                let Some(is_object) = open.innermost() else {
                    return Ok(kind);
                };
                if self.goes_on(if is_object { b'}' } else { b']' })? {
                    if is_object {
                        self.key()?;
                    }
                    break;
                }
                open.pop();
            }
        }
    }

    /// Steps over an opening bracket, and over the closing one where nothing is between. Says whether a value is next.
    fn enter(&mut self, closing: u8, open: &mut Brackets) -> Result<bool, Broken> {
        self.at += 1;
        self.space();
        if self.peek() == Some(closing) {
            self.at += 1;
            return Ok(false);
        }
        let is_object = closing == b'}';
        open.push(is_object);
        if is_object {
            self.key()?;
        }
        Ok(true)
    }

    fn word(&mut self) -> Result<(), Broken> {
        let rest = self.document.get(self.at..).unwrap_or_default();
        for word in [&b"null"[..], b"true", b"false"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(());
            }
        }
        Err(self.broken(Flaw::Unexpected))
    }

    /// Steps over a number and gives it as ECMAScript would.
    pub fn number(&mut self) -> Result<f64, Broken> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.some_digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        std::str::from_utf8(self.bytes(start..self.at))
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(Broken {
                what: Flaw::Number,
                at: start,
            })
    }

    fn some_digits(&mut self) -> Result<(), Broken> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.broken(match self.peek() {
                None => Flaw::Ends,
                Some(_) => Flaw::Number,
            }));
        }
        Ok(())
    }

    /// Steps over a string.
    pub fn string(&mut self) -> Result<Text, Broken> {
        self.take(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_run(self.document.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    let span = start..self.at;
                    self.at += 1;
                    return Ok(Text { span, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.broken(Flaw::Control)),
                None => return Err(self.broken(Flaw::Ends)),
            }
        }
    }

    #[inline]
    fn escape(&mut self) -> Result<(), Broken> {
        const UNICODE_DIGITS: usize = 4;
        match self.document.get(self.at + 1) {
            Some(b'n' | b'"' | b'\\' | b't' | b'r' | b'/' | b'b' | b'f') => self.at += 2,
            Some(b'u') => {
                let rest = self.document.get(self.at + 2..).unwrap_or_default();
                let digits = rest.get(..UNICODE_DIGITS).unwrap_or(rest);
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(self.broken(Flaw::Escape));
                }
                if digits.len() < UNICODE_DIGITS {
                    return Err(Broken {
                        what: Flaw::Ends,
                        at: self.document.len(),
                    });
                }
                self.at += 2 + UNICODE_DIGITS;
            }
            Some(_) => return Err(self.broken(Flaw::Escape)),
            None => {
                return Err(Broken {
                    what: Flaw::Ends,
                    at: self.document.len(),
                });
            }
        }
        Ok(())
    }
}

/// How many bytes come before the first quote, backslash or control character.
#[inline]
fn plain_run(text: &[u8]) -> usize {
    let (words, tail) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let hits = special(u64::from_le_bytes(*word));
        if hits != 0 {
            return index * 8 + (hits.trailing_zeros() / u8::BITS) as usize;
        }
    }
    let before = text.len() - tail.len();
    let run = tail
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | ..=0x1F));
    before + run.unwrap_or(tail.len())
}

/// Sets the top bit of the lowest byte that is a quote, a backslash or a control character; bits above it mean
/// nothing, for a borrow may have run into them.
#[inline(always)]
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let below = |x: u64, least: u64| x.wrapping_sub(ONES * least) & !x;
    (below(quote, 1) | below(backslash, 1) | below(word, 0x20)) & TOPS
}

/// The brackets that are open, one bit each.
#[derive(Default)]
struct Brackets {
    words: Vec<u64>,
    depth: usize,
}

impl Brackets {
    fn push(&mut self, is_object: bool) {
        let bit = self.depth % 64;
        if bit == 0 {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word = *word & !(1 << bit) | u64::from(is_object) << bit;
        }
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth.is_multiple_of(64) {
            self.words.pop();
        }
    }

    /// Whether the innermost one is an object's; `None` where none is open.
    fn innermost(&self) -> Option<bool> {
        let bit = self.depth.checked_sub(1)? % 64;
        self.words.last().map(|word| word >> bit & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &[u8]) -> Result<(), Broken> {
        let mut reader = Reader::new(text, 0);
        reader.value()?;
        reader.finish()
    }

    /// What `JSON.parse` takes and what it does not, with the byte that is at fault.
    #[test]
    fn json_is_told_from_what_is_not() {
        for good in [
            "0",
            "-0",
            "1e5",
            "1.5E-3",
            "\"\"",
            "[]",
            "{}",
            " [1 , 2]\r\n\t",
            "{\"a\":{\"b\":[{}]}}",
            "null",
            "true",
            r#""\ud800""#,
            r#""\u00e9\/\b""#,
            "\"\u{7f}é\u{2028}\"",
            "{\"a\":1,\"a\":2}",
            "1e999",
        ] {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        for (bad, what, at) in [
            ("", Flaw::Ends, 0),
            ("[", Flaw::Ends, 1),
            ("{\"a\"", Flaw::Ends, 4),
            ("\"abc", Flaw::Ends, 4),
            ("\"\\u12", Flaw::Ends, 5),
            ("\"\\", Flaw::Ends, 2),
            ("[1,]", Flaw::Unexpected, 3),
            ("{\"a\":1,}", Flaw::Unexpected, 7),
            ("{a:1}", Flaw::Unexpected, 1),
            ("[1 2]", Flaw::Unexpected, 3),
            ("[1}", Flaw::Unexpected, 2),
            ("'a'", Flaw::Unexpected, 0),
            ("NaN", Flaw::Unexpected, 0),
            ("nul", Flaw::Unexpected, 0),
            ("\u{a0}1", Flaw::Unexpected, 0),
            ("\"a\nb\"", Flaw::Control, 2),
            ("\"aaaaaaaaaaaaaaaaaaaa\0\"", Flaw::Control, 21),
            ("\"\\x41\"", Flaw::Escape, 1),
            ("\"\\u12g4\"", Flaw::Escape, 1),
            ("01", Flaw::Trailing, 1),
            ("1.", Flaw::Ends, 2),
            ("1.e3", Flaw::Number, 2),
            ("-a", Flaw::Number, 1),
            ("[+1]", Flaw::Unexpected, 1),
            ("{}x", Flaw::Trailing, 2),
            ("1 2", Flaw::Trailing, 2),
        ] {
            assert_eq!(check(bad.as_bytes()), Err(Broken { what, at }), "{bad}");
        }
    }

    #[test]
    fn no_depth_is_too_deep() {
        let deep = 200_000;
        let text = "[".repeat(deep) + &"]".repeat(deep);
        assert_eq!(check(text.as_bytes()), Ok(()));
        let text = "{\"a\":[".repeat(deep) + &"]}".repeat(deep);
        assert_eq!(check(text.as_bytes()), Ok(()));
        let text = "{\"a\":[".repeat(deep) + "}";
        assert_eq!(
            check(text.as_bytes()).map_err(|e| e.what),
            Err(Flaw::Unexpected)
        );
    }

    proptest! {
        #[test]
        fn the_verdict_is_serde_jsons(
            pieces in prop::collection::vec(prop_oneof![
                Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("\"a\""), Just("\""), Just("\\n"),
                Just("null"), Just("true"), Just("1"), Just("-2.5e1"), Just(" "), Just("é"), Just("\t"), Just("\\u00e9"),
            ], 0..12),
        ) {
            let text = pieces.concat();
            let oracle = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(check(text.as_bytes()).is_ok(), oracle, "{}", text);
        }

        #[test]
        fn a_plain_run_ends_where_a_plain_loop_ends_it(text in prop::collection::vec(
            prop_oneof![5 => 0x20_u8.., 1 => any::<u8>(), 1 => Just(b'"'), 1 => Just(b'\\')], 0..60)) {
            let expected = text.iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\');
            prop_assert_eq!(plain_run(&text), expected.unwrap_or(text.len()));
        }
    }
}
