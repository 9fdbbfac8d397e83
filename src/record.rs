//! The records: what the program says to other programs.
//!
//! One object a line, `type` first. People outside read them, so this file is a contract: fields are added,
//! never renamed or removed, and unknown is `null`, not absent. `strandline schema` prints the JSON Schema that
//! is derived from these types; the doc comments below are the descriptions in it.
//!
//! What is *not* here: how records are found (the stages do that) and where they are kept (`case`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod copies;

pub use crate::blob::{Hop, Hops};
pub use copies::{
    Acquired, Change, ChangeKind, Comparison, Copy, CopyDates, Counted, Examined, FileCounts,
    LicenceFile, Lineage, Origin, OriginBy, ParentBasis, ReleaseBasis, ReleaseMatch, RunOrigins,
    Sign,
};

/// Version of the record schema, carried by the `run` record. Grows by one when a field is added.
pub const SCHEMA_VERSION: u32 = 1;

/// One line of the record stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Record {
    /// Always first: what ran, on what, with which rules.
    Run(Box<Run>),
    /// One published unit found in the input, also when nothing is wrong with it.
    Package(Box<Package>),
    /// One source map.
    Map(Map),
    /// One original file that a map names.
    Source(Box<Source>),
    /// Something that an entry points to.
    Reference(Reference),
    /// An artifact that should not be public.
    Exposure(Exposure),
    /// A credential, redacted.
    Secret(Secret),
    /// One thing that recovered code reveals.
    Item(Item),
    /// A blob held against one file of a work.
    Match(Box<Match>),
    /// A place with at least one exact, normalized or excerpt match.
    Copy(Box<Copy>),
    /// A place with derived or ported matches only.
    Suspect(Box<Copy>),
    /// A root that was looked at for copies.
    Examined(Examined),
    /// Where a root comes from, or a place on the user's list that is not in the input.
    Origin(Box<Origin>),
    /// A copy held against the original as a whole (`compare`).
    Comparison(Box<Comparison>),
    /// One file that a copy has otherwise than the original (`compare`).
    Change(Box<Change>),
    /// Something that a copy has and the original has not, as tampering shows itself (`compare`).
    Sign(Box<Sign>),
    /// What a copy was made of, and which others are nearest to it (`compare`).
    Lineage(Box<Lineage>),
    /// One release of a package of which the input holds several.
    Release(Box<Release>),
    /// One finding over the releases of a package: since when, and until when.
    Since(Box<Since>),
    /// One blob at one place (only with `--record all`).
    Blob(Blob),
    /// Something that kept bytes from being read, or is odd.
    Problem(Problem),
    /// Always last: the account of coverage.
    Ledger(Box<Ledger>),
}

// Boxed are the large ones, since most records of a scan are small.

impl From<Run> for Record {
    fn from(row: Run) -> Self {
        Record::Run(Box::new(row))
    }
}

impl From<Package> for Record {
    fn from(row: Package) -> Self {
        Record::Package(Box::new(row))
    }
}

impl From<Source> for Record {
    fn from(row: Source) -> Self {
        Record::Source(Box::new(row))
    }
}

impl From<Match> for Record {
    fn from(row: Match) -> Self {
        Record::Match(Box::new(row))
    }
}

impl From<Copy> for Record {
    fn from(row: Copy) -> Self {
        Record::Copy(Box::new(row))
    }
}

impl From<Release> for Record {
    fn from(row: Release) -> Self {
        Record::Release(Box::new(row))
    }
}

impl From<Since> for Record {
    fn from(row: Since) -> Self {
        Record::Since(Box::new(row))
    }
}

impl From<Ledger> for Record {
    fn from(row: Ledger) -> Self {
        Record::Ledger(Box::new(row))
    }
}

