//! Records in: what a case knows of places, and the matches of those that may be claimed.
//!
//! Records are read twice, since what is joined stands behind what it was joined from: first the places with their
//! addresses ([`Gather::add`]), then the matches, packages and secrets in those that are on the host asked for
//! ([`Gather::add_within`]). Held are the places of the case, and the matches of one host.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::What;
use crate::record::{
    Certainty, Comparison, Copy, Match, Origin, OriginBy, Package, Record, Run, Secret, Severity,
    Sign,
};

/// Signs of one place that are kept; the worst come to more than anybody reads.
const SIGNS_MAX: usize = 200;
/// A sign from here on goes to the abuse channel.
const ABUSE_FROM: Severity = Severity::High;

/// Everything that notices need of a case.
#[derive(Debug, Default)]
pub struct Gather {
    pub(super) run: Option<Run>,
    /// Copies and suspects (`true`) by root and work.
    pub(super) places: BTreeMap<(String, String), (Copy, bool)>,
    pub(super) origins: BTreeMap<String, Origin>,
    /// Listed places that are not in the input, by network.
    pub(super) absent: BTreeMap<String, u64>,
    /// Classes of all roots.
    pub(super) classes: BTreeMap<String, String>,
    pub(super) compared: BTreeMap<String, Comparison>,
    pub(super) signs: BTreeMap<String, Vec<Sign>>,
    pub(super) packages: BTreeMap<String, Package>,
    pub(super) matches: BTreeMap<(String, String), Vec<Match>>,
    pub(super) secrets: BTreeMap<String, Vec<Secret>>,
    /// Roots whose inner records are kept.
    wanted: BTreeSet<String>,
}

impl Gather {
    /// Takes a record of the first reading.
    pub fn add(&mut self, record: Record) {
        match record {
            Record::Run(run) => self.run = Some(*run),
            Record::Copy(copy) => self.place(*copy, false),
            Record::Suspect(copy) => self.place(*copy, true),
            Record::Examined(row) => drop(self.classes.insert(row.locator, row.class)),
            Record::Origin(origin) => self.origin(*origin),
            Record::Comparison(row) => drop(self.compared.insert(row.locator.clone(), *row)),
            Record::Sign(sign) if sign.severity >= ABUSE_FROM => {
                let signs = self.signs.entry(sign.root.clone()).or_default();
                if signs.len() < SIGNS_MAX {
                    signs.push(*sign);
                }
            }
            _ => {}
        }
    }

    fn place(&mut self, copy: Copy, is_suspect: bool) {
        let key = (copy.locator.clone(), copy.work.clone());
        self.places.insert(key, (copy, is_suspect));
    }

    fn origin(&mut self, origin: Origin) {
        if !origin.present || origin.locator.is_empty() {
            let is_listed = matches!(origin.by, OriginBy::Origins | OriginBy::Acquisition);
            if let Some(network) = origin.network.filter(|_| is_listed) {
                *self.absent.entry(network).or_default() += 1;
            }
            return;
        }
        // A record outweighs a hint; of equal ones the first by address, whichever came first.
        let rank = |origin: &Origin| (origin.certainty == Certainty::Hint, origin.url.clone());
        match self.origins.get(&origin.locator) {
            Some(known) if rank(known) <= rank(&origin) => {}
            _ => drop(self.origins.insert(origin.locator.clone(), origin)),
        }
    }

    /// Ends the first reading: what lies in places that may be on this host is kept from now on.
    pub fn want(&mut self, what: &What) {
        let roots = self.places.keys().map(|(root, _)| root.clone());
        let roots: BTreeSet<String> = roots.filter(|root| what.may_be_on(self, root)).collect();
        self.wanted = roots;
    }

    /// Takes a record of the second reading.
    pub fn add_within(&mut self, record: Record) {
        match record {
            Record::Match(found) => {
                if let Some(root) = self.wanted_root(&found.locator) {
                    let key = (root, found.work.clone());
                    self.matches.entry(key).or_default().push(*found);
                }
            }
            Record::Secret(secret) => {
                if let Some(root) = self.wanted_root(&secret.locator) {
                    self.secrets.entry(root).or_default().push(secret);
                }
            }
            Record::Package(package) if self.wanted.contains(&package.locator) => {
                self.packages.insert(package.locator.clone(), *package);
            }
            _ => {}
        }
    }

    /// The root that a locator belongs to, where it is one of those wanted.
    fn wanted_root(&self, locator: &str) -> Option<String> {
        let root = self.root_of(locator)?;
        self.wanted.contains(root).then(|| root.to_owned())
    }

    /// The nearest root at or above a locator.
    fn root_of<'l>(&self, locator: &'l str) -> Option<&'l str> {
        let is_root = |place: &str| self.classes.contains_key(place);
        let mut place = locator;
        loop {
            if is_root(place) {
                return Some(place);
            }
            let slash = place.rfind('/')?;
            place = place.get(..slash)?;
            // A container's locator ends before the `!` of the hop.
            if let Some(container) = place.strip_suffix('!') {
                place = container;
            }
        }
    }

    /// Whether the set of a work is one of what is the vendor's own and secret, not one of what is public.
    pub(super) fn is_claimable(&self, work: &str) -> bool {
        let sets = self.run.iter().flat_map(|run| &run.sets);
        let mut roles = sets.filter(|set| set.work == work).map(|set| &set.role);
        let is_signature = roles.clone().any(|role| role == "signature");
        is_signature || roles.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Examined;

    #[test]
    fn a_match_belongs_to_the_nearest_root() {
        let mut gather = Gather::default();
        for root in ["in/a", "in/a/inner", "in/b.tgz"] {
            gather.add(Record::Examined(Examined {
                locator: root.to_owned(),
                hops: Default::default(),
                class: "partial".to_owned(),
                note: None,
            }));
        }
        for (locator, root) in [
            ("in/a/x.js", Some("in/a")),
            ("in/a/.git!/00", Some("in/a")),
            ("in/a/inner/x.zip!/y", Some("in/a/inner")),
            ("in/a2/x", None),
            ("in/b.tgz!/p/x", Some("in/b.tgz")),
            ("in/b.tgz2", None),
            ("in/b.tgz", Some("in/b.tgz")),
        ] {
            assert_eq!(gather.root_of(locator), root, "{locator}");
        }
    }
}
