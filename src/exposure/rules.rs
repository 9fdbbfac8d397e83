//! The rules: what classes of exposure there are, as data.
//!
//! `signatures/exposure.toml` holds for each class its title, why it matters, what to do, how bad it is and under which
//! circumstances it is better or worse, and examples that must match and that must not. The program carries the file in
//! itself and shows it with `rules list`. How an artifact is *recognised* is code, because parsing is; what it *means* is
//! data, so that people can read it, argue with it and change it. Every circumstance that the code knows is named in the
//! file, and a test holds the two against each other.
//!
//! Left out: rules of the user's own, which come with the secret rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::record::{Certainty, Severity};

/// The files that the program carries, with their names in errors. The first holds the word lists.
const BUILTIN: [(&str, &str); 3] = [
    (
        include_str!("../../signatures/exposure.toml"),
        "signatures/exposure.toml",
    ),
    (
        include_str!("../../signatures/exposure-accounts.toml"),
        "signatures/exposure-accounts.toml",
    ),
    (
        include_str!("../../signatures/exposure-artifacts.toml"),
        "signatures/exposure-artifacts.toml",
    ),
];

/// What is said of classes that rules of the user's own make; each `id` is what such a class begins with.
const OF_USER: &str = include_str!("../../signatures/exposure-user.toml");

/// Least number of examples of each sort.
const MIN_EXAMPLES: usize = 2;

/// Why a rule file could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
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
    /// Too few examples to trust the rule.
    #[error(
        "{file}: rule `{id}` needs at least {MIN_EXAMPLES} examples under `matches` and {MIN_EXAMPLES} under `rejects`"
    )]
    FewExamples {
        /// Name of the file.
        file: String,
        /// The id.
        id: String,
    },
    /// An example's file that says nothing, or more than one thing, about its content.
    #[error("example file `{path}` needs exactly one of `text`, `base64` and `make`")]
    NoContent {
        /// Path of the file.
        path: String,
    },
    /// An example's file whose base64 is none.
    #[error("example file `{path}`: not valid base64: {message}")]
    Base64 {
        /// Path of the file.
        path: String,
        /// What the decoder says.
        message: String,
    },
    /// A generator that does not exist.
    #[error("unknown generator `{name}`; known ones: {known}")]
    UnknownGenerator {
        /// As written after `make`.
        name: String,
        /// All that exist.
        known: String,
    },
}

/// Which of the three kinds of results a rule gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// A function of the bytes alone.
    Content,
    /// Needs the locator or the container.
    Place,
    /// Needs more than one unit.
    Join,
}

/// One class of exposure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The class, as in records.
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
    /// What kind of result it is.
    pub kind: RuleKind,
    /// How bad it is under a circumstance (`declared-open`, `in-tests`, …).
    #[serde(default)]
    pub severities: BTreeMap<String, Severity>,
    /// Lists that the recognition uses.
    #[serde(default)]
    pub parameters: BTreeMap<String, Vec<String>>,
    /// Inputs in which it must be found.
    pub matches: Vec<Example>,
    /// Inputs in which it must not.
    pub rejects: Vec<Example>,
}

impl Rule {
    /// How bad it is under a circumstance; its plain severity where the rule does not name that one.
    pub fn severity_when(&self, circumstance: &str) -> Severity {
        self.severities
            .get(circumstance)
            .copied()
            .unwrap_or(self.severity)
    }

    /// A list of its parameters; empty where the rule has none of that name.
    pub fn parameter(&self, name: &str) -> &[String] {
        self.parameters.get(name).map_or(&[], Vec::as_slice)
    }
}

/// An input for a rule: the files of one package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub note: String,
    /// The severity that must come out; only for examples that match.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// A profile of an organisation, as `--org` takes it.
    #[serde(default)]
    pub organisation: Option<String>,
    /// The files.
    pub files: Vec<ExampleFile>,
}

