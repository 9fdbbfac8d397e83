//! Is it public already? Own sources whose content stands elsewhere in the input under an open licence.
//!
//! A vendor leaks the map of a program, and half of what is in it comes from repositories that the vendor publishes. That
//! half is no leak. What a `--public` set has is told when a map is placed; here the other units are asked: a package
//! that declares an OSI licence and a public repository, a clone whose package declares so (what stands in its store, at
//! whatever commit), and a file that states an open licence itself and stands in another unit too. A source says where
//! in `public`; where all own contents of a map are public its exposure is told as `info`, said as declared, else the
//! reason stands beside the severity that it has.
//!
//! The dedupe keys that the account needs anyway do the work: each unit keeps the key of every entry that was read, so
//! one look through them finds all, and nothing is read again. A content that matches a signed private work is never
//! called public because a package says so: copies of a leak come with open licences, too.
//!
//! Left out: packages that stand together in one archive, since the keys say which unit holds a content and not where in
//! it; a unit with a package that declares nothing open counts as none. A bare clone has no package that could declare
//! something. Contents that are equal but for their form.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::params;

use super::join::InputRow;
use super::store::{Case, CaseError, json, keys_of, locator_of, parse};
use crate::blob::ContentKey;
use crate::blob::digest::hex;
use crate::exposure::states_open;
use crate::record::{Exposure, Party, Public, PublicBy, Record, Severity};

/// Classes of exposures that rest on the contents of a map.
const OF_CONTENTS: [&str; 2] = ["map-embedded-sources", "map-inline-sources"];
/// Places that are named in one exposure.
const NAMED_MAX: usize = 3;

/// Where a content stands: the first two units of each sort, since one of them may be the source's own.
#[derive(Default)]
struct Hits {
    open: Vec<(i64, usize)>,
    other: Vec<i64>,
}

impl Hits {
    fn add(&mut self, unit: i64, open: Option<usize>) {
        match open {
            Some(place)
                if self.open.len() < 2 && self.open.iter().all(|(held, _)| *held != unit) =>
            {
                self.open.push((unit, place));
            }
            None if self.other.len() < 2 && !self.other.contains(&unit) => self.other.push(unit),
            _ => {}
        }
    }
}

/// A place that declares itself open.
struct OpenPlace {
    locator: String,
    by: PublicBy,
}

/// Packages that stand in units of an input.
#[derive(Default)]
struct Packages {
    /// Units that are one package, and whether all packages in them are declared open.
    archives: HashMap<i64, (bool, bool)>,
    /// Packages that are folders of an input, and whether they are declared open.
    folders: HashMap<Vec<u8>, bool>,
}

impl Packages {
    /// The folder of the nearest package round a path, where that is declared open.
    fn open_folder<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        let mut end = memchr::memrchr(b'/', path).unwrap_or(0);
        loop {
            if let Some(&is_open) = self.folders.get(&path[..end]) {
                return is_open.then_some(&path[..end]);
            }
            if end == 0 {
                return None;
            }
            end = memchr::memrchr(b'/', &path[..end]).unwrap_or(0);
        }
    }
}

/// What of a map's own contents is public.
#[derive(Default)]
struct OfMap {
    own: u64,
    public: u64,
    places: BTreeSet<(String, PublicBy)>,
}

impl Case {
    /// Says of own sources where they are public, and of the exposures of their maps what follows.
    pub(super) fn find_public(&self, inputs: &[InputRow]) -> Result<(), CaseError> {
        let (mut wanted, keys) = self.own_contents()?;
        if wanted.is_empty() {
            return Ok(());
        }
        let mut places = Vec::new();
        for input in inputs {
            self.look_through(input, &keys, &mut wanted, &mut places)?;
        }
        wanted.retain(|_, hits| !hits.open.is_empty() || !hits.other.is_empty());
        if wanted.is_empty() {
            return Ok(());
        }
        let maps = self.tell_sources(&wanted, &places)?;
        self.tell_exposures(&maps)
    }

