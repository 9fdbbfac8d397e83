//! Everything the report shows, as data.
//!
//! [`Builder`] reads records one by one, in the order in which they are written, and keeps counts and bounded
//! tables only. The page and the JSON twin are both made from the model, so their numbers cannot differ.
//!
//! Two figures are kept apart all the way: *places* counts each place of equal content, *distinct* counts content
//! once, by its SHA-256. And a statement of absence is never a bare zero: it carries its scope, and turns into "not
//! yet supportable" with the reasons while the ledger is not complete.
//!
//! Left out: what the rules, grades and classes mean (the page's glossary and `signatures/` say that), and single
//! matches, items and secrets, which are counted here and listed by other outputs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ReportError;
use super::actions::Actions;
use super::axes::{Axis, Override};
use super::bounded::{Count, GroupKey, Table};
use super::claims::ClaimRow;
use super::containment::Containment;
use super::copies::{Copies, MatchCount};
use super::definitions::Definition;
use super::folders::{CarrierRow, Counts, Part};
use super::gather::Gatherer;
use super::inventory::Inventory;
use super::lists::ListFile;
use super::questions::Answer;
use super::rotation::{Rotation, identity};
use super::since::Releases;
use super::since_previous::{Changes, FindingsList};
use super::size::Size;
use super::timeline::TimeRow;
use super::views::{Mask, View};
use crate::copies::scope::Scope;
use crate::record::{Certainty, Grade, Ledger, MapKind, Record, ReferenceKind, RunSet, Severity};

/// Version of the model's JSON. Grows by one when a field is added.
pub const REPORT_VERSION: u32 = 5;

/// Rows kept of one table.
pub const ROWS: usize = 500;

/// Everything that is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// [`REPORT_VERSION`].
    pub report: u32,
    /// Who reads it.
    pub view: View,
    /// The first thing to read.
    pub verdict: Verdict,
    /// What to do, and the lists beside the page.
    pub actions: Actions,
    /// What dates are known.
    pub timeline: Vec<TimeRow>,
    /// How much it is.
    pub size: Size,
    /// What recovered code reveals.
    pub inventory: Inventory,
    /// Credentials, each once.
    pub rotation: Rotation,
    /// Published units.
    pub packages: Packages,
    /// Artifacts that should not be public.
    pub exposures: Exposures,
    /// Original files recovered from maps.
    pub sources: Sources,
    /// Releases side by side, where the input holds several of a package.
    pub releases: Releases,
    /// Places that hold a work, and what else was looked at.
    pub copies: Copies,
    /// What the input points to and does not hold.
    pub references: References,
    /// Secrets and items: how many of which kind.
    pub findings: Findings,
    /// The account of what was read.
    pub coverage: Coverage,
    /// What kept bytes from being read, or is odd.
    pub problems: Problems,
    /// What ran, on what.
    pub method: Method,
    /// What the words mean.
    pub definitions: Vec<Definition>,
    /// What changed since an earlier report, where one was given.
    pub changes: Option<Changes>,
    /// What became of claims, where some were given.
    pub claims: Vec<ClaimRow>,
    /// The list of findings beside the report.
    pub findings_list: Option<FindingsList>,
}

/// The box at the top.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Everything in the input was read in full, and the account adds up.
    pub complete: bool,
    /// Why not, shortest first words; empty when complete.
    pub reasons: Vec<String>,
    /// The highest severity of an exposure or secret seen.
    pub highest: Option<Severity>,
    /// The highest level of an axis.
    pub level: u8,
    /// The axes at that level, by their titles.
    pub headline: Vec<String>,
    /// The eight questions.
    pub answers: Vec<Answer>,
    /// How bad it is, axis by axis.
    pub axes: Vec<Axis>,
}

/// A statement of absence with its scope, or that it cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Everything in the scope was read.
    pub supportable: bool,
    /// The statement.
    pub text: String,
    /// What stands against it; empty when supportable.
    pub reasons: Vec<String>,
}

/// Published units found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Packages {
    /// How many have exposures, secrets or recovered sources of the first or an unknown party.
    pub with_findings: u64,
    /// How many were not read in full.
    pub incomplete: u64,
    /// Those with findings first, by severity and size.
    pub table: Table<PackageRow>,
}

