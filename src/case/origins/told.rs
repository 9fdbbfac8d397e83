//! From what was said of each place to its `origin` records, with what contradicts them.

use std::collections::{BTreeMap, HashMap};

use super::acquired::Acquisition;
use super::claims::{Claim, Claims};
use super::list::Row;
use super::network::Networks;
use super::{Hints, Odd};
use crate::case::roots::Root;
use crate::case::store::CaseError;
use crate::exposure::Location;
use crate::record::{Acquired, Certainty, Hops, Origin, OriginBy};

/// What a root is told of where it comes from: its address, and how sure that is.
pub(super) type Told = BTreeMap<String, (Option<String>, Option<Certainty>)>;

/// Makes the records.
pub(super) struct Teller<'a> {
    pub(super) roots: &'a BTreeMap<String, Root>,
    pub(super) hints: &'a Hints,
    /// SHA-256, hex, of roots that are one file.
    pub(super) digests: &'a HashMap<String, String>,
}

/// Rows and a record that say one address.
#[derive(Default)]
struct Spoken<'l> {
    location: Option<&'l Location>,
    rows: Vec<&'l Row>,
    acquired: Option<&'l Acquisition>,
    /// Found by what the copy says of itself alone.
    is_hint: bool,
    against: Vec<String>,
}

impl<'l> Spoken<'l> {
    fn agrees(&self, location: Option<&Location>) -> bool {
        match (self.location, location) {
            (Some(held), Some(location)) => held.holds(location) || location.holds(held),
            _ => true,
        }
    }

    /// What said it, as it is quoted.
    fn from(&self, list: &str) -> String {
        match (self.rows.first(), self.acquired) {
            (Some(row), _) => format!("{list}:{}", row.line),
            (None, Some(acquired)) => acquired.from.clone(),
            (None, None) => String::new(),
        }
    }

    fn quoted(&self, list: &str) -> String {
        let url = self.location.map_or("", |location| &location.shown);
        format!("{} says {url}", self.from(list))
    }

    /// What a row says against itself, or the list against it.
    fn look_at_list(&mut self, list: &str, networks: &Networks) {
        let Some(location) = self.location else {
            return;
        };
        for row in &self.rows {
            let host = row
                .host
                .as_deref()
                .map(|host| host.trim_start_matches("www."));
            if let (Some(host), Some(of_url)) = (host, location.host.as_deref())
                && host != of_url
            {
                self.against.push(format!(
                    "{list}:{} names the host {host}, and its address {of_url}",
                    row.line
                ));
            }
        }
        let parents = networks.parents_of(location);
        if parents.len() > 1 {
            let parents: Vec<&str> = parents.iter().map(|place| place.shown.as_str()).collect();
            self.against.push(format!(
                "{list} names several parents: {}",
                parents.join(", ")
            ));
        }
        if networks.is_in_circle(location) {
            self.against
                .push(format!("{list}: its parents lead back to itself"));
        }
    }
}

