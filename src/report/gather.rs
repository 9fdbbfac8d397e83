//! From records to a [`Model`]: what is kept while millions of records stream by.
//!
//! Each kind of record has one function that counts it and offers its row to a bounded table; the `finish` functions
//! turn the state into the model. Sets of digests and the places above exposures are all that grows with the input,
//! and their sizes are said at [`Builder::add`].

use std::cmp::Reverse;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hasher;

use super::actions::{Actions, actions};
use super::axes::{Figures, Impact, Override, STEPS, judge};
use super::bounded::{Count, Table, Tally, Top};
use super::definitions::definitions;
use super::folders::{Counts, Forest};
use super::inventory::{Collect, SHOWN};
use super::lists::Gather as ListGather;
use super::live::live_secrets;
use super::model::*;
use super::questions::{Ground, answers};
use super::rotation::Rotate;
use super::since::ReleasesGathered;
use super::size::{Measure, Size};
use super::text::{KEPT_CHARS, clip, count_of, release_words};
use super::timeline::Times;
use super::verdict::{Scope, sum_of_outcomes};
use super::views::{View, WITHHELD};
use crate::exposure::Rules;
use crate::exposure::secrets::Tier;
use crate::record::{
    Certainty, Copy, Examined, Exposure, Ledger, Map, Match, Package, Party, Problem, Record,
    Reference, Run, Secret, Severity, Source,
};
use crate::signature::validation::Card;

/// Packages with findings that are remembered until their severity is known.
const PACKAGE_CANDIDATES: usize = 50_000;

/// Places above exposures whose highest severity is remembered, for the table of packages.
const SEVERITY_PLACES: usize = 1_000_000;

/// First half of a SHA-256: enough to tell contents apart, half the memory.
type Digest = [u8; 16];

