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

use super::hash::{byte, bytes, bytes_in, mix, word_in};
use super::window::Window;
use super::{Print, Side, Tier};
use crate::lex::eight::{HIGH, alphanumeric, before, small};
use crate::lex::{Family, Kind, Sink, Token, lex};

/// Tokens that a piece must have to be told from others.
pub const PIECE_MIN: u32 = 24;
/// Numbers of a run of the shape.
pub const SHAPE_GRAM: usize = 12;
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

/// Kinds of tokens.
const KINDS: usize = Kind::Punct as usize + 1;

/// The seed of each kind of token.
const SEEDS: [u64; KINDS] = {
    let mut seeds = [seed::WORD; KINDS];
    seeds[Kind::Name as usize] = seed::NAME;
    seeds[Kind::Property as usize] = seed::NAME;
    seeds
};

/// Bytes from which on a token of each kind may be an atom by its name.
fn atom_min(family: Family) -> [usize; KINDS] {
    let mut mins = [usize::MAX; KINDS];
    if family != Family::Generic {
        mins[Kind::Name as usize] = NAME_MIN;
        mins[Kind::Property as usize] = WORD_MIN;
    }
    mins
}

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
        shaper: Shaper::new(),
        atom_min: atom_min(family),
        grams: Grams::default(),
        table: Table::default(),
        count: Count::default(),
        value: Vec::new(),
        hidden: Vec::new(),
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
    /// Bytes from which on a token of each kind may be an atom by its name.
    atom_min: [usize; KINDS],
    grams: Grams,
    table: Table,
    count: Count,
    /// The text of the string at hand, escapes undone.
    value: Vec<u8>,
    /// What is hidden in it.
    hidden: Vec<u8>,
}

impl Sink for Printer<'_, '_> {
    #[inline]
    fn token(&mut self, token: Token) {
        match token.kind {
            Kind::Text => self.string(token),
            Kind::Regex => self.regex(token),
            Kind::Number => self.number(token),
            kind => self.word(kind, token),
        }
    }

    fn piece(&mut self) {
        let ended = self.pieces.begin();
        self.put_piece(ended);
    }
}

impl Printer<'_, '_> {
    /// A name, a property, a keyword or punctuation: nearly all tokens are such. Which of them comes next cannot be foretold,
    /// so they are told apart by tables and not by branches.
    #[inline]
    fn word(&mut self, kind: Kind, token: Token) {
        let text = self.text;
        let (start, end) = (token.start as usize, token.end as usize);
        let len = end - start;
        let first = word_in(text, start, end);
        let is_short = len <= 8;
        let seed = SEEDS[kind as usize];
        let value = if is_short {
            mix(seed.wrapping_add(len as u64) ^ first)
        } else {
            bytes_in(seed, text, start, end)
        };
        let is_fixed = matches!(kind, Kind::Keyword | Kind::Punct) & is_short;
        let sign = sign_of(if is_fixed { first } else { 0 });
        if !sign.in_table {
            self.table.literals = 0;
        }
        self.pieces.take(token, value, sign.in_piece);
        self.shaper.before = sign.before;
        if kind == Kind::Name {
            if len == UNDEFINED.len() && &text[start..end] == UNDEFINED {
                self.shaper.push(token, shape::UNDEFINED);
            } else {
                self.shaper.push_name(token);
            }
        } else {
            self.shaper
                .push_some(token, sign.number.unwrap_or(value), sign.in_shape);
        }
        if self.shaper.is_full() {
            self.put_shape();
        }
        if len >= self.atom_min[kind as usize] {
            self.name(kind, token, first);
        }
    }

    /// What every other token does.
    fn literal(&mut self, token: Token, value: u64) {
        self.pieces.take(token, value, InPiece::Counts);
        let before = std::mem::take(&mut self.shaper.before);
        let number = match token.kind {
            Kind::Number => match (before, token.of(self.text)) {
                (Before::Not, b"0") => shape::TRUE,
                (Before::Not, b"1") => shape::FALSE,
                (Before::Void, _) => shape::UNDEFINED,
                _ => value,
            },
            _ => value,
        };
        self.shaper.push(token, number);
        if self.shaper.is_full() {
            self.put_shape();
        }
    }

    /// A name or a property that begins with the eight bytes `first`; it is an atom where enough is left of it.
    #[inline]
    fn name(&mut self, kind: Kind, token: Token, first: u64) {
        let (start, end) = (token.start as usize, token.end as usize);
        let len = end - start;
        let folded = if len <= 8 && is_alphanumeric(first, len) {
            Some((
                len,
                mix(seed::ATOM_NAME.wrapping_add(len as u64) ^ small(first)),
            ))
        } else {
            folded(self.text, start, end)
        };
        if let Some((len, atom)) = folded
            && len >= self.atom_min[kind as usize]
        {
            self.atom(token, atom, kind == Kind::Property);
        }
    }

