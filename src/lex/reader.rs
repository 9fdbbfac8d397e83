//! What the lexers share: a place in the text, classes of bytes, and strings that end on their line.
//!
//! Texts are read as bytes. Everything from 0x80 on may be part of a word: whether a character is a letter is not worth
//! decoding for, and broken UTF-8 must not stop anything.

use super::eight::{HIGH, alphanumeric, before, eight, equal};
use super::{Kind, Sink, Token};

/// May begin a word: letters, `_`, and all that is not ASCII.
pub(super) const LETTER: u8 = 1;
/// `0` to `9`.
pub(super) const DIGIT: u8 = 2;
/// White space and control characters, which are treated alike.
pub(super) const SPACE: u8 = 4;
/// May go on in a word.
pub(super) const WORD: u8 = LETTER | DIGIT;

/// The classes of each byte.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => LETTER,
            b'0'..=b'9' => DIGIT,
            0..=b' ' | 0x7F => SPACE,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Whether a byte is of one of these classes.
#[inline]
pub(super) fn is(byte: u8, classes: u8) -> bool {
    CLASSES[usize::from(byte)] & classes != 0
}

/// The end of the word that goes on at `from`.
#[inline]
pub(super) fn word_end(text: &[u8], from: usize) -> usize {
    let mut end = from;
    while let Some(bytes) = eight(text, end) {
        let part = alphanumeric(bytes) | equal(bytes, b'_') | bytes;
        let other = !part & HIGH;
        end += before(other);
        if other != 0 {
            return end;
        }
    }
    while text.get(end).is_some_and(|&byte| is(byte, WORD)) {
        end += 1;
    }
    end
}

/// The end of the run of spaces that begins at `from`: mostly a line begins with some.
#[inline]
pub(super) fn blanks_end(text: &[u8], from: usize) -> usize {
    let mut end = from;
    while let Some(bytes) = eight(text, end) {
        let other = !equal(bytes, b' ') & HIGH;
        end += before(other);
        if other != 0 {
            return end;
        }
    }
    while text.get(end) == Some(&b' ') {
        end += 1;
    }
    end
}

/// A place in a text, and where its tokens go.
pub(super) struct Reader<'t, 's, S> {
    /// The whole text.
    pub text: &'t [u8],
    /// The byte that is looked at.
    pub at: usize,
    sink: &'s mut S,
    /// For `"`, `'` and `` ` ``: up to here no such quote closes a string. Without it, a line of many quotes of which none
    /// closes would be read again for each of them.
    open_until: [usize; 3],
}

impl<'t, 's, S: Sink> Reader<'t, 's, S> {
    /// At the beginning of a text, behind its byte order mark.
    pub(super) fn new(text: &'t [u8], sink: &'s mut S) -> Self {
        let mark = b"\xEF\xBB\xBF";
        Self {
            text,
            at: if text.starts_with(mark) {
                mark.len()
            } else {
                0
            },
            sink,
            open_until: [0; 3],
        }
    }

    /// The same text up to `end` only, from here on.
    pub(super) fn part(&mut self, end: usize) -> Reader<'t, '_, S> {
        Reader {
            text: &self.text[..end],
            at: self.at,
            sink: &mut *self.sink,
            open_until: [0; 3],
        }
    }

    /// Where its tokens go.
    pub(super) fn sink(&mut self) -> &mut S {
        self.sink
    }

    /// The byte so many behind this place; 0 behind the end.
    #[inline]
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The next four bytes, zeros behind the end.
    #[inline]
    pub(super) fn four(&self) -> [u8; 4] {
        match self.text.get(self.at..self.at + 4) {
            Some(&[a, b, c, d]) => [a, b, c, d],
            _ => [self.byte(0), self.byte(1), self.byte(2), self.byte(3)],
        }
    }