/// The first 16 bytes of a hexadecimal digest; `None` where it is none.
pub(super) fn digest(hex: &str) -> Option<Digest> {
    let mut out = [0_u8; 16];
    for (byte, pair) in out
        .iter_mut()
        .zip(hex.as_bytes().get(..32)?.chunks_exact(2))
    {
        let high = char::from(*pair.first()?).to_digit(16)?;
        let low = char::from(*pair.last()?).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(out)
}

fn kept(text: &str) -> String {
    clip(text, KEPT_CHARS)
}

/// Rank of a severity where smaller is worse.
type WorstFirst = Reverse<Severity>;

/// Findings first, then by own bytes and exposures, incomplete ones before complete ones, then by locator.
type PackageKey = (bool, Reverse<u64>, Reverse<u64>, bool, String);

/// Proven before hinted, then by class and locator.
type ExposureTables = BTreeMap<WorstFirst, Top<(Reverse<Certainty>, String, String), ExposureRow>>;

struct ClassState {
    row: ClassRow,
    seen: HashSet<Digest>,
}

#[derive(Default)]
struct ProblemState {
    count: u64,
    bytes_unread: u64,
    unknown: u64,
}

/// Names of live secrets that are kept: more than a set of a company has.
const KNOWN_MAX: usize = 100_000;

pub(super) struct Gatherer {
    view: View,
    overrides: Vec<Override>,
    figures: Figures,
    rotate: Rotate,
    collect: Collect,
    measure: Measure,
    times: Times,
    lists: ListGather,
    /// Names of live secrets that were found.
    known: BTreeSet<String>,
    run: Option<Run>,
    ledger: Option<Ledger>,
    types: BTreeMap<&'static str, u64>,
    packages: Top<PackageKey, PackageRow>,
    packages_with_findings: u64,
    packages_incomplete: u64,
    closed_bytes: u64,
    severity_at: HashMap<u64, Severity>,
    exposures: ExposureTables,
    classes: BTreeMap<String, ClassState>,
    forest: Forest,
    places: Counts,
    contents: HashMap<Digest, u8>,
    distinct: Distinct,
    map_kinds: BTreeMap<Rank, u64>,
    maps_invalid: u64,
    maps_unjudged: u64,
    copies: Top<(Reverse<u64>, String), CopyRow>,
    suspects: Top<(Reverse<u64>, String), CopyRow>,
    examined: Tally,
    examined_total: u64,
    examined_others: Top<(bool, String, String), ExaminedRow>,
    matches: BTreeMap<(String, String, Rank), u64>,
    references_found: u64,
    references_missing: BTreeMap<Rank, u64>,
    references: Top<(Rank, String, String), ReferenceRow>,
    secret_rules: Tally,
    secret_checks: Tally,
    secret_severities: BTreeMap<WorstFirst, u64>,
    items: Tally,
    problem_codes: BTreeMap<String, ProblemState>,
    problems: Top<(bool, Reverse<u64>, String, String), ProblemRow>,
    releases: ReleasesGathered,
}

impl Gatherer {
    pub(super) fn new(view: View, overrides: Vec<Override>) -> Self {
        let with_lines = view != View::Public;
        Self {
            view,
            overrides,
            figures: Figures::default(),
            rotate: Rotate::new(with_lines),
            collect: Collect::new(with_lines),
            measure: Measure::new(),
            times: Times::default(),
            lists: ListGather::new(),
            known: BTreeSet::new(),
            run: None,
            ledger: None,
            types: BTreeMap::new(),
            packages: Top::new(PACKAGE_CANDIDATES),
            packages_with_findings: 0,
            packages_incomplete: 0,
            closed_bytes: 0,
            severity_at: HashMap::new(),
            exposures: BTreeMap::new(),
            classes: BTreeMap::new(),
            forest: Forest::default(),
            places: Counts::default(),
            contents: HashMap::new(),
            distinct: Distinct::default(),
            map_kinds: BTreeMap::new(),
            maps_invalid: 0,
            maps_unjudged: 0,
            copies: Top::new(ROWS),
            suspects: Top::new(ROWS),
            examined: Tally::default(),
            examined_total: 0,
            examined_others: Top::new(ROWS),
            matches: BTreeMap::new(),
            references_found: 0,
            references_missing: BTreeMap::new(),
            references: Top::new(ROWS),
            secret_rules: Tally::default(),
            secret_checks: Tally::default(),
            secret_severities: BTreeMap::new(),
            items: Tally::default(),
            problem_codes: BTreeMap::new(),
            problems: Top::new(ROWS),
            releases: ReleasesGathered::default(),
        }
    }

    pub(super) fn add(&mut self, record: Record) {
        let kind = match record {
            Record::Run(run) => {
                self.run = Some(*run);
                "run"
            }
            Record::Package(package) => {
                self.add_package(*package);
                "package"
            }
            Record::Map(map) => {
                self.add_map(&map);
                "map"
            }
            Record::Source(source) => {
                self.add_source(&source);
                "source"
            }
            Record::Reference(reference) => {
                self.add_reference(reference);
                "reference"
            }
            Record::Exposure(exposure) => {
                self.add_exposure(exposure);
                "exposure"
            }
            Record::Secret(secret) => {
                self.add_secret(&secret);
                "secret"
            }
            Record::Item(item) => {
                self.items.add(&item.kind, 1);
                self.collect.add(&item);
                "item"
            }
            Record::Match(found) => {
                self.add_match(&found);
                "match"
            }
            Record::Copy(copy) => {
                add_copy(&mut self.copies, *copy);
                "copy"
            }
            Record::Suspect(copy) => {
                add_copy(&mut self.suspects, *copy);
                "suspect"
            }
            Record::Examined(examined) => {
                self.add_examined(examined);
                "examined"
            }
            Record::Release(release) => {
                self.releases.add_release(*release);
                "release"
            }
            Record::Since(since) => {
                self.releases.add_since(*since);
                "since"
            }
            Record::Blob(_) => "blob",
            Record::Problem(problem) => {
                self.add_problem(problem);
                "problem"
            }
            Record::Ledger(ledger) => {
                self.ledger = Some(*ledger);
                "ledger"
            }
        };
        *self.types.entry(kind).or_default() += 1;
    }

    fn add_package(&mut self, package: Package) {
        let exposures = total(&package.exposures);
        let findings = exposures > 0 || package.secrets > 0 || package.own_bytes > 0;
        self.packages_with_findings += u64::from(findings);
        if findings && !package.declared_open {
            self.figures.add(
                "packages-closed".to_owned(),
                1,
                Some(&kept(&package.locator)),
            );
            let own = package
                .sources
                .first
                .saturating_add(package.sources.unknown);
            let recovered = own.min(package.sources.with_content);
            self.figures
                .add("closed-own-files".to_owned(), recovered, None);
            self.closed_bytes = self.closed_bytes.saturating_add(package.own_bytes);
        }
        self.lists.package(&package, findings);
        self.packages_incomplete += u64::from(!package.complete);
        let key = (
            !findings,
            Reverse(package.own_bytes),
            Reverse(exposures),
            package.complete,
            kept(&package.locator),
        );
        let row = PackageRow {
            locator: key.4.clone(),
            ecosystem: kept(&package.ecosystem),
            name: kept(&package.name),
            version: package.version.as_deref().map(kept),
            sha256: package.sha256.filter(|_| self.view.shows_digests()),
            licence: package.licence.as_deref().map(kept),
            declared_open: package.declared_open,
            severity: None,
            files: package.files,
            maps: package.maps,
            first: package.sources.first,
            third: package.sources.third,
            unknown: package.sources.unknown,
            with_content: package.sources.with_content,
            own_bytes: package.own_bytes,
            exposures,
            secrets: package.secrets,
            complete: package.complete,
        };
        self.packages.push(key, row);
    }

    fn add_map(&mut self, map: &Map) {
        self.measure.add_map(map);
        *self
            .map_kinds
            .entry(rank(&MAP_KINDS, &map.kind))
            .or_default() += 1;
        match map.valid {
            Some(true) => {}
            Some(false) => self.maps_invalid += 1,
            None => self.maps_unjudged += 1,
        }
    }

    fn add_source(&mut self, source: &Source) {
        self.forest.add(source);
        let counts = Counts::of(source);
        self.places.add(&counts);
        if counts.recovered == 0 {
            return;
        }
        if counts.own() > 0 {
            self.times
                .add("own sources", source.git.as_deref(), &source.locator);
        }
        let Some(digest) = source.sha256.as_deref().and_then(digest) else {
            self.distinct.without_digest += 1;
            self.measure.add(source, &counts, false);
            return;
        };
        let seen = self.contents.entry(digest).or_insert(0);
        self.measure.add(source, &counts, *seen == 0);
        if *seen == 0 {
            self.distinct.files += 1;
            self.distinct.bytes = self.distinct.bytes.saturating_add(counts.bytes);
        }
        let (flag, files, bytes) = match source.party {
            Party::First => (1, &mut self.distinct.first, &mut self.distinct.first_bytes),
            Party::Third => (2, &mut self.distinct.third, &mut self.distinct.third_bytes),
            Party::Unknown => (
                4,
                &mut self.distinct.unknown,
                &mut self.distinct.unknown_bytes,
            ),
        };
        if *seen & flag == 0 {
            *seen |= flag;
            *files += 1;
            *bytes = bytes.saturating_add(counts.bytes);
        }
    }

    fn add_reference(&mut self, reference: Reference) {
        if reference.found.is_some() {
            self.references_found += 1;
            return;
        }
        self.lists.reference(&reference);
        let kind = rank(&REFERENCE_KINDS, &reference.kind);
        *self.references_missing.entry(kind).or_default() += 1;
        let row = ReferenceRow {
            kind: reference.kind,
            target: kept(&reference.target),
            locator: kept(&reference.locator),
        };
        self.references
            .push((kind, row.locator.clone(), row.target.clone()), row);
    }

    fn add_exposure(&mut self, exposure: Exposure) {
        self.note_severity(&exposure.locator, exposure.severity);
        self.count_class(&exposure);
        self.lists.exposure(&exposure);
        self.times
            .add("an exposure", exposure.git.as_deref(), &exposure.locator);
        let axis = Impact::builtin().axis_of_class(&exposure.class);
        let place = kept(&exposure.locator);
        for (step, least) in STEPS {
            if exposure.severity >= least {
                self.figures
                    .add(format!("exposures-{axis}-{step}"), 1, Some(&place));
            }
        }
        let row = ExposureRow {
            class: kept(&exposure.class),
            severity: exposure.severity,
            certainty: exposure.certainty,
            locator: kept(&exposure.locator),
            sha256: exposure.sha256.filter(|_| self.view.shows_digests()),
            detail: kept(&exposure.detail),
        };
        let key = (
            Reverse(row.certainty),
            row.class.clone(),
            row.locator.clone(),
        );
        self.exposures
            .entry(Reverse(row.severity))
            .or_insert_with(|| Top::new(ROWS))
            .push(key, row);
    }

    /// Remembers the worst severity at every folder and container above a place, so that packages, whose records may
    /// come before or after, can be given theirs at the end.
    fn note_severity(&mut self, locator: &str, severity: Severity) {
        for place in places_above(locator) {
            if let Some(known) = self.severity_at.get_mut(&place) {
                *known = severity.max(*known);
            } else if self.severity_at.len() < SEVERITY_PLACES {
                self.severity_at.insert(place, severity);
            }
        }
    }

    fn count_class(&mut self, exposure: &Exposure) {
        // As in `Tally`: rules are few, and forged records must not grow this without end.
        const CLASSES: usize = 500;
        let name = if self.classes.contains_key(&exposure.class) || self.classes.len() < CLASSES {
            exposure.class.as_str()
        } else {
            "(further classes)"
        };
        let state = self
            .classes
            .entry(name.to_owned())
            .or_insert_with(|| ClassState {
                row: ClassRow {
                    class: kept(name),
                    title: Rules::builtin().get(name).map(|rule| rule.title.clone()),
                    why: Rules::builtin().get(name).map(|rule| rule.why.clone()),
                    action: Rules::builtin().get(name).map(|rule| rule.action.clone()),
                    highest: exposure.severity,
                    proven: 0,
                    hint: 0,
                    distinct: 0,
                    without_content: 0,
                },
                seen: HashSet::new(),
            });
        state.row.highest = state.row.highest.max(exposure.severity);
        match exposure.certainty {
            Certainty::Proven => state.row.proven += 1,
            Certainty::Hint => state.row.hint += 1,
        }
        match exposure.sha256.as_deref().and_then(digest) {
            Some(digest) => state.row.distinct += u64::from(state.seen.insert(digest)),
            None => state.row.without_content += 1,
        }
    }

    fn add_secret(&mut self, secret: &Secret) {
        if secret.tier == Tier::Known.as_str() && self.known.len() < KNOWN_MAX {
            self.known.insert(kept(&secret.rule));
        }
        self.secret_rules.add(&secret.rule, 1);
        self.secret_checks.add(&secret.check, 1);
        *self
            .secret_severities
            .entry(Reverse(secret.severity))
            .or_default() += 1;
        self.note_severity(&secret.locator, secret.severity);
        self.rotate.add(secret);
        self.times
            .add("a credential", secret.git.as_deref(), &secret.locator);
        let place = kept(&secret.locator);
        if secret.tier == "known" {
            self.figures
                .add("secrets-known".to_owned(), 1, Some(&place));
        }
        for (step, least) in STEPS {
            if secret.severity >= least {
                self.figures.show(&format!("secrets-{step}"), &place);
            }
        }
    }

    fn add_match(&mut self, found: &Match) {
        self.lists.matched(found);
        // Works and releases come from signature sets; the bound is for forged records.
        const WORKS: usize = 2_000;
        let key = (
            kept(&found.work),
            kept(&found.release),
            rank(&GRADES, &found.grade),
        );
        if self.matches.contains_key(&key) || self.matches.len() < WORKS {
            *self.matches.entry(key).or_default() += 1;
        } else {
            let further = ("(further works)".to_owned(), String::new(), key.2);
            *self.matches.entry(further).or_default() += 1;
        }
    }

    fn add_examined(&mut self, examined: Examined) {
        self.examined.add(&examined.class, 1);
        self.examined_total += 1;
        let row = ExaminedRow {
            class: kept(&examined.class),
            locator: kept(&examined.locator),
        };
        let key = (
            row.class != "unreadable",
            row.class.clone(),
            row.locator.clone(),
        );
        self.examined_others.push(key, row);
    }

    fn add_problem(&mut self, problem: Problem) {
        const CODES: usize = 500;
        let known = self.problem_codes.contains_key(&problem.code);
        let code = if known || self.problem_codes.len() < CODES {
            &problem.code
        } else {
            "(further codes)"
        };
        let state = self.problem_codes.entry(code.to_owned()).or_default();
        state.count += 1;
        match problem.bytes_unread {
            Some(bytes) => state.bytes_unread = state.bytes_unread.saturating_add(bytes),
            None => state.unknown += 1,
        }
        let row = ProblemRow {
            code: kept(&problem.code),
            locator: kept(&problem.locator),
            detail: kept(&problem.detail),
            bytes_unread: problem.bytes_unread,
        };
        let unread = problem.bytes_unread.unwrap_or(u64::MAX);
        let key = (
            unread == 0,
            Reverse(unread),
            row.code.clone(),
            row.locator.clone(),
        );
        self.problems.push(key, row);
    }

    pub(super) fn finish(mut self) -> Report {
        let scope = Scope::new(self.run.as_ref(), self.ledger.as_ref());
        let packages = self.finish_packages();
        let exposures = finish_exposures(
            std::mem::take(&mut self.exposures),
            std::mem::take(&mut self.classes),
            &scope,
        );
        let size = std::mem::replace(&mut self.measure, Measure::new()).finish(&self.places);
        let sources = self.finish_sources(&packages, &scope);
        let copies = self.finish_copies(&scope);
        let references = self.finish_references(&scope);
        let findings = self.finish_findings(&scope);
        let problems = self.finish_problems(&scope);
        let rotate = std::mem::replace(&mut self.rotate, Rotate::new(false));
        self.count_secrets(&rotate);
        let rotation = rotate.finish();
        let inventory = std::mem::replace(&mut self.collect, Collect::new(false)).finish();
        for kind in &inventory.kinds {
            let Some(axis) = Impact::builtin().axis_of_kind(&kind.kind) else {
                continue;
            };
            let first = kind.table.rows.first().map(|row| row.locator.as_str());
            self.figures.add(format!("items-{axis}"), kind.own, first);
        }
        let hosts = inventory.internal_hosts;
        self.figures.add("items-controls".to_owned(), hosts, None);
        let gathered = std::mem::replace(&mut self.lists, ListGather::new());
        let (list_rows, files): (Vec<_>, Vec<_>) = match self.view {
            View::Public => (Vec::new(), Vec::new()),
            View::Internal | View::Counsel => gathered
                .finish(&rotation, &inventory)
                .files()
                .into_iter()
                .unzip(),
        };
        let times = std::mem::take(&mut self.times);
        let earliest = times.earliest().map(str::to_owned);
        let started = self.run.as_ref().and_then(|run| run.started.clone());
        self.count_places(&copies, &references, &size);
        let axes = judge(&self.figures, scope.complete, &self.overrides);
        let level = axes.iter().map(|axis| axis.level).max().unwrap_or(0);
        let closed = self.figures.value("packages-closed");
        let credential_files = self.figures.value("exposures-secrets-low");
        let personal_files = self.figures.value("exposures-personal-low");
        let coverage = finish_coverage(self.ledger);
        let tiers = tiers_of(self.run.as_ref(), &rotation.tiers);
        let mut method = finish_method(self.run, self.types, self.view);
        method.tiers = tiers;
        let mut model = Model {
            report: REPORT_VERSION,
            view: self.view,
            verdict: Verdict {
                complete: scope.complete,
                reasons: scope.reasons.clone(),
                highest: None,
                level,
                headline: axes
                    .iter()
                    .filter(|axis| axis.level == level)
                    .map(|axis| axis.title.clone())
                    .collect(),
                answers: Vec::new(),
                axes,
            },
            actions: Actions::default(),
            timeline: times.finish(started.as_deref()),
            size,
            inventory,
            rotation,
            packages,
            exposures,
            sources,
            releases: std::mem::take(&mut self.releases).finish(),
            copies,
            references,
            findings,
            coverage,
            problems,
            method,
            definitions: definitions(),
            changes: None,
            claims: Vec::new(),
            findings_list: None,
        };
        model.verdict.highest = model.highest();
        model.actions.rows = actions(&model, &list_rows, closed, credential_files);
        model.actions.lists = list_rows;
        let ground = Ground {
            scope: &scope,
            earliest: earliest.as_deref(),
            view: model.view,
            credential_files,
            personal_files,
        };
        model.verdict.answers = answers(&model, &ground);
        // The lists hold the rest.
        model.rotation.table.rows.truncate(ROWS);
        for kind in &mut model.inventory.kinds {
            kind.table.rows.truncate(SHOWN);
        }
        Report {
            model,
            lists: files,
        }
    }

    /// Distinct credentials at each severity or a worse one.
    fn count_secrets(&mut self, rotate: &Rotate) {
        for (step, least) in STEPS {
            let name = if step == "low" { "any" } else { step };
            let at_least = rotate.distinct_from(least);
            self.figures.set(format!("secrets-{name}"), at_least);
        }
        self.figures
            .set("secrets-any", rotate.distinct_from(Severity::Info));
        self.figures
            .set("secrets-checked-high", count_of(rotate.checked_high.len()));
    }

    /// Figures of what was made of joins and sums.
    fn count_places(&mut self, copies: &Copies, references: &References, size: &Size) {
        let whole = copies
            .copies
            .rows
            .iter()
            .map(|row| row.of_original)
            .fold(0.0, f64::max);
        self.figures.set("work-percent", (whole * 100.0) as u64);
        let share = size.content_share.unwrap_or(0.0);
        self.figures.set("content-percent", (share * 100.0) as u64);
        self.figures
            .set("closed-own-kilobytes", self.closed_bytes / 1_000);
        self.figures.set("copies", copies.copies.total);
        self.figures.set("suspects", copies.suspects.total);
        let verbatim = copies
            .copies
            .rows
            .iter()
            .filter(|row| row.class == "verbatim");
        self.figures
            .set("copies-verbatim", count_of(verbatim.count()));
        for row in copies.copies.rows.iter().take(3) {
            self.figures.show("copies", &row.locator);
            self.figures.show("work-percent", &row.locator);
        }
        let open = references.missing.iter();
        let open = open.filter(|row| row.name == "bucket" || row.name == "url");
        self.figures
            .set("references-open", open.map(|row| row.count).sum());
    }

    fn finish_packages(&mut self) -> Packages {
        let mut table = std::mem::replace(&mut self.packages, Top::new(0)).finish();
        for row in &mut table.rows {
            if row.exposures > 0 || row.secrets > 0 {
                row.severity = self.severity_at.get(&place(&row.locator)).copied();
            }
        }
        // Stable: within a severity the order by findings and own bytes stays.
        table.rows.sort_by_key(|row| Reverse(row.severity));
        table.rows.truncate(ROWS);
        Packages {
            with_findings: self.packages_with_findings,
            incomplete: self.packages_incomplete,
            table,
        }
    }

    fn finish_sources(&mut self, packages: &Packages, scope: &Scope) -> Sources {
        let names: HashMap<&str, String> = packages
            .table
            .rows
            .iter()
            .map(|row| (row.locator.as_str(), row.label()))
            .collect();
        let grown = std::mem::take(&mut self.forest).finish(|locator| names.get(locator).cloned());
        let maps: Vec<Count> = std::mem::take(&mut self.map_kinds)
            .into_iter()
            .map(|(kind, count)| Count {
                name: word(&MAP_KINDS, kind).to_owned(),
                count,
            })
            .collect();
        let absence = (self.places.recovered == 0).then(|| scope.absent("source with its content"));
        Sources {
            maps,
            maps_invalid: self.maps_invalid,
            maps_unjudged: self.maps_unjudged,
            places: self.places,
            distinct: self.distinct,
            carriers: grown.carriers,
            others: grown.others,
            treemap: grown.treemap,
            absence,
        }
    }

    fn finish_copies(&mut self, scope: &Scope) -> Copies {
        let copies = std::mem::replace(&mut self.copies, Top::new(0)).finish();
        let suspects = std::mem::replace(&mut self.suspects, Top::new(0)).finish();
        let searched = self
            .run
            .as_ref()
            .is_some_and(|run| run.sets.iter().any(|set| set.role != "baseline"));
        let absence =
            (searched && copies.is_empty()).then(|| scope.absent("copy of the works searched for"));
        let roles = || self.run.iter().flat_map(|run| &run.sets);
        let careful = searched && !roles().any(|set| set.role == "baseline");
        let matches: Vec<_> = std::mem::take(&mut self.matches)
            .into_iter()
            .filter_map(|((work, release, grade), places)| {
                let (grade, _) = *GRADES.get(usize::from(grade))?;
                Some(MatchCount {
                    work,
                    release,
                    grade,
                    places,
                })
            })
            .collect();
        Copies {
            searched,
            copies,
            suspects,
            examined: std::mem::take(&mut self.examined).finish(),
            examined_total: self.examined_total,
            others: std::mem::replace(&mut self.examined_others, Top::new(0)).finish(),
            validation: (!matches.is_empty()).then(|| Card::builtin().clone()),
            matches,
            absence,
            careful,
        }
    }

    fn finish_references(&mut self, scope: &Scope) -> References {
        let table = std::mem::replace(&mut self.references, Top::new(0)).finish();
        let missing = std::mem::take(&mut self.references_missing)
            .into_iter()
            .map(|(kind, count)| Count {
                name: word(&REFERENCE_KINDS, kind).to_owned(),
                count,
            })
            .collect();
        let absence = table
            .is_empty()
            .then(|| scope.absent("reference without its target"));
        References {
            found: self.references_found,
            missing,
            table,
            absence,
        }
    }

    fn finish_findings(&mut self, scope: &Scope) -> Findings {
        let set = self.run.as_ref().and_then(|run| run.known_secrets.as_ref());
        let live = set.map(|set| Statement {
            supportable: scope.complete,
            text: live_secrets(set, self.known.iter().map(String::as_str), scope.complete),
            reasons: scope.reasons.clone(),
        });
        let severities: Vec<Count> = std::mem::take(&mut self.secret_severities)
            .into_iter()
            .map(|(Reverse(severity), count)| Count {
                name: severity.as_str().to_owned(),
                count,
            })
            .collect();
        Findings {
            secrets_total: self.types.get("secret").copied().unwrap_or(0),
            secrets: std::mem::take(&mut self.secret_rules).finish(),
            checks: std::mem::take(&mut self.secret_checks).finish(),
            severities,
            live,
            items_total: self.types.get("item").copied().unwrap_or(0),
            items: std::mem::take(&mut self.items).finish(),
        }
    }

    fn finish_problems(&mut self, scope: &Scope) -> Problems {
        let table = std::mem::replace(&mut self.problems, Top::new(0)).finish();
        let codes = std::mem::take(&mut self.problem_codes)
            .into_iter()
            .map(|(code, state)| ProblemCode {
                code: kept(&code),
                count: state.count,
                bytes_unread: state.bytes_unread,
                unknown: state.unknown,
            })
            .collect();
        let absence = table.is_empty().then(|| scope.absent("problem"));
        Problems {
            codes,
            table,
            absence,
        }
    }
}

/// Hashes of a locator and of every folder and container above it.
fn places_above(locator: &str) -> impl Iterator<Item = u64> + '_ {
    let mut hasher = DefaultHasher::new();
    let mut done = 0;
    // A hop's `!` does not belong to the name before it.
    let cuts = locator
        .match_indices('/')
        .map(|(at, _)| {
            if locator[..at].ends_with('!') {
                at - 1
            } else {
                at
            }
        })
        .chain(std::iter::once(locator.len()));
    cuts.map(move |cut| {
        hasher.write(&locator.as_bytes()[done..cut]);
        done = cut;
        hasher.clone().finish()
    })
}

