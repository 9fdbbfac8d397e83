//! Records about copies in, joined rows out.
//!
//! What is said of one root comes in several records, so it is kept by the root until the end: an address, how it
//! differs, its worst sign, its parent. That grows with the places examined, and is bounded as the tables are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::bounded::{Count, Table, Tally, Top};
use super::super::model::{GRADES, ROWS, Rank, Statement, rank};
use super::super::text::{KEPT_CHARS, clip, count_of, release_words};
use super::model::*;
use super::spread::spread;
use super::tree::{Node, grow};
use crate::copies::tamper::TamperRules;
use crate::record::{
    Certainty, Change, ChangeKind, Comparison, Copy, Examined, Lineage, Match, Origin, OriginBy,
    ParentBasis, Severity, Sign,
};
use crate::signature::validation::Card;

/// Copies whose rows are joined; of more, those that hold least are counted by class only.
const COPIES_MAX: usize = 100_000;
/// Roots of which something is remembered.
const ROOTS_MAX: usize = 200_000;
/// A sign that is less bad is a note: something to look at, which many honest changes have.
const COUNTS_FROM: Severity = Severity::Medium;
/// Licence files that a row names.
const LICENCES_SHOWN: usize = 4;
/// Stretches of lines that a row names.
const STRETCHES_SHOWN: usize = 8;
/// Hosts that are named.
const HOSTS_SHOWN: usize = 50;

/// Classes of roots that stand among the copies and suspects.
const OF_COPIES: [&str; 7] = [
    "verbatim",
    "reformatted",
    "modified",
    "partial",
    "derived",
    "ported",
    "names-only",
];

/// What is said of a root beside how much of the work it holds.
#[derive(Default)]
struct Beside {
    url: Option<String>,
    host: Option<String>,
    location: Option<Certainty>,
    parent: Option<String>,
    network: Option<String>,
    seen_at: Option<String>,
    delta: Option<Delta>,
    signs: u64,
    notes: u64,
    worst: Option<Severity>,
    lineage: Option<Box<Lineage>>,
}

struct RuleState {
    highest: Severity,
    proven: u64,
    hint: u64,
    roots: HashSet<String>,
}

type CopyKey = (Reverse<u64>, String);
type SignKey = (Reverse<Severity>, Reverse<Certainty>, String, String, u64);

/// Gathers the records.
pub(in crate::report) struct CopiesGather {
    figures_only: bool,
    copies: Top<CopyKey, CopyRow>,
    suspects: Top<CopyKey, CopyRow>,
    classes: Tally,
    beside: HashMap<String, Beside>,
    examined: Tally,
    examined_total: u64,
    own_public: Top<String, ExaminedRow>,
    others: Top<(bool, String, String), ExaminedRow>,
    matches: BTreeMap<(String, String, Rank), u64>,
    listed: u64,
    listed_absent: u64,
    contradicted: u64,
    compared: u64,
    incomplete: u64,
    changes: Tally,
    edits: Top<(u8, Reverse<u64>, String, String), EditRow>,
    rules: BTreeMap<String, RuleState>,
    signs_total: u64,
    signs: Top<SignKey, SignRow>,
}

/// What the section stands on beside its records.
pub(in crate::report) struct Judged {
    pub(in crate::report) searched: bool,
    pub(in crate::report) careful: bool,
    /// What is said where there is no copy.
    pub(in crate::report) absence: Statement,
}

impl CopiesGather {
    /// `figures_only`: rows of single places are left out in the end.
    pub(in crate::report) fn new(figures_only: bool) -> Self {
        Self {
            figures_only,
            copies: Top::new(COPIES_MAX),
            suspects: Top::new(COPIES_MAX),
            classes: Tally::default(),
            beside: HashMap::new(),
            examined: Tally::default(),
            examined_total: 0,
            own_public: Top::new(ROWS),
            others: Top::new(ROWS),
            matches: BTreeMap::new(),
            listed: 0,
            listed_absent: 0,
            contradicted: 0,
            compared: 0,
            incomplete: 0,
            changes: Tally::default(),
            edits: Top::new(ROWS),
            rules: BTreeMap::new(),
            signs_total: 0,
            signs: Top::new(ROWS),
        }
    }

    pub(in crate::report) fn copy(&mut self, copy: Copy) {
        self.classes.add(&copy.class, 1);
        let (key, row) = row_of(copy);
        self.copies.push(key, row);
    }

