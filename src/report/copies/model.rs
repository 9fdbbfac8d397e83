//! What the section shows.

use serde::Serialize;

use super::super::bounded::{Count, Table};
use super::super::model::Statement;
use crate::copies::scope::Scope;
use crate::record::{Certainty, FileCounts, Grade, Severity};
use crate::signature::validation::Card;

/// Places that hold a work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Copies {
    /// Signature sets were in force.
    pub searched: bool,
    /// Rows of single places are left out of this view, and their figures are not.
    pub figures_only: bool,
    /// The place that holds most of a work.
    pub largest: Option<Largest>,
    /// Places with exact, normalised or excerpt matches; roots of fork networks first, then the largest share.
    pub copies: Table<CopyRow>,
    /// Places with derived or ported matches only.
    pub suspects: Table<CopyRow>,
    /// Copies by class.
    pub classes: Vec<Count>,
    /// Where the copies are, as far as that is known.
    pub located: Located,
    /// Roots looked at, by class.
    pub examined: Vec<Count>,
    /// Roots looked at, in all.
    pub examined_total: u64,
    /// Roots whose matches are public already.
    pub own_public: Table<ExaminedRow>,
    /// Other roots that are no copy, or could not be examined.
    pub others: Table<ExaminedRow>,
    /// Copies by date.
    pub spread: Spread,
    /// What was made of what.
    pub tree: Tree,
    /// What may be said of all places; null where there is none.
    pub scope: Option<Scope>,
    /// Copies held against the original.
    pub compared: Compared,
    /// Pages that show copies line beside line; null where none were asked for.
    pub side_by_side: Option<SideBySide>,
    /// What looks like tampering.
    pub tampering: Tampering,
    /// Matched files at places, by work, release and grade.
    pub matches: Vec<MatchCount>,
    /// Said where there is no copy.
    pub absence: Option<Statement>,
    /// No baseline was given, so that fingerprints were judged more carefully.
    pub careful: bool,
    /// How often matches of each grade are wrong, where there are matches.
    pub validation: Option<Card>,
}

/// The place that holds most of a work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Largest {
    /// Name of the work.
    pub work: String,
    /// Its release.
    pub release: String,
    /// Share of the work's bytes, 0 to 1.
    pub of_original: f64,
}

/// Where copies are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Located {
    /// Copies whose address is recorded.
    pub recorded: u64,
    /// Copies that say themselves where they come from.
    pub hint: u64,
    /// Copies of which no address is known.
    pub unknown: u64,
    /// Different hosts of the first.
    pub hosts_total: u64,
    /// Further hosts, which only copies themselves name.
    pub hosts_by_hint: u64,
    /// Copies whose address is recorded by host, the most first; empty where hosts are left out.
    pub hosts: Vec<Count>,
    /// The others of which a host is named, likewise.
    pub hosts_hinted: Vec<Count>,
    /// Different fork networks, as recorded.
    pub networks: u64,
    /// Further fork networks, which only copies themselves name.
    pub networks_by_hint: u64,
    /// Places on the user's list or in records of acquisition.
    pub listed: u64,
    /// Of those, places that are not in the input: nothing can be said of them.
    pub listed_absent: u64,
    /// Origins that another record or the place itself contradicts.
    pub contradicted: u64,
}

/// A place that holds a work, or part of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CopyRow {
    /// The root of the place.
    pub locator: String,
    /// Where it was got from.
    pub url: Option<String>,
    /// Its host.
    pub host: Option<String>,
    /// How sure that is: recorded, or a hint of the place itself; null where nothing is known.
    pub location: Option<Certainty>,
    /// Root of its fork network, as recorded.
    pub network: Option<String>,
    /// It is that root.
    pub is_network_root: bool,
    /// Name of the work.
    pub work: String,
    /// Its release.
    pub release: String,
    /// Why that one, where several were signed.
    pub why: Option<String>,
    /// Files of the work that match.
    pub files_matched: u64,
    /// Files of the work.
    pub files_total: u64,
    /// Share of the work's bytes, 0 to 1.
    pub of_original: f64,
    /// Files of the place that match no file of the work.
    pub unmatched_files: Option<u64>,
    /// Their bytes.
    pub unmatched_bytes: Option<u64>,
    /// Files by grade, strongest first.
    pub grades: Vec<Count>,
    /// What kind of copy.
    pub class: String,
    /// Files that match by where they stand.
    pub standing: Vec<Count>,
    /// Licence files, with what they say.
    pub licences: Vec<String>,
    /// From when to when what matches is dated.
    pub dates: Option<DateSpan>,
    /// When it was seen at its address.
    pub seen_at: Option<String>,
    /// Signs of tampering, of medium severity and up; null where it was not compared.
    pub signs: Option<u64>,
    /// Signs of less, which many honest changes have too.
    pub notes: u64,
    /// The worst of them.
    pub signs_worst: Option<Severity>,
    /// What it has otherwise than the original; null where it was not compared.
    pub delta: Option<Delta>,
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DateSpan {
    /// First, UTC.
    pub first: String,
    /// Last, UTC.
    pub last: String,
    /// What says so.
    pub basis: String,
}

