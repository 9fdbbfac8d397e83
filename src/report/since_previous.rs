//! What changed since an earlier report: findings that are new, withdrawn or judged otherwise, each with its cause.
//!
//! A report leaves `findings.jsonl` beside its page: the run and its inputs in the first line, then a line for each finding
//! (see `finding`) with the file that it was found in and that file's SHA-256. A later report is held
//! against it. Who reads that something was withdrawn wants to know whether a leak was closed or a rule was changed, so
//! every row says why, from what can be known: inputs that came or went, files that came, went or have other bytes, and
//! whatever differs between the two runs and can bear on that kind of finding (rules, sets, profile, limits, program; live
//! secrets and own rules for secrets, terms for items, origins for copies). What is equal in all of these and has
//! another result rests on other parts of the input, or on what was not read. Where two causes cannot be told apart, both
//! are named.
//!
//! Left out: what changed within a content that is another now.

mod differences;
mod head;
mod judge;
mod previous;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;

use serde::{Deserialize, Serialize};

use self::differences::{Difference, differences};
use self::head::{Head, digests_in};
pub use self::head::{Scanned, Units};
use self::judge::Judge;
pub use self::previous::{Previous, PreviousError};
use super::bounded::{Table, Top};
use super::export::csv::cell;
use super::finding::{Finding, Numberer};
use super::model::ROWS;
use super::text::{KEPT_CHARS, clip};
use crate::case::UnitName;
use crate::record::{Record, Run};

/// The file that a report leaves for later ones.
pub const FINDINGS_FILE: &str = "findings.jsonl";
/// All that changed, as a table for other programs.
pub const CHANGES_FILE: &str = "changes.csv";

/// How `report.json` names the list of findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingsList {
    /// Its name, beside the report.
    pub file: String,
    /// BLAKE3 of it, hex.
    pub blake3: String,
    /// Findings in it.
    pub findings: u64,
}

/// A further line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    id: String,
    kind: String,
    what: String,
    state: String,
    locator: String,
    detail: String,
    sha256: Option<String>,
    unit: Option<String>,
    unit_sha256: Option<String>,
}

/// Writes the list of findings while they come by, and keeps what changed.
pub struct Comparer<'p> {
    head: Head,
    previous: Option<&'p Previous>,
    numberer: Numberer,
    count: u64,
    seen: BTreeSet<String>,
    new: Vec<Line>,
    other: Vec<(Line, Line)>,
    unchanged: u64,
}

impl<'p> Comparer<'p> {
    /// For a run over some units; `previous` is what it is held against.
    pub fn new(
        run: Option<&Run>,
        complete: bool,
        scanned: Scanned,
        previous: Option<&'p Previous>,
    ) -> Self {
        Self {
            head: Head::of(run, complete, scanned),
            previous,
            numberer: Numberer::default(),
            count: 0,
            seen: BTreeSet::new(),
            new: Vec::new(),
            other: Vec::new(),
            unchanged: 0,
        }
    }

