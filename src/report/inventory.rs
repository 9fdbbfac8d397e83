//! What recovered code reveals, by kind, each value once.
//!
//! A value is told with how sure it is, whose, how often, and where it stands first. The organisation's own come before
//! those of unknown party, and third parties' last; within these the surest first. Kinds come in the order of
//! `signatures/impact.toml`, which says what each means and why it matters.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::axes::{Impact, Kind};
use super::bounded::{GroupKey, Groups, Table, Urgent, group_key};
use super::text::{KEPT_CHARS, clip, count_of};
use crate::record::{Item, Party};

/// Values kept of one kind, for `inventory.csv`.
const LISTED: usize = 2_000;

/// Values shown of one kind.
pub(super) const SHOWN: usize = 60;

/// Kinds; they come from the program and are few, the bound is for forged records.
const KINDS: usize = 120;

/// Characters of a value and of its detail that are kept.
const VALUE_CHARS: usize = 400;

/// The word for a party in records.
pub(super) fn party_word(party: Party) -> &'static str {
    match party {
        Party::First => "first",
        Party::Third => "third",
        Party::Unknown => "unknown",
    }
}

/// What recovered code reveals.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Inventory {
    /// Items, each place counted.
    pub places: u64,
    /// Different values, kind by kind.
    pub distinct: u64,
    /// Hosts that are not a third party's and that the code or their name says are internal.
    pub internal_hosts: u64,
    /// By kind.
    pub kinds: Vec<KindTable>,
}

/// The items of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindTable {
    /// Its id.
    pub kind: String,
    /// What it is called.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// Places.
    pub places: u64,
    /// Different values that are not a third party's alone.
    pub own: u64,
    /// Different values, own and surest first.
    pub table: Table<ItemRow>,
}

/// One value of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemRow {
    /// The value.
    pub value: String,
    /// How sure.
    pub confidence: String,
    /// Whose: the nearest to the organisation of all its places.
    pub party: String,
    /// Places.
    pub places: u64,
    /// The first of them.
    pub locator: String,
    /// Line there, 1-based; null where it is withheld.
    pub line: Option<u64>,
    /// What else the code says of it.
    pub detail: Option<String>,
}

impl Urgent for ItemRow {
    type Rank = (u8, u8, Reverse<u64>, String);

    fn rank(&self) -> Self::Rank {
        (
            party_rank(&self.party),
            confidence_rank(&self.confidence),
            Reverse(self.places),
            self.value.clone(),
        )
    }
}

fn party_rank(party: &str) -> u8 {
    match party {
        "first" => 0,
        "unknown" => 1,
        _ => 2,
    }
}

fn confidence_rank(confidence: &str) -> u8 {
    match confidence {
        "high" => 0,
        "medium" => 1,
        _ => 2,
    }
}

struct KindState {
    places: u64,
    groups: Groups<ItemRow>,
    own: HashSet<GroupKey>,
}

/// Gathers items while they stream by.
pub(super) struct Collect {
    kinds: BTreeMap<String, KindState>,
    places: u64,
    internal_hosts: HashSet<GroupKey>,
    with_lines: bool,
}

impl Collect {
    pub(super) fn new(with_lines: bool) -> Self {
        Self {
            kinds: BTreeMap::new(),
            places: 0,
            internal_hosts: HashSet::new(),
            with_lines,
        }
    }

    pub(super) fn add(&mut self, item: &Item) {
        self.places += 1;
        let is_known = self.kinds.contains_key(&item.kind) || self.kinds.len() < KINDS;
        let kind = if is_known {
            &item.kind
        } else {
            "(further kinds)"
        };
        let state = self
            .kinds
            .entry(kind.to_owned())
            .or_insert_with(|| KindState {
                places: 0,
                groups: Groups::new(LISTED),
                own: HashSet::new(),
            });
        state.places += 1;
        let key = group_key(&[&item.value]);
        if item.party != Party::Third {
            state.own.insert(key);
        }
        if is_internal_host(item) {
            self.internal_hosts.insert(key);
        }
        let party = party_word(item.party);
        let line = self.with_lines.then_some(item.line);
        state.groups.add(
            key,
            || ItemRow {
                value: clip(&item.value, VALUE_CHARS),
                confidence: clip(&item.confidence, KEPT_CHARS),
                party: party.to_owned(),
                places: 1,
                locator: clip(&item.locator, KEPT_CHARS),
                line,
                detail: item.detail.as_deref().map(|text| clip(text, VALUE_CHARS)),
            },
            |row| {
                row.places += 1;
                if confidence_rank(&item.confidence) < confidence_rank(&row.confidence) {
                    row.confidence.clone_from(&item.confidence);
                }
                // The place that is shown is one of the party that is named.
                if party_rank(party) < party_rank(&row.party) {
                    party.clone_into(&mut row.party);
                    row.locator = clip(&item.locator, KEPT_CHARS);
                    row.line = line;
                }
            },
        );
    }

    pub(super) fn finish(self) -> Inventory {
        let impact = Impact::builtin();
        let mut kinds: Vec<(usize, KindTable)> = self
            .kinds
            .into_iter()
            .map(|(kind, state)| {
                let (order, known) = impact.kind(&kind);
                (order, table_of(kind, known, state))
            })
            .collect();
        kinds.sort_by(|a, b| (a.0, &a.1.kind).cmp(&(b.0, &b.1.kind)));
        let kinds: Vec<KindTable> = kinds.into_iter().map(|(_, table)| table).collect();
        Inventory {
            places: self.places,
            internal_hosts: count_of(self.internal_hosts.len()),
            distinct: kinds.iter().map(|kind| kind.table.total).sum(),
            kinds,
        }
    }
}

/// Whether an item is a host of the inside: those who read hosts say so first in its detail. A view that leaves details
/// out is told by [`INTERNAL`].
fn is_internal_host(item: &Item) -> bool {
    let said = item.detail.as_deref();
    item.kind == "host"
        && item.party != Party::Third
        && said.is_some_and(|said| said.starts_with(INTERNAL))
}

/// The word that the detail of an internal host begins with.
pub(super) const INTERNAL: &str = "internal";

fn table_of(kind: String, known: Option<&Kind>, state: KindState) -> KindTable {
    KindTable {
        title: known.map_or_else(|| clip(&kind, KEPT_CHARS), |known| known.title.clone()),
        why: known.map_or_else(String::new, |known| known.why.clone()),
        places: state.places,
        own: count_of(state.own.len()),
        table: state.groups.finish(),
        kind,
    }
}

impl Inventory {
    /// Different values of a kind that are not a third party's alone.
    pub fn own_of(&self, kind: &str) -> u64 {
        let row = self.kinds.iter().find(|row| row.kind == kind);
        row.map_or(0, |row| row.own)
    }

    /// Different names and addresses of people that are not a third party's alone.
    pub fn own_people(&self) -> u64 {
        let kinds = ["email", "person", "owner"];
        kinds.iter().map(|kind| self.own_of(kind)).sum()
    }
}
