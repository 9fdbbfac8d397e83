//! What changed between two looks at the same places: copies that are new, gone or other than before.
//!
//! Two cases are two scans: of yesterday's mirrors and of today's, or of what was there before a takedown and after it. A place
//! is the same in both where both recorded the same address for it (an `origin` that is proven and that nothing
//! contradicts, and of which a case has one root), else where its locator is the same; so inputs keep their labels from
//! one scan to the next.
//!
//! A place that is not in the second case was not looked at there: that it went is said only as "not in the second case".
//! One that is there and could not be read is not called gone either.
//!
//! After a takedown the honest copies go first. So what is said of the mix: the shares of copies that are verbatim and of
//! compared copies with signs of tampering, on both sides, and whether either moved by more than [`MIX_POINTS`].

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::exposure::Location;
use crate::record::{Certainty, Copy, Ledger, Origin, Record, Run, Severity};

/// A share that moved by less says nothing.
pub const MIX_POINTS: f64 = 0.1;
/// Shares closer to each other than this are told as the same: records give them to more digits than they mean.
const SAME_SHARE: f64 = 0.0005;

/// One work at one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// `copy`, `suspect`, or `examined` where neither was told.
    pub kind: &'static str,
    /// Class of the copy or suspect, or of the root.
    pub class: String,
    /// Release that is named; null where there is no copy and no suspect.
    pub release: Option<String>,
    /// Files that match.
    pub files_matched: u64,
    /// Files of the work.
    pub files_total: u64,
    /// Share of the work's bytes.
    pub of_original: f64,
    /// Signs of tampering of severity medium or above; null where the place was not compared with the original.
    pub signs: Option<u64>,
}

/// What became of a work at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    /// Not told before.
    New,
    /// Told both times, not the same.
    Changed,
    /// Told before, and no more.
    Gone,
    /// Told both times, the same.
    Same,
}

/// One row of the difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What became of it.
    pub became: Became,
    /// What the place is known by in both: its address or its locator.
    pub place: String,
    /// Its locator in the later case that has it.
    pub locator: String,
    /// The host, where it is recorded.
    pub host: Option<String>,
    /// Root of its fork network, where it is recorded.
    pub network: Option<String>,
    /// The work; null for a place that is or was own-public and holds no copy.
    pub work: Option<String>,
    /// Before; null where the place was not examined.
    pub before: Option<State>,
    /// After; null where the place was not examined.
    pub after: Option<State>,
}

/// What copies are there, all in all.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Mix {
    /// Roots that were examined.
    pub examined: u64,
    /// Copies by class.
    pub copies: BTreeMap<String, u64>,
    /// Suspects by class.
    pub suspects: BTreeMap<String, u64>,
    /// Roots that are own public material.
    pub own_public: u64,
    /// Roots that could not be read.
    pub unreadable: u64,
    /// Share of copies that are verbatim; null without copies.
    pub verbatim_share: Option<f64>,
    /// Places with a copy that were compared with the original.
    pub compared: u64,
    /// Those of them with signs of tampering of severity medium or above.
    pub tampered: u64,
    /// Share of those; null where none was compared.
    pub tampered_share: Option<f64>,
    /// Places with copies by host, where that is recorded.
    pub hosts: BTreeMap<String, u64>,
    /// Places with copies by fork network, where that is recorded.
    pub networks: BTreeMap<String, u64>,
    /// Places with copies by host, where only the place says so of itself.
    pub hosts_by_hint: BTreeMap<String, u64>,
    /// Places with copies by fork network, where only the place says so of itself.
    pub networks_by_hint: BTreeMap<String, u64>,
    /// Exposures by severity.
    pub exposures: BTreeMap<String, u64>,
    /// Credentials.
    pub secrets: u64,
    /// Everything was read in full.
    pub complete: bool,
}

impl Mix {
    /// How many copies.
    pub fn copies_total(&self) -> u64 {
        self.copies.values().sum()
    }
}

/// The difference between two cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// What the cases were made with otherwise, one a line; where there is anything, differences may come from that.
    pub made_otherwise: Vec<String>,
    /// The first case.
    pub before: Mix,
    /// The second.
    pub after: Mix,
    /// Whether the mix of copies moved by more than [`MIX_POINTS`], one a line.
    pub mix_changed: Vec<String>,
    /// What is new, changed or gone, in this order, by place.
    pub changes: Vec<Change>,
    /// Copies, suspects and own public places that are the same.
    pub same: u64,
}

