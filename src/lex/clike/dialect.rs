//! Which language of the C family a text is in, told from its first few hundred tokens, never from a name.
//!
//! The tokens are those that the lexer gives when it reads the text as C: where the languages differ in their strings, a
//! few of them are wrong, and the guess does not hang on a few. Words and marks that one language has and another has not
//! weigh for each of them; the heaviest wins, and C where none does.

use super::super::reader::{LETTER, Reader, WORD, is};
use super::super::words::Words;
use super::super::{Kind, Sink, Token};
use super::{Lexer, opening_tag};

/// The language of a text, as far as its tokens differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// C, C++, Objective-C, and whatever is none of the others.
    C,
    Java,
    Go,
    CSharp,
    Kotlin,
    Swift,
    Php,
}

const DIALECTS: [Dialect; 7] = [
    Dialect::C,
    Dialect::Java,
    Dialect::Go,
    Dialect::CSharp,
    Dialect::Kotlin,
    Dialect::Swift,
    Dialect::Php,
];

/// The dialect of a text: by the words, and a few marks, among its first tokens, read as if it were C.
pub(super) fn dialect_of(text: &[u8]) -> Dialect {
    /// Bytes that are looked at, most of which may be comments.
    const BYTES_MAX: usize = 32 * 1_024;
    let head = &text[..text.len().min(BYTES_MAX)];
    if opening_tag(&head[..head.len().min(4_096)], 0).is_some() {
        return Dialect::Php;
    }
    let mut guess = Guess {
        text: head,
        scores: [0; DIALECTS.len()],
        tokens: 0,
        before: b' ',
    };
    let mut lexer = Lexer::new(Reader::new(head, &mut guess), Dialect::C);
    lexer.run_for(Guess::TOKENS_MAX);
    let mut best = 0;
    for place in 1..DIALECTS.len() {
        if guess.scores[place] > guess.scores[best] {
            best = place;
        }
    }
    DIALECTS[best]
}

struct Guess<'t> {
    text: &'t [u8],
    scores: [i32; DIALECTS.len()],
    tokens: usize,
    before: u8,
}

impl Guess<'_> {
    /// Tokens that are looked at.
    const TOKENS_MAX: usize = 240;

    fn add(&mut self, weights: [i8; DIALECTS.len()]) {
        for (score, weight) in self.scores.iter_mut().zip(weights) {
            *score += i32::from(weight);
        }
    }
}

impl Sink for Guess<'_> {
    fn token(&mut self, token: Token) {
        self.tokens += 1;
        let bytes = token.of(self.text);
        let end = token.end as usize;
        let next = self.text.get(end).copied().unwrap_or(0);
        match token.kind {
            Kind::Name
                if bytes.starts_with(b"$") && bytes.get(1).is_some_and(|&b| is(b, LETTER)) =>
            {
                self.add([0, 0, 0, 0, 0, 0, 3]);
            }
            Kind::Name | Kind::Keyword if self.before != b'.' => {
                if let Some(number) = DIALECT_WORDS.number(bytes) {
                    self.add(DIALECT_WEIGHTS[number].1);
                }
                if matches!(bytes, b"package" | b"import") {
                    let rest = &self.text[end..];
                    let line =
                        &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())].trim_ascii_end();
                    let is_closed = line.ends_with(b";");
                    let has_dot = line.contains(&b'.');
                    let has_quote = line.contains(&b'"') || line.ends_with(b"(");
                    self.add(match bytes {
                        _ if is_closed => [0, 6, 0, 0, 0, 0, 0],
                        _ if has_quote => [0, 0, 6, 0, 0, 0, 0],
                        b"package" if has_dot => [0, 0, 0, 0, 6, 0, 0],
                        b"package" => [0, 0, 10, 0, 2, 0, 0],
                        _ if has_dot => [0, 0, 0, 0, 3, 1, 0],
                        _ => [0, 0, 0, 0, 0, 4, 0],
                    });
                }
            }
            Kind::Punct => match bytes {
                b"#" => match word_at(self.text, end) {
                    b"include" | b"define" | b"ifdef" | b"ifndef" | b"import" | b"undef" => {
                        self.add([8, 0, 0, 0, 0, 0, 0]);
                    }
                    b"region" => self.add([0, 0, 0, 6, 0, 0, 0]),
                    _ => {}
                },
                b":=" => self.add([0, 0, 4, 0, 0, 0, 0]),
                b"::" => self.add([2, 0, 0, 0, 0, 0, 1]),
                b"->" => self.add([1, 0, 0, 0, 0, 1, 0]),
                b"?:" => self.add([0, 0, 0, 0, 2, 0, 0]),
                b"=>" => self.add([0, 0, 0, 2, 0, 0, 1]),
                b"$" | b"@" if next == b'"' => self.add([0, 0, 0, 2, 0, 0, 0]),
                _ => {}
            },
            _ => {}
        }
        self.before = bytes.last().copied().unwrap_or(b' ');
    }
}

