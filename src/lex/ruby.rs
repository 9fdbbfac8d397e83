//! The lexer for Ruby.
//!
//! * `'a'`, `"a"`, `` `a` ``, `:"a"` and what `%q`, `%Q`, `%x`, `%s` and `%` delimit are texts, over lines too; those with
//!   substitutions are the stretches between them, each a text, also an empty one; between stand `#{`, the tokens of the
//!   code, and `}`. `%w` and `%i` give a text for each word. A symbol (`:a`) and a character (`?a`) are texts. Documents: see
//!   `heredoc`. Of a regular expression the body is one token, substitutions and all.
//! * A name behind `.` or `&.` is a property, and so are a key (`a:`) and a variable of an object or class (`@a`, `@@a`),
//!   whose `@` gives no token. The `?` or `!` that a method ends in is a mark behind the name.
//! * A piece begins with what stands in column 0 outside all brackets, and with `def` where it begins a line, for the
//!   methods of a file stand mostly within one class.
//! * Comments are `#` and `=begin … =end`; what stands behind `__END__` is read as the generic lexer reads it.
//!
//! Whether `/`, `%`, `?` and `<<` begin something is told from the token before: behind an operand they do not, except
//! behind a name with a blank before them and none behind (`puts /a/`), as Ruby itself has it.
//!
//! Back in step: a quote that closes nowhere is a mark, and so is a `/` that no `/` follows on its line.

use super::heredoc::Heredocs;
use super::reader::{DIGIT, LETTER, Reader, SPACE, WORD, is};
use super::words::Words;
use super::{Kind, Sink, generic};

static KEYWORDS: Words = Words::new(&[
    "BEGIN",
    "END",
    "__FILE__",
    "__LINE__",
    "__method__",
    "alias",
    "and",
    "begin",
    "break",
    "case",
    "class",
    "def",
    "defined",
    "do",
    "else",
    "elsif",
    "end",
    "ensure",
    "false",
    "for",
    "if",
    "in",
    "module",
    "next",
    "nil",
    "not",
    "or",
    "redo",
    "rescue",
    "retry",
    "return",
    "self",
    "super",
    "then",
    "true",
    "undef",
    "unless",
    "until",
    "when",
    "while",
    "yield",
]);

/// Keywords that are operands.
static OPERANDS: Words = Words::new(&[
    "__FILE__",
    "__LINE__",
    "__method__",
    "end",
    "false",
    "nil",
    "redo",
    "retry",
    "self",
    "true",
]);

/// What goes on with the statement before, in column 0.
static GOING_ON: Words = Words::new(&["else", "elsif", "end", "ensure", "rescue", "when", "in"]);

/// Substitutions within one another that are kept in mind; what is deeper is text.
const NESTING_MAX: usize = 24;

/// Searches that may fail before no more are made.
const FAILURES_MAX: u8 = 4;

/// How a string with substitutions is delimited.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Style {
    /// Brackets nest; other delimiters are the same on both sides.
    open: u8,
    close: u8,
    /// Brackets of this kind that are open within the string.
    depth: u32,
}

/// A substitution that is open.
#[derive(Clone, Copy)]
struct Substitution {
    style: Style,
    /// Braces that were opened in it.
    depth: u32,
}

/// The token before, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// An operand is expected.
    Operator,
    /// A property comes.
    Access,
    /// The name of a method comes.
    Def,
    /// A name, which may be that of a method whose arguments follow.
    Name,
    Operand,
}

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    let style = Style {
        open: 0,
        close: 0,
        depth: 0,
    };
    let mut lexer = Lexer {
        reader: Reader::new(text, sink),
        before: Before::Operator,
        is_line_start: true,
        depth: 0,
        open: [Substitution { style, depth: 0 }; NESTING_MAX],
        nesting: 0,
        documents: Heredocs::default(),
        failures: 0,
        no_end: false,
        no_quote: [false; 3],
        slash_from: 0,
        line_end: 0,
    };
    lexer.run();
}

