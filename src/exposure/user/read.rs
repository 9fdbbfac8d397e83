//! Rule files of other programs: gitleaks' TOML, and the YAML of Kingfisher and Nosey Parker.
//!
//! Which of them a file is, its content says. Both become the same tree first, and then rules. A file may ask for more than is
//! done here, and what it asks for is never dropped in silence: each thing that is not honoured is noted with the rules
//! that ask for it, and the program says so before it scans. Not honoured are above all
//!
//! - allow-lists by path and by commit: they were made for work trees, and would hide what lies in packages;
//! - conditions on the path of a file, so that such a rule runs on everything, and rules that are nothing but a path;
//! - whatever needs the network or another rule's finding: validation, companions, revocation;
//! - files that a file is built upon, which can be given beside it.
//!
//! The files are the user's, and may come from anywhere all the same: depth, aliases, nodes and text of YAML are bounded
//! by its reader, which also refuses a file whose aliases multiply.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::dialect::Dialect;
use crate::record::Severity;

/// A larger file holds no rules; bytes.
pub const FILE_MAX_BYTES: u64 = 64 << 20;

/// A rule as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRule {
    /// Its id.
    pub id: String,
    /// What it finds.
    pub title: String,
    /// Its expression.
    pub pattern: String,
    /// Whose expression that is.
    pub dialect: Dialect,
    /// The group that is the secret, where the file says so.
    pub group: Option<usize>,
    /// Entropy that the secret must exceed, in bits a byte.
    pub entropy: f64,
    /// One of these stands in the text, in lower case.
    pub keywords: Vec<String>,
    /// What is none.
    pub allow: Vec<Allow>,
    /// What the secret must hold.
    pub needs: Needs,
    /// How bad.
    pub severity: Severity,
    /// Texts that it must find something in.
    pub examples: Vec<String>,
    /// Texts that it must not.
    pub rejects: Vec<String>,
}

/// Part of an allow-list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Allow {
    /// All that is said must hold, and not any of it.
    pub all: bool,
    /// What expressions are held against.
    pub target: Target,
    /// Expressions.
    pub patterns: Vec<String>,
    /// Words, in lower case, that the secret holds.
    pub words: Vec<String>,
}

/// What the expressions of an allow-list are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Target {
    /// The secret.
    #[default]
    Secret,
    /// The whole match.
    Match,
    /// The lines that the match stands on.
    Line,
}

/// What a secret must hold, at least, and must not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Digits.
    pub digits: usize,
    /// Capital letters.
    pub upper: usize,
    /// Small letters.
    pub lower: usize,
    /// Marks.
    pub marks: usize,
    /// Which marks those are; all, where it is empty.
    pub which_marks: String,
    /// In lower case; a secret that holds one of these is none.
    pub without: Vec<String>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleFile {
    /// What kind of file it is, for people.
    pub kind: &'static str,
    /// Its rules.
    pub rules: Vec<FileRule>,
    /// What it asks for and does not get, and the rules that ask.
    pub notes: BTreeMap<String, Vec<String>>,
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Neither of both.
    #[error("it is neither gitleaks' TOML nor the YAML of Kingfisher or Nosey Parker: {0}")]
    Neither(String),
    /// No TOML.
    #[error("it is no TOML: {0}")]
    Toml(String),
    /// No YAML, or more of it than anybody writes.
    #[error("it is no YAML: {0}")]
    Yaml(String),
    /// Not text.
    #[error("it is not text in UTF-8")]
    NotText,
    /// A rule lacks something.
    #[error("rule {number} ({id}) has no {what}")]
    Missing {
        /// Its number, from 1.
        number: usize,
        /// Its id, where it has one.
        id: String,
        /// What it lacks.
        what: &'static str,
    },
}

