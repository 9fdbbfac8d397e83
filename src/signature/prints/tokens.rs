//! The tiers that rest on tokens, made in one pass of the lexer: `pieces/1`, `shape/1`, `grams/1`, `atoms/1`.
//!
//! # Tokens as values
//!
//! The value of a token is `bytes(seed, b)` (see [`hash`](super::hash)), where the seeds are those of [`seed`]:
//!
//! * a name or a property: its bytes;
//! * a keyword or punctuation: its bytes, with a seed of its own;
//! * the text of a string: its bytes, with escapes undone ([`unescape`](crate::lex::unescape)) where there is a `\` among
//!   them; where nothing is left then, its bytes as they are. The delimiters do not count;
//! * a regular expression: the bytes of its body;
//! * a number: the 8 bytes of its value as IEEE 754 double, little-endian; where it has none, its bytes.
//!
//! Values of `pieces/1` and `shape/1` are given as `mix(value ^ bytes(0, id))`, where `id` is the id of the lexer;
//! those of `grams/1` and `atoms/1` as they are, since they are to be found again in another language.
//!
//! # `pieces/1`
//!
//! One value for each top-level piece of [`PIECE_MIN`] or more tokens: `h = h * 0x9E3779B97F4A7C15 + value` from 0 over
//! its tokens, then `mix`. Not counted are `;`, and a `,` before a closing bracket (`)`, `]`, `}`) or the end of its piece, be
//! there a `;` between them or not: formatters add and take them away. The counted tokens of the whole text are a piece,
//! too, unless just one of its pieces has a value already.
//!
//! # `shape/1`
//!
//! What is left when names are forgotten. Each token gives one number or nothing; brackets, separators and the words by
//! which minifiers say the same otherwise give nothing. Numbers are the value of the token, or `mix` of one of these
//! ([`shape`]):
//!
//! | token | number |
//! | --- | --- |
//! | a name | 0x101, but nothing where the number before it is that of a name, so that types and parameters fall away |
//! | `undefined`; a number right behind the keyword `void` | 0x104 |
//! | the keyword `true`; `0` right behind `!` | 0x102 |
//! | the keyword `false`; `1` right behind `!` | 0x103 |
//! | the keyword `function`; `=>` | 0x105 |
//! | the keywords `for`, `while`, `do` | 0x106 |
//! | `==`, `===` | 0x107 |
//! | `!=`, `!==` | 0x108 |
//! | the keywords `var`, `let`, `const`, `return`, `if`, `else`, `import`, `export`, `default`, `void` | nothing |
//! | `; , ( ) { } [ ] . ? : < > \| & !` and `?.`, `&&`, `\|\|`, `??`, `${` | nothing |
//! | any other | its value |
//!
//! A run is [`SHAPE_GRAM`] numbers that follow one another, hashed as the tokens of a piece are. One with fewer than
//! [`SHAPE_NEW_MIN`] numbers that differ from each of the [`SHAPE_MEMORY`] before them, be these in the run or not, is a
//! litany (the arms of a match, the fields of a record) as there are in every program, and is left out. Of every
//! [`SHAPE_WINDOW`] of the others that follow one another the least is kept ([`Window`]).
//!
//! # `atoms/1` and `grams/1`
//!
//! Atoms are folded: of a name capitals (of ASCII) are made small and `_`, `$` and `-` fall away, so that `fooBar`, `foo_bar` and
//! `'foo-bar'` are one atom, whatever the style and the language; a text is trimmed of white space (of ASCII). A word is what
//! has at most [`WORD_MAX`] bytes, all of them letters, digits, beyond ASCII, or one of `_$-`; what is none cannot be
//! folded. Names need 6 folded characters, properties and texts that are one word 4; other texts 5 bytes when they are
//! trimmed, regular expressions 4. A number must be beyond 255, or be no whole one and written with three or more
//! digits behind its point, and not be one more than the number before it in the text; what has no value must be 4 bytes long. The values of folded words have the seed
//! [`ATOM_NAME`](seed::ATOM_NAME), those of other texts [`ATOM_TEXT`](seed::ATOM_TEXT); those of expressions and numbers are those of
//! the tokens. Names give `atoms/1` only: renaming takes them away. In text of no known language names and properties
//! are prose, and give nothing.
//!
//! Tables are data that many programs share: entities, code points, tags. Of texts and numbers of fewer than 32 bytes
//! (as they are written) between which there is nothing but `,`, `:` and brackets (round, square, curly) the first eight may
//! give atoms. In an original the others give none. In a target the texts among them give atoms but no grams ([`Side`]):
//! an obfuscator takes all strings of a program into one table, and with them what can be found again. Those tools encode
//! them, too, in Base64 with capitals and small letters exchanged: what a text of a target decodes to that is such a
//! literal and not the first gives an atom behind its own, if it is in UTF-8 and has no control characters but white
//! space. It is decoded as it is written, white space at its end left out; there is no padding.
//!
//! Four atoms that follow one another, those of names left out, give `grams/1`: `mix(a4 ^ mix(a3 ^ mix(a2 ^ mix(a1))))`.
//!
//! # A text within a text
//!
//! The text of a string may be a program in Base64. Where it has [`ENCODED_MIN`] bytes or more, and is, without line ends
//! (written out, or as `\n` and `\r`) and `=`, Base64 in either alphabet (RFC 4648, sections 4 and 5; the first 64 bytes are
//! looked at first), what comes out has fingerprints of its own, in all tiers, as of its own family. If that is gzip, what comes
//! out of it is meant, up to [`INFLATED_RATIO_MAX`] times its length, and up to [`INFLATED_MAX`] for all strings of the text
//! together. A text with a control character that is no white space in its first 1,024 bytes is a picture or a font, and
//! gives nothing. There is no third text in the second.

