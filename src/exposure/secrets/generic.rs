//! Values beside names that say what they are, and numbers of cards and accounts.
//!
//! No form tells these; only the name does, and that the value looks like one ([`super::super::values`]), or a digit that
//! checks the others. In the code of others that would be noise, so it is asked of texts that may be the vendor's own. The
//! rules stand beside the others (`tier = "generic"`). Their literals are looked for in the ways in which names are written
//! (`api_key`, `API_KEY`, `apiKey`, `ApiKey`); numbers have none and are looked for where enough digits stand together.
//!
//! What stands in a comment is most often an example: it is told as little.

use std::ops::Range;
use std::sync::LazyLock;

use super::super::words::Words;
use super::Tier;
use super::find::{Raw, attempt};
use super::rule::{Compiled, RuleSet};
use crate::record::Severity;

/// Digits that stand together in the number of an account, at least; a card has more.
const DIGITS_MIN: usize = 10;
/// Letters and check digits of an account's number before those.
const ACCOUNT_FRONT: usize = 14;

/// The literals of the generic rules, and which rule each belongs to.
struct Names {
    words: Words,
    rules: Vec<&'static Compiled>,
}

impl Names {
    fn new() -> Self {
        let (mut literals, mut rules) = (Vec::new(), Vec::new());
        let generic = RuleSet::builtin()
            .iter()
            .filter(|one| one.rule.tier == Tier::Generic);
        for one in generic.filter(|one| one.rule.ignore_case) {
            for literal in &one.rule.literals {
                for written in ways(literal) {
                    literals.push(written);
                    rules.push(one);
                }
            }
        }
        let words: Vec<&[u8]> = literals.iter().map(|literal| literal.as_bytes()).collect();
        Self {
            words: Words::new(&words),
            rules,
        }
    }
}

/// `api_key`, `API_KEY`, `apiKey` and `ApiKey`.
fn ways(literal: &str) -> Vec<String> {
    let (mut camel, mut rises) = (String::new(), false);
    for letter in literal.chars() {
        if letter == '_' {
            rises = true;
            continue;
        }
        camel.push(if rises {
            letter.to_ascii_uppercase()
        } else {
            letter
        });
        rises = false;
    }
    let mut pascal = camel.clone();
    if let Some(letter) = pascal.get_mut(..1) {
        letter.make_ascii_uppercase();
    }
    let mut ways = vec![
        literal.to_owned(),
        literal.to_ascii_uppercase(),
        camel,
        pascal,
    ];
    ways.sort_unstable();
    ways.dedup();
    ways
}

/// What is found in a text by the generic rules.
pub(super) fn find(text: &[u8], mut take: impl FnMut(Raw)) {
    static NAMES: LazyLock<Names> = LazyLock::new(Names::new);
    let mut take = |raw: Option<Raw>| {
        if let Some(mut raw) = raw {
            if is_in_comment(text, raw.span.start) {
                raw.severity = raw.severity.min(Severity::Low);
            }
            take(raw);
        }
    };
    NAMES
        .words
        .find(text, |word, at| take(attempt(text, at, NAMES.rules[word])));
    numbers(text, |run| {
        let rules = RuleSet::builtin();
        take(
            rules
                .get("card-number")
                .and_then(|one| attempt(text, run.start, one)),
        );
        if let Some(start) = account_start(text, run.start) {
            take(rules.get("iban").and_then(|one| attempt(text, start, one)));
        }
    });
}

/// How far back a line is looked for the mark of a comment, bytes: what is longer was made by a program, and comments of
/// such lines are no examples.
const LINE_MAX_BYTES: usize = 2048;

/// Whether a line is a comment where a value begins: it opens with a mark of one.
fn is_in_comment(text: &[u8], at: usize) -> bool {
    let floor = at.saturating_sub(LINE_MAX_BYTES);
    let start = match memchr::memrchr(b'\n', &text[floor..at]) {
        Some(feed) => floor + feed + 1,
        None if floor == 0 => 0,
        None => return false,
    };
    let line = text[start..at].trim_ascii_start();
    line.starts_with(b"*")
        || line.starts_with(b"//")
        || line.starts_with(b"#")
        || line.starts_with(b"/*")
}

/// Calls `found` with each run of digits, single blanks and dashes among them, that has enough of them.
fn numbers(text: &[u8], mut found: impl FnMut(Range<usize>)) {
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let is_part =
        |at: usize| is_digit(at) || matches!(text.get(at), Some(b' ' | b'-')) && is_digit(at + 1);
    // Of two neighbours in such a run one is a digit, and it is longer than a step.
    const STEP: usize = 8;
    let mut at = 0;
    while at < text.len() {
        if !is_digit(at) && !is_digit(at + 1) {
            at += STEP;
            continue;
        }
        let middle = if is_digit(at) { at } else { at + 1 };
        let mut start = middle;
        while start > 0
            && middle - start < STEP * 2
            && (is_digit(start - 1) || start > 1 && is_part(start - 1) && is_digit(start - 2))
        {
            start -= 1;
        }
        let mut end = middle;
        while is_part(end) {
            end += 1;
        }
        if text[start..end]
            .iter()
            .filter(|byte| byte.is_ascii_digit())
            .count()
            >= DIGITS_MIN
        {
            found(start..end);
        }
        at = end.max(at) + STEP;
    }
}

/// Where an account's number begins whose run of digits begins at `at`: two capitals and two digits, letters between.
fn account_start(text: &[u8], at: usize) -> Option<usize> {
    let is_front = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    let floor = at.saturating_sub(ACCOUNT_FRONT);
    let front = text[floor..at]
        .iter()
        .rev()
        .take_while(|byte| is_front(byte))
        .count();
    (at - front..at).find(|&start| {
        let starts = text
            .get(start..start + 2)
            .is_some_and(|two| two.iter().all(u8::is_ascii_uppercase));
        let digits = text
            .get(start + 2..start + 4)
            .is_some_and(|two| two.iter().all(u8::is_ascii_digit));
        starts
            && digits
            && !start
                .checked_sub(1)
                .is_some_and(|before| text[before].is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_digits_are_found_wherever_they_begin() {
        for before in 0..20 {
            for number in [
                "4012888888881881",
                "4012 8888 8888 1881",
                "4012-8888-8888-1881",
                "0417164300",
            ] {
                let text = format!("{}{number}; x 12 34", "x".repeat(before));
                let mut runs = Vec::new();
                numbers(text.as_bytes(), |run| runs.push(run));
                assert!(runs.len() == 1, "{text}");
                assert_eq!(
                    (runs[0].start, runs[0].len()),
                    (before, number.len()),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn names_are_looked_for_as_they_are_written() {
        assert_eq!(ways("api_key"), ["API_KEY", "ApiKey", "apiKey", "api_key"]);
        assert_eq!(ways("token"), ["TOKEN", "Token", "token"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_searched(text in "([0-9]{1,20}| |-|DE|GB82WEST|password = \"|token: '|a1B2c3D4e5F6|\"|é|\n|//){0,30}") {
            find(text.as_bytes(), |raw| assert!(raw.span.end <= text.len()));
        }
    }
}
