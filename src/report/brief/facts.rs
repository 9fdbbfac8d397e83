//! What a case knows beside its records: decisions, notices, what is due, and what was kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::{Case, CaseError, Notice, NoticeEvent, NoticeState, Review, Reviews, Standing};
use crate::record::{Comparison, Copy, Origin, Record};
use crate::report::copies::Roots;
use crate::report::review::calendar::Day;
use crate::report::review::deadlines::{Deadlines, Due};
use crate::report::review::{read_rows, rejected_since};

/// What stands for the host of a copy whose address has none.
const NO_HOST: &str = "(no recorded address)";

/// What people decided of copies, how many they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) copies: u64,
    pub(super) confirmed: u64,
    pub(super) rejected: u64,
    /// Those decided of a row that has changed since are open again.
    pub(super) open: u64,
    pub(super) stale: u64,
    pub(super) bulk: u64,
    pub(super) without_fair_use: u64,
    pub(super) in_notices: u64,
    pub(super) compared: u64,
}

/// What copies say of themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) claims_own: u64,
    pub(super) with_licence: u64,
    pub(super) named_licence: u64,
    pub(super) headers_removed: u64,
    pub(super) declared_open: u64,
}

/// How copies were got, and what was done with the case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) acquired: u64,
    pub(super) sha256_agrees: u64,
    pub(super) sha256_differs: u64,
    pub(super) seen: u64,
    pub(super) custody: u64,
    pub(super) custody_broken: Option<u64>,
    pub(super) sealed: u64,
    pub(super) sealed_last: Option<String>,
}

/// One notice, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) notice: Notice,
    pub(super) events: Vec<NoticeEvent>,
    /// Its rows that were rejected since.
    pub(super) rejected_since: Vec<String>,
}

impl Sent {
    /// It was taken back, so that what it names is claimed no more, whatever happened to it after that.
    fn is_retracted(&self) -> bool {
        let mut events = self.events.iter();
        events.any(|event| event.state == NoticeState::Retracted)
    }

    /// It takes rows of another notice back, and claims nothing itself.
    pub(super) fn is_letter(&self) -> bool {
        self.notice.follows.is_some() && self.notice.rows.is_empty()
    }
}

/// Everything that briefs need of a case beside the report's figures.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub(super) all: Decided,
    pub(super) hosts: BTreeMap<String, Decided>,
    /// Suspects by class.
    pub(super) suspects: BTreeMap<String, u64>,
    pub(super) marks: Marks,
    pub(super) kept: Kept,
    pub(super) notices: Vec<Sent>,
    pub(super) due: Vec<Due>,
}

impl Facts {
    /// Reads them; dates are counted from `today`.
    ///
    /// # Errors
    /// When the case cannot be read.
    pub fn read(case: &Case, deadlines: &Deadlines, today: Day) -> Result<Self, CaseError> {
        let reviews = case.reviews()?;
        let mut facts = Self {
            kept: kept(case)?,
            ..Self::default()
        };
        facts.read_notices(case, &reviews, deadlines, today)?;
        let claimed = facts.claimed();
        let (rows, _) = read_rows(case, &reviews)?;
        let mut copies: BTreeSet<String> = BTreeSet::new();
        for row in rows.iter().filter(|row| !row.is_suspect) {
            copies.insert(row.copy.locator.clone());
        }
        let roots = facts.read_places(case, &copies)?;
        for row in rows {
            if row.is_suspect {
                *facts.suspects.entry(row.copy.class).or_default() += 1;
                continue;
            }
            let host = roots.recorded_host_of(&row.copy.locator).unwrap_or(NO_HOST);
            let is_claimed = claimed.contains(&row.id);
            for sum in [
                &mut facts.all,
                facts.hosts.entry(host.to_owned()).or_default(),
            ] {
                sum.add(&row.standing, is_claimed);
                sum.compared += u64::from(row.was_compared);
            }
            facts.marks.add(&row.copy);
            facts.kept.seen += u64::from(roots.seen_at(&row.copy.locator).is_some());
        }
        Ok(facts)
    }

