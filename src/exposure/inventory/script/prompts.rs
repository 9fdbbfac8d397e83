//! Prompts: prose in the code that a model is told.
//!
//! Long sentences are also licences, help and messages. What makes a prompt of them is how they speak (to a reader who is
//! told what it is and what it must do) and what they are called. Both are words in the signatures; either may be missing, not both.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::super::Confidence;
use super::plain::PROSE_MIN_BYTES;
use super::reader::Reader;
use super::signatures::Signatures;

/// Share of blanks in prose, in percent: less is code or data, more is a picture of characters.
const BLANKS: std::ops::RangeInclusive<usize> = 8..=35;

/// Share of characters of code from which on a text is code, in percent.
const CODE_MAX: usize = 9;

/// Different words of a prompt's that prose must have: where it is called a prompt, and where not.
const WORDS_CALLED: usize = 1;
const WORDS_UNCALLED: usize = 4;

/// Hexadecimal digits of a digest that are told.
const DIGEST_CHARS: usize = 16;

/// Looks at a string.
pub(super) fn look(reader: &mut Reader, at: u32, text: &str) {
    if text.len() < PROSE_MIN_BYTES || !is_prose(text) {
        return;
    }
    let name = reader
        .named
        .as_ref()
        .filter(|(named, _)| *named == at)
        .map(|(_, name)| name.clone());
    let lower = text.to_ascii_lowercase();
    let words = words_in(&lower);
    let is_called = name.as_deref().is_some_and(is_called_prompt);
    let addresses = addresses(&lower);
    let confidence = if is_called && (addresses || words > WORDS_CALLED) {
        Confidence::High
    } else if (addresses && words >= 2)
        || (is_called && words >= WORDS_CALLED)
        || words > WORDS_UNCALLED && text.len() >= 300
    {
        Confidence::Medium
    } else {
        return;
    };
    if !lower.trim_start().starts_with("you are ") && is_other(&lower) {
        return;
    }
    let digest = blake3::hash(text.as_bytes()).to_hex();
    let called = name.map(|name| format!("`{name}`, ")).unwrap_or_default();
    let detail = format!(
        "{called}{} characters, blake3 {}",
        text.chars().count(),
        &digest[..DIGEST_CHARS]
    );
    reader.add(at, "prompt", text.trim(), confidence, Some(detail));
}

/// Whether a sentence tells the reader what it is, or what its task is.
fn addresses(lower: &str) -> bool {
    let begins = |at: usize| {
        let before = lower[..at].trim_end_matches([' ', '#', '*', '"', '>', '-']);
        before.is_empty() || before.ends_with(['.', '!', '\n', ':', '}'])
    };
    let tasks = ["your task", "your role is", "your job is", "your goal is"];
    lower.match_indices("you are ").any(|(at, _)| begins(at))
        || tasks.iter().any(|words| lower.contains(words))
}

/// Whether a text is sentences: blanks between words of letters, few signs of code.
fn is_prose(text: &str) -> bool {
    let sample = text.as_bytes().get(..4_000).unwrap_or(text.as_bytes());
    let blanks = sample
        .iter()
        .filter(|byte| matches!(byte, b' ' | b'\n'))
        .count();
    let code = sample
        .iter()
        .filter(|byte| {
            matches!(
                byte,
                b'{' | b'}' | b';' | b'=' | b'<' | b'>' | b'|' | b'&' | b'\\'
            )
        })
        .count();
    let letters = sample
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80)
        .count();
    let share = |count: usize| count * 100 / sample.len().max(1);
    BLANKS.contains(&share(blanks)) && share(code) < CODE_MAX && share(letters) >= 50
}

fn is_called_prompt(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "");
    Signatures::builtin().words.prompt_names.iter().any(|word| {
        name == *word
            || (word.len() > 6 && name.contains(word.as_str()))
            || name.ends_with(word.as_str())
    }) || name.contains("prompt")
}

/// Different words of a prompt's in a text in lower case.
fn words_in(lower: &str) -> usize {
    static WORDS: LazyLock<Option<AhoCorasick>> =
        LazyLock::new(|| AhoCorasick::new(&Signatures::builtin().words.prompt_words).ok());
    let Some(words) = WORDS.as_ref() else {
        return 0;
    };
    let mut seen = [false; 64];
    for found in words.find_overlapping_iter(lower) {
        if let Some(seen) = seen.get_mut(found.pattern().as_usize()) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

/// Prose that is something else: licences, deprecations, errors, help of a command line.
fn is_other(lower: &str) -> bool {
    [
        "permission is hereby granted",
        "without warranty",
        "all rights reserved",
        "deprecated",
        "usage:",
        "error:",
        "warning:",
        "http error",
    ]
    .iter()
    .any(|word| lower.contains(word))
}
