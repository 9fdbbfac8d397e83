//! What may be said of all places, from those that were examined.
//!
//! A notice that says "all forks" needs somebody who looked. So the places of the user's list are counted by what was found in
//! each: how many hold the work and how much of it, how many are public code of the vendor's own, how many hold nothing of it,
//! and how many were never examined. Of the last ones nothing is known, unless those that were examined were chosen by
//! chance: then there is a bound ([`odds`]), and only then is one told. The sentence that comes out says what
//! the data supports, or that it does not support it, and why. It never says what follows from that.
//!
//! A place is an address; several copies got from one address are one place, and it holds what the best of them holds. Where
//! two addresses are said of one copy, neither place is decided. A place
//! that was examined and could not be decided counts as one that does not hold the work wherever a bound is computed. All
//! this is a function of records: `origin`, `examined`, `copy` and `suspect`.

mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use self::words::worded;
use super::odds;
use crate::blob::digest::hex;
use crate::case::Draw;
use crate::exposure::Location;
use crate::record::{Certainty, Origin, Record};

pub use self::words::per_cent;

/// What was found in a place; the first that holds of any of its copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It holds at least the asked share of the work.
    Holds,
    /// It holds less.
    Part,
    /// It may hold some: weaker matches only.
    Suspect,
    /// What matches is public already.
    OwnPublic,
    /// Nothing of the work was found.
    Unrelated,
    /// It was looked at, and could not be decided.
    Undecided,
    /// It was not examined.
    NotExamined,
}

/// A listed place.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its address, or its path where the list has none.
    pub url: String,
    /// What it was forked from.
    pub parent: Option<String>,
    /// Its host.
    pub host: Option<String>,
    /// Its path, where the list has no address.
    pub path: Option<String>,
    network: Option<String>,
    roots: BTreeSet<String>,
    by_hint: bool,
    is_contradicted: bool,
}

/// What a root holds of the works that were looked for.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    share: f64,
    is_copy: bool,
    is_suspect: bool,
}

/// The records that count, taken one by one.
#[derive(Debug, Default)]
pub struct Places {
    places: BTreeMap<String, Place>,
    examined: BTreeMap<String, String>,
    held: HashMap<String, Held>,
    /// Addresses that are said of a root, where they contradict each other.
    disputed: HashMap<String, BTreeSet<String>>,
    works: BTreeSet<String>,
}

/// How many places, by what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub places: u64,
    /// Those that were examined and decided.
    pub examined: u64,
    /// They hold at least the asked share of the work.
    pub hold: u64,
    /// They hold less.
    pub part: u64,
    /// They may hold some.
    pub suspects: u64,
    /// Public code of the vendor's own.
    pub own_public: u64,
    /// Nothing of the work was found.
    pub unrelated: u64,
    /// Looked at, and not decided.
    pub undecided: u64,
    /// Not examined.
    pub not_examined: u64,
    /// Of those examined, the ones that are told to be this place by the copy itself alone.
    pub by_hint: u64,
    /// Of all, the ones whose origin is contradicted.
    pub contradicted: u64,
}

impl Counts {
    fn add(&mut self, place: &Place, standing: Standing) {
        self.places += 1;
        self.contradicted += u64::from(place.is_contradicted);
        let is_seen = standing != Standing::NotExamined;
        self.by_hint += u64::from(place.by_hint && is_seen);
        self.examined += u64::from(is_seen && standing != Standing::Undecided);
        *match standing {
            Standing::Holds => &mut self.hold,
            Standing::Part => &mut self.part,
            Standing::Suspect => &mut self.suspects,
            Standing::OwnPublic => &mut self.own_public,
            Standing::Unrelated => &mut self.unrelated,
            Standing::Undecided => &mut self.undecided,
            Standing::NotExamined => &mut self.not_examined,
        } += 1;
    }

