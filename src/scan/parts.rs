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
//! A bundle that takes a dependency's `package.json` in proves its version too, and says its licence.
//!
//! Left out: licences that only the sources of these packages state.

use std::collections::BTreeMap;

use crate::blob::Locator;
use crate::blob::locator::shown;
use crate::exposure::{Manifest, Organisation, package_of_source};
use crate::record::{Hops, Item, Party, Record};

/// What stands before the licence in the detail of an item.
pub const LICENCE: &str = "; licence, as written there: ";

/// Characters of a licence, as somebody wrote it, that are told.
const LICENCE_CHARS: usize = 100;

/// What was counted of one package of others.
#[derive(Debug, Clone)]
struct Part {
    sources: u64,
    is_own: bool,
    /// Its manifest is among the sources.
    has_manifest: bool,
    /// Its licence, as that says.
    licence: Option<String>,
    locator: String,
    hops: Hops,
}

/// Packages by name and version.
#[derive(Debug, Clone, Default)]
pub struct Parts(BTreeMap<(String, Option<String>), Part>);

impl Parts {
    /// Counts a source by its name in a map at `at`, if a package is in it. `manifest` is what the source is, if it is
    /// one.
    pub fn add(
        &mut self,
        source: &[u8],
        manifest: Option<&Manifest>,
        organisation: Option<&Organisation>,
        at: &Locator,
    ) {
        let Some((name, version)) = package_of_source(source) else {
            return;
        };
        let is_own = organisation.is_some_and(|organisation| organisation.owns_package(&name));
        let manifest = manifest.filter(|manifest| manifest.name == name);
        let version = version.or_else(|| manifest.and_then(|manifest| manifest.version.clone()));
        let part = self.count((name, version), is_own, at);
        if let Some(manifest) = manifest {
            part.has_manifest = true;
            part.licence.clone_from(&manifest.licence);
        }
    }

    /// Counts a source at `at` that loads a package of the organisation.
    pub fn add_own(&mut self, name: &str, at: &Locator) {
        self.count((name.to_owned(), None), true, at);
    }

    fn count(&mut self, key: (String, Option<String>), is_own: bool, at: &Locator) -> &mut Part {
        let part = self.0.entry(key).or_insert_with(|| Part {
            sources: 0,
            is_own,
            has_manifest: false,
            licence: None,
            locator: at.as_str().to_owned(),
            hops: at.hops().clone(),
        });
        part.sources += 1;
        part
    }

    /// Adds what was counted elsewhere in the same package.
    pub fn merge(&mut self, other: Parts) {
        for (key, part) in other.0 {
            match self.0.entry(key) {
                std::collections::btree_map::Entry::Occupied(mut own) => {
                    let own = own.get_mut();
                    own.sources += part.sources;
                    own.has_manifest |= part.has_manifest;
                    // Manifests of one version should agree; where they do not, the order of maps decides nothing.
                    own.licence = own.licence.take().max(part.licence);
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

    /// The records. A name without a version says nothing beside the same name with one; where that is the only one, its
    /// sources are that version's.
    pub fn into_records(self) -> Vec<Record> {
        let (unnamed, mut named): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (self.0.into_iter()).partition(|((_, version), _)| version.is_none());
        let mut alone = Vec::new();
        for (key, part) in unnamed {
            let from = (key.0.clone(), None);
            let mut versions = (named.range_mut(from..)).take_while(|(other, _)| other.0 == key.0);
            match (versions.next(), versions.next()) {
                (None, _) => alone.push((key, part)),
                (Some((_, only)), None) => only.sources += part.sources,
                (Some(_), Some(_)) => {}
            }
        }
        named.extend(alone);
        let records = named.into_iter();
        records
            .map(|((name, version), part)| record(&name, version.as_deref(), part))
            .collect()
    }
}

fn record(name: &str, version: Option<&str>, part: Part) -> Record {
    let sources = match part.sources {
        1 => "1 source".to_owned(),
        count => format!("{count} sources"),
    };
    let value = version.map_or_else(|| name.to_owned(), |version| format!("{name}@{version}"));
    let (by, confidence) = match (version, part.has_manifest) {
        (Some(_), true) => ("its manifest among the sources names the version", "high"),
        (Some(_), false) => (
            "the store of packages that the build used names the version",
            "high",
        ),
        (None, _) => ("the version is not named", "medium"),
    };
    let licence = part.licence.map_or_else(String::new, |licence| {
        let licence: String = licence.chars().take(LICENCE_CHARS).collect();
        format!("{LICENCE}{}", shown(&licence))
    });
    let detail = format!("{sources}; {by}{licence}");
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
    fn a_manifest_among_the_sources_says_version_and_licence() {
        let at = Locator::input("a.js.map");
        let manifest = |name: &str| {
            let text = format!(r#"{{"name":"{name}","version":"1.2.3","license":"ISC"}}"#);
            Manifest::from_npm(text.as_bytes())
        };
        let told = |names: &[&str]| -> Vec<(String, Option<String>)> {
            let mut parts = Parts::default();
            parts.add(b"../node_modules/left/index.js", None, None, &at);
            for name in names {
                let source = b"../node_modules/left/package.json";
                parts.add(source, manifest(name).as_ref(), None, &at);
            }
            let records = parts.into_records().into_iter();
            let items = records.filter_map(|record| match record {
                Record::Item(item) => Some((item.value, item.detail)),
                _ => None,
            });
            items.collect()
        };
        let said = "2 sources; its manifest among the sources names the version; licence, as written there: ISC";
        assert_eq!(
            told(&["left"]),
            [("left@1.2.3".to_owned(), Some(said.to_owned()))]
        );
        // That of another package says nothing of this one.
        let said = "2 sources; the version is not named";
        assert_eq!(
            told(&["right"]),
            [("left".to_owned(), Some(said.to_owned()))]
        );
    }

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
            parts.add(source.as_bytes(), None, Some(&org), &at);
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
                "third-party left@1.2.3 6 sources; the store of packages that the build used names the version",
            ]
        );
    }
}
