//! Since when? The releases of a package, one beside the other.
//!
//! Where the input holds several releases of a package, every finding gets a history: the first release with it, the
//! last, the first without it, and whether the newest has it still. Each release says what came and went with it and how
//! its sizes moved, since a release that is suddenly three times as large is how most of these leaks could have been
//! seen. Dates are publish dates that something says (see [`published`](super::published)), else unknown.
//!
//! What is compared: classes of exposures (anywhere in the release), maps by their path with build hashes as `*`,
//! secrets by rule and fingerprint (or what identifies them safely), and contents of own sources by SHA-256. Contents
//! that came and went together share a row, so that a release with two thousand sources does not give two thousand.
//! Findings belong to the innermost release round them; packages below `node_modules` are parts of what they came in,
//! and no releases.
//!
//! Absence is claimed of a release only if all of it was read. What is between two releases of the input and was
//! published, is counted and named as unseen where something says what was published.
//!
//! It runs over stored rows: one look through the records notes which release each belongs to, then one package at a time
//! is compared. Left out: what one release has at several places with different bytes is put together, and said.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hasher as _;

use rusqlite::params;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::published::{ReleaseList, Times};
use super::store::{Case, CaseError, RecordRow, restore};
use super::versions;
use crate::record::{
    Grown, Hops, Package, Party, Record, Release, Severity, Since, SinceSubject, Window,
};

/// Releases that are named where a finding was absent for a while.
const ABSENT_MAX: usize = 16;
/// A size jumps when it grows to this multiple, or shrinks to its inverse, …
const JUMP_RATIO: f64 = 1.5;
/// … and by at least so many bytes, …
const JUMP_BYTES: u64 = 64 << 10;
/// … or so many files. Of maps one is enough: the first is the news.
const JUMP_FILES: u64 = 10;
const JUMP_MAPS: u64 = 1;

/// Ecosystem and name.
type PackageName = (String, String);

/// What a finding is told by over releases.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Exposure(String),
    Map(String),
    Secret(String, String),
    Content([u8; 32]),
}

/// A finding, and the releases that have it.
struct History {
    /// Indexes of releases, ascending.
    releases: Vec<usize>,
    severity: Option<Severity>,
    bytes: u64,
    /// The first place in the first release.
    locator: String,
    hops: Hops,
}

/// One release of the package at hand.
struct Held {
    version: String,
    /// The package records, by locator.
    places: Vec<(i64, Package)>,
    archive_bytes: Option<u64>,
    published: Option<(i64, String)>,
    downloads: Option<u64>,
}

impl Held {
    fn is_complete(&self) -> bool {
        self.places.iter().all(|(_, package)| package.complete)
    }

    fn first(&self) -> Option<&Package> {
        self.places.first().map(|(_, package)| package)
    }
}

impl Case {
    /// Gives the `release` and `since` records.
    pub(super) fn find_releases(&self, list: Option<&ReleaseList>) -> Result<(), CaseError> {
        let groups = self
            .packages_with_releases()
            .map_err(|error| self.wrap(error))?;
        if groups.is_empty() {
            return Ok(());
        }
        self.note_releases(&groups)
            .map_err(|error| self.wrap(error))?;
        let names = groups.keys().map(|(_, name)| name.clone()).collect();
        let times = self.times_of(&names, list)?;
        for (name, records) in &groups {
            let unknown = Times::default();
            self.compare(name, records, times.get(&name.1).unwrap_or(&unknown))?;
        }
        let cleared = self.db.execute("DELETE FROM of_release", []);
        cleared.map(drop).map_err(|error| self.wrap(error))
    }