struct Lexer<'t, 's, S> {
    reader: Reader<'t, 's, S>,
    before: Before,
    /// No token on this line so far.
    is_line_start: bool,
    /// Brackets that are open outside of substitutions.
    depth: u64,
    open: [Substitution; NESTING_MAX],
    /// Entries of `open` in use.
    nesting: usize,
    documents: Heredocs,
    failures: u8,
    /// From here on no comment closes that `=begin` opens.
    no_end: bool,
    /// From here on no quote closes: `"`, `'`, and `` ` ``.
    no_quote: [bool; 3],
    /// Up to here no `/` follows on the line.
    slash_from: usize,
    /// Where the line ends in which a `/` was seen last.
    line_end: usize,
}

impl<S: Sink> Lexer<'_, '_, S> {
    fn run(&mut self) {
        while let Some(&byte) = self.reader.text.get(self.reader.at) {
            match byte {
                b'\n' => self.line_feed(),
                b'#' => self.reader.at = self.reader.line_end(),
                b'=' if self.reader.is_at(b"=begin") && self.reader.at_line_start() => {
                    self.skip_document();
                }
                b'_' if self.reader.is_at(b"__END__") && self.ends_program() => {
                    self.reader.at = self.reader.line_end();
                    generic::lex_all(&mut self.reader);
                }
                b'\\' if matches!(self.reader.byte(1), b'\n' | b'\r') => self.reader.at += 2,
                _ if is(byte, SPACE) => self.reader.at += 1,
                _ => {
                    if self.is_line_start {
                        self.maybe_piece(byte);
                    }
                    self.token(byte);
                    self.is_line_start = false;
                }
            }
        }
    }

    /// Skips the comment from `=begin` here; without an end it is a line.
    fn skip_document(&mut self) {
        let end = match self.no_end {
            true => None,
            false => self.reader.find(b"\n=end", self.reader.at),
        };
        self.no_end = end.is_none();
        self.reader.at = end.map_or(self.reader.at, |end| end + 1);
        self.reader.at = self.reader.line_end();
    }

    fn line_feed(&mut self) {
        self.reader.at += 1;
        self.is_line_start = true;
        // The line may go on behind a dot.
        if self.before != Before::Access {
            self.before = Before::Operator;
        }
        self.documents.read(&mut self.reader);
    }

    fn ends_program(&self) -> bool {
        self.reader.at_line_start() && matches!(self.reader.byte(7), b'\n' | b'\r' | 0)
    }

    fn maybe_piece(&mut self, byte: u8) {
        if self.nesting > 0 {
            return;
        }
        let word = &self.reader.text[self.reader.at..self.reader.run(WORD)];
        let in_first_column = self.depth == 0
            && self.reader.at_line_start()
            && !GOING_ON.contain(word)
            && !matches!(byte, b')' | b']' | b'}' | b'.' | b'&' | b'|');
        if word == b"def" || in_first_column {
            self.reader.piece();
        }
    }

    #[inline]
    fn token(&mut self, byte: u8) {
        match byte {
            _ if is(byte, LETTER) => self.word(),
            _ if is(byte, DIGIT) => self.number(),
            b'"' => self.quoted(byte, 0),
            b'\'' => self.raw_quoted(),
            b'`' if matches!(self.before, Before::Def | Before::Access) => self.operator(byte),
            b'`' => self.quoted(byte, 2),
            b':' => self.colon(),
            b'@' => self.at_sign(),
            b'$' => self.dollar(),
            b'/' if self.expects_operand() && self.regex() => {}
            b'%' if self.expects_operand() && self.percent() => {}
            b'?' if self.expects_operand() && self.character() => {}
            b'<' if self.reader.byte(1) == b'<' && self.announces() => {}
            _ => self.operator(byte),
        }
    }

    /// Whether what stands here may begin an operand.
    fn expects_operand(&self) -> bool {
        match self.before {
            Before::Operator => true,
            Before::Name => {
                is(self.reader.byte_before(), SPACE)
                    && !matches!(self.reader.byte(1), b' ' | b'=' | b'\n')
            }
            _ => false,
        }
    }

    // Words and numbers

