//! The rules as data: `signatures/lint.toml`.
//!
//! What a rule is called, why hosts mind, and how to mend it is text that a lawyer edits; so are the words by which parts of a
//! draft are known. How a rule looks is code, and a test holds the two lists of ids against each other.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::hosts::{LintHost, LintHosts};
use crate::report::notice::Hosts;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Worth knowing.
    Note,
    /// A host may ask back, or a reader may.
    Warning,
    /// A host sends it back, or somebody has to take it back.
    Error,
}

impl Weight {
    /// The word in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Weight::Note => "note",
            Weight::Warning => "warning",
            Weight::Error => "error",
        }
    }
}

/// A rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// How much a finding of it matters.
    pub severity: Weight,
    /// What is wrong.
    pub title: String,
    /// Why a host or a court minds.
    pub why: String,
    /// What to do.
    pub mend: String,
    /// A draft in which it finds something.
    #[serde(skip_serializing)]
    pub bad: String,
    /// That draft, mended.
    #[serde(skip_serializing)]
    pub good: String,
    /// The limit of rows that the examples are held against.
    #[serde(default, skip_serializing)]
    pub rows: Option<u64>,
}

/// Which question a part of a draft answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Nothing says which: addresses in it are taken for listed ones.
    Unknown,
    /// One that no rule is about.
    Other,
    /// Technological measures.
    Circumvention,
    /// What is not claimed.
    Excluded,
    /// Licences.
    Licence,
    /// Sworn statements and the signature.
    Statement,
    /// Who sends it.
    Contact,
    /// What is to be removed.
    Listed,
    /// The work.
    Original,
}

impl Part {
    /// Whether what it names is claimed to be a copy.
    pub fn is_claimed(self) -> bool {
        matches!(self, Part::Unknown | Part::Listed)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartWords {
    kind: Part,
    words: Vec<String>,
}

/// Something that a notice must have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Element {
    #[expect(dead_code, reason = "a name for those who edit the file")]
    id: String,
    pub title: String,
    /// Sorts of notices that need it: `512`, `dsa`.
    pub sorts: Vec<String>,
    pub words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WordLists {
    description_min: usize,
    entire: Vec<String>,
    forks_all: Vec<String>,
    forks_sample: Vec<String>,
    negations: Vec<String>,
    similar: Vec<String>,
    method: Vec<String>,
    components: Vec<String>,
    history: Vec<String>,
    effective: Vec<String>,
    circumvents: Vec<String>,
    closed_door: Vec<String>,
    signed: Vec<String>,
    statements: Vec<String>,
    placeholders: Vec<String>,
    third_party_folders: Vec<String>,
    context: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    words: WordLists,
    channels: BTreeMap<String, Vec<String>>,
    part: Vec<PartWords>,
    element: Vec<Element>,
    host: Vec<LintHost>,
    rule: Vec<Rule>,
}

/// The rules, with their words ready to be looked for.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    pub(super) parts: Vec<(Part, Regex)>,
    pub(super) elements: Vec<(Element, Regex)>,
    /// The hosts that the program knows.
    pub(super) hosts: LintHosts,
    /// What the rules say of hosts, without how notices to them are drafted.
    said: Vec<LintHost>,
    /// Where something belongs, and the words that tell of it.
    pub(super) channels: Vec<(String, Regex)>,
    pub(super) words: Words,
}

/// The lists of words.
#[derive(Debug)]
pub(super) struct Words {
    pub description_min: usize,
    pub entire: Regex,
    pub forks_all: Regex,
    pub forks_sample: Regex,
    pub negations: Regex,
    pub similar: Regex,
    pub method: Regex,
    pub components: Regex,
    pub history: Regex,
    pub effective: Regex,
    pub circumvents: Regex,
    pub closed_door: Regex,
    pub signed: Regex,
    pub statements: Regex,
    pub placeholders: Regex,
    pub third_party_folders: Vec<String>,
    pub context: Regex,
}

/// Bytes that the automaton of a list of words may take.
const REGEX_SIZE_MAX: usize = 4 << 20;

/// A search for any of some phrases, as words of their own; blanks may be any.
fn phrases(list: &[String]) -> Result<Regex, regex::Error> {
    let mut alternatives = Vec::new();
    for phrase in list {
        let words: Vec<String> = phrase.split_whitespace().map(regex::escape).collect();
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let before = if is_word(phrase.chars().next()) {
            r"\b"
        } else {
            ""
        };
        let behind = if is_word(phrase.chars().last()) {
            r"\b"
        } else {
            ""
        };
        alternatives.push(format!("{before}{}{behind}", words.join(r"\s+")));
    }
    RegexBuilder::new(&alternatives.join("|"))
        .case_insensitive(true)
        .size_limit(REGEX_SIZE_MAX)
        .build()
}

/// Why a file of rules is refused.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is no such file.
    #[error("the lint rules are not valid: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Its words cannot be looked for.
    #[error("the words of the lint rules cannot be looked for: {0}")]
    Words(#[from] regex::Error),
    /// The hosts of notices cannot be used.
    #[error("{0}")]
    Hosts(#[from] crate::report::notice::HostsError),
}

impl Rules {
    /// The rules that the program carries.
    ///
    /// # Panics
    /// Never for what is built in: a test reads it.
    #[must_use]
    pub fn builtin() -> &'static Rules {
        static RULES: LazyLock<Rules> =
            LazyLock::new(
                || match Rules::parse(include_str!("../../../signatures/lint.toml")) {
                    Ok(rules) => rules,
                    Err(error) => panic!("signatures/lint.toml: {error}"),
                },
            );
        &RULES
    }

    fn parse(text: &str) -> Result<Rules, RulesError> {
        let file: File = toml::from_str(text)?;
        let lists = file.words;
        let mut parts = Vec::new();
        for part in file.part {
            parts.push((part.kind, phrases(&part.words)?));
        }
        let mut elements = Vec::new();
        for element in file.element {
            let search = phrases(&element.words)?;
            elements.push((element, search));
        }
        let mut channels = Vec::new();
        for (to, words) in file.channels {
            channels.push((to, phrases(&words)?));
        }
        Ok(Rules {
            rules: file.rule,
            parts,
            elements,
            hosts: LintHosts::new(file.host.clone(), &Hosts::builtin()?),
            said: file.host,
            channels,
            words: Words {
                description_min: lists.description_min,
                entire: phrases(&lists.entire)?,
                forks_all: phrases(&lists.forks_all)?,
                forks_sample: phrases(&lists.forks_sample)?,
                negations: phrases(&lists.negations)?,
                similar: phrases(&lists.similar)?,
                method: phrases(&lists.method)?,
                components: phrases(&lists.components)?,
                history: phrases(&lists.history)?,
                effective: phrases(&lists.effective)?,
                circumvents: phrases(&lists.circumvents)?,
                closed_door: phrases(&lists.closed_door)?,
                signed: phrases(&lists.signed)?,
                statements: phrases(&lists.statements)?,
                placeholders: phrases(&lists.placeholders)?,
                third_party_folders: lists.third_party_folders,
                context: phrases(&lists.context)?,
            },
        })
    }

    /// All rules, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// A rule by its name.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The hosts of these data, of the user's own among them.
    #[must_use]
    pub fn hosts_of(&self, forms: &Hosts) -> LintHosts {
        LintHosts::new(self.said.clone(), forms)
    }

    /// Which question a heading asks.
    pub(super) fn part_of(&self, heading: &str) -> Option<Part> {
        let found = self.parts.iter().find(|(_, words)| words.is_match(heading));
        found.map(|(part, _)| *part)
    }
}
