//! What the inventory of scripts looks for, as data.
//!
//! `signatures/inventory.toml` names kits, modules, callees and words, and is part of the program. Each rule carries
//! examples in code that must give an item and that must not; a test runs them all, and so does `rules test`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::super::{Confidence, ItemFact, KINDS};

const FILE: &str = include_str!("../../../../signatures/inventory.toml");

/// Everything in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signatures {
    /// Words that decide.
    pub words: Words,
    /// Calls.
    pub call: Vec<CallRule>,
    /// Properties of objects.
    pub property: Vec<PropertyRule>,
    /// Providers by their modules.
    pub provider: Vec<Provider>,
    /// The rules of each callee's last name.
    #[serde(skip)]
    by_tail: HashMap<String, Vec<(usize, usize)>>,
    /// The rules of each property's name.
    #[serde(skip)]
    by_key: HashMap<String, Vec<usize>>,
}

/// Word lists; what each is for stands in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "said in the file")]
pub struct Words {
    pub gate: Vec<String>,
    pub not_gates: HashSet<String>,
    pub gate_words: Vec<String>,
    pub gate_name_words: HashSet<String>,
    pub gate_asking: HashSet<String>,
    pub gate_owners: HashSet<String>,
    pub gate_verbs: HashSet<String>,
    pub gate_modules: Vec<String>,
    pub switch_words: Vec<String>,
    pub command_modules: Vec<String>,
    pub prompt_names: Vec<String>,
    pub prompt_words: Vec<String>,
    pub prompt_marks: Vec<String>,
    pub telemetry_owners: Vec<String>,
    pub telemetry_verbs: Vec<String>,
    pub models: Vec<String>,
    pub models_whole: HashSet<String>,
    pub controls: Vec<String>,
}

/// A function or method whose argument says something.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRule {
    /// Id of the rule.
    pub id: String,
    /// Kind of the items.
    pub kind: String,
    /// Whose call it is; told in the detail.
    pub about: String,
    /// Modules that it comes from.
    #[serde(default)]
    pub modules: Vec<String>,
    /// How it is called.
    pub calls: Vec<String>,
    /// Whether the name itself must come from such a module.
    #[serde(default)]
    pub bound: bool,
    /// The argument that names the item.
    #[serde(default)]
    pub argument: usize,
    /// What the argument must look like.
    #[serde(default)]
    pub shape: Shape,
    /// The value that is told in place of the argument.
    pub says: Option<String>,
    /// How the argument must have been made.
    #[serde(default)]
    pub needs: Needs,
    /// How sure it is where the text loads such a module.
    pub with: Option<Sure>,
    /// How sure it is where it does not.
    pub without: Option<Sure>,
    /// Code that must give an item.
    pub matches: Vec<Match>,
    /// Code that must not.
    pub rejects: Vec<String>,
}

/// A property of an object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropertyRule {
    /// Id of the rule.
    pub id: String,
    /// Kind of the items.
    pub kind: String,
    /// What it is; told in the detail.
    pub about: String,
    /// Its name.
    pub key: String,
    /// What it must be.
    pub is: Is,
    /// The value that is told in place of the property's.
    pub says: Option<String>,
    /// How sure it is.
    pub confidence: Sure,
    /// Code that must give an item.
    pub matches: Vec<Match>,
    /// Code that must not.
    pub rejects: Vec<String>,
}

/// Whose services a program uses, by its modules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Modules of its kits.
    pub modules: Vec<String>,
}

/// An example that must give an item.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The code.
    pub code: String,
    /// The value of the item.
    pub value: String,
}

/// What an argument looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Anything.
    #[default]
    Any,
    /// A name without blanks.
    Key,
    /// A name that may hold blanks.
    Event,
    /// A path that begins with `/`.
    Path,
    /// A name of letters, digits, `_`, `-` and `.`.
    Table,
}

/// How an argument was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// In any way.
    #[default]
    Any,
    /// At run time.
    Dynamic,
    /// Written down.
    Literal,
}

/// What a property is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Is {
    /// `true`.
    True,
    /// `false`.
    False,
    /// A string.
    String,
}

/// A [`Confidence`], as the file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "as there")]
pub enum Sure {
    Low,
    Medium,
    High,
}

impl From<Sure> for Confidence {
    fn from(sure: Sure) -> Self {
        match sure {
            Sure::Low => Confidence::Low,
            Sure::Medium => Confidence::Medium,
            Sure::High => Confidence::High,
        }
    }
}

/// One rule with its examples, for those who list and test them.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Id.
    pub id: &'static str,
    /// Kind of the items.
    pub kind: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Code that must give an item of this value.
    pub matches: Vec<(&'static str, &'static str)>,
    /// Code that must not give any.
    pub rejects: Vec<&'static str>,
}

