//! The case, taken down to what a draft is held against.
//!
//! Records come in two passes: the roots first, then the matches, since a path in an address is a path below a root.

use std::collections::BTreeMap;

use super::facts::{CopyFact, Facts, Place, Private, Reviewed, Root, ScopeSaid, path_digest};
use crate::case::{Decision, Draw, Reviews, Standing, copy_id, seen};
use crate::copies::scope::{Places, Support};
use crate::exposure::{CaseKey, Location, Organisation};
use crate::record::{Certainty, Copy, GitPlace, Item, Match, Origin, Party, Record};

/// Values that must not be published; a case with more has them in its lists.
const VALUES_MAX: usize = 200_000;
/// Longer values are no names; bytes.
const VALUE_MAX: usize = 200;
/// Shorter flags are words; bytes.
const FLAG_MIN: usize = 6;
/// Paths of works, and roots of each that are kept.
const PATHS_MAX: usize = 500_000;
const ROOTS_OF_PATH_MAX: usize = 10_000;
/// Paths with a match that are kept, and commits.
const MATCHED_MAX: usize = 4_000_000;
const COMMITS_MAX: usize = 1_000_000;
/// A place holds the work from this share of its first-party bytes on, as `case scope` has it.
const THRESHOLD: f64 = 0.98;
/// Confidence of a bound.
const CONFIDENCE: f64 = 0.95;
/// Names of headers that hold the status of an answer.
const STATUS_HEADERS: [&str; 5] = [
    ":status",
    "status",
    "status-code",
    "http-status",
    "http_status",
];

/// Takes the records of a case.
pub struct Gather {
    facts: Facts,
    scope: Places,
    reviews: Reviews,
}

impl Gather {
    /// Types of records of the first pass.
    pub const FIRST: [&str; 7] = [
        "origin", "examined", "copy", "suspect", "item", "secret", "package",
    ];
    /// Types of records of the second.
    pub const SECOND: [&str; 1] = ["match"];

    /// Begins with what is not in the records.
    #[must_use]
    pub fn new(organisation: Option<Organisation>, key: Option<CaseKey>, reviews: Reviews) -> Self {
        let mut facts = Facts {
            key,
            ..Facts::default()
        };
        for name in organisation.iter().flat_map(|one| &one.code_names) {
            facts.private.insert(name.clone(), Private::CodeName);
        }
        facts.organisation = organisation;
        Self {
            facts,
            scope: Places::default(),
            reviews,
        }
    }

    /// Takes a record.
    pub fn add(&mut self, record: Record) {
        match &record {
            Record::Origin(origin) => self.origin(origin),
            Record::Examined(row) => {
                self.root(&row.locator).class.clone_from(&row.class);
            }
            Record::Copy(copy) => self.copy(copy, true),
            Record::Suspect(copy) => self.copy(copy, false),
            Record::Item(item) => self.item(item),
            Record::Secret(secret) => {
                if let Some(fingerprint) = &secret.fingerprint {
                    let place = format!("{} at {}", secret.rule, secret.locator);
                    self.facts
                        .fingerprints
                        .entry(fingerprint.to_ascii_lowercase())
                        .or_insert(place);
                }
            }
            Record::Package(package) => {
                let is_own = |one: &Organisation| one.owns_package(&package.name);
                if package.declared_open && self.facts.organisation.as_ref().is_some_and(is_own) {
                    self.facts.open_packages.insert(package.name.clone());
                }
            }
            Record::Match(found) => self.matched(found),
            _ => {}
        }
        self.scope.add(record);
    }

    fn root(&mut self, locator: &str) -> &mut Root {
        self.facts.roots.entry(locator.to_owned()).or_default()
    }

    fn origin(&mut self, origin: &Origin) {
        let Some(location) = origin.url.as_deref().and_then(Location::read) else {
            return;
        };
        let place = self
            .facts
            .places
            .entry(location.key.to_ascii_lowercase())
            .or_insert_with(|| Place {
                shown: location.shown,
                ..Place::default()
            });
        place.is_proven |= origin.certainty == Certainty::Proven;
        place
            .contradicted
            .extend(origin.contradicted_by.iter().cloned());
        place.contradicted.sort();
        place.contradicted.dedup();
        if origin.present && !origin.locator.is_empty() {
            place.roots.insert(origin.locator.clone());
        }
        let headers = origin
            .acquired
            .iter()
            .flat_map(|acquired| &acquired.headers);
        if let Some(status) = headers
            .filter_map(|(name, value)| status_of(name, value))
            .find(|status| *status >= 400)
        {
            place.gone = Some(format!(
                "the record of how it was fetched says status {status}"
            ));
        }
    }