    /// Packages with more than one version, and the numbers of their records. First names are only counted, since a mirror
    /// holds millions of which few may have a second version in the input.
    fn packages_with_releases(&self) -> rusqlite::Result<BTreeMap<PackageName, Vec<i64>>> {
        let mut first: HashMap<u128, u64> = HashMap::new();
        let mut several: BTreeSet<u128> = BTreeSet::new();
        self.each_release(|_, _, ecosystem, name, version| {
            let (package, version) = (number(&[ecosystem, name]), number(&[version]) as u64);
            if *first.entry(package).or_insert(version) != version {
                several.insert(package);
            }
        })?;
        drop(first);
        let mut groups: BTreeMap<PackageName, Vec<i64>> = BTreeMap::new();
        if several.is_empty() {
            return Ok(groups);
        }
        self.each_release(|id, _, ecosystem, name, _| {
            if several.contains(&number(&[ecosystem, name])) {
                let of_name = groups.entry((ecosystem.to_owned(), name.to_owned()));
                of_name.or_default().push(id);
            }
        })?;
        Ok(groups)
    }

    /// Gives number, locator, ecosystem, name and version of each package that may be a release.
    fn each_release(
        &self,
        mut take: impl FnMut(i64, &str, &str, &str, &str),
    ) -> rusqlite::Result<()> {
        let mut query = self.db.prepare(
            "SELECT id, locator, json ->> 'ecosystem', json ->> 'name', json ->> 'version'
             FROM record WHERE type = 'package' AND json ->> 'version' IS NOT NULL",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let text = |column| {
                row.get_ref(column)
                    .map(|cell| cell.as_str().unwrap_or_default())
            };
            let locator = text(1)?;
            if is_part(locator) {
                continue;
            }
            take(row.get(0)?, locator, text(2)?, text(3)?, text(4)?);
        }
        Ok(())
    }

    /// Notes for every record that is compared in which release it stands.
    fn note_releases(&self, groups: &BTreeMap<PackageName, Vec<i64>>) -> rusqlite::Result<()> {
        let numbers: BTreeSet<i64> = groups.values().flatten().copied().collect();
        let mut at: HashMap<u128, i64> = HashMap::new();
        self.each_release(|id, locator, _, _, _| {
            if numbers.contains(&id) {
                at.insert(number_of_place(locator), id);
            }
        })?;
        let mut put = self
            .db
            .prepare("INSERT OR IGNORE INTO of_release VALUES (?1, ?2)")?;
        let mut query = self.db.prepare(
            "SELECT id, locator FROM record
             WHERE type IN ('exposure', 'map', 'secret') OR (type = 'source' AND lines >= 0)",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let locator = row.get_ref(1)?.as_str().unwrap_or_default();
            if let Some(release) = innermost(locator, &at) {
                put.execute(params![release, row.get::<_, i64>(0)?])?;
            }
        }
        Ok(())
    }

    /// Compares the releases of one package.
    fn compare(&self, name: &PackageName, records: &[i64], times: &Times) -> Result<(), CaseError> {
        let releases = self.releases_of(records, times)?;
        let mut histories: BTreeMap<Key, History> = BTreeMap::new();
        for (index, release) in releases.iter().enumerate() {
            for (id, package) in &release.places {
                self.each_record_of(*id, |record| {
                    note(record, index, &package.locator, &mut histories);
                })?;
            }
        }
        let timeline = Timeline {
            name,
            releases: &releases,
            unseen: unseen_round(&releases, times),
        };
        for release in timeline.release_records(&histories) {
            self.put_joined(Record::from(release))?;
        }
        for since in timeline.since_records(histories) {
            self.put_joined(Record::from(since))?;
        }
        Ok(())
    }

    /// The releases that package records stand for, oldest first.
    fn releases_of(&self, records: &[i64], times: &Times) -> Result<Vec<Held>, CaseError> {
        let mut by_version: BTreeMap<String, Vec<(i64, Package)>> = BTreeMap::new();
        for &id in records {
            let record = self.record_by_number(id)?;
            if let Record::Package(package) = record
                && let Some(version) = &package.version
            {
                let places = by_version.entry(version.clone()).or_default();
                places.push((id, *package));
            }
        }
        let mut order: Vec<String> = by_version.keys().cloned().collect();
        versions::sort(&mut order);
        let mut releases = Vec::new();
        for version in order {
            let mut places = by_version.remove(&version).unwrap_or_default();
            places.sort_by(|one, other| one.1.locator.cmp(&other.1.locator));
            let known = times.of(&version);
            releases.push(Held {
                archive_bytes: places
                    .first()
                    .map_or(Ok(None), |(id, _)| self.archive_bytes(*id))?,
                published: known.published,
                downloads: known.downloads,
                version,
                places,
            });
        }
        Ok(releases)
    }

    fn record_by_number(&self, id: i64) -> Result<Record, CaseError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE record.id = ?1",
            RecordRow::COLUMNS,
            RecordRow::TABLES
        );
        let row = self
            .db
            .prepare_cached(&sql)
            .and_then(|mut query| query.query_row([id], RecordRow::read));
        restore(row.map_err(|error| self.wrap(error))?)
    }

    fn each_record_of(&self, release: i64, mut take: impl FnMut(Record)) -> Result<(), CaseError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE record.id IN (SELECT record FROM of_release WHERE release = ?1)
             ORDER BY record.locator, type, record.json",
            RecordRow::COLUMNS,
            RecordRow::TABLES
        );
        let mut query = self
            .db
            .prepare_cached(&sql)
            .map_err(|error| self.wrap(error))?;
        let mut rows = query.query([release]).map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let row = RecordRow::read(row).map_err(|error| self.wrap(error))?;
            take(restore(row)?);
        }
        Ok(())
    }

    /// Length of the archive that a package is; `None` where it is a folder.
    fn archive_bytes(&self, package: i64) -> Result<Option<u64>, CaseError> {
        use rusqlite::OptionalExtension as _;
        let bytes: rusqlite::Result<Option<i64>> = self
            .db
            .prepare_cached(
                "SELECT container.bytes FROM record JOIN container ON container.unit = record.unit
                 AND container.locator = record.locator WHERE record.id = ?1",
            )
            .and_then(|mut query| query.query_row([package], |row| row.get(0)).optional());
        let bytes = bytes.map_err(|error| self.wrap(error))?;
        Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()))
    }
}

