//! The lexer for shells: sh, bash, zsh, ksh.
//!
//! * A word where a command stands is a [`Kind::Keyword`] or a [`Kind::Name`]; a word among its arguments is a
//!   [`Kind::Text`], as it would be in quotes, or a number. A variable is a name without its `$`, where it is set and where
//!   it is used; what `${` has inside is tokens, too.
//! * `'a'` and `$'a'` are texts, over lines too. `"a"` is the stretches between its substitutions, each a text, also an
//!   empty one; between them stand names, and the commands of `$( )` and of backticks. Documents: see `heredoc`.
//! * `#` begins a comment where a word may begin.
//! * A piece begins with a command outside of all brackets and of `if`, `case`, `for` and their likes.
//!
//! Back in step: a `}` in column 0 ends all that is open around it. A quote that closes nowhere is a mark.

use super::heredoc::Heredocs;
use super::reader::{DIGIT, LETTER, Reader, SPACE, WORD, is};
use super::words::Words;
use super::{Kind, Sink};

static KEYWORDS: Words = Words::new(&[
    "alias", "break", "case", "cd", "continue", "declare", "do", "done", "echo", "elif", "else",
    "esac", "eval", "exec", "exit", "export", "false", "fi", "for", "function", "getopts", "if",
    "in", "let", "local", "printf", "read", "readonly", "return", "select", "set", "setopt",
    "shift", "source", "test", "then", "time", "trap", "true", "type", "typeset", "unset", "until",
    "wait", "while",
]);

/// Behind these a command begins.
static BEFORE_COMMAND: Words = Words::new(&[
    "do", "elif", "else", "exec", "eval", "if", "then", "time", "until", "while",
]);

/// Behind these all words up to the end of the command are names.
static BEFORE_NAMES: Words = Words::new(&[
    "declare", "export", "for", "function", "getopts", "let", "local", "read", "readonly",
    "select", "typeset", "unset",
]);

/// Substitutions within one another that are kept in mind; what is deeper is text.
const NESTING_MAX: usize = 32;

/// What stands at the place where a word begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A command.
    Command,
    /// An argument.
    Argument,
    /// A variable, or a function that is defined.
    Name,
}

/// What ends a substitution.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Close {
    /// `$( )`
    Paren,
    /// `$(( ))`, `(( ))`
    Arithmetic,
    /// `${ }`
    Brace,
    Backtick,
}

/// A substitution that is open.
#[derive(Clone, Copy)]
struct Substitution {
    close: Close,
    in_string: bool,
    /// Brackets that were opened in it.
    depth: u32,
    /// What stood where it began.
    place: Place,
}

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    let nothing = Substitution {
        close: Close::Paren,
        in_string: false,
        depth: 0,
        place: Place::Command,
    };
    let mut lexer = Lexer {
        reader: Reader::new(text, sink),
        place: Place::Command,
        is_start: true,
        blocks: 0,
        brackets: 0,
        open: [nothing; NESTING_MAX],
        nesting: 0,
        documents: Heredocs::default(),
        no_quote: [false; 2],
    };
    lexer.run();
}

struct Lexer<'t, 's, S> {
    reader: Reader<'t, 's, S>,
    place: Place,
    /// The next token begins a command that goes on with none before.
    is_start: bool,
    /// Outside of substitutions: braces, `if`, `case` and their likes that are open, and brackets.
    blocks: u64,
    brackets: u64,
    open: [Substitution; NESTING_MAX],
    /// Entries of `open` in use.
    nesting: usize,
    documents: Heredocs,
    /// From here on no quote closes, `"` and `'`.
    no_quote: [bool; 2],
}

