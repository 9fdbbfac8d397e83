//! Packages that sources come from, told once for each package that ships them.
//!
//! A bundle says of what it is made: bundlers write the way to each module into `sources`, and layouts of package managers
//! name the package, stores its version too. That is told of the package round the map, or of the map where there is
//! none, since a list for each of three hundred maps says nothing more. Names of stores prove that the build had the
//! package in that version; a plain `node_modules` proves the name alone.
//!
//! Packages of the organisation that lie there are told as names to be reserved: who reads them off a leak may publish
//! something under them where they are not taken.
//!
//! Left out: licences of these packages. Their sources may state one, their names do not.

use std::collections::BTreeMap;

use crate::blob::Locator;
use crate::blob::locator::shown;
use crate::exposure::{Organisation, package_of_source};
use crate::record::{Hops, Item, Party, Record};

/// What was counted of one package of others.
#[derive(Debug, Clone)]
struct Part {
    sources: u64,
    is_own: bool,
    locator: String,
    hops: Hops,
}

/// Packages by name and version.
#[derive(Debug, Clone, Default)]
pub struct Parts(BTreeMap<(String, Option<String>), Part>);

impl Parts {
    /// Counts a source by its name in a map at `at`, if a package is in it.
    pub fn add(&mut self, source: &[u8], organisation: Option<&Organisation>, at: &Locator) {
        let Some((name, version)) = package_of_source(source) else {
            return;
        };
        let is_own = organisation.is_some_and(|organisation| organisation.owns_package(&name));
        self.count((name, version), is_own, at);
    }

    /// Counts a source at `at` that loads a package of the organisation.
    pub fn add_own(&mut self, name: &str, at: &Locator) {
        self.count((name.to_owned(), None), true, at);
    }

    fn count(&mut self, key: (String, Option<String>), is_own: bool, at: &Locator) {
        let part = self.0.entry(key).or_insert_with(|| Part {
            sources: 0,
            is_own,
            locator: at.as_str().to_owned(),
            hops: at.hops().clone(),
        });
        part.sources += 1;
    }

    /// Adds what was counted elsewhere in the same package.
    pub fn merge(&mut self, other: Parts) {
        for (key, part) in other.0 {
            match self.0.entry(key) {
                std::collections::btree_map::Entry::Occupied(mut own) => {
                    let own = own.get_mut();
                    own.sources += part.sources;
                    // Maps come in any order; the same one speaks for all.
                    if part.locator < own.locator {
                        (own.locator, own.hops) = (part.locator, part.hops);
                    }
                }
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(part);
                }
            }
        }
    }

    /// The records. A name without a version says nothing beside the same name with one.
    pub fn into_records(self) -> Vec<Record> {
        let versioned: std::collections::BTreeSet<String> = self
            .0
            .keys()
            .filter(|(_, version)| version.is_some())
            .map(|(name, _)| name.clone())
            .collect();
        let told = self
            .0
            .into_iter()
            .filter(|((name, version), _)| version.is_some() || !versioned.contains(name));
        told.map(|((name, version), part)| record(&name, version.as_deref(), part))
            .collect()
    }
}

fn record(name: &str, version: Option<&str>, part: Part) -> Record {
    let sources = match part.sources {
        1 => "1 source".to_owned(),
        count => format!("{count} sources"),
    };
    let value = version.map_or_else(|| name.to_owned(), |version| format!("{name}@{version}"));
    let (detail, confidence) = match version {
        Some(_) => (
            format!("{sources}; the store of packages that the build used names the version"),
            "high",
        ),
        None => (format!("{sources}; the version is not named"), "medium"),
    };
    let kind = if part.is_own {
        "internal-scope"
    } else {
        "third-party"
    };
    Record::Item(Item {
        kind: kind.to_owned(),
        value: shown(&value),
        locator: part.locator,
        hops: part.hops,
        line: 0,
        party: if part.is_own {
            Party::First
        } else {
            Party::Third
        },
        confidence: confidence.to_owned(),
        detail: Some(detail),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_is_told_once_with_its_version() {
        let at = Locator::input("a.js.map");
        let org = Organisation::parse("name='A'\nscopes=['@acme']", "t").unwrap();
        let mut parts = Parts::default();
        for source in [
            "../node_modules/.pnpm/left@1.2.3/node_modules/left/index.js",
            "../node_modules/.pnpm/left@1.2.3/node_modules/left/b.js",
            "../node_modules/left/c.js",
            "../node_modules/@x/right/index.js",
            "../node_modules/@acme/core/index.js",
            "../src/a.js",
        ] {
            parts.add(source.as_bytes(), Some(&org), &at);
        }
        let mut twice = parts.clone();
        twice.merge(parts);
        let told: Vec<String> = twice
            .into_records()
            .into_iter()
            .filter_map(|record| match record {
                Record::Item(item) => Some(format!(
                    "{} {} {}",
                    item.kind,
                    item.value,
                    item.detail.unwrap_or_default()
                )),
                _ => None,
            })
            .collect();
        assert_eq!(
            told,
            [
                "internal-scope @acme/core 2 sources; the version is not named",
                "third-party @x/right 2 sources; the version is not named",
                "third-party left@1.2.3 4 sources; the store of packages that the build used names the version",
            ]
        );
    }
}
