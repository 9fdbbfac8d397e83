//! The family of a text, told from its bytes alone.
//!
//! Names lie, and equal bytes must give equal facts; so the only witness is the text. What is asked of it: that the same
//! file comes out the same after a formatter, a minifier or a stripper of comments, that a licence on top or a data table
//! at the end does not decide, and that a few lines are enough where they can be.
//!
//! So comments and strings are passed over, roughly, and what is left is counted: words that one language has and another
//! has not, and a few marks between them (`===`, `::`, `:=`, a `:` at the end of a line). Each has a weight for each
//! family; the family with the largest sum wins if the sum is worth something beside the number of words. Otherwise, and
//! where two words in a row stand side by side as in prose, the text is of no family. Of a longer text three stretches are
//! looked at: its beginning, its middle and its end.
//!
//! Where this tells nothing, and where a text has lines that only Ruby has, `others` looks at it in another way, for families
//! whose words are those of prose and of all others.
//!
//! Left out: more than one language in a file, other than in a page, and prose that is mostly code.

mod others;

use super::Family;
use super::reader::{self, DIGIT, LETTER, SPACE, WORD, blanks_end, is};
use super::words::Words;

/// Bytes that are looked at.
const SAMPLE_BYTES: usize = 9_216;

/// Stretches that a longer text is looked at in.
const STRETCHES: usize = 3;

/// How far a stretch is moved for it to begin with a line.
const LINE_SEARCH_BYTES: usize = 256;

/// How far a line comment may go; on a line that is longer, `//` is something else.
const COMMENT_MAX_BYTES: usize = 400;

/// A sum that is too little to say anything.
const SCORE_MIN: i32 = 3;

/// Words for each of which there must be a point.
const WORDS_FOR_A_POINT: i32 = 25;

/// Words without which nothing is called prose.
const PROSE_MIN_WORDS: i32 = 20;

/// Places in an array of weights.
const SCRIPT: usize = 0;
const PYTHON: usize = 1;
const RUST: usize = 2;
const CLIKE: usize = 3;
const GENERIC: usize = 4;

/// Weights for Script, Python, Rust, Clike and Generic, in this order.
type Weights = [i8; 5];

/// The family that a text is most likely of, by its bytes.
#[must_use]
pub fn family_of(text: &[u8]) -> Family {
    let mut count = Count::default();
    count.beginning(text);
    let stretches = stretches(text);
    for stretch in stretches {
        count.at_cut = (count.words, count.pairs, count.scores);
        count.stretch(stretch);
        count.is_cut = true;
    }
    others::family_of(count.verdict(), text, &stretches)
}

/// What is looked at: all of a short text, three stretches of a long one, each from the beginning of a line where one is
/// near.
fn stretches(text: &[u8]) -> [&[u8]; STRETCHES] {
    if text.len() <= SAMPLE_BYTES {
        return [text, b"", b""];
    }
    let len = SAMPLE_BYTES / STRETCHES;
    let from_line = |at: usize| {
        let near = &text[at..at + LINE_SEARCH_BYTES];
        let at = memchr::memchr(b'\n', near).map_or(at, |len| at + len + 1);
        &text[at..(at + len).min(text.len())]
    };
    [
        &text[..len],
        from_line(text.len() / 2 - len / 2),
        from_line(text.len() - len),
    ]
}

/// What was counted.
#[derive(Default)]
struct Count {
    scores: [i32; 5],
    words: i32,
    /// Of these, words of more than two bytes that are no property.
    long_words: i32,
    /// The text begins as JSON does.
    is_data: bool,
    /// Words behind another with a blank between them, both of no language.
    pairs: i32,
    /// For `"`, `'` and `` ` ``: up to here in this stretch no such quote closes a string.
    open_until: [usize; 3],
    /// This stretch is not the first, and no three quotes were seen in it.
    is_cut: bool,
    /// Words, pairs and scores where this stretch began.
    at_cut: (i32, i32, [i32; 5]),
}

impl Count {
    fn add(&mut self, weights: Weights) {
        for (score, weight) in self.scores.iter_mut().zip(weights) {
            *score += i32::from(weight);
        }
    }

    /// What the first bytes say: a line for the system that names an interpreter, a mark-up, the brace of a JSON text.
    fn beginning(&mut self, text: &[u8]) {
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        let text = text.trim_ascii_start();
        let line = &text[..text.len().min(120)];
        let line = line.split(|&b| b == b'\n').next().unwrap_or_default();
        let has = |word: &[u8]| memchr::memmem::find(line, word).is_some();
        if line.starts_with(b"#!") && !line.starts_with(b"#![") {
            let interpreters: [(&[u8], Weights); 7] = [
                (b"node", [30, 0, 0, 0, 0]),
                (b"deno", [30, 0, 0, 0, 0]),
                (b"bun", [30, 0, 0, 0, 0]),
                (b"python", [0, 30, 0, 0, 0]),
                (b"php", [0, 0, 0, 30, 0]),
                (b"sh", [0, 0, 0, 0, 30]),
                (b"", [0, 0, 0, 0, 15]),
            ];
            if let Some((_, weights)) = interpreters.iter().find(|(name, _)| has(name)) {
                self.add(*weights);
            }
        }
        match text {
            [b'<', b'?', b'p', b'h', b'p', ..] => self.add([0, 0, 0, 60, 0]),
            [b'<', b'!' | b'?', ..] => self.add([0, 0, 0, 0, 60]),
            [b'<', letter, ..] if letter.is_ascii_alphabetic() => self.add([0, 0, 0, 0, 40]),
            [b'{', rest @ ..] if begins_with_key(rest.trim_ascii_start()) => {
                // No program begins so.
                self.is_data = true;
            }
            [b'[', rest @ ..] => {
                let rest = rest.trim_ascii_start();
                if matches!(rest.first(), Some(b'"' | b'{' | b'[' | b'-' | b'0'..=b'9')) {
                    self.add([0, 0, 0, 0, 60]);
                }
            }
            _ => {}
        }
    }

