//! What comments say to colleagues: what is left to do, under which ticket, whose it is, what is not safe, what is not
//! meant for others.
//!
//! Marks are looked for everywhere and count in comments only, so that a program which prints `TODO` says nothing. A
//! remark is told as the line that it stands on. Tickets are capitals, a dash and a number, which standards, ciphers and
//! encodings are called too: those are on a list, as are words that people number.
//!
//! Left out: remarks in other languages than English.

use std::sync::LazyLock;

use memchr::{memchr, memchr_iter, memmem};

use super::marks::Marks;
use super::{Finds, Page, inert};
use crate::exposure::inventory::{Confidence, cut};
use crate::lex::Family;

/// Longest remark that is told, in characters.
const REMARK_CHARS: usize = 200;

/// How much of a line a remark is made of, in bytes.
const REMARK_BYTES: usize = 512;

/// Longest name of a person or an owner, in bytes.
const NAME_MAX_BYTES: usize = 60;

/// Longest part of a ticket before its dash and behind it, in bytes.
const PROJECT_MAX_BYTES: usize = 10;
const NUMBER_MAX_BYTES: usize = 6;

/// What a mark begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Something that is left to do.
    Todo,
    /// A word for tools and readers, told as it stands.
    Word,
    /// Of these, one that is told with the rules that it names.
    Suppression,
    Author,
    Owner,
    Licence,
}

const MARKS: [(&str, Mark); 27] = [
    ("TODO", Mark::Todo),
    ("FIXME", Mark::Todo),
    ("HACK", Mark::Todo),
    ("XXX", Mark::Todo),
    ("@internal", Mark::Word),
    ("@deprecated", Mark::Word),
    ("INTERNAL USE ONLY", Mark::Word),
    ("internal use only", Mark::Word),
    ("Internal use only", Mark::Word),
    ("for internal use", Mark::Word),
    ("NOSONAR", Mark::Word),
    ("nosemgrep", Mark::Suppression),
    ("# nosec", Mark::Suppression),
    ("#nosec", Mark::Suppression),
    ("noqa: S", Mark::Suppression),
    ("eslint-disable", Mark::Suppression),
    ("codeql[", Mark::Suppression),
    ("@author", Mark::Author),
    ("Author:", Mark::Author),
    ("Authors:", Mark::Author),
    ("Contributors:", Mark::Author),
    ("Maintainer:", Mark::Author),
    ("@owner", Mark::Owner),
    ("Owner:", Mark::Owner),
    ("SPDX-License-Identifier:", Mark::Licence),
    ("@license", Mark::Licence),
    ("Licensed under the", Mark::Licence),
];

/// Words of remarks about what is not safe. In small letters.
const WORRIES: [&str; 30] = [
    "vulnerab",
    "exploit",
    "insecure",
    "backdoor",
    "back door",
    "cve-",
    "xss",
    "csrf",
    "ssrf",
    "sql injection",
    "prototype pollution",
    "path traversal",
    "directory traversal",
    "privilege escalation",
    "remote code",
    "security hole",
    "security risk",
    "security issue",
    "security fix",
    "security review",
    "security concern",
    "security critical",
    "security-critical",
    "not secure",
    "hardcoded password",
    "hardcoded secret",
    "hardcoded key",
    "hardcoded token",
    "hardcoded credential",
    "bypass",
];

/// What a remark that speaks of a bypass must name too.
const GUARDS: [&str; 12] = [
    "auth",
    "check",
    "permission",
    "polic",
    "security",
    "valid",
    "verif",
    "sanit",
    "sandbox",
    "restrict",
    "csp",
    "scan",
];

/// What is numbered like a ticket and is none.
const STANDARDS: [&str; 96] = [
    "AAC", "ADR", "AES", "ANSI", "ARIA", "ARM", "ASCII", "AV", "AVX", "BASE", "BCP", "BIG", "BIP",
    "BMP", "BOM", "BUG", "CAIP", "CASE", "CBC", "CFB", "CHAPTER", "CJK", "CP", "CPU", "CRC", "CTR",
    "CVE", "CWE", "DES", "DIN", "EC", "ECDSA", "ECMA", "ED", "EIP", "ERC", "ES", "EUC", "EUI",
    "FIPS", "FP", "GB", "GCM", "GMT", "GPT", "HMAC", "HS", "HSM", "HTTP", "IBM", "IE", "IEC",
    "IEEE", "IPV", "ISO", "JEP", "JIS", "JPEG", "JSR", "KEP", "KOI", "LEVEL", "LTS", "MD", "MPEG",
    "MS", "NFC", "OAUTH", "OS", "PBKDF", "PEP", "PKCS", "PS", "RFC", "RS", "RSA", "RULE", "SCRAM",
    "SEC", "SECTION", "SHA", "SSE", "SSL", "STD", "STEP", "TEST", "TLS", "TYPE", "UCS", "UTC",
    "UTF", "UUID", "VERSION", "VP", "WCAG", "XEP",
];