    pub(in crate::report) fn suspect(&mut self, copy: Copy) {
        let (key, row) = row_of(copy);
        self.suspects.push(key, row);
    }

    pub(in crate::report) fn examined(&mut self, examined: &Examined) {
        self.examined.add(&examined.class, 1);
        self.examined_total += 1;
        if OF_COPIES.contains(&examined.class.as_str()) {
            return;
        }
        let row = ExaminedRow {
            class: kept(&examined.class),
            locator: kept(&examined.locator),
            url: None,
        };
        let place = row.locator.clone();
        if row.class == "own-public" {
            self.own_public.push(place, row);
        } else {
            let key = (row.class != "unreadable", row.class.clone(), place);
            self.others.push(key, row);
        }
    }

    pub(in crate::report) fn matched(&mut self, found: &Match) {
        let key = (
            kept(&found.work),
            kept(&found.release),
            rank(&GRADES, &found.grade),
        );
        // Works and releases come from signature sets; the bound is for forged records.
        const WORKS: usize = 2_000;
        if self.matches.contains_key(&key) || self.matches.len() < WORKS {
            *self.matches.entry(key).or_default() += 1;
        } else {
            let further = ("(further works)".to_owned(), String::new(), key.2);
            *self.matches.entry(further).or_default() += 1;
        }
    }

    fn beside(&mut self, locator: &str) -> Option<&mut Beside> {
        let locator = kept(locator);
        if self.beside.len() >= ROOTS_MAX && !self.beside.contains_key(&locator) {
            return None;
        }
        Some(self.beside.entry(locator).or_default())
    }

    pub(in crate::report) fn origin(&mut self, origin: &Origin) {
        let is_listed = matches!(origin.by, OriginBy::Origins | OriginBy::Acquisition);
        self.listed += u64::from(is_listed);
        self.contradicted += u64::from(!origin.contradicted_by.is_empty());
        if !origin.present || origin.locator.is_empty() {
            self.listed_absent += u64::from(is_listed);
            return;
        }
        let Some(beside) = self.beside(&origin.locator) else {
            return;
        };
        // A record outweighs a hint, whichever comes first.
        if beside.location > Some(origin.certainty) {
            return;
        }
        let is_better = beside.location < Some(origin.certainty);
        beside.location = Some(origin.certainty);
        let told = [
            (&mut beside.url, &origin.url),
            (&mut beside.host, &origin.host),
            (&mut beside.parent, &origin.parent),
            (&mut beside.network, &origin.network),
            (&mut beside.seen_at, &origin.seen_at),
        ];
        for (held, said) in told {
            let said = said.as_deref().map(kept);
            if is_better || held.is_none() || said.is_some() && said < *held {
                *held = said;
            }
        }
    }

    pub(in crate::report) fn comparison(&mut self, row: Comparison) {
        self.compared += 1;
        self.incomplete += u64::from(!row.complete);
        let delta = Delta {
            files: row.files,
            bytes_outside: row.bytes_outside,
            lines_outside: row.lines_outside,
            headers_removed: row.headers_removed,
            complete: row.complete,
        };
        if let Some(beside) = self.beside(&row.locator) {
            beside.delta = Some(delta);
        }
    }

    pub(in crate::report) fn change(&mut self, row: Change) {
        let (order, word) = match row.kind {
            ChangeKind::Added => (0, "added"),
            ChangeKind::Changed => (0, "changed"),
            ChangeKind::Moved => (1, "moved"),
            ChangeKind::Reformatted => (2, "reformatted"),
            ChangeKind::Removed => (3, "removed"),
        };
        self.changes.add(word, 1);
        let Some(path) = row.path.as_deref().filter(|_| order < 2) else {
            return;
        };
        let weight = row.lines_added.or(row.bytes).unwrap_or(0);
        let path = kept(path);
        let original = row.original.as_deref().map(kept);
        let edit = EditRow {
            root: kept(&row.root),
            kind: word.to_owned(),
            original: original.filter(|original| *original != path),
            content: row.content.as_deref().map(kept),
            bytes: row.bytes,
            lines_added: row.lines_added,
            lines_removed: row.lines_removed,
            outside: stretches(&row.outside),
            sha256: row.sha256.filter(|_| !self.figures_only),
            path,
        };
        let key = (order, Reverse(weight), edit.root.clone(), edit.path.clone());
        self.edits.push(key, edit);
    }

