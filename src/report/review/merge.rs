//! What came back, held against what was decided meanwhile.
//!
//! Two people take the same list home. When the second file comes in, some rows were decided since by the first, and an
//! import that took the file as it is would overrule them without a word. So each row says by a digest what held when it was
//! written (`base`), and three things are compared: that, what holds now, and what the file has. A row that nobody touched
//! changes nothing; one that only its editor touched is taken; one that both touched is taken where they agree in the outcome, as a
//! second opinion, and is a conflict where they do not. A conflict is refused, row by row, with both decisions.

use std::collections::HashMap;
use std::time::SystemTime;

use super::cells::{Cells, decided_words, word_of};
use super::table::{Edited, Refusal};
use crate::case::{Decision, Review, Reviews, Standing};

/// A row of the case, as far as a decision is about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    /// Where it stands.
    pub locator: String,
    /// Digest of what it says.
    pub seen: String,
    /// What holds.
    pub standing: Standing,
}

/// When, and in whose name where a row names nobody.
#[derive(Debug, Clone)]
pub struct Taking {
    /// The time of taking it in, RFC 3339, UTC.
    pub now: String,
    /// Who is named where the file names nobody.
    pub by: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Merged {
    /// New decisions, in the order of the file.
    pub taken: Vec<Review>,
    /// Rows that nobody touched, or that say what holds already.
    pub unchanged: u64,
    /// Rows that cannot be taken, by line.
    pub refused: Vec<Refusal>,
    /// Rows whose date is none that can be read, so that the time of taking them in stands instead.
    pub dates_unread: u64,
}

/// Holds rows of a file against the case.
#[must_use]
pub fn merge(
    edited: &[Edited],
    current: &HashMap<String, Current>,
    reviews: &Reviews,
    taking: &Taking,
) -> Merged {
    let mut merged = Merged::default();
    let mut first: HashMap<&str, u64> = HashMap::new();
    let mut times: HashMap<&str, u64> = HashMap::new();
    for row in edited {
        *times.entry(&row.id).or_default() += 1;
        first.entry(&row.id).or_insert(row.line);
    }
    for row in edited {
        let is_twice = times.get(row.id.as_str()).is_some_and(|count| *count > 1);
        let outcome = if is_twice {
            let line = first.get(row.id.as_str()).copied().unwrap_or_default();
            Err(format!(
                "the id stands in the file more than once, first in line {line}; keep one of them"
            ))
        } else {
            one(row, current.get(&row.id), reviews, taking)
        };
        match outcome {
            Ok(Outcome::Unchanged) => merged.unchanged += 1,
            Ok(Outcome::Taken(review, is_date_unread)) => {
                merged.dates_unread += u64::from(is_date_unread);
                merged.taken.push(*review);
            }
            Err(why) => merged.refused.push(Refusal {
                line: row.line,
                id: row.id.clone(),
                why,
            }),
        }
    }
    merged
}

enum Outcome {
    Unchanged,
    /// A new decision, and whether the date beside it could not be read.
    Taken(Box<Review>, bool),
}

fn one(
    row: &Edited,
    current: Option<&Current>,
    reviews: &Reviews,
    taking: &Taking,
) -> Result<Outcome, String> {
    let Some(current) = current else {
        return Err(
            "no row of this case has this id; is the file of another case, or is the place gone since a later scan?".to_owned(),
        );
    };
    let cells = &row.cells;
    let holds = Cells::of(&current.standing);
    let digest = cells.digest();
    let is_untouched = row.base.as_ref() == Some(&digest);
    if is_untouched || (!cells.decision.is_empty() && digest == holds.digest()) {
        return Ok(Outcome::Unchanged);
    }
    if cells.decision.is_empty() {
        return undecided(row);
    }
    let Some(decision) = word_of(&cells.decision) else {
        return Err(format!(
            "`{}` is no decision; write confirmed, rejected or open",
            crate::blob::locator::shown(&cells.decision)
        ));
    };
    let fair_use_considered = match cells.fair_use.as_str() {
        "" => None,
        "yes" => Some(true),
        "no" => Some(false),
        other => {
            return Err(format!(
                "fair-use-considered is `{}`; write yes, no or nothing",
                crate::blob::locator::shown(other)
            ));
        }
    };
    let reviewer = match (cells.reviewer.as_str(), &taking.by) {
        ("", None) => {
            return Err(
                "it names no reviewer; fill the column `reviewer`, or give --by NAME".to_owned(),
            );
        }
        ("", Some(by)) => by.clone(),
        (name, _) if name.contains('\n') => {
            return Err("the name of the reviewer runs over several lines".to_owned());
        }
        (name, _) => name.to_owned(),
    };
    if row.seen != current.seen {
        return Err("the row is not what it was when the file was written: it was scanned again with another outcome; export it again and look".to_owned());
    }
    let last = reviews.last(&row.id);
    // What is stale holds no more, and a new decision about the row as it is overrules nothing.
    let held = last.filter(|last| last.decision == Decision::Open || last.seen == current.seen);
    let is_base = row
        .base
        .as_deref()
        .map_or(held.is_none(), |base| base == holds.digest());
    if !is_base && let Some(held) = held.filter(|held| held.decision != decision) {
        return Err(format!(
            "conflict: here {} by {}, and in the case {} since the file was written",
            decision.as_str(),
            reviewer,
            decided_words(held)
        ));
    }
    // The time of any decision about this row that is known was not given anew: it came with the export.
    let mut known = reviews.all.iter();
    let is_known = known.any(|one| one.subject == row.id && one.time == cells.date);
    let held_date = if is_known { &cells.date } else { &holds.date };
    let (time, is_date_unread) = time_of(&cells.date, held_date, &taking.now)?;
    Ok(Outcome::Taken(
        Box::new(Review {
            subject: row.id.clone(),
            locator: current.locator.clone(),
            seen: current.seen.clone(),
            decision,
            reviewer,
            time,
            bulk: None,
            fair_use_considered,
            note: Some(cells.note.clone()).filter(|note| !note.is_empty()),
        }),
        is_date_unread,
    ))
}

/// A row without a decision changes nothing, and must not take with it what somebody wrote.
fn undecided(row: &Edited) -> Result<Outcome, String> {
    let cells = &row.cells;
    if !cells.note.is_empty() || !cells.fair_use.is_empty() {
        return Err("it has a note or an answer and no decision; write confirmed, rejected or open, or empty both".to_owned());
    }
    let nothing = Cells::default().digest();
    if row.base.as_ref().is_some_and(|base| *base != nothing) {
        return Err(
            "its decision was emptied, which takes nothing back; write open, with a reviewer"
                .to_owned(),
        );
    }
    Ok(Outcome::Unchanged)
}

/// When it was decided: as given anew in RFC 3339, else when it is taken in. Also whether there was something that is no such date.
fn time_of(given: &str, held: &str, now: &str) -> Result<(String, bool), String> {
    let read = |text: &str| humantime::parse_rfc3339(text).ok();
    if given.is_empty() || given == held {
        return Ok((now.to_owned(), false));
    }
    let Some(time) = read(given) else {
        return Ok((now.to_owned(), true));
    };
    if time > read(now).unwrap_or(SystemTime::UNIX_EPOCH) {
        return Err(format!(
            "its date {given} has not come yet; empty it, or correct it"
        ));
    }
    Ok((humantime::format_rfc3339_seconds(time).to_string(), false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;

    const NOW: &str = "2026-05-01T00:00:00Z";

    fn review(decision: Decision, reviewer: &str, seen: &str) -> Review {
        Review {
            subject: "c1".to_owned(),
            locator: "in/a".to_owned(),
            seen: seen.to_owned(),
            decision,
            reviewer: reviewer.to_owned(),
            time: "2026-04-01T00:00:00Z".to_owned(),
            bulk: None,
            fair_use_considered: None,
            note: None,
        }
    }

    /// A case with these decisions about the one row, which says `aa` now.
    fn held(decisions: &[Review]) -> (Reviews, HashMap<String, Current>) {
        let case = Case::in_memory().unwrap();
        case.add_reviews(decisions).unwrap();
        let reviews = case.reviews().unwrap();
        let current = Current {
            locator: "in/a".to_owned(),
            seen: "aa".to_owned(),
            standing: reviews.standing("c1", "aa"),
        };
        (reviews, HashMap::from([("c1".to_owned(), current)]))
    }

    /// A row as it was written when these decisions held, then edited.
    fn row(then: &[Review], decision: &str, reviewer: &str) -> Edited {
        let (reviews, _) = held(then);
        let was = Cells::of(&reviews.standing("c1", "aa"));
        Edited {
            line: 2,
            id: "c1".to_owned(),
            seen: "aa".to_owned(),
            base: Some(was.digest()),
            cells: Cells {
                decision: decision.to_owned(),
                reviewer: reviewer.to_owned(),
                ..was
            },
        }
    }

    fn taking() -> Taking {
        Taking {
            now: NOW.to_owned(),
            by: None,
        }
    }

    fn merged(now: &[Review], rows: &[Edited]) -> Merged {
        let (reviews, current) = held(now);
        merge(rows, &current, &reviews, &taking())
    }

    fn refused(now: &[Review], row: Edited) -> String {
        let merged = merged(now, &[row]);
        assert!(merged.taken.is_empty(), "{merged:?}");
        merged.refused[0].why.clone()
    }

    #[test]
    fn an_open_row_is_decided() {
        let merged = merged(&[], &[row(&[], "confirmed", "B")]);
        assert_eq!(merged.taken.len(), 1);
        let taken = &merged.taken[0];
        assert_eq!(
            (taken.decision, taken.time.as_str()),
            (Decision::Confirmed, NOW)
        );
        assert_eq!((taken.reviewer.as_str(), taken.bulk), ("B", None));
    }

    #[test]
    fn rows_that_nobody_touched_change_nothing() {
        let by_a = [review(Decision::Confirmed, "A", "aa")];
        let since = [by_a[0].clone(), review(Decision::Rejected, "C", "aa")];
        for now in [&[][..], &by_a, &since] {
            assert_eq!(merged(now, &[row(&[], "", "")]).unchanged, 1);
            assert_eq!(
                merged(now, &[row(&by_a, "confirmed", "A")]).unchanged,
                1,
                "{now:?}"
            );
        }
    }

    #[test]
    fn of_two_people_neither_is_overruled() {
        let by_a = [review(Decision::Confirmed, "A", "aa")];
        let why = refused(&by_a, row(&[], "rejected", "B"));
        assert!(
            why.contains("here rejected by B") && why.contains("confirmed by A, 2026-04-01"),
            "{why}"
        );
        // The same outcome is a second opinion.
        assert_eq!(merged(&by_a, &[row(&[], "confirmed", "B")]).taken.len(), 1);
        // Who saw the other decision may overrule it.
        assert_eq!(merged(&by_a, &[row(&by_a, "rejected", "B")]).taken.len(), 1);
        // A decision that was taken back meanwhile is one, too.
        let back = [by_a[0].clone(), review(Decision::Open, "A", "aa")];
        assert!(refused(&back, row(&by_a, "rejected", "B")).contains("open by A"));
        // Without the column nobody knows what the editor saw.
        let mut bare = row(&by_a, "rejected", "B");
        bare.base = None;
        assert!(refused(&by_a, bare.clone()).contains("conflict"));
        assert_eq!(merged(&[], &[bare]).taken.len(), 1);
    }

    #[test]
    fn a_decision_about_what_the_row_was_is_not_in_the_way() {
        let old = [review(Decision::Rejected, "A", "old")];
        assert_eq!(merged(&old, &[row(&old, "confirmed", "B")]).taken.len(), 1);
        let mut before = row(&[], "confirmed", "B");
        before.seen = "old".to_owned();
        assert!(refused(&[], before).contains("scanned again"));
    }

    #[test]
    fn what_is_missing_or_unknown_is_said() {
        assert!(refused(&[], row(&[], "maybe", "B")).contains("`maybe`"));
        assert!(refused(&[], row(&[], "confirmed", "")).contains("--by"));
        let mut other = row(&[], "confirmed", "B");
        other.id = "c9".to_owned();
        assert!(refused(&[], other).contains("no row"));
        let mut noted = row(&[], "", "");
        noted.cells.note = "seen in May".to_owned();
        assert!(refused(&[], noted).contains("note"));
        let mut fair = row(&[], "confirmed", "B");
        fair.cells.fair_use = "perhaps".to_owned();
        assert!(refused(&[], fair).contains("yes, no"));
        let by_a = [review(Decision::Confirmed, "A", "aa")];
        assert!(refused(&by_a, row(&by_a, "", "A")).contains("emptied"));
        let twice = merged(
            &[],
            &[row(&[], "confirmed", "B"), row(&[], "rejected", "B")],
        );
        assert_eq!((twice.taken.len(), twice.refused.len()), (0, 2));
        let (reviews, current) = held(&[]);
        let by = Taking {
            by: Some("D".to_owned()),
            ..taking()
        };
        let named = merge(&[row(&[], "confirmed", "")], &current, &reviews, &by);
        assert_eq!(named.taken[0].reviewer, "D");
    }

    #[test]
    fn a_date_counts_only_where_it_can_be_read() {
        let with = |date: &str| {
            let mut row = row(&[], "confirmed", "B");
            row.cells.date = date.to_owned();
            merged(&[], &[row])
        };
        assert_eq!(
            with("2026-04-03T10:00:00Z").taken[0].time,
            "2026-04-03T10:00:00Z"
        );
        let rewritten = with("4/3/26");
        assert_eq!(
            (rewritten.taken[0].time.as_str(), rewritten.dates_unread),
            (NOW, 1)
        );
        assert!(
            with("2027-01-01T00:00:00Z").refused[0]
                .why
                .contains("not come yet")
        );
        // The date of the decision before is not that of this one.
        let by_a = [review(Decision::Confirmed, "A", "aa")];
        let again = merged(&by_a, &[row(&by_a, "rejected", "B")]);
        assert_eq!((again.taken[0].time.as_str(), again.dates_unread), (NOW, 0));
    }
}
