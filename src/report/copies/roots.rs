//! What is said of a root beside how much of the work it holds.
//!
//! An address, how it differs, its worst sign, its parent: each comes as a record of its own, in any order, and is kept by the
//! root until the end. That grows with the places examined, and is bounded.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::bounded::Count;
use super::super::text::count_of;
use super::model::*;
use super::rows::kept;
use crate::copies::lineage::plain;
use crate::record::{Certainty, Lineage, Origin, OriginBy, Severity};

/// Roots of which something is remembered.
const ROOTS_MAX: usize = 200_000;
/// Hosts that are named.
const HOSTS_SHOWN: usize = 50;

/// What is said of one root.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) url: Option<String>,
    host: Option<String>,
    location: Option<Certainty>,
    pub(super) parent: Option<String>,
    network: Option<String>,
    seen_at: Option<String>,
    pub(super) delta: Option<Delta>,
    pub(super) signs: u64,
    pub(super) notes: u64,
    pub(super) worst: Option<Severity>,
    pub(super) lineage: Option<Box<Lineage>>,
}

/// What is said of all of them.
#[derive(Default)]
pub(in crate::report) struct Roots {
    beside: HashMap<String, Beside>,
    listed: u64,
    listed_absent: u64,
    contradicted: u64,
}

impl Roots {
    /// What is said of a root; `None` where nothing more can be remembered.
    pub(super) fn at(&mut self, locator: &str) -> Option<&mut Beside> {
        let locator = kept(locator);
        if self.beside.len() >= ROOTS_MAX && !self.beside.contains_key(&locator) {
            return None;
        }
        Some(self.beside.entry(locator).or_default())
    }

    /// What was said of a root.
    pub(super) fn get(&self, locator: &str) -> Option<&Beside> {
        self.beside.get(locator)
    }

    pub(in crate::report) fn origin(&mut self, origin: &Origin) {
        let is_listed = matches!(origin.by, OriginBy::Origins | OriginBy::Acquisition);
        self.listed += u64::from(is_listed);
        self.contradicted += u64::from(!origin.contradicted_by.is_empty());
        if !origin.present || origin.locator.is_empty() {
            self.listed_absent += u64::from(is_listed);
            return;
        }
        let Some(beside) = self.at(&origin.locator) else {
            return;
        };
        // A record outweighs a hint, whichever comes first.
        if beside.location > Some(origin.certainty) {
            return;
        }
        let is_better = beside.location < Some(origin.certainty);
        beside.location = Some(origin.certainty);
        let told = [
            (&mut beside.url, &origin.url),
            (&mut beside.host, &origin.host),
            (&mut beside.parent, &origin.parent),
            (&mut beside.network, &origin.network),
            (&mut beside.seen_at, &origin.seen_at),
        ];
        for (held, said) in told {
            let said = said.as_deref().map(kept);
            if is_better || held.is_none() || said.is_some() && said < *held {
                *held = said;
            }
        }
    }

    /// The host of a root's address, where that is recorded and not hinted at by the root itself.
    pub(in crate::report) fn recorded_host_of(&self, locator: &str) -> Option<&str> {
        let of = self.get(&kept(locator))?;
        let is_recorded = of.location == Some(Certainty::Proven);
        of.host.as_deref().filter(|_| is_recorded)
    }

    /// When a root was seen at its address, as recorded.
    pub(in crate::report) fn seen_at(&self, locator: &str) -> Option<&str> {
        self.get(&kept(locator))?.seen_at.as_deref()
    }

    /// Puts what was said of a copy into its row.
    pub(super) fn join(&self, row: &mut CopyRow) {
        let Some(beside) = self.beside.get(&row.locator) else {
            return;
        };
        if beside.location.is_some() {
            row.location = beside.location;
            row.url = beside.url.clone().or_else(|| row.url.take());
        }
        row.host.clone_from(&beside.host);
        row.network.clone_from(&beside.network);
        row.seen_at.clone_from(&beside.seen_at);
        row.is_network_root = row.network.is_some()
            && row.url.as_deref().map(plain) == row.network.as_deref().map(plain);
        row.delta.clone_from(&beside.delta);
        let was_compared = beside.delta.is_some() || beside.worst.is_some();
        row.signs = was_compared.then_some(beside.signs);
        row.notes = beside.notes;
        row.signs_worst = beside.worst;
    }

    /// Where the copies are.
    pub(super) fn located(&self, rows: &[CopyRow]) -> Located {
        let mut out = Located {
            listed: self.listed,
            listed_absent: self.listed_absent,
            contradicted: self.contradicted,
            ..Located::default()
        };
        // What somebody recorded, and what the copies say of themselves: a forged remote must not make spread.
        let mut hosts: [BTreeMap<&str, u64>; 2] = Default::default();
        let mut networks: [BTreeSet<&str>; 2] = Default::default();
        for row in rows {
            match row
                .location
                .filter(|_| row.url.is_some() || row.host.is_some())
            {
                Some(Certainty::Proven) => out.recorded += 1,
                Some(Certainty::Hint) => out.hint += 1,
                None => out.unknown += 1,
            }
            let at = usize::from(row.location != Some(Certainty::Proven));
            if let (Some(host), Some(hosts)) = (&row.host, hosts.get_mut(at)) {
                *hosts.entry(host).or_default() += 1;
            }
            if let Some(networks) = networks.get_mut(at) {
                networks.extend(row.network.as_deref());
            }
        }
        let [hosts, hinted] = hosts;
        out.hosts_total = count_of(hosts.len());
        let further = hinted.keys().filter(|host| !hosts.contains_key(*host));
        out.hosts_by_hint = count_of(further.count());
        let [networks, by_hint] = networks;
        out.networks = count_of(networks.len());
        out.networks_by_hint = count_of(by_hint.difference(&networks).count());
        out.hosts = most_first(hosts);
        out.hosts_hinted = most_first(hinted);
        out
    }
}

fn most_first(hosts: BTreeMap<&str, u64>) -> Vec<Count> {
    let hosts = hosts.into_iter().map(|(name, count)| Count {
        name: name.to_owned(),
        count,
    });
    let mut hosts: Vec<Count> = hosts.collect();
    hosts.sort_by_key(|host| Reverse(host.count));
    hosts.truncate(HOSTS_SHOWN);
    hosts
}
