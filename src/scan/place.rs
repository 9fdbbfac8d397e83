//! From content facts to records: what a place makes of them.
//!
//! The same bytes mean different things in different places: whose code it is, whether a map's script stands
//! beside it, whether the package round it is declared open. So this walks the facts of a container once for
//! every place where it stands. It is a pure function of the facts, the path and what stands beside it, and it
//! runs in two situations: inside an archive, when that closes (everything needed is in the facts), and for loose
//! files in a folder, when the last one has been read (what stands beside them comes from the case).

use std::collections::{BTreeMap, HashSet};

use super::facts::{Child, Facts, LinkFact, MatchFact, Outcome, Tree};
use super::files::{self, FileTally, Held};
use super::gates::{self, Script};
use super::heads::AtHead;
use super::packages::{FileCounts, PackageStats, head_manifest, is_module_folder, manifest_of};
use super::scope::{Scope, TreeScope};
use super::several::{Part, Several};
use super::{images, public};
use crate::blob::digest::hex;
use crate::blob::locator::{escape, escape_with_raw, shown};
use crate::blob::url::without_passwords;
use crate::blob::{ContentKey, Locator, Sha256Digest};
use crate::container::{Effect, GitCommit, GitMeta, MapHead, SourceMeta, Trouble};
use crate::exposure::{
    self, Finding, ItemFact, Manifest, MapSummary, Organisation, Packument, PlaceContext,
    SecretFact, Trait, yara,
};
use crate::record::{
    Agreement, Basis, Blob, CommitAt, Elsewhere, ElsewhereBy, Explained, Exposure, GitPlace, Item,
    MapKind, Mapped, Match, MatchRange, Package, Party, Problem, Public, PublicBy, Record,
    Reference, Secret, Source, SourceStatus, YaraMatch,
};
use crate::signature::ported::Echoes;
use crate::signature::{Set, SetGroup, Stretch};
use crate::sourcemap;

/// What judging a place needs beside the facts.
pub struct Placer<'a> {
    /// The user's profile.
    pub organisation: Option<&'a Organisation>,
    /// The sets that matches point into.
    pub sets: &'a SetGroup,
    /// Give a `blob` record for every blob.
    pub record_all: bool,
}

/// What is known of content that matches.
pub(super) struct Target {
    /// SHA-256 of it, where it was read.
    pub(super) sha256: Option<Sha256Digest>,
    /// What the match rests on.
    pub(super) basis: Basis,
    /// Its lines.
    pub(super) lines: u64,
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// When it was written, as the archive says that it is a member of: seconds since 1970.
    pub(super) written: Option<i64>,
}

/// What placing gives.
#[derive(Debug, Default)]
pub struct Placed {
    /// Records, in no order yet.
    pub records: Vec<Record>,
    /// That a store among the inputs' own files is a git folder: an exposure where it lies among other things, and none of a
    /// repository that was given as one, which the case knows.
    pub git_folder: Option<Box<Record>>,
    /// Per package folder of the outermost scope.
    pub stats: BTreeMap<Vec<u8>, PackageStats>,
    /// Every container that stands here.
    pub containers: Vec<PlacedContainer>,
    /// Troubles that kept something from being read in full.
    pub unread: u64,
    /// Something in it matches a public set, and nothing private beyond that.
    pub own_public: bool,
    /// Where the clone says that it came from: names and addresses of its remotes, without passwords.
    pub remotes: Vec<(String, String)>,
    /// Its files, by what they are to the works; counted where copies are looked for.
    pub files: FileTally,
    /// The copies that it is, where it is an archive of several.
    pub parts: Vec<Part>,
    /// Contents of which a match was told, and those that match what is public and nothing beyond.
    pub(crate) told: u64,
    pub(crate) public: u64,
    /// How many containers round the place are no place of files: stores, and files themselves.
    pub(crate) shut: u32,
    /// What all of it has of works in other languages.
    pub echoes: Echoes,
    /// What documents of registries say of releases, and where they stand.
    pub published: Vec<(String, Packument)>,
    /// Contents of own sources.
    pub own_contents: Vec<(ContentKey, Sha256Digest)>,
}

impl Placed {
    /// Where what was placed is a store beside what is checked out of it: keeps back that this is a git folder.
    pub(super) fn hold_git_folder(&mut self, label: &str, path: &[u8]) {
        if path != b".git" && !path.ends_with(b"/.git") {
            return;
        }
        let head = format!("{}!/HEAD", Locator::file(label, path).as_str());
        let is_it = |record: &Record| match record {
            Record::Exposure(row) => row.class == "git-folder" && row.locator == head,
            _ => false,
        };
        if let Some(index) = self.records.iter().position(is_it) {
            self.git_folder = Some(Box::new(self.records.remove(index)));
        }
    }
}

/// A row of the `container` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedContainer {
    /// Where.
    pub locator: String,
    /// Its format.
    pub kind: String,
    /// SHA-256 of its bytes.
    pub sha256: Option<[u8; 32]>,
    /// Its length in bytes.
    pub bytes: u64,
    /// Regular members.
    pub entries: u64,
}

