//! The forms of texts that are no programs: JSON, and lines of words.
//!
//! **JSON.** A text reads as JSON where it begins with `{` or `[` and all of it is the signs `{ } [ ] : ,`, strings that are closed on
//! their line, numbers, `true`, `false`, `null`, and blanks between them; whether they stand in an order that JSON allows is
//! not asked, and several values one after the other are taken. Its form is the text without blanks, tabs and line ends
//! outside strings, with one blank where two words or strings would touch. Keys keep their order, strings and numbers are as
//! they are written. JSON with comments in it has none.
//!
//! **Lines.** Of prose, Markdown, YAML, shell and whatever else has no other form, nobody can tell what a line end or an
//! indentation says. So both count, and only how wide blanks are does not: of each line that is not blank how deep it stands
//! (how many lines above are indented less and still open, as Python has it; a tab goes to the next column of 8), then its words
//! with one blank between. What stands between two of one of the quotes `"`, `'` and `` ` `` on a line is one word, blanks and all,
//! but `'` behind a letter or digit, which is an apostrophe. A paragraph that is broken anew is a change: so is a command that gets
//! into the comment above it, and a line of prose cannot be told from either.
//!
//! The digests are BLAKE3-256, without a key: of `json` and the form; of `lines`, then of each line its depth and its words with
//! their length, as tokens have them. A text without a word has none.

use super::{Columns, LINE, MARK, put};

/// Text that is gathered before it goes to the hasher.
const GATHER_BYTES: usize = 16 << 10;

/// The digest of the form of JSON.
pub(super) fn of_json(text: &[u8]) -> Option<[u8; 32]> {
    let first = text.iter().find(|byte| !is_json_blank(**byte))?;
    if !matches!(first, b'{' | b'[') {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"json");
    let mut gathered = Vec::with_capacity(GATHER_BYTES.min(text.len()) + 1);
    let mut rest = text;
    let mut was_word = false;
    while let Some(&byte) = rest.first() {
        let (len, is_word) = match byte {
            _ if is_json_blank(byte) => {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            b'{' | b'}' | b'[' | b']' | b':' | b',' => (1, false),
            b'"' => (string_len(rest)?, true),
            _ => (word_len(rest)?, true),
        };
        let (token, behind) = rest.split_at_checked(len)?;
        if is_word && was_word {
            gathered.push(b' ');
        }
        was_word = is_word;
        gathered.extend_from_slice(token);
        if gathered.len() >= GATHER_BYTES {
            hasher.update(&gathered);
            gathered.clear();
        }
        rest = behind;
    }
    hasher.update(&gathered);
    Some(*hasher.finalize().as_bytes())
}

fn is_json_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Length of the string that a text begins with, quotes included; `None` where its line ends before it does.
fn string_len(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            // What is escaped stands on the line too.
            b'\\' if *text.get(at + 1)? < b' ' => return None,
            b'\\' => at += 2,
            0..b' ' => return None,
            _ => at += 1,
        }
    }
}

/// Length of the number or word that a text begins with; `None` where JSON has none such.
fn word_len(text: &[u8]) -> Option<usize> {
    let is_of_word =
        |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let len = text.iter().take_while(is_of_word).count();
    let word = text.get(..len)?;
    let is_number = || {
        let mut bytes = word.iter();
        let digit = match bytes.next() {
            Some(b'-') => bytes.next(),
            first => first,
        };
        let is_of_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        digit.is_some_and(u8::is_ascii_digit) && bytes.all(is_of_number)
    };
    (matches!(word, b"true" | b"false" | b"null") || is_number()).then_some(len)
}

/// The digest of the form of lines.
pub(super) fn of_lines(text: &[u8]) -> Option<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"lines");
    let mut columns = Columns::default();
    let mut words = Vec::new();
    let mut is_empty = true;
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        words.clear();
        add_words(line, &mut words);
        if words.is_empty() {
            continue;
        }
        is_empty = false;
        put(&mut hasher, MARK, &columns.depth(line).to_le_bytes());
        put(&mut hasher, LINE, &words);
    }
    (!is_empty).then(|| *hasher.finalize().as_bytes())
}

/// Writes the words of a line down, with one blank between.
fn add_words(line: &[u8], words: &mut Vec<u8>) {
    let mut rest = line;
    let mut before = b' ';
    while let Some(&byte) = rest.first() {
        let len = match byte {
            b'"' | b'`' => quoted_len(rest),
            b'\'' if !before.is_ascii_alphanumeric() => quoted_len(rest),
            _ => 1,
        };
        let (token, behind) = rest.split_at_checked(len).unwrap_or((rest, b""));
        match byte.is_ascii_whitespace() || byte == 0x0b {
            true if words.last().is_some_and(|last| *last != b' ') => words.push(b' '),
            true => {}
            false => words.extend_from_slice(token),
        }
        before = byte;
        rest = behind;
    }
    words.pop_if(|last| *last == b' ');
}

/// How long what begins with a quote is, to the same quote; 1 where none follows.
fn quoted_len(text: &[u8]) -> usize {
    let quote = text.first().copied().unwrap_or_default();
    let behind = text.get(1..).unwrap_or_default();
    memchr::memchr(quote, behind).map_or(1, |at| at + 2)
}
