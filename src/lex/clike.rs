//! The lexer for C and its kin: C, C++, Objective-C, Java, Go, C#, Kotlin, Swift, PHP.
//!
//! They are one family because most of their tokens are the same; where they are not, a guess at the language decides
//! (`dialect`), made from its first tokens.
//!
//! * A string is a [`Kind::Text`] without its prefix, quotes, hashes and delimiters: plain and character literals, C++ raw
//!   strings, text blocks, Go's and C#'s raw and verbatim strings, heredocs. A string with substitutions (C# `{a}`, Kotlin
//!   `${a}` and `$a`, Swift `\(a)`, PHP `{$a}` and `$a`) is the stretches between them, each a text, also an empty one;
//!   brackets and expression stand between, and a format in C# is a text.
//! * A name behind `.` is a property, and behind `->` in C and PHP, where `.` joins strings. A PHP variable is a name with
//!   its `$`. An escaped identifier (`` `a` ``, `@a`) is a name without the escape.
//! * Keywords are those of all languages together, without those that are common names in others (`type`, `map`, `in`'s
//!   like). Behind `#` of C the words of the preprocessor are keywords, and its lines are tokens like others.
//! * Of PHP, what stands outside `<?php … ?>` is read as the generic lexer reads it.
//! * A piece is what stands at depth 0 up to `;`, or up to a `}` that no operator follows; where line ends separate
//!   statements (Go, Kotlin, Swift), also a keyword in column 0 begins one.
//!
//! Back in step: strings that end on their line cannot do harm beyond it; a longer one that closes nowhere is a mark.

mod dialect;

use super::generic;
use super::reader::{DIGIT, LETTER, Reader, SPACE, WORD, is};
use super::words::Words;
use super::{Kind, Sink};
use dialect::{Dialect, dialect_of};

static KEYWORDS: Words = Words::new(&[
    "abstract",
    "alignas",
    "alignof",
    "asm",
    "assert",
    "async",
    "auto",
    "await",
    "bool",
    "boolean",
    "break",
    "byte",
    "case",
    "catch",
    "chan",
    "char",
    "class",
    "const",
    "const_cast",
    "constexpr",
    "continue",
    "decltype",
    "default",
    "defer",
    "delegate",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "echo",
    "else",
    "elseif",
    "enum",
    "explicit",
    "export",
    "extends",
    "extern",
    "fallthrough",
    "false",
    "final",
    "finally",
    "float",
    "for",
    "foreach",
    "friend",
    "fun",
    "func",
    "function",
    "goto",
    "guard",
    "if",
    "implements",
    "import",
    "in",
    "inline",
    "inout",
    "instanceof",
    "int",
    "interface",
    "internal",
    "is",
    "lateinit",
    "let",
    "long",
    "mutable",
    "namespace",
    "native",
    "new",
    "nil",
    "noexcept",
    "null",
    "nullptr",
    "operator",
    "override",
    "package",
    "private",
    "protected",
    "protocol",
    "public",
    "readonly",
    "register",
    "reinterpret_cast",
    "restrict",
    "rethrows",
    "return",
    "sealed",
    "self",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "strictfp",
    "struct",
    "super",
    "switch",
    "synchronized",
    "template",
    "this",
    "thread_local",
    "throw",
    "throws",
    "trait",
    "transient",
    "true",
    "try",
    "typedef",
    "typename",
    "typeof",
    "union",
    "unsigned",
    "use",
    "using",
    "val",
    "var",
    "virtual",
    "void",
    "volatile",
    "when",
    "while",
    "yield",
]);

/// Words of the preprocessor, behind `#`.
static DIRECTIVES: Words = Words::new(&[
    "define",
    "elif",
    "else",
    "endif",
    "endregion",
    "error",
    "if",
    "ifdef",
    "ifndef",
    "import",
    "include",
    "include_next",
    "line",
    "pragma",
    "region",
    "undef",
    "warning",
]);

/// Substitutions within one another that are kept in mind; what is deeper is text.
const NESTING_MAX: usize = 24;

/// Searches for the end of a string with a delimiter of its own that may fail before no more are made.
const FAILURES_MAX: u8 = 4;

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    let dialect = dialect_of(text);
    let mut lexer = Lexer::new(Reader::new(text, sink), dialect);
    if dialect == Dialect::Php && opening_tag(text, 0).is_some() {
        lexer.outside();
    }
    lexer.run();
}

// ---------------------------------------------------------------------------------------------------------------
// Tokens

/// How a string with substitutions is delimited.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Style {
    /// Quotes on each side.
    quotes: usize,
    /// Swift's hashes, or C#'s dollars.
    marks: usize,
    /// C#'s `@`: two quotes are one of the text, and there are no escapes.
    is_verbatim: bool,
}

/// A substitution that is open.
#[derive(Clone, Copy)]
struct Substitution {
    style: Style,
    /// Brackets that were opened in it.
    depth: u32,
}

/// The token before, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Other,
    /// A property comes.
    Access,
    /// `#`
    Hash,
}

