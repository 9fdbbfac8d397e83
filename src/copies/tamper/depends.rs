//! Dependencies that a copy names and the original does not: neither its manifests nor its imports.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::bytes::Regex;
use serde_json::Value;

use super::install;
use super::pattern;
use super::rules::parameter;
use super::text::{Role, Take, Text, Thing};

/// Names this short are near to too many others.
const NEAR_LEAST: usize = 5;

/// A longer name is nobody's slip of a finger.
const NEAR_MOST: usize = 64;

/// A dependency as a manifest names it.
struct Dependency<'s> {
    ecosystem: &'static str,
    name: &'s str,
    /// The version, range or address.
    wanted: &'s str,
    at: Option<usize>,
}

/// Dependencies that manifests name.
pub(super) fn dependencies(text: &Text, take: Take<'_>) {
    let name = text.name();
    match name {
        "package.json" => json(text, "npm", NPM, take),
        "composer.json" => json(text, "composer", COMPOSER, take),
        "cargo.toml" | "pyproject.toml" | "pipfile" => toml(text, take),
        "go.mod" => lines(text, "go", &GO, take),
        "gemfile" => lines(text, "gem", &GEM, take),
        _ if name.starts_with("requirements") && name.ends_with(".txt") => {
            lines(text, "python", &PIP, take)
        }
        _ => {}
    }
}

/// Sections of manifests in JSON.
const NPM: &[&str] = &[
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "bundledDependencies",
    "bundleDependencies",
    "overrides",
    "resolutions",
];
const COMPOSER: &[&str] = &["require", "require-dev"];

fn json(text: &Text, ecosystem: &'static str, sections: &[&str], take: Take<'_>) {
    let Some(tree) = install::tree(text.bytes) else {
        return unparsed(text, ecosystem, take);
    };
    for section in sections {
        match tree.get(section) {
            Some(Value::Object(all)) => {
                for (name, wanted) in all {
                    let wanted = wanted.as_str().unwrap_or("");
                    told(
                        text,
                        &Dependency {
                            ecosystem,
                            name,
                            wanted,
                            at: None,
                        },
                        take,
                    );
                }
            }
            Some(Value::Array(all)) => {
                for name in all.iter().filter_map(Value::as_str) {
                    told(
                        text,
                        &Dependency {
                            ecosystem,
                            name,
                            wanted: "",
                            at: None,
                        },
                        take,
                    );
                }
            }
            _ => {}
        }
    }
}

/// A manifest that cannot be parsed: that is said once, and its addresses are hosts like others.
fn unparsed(text: &Text, ecosystem: &'static str, take: Take<'_>) {
    static LINE: LazyLock<Regex> = pattern!(
        r#""(?P<name>@?[a-z0-9][a-z0-9._/-]{1,100})"\s*:\s*"(?P<wanted>(?:[~^<>=v* ]{0,3}\d[^"\n]{0,40}|(?:git|https?|file|npm|github)[+:][^"\n]{1,200}))""#
    );
    for found in LINE.captures_iter(text.bytes) {
        let (Some(name), Some(wanted)) = (found.name("name"), found.name("wanted")) else {
            continue;
        };
        if let (Ok(name), Ok(wanted)) = (
            std::str::from_utf8(name.as_bytes()),
            std::str::from_utf8(wanted.as_bytes()),
        ) {
            told(
                text,
                &Dependency {
                    ecosystem,
                    name,
                    wanted,
                    at: Some(found.get(0).map_or(0, |all| all.start())),
                },
                take,
            );
        }
    }
}