use super::hash::{byte, bytes, mix};
use super::window::Window;
use super::{Print, Side, Tier};
use crate::lex::{Family, Kind, Sink, Token, lex};

/// Tokens that a piece must have to be told from others.
pub const PIECE_MIN: u32 = 24;
/// Numbers of a run of the shape.
pub const SHAPE_GRAM: usize = 12;
/// Places for the numbers of a run, a power of two.
const SHAPE_RING: usize = 16;
/// A number is new that is none of as many before it.
const SHAPE_MEMORY: usize = 8;
/// A run has as many new numbers, or it is a litany.
const SHAPE_NEW_MIN: u32 = 3;
/// Runs of which one is kept.
pub const SHAPE_WINDOW: usize = 13;
/// Atoms of a run.
pub const ATOM_GRAM: usize = 4;

/// Folded characters of a name that is an atom.
const NAME_MIN: usize = 6;
/// Folded characters of a property, or of a text that is one word.
const WORD_MIN: usize = 4;
/// Bytes that are taken out of the encoded streams of gzip of one text, all together.
const INFLATED_MAX: u64 = 16 << 20;
/// As many times its own length is taken out of one of them. Code has a tenth of that; what is beyond is there to take time.
const INFLATED_RATIO_MAX: u64 = 64;
/// A string of this many bytes may be an encoded text.
const ENCODED_MIN: usize = 200;
/// Bytes of a word, before it is folded; what is longer is no word.
const WORD_MAX: usize = 128;
/// Bytes of any other text.
const TEXT_MIN: usize = 5;
/// Bytes of a regular expression.
const REGEX_MIN: usize = 4;
/// Whole numbers up to here are in every program.
const NUMBER_MAX_COMMON: f64 = 255.0;

/// Seeds of the kinds of values; the numbers are arbitrary and for good.
mod seed {
    pub const NAME: u64 = 0x01;
    pub const WORD: u64 = 0x02;
    pub const TEXT: u64 = 0x03;
    pub const REGEX: u64 = 0x04;
    pub const NUMBER: u64 = 0x05;
    pub const ATOM_NAME: u64 = 0x11;
    pub const ATOM_TEXT: u64 = 0x12;
}

/// The values of marks of one byte, which half of all tokens are.
const MARKS: [u64; 256] = {
    let mut table = [0; 256];
    let mut mark = 0;
    while mark < 256 {
        table[mark] = byte(seed::WORD, mark as u8);
        mark += 1;
    }
    table
};

