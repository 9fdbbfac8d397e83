//! The verdict box, and what may be said about absence.
//!
//! Sentences are made here, in one place, from the model's own figures, so that the box cannot say anything that the
//! tables do not. "Nothing was found" is a claim about everything in the input: [`Scope`] decides whether it may be made.

use super::model::*;
use super::text::{KEPT_CHARS, clip, grouped, plural};
use crate::record::{Ledger, NO_CONTENT, Run, Severity};

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
    /// There was nothing to read: what follows from it is nothing.
    pub(super) is_empty: bool,
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
                if !ledger.read_all() {
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
            is_empty: ledger.is_some_and(|ledger| ledger.entries == 0),
            text,
        }
    }

    /// That nothing of a kind is there, as far as that can be said. `what` comes after "no".
    pub(super) fn absent(&self, what: &str) -> Statement {
        let text = if self.complete && self.is_empty {
            format!("The input holds nothing that could be read, and so no {what}.")
        } else if self.complete {
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

/// Why not everything was read. What is named without content is no reason: there was nothing to read.
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
    if ledger.complete {
        let accepted = |reason: &mut String| reason.push_str(" (accepted by whoever ran the scan)");
        reasons.iter_mut().for_each(accepted);
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

    pub(super) fn what_was_not_read(&self) -> String {
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
            return all + &empty;
        }
        let accepted = if ledger.complete && skipped.saturating_add(damaged) > 0 {
            " Whoever ran the scan accepted that."
        } else {
            ""
        };
        format!(
            "{} of {}: {} skipped, {} damaged; {} recorded.{accepted}{empty}",
            grouped(skipped.saturating_add(damaged)),
            plural(ledger.entries, "entry", "entries"),
            grouped(skipped),
            grouped(damaged),
            plural(self.problems.table.total, "problem", "problems"),
        )
    }
}