    /// Those that were looked at and do not hold the asked share, by what they are.
    fn misses(&self) -> Vec<String> {
        let kinds = [
            (self.own_public, "is own public code", "are own public code"),
            (self.unrelated, "is unrelated", "are unrelated"),
            (self.part, "holds less of it", "hold less of it"),
            (self.suspects, "is a suspect only", "are suspects only"),
            (self.undecided, "is not decided", "are not decided"),
        ];
        kinds
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| format!("{count} {}", worded(count, one, many)))
            .collect()
    }
}

/// What chance allows to be said of the places that were not examined.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bound {
    /// What chance was begun with, each draw once.
    pub seeds: BTreeSet<u64>,
    /// Places that were drawn at random, all of them examined.
    pub drawn: u64,
    /// Places from which they were drawn, as far as those were not examined otherwise.
    pub from: u64,
    /// Of those drawn, the ones that do not hold the asked share of the work, or could not be decided.
    pub misses: u64,
    /// Confidence of what follows.
    pub confidence: f64,
    /// The two-sided interval of the rate of misses (Clopper and Pearson).
    pub interval: [f64; 2],
    /// Its one-sided upper bound.
    pub upper: f64,
    /// The rule of three, where there was no miss: 3 / n.
    pub rule_of_three: Option<f64>,
    /// Places that were not examined.
    pub rest: u64,
    /// At most so many of these are misses (hypergeometric).
    pub rest_misses_at_most: u64,
}

/// How far the data carries a statement about all places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// All were examined, and all hold the work.
    All,
    /// Not all were examined; of the rest there is a bound.
    Bounded,
    /// Nothing is said of those that were not examined.
    ExaminedOnly,
    /// Some do not hold the work.
    NotSupported,
    /// Nothing was examined.
    Nothing,
}

/// The account of a list, or of one network of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scope {
    /// Names and releases of the works that were found.
    pub works: BTreeSet<String>,
    /// A place holds the work from this share of its first-party bytes on.
    pub threshold: f64,
    /// The network asked for; null for the whole list.
    pub network: Option<String>,
    /// A list was given; without one the places are those of the input.
    pub is_listed: bool,
    /// All places.
    pub total: Counts,
    /// The same by fork network; places of no network apart.
    pub networks: BTreeMap<String, Counts>,
    /// Networks that have no row here; 0 where the whole account is given.
    pub networks_left_out: u64,
    /// Places of the input that the list does not name.
    pub unlisted: Counts,
    /// What may be said of those not examined.
    pub bound: Option<Bound>,
    /// Why there is no bound, where there is something left to bound.
    pub no_bound: Option<String>,
    /// How far a statement about all places is supported.
    pub support: Support,
    /// What the data says, in one sentence.
    pub sentence: String,
    /// Whether it supports a statement about all places, and why not.
    pub verdict: String,
}

impl Places {
    /// Takes a record.
    pub fn add(&mut self, record: Record) {
        match record {
            Record::Origin(origin) => self.add_origin(*origin),
            Record::Examined(row) => drop(self.examined.insert(row.locator, row.class)),
            Record::Copy(copy) => {
                self.works.insert(copy.work.clone());
                let held = self.held.entry(copy.locator).or_default();
                held.is_copy = true;
                held.share = held.share.max(copy.of_original);
            }
            Record::Suspect(copy) => {
                self.held.entry(copy.locator).or_default().is_suspect = true;
            }
            _ => {}
        }
    }

    fn add_origin(&mut self, origin: Origin) {
        let url = origin.url.as_deref().and_then(Location::read);
        if let Some(url) = url.as_ref().filter(|_| !origin.contradicted_by.is_empty()) {
            let said = self.disputed.entry(origin.locator.clone()).or_default();
            said.insert(url.folded());
        }
        if !origin.listed {
            return;
        }
        let path = origin.path.as_deref().or(Some(origin.locator.as_str()));
        let key = match (&url, path) {
            // What was cut cannot be told to be the same.
            (Some(url), Some(path))
                if origin
                    .url
                    .as_deref()
                    .is_some_and(|url| url.contains("=***")) =>
            {
                format!("{} path {path}", url.folded())
            }
            (Some(url), _) => url.folded(),
            (None, Some(path)) => format!("path {path}"),
            (None, None) => return,
        };
        let shown = origin.url.clone().or_else(|| origin.path.clone());
        let place = self.places.entry(key).or_insert_with(|| Place {
            url: shown.unwrap_or_default(),
            parent: origin.parent.clone(),
            host: origin.host.clone(),
            path: if url.is_none() {
                origin.path.clone()
            } else {
                None
            },
            network: origin.network.clone(),
            roots: BTreeSet::new(),
            by_hint: true,
            is_contradicted: false,
        });
        place.is_contradicted |= !origin.contradicted_by.is_empty();
        if origin.present {
            // What is contradicted is not proven, and still somebody wrote it down.
            let is_written =
                origin.certainty == Certainty::Proven || !origin.contradicted_by.is_empty();
            place.by_hint &= !is_written;
            place.roots.insert(origin.locator);
        }
    }