impl Placer<'_> {
    /// Places an entry and everything in it. `path` is its path in its scope.
    pub fn place(
        &self,
        child: &Child,
        at: &Locator,
        path: &[u8],
        scope: &dyn Scope,
        out: &mut Placed,
    ) {
        let package = scope.package_of(path);
        let mut stats = PackageStats::default();
        let before = (out.told, out.public);
        self.place_problems(child, at, &mut stats, out);
        self.place_blob(child, at, out);
        self.place_findings(child, at, path, package, &mut stats, out);
        place_yara(child, at, &mut stats, out);
        place_dates(&child.facts, at, out);
        let party = || self.party_at(path, package);
        self.place_inspected(child, at, party, path, &mut stats, out);
        self.place_links(child, at, path, scope, &mut stats, out);
        self.place_matches(child, at, out);
        // What matches as a whole, or holds parts of itself, is one file.
        let is_file = !child.facts.is_archive() || out.told > before.0;
        out.shut += u32::from(is_file);
        if let Some(tree) = &child.facts.tree {
            out.containers.push(PlacedContainer {
                locator: at.as_str().to_owned(),
                kind: tree.kind.clone(),
                sha256: child.sha256.map(|digest| digest.0),
                bytes: child.len,
                entries: tree.entries(),
            });
            let around = Around {
                package,
                scope: Some(scope),
                beside: Some(scope),
                sources: None,
                generated: None,
                script: None,
            };
            self.place_tree(child, tree, at, path, around, &mut stats, out);
        }
        out.shut -= u32::from(is_file);
        if self.sets.has_works() {
            self.count_file(child, at, path, is_file, before, out);
        }
        stats.raw.add(path, child.len);
        if let Some((folder, _)) = package {
            let of_package = out.stats.entry(folder.to_vec()).or_default();
            of_package.merge(stats);
        } else {
            out.records.extend(stats.parts.into_records());
        }
    }

    fn place_problems(
        &self,
        child: &Child,
        at: &Locator,
        stats: &mut PackageStats,
        out: &mut Placed,
    ) {
        for trouble in child.trouble.iter().chain(&child.facts.troubles) {
            let is_incomplete = is_incomplete(trouble);
            stats.incomplete |= is_incomplete;
            out.unread += u64::from(is_incomplete);
            // Of a source that is not there its own row tells, and the problem of its map why.
            let is_told = child.source.is_some() && child.key.is_none();
            if trouble.code != "no-content" && !is_told {
                out.records.push(problem(trouble, at));
            }
        }
    }

    fn place_blob(&self, child: &Child, at: &Locator, out: &mut Placed) {
        if let (true, Some(sha256)) = (self.record_all, child.sha256) {
            out.records.push(Record::Blob(Blob {
                locator: at.as_str().to_owned(),
                hops: at.hops().clone(),
                sha256: sha256.hex(),
                bytes: child.len,
                kind: child.facts.kind.clone(),
                norm_text: child.text.as_ref().map(|text| hex(&text.norm)),
                lines: child.text.as_ref().map(|text| text.lines),
                git: None,
                image: None,
            }));
        }
    }

    /// Counts a file by what it is to the works, and notes a licence. `before` is what had been told when it was begun.
    fn count_file(
        &self,
        child: &Child,
        at: &Locator,
        path: &[u8],
        is_file: bool,
        before: (u64, u64),
        out: &mut Placed,
    ) {
        if !is_file {
            out.files.cut += u64::from(!is_whole(child));
            return;
        }
        if let Some(licence) = files::licence_of(child, at, path, out.shut > 0) {
            out.files.add_licence(licence);
        }
        if out.shut == 0 {
            let kind = match child.outcome() {
                _ if out.told > before.0 => Held::Matched,
                Outcome::Read if out.public > before.1 => Held::Public,
                Outcome::Read => Held::Other,
                _ => Held::Unread,
            };
            out.files.add(kind, child.len);
        }
    }

    /// Counts members of a container that have nothing to tell, and what they are called.
    fn count_rest(&self, tree: &Tree, out: &mut Placed) {
        if !self.sets.has_works() || tree.holds_objects() {
            out.files.stores |= tree.holds_objects();
            return;
        }
        out.files.paths.extend(&tree.paths);
        if out.shut == 0 {
            out.files
                .add_plain(tree.plain.len() as u64, tree.plain_bytes);
        }
    }

    fn context<'p>(
        &'p self,
        path: &'p [u8],
        package: Option<(&[u8], &'p Manifest)>,
    ) -> PlaceContext<'p> {
        PlaceContext {
            path,
            package: package.map(|(_, manifest)| manifest),
            org: self.organisation,
        }
    }

    fn expose(
        &self,
        finding: Finding,
        at: &Locator,
        sha256: Option<Sha256Digest>,
        stats: &mut PackageStats,
        out: &mut Placed,
    ) {
        expose(finding, None, at, sha256, stats, out);
    }

    fn place_findings(
        &self,
        child: &Child,
        at: &Locator,
        path: &[u8],
        package: Option<(&[u8], &Manifest)>,
        stats: &mut PackageStats,
        out: &mut Placed,
    ) {
        let cx = self.context(path, package);
        let sha256 = child.sha256;
        for finding in exposure::judge_entry(&cx, &child.facts.traits) {
            self.expose(finding, at, sha256, stats, out);
        }
        for finding in exposure::judge_name(&cx, &child.facts.traits, &child.facts.kind) {
            self.expose(finding, at, sha256, stats, out);
        }
        if let Some(tree) = &child.facts.tree {
            let scripts = scripts_in(tree);
            let inner = head_manifest(tree);
            if let Some(finding) = exposure::judge_carrier(&cx, inner, &tree.kind, scripts) {
                self.expose(finding, at, sha256, stats, out);
            }
        }
        if child.facts.is_archive() && package.is_some() {
            let inner = child.facts.tree.as_ref().and_then(head_manifest);
            if let Some(finding) = exposure::judge_nested_archive(&cx, inner, &child.facts.kind) {
                self.expose(finding, at, sha256, stats, out);
            }
        }
    }

    fn place_links(
        &self,
        child: &Child,
        at: &Locator,
        path: &[u8],
        scope: &dyn Scope,
        stats: &mut PackageStats,
        out: &mut Placed,
    ) {
        let cx = self.context(path, scope.package_of(path));
        let inside = &child.facts.links;
        // A header that repeats what the script says is no second link.
        let mut told: HashSet<&[u8]> = HashSet::new();
        if !child.links.is_empty() {
            told.extend(inside.iter().map(|link| link.target.as_slice()));
        }
        let beside = child.links.iter();
        let beside = beside.filter(|link| !told.contains(link.target.as_slice()));
        for link in beside.chain(inside) {
            let found = scope.follow(path, link);
            out.records.push(Record::Reference(Reference {
                locator: at.as_str().to_owned(),
                hops: at.hops().clone(),
                target: escape(&link.target),
                kind: link.kind,
                found: found.clone(),
            }));
            let finding = exposure::judge_reference(&cx, link.kind, &link.target, found.is_some());
            if let Some(finding) = finding {
                self.expose(finding, at, child.sha256, stats, out);
            }
        }
    }

    fn place_matches(&self, child: &Child, at: &Locator, out: &mut Placed) {
        let target = Target {
            sha256: child.sha256,
            basis: Basis::Content,
            lines: child.facts.lines,
            bytes: child.len,
            written: child.written,
        };
        self.tell_matches(&child.facts.matches, at, &target, out);
        // What is public as it is was not made of what is not.
        if !public::is_public(self.sets, &child.facts.matches) {
            child
                .facts
                .echoes
                .iter()
                .for_each(|echo| out.echoes.add(echo));
        }
    }

    /// Gives the records of the matches of one content that go beyond what is public.
    pub(super) fn tell_matches(
        &self,
        matches: &[MatchFact],
        at: &Locator,
        target: &Target,
        out: &mut Placed,
    ) {
        let told = public::told(self.sets, matches);
        out.own_public |= told.is_own_public;
        out.public += u64::from(told.is_own_public);
        out.told += u64::from(!told.matches.is_empty());
        out.files.public_of.extend(told.public_files);
        let records = told.matches.iter();
        out.records
            .extend(records.filter_map(|fact| self.match_of(fact, at, target)));
    }

    /// The record of a match.
    fn match_of(&self, fact: &MatchFact, at: &Locator, target: &Target) -> Option<Record> {
        let set = self.sets.sets().get(fact.set as usize)?;
        let file = match set.name(fact.file) {
            Some(name) => escape(name),
            None => fact.file.to_string(),
        };
        let found = fact.found.as_deref();
        // Who made the set of a list did not read the file: its lines are those of the content that is equal to it, if
        // that was read.
        let original_lines = if set.is_of_lists() {
            target.lines
        } else {
            set.file(fact.file).map_or(0, |info| u64::from(info.lines))
        };
        let is_measured = !set.is_of_lists() || target.basis == Basis::Content;
        let whole = || {
            if !is_measured {
                return Vec::new();
            }
            vec![MatchRange {
                original_lines: [1, original_lines.max(1)],
                target_lines: [1, target.lines.max(1)],
                target_bytes: [0, target.bytes],
            }]
        };
        Some(Record::from(Match {
            locator: at.as_str().to_owned(),
            hops: at.hops().clone(),
            sha256: target.sha256.map(|digest| digest.hex()),
            work: set.work().to_owned(),
            release: set.release().to_owned(),
            file,
            grade: fact.grade,
            basis: target.basis,
            score: found.map_or(1.0, |found| rounded(found.score)),
            log10_p: found.map(|found| rounded(found.log10_p)),
            of_original: found.map_or(1.0, |found| rounded(found.of_original)),
            of_target: found.map_or(1.0, |found| rounded(found.of_target)),
            ranges: found.map_or_else(whole, |found| {
                found.stretches.iter().map(range_of).collect()
            }),
            written: target
                .written
                .filter(|time| !is_constant(*time))
                .and_then(rfc3339),
            git: None,
            image: None,
        }))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a container, its place and its account"
    )]
    fn place_tree(
        &self,
        child: &Child,
        tree: &Tree,
        at: &Locator,
        path: &[u8],
        around: Around,
        stats: &mut PackageStats,
        out: &mut Placed,
    ) {
        if child.facts.as_map().is_some() {
            // Bun's own form stands nowhere but in what Bun packed.
            let kind = match tree.kind.as_str() {
                "bun-map" => MapKind::Embedded,
                _ => MapKind::File,
            };
            self.place_map(child, tree, kind, at, path, around, stats, out);
        } else if tree.is_inside() {
            for inner in &tree.children {
                let here = at.member(&tree.kind, &inner.name, inner.ordinal);
                let around = Around {
                    script: Some((child, at)),
                    ..around.for_parts(tree)
                };
                let kind = match tree.kind.as_str() {
                    "embedded-map" => MapKind::Embedded,
                    _ => MapKind::Inline,
                };
                self.place_region(inner, kind, &here, path, around, stats, out);
            }
        } else {
            stats.incomplete |= self.place_archive(child, tree, at, path, out);
        }
    }

    /// Places the members of an archive: a scope of its own, with packages of its own. Says whether anything in it
    /// was not read in full.
    fn place_archive(
        &self,
        child: &Child,
        tree: &Tree,
        at: &Locator,
        path: &[u8],
        out: &mut Placed,
    ) -> bool {
        let scope = TreeScope::new(tree, at);
        let images = images::of_tree(tree);
        let before = out.unread;
        let outer = std::mem::take(&mut out.stats);
        let is_shut = tree.holds_objects();
        let is_store_in_sight = is_shut && out.shut == 0 && self.sets.has_works();
        let mut at_head = is_store_in_sight.then(|| AtHead::of(tree.head));
        // What lies in it can be told apart where it is the outermost one, and where nothing of it is lacking that might have
        // stood beside.
        let may_be_several = self.sets.has_works()
            && images.is_none()
            && !at.as_str().contains("!/")
            && is_whole(child);
        let mut several = may_be_several
            .then(|| Several::of(tree, &scope.packages))
            .flatten();
        self.count_rest(tree, out);
        out.shut += u32::from(is_shut);
        for member in &tree.children {
            let here = at.member(&tree.kind, &member.name, member.ordinal);
            if let Some(several) = &mut several
                && let Some(number) = several.number_of(member.name.bytes())
            {
                let whole = std::mem::take(&mut out.files);
                self.place(member, &here, member.name.bytes(), &scope, out);
                let files = std::mem::replace(&mut out.files, whole);
                several.add(number, files.clone());
                out.files.unite(files);
                continue;
            }
            if let Some(git) = &member.git {
                let before = out.records.len();
                let mut paths = git.paths.iter();
                let telling = paths.find(|path| exposure::name_is_of_interest(path));
                let path = telling.or(git.paths.first());
                let path = path.map_or(member.name.bytes(), Vec::as_slice);
                // One that comes twice was counted.
                match &mut at_head {
                    Some(at_head) if git.at_head > 0 && member.ordinal == 1 => {
                        let shut = std::mem::take(&mut out.shut);
                        let whole = std::mem::take(&mut out.files);
                        self.place(member, &here, path, &scope, out);
                        let mut files = std::mem::replace(&mut out.files, whole);
                        out.shut = shut;
                        at_head.take(git.at_head, member.len, &mut files);
                        out.files.unite(files);
                    }
                    _ => self.place(member, &here, path, &scope, out),
                }
                note_git(git, member, at, &mut out.records[before..]);
                continue;
            }
            if tree.is_git_store() {
                // Its own files are judged by where they lie, as files beside it are.
                let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
                let path = [path, slash, member.name.bytes()].concat();
                self.place(member, &here, &path, &scope, out);
                continue;
            }
            let before = out.records.len();
            let inner = match tree.path_of(member) {
                // Without a name of its own it is judged by that of its container.
                b"" => exposure::name_unpacked(path),
                inner => inner,
            };
            self.place(member, &here, inner, &scope, out);
            if let Some(images) = &images {
                let path = member.name.bytes();
                let root = |folder: &[u8]| folder_locator(at, &tree.kind, folder);
                images::note(images, path, &here, &root, &mut out.records[before..]);
            }
        }
        if let Some(images) = &images {
            out.records.extend(images::problems(images, tree, at));
        }
        out.shut -= u32::from(is_shut);
        if let Some(at_head) = at_head {
            out.files.heads.unite(at_head.finish());
        }
        if let Some(several) = several {
            out.parts = several.finish(tree);
        }
        let files = tree
            .folders
            .iter()
            .map(|(folder, count)| (folder, count.files));
        let files = scope.packages.distribute(files);
        let alone = scope
            .packages
            .iter()
            .filter(|(folder, _)| !is_module_folder(folder))
            .count()
            == 1;
        for (folder, manifest) in scope.packages.iter() {
            let mut stats = out.stats.remove(folder).unwrap_or_default();
            let whole = alone && !is_module_folder(folder) && !folder.contains(&b'/');
            let here = if whole {
                at.clone()
            } else {
                at.folder(&tree.kind, folder)
            };
            if !is_module_folder(folder) {
                stats.raw.compiled += tree.compiled;
            }
            // A container that was not read to its end may lack files of any package in it.
            stats.incomplete |= child.facts.troubles.iter().any(keeps_back);
            let sha256 = child.sha256.filter(|_| whole).map(|digest| digest.hex());
            let files = files.get(folder).copied().unwrap_or_default();
            self.close_package(folder, manifest, &here, sha256, files, stats, out);
        }
        out.stats = outer;
        out.unread > before
    }

    /// Gives the record of a package whose entries have all been placed.
    #[expect(
        clippy::too_many_arguments,
        reason = "a package, its place and its account"
    )]
    pub fn close_package(
        &self,
        folder: &[u8],
        manifest: &Manifest,
        at: &Locator,
        sha256: Option<String>,
        files: FileCounts,
        mut stats: PackageStats,
        out: &mut Placed,
    ) {
        let cx = PlaceContext {
            path: folder,
            package: Some(manifest),
            org: self.organisation,
        };
        let raw = std::mem::take(&mut stats.raw);
        if let Some(finding) = exposure::judge_raw_sources(&cx, &raw) {
            self.expose(finding, at, None, &mut stats, out);
        }
        if let Some(finding) = exposure::judge_tests(&cx, files.tests) {
            self.expose(finding, at, None, &mut stats, out);
        }
        let parts = std::mem::take(&mut stats.parts).into_records();
        stats.items += parts.len() as u64;
        out.records.extend(parts);
        // Without a version it is no published unit, though its manifest speaks for the files round it.
        if manifest.version.is_none() {
            return;
        }
        out.records.push(Record::from(Package {
            locator: at.as_str().to_owned(),
            hops: at.hops().clone(),
            ecosystem: manifest.ecosystem.clone(),
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            sha256,
            licence: manifest.licence.clone(),
            repository: manifest.repository.clone(),
            declared_open: manifest.declared_open,
            files: files.files,
            maps: stats.maps,
            sources: stats.sources,
            own_bytes: stats.own_bytes,
            exposures: stats.exposures,
            secrets: stats.secrets,
            items: stats.items,
            complete: !stats.incomplete,
            image: None,
        }));
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a map, its place and its account"
    )]
    fn place_map(
        &self,
        child: &Child,
        tree: &Tree,
        kind: MapKind,
        at: &Locator,
        path: &[u8],
        around: Around,
        stats: &mut PackageStats,
        out: &mut Placed,
    ) {
        let Some(head) = &tree.map else { return };
        let (package, beside) = (around.package, around.beside);
        let sources = TreeScope::new(tree, at);
        let script = around.script_of(head.file.as_deref(), at, path);
        let mut summary = MapSummary::new(kind);
        let (mut named, mut with_content) = (0, 0);
        for member in &tree.children {
            let here = at.member(&tree.kind, &member.name, member.ordinal);
            let Some(meta) = &member.source else {
                let around = Around::of(package);
                self.place_region(member, MapKind::File, &here, path, around, stats, out);
                continue;
            };
            named += 1;
            let verdict = exposure::party_of(
                meta.name.as_deref().unwrap_or_default(),
                package.map(|(_, manifest)| manifest),
                self.organisation,
                meta.ignored,
            );
            let source = meta.name.as_deref().unwrap_or_default();
            if verdict.party != Party::First || self.organisation.is_some() {
                let manifest = manifest_of(&member.facts);
                stats.parts.add(source, manifest, self.organisation, at);
            }
            let has_content = member.key.is_some();
            let party = verdict.party;
            with_content += u64::from(has_content);
            // What a public set holds is public already: it does not make the map worse.
            let public = public::public_set(self.sets, &member.facts.matches);
            if public.is_some() && has_content && party != Party::Third {
                summary.add_public();
            } else {
                summary.add(&verdict, has_content.then_some(member.len));
            }
            if let (true, Some(key), Some(sha256)) =
                (party != Party::Third, member.key, member.sha256)
            {
                out.own_contents.push((key, sha256));
            }
            let is_unread = member.trouble.as_ref().is_some_and(is_incomplete);
            summary.unread += u64::from(is_unread && !has_content);
            stats.add_source(verdict.party, has_content, member.len);
            self.place_problems(member, &here, stats, out);
            self.place_blob(member, &here, out);
            self.place_matches(member, &here, out);
            place_yara(member, &here, stats, out);
            let around_source = Around {
                generated: head.file.as_deref(),
                ..around
            };
            out.records.push(source_record(
                member,
                meta,
                &here,
                at,
                path,
                around_source,
                verdict,
                public.filter(|_| has_content),
            ));
            let path = member.name.bytes();
            let around = Around {
                sources: Some(&sources),
                ..Around::of(package)
            };
            self.place_inspected(member, &here, || party, path, stats, out);
            self.place_content(member, &here, path, stats, around, out);
            if let Some(script) = script.as_ref().filter(|_| party != Party::Third) {
                for gate in script.lacks(member, beside) {
                    tell_item(&gate, &here, party, stats, out);
                }
            }
        }
        stats.maps += 1;
        out.records.push(Record::Map(crate::record::Map {
            locator: at.as_str().to_owned(),
            hops: at.hops().clone(),
            kind,
            sources: named,
            with_content,
            // Of a map that did not come here whole nobody knows whether it was valid.
            valid: head.valid.filter(|_| !arrived_in_part(child)),
            errors: head.errors.clone(),
            debug_id: head
                .debug_id
                .as_ref()
                .map(|id| escape(&id.to_ascii_lowercase())),
            consistency: agreement(&head.consistency),
            explained: script.as_ref().and_then(|script| explained(head, script)),
        }));
        let cx = self.context(path, package);
        if let Some(finding) = exposure::judge_map(&cx, &summary) {
            self.expose(finding, at, child.sha256, stats, out);
        }
        let orphan = script_missing(kind, head.file.as_deref(), path, around.beside);
        if let Some(script) = orphan {
            let finding = exposure::judge_orphan(&cx, &script);
            self.expose(finding, at, child.sha256, stats, out);
        }
        for url in &head.section_urls {
            out.records.push(Record::Reference(Reference {
                locator: at.as_str().to_owned(),
                hops: at.hops().clone(),
                target: escape(url),
                kind: reference_kind(url),
                found: None,
            }));
        }
    }

    /// Places a part of a file: a data URL, a module, a further map behind a map.
    #[expect(
        clippy::too_many_arguments,
        reason = "a part, its place and its account"
    )]
    fn place_region(
        &self,
        part: &Child,
        kind: MapKind,
        at: &Locator,
        path: &[u8],
        around: Around,
        stats: &mut PackageStats,
        out: &mut Placed,
    ) {
        self.place_problems(part, at, stats, out);
        self.place_blob(part, at, out);
        self.place_matches(part, at, out);
        place_yara(part, at, stats, out);
        match &part.facts.tree {
            Some(map) if map.map.is_some() => {
                let party = || self.party_at(path, around.package);
                self.place_inspected(part, at, party, path, stats, out);
                self.place_map(part, map, kind, at, path, around, stats, out);
            }
            _ => {
                let party = || self.party_at(path, around.package);
                self.place_inspected(part, at, party, path, stats, out);
                self.place_content(part, at, path, stats, around, out);
            }
        }
    }

    /// Whose a file is that no map names.
    fn party_at(&self, path: &[u8], package: Option<(&[u8], &Manifest)>) -> Party {
        let manifest = package.map(|(_, manifest)| manifest);
        exposure::party_of(path, manifest, self.organisation, false).party
    }

    /// The credentials in a text, and the items of one that may be the vendor's own. Whose it is, is asked only where there
    /// is any.
    fn place_inspected(
        &self,
        child: &Child,
        at: &Locator,
        party: impl FnOnce() -> Party,
        path: &[u8],
        stats: &mut PackageStats,
        out: &mut Placed,
    ) {
        let facts = &child.facts;
        if facts.secrets.is_empty() && facts.items.is_empty() {
            return;
        }
        let party = party();
        let sha256 = child.sha256.map(|digest| digest.hex());
        let told = facts.secrets.iter();
        let told = told.filter(|secret| exposure::is_told(secret, party));
        let is_here = |secret: &&SecretFact| {
            !secret.of_settings
                || exposure::lies_as_settings(path, &facts.traits, secret.in_any_settings)
        };
        let told = told.filter(is_here);
        for secret in told {
            stats.secrets += 1;
            out.records.push(Record::Secret(Secret {
                id: Secret::id_of(&secret.rule, at.as_str(), secret.line, secret.column),
                rule: secret.rule.clone(),
                locator: at.as_str().to_owned(),
                hops: at.hops().clone(),
                line: secret.line,
                column: secret.column,
                redacted: secret.redacted.clone(),
                check: secret.check.as_str().to_owned(),
                severity: exposure::severity_of_secret(secret, path),
                tier: secret.tier.as_str().to_owned(),
                party: Some(party),
                sha256: sha256.clone(),
                written: secret.written.map(|how| how.as_str().to_owned()),
                detail: secret.detail.as_deref().map(as_told),
                fingerprint: secret.fingerprint.map(|digest| hex(&digest)),
                length: secret.length,
                git: None,
                image: None,
            }));
        }
        // What the user asked for by name is told of everybody's code.
        let is_told = |item: &&ItemFact| {
            party != Party::Third || matches!(item.kind.as_str(), "term" | "code-name")
        };
        for item in facts.items.iter().filter(is_told) {
            let is_own = |name: &str| self.organisation.is_some_and(|org| org.owns_package(name));
            if item.kind == "import" && is_own(&item.value) {
                stats.parts.add_own(&item.value, at);
            }
            tell_item(item, at, party, stats, out);
        }
    }

    /// What a recovered source or another part of a file holds itself: keys and tokens, links, and maps of its own.
    fn place_content(
        &self,
        member: &Child,
        at: &Locator,
        path: &[u8],
        stats: &mut PackageStats,
        around: Around,
        out: &mut Placed,
    ) {
        let cx = self.context(path, around.package);
        for finding in exposure::judge_entry(&cx, &member.facts.traits) {
            self.expose(finding, at, member.sha256, stats, out);
        }
        match around.scope {
            Some(scope) => self.place_links(member, at, path, scope, stats, out),
            None => out.records.extend(member.facts.links.iter().map(|link| {
                let found = around.sources.and_then(|scope| scope.follow(path, link));
                link_record(link, at, found)
            })),
        }
        if let Some(tree) = &member.facts.tree {
            out.containers.push(PlacedContainer {
                locator: at.as_str().to_owned(),
                kind: tree.kind.clone(),
                sha256: member.sha256.map(|digest| digest.0),
                bytes: member.len,
                entries: tree.entries(),
            });
            self.place_tree(member, tree, at, path, around, stats, out);
        }
    }
}

