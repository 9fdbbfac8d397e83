//! What a record leads to in another unit: packages by name and version, maps by debug id, and contents of sources that their own map does not hold.
//!
//! A source without content may be in another map of the scan: another chunk of the same build, another release, the
//! same build as it was before the contents were taken out. Four things can say so, and the best is taken: a hash that
//! the map gives, the path (looked for where a place is known, not here), one debug id on both maps, and at last name
//! and length. The last is a hint and called one: the name must have a folder, and the content as many lines as the
//! mappings need and not many more.
//!
//! All rows are looked through by number first, and only those where numbers agree are read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;

use rusqlite::params;

use super::store::{Case, CaseError, parse};
use crate::record::{Elsewhere, ElsewhereBy, Record, ReferenceKind, Source};

/// In the column of lines: no content, but a hash.
const HASHED: i64 = -1;
/// Length of a text that two maps may have in common as a hash: shorter ones are equal by chance.
const HASH_MIN: usize = 16;
/// Segments that a source needs for its length to say anything.
const SEGMENTS_MIN: u64 = 8;
/// Sources of one name among which one is looked for; where there are more a name says nothing.
const CANDIDATES_MAX: usize = 1_000;

/// The columns `key` and `lines` of a record.
pub(super) fn found_by(record: &Record) -> (Option<i64>, Option<i64>) {
    match record {
        Record::Source(source) => (
            source.name.as_deref().and_then(name_key),
            match source.lines {
                Some(lines) => Some(lines as i64),
                None => source.hash.as_ref().map(|_| HASHED),
            },
        ),
        Record::Map(map) => (map.debug_id.as_deref().map(number), None),
        Record::Reference(reference) if reference.kind == ReferenceKind::DebugId => {
            (Some(number(&reference.target)), None)
        }
        // What a store names and holds itself is found already.
        Record::Reference(reference)
            if reference.kind == ReferenceKind::Package && reference.found.is_none() =>
        {
            (Some(number(&reference.target)), None)
        }
        _ => (None, None),
    }
}

/// Puts what a join found into its record.
pub(super) fn put_found(record: &mut Record, locator: String, by: Option<&str>) {
    match record {
        Record::Reference(reference) => reference.found = Some(locator),
        Record::Source(source) => {
            let by = match by {
                Some("hash") => ElsewhereBy::Hash,
                Some("debug-id") => ElsewhereBy::DebugId,
                _ => ElsewhereBy::NameAndLines,
            };
            source.elsewhere = Some(Elsewhere { locator, by });
        }
        _ => {}
    }
}

fn word(by: ElsewhereBy) -> &'static str {
    match by {
        ElsewhereBy::Hash => "hash",
        ElsewhereBy::Path => "path",
        ElsewhereBy::DebugId => "debug-id",
        ElsewhereBy::NameAndLines => "name-and-lines",
    }
}

/// The number of a text, as it stands in the column.
fn number(text: &str) -> i64 {
    crate::scan::facts::name_number(text.as_bytes()) as i64
}

/// The number of a source's name without what differs from one build to the next: the scheme and name of the build, the
/// way up to the top, a query. Names without a folder have none: too many files are called `index.js`.
fn name_key(name: &str) -> Option<i64> {
    let path = match name.find("://") {
        Some(at) => {
            let rest = &name[at + 3..];
            rest.find('/').map_or(rest, |slash| &rest[slash..])
        }
        None => name,
    };
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."))
        .collect();
    // Below the last `node_modules` the way is the package's own, wherever that was installed.
    let own = parts.iter().rposition(|part| *part == "node_modules");
    let parts = &parts[own.map_or(0, |at| at + 1)..];
    (parts.len() > 1).then(|| number(&parts.join("/")))
}

/// Records that may lead elsewhere.
#[derive(Default)]
struct Leading {
    /// Sources without content, and the numbers of their names.
    missing: Vec<(i64, Option<i64>)>,
    /// The map of one of them gives a hash.
    hashed: bool,
    /// Something leads to a debug id or names a package.
    by_reference: bool,
}

/// A source with content, by number.
#[derive(Clone, Copy)]
struct Candidate {
    record: i64,
    lines: u64,
}

impl Case {
    /// Fills the table of links anew.
    pub(super) fn find_links(&self) -> Result<(), CaseError> {
        self.db
            .execute("DELETE FROM link", [])
            .map_err(|error| self.wrap(error))?;
        let leading = self.leading().map_err(|error| self.wrap(error))?;
        if leading.by_reference {
            self.link_debug_ids().map_err(|error| self.wrap(error))?;
            self.link_packages().map_err(|error| self.wrap(error))?;
        }
        if leading.missing.is_empty() {
            return Ok(());
        }
        self.fill_sources(&leading)
    }