/// The factor of the polynomials over tokens.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// Gives the fingerprints of `text`, read as of `family`, to `put`.
pub(super) fn prints(
    family: Family,
    text: &[u8],
    side: Side,
    is_decoded: bool,
    put: &mut dyn FnMut(Tier, Print),
) {
    let mut printer = Printer {
        side,
        room: (!is_decoded).then_some(INFLATED_MAX),
        family,
        salt: bytes(0, family.id().as_bytes()),
        text,
        put,
        pieces: Pieces::default(),
        shaper: Shaper::default(),
        grams: Grams::default(),
        table: Table::default(),
        count: Count::default(),
        value: Vec::new(),
        hidden: Vec::new(),
        folded: Folded::new(),
    };
    lex(family, text, &mut printer);
    printer.finish();
}

struct Printer<'t, 'p> {
    side: Side,
    /// Bytes that may still be inflated; `None` where the text was encoded in another: it is not asked for a third.
    room: Option<u64>,
    family: Family,
    /// Keeps values of different lexers apart.
    salt: u64,
    text: &'t [u8],
    put: &'p mut dyn FnMut(Tier, Print),
    pieces: Pieces,
    shaper: Shaper,
    grams: Grams,
    table: Table,
    count: Count,
    /// The text of the string at hand, escapes undone.
    value: Vec<u8>,
    /// What is hidden in it.
    hidden: Vec<u8>,
    /// The atom at hand.
    folded: Folded,
}

impl Sink for Printer<'_, '_> {
    #[inline]
    fn token(&mut self, token: Token) {
        let text = self.text;
        let raw = token.of(text);
        self.table.take(token.kind, raw);
        match token.kind {
            Kind::Name | Kind::Property => {
                let value = bytes(seed::NAME, raw);
                self.plain(token, raw, value);
                let min = if token.kind == Kind::Name {
                    NAME_MIN
                } else {
                    WORD_MIN
                };
                if raw.len() >= min
                    && self.family != Family::Generic
                    && let Some(word) = self.folded.of(raw)
                    && word.len() >= min
                {
                    let atom = bytes(seed::ATOM_NAME, word);
                    self.atom(token, atom, token.kind == Kind::Property);
                }
            }
            Kind::Punct if raw.len() == 1 => {
                let value = raw.first().map_or(0, |&mark| MARKS[usize::from(mark)]);
                self.plain(token, raw, value);
            }
            Kind::Keyword | Kind::Punct => {
                let value = bytes(seed::WORD, raw);
                self.plain(token, raw, value);
            }
            Kind::Text => self.string(token, raw),
            Kind::Regex => {
                let value = bytes(seed::REGEX, raw);
                self.plain(token, raw, value);
                if raw.len() >= REGEX_MIN {
                    self.atom(token, value, true);
                }
            }
            Kind::Number => {
                let number = crate::lex::number(raw);
                let value = match number {
                    Some(bits) => bytes(seed::NUMBER, &bits.to_le_bytes()),
                    None => bytes(seed::NUMBER, raw),
                };
                self.plain(token, raw, value);
                let counts_up = self.count.take(number);
                if !counts_up && is_rare_number(raw, number) {
                    self.atom(token, value, true);
                }
            }
        }
    }

    fn piece(&mut self) {
        let ended = self.pieces.begin();
        self.put_piece(ended);
    }
}

impl Printer<'_, '_> {
    /// What every token does.
    #[inline]
    fn plain(&mut self, token: Token, raw: &[u8], value: u64) {
        self.pieces.take(token, raw, value);
        if let Some(print) = self.shaper.take(token, raw, value) {
            self.put_salted(Tier::Shape, print);
        }
    }

    fn string(&mut self, token: Token, raw: &[u8]) {
        if raw.len() >= ENCODED_MIN {
            self.encoded(token, raw);
        }
        let value = if memchr::memchr(b'\\', raw).is_some() {
            self.value.clear();
            crate::lex::unescape(self.family, raw, &mut self.value);
            std::mem::take(&mut self.value)
        } else {
            Vec::new()
        };
        let unescaped = if value.is_empty() { raw } else { &value };
        self.plain(token, raw, bytes(seed::TEXT, unescaped));
        self.text_atom(token, unescaped);
        if self.side == Side::Target && self.table.is_one() {
            self.obfuscated(token, raw);
        }
        if !value.is_empty() {
            self.value = value;
        }
    }

