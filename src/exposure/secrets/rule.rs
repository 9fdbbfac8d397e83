//! Rules for credentials, as data.
//!
//! `signatures/secrets.toml` holds for each kind of credential what it is called, why it matters, how to rotate it, the
//! words by which it is found, its form, and examples that must match and that must not. A rule says nothing that code
//! would have to guess: which part of a match is the secret, how random it must be, which checks run on it without a
//! network, and what of it may be shown.
//!
//! **Anchors.** A regular expression is never run over a text. Each rule names literals, and its expression is tried where
//! one of them stands: right there ([`Search::AtLiteral`], what our own rules do, so that a hit costs next to nothing), or
//! in a stretch round it ([`Search::Around`], for rules that were written for tools that search whole lines). Literals are
//! compared byte by byte, or without regard to ASCII case.
//!
//! Expressions work on bytes: `\w`, `\d` and `.` are ASCII, and text that is not UTF-8 is searched like any other.
//!
//! Left out: allow-lists by path. Where a credential lies is judged at its place.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::Tier;
use super::checks::Validator;
use crate::record::Severity;

/// The compiled form of one expression takes no more; bytes.
const REGEX_MAX_BYTES: usize = 32 << 20;

/// How far behind the beginning of a literal a match of one of our own rules may go, in bytes.
pub const REACH_BYTES: usize = 16 << 10;

/// What `<is>` stands for: the rest of a name, then what lies between a name and its value in programs
/// and settings, up to the value's first character. Quotes may be escaped.
const IS: &str =
    r#"[A-Za-z0-9_.-]{0,24}\\?["'`\])]{0,2}[ \t]{0,8}(?:=>|:=|={1,3}|:|,|\|\|)[ \t]{0,8}\\?["'`]?"#;

/// The rules that the program carries.
const BUILTIN: (&str, &str) = (
    include_str!("../../../signatures/secrets.toml"),
    "signatures/secrets.toml",
);

/// Why rules could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretRuleError {
    /// Not TOML, or not of the shape of a rule file.
    #[error("{file}:{line}: {message}")]
    Syntax {
        /// Name of the file.
        file: String,
        /// Line, 1-based.
        line: usize,
        /// What the TOML reader says.
        message: String,
    },
    /// Two rules of one id.
    #[error("{file}: rule `{id}` is there twice; rename one of them")]
    Duplicate {
        /// Name of the file.
        file: String,
        /// The id.
        id: String,
    },
    /// An expression that is none.
    #[error("{file}: rule `{id}`: {message}")]
    Regex {
        /// Name of the file.
        file: String,
        /// The id.
        id: String,
        /// What the reader of expressions says.
        message: String,
    },
    /// The expression has no such group.
    #[error("{file}: rule `{id}`: its expression has no group {group}")]
    NoGroup {
        /// Name of the file.
        file: String,
        /// The id.
        id: String,
        /// The group.
        group: usize,
    },
    /// A rule that could be tried nowhere.
    #[error("{file}: rule `{id}` needs at least one literal, none of them empty")]
    NoLiteral {
        /// Name of the file.
        file: String,
        /// The id.
        id: String,
    },
    /// A generator of an example that does not exist.
    #[error("unknown generator `{name}` in an example")]
    UnknownGenerator {
        /// As written.
        name: String,
    },
}

/// Where the expression of a rule is tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Search {
    /// Where a literal begins; it must match from there. Nothing that could be part of the same word stands before it.
    #[default]
    AtLiteral,
    /// In a stretch round a literal; bytes before its beginning and behind it.
    Around {
        /// Before it.
        before: usize,
        /// Behind it.
        behind: usize,
    },
}

/// What of a credential may be shown. Whatever it says, no more than a third of the secret ever is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redact {
    /// Its fixed beginning and its last four characters.
    #[default]
    Ends,
    /// All of it: an id that is useless without its other half.
    Whole,
    /// How long it is.
    Length,
    /// A URL or a connection string without its password.
    Url,
    /// What a check says of it (the kind of a key, the id in a structure), and nothing of its text.
    Parsed,
}

