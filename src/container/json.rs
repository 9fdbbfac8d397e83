//! JSON as a run of tokens, for indexes that stand inside containers (asar, pkg, HAR).
//!
//! An index tells where files are, so a fault in it must not hide the files that stand before it: these tokens
//! come one by one, need no valid document, and nesting costs nothing here. Strings stay raw slices until somebody
//! wants their bytes; a lone surrogate or a byte that is not UTF-8 is kept, since names are evidence.
//!
//! Commas are stepped over. What makes a string a key is the colon behind it, so that a document with a hole is
//! read on behind the hole.

use std::borrow::Cow;

use bytes::Bytes;
use serde::de::{Deserializer, Visitor};

/// A piece of a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// `{` or `[`.
    Open(Shape),
    /// `}` or `]`.
    Close(Shape),
    /// A string with a colon behind it: what stands between the quotes.
    Key(Bytes),
    /// Any other string: what stands between the quotes.
    Text(Bytes),
    /// A number or one of the three words.
    Word(Bytes),
}

/// The two kinds of brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{}`
    Object,
    /// `[]`
    Array,
}

/// Gives the tokens of a document, one after the other.
#[derive(Debug, Clone)]
pub struct Tokens {
    document: Bytes,
    position: usize,
    /// Bytes that are no JSON and were stepped over.
    pub stray: u64,
    /// The document ended within a string.
    pub is_cut: bool,
    /// Where that string begins.
    cut_at: usize,
}

impl Tokens {
    /// Begins at the front of `document`.
    pub fn new(document: Bytes) -> Self {
        Self {
            document,
            position: 0,
            stray: 0,
            is_cut: false,
            cut_at: 0,
        }
    }

    /// Offset of the first byte that was not read yet.
    pub fn position(&self) -> usize {
        self.position
    }

    /// What there is of the string that the document ended in.
    pub fn cut_string(&self) -> Option<Bytes> {
        self.is_cut.then(|| self.document.slice(self.cut_at..))
    }

    fn take(&mut self, len: usize) -> Bytes {
        let taken = self.document.slice(self.position..self.position + len);
        self.position += len;
        taken
    }

    /// What stands between the quote that was just passed and the next one that ends it.
    fn string(&mut self) -> Option<Bytes> {
        let rest = &self.document[self.position..];
        let mut at = 0;
        loop {
            let Some(found) = memchr::memchr2(b'"', b'\\', &rest[at.min(rest.len())..]) else {
                self.is_cut = true;
                self.cut_at = self.position;
                self.position = self.document.len();
                return None;
            };
            at += found;
            if rest[at] == b'"' {
                let raw = self.take(at);
                self.position += 1;
                return Some(raw);
            }
            at += 2;
        }
    }

    fn has_colon(&mut self) -> bool {
        let rest = &self.document[self.position..];
        let blanks = rest
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        let found = rest.get(blanks) == Some(&b':');
        if found {
            self.position += blanks + 1;
        }
        found
    }
}

impl Iterator for Tokens {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let byte = *self.document.get(self.position)?;
            self.position += 1;
            return Some(match byte {
                b'{' => Token::Open(Shape::Object),
                b'[' => Token::Open(Shape::Array),
                b'}' => Token::Close(Shape::Object),
                b']' => Token::Close(Shape::Array),
                b'"' => {
                    let raw = self.string()?;
                    if self.has_colon() {
                        Token::Key(raw)
                    } else {
                        Token::Text(raw)
                    }
                }
                b'a'..=b'z' | b'0'..=b'9' | b'-' => {
                    self.position -= 1;
                    let rest = &self.document[self.position..];
                    let len = rest.iter().take_while(|byte| is_word(**byte)).count();
                    Token::Word(self.take(len))
                }
                b',' | b' ' | b'\t' | b'\r' | b'\n' => continue,
                _ => {
                    self.stray += 1;
                    continue;
                }
            });
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// The bytes that a raw string stands for; the raw ones themselves where its escapes are broken.
pub fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    struct AsBytes;
    impl Visitor<'_> for AsBytes {
        type Value = Vec<u8>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
            formatter.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let quoted = [b"\"", raw, b"\""].concat();
    // Asked for bytes, the parser keeps what is no Unicode instead of refusing it.
    serde_json::Deserializer::from_slice(&quoted)
        .deserialize_bytes(AsBytes)
        .map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// The whole number that a word or a string says in decimal digits.
pub fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        Tokens::new(Bytes::copy_from_slice(text.as_bytes())).collect()
    }

    #[test]
    fn a_document_comes_token_by_token() {
        let raw = |text: &'static str| Bytes::from_static(text.as_bytes());
        assert_eq!(
            tokens(r#"{"a\"b" : ["x", -1.5e3, null]}"#),
            [
                Token::Open(Shape::Object),
                Token::Key(raw(r#"a\"b"#)),
                Token::Open(Shape::Array),
                Token::Text(raw("x")),
                Token::Word(raw("-1.5e3")),
                Token::Word(raw("null")),
                Token::Close(Shape::Array),
                Token::Close(Shape::Object),
            ]
        );
    }

    #[test]
    fn names_keep_what_is_no_unicode() {
        assert_eq!(unescape(br"a\u00fc\n").as_ref(), "aü\n".as_bytes());
        assert_eq!(unescape(br"\ud800").as_ref(), b"\xed\xa0\x80");
        assert_eq!(unescape(b"\xff\\t").as_ref(), b"\xff\t");
        assert_eq!(unescape(br"\q").as_ref(), br"\q");
    }

    #[test]
    fn a_cut_string_is_said() {
        let mut cut = Tokens::new(Bytes::from_static(br#"{"a":"b\"#));
        assert_eq!(cut.by_ref().count(), 2);
        assert!(cut.is_cut);
        assert_eq!(cut.cut_string().as_deref(), Some(&br"b\"[..]));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let len = bytes.len();
            prop_assert!(Tokens::new(bytes.into()).count() <= len);
        }
    }
}
