//! Claims that were made in public, held against what the records say.
//!
//! "About 1,900 files", "512K lines", "only version 2.1.88": after a leak such figures go round, each counted in some way that
//! nobody states. A claim is *supported* where a count of ours agrees within its own words, and then it is said which; it is
//! *contradicted* where none does and everything was read; else it is *not examinable*, and it is said why. Every count
//! is printed with its definition, whatever the outcome.
//!
//! Claims come as TOML (`[[claim]]` with `id`, `text`, `kind`, `value` and, if wanted, `tolerance`, `package`) or as CSV
//! with these columns. A figure is taken at its word: `59.8 MB` is right when it rounds so, `1,900` when it is that, and
//! `about 1,900` within ten in a hundred. `only` goes with a version or a class, and says that no other is affected.
//! A word that does not go with the kind of a claim is refused, since a word that is read and not obeyed makes the answer one to
//! another claim. Left out: whether a claim matters.

mod judge;
mod read;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use self::read::{Written, from_csv, from_toml, understood};
use super::gather::digest;
use super::model::total;
use super::text::{KEPT_CHARS, clip};
use super::verdict::sum_of_outcomes;
use crate::record::{Ledger, Package, Party, Record, Release, Source};

/// What a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimKind {
    /// A number of files.
    Files,
    /// A number of lines.
    Lines,
    /// A number of bytes.
    Bytes,
    /// A version that exposes something.
    Version,
    /// A way in which it came out: a class of exposures.
    Vector,
}

impl ClaimKind {
    const ALL: [(&'static str, ClaimKind); 5] = [
        ("files", ClaimKind::Files),
        ("lines", ClaimKind::Lines),
        ("bytes", ClaimKind::Bytes),
        ("version", ClaimKind::Version),
        ("vector", ClaimKind::Vector),
    ];
}

/// Why claims cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct ClaimError {
    /// Name of the file, as given.
    pub file: String,
    /// Line, 1-based; of a claim in TOML its number.
    pub line: usize,
    /// What is wrong, and what to write instead.
    pub what: String,
}

/// A claim that can be examined.
#[derive(Debug, Clone, PartialEq)]
struct Claim {
    written: Written,
    kind: ClaimKind,
    range: Option<Range>,
    /// It says that no other version or class is affected.
    is_only: bool,
}

/// The counts that a claim allows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    from: f64,
    to: f64,
    /// The figure that is left out.
    without: Option<f64>,
}

impl Range {
    fn holds(&self, count: u64) -> bool {
        let count = count as f64;
        self.from <= count && count <= self.to && self.without != Some(count)
    }

    /// It states the most that there may be, and no least.
    fn is_ceiling(&self) -> bool {
        self.from <= 0.0
    }
}

/// Claims to be held against records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claims {
    claims: Vec<Claim>,
}

impl Claims {
    /// None were given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// Reads claims: TOML, or CSV where the file is called so.
    ///
    /// # Errors
    /// Unknown kinds, words, columns and classes, with the nearest known ones, and figures that are none.
    pub fn parse(text: &str, path: &Path) -> Result<Claims, ClaimError> {
        let file = path.display().to_string();
        let is_csv = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let written = if is_csv {
            from_csv(text, &file)?
        } else {
            from_toml(text, &file)?
        };
        let mut ids = HashSet::new();
        let mut claims = Vec::new();
        for (line, written) in written {
            let fail = |what: String| ClaimError {
                file: file.clone(),
                line,
                what,
            };
            if !ids.insert(written.id.clone()) {
                return Err(fail(format!(
                    "the id `{}` is there twice",
                    written.id.escape_debug()
                )));
            }
            claims.push(understood(written).map_err(fail)?);
        }
        Ok(Claims { claims })
    }
}

/// Counts of one sort.
#[derive(Debug, Clone, Copy, Default)]
struct Sizes {
    files: u64,
    lines: u64,
    bytes: u64,
}

impl Sizes {
    fn add(&mut self, source: &Source) {
        self.files += 1;
        self.lines = self.lines.saturating_add(source.lines.unwrap_or(0));
        self.bytes = self.bytes.saturating_add(source.bytes.unwrap_or(0));
    }

    fn of(&self, kind: ClaimKind) -> u64 {
        match kind {
            ClaimKind::Files => self.files,
            ClaimKind::Lines => self.lines,
            _ => self.bytes,
        }
    }
}