    /// Everything that may lead elsewhere, in one look through the records.
    fn leading(&self) -> rusqlite::Result<Leading> {
        let mut leading = Leading::default();
        let mut query = self.db.prepare(
            "SELECT id, key, lines, type FROM record WHERE (key IS NOT NULL OR lines IS NOT NULL)
             AND (lines IS NULL OR lines < 0)",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            match row.get_ref(3)?.as_str()? {
                "reference" => leading.by_reference = true,
                "source" => {
                    leading.hashed |= row.get_ref(2)? != rusqlite::types::ValueRef::Null;
                    leading.missing.push((row.get(0)?, row.get(1)?));
                }
                _ => {}
            }
        }
        Ok(leading)
    }

    /// How many records of units that are placed by themselves lead elsewhere by a join: sources and references.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn link_counts(&self) -> Result<(u64, u64), CaseError> {
        let count = |kind: &str| -> rusqlite::Result<u64> {
            let sql = "SELECT count(*) FROM link JOIN record ON record.id = link.record
                       WHERE NOT joined AND type = ?1";
            let count: i64 = self.db.query_row(sql, [kind], |row| row.get(0))?;
            Ok(count as u64)
        };
        let both = count("source").and_then(|sources| Ok((sources, count("reference")?)));
        both.map_err(|error| self.wrap(error))
    }

    /// Scripts to the maps that have the same debug id: the first by locator.
    fn link_debug_ids(&self) -> rusqlite::Result<()> {
        self.db.execute(
            "WITH first AS MATERIALIZED (
                 SELECT json ->> 'debug_id' AS id, min(locator) AS locator FROM record
                 WHERE type = 'map' AND key IS NOT NULL GROUP BY 1)
             INSERT INTO link (record, locator)
             SELECT record.id, first.locator FROM record
             JOIN first ON first.id = record.json ->> 'target'
             WHERE record.type = 'reference' AND record.key IS NOT NULL
             AND record.json ->> 'kind' = 'debug-id'",
            [],
        )?;
        Ok(())
    }

    /// Names of packages to a package of that name and version: the nearest one, by how much of the way is the same. So
    /// what a machine's lockfile names is found on that machine, where it is there, and else on another.
    fn link_packages(&self) -> rusqlite::Result<()> {
        let mut query = self.db.prepare(
            "SELECT id, json ->> 'target', locator FROM record WHERE type = 'reference'
             AND key IS NOT NULL AND json ->> 'kind' = 'package'",
        )?;
        let wanted: Vec<(i64, String, String)> = query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut held: HashMap<&str, BTreeSet<String>> = (wanted.iter())
            .map(|(_, target, _)| (target.as_str(), BTreeSet::new()))
            .collect();
        let mut query = self.db.prepare(
            "SELECT json ->> 'ecosystem' || ':' || (json ->> 'name') || '@' || (json ->> 'version'), locator
             FROM record WHERE type = 'package'",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get_ref(0)?.as_str().unwrap_or_default();
            if let Some(places) = held.get_mut(id) {
                places.insert(row.get(1)?);
            }
        }
        let mut put = self
            .db
            .prepare("INSERT INTO link (record, locator) VALUES (?1, ?2)")?;
        for (id, target, locator) in &wanted {
            let places = held.get(target.as_str());
            if let Some(place) = places.and_then(|places| nearest(places, locator)) {
                put.execute(params![id, place])?;
            }
        }
        Ok(())
    }

    fn fill_sources(&self, leading: &Leading) -> Result<(), CaseError> {
        let wanted = leading.missing.iter().filter_map(|(_, key)| *key).collect();
        let candidates = self.candidates(&wanted).map_err(|error| self.wrap(error))?;
        let hashes = if leading.hashed {
            self.hashes()?
        } else {
            BTreeMap::new()
        };
        if candidates.is_empty() && hashes.is_empty() {
            return Ok(());
        }
        let debug_ids = self.shared_debug_ids().map_err(|error| self.wrap(error))?;
        // Those of one name one after the other, so that what they may be is read once.
        let mut missing = leading.missing.clone();
        missing.sort_unstable_by_key(|(id, key)| (*key, *id));
        for of_key in missing.chunk_by(|(_, one), (_, other)| one == other) {
            let of_name = of_key[0].1.and_then(|key| candidates.get(&key));
            let of_name = match of_name {
                Some(of_name) if of_name.len() <= CANDIDATES_MAX => self.details(of_name)?,
                _ if hashes.is_empty() => continue,
                _ => Vec::new(),
            };
            for (id, _) in of_key {
                let source = self.source(*id)?;
                if source.elsewhere.is_some() {
                    continue;
                }
                let by_hash = source.hash.as_ref().and_then(|hash| hashes.get(hash));
                let found = match by_hash {
                    Some(locator) => Some((locator.as_str(), ElsewhereBy::Hash)),
                    None => best(&source, &of_name, &debug_ids),
                };
                if let Some((locator, by)) = found {
                    self.db
                        .prepare_cached("INSERT INTO link VALUES (?1, ?2, ?3)")
                        .and_then(|mut put| put.execute(params![id, locator, word(by)]))
                        .map_err(|error| self.wrap(error))?;
                }
            }
        }
        Ok(())
    }

    /// Sources with content under these names.
    fn candidates(&self, wanted: &HashSet<i64>) -> rusqlite::Result<HashMap<i64, Vec<Candidate>>> {
        let mut found: HashMap<i64, Vec<Candidate>> = HashMap::new();
        let mut query = self.db.prepare(
            "SELECT id, key, lines FROM record
             WHERE type = 'source' AND lines >= 0 AND key IS NOT NULL",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(1)?;
            if wanted.contains(&key) {
                found.entry(key).or_default().push(Candidate {
                    record: row.get(0)?,
                    lines: row.get::<_, i64>(2)? as u64,
                });
            }
        }
        Ok(found)
    }

    /// What may be found by a hash that a map gives: the text of the hash, and where content is that it stands for. A
    /// hash stands for a content where another map gives it of one, or where it is the content's SHA-256.
    fn hashes(&self) -> Result<BTreeMap<String, String>, CaseError> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        let mut wanted = HashMap::new();
        self.each_source(&format!("lines = {HASHED}"), |source, _| {
            let Some(hash) = source.hash else { return };
            if let Some(sha256) = sha256_in(&hash) {
                wanted.insert(sha256, hash.clone());
            }
            if hash.len() >= HASH_MIN {
                found.insert(hash, String::new());
            }
        })?;
        if found.is_empty() {
            return Ok(found);
        }
        self.each_source("lines >= 0", |source, locator| {
            let by_sha256 = source.sha256.as_ref().and_then(|sha256| wanted.get(sha256));
            for hash in by_sha256.into_iter().chain(&source.hash) {
                if let Some(best) = found.get_mut(hash)
                    && (best.is_empty() || locator < *best)
                {
                    best.clone_from(&locator);
                }
            }
        })?;
        found.retain(|_, locator| !locator.is_empty());
        Ok(found)
    }

    fn each_source(
        &self,
        condition: &str,
        mut take: impl FnMut(Source, String),
    ) -> Result<(), CaseError> {
        let sql = format!("SELECT json, locator FROM record WHERE type = 'source' AND {condition}");
        let mut query = self.db.prepare(&sql).map_err(|error| self.wrap(error))?;
        let mut rows = query.query([]).map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let text: String = row.get(0).map_err(|error| self.wrap(error))?;
            let locator = row.get(1).map_err(|error| self.wrap(error))?;
            if let Record::Source(source) = parse(&text)? {
                take(*source, locator);
            }
        }
        Ok(())
    }

    fn source(&self, id: i64) -> Result<Source, CaseError> {
        let text: String = self
            .db
            .prepare_cached("SELECT json FROM record WHERE id = ?1")
            .and_then(|mut query| query.query_row([id], |row| row.get(0)))
            .map_err(|error| self.wrap(error))?;
        match parse(&text)? {
            Record::Source(source) => Ok(*source),
            _ => Err(CaseError::Damaged {
                what: format!("record {id}"),
            }),
        }
    }

    /// Debug ids of the maps that share one with another, by locator.
    fn shared_debug_ids(&self) -> rusqlite::Result<HashMap<String, i64>> {
        let mut query = self.db.prepare(
            "SELECT locator, key FROM record WHERE type = 'map' AND key IN
             (SELECT key FROM record WHERE type = 'map' AND key IS NOT NULL GROUP BY key HAVING count(*) > 1)",
        )?;
        query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }

    /// Map and locator of each candidate.
    fn details(&self, candidates: &[Candidate]) -> Result<Vec<Detail>, CaseError> {
        let mut query = self
            .db
            .prepare_cached("SELECT json ->> 'map', locator FROM record WHERE id = ?1")
            .map_err(|error| self.wrap(error))?;
        candidates
            .iter()
            .map(|candidate| {
                query
                    .query_row([candidate.record], |row| {
                        Ok(Detail {
                            lines: candidate.lines,
                            map: row.get(0)?,
                            locator: row.get(1)?,
                        })
                    })
                    .map_err(|error| self.wrap(error))
            })
            .collect()
    }
}