impl Record {
    /// The word in `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Record::Run(_) => "run",
            Record::Package(_) => "package",
            Record::Map(_) => "map",
            Record::Source(_) => "source",
            Record::Reference(_) => "reference",
            Record::Exposure(_) => "exposure",
            Record::Secret(_) => "secret",
            Record::Item(_) => "item",
            Record::Match(_) => "match",
            Record::Copy(_) => "copy",
            Record::Suspect(_) => "suspect",
            Record::Examined(_) => "examined",
            Record::Origin(_) => "origin",
            Record::Comparison(_) => "comparison",
            Record::Change(_) => "change",
            Record::Sign(_) => "sign",
            Record::Lineage(_) => "lineage",
            Record::Release(_) => "release",
            Record::Since(_) => "since",
            Record::Blob(_) => "blob",
            Record::Problem(_) => "problem",
            Record::Ledger(_) => "ledger",
        }
    }

    /// Locator and hops; `None` for records that stand at no place.
    pub fn place_mut(&mut self) -> Option<(&mut String, &mut Hops)> {
        Some(match self {
            Record::Run(_) | Record::Ledger(_) => return None,
            Record::Package(row) => (&mut row.locator, &mut row.hops),
            Record::Map(row) => (&mut row.locator, &mut row.hops),
            Record::Source(row) => (&mut row.locator, &mut row.hops),
            Record::Reference(row) => (&mut row.locator, &mut row.hops),
            Record::Exposure(row) => (&mut row.locator, &mut row.hops),
            Record::Secret(row) => (&mut row.locator, &mut row.hops),
            Record::Item(row) => (&mut row.locator, &mut row.hops),
            Record::Match(row) => (&mut row.locator, &mut row.hops),
            Record::Copy(row) | Record::Suspect(row) => (&mut row.locator, &mut row.hops),
            Record::Examined(row) => (&mut row.locator, &mut row.hops),
            Record::Origin(row) => (&mut row.locator, &mut row.hops),
            Record::Comparison(row) => (&mut row.locator, &mut row.hops),
            Record::Change(row) => (&mut row.locator, &mut row.hops),
            Record::Sign(row) => (&mut row.locator, &mut row.hops),
            Record::Lineage(row) => (&mut row.locator, &mut row.hops),
            Record::Release(row) => (&mut row.locator, &mut row.hops),
            Record::Since(row) => (&mut row.locator, &mut row.hops),
            Record::Blob(row) => (&mut row.locator, &mut row.hops),
            Record::Problem(row) => (&mut row.locator, &mut row.hops),
        })
    }
}

/// How bad an exposure is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Said for completeness.
    Info,
    /// Untidy; reveals little.
    Low,
    /// Reveals how things are built.
    Medium,
    /// Reveals what was meant to stay private.
    High,
    /// Act now.
    Critical,
}

impl Severity {
    /// The word used in records and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// How sure a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// A name or a pattern says so.
    Hint,
    /// The bytes were parsed and say so.
    Proven,
}

/// Whose code it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// The organisation's, or without a profile the package's own.
    First,
    /// Somebody else's.
    Third,
    /// Cannot be told; counts as first where severity is judged.
    Unknown,
}

/// How well the bytes of a source could be given back.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SourceStatus {
    /// Every byte, as it was.
    Exact,
    /// Every byte; a lone surrogate escape is kept as WTF-8.
    LoneSurrogate,
    /// Every byte; the map itself is not valid UTF-8 here.
    InvalidUtf8,
    /// The map ends within this source.
    Truncated,
    /// The map names it and holds no content.
    Missing,
    /// A limit kept it out.
    Refused,
}

/// What ran. Always the first record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Version of this schema.
    pub schema: u32,
    /// Program name and version.
    pub version: String,
    /// BLAKE3 of the program file, hex.
    pub program: Option<String>,
    /// BLAKE3 of all rules in force, hex.
    pub rules: String,
    /// Signature sets and baselines in force.
    pub sets: Vec<RunSet>,
    /// BLAKE3 of the organisation profile, hex.
    pub organisation: Option<String>,
    /// The inputs, in the order given.
    pub inputs: Vec<RunInput>,
    /// BLAKE3 of the list of releases (`--packages`), hex.
    #[serde(default)]
    pub releases: Option<String>,
    /// What was said of where copies come from; null where nothing was.
    #[serde(default)]
    pub origins: Option<Box<RunOrigins>>,
    /// The set of live secrets that was looked for.
    #[serde(default)]
    pub known_secrets: Option<RunKnown>,
    /// BLAKE3 of the rules of the user's own, hex; null without any.
    #[serde(default)]
    pub user_rules: Option<String>,
    /// The YARA rules of the user's own; null without any.
    #[serde(default)]
    pub yara: Option<Box<RunYara>>,
    /// BLAKE3 of the words of the user's own (`--terms`) and the code names of the profile, hex; null without any.
    #[serde(default)]
    pub terms: Option<String>,
    /// Which texts the inventory was made of: `sources`, `all` or `none`. Cases of before that do not say.
    #[serde(default)]
    pub inventory: Option<String>,
    /// What tells the key of `--case-key` from others, hex; null without one.
    #[serde(default)]
    pub case_key: Option<String>,
    /// Limits in force, by name.
    pub limits: BTreeMap<String, u64>,
    /// A triage: nothing was looked for but equal bytes, mostly by what indexes and headers say.
    #[serde(default)]
    pub triage: bool,
    /// How compressed content was undone: `fast`, or `safe` with `--safe-decoders`. Cases of before that do not say.
    pub decoders: Option<String>,
    /// UTC start of the run, RFC 3339. Differs from run to run.
    pub started: Option<String>,
    /// Seconds that the run took. Differs from run to run.
    pub seconds: Option<f64>,
    /// What the system kept the program from doing while it read. Differs from machine to machine.
    pub wall: Option<RunWall>,
}

