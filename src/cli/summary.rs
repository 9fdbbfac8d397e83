//! What a scan prints for people: ten lines that say what is out, where, how much, and what could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use super::located::{Listed, location_words};
use super::pipeline::Outcome;
use super::{CliError, wall};
use crate::blob::Decoders;
use crate::blob::locator::shown;
use crate::record::{
    Basis, Copy, Exposure, Grade, Ledger, Party, Record, Release, RunKnown, Severity, SourceStatus,
};
use crate::report::live_secrets;
use crate::report::text::{grouped, plural, release_words, size};
use crate::scan::triage;
use crate::signature::validation::Card;

/// Places that are printed for each kind of thing; the rest is counted.
const EXAMPLES: usize = 5;
/// A map of which a smaller share of places fits its contents is named; of published maps next to none does not reach
/// it, and a map with other contents does not come near.
const DOUBTFUL: f64 = 0.8;

/// Collects what the summary says, from the records.
#[derive(Default)]
pub struct Summary {
    fail_on: Option<Severity>,
    packages: u64,
    maps: u64,
    sources: BTreeMap<Party, u64>,
    recovered: u64,
    missing: u64,
    missing_found: u64,
    doubtful: u64,
    first_doubtful: Examples,
    distinct: std::collections::HashSet<[u8; 8]>,
    distinct_bytes: u64,
    exposures: BTreeMap<Severity, u64>,
    worst: Vec<Exposure>,
    copies: Examples,
    copies_total: u64,
    examined: u64,
    searched: bool,
    triage: bool,
    matches: BTreeMap<Basis, u64>,
    grades: BTreeMap<Grade, u64>,
    suspects: Examples,
    suspects_total: u64,
    own_public: u64,
    listed: Listed,
    /// Fingerprints were compared, and there was no baseline.
    careful: bool,
    /// Sets that are made of lists.
    of_lists: u64,
    /// Bytes that are known to be unread, by code.
    unread: BTreeMap<String, u64>,
    references: u64,
    dangling: u64,
    /// Packages of which there are several releases, and those releases.
    histories: u64,
    releases: u64,
    /// Releases one of whose sizes moved out of proportion.
    jumps: u64,
    first_jumps: Examples,
    /// Findings that the newest release is without.
    went: u64,
    problems: BTreeMap<String, u64>,
    first_problems: Examples,
    /// The set of live secrets that was looked for.
    pub known: Option<RunKnown>,
    /// Those of them that were found, by name.
    present: BTreeSet<String>,
    /// Contents with a match that were kept, where that was asked for.
    pub kept: Option<u64>,
}

/// The first few of many by locator, and what is said of each.
type Examples = BTreeSet<(String, String)>;

/// Takes one where it is among the first.
fn keep(examples: &mut Examples, locator: &str, say: impl FnOnce() -> String) {
    let is_full = examples.len() >= EXAMPLES;
    if is_full
        && examples
            .last()
            .is_some_and(|(last, _)| locator > last.as_str())
    {
        return;
    }
    examples.insert((locator.to_owned(), say()));
    if examples.len() > EXAMPLES {
        examples.pop_last();
    }
}

impl Summary {
    /// An empty summary; findings at or above `fail_on` are all named. `searched` says whether copies were looked for,
    /// `careful` whether fingerprints were compared without a baseline, `triage` whether nothing else was looked for.
    pub fn new(fail_on: Option<Severity>, searched: bool, careful: bool, triage: bool) -> Self {
        Self {
            fail_on,
            searched,
            careful: careful && !triage,
            triage,
            ..Self::default()
        }
    }

    /// Says how many of the sets are made of lists, which find equal bytes only.
    #[must_use]
    pub fn with_lists(mut self, sets: usize) -> Self {
        self.of_lists = sets as u64;
        self
    }