static WORDS: LazyLock<Marks> = LazyLock::new(|| Marks::new(MARKS.map(|(word, _)| word)));

/// What the words have in common whatever their first letter's case: few enough to be searched for at once.
const WORRY_MARKS: [&str; 20] = [
    "ulnerab",
    "xploit",
    "nsecure",
    "ackdoor",
    "ack door",
    "CVE-",
    "XSS",
    "xss",
    "CSRF",
    "csrf",
    "SSRF",
    "ssrf",
    "injection",
    "pollution",
    "traversal",
    "escalation",
    "emote code",
    "ecurity",
    "ardcoded",
    "ypass",
];

static WORRY: LazyLock<Marks> = LazyLock::new(|| Marks::new(WORRY_MARKS));

/// Finds remarks.
pub(super) fn find(page: &Page, found: &mut Finds) {
    WORDS.each(page.bytes, |at, _, number| {
        if let Some((word, mark)) = MARKS.get(number) {
            read(page, at, word, *mark, found);
        }
    });
    find_worries(page, found);
    find_tickets(page, found);
    if page.family == Family::Generic {
        find_code_owners(page, found);
    }
}

fn read(page: &Page, at: usize, word: &str, mark: Mark, found: &mut Finds) {
    let end = at + word.len();
    let is_whole = !page.before(at).is_some_and(is_of_word)
        && !page.byte(end).is_some_and(|b| {
            is_of_word(b) && word.ends_with(char::is_alphabetic) && mark != Mark::Suppression
        });
    if !is_whole {
        return;
    }
    if mark == Mark::Licence {
        return read_licence(page, at, word, found);
    }
    let begins_line = page.family.is_mixed() && page.line_before(at).trim_ascii().is_empty();
    if !page.is_in_comment(at) && !begins_line {
        return;
    }
    match mark {
        Mark::Todo => read_todo(page, at, word, found),
        Mark::Word => found.add(
            at,
            "internal-marker",
            word.to_ascii_lowercase(),
            Confidence::High,
        ),
        Mark::Suppression => read_suppression(page, at, word, found),
        Mark::Author => read_people(page, end, found),
        Mark::Owner => {
            if let Some(name) = name_of(page.line_behind(end)) {
                found.add(at, "owner", name, Confidence::Medium);
            }
        }
        Mark::Licence => {}
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

/// `TODO(ada): …`, `FIXME @ada …`, `XXX …`.
fn read_todo(page: &Page, at: usize, word: &str, found: &mut Finds) {
    let next = page.byte(at + word.len());
    // `XXX-XXX` and `TODO-list` are names of something.
    if next.is_some_and(|b| matches!(b, b'-' | b'/' | b'.' | b'`' | b'='))
        || matches!(page.before(at), Some(b'-' | b'/' | b'.' | b'`')) && word == "XXX"
    {
        return;
    }
    let line = page.line_behind(at);
    let owner = owner_of(&line[word.len()..]);
    if let Some(owner) = &owner {
        found.add(at, "owner", owner.clone(), Confidence::Medium);
    }
    let detail = owner.map(|owner| format!("owner {owner}"));
    found.add_with(at, "todo", remark(line), Confidence::High, detail);
}

/// Who is named right behind the mark: in brackets, or with an `@`.
fn owner_of(behind: &[u8]) -> Option<String> {
    let (rest, close): (&[u8], u8) = match behind {
        [b'(', rest @ ..] => (rest, b')'),
        [b'[', rest @ ..] => (rest, b']'),
        [b' ', b'@', rest @ ..] | [b':', b' ', b'@', rest @ ..] => (rest, b' '),
        _ => return None,
    };
    let len = memchr(close, rest).or((close == b' ').then_some(rest.len()))?;
    let name = std::str::from_utf8(rest.get(..len)?).ok()?;
    let name = name
        .trim()
        .trim_start_matches('@')
        .trim_end_matches([':', ',', '.']);
    let is_name = !name.is_empty()
        && name.len() <= 40
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b'@'));
    // `TODO(someday)` and `TODO(v2)` say when, `TODO(PROJ-1)` why.
    let lower = name.to_ascii_lowercase();
    let says_when = [
        "someday", "soon", "later", "now", "perf", "next", "future", "maybe", "consider",
        "feature", "cleanup", "refactor", "security", "crbug", "bug",
    ];
    let is_other = says_when.contains(&lower.as_str())
        || lower.bytes().any(|b| b.is_ascii_digit())
            && (lower.contains('-') || lower.contains('/') || lower.starts_with('v'));
    (is_name && !is_other).then(|| name.to_owned())
}

