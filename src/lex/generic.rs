//! The lexer for text of no known family: words, numbers, quoted strings and marks.

use super::{Kind, Sink, Token};

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    let mut at = 0;
    let mut before = b' ';
    while let Some(&byte) = text.get(at) {
        let start = at;
        let (kind, end) = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => {
                let kind = if before == b'.' {
                    Kind::Property
                } else {
                    Kind::Name
                };
                (
                    kind,
                    run(text, at, |b| {
                        b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80
                    }),
                )
            }
            b'0'..=b'9' => (
                Kind::Number,
                run(text, at, |b| {
                    b.is_ascii_alphanumeric() || b == b'.' || b == b'_'
                }),
            ),
            b'"' | b'\'' | b'`' => {
                let line = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n);
                match memchr::memchr(byte, &text[at + 1..line]) {
                    Some(len) => {
                        let end = at + 1 + len;
                        sink.token(Token {
                            kind: Kind::Text,
                            start: at as u32 + 1,
                            end: end as u32,
                        });
                        at = end + 1;
                        before = byte;
                        continue;
                    }
                    None => (Kind::Punct, at + 1),
                }
            }
            _ => (Kind::Punct, at + 1),
        };
        sink.token(Token {
            kind,
            start: start as u32,
            end: end as u32,
        });
        before = byte;
        at = end;
    }
}

/// The end of the run of bytes from `at` on that `is_in` takes.
fn run(text: &[u8], at: usize, is_in: impl Fn(u8) -> bool) -> usize {
    text[at..]
        .iter()
        .position(|&b| !is_in(b))
        .map_or(text.len(), |len| at + len)
}