/// Reads a rule file.
///
/// # Errors
/// When it is something else, or a rule lacks its id or its expression.
pub fn read(bytes: &[u8]) -> Result<RuleFile, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| ReadError::NotText)?;
    let is_toml = text
        .lines()
        .any(|line| line.trim_start().starts_with("[[rules") || line.trim() == "[extend]");
    let tree: Value = if is_toml {
        toml::from_str(text).map_err(|error| ReadError::Toml(one_line(error.message())))?
    } else {
        let options = serde_saphyr::options! { with_snippet: false };
        serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| ReadError::Yaml(one_line(&error.to_string())))?
    };
    let Value::Object(tree) = tree else {
        return Err(ReadError::Neither("it holds no fields".to_owned()));
    };
    let mut file = RuleFile {
        kind: if is_toml {
            "gitleaks"
        } else {
            "Kingfisher or Nosey Parker"
        },
        ..RuleFile::default()
    };
    let rules = match tree.get("rules") {
        Some(Value::Array(rules)) => rules.as_slice(),
        None if is_toml => &[],
        _ => return Err(ReadError::Neither("it has no list of `rules`".to_owned())),
    };
    let everywhere = if is_toml {
        file.read_head(&tree)
    } else {
        Vec::new()
    };
    for (rule, number) in rules.iter().zip(1..) {
        let Value::Object(rule) = rule else {
            return Err(missing(number, "", "fields"));
        };
        if is_toml {
            file.read_gitleaks(rule, number, &everywhere)?;
        } else {
            file.read_kingfisher(rule, number)?;
        }
    }
    Ok(file)
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn missing(number: usize, id: &str, what: &'static str) -> ReadError {
    ReadError::Missing {
        number,
        id: if id.is_empty() { "without id" } else { id }.to_owned(),
        what,
    }
}

impl RuleFile {
    fn note(&mut self, what: impl Into<String>, id: &str) {
        self.notes
            .entry(what.into())
            .or_default()
            .push(id.to_owned());
    }

    /// Notes the fields that are not known here.
    fn note_others(&mut self, fields: &Map<String, Value>, known: &[&str], id: &str) {
        for key in fields.keys().filter(|key| !known.contains(&key.as_str())) {
            self.note(format!("`{}`", crate::blob::locator::shown(key)), id);
        }
    }

    /// What a gitleaks file says beside its rules: the allow-lists that hold for all or some of them.
    fn read_head(&mut self, tree: &Map<String, Value>) -> Vec<(Vec<String>, Allow)> {
        const KNOWN: &[&str] = &[
            "title",
            "description",
            "rules",
            "allowlist",
            "allowlists",
            "minVersion",
        ];
        self.note_others(tree, KNOWN, "the file");
        let mut lists = Vec::new();
        for list in lists_of(tree) {
            let targets = texts(list.get("targetRules"));
            if let Some(allow) = self.allow(list, "the file") {
                lists.push((targets, allow));
            }
        }
        lists
    }

    fn read_gitleaks(
        &mut self,
        fields: &Map<String, Value>,
        number: usize,
        everywhere: &[(Vec<String>, Allow)],
    ) -> Result<(), ReadError> {
        const KNOWN: &[&str] = &[
            "id",
            "description",
            "regex",
            "secretGroup",
            "entropy",
            "keywords",
            "tags",
            "path",
            "allowlist",
            "allowlists",
            "skipReport",
        ];
        let id = text(fields, "id").ok_or_else(|| missing(number, "", "id"))?;
        self.note_others(fields, KNOWN, &id);
        let has_path = fields.contains_key("path");
        let Some(pattern) = text(fields, "regex") else {
            if has_path {
                self.note("rules that are nothing but a path (left out)", &id);
                return Ok(());
            }
            return Err(missing(number, &id, "regex"));
        };
        if fields.get("skipReport") == Some(&Value::Bool(true)) {
            self.note("rules that are not to be reported (left out)", &id);
            return Ok(());
        }
        if has_path {
            self.note("conditions on the path (the rule runs on everything)", &id);
        }
        let own = lists_of(fields).into_iter();
        let own: Vec<Allow> = own.filter_map(|list| self.allow(list, &id)).collect();
        let shared = everywhere
            .iter()
            .filter(|(targets, _)| targets.is_empty() || targets.contains(&id));
        let group = fields.get("secretGroup").and_then(Value::as_u64);
        self.rules.push(FileRule {
            title: text(fields, "description").unwrap_or_default(),
            pattern,
            dialect: Dialect::Go,
            group: group
                .and_then(|group| usize::try_from(group).ok())
                .filter(|&group| group > 0),
            entropy: fields.get("entropy").and_then(Value::as_f64).unwrap_or(0.0),
            keywords: lower(texts(fields.get("keywords"))),
            allow: own
                .into_iter()
                .chain(shared.map(|(_, allow)| allow.clone()))
                .collect(),
            needs: Needs::default(),
            severity: Severity::High,
            examples: Vec::new(),
            rejects: Vec::new(),
            id,
        });
        Ok(())
    }

