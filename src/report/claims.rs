//! Claims that were made in public, held against what the records say.
//!
//! "About 1,900 files", "512K lines", "only version 2.1.88": after a leak such figures go round, each counted in some way that
//! nobody states. A claim is *supported* where a count of ours agrees within its own words, and then it is said which; it is
//! *contradicted* where none does and everything was read; else it is *not examinable*, and it is said why. Every count
//! is printed with its definition, whatever the outcome.
//!
//! Claims come as TOML (`[[claim]]` with `id`, `text`, `kind`, `value` and, if wanted, `tolerance`, `package`) or as CSV
//! with these columns. A figure is taken at its word: `59.8 MB` is right when it rounds so, `1,900` when it is that, and
//! `about 1,900` within ten in a hundred. Left out: whether a claim matters.

mod read;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use self::read::{Written, from_csv, from_toml, understood};
use super::gather::digest;
use super::text::{KEPT_CHARS, clip, grouped};
use crate::record::{Ledger, Package, Party, Record, Source};

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
    /// Versions, with findings and sources of one's own in each, and whether all of it was read.
    versions: BTreeMap<String, (u64, bool)>,
    classes: BTreeMap<String, u64>,
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
        let findings = package.exposures.values().sum::<u64>() + package.secrets;
        let version = package.version.clone().unwrap_or_default();
        let held = self.versions.entry(version).or_insert((0, true));
        held.0 += findings;
        held.1 &= package.complete;
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
    at: Vec<(String, &'c str)>,
    complete: bool,
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
            at: Vec::new(),
            complete: false,
        }
    }

    /// Takes note of where the packages stand that claims name: a first look through the records.
    pub fn note(&mut self, record: &Record) {
        if let Record::Package(package) = record
            && let Some((name, _)) = self.packages.get_key_value(package.name.as_str())
        {
            self.at.push((package.locator.clone(), name));
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
            Record::Ledger(ledger) => self.complete = is_complete(ledger),
            _ => {}
        }
    }

    fn each_of(&mut self, locator: &str, mut act: impl FnMut(&mut Counted)) {
        let mut names: Vec<&str> = Vec::new();
        for (at, name) in &self.at {
            let rest = locator.strip_prefix(at.as_str());
            let is_in = rest.is_some_and(|rest| {
                rest.is_empty() || rest.starts_with("!/") || rest.starts_with('/')
            });
            if is_in && !names.contains(name) {
                names.push(name);
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
        let is_there = package.is_none_or(|name| self.at.iter().any(|(_, at)| *at == name));
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

    fn judged(&self, claim: &Claim, counted: &Counted) -> (Outcome, String, Vec<Figure>) {
        match (claim.kind, &claim.range) {
            (ClaimKind::Version, _) => self.of_version(&claim.written.value, counted),
            (ClaimKind::Vector, _) => self.of_vector(&claim.written.value, counted),
            (kind, Some(range)) => self.of_figure(kind, range, counted),
            (_, None) => (
                Outcome::NotExaminable,
                "it states no figure".to_owned(),
                Vec::new(),
            ),
        }
    }

    fn of_figure(
        &self,
        kind: ClaimKind,
        range: &Range,
        counted: &Counted,
    ) -> (Outcome, String, Vec<Figure>) {
        let figures = counted.figures(kind);
        let fits: Vec<&Figure> = figures
            .iter()
            .filter(|figure| range.holds(figure.count))
            .collect();
        let is_empty = figures.iter().all(|figure| figure.count == 0);
        let (outcome, reason) = if let Some(first) = fits.first().filter(|_| !is_empty) {
            let first = format!("{} {}", grouped(first.count), first.definition);
            let others = match fits.len() - 1 {
                0 => String::new(),
                1 => "; one further count agrees".to_owned(),
                more => format!("; {more} further counts agree"),
            };
            (Outcome::Supported, format!("counted as {first}{others}"))
        } else if !self.complete {
            (
                Outcome::NotExaminable,
                "no count agrees, and not everything was read".to_owned(),
            )
        } else if is_empty {
            (
                Outcome::NotExaminable,
                "the input holds no map with sources to count".to_owned(),
            )
        } else {
            (
                Outcome::Contradicted,
                "no count agrees, and everything was read".to_owned(),
            )
        };
        (outcome, reason, figures)
    }

    fn of_version(&self, version: &str, counted: &Counted) -> (Outcome, String, Vec<Figure>) {
        let figures: Vec<Figure> = (counted.versions.iter())
            .filter(|(held, (findings, _))| *findings > 0 || *held == version)
            .take(VERSIONS_MAX)
            .map(|(held, (findings, _))| Figure {
                definition: format!("exposures and secrets in version {held}"),
                count: *findings,
            })
            .collect();
        let (outcome, reason) = match counted.versions.get(version) {
            None => (Outcome::NotExaminable, "the version is not in the input"),
            Some((0, false)) => (
                Outcome::NotExaminable,
                "nothing was found in it, and not all of it was read",
            ),
            Some((0, true)) => (
                Outcome::Contradicted,
                "all of it was read, and nothing was found in it",
            ),
            Some(_) => (Outcome::Supported, "it holds exposures or secrets"),
        };
        (outcome, reason.to_owned(), figures)
    }

    fn of_vector(&self, class: &str, counted: &Counted) -> (Outcome, String, Vec<Figure>) {
        let count = counted.classes.get(class).copied().unwrap_or(0);
        let figures = vec![Figure {
            definition: format!("exposures of the class {class}, each place counted"),
            count,
        }];
        let (outcome, reason) = match (count, self.complete) {
            (0, false) => (
                Outcome::NotExaminable,
                "none was found, and not everything was read",
            ),
            (0, true) => (
                Outcome::Contradicted,
                "everything was read, and none was found",
            ),
            _ => (Outcome::Supported, "the class was found"),
        };
        (outcome, reason.to_owned(), figures)
    }
}

/// Versions that are named with one claim.
const VERSIONS_MAX: usize = 20;

fn is_complete(ledger: &Ledger) -> bool {
    ledger.complete && ledger.adds_up()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{full_ledger, source};
    use super::read::figure_of;
    use super::*;

    fn claims(text: &str) -> Result<Claims, ClaimError> {
        Claims::parse(text, Path::new("claims.toml"))
    }

    fn one(kind: &str, value: &str, tolerance: &str) -> Claims {
        let text = format!(
            "[[claim]]\nid = \"a\"\nkind = \"{kind}\"\nvalue = \"{value}\"\ntolerance = \"{tolerance}\"\n"
        );
        claims(&text).unwrap()
    }

    fn examined(claims: &Claims, complete: bool) -> ClaimRow {
        let mut examiner = Examiner::new(claims);
        let mut ledger = full_ledger();
        ledger.complete = complete;
        let mut records: Vec<Record> = (0..19)
            .map(|n| {
                Record::from(source(
                    "m/a.map",
                    &format!("src/{n}.ts"),
                    100,
                    Party::First,
                    n,
                ))
            })
            .collect();
        records.push(Record::from(source(
            "m/b.map",
            "src/0.ts",
            100,
            Party::First,
            0,
        )));
        records.push(Record::from(ledger));
        records.iter().for_each(|record| examiner.note(record));
        records.iter().for_each(|record| examiner.add(record));
        examiner.finish().remove(0)
    }

    fn outcome(kind: &str, value: &str, tolerance: &str) -> Outcome {
        examined(&one(kind, value, tolerance), true).outcome
    }

    #[test]
    fn a_figure_is_held_against_every_count_within_its_words() {
        use Outcome::{Contradicted, NotExaminable, Supported};
        // 19 distinct, 20 at places.
        for (value, tolerance, expected) in [
            ("19", "", Supported),
            ("20", "", Supported),
            ("21", "", Contradicted),
            ("21", "about", Supported),
            ("30", "about", Contradicted),
            ("19", "more than", Supported),
            ("20", "more than", Contradicted),
            ("20", "at least", Supported),
            ("19", "less than", Contradicted),
            ("20", "less than", Supported),
            ("20", "nearly", Supported),
            ("18", "nearly", Contradicted),
            ("22", "10%", Supported),
            ("22", "1%", Contradicted),
        ] {
            assert_eq!(
                outcome("files", value, tolerance),
                expected,
                "{tolerance} {value}"
            );
        }
        assert_eq!(outcome("bytes", "1.9K", ""), Supported);
        assert_eq!(outcome("bytes", "1.8 KB", ""), Contradicted);
        let unread = examined(&one("files", "21", ""), false);
        assert_eq!(unread.outcome, NotExaminable);
        assert_eq!(unread.figures[0].count, 19);
        assert!(unread.figures[0].definition.contains("equal contents once"));
    }

    #[test]
    fn versions_and_vectors_are_looked_for() {
        assert_eq!(outcome("version", "1.0.0", ""), Outcome::NotExaminable);
        assert_eq!(
            outcome("vector", "map-embedded-sources", ""),
            Outcome::Contradicted
        );
        let unread = examined(&one("vector", "map-embedded-sources", ""), false);
        assert_eq!(unread.outcome, Outcome::NotExaminable);
    }

    #[test]
    fn what_is_wrong_with_claims_is_said() {
        let fails = |kind: &str, value: &str, tolerance: &str| {
            let text = format!(
                "[[claim]]\nid = \"a\"\nkind = \"{kind}\"\nvalue = \"{value}\"\ntolerance = \"{tolerance}\"\n"
            );
            claims(&text).unwrap_err().what
        };
        assert!(fails("file", "1", "").contains("did you mean `files`?"));
        assert!(fails("files", "many", "").contains("no figure"));
        assert!(fails("files", "1", "abuot").contains("did you mean `about`?"));
        assert!(
            fails("vector", "map-embeded-sources", "")
                .contains("did you mean `map-embedded-sources`?")
        );
        assert!(fails("version", "", "").contains("needs one"));
        assert_eq!(claims("[[claim]]\nid = 1\n").unwrap_err().line, 2);
        assert!(claims("[[claims]]\nid = \"a\"\n").is_err());
    }

    #[test]
    fn claims_are_read_from_csv_too() {
        let text = "id,kind,value,text\r\n1,files,\"1,900\",\"He said: \"\"1,900\nfiles\"\"\"\r\n\r\n2,lines,512K,\r\n";
        let read = Claims::parse(text, Path::new("c.CSV")).unwrap();
        assert_eq!(read.claims.len(), 2);
        assert_eq!(read.claims[0].written.text, "He said: \"1,900\nfiles\"");
        assert_eq!(
            read.claims[1].range.map(|range| (range.from, range.to)),
            Some((511_500.0, 512_500.0))
        );
        let fails = |text| {
            Claims::parse(text, Path::new("c.csv"))
                .unwrap_err()
                .to_string()
        };
        assert!(fails("id,kind,valu\n").contains("did you mean `value`?"));
        assert!(fails("id,kind,value\n1,files\n").starts_with("c.csv:2: 2 cells"));
        assert!(fails("id,kind,value\n1,files,1\n1,files,1\n").contains("twice"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}", csv in "[a-z,\"\n]{0,60}") {
            let _ = claims(&text);
            let _ = Claims::parse(&csv, Path::new("c.csv"));
            let _ = figure_of(&text);
        }
    }
}