    fn word(&mut self) {
        let end = self.reader.run(WORD);
        let text = self.reader.text;
        let word = &text[self.reader.at..end];
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        // `empty?`, `save!`
        let has_suffix = match byte(end) {
            b'?' => byte(end + 1) != b':' || byte(end + 2) != b':',
            b'!' => !matches!(byte(end + 1), b'=' | b'~') || byte(end + 2) == b'=',
            _ => false,
        };
        let behind = end + usize::from(has_suffix);
        let is_key =
            byte(behind) == b':' && byte(behind + 1) != b':' && self.before != Before::Access;
        let was = self.before;
        let kind = match was {
            Before::Access => Kind::Property,
            _ if is_key => Kind::Property,
            Before::Def if word != b"self" => Kind::Name,
            _ if KEYWORDS.contain(word) => Kind::Keyword,
            _ => Kind::Name,
        };
        self.before = match kind {
            Kind::Keyword if word == b"def" => Before::Def,
            Kind::Keyword if OPERANDS.contain(word) => Before::Operand,
            Kind::Keyword => Before::Operator,
            _ => Before::Name,
        };
        self.reader.take(kind, end);
        if has_suffix {
            self.reader.punct(1);
        }
        if is_key {
            self.reader.punct(1);
            self.before = Before::Operator;
        }
    }

    fn number(&mut self) {
        let end = self.reader.number_end();
        self.reader.take(Kind::Number, end);
        self.before = Before::Operand;
    }

    /// `:a`, `:"a"`, `::` or a mark.
    fn colon(&mut self) {
        let next = self.reader.byte(1);
        match next {
            b':' => {
                self.reader.punct(2);
                self.before = Before::Operator;
            }
            b'"' => {
                self.reader.at += 1;
                self.quoted(next, 0);
            }
            b'\'' => {
                self.reader.at += 1;
                self.raw_quoted();
            }
            _ if is(next, LETTER) || next == b'@' && is(self.reader.byte(2), LETTER) => {
                self.reader.at += if next == b'@' { 2 } else { 1 };
                let end = self.reader.run(WORD);
                self.reader.take(Kind::Text, end);
                if matches!(self.reader.byte(0), b'?' | b'!') && self.reader.byte(1) != b'=' {
                    self.reader.punct(1);
                }
                self.before = Before::Operand;
            }
            _ => self.operator(b':'),
        }
    }

    fn at_sign(&mut self) {
        let marks = if self.reader.byte(1) == b'@' { 2 } else { 1 };
        if !is(self.reader.byte(marks), LETTER) {
            return self.operator(b'@');
        }
        self.reader.at += marks;
        let end = self.reader.run(WORD);
        self.reader.take(Kind::Property, end);
        self.before = Before::Operand;
    }

    /// A variable of the program: `$a`, `$1`, `$!`.
    fn dollar(&mut self) {
        let next = self.reader.byte(1);
        let end = match next {
            _ if is(next, WORD) => self.reader.run_from(self.reader.at + 1, WORD),
            _ if next.is_ascii_punctuation() => self.reader.at + 2,
            _ => return self.operator(b'$'),
        };
        self.reader.take(Kind::Name, end);
        self.before = Before::Operand;
    }

