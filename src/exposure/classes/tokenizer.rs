//! Tokenizers: the words that a language model knows, as the libraries that make them write them down.
//!
//! Four forms: the JSON document of Hugging Face's library, the list of pairs that is merged (`merges.txt`), SentencePiece's
//! message, and tiktoken's list of tokens in base64 with their ranks. Alone they give little away; beside weights they say which model
//! that is, and words of one's own in them say what it was trained for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::proto::{Fields, Value};
use super::read::{counted, has, head, listed, text_start};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// The first bytes that are looked at for words.
const LOOKED_AT: usize = 4 << 10;
/// Ranks that are checked one by one before a list counts as one.
const RANKS_CHECKED: usize = 256;
/// Words that are told.
const TOLD_MAX: usize = 12;

/// Tokenizers.
pub(super) struct Tokenizer;

impl Class for Tokenizer {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        let said = match *bytes.first()? {
            b'{' => hugging_face(bytes),
            b'#' => merges(bytes),
            b'\n' => sentence_piece(bytes),
            _ => tiktoken(bytes),
        }?;
        Some(Artifact::proven("tokenizer", "", said))
    }
}

/// `tokenizer.json`: a model of a known kind and its vocabulary, with the tokens that were added first.
fn hugging_face(bytes: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Document {
        #[serde(default)]
        added_tokens: Vec<Added>,
        model: Model,
    }
    #[derive(serde::Deserialize)]
    struct Added {
        content: String,
    }
    #[derive(serde::Deserialize)]
    struct Model {
        #[serde(rename = "type")]
        kind: Option<String>,
        vocab: Vocabulary,
    }
    let start = head(bytes, LOOKED_AT);
    let is_candidate = has(start, b"\"added_tokens\"") && has(start, b"\"truncation\"");
    if !is_candidate {
        return None;
    }
    let document: Document = serde_json::from_slice(bytes).ok()?;
    let added: Vec<&str> = document
        .added_tokens
        .iter()
        .map(|token| token.content.as_str())
        .take(TOLD_MAX)
        .collect();
    let mut said = format!(
        "{} with {}",
        listed(&[document.model.kind.unwrap_or("a tokenizer".into())]),
        counted(document.model.vocab.0, "token")
    );
    if !added.is_empty() {
        said.push_str(&format!("; added {}", listed(&added)));
    }
    Some(said)
}

/// How many tokens there are, whether as an object or as a list of pairs.
struct Vocabulary(u64);

impl<'de> serde::Deserialize<'de> for Vocabulary {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
        struct Count;
        impl<'de> Visitor<'de> for Count {
            type Value = Vocabulary;
            fn expecting(&self, text: &mut std::fmt::Formatter) -> std::fmt::Result {
                text.write_str("a vocabulary")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocabulary, A::Error> {
                let mut count = 0;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Vocabulary(count))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vocabulary, A::Error> {
                let mut count = 0;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Vocabulary(count))
            }
        }
        deserializer.deserialize_any(Count)
    }
}

/// `#version: 0.2` and a pair in each line.
fn merges(bytes: &[u8]) -> Option<String> {
    let rest = bytes.strip_prefix(b"#version: ")?;
    let mut lines = rest.split(|&b| b == b'\n').skip(1);
    let is_pair = |line: &[u8]| {
        let mut parts = line.trim_ascii_end().split(|&b| b == b' ');
        let two = parts.next().is_some_and(|a| !a.is_empty())
            && parts.next().is_some_and(|b| !b.is_empty());
        two && parts.next().is_none()
    };
    if !lines.by_ref().take(8).all(is_pair) {
        return None;
    }
    let count = memchr::memchr_iter(b'\n', bytes).count() as u64;
    Some(format!("{} of byte-pair encoding", counted(count, "line")))
}

/// A message whose first field repeats: pieces, each a text and its score.
fn sentence_piece(bytes: &[u8]) -> Option<String> {
    let piece = |value: Value<'_>| match value {
        Value::Bytes(piece, _) => {
            let mut fields = Fields::of(piece);
            let is_text = matches!(fields.next(), Some((1, Value::Bytes(text, _))) if std::str::from_utf8(text).is_ok());
            is_text && matches!(fields.next(), Some((2, Value::Four(_))))
        }
        _ => false,
    };
    let mut pieces = 0_u64;
    for (number, value) in Fields::of(bytes) {
        match number {
            1 if piece(value) => pieces += 1,
            1 => return None,
            _ => break,
        }
    }
    (pieces >= 3).then(|| format!("SentencePiece with {}", counted(pieces, "token")))
}

/// A token in base64, a blank, and its rank, which counts from 0.
fn tiktoken(bytes: &[u8]) -> Option<String> {
    // Single bytes come first.
    if bytes.get(4) != Some(&b' ') || bytes.get(5..7)? != b"0\n" {
        return None;
    }
    let mut lines = text_start(bytes).split(|&b| b == b'\n').enumerate();
    let is_ranked = |(rank, line): (usize, &[u8])| {
        let Some(at) = memchr::memchr(b' ', line) else {
            return line.is_empty();
        };
        line[at + 1..] == *rank.to_string().as_bytes() && STANDARD.decode(&line[..at]).is_ok()
    };
    if !lines.by_ref().take(RANKS_CHECKED).all(is_ranked) {
        return None;
    }
    let count = memchr::memchr_iter(b'\n', bytes).count() as u64;
    Some(format!("tiktoken with {}", counted(count, "token")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> Option<String> {
        Tokenizer
            .recognise(bytes, &Hits::default())
            .map(|found| found.detail)
    }

    #[test]
    fn each_form_is_told() {
        let json = br#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"[ACME]","special":true}],"model":{"type":"WordPiece","vocab":{"a":0,"b":1},"unk_token":"u"}}"#;
        assert_eq!(
            said(json).as_deref(),
            Some("WordPiece with 2 tokens; added [ACME]")
        );
        let unigram = br#"{"truncation":null,"added_tokens":[],"model":{"type":"Unigram","vocab":[["a",0.1]]}}"#;
        assert_eq!(said(unigram).as_deref(), Some("Unigram with 1 token"));
        assert_eq!(said(b"#version: 0.2\na b\nc d\n").as_deref(), None);
        let lines = "a b\n".repeat(9);
        assert!(said(format!("#version: 0.2\n{lines}").as_bytes()).is_some());
        let piece = b"\x0a\x08\x0a\x01a\x15\0\0\0\0";
        assert_eq!(
            said(&piece.repeat(3)).as_deref(),
            Some("SentencePiece with 3 tokens")
        );
        assert_eq!(
            said(b"IQ== 0\nIg== 1\nIw== 2\n").as_deref(),
            Some("tiktoken with 3 tokens")
        );
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            &b"{\"added_tokens\":1,\"truncation\":2}"[..],
            b"IQ== 0\nIg== 7\n",
            b"\n\n\n",
            b"#version: 1\n",
            b"#",
            b"",
        ] {
            assert_eq!(said(text), None, "{text:?}");
        }
    }
}