/// Whether the wall was up: no file but the inputs could be read, none but the outputs written, no network be
/// reached and no program started, whatever an input did to a decoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunWall {
    /// How far it was up.
    pub state: WallState,
    /// What of it was not there, and why.
    pub why: Option<String>,
}

/// How far the wall was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WallState {
    /// All of it.
    Up,
    /// Some of it.
    Partly,
    /// Nothing: the system has none, or does not let this program have it.
    Down,
    /// It was not wanted (`--no-sandbox`), or nothing of others was read.
    Off,
}

/// A signature set that a run used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunSet {
    /// Name of the work.
    pub work: String,
    /// Release of the work.
    pub release: String,
    /// BLAKE3 of the set file, hex.
    pub digest: String,
    /// `signature`, `public` or `baseline`.
    pub role: String,
}

/// The set of live secrets that a run looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunKnown {
    /// BLAKE3 of the set file, hex.
    pub digest: String,
    /// Secrets in it.
    pub secrets: u64,
    /// Lines of the list that it was made of and that it does not hold.
    pub left_out: u64,
    /// Its key is not in it.
    pub is_keyed: bool,
}

/// The YARA rules that a run used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunYara {
    /// BLAKE3 of the rule files and of what bounds them, hex.
    pub digest: String,
    /// What ran them: program and version.
    pub engine: String,
    /// Files that they were read from.
    pub files: u64,
    /// Rules that were run.
    pub rules: u64,
    /// Rules that were not, since they ask for a module that is not there.
    pub left_out: u64,
    /// Seconds that one content may take at least, before the rules are given up on it.
    pub timeout_seconds: u64,
}

/// An input of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunInput {
    /// The label that locators begin with.
    pub label: String,
    /// SHA-256 of the file, hex; null for a folder.
    pub sha256: Option<String>,
}

/// One published unit found in the input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    /// Where: the archive, or the folder that holds the manifest.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// `npm`, `wheel`, `crate`, …
    pub ecosystem: String,
    /// Its name, as its manifest says.
    pub name: String,
    /// Its version, as its manifest says.
    pub version: Option<String>,
    /// SHA-256 of the archive, hex; null for a folder.
    pub sha256: Option<String>,
    /// Licence, as its manifest says.
    pub licence: Option<String>,
    /// Repository, as its manifest says.
    pub repository: Option<String>,
    /// It declares an OSI licence and a public repository.
    pub declared_open: bool,
    /// Regular files in it.
    pub files: u64,
    /// Source maps in it, inline ones included.
    pub maps: u64,
    /// Sources named by its maps.
    pub sources: SourceCounts,
    /// Bytes of recovered sources of the first or an unknown party.
    pub own_bytes: u64,
    /// Exposures in it, by class.
    pub exposures: BTreeMap<String, u64>,
    /// Secrets in it.
    pub secrets: u64,
    /// Items in its sources.
    #[serde(default)]
    pub items: u64,
    /// Everything in it was read in full.
    pub complete: bool,
    /// Where it stands in the container images that hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Box<ImagePlace>>,
}

/// Counts of sources by party.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceCounts {
    /// Of the first party.
    pub first: u64,
    /// Of a third party.
    pub third: u64,
    /// Of an unknown party.
    pub unknown: u64,
    /// Those whose content is there, whatever the party.
    pub with_content: u64,
}

/// Where a map stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MapKind {
    /// A file of its own.
    File,
    /// A data URL in a script or style sheet.
    Inline,
    /// A section of an index map.
    Section,
    /// Inside an executable or another carrier.
    Embedded,
}

