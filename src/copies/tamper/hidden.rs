//! What a reader of the code does not see: characters that take no room or turn text round, letters of another script
//! that look like our own, code far to the right, long encoded lines, and names that say nothing.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::text::{Role, Take, Text, Thing, stripped};
use super::{pattern, rules};

/// Blanks within a line that push what follows out of sight.
const BLANKS: usize = 120;

/// A shorter encoded run is a digest, a key or a small picture.
const ENCODED: usize = 512;

/// Characters of such a run that are shown.
const SHOWN: usize = 24;

/// Bits a character that Base64 and hex of anything but padding have at least.
const BASE64_BITS: f64 = 4.5;
const HEX_BITS: f64 = 3.0;

/// Different names of the kind that obfuscators make that one text has at least.
const MADE_NAMES: usize = 8;

/// Characters in a row that carry data without being seen.
const CARRIERS: usize = 8;

/// Turns the direction of the text behind it, beyond its own line (UAX #9: embeddings, overrides and isolates).
fn turns(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Carries a byte each and is shown by nothing: tags and variation selectors.
fn carries(character: char) -> bool {
    matches!(character, '\u{E0000}'..='\u{E007F}' | '\u{E0100}'..='\u{E01EF}' | '\u{FE00}'..='\u{FE0F}')
}

/// Whether a character is shown as nothing.
pub(super) fn takes_no_room(character: char) -> bool {
    matches!(character, '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{00AD}' | '\u{3164}' | '\u{180E}')
        || carries(character)
}

/// Letters of Cyrillic and Greek that are drawn as Latin ones are.
fn looks_latin(character: char) -> bool {
    "асеорхуіјѕһԁԛԝАВЕКМНОРСТХІЈЅУΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ".contains(character)
}

/// Characters that are not seen, turn text round, or pass for others.
pub(super) fn characters(text: &Text, take: Take<'_>) {
    if text.bytes.is_ascii() {
        return;
    }
    let mut at = 0;
    for chunk in text.bytes.utf8_chunks() {
        words(text, chunk.valid(), at, take);
        at += chunk.valid().len();
        at += chunk.invalid().len();
    }
}

fn words(text: &Text, valid: &str, offset: usize, take: Take<'_>) {
    let mut carriers = 0;
    let mut told_line = usize::MAX;
    for (at, character) in valid.char_indices().filter(|(_, c)| !c.is_ascii()) {
        let at = offset + at;
        let span = at..at + character.len_utf8();
        carriers = if carries(character) { carriers + 1 } else { 0 };
        let line = text.line(at).start;
        if turns(character) && told_line != line {
            told_line = line;
            let key = neighbours(text, &span);
            let when = if text.role == Role::Code {
                ""
            } else {
                "no-code"
            };
            take(Thing::new("bidi-control", span, &key).when(when));
        } else if carriers == CARRIERS
            || matches!(character, '\u{E0020}'..='\u{E007E}') && carriers == 3
        {
            let key = neighbours(text, &span);
            take(Thing::new("hidden-character", span, &key).when("carries-data"));
        } else if takes_no_room(character)
            && !carries(character)
            && at > 0
            && is_in_word(text, at, character)
        {
            let key = neighbours(text, &span);
            let when = if text.role == Role::Code {
                ""
            } else {
                "no-code"
            };
            take(Thing::new("hidden-character", span, &key).when(when));
        } else if looks_latin(character) && text.role == Role::Code {
            mixed_name(text, at, take);
        }
    }
}

/// What stands on both sides in its line, without blanks: so that another layout makes no other key.
fn neighbours(text: &Text, span: &std::ops::Range<usize>) -> Vec<u8> {
    /// Bytes that are looked at, and how many of them count.
    const REACH: usize = 80;
    const COUNT: usize = 16;
    let line = text.line(span.start);
    let before = stripped(text.get(line.start.max(span.start.saturating_sub(REACH))..span.start));
    let after = stripped(text.get(span.start..(span.end + REACH).min(line.end).max(span.end)));
    let before = before.get(before.len().saturating_sub(COUNT)..);
    let after = after.get(..COUNT.min(after.len()));
    [before, after].map(Option::unwrap_or_default).concat()
}

/// Whether a letter or digit of ASCII stands on both sides.
fn is_in_word(text: &Text, at: usize, character: char) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let before = at.checked_sub(1).and_then(|at| text.bytes.get(at));
    is_word(before) && is_word(text.bytes.get(at + character.len_utf8()))
}