/// One kind of credential.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Id, as in records.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// What somebody who has it can do.
    pub why: String,
    /// How to make it worthless.
    pub action: String,
    /// How bad it is where nothing says otherwise.
    pub severity: Severity,
    /// Whose rule it is.
    #[serde(default = "specific")]
    pub tier: Tier,
    /// The words by which it is found; the expression is tried at each of them.
    pub literals: Vec<String>,
    /// The literals are compared without regard to ASCII case.
    #[serde(default)]
    pub ignore_case: bool,
    /// Its form, in the syntax of the `regex` crate, on bytes.
    pub regex: String,
    /// Where the expression is tried.
    #[serde(default)]
    pub search: Search,
    /// The literal may stand within a word, and the credential may go on before it.
    #[serde(default)]
    pub inside: bool,
    /// What follows the match may be part of the same word.
    #[serde(default)]
    pub open: bool,
    /// Bytes before the literal that may belong to the credential; a check reads them.
    #[serde(default)]
    pub back: usize,
    /// The group that holds the secret; 0 is the whole match.
    #[serde(default)]
    pub group: usize,
    /// Bytes at the beginning of the secret that are the same for all of its kind and may be shown.
    #[serde(default)]
    pub prefix: usize,
    /// Least Shannon entropy of the secret, in bits a byte.
    #[serde(default)]
    pub entropy: f64,
    /// Checks, in the order in which they run; one that fails ends the matter.
    #[serde(default)]
    pub validators: Vec<Validator>,
    /// What may be shown.
    #[serde(default)]
    pub redact: Redact,
    /// Expressions for secrets that are none.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Values that stand for others are no finding.
    #[serde(default = "yes")]
    pub placeholders: bool,
    /// Id of the rule whose credential completes this one within a few lines.
    #[serde(default)]
    pub pair: Option<String>,
    /// This one alone says too little: it is told only beside its pair.
    #[serde(default)]
    pub only_paired: bool,
    /// Texts in which it must be found, with generators in `<<…>>` where something would look live.
    #[serde(default)]
    pub matches: Vec<String>,
    /// Texts in which it must not.
    #[serde(default)]
    pub rejects: Vec<String>,
}

fn specific() -> Tier {
    Tier::Specific
}

fn yes() -> bool {
    true
}

/// A rule whose expressions are ready to be used.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The rule.
    pub rule: Rule,
    /// Its form; begins at the literal where it is searched there.
    pub regex: Regex,
    /// Values that are none.
    pub allow: Vec<Regex>,
}

/// Rules that are used together.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    rules: Vec<Compiled>,
    digest: [u8; 32],
}

/// The shape of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Rule>,
}

