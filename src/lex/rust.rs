//! The lexer for Rust.
//!
//! * Strings of all kinds, byte and C strings among them, and characters are a [`Kind::Text`] without prefix, hashes and
//!   quotes. Documentation comments are comments.
//! * A lifetime or label is a name with its apostrophe, so that it is never taken for a variable of that name. A raw
//!   identifier is a name without its `r#`.
//! * A name behind `.` is a property. So is one before a single `:` where a field may stand: directly within `{}`, behind
//!   `{`, `,`, an attribute or a visibility. The head of an item is left out of that, since bounds of type parameters look
//!   the same; so is the rest of a `let`.
//! * A number keeps its suffix. What stands behind a `.` is read as a number wherever a number can begin (`a.0.1` is `a`,
//!   `.`, `0.1`), as the compiler's own lexer does.
//! * A piece is an item with its attributes: it ends outside all brackets with `;`, or with a `}` that no operator follows.
//!
//! Back in step: a string that closes nowhere is a mark and opens nothing. The same holds for raw strings and comments.

use super::reader::{DIGIT, LETTER, Reader, SPACE, WORD, is};
use super::words::Words;
use super::{Kind, Sink};

/// Strict keywords of all editions, and those reserved that code has: as a macro (`try!`), or behind a feature.
static KEYWORDS: Words = Words::new(&[
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "try", "type",
    "unsafe", "use", "where", "while", "yield",
]);

/// Searches for the end of a raw string that may fail before no more are made.
const RAW_FAILURES_MAX: u8 = 4;

/// The token before, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Other,
    Dot,
    /// What a field may stand behind.
    FieldStart,
    /// A keyword that the name of an item follows.
    Declarator,
}

/// Whether the next token begins a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    No,
    Yes,
    /// Only if it is no operator: a `}` came before.
    UnlessOperator,
}

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    let mut lexer = Lexer {
        reader: Reader::new(text, sink),
        before: Before::Other,
        piece: Piece::Yes,
        depth: 0,
        braces: 0,
        in_head: false,
        raw_failures: 0,
        no_string: false,
        is_flat: false,
        no_comment: false,
    };
    lexer.run();
}

struct Lexer<'t, 's, S> {
    reader: Reader<'t, 's, S>,
    before: Before,
    piece: Piece,
    /// Brackets that are open.
    depth: u64,
    /// The innermost 128 of them, one bit each: whether it is a brace. The innermost is the lowest bit.
    braces: u128,
    /// In the head of an item, or behind `let`: names before `:` are no fields.
    in_head: bool,
    raw_failures: u8,
    /// No string closes from here on.
    no_string: bool,
    /// Some comment does not close with all that are nested in it: from here on they are read as if none were.
    is_flat: bool,
    /// No comment closes from here on.
    no_comment: bool,
}

impl<S: Sink> Lexer<'_, '_, S> {
    fn run(&mut self) {
        if self.reader.is_at(b"#!") && !self.reader.is_at(b"#![") {
            self.reader.at = self.reader.line_end();
        }
        while let Some(&byte) = self.reader.text.get(self.reader.at) {
            match byte {
                b'/' if self.reader.byte(1) == b'/' => self.reader.at = self.reader.line_end(),
                b'/' if self.reader.byte(1) == b'*' && self.skips_comment() => {}
                b'\n' => {
                    self.reader.at += 1;
                    self.reader.pass_blanks();
                }
                _ if is(byte, SPACE) => self.reader.at += 1,
                _ => self.token(byte),
            }
        }
    }

    /// Skips the comment that begins here, with those that are nested in it. Where it closes nowhere, no later one is tried
    /// with what is nested in it.
    fn skips_comment(&mut self) -> bool {
        let start = self.reader.at + 2;
        if self.is_flat {
            let end = if self.no_comment {
                None
            } else {
                self.reader.find(b"*/", start)
            };
            self.no_comment = end.is_none();
            if let Some(end) = end {
                self.reader.at = end + 2;
            }
            return end.is_some();
        }
        let text = self.reader.text;
        let (mut at, mut depth) = (start, 1u64);
        while let Some(len) = memchr::memchr2(b'*', b'/', text.get(at..).unwrap_or_default()) {
            at += len;
            match text.get(at..at + 2) {
                Some(b"*/") => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        self.reader.at = at;
                        return true;
                    }
                }
                Some(b"/*") => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        self.is_flat = true;
        self.skips_comment()
    }

    #[inline]
    fn token(&mut self, byte: u8) {
        if self.piece != Piece::No {
            self.maybe_piece(byte);
        }
        match byte {
            _ if is(byte, LETTER) => self.word(),
            _ if is(byte, DIGIT) => self.number(),
            b'"' => self.string(self.reader.at),
            b'\'' => self.apostrophe(),
            _ => self.operator(byte),
        }
    }