    fn text_atom(&mut self, token: Token, text: &[u8]) {
        let trimmed = text.trim_ascii();
        if let Some(word) = self.folded.of(trimmed) {
            if word.len() >= WORD_MIN {
                let atom = bytes(seed::ATOM_NAME, word);
                self.atom(token, atom, true);
            }
        } else if trimmed.len() >= TEXT_MIN {
            self.atom(token, bytes(seed::ATOM_TEXT, trimmed), true);
        }
    }

    /// What an obfuscator hid in a literal of its table.
    fn obfuscated(&mut self, token: Token, raw: &[u8]) {
        let mut text = std::mem::take(&mut self.hidden);
        text.clear();
        if hidden_in(raw, &mut text) {
            self.text_atom(token, &text);
        }
        self.hidden = text;
    }

    /// A string that is Base64 of a text: that text has fingerprints of its own. Where they stand is known to about two bytes.
    fn encoded(&mut self, token: Token, raw: &[u8]) {
        let Some(room) = &mut self.room else { return };
        let Some(text) = decoded(raw, room) else {
            return;
        };
        let place = |at: u32| token.start + (u64::from(at) * 4 / 3).min(raw.len() as u64) as u32;
        super::prints_of_text(
            crate::lex::family_of(&text),
            &text,
            self.side,
            true,
            &mut |tier, print| {
                let (start, end) = (place(print.start), place(print.end));
                (self.put)(
                    tier,
                    Print {
                        start,
                        end,
                        ..print
                    },
                );
            },
        );
    }

    fn atom(&mut self, token: Token, value: u64, in_grams: bool) {
        let is_of_table = self.table.is_full();
        if is_of_table && (self.side == Side::Original || token.kind != Kind::Text) {
            return;
        }
        let Token { start, end, .. } = token;
        (self.put)(Tier::Atoms, Print { value, start, end });
        if in_grams
            && !is_of_table
            && let Some(print) = self.grams.take(Print { value, start, end })
        {
            (self.put)(Tier::Grams, print);
        }
    }

    fn put_salted(&mut self, tier: Tier, print: Print) {
        let value = mix(print.value ^ self.salt);
        (self.put)(tier, Print { value, ..print });
    }

    fn put_piece(&mut self, piece: Option<Print>) {
        if let Some(print) = piece {
            self.put_salted(Tier::Pieces, print);
        }
    }

    fn finish(mut self) {
        let last = self.pieces.begin();
        self.put_piece(last);
        let whole = self.pieces.whole();
        self.put_piece(whole);
        if let Some(print) = std::mem::take(&mut self.shaper.window).finish() {
            self.put_salted(Tier::Shape, print);
        }
    }
}

/// Puts into `text` what `raw` is the Base64 of, with capitals and small letters exchanged; whether that is one.
fn hidden_in(raw: &[u8], text: &mut Vec<u8>) -> bool {
    let digits = raw.trim_ascii_end();
    let (mut bits, mut count) = (0_u32, 0_u32);
    for &byte in digits {
        let digit = SWAPPED[usize::from(byte)];
        if digit >= 64 {
            return false;
        }
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            let byte = (bits >> count) as u8;
            if byte < b' ' && !byte.is_ascii_whitespace() {
                return false;
            }
            text.push(byte);
        }
    }
    // Bits that are left over are zero in what an encoder wrote.
    count != 6 && bits & ((1 << count) - 1) == 0 && std::str::from_utf8(text).is_ok()
}

/// The digits of Base64 with capitals and small letters exchanged; 64 for what is none.
const SWAPPED: [u8; 256] = {
    let digits = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
    let mut table = [64; 256];
    let mut at = 0;
    while at < digits.len() {
        table[digits[at] as usize] = at as u8;
        at += 1;
    }
    table
};

