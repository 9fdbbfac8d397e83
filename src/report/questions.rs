//! The eight questions of the first page, each answered in a sentence.
//!
//! Answers are made of the model's own figures, so that they cannot say what the tables do not, and lead to the
//! sections with the evidence. What cannot be known from an input that was read offline is said to be so. Where the
//! answer is an absence, it stands on the ledger: with its scope, or as "not yet supportable" while something was not
//! read.

use serde::Serialize;

use super::copies::{Copies, not_examined, of_all_listed};
use super::model::Model;
use super::since::{Earliest, Worst};
use super::text::{clip, grouped, percent, plural, size};
use super::verdict::Scope;
use super::views::{View, WITHHELD};

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The question.
    pub question: String,
    /// The answer, a sentence.
    pub answer: String,
    /// How far it goes.
    pub state: AnswerState,
    /// Where the evidence stands: ids of sections.
    pub evidence: Vec<String>,
}

/// How far an answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerState {
    /// It follows from what was read.
    Seen,
    /// It would be an absence, and not everything was read.
    NotYetSupportable,
    /// This input says nothing on it.
    NotKnown,
}

/// What the answers need beside the model.
pub(super) struct Ground<'a> {
    pub(super) scope: &'a Scope,
    pub(super) earliest: Option<&'a str>,
    pub(super) view: View,
    /// Places of classes of exposure that are, or usually hold, credentials.
    pub(super) credential_files: u64,
    /// Places of classes that usually hold personal data.
    pub(super) personal_files: u64,
}

/// The eight answers.
pub(super) fn answers(model: &Model, ground: &Ground<'_>) -> Vec<Answer> {
    let rows: [(&str, (String, AnswerState), &[&str]); 8] = [
        (
            "What leaked?",
            what(model, ground),
            &["exposures", "sources", "packages", "rotation", "copies"],
        ),
        (
            "Since when, and is it still up?",
            since(model, ground),
            if model.releases.releases.is_empty() {
                &["timeline"]
            } else {
                &["timeline", "releases"]
            },
        ),
        ("Is it ours?", ours(model), &["sources", "copies"]),
        (
            "Does it hold secrets or personal data?",
            secrets(model, ground),
            &["rotation", "inventory"],
        ),
        (
            "What does it let an attacker do?",
            attacker(model, ground),
            &["severity", "inventory", "exposures"],
        ),
        (
            "How far has it spread?",
            spread(model, ground),
            &["copies", "references"],
        ),
        (
            "What could not be examined?",
            unread(model),
            &["coverage", "problems", "references"],
        ),
        (
            "What to do now, and who?",
            todo(model, ground),
            &["actions"],
        ),
    ];
    rows.into_iter()
        .map(|(question, (answer, state), evidence)| Answer {
            question: question.to_owned(),
            answer,
            state,
            evidence: evidence.iter().map(|id| (*id).to_owned()).collect(),
        })
        .collect()
}

/// An absence: with its scope, or not yet to be said.
fn absence(what: &str, scope: &Scope) -> (String, AnswerState) {
    let said = scope.absent(what);
    let state = if said.supportable && scope.is_empty {
        AnswerState::NotKnown
    } else if said.supportable {
        AnswerState::Seen
    } else {
        AnswerState::NotYetSupportable
    };
    (said.text, state)
}

