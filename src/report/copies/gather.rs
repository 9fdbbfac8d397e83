//! Records about copies in, joined rows out.
//!
//! Copies, suspects and roots that are neither are tables of their own; what else is said of a root is kept by [`roots`]
//! until the end, and signs by [`signs`]. All of it is bounded as the tables are.
//!
//! [`roots`]: super::roots
//! [`signs`]: super::signs

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::bounded::{Table, Tally, Top};
use super::super::model::{GRADES, ROWS, Rank, Statement, rank};
use super::model::*;
use super::roots::Roots;
use super::rows::{CopyKey, kept, row_of, stretches};
use super::scope::of_view;
use super::signs::{COUNTS_FROM, Signs};
use super::spread::spread;
use super::tree::tree;
use crate::copies::scope::Scope;
use crate::record::{Change, ChangeKind, Comparison, Copy, Examined, Lineage, Match, Origin, Sign};
use crate::signature::validation::Card;

/// Copies whose rows are joined; of more, those that hold least are counted by class only.
pub(super) const COPIES_MAX: usize = 100_000;

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

/// Gathers the records.
pub(in crate::report) struct CopiesGather {
    figures_only: bool,
    copies: Top<CopyKey, CopyRow>,
    suspects: Top<CopyKey, CopyRow>,
    classes: Tally,
    roots: Roots,
    examined: Tally,
    examined_total: u64,
    own_public: Top<String, ExaminedRow>,
    others: Top<(bool, String, String), ExaminedRow>,
    matches: BTreeMap<(String, String, Rank), u64>,
    compared: u64,
    incomplete: u64,
    changes: Tally,
    edits: Top<(u8, Reverse<u64>, String, String), EditRow>,
    signs: Signs,
}

/// What the section stands on beside its records.
pub(in crate::report) struct Judged {
    pub(in crate::report) searched: bool,
    pub(in crate::report) careful: bool,
    /// What is said where there is no copy.
    pub(in crate::report) absence: Statement,
    /// What may be said of places that were not examined.
    pub(in crate::report) scope: Option<Scope>,
}

impl CopiesGather {
    /// `figures_only`: rows of single places are left out in the end.
    pub(in crate::report) fn new(figures_only: bool) -> Self {
        Self {
            figures_only,
            copies: Top::new(COPIES_MAX),
            suspects: Top::new(COPIES_MAX),
            classes: Tally::default(),
            roots: Roots::default(),
            examined: Tally::default(),
            examined_total: 0,
            own_public: Top::new(ROWS),
            others: Top::new(ROWS),
            matches: BTreeMap::new(),
            compared: 0,
            incomplete: 0,
            changes: Tally::default(),
            edits: Top::new(ROWS),
            signs: Signs::new(figures_only),
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

    pub(in crate::report) fn origin(&mut self, origin: &Origin) {
        self.roots.origin(origin);
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
        if let Some(beside) = self.roots.at(&row.locator) {
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
        if let Some(beside) = self.roots.at(&sign.root) {
            if sign.severity >= COUNTS_FROM {
                beside.signs += 1;
            } else {
                beside.notes += 1;
            }
            beside.worst = beside.worst.max(Some(sign.severity));
        }
        self.signs.add(sign);
    }

    pub(in crate::report) fn lineage(&mut self, row: Lineage) {
        if let Some(beside) = self.roots.at(&row.locator) {
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
            self.roots.join(row);
        }
        // Stable: below the roots the order by share stays.
        copies.rows.sort_by_key(|row| !row.is_network_root);
        let located = self.roots.located(&copies.rows);
        let spread = spread(copies.rows.iter());
        let tree = tree(&copies.rows, &self.roots);
        let tampering = self.signs.finish(&copies.rows, &suspects.rows);
        copies.rows.truncate(ROWS);
        suspects.rows.truncate(ROWS);
        let matches = match_counts(self.matches);
        let scope = judged.scope;
        let scope = scope.and_then(|scope| of_view(scope, self.figures_only));
        let mut out = Copies {
            scope,
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
            side_by_side: None,
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
            let beside = self.roots.get(&row.locator);
            row.url = beside.and_then(|beside| beside.url.clone());
        }
        if self.figures_only {
            out.leave_figures();
        }
        out
    }
}

fn match_counts(matches: BTreeMap<(String, String, Rank), u64>) -> Vec<MatchCount> {
    matches
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
        .collect()
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
        self.located.hosts_hinted.clear();
        self.tree.networks.clear();
    }
}