    /// The rows that a notice claims which was not taken back, as a whole or by a letter that takes back what was rejected.
    fn claimed(&self) -> BTreeSet<String> {
        let letters = self.notices.iter().filter(|sent| sent.is_letter());
        let corrected: BTreeSet<&str> = letters
            .filter_map(|sent| sent.notice.follows.as_deref())
            .collect();
        let mut claimed = BTreeSet::new();
        for sent in self.notices.iter().filter(|sent| !sent.is_retracted()) {
            let is_corrected = corrected.contains(sent.notice.id.as_str());
            let mut rows: BTreeSet<&String> = sent.notice.rows.iter().collect();
            if is_corrected {
                rows.retain(|row| !sent.rejected_since.contains(row));
            }
            claimed.extend(rows.into_iter().cloned());
        }
        claimed
    }

    fn read_notices(
        &mut self,
        case: &Case,
        reviews: &Reviews,
        deadlines: &Deadlines,
        today: Day,
    ) -> Result<(), CaseError> {
        let mut by_notice: BTreeMap<String, Vec<NoticeEvent>> = BTreeMap::new();
        for event in case.notice_events()? {
            let of = by_notice.entry(event.notice.clone()).or_default();
            of.push(event);
        }
        for notice in case.notices()? {
            let events = by_notice.remove(&notice.id).unwrap_or_default();
            self.due
                .extend(deadlines.due(&notice.id, &notice.host, &events, today));
            self.notices.push(Sent {
                rejected_since: rejected_since(&notice, reviews),
                notice,
                events,
            });
        }
        self.due.sort_by_key(Due::rank);
        Ok(())
    }

    /// Where the copies were got from, by the rules of the report, and what was compared.
    fn read_places(&mut self, case: &Case, copies: &BTreeSet<String>) -> Result<Roots, CaseError> {
        let mut roots = Roots::default();
        let mut acquired: BTreeMap<String, Option<bool>> = BTreeMap::new();
        let kinds = ["origin", "comparison", "package"];
        case.records_of(&kinds, |record| -> Result<(), CaseError> {
            match record {
                Record::Origin(origin) => {
                    roots.origin(&origin);
                    note_acquired(&origin, copies, &mut acquired);
                }
                Record::Comparison(row) => self.marks.compared(&row),
                Record::Package(package) => {
                    self.marks.declared_open += u64::from(package.declared_open);
                }
                _ => {}
            }
            Ok(())
        })?;
        self.kept.acquired = acquired.len() as u64;
        let of = |wanted: bool| {
            acquired
                .values()
                .filter(|said| **said == Some(wanted))
                .count()
        };
        self.kept.sha256_agrees = of(true) as u64;
        self.kept.sha256_differs = of(false) as u64;
        Ok(roots)
    }
}

/// Of several records of how a copy was got, one with another digest outweighs one with the same.
fn note_acquired(
    origin: &Origin,
    copies: &BTreeSet<String>,
    acquired: &mut BTreeMap<String, Option<bool>>,
) {
    let Some(how) = &origin.acquired else { return };
    if !copies.contains(&origin.locator) {
        return;
    }
    let said = acquired.entry(origin.locator.clone()).or_default();
    *said = match (*said, how.sha256_agrees) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (known, now) => known.or(now),
    };
}

/// The custody log, and how often the case was sealed.
fn kept(case: &Case) -> Result<Kept, CaseError> {
    let custody = case.custody()?;
    let mut sealed = custody.entries.iter().filter(|(entry, _)| {
        let mut words = entry.deed.command.split_whitespace();
        words.next() == Some("seal")
    });
    Ok(Kept {
        custody: custody.entries.len() as u64,
        custody_broken: custody.broken,
        sealed: sealed.clone().count() as u64,
        sealed_last: sealed.next_back().map(|(entry, _)| entry.deed.time.clone()),
        ..Kept::default()
    })
}