    /// The same, before any record was taken.
    #[must_use]
    pub fn afresh(self) -> Self {
        let kept = self.kept;
        let empty = Self::new(self.fail_on, self.searched, self.careful, self.triage);
        Self {
            kept,
            ..empty.with_lists(usize::try_from(self.of_lists).unwrap_or(usize::MAX))
        }
    }

    /// Takes a record; their order does not show.
    pub fn add(&mut self, record: &Record) {
        match record {
            Record::Package(_) => self.packages += 1,
            Record::Map(map) => {
                self.maps += 1;
                self.add_agreement(map);
            }
            Record::Source(source) => {
                *self.sources.entry(source.party).or_insert(0) += 1;
                if source.status == SourceStatus::Missing {
                    self.missing += 1;
                    self.missing_found += u64::from(source.elsewhere.is_some());
                } else {
                    self.recovered += 1;
                    self.count_distinct(source.sha256.as_deref(), source.bytes);
                }
            }
            Record::Exposure(exposure) => self.add_exposure(exposure),
            Record::Secret(secret) if secret.tier == "known" => {
                self.present.insert(secret.rule.clone());
            }
            Record::Match(found) => {
                *self.matches.entry(found.basis).or_insert(0) += 1;
                *self.grades.entry(found.grade).or_insert(0) += 1;
            }
            Record::Suspect(copy) => {
                self.suspects_total += 1;
                keep(&mut self.suspects, &copy.locator, || suspect_line(copy));
            }
            Record::Copy(copy) => {
                self.copies_total += 1;
                keep(&mut self.copies, &copy.locator, || copy_line(copy));
            }
            Record::Examined(examined) => {
                self.examined += 1;
                self.own_public += u64::from(examined.class == "own-public");
            }
            Record::Origin(origin) if origin.listed => self.listed.add(origin),
            Record::Release(release) => self.add_release(release),
            Record::Since(since) => self.went += u64::from(since.still_there == Some(false)),
            Record::Reference(reference) => {
                self.references += 1;
                self.dangling += u64::from(reference.found.is_none());
            }
            Record::Problem(problem) => {
                *self.problems.entry(problem.code.clone()).or_insert(0) += 1;
                *self.unread.entry(problem.code.clone()).or_insert(0) +=
                    problem.bytes_unread.unwrap_or(0);
                keep(&mut self.first_problems, &problem.locator, || {
                    format!("{}: {}: {}", problem.code, problem.locator, problem.detail)
                });
            }
            _ => {}
        }
    }

    /// Notes a map whose contents are not what its mappings were made of.
    fn add_agreement(&mut self, map: &crate::record::Map) {
        let Some(agreement) = map.consistency.filter(|seen| seen.score < DOUBTFUL) else {
            return;
        };
        self.doubtful += 1;
        keep(&mut self.first_doubtful, &map.locator, || {
            format!(
                "{}: {} of {} places fit",
                map.locator, agreement.places_right, agreement.places
            )
        });
    }

    fn add_release(&mut self, release: &Release) {
        self.releases += 1;
        self.histories += u64::from(release.position == 1);
        if release.jumps.is_empty() {
            return;
        }
        self.jumps += 1;
        keep(&mut self.first_jumps, &release.locator, || {
            let before = release.previous.as_deref().unwrap_or_default();
            format!(
                "{} {}: {} out of proportion to {before}",
                release.name,
                release.version,
                release.jumps.join(", ").replace('_', " ")
            )
        });
    }

    /// Takes how many sources and references lead elsewhere by a join, where their records came by before it.
    pub fn add_links(&mut self, (sources, references): (u64, u64)) {
        self.missing_found += sources;
        self.dangling = self.dangling.saturating_sub(references);
    }

    fn count_distinct(&mut self, sha256: Option<&str>, bytes: Option<u64>) {
        let Some(number) = sha256.and_then(|hex| u64::from_str_radix(hex.get(..16)?, 16).ok())
        else {
            return;
        };
        if self.distinct.insert(number.to_le_bytes()) {
            self.distinct_bytes += bytes.unwrap_or(0);
        }
    }

