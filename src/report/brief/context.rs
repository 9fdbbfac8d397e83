//! The fields that templates of briefs may name.
//!
//! All figures are those of the report's [`Model`] or of [`Facts`]; words that come from an input are cut short and lists have an
//! end, with how many more there are, since a page has one too. The same fields go to both templates: what a page leaves out,
//! its template leaves out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Ground;
use super::facts::{Decided, Facts, Sent};
use crate::case::NoticeState;
use crate::report::axes::Axis;
use crate::report::notice::{FOR_EXPERTS, Hosts, inert_all};
use crate::report::questions::{out_since, upper_first};
use crate::report::text::{clip, grouped};
use crate::report::{Count, Model};

/// Characters of a name.
const NAME: usize = 36;
/// Characters of a sentence that a rule says.
const SENTENCE: usize = 160;
/// Characters of what is due.
const REMARK: usize = 100;
/// Characters of a step.
const STEP: usize = 130;
/// Characters of what became of a notice.
const STATES_SHOWN: usize = 90;
/// Characters of what a notice was drafted in spite of.
const SPITE: usize = 50;
/// Packages and works that are named.
const NAMED: usize = 3;
/// Hosts that are rows of their own.
const HOSTS: usize = 5;
/// Hosts of notices.
const NOTICE_HOSTS: usize = 3;
/// Notices.
const NOTICES: usize = 3;
/// Dates.
const DATES: usize = 2;
/// Steps.
const STEPS: usize = 4;
/// Classes in a sentence.
const CLASSES: usize = 6;
/// What hosts beyond the last row are called.
const OTHERS: &str = "(further hosts)";

/// The fields.
pub(super) fn context(ground: &Ground<'_>) -> Value {
    let (model, facts) = (ground.model, ground.facts);
    let mut context = json!({
        "today": ground.today.to_string(),
        "complete": model.verdict.complete,
        "not_read": short(&model.what_was_not_read(), SENTENCE),
        "leak": leak(model),
        "since": since(model),
        "severity": severity(model),
        "spread": spread(model, facts),
        "review": decided(&facts.all),
        "hosts": hosts(facts),
        "notices": notices(facts),
        "due": due(facts),
        "actions": actions(model),
        "excluded": excluded(model),
        "marks": marks(facts),
        "kept": kept(model, facts),
        "contact": contact(ground),
    });
    let (works, more) = works(model);
    context["works"] = works;
    context["works_more"] = json!(more);
    inert_all(&mut context);
    context
}

/// A name or sentence that is short, and no cell of a table.
fn short(text: &str, most: usize) -> String {
    clip(text.trim(), most).replace('|', "¦")
}

fn more(all: u64, shown: usize) -> u64 {
    all.saturating_sub(shown as u64)
}

fn leak(model: &Model) -> Value {
    let own = &model.sources.places;
    // The same package lies at many places.
    let mut named: Vec<String> = Vec::new();
    for row in model
        .packages
        .table
        .rows
        .iter()
        .filter(|row| row.has_findings())
    {
        let label = short(&row.label(), NAME);
        if named.len() < NAMED && !named.contains(&label) {
            named.push(label);
        }
    }
    let people = model.inventory.own_people();
    let mut tiers = model.method.tiers.iter();
    // What a tier was not tried on is said of those that ran.
    let people_searched = tiers.any(|row| row.tier == "inventory" && row.not_on.is_some());
    let credentials = model.rotation.table.total;
    let is_found = own.own() > 0
        || model.exposures.total > 0
        || credentials > 0
        || model.copies.largest.is_some();
    let answer = model.verdict.answers.first();
    json!({
        "is_found": is_found,
        "absence": answer.map_or("", |answer| answer.answer.as_str()),
        "packages_total": model.packages.with_findings,
        "packages": named,
        "own_files": own.own(),
        "own_bytes": own.own_bytes(),
        "own_lines": model.size.all.own_lines,
        "exposures": model.exposures.total,
        "worst": short(&model.exposures.worst_title(), NAME * 2),
        "credentials": credentials,
        "people": people,
        "people_searched": people_searched,
    })
}

