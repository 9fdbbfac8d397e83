//! Whether a text may hold anything of interest: one search for words.
//!
//! Half of what maps give back is types, constants and arithmetic; to say so costs a hundredth of parsing it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::signatures::Signatures;

/// Whether a text holds a word of interest.
pub(super) fn is_of_interest(text: &[u8]) -> bool {
    static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let words = Signatures::builtin().gate_words();
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            // Some hundred words: a step a byte is worth the table.
            .kind(Some(AhoCorasickKind::DFA))
            .build(words)
            .ok()
    });
    WORDS.as_ref().is_none_or(|words| words.is_match(text))
}