/// A file of an example. Exactly one of `text`, `base64` and `make` gives its content.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleFile {
    /// Its path in the package.
    pub path: String,
    /// Its content as text.
    #[serde(default)]
    pub text: Option<String>,
    /// Its content in base64.
    #[serde(default)]
    pub base64: Option<String>,
    /// A generator of `samples` and its arguments, so that nothing that looks like a live secret is kept anywhere.
    #[serde(default)]
    pub make: Option<String>,
}

/// Word lists that several rules share. All lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Folders of tests, fixtures and examples.
    pub test_folders: Vec<String>,
    /// Values that stand for others.
    pub placeholder_values: BTreeSet<String>,
    /// Parts of values that stand for others.
    pub placeholder_parts: Vec<String>,
    /// Words of a setting's name that make it a secret; one with `_` counts anywhere in the name.
    pub secret_parts: Vec<String>,
    /// How the last word of a secret setting's name ends.
    pub secret_ends: Vec<String>,
    /// Last words of a name that only describe a secret.
    pub descriptive_ends: BTreeSet<String>,
    /// Words of a name that say it is made to be seen.
    pub public_parts: Vec<String>,
}

/// The shape of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    words: Words,
    rule: Vec<Rule>,
}

/// The shape of the files behind the first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoreRules {
    #[serde(default)]
    rule: Vec<Rule>,
}

fn read<T: serde::de::DeserializeOwned>(text: &str, file: &str) -> Result<T, RuleError> {
    toml::from_str(text).map_err(|error| {
        let before = text
            .as_bytes()
            .get(..error.span().map_or(0, |span| span.start))
            .unwrap_or_default();
        RuleError::Syntax {
            file: file.to_owned(),
            line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
            message: error.message().to_owned(),
        }
    })
}

/// Each id once, and enough examples for each.
fn check(rules: &[Rule], file: &str, ids: &mut BTreeSet<String>) -> Result<(), RuleError> {
    for rule in rules {
        let (file, id) = (file.to_owned(), rule.id.clone());
        if !ids.insert(id.clone()) {
            return Err(RuleError::Duplicate { file, id });
        }
        if rule.matches.len() < MIN_EXAMPLES || rule.rejects.len() < MIN_EXAMPLES {
            return Err(RuleError::FewExamples { file, id });
        }
    }
    Ok(())
}

/// All rules, of one file or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    rules: Vec<Rule>,
    /// Of classes that rules of the user's own make.
    of_user: Vec<Rule>,
    words: Words,
    digest: [u8; 32],
}

