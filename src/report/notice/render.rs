//! Texts of notices: templates in, one text for each question and the whole.
//!
//! Templates belong to the user as much as to the program: a folder (`--templates`) replaces any by its file's name. They are
//! rendered with fields that must exist (a slip is an error that names the fields there are), with bounded work, and with
//! values that are inert already. What a template says is not looked at: `notice lint` does that.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde_json::Value;
use thiserror::Error;

use super::drafts::Draft;
use super::hosts::Host;
use crate::report::text::{grouped, percent, plural, size};

/// Instructions that one template may take, for each place of the notice beside a fixed share.
const FUEL: u64 = 5_000_000;
const FUEL_PER_FILE: u64 = 2_000;

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../signatures/notices/", $name)))),*]
    };
}
const BUILTIN: [(&str, &str); 22] = builtin![
    "accuracy.txt",
    "authority.txt",
    "bona-fide.txt",
    "circumvention.txt",
    "contact-signature.txt",
    "contact.txt",
    "exclusions.txt",
    "explanation.txt",
    "forks.txt",
    "good-faith.txt",
    "holder.txt",
    "licences.txt",
    "material.txt",
    "original-url.txt",
    "other-party.txt",
    "retraction.txt",
    "revised.txt",
    "service.txt",
    "signature.txt",
    "solution.txt",
    "statements-github.txt",
    "work.txt",
];

/// Why templates were refused.
#[derive(Debug, Error)]
pub enum TemplatesError {
    /// It is no template.
    #[error("the template {name} cannot be used: {reason}")]
    Broken {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// It names a field that there is not.
    #[error(
        "the template {name}, line {line}, names `{field}`, which there is not; known are: {known}"
    )]
    Unknown {
        /// Its name.
        name: String,
        /// Where.
        line: usize,
        /// What it names.
        field: String,
        /// What there is.
        known: String,
    },
    /// A host asks for one that there is not.
    #[error("the host {host} asks for the template {name}, which there is not; known are: {known}")]
    Missing {
        /// The host.
        host: String,
        /// The template.
        name: String,
        /// What there is.
        known: String,
    },
}

/// Templates by name.
#[derive(Debug, Clone)]
pub struct Templates {
    texts: BTreeMap<String, String>,
}

/// One part of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Name of its file, without ending.
    pub file: String,
    /// The question, or what it is.
    pub title: String,
    /// The text.
    pub text: String,
}

impl Part {
    /// The lines with how far each is set in, in steps; an empty one is a gap.
    #[must_use]
    pub fn lines(&self) -> Vec<(usize, &str)> {
        let line = |line: &'_ str| line.len() - line.trim_start_matches(' ').len();
        let lines = self.text.trim_end().lines();
        lines
            .map(|text| (line(text).div_ceil(2).min(2), text.trim_start_matches(' ')))
            .collect()
    }
}

/// A notice as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What it is called.
    pub title: String,
    /// Stamped on each page.
    pub stamps: Vec<String>,
    /// Its parts.
    pub parts: Vec<Part>,
}

impl Templates {
    /// Those of the program.
    #[must_use]
    pub fn builtin() -> Self {
        let texts = BUILTIN.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Self {
            texts: texts.into(),
        }
    }

    /// Puts one in, in place of that of the same name.
    pub fn add(&mut self, name: String, text: String) {
        self.texts.insert(name, text);
    }

    /// Renders a draft in the words of its host.
    ///
    /// # Errors
    /// When a template is missing, broken or names a field that there is not.
    pub fn render(&self, host: &Host, draft: &Draft) -> Result<Text, TemplatesError> {
        let mut parts = Vec::new();
        for part in &host.parts {
            let mut text = String::new();
            for name in std::iter::once(&part.template).chain(&part.also) {
                self.check_there(host, name)?;
                if !text.is_empty() {
                    text.push('\n');
                }
                text += &self.one(name, draft)?;
            }
            parts.push(Part {
                file: part.file.clone(),
                title: part.title.clone(),
                text,
            });
        }
        Ok(Text {
            title: draft.title(),
            stamps: draft
                .stamps
                .iter()
                .map(|stamp| super::inert::inert(stamp))
                .collect(),
            parts,
        })
    }

    fn check_there(&self, host: &Host, name: &str) -> Result<(), TemplatesError> {
        if self.texts.contains_key(name) {
            return Ok(());
        }
        let known: Vec<&str> = self.texts.keys().map(String::as_str).collect();
        Err(TemplatesError::Missing {
            host: host.id.clone(),
            name: name.to_owned(),
            known: known.join(", "),
        })
    }

