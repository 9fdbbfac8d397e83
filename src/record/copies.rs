//! Records about copies: what is at each place, where it was got from, and what was changed in it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Basis, Certainty, Hops, Severity};

/// A place that holds a work, or part of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Copy {
    /// The root of the place.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Name of the work.
    pub work: String,
    /// Release of the work.
    pub release: String,
    /// First-party files of the work that it matches.
    pub files_matched: u64,
    /// First-party files of the work, without those whose content a `--public` set has, as far as the input shows that.
    pub files_total: u64,
    /// Share of the work's first-party bytes that it matches, 0 to 1; of a file that is there in part, that part.
    pub of_original: f64,
    /// Files matched by grade; each file counts once, with its best grade. In a copy, those that are `derived`, `ported` or
    /// `hinted` count nowhere else.
    pub grades: BTreeMap<String, u64>,
    /// The weakest thing that a match counted here rests on.
    #[serde(default)]
    pub basis: Basis,
    /// What kind of copy: `verbatim` (every file byte for byte), `reformatted` (every file, with other line
    /// ends, blanks or layout; tokens and comments are equal), `modified` (every file, some changed or cut, be it a header; one in
    /// 32 may be missing where they are less than a hundredth of the bytes), `partial`; of a suspect, and of a copy that has traces of the work and no file as a
    /// whole, `derived` (the same code under other names, or cut and edited beyond equal stretches) or `ported`; `names-only` (no content matches, and
    /// paths agree), or, of a triage, `hinted`.
    pub class: String,
    /// Why this release is named; null where one release of the work was signed.
    #[serde(default)]
    pub release_basis: Option<ReleaseBasis>,
    /// Regular files of the place that were read in full and match no file of any signed work: as they lie there, or
    /// in archives, nested ones too; what is below `node_modules` counts as well. An archive is no file itself. Objects of git
    /// stores are none, but where a place is git stores and nothing else: there the files at their heads are counted, each path once,
    /// links and submodules left out. Null where they were not counted: by a triage, and where what stands at a head is not
    /// known (no head, folders that are missing or damaged or too many, names that are not read, contents that are borrowed).
    #[serde(default)]
    pub unmatched_files: Option<u64>,
    /// Their bytes, unpacked. Null as above, and where part of an archive of several copies could not be read.
    #[serde(default)]
    pub unmatched_bytes: Option<u64>,
    /// Regular files of the place that match what is public of the work and nothing beyond; they are not unmatched. Null as above.
    #[serde(default)]
    pub public_files: Option<u64>,
    /// Regular files of the place that were not read in full, and of which nothing matches; they are not unmatched. At a head,
    /// those too whose content the store does not have. Null as above.
    #[serde(default)]
    pub unread_files: Option<u64>,
    /// Where those files were counted; null where they were not.
    #[serde(default)]
    pub counted: Option<Counted>,
    /// Of `names-only`: different paths of the work, by their last folder and their name without its ending, that the place
    /// has too.
    #[serde(default)]
    pub paths_matched: Option<u64>,
    /// What the place says of itself that would make it the organisation's own: the name of its package, its
    /// repository, its git remote. Nobody checked that.
    #[serde(default)]
    pub claims_own: Option<String>,
    /// Licence files of the place, the nearest to its root first; the first 16. Of a place that is a git store and nothing
    /// else, those at the head of its default branch.
    #[serde(default)]
    pub licences: Vec<LicenceFile>,
    /// From when to when what matches is dated, and by what.
    #[serde(default)]
    pub dates: Option<CopyDates>,
    /// Files that match by where they stand: `checked-out` (files as they lie there) or, in a git store, a standing of
    /// [`GitPlace`](super::GitPlace), or `unknown` where no names lead to objects; each counts once, with the nearest to
    /// what a visitor sees.
    #[serde(default)]
    pub standing: BTreeMap<String, u64>,
    /// Where it was got from, as its `origin` says.
    #[serde(default)]
    pub url: Option<String>,
    /// How sure that is: `proven` (recorded) or `hint` (the place says so of itself); null where nothing is known.
    #[serde(default)]
    pub location: Option<Certainty>,
}

/// Where the files of a place were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// As they lie there, or in an archive.
    LaidOut,
    /// In what `HEAD` of a git store leads to, of a place that is git stores and nothing else.
    Head,
}

/// A licence file of a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LicenceFile {
    /// Its path below the root, escaped as locators are.
    pub path: String,
    /// SPDX identifier, where its text or a stated identifier tells.
    pub licence: Option<String>,
}

/// From when to when something is dated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopyDates {
    /// First, RFC 3339, UTC.
    pub first: String,
    /// Last, RFC 3339, UTC.
    pub last: String,
    /// What says so: `git-author` (author dates of commits, which their authors state), `file` (times of files, which say
    /// when they were written where they lie), `archive-member` (times in archives, which whoever packed them wrote; no date on
    /// which anything was published).
    pub basis: String,
}

