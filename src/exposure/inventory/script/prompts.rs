//! Prompts: prose in the code that a model is told.
//!
//! Long sentences are also licences, help and messages. What makes a prompt of them is how they speak (to a reader who is
//! told what it is and what it must do) and what they are called. Both are words in the signatures; either may be missing, not both.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::super::{Confidence, VALUE_CHARS, cut};
use super::Found;
use super::plain::PROSE_MIN_BYTES;
use super::reader::Reader;
use super::signatures::Signatures;

/// Share of blanks in prose, in percent: less is code or data, more is a picture of characters.
const BLANKS: std::ops::RangeInclusive<usize> = 8..=35;

/// Share of characters of code from which on a text is code, in percent: where nothing calls it a prompt, and where
/// something does. Templates are full of braces.
const CODE_MAX: usize = 9;
const CODE_MAX_CALLED: usize = 16;

/// Different words of a prompt's that prose must have: where it is called a prompt, where not, and where it is called a
/// template of something, which has holes or has not.
const WORDS_CALLED: usize = 1;
const WORDS_UNCALLED: usize = 4;
const WORDS_TEMPLATE: usize = 2;
const WORDS_PLAIN: usize = 3;

/// The same of prose beside prompts, and how many such texts are kept.
const WORDS_BESIDE: usize = 3;
const BESIDE_MAX: usize = 500;

const KIND: &str = "prompt";

/// Hexadecimal digits of a digest that are told.
const DIGEST_CHARS: usize = 16;

/// What a text is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Called {
    Prompt,
    /// A template or the beginning of something.
    Template,
    Otherwise,
}

/// Looks at a string.
pub(super) fn look(reader: &mut Reader, at: u32, text: &str) {
    if text.len() < PROSE_MIN_BYTES {
        return;
    }
    let name = reader
        .named
        .as_ref()
        .filter(|(named, _)| *named == at)
        .map(|(_, name)| name.clone());
    let called = name.as_deref().map_or(Called::Otherwise, called);
    let code_max = match called {
        Called::Otherwise => CODE_MAX,
        _ => CODE_MAX_CALLED,
    };
    if !is_prose(text, code_max) {
        return;
    }
    let lower = text.to_ascii_lowercase();
    let Some(confidence) = confidence(called, &lower) else {
        if words_in(&lower, &WORDS) + words_in(&lower, &MARKS) >= WORDS_BESIDE
            && reader.beside.len() < BESIDE_MAX
            && !is_other(&lower)
        {
            let found = found(at, text, name, Confidence::Low);
            reader.beside.push(found);
        }
        return;
    };
    if !lower.trim_start().starts_with("you are ") && is_other(&lower) {
        return;
    }
    reader.found.push(found(at, text, name, confidence));
}

fn found(at: u32, text: &str, name: Option<String>, confidence: Confidence) -> Found {
    let digest = blake3::hash(text.as_bytes()).to_hex();
    let called = name.map(|name| format!("`{name}`, ")).unwrap_or_default();
    let detail = format!(
        "{called}{} characters, blake3 {}",
        text.chars().count(),
        &digest[..DIGEST_CHARS]
    );
    Found {
        at,
        kind: KIND,
        value: cut(text.trim(), VALUE_CHARS),
        confidence,
        detail: Some(detail),
    }
}

/// Tells prose that says less by itself, where prompts stand in the same text: prompts come together.
pub(super) fn beside(reader: &mut Reader) {
    let has_any = reader
        .found
        .iter()
        .any(|found| found.kind == KIND && found.confidence > Confidence::Low);
    let beside = std::mem::take(&mut reader.beside);
    if has_any {
        reader.found.extend(beside);
    }
}

/// How sure it is that a text in lower case is a prompt.
fn confidence(called: Called, lower: &str) -> Option<Confidence> {
    let words = words_in(lower, &WORDS);
    let addresses = addresses(lower);
    let marks = || words + words_in(lower, &MARKS);
    let is_medium = match called {
        Called::Prompt if addresses || words > WORDS_CALLED => return Some(Confidence::High),
        Called::Prompt => marks() >= WORDS_CALLED,
        Called::Template if has_holes(lower) => marks() >= WORDS_TEMPLATE,
        Called::Template => marks() >= WORDS_PLAIN,
        Called::Otherwise => false,
    };
    let is_said = (addresses && words >= 2) || (words > WORDS_UNCALLED && lower.len() >= 300);
    (is_medium || is_said).then_some(Confidence::Medium)
}

/// Whether a text has holes with names in it, as templates of prompts do: `{question}`.
fn has_holes(text: &str) -> bool {
    text.split('{').skip(1).take(100).any(|behind| {
        let name = behind.split('}').next().unwrap_or_default();
        name.len() < behind.len()
            && name.len() < 40
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Whether a sentence tells the reader what it is, or what its task is.
fn addresses(lower: &str) -> bool {
    let begins = |at: usize| {
        let before = lower[..at].trim_end_matches([' ', '#', '*', '"', '>', '-']);
        before.is_empty() || before.ends_with(['.', '!', '\n', ':', '}'])
    };
    let tasks = ["your task", "your role is", "your job is", "your goal is"];
    let begun = ["you are ", "you have been ", "act as a"];
    let is_begun = |words: &&str| lower.match_indices(*words).any(|(at, _)| begins(at));
    begun.iter().any(is_begun) || tasks.iter().any(|words| lower.contains(words))
}

/// Whether a text is sentences: blanks between words of letters, few signs of code.
fn is_prose(text: &str, code_max: usize) -> bool {
    let sample = text.as_bytes().get(..4_000).unwrap_or(text.as_bytes());
    let blanks = sample
        .iter()
        .filter(|byte| matches!(byte, b' ' | b'\n'))
        .count();
    // A row of one sign is a line below a heading.
    let before = std::iter::once(&b'\n').chain(sample);
    let code = sample
        .iter()
        .zip(before)
        .filter(|(byte, before)| {
            byte != before
                && matches!(
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
    BLANKS.contains(&share(blanks)) && share(code) < code_max && share(letters) >= 50
}

fn called(name: &str) -> Called {
    if is_called_prompt(name) {
        return Called::Prompt;
    }
    let name = name.to_ascii_lowercase();
    let is_template = [
        "template", "prefix", "suffix", "schema", "tmpl", "section", "reminder", "rubric",
        "guidance",
    ]
    .iter()
    .any(|word| name.ends_with(word));
    if is_template {
        Called::Template
    } else {
        Called::Otherwise
    }
}

/// Whether a name is one of prompts.
pub(super) fn is_called_prompt(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "");
    Signatures::builtin().words.prompt_names.iter().any(|word| {
        name == *word
            || (word.len() > 6 && name.contains(word.as_str()))
            || name.ends_with(word.as_str())
    }) || name.contains("prompt")
}

static WORDS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(&Signatures::builtin().words.prompt_words).ok());

static MARKS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(&Signatures::builtin().words.prompt_marks).ok());

/// Different words of a list in a text in lower case.
fn words_in(lower: &str, list: &LazyLock<Option<AhoCorasick>>) -> usize {
    let Some(words) = list.as_ref() else {
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