/// A name that has letters of both: told where its first such letter stands.
fn mixed_name(text: &Text, at: usize, take: Take<'_>) {
    /// Bytes that are looked at to each side.
    const REACH: usize = 64;
    let from = at.saturating_sub(REACH);
    let round = text.get(from..(at + REACH).min(text.bytes.len()));
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let (before, after) = round.split_at((at - from).min(round.len()));
    let begin = before
        .iter()
        .rposition(|&byte| !is_part(byte))
        .map_or(0, |at| at + 1);
    let end = after
        .iter()
        .position(|&byte| !is_part(byte))
        .unwrap_or(after.len());
    let name = [before.get(begin..), after.get(..end)]
        .map(Option::unwrap_or_default)
        .concat();
    let name = String::from_utf8_lossy(&name);
    let has_latin = name.chars().any(|c| c.is_ascii_alphabetic());
    let all_pass = name.chars().all(|c| c.is_ascii() || looks_latin(c));
    let is_first = before.get(begin..).is_some_and(<[u8]>::is_ascii);
    if has_latin && all_pass && is_first {
        let said = format!(
            "{} has letters of another script",
            super::shown::safe(name.as_bytes())
        );
        take(Thing::new("mixed-script-name", at..at + 1, name.as_bytes()).said(said));
    }
}

/// Code behind so many blanks that no window shows it.
pub(super) fn off_screen(text: &Text, take: Take<'_>) {
    static PUSHED: LazyLock<Regex> = pattern!(r"[ \t]{120,}[^ \t\r\n]");
    for found in PUSHED.find_iter(text.bytes) {
        let line = text.line(found.start());
        let behind = text.get(found.end() - 1..line.end);
        let is_code = behind
            .iter()
            .filter(|byte| byte.is_ascii_alphabetic())
            .count()
            >= 3;
        let has_call = behind.iter().any(|byte| b"(=;{|`".contains(byte));
        // A table is drawn with many blanks, too; what ends in a comment or `\` is a line that somebody aligned.
        let when = match text.role {
            Role::Code if has_call => "",
            Role::Code => "no-call",
            _ => "no-code",
        };
        let is_long = found.len() > BLANKS;
        if is_code && is_long && !behind.starts_with(b"//") && !behind.starts_with(b"#") {
            let key = stripped(behind);
            take(
                Thing::new("off-screen-code", found.end() - 1..line.end, &key)
                    .when(when)
                    .said(format!(
                        "behind {} blanks: {}",
                        found.len() - 1,
                        super::shown::part(text, &(found.end() - 1..line.end))
                    )),
            );
        }
    }
}

/// Long runs of Base64 or hex.
pub(super) fn encoded(text: &Text, take: Take<'_>) {
    let is_digit =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    let mut at = 0;
    while let Some(rest) = text.bytes.get(at..).filter(|rest| rest.len() >= ENCODED) {
        // A run that is long enough covers the last byte of the next stretch of that length.
        let Some(other) = rest
            .get(..ENCODED)
            .and_then(|run| run.iter().rposition(|&b| !is_digit(b)))
        else {
            let len = rest
                .iter()
                .position(|&b| !is_digit(b))
                .unwrap_or(rest.len());
            run(text, at, len, take);
            at += len;
            continue;
        };
        at += other + 1;
    }
}

fn run(text: &Text, at: usize, len: usize, take: Take<'_>) {
    let run = text.get(at..at + len);
    let is_hex = run.iter().all(u8::is_ascii_hexdigit);
    let least = if is_hex { HEX_BITS } else { BASE64_BITS };
    if bits(run) < least || !is_hex && !has_all_sorts(run) {
        return;
    }
    let before = text.get(at.saturating_sub(64)..at);
    let has = |words: &[String]| {
        words
            .iter()
            .any(|word| memchr::memmem::find(before, word.as_bytes()).is_some())
    };
    let when = if has(rules::parameter("encoded-line", "media")) {
        "media"
    } else if super::text::is_below(&text.path, "test_folders") {
        "in-tests"
    } else if text.role != Role::Code {
        "no-code"
    } else if text.is_packed {
        "packed"
    } else {
        ""
    };
    let form = if is_hex { "hex" } else { "Base64" };
    let begin = super::shown::safe(run.get(..SHOWN).unwrap_or(run));
    let said = format!("{len} characters of {form}: {begin}…");
    take(
        Thing::new("encoded-line", at..at + len, run)
            .when(when)
            .said(said),
    );
}

