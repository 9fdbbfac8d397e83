//! Where a withdrawn package goes on lying: `containment.csv`.
//!
//! What was published was copied by machines before anybody looked: networks that serve files, mirrors, proxies of companies,
//! archives. Which of them there are is known, and is data (`signatures/containment.toml`); which of them hold this package only a
//! look at them tells, and this program asks nobody. So it gives a row for each place and each leaking package, with what to look
//! for, how it goes away, which logs to have kept, and an empty status for a person to fill in.
//!
//! What nobody has checked says so: such lists grow old. Left out: addresses, since people know where their registry is.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::record::Package;

/// Bytes of a list that a user gives.
const LIST_MAX: usize = 1 << 20;
/// Places of a list.
const PLACES_MAX: usize = 1_000;
/// Urgencies that there are: now, today, this week.
const URGENCY_MAX: u8 = 2;
/// What stands for any ecosystem.
const ANY: &str = "*";

/// Why a list of places is refused.
#[derive(Debug, thiserror::Error)]
pub enum ContainmentError {
    /// It is no such list.
    #[error("{file}: no list of places to contain: {error}")]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong.
        error: toml::de::Error,
    },
    /// A place says something that cannot be.
    #[error("{file}: the place `{id}`: {why}")]
    Place {
        /// The file.
        file: String,
        /// Which.
        id: String,
        /// What is wrong, and what to write.
        why: &'static str,
    },
    /// There is too much of it.
    #[error(
        "{file}: longer than any list of places (at most {LIST_MAX} bytes and {PLACES_MAX} places)"
    )]
    TooLong {
        /// The file.
        file: String,
    },
}

/// A place where a package may still lie.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainmentPlace {
    /// Its name in the list.
    pub id: String,
    /// Of which sort it is.
    pub kind: String,
    /// What it is called.
    pub place: String,
    /// Of which packages it takes copies; `*` for all.
    pub ecosystems: Vec<String>,
    /// 0 now, 1 today, 2 this week.
    pub urgency: u8,
    /// What to look for there, with `{name}`, `{version}`, `{package}` and `{sha256}`.
    pub look: String,
    /// How it goes away.
    pub purge: String,
    /// What to have kept.
    pub logs: String,
    /// On which day a person checked this; empty where nobody did.
    pub checked: String,
}

/// The places that are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containment {
    places: Vec<ContainmentPlace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    place: Vec<ContainmentPlace>,
}

impl Default for Containment {
    fn default() -> Self {
        static BUILTIN: LazyLock<Containment> = LazyLock::new(|| {
            let text = include_str!("../../signatures/containment.toml");
            match Containment::parse(text, "signatures/containment.toml") {
                Ok(list) => list,
                Err(error) => panic!("{error}"),
            }
        });
        BUILTIN.clone()
    }
}

impl Containment {
    /// Reads a list; `file` is only quoted in errors.
    ///
    /// # Errors
    /// When it is no such list, names a place twice, or is too long.
    pub fn parse(text: &str, file: &str) -> Result<Self, ContainmentError> {
        let too_long = || ContainmentError::TooLong {
            file: file.to_owned(),
        };
        if text.len() > LIST_MAX {
            return Err(too_long());
        }
        let list: File = toml::from_str(text).map_err(|error| ContainmentError::Syntax {
            file: file.to_owned(),
            error,
        })?;
        if list.place.len() > PLACES_MAX {
            return Err(too_long());
        }
        let mut ids = std::collections::BTreeSet::new();
        for place in &list.place {
            let why = if place.id.is_empty() || place.place.is_empty() {
                Some("`id` and `place` must say something")
            } else if place.urgency > URGENCY_MAX {
                Some("`urgency` is 0 (now), 1 (today) or 2 (this week)")
            } else if place.ecosystems.is_empty() {
                Some("`ecosystems` names none; write [\"*\"] for all")
            } else if !ids.insert(place.id.as_str()) {
                Some("it stands there twice; give each an `id` of its own")
            } else {
                None
            };
            if let Some(why) = why {
                return Err(ContainmentError::Place {
                    file: file.to_owned(),
                    id: place.id.clone(),
                    why,
                });
            }
        }
        Ok(Self { places: list.place })
    }

    /// The heading of the list; what a person fills in stands at the end.
    pub(super) const HEAD: [&'static str; 14] = [
        "urgency",
        "ecosystem",
        "package",
        "version",
        "archive sha256",
        "kind",
        "place",
        "look for",
        "purge",
        "logs to preserve",
        "this row was checked",
        "status",
        "by",
        "date",
    ];