/// Whether a package is part of another: it stands below `node_modules`.
fn is_part(locator: &str) -> bool {
    let mut rest = locator;
    while let Some(at) = rest.find("node_modules/") {
        if at > 0 && rest.as_bytes().get(at - 1) == Some(&b'/') {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// A number of texts that differ from others' in practice.
fn number(texts: &[&str]) -> u128 {
    let mut hasher = SipHasher13::new();
    for text in texts {
        hasher.write(text.as_bytes());
        hasher.write(&[0xff]);
    }
    hasher.finish128().as_u128()
}

fn number_of_place(locator: &str) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(locator.as_bytes());
    hasher.finish128().as_u128()
}

/// The innermost of the places that a locator is, or lies in. One look through the locator, however long it is.
fn innermost(locator: &str, at: &HashMap<u128, i64>) -> Option<i64> {
    let mut hasher = SipHasher13::new();
    let mut found = None;
    let mut from = 0;
    let ends = memchr::memchr_iter(b'/', locator.as_bytes()).chain([locator.len()]);
    for end in ends {
        let bytes = locator.as_bytes();
        // Before a hop stands `!`, which is no part of what the hop is in.
        let inner = if end > from && end < bytes.len() && bytes[end - 1] == b'!' {
            end - 1
        } else {
            end
        };
        hasher.write(&bytes[from..inner]);
        if let Some(id) = at.get(&hasher.finish128().as_u128()) {
            found = Some(*id);
        }
        hasher.write(&bytes[inner..end]);
        from = end;
    }
    found
}

/// Notes a record in the history of what it is about.
fn note(record: Record, release: usize, package: &str, into: &mut BTreeMap<Key, History>) {
    let (key, severity, bytes, locator, hops) = match record {
        Record::Exposure(row) => (
            Key::Exposure(row.class),
            Some(row.severity),
            0,
            row.locator,
            row.hops,
        ),
        Record::Map(row) => {
            let path = path_in_package(&row.locator, package);
            (Key::Map(path), None, 0, row.locator, row.hops)
        }
        Record::Secret(row) => {
            let identity = row.fingerprint.unwrap_or(row.redacted);
            let key = Key::Secret(row.rule, identity);
            (key, Some(row.severity), 0, row.locator, row.hops)
        }
        Record::Source(row) if row.party != Party::Third => {
            let Some(sha256) = row.sha256.as_deref().and_then(bytes_of) else {
                return;
            };
            let bytes = row.bytes.unwrap_or(0);
            (Key::Content(sha256), None, bytes, row.locator, row.hops)
        }
        _ => return,
    };
    let history = into.entry(key).or_insert_with(|| History {
        releases: Vec::new(),
        severity: None,
        bytes,
        locator,
        hops,
    });
    history.severity = history.severity.max(severity);
    if history.releases.last() != Some(&release) {
        history.releases.push(release);
    }
}

fn bytes_of(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// The path of a map below its package: without the folder that `npm pack` puts round everything, and with what a build
/// puts into names as `*`.
fn path_in_package(locator: &str, package: &str) -> String {
    let inside = locator.strip_prefix(package).unwrap_or(locator);
    let (inside, is_archive) = match inside.strip_prefix("!/") {
        Some(inside) => (inside, true),
        None => (inside.strip_prefix('/').unwrap_or(inside), false),
    };
    let inside = inside
        .strip_prefix("package/")
        .filter(|_| is_archive)
        .unwrap_or(inside);
    let (folder, name) = inside
        .rsplit_once('/')
        .map_or(("", inside), |(folder, name)| {
            (inside.get(..=folder.len()).unwrap_or_default(), name)
        });
    let mut path = folder.to_owned();
    for part in name.split_inclusive(['.', '-', '_']) {
        let word = part.trim_end_matches(['.', '-', '_']);
        if is_build_hash(word) {
            path.push('*');
            path.push_str(&part[word.len()..]);
        } else {
            path.push_str(part);
        }
    }
    path
}

/// Whether a word is what bundlers put into names: hex with a digit, or eight capitals and digits.
fn is_build_hash(word: &str) -> bool {
    let bytes = word.as_bytes();
    let has_digit = bytes.iter().any(u8::is_ascii_digit);
    let is_hex = bytes.len() >= 6 && bytes.iter().all(u8::is_ascii_hexdigit);
    let is_base32 = bytes.len() == 8
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (is_hex && has_digit) || is_base32
}

/// For each release how many versions were published between the one before it and it, and are not in the input; and
/// last, how many behind the newest. `None` where nothing says what was published.
fn unseen_round(releases: &[Held], times: &Times) -> Option<Vec<u64>> {
    let known = times.versions()?;
    let held: BTreeSet<&str> = releases
        .iter()
        .map(|release| release.version.as_str())
        .collect();
    let unseen: BTreeSet<String> = known
        .filter(|version| !held.contains(version.as_str()))
        .cloned()
        .collect();
    let mut all: Vec<String> = held.iter().map(|version| (*version).to_owned()).collect();
    all.extend(unseen.iter().cloned());
    versions::sort(&mut all);
    let (mut counts, mut count) = (Vec::new(), 0);
    for version in all {
        if unseen.contains(&version) {
            count += 1;
        } else {
            counts.push(std::mem::take(&mut count));
        }
    }
    counts.push(count);
    Some(counts)
}

/// The releases of a package, and what may be said of them.
struct Timeline<'a> {
    name: &'a PackageName,
    releases: &'a [Held],
    unseen: Option<Vec<u64>>,
}

impl Timeline<'_> {
    fn release_records(&self, histories: &BTreeMap<Key, History>) -> Vec<Release> {
        let mut changes = vec![Changes::default(); self.releases.len()];
        for (key, history) in histories {
            count_changes(
                matches!(key, Key::Content(_)),
                &history.releases,
                &mut changes,
            );
        }
        let mut records = Vec::new();
        for (index, (held, changes)) in self.releases.iter().zip(&changes).enumerate() {
            let Some(package) = held.first() else {
                continue;
            };
            let before = index
                .checked_sub(1)
                .and_then(|before| self.releases.get(before));
            let old = before.and_then(Held::first);
            let grown = |size: fn(&Package) -> u64| Grown::of(size(package), old.map(size));
            let archive_bytes = held
                .archive_bytes
                .map(|now| Grown::of(now, before.and_then(|before| before.archive_bytes)));
            let (files, maps, own_bytes) = (
                grown(|of| of.files),
                grown(|of| of.maps),
                grown(|of| of.own_bytes),
            );
            let sizes = [
                ("archive_bytes", archive_bytes, JUMP_BYTES),
                ("files", Some(files), JUMP_FILES),
                ("maps", Some(maps), JUMP_MAPS),
                ("own_bytes", Some(own_bytes), JUMP_BYTES),
            ];
            let jumps = (sizes.into_iter())
                .filter(|(_, size, least)| size.is_some_and(|size| size.jumps(*least)))
                .map(|(name, ..)| name.to_owned());
            records.push(Release {
                locator: package.locator.clone(),
                hops: package.hops.clone(),
                ecosystem: self.name.0.clone(),
                name: self.name.1.clone(),
                version: held.version.clone(),
                position: index as u64 + 1,
                of: self.releases.len() as u64,
                places: held.places.len() as u64,
                differs: held
                    .places
                    .iter()
                    .any(|(_, place)| place.sha256 != package.sha256),
                published: held
                    .published
                    .as_ref()
                    .and_then(|(seconds, _)| rfc3339(*seconds)),
                published_by: held.published.as_ref().map(|(_, by)| by.clone()),
                downloads: held.downloads,
                previous: before.map(|before| before.version.clone()),
                unseen_before: self
                    .unseen
                    .as_ref()
                    .and_then(|unseen| unseen.get(index).copied()),
                unseen_after: self
                    .unseen
                    .as_ref()
                    .filter(|_| index + 1 == self.releases.len())
                    .and_then(|unseen| unseen.last().copied()),
                archive_bytes,
                files,
                maps,
                own_bytes,
                jumps: jumps.collect(),
                contents_new: changes.contents_new,
                contents_gone: changes.contents_gone,
                contents_kept: changes.contents_kept,
                introduced: changes.introduced,
                removed: changes.removed,
                complete: held.is_complete(),
            });
        }
        records
    }

    fn since_records(&self, histories: BTreeMap<Key, History>) -> Vec<Since> {
        let mut records = Vec::new();
        let mut contents: BTreeMap<Vec<usize>, (History, u64)> = BTreeMap::new();
        for (key, history) in histories {
            let (subject, what, identity) = match key {
                Key::Exposure(class) => (SinceSubject::Exposure, class, None),
                Key::Map(path) => (SinceSubject::Map, path, None),
                Key::Secret(rule, identity) => (SinceSubject::Secret, rule, Some(identity)),
                Key::Content(_) => {
                    let together = contents.entry(history.releases.clone());
                    together
                        .and_modify(|(held, count)| held.take_in(&history, count))
                        .or_insert((history, 1));
                    continue;
                }
            };
            records.push(self.since(subject, what, identity, history, 1));
        }
        for (history, count) in contents.into_values() {
            let what = "own-contents".to_owned();
            records.push(self.since(SinceSubject::Source, what, None, history, count));
        }
        records
    }

    fn since(
        &self,
        subject: SinceSubject,
        what: String,
        identity: Option<String>,
        history: History,
        count: u64,
    ) -> Since {
        let newest = self.releases.len().saturating_sub(1);
        let first = history.releases.first().copied().unwrap_or(0);
        let last = history.releases.last().copied().unwrap_or(first);
        let version = |index: usize| self.releases[index].version.clone();
        let is_read = |index: &usize| self.releases[*index].is_complete();
        let not_before = (0..first).rev().find(is_read);
        let removed = (last + 1..=newest).find(is_read);
        let absent = (first..last).filter(|index| history.releases.binary_search(index).is_err());
        // From behind the release that is known to be without it, up to the one that has it.
        let unseen = self.unseen.as_ref().map(|unseen| {
            let from = not_before.map_or(0, |before| before + 1);
            unseen[from..=first].iter().sum()
        });
        let still_there = match (last == newest, self.releases[newest].is_complete()) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        };
        Since {
            locator: history.locator,
            hops: history.hops,
            ecosystem: self.name.0.clone(),
            name: self.name.1.clone(),
            subject,
            what,
            identity,
            severity: history.severity,
            count,
            bytes: (subject == SinceSubject::Source).then_some(history.bytes),
            introduced: version(first),
            not_before: not_before.map(version),
            unseen,
            last: version(last),
            removed: removed.map(version),
            still_there,
            releases: history.releases.len() as u64,
            absent_between: absent.take(ABSENT_MAX).map(version).collect(),
            window: self.window(&history.releases, removed),
        }
    }

    /// The dates between which it could be had anew. Older lines of versions go on beside newer ones, so the earliest date
    /// need not be that of the lowest version; if one is unknown, so is the earliest.
    fn window(&self, with: &[usize], removed: Option<usize>) -> Window {
        let date = |index: usize| {
            let published = self.releases[index].published.as_ref();
            published.map(|(seconds, _)| *seconds)
        };
        let dates: Option<Vec<i64>> = with.iter().map(|&index| date(index)).collect();
        let from = dates.and_then(|dates| dates.into_iter().min());
        let until = removed.and_then(date);
        let seconds = from
            .zip(until)
            .and_then(|(from, until)| u64::try_from(until - from).ok());
        Window {
            from: from.and_then(rfc3339),
            until: until.and_then(rfc3339),
            seconds,
        }
    }
}

