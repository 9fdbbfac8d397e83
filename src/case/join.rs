//! Joins: what needs more than one unit.
//!
//! They run over stored facts after the last unit, in sorted order, and their rows are made anew each time, so
//! that a case that was finished in three sittings is the same as one that was finished in one. Loose files are placed
//! in their folder, what leads to another unit is looked for there (see [`links`](super::links)), matches are rolled
//! up into copies (see [`copies`](super::copies)), own sources are looked for where they are public (see
//! [`public`](super::public)), releases are compared (see [`since`](super::since)), and the account is closed.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, params};

use super::images::{ImagesOfInput, Unread};
use super::origins::OriginsAsked;
use super::published::ReleaseList;
use super::roots::Root;
use super::store::{
    Case, CaseError, keys_of, locator_of, put_container, put_echoes, put_files, put_own_contents,
    put_published, put_record, unpacked,
};
use crate::blob::{ContentKey, Locator};
use crate::container::Effect;
use crate::exposure::{self, Manifest, PlaceContext};
use crate::record::{Exposure, Ledger, Problem, Record, Severity};
use crate::scan::facts::Child;
use crate::scan::gates::{self, Script};
use crate::scan::packages::{PackageIndex, PackageStats, head_manifest, manifest_folder};
use crate::scan::place::{Placed, Placer};
use crate::scan::scope::Scope;
use crate::scan::triage;
use crate::scan::{Alone, OpenFacts};

/// What the joins need beside the case.
pub struct JoinInput<'a> {
    /// From facts to records.
    pub placer: &'a Placer<'a>,
    /// Findings at or above this count as failing.
    pub fail_on: Option<Severity>,
    /// Codes of problems that the user accepts.
    pub accepted: &'a [String],
    /// Every unit was read.
    pub all_units: bool,
    /// Bytes of all files of the inputs of this run.
    pub bytes_in: u64,
    /// The run is a triage, which never is the whole.
    pub triage: bool,
    /// The user's list of releases.
    pub releases: Option<&'a ReleaseList>,
    /// What the user says of where copies come from.
    pub origins: &'a OriginsAsked,
}

/// An input folder as a scope: what stands beside a file comes from the case.
pub(super) struct FolderScope<'a> {
    case: &'a Case,
    input: i64,
    label: &'a str,
    pub(super) packages: PackageIndex,
    /// Numbers of the names in all scripts with maps, sorted; read where somebody asks.
    names: OnceCell<Option<Vec<u32>>>,
}

impl FolderScope<'_> {
    /// The facts of the loose file at a path.
    fn loose(&self, path: &[u8]) -> Option<Box<Child>> {
        let sql = "SELECT open_fact.facts FROM open_fact JOIN unit ON unit.id = open_fact.unit
                   WHERE unit.input = ?1 AND unit.path = ?2";
        let mut query = self.case.db.prepare_cached(sql).ok()?;
        let facts: Vec<u8> = query
            .query_row(params![self.input, path], |row| row.get(0))
            .ok()?;
        loose_of(&facts)
    }

    /// The numbers of the names in all scripts with maps of the input.
    fn all_names(&self) -> rusqlite::Result<Vec<u32>> {
        let sql = "SELECT open_fact.facts FROM open_fact JOIN unit ON unit.id = open_fact.unit
                   WHERE unit.input = ?1";
        let mut query = self.case.db.prepare_cached(sql)?;
        let facts = query.query_map([self.input], |row| row.get::<_, Vec<u8>>(0))?;
        let loose = facts.filter_map(|facts| loose_of(&facts.ok()?));
        Ok(gates::joined(loose.map(|child| child.facts.names.clone())))
    }
}

fn loose_of(facts: &[u8]) -> Option<Box<Child>> {
    match unpacked(facts, "facts of a file").ok()? {
        OpenFacts::Loose(child) => Some(child),
        _ => None,
    }
}

