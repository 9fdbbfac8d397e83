//! What is due after a notice was sent.
//!
//! A clock starts when a person says that something happened. What follows, in how many days and on what ground is data
//! (`signatures/deadlines.toml`), since hosts change their minds and courts theirs; a lawyer can put another file in its place. Each
//! number says whether it was read where it stands, and that goes with every date that comes of it.
//!
//! Nothing here is advice, and a date that is not in the table is not a date that nobody has to keep.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::calendar::Day;
use crate::case::{NoticeEvent, NoticeState};

const BUILTIN: &str = include_str!("../../../signatures/deadlines.toml");
/// Days that a deadline may run: ten years.
const DAYS_MAX: u32 = 3_660;

/// Why a file of deadlines is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeadlineError {
    /// It is no TOML of this form.
    #[error("the file of deadlines cannot be read: {0}")]
    Form(#[from] toml::de::Error),
    /// One of them says something that cannot be.
    #[error("the deadline `{id}`: {what}")]
    Odd {
        /// Which.
        id: String,
        /// What is wrong, and what to do.
        what: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    holidays: Vec<String>,
    deadline: Vec<Rule>,
}

/// One rule of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    hosts: Vec<String>,
    after: NoticeState,
    by: String,
    what: String,
    days: Option<[u32; 2]>,
    #[serde(default)]
    count: Count,
    #[serde(default)]
    earliest: bool,
    #[serde(default)]
    ended_by: Vec<NoticeState>,
    ground: String,
    checked: Checked,
    example: Option<Example>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Count {
    #[default]
    Calendar,
    Business,
}

/// How a number was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checked {
    /// It was read where it stands.
    Read,
    /// It was read in somebody else's account.
    Secondary,
    /// It is remembered.
    Unchecked,
}

impl Checked {
    /// In words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Checked::Read => "as read there",
            Checked::Secondary => "by an account of others",
            Checked::Unchecked => "unchecked",
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    on: String,
    from: String,
    to: String,
}

/// All rules.
#[derive(Debug, Clone)]
pub struct Deadlines {
    rules: Vec<Rule>,
    holidays: BTreeSet<Day>,
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The notice.
    pub notice: String,
    /// Id of the rule.
    pub rule: String,
    /// From which day, and until which; `None` where no time is stated.
    pub days: Option<[Day; 2]>,
    /// It may be done from the first day on, so that only the last one matters.
    pub is_within: bool,
    /// The days are the earliest that can be.
    pub is_earliest: bool,
    /// Its last day is over.
    pub is_overdue: bool,
    /// Who has to do something, or may: `you`, `host`, `owner`.
    pub by: String,
    /// What happens.
    pub what: String,
    /// Why.
    pub ground: String,
    /// How the number was come by.
    pub checked: Checked,
}

impl Deadlines {
    /// Those that the program knows.
    ///
    /// # Errors
    /// Never, as a test sees to.
    pub fn builtin() -> Result<Self, DeadlineError> {
        Self::parse(BUILTIN)
    }

    /// Reads a file of them.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, DeadlineError> {
        let written: Written = toml::from_str(text)?;
        let odd = |id: &str, what: String| DeadlineError::Odd {
            id: id.to_owned(),
            what,
        };
        let day = |id: &str, text: &String| {
            Day::parse(text).ok_or_else(|| odd(id, format!("`{text}` is no day; write 2026-12-25")))
        };
        let holidays = written.holidays.iter().map(|text| day("holidays", text));
        let deadlines = Self {
            holidays: holidays.collect::<Result<_, _>>()?,
            rules: written.deadline,
        };
        let mut ids = BTreeSet::new();
        for rule in &deadlines.rules {
            if !ids.insert(&rule.id) {
                return Err(odd(&rule.id, "there are two of this id".to_owned()));
            }
            if let Some([from, to]) = rule.days.filter(|[from, to]| from > to || *to > DAYS_MAX) {
                let what = format!(
                    "days = [{from}, {to}] runs backwards, or for more than {DAYS_MAX} days"
                );
                return Err(odd(&rule.id, what));
            }
            let Some(example) = &rule.example else {
                continue;
            };
            let on = day(&rule.id, &example.on)?;
            let wanted = [day(&rule.id, &example.from)?, day(&rule.id, &example.to)?];
            let found = deadlines.days(rule, on);
            if found != Some(wanted) {
                let found =
                    found.map_or("nothing".to_owned(), |[from, to]| format!("{from} to {to}"));
                let what = format!(
                    "its example, {}, comes to {found}; mend the example or the days",
                    example.on
                );
                return Err(odd(&rule.id, what));
            }
        }
        Ok(deadlines)
    }

    fn days(&self, rule: &Rule, on: Day) -> Option<[Day; 2]> {
        let later = |days: u32| match rule.count {
            Count::Calendar => on.plus(days),
            Count::Business => on.plus_business(days, &self.holidays),
        };
        rule.days.map(|days| days.map(later))
    }

    /// What is due of a notice to a host, after what happened to it so far (in the order in which it was written down): what is over
    /// first, then by day, what has no day last.
    #[must_use]
    pub fn due(&self, notice: &str, host: &str, events: &[NoticeEvent], today: Day) -> Vec<Due> {
        let mut due = Vec::new();
        for rule in &self.rules {
            if !rule.hosts.iter().any(|known| known == "*" || known == host) {
                continue;
            }
            // The last time that it happened counts.
            let Some(at) = events.iter().rposition(|event| event.state == rule.after) else {
                continue;
            };
            let is_ended = (events.iter().enumerate())
                .any(|(other, event)| other > at && rule.ended_by.contains(&event.state));
            let Some(on) = events.get(at).and_then(|event| Day::parse(&event.date)) else {
                continue;
            };
            if is_ended {
                continue;
            }
            let days = self.days(rule, on);
            due.push(Due {
                notice: notice.to_owned(),
                rule: rule.id.clone(),
                is_overdue: days.is_some_and(|[_, to]| to < today),
                days,
                is_within: matches!(rule.days, Some([0, to]) if to > 0),
                is_earliest: rule.earliest,
                by: rule.by.clone(),
                what: rule.what.clone(),
                ground: rule.ground.clone(),
                checked: rule.checked,
            });
        }
        due.sort_by_key(Due::rank);
        due
    }
}