/// Why a release of a work is named, where several were signed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseBasis {
    /// Releases that match as well as the one named, so that nothing tells them apart; sorted.
    pub ties: Vec<String>,
    /// What is there of each release that matches, the one named included; by name.
    pub releases: Vec<ReleaseMatch>,
}

/// How a place matches one release of a work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseMatch {
    /// The release.
    pub release: String,
    /// First-party files of it that the place matches.
    pub files_matched: u64,
    /// Share of its first-party bytes, 0 to 1.
    pub of_original: f64,
    /// Contents of the place that are equal to a file of it, byte for byte or in normal form.
    pub equal: u64,
    /// Contents of the place that agree better with it than with any other signed release.
    pub telling: u64,
    /// Files of it that those agree with, sorted; the first 16.
    pub telling_files: Vec<String>,
}

/// A root that was looked at for copies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Examined {
    /// The root.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// A class of copy or suspect, `own-public` (what matches is public already), `unrelated` or `unreadable`;
    /// `undecided` where a triage saw nothing.
    pub class: String,
    /// Why, where matches alone do not say so, and what was not read of it.
    #[serde(default)]
    pub note: Option<String>,
}

/// What says where a root comes from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OriginBy {
    /// A record of how it was acquired.
    Acquisition,
    /// The user's list.
    Origins,
    /// A remote of the clone itself.
    GitRemote,
    /// The repository that its package names.
    PackageMetadata,
}

/// What a run was told of where copies come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunOrigins {
    /// BLAKE3 of the list of places (`--origins`), hex.
    pub list: Option<String>,
    /// BLAKE3 of each record of acquisition (`--acquisition`), hex.
    pub acquisitions: Vec<String>,
    /// Locators of the folders of which each thing directly in them is one root (`--copies-root`).
    pub copies_roots: Vec<String>,
}

/// Where a root comes from; or a place on the user's list that is not in the input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The root; empty where what the list names is not in the input.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Its path, as the list has it.
    pub path: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// The host, lower case.
    pub host: Option<String>,
    /// Address of what it was forked from.
    pub parent: Option<String>,
    /// Address of the root of its fork network, as parents lead to it.
    pub network: Option<String>,
    /// When it was seen there, RFC 3339, UTC.
    pub seen_at: Option<String>,
    /// It is in the input.
    pub present: bool,
    /// The user's list has it.
    #[serde(default)]
    pub listed: bool,
    /// What says so.
    pub by: OriginBy,
    /// `proven`: recorded by a person; `hint`: the place says so of itself.
    pub certainty: Certainty,
    /// How it was acquired, where that is recorded.
    pub acquired: Option<Acquired>,
    /// What contradicts this, one a line: another row, a record, a remote.
    pub contradicted_by: Vec<String>,
}

impl Origin {
    /// What `by` says of a root, and nothing else: where it comes from.
    pub fn said(locator: &str, hops: Hops, url: &str, by: OriginBy, certainty: Certainty) -> Self {
        Self {
            locator: locator.to_owned(),
            hops,
            path: None,
            url: Some(url.to_owned()),
            host: None,
            parent: None,
            network: None,
            seen_at: None,
            present: true,
            listed: by == OriginBy::Origins,
            by,
            certainty,
            acquired: None,
            contradicted_by: Vec::new(),
        }
    }
}

/// How an input was acquired, as a person or a tool recorded it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acquired {
    /// When, RFC 3339, UTC.
    pub time: Option<String>,
    /// The tool, with its version.
    pub tool: Option<String>,
    /// Who did it.
    pub person: Option<String>,
    /// Headers of the response, as recorded.
    pub headers: BTreeMap<String, String>,
    /// SHA-256 of what was fetched, as recorded, hex.
    pub sha256: Option<String>,
    /// Whether the input has that digest; null where it is no single file or none was recorded.
    pub sha256_agrees: Option<bool>,
    /// The file of the capture.
    pub capture: Option<String>,
}

/// How many files, by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileCounts {
    /// Files of the original.
    pub original: u64,
    /// Files of the copy.
    pub copy: u64,
    /// The same bytes at the same path.
    pub equal: u64,
    /// The same but for line ends, blanks and layout, at the same path.
    pub reformatted: u64,
    /// The same bytes, or the same but for layout, at another path.
    pub moved: u64,
    /// At the same path, or recognisably the same file, with other text.
    pub changed: u64,
    /// In the copy only.
    pub added: u64,
    /// In the original only.
    pub removed: u64,
    /// Of either side, files that could not be read as a whole, or are too large to be held: what they hold is not compared.
    pub unread: u64,
}

