//! What to rotate: credentials, each once, with where it stands and how to make it worthless.
//!
//! Two places hold the same credential where their fingerprints agree (`--case-key`), or, without a key, where rule and
//! redacted form do; the latter is a good guess and is called so. Nothing here says that a credential works: that
//! cannot be told without a network. The owner is left blank, for the person who finds out.

use std::cmp::Reverse;
use std::collections::HashSet;

use serde::Serialize;

use super::bounded::{Count, GroupKey, Groups, Table, Tally, Urgent, group_key};
use super::inventory::party_word;
use super::text::{KEPT_CHARS, clip, count_of};
use crate::exposure::Rules;
use crate::record::{Party, Secret, Severity};

/// Credentials kept for the list beside the page.
const LISTED: usize = 50_000;

/// Places that are named of one credential.
const SPOTS: usize = 5;

/// What to rotate.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rotation {
    /// Places, equal credentials counted at each.
    pub places: u64,
    /// Credentials by the rules that found them: what ran on what is said under the method.
    pub tiers: Vec<Count>,
    /// Distinct credentials, worst first.
    pub table: Table<SecretRow>,
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretRow {
    /// Id of the rule.
    pub rule: String,
    /// The worst severity at a place.
    pub severity: Severity,
    /// The best of what was checked at a place.
    pub check: String,
    /// Which rules found it.
    pub tier: String,
    /// What identifies it safely.
    pub redacted: String,
    /// Digest keyed by the user's key; without one, places were put together by rule and redacted form.
    pub fingerprint: Option<String>,
    /// Places.
    pub places: u64,
    /// The first of them.
    pub spots: Vec<Spot>,
    /// What it says of itself.
    pub detail: Option<String>,
    /// How to make it worthless.
    pub how: String,
    /// For a person to fill in.
    pub owner: String,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Spot {
    /// Where.
    pub locator: String,
    /// Line, 1-based; null where it is withheld.
    pub line: Option<u64>,
    /// Whose the text is.
    pub party: String,
}

impl Urgent for SecretRow {
    type Rank = (
        Reverse<Severity>,
        u8,
        String,
        String,
        Option<String>,
        Option<Spot>,
    );

    fn rank(&self) -> Self::Rank {
        (
            Reverse(self.severity),
            check_rank(&self.check),
            self.rule.clone(),
            self.redacted.clone(),
            self.fingerprint.clone(),
            self.spots.first().cloned(),
        )
    }
}

/// Rank of a check; the surest is 0.
fn check_rank(check: &str) -> u8 {
    match check {
        "checksum-ok" => 0,
        "structure-ok" => 1,
        _ => 2,
    }
}

/// Gathers credentials while they stream by.
pub(super) struct Rotate {
    places: u64,
    tiers: Tally,
    groups: Groups<SecretRow>,
    /// Lines are shown.
    with_lines: bool,
    /// Distinct ones of high or worse severity whose form was checked.
    pub(super) checked_high: HashSet<GroupKey>,
    /// Distinct ones by severity, for the axes.
    by_severity: [HashSet<GroupKey>; 5],
}

impl Rotate {
    pub(super) fn new(with_lines: bool) -> Self {
        Self {
            places: 0,
            tiers: Tally::default(),
            groups: Groups::new(LISTED),
            with_lines,
            checked_high: HashSet::new(),
            by_severity: Default::default(),
        }
    }

    pub(super) fn add(&mut self, secret: &Secret) {
        self.places += 1;
        let tier = if secret.tier.is_empty() {
            "not said"
        } else {
            &secret.tier
        };
        self.tiers.add(tier, 1);
        let key = match &secret.fingerprint {
            Some(fingerprint) => group_key(&["fingerprint", fingerprint]),
            None => group_key(&["shown", &secret.rule, &secret.redacted]),
        };
        self.by_severity[secret.severity as usize].insert(key);
        if secret.severity >= Severity::High && check_rank(&secret.check) < 2 {
            self.checked_high.insert(key);
        }
        let spot = Spot {
            locator: clip(&secret.locator, KEPT_CHARS),
            line: self.with_lines.then_some(secret.line),
            party: party_word(secret.party.unwrap_or(Party::Unknown)).to_owned(),
        };
        let merged = spot.clone();
        self.groups.add(
            key,
            || SecretRow {
                rule: clip(&secret.rule, KEPT_CHARS),
                severity: secret.severity,
                check: clip(&secret.check, KEPT_CHARS),
                tier: clip(tier, KEPT_CHARS),
                redacted: clip(&secret.redacted, KEPT_CHARS),
                fingerprint: secret.fingerprint.clone(),
                places: 1,
                spots: vec![spot],
                detail: secret.detail.as_deref().map(|text| clip(text, KEPT_CHARS)),
                how: how_to_rotate(&secret.rule),
                owner: String::new(),
            },
            |row| {
                row.places += 1;
                row.severity = row.severity.max(secret.severity);
                if check_rank(&secret.check) < check_rank(&row.check) {
                    row.check.clone_from(&secret.check);
                }
                if row.spots.len() < SPOTS {
                    row.spots.push(merged);
                }
            },
        );
    }

    /// Distinct credentials of this severity or a worse one.
    pub(super) fn distinct_from(&self, least: Severity) -> u64 {
        let worse = self.by_severity.iter().skip(least as usize).flatten();
        count_of(worse.collect::<HashSet<_>>().len())
    }

    pub(super) fn finish(self) -> Rotation {
        Rotation {
            places: self.places,
            tiers: self.tiers.finish(),
            table: self.groups.finish(),
        }
    }
}

impl Rotation {
    /// Places were put together without fingerprints.
    pub fn is_guessed(&self) -> bool {
        self.table.rows.iter().any(|row| row.fingerprint.is_none())
    }
}

/// What the rule says; for rules of the user's own, what holds of any credential.
fn how_to_rotate(rule: &str) -> String {
    Rules::builtin().get(rule).map_or_else(
        || {
            "Revoke it where it was issued, issue another, and read the issuer's log of its use since it was exposed."
                .to_owned()
        },
        |rule| rule.action.clone(),
    )
}