    /// The rows of a package, without their urgency: that comes first of each.
    pub(super) fn rows(&self, package: &Package) -> impl Iterator<Item = (u8, Vec<String>)> {
        let takes = |place: &&ContainmentPlace| {
            let is_its = |one: &String| one == ANY || *one == package.ecosystem;
            place.ecosystems.iter().any(is_its)
        };
        self.places.iter().filter(takes).map(|place| {
            let checked = match place.checked.as_str() {
                "" => "unchecked",
                day => day,
            };
            let cells = [
                package.ecosystem.as_str(),
                &package.name,
                package.version.as_deref().unwrap_or_default(),
                package.sha256.as_deref().unwrap_or_default(),
                &place.kind,
                &place.place,
                &filled(&place.look, package),
                &place.purge,
                &place.logs,
                checked,
                "",
                "",
                "",
            ];
            (place.urgency, cells.map(str::to_owned).to_vec())
        })
    }
}

/// A text with what it asks for of a package. What a package is called is put in once: names that look like such a place stay.
fn filled(text: &str, package: &Package) -> String {
    let version = package.version.as_deref().unwrap_or("unknown version");
    let sha256 = package
        .sha256
        .as_deref()
        .unwrap_or("no digest: it is no single file");
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, behind) = rest.split_at(open);
        out.push_str(before);
        let close = behind.find('}').map_or(behind.len(), |at| at + 1);
        let (word, after) = behind.split_at(close);
        match word {
            "{name}" => out.push_str(&package.name),
            "{version}" => out.push_str(version),
            "{package}" => {
                out.push_str(&package.name);
                out.push('@');
                out.push_str(version);
            }
            "{sha256}" => out.push_str(sha256),
            other => out.push_str(other),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(ecosystem: &str) -> Package {
        serde_json::from_value(serde_json::json!({
            "locator": "a.tgz", "hops": [], "ecosystem": ecosystem, "name": "{version}", "version": "1.0.0",
            "sha256": null, "licence": null, "repository": null, "declared_open": false, "files": 1, "maps": 0,
            "sources": {"first": 0, "third": 0, "unknown": 0, "with_content": 0}, "own_bytes": 0, "exposures": {},
            "secrets": 0, "items": 0, "complete": true,
        }))
        .unwrap()
    }

    #[test]
    fn each_package_gets_the_places_of_its_kind_with_a_blank_status() {
        let list = Containment::default();
        let npm: Vec<_> = list.rows(&package("npm")).collect();
        let other: Vec<_> = list.rows(&package("crate")).collect();
        let has = |rows: &[(u8, Vec<String>)], word: &str| {
            rows.iter().any(|(_, cells)| cells[5].contains(word))
        };
        assert!(has(&npm, "jsDelivr") && !has(&other, "jsDelivr"));
        assert!(has(&npm, "Wayback") && has(&other, "Wayback"));
        for (_, cells) in npm.iter().chain(&other) {
            assert_eq!(cells.len() + 1, Containment::HEAD.len());
            assert!(cells[10..].iter().all(String::is_empty));
            assert!(!cells[6].contains("{package}") && !cells[6].contains("{sha256}"));
        }
    }

    #[test]
    fn a_name_that_looks_like_a_word_of_the_list_is_put_in_as_it_is() {
        let shown = filled("see {package} {odd} {", &package("npm"));
        assert_eq!(shown, "see {version}@1.0.0 {odd} {");
    }

    #[test]
    fn what_is_wrong_with_a_list_is_told() {
        let place = |id: &str, more: &str| {
            format!(
                "[[place]]\nid='{id}'\nkind='k'\nplace='p'\necosystems=['*']\nlook=''\npurge=''\nlogs=''\nchecked=''\n{more}"
            )
        };
        let parse =
            |text: &str| Containment::parse(text, "mine.toml").map_err(|error| error.to_string());
        assert!(parse(&place("a", "urgency=0")).is_ok());
        assert!(
            parse(&place("a", "urgency=3"))
                .unwrap_err()
                .contains("urgency")
        );
        let twice = place("a", "urgency=0\n") + &place("a", "urgency=0\n");
        assert!(parse(&twice).unwrap_err().contains("twice"));
        assert!(
            parse(&place("a", "urgency=0\nurl='x'"))
                .unwrap_err()
                .contains("mine.toml")
        );
        assert!(
            parse(&"#".repeat(LIST_MAX + 1))
                .unwrap_err()
                .contains("longer")
        );
    }
}
