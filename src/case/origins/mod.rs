//! Where copies come from, and which places there are beside them.
//!
//! A copy that lies in a folder here was got somewhere. Three things say where: a record of how it was acquired, the
//! user's list of places, and the copy itself: the remotes of a clone, the repository that a package names. The first two
//! are written down by people and count as proven; what a copy says of itself is a hint, since whoever made the copy
//! wrote it. The list also names places that nobody has fetched: these are kept too, since what may be said of all copies
//! depends on how many were never seen.
//!
//! Each root with an origin has an `origin` record, and so has each place of the list that is not in the input. Where two
//! contradict each other nothing is guessed: both are kept, each says what contradicts it, and neither is proven.
//!
//! A row without a path belongs to the root that a record or another row puts at that address, or else to the one clone
//! whose own remote says so, as a hint. Any other row without a path, or whose path is not in the input, is a place that was
//! not examined.
//!
//! Left out: remotes of clones that are packed in an archive, and addresses that are one place under two hosts.

mod acquired;
mod claims;
mod command;
mod list;
mod network;
mod place;
mod told;
mod warc;

use std::collections::{BTreeMap, HashMap};

use rusqlite::params;

use self::claims::Claims;
use self::place::Places;
use super::join::JoinInput;
use super::roots::{CopiesRoot, Root};
use super::store::{Case, CaseError};
use crate::blob::digest::hex;
use crate::blob::url::without_passwords;
use crate::exposure::Location;
use crate::record::{Hops, Problem, Record, RunOrigins};

pub use self::acquired::AcquisitionList;
pub use self::list::{OriginList, OriginsError};
pub(super) use self::place::normal;

/// Problems of one code that are told one by one; the rest is counted.
const PROBLEMS_MAX: usize = 1_000;

/// What the user says of where copies come from.
#[derive(Debug, Default)]
pub struct OriginsAsked {
    /// The list of places.
    pub list: Option<OriginList>,
    /// Records of how inputs were acquired.
    pub acquired: Vec<AcquisitionList>,
    /// Folders of which each thing directly in them is one root.
    pub copies_roots: Vec<CopiesRoot>,
}

impl OriginsAsked {
    fn says_something(&self) -> bool {
        self.list.is_some() || !self.acquired.is_empty()
    }

    /// What the `run` record says of it.
    pub fn of_run(&self) -> Option<Box<RunOrigins>> {
        let said = self.says_something() || !self.copies_roots.is_empty();
        said.then(|| {
            Box::new(RunOrigins {
                list: self.list.as_ref().map(|list| list.digest().to_owned()),
                acquisitions: (self.acquired.iter())
                    .map(|list| list.digest().to_owned())
                    .collect(),
                copies_roots: self.copies_roots.iter().map(CopiesRoot::locator).collect(),
            })
        })
    }
}

/// What roots say of themselves, by locator.
#[derive(Debug, Default)]
struct Hints {
    /// Names and addresses of remotes.
    remotes: BTreeMap<String, Vec<(String, Location)>>,
    /// The repository that the root's own package names.
    repositories: BTreeMap<String, Location>,
}

impl Hints {
    /// The remotes that say where a clone comes from: the one called `origin`, else all.
    fn remotes_of(&self, root: &str) -> &[(String, Location)] {
        let all = self.remotes.get(root).map_or(&[][..], Vec::as_slice);
        let origin = all.iter().position(|(name, _)| name == "origin");
        match origin {
            Some(at) => all.get(at..=at).unwrap_or_default(),
            None => all,
        }
    }
}