    fn add_exposure(&mut self, exposure: &Exposure) {
        *self.exposures.entry(exposure.severity).or_insert(0) += 1;
        let fails = self
            .fail_on
            .is_some_and(|threshold| exposure.severity >= threshold);
        if fails {
            self.worst.push(exposure.clone());
            return;
        }
        // Without a threshold the worst few are named.
        if self.fail_on.is_none() && exposure.severity >= Severity::Medium {
            self.worst.push(exposure.clone());
            sort(&mut self.worst);
            self.worst.truncate(EXAMPLES);
        }
    }

    /// Prints the summary to standard output.
    pub fn print(
        &mut self,
        outcome: &Outcome,
        colour: bool,
        report: Option<&Path>,
        case: Option<&Path>,
    ) -> Result<(), CliError> {
        sort(&mut self.worst);
        let mut out = std::io::stdout().lock();
        let ledger = &outcome.ledger;
        if self.triage {
            self.print_triage(&mut out)?;
        } else {
            self.print_findings(&mut out, colour)?;
        }
        if let Some(set) = &self.known {
            let present = self.present.iter().map(String::as_str);
            let said = live_secrets(set, present, ledger.read_all() && !outcome.interrupted);
            writeln!(out, "known       {said}")?;
        }
        writeln!(out, "copies      {}", self.copies_line())?;
        for (_, copy) in &self.copies {
            writeln!(out, "  {}", shown(copy))?;
        }
        more(&mut out, self.copies_total, self.copies.len())?;
        self.print_suspects(&mut out)?;
        if let Some(said) = self.listed.line() {
            writeln!(out, "origins     {said}")?;
        }
        if self.triage {
            self.print_not_looked_at(&mut out, ledger)?;
        } else {
            writeln!(
                out,
                "references  {} to things elsewhere, {} of them not in the input",
                grouped(self.references),
                grouped(self.dangling)
            )?;
        }
        writeln!(out, "read        {}", read_line(outcome))?;
        if outcome.decoders == Decoders::Safe {
            writeln!(out, "decoders    memory-safe ones only")?;
        }
        writeln!(out, "account     {}", account_line(ledger))?;
        writeln!(out, "not read    {}", self.not_read_line(outcome))?;
        for (_, problem) in &self.first_problems {
            writeln!(out, "  {}", shown(problem))?;
        }
        more(
            &mut out,
            self.problems.values().sum(),
            self.first_problems.len(),
        )?;
        if let Some(&mounts) = ledger.other.get("mount") {
            writeln!(
                out,
                "left out    {} below the inputs: --one-file-system",
                plural(
                    mounts,
                    "mounted file or folder",
                    "mounted files and folders"
                )
            )?;
        }
        writeln!(out, "wall        {}", wall::line(&outcome.wall))?;
        if let Some(path) = report {
            writeln!(
                out,
                "report      {}",
                shown(&path.join("index.html").display().to_string())
            )?;
        }
        if let Some(kept) = self.kept {
            let contents = plural(kept, "content", "contents");
            writeln!(out, "kept        {contents} with a match, by SHA-256")?;
        }
        if let Some(path) = case {
            writeln!(out, "case        {}", shown(&path.display().to_string()))?;
        }
        Ok(())
    }