/// One source map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Map {
    /// Where.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Where it stands.
    pub kind: MapKind,
    /// Entries in its `sources`, sections included.
    pub sources: u64,
    /// Those with content.
    pub with_content: u64,
    /// It is valid by ECMA-426, without even an optional error; null where its bytes did not come whole.
    pub valid: Option<bool>,
    /// Why it is not valid, or what is odd. `[optional]` marks what a consumer may pass over, `[note]` what is no
    /// part of the verdict.
    pub errors: Vec<String>,
    /// `debugId`, or the older `debug_id`, in lower case, escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_id: Option<String>,
    /// Whether its mappings and its contents belong together; null where too few places could be looked up.
    pub consistency: Option<Agreement>,
    /// How much of its script it explains; null where the script is not beside it or does not lead to it, and where
    /// mappings and script do not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<Explained>,
}

/// How much of a script the mappings of its map say to come from a source. Counted in UTF-16 code units, without line ends
/// and without the line that leads to the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explained {
    /// Where the script stands.
    pub script: String,
    /// Characters that come from a source.
    pub characters: u64,
    /// All characters of the script.
    pub of: u64,
}

/// One original file that a map names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Where: the map and the name in it.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Locator of the map.
    pub map: String,
    /// `sources[i]`, escaped as locators are; of an address without passwords, as everywhere (`***`).
    pub name: Option<String>,
    /// The raw name in base64, where escaping changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_b64: Option<String>,
    /// The name after `sourceRoot` and resolution against the map's own path, escaped.
    pub url: Option<String>,
    /// Length of the content in bytes.
    pub bytes: Option<u64>,
    /// SHA-256 of the content, hex.
    pub sha256: Option<String>,
    /// Whose it is.
    pub party: Party,
    /// Why that was said.
    pub party_reason: String,
    /// How well the bytes could be given back.
    pub status: SourceStatus,
    /// A skeleton stands beside it.
    pub skeleton: bool,
    /// Lines of the content: line feeds, and a last line without one.
    pub lines: Option<u64>,
    /// What the mappings tell of a source without content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped: Option<Mapped>,
    /// The hash that the map gives of it (`sourcesHash`), as written, escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Where in the input the content of a source without one may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
    /// What says that its content is public already; null where nothing in the input does.
    #[serde(default)]
    pub public: Option<Public>,
    /// Where it stands in the git store that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Box<GitPlace>>,
    /// Where it stands in the container images that hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Box<ImagePlace>>,
}

/// Where the content of a source may be that its own map does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Elsewhere {
    /// Locator of the content.
    pub locator: String,
    /// What says so.
    pub by: ElsewhereBy,
}

/// What says that a content is that of a source.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ElsewhereBy {
    /// The map gives a hash of it, and that is the content's, or another map gives the same of it.
    Hash,
    /// The file at the path that the map says the source has.
    Path,
    /// A source of the same name in a map with the same debug id.
    DebugId,
    /// A source of the same name in another map, with as many lines as the mappings need: a hint.
    NameAndLines,
}

/// What says that a content is public already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Public {
    /// Where it stands too: the locator of a package or repository, or work and release of a public set.
    #[serde(rename = "where")]
    pub place: String,
    /// What says that it is public there.
    pub by: PublicBy,
}

/// What says that a content is public. Each is somebody's declaration, not a proof.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PublicBy {
    /// A set that was made with `--public`, or a baseline, has it.
    Set,
    /// A package that declares an OSI licence and a public repository has it.
    Package,
    /// A clone whose package declares so has it among its objects.
    Repository,
    /// It states an open licence itself, and another file of the input has it.
    LicenceHeader,
}

/// What the mappings of a map tell of a source that has no content in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mapped {
    /// The last line that is mapped, 1-based: the source has at least so many.
    pub lines: u64,
    /// Segments that point into it.
    pub segments: u64,
    /// Names that stand in it, escaped, in the order of the generated code; the first 256.
    pub names: Vec<String>,
    /// How many different names there are.
    pub names_total: u64,
}

/// How the mappings of a map agree with its contents, by a sample of places.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// Share of the places that are right, 0 to 1.
    pub score: f64,
    /// Places that were looked up.
    pub places: u64,
    /// Those that are there and do not lie within a word.
    pub places_right: u64,
    /// Places with a name.
    pub named: u64,
    /// Those where the name stands.
    pub named_right: u64,
}

/// A row of the manifest that `recover` writes: a `source` record, and where its content was written.
#[derive(Debug, Serialize)]
pub struct ManifestRow<'a> {
    /// The `source` record.
    #[serde(flatten)]
    pub record: &'a Record,
    /// The path written below the output folder; null where nothing was.
    pub path: Option<&'a str>,
    /// The skeleton that was written in its stead.
    #[serde(flatten)]
    pub skeleton: Option<&'a SkeletonRow>,
}