    /// Own contents by SHA-256, those apart that match a private work; and their keys.
    #[expect(clippy::type_complexity, reason = "two indexes of one thing")]
    fn own_contents(
        &self,
    ) -> Result<(HashMap<[u8; 32], Hits>, HashMap<ContentKey, [u8; 32]>), CaseError> {
        let matched = self.matched_contents()?;
        let read = || -> rusqlite::Result<HashMap<ContentKey, [u8; 32]>> {
            let mut query = self.db.prepare("SELECT key, sha256 FROM own_content")?;
            let mut rows = query.query([])?;
            let mut keys = HashMap::new();
            while let Some(row) = rows.next()? {
                let (key, sha256): ([u8; ContentKey::LEN], [u8; 32]) = (row.get(0)?, row.get(1)?);
                if matched.is_empty() || !matched.contains(&hex(&sha256)) {
                    keys.insert(bare(ContentKey(key)), sha256);
                }
            }
            Ok(keys)
        };
        let keys = read().map_err(|error| self.wrap(error))?;
        let wanted = keys.values().map(|sha256| (*sha256, Hits::default()));
        Ok((wanted.collect(), keys))
    }

    fn look_through(
        &self,
        input: &InputRow,
        keys: &HashMap<ContentKey, [u8; 32]>,
        wanted: &mut HashMap<[u8; 32], Hits>,
        places: &mut Vec<OpenPlace>,
    ) -> Result<(), CaseError> {
        let packages = self.packages_of(input)?;
        let mut by_folder: HashMap<(Vec<u8>, PublicBy), usize> = HashMap::new();
        let mut run = || -> rusqlite::Result<()> {
            let mut query = self.db.prepare(
                "SELECT unit.id, unit.path, unit.keys, coalesce(open_fact.is_archive, 0)
                 FROM unit LEFT JOIN open_fact ON open_fact.unit = unit.id
                 WHERE unit.input = ?1 ORDER BY unit.path",
            )?;
            let mut rows = query.query([input.id])?;
            while let Some(row) = rows.next()? {
                let unit: i64 = row.get(0)?;
                let path = row.get_ref(1)?.as_blob().unwrap_or_default();
                let is_archive: bool = row.get(3)?;
                let mut place = None;
                for key in keys_of(row.get_ref(2)?.as_blob().unwrap_or_default()) {
                    let Some(sha256) = keys.get(&bare(key)) else {
                        continue;
                    };
                    let place = *place.get_or_insert_with(|| {
                        let (folder, by) = open_place(unit, path, is_archive, &packages)?;
                        let at = by_folder.entry((folder.to_vec(), by)).or_insert_with(|| {
                            places.push(OpenPlace {
                                locator: locator_of(&input.label, folder).as_str().to_owned(),
                                by,
                            });
                            places.len() - 1
                        });
                        Some(*at)
                    });
                    if let Some(hits) = wanted.get_mut(sha256) {
                        hits.add(unit, place);
                    }
                }
            }
            Ok(())
        };
        run().map_err(|error| self.wrap(error))
    }

    fn packages_of(&self, input: &InputRow) -> Result<Packages, CaseError> {
        let mut packages = Packages::default();
        let mut run = || -> rusqlite::Result<()> {
            let mut query = self.db.prepare(
                "SELECT unit.id, unit.path, record.locator, record.json ->> 'declared_open'
                 FROM record JOIN unit ON unit.id = record.unit
                 WHERE record.type = 'package' AND unit.input = ?1",
            )?;
            let mut rows = query.query([input.id])?;
            while let Some(row) = rows.next()? {
                let path = row.get_ref(1)?.as_blob().unwrap_or_default();
                let locator = row.get_ref(2)?.as_str().unwrap_or_default();
                let is_open: bool = row.get(3)?;
                let of_unit = locator_of(&input.label, path);
                let inside = locator.strip_prefix(of_unit.as_str());
                if inside.is_some_and(|rest| rest.is_empty() || rest.starts_with("!/")) {
                    let held = packages
                        .archives
                        .entry(row.get(0)?)
                        .or_insert((false, true));
                    held.0 |= inside == Some("");
                    held.1 &= is_open;
                } else {
                    let folder = &path[..memchr::memrchr(b'/', path).unwrap_or(0)];
                    packages.folders.insert(folder.to_vec(), is_open);
                }
            }
            Ok(())
        };
        run().map_err(|error| self.wrap(error))?;
        Ok(packages)
    }