impl Teller<'_> {
    /// Gives all records, and what is to be said of each root.
    pub(super) fn tell(
        &self,
        claims: &Claims,
        odd: &mut Vec<Odd>,
        give: &mut dyn FnMut(Origin) -> Result<(), CaseError>,
    ) -> Result<Told, CaseError> {
        let mut told = Told::new();
        for (locator, root) in self.roots {
            let of_root = claims.of_root.get(locator).map_or(&[][..], Vec::as_slice);
            let origins = self.origins_of(locator, root, of_root, claims, odd);
            if origins.is_empty() {
                continue;
            }
            tell_odd(&origins, locator, odd);
            told.insert(locator.clone(), told_of(&origins));
            origins.into_iter().try_for_each(&mut *give)?;
        }
        for origin in absent(claims) {
            tell_odd(std::slice::from_ref(&origin), claims.list, odd);
            give(origin)?;
        }
        for row in &claims.unplaced {
            let spoken = Spoken {
                location: row.url.as_ref(),
                acquired: Some(row),
                ..Spoken::default()
            };
            give(origin_of(&spoken, "", &Hops::default(), claims, None))?;
        }
        Ok(told)
    }

    fn origins_of(
        &self,
        locator: &str,
        root: &Root,
        claims: &[Claim],
        all: &Claims,
        odd: &mut Vec<Odd>,
    ) -> Vec<Origin> {
        let mut spoken = spoken_of(claims);
        for held in &mut spoken {
            held.look_at_list(all.list, &all.networks);
        }
        for index in 0..spoken.len() {
            let others = spoken
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index);
            let against: Vec<String> = others
                .filter(|(_, other)| {
                    spoken
                        .get(index)
                        .is_some_and(|held| !held.agrees(other.location))
                })
                .map(|(_, other)| other.quoted(all.list))
                .collect();
            if let Some(held) = spoken.get_mut(index) {
                held.against.extend(against);
            }
        }
        let remotes = self.hints.remotes_of(locator);
        let mut hints = Vec::new();
        let is_said = spoken.iter().any(|held| held.location.is_some());
        for held in &mut spoken {
            let Some(_) = held.location else { continue };
            let is_other = |(_, url): &(String, Location)| !held.agrees(Some(url));
            if !remotes.is_empty() && remotes.iter().all(is_other) {
                let said = remotes
                    .iter()
                    .map(|(name, url)| format!("the clone's own remote {name} says {}", url.shown));
                held.against.extend(said);
            }
        }
        let said: Vec<String> = spoken
            .iter()
            .filter(|held| held.location.is_some())
            .map(|held| held.quoted(all.list))
            .collect();
        let is_against = |url: &Location| spoken.iter().all(|held| !held.agrees(Some(url)));
        for (_, url) in remotes {
            if !is_said {
                hints.push(hint_of(locator, root, url, OriginBy::GitRemote, Vec::new()));
            } else if is_against(url) {
                hints.push(hint_of(
                    locator,
                    root,
                    url,
                    OriginBy::GitRemote,
                    said.clone(),
                ));
            }
        }
        if !is_said
            && remotes.is_empty()
            && let Some(url) = self.hints.repositories.get(locator)
        {
            hints.push(hint_of(
                locator,
                root,
                url,
                OriginBy::PackageMetadata,
                Vec::new(),
            ));
        }
        let digest = self.digests.get(locator).map(String::as_str);
        let mut origins: Vec<Origin> = spoken
            .iter()
            .map(|held| origin_of(held, locator, &root.hops, all, digest))
            .collect();
        for (origin, held) in origins.iter_mut().zip(&spoken) {
            let agrees = origin.acquired.as_ref().and_then(|it| it.sha256_agrees);
            if agrees == Some(false) {
                let from = held.acquired.map_or("", |acquired| &acquired.from);
                let detail = format!("{from} states another SHA-256 than the input has");
                origin.contradicted_by.push(detail.clone());
                origin.certainty = Certainty::Hint;
                odd.push(("acquisition-digest", locator.to_owned(), detail));
            }
        }
        origins.extend(hints);
        origins
    }
}

/// Puts together what says the same address: rows first, then records.
fn spoken_of<'l>(claims: &[Claim<'l>]) -> Vec<Spoken<'l>> {
    let mut spoken: Vec<Spoken> = Vec::new();
    for claim in claims {
        let Claim::Listed(row, is_hint) = claim else {
            continue;
        };
        let url = row.url.as_ref();
        match spoken.iter_mut().find(|held| held.agrees(url)) {
            Some(held) => {
                held.location = held.location.or(url);
                held.rows.push(row);
                held.is_hint &= is_hint;
            }
            None => spoken.push(Spoken {
                location: url,
                rows: vec![row],
                is_hint: *is_hint,
                ..Spoken::default()
            }),
        }
    }
    for claim in claims {
        let Claim::Acquired(row) = claim else {
            continue;
        };
        let url = row.url.as_ref();
        let is_free = |held: &&mut Spoken| held.acquired.is_none() && held.agrees(url);
        match spoken.iter_mut().find(is_free) {
            Some(held) => {
                held.location = held.location.or(url);
                held.acquired = Some(row);
                held.is_hint &= url.is_none();
            }
            None => spoken.push(Spoken {
                location: url,
                acquired: Some(row),
                ..Spoken::default()
            }),
        }
    }
    spoken
}