/// Why two cases cannot be held against each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// Nobody looked for copies.
    #[error(
        "the {which} case was made without a signature set, so that it holds no copies; scan its inputs with --signatures first"
    )]
    NotSearched {
        /// `first` or `second`.
        which: &'static str,
    },
    /// They looked for different things.
    #[error(
        "the cases have no work in common: the first was searched for {first}, the second for {second}"
    )]
    OtherWorks {
        /// Works of the first.
        first: String,
        /// Works of the second.
        second: String,
    },
}

/// A root of a case.
#[derive(Debug, Default)]
struct Place {
    locator: String,
    class: String,
    origin: Option<Box<Origin>>,
    works: BTreeMap<String, (&'static str, Box<Copy>)>,
    compared: bool,
    signs: u64,
}

/// What a place is known by in both cases.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    /// An address, in the form by which two are compared.
    Address(String),
    Locator(String),
}

/// What one case says, taken from its records in any order.
#[derive(Debug, Default)]
pub struct Side {
    run: Option<Box<Run>>,
    ledger: Option<Box<Ledger>>,
    places: BTreeMap<String, Place>,
    exposures: BTreeMap<String, u64>,
    secrets: u64,
}

impl Side {
    /// Takes a record.
    pub fn add(&mut self, record: Record) {
        match record {
            Record::Run(run) => self.run = Some(run),
            Record::Ledger(ledger) => self.ledger = Some(ledger),
            Record::Examined(row) => self.place(&row.locator).class = row.class,
            Record::Copy(row) => self.add_work("copy", row),
            Record::Suspect(row) => self.add_work("suspect", row),
            Record::Origin(row) if row.present => {
                let place = self.place(&row.locator);
                let is_better = |held: &Origin| is_proven(&row) && !is_proven(held);
                if place.origin.as_deref().is_none_or(is_better) {
                    place.origin = Some(row);
                }
            }
            Record::Comparison(row) => self.place(&row.locator).compared = true,
            Record::Sign(row) => {
                let counts = row.severity >= Severity::Medium;
                self.place(&row.root).signs += u64::from(counts);
            }
            Record::Exposure(row) => {
                let severity = row.severity.as_str().to_owned();
                *self.exposures.entry(severity).or_insert(0) += 1;
            }
            Record::Secret(_) => self.secrets += 1,
            _ => {}
        }
    }

    fn place(&mut self, locator: &str) -> &mut Place {
        let place = self.places.entry(locator.to_owned()).or_default();
        if place.locator.is_empty() {
            locator.clone_into(&mut place.locator);
        }
        place
    }

    fn add_work(&mut self, kind: &'static str, row: Box<Copy>) {
        let place = self.place(&row.locator);
        place.works.insert(row.work.clone(), (kind, row));
    }

    /// Names of the private works that were searched for.
    fn works(&self) -> BTreeSet<&str> {
        let sets = self.run.iter().flat_map(|run| &run.sets);
        let private = sets.filter(|set| set.role == "signature");
        private.map(|set| set.work.as_str()).collect()
    }

    /// Places by what they are known by, addresses in the form by which they are compared.
    fn by_identity(&self) -> BTreeMap<Identity, &Place> {
        let mut of_address: BTreeMap<String, Vec<&Place>> = BTreeMap::new();
        let mut by_identity = BTreeMap::new();
        for place in self.places.values() {
            let origin = place.origin.as_deref().filter(|origin| is_proven(origin));
            match origin.and_then(|origin| origin.url.as_deref()) {
                Some(url) => of_address
                    .entry(Location::fold(url))
                    .or_default()
                    .push(place),
                None => {
                    by_identity.insert(Identity::Locator(place.locator.clone()), place);
                }
            }
        }
        for (address, places) in of_address {
            match places[..] {
                [place] => drop(by_identity.insert(Identity::Address(address), place)),
                _ => by_identity.extend(
                    places
                        .into_iter()
                        .map(|one| (Identity::Locator(one.locator.clone()), one)),
                ),
            }
        }
        by_identity
    }

    fn mix(&self) -> Mix {
        let mut mix = Mix {
            exposures: self.exposures.clone(),
            secrets: self.secrets,
            complete: self.ledger.as_ref().is_some_and(|ledger| ledger.complete),
            ..Mix::default()
        };
        for place in self.places.values() {
            mix.add(place);
        }
        let share = |part: u64, all: u64| (all > 0).then(|| part as f64 / all as f64);
        let verbatim = mix.copies.get("verbatim").copied().unwrap_or(0);
        mix.verbatim_share = share(verbatim, mix.copies_total());
        mix.tampered_share = share(mix.tampered, mix.compared);
        mix
    }
}

