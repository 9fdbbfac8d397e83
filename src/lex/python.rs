//! The lexer for Python, 2 and 3.
//!
//! * A string is one [`Kind::Text`] without prefix and quotes; a docstring is a string like any other, since what strips
//!   comments leaves docstrings alone. An f-string (and a t-string) is the stretches between its substitutions, each a
//!   text, also an empty one; between them stand `{`, the tokens of the expression, and `}`. A format specification is a
//!   text behind `:`, where it is not empty.
//! * A name behind `.` is a property, and so is the name of a keyword argument in a call. A parameter of `def` is a name,
//!   also where it has a default.
//! * Soft keywords (`match`, `case`, `type`) are names: so they are in most code.
//! * A piece begins with a token in column 0 outside all brackets, but not with what goes on with the statement before
//!   (`else`, `except`, …) nor between decorators and what they decorate. Lines joined by `;` are one piece.
//! * Line breaks and indentation give no tokens.
//!
//! Back in step: a word of the language that can only begin a statement closes all brackets where it begins a line. A
//! quote directly behind a word or a `.` that cannot stand before a string opens none; nor do three quotes alone on an
//! indented line where no statement allows them, which is how the end of a docstring looks whose beginning was cut off.

use super::reader::{DIGIT, LETTER, Reader, SPACE, WORD, is};
use super::words::Words;
use super::{Kind, Sink};

static KEYWORDS: Words = Words::new(&[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
]);

/// Keywords that stand only at the beginning of a statement, so never within brackets.
static STARTERS: Words = Words::new(&[
    "assert", "break", "class", "continue", "def", "del", "elif", "except", "finally", "global",
    "import", "nonlocal", "pass", "raise", "return", "try", "while", "with",
]);

/// Brackets that are kept in mind. Those that are opened deeper are counted only.
const DEPTH_MAX: usize = 128;

/// How a string is delimited.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Style {
    quote: u8,
    is_triple: bool,
    is_raw: bool,
}

/// What was opened and is not closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// `[`, `{`
    Bracket,
    /// `(` behind anything but the name of a function that is defined.
    Call,
    /// `(` of the parameters of `def`.
    Parameters,
    /// `{` of a substitution in a string of this style; `in_format` where it stands in the format of another one.
    Substitution { style: Style, in_format: bool },
}

/// The token before, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Dot,
    /// `(` or `,`
    OpenOrComma,
    /// `:`, `=`, or an operator or bracket that has something behind it.
    Operator,
    Def,
    /// The name behind `def`.
    DefName,
    Keyword,
    /// An operand: a name, a number, a string, a closing bracket.
    Operand,
}

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    let mut lexer = Lexer {
        reader: Reader::new(text, sink),
        open: [Open::Bracket; DEPTH_MAX],
        depth: 0,
        deeper: 0,
        before: Before::Nothing,
        is_line_start: true,
        is_joined: false,
        is_decorated: false,
        seen_prose: false,
        seen_triple: false,
        unclosed: [false; 2],
    };
    lexer.run();
}

struct Lexer<'t, 's, S> {
    reader: Reader<'t, 's, S>,
    open: [Open; DEPTH_MAX],
    /// Entries of `open` in use.
    depth: usize,
    /// Brackets that were opened when `open` was full.
    deeper: u64,
    before: Before,
    /// No token on this line so far.
    is_line_start: bool,
    /// The line before ends with a backslash.
    is_joined: bool,
    /// The piece has only decorators so far.
    is_decorated: bool,
    /// Two words stood side by side on a line, as in no program.
    seen_prose: bool,
    /// A string in three quotes came before.
    seen_triple: bool,
    /// From here on, no three quotes `"`, or `'`, close a string.
    unclosed: [bool; 2],
}

impl<S: Sink> Lexer<'_, '_, S> {
    fn run(&mut self) {
        while let Some(&byte) = self.reader.text.get(self.reader.at) {
            match byte {
                b'\n' => {
                    self.is_line_start = true;
                    self.reader.at += 1;
                    self.reader.pass_blanks();
                }
                b'#' => self.reader.at = self.reader.line_end(),
                b'\\' if self.joins_lines() => {}
                _ if is(byte, SPACE) => self.reader.at += 1,
                _ => self.token(byte),
            }
        }
    }

