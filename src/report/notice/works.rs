//! The work, described by what is known of it.
//!
//! The median description in published notices has 54 words, and is sent back for that. How many files the work has, in which
//! parts, and what in it says whose it is, stands in the case and in the signature set; so it is counted here and not written
//! by hand. What the work is and does, a person says (`description` of the contacts).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::gather::Gather;
use super::rows::Item;
use crate::report::text::grouped;

/// Parts of a work that are named; the rest is one row.
const COMPONENTS: usize = 12;
/// Marks that are named.
const MARKERS: usize = 12;

/// What a signature set says of a work, where one is at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkFacts {
    /// Name of the work.
    pub work: String,
    /// Its release.
    pub release: String,
    /// First-party files.
    pub files: u64,
    /// Their bytes, where all are known.
    pub bytes: Option<u64>,
    /// Their lines, where all are known.
    pub lines: Option<u64>,
    /// Their paths, where the names are at hand.
    pub paths: Vec<String>,
}

/// A work as a template sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Work {
    name: String,
    release: String,
    files: Option<u64>,
    bytes: Option<u64>,
    lines: Option<u64>,
    /// Files of it that match in the places of the notice, each once.
    seen: u64,
    /// Files of it that count: nowhere public.
    counted: u64,
    components: Vec<Component>,
    /// `set` or `matches`: what components were counted in.
    components_of: &'static str,
    markers: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Component {
    name: String,
    files: u64,
}

/// The works that items are copies of.
pub(super) fn works(items: &[Item], facts: &[WorkFacts], gather: &Gather) -> Vec<Work> {
    let mut by_work: BTreeMap<(&str, &str), Vec<&Item>> = BTreeMap::new();
    for item in items {
        by_work
            .entry((&item.work, &item.release))
            .or_default()
            .push(item);
    }
    by_work
        .into_iter()
        .map(|((name, release), items)| {
            let fact = facts
                .iter()
                .find(|fact| fact.work == name && fact.release == release);
            // What a notice shows of a file is the best that it matches; all that match are counted by the copy.
            let seen: BTreeSet<&str> = items
                .iter()
                .flat_map(|item| &item.files)
                .map(|file| file.original.as_str())
                .collect();
            let most = items.iter().map(|item| item.files_of_work).max();
            let paths = fact
                .map(|fact| &fact.paths)
                .filter(|paths| !paths.is_empty());
            let components = match paths {
                Some(paths) => components(paths.iter().map(String::as_str)),
                None => components(seen.iter().copied()),
            };
            Work {
                files: fact.map(|fact| fact.files),
                bytes: fact.and_then(|fact| fact.bytes),
                lines: fact.and_then(|fact| fact.lines),
                seen: super::rows::count(seen.len()).max(most.unwrap_or(0)),
                counted: items.iter().map(|item| item.files_total).max().unwrap_or(0),
                components,
                components_of: if paths.is_some() { "set" } else { "matches" },
                markers: markers(&items, gather),
                name: name.to_owned(),
                release: release.to_owned(),
            }
        })
        .collect()
}

/// Files by folder: two levels of it, where there are so many.
fn components<'p>(paths: impl Iterator<Item = &'p str>) -> Vec<Component> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for path in paths {
        let mut folders: Vec<&str> = path.split('/').collect();
        folders.pop();
        folders.truncate(2);
        let name = match folders.is_empty() {
            true => "(root)".to_owned(),
            false => folders.join("/") + "/",
        };
        *counts.entry(name).or_default() += 1;
    }
    let mut rows: Vec<Component> = counts
        .into_iter()
        .map(|(name, files)| Component { name, files })
        .collect();
    rows.sort_by(|a, b| b.files.cmp(&a.files).then_with(|| a.name.cmp(&b.name)));
    if rows.len() > COMPONENTS {
        let rest = rows.split_off(COMPONENTS - 1);
        rows.push(Component {
            name: format!(
                "({} further folders)",
                grouped(super::rows::count(rest.len()))
            ),
            files: rest.iter().map(|row| row.files).sum(),
        });
    }
    rows
}

/// What says whose it is: names that the copies still carry, and headers that were taken out.
fn markers(items: &[&Item], gather: &Gather) -> Vec<String> {
    let mut said: BTreeMap<String, u64> = BTreeMap::new();
    for item in items {
        let own = item.claims_own.as_deref().unwrap_or_default();
        // A notice is published, and an address may be of a host that nobody outside knows.
        let marks = own.split("; ");
        let marks: Vec<&str> = marks
            .filter(|mark| !mark.is_empty() && !mark.contains("://"))
            .collect();
        if !marks.is_empty() {
            *said.entry(marks.join("; ")).or_default() += 1;
        }
    }
    let mut said: Vec<(String, u64)> = said.into_iter().collect();
    said.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let words = |(own, places): &(String, u64)| {
        format!(
            "{} of {} places say of themselves: {own}",
            grouped(*places),
            grouped(super::rows::count(items.len()))
        )
    };
    let mut out: Vec<String> = said.iter().take(MARKERS).map(words).collect();
    let removed: u64 = items.iter().map(|item| item.headers_removed).sum();
    let compared = items
        .iter()
        .filter(|item| gather.compared.contains_key(&item.locator))
        .count();
    if compared > 0 {
        out.push(format!(
            "Licence or copyright headers: in {} places, held against the original, {} files no longer have the header that the original has",
            grouped(super::rows::count(compared)),
            grouped(removed)
        ));
    }
    out
}