/// Gives the records of YARA rules of the user's own that match.
fn place_yara(child: &Child, at: &Locator, stats: &mut PackageStats, out: &mut Placed) {
    for found in yara::matches_in(&child.facts.traits) {
        let finding = yara::finding_of(found);
        let yara = Some(Box::new(found.clone()));
        expose(finding, yara, at, child.sha256, stats, out);
    }
}

/// Gives the record of an exposure.
fn expose(
    finding: Finding,
    yara: Option<Box<YaraMatch>>,
    at: &Locator,
    sha256: Option<Sha256Digest>,
    stats: &mut PackageStats,
    out: &mut Placed,
) {
    let class = finding.class.clone();
    *stats.exposures.entry(class).or_insert(0) += 1;
    out.records.push(Record::Exposure(Exposure {
        class: finding.class,
        severity: finding.severity,
        certainty: finding.certainty,
        locator: at.as_str().to_owned(),
        hops: at.hops().clone(),
        sha256: sha256.map(|digest| digest.hex()),
        detail: without_passwords(&finding.detail).into_owned(),
        yara,
        git: None,
        image: None,
    }));
}

/// A text of an input as records have it: nothing in it turns text round, and no address in it opens a door.
fn as_told(text: &str) -> String {
    without_passwords(&shown(text)).into_owned()
}