    /// Skips a backslash at the end of a line.
    fn joins_lines(&mut self) -> bool {
        let len = match (self.reader.byte(1), self.reader.byte(2)) {
            (b'\n', _) => 2,
            (b'\r', b'\n') => 3,
            _ => return false,
        };
        self.reader.at += len;
        self.is_joined = true;
        true
    }

    #[inline]
    fn token(&mut self, byte: u8) {
        if self.is_line_start && self.depth == 0 && self.deeper == 0 && !self.is_joined {
            self.maybe_piece(byte);
        }
        match byte {
            _ if is(byte, LETTER) => self.word(),
            b'"' | b'\'' => self.bare_quote(byte),
            b'.' if self.reader.byte(1).is_ascii_digit() => self.number(),
            _ if is(byte, DIGIT) => self.number(),
            _ => self.operator(byte),
        }
        self.is_line_start = false;
        self.is_joined = false;
    }

    /// Says a piece where one begins: in column 0.
    fn maybe_piece(&mut self, byte: u8) {
        if !self.reader.at_line_start() {
            return;
        }
        let reader = &self.reader;
        let word = &reader.text[reader.at..reader.run(WORD)];
        if matches!(word, b"else" | b"elif" | b"except" | b"finally") {
            return;
        }
        let goes_on =
            self.is_decorated && (byte == b'@' || matches!(word, b"def" | b"class" | b"async"));
        self.is_decorated = byte == b'@';
        if !goes_on {
            self.reader.piece();
        }
    }

    fn word(&mut self) {
        let start = self.reader.at;
        let end = self.reader.run(WORD);
        let word = &self.reader.text[start..end];
        if let Some(&quote @ (b'"' | b'\'')) = self.reader.text.get(end)
            && let Some((is_raw, is_formatted)) = prefix(word)
        {
            self.reader.at = end;
            self.string(quote, is_raw, is_formatted);
            return;
        }
        if KEYWORDS.contain(word) {
            if self.is_line_start && self.depth > 0 && STARTERS.contain(word) {
                (self.depth, self.deeper) = (0, 0);
                if self.reader.at_line_start() {
                    self.reader.piece();
                }
            }
            self.before = if word == b"def" {
                Before::Def
            } else {
                Before::Keyword
            };
            self.reader.take(Kind::Keyword, end);
            return;
        }
        self.seen_prose |= self.before == Before::Operand && !self.is_line_start;
        let kind = if self.before == Before::Dot || self.is_argument(end) {
            Kind::Property
        } else {
            Kind::Name
        };
        self.before = if self.before == Before::Def {
            Before::DefName
        } else {
            Before::Operand
        };
        self.reader.take(kind, end);
    }

    /// Whether the word that ends at `end` names an argument of a call.
    fn is_argument(&self, end: usize) -> bool {
        self.before == Before::OpenOrComma
            && self.innermost() == Some(Open::Call)
            && matches!(self.reader.behind_blanks(end), (b'=', next) if next != b'=')
    }

    fn innermost(&self) -> Option<Open> {
        if self.deeper > 0 {
            return Some(Open::Bracket);
        }
        self.depth.checked_sub(1).map(|top| self.open[top])
    }

    fn push(&mut self, open: Open) {
        if self.depth < DEPTH_MAX {
            self.open[self.depth] = open;
            self.depth += 1;
        } else {
            self.deeper += 1;
        }
    }

    fn pop(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else {
            self.depth = self.depth.saturating_sub(1);
        }
    }

    // Numbers and operators

    /// Section "Numeric literals" of Python's reference; also the `L` and the bare leading zero of Python 2.
    fn number(&mut self) {
        let text = self.reader.text;
        let start = self.reader.at;
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        let digits = |mut at: usize| {
            while byte(at).is_ascii_digit() || (byte(at) == b'_' && byte(at + 1).is_ascii_digit()) {
                at += 1;
            }
            at
        };
        let mut end;
        if byte(start) == b'0' && matches!(byte(start + 1) | 0x20, b'x' | b'o' | b'b') {
            let is_digit = |digit: u8| match byte(start + 1) | 0x20 {
                b'x' => digit.is_ascii_hexdigit(),
                b'o' => matches!(digit, b'0'..=b'7'),
                _ => matches!(digit, b'0' | b'1'),
            };
            end = start + 2;
            while is_digit(byte(end)) || (byte(end) == b'_' && is_digit(byte(end + 1))) {
                end += 1;
            }
        } else {
            end = digits(start);
            if byte(end) == b'.' && byte(end + 1) != b'.' {
                end = digits(end + 1);
            }
            if byte(end) | 0x20 == b'e' {
                let signed = usize::from(matches!(byte(end + 1), b'+' | b'-'));
                if byte(end + 1 + signed).is_ascii_digit() {
                    end = digits(end + 1 + signed);
                }
            }
            if byte(end) | 0x20 == b'j' {
                end += 1;
            }
        }
        if byte(end) | 0x20 == b'l' && !is(byte(end + 1), WORD) {
            end += 1;
        }
        self.before = Before::Operand;
        self.reader.take(Kind::Number, end);
    }

