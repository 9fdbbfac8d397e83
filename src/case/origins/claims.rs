//! Which root each row of a list and each record of acquisition is about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::acquired::{Acquisition, AcquisitionList};
use super::list::{OriginList, Row};
use super::network::Networks;
use super::place::{Found, Places};
use super::{Hints, Odd, OriginsAsked};
use crate::case::store::CaseError;
use crate::exposure::Location;

/// What one row or record says of a root.
#[derive(Debug, Clone, Copy)]
pub(super) enum Claim<'l> {
    /// A row of the list; as a hint where only the clone itself says that it is this one.
    Listed(&'l Row, IsHint),
    /// A record of acquisition.
    Acquired(&'l Acquisition),
}

/// Whether a claim is found by what a copy says of itself.
pub(super) type IsHint = bool;

/// Everything that was said, by what it is about.
#[derive(Debug, Default)]
pub(super) struct Claims<'l> {
    pub(super) of_root: BTreeMap<String, Vec<Claim<'l>>>,
    /// Rows whose place is not in the input.
    pub(super) absent: Vec<&'l Row>,
    /// Records of what is not in the input.
    pub(super) unplaced: Vec<&'l Acquisition>,
    pub(super) networks: Networks,
    /// Name of the list, as it is quoted.
    pub(super) list: &'l str,
}

/// Whether anything of the input lies at an absolute path.
type IsThere<'a> = dyn Fn(&[u8]) -> Result<bool, CaseError> + 'a;

impl<'l> Claims<'l> {
    pub(super) fn of(
        asked: &'l OriginsAsked,
        places: &Places,
        hints: &Hints,
        digests: &HashMap<String, String>,
        is_there: &IsThere,
        odd: &mut Vec<Odd>,
    ) -> Result<Self, CaseError> {
        let mut claims = Self::default();
        let mut bare = Vec::new();
        if let Some(list) = &asked.list {
            claims.list = &list.file;
            let edges = list
                .rows
                .iter()
                .filter_map(|row| Some((row.url.as_ref()?, row.parent.as_ref()?)));
            claims.networks = Networks::of(edges);
            bare = claims.add_list(list, places, is_there, odd)?;
        }
        let roots_of = Roots::of(places, digests);
        for list in &asked.acquired {
            claims.add_acquired(list, places, &roots_of, odd);
        }
        claims.add_bare(bare, hints);
        Ok(claims)
    }