    pub(in crate::report) fn sign(&mut self, sign: Sign) {
        const RULES: usize = 500;
        self.signs_total += 1;
        if let Some(beside) = self.beside(&sign.root) {
            if sign.severity >= COUNTS_FROM {
                beside.signs += 1;
            } else {
                beside.notes += 1;
            }
            beside.worst = beside.worst.max(Some(sign.severity));
        }
        // As in `Tally`: rules are few, and forged records must not grow this without end.
        let known = self.rules.len() < RULES || self.rules.contains_key(&sign.rule);
        let rule = if known { &sign.rule } else { "(further rules)" };
        let state = self.rules.entry(kept(rule)).or_insert_with(|| RuleState {
            highest: sign.severity,
            proven: 0,
            hint: 0,
            roots: HashSet::new(),
        });
        state.highest = state.highest.max(sign.severity);
        match sign.certainty {
            Certainty::Proven => state.proven += 1,
            Certainty::Hint => state.hint += 1,
        }
        if state.roots.len() < COPIES_MAX {
            state.roots.insert(kept(&sign.root));
        }
        let row = SignRow {
            severity: sign.severity,
            certainty: sign.certainty,
            rule: kept(&sign.rule),
            root: kept(&sign.root),
            path: kept(&sign.path),
            line: sign.line,
            found: kept(&sign.found),
            original: sign.original.as_deref().map(kept),
            sha256: sign.sha256.filter(|_| !self.figures_only),
        };
        let key = (
            Reverse(row.severity),
            Reverse(row.certainty),
            row.rule.clone(),
            kept(&sign.locator),
            row.line.unwrap_or(0),
        );
        self.signs.push(key, row);
    }

    pub(in crate::report) fn lineage(&mut self, row: Lineage) {
        if let Some(beside) = self.beside(&row.locator) {
            beside.lineage = Some(Box::new(row));
        }
    }

    pub(in crate::report) fn finish(mut self, judged: Judged) -> Copies {
        let mut copies = std::mem::replace(&mut self.copies, Top::new(0)).finish();
        let mut suspects = std::mem::replace(&mut self.suspects, Top::new(0)).finish();
        let largest = copies.rows.first().map(|row| Largest {
            work: row.work.clone(),
            release: row.release.clone(),
            of_original: row.of_original,
        });
        for row in copies.rows.iter_mut().chain(&mut suspects.rows) {
            self.join(row);
        }
        // Stable: below the roots the order by share stays.
        copies.rows.sort_by_key(|row| !row.is_network_root);
        let located = self.located(&copies.rows);
        let spread = spread(copies.rows.iter());
        let tree = self.tree(&copies.rows);
        let tampering = self.tampering(&copies.rows, &suspects.rows);
        copies.rows.truncate(ROWS);
        suspects.rows.truncate(ROWS);
        let matches = self.match_counts();
        let mut out = Copies {
            searched: judged.searched,
            figures_only: self.figures_only,
            largest,
            classes: self.classes.finish(),
            located,
            examined: self.examined.finish(),
            examined_total: self.examined_total,
            own_public: self.own_public.finish(),
            others: self.others.finish(),
            spread,
            tree,
            compared: Compared {
                copies: self.compared,
                incomplete: self.incomplete,
                changes: self.changes.finish(),
                table: self.edits.finish(),
            },
            tampering,
            validation: (!matches.is_empty()).then(|| Card::builtin().clone()),
            matches,
            absence: (judged.searched && copies.is_empty()).then_some(judged.absence),
            careful: judged.careful,
            copies,
            suspects,
        };
        let roots = out.own_public.rows.iter_mut().chain(&mut out.others.rows);
        for row in roots {
            let beside = self.beside.get(&row.locator);
            row.url = beside.and_then(|beside| beside.url.clone());
        }
        if self.figures_only {
            out.leave_figures();
        }
        out
    }

    fn join(&self, row: &mut CopyRow) {
        let Some(beside) = self.beside.get(&row.locator) else {
            return;
        };
        if beside.location.is_some() {
            row.location = beside.location;
            row.url = beside.url.clone().or_else(|| row.url.take());
        }
        row.host.clone_from(&beside.host);
        row.network.clone_from(&beside.network);
        row.seen_at.clone_from(&beside.seen_at);
        row.is_network_root = row.network.is_some()
            && row.url.as_deref().map(plain) == row.network.as_deref().map(plain);
        row.delta.clone_from(&beside.delta);
        let was_compared = beside.delta.is_some() || beside.worst.is_some();
        row.signs = was_compared.then_some(beside.signs);
        row.notes = beside.notes;
        row.signs_worst = beside.worst;
    }

