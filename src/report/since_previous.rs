//! What changed since an earlier report: findings that are new, withdrawn or judged otherwise, each with its cause.
//!
//! A report leaves `findings.jsonl` beside its page: the run and its inputs in the first line, then a line for each finding
//! (see `finding`) with the file that it was found in and that file's SHA-256. A later report is held
//! against it. Who reads that something was withdrawn wants to know whether a leak was closed or a rule was changed, so
//! every row says why, from what can be known: inputs that came or went, files that came, went or have other bytes, and
//! whatever differs between the two runs (rules, sets, profile, limits, program). What is equal in all of these and has
//! another result rests on other parts of the input, or on what was not read. Where two causes cannot be told apart, both
//! are named.
//!
//! Left out: what changed within a content that is another now.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{BufRead as _, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bounded::{Table, Top};
use super::export::csv::cell;
use super::finding::{Finding, Numberer};
use super::model::ROWS;
use super::text::{KEPT_CHARS, clip};
use crate::case::UnitName;
use crate::record::{Record, Run, RunInput, RunSet};

/// The file that a report leaves for later ones.
pub const FINDINGS_FILE: &str = "findings.jsonl";
/// All that changed, as a table for other programs.
pub const CHANGES_FILE: &str = "changes.csv";
/// Version of the form of the file.
const FORM: u32 = 1;

/// Why an earlier report cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PreviousError {
    /// It cannot be read.
    #[error("cannot read {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is something else.
    #[error(
        "{path} is no report.json that lists its findings; give the report.json of a report of this program, with {FINDINGS_FILE} beside it"
    )]
    NoReport {
        /// The file.
        path: PathBuf,
    },
    /// It has other bytes than its report says.
    #[error(
        "{path} is not the list of findings that its report.json names: it was changed since; make that report again"
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A line is not what it should be.
    #[error("{path}:{line}: {what}; make that report again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Line, 1-based.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

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

/// The first line of the list: what a result depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Head {
    form: u32,
    version: String,
    program: Option<String>,
    rules: String,
    sets: Vec<RunSet>,
    organisation: Option<String>,
    releases: Option<String>,
    #[serde(default)]
    yara: Option<String>,
    limits: BTreeMap<String, u64>,
    decoders: Option<String>,
    triage: bool,
    started: Option<String>,
    inputs: Vec<RunInput>,
    complete: bool,
    /// A digest of locator and SHA-256 of every unit, 8 bytes each, sorted, in base64: so that a later report can tell
    /// what was there already. `None` where they are too many.
    units: Option<String>,
}

impl Head {
    fn of(run: Option<&Run>, complete: bool, units: Option<String>) -> Head {
        let Some(run) = run else {
            return Head {
                form: FORM,
                complete,
                units,
                ..Head::default()
            };
        };
        Head {
            form: FORM,
            version: run.version.clone(),
            program: run.program.clone(),
            rules: run.rules.clone(),
            sets: run.sets.clone(),
            organisation: run.organisation.clone(),
            releases: run.releases.clone(),
            yara: run.yara.as_ref().map(|rules| rules.digest.clone()),
            limits: run.limits.clone(),
            decoders: run.decoders.clone(),
            triage: run.triage,
            started: run.started.clone(),
            inputs: run.inputs.clone(),
            complete,
            units,
        }
    }
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

/// The units of a run, as a later report is told of them.
#[derive(Debug, Default)]
pub struct Units {
    digests: Vec<u64>,
    count: usize,
}

impl Units {
    /// More of them are not told: the list would be larger than the report.
    const MOST: usize = 250_000;

    /// Takes a unit.
    pub fn add(&mut self, unit: &UnitName) {
        self.count += 1;
        if self.count <= Self::MOST {
            let digest = unit_digest(&unit.locator, unit.sha256.as_deref());
            self.digests.push(digest);
        }
    }