fn what(model: &Model, ground: &Ground<'_>) -> (String, AnswerState) {
    let mut parts = Vec::new();
    let places = &model.sources.places;
    if places.own() > 0 {
        parts.push(format!(
            "{} of the first or an unknown party ({}, {} lines)",
            plural(places.own(), "original file", "original files"),
            size(places.own_bytes()),
            grouped(model.size.all.own_lines),
        ));
    }
    if model.exposures.total > 0 {
        let worst: Vec<String> = model
            .exposures
            .severities
            .iter()
            .map(|table| format!("{} {}", grouped(table.table.total), table.severity.as_str()))
            .collect();
        parts.push(format!(
            "{} of {} ({}), the worst “{}”",
            plural(model.exposures.total, "exposure", "exposures"),
            plural(model.exposures.classes.len() as u64, "class", "classes"),
            worst.join(", "),
            model.exposures.worst_title(),
        ));
    }
    let distinct = model.rotation.table.total;
    if distinct > 0 {
        parts.push(plural(distinct, "credential", "credentials"));
    }
    let copy = model.copies.largest.as_ref().map(|copy| {
        format!(
            "a copy with {} of {} {}",
            percent(copy.of_original),
            clip(&copy.work, 60),
            clip(&copy.release, 30)
        )
    });
    // Copies are told last: what is in them is no find of its own.
    parts.extend(copy);
    if parts.is_empty() {
        return absence(
            "exposure, original source, credential or copy of a signed work",
            ground.scope,
        );
    }
    let found = model.packages.with_findings;
    let named = model
        .packages
        .table
        .rows
        .iter()
        .filter(|row| row.has_findings());
    let names: Vec<String> = named.take(2).map(|row| clip(&row.label(), 60)).collect();
    let place = match found {
        0 => String::new(),
        1 | 2 => format!("; with findings: {}", names.join(" and ")),
        more => format!(
            "; with findings: {} and {} more packages",
            names.join(", "),
            grouped(more.saturating_sub(2))
        ),
    };
    let so_far = if ground.scope.complete {
        ""
    } else {
        "So far: "
    };
    (
        upper_first(&format!("{so_far}{}{place}.", listed(&parts))),
        AnswerState::Seen,
    )
}

fn since(model: &Model, ground: &Ground<'_>) -> (String, AnswerState) {
    let up = "whether it is still up cannot be told offline";
    let releases = &model.releases;
    if let Some(worst) = &releases.worst {
        let since = match ground.view {
            View::Public => format!("when they were published is {WITHHELD}"),
            View::Internal | View::Counsel => out_since(worst),
        };
        let gone = match releases.gone {
            gone if gone > 0 && releases.still_there > 0 => format!(
                " ({} in earlier releases only)",
                plural(gone, "more is", "more are")
            ),
            _ => String::new(),
        };
        return (
            format!(
                "Of {} in packages of which the input holds several releases, {} in the newest of these{gone}; {since}; {up}.",
                plural(releases.findings.total, "finding", "findings"),
                plural(releases.still_there, "is still", "are still"),
            ),
            AnswerState::Seen,
        );
    }
    if ground.view == View::Public {
        return (
            upper_first(&format!(
                "what dates the input states of publication and of commits is {WITHHELD}, and {up}."
            )),
            AnswerState::NotKnown,
        );
    }
    match ground.earliest {
        Some(date) => (
            format!(
                "The earliest commit that holds something found is dated {date} by its author, which is no date of publication; {up}."
            ),
            AnswerState::Seen,
        ),
        None => (
            format!(
                "Not known from this input: nothing in it states a time of publication, and {up}."
            ),
            AnswerState::NotKnown,
        ),
    }
}

/// Since when the worst has been out. The earliest of all findings may be one of no weight that is gone.
pub(super) fn out_since(worst: &Worst) -> String {
    let severity = worst
        .severity
        .map_or("without a severity of their own", |of| of.as_str());
    let which = match (worst.still_there, worst.findings) {
        (Some(true), 1) => format!("the worst of these ({severity})"),
        (Some(true), some) => format!("of the {} worst of these ({severity}), ", grouped(some)),
        (Some(false), 1) => format!("the worst of those that went ({severity})"),
        (Some(false), some) => {
            format!(
                "of the {} worst of those that went ({severity}), ",
                grouped(some)
            )
        }
        (None, 1) => format!("the worst of which that cannot be told ({severity})"),
        (None, some) => format!(
            "of the {} worst of which that cannot be told ({severity}), ",
            grouped(some)
        ),
    };
    let Some(first) = &worst.earliest else {
        let of = which.strip_prefix("of ").unwrap_or(&which);
        let of = of.trim_end_matches(", ");
        return format!("when {of} came out is not known from this input");
    };
    let subject = match (worst.findings, worst.dated) {
        (1, _) => "",
        (all, dated) if all == dated => "the earliest",
        (_, 1) => "one has a publish date and",
        (_, dated) => {
            return out_at(
                &format!(
                    "{which}{} have a publish date, and the earliest of those",
                    grouped(dated)
                ),
                first,
            );
        }
    };
    out_at(&format!("{which}{subject}"), first)
}

