//! What differs between two runs, in words for people.

use super::DifferenceRow;
use super::head::Head;
use crate::report::text::{KEPT_CHARS, clip};

pub(super) struct Difference {
    pub(super) what: &'static str,
    pub(super) before: String,
    pub(super) now: String,
    /// Results depend on it whatever the input.
    pub(super) decides: bool,
}

impl Difference {
    pub(super) fn row(self) -> DifferenceRow {
        DifferenceRow {
            what: self.what.to_owned(),
            before: self.before,
            now: self.now,
        }
    }
}

pub(super) fn differences(before: &Head, now: &Head) -> Vec<Difference> {
    let option = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let sets = |head: &Head| {
        let names = head.sets.iter().map(|set| {
            let digest = set.digest.get(..16).unwrap_or(&set.digest);
            format!("{} {} {} {digest}", set.role, set.work, set.release)
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let limits = |head: &Head| {
        let named = head
            .limits
            .iter()
            .map(|(name, limit)| format!("{name} {limit}"));
        named.collect::<Vec<_>>().join(", ")
    };
    let inputs = |head: &Head| {
        let labels: Vec<&str> = head
            .inputs
            .iter()
            .map(|input| input.label.as_str())
            .collect();
        labels.join(", ")
    };
    let rows = [
        ("rules", before.rules.clone(), now.rules.clone(), true),
        ("sets", sets(before), sets(now), true),
        (
            "profile",
            option(&before.organisation),
            option(&now.organisation),
            true,
        ),
        (
            "list of releases",
            option(&before.releases),
            option(&now.releases),
            true,
        ),
        ("limits", limits(before), limits(now), true),
        (
            "decoders",
            option(&before.decoders),
            option(&now.decoders),
            true,
        ),
        (
            "triage",
            before.triage.to_string(),
            now.triage.to_string(),
            true,
        ),
        ("program", program(before), program(now), true),
        ("inputs", inputs(before), inputs(now), false),
        (
            "everything read",
            before.complete.to_string(),
            now.complete.to_string(),
            false,
        ),
    ];
    rows.into_iter()
        .filter(|(_, before, now, _)| before != now)
        .map(|(what, before, now, decides)| Difference {
            what,
            before: clip(&before, KEPT_CHARS),
            now: clip(&now, KEPT_CHARS),
            decides,
        })
        .collect()
}

fn program(head: &Head) -> String {
    let digest = head.program.as_deref().and_then(|digest| digest.get(..16));
    format!("{} {}", head.version, digest.unwrap_or("unknown"))
}