/// What a manifest says of a skeleton.
#[derive(Debug, Serialize)]
pub struct SkeletonRow {
    /// Its path below the output folder.
    pub skeleton_path: String,
    /// Locator of the generated code that it was made of.
    pub skeleton_from: String,
    /// SHA-256 of it, hex.
    pub skeleton_sha256: String,
    /// It ends before its end: there was no room for all that the map puts there.
    pub skeleton_cut: bool,
}

/// Where an object of a git store stands. Everything found within the object carries the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitPlace {
    /// Locator of the store, pack or bundle.
    pub store: String,
    /// Name of the object, hex.
    pub object: String,
    /// `blob`, `commit` or `tag`.
    pub kind: String,
    /// Paths at which commits hold it, escaped as locators are, sorted; the first 16.
    pub paths: Vec<String>,
    /// There are more paths than these.
    pub more_paths: bool,
    /// The first commit that holds it, by the date that its author states; null where none does.
    pub first: Option<CommitAt>,
    /// The last commit that holds it, by the date that its author states; null where none does.
    pub last: Option<CommitAt>,
    /// How the names of the store lead to it; null where the names are not known.
    pub standing: Option<Standing>,
}

/// A commit and its date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommitAt {
    /// Name of the commit, hex.
    pub commit: String,
    /// Author date in UTC, RFC 3339; null where it states none that can be.
    pub date: Option<String>,
}

/// How the names of a git store lead to an object: the best that applies.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// In the state that `HEAD` leads to: what a host shows first.
    DefaultBranchHead,
    /// In the state that another branch or a tag leads to.
    OtherRef,
    /// In none of these, but in a commit before them.
    HistoryOnly,
    /// No name leads to it any more.
    Unreachable,
}

/// Where something stands in the container images around it: in one of their layers, or in what describes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImagePlace {
    /// Locator of the folder or archive that holds the images.
    pub root: String,
    /// How it stands: the best of its standings in the images; null where that is not known, or of what is in no layer.
    pub standing: Option<LayerStanding>,
    /// The images; the first 16.
    pub images: Vec<ImageUse>,
    /// There are more images than these.
    pub more_images: bool,
}

/// How an image uses a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageUse {
    /// What the image is called, escaped, sorted.
    pub tags: Vec<String>,
    /// Digest of its manifest, as its index names it; null where it has none.
    pub manifest: Option<String>,
    /// What it runs on, `os/architecture`.
    pub platform: Option<String>,
    /// Which of its layers this is, 0 for the lowest; null for what describes it.
    pub layer: Option<u64>,
    /// How many layers it has.
    pub layers: u64,
    /// How the entry stands in it; null where that is not known, or of what is in no layer.
    pub standing: Option<LayerStanding>,
    /// The layer that hides it, where one does.
    pub by_layer: Option<u64>,
}

/// Whether something in a layer can be seen from the top of an image; the best first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LayerStanding {
    /// Who runs the image sees it.
    Top,
    /// A later layer puts something else in its place.
    Replaced,
    /// A later layer takes it, or a folder that it lies in, away.
    Deleted,
    /// No document that is found by its name leads to an image that holds it.
    Unreferenced,
}

/// What kind of place a reference points to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceKind {
    /// A file beside it.
    File,
    /// A network address.
    Url,
    /// A storage bucket, or an archive at a network address.
    Bucket,
    /// A debug id.
    DebugId,
    /// A package of the organisation that a lockfile or a store names, `npm:NAME@VERSION`.
    Package,
}

/// Something that an entry points to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// The entry that points.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// What it points to, as written there, escaped; of an address without passwords (`***`).
    pub target: String,
    /// What kind of place that is.
    pub kind: ReferenceKind,
    /// Locator of the target, where the input holds it.
    pub found: Option<String>,
}

/// An artifact that should not be public.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exposure {
    /// Id of the class, as in `signatures/`.
    pub class: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// Where.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// SHA-256 of the content, hex; null where the finding is not one blob.
    pub sha256: Option<String>,
    /// What was seen, in a sentence, without secrets.
    pub detail: String,
    /// The YARA rule of the user's own that speaks for it, and what it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yara: Option<Box<YaraMatch>>,
    /// Where it stands in the git store that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Box<GitPlace>>,
    /// Where it stands in the container images that hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Box<ImagePlace>>,
}