impl<S: Sink> Lexer<'_, '_, S> {
    fn run(&mut self) {
        while let Some(&byte) = self.reader.text.get(self.reader.at) {
            match byte {
                b'\n' => {
                    self.reader.at += 1;
                    // Not behind `|`, `||` and `&&`.
                    self.is_start |= self.place != Place::Command;
                    self.place = Place::Command;
                    self.documents.read(&mut self.reader);
                }
                _ if is(byte, SPACE) => self.reader.at += 1,
                b'\\' if self.joins_lines() => {}
                b'#' if self.begins_comment() => self.reader.at = self.reader.line_end(),
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
        true
    }

    fn begins_comment(&self) -> bool {
        let before = self.reader.byte_before();
        let is_free =
            is(before, SPACE) || matches!(before, b';' | b'(' | b')' | b'&' | b'|' | b'`');
        is_free && !matches!(self.top(), Some(Close::Brace | Close::Arithmetic))
    }

    fn top(&self) -> Option<Close> {
        let top = self.nesting.checked_sub(1)?;
        Some(self.open[top].close)
    }

    #[inline]
    fn token(&mut self, byte: u8) {
        if self.is_start && self.nesting == 0 {
            self.maybe_piece(byte);
        }
        self.is_start = false;
        match byte {
            b'"' => self.string(),
            b'\'' => self.raw_string(),
            b'`' => self.backtick(),
            b'$' => self.dollar(),
            b'\\' => {
                self.reader.punct(2);
                self.place = Place::Argument;
            }
            b'<' if self.reader.byte(1) == b'<' && self.announces() => {}
            _ if is_of_word(byte) => self.word(),
            _ => self.mark(byte),
        }
    }

    /// Says a piece where a command begins one.
    fn maybe_piece(&mut self, byte: u8) {
        if byte == b'}' && self.reader.at_line_start() {
            // Of what was counted wrongly nothing is left.
            (self.blocks, self.brackets) = (1, 0);
        }
        let goes_on = matches!(byte, b'|' | b'&' | b';' | b'{' | b')' | b'}');
        if self.blocks == 0 && self.brackets == 0 && !goes_on {
            self.reader.piece();
        }
    }

    // Words

    fn word(&mut self) {
        let start = self.reader.at;
        let text = self.reader.text;
        let name_end = self.reader.run(WORD);
        let next = text.get(name_end).copied().unwrap_or(0);
        // `a=`, `a+=`, `a[b]=`
        let is_set = next == b'=' || next == b'+' && text.get(name_end + 1) == Some(&b'=');
        if is(text[start], LETTER) && (is_set || next == b'[' && self.place != Place::Argument) {
            self.reader.take(Kind::Name, name_end);
            if is_set {
                self.reader.punct(if next == b'+' { 2 } else { 1 });
                // A value, and then perhaps the command.
                if self.place == Place::Command {
                    self.place = Place::Argument;
                }
            }
            return;
        }
        if matches!(self.top(), Some(Close::Arithmetic)) && is(text[start], LETTER) {
            self.reader.take(Kind::Name, name_end);
            return;
        }
        let rest = &text[start..];
        let len = rest.iter().position(|&b| !is_of_word(b));
        let end = start + len.unwrap_or(rest.len());
        let word = &text[start..end];
        let is_plain = is(word[0], LETTER) && word.iter().all(|&b| is(b, WORD) || b == b'-');
        if word.iter().all(|&b| is(b, DIGIT)) {
            self.reader.take(Kind::Number, end);
            return;
        }
        match self.place {
            Place::Command if is_plain => self.command(end),
            Place::Name if word == b"in" => {
                self.place = Place::Argument;
                self.reader.take(Kind::Keyword, end);
            }
            Place::Argument if word == b"in" => self.reader.take(Kind::Keyword, end),
            Place::Name if is_plain => self.reader.take(Kind::Name, end),
            _ => {
                if self.place == Place::Command {
                    self.place = Place::Argument;
                }
                self.reader.take(Kind::Text, end);
            }
        }
    }

    /// The word of a command, up to `end`.
    fn command(&mut self, end: usize) {
        let word = &self.reader.text[self.reader.at..end];
        self.place = match word {
            _ if BEFORE_COMMAND.contain(word) => Place::Command,
            _ if BEFORE_NAMES.contain(word) => Place::Name,
            _ => Place::Argument,
        };
        if self.nesting == 0 {
            match word {
                b"if" | b"for" | b"while" | b"until" | b"case" | b"select" => self.blocks += 1,
                b"fi" | b"done" | b"esac" => self.blocks = self.blocks.saturating_sub(1),
                _ => {}
            }
        }
        let kind = match KEYWORDS.contain(word) {
            true => Kind::Keyword,
            false => Kind::Name,
        };
        self.reader.take(kind, end);
    }

    // Marks

    fn mark(&mut self, byte: u8) {
        let four = self.reader.four();
        if let Some(top) = self.nesting.checked_sub(1)
            && self.closes(top, byte, four)
        {
            return;
        }
        let len = match four {
            [b';', b';', b'&', _] | [b'<', b'<', b'<', _] | [b'&', b'>', b'>', _] => 3,
            [b'&', b'&' | b'>', ..]
            | [b'|', b'|' | b'&', ..]
            | [b';', b';' | b'&', ..]
            | [b'>', b'>' | b'&' | b'|', ..]
            | [b'<', b'<' | b'&' | b'>', ..]
            | [b'=', b'=' | b'~', ..]
            | [b'!', b'=', ..]
            | [b'[', b'[', ..]
            | [b']', b']', ..] => 2,
            [b'(', b'(', ..] if self.place == Place::Command => {
                return self.substitute(2, Close::Arithmetic, false);
            }
            _ => 1,
        };
        let was_command = self.place == Place::Command;
        self.place = match byte {
            b';' | b'|' | b'&' | b'(' | b')' | b'!' => Place::Command,
            b'{' | b'}' if was_command => Place::Command,
            b'[' => Place::Argument,
            // What follows is a file.
            b'<' | b'>' if was_command => Place::Argument,
            _ => self.place,
        };
        let counted = match self.nesting.checked_sub(1) {
            Some(top) => {
                let depth = &mut self.open[top].depth;
                match byte {
                    b'(' => *depth = depth.saturating_add(1),
                    b')' => *depth = depth.saturating_sub(1),
                    _ => {}
                }
                false
            }
            None => true,
        };
        if counted {
            match byte {
                b'(' => self.brackets += 1,
                // In a `case`, a `)` was not opened.
                b')' => self.brackets = self.brackets.saturating_sub(1),
                b'{' if was_command => self.blocks += 1,
                b'}' if was_command => self.blocks = self.blocks.saturating_sub(1),
                _ => {}
            }
        }
        self.is_start =
            matches!(byte, b';' | b')') || byte == b'}' && was_command || byte == b'&' && len == 1;
        self.reader.punct(len);
    }

    /// Ends the substitution that is open at place `top`, if the mark here does.
    fn closes(&mut self, top: usize, byte: u8, four: [u8; 4]) -> bool {
        let Substitution {
            close,
            in_string,
            depth,
            place,
        } = self.open[top];
        let len = match (close, byte) {
            (Close::Paren, b')') if depth == 0 => 1,
            (Close::Arithmetic, b')') if depth == 0 => 1 + usize::from(four[1] == b')'),
            (Close::Brace, b'}') => 1,
            _ => return false,
        };
        self.close(len, in_string, place);
        true
    }

    fn close(&mut self, len: usize, in_string: bool, place: Place) {
        self.reader.punct(len);
        self.nesting -= 1;
        self.place = match place {
            Place::Command => Place::Argument,
            place => place,
        };
        if in_string {
            self.stretch();
        }
    }

    /// Opens a substitution with the mark of `len` bytes here; where too many are open it is a mark.
    fn substitute(&mut self, len: usize, close: Close, in_string: bool) {
        self.reader.punct(len);
        if self.nesting == NESTING_MAX {
            return;
        }
        self.open[self.nesting] = Substitution {
            close,
            in_string,
            depth: 0,
            place: self.place,
        };
        self.nesting += 1;
        self.place = match close {
            Close::Paren | Close::Backtick => Place::Command,
            Close::Arithmetic | Close::Brace => Place::Argument,
        };
    }

    fn backtick(&mut self) {
        match self.nesting.checked_sub(1).map(|top| self.open[top]) {
            Some(Substitution {
                close: Close::Backtick,
                in_string,
                place,
                ..
            }) => self.close(1, in_string, place),
            _ => self.substitute(1, Close::Backtick, false),
        }
    }

    /// A variable or a substitution, outside of strings.
    fn dollar(&mut self) {
        match self.reader.byte(1) {
            b'\'' => {
                self.reader.at += 1;
                self.escaped_string();
            }
            b'"' => {
                self.reader.at += 1;
                self.string();
            }
            _ => self.variable(false),
        }
        if self.place == Place::Command && self.top().is_none() {
            self.place = Place::Argument;
        }
    }

    /// What a `$` begins here.
    fn variable(&mut self, in_string: bool) {
        let next = self.reader.byte(1);
        match next {
            b'(' if self.reader.byte(2) == b'(' => self.substitute(3, Close::Arithmetic, in_string),
            b'(' => self.substitute(2, Close::Paren, in_string),
            b'{' => {
                self.substitute(2, Close::Brace, in_string);
                self.parameter();
            }
            _ if is(next, LETTER) => {
                self.reader.at += 1;
                let end = self.reader.run(WORD);
                self.reader.take(Kind::Name, end);
            }
            _ if is(next, DIGIT)
                || matches!(next, b'@' | b'*' | b'#' | b'?' | b'!' | b'$' | b'-') =>
            {
                let end = self.reader.at + 2;
                self.reader.take(Kind::Name, end);
            }
            _ => self.reader.punct(1),
        }
    }

    /// The name behind `${`, and the operator behind it.
    fn parameter(&mut self) {
        if matches!(self.reader.byte(0), b'#' | b'!') && self.reader.byte(1) != b'}' {
            self.reader.punct(1);
        }
        let end = self.reader.run(WORD);
        if end > self.reader.at {
            self.reader.take(Kind::Name, end);
        }
        let is_of_operator = |b: u8| {
            matches!(
                b,
                b':' | b'+' | b'-' | b'=' | b'?' | b'#' | b'%' | b'/' | b'^' | b',' | b'@' | b'*'
            )
        };
        let len = (0..2).take_while(|&ahead| is_of_operator(self.reader.byte(ahead)));
        let len = len.count();
        if len > 0 {
            self.reader.punct(len);
        }
    }

    // Strings

    /// `'…'`: no escapes, over lines too.
    fn raw_string(&mut self) {
        // In `"${a:-'b'}"` it is text like other.
        let is_text = self
            .nesting
            .checked_sub(1)
            .is_some_and(|top| self.open[top].close == Close::Brace && self.open[top].in_string);
        let start = self.reader.at + 1;
        let end = match is_text || self.no_quote[1] {
            true => None,
            false => self.reader.find(b"'", start),
        };
        self.no_quote[1] |= end.is_none() && !is_text;
        match end {
            Some(end) => {
                self.reader.emit(Kind::Text, start, end);
                self.reader.at = end + 1;
            }
            None => self.reader.punct(1),
        }
        self.is_argument_now();
    }

    fn is_argument_now(&mut self) {
        if self.place == Place::Command {
            self.place = Place::Argument;
        }
    }

    /// `$'…'`, whose first quote is here.
    fn escaped_string(&mut self) {
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
                return;
            }
            at += 2;
        }
        self.no_quote[1] = true;
        self.reader.punct(1);
    }