fn out_at(what: &str, first: &Earliest) -> String {
    format!(
        "{what} has been out since {} at the latest, when {}@{} was published",
        clip(&first.published, 40),
        clip(&first.name, 60),
        clip(&first.version, 30)
    )
}

fn ours(model: &Model) -> (String, AnswerState) {
    let places = &model.sources.places;
    let by = if model.method.organisation.is_some() {
        "by the organisation’s profile and the layout of folders"
    } else {
        "by the layout of folders and names of packages alone, since no profile was given"
    };
    let work = model.copies.largest.as_ref().map(|row| {
        format!(
            "; {} of {} {} was found by its fingerprints",
            percent(row.of_original),
            clip(&row.work, 60),
            clip(&row.release, 30)
        )
    });
    let work = work.unwrap_or_default();
    if places.recovered == 0 {
        if work.is_empty() {
            return ("Not known from this input: no source was recovered and no signed work was found in it.".to_owned(), AnswerState::NotKnown);
        }
        return (
            format!("No source was recovered from a map{work}."),
            AnswerState::Seen,
        );
    }
    (
        format!(
            "Of {} recovered, {} first party, {} of an unknown one and {} third parties’, {by}{work}.",
            plural(places.recovered, "source", "sources"),
            plural(places.first, "is", "are"),
            grouped(places.unknown),
            grouped(places.third)
        ),
        AnswerState::Seen,
    )
}

fn secrets(model: &Model, ground: &Ground<'_>) -> (String, AnswerState) {
    let distinct = model.rotation.table.total;
    let people = model.inventory.own_people();
    let stores = ground.personal_files;
    let files = ground.credential_files;
    let live = model.findings.live.as_ref();
    let live = live.map_or(String::new(), |said| format!("; {}", said.text));
    if distinct == 0 && files == 0 && people == 0 && stores == 0 && live.is_empty() {
        return absence(
            "text in the form of a known credential, and no name, address or store of personal data of the kinds searched for,",
            ground.scope,
        );
    }
    let mut parts = vec![credentials(model, ground.scope)];
    if files > 0 {
        parts.push(format!(
            "{} by {} class",
            plural(
                files,
                "file that is a key or usually holds credentials,",
                "files that are keys or usually hold credentials,"
            ),
            if files == 1 { "its" } else { "their" }
        ));
    }
    if people > 0 {
        let people = plural(people, "name or address", "names and addresses");
        parts.push(format!("{people} of people in own code"));
    }
    if stores > 0 {
        parts.push(plural(
            stores,
            "artifact that usually holds personal data",
            "artifacts that usually hold personal data",
        ));
    }
    (format!("{}{live}.", parts.join("; ")), AnswerState::Seen)
}

/// How many credentials, or that none was seen.
fn credentials(model: &Model, scope: &Scope) -> String {
    let rotation = &model.rotation;
    if rotation.table.is_empty() {
        return if scope.complete {
            "No text in the form of a known credential was seen".to_owned()
        } else {
            "So far no text in the form of a known credential was seen, and not everything was read"
                .to_owned()
        };
    }
    let rows = rotation.table.rows.iter();
    let checked = rows.filter(|row| row.check != "unchecked").count() as u64;
    format!(
        "{} at {}, {} with a checksum or structure that is right (whether any works cannot be told offline)",
        plural(
            rotation.table.total,
            "distinct credential",
            "distinct credentials"
        ),
        plural(rotation.places, "place", "places"),
        grouped(checked),
    )
}