    /// Counts in one stretch.
    fn stretch(&mut self, text: &[u8]) {
        let byte = |at: usize| text.get(at).copied().unwrap_or(0);
        self.open_until = [0; 3];
        let mut at = 0;
        // The last byte that is no white space, and whether a line began since.
        let mut before = b'\n';
        let mut is_line_start = true;
        let mut words_before = self.words;
        // Where the word before ended, if it is of no language.
        let mut word_end = usize::MAX;
        while at < text.len() {
            let this = byte(at);
            if is(this, SPACE) {
                if this == b'\n' {
                    // `if a:` and not `a:`, which is a key.
                    if before == b':' && self.words - words_before > 1 {
                        self.add([0, 2, 0, 0, 0]);
                    }
                    is_line_start = true;
                    words_before = self.words;
                    at = blanks_end(text, at + 1);
                    continue;
                }
                at += 1;
                continue;
            }
            let was_line_start = is_line_start;
            is_line_start = false;
            if is(this, LETTER) {
                let end = reader::word_end(text, at + 1);
                let is_plain = self.word(text, at, end, before, was_line_start);
                if is_plain && word_end.checked_add(1) == Some(at) && text[at - 1] == b' ' {
                    self.pairs += 1;
                }
                word_end = if is_plain { end } else { usize::MAX };
                before = this;
                at = end;
                continue;
            }
            if is(this, DIGIT) {
                at += 1;
                while is(byte(at), WORD) || byte(at) == b'.' {
                    at += 1;
                }
                before = this;
                continue;
            }
            let len = if is_mute(this) {
                1
            } else {
                self.mark(text, at, was_line_start, before)
            };
            before = this;
            at += len.max(1);
        }
    }

    /// The word from `at` to `end`, behind the byte `before`; whether it may be one of prose.
    #[inline]
    fn word(
        &mut self,
        text: &[u8],
        at: usize,
        end: usize,
        before: u8,
        is_line_start: bool,
    ) -> bool {
        self.words += 1;
        // Minified code is full of names of a letter or two, which say nothing.
        self.long_words += i32::from(end - at > 2 && before != b'.');
        let word = &text[at..end];
        let Some(number) = WORDS.number(word) else {
            return true;
        };
        let after = text.get(end).copied().unwrap_or(0);
        let is_property = before == b'.' && !PROPERTIES.contain(word);
        // A key, or a part of a word with hyphens.
        let is_other = matches!(after, b':' | b'-') && word != b"else" || before == b'-';
        if !is_property && !is_other {
            let rest = &text[end..];
            match self.in_context(word, rest, before, is_line_start) {
                Some(weights) => self.add(weights),
                None => self.add(WEIGHTS[number].1),
            }
        }
        ENGLISH.contain(word)
    }

    /// What a word weighs where that hangs on what stands beside it; `None` where it always weighs the same.
    fn in_context(
        &self,
        word: &[u8],
        rest: &[u8],
        before: u8,
        is_line_start: bool,
    ) -> Option<Weights> {
        let blanks = rest.iter().take_while(|&&b| b == b' ').count();
        let next = rest.get(blanks).copied().unwrap_or(0);
        let is_declared = blanks > 0
            && (is(next, LETTER) || matches!(next, b'<' | b'(' | b'[' | b'{' | b'*' | b'$'));
        let none = [0; 5];
        Some(match word {
            b"import" => match next {
                b'{' | b'*' => [6, 0, 0, 0, 0],
                b'"' | b'\'' => [3, 0, 0, 1, 0],
                b'(' if blanks > 0 => [0, 0, 0, 4, 0],
                b'(' | b'.' => [3, 0, 0, 0, 0],
                _ if !is_line_start => return None,
                _ => {
                    let name = rest[blanks..]
                        .iter()
                        .take_while(|&&b| is(b, WORD) || matches!(b, b'.' | b'*'));
                    let len = blanks + name.clone().count();
                    let has_dot = name.clone().any(|&b| b == b'.');
                    match (rest.get(len), has_dot) {
                        (Some(b';'), _) => [0, 0, 0, 6, 0],
                        (Some(b'\n' | b'\r'), true) => [0, 2, 0, 3, 0],
                        (Some(b'\n' | b'\r'), false) => [0, 3, 0, 1, 0],
                        (Some(b','), _) => [3, 3, 0, 0, 0],
                        _ => [2, 2, 0, 0, 0],
                    }
                }
            },
            b"from" => match next {
                b'"' | b'\'' => [6, 0, 0, 0, 0],
                _ if is_line_start && is_declared || next == b'.' => [0, 6, 0, 0, 0],
                _ => none,
            },
            b"string" | b"boolean" => match before {
                b':' | b'<' | b'|' => [3, 0, 0, 0, 0],
                _ if is_declared => [0, 0, 0, 3, 0],
                _ => [1, 0, 0, 1, 0],
            },
            b"package" if is_line_start && is_declared => [0, 0, 0, 8, 0],
            b"package" => none,
            b"using" if is_line_start && is_declared => [0, 0, 0, 4, 0],
            b"using" => none,
            b"int" | b"str" | b"float" | b"bool" if matches!(before, b':' | b'>' | b'[' | b'|') => {
                match word {
                    b"bool" | b"str" => [0, 2, 2, 0, 0],
                    _ => [0, 4, 0, 0, 0],
                }
            }
            b"func" | b"fun" | b"fn" | b"val" | b"def" | b"type" | b"mod" | b"trait" | b"match"
            | b"get" | b"set" | b"var" | b"is" | b"declare" | b"template" | b"guard"
            | b"extension" | b"protocol" | b"define"
                if !is_declared =>
            {
                none
            }
            _ => return None,
        })
    }

