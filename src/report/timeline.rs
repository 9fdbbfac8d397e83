//! What dates are known, and from where.
//!
//! A date is only as good as what states it: the clock of the machine that ran the scan, the author of a commit, who can
//! write what he likes. Times stored in archives are not used: packers set them to constants, and none of them is a
//! time of publication. Dates of releases come from whoever gives them, and stand in a section of their own.

use std::collections::BTreeMap;

use serde::Serialize;

use super::text::{KEPT_CHARS, clip};
use crate::record::GitPlace;

/// A date and what is known to have happened then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimeRow {
    /// UTC, RFC 3339.
    pub when: String,
    /// What happened.
    pub what: String,
    /// Who says so.
    pub source: String,
    /// Where it stands.
    pub place: String,
}

/// The first and the last commits that hold something, by what it is.
#[derive(Debug, Default)]
pub(super) struct Times {
    first: BTreeMap<&'static str, (String, String)>,
    last: BTreeMap<&'static str, (String, String)>,
}

impl Times {
    /// Notes the commits that hold something that was found.
    pub(super) fn add(&mut self, what: &'static str, git: Option<&GitPlace>, locator: &str) {
        let Some(git) = git else { return };
        let dated = |commit: &Option<crate::record::CommitAt>| {
            let date = commit.as_ref()?.date.clone()?;
            Some((date, clip(locator, KEPT_CHARS)))
        };
        if let Some(one) = dated(&git.first) {
            let known = self.first.entry(what).or_insert_with(|| one.clone());
            if one < *known {
                *known = one;
            }
        }
        if let Some(one) = dated(&git.last) {
            let known = self.last.entry(what).or_insert_with(|| one.clone());
            if one.0 > known.0 {
                *known = one;
            }
        }
    }

    /// The first date of all, which is the earliest that something that was found is known to have existed.
    pub(super) fn earliest(&self) -> Option<&str> {
        self.first.values().map(|(date, _)| date.as_str()).min()
    }

    pub(super) fn finish(self, started: Option<&str>) -> Vec<TimeRow> {
        const AUTHORS: &str = "the date that the author of the commit states";
        let row = |what: String, (when, place): (String, String)| TimeRow {
            when,
            what,
            source: AUTHORS.to_owned(),
            place,
        };
        let first = self.first.into_iter();
        let mut rows: Vec<TimeRow> = first
            .map(|(what, at)| row(format!("First commit with {what}"), at))
            .collect();
        let last = self.last.into_iter();
        rows.extend(last.map(|(what, at)| row(format!("Last commit with {what}"), at)));
        rows.extend(started.map(|started| TimeRow {
            when: started.to_owned(),
            what: "This scan began".to_owned(),
            source: "the clock of the machine that ran it".to_owned(),
            place: String::new(),
        }));
        rows.sort_by(|a, b| (&a.when, &a.what).cmp(&(&b.when, &b.what)));
        rows
    }
}