/// What is counted for the claims about one package, or about all of the input.
#[derive(Debug, Default)]
struct Counted {
    own_distinct: Sizes,
    all_distinct: Sizes,
    own_places: Sizes,
    all_places: Sizes,
    named: u64,
    seen: HashSet<([u8; 16], bool)>,
    versions: BTreeMap<String, Version>,
    /// The first name of a package.
    name: Option<String>,
    /// Packages of another name are there too.
    has_several_names: bool,
    /// Versions that were published and are not in the input; none where nothing says what was published.
    unseen: Option<u64>,
    classes: BTreeMap<String, u64>,
}

/// What was seen of one version, at all its places.
#[derive(Debug)]
struct Version {
    /// Exposures and secrets in it.
    findings: u64,
    /// All of it was read.
    is_whole: bool,
}

impl Counted {
    fn add_source(&mut self, source: &Source) {
        self.named += 1;
        if source.bytes.is_none() {
            return;
        }
        let is_own = source.party != Party::Third;
        self.all_places.add(source);
        if is_own {
            self.own_places.add(source);
        }
        let Some(digest) = source.sha256.as_deref().and_then(digest) else {
            return;
        };
        if self.seen.insert((digest, false)) {
            self.all_distinct.add(source);
        }
        if is_own && self.seen.insert((digest, true)) {
            self.own_distinct.add(source);
        }
    }

    fn add_package(&mut self, package: &Package) {
        let findings = total(&package.exposures).saturating_add(package.secrets);
        let version = package.version.clone().unwrap_or_default();
        let held = self.versions.entry(version).or_insert(Version {
            findings: 0,
            is_whole: true,
        });
        held.findings = held.findings.saturating_add(findings);
        held.is_whole &= package.complete;
        let name = self.name.get_or_insert_with(|| package.name.clone());
        self.has_several_names |= *name != package.name;
    }

    fn add_release(&mut self, release: &Release) {
        if let Some(before) = release.unseen_before {
            let unseen = before.saturating_add(release.unseen_after.unwrap_or(0));
            let sum = self.unseen.get_or_insert(0);
            *sum = sum.saturating_add(unseen);
        }
    }

    /// The counts that a figure may mean, each with its definition.
    fn figures(&self, kind: ClaimKind) -> Vec<Figure> {
        let what = match kind {
            ClaimKind::Files => "files",
            ClaimKind::Lines => "lines (line feeds, and a last line without one) of files",
            _ => "bytes of files",
        };
        let figure = |sizes: &Sizes, which: &str| Figure {
            definition: format!("{what} {which}"),
            count: sizes.of(kind),
        };
        let mut figures = vec![
            figure(
                &self.own_distinct,
                "recovered from maps, of the first or an unknown party, equal contents once",
            ),
            figure(
                &self.all_distinct,
                "recovered from maps, of any party, equal contents once",
            ),
            figure(
                &self.own_places,
                "recovered from maps, of the first or an unknown party, at each place",
            ),
            figure(
                &self.all_places,
                "recovered from maps, of any party, at each place",
            ),
        ];
        if kind == ClaimKind::Files {
            figures.push(Figure {
                definition: "files that maps name, with or without content".to_owned(),
                count: self.named,
            });
        }
        figures
    }
}

/// A count and what it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// What is counted.
    pub definition: String,
    /// How many.
    pub count: u64,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A count agrees.
    Supported,
    /// None does, and everything was read.
    Contradicted,
    /// The input does not decide it.
    NotExaminable,
}

impl Outcome {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Supported => "supported",
            Outcome::Contradicted => "contradicted",
            Outcome::NotExaminable => "not examinable",
        }
    }
}

/// A claim and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimRow {
    /// Its id.
    pub id: String,
    /// As it was made.
    pub text: String,
    /// What it is about.
    pub kind: ClaimKind,
    /// The value that it states, with its word.
    pub value: String,
    /// The package that it is about; null for all of the input.
    pub package: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// What was counted, with definitions.
    pub figures: Vec<Figure>,
}

impl ClaimRow {
    /// What it is about, in a word.
    pub fn kind_word(&self) -> &'static str {
        let known = ClaimKind::ALL.iter().find(|(_, kind)| *kind == self.kind);
        known.map_or("", |(word, _)| *word)
    }
}

