//! What bytes mean where they lie: the classes of exposure, judged.
//!
//! Each function here takes the place (path, nearest manifest, organisation) and facts that were found elsewhere, and
//! says whether that is an exposure, how bad and how sure. How bad is data: a class has a severity, and circumstances
//! change it (`signatures/exposure.toml`). Two circumstances cut across: what a package *declares* to be open is said for
//! completeness and as declared, and a credential below a folder of tests or examples is most often made for them.
//!
//! A detail is one sentence for people. It never holds a secret, and text from the input is quoted safely.
//!
//! Left out: joins over packages (since when, is it public elsewhere), and everything that the engine knows better, such
//! as which manifest is nearest and whether a reference was found.

use super::classes::circumstance::{CREDENTIALS, ELSEWHERE, OWN_HOST};
use super::classes::{Artifact, app_settings, names};
use super::content::Trait;
use super::manifest::Manifest;
use super::party::{self, PartyVerdict};
use super::profile::Organisation;
use super::registry::TokenCheck;
use super::rules::Rules;
use super::secrets::{SecretFact, Tier};
use super::shown;
use crate::record::{Certainty, MapKind, Party, ReferenceKind, Severity};

/// Where something lies.
#[derive(Debug, Clone, Copy)]
pub struct PlaceContext<'a> {
    /// Path inside its container or input.
    pub path: &'a [u8],
    /// The nearest manifest.
    pub package: Option<&'a Manifest>,
    /// The organisation, where the user named one.
    pub org: Option<&'a Organisation>,
}

impl PlaceContext<'_> {
    fn declared_open(&self) -> bool {
        self.package.is_some_and(|package| package.declared_open)
    }

    /// `licence MIT`, for details.
    fn licence(&self) -> String {
        match self.package {
            None => "no manifest".into(),
            Some(package) => {
                let licence = package
                    .licence
                    .as_deref()
                    .map_or("no licence".into(), |text| {
                        format!("licence {}", shown(text.as_bytes()))
                    });
                if package.private {
                    format!("{licence}, marked private")
                } else {
                    licence
                }
            }
        }
    }

    /// `; declared open: MIT, repository acme/cli` where it is, else `; licence …`.
    fn declaration(&self) -> String {
        match self.package.filter(|package| package.declared_open) {
            Some(package) => format!(
                "; declared open: {}, repository {}",
                shown(package.licence.as_deref().unwrap_or_default().as_bytes()),
                shown(package.repository.as_deref().unwrap_or_default().as_bytes())
            ),
            None => format!("; {}", self.licence()),
        }
    }
}

/// An exposure at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Id of the class.
    pub class: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// What was seen, in a sentence, without secrets.
    pub detail: String,
}

/// The circumstances that rules may name. The file is held against this list in a test.
const DECLARED_OPEN: &str = "declared-open";
const PROPRIETARY: &str = "proprietary";
const THIRD_PARTY_ONLY: &str = "third-party-only";
const IN_TESTS: &str = "in-tests";
const URL: &str = "url";
const BUCKET: &str = "bucket";
const NO_CREDENTIALS: &str = "no-credentials";
const EMPTY: &str = "empty";
const ENCRYPTED: &str = "encrypted";
const CHECKSUM_WRONG: &str = "checksum-wrong";
/// Only the name speaks for it.
const NAMED: &str = "named";
/// Data about people.
const PERSONAL: &str = "personal";
/// A map of declarations, which say little more than the package's own types do.
const DECLARATIONS: &str = "declarations";
/// No circumstance: the severity of the class itself.
const PLAIN: &str = "";

/// A finding as the class's rule weighs it. A class without a rule does not exist in a build that passed its tests.
fn finding(class: &str, circumstance: &str, detail: String) -> Finding {
    let rule = Rules::builtin().get(class);
    Finding {
        class: class.to_owned(),
        severity: rule.map_or(Severity::High, |rule| rule.severity_when(circumstance)),
        certainty: rule.map_or(Certainty::Hint, |rule| rule.certainty),
        detail,
    }
}

/// The same where the path may lie below a folder of tests, which never makes it worse.
fn finding_in(cx: &PlaceContext<'_>, class: &str, circumstance: &str, detail: String) -> Finding {
    let found = finding(class, circumstance, detail);
    if !is_below_tests(cx.path) {
        return found;
    }
    let ceiling = finding(class, IN_TESTS, String::new()).severity;
    Finding {
        severity: found.severity.min(ceiling),
        detail: format!("{}; below a folder of tests or examples", found.detail),
        ..found
    }
}

/// Whether a name matters although the content may be dull.
pub fn name_is_of_interest(path: &[u8]) -> bool {
    let name = file_name(path);
    has_script_ending(name, &ORIGINALS)
        || ends_with(name, b".map")
        || is_dotenv_name(name)
        || [&b"package.json"[..], b".npmrc", b".yarnrc.yml", b".pypirc"].contains(&name)
        || folders(path).any(|folder| folder == b".git")
        || names::is_named(path)
}

/// Hints of an entry's name at classes that its bytes did not prove. `kind` says what the content is, in the words of
/// `blob` records.
pub fn judge_name(cx: &PlaceContext<'_>, traits: &[Trait], kind: &str) -> Vec<Finding> {
    let is_proven = |class: &str| {
        traits.iter().any(|found| match found {
            Trait::Artifact(artifact) => artifact.class == class,
            Trait::PrivateKey { .. } => class == "private-key",
            Trait::RegistryToken { .. } => class == "registry-token",
            _ => false,
        })
    };
    names::classes_named(cx.path, kind)
        .into_iter()
        .filter(|class| !is_proven(class))
        .filter_map(|class| {
            let detail = format!(
                "named {}; what is in it does not prove it",
                shown(file_name(cx.path))
            );
            judge_artifact(cx, &Artifact::hinted(class, NAMED, detail))
        })
        .collect()
}

/// Exposures of one entry: dotenv file, private key, registry token, git folder.
pub fn judge_entry(cx: &PlaceContext<'_>, traits: &[Trait]) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(judge_dotenv(cx, traits));
    findings.extend(judge_private_keys(cx, traits));
    for found in traits {
        match *found {
            Trait::RegistryToken {
                registry_file,
                live: true,
                check,
            } => {
                let (circumstance, said) = match check {
                    TokenCheck::ChecksumWrong => (
                        CHECKSUM_WRONG,
                        "a token with a wrong checksum: mistyped, or made up",
                    ),
                    TokenCheck::ChecksumOk => (PLAIN, "a token whose checksum is right"),
                    TokenCheck::StructureOk => {
                        (PLAIN, "a credential that is built as it should be")
                    }
                    TokenCheck::Unchecked => (PLAIN, "a literal credential"),
                };
                let detail = format!("{} settings with {said}", registry_file.as_str());
                let mut token = finding_in(cx, "registry-token", circumstance, detail);
                if check == TokenCheck::ChecksumWrong {
                    token.certainty = Certainty::Hint;
                }
                findings.push(token);
            }
            Trait::Artifact(ref artifact) if means_nothing_at(cx, artifact, traits) => {}
            Trait::Artifact(ref artifact) => findings.extend(judge_artifact(cx, artifact)),
            Trait::GitHead if is_git_head_path(cx.path) => {
                findings.push(finding_in(
                    cx,
                    "git-folder",
                    PLAIN,
                    "a git folder: its HEAD is here".into(),
                ));
            }
            _ => {}
        }
    }
    findings
}