/// The record of what was said; `digest` is the SHA-256 of the input where it is one file.
fn origin_of(
    spoken: &Spoken,
    locator: &str,
    hops: &Hops,
    claims: &Claims,
    digest: Option<&str>,
) -> Origin {
    let of_rows = |get: fn(&Row) -> Option<&String>| {
        let found = spoken.rows.iter().find_map(|row| get(row));
        found.cloned()
    };
    let acquired = spoken.acquired.map(|row| Acquired {
        sha256_agrees: (row.acquired.sha256.as_deref().zip(digest))
            .map(|(stated, digest)| stated == digest),
        ..row.acquired.clone()
    });
    let parent = spoken.rows.iter().find_map(|row| row.parent.as_ref());
    let network = spoken.location.and_then(|url| claims.networks.name_of(url));
    let is_sure = !spoken.is_hint && spoken.against.is_empty();
    Origin {
        locator: locator.to_owned(),
        hops: hops.clone(),
        path: of_rows(|row| row.path.as_ref())
            .or_else(|| spoken.acquired.and_then(|row| row.path.clone())),
        url: spoken.location.map(|url| url.shown.clone()),
        host: of_rows(|row| row.host.as_ref())
            .or_else(|| spoken.location.and_then(|url| url.host.clone())),
        parent: parent.map(|place| place.shown.clone()),
        network: network.map(str::to_owned),
        seen_at: spoken
            .rows
            .iter()
            .filter_map(|row| row.seen_at.clone())
            .min(),
        present: !locator.is_empty(),
        listed: !spoken.rows.is_empty(),
        by: if spoken.rows.is_empty() {
            OriginBy::Acquisition
        } else {
            OriginBy::Origins
        },
        certainty: if is_sure {
            Certainty::Proven
        } else {
            Certainty::Hint
        },
        acquired,
        contradicted_by: spoken.against.clone(),
    }
}

/// The record of what a root says of itself.
fn hint_of(
    locator: &str,
    root: &Root,
    url: &Location,
    by: OriginBy,
    contradicted_by: Vec<String>,
) -> Origin {
    let said = Origin::said(locator, root.hops.clone(), &url.shown, by, Certainty::Hint);
    Origin {
        host: url.host.clone(),
        contradicted_by,
        ..said
    }
}

/// The places of the list that are not in the input; rows that say the same are one.
fn absent<'l>(claims: &'l Claims<'l>) -> impl Iterator<Item = Origin> + 'l {
    let mut places: BTreeMap<(Option<&str>, Option<&str>), Vec<&Row>> = BTreeMap::new();
    for row in &claims.absent {
        let key = row.url.as_ref().map(|url| url.key.as_str());
        let place = places.entry((key, row.path.as_deref())).or_default();
        place.push(row);
    }
    places.into_values().map(|rows| {
        let mut spoken = Spoken {
            location: rows.first().and_then(|row| row.url.as_ref()),
            rows,
            ..Spoken::default()
        };
        spoken.look_at_list(claims.list, &claims.networks);
        origin_of(&spoken, "", &Hops::default(), claims, None)
    })
}

/// Where a root comes from: what was written down, where that is one address; else the remote of a clone, where that is.
/// What its package names is left out: a copy of a package names the original's repository, and that is where nobody should
/// send anybody.
fn told_of(origins: &[Origin]) -> (Option<String>, Option<Certainty>) {
    let recorded = |origin: &&Origin| {
        origin.url.is_some() && matches!(origin.by, OriginBy::Origins | OriginBy::Acquisition)
    };
    let written: Vec<&Origin> = origins.iter().filter(recorded).collect();
    let said: Vec<&Origin> = if written.is_empty() {
        origins
            .iter()
            .filter(|origin| origin.url.is_some() && origin.by == OriginBy::GitRemote)
            .collect()
    } else {
        written
    };
    let location = |origin: &Origin| origin.url.as_deref().and_then(Location::read);
    let Some((first, at)) = said
        .first()
        .and_then(|first| Some((*first, location(first)?)))
    else {
        return (None, None);
    };
    let is_one = said
        .iter()
        .all(|origin| location(origin).is_some_and(|other| at.holds(&other) || other.holds(&at)));
    if !is_one {
        return (None, None);
    }
    let is_sure = said
        .iter()
        .all(|origin| origin.certainty == Certainty::Proven);
    let certainty = if is_sure {
        Certainty::Proven
    } else {
        Certainty::Hint
    };
    (first.url.clone(), Some(certainty))
}

/// One problem for each place that is contradicted.
fn tell_odd(origins: &[Origin], locator: &str, odd: &mut Vec<Odd>) {
    let mut said: Vec<&str> = origins
        .iter()
        .flat_map(|origin| &origin.contradicted_by)
        .map(String::as_str)
        .collect();
    said.sort_unstable();
    said.dedup();
    if said.is_empty() {
        return;
    }
    let urls = origins.iter().filter_map(|origin| origin.url.as_deref());
    let about = urls.take(1).next().unwrap_or_default();
    odd.push((
        "origin-contradiction",
        locator.to_owned(),
        format!(
            "where this comes from is contradicted, so nothing is taken for proven ({about}): {}",
            said.join("; ")
        ),
    ));
}