    /// Whether these bytes come next.
    #[inline]
    pub(super) fn is_at(&self, bytes: &[u8]) -> bool {
        self.text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(bytes))
    }

    /// The end of the run of bytes of these classes that begins at `from`.
    #[inline]
    pub(super) fn run_from(&self, from: usize, classes: u8) -> usize {
        if classes == WORD {
            return word_end(self.text, from);
        }
        let mut end = from;
        while let Some(&byte) = self.text.get(end) {
            if !is(byte, classes) {
                break;
            }
            end += 1;
        }
        end
    }

    /// The end of the word, or the run of digits, that begins here.
    #[inline]
    pub(super) fn run(&self, classes: u8) -> usize {
        self.run_from(self.at, classes)
    }

    /// The first byte behind blanks and tabs from `from` on, and the one behind it.
    #[inline]
    pub(super) fn behind_blanks(&self, from: usize) -> (u8, u8) {
        let mut at = from;
        while matches!(self.text.get(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        let byte = |at: usize| self.text.get(at).copied().unwrap_or(0);
        (byte(at), byte(at + 1))
    }

    /// Goes on behind the spaces here.
    #[inline]
    pub(super) fn pass_blanks(&mut self) {
        self.at = blanks_end(self.text, self.at);
    }

    /// The end of the line, before its line feed.
    #[inline]
    pub(super) fn line_end(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        memchr::memchr(b'\n', rest).map_or(self.text.len(), |len| self.at + len)
    }

    /// A token from `start` to `end`; goes nowhere.
    #[inline]
    pub(super) fn emit(&mut self, kind: Kind, start: usize, end: usize) {
        self.sink.token(Token {
            kind,
            start: start as u32,
            end: end as u32,
        });
    }

    /// A token from here to `end`; goes on behind it.
    #[inline]
    pub(super) fn take(&mut self, kind: Kind, end: usize) {
        self.emit(kind, self.at, end);
        self.at = end;
    }

    /// An operator of so many bytes, at most those that are left.
    #[inline]
    pub(super) fn punct(&mut self, len: usize) {
        self.take(Kind::Punct, (self.at + len).min(self.text.len()));
    }

    /// The next token begins a piece.
    pub(super) fn piece(&mut self) {
        self.sink.piece();
    }

    /// Whether here a line begins.
    #[inline]
    pub(super) fn at_line_start(&self) -> bool {
        match self.at.checked_sub(1).and_then(|at| self.text.get(at)) {
            None => true,
            Some(b'\n' | b'\r') => true,
            Some(0xBF) => self.at == 3 && self.text.starts_with(b"\xEF\xBB"),
            Some(_) => false,
        }
    }

    /// The closing quote of a string whose text begins at `from`: on the same line, or on one that is joined to it by a
    /// backslash. A backslash takes the next byte along.
    #[inline]
    pub(super) fn close_on_line(&mut self, quote: u8, from: usize) -> Option<usize> {
        let slot = match quote {
            b'"' => 0,
            b'\'' => 1,
            _ => 2,
        };
        if from < self.open_until[slot] {
            return None;
        }
        let mut at = from;
        while let Some(rest) = self.text.get(at..) {
            let Some(len) = memchr::memchr3(quote, b'\\', b'\n', rest) else {
                break;
            };
            match rest[len] {
                b'\\' => {
                    let is_pair = rest.get(len + 1..len + 3) == Some(b"\r\n");
                    at += len + if is_pair { 3 } else { 2 };
                }
                b'\n' => {
                    self.open_until[slot] = at + len;
                    return None;
                }
                _ => return Some(at + len),
            }
        }
        self.open_until[slot] = self.text.len();
        None
    }

    /// The string from the quote here on, as a text; a quote that closes nowhere on its line is a mark.
    #[inline]
    pub(super) fn line_string(&mut self, quote: u8) {
        match self.close_on_line(quote, self.at + 1) {
            Some(end) => {
                self.emit(Kind::Text, self.at + 1, end);
                self.at = end + 1;
            }
            None => self.punct(1),
        }
    }

    /// The end of the number that begins here: digits with `_` between them, a fraction where a digit follows its point,
    /// an exponent, and a suffix or unit (`0xff`, `1_000`, `1.5e3`, `2r`, `10px`).
    #[inline]
    pub(super) fn number_end(&self) -> usize {
        let byte = |at: usize| self.text.get(at).copied().unwrap_or(0);
        let digits = |mut at: usize| {
            while is(byte(at), DIGIT) || byte(at) == b'_' {
                at += 1;
            }
            at
        };
        let mut end = digits(self.at);
        if byte(end) == b'.' && byte(end + 1).is_ascii_digit() {
            end = digits(end + 1);
        }
        if byte(end) | 0x20 == b'e' {
            let signed = usize::from(matches!(byte(end + 1), b'+' | b'-'));
            if byte(end + 1 + signed).is_ascii_digit() {
                end = digits(end + 1 + signed);
            }
        }
        self.run_from(end, WORD)
    }

    /// The byte before this place; a line feed at the beginning.
    #[inline]
    pub(super) fn byte_before(&self) -> u8 {
        let before = self.at.checked_sub(1).and_then(|at| self.text.get(at));
        before.copied().unwrap_or(b'\n')
    }

    /// Where these bytes come next, from `from` on.
    pub(super) fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = self.text.get(from..)?;
        memchr::memmem::find(rest, bytes).map(|len| from + len)
    }
}