fn since(model: &Model) -> Value {
    let releases = &model.releases;
    let worst = releases.worst.as_ref();
    json!({
        "words": worst.map_or(String::new(), |worst| short(&upper_first(&out_since(worst)), 2 * SENTENCE)),
        "findings": releases.findings.total,
        "still_there": releases.still_there,
    })
}

fn severity(model: &Model) -> Value {
    let axis = |axis: &Axis| {
        json!({
            "title": short(&axis.title, 2 * NAME),
            "level": axis.level,
            "at_least": axis.at_least,
            "by_hand": axis.override_reason.is_some(),
            "why": short(&axis.why, SENTENCE),
        })
    };
    let headline = model.verdict.headline.iter();
    json!({
        "level": model.verdict.level,
        "headline": headline.map(|title| short(title, 2 * NAME)).collect::<Vec<_>>(),
        "axes": model.verdict.axes.iter().map(axis).collect::<Vec<_>>(),
    })
}

fn spread(model: &Model, facts: &Facts) -> Value {
    let copies = &model.copies;
    let (at, total) = (&copies.located, copies.copies.total);
    let fullest = copies.largest.as_ref();
    // Dates of one source are never held against those of another.
    let dated = copies.spread.sources.first();
    let absent = match copies.scope.as_ref().filter(|scope| scope.is_listed) {
        Some(scope) => scope.total.not_examined,
        None => at.listed_absent,
    };
    let suspects = facts.suspects.iter().map(|(name, count)| Count {
        name: name.clone(),
        count: *count,
    });
    json!({
        "searched": copies.searched,
        "copies": total,
        "examined": copies.examined_total,
        "suspects": copies.suspects.total,
        "suspect_classes": counts(&suspects.collect::<Vec<_>>()),
        "classes": counts(&copies.classes),
        "hosts": at.hosts_total,
        "networks": at.networks,
        "recorded": at.recorded,
        "hint": at.hint,
        "unknown": at.unknown,
        "for_experts": copies.classes.iter().filter(|row| FOR_EXPERTS.contains(&row.name.as_str())).map(|row| row.count).sum::<u64>(),
        "unlocated": at.hint + at.unknown,
        "contradicted": at.contradicted,
        "absent": absent,
        "fullest": fullest.map_or(0.0, |copy| copy.of_original),
        "fullest_work": fullest.map_or(String::new(), |copy| {
            format!("{} {}", short(&copy.work, NAME), short(&copy.release, NAME))
        }),
        "last": dated.map(|source| short(&source.last, NAME)),
        "last_basis": dated.map_or("", |source| source.basis.as_str()),
        "tampered": copies.tampering.copies,
        "tampered_high": copies.tampering.copies_high,
        "compared": copies.compared.copies,
        "not_compared": total.saturating_sub(facts.all.compared),
    })
}

/// `verbatim 12, partial 3`.
fn counts(rows: &[Count]) -> String {
    let words = |row: &Count| format!("{} {}", short(&row.name, NAME), grouped(row.count));
    let shown: Vec<String> = rows.iter().take(CLASSES).map(words).collect();
    let rest: u64 = rows.iter().skip(CLASSES).map(|row| row.count).sum();
    match rest {
        0 => shown.join(", "),
        rest => format!("{}, other {}", shown.join(", "), grouped(rest)),
    }
}

fn decided(of: &Decided) -> Value {
    json!({
        "copies": of.copies,
        "confirmed": of.confirmed,
        "rejected": of.rejected,
        "open": of.open,
        "stale": of.stale,
        "bulk": of.bulk,
        "without_fair_use": of.without_fair_use,
        "in_notices": of.in_notices,
    })
}

