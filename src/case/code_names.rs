//! Which words may be code names that nobody told us of.
//!
//! Who names a thing by a word that means nothing outside puts that word in front of everything that belongs to it: its
//! switches, its events, its variables, its hosts. So a word that many names of the vendor's own share, and that is neither
//! a word of the trade nor the name of a package, is shown to a person, who knows at a glance whether it is one. It is a
//! guess and stays one: kind `code-name-like`, confidence `low`, one item for each name that carries the word, so that the
//! word that most names carry comes first. Names that the profile lists are looked for everywhere and are `code-name`.
//!
//! Words of the trade are in `signatures/common-words.txt`: words that stand in several openly licensed packages, so that
//! they are nobody's secret. What two of them make together, and what is one of them with an ending, is one too.
//!
//! Left out: words in prose, where every product name and every person would be one; words of three letters.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::LazyLock;

use rusqlite::Row;

use super::store::{Case, CaseError, RecordRow, restore};
use crate::exposure::Organisation;
use crate::record::{Item, Party, Record};

/// Kinds of items whose values are names that somebody chose.
const NAMING_KINDS: [&str; 10] = [
    "flag",
    "telemetry",
    "env",
    "command",
    "slash-command",
    "tool",
    HOST,
    "bucket",
    "storage",
    "internal-scope",
];
const HOST: &str = "host";
/// The kind of what is found.
const KIND: &str = "code-name-like";
/// Letters of a word.
const WORD_LETTERS: std::ops::RangeInclusive<usize> = 4..=16;
/// Names that share a word, at least: of one kind, and of several.
const NAMES_MIN: usize = 6;
const NAMES_MIN_OF_SEVERAL: usize = 4;
/// Words that are told, and names of each.
const WORDS_MAX: usize = 24;
const NAMES_MAX: usize = 40;
/// Names that are looked at: the first by kind and value. A case with more has other troubles.
const LOOKED_AT_MAX: usize = 200_000;
/// Parts that a word with an ending has in front of it.
const STEM_MIN: usize = 4;
/// Letters of either half of a word that two make.
const HALF_MIN: usize = 3;
const ENDINGS: [&str; 14] = [
    "s", "es", "d", "ed", "r", "er", "ers", "ing", "ly", "able", "ion", "ions", "ment", "ness",
];

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let text = include_str!("../../signatures/common-words.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_ascii_whitespace).collect()
});

/// Names that carry a word, by kind and value, each where it stands first.
type Names = BTreeMap<(String, String), Item>;

impl Case {
    /// Gives an item for each name of the vendor's own that carries a word that may be a code name.
    pub(super) fn find_code_names(
        &self,
        organisation: Option<&Organisation>,
    ) -> Result<(), CaseError> {
        let mut known = self.package_words()?;
        known.extend(organisation.into_iter().flat_map(public_words));
        let mut names: BTreeMap<String, Names> = BTreeMap::new();
        self.each_naming_item(|item| {
            for word in words_of(named_part(item)).collect::<BTreeSet<_>>() {
                if known.contains(&word) || is_common(&word) {
                    continue;
                }
                let key = (item.kind.clone(), item.value.clone());
                let of_word = names.entry(word).or_default();
                of_word.entry(key).or_insert_with(|| item.clone());
            }
        })?;
        for (word, named) in ranked(names) {
            for ((kind, value), item) in named.into_iter().take(NAMES_MAX) {
                self.put_joined(Record::Item(Item {
                    kind: KIND.to_owned(),
                    value: word.clone(),
                    confidence: "low".to_owned(),
                    detail: Some(format!("{kind} {value}")),
                    ..item
                }))?;
            }
        }
        Ok(())
    }

    /// Calls `look` with the items of naming kinds that are not a third party's, by kind, value and place.
    fn each_naming_item(&self, mut look: impl FnMut(&Item)) -> Result<(), CaseError> {
        let kinds = NAMING_KINDS.map(|kind| format!("'{kind}'")).join(", ");
        let sql = format!(
            "SELECT {} FROM {} WHERE type = 'item' AND record.json ->> 'kind' IN ({kinds})
             ORDER BY record.json ->> 'kind', record.json ->> 'value', record.locator, record.json LIMIT {LOOKED_AT_MAX}",
            RecordRow::COLUMNS,
            RecordRow::TABLES
        );
        let mut query = self.db.prepare(&sql).map_err(|error| self.wrap(error))?;
        let mut rows = query.query([]).map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let row = RecordRow::read(row).map_err(|error| self.wrap(error))?;
            if let Record::Item(item) = restore(row)?
                && item.party != Party::Third
            {
                look(&item);
            }
        }
        Ok(())
    }

    /// Words of the names of packages: those that the case holds, and those that its code draws on.
    fn package_words(&self) -> Result<HashSet<String>, CaseError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let sql = "SELECT DISTINCT json ->> 'name' FROM record WHERE type = 'package'
                 UNION SELECT DISTINCT json ->> 'value' FROM record
                 WHERE type = 'item' AND json ->> 'kind' IN ('third-party', 'import', 'provider', 'model')";
            let mut query = self.db.prepare(sql)?;
            let name = |row: &Row| Ok(row.get::<_, Option<String>>(0)?.unwrap_or_default());
            query.query_map([], name)?.collect()
        };
        let names = read().map_err(|error| self.wrap(error))?;
        Ok(names.iter().flat_map(|name| words_of(name)).collect())
    }
}