    fn operator(&mut self, byte: u8) {
        match byte {
            b'(' => {
                let open = if self.before == Before::DefName {
                    Open::Parameters
                } else {
                    Open::Call
                };
                self.push(open);
                self.before = Before::OpenOrComma;
                self.reader.punct(1);
            }
            b'[' | b'{' => {
                self.push(Open::Bracket);
                self.before = Before::Operator;
                self.reader.punct(1);
            }
            b')' | b']' | b'}' => self.close(byte),
            b':' if self.is_substitution() => self.format(),
            _ => {
                self.before = match byte {
                    b',' => Before::OpenOrComma,
                    b'.' if !self.reader.is_at(b"...") => Before::Dot,
                    b'.' => Before::Operand,
                    _ => Before::Operator,
                };
                self.reader.punct(operator_len(self.reader.four()));
            }
        }
    }

    fn is_substitution(&self) -> bool {
        matches!(self.innermost(), Some(Open::Substitution { .. }))
    }

    fn close(&mut self, byte: u8) {
        let substitution = match self.innermost() {
            Some(Open::Substitution { style, in_format }) => Some((style, in_format)),
            _ => None,
        };
        self.before = Before::Operand;
        self.reader.punct(1);
        match substitution {
            None => self.pop(),
            Some((style, in_format)) if byte == b'}' => {
                self.pop();
                self.stretch(style, in_format);
            }
            // A bracket that was opened nowhere.
            Some(_) => {}
        }
    }

    // Strings

    /// A quote without a prefix.
    fn bare_quote(&mut self, quote: u8) {
        if self.closes_something(quote) {
            let is_triple = self.reader.byte(1) == quote && self.reader.byte(2) == quote;
            self.seen_triple |= is_triple;
            self.before = Before::Operator;
            self.reader.punct(if is_triple { 3 } else { 1 });
        } else {
            self.string(quote, false, false);
        }
    }

    /// Whether a quote stands where no string can begin: directly behind a word or a `.`, or as the end of a docstring
    /// whose beginning is not there.
    fn closes_something(&self, quote: u8) -> bool {
        let reader = &self.reader;
        let before = reader.at.checked_sub(1).map_or(b' ', |at| reader.text[at]);
        if is(before, WORD) {
            // Keywords may stand there, and numbers, and what Python 2 had for statements.
            return self.before == Before::Operand && !self.is_behind_statement_word();
        }
        if before == b'.' {
            return true;
        }
        let is_triple = reader.byte(1) == quote && reader.byte(2) == quote;
        let alone = is_triple
            && self.is_line_start
            && matches!(reader.behind_blanks(reader.at + 3).0, b'\n' | b'\r' | 0);
        alone
            && self.seen_prose
            && !self.seen_triple
            && !reader.at_line_start()
            && self.depth == 0
            && matches!(self.before, Before::Operand | Before::Dot)
    }

    /// Whether the word directly before is a number, or `print` or `exec`.
    fn is_behind_statement_word(&self) -> bool {
        let head = &self.reader.text[..self.reader.at];
        let tail = &head[head.len().saturating_sub(6)..];
        tail.ends_with(b"print") || tail.ends_with(b"exec") || tail.ends_with(b"0") || {
            let start = tail
                .iter()
                .rposition(|&b| !is(b, WORD))
                .map_or(0, |at| at + 1);
            tail.get(start).is_some_and(u8::is_ascii_digit)
        }
    }

