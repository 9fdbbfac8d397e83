//! Lock files: where a dependency comes from, and the digest that holds it to what it was.
//!
//! No host is named here: the one from which most entries come is what the others are held against. Lock files of all
//! package managers are read by the same patterns of lines, so that a file of any size and depth is read in one pass.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::pattern;
use super::rules::TamperRules;
use super::text::{Text, Thing};

/// Entries that a lock file has at least before most of them say something.
const ENTRIES: usize = 3;

/// A source: where it stands, its host, and whether it is a repository.
struct Source {
    span: std::ops::Range<usize>,
    host: String,
    is_git: bool,
}

/// What a lock file of the copy has otherwise.
pub(super) fn of(text: &Text, original: Option<&Text>) -> Vec<Thing> {
    let names = TamperRules::builtin().words("lock_files");
    if !names.iter().any(|name| name == text.name()) {
        return Vec::new();
    }
    let mut things = Vec::new();
    foreign(text, original, &mut things);
    if let Some(original) = original {
        digests(text, original, &mut things);
    }
    things
}

fn sources(text: &Text) -> Vec<Source> {
    static SOURCE: LazyLock<Regex> = pattern!(
        r#"(?:\bresolved"?:?|\btarball:|\bsource = \{?(?: ?registry = )?|\bregistry = |\bremote:|\burl = |"dist": \{\s*"type": "\w+",\s*"url":|\bresolution:)\s*["']?(?P<scheme>[a-z+]{3,12})://(?:[^\s@/"']{1,100}@)?(?P<host>[A-Za-z0-9.-]{1,253})"#
    );
    let source = |found: regex::bytes::Captures| {
        let (whole, host) = (found.get(0)?, found.name("host")?);
        Some(Source {
            span: whole.range(),
            host: String::from_utf8_lossy(host.as_bytes()).to_ascii_lowercase(),
            is_git: found.name("scheme")?.as_bytes().starts_with(b"git"),
        })
    };
    SOURCE
        .captures_iter(text.bytes)
        .filter_map(source)
        .collect()
}

fn foreign(text: &Text, original: Option<&Text>, things: &mut Vec<Thing>) {
    let here = sources(text);
    let before = original.map(sources).unwrap_or_default();
    let known: HashSet<&str> = before.iter().map(|source| source.host.as_str()).collect();
    let judged = if before.is_empty() { &here } else { &before };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for source in judged {
        *counts.entry(&source.host).or_default() += 1;
    }
    let Some((most, count)) = counts.into_iter().max_by_key(|(_, count)| *count) else {
        return;
    };
    if judged.len() < ENTRIES && before.is_empty() || count * 10 < judged.len() * 7 {
        return;
    }
    for source in here
        .iter()
        .filter(|source| source.host != most && !known.contains(source.host.as_str()))
    {
        let when = match (before.is_empty(), source.is_git) {
            (_, true) => "repository",
            (true, false) => "neighbours",
            (false, false) => "",
        };
        let said = format!(
            "from {}, {count} of {} others from {}",
            super::shown::safe(source.host.as_bytes()),
            judged.len(),
            super::shown::safe(most.as_bytes()),
        );
        things.push(
            Thing::new(
                "lockfile-source",
                source.span.clone(),
                source.host.as_bytes(),
            )
            .when(when)
            .said(said),
        );
    }
}

/// Name and version of an entry.
type Entry = (Vec<u8>, Vec<u8>);

/// Where each digest stands, and what it is; `None` for an entry without.
type Digest<'t> = (usize, Option<&'t [u8]>);

/// Entries with their digests, in order.
fn entries<'t>(text: &Text<'t>) -> Vec<(Entry, Digest<'t>)> {
    static PARTS: LazyLock<Regex> = pattern!(
        r#"(?m)"(?P<json>[^"\n]{0,200})"\s*:\s*\{|^"?(?P<yarn>@?[^\s"@:#]{1,100})@[^\n]{1,400}:\s*$|^ {2}['"]?/?(?P<pnpm>@?[^\s'"():@]{1,100}@[^\s'"():]{1,60})[^\n]{0,200}:\s*$|^name = "(?P<toml>[^"\n]{1,100})"|"?\bversion"?\s*(?::|=|\s)\s*"?(?P<version>[^"\s,]{1,60})|\b(?:integrity"?\s*:?\s*"?|checksum"?\s*[:=]\s*"?)(?P<digest>[A-Za-z0-9]{2,8}[-:]?[A-Za-z0-9+/=]{16,200})"#
    );
    let mut all: Vec<(Entry, Digest)> = Vec::new();
    let mut current: Option<(Entry, Digest)> = None;
    for found in PARTS.captures_iter(text.bytes) {
        let at = found.get(0).map_or(0, |whole| whole.start());
        let name = ["json", "yarn", "pnpm", "toml"]
            .iter()
            .find_map(|name| found.name(name));
        if let Some(name) = name {
            all.extend(current.take());
            let name = name.as_bytes();
            let from = memchr::memmem::rfind(name, b"node_modules/").map_or(0, |at| at + 13);
            let name = name.get(from..).unwrap_or(name).to_vec();
            current = Some(((name, Vec::new()), (at, None)));
        } else if let (Some(version), Some((entry, _))) = (found.name("version"), &mut current) {
            if entry.1.is_empty() {
                entry.1 = version.as_bytes().to_vec();
            }
        } else if let (Some(digest), Some((_, held))) = (found.name("digest"), &mut current)
            && held.1.is_none()
        {
            *held = (at, Some(digest.as_bytes()));
        }
    }
    all.extend(current);
    all
}