    /// A mark at `at`; gives the bytes that are done with.
    fn mark(&mut self, text: &[u8], at: usize, is_line_start: bool, before: u8) -> usize {
        let rest = &text[at..];
        let next = rest.get(1).copied().unwrap_or(0);
        let third = rest.get(2).copied().unwrap_or(0);
        match (rest[0], next, third) {
            (b'"', b'"', b'"') | (b'\'', b'\'', b'\'') => {
                if std::mem::take(&mut self.is_cut)
                    && (self.pairs - self.at_cut.1) * 5 > (self.words - self.at_cut.0) * 2
                {
                    // Prose up to three quotes: the end of a docstring that began before this stretch.
                    (self.words, self.pairs, self.scores) = self.at_cut;
                    return 3;
                }
                self.add([0, 2, 0, 0, 0]);
                let end = memchr::memmem::find(&rest[3..], &rest[..3]);
                return end.map_or(3, |len| len + 6);
            }
            (b'`', b'`', b'`') if is_line_start => {
                self.add([0, 0, 0, 0, 8]);
                // A block of code in prose speaks for prose.
                let end = memchr::memmem::find(&rest[3..], b"\n```");
                return end.map_or(3, |len| len + 7);
            }
            (quote @ (b'"' | b'\'' | b'`'), ..) => {
                let is_inside = at > 0 && is(text[at - 1], WORD);
                if quote == b'\'' && is_inside {
                    return 1;
                }
                let open_until = match quote {
                    b'"' => &mut self.open_until[0],
                    b'\'' => &mut self.open_until[1],
                    _ => &mut self.open_until[2],
                };
                if at < *open_until {
                    return 1;
                }
                return string_len(rest, quote).unwrap_or_else(|len| {
                    *open_until = at + len;
                    1
                });
            }
            (b'/', b'/', _) if before != b':' && before != b'\\' => {
                let line = &rest[..rest.len().min(COMMENT_MAX_BYTES)];
                if let Some(len) = memchr::memchr(b'\n', line) {
                    return len;
                }
            }
            (b'/', b'*', _) => match memchr::memmem::find(&rest[2..], b"*/") {
                Some(len) => return len + 4,
                None if is_line_start => return rest.len(),
                None => {}
            },
            // The middle of a comment that began before this stretch.
            (b'*', b' ' | b'\n' | b'/', _) if is_line_start => return line_len(rest),
            (b'#', b' ' | b'#' | b'\n' | b'!' | b'-' | b':' | b'=', _) if third != b'[' => {
                let behind_code = !is_line_start && at > 0 && text[at - 1] == b' ' && next == b' ';
                if is_line_start || behind_code {
                    return line_len(rest);
                }
            }
            (b'#', b'[', _) => self.add([0, 0, 4, 0, 0]),
            (b'#', b'!', b'[') if is_line_start => self.add([0, 0, 6, 0, 0]),
            (b'#', ..) if is_line_start => {
                let word = rest[1..].trim_ascii_start();
                if DIRECTIVES
                    .iter()
                    .any(|directive| word.starts_with(directive))
                {
                    self.add([0, 0, 0, 6, 0]);
                }
            }
            (b'=' | b'!', b'=', b'=') => {
                self.add([4, 0, 0, 0, 0]);
                return 3;
            }
            (b'=', b'>', _) => {
                self.add([2, 0, 1, 1, 0]);
                return 2;
            }
            (b':', b':', _) => {
                let is_selector = SELECTORS.iter().any(|name| rest[2..].starts_with(name));
                self.add(match third {
                    _ if is_selector => [0, 0, 0, 0, 3],
                    b'<' | b'{' => [0, 0, 4, 0, 0],
                    _ => [0, 0, 1, 1, 0],
                });
                return 2;
            }
            (b':', b'=', _) => {
                self.add([0, 0, 0, 2, 0]);
                return 2;
            }
            (b'-', b'>', _) => {
                self.add([0, 1, 1, 1, 0]);
                return 2;
            }
            (b'&', b'&', _) | (b'|', b'|', _) => {
                self.add([1, 0, 0, 1, 0]);
                return 2;
            }
            (b'<', b'?', b'p') if rest.starts_with(b"<?php") => self.add([0, 0, 0, 60, 0]),
            (b'<', b'/', letter) if letter.is_ascii_alphabetic() => self.add([0, 0, 0, 0, 1]),
            (b']', b'(', b'h' | b'.' | b'#') => self.add([0, 0, 0, 0, 3]),
            (b'$', letter, _) if is(letter, LETTER) && before != b'.' => {
                let len = 1 + rest[1..].iter().take_while(|&&b| is(b, WORD)).count();
                let behind = rest[len..].trim_ascii_start();
                self.add(match behind {
                    [b'-', b'>', ..] => [0, 0, 0, 4, 0],
                    [b'=', other, ..] if *other != b'=' => [1, 0, 0, 1, 0],
                    [b':', ..] => [0, 0, 0, 0, 2],
                    _ => [0; 5],
                });
                return len;
            }
            (b'[', ..) if is_line_start => {
                let name = &rest[..line_len(rest)];
                let name = name.trim_ascii_end().strip_suffix(b"]");
                let name =
                    name.map(|name| name.trim_ascii_start().strip_prefix(b"[").unwrap_or(name));
                let is_name =
                    |b: &u8| is(*b, WORD) || matches!(b, b'.' | b'-' | b'[' | b']' | b'\'');
                match name {
                    Some([b'a'..=b'z', rest @ ..]) if rest.iter().all(is_name) => {
                        self.add([0, 0, 0, 0, 6])
                    }
                    Some([b'A'..=b'Z', ..]) => self.add([0, 0, 0, 3, 0]),
                    _ => {}
                }
            }
            (b'@', letter, _) if is(letter, LETTER) => {
                let word = &rest[1..];
                if RULES.iter().any(|rule| word.starts_with(rule)) {
                    self.add([0, 0, 0, 0, 5]);
                    return 1 + word.iter().take_while(|&&b| is(b, WORD)).count();
                }
                if OBJECTIVE.iter().any(|rule| word.starts_with(rule)) {
                    self.add([0, 0, 0, 5, 0]);
                    return 1 + word.iter().take_while(|&&b| is(b, WORD)).count();
                }
            }
            (b'!', b'd' | b'i' | b'g', _)
                if [&b"default"[..], b"important", b"global"]
                    .iter()
                    .any(|w| rest[1..].starts_with(w)) =>
            {
                self.add([0, 0, 0, 0, 4]);
                return 8;
            }
            (b'[', b'`', _) => self.add([0, 0, 0, 0, 3]),
            (b';', b'\n' | b'\r', _) => {
                self.add([0, -1, 0, 0, 0]);
            }
            _ => {}
        }
        1
    }