    fn operator(&mut self, byte: u8) {
        if let Some(top) = self.nesting.checked_sub(1) {
            let depth = &mut self.open[top].depth;
            match byte {
                b'{' => *depth = depth.saturating_add(1),
                b'}' if *depth == 0 => {
                    let style = self.open[top].style;
                    self.nesting -= 1;
                    self.reader.punct(1);
                    return self.stretch(style);
                }
                b'}' => *depth -= 1,
                _ => {}
            }
        } else {
            match byte {
                b'(' | b'[' | b'{' => self.depth += 1,
                b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        let (len, before) = match self.reader.four() {
            [b'*', b'*', b'=', _] | [b'<', b'=', b'>', _] | [b'=', b'=', b'=', _] => {
                (3, Before::Operator)
            }
            [b'.', b'.', b'.', _] | [b'|', b'|', b'=', _] | [b'&', b'&', b'=', _] => {
                (3, Before::Operator)
            }
            [b'<', b'<', b'=', _] | [b'>', b'>', b'=', _] => (3, Before::Operator),
            [b'&', b'.', ..] if is(self.reader.byte(2), LETTER) => (2, Before::Access),
            [b'.', b'.', ..] => (2, Before::Operator),
            [b'.', ..] => (1, Before::Access),
            [b')' | b']' | b'}', ..] => (1, Before::Operand),
            [b'=', b'=' | b'~' | b'>', ..]
            | [b'!', b'=' | b'~', ..]
            | [b'<', b'=' | b'<', ..]
            | [b'>', b'=' | b'>', ..]
            | [b'-', b'>' | b'=', ..]
            | [b'&', b'&' | b'=', ..]
            | [b'|', b'|' | b'=', ..]
            | [b'*', b'*' | b'=', ..]
            | [b'+' | b'/' | b'%' | b'^', b'=', ..] => (2, Before::Operator),
            _ => (1, Before::Operator),
        };
        self.reader.punct(len);
        // `def ==(other)`: what follows is no operand.
        self.before = match self.before {
            Before::Def => Before::Operand,
            _ => before,
        };
    }

    // Strings

    /// A string with substitutions, whose first quote is here.
    fn quoted(&mut self, quote: u8, slot: usize) {
        let start = self.reader.at + 1;
        if self.no_quote[slot] || self.reader.find(&[quote], start).is_none() {
            self.no_quote[slot] = true;
            return self.operator(quote);
        }
        self.reader.at = start;
        self.stretch(Style {
            open: 0,
            close: quote,
            depth: 0,
        });
    }

    /// A string without substitutions, whose first quote is here.
    fn raw_quoted(&mut self) {
        let start = self.reader.at + 1;
        let mut at = start;
        while !self.no_quote[1]
            && let Some(rest) = self.reader.text.get(at..)
            && let Some(len) = memchr::memchr2(b'\'', b'\\', rest)
        {
            at += len;
            if self.reader.text[at] == b'\'' {
                self.reader.emit(Kind::Text, start, at);
                self.reader.at = at + 1;
                self.behind_string();
                return;
            }
            at += 2;
        }
        self.no_quote[1] = true;
        self.operator(b'\'');
    }

    /// Behind a string; of one that is a key the colon is taken, too.
    fn behind_string(&mut self) {
        self.before = Before::Operand;
        if self.reader.byte(0) == b':' && matches!(self.reader.byte(1), b' ' | b'\n') {
            self.reader.punct(1);
            self.before = Before::Operator;
        }
    }

    /// A stretch of a string from here on, up to a substitution or the end of the string.
    fn stretch(&mut self, mut style: Style) {
        let text = self.reader.text;
        let start = self.reader.at;
        let mut at = start;
        while let Some(&byte) = text.get(at) {
            match byte {
                _ if byte == style.close && style.depth == 0 => {
                    self.reader.emit(Kind::Text, start, at);
                    self.reader.at = at + 1;
                    return self.behind_string();
                }
                _ if byte == style.close => style.depth -= 1,
                _ if byte == style.open => style.depth = style.depth.saturating_add(1),
                b'\\' => at += 1,
                b'#' if text.get(at + 1) == Some(&b'{') && self.nesting < NESTING_MAX => {
                    self.reader.emit(Kind::Text, start, at);
                    self.reader.at = at;
                    self.reader.punct(2);
                    self.open[self.nesting] = Substitution { style, depth: 0 };
                    self.nesting += 1;
                    self.before = Before::Operator;
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        let at = at.min(text.len());
        self.reader.emit(Kind::Text, start, at);
        self.reader.at = at;
        self.before = Before::Operand;
    }

    /// `?a`
    fn character(&mut self) -> bool {
        let next = self.reader.byte(1);
        let len = match next {
            b'\\' => 2,
            _ if is(next, SPACE) => return false,
            _ => 1,
        };
        let end = self.reader.at + 1 + len;
        if end > self.reader.text.len() || self.reader.text.get(end).is_some_and(|&b| is(b, WORD)) {
            return false;
        }
        self.reader.at += 1;
        self.reader.take(Kind::Text, end);
        self.before = Before::Operand;
        true
    }

    /// A regular expression from the `/` here: on its line, or over a few, as those with `x` are written.
    fn regex(&mut self) -> bool {
        /// Bytes in which the end of one over lines is looked for.
        const LINES_MAX_BYTES: usize = 2_048;
        let start = self.reader.at + 1;
        if start < self.slash_from {
            return false;
        }
        if self.line_end < start {
            self.line_end = self.reader.line_end();
        }
        let line_end = self.line_end;
        let limit = match self.before {
            Before::Operator if self.failures < FAILURES_MAX => {
                (start + LINES_MAX_BYTES).clamp(line_end, self.reader.text.len().max(line_end))
            }
            _ => line_end,
        };
        let style = Style {
            open: 0,
            close: b'/',
            depth: 0,
        };
        match self.delimited(start, limit, style) {
            Some(end) if end > start => {
                self.regex_up_to(start, end);
                true
            }
            // `//`: only a text may be empty.
            Some(_) => {
                self.reader.punct(2);
                self.before = Before::Operand;
                true
            }
            None => {
                self.failures += u8::from(limit > line_end);
                self.slash_from = line_end;
                false
            }
        }
    }

    /// A regular expression whose body ends here, with the letters behind its delimiter.
    fn regex_up_to(&mut self, start: usize, end: usize) {
        self.reader.emit(Kind::Regex, start, end);
        self.reader.at = end + 1;
        while matches!(
            self.reader.byte(0),
            b'i' | b'm' | b'x' | b'o' | b'n' | b'u' | b'e' | b's'
        ) {
            self.reader.at += 1;
        }
        self.before = Before::Operand;
    }

    /// Where what begins at `start` is closed, before `limit`; what stands in `#{ }` does not close it.
    fn delimited(&self, start: usize, limit: usize, style: Style) -> Option<usize> {
        let text = &self.reader.text[..limit.min(self.reader.text.len())];
        let (mut at, mut depth, mut braces) = (start, 0_usize, 0_usize);
        while let Some(&byte) = text.get(at) {
            match byte {
                b'\\' => at += 1,
                b'#' if text.get(at + 1) == Some(&b'{') && style.close != b'}' => {
                    braces += 1;
                    at += 1;
                }
                b'}' if braces > 0 => braces -= 1,
                _ if braces > 0 => {}
                _ if byte == style.close && depth == 0 => return Some(at),
                _ if byte == style.close => depth -= 1,
                _ if byte == style.open => depth += 1,
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// What `%` begins here: a string, words, a regular expression.
    fn percent(&mut self) -> bool {
        let letter = self.reader.byte(1);
        let marks = if letter.is_ascii_alphabetic() { 2 } else { 1 };
        let open = self.reader.byte(marks);
        let close = match open {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            b'|' | b'!' | b'/' | b'-' | b'+' | b'^' | b'@' | b'~' | b'"' | b'\'' | b',' | b';'
            | b':'
                if marks == 2 =>
            {
                open
            }
            b'|' | b'!' => open,
            _ => return false,
        };
        let is_known = matches!(
            letter,
            b'q' | b'Q' | b'w' | b'W' | b'i' | b'I' | b'r' | b'x' | b's'
        );
        if marks == 2 && !is_known || self.failures == FAILURES_MAX {
            return false;
        }
        let start = self.reader.at + marks + 1;
        let style = Style {
            open: if open == close { 0 } else { open },
            close,
            depth: 0,
        };
        let Some(end) = self.delimited(start, self.reader.text.len(), style) else {
            self.failures += 1;
            return false;
        };
        match letter {
            b'r' if end > start => {
                self.regex_up_to(start, end);
                return true;
            }
            b'w' | b'W' | b'i' | b'I' => self.words(start, end),
            b'q' | b's' => self.reader.emit(Kind::Text, start, end),
            _ => {
                self.reader.at = start;
                self.stretch(style);
                return true;
            }
        }
        self.reader.at = end + 1;
        self.before = Before::Operand;
        true
    }

    /// A text for each word between `start` and `end`.
    fn words(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let rest = &self.reader.text[at..end];
            let blanks = rest.iter().take_while(|&&b| is(b, SPACE)).count();
            let word = rest[blanks..]
                .iter()
                .take_while(|&&b| !is(b, SPACE))
                .count();
            if word > 0 {
                self.reader
                    .emit(Kind::Text, at + blanks, at + blanks + word);
            }
            at += blanks + word;
        }
    }

    /// Announces the document that `<<` begins here; false where there is none.
    fn announces(&mut self) -> bool {
        let text = self.reader.text;
        let byte = |ahead: usize| self.reader.byte(ahead);
        let is_indented = matches!(byte(2), b'~' | b'-');
        let marks = if is_indented { 3 } else { 2 };
        let quote = Some(byte(marks)).filter(|b| matches!(b, b'"' | b'\'' | b'`'));
        let start = self.reader.at + marks + usize::from(quote.is_some());
        let end = match quote {
            None => self.reader.run_from(start, WORD),
            Some(quote) => {
                let rest = text.get(start..).unwrap_or_default();
                let rest = &rest[..rest.len().min(64)];
                match memchr::memchr2(quote, b'\n', rest) {
                    Some(len) if rest[len] == quote => start + len,
                    _ => return false,
                }
            }
        };
        let first = text.get(start).copied().unwrap_or(0);
        let is_word = is(first, LETTER) && (is_indented || first.is_ascii_uppercase());
        let may_be = match self.before {
            Before::Operator => true,
            // `a <<B`, `a(<<B)`, but not `a << B` nor `a<<B`.
            Before::Name => is(self.reader.byte_before(), SPACE),
            _ => false,
        };
        if !may_be || !is_word && quote.is_none() {
            return false;
        }
        if !self.documents.announce(text, start, end, is_indented) {
            return false;
        }
        self.reader.punct(marks);
        self.reader.at = end + usize::from(quote.is_some());
        self.before = Before::Operand;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::super::shown::gives;

    #[test]
    fn words_and_numbers() {
        gives(
            Family::Ruby,
            "class A < B::C\n  def d?(e: 1_000, f: nil)\n    @g&.h || self.class\n  end\nend\nputs 1.5e3, 0xff\n",
            "¶ k:class n:A < n:B :: n:C ¶ k:def n:d ? ( p:e : d:1_000 , p:f : k:nil ) p:g &. p:h || k:self . p:class k:end k:end ¶ n:puts d:1.5e3 , d:0xff",
        );
        gives(
            Family::Ruby,
            "a.b! if $c != $1 # d\n=begin\nd'\n=end\n1..2",
            "¶ n:a . p:b ! k:if n:$c != n:$1 ¶ d:1 .. d:2",
        );
    }

    #[test]
    fn strings_of_every_kind() {
        gives(
            Family::Ruby,
            r#"['a\'', "b#{c "d#{e}"}f", :g, :"h i", ?j, {k?: 1, "l": 2}]"#,
            r#"¶ [ t:a\' , t:b #{ n:c t:d #{ n:e } t: } t:f , t:g , t:h i , t:j , { p:k ? : d:1 , t:l : d:2 } ]"#,
        );
        gives(
            Family::Ruby,
            "%w[a b\n c] + %q(d (e)) + %(f#{g}) << %i|h|",
            "¶ t:a t:b t:c + t:d (e) + t:f #{ n:g } t: << t:h",
        );
    }

    #[test]
    fn a_slash_divides_or_begins() {
        gives(
            Family::Ruby,
            "a / b / c; d =~ /e'\\/#{f}/i; puts /g/; h[1] / 2 / 3; x % (y)",
            "¶ n:a / n:b / n:c ; n:d =~ r:e'\\/#{f} ; n:puts r:g ; n:h [ d:1 ] / d:2 / d:3 ; n:x % ( n:y )",
        );
        gives(
            Family::Ruby,
            "a.split(//) / b[/c/]",
            "¶ n:a . p:split ( // ) / n:b [ r:c ]",
        );
        gives(
            Family::Ruby,
            "%r{a/[^}]} =~ b ? c : d\nwhen /e\n f/x",
            "¶ r:a/[^ ] } =~ n:b ? n:c : n:d k:when r:e\n f",
        );
    }

    #[test]
    fn documents_are_lines() {
        gives(
            Family::Ruby,
            "a(<<~B, <<-'C').d\n  it's\n\n  #{e}\nB\n f\n C\ng << H\ni",
            "¶ n:a ( <<~ , <<- ) . p:d t:it's t:#{e} t:f ¶ n:g << n:H ¶ n:i",
        );
    }

    #[test]
    fn what_is_broken_is_left_behind_soon() {
        gives(Family::Ruby, "a = \"b\nc", "¶ n:a = \" n:b ¶ n:c");
        gives(Family::Ruby, "a = 'b\nc", "¶ n:a = ' n:b ¶ n:c");
        gives(Family::Ruby, "a = /b\nc", "¶ n:a = / n:b ¶ n:c");
        gives(Family::Ruby, "a <<~B\nc", "¶ n:a << ~ n:B ¶ n:c");
        gives(Family::Ruby, "%w[a", "¶ % n:w [ n:a");
        gives(Family::Ruby, "a\n__END__\n'b", "¶ n:a ' n:b");
    }
}