/// What a YARA rule of the user's own found in one content. What the rule says of itself is its author's, and is bounded and
/// escaped here. The bytes that matched are not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct YaraMatch {
    /// The rule.
    pub rule: String,
    /// Its file, as a name: its path below the folder that was given, without its ending.
    pub namespace: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What its author says: `description`, `author`, `severity`, …
    pub meta: BTreeMap<String, String>,
    /// Its patterns that were found, the first of them.
    pub patterns: Vec<YaraPattern>,
    /// Further patterns that were found.
    pub more_patterns: u64,
    /// Further rules that match this content and are not told; said with the last one that is.
    pub more_rules: u64,
}

/// Where a pattern of a YARA rule was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct YaraPattern {
    /// Its name in the rule.
    pub id: String,
    /// Places where it was found; counting ends at a bound.
    pub places: u64,
    /// The first of them: offset in bytes, and length.
    pub at: Vec<[u64; 2]>,
}

/// A credential, redacted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Secret {
    /// What `case reveal` calls it: 12 hex digits of a digest of rule, locator, line and column.
    #[serde(default)]
    pub id: String,
    /// Id of the rule; of a live secret, its name in the set.
    pub rule: String,
    /// Where.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Line, 1-based.
    pub line: u64,
    /// Column in bytes, 1-based.
    pub column: u64,
    /// What identifies it safely.
    pub redacted: String,
    /// `checksum-ok`, `structure-ok` or `unchecked`.
    pub check: String,
    /// How bad.
    pub severity: Severity,
    /// Which rules found it: `specific`, `generic`, `known` (one of the live secrets that the user gave) or `user`.
    #[serde(default)]
    pub tier: String,
    /// Whose the text is that holds it.
    pub party: Option<Party>,
    /// SHA-256 of the content that holds it, hex.
    pub sha256: Option<String>,
    /// How it was written down, where not plainly: `escaped`, `folded`, `base64` or `utf-16`.
    pub written: Option<String>,
    /// What it says of itself, without what is secret.
    pub detail: Option<String>,
    /// Digest keyed by `--case-key`, hex: equal for equal secrets in reports that were made with one key.
    pub fingerprint: Option<String>,
    /// Bytes that it takes, as it is written. Kept in a case, and in no record.
    #[serde(skip)]
    pub length: u64,
    /// Where it stands in the git store that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Box<GitPlace>>,
    /// Where it stands in the container images that hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Box<ImagePlace>>,
}

/// Bytes of a secret's id.
const SECRET_ID_BYTES: usize = 6;

impl Secret {
    /// The id of a secret that a rule found at a place: the same in each scan of the same input.
    pub fn id_of(rule: &str, locator: &str, line: u64, column: u64) -> String {
        let place = format!("{rule}\0{locator}\0{line}\0{column}");
        let digest = blake3::hash(place.as_bytes());
        crate::blob::digest::hex(&digest.as_bytes()[..SECRET_ID_BYTES])
    }
}

/// One thing that recovered code reveals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// `flag`, `env`, `host`, `command`, `prompt`, `person`, …
    pub kind: String,
    /// The value, escaped.
    pub value: String,
    /// Where.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// Line, 1-based; 0 for what names of sources say and no line of theirs.
    pub line: u64,
    /// Whose it is.
    pub party: Party,
    /// How sure: `high`, `medium` or `low`.
    #[serde(default)]
    pub confidence: String,
    /// What else the code says of it: a default, a description, the call that names it; escaped.
    pub detail: Option<String>,
}

/// How a blob matches a file of a work.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// The same bytes.
    Exact,
    /// Equal after normal forms.
    Normalized,
    /// Stretches are equal.
    Excerpt,
    /// Renamed, minified or down-levelled.
    Derived,
    /// In another language.
    Ported,
    /// Length and checksum in a header are the same; nobody looked at the bytes.
    Hinted,
}

impl Grade {
    /// Whether a place with such a match is a copy; with others only it is a suspect.
    pub fn makes_copy(self) -> bool {
        matches!(self, Grade::Exact | Grade::Normalized | Grade::Excerpt)
    }

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Exact => "exact",
            Grade::Normalized => "normalized",
            Grade::Excerpt => "excerpt",
            Grade::Derived => "derived",
            Grade::Ported => "ported",
            Grade::Hinted => "hinted",
        }
    }
}

/// What a match rests on. A scan reads every byte; a triage takes the word of others.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The bytes were read.
    #[default]
    Content,
    /// The name of a git object, which is the digest of its bytes, as an index or the name of its file gives it. The
    /// object was not read.
    Id,
    /// Length and CRC-32, as a header states them. The bytes were not read.
    Header,
}