/// The place that has the longest beginning in common with `locator`; of two the first. In sorted order that is one of the
/// two beside it.
fn nearest<'a>(places: &'a BTreeSet<String>, locator: &str) -> Option<&'a str> {
    let common = |place: &String| {
        let pairs = place.bytes().zip(locator.bytes());
        pairs.take_while(|(one, other)| one == other).count()
    };
    let before = places
        .range::<str, _>((Bound::Unbounded, Bound::Excluded(locator)))
        .next_back();
    let after = places
        .range::<str, _>((Bound::Included(locator), Bound::Unbounded))
        .next();
    match (before, after) {
        (Some(before), Some(after)) if common(after) > common(before) => Some(after),
        (before, after) => before.or(after).map(String::as_str),
    }
}

/// A source with content.
struct Detail {
    lines: u64,
    map: String,
    locator: String,
}

/// The best of the sources of one name, and what speaks for it.
fn best<'a>(
    missing: &Source,
    candidates: &'a [Detail],
    debug_ids: &HashMap<String, i64>,
) -> Option<(&'a str, ElsewhereBy)> {
    let build = debug_ids.get(&missing.map);
    let mapped = missing.mapped.as_ref();
    let fits = |lines: u64| {
        mapped.is_some_and(|mapped| {
            mapped.segments >= SEGMENTS_MIN
                && lines >= mapped.lines
                && lines - mapped.lines <= mapped.lines / 2 + 8
        })
    };
    let others = candidates.iter().filter(|other| other.map != missing.map);
    let ranked = others.filter_map(|other| {
        let same_build = build.is_some() && debug_ids.get(&other.map) == build;
        // What has fewer lines than the mappings need is another text, whatever else speaks for it.
        let holds = mapped.is_none_or(|mapped| other.lines >= mapped.lines);
        let by = match (same_build && holds, fits(other.lines)) {
            (true, _) => ElsewhereBy::DebugId,
            (false, true) => ElsewhereBy::NameAndLines,
            _ => return None,
        };
        let off = other
            .lines
            .abs_diff(mapped.map_or(0, |mapped| mapped.lines));
        Some((by, off, other.locator.as_str()))
    });
    ranked.min().map(|(by, _, locator)| (locator, by))
}