/// A copy held against the original as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The root of the copy.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Label of the original.
    pub original: String,
    /// Files.
    pub files: FileCounts,
    /// Bytes of all files of the original.
    pub bytes_original: u64,
    /// Of those, bytes that are in the copy too: of changed files, of the lines that are the same.
    pub bytes_held: u64,
    /// Bytes of the copy that are not in the original: added files, and other lines of changed ones.
    pub bytes_outside: u64,
    /// Lines of text files of the copy that are not in the original.
    pub lines_outside: u64,
    /// Files of the original whose licence or copyright header is not in the copy's file any more.
    pub headers_removed: u64,
    /// Signs of tampering, by rule.
    pub signs: BTreeMap<String, u64>,
    /// All files of both sides were read.
    pub complete: bool,
    /// Folder of the copy that stands for the root of the original, escaped as locators are; null where its root does.
    #[serde(default)]
    pub copy_folder: Option<String>,
    /// Folder of the original that stands for the root of the copy.
    #[serde(default)]
    pub original_folder: Option<String>,
}

/// What became of a file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// In the copy only.
    Added,
    /// In both, with other text.
    Changed,
    /// In both but for layout.
    Reformatted,
    /// At another path.
    Moved,
    /// In the original only.
    Removed,
}

/// One file that a copy has otherwise than the original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The file in the copy; of a removed one the root of the copy.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// The root of the copy.
    pub root: String,
    /// What became of it.
    pub kind: ChangeKind,
    /// Its path in the copy, escaped as locators are; null where it was removed.
    pub path: Option<String>,
    /// Its path in the original; null where it was added.
    pub original: Option<String>,
    /// SHA-256 in the copy, hex.
    pub sha256: Option<String>,
    /// SHA-256 in the original, hex.
    pub original_sha256: Option<String>,
    /// What the content of the copy's file is.
    pub content: Option<String>,
    /// Bytes in the copy.
    pub bytes: Option<u64>,
    /// Lines that the copy has and the original has not; null where it is no text.
    pub lines_added: Option<u64>,
    /// Lines that the original has and the copy has not.
    pub lines_removed: Option<u64>,
    /// Which lines of the copy those are, 1-based, inclusive; the first 64 stretches.
    pub outside: Vec<[u64; 2]>,
    /// Licence or copyright lines of the original's header are not in the copy's file.
    #[serde(default)]
    pub header_removed: bool,
    /// The order of lines counted; of very long texts each line was looked for anywhere instead.
    #[serde(default = "yes")]
    pub lines_ordered: bool,
}

fn yes() -> bool {
    true
}

/// Something that a copy has and the original has not, as tampering shows itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sign {
    /// Id of the rule.
    pub rule: String,
    /// How bad that is if it is what it looks like.
    pub severity: Severity,
    /// `proven` by parsing, or hinted by a name or a pattern.
    pub certainty: Certainty,
    /// The file in the copy.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// The root of the copy.
    pub root: String,
    /// Its path in the copy, escaped as locators are.
    pub path: String,
    /// Line in the copy, 1-based; null where the file as a whole is meant.
    pub line: Option<u64>,
    /// What is there now, shortened and escaped.
    pub found: String,
    /// What the original has in its place; null where it has nothing there.
    pub original: Option<String>,
    /// SHA-256 of the file in the copy, hex.
    pub sha256: Option<String>,
}

/// What says what a copy was made of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ParentBasis {
    /// The list says so.
    Recorded,
    /// It has all changes of the other, and more.
    SharedChanges,
}

/// What a copy was made of, and which others are nearest to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lineage {
    /// The root of the copy.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Root of its fork network, as recorded.
    pub network: Option<String>,
    /// Locator of the first of those that are the same as it, or nearly so; itself where it is the first or alone.
    pub family: String,
    /// How many are the same as it, or nearly so, itself included.
    pub family_size: u64,
    /// The copy that it was made of, where one is named; null where it may have been made of the original itself.
    pub parent: Option<String>,
    /// What says so.
    pub parent_basis: Option<ParentBasis>,
    /// Others that it may as well have been made of: they have the same changes; the first 16.
    pub parent_ties: Vec<String>,
    /// Address of what it was forked from, as recorded, in the input or not.
    #[serde(default)]
    pub parent_url: Option<String>,
    /// A recorded parent that what was changed does not bear out: it has not half of that one's changes, and has those of
    /// a copy of another line; or the records lead in a circle.
    #[serde(default)]
    pub contradicted: bool,
    /// Changes that it shares with its parent.
    pub changes_shared: u64,
    /// Changes that are its own.
    pub changes_own: u64,
    /// The first time by which it is dated, RFC 3339, UTC.
    pub first: Option<String>,
    /// What says so, as in `dates` of a copy, or `seen-at`.
    pub first_basis: Option<String>,
    /// Not all other copies could be held against it within the bounds: there may be a nearer one.
    #[serde(default)]
    pub bounded: bool,
}

macro_rules! boxed {
    ($($row:ident),*) => {$(
        impl From<$row> for super::Record {
            fn from(row: $row) -> Self {
                super::Record::$row(Box::new(row))
            }
        }
    )*};
}
boxed!(Origin, Comparison, Change, Sign, Lineage);