    fn verdict(&self) -> Family {
        let families = [
            (SCRIPT, Family::Script),
            (PYTHON, Family::Python),
            (RUST, Family::Rust),
            (CLIKE, Family::Clike),
        ];
        let mut best = (0, Family::Generic);
        for (place, family) in families {
            if self.scores[place] > best.0 {
                best = (self.scores[place], family);
            }
        }
        let is_prose =
            self.words >= PROSE_MIN_WORDS && self.pairs * 5 > self.words * 2 && best.0 < self.words;
        let is_enough = !self.is_data
            && best.0 >= SCORE_MIN
            && best.0 > self.scores[GENERIC]
            && best.0 * WORDS_FOR_A_POINT >= self.long_words;
        if is_enough && !is_prose {
            best.1
        } else {
            Family::Generic
        }
    }
}

/// Whether a mark says nothing, whatever stands around it: every second one is such.
fn is_mute(mark: u8) -> bool {
    matches!(
        mark,
        b'(' | b')' | b'{' | b'}' | b',' | b'.' | b'+' | b'>' | b'?' | b'%'
    )
}

/// Whether a key of JSON begins here, with its colon.
fn begins_with_key(text: &[u8]) -> bool {
    let Some(b'"') = text.first() else {
        return false;
    };
    let behind =
        string_len(&text[..text.len().min(COMMENT_MAX_BYTES)], b'"').map(|len| &text[len..]);
    behind.is_ok_and(|behind| behind.trim_ascii_start().starts_with(b":"))
}

/// Bytes of the string that begins here, its quotes included; where it does not close on its line, or a template nowhere,
/// the bytes in which it does not.
fn string_len(rest: &[u8], quote: u8) -> Result<usize, usize> {
    let mut at = 1;
    while let Some(len) = memchr::memchr3(quote, b'\\', b'\n', rest.get(at..).unwrap_or_default()) {
        match rest[at + len] {
            b'\\' => at += len + 2,
            b'\n' if quote == b'`' => at += len + 1,
            b'\n' => return Err(at + len),
            _ => return Ok(at + len + 1),
        }
    }
    Err(rest.len())
}

/// Bytes up to the end of the line.
fn line_len(rest: &[u8]) -> usize {
    memchr::memchr(b'\n', rest).unwrap_or(rest.len())
}

/// What follows `#` at the beginning of a line of C, C++ and C#.
const DIRECTIVES: [&[u8]; 10] = [
    b"include", b"define", b"ifdef", b"ifndef", b"endif", b"if ", b"pragma", b"undef", b"region",
    b"import",
];

/// What follows `@` in style sheets.
const RULES: [&[u8]; 18] = [
    b"media",
    b"keyframes",
    b"charset",
    b"font-face",
    b"include",
    b"mixin",
    b"use ",
    b"supports",
    b"forward",
    b"layer",
    b"import ",
    b"if ",
    b"else ",
    b"return ",
    b"function ",
    b"each ",
    b"extend ",
    b"container",
];

