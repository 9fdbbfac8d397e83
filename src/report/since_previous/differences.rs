//! What differs between two runs, in words for people.

use self::Decides::{All, Of};
use super::DifferenceRow;
use super::head::Head;
use crate::report::text::{KEPT_CHARS, clip};

/// Kinds of findings that a setting bears on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decides {
    /// Whatever the kind.
    All,
    /// These; one of a class or rule where that stands behind the kind.
    Of(&'static [&'static str]),
}

/// A setting that bears on no result, and is told nevertheless.
const NONE: Decides = Of(&[]);

impl Decides {
    pub(super) fn bears_on(self, kind: &str, what: &str) -> bool {
        let is_it = |named: &&str| match named.split_once(' ') {
            None => *named == kind,
            Some((of, class)) if class.ends_with(':') => of == kind && what.starts_with(class),
            Some(one) => one == (kind, what),
        };
        match self {
            All => true,
            Of(kinds) => kinds.iter().any(is_it),
        }
    }
}

/// What rules of YARA find is called after them.
const YARA: Decides = Of(&["exposure yara:", "sign yara:"]);

/// What a list tells of since form 2, beside the key of the case. What is a secret is left out of the values of items. Where
/// roots begin decides what is a copy, and whether a repository is one; what a copy is held against decides its signs.
const FURTHER: [(&str, Decides); 6] = [
    ("live secrets", Of(&["secret", "item"])),
    ("own rules", Of(&["secret", "item"])),
    ("terms", Of(&["item"])),
    ("inventory", Of(&["item"])),
    (
        "origins",
        Of(&["copy", "suspect", "sign", "exposure git-folder"]),
    ),
    ("originals", Of(&["sign"])),
];

pub(super) struct Difference {
    pub(super) what: &'static str,
    pub(super) before: String,
    pub(super) now: String,
    /// The findings that depend on it whatever the input.
    pub(super) decides: Decides,
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
    let mut rows = vec![
        ("rules", All, before.rules.clone(), now.rules.clone()),
        ("sets", All, sets(before), sets(now)),
        (
            "profile",
            All,
            option(&before.organisation),
            option(&now.organisation),
        ),
        (
            "list of releases",
            All,
            option(&before.releases),
            option(&now.releases),
        ),
        ("limits", All, limits(before), limits(now)),
        (
            "decoders",
            All,
            option(&before.decoders),
            option(&now.decoders),
        ),
        (
            "triage",
            All,
            before.triage.to_string(),
            now.triage.to_string(),
        ),
        // Programs that wrote the earlier form had none.
        ("YARA rules", YARA, option(&before.yara), option(&now.yara)),
        ("program", All, program(before), program(now)),
        ("inputs", NONE, inputs(before), inputs(now)),
        (
            "everything read",
            NONE,
            before.complete.to_string(),
            now.complete.to_string(),
        ),
    ];
    if before.tells_all() && now.tells_all() {
        rows.extend(further(before, now));
    }
    rows.into_iter()
        .filter(|(_, _, before, now)| before != now)
        .map(|(what, decides, before, now)| Difference {
            what,
            before: clip(&before, KEPT_CHARS),
            now: clip(&now, KEPT_CHARS),
            decides,
        })
        .collect()
}

/// What a list tells of since form 2, and what it bears on.
fn further(
    before: &Head,
    now: &Head,
) -> [(&'static str, Decides, String, String); FURTHER.len() + 1] {
    let option = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let originals = |head: &Head| {
        let labels: Vec<&str> = head.originals.iter().map(String::as_str).collect();
        labels.join(", ")
    };
    let [live, rules, terms, inventory, origins, compared] = FURTHER;
    [
        (live.0, live.1, known(before), known(now)),
        (
            rules.0,
            rules.1,
            option(&before.user_rules),
            option(&now.user_rules),
        ),
        (terms.0, terms.1, option(&before.terms), option(&now.terms)),
        (
            inventory.0,
            inventory.1,
            option(&before.inventory),
            option(&now.inventory),
        ),
        (origins.0, origins.1, origins_of(before), origins_of(now)),
        (compared.0, compared.1, originals(before), originals(now)),
        (
            "case key",
            NONE,
            option(&before.case_key),
            option(&now.case_key),
        ),
    ]
}

/// Settings that an earlier form of the list does not tell of, and that bear on a kind of finding.
pub(super) fn not_told(kind: &str, what: &str) -> Vec<&'static str> {
    let bearing = FURTHER
        .iter()
        .filter(|(_, decides)| decides.bears_on(kind, what));
    bearing.map(|(what, _)| *what).collect()
}

fn known(head: &Head) -> String {
    head.known_secrets.as_ref().map_or_else(
        || "none".to_owned(),
        |set| {
            let digest = set.digest.get(..16).unwrap_or(&set.digest);
            format!("{} secrets, {digest}", set.secrets)
        },
    )
}

fn origins_of(head: &Head) -> String {
    let Some(origins) = &head.origins else {
        return "none".to_owned();
    };
    let short = |digest: &str| digest.get(..16).unwrap_or(digest).to_owned();
    let mut said: Vec<String> = Vec::new();
    said.extend((origins.list.as_deref()).map(|list| format!("list {}", short(list))));
    let acquired = origins.acquisitions.iter();
    said.extend(acquired.map(|record| format!("acquisition {}", short(record))));
    let roots = origins.copies_roots.iter();
    said.extend(roots.map(|root| format!("copies in {root}")));
    said.join(", ")
}

fn program(head: &Head) -> String {
    let digest = head.program.as_deref().and_then(|digest| digest.get(..16));
    format!("{} {}", head.version, digest.unwrap_or("unknown"))
}