/// One package at one version at one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PackageRow {
    /// Where.
    pub locator: String,
    /// Kind of package.
    pub ecosystem: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// SHA-256 of the archive.
    pub sha256: Option<String>,
    /// Its licence.
    pub licence: Option<String>,
    /// It declares an open licence and a public repository.
    pub declared_open: bool,
    /// Highest severity of an exposure or secret at or below its locator; null where there is none.
    pub severity: Option<Severity>,
    /// Files in it.
    pub files: u64,
    /// Maps in it.
    pub maps: u64,
    /// Sources named, first party.
    pub first: u64,
    /// Sources named, third party.
    pub third: u64,
    /// Sources named, unknown party.
    pub unknown: u64,
    /// Sources whose content is there.
    pub with_content: u64,
    /// Bytes of recovered sources of the first or an unknown party.
    pub own_bytes: u64,
    /// Exposures in it.
    pub exposures: u64,
    /// Secrets in it.
    pub secrets: u64,
    /// Everything in it was read.
    pub complete: bool,
}

/// Artifacts that should not be public.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exposures {
    /// Places.
    pub total: u64,
    /// Places where the bytes were parsed and say so.
    pub proven: u64,
    /// Places where a name or a pattern says so.
    pub hint: u64,
    /// By class.
    pub classes: Vec<ClassRow>,
    /// By severity, worst first; severities without rows are left out.
    pub severities: Vec<SeverityTable>,
    /// Said where there are none.
    pub absence: Option<Statement>,
}

/// The exposures of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassRow {
    /// Id of the class.
    pub class: String,
    /// What it is called; null where no rule of the program has that id.
    pub title: Option<String>,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub action: Option<String>,
    /// Highest severity seen.
    pub highest: Severity,
    /// Places, proven.
    pub proven: u64,
    /// Places, hinted.
    pub hint: u64,
    /// Distinct contents by SHA-256.
    pub distinct: u64,
    /// Places that have no content of their own, and so no part in `distinct`.
    pub without_content: u64,
}

/// The exposures of one severity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeverityTable {
    /// Which.
    pub severity: Severity,
    /// Proven before hinted, then by class and place.
    pub table: Table<ExposureRow>,
}

/// One exposure at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExposureRow {
    /// Id of its class.
    pub class: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// Where.
    pub locator: String,
    /// SHA-256 of the content.
    pub sha256: Option<String>,
    /// What was seen.
    pub detail: String,
}

/// Original files recovered from maps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sources {
    /// Source maps, by where they stand.
    pub maps: Vec<Count>,
    /// Maps that are not valid by ECMA-426.
    pub maps_invalid: u64,
    /// Maps that nobody judged.
    pub maps_unjudged: u64,
    /// At places.
    pub places: Counts,
    /// Distinct contents by SHA-256.
    pub distinct: Distinct,
    /// By carrier and folder.
    pub carriers: Table<CarrierRow>,
    /// Sources of the carriers that have no row.
    pub others: Counts,
    /// The treemap: parts of the whole, parents before children; the first is the whole.
    pub treemap: Vec<Part>,
    /// Said where no source was recovered.
    pub absence: Option<Statement>,
}

/// Distinct contents of recovered sources. Content that has different parties at different places counts with each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Distinct {
    /// Whatever the party.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// First party somewhere.
    pub first: u64,
    /// Their bytes.
    pub first_bytes: u64,
    /// Third party somewhere.
    pub third: u64,
    /// Their bytes.
    pub third_bytes: u64,
    /// Unknown party somewhere.
    pub unknown: u64,
    /// Their bytes.
    pub unknown_bytes: u64,
    /// Places of recovered sources without a SHA-256, which have no part above.
    pub without_digest: u64,
}

/// What the input points to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct References {
    /// References whose target the input holds.
    pub found: u64,
    /// References whose target it does not hold, by kind.
    pub missing: Vec<Count>,
    /// The latter; storage buckets and network addresses first.
    pub table: Table<ReferenceRow>,
    /// Said where every target was found.
    pub absence: Option<Statement>,
}

/// A reference whose target was not found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReferenceRow {
    /// What kind of place it points to.
    pub kind: ReferenceKind,
    /// What it points to.
    pub target: String,
    /// The entry that points.
    pub locator: String,
}

/// Secrets and items, counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// Secrets, each place counted.
    pub secrets_total: u64,
    /// Secrets by rule.
    pub secrets: Vec<Count>,
    /// Secrets by what was checked.
    pub checks: Vec<Count>,
    /// Secrets by severity, worst first.
    pub severities: Vec<Count>,
    /// What can be said of the live secrets that were looked for; null where there was no set of them.
    pub live: Option<Statement>,
    /// Items, each place counted.
    pub items_total: u64,
    /// Items by kind.
    pub items: Vec<Count>,
}

