//! Causes of changes: what can be known of why a finding is there now, and was not, or the other way round.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Line;
use super::differences::{Decides, not_told};
use super::head::{Head, unit_digest};

/// Finds causes.
pub(super) struct Judge<'a> {
    pub(super) before: &'a Head,
    pub(super) now: &'a Head,
    /// What else differs between the runs, and which results that decides.
    pub(super) settings: Vec<(&'static str, Decides)>,
    pub(super) units_before: HashMap<&'a str, Option<&'a str>>,
    /// Digests of all units of the earlier run, where it tells them.
    pub(super) all_before: Option<HashSet<u64>>,
    pub(super) units_now: &'a BTreeMap<String, Option<String>>,
}

impl Judge<'_> {
    pub(super) fn of_new(&self, line: &Line) -> String {
        if !has_input(self.before, &line.locator) {
            return "new input".to_owned();
        }
        let before = line
            .unit
            .as_deref()
            .and_then(|unit| self.units_before.get(unit));
        match before.copied().flatten().zip(line.unit_sha256.as_deref()) {
            Some((before, now)) if before != now => "content changed".to_owned(),
            Some(_) => self.of_same_content(line, !self.before.complete),
            None if self.was_there(line) || self.is_same_input(&line.locator) => {
                self.of_same_content(line, !self.before.complete)
            }
            None if self.all_before.is_some() && line.unit.is_some() => {
                "new file, or one with other content".to_owned()
            }
            // Nothing was found in it before, so that it may have been there or not.
            None => {
                let mut causes = vec!["content came in or changed".to_owned()];
                causes.extend(self.settings_changed(line));
                if causes.len() == 1 && !self.before.complete {
                    causes.push("was not read before".to_owned());
                }
                causes.extend(self.settings_not_told(line));
                causes.join(", or ")
            }
        }
    }

    /// Whether the earlier run had the unit of a finding, with the same bytes.
    fn was_there(&self, line: &Line) -> bool {
        let digest =
            (line.unit.as_deref()).map(|unit| unit_digest(unit, line.unit_sha256.as_deref()));
        let all = self.all_before.as_ref();
        all.zip(digest)
            .is_some_and(|(all, digest)| all.contains(&digest))
    }

    pub(super) fn of_gone(&self, line: &Line) -> String {
        if !has_input(self.now, &line.locator) {
            return "input gone".to_owned();
        }
        let Some(unit) = &line.unit else {
            return self.of_same_content(line, !self.now.complete);
        };
        match self.units_now.get(unit) {
            None => "file gone from the input".to_owned(),
            Some(now) if *now != line.unit_sha256 => "content changed".to_owned(),
            Some(_) => self.of_same_content(line, !self.now.complete),
        }
    }

    pub(super) fn of_other(&self, before: &Line, now: &Line) -> String {
        if before.unit_sha256 != now.unit_sha256 {
            return "content changed".to_owned();
        }
        self.of_same_content(now, false)
    }

    /// The bytes are the same: what else may have done it. `was_unread`: they need not have been read in one of the runs.
    fn of_same_content(&self, line: &Line, was_unread: bool) -> String {
        let mut causes = Vec::new();
        causes.extend(self.settings_changed(line));
        let is_settled = !causes.is_empty();
        if was_unread {
            causes.push("not everything was read in one of the runs".to_owned());
        }
        if !is_settled {
            causes.push("other content of the input changed".to_owned());
        }
        causes.extend(self.settings_not_told(line));
        causes.join(", or ")
    }

    /// Settings that differ and bear on a finding.
    fn settings_changed(&self, line: &Line) -> Option<String> {
        let settings = self.settings.iter();
        let bearing = settings.filter(|(_, decides)| decides.bears_on(&line.kind, &line.what));
        let named: Vec<&str> = bearing.map(|(what, _)| *what).collect();
        (!named.is_empty()).then(|| format!("{} changed", named.join(", ")))
    }

    /// Settings that may differ, since the earlier list does not tell of them.
    fn settings_not_told(&self, line: &Line) -> Option<String> {
        if self.before.tells_all() {
            return None;
        }
        let named = not_told(&line.kind, &line.what);
        let last = named.last()?;
        let what = match named.split_last() {
            Some((last, first)) if !first.is_empty() => {
                format!("{} or {last}", first.join(", "))
            }
            _ => (*last).to_owned(),
        };
        Some(format!(
            "a change of {what}, of which the earlier report does not tell"
        ))
    }

    /// Whether the input round a place is one file, and the same in both runs.
    fn is_same_input(&self, locator: &str) -> bool {
        let digest = |head: &Head| {
            let input = head
                .inputs
                .iter()
                .find(|input| is_in(locator, &input.label));
            input.and_then(|input| input.sha256.clone())
        };
        let before = digest(self.before);
        before.is_some() && before == digest(self.now)
    }
}

fn has_input(head: &Head, locator: &str) -> bool {
    head.inputs.iter().any(|input| is_in(locator, &input.label))
}

fn is_in(locator: &str, label: &str) -> bool {
    let label = crate::blob::locator::escape(label.as_bytes());
    let rest = locator.strip_prefix(&label);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with("!/"))
}
