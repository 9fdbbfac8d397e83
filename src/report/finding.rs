//! Findings that can be told again: what a later report, or another program, knows one by.
//!
//! A finding has an *id*, made of what it is and where it stands and of nothing that may change its judgement, and a
//! *state*, which is that judgement. The same id with another state was reclassified; an id that is not there any more was
//! withdrawn. Findings are exposures, secrets, items, copies, suspects and signs of tampering.
//!
//! The id is the beginning of a BLAKE3 digest, so that it gives nothing away that it was not made of; whoever can guess
//! kind and place can test the guess. Left out: which of several equal findings at one place is which. They are numbered in
//! the order of records.

use crate::record::{Copy, Record};

/// A finding as later reports know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `exposure`, `secret`, `item`, `copy`, `suspect` or `sign`.
    pub kind: &'static str,
    /// Class, rule, kind of item, work and release.
    pub what: String,
    /// Where.
    pub locator: String,
    /// What tells it from others of its kind at its place.
    pub detail: String,
    /// How it is judged.
    pub state: String,
    /// SHA-256 of the content that holds it, hex, where it is one content.
    pub sha256: Option<String>,
}

impl Finding {
    /// The finding that a record is; `None` where it is none.
    pub fn of(record: &Record) -> Option<Finding> {
        Some(match record {
            Record::Exposure(row) => Finding {
                kind: "exposure",
                what: row.class.clone(),
                locator: row.locator.clone(),
                detail: String::new(),
                state: format!("{} {}", row.severity.as_str(), certainty(row.certainty)),
                sha256: row.sha256.clone(),
            },
            Record::Secret(row) => Finding {
                kind: "secret",
                what: row.rule.clone(),
                locator: row.locator.clone(),
                detail: format!("{}:{}", row.line, row.column),
                state: format!("{} {}", row.severity.as_str(), row.check),
                sha256: row.sha256.clone(),
            },
            Record::Item(row) => Finding {
                kind: "item",
                what: row.kind.clone(),
                locator: row.locator.clone(),
                detail: format!("{}:{}", row.line, row.value),
                state: row.confidence.clone(),
                sha256: None,
            },
            Record::Copy(row) => of_copy("copy", row),
            Record::Suspect(row) => of_copy("suspect", row),
            Record::Sign(row) => Finding {
                kind: "sign",
                what: row.rule.clone(),
                locator: row.locator.clone(),
                detail: row.line.map(|line| line.to_string()).unwrap_or_default(),
                state: format!("{} {}", row.severity.as_str(), certainty(row.certainty)),
                sha256: row.sha256.clone(),
            },
            _ => return None,
        })
    }

    /// Its id: 16 bytes in hex. `number` counts equal findings at one place, from 0.
    pub fn id(&self, number: u64) -> String {
        let mut hasher = blake3::Hasher::new();
        // Copy and suspect are one thing that is judged in two ways.
        let kind = if self.kind == "suspect" {
            "copy"
        } else {
            self.kind
        };
        for part in [kind, &self.what, &self.locator, &self.detail] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&number.to_le_bytes());
        let digest = hasher.finalize();
        crate::blob::digest::hex(&digest.as_bytes()[..16])
    }
}

fn certainty(of: crate::record::Certainty) -> &'static str {
    match of {
        crate::record::Certainty::Proven => "proven",
        crate::record::Certainty::Hint => "hint",
    }
}

fn of_copy(kind: &'static str, row: &Copy) -> Finding {
    Finding {
        kind,
        what: format!("{} {}", row.work, row.release),
        locator: row.locator.clone(),
        detail: String::new(),
        state: format!("{kind} {}", row.class),
        sha256: None,
    }
}

/// Numbers equal findings at one place. Records come in order of locators within a unit, so only those of the place at hand
/// are remembered.
#[derive(Debug, Default)]
pub struct Numberer {
    place: String,
    seen: std::collections::HashMap<String, u64>,
}

impl Numberer {
    /// The id of the next finding.
    pub fn id(&mut self, finding: &Finding) -> String {
        if self.place != finding.locator {
            self.place.clone_from(&finding.locator);
            self.seen.clear();
        }
        let first = finding.id(0);
        let number = self.seen.entry(first.clone()).or_insert(0);
        *number += 1;
        match *number {
            1 => first,
            more => finding.id(more - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::exposure;
    use super::*;
    use crate::record::{Certainty, Severity};

    #[test]
    fn a_judgement_changes_the_state_and_not_the_id() {
        let finding = |severity, locator| {
            let row = exposure("x", severity, Certainty::Proven, locator, "");
            Finding::of(&Record::Exposure(row)).unwrap()
        };
        let (high, info) = (
            finding(Severity::High, "m/a"),
            finding(Severity::Info, "m/a"),
        );
        assert_eq!(high.id(0), info.id(0));
        assert_ne!(high.state, info.state);
        assert_ne!(high.id(0), finding(Severity::High, "m/b").id(0));
    }

    /// The class of a copy is its state: what became of it since is a reclassification, also from copy to suspect.
    #[test]
    fn a_copy_of_another_class_is_the_same_finding() {
        let copy = |class: &str| Copy {
            locator: "m/a".to_owned(),
            class: class.to_owned(),
            ..Copy::default()
        };
        let of = |record: Record| Finding::of(&record).unwrap();
        let before = of(Record::from(copy("modified")));
        for after in [
            of(Record::from(copy("partial"))),
            of(Record::Suspect(Box::new(copy("ported")))),
        ] {
            assert_eq!(before.id(0), after.id(0));
            assert_ne!(before.state, after.state);
        }
    }

    #[test]
    fn equal_findings_at_one_place_are_numbered() {
        let row = exposure("x", Severity::High, Certainty::Proven, "m/a", "");
        let finding = Finding::of(&Record::Exposure(row)).unwrap();
        let mut numberer = Numberer::default();
        let ids = [numberer.id(&finding), numberer.id(&finding)];
        assert_eq!(ids, [finding.id(0), finding.id(1)]);
    }
}