    /// An allow-list, as far as it is honoured: what asks for a path or a commit beside something else cannot hold.
    fn allow(&mut self, fields: &Map<String, Value>, id: &str) -> Option<Allow> {
        const KNOWN: &[&str] = &[
            "description",
            "condition",
            "regexTarget",
            "regexes",
            "stopwords",
            "paths",
            "commits",
            "targetRules",
        ];
        self.note_others(fields, KNOWN, id);
        let all = text(fields, "condition")
            .is_some_and(|word| word.eq_ignore_ascii_case("and") || word == "&&");
        let mut is_apart = false;
        for (key, what) in [
            ("paths", "allow-lists by path"),
            ("commits", "allow-lists by commit"),
        ] {
            if !texts(fields.get(key)).is_empty() {
                self.note(what, id);
                is_apart = true;
            }
        }
        if all && is_apart {
            return None;
        }
        let allow = Allow {
            all,
            target: match text(fields, "regexTarget").as_deref() {
                Some("match") => Target::Match,
                Some("line") => Target::Line,
                _ => Target::Secret,
            },
            patterns: texts(fields.get("regexes")),
            words: lower(texts(fields.get("stopwords"))),
        };
        (!allow.patterns.is_empty() || !allow.words.is_empty()).then_some(allow)
    }

    fn read_kingfisher(
        &mut self,
        fields: &Map<String, Value>,
        number: usize,
    ) -> Result<(), ReadError> {
        const KNOWN: &[&str] = &[
            "name",
            "id",
            "pattern",
            "keywords",
            "min_entropy",
            "confidence",
            "examples",
            "negative_examples",
            "references",
            "categories",
            "description",
            "visible",
            "pattern_requirements",
            "prevalidated",
        ];
        let name = text(fields, "name").unwrap_or_default();
        let id = text(fields, "id").or_else(|| (!name.is_empty()).then(|| name.clone()));
        let id = id.ok_or_else(|| missing(number, "", "id"))?;
        self.note_others(fields, KNOWN, &id);
        let pattern = text(fields, "pattern").ok_or_else(|| missing(number, &id, "pattern"))?;
        if fields.get("visible") == Some(&Value::Bool(false)) {
            self.note(
                "rules that are not to be shown by themselves (left out)",
                &id,
            );
            return Ok(());
        }
        let needs = self.needs(fields.get("pattern_requirements"), &id);
        self.rules.push(FileRule {
            title: name,
            pattern,
            dialect: Dialect::Rust,
            group: None,
            entropy: fields
                .get("min_entropy")
                .and_then(Value::as_f64)
                .unwrap_or(0.0),
            keywords: lower(texts(fields.get("keywords"))),
            allow: Vec::new(),
            needs,
            severity: match text(fields, "confidence").as_deref() {
                Some("low") => Severity::Medium,
                _ => Severity::High,
            },
            examples: texts(fields.get("examples")),
            rejects: texts(fields.get("negative_examples")),
            id,
        });
        Ok(())
    }

    fn needs(&mut self, fields: Option<&Value>, id: &str) -> Needs {
        const KNOWN: &[&str] = &[
            "min_digits",
            "min_uppercase",
            "min_lowercase",
            "min_special_chars",
            "special_chars",
            "ignore_if_contains",
        ];
        let Some(Value::Object(fields)) = fields else {
            return Needs::default();
        };
        for key in fields.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
            self.note(
                format!(
                    "`pattern_requirements.{}`",
                    crate::blob::locator::shown(key)
                ),
                id,
            );
        }
        let count = |key: &str| {
            let count = fields.get(key).and_then(Value::as_u64).unwrap_or(0);
            usize::try_from(count).unwrap_or(usize::MAX)
        };
        Needs {
            digits: count("min_digits"),
            upper: count("min_uppercase"),
            lower: count("min_lowercase"),
            marks: count("min_special_chars"),
            which_marks: text(fields, "special_chars").unwrap_or_default(),
            without: lower(texts(fields.get("ignore_if_contains"))),
        }
    }
}