impl Due {
    /// What is over first, then by day.
    #[must_use]
    pub fn rank(&self) -> impl Ord + use<> {
        let last = self.days.map(|[_, to]| to);
        (!self.is_overdue, last.is_none(), last)
    }

    /// When, in words.
    #[must_use]
    pub fn when(&self) -> String {
        let words = match self.days {
            None => return "no time stated".to_owned(),
            Some([_, to]) if self.is_within => format!("by {to}"),
            Some([from, to]) if from == to => to.to_string(),
            Some([from, to]) => format!("{from} to {to}"),
        };
        if self.is_earliest {
            format!("{words} at the earliest")
        } else {
            words
        }
    }
}

/// What is odd about something that is said to have happened to a notice, after what is known; it is written down all the same,
/// since what happens is not ours to forbid.
#[must_use]
pub fn oddities(
    event: &NoticeEvent,
    drafted: &str,
    before: &[NoticeEvent],
    today: Day,
) -> Vec<String> {
    let mut odd = Vec::new();
    let has = |state: NoticeState| before.iter().any(|event| event.state == state);
    if event.state != NoticeState::Sent && !has(NoticeState::Sent) {
        odd.push("it was never set as sent".to_owned());
    }
    if event.state == NoticeState::Sent && has(NoticeState::Sent) {
        odd.push("it was set as sent before; a revision has a notice of its own".to_owned());
    }
    if event.state == NoticeState::Counter && !has(NoticeState::Removed) {
        odd.push("a counter notice came, and nothing was set as removed".to_owned());
    }
    if event.state != NoticeState::Retracted && has(NoticeState::Retracted) {
        odd.push("it was taken back before".to_owned());
    }
    let Some(day) = Day::parse(&event.date) else {
        return odd;
    };
    if day > today {
        odd.push(format!("{day} has not come yet"));
    }
    if let Some(drafted) = Day::parse(drafted).filter(|drafted| day < *drafted) {
        odd.push(format!("that is before it was drafted, {drafted}"));
    }
    let sent = before
        .iter()
        .rfind(|event| event.state == NoticeState::Sent);
    let sent = sent.and_then(|event| Day::parse(&event.date));
    if let Some(sent) = sent.filter(|sent| day < *sent && event.state != NoticeState::Sent) {
        odd.push(format!("that is before it was sent, {sent}"));
    }
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(state: NoticeState, date: &str) -> NoticeEvent {
        NoticeEvent {
            notice: "n1".to_owned(),
            state,
            date: date.to_owned(),
            actor: "r".to_owned(),
            time: "2026-04-01T00:00:00Z".to_owned(),
            reference: None,
            note: None,
        }
    }

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn the_rules_of_the_program_bear_out_their_examples() {
        let rules = Deadlines::builtin().unwrap();
        assert!(rules.rules.len() >= 8);
        for rule in &rules.rules {
            assert_eq!(rule.example.is_some(), rule.days.is_some(), "{}", rule.id);
        }
    }

    #[test]
    fn a_counter_notice_starts_a_clock() {
        let rules = Deadlines::builtin().unwrap();
        let mut events = vec![event(NoticeState::Sent, "2026-04-01")];
        let due = rules.due("n1", "github", &events, day("2026-04-02"));
        assert_eq!(due[0].rule, "github-changes");
        assert!(!due[0].is_overdue);
        assert!(rules.due("n1", "github", &events, day("2026-04-03"))[0].is_overdue);
        // What ended an earlier clock does not end this one.
        let revised = [event(NoticeState::Revised, "2026-04-01"), events[0].clone()];
        let due = rules.due("n1", "github", &revised, day("2026-04-02"));
        assert_eq!(due[0].rule, "github-changes");
        events.push(event(NoticeState::Removed, "2026-04-02"));
        assert_eq!(rules.due("n1", "github", &events, day("2026-05-01")), []);
        events.push(event(NoticeState::Counter, "2026-04-10"));
        let due = rules.due("n1", "github", &events, day("2026-04-27"));
        // Ten business days after a Friday are over on the Friday two weeks later.
        let told: Vec<_> = due
            .iter()
            .map(|due| (due.rule.as_str(), due.when(), due.is_overdue))
            .collect();
        assert_eq!(
            told,
            [
                ("counter-suit", "by 2026-04-24".to_owned(), true),
                (
                    "counter-return",
                    "2026-04-24 to 2026-04-30".to_owned(),
                    false
                )
            ]
        );
        events.push(event(NoticeState::Retracted, "2026-04-20"));
        assert_eq!(rules.due("n1", "github", &events, day("2026-05-01")), []);
        assert_eq!(
            rules.due("n1", "elsewhere", &events[..1], day("2026-05-01")),
            []
        );
    }

    #[test]
    fn what_is_wrong_in_a_file_is_said() {
        let said = |text: &str| Deadlines::parse(text).unwrap_err().to_string();
        let rule = |more: &str| {
            format!(
                "[[deadline]]\nid = \"x\"\nhosts = [\"*\"]\nafter = \"sent\"\nby = \"you\"\nwhat = \"w\"\nground = \"g\"\nchecked = \"read\"\n{more}\n"
            )
        };
        assert!(Deadlines::parse(&rule("")).is_ok());
        assert!(said(&rule("days = [3, 1]")).contains("backwards"));
        assert!(said(&rule("days = [0, 99999]")).contains("3660"));
        assert!(said(&rule("dayz = [0, 1]")).contains("dayz"));
        assert!(said(&(rule("") + &rule(""))).contains("two of this id"));
        assert!(said(&format!("holidays = [\"Easter\"]\n{}", rule(""))).contains("Easter"));
        let example =
            "example = { on = \"2026-04-01\", from = \"2026-04-02\", to = \"2026-04-02\" }";
        assert!(
            said(&rule(&format!("days = [0, 1]\n{example}"))).contains("2026-04-01 to 2026-04-02")
        );
        let holiday = format!(
            "holidays = [\"2026-04-02\"]\n{}",
            rule("days = [1, 1]\ncount = \"business\"")
        );
        let due = Deadlines::parse(&holiday).unwrap().due(
            "n1",
            "any",
            &[event(NoticeState::Sent, "2026-04-01")],
            day("2026-04-01"),
        );
        assert_eq!(due[0].when(), "2026-04-03");
    }

    #[test]
    fn impossible_orders_are_told() {
        let odd = |state, date, before: &[NoticeEvent]| {
            oddities(
                &event(state, date),
                "2026-04-01T10:00:00Z",
                before,
                day("2026-05-01"),
            )
            .join("; ")
        };
        let sent = [event(NoticeState::Sent, "2026-04-05")];
        assert_eq!(odd(NoticeState::Sent, "2026-04-05", &[]), "");
        assert_eq!(odd(NoticeState::Removed, "2026-04-06", &sent), "");
        assert!(odd(NoticeState::Removed, "2026-04-06", &[]).contains("never set as sent"));
        assert!(odd(NoticeState::Removed, "2026-04-04", &sent).contains("before it was sent"));
        assert!(odd(NoticeState::Sent, "2026-03-31", &[]).contains("before it was drafted"));
        assert!(odd(NoticeState::Sent, "2026-05-02", &[]).contains("not come yet"));
        assert!(
            odd(NoticeState::Counter, "2026-04-06", &sent).contains("nothing was set as removed")
        );
        let back = [sent[0].clone(), event(NoticeState::Retracted, "2026-04-06")];
        assert!(odd(NoticeState::Removed, "2026-04-07", &back).contains("taken back"));
        assert!(odd(NoticeState::Sent, "2026-04-07", &sent).contains("as sent before"));
    }
}