    /// `"…"`, whose first quote is here.
    fn string(&mut self) {
        self.is_argument_now();
        let start = self.reader.at + 1;
        if self.no_quote[0] || self.reader.find(b"\"", start).is_none() {
            self.no_quote[0] = true;
            return self.reader.punct(1);
        }
        self.reader.at = start;
        self.stretch();
    }

    /// A stretch of a string from here on, up to a substitution or the end of the string.
    fn stretch(&mut self) {
        let text = self.reader.text;
        let mut start = self.reader.at;
        let mut at = start;
        while let Some(&byte) = text.get(at) {
            let next = text.get(at + 1).copied().unwrap_or(0);
            match byte {
                b'"' => {
                    self.reader.emit(Kind::Text, start, at);
                    self.reader.at = at + 1;
                    return;
                }
                b'\\' => at += 2,
                b'`' => {
                    // Within backticks this ends them, and the string was none.
                    self.reader.emit(Kind::Text, start, at);
                    self.reader.at = at;
                    if self.top() == Some(Close::Backtick) {
                        return;
                    }
                    if self.nesting < NESTING_MAX {
                        return self.substitute(1, Close::Backtick, true);
                    }
                    self.reader.punct(1);
                    (start, at) = (at + 1, at + 1);
                }
                b'$' if matches!(next, b'(' | b'{') => {
                    if self.nesting == NESTING_MAX {
                        at += 2;
                        continue;
                    }
                    self.reader.emit(Kind::Text, start, at);
                    self.reader.at = at;
                    return self.variable(true);
                }
                b'$' if is(next, WORD)
                    || matches!(next, b'@' | b'*' | b'#' | b'?' | b'!' | b'$') =>
                {
                    self.reader.emit(Kind::Text, start, at);
                    self.reader.at = at;
                    self.variable(true);
                    (start, at) = (self.reader.at, self.reader.at);
                }
                _ => at += 1,
            }
        }
        let at = at.min(text.len());
        self.reader.emit(Kind::Text, start, at);
        self.reader.at = at;
    }

