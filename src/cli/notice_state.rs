//! `strandline case notice`: what became of notices, and what is due.
//!
//! The program sends nothing and hears nothing. A person says what happened, and it is written down; what follows is counted from
//! that, by a table that can be changed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand, ValueEnum};

use super::custody::deed;
use super::{CliError, Exit};
use crate::blob::locator::shown;
use crate::case::{Case, Handled, Notice, NoticeEvent, NoticeState, Reviews};
use crate::report::review::calendar::Day;
use crate::report::review::cells::clean_note;
use crate::report::review::deadlines::{Deadlines, Due, oddities};
use crate::report::review::rejected_since;
use crate::report::text::{grouped, plural};

/// Bytes of a file of deadlines.
const FILE_MAX: u64 = 1 << 20;

/// See what became of the notices of a case, and write it down
#[derive(Debug, Args)]
pub struct NoticeStateArgs {
    #[command(subcommand)]
    command: NoticeStateCommand,
}

#[derive(Debug, Subcommand)]
enum NoticeStateCommand {
    /// List the notices, what happened to each, and what is due, what is overdue first
    List {
        /// The case
        case: PathBuf,
        /// Deadlines to count by, instead of the program's own
        #[arg(long, value_name = "FILE")]
        deadlines: Option<PathBuf>,
        /// The day to count from, YYYY-MM-DD [default: today by the clock, UTC]
        #[arg(long, value_name = "DATE", value_parser = parse_day)]
        today: Option<Day>,
    },
    /// Write down what happened to a notice
    Set {
        /// The case
        case: PathBuf,
        /// The notice, as `case notice list` names it
        id: String,
        /// What happened
        #[arg(value_enum)]
        state: State,
        /// On which day, YYYY-MM-DD, or when, RFC 3339 in UTC
        #[arg(long, value_name = "DATE", value_parser = parse_date)]
        date: String,
        /// The host's number, or an address
        #[arg(long, value_name = "TEXT")]
        reference: Option<String>,
        /// A note
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// It was sent
    Sent,
    /// The host gave it a number
    Ticket,
    /// The host asked for a revision, or one was sent
    Revised,
    /// What it names was removed
    Removed,
    /// A counter notice came
    Counter,
    /// It was taken back
    Retracted,
}

impl From<State> for NoticeState {
    fn from(state: State) -> Self {
        match state {
            State::Sent => NoticeState::Sent,
            State::Ticket => NoticeState::Ticket,
            State::Revised => NoticeState::Revised,
            State::Removed => NoticeState::Removed,
            State::Counter => NoticeState::Counter,
            State::Retracted => NoticeState::Retracted,
        }
    }
}

fn word(state: NoticeState) -> &'static str {
    match state {
        NoticeState::Sent => "sent",
        NoticeState::Ticket => "ticket",
        NoticeState::Revised => "revised",
        NoticeState::Removed => "removed",
        NoticeState::Counter => "counter",
        NoticeState::Retracted => "retracted",
    }
}

pub(super) fn parse_day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| format!("`{}` is no day; write 2026-04-01", shown(text)))
}

fn parse_date(text: &str) -> Result<String, String> {
    match Day::parse(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!(
            "`{}` is no date; write 2026-04-01, or 2026-04-01T10:00:00Z",
            shown(text)
        )),
    }
}

/// Runs the command.
pub fn run(args: &NoticeStateArgs) -> Result<Exit, CliError> {
    match &args.command {
        NoticeStateCommand::List {
            case,
            deadlines,
            today,
        } => {
            let deadlines = read_deadlines(deadlines.as_ref())?;
            let today = today.or_else(now).ok_or_else(no_clock)?;
            list(&Case::open(case)?, &deadlines, today)
        }
        NoticeStateCommand::Set {
            case,
            id,
            state,
            date,
            reference,
            note,
        } => {
            let event = NoticeEvent {
                notice: id.clone(),
                state: (*state).into(),
                date: date.clone(),
                actor: String::new(),
                time: String::new(),
                reference: clean("--reference", reference.as_deref())?,
                note: clean("--note", note.as_deref())?,
            };
            set(&Case::open(case)?, event)
        }
    }
}

pub(super) fn now() -> Option<Day> {
    Day::of(SystemTime::now())
}

pub(super) fn no_clock() -> CliError {
    CliError::new("the clock of this system is out of its wits; give the day with --today")
}

fn clean(flag: &str, text: Option<&str>) -> Result<Option<String>, CliError> {
    let text = text.map(clean_note).transpose();
    let text = text.map_err(|why| CliError::new(format!("{flag}: the text {why}")))?;
    Ok(text.filter(|text| !text.is_empty()))
}

