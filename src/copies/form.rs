//! Whether two texts are the same but for how they are laid out.
//!
//! Line ends, blanks at line ends and the encoding change nothing in any text ([`norm_text`]). What a tool
//! moves that lays a text out anew changes nothing either: that is told by the tokens and comments of a program, the tokens of
//! JSON and the words and depths of other lines ([`layout`]), so that a
//! statement that gets into a comment, or a comment that is cut out, is a change. A scan tells by the same two forms whether a
//! copy is `reformatted`.

use crate::signature::{layout, norm_text};

/// A digest of what layout leaves alone.
pub type Form = [u8; 32];

/// The digest of the normal form of a text; `None` where it is none.
#[must_use]
pub fn normal(bytes: &[u8]) -> Option<Form> {
    norm_text::digest(bytes)
}

/// The digest of a text without its layout; `None` where it is no text.
#[must_use]
pub fn words(bytes: &[u8]) -> Option<Form> {
    layout::digest(bytes)
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
