//! The rules of tampering, as data.
//!
//! `signatures/tamper.toml` holds for each rule its title, why it matters, what to do, how bad and how sure it is, under
//! which circumstances that is otherwise, the names, words and patterns that it goes by, and examples that must give it
//! and that must not. How a thing is *recognised* is code beside this file. The program carries the file in itself, and
//! `rules list` and `rules test` show and run it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::exposure::rules::ExampleFile;
use crate::record::{Certainty, Severity};

const TEXT: &str = include_str!("../../../signatures/tamper.toml");
const FILE: &str = "signatures/tamper.toml";

/// Least number of examples of each sort.
const MIN_EXAMPLES: usize = 2;

/// Why the rules could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TamperError {
    /// Not TOML, or not of the shape of a rule file.
    #[error("{FILE}: {0}")]
    Syntax(String),
    /// Two rules of one id.
    #[error("{FILE}: rule `{0}` is there twice; rename one of them")]
    Duplicate(String),
    /// Too few examples to trust the rule.
    #[error(
        "{FILE}: rule `{0}` needs at least {MIN_EXAMPLES} examples under `matches` and {MIN_EXAMPLES} under `rejects`"
    )]
    FewExamples(String),
}

/// One rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TamperRule {
    /// Its id, as in `sign` records.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub action: String,
    /// How bad it is where no circumstance says otherwise.
    pub severity: Severity,
    /// How sure the recognition is where nothing says otherwise.
    pub certainty: Certainty,
    /// How bad it is under a circumstance.
    #[serde(default)]
    pub severities: BTreeMap<String, Severity>,
    /// What it goes by: names, words, hosts.
    #[serde(default)]
    pub parameters: BTreeMap<String, Vec<String>>,
    /// Originals and copies in which it must be found.
    pub matches: Vec<TamperExample>,
    /// Originals and copies in which it must not.
    pub rejects: Vec<TamperExample>,
}

impl TamperRule {
    /// How bad it is under a circumstance; its plain severity where the rule does not name that one.
    pub fn severity_when(&self, circumstance: &str) -> Severity {
        let named = self.severities.get(circumstance);
        named.copied().unwrap_or(self.severity)
    }
}

/// An original and a copy of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TamperExample {
    /// What it shows.
    pub note: String,
    /// Files of the original.
    #[serde(default)]
    pub original: Vec<ExampleFile>,
    /// Files of the copy that are otherwise than in the original. In a `text`, `{{base64 N}}`, `{{hex N}}` and `{{word N}}`
    /// stand for so many characters that look random, and `{{blank N}}` for blanks.
    #[serde(default)]
    pub copy: Vec<ExampleFile>,
    /// A profile, as `--org` takes it.
    #[serde(default)]
    pub organisation: Option<String>,
    /// First date of the copy; its basis is `git-author` where nothing is said.
    #[serde(default)]
    pub first: Option<String>,
    /// What dates the copy.
    #[serde(default)]
    pub basis: Option<String>,
    /// When the original became public.
    #[serde(default)]
    pub leaked: Option<String>,
    /// The severity that must come out as the worst. In an example under `rejects` the rule may note the thing at most so.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// The file in which it must be found.
    #[serde(default)]
    pub path: Option<String>,
    /// The line in which it must be found.
    #[serde(default)]
    pub line: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Lists that several rules share.
    words: BTreeMap<String, Vec<String>>,
    rule: Vec<TamperRule>,
}

/// All rules.
#[derive(Debug)]
pub struct TamperRules {
    rules: Vec<TamperRule>,
    words: BTreeMap<String, Vec<String>>,
    by_id: BTreeMap<String, usize>,
}

impl TamperRules {
    /// The rules that the program carries.
    ///
    /// # Panics
    /// Never in a build that passed its tests: the file is part of the program, and a test reads it.
    pub fn builtin() -> &'static TamperRules {
        static RULES: LazyLock<TamperRules> = LazyLock::new(|| match TamperRules::parse(TEXT) {
            Ok(rules) => rules,
            Err(error) => panic!("the built-in rules are broken: {error}"),
        });
        &RULES
    }

    fn parse(text: &str) -> Result<TamperRules, TamperError> {
        let file: File = toml::from_str(text).map_err(|e| TamperError::Syntax(e.to_string()))?;
        let mut ids = BTreeSet::new();
        for rule in &file.rule {
            if !ids.insert(&rule.id) {
                return Err(TamperError::Duplicate(rule.id.clone()));
            }
            if rule.matches.len() < MIN_EXAMPLES || rule.rejects.len() < MIN_EXAMPLES {
                return Err(TamperError::FewExamples(rule.id.clone()));
            }
        }
        let ids = file.rule.iter().enumerate();
        Ok(TamperRules {
            by_id: ids.map(|(at, rule)| (rule.id.clone(), at)).collect(),
            rules: file.rule,
            words: file.words,
        })
    }

    /// A rule.
    pub fn get(&self, id: &str) -> Option<&TamperRule> {
        self.by_id.get(id).and_then(|&at| self.rules.get(at))
    }

    /// All rules, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &TamperRule> {
        self.rules.iter()
    }

    /// A list that several rules share; empty where there is none of that name.
    pub fn words(&self, name: &str) -> &[String] {
        self.words.get(name).map_or(&[], Vec::as_slice)
    }

    /// BLAKE3 of the file: signs are comparable while it is the same.
    pub fn digest() -> [u8; 32] {
        *blake3::hash(TEXT.as_bytes()).as_bytes()
    }
}

/// A parameter of a built-in rule; empty where there is none of that name.
pub(super) fn parameter(rule: &str, name: &str) -> &'static [String] {
    let rule = TamperRules::builtin().get(rule);
    rule.and_then(|rule| rule.parameters.get(name))
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_files_say_what() {
        assert!(matches!(
            TamperRules::parse("x = 1"),
            Err(TamperError::Syntax(_))
        ));
        let begin = TEXT.find("[[rule]]").unwrap();
        let twice = format!("{TEXT}\n{}", &TEXT[begin..]);
        assert!(matches!(
            TamperRules::parse(&twice),
            Err(TamperError::Duplicate(_))
        ));
        let bare = "rule = [{id='a',title='b',why='c',action='d',severity='low',certainty='hint',matches=[],rejects=[]}]\n[words]";
        assert!(matches!(
            TamperRules::parse(bare),
            Err(TamperError::FewExamples(_))
        ));
    }

    #[test]
    fn every_rule_says_what_it_means() {
        for rule in TamperRules::builtin().iter() {
            for text in [&rule.title, &rule.why, &rule.action] {
                assert!(text.len() > 10, "{}", rule.id);
            }
        }
        assert!(TamperRules::builtin().get("no-such-rule").is_none());
    }
}