/// Gives the record of an item.
fn tell_item(
    item: &ItemFact,
    at: &Locator,
    party: Party,
    stats: &mut PackageStats,
    out: &mut Placed,
) {
    stats.items += 1;
    out.records.push(Record::Item(Item {
        kind: item.kind.clone(),
        value: as_told(&item.value),
        locator: at.as_str().to_owned(),
        hops: at.hops().clone(),
        line: item.line,
        party,
        confidence: item.confidence.as_str().to_owned(),
        detail: item.detail.as_deref().map(as_told),
    }));
}

/// Keeps what a document of a registry says of releases.
fn place_dates(facts: &Facts, at: &Locator, out: &mut Placed) {
    for fact in &facts.traits {
        if let Trait::Packument(document) = fact {
            let dates = (at.as_str().to_owned(), document.clone());
            out.published.push(dates);
        }
    }
}

/// Times that programs write which pack in the same way each time: no clock gives 1970, a zip begins in 1980, packages for
/// JavaScript are of 1985. They date nothing.
fn is_constant(time: i64) -> bool {
    const YEAR_1990: i64 = 631_152_000;
    time < YEAR_1990
}

/// A figure of a verdict as records give it: four digits behind the point say all that it knows.
fn rounded(figure: f32) -> f64 {
    (f64::from(figure) * 1e4).round() / 1e4
}