    /// The first line of the list.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn begin(&self, out: &mut dyn Write) -> std::io::Result<()> {
        write_line(&self.head, out)
    }

    /// Takes a finding, in the order of types and locators, and writes its line.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn add(
        &mut self,
        record: &Record,
        unit: Option<&UnitName>,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let Some(finding) = Finding::of(record) else {
            return Ok(());
        };
        let line = Line {
            id: self.numberer.id(&finding),
            kind: finding.kind.to_owned(),
            what: finding.what,
            state: finding.state,
            locator: finding.locator,
            detail: finding.detail,
            sha256: finding.sha256,
            unit: unit.map(|unit| unit.locator.clone()),
            unit_sha256: unit.and_then(|unit| unit.sha256.clone()),
        };
        write_line(&line, out)?;
        self.count += 1;
        let Some(previous) = self.previous else {
            return Ok(());
        };
        match previous.lines.get(&line.id) {
            None => self.new.push(line),
            Some(before) => {
                self.seen.insert(line.id.clone());
                if before.state == line.state {
                    self.unchanged += 1;
                } else {
                    self.other.push((before.clone(), line));
                }
            }
        }
        Ok(())
    }

    /// Findings that came by.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Units whose bytes decide causes: those of findings that went.
    pub fn units_asked(&self) -> BTreeSet<String> {
        let gone = self.gone();
        gone.into_iter()
            .filter_map(|line| line.unit.clone())
            .collect()
    }

    fn gone(&self) -> Vec<&'p Line> {
        let lines = self.previous.map(|previous| previous.lines.values());
        let mut gone: Vec<&Line> = lines
            .into_iter()
            .flatten()
            .filter(|line| !self.seen.contains(&line.id))
            .collect();
        gone.sort_by_cached_key(|line| key_of(line));
        gone
    }

    /// What changed; `None` without an earlier report. `units` are those of [`Comparer::units_asked`] that are there, with
    /// their SHA-256; `table` takes all rows as CSV.
    ///
    /// # Errors
    /// When `table` fails.
    pub fn finish(
        self,
        units: &BTreeMap<String, Option<String>>,
        table: &mut dyn Write,
    ) -> std::io::Result<Option<Changes>> {
        let Some(previous) = self.previous else {
            return Ok(None);
        };
        let differences = differences(&previous.head, &self.head);
        let judge = Judge {
            before: &previous.head,
            now: &self.head,
            settings: differences
                .iter()
                .map(|row| (row.what, row.decides))
                .collect(),
            units_before: units_of(previous.lines.values()),
            all_before: previous.head.units.as_deref().and_then(digests_in),
            units_now: units,
        };
        let mut tables = [Top::new(ROWS), Top::new(ROWS), Top::new(ROWS)];
        write!(
            table,
            "change,kind,what,before,now,locator,cause,sha256\r\n"
        )?;
        let mut put =
            |at: usize, change: &'static str, row: ChangeRow, line: &Line| -> std::io::Result<()> {
                let cells = [
                    change,
                    &row.kind,
                    &row.what,
                    row.before.as_deref().unwrap_or_default(),
                    row.now.as_deref().unwrap_or_default(),
                    &line.locator,
                    &row.cause,
                    row.sha256.as_deref().unwrap_or_default(),
                ];
                write!(table, "{}\r\n", cells.map(cell).join(","))?;
                tables[at].push(key_of(line), row);
                Ok(())
            };
        for line in &self.new {
            put(0, "new", row_of(None, Some(line), judge.of_new(line)), line)?;
        }
        for line in self.gone() {
            put(
                1,
                "withdrawn",
                row_of(Some(line), None, judge.of_gone(line)),
                line,
            )?;
        }
        for (before, now) in &self.other {
            let cause = judge.of_other(before, now);
            put(
                2,
                "reclassified",
                row_of(Some(before), Some(now), cause),
                now,
            )?;
        }
        let [new, withdrawn, reclassified] = tables.map(Top::finish);
        Ok(Some(Changes {
            since: previous.head.started.clone(),
            list: previous.blake3.clone(),
            differences: differences.into_iter().map(Difference::row).collect(),
            unchanged: self.unchanged,
            new,
            withdrawn,
            reclassified,
            both_complete: previous.head.complete && self.head.complete,
        }))
    }
}

fn write_line(value: &impl Serialize, out: &mut dyn Write) -> std::io::Result<()> {
    let text = serde_json::to_string(value)?;
    writeln!(out, "{}", crate::blob::locator::shown_json(&text))
}

/// Rows stand by kind, then by what and where.
fn key_of(line: &Line) -> (u8, String, String, String) {
    let rank = match line.kind.as_str() {
        "secret" => 0,
        "exposure" => 1,
        "copy" => 2,
        "suspect" => 3,
        "sign" => 4,
        _ => 5,
    };
    (
        rank,
        line.what.clone(),
        line.locator.clone(),
        line.id.clone(),
    )
}

fn row_of(before: Option<&Line>, now: Option<&Line>, cause: String) -> ChangeRow {
    let of = now.or(before);
    let text = |take: fn(&Line) -> &String| {
        of.map_or_else(String::new, |line| clip(take(line), KEPT_CHARS))
    };
    ChangeRow {
        kind: text(|line| &line.kind),
        what: text(|line| &line.what),
        locator: text(|line| &line.locator),
        before: before.map(|line| clip(&line.state, KEPT_CHARS)),
        now: now.map(|line| clip(&line.state, KEPT_CHARS)),
        cause,
        sha256: of.and_then(|line| line.sha256.clone()),
    }
}

fn units_of<'l>(lines: impl Iterator<Item = &'l Line>) -> HashMap<&'l str, Option<&'l str>> {
    lines
        .filter_map(|line| Some((line.unit.as_deref()?, line.unit_sha256.as_deref())))
        .collect()
}

/// What changed since an earlier report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changes {
    /// When the earlier run started.
    pub since: Option<String>,
    /// BLAKE3 of the earlier list of findings.
    pub list: String,
    /// What differs between the two runs.
    pub differences: Vec<DifferenceRow>,
    /// Findings that both have, judged alike.
    pub unchanged: u64,
    /// Findings that the earlier report does not have.
    pub new: Table<ChangeRow>,
    /// Findings that only the earlier report has.
    pub withdrawn: Table<ChangeRow>,
    /// Findings that are judged otherwise.
    pub reclassified: Table<ChangeRow>,
    /// Both runs read everything in full.
    pub both_complete: bool,
}

/// One finding that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeRow {
    /// Kind of finding.
    pub kind: String,
    /// Class, rule, kind of item, work.
    pub what: String,
    /// Where.
    pub locator: String,
    /// How it was judged; null where it was not there.
    pub before: Option<String>,
    /// How it is judged; null where it is not there.
    pub now: Option<String>,
    /// Why.
    pub cause: String,
    /// SHA-256 of its content.
    pub sha256: Option<String>,
}

/// Something that differs between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferenceRow {
    /// What.
    pub what: String,
    /// Before.
    pub before: String,
    /// Now.
    pub now: String,
}

#[cfg(test)]
mod tests;
