//! A text made safe for the parser: the same places, and nothing hidden.
//!
//! The parser descends one frame of the stack for each level that a text nests, without a limit; a text of 100,000
//! brackets would end the program, and no worker catches that. And it tries some readings before others: `a<(b=` said
//! twenty times takes seconds, forty times years. So a text is judged before it is parsed, from the tokens of our own
//! lexer, and is read by its tokens alone where it fails ([`Plain::of`] gives nothing).
//!
//! Judging by one lexer what another will see is worth nothing while they can disagree: what one takes for a string may
//! be code to the other. So the parser is not given the text but a copy in which everything that is no code is filled with
//! `_` (strings, templates, regular expressions, text of markup) and comments are blank. All places stay the same; what
//! a string says is read from the text itself. No quote, bracket or operator is left that was not counted.
//!
//! The stack that a parse may take is bounded by what is counted of it, closing brackets not believed: so much for each
//! bracket, operator and word of the copy ([`Plain::stack`]). Only the stack that is really used is memory.

use crate::lex::{Family, Kind, Sink, Token, lex};

/// How much larger the frames of a build are whose visitors are not optimised. What is parsed does not depend on it.
const FRAMES: usize = if cfg!(debug_assertions) { 5 } else { 1 };

/// Longest text that is parsed, in bytes.
pub(super) const PARSED_MAX_BYTES: usize = 4 << 20;

/// Most stack that a parse may be given, in bytes. It is reserved and not taken: real programs use some hundred KB of it.
pub(super) const STACK_MAX_BYTES: usize = 512 << 20;

/// Brackets within one another from which on a text is not parsed: generated tables nest some dozens.
const DEPTH_MAX: u32 = 1_000;

/// What trying other readings may cost, in readings of a `<`: so much in any text, and so much for each byte.
const READINGS: u64 = 1 << 16;
const READINGS_PER_BYTE: u64 = 4;

/// Stack of what every parse needs, whatever the text.
const STACK_BASE_BYTES: usize = 256 << 10;

/// Stack of one level, by what opens it, with what visiting takes; measured on optimised builds of the parser (1.7 KB
/// for a bracket, 4.2 KB for `({a:`, 2.1 KB for `<` and a template, 1 KB for `=>`, 0.6 KB for an operator or a word) and
/// doubled.
const SLACK: usize = 2;
const BRACKET_STACK: usize = 2_200 * SLACK;
const ANGLE_STACK: usize = 2_200 * SLACK;
const ARROW_STACK: usize = 1_100 * SLACK;
const OTHER_STACK: usize = 650 * SLACK;

/// The copy of a text that may be parsed.
pub(super) struct Plain {
    /// The copy: ASCII, as long as the text.
    pub code: String,
    /// Bytes of stack that suffice to parse and to visit it.
    pub stack: usize,
    /// Whether it has markup, by how tags close.
    pub has_markup: bool,
    /// Whether it has a string literal long enough to be a part of prose.
    pub has_prose: bool,
}

/// Strings from this length on may be a part of prose, in bytes.
const PROSE_PART_BYTES: usize = 40;

/// Texts from this length on may be prose, in bytes.
pub(super) const PROSE_MIN_BYTES: usize = 150;

impl Plain {
    /// The copy; nothing where the text is too long, or not fit to be parsed.
    pub(super) fn of(text: &[u8]) -> Option<Plain> {
        if text.len() > PARSED_MAX_BYTES {
            return None;
        }
        let mut copy = Copy {
            text,
            code: vec![b' '; text.len()],
            at: 0,
            before: Before::Other,
            levels: Vec::new(),
            angles: 0,
            all_angles: 0,
            depth: 0,
            deepest: 0,
            stack: STACK_BASE_BYTES,
            readings: 0,
            has_markup: false,
            has_prose: false,
        };
        lex(Family::Script, text, &mut copy);
        copy.gap(text.len());
        let fits = copy.deepest <= DEPTH_MAX
            && copy.stack <= STACK_MAX_BYTES
            && copy.readings <= READINGS + READINGS_PER_BYTE * text.len() as u64;
        let (stack, has_markup, has_prose) = (copy.stack * FRAMES, copy.has_markup, copy.has_prose);
        let code = String::from_utf8(copy.code).ok().filter(|_| fits)?;
        Some(Plain {
            code,
            stack,
            has_markup,
            has_prose,
        })
    }
}