fn range_of(stretch: &Stretch) -> MatchRange {
    MatchRange {
        original_lines: stretch.original_lines.map(u64::from),
        target_lines: stretch.target_lines.map(u64::from),
        target_bytes: stretch.target_bytes,
    }
}

/// What stands round a part of a file.
#[derive(Clone, Copy)]
struct Around<'a> {
    package: Option<(&'a [u8], &'a Manifest)>,
    /// What links in the part are resolved in; `None` where they lead nowhere that is known.
    scope: Option<&'a dyn Scope>,
    /// Where the file lies that the part is in; `None` where that is no file.
    beside: Option<&'a dyn Scope>,
    /// The sources of the map that a source is in: maps name maps of their own.
    sources: Option<&'a dyn Scope>,
    /// The `file` of the map that a source is in.
    generated: Option<&'a [u8]>,
    /// The script that bears the map in itself, and where it stands.
    script: Option<(&'a Child, &'a Locator)>,
}

impl<'a> Around<'a> {
    fn of(package: Option<(&'a [u8], &'a Manifest)>) -> Self {
        Self {
            package,
            scope: None,
            beside: None,
            sources: None,
            generated: None,
            script: None,
        }
    }

    /// The script that a map is of, where it is here and leads to it.
    fn script_of(&self, file: Option<&[u8]>, at: &Locator, path: &[u8]) -> Option<Script> {
        match self.script {
            Some((child, at)) => Script::of(child, at),
            None => gates::beside(at, path, file, self.beside?),
        }
    }