    /// The string whose first quote is here.
    fn string(&mut self, quote: u8, is_raw: bool, is_formatted: bool) {
        let is_triple = self.reader.byte(1) == quote && self.reader.byte(2) == quote;
        let style = Style {
            quote,
            is_triple,
            is_raw,
        };
        let start = self.reader.at + style.len();
        let end = if is_triple {
            self.seen_triple = true;
            self.close_triple(quote, start)
        } else {
            self.reader.close_on_line(quote, start)
        };
        self.before = Before::Operand;
        match end {
            // Where it closes is not where a formatted one ends: quotes within substitutions may be the same.
            _ if is_formatted && (end.is_some() || !is_triple) => {
                self.reader.at = start;
                self.stretch(style, false);
            }
            Some(end) => {
                self.reader.emit(Kind::Text, start, end);
                self.reader.at = end + style.len();
            }
            None => {
                self.before = Before::Operator;
                self.reader.punct(style.len());
            }
        }
    }

    /// The first of the three quotes that close a string whose text begins at `from`.
    fn close_triple(&mut self, quote: u8, from: usize) -> Option<usize> {
        let unclosed = usize::from(quote == b'\'');
        if self.unclosed[unclosed] {
            return None;
        }
        let text = self.reader.text;
        let mut at = from;
        while let Some(rest) = text.get(at..) {
            let Some(len) = memchr::memchr2(quote, b'\\', rest) else {
                break;
            };
            match rest[len..] {
                [b'\\', ..] => at += len + 2,
                [a, b, c, ..] if a == b && b == c => return Some(at + len),
                _ => at += len + 1,
            }
        }
        self.unclosed[unclosed] = true;
        None
    }

    /// The format behind the `:` here, in a substitution.
    fn format(&mut self) {
        self.reader.punct(1);
        if let Some(Open::Substitution { style, .. }) = self.innermost() {
            self.stretch(style, true);
        }
    }

    /// A stretch of a formatted string from here on, up to a substitution or the end of the string; `in_format` where it is
    /// the format of a substitution.
    fn stretch(&mut self, style: Style, mut in_format: bool) {
        let text = self.reader.text;
        let mut start = self.reader.at;
        let mut at = start;
        self.before = Before::Operand;
        while let Some(&byte) = text.get(at) {
            let next = text.get(at + 1).copied().unwrap_or(0);
            match byte {
                b'\\' if matches!(next, b'{' | b'}') => at += 1,
                b'\\' if next == b'N' && !style.is_raw && text.get(at + 2) == Some(&b'{') => {
                    at = named_character(text, at + 3);
                }
                b'\\' => at += 2,
                b'{' if next == b'{' && !in_format => at += 2,
                b'{' if self.depth < DEPTH_MAX => {
                    self.emit_stretch(start, at, in_format);
                    self.push(Open::Substitution { style, in_format });
                    self.reader.at = at;
                    self.reader.punct(1);
                    self.before = Before::Operator;
                    return;
                }
                b'}' if in_format => {
                    self.emit_stretch(start, at, true);
                    self.reader.at = at;
                    self.reader.punct(1);
                    // The substitution whose format this was ends; on with what it stands in.
                    match self.innermost() {
                        Some(Open::Substitution {
                            in_format: outer, ..
                        }) => in_format = outer,
                        _ => in_format = false,
                    }
                    self.pop();
                    at += 1;
                    start = at;
                }
                b'}' if next == b'}' => at += 2,
                _ if byte == style.quote => {
                    let closes =
                        !style.is_triple || (next == byte && text.get(at + 2) == Some(&byte));
                    if closes {
                        self.end_stretch(start, at, in_format);
                        self.reader.at = at + style.len();
                        return;
                    }
                    at += 1;
                }
                b'\n' if !style.is_triple => break,
                _ => at += 1,
            }
        }
        let at = at.min(text.len());
        self.end_stretch(start, at, in_format);
        self.reader.at = at;
    }

    fn emit_stretch(&mut self, start: usize, end: usize, in_format: bool) {
        if start < end || !in_format {
            self.reader.emit(Kind::Text, start, end);
        }
    }

    /// The string ends; so do, where it ends within a format, the substitutions of that string.
    fn end_stretch(&mut self, start: usize, end: usize, mut in_format: bool) {
        self.emit_stretch(start, end, in_format);
        while in_format {
            in_format = matches!(
                self.innermost(),
                Some(Open::Substitution {
                    in_format: true,
                    ..
                })
            );
            self.pop();
        }
    }
}

impl Style {
    /// Bytes of its quotes on one side.
    fn len(self) -> usize {
        if self.is_triple { 3 } else { 1 }
    }
}

