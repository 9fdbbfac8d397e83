//! `review.csv`, out and in.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

use super::{Held, ReviewArgs, path_words, write_down};
use crate::blob::Sha256Digest;
use crate::blob::locator::shown;
use crate::case::{Handled, Review};
use crate::cli::custody::deed;
use crate::cli::output::NewFile;
use crate::cli::{CliError, Exit, case, pipeline};
use crate::report::review::merge::{Current, Taking};
use crate::report::review::table::{Refusal, Table, read, written};
use crate::report::review::{FileRow, Row, files_of, merge};
use crate::report::text::{grouped, plural};

/// Bytes of a file that is taken in.
const FILE_MAX: u64 = 256 << 20;
/// Refused rows that are told one by one.
const REFUSED_TOLD: usize = 200;

/// Writes rows as a table.
pub fn export(held: &Held, rows: &[Row], files: &[FileRow], path: &Path) -> Result<(), CliError> {
    let text = written(rows, files);
    let is_stdout = path == Path::new("-");
    let file = if is_stdout {
        None
    } else {
        Some(NewFile::create(path)?)
    };
    let count = (rows.len() + files.len()) as u64;
    let mut entry = deed("case review --export");
    entry.outputs = vec![Handled {
        what: format!(
            "{} for review, {}",
            plural(count, "row", "rows"),
            if is_stdout {
                "to standard output".to_owned()
            } else {
                path_words(path)
            }
        ),
        sha256: Some(Sha256Digest::of(text.as_bytes()).hex()),
    }];
    held.case.add_custody(entry)?;
    match file {
        None => std::io::stdout().write_all(text.as_bytes())?,
        Some(file) => {
            file.fill(|out| Ok(out.write_all(text.as_bytes())?))?;
            pipeline::warn_of_work_tree(path);
            println!(
                "{} written to {}",
                plural(count, "row", "rows"),
                path_words(path)
            );
        }
    }
    Ok(())
}

/// Takes decisions in.
pub fn import(held: &Held, path: &Path, args: &ReviewArgs) -> Result<Exit, CliError> {
    let bytes = bytes_of(path)?;
    let table =
        read(&bytes).map_err(|error| CliError::new(format!("{}: {error}", path_words(path))))?;
    let taking = Taking {
        now: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        by: args.name()?,
    };
    let mut merged = merge(&table.rows, &current(held, &table)?, &held.reviews, &taking);
    merged.refused.extend(table.refused);
    merged.refused.sort_by_key(|refusal| refusal.line);
    if !table.other_columns.is_empty() {
        eprintln!(
            "strandline: columns that mean nothing here were not read: {}",
            shown(&table.other_columns.join(", "))
        );
    }
    tell_refused(&merged.refused);
    let refused = merged.refused.len() as u64;
    if refused > 0 && !args.accept_rest {
        return Err(CliError::new(format!(
            "nothing was taken, since {} cannot be; mend the file, or take the {} that can be with --accept-rest",
            plural(refused, "row", "rows"),
            grouped(merged.taken.len() as u64)
        )));
    }
    if !merged.taken.is_empty() {
        let input = Handled {
            what: path_words(path),
            sha256: Some(Sha256Digest::of(&bytes).hex()),
        };
        write_down(held, &merged.taken, vec![input], &names(&merged.taken))?;
    }
    println!(
        "{} taken, {} unchanged, {} refused",
        plural(merged.taken.len() as u64, "row", "rows"),
        grouped(merged.unchanged),
        grouped(refused)
    );
    if merged.dates_unread > 0 {
        println!(
            "{} not in RFC 3339, UTC (2026-04-01T10:00:00Z): the time of taking them in, {}, stands instead",
            plural(merged.dates_unread, "date is", "dates are"),
            taking.now
        );
    }
    let exit = if refused > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    };
    case::end_of(&held.case, exit)
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed =
        |error: std::io::Error| CliError::new(format!("cannot read {}: {error}", path_words(path)));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(FILE_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(CliError::new(format!(
            "{} is larger than 256 MiB, which no review file is; divide it",
            path_words(path)
        )));
    }
    Ok(bytes)
}

/// The rows of the case that the table is about.
fn current(held: &Held, table: &Table) -> Result<HashMap<String, Current>, CliError> {
    let mut current: HashMap<String, Current> = (held.rows.iter())
        .map(|row| {
            let is = Current {
                locator: row.copy.locator.clone(),
                seen: row.seen.clone(),
                standing: row.standing.clone(),
            };
            (row.id.clone(), is)
        })
        .collect();
    let wanted: BTreeSet<&str> = (table.rows.iter())
        .map(|row| row.id.as_str())
        .filter(|id| id.starts_with('m'))
        .collect();
    if !wanted.is_empty() {
        for file in files_of(&held.case, &held.reviews, |id, _, _| wanted.contains(id))? {
            let is = Current {
                locator: file.found.locator,
                seen: file.seen,
                standing: file.standing,
            };
            current.insert(file.id, is);
        }
    }
    Ok(current)
}

fn tell_refused(refused: &[Refusal]) {
    for refusal in refused.iter().take(REFUSED_TOLD) {
        eprintln!(
            "strandline: line {}, {}: {}",
            refusal.line,
            shown(&refusal.id),
            shown(&refusal.why)
        );
    }
    if refused.len() > REFUSED_TOLD {
        eprintln!(
            "strandline: and {} more rows",
            grouped((refused.len() - REFUSED_TOLD) as u64)
        );
    }
}

/// Who decided, in words.
fn names(taken: &[Review]) -> String {
    let names: BTreeSet<&str> = taken
        .iter()
        .map(|review| review.reviewer.as_str())
        .collect();
    super::named(names.into_iter())
}