    fn standing(&self, place: &Place, threshold: f64) -> Standing {
        let roots = place.roots.iter();
        roots
            .map(|root| self.standing_of(root, threshold))
            .min()
            .unwrap_or(Standing::NotExamined)
    }

    fn standing_of(&self, root: &str, threshold: f64) -> Standing {
        let Some(class) = self.examined.get(root) else {
            // An archive that is several copies: they stand for it.
            let below = format!("{root}!/");
            let parts = self.examined.range(below.clone()..);
            return parts
                .take_while(|(part, _)| part.starts_with(&below))
                .map(|(part, _)| self.standing_of(part, threshold))
                .min()
                .unwrap_or(Standing::NotExamined);
        };
        // Which place was examined here nobody knows.
        if self.disputed.get(root).is_some_and(|said| said.len() > 1) {
            return Standing::Undecided;
        }
        let held = self.held.get(root).copied().unwrap_or_default();
        match class.as_str() {
            "own-public" => Standing::OwnPublic,
            "unreadable" | "undecided" => Standing::Undecided,
            _ if held.is_copy && held.share >= threshold => Standing::Holds,
            _ if held.is_copy => Standing::Part,
            _ if held.is_suspect => Standing::Suspect,
            _ => Standing::Unrelated,
        }
    }

    /// The places of a network, or all of them; by key.
    fn listed<'p>(
        &'p self,
        network: Option<&'p str>,
    ) -> impl Iterator<Item = (&'p str, &'p Place)> + 'p {
        let wanted = network.and_then(Location::read);
        let is_in = move |(key, place): &(&str, &Place)| match &wanted {
            None => true,
            Some(wanted) => {
                let of_network = place.network.as_deref().and_then(Location::read);
                of_network.is_some_and(|network| network.agrees(wanted))
                    || key.eq_ignore_ascii_case(&wanted.key)
            }
        };
        let all = self.places.iter().map(|(key, place)| (key.as_str(), place));
        all.filter(is_in)
    }

    /// BLAKE3, hex, of which places are listed.
    pub fn digest(&self, network: Option<&str>) -> String {
        let mut digest = blake3::Hasher::new();
        for (key, _) in self.listed(network) {
            digest.update(&(key.len() as u64).to_le_bytes());
            digest.update(key.as_bytes());
        }
        hex(digest.finalize().as_bytes())
    }

    /// The listed places that were not examined, by key.
    pub fn not_examined<'p>(&'p self, network: Option<&'p str>) -> BTreeMap<&'p str, &'p Place> {
        let listed = self.listed(network);
        listed
            .filter(|(_, place)| self.standing(place, 0.0) == Standing::NotExamined)
            .collect()
    }

    /// How many places are listed.
    pub fn count(&self, network: Option<&str>) -> u64 {
        self.listed(network).count() as u64
    }

    /// The account of all places, or of those of one network.
    pub fn scope(
        &self,
        network: Option<&str>,
        threshold: f64,
        confidence: f64,
        draws: &[Draw],
    ) -> Scope {
        let mut total = Counts::default();
        let mut networks: BTreeMap<String, Counts> = BTreeMap::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut standings = BTreeMap::new();
        for (key, place) in self.listed(network) {
            let standing = self.standing(place, threshold);
            standings.insert(key, standing);
            total.add(place, standing);
            if let Some(name) = &place.network {
                // Lists of two cases may write one network in two ways: it is shown as it is met first.
                let name = names.entry(Location::fold(name)).or_insert(name.clone());
                networks
                    .entry(name.clone())
                    .or_default()
                    .add(place, standing);
            }
        }
        let named: BTreeSet<&str> = (self.places.values())
            .flat_map(|place| place.roots.iter().map(String::as_str))
            .collect();
        let mut unlisted = Counts::default();
        let others = self
            .examined
            .keys()
            // A copy within an archive that is listed is listed with it.
            .filter(|root| {
                let archive = root.split_once("!/").map(|(archive, _)| archive);
                !named.contains(root.as_str()) && !archive.is_some_and(|one| named.contains(one))
            });
        for root in others.filter(|_| network.is_none()) {
            unlisted.add(&bare(root), self.standing_of(root, threshold));
        }
        let is_listed = total.places > 0 || network.is_some() || !self.places.is_empty();
        if !is_listed {
            total = std::mem::take(&mut unlisted);
        }
        let (bound, no_bound) = if total.not_examined == 0 || total.examined + total.undecided == 0
        {
            (None, None)
        } else {
            let digest = self.digest(network);
            match bound_of(
                &standings,
                total.not_examined,
                network,
                &digest,
                draws,
                confidence,
            ) {
                Ok(bound) => (Some(bound), None),
                Err(why) => (None, Some(why)),
            }
        };
        let mut scope = Scope {
            works: self.works.clone(),
            threshold,
            network: network.map(str::to_owned),
            is_listed,
            total,
            networks,
            networks_left_out: 0,
            unlisted,
            bound,
            no_bound,
            support: Support::Nothing,
            sentence: String::new(),
            verdict: String::new(),
        };
        scope.support = scope.supported();
        scope.sentence = scope.said();
        scope.verdict = scope.judged();
        scope
    }
}