/// Behind the closing brace of `\N{…}`, whose name begins at `from`. Names of characters are short and are of letters,
/// digits, blanks and hyphens.
fn named_character(text: &[u8], from: usize) -> usize {
    const NAME_MAX_BYTES: usize = 100;
    let name = text.get(from..).unwrap_or_default();
    let name = &name[..name.len().min(NAME_MAX_BYTES)];
    match name
        .iter()
        .position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b' ' | b'-'))
    {
        Some(len) if name[len] == b'}' => from + len + 1,
        _ => from - 1,
    }
}

/// Whether a word is the prefix of a string: and then, whether the string is raw, and whether it is formatted.
fn prefix(word: &[u8]) -> Option<(bool, bool)> {
    match word {
        [a] => match a | 0x20 {
            b'r' => Some((true, false)),
            b'b' | b'u' => Some((false, false)),
            b'f' | b't' => Some((false, true)),
            _ => None,
        },
        [a, b] => match [a | 0x20, b | 0x20] {
            [b'b', b'r'] | [b'r', b'b'] | [b'u', b'r'] => Some((true, false)),
            [b'f' | b't', b'r'] | [b'r', b'f' | b't'] => Some((true, true)),
            _ => None,
        },
        _ => None,
    }
}

/// Bytes of the operator that begins with these.
fn operator_len(four: [u8; 4]) -> usize {
    match four {
        [b'.', b'.', b'.', _] => 3,
        [b'*' | b'/' | b'<' | b'>', second, third, _] if four[0] == second => {
            2 + usize::from(third == b'=')
        }
        [b'-', b'>', ..] | [b'<', b'>', ..] => 2,
        [
            b':' | b'+' | b'-' | b'*' | b'/' | b'%' | b'@' | b'&' | b'|' | b'^' | b'<' | b'>'
            | b'=' | b'!',
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
    fn strings_of_every_prefix_are_their_text() {
        gives(Family::Python, "'a' \"b\" ''", "¶ t:a t:b t:");
        gives(
            Family::Python,
            "u'a' b'b' r'c' Rb'd' bR'e' ur'f'",
            "¶ t:a t:b t:c t:d t:e t:f",
        );
        gives(Family::Python, r"'\'' r'\' ' '\\'", r"¶ t:\' t:\'  t:\\");
        gives(Family::Python, "'a\\\nb'", "¶ t:a\\\nb");
        gives(
            Family::Python,
            "'''a'b''c\n''' \"\"\"\\\"\"\"\"",
            "¶ t:a'b''c\n t:\\\"",
        );
        gives(Family::Python, "x if'a'in b", "¶ n:x k:if t:a k:in n:b");
    }

    #[test]
    fn formatted_strings_are_stretches_and_expressions() {
        gives(Family::Python, "f''", "¶ t:");
        gives(Family::Python, "f'a{b}c'", "¶ t:a { n:b } t:c");
        gives(
            Family::Python,
            "f'{a}{b.c}'",
            "¶ t: { n:a } t: { n:b . p:c } t:",
        );
        gives(
            Family::Python,
            "f'{{a}} {b!r:>{w}.{p}}'",
            "¶ t:{{a}}  { n:b ! n:r : t:> { n:w } t:. { n:p } } t:",
        );
        gives(
            Family::Python,
            "f'{a:=10}{b=}{c!=d}'",
            "¶ t: { n:a : t:=10 } t: { n:b = } t: { n:c != n:d } t:",
        );
        gives(Family::Python, "f'{a['b']}'", "¶ t: { n:a [ t:b ] } t:");
        gives(
            Family::Python,
            "f'{f'{f'{1}'}'}'",
            "¶ t: { t: { t: { d:1 } t: } t: } t:",
        );
        gives(
            Family::Python,
            "f'{ {1: 2}[1] }'",
            "¶ t: { { d:1 : d:2 } [ d:1 ] } t:",
        );
        gives(
            Family::Python,
            "f'{(lambda x: 1)}'",
            "¶ t: { ( k:lambda n:x : d:1 ) } t:",
        );
        gives(Family::Python, "f'''a\n{b\n}'''", "¶ t:a\n { n:b } t:");
        gives(
            Family::Python,
            r"f'\N{DASH}\{a}'",
            r"¶ t:\N{DASH}\ { n:a } t:",
        );
        gives(
            Family::Python,
            r"rf'\N{a}' t'{b}'",
            r"¶ t:\N { n:a } t: t: { n:b } t:",
        );
        gives(
            Family::Python,
            "f'{f(a=1)}'",
            "¶ t: { n:f ( p:a = d:1 ) } t:",
        );
    }

    #[test]
    fn numbers_are_whole() {
        gives(
            Family::Python,
            "0x1F_ff 1_000.5e-3j .5 1. 1e5J 0o17 0b1 0777L 1.e5",
            "¶ d:0x1F_ff d:1_000.5e-3j d:.5 d:1. d:1e5J d:0o17 d:0b1 d:0777L d:1.e5",
        );
        gives(
            Family::Python,
            "1if 0xfor 1else x",
            "¶ d:1 k:if d:0xf k:or d:1 k:else n:x",
        );
        gives(Family::Python, "a[1:2]", "¶ n:a [ d:1 : d:2 ]");
    }

    #[test]
    fn names_are_told_from_properties() {
        gives(
            Family::Python,
            "a.b.c(d, e=f, g==h)",
            "¶ n:a . p:b . p:c ( n:d , p:e = n:f , n:g == n:h )",
        );
        gives(
            Family::Python,
            "def f(a, b=1, *c): pass",
            "¶ k:def n:f ( n:a , n:b = d:1 , * n:c ) : k:pass",
        );
        gives(
            Family::Python,
            "class A(metaclass=M): pass",
            "¶ k:class n:A ( p:metaclass = n:M ) : k:pass",
        );
        gives(Family::Python, "from . import a", "¶ k:from . k:import n:a");
        gives(Family::Python, "x[...]", "¶ n:x [ ... ]");
        gives(
            Family::Python,
            "f((a := 1), [b], {c: d})",
            "¶ n:f ( ( n:a := d:1 ) , [ n:b ] , { n:c : n:d } )",
        );
        gives(
            Family::Python,
            "a **= b // c -> d <> e @= f",
            "¶ n:a **= n:b // n:c -> n:d <> n:e @= n:f",
        );
        gives(Family::Python, "é = match", "¶ n:é = n:match");
    }

    #[test]
    fn comments_and_joined_lines_give_nothing() {
        gives(Family::Python, "#!/bin/python\na # b 'c\n# d", "¶ n:a");
        gives(Family::Python, "\u{FEFF}a = \\\nb", "¶ n:a = n:b");
        gives(Family::Python, "a = \\\r\nb", "¶ n:a = n:b");
        gives(Family::Python, "\"\"\"doc\"\"\"\n", "¶ t:doc");
    }

    #[test]
    fn pieces_are_what_stands_at_the_left() {
        gives(Family::Python, "a\nb\n c\nd", "¶ n:a ¶ n:b n:c ¶ n:d");
        gives(Family::Python, "f(\na\n)\ng", "¶ n:f ( n:a ) ¶ n:g");
        gives(
            Family::Python,
            "@a\n@b\ndef f(): pass\n@c\nclass D: pass",
            "¶ @ n:a @ n:b k:def n:f ( ) : k:pass ¶ @ n:c k:class n:D : k:pass",
        );
        gives(
            Family::Python,
            "if a:\n b\nelse:\n c",
            "¶ k:if n:a : n:b k:else : n:c",
        );
        gives(Family::Python, "a\r\nb\r\n", "¶ n:a ¶ n:b");
    }

    #[test]
    fn what_is_broken_is_left_behind_soon() {
        gives(
            Family::Python,
            "f(a\ndef g(): pass",
            "¶ n:f ( n:a ¶ k:def n:g ( ) : k:pass",
        );
        gives(
            Family::Python,
            "it's done\nb = 'c'",
            "¶ n:it ' n:s n:done ¶ n:b = t:c",
        );
        gives(
            Family::Python,
            "of it.'''\na = 'b'",
            "¶ n:of n:it . ''' ¶ n:a = t:b",
        );
        gives(
            Family::Python,
            "    some words\n    \"\"\"\n    a = \"\"\"b\"\"\"",
            "n:some n:words \"\"\" n:a = t:b",
        );
        gives(Family::Python, "'open\na", "¶ ' n:open ¶ n:a");
        gives(Family::Python, "'''open\na", "¶ ''' n:open ¶ n:a");
        gives(Family::Python, "f'open\na", "¶ t:open ¶ n:a");
        gives(Family::Python, "f'{a:open\nb", "¶ t: { n:a : t:open ¶ n:b");
        gives(Family::Python, "f'{)}' ]", "¶ t: { ) } t: ]");
        gives(Family::Python, "f'}'", "¶ t:}");
    }
}