impl History {
    /// Takes in a content that came and went with this one.
    fn take_in(&mut self, other: &History, count: &mut u64) {
        *count += 1;
        self.bytes = self.bytes.saturating_add(other.bytes);
        if other.locator < self.locator {
            self.locator.clone_from(&other.locator);
            self.hops.clone_from(&other.hops);
        }
    }
}

/// What came and went with a release.
#[derive(Debug, Clone, Copy, Default)]
struct Changes {
    introduced: u64,
    removed: u64,
    contents_new: u64,
    contents_gone: u64,
    contents_kept: u64,
}

/// Counts a finding in the releases where it comes, stays or goes.
fn count_changes(is_content: bool, with: &[usize], changes: &mut [Changes]) {
    for (at, &index) in with.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| with.get(at)).copied();
        let is_new = before.is_none_or(|before| before + 1 != index);
        let stays = with.get(at + 1) == Some(&(index + 1));
        if let Some(here) = changes.get_mut(index) {
            here.introduced += u64::from(is_new && !is_content);
            here.contents_new += u64::from(is_new && is_content);
            here.contents_kept += u64::from(!is_new && is_content);
        }
        if let Some(next) = changes.get_mut(index + 1).filter(|_| !stays) {
            next.removed += u64::from(!is_content);
            next.contents_gone += u64::from(is_content);
        }
    }
}

impl Grown {
    /// A size beside the one before it.
    fn of(now: u64, before: Option<u64>) -> Self {
        let ratio = before.filter(|before| *before > 0).map(|before| {
            // Four digits say all that a size says.
            (now as f64 / before as f64 * 1e4).round() / 1e4
        });
        Self { now, before, ratio }
    }

    /// Whether it moved out of proportion, and by no less than `least`.
    fn jumps(self, least: u64) -> bool {
        let Some(before) = self.before else {
            return false;
        };
        let by_ratio = self
            .ratio
            .is_none_or(|ratio| !(1.0 / JUMP_RATIO..JUMP_RATIO).contains(&ratio));
        by_ratio && self.now.abs_diff(before) >= least
    }
}

/// Seconds since 1970 as a date.
fn rfc3339(seconds: i64) -> Option<String> {
    crate::scan::place::rfc3339(seconds)
}