/// The hosts with the most copies, and one row for the others.
fn hosts(facts: &Facts) -> Value {
    let mut all: Vec<(&String, &Decided)> = facts.hosts.iter().collect();
    all.sort_by(|a, b| b.1.copies.cmp(&a.1.copies).then_with(|| a.0.cmp(b.0)));
    let mut rest = Decided::default();
    for (_, row) in all.iter().skip(HOSTS) {
        rest += row;
    }
    let row = |name: &str, of: &Decided| {
        let mut row = decided(of);
        row["name"] = json!(short(name, NAME));
        row
    };
    let shown = all.iter().take(HOSTS);
    let mut rows: Vec<Value> = shown.map(|(name, of)| row(name, of)).collect();
    if rest.copies > 0 {
        rows.push(row(OTHERS, &rest));
    }
    json!({ "rows": rows, "total": all.len() })
}

fn notices(facts: &Facts) -> Value {
    let hosts = Hosts::builtin().ok();
    let named = |id: &str| {
        let known = hosts.as_ref().and_then(|hosts| hosts.get(id));
        short(known.map_or(id, |host| host.name.as_str()), NAME)
    };
    let mut by_host: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
    // A letter that takes rows back asks for nothing.
    for sent in facts.notices.iter().filter(|sent| !sent.is_letter()) {
        by_host.entry(&sent.notice.host).or_default().push(sent);
    }
    let row = |sent: &Sent| {
        json!({
            "id": short(&sent.notice.id, NAME),
            "host": named(&sent.notice.host),
            "places": sent.notice.rows.len(),
            "states": short(&states(sent), STATES_SHOWN),
            "follows": short(sent.notice.follows.as_deref().unwrap_or_default(), NAME),
            "is_letter": sent.is_letter(),
            "rejected_since": sent.rejected_since.len(),
            "overrides": short(&sent.notice.overrides.join("; "), SPITE),
        })
    };
    let host = |(id, of): (&&str, &Vec<&Sent>)| {
        let places: BTreeSet<&String> = of.iter().flat_map(|sent| &sent.notice.rows).collect();
        json!({
            "name": named(id),
            "notices": of.len(),
            "places": places.len(),
            "states": states_of_host(of),
        })
    };
    let all = facts.notices.len();
    let total = facts
        .notices
        .iter()
        .filter(|sent| !sent.is_letter())
        .count();
    let removed = facts
        .notices
        .iter()
        .filter(|sent| !sent.is_letter() && has(sent, NoticeState::Removed));
    // The latest say most.
    let rows = facts.notices.iter().rev().take(NOTICES).map(row);
    json!({
        "total": total,
        "letters": all - total,
        "removed": removed.count(),
        "rows": rows.collect::<Vec<_>>(),
        "more": more(all as u64, NOTICES),
        "hosts": by_host.iter().take(NOTICE_HOSTS).map(host).collect::<Vec<_>>(),
        "hosts_more": more(by_host.len() as u64, NOTICE_HOSTS),
    })
}

fn has(sent: &Sent, state: NoticeState) -> bool {
    sent.events.iter().any(|event| event.state == state)
}

const STATES: [(NoticeState, &str); 6] = [
    (NoticeState::Sent, "sent"),
    (NoticeState::Ticket, "given a number"),
    (NoticeState::Revised, "revised"),
    (NoticeState::Removed, "removed"),
    (NoticeState::Counter, "countered"),
    (NoticeState::Retracted, "taken back"),
];

/// The last time that each thing happened to a notice: `drafted 2026-04-01, sent 2026-04-02`.
fn states(sent: &Sent) -> String {
    let mut out = vec![format!("drafted {}", day(&sent.notice.drafted))];
    for (state, word) in STATES {
        let mut events = sent.events.iter().rev();
        if let Some(event) = events.find(|event| event.state == state) {
            let number = event.reference.as_deref();
            let number = number.map(|number| format!(" ({})", short(number, 24)));
            out.push(format!(
                "{word} {}{}",
                day(&event.date),
                number.unwrap_or_default()
            ));
        }
    }
    out.join(", ")
}

/// Of how many notices to a host each thing is true: `1 sent, 1 removed`.
fn states_of_host(of: &[&Sent]) -> String {
    let mut out = Vec::new();
    for (state, word) in STATES {
        let number = of.iter().filter(|sent| has(sent, state)).count() as u64;
        if number > 0 {
            out.push(format!("{} {word}", grouped(number)));
        }
    }
    match out.is_empty() {
        true => "drafted, not sent as far as was written down".to_owned(),
        false => out.join(", "),
    }
}

fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

fn due(facts: &Facts) -> Value {
    let rows = facts.due.iter().take(DATES).map(|due| {
        json!({
            "notice": short(&due.notice, NAME),
            "when": short(&due.when(), NAME),
            "overdue": due.is_overdue,
            "by": match due.by.as_str() {
                "you" => "us".to_owned(),
                other => short(other, NAME),
            },
            "what": short(&due.what, REMARK),
            "checked": due.checked.words(),
        })
    });
    json!({
        "rows": rows.collect::<Vec<_>>(),
        "total": facts.due.len(),
        "more": more(facts.due.len() as u64, DATES),
        "overdue": facts.due.iter().filter(|due| due.is_overdue).count(),
    })
}

fn actions(model: &Model) -> Value {
    let rows = model.actions.rows.iter().take(STEPS).map(|action| {
        json!({
            "when": action.when,
            "who": action.who,
            "what": short(&action.what, STEP),
            "because": short(&action.because, REMARK),
        })
    });
    json!({
        "rows": rows.collect::<Vec<_>>(),
        "more": more(model.actions.rows.len() as u64, STEPS),
    })
}

fn excluded(model: &Model) -> Value {
    let of = |class: &str| {
        let rows = model.copies.examined.iter();
        rows.filter(|row| row.name == class)
            .map(|row| row.count)
            .sum::<u64>()
    };
    json!({
        "own_public": of("own-public"),
        "unrelated": of("unrelated"),
        "unreadable": of("unreadable"),
        "third_files": model.sources.places.third,
        "unknown_files": model.sources.places.unknown,
    })
}

fn marks(facts: &Facts) -> Value {
    let marks = &facts.marks;
    json!({
        "claims_own": marks.claims_own,
        "with_licence": marks.with_licence,
        "named_licence": marks.named_licence,
        "headers_removed": marks.headers_removed,
        "declared_open": marks.declared_open,
    })
}

fn kept(model: &Model, facts: &Facts) -> Value {
    let lines = |file: &str| {
        let lists = model.actions.lists.iter();
        lists
            .filter(|list| list.file == file)
            .map(|list| list.lines)
            .sum::<u64>()
    };
    let kept = &facts.kept;
    json!({
        "acquired": kept.acquired,
        "sha256_agrees": kept.sha256_agrees,
        "sha256_differs": kept.sha256_differs,
        "seen": kept.seen,
        "custody": kept.custody,
        "custody_holds": kept.custody_broken.is_none(),
        "custody_broken": kept.custody_broken.unwrap_or(0),
        "sealed": kept.sealed,
        "sealed_last": kept.sealed_last.as_deref().map_or("", day),
        "logs": lines("preserve-logs.csv"),
        "containment": lines("containment.csv"),
    })
}

/// The works that were signed, the first few.
fn works(model: &Model) -> (Value, u64) {
    let sets = model.method.sets.rows.iter();
    let works: BTreeSet<(&str, &str)> = sets
        .filter(|set| set.role == "signature")
        .map(|set| (set.work.as_str(), set.release.as_str()))
        .collect();
    let work = |(name, release): &(&str, &str)| json!({ "name": short(name, NAME), "release": short(release, NAME) });
    let shown: Vec<Value> = works.iter().take(NAMED).map(work).collect();
    let left = more(works.len() as u64, shown.len());
    (json!(shown), left)
}

fn contact(ground: &Ground<'_>) -> Value {
    let filled = ground.contacts.filled();
    let short: BTreeMap<&str, String> = filled
        .into_iter()
        .map(|(key, text)| (key, short(text, NAME * 2)))
        .collect();
    json!(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_no_cells() {
        assert_eq!(short(" a | b ", 10), "a ¦ b");
        assert!(short(&"x".repeat(1_000), 20).chars().count() < 60);
    }
}