/// Whether the next token begins a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    No,
    Yes,
    /// Only if it is no operator: a `}` came before.
    UnlessOperator,
}

struct Lexer<'t, 's, S> {
    reader: Reader<'t, 's, S>,
    dialect: Dialect,
    before: Before,
    piece: Piece,
    /// The piece ends with `;` only.
    is_typedef: bool,
    depth: u64,
    open: [Substitution; NESTING_MAX],
    /// Entries of `open` in use.
    nesting: usize,
    failures: u8,
    /// From here on no three quotes close a string; no comment closes; no backtick; no quote of PHP, `"` and `'`.
    no_triple: bool,
    no_comment: bool,
    no_backtick: bool,
    no_quote: [bool; 2],
}

impl<'t, 's, S: Sink> Lexer<'t, 's, S> {
    fn new(reader: Reader<'t, 's, S>, dialect: Dialect) -> Self {
        let style = Style {
            quotes: 1,
            marks: 0,
            is_verbatim: false,
        };
        Self {
            reader,
            dialect,
            before: Before::Other,
            piece: Piece::Yes,
            is_typedef: false,
            depth: 0,
            open: [Substitution { style, depth: 0 }; NESTING_MAX],
            nesting: 0,
            failures: 0,
            no_triple: false,
            no_comment: false,
            no_backtick: false,
            no_quote: [false; 2],
        }
    }

    fn run(&mut self) {
        while let Some(&byte) = self.reader.text.get(self.reader.at) {
            self.step(byte);
        }
    }

    /// As [`Self::run`], up to so many steps that are no white space.
    fn run_for(&mut self, steps: usize) {
        let mut left = steps;
        while let Some(&byte) = self.reader.text.get(self.reader.at) {
            self.step(byte);
            if !is(byte, SPACE) {
                left -= 1;
                if left == 0 {
                    return;
                }
            }
        }
    }

    #[inline]
    fn step(&mut self, byte: u8) {
        match byte {
            b'/' if self.reader.byte(1) == b'/' => self.line_comment(),
            b'/' if self.reader.byte(1) == b'*' && self.skips_comment() => {}
            b'#' if self.dialect == Dialect::Php && self.reader.byte(1) != b'[' => {
                self.line_comment()
            }
            b'\\' if matches!(self.reader.byte(1), b'\n' | b'\r') => self.reader.at += 1,
            b'?' if self.dialect == Dialect::Php && self.reader.byte(1) == b'>' => {
                self.reader.at += 2;
                self.outside();
            }
            _ if is(byte, SPACE) => self.reader.at += 1,
            _ => self.token(byte),
        }
    }

    /// Skips a comment up to the end of its line. In C a backslash there joins the next; in PHP `?>` ends it.
    fn line_comment(&mut self) {
        loop {
            let start = self.reader.at;
            let end = self.reader.line_end();
            self.reader.at = end;
            let line = &self.reader.text[start..end];
            match self.dialect {
                Dialect::Php => {
                    if let Some(len) = memchr::memmem::find(line, b"?>") {
                        self.reader.at = start + len;
                    }
                    return;
                }
                Dialect::C
                    if line.trim_ascii_end().ends_with(b"\\") && end < self.reader.text.len() =>
                {
                    self.reader.at = end + 1;
                }
                _ => return,
            }
        }
    }

