//! The lexer for JavaScript, TypeScript, JSX and TSX.
//!
//! Scripts are found again most often as minifiers leave them: one line of megabytes. There one slip is dear: whoever
//! takes the quote in `/"/` for the beginning of a string has text and code the wrong way round until the end of the
//! line, which is the end of the file. So most of what stands here serves one question: does a `/`, a `<` or a `{` stand
//! where an operand is expected, or behind one? It is answered from the token before ([`After`], [`Before`]) and from
//! a memory of open brackets (`brackets`), which knows what each was opened for, so that it is known of a `)` whether
//! it ends the head of an `if`, and of a `}` whether it ends a block or an object. No statement is parsed for it.
//!
//! What is not of the language, but looks like it, is settled by what it lacks: a `/` that no `/` ends on its line is a
//! mark, and so are a backtick that none ends and a tag that nothing closes. What is looked at in vain for that is
//! counted and bounded, so that no text costs more than a constant per byte.
//!
//! # What gives which token
//!
//! * A word is a [`Kind::Property`] behind `.` and `?.`, where it names a member (of an object, a pattern, a class, an
//!   interface, an enumeration), also the short `{ name }`, and where it is the outer name of an import or export
//!   (`import { outer as inner }`): there renaming and minifying leave it alone. A reserved word elsewhere is a
//!   [`Kind::Keyword`], anything else a [`Kind::Name`]. Quoted keys are [`Kind::Text`].
//! * A private name is a property without its `#`, which gives no token: compilers make `_name` of it, people make it
//!   of `name`.
//! * Neither the quotes of a string or template nor the slashes and flags of a regular expression give tokens. A
//!   template gives a text for each stretch that is not empty, `${` and `}`; an empty template gives one empty text.
//! * Markup gives, in order, what a compiler would make of it: `<`, the name of the tag (a text where it is an
//!   element of HTML: lower case, or with `-` or `:`; else names as in code), properties and `=` and values of attributes,
//!   `>` or `/>`, the texts between, trimmed, where something other than white space is left, `{` and `}`. A closing
//!   tag gives nothing. References (`&amp;`) and lines of text stay as they are written.
//! * Directives, labels, types and decorators are lexed like everything else.
//!
//! # What it gets wrong
//!
//! A regular expression behind the `}` of a function or class that is an operand, or a division behind a block, where
//! the text is no program; one behind the name of a variable called `await` or `yield`; `<T>(x) => x` in TypeScript
//! where `</T` follows within the file; members of a class without semicolons that begin with `*` or `[`. `<!--` is a
//! comment only where it begins its line, for elsewhere it may be `a<!--b`.
//!
//! A piece ([`Sink::piece`]) begins where no bracket is open and a statement seems to: behind `;`, behind the `}` of a
//! block, or with a word on a new line behind an operand.
//!
//! Source: ECMA-262 (2025), sections 12 and B.1.1; the JSX specification; TypeScript as its compiler reads it.

mod brackets;
mod markup;
mod scan;
mod words;

use memchr::{memchr, memchr2, memchr3};

use super::reader::blanks_end;
use super::{Kind, Sink, Token};
use brackets::{Brackets, Kind as Bracket, Pending};
use scan::{
    CLASS, Class, escape_len, is_start, mark_len, number_end, wide_space, word_and_key, word_end,
};
use words::{INSTANCEOF, is_modifier, joins, reserved};

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    Lexer {
        text,
        at: 0,
        sink,
        brackets: Brackets::new(),
        after: After::Statement,
        before: Before::Semicolon,
        newline: true,
        decorated: false,
        wasted: 0,
        no_backtick: false,
        no_markup: false,
        closing: 0,
    }
    .run();
}

/// Bytes that may be looked at ahead and in vain: so many in any text, and so many for each byte that was read.
const WASTE_BYTES: usize = 1 << 20;
const WASTE_PER_BYTE: usize = 4;

/// What may stand behind the token before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// An operand ended: an operator follows.
    Operand,
    /// An operand is expected.
    Expression,
    /// A statement may begin.
    Statement,
}