    /// The same for the parts of `tree`.
    fn for_parts(self, tree: &Tree) -> Self {
        Self {
            scope: self.scope.filter(|_| tree.is_cut_script()),
            ..self
        }
    }
}

/// Scripts and originals that stand directly in a container; of one that holds a single script, that.
fn scripts_in(tree: &Tree) -> u64 {
    let told = tree.children.iter().filter(|child| {
        let name = child.name.bytes();
        exposure::is_compiled(name) || exposure::is_raw_source(name)
    });
    let named = tree.compiled + told.count() as u64;
    if tree.kind == "node-sea" {
        return named.max(tree.entries());
    }
    named
}

/// The script that a map in a file of its own is of, where that is not beside it, neither under the name that the map
/// gives nor under its own.
fn script_missing(
    kind: MapKind,
    file: Option<&[u8]>,
    path: &[u8],
    beside: Option<&dyn Scope>,
) -> Option<Vec<u8>> {
    let scope = beside.filter(|_| kind == MapKind::File)?;
    let own = path.strip_suffix(b".map").filter(|own| !own.is_empty())?;
    let named = file
        .filter(|file| !file.is_empty())
        .map(|file| sourcemap::resolve_source(path, None, file));
    let is_there =
        scope.find(own).is_some() || named.is_some_and(|named| scope.find(&named).is_some());
    (!is_there).then(|| own.to_vec())
}

