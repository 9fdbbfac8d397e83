//! Gates that exist in the sources and not in the bundle that was made of them.
//!
//! A vendor builds features in before they are announced, and builds the bundle without them: the switch and all behind
//! it are dropped. The source map tells them all the same. So of every script that leads to a map the strings are kept
//! that may be names of switches, as numbers (`names_in`), and at the map's place each flag of its sources is looked
//! up among them ([`traces`]). A switch of the build leaves no name in any bundle; it is told by what stands
//! behind it ([`ItemFact::behind`]): where none of those strings is in the script, the branch was dropped.
//!
//! Words are compared as they stand. A name that is put together at run time, encoded, or part of a longer string is not
//! seen, so that absence is absence among the strings of the script and nothing more. Numbers are of 32 bits: two names
//! that share one make a gate untold, never told wrongly.

use super::{Confidence, ItemFact};

/// Length of a name, in bytes.
const NAME_BYTES: std::ops::RangeInclusive<usize> = 5..=80;

/// Different names that are kept of one script; of one with more nothing is said.
const NAMES_MAX: usize = 1 << 17;

/// Strings behind a switch of the build without which it is not told: one alone may have gone for other reasons.
const BEHIND_MIN: usize = 2;

/// How the detail of a switch begins that stands in the environment.
pub(super) const OF_ENVIRONMENT: &str = "environment variable";

/// How the detail of a switch begins that the build sets.
pub(super) const OF_BUILD: &str = "compile-time";

/// The kind of the items.
pub const KIND: &str = "gate-not-in-bundle";

/// What a byte is to a name.
const OF_NAME: u8 = 1;
const JOINT: u8 = 2;
const LOWER: u8 = 4;
const UPPER: u8 = 8;
const DIGIT: u8 = 16;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        classes[at] = match byte {
            b'-' | b'_' | b'.' | b':' => OF_NAME | JOINT,
            b'a'..=b'z' => OF_NAME | LOWER,
            b'A'..=b'Z' => OF_NAME | UPPER,
            b'0'..=b'9' => OF_NAME | DIGIT,
            _ => 0,
        };
        at += 1;
    }
    classes
}

fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

/// A run of bytes as names have them, read from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// Bytes, one beyond the longest name at most.
    len: usize,
    /// Its number, where it is a name.
    number: Option<u32>,
}

/// Reads the run that a text begins with. A number is FNV-1a of 64 bits, folded: whoever makes two names share one hides
/// his own gate.
#[inline(always)]
fn run(text: &[u8]) -> Run {
    let (mut before, mut has_break) = (0, false);
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut len = 0;
    for &byte in text.iter().take(NAME_BYTES.end() + 1) {
        let now = class(byte);
        if now == 0 {
            break;
        }
        has_break |=
            (before & JOINT != 0 && now & JOINT == 0) || (before & LOWER != 0 && now & UPPER != 0);
        before = now;
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        len += 1;
    }
    let is_name =
        has_break && NAME_BYTES.contains(&len) && text.first().is_some_and(u8::is_ascii_alphabetic);
    Run {
        len,
        number: is_name.then_some((hash ^ (hash >> 32)) as u32),
    }
}

/// The number of a string that is a name of several words, as switches have: `new-nav`, `new_nav`, `newNav`.
pub(super) fn number_of(text: &[u8]) -> Option<u32> {
    let run = run(text);
    run.number.filter(|_| run.len == text.len())
}

/// Whether a string is such a name.
pub(super) fn is_name(text: &[u8]) -> bool {
    number_of(text).is_some()
}

/// The numbers of the names that stand at a quotation mark in a script, sorted, each once; none where there are more
/// than are kept.
///
/// Only the runs before and behind each mark are looked at, so that neither the way a string is quoted nor what was put
/// before it matters, and the work is linear in the bytes.
pub(crate) fn names_in(script: &[u8]) -> Vec<u32> {
    let window = NAME_BYTES.end() + 1;
    let mut numbers = Vec::new();
    let mut told = 0;
    for at in memchr::memchr3_iter(b'"', b'\'', b'`', script) {
        let (before, behind) = script.split_at(at);
        // What a mark before this one began was told there.
        if told != at {
            let back = before.iter().rev().take(window);
            let back = back.take_while(|byte| class(**byte) != 0).count();
            numbers.extend(number_of(&before[at - back..]));
        }
        let run = run(behind.get(1..).unwrap_or_default());
        numbers.extend(run.number);
        told = at + 1 + run.len;
        if numbers.len() > 4 * NAMES_MAX && !settle(&mut numbers) {
            return Vec::new();
        }
    }
    if settle(&mut numbers) {
        numbers.shrink_to_fit();
        return numbers;
    }
    Vec::new()
}