/// What the token before was, as far as somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Other,
    Name,
    /// A word that began a statement: a label, or `async`.
    FirstName,
    /// The name of a member where it is declared.
    Key,
    /// `.` or `?.`.
    Dot,
    Comma,
    Semicolon,
    OpenBrace,
    CloseBrace,
    CloseParen,
    Arrow,
    Greater,
    /// Before the name of a member: a word such as `get`, or `*`.
    Modifier,
    /// `as` among exported names.
    As,
    // Words.
    Await,
    Case,
    Class,
    /// `if`, `while`, `with`.
    Condition,
    Default,
    Do,
    Enum,
    Export,
    For,
    Function,
    Import,
    Void,
}

struct Lexer<'t, S> {
    text: &'t [u8],
    at: usize,
    sink: &'t mut S,
    brackets: Brackets,
    after: After,
    before: Before,
    /// Whether a line ended since the token before.
    newline: bool,
    /// Whether the piece began with a decorator, so that what it decorates begins none.
    decorated: bool,
    /// Bytes that were looked at in vain.
    wasted: usize,
    /// Nothing behind ends a template.
    no_backtick: bool,
    /// Nothing behind ends a text of markup.
    no_markup: bool,
    /// Where the next `</` stands, as far as it was looked for.
    closing: usize,
}

