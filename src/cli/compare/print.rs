//! What `compare` says on the terminal: figures, the worst signs, the files with most that is not in the original.

use std::collections::BTreeMap;
use std::io::Write;

use super::super::CliError;
use super::super::summary::paint;
use super::by_severity;
use crate::blob::locator::shown;
use crate::copies::tree::Reading;
use crate::record::{Change, ChangeKind, Comparison, Problem, Record, Severity, Sign};
use crate::report::text::{clip, grouped, percent, plural, size};

/// Signs that are printed of one copy, and of many together.
const SIGNS_SHOWN: usize = 12;
/// Files that are printed of one copy.
const FILES_SHOWN: usize = 20;
/// Characters of what a sign found.
const FOUND_CHARS: usize = 100;

/// What there is to say of all copies.
pub struct Summary {
    colour: bool,
    /// One copy was named; else there is a line for each.
    is_one: bool,
    wholes: Vec<Comparison>,
    missed: Vec<Problem>,
    signs: Vec<Sign>,
    more_signs: u64,
    /// Signs that count as signs of tampering, by root; and how many are notes.
    telling: BTreeMap<String, u64>,
    notes: u64,
    changes: Vec<Change>,
}

impl Summary {
    /// Begins.
    pub fn new(colour: bool, is_one: bool) -> Self {
        Self {
            colour,
            is_one,
            wholes: Vec::new(),
            missed: Vec::new(),
            signs: Vec::new(),
            more_signs: 0,
            telling: BTreeMap::new(),
            notes: 0,
            changes: Vec::new(),
        }
    }

    /// Notes a copy that was not compared.
    pub fn missed(&mut self, problem: &Problem) {
        self.missed.push(problem.clone());
    }

    /// Notes the records of a copy.
    pub fn add(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Comparison(whole) => self.wholes.push((**whole).clone()),
                Record::Sign(sign) => {
                    if sign.severity >= Severity::Medium {
                        *self.telling.entry(sign.root.clone()).or_insert(0) += 1;
                    } else {
                        self.notes += 1;
                    }
                    self.signs.push((**sign).clone());
                }
                Record::Change(change) if self.is_one => self.changes.push((**change).clone()),
                _ => {}
            }
        }
        self.signs.sort_by(by_severity);
        let more = self.signs.len().saturating_sub(SIGNS_SHOWN);
        self.more_signs += more as u64;
        self.signs.truncate(SIGNS_SHOWN);
    }

    /// Prints it.
    pub fn print(&self, original: &Reading, copies: usize) -> Result<(), CliError> {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let bytes = self.wholes.first().map_or(0, |whole| whole.bytes_original);
        writeln!(
            out,
            "original    {}: {}, {}",
            shown(&original.tree.root),
            plural(original.tree.files.len() as u64, "file", "files"),
            size(bytes)
        )?;
        match self.wholes.first().filter(|_| self.is_one) {
            Some(whole) => self.print_one(&mut out, whole)?,
            None => self.print_all(&mut out, copies)?,
        }
        self.print_signs(&mut out)?;
        if self.is_one {
            self.print_files(&mut out)?;
        }
        Ok(out.flush()?)
    }

    fn print_one(&self, out: &mut dyn Write, whole: &Comparison) -> Result<(), CliError> {
        let files = &whole.files;
        writeln!(
            out,
            "copy        {}: {}",
            shown(&whole.locator),
            plural(files.copy, "file", "files")
        )?;
        for (what, folder) in [
            (
                "its folder {} stands for the root of the original",
                &whole.copy_folder,
            ),
            (
                "it stands for the folder {} of the original",
                &whole.original_folder,
            ),
        ] {
            if let Some(folder) = folder {
                writeln!(out, "paths       {}", what.replace("{}", &shown(folder)))?;
            }
        }
        writeln!(
            out,
            "files       {} equal, {} reformatted, {} moved, {} changed, {} added, {} removed",
            grouped(files.equal),
            grouped(files.reformatted),
            grouped(files.moved),
            grouped(files.changed),
            grouped(files.added),
            grouped(files.removed)
        )?;
        writeln!(
            out,
            "held        {} of the original's bytes are in the copy",
            held(whole)
        )?;
        writeln!(
            out,
            "outside     {} of the copy are not in the original, {} of its text",
            size(whole.bytes_outside),
            plural(whole.lines_outside, "line", "lines")
        )?;
        if whole.headers_removed > 0 {
            writeln!(
                out,
                "headers     {} without the licence or copyright header that the original has",
                plural(whole.headers_removed, "file", "files")
            )?;
        }
        print_unread(out, whole)
    }

    fn print_all(&self, out: &mut dyn Write, copies: usize) -> Result<(), CliError> {
        writeln!(
            out,
            "copies      {} compared, {} not",
            grouped(self.wholes.len() as u64),
            grouped((copies - self.wholes.len().min(copies)) as u64)
        )?;
        writeln!(
            out,
            "{:>9} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9} {:>6}  copy",
            "held", "equal", "layout", "moved", "changed", "added", "removed", "outside", "signs"
        )?;
        for whole in &self.wholes {
            let files = &whole.files;
            let signs = self.telling.get(&whole.locator).copied().unwrap_or(0);
            writeln!(
                out,
                "{:>9} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9} {:>6}  {}{}",
                held(whole),
                grouped(files.equal),
                grouped(files.reformatted),
                grouped(files.moved),
                grouped(files.changed),
                grouped(files.added),
                grouped(files.removed),
                size(whole.bytes_outside),
                grouped(signs),
                shown(&whole.locator),
                if whole.complete {
                    ""
                } else {
                    " (not all was read)"
                }
            )?;
        }
        for problem in &self.missed {
            writeln!(
                out,
                "not compared  {}: {}",
                shown(&problem.locator),
                problem.code
            )?;
        }
        Ok(())
    }

    fn print_signs(&self, out: &mut dyn Write) -> Result<(), CliError> {
        if self.signs.is_empty() {
            writeln!(
                out,
                "signs       no rule on tampering found anything in what differs"
            )?;
            return Ok(());
        }
        // An ordinary change may be noted, and means nothing by itself.
        let telling = self.telling.values().sum();
        writeln!(
            out,
            "signs       {} of tampering, {}, as rules see it",
            plural(telling, "sign", "signs"),
            plural(self.notes, "note", "notes")
        )?;
        for sign in &self.signs {
            let place = match sign.line {
                Some(line) => format!("{}:{line}", sign.path),
                None => sign.path.clone(),
            };
            let root = if self.is_one { "" } else { &sign.root };
            let between = if root.is_empty() { "" } else { ": " };
            writeln!(
                out,
                "  {} {}  {}{between}{}",
                paint(sign.severity, self.colour),
                sign.rule,
                shown(root),
                shown(&place)
            )?;
            writeln!(out, "           {}", shown(&clip(&sign.found, FOUND_CHARS)))?;
        }
        if self.more_signs > 0 {
            writeln!(
                out,
                "  and {} more, all with --jsonl",
                grouped(self.more_signs)
            )?;
        }
        Ok(())
    }

    fn print_files(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let mut changes: Vec<&Change> = self
            .changes
            .iter()
            .filter(|change| change.kind != ChangeKind::Moved)
            .collect();
        if changes.is_empty() {
            return Ok(());
        }
        let outside = |change: &Change| match change.kind {
            ChangeKind::Added => (2, change.lines_added.unwrap_or(change.bytes.unwrap_or(0))),
            ChangeKind::Changed => (2, change.lines_added.unwrap_or(0)),
            ChangeKind::Removed => (0, 0),
            _ => (1, 0),
        };
        changes.sort_by_key(|change| std::cmp::Reverse(outside(change)));
        writeln!(
            out,
            "files that are not as in the original, those with most of their own first"
        )?;
        for change in changes.iter().take(FILES_SHOWN) {
            writeln!(out, "  {}", line_of(change, self.wholes.first()))?;
        }
        if let Some(more @ 1..) = changes.len().checked_sub(FILES_SHOWN) {
            writeln!(out, "  and {} more, all with --jsonl", grouped(more as u64))?;
        }
        Ok(())
    }
}

