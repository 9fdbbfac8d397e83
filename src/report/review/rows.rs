//! The rows that are reviewed: copies and suspects, each with what holds of it; and the files below one.
//!
//! Rows come in the order in which a person works through them: fork networks and families together, the largest share first.
//! A family without a recorded network is named by the first of its copies, as lineage has it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::proposal::{Proposal, Tampering, proposal};
use crate::case::{Case, CaseError, Decision, Notice, Reviews, Standing, copy_id, match_id, seen};
use crate::record::{Copy, Match, Origin, Record};

/// A copy, and what holds of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id: [`copy_id`].
    pub id: String,
    /// Digest of the row as it is: [`seen`].
    pub seen: String,
    /// The row.
    pub copy: Copy,
    /// It is a suspect.
    pub is_suspect: bool,
    /// Root address of its fork network, as recorded.
    pub network: Option<String>,
    /// Locator of the first of those that are the same as it, or nearly so; its own where it is alone.
    pub family: String,
    /// What it stands together with in lists: its network, else its family, where that has more rows than this one.
    pub group: Option<String>,
    /// What its signs say.
    pub tampering: Tampering,
    /// It was held against the original.
    pub was_compared: bool,
    /// What is proposed.
    pub proposal: Proposal,
    /// What holds.
    pub standing: Standing,
}

/// A file of a copy that matches, and what holds of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRow {
    /// Its id: [`match_id`].
    pub id: String,
    /// Digest of the row as it is.
    pub seen: String,
    /// The row.
    pub found: Match,
    /// What holds.
    pub standing: Standing,
}

/// The copies and suspects of a case, and its decisions. Also how many places are the organisation's own public ones, which
/// nobody has to review.
///
/// # Errors
/// When the case cannot be read.
pub fn read_rows(case: &Case, reviews: &Reviews) -> Result<(Vec<Row>, u64), CaseError> {
    let mut copies: Vec<(Copy, bool)> = Vec::new();
    let mut beside: HashMap<String, Beside> = HashMap::new();
    let mut own_public = 0;
    let kinds = [
        "copy",
        "suspect",
        "origin",
        "comparison",
        "sign",
        "lineage",
        "examined",
    ];
    case.records_of(&kinds, |record| -> Result<(), CaseError> {
        match record {
            Record::Copy(copy) => copies.push((*copy, false)),
            Record::Suspect(copy) => copies.push((*copy, true)),
            Record::Origin(origin) if !origin.locator.is_empty() => {
                beside
                    .entry(origin.locator.clone())
                    .or_default()
                    .origin(&origin);
            }
            Record::Comparison(row) => beside.entry(row.locator).or_default().compared = true,
            Record::Sign(sign) => beside
                .entry(sign.root)
                .or_default()
                .tampering
                .add(sign.severity),
            Record::Lineage(row) => {
                let entry = beside.entry(row.locator).or_default();
                entry.network = row.network.or(entry.network.take());
                entry.family = Some(row.family);
            }
            Record::Examined(row) => own_public += u64::from(row.class == "own-public"),
            _ => {}
        }
        Ok(())
    })?;
    let mut rows = Vec::with_capacity(copies.len());
    for (copy, is_suspect) in copies {
        let beside = beside.get(&copy.locator).cloned().unwrap_or_default();
        let (id, seen) = (copy_id(&copy), digest(&copy)?);
        rows.push(Row {
            standing: reviews.standing(&id, &seen),
            proposal: proposal(&copy, beside.tampering, &beside.contradicted),
            is_suspect,
            group: beside.network.clone(),
            network: beside.network,
            family: beside.family.unwrap_or_else(|| copy.locator.clone()),
            tampering: beside.tampering,
            was_compared: beside.compared,
            id,
            seen,
            copy,
        });
    }
    sort(&mut rows);
    Ok((rows, own_public))
}

/// Larger groups first, those with a network before all, those that are alone last; within one the largest share first.
fn sort(rows: &mut [Row]) {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows.iter() {
        let group = row.network.as_ref().unwrap_or(&row.family);
        *sizes.entry(group.clone()).or_default() += 1;
    }
    for row in rows.iter_mut().filter(|row| row.network.is_none()) {
        let has_more = sizes.get(&row.family).is_some_and(|size| *size > 1);
        row.group = has_more.then(|| row.family.clone());
    }
    rows.sort_by(|a, b| {
        let key = |row: &Row| {
            let size = row.group.as_ref().and_then(|group| sizes.get(group));
            (row.network.is_none(), Reverse(size.copied()))
        };
        (key(a).cmp(&key(b)))
            .then_with(|| a.group.cmp(&b.group))
            .then_with(|| b.copy.of_original.total_cmp(&a.copy.of_original))
            .then_with(|| (&a.copy.locator, &a.copy.work).cmp(&(&b.copy.locator, &b.copy.work)))
    });
}