/// The algorithm of a digest, where it names one.
fn algorithm(digest: &[u8]) -> &[u8] {
    let end = digest.iter().position(|&byte| byte == b'-' || byte == b':');
    end.and_then(|end| digest.get(..end)).unwrap_or_default()
}

fn digests(text: &Text, original: &Text, things: &mut Vec<Thing>) {
    let mut before: HashMap<Entry, Vec<&[u8]>> = HashMap::new();
    for (entry, (_, digest)) in entries(original) {
        if let Some(digest) = digest {
            before.entry(entry).or_default().push(digest);
        }
    }
    for (entry, (at, digest)) in entries(text) {
        let Some(held) = before.get(&entry) else {
            continue;
        };
        let was = held
            .iter()
            .find(|held| digest.is_none_or(|digest| algorithm(digest) == algorithm(held)));
        let (what, when) = match digest {
            None => ("no digest", "removed"),
            Some(digest) if !held.contains(&digest) && was.is_some() => ("another digest", ""),
            Some(_) => continue,
        };
        let name = super::shown::safe(&[&entry.0[..], b" ", &entry.1].concat());
        let key = [
            &entry.0[..],
            b"@",
            &entry.1,
            b"=",
            digest.unwrap_or_default(),
        ]
        .concat();
        things.push(
            Thing::new("lockfile-integrity", at..at, &key)
                .when(when)
                .said(format!("{name}: {what} for the same version")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, before: &str, after: &str) -> Vec<(&'static str, &'static str)> {
        let text = Text::of(path.as_bytes(), after.as_bytes()).unwrap();
        let original = Text::of(path.as_bytes(), before.as_bytes());
        of(&text, original.as_ref())
            .iter()
            .map(|thing| (thing.rule, thing.when))
            .collect()
    }

    #[test]
    fn digests_of_each_form_are_held_against_those_of_the_original() {
        let (a, b) = ("A".repeat(86) + "==", "B".repeat(86) + "==");
        let forms: [(&str, fn(&str) -> String); 4] = [
            ("package-lock.json", |digest| {
                format!(
                    "{{\"packages\":{{\"\":{{\"name\":\"x\"}},\"node_modules/left\":{{\"version\":\"1.0.0\",\"integrity\":\"sha512-{digest}\"}}}}}}"
                )
            }),
            ("yarn.lock", |digest| {
                format!("left@^1.0.0:\n  version \"1.0.0\"\n  integrity sha512-{digest}\n")
            }),
            ("pnpm-lock.yaml", |digest| {
                format!(
                    "packages:\n\n  left@1.0.0:\n    resolution: {{integrity: sha512-{digest}}}\n"
                )
            }),
            ("Cargo.lock", |digest| {
                format!(
                    "[[package]]\nname = \"left\"\nversion = \"1.0.0\"\nchecksum = \"{}\"\n",
                    &digest[..64]
                )
            }),
        ];
        for (path, form) in forms {
            assert_eq!(
                found(path, &form(&a), &form(&b)),
                [("lockfile-integrity", "")],
                "{path}"
            );
            assert!(found(path, &form(&a), &form(&a)).is_empty(), "{path}");
        }
    }

    #[test]
    fn an_entry_from_elsewhere_is_told_by_its_neighbours() {
        let lock = |hosts: &[&str]| -> String {
            let entry = |host: &&str| {
                format!("x@1:\n  version \"1\"\n  resolved \"https://{host}/x.tgz\"\n")
            };
            hosts.iter().map(entry).collect()
        };
        let (usual, other) = ("packages.acme.example", "elsewhere.example");
        let many = lock(&[usual; 5]);
        assert_eq!(
            found("yarn.lock", &many, &lock(&[usual, usual, other])),
            [("lockfile-source", "")]
        );
        assert_eq!(
            found("yarn.lock", "", &lock(&[usual, usual, usual, other])),
            [("lockfile-source", "neighbours")]
        );
        assert!(found("yarn.lock", &many, &lock(&[usual; 9])).is_empty());
        assert!(found("yarn.lock", "", &lock(&[usual, other])).is_empty());
    }
}