impl Rules {
    /// The rules that the program carries.
    ///
    /// # Panics
    /// Never in a build that passed its tests: the file is part of the program, and a test reads it.
    pub fn builtin() -> &'static Rules {
        static RULES: LazyLock<Rules> = LazyLock::new(|| match Rules::parse_all(&BUILTIN) {
            Ok(rules) => rules,
            Err(error) => panic!("the built-in rules are broken: {error}"),
        });
        &RULES
    }

    /// Reads a rule file.
    ///
    /// # Errors
    /// Text that is not TOML or not of the shape above, an id that is there twice, too few examples.
    pub fn parse(text: &str, file: &str) -> Result<Rules, RuleError> {
        Self::parse_all(&[(text, file)])
    }

    /// Reads several files as one; the first holds the word lists.
    fn parse_all(files: &[(&str, &str)]) -> Result<Rules, RuleError> {
        let (mut rules, mut words) = (Vec::new(), None);
        let mut ids = BTreeSet::new();
        let mut hasher = blake3::Hasher::new();
        for &(text, file) in files {
            let parsed = if words.is_none() {
                let whole: File = read(text, file)?;
                words = Some(whole.words);
                whole.rule
            } else {
                read::<MoreRules>(text, file)?.rule
            };
            check(&parsed, file, &mut ids)?;
            rules.extend(parsed);
            hasher.update(text.as_bytes());
        }
        let of_user = read::<MoreRules>(OF_USER, "signatures/exposure-user.toml")?.rule;
        hasher.update(OF_USER.as_bytes());
        // What the inventory looks for in other languages is a rule as well.
        hasher.update(super::inventory::PLACES.as_bytes());
        Ok(Rules {
            rules,
            of_user,
            words: words.unwrap_or_default(),
            digest: *hasher.finalize().as_bytes(),
        })
    }

    /// The rule of a class; of one that a rule of the user's own makes, what is said of all such.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        let of_user = || self.of_user.iter().find(|rule| id.starts_with(&rule.id));
        self.rules
            .iter()
            .find(|rule| rule.id == id)
            .or_else(of_user)
    }

    /// All rules, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter()
    }

    /// What is said of classes that rules of the user's own make: the id is what such a class begins with.
    pub fn of_user(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.of_user.iter()
    }

    /// The shared word lists.
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// BLAKE3 of the files' texts: results are comparable while it is the same.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::profile::Organisation;
    use crate::exposure::samples::example_files;

    #[test]
    fn the_builtin_rules_begin_with_the_classes_that_need_a_place() {
        let ids: Vec<&str> = Rules::builtin()
            .iter()
            .map(|rule| rule.id.as_str())
            .collect();
        let first = [
            "map-embedded-sources",
            "map-inline-sources",
            "map-names-only",
            "map-dangling-link",
            "nested-package-archive",
            "raw-sources",
            "dotenv",
            "private-key",
            "registry-token",
            "git-folder",
        ];
        assert!(ids.starts_with(&first), "{ids:?}");
        assert!(Rules::builtin().get("no-such-class").is_none());
        let of_user = Rules::builtin().get("yara:stealers/loader").unwrap();
        assert_eq!(of_user.id, crate::exposure::yara::CLASS_PREFIX);
        assert!(!ids.contains(&of_user.id.as_str()));
    }

    #[test]
    fn every_example_can_be_made() {
        for rule in Rules::builtin().iter() {
            for example in rule.matches.iter().chain(&rule.rejects) {
                let files = example_files(example)
                    .unwrap_or_else(|error| panic!("{}: {}: {error}", rule.id, example.note));
                assert!(!files.is_empty(), "{}: {}", rule.id, example.note);
                if let Some(profile) = &example.organisation {
                    Organisation::parse(profile, "example")
                        .unwrap_or_else(|error| panic!("{}: {error}", rule.id));
                }
            }
            for text in [&rule.title, &rule.why, &rule.action] {
                assert!(text.len() > 10, "{}", rule.id);
            }
        }
    }

    #[test]
    fn word_lists_are_lower_case() {
        let words = Rules::builtin().words();
        let all = words
            .test_folders
            .iter()
            .chain(&words.placeholder_values)
            .chain(&words.placeholder_parts);
        for word in all
            .chain(&words.secret_parts)
            .chain(&words.secret_ends)
            .chain(&words.descriptive_ends)
            .chain(&words.public_parts)
        {
            assert_eq!(*word, word.to_ascii_lowercase());
            assert!(!word.is_empty());
        }
    }

    #[test]
    fn the_file_holds_nothing_that_looks_like_a_secret() {
        for needle in ["PRIVATE KEY-----", "npm_", "pypi-Ag"] {
            assert!(
                BUILTIN.iter().all(|(text, _)| !text.contains(needle)),
                "{needle}"
            );
        }
    }

    #[test]
    fn broken_files_say_where() {
        let error = Rules::parse("[words]\nx = 1\n", "r.toml").unwrap_err();
        assert!(error.to_string().starts_with("r.toml:2: "), "{error}");
        let twice = format!(
            "{}\n{}",
            BUILTIN[0].0,
            &BUILTIN[0].0[BUILTIN[0].0.find("[[rule]]").unwrap()..]
        );
        assert!(matches!(
            Rules::parse(&twice, "r.toml"),
            Err(RuleError::Duplicate { .. })
        ));
    }
}
