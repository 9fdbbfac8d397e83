//! Where literals stand that name something, as data.
//!
//! `signatures/inventory-tokens.toml` is part of the program. Each rule carries examples in code that must give an item
//! and that must not; a test runs them all.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::exposure::inventory::Confidence;
use crate::lex::Family;

/// The rules as they are written.
pub(in crate::exposure) const FILE: &str =
    include_str!("../../../../signatures/inventory-tokens.toml");

/// All rules, by family.
#[derive(Debug, Default)]
pub(in crate::exposure::inventory) struct Places {
    of: Vec<(Family, Vec<Place>)>,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    place: Vec<Place>,
}

/// A place of literals.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::exposure::inventory) struct Place {
    /// Id of the rule.
    pub id: String,
    /// Kind of the items.
    pub kind: String,
    families: Vec<String>,
    /// Where the literal stands.
    pub at: At,
    names: Vec<String>,
    /// Which argument it is; absent, any.
    pub argument: Option<usize>,
    /// What it must look like.
    pub shape: Shape,
    /// The next literal is what is taken where the name is not set.
    #[serde(default)]
    pub default: bool,
    /// How sure it is.
    pub confidence: Sure,
    /// Code that must give an item.
    pub matches: Vec<Example>,
    /// Code that must not.
    pub rejects: Vec<String>,
}

/// Code, and the value that it must give.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::exposure::inventory) struct Example {
    /// The code.
    pub code: String,
    /// The value.
    pub value: String,
}

/// Where a literal stands; each word is said in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::exposure::inventory) enum At {
    Call,
    Mark,
    Index,
    Key,
    Word,
}

/// What a literal must look like; each word is said in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::exposure::inventory) enum Shape {
    Name,
    Dashes,
    Path,
    Route,
    Word,
    Setting,
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::exposure::inventory) enum Sure {
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

impl Places {
    /// The rules that are part of the program.
    pub(in crate::exposure::inventory) fn builtin() -> &'static Places {
        static BUILTIN: LazyLock<Places> = LazyLock::new(|| {
            // A file that cannot be read gives no rules; the test below reads it.
            let places = toml::from_str::<File>(FILE)
                .map(|file| file.place)
                .unwrap_or_default();
            let of = |family: Family| {
                let word = format!("{family:?}").to_ascii_lowercase();
                let own = places.iter().filter(|place| place.families.contains(&word));
                (family, own.cloned().collect())
            };
            Places {
                of: Family::ALL.map(of).into(),
            }
        });
        &BUILTIN
    }

    /// Those of one family.
    pub(in crate::exposure::inventory) fn of(&self, family: Family) -> &[Place] {
        let own = self.of.iter().find(|(own, _)| *own == family);
        own.map_or(&[], |(_, places)| places)
    }
}

impl Place {
    /// Whether a chain of names is one of the rule's, or ends with one.
    pub(in crate::exposure::inventory) fn takes(&self, chain: &str) -> bool {
        self.names.iter().any(|name| {
            chain.strip_suffix(name.as_str()).is_some_and(|before| {
                before.is_empty() || before.ends_with(['.', ':']) || name.starts_with('.')
            })
        })
    }
}

impl Shape {
    /// What the literal says if it has the shape, and the default that it brings along.
    pub(in crate::exposure::inventory) fn value(
        self,
        literal: &str,
    ) -> Option<(&str, Option<&str>)> {
        match self {
            Shape::Name => is_variable(literal).then_some((literal, None)),
            Shape::Dashes => {
                let forms = literal
                    .split([',', ' ', '=', '/'])
                    .filter(|form| form.starts_with('-'));
                let longest = forms.max_by_key(|form| form.len())?;
                let name = longest.trim_start_matches('-');
                (name.len() > 1 && is_word(name)).then_some((name, None))
            }
            Shape::Path => {
                let is_path = literal.starts_with('/') && !literal.contains([' ', '\n', '\\']);
                is_path.then_some((literal, None))
            }
            Shape::Route => {
                let is_route = literal.contains('/')
                    && !literal.contains([' ', '\n'])
                    && !literal.contains("://")
                    && !literal.starts_with('.');
                is_route.then_some((literal, None))
            }
            Shape::Word => {
                let word = literal.split_ascii_whitespace().next()?;
                (is_word(word) && literal.len() <= 60).then_some((word, None))
            }
            Shape::Setting => {
                let inside = literal.split_once("${")?.1.split('}').next()?;
                let (name, default) = inside
                    .split_once(':')
                    .map_or((inside, None), |(name, default)| (name, Some(default)));
                let is_name = !name.is_empty()
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
                is_name.then_some((name, default))
            }
        }
    }
}

/// Capitals, digits and `_`, as environment variables are called.
pub(super) fn is_variable(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.bytes().any(|b| b.is_ascii_uppercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

/// A rule as it is shown.
#[derive(Debug)]
pub struct ShownPlace {
    /// Id.
    pub id: String,
    /// Kind of its items.
    pub kind: String,
    /// Where its literals stand.
    pub about: String,
    /// Examples.
    pub examples: u64,
    /// What is wrong with those; a line for each.
    pub failures: Vec<String>,
}

/// All rules, each with how its examples came out.
pub fn shown() -> Vec<ShownPlace> {
    let mut told = std::collections::BTreeSet::new();
    let all = Places::builtin().of.iter().flat_map(|(_, places)| places);
    let once = all.filter(|place| told.insert(place.id.clone()));
    once.map(|place| ShownPlace {
        id: place.id.clone(),
        kind: place.kind.clone(),
        about: format!("{}: {}", place.families.join(", "), place.names.join(" ")),
        examples: (place.matches.len() + place.rejects.len()) as u64,
        failures: failures(place),
    })
    .collect()
}

fn failures(place: &Place) -> Vec<String> {
    let values = |code: &str| -> Vec<String> {
        let items = crate::exposure::inventory::items_of(code.as_bytes()).into_iter();
        items
            .filter(|item| item.kind == place.kind)
            .map(|item| item.value)
            .collect()
    };
    let missed = place
        .matches
        .iter()
        .filter(|example| values(&example.code) != [example.value.clone()]);
    let missed = missed.map(|example| {
        format!(
            "{}: `{}` must give `{}`",
            place.id, example.code, example.value
        )
    });
    let wrong = place.rejects.iter().filter(|code| !values(code).is_empty());
    let wrong = wrong.map(|code| format!("{}: `{code}` must give no {}", place.id, place.kind));
    missed.chain(wrong).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::KINDS;
    use super::*;

    #[test]
    fn every_rule_gives_what_its_examples_say() {
        let file: File = toml::from_str(FILE).unwrap();
        for place in &file.place {
            assert!(
                KINDS.iter().any(|(kind, _)| *kind == place.kind),
                "{}",
                place.id
            );
            assert!(
                !place.matches.is_empty() && !place.rejects.is_empty(),
                "{}",
                place.id
            );
        }
        let shown = shown();
        assert_eq!(
            shown.len(),
            file.place.len(),
            "each is of a family, and no id is there twice"
        );
        let wrong: Vec<String> = shown.into_iter().flat_map(|place| place.failures).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
