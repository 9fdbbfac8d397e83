//! What is shown of a line: short, inert, and without what may be a credential.

use std::ops::Range;

use super::text::Text;
use crate::blob::locator;
use crate::exposure::mask::Masks;

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
    let front = if begin > line.start { "…" } else { "" };
    format!("{front}{}", part(text, &(begin..line.end.max(span.end))))
}

/// A part of a text. What a credential is shows itself in the whole: a part may begin in the middle of one.
pub(super) fn part(text: &Text, part: &Range<usize>) -> String {
    let end = part.end.min(part.start.saturating_add(WINDOW));
    inert(&text.masks().quote(text.bytes, part.start..end))
}

/// Something of a few words that may be shown, and is all that there is.
pub(super) fn safe(bytes: &[u8]) -> String {
    let masked = Masks::of(bytes).quote(bytes, 0..bytes.len());
    inert(masked.get(..WINDOW).unwrap_or(&masked))
}

/// Short, on one line, with nothing in it that moves or hides anything.
fn inert(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
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
    use crate::exposure::secrets::examples::expand;

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
    fn a_credential_is_not_shown_where_a_part_begins_in_the_middle_of_it() {
        let token = String::from_utf8(expand("<<crc62 ghp_>>", "shown").unwrap()).unwrap();
        let line = format!("{} '{token}' eval(x)", "a ".repeat(100));
        let text = Text::of(b"x.js", line.as_bytes()).unwrap();
        let at = line.find("eval").unwrap();
        let found = excerpt(&text, &(at..at + 7));
        assert!(found.contains("…' eval(x)"), "{found}");
        for window in token.as_bytes()[4..].windows(5) {
            let window = std::str::from_utf8(window).unwrap();
            assert!(!found.contains(window), "{found}");
        }
        assert_eq!(safe(format!("curl {token}").as_bytes()), "curl ghp_…");
        assert_eq!(part(&text, &(at - 10..at + 4)), "…' eval");
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