/// The account of coverage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// The ledger; null where the records end without one.
    pub ledger: Option<Ledger>,
    /// The sum of the outcomes.
    pub sum: u64,
    /// It equals the entries.
    pub adds_up: bool,
}

/// What kept bytes from being read, or is odd.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problems {
    /// By code.
    pub codes: Vec<ProblemCode>,
    /// What was not read first.
    pub table: Table<ProblemRow>,
    /// Said where there are none.
    pub absence: Option<Statement>,
}

/// Problems of one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemCode {
    /// The code.
    pub code: String,
    /// How many.
    pub count: u64,
    /// Bytes not read, where that is known.
    pub bytes_unread: u64,
    /// Problems where nobody can tell how many bytes were not read.
    pub unknown: u64,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemRow {
    /// Its code.
    pub code: String,
    /// Where.
    pub locator: String,
    /// What happened and what to do.
    pub detail: String,
    /// Bytes not read; null when nobody can tell.
    pub bytes_unread: Option<u64>,
}

/// What ran, on what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Method {
    /// Version of the record schema.
    pub schema: Option<u32>,
    /// Program name and version.
    pub version: Option<String>,
    /// BLAKE3 of the program.
    pub program: Option<String>,
    /// BLAKE3 of the rules.
    pub rules: Option<String>,
    /// BLAKE3 of the organisation profile.
    pub organisation: Option<String>,
    /// Signature sets and baselines.
    pub sets: Table<RunSet>,
    /// The inputs.
    pub inputs: Table<InputRow>,
    /// Limits in force.
    pub limits: Vec<Count>,
    /// UTC start of the run.
    pub started: Option<String>,
    /// Seconds that the run took.
    pub seconds: Option<f64>,
    /// Records read, by type.
    pub records: Vec<Count>,
    /// Which rules ran on which texts.
    pub tiers: Vec<TierRow>,
}

/// One way of looking at texts: what it is tried on, and what not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TierRow {
    /// The word of records for rules for secrets, or `inventory`.
    pub tier: String,
    /// What it is tried on.
    pub tried_on: String,
    /// What was read and it is not tried on; null where it is tried on nothing.
    pub not_on: Option<String>,
    /// Places found.
    pub places: u64,
}

/// An input of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputRow {
    /// Its label.
    pub label: String,
    /// SHA-256 of the file; null for a folder.
    pub sha256: Option<String>,
}

/// How a report is made.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Who reads it.
    pub view: View,
    /// What pseudonyms are keyed by: secret, or random; empty where the view numbers what it does not show.
    pub key: Vec<u8>,
    /// Axes set by hand.
    pub overrides: Vec<Override>,
    /// What may be said of all places. It needs the draws of the case, which are no records; and names of places stay in it
    /// that the public view leaves out.
    pub scope: Option<Scope>,
    /// Where withdrawn packages go on lying, for `containment.csv`.
    pub containment: Containment,
}

/// A report: the model, and the files beside the page.
#[derive(Debug, Clone)]
pub struct Report {
    /// What the page and its twin show.
    pub model: Model,
    /// Lists for those who act; none in the public view.
    pub lists: Vec<ListFile>,
}

/// Makes a report of a stream of records.
pub struct Builder {
    gatherer: Gatherer,
    mask: Mask,
}

impl Builder {
    /// One that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            mask: Mask::new(settings.view, &settings.key),
            gatherer: Gatherer::new(settings),
        }
    }

    /// Takes a record. They come in the order in which a run writes them. Memory: the tables' bounds, 17 bytes for each
    /// distinct content of a source, 16 for each distinct exposed content, item and credential, 8 for each archive with
    /// maps beyond the largest, and the severities of at most a million places above exposures.
    ///
    /// # Errors
    /// A record that the view cannot be made of.
    pub fn add(&mut self, record: Record) -> Result<(), ReportError> {
        // A digest that tells credentials apart and is in no output.
        let identity = match &record {
            Record::Secret(secret) => identity(secret),
            _ => GroupKey::default(),
        };
        self.gatherer.add(self.mask.apply(record)?, identity);
        Ok(())
    }

    /// The report.
    pub fn finish(self) -> Report {
        self.gatherer.finish()
    }
}