/// Counts what claims are about, while records come by.
pub struct Examiner<'c> {
    claims: &'c Claims,
    all: Counted,
    packages: BTreeMap<&'c str, Counted>,
    /// Locators of the packages that claims name, with their names.
    at: BTreeMap<String, Vec<&'c str>>,
    complete: bool,
    /// Nothing was looked for but equal bytes.
    is_triage: bool,
}

impl<'c> Examiner<'c> {
    /// For these claims. The packages must be told before the records.
    pub fn new(claims: &'c Claims) -> Self {
        let named = claims
            .claims
            .iter()
            .map(|claim| claim.written.package.as_str());
        let packages = named.filter(|name| !name.is_empty());
        Self {
            claims,
            all: Counted::default(),
            packages: packages.map(|name| (name, Counted::default())).collect(),
            at: BTreeMap::new(),
            complete: false,
            is_triage: false,
        }
    }

    /// Takes note of where the packages stand that claims name: a first look through the records.
    pub fn note(&mut self, record: &Record) {
        if let Record::Package(package) = record
            && let Some((name, _)) = self.packages.get_key_value(package.name.as_str())
        {
            let here = self.at.entry(package.locator.clone()).or_default();
            here.push(name);
        }
    }

    /// Counts a record: a second look.
    pub fn add(&mut self, record: &Record) {
        match record {
            Record::Source(source) => {
                self.all.add_source(source);
                self.each_of(&source.locator, |counted| counted.add_source(source));
            }
            Record::Exposure(exposure) => {
                let add = |counted: &mut Counted| {
                    *counted.classes.entry(exposure.class.clone()).or_insert(0) += 1;
                };
                add(&mut self.all);
                self.each_of(&exposure.locator, add);
            }
            Record::Package(package) => {
                self.all.add_package(package);
                if let Some(counted) = self.packages.get_mut(package.name.as_str()) {
                    counted.add_package(package);
                }
            }
            Record::Release(release) => {
                self.all.add_release(release);
                if let Some(counted) = self.packages.get_mut(release.name.as_str()) {
                    counted.add_release(release);
                }
            }
            Record::Run(run) => self.is_triage = run.triage,
            Record::Ledger(ledger) => self.complete = self.is_complete(ledger),
            _ => {}
        }
    }

    /// As the verdict of the report has it: a triage looks for nothing that claims are about.
    fn is_complete(&self, ledger: &Ledger) -> bool {
        ledger.read_all() && sum_of_outcomes(ledger) == ledger.entries && !self.is_triage
    }

    fn each_of(&mut self, locator: &str, mut act: impl FnMut(&mut Counted)) {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        // The place itself, and each that it lies in.
        let slashes = memchr::memchr_iter(b'/', locator.as_bytes());
        let rounds = slashes.filter_map(|slash| locator.get(..slash));
        for round in rounds.chain([locator]) {
            let containers = [round.strip_suffix('!'), Some(round)];
            for at in containers.into_iter().flatten() {
                names.extend(self.at.get(at).into_iter().flatten());
            }
        }
        for name in names {
            if let Some(counted) = self.packages.get_mut(name) {
                act(counted);
            }
        }
    }

    /// What became of each claim.
    pub fn finish(self) -> Vec<ClaimRow> {
        self.claims
            .claims
            .iter()
            .map(|claim| self.row(claim))
            .collect()
    }

    fn row(&self, claim: &Claim) -> ClaimRow {
        let written = &claim.written;
        let package = Some(written.package.as_str()).filter(|name| !name.is_empty());
        let counted = package
            .and_then(|name| self.packages.get(name))
            .unwrap_or(&self.all);
        let is_there = package.is_none_or(|name| self.at.values().flatten().any(|at| *at == name));
        let (outcome, reason, figures) = if is_there {
            self.judged(claim, counted)
        } else {
            let reason = "the package is not in the input".to_owned();
            (Outcome::NotExaminable, reason, Vec::new())
        };
        let value = [written.tolerance.trim(), written.value.trim()].join(" ");
        ClaimRow {
            id: clip(&written.id, KEPT_CHARS),
            text: clip(&written.text, KEPT_CHARS),
            kind: claim.kind,
            value: clip(value.trim(), KEPT_CHARS),
            package: package.map(|name| clip(name, KEPT_CHARS)),
            outcome,
            reason,
            figures,
        }
    }
}

/// Versions or classes that are named with one claim.
const VERSIONS_MAX: usize = 20;

#[cfg(test)]
mod tests;