/// Sorts the numbers, each once; whether they are few enough.
fn settle(numbers: &mut Vec<u32>) -> bool {
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len() <= NAMES_MAX
}

/// What of a flag a script must hold, if the gate is in it: its name, or what stands behind it. Empty where nothing
/// would say that it is not: names of one word stand everywhere, settings of the environment and of the build leave
/// no string, and what is a gate by a guess is none to speak of.
pub fn traces(flag: &ItemFact) -> Vec<u32> {
    let detail = flag.detail.as_deref().unwrap_or_default();
    if flag.kind != "flag"
        || flag.confidence == Confidence::Low
        || detail.starts_with(OF_ENVIRONMENT)
    {
        return Vec::new();
    }
    if detail.starts_with(OF_BUILD) {
        if flag.behind.len() < BEHIND_MIN {
            return Vec::new();
        }
        return flag.behind.clone();
    }
    number_of(flag.value.as_bytes()).into_iter().collect()
}

/// The item of a gate that is not in a script.
pub fn absent(flag: &ItemFact, script: &str) -> ItemFact {
    let detail = flag.detail.as_deref().unwrap_or_default();
    let (what, confidence) = if detail.starts_with(OF_BUILD) {
        let number = flag.behind.len();
        (
            format!("none of the {number} names behind it is"),
            Confidence::Medium,
        )
    } else {
        ("its name is not".to_owned(), flag.confidence)
    };
    ItemFact {
        kind: KIND.to_owned(),
        value: flag.value.clone(),
        line: flag.line,
        confidence,
        detail: Some(format!(
            "{what} among the strings of {script}, nor of other scripts with maps beside it; {detail}"
        )),
        behind: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_at_quotation_marks() {
        let script = br#"let a="new-nav",b='chat_widget',c=`go newCheckout`,d="one",e=x.notQuoted,f={"k.v2":1};"#;
        let names = names_in(script);
        for name in ["new-nav", "chat_widget", "newCheckout"] {
            assert!(
                number_of(name.as_bytes()).is_some_and(|number| names.contains(&number)),
                "{name}"
            );
        }
        for name in ["one", "x.notQuoted", "notQuoted", "k.v2"] {
            assert!(
                !number_of(name.as_bytes()).is_some_and(|number| names.contains(&number)),
                "{name}"
            );
        }
        assert!(names.is_sorted());
    }

    #[test]
    fn names_at_the_ends_of_a_text_and_longer_ones() {
        assert!(names_in(b"\"").is_empty());
        assert!(names_in(b"").is_empty());
        assert_eq!(names_in(b"a-long-name'").len(), 1);
        assert_eq!(names_in(b"'a-long-name").len(), 1);
        let long = format!("'{}-x'", "a".repeat(*NAME_BYTES.end()));
        assert!(names_in(long.as_bytes()).is_empty());
    }

    #[test]
    fn of_scripts_with_too_many_names_nothing_is_said() {
        let many = |count: usize| -> Vec<u8> {
            (0..count)
                .flat_map(|at| format!("'n-{at:06}'").into_bytes())
                .collect()
        };
        assert_eq!(names_in(&many(1_000)).len(), 1_000);
        assert!(names_in(&many(NAMES_MAX + 100)).is_empty());
    }

    #[test]
    fn only_gates_that_leave_a_trace_are_looked_for() {
        let flag = |value: &str, confidence, detail: &str, behind: &[u32]| ItemFact {
            kind: "flag".to_owned(),
            value: value.to_owned(),
            line: 1,
            confidence,
            detail: Some(detail.to_owned()),
            behind: behind.to_vec(),
        };
        let traced = [
            flag("new-nav", Confidence::High, "LaunchDarkly", &[]),
            flag("VOICE_MODE", Confidence::High, "compile-time gate", &[1, 2]),
        ];
        assert!(traced.iter().all(|flag| !traces(flag).is_empty()));
        let untraced = [
            flag("discount", Confidence::High, "Optimizely", &[]),
            flag(
                "new-nav",
                Confidence::Low,
                "home-made gate: ask, asked for 4 names here",
                &[],
            ),
            flag(
                "ENABLE_X",
                Confidence::Medium,
                "environment variable that decides something",
                &[],
            ),
            flag("__DEV__", Confidence::High, "compile-time define", &[1]),
        ];
        assert!(untraced.iter().all(|flag| traces(flag).is_empty()));
    }
}