/// What the organisation is called by everybody; and its code names, which are looked for everywhere anyway.
fn public_words(organisation: &Organisation) -> impl Iterator<Item = String> + '_ {
    let Organisation {
        name,
        scopes,
        packages,
        domains,
        mail_domains,
        repositories,
        code_names,
    } = organisation;
    let lists = [
        scopes,
        packages,
        domains,
        mail_domains,
        repositories,
        code_names,
    ];
    let all = std::iter::once(name).chain(lists.into_iter().flatten());
    all.flat_map(|name| words_of(name))
}

/// What of a name its owner chose freely: of a host, what stands before the domain, whose name is public.
fn named_part(item: &Item) -> &str {
    if item.kind != HOST {
        return &item.value;
    }
    let mut dots = item.value.rmatch_indices('.');
    dots.nth(1).map_or("", |(at, _)| &item.value[..at])
}

/// The words that enough names share, those that most share first.
fn ranked(names: BTreeMap<String, Names>) -> Vec<(String, Names)> {
    let mut words: Vec<_> = names
        .into_iter()
        .filter(|(_, named)| {
            let kinds: BTreeSet<&String> = named.keys().map(|(kind, _)| kind).collect();
            // Hosts alone say what others call their machines.
            if kinds.iter().all(|kind| *kind == HOST) {
                return false;
            }
            let least = if kinds.len() > 1 {
                NAMES_MIN_OF_SEVERAL
            } else {
                NAMES_MIN
            };
            named.len() >= least
        })
        .collect();
    words.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    words.truncate(WORDS_MAX);
    words
}

/// The words that a name is made of, in lower case: split where letters end and where a capital begins.
fn words_of(name: &str) -> impl Iterator<Item = String> + '_ {
    let runs = name.split(|letter: char| !letter.is_ascii_alphabetic());
    runs.flat_map(split_at_capitals)
        .filter(|word| WORD_LETTERS.contains(&word.len()))
        .map(str::to_ascii_lowercase)
}

/// Splits `innerHTMLText` into `inner`, `HTML`, `Text`.
fn split_at_capitals(run: &str) -> Vec<&str> {
    let bytes = run.as_bytes();
    let (mut words, mut start) = (Vec::new(), 0);
    for at in 1..bytes.len() {
        let begins = bytes[at].is_ascii_uppercase()
            && (bytes[at - 1].is_ascii_lowercase()
                || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
        if begins {
            words.push(&run[start..at]);
            start = at;
        }
    }
    words.push(&run[start..]);
    words
}

/// Whether a word is one of the trade, or is made of such.
fn is_common(word: &str) -> bool {
    if COMMON.contains(word) {
        return true;
    }
    let is_inflected = ENDINGS.iter().any(|ending| {
        let stem = word.strip_suffix(ending);
        stem.filter(|stem| stem.len() >= STEM_MIN)
            .is_some_and(|stem| {
                COMMON.contains(stem) || COMMON.contains(format!("{stem}e").as_str())
            })
    });
    let halves = HALF_MIN..=word.len().saturating_sub(HALF_MIN);
    is_inflected
        || halves
            .into_iter()
            .any(|at| COMMON.contains(&word[..at]) && COMMON.contains(&word[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(word: &str, names: &[(&str, &str)]) -> (String, Names) {
        let item = |kind: &str, value: &str| Item {
            kind: kind.to_owned(),
            value: value.to_owned(),
            locator: String::new(),
            hops: crate::record::Hops::default(),
            line: 1,
            party: Party::First,
            confidence: "high".to_owned(),
            detail: None,
        };
        let names = names.iter().map(|(kind, value)| {
            let key = ((*kind).to_owned(), (*value).to_owned());
            (key, item(kind, value))
        });
        (word.to_owned(), names.collect())
    }

    #[test]
    fn names_are_split_where_a_person_reads_words() {
        let words = |name| words_of(name).collect::<Vec<_>>();
        assert_eq!(words("heron_session_start"), ["heron", "session", "start"]);
        assert_eq!(
            words("enableHeronHTMLMode"),
            ["enable", "heron", "html", "mode"]
        );
        assert_eq!(words("HERON-2.api"), ["heron"]);
        assert!(words("größe").is_empty());
    }

    #[test]
    fn of_a_host_the_domain_is_no_code_name() {
        let (_, hosts) = named(
            "",
            &[("host", "heron.eu.acme.example"), ("host", "acme.example")],
        );
        let parts: Vec<&str> = hosts.values().map(named_part).collect();
        assert_eq!(parts, ["", "heron.eu"]);
    }

    #[test]
    fn words_of_the_trade_and_what_is_made_of_them_are_common() {
        for word in [
            "session",
            "sessions",
            "loading",
            "sourcemap",
            "enable",
            "token",
        ] {
            assert!(is_common(word), "{word}");
        }
        for word in ["heron", "tengu", "quokka", "marlowe"] {
            assert!(!is_common(word), "{word}");
        }
    }

    #[test]
    fn a_word_needs_several_names_and_the_most_shared_comes_first() {
        let few = [
            ("flag", "heron_a"),
            ("flag", "heron_b"),
            ("flag", "heron_c"),
        ];
        let two_kinds = [
            ("flag", "quokka_a"),
            ("flag", "quokka_b"),
            ("env", "QUOKKA_C"),
            ("telemetry", "quokka.d"),
        ];
        let many: Vec<(&str, &str)> = ["a", "b", "c", "d", "e", "f"]
            .iter()
            .map(|value| ("flag", *value))
            .collect();
        let all = [
            named("heron", &few),
            named("quokka", &two_kinds),
            named("tengu", &many),
        ];
        let hosts = ["a", "b", "c", "d", "e", "f"].map(|value| ("host", value));
        let all = all.into_iter().chain([named("consensus", &hosts)]);
        let ranked = ranked(all.collect());
        let words: Vec<&str> = ranked.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(words, ["tengu", "quokka"]);
    }
}