fn attacker(model: &Model, ground: &Ground<'_>) -> (String, AnswerState) {
    let inventory = &model.inventory;
    let mut parts = Vec::new();
    if model.rotation.table.total > 0 {
        parts.push(format!(
            "try {}",
            plural(model.rotation.table.total, "credential", "credentials")
        ));
    }
    if ground.credential_files > 0 {
        parts.push(format!(
            "use what is in {} of keys or credentials",
            plural(ground.credential_files, "file", "files")
        ));
    }
    let readable: [(&str, &str, &str); 6] = [
        ("control", "security control", "security controls"),
        ("flag", "feature flag", "feature flags"),
        ("prompt", "prompt", "prompts"),
        ("route", "route", "routes"),
        ("private-address", "private address", "private addresses"),
        ("bucket", "storage bucket", "storage buckets"),
    ];
    let read: Vec<String> = readable
        .iter()
        .filter(|(kind, _, _)| inventory.own_of(kind) > 0)
        .map(|(kind, one, many)| plural(inventory.own_of(kind), one, many))
        .collect();
    if !read.is_empty() {
        parts.push(format!("read {}", read.join(", ")));
    }
    if inventory.internal_hosts > 0 {
        parts.push(format!(
            "aim at {}",
            plural(inventory.internal_hosts, "internal host", "internal hosts")
        ));
    }
    let names = inventory.own_of("internal-scope");
    if names > 0 {
        parts.push(format!(
            "take {} that may be free on public registries",
            plural(names, "inner package name", "inner package names")
        ));
    }
    if model.sources.places.own() > 0 {
        parts.push(format!(
            "study {}",
            plural(model.sources.places.own(), "own source", "own sources")
        ));
    }
    if parts.is_empty() {
        return absence(
            "credential, inner address, control or own source",
            ground.scope,
        );
    }
    (
        format!("It lets one {}.", parts.join("; ")),
        AnswerState::Seen,
    )
}

fn spread(model: &Model, ground: &Ground<'_>) -> (String, AnswerState) {
    let copies = &model.copies;
    let suspects = copies.suspects.total;
    let weaker = match suspects {
        0 => String::new(),
        some => format!(
            " ({} of it)",
            plural(some, "more shows weaker signs", "more show weaker signs")
        ),
    };
    if let Some(first) = &copies.largest {
        return (
            format!(
                "{} of the {} examined {} signed work{weaker}, the largest {} of {}{}; what lies outside the input was not looked at.{}",
                grouped(copies.copies.total),
                plural(copies.examined_total, "place", "places"),
                if copies.copies.total == 1 {
                    "holds"
                } else {
                    "hold"
                },
                percent(first.of_original),
                clip(&first.work, 60),
                how_far(copies),
                copies.scope.as_ref().map_or("", of_all_listed),
            ),
            AnswerState::Seen,
        );
    }
    if !copies.searched {
        return (
            "Not known from this input: no signature set was given, so copies were not searched for.".to_owned(),
            AnswerState::NotKnown,
        );
    }
    if suspects > 0 {
        return (
            format!(
                "No copy was seen, and {} of the works searched for in the {} examined; a person has to judge them.",
                plural(
                    suspects,
                    "place with weaker signs",
                    "places with weaker signs"
                ),
                plural(copies.examined_total, "place", "places"),
            ),
            if ground.scope.complete {
                AnswerState::Seen
            } else {
                AnswerState::NotYetSupportable
            },
        );
    }
    absence("copy of the works searched for", ground.scope)
}

