//! What a draft says: how much is claimed, what is sworn, and what a notice has to have.

use std::sync::LazyLock;

use regex::Regex;

use super::draft::{DraftFile, Form};
use super::facts::Facts;
use super::hosts::SORT_DEFAULT;
use super::links::Link;
use super::places::{Listed, says_entire};
use super::rules::{Part, Rules};
use super::{Asked, Findings};
use crate::copies::scope::per_cent;

/// Of a place whose files do not match to this share, the whole cannot be claimed.
const ENTIRE_MIN: f64 = 0.98;
/// Bytes round a figure in which its method may stand.
const METHOD_REACH: usize = 400;
/// Bytes behind a phrase in which it may be denied.
const DENIED_REACH: usize = 24;
/// Phrases of one list that are looked at closely in one file; a draft with more is no letter.
const LOOKED_MAX: usize = 100_000;

type Files<'f> = [(&'f DraftFile, Vec<Link>)];

/// A pattern of our own; none where it could not be built, which a test rules out.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static SHARE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"\b\d{1,3}(?:[.,]\d+)?\s?(?:%|per\s?cent\b)"));
static TICKED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(r"(?m)^[ \t]*(?:[-*][ \t]*)?(?:\[[ \t]*[xX✓✔][ \t]*\]|[☑☒✓✔✅])[^\n]*")
});
static SIGNATURE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?im)^[ \t*_>#-]*(?:electronic |digital |physical )?signature[ \t*_]*(?:\([^)\n]{0,60}\))?[ \t*_]*:[ \t]*(?P<by>[^\n\r]*)",
    )
});
static PLACEHOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\{\{[^}\n]{0,80}\}\}|\{%[^%\n]{0,80}%\}|\b(?:TODO|TBD|FIXME|XXX)\b|<(?i:your|insert|name of)\b[^>\n]{0,60}>",
    )
});

/// Looks at everything that is said.
pub(super) fn look(
    files: &Files,
    listed: &Listed,
    facts: &Facts,
    asked: &Asked,
    findings: &mut Findings,
) {
    look_at_entire(files, listed, facts, findings);
    tell_of_bounds(files, findings);
    for (file, links) in files.iter().filter(|(file, _)| file.form == Form::Text) {
        look_at_forks(file, listed, facts, findings);
        look_at_channels(file, findings);
        look_at_shares(file, findings);
        look_at_oaths(file, findings);
        look_at_placeholders(file, links, findings);
        look_at_contact(file, facts, findings);
        look_at_licences(file, facts, findings);
        look_at_circumvention(file, findings);
    }
    look_at_description(files, findings);
    look_at_elements(files, listed, asked, findings);
}

/// Says where a file has more of something than is looked at.
fn tell_of_bounds(files: &Files, findings: &mut Findings) {
    let rules = Rules::builtin();
    let words = &rules.words;
    let lists = [&words.forks_all, &words.forks_sample].into_iter();
    let lists = lists
        .chain(rules.channels.iter().map(|(_, search)| search))
        .chain(SHARE.iter());
    for search in lists {
        for (file, _) in files
            .iter()
            .filter(|(file, _)| file.text.len() > LOOKED_MAX)
        {
            if search.find_iter(&file.text).nth(LOOKED_MAX).is_some() {
                let said = format!(
                    "{}: only the first {LOOKED_MAX} phrases of one kind were looked at",
                    file.name
                );
                findings
                    .report
                    .bounded
                    .insert(crate::report::text::shown(&said));
            }
        }
    }
}

/// Whether a phrase is stated: neither asked nor denied.
pub(super) fn is_stated(file: &DraftFile, start: usize, end: usize) -> bool {
    let sentence = file.sentence(start);
    if sentence.trim_end().ends_with('?') || file.is_before_open_box(start) {
        return false;
    }
    let negations = &Rules::builtin().words.negations;
    let from = (sentence.as_ptr() as usize).saturating_sub(file.text.as_ptr() as usize);
    let before = file.text.get(from..start).unwrap_or_default();
    let rest = sentence.get(end.saturating_sub(from)..).unwrap_or_default();
    let mut reach = DENIED_REACH.min(rest.len());
    while !rest.is_char_boundary(reach) {
        reach -= 1;
    }
    !negations.is_match(before) && !negations.is_match(rest.get(..reach).unwrap_or_default())
}