/// What a copy has otherwise than the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delta {
    /// Files, by what became of them.
    pub files: FileCounts,
    /// Bytes of the copy that are not in the original.
    pub bytes_outside: u64,
    /// Lines of it that are not.
    pub lines_outside: u64,
    /// Files whose licence or copyright header is gone.
    pub headers_removed: u64,
    /// All files of both sides were read.
    pub complete: bool,
}

/// A root that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExaminedRow {
    /// What it turned out to be.
    pub class: String,
    /// The root.
    pub locator: String,
    /// Where it was got from.
    pub url: Option<String>,
}

/// How many matches of a grade a release of a work has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchCount {
    /// Name of the work.
    pub work: String,
    /// Its release.
    pub release: String,
    /// Grade of the matches.
    pub grade: Grade,
    /// Matches, each place counted.
    pub places: u64,
}

/// Copies by their first date. Dates of different sources are never added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// `day`, `month` or `year`: what a row stands for.
    pub step: String,
    /// First and last date by each source.
    pub sources: Vec<DateSource>,
    /// Days, months or years with copies, the earliest first. Those without any have no row.
    pub rows: Vec<SpreadRow>,
    /// Copies dated before the first row, where there are more rows than are shown.
    pub earlier: u64,
    /// Copies without any date.
    pub undated: u64,
}

/// A source of dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DateSource {
    /// `seen-at`, `git-author` or `file`.
    pub basis: String,
    /// Copies that it dates.
    pub copies: u64,
    /// The earliest first date.
    pub first: String,
    /// The latest first date.
    pub last: String,
}

/// Copies first dated within a day, month or year.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SpreadRow {
    /// The day, month or year.
    pub when: String,
    /// By when they were seen.
    pub seen_at: u64,
    /// By the authors of their commits.
    pub git_author: u64,
    /// By times of files.
    pub file: u64,
}

/// What was made of what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// Copies with a parent that is recorded.
    pub recorded: u64,
    /// Copies whose parent is told by shared changes.
    pub by_changes: u64,
    /// Recorded parents that what was changed does not bear out.
    pub contradicted: u64,
    /// Copies of which not all others could be held against within the bounds.
    pub bounded: u64,
    /// Groups of copies that are the same or nearly so, with two copies and more.
    pub families: u64,
    /// Copies in those.
    pub in_families: u64,
    /// Copies of no recorded network that nothing ties to another.
    pub alone: u64,
    /// Trees by fork network, the largest first; that of no network last.
    pub networks: Vec<TreeOf>,
    /// Copies in networks without a tree of their own here.
    pub left_out: u64,
}

/// The tree of one fork network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TreeOf {
    /// Root of the network, as recorded; null for copies without one.
    pub network: Option<String>,
    /// Copies in it.
    pub copies: u64,
    /// What is shown of them, parents before children.
    pub rows: Vec<TreeRow>,
}

/// A copy in a tree, or how many are left out at a place in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TreeRow {
    /// How deep it stands, from 0.
    pub depth: usize,
    /// Copies left out here; 0 where the row is a copy.
    pub more: u64,
    /// The root of the copy.
    pub locator: String,
    /// Its address.
    pub url: Option<String>,
    /// Its class.
    pub class: String,
    /// What says that it was made of the row above: `recorded` or `shared-changes`.
    pub basis: Option<String>,
    /// Changes that it shares with that one.
    pub shared: u64,
    /// Changes of its own.
    pub own: u64,
    /// Others that it may as well have been made of.
    pub ties: u64,
    /// Recorded, and not borne out.
    pub contradicted: bool,
    /// Copies that are the same or nearly so, itself included.
    pub family_size: u64,
    /// Signs of tampering.
    pub signs: u64,
}

