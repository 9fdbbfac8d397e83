//! `strandline case review`: what people decide of the rows of a case.
//!
//! Without further flags it shows what there is to decide. A decision is made by a person who names themselves: the system knows
//! whose process this is, and the custody log says so, but who looked at a copy is not always who sits at the machine.
//! One command that decides many rows writes that down of each of them.

mod list;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::{Args, ValueEnum};

use super::custody::deed;
use super::{CliError, Exit, case};
use crate::blob::Sha256Digest;
use crate::blob::locator::shown;
use crate::case::{Case, Decision, Handled, Review, Reviews, Standing};
use crate::report::review::cells::{clean_name, clean_note};
use crate::report::review::{Propose, Row, files_of, read_rows};
use crate::report::text::{grouped, plural};

/// Ids that a message names.
const NAMED: usize = 20;

/// List what is to be reviewed, and write down what a person decided of it
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// The case
    case: PathBuf,
    /// Confirm these rows: they are what they say, and may be claimed; with --group or --all-of without ids
    #[arg(long, value_name = "ID", num_args = 0.., group = "decision")]
    confirm: Option<Vec<String>>,
    /// Reject these rows: they are not, or are not to be claimed
    #[arg(long, value_name = "ID", num_args = 0.., group = "decision")]
    reject: Option<Vec<String>>,
    /// Take back what was decided of these rows
    #[arg(long, value_name = "ID", num_args = 0.., group = "decision")]
    open: Option<Vec<String>>,
    /// Who decides, by name
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// A note to the decision
    #[arg(long, value_name = "TEXT", requires = "decision")]
    note: Option<String>,
    /// Whether fair use was considered
    #[arg(long, value_name = "yes|no", requires = "decision")]
    fair_use_considered: Option<YesNo>,
    /// Only the rows of this fork network or family, as the list names them
    #[arg(long, value_name = "NETWORK|FAMILY")]
    group: Option<String>,
    /// Only the rows of this class
    #[arg(long, value_name = "CLASS")]
    all_of: Option<String>,
    /// The files of one copy that match, with their ids
    #[arg(long, value_name = "ID", conflicts_with_all = ["decision", "group", "all_of", "import"])]
    files: Option<String>,
    /// Write the rows as CSV, to be decided in a spreadsheet; `-` is standard output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["decision", "import"])]
    export: Option<PathBuf>,
    /// Take decisions in from a CSV that --export wrote; where a row is refused nothing is taken
    #[arg(long, value_name = "FILE", conflicts_with_all = ["decision", "group", "all_of"])]
    import: Option<PathBuf>,
    /// With --import: take the other rows where some are refused
    #[arg(long, requires = "import")]
    accept_rest: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

impl ReviewArgs {
    /// What is decided, and of which ids.
    fn decision(&self) -> Option<(Decision, &[String])> {
        let of = |decision, ids: &'_ Option<Vec<String>>| ids.is_some().then_some(decision);
        let decision = of(Decision::Confirmed, &self.confirm)
            .or(of(Decision::Rejected, &self.reject))
            .or(of(Decision::Open, &self.open))?;
        let ids = [&self.confirm, &self.reject, &self.open];
        let ids = ids.into_iter().flatten().next()?;
        Some((decision, ids))
    }

    /// Whether a row is one of those that are asked for.
    fn asks_for(&self, row: &Row) -> bool {
        let is_in_group = |group: &String| {
            let group = group.trim_end_matches('/');
            row.network
                .as_deref()
                .map(|network| network.trim_end_matches('/'))
                == Some(group)
                || row.family == group
        };
        self.group.as_ref().is_none_or(is_in_group)
            && self
                .all_of
                .as_ref()
                .is_none_or(|class| row.copy.class == *class)
    }

    fn name(&self) -> Result<Option<String>, CliError> {
        let name = self.by.as_deref().map(clean_name).transpose();
        name.map_err(|why| CliError::new(format!("--by: the name {why}")))
    }
}

/// The rows of a case and its decisions.
struct Held {
    case: Case,
    reviews: Reviews,
    rows: Vec<Row>,
    own_public: u64,
}