    fn regex(&mut self, token: Token) {
        self.table.literals = 0;
        let raw = token.of(self.text);
        let value = bytes(seed::REGEX, raw);
        self.literal(token, value);
        if raw.len() >= REGEX_MIN {
            self.atom(token, value, true);
        }
    }

    fn number(&mut self, token: Token) {
        let raw = token.of(self.text);
        self.table.literal(raw);
        let number = crate::lex::number(raw);
        let value = match number {
            Some(bits) => bytes(seed::NUMBER, &bits.to_le_bytes()),
            None => bytes(seed::NUMBER, raw),
        };
        self.literal(token, value);
        let counts_up = self.count.take(number);
        if !counts_up && is_rare_number(raw, number) {
            self.atom(token, value, true);
        }
    }

    fn string(&mut self, token: Token) {
        let raw = token.of(self.text);
        self.table.literal(raw);
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
        self.literal(token, bytes(seed::TEXT, unescaped));
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
        if let Some((len, atom)) = folded(trimmed, 0, trimmed.len()) {
            if len >= WORD_MIN {
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
        // What was found before it is given before it.
        self.put_shape();
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
        self.put_shape();
        if let Some(print) = std::mem::take(&mut self.shaper.window).finish() {
            self.put_salted(Tier::Shape, print);
        }
    }

    /// Gives what the numbers of the shape yield that wait.
    fn put_shape(&mut self) {
        let (salt, put) = (self.salt, &mut *self.put);
        self.shaper.drain(|print| {
            let value = mix(print.value ^ salt);
            put(Tier::Shape, Print { value, ..print });
        });
    }
}

/// Puts into `text` what `raw` is the Base64 of, with capitals and small letters exchanged; whether that is one.
fn hidden_in(raw: &[u8], text: &mut Vec<u8>) -> bool {
    use base64::Engine;
    let is_odd = |b: &u8| *b < b' ' && !b.is_ascii_whitespace();
    SWAPPED.decode_vec(raw.trim_ascii_end(), text).is_ok()
        && !text.iter().any(is_odd)
        && std::str::from_utf8(text).is_ok()
}

/// Base64 with capitals and small letters exchanged, and nothing behind.
static SWAPPED: base64::engine::GeneralPurpose = {
    const DIGITS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
    let Ok(alphabet) = base64::alphabet::Alphabet::new(DIGITS) else {
        panic!("64 digits")
    };
    base64::engine::GeneralPurpose::new(&alphabet, base64::engine::general_purpose::NO_PAD)
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

/// The word `text[start..end]` with capitals made small, and `_`, `$` and `-` left out: what is left of it in bytes, and its
/// value as an atom. `None` where there is something in it that no name has, or too much.
#[inline]
fn folded(text: &[u8], start: usize, end: usize) -> Option<(usize, u64)> {
    let len = end - start;
    if len > WORD_MAX {
        return None;
    }
    let mut hash = seed::ATOM_NAME.wrapping_add(len as u64);
    for at in (start..end).step_by(8) {
        let word = word_in(text, at, end);
        if !is_alphanumeric(word, end - at) {
            return folded_slowly(&text[start..end]);
        }
        hash = mix(hash ^ small(word));
    }
    Some((len, hash))
}

/// The same, byte by byte.
fn folded_slowly(raw: &[u8]) -> Option<(usize, u64)> {
    let mut folded = [0; WORD_MAX];
    let mut len = 0;
    for &byte in raw {
        let class = FOLD[usize::from(byte)];
        if class == NOT_OF_A_WORD {
            return None;
        }
        // Written whether it stays or not: a branch on every byte costs more.
        folded[len] = class;
        len += usize::from(class != LEFT_OUT);
    }
    Some((len, bytes(seed::ATOM_NAME, &folded[..len])))
}

/// Whether the first `len` of eight bytes are ASCII letters and digits.
#[inline]
fn is_alphanumeric(word: u64, len: usize) -> bool {
    before(!alphanumeric(word) & HIGH) >= len.min(8)
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
    /// A `,` waits that may stand before a closing bracket; where it begins and ends.
    has_comma: bool,
    comma: (u32, u32),
    whole: u64,
    whole_tokens: u32,
    whole_start: u32,
    /// Pieces that were long enough.
    count: u32,
}

/// The value of a `,`.
const COMMA: u64 = byte(seed::WORD, b',');

impl Pieces {
    /// Written so that nothing of it hangs on a branch.
    #[inline]
    fn take(&mut self, token: Token, value: u64, in_piece: InPiece) {
        let is_nothing = in_piece == InPiece::Nothing;
        let is_comma = in_piece == InPiece::Comma;
        let is_closing = in_piece == InPiece::Closes;
        let comma_counts = self.has_comma & !is_nothing & !is_closing;
        self.add(comma_counts, COMMA, self.comma);
        let place = (token.start, token.end);
        self.add(!is_nothing & !is_comma, value, place);
        self.has_comma = is_comma | is_nothing & self.has_comma;
        self.comma = if is_comma { place } else { self.comma };
    }

    #[inline]
    fn add(&mut self, counts: bool, value: u64, (start, end): (u32, u32)) {
        let next = |hash: u64| hash.wrapping_mul(STEP).wrapping_add(value);
        let is_first = |tokens: u32| counts & (tokens == 0);
        self.start = if is_first(self.tokens) {
            start
        } else {
            self.start
        };
        self.whole_start = if is_first(self.whole_tokens) {
            start
        } else {
            self.whole_start
        };
        self.hash = if counts { next(self.hash) } else { self.hash };
        self.whole = if counts { next(self.whole) } else { self.whole };
        self.tokens += u32::from(counts);
        self.whole_tokens += u32::from(counts);
        self.end = if counts { end } else { self.end };
    }

    /// Ends the piece at hand, if it is long enough.
    fn begin(&mut self) -> Option<Print> {
        self.has_comma = false;
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
///
/// Its numbers wait until there are many, and become fingerprints in one go.
struct Shaper {
    /// The last of those that are done with, and those that wait.
    numbers: [u64; SHAPE_SIGHT],
    starts: [u32; SHAPE_SIGHT],
    ends: [u32; SHAPE_SIGHT],
    /// Of them.
    len: usize,
    /// Are done with.
    done: usize,
    /// Hash of the last run.
    hash: u64,
    /// Of the last numbers, which were new: the last is the lowest bit.
    news: u32,
    /// The number before was that of a name.
    after_name: bool,
    before: Before,
    window: Window<SHAPE_WINDOW>,
}

/// Numbers of the shape that are in sight.
const SHAPE_SIGHT: usize = 256;

/// A `!` or `void` that may be the beginning of another word for `true`, `false` or `undefined`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Other,
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

/// A name that is no name, but a value.
const UNDEFINED: &[u8] = b"undefined";

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
    fn new() -> Shaper {
        Shaper {
            numbers: [0; SHAPE_SIGHT],
            starts: [0; SHAPE_SIGHT],
            ends: [0; SHAPE_SIGHT],
            len: 0,
            done: 0,
            hash: 0,
            news: 0,
            after_name: false,
            before: Before::Other,
            window: Window::default(),
        }
    }

    #[inline]
    fn push(&mut self, token: Token, number: u64) {
        self.push_some(token, number, true);
    }

    /// The number of a token, where it gives one.
    #[inline]
    fn push_some(&mut self, token: Token, number: u64, gives: bool) {
        self.put(token, number, gives);
        self.after_name &= !gives;
    }

    /// A name; those that follow one another count once.
    #[inline]
    fn push_name(&mut self, token: Token) {
        self.put(token, shape::NAME, !self.after_name);
        self.after_name = true;
    }

    #[inline]
    fn put(&mut self, token: Token, number: u64, gives: bool) {
        // Written whether it stays or not.
        self.numbers[self.len] = number;
        self.starts[self.len] = token.start;
        self.ends[self.len] = token.end;
        self.len += usize::from(gives);
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.len == SHAPE_SIGHT
    }

    /// Gives what the numbers that wait yield, and makes room.
    fn drain(&mut self, mut put: impl FnMut(Print)) {
        let (mut hash, mut news) = (self.hash, self.news);
        for at in self.done..self.len {
            let number = self.numbers[at];
            hash = hash.wrapping_mul(STEP).wrapping_add(number);
            let before = &self.numbers[at.saturating_sub(SHAPE_MEMORY)..at];
            // All are looked at: to stop at the first is slower.
            let is_new = before
                .iter()
                .fold(true, |is_new, &it| is_new & (it != number));
            news = (news << 1 | u32::from(is_new)) & ((1 << SHAPE_GRAM) - 1);
            let Some(first) = (at + 1).checked_sub(SHAPE_GRAM) else {
                continue;
            };
            if let Some(leaving) = first.checked_sub(1) {
                hash = hash.wrapping_sub(self.numbers[leaving].wrapping_mul(STEP_OF_GRAM));
            }
            if news.count_ones() < SHAPE_NEW_MIN {
                continue;
            }
            let run = Print {
                value: mix(hash),
                start: self.starts[first],
                end: self.ends[at],
            };
            if let Some(print) = self.window.push(run) {
                put(print);
            }
        }
        (self.hash, self.news) = (hash, news);
        let gone = self.len.saturating_sub(SHAPE_GRAM);
        self.numbers.copy_within(gone..self.len, 0);
        self.starts.copy_within(gone..self.len, 0);
        self.ends.copy_within(gone..self.len, 0);
        self.len -= gone;
        self.done = self.len;
    }
}

/// What a keyword or a mark says of itself.
#[derive(Clone, Copy)]
struct Sign {
    /// Its bytes as a little-endian number.
    key: u64,
    /// The number that it gives to the shape, where that is not its value.
    number: Option<u64>,
    in_shape: bool,
    in_piece: InPiece,
    before: Before,
    /// It may stand between the literals of a table.
    in_table: bool,
}

/// What a token is to a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InPiece {
    Counts,
    Nothing,
    Comma,
    Closes,
}

/// Any token of which nothing else is said.
const ORDINARY: Sign = Sign {
    key: 0,
    number: None,
    in_shape: true,
    in_piece: InPiece::Counts,
    before: Before::Other,
    in_table: false,
};

/// Slots of the table of signs, as a power of two; each sign has one of its own.
const SIGN_BITS: u32 = 7;

/// Where the sign of these bytes stands. The factor was found by trial; that no two meet is checked when the table is made.
const fn sign_slot(key: u64) -> usize {
    (key.wrapping_mul(0xEDF6_A199_7DE3_A31D) >> (u64::BITS - SIGN_BITS)) as usize
}

#[inline]
fn sign_of(key: u64) -> &'static Sign {
    let sign = &SIGNS[sign_slot(key)];
    if sign.key == key { sign } else { &ORDINARY }
}

static SIGNS: [Sign; 1 << SIGN_BITS] = {
    let mut table = [ORDINARY; 1 << SIGN_BITS];
    let left_out: [&[u8]; 29] = [
        b";", b",", b"(", b")", b"{", b"}", b"[", b"]", b".", b"?", b":", b"<", b">", b"|", b"&",
        b"?.", b"&&", b"||", b"??", b"${", b"var", b"let", b"const", b"return", b"if", b"else",
        b"import", b"export", b"default",
    ];
    let mut at = 0;
    while at < left_out.len() {
        let mut sign = ORDINARY;
        sign.in_shape = false;
        if let [mark] = left_out[at] {
            sign.in_piece = match *mark {
                b';' => InPiece::Nothing,
                b',' => InPiece::Comma,
                b')' | b']' | b'}' => InPiece::Closes,
                _ => InPiece::Counts,
            };
            sign.in_table = matches!(*mark, b',' | b':' | b'(' | b')' | b'[' | b']' | b'{' | b'}');
        }
        insert(&mut table, left_out[at], sign);
        at += 1;
    }
    let beginnings: [(&[u8], Before); 2] = [(b"!", Before::Not), (b"void", Before::Void)];
    let mut at = 0;
    while at < beginnings.len() {
        let mut sign = ORDINARY;
        sign.in_shape = false;
        sign.before = beginnings[at].1;
        insert(&mut table, beginnings[at].0, sign);
        at += 1;
    }
    let numbered: [(&[u8], u64); 11] = [
        (b"true", shape::TRUE),
        (b"false", shape::FALSE),
        (b"function", shape::FUNCTION),
        (b"=>", shape::FUNCTION),
        (b"for", shape::LOOP),
        (b"while", shape::LOOP),
        (b"do", shape::LOOP),
        (b"==", shape::EQUAL),
        (b"===", shape::EQUAL),
        (b"!=", shape::UNEQUAL),
        (b"!==", shape::UNEQUAL),
    ];
    let mut at = 0;
    while at < numbered.len() {
        let mut sign = ORDINARY;
        sign.number = Some(numbered[at].1);
        insert(&mut table, numbered[at].0, sign);
        at += 1;
    }
    table
};

const fn insert(table: &mut [Sign; 1 << SIGN_BITS], spelling: &[u8], sign: Sign) {
    let (mut key, mut at) = (0, 0);
    while at < spelling.len() {
        key |= (spelling[at] as u64) << (8 * at);
        at += 1;
    }
    let slot = sign_slot(key);
    assert!(key != 0 && table[slot].key == 0, "two signs in one slot");
    table[slot] = Sign { key, ..sign };
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
    fn literal(&mut self, raw: &[u8]) {
        self.literals = if raw.len() < TABLE_LITERAL_MAX {
            self.literals.saturating_add(1)
        } else {
            0
        };
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