/// What the token before was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Angle,
    Regex,
    Other,
}

struct Copy<'t> {
    text: &'t [u8],
    code: Vec<u8>,
    /// Behind the last token.
    at: usize,
    before: Before,
    /// For each open bracket, the `<` that stood open where it began.
    levels: Vec<u32>,
    /// `<` that are open within the innermost bracket.
    angles: u32,
    /// `<` that are open within all brackets.
    all_angles: u32,
    depth: u32,
    deepest: u32,
    stack: usize,
    readings: u64,
    has_markup: bool,
    has_prose: bool,
}

impl Sink for Copy<'_> {
    fn token(&mut self, token: Token) {
        let (start, end) = (token.start as usize, token.end as usize);
        self.gap(start);
        let before = std::mem::replace(&mut self.before, Before::Other);
        match token.kind {
            Kind::Text if before == Before::Angle => self.tag(start, end),
            Kind::Text => {
                self.has_prose |= end - start >= PROSE_PART_BYTES;
                self.fill(start, end);
                // A template behind a value is a call of it, and calls nest.
                self.stack += OTHER_STACK;
            }
            Kind::Regex => {
                self.fill(start, end);
                self.before = Before::Regex;
            }
            Kind::Punct => {
                self.keep(start, end);
                self.punct(token.of(self.text));
            }
            Kind::Keyword => {
                self.keep(start, end);
                self.stack += OTHER_STACK;
            }
            Kind::Name | Kind::Property => {
                self.keep(start, end);
                // Words of types are names to the lexer, and nest.
                self.stack += OTHER_STACK / 8;
                if opens_level(token.of(self.text)) {
                    self.stack += OTHER_STACK;
                }
            }
            Kind::Number => self.keep(start, end),
        }
        self.at = self.at.max(end);
    }
}

/// Whether a word that is a name to the lexer may open a level for the parser. Most names are let go by their first byte.
fn opens_level(word: &[u8]) -> bool {
    match word.first() {
        Some(b'a') => matches!(word, b"abstract" | b"as" | b"asserts" | b"async" | b"await"),
        Some(b'd') => word == b"declare",
        Some(b'i') => matches!(word, b"infer" | b"is"),
        Some(b'k') => word == b"keyof",
        Some(b'm') => word == b"module",
        Some(b'n') => word == b"namespace",
        Some(b'r') => word == b"readonly",
        Some(b's') => word == b"satisfies",
        Some(b'u') => word == b"unique",
        Some(b'y') => word == b"yield",
        _ => false,
    }
}