    /// Renders what takes an earlier notice back.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn retraction(&self, draft: &Draft) -> Result<Text, TemplatesError> {
        let part = |file: &str, title: &str, template: &str| {
            Ok(Part {
                file: file.to_owned(),
                title: title.to_owned(),
                text: self.one(template, draft)?,
            })
        };
        Ok(Text {
            title: super::inert::inert(&format!("Retraction to {}", draft.host_name)),
            stamps: draft.stamps.clone(),
            parts: vec![
                part("01-retraction", "What is taken back", "retraction.txt")?,
                part(
                    "02-signature",
                    "Contact and signature",
                    "contact-signature.txt",
                )?,
            ],
        })
    }

    /// Renders one template.
    pub(super) fn one(&self, name: &str, draft: &Draft) -> Result<String, TemplatesError> {
        let source = self.texts.get(name).map_or("", String::as_str);
        let files: usize = draft.items.iter().map(|item| item.files.len() + 1).sum();
        let fuel = FUEL.saturating_add(FUEL_PER_FILE.saturating_mul(files as u64));
        rendered(name, source, &draft.context, fuel)
    }
}

/// Renders a template of the user's or of the program, with bounded work and with fields that must exist.
///
/// # Errors
/// When it is broken, takes too much, or names a field that there is not.
pub(in crate::report) fn rendered(
    name: &str,
    source: &str,
    context: &Value,
    fuel: u64,
) -> Result<String, TemplatesError> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_debug(true);
    environment.set_fuel(Some(fuel));
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("num", grouped);
    environment.add_filter("size", size);
    environment.add_filter("plural", |number: u64, one: &str, many: &str| {
        plural(number, one, many)
    });
    environment.add_filter("percent", percent);
    environment.add_filter("join", minijinja::filters::join);
    environment.add_filter("length", minijinja::filters::length);
    environment.add_test("none", minijinja::tests::is_none);
    let broken = |error: &minijinja::Error| TemplatesError::Broken {
        name: name.to_owned(),
        reason: error.to_string(),
    };
    environment
        .add_template(name, source)
        .map_err(|error| broken(&error))?;
    let template = environment
        .get_template(name)
        .map_err(|error| broken(&error))?;
    let known = known_fields(context);
    let is_known = |field: &str| {
        let below = format!("{field}.");
        known.contains(field) || known.iter().any(|known| known.starts_with(&below))
    };
    let mut asked: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    asked.sort();
    let unknown = |field: &str, line: usize| TemplatesError::Unknown {
        name: name.to_owned(),
        line,
        field: field.to_owned(),
        known: known.iter().cloned().collect::<Vec<_>>().join(", "),
    };
    if let Some(field) = asked.iter().find(|field| !is_known(field)) {
        let last = field.rsplit('.').next().unwrap_or(field);
        let line = source.lines().position(|line| line.contains(last));
        return Err(unknown(field, line.map_or(1, |line| line + 1)));
    }
    let context = minijinja::Value::from(minijinja::value::Serde(context));
    template.render(context).map_err(|error| {
        let field = error.range().and_then(|range| source.get(range));
        match field {
            Some(field) if error.kind() == ErrorKind::UndefinedError => {
                unknown(field, error.line().unwrap_or(1))
            }
            _ => broken(&error),
        }
    })
}

/// The fields of a context: `work.name`, and of what there are several `items[].url`.
fn known_fields(context: &Value) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    note_fields(context, "", &mut out);
    out
}

fn note_fields(value: &Value, name: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = match name {
                    "" => key.clone(),
                    name => format!("{name}.{key}"),
                };
                note_fields(value, &name, out);
            }
        }
        Value::Array(values) => {
            out.insert(name.to_owned());
            // What stands in a list is alike: its first says which fields there are.
            if let Some(first @ Value::Object(_)) = values.first() {
                note_fields(first, &format!("{name}[]"), out);
            }
        }
        _ => drop(out.insert(name.to_owned())),
    }
}

impl Text {
    /// All of it, for pasting into a mail.
    #[must_use]
    pub fn whole(&self) -> String {
        let mut out = format!("{}{}\n\n", self.stamped(), self.title);
        for (number, part) in (1..).zip(&self.parts) {
            out += &format!("{number}. {}\n\n{}\n", part.title, part.text.trim_end());
            out.push('\n');
            if !self.stamps.is_empty() {
                out += &self.stamped();
            }
        }
        out
    }

    /// One part, for pasting into a form.
    #[must_use]
    pub fn part(&self, part: &Part) -> String {
        format!("{}{}\n", self.stamped(), part.text.trim_end())
    }

    fn stamped(&self) -> String {
        if self.stamps.is_empty() {
            return String::new();
        }
        format!("*** {} ***\n\n", self.stamps.join(" *** "))
    }
}