/// Stretches of both sides that correspond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatchRange {
    /// Lines of the original, 1-based, inclusive.
    pub original_lines: [u64; 2],
    /// Lines of the target, 1-based, inclusive.
    pub target_lines: [u64; 2],
    /// Bytes of the target, half-open.
    pub target_bytes: [u64; 2],
}

/// A blob held against one file of a work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Match {
    /// Where the blob stands.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// SHA-256 of the blob, hex; null where its bytes were not read.
    pub sha256: Option<String>,
    /// Name of the work.
    pub work: String,
    /// Release of the work.
    pub release: String,
    /// The file in the work: its id in the set, or its path where `.names` is at hand; empty where the work as a whole is meant,
    /// as of a suspected port, whose locator is the root of a place.
    pub file: String,
    /// How it matches.
    pub grade: Grade,
    /// What that rests on: `content`, unless a triage made the record.
    #[serde(default)]
    pub basis: Basis,
    /// 0 to 1.
    pub score: f64,
    /// log10 of the probability of this pair by chance, uncorrected; null for the exact tiers.
    pub log10_p: Option<f64>,
    /// Share of the original that is there, 0 to 1.
    pub of_original: f64,
    /// Share of the target that it makes up, 0 to 1.
    pub of_target: f64,
    /// Which stretches correspond.
    pub ranges: Vec<MatchRange>,
    /// When the blob was written, RFC 3339, as the tar or zip says that it is a member of: whoever packed it wrote that. Null
    /// elsewhere, and where the time is one that programs write into every archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// Where it stands in the git store that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Box<GitPlace>>,
    /// Where it stands in the container images that hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Box<ImagePlace>>,
}

/// One release of a package of which the input holds several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// Where: the first place of it in the input.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// `npm`, …
    pub ecosystem: String,
    /// Name of the package.
    pub name: String,
    /// Version of the release.
    pub version: String,
    /// Its place in the order of versions, 1 for the oldest in the input.
    pub position: u64,
    /// Releases of the package in the input.
    pub of: u64,
    /// Places of the input that hold it.
    pub places: u64,
    /// These do not all hold the same bytes.
    pub differs: bool,
    /// When it was published, UTC, RFC 3339; null where no document of the input and no list says so.
    pub published: Option<String>,
    /// What says so: the locator of a document of the input, or `list` for the list that the user gave.
    pub published_by: Option<String>,
    /// How often it was fetched, as the user's list says.
    pub downloads: Option<u64>,
    /// The release before it in the input.
    pub previous: Option<String>,
    /// Versions between the two, or before the first, that were published and are not in the input; null where nothing
    /// says what was published.
    pub unseen_before: Option<u64>,
    /// Of the newest in the input: versions behind it that were published and are not in the input; null for the others, and
    /// where nothing says what was published.
    #[serde(default)]
    pub unseen_after: Option<u64>,
    /// Bytes of the archive; null for a folder.
    pub archive_bytes: Option<Grown>,
    /// Files in it.
    pub files: Grown,
    /// Source maps in it.
    pub maps: Grown,
    /// Bytes of recovered sources of the first or an unknown party.
    pub own_bytes: Grown,
    /// Which of the four grew or shrank out of proportion.
    pub jumps: Vec<String>,
    /// Contents of own sources, each once: those that the release before did not hold.
    pub contents_new: u64,
    /// Those that the release before held and this one does not.
    pub contents_gone: u64,
    /// Those that both hold.
    pub contents_kept: u64,
    /// Findings that are in it and not in the release before.
    pub introduced: u64,
    /// Findings that are in the release before and not in it.
    pub removed: u64,
    /// Everything in it was read in full.
    pub complete: bool,
}

/// A size of a release, and that of the release before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Grown {
    /// Of this release.
    pub now: u64,
    /// Of the release before it in the input; null for the first.
    pub before: Option<u64>,
    /// The one divided by the other; null where there is no other, or it is 0.
    pub ratio: Option<f64>,
}