    fn copy(&mut self, copy: &Copy, is_copy: bool) {
        let reviewed = self.reviewed(copy);
        let root = self.root(&copy.locator);
        let is_first = root.copy.is_none() && !root.is_suspect;
        root.reviewed = if is_first {
            reviewed
        } else {
            root.reviewed.min(reviewed)
        };
        root.is_suspect |= !is_copy;
        if let Some(own) = &copy.claims_own {
            root.claims_own.get_or_insert_with(|| own.clone());
        }
        for licence in &copy.licences {
            let said = licence.licence.as_deref().unwrap_or("not told");
            root.licences.push(format!("{} ({said})", licence.path));
        }
        root.licences.sort();
        root.licences.dedup();
        if !is_copy {
            return;
        }
        let is_seen = |place: &String| !matches!(place.as_str(), "history-only" | "unreachable");
        let is_hidden = !copy.standing.is_empty() && !copy.standing.keys().any(is_seen);
        root.is_history_only = is_hidden && (root.copy.is_none() || root.is_history_only);
        let more = root
            .copy
            .as_ref()
            .is_none_or(|held| held.share < copy.of_original);
        if more {
            root.copy = Some(CopyFact {
                share: copy.of_original,
                matched: copy.files_matched,
                total: copy.files_total,
                unmatched: copy.unmatched_files,
                unmatched_bytes: copy.unmatched_bytes,
            });
        }
    }

    fn reviewed(&self, copy: &Copy) -> Reviewed {
        let Ok(seen) = seen(copy) else {
            return Reviewed::Open;
        };
        match self.reviews.standing(&copy_id(copy), &seen) {
            Standing::Open => Reviewed::Open,
            Standing::Stale(_) => Reviewed::Stale,
            Standing::Decided(review) if review.decision == Decision::Confirmed => {
                Reviewed::Confirmed
            }
            Standing::Decided(_) => Reviewed::Rejected,
        }
    }

    fn item(&mut self, item: &Item) {
        if item.party == Party::Third || item.value.is_empty() || item.value.len() > VALUE_MAX {
            return;
        }
        let is_inner = || {
            item.detail
                .as_deref()
                .is_some_and(|detail| detail.contains("internal"))
        };
        let kind = match item.kind.as_str() {
            "code-name" => Private::CodeName,
            "code-name-like" => Private::MaybeCodeName,
            "internal-scope" => Private::Scope,
            "flag" | "gate-not-in-bundle" if item.value.len() >= FLAG_MIN => Private::Flag,
            "host" if is_inner() => Private::Host,
            // One's own machine is no secret.
            "private-address" if !item.value.starts_with("127.") && item.value.contains('.') => {
                Private::Host
            }
            "bucket" => Private::Bucket,
            "person" | "email" | "owner" if item.value.contains([' ', '@']) => Private::Person,
            "ticket" => Private::Ticket,
            "build-path" => Private::LocalPath,
            _ => return,
        };
        if self.facts.private.len() >= VALUES_MAX && !self.facts.private.contains_key(&item.value) {
            self.bound(format!(
                "only {VALUES_MAX} values that must not be published were looked for"
            ));
            return;
        }
        let held = self.facts.private.entry(item.value.clone()).or_insert(kind);
        *held = (*held).min(kind);
    }

    fn bound(&mut self, what: String) {
        if !self.facts.bounded.contains(&what) {
            self.facts.bounded.push(what);
        }
    }

    /// Takes a match; the roots are known by now.
    fn matched(&mut self, found: &Match) {
        let Some((root, below)) = self.root_of(&found.locator) else {
            return;
        };
        if let Some(git) = &found.git {
            self.git(&root, git);
        } else {
            self.path(&root, &below);
            // An archive of a repository has a folder of its own round everything.
            if let Some((_, inner)) = below.split_once('/') {
                self.path(&root, inner);
            }
        }
        if let Some(row) = self.facts.roots.get_mut(&root) {
            row.has_paths = true;
        }
        if !found.file.contains('/') {
            return;
        }
        if self.facts.work_paths.len() >= PATHS_MAX
            && !self.facts.work_paths.contains_key(&found.file)
        {
            self.bound(format!("only {PATHS_MAX} paths of works were looked for"));
            return;
        }
        let held = self.facts.work_paths.entry(found.file.clone()).or_default();
        if held.len() < ROOTS_OF_PATH_MAX {
            held.insert(root);
        }
    }

