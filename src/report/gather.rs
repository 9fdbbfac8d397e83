//! From records to a [`Model`]: what is kept while millions of records stream by.
//!
//! Each kind of record has one function that counts it and offers its row to a bounded table; [`finish`] turns the
//! state into the model. Sets of digests and the places above exposures are all that grows with the input,
//! and their sizes are said at [`Builder::add`].

mod finish;

use std::cmp::Reverse;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hasher;

use super::axes::{Figures, Impact, Override, STEPS};
use super::bounded::{GroupKey, Tally, Top};
use super::copies::CopiesGather;
use super::folders::{Counts, Forest};
use super::inventory::Collect;
use super::lists::Gather as ListGather;
use super::model::*;
use super::rotation::Rotate;
use super::since::ReleasesGathered;
use super::size::Measure;
use super::text::{KEPT_CHARS, clip};
use super::timeline::Times;
use super::views::View;
use crate::copies::scope::Scope;
use crate::exposure::Rules;
use crate::exposure::secrets::Tier;
use crate::record::{
    Certainty, Exposure, Ledger, Map, Package, Party, Problem, Record, Reference, Run, Secret,
    Severity, Source,
};

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
    copies: CopiesGather,
    all_places: Option<Scope>,
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
    pub(super) fn new(settings: Settings) -> Self {
        let (view, overrides) = (settings.view, settings.overrides);
        let with_lines = view != View::Public;
        Self {
            view,
            overrides,
            figures: Figures::default(),
            rotate: Rotate::new(with_lines),
            collect: Collect::new(with_lines),
            measure: Measure::new(),
            times: Times::default(),
            lists: ListGather::new(settings.containment),
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
            copies: CopiesGather::new(view == View::Public),
            all_places: settings.scope,
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

    /// `identity` tells credentials apart, and means nothing for other records.
    pub(super) fn add(&mut self, record: Record, identity: GroupKey) {
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
                self.add_secret(&secret, identity);
                "secret"
            }
            Record::Item(item) => {
                self.items.add(&item.kind, 1);
                self.collect.add(&item);
                "item"
            }
            Record::Match(found) => {
                self.lists.matched(&found);
                self.copies.matched(&found);
                "match"
            }
            Record::Copy(copy) => {
                self.copies.copy(*copy);
                "copy"
            }
            Record::Suspect(copy) => {
                self.copies.suspect(*copy);
                "suspect"
            }
            Record::Examined(examined) => {
                self.copies.examined(&examined);
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
            Record::Origin(origin) => {
                self.copies.origin(&origin);
                "origin"
            }
            Record::Comparison(comparison) => {
                self.copies.comparison(*comparison);
                "comparison"
            }
            Record::Change(change) => {
                self.copies.change(*change);
                "change"
            }
            Record::Sign(sign) => {
                self.lists.sign(&sign);
                self.copies.sign(*sign);
                "sign"
            }
            Record::Lineage(lineage) => {
                self.copies.lineage(*lineage);
                "lineage"
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
        let place = kept(&exposure.locator);
        for axis in Impact::builtin().axes_of_class(&exposure.class) {
            for (step, least) in STEPS {
                if exposure.severity >= least {
                    self.figures
                        .add(format!("exposures-{axis}-{step}"), 1, Some(&place));
                }
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

    fn add_secret(&mut self, secret: &Secret, identity: GroupKey) {
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
        self.rotate.add(secret, identity);
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