    fn located(&self, rows: &[CopyRow]) -> Located {
        let mut out = Located {
            listed: self.listed,
            listed_absent: self.listed_absent,
            contradicted: self.contradicted,
            ..Located::default()
        };
        let mut hosts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut networks: BTreeSet<&str> = BTreeSet::new();
        for row in rows {
            match row
                .location
                .filter(|_| row.url.is_some() || row.host.is_some())
            {
                Some(Certainty::Proven) => out.recorded += 1,
                Some(Certainty::Hint) => out.hint += 1,
                None => out.unknown += 1,
            }
            if let Some(host) = &row.host {
                *hosts.entry(host).or_default() += 1;
            }
            networks.extend(row.network.as_deref());
        }
        out.hosts_total = count_of(hosts.len());
        out.networks = count_of(networks.len());
        let mut hosts: Vec<Count> = hosts
            .into_iter()
            .map(|(name, count)| Count {
                name: name.to_owned(),
                count,
            })
            .collect();
        hosts.sort_by_key(|host| Reverse(host.count));
        hosts.truncate(HOSTS_SHOWN);
        out.hosts = hosts;
        out
    }

    fn tree(&self, rows: &[CopyRow]) -> Tree {
        let mut tree = Tree::default();
        let by_url: HashMap<String, &str> = rows
            .iter()
            .rev()
            .filter_map(|row| Some((plain(row.url.as_deref()?), row.locator.as_str())))
            .collect();
        let mut families: HashMap<&str, u64> = HashMap::new();
        let mut nodes = Vec::with_capacity(rows.len());
        for row in rows {
            let beside = self.beside.get(&row.locator);
            let lineage = beside.and_then(|beside| beside.lineage.as_deref());
            let listed = beside.and_then(|beside| by_url.get(&plain(beside.parent.as_deref()?)));
            let mut node = Node {
                row: TreeRow {
                    locator: row.locator.clone(),
                    url: row.url.clone(),
                    class: row.class.clone(),
                    family_size: 1,
                    signs: row.signs.unwrap_or(0),
                    ..TreeRow::default()
                },
                network: row.network.clone(),
                parent: None,
            };
            if let Some(lineage) = lineage {
                *families.entry(&lineage.family).or_default() += 1;
                node.row.family_size = lineage.family_size;
                node.row.shared = lineage.changes_shared;
                node.row.own = lineage.changes_own;
                node.row.ties = count_of(lineage.parent_ties.len());
                node.row.contradicted = lineage.contradicted;
                node.parent = lineage.parent.as_deref().map(kept);
                tree.contradicted += u64::from(lineage.contradicted);
                tree.bounded += u64::from(lineage.bounded);
            } else {
                // Without a comparison there is what the list says.
                node.parent = listed.map(|&parent| parent.to_owned());
            }
            let basis = lineage.map_or(Some(ParentBasis::Recorded), |row| row.parent_basis);
            if let Some(basis) = basis.filter(|_| node.parent.is_some()) {
                let (count, word) = match basis {
                    ParentBasis::Recorded => (&mut tree.recorded, "recorded"),
                    ParentBasis::SharedChanges => (&mut tree.by_changes, "shared-changes"),
                };
                *count += 1;
                node.row.basis = Some(word.to_owned());
            }
            nodes.push(node);
        }
        let large = families.values().filter(|&&size| size > 1);
        tree.families = count_of(large.clone().count());
        tree.in_families = large.sum();
        grow(nodes, &mut tree);
        tree
    }