fn look_at_entire(files: &Files, listed: &Listed, facts: &Facts, findings: &mut Findings) {
    if !says_entire(files) {
        let first = listed.first_repository.filter(|_| !listed.has_files);
        if let Some((index, at)) = first
            && let Some((file, _)) = files.get(index)
        {
            findings.tell(
                "entire-unsaid",
                file,
                at,
                "the first repository that is listed",
                None,
            );
        }
        return;
    }
    for (key, (index, at)) in &listed.whole {
        let (Some(place), Some((file, _))) = (facts.places.get(key), files.get(*index)) else {
            continue;
        };
        let copies = facts.roots_of(place).filter_map(|root| root.copy.as_ref());
        let Some(copy) = copies.max_by(|a, b| a.share.total_cmp(&b.share)) else {
            continue;
        };
        let Some(unmatched) = copy.unmatched else {
            continue;
        };
        let all = copy.matched + unmatched;
        if (copy.matched as f64) < ENTIRE_MIN * all as f64 {
            let bytes = copy
                .unmatched_bytes
                .map_or(String::new(), |bytes| format!(" ({bytes} bytes)"));
            let detail = format!(
                "{} of {} files of the work match there ({} of its bytes), and {unmatched} files of the place{bytes} match nothing",
                copy.matched,
                copy.total,
                per_cent(copy.share)
            );
            findings.tell("entire-repository", file, *at, &place.shown, Some(detail));
        }
    }
}

fn look_at_forks(file: &DraftFile, listed: &Listed, facts: &Facts, findings: &mut Findings) {
    let words = &Rules::builtin().words;
    let kinds = [
        (&words.forks_all, facts.scope.supports_all),
        (
            &words.forks_sample,
            facts.scope.supports_all || facts.scope.supports_sample,
        ),
    ];
    for (search, is_supported) in kinds {
        for found in search.find_iter(&file.text).take(LOOKED_MAX) {
            if file.part(found.start()) == Part::Excluded
                || !is_stated(file, found.start(), found.end())
            {
                continue;
            }
            if listed.keys.len() < 2 {
                findings.tell(
                    "forks-without-list",
                    file,
                    found.start(),
                    found.as_str(),
                    None,
                );
            } else if !is_supported {
                let detail = format!("{} {}", facts.scope.sentence, facts.scope.verdict);
                findings.tell(
                    "forks-not-supported",
                    file,
                    found.start(),
                    found.as_str(),
                    Some(detail),
                );
            }
        }
    }
}

fn look_at_channels(file: &DraftFile, findings: &mut Findings) {
    /// Words by which a sentence says that it is dealt with elsewhere.
    const ELSEWHERE: [&str; 4] = ["separate", "reported apart", "other channel", "channel for"];
    for (channel, search) in &Rules::builtin().channels {
        for found in search.find_iter(&file.text).take(LOOKED_MAX) {
            let sentence = file.sentence(found.start()).to_ascii_lowercase();
            let is_elsewhere = ELSEWHERE.iter().any(|word| sentence.contains(word));
            if !is_elsewhere
                && file.part(found.start()) != Part::Excluded
                && is_stated(file, found.start(), found.end())
            {
                findings.tell(
                    "wrong-channel",
                    file,
                    found.start(),
                    found.as_str(),
                    Some(channel.clone()),
                );
            }
        }
    }
}

fn look_at_shares(file: &DraftFile, findings: &mut Findings) {
    let words = &Rules::builtin().words;
    for found in SHARE
        .iter()
        .flat_map(|search| search.find_iter(&file.text))
        .take(LOOKED_MAX)
    {
        let is_similarity = words.similar.is_match(file.sentence(found.start()));
        if is_similarity
            && !words
                .method
                .is_match(file.around(found.start(), METHOD_REACH))
        {
            findings.tell(
                "similarity-without-method",
                file,
                found.start(),
                found.as_str(),
                None,
            );
        }
    }
}