/// Capitals, small letters and digits: what text of one sort lacks.
fn has_all_sorts(run: &[u8]) -> bool {
    let sorts = [
        u8::is_ascii_uppercase,
        u8::is_ascii_lowercase,
        u8::is_ascii_digit,
    ];
    sorts
        .iter()
        .all(|sort| run.iter().filter(|byte| sort(byte)).count() * 50 >= run.len())
}

/// Shannon entropy, bits a byte.
fn bits(run: &[u8]) -> f64 {
    let mut counts = [0_u64; 256];
    for &byte in run {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let all = run.len() as f64;
    let share = |&count: &u64| count as f64 / all;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(share)
        .map(|p| -p * p.log2())
        .sum()
}

/// Names that obfuscators make, and their wrappers.
pub(super) fn obfuscated(text: &Text, take: Take<'_>) {
    static MADE: LazyLock<Regex> = pattern!(r"\b_0x[0-9a-f]{4,8}\b");
    static PACKED: LazyLock<Regex> = pattern!(r"eval\(function\(p,a,c,k,e,[dr]\)");
    static SYMBOLS: LazyLock<Regex> = pattern!(r"[\[\]()!+]{400}");
    let mut names = BTreeSet::new();
    for found in MADE.find_iter(text.bytes) {
        names.insert(found.as_bytes());
        if names.len() == MADE_NAMES {
            let key = names
                .iter()
                .flat_map(|name| name.iter().copied())
                .collect::<Vec<u8>>();
            take(Thing::new("obfuscated-code", found.range(), &key).sort(b"names"));
            break;
        }
    }
    for found in PACKED.find_iter(text.bytes).take(1) {
        let key = stripped(text.round(&found.range(), 512));
        take(Thing::new("obfuscated-code", found.range(), &key).sort(b"packed"));
    }
    for found in SYMBOLS.find_iter(text.bytes).take(1) {
        take(Thing::new("obfuscated-code", found.range(), found.as_bytes()).sort(b"symbols"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules_in(path: &str, text: &str) -> Vec<(&'static str, &'static str)> {
        let text = Text::of(path.as_bytes(), text.as_bytes()).unwrap();
        let mut found = Vec::new();
        for reader in [characters, off_screen, encoded, obfuscated] {
            reader(&text, &mut |thing| found.push((thing.rule, thing.when)));
        }
        found
    }

    #[test]
    fn letters_that_pass_for_others_are_told_and_words_of_a_language_are_not() {
        assert_eq!(
            rules_in("a.js", "const p\u{0430}ss = 1"),
            [("mixed-script-name", "")]
        );
        assert!(
            rules_in(
                "a.js",
                "// \u{043F}\u{0440}\u{0438}\u{0432}\u{0435}\u{0442} мир, Δt µs"
            )
            .is_empty()
        );
        assert!(rules_in("a.md", "p\u{0430}ss").is_empty());
    }

    #[test]
    fn joiners_between_letters_of_other_scripts_are_ordinary() {
        assert!(rules_in("a.js", "x = '👩\u{200d}💻'; \u{feff}").is_empty());
        assert_eq!(
            rules_in("a.js", "ad\u{200b}min"),
            [("hidden-character", "")]
        );
    }

    #[test]
    fn runs_need_length_and_variety() {
        let run = |text: String| rules_in("a.js", &text);
        assert!(run("a".repeat(5000)).is_empty());
        assert!(run("0123456789abcdef".repeat(31)).is_empty());
        assert_eq!(run("0123456789abcdef".repeat(32)), [("encoded-line", "")]);
        assert_eq!(
            run(format!("x='{}'", "9f3b70c2d18e4a56".repeat(40))),
            [("encoded-line", "")]
        );
    }
}
