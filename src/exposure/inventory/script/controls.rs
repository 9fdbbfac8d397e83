//! What keeps the program safe, by the names of functions, methods and classes.
//!
//! Whoever has the sources knows where checks, limits and filters stand and how they decide; whoever answers for the leak
//! must look at these first. A name alone says little, so nothing here is more than a place to look at.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::Confidence;
use super::reader::Reader;
use super::signatures::Signatures;

/// Looks at a name that the text declares.
pub(super) fn declared(reader: &mut Reader, at: u32, name: &str) {
    if name.len() < 5 {
        return;
    }
    let words = words_of(name);
    for (at_word, word) in words.iter().enumerate() {
        for phrase in phrases(word) {
            let behind = words.get(at_word..).unwrap_or_default();
            let is_said = behind.len() >= phrase.len()
                && behind
                    .iter()
                    .zip(phrase)
                    .all(|(word, part)| is_form_of(word, part));
            if is_said {
                let confidence = if words.len() > 1 {
                    Confidence::Medium
                } else {
                    Confidence::Low
                };
                reader.add(
                    at,
                    "control",
                    name,
                    confidence,
                    Some(format!("by its name: {}", phrase.join(" "))),
                );
                return;
            }
        }
    }
}

/// Letters by which phrases are found.
const FIRST_LETTERS: usize = 2;

/// The phrases that may begin with a word.
fn phrases(word: &str) -> &'static [Vec<String>] {
    static PHRASES: LazyLock<HashMap<&str, Vec<Vec<String>>>> = LazyLock::new(|| {
        let mut phrases: HashMap<&str, Vec<Vec<String>>> = HashMap::new();
        for phrase in &Signatures::builtin().words.controls {
            if let Some(first) = phrase.get(..FIRST_LETTERS) {
                let words = phrase.split(' ').map(str::to_owned).collect();
                phrases.entry(first).or_default().push(words);
            }
        }
        phrases
    });
    let first = word.get(..FIRST_LETTERS).unwrap_or_default();
    PHRASES.get(first).map_or(&[], Vec::as_slice)
}

/// Whether a word is a part or a form of it: `permissions`, `sandboxed`.
fn is_form_of(word: &str, part: &str) -> bool {
    word.strip_prefix(part).is_some_and(|end| {
        matches!(
            end,
            "" | "s" | "d" | "ed" | "er" | "ing" | "r" | "ion" | "or"
        )
    })
}

/// The words of a name in lower case: `checkRateLimit` has three.
pub(super) fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_lower = false;
    for c in name.chars().take(200) {
        if !c.is_ascii_alphanumeric() {
            was_lower = false;
            words.push(String::new());
            continue;
        }
        if words.is_empty() || (c.is_ascii_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = !c.is_ascii_uppercase();
        if let Some(word) = words.last_mut() {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        assert_eq!(words_of("checkRateLimit"), ["check", "rate", "limit"]);
        assert_eq!(words_of("ALLOW_LIST"), ["allow", "list"]);
        assert_eq!(words_of("_isBot"), ["is", "bot"]);
    }
}