/// A line of a comment without its marks, blanks and secrets. Little more of it is read than is told: a line may have a
/// mark every few bytes.
fn remark(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line.get(..REMARK_BYTES).unwrap_or(line));
    let text = text
        .trim_end()
        .trim_end_matches("*/")
        .trim_end_matches("-->")
        .trim_end_matches("*/}");
    cut(&inert(text.trim()), REMARK_CHARS)
}

/// The part of a line that is comment, from its mark.
fn comment_of(page: &Page, at: usize) -> String {
    let before = page.line_before(at);
    let start = [&b"//"[..], b"/*", b"<!--", b"#", b"--"]
        .iter()
        .filter_map(|mark| memmem::rfind(before, mark).map(|at| at + mark.len()))
        .max()
        .unwrap_or(0);
    let line = [&before[start..], page.line_behind(at)].concat();
    let text = remark(&line);
    text.trim_start_matches(['*', '/', '!', ' ', '\t', '#'])
        .to_owned()
}

/// What keeps a checker of security silent, with the rules that it names.
fn read_suppression(page: &Page, at: usize, word: &str, found: &mut Finds) {
    let line = page.line_behind(at);
    if word == "eslint-disable" {
        let rules = [
            "security/",
            "no-eval",
            "no-implied-eval",
            "no-new-func",
            "no-secrets",
            "no-unsanitized",
            "no-danger",
            "no-script-url",
        ];
        if !rules
            .iter()
            .any(|rule| memmem::find(line, rule.as_bytes()).is_some())
        {
            return;
        }
    }
    found.add(at, "internal-marker", remark(line), Confidence::High);
}

/// Names behind `@author` and the like, between commas and without what brackets add.
fn read_people(page: &Page, from: usize, found: &mut Finds) {
    let mut at = from;
    for part in page.line_behind(from).split(|&b| b == b',') {
        if let Some(name) = name_of(part) {
            found.add(at, "person", name, Confidence::High);
        }
        at += part.len() + 1;
    }
}

/// A name up to what brackets, links or marks follow it.
fn name_of(part: &[u8]) -> Option<String> {
    let part = part.get(..part.len().min(NAME_MAX_BYTES * 3))?;
    let text = String::from_utf8_lossy(part);
    let text = text.trim_start_matches([':', ' ', '\t', '@', '*']);
    let end = text
        .find(['<', '(', '[', '{', '"', '`', ';', '|', '=', '/', '\\'])
        .unwrap_or(text.len());
    let name = text[..end]
        .trim()
        .trim_end_matches("*/")
        .trim_end_matches(['.', '-', '*', ' ']);
    let words = name.split_whitespace().count();
    let is_name = (1..=5).contains(&words)
        && name.len() <= NAME_MAX_BYTES
        && name.chars().filter(|c| c.is_alphabetic()).count() >= 3
        && !name.contains(['@', ':', '$', '?', '!', '\u{fffd}'])
        && name.chars().next().is_some_and(char::is_alphabetic);
    is_name.then(|| name.to_owned())
}

/// `SPDX-License-Identifier: MIT`, `@license MIT`, `Licensed under the MIT License`.
fn read_licence(page: &Page, at: usize, word: &str, found: &mut Finds) {
    let behind = page.line_behind(at + word.len());
    let text = String::from_utf8_lossy(&behind[..behind.len().min(160)]);
    let end = ["*/", "-->", "\"", "'", "`", "http", "(the", "\\n", "{", "$"]
        .iter()
        .filter_map(|stop| text.find(stop))
        .min()
        .unwrap_or(text.len());
    let mut name = text[..end].trim();
    let is_tag = word.starts_with("SPDX");
    if !is_tag {
        let clause = name.find([',', ';', '(']).or_else(|| name.find(". "));
        name = name[..clause.unwrap_or(name.len())].trim_end_matches(['.', ' ', ':']);
    }
    let has_letter = name.chars().any(char::is_alphabetic);
    if name.is_empty() || name.len() > 80 || !has_letter {
        return;
    }
    let confidence = if is_tag {
        Confidence::High
    } else {
        Confidence::Medium
    };
    found.add(at, "licence", name, confidence);
}