fn look_at_oaths(file: &DraftFile, findings: &mut Findings) {
    let words = &Rules::builtin().words;
    for found in TICKED
        .iter()
        .flat_map(|search| search.find_iter(&file.text))
    {
        let is_oath = words.statements.is_match(found.as_str())
            || file.part(found.start()) == Part::Statement;
        if is_oath {
            findings.tell(
                "statement-ticked",
                file,
                found.start(),
                found.as_str().trim(),
                None,
            );
        }
    }
    let named = SIGNATURE
        .iter()
        .flat_map(|search| search.captures_iter(&file.text));
    let named = named.filter_map(|found| found.name("by"));
    let named = named.filter(|by| {
        // A line to write on, or a remark that says so.
        let text = by.as_str().trim();
        !text.starts_with(['_', '(', '[', '.', '<', '*', '-']) && !text.is_empty()
    });
    let mut places: Vec<usize> = named.map(|by| by.start()).collect();
    places.extend(
        words
            .signed
            .find_iter(&file.text)
            .map(|found| found.start()),
    );
    places.sort_unstable();
    let mut line = 0;
    for at in places {
        let (here, _) = file.place(at);
        if here != line && is_stated(file, at, at) {
            findings.tell("signature-filled", file, at, "something stands there", None);
        }
        line = here;
    }
}

fn look_at_placeholders(file: &DraftFile, links: &[Link], findings: &mut Findings) {
    let phrases = Rules::builtin().words.placeholders.find_iter(&file.text);
    let marks = PLACEHOLDER
        .iter()
        .flat_map(|search| search.find_iter(&file.text));
    for found in phrases.chain(marks) {
        let after = links.partition_point(|link| link.end <= found.start());
        let is_in_link = links
            .get(after)
            .is_some_and(|link| link.at <= found.start());
        let before = file
            .text
            .get(..found.start())
            .and_then(|text| text.chars().next_back());
        let behind = file
            .text
            .get(found.end()..)
            .and_then(|text| text.chars().next());
        // A file may be called so.
        let is_name = before == Some('/')
            || behind.is_some_and(|c| c == '/')
            || matches!(behind, Some('.') if is_word_behind(&file.text, found.end() + 1));
        if !is_in_link && !is_name {
            findings.tell("placeholder", file, found.start(), found.as_str(), None);
        }
    }
}

fn is_word_behind(text: &str, at: usize) -> bool {
    text.as_bytes()
        .get(at)
        .is_some_and(u8::is_ascii_alphanumeric)
}