/// Whether an artifact is what belongs at such a place.
fn means_nothing_at(cx: &PlaceContext<'_>, artifact: &Artifact, traits: &[Trait]) -> bool {
    match artifact.class.as_str() {
        // Where nothing more is known of it; and `name: value` lines are in much that is none.
        app_settings::CLASS => {
            !app_settings::is_named_so(cx.path) || traits.iter().any(is_known_settings)
        }
        // `name = "value"` is not Terraform's alone.
        "terraform-variables" => {
            let is_other = |found: &Trait| matches!(found, Trait::Artifact(other) if other.class == app_settings::CLASS);
            app_settings::is_named_so(cx.path) && traits.iter().any(is_other)
        }
        // Compiled beside the source, which is there.
        "python-bytecode" => folders(cx.path).any(|folder| folder == b"__pycache__"),
        // In conflict only with what permits more.
        "licence-conflict" => !cx.package.is_some_and(declares_permissive),
        _ => false,
    }
}

/// Whether a package declares a licence without copyleft, and no other beside it.
fn declares_permissive(package: &Manifest) -> bool {
    const PERMISSIVE: [&str; 8] = [
        "MIT",
        "MIT-0",
        "ISC",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "0BSD",
        "Apache-2.0",
        "Unlicense",
    ];
    let licence = package.licence.as_deref().unwrap_or_default();
    let mut words = licence
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')'))
        .filter(|word| !word.is_empty() && !matches!(*word, "OR" | "AND"))
        .peekable();
    words.peek().is_some() && words.all(|word| PERMISSIVE.contains(&word))
}

/// An artifact that its bytes tell. What a package declares open is said as declared where the artifact's rule names
/// that circumstance, live credentials apart. Hosts are held against the profile here: one file, two answers.
fn judge_artifact(cx: &PlaceContext<'_>, artifact: &Artifact) -> Option<Finding> {
    let rule = Rules::builtin().get(&artifact.class)?;
    let names = |circumstance: &str| rule.severities.contains_key(circumstance);
    let (mut circumstance, mut detail) = (artifact.circumstance.as_str(), artifact.detail.clone());
    let is_live = circumstance == CREDENTIALS;
    let owned = artifact
        .hosts
        .iter()
        .find(|host| cx.org.is_some_and(|org| org.owns_host(host)));
    if let Some(host) = owned {
        detail = format!(
            "{detail}, a host of the organisation: {}",
            shown(host.as_bytes())
        );
        if !is_live && names(OWN_HOST) {
            circumstance = OWN_HOST;
        }
    } else if circumstance == ELSEWHERE {
        return None;
    }
    // A licence does not speak for data about people.
    let may_be_declared = !is_live && circumstance != PERSONAL;
    let is_proprietary = cx.package.is_some_and(Manifest::is_proprietary);
    if may_be_declared && names(DECLARED_OPEN) && cx.declared_open() {
        circumstance = DECLARED_OPEN;
        detail = format!("{detail}{}", cx.declaration());
    } else if names(PROPRIETARY) && is_proprietary && circumstance.is_empty() {
        circumstance = PROPRIETARY;
        detail = format!("{detail}{}", cx.declaration());
    }
    let found = finding_in(cx, &artifact.class, circumstance, detail);
    Some(Finding {
        certainty: if artifact.is_hint {
            Certainty::Hint
        } else {
            found.certainty
        },
        ..found
    })
}

fn judge_dotenv(cx: &PlaceContext<'_>, traits: &[Trait]) -> Option<Finding> {
    let name = file_name(cx.path);
    if !is_dotenv_name(name) || is_template_name(name) {
        return None;
    }
    let (assignments, set, live) = traits.iter().find_map(|found| match *found {
        Trait::Dotenv {
            assignments,
            set,
            live,
        } => Some((assignments, set, live)),
        _ => None,
    })?;
    let circumstance = match (set, live) {
        (_, 1..) => PLAIN,
        (1.., _) => NO_CREDENTIALS,
        _ => EMPTY,
    };
    let said = if set == 0 {
        "all empty or placeholders".into()
    } else {
        format!("{set} with a value, {live} like live credentials")
    };
    Some(finding_in(
        cx,
        "dotenv",
        circumstance,
        format!("{}, {said}", counted(assignments.into(), "setting")),
    ))
}

fn judge_private_keys(cx: &PlaceContext<'_>, traits: &[Trait]) -> Option<Finding> {
    let mut sorts = Vec::new();
    let (mut plain, mut total) = (0u64, 0u64);
    for found in traits {
        if let Trait::PrivateKey {
            format,
            algorithm,
            encrypted,
            count,
        } = *found
        {
            total += u64::from(count);
            plain += if encrypted { 0 } else { u64::from(count) };
            let lock = if encrypted { ", encrypted" } else { "" };
            sorts.push(format!(
                "{count} {} ({}{lock})",
                format.as_str(),
                algorithm.as_str()
            ));
        }
    }
    if total == 0 {
        return None;
    }
    let circumstance = if plain > 0 { PLAIN } else { ENCRYPTED };
    Some(finding_in(
        cx,
        "private-key",
        circumstance,
        format!(
            "{}, parsed: {}",
            counted(total, "private key"),
            sorts.join(", ")
        ),
    ))
}

/// Sources by party.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartyCounts {
    /// Of the first party.
    pub first: u64,
    /// Of a third party.
    pub third: u64,
    /// Of an unknown party.
    pub unknown: u64,
}

impl PartyCounts {
    fn add(&mut self, party: Party) {
        match party {
            Party::First => self.first += 1,
            Party::Third => self.third += 1,
            Party::Unknown => self.unknown += 1,
        }
    }

    /// First and unknown party: what counts as one's own where severity is judged.
    pub fn own(&self) -> u64 {
        self.first + self.unknown
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        self.own() + self.third
    }
}

/// What one source map gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapSummary {
    /// Where it stands.
    pub kind: MapKind,
    /// All sources that it names.
    pub named: PartyCounts,
    /// Those whose content is in it.
    pub with_content: PartyCounts,
    /// Bytes of content of the first or an unknown party.
    pub own_bytes: u64,
    /// Sources with content that are the organisation's but not part of the nearest package.
    pub outside_manifest: u64,
    /// Sources whose content may be there and was not read.
    pub unread: u64,
    /// Sources of the first or an unknown party whose content a public set has; they count nowhere above.
    pub public: u64,
}