    /// Says of each own source where it is public; gives what that makes of their maps.
    fn tell_sources(
        &self,
        wanted: &HashMap<[u8; 32], Hits>,
        places: &[OpenPlace],
    ) -> Result<BTreeMap<String, OfMap>, CaseError> {
        let by_hex: HashMap<String, &Hits> = (wanted.iter())
            .map(|(sha256, hits)| (hex(sha256), hits))
            .collect();
        let licensed = self.stating_open()?;
        let mut maps: BTreeMap<String, OfMap> = BTreeMap::new();
        let mut found = Vec::new();
        let mut query = self
            .db
            .prepare(
                "SELECT id, unit, locator, json FROM record WHERE type = 'source' AND lines >= 0",
            )
            .map_err(|error| self.wrap(error))?;
        let mut rows = query.query([]).map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let read = || -> rusqlite::Result<(i64, Option<i64>, String, String)> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            };
            let (id, unit, locator, text) = read().map_err(|error| self.wrap(error))?;
            let Record::Source(source) = parse(&text)? else {
                continue;
            };
            // What a public set has was taken off when the map was placed.
            if source.party == Party::Third || source.public.is_some() {
                continue;
            }
            let of_map = maps.entry(source.map).or_default();
            of_map.own += 1;
            let hits = source.sha256.and_then(|sha256| by_hex.get(&sha256));
            let public = hits.and_then(|hits| publicity(hits, unit, &locator, places, &licensed));
            if let Some(public) = public {
                of_map.public += 1;
                // One more than is named says that there are more.
                if of_map.places.len() <= NAMED_MAX {
                    of_map.places.insert((public.place.clone(), public.by));
                }
                found.push((id, public));
            }
        }
        for (id, public) in found {
            self.amend(id, &serde_json::json!({ "public": public }))?;
        }
        maps.retain(|_, of_map| of_map.public > 0);
        Ok(maps)
    }

    /// Locators of contents that state an open licence and no other.
    fn stating_open(&self) -> Result<HashSet<String>, CaseError> {
        let read = || -> rusqlite::Result<HashMap<String, bool>> {
            let mut query = self.db.prepare(
                "SELECT locator, json ->> 'value' FROM record
                 WHERE type = 'item' AND json ->> 'kind' = 'licence'",
            )?;
            let mut rows = query.query([])?;
            let mut stated = HashMap::new();
            while let Some(row) = rows.next()? {
                let value = row.get_ref(1)?.as_str().unwrap_or_default();
                if let Some(is_open) = states_open(value) {
                    *stated.entry(row.get(0)?).or_insert(true) &= is_open;
                }
            }
            Ok(stated)
        };
        let stated = read().map_err(|error| self.wrap(error))?;
        let open = stated.into_iter().filter(|(_, is_open)| *is_open);
        Ok(open.map(|(locator, _)| locator).collect())
    }

    fn tell_exposures(&self, maps: &BTreeMap<String, OfMap>) -> Result<(), CaseError> {
        let read = || -> rusqlite::Result<Vec<(i64, String, String)>> {
            let mut query = self.db.prepare(
                "SELECT id, locator, json FROM record
                 WHERE type = 'exposure' AND json ->> 'class' IN (?1, ?2)",
            )?;
            let of_maps = query.query_map(OF_CONTENTS, |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            of_maps
                .filter(|row| {
                    row.as_ref()
                        .map_or(true, |(_, locator, _)| maps.contains_key(locator))
                })
                .collect()
        };
        for (id, locator, text) in read().map_err(|error| self.wrap(error))? {
            let (Some(of_map), Record::Exposure(exposure)) = (maps.get(&locator), parse(&text)?)
            else {
                continue;
            };
            // Its own package says so already: there is nothing to add.
            if exposure.severity > Severity::Info {
                self.amend(id, &told(&exposure, of_map))?;
            }
        }
        Ok(())
    }

    /// Lays fields over those of a record.
    fn amend(&self, record: i64, fields: &serde_json::Value) -> Result<(), CaseError> {
        let put = || -> rusqlite::Result<usize> {
            self.db
                .prepare_cached("INSERT OR REPLACE INTO amended VALUES (?1, ?2)")?
                .execute(params![record, json(fields)?])
        };
        put().map(drop).map_err(|error| self.wrap(error))
    }

    /// Whether a join gave an exposure another severity than it had when its unit was read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn has_other_severities(&self) -> Result<bool, CaseError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM amended WHERE json ->> 'severity' IS NOT NULL)";
        self.db
            .query_row(sql, [], |row| row.get(0))
            .map_err(|error| self.wrap(error))
    }
}

