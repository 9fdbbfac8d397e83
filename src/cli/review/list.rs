//! What there is to decide, for the terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use super::Held;
use crate::blob::locator::shown;
use crate::case::{Decision, Standing};
use crate::cli::CliError;
use crate::report::review::cells::standing_words;
use crate::report::review::{FileRow, Propose, Row};
use crate::report::text::{grouped, percent, plural};

/// Prints rows by network and family.
pub fn rows(held: &Held, is_part: bool) -> Result<(), CliError> {
    let mut text = String::new();
    head(&mut text, held, is_part);
    let mut groups: BTreeMap<Option<&str>, Standings> = BTreeMap::new();
    for row in &held.rows {
        groups.entry(row.group.as_deref()).or_default().add(row);
    }
    let mut last: Option<Option<&str>> = None;
    for row in &held.rows {
        let group = row.group.as_deref();
        if last != Some(group) {
            let head = group_head(row, groups.get(&group));
            let _ = writeln!(text, "\n{}", shown(&head));
            last = Some(group);
        }
        one(&mut text, row);
    }
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn head(text: &mut String, held: &Held, is_part: bool) {
    let standing = Standings::of(held.rows.iter());
    let proposed = |word: Propose| {
        let count = held
            .rows
            .iter()
            .filter(|row| row.proposal.word == word)
            .count();
        grouped(count as u64)
    };
    let what = if is_part { "asked for" } else { "review" };
    let count = plural(held.rows.len() as u64, "row", "rows");
    let _ = writeln!(text, "{what:<13}{count}: {}", standing.words());
    if held.rows.is_empty() {
        let _ = writeln!(
            text,
            "             no copy is in this case, so there is nothing to review"
        );
    } else {
        let _ = writeln!(
            text,
            "proposed     {} confirm, {} look, {} reject; a proposal decides nothing",
            proposed(Propose::Confirm),
            proposed(Propose::Look),
            proposed(Propose::Reject)
        );
    }
    if held.own_public > 0 && !is_part {
        let _ = writeln!(
            text,
            "left out     {} of what is the organisation's own or public already",
            plural(held.own_public, "place", "places")
        );
    }
    if held.rows.iter().any(|row| !row.was_compared) {
        let count = held.rows.iter().filter(|row| !row.was_compared).count();
        let _ = writeln!(
            text,
            "not compared {}; `compare ORIGINAL --case CASE` says what was put into them",
            plural(count as u64, "row", "rows")
        );
    }
}

fn group_head(row: &Row, standings: Option<&Standings>) -> String {
    let Some(standings) = standings else {
        return String::new();
    };
    let count = plural(standings.rows(), "row", "rows");
    let words = standings.words();
    match (&row.network, &row.group) {
        (Some(network), _) => format!("network      {network}: {count}, {words}"),
        (None, Some(family)) => format!("family       {family}: {count}, {words}"),
        (None, None) => format!("alone        {count}: {words}"),
    }
}

fn one(text: &mut String, row: &Row) {
    let copy = &row.copy;
    let suspect = if row.is_suspect { " (suspect)" } else { "" };
    let url = copy.url.as_deref().unwrap_or("no address");
    let _ = writeln!(
        text,
        "{}  {:<7}  {}{suspect}, {} of {}, {} of {} files  {}  {}",
        row.id,
        row.proposal.word.as_str(),
        shown(&copy.class),
        percent(copy.of_original),
        shown(&format!("{} {}", copy.work, copy.release)),
        grouped(copy.files_matched),
        grouped(copy.files_total),
        shown(&copy.locator),
        shown(url)
    );
    let _ = writeln!(text, "    why  {}", shown(&row.proposal.reasons.join("; ")));
    decided(text, &row.standing);
}

fn decided(text: &mut String, standing: &Standing) {
    let (Standing::Decided(review) | Standing::Stale(review)) = standing else {
        return;
    };
    let note = review
        .note
        .as_deref()
        .map(|note| format!(": {}", note.replace('\n', " ")));
    let _ = writeln!(
        text,
        "    is   {}{}",
        standing_words(standing),
        shown(&note.unwrap_or_default())
    );
}

/// Prints the files of a copy.
pub fn files(row: &Row, files: &[FileRow]) -> Result<(), CliError> {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}  {}: {} of {}\n",
        row.id,
        shown(&row.copy.locator),
        plural(files.len() as u64, "match", "matches"),
        shown(&row.copy.work)
    );
    for file in files {
        let found = &file.found;
        let _ = writeln!(
            text,
            "{}  {}, {} of {}  {}",
            file.id,
            found.grade.as_str(),
            percent(found.of_original),
            shown(&found.file),
            shown(&found.locator)
        );
        decided(&mut text, &file.standing);
    }
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

/// How many rows stand how.
#[derive(Default)]
struct Standings {
    confirmed: u64,
    rejected: u64,
    open: u64,
    stale: u64,
}

impl Standings {
    fn of<'r>(rows: impl Iterator<Item = &'r Row>) -> Self {
        let mut counts = Self::default();
        rows.for_each(|row| counts.add(row));
        counts
    }

    fn add(&mut self, row: &Row) {
        match &row.standing {
            Standing::Decided(review) if review.decision == Decision::Confirmed => {
                self.confirmed += 1;
            }
            Standing::Decided(_) => self.rejected += 1,
            Standing::Open => self.open += 1,
            Standing::Stale(_) => {
                self.open += 1;
                self.stale += 1;
            }
        }
    }

    fn rows(&self) -> u64 {
        self.confirmed + self.rejected + self.open
    }

    fn words(&self) -> String {
        let stale = if self.stale > 0 {
            format!(" ({} decided before they changed)", grouped(self.stale))
        } else {
            String::new()
        };
        format!(
            "{} confirmed, {} rejected, {} open{stale}",
            grouped(self.confirmed),
            grouped(self.rejected),
            grouped(self.open)
        )
    }
}