impl MapSummary {
    /// A map without sources so far.
    pub fn new(kind: MapKind) -> MapSummary {
        MapSummary {
            kind,
            named: PartyCounts::default(),
            with_content: PartyCounts::default(),
            own_bytes: 0,
            outside_manifest: 0,
            unread: 0,
            public: 0,
        }
    }

    /// Takes a source in whose content is public: it does not make the map worse.
    pub fn add_public(&mut self) {
        self.public += 1;
    }

    /// Sources that it names.
    fn all_named(&self) -> u64 {
        self.named.all() + self.public
    }

    /// What is to be said of those that are public.
    fn publicity(&self) -> String {
        match self.public {
            0 => String::new(),
            count => format!(
                "; the contents of {} are in a public set",
                counted(count, "more own source")
            ),
        }
    }

    /// Takes a source in. `content` is the length of its content in bytes, `None` where the map holds none.
    pub fn add(&mut self, verdict: &PartyVerdict, content: Option<u64>) {
        self.named.add(verdict.party);
        let Some(bytes) = content else {
            return;
        };
        self.with_content.add(verdict.party);
        if verdict.party != Party::Third {
            self.own_bytes = self.own_bytes.saturating_add(bytes);
        }
        self.outside_manifest += u64::from(verdict.outside_manifest);
    }
}

/// Exposure of a source map: embedded sources, inline sources, or names only.
///
/// The worst that applies: a map with third-party contents and one's own names only is judged by the names.
pub fn judge_map(cx: &PlaceContext<'_>, map: &MapSummary) -> Option<Finding> {
    if map.all_named() == 0 {
        return None;
    }
    let own_names = map.named.own();
    let has_contents = map.with_content.all() + map.public > 0;
    if map.with_content.own() > 0 || (has_contents && own_names == 0) {
        return Some(judge_map_contents(cx, map));
    }
    let circumstance = match own_names {
        0 => THIRD_PARTY_ONLY,
        _ if cx.declared_open() => DECLARED_OPEN,
        _ if is_declaration(file_name(cx.path)) => DECLARATIONS,
        _ => PLAIN,
    };
    let third = match (map.with_content.third > 0, map.unread) {
        (true, 0) => ", contents of third parties only".to_owned(),
        (false, 0) => ", no contents".to_owned(),
        // What was not read is not said to be absent.
        (true, unread) => {
            format!(", contents of third parties only in what was read, {unread} not read")
        }
        (false, unread) => format!(", no contents in what was read, {unread} not read"),
    };
    let detail = format!(
        "names of {}, {own_names} of them own or unknown{third}{}{}",
        counted(map.all_named(), "source"),
        map.publicity(),
        cx.declaration()
    );
    Some(finding("map-names-only", circumstance, detail))
}

fn judge_map_contents(cx: &PlaceContext<'_>, map: &MapSummary) -> Finding {
    let class = if map.kind == MapKind::Inline {
        "map-inline-sources"
    } else {
        "map-embedded-sources"
    };
    let own = map.with_content.own();
    if own == 0 && map.public > 0 {
        let detail = format!(
            "contents of {}, each of which is in a public set, {} of third parties{}",
            counted(map.public, "own or unknown source"),
            map.with_content.third,
            cx.declaration()
        );
        return finding(class, DECLARED_OPEN, detail);
    }
    if own == 0 {
        let detail = format!(
            "contents of {}, all of third parties",
            counted(map.with_content.third, "source")
        );
        return finding(class, THIRD_PARTY_ONLY, detail);
    }
    let proprietary = match cx.package {
        Some(package) => package.is_proprietary(),
        // No manifest declares anything; the profile alone can say that the sources are somebody's.
        None => map.with_content.first > 0 && cx.org.is_some(),
    };
    let mut detail = format!(
        "contents of {} ({}, {} bytes of {}), {} of third parties{}{}",
        counted(own, "own or unknown source"),
        parties(&map.with_content),
        map.own_bytes,
        counted(map.all_named(), "named source"),
        map.with_content.third,
        map.publicity(),
        cx.declaration()
    );
    let circumstance = if proprietary {
        PROPRIETARY
    } else if cx.declared_open() && map.outside_manifest > 0 {
        detail.push_str(&format!(
            "; {} of the organisation's other packages, for which that does not speak",
            map.outside_manifest
        ));
        PLAIN
    } else if cx.declared_open() {
        DECLARED_OPEN
    } else {
        PLAIN
    };
    finding(class, circumstance, detail)
}

fn parties(counts: &PartyCounts) -> String {
    format!("{} first, {} unknown", counts.first, counts.unknown)
}

/// Exposure of a link to a source map that is not in the input. A link that was found is none.
pub fn judge_reference(
    cx: &PlaceContext<'_>,
    kind: ReferenceKind,
    target: &[u8],
    found: bool,
) -> Option<Finding> {
    if found {
        return None;
    }
    let (circumstance, said) = match kind {
        ReferenceKind::File => (PLAIN, "a file"),
        ReferenceKind::Url => (URL, "a network address"),
        ReferenceKind::Bucket => (BUCKET, "a storage bucket or an archive on the network"),
        // A debug id names no place: nobody can fetch anything with it, but it says that the map is kept somewhere.
        ReferenceKind::DebugId => {
            let detail = format!("debug id {} of a map that is kept elsewhere", shown(target));
            return Some(finding("map-debug-id", PLAIN, detail));
        }
        // No map: who names a package exposes nothing by it.
        ReferenceKind::Package => return None,
    };
    let circumstance = if cx.declared_open() {
        DECLARED_OPEN
    } else {
        circumstance
    };
    let detail = format!(
        "points to {said} that is not in the input: {}{}",
        shown(target),
        cx.declaration()
    );
    Some(finding("map-dangling-link", circumstance, detail))
}

/// Exposure of a package archive that lies inside a package.
///
/// `inner` is the manifest inside the archive and `format` what it is by content. Without a manifest only the ending of a
/// package format's name counts, as a hint: zips and tarballs without one are data of many programs.
pub fn judge_nested_archive(
    cx: &PlaceContext<'_>,
    inner: Option<&Manifest>,
    format: &str,
) -> Option<Finding> {
    const CLASS: &str = "nested-package-archive";
    let outer = cx.package?;
    let Some(inner) = inner else {
        let name = file_name(cx.path).to_ascii_lowercase();
        let endings = Rules::builtin()
            .get(CLASS)
            .map_or(&[][..], |rule| rule.parameter("package_endings"));
        if !endings
            .iter()
            .any(|ending| name.ends_with(ending.as_bytes()))
        {
            return None;
        }
        let circumstance = if outer.declared_open {
            DECLARED_OPEN
        } else {
            PLAIN
        };
        let detail = format!(
            "{}: named as a package, no manifest read in it{}",
            shown(format.as_bytes()),
            cx.declaration()
        );
        return Some(Finding {
            certainty: Certainty::Hint,
            ..finding_in(cx, CLASS, circumstance, detail)
        });
    };
    let owned = cx.org.is_some_and(|org| party::owns(org, inner));
    let said_unlicensed = inner.is_proprietary() && (inner.private || inner.licence.is_some());
    let circumstance = if inner.declared_open {
        DECLARED_OPEN
    } else if owned || said_unlicensed {
        PROPRIETARY
    } else if outer.declared_open {
        DECLARED_OPEN
    } else {
        PLAIN
    };
    let version = inner.version.as_deref().unwrap_or("no version");
    let licence = inner.licence.as_deref().unwrap_or("no licence");
    let detail = format!(
        "{} of {}@{} ({}{}) inside package {}",
        shown(format.as_bytes()),
        shown(inner.name.as_bytes()),
        shown(version.as_bytes()),
        shown(licence.as_bytes()),
        if owned { ", of the organisation" } else { "" },
        shown(outer.name.as_bytes())
    );
    Some(finding_in(cx, CLASS, circumstance, detail))
}