    /// What a scan found beside copies.
    fn print_findings(&self, out: &mut impl Write, colour: bool) -> std::io::Result<()> {
        writeln!(out, "packages    {}", grouped(self.packages))?;
        writeln!(out, "sources     {}", self.sources_line())?;
        if self.doubtful > 0 {
            writeln!(
                out,
                "doubtful    {} whose mappings do not fit the contents: doctored, or mixed up by a tool",
                plural(self.doubtful, "map", "maps")
            )?;
            for (_, map) in &self.first_doubtful {
                writeln!(out, "  {}", shown(map))?;
            }
            more(out, self.doubtful, self.first_doubtful.len())?;
        }
        self.print_releases(out)?;
        writeln!(out, "exposures   {}", self.exposures_line())?;
        for exposure in &self.worst {
            writeln!(
                out,
                "  {} {} {}: {}",
                paint(exposure.severity, colour),
                exposure.class,
                shown(&exposure.locator),
                shown(&exposure.detail)
            )?;
        }
        more(out, self.exposures.values().sum(), self.worst.len())
    }

    /// Packages of which the input holds several releases.
    fn print_releases(&self, out: &mut impl Write) -> std::io::Result<()> {
        if self.releases == 0 {
            return Ok(());
        }
        writeln!(
            out,
            "releases    {} of {}, {} gone from the newest",
            grouped(self.releases),
            plural(self.histories, "package", "packages"),
            plural(self.went, "finding", "findings"),
        )?;
        for (_, jump) in &self.first_jumps {
            writeln!(out, "  {}", shown(jump))?;
        }
        more(out, self.jumps, self.first_jumps.len())
    }

    /// Places that are no copy and agree with the work, and what was not compared as it could be.
    fn print_suspects(&self, out: &mut impl Write) -> std::io::Result<()> {
        if self.suspects_total > 0 {
            let places = plural(self.suspects_total, "place", "places");
            writeln!(out, "suspects    {places} with weaker matches only")?;
            for (_, suspect) in &self.suspects {
                writeln!(out, "  {}", shown(suspect))?;
            }
            more(out, self.suspects_total, self.suspects.len())?;
        }
        if !self.triage && !self.grades.is_empty() {
            writeln!(out, "matches     {}", grades_line(&self.grades))?;
            writeln!(
                out,
                "validation  {}",
                card_line(Card::builtin(), !self.careful)
            )?;
        }
        if self.careful {
            writeln!(
                out,
                "baseline    none was given: without knowing what is common, fingerprints have to agree in more to count"
            )?;
        }
        if self.of_lists > 0 {
            writeln!(
                out,
                "lists       of {} made of lists, equal bytes were looked for and nothing else",
                plural(self.of_lists, "set", "sets")
            )?;
        }
        Ok(())
    }

    /// What a triage matched, and what that rests on.
    fn print_triage(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(
            out,
            "triage      equal bytes only; exposures, maps, secrets and texts that differ in form were not looked for"
        )?;
        let by = |basis| grouped(self.matches.get(&basis).copied().unwrap_or(0));
        writeln!(
            out,
            "matches     {} by bytes that were read, {} by names of git objects, {} hinted by length and checksum",
            by(Basis::Content),
            by(Basis::Id),
            by(Basis::Header)
        )
    }

    /// What a triage did not look at, by reason.
    fn print_not_looked_at(&self, out: &mut impl Write, ledger: &Ledger) -> std::io::Result<()> {
        writeln!(out, "not looked at")?;
        for (code, what) in triage::REASONS {
            let count = ledger.skipped.get(code).copied().unwrap_or(0);
            if count == 0 {
                continue;
            }
            let bytes = match self.unread.get(code) {
                Some(bytes) if *bytes > 0 => format!(", {}", size(*bytes)),
                _ => String::new(),
            };
            writeln!(out, "  {} {what}{bytes} ({code})", grouped(count))?;
        }
        Ok(())
    }

    fn sources_line(&self) -> String {
        let party = |party| grouped(self.sources.get(&party).copied().unwrap_or(0));
        if self.maps == 0 {
            return "no source maps found in what was read".to_owned();
        }
        let elsewhere = match self.missing_found {
            0 => String::new(),
            found => format!(
                " ({} of them may lie elsewhere in the input)",
                grouped(found)
            ),
        };
        format!(
            "{} recovered from {} ({} distinct, {}), {} named without content{elsewhere}; party: {} first, {} unknown, {} third",
            grouped(self.recovered),
            plural(self.maps, "map", "maps"),
            grouped(self.distinct.len() as u64),
            size(self.distinct_bytes),
            grouped(self.missing),
            party(Party::First),
            party(Party::Unknown),
            party(Party::Third)
        )
    }