/// Cargo, Poetry and PEP 621.
fn toml(text: &Text, take: Take<'_>) {
    /// A larger one is nobody's; bytes.
    const BYTES_MAX: usize = 1 << 20;
    let ecosystem = if text.name() == "cargo.toml" {
        "cargo"
    } else {
        "python"
    };
    let parsed = std::str::from_utf8(text.bytes)
        .ok()
        .filter(|all| all.len() <= BYTES_MAX);
    let Some(table) = parsed.and_then(|all| all.parse::<toml::Table>().ok()) else {
        return;
    };
    toml_tables(text, ecosystem, &table, 0, take);
    let project = table.get("project").and_then(toml::Value::as_table);
    let Some(project) = project else { return };
    let optional = project
        .get("optional-dependencies")
        .and_then(toml::Value::as_table);
    let groups = optional.into_iter().flat_map(|groups| groups.values());
    let lists = project
        .get("dependencies")
        .into_iter()
        .chain(groups)
        .filter_map(toml::Value::as_array);
    for wanted in lists.flatten().filter_map(toml::Value::as_str) {
        let end = wanted
            .find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))
            .unwrap_or(wanted.len());
        let (name, wanted) = wanted.split_at(end);
        told(
            text,
            &Dependency {
                ecosystem: "python",
                name,
                wanted: wanted.trim_start_matches([' ', '@']),
                at: None,
            },
            take,
        );
    }
}

/// Tables called `dependencies`, wherever (`[target.….dependencies]`, `[tool.poetry.group.….dependencies]`).
fn toml_tables(
    text: &Text,
    ecosystem: &'static str,
    table: &toml::Table,
    depth: usize,
    take: Take<'_>,
) {
    const DEPTH_MAX: usize = 6;
    for (key, value) in table {
        let Some(inner) = value
            .as_table()
            .filter(|_| depth < DEPTH_MAX && key != "project")
        else {
            continue;
        };
        let is_list =
            key.ends_with("dependencies") || matches!(key.as_str(), "packages" | "dev-packages");
        if !is_list {
            toml_tables(text, ecosystem, inner, depth + 1, take);
            continue;
        }
        for (name, wanted) in inner.iter().filter(|(name, _)| *name != "python") {
            let address = |wanted: &toml::Value| {
                let keys = ["git", "url"];
                keys.iter()
                    .find_map(|key| wanted.get(key)?.as_str().map(|at| format!("git+{at}")))
            };
            let wanted = address(wanted)
                .or_else(|| wanted.as_str().map(str::to_owned))
                .unwrap_or_default();
            told(
                text,
                &Dependency {
                    ecosystem,
                    name,
                    wanted: &wanted,
                    at: None,
                },
                take,
            );
        }
    }
}