/// Finds remarks about what is not safe.
fn find_worries(page: &Page, found: &mut Finds) {
    let mut line_end = 0;
    WORRY.each(page.bytes, |at, _, _| {
        if at < line_end || !page.is_in_comment(at) {
            return;
        }
        line_end = at + page.line_behind(at).len();
        let text = comment_of(page, at);
        if worries(&text) {
            found.add(at, "security-comment", text, Confidence::Medium);
        }
    });
}

/// Whether a remark speaks of what is not safe.
pub(in crate::exposure::inventory) fn worries(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    WORRIES.iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let is_inside = |byte: Option<&u8>| byte.is_some_and(|b| is_of_word(*b));
            let bytes = lower.as_bytes();
            // Short words are parts of others.
            let is_whole = word.len() > 4
                || !is_inside(at.checked_sub(1).and_then(|before| bytes.get(before)))
                    && (word.ends_with('-') || !is_inside(bytes.get(at + word.len())));
            is_whole && (*word != "bypass" || GUARDS.iter().any(|guard| lower.contains(guard)))
        })
    })
}

/// Finds tickets in comments, and behind the folder in which trackers show them.
fn find_tickets(page: &Page, found: &mut Finds) {
    for at in memchr_iter(b'-', page.bytes) {
        let starts_number = page.byte(at + 1).is_some_and(|b| matches!(b, b'1'..=b'9'));
        if !starts_number
            || !page
                .before(at)
                .is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        {
            continue;
        }
        let Some((start, ticket)) = ticket_at(page, at) else {
            continue;
        };
        let is_linked = page.line_before(start).ends_with(b"/browse/");
        if is_linked || page.is_in_comment(start) {
            let confidence = if is_linked {
                Confidence::High
            } else {
                Confidence::Medium
            };
            found.add(start, "ticket", ticket, confidence);
        }
    }
}

fn ticket_at(page: &Page, dash: usize) -> Option<(usize, String)> {
    let head = &page.bytes[dash.saturating_sub(PROJECT_MAX_BYTES + 1)..dash];
    let len = head
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        .count();
    let project = std::str::from_utf8(&head[head.len() - len..]).ok()?;
    let rest = page.line_behind(dash + 1);
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let number = std::str::from_utf8(&rest[..digits]).ok()?;
    let start = dash - len;
    let is_project = (2..=PROJECT_MAX_BYTES).contains(&len)
        && project.starts_with(|c: char| c.is_ascii_uppercase())
        && project.bytes().filter(u8::is_ascii_uppercase).count() >= 2
        && !STANDARDS.contains(&project.trim_end_matches(|c: char| c.is_ascii_digit()));
    let opens = !page.before(start).is_some_and(|b| {
        is_of_word(b) || matches!(b, b'-' | b'.' | b'%' | b'&' | b'\\') || b >= 0x80
    });
    let closes = rest
        .get(digits)
        .is_none_or(|b| !is_of_word(*b) && !matches!(b, b'-' | b'%'))
        && !matches!(rest.get(digits..digits + 2), Some([b'.', b'0'..=b'9']));
    (is_project && opens && closes && digits <= NUMBER_MAX_BYTES)
        .then(|| (start, format!("{project}-{number}")))
}

/// Finds teams and users behind the patterns of a file of code owners.
fn find_code_owners(page: &Page, found: &mut Finds) {
    let mut at = 0;
    for line in page.bytes.split_inclusive(|&b| b == b'\n') {
        let start = at;
        at += line.len();
        if !matches!(line.first(), Some(b'*' | b'/' | b'.')) || line.len() > 300 {
            continue;
        }
        let mut words = line
            .split(|b| b.is_ascii_whitespace())
            .filter(|word| !word.is_empty());
        let is_pattern = words.next().is_some_and(|first| {
            matches!(first, b"*") || memchr(b'/', first).is_some() || first.starts_with(b"*.")
        });
        let owners: Vec<&[u8]> = words.collect();
        let is_owner = |word: &&[u8]| {
            word.len() > 2
                && word.starts_with(b"@")
                && word[1..]
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.'))
        };
        if !is_pattern || owners.is_empty() || !owners.iter().all(is_owner) {
            continue;
        }
        for owner in owners {
            found.add(
                start,
                "owner",
                String::from_utf8_lossy(&owner[1..]),
                Confidence::High,
            );
        }
    }
}