/// The SHA-256 in a hash as maps write it, in hex: `sha256-` with hex or base64 behind it, or the bare hex.
fn sha256_in(hash: &str) -> Option<String> {
    use base64::Engine as _;
    const LEN: usize = 32;
    let digits = ["sha256-", "sha256:"]
        .iter()
        .find_map(|prefix| hash.strip_prefix(prefix))
        .unwrap_or(hash);
    if digits.len() == 2 * LEN && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(digits.to_ascii_lowercase());
    }
    let engine = base64::engine::general_purpose::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new()
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    );
    let bytes = engine.decode(digits).ok()?;
    (bytes.len() == LEN).then(|| crate::blob::digest::hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_file_in_two_builds_have_one_key() {
        let key = name_key("../../src/query/parse.ts");
        assert!(key.is_some());
        for same in [
            "webpack://app/./src/query/parse.ts?1f2e",
            "src/query/parse.ts",
            "/src/query/parse.ts",
        ] {
            assert_eq!(name_key(same), key, "{same}");
        }
        assert_eq!(
            name_key("../node_modules/.pnpm/a@1.0.0/node_modules/a/lib/x.js"),
            name_key("webpack:///./node_modules/a/lib/x.js")
        );
        assert_ne!(name_key("src/other/parse.ts"), key);
        assert_eq!(name_key("../parse.ts"), None);
    }

    #[test]
    fn hashes_are_read_in_hex_and_in_base64() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for written in [
            hex.to_owned(),
            format!("sha256-{}", hex.to_uppercase()),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned(),
            "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU".to_owned(),
        ] {
            assert_eq!(sha256_in(&written).as_deref(), Some(hex), "{written}");
        }
        assert_eq!(sha256_in("sha256-abc"), None);
        assert_eq!(sha256_in("v1:anything"), None);
    }
}