/// What other records say of a place.
#[derive(Debug, Clone, Default)]
struct Beside {
    network: Option<String>,
    family: Option<String>,
    contradicted: Vec<String>,
    tampering: Tampering,
    compared: bool,
}

impl Beside {
    fn origin(&mut self, origin: &Origin) {
        if self.network.is_none() {
            self.network.clone_from(&origin.network);
        }
        self.contradicted
            .extend(origin.contradicted_by.iter().cloned());
    }
}

/// The digest of a row of the case.
fn digest(row: &impl serde::Serialize) -> Result<String, CaseError> {
    seen(row).map_err(|error| CaseError::Damaged {
        what: format!("a row cannot be written as JSON: {error}"),
    })
}

/// The matches below a copy of its work, by path; `wanted` is asked of each, so that of a hundred thousand only a few are kept.
///
/// # Errors
/// When the case cannot be read.
pub fn files_of(
    case: &Case,
    reviews: &Reviews,
    mut wanted: impl FnMut(&str, &Match, Option<&str>) -> bool,
) -> Result<Vec<FileRow>, CaseError> {
    let mut roots: HashSet<String> = HashSet::new();
    case.records_of(
        &["examined", "copy", "suspect"],
        |record| -> Result<(), CaseError> {
            match record {
                Record::Examined(row) => roots.insert(row.locator),
                Record::Copy(copy) | Record::Suspect(copy) => roots.insert(copy.locator),
                _ => false,
            };
            Ok(())
        },
    )?;
    let mut rows = Vec::new();
    case.records_of(&["match"], |record| -> Result<(), CaseError> {
        let Record::Match(found) = record else {
            return Ok(());
        };
        let id = match_id(&found);
        if wanted(&id, &found, root_of(&roots, &found.locator)) {
            let seen = digest(&*found)?;
            rows.push(FileRow {
                standing: reviews.standing(&id, &seen),
                found: *found,
                id,
                seen,
            });
        }
        Ok(())
    })?;
    Ok(rows)
}

/// The innermost root at or above a locator.
fn root_of<'l>(roots: &HashSet<String>, locator: &'l str) -> Option<&'l str> {
    let mut at = locator;
    loop {
        if roots.contains(at) {
            return Some(at);
        }
        let end = at.rfind('/')?;
        at = at.get(..end)?;
        at = at.strip_suffix('!').unwrap_or(at);
    }
}

/// The rows of a notice of which the last decision is that they are not to be claimed: what a revision has to name.
#[must_use]
pub fn rejected_since(notice: &Notice, reviews: &Reviews) -> Vec<String> {
    let rows: BTreeSet<&String> = notice.rows.iter().collect();
    let last = |id: &String| reviews.last(id).map(|review| review.decision);
    rows.into_iter()
        .filter(|id| last(id) == Some(Decision::Rejected))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_belongs_to_the_innermost_root() {
        let roots: HashSet<String> = ["in/a", "in/a/b", "in/c.tgz", "in", "in/x.git"]
            .map(str::to_owned)
            .into();
        for (locator, root) in [
            ("in/a/x.js", Some("in/a")),
            ("in/a/b/x.js", Some("in/a/b")),
            ("in/ab", Some("in")),
            ("in/c.tgz!/package/x.js", Some("in/c.tgz")),
            ("in/x.git!/0123", Some("in/x.git")),
            ("in/a/.git!/0123", Some("in/a")),
            ("other/x", None),
            ("", None),
        ] {
            assert_eq!(root_of(&roots, locator), root, "{locator}");
        }
    }

    #[test]
    fn a_notice_names_what_was_rejected_since() {
        let case = Case::in_memory().unwrap();
        let row = |subject: &str, decision| crate::case::Review {
            subject: subject.to_owned(),
            locator: String::new(),
            seen: String::new(),
            decision,
            reviewer: "R".to_owned(),
            time: "2026-04-01T00:00:00Z".to_owned(),
            bulk: None,
            fair_use_considered: None,
            note: None,
        };
        case.add_reviews(&[
            row("c1", Decision::Confirmed),
            row("c2", Decision::Confirmed),
            row("c1", Decision::Rejected),
            row("c3", Decision::Rejected),
            row("c3", Decision::Open),
            row("c9", Decision::Rejected),
        ])
        .unwrap();
        let notice = Notice {
            id: "n1".to_owned(),
            host: "github".to_owned(),
            network: None,
            drafted: "2026-04-01T00:00:00Z".to_owned(),
            actor: "r".to_owned(),
            folder: "n".to_owned(),
            sha256: String::new(),
            rows: ["c3", "c2", "c1"].map(str::to_owned).to_vec(),
            overrides: Vec::new(),
            follows: None,
        };
        assert_eq!(rejected_since(&notice, &case.reviews().unwrap()), ["c1"]);
    }
}