    /// Skips the comment that begins here; nested ones with it in Kotlin and Swift. One that closes nowhere is none.
    fn skips_comment(&mut self) -> bool {
        if self.no_comment {
            return false;
        }
        let is_nested = matches!(self.dialect, Dialect::Kotlin | Dialect::Swift);
        let text = self.reader.text;
        let (mut at, mut depth) = (self.reader.at + 2, 1u64);
        let mut last_close = None;
        while let Some(len) = memchr::memchr2(b'*', b'/', text.get(at..).unwrap_or_default()) {
            at += len;
            match text.get(at..at + 2) {
                Some(b"*/") => {
                    depth -= 1;
                    at += 2;
                    last_close = Some(at);
                    if depth == 0 {
                        break;
                    }
                }
                Some(b"/*") if is_nested => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        // Where not all that were opened are closed, the last one that is ends them all.
        self.no_comment = last_close.is_none();
        if let Some(end) = last_close {
            self.reader.at = end;
        }
        last_close.is_some()
    }

    #[inline]
    fn token(&mut self, byte: u8) {
        if self.depth == 0 && self.nesting == 0 {
            self.maybe_piece(byte);
        }
        match byte {
            _ if is(byte, LETTER) => self.word(),
            _ if is(byte, DIGIT) => self.number(),
            b'.' if self.reader.byte(1).is_ascii_digit() && self.before != Before::Access => {
                self.number()
            }
            b'"' => self.double_quote(0, 0),
            b'\'' => self.single_quote(),
            b'`' => self.backtick(),
            b'$' => self.dollar(),
            b'@' => self.at_sign(),
            b'#' if self.dialect == Dialect::Swift && self.is_swift_raw() => {}
            b'<' if self.dialect == Dialect::Php
                && self.reader.is_at(b"<<<")
                && self.is_heredoc() => {}
            _ => self.operator(byte),
        }
    }

    fn maybe_piece(&mut self, byte: u8) {
        let is_operator =
            !is(byte, WORD) && !matches!(byte, b'#' | b'@' | b'[' | b'"' | b'~' | b'$');
        let begins = match self.piece {
            Piece::Yes => true,
            Piece::UnlessOperator => !is_operator && !self.is_typedef,
            Piece::No => {
                let is_line_end =
                    matches!(self.dialect, Dialect::Go | Dialect::Kotlin | Dialect::Swift);
                is_line_end
                    && self.reader.at_line_start()
                    && is(byte, LETTER)
                    && KEYWORDS.contain(&self.reader.text[self.reader.at..self.reader.run(WORD)])
            }
        };
        if begins {
            self.is_typedef = self.reader.is_at(b"typedef ");
            self.reader.piece();
        }
        self.piece = Piece::No;
    }

    fn word(&mut self) {
        let start = self.reader.at;
        let mut end = self.reader.run(WORD);
        while self.reader.text.get(end) == Some(&b'$') && self.dialect != Dialect::Php {
            end = self.reader.run_from(end + 1, WORD);
        }
        let word = &self.reader.text[start..end];
        let next = self.reader.text.get(end).copied().unwrap_or(0);
        if matches!(next, b'"' | b'\'')
            && self.dialect == Dialect::C
            && self.prefixed(word, end, next)
        {
            return;
        }
        let kind = match self.before {
            Before::Access => Kind::Property,
            Before::Hash if DIRECTIVES.contain(word) => Kind::Keyword,
            _ if KEYWORDS.contain(word) => Kind::Keyword,
            _ => Kind::Name,
        };
        self.before = Before::Other;
        self.reader.take(kind, end);
    }

    /// A string of C with the prefix `word`; whether it is one.
    fn prefixed(&mut self, word: &[u8], end: usize, quote: u8) -> bool {
        match word {
            b"L" | b"u" | b"U" | b"u8" => {
                self.reader.at = end;
                self.before = Before::Other;
                self.reader.line_string(quote);
                true
            }
            b"R" | b"LR" | b"uR" | b"UR" | b"u8R" if quote == b'"' => self.is_raw_string(end + 1),
            _ => false,
        }
    }

    /// Takes a raw string of C++ whose delimiter begins at `from` (C++ standard, [lex.string]).
    fn is_raw_string(&mut self, from: usize) -> bool {
        /// Bytes of a delimiter.
        const DELIMITER_MAX: usize = 16;
        let rest = self.reader.text.get(from..).unwrap_or_default();
        let Some(len) = rest.iter().take(DELIMITER_MAX + 1).position(|&b| b == b'(') else {
            return false;
        };
        let delimiter = &rest[..len];
        if self.failures >= FAILURES_MAX
            || delimiter
                .iter()
                .any(|&b| matches!(b, b' ' | b')' | b'\\' | b'\t' | b'\n'))
        {
            return false;
        }
        let mut close = [b')'; DELIMITER_MAX + 2];
        close[1..=len].copy_from_slice(delimiter);
        close[len + 1] = b'"';
        let start = from + len + 1;
        let Some(end) = self.reader.find(&close[..len + 2], start) else {
            self.failures += 1;
            return false;
        };
        self.text(start, end, end + len + 2);
        true
    }

    /// A text from `start` to `end`, and goes on at `behind`.
    fn text(&mut self, start: usize, end: usize, behind: usize) {
        self.before = Before::Other;
        self.reader.emit(Kind::Text, start, end);
        self.reader.at = behind;
    }

    /// Digits of any base, with separators, fraction, exponent and suffix.
    fn number(&mut self) {
        let text = self.reader.text;
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        let start = self.reader.at;
        let is_hex = byte(start) == b'0' && byte(start + 1) | 0x20 == b'x';
        let exponent = if is_hex { b'p' } else { b'e' };
        let mut end = start;
        loop {
            let this = byte(end);
            let next = byte(end + 1);
            let goes_on = match this {
                b'.' => {
                    next.is_ascii_digit()
                        || is_hex && next.is_ascii_hexdigit()
                        || matches!(next | 0x20, b'f' | b'd' | b'l') && !is(byte(end + 2), WORD)
                        || next | 0x20 == exponent
                            && matches!(byte(end + 2), b'0'..=b'9' | b'+' | b'-')
                        || !is(next, LETTER) && next != b'.' && self.dialect != Dialect::Php
                }
                b'+' | b'-' => {
                    end > start && byte(end - 1) | 0x20 == exponent && next.is_ascii_digit()
                }
                b'\'' => self.dialect == Dialect::C && end > start && is(next, WORD),
                _ => is(this, WORD),
            };
            if !goes_on {
                break;
            }
            end += 1;
        }
        self.before = Before::Other;
        self.reader.take(Kind::Number, end);
    }

    fn operator(&mut self, byte: u8) {
        let four = self.reader.four();
        let len = operator_len(four);
        self.before = match (byte, len) {
            (b'.', 1) if self.dialect != Dialect::Php => Before::Access,
            (b'?', 2) if four[1] == b'.' => Before::Access,
            (b'-', 2) if four[1] == b'>' && matches!(self.dialect, Dialect::C | Dialect::Php) => {
                Before::Access
            }
            (b'?', 3) if four[1] == b'-' => Before::Access,
            (b'#', _) => Before::Hash,
            _ => Before::Other,
        };
        match byte {
            b'(' | b'[' | b'{' => self.opens(),
            b')' | b']' | b'}' if self.closes(byte) => return,
            b':' if self.dialect == Dialect::CSharp
                && self.nesting > 0
                && self.open[self.nesting - 1].depth == 0 =>
            {
                self.format();
                return;
            }
            b';' if self.depth == 0 => {
                self.piece = Piece::Yes;
                self.is_typedef = false;
            }
            _ => {}
        }
        self.reader.punct(len);
    }

    fn opens(&mut self) {
        self.depth += 1;
        if let Some(top) = self.nesting.checked_sub(1) {
            self.open[top].depth += 1;
        }
    }

    /// Accounts for a closing bracket; whether it ended a substitution, and is done with.
    fn closes(&mut self, byte: u8) -> bool {
        if let Some(top) = self.nesting.checked_sub(1) {
            if self.open[top].depth == 0 {
                let ends = if self.dialect == Dialect::Swift {
                    b')'
                } else {
                    b'}'
                };
                if byte != ends {
                    return false;
                }
                let style = self.open[top].style;
                self.nesting = top;
                let len = if self.dialect == Dialect::CSharp {
                    style.marks.max(1)
                } else {
                    1
                };
                self.reader.punct(len);
                self.stretch(style);
                return true;
            }
            self.open[top].depth -= 1;
        }
        self.depth = self.depth.saturating_sub(1);
        if byte == b'}' && self.depth == 0 {
            self.piece = Piece::UnlessOperator;
        }
        false
    }

    // -----------------------------------------------------------------------------------------------------------
    // Strings

    /// The string that begins with a `"` here, behind so many of C#'s dollars and `@`.
    fn double_quote(&mut self, dollars: usize, verbatim: usize) {
        let quotes = self.reader.text[self.reader.at..]
            .iter()
            .take(16)
            .take_while(|&&b| b == b'"')
            .count();
        let has_blocks = matches!(
            self.dialect,
            Dialect::Java | Dialect::CSharp | Dialect::Kotlin | Dialect::Swift
        );
        let is_verbatim = verbatim > 0;
        if quotes >= 3 && has_blocks && !is_verbatim {
            self.block(
                if self.dialect == Dialect::CSharp {
                    quotes
                } else {
                    3
                },
                dollars,
            );
            return;
        }
        let style = Style {
            quotes: 1,
            marks: dollars,
            is_verbatim,
        };
        match self.dialect {
            Dialect::CSharp if dollars == 0 && !is_verbatim => self.reader_string(b'"'),
            Dialect::CSharp | Dialect::Kotlin | Dialect::Swift => {
                self.reader.at += 1;
                self.stretch(style);
            }
            Dialect::Php => {
                if self.close_long(b'"', self.reader.at + 1).is_some() {
                    self.reader.at += 1;
                    self.stretch(style);
                } else {
                    self.reader.punct(1);
                }
            }
            _ => self.reader_string(b'"'),
        }
    }

    fn reader_string(&mut self, quote: u8) {
        self.before = Before::Other;
        self.reader.line_string(quote);
    }

    /// A string in three or more quotes.
    fn block(&mut self, quotes: usize, dollars: usize) {
        let start = self.reader.at + quotes;
        self.before = Before::Other;
        self.no_triple |= self.reader.find(b"\"\"\"", start).is_none();
        if self.no_triple {
            self.reader.punct(quotes);
            return;
        }
        let style = Style {
            quotes,
            marks: dollars,
            is_verbatim: false,
        };
        match self.dialect {
            Dialect::Java => match self.close_text_block(start) {
                Some(end) => self.text(start, end, end + 3),
                None => {
                    self.no_triple = true;
                    self.reader.punct(quotes);
                }
            },
            _ => {
                self.reader.at = start;
                self.stretch(style);
            }
        }
    }

    /// The quotes that close a text block of Java, in which a backslash takes the next byte along.
    fn close_text_block(&self, start: usize) -> Option<usize> {
        let text = self.reader.text;
        let mut at = start;
        loop {
            at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
            match text.get(at..at + 3) {
                Some(b"\"\"\"") => return Some(at),
                _ if text[at] == b'\\' => at += 2,
                _ => at += 1,
            }
        }
    }

    fn single_quote(&mut self) {
        match self.dialect {
            Dialect::Swift => self.reader.punct(1),
            Dialect::Php => {
                let start = self.reader.at + 1;
                match self.close_long(b'\'', start) {
                    Some(end) => self.text(start, end, end + 1),
                    None => self.reader.punct(1),
                }
            }
            _ => self.reader_string(b'\''),
        }
    }

    /// The quote that closes a string of PHP whose text begins at `from`, on whatever line.
    fn close_long(&mut self, quote: u8, from: usize) -> Option<usize> {
        let slot = usize::from(quote == b'\'');
        if self.no_quote[slot] {
            return None;
        }
        let text = self.reader.text;
        let mut at = from;
        while let Some(len) = memchr::memchr2(quote, b'\\', text.get(at..).unwrap_or_default()) {
            if text[at + len] == quote {
                return Some(at + len);
            }
            at += len + 2;
        }
        self.no_quote[slot] = true;
        None
    }

    fn backtick(&mut self) {
        self.before = Before::Other;
        let start = self.reader.at + 1;
        match self.dialect {
            Dialect::Go | Dialect::Php if !self.no_backtick => {
                match self.reader.find(b"`", start) {
                    Some(end) => self.text(start, end, end + 1),
                    None => {
                        self.no_backtick = true;
                        self.reader.punct(1);
                    }
                }
            }
            Dialect::Kotlin | Dialect::Swift => match self.reader.close_on_line(b'`', start) {
                Some(end) if end > start => {
                    self.reader.emit(Kind::Name, start, end);
                    self.reader.at = end + 1;
                }
                _ => self.reader.punct(1),
            },
            _ => self.reader.punct(1),
        }
    }

    /// A variable of PHP, a string of C# with substitutions, or a name.
    fn dollar(&mut self) {
        let marks = |byte: u8| {
            let rest = &self.reader.text[self.reader.at..];
            rest.iter().take(16).take_while(|&&b| b == byte).count()
        };
        let next = self.reader.byte(1);
        match self.dialect {
            Dialect::CSharp => {
                let dollars = marks(b'$');
                let verbatim = usize::from(self.reader.byte(dollars) == b'@');
                if self.reader.byte(dollars + verbatim) == b'"' {
                    self.reader.at += dollars + verbatim;
                    self.double_quote(dollars, verbatim);
                } else {
                    self.reader.punct(1);
                }
            }
            _ if is(next, WORD) => {
                let end = self.reader.run_from(self.reader.at + 1, WORD);
                let kind = if self.before == Before::Access {
                    Kind::Property
                } else {
                    Kind::Name
                };
                self.before = Before::Other;
                self.reader.take(kind, end);
            }
            _ => self.reader.punct(1),
        }
    }

    /// A verbatim string or identifier of C#, or a mark.
    fn at_sign(&mut self) {
        let next = self.reader.byte(1);
        match self.dialect {
            Dialect::CSharp if next == b'"' => {
                self.reader.at += 1;
                self.verbatim();
            }
            Dialect::CSharp if next == b'$' && self.reader.byte(2) == b'"' => {
                self.reader.at += 2;
                self.double_quote(1, 1);
            }
            Dialect::CSharp if is(next, LETTER) => {
                self.reader.at += 1;
                let end = self.reader.run(WORD);
                let kind = if self.before == Before::Access {
                    Kind::Property
                } else {
                    Kind::Name
                };
                self.before = Before::Other;
                self.reader.take(kind, end);
            }
            _ => self.operator(b'@'),
        }
    }

    /// A verbatim string of C#: two quotes are one of the text.
    fn verbatim(&mut self) {
        let start = self.reader.at + 1;
        let text = self.reader.text;
        let mut at = start;
        while !self.no_quote[0] {
            match memchr::memchr(b'"', text.get(at..).unwrap_or_default()) {
                Some(len) if text.get(at + len + 1) == Some(&b'"') => at += len + 2,
                Some(len) => return self.text(start, at + len, at + len + 1),
                None => self.no_quote[0] = true,
            }
        }
        self.reader.punct(1);
    }

    /// Takes a string of Swift with hashes around it.
    fn is_swift_raw(&mut self) -> bool {
        let rest = &self.reader.text[self.reader.at..];
        let hashes = rest.iter().take(16).take_while(|&&b| b == b'#').count();
        if rest.get(hashes) != Some(&b'"') {
            return false;
        }
        let quotes = if rest[hashes..].starts_with(b"\"\"\"") {
            3
        } else {
            1
        };
        self.reader.at += hashes + quotes;
        self.stretch(Style {
            quotes,
            marks: hashes,
            is_verbatim: false,
        });
        true
    }

    /// Takes a heredoc or nowdoc of PHP as one text, from the line behind its opening to the one before its end.
    fn is_heredoc(&mut self) -> bool {
        let text = self.reader.text;
        let blanks = |at: usize| {
            let rest = text.get(at..).unwrap_or_default();
            at + rest
                .iter()
                .take_while(|&&b| matches!(b, b' ' | b'\t'))
                .count()
        };
        let mut at = blanks(self.reader.at + 3);
        at += usize::from(matches!(text.get(at), Some(b'"' | b'\'')));
        let name =
            &text[at.min(text.len())..self.reader.run_from(at, WORD).max(at.min(text.len()))];
        if name.is_empty() || self.failures >= FAILURES_MAX {
            return false;
        }
        let line_behind = |at: usize| {
            let rest = text.get(at..).unwrap_or_default();
            memchr::memchr(b'\n', rest).map(|len| at + len + 1)
        };
        let first = line_behind(at);
        let mut line = first;
        while let (Some(first), Some(start)) = (first, line) {
            let end = blanks(start);
            let rest = &text[end..];
            if rest.starts_with(name) && !rest.get(name.len()).is_some_and(|&b| is(b, WORD)) {
                self.text(first, (start - 1).max(first), end + name.len());
                return true;
            }
            line = line_behind(start);
        }
        self.failures += 1;
        false
    }

    /// A format of C#, behind the `:` here.
    fn format(&mut self) {
        self.reader.punct(1);
        let start = self.reader.at;
        let rest = &self.reader.text[start..];
        let len = memchr::memchr3(b'}', b'"', b'\n', rest).unwrap_or(rest.len());
        if len > 0 {
            self.text(start, start + len, start + len);
        }
    }

    /// A stretch of a string from here on, up to a substitution or the end of the string.
    fn stretch(&mut self, style: Style) {
        let text = self.reader.text;
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        let mut start = self.reader.at;
        let mut at = start;
        let is_block = style.quotes >= 3;
        let spans_lines = is_block || style.is_verbatim || self.dialect == Dialect::Php;
        let has_escapes = match self.dialect {
            Dialect::Kotlin | Dialect::CSharp => !is_block && !style.is_verbatim,
            Dialect::Swift => style.marks == 0,
            _ => true,
        };
        self.before = Before::Other;
        while at < text.len() {
            let this = text[at];
            match this {
                b'"' => {
                    let run = text[at..]
                        .iter()
                        .take(style.quotes + 16)
                        .take_while(|&&b| b == b'"')
                        .count();
                    if style.is_verbatim && run >= 2 {
                        at += 2;
                        continue;
                    }
                    let hashes = if self.dialect == Dialect::Swift {
                        style.marks
                    } else {
                        0
                    };
                    if run < style.quotes {
                        at += run;
                        continue;
                    }
                    // Of a longer run of quotes, the last ones close in Kotlin.
                    let extra = if is_block && self.dialect == Dialect::Kotlin {
                        run - 3
                    } else {
                        0
                    };
                    let behind = at + extra + style.quotes;
                    if text[behind..]
                        .iter()
                        .take(hashes)
                        .filter(|&&b| b == b'#')
                        .count()
                        < hashes
                    {
                        at += 1;
                        continue;
                    }
                    self.text(start, at + extra, behind + hashes);
                    return;
                }
                b'\\'
                    if self.dialect == Dialect::Swift && self.is_swift_substitution(at, style) =>
                {
                    let paren = at + 1 + style.marks;
                    self.substitute(style, start, at, paren, 1);
                    return;
                }
                b'\\' if has_escapes => at += 2,
                b'\n' if !spans_lines => break,
                b'{' if self.dialect == Dialect::CSharp && style.marks > 0 => {
                    let run = text[at..]
                        .iter()
                        .take(style.marks + 16)
                        .take_while(|&&b| b == b'{')
                        .count();
                    let is_escape = if is_block {
                        run < style.marks
                    } else {
                        run % 2 == 0
                    };
                    if is_escape || self.nesting == NESTING_MAX {
                        at += run;
                        continue;
                    }
                    // The last braces of a run open; those before are text.
                    let len = if is_block { style.marks } else { 1 };
                    self.substitute(style, start, at + run - len, at + run - len, len);
                    return;
                }
                b'$' if self.dialect == Dialect::Kotlin
                    && byte(at + 1) == b'{'
                    && self.nesting < NESTING_MAX =>
                {
                    self.substitute(style, start, at, at, 2);
                    return;
                }
                b'{' if self.dialect == Dialect::Php
                    && byte(at + 1) == b'$'
                    && self.nesting < NESTING_MAX =>
                {
                    self.substitute(style, start, at, at, 1);
                    return;
                }
                b'$' if matches!(self.dialect, Dialect::Kotlin | Dialect::Php)
                    && is(byte(at + 1), LETTER) =>
                {
                    let end = self.reader.run_from(at + 1, WORD);
                    self.reader.emit(Kind::Text, start, at);
                    let name = if self.dialect == Dialect::Php {
                        at
                    } else {
                        at + 1
                    };
                    self.reader.emit(Kind::Name, name, end);
                    at = end;
                    start = end;
                }
                _ => at += 1,
            }
        }
        let at = at.min(text.len());
        self.text(start, at, at);
    }

    fn is_swift_substitution(&self, at: usize, style: Style) -> bool {
        let behind = self.reader.text.get(at + 1..).unwrap_or_default();
        self.nesting < NESTING_MAX
            && behind.iter().take(16).take_while(|&&b| b == b'#').count() >= style.marks
            && behind.get(style.marks) == Some(&b'(')
    }

    /// Ends a stretch at `end` and opens a substitution, whose opening of `len` bytes stands at `open`.
    fn substitute(&mut self, style: Style, start: usize, end: usize, open: usize, len: usize) {
        self.reader.emit(Kind::Text, start, end);
        self.reader.at = open;
        self.reader.punct(len);
        self.open[self.nesting] = Substitution { style, depth: 0 };
        self.nesting += 1;
    }

    // -----------------------------------------------------------------------------------------------------------
    // PHP

    /// Reads what stands outside PHP from here on, and goes on behind the next opening tag.
    fn outside(&mut self) {
        let tag = opening_tag(self.reader.text, self.reader.at);
        let (end, behind) = tag.unwrap_or((self.reader.text.len(), self.reader.text.len()));
        let mut part = self.reader.part(end);
        generic::lex_all(&mut part);
        self.reader.at = behind;
        self.before = Before::Other;
    }
}

/// Where PHP begins from `from` on, and where it has begun.
fn opening_tag(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    memchr::memmem::find_iter(rest, b"<?").find_map(|at| {
        let tag = &rest[at..];
        let len = if tag.starts_with(b"<?php") {
            5
        } else if tag.starts_with(b"<?=") {
            3
        } else {
            return None;
        };
        Some((from + at, from + at + len))
    })
}

/// Bytes of the operator that begins with these.
fn operator_len(four: [u8; 4]) -> usize {
    match four {
        [b'>', b'>', b'>', b'='] => 4,
        [b'>', b'>', b'>', _] | [b'.', b'.', b'.' | b'<', _] => 3,
        [b'<', b'<', b'=', _] | [b'>', b'>', b'=', _] => 3,
        [b'=' | b'!', b'=', b'=', _]
        | [b'<', b'=', b'>', _]
        | [b'?', b'-', b'>', _]
        | [b'?', b'?', b'=', _] => 3,
        [b'-', b'>', b'*', _] => 3,
        [b':', b':' | b'=', ..] | [b'-' | b'=', b'>', ..] | [b'.', b'.', ..] => 2,
        [b'?', b'.' | b'?' | b':', ..] => 2,
        [b'<', b'<' | b'-', ..] | [b'>', b'>', ..] => 2,
        [b'&', b'&' | b'^', ..] | [b'|', b'|', ..] | [b'+', b'+', ..] | [b'-', b'-', ..] => 2,
        [b'#', b'#', ..] | [b'!', b'!', ..] => 2,
        [
            b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'&' | b'|' | b'<' | b'>' | b'=' | b'!'
            | b'.',
            b'=',
            ..,
        ] => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::super::shown::{gives, shown};

    /// Lines that tell a language.
    const GO: &str = "package a\n";
    const JAVA: &str = "package a.b;\n";
    const CSHARP: &str = "using System;\nnamespace A;\n";
    const KOTLIN: &str = "package a.b\n";
    const SWIFT: &str = "import Foundation\n";

    /// Behind lines that tell a language, a text gives these tokens.
    #[track_caller]
    fn gives_behind(head: &str, text: &str, tokens: &str) {
        let all = shown(Family::Clike, &format!("{head};\n{text}"));
        assert!(all.ends_with(&format!("; ¶ {tokens}")), "{text}\n{all}");
    }

    #[test]
    fn c_and_cpp() {
        gives(
            Family::Clike,
            "#include <a/b.h>\n#define X(y) \\\n  y",
            "¶ # k:include < n:a / n:b . p:h > # k:define n:X ( n:y ) n:y",
        );
        gives(
            Family::Clike,
            "L\"a\" u8\"b\" 'c' L'\\''",
            "¶ t:a t:b t:c t:\\'",
        );
        gives(
            Family::Clike,
            "auto a = R\"x(b)\")y)x\" + R\"(c)\";",
            "¶ k:auto n:a = t:b)\")y + t:c ;",
        );
        gives(Family::Clike, "a->b.c::d", "¶ n:a -> p:b . p:c :: n:d");
        gives(
            Family::Clike,
            "1'000'000 0x1.8p-3 1.f 1e-5L 0xFFull .5 1.",
            "¶ d:1'000'000 d:0x1.8p-3 d:1.f d:1e-5L d:0xFFull d:.5 d:1.",
        );
        gives(Family::Clike, "a // b \\\nc\nd /* ' */ e", "¶ n:a n:d n:e");
        gives(
            Family::Clike,
            "int a; struct b { int c; }; d e() {}\nf();",
            "¶ k:int n:a ; ¶ k:struct n:b { k:int n:c ; } ; ¶ n:d n:e ( ) { } ¶ n:f ( ) ;",
        );
        gives(
            Family::Clike,
            "typedef struct { int a; } b; c d;",
            "¶ k:typedef k:struct { k:int n:a ; } n:b ; ¶ n:c n:d ;",
        );
        gives(
            Family::Clike,
            "a <<= b >>= c <=> d ... e",
            "¶ n:a <<= n:b >>= n:c <=> n:d ... n:e",
        );
    }

    #[test]
    fn java() {
        gives_behind(
            JAVA,
            "a = \"\"\"\n b\\\"\"\" \"c\"\n\"\"\"",
            "n:a = t:\n b\\\"\"\" \"c\"\n",
        );
        gives_behind(
            JAVA,
            "@A(b = '\\'') c.class x -> y",
            "@ n:A ( n:b = t:\\' ) n:c . p:class n:x -> n:y",
        );
    }

    #[test]
    fn go() {
        gives_behind(GO, "a := `b\\` + 'c' + \"d\"", "n:a := t:b\\ + t:c + t:d");
        gives_behind(GO, "c <- `a\n\"b`", "n:c <- t:a\n\"b");
        assert_eq!(
            shown(
                Family::Clike,
                "package a\nimport \"b\"\nfunc c() {\n}\nfunc d() {}\n"
            ),
            "¶ k:package n:a ¶ k:import t:b ¶ k:func n:c ( ) { } ¶ k:func n:d ( ) { }"
        );
    }

    #[test]
    fn csharp() {
        gives_behind(
            CSHARP,
            r#"a = @"b\" + @class.@d"#,
            r"n:a = t:b\ + n:class . p:d",
        );
        gives_behind(
            CSHARP,
            r#"$"a{b:0.0}{{c}}{d["e"]}""#,
            r#"t:a { n:b : t:0.0 } t:{{c}} { n:d [ t:e ] } t:"#,
        );
        gives_behind(CSHARP, "$@\"a\"\"{b}\nc\"", "t:a\"\" { n:b } t:\nc");
        gives_behind(CSHARP, "@\"a\"\"b\n\"", "t:a\"\"b\n");
        gives_behind(CSHARP, "\"\"\"\"a\"\"\"b\"\"\"\"", "t:a\"\"\"b");
        gives_behind(CSHARP, "$$\"\"\"{a}{{b}}\"\"\"", "t:{a} {{ n:b }} t:");
    }

    #[test]
    fn kotlin() {
        gives_behind(
            KOTLIN,
            r#""a$b.c${d("e")}\$f""#,
            r#"t:a n:b t:.c ${ n:d ( t:e ) } t:\$f"#,
        );
        gives_behind(
            KOTLIN,
            "\"\"\"a\n\"b\" ${c}\"\"\"\"",
            "t:a\n\"b\"  ${ n:c } t:\"",
        );
        gives_behind(KOTLIN, "/* a /* b */ c */ `d e` 1..2", "n:d e d:1 .. d:2");
        gives_behind(
            KOTLIN,
            "a?.b ?: 1.toString()",
            "n:a ?. p:b ?: d:1 . p:toString ( )",
        );
    }

    #[test]
    fn swift() {
        gives_behind(
            SWIFT,
            r##""a\(b("c"))d" #"e\(f)\#(g)"# `in`"##,
            r"t:a ( n:b ( t:c ) ) t:d t:e\(f) ( n:g ) t: n:in",
        );
        gives_behind(
            SWIFT,
            "\"\"\"\n \"a\" \\(b)\n\"\"\" $0",
            "t:\n \"a\"  ( n:b ) t:\n n:$0",
        );
        gives_behind(
            SWIFT,
            "f() -> A 0...5 0..<5",
            "n:f ( ) -> n:A d:0 ... d:5 d:0 ..< d:5",
        );
    }

    #[test]
    fn php() {
        gives(
            Family::Clike,
            "<p>it's</p><?php $a->b . 'c\n'; # d ?>x<?= $e ?>",
            "< n:p > n:it ' n:s < / n:p > ¶ n:$a -> p:b . t:c\n ; n:x ¶ n:$e",
        );
        gives(
            Family::Clike,
            "<?php \"a $b {$c['d']} \\$e\";",
            "¶ t:a  n:$b t:  { n:$c [ t:d ] } t: \\$e ;",
        );
        gives(
            Family::Clike,
            "<?php $a = <<<'X'\nb $c\n  X;\n$d = <<<Y\nY\n. 'e';",
            "¶ n:$a = t:b $c ; ¶ n:$d = t: . t:e ;",
        );
        gives(
            Family::Clike,
            "<?php #[A]\nf(); // b",
            "¶ # [ n:A ] n:f ( ) ;",
        );
        gives(
            Family::Clike,
            "<?php A::$b?->c ?? `ls`;",
            "¶ n:A :: n:$b ?-> p:c ?? t:ls ;",
        );
    }

    #[test]
    fn what_is_broken_is_left_behind_soon() {
        gives(
            Family::Clike,
            "a = \"open\nb = 'c';",
            "¶ n:a = \" n:open n:b = t:c ;",
        );
        gives(Family::Clike, "/* open a", "¶ / * n:open n:a");
        gives(Family::Clike, "R\"x(open", "¶ n:R \" n:x ( n:open");
        gives(Family::Clike, "} ) ] a", "¶ } ) ] n:a");
        gives_behind(JAVA, "\"\"\"open", "\"\"\" n:open");
        gives_behind(KOTLIN, "\"${\"${", "t: ${ t: ${");
        gives(Family::Clike, "<?php <<<X\na", "¶ << < n:X n:a");
    }
}