    /// Adds the rows with a path; gives the others.
    fn add_list(
        &mut self,
        list: &'l OriginList,
        places: &Places,
        is_there: &IsThere,
        odd: &mut Vec<Odd>,
    ) -> Result<Vec<&'l Row>, CaseError> {
        let mut bare = Vec::new();
        for row in &list.rows {
            let Some(path) = &row.path else {
                bare.push(row);
                continue;
            };
            let why = match places.find(path, &list.base) {
                Found::Root(root) => {
                    self.add(root, Claim::Listed(row, false));
                    continue;
                }
                Found::Within { root, path } if is_there(&path)? => format!(
                    "it is no root by itself, but part of {root}; where each thing in a folder is a copy, name the folder with --copies-root"
                ),
                Found::Several(roots) => format!(
                    "{roots} roots lie there; name one of them, or where each thing in a folder is a copy, the folder with --copies-root"
                ),
                Found::Within { .. } | Found::Elsewhere => {
                    self.absent.push(row);
                    continue;
                }
            };
            self.absent.push(row);
            odd.push((
                "origin-no-root",
                list.file.clone(),
                format!(
                    "line {}: {path}: {why}; it counts as not examined",
                    row.line
                ),
            ));
        }
        Ok(bare)
    }

    fn add(&mut self, root: String, claim: Claim<'l>) {
        self.of_root.entry(root).or_default().push(claim);
    }

    /// Adds records of acquisition: by path, by digest, by the address of a row, or by the name of a file.
    fn add_acquired(
        &mut self,
        list: &'l AcquisitionList,
        places: &Places,
        roots_of: &Roots,
        odd: &mut Vec<Odd>,
    ) {
        let by_address = self.by_address();
        let mut placed = 0;
        for row in &list.rows {
            let roots = self.roots_of_record(row, list, places, roots_of, &by_address);
            placed += roots.len();
            if roots.is_empty() && !row.is_captured {
                self.unplaced.push(row);
            }
            for root in roots {
                self.add(root, Claim::Acquired(row));
            }
        }
        if placed == 0 {
            odd.push((
                "acquisition-unmatched",
                list.file.clone(),
                format!(
                    "none of its {} records is about an input: no path, digest, address or file name agrees",
                    list.rows.len()
                ),
            ));
        }
    }

    fn roots_of_record(
        &self,
        row: &Acquisition,
        list: &AcquisitionList,
        places: &Places,
        roots_of: &Roots,
        by_address: &HashMap<String, BTreeSet<String>>,
    ) -> Vec<String> {
        if let Some(path) = &row.path {
            let found = places.find(path, &list.base);
            return match found {
                Found::Root(root) => vec![root],
                _ => Vec::new(),
            };
        }
        let digest = row.acquired.sha256.as_deref();
        if let Some(roots) = digest.and_then(|digest| roots_of.digest.get(digest)) {
            return roots.iter().cloned().collect();
        }
        let Some(url) = &row.url else {
            return Vec::new();
        };
        if let Some(roots) = by_address.get(&url.folded()) {
            return roots.iter().cloned().collect();
        }
        let name = file_name(url);
        let named = name.and_then(|name| roots_of.name.get(name));
        match named.map(|roots| (roots.len(), roots.first())) {
            Some((1, Some(root))) => vec![root.clone()],
            _ => Vec::new(),
        }
    }

    /// Roots by the addresses that were said of them so far.
    fn by_address(&self) -> HashMap<String, BTreeSet<String>> {
        let mut by_address: HashMap<String, BTreeSet<String>> = HashMap::new();
        for (root, claims) in &self.of_root {
            for location in claims.iter().filter_map(Claim::location) {
                let key = location.folded();
                by_address.entry(key).or_default().insert(root.clone());
            }
        }
        by_address
    }

    /// Adds the rows without a path.
    fn add_bare(&mut self, bare: Vec<&'l Row>, hints: &Hints) {
        let said = self.by_address();
        let mut by_remote: HashMap<String, BTreeSet<&str>> = HashMap::new();
        for root in hints.remotes.keys() {
            let is_said = self
                .of_root
                .get(root)
                .is_some_and(|claims| claims.iter().any(|claim| claim.location().is_some()));
            let remotes = hints.remotes_of(root);
            for (_, location) in remotes.iter().filter(|_| !is_said) {
                let key = location.folded();
                by_remote.entry(key).or_default().insert(root);
            }
        }
        for row in bare {
            let key = row.url.as_ref().map(|url| url.folded());
            let key = key.unwrap_or_default();
            if let Some(roots) = said.get(&key) {
                for root in roots {
                    self.add(root.clone(), Claim::Listed(row, false));
                }
                continue;
            }
            let roots = by_remote.get(&key);
            match roots.map(|roots| (roots.len(), roots.first())) {
                Some((1, Some(root))) => self.add((*root).to_owned(), Claim::Listed(row, true)),
                _ => self.absent.push(row),
            }
        }
    }
}

impl<'l> Claim<'l> {
    pub(super) fn location(&self) -> Option<&'l Location> {
        match self {
            Claim::Listed(row, _) => row.url.as_ref(),
            Claim::Acquired(row) => row.url.as_ref(),
        }
    }
}

/// Roots that are one file, by what tells them.
struct Roots {
    digest: HashMap<String, BTreeSet<String>>,
    name: HashMap<String, BTreeSet<String>>,
}

impl Roots {
    fn of(places: &Places, digests: &HashMap<String, String>) -> Self {
        let mut roots = Self {
            digest: HashMap::new(),
            name: HashMap::new(),
        };
        for (root, digest) in digests {
            let of_digest = roots.digest.entry(digest.clone()).or_default();
            of_digest.insert(root.clone());
            if let Some(name) = places.file_name(root) {
                roots.name.entry(name).or_default().insert(root.clone());
            }
        }
        roots
    }
}

/// The last part of an address's path, without its query.
fn file_name(url: &Location) -> Option<&str> {
    let path = url.key.split('?').next()?;
    let (_, name) = path.rsplit_once('/')?;
    (!name.is_empty()).then_some(name)
}