impl RuleSet {
    /// The rules that the program carries.
    ///
    /// # Panics
    /// Never in a build that passed its tests: the file is part of the program, and a test reads it.
    pub fn builtin() -> &'static RuleSet {
        static RULES: LazyLock<RuleSet> =
            LazyLock::new(|| match RuleSet::parse(BUILTIN.0, BUILTIN.1) {
                Ok(rules) => rules,
                Err(error) => panic!("the built-in rules are broken: {error}"),
            });
        &RULES
    }

    /// Reads a file of rules of our own form, in whose expressions `<is>` stands for what lies between a name and its value.
    ///
    /// # Errors
    /// Text that is not TOML or not of the shape above, and all that [`RuleSet::compile`] refuses.
    pub fn parse(text: &str, file: &str) -> Result<RuleSet, SecretRuleError> {
        let parsed: File = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = text.as_bytes().get(..start).unwrap_or_default();
            SecretRuleError::Syntax {
                file: file.to_owned(),
                line: 1 + memchr::memchr_iter(b'\n', before).count(),
                message: error.message().to_owned(),
            }
        })?;
        let mut rules = parsed.rule;
        for rule in &mut rules {
            rule.regex = rule.regex.replace("<is>", IS);
        }
        let mut set = Self::compile(rules, file)?;
        set.digest = *blake3::hash(text.as_bytes()).as_bytes();
        Ok(set)
    }

    /// Makes rules ready. `file` is where they come from, for errors.
    ///
    /// # Errors
    /// An id that is there twice, a rule without literals, an expression that is none or has no such group.
    pub fn compile(rules: Vec<Rule>, file: &str) -> Result<RuleSet, SecretRuleError> {
        let mut ids = BTreeSet::new();
        let mut compiled = Vec::with_capacity(rules.len());
        for rule in rules {
            let (file, id) = (file.to_owned(), rule.id.clone());
            if !ids.insert(id.clone()) {
                return Err(SecretRuleError::Duplicate { file, id });
            }
            if rule.literals.is_empty() || rule.literals.iter().any(String::is_empty) {
                return Err(SecretRuleError::NoLiteral { file, id });
            }
            compiled.push(Compiled::new(rule, &file)?);
        }
        Ok(RuleSet {
            rules: compiled,
            digest: [0; 32],
        })
    }

    /// All rules, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Compiled> {
        self.rules.iter()
    }

    /// The rule of that number.
    pub fn at(&self, index: usize) -> Option<&Compiled> {
        self.rules.get(index)
    }

    /// The rule of an id.
    pub fn get(&self, id: &str) -> Option<&Compiled> {
        self.rules.iter().find(|one| one.rule.id == id)
    }

    /// BLAKE3 of the file's text: results are comparable while it is the same.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

impl Compiled {
    fn new(rule: Rule, file: &str) -> Result<Compiled, SecretRuleError> {
        let build = |pattern: &str| {
            let regex = RegexBuilder::new(pattern)
                .unicode(false)
                .size_limit(REGEX_MAX_BYTES)
                .build();
            regex.map_err(|error| SecretRuleError::Regex {
                file: file.to_owned(),
                id: rule.id.clone(),
                message: error.to_string(),
            })
        };
        let regex = match rule.search {
            Search::AtLiteral => build(&format!(r"\A(?:{})", rule.regex))?,
            Search::Around { .. } => build(&rule.regex)?,
        };
        if rule.group >= regex.captures_len() {
            return Err(SecretRuleError::NoGroup {
                file: file.to_owned(),
                id: rule.id.clone(),
                group: rule.group,
            });
        }
        let allow = rule
            .allow
            .iter()
            .map(|pattern| build(pattern))
            .collect::<Result<_, _>>()?;
        Ok(Compiled { rule, regex, allow })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[rule]]\nid = 'a'\ntitle = 't'\nwhy = 'w'\naction = 'a'\nseverity = 'high'\nliterals = ['ab_']\n";

    #[test]
    fn a_rule_is_read_and_its_form_begins_at_the_literal() {
        let set = RuleSet::parse(&format!("{ONE}regex = 'ab_[0-9]+'\n"), "r.toml").unwrap();
        let rule = set.get("a").unwrap();
        assert!(rule.regex.is_match(b"ab_12") && !rule.regex.is_match(b" ab_12"));
        assert_eq!(rule.rule.tier, Tier::Specific);
        assert!(set.get("b").is_none() && set.at(1).is_none() && set.iter().len() == 1);
    }

    #[test]
    fn broken_rules_say_where() {
        let error = |tail: &str| RuleSet::parse(&format!("{ONE}{tail}"), "r.toml").unwrap_err();
        assert!(error("no = 1\n").to_string().starts_with("r.toml:8: "));
        assert!(matches!(
            error("regex = '('\n"),
            SecretRuleError::Regex { .. }
        ));
        assert!(matches!(
            error("regex = 'a'\ngroup = 1\n"),
            SecretRuleError::NoGroup { .. }
        ));
        let twice = format!("regex = 'a'\n{ONE}regex = 'a'\n");
        assert!(matches!(error(&twice), SecretRuleError::Duplicate { .. }));
        let empty = ONE.replace("ab_", "") + "regex = 'a'\n";
        assert!(matches!(
            RuleSet::parse(&empty, "r.toml"),
            Err(SecretRuleError::NoLiteral { .. })
        ));
    }
}
