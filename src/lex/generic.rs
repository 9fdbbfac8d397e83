//! The lexer for text of no known family: JSON, XML, settings, prose, and languages that have no lexer of their own.
//!
//! Words, numbers, quoted strings and marks; no comments and no keywords, since what they are differs. A word behind `.` is
//! a property. A string ends on its line, and a backslash in it takes the next byte along; a quote that has no partner on
//! its line is a mark, and so is an apostrophe within a word. Three backticks or more are one mark, as they open blocks in
//! Markdown. A number goes on over letters, `_` and `.` (`12px`, `1.2.3`).

use super::reader::{DIGIT, LETTER, Reader, SPACE, WORD, is};
use super::{Kind, Sink};

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    lex_all(&mut Reader::new(text, sink));
}

/// Pushes the tokens from the reader's place to the end of its text.
pub(super) fn lex_all(reader: &mut Reader<'_, '_, impl Sink>) {
    let mut before = b' ';
    while let Some(&byte) = reader.text.get(reader.at) {
        match byte {
            _ if is(byte, SPACE) => {
                reader.at += 1;
                // A word on the next line belongs to no `.`, which ended a sentence.
                if byte == b'\n' {
                    before = byte;
                }
                continue;
            }
            _ if is(byte, LETTER) || byte == b'$' => {
                let kind = if before == b'.' {
                    Kind::Property
                } else {
                    Kind::Name
                };
                let end = word_end(reader);
                reader.take(kind, end);
            }
            _ if is(byte, DIGIT) => {
                let mut end = reader.run(WORD);
                while reader.text.get(end) == Some(&b'.')
                    && is(reader.byte(end + 1 - reader.at), WORD)
                {
                    end = reader.run_from(end + 1, WORD);
                }
                reader.take(Kind::Number, end);
            }
            b'\'' if is(before, WORD) && is_within_word(reader) => reader.punct(1),
            b'`' if reader.is_at(b"```") => {
                let len = reader.text[reader.at..]
                    .iter()
                    .take_while(|&&b| b == b'`')
                    .count();
                reader.punct(len);
            }
            b'"' | b'\'' | b'`' => reader.line_string(byte),
            _ => reader.punct(1),
        }
        before = byte;
    }
}

/// The end of the word that begins here; `$` is a letter of it.
fn word_end<S: Sink>(reader: &Reader<'_, '_, S>) -> usize {
    let mut end = reader.at;
    loop {
        end = reader.run_from(end, WORD);
        if reader.text.get(end) != Some(&b'$') {
            return end;
        }
        end += 1;
    }
}

/// Whether the byte here stands directly between two of a word.
fn is_within_word<S: Sink>(reader: &Reader<'_, '_, S>) -> bool {
    let before = reader.at.checked_sub(1).and_then(|at| reader.text.get(at));
    before.is_some_and(|&b| is(b, WORD)) && is(reader.byte(1), LETTER)
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::super::shown::gives;

    #[test]
    fn words_numbers_strings_and_marks() {
        gives(
            Family::Generic,
            r#"{"a \"b\"": [1, -2.5e3, true]}"#,
            r#"{ t:a \"b\" : [ d:1 , - d:2.5e3 , n:true ] }"#,
        );
        gives(
            Family::Generic,
            ".a { b: 12px; c: #fff00a 1.2.3. }",
            ". p:a { n:b : d:12px ; n:c : # n:fff00a d:1.2.3 . }",
        );
        gives(
            Family::Generic,
            "$a $b$c d$ x.y. Z\n.\nw",
            "n:$a n:$b$c n:d$ n:x . p:y . p:Z . n:w",
        );
        gives(Family::Generic, "é ' ' '' `a`", "n:é t:  t: t:a");
    }

    #[test]
    fn quotes_without_partners_are_marks() {
        gives(
            Family::Generic,
            "don't say 'it' twice",
            "n:don ' n:t n:say t:it n:twice",
        );
        gives(
            Family::Generic,
            "5\" or 'open\n'b'",
            "d:5 \" n:or ' n:open t:b",
        );
        gives(Family::Generic, "```js\nx\n```", "``` n:js n:x ```");
        gives(Family::Generic, "'a\\\nb' \"\\", "t:a\\\nb \" \\");
    }

    #[test]
    fn a_line_of_open_quotes_is_read_once() {
        // Would take hours where each quote looks for its partner again.
        let text = "\"\\".repeat(2_000_000) + &"'\\`\\".repeat(500_000);
        super::super::shown::assert_promises(Family::Generic, text.as_bytes());
    }
}