static GO: LazyLock<Regex> = pattern!(
    r"(?m)^\s*(?:require\s+)?(?P<name>[a-z0-9][a-z0-9.-]*\.[a-z]{2,}/[^\s]{1,200})\s+(?P<wanted>v\S{1,80})"
);
static GEM: LazyLock<Regex> =
    pattern!(r#"(?m)^\s*gem\s+["'](?P<name>[A-Za-z0-9_.-]{1,100})["'](?P<wanted>[^\n]{0,200})"#);
static PIP: LazyLock<Regex> = pattern!(
    r"(?m)^\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,100})(?:\[[^\]\n]{0,80}\])?[ \t]*(?P<wanted>(?:[=<>!~@;][^\n]{0,300})?)$"
);

fn lines(text: &Text, ecosystem: &'static str, line: &Regex, take: Take<'_>) {
    for found in line.captures_iter(text.bytes) {
        let (Some(name), Some(wanted)) = (found.name("name"), found.name("wanted")) else {
            continue;
        };
        let at = Some(name.start());
        let (Ok(name), Ok(wanted)) = (
            std::str::from_utf8(name.as_bytes()),
            std::str::from_utf8(wanted.as_bytes()),
        ) else {
            continue;
        };
        let wanted = if ecosystem == "gem" && !wanted.contains("git") {
            ""
        } else {
            wanted.trim_start_matches(['@', ' ', ','])
        };
        told(
            text,
            &Dependency {
                ecosystem,
                name,
                wanted: wanted.trim(),
                at,
            },
            take,
        );
    }
}

/// Whether a version is an address instead.
fn is_address(wanted: &str) -> bool {
    let starts = [
        "git",
        "http:",
        "https:",
        "ssh:",
        "github:",
        "gitlab:",
        "bitbucket:",
        "gist:",
        ":git",
    ];
    let is_pair = |text: &str| {
        let mut parts = text.split('/');
        let is_name = |part: Option<&str>| {
            part.is_some_and(|part| part.starts_with(|c: char| c.is_ascii_alphanumeric()))
        };
        is_name(parts.next())
            && is_name(parts.next())
            && parts.next().is_none()
            && !text.contains(' ')
    };
    starts.iter().any(|start| wanted.starts_with(start)) || is_pair(wanted) && !wanted.contains(':')
}

fn told(text: &Text, dependency: &Dependency, take: Take<'_>) {
    let Dependency {
        ecosystem,
        name,
        wanted,
        at,
    } = *dependency;
    let key = key(ecosystem, name);
    let (key, when) = match is_address(wanted) {
        true => ([&key[..], wanted.as_bytes()].concat(), "by-address"),
        false => (key, ""),
    };
    let shown = super::shown::safe(format!("{name} {wanted}").as_bytes());
    let at = at.unwrap_or(usize::MAX);
    let span = at..at.saturating_add(name.len());
    let mut thing = Thing::new("new-dependency", span, &key)
        .when(when)
        .said(format!("{ecosystem}: {shown}"));
    thing.name = Some(name.to_owned());
    // A line is looked for once it is told.
    if thing.span.start == usize::MAX {
        thing.span = text.bytes.len()..text.bytes.len();
    }
    take(thing);
}

/// How a dependency is known: Python takes `-`, `_` and `.` for the same.
pub(super) fn key(ecosystem: &str, name: &str) -> Vec<u8> {
    let name = name.to_ascii_lowercase();
    match ecosystem {
        "python" => format!("python {}", name.replace(['-', '.'], "_")).into_bytes(),
        _ => format!("{ecosystem} {name}").into_bytes(),
    }
}

/// Where a manifest names it: its line.
pub(super) fn place(text: &Text, name: &str) -> usize {
    let quoted = format!("\"{name}\"");
    let find = |what: &str| memchr::memmem::find(text.bytes, what.as_bytes());
    find(&quoted).or_else(|| find(name)).unwrap_or(0)
}

/// What code imports, by the key of the dependency that it comes from.
pub(super) fn imports(text: &Text, mut take: impl FnMut(Vec<u8>, &str)) {
    static JS: LazyLock<Regex> = pattern!(
        r#"(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*["'`](?P<name>@?[a-zA-Z0-9][\w./@-]{0,150})["'`]"#
    );
    static PYTHON: LazyLock<Regex> =
        pattern!(r"(?m)^[ \t]*(?:from|import)[ \t]+(?P<name>[A-Za-z_]\w{0,80})");
    static RUST: LazyLock<Regex> =
        pattern!(r"(?m)^[ \t]*(?:pub )?(?:use|extern crate)[ \t]+(?P<name>[a-z_]\w{0,80})");
    if text.role != Role::Code {
        return;
    }
    for (ecosystem, regex) in [("npm", &JS), ("python", &PYTHON), ("cargo", &RUST)] {
        for found in regex
            .captures_iter(text.bytes)
            .filter_map(|found| found.name("name"))
        {
            let Ok(name) = std::str::from_utf8(found.as_bytes()) else {
                continue;
            };
            let parts = if name.starts_with('@') { 2 } else { 1 };
            let end = name
                .match_indices('/')
                .nth(parts - 1)
                .map_or(name.len(), |(at, _)| at);
            let name = name.get(..end).unwrap_or(name);
            take(key(ecosystem, name), name);
            if ecosystem == "cargo" {
                take(key(ecosystem, &name.replace('_', "-")), name);
            }
        }
    }
}

/// Names of the original's dependencies, by what one edit makes of them.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: HashSet<String>,
    /// A name without one of its letters, and the names that it is made of; of each the first.
    without: HashMap<String, String>,
    /// Names of the original's own packages.
    pub own: HashSet<String>,
}