    fn git(&mut self, root: &str, git: &GitPlace) {
        for path in &git.paths {
            self.path(root, path);
        }
        let commits = [&git.first, &git.last].into_iter().flatten();
        for commit in commits {
            if self.facts.commits.len() < COMMITS_MAX {
                self.facts
                    .commits
                    .insert(commit.commit.to_ascii_lowercase());
            } else {
                self.bound(format!("only {COMMITS_MAX} commits were kept"));
            }
        }
    }

    fn path(&mut self, root: &str, path: &str) {
        if self.facts.matched_paths.len() < MATCHED_MAX {
            self.facts.matched_paths.insert(path_digest(root, path));
        } else {
            self.bound(format!(
                "only {MATCHED_MAX} paths of files that match were kept"
            ));
        }
    }

    /// The root that a locator lies in, and the way from there.
    fn root_of(&self, locator: &str) -> Option<(String, String)> {
        let mut end = locator.len();
        loop {
            let above = locator.get(..end)?;
            let bare = above.strip_suffix('!').unwrap_or(above);
            if self.facts.roots.contains_key(bare) {
                let below = locator.get(end..).unwrap_or_default();
                return Some((bare.to_owned(), below.trim_start_matches('/').to_owned()));
            }
            end = above.rfind('/')?;
        }
    }

    /// Adds paths of works that the user gave (`.names`); those that no place has are private.
    pub fn add_work_paths(&mut self, paths: impl IntoIterator<Item = String>) {
        for path in paths {
            if self.facts.work_paths.len() >= PATHS_MAX {
                self.bound(format!("only {PATHS_MAX} paths of works were looked for"));
                return;
            }
            self.facts.work_paths.entry(path).or_default();
        }
    }

    /// What a draft is held against.
    #[must_use]
    pub fn finish(mut self, draws: &[Draw], incomplete: Option<String>) -> Facts {
        let scope = self.scope.scope(None, THRESHOLD, CONFIDENCE, draws);
        self.facts.scope = ScopeSaid {
            supports_all: scope.support == Support::All,
            supports_sample: scope.support == Support::Bounded,
            sentence: scope.sentence,
            verdict: scope.verdict,
        };
        self.facts.incomplete = incomplete;
        self.facts
    }
}

/// The status that a header says, where it is one of those that do.
fn status_of(name: &str, value: &str) -> Option<u16> {
    let is_status = STATUS_HEADERS
        .iter()
        .any(|one| one.eq_ignore_ascii_case(name));
    let digits = value
        .split(|c: char| !c.is_ascii_digit())
        .find(|part| part.len() == 3)?;
    if is_status { digits.parse().ok() } else { None }
}

/// The paths of a file of names (`.names`), as `sign` writes it.
///
/// # Errors
/// The number of the first line that is not one of such a file.
pub fn work_paths(text: &str) -> Result<Vec<String>, usize> {
    let mut paths = Vec::new();
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let row: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(line).map_err(|_| index + 1)?;
        let path = row.get("path").and_then(serde_json::Value::as_str);
        match path {
            Some(path) => paths.push(path.to_owned()),
            None if index == 0 => {}
            None => return Err(index + 1),
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_from_headers_that_say_one() {
        assert_eq!(status_of(":status", "404"), Some(404));
        assert_eq!(status_of("Status", "HTTP/1.1 451 Unavailable"), Some(451));
        assert_eq!(status_of("content-length", "404"), None);
        assert_eq!(status_of("status", "gone"), None);
    }

    #[test]
    fn names_are_read_and_damage_is_told_by_its_line() {
        let text = "{\"type\":\"names\",\"schema\":1}\n{\"id\":0,\"path\":\"src/a.ts\"}\n";
        assert_eq!(work_paths(text), Ok(vec!["src/a.ts".to_owned()]));
        assert_eq!(work_paths("{\"type\":\"names\"}\n{\"id\":0}\n"), Err(2));
        assert_eq!(work_paths("{\"type\":\"names\"}\nx\n"), Err(2));
    }
}
