//! The reserved words, and what each of them says about what may follow.

use super::{After, Before};

/// What a reserved word says, by its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    key: u64,
    pub(super) before: Before,
    pub(super) after: After,
}

/// Words of more bytes have no key.
pub(super) const KEY_BYTES: usize = 8;

/// A word of at most [`KEY_BYTES`] bytes as a number: its bytes, the first one lowest, and zeros.
pub(super) const fn key(word: &[u8]) -> u64 {
    let (mut key, mut at) = (0, 0);
    while at < word.len() && at < KEY_BYTES {
        key |= (word[at] as u64) << (8 * at);
        at += 1;
    }
    key
}

/// The reserved words of ECMA-262 (2025, section 12.7.2), and those that strict code reserves and nobody else uses. The
/// contextual ones (`of`, `get`, `async`, `type`, …) are names. [`INSTANCEOF`] is too long for a key.
const WORDS: [Word; 39] = {
    use After::{Expression, Operand, Statement};
    use Before as B;
    [
        of(b"await", B::Await, Expression),
        of(b"break", B::Other, Expression),
        of(b"case", B::Case, Expression),
        of(b"catch", B::Other, Statement),
        of(b"class", B::Class, Expression),
        of(b"const", B::Other, Expression),
        of(b"continue", B::Other, Expression),
        of(b"debugger", B::Other, Expression),
        of(b"default", B::Default, Expression),
        of(b"delete", B::Other, Expression),
        of(b"do", B::Do, Statement),
        of(b"else", B::Other, Statement),
        of(b"enum", B::Enum, Expression),
        of(b"export", B::Export, Statement),
        of(b"extends", B::Other, Expression),
        of(b"false", B::Other, Operand),
        of(b"finally", B::Other, Statement),
        of(b"for", B::For, Expression),
        of(b"function", B::Function, Expression),
        of(b"if", B::Condition, Expression),
        of(b"import", B::Import, Expression),
        of(b"in", B::Other, Expression),
        of(b"let", B::Other, Expression),
        of(b"new", B::Other, Expression),
        of(b"null", B::Other, Operand),
        of(b"return", B::Other, Expression),
        of(b"static", B::Modifier, Statement),
        of(b"super", B::Other, Operand),
        of(b"switch", B::Other, Expression),
        of(b"this", B::Other, Operand),
        of(b"throw", B::Other, Expression),
        of(b"true", B::Other, Operand),
        of(b"try", B::Other, Statement),
        of(b"typeof", B::Other, Expression),
        of(b"var", B::Other, Expression),
        of(b"void", B::Void, Expression),
        of(b"while", B::Condition, Expression),
        of(b"with", B::Condition, Expression),
        of(b"yield", B::Other, Expression),
    ]
};

/// The only reserved word of more than eight letters.
pub(super) const INSTANCEOF: &[u8] = b"instanceof";

const fn of(spelling: &[u8], before: Before, after: After) -> Word {
    assert!(spelling.len() <= KEY_BYTES);
    Word {
        key: key(spelling),
        before,
        after,
    }
}

/// Slots of the table, as a power of two; each word has one of its own.
const SLOT_BITS: u32 = 7;

/// Where the word of this key stands in the table. The factor was found by trial; that no two words meet is checked when
/// the table is made.
const fn slot(key: u64) -> usize {
    (key.wrapping_mul(0xFA6A_17FA_E943_CFBD) >> (u64::BITS - SLOT_BITS)) as usize
}

/// The key of an empty slot; no word has it, nor 0.
const EMPTY: Word = Word {
    key: u64::MAX,
    before: Before::Other,
    after: After::Operand,
};

static TABLE: [Word; 1 << SLOT_BITS] = {
    let mut table = [EMPTY; 1 << SLOT_BITS];
    let mut number = 0;
    while number < WORDS.len() {
        let word = WORDS[number];
        assert!(
            table[slot(word.key)].key == EMPTY.key,
            "two words in one slot"
        );
        table[slot(word.key)] = word;
        number += 1;
    }
    table
};

/// The reserved word of this key.
#[inline]
pub(super) fn reserved(key: u64) -> Option<&'static Word> {
    let word = &TABLE[slot(key)];
    (word.key == key).then_some(word)
}

/// Whether a member of a class, an object or a type may have this word before its name.
pub(super) fn is_modifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"get"
            | b"set"
            | b"async"
            | b"static"
            | b"readonly"
            | b"public"
            | b"private"
            | b"protected"
            | b"abstract"
            | b"declare"
            | b"override"
            | b"accessor"
            | b"type"
    )
}

/// Whether this word stands between two operands, so that what it follows goes on behind it.
pub(super) fn joins(word: &[u8]) -> bool {
    matches!(
        word,
        b"in"
            | b"instanceof"
            | b"as"
            | b"is"
            | b"satisfies"
            | b"extends"
            | b"implements"
            | b"of"
            | b"from"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reserved_word_is_found_and_nothing_else() {
        for word in WORDS {
            assert_eq!(reserved(word.key).map(|it| it.key), Some(word.key));
            assert!(reserved(word.key ^ 0x20).is_none(), "in another case");
        }
        assert!(reserved(0).is_none());
        for word in ["a", "of", "async", "undefine", "instance"] {
            assert!(reserved(key(word.as_bytes())).is_none());
        }
        assert_eq!(key(b"if"), 0x6669);
    }
}