/// The word that begins here, behind blanks.
fn word_at(text: &[u8], at: usize) -> &[u8] {
    let rest = text.get(at..).unwrap_or_default();
    let blanks = rest.iter().take_while(|&&b| b == b' ').count();
    let rest = &rest[blanks..];
    &rest[..rest.iter().take_while(|&&b| is(b, WORD)).count()]
}

static DIALECT_WORDS: Words = Words::new(&DIALECT_NAMES);

static DIALECT_NAMES: [&str; DIALECT_WEIGHTS.len()] = {
    let mut names = [""; DIALECT_WEIGHTS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = DIALECT_WEIGHTS[index].0;
        index += 1;
    }
    names
};

/// How much a word speaks for each of [`DIALECTS`]. Weights are by hand.
#[rustfmt::skip]
const DIALECT_WEIGHTS: &[(&str, [i8; DIALECTS.len()])] = &[
    ("struct", [2, 0, 2, 1, 0, 1, 0]), ("unsigned", [4, 0, 0, 0, 0, 0, 0]), ("char", [2, 1, 0, 1, 0, 0, 0]),
    ("const", [1, 0, 1, 1, 0, 0, 1]), ("typedef", [4, 0, 0, 0, 0, 0, 0]), ("NULL", [4, 0, 0, 0, 0, 0, 0]),
    ("nullptr", [4, 0, 0, 0, 0, 0, 0]), ("template", [4, 0, 0, 0, 0, 0, 0]), ("size_t", [4, 0, 0, 0, 0, 0, 0]),
    ("std", [3, 0, 0, 0, 0, 0, 0]), ("extern", [3, 0, 0, 0, 0, 0, 0]), ("void", [2, 2, 0, 2, 0, 0, 1]),
    ("int", [2, 2, 2, 2, 0, 0, 1]), ("sizeof", [3, 0, 0, 0, 0, 0, 0]), ("NSString", [5, 0, 0, 0, 0, 0, 0]),
    ("id", [1, 0, 0, 0, 0, 0, 0]), ("goto", [2, 0, 1, 0, 0, 0, 0]), ("inline", [2, 0, 0, 0, 1, 0, 0]),
    ("final", [0, 3, 0, 0, 0, 1, 1]), ("throws", [0, 3, 0, 0, 0, 2, 0]), ("extends", [0, 3, 0, 0, 0, 0, 2]),
    ("implements", [0, 3, 0, 0, 0, 0, 2]), ("boolean", [0, 3, 0, 0, 0, 0, 0]), ("String", [0, 2, 0, 0, 1, 1, 0]),
    ("synchronized", [0, 4, 0, 0, 0, 0, 0]), ("instanceof", [0, 3, 0, 0, 0, 0, 1]), ("public", [0, 2, 0, 2, 0, 1, 2]),
    ("private", [0, 2, 0, 2, 2, 2, 2]), ("protected", [0, 2, 0, 2, 1, 0, 2]), ("Override", [0, 5, 0, 0, 0, 0, 0]),
    ("new", [0, 2, 0, 2, 0, 0, 2]), ("null", [0, 2, 0, 2, 2, 0, 1]), ("this", [0, 1, 0, 1, 1, 0, 0]),
    ("func", [0, 0, 4, 0, 0, 4, 0]), ("chan", [0, 0, 5, 0, 0, 0, 0]), ("defer", [0, 0, 3, 0, 0, 1, 0]),
    ("nil", [0, 0, 3, 0, 0, 3, 0]), ("range", [0, 0, 3, 0, 0, 0, 0]), ("type", [0, 0, 2, 0, 0, 0, 0]),
    ("err", [0, 0, 3, 0, 0, 0, 0]), ("string", [0, 0, 2, 3, 0, 0, 1]), ("error", [0, 0, 1, 0, 0, 0, 0]),
    ("var", [0, 0, 2, 2, 2, 2, 1]), ("using", [1, 0, 0, 4, 0, 0, 0]), ("namespace", [2, 0, 0, 3, 0, 0, 2]),
    ("internal", [0, 0, 0, 3, 3, 1, 0]), ("readonly", [0, 0, 0, 4, 0, 0, 1]), ("sealed", [0, 0, 0, 2, 2, 0, 0]),
    ("foreach", [0, 0, 0, 3, 0, 0, 2]), ("override", [1, 0, 0, 2, 3, 2, 0]), ("bool", [2, 0, 2, 2, 0, 0, 1]),
    ("async", [0, 0, 0, 2, 0, 1, 0]), ("System", [0, 1, 0, 2, 0, 0, 0]), ("Console", [0, 0, 0, 3, 0, 0, 0]),
    ("fun", [0, 0, 0, 0, 6, 0, 0]), ("val", [0, 0, 0, 0, 4, 0, 0]), ("companion", [0, 0, 0, 0, 4, 0, 0]),
    ("when", [0, 0, 0, 0, 2, 0, 0]), ("lateinit", [0, 0, 0, 0, 5, 0, 0]), ("Boolean", [0, 1, 0, 0, 2, 0, 0]),
    ("let", [0, 0, 0, 0, 0, 4, 0]), ("guard", [0, 0, 0, 0, 0, 4, 0]), ("self", [1, 0, 0, 0, 0, 3, 1]),
    ("extension", [0, 0, 0, 0, 0, 4, 0]), ("protocol", [1, 0, 0, 0, 0, 3, 0]), ("init", [0, 0, 0, 0, 1, 3, 0]),
    ("Bool", [0, 0, 0, 0, 0, 3, 0]), ("Foundation", [0, 0, 0, 0, 0, 5, 0]), ("UIKit", [0, 0, 0, 0, 0, 5, 0]),
    ("Int", [0, 0, 0, 0, 2, 2, 0]), ("function", [0, 0, 0, 0, 0, 0, 4]), ("echo", [0, 0, 0, 0, 0, 0, 4]),
    ("array", [0, 0, 0, 0, 0, 0, 2]), ("use", [0, 0, 0, 0, 0, 0, 2]),
];

#[cfg(test)]
mod tests {
    use super::{Dialect, dialect_of};

    #[test]
    fn the_dialect_is_guessed() {
        let texts = [
            ("", Dialect::C),
            ("#include <a.h>\nint main(void) { return 0; }", Dialect::C),
            ("package a\n", Dialect::Go),
            ("package a.b;\n", Dialect::Java),
            ("using System;\nnamespace A;\n", Dialect::CSharp),
            ("package a.b\n", Dialect::Kotlin),
            ("import Foundation\n", Dialect::Swift),
            ("<b><?php echo 1;", Dialect::Php),
            ("func a() { b := 1 }", Dialect::Go),
            ("guard let a = b else { return nil }", Dialect::Swift),
            ("override fun a() { val b = 1 }", Dialect::Kotlin),
            (
                "$a = array(); foreach ($a as $b) { echo $b; }",
                Dialect::Php,
            ),
        ];
        for (text, dialect) in texts {
            assert_eq!(dialect_of(text.as_bytes()), dialect, "{text}");
        }
    }
}
