//! What must not be published: notices are, and the case knows what is private.
//!
//! Values of the case are looked for as words of their own, whatever their case. What stands in an address that the case has is
//! left: it has to be named. A finding shows the value cut, so that the report of the linter may be passed on.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;

use super::Findings;
use super::draft::{DraftFile, Form};
use super::facts::{Facts, Private};
use super::links::Link;
use super::places::Listed;
use super::rules::{Part, Weight};
use crate::blob::digest::hex;
use crate::exposure::{Role, secrets};
use crate::report::text::is_invisible;

/// Shorter values stand everywhere; bytes.
const VALUE_MIN: usize = 4;

static MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}").ok()
});
static INSIDE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        // The longer one first: a search takes the first that fits.
        r"(?i)\b(?:[a-z0-9-]{1,63}\.){0,6}(?:corp|internal|intranet|intra)\.(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,}\b",
        r"|\b(?:[a-z0-9-]{1,63}\.){1,8}(?:internal|corp|lan|intranet|localdomain|home\.arpa)\b",
        r"|\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b",
    ))
    .ok()
});
static LOCAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?:\bfile://|(?:^|[\s"'(=`])(?:/home/|/Users/|/root/|/var/folders/|/mnt/)|\b[A-Za-z]:\\Users\\)[^\s"'`)>]{1,400}"#).ok()
});
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let text = include_str!("../../../signatures/common-words.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_ascii_whitespace).collect()
});

/// The mail addresses of a text, with where they begin.
pub(super) fn mails(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let found = MAIL.iter().flat_map(move |search| search.find_iter(text));
    // The user of the scp form is no person.
    let found = found.filter(|found| !found.as_str().starts_with("git@"));
    found.map(|found| (found.start(), found.as_str()))
}

/// A value of which so much is shown that who knows it recognises it.
fn cut(value: &str) -> String {
    let count = value.chars().count();
    let ends = (count / 4).min(3);
    let front: String = value.chars().take(ends).collect();
    let back: String = value.chars().skip(count - ends).collect();
    format!("{front}…{back} ({count} characters)")
}

/// Looks for what must not be published.
pub(super) fn look(
    files: &[(&DraftFile, Vec<Link>)],
    listed: &Listed,
    facts: &Facts,
    findings: &mut Findings,
) {
    let search = Search::new(facts, listed);
    let contact = contact_of(files);
    for (file, links) in files {
        let told = search.look(file, links, &contact, facts, findings);
        look_at_secrets(file, facts, findings);
        look_at_mails(file, &contact, &told, findings);
        look_at_inside(file, links, &told, facts, findings);
        look_at_local_paths(file, &told, findings);
        look_at_hidden(file, findings);
    }
}

/// Values of the case, ready to be looked for.
struct Search<'f> {
    values: Vec<(&'f str, Private)>,
    automaton: Option<AhoCorasick>,
}

impl<'f> Search<'f> {
    fn new(facts: &'f Facts, listed: &Listed) -> Self {
        let mut values: Vec<(&str, Private)> = (facts.private.iter())
            .map(|(value, kind)| (value.as_str(), *kind))
            .collect();
        let roots = listed.roots(facts);
        // Paths of files that a listed place has are there to be seen.
        let hidden = facts.work_paths.iter().filter(|(path, held)| {
            path.contains('/') && !held.iter().any(|root| roots.contains(root.as_str()))
        });
        values.extend(hidden.map(|(path, _)| (path.as_str(), Private::WorkPath)));
        values.retain(|(value, kind)| {
            value.len() >= VALUE_MIN && !(*kind == Private::Flag && is_common(value))
        });
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(values.iter().map(|(value, _)| value));
        Self {
            automaton: automaton.ok(),
            values,
        }
    }

    /// Tells of values in a file; gives where they stand.
    fn look(
        &self,
        file: &DraftFile,
        links: &[Link],
        contact: &BTreeSet<String>,
        facts: &Facts,
        findings: &mut Findings,
    ) -> Vec<(usize, usize)> {
        let mut told = Vec::new();
        let Some(automaton) = self.automaton.as_ref().filter(|_| !self.values.is_empty()) else {
            return told;
        };
        for found in automaton.find_iter(&file.text) {
            let Some((value, kind)) = self.values.get(found.pattern().as_usize()) else {
                continue;
            };
            let (start, end) = (found.start(), found.end());
            if !stands_alone(&file.text, start, end, *kind)
                || is_of_known_link(links, start, facts)
                || *kind == Private::Person && is_of_sender(file, start, end, contact)
            {
                continue;
            }
            told.push((start, end));
            let (id, weight) = rule_of(value, *kind);
            let (line, column) = file.place(start);
            findings.tell_as(
                id,
                weight,
                &file.name,
                (line, column),
                &cut(value),
                detail_of(*kind),
            );
        }
        told
    }
}