/// The locator of a folder in an archive, which is the archive itself where that is the top.
fn folder_locator(at: &Locator, kind: &str, folder: &[u8]) -> String {
    if folder.is_empty() {
        return at.as_str().to_owned();
    }
    at.folder(kind, folder).as_str().to_owned()
}

/// The record of a link that says nothing of the package round it, as one in a recovered source.
fn link_record(link: &LinkFact, at: &Locator, found: Option<String>) -> Record {
    Record::Reference(Reference {
        locator: at.as_str().to_owned(),
        hops: at.hops().clone(),
        target: escape(&link.target),
        kind: link.kind,
        found,
    })
}

/// Says of records about an object of a git store, or about something within it, where that stands.
fn note_git(git: &GitMeta, object: &Child, store: &Locator, records: &mut [Record]) {
    let commit = |commit: &Option<GitCommit>| {
        commit.as_ref().map(|commit| CommitAt {
            commit: commit.id.clone(),
            date: commit.date.and_then(rfc3339),
        })
    };
    let place = GitPlace {
        store: store.as_str().to_owned(),
        object: escape(object.name.bytes()),
        kind: git.kind.clone(),
        paths: git.paths.iter().map(|path| escape(path)).collect(),
        more_paths: git.more_paths,
        first: commit(&git.first),
        last: commit(&git.last),
        standing: git.standing,
    };
    for record in records {
        let slot = match record {
            Record::Match(row) => &mut row.git,
            Record::Exposure(row) => &mut row.git,
            Record::Secret(row) => &mut row.git,
            Record::Source(row) => &mut row.git,
            Record::Blob(row) => &mut row.git,
            _ => continue,
        };
        // Of a store within a store the inner one says more.
        slot.get_or_insert_with(|| Box::new(place.clone()));
    }
}