/// One finding over the releases of a package that are in the input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Since {
    /// One place of it in the release that introduced it.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// `npm`, …
    pub ecosystem: String,
    /// Name of the package.
    pub name: String,
    /// What kind of finding.
    pub subject: SinceSubject,
    /// Class of an exposure, rule of a secret, path of a map in the package with build hashes as `*`, `own-contents`.
    pub what: String,
    /// What tells one secret from another: the keyed fingerprint, else what identifies it safely.
    pub identity: Option<String>,
    /// The worst severity it has in a release.
    pub severity: Option<Severity>,
    /// How many things the row stands for: 1, or contents of own sources that came and went together.
    pub count: u64,
    /// Their bytes, of contents of own sources.
    pub bytes: Option<u64>,
    /// The first release with it.
    pub introduced: String,
    /// The nearest release before that one which was read in full and is without it; null where there is none.
    pub not_before: Option<String>,
    /// Published versions between those two that are not in the input; null where nothing says what was published.
    pub unseen: Option<u64>,
    /// The last release with it.
    pub last: String,
    /// The first release after that one which was read in full and is without it; null where there is none.
    pub removed: Option<String>,
    /// It is in the newest release of the input; null where that was not read in full and does not show it.
    pub still_there: Option<bool>,
    /// Releases with it.
    pub releases: u64,
    /// Releases without it between the first and the last with it; the first 16.
    pub absent_between: Vec<String>,
    /// Since when it could be fetched and until when it came with new releases.
    pub window: Window,
}

/// What kind of finding a `since` record is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SinceSubject {
    /// A class of exposures.
    Exposure,
    /// A source map.
    Map,
    /// A secret.
    Secret,
    /// Contents of recovered sources of the first or an unknown party.
    Source,
}

/// A stretch of time. Its ends are publish dates; a time in an archive is never taken for one. That a later release is
/// without a finding takes nothing back: who has the earlier release has the finding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// Publish date of the earliest release with it, UTC, RFC 3339; null where that is unknown.
    pub from: Option<String>,
    /// Publish date of the release that is first without it; null where that is unknown or there is none.
    pub until: Option<String>,
    /// Seconds between the two.
    pub seconds: Option<u64>,
}

/// One blob at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Blob {
    /// Where.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// SHA-256, hex.
    pub sha256: String,
    /// Length in bytes.
    pub bytes: u64,
    /// What it is, by content.
    pub kind: String,
    /// Digest of its normal form (`norm-text/1`, BLAKE3, hex), where it is text and was held as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub norm_text: Option<String>,
    /// Its lines, where it is text and was held as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// Where it stands in the git store that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Box<GitPlace>>,
    /// Where it stands in the container images that hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Box<ImagePlace>>,
}

/// Something that kept bytes from being read, or is odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Code of the problem, as `--accept-problem` takes it.
    pub code: String,
    /// Where.
    pub locator: String,
    /// The way to it.
    pub hops: Hops,
    /// What happened and what to do next.
    pub detail: String,
    /// Bytes that were not read; 0 when all were, null when nobody can tell.
    pub bytes_unread: Option<u64>,
}

/// The account of coverage. Always the last record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ledger {
    /// Containers opened.
    pub containers: u64,
    /// Regular members seen; the sum of the four below.
    pub entries: u64,
    /// Read and examined here first.
    pub scanned: u64,
    /// Content that had been examined before.
    pub duplicate: u64,
    /// Not read, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Read in part, by reason.
    pub damaged: BTreeMap<String, u64>,
    /// Folders, links, headers and such, by kind; outside the sum.
    pub other: BTreeMap<String, u64>,
    /// Bytes of the input files.
    pub bytes_in: u64,
    /// Bytes of all entries that were read.
    pub bytes_scanned: u64,
    /// Findings at or above `--fail-on`.
    pub findings_failing: u64,
    /// Everything was read in full, but for what was accepted (`--accept-problem`).
    pub complete: bool,
}

/// Reason of the ledger for what is named without content: sources of a map, bodies that a capture did not keep.
pub const NO_CONTENT: &str = "no-content";

impl Ledger {
    /// Whether entries = scanned + duplicate + skipped + damaged.
    pub fn adds_up(&self) -> bool {
        let kept_out: u64 = self.skipped.values().chain(self.damaged.values()).sum();
        self.entries == self.scanned + self.duplicate + kept_out
    }

    /// Entries that were not read in full, whether or not whoever ran the scan accepts that. What is named without content is
    /// not among them: there was nothing to read.
    pub fn not_read(&self) -> u64 {
        let skipped = self.skipped.iter();
        let skipped = skipped.filter(|(reason, _)| reason.as_str() != NO_CONTENT);
        let counts = skipped.map(|(_, count)| *count);
        let counts = counts.chain(self.damaged.values().copied());
        counts.fold(0, u64::saturating_add)
    }

    /// Everything was read in full. [`Ledger::complete`] alone says that no more was left out than was accepted
    /// (`--accept-problem`): enough to end well, and too little to say that something is not there.
    pub fn read_all(&self) -> bool {
        self.complete && self.not_read() == 0
    }
}