/// The allow-lists of a file or a rule, in the old form and the new one.
fn lists_of(fields: &Map<String, Value>) -> Vec<&Map<String, Value>> {
    let mut lists = Vec::new();
    for key in ["allowlist", "allowlists"] {
        match fields.get(key) {
            Some(Value::Object(one)) => lists.push(one),
            Some(Value::Array(many)) => lists.extend(many.iter().filter_map(Value::as_object)),
            _ => {}
        }
    }
    lists
}

fn text(fields: &Map<String, Value>, key: &str) -> Option<String> {
    fields.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(many)) => many
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

fn lower(texts: Vec<String>) -> Vec<String> {
    texts
        .into_iter()
        .map(|text| text.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GITLEAKS: &str = r#"
title = "ours"
[extend]
useDefault = true
[allowlist]
paths = ['''node_modules''']
regexes = ['''EXAMPLE''']
[[rules]]
id = "acme"
description = "A token"
regex = '''acme_([a-z0-9]{8})'''
entropy = 2.5
keywords = ["ACME_"]
path = '''\.js$'''
[[rules.allowlists]]
condition = "AND"
regexTarget = "line"
regexes = ['''x''']
stopwords = ["Test"]
[[rules]]
id = "file"
path = '''\.p12$'''
[[rules]]
id = "helper"
regex = '''x'''
skipReport = true
"#;

    #[test]
    fn gitleaks_files_are_read_and_what_is_not_honoured_is_noted() {
        let file = read(GITLEAKS.as_bytes()).unwrap();
        assert_eq!(file.kind, "gitleaks");
        let [rule] = &file.rules[..] else {
            panic!("{:?}", file.rules)
        };
        assert_eq!((rule.id.as_str(), rule.entropy), ("acme", 2.5));
        assert_eq!(rule.keywords, ["acme_"]);
        assert_eq!(rule.allow.len(), 2);
        assert!(rule.allow[0].all && rule.allow[0].target == Target::Line);
        assert_eq!(rule.allow[0].words, ["test"]);
        let notes: Vec<&str> = file.notes.keys().map(String::as_str).collect();
        assert_eq!(
            notes,
            [
                "`extend`",
                "allow-lists by path",
                "conditions on the path (the rule runs on everything)",
                "rules that are not to be reported (left out)",
                "rules that are nothing but a path (left out)",
            ]
        );
    }

    const KINGFISHER: &str = "
rules:
- name: A token
  id: acme.1
  pattern: |
    (?x) acme_ ([a-z0-9]{8})
  min_entropy: 3
  confidence: low
  pattern_requirements:
    min_digits: 2
    checksum: { a: b }
  examples: ['acme_abcd1234']
  negative_examples:
  - acme
  validation: { type: Http }
- name: hidden
  id: acme.2
  pattern: x
  visible: false
";

    #[test]
    fn kingfisher_files_are_read_too() {
        let file = read(KINGFISHER.as_bytes()).unwrap();
        let [rule] = &file.rules[..] else {
            panic!("{:?}", file.rules)
        };
        assert_eq!((rule.id.as_str(), rule.entropy), ("acme.1", 3.0));
        assert_eq!(rule.severity, Severity::Medium);
        assert_eq!(
            (rule.needs.digits, rule.examples.len(), rule.rejects.len()),
            (2, 1, 1)
        );
        let notes: Vec<&str> = file.notes.keys().map(String::as_str).collect();
        assert_eq!(
            notes,
            [
                "`pattern_requirements.checksum`",
                "`validation`",
                "rules that are not to be shown by themselves (left out)",
            ]
        );
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "x",
            "a: 1",
            "rules: 1",
            "rules: [1]",
            "[[rules]]\nid=1",
            "rules:\n- id: x",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(read(b"\xff"), Err(ReadError::NotText));
        let error = read(b"[[rules]]\nid='x'\n").unwrap_err();
        assert_eq!(error.to_string(), "rule 1 (x) has no regex");
    }

    #[test]
    fn hostile_yaml_is_refused_and_costs_little() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{},", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
        }
        bomb.push_str("rules: *a11\n");
        assert!(matches!(read(bomb.as_bytes()), Err(ReadError::Yaml(_))));
        let deep = format!("rules: {}", "[".repeat(100_000));
        assert!(matches!(read(deep.as_bytes()), Err(ReadError::Yaml(_))));
        let deep = format!("[[rules]]\nid = {}", "[".repeat(100_000));
        assert!(matches!(read(deep.as_bytes()), Err(ReadError::Toml(_))));
    }
}