impl Signatures {
    /// Those that the program carries.
    ///
    /// # Panics
    /// Never in a build that passed its tests: the file is part of the program, and a test reads it.
    pub fn builtin() -> &'static Signatures {
        static SIGNATURES: LazyLock<Signatures> =
            LazyLock::new(|| match toml::from_str::<Signatures>(FILE) {
                Ok(signatures) => signatures.indexed(),
                Err(error) => {
                    panic!("the built-in signatures of the inventory are broken: {error}")
                }
            });
        &SIGNATURES
    }

    /// BLAKE3 of the file: items are comparable while it is the same.
    pub fn digest() -> [u8; 32] {
        *blake3::hash(FILE.as_bytes()).as_bytes()
    }

    fn indexed(mut self) -> Self {
        for (index, rule) in self.call.iter().enumerate() {
            for (place, call) in rule.calls.iter().enumerate() {
                let tail = call.rsplit(['.', ' ']).next().unwrap_or(call);
                self.by_tail
                    .entry(tail.to_owned())
                    .or_default()
                    .push((index, place));
            }
        }
        for (index, rule) in self.property.iter().enumerate() {
            self.by_key.entry(rule.key.clone()).or_default().push(index);
        }
        self
    }

    /// The rules of calls with this last name, each with how it says the callee.
    pub(super) fn calls(&self, tail: &str) -> impl Iterator<Item = (&CallRule, &str)> {
        let places = self.by_tail.get(tail).into_iter().flatten();
        places.filter_map(|&(rule, place)| {
            let rule = self.call.get(rule)?;
            Some((rule, rule.calls.get(place)?.as_str()))
        })
    }

    /// The rules of properties with this name.
    pub(super) fn properties(&self, key: &str) -> impl Iterator<Item = &PropertyRule> {
        let places = self.by_key.get(key).into_iter().flatten();
        places.filter_map(|&index| self.property.get(index))
    }

    /// Words of which a text must hold one to be worth parsing, letter case apart: those of the file, and the names of
    /// what is called and set.
    pub(super) fn gate_words(&self) -> impl Iterator<Item = &str> {
        let words = self.words.gate.iter();
        let calls = self.call.iter().filter(|rule| rule.without.is_some());
        let calls = calls.flat_map(|rule| rule.calls.iter());
        let keys = self.property.iter().map(|rule| &rule.key);
        let modules = self.call.iter().flat_map(|rule| rule.modules.iter());
        let modules = modules.chain(
            self.provider
                .iter()
                .flat_map(|provider| provider.modules.iter()),
        );
        let modules = modules
            .map(|module| module.trim_end_matches('*'))
            .filter(|module| module.len() > 4);
        words
            .chain(calls)
            .chain(keys)
            .map(String::as_str)
            .chain(modules)
    }

    /// All rules with their examples.
    pub fn shown(&'static self) -> Vec<Shown> {
        let calls = self.call.iter().map(|rule| {
            let (id, kind, about) = (&rule.id, &rule.kind, &rule.about);
            shown(id, kind, about, &rule.matches, &rule.rejects)
        });
        let properties = self.property.iter().map(|rule| {
            let (id, kind, about) = (&rule.id, &rule.kind, &rule.about);
            shown(id, kind, about, &rule.matches, &rule.rejects)
        });
        calls.chain(properties).collect()
    }
}

fn shown(
    id: &'static str,
    kind: &'static str,
    about: &'static str,
    matches: &'static [Match],
    rejects: &'static [String],
) -> Shown {
    Shown {
        id,
        kind,
        about,
        matches: matches
            .iter()
            .map(|one| (one.code.as_str(), one.value.as_str()))
            .collect(),
        rejects: rejects.iter().map(String::as_str).collect(),
    }
}

/// What is wrong with the examples of a rule; a line for each.
pub fn failures(rule: &Shown) -> Vec<String> {
    let told = |code: &str| -> Vec<ItemFact> {
        let mut items = super::items(code.as_bytes());
        items.retain(|item| {
            let detail = item.detail.as_deref().unwrap_or_default();
            item.kind == rule.kind && detail.starts_with(rule.about)
        });
        items
    };
    let missed = rule
        .matches
        .iter()
        .filter(|(code, value)| !told(code).iter().any(|item| item.value == *value));
    let missed = missed.map(|(code, value)| format!("{}: `{code}` must give `{value}`", rule.id));
    let wrong = rule.rejects.iter().filter(|code| !told(code).is_empty());
    let wrong = wrong.map(|code| format!("{}: `{code}` must give no {}", rule.id, rule.kind));
    missed.chain(wrong).collect()
}

/// The kind of this name, for good.
pub(super) fn kind(name: &str) -> &'static str {
    KINDS
        .iter()
        .find(|(kind, _)| *kind == name)
        .map_or("flag", |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_of_every_rule_says_what_it_must() {
        let rules = Signatures::builtin().shown();
        assert!(rules.len() > 25);
        let failures: Vec<String> = rules.iter().flat_map(failures).collect();
        assert!(failures.is_empty(), "{failures:#?}");
    }

    #[test]
    fn every_rule_is_of_a_kind_and_has_examples() {
        let mut ids = std::collections::HashSet::new();
        for rule in Signatures::builtin().shown() {
            assert!(ids.insert(rule.id), "{} is there twice", rule.id);
            assert!(
                KINDS.iter().any(|(kind, _)| *kind == rule.kind),
                "{}: {}",
                rule.id,
                rule.kind
            );
            assert!(
                !rule.matches.is_empty() && !rule.rejects.is_empty(),
                "{}",
                rule.id
            );
        }
        for rule in &Signatures::builtin().call {
            assert!(
                rule.with.is_some() || rule.without.is_some(),
                "{} is never told",
                rule.id
            );
            assert!(
                rule.with.is_none() || !rule.modules.is_empty(),
                "{} knows no module",
                rule.id
            );
        }
    }
}