impl Scope for FolderScope<'_> {
    fn package_of(&self, path: &[u8]) -> Option<(&[u8], &Manifest)> {
        self.packages.package_of(path)
    }

    fn find(&self, path: &[u8]) -> Option<String> {
        let found: Option<i64> = self
            .case
            .db
            .prepare_cached("SELECT id FROM unit WHERE input = ?1 AND path = ?2")
            .and_then(|mut query| {
                query
                    .query_row(params![self.input, path], |row| row.get(0))
                    .optional()
            })
            .ok()
            .flatten();
        found.map(|_| locator_of(self.label, path).as_str().to_owned())
    }

    fn script_of(&self, path: &[u8], map: &str) -> Option<Script> {
        let child = self.loose(path)?;
        let mut links = child.links.iter().chain(&child.facts.links);
        let leads = links.any(|link| self.follow(path, link).as_deref() == Some(map));
        leads
            .then(|| Script::of(&child, &locator_of(self.label, path)))
            .flatten()
    }

    fn has_name(&self, number: u32) -> bool {
        // Where they cannot be read, nothing is said to be missing.
        let names = self.names.get_or_init(|| self.all_names().ok());
        names
            .as_ref()
            .is_none_or(|names| names.binary_search(&number).is_ok())
    }
}

/// An input, as the joins see it.
pub(super) struct InputRow {
    pub(super) id: i64,
    pub(super) label: String,
    is_folder: bool,
}