impl Copy<'_> {
    /// Copies code; what is not ASCII becomes part of a name.
    fn keep(&mut self, start: usize, end: usize) {
        let (Some(from), Some(to)) = (self.text.get(start..end), self.code.get_mut(start..end))
        else {
            return;
        };
        to.copy_from_slice(from);
        if !from.is_ascii() {
            to.iter_mut()
                .filter(|byte| !byte.is_ascii())
                .for_each(|byte| *byte = b'_');
        }
    }

    fn fill(&mut self, start: usize, end: usize) {
        if let Some(to) = self.code.get_mut(start..end) {
            to.fill(b'_');
        }
    }

    /// The name of an element, which must be that of the tag that closes it.
    fn tag(&mut self, start: usize, end: usize) {
        self.fill(start, end);
        self.names(start, end);
    }

    /// Copies what names of elements are made of.
    fn names(&mut self, start: usize, end: usize) {
        for at in start..end {
            if let Some(
                byte @ (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b':'),
            ) = self.text.get(at)
            {
                self.code[at] = *byte;
            }
        }
    }

    /// What stands between two tokens: white space, quotes, comments, closing tags, the slash and the flags behind a
    /// regular expression.
    fn gap(&mut self, end: usize) {
        let mut at = self.at;
        if at == 0 && self.text.starts_with(b"#!") {
            at = memchr::memchr(b'\n', &self.text[..end]).unwrap_or(end);
        }
        if self.before == Before::Regex {
            while at < end && matches!(self.text[at], b'/' | b'a'..=b'z') {
                self.code[at] = self.text[at];
                at += 1;
                if self.text.get(at) == Some(&b'/') {
                    break;
                }
            }
        }
        while at < end {
            let byte = self.text[at];
            let next = self.text.get(at + 1).copied().filter(|_| at + 1 < end);
            match (byte, next) {
                (b' ' | b'\t', _) => {}
                (b'\n' | b'\r' | b'\'' | b'"' | b'`' | b'#', _) => self.code[at] = byte,
                (b'<', Some(b'/')) => at = self.closing_tag(at, end),
                (b'/', Some(b'/')) | (b'<', Some(b'!')) => {
                    at = memchr::memchr2(b'\n', b'\r', &self.text[at..end])
                        .map_or(end, |len| at + len);
                    continue;
                }
                (b'/', Some(b'*')) => {
                    let len = memchr::memmem::find(&self.text[at + 2..end], b"*/")
                        .map_or(end, |len| at + 4 + len)
                        .min(end);
                    // A comment with a line's end in it ends the line.
                    if let Some(newline) = memchr::memchr(b'\n', &self.text[at..len]) {
                        self.code[at + newline] = b'\n';
                    }
                    at = len;
                    continue;
                }
                (b'/', None) => self.code[at] = byte,
                _ => {}
            }
            at += 1;
        }
        self.at = self.at.max(end);
    }

    /// Copies a closing tag; the place of its last byte.
    fn closing_tag(&mut self, start: usize, end: usize) -> usize {
        let Some(len) = memchr::memchr(b'>', &self.text[start..end]) else {
            return end;
        };
        self.code[start] = b'<';
        self.code[start + 1] = b'/';
        self.code[start + len] = b'>';
        self.names(start + 2, start + len);
        self.has_markup = true;
        start + len
    }

    fn punct(&mut self, punct: &[u8]) {
        match punct {
            b"(" | b"[" | b"{" | b"${" | b"?.[" | b"?.(" | b"#{" | b"@{" => self.open(),
            b")" | b"]" | b"}" => self.close(),
            b"<" => self.angle(1),
            b"<<" => self.angle(2),
            b">" => self.unangle(1),
            b">>" => self.unangle(2),
            b">>>" => self.unangle(3),
            [b'/', .., b'>'] => {
                self.has_markup = true;
                self.unangle(1);
            }
            b";" => {
                self.unangle(self.angles);
            }
            b"," => self.stack += OTHER_STACK / 8,
            b"=>" => self.stack += ARROW_STACK,
            _ => self.stack += OTHER_STACK,
        }
    }

    fn open(&mut self) {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        self.levels.push(std::mem::take(&mut self.angles));
        self.stack += BRACKET_STACK;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.unangle(self.angles);
        self.angles = self.levels.pop().unwrap_or(0);
    }

    /// Each `<` may be read in two ways, and all behind it with it.
    fn angle(&mut self, count: u32) {
        self.before = Before::Angle;
        self.angles += count;
        self.all_angles += count;
        self.stack += ANGLE_STACK * count as usize;
        self.readings = self.readings.saturating_add(1 << self.all_angles.min(40));
    }

    fn unangle(&mut self, count: u32) {
        let count = count.min(self.angles);
        self.angles -= count;
        self.all_angles -= count.min(self.all_angles);
    }
}