/// What follows `@` in Objective-C.
const OBJECTIVE: [&[u8]; 5] = [
    b"interface ",
    b"implementation",
    b"property",
    b"end",
    b"protocol",
];

/// What follows `::` in style sheets.
const SELECTORS: [&[u8]; 7] = [
    b"-",
    b"before",
    b"after",
    b"placeholder",
    b"selection",
    b"marker",
    b"backdrop",
];

/// Words of prose that are words of languages too, or names that are common in all of them.
static ENGLISH: Words = Words::new(&[
    "a", "the", "of", "to", "be", "are", "can", "will", "on", "by", "it", "that", "an", "you",
    "your", "which", "this", "set", "get", "type", "default", "object", "error", "use", "where",
    "end", "done", "module", "package", "number", "string", "move", "loop", "core", "match",
    "range",
]);

/// Words that say something also behind a dot.
static PROPERTIES: Words = Words::new(&[
    "prototype",
    "exports",
    "unwrap",
    "defineProperty",
    "getElementById",
    "querySelector",
    "addEventListener",
    "hasOwnProperty",
    "iter",
    "collect",
]);

static WORDS: Words = Words::new(&NAMES);

/// The words of [`WEIGHTS`].
static NAMES: [&str; WEIGHTS.len()] = {
    let mut names = [""; WEIGHTS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = WEIGHTS[index].0;
        index += 1;
    }
    names
};

