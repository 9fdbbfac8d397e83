//! What becomes of a claim, once everything is counted.
//!
//! A claim that says "only" is two claims: that this one is affected, and that no other is. The second is an absence, and
//! is judged as one: it needs the others to be in the input, and to have been read in full.

use super::{Claim, ClaimKind, Counted, Examiner, Figure, Outcome, Range, VERSIONS_MAX};
use crate::report::text::{KEPT_CHARS, clip, grouped, plural};

/// What became of a claim, why, and what was counted.
type Judged = (Outcome, String, Vec<Figure>);

impl Examiner<'_> {
    pub(super) fn judged(&self, claim: &Claim, counted: &Counted) -> Judged {
        let value = claim.written.value.as_str();
        match (claim.kind, &claim.range) {
            (ClaimKind::Version, _) => self.of_version(value, claim.is_only, counted),
            (ClaimKind::Vector, _) => self.of_vector(value, claim.is_only, counted),
            (kind, Some(range)) => self.of_figure(kind, range, counted),
            (_, None) => {
                let reason = "it states no figure".to_owned();
                (Outcome::NotExaminable, reason, Vec::new())
            }
        }
    }

    fn of_figure(&self, kind: ClaimKind, range: &Range, counted: &Counted) -> Judged {
        let figures = counted.figures(kind);
        let fits: Vec<&Figure> = figures
            .iter()
            .filter(|figure| range.holds(figure.count))
            .collect();
        let is_empty = figures.iter().all(|figure| figure.count == 0);
        let (outcome, reason) = match fits.first().filter(|_| !is_empty) {
            Some(first) => self.of_agreeing(first, fits.len() - 1, range),
            None if !self.complete => (
                Outcome::NotExaminable,
                "no count agrees, and not everything was read".to_owned(),
            ),
            None if is_empty => (
                Outcome::NotExaminable,
                "the input holds no map with sources to count".to_owned(),
            ),
            None => (
                Outcome::Contradicted,
                "no count agrees, and everything was read".to_owned(),
            ),
        };
        (outcome, reason, figures)
    }

    /// A count agrees. "At most" is said of all there is, so that what was not read may still undo it.
    fn of_agreeing(&self, first: &Figure, others: usize, range: &Range) -> (Outcome, String) {
        let first = format!("{} {}", grouped(first.count), first.definition);
        let others = match others {
            0 => String::new(),
            1 => "; one further count agrees".to_owned(),
            more => format!("; {more} further counts agree"),
        };
        if self.complete {
            return (Outcome::Supported, format!("counted as {first}{others}"));
        }
        if range.is_ceiling() {
            return (
                Outcome::NotExaminable,
                format!("so far {first}, and not everything was read"),
            );
        }
        (
            Outcome::Supported,
            format!("so far counted as {first}{others}; not everything was read"),
        )
    }

    fn of_version(&self, version: &str, is_only: bool, counted: &Counted) -> Judged {
        let figures: Vec<Figure> = (counted.versions.iter())
            .filter(|(held, of)| of.findings > 0 || *held == version)
            .take(VERSIONS_MAX)
            .map(|(held, of)| Figure {
                definition: format!("exposures and secrets in version {}", named(held)),
                count: of.findings,
            })
            .collect();
        let (outcome, reason) = match counted.versions.get(version) {
            None => (Outcome::NotExaminable, "the version is not in the input"),
            Some(of) if of.findings == 0 && !of.is_whole => (
                Outcome::NotExaminable,
                "nothing was found in it, and not all of it was read",
            ),
            Some(of) if of.findings == 0 => (
                Outcome::Contradicted,
                "all of it was read, and nothing was found in it",
            ),
            Some(_) if is_only => {
                let (outcome, reason) = self.of_other_versions(version, counted);
                return (outcome, reason, figures);
            }
            Some(_) => (Outcome::Supported, "it holds exposures or secrets"),
        };
        (outcome, reason.to_owned(), figures)
    }

    /// That no other version is affected, where the one that the claim names is.
    fn of_other_versions(&self, version: &str, counted: &Counted) -> (Outcome, String) {
        let unknown = |reason: String| (Outcome::NotExaminable, reason);
        if counted.has_several_names {
            return unknown(
                "it holds exposures or secrets; the input holds several packages, so name the one that the claim is about"
                    .to_owned(),
            );
        }
        let others = || counted.versions.iter().filter(|(held, _)| *held != version);
        let affected: Vec<&str> = others()
            .filter(|(_, of)| of.findings > 0)
            .map(|(held, _)| held.as_str())
            .collect();
        if let Some(first) = affected.first() {
            let more = match affected.len() - 1 {
                0 => String::new(),
                more => format!(" and in {}", plural(more as u64, "other", "others")),
            };
            return (
                Outcome::Contradicted,
                format!(
                    "exposures or secrets are in version {}{more} too",
                    named(first)
                ),
            );
        }
        let unread = others().find(|(_, of)| !of.is_whole);
        if let Some((held, _)) = unread {
            return unknown(format!(
                "it holds exposures or secrets; version {} was not read in full",
                named(held)
            ));
        }
        if !self.complete {
            return unknown(
                "it holds exposures or secrets; not everything in the input was read".to_owned(),
            );
        }
        let others = others().count() as u64;
        if others == 0 {
            return unknown(
                "it holds exposures or secrets; no other version is in the input".to_owned(),
            );
        }
        let clean = format!(
            "it holds exposures or secrets, and nothing was found in the {} in the input, read in full",
            plural(others, "other version", "other versions")
        );
        match counted.unseen {
            Some(0) => (Outcome::Supported, clean),
            Some(unseen) => unknown(format!(
                "it holds exposures or secrets; {} and not in the input",
                plural(
                    unseen,
                    "further version was published",
                    "further versions were published"
                )
            )),
            None => unknown(format!(
                "{clean}; but nothing that was read says which versions were published (a packument in the input or --packages does)"
            )),
        }
    }

    fn of_vector(&self, class: &str, is_only: bool, counted: &Counted) -> Judged {
        let count = counted.classes.get(class).copied().unwrap_or(0);
        let of = |class: &str, count| Figure {
            definition: format!(
                "exposures of the class {}, each place counted",
                clip(class, KEPT_CHARS)
            ),
            count,
        };
        let mut figures = vec![of(class, count)];
        let (outcome, reason) = match (count, self.complete) {
            (0, false) => (
                Outcome::NotExaminable,
                "none was found, and not everything was read",
            ),
            (0, true) => (
                Outcome::Contradicted,
                "everything was read, and none was found",
            ),
            (_, is_complete) if is_only => {
                let others = || counted.classes.iter().filter(|(held, _)| *held != class);
                let shown = others().take(VERSIONS_MAX - 1);
                figures.extend(shown.map(|(held, count)| of(held, *count)));
                let (outcome, reason) = only_class(others().count() as u64, is_complete);
                return (outcome, reason, figures);
            }
            _ => (Outcome::Supported, "the class was found"),
        };
        (outcome, reason.to_owned(), figures)
    }
}

/// That no other class was found, where the one that the claim names was.
fn only_class(others: u64, is_complete: bool) -> (Outcome, String) {
    match (others, is_complete) {
        (0, true) => (
            Outcome::Supported,
            "the class was found, everything was read, and no other class was found".to_owned(),
        ),
        (0, false) => (
            Outcome::NotExaminable,
            "the class was found, and not everything was read".to_owned(),
        ),
        (others, _) => (
            Outcome::Contradicted,
            format!(
                "the class was found, and {} too",
                plural(others, "other class", "other classes")
            ),
        ),
    }
}

/// A version as it is shown; packages need not state one.
fn named(version: &str) -> String {
    if version.is_empty() {
        "(none stated)".to_owned()
    } else {
        clip(version, KEPT_CHARS)
    }
}