impl Names {
    /// Takes a name.
    pub fn add(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        if !(NEAR_LEAST..=NEAR_MOST).contains(&name.len()) || !self.all.insert(name.clone()) {
            return;
        }
        for shorter in one_less(&name) {
            self.without.entry(shorter).or_insert_with(|| name.clone());
        }
    }

    /// A name of the original that is one edit from this one.
    pub fn near(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let is_known = parameter("new-dependency", "neighbours").contains(&name);
        if !(NEAR_LEAST..=NEAR_MOST).contains(&name.len()) || self.all.contains(&name) || is_known {
            return None;
        }
        let same = |other: &&String| strsim::damerau_levenshtein(other, &name) == 1;
        let by_one = |shorter: &String| {
            let longer = self.without.get(shorter).filter(|other| same(other));
            longer.or_else(|| self.all.get(shorter))
        };
        let whole = self.without.get(&name).filter(|other| same(other));
        let found = whole.map(String::as_str);
        found.or_else(|| one_less(&name).find_map(|shorter| by_one(&shorter).map(String::as_str)))
    }
}

/// A name without each of its letters in turn.
fn one_less(name: &str) -> impl Iterator<Item = String> + '_ {
    name.char_indices().map(|(at, letter)| {
        let (before, after) = name.split_at(at);
        format!(
            "{before}{}",
            after.get(letter.len_utf8()..).unwrap_or_default()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str, text: &str) -> Vec<(String, &'static str)> {
        let text = Text::of(path.as_bytes(), text.as_bytes()).unwrap();
        let mut found = Vec::new();
        dependencies(&text, &mut |thing| {
            found.push((thing.name.unwrap_or_default(), thing.when))
        });
        found
    }

    #[test]
    fn manifests_of_each_ecosystem_are_read() {
        let expect = |path: &str, text: &str, expected: &[(&str, &str)]| {
            let mut found = named(path, text);
            found.sort();
            let found: Vec<_> = found
                .iter()
                .map(|(name, when)| (name.as_str(), *when))
                .collect();
            assert_eq!(found, expected, "{path}");
        };
        expect(
            "package.json",
            r#"{"dependencies":{"a":"^1","b":"acme/b#x"},"overrides":{"c":{"d":"1"}},"bundledDependencies":["e"]}"#,
            &[("a", ""), ("b", "by-address"), ("c", ""), ("e", "")],
        );
        expect(
            "requirements-dev.txt",
            "requests==2\n# x\nflask[async] >= 1\n-r other\nx @ git+https://h.example/x\n",
            &[("flask", ""), ("requests", ""), ("x", "by-address")],
        );
        expect(
            "pyproject.toml",
            "[project]\ndependencies=['a>=1']\n[tool.poetry.dependencies]\npython='3'\nb='1'",
            &[("a", ""), ("b", "")],
        );
        expect(
            "Cargo.toml",
            "[dependencies]\na='1'\n[target.x.dev-dependencies]\nb={git='https://h.example/b'}",
            &[("a", ""), ("b", "by-address")],
        );
        expect(
            "go.mod",
            "module x\nrequire (\n\thost.example/a/b v1.2.3\n)\n",
            &[("host.example/a/b", "")],
        );
        expect("Gemfile", "gem 'rails', '~> 7'\n", &[("rails", "")]);
        expect(
            "composer.json",
            r#"{"require":{"a/b":"1"}}"#,
            &[("a/b", "")],
        );
        expect(
            "package.json",
            "{\"dependencies\": {\"left\": \"1.0.0\",",
            &[("left", "")],
        );
    }

    #[test]
    fn names_one_edit_away_are_found() {
        let mut names = Names::default();
        ["lodash", "express", "@acme/core"]
            .iter()
            .for_each(|name| names.add(name));
        for near in [
            "lodahs",
            "lodas",
            "lodashs",
            "lodaxh",
            "expres",
            "@acme/cors",
        ] {
            assert!(names.near(near).is_some(), "{near}");
        }
        for far in ["lodash", "lodash-es", "left-pad", "lod", "@acmo/cors"] {
            assert_eq!(names.near(far), None, "{far}");
        }
    }
}