impl Mix {
    fn add(&mut self, place: &Place) {
        self.examined += u64::from(!place.class.is_empty());
        self.own_public += u64::from(place.class == "own-public");
        self.unreadable += u64::from(place.class == "unreadable");
        for (kind, copy) in place.works.values() {
            let counts = match *kind {
                "copy" => &mut self.copies,
                _ => &mut self.suspects,
            };
            *counts.entry(copy.class.clone()).or_insert(0) += 1;
        }
        if !place.works.values().any(|(kind, _)| *kind == "copy") {
            return;
        }
        self.compared += u64::from(place.compared);
        self.tampered += u64::from(place.compared && place.signs > 0);
        if let Some(origin) = &place.origin {
            let (hosts, networks) = if is_proven(origin) {
                (&mut self.hosts, &mut self.networks)
            } else {
                (&mut self.hosts_by_hint, &mut self.networks_by_hint)
            };
            if let Some(host) = &origin.host {
                *hosts.entry(host.clone()).or_insert(0) += 1;
            }
            if let Some(network) = &origin.network {
                *networks.entry(network.clone()).or_insert(0) += 1;
            }
        }
    }
}

/// What changed from one case to the other.
///
/// # Errors
/// When one was not searched for copies, or they were searched for different works.
pub fn difference(before: &Side, after: &Side) -> Result<Difference, DiffError> {
    let (first, second) = (before.works(), after.works());
    for (works, which) in [(&first, "first"), (&second, "second")] {
        if works.is_empty() {
            return Err(DiffError::NotSearched { which });
        }
    }
    if first.is_disjoint(&second) {
        let list = |works: &BTreeSet<&str>| works.iter().copied().collect::<Vec<_>>().join(", ");
        return Err(DiffError::OtherWorks {
            first: list(&first),
            second: list(&second),
        });
    }
    let (old, new) = (before.by_identity(), after.by_identity());
    let all: BTreeSet<&Identity> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for identity in all {
        let sides = (old.get(identity).copied(), new.get(identity).copied());
        changes.extend(changes_of(identity, sides));
    }
    let same = changes
        .iter()
        .filter(|change| change.became == Became::Same);
    let same = same.count() as u64;
    changes.retain(|change| change.became != Became::Same);
    changes.sort_by(|a, b| (a.became, &a.place).cmp(&(b.became, &b.place)));
    let (before_mix, after_mix) = (before.mix(), after.mix());
    Ok(Difference {
        made_otherwise: made_otherwise(before, after),
        mix_changed: mix_changed(&before_mix, &after_mix),
        before: before_mix,
        after: after_mix,
        changes,
        same,
    })
}

/// The rows of one place.
fn changes_of(identity: &Identity, (old, new): (Option<&Place>, Option<&Place>)) -> Vec<Change> {
    let works = |place: Option<&Place>| -> Vec<String> {
        place.map_or_else(Vec::new, |place| place.works.keys().cloned().collect())
    };
    let mut all: BTreeSet<Option<String>> = works(old).into_iter().map(Some).collect();
    all.extend(works(new).into_iter().map(Some));
    let is_own = |place: Option<&Place>| place.is_some_and(|place| place.class == "own-public");
    if all.is_empty() && (is_own(old) || is_own(new)) {
        all.insert(None);
    }
    let known = new.or(old);
    let origin = known.and_then(|place| place.origin.as_deref());
    let url = origin.and_then(|origin| origin.url.as_deref());
    let shown = match (identity, url) {
        (Identity::Address(_), Some(url)) => address(url),
        (Identity::Address(said) | Identity::Locator(said), _) => said.clone(),
    };
    let rows = all.into_iter().map(|work| {
        let before = old.map(|place| place.state(work.as_deref()));
        let after = new.map(|place| place.state(work.as_deref()));
        Change {
            became: became(work.is_none(), before.as_ref(), after.as_ref()),
            place: shown.clone(),
            locator: known.map_or_else(String::new, |place| place.locator.clone()),
            host: origin.and_then(|origin| origin.host.clone()),
            network: origin.and_then(|origin| origin.network.clone()),
            work,
            before,
            after,
        }
    });
    rows.collect()
}