    // Documents

    /// Announces the document that `<<` begins here; false where there is none.
    fn announces(&mut self) -> bool {
        if self.reader.byte(2) == b'<' || self.top() == Some(Close::Arithmetic) {
            return false;
        }
        let is_indented = self.reader.byte(2) == b'-';
        let marks = if is_indented { 3 } else { 2 };
        let text = self.reader.text;
        let mut start = self.reader.at + marks;
        while matches!(text.get(start), Some(b' ' | b'\t')) {
            start += 1;
        }
        let quote = text
            .get(start)
            .copied()
            .filter(|b| matches!(b, b'"' | b'\'' | b'\\'));
        start += usize::from(quote.is_some());
        let rest = text.get(start..).unwrap_or_default();
        let len = rest
            .iter()
            .take_while(|&&b| is(b, WORD) || matches!(b, b'-' | b'.' | b'!'));
        let end = start + len.count();
        if !self.documents.announce(text, start, end, is_indented) {
            return false;
        }
        self.reader.punct(marks);
        let has_close = quote.is_some_and(|quote| quote != b'\\' && text.get(end) == Some(&quote));
        self.reader.at = end + usize::from(has_close);
        true
    }
}

/// Whether a byte goes on with a word: what is neither quoted nor means anything to the shell.
fn is_of_word(byte: u8) -> bool {
    is(byte, WORD)
        || matches!(
            byte,
            b'-' | b'.' | b'/' | b':' | b'@' | b'%' | b'+' | b',' | b'~' | b'^'
        )
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::super::shown::gives;

    #[test]
    fn commands_and_arguments() {
        gives(
            Family::Shell,
            "#!/bin/sh\nset -e # a\nfor b in *.c 12; do grep --quiet d \"$b\" && e; done\n./f g",
            "¶ k:set t:-e ¶ k:for n:b k:in * t:.c d:12 ; k:do n:grep t:--quiet t:d t: n:b t: && n:e ; k:done ¶ t:./f t:g",
        );
        gives(
            Family::Shell,
            "a() {\n  local b=$1 c\n  B=x d\n}\ne",
            "¶ n:a ( ) { k:local n:b = n:$1 n:c n:B = t:x t:d } ¶ n:e",
        );
    }

    #[test]
    fn strings_and_substitutions() {
        gives(
            Family::Shell,
            "a=\"b $c ${d:-\"e\"} $(f 'g' \"h\")`i`\"",
            "¶ n:a = t:b  n:c t:  ${ n:d :- t:e } t:  $( n:f t:g t:h ) t: ` n:i ` t:",
        );
        gives(
            Family::Shell,
            "echo $'a\\'b' $((1 << c)) ${#d} ${e%%/*} \\; f#g",
            "¶ k:echo t:a\\'b $(( d:1 << n:c )) ${ # n:d } ${ n:e %% t:/ * } \\; t:f # t:g",
        );
    }

    #[test]
    fn documents_are_lines() {
        gives(
            Family::Shell,
            "cat <<-'E F' <<G >h\nx",
            "¶ n:cat << t:- t:E F << t:G > t:h ¶ n:x",
        );
        gives(
            Family::Shell,
            "cat <<-\"E\" | f\n\tit's a\n\n  $b\n\tE\ng",
            "¶ n:cat <<- | n:f t:it's a t:$b ¶ n:g",
        );
    }

    #[test]
    fn cases_and_tests() {
        gives(
            Family::Shell,
            "case $a in\n-b|c) d ;;\nesac\n[ -f e ] || exit 1\n[[ f == g ]]",
            "¶ k:case n:a k:in t:-b | n:c ) n:d ;; k:esac ¶ [ t:-f t:e ] || k:exit d:1 ¶ [[ t:f == t:g ]]",
        );
    }

    #[test]
    fn what_is_broken_is_left_behind_soon() {
        gives(Family::Shell, "echo \"a", "¶ k:echo \" t:a");
        gives(Family::Shell, "echo 'a", "¶ k:echo ' t:a");
        gives(Family::Shell, "a <<B\nc", "¶ n:a << t:B ¶ n:c");
        gives(Family::Shell, "if a\n}\nb", "¶ k:if n:a } ¶ n:b");
    }
}