/// The domain of a mail address is one of the vendor's, or below one.
fn is_of_domain(mail: &str, domains: &[String]) -> bool {
    let Some((_, host)) = mail.rsplit_once('@') else {
        return false;
    };
    let host = host.to_ascii_lowercase();
    domains.iter().any(|own| {
        let before = host.strip_suffix(own.as_str());
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

fn look_at_contact(file: &DraftFile, facts: &Facts, findings: &mut Findings) {
    let Some(organisation) = &facts.organisation else {
        return;
    };
    let domains = &organisation.mail_domains;
    if domains.is_empty() {
        return;
    }
    for (start, text) in file.answers(Part::Contact) {
        for (at, mail) in super::private::mails(text) {
            if !is_of_domain(mail, domains) {
                let domain = mail.rsplit_once('@').map_or(mail, |(_, domain)| domain);
                let detail = format!("the profile has {}", domains.join(", "));
                findings.tell("contact-domain", file, start + at, domain, Some(detail));
            }
        }
    }
}

fn look_at_licences(file: &DraftFile, facts: &Facts, findings: &mut Findings) {
    for (start, text) in file.answers(Part::Original) {
        for name in &facts.open_packages {
            for (at, _) in text.match_indices(name.as_str()) {
                let is_part = |c: Option<char>| {
                    c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '@'))
                };
                let before = text.get(..at).and_then(|text| text.chars().next_back());
                let behind = text
                    .get(at + name.len()..)
                    .and_then(|text| text.chars().next());
                if !is_part(before) && !is_part(behind.filter(|c| *c != '@')) {
                    findings.tell("open-licence", file, start + at, name, None);
                }
            }
        }
    }
}

fn look_at_circumvention(file: &DraftFile, findings: &mut Findings) {
    let answers = file.answers(Part::Circumvention);
    let bare = |text: &str| {
        let start = text
            .find(|c: char| c.is_alphanumeric())
            .unwrap_or(text.len());
        text.get(start..).unwrap_or_default().to_ascii_lowercase()
    };
    let yes = answers.iter().find(|(_, text)| {
        let text = bare(text);
        text.strip_prefix("yes")
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    });
    let Some((at, _)) = yes else {
        return;
    };
    let words = &Rules::builtin().words;
    let all: Vec<&str> = answers.iter().map(|(_, text)| *text).collect();
    let all = all.join("\n");
    let at = file
        .text
        .get(*at..)
        .and_then(|text| text.find(|c: char| c.is_alphanumeric()))
        .map_or(*at, |more| at + more);
    let mut missing = Vec::new();
    if !words.effective.is_match(&all) {
        missing.push("how the measure controls access effectively");
    }
    if !words.circumvents.is_match(&all) {
        missing.push("how the project circumvents it");
    }
    if !missing.is_empty() {
        findings.tell(
            "circumvention-incomplete",
            file,
            at,
            "Yes",
            Some(format!("not said: {}", missing.join(", "))),
        );
    }
    if let Some(door) = words.closed_door.find(&all) {
        findings.tell("circumvention-private", file, at, door.as_str(), None);
    }
}

/// The work: in how many words, and whether it is said what it is made of.
fn look_at_description(files: &Files, findings: &mut Findings) {
    let words = &Rules::builtin().words;
    let mut first = None;
    let (mut count, mut has_parts) = (0, false);
    for (file, _) in files.iter().filter(|(file, _)| file.form == Form::Text) {
        for (at, text) in file.answers(Part::Original) {
            first.get_or_insert((*file, at));
            count += text.split_whitespace().count();
            has_parts |= words.components.is_match(text);
        }
    }
    let Some((file, at)) = first else {
        return;
    };
    let least = words.description_min;
    if count < least || !has_parts {
        let parts = if has_parts {
            ""
        } else {
            "; no file, folder or component is named"
        };
        let found = if count == 1 {
            "1 word".to_owned()
        } else {
            format!("{count} words")
        };
        findings.tell(
            "thin-description",
            file,
            at,
            &found,
            Some(format!("at least {least} are asked for{parts}")),
        );
    }
}

fn look_at_elements(files: &Files, listed: &Listed, asked: &Asked, findings: &mut Findings) {
    let rules = Rules::builtin();
    let host = asked.host.as_deref().or(listed.host.as_deref());
    let sort = host
        .and_then(|host| asked.hosts().get(host))
        .map_or(SORT_DEFAULT, |host| host.sort.as_str());
    let texts = || {
        files
            .iter()
            .map(|(file, _)| file)
            .filter(|file| file.form == Form::Text)
    };
    for (element, search) in &rules.elements {
        let is_asked = element.sorts.iter().any(|one| one == sort);
        let is_there = texts().any(|file| search.is_match(&file.text));
        if is_asked && !is_there {
            let detail = format!("for a notice of the sort {sort}");
            findings.tell_of_all("missing-element", &element.title, Some(detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_patterns_are_built() {
        for built in [&SHARE, &TICKED, &SIGNATURE, &PLACEHOLDER] {
            assert!(built.is_some());
        }
    }

    #[test]
    fn what_is_asked_or_denied_is_not_stated() {
        let stated = |text: &str| {
            let file = DraftFile::new("x.txt", text.to_owned());
            let at = text.find("all forks").unwrap();
            is_stated(&file, at, at + 9)
        };
        assert!(stated("I say that all forks are the same."));
        assert!(stated("No. I say that all forks are the same."));
        assert!(!stated("Are all forks the same?"));
        assert!(!stated("No statement about all forks is made."));
        assert!(!stated("Here all forks are not the same."));
    }

    #[test]
    fn domains_of_mail_are_compared_as_a_whole() {
        let own = ["acme.example".to_owned()];
        assert!(is_of_domain("a@acme.example", &own) && is_of_domain("a@mail.ACME.example", &own));
        assert!(!is_of_domain("a@notacme.example", &own) && !is_of_domain("acme.example", &own));
    }
}