/// Seconds since 1970 as a date, where there is such a year.
pub(crate) fn rfc3339(seconds: i64) -> Option<String> {
    /// The end of the year 9999, behind which RFC 3339 has no dates.
    const END: u64 = 253_402_300_799;
    let seconds = u64::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds <= END)?;
    let time = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))?;
    Some(humantime::format_rfc3339_seconds(time).to_string())
}

/// Whether the bytes of an entry were cut or damaged before they came here: by a limit, or with its container.
fn arrived_in_part(child: &Child) -> bool {
    let trouble = child.trouble.as_ref();
    trouble.is_some_and(|trouble| trouble.effect == Effect::Damaged)
}

/// Whether a trouble means that something was not read in full.
pub fn is_incomplete(trouble: &Trouble) -> bool {
    trouble.effect != Effect::Odd && trouble.code != "no-content"
}

/// Whether a trouble of a container means that something in it may be lacking. A rule of the user's own that could not be run over
/// the container as a whole takes nothing from what it holds.
fn keeps_back(trouble: &Trouble) -> bool {
    is_incomplete(trouble) && !trouble.code.starts_with("yara-")
}

/// Whether a container was read to its end, with everything in it known.
fn is_whole(child: &Child) -> bool {
    let mut troubles = child.trouble.iter().chain(&child.facts.troubles);
    !troubles.any(keeps_back)
}

/// The `problem` record of a trouble.
pub fn problem(trouble: &Trouble, at: &Locator) -> Record {
    Record::Problem(Problem {
        code: trouble.code.clone().into_owned(),
        locator: at.as_str().to_owned(),
        hops: at.hops().clone(),
        detail: without_passwords(&trouble.detail).into_owned(),
        bytes_unread: trouble.unread,
    })
}

fn reference_kind(url: &[u8]) -> crate::record::ReferenceKind {
    use crate::record::ReferenceKind;
    match sourcemap::classify(url) {
        sourcemap::Target::Bucket => ReferenceKind::Bucket,
        sourcemap::Target::File => ReferenceKind::File,
        sourcemap::Target::Url | sourcemap::Target::Data => ReferenceKind::Url,
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "a source, its map and what stands round that"
)]
fn source_record(
    member: &Child,
    meta: &SourceMeta,
    at: &Locator,
    map: &Locator,
    map_path: &[u8],
    around: Around,
    verdict: exposure::PartyVerdict,
    public: Option<&Set>,
) -> Record {
    let named = meta.name.as_deref().map(escape_with_raw);
    let root = meta.source_root.as_deref();
    let resolve = |name| sourcemap::resolve_source(map_path, root, name);
    let url = meta.name.as_deref().map(resolve);
    // Where the file itself lies beside the map, nothing more needs to be known of it.
    // The map is none of its sources, nor is the code that it belongs to.
    let generated = around
        .generated
        .map(|file| sourcemap::resolve_source(map_path, None, file));
    let is_other = |path: &&Vec<u8>| path[..] != *map_path && Some(*path) != generated.as_ref();
    let beside = url.as_ref().filter(|_| member.key.is_none());
    let elsewhere = beside.filter(is_other).and_then(|path| {
        Some(Elsewhere {
            locator: around.beside?.find(path)?,
            by: ElsewhereBy::Path,
        })
    });
    let (name, name_b64) = named.map_or((None, None), |(name, raw)| (Some(name), raw));
    let is_limited = |trouble: &Trouble| trouble.code == "entries-limit";
    let status = if member.trouble.as_ref().is_some_and(is_limited) {
        SourceStatus::Refused
    } else if member.key.is_none() && meta.status != SourceStatus::Refused {
        SourceStatus::Missing
    } else {
        meta.status
    };
    Record::from(Source {
        locator: at.as_str().to_owned(),
        hops: at.hops().clone(),
        map: map.as_str().to_owned(),
        name,
        name_b64,
        url: url.as_deref().map(escape),
        bytes: member.key.map(|_| member.len),
        sha256: member.sha256.map(|digest| hex(&digest.0)),
        party: verdict.party,
        party_reason: verdict.reason,
        status,
        skeleton: false,
        lines: member.key.map(|_| meta.lines),
        mapped: meta.profile.as_deref().map(mapped),
        hash: meta.hash.as_deref().map(escape),
        elsewhere,
        public: public.map(|set| Public {
            place: format!("{} {}", set.work(), set.release()),
            by: PublicBy::Set,
        }),
        git: None,
        image: None,
    })
}

fn mapped(profile: &sourcemap::mapped::Profile) -> Mapped {
    Mapped {
        lines: profile.lines,
        segments: profile.segments,
        names: profile.names.iter().map(|name| escape(name)).collect(),
        names_total: profile.names_total,
    }
}

fn agreement(seen: &sourcemap::consistency::Consistency) -> Option<Agreement> {
    Some(Agreement {
        score: seen.score()?,
        places: seen.places,
        places_right: seen.places_right,
        named: seen.named,
        named_right: seen.named_right,
    })
}

/// How much of its script a map explains.
fn explained(head: &MapHead, script: &Script) -> Option<Explained> {
    let (characters, of) = head.spread.explained(&script.facts.lengths)?;
    Some(Explained {
        script: script.at.clone(),
        characters,
        of,
    })
}