/// Hosts, networks, dates, tampering, and what of a list was not there.
fn how_far(copies: &Copies) -> String {
    let at = &copies.located;
    let mut parts = Vec::new();
    let hosts = told_by("they are at", at.hosts_total, at.hosts_by_hint, "host");
    parts.extend(hosts);
    parts.extend(told_by(
        "in",
        at.networks,
        at.networks_by_hint,
        "fork network",
    ));
    if at.hint > 0 || (at.unknown > 0 && at.hosts_total > 0) {
        parts.push(format!(
            "the address of {} is a hint or not known",
            plural(at.hint + at.unknown, "copy", "copies")
        ));
    }
    // Dates of one source; a sighting says more of spread than what an author states.
    if let Some(source) = copies.spread.sources.first() {
        parts.push(match source.basis.as_str() {
            "seen-at" => format!("the last was first seen there on {}", source.last),
            "git-author" => format!("the last begins on {} by its commits", source.last),
            _ => format!(
                "the last begins on {} by the times of its files",
                source.last
            ),
        });
    }
    if copies.tampering.copies > 0 {
        parts.push(format!(
            "{} signs of tampering",
            plural(copies.tampering.copies, "copy shows", "copies show")
        ));
    }
    let list = copies.scope.as_ref().filter(|scope| scope.is_listed);
    if let Some(list) = list {
        parts.extend(not_examined(list));
    } else if at.listed_absent > 0 {
        parts.push(format!(
            "{} of {} listed are not in the input",
            grouped(at.listed_absent),
            plural(at.listed, "place", "places")
        ));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("; {}", parts.join(", "))
}

/// How many hosts or networks there are as recorded, and how many more as copies say of themselves.
fn told_by(before: &str, recorded: u64, by_hint: u64, what: &str) -> Option<String> {
    let many = format!("{what}s");
    match (recorded, by_hint) {
        (0, 0) => None,
        (0, hint) => Some(format!(
            "{before} {} by hint only",
            plural(hint, what, &many)
        )),
        (some, 0) => Some(format!("{before} {}", plural(some, what, &many))),
        (some, hint) => Some(format!(
            "{before} {} and {} more by hint only",
            plural(some, what, &many),
            grouped(hint)
        )),
    }
}

fn unread(model: &Model) -> (String, AnswerState) {
    let elsewhere = match model.references.table.total {
        0 => String::new(),
        some => format!(
            "; besides, {} to things outside the input {} not followed",
            plural(some, "reference", "references"),
            if some == 1 { "was" } else { "were" }
        ),
    };
    let said = model.what_was_not_read();
    let said = said.trim_end_matches('.');
    (format!("{said}{elsewhere}."), AnswerState::Seen)
}

fn todo(model: &Model, ground: &Ground<'_>) -> (String, AnswerState) {
    let rows = &model.actions.rows;
    if rows.is_empty() && ground.view == View::Public {
        // Most actions follow from lists, and this view has none: that none is here does not say that there is none.
        let said = format!(
            "What follows from lists of single places is {WITHHELD}; nothing follows from its figures."
        );
        return (said, AnswerState::NotKnown);
    }
    if rows.is_empty() {
        return (
            if ground.scope.complete {
                "Nothing follows from what was seen; keep this report with the digests of the input."
                    .to_owned()
            } else {
                "Nothing follows from what was seen so far; have the rest read first.".to_owned()
            },
            if ground.scope.complete {
                AnswerState::Seen
            } else {
                AnswerState::NotYetSupportable
            },
        );
    }
    let first: Vec<String> = rows
        .iter()
        .take(3)
        .map(|row| format!("{}: {} ({})", row.when, lower_first(&row.what), row.who))
        .collect();
    let more = match rows.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(
            "; then {}",
            plural(more as u64, "further action", "further actions")
        ),
    };
    let has_lines = model.actions.lists.iter().any(|list| list.lines > 0);
    let lists = if has_lines && ground.view != View::Public {
        ", with lists beside this page"
    } else {
        ""
    };
    (
        upper_first(&format!("{}{more}{lists}.", first.join("; "))),
        AnswerState::Seen,
    )
}

/// "a, b and c".
fn listed(parts: &[String]) -> String {
    match parts.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => parts.concat(),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

pub(super) fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
