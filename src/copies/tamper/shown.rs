//! What is shown of a line: short, inert, and without what may be a credential.

use std::ops::Range;

use super::text::Text;
use crate::blob::locator;
use crate::exposure::inspect::Role;
use crate::exposure::secrets;

/// Longest text that is shown, in characters.
pub(super) const SHOWN_CHARS: usize = 160;

/// Bytes before a thing that are shown where its line is long.
const BEFORE: usize = 40;

/// Bytes of a line that are looked at.
const WINDOW: usize = 2048;

/// A longer run of letters and digits is cut, and how much of it is shown; characters.
const RUN_MAX: usize = 40;
const RUN_SHOWN: usize = 12;

/// The line of a thing, or the part of it round the thing where it is long.
pub(super) fn excerpt(text: &Text, span: &Range<usize>) -> String {
    let line = text.line(span.start);
    let begin = if line.len() <= SHOWN_CHARS {
        line.start
    } else {
        line.start.max(span.start.saturating_sub(BEFORE))
    };
    let end = line.end.max(span.end).min(begin + WINDOW);
    let front = if begin > line.start { "…" } else { "" };
    format!("{front}{}", safe(text.get(begin..end)))
}

/// A text that may be shown.
pub(super) fn safe(bytes: &[u8]) -> String {
    let bytes = bytes.get(..WINDOW).unwrap_or(bytes);
    let text = String::from_utf8_lossy(&masked(bytes)).into_owned();
    let mut out = String::new();
    for part in split_runs(text.trim()) {
        let count = part.chars().count();
        if count > RUN_MAX && part.starts_with(is_run) {
            out.extend(part.chars().take(RUN_SHOWN));
            out.push('…');
        } else {
            out.push_str(part);
        }
    }
    shortened(&escaped(&single_blanks(&out)))
}

/// A text of at most [`SHOWN_CHARS`] characters.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Without what is known as a credential.
fn masked(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for found in secrets::find(bytes, Role::Bulk).iter().rev() {
        let end = found.at + found.value.bytes().len();
        if out.get(found.at..end) == Some(found.value.bytes()) {
            out.splice(found.at..end, "…".bytes());
        }
    }
    out
}

fn is_run(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '+' | '=')
}

/// A text in runs of letters and digits, and what stands between them.
fn split_runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_other = |c: char| is_run(c) != is_run(first);
        let (part, after) = rest.split_at(rest.find(is_other).unwrap_or(rest.len()));
        rest = after;
        Some(part)
    })
}

/// Runs of blanks as one blank, and how long they were where that matters.
fn single_blanks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blanks = 0_usize;
    for character in text.chars() {
        if character == ' ' || character == '\t' {
            blanks += 1;
            continue;
        }
        match blanks {
            0 => {}
            1..=40 => out.push(' '),
            many => out.push_str(&format!(" ({many} blanks) ")),
        }
        blanks = 0;
        out.push(character);
    }
    out
}

/// Controls, bidi characters and those that take no room, as what they are.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if super::hidden::takes_no_room(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    locator::shown(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_short_and_inert() {
        let long = format!("const x = '{}';", "Ab1".repeat(40));
        assert_eq!(safe(long.as_bytes()), "const x = 'Ab1Ab1Ab1Ab1…';");
        assert_eq!(
            safe("a\u{202e}b\u{200b}c\r".as_bytes()),
            "a\\u{202e}b\\u{200b}c"
        );
        let pushed = format!("a();{}b()", " ".repeat(200));
        assert_eq!(safe(pushed.as_bytes()), "a(); (200 blanks) b()");
        assert!(safe("x y ".repeat(5000).as_bytes()).chars().count() <= SHOWN_CHARS + 1);
        assert_eq!(safe(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn the_part_round_a_thing_is_shown_of_a_long_line() {
        let line = format!("{}eval(x){}", "a ".repeat(500), " b".repeat(500));
        let text = Text::of(b"x.js", line.as_bytes()).unwrap();
        let shown = excerpt(&text, &(1000..1007));
        assert!(
            shown.starts_with('…') && shown.contains("eval(x)"),
            "{shown}"
        );
    }
}