/// Copies held against the original.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Compared {
    /// How many were.
    pub copies: u64,
    /// Of those, copies of which not all files were read.
    pub incomplete: u64,
    /// Files by what became of them, over all copies.
    pub changes: Vec<Count>,
    /// Changed, added and moved files; those with the most lines of their own first.
    pub table: Table<EditRow>,
}

/// A file that a copy has otherwise than the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditRow {
    /// The root of the copy.
    pub root: String,
    /// What became of it.
    pub kind: String,
    /// Its path in the copy.
    pub path: String,
    /// Its path in the original, where that is another.
    pub original: Option<String>,
    /// What it is.
    pub content: Option<String>,
    /// Bytes in the copy.
    pub bytes: Option<u64>,
    /// Lines that only the copy has.
    pub lines_added: Option<u64>,
    /// Lines that only the original has.
    pub lines_removed: Option<u64>,
    /// Which lines of the copy those are, as `12–40, 77`.
    pub outside: String,
    /// SHA-256 in the copy.
    pub sha256: Option<String>,
}

/// Pages in the report's folder, each with one copy beside its original.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SideBySide {
    /// Label of the original.
    pub original: String,
    /// Lines of one file that a page shows at most.
    pub lines: usize,
    /// The pages: the worst signs first, then the most lines of their own.
    pub pages: Vec<SidePage>,
    /// Copies that were to have a page, and could not be read or be shown.
    pub missed: Vec<SideMissed>,
    /// Copies that hold nothing that the original has not: there is nothing to show.
    pub same: u64,
    /// Copies without a page because there are so many.
    pub more: u64,
}

/// One page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SidePage {
    /// The root of the copy.
    pub root: String,
    /// Name of the page.
    pub file: String,
    /// Signs of tampering, notes among them.
    pub signs: u64,
    /// The worst of them.
    pub worst: Option<Severity>,
    /// Lines of the copy that are not in the original.
    pub lines_outside: u64,
    /// Bytes of it that are not.
    pub bytes_outside: u64,
}

/// A copy that could not be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SideMissed {
    /// The root of the copy.
    pub root: String,
    /// Why.
    pub why: String,
}

/// What looks like tampering.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tampering {
    /// Signs, notes among them.
    pub total: u64,
    /// Copies with a sign of medium severity or more.
    pub copies: u64,
    /// Copies with one of high or critical severity.
    pub copies_high: u64,
    /// By rule, worst first.
    pub rules: Vec<SignRule>,
    /// Single signs, worst first.
    pub table: Table<SignRow>,
}

/// The signs of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignRule {
    /// Its id.
    pub rule: String,
    /// What it is called; null where no rule of the program has that id.
    pub title: Option<String>,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub action: Option<String>,
    /// The worst seen.
    pub highest: Severity,
    /// Copies with it.
    pub copies: u64,
    /// Signs, proven by parsing.
    pub proven: u64,
    /// Signs by a name or a pattern.
    pub hint: u64,
}

/// One sign in one copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignRow {
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// Id of the rule.
    pub rule: String,
    /// The root of the copy.
    pub root: String,
    /// Its path in the copy.
    pub path: String,
    /// Line in the copy.
    pub line: Option<u64>,
    /// What is there.
    pub found: String,
    /// What the original has in its place.
    pub original: Option<String>,
    /// SHA-256 of the file in the copy.
    pub sha256: Option<String>,
}

impl CopyRow {
    /// What is known of where it is, in a word.
    pub fn location_word(&self) -> &'static str {
        match self.location {
            Some(Certainty::Proven) => "recorded",
            Some(Certainty::Hint) => "hint",
            None => "not recorded",
        }
    }
}

impl SignRow {
    /// The word used in records.
    pub fn certainty_word(&self) -> &'static str {
        match self.certainty {
            Certainty::Proven => "proven",
            Certainty::Hint => "hint",
        }
    }
}
