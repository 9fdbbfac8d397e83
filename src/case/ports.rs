//! Suspected ports: what the contents of each root echo of works in other languages, put together.
//!
//! Contents and units keep their echoes (see [`ported`](crate::signature::ported)); here those of a root become one, and are
//! judged. A suspicion is a `match` of grade `ported` whose locator is the root and whose file is empty, since it speaks of
//! both as wholes: it has no ranges, no digest and no likelihood. Of several releases of a work the one is named that the
//! root echoes most. Where a public set is echoed as much as a work or more, that explains it, and nothing is told. A root
//! that is a copy of a work is not called a port of it as well: see [`copies`](super::copies).

use std::collections::BTreeMap;

use super::join::JoinInput;
use super::roots::Root;
use super::store::{Case, CaseError, unpacked};
use crate::record::{Basis, Copy, Grade, Match};
use crate::signature::ported::{Echoes, Originals, Ported};
use crate::signature::{Set, SetGroup};

/// Suspicions by root and work.
pub(super) type Ports<'r> = BTreeMap<(&'r str, String), Match>;

impl Case {
    /// What each root is suspected to be a port of.
    pub(super) fn suspected_ports<'r>(
        &self,
        input: &JoinInput,
        roots: &'r BTreeMap<String, Root>,
    ) -> Result<Ports<'r>, CaseError> {
        let mut ports = Ports::new();
        let mut originals = Originals::default();
        for (root, units) in self.echoing(roots)? {
            let mut echoes = Echoes::default();
            for unit in units {
                echoes.unite(self.echoes_of(unit)?);
            }
            let sets = input.placer.sets;
            for ported in told(sets, &echoes.judge(sets.sets(), &mut originals)) {
                let Some(set) = sets.sets().get(ported.set) else {
                    continue;
                };
                let mut found = match_of(set, &ported);
                root.clone_into(&mut found.locator);
                found.hops = roots[root].hops.clone();
                ports.insert((root, found.work.clone()), found);
            }
        }
        Ok(ports)
    }

    /// The roots that hold something that echoes a work, with the units that do.
    fn echoing<'r>(
        &self,
        roots: &'r BTreeMap<String, Root>,
    ) -> Result<BTreeMap<&'r str, Vec<i64>>, CaseError> {
        let read = || -> rusqlite::Result<Vec<i64>> {
            let mut query = self
                .db
                .prepare("SELECT DISTINCT unit FROM echo ORDER BY unit")?;
            query.query_map([], |row| row.get(0))?.collect()
        };
        let units = read().map_err(|error| self.wrap(error))?;
        let mut echoing: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        if units.is_empty() {
            return Ok(echoing);
        }
        // What an archive of several copies echoes is told of all of it.
        for (locator, root) in roots.iter().filter(|(_, root)| root.archive.is_none()) {
            let own = root.units.iter().copied();
            let own: Vec<i64> = own
                .filter(|unit| units.binary_search(unit).is_ok())
                .collect();
            if !own.is_empty() {
                echoing.insert(locator, own);
            }
        }
        Ok(echoing)
    }

    fn echoes_of(&self, unit: i64) -> Result<Echoes, CaseError> {
        let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
            let mut query = self
                .db
                .prepare_cached("SELECT echoes FROM echo WHERE unit = ?1")?;
            query.query_map([unit], |row| row.get(0))?.collect()
        };
        let mut echoes = Echoes::default();
        for stored in read().map_err(|error| self.wrap(error))? {
            echoes.unite(unpacked(&stored, &format!("echoes of unit {unit}"))?);
        }
        Ok(echoes)
    }
}

/// What is suspected: of each work the release that is echoed most, where no public set is echoed as much.
fn told(sets: &SetGroup, judged: &[Ported]) -> Vec<Ported> {
    let set_of = |ported: &Ported| sets.sets().get(ported.set);
    let is_public = |ported: &&Ported| set_of(ported).is_some_and(Set::is_public);
    let public = judged
        .iter()
        .filter(is_public)
        .map(|ported| ported.score)
        .fold(0.0, f64::max);
    let mut of_work: BTreeMap<&str, (&str, Ported)> = BTreeMap::new();
    for ported in judged {
        let Some(set) = set_of(ported).filter(|set| !set.is_public() && !set.is_baseline()) else {
            continue;
        };
        if !ported.is_suspected() || ported.score <= public {
            continue;
        }
        let is_nearer = |(release, held): &(&str, Ported)| {
            ported.score > held.score || (ported.score == held.score && set.release() < *release)
        };
        if of_work.get(set.work()).is_none_or(is_nearer) {
            of_work.insert(set.work(), (set.release(), *ported));
        }
    }
    of_work.into_values().map(|(_, ported)| ported).collect()
}

/// As the figures of matches are given: to four places.
fn rounded(figure: f64) -> f64 {
    (figure * 1e4).round() / 1e4
}

/// The record of a suspicion; the place is filled in by who knows it.
fn match_of(set: &Set, ported: &Ported) -> Match {
    Match {
        locator: String::new(),
        hops: crate::record::Hops::default(),
        sha256: None,
        work: set.work().to_owned(),
        release: set.release().to_owned(),
        file: String::new(),
        grade: Grade::Ported,
        basis: Basis::Content,
        score: rounded(ported.score_of_record()),
        log10_p: None,
        of_original: rounded(ported.of_original),
        of_target: rounded(ported.of_target),
        ranges: Vec::new(),
        written: None,
        git: None,
        image: None,
    }
}

/// The `suspect` of a root with no other match with the work. No file of it is there.
pub(super) fn suspect_of(found: &Match, set: &Set, class: &str) -> Copy {
    Copy {
        locator: found.locator.clone(),
        hops: found.hops.clone(),
        work: found.work.clone(),
        release: found.release.clone(),
        files_matched: 0,
        files_total: u64::from(set.first_party_files()),
        of_original: 0.0,
        grades: BTreeMap::from([(Grade::Ported.as_str().to_owned(), 1)]),
        basis: Basis::Content,
        class: class.to_owned(),
        ..Copy::default()
    }
}
