//! What may be said of all places, in rows for people: the report and `case scope` print the same.
//!
//! The figures and the sentences are made where the records are joined ([`crate::copies::scope`]). Here they are only set out,
//! so that a lawyer who reads the page and a responder who asks the terminal have one account before them.

use std::fmt::Write as _;

use crate::copies::scope::{Bound, Counts, Scope, Support, per_cent};

use super::super::text::{count_of, grouped, plural};

/// Networks that have a row; the JSON has more.
const NETWORKS_SHOWN: usize = 20;
/// Networks that the report's JSON has.
const NETWORKS_KEPT: usize = 2_000;

/// One line of the account: what it is about, and what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeRow {
    /// What it is about.
    pub head: &'static str,
    /// What is said.
    pub said: String,
}

/// The account in rows, the two sentences apart.
pub fn scope_rows(scope: &Scope) -> Vec<ScopeRow> {
    let mut rows = Vec::new();
    let mut row = |head, said| rows.push(ScopeRow { head, said });
    if let Some(network) = &scope.network {
        row("network", network.clone());
    }
    let total = &scope.total;
    let places = plural(total.places, "place", "places");
    if scope.is_listed {
        row("listed", places);
    } else {
        let why = "no list was given, so these are the places in the input";
        row("places", format!("{places}; {why}"));
    }
    row("examined", counted(total, scope.threshold));
    row("not examined", grouped(total.not_examined));
    if total.contradicted > 0 {
        let many = plural(total.contradicted, "place comes", "places come");
        row("contradicted", format!("what is said of where {many} from"));
    }
    if total.by_hint > 0 {
        let many = plural(total.by_hint, "place is", "places are");
        row(
            "by hint",
            format!("{many} told to be of the list by the clone's own remote alone"),
        );
    }
    if scope.is_listed && scope.unlisted.places > 0 {
        let many = plural(scope.unlisted.places, "place", "places");
        let what = counted(&scope.unlisted, scope.threshold);
        row(
            "beside these",
            format!("{many} of the input that the list does not name: {what}"),
        );
    }
    for (network, counts) in scope.networks.iter().take(NETWORKS_SHOWN) {
        let (listed, rest) = (grouped(counts.places), grouped(counts.not_examined));
        let what = counted(counts, scope.threshold);
        row(
            "network",
            format!("{network}: {listed} listed, {rest} not examined; {what}"),
        );
    }
    let rest = count_of(scope.networks.len().saturating_sub(NETWORKS_SHOWN));
    let rest = rest + scope.networks_left_out;
    if rest > 0 {
        let many = plural(rest, "more network", "more networks");
        row(
            "further",
            format!("{many}; `case scope --json` has them all"),
        );
    }
    if let Some(bound) = &scope.bound {
        row("drawn", drawn(bound));
        row("bound", bounded(bound));
    }
    rows
}

/// `3: 1 with at least 98 %, 2 with less`.
fn counted(counts: &Counts, threshold: f64) -> String {
    let mut said = format!(
        "{}: {} with at least {}",
        grouped(counts.examined + counts.undecided),
        grouped(counts.hold),
        per_cent(threshold)
    );
    let others = [
        (counts.part, "with less"),
        (counts.suspects, "suspects"),
        (counts.own_public, "own public code"),
        (counts.unrelated, "unrelated"),
        (counts.undecided, "not decided"),
    ];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(said, ", {} {what}", grouped(count));
    }
    said
}

/// Which draws chose what was examined, so that somebody else can draw the same.
fn drawn(bound: &Bound) -> String {
    let seeds: Vec<String> = bound.seeds.iter().map(u64::to_string).collect();
    format!(
        "{} of {} at random, {} {}; all of them were examined",
        grouped(bound.drawn),
        grouped(bound.from),
        if seeds.len() == 1 { "seed" } else { "seeds" },
        seeds.join(", ")
    )
}

fn bounded(bound: &Bound) -> String {
    let three = bound.rule_of_three.map_or(String::new(), |three| {
        format!("; by the rule of three {}", per_cent(three))
    });
    format!(
        "{} of {} drawn do not hold that much: rate of such places {} to {} (two-sided, {}), at most {} (one-sided{three}); of the {} not examined at most {}",
        bound.misses,
        bound.drawn,
        per_cent(bound.interval[0]),
        per_cent(bound.interval[1]),
        per_cent(bound.confidence),
        per_cent(bound.upper),
        grouped(bound.rest),
        grouped(bound.rest_misses_at_most)
    )
}

/// Of a list, what was not examined: part of a sentence.
pub(in crate::report) fn not_examined(scope: &Scope) -> Option<String> {
    let rest = scope.total.not_examined;
    (scope.is_listed && rest > 0).then(|| {
        let were = if rest == 1 { "was" } else { "were" };
        let places = plural(scope.total.places, "place", "places");
        format!("{} of {places} listed {were} not examined", grouped(rest))
    })
}

/// Of a list, whether anything may be said of all of it: a sentence, or nothing where there is no list.
pub(in crate::report) fn of_all_listed(scope: &Scope) -> &'static str {
    match scope.support {
        _ if !scope.is_listed => "",
        Support::All => " A statement about all listed places is supported.",
        Support::Bounded => {
            " A statement about all listed places is supported by a sample, within its bound."
        }
        Support::ExaminedOnly | Support::NotSupported | Support::Nothing => {
            " A statement about all listed places is not supported."
        }
    }
}

/// The account as a view may hold it; `None` where there is no place at all.
pub(super) fn of_view(scope: Scope, figures_only: bool) -> Option<Scope> {
    if scope.total.places == 0 {
        return None;
    }
    let mut scope = if figures_only { scope.unnamed() } else { scope };
    while scope.networks.len() > NETWORKS_KEPT {
        scope.networks.pop_last();
        scope.networks_left_out += 1;
    }
    Some(scope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copies::scope::Places;
    use crate::record::{Origin, Record};
    use crate::report::sample::copies::origin;

    /// A list that names three thousand networks makes neither the page nor its twin grow without end.
    #[test]
    fn networks_are_bounded_and_counted() {
        let mut places = Places::default();
        for number in 0..3_000 {
            let address = format!("https://h.example/{number:04}/x");
            places.add(Record::from(Origin {
                url: Some(address.clone()),
                network: Some(address),
                ..origin("", "x", None, crate::record::Certainty::Proven)
            }));
        }
        let scope = places.scope(None, 0.98, 0.95, &[]);
        let kept = of_view(scope.clone(), false).unwrap();
        assert_eq!(
            (kept.networks.len(), kept.networks_left_out),
            (2_000, 1_000)
        );
        let more = |scope: &Scope| scope_rows(scope).pop().unwrap().said;
        assert_eq!(more(&kept), more(&scope));
        assert!(
            more(&kept).starts_with("2,980 more networks"),
            "{}",
            more(&kept)
        );
        let open = of_view(scope, true).unwrap();
        assert_eq!((open.networks.len(), open.networks_left_out), (0, 3_000));
        assert_eq!(open.total, kept.total);
        assert_eq!(
            of_view(Places::default().scope(None, 0.98, 0.95, &[]), false),
            None
        );
    }
}