/// The hash of one place, as in [`places_above`].
fn place(locator: &str) -> u64 {
    places_above(locator).last().unwrap_or(0)
}

fn add_copy(table: &mut Top<(Reverse<u64>, String), CopyRow>, copy: Copy) {
    // Millionths: floats have no total order, and finer is not shown.
    let share = (copy.of_original.clamp(0.0, 1.0) * 1e6) as u64;
    let mut grades: Vec<Count> = copy
        .grades
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| Count {
            name: kept(&name),
            count,
        })
        .collect();
    let strength = |name: &str| {
        GRADES
            .iter()
            .position(|(_, word)| *word == name)
            .unwrap_or(GRADES.len())
    };
    grades.sort_by_key(|grade| strength(&grade.name));
    grades.truncate(GRADES.len() + 1);
    let why = copy.release_basis.as_ref();
    let row = CopyRow {
        locator: kept(&copy.locator),
        work: kept(&copy.work),
        why: why.and_then(|basis| Some(kept(&release_words(basis, &copy.release)?))),
        release: kept(&copy.release),
        files_matched: copy.files_matched,
        files_total: copy.files_total,
        of_original: copy.of_original,
        grades,
        class: kept(&copy.class),
    };
    table.push((Reverse(share), row.locator.clone()), row);
}

