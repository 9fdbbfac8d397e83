//! The verdict box, and what may be said about absence.
//!
//! Sentences are made here, in one place, from the model's own figures, so that the box cannot say anything that the
//! tables do not. "Nothing was found" is a claim about everything in the input: [`Scope`] decides whether it may be made.

use super::model::*;
use super::text::{KEPT_CHARS, clip, grouped, percent, plural, size};
use crate::record::{Ledger, Run, Severity};

/// Reason of the ledger for what is named without content: sources of a map, bodies that a capture did not keep.
const NO_CONTENT: &str = "no-content";

/// Names of packages in the verdict's sentence.
const NAMED_PACKAGES: usize = 3;

/// Reasons in a statement.
const REASONS: usize = 8;

/// Entries by the four outcomes together. Saturating, where the ledger's own check would overflow on forged counts.
pub(super) fn sum_of_outcomes(ledger: &Ledger) -> u64 {
    [
        ledger.scanned,
        ledger.duplicate,
        total(&ledger.skipped),
        total(&ledger.damaged),
    ]
    .into_iter()
    .fold(0, u64::saturating_add)
}

/// What was read: the ground on which a statement of absence stands, or not.
pub(super) struct Scope {
    pub(super) complete: bool,
    pub(super) reasons: Vec<String>,
    text: String,
}

impl Scope {
    pub(super) fn new(run: Option<&Run>, ledger: Option<&Ledger>) -> Self {
        let inputs = run.map_or(0, |run| run.inputs.len() as u64);
        let mut reasons = Vec::new();
        let mut text = String::new();
        match ledger {
            None => {
                reasons.push("the records end without a ledger: the run did not finish".to_owned())
            }
            Some(ledger) => {
                let sum = sum_of_outcomes(ledger);
                if sum != ledger.entries {
                    reasons.push(format!(
                        "the account does not add up: {} and {} by outcome",
                        plural(ledger.entries, "entry", "entries"),
                        grouped(sum)
                    ));
                }
                if run.is_some_and(|run| run.triage) {
                    let what = "this was a triage: nothing was looked for but equal bytes, mostly by what indexes and headers say";
                    reasons.push(what.to_owned());
                }
                if !ledger.complete {
                    reasons.extend(unread(ledger));
                }
                text = format!(
                    "{} in {} of {}",
                    plural(ledger.entries, "entry", "entries"),
                    plural(ledger.containers, "container", "containers"),
                    plural(inputs, "input", "inputs"),
                );
            }
        }
        let complete = reasons.is_empty();
        if reasons.len() > REASONS {
            let more = reasons.split_off(REASONS).len() as u64;
            reasons.push(format!(
                "and {} (see Coverage)",
                plural(more, "further reason", "further reasons")
            ));
        }
        Self {
            complete,
            reasons,
            text,
        }
    }

    /// That nothing of a kind is there, as far as that can be said. `what` comes after "no".
    pub(super) fn absent(&self, what: &str) -> Statement {
        let text = if self.complete {
            format!(
                "No {what} was found. Scope: all that the input holds, {}.",
                self.text
            )
        } else {
            format!("Not yet supportable: “no {what}”. None was seen, but not everything was read.")
        };
        let reasons = if self.complete {
            Vec::new()
        } else {
            self.reasons.clone()
        };
        Statement {
            supportable: self.complete,
            text,
            reasons,
        }
    }
}

/// Why a ledger is not complete. What is named without content is no reason: there was nothing to read.
fn unread(ledger: &Ledger) -> Vec<String> {
    let skipped = ledger
        .skipped
        .iter()
        .filter(|(reason, count)| reason.as_str() != NO_CONTENT && **count > 0);
    let mut reasons: Vec<String> = skipped
        .map(|(reason, count)| {
            format!(
                "{} skipped: {}",
                plural(*count, "entry", "entries"),
                clip(reason, KEPT_CHARS)
            )
        })
        .collect();
    reasons.extend(ledger.damaged.iter().filter(|(_, count)| **count > 0).map(
        |(reason, count)| {
            format!(
                "{} damaged: {}",
                plural(*count, "entry", "entries"),
                clip(reason, KEPT_CHARS)
            )
        },
    ));
    if reasons.is_empty() {
        reasons.push("the ledger is marked incomplete: see Problems".to_owned());
    }
    reasons
}

impl Model {
    pub(super) fn highest(&self) -> Option<Severity> {
        let exposure = self
            .exposures
            .severities
            .first()
            .map(|table| table.severity);
        let words = self
            .findings
            .severities
            .first()
            .map(|count| count.name.as_str());
        let secret = [
            Severity::Critical,
            Severity::High,
            Severity::Medium,
            Severity::Low,
            Severity::Info,
        ]
        .into_iter()
        .find(|severity| Some(severity.as_str()) == words);
        exposure.max(secret)
    }

    pub(super) fn verdict_lines(&self) -> Vec<VerdictLine> {
        [
            ("What is out", self.what_is_out(), "exposures"),
            ("Where", self.where_it_is(), "packages"),
            ("How much", self.how_much(), "sources"),
            ("Copies", self.how_far(), "copies"),
            ("Points outside", self.what_is_elsewhere(), "references"),
            ("Could not be read", self.what_was_not_read(), "coverage"),
        ]
        .into_iter()
        .map(|(question, answer, section)| VerdictLine {
            question: question.to_owned(),
            answer,
            section: section.to_owned(),
        })
        .collect()
    }

