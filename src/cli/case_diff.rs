//! `strandline case diff`: what became of copies from one scan to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{CliError, Exit, output, pipeline};
use crate::blob::locator::shown;
use crate::case::Case;
use crate::copies::changes::{self, Became, Change, Difference, Mix, Side, State};
use crate::report::text::grouped;

/// Rows that are printed; the rest is counted.
const ROWS: usize = 60;

/// What is new, gone or other than before among the copies of two cases
///
/// Places are the same where both cases recorded the same address for them, else where their locators are; so give inputs
/// the same labels in both scans. Signs of tampering are those that `compare --case` wrote into a case.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The case of before
    before: PathBuf,
    /// The case of after
    after: PathBuf,
    /// Write the whole difference to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &DiffArgs) -> Result<Exit, CliError> {
    if is_same_file(&args.before, &args.after) {
        return Err(CliError::new(
            "both cases are the same file; name the case of before and the one of after",
        ));
    }
    if let Some(path) = &args.json {
        output::check_free(path)?;
        pipeline::warn_of_work_tree(path);
    }
    let (before, is_first_whole) = side_of(&args.before)?;
    let (after, is_second_whole) = side_of(&args.after)?;
    let told =
        changes::difference(&before, &after).map_err(|error| CliError::new(error.to_string()))?;
    for line in &told.made_otherwise {
        eprintln!(
            "strandline: warning: the cases were made otherwise, and what differs may come from that: {}",
            shown(line)
        );
    }
    let text = told_as_text(&told);
    std::io::stdout().lock().write_all(text.as_bytes())?;
    if let Some(path) = &args.json {
        output::write_new(path, |out| {
            let json = serde_json::to_string(&told);
            let json = json.map_err(|error| CliError::new(error.to_string()))?;
            Ok(writeln!(
                out,
                "{}",
                crate::blob::locator::shown_json(&json)
            )?)
        })?;
    }
    let is_whole = is_first_whole && is_second_whole;
    Ok(if is_whole {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let path = |path: &Path| path.canonicalize().ok();
    path(one).is_some_and(|one| Some(one) == path(other))
}

/// What a case says, and whether it is all: the scan is through, and everything was read.
fn side_of(path: &Path) -> Result<(Side, bool), CliError> {
    let case = Case::open(path)?;
    let info = case.info()?;
    let mut is_whole = true;
    if info.unfinished {
        is_whole = false;
        eprintln!(
            "strandline: the scan of {} has not finished, so this is not all; run the same scan again to go on",
            path.display()
        );
    } else if info.ledger.is_some_and(|ledger| !ledger.complete) {
        is_whole = false;
        eprintln!(
            "strandline: not everything in {} was read, so a copy may be missing there; `case info` says what",
            path.display()
        );
    }
    let mut side = Side::default();
    case.records(|record| -> Result<(), CliError> {
        side.add(record);
        Ok(())
    })?;
    Ok((side, is_whole))
}

fn told_as_text(told: &Difference) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut out, told);
    out
}

fn write_text(out: &mut String, told: &Difference) -> std::fmt::Result {
    writeln!(out, "before      {}", mix_line(&told.before))?;
    writeln!(out, "after       {}", mix_line(&told.after))?;
    let counts = |wanted: Became| {
        let of_kind = told.changes.iter().filter(|row| row.became == wanted);
        grouped(of_kind.count() as u64)
    };
    writeln!(
        out,
        "places      {} new, {} changed, {} gone, {} same",
        counts(Became::New),
        counts(Became::Changed),
        counts(Became::Gone),
        grouped(told.same)
    )?;
    for row in told.changes.iter().take(ROWS) {
        writeln!(out, "  {}", shown(&row_line(row)))?;
    }
    let rest = told.changes.len().saturating_sub(ROWS);
    if rest > 0 {
        writeln!(
            out,
            "  and {} more: --json names them all",
            grouped(rest as u64)
        )?;
    }
    writeln!(out, "mix         {}", share_line(&told.before, &told.after))?;
    for line in &told.mix_changed {
        writeln!(out, "  it changed: {line}")?;
    }
    for (what, of) in [
        ("hosts", (&told.before.hosts, &told.after.hosts)),
        (
            "  by hint",
            (&told.before.hosts_by_hint, &told.after.hosts_by_hint),
        ),
        ("networks", (&told.before.networks, &told.after.networks)),
        (
            "  by hint",
            (&told.before.networks_by_hint, &told.after.networks_by_hint),
        ),
        ("exposures", (&told.before.exposures, &told.after.exposures)),
    ] {
        let line = counts_line(of.0, of.1);
        if !line.is_empty() {
            writeln!(out, "{what:<11} {}", shown(&line))?;
        }
    }
    writeln!(
        out,
        "secrets     {} before, {} after",
        grouped(told.before.secrets),
        grouped(told.after.secrets)
    )
}