fn finish_exposures(
    tables: ExposureTables,
    classes: BTreeMap<String, ClassState>,
    scope: &Scope,
) -> Exposures {
    let mut classes: Vec<ClassRow> = classes.into_values().map(|state| state.row).collect();
    classes.sort_by_key(|row| Reverse(row.highest));
    let severities: Vec<SeverityTable> = tables
        .into_iter()
        .map(|(Reverse(severity), top)| SeverityTable {
            severity,
            table: top.finish(),
        })
        .collect();
    let proven = classes.iter().map(|row| row.proven).sum();
    let hint = classes.iter().map(|row| row.hint).sum();
    let absence = severities
        .is_empty()
        .then(|| scope.absent("exposure of the classes searched for"));
    Exposures {
        total: proven + hint,
        proven,
        hint,
        classes,
        severities,
        absence,
    }
}

/// What each tier of rules is tried on. A triage tries none; live secrets are looked for where a set of them was given.
fn tiers_of(run: Option<&Run>, found: &[Count]) -> Vec<TierRow> {
    const OWN: &str = "texts that may be the vendor’s own: recovered sources that no name makes a third party’s, and original files";
    const ALL: &str = "every text and every recovered source that was read";
    const NONE: &str = "nothing: this was a triage";
    const NO_SET: &str = "nothing: no set of live secrets was given";
    const NO_RULES: &str = "nothing: no rules of the user’s own were given";
    let is_triage = run.is_some_and(|run| run.triage);
    let has_set = run.is_some_and(|run| run.known_secrets.is_some());
    let has_rules = run.is_some_and(|run| run.user_rules.is_some());
    let rows = [
        ("specific", ALL),
        ("generic", OWN),
        ("known", if has_set { ALL } else { NO_SET }),
        ("user", if has_rules { ALL } else { NO_RULES }),
    ];
    rows.into_iter()
        .map(|(tier, tried_on)| TierRow {
            tier: tier.to_owned(),
            tried_on: if is_triage { NONE } else { tried_on }.to_owned(),
            places: found
                .iter()
                .find(|count| count.name == tier)
                .map_or(0, |count| count.count),
        })
        .collect()
}