impl std::ops::AddAssign<&Decided> for Decided {
    fn add_assign(&mut self, other: &Decided) {
        self.copies += other.copies;
        self.confirmed += other.confirmed;
        self.rejected += other.rejected;
        self.open += other.open;
        self.stale += other.stale;
        self.bulk += other.bulk;
        self.without_fair_use += other.without_fair_use;
        self.in_notices += other.in_notices;
        self.compared += other.compared;
    }
}

impl Decided {
    fn add(&mut self, standing: &Standing, is_claimed: bool) {
        self.copies += 1;
        self.in_notices += u64::from(is_claimed);
        match standing {
            Standing::Open => self.open += 1,
            Standing::Stale(_) => {
                self.open += 1;
                self.stale += 1;
            }
            Standing::Decided(review) => self.decided(review),
        }
    }

    fn decided(&mut self, review: &Review) {
        if review.decision != crate::case::Decision::Confirmed {
            self.rejected += 1;
            return;
        }
        self.confirmed += 1;
        self.bulk += u64::from(review.bulk.is_some());
        self.without_fair_use += u64::from(review.fair_use_considered != Some(true));
    }
}

impl Marks {
    fn add(&mut self, copy: &Copy) {
        self.claims_own += u64::from(copy.claims_own.is_some());
        self.with_licence += u64::from(!copy.licences.is_empty());
        let is_named = copy.licences.iter().any(|file| file.licence.is_some());
        self.named_licence += u64::from(is_named);
    }

    fn compared(&mut self, row: &Comparison) {
        self.headers_removed = self.headers_removed.saturating_add(row.headers_removed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(id: &str, rows: &[&str], follows: Option<&str>, states: &[NoticeState]) -> Sent {
        let event = |state: &NoticeState| NoticeEvent {
            notice: id.to_owned(),
            state: *state,
            date: "2026-04-02".to_owned(),
            actor: "ann".to_owned(),
            time: "2026-04-02T08:00:00Z".to_owned(),
            reference: None,
            note: None,
        };
        Sent {
            notice: Notice {
                id: id.to_owned(),
                host: "github".to_owned(),
                network: None,
                drafted: "2026-04-01T08:00:00Z".to_owned(),
                actor: "ann".to_owned(),
                folder: "out".to_owned(),
                sha256: String::new(),
                rows: rows.iter().map(|row| (*row).to_owned()).collect(),
                overrides: Vec::new(),
                follows: follows.map(str::to_owned),
            },
            events: states.iter().map(event).collect(),
            rejected_since: vec!["b".to_owned()],
        }
    }

    fn claimed(notices: Vec<Sent>) -> Vec<String> {
        let facts = Facts {
            notices,
            ..Facts::default()
        };
        facts.claimed().into_iter().collect()
    }

    #[test]
    fn a_letter_takes_back_what_was_rejected_and_claims_nothing() {
        let notice = || sent("n1", &["a", "b"], None, &[NoticeState::Sent]);
        let letter = sent("n2", &[], Some("n1"), &[]);
        assert!(letter.is_letter() && !notice().is_letter());
        assert_eq!(claimed(vec![notice()]), ["a", "b"]);
        assert_eq!(claimed(vec![notice(), letter.clone()]), ["a"]);
        // A letter about another notice says nothing of this one.
        let other = sent("n3", &["c", "b"], None, &[]);
        let all = vec![other, notice(), letter];
        assert_eq!(claimed(all), ["a", "b", "c"]);
    }

    #[test]
    fn what_was_taken_back_stays_so_whatever_the_host_answers() {
        let states = [NoticeState::Retracted, NoticeState::Ticket];
        assert!(claimed(vec![sent("n1", &["a"], None, &states)]).is_empty());
    }
}