    fn exposures_line(&self) -> String {
        if self.exposures.is_empty() {
            return "none of the classes looked for was found in what was read".to_owned();
        }
        let counts: Vec<String> = self
            .exposures
            .iter()
            .rev()
            .map(|(severity, count)| format!("{} {}", grouped(*count), severity.as_str()))
            .collect();
        counts.join(", ")
    }

    fn copies_line(&self) -> String {
        if !self.searched {
            return "not searched for: no signature set was given".to_owned();
        }
        let others = |count: u64, said: &str| match count {
            0 => String::new(),
            some => format!(", {} {said}", grouped(some)),
        };
        format!(
            "{} of {} places examined hold files of the work{}{}",
            grouped(self.copies_total),
            grouped(self.examined),
            others(self.suspects_total, "more may"),
            others(self.own_public, "hold what is public of it and no more")
        )
    }

    fn not_read_line(&self, outcome: &Outcome) -> String {
        let mut parts: Vec<String> = Vec::new();
        if outcome.interrupted {
            parts.push("stopped before the end: run the same command again to go on".to_owned());
        }
        if outcome.ledger.read_all() {
            parts.push("nothing: everything was read in full".to_owned());
        } else if outcome.ledger.complete {
            let entries = outcome.ledger.not_read();
            let noun = if entries == 1 { "entry" } else { "entries" };
            parts.push(format!("{} {noun}, as accepted", grouped(entries)));
        }
        let codes: Vec<String> = self
            .problems
            .iter()
            .map(|(code, count)| format!("{} {code}", grouped(*count)))
            .collect();
        if !codes.is_empty() {
            parts.push(format!("problems: {}", codes.join(", ")));
        }
        parts.join("; ")
    }
}

fn copy_line(copy: &Copy) -> String {
    let why = copy.release_basis.as_ref();
    let why = why.and_then(|basis| release_words(basis, &copy.release));
    let grade = |grade: Grade| copy.grades.get(grade.as_str()).copied().unwrap_or(0);
    format!(
        "{}: {} of {} {}{}, {} of {} files ({:.1} % of its bytes){}{}",
        copy.locator,
        copy.class,
        copy.work,
        copy.release,
        why.map_or(String::new(), |why| format!(" ({why})")),
        grouped(copy.files_matched),
        grouped(copy.files_total),
        copy.of_original * 100.0,
        match grade(Grade::Derived) {
            0 => String::new(),
            some => format!(", {} more derived", grouped(some)),
        },
        copy_remarks(copy)
    )
}

/// What has to be known of a copy before anything is done about it: that nobody sees it who looks at the place, and that the
/// place says it is the organisation's.
fn copy_remarks(copy: &Copy) -> String {
    let mut remarks = String::new();
    let count = |standing: &str| copy.standing.get(standing).copied().unwrap_or(0);
    let hidden = count("history-only") + count("unreachable");
    if hidden > 0 && hidden == copy.standing.values().sum::<u64>() {
        remarks.push_str(match count("history-only") {
            0 => ", only in commits that no name leads to",
            _ => ", only in history",
        });
    } else if hidden > 0 {
        remarks.push_str(&format!(", {} of them only in history", grouped(hidden)));
    } else if count("checked-out") + count("default-branch-head") == 0 && count("other-ref") > 0 {
        remarks.push_str(", only on other branches or tags");
    }
    remarks.push_str(&location_words(copy));
    if copy.claims_own.is_some() {
        remarks.push_str("; says it is own");
    }
    remarks
}

