//! Dotenv files: `KEY=value` lines that a program reads its settings from.
//!
//! There is no standard; what is read here is what the common loaders agree on: comments with `#`, an optional
//! `export`, single, double and back quotes that may run over lines. The file's name is no concern of this module: bytes
//! that hold nothing but assignments are such a file, and `place` asks whether they lie under a name that makes it one.

use super::rules::Words;
use super::values;

/// A larger text has to be assignments so far to be read on; bytes. Scripts may begin with one.
const JUDGED_BYTES: usize = 256 << 10;

/// A first line that is longer is a script on one line; bytes.
const MAX_FIRST_LINE: usize = 16 << 10;

/// What a dotenv file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// `KEY=…` lines.
    pub assignments: u32,
    /// Those with a value that is no placeholder.
    pub set: u32,
    /// Those whose value looks like a live credential.
    pub live: u32,
}

/// Reads a dotenv file. `None` unless the first line that says anything is an assignment, and nearly all others are.
pub(super) fn parse(bytes: &[u8], words: &Words) -> Option<Settings> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Most files fail on their first line, before anything is counted or copied.
    let first = bytes
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .find(|line| says_something(line))?;
    if first.len() > MAX_FIRST_LINE {
        return None;
    }
    key_and_value(first)?;
    if let Some(beginning) = bytes.get(..JUDGED_BYTES) {
        counted(beginning, words)?;
    }
    counted(bytes, words)
}

/// What the assignments of a text are. `None` where too much else is among them.
fn counted(bytes: &[u8], words: &Words) -> Option<Settings> {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.as_ref();
    let mut settings = Settings::default();
    let mut odd = 0u32;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = line.trim();
        if !says_something(trimmed.as_bytes()) {
            rest = after;
            continue;
        }
        let Some((key, value)) = key_and_value(trimmed.as_bytes()) else {
            odd += 1;
            rest = after;
            continue;
        };
        // The value's own place in `rest`, so that a quoted one may run on over the line's end.
        let value_start = rest.len() - rest.trim_start().len() + (trimmed.len() - value.len());
        let (value, after) = value_at(&rest[value_start.min(rest.len())..]);
        settings.assignments += 1;
        settings.set += u32::from(!values::is_placeholder(value, words));
        settings.live += u32::from(values::is_credential(
            &String::from_utf8_lossy(key),
            value,
            words,
        ));
        rest = after;
    }
    (odd * 4 <= settings.assignments).then_some(settings)
}

fn says_something(line: &[u8]) -> bool {
    !line.is_empty() && !line.starts_with(b"#")
}

/// `export KEY = value` as key and the rest of the line.
fn key_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = match line.strip_prefix(b"export") {
        Some(rest) if rest.first().is_some_and(|byte| byte.is_ascii_whitespace()) => {
            rest.trim_ascii_start()
        }
        _ => line,
    };
    let end = line.iter().position(|byte| {
        !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte != b'.' && *byte != b'-'
    })?;
    let (key, rest) = line.split_at(end);
    let value = rest.trim_ascii_start().strip_prefix(b"=")?;
    let named = key
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    // `a == b` and `f = => …` are code.
    (named && !value.starts_with(b"=") && !value.starts_with(b">"))
        .then_some((key, value.trim_ascii_start()))
}

/// The value that `text` begins with, and what follows its line.
fn value_at(text: &str) -> (&str, &str) {
    if let Some(quote) = text
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'))
    {
        let inside = &text[1..];
        if let Some(end) = inside.find(quote) {
            let after = &inside[end + 1..];
            return (
                &inside[..end],
                after.split_once('\n').map_or("", |(_, next)| next),
            );
        }
    }
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let value = line
        .split_once(" #")
        .map_or(line, |(value, _comment)| value);
    (value.trim(), after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::rules::Rules;

    fn read(text: &str) -> Option<(u32, u32, u32)> {
        parse(text.as_bytes(), Rules::builtin().words()).map(|s| (s.assignments, s.set, s.live))
    }

    #[test]
    fn assignments_values_and_credentials_are_counted() {
        assert_eq!(
            read("# db\nDB_HOST=db1\nDB_PASSWORD=hunter2!\nexport EMPTY=\nKEY = 'x y' # c\n"),
            Some((4, 3, 1))
        );
        assert_eq!(read("\u{feff}A=1\r\nB=\"\"\r\n"), Some((2, 1, 0)));
        assert_eq!(
            read("API_KEY=your-key # real one in the vault\n"),
            Some((1, 0, 0))
        );
    }

    #[test]
    fn quoted_values_run_over_lines() {
        assert_eq!(
            read("A=\"one\ntwo\nnot an assignment\n\"\nB=2\n"),
            Some((2, 2, 0))
        );
        // A quote that nobody closes is part of a value of one line.
        assert_eq!(read("A='one\nB=2\n"), Some((2, 2, 0)));
    }

    #[test]
    fn other_texts_are_no_dotenv() {
        for text in [
            "",
            "# only a comment\n",
            "\"use strict\";\nx = 1",
            "{\"a\": 1}",
            "[section]\na=1",
            "function f() {\n a = 1\n}",
            "a == b\n",
            "A=1\nsome prose here\nmore prose\n",
            "=x",
            "1A=2",
            "var a = 1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(A|=|\"|'|\n| |#|export |é|\r)*") {
            let _ = read(&text);
        }
    }
}