/// Runs the command.
pub fn run(args: &ReviewArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    let reviews = case.reviews()?;
    let (rows, own_public) = read_rows(&case, &reviews)?;
    let mut held = Held {
        case,
        reviews,
        rows,
        own_public,
    };
    if let Some(path) = &args.import {
        return table::import(&held, path, args);
    }
    if let Some((decision, ids)) = args.decision() {
        return decide(&held, decision, ids, args);
    }
    if args.by.is_some() {
        return Err(CliError::new(
            "--by says who decides; give a decision with it: --confirm, --reject or --open, or --import",
        ));
    }
    if let Some(id) = &args.files {
        let row = held.rows.iter().find(|row| row.id == *id);
        let row = row.ok_or_else(|| unknown(&[id.as_str()]))?;
        let (root, work) = (row.copy.locator.clone(), row.copy.work.clone());
        let files = files_of(&held.case, &held.reviews, |_, found, at| {
            at == Some(root.as_str()) && found.work == work
        })?;
        match &args.export {
            Some(path) => table::export(&held, &[], &files, path)?,
            None => list::files(row, &files)?,
        }
        return case::end_of(&held.case, Exit::Clean);
    }
    let is_part = args.group.is_some() || args.all_of.is_some();
    held.rows.retain(|row| args.asks_for(row));
    if is_part && held.rows.is_empty() {
        return Err(nothing_asked_for(args));
    }
    match &args.export {
        Some(path) => {
            let decided = decided_files(&held, is_part)?;
            table::export(&held, &held.rows, &decided, path)?;
        }
        None => list::rows(&held, is_part)?,
    }
    case::end_of(&held.case, Exit::Clean)
}

/// The files that something was decided of, which go with the table of all rows.
fn decided_files(
    held: &Held,
    is_part: bool,
) -> Result<Vec<crate::report::review::FileRow>, CliError> {
    let of_files = |review: &&Review| review.subject.starts_with('m');
    let decided: BTreeSet<&str> = (held.reviews.all.iter().filter(of_files))
        .map(|review| review.subject.as_str())
        .collect();
    if decided.is_empty() || is_part {
        return Ok(Vec::new());
    }
    Ok(files_of(&held.case, &held.reviews, |id, _, _| {
        decided.contains(id)
    })?)
}

fn unknown(ids: &[&str]) -> CliError {
    CliError::new(format!(
        "this case has no row {}; `case review CASE` lists the rows with their ids, and `--files ID` the files of one",
        named(ids.iter().copied())
    ))
}

fn nothing_asked_for(args: &ReviewArgs) -> CliError {
    let class = args
        .all_of
        .as_ref()
        .map(|class| format!("of class {class}"));
    let group = args
        .group
        .as_ref()
        .map(|group| format!("of the group {group}"));
    let asked: Vec<String> = class.into_iter().chain(group).collect();
    CliError::new(format!(
        "there are no rows {}; `case review CASE` lists groups and classes",
        asked.join(" ")
    ))
}

/// Some ids in words; the first of many.
fn named<'i>(ids: impl ExactSizeIterator<Item = &'i str>) -> String {
    let count = ids.len();
    let mut words: Vec<String> = ids.take(NAMED).map(shown).collect();
    if count > NAMED {
        words.push(format!("and {} more", grouped((count - NAMED) as u64)));
    }
    words.join(", ")
}

/// A row that is decided: its id, where it stands, and the digest of what it says.
struct Subject {
    id: String,
    locator: String,
    seen: String,
}

impl From<&Row> for Subject {
    fn from(row: &Row) -> Self {
        Self {
            id: row.id.clone(),
            locator: row.copy.locator.clone(),
            seen: row.seen.clone(),
        }
    }
}

/// Writes down a decision.
fn decide(
    held: &Held,
    decision: Decision,
    ids: &[String],
    args: &ReviewArgs,
) -> Result<Exit, CliError> {
    let reviewer = args.name()?.ok_or_else(|| {
        CliError::new("a decision is made by a person, who names themselves: --by NAME")
    })?;
    let note = args.note.as_deref().map(clean_note).transpose();
    let note = note.map_err(|why| CliError::new(format!("--note: the note {why}")))?;
    let is_bulk = args.group.is_some() || args.all_of.is_some();
    let (subjects, left) = match (ids.is_empty(), is_bulk) {
        (true, false) => {
            return Err(CliError::new(
                "no row is named; name rows by id, or many with --group and --all-of",
            ));
        }
        (false, true) => {
            return Err(CliError::new(
                "name rows by id, or many with --group and --all-of, and not both",
            ));
        }
        (false, false) => (by_id(held, ids)?, 0),
        (true, true) => in_bulk(held, decision, args)?,
    };
    let count = subjects.len() as u64;
    let bulk = (is_bulk || count > 1).then_some(count);
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let taken: Vec<Review> = subjects
        .into_iter()
        .map(|subject| Review {
            subject: subject.id,
            locator: subject.locator,
            seen: subject.seen,
            decision,
            reviewer: reviewer.clone(),
            time: time.clone(),
            bulk,
            fair_use_considered: args.fair_use_considered.map(|word| word == YesNo::Yes),
            note: note.clone().filter(|note| !note.is_empty()),
        })
        .collect();
    if !taken.is_empty() {
        write_down(held, &taken, Vec::new(), &reviewer)?;
    }
    println!(
        "{} {} by {}{}",
        plural(count, "row", "rows"),
        if decision == Decision::Open {
            "opened again"
        } else {
            decision.as_str()
        },
        shown(&reviewer),
        match bulk {
            Some(rows) => format!(
                "; recorded as one decision in bulk, for {}",
                plural(rows, "row", "rows")
            ),
            None => String::new(),
        }
    );
    for review in taken.iter().take(NAMED) {
        println!("{}  {}", review.subject, shown(&review.locator));
    }
    if taken.len() > NAMED {
        println!("and {} more", grouped((taken.len() - NAMED) as u64));
    }
    if left > 0 {
        println!(
            "left as decided before: {}; name rows by id to change that",
            plural(left, "row", "rows")
        );
    }
    warn_of_doubts(held, decision, &taken);
    case::end_of(&held.case, Exit::Clean)
}