/// Weaker matches by grade: whatever they are, the word copy is not among what is said of them.
fn suspect_line(suspect: &Copy) -> String {
    if let Some(paths) = suspect.paths_matched {
        return format!(
            "{}: names only: {} of {} paths of {} {}, no content",
            suspect.locator,
            grouped(paths),
            grouped(suspect.files_total),
            suspect.work,
            suspect.release
        );
    }
    if suspect.files_matched == 0 {
        let Copy {
            locator,
            work,
            release,
            ..
        } = suspect;
        return format!("{locator}: a suspected port of {work} {release} to another language");
    }
    let grades = suspect.grades.iter();
    let grades: Vec<String> = grades
        .map(|(grade, count)| format!("{} {grade}", grouped(*count)))
        .collect();
    format!(
        "{}: {} of {} files of {} {}",
        suspect.locator,
        grades.join(", "),
        grouped(suspect.files_total),
        suspect.work,
        suspect.release
    )
}

fn grades_line(grades: &BTreeMap<Grade, u64>) -> String {
    let grades = grades.iter();
    let counts: Vec<String> = grades
        .map(|(grade, count)| format!("{} {}", grouped(*count), grade.as_str()))
        .collect();
    counts.join(", ")
}

/// The validation card in a line: what was wrong of how many pairs.
fn card_line(card: &Card, has_baseline: bool) -> String {
    let rows = card.grades.iter().map(|row| {
        let wrong = row.wrong(has_baseline).false_pairs;
        let (wrong, pairs) = (grouped(wrong), grouped(row.pairs));
        format!("{} {wrong} of {pairs}", row.grade.as_str())
    });
    let rows: Vec<String> = rows.collect();
    format!(
        "{}{}; false pairs with{} a baseline: {}; `explain` has the whole card",
        if card.provisional {
            "provisional, "
        } else {
            ""
        },
        card.verdict,
        if has_baseline { "" } else { "out" },
        rows.join(", ")
    )
}

/// The worst first, equally bad ones by locator.
fn sort(exposures: &mut [Exposure]) {
    exposures.sort_by(|a, b| {
        (b.severity, &a.locator, &a.class).cmp(&(a.severity, &b.locator, &b.class))
    });
}

/// Says that not all of a kind were named.
fn more(out: &mut impl Write, total: u64, named: usize) -> std::io::Result<()> {
    match total.saturating_sub(named as u64) {
        0 => Ok(()),
        rest => writeln!(
            out,
            "  and {} more: --report or --jsonl names them all",
            grouped(rest)
        ),
    }
}

fn read_line(outcome: &Outcome) -> String {
    let ledger = &outcome.ledger;
    format!(
        "{} of input, {} in {} entries of {} containers, in {:.1} s",
        size(ledger.bytes_in),
        size(ledger.bytes_scanned),
        grouped(ledger.entries),
        grouped(ledger.containers),
        outcome.seconds
    )
}

fn account_line(ledger: &Ledger) -> String {
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    format!(
        "{} entries = {} scanned + {} duplicate + {} skipped{} + {} damaged{}",
        grouped(ledger.entries),
        grouped(ledger.scanned),
        grouped(ledger.duplicate),
        grouped(sum(&ledger.skipped)),
        reasons(&ledger.skipped),
        grouped(sum(&ledger.damaged)),
        reasons(&ledger.damaged)
    )
}

fn reasons(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(reason, count)| format!("{reason} {}", grouped(*count)))
        .collect();
    format!(" ({})", parts.join(", "))
}

/// The word of a severity, coloured where that is wanted.
pub(super) fn paint(severity: Severity, colour: bool) -> String {
    let word = format!("{:8}", severity.as_str());
    if !colour {
        return word;
    }
    let code = match severity {
        Severity::Critical => "1;31",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low | Severity::Info => "2",
    };
    format!("\u{1b}[{code}m{word}\u{1b}[0m")
}