/// The rule for a value, and its weight where that is not the rule's.
fn rule_of(value: &str, kind: Private) -> (&'static str, Option<Weight>) {
    match kind {
        Private::CodeName if is_common(value) => ("published-code-name", Some(Weight::Note)),
        Private::CodeName => ("published-code-name", None),
        Private::MaybeCodeName => ("published-code-name", Some(Weight::Note)),
        Private::Scope => ("published-code-name", Some(Weight::Warning)),
        Private::Flag => ("published-flag", None),
        Private::Host => ("published-host", None),
        Private::Bucket => ("published-host", Some(Weight::Warning)),
        Private::Person => ("published-person", None),
        Private::Ticket => ("published-ticket", None),
        Private::LocalPath => ("published-local-path", None),
        Private::WorkPath => ("published-work-path", None),
    }
}

fn detail_of(kind: Private) -> Option<String> {
    let text = match kind {
        Private::MaybeCodeName => {
            "a word that many names of the vendor's share, which may be a code name"
        }
        Private::Scope => "an internal package name or scope",
        Private::Bucket => "a storage bucket",
        _ => return None,
    };
    Some(text.to_owned())
}

fn is_common(value: &str) -> bool {
    COMMON.contains(value.to_ascii_lowercase().as_str())
}

/// Whether a value is a word of its own. A path that goes on is another path.
fn stands_alone(text: &str, start: usize, end: usize, kind: Private) -> bool {
    let before = text.get(..start).and_then(|text| text.chars().next_back());
    let behind = text.get(end..).and_then(|text| text.chars().next());
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let is_path = matches!(kind, Private::WorkPath | Private::LocalPath);
    let leads = is_path && matches!(before, Some('/' | '.' | '-' | '@'));
    let follows = kind == Private::WorkPath && matches!(behind, Some('/' | '-'));
    !goes_on(before) && !goes_on(behind) && !leads && !follows
}

/// Whether a place stands in an address that the case has.
fn is_of_known_link(links: &[Link], at: usize, facts: &Facts) -> bool {
    let after = links.partition_point(|link| link.end <= at);
    let link = links.get(after).filter(|link| link.at <= at);
    link.is_some_and(|link| facts.place_of(&link.location).is_some())
}

/// Whether a name or address is that of who sends the notice.
fn is_of_sender(file: &DraftFile, start: usize, end: usize, contact: &BTreeSet<String>) -> bool {
    let mut mails = mails(file.around(start, 100)).map(|(_, mail)| mail.to_ascii_lowercase());
    let value = file
        .text
        .get(start..end)
        .unwrap_or_default()
        .to_ascii_lowercase();
    matches!(file.part(start), Part::Contact | Part::Statement)
        || mails.any(|mail| contact.contains(&mail) && mail.contains(&value))
}

/// The contact's addresses: those in the answers about contact, else the first of the draft.
fn contact_of(files: &[(&DraftFile, Vec<Link>)]) -> BTreeSet<String> {
    let texts = || {
        files
            .iter()
            .map(|(file, _)| *file)
            .filter(|file| file.form == Form::Text)
    };
    let parts = [Part::Contact, Part::Statement];
    let answers = texts().flat_map(|file| parts.into_iter().flat_map(|part| file.answers(part)));
    let found: BTreeSet<String> = answers
        .flat_map(|(_, text)| {
            mails(text)
                .map(|(_, mail)| mail.to_ascii_lowercase())
                .collect::<Vec<_>>()
        })
        .collect();
    if !found.is_empty() {
        return found;
    }
    let first = texts().find_map(|file| {
        mails(&file.text)
            .next()
            .map(|(_, mail)| mail.to_ascii_lowercase())
    });
    first.into_iter().collect()
}