impl Model {
    /// The model of the internal view.
    ///
    /// # Panics
    /// Never: the internal view takes every record.
    #[cfg(test)]
    pub(super) fn build(records: impl IntoIterator<Item = Record>) -> Model {
        let mut builder = Builder::new(Settings::default());
        for record in records {
            builder.add(record).unwrap();
        }
        builder.finish().model
    }

    /// One of the five axes.
    pub fn axis(&self, id: &str) -> Option<&Axis> {
        self.verdict.axes.iter().find(|axis| axis.id == id)
    }
}

/// Position in one of the lists below: record enums that have no order of their own get this one.
pub(super) type Rank = u8;

pub(super) const MAP_KINDS: [(MapKind, &str); 4] = [
    (MapKind::File, "file of its own"),
    (MapKind::Inline, "inline, as a data URL"),
    (MapKind::Section, "section of an index map"),
    (MapKind::Embedded, "embedded in another carrier"),
];

pub(super) const GRADES: [(Grade, &str); 6] = [
    (Grade::Exact, "exact"),
    (Grade::Normalized, "normalized"),
    (Grade::Excerpt, "excerpt"),
    (Grade::Derived, "derived"),
    (Grade::Ported, "ported"),
    (Grade::Hinted, "hinted"),
];

/// Storage buckets first: what stands there is most likely an archive of everything.
pub(super) const REFERENCE_KINDS: [(ReferenceKind, &str); 5] = [
    (ReferenceKind::Bucket, "bucket"),
    (ReferenceKind::Url, "url"),
    (ReferenceKind::File, "file"),
    (ReferenceKind::DebugId, "debug-id"),
    (ReferenceKind::Package, "package"),
];

pub(super) fn rank<T: PartialEq>(all: &[(T, &str)], one: &T) -> u8 {
    let at = all
        .iter()
        .position(|(known, _)| known == one)
        .unwrap_or(all.len());
    u8::try_from(at).unwrap_or(u8::MAX)
}

pub(super) fn word<T>(all: &[(T, &'static str)], rank: u8) -> &'static str {
    all.get(usize::from(rank)).map_or("other", |(_, word)| word)
}

impl ReferenceRow {
    /// The word used in records.
    pub fn kind_word(&self) -> &'static str {
        word(&REFERENCE_KINDS, rank(&REFERENCE_KINDS, &self.kind))
    }
}

impl MatchCount {
    /// The word used in records.
    pub fn grade_word(&self) -> &'static str {
        word(&GRADES, rank(&GRADES, &self.grade))
    }
}

impl ExposureRow {
    /// The word used in records.
    pub fn certainty_word(&self) -> &'static str {
        match self.certainty {
            Certainty::Proven => "proven",
            Certainty::Hint => "hint",
        }
    }
}

impl Exposures {
    /// What the worst class is called; the one with the most places where several are as bad.
    pub(super) fn worst_title(&self) -> String {
        let places = |row: &&ClassRow| row.proven.saturating_add(row.hint);
        let highest = self.classes.first().map(|row| row.highest);
        let worst = self
            .classes
            .iter()
            .filter(|row| Some(row.highest) == highest);
        worst
            .rev()
            .max_by_key(places)
            .map_or_else(String::new, |row| {
                row.title.clone().unwrap_or_else(|| row.class.clone())
            })
    }
}

impl Problems {
    /// How many have this code.
    pub(super) fn of_code(&self, code: &str) -> u64 {
        let rows = self.codes.iter().filter(|row| row.code == code);
        rows.map(|row| row.count).sum()
    }
}

impl Coverage {
    /// Skipped entries, whatever the reason.
    pub fn skipped(&self) -> u64 {
        self.ledger
            .as_ref()
            .map_or(0, |ledger| total(&ledger.skipped))
    }

    /// Damaged entries, whatever the reason.
    pub fn damaged(&self) -> u64 {
        self.ledger
            .as_ref()
            .map_or(0, |ledger| total(&ledger.damaged))
    }
}

pub(super) fn total(counts: &BTreeMap<String, u64>) -> u64 {
    counts
        .values()
        .fold(0, |sum, &count| sum.saturating_add(count))
}

impl PackageRow {
    /// Name and version, as people write them.
    pub fn label(&self) -> String {
        match &self.version {
            Some(version) => format!("{}@{version}", self.name),
            None => self.name.clone(),
        }
    }
}
impl PackageRow {
    /// It has exposures, secrets, or recovered sources of the first or an unknown party.
    pub fn has_findings(&self) -> bool {
        self.exposures > 0 || self.secrets > 0 || self.own_bytes > 0
    }
}

#[cfg(test)]
mod tests;