impl Place {
    fn state(&self, work: Option<&str>) -> State {
        let signs = self.compared.then_some(self.signs);
        match work.and_then(|work| self.works.get(work)) {
            Some((kind, copy)) => State {
                kind,
                class: copy.class.clone(),
                release: Some(copy.release.clone()),
                files_matched: copy.files_matched,
                files_total: copy.files_total,
                of_original: copy.of_original,
                signs,
            },
            None => State {
                kind: "examined",
                class: self.class.clone(),
                release: None,
                files_matched: 0,
                files_total: 0,
                of_original: 0.0,
                signs: None,
            },
        }
    }
}

/// What became of it; `is_own` where it is told as own public material and not as a copy.
fn became(is_own: bool, before: Option<&State>, after: Option<&State>) -> Became {
    let is_told = |state: Option<&State>| {
        state.is_some_and(|state| match is_own {
            true => state.class == "own-public",
            false => state.kind != "examined",
        })
    };
    match (is_told(before), is_told(after)) {
        (false, _) => Became::New,
        (true, false) => Became::Gone,
        (true, true) if before.zip(after).is_some_and(|(a, b)| a.is_like(b)) => Became::Same,
        (true, true) => Became::Changed,
    }
}

impl State {
    fn is_like(&self, other: &State) -> bool {
        let of = |state: &State| {
            let State {
                kind,
                class,
                release,
                files_matched,
                signs,
                ..
            } = state;
            (
                *kind,
                class.clone(),
                release.clone(),
                *files_matched,
                *signs,
            )
        };
        of(self) == of(other) && (self.of_original - other.of_original).abs() < SAME_SHARE
    }
}

/// What the cases were made with otherwise.
fn made_otherwise(before: &Side, after: &Side) -> Vec<String> {
    let mut lines = Vec::new();
    let (Some(old), Some(new)) = (&before.run, &after.run) else {
        return vec!["one of them has no finished run".to_owned()];
    };
    let sets = |run: &Run| -> BTreeSet<String> {
        let named = run.sets.iter().map(|set| {
            let digest: String = set.digest.chars().take(12).collect();
            format!("{} {} {} ({digest})", set.role, set.work, set.release)
        });
        named.collect()
    };
    let (first, second) = (sets(old), sets(new));
    lines.extend(
        first
            .difference(&second)
            .map(|set| format!("set of the first only: {set}")),
    );
    lines.extend(
        second
            .difference(&first)
            .map(|set| format!("set of the second only: {set}")),
    );
    let same = [
        (
            "rules",
            old.rules == new.rules && old.user_rules == new.user_rules && old.yara == new.yara,
        ),
        (
            "organisation profiles",
            old.organisation == new.organisation,
        ),
        (
            "set of live secrets",
            old.known_secrets == new.known_secrets,
        ),
        ("limits", old.limits == new.limits),
        ("depth: one is a triage", old.triage == new.triage),
    ];
    let others = same.iter().filter(|(_, same)| !same);
    lines.extend(others.map(|(what, _)| format!("other {what}")));
    if old.version != new.version {
        lines.push(format!(
            "other versions: {} and {}",
            old.version, new.version
        ));
    }
    lines
}

/// What is to be said of how the mix moved.
fn mix_changed(before: &Mix, after: &Mix) -> Vec<String> {
    let moved = |what: &str, old: Option<f64>, new: Option<f64>| {
        let (old, new) = old.zip(new)?;
        let is_moved = (new - old).abs() > MIX_POINTS;
        is_moved.then(|| {
            let word = if new > old { "rose" } else { "fell" };
            let (old, new) = (old * 100.0, new * 100.0);
            format!("the share of {what} {word} from {old:.1} % to {new:.1} %")
        })
    };
    let tampered = moved(
        "compared copies with signs of tampering",
        before.tampered_share,
        after.tampered_share,
    );
    let verbatim = moved(
        "copies that are verbatim",
        before.verbatim_share,
        after.verbatim_share,
    );
    tampered.into_iter().chain(verbatim).collect()
}

fn is_proven(origin: &Origin) -> bool {
    origin.certainty == Certainty::Proven && origin.contradicted_by.is_empty()
}

/// An address as it is shown: without how it is reached, which may be another one each day.
fn address(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.trim_end_matches('/');
    let rest = rest.strip_suffix(".git").unwrap_or(rest);
    match rest.split_once('/') {
        Some((host, path)) => format!("{}/{path}", host.to_ascii_lowercase()),
        None => rest.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests;