/// A file in a line. Where it was is told if that is not what the folders say that stand for each other.
fn line_of(change: &Change, whole: Option<&Comparison>) -> String {
    let below = |folder: Option<&String>, path: &str| match folder {
        Some(folder) => format!("{folder}/{path}"),
        None => path.to_owned(),
    };
    let is_home = |path: &str, original: &str| {
        let copy_folder = whole.and_then(|whole| whole.copy_folder.as_ref());
        let original_folder = whole.and_then(|whole| whole.original_folder.as_ref());
        below(original_folder, path) == below(copy_folder, original)
    };
    let word = match change.kind {
        ChangeKind::Added => "added",
        ChangeKind::Changed => "changed",
        ChangeKind::Reformatted => "layout",
        ChangeKind::Moved => "moved",
        ChangeKind::Removed => "removed",
    };
    let lines = match (change.kind, change.lines_added, change.lines_removed) {
        (ChangeKind::Added | ChangeKind::Changed, Some(added), removed) => {
            let removed = removed.filter(|_| change.kind == ChangeKind::Changed);
            let removed =
                removed.map_or(String::new(), |removed| format!(" -{}", grouped(removed)));
            format!("+{}{removed}", grouped(added))
        }
        (ChangeKind::Added | ChangeKind::Changed, None, _) => {
            change.content.clone().unwrap_or_default()
        }
        _ => String::new(),
    };
    let path = change.path.as_ref().or(change.original.as_ref());
    let path = path.map(|path| shown(path)).unwrap_or_default();
    let was = match (&change.path, &change.original) {
        (Some(path), Some(original)) if !is_home(path, original) => {
            format!(" (was {})", shown(original))
        }
        _ => String::new(),
    };
    let header = if change.header_removed {
        ", header removed"
    } else {
        ""
    };
    format!("{word:<8} {lines:<14} {path}{was}{header}")
}

/// The share of the original that a copy holds.
fn held(whole: &Comparison) -> String {
    if whole.bytes_original == 0 {
        return "-".to_owned();
    }
    percent(whole.bytes_held as f64 / whole.bytes_original as f64)
}

fn print_unread(out: &mut dyn Write, whole: &Comparison) -> Result<(), CliError> {
    if whole.complete {
        return Ok(());
    }
    Ok(writeln!(
        out,
        "unread      {} of both sides not read as a whole, so this is not all",
        plural(whole.files.unread, "file", "files")
    )?)
}