/// Formats that carry an application and its runtime, or an application for a runtime, as one file.
const CARRIERS: [(&str, &str); 6] = [
    ("asar", "asar of Electron"),
    ("bun", "executable of Bun"),
    ("deno", "executable of Deno"),
    ("nexe", "executable of nexe"),
    ("pkg", "executable of pkg"),
    ("node-sea", "single executable of Node"),
];

/// Exposure of an application that was packed into one file: what it is made of can be taken out as it was put in.
///
/// `kind` is the format by content, `scripts` how many scripts and originals there are in it.
pub fn judge_carrier(
    cx: &PlaceContext<'_>,
    inner: Option<&Manifest>,
    kind: &str,
    scripts: u64,
) -> Option<Finding> {
    let (_, name) = CARRIERS.iter().find(|(known, _)| *known == kind)?;
    if scripts == 0 {
        return None;
    }
    let cx = PlaceContext {
        package: inner.or(cx.package),
        ..*cx
    };
    let circumstance = if cx.declared_open() {
        DECLARED_OPEN
    } else if cx.package.is_some_and(Manifest::is_proprietary) {
        PROPRIETARY
    } else {
        PLAIN
    };
    let detail = format!(
        "{name} with {} in it{}",
        counted(scripts, "script"),
        cx.declaration()
    );
    Some(finding_in(&cx, "bundled-application", circumstance, detail))
}

/// Exposure of a source map whose script is not there: what it is of was not looked at.
pub fn judge_orphan(cx: &PlaceContext<'_>, script: &[u8]) -> Finding {
    let circumstance = if cx.declared_open() {
        DECLARED_OPEN
    } else {
        PLAIN
    };
    let detail = format!(
        "the script {} is not in the input{}",
        shown(script),
        cx.declaration()
    );
    finding("map-orphan", circumstance, detail)
}

/// Original sources of one package that lie beside what was made of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawSources {
    /// Files for which [`is_raw_source`] holds.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files for which [`is_compiled`] holds.
    pub compiled: u64,
    /// Some of their paths.
    pub examples: Vec<Vec<u8>>,
}

impl RawSources {
    /// Paths that are kept as examples.
    pub const MAX_EXAMPLES: usize = 3;

    /// Takes an entry of the package in, whatever it is.
    pub fn add(&mut self, path: &[u8], bytes: u64) {
        if is_raw_source(path) {
            self.files += 1;
            self.bytes = self.bytes.saturating_add(bytes);
            if self.examples.len() < Self::MAX_EXAMPLES {
                self.examples.push(path.to_vec());
            }
        } else if is_compiled(path) {
            self.compiled += 1;
        }
    }
}

/// Endings of originals.
const ORIGINALS: [&[u8]; 4] = [b".ts", b".tsx", b".mts", b".cts"];

/// Endings of what compilers make of them.
const COMPILED: [&[u8]; 3] = [b".js", b".cjs", b".mjs"];