fn mix_line(mix: &Mix) -> String {
    let mut line = format!(
        "{} copies, {} suspects, {} own public of {} places examined",
        grouped(mix.copies_total()),
        grouped(mix.suspects.values().sum()),
        grouped(mix.own_public),
        grouped(mix.examined)
    );
    if mix.unreadable > 0 {
        let _ = write!(line, ", {} unreadable", grouped(mix.unreadable));
    }
    if !mix.complete {
        line.push_str("; not everything was read");
    }
    line
}

fn share_line(before: &Mix, after: &Mix) -> String {
    let verbatim = |mix: &Mix| {
        let count = mix.copies.get("verbatim").copied().unwrap_or(0);
        format!("{} of {}", grouped(count), grouped(mix.copies_total()))
    };
    let tampered = |mix: &Mix| match mix.compared {
        0 => "none compared".to_owned(),
        all => format!("{} of {} compared", grouped(mix.tampered), grouped(all)),
    };
    format!(
        "verbatim {} before, {} after; with signs of tampering {} before, {} after",
        verbatim(before),
        verbatim(after),
        tampered(before),
        tampered(after)
    )
}

/// Counts of either side that are not the same; the first few by name.
fn counts_line(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> String {
    const NAMED: usize = 8;
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let count = |of: &BTreeMap<String, u64>, name: &str| of.get(name).copied().unwrap_or(0);
    let moved = names
        .iter()
        .filter(|name| count(before, name) != count(after, name));
    let moved: Vec<String> = moved
        .map(|name| {
            let (old, new) = (count(before, name), count(after, name));
            format!("{name} {} → {}", grouped(old), grouped(new))
        })
        .collect();
    let rest = moved.len().saturating_sub(NAMED);
    let mut line = moved.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    if rest > 0 {
        let _ = write!(line, ", and {} more", grouped(rest as u64));
    }
    line
}

fn row_line(row: &Change) -> String {
    let word = match row.became {
        Became::New => "new",
        Became::Changed => "changed",
        Became::Gone => "gone",
        Became::Same => "same",
    };
    let work = row
        .work
        .as_deref()
        .map_or(String::new(), |work| format!(" ({work})"));
    let at = if row.place == row.locator {
        String::new()
    } else {
        format!(" at {}", row.locator)
    };
    format!(
        "{word:<8}{}{at}{work}: {} → {}",
        row.place,
        state_words(row.before.as_ref(), "not in the first case"),
        state_words(row.after.as_ref(), "not in the second case")
    )
}

fn state_words(state: Option<&State>, absent: &str) -> String {
    let Some(state) = state else {
        return absent.to_owned();
    };
    if state.kind == "examined" {
        return match state.class.as_str() {
            "" => "no class".to_owned(),
            class => class.to_owned(),
        };
    }
    let mut words = state.class.clone();
    if state.kind == "suspect" {
        words.insert_str(0, "suspect, ");
    }
    if state.files_matched > 0 {
        let _ = write!(
            words,
            " {} of {} files ({:.1} %)",
            grouped(state.files_matched),
            grouped(state.files_total),
            state.of_original * 100.0
        );
    }
    if let Some(signs) = state.signs.filter(|signs| *signs > 0) {
        let _ = write!(words, ", {} signs of tampering", grouped(signs));
    }
    words
}
