//! What people decided of what the program found.
//!
//! A row of a notice is a claim under penalty of perjury, and the program is not the one who makes it. So a person looks at
//! each copy, confirms or rejects it, and the case keeps who that was, when, and of what: a decision names the digest of the
//! row as it was looked at, so that a later scan which finds something else there does not inherit it ([`Standing::Stale`]).
//! A decision for many at once is written down as such, row by row, with the number of rows that it was made for.
//!
//! Rows are only ever added; of a subject the last one holds, and those before it stay to be read. They are no records of the
//! scan: what people think of it is theirs, and leaves the case only when they ask.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::store::{Case, CaseError, json};
use crate::blob::Sha256Digest;
use crate::record::{Copy, Match};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It is what the row says.
    Confirmed,
    /// It is not, or is not to be claimed.
    Rejected,
    /// An earlier decision is taken back.
    Open,
}

impl Decision {
    /// The word in files and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Confirmed => "confirmed",
            Decision::Rejected => "rejected",
            Decision::Open => "open",
        }
    }
}

/// One decision of one person about one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Which row: [`copy_id`] or [`match_id`].
    pub subject: String,
    /// Where it stands.
    pub locator: String,
    /// SHA-256 of the row as it was looked at ([`seen`]), hex.
    pub seen: String,
    /// What was decided.
    pub decision: Decision,
    /// Who decided, as they name themselves.
    pub reviewer: String,
    /// When, RFC 3339, UTC.
    pub time: String,
    /// Of a decision for many at once, for how many rows it was made; null of one made for this row.
    pub bulk: Option<u64>,
    /// Whether the person says that fair use was considered; null where they did not say.
    pub fair_use_considered: Option<bool>,
    /// What they noted.
    pub note: Option<String>,
}

/// What holds of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody decided, or the decision was taken back.
    Open,
    /// The last decision, about the row as it is.
    Decided(Review),
    /// The last decision, about a row that has changed since.
    Stale(Review),
}

/// The decisions of a case, to be asked by row.
#[derive(Debug, Clone, Default)]
pub struct Reviews {
    /// All, in the order in which they were made.
    pub all: Vec<Review>,
    last: BTreeMap<String, usize>,
}

impl Reviews {
    /// The last decision about a subject, whatever it was about and whether or not it was taken back.
    #[must_use]
    pub fn last(&self, subject: &str) -> Option<&Review> {
        self.all.get(*self.last.get(subject)?)
    }

    /// What holds of a row, whose digest now is `seen`.
    #[must_use]
    pub fn standing(&self, subject: &str, seen: &str) -> Standing {
        let Some(review) = self.last(subject) else {
            return Standing::Open;
        };
        match review.decision {
            Decision::Open => Standing::Open,
            _ if review.seen == seen => Standing::Decided(review.clone()),
            _ => Standing::Stale(review.clone()),
        }
    }
}

/// Names a copy: `c` and the first 12 hex digits of SHA-256 over locator and work, each with a zero byte behind it. The same place
/// and work have the same id in every case.
#[must_use]
pub fn copy_id(copy: &Copy) -> String {
    id('c', &[&copy.locator, &copy.work])
}

/// Names a match: `m` and the first 12 hex digits of SHA-256 over locator, work, release and file of the work, each with a zero
/// byte behind it.
#[must_use]
pub fn match_id(found: &Match) -> String {
    id(
        'm',
        &[&found.locator, &found.work, &found.release, &found.file],
    )
}

fn id(letter: char, parts: &[&str]) -> String {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(part.as_bytes());
        bytes.push(0);
    }
    let hex = Sha256Digest::of(&bytes).hex();
    format!("{letter}{}", &hex[..12])
}

/// SHA-256 of a row's JSON, hex: what a decision was about. Of a copy, where it lies is left out: an address that is learned
/// later does not change what is there.
///
/// # Errors
/// When the row cannot be written as JSON, which no row that was read from a case is.
pub fn seen(row: &impl Serialize) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(row)?;
    if let Some(fields) = value.as_object_mut() {
        fields.remove("url");
        fields.remove("location");
    }
    Ok(Sha256Digest::of(value.to_string().as_bytes()).hex())
}

impl Case {
    /// Writes decisions down, all or none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_reviews(&self, reviews: &[Review]) -> Result<(), CaseError> {
        let write = || -> rusqlite::Result<()> {
            let tx = self.db.unchecked_transaction()?;
            for review in reviews {
                tx.execute(
                    "INSERT INTO review (subject, json) VALUES (?1, ?2)",
                    params![review.subject, json(review)?],
                )?;
            }
            tx.commit()
        };
        write().map_err(|error| self.wrap(error))
    }

    /// All decisions, in the order in which they were made.
    ///
    /// # Errors
    /// When the file cannot be read, or what is there is no decision.
    pub fn reviews(&self) -> Result<Reviews, CaseError> {
        let mut reviews = Reviews {
            all: self.kept_rows("SELECT json FROM review ORDER BY seq")?,
            last: BTreeMap::new(),
        };
        for (index, review) in reviews.all.iter().enumerate() {
            reviews.last.insert(review.subject.clone(), index);
        }
        Ok(reviews)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(class: &str) -> Copy {
        Copy {
            locator: "clones/a".to_owned(),
            work: "acme".to_owned(),
            class: class.to_owned(),
            ..Copy::default()
        }
    }

    fn review(copy: &Copy, decision: Decision) -> Review {
        Review {
            subject: copy_id(copy),
            locator: copy.locator.clone(),
            seen: seen(copy).unwrap(),
            decision,
            reviewer: "R. Reader".to_owned(),
            time: "2026-04-01T00:00:00Z".to_owned(),
            bulk: None,
            fair_use_considered: Some(true),
            note: None,
        }
    }

    #[test]
    fn the_last_decision_holds_while_the_row_is_what_was_looked_at() {
        let case = Case::in_memory().unwrap();
        let (row, other) = (copy("verbatim"), copy("partial"));
        let of = |row: &Copy| {
            let reviews = case.reviews().unwrap();
            reviews.standing(&copy_id(row), &seen(row).unwrap())
        };
        assert_eq!(of(&row), Standing::Open);
        let confirmed = review(&row, Decision::Confirmed);
        case.add_reviews(&[review(&row, Decision::Rejected), confirmed.clone()])
            .unwrap();
        assert_eq!(of(&row), Standing::Decided(confirmed.clone()));
        assert_eq!(of(&other), Standing::Stale(confirmed));
        case.add_reviews(&[review(&row, Decision::Open)]).unwrap();
        assert_eq!(of(&row), Standing::Open);
        assert_eq!(case.reviews().unwrap().all.len(), 3);
    }

    #[test]
    fn an_address_learned_later_does_not_undo_a_decision() {
        let row = copy("verbatim");
        let mut placed = row.clone();
        placed.url = Some("https://code.example/a".to_owned());
        assert_eq!(seen(&row).unwrap(), seen(&placed).unwrap());
        assert_eq!(copy_id(&row), copy_id(&placed));
    }
}