/// The key without the mark of containers.
fn bare(mut key: ContentKey) -> ContentKey {
    key.0[ContentKey::LEN - 1] &= !1;
    key
}

/// The place that speaks for a unit, where that declares itself open: the unit, or the folder of the package round it.
fn open_place<'p>(
    unit: i64,
    path: &'p [u8],
    is_archive: bool,
    packages: &Packages,
) -> Option<(&'p [u8], PublicBy)> {
    if let Some(&(is_whole, is_open)) = packages.archives.get(&unit) {
        return (is_whole && is_open).then_some((path, PublicBy::Package));
    }
    let is_store = path == b".git" || path.ends_with(b"/.git");
    if is_store {
        return Some((packages.open_folder(path)?, PublicBy::Repository));
    }
    if is_archive {
        return None;
    }
    Some((packages.open_folder(path)?, PublicBy::Package))
}

/// What says that a source is public.
fn publicity(
    hits: &Hits,
    unit: Option<i64>,
    locator: &str,
    places: &[OpenPlace],
    licensed: &HashSet<String>,
) -> Option<Public> {
    let elsewhere = hits.open.iter().find(|(other, _)| Some(*other) != unit);
    if let Some(place) = elsewhere.and_then(|(_, place)| places.get(*place)) {
        return Some(Public {
            place: place.locator.clone(),
            by: place.by,
        });
    }
    let is_elsewhere = hits.other.iter().any(|other| Some(*other) != unit);
    (is_elsewhere && licensed.contains(locator)).then(|| Public {
        place: locator.to_owned(),
        by: PublicBy::LicenceHeader,
    })
}

/// The fields of an exposure that change.
fn told(exposure: &Exposure, of_map: &OfMap) -> serde_json::Value {
    let named: Vec<&str> = (of_map.places.iter())
        .take(NAMED_MAX)
        .map(|(place, by)| match by {
            PublicBy::LicenceHeader => "other files, with an open licence stated in them",
            _ => place,
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let more = if of_map.places.len() > NAMED_MAX {
        " and elsewhere"
    } else {
        ""
    };
    let detail = format!(
        "{}; {} of {} own sources also stand in {}{more}, declared open",
        exposure.detail,
        of_map.public,
        of_map.own,
        named.join(", ")
    );
    if of_map.public == of_map.own {
        return serde_json::json!({ "severity": Severity::Info, "detail": detail });
    }
    serde_json::json!({ "detail": detail })
}