fn finish_coverage(ledger: Option<Ledger>) -> Coverage {
    let sum = ledger.as_ref().map_or(0, sum_of_outcomes);
    let adds_up = ledger.as_ref().is_some_and(|ledger| ledger.entries == sum);
    Coverage {
        ledger,
        sum,
        adds_up,
    }
}

fn finish_method(run: Option<Run>, types: BTreeMap<&'static str, u64>, view: View) -> Method {
    let records = types
        .into_iter()
        .map(|(name, count)| Count {
            name: name.to_owned(),
            count,
        })
        .collect();
    let mut method = Method {
        schema: None,
        version: None,
        program: None,
        rules: None,
        organisation: None,
        sets: Table::default(),
        inputs: Table::default(),
        limits: Vec::new(),
        started: None,
        seconds: None,
        records,
        tiers: Vec::new(),
    };
    let Some(mut run) = run else {
        return method;
    };
    if !view.shows_digests() {
        run.sets.iter_mut().for_each(|set| set.digest.clear());
        run.organisation = run.organisation.map(|_| WITHHELD.to_owned());
    }
    method.sets = Table::whole(run.sets);
    method.sets.rows.truncate(ROWS);
    method.inputs = Table::whole(
        run.inputs
            .into_iter()
            .map(|input| InputRow {
                label: kept(&input.label),
                sha256: input.sha256.filter(|_| view.shows_digests()),
            })
            .collect(),
    );
    method.inputs.rows.truncate(ROWS);
    method.limits = run
        .limits
        .into_iter()
        .map(|(name, count)| Count { name, count })
        .collect();
    Method {
        schema: Some(run.schema),
        version: Some(run.version),
        program: run.program,
        rules: Some(run.rules),
        organisation: run.organisation,
        started: run.started,
        seconds: run.seconds,
        ..method
    }
}