pub(super) fn read_deadlines(path: Option<&PathBuf>) -> Result<Deadlines, CliError> {
    let Some(path) = path else {
        return Deadlines::builtin().map_err(|error| CliError::new(error.to_string()));
    };
    let failed = |why: String| CliError::new(format!("{}: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if length.len() > FILE_MAX {
        return Err(failed(
            "larger than 1 MiB, which no file of deadlines is".to_owned(),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    Deadlines::parse(&text).map_err(|error| failed(error.to_string()))
}

/// Writes down what happened.
fn set(case: &Case, mut event: NoticeEvent) -> Result<Exit, CliError> {
    let notices = case.notices()?;
    let Some(notice) = notices.iter().find(|notice| notice.id == event.notice) else {
        let ids: Vec<&str> = notices.iter().map(|notice| notice.id.as_str()).collect();
        let there = if ids.is_empty() {
            "this case has no notices; `notice` drafts them".to_owned()
        } else {
            format!("this case has {}", ids.join(", "))
        };
        return Err(CliError::new(format!(
            "there is no notice {}; {there}",
            event.notice
        )));
    };
    let events = case.notice_events()?;
    let before: Vec<NoticeEvent> = of(&events, &event.notice);
    let today = now().ok_or_else(no_clock)?;
    let mut entry = deed(&format!(
        "case notice set {} {} {}",
        event.notice,
        word(event.state),
        event.date
    ));
    event.actor.clone_from(&entry.actor);
    event.time.clone_from(&entry.time);
    entry.inputs = vec![Handled {
        what: format!("the notice {}", event.notice),
        sha256: Some(notice.sha256.clone()),
    }];
    case.add_custody(entry)?;
    case.add_notice_event(&event)?;
    println!("{}", event_line(&event));
    for odd in oddities(&event, &notice.drafted, &before, today) {
        eprintln!(
            "strandline: warning: {}, {}: {odd}; it is written down all the same",
            event.notice,
            word(event.state)
        );
    }
    Ok(Exit::Clean)
}

/// The events of one notice.
fn of(events: &[NoticeEvent], notice: &str) -> Vec<NoticeEvent> {
    events
        .iter()
        .filter(|event| event.notice == notice)
        .cloned()
        .collect()
}

/// Prints what is due, and what there is.
fn list(case: &Case, deadlines: &Deadlines, today: Day) -> Result<Exit, CliError> {
    let (notices, events) = (case.notices()?, case.notice_events()?);
    let reviews = case.reviews()?;
    let mut due: Vec<Due> = Vec::new();
    let mut text = String::new();
    for notice in &notices {
        let events = of(&events, &notice.id);
        due.extend(deadlines.due(&notice.id, &notice.host, &events, today));
    }
    due.sort_by_key(Due::rank);
    let _ = writeln!(
        text,
        "{} as of {today}; {}, of them {} overdue",
        plural(notices.len() as u64, "notice", "notices"),
        plural(due.len() as u64, "date", "dates"),
        grouped(due.iter().filter(|due| due.is_overdue).count() as u64)
    );
    for one in &due {
        let _ = writeln!(text, "\n{}", due_lines(one));
    }
    for notice in &notices {
        let _ = write!(
            text,
            "\n{}",
            notice_lines(notice, &of(&events, &notice.id), &reviews)
        );
    }
    if !due.is_empty() {
        let _ = writeln!(
            text,
            "\nDates come from a table that a lawyer can change (--deadlines); none of this is advice, and what is not in the table may be due too."
        );
    }
    Ok(std::io::stdout()
        .write_all(text.as_bytes())
        .map(|()| Exit::Clean)?)
}

fn due_lines(due: &Due) -> String {
    let word = if due.is_overdue { "overdue" } else { "due" };
    let first = format!(
        "{word:<8} {}  {}  {}: {}",
        due.when(),
        due.notice,
        due.by,
        due.what
    );
    format!(
        "{}\n         {}",
        shown(&first),
        shown(&format!(
            "{} ({}; {})",
            due.ground,
            due.checked.words(),
            due.rule
        ))
    )
}

fn notice_lines(notice: &Notice, events: &[NoticeEvent], reviews: &Reviews) -> String {
    let network = notice
        .network
        .as_ref()
        .map(|network| format!(", network {network}"));
    let follows = notice.follows.as_ref().map(|id| format!(", follows {id}"));
    let mut lines = vec![format!(
        "{}  {}, {}{}{}, drafted {} by {}, in {}",
        notice.id,
        notice.host,
        plural(notice.rows.len() as u64, "row", "rows"),
        network.unwrap_or_default(),
        follows.unwrap_or_default(),
        notice.drafted,
        notice.actor,
        notice.folder
    )];
    if events.is_empty() {
        lines.push("    nothing happened to it yet, as far as was written down".to_owned());
    }
    lines.extend(
        events
            .iter()
            .map(|event| format!("    {}", event_line(event))),
    );
    let rejected = rejected_since(notice, reviews);
    if !rejected.is_empty() {
        lines.push(format!(
            "    {} of its rows rejected since: {}",
            grouped(rejected.len() as u64),
            rejected.join(", ")
        ));
    }
    lines.iter().map(|line| shown(line) + "\n").collect()
}

fn event_line(event: &NoticeEvent) -> String {
    let reference = event.reference.as_ref().map(|text| format!(" ({text})"));
    let note = event
        .note
        .as_ref()
        .map(|text| format!(": {}", text.replace('\n', " ")));
    shown(&format!(
        "{} {} {}{}{}, as {} wrote down",
        event.date,
        event.notice,
        word(event.state),
        reference.unwrap_or_default(),
        note.unwrap_or_default(),
        event.actor
    ))
}