/// The name of what a compressed stream of this name holds: without the ending that says how it is packed. What is in it
/// may have no name of its own.
pub fn name_unpacked(name: &[u8]) -> &[u8] {
    const ENDINGS: [&str; 9] = [
        ".gz", ".zst", ".zstd", ".xz", ".lzma", ".bz2", ".lz4", ".br", ".zz",
    ];
    let is_ending = |ending: &&str| {
        name.len() > ending.len()
            && name[name.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
    };
    let ending = ENDINGS.into_iter().find(is_ending).map_or(0, str::len);
    &name[..name.len() - ending]
}

/// Whether a path is that of an original: TypeScript, no declarations, no dependency, no test.
pub fn is_raw_source(path: &[u8]) -> bool {
    let name = file_name(path);
    has_script_ending(name, &ORIGINALS)
        && !is_declaration(name)
        && !is_below_dependencies(path)
        && !is_below_tests(path)
}

/// Whether a path is that of a compiled script: no settings of a tool, no dependency, no test.
pub fn is_compiled(path: &[u8]) -> bool {
    let name = file_name(path);
    let is_settings =
        || name.starts_with(b".") || memchr::memmem::find(name, b".config.").is_some();
    has_script_ending(name, &COMPILED)
        && !is_settings()
        && !is_below_dependencies(path)
        && !is_below_tests(path)
}

/// Exposure of originals beside the compiled scripts of a package. A package that ships originals alone means to.
pub fn judge_raw_sources(cx: &PlaceContext<'_>, raw: &RawSources) -> Option<Finding> {
    cx.package?;
    if raw.files == 0 || raw.compiled == 0 {
        return None;
    }
    let circumstance = if cx.declared_open() {
        DECLARED_OPEN
    } else {
        PLAIN
    };
    let examples: Vec<String> = raw
        .examples
        .iter()
        .take(RawSources::MAX_EXAMPLES)
        .map(|path| shown(path))
        .collect();
    let detail = format!(
        "{} ({} bytes) beside {}, such as {}{}",
        counted(raw.files, "original file"),
        raw.bytes,
        counted(raw.compiled, "compiled script"),
        examples.join(", "),
        cx.declaration()
    );
    Some(finding("raw-sources", circumstance, detail))
}

/// The class of tests among what is published.
const TEST_FILES: &str = "test-files";

/// Whether a folder is one of tests, or lies in one.
pub fn is_test_folder(folder: &[u8]) -> bool {
    let words = Rules::builtin()
        .get(TEST_FILES)
        .map_or(&[][..], |rule| rule.parameter("folders"));
    parts(folder).any(|part| {
        words
            .iter()
            .any(|word| part.eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// Exposure of tests in a published package: one for all of its files below such folders.
pub fn judge_tests(cx: &PlaceContext<'_>, files: u64) -> Option<Finding> {
    cx.package
        .filter(|package| package.version.is_some() && files > 0)?;
    let circumstance = if cx.declared_open() {
        DECLARED_OPEN
    } else {
        PLAIN
    };
    let detail = format!(
        "{} below folders of tests{}",
        counted(files, "file"),
        cx.declaration()
    );
    Some(finding(TEST_FILES, circumstance, detail))
}

/// Classes of files that are settings, or hold them, by their bytes.
const SETTINGS_CLASSES: [&str; 6] = [
    "login-file",
    "package-manager-login",
    "cloud-login",
    "terraform-variables",
    "deployment-files",
    "ci-settings",
];

/// Whether content may be a settings file with live credentials, by what its bytes say.
pub(super) fn may_be_settings(traits: &[Trait]) -> bool {
    traits.iter().any(|found| match found {
        Trait::Dotenv { live, .. } => *live > 0,
        Trait::Artifact(artifact) if artifact.class == app_settings::CLASS => true,
        _ => is_known_settings(found),
    })
}

/// Whether content is, by its bytes, a settings file of a known form with live credentials.
fn is_known_settings(found: &Trait) -> bool {
    match found {
        Trait::RegistryToken { live, .. } => *live,
        Trait::Artifact(artifact) => is_settings(artifact),
        _ => false,
    }
}

fn is_settings(artifact: &Artifact) -> bool {
    let class = artifact.class.as_str();
    let is_live = match artifact.circumstance.as_str() {
        CREDENTIALS => true,
        // Most of these are made to be published.
        PLAIN => !matches!(class, "deployment-files" | "ci-settings"),
        _ => false,
    };
    is_live && !artifact.is_hint && SETTINGS_CLASSES.contains(&class)
}

/// Whether a credential of a settings file is told at a place: nothing but assignments is such a file under the name of one
/// only, and in settings of no known form a credential has to be one in any (`in_any_settings`).
pub fn lies_as_settings(path: &[u8], traits: &[Trait], in_any_settings: bool) -> bool {
    let name = file_name(path);
    traits.iter().any(|found| match found {
        Trait::Dotenv { .. } => is_dotenv_name(name) && !is_template_name(name),
        Trait::Artifact(artifact) if artifact.class == app_settings::CLASS => {
            in_any_settings && app_settings::is_named_so(path)
        }
        _ => is_known_settings(found),
    })
}

/// Whether a credential is told at a place: what only a name beside it gives away is not, in the code of others.
pub fn is_told(secret: &SecretFact, party: Party) -> bool {
    secret.tier != Tier::Generic || party != Party::Third
}

/// How bad a credential is where it lies: below a folder of tests or examples it is most often made for them.
pub fn severity_of_secret(secret: &SecretFact, path: &[u8]) -> Severity {
    if secret.tier != Tier::Known && is_below_tests(path) {
        return secret.severity.min(Severity::Low);
    }
    secret.severity
}

/// `1 key`, `2 keys`.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Parts of a path. Archives made on Windows separate with `\`.
fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| matches!(byte, b'/' | b'\\'))
}

fn file_name(path: &[u8]) -> &[u8] {
    parts(path).next_back().unwrap_or(path)
}

fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    parts(path).rev().skip(1)
}

fn ends_with(name: &[u8], ending: &[u8]) -> bool {
    name.len() > ending.len() && name[name.len() - ending.len()..].eq_ignore_ascii_case(ending)
}

fn has_script_ending(name: &[u8], endings: &[&[u8]]) -> bool {
    endings.iter().any(|ending| ends_with(name, ending))
}

/// `a.d.ts`, `a.d.mts`, and declarations of other files: `a.d.css.ts` (TypeScript 5.0).
fn is_declaration(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    memchr::memmem::find(&lower, b".d.").is_some()
}

fn is_below_dependencies(path: &[u8]) -> bool {
    folders(path).any(|folder| folder == b"node_modules")
}

fn is_below_tests(path: &[u8]) -> bool {
    let words = &Rules::builtin().words().test_folders;
    folders(path).any(|folder| {
        words
            .iter()
            .any(|word| folder.eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// `.git/HEAD` at the end of a path.
fn is_git_head_path(path: &[u8]) -> bool {
    let mut last = parts(path).rev();
    last.next() == Some(b"HEAD") && last.next() == Some(b".git")
}

/// `.env`, `.env.local`, `.env-prod`, `.envrc`, `prod.env`.
fn is_dotenv_name(name: &[u8]) -> bool {
    match name.strip_prefix(b".env") {
        Some(rest) => {
            matches!(rest.first(), None | Some(b'.' | b'-' | b'_')) || rest.starts_with(b"rc")
        }
        None => name.len() > 4 && name.ends_with(b".env"),
    }
}

/// `.env.example` and its like, which are meant to be shipped.
pub(super) fn is_template_name(name: &[u8]) -> bool {
    let templates = Rules::builtin()
        .get("dotenv")
        .map_or(&[][..], |rule| rule.parameter("templates"));
    name.split(|byte| matches!(byte, b'.' | b'-' | b'_'))
        .any(|part| {
            templates
                .iter()
                .any(|template| part.eq_ignore_ascii_case(template.as_bytes()))
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::exposure::classes::CIRCUMSTANCES;
    use crate::exposure::content::{Prefilter, traits_of};
    use crate::exposure::party::party_of;
    use crate::exposure::rules::{Example, Rule};
    use crate::exposure::samples::{example_files, make};

    fn package(rest: &str) -> Manifest {
        Manifest::from_npm(
            format!("{{\"name\":\"acme-cli\",\"version\":\"1.0.0\"{rest}}}").as_bytes(),
        )
        .unwrap()
    }

    const OPEN: &str = ",\"license\":\"MIT\",\"repository\":\"acme/cli\"";

    fn entry(path: &str, bytes: &[u8]) -> Vec<Finding> {
        let cx = PlaceContext {
            path: path.as_bytes(),
            package: None,
            org: None,
        };
        judge_entry(&cx, &traits_of(bytes, &Prefilter::new().scan(bytes)))
    }

    /// The id of a class, as its rule has it.
    fn known(class: &str) -> &'static str {
        &Rules::builtin().get(class).unwrap().id
    }

    fn worst(path: &str, bytes: &[u8]) -> Option<(&'static str, Severity)> {
        entry(path, bytes)
            .into_iter()
            .map(|found| (known(&found.class), found.severity))
            .max_by_key(|found| found.1)
    }

    #[test]
    fn circumstances_and_rules_name_each_other() {
        let known: BTreeSet<&str> = [
            DECLARED_OPEN,
            PROPRIETARY,
            THIRD_PARTY_ONLY,
            IN_TESTS,
            URL,
            BUCKET,
            NO_CREDENTIALS,
            EMPTY,
            ENCRYPTED,
            CHECKSUM_WRONG,
            DECLARATIONS,
            NAMED,
        ]
        .into_iter()
        .chain(CIRCUMSTANCES.iter().copied())
        .collect();
        for rule in Rules::builtin().iter() {
            for circumstance in rule.severities.keys() {
                assert!(
                    known.contains(circumstance.as_str()),
                    "{}: {circumstance}",
                    rule.id
                );
            }
            let has_names = !rule.parameter(names::NAMES).is_empty();
            assert!(
                has_names || !rule.severities.contains_key(NAMED),
                "{}",
                rule.id
            );
        }
        let has = |class: &str, circumstances: &[&str]| {
            let severities = &Rules::builtin().get(class).unwrap().severities;
            for circumstance in circumstances {
                assert!(
                    severities.contains_key(*circumstance),
                    "{class}: {circumstance}"
                );
            }
        };
        has(
            "map-embedded-sources",
            &[DECLARED_OPEN, PROPRIETARY, THIRD_PARTY_ONLY],
        );
        has(
            "map-inline-sources",
            &[DECLARED_OPEN, PROPRIETARY, THIRD_PARTY_ONLY],
        );
        has("map-names-only", &[DECLARED_OPEN, THIRD_PARTY_ONLY]);
        has("map-dangling-link", &[DECLARED_OPEN, URL, BUCKET]);
        has(
            "nested-package-archive",
            &[DECLARED_OPEN, PROPRIETARY, IN_TESTS],
        );
        has("raw-sources", &[DECLARED_OPEN]);
        has("dotenv", &[NO_CREDENTIALS, EMPTY, IN_TESTS]);
        has("private-key", &[ENCRYPTED, IN_TESTS]);
        has("registry-token", &[CHECKSUM_WRONG, IN_TESTS]);
        has("git-folder", &[IN_TESTS]);
        assert!(
            !Rules::builtin()
                .get("dotenv")
                .unwrap()
                .parameter("templates")
                .is_empty()
        );
        assert!(
            !Rules::builtin()
                .get("nested-package-archive")
                .unwrap()
                .parameter("package_endings")
                .is_empty()
        );
    }

    #[test]
    fn a_dotenv_file_is_judged_by_name_and_values() {
        let live = make("dotenv").unwrap();
        for path in [
            ".env",
            "package/.env",
            "a/.env.production",
            "x\\.env",
            ".envrc",
            "prod.env",
            ".env-local",
        ] {
            assert_eq!(
                worst(path, &live),
                Some(("dotenv", Severity::Critical)),
                "{path}"
            );
        }
        for path in [
            ".env.example",
            ".env.production.sample",
            "template.env",
            "env",
            ".environment",
            "settings.txt",
            "a.envx",
            ".env.dist",
        ] {
            assert_eq!(worst(path, &live), None, "{path}");
        }
        assert_eq!(
            worst(".env", b"PORT=3000\n"),
            Some(("dotenv", Severity::Medium))
        );
        assert_eq!(
            worst(".env", b"API_KEY=\nTOKEN=your-token\n"),
            Some(("dotenv", Severity::Low))
        );
        assert_eq!(worst(".env", b"{}"), None);
        assert_eq!(
            worst("test/.env", &live),
            Some(("dotenv", Severity::Medium))
        );
        let details: String = entry(".env", &live)
            .into_iter()
            .map(|found| found.detail)
            .collect();
        assert_eq!(
            details,
            "3 settings, 3 with a value, 2 like live credentials"
        );
    }

    #[test]
    fn keys_tokens_and_git_folders_are_judged() {
        assert_eq!(
            worst("certs/server.txt", &make("pkcs8-ec").unwrap()),
            Some(("private-key", Severity::Critical))
        );
        assert_eq!(
            worst("id", &make("openssh-ed25519-encrypted").unwrap()),
            Some(("private-key", Severity::High))
        );
        assert_eq!(
            worst("test/fixtures/key.pem", &make("pkcs8-ec").unwrap()),
            Some(("private-key", Severity::Medium))
        );
        assert_eq!(worst("ca.pem", &make("certificate").unwrap()), None);
        assert_eq!(
            worst(".npmrc", &make("npm-token-file").unwrap()),
            Some(("registry-token", Severity::Critical))
        );
        let wrong = entry(".npmrc", &make("npm-token-file-wrong-checksum").unwrap());
        assert!(matches!(
            wrong[..],
            [Finding {
                severity: Severity::High,
                certainty: Certainty::Hint,
                ..
            }]
        ));
        assert_eq!(worst(".npmrc", b"_authToken=${NPM_TOKEN}\n"), None);
        let head = b"ref: refs/heads/main\n";
        assert_eq!(
            worst("package/.git/HEAD", head),
            Some(("git-folder", Severity::Critical))
        );
        for path in [
            "HEAD",
            ".git/refs/HEAD",
            "x.git/HEAD",
            ".git/ORIG_HEAD",
            ".git/modules/a/HEAD",
        ] {
            assert_eq!(worst(path, head), None, "{path}");
        }
        let both = [make("pkcs8-ec").unwrap(), make("pkcs8-encrypted").unwrap()].concat();
        assert_eq!(
            entry("a", &both)[0].detail,
            "2 private keys, parsed: 1 PKCS#8 (EC), 1 PKCS#8 (other, encrypted)"
        );
    }

    fn summary(kind: MapKind, sources: &[(Party, Option<u64>)]) -> MapSummary {
        let mut map = MapSummary::new(kind);
        for &(party, content) in sources {
            map.add(
                &PartyVerdict {
                    party,
                    reason: String::new(),
                    outside_manifest: false,
                },
                content,
            );
        }
        map
    }

    fn map_verdict(rest: Option<&str>, map: &MapSummary) -> Option<(&'static str, Severity)> {
        let package = rest.map(package);
        let cx = PlaceContext {
            path: b"a.js.map",
            package: package.as_ref(),
            org: None,
        };
        judge_map(&cx, map).map(|found| (known(&found.class), found.severity))
    }

    #[test]
    fn maps_are_judged_by_party_content_and_licence() {
        use Party::*;
        let own = summary(
            MapKind::File,
            &[(First, Some(10)), (Third, Some(5)), (Unknown, None)],
        );
        let embedded = |severity| Some(("map-embedded-sources", severity));
        assert_eq!(map_verdict(Some(OPEN), &own), embedded(Severity::Info));
        assert_eq!(
            map_verdict(Some(",\"license\":\"MIT\""), &own),
            embedded(Severity::High)
        );
        assert_eq!(
            map_verdict(Some(",\"license\":\"UNLICENSED\""), &own),
            embedded(Severity::Critical)
        );
        assert_eq!(
            map_verdict(Some(",\"license\":\"MIT\",\"private\":true"), &own),
            embedded(Severity::Critical)
        );
        assert_eq!(map_verdict(Some(""), &own), embedded(Severity::Critical));
        assert_eq!(map_verdict(None, &own), embedded(Severity::High));
        let unknown = summary(MapKind::Section, &[(Unknown, Some(0))]);
        assert_eq!(
            map_verdict(Some(""), &unknown),
            embedded(Severity::Critical)
        );
        let third = summary(MapKind::Embedded, &[(Third, Some(10)), (Third, None)]);
        assert_eq!(map_verdict(Some(""), &third), embedded(Severity::Low));
        let inline = summary(MapKind::Inline, &[(First, Some(10))]);
        assert_eq!(
            map_verdict(Some(OPEN), &inline),
            Some(("map-inline-sources", Severity::Info))
        );
        let names = summary(MapKind::Inline, &[(First, None), (Third, Some(4))]);
        assert_eq!(
            map_verdict(Some(""), &names),
            Some(("map-names-only", Severity::Medium))
        );
        assert_eq!(
            map_verdict(Some(OPEN), &names),
            Some(("map-names-only", Severity::Info))
        );
        let third_names = summary(MapKind::File, &[(Third, None)]);
        assert_eq!(
            map_verdict(Some(""), &third_names),
            Some(("map-names-only", Severity::Low))
        );
        assert_eq!(map_verdict(Some(""), &summary(MapKind::File, &[])), None);
    }

    #[test]
    fn an_open_licence_does_not_speak_for_the_organisations_other_packages() {
        let org = Organisation::parse("name='Acme'\nscopes=['@acme']", "t").unwrap();
        let package = Manifest::from_npm(
            b"{\"name\":\"open-thing\",\"version\":\"1.0.0\",\"license\":\"MIT\",\"repository\":\"someone/open-thing\"}",
        )
        .unwrap();
        let mut map = MapSummary::new(MapKind::File);
        for name in [&b"src/a.ts"[..], b"node_modules/@acme/core/src/secret.ts"] {
            map.add(&party_of(name, Some(&package), Some(&org), false), Some(7));
        }
        let cx = PlaceContext {
            path: b"a.js.map",
            package: Some(&package),
            org: Some(&org),
        };
        let found = judge_map(&cx, &map).unwrap();
        assert_eq!(found.severity, Severity::High);
        assert!(
            found
                .detail
                .contains("1 of the organisation's other packages"),
            "{}",
            found.detail
        );
        assert!(
            found
                .detail
                .contains("declared open: MIT, repository someone/open-thing"),
            "{}",
            found.detail
        );
    }

    #[test]
    fn dangling_links_are_judged_by_where_they_point() {
        let judged = |rest: &str, kind, found| {
            let package = package(rest);
            let cx = PlaceContext {
                path: b"a.js",
                package: Some(&package),
                org: None,
            };
            judge_reference(&cx, kind, b"x\x1b.map", found)
        };
        let severity = |kind| judged("", kind, false).map(|found| found.severity);
        assert_eq!(severity(ReferenceKind::File), Some(Severity::Low));
        assert_eq!(severity(ReferenceKind::Url), Some(Severity::High));
        assert_eq!(severity(ReferenceKind::Bucket), Some(Severity::Critical));
        assert_eq!(severity(ReferenceKind::DebugId), Some(Severity::Info));
        assert_eq!(
            judged(OPEN, ReferenceKind::Bucket, false).map(|found| found.severity),
            Some(Severity::Info)
        );
        assert_eq!(judged("", ReferenceKind::Url, true), None);
        assert!(
            !judged("", ReferenceKind::Url, false)
                .unwrap()
                .detail
                .contains('\x1b')
        );
    }

    #[test]
    fn nested_packages_are_judged_by_what_is_inside() {
        let judged = |outer: Option<&str>, inner: Option<&str>, path: &str| {
            let (outer, inner) = (outer.map(package), inner.map(package));
            let cx = PlaceContext {
                path: path.as_bytes(),
                package: outer.as_ref(),
                org: None,
            };
            judge_nested_archive(&cx, inner.as_ref(), "tar")
                .map(|found| (found.severity, found.certainty))
        };
        use Certainty::*;
        use Severity::*;
        assert_eq!(judged(Some(""), Some(""), "a.tgz"), Some((High, Proven)));
        assert_eq!(judged(Some(""), Some(OPEN), "a.tgz"), Some((Low, Proven)));
        assert_eq!(judged(Some(OPEN), Some(""), "a.tgz"), Some((Low, Proven)));
        assert_eq!(
            judged(Some(OPEN), Some(",\"license\":\"UNLICENSED\""), "a.tgz"),
            Some((Critical, Proven))
        );
        assert_eq!(
            judged(
                Some(OPEN),
                Some(",\"license\":\"UNLICENSED\""),
                "test/a.tgz"
            ),
            Some((Medium, Proven))
        );
        assert_eq!(judged(Some(""), None, "a.whl"), Some((High, Hint)));
        assert_eq!(judged(Some(""), None, "a.zip"), None);
        assert_eq!(judged(None, Some(""), "a.tgz"), None);

        let org = Organisation::parse("name='Acme'\npackages=['acme-cli']", "t").unwrap();
        let (outer, inner) = (package(OPEN), package(",\"license\":\"MIT\""));
        let cx = PlaceContext {
            path: b"a.tgz",
            package: Some(&outer),
            org: Some(&org),
        };
        assert_eq!(
            judge_nested_archive(&cx, Some(&inner), "tar")
                .unwrap()
                .severity,
            Critical
        );
    }

    #[test]
    fn originals_count_only_beside_compiled_scripts() {
        let collect = |paths: &[&str]| {
            let mut raw = RawSources::default();
            paths.iter().for_each(|path| raw.add(path.as_bytes(), 100));
            raw
        };
        let raw = collect(&[
            "src/a.ts",
            "src/b.TSX",
            "src/c.d.ts",
            "dist/a.js",
            "node_modules/x/a.ts",
            "test/a.ts",
            "src/s.d.css.ts",
        ]);
        assert_eq!((raw.files, raw.bytes, raw.compiled), (2, 200, 1));
        let judged = |rest: &str, raw: &RawSources| {
            let package = package(rest);
            let cx = PlaceContext {
                path: b"",
                package: Some(&package),
                org: None,
            };
            judge_raw_sources(&cx, raw).map(|found| found.severity)
        };
        assert_eq!(judged("", &raw), Some(Severity::High));
        assert_eq!(judged(OPEN, &raw), Some(Severity::Low));
        assert_eq!(
            judged(
                "",
                &collect(&["src/a.ts", "rollup.config.js", ".eslintrc.js"])
            ),
            None
        );
        assert_eq!(
            judged("", &collect(&["dist/a.js", "dist/a.d.ts", "dist/a.d.mts"])),
            None
        );
        let cx = PlaceContext {
            path: b"",
            package: None,
            org: None,
        };
        assert_eq!(judge_raw_sources(&cx, &raw), None);
    }

    #[test]
    fn names_of_interest_are_few() {
        for path in [
            ".env",
            "x/.git/config",
            "src/a.tsx",
            "a.js.map",
            "package/package.json",
            ".npmrc",
            "prod.env",
        ] {
            assert!(name_is_of_interest(path.as_bytes()), "{path}");
        }
        for path in [
            "a.js",
            "README.md",
            "map",
            "ts",
            ".gitignore",
            "package-lock.json",
            ".map",
            "",
        ] {
            assert!(!name_is_of_interest(path.as_bytes()), "{path}");
        }
    }

    /// The smallest engine that can run an example: one package, no archives within but the manifest of stored ones.
    fn run_example(example: &Example) -> Vec<Finding> {
        let files = example_files(example).unwrap();
        let org = example
            .organisation
            .as_deref()
            .map(|text| Organisation::parse(text, "example").unwrap());
        let package = files
            .iter()
            .find(|(path, _)| path == b"package.json")
            .and_then(|(_, bytes)| Manifest::from_npm(bytes));
        let has = |path: &[u8]| files.iter().any(|(other, _)| other == path);
        let (mut findings, mut raw) = (Vec::new(), RawSources::default());
        for (path, bytes) in &files {
            let cx = PlaceContext {
                path,
                package: package.as_ref(),
                org: org.as_ref(),
            };
            let hits = Prefilter::new().scan(bytes);
            let mut traits = traits_of(bytes, &hits);
            if path.ends_with(b".har") {
                traits.push(Trait::Artifact(crate::exposure::classes::har(
                    &bytes::Bytes::copy_from_slice(bytes),
                )));
            }
            findings.extend(judge_entry(&cx, &traits));
            findings.extend(judge_name(&cx, &traits, kind_of(bytes)));
            raw.add(path, bytes.len() as u64);
            if path.ends_with(b".map") {
                findings.extend(
                    serde_json::from_slice(bytes)
                        .ok()
                        .and_then(|map| run_map(&cx, MapKind::File, &map)),
                );
            }
            if let Some(target) = hits
                .links()
                .last()
                .and_then(|&at| bytes.get(at + LINK.len()..))
            {
                findings.extend(run_link(
                    &cx,
                    target
                        .split(|b| b.is_ascii_whitespace())
                        .next()
                        .unwrap_or_default(),
                    &has,
                ));
            }
            for id in crate::sourcemap::debug_ids(bytes) {
                findings.extend(judge_reference(&cx, ReferenceKind::DebugId, id, false));
            }
            findings.extend(run_orphan(&cx, bytes, &has));
            findings.extend(judge_carrier(&cx, None, "asar", scripts_in_asar(bytes)));
            if bytes.starts_with(b"\x1f\x8b") {
                findings.extend(judge_nested_archive(
                    &cx,
                    manifest_in_stored_tar(bytes).as_ref(),
                    "tar",
                ));
            }
        }
        let cx = PlaceContext {
            path: b"",
            package: package.as_ref(),
            org: org.as_ref(),
        };
        findings.extend(judge_raw_sources(&cx, &raw));
        let folder = |path: &[u8]| path[..path.len() - file_name(path).len()].to_vec();
        let tests = files
            .iter()
            .filter(|(path, _)| is_test_folder(&folder(path)))
            .count();
        findings.extend(judge_tests(&cx, tests as u64));
        findings
    }

    /// What the engine says of content, near enough for examples.
    fn kind_of(bytes: &[u8]) -> &'static str {
        let is_page = bytes.trim_ascii_start().starts_with(b"<!DOCTYPE html");
        match std::str::from_utf8(bytes) {
            Ok("") => "empty",
            Ok(_) if is_page => "html",
            Ok(text) if !text.contains('\0') => "text",
            _ => "binary",
        }
    }

    fn run_orphan(
        cx: &PlaceContext<'_>,
        bytes: &[u8],
        has: &dyn Fn(&[u8]) -> bool,
    ) -> Option<Finding> {
        let own = cx.path.strip_suffix(b".map")?;
        let map: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        let named = map["file"]
            .as_str()
            .map(|file| crate::sourcemap::resolve_source(cx.path, None, file.as_bytes()));
        (map["version"] == 3 && !has(own) && !named.is_some_and(|named| has(&named)))
            .then(|| judge_orphan(cx, own))
    }

    /// Scripts in an archive of Electron's; none where it is no such archive.
    fn scripts_in_asar(bytes: &[u8]) -> u64 {
        use crate::container::{Event, Format, Input, asar::Asar};
        if !Asar.recognise(bytes) {
            return 0;
        }
        let input = Input::Memory(bytes.to_vec().into());
        let mut walker = Asar.open(input, &crate::blob::Limits::default()).unwrap();
        let events = std::iter::from_fn(|| walker.next());
        events
            .filter(
                |event| matches!(event, Event::Member(member) if is_compiled(member.name.bytes())),
            )
            .count() as u64
    }

    const LINK: &str = "sourceMappingURL=";

    fn run_map(cx: &PlaceContext<'_>, kind: MapKind, map: &serde_json::Value) -> Option<Finding> {
        let mut summary = MapSummary::new(kind);
        for (index, name) in map["sources"].as_array()?.iter().enumerate() {
            let verdict = party_of(name.as_str()?.as_bytes(), cx.package, cx.org, false);
            summary.add(
                &verdict,
                map["sourcesContent"][index]
                    .as_str()
                    .map(|text| text.len() as u64),
            );
        }
        judge_map(cx, &summary)
    }

    fn run_link(
        cx: &PlaceContext<'_>,
        target: &[u8],
        has: &dyn Fn(&[u8]) -> bool,
    ) -> Option<Finding> {
        use base64::Engine as _;
        let text = std::str::from_utf8(target).unwrap();
        if let Some((_, data)) = text.split_once(";base64,") {
            let map = base64::engine::general_purpose::STANDARD
                .decode(data)
                .unwrap();
            return run_map(cx, MapKind::Inline, &serde_json::from_slice(&map).unwrap());
        }
        let folder = &cx.path[..cx.path.len() - file_name(cx.path).len()];
        let kind = match text {
            text if text.starts_with("http") && text.contains("bucket") => ReferenceKind::Bucket,
            text if text.starts_with("http") => ReferenceKind::Url,
            _ => ReferenceKind::File,
        };
        judge_reference(cx, kind, target, has(&[folder, target].concat()))
    }

    fn manifest_in_stored_tar(gzip: &[u8]) -> Option<Manifest> {
        let start = memchr::memmem::find(gzip, b"{\"")?;
        let end = start + memchr::memchr(0, &gzip[start..])?;
        Manifest::from_npm(&gzip[start..end])
    }

    fn found_in<'a>(rule: &Rule, findings: &'a [Finding]) -> Option<&'a Finding> {
        findings
            .iter()
            .filter(|found| found.class == rule.id)
            .max_by_key(|found| found.severity)
    }

    #[test]
    fn every_example_gives_what_it_says() {
        let mut wrong = Vec::new();
        for rule in Rules::builtin().iter() {
            for example in &rule.matches {
                let findings = run_example(example);
                match found_in(rule, &findings) {
                    Some(found) if example.severity.unwrap_or(found.severity) == found.severity => {
                    }
                    found => wrong.push(format!(
                        "{}: `{}` must match: {found:?}",
                        rule.id, example.note
                    )),
                }
            }
            for example in &rule.rejects {
                if let Some(found) = found_in(rule, &run_example(example)) {
                    wrong.push(format!(
                        "{}: `{}` must not match: {found:?}",
                        rule.id, example.note
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