impl Case {
    /// Runs all joins and gives the ledger.
    ///
    /// # Errors
    /// When the file cannot be read or written; the rows of earlier joins are gone then, and the next run makes
    /// them again.
    pub fn join(&mut self, input: &JoinInput) -> Result<Ledger, CaseError> {
        let transaction =
            |case: &Case, sql: &str| case.db.execute_batch(sql).map_err(|error| case.wrap(error));
        transaction(self, "BEGIN")?;
        let result = self.join_all(input);
        transaction(self, if result.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        result
    }

    fn join_all(&self, input: &JoinInput) -> Result<Ledger, CaseError> {
        self.db
            .execute_batch(
                "DELETE FROM record WHERE joined; DELETE FROM container WHERE joined;
                 DELETE FROM echo WHERE joined; DELETE FROM published WHERE joined;
                 DELETE FROM own_content WHERE joined; DELETE FROM file_tally WHERE joined; DELETE FROM amended; DELETE FROM of_release",
            )
            .map_err(|error| self.wrap(error))?;
        let rows = self.input_rows()?;
        let mut roots = BTreeMap::new();
        let mut unread = BTreeMap::new();
        let mut own_public = self.own_public_units()?;
        for row in &rows {
            let place = self.place_input(row, input, &mut roots, &mut own_public);
            unread.insert(row.id, place?);
        }
        self.find_links()?;
        self.find_public(&rows)?;
        self.find_code_names(input.placer.organisation)?;
        self.find_releases(input.releases)?;
        self.find_origins(input, &mut roots)?;
        self.roll_up_copies(input, &roots, &own_public)?;
        self.close_account(input, &rows, &unread)
    }

    fn input_rows(&self) -> Result<Vec<InputRow>, CaseError> {
        let read = || -> rusqlite::Result<Vec<InputRow>> {
            let mut query = self
                .db
                .prepare("SELECT id, label, is_folder FROM input ORDER BY position")?;
            query
                .query_map([], |row| {
                    Ok(InputRow {
                        id: row.get(0)?,
                        label: row.get(1)?,
                        is_folder: row.get(2)?,
                    })
                })?
                .collect()
        };
        read().map_err(|error| self.wrap(error))
    }

    // -----------------------------------------------------------------------------------------------------------
    // Loose files in their folder

    fn place_input(
        &self,
        row: &InputRow,
        input: &JoinInput,
        roots: &mut BTreeMap<String, Root>,
        own_public: &mut BTreeSet<i64>,
    ) -> Result<Unread, CaseError> {
        let scope = FolderScope {
            case: self,
            input: row.id,
            label: &row.label,
            packages: self.packages(row)?,
            names: OnceCell::new(),
        };
        let mut stats = BTreeMap::new();
        let parts = self.image_parts(row.id)?;
        let images = self.images(row.id, &parts)?;
        let mut images = images.map(|view| ImagesOfInput::new(view, &row.label));
        let public = self.place_open_facts(row, input, &scope, images.as_mut(), &mut stats)?;
        own_public.extend(public);
        let unread = images.as_ref().map(ImagesOfInput::unread);
        for problem in images.map(ImagesOfInput::rest).unwrap_or_default() {
            self.put_joined(problem)?;
        }
        if row.is_folder {
            self.close_packages(row, input, &scope, stats)?;
        }
        let copies_roots = &input.origins.copies_roots;
        self.place_git_folders(row, copies_roots)?;
        self.note_roots(row, &scope, copies_roots, roots)?;
        Ok(unread.unwrap_or_default())
    }

    fn packages(&self, row: &InputRow) -> Result<PackageIndex, CaseError> {
        let read = || -> rusqlite::Result<Vec<(Vec<u8>, Vec<u8>)>> {
            let mut query = self.db.prepare(
                "SELECT unit.path, open_fact.manifest FROM open_fact JOIN unit ON unit.id = open_fact.unit
                 WHERE unit.input = ?1 AND open_fact.manifest IS NOT NULL ORDER BY unit.path",
            )?;
            query
                .query_map([row.id], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let manifests = read().map_err(|error| self.wrap(error))?;
        Ok(PackageIndex::new(manifests.into_iter().filter_map(
            |(path, manifest)| {
                let folder = manifest_folder(&path)?.to_vec();
                Some((folder, unpacked(&manifest, "a manifest").ok()?))
            },
        )))
    }

    /// Places the loose files of an input; the units are given whose content matches a public set and nothing beyond.
    fn place_open_facts(
        &self,
        row: &InputRow,
        input: &JoinInput,
        scope: &FolderScope,
        mut images: Option<&mut ImagesOfInput>,
        stats: &mut BTreeMap<Vec<u8>, PackageStats>,
    ) -> Result<Vec<i64>, CaseError> {
        let mut own_public = Vec::new();
        let mut query = self
            .db
            .prepare(
                "SELECT unit.id, unit.path, open_fact.facts FROM open_fact
                 JOIN unit ON unit.id = open_fact.unit WHERE unit.input = ?1 ORDER BY unit.path",
            )
            .map_err(|error| self.wrap(error))?;
        let mut rows = query.query([row.id]).map_err(|error| self.wrap(error))?;
        while let Some(found) = rows.next().map_err(|error| self.wrap(error))? {
            let read = || -> rusqlite::Result<(i64, Vec<u8>, Vec<u8>)> {
                Ok((found.get(0)?, found.get(1)?, found.get(2)?))
            };
            let (unit, path, facts) = read().map_err(|error| self.wrap(error))?;
            let facts: OpenFacts = unpacked(&facts, &format!("facts of unit {unit}"))?;
            let at = locator_of(&row.label, &path);
            let mut placed = Placed {
                stats: std::mem::take(stats),
                ..Placed::default()
            };
            let is_placed_here = !matches!(facts, OpenFacts::Archive { .. });
            match facts {
                OpenFacts::Loose(child) => {
                    input.placer.place(&child, &at, &path, scope, &mut placed);
                }
                OpenFacts::Layer(child) => {
                    input.placer.place(&child, &at, &path, &Alone, &mut placed);
                    let inner = child.facts.tree.as_ref().and_then(head_manifest);
                    let kind = &child.facts.kind;
                    let sha256 = child.sha256;
                    place_archive(input, scope, &at, &path, kind, sha256, inner, &mut placed);
                }
                OpenFacts::Archive {
                    kind,
                    sha256,
                    inner,
                } => {
                    place_archive(
                        input,
                        scope,
                        &at,
                        &path,
                        &kind,
                        sha256,
                        inner.as_ref(),
                        &mut placed,
                    );
                }
            }
            *stats = std::mem::take(&mut placed.stats);
            if let Some(images) = &mut images {
                images.note(&path, &at, &mut placed.records);
            }
            if placed.own_public {
                own_public.push(unit);
            }
            let is_counted = is_placed_here && input.placer.sets.has_works() && !input.triage;
            if is_counted && !placed.files.is_plain() {
                put_files(&self.db, unit, true, &placed.files).map_err(|error| self.wrap(error))?;
            }
            self.put_placed(unit, placed)?;
        }
        Ok(own_public)
    }

    fn put_placed(&self, unit: i64, placed: Placed) -> Result<(), CaseError> {
        let write = || -> rusqlite::Result<()> {
            for record in placed.records {
                put_record(&self.db, Some(unit), true, record)?;
            }
            for container in &placed.containers {
                put_container(&self.db, unit, true, container)?;
            }
            put_echoes(&self.db, unit, true, &placed.echoes)?;
            put_published(&self.db, unit, true, &placed.published)?;
            put_own_contents(&self.db, unit, true, &placed.own_contents)?;
            Ok(())
        };
        write().map_err(|error| self.wrap(error))
    }

    /// Gives the records of packages that lie as folders.
    fn close_packages(
        &self,
        row: &InputRow,
        input: &JoinInput,
        scope: &FolderScope,
        mut stats: BTreeMap<Vec<u8>, PackageStats>,
    ) -> Result<(), CaseError> {
        if scope.packages.iter().next().is_none() {
            return Ok(());
        }
        let mut folders: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        self.each_path(row.id, |path| {
            let folder = &path[..memchr::memrchr(b'/', path).unwrap_or(0)];
            *folders.entry(folder.to_vec()).or_insert(0) += 1;
            if exposure::is_compiled(path)
                && let Some((package, _)) = scope.packages.package_of(path)
            {
                stats.entry(package.to_vec()).or_default().raw.compiled += 1;
            }
        })?;
        // A folder that could not be walked may lack files of the package round it.
        for problem in self.walk_troubles(row.id)? {
            let path = crate::blob::locator::unescape(&problem.locator).unwrap_or_default();
            let below = [&path[..], b"/"].concat();
            if let Some((package, _)) = scope.packages.package_of(&below) {
                stats.entry(package.to_vec()).or_default().incomplete = true;
            }
        }
        let files = scope
            .packages
            .distribute(folders.iter().map(|(folder, count)| (folder, *count)));
        for (folder, manifest) in scope.packages.iter() {
            let at = locator_of(&row.label, folder);
            let mut placed = Placed::default();
            let stats = stats.remove(folder).unwrap_or_default();
            let count = files.get(folder).copied().unwrap_or_default();
            input
                .placer
                .close_package(folder, manifest, &at, None, count, stats, &mut placed);
            let manifest_path = [
                folder,
                if folder.is_empty() { b"" } else { b"/" },
                b"package.json",
            ]
            .concat();
            let unit: i64 = self
                .db
                .query_row(
                    "SELECT id FROM unit WHERE input = ?1 AND path = ?2",
                    params![row.id, manifest_path],
                    |row| row.get(0),
                )
                .map_err(|error| self.wrap(error))?;
            self.put_placed(unit, placed)?;
        }
        Ok(())
    }

    pub(super) fn each_path(
        &self,
        input: i64,
        mut act: impl FnMut(&[u8]),
    ) -> Result<(), CaseError> {
        let mut run = || -> rusqlite::Result<()> {
            let mut query = self
                .db
                .prepare("SELECT path FROM unit WHERE input = ?1 ORDER BY path")?;
            let mut rows = query.query([input])?;
            while let Some(row) = rows.next()? {
                act(row.get_ref(0)?.as_blob().unwrap_or_default());
            }
            Ok(())
        };
        run().map_err(|error| self.wrap(error))
    }

    // -----------------------------------------------------------------------------------------------------------
    // Roots

    /// Units that were placed when they were read and hold something that matches a public set and nothing beyond.
    fn own_public_units(&self) -> Result<BTreeSet<i64>, CaseError> {
        let read = || -> rusqlite::Result<BTreeSet<i64>> {
            let sql = "SELECT id FROM unit WHERE tally ->> '$.own_public'";
            let mut query = self.db.prepare(sql)?;
            query.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|error| self.wrap(error))
    }

    pub(super) fn put_joined(&self, record: Record) -> Result<(), CaseError> {
        put_record(&self.db, None, true, record).map_err(|error| self.wrap(error))
    }

    // -----------------------------------------------------------------------------------------------------------
    // The account

    fn close_account(
        &self,
        input: &JoinInput,
        rows: &[InputRow],
        unread: &BTreeMap<i64, Unread>,
    ) -> Result<Ledger, CaseError> {
        let mut ledger = Ledger {
            bytes_in: input.bytes_in + self.bytes_of_other_inputs()?,
            ..Ledger::default()
        };
        let mut distinct = hashbrown::HashSet::new();
        let mut complete = input.all_units && !input.triage;
        for row in rows {
            complete &= self.add_input(row, input, &mut ledger)?;
            self.add_units(row, unread.get(&row.id), &mut ledger, &mut distinct)?;
            if input.triage {
                self.tell_unread_files(row)?;
            }
        }
        let kept_out = |counts: &BTreeMap<String, u64>| {
            counts
                .keys()
                .any(|code| code != "no-content" && !input.accepted.contains(code))
        };
        ledger.complete = complete && !kept_out(&ledger.skipped) && !kept_out(&ledger.damaged);
        ledger.findings_failing = self.count_failing(input.fail_on)?;
        Ok(ledger)
    }

    fn column_of_input(&self, input: i64, column: &str) -> Result<String, CaseError> {
        let sql = format!("SELECT {column} FROM input WHERE id = ?1");
        self.db
            .query_row(&sql, [input], |row| row.get(0))
            .map_err(|error| self.wrap(error))
    }

    /// What kept folders of an input from being walked; locators are paths below it.
    fn walk_troubles(&self, input: i64) -> Result<Vec<Problem>, CaseError> {
        let troubles = self.column_of_input(input, "troubles")?;
        Ok(serde_json::from_str(&troubles).unwrap_or_default())
    }

    /// Adds what walking an input met; says whether all of it could be walked.
    fn add_input(
        &self,
        row: &InputRow,
        input: &JoinInput,
        ledger: &mut Ledger,
    ) -> Result<bool, CaseError> {
        let other: String = self.column_of_input(row.id, "other")?;
        let other: BTreeMap<String, u64> = serde_json::from_str(&other).unwrap_or_default();
        for (kind, count) in other {
            *ledger.other.entry(kind).or_insert(0) += count;
        }
        let mut walked = true;
        for mut problem in self.walk_troubles(row.id)? {
            walked &= input.accepted.contains(&problem.code);
            let path = crate::blob::locator::unescape(&problem.locator).unwrap_or_default();
            let at = locator_of(&row.label, &path);
            at.as_str().clone_into(&mut problem.locator);
            problem.hops = at.hops().clone();
            self.put_joined(Record::Problem(problem))?;
        }
        Ok(walked)
    }

    fn add_units(
        &self,
        row: &InputRow,
        unread: Option<&Unread>,
        ledger: &mut Ledger,
        distinct: &mut hashbrown::HashSet<ContentKey>,
    ) -> Result<(), CaseError> {
        #[derive(serde::Deserialize)]
        struct Kept {
            skipped: BTreeMap<String, u64>,
            damaged: BTreeMap<String, u64>,
            other: BTreeMap<String, u64>,
            damaged_containers: u64,
        }
        let mut run = || -> rusqlite::Result<()> {
            let mut query = self
                .db
                .prepare("SELECT entries, bytes, tally, keys, path FROM unit WHERE input = ?1")?;
            let mut rows = query.query([row.id])?;
            while let Some(row) = rows.next()? {
                ledger.entries += row.get::<_, i64>(0)? as u64;
                ledger.bytes_scanned += row.get::<_, i64>(1)? as u64;
                let tally = row.get_ref(2)?.as_str().unwrap_or_default();
                let kept: Kept = serde_json::from_str(tally)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                add_all(&mut ledger.skipped, kept.skipped);
                add_all(&mut ledger.damaged, kept.damaged);
                add_all(&mut ledger.other, kept.other);
                ledger.containers += kept.damaged_containers;
                let mut keys = keys_of(row.get_ref(3)?.as_blob().unwrap_or_default());
                let path = row.get_ref(4)?.as_blob().unwrap_or_default();
                // The first key of a file that was read is its own.
                if let Some(trouble) = unread.and_then(|unread| unread.get(path))
                    && keys.next().is_some()
                {
                    let counts = match trouble.effect {
                        Effect::Damaged => &mut ledger.damaged,
                        _ => &mut ledger.skipped,
                    };
                    *counts.entry(trouble.code.clone().into_owned()).or_insert(0) += 1;
                }
                for key in keys {
                    if distinct.insert(key) {
                        ledger.scanned += 1;
                        ledger.containers += u64::from(key.is_container());
                    } else {
                        ledger.duplicate += 1;
                    }
                }
            }
            Ok(())
        };
        run().map_err(|error| self.wrap(error))
    }

    /// Says how many loose files of an input a triage did not read, in one record: there may be millions.
    fn tell_unread_files(&self, row: &InputRow) -> Result<(), CaseError> {
        let read = || -> rusqlite::Result<(i64, i64)> {
            self.db.query_row(
                "SELECT count(*), coalesce(sum(unit.size), 0) FROM unit
                 LEFT JOIN open_fact ON open_fact.unit = unit.id
                 WHERE input = ?1 AND open_fact.unit IS NULL AND tally -> '$.skipped' -> ?2 IS NOT NULL",
                params![row.id, triage::LENGTH],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        };
        let (files, bytes) = read().map_err(|error| self.wrap(error))?;
        if files == 0 {
            return Ok(());
        }
        let at = locator_of(&row.label, b"");
        self.put_joined(Record::Problem(Problem {
            code: triage::LENGTH.to_owned(),
            locator: at.as_str().to_owned(),
            hops: at.hops().clone(),
            detail: triage::unread_files(files as u64),
            bytes_unread: Some(bytes as u64),
        }))
    }

    fn count_failing(&self, fail_on: Option<Severity>) -> Result<u64, CaseError> {
        let Some(threshold) = fail_on else {
            return Ok(0);
        };
        let mut failing = 0;
        for kind in ["exposure", "secret"] {
            for (_, record) in self.records_of_type(kind)? {
                let severity = match record {
                    Record::Exposure(Exposure { severity, .. }) => severity,
                    Record::Secret(secret) => secret.severity,
                    _ => continue,
                };
                failing += u64::from(severity >= threshold);
            }
        }
        Ok(failing)
    }
}

fn add_all(into: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>) {
    for (reason, count) in from {
        *into.entry(reason).or_insert(0) += count;
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "what is kept of an archive, and its place"
)]
fn place_archive(
    input: &JoinInput,
    scope: &FolderScope,
    at: &Locator,
    path: &[u8],
    kind: &str,
    sha256: Option<crate::blob::Sha256Digest>,
    inner: Option<&Manifest>,
    placed: &mut Placed,
) {
    let Some((folder, manifest)) = scope.package_of(path) else {
        return;
    };
    let cx = PlaceContext {
        path,
        package: Some(manifest),
        org: input.placer.organisation,
    };
    let Some(finding) = exposure::judge_nested_archive(&cx, inner, kind) else {
        return;
    };
    let stats = placed.stats.entry(folder.to_vec()).or_default();
    *stats.exposures.entry(finding.class.to_owned()).or_insert(0) += 1;
    placed.records.push(Record::Exposure(Exposure {
        class: finding.class.to_owned(),
        severity: finding.severity,
        certainty: finding.certainty,
        locator: at.as_str().to_owned(),
        hops: at.hops().clone(),
        sha256: sha256.map(|digest| digest.hex()),
        detail: finding.detail,
        yara: None,
        git: None,
        image: None,
    }));
}