    fn tampering(&mut self, copies: &[CopyRow], suspects: &[CopyRow]) -> Tampering {
        let places = || copies.iter().chain(suspects);
        let with = |least| {
            count_of(
                places()
                    .filter(|row| row.signs_worst >= Some(least))
                    .count(),
            )
        };
        let mut rules: Vec<SignRule> = std::mem::take(&mut self.rules)
            .into_iter()
            .map(|(rule, state)| {
                let words = TamperRules::builtin().get(&rule);
                SignRule {
                    title: words.map(|words| words.title.clone()),
                    why: words.map(|words| words.why.clone()),
                    action: words.map(|words| words.action.clone()),
                    highest: state.highest,
                    copies: count_of(state.roots.len()),
                    proven: state.proven,
                    hint: state.hint,
                    rule,
                }
            })
            .collect();
        rules.sort_by_key(|rule| (Reverse(rule.highest), Reverse(rule.copies)));
        Tampering {
            total: self.signs_total,
            copies: with(COUNTS_FROM),
            copies_high: with(Severity::High),
            rules,
            table: std::mem::replace(&mut self.signs, Top::new(0)).finish(),
        }
    }

    fn match_counts(&mut self) -> Vec<MatchCount> {
        let matches = std::mem::take(&mut self.matches).into_iter();
        matches
            .filter_map(|((work, release, grade), places)| {
                let (grade, _) = *GRADES.get(usize::from(grade))?;
                Some(MatchCount {
                    work,
                    release,
                    grade,
                    places,
                })
            })
            .collect()
    }
}

impl Copies {
    /// Leaves out whatever speaks of a single place.
    fn leave_figures(&mut self) {
        let rows: [&mut Table<CopyRow>; 2] = [&mut self.copies, &mut self.suspects];
        rows.into_iter().for_each(|table| table.rows.clear());
        self.own_public.rows.clear();
        self.others.rows.clear();
        self.compared.table.rows.clear();
        self.tampering.table.rows.clear();
        self.located.hosts.clear();
        self.tree.networks.clear();
    }
}

fn row_of(copy: Copy) -> (CopyKey, CopyRow) {
    // Millionths: floats have no total order, and finer is not shown.
    let share = (copy.of_original.clamp(0.0, 1.0) * 1e6) as u64;
    let why = copy.release_basis.as_ref();
    let licences = copy.licences.iter().take(LICENCES_SHOWN).map(|file| {
        let says = file.licence.as_deref().unwrap_or("not recognised");
        kept(&format!("{}: {says}", file.path))
    });
    let mut licences: Vec<String> = licences.collect();
    let more = copy.licences.len().saturating_sub(LICENCES_SHOWN);
    if more > 0 {
        licences.push(format!("and {more} more"));
    }
    let row = CopyRow {
        locator: kept(&copy.locator),
        why: why.and_then(|basis| Some(kept(&release_words(basis, &copy.release)?))),
        grades: grades(copy.grades),
        standing: counts(copy.standing),
        licences,
        url: copy.url.as_deref().map(kept),
        location: copy.location,
        work: kept(&copy.work),
        release: kept(&copy.release),
        files_matched: copy.files_matched,
        files_total: copy.files_total,
        of_original: copy.of_original,
        unmatched_files: copy.unmatched_files,
        unmatched_bytes: copy.unmatched_bytes,
        class: kept(&copy.class),
        dates: copy.dates.map(|dates| DateSpan {
            first: kept(&dates.first),
            last: kept(&dates.last),
            basis: kept(&dates.basis),
        }),
        ..CopyRow::default()
    };
    ((Reverse(share), row.locator.clone()), row)
}

fn grades(of: BTreeMap<String, u64>) -> Vec<Count> {
    let mut grades = counts(of);
    let strength = |name: &str| {
        GRADES
            .iter()
            .position(|(_, word)| *word == name)
            .unwrap_or(GRADES.len())
    };
    grades.sort_by_key(|grade| strength(&grade.name));
    grades
}

/// Counts that are not 0; of forged ones the first few.
fn counts(of: BTreeMap<String, u64>) -> Vec<Count> {
    const WORDS: usize = 8;
    let rows = of.into_iter().filter(|(_, count)| *count > 0);
    rows.take(WORDS)
        .map(|(name, count)| Count {
            name: kept(&name),
            count,
        })
        .collect()
}

/// `12–40, 77, and 3 more stretches`.
fn stretches(lines: &[[u64; 2]]) -> String {
    let shown = lines.iter().take(STRETCHES_SHOWN).map(|[first, last]| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}–{last}")
        }
    });
    let mut shown: Vec<String> = shown.collect();
    let more = lines.len().saturating_sub(STRETCHES_SHOWN);
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

/// An address as far as two lists may write it differently.
fn plain(url: &str) -> String {
    crate::copies::lineage::plain(url)
}

fn kept(text: &str) -> String {
    clip(text, KEPT_CHARS)
}