/// How much a word speaks for Script, Python, Rust, Clike and Generic, where it is neither in a comment nor in a string.
/// Weights are by hand: 1 for what is usual in a family and in others too, 5 for what is hardly ever seen elsewhere.
#[rustfmt::skip]
const WEIGHTS: &[(&str, Weights)] = &[
    // More than one family.
    ("return", [1, 1, 1, 1, 0]), ("if", [1, 1, 1, 1, 0]), ("else", [1, 1, 1, 1, 0]), ("for", [1, 1, 1, 1, 0]),
    ("while", [1, 1, 1, 1, 0]), ("break", [1, 1, 1, 1, 0]), ("continue", [1, 1, 1, 1, 0]), ("true", [0, 0, 0, 0, 0]),
    ("false", [0, 0, 0, 0, 0]), ("null", [0, 0, 0, 0, 0]), ("this", [2, 0, 0, 1, 0]), ("new", [1, 0, 0, 1, 0]),
    ("const", [2, 0, 1, 2, 0]), ("let", [2, 0, 2, 1, 0]), ("var", [3, 0, 0, 1, 0]), ("static", [1, 0, 1, 2, 0]),
    ("void", [1, 0, 0, 2, 0]), ("class", [1, 1, 0, 1, 0]), ("switch", [1, 0, 0, 1, 0]), ("case", [1, 0, 0, 1, 0]),
    ("try", [1, 1, 0, 1, 0]), ("catch", [1, 0, 0, 1, 0]), ("throw", [1, 0, 0, 1, 0]), ("import", [2, 2, 0, 1, 0]),
    ("from", [2, 2, 0, 0, 0]), ("extends", [1, 0, 0, 1, 0]), ("implements", [1, 0, 0, 2, 0]),
    ("interface", [2, 0, 0, 2, 0]), ("enum", [1, 0, 1, 1, 0]), ("struct", [0, 0, 1, 3, 0]), ("async", [1, 1, 1, 0, 0]),
    ("await", [1, 1, 1, 0, 0]), ("yield", [1, 1, 0, 0, 0]), ("as", [1, 1, 1, 0, 0]), ("in", [1, 1, 1, 0, 0]),
    ("type", [1, 0, 1, 1, 0]), ("self", [0, 3, 3, 1, 0]), ("super", [1, 1, 1, 1, 0]), ("use", [0, 0, 2, 1, 0]),
    ("abstract", [1, 0, 0, 1, 0]), ("public", [1, 0, 0, 3, 0]), ("private", [1, 0, 0, 2, 0]),
    ("protected", [1, 0, 0, 2, 0]), ("delete", [1, 0, 0, 1, 0]), ("instanceof", [2, 0, 0, 1, 0]),
    ("default", [1, 0, 0, 1, 0]), ("string", [2, 0, 0, 1, 0]), ("boolean", [2, 0, 0, 2, 0]), ("bool", [0, 1, 1, 2, 0]),
    ("std", [0, 0, 2, 2, 0]), ("String", [1, 0, 1, 1, 0]), ("where", [0, 0, 1, 0, 0]), ("match", [0, 0, 2, 0, 0]),
    ("namespace", [1, 0, 0, 2, 0]), ("finally", [1, 1, 0, 1, 0]), ("assert", [0, 2, 1, 0, 0]), ("get", [1, 0, 0, 0, 0]),
    ("set", [1, 0, 0, 0, 0]), ("do", [1, 0, 0, 1, 0]), ("extern", [0, 0, 1, 2, 0]), ("unsafe", [0, 0, 3, 1, 0]),
    ("str", [0, 2, 2, 0, 0]), ("int", [0, 1, 0, 3, 0]), ("float", [0, 1, 0, 2, 0]), ("end", [0, 0, 0, 0, 2]),
    // JavaScript and TypeScript.
    ("function", [4, 0, 0, 1, 0]), ("typeof", [4, 0, 0, 0, 0]), ("undefined", [4, 0, 0, 0, 0]),
    ("export", [4, 0, 0, 0, 0]), ("require", [2, 0, 0, 0, 0]), ("module", [1, 0, 0, 0, 0]), ("exports", [4, 0, 0, 0, 0]),
    ("readonly", [2, 0, 0, 2, 0]), ("declare", [3, 0, 0, 0, 0]), ("keyof", [5, 0, 0, 0, 0]), ("infer", [3, 0, 0, 0, 0]),
    ("prototype", [4, 0, 0, 0, 0]), ("console", [2, 0, 0, 0, 0]), ("document", [2, 0, 0, 0, 0]),
    ("window", [2, 0, 0, 0, 0]), ("Object", [2, 0, 0, 0, 0]), ("Array", [2, 0, 0, 0, 0]), ("Promise", [3, 0, 0, 0, 0]),
    ("number", [3, 0, 0, 0, 0]), ("any", [1, 0, 0, 0, 0]), ("never", [2, 0, 0, 0, 0]), ("unknown", [1, 0, 0, 0, 0]),
    ("arguments", [2, 0, 0, 0, 0]), ("constructor", [4, 0, 0, 0, 0]), ("React", [3, 0, 0, 0, 0]),
    ("props", [2, 0, 0, 0, 0]), ("jsx", [3, 0, 0, 0, 0]), ("_jsx", [4, 0, 0, 0, 0]), ("__esModule", [5, 0, 0, 0, 0]),
    ("defineProperty", [4, 0, 0, 0, 0]), ("Math", [1, 0, 0, 0, 0]), ("JSON", [1, 0, 0, 0, 0]),
    ("debugger", [3, 0, 0, 0, 0]), ("Record", [2, 0, 0, 0, 0]), ("Partial", [2, 0, 0, 0, 0]), ("Symbol", [1, 0, 0, 0, 0]),
    ("getElementById", [4, 0, 0, 0, 0]), ("querySelector", [4, 0, 0, 0, 0]), ("addEventListener", [4, 0, 0, 0, 0]),
    ("hasOwnProperty", [4, 0, 0, 0, 0]), ("jQuery", [3, 0, 0, 0, 0]), ("define", [1, 0, 0, 0, 0]),
    // Python.
    ("def", [0, 4, 0, 1, 1]), ("None", [0, 4, 2, 0, 0]), ("True", [0, 3, 0, 0, 0]), ("False", [0, 3, 0, 0, 0]),
    ("elif", [0, 5, 0, 0, 0]), ("except", [0, 5, 0, 0, 0]), ("lambda", [0, 3, 0, 0, 0]), ("pass", [0, 3, 0, 0, 0]),
    ("raise", [0, 4, 0, 0, 0]), ("with", [0, 2, 0, 0, 0]), ("not", [0, 2, 0, 0, 0]), ("and", [0, 1, 0, 0, 0]),
    ("or", [0, 1, 0, 0, 0]), ("is", [0, 1, 0, 0, 0]), ("__init__", [0, 5, 0, 0, 0]), ("__name__", [0, 5, 0, 0, 0]),
    ("__all__", [0, 5, 0, 0, 0]), ("__future__", [0, 5, 0, 0, 0]), ("print", [0, 2, 0, 0, 0]), ("len", [0, 2, 0, 1, 0]),
    ("isinstance", [0, 5, 0, 0, 0]), ("dict", [0, 2, 0, 0, 0]), ("list", [0, 1, 0, 0, 0]), ("tuple", [0, 2, 0, 0, 0]),
    ("del", [0, 3, 0, 0, 0]), ("global", [0, 1, 0, 0, 0]), ("nonlocal", [0, 5, 0, 0, 0]), ("kwargs", [0, 4, 0, 0, 0]),
    ("staticmethod", [0, 4, 0, 0, 0]), ("classmethod", [0, 4, 0, 0, 0]), ("typing", [0, 3, 0, 0, 0]),
    ("Optional", [0, 2, 0, 0, 0]), ("range", [0, 2, 0, 1, 0]), ("cls", [0, 3, 0, 0, 0]), ("Any", [0, 1, 0, 0, 0]),
    ("ValueError", [0, 4, 0, 0, 0]), ("object", [0, 1, 0, 0, 0]),
    // Rust.
    ("fn", [0, 0, 6, 0, 0]), ("impl", [0, 0, 5, 0, 0]), ("pub", [0, 0, 5, 0, 0]), ("mut", [0, 0, 5, 0, 0]),
    ("crate", [0, 0, 4, 0, 0]), ("mod", [0, 0, 3, 0, 0]), ("trait", [0, 0, 3, 1, 0]), ("dyn", [0, 0, 4, 0, 0]),
    ("u8", [0, 0, 4, 0, 0]), ("u16", [0, 0, 4, 0, 0]), ("u32", [0, 0, 4, 0, 0]), ("u64", [0, 0, 4, 0, 0]),
    ("usize", [0, 0, 5, 0, 0]), ("i8", [0, 0, 2, 0, 0]), ("i32", [0, 0, 4, 0, 0]), ("i64", [0, 0, 4, 0, 0]),
    ("f32", [0, 0, 3, 0, 0]), ("f64", [0, 0, 3, 0, 0]), ("Self", [0, 1, 4, 1, 0]), ("Some", [0, 0, 4, 0, 0]),
    ("Option", [0, 0, 2, 0, 0]), ("Vec", [0, 0, 3, 0, 0]), ("Ok", [0, 0, 3, 0, 0]), ("Err", [0, 0, 4, 0, 0]),
    ("Result", [0, 0, 2, 0, 0]), ("unwrap", [0, 0, 4, 0, 0]), ("derive", [0, 0, 3, 0, 0]), ("ref", [0, 0, 1, 0, 0]),
    ("loop", [0, 0, 2, 0, 0]), ("Box", [0, 0, 2, 0, 0]), ("assert_eq", [0, 0, 5, 0, 0]), ("cfg", [0, 0, 3, 0, 0]),
    ("core", [0, 0, 1, 0, 0]), ("macro_rules", [0, 0, 5, 0, 0]), ("iter", [0, 0, 2, 0, 0]), ("collect", [0, 0, 2, 0, 0]),
    ("move", [0, 0, 2, 0, 0]), ("vec", [0, 0, 2, 0, 0]),
    // C, C++, Java, Go, C#, Kotlin, Swift, PHP.
    ("char", [0, 0, 0, 3, 0]), ("long", [0, 0, 0, 2, 0]), ("short", [0, 0, 0, 2, 0]), ("unsigned", [0, 0, 0, 4, 0]),
    ("double", [0, 0, 0, 3, 0]), ("typedef", [0, 0, 0, 4, 0]), ("sizeof", [0, 0, 0, 4, 0]), ("NULL", [0, 0, 0, 4, 0]),
    ("nullptr", [0, 0, 0, 5, 0]), ("size_t", [0, 0, 0, 4, 0]), ("uint8_t", [0, 0, 0, 3, 0]),
    ("uint32_t", [0, 0, 0, 3, 0]), ("int32_t", [0, 0, 0, 3, 0]), ("uint64_t", [0, 0, 0, 3, 0]),
    ("final", [0, 0, 0, 3, 0]), ("package", [0, 0, 0, 3, 0]), ("using", [0, 0, 0, 2, 0]), ("template", [0, 0, 0, 1, 0]),
    ("typename", [0, 0, 0, 5, 0]), ("virtual", [0, 0, 0, 2, 0]), ("override", [1, 0, 0, 2, 0]), ("fun", [0, 0, 0, 6, 0]),
    ("val", [0, 0, 0, 2, 0]), ("func", [0, 0, 0, 6, 0]), ("nil", [0, 0, 0, 2, 0]), ("guard", [0, 0, 0, 2, 0]),
    ("extension", [0, 0, 0, 2, 0]), ("protocol", [0, 0, 0, 2, 0]), ("chan", [0, 0, 0, 3, 0]), ("defer", [0, 0, 0, 2, 0]),
    ("throws", [0, 0, 0, 4, 0]), ("synchronized", [0, 0, 0, 4, 0]), ("internal", [0, 0, 0, 2, 0]),
    ("sealed", [0, 0, 0, 2, 0]), ("foreach", [0, 0, 0, 2, 0]), ("goto", [0, 0, 0, 4, 0]), ("inline", [0, 0, 0, 1, 0]),
    ("volatile", [0, 0, 0, 3, 0]), ("byte", [0, 0, 0, 2, 0]), ("uint", [0, 0, 0, 2, 0]), ("error", [0, 0, 0, 1, 0]),
    ("Override", [0, 0, 0, 5, 0]), ("uintptr", [0, 0, 0, 4, 0]), ("uint64", [0, 0, 0, 3, 0]), ("uint32", [0, 0, 0, 3, 0]),
    ("int64", [0, 0, 0, 2, 0]), ("int32", [0, 0, 0, 2, 0]), ("iota", [0, 0, 0, 4, 0]), ("err", [0, 0, 0, 1, 0]),
    ("Int", [0, 0, 0, 2, 0]), ("Bool", [0, 0, 0, 2, 0]), ("Boolean", [0, 0, 0, 1, 0]), ("echo", [0, 0, 0, 1, 1]), ("NSString", [0, 0, 0, 5, 0]),
    // Shell, Ruby, Lua, SQL, style sheets; prose.
    ("fi", [0, 0, 0, 0, 4]), ("esac", [0, 0, 0, 0, 4]), ("then", [0, 0, 0, 0, 2]), ("done", [0, 0, 0, 0, 2]),
    ("elsif", [0, 0, 0, 0, 4]), ("local", [0, 0, 0, 0, 2]), ("SELECT", [0, 0, 0, 0, 2]), ("INSERT", [0, 0, 0, 0, 2]),
    ("CREATE", [0, 0, 0, 0, 2]), ("important", [0, 0, 0, 0, 2]), ("rgba", [0, 0, 0, 0, 1]), ("margin", [0, 0, 0, 0, 1]),
    ("padding", [0, 0, 0, 0, 1]), ("the", [0, 0, 0, 0, 3]), ("you", [0, 0, 0, 0, 3]), ("your", [0, 0, 0, 0, 3]),
    ("can", [0, 0, 0, 0, 2]), ("are", [0, 0, 0, 0, 2]), ("will", [0, 0, 0, 0, 2]), ("be", [0, 0, 0, 0, 2]),
    ("which", [0, 0, 0, 0, 3]), ("of", [0, 0, 0, 0, 1]), ("an", [0, 0, 0, 0, 1]), ("to", [0, 0, 0, 0, 1]),
    ("that", [0, 0, 0, 0, 1]), ("by", [0, 0, 0, 0, 1]),
];

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT_TEXT: &str = "import { a } from './a';\n\nexport function b(c) {\n  if (typeof c === 'string') return undefined;\n  return a(c, () => 'it is the end of the text');\n}\n";
    const TYPED_TEXT: &str = "export declare interface A<T> {\n  readonly b: string;\n  c?: number;\n  d(e: Partial<T>): Promise<void>;\n}\n";
    const MARKUP_TEXT: &str = "export const A = (props) => (\n  <div className=\"a\">\n    <p>Some words, and don't forget</p>\n  </div>\n);\n";
    const PYTHON_TEXT: &str = "from .a import b\n\n\ndef c(d, e=None):\n    \"\"\"What the function does, for the people.\"\"\"\n    if d is not None and e:\n        return b(d)\n    raise ValueError('x')\n";
    const RUST_TEXT: &str = "use crate::a::B;\n\n/// What it does.\npub fn c(d: &mut B) -> Option<u32> {\n    match d {\n        B::E(x) => Some(*x),\n        _ => None,\n    }\n}\n";
    const C_TEXT: &str = "#include <stdio.h>\n\nint main(void) {\n\tconst char *a = \"let const function\";\n\treturn printf(\"%s\", a) < 0;\n}\n";
    const JAVA_TEXT: &str = "package a.b;\n\nimport java.util.List;\n\npublic final class A {\n    private int b;\n    @Override\n    public String c() { return null; }\n}\n";
    const GO_TEXT: &str =
        "package main\n\nimport (\n\t\"fmt\"\n)\n\nfunc main() {\n\ta := 1\n\tfmt.Println(a)\n}\n";

    const CODE: [(&str, Family); 8] = [
        (SCRIPT_TEXT, Family::Script),
        (TYPED_TEXT, Family::Script),
        (MARKUP_TEXT, Family::Script),
        (PYTHON_TEXT, Family::Python),
        (RUST_TEXT, Family::Rust),
        (C_TEXT, Family::Clike),
        (JAVA_TEXT, Family::Clike),
        (GO_TEXT, Family::Clike),
    ];

    #[test]
    fn a_few_lines_are_enough() {
        for (text, family) in CODE {
            assert_eq!(family_of(text.as_bytes()), family, "{text}");
        }
        let lines: [(&str, Family); 9] = [
            ("module.exports = require('./a');\n", Family::Script),
            (
                "!function(e,t){var n=e.a;t.b=n===void 0}(this,{});",
                Family::Script,
            ),
            ("export*from\"./a\";", Family::Script),
            ("from a import b\n", Family::Python),
            ("pub mod a;\npub use a::B;\n", Family::Rust),
            ("<?php\necho $a;\n", Family::Clike),
            (
                "using System;\nnamespace A { internal sealed class B {} }\n",
                Family::Clike,
            ),
            ("override fun a(b: Int) { val c = b }\n", Family::Clike),
            ("#!/usr/bin/env python3\nx()\n", Family::Python),
        ];
        for (text, family) in lines {
            assert_eq!(family_of(text.as_bytes()), family, "{text}");
        }
    }

    #[test]
    fn the_same_file_in_other_clothes_is_of_the_same_family() {
        let licence = "Copyright (c) the authors of the project. You may use this file where the licence lets you.";
        for (text, family) in CODE {
            assert_eq!(
                family_of(text.replace('\n', "\r\n").as_bytes()),
                family,
                "{text}"
            );
            assert_eq!(
                family_of(format!("\u{FEFF}{text}").as_bytes()),
                family,
                "{text}"
            );
            let comment = match family {
                Family::Python => format!("# {licence}\n").repeat(40),
                _ => format!("/*\n{}*/\n", format!(" * {licence}\n").repeat(40)),
            };
            // A licence on top, as long as what is looked at; and a table at the end, far longer.
            assert_eq!(
                family_of(format!("{comment}{text}").as_bytes()),
                family,
                "{text}"
            );
            let table = "    0x1f, 0x2a, 17, 18, \"a word\",\n".repeat(1_000);
            let long = format!("{}{table}", text.repeat(20));
            assert_eq!(family_of(long.as_bytes()), family, "{text}");
        }
    }

    #[test]
    fn what_is_no_program_is_of_no_family() {
        let texts = [
            "",
            "\0\u{1}\u{2}",
            "{\"name\": \"a\", \"function\": true, \"import\": [1, null]}",
            "[\n  {\"let\": \"const\"}\n]\n",
            "# Title\n\nThis is the text that you read when you want to import a function from the module.\n\n```js\nconst a = require('a');\nexport default function () { return typeof a === 'undefined'; }\n```\n",
            "[package]\nname = \"a\"\nversion = \"1.0.0\"\n\n[lib]\npath = \"src/lib.rs\"\n",
            "name: a\non:\n  push:\n    branches: [main]\njobs:\n  test:\n    runs-on: x\n",
        ];
        for text in texts {
            assert_eq!(family_of(text.as_bytes()), Family::Generic, "{text}");
        }
    }
}
