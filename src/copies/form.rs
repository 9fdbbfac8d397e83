//! Whether two texts are the same but for how they are laid out.
//!
//! Line ends, blanks at line ends and the encoding change nothing in any text ([`norm_text`]). Of programs whose grammar does
//! not ask for indentation or line ends, blanks between words change nothing either. But a line break that goes may put a
//! statement into a comment, or take one out: so there both must be equal, everything that is no blank, and the words of the
//! program as its lexer finds them. A line end that JavaScript would put a semicolon at is not seen.

use crate::lex::{Family, Sink, Token, family_of, lex};
use crate::signature::norm_text;

/// A digest of what layout leaves alone.
pub type Form = [u8; 32];

/// The digest of the normal form of a text; `None` where it is none.
#[must_use]
pub fn normal(bytes: &[u8]) -> Option<Form> {
    norm_text::digest(bytes)
}

/// The digest of a program without its layout; `None` where layout may mean something.
#[must_use]
pub fn words(bytes: &[u8]) -> Option<Form> {
    let text = norm_text::text_of(bytes)?;
    let family = family_of(&text);
    let is_free = matches!(
        family,
        Family::Script | Family::Rust | Family::Clike | Family::Css
    );
    if !is_free {
        return None;
    }
    let mut digest = blake3::Hasher::new();
    let dense: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    if dense.is_empty() {
        return None;
    }
    digest.update(&dense);
    lex(
        family,
        &text,
        &mut Words {
            text: &text,
            digest: &mut digest,
        },
    );
    Some(*digest.finalize().as_bytes())
}

/// Takes the words of a program into a digest.
struct Words<'t> {
    text: &'t [u8],
    digest: &'t mut blake3::Hasher,
}

impl Sink for Words<'_> {
    fn token(&mut self, token: Token) {
        let word = token.of(self.text);
        self.digest.update(&[token.kind as u8]);
        self.digest.update(&(word.len() as u64).to_le_bytes());
        self.digest.update(word);
    }
}

/// Whether two contents are the same but for layout.
#[must_use]
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    let same = |form: fn(&[u8]) -> Option<Form>| {
        let one = form(a);
        one.is_some() && one == form(b)
    };
    same(normal) || same(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "import { a } from './a';\n\n// Says what it is.\nexport function say(name) {\n  const text = 'it is ' + name;\n  return a(text);\n}\n";

    #[test]
    fn layout_is_no_change() {
        assert!(is_same(
            PROGRAM.as_bytes(),
            PROGRAM.replace('\n', "\r\n").as_bytes()
        ));
        assert!(is_same(
            PROGRAM.as_bytes(),
            PROGRAM.replace("  ", "\t").as_bytes()
        ));
        let dense = PROGRAM.replace(";\n  ", "; ");
        assert!(is_same(PROGRAM.as_bytes(), dense.as_bytes()));
    }

    #[test]
    fn what_a_program_does_is_a_change() {
        for (from, to) in [
            // A statement goes into the comment above it.
            ("// Says what it is.\nexport", "// Says what it is. export"),
            ("'it is '", "'it  is '"),
            ("Says what", "Said what"),
            ("return a", "returna"),
            ("name)", "name\u{200b})"),
        ] {
            let other = PROGRAM.replacen(from, to, 1);
            assert_ne!(other, PROGRAM);
            assert!(!is_same(PROGRAM.as_bytes(), other.as_bytes()), "{to}");
        }
        let python = "def f(a):\n    if a:\n        b()\n    c()\n";
        let other = "def f(a):\n    if a:\n        b()\n        c()\n";
        assert!(!is_same(python.as_bytes(), other.as_bytes()));
    }
}