/// The rows with these ids, all of them or an error.
fn by_id(held: &Held, ids: &[String]) -> Result<Vec<Subject>, CliError> {
    let wanted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let rows = held
        .rows
        .iter()
        .filter(|row| wanted.contains(row.id.as_str()));
    let mut subjects: Vec<Subject> = rows.map(Subject::from).collect();
    if wanted.iter().any(|id| id.starts_with('m')) {
        let files = files_of(&held.case, &held.reviews, |id, _, _| wanted.contains(id))?;
        subjects.extend(files.into_iter().map(|file| Subject {
            id: file.id,
            locator: file.found.locator,
            seen: file.seen,
        }));
    }
    subjects.sort_by(|a, b| a.id.cmp(&b.id));
    subjects.dedup_by(|a, b| a.id == b.id);
    let found: BTreeSet<&str> = subjects.iter().map(|subject| subject.id.as_str()).collect();
    let missing: Vec<&str> = wanted.difference(&found).copied().collect();
    if missing.is_empty() {
        return Ok(subjects);
    }
    Err(unknown(&missing))
}

/// The rows that a decision in bulk is for, and how many it leaves as they are: what somebody decided of a row as it is was looked
/// at more closely than this.
fn in_bulk(
    held: &Held,
    decision: Decision,
    args: &ReviewArgs,
) -> Result<(Vec<Subject>, u64), CliError> {
    let asked: Vec<&Row> = held.rows.iter().filter(|row| args.asks_for(row)).collect();
    if asked.is_empty() {
        return Err(nothing_asked_for(args));
    }
    let is_decided = |row: &Row| matches!(row.standing, Standing::Decided(_));
    if decision == Decision::Open {
        let rows = asked.iter().filter(|row| is_decided(row));
        return Ok((rows.map(|row| Subject::from(*row)).collect(), 0));
    }
    let rows = asked.iter().filter(|row| !is_decided(row));
    let subjects: Vec<Subject> = rows.map(|row| Subject::from(*row)).collect();
    let left = asked.len() - subjects.len();
    Ok((subjects, left as u64))
}

/// Says what spoke against a row that was confirmed, where many were at once.
fn warn_of_doubts(held: &Held, decision: Decision, taken: &[Review]) {
    if decision != Decision::Confirmed {
        return;
    }
    let ids: BTreeSet<&str> = taken.iter().map(|review| review.subject.as_str()).collect();
    let doubted: Vec<&Row> = (held.rows.iter())
        .filter(|row| ids.contains(row.id.as_str()) && row.proposal.word != Propose::Confirm)
        .collect();
    for row in doubted.iter().take(NAMED) {
        eprintln!(
            "strandline: {} was proposed as `{}`: {}",
            row.id,
            row.proposal.word.as_str(),
            shown(&row.proposal.reasons.join("; "))
        );
    }
    if doubted.len() > NAMED {
        eprintln!(
            "strandline: and {} more that were not proposed to be confirmed",
            grouped((doubted.len() - NAMED) as u64)
        );
    }
}

/// Puts decisions into the custody log and into the case.
fn write_down(
    held: &Held,
    taken: &[Review],
    inputs: Vec<Handled>,
    who: &str,
) -> Result<(), CliError> {
    let mut lines = String::new();
    for review in taken {
        lines +=
            &serde_json::to_string(review).map_err(|error| CliError::new(error.to_string()))?;
        lines.push('\n');
    }
    let mut entry = deed(&format!(
        "case review: {} decided by {who}",
        plural(taken.len() as u64, "row", "rows")
    ));
    entry.inputs = inputs;
    entry.outputs = vec![Handled {
        what: format!(
            "decisions in the case, of {}",
            named(taken.iter().map(|review| review.subject.as_str()))
        ),
        sha256: Some(Sha256Digest::of(lines.as_bytes()).hex()),
    }];
    held.case.add_custody(entry)?;
    Ok(held.case.add_reviews(taken)?)
}

/// The path of a file as the custody log has it.
fn path_words(path: &Path) -> String {
    shown(&path.display().to_string())
}
