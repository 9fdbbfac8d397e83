//! The fingerprints as their documentation has them, in the plainest way: from the list of all tokens, over and over the
//! same text, with nothing carried along. It shares no code with what it is held against but the lexers, the values of
//! literals and the place where a licence header ends, which have tests of their own.

use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use strandline::lex::{self, Family, Kind, Sink, Token, family_of, header_end};
use strandline::signature::prints::{Print, Side, Tier};

/// One fingerprint: tier, value, start and end.
pub type Row = (Tier, u64, u32, u32);

/// All fingerprints of a text, in no order that means anything.
pub fn prints(family: Family, text: &[u8], side: Side) -> Vec<Row> {
    prints_at_depth(family, text, side, false)
}

fn prints_at_depth(family: Family, text: &[u8], side: Side, is_decoded: bool) -> Vec<Row> {
    let mut rows = winnow(text, header_end(text, family));
    if side == Side::Original {
        let licences = lex::licence_texts(text);
        rows.retain(|(.., start, _)| !licences.iter().any(|l| l.contains(&(*start as usize))));
    }
    let all = Tokens::of(family, text);
    let salt = bytes(0, family.id().as_bytes());
    let salted = |tier, found: Vec<Print>| {
        let rows = found.into_iter();
        rows.map(move |one| (tier, mix(one.value ^ salt), one.start, one.end))
    };
    rows.extend(salted(Tier::Pieces, pieces(&all, text)));
    rows.extend(salted(Tier::Shape, shape(&all, text)));
    rows.extend(atoms(&all, text, side));
    if !is_decoded {
        let mut room = 16 << 20;
        for token in all.tokens.iter().filter(|token| token.kind == Kind::Text) {
            rows.extend(encoded(token, token.of(text), side, &mut room));
        }
    }
    rows
}

// ---------------------------------------------------------------------------------------------------------------
// The hash