    fn finish(mut self) -> Option<String> {
        use base64::Engine as _;
        if self.count > Self::MOST {
            return None;
        }
        self.digests.sort_unstable();
        let bytes: Vec<u8> = self
            .digests
            .iter()
            .flat_map(|digest| digest.to_be_bytes())
            .collect();
        Some(base64::engine::general_purpose::STANDARD.encode(bytes))
    }
}

/// The digests of units that an earlier report tells of.
fn digests_in(text: &str) -> Option<HashSet<u64>> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .ok()?;
    let digests = bytes.as_chunks::<8>().0.iter();
    Some(digests.map(|digest| u64::from_be_bytes(*digest)).collect())
}

fn unit_digest(locator: &str, sha256: Option<&str>) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(locator.as_bytes());
    hasher.update(&[0]);
    hasher.update(sha256.unwrap_or_default().as_bytes());
    let digest = hasher.finalize();
    digest.as_bytes()[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
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
        units: Units,
        previous: Option<&'p Previous>,
    ) -> Self {
        Self {
            head: Head::of(run, complete, units.finish()),
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
                .filter(|row| row.decides)
                .map(|row| row.what)
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

struct Difference {
    what: &'static str,
    before: String,
    now: String,
    /// Results depend on it whatever the input.
    decides: bool,
}

impl Difference {
    fn row(self) -> DifferenceRow {
        DifferenceRow {
            what: self.what.to_owned(),
            before: self.before,
            now: self.now,
        }
    }
}

fn differences(before: &Head, now: &Head) -> Vec<Difference> {
    let option = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let sets = |head: &Head| {
        let names = head.sets.iter().map(|set| {
            let digest = set.digest.get(..16).unwrap_or(&set.digest);
            format!("{} {} {} {digest}", set.role, set.work, set.release)
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let limits = |head: &Head| {
        let named = head
            .limits
            .iter()
            .map(|(name, limit)| format!("{name} {limit}"));
        named.collect::<Vec<_>>().join(", ")
    };
    let inputs = |head: &Head| {
        let labels: Vec<&str> = head
            .inputs
            .iter()
            .map(|input| input.label.as_str())
            .collect();
        labels.join(", ")
    };
    let rows = [
        ("rules", before.rules.clone(), now.rules.clone(), true),
        ("sets", sets(before), sets(now), true),
        (
            "profile",
            option(&before.organisation),
            option(&now.organisation),
            true,
        ),
        (
            "list of releases",
            option(&before.releases),
            option(&now.releases),
            true,
        ),
        ("YARA rules", option(&before.yara), option(&now.yara), true),
        ("limits", limits(before), limits(now), true),
        (
            "decoders",
            option(&before.decoders),
            option(&now.decoders),
            true,
        ),
        (
            "triage",
            before.triage.to_string(),
            now.triage.to_string(),
            true,
        ),
        ("program", program(before), program(now), true),
        ("inputs", inputs(before), inputs(now), false),
        (
            "everything read",
            before.complete.to_string(),
            now.complete.to_string(),
            false,
        ),
    ];
    rows.into_iter()
        .filter(|(_, before, now, _)| before != now)
        .map(|(what, before, now, decides)| Difference {
            what,
            before: clip(&before, KEPT_CHARS),
            now: clip(&now, KEPT_CHARS),
            decides,
        })
        .collect()
}

fn program(head: &Head) -> String {
    let digest = head.program.as_deref().and_then(|digest| digest.get(..16));
    format!("{} {}", head.version, digest.unwrap_or("unknown"))
}

/// Finds causes.
struct Judge<'a> {
    before: &'a Head,
    now: &'a Head,
    /// What else differs between the runs and decides results.
    settings: Vec<&'static str>,
    units_before: HashMap<&'a str, Option<&'a str>>,
    /// Digests of all units of the earlier run, where it tells them.
    all_before: Option<HashSet<u64>>,
    units_now: &'a BTreeMap<String, Option<String>>,
}

impl Judge<'_> {
    fn of_new(&self, line: &Line) -> String {
        if !has_input(self.before, &line.locator) {
            return "new input".to_owned();
        }
        let before = line
            .unit
            .as_deref()
            .and_then(|unit| self.units_before.get(unit));
        match before.copied().flatten().zip(line.unit_sha256.as_deref()) {
            Some((before, now)) if before != now => "content changed".to_owned(),
            Some(_) => self.of_same_content(!self.before.complete),
            None if self.was_there(line) || self.is_same_input(&line.locator) => {
                self.of_same_content(!self.before.complete)
            }
            None if self.all_before.is_some() && line.unit.is_some() => {
                "new file, or one with other content".to_owned()
            }
            // Nothing was found in it before, so that it may have been there or not.
            None if self.settings.is_empty() && self.before.complete => {
                "content came in or changed".to_owned()
            }
            None if self.settings.is_empty() => {
                "content came in or changed, or was not read before".to_owned()
            }
            None => format!("content came in or changed, or {}", self.settings_changed()),
        }
    }

    /// Whether the earlier run had the unit of a finding, with the same bytes.
    fn was_there(&self, line: &Line) -> bool {
        let digest =
            (line.unit.as_deref()).map(|unit| unit_digest(unit, line.unit_sha256.as_deref()));
        let all = self.all_before.as_ref();
        all.zip(digest)
            .is_some_and(|(all, digest)| all.contains(&digest))
    }

    fn of_gone(&self, line: &Line) -> String {
        if !has_input(self.now, &line.locator) {
            return "input gone".to_owned();
        }
        let Some(unit) = &line.unit else {
            return self.of_same_content(!self.now.complete);
        };
        match self.units_now.get(unit) {
            None => "file gone from the input".to_owned(),
            Some(now) if *now != line.unit_sha256 => "content changed".to_owned(),
            Some(_) => self.of_same_content(!self.now.complete),
        }
    }

    fn of_other(&self, before: &Line, now: &Line) -> String {
        if before.unit_sha256 != now.unit_sha256 {
            return "content changed".to_owned();
        }
        self.of_same_content(false)
    }

    /// The bytes are the same: what else may have done it. `was_unread`: they need not have been read in one of the runs.
    fn of_same_content(&self, was_unread: bool) -> String {
        match (self.settings.is_empty(), was_unread) {
            (false, false) => self.settings_changed(),
            (false, true) => format!(
                "{}, or not everything was read in one of the runs",
                self.settings_changed()
            ),
            (true, true) => {
                "not everything was read in one of the runs, or other content of the input changed"
                    .to_owned()
            }
            (true, false) => "other content of the input changed".to_owned(),
        }
    }

    fn settings_changed(&self) -> String {
        format!("{} changed", self.settings.join(", "))
    }

    /// Whether the input round a place is one file, and the same in both runs.
    fn is_same_input(&self, locator: &str) -> bool {
        let digest = |head: &Head| {
            let input = head
                .inputs
                .iter()
                .find(|input| is_in(locator, &input.label));
            input.and_then(|input| input.sha256.clone())
        };
        let before = digest(self.before);
        before.is_some() && before == digest(self.now)
    }
}

fn has_input(head: &Head, locator: &str) -> bool {
    head.inputs.iter().any(|input| is_in(locator, &input.label))
}

fn is_in(locator: &str, label: &str) -> bool {
    let label = crate::blob::locator::escape(label.as_bytes());
    let rest = locator.strip_prefix(&label);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with("!/"))
}

/// The findings of an earlier report.
#[derive(Debug)]
pub struct Previous {
    head: Head,
    lines: BTreeMap<String, Line>,
    blake3: String,
}

/// What is needed of `report.json`.
#[derive(Deserialize)]
struct Twin {
    findings_list: Option<FindingsList>,
}

impl Previous {
    /// Reads the list beside a `report.json`, or the list itself.
    ///
    /// # Errors
    /// When it cannot be read, is something else, or was changed since its report was made.
    pub fn read(path: &Path) -> Result<Previous, PreviousError> {
        let unreadable = |path: &Path, error| PreviousError::Unreadable {
            path: path.to_path_buf(),
            error,
        };
        let is_list = path
            .extension()
            .is_some_and(|extension| extension == "jsonl");
        if is_list {
            let bytes = std::fs::read(path).map_err(|error| unreadable(path, error))?;
            return Self::parse(&bytes, path);
        }
        let twin = std::fs::read(path).map_err(|error| unreadable(path, error))?;
        let listed = serde_json::from_slice::<Twin>(&twin).ok();
        let Some(listed) = listed.and_then(|twin| twin.findings_list) else {
            return Err(PreviousError::NoReport {
                path: path.to_path_buf(),
            });
        };
        // The name is ours whatever the report says: it may come from others.
        let list = path.with_file_name(FINDINGS_FILE);
        let bytes = std::fs::read(&list).map_err(|error| unreadable(&list, error))?;
        if blake3::hash(&bytes).to_hex().as_str() != listed.blake3 {
            return Err(PreviousError::Changed { path: list });
        }
        Self::parse(&bytes, &list)
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Previous, PreviousError> {
        let damaged = |line: usize, what: String| PreviousError::Damaged {
            path: path.to_path_buf(),
            line,
            what,
        };
        let mut lines = bytes.lines().enumerate();
        let Some((_, Ok(first))) = lines.next() else {
            return Err(damaged(1, "nothing is in it".to_owned()));
        };
        let head: Head =
            serde_json::from_str(&first).map_err(|error| damaged(1, error.to_string()))?;
        if head.form != FORM {
            return Err(damaged(
                1,
                format!("its form is {}, and this program knows {FORM}", head.form),
            ));
        }
        let mut found = BTreeMap::new();
        for (index, line) in lines {
            let line = line.map_err(|error| damaged(index + 1, error.to_string()))?;
            let line: Line = serde_json::from_str(&line)
                .map_err(|error| damaged(index + 1, error.to_string()))?;
            found.insert(line.id.clone(), line);
        }
        Ok(Previous {
            head,
            lines: found,
            blake3: blake3::hash(bytes).to_hex().to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{exposure, run};
    use super::*;
    use crate::record::{Certainty, Severity};

    struct At {
        record: Record,
        unit: UnitName,
    }

    fn at(class: &str, severity: Severity, unit: &str, sha256: &str) -> At {
        At {
            record: Record::Exposure(exposure(
                class,
                severity,
                Certainty::Proven,
                &format!("{unit}!/x"),
                "",
            )),
            unit: UnitName {
                locator: unit.to_owned(),
                sha256: Some(sha256.to_owned()),
            },
        }
    }

    fn labelled(rules: &str, labels: &[&str]) -> Run {
        let mut run = run();
        run.rules = rules.to_owned();
        run.inputs = labels
            .iter()
            .map(|label| RunInput {
                label: (*label).to_owned(),
                sha256: None,
            })
            .collect();
        run
    }

    fn list(run: &Run, findings: &[At]) -> Previous {
        let mut units = Units::default();
        findings.iter().for_each(|finding| units.add(&finding.unit));
        units.add(&UnitName {
            locator: "m/silent.tgz".to_owned(),
            sha256: Some("7".to_owned()),
        });
        let mut comparer = Comparer::new(Some(run), true, units, None);
        let mut out = Vec::new();
        comparer.begin(&mut out).unwrap();
        for finding in findings {
            comparer
                .add(&finding.record, Some(&finding.unit), &mut out)
                .unwrap();
        }
        Previous::parse(&out, Path::new("findings.jsonl")).unwrap()
    }

    fn changes(
        previous: &Previous,
        run: &Run,
        findings: &[At],
        units: &[(&str, &str)],
    ) -> (Changes, String) {
        let mut comparer = Comparer::new(Some(run), true, Units::default(), Some(previous));
        for finding in findings {
            comparer
                .add(&finding.record, Some(&finding.unit), &mut Vec::new())
                .unwrap();
        }
        let units = units
            .iter()
            .map(|(unit, sha256)| ((*unit).to_owned(), Some((*sha256).to_owned())))
            .collect();
        let mut table = Vec::new();
        let found = comparer.finish(&units, &mut table).unwrap().unwrap();
        (found, String::from_utf8(table).unwrap())
    }

    fn causes(table: &Table<ChangeRow>) -> Vec<(&str, &str)> {
        table
            .rows
            .iter()
            .map(|row| (row.what.as_str(), row.cause.as_str()))
            .collect()
    }

    #[test]
    fn every_change_has_its_cause() {
        use Severity::{High, Info};
        let before = list(
            &labelled("r1", &["m", "gone"]),
            &[
                at("a", High, "gone/x.tgz", "1"),
                at("b", High, "m/away.tgz", "2"),
                at("c", High, "m/other.tgz", "3"),
                at("d", High, "m/same.tgz", "4"),
                at("e", High, "m/same.tgz", "4"),
                at("f", High, "m/same.tgz", "4"),
            ],
        );
        let now = [
            at("d", Info, "m/same.tgz", "4"),
            at("e", High, "m/same.tgz", "4"),
            at("g", High, "m/other.tgz", "33"),
            at("h", High, "m/same.tgz", "4"),
            at("i", High, "m/fresh.tgz", "5"),
            at("j", High, "new/y.tgz", "6"),
            at("k", High, "m/silent.tgz", "7"),
        ];
        let units = [("m/other.tgz", "33"), ("m/same.tgz", "4")];
        let (found, table) = changes(&before, &labelled("r1", &["m", "new"]), &now, &units);
        assert_eq!(
            causes(&found.new),
            [
                ("g", "content changed"),
                ("h", "other content of the input changed"),
                ("i", "new file, or one with other content"),
                ("j", "new input"),
                // Nothing was found in it before, and it was there.
                ("k", "other content of the input changed"),
            ]
        );
        assert_eq!(
            causes(&found.withdrawn),
            [
                ("a", "input gone"),
                ("b", "file gone from the input"),
                ("c", "content changed"),
                ("f", "other content of the input changed"),
            ]
        );
        assert_eq!(
            causes(&found.reclassified),
            [("d", "other content of the input changed")]
        );
        assert_eq!(
            found.reclassified.rows[0].before.as_deref(),
            Some("high proven")
        );
        assert_eq!((found.unchanged, table.lines().count()), (1, 11));

        let (found, _) = changes(&before, &labelled("r2", &["m", "gone"]), &now, &units);
        assert_eq!(causes(&found.reclassified), [("d", "rules changed")]);
        assert_eq!(
            causes(&found.new)[2],
            ("i", "new file, or one with other content")
        );
        assert_eq!(found.differences[0].what, "rules");
    }

    #[test]
    fn damaged_lists_are_refused() {
        let parse = |text: &str| {
            Previous::parse(text.as_bytes(), Path::new("f.jsonl"))
                .unwrap_err()
                .to_string()
        };
        assert!(parse("").contains("nothing"));
        assert!(parse("{}").starts_with("f.jsonl:1:"));
        let head = serde_json::to_string(&Head {
            form: 9,
            ..Head::default()
        })
        .unwrap();
        assert!(parse(&head).contains("its form is 9"));
        let head = serde_json::to_string(&Head {
            form: FORM,
            ..Head::default()
        })
        .unwrap();
        assert!(parse(&format!("{head}\n{{\"id\":1}}\n")).starts_with("f.jsonl:2:"));
    }
}