impl<S: Sink> Lexer<'_, S> {
    fn run(&mut self) {
        if self.text.starts_with(b"#!") {
            self.line_comment();
        }
        while let Some(&byte) = self.text.get(self.at) {
            match CLASS[byte as usize] {
                Class::Space => self.at += 1,
                Class::Line => {
                    self.newline = true;
                    self.at += 1;
                    self.at = blanks_end(self.text, self.at);
                }
                Class::Word => self.word(),
                Class::Wide => self.wide(),
                Class::Digit => self.number(),
                Class::Quote => self.string(byte),
                Class::Backtick => self.template(),
                Class::Slash => self.slash(),
                Class::Less => self.less(),
                Class::Dot => self.dot(),
                Class::Hash => self.hash(),
                Class::Backslash => self.backslash(),
                Class::Open => self.open(byte),
                Class::Close => self.close(byte),
                Class::OpenBrace => self.open_brace(),
                Class::CloseBrace => self.close_brace(),
                Class::Comma => self.separator(Before::Comma, After::Expression),
                Class::Semicolon => self.semicolon(),
                Class::Mark => self.mark(byte),
            }
        }
    }

    // -----------------------------------------------------------------------------------------------------------
    // Tokens

    /// Hands out the token from `start` to `end`; what it means for the next is the caller's to say.
    #[inline]
    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        if self.brackets.is_outside() && self.begins_piece(kind, start, end) {
            self.sink.piece();
        }
        self.sink.token(Token {
            kind,
            start: start as u32,
            end: end as u32,
        });
        self.newline = false;
    }

    /// Hands out the same, and goes on behind it.
    #[inline]
    fn push_and_pass(
        &mut self,
        kind: Kind,
        start: usize,
        end: usize,
        before: Before,
        after: After,
    ) {
        self.push(kind, start, end);
        self.at = end;
        self.before = before;
        self.after = after;
    }

    /// Whether this token, which stands in no bracket, seems to begin a statement.
    fn begins_piece(&mut self, kind: Kind, start: usize, end: usize) -> bool {
        let text = &self.text[start..end];
        let goes_on = match kind {
            Kind::Punct => matches!(
                text,
                b";" | b"," | b"." | b"?." | b")" | b"]" | b"}" | b":" | b"?" | b"="
            ),
            Kind::Keyword => matches!(text, b"else" | b"catch" | b"finally") || joins(text),
            Kind::Name => joins(text),
            _ => false,
        };
        let begins = match (self.before, self.after) {
            (Before::Semicolon, _) => !goes_on || kind == Kind::Name,
            (Before::CloseBrace, After::Statement) => !goes_on,
            (_, After::Operand) if self.newline => {
                let is_word = matches!(kind, Kind::Name | Kind::Keyword);
                (is_word && !goes_on) || text == b"@"
            }
            _ => false,
        };
        if !begins {
            return false;
        }
        let decorated = self.decorated;
        self.decorated = text == b"@";
        !decorated
    }

    /// `,` or `;`.
    #[inline]
    fn separator(&mut self, before: Before, after: After) {
        self.push_and_pass(Kind::Punct, self.at, self.at + 1, before, after);
    }

    fn semicolon(&mut self) {
        let level = &mut self.brackets.top;
        level.pending = Pending::Nothing;
        level.choices = 0;
        level.angles = 0;
        level.in_case = false;
        self.separator(Before::Semicolon, After::Statement);
    }

    // -----------------------------------------------------------------------------------------------------------
    // Words

    #[inline]
    fn word(&mut self) {
        let start = self.at;
        let (end, key) = word_and_key(self.text, start);
        if self.before == Before::Dot {
            return self.push_and_pass(Kind::Property, start, end, Before::Other, After::Operand);
        }
        if self.brackets.top.kind.has_members() && self.member(start, end) {
            return;
        }
        if let Some(word) = reserved(key) {
            self.keyword(start, end, word.before, word.after);
        } else if key == 0 && &self.text[start..end] == INSTANCEOF {
            self.push_and_pass(Kind::Keyword, start, end, Before::Other, After::Expression);
        } else {
            self.name(start, end, key);
        }
    }

    /// A word that is not reserved.
    #[inline]
    fn name(&mut self, start: usize, end: usize, key: u64) {
        const AS: u64 = words::key(b"as");
        const OF: u64 = words::key(b"of");
        const TYPE: u64 = words::key(b"type");
        let first = self.starts_statement();
        let mut before = if first {
            Before::FirstName
        } else {
            Before::Name
        };
        let mut after = After::Operand;
        match key {
            TYPE if matches!(self.before, Before::Import | Before::Export) => before = self.before,
            0 if first && &self.text[start..end] == b"interface" && is_start(self.peek(end)) => {
                self.brackets.top.pending = Pending::Shape;
            }
            OF if self.after == After::Operand && self.brackets.top.kind == Bracket::For => {
                after = After::Expression;
            }
            AS if self.brackets.top.kind == Bracket::Export => before = Before::As,
            _ => {}
        }
        self.push_and_pass(Kind::Name, start, end, before, after);
    }

    /// Whether a word here is the first of a statement, as far as that can be seen.
    fn starts_statement(&self) -> bool {
        match self.after {
            After::Statement => true,
            After::Operand => self.newline,
            After::Expression => self.before == Before::Default,
        }
    }

    fn keyword(&mut self, start: usize, end: usize, before: Before, after: After) {
        let (mut before, mut after) = (before, after);
        let level = &mut self.brackets.top;
        // Behind an operand only a line that ended without a semicolon lets a declaration begin.
        let declared = match self.after {
            After::Statement => true,
            After::Operand => self.newline || self.before != Before::Name,
            After::Expression => self.before == Before::Default,
        };
        match before {
            Before::Function => {
                level.pending = if declared {
                    Pending::Function
                } else {
                    Pending::FunctionValue
                };
            }
            Before::Class => {
                level.pending = if declared || self.after == After::Operand {
                    Pending::Class
                } else {
                    Pending::ClassValue
                };
            }
            Before::Enum => level.pending = Pending::Shape,
            Before::Case => level.in_case = true,
            Before::Default => {
                if self.before == Before::Export {
                    after = After::Expression;
                } else {
                    level.in_case = true;
                    before = Before::Other;
                }
            }
            // `for await (`
            Before::Await if self.before == Before::For => before = Before::For,
            _ => {}
        }
        if before == Before::Modifier && !level.kind.is_class() {
            after = After::Operand;
            before = Before::Name;
        }
        self.push_and_pass(Kind::Keyword, start, end, before, after);
    }

    /// A word among members: takes it where it names one, or stands before such a name.
    fn member(&mut self, start: usize, end: usize) -> bool {
        let kind = self.brackets.top.kind;
        let text = self.text;
        let word = &text[start..end];
        let may_be = match self.before {
            Before::OpenBrace | Before::Semicolon | Before::Modifier => true,
            Before::Comma => !kind.is_class(),
            Before::As => kind == Bracket::Export,
            Before::CloseBrace => kind.is_class() || self.newline,
            Before::CloseParen if kind.is_class() => true,
            _ => self.newline,
        };
        // Types may end in `>` and `void`.
        let ends_type = matches!(self.before, Before::Greater | Before::Void);
        let goes_on = self.after == After::Expression
            && !ends_type
            && !matches!(
                self.before,
                Before::OpenBrace | Before::Comma | Before::Modifier | Before::As
            );
        if !may_be
            || goes_on
            || (self.after == After::Operand && joins(word) && kind != Bracket::Import)
        {
            return false;
        }
        let next = self.peek(end);
        let named_next = is_start(next) || matches!(next, b'[' | b'"' | b'\'' | b'#' | b'0'..=b'9');
        if is_modifier(word)
            && self.before != Before::As
            && (named_next || next == b'*' || (next == b'{' && word == b"static"))
        {
            let kind = if word == b"static" {
                Kind::Keyword
            } else {
                Kind::Name
            };
            self.push_and_pass(kind, start, end, Before::Modifier, After::Statement);
            return true;
        }
        let is_key = match kind {
            Bracket::Import => true,
            // `inner as outer`
            Bracket::Export => self.before == Before::As || !is_start(next),
            Bracket::Object | Bracket::Shape => {
                // In `Map<A, B, C<D>>` no member follows a comma, unless it says so.
                let is_in_type = self.before == Before::Comma && self.brackets.top.angles > 0;
                matches!(next, b':' | b'(' | b'?')
                    || !(ends_type || is_in_type)
                        && (matches!(next, b',' | b'}' | b'=' | b'<' | b';' | b'!')
                            || self.newline_follows(end))
            }
            _ => true,
        };
        if is_key {
            self.brackets.top.angles = 0;
            self.push_and_pass(Kind::Property, start, end, Before::Key, After::Operand);
        }
        is_key
    }

    /// Whether the line ends behind `at`, blanks apart.
    fn newline_follows(&self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        let next = rest
            .iter()
            .find(|&&byte| CLASS[byte as usize] != Class::Space);
        matches!(next, Some(b'\n' | b'\r'))
    }

    /// The next byte from `at` on that is neither white space nor in a comment; 0 at the end.
    fn peek(&self, mut at: usize) -> u8 {
        while let Some(&byte) = self.text.get(at) {
            match CLASS[byte as usize] {
                Class::Space | Class::Line => at += 1,
                Class::Slash => match self.comment_end(at) {
                    Some(end) => at = end,
                    None => return byte,
                },
                _ => return byte,
            }
        }
        0
    }

    #[cold]
    fn wide(&mut self) {
        match wide_space(&self.text[self.at..]) {
            Some((len, ends_line)) => {
                self.at += len;
                self.newline |= ends_line;
            }
            None => self.word(),
        }
    }

    #[cold]
    fn backslash(&mut self) {
        if escape_len(&self.text[self.at..]).is_some() {
            self.word();
        } else {
            self.push_and_pass(
                Kind::Punct,
                self.at,
                self.at + 1,
                Before::Other,
                After::Expression,
            );
        }
    }

    /// A private name, or a mark.
    fn hash(&mut self) {
        let (start, end) = (self.at + 1, word_end(self.text, self.at + 1));
        if end == start || self.text[start].is_ascii_digit() {
            return self.push_and_pass(
                Kind::Punct,
                self.at,
                self.at + 1,
                Before::Other,
                After::Expression,
            );
        }
        let before = if self.brackets.top.kind.is_class() {
            Before::Key
        } else {
            Before::Other
        };
        self.push_and_pass(Kind::Property, start, end, before, After::Operand);
    }

    // -----------------------------------------------------------------------------------------------------------
    // Literals

    fn number(&mut self) {
        let end = number_end(self.text, self.at);
        self.push_and_pass(Kind::Number, self.at, end, Before::Other, After::Operand);
    }

    fn dot(&mut self) {
        let rest = &self.text[self.at..];
        if rest.get(1).is_some_and(u8::is_ascii_digit) {
            return self.number();
        }
        let (start, len) = (self.at, mark_len(rest));
        let before = if len == 1 { Before::Dot } else { Before::Other };
        self.push_and_pass(Kind::Punct, start, start + len, before, After::Expression);
    }

    /// A string; it ends at the end of its line where nothing else ends it.
    #[inline]
    fn string(&mut self, quote: u8) {
        let start = self.at + 1;
        let mut end = start;
        let behind = loop {
            let Some(len) = memchr3(
                quote,
                b'\\',
                b'\n',
                self.text.get(end..).unwrap_or_default(),
            ) else {
                end = self.text.len();
                break end;
            };
            end += len;
            match self.text[end] {
                b'\\' => end = self.escaped_end(end),
                b'\n' => {
                    end -= usize::from(end > start && self.text[end - 1] == b'\r');
                    break end;
                }
                _ => break end + 1,
            }
        };
        let end = end.min(self.text.len());
        self.push_and_pass(Kind::Text, start, end, Before::Other, After::Operand);
        self.at = behind.min(self.text.len());
    }

    /// Behind the escape that begins at `at`, as far as it matters for finding an end: `\` and a byte, or a line's end.
    #[inline]
    fn escaped_end(&self, at: usize) -> usize {
        let is_crlf = self.text.get(at + 1..at + 3) == Some(b"\r\n");
        at + 2 + usize::from(is_crlf)
    }

    fn template(&mut self) {
        if self.no_backtick || memchr(b'`', &self.text[self.at + 1..]).is_none() {
            self.no_backtick = true;
            return self.push_and_pass(
                Kind::Punct,
                self.at,
                self.at + 1,
                Before::Other,
                After::Expression,
            );
        }
        self.at += 1;
        if self.text[self.at] == b'`' {
            self.push(Kind::Text, self.at, self.at);
        }
        self.stretch();
    }

    /// A stretch of a template, from where it begins to `${` or behind its end. Where nothing ends it, the template ended
    /// with the substitution.
    fn stretch(&mut self) {
        let start = self.at;
        let mut end = start;
        let (behind, opens) = loop {
            let rest = self.text.get(end..).unwrap_or_default();
            let Some(len) = memchr3(b'`', b'\\', b'$', rest).filter(|_| !self.no_backtick) else {
                self.no_backtick = true;
                self.before = Before::Other;
                self.after = After::Operand;
                return;
            };
            end += len;
            match self.text[end] {
                b'\\' => end += 2,
                b'`' => break (end + 1, false),
                _ if self.text.get(end + 1) == Some(&b'{') => break (end + 2, true),
                _ => end += 1,
            }
        };
        if end > start {
            self.push(Kind::Text, start, end);
        }
        self.at = behind;
        self.before = Before::Other;
        self.after = After::Operand;
        if opens {
            self.push(Kind::Punct, behind - 2, behind);
            self.brackets.open(Bracket::Substitution);
            self.after = After::Expression;
        }
    }

    /// A comment, a regular expression, or a mark.
    fn slash(&mut self) {
        if let Some(end) = self.comment_end(self.at) {
            self.newline |= memchr2(b'\n', b'\r', &self.text[self.at..end]).is_some();
            self.at = end;
            return;
        }
        if self.after != After::Operand
            && let Some((body_end, end)) = self.regex_end()
        {
            let start = self.at + 1;
            self.push_and_pass(Kind::Regex, start, body_end, Before::Other, After::Operand);
            self.at = end;
            return;
        }
        self.mark(b'/');
    }

    /// The end of the body and the end of the flags of the regular expression that begins here; `None` where the line
    /// ends before it does.
    fn regex_end(&mut self) -> Option<(usize, usize)> {
        if self.is_spent() {
            return None;
        }
        let start = self.at + 1;
        let mut end = start;
        let mut in_class = false;
        let body_end = loop {
            match self.text.get(end) {
                None | Some(b'\n' | b'\r') => break None,
                Some(b'\\') if !matches!(self.text.get(end + 1), Some(b'\n' | b'\r')) => end += 1,
                Some(b'[') => in_class = true,
                Some(b']') => in_class = false,
                Some(b'/') if !in_class => break Some(end),
                Some(0xE2) if wide_space(&self.text[end..]) == Some((3, true)) => break None,
                Some(_) => {}
            }
            end += 1;
        };
        match body_end {
            Some(body_end) if body_end <= self.text.len() => {
                Some((body_end, word_end(self.text, body_end + 1)))
            }
            _ => {
                self.wasted += end - start;
                None
            }
        }
    }

    /// Whether so much was looked at in vain that nothing more is.
    fn is_spent(&self) -> bool {
        self.wasted > WASTE_BYTES.saturating_add(self.at.saturating_mul(WASTE_PER_BYTE))
    }

    // -----------------------------------------------------------------------------------------------------------
    // Comments

    /// The end of the comment that begins at `at`, if one does. That of a line lies before the line's end.
    #[inline]
    fn comment_end(&self, at: usize) -> Option<usize> {
        match self.text.get(at + 1) {
            Some(b'/') => Some(self.line_end(at + 2)),
            Some(b'*') => {
                let mut end = at + 2;
                while let Some(len) = memchr(b'/', self.text.get(end..).unwrap_or_default()) {
                    end += len + 1;
                    if end > at + 3 && self.text[end - 2] == b'*' {
                        return Some(end);
                    }
                }
                Some(self.text.len())
            }
            _ => None,
        }
    }

    /// Where the line ends, its terminator apart.
    fn line_end(&self, at: usize) -> usize {
        let mut end = at;
        while let Some(len) = memchr3(b'\n', b'\r', 0xE2, self.text.get(end..).unwrap_or_default())
        {
            end += len;
            if self.text[end] != 0xE2 || wide_space(&self.text[end..]) == Some((3, true)) {
                return end;
            }
            end += 1;
        }
        self.text.len()
    }

    fn line_comment(&mut self) {
        self.at = self.line_end(self.at);
    }

    // -----------------------------------------------------------------------------------------------------------
    // Brackets and marks

    fn open(&mut self, byte: u8) {
        let kind = match (byte, self.before) {
            (b'[', _) => Bracket::Square,
            (_, Before::Condition) => Bracket::Condition,
            (_, Before::For) => Bracket::For,
            _ => Bracket::Paren,
        };
        self.push_and_pass(
            Kind::Punct,
            self.at,
            self.at + 1,
            Before::Other,
            After::Expression,
        );
        self.brackets.open(kind);
    }

    fn close(&mut self, byte: u8) {
        let kind = self.brackets.close_small();
        let after = if kind.is_operand() {
            After::Operand
        } else {
            After::Statement
        };
        let before = match byte {
            b')' if kind.is_operand() => Before::CloseParen,
            _ => Before::Other,
        };
        self.push_and_pass(Kind::Punct, self.at, self.at + 1, before, after);
    }

    fn open_brace(&mut self) {
        let kind = self.brace_kind();
        let after = if kind.is_block() {
            After::Statement
        } else {
            After::Expression
        };
        self.push_and_pass(Kind::Punct, self.at, self.at + 1, Before::OpenBrace, after);
        self.brackets.open(kind);
    }

    /// What the `{` here opens.
    fn brace_kind(&mut self) -> Bracket {
        // `void` and `>` may end the type of a function's value.
        let ends_head = self.after == After::Operand
            || matches!(self.before, Before::Greater | Before::Void | Before::Class);
        if ends_head && self.brackets.top.pending != Pending::Nothing {
            let pending = std::mem::replace(&mut self.brackets.top.pending, Pending::Nothing);
            return match pending {
                Pending::Nothing | Pending::Function => Bracket::Block,
                Pending::FunctionValue => Bracket::FunctionValue,
                Pending::Class => Bracket::Class,
                Pending::ClassValue => Bracket::ClassValue,
                Pending::Shape => Bracket::Shape,
            };
        }
        match self.before {
            Before::Import => Bracket::Import,
            Before::Export => Bracket::Export,
            Before::Do => Bracket::DoBlock,
            Before::Arrow => Bracket::Block,
            _ if ends_head || self.after == After::Statement => Bracket::Block,
            _ => Bracket::Object,
        }
    }

    fn close_brace(&mut self) {
        let kind = self.brackets.close_brace();
        let after = if kind.is_operand() {
            After::Operand
        } else {
            After::Statement
        };
        let before = match kind {
            Bracket::DoBlock => Before::Other,
            _ => Before::CloseBrace,
        };
        self.push_and_pass(Kind::Punct, self.at, self.at + 1, before, after);
        match kind {
            Bracket::Substitution => self.stretch(),
            Bracket::Container => self.markup(),
            _ => {}
        }
    }

    /// Markup, a comment of old, or a mark.
    fn less(&mut self) {
        if self.newline && self.text[self.at..].starts_with(b"<!--") {
            return self.line_comment();
        }
        if self.after != After::Operand && self.begins_markup() {
            self.open_tag();
            return self.markup();
        }
        self.mark(b'<');
    }

    fn mark(&mut self, byte: u8) {
        let start = self.at;
        let len = mark_len(&self.text[start..]);
        if self.newline && byte == b'-' && self.text[start..].starts_with(b"-->") {
            return self.line_comment();
        }
        let (mut before, mut after) = (Before::Other, After::Expression);
        match (byte, len) {
            (b'+' | b'-', 2)
                if self.text[start + 1] == byte
                    && self.after == After::Operand
                    && !self.newline =>
            {
                after = After::Operand;
            }
            // TypeScript: not null, for sure.
            (b'!', 1) if self.after == After::Operand && !self.newline => {
                (before, after) = (self.before, After::Operand);
            }
            (b'=', 2) if self.text[start + 1] == b'>' => before = Before::Arrow,
            (b'>', _) if self.text[start + len - 1] == b'>' => {
                let angles = &mut self.brackets.top.angles;
                *angles = angles.saturating_sub(len as u8);
                before = Before::Greater;
            }
            // People leave blanks around a comparison.
            (b'<', 1) if self.is_between_words() => {
                let angles = &mut self.brackets.top.angles;
                *angles = angles.saturating_add(1);
            }
            (b'?', 2) if self.text[start + 1] == b'.' => before = Before::Dot,
            (b'?', 1) => return self.question(),
            (b':', _) => after = self.colon(),
            (b'*', 1) if self.is_before_member() => {
                (before, after) = (Before::Modifier, After::Statement);
            }
            _ => {}
        }
        self.push_and_pass(Kind::Punct, start, start + len, before, after);
    }

    /// Whether no blanks stand around the byte here, behind an operand.
    fn is_between_words(&self) -> bool {
        let is_blank = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii_whitespace());
        self.after == After::Operand
            && !is_blank(self.text.get(self.at.wrapping_sub(1)))
            && !is_blank(self.text.get(self.at + 1))
    }

    /// Whether a member of the innermost bracket may begin here.
    fn is_before_member(&self) -> bool {
        let kind = self.brackets.top.kind;
        kind.has_members()
            && match self.before {
                Before::OpenBrace | Before::Comma | Before::Semicolon | Before::Modifier => true,
                Before::CloseBrace => kind.is_class(),
                _ => false,
            }
    }

    /// A choice, or TypeScript's mark of what may be left out.
    fn question(&mut self) {
        let is_optional = self.before == Before::Key
            || matches!(
                self.peek(self.at + 1),
                b':' | b')' | b',' | b'=' | b';' | b'}' | b']' | b'>'
            );
        let after = if is_optional {
            After::Operand
        } else {
            let choices = &mut self.brackets.top.choices;
            *choices = choices.saturating_add(1);
            After::Expression
        };
        self.push_and_pass(Kind::Punct, self.at, self.at + 1, Before::Other, after);
    }

    /// What may stand behind the `:` here.
    fn colon(&mut self) -> After {
        let before = self.before;
        let level = &mut self.brackets.top;
        if level.choices > 0 {
            level.choices -= 1;
            After::Expression
        } else if level.in_case {
            level.in_case = false;
            After::Statement
        } else if before == Before::FirstName && level.kind.is_block() {
            After::Statement
        } else {
            After::Expression
        }
    }
}

#[cfg(test)]
mod tests;