    fn maybe_piece(&mut self, byte: u8) {
        let is_operator = !is(byte, WORD) && !matches!(byte, b'#' | b'"' | b'\'');
        if self.piece == Piece::Yes || !is_operator {
            self.reader.piece();
        }
        self.piece = Piece::No;
    }

    fn word(&mut self) {
        let start = self.reader.at;
        let end = self.reader.run(WORD);
        let word = &self.reader.text[start..end];
        let next = self.reader.text.get(end).copied().unwrap_or(0);
        if matches!(next, b'"' | b'#' | b'\'') && word.len() <= 2 && self.prefixed(word, end, next)
        {
            return;
        }
        if KEYWORDS.contain(word) {
            self.keyword(word);
            self.reader.take(Kind::Keyword, end);
        } else {
            self.name(start, end);
        }
    }

    fn keyword(&mut self, word: &[u8]) {
        self.before = match word {
            b"fn" | b"struct" | b"enum" | b"trait" | b"type" | b"mod" => Before::Declarator,
            b"pub" => Before::FieldStart,
            _ => Before::Other,
        };
        if self.braces & 1 == 1 || self.depth == 0 {
            self.in_head |= matches!(word, b"impl" | b"where" | b"let");
        }
    }

    fn name(&mut self, start: usize, end: usize) {
        let kind = match self.before {
            Before::Dot => Kind::Property,
            Before::FieldStart if self.is_field(end) => Kind::Property,
            _ => Kind::Name,
        };
        if self.before == Before::Declarator {
            self.in_head = true;
        }
        self.before = Before::Other;
        self.reader.emit(kind, start, end);
        self.reader.at = end;
    }

    /// Whether the name that ends at `end`, and stands where a field may stand, is one.
    fn is_field(&self, end: usize) -> bool {
        self.depth > 0
            && self.braces & 1 == 1
            && !self.in_head
            && matches!(self.reader.behind_blanks(end), (b':', next) if next != b':')
    }

    /// A string, character or raw identifier whose prefix is `word`; whether it is one.
    fn prefixed(&mut self, word: &[u8], end: usize, next: u8) -> bool {
        match (word, next) {
            (b"b" | b"c", b'"') => self.string(end),
            (b"b", b'\'') => {
                self.reader.at = end;
                self.apostrophe();
            }
            (b"r" | b"br" | b"cr", b'"' | b'#') => return self.raw(word, end),
            _ => return false,
        }
        true
    }

    /// A raw string or identifier whose prefix is `word` and whose hashes begin at `end`.
    fn raw(&mut self, word: &[u8], end: usize) -> bool {
        /// More are an error (Rust Reference, "Raw string literals").
        const HASHES_MAX: usize = 255;
        let text = self.reader.text;
        let rest = &text[end..];
        let hashes = rest
            .iter()
            .take(HASHES_MAX + 1)
            .take_while(|&&b| b == b'#')
            .count();
        match rest.get(hashes) {
            Some(b'"') if hashes <= HASHES_MAX && self.raw_failures < RAW_FAILURES_MAX => {
                let start = end + hashes + 1;
                let Some(close) = close_raw(text, start, hashes) else {
                    self.raw_failures += 1;
                    return false;
                };
                self.before = Before::Other;
                self.reader.emit(Kind::Text, start, close);
                self.reader.at = close + 1 + hashes;
                true
            }
            Some(&letter) if word == b"r" && hashes == 1 && is(letter, LETTER) => {
                let start = end + 1;
                self.name(start, self.reader.run_from(start, WORD));
                true
            }
            _ => false,
        }
    }