/// The text that a string is the Base64 of, of itself or of a gzip of it, with either alphabet and with or without line ends, written out or escaped.
fn decoded(raw: &[u8], room: &mut u64) -> Option<Vec<u8>> {
    const HEAD: usize = 64;
    let is_of_it = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    if !raw
        .get(..HEAD)?
        .iter()
        .all(|b| is_of_it(b) || matches!(b, b'\\' | b'\n' | b'\r'))
    {
        return None;
    }
    let mut digits = Vec::with_capacity(raw.len());
    let mut rest = raw.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'-' => digits.push(b'+'),
            b'_' => digits.push(b'/'),
            b'\\' => {
                rest.next().filter(|b| matches!(b, b'n' | b'r'))?;
            }
            b'\n' | b'\r' | b'=' => {}
            _ if is_of_it(byte) => digits.push(*byte),
            _ => return None,
        }
    }
    use base64::Engine;
    use std::io::Read;
    let mut text = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(digits)
        .ok()?;
    if text.starts_with(&[0x1F, 0x8B]) {
        let mut inflated = Vec::new();
        let stream = flate2::read::GzDecoder::new(text.as_slice());
        let most = (text.len() as u64 * INFLATED_RATIO_MAX).min(*room);
        // What comes out before the stream breaks is worth a look, too.
        let _ = stream.take(most).read_to_end(&mut inflated);
        *room -= inflated.len() as u64;
        text = inflated;
    }
    // What is encoded is mostly pictures and fonts.
    let controls = text
        .iter()
        .take(1024)
        .filter(|b| b.is_ascii_control() && !b.is_ascii_whitespace());
    (controls.count() == 0).then_some(text)
}

/// A word, folded.
struct Folded {
    bytes: [u8; WORD_MAX],
    len: usize,
}

impl Folded {
    fn new() -> Folded {
        Folded {
            bytes: [0; WORD_MAX],
            len: 0,
        }
    }

    /// Capitals made small, `_`, `$` and `-` left out. `None` where there is something in it that no name has, or too much.
    #[inline]
    fn of(&mut self, raw: &[u8]) -> Option<&[u8]> {
        if raw.len() > WORD_MAX {
            return None;
        }
        self.len = 0;
        let mut is_word = true;
        for &byte in raw {
            let class = FOLD[usize::from(byte)];
            is_word &= class != NOT_OF_A_WORD;
            // Written whether it stays or not: a branch on every byte costs more.
            self.bytes[self.len] = class;
            self.len += usize::from(class != LEFT_OUT);
        }
        is_word.then(|| &self.bytes[..self.len])
    }
}

const LEFT_OUT: u8 = 0;
const NOT_OF_A_WORD: u8 = 1;