/// Something odd about what was said: code, locator, what.
type Odd = (&'static str, String, String);

impl Case {
    /// Gives the `origin` rows, and tells each root where it comes from.
    pub(super) fn find_origins(
        &self,
        input: &JoinInput,
        roots: &mut BTreeMap<String, Root>,
    ) -> Result<(), CaseError> {
        let asked = input.origins;
        let sets = input.placer.sets.sets();
        let looks = sets
            .iter()
            .any(|set| !set.is_public() && !set.is_baseline());
        // A mirror of packages names a million repositories; without a word on copies nobody asks for them.
        if !asked.says_something() && !looks {
            return Ok(());
        }
        let inputs = self.input_paths()?;
        let digests = if asked.acquired.is_empty() {
            HashMap::new()
        } else {
            self.digests_of(roots)?
        };
        let hints = Hints {
            remotes: self.remotes(roots)?,
            repositories: self.repositories(roots)?,
        };
        let mut odd: Vec<Odd> = Vec::new();
        let claims = {
            let places = Places::of(roots, &inputs);
            let is_there = |path: &[u8]| self.has_units_at(&inputs, path);
            Claims::of(asked, &places, &hints, &digests, &is_there, &mut odd)?
        };
        let told = told::Teller {
            roots,
            hints: &hints,
            digests: &digests,
        }
        .tell(&claims, &mut odd, &mut |origin| {
            self.put_joined(Record::from(origin))
        })?;
        for (root, (url, location)) in told {
            if let Some(root) = roots.get_mut(&root) {
                (root.url, root.location) = (url, location);
            }
        }
        // What lies in an archive was got with it, unless somebody says more.
        let archives = roots.iter().filter(|(_, root)| root.is_several);
        let archives: BTreeMap<String, _> = archives
            .map(|(locator, root)| (locator.clone(), (root.url.clone(), root.location)))
            .collect();
        for root in roots.values_mut().filter(|root| root.url.is_none()) {
            let archive = root.archive.as_ref();
            if let Some(got) = archive.and_then(|archive| archives.get(archive)) {
                (root.url, root.location) = got.clone();
            }
        }
        self.tell_odd(odd)
    }

    /// Labels and absolute paths of the inputs, by number.
    fn input_paths(&self) -> Result<BTreeMap<i64, (String, Vec<u8>)>, CaseError> {
        let read = || -> rusqlite::Result<BTreeMap<i64, (String, Vec<u8>)>> {
            let mut query = self.db.prepare("SELECT id, label, path FROM input")?;
            query
                .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
                .collect()
        };
        let mut paths = read().map_err(|error| self.wrap(error))?;
        for (_, path) in paths.values_mut() {
            *path = normal(path);
        }
        Ok(paths)
    }

    /// Whether anything of the input lies at an absolute path.
    fn has_units_at(
        &self,
        inputs: &BTreeMap<i64, (String, Vec<u8>)>,
        path: &[u8],
    ) -> Result<bool, CaseError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM unit WHERE input = ?1 AND path = ?2)
                       OR EXISTS (SELECT 1 FROM unit WHERE input = ?1 AND path > ?3 AND path < ?4)";
        for (id, (_, input)) in inputs {
            let below = path
                .strip_prefix(input.as_slice())
                .and_then(|rest| rest.strip_prefix(b"/"));
            let Some(below) = below else { continue };
            let bounds = ([below, b"/"].concat(), [below, b"0"].concat());
            let found = self.db.prepare_cached(sql).and_then(|mut query| {
                query.query_row(params![id, below, bounds.0, bounds.1], |row| row.get(0))
            });
            if found.map_err(|error| self.wrap(error))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// SHA-256, hex, of each root that is one file.
    fn digests_of(
        &self,
        roots: &BTreeMap<String, Root>,
    ) -> Result<HashMap<String, String>, CaseError> {
        let mut digests = HashMap::new();
        let mut query = self
            .db
            .prepare("SELECT sha256 FROM unit WHERE id = ?1 AND path = ?2")
            .map_err(|error| self.wrap(error))?;
        for (locator, root) in roots {
            let (Some(unit), 1) = (root.units.first(), root.units.len()) else {
                continue;
            };
            let mut rows = query
                .query(params![unit, root.folder])
                .map_err(|error| self.wrap(error))?;
            let row = rows.next().map_err(|error| self.wrap(error))?;
            let digest: Option<[u8; 32]> = row
                .map_or(Ok(None), |row| row.get(0))
                .map_err(|error| self.wrap(error))?;
            digests.extend(digest.map(|digest| (locator.clone(), hex(&digest))));
        }
        Ok(digests)
    }

    /// Remotes of the clones among the roots.
    fn remotes(
        &self,
        roots: &BTreeMap<String, Root>,
    ) -> Result<BTreeMap<String, Vec<(String, Location)>>, CaseError> {
        let read = || -> rusqlite::Result<BTreeMap<i64, String>> {
            let sql =
                "SELECT id, tally -> '$.remotes' FROM unit WHERE tally -> '$.remotes' IS NOT NULL";
            let mut query = self.db.prepare(sql)?;
            query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let of_unit = read().map_err(|error| self.wrap(error))?;
        let mut of_root = BTreeMap::new();
        if of_unit.is_empty() {
            return Ok(of_root);
        }
        for (locator, root) in roots.iter().filter(|(_, root)| root.archive.is_none()) {
            let mut own = root.units.iter().filter_map(|unit| of_unit.get(unit));
            // Where several clones are one root, none of them speaks for it.
            let (Some(text), None) = (own.next(), own.next()) else {
                continue;
            };
            let remotes: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
            let remotes: Vec<_> = remotes
                .into_iter()
                .filter_map(|(name, url)| Some((name, Location::read(&url)?)))
                // A path on somebody's machine is no place.
                .filter(|(_, location)| location.host.is_some())
                .collect();
            if !remotes.is_empty() {
                of_root.insert(locator.clone(), remotes);
            }
        }
        Ok(of_root)
    }

    /// Repositories that packages name which are roots themselves.
    fn repositories(
        &self,
        roots: &BTreeMap<String, Root>,
    ) -> Result<BTreeMap<String, Location>, CaseError> {
        let mut found = BTreeMap::new();
        let mut read = || -> rusqlite::Result<()> {
            let sql = "SELECT locator, json ->> 'repository' FROM record
                       WHERE type = 'package' AND json ->> 'repository' IS NOT NULL ORDER BY locator";
            let mut query = self.db.prepare(sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let locator = row.get_ref(0)?.as_str().unwrap_or_default();
                let url = row.get_ref(1)?.as_str().unwrap_or_default();
                if let (true, Some(url)) = (roots.contains_key(locator), Location::read(url)) {
                    found.insert(locator.to_owned(), url);
                }
            }
            Ok(())
        };
        read().map_err(|error| self.wrap(error))?;
        Ok(found)
    }

    /// Gives the problems, so many of each code.
    fn tell_odd(&self, mut odd: Vec<Odd>) -> Result<(), CaseError> {
        odd.sort();
        for of_code in odd.chunk_by(|a, b| a.0 == b.0) {
            let more = of_code.len().saturating_sub(PROBLEMS_MAX);
            let told = of_code.iter().take(PROBLEMS_MAX).cloned();
            let rest = of_code.first().filter(|_| more > 0).map(|(code, ..)| {
                let detail = format!(
                    "{more} more of these are not told one by one; `origin` records have them all"
                );
                (*code, String::new(), detail)
            });
            for (code, locator, detail) in told.chain(rest) {
                self.put_joined(Record::Problem(Problem {
                    code: code.to_owned(),
                    locator,
                    hops: Hops::default(),
                    detail: without_passwords(&detail).into_owned(),
                    bytes_unread: None,
                }))?;
            }
        }
        Ok(())
    }
}