    /// The string whose opening quote is at `quote`.
    fn string(&mut self, quote: usize) {
        self.before = Before::Other;
        let text = self.reader.text;
        let start = quote + 1;
        let mut at = start;
        while !self.no_string {
            let Some(len) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) else {
                self.no_string = true;
                break;
            };
            if text[at + len] == b'"' {
                self.reader.emit(Kind::Text, start, at + len);
                self.reader.at = at + len + 1;
                return;
            }
            at += len + 2;
        }
        if self.reader.at < quote {
            self.reader.take(Kind::Name, quote);
        }
        self.reader.punct(1);
    }

    /// A character, a lifetime, or neither.
    fn apostrophe(&mut self) {
        /// Bytes of the longest escape, `\u{10FFFF}` with an underscore behind each digit.
        const ESCAPE_MAX_BYTES: usize = 16;
        self.before = Before::Other;
        let text = self.reader.text;
        let start = self.reader.at + 1;
        let first = self.reader.byte(1);
        let end = if first == b'\\' {
            let rest = text.get(start + 2..).unwrap_or_default();
            let rest = &rest[..rest.len().min(ESCAPE_MAX_BYTES)];
            memchr::memchr2(b'\'', b'\n', rest).map(|len| start + 2 + len)
        } else {
            let len = match first {
                0..0x80 => 1,
                0x80..0xE0 => 2,
                0xE0..0xF0 => 3,
                _ => 4,
            };
            Some(start + len).filter(|_| !matches!(first, b'\'' | b'\n'))
        };
        match end {
            Some(end) if text.get(end) == Some(&b'\'') => {
                self.reader.emit(Kind::Text, start, end);
                self.reader.at = end + 1;
            }
            _ if is(first, LETTER) => {
                // A raw lifetime has hash and name behind its `r`.
                let is_raw = self.reader.byte(1) == b'r'
                    && self.reader.byte(2) == b'#'
                    && is(self.reader.byte(3), LETTER);
                let name = if is_raw { start + 2 } else { start };
                self.reader
                    .take(Kind::Name, self.reader.run_from(name, WORD));
            }
            _ => self.reader.punct(1),
        }
    }

    /// Rust Reference, "Number literals", with any suffix.
    fn number(&mut self) {
        let text = self.reader.text;
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        let digits = |mut at: usize| {
            while byte(at).is_ascii_digit() || byte(at) == b'_' {
                at += 1;
            }
            at
        };
        let start = self.reader.at;
        let mut end;
        if byte(start) == b'0' && matches!(byte(start + 1), b'x' | b'o' | b'b') {
            // Digits and suffix are all of the word.
            end = self.reader.run_from(start, WORD);
        } else {
            end = digits(start);
            let behind = byte(end + 1);
            if byte(end) == b'.' && behind != b'.' && !is(behind, LETTER) {
                end = digits(end + 1);
            }
            if byte(end) | 0x20 == b'e' {
                let signed = usize::from(matches!(byte(end + 1), b'+' | b'-'));
                let exponent = self.reader.run_from(end + 1 + signed, DIGIT);
                if exponent > end + 1 + signed {
                    end = exponent;
                }
            }
            end = self.reader.run_from(end, WORD);
        }
        self.before = Before::Other;
        self.reader.take(Kind::Number, end);
    }

    fn operator(&mut self, byte: u8) {
        let four = self.reader.four();
        let len = operator_len(four);
        self.before = match byte {
            b'.' if len == 1 => Before::Dot,
            b'{' | b',' | b']' | b')' => Before::FieldStart,
            _ => Before::Other,
        };
        match byte {
            b'(' | b'[' | b'{' => {
                self.depth += 1;
                self.braces = self.braces << 1 | u128::from(byte == b'{');
                if byte == b'{' {
                    self.in_head = false;
                }
            }
            b')' | b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.braces >>= 1;
                if byte == b'}' {
                    self.in_head = false;
                    if self.depth == 0 {
                        self.piece = Piece::UnlessOperator;
                    }
                }
            }
            b';' => {
                self.in_head = false;
                if self.depth == 0 {
                    self.piece = Piece::Yes;
                }
            }
            _ => {}
        }
        self.reader.punct(len);
    }
}

/// The quote that closes a raw string with so many hashes, whose text begins at `start`.
fn close_raw(text: &[u8], start: usize, hashes: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let quote = at + memchr::memchr(b'"', text.get(at..)?)?;
        let behind = text.get(quote + 1..quote + 1 + hashes)?;
        if behind.iter().all(|&b| b == b'#') {
            return Some(quote);
        }
        at = quote + 1;
    }
}