    fn what_is_out(&self) -> String {
        let mut out = match &self.exposures.absence {
            Some(absence) => absence.text.clone(),
            None => {
                let by_severity: Vec<String> = self
                    .exposures
                    .severities
                    .iter()
                    .map(|table| {
                        format!("{} {}", grouped(table.table.total), table.severity.as_str())
                    })
                    .collect();
                format!(
                    "{} of {} ({}); {} proven by parsing, {} hinted by a name or pattern.",
                    plural(self.exposures.total, "exposure", "exposures"),
                    plural(self.exposures.classes.len() as u64, "class", "classes"),
                    by_severity.join(", "),
                    grouped(self.exposures.proven),
                    grouped(self.exposures.hint),
                )
            }
        };
        if let Some(live) = &self.findings.live {
            out.push_str(&format!(" {}.", live.text));
        }
        if self.findings.secrets_total > 0 {
            out.push_str(&format!(
                " {} matched a secret rule.",
                plural(self.findings.secrets_total, "place", "places")
            ));
        }
        out
    }

    fn where_it_is(&self) -> String {
        let all = self.packages.table.total;
        if all == 0 {
            return "No package was recognised in the input; see the locators of the exposures."
                .to_owned();
        }
        let found = self.packages.with_findings;
        if found == 0 {
            return format!(
                "None of the {} has findings.",
                plural(all, "package", "packages")
            );
        }
        let named: Vec<String> = self
            .packages
            .table
            .rows
            .iter()
            .filter(|row| row.has_findings())
            .take(NAMED_PACKAGES)
            .map(|row| clip(&row.label(), 80))
            .collect();
        let more = found.saturating_sub(named.len() as u64);
        let more = if more > 0 {
            format!(" and {} more", grouped(more))
        } else {
            String::new()
        };
        format!(
            "{} of {} with findings: {}{more}.",
            grouped(found),
            plural(all, "package", "packages"),
            named.join(", ")
        )
    }

    fn how_much(&self) -> String {
        let places = &self.sources.places;
        if let Some(absence) = &self.sources.absence {
            let named = if places.named > 0 {
                format!(
                    " {} named without content.",
                    plural(places.named, "source is", "sources are")
                )
            } else {
                String::new()
            };
            return absence.text.clone() + &named;
        }
        let maps = self.sources.maps.iter().map(|count| count.count).sum();
        format!(
            "{} of the first or an unknown party recovered, {} ({} bytes), among {} with content named by {}.",
            plural(places.own(), "original file", "original files"),
            size(places.own_bytes()),
            grouped(places.own_bytes()),
            plural(places.recovered, "source", "sources"),
            plural(maps, "source map", "source maps"),
        )
    }

    fn how_far(&self) -> String {
        let Copies {
            searched,
            copies,
            suspects,
            examined_total,
            absence,
            ..
        } = &self.copies;
        if let Some(first) = copies.rows.first() {
            return format!(
                "{} with exact, normalized or excerpt matches, {} with weaker ones only, among {} examined; \
                 the largest holds {} of {} {}.",
                plural(copies.total, "place", "places"),
                grouped(suspects.total),
                plural(*examined_total, "root", "roots"),
                percent(first.of_original),
                clip(&first.work, 80),
                clip(&first.release, 40),
            );
        }
        if !searched {
            return "Not searched for: no signature set was given.".to_owned();
        }
        let weaker = match suspects.total {
            0 => String::new(),
            some => format!(
                " {} with derived or ported matches only.",
                plural(some, "place", "places")
            ),
        };
        absence
            .as_ref()
            .map_or(String::new(), |absence| absence.text.clone())
            + &weaker
    }

    fn what_is_elsewhere(&self) -> String {
        match &self.references.absence {
            Some(absence) => absence.text.clone(),
            None => {
                let kinds: Vec<String> = self
                    .references
                    .missing
                    .iter()
                    .map(|count| format!("{} {}", grouped(count.count), count.name))
                    .collect();
                format!(
                    "{} to things that are not in the input and were not examined ({}).",
                    plural(self.references.table.total, "reference", "references"),
                    kinds.join(", ")
                )
            }
        }
    }

    fn what_was_not_read(&self) -> String {
        let Some(ledger) = &self.coverage.ledger else {
            return "Not known: the records end without a ledger.".to_owned();
        };
        let empty = ledger.skipped.get(NO_CONTENT).copied().unwrap_or(0);
        let (skipped, damaged) = (
            self.coverage.skipped().saturating_sub(empty),
            self.coverage.damaged(),
        );
        let empty = match empty {
            0 => String::new(),
            some => format!(
                " {} named without content.",
                plural(some, "entry is", "entries are")
            ),
        };
        if self.verdict.complete {
            let all = format!(
                "Nothing: all that the input holds was read, {} in {}.",
                plural(ledger.entries, "entry", "entries"),
                plural(ledger.containers, "container", "containers"),
            );
            let tolerated = match skipped.saturating_add(damaged) {
                0 => String::new(),
                some => format!(
                    " {} skipped or damaged without loss: see Coverage.",
                    plural(some, "entry was", "entries were")
                ),
            };
            return all + &tolerated + &empty;
        }
        format!(
            "{} of {}: {} skipped, {} damaged; {} recorded.{empty}",
            grouped(skipped.saturating_add(damaged)),
            plural(ledger.entries, "entry", "entries"),
            grouped(skipped),
            grouped(damaged),
            plural(self.problems.table.total, "problem", "problems"),
        )
    }
}