/// What each byte of a word becomes.
const FOLD: [u8; 256] = {
    let mut table = [NOT_OF_A_WORD; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if matches!(b, b'_' | b'$' | b'-') {
            table[byte] = LEFT_OUT;
        } else if b.is_ascii_alphanumeric() || b >= 0x80 {
            table[byte] = b.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// Whether a number says something about the program that it stands in.
fn is_rare_number(raw: &[u8], bits: Option<u64>) -> bool {
    let Some(value) = bits.map(f64::from_bits) else {
        return raw.len() >= REGEX_MIN;
    };
    let fraction = memchr::memchr(b'.', raw).map_or(0, |at| {
        let digits = raw.get(at + 1..).unwrap_or_default();
        digits.iter().take_while(|b| b.is_ascii_digit()).count()
    });
    value > NUMBER_MAX_COMMON || (value.fract() != 0.0 && fraction >= 3)
}

/// Top-level pieces, and the text as a whole.
#[derive(Default)]
struct Pieces {
    hash: u64,
    tokens: u32,
    start: u32,
    end: u32,
    /// A `,` that may stand before a closing bracket.
    comma: Option<(u64, Token)>,
    whole: u64,
    whole_tokens: u32,
    whole_start: u32,
    /// Pieces that were long enough.
    count: u32,
}

impl Pieces {
    #[inline]
    fn take(&mut self, token: Token, raw: &[u8], value: u64) {
        if token.kind == Kind::Punct {
            match raw {
                b";" => return,
                b"," => {
                    self.flush_comma();
                    self.comma = Some((value, token));
                    return;
                }
                b")" | b"]" | b"}" => self.comma = None,
                _ => {}
            }
        }
        self.flush_comma();
        self.add(value, token);
    }

    #[inline]
    fn flush_comma(&mut self) {
        if let Some((value, token)) = self.comma.take() {
            self.add(value, token);
        }
    }

    #[inline]
    fn add(&mut self, value: u64, token: Token) {
        if self.tokens == 0 {
            self.start = token.start;
        }
        if self.whole_tokens == 0 {
            self.whole_start = token.start;
        }
        self.hash = self.hash.wrapping_mul(STEP).wrapping_add(value);
        self.whole = self.whole.wrapping_mul(STEP).wrapping_add(value);
        self.tokens += 1;
        self.whole_tokens += 1;
        self.end = token.end;
    }

    /// Ends the piece at hand, if it is long enough.
    fn begin(&mut self) -> Option<Print> {
        self.comma = None;
        let is_long = self.tokens >= PIECE_MIN;
        let ended = Print {
            value: mix(self.hash),
            start: self.start,
            end: self.end,
        };
        self.hash = 0;
        self.tokens = 0;
        self.count += u32::from(is_long);
        is_long.then_some(ended)
    }

    /// The text as a whole, unless it is one piece.
    fn whole(&self) -> Option<Print> {
        let is_more = self.whole_tokens >= PIECE_MIN && self.count != 1;
        is_more.then_some(Print {
            value: mix(self.whole),
            start: self.whole_start,
            end: self.end,
        })
    }
}

/// The shape of a program: its tokens without what renaming, formatting, typing and minifying change.
#[derive(Default)]
struct Shaper {
    ring: [(u64, u32); SHAPE_RING],
    seen: usize,
    hash: u64,
    /// Of the last numbers, which were new: the last is the lowest bit.
    news: u32,
    /// The number before was that of a name.
    after_name: bool,
    /// A `!` or `void` that may be the beginning of another word for `true`, `false` or `undefined`.
    before: Option<Before>,
    window: Window<SHAPE_WINDOW>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Not,
    Void,
}

/// Numbers that tokens give; arbitrary and for good.
mod shape {
    use super::mix;

    pub const NAME: u64 = mix(0x101);
    pub const TRUE: u64 = mix(0x102);
    pub const FALSE: u64 = mix(0x103);
    pub const UNDEFINED: u64 = mix(0x104);
    pub const FUNCTION: u64 = mix(0x105);
    pub const LOOP: u64 = mix(0x106);
    pub const EQUAL: u64 = mix(0x107);
    pub const UNEQUAL: u64 = mix(0x108);
}

/// `STEP` to the power of [`SHAPE_GRAM`]: what a number weighs that leaves a run.
const STEP_OF_GRAM: u64 = {
    let mut power = 1_u64;
    let mut n = 0;
    while n < SHAPE_GRAM {
        power = power.wrapping_mul(STEP);
        n += 1;
    }
    power
};

impl Shaper {
    #[inline]
    fn take(&mut self, token: Token, raw: &[u8], value: u64) -> Option<Print> {
        let before = self.before.take();
        let number = match token.kind {
            Kind::Name if raw == b"undefined" => shape::UNDEFINED,
            Kind::Name => {
                if self.after_name {
                    return None;
                }
                self.after_name = true;
                return self.push(token, shape::NAME);
            }
            Kind::Property | Kind::Text | Kind::Regex => value,
            Kind::Number => match (before, raw) {
                (Some(Before::Not), b"0") => shape::TRUE,
                (Some(Before::Not), b"1") => shape::FALSE,
                (Some(Before::Void), _) => shape::UNDEFINED,
                _ => value,
            },
            Kind::Keyword => match raw {
                b"var" | b"let" | b"const" | b"return" | b"if" | b"else" | b"import"
                | b"export" | b"default" => {
                    return None;
                }
                b"void" => {
                    self.before = Some(Before::Void);
                    return None;
                }
                b"true" => shape::TRUE,
                b"false" => shape::FALSE,
                b"function" => shape::FUNCTION,
                b"for" | b"while" | b"do" => shape::LOOP,
                _ => value,
            },
            Kind::Punct => match raw {
                [
                    b';' | b',' | b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'.' | b'?' | b':'
                    | b'<' | b'>' | b'|' | b'&',
                ]
                | b"?."
                | b"&&"
                | b"||"
                | b"??"
                | b"${" => return None,
                b"!" => {
                    self.before = Some(Before::Not);
                    return None;
                }
                b"=>" => shape::FUNCTION,
                b"==" | b"===" => shape::EQUAL,
                b"!=" | b"!==" => shape::UNEQUAL,
                _ => value,
            },
        };
        self.after_name = false;
        self.push(token, number)
    }

    #[inline]
    fn push(&mut self, token: Token, number: u64) -> Option<Print> {
        let oldest = self.seen.wrapping_sub(SHAPE_GRAM) % SHAPE_RING;
        let (leaving, _) = self.ring[oldest];
        let is_new = (1..=SHAPE_MEMORY).all(|back| {
            let (earlier, _) = self.ring[self.seen.wrapping_sub(back) % SHAPE_RING];
            earlier != number
        });
        self.news = self.news << 1 | u32::from(is_new);
        self.ring[self.seen % SHAPE_RING] = (number, token.start);
        self.seen += 1;
        self.hash = self.hash.wrapping_mul(STEP).wrapping_add(number);
        if self.seen > SHAPE_GRAM {
            self.hash = self.hash.wrapping_sub(leaving.wrapping_mul(STEP_OF_GRAM));
        }
        let news = self.news & ((1 << SHAPE_GRAM) - 1);
        if self.seen < SHAPE_GRAM || news.count_ones() < SHAPE_NEW_MIN {
            return None;
        }
        let (_, start) = self.ring[(self.seen - SHAPE_GRAM) % SHAPE_RING];
        self.window.push(Print {
            value: mix(self.hash),
            start,
            end: token.end,
        })
    }
}

/// How long the run of short literals is that nothing but punctuation stands between.
#[derive(Default)]
struct Table {
    literals: u32,
}

/// Literals of a table that give atoms.
const TABLE_ATOMS: u32 = 8;
/// A literal of as many bytes says something by itself.
const TABLE_LITERAL_MAX: usize = 32;

impl Table {
    #[inline]
    fn take(&mut self, kind: Kind, raw: &[u8]) {
        match kind {
            Kind::Text | Kind::Number if raw.len() < TABLE_LITERAL_MAX => {
                self.literals = self.literals.saturating_add(1);
            }
            Kind::Punct
                if matches!(raw, [b',' | b':' | b'(' | b')' | b'[' | b']' | b'{' | b'}']) => {}
            _ => self.literals = 0,
        }
    }

    /// Whether there is one at all.
    fn is_one(&self) -> bool {
        self.literals > 1
    }

    fn is_full(&self) -> bool {
        self.literals > TABLE_ATOMS
    }
}

/// The last number, to tell those that count up.
#[derive(Default)]
struct Count {
    last: Option<f64>,
}

impl Count {
    /// Takes the next number, and says whether it is one more than the last.
    #[inline]
    fn take(&mut self, bits: Option<u64>) -> bool {
        let number = bits.map(f64::from_bits);
        let last = std::mem::replace(&mut self.last, number);
        matches!((last, number), (Some(last), Some(number)) if number == last + 1.0)
    }
}

/// The last atoms.
#[derive(Default)]
struct Grams {
    ring: [(u64, u32); ATOM_GRAM],
    seen: usize,
}

impl Grams {
    fn take(&mut self, atom: Print) -> Option<Print> {
        self.ring[self.seen % ATOM_GRAM] = (atom.value, atom.start);
        self.seen += 1;
        if self.seen < ATOM_GRAM {
            return None;
        }
        let run = (0..ATOM_GRAM).map(|n| self.ring[(self.seen + n) % ATOM_GRAM]);
        let value = run.fold(0, |hash, (atom, _)| mix(atom ^ hash));
        let (_, start) = self.ring[self.seen % ATOM_GRAM];
        Some(Print {
            value,
            start,
            end: atom.end,
        })
    }
}