fn bare(root: &str) -> Place {
    Place {
        url: root.to_owned(),
        parent: None,
        host: None,
        path: None,
        network: None,
        roots: BTreeSet::new(),
        by_hint: false,
        is_contradicted: false,
    }
}

/// The bound that draws allow; else why there is none.
fn bound_of(
    standings: &BTreeMap<&str, Standing>,
    rest: u64,
    network: Option<&str>,
    list: &str,
    draws: &[Draw],
    confidence: f64,
) -> Result<Bound, String> {
    let of_scope = draws
        .iter()
        .filter(|draw| draw.network.as_deref() == network);
    let of_list: Vec<&Draw> = of_scope.clone().filter(|draw| draw.list == list).collect();
    if of_list.is_empty() {
        return Err(if of_scope.count() > 0 {
            "the list was changed since places were drawn from it".to_owned()
        } else {
            "those examined were not drawn at random (`case sample`)".to_owned()
        });
    }
    let drawn: BTreeSet<&str> = of_list
        .iter()
        .flat_map(|draw| draw.drawn.iter().map(String::as_str))
        .collect();
    let standing = |key: &&str| standings.get(*key).copied();
    let missing = drawn
        .iter()
        .filter(|key| matches!(standing(key), None | Some(Standing::NotExamined)))
        .count() as u64;
    let n = drawn.len() as u64;
    if missing > 0 {
        return Err(format!(
            "{missing} of the {n} places that were drawn at random {} not examined yet",
            worded(missing, "is", "are")
        ));
    }
    let misses = drawn
        .iter()
        .filter(|key| standing(key) != Some(Standing::Holds))
        .count() as u64;
    let from = rest + n;
    let (low, high) = odds::interval(misses, n, confidence);
    Ok(Bound {
        seeds: of_list.iter().map(|draw| draw.seed).collect(),
        drawn: n,
        from,
        misses,
        confidence,
        interval: [low, high],
        upper: odds::upper(misses, n, confidence),
        rule_of_three: (misses == 0 && n > 0).then(|| 3.0 / n as f64),
        rest,
        rest_misses_at_most: odds::misses_at_most(misses, n, from, confidence) - misses,
    })
}

#[cfg(test)]
mod tests;
