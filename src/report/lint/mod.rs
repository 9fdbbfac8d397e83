//! A draft of a notice held against the case, before a person sends it.
//!
//! Of the notices about leaks that a host published one in nine had been sent back at least once, and the largest retraction on
//! file is that of a sworn sentence that nobody had checked. What goes wrong is known and can be looked for: an address of one's
//! own, a branch instead of a commit, "all forks" without a list, a part claimed as the whole. And what is sent is published,
//! so whatever the case knows to be private must not stand in it.
//!
//! A draft may be one that `notice` wrote or one that somebody wrote by hand (`draft`). The case is taken down to plain rows
//! first (`gather` into [`Facts`]), and each rule is a function of the two: of addresses (`places`), of what is said
//! (`claims`), of what is published (`private`). What a rule is called, why hosts mind, and how to mend it is data
//! (`signatures/lint.toml`, `rules`).
//!
//! Time is linear in the draft, and what is kept of findings is bounded for each rule ([`KEPT_MAX`]); all are counted. Values
//! that must not be published are shown cut, as credentials are.
//!
//! Left out: what a court would say. A draft without findings is one in which none of these failures was seen.

mod claims;
mod draft;
mod facts;
mod gather;
mod hosts;
mod links;
mod places;
mod private;
mod rules;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use draft::{Draft, DraftFile, Form};
pub use facts::{CopyFact, Facts, Place, Private, Reviewed, Root, ScopeSaid};
pub use gather::{Gather, work_paths};
pub use hosts::{LintHost, LintHosts};
pub use rules::{Part, Rule, Rules, Weight};

use crate::report::text::{KEPT_CHARS, clip, shown, visible};
use links::Link;

/// Findings of one rule that are kept; all are counted.
pub const KEPT_MAX: usize = 1_000;
/// Places that one notice names at most, where nothing else is said.
pub const ROWS_DEFAULT: u64 = 100;

/// What a draft is held against beside the case.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Id of the host that it goes to; without one it is told by the addresses.
    pub host: Option<String>,
    /// How many places the host takes at once; without it the data of hosts says.
    pub rows: Option<u64>,
    /// The hosts there are; without them those that the program knows.
    pub hosts: Option<LintHosts>,
}

impl Asked {
    fn hosts(&self) -> &LintHosts {
        self.hosts.as_ref().unwrap_or(&Rules::builtin().hosts)
    }
}

/// Something that is wrong at a place of a draft.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Finding {
    /// Name of the file.
    pub file: String,
    /// Line, 1-based; 0 where the draft as a whole is meant.
    pub line: u64,
    /// Column in bytes, 1-based.
    pub column: u64,
    /// How much it matters.
    pub severity: Weight,
    /// What is there, safe to show: cut where it is private.
    pub found: String,
    /// What the case says of it.
    pub detail: Option<String>,
}

/// Findings of one rule.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct OfRule {
    /// How many there are.
    pub total: u64,
    /// The first of them.
    pub findings: Vec<Finding>,
}

/// What was found in a draft.
#[derive(Debug, Default)]
pub struct Report {
    /// Findings by the id of their rule.
    pub by_rule: BTreeMap<&'static str, OfRule>,
    /// How many there are of each weight.
    pub counts: BTreeMap<Weight, u64>,
    /// Distinct addresses that the draft claims.
    pub claimed: u64,
    /// Of which host that looks to be, by id, or its name in addresses.
    pub host: Option<String>,
    /// What was not looked at, since there is more of it than a letter has.
    pub bounded: std::collections::BTreeSet<String>,
}

impl Report {
    /// The worst there is.
    #[must_use]
    pub fn worst(&self) -> Option<Weight> {
        let found = self.counts.iter().filter(|(_, count)| **count > 0);
        found.map(|(weight, _)| *weight).max()
    }
}

/// Takes findings.
struct Findings {
    rules: &'static Rules,
    report: Report,
}

impl Findings {
    /// Tells of something at a byte of a file.
    fn tell(&mut self, id: &str, file: &DraftFile, at: usize, found: &str, detail: Option<String>) {
        let (line, column) = file.place(at);
        self.tell_as(id, None, &file.name, (line, column), found, detail);
    }

    /// Tells of something that the draft as a whole has or lacks.
    fn tell_of_all(&mut self, id: &str, found: &str, detail: Option<String>) {
        self.tell_as(id, None, "", (0, 0), found, detail);
    }

    /// Tells of something, with another weight than the rule's.
    fn tell_as(
        &mut self,
        id: &str,
        weight: Option<Weight>,
        file: &str,
        (line, column): (u64, u64),
        found: &str,
        detail: Option<String>,
    ) {
        let Some(rule) = self.rules.get(id) else {
            debug_assert!(false, "no rule {id}");
            return;
        };
        let severity = weight.unwrap_or(rule.severity);
        *self.report.counts.entry(severity).or_default() += 1;
        let of_rule = self.report.by_rule.entry(&rule.id).or_default();
        of_rule.total += 1;
        if of_rule.findings.len() < KEPT_MAX {
            of_rule.findings.push(Finding {
                file: shown(file),
                line,
                column,
                severity,
                found: shown(found),
                detail: detail.map(|detail| visible(&clip(&detail, KEPT_CHARS))),
            });
        }
    }
}

/// Holds a draft against the case.
#[must_use]
pub fn lint(draft: &Draft, facts: &Facts, asked: &Asked) -> Report {
    let rules = Rules::builtin();
    let mut findings = Findings {
        rules,
        report: Report::default(),
    };
    let known = facts.places.values().filter_map(|place| {
        let host = crate::exposure::Location::read(&place.shown)?.host?;
        (!host.is_empty()).then_some(host)
    });
    let mut hosts: std::collections::BTreeSet<String> = known.collect();
    hosts.extend(
        asked
            .hosts()
            .iter()
            .flat_map(|host| host.names.iter().cloned()),
    );
    let bare = links::bare_hosts(hosts.iter().map(String::as_str));
    let linked: Vec<(&DraftFile, Vec<Link>)> = draft
        .files
        .iter()
        .map(|file| (file, links::links_of(file, bare.as_ref())))
        .collect();
    let listed = places::look(&linked, facts, asked, &mut findings);
    claims::look(&linked, &listed, facts, asked, &mut findings);
    private::look(&linked, &listed, facts, &mut findings);
    let mut report = findings.report;
    report.claimed = listed.keys.len() as u64;
    report.host = listed.host;
    for of_rule in report.by_rule.values_mut() {
        of_rule.findings.sort();
    }
    report
}