pub fn mix(x: u64) -> u64 {
    let once = |x: u64| (x ^ (x >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let twice = once(once(x));
    twice ^ (twice >> 32)
}

pub fn bytes(seed: u64, of: &[u8]) -> u64 {
    let mut hash = seed.wrapping_add(of.len() as u64);
    for eight in of.chunks(8) {
        let mut word = eight.to_vec();
        word.resize(8, 0);
        hash = mix(hash ^ u64::from_le_bytes(word.try_into().expect("eight bytes")));
    }
    hash
}

/// `h = h * FACTOR + value` over some values, from 0, then `mix`.
fn polynomial(values: impl IntoIterator<Item = u64>) -> u64 {
    let step = |hash: u64, value| hash.wrapping_mul(FACTOR).wrapping_add(value);
    mix(values.into_iter().fold(0, step))
}

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// Of every `size` that follow one another the last of those with the least value, each once; fewer are one window.
fn least_of_each(runs: &[Print], size: usize) -> Vec<Print> {
    let mut chosen = BTreeSet::new();
    let windows = (runs.len() + 1).saturating_sub(size).max(1);
    for first in 0..windows {
        let window = first..runs.len().min(first + size);
        let least = window.min_by_key(|&at| (runs[at].value, std::cmp::Reverse(at)));
        chosen.extend(least);
    }
    chosen.into_iter().map(|at| runs[at]).collect()
}

// ---------------------------------------------------------------------------------------------------------------
// winnow/1

fn winnow(text: &[u8], header: usize) -> Vec<Row> {
    let text = &text[header..];
    let mut is_left_out: Vec<bool> = text.iter().map(|b| !b.is_ascii_alphanumeric()).collect();
    for at in 0..text.len() {
        if at > 0 && text[at - 1] == b'\\' {
            is_left_out[at] = true;
        }
        let references = [
            "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&nbsp;", "&#39;", "&#x27;",
        ];
        for reference in references {
            if text[at..].starts_with(reference.as_bytes()) {
                is_left_out[at..at + reference.len()].fill(true);
            }
        }
    }
    let chars: Vec<usize> = (0..text.len()).filter(|&at| !is_left_out[at]).collect();
    let run = |places: &[usize]| {
        let mut value = 0;
        for (i, &at) in (1..).zip(places) {
            let c = text[at].to_ascii_lowercase();
            value ^= mix(u64::from(c) + 1).rotate_left(30 - i);
        }
        Print {
            value: value.wrapping_mul(FACTOR),
            start: (header + places[0]) as u32,
            end: (header + places[29] + 1) as u32,
        }
    };
    let runs: Vec<Print> = chars.windows(30).map(run).collect();
    let chosen = least_of_each(&runs, 64).into_iter();
    chosen
        .map(|one| (Tier::Winnow, one.value, one.start, one.end))
        .collect()
}

// ---------------------------------------------------------------------------------------------------------------
// Tokens

/// The tokens of a text, and before which of them pieces begin.
struct Tokens {
    family: Family,
    tokens: Vec<Token>,
    values: Vec<u64>,
    pieces: Vec<usize>,
}

impl Sink for Tokens {
    fn token(&mut self, token: Token) {
        self.tokens.push(token);
    }

    fn piece(&mut self) {
        self.pieces.push(self.tokens.len());
    }
}

impl Tokens {
    fn of(family: Family, text: &[u8]) -> Tokens {
        let mut all = Tokens {
            family,
            tokens: Vec::new(),
            values: Vec::new(),
            pieces: Vec::new(),
        };
        lex::lex(family, text, &mut all);
        let value = |token: &Token| value(family, token.kind, token.of(text));
        all.values = all.tokens.iter().map(value).collect();
        all
    }
}

fn value(family: Family, kind: Kind, raw: &[u8]) -> u64 {
    match kind {
        Kind::Name | Kind::Property => bytes(1, raw),
        Kind::Keyword | Kind::Punct => bytes(2, raw),
        Kind::Text => bytes(3, &unescaped(family, raw)),
        Kind::Regex => bytes(4, raw),
        Kind::Number => match lex::number(raw) {
            Some(bits) => bytes(5, &bits.to_le_bytes()),
            None => bytes(5, raw),
        },
    }
}

fn unescaped(family: Family, raw: &[u8]) -> Vec<u8> {
    let mut value = Vec::new();
    if raw.contains(&b'\\') {
        lex::unescape(family, raw, &mut value);
    }
    if value.is_empty() {
        raw.to_vec()
    } else {
        value
    }
}

// ---------------------------------------------------------------------------------------------------------------
// pieces/1

fn pieces(all: &Tokens, text: &[u8]) -> Vec<Print> {
    let mut bounds = all.pieces.clone();
    bounds.extend([0, all.tokens.len()]);
    bounds.sort_unstable();
    let mut whole: Vec<usize> = Vec::new();
    let mut found = Vec::new();
    for pair in bounds.windows(2) {
        let is_mark = |at: usize, mark: &[u8]| {
            all.tokens[at].kind == Kind::Punct && all.tokens[at].of(text) == mark
        };
        let counted: Vec<usize> = (pair[0]..pair[1])
            .filter(|&at| !is_mark(at, b";"))
            .collect();
        let closes = |at: usize| is_mark(at, b")") || is_mark(at, b"]") || is_mark(at, b"}");
        let is_spare = |nth: usize| {
            is_mark(counted[nth], b",") && counted.get(nth + 1).is_none_or(|&next| closes(next))
        };
        let kept: Vec<usize> = (0..counted.len())
            .filter(|&nth| !is_spare(nth))
            .map(|nth| counted[nth])
            .collect();
        whole.extend(&kept);
        if kept.len() >= 24 {
            found.push(stretch(all, &kept));
        }
    }
    if found.len() != 1 && whole.len() >= 24 {
        found.push(stretch(all, &whole));
    }
    found
}

fn stretch(all: &Tokens, kept: &[usize]) -> Print {
    Print {
        value: polynomial(kept.iter().map(|&at| all.values[at])),
        start: all.tokens[kept[0]].start,
        end: all.tokens[kept[kept.len() - 1]].end,
    }
}

// ---------------------------------------------------------------------------------------------------------------
// shape/1

fn shape(all: &Tokens, text: &[u8]) -> Vec<Print> {
    let mut numbers: Vec<(u64, Token)> = Vec::new();
    for (at, token) in all.tokens.iter().enumerate() {
        let raw = token.of(text);
        let word = |number: u64| Some(mix(number));
        let is_behind = |kind: Kind, word: &[u8]| {
            at > 0 && all.tokens[at - 1].kind == kind && all.tokens[at - 1].of(text) == word
        };
        let itself = Some(all.values[at]);
        let shown = std::str::from_utf8(raw).unwrap_or("\u{FFFD}");
        let number = match (token.kind, shown) {
            (Kind::Name, "undefined") => word(0x104),
            (Kind::Name, _) => word(0x101),
            (Kind::Property | Kind::Text | Kind::Regex, _) => itself,
            (Kind::Number, "0") if is_behind(Kind::Punct, b"!") => word(0x102),
            (Kind::Number, "1") if is_behind(Kind::Punct, b"!") => word(0x103),
            (Kind::Number, _) if is_behind(Kind::Keyword, b"void") => word(0x104),
            (Kind::Number, _) => itself,
            (
                Kind::Keyword,
                "var" | "let" | "const" | "return" | "if" | "else" | "import" | "export"
                | "default" | "void",
            ) => None,
            (Kind::Keyword, "true") => word(0x102),
            (Kind::Keyword, "false") => word(0x103),
            (Kind::Keyword, "function") => word(0x105),
            (Kind::Keyword, "for" | "while" | "do") => word(0x106),
            (Kind::Keyword, _) => itself,
            (
                Kind::Punct,
                ";" | "," | "(" | ")" | "{" | "}" | "[" | "]" | "." | "?" | ":" | "<" | ">" | "|"
                | "&" | "?." | "&&" | "||" | "??" | "${" | "!",
            ) => None,
            (Kind::Punct, "=>") => word(0x105),
            (Kind::Punct, "==" | "===") => word(0x107),
            (Kind::Punct, "!=" | "!==") => word(0x108),
            (Kind::Punct, _) => itself,
        };
        let is_of_name = |number| number == mix(0x101);
        match number {
            Some(number)
                if !is_of_name(number) || numbers.last().is_none_or(|last| !is_of_name(last.0)) =>
            {
                numbers.push((number, *token));
            }
            _ => {}
        }
    }
    let is_new = |at: usize| {
        let before = &numbers[at.saturating_sub(8)..at];
        before.iter().all(|earlier| earlier.0 != numbers[at].0)
    };
    let runs = (0..(numbers.len() + 1).saturating_sub(12))
        .filter(|&first| (first..first + 12).filter(|&at| is_new(at)).count() >= 3)
        .map(|first| {
            let run = &numbers[first..first + 12];
            Print {
                value: polynomial(run.iter().map(|one| one.0)),
                start: run[0].1.start,
                end: run[11].1.end,
            }
        });
    least_of_each(&runs.collect::<Vec<_>>(), 13)
}

// ---------------------------------------------------------------------------------------------------------------
// atoms/1 and grams/1

fn atoms(all: &Tokens, text: &[u8], side: Side) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row: Vec<(u64, Token)> = Vec::new();
    for (at, token) in all.tokens.iter().enumerate() {
        let literals = literals_of_table(&all.tokens[..=at], text);
        let is_of_long_table = literals > 8;
        let is_target = side == Side::Target;
        if is_of_long_table && !(is_target && token.kind == Kind::Text) {
            continue;
        }
        let is_hiding = is_target && token.kind == Kind::Text && literals > 1;
        let hidden = hidden(token.of(text)).filter(|_| is_hiding);
        let found = [
            atom(all, at, text),
            hidden.and_then(|text| text_atom(&text)),
        ];
        for atom in found.into_iter().flatten() {
            rows.push((Tier::Atoms, atom, token.start, token.end));
            if token.kind == Kind::Name || is_of_long_table {
                continue;
            }
            row.push((atom, *token));
            if let [.., a1, a2, a3, a4] = row.as_slice() {
                let value = mix(a4.0 ^ mix(a3.0 ^ mix(a2.0 ^ mix(a1.0))));
                rows.push((Tier::Grams, value, a1.1.start, a4.1.end));
            }
        }
    }
    rows
}

/// Short literals of the table that the last token is of, or stands right behind, it included; as far as 9.
fn literals_of_table(tokens: &[Token], text: &[u8]) -> usize {
    let mut literals = 0;
    for token in tokens.iter().rev() {
        let raw = token.of(text);
        match token.kind {
            Kind::Text | Kind::Number if raw.len() < 32 => literals += 1,
            Kind::Punct if matches!(raw, b"," | b":" | b"(" | b")" | b"[" | b"]" | b"{" | b"}") => {
            }
            _ => break,
        }
        if literals > 8 {
            break;
        }
    }
    literals
}

/// What a text is the Base64 of, with capitals and small letters exchanged.
fn hidden(raw: &[u8]) -> Option<Vec<u8>> {
    let swap = |b: &u8| match b {
        b'a'..=b'z' => b.to_ascii_uppercase(),
        b => b.to_ascii_lowercase(),
    };
    let digits: Vec<u8> = raw.trim_ascii_end().iter().map(swap).collect();
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let text = String::from_utf8(engine.decode(digits).ok()?).ok()?;
    let is_odd = |b: u8| b < 0x20 && !b.is_ascii_whitespace();
    (!text.bytes().any(is_odd)).then(|| text.into_bytes())
}

fn text_atom(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    match folded(text) {
        Some(word) => (word.len() >= 4).then(|| bytes(0x11, &word)),
        None => (text.len() >= 5).then(|| bytes(0x12, text)),
    }
}

fn atom(all: &Tokens, at: usize, text: &[u8]) -> Option<u64> {
    let family = all.family;
    let raw = all.tokens[at].of(text);
    let name = |least: usize| {
        let word = folded(raw)?;
        (family != Family::Generic && word.len() >= least).then(|| bytes(0x11, &word))
    };
    match all.tokens[at].kind {
        Kind::Name => name(6),
        Kind::Property => name(4),
        Kind::Text => text_atom(&unescaped(family, raw)),
        Kind::Regex => (raw.len() >= 4).then_some(all.values[at]),
        Kind::Number => {
            let mut before = all.tokens[..at].iter().rev();
            let last = before.find(|token| token.kind == Kind::Number);
            let value = |token: &Token| lex::number(token.of(text)).map(f64::from_bits);
            let one_more = last.and_then(value).map(|last| last + 1.0);
            let counts_up = one_more.is_some() && one_more == value(&all.tokens[at]);
            (is_rare(raw) && !counts_up).then_some(all.values[at])
        }
        Kind::Keyword | Kind::Punct => None,
    }
}

/// A word without its style; `None` for what is no word.
fn folded(raw: &[u8]) -> Option<Vec<u8>> {
    let is_left_out = |b: &u8| b"_$-".contains(b);
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80 || is_left_out(b);
    if raw.len() > 128 || !raw.iter().all(is_word) {
        return None;
    }
    let kept = raw.iter().filter(|b| !is_left_out(b));
    Some(kept.map(u8::to_ascii_lowercase).collect())
}

fn is_rare(raw: &[u8]) -> bool {
    let Some(value) = lex::number(raw).map(f64::from_bits) else {
        return raw.len() >= 4;
    };
    let behind_point = raw.split(|&b| b == b'.').nth(1).unwrap_or_default();
    let digits = behind_point.iter().take_while(|b| b.is_ascii_digit());
    value > 255.0 || (value.fract() != 0.0 && digits.count() >= 3)
}

// ---------------------------------------------------------------------------------------------------------------
// A text in Base64 within another

fn encoded(token: &Token, raw: &[u8], side: Side, room: &mut u64) -> Vec<Row> {
    let Some(text) = decoded(raw, room) else {
        return Vec::new();
    };
    let place = |at: u32| token.start + (u64::from(at) * 4 / 3).min(raw.len() as u64) as u32;
    let rows = prints_at_depth(family_of(&text), &text, side, true).into_iter();
    rows.map(|(tier, value, start, end)| (tier, value, place(start), place(end)))
        .collect()
}

fn decoded(raw: &[u8], room: &mut u64) -> Option<Vec<u8>> {
    if raw.len() < 200 {
        return None;
    }
    let is_digit = |b: u8| b.is_ascii_alphanumeric() || b"+/-_".contains(&b);
    if !raw[..64]
        .iter()
        .all(|&b| is_digit(b) || b"\\\n\r".contains(&b))
    {
        return None;
    }
    let text = String::from_utf8(raw.to_vec()).ok()?;
    let digits = text.replace("\\n", "").replace("\\r", "");
    let digits = digits.replace(['\n', '\r', '='], "");
    let digits = digits.replace('-', "+").replace('_', "/");
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let mut text = engine.decode(digits).ok()?;
    if text.starts_with(b"\x1F\x8B") {
        let mut inflated = Vec::new();
        let stream = flate2::read::GzDecoder::new(text.as_slice());
        let most = (64 * text.len() as u64).min(*room);
        let _ = stream.take(most).read_to_end(&mut inflated);
        *room -= inflated.len() as u64;
        text = inflated;
    }
    let head = &text[..text.len().min(1024)];
    let is_picture = |b: &u8| b.is_ascii_control() && !b.is_ascii_whitespace();
    (!head.iter().any(is_picture)).then_some(text)
}