fn look_at_secrets(file: &DraftFile, facts: &Facts, findings: &mut Findings) {
    for found in secrets::find(file.text.as_bytes(), Role::Own) {
        let value = facts
            .key
            .as_ref()
            .map(|key| hex(&key.fingerprint(found.value.bytes())));
        let known = value.and_then(|value| facts.fingerprints.get(&value));
        let detail = match known {
            Some(place) => format!("{}; the case has the same one: {place}", found.fact.rule),
            None => found.fact.rule.clone(),
        };
        let place = (found.fact.line, found.fact.column);
        findings.tell_as(
            "published-secret",
            None,
            &file.name,
            place,
            &found.fact.redacted,
            Some(detail),
        );
    }
}

/// Whether one of some stretches, in order, has the byte.
fn is_within(told: &[(usize, usize)], at: usize) -> bool {
    let after = told.partition_point(|(_, end)| *end <= at);
    told.get(after).is_some_and(|(start, _)| *start <= at)
}

fn look_at_mails(
    file: &DraftFile,
    contact: &BTreeSet<String>,
    told: &[(usize, usize)],
    findings: &mut Findings,
) {
    for (at, mail) in mails(&file.text) {
        let is_told = is_within(told, at) || is_within(told, at + mail.len() - 1);
        if !is_told && !contact.contains(&mail.to_ascii_lowercase()) {
            findings.tell("published-mail", file, at, &cut(mail), None);
        }
    }
}

fn look_at_inside(
    file: &DraftFile,
    links: &[Link],
    told: &[(usize, usize)],
    facts: &Facts,
    findings: &mut Findings,
) {
    for found in INSIDE
        .iter()
        .flat_map(|search| search.find_iter(&file.text))
    {
        if !is_within(told, found.start()) && !is_of_known_link(links, found.start(), facts) {
            findings.tell(
                "published-host",
                file,
                found.start(),
                &cut(found.as_str()),
                None,
            );
        }
    }
}

fn look_at_local_paths(file: &DraftFile, told: &[(usize, usize)], findings: &mut Findings) {
    for found in LOCAL.iter().flat_map(|search| search.find_iter(&file.text)) {
        let path = found
            .as_str()
            .trim_start_matches(|c: char| c.is_whitespace() || "\"'(=`".contains(c));
        let at = found.end() - path.len();
        if !is_within(told, at) {
            findings.tell("published-local-path", file, at, &cut(path), None);
        }
    }
}

fn look_at_hidden(file: &DraftFile, findings: &mut Findings) {
    if file
        .text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
    {
        return;
    }
    for (at, c) in file.text.char_indices() {
        let is_usual = matches!(c, '\n' | '\r' | '\t') || at == 0 && c == '\u{feff}';
        if !is_usual && is_invisible(c) {
            findings.tell("hidden-characters", file, at, &c.to_string(), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_patterns_are_built() {
        for built in [&MAIL, &INSIDE, &LOCAL] {
            assert!(built.is_some());
        }
    }

    #[test]
    fn inner_hosts_are_taken_whole() {
        let found = |text: &'static str| -> Vec<&str> {
            let search = INSIDE.iter().flat_map(|search| search.find_iter(text));
            search.map(|found| found.as_str()).collect()
        };
        assert_eq!(found("see ci.corp.acme.example."), ["ci.corp.acme.example"]);
        assert_eq!(found("a.internal, 10.0.0.1"), ["a.internal", "10.0.0.1"]);
        assert!(found("www.acme.example 11.0.0.1 corp. internal").is_empty());
    }

    #[test]
    fn a_value_is_shown_cut() {
        assert_eq!(cut("heron"), "h…n (5 characters)");
        assert_eq!(cut("abc"), "… (3 characters)");
        assert_eq!(cut("ci.acme.internal"), "ci.…nal (16 characters)");
    }

    #[test]
    fn words_and_paths_stand_alone() {
        let alone = |text: &str, value: &str, kind| {
            let at = text.find(value).unwrap();
            stands_alone(text, at, at + value.len(), kind)
        };
        assert!(alone("(heron)", "heron", Private::CodeName));
        assert!(alone("heron-mode", "heron", Private::CodeName));
        assert!(!alone("herons", "heron", Private::CodeName));
        assert!(alone("see src/a.ts.", "src/a.ts", Private::WorkPath));
        assert!(!alone("lib/src/a.ts", "src/a.ts", Private::WorkPath));
        assert!(!alone("src/a.tsx", "src/a.ts", Private::WorkPath));
    }
}