/// Bytes of the operator that begins with these.
fn operator_len(four: [u8; 4]) -> usize {
    match four {
        [b'.', b'.', b'.' | b'=', _] => 3,
        [b'<', b'<', b'=', _] | [b'>', b'>', b'=', _] => 3,
        [b':', b':', ..] | [b'-' | b'=', b'>', ..] | [b'.', b'.', ..] => 2,
        [b'<', b'<', ..] | [b'>', b'>', ..] | [b'&', b'&', ..] | [b'|', b'|', ..] => 2,
        [
            b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'&' | b'|' | b'<' | b'>' | b'=' | b'!',
            b'=',
            ..,
        ] => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::super::shown::gives;

    #[test]
    fn strings_of_all_kinds_are_their_text() {
        gives(
            Family::Rust,
            r##""a" b"b" c"c" r"d" br"e\" cr"f""##,
            r"¶ t:a t:b t:c t:d t:e\ t:f",
        );
        gives(
            Family::Rust,
            r###"r#"a"b"# br##"a"#b"## r"""###,
            "¶ t:a\"b t:a\"#b t:",
        );
        gives(
            Family::Rust,
            r#""a\"b\\" "a
b""#,
            "¶ t:a\\\"b\\\\ t:a\nb",
        );
        gives(
            Family::Rust,
            r"'a' '\'' '\n' '\u{1F600}' 'é' '日' b'\\' ' '",
            r"¶ t:a t:\' t:\n t:\u{1F600} t:é t:日 t:\\ t: ",
        );
    }

    #[test]
    fn lifetimes_are_no_characters() {
        gives(Family::Rust, "<'a, 'b: 'a>", "¶ < n:'a , n:'b : n:'a >");
        gives(
            Family::Rust,
            "&'static str 'l: loop {}",
            "¶ & n:'static n:str n:'l : k:loop { }",
        );
        gives(Family::Rust, "'r#async", "¶ n:'r#async");
        gives(
            Family::Rust,
            "f::<'a>('a', '_')",
            "¶ n:f :: < n:'a > ( t:a , t:_ )",
        );
    }

    #[test]
    fn numbers_are_whole() {
        gives(
            Family::Rust,
            "0xFFu8 1_000usize 1.0 1. 1e10 1E+5_f32 0b1010_1010 1f32 0o17",
            "¶ d:0xFFu8 d:1_000usize d:1.0 d:1. d:1e10 d:1E+5_f32 d:0b1010_1010 d:1f32 d:0o17",
        );
        gives(
            Family::Rust,
            "1..2 1.max(2) a.0.1 1..=2",
            "¶ d:1 .. d:2 d:1 . p:max ( d:2 ) n:a . d:0.1 d:1 ..= d:2",
        );
    }

    #[test]
    fn names_are_told_from_properties() {
        gives(
            Family::Rust,
            "a.b().await.r#type",
            "¶ n:a . p:b ( ) . k:await . p:type",
        );
        gives(
            Family::Rust,
            "A { b: c, d, e: f }",
            "¶ n:A { p:b : n:c , n:d , p:e : n:f }",
        );
        gives(
            Family::Rust,
            "struct A<T: B, U: C> { pub a: T, #[x] b: U, pub(crate) c: D }",
            "¶ k:struct n:A < n:T : n:B , n:U : n:C > { k:pub p:a : n:T , # [ n:x ] p:b : n:U , k:pub ( k:crate ) p:c : n:D }",
        );
        gives(
            Family::Rust,
            "impl A { fn f<T: B, U: C>(a: T, b: U) where T: D, U: E {} }",
            "¶ k:impl n:A { k:fn n:f < n:T : n:B , n:U : n:C > ( n:a : n:T , n:b : n:U ) k:where n:T : n:D , n:U : n:E { } }",
        );
        gives(
            Family::Rust,
            "fn f() { let a: B = c; x::y }",
            "¶ k:fn n:f ( ) { k:let n:a : n:B = n:c ; n:x :: n:y }",
        );
        gives(Family::Rust, "r#fn r#match", "¶ n:fn n:match");
    }

    #[test]
    fn comments_give_nothing() {
        gives(
            Family::Rust,
            "// a\n/// b\n//! c\n/* d /* e */ \" */ f /** g */",
            "¶ n:f",
        );
        gives(Family::Rust, "#!/usr/bin/env x\na", "¶ n:a");
        gives(Family::Rust, "#![a]", "¶ # ! [ n:a ]");
    }

    #[test]
    fn pieces_are_items_with_their_attributes() {
        gives(
            Family::Rust,
            "use a;\n#[b]\nfn c() { ; }\nmod d;",
            "¶ k:use n:a ; ¶ # [ n:b ] k:fn n:c ( ) { ; } ¶ k:mod n:d ;",
        );
        gives(
            Family::Rust,
            "static A: B = B {}; struct C;",
            "¶ k:static n:A : n:B = n:B { } ; ¶ k:struct n:C ;",
        );
        gives(Family::Rust, "a! {} b!();", "¶ n:a ! { } ¶ n:b ! ( ) ;");
    }

    #[test]
    fn what_is_broken_is_left_behind_soon() {
        gives(Family::Rust, "a \"open b", "¶ n:a \" n:open n:b");
        gives(Family::Rust, "r#\"open b", "¶ n:r # \" n:open n:b");
        gives(Family::Rust, "/* open /* a */ b", "¶ n:b");
        gives(Family::Rust, "/* open b", "¶ / * n:open n:b");
        gives(Family::Rust, "}} ) fn a() {}", "¶ } } ) k:fn n:a ( ) { }");
        gives(Family::Rust, "'\\", "¶ ' \\");
        gives(Family::Rust, "b\"open", "¶ n:b \" n:open");
    }
}
