//! Which places are claimed, and what of each: the rows of a notice.
//!
//! A row is a claim under penalty of perjury by whoever signs. So a place is in only if where it lies was recorded, and not
//! merely said by the place itself; if a person confirmed the row as it is now; and if bytes of it were read that are the
//! work's and not public. Whatever else is known of the host is listed with the reason why it is out ([`LeftOut`]), or goes
//! another way ([`Routed`]).
//!
//! Files are counted in two ways, and both are said: files of the work that match (those that the copy's record counts), and
//! files at the place that match them. Of a file that lies there and in the store of its clone, one row is made, with the
//! commit that the store says.

mod choose;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::gather::Gather;
use super::hosts::{Host, Hosts};
use crate::case::{Reviews, copy_id};
use crate::copies::lineage::plain;
use crate::record::{Certainty, Copy, Grade, Match, Origin};
use choose::Chooser;

/// Stretches of lines that a row names; the rest is counted.
const STRETCHES_SHOWN: usize = 12;
/// Files that stand for the rest where an entire place is named.
const SAMPLE: usize = 10;
/// Classes that no notice claims by itself.
pub(in crate::report) const FOR_EXPERTS: [&str; 4] = ["derived", "ported", "names-only", "hinted"];

/// What is asked for.
#[derive(Debug, Clone)]
pub struct What<'a> {
    /// The host.
    pub host: &'a Host,
    /// All hosts, so that an address of another one is known.
    pub hosts: &'a Hosts,
    /// Host names that stand for it; empty: its own.
    pub at: &'a [String],
    /// Rows that nobody confirmed are in as well.
    pub unreviewed: bool,
    /// Grades that are claimed beside those that make a copy.
    pub include: &'a [Grade],
    /// Only these rows, by id; null for all.
    pub only: Option<&'a BTreeSet<String>>,
}

/// Why a case cannot say what is the vendor's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unowned {
    /// What is missing, in words.
    pub missing: Vec<&'static str>,
}

/// Something that is not in a notice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOut {
    /// The row's id.
    pub id: String,
    /// The place.
    pub locator: String,
    /// Its address, where one is known.
    pub url: Option<String>,
    /// Its class.
    pub class: String,
    /// Why it is out.
    pub reason: String,
}

/// Something that goes another way than a notice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Routed {
    /// Address of the place.
    pub url: String,
    /// Path and line in it, or empty.
    pub path: String,
    /// What it is.
    pub what: String,
}

/// A file at a place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileRow {
    /// Id of the match.
    pub id: String,
    /// Path below the root of the place, escaped as locators are.
    pub path: String,
    /// Address of the file at its commit, with the first stretch of lines; null where there is none.
    pub permalink: Option<String>,
    /// What stands for it in a notice: the address, or the path with the digest.
    pub address: String,
    /// The commit.
    pub commit: Option<String>,
    /// Lines that correspond, as `12-40, 77`.
    pub lines: String,
    /// The grade.
    pub grade: Grade,
    /// File of the work.
    pub original: String,
    /// Further files of the work that it matches.
    pub also: u64,
    /// Share of the original that is there, 0 to 1.
    pub of_original: f64,
    /// Share of the file that it makes up, 0 to 1.
    pub of_target: f64,
    /// Bytes of it that correspond.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Option<String>,
    /// Where it stands, where a visitor does not see it; else empty.
    pub standing_words: &'static str,
    #[serde(skip)]
    depth: u8,
    #[serde(skip)]
    is_laid_out: bool,
}

/// A place that is claimed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// Id of the row.
    pub id: String,
    /// The root.
    pub locator: String,
    /// Address of the repository or package.
    pub url: String,
    /// Root of its fork network, as recorded.
    pub network: Option<String>,
    /// It is that root.
    pub is_network_root: bool,
    /// What it was forked from, as recorded.
    pub parent: Option<String>,
    /// When it was seen there.
    pub seen_at: Option<String>,
    /// What kind of copy.
    pub class: String,
    /// The work.
    pub work: String,
    /// Its release.
    pub release: String,
    /// Files of the work that match, without those rejected.
    pub files_of_work: u64,
    /// Files of the work that are nowhere public.
    pub files_total: u64,
    /// Share of their bytes; null where files were rejected.
    pub of_original: Option<f64>,
    /// Files of the work by grade, in words.
    pub grades: String,
    /// Files here that match.
    pub files_here: u64,
    /// Bytes of them that correspond.
    pub bytes_here: u64,
    /// Files here that match nothing; null where they were not counted.
    pub unmatched_files: Option<u64>,
    /// Files here that match what is public.
    pub public_files: Option<u64>,
    /// What else lies here, in words.
    pub unmatched_words: String,
    /// Share of the files here that match; null where the others were not counted.
    pub share_files: Option<f64>,
    /// Share of the bytes.
    pub share_bytes: Option<f64>,
    /// The shares are what an entire place is proposed for.
    pub is_entire: bool,
    /// At which commit, or what else holds it fast, in words.
    pub pinned: String,
    /// A visitor does not see it.
    pub history_only: bool,
    /// Where it stands, in words.
    pub standing_words: &'static str,
    /// Licence files with what they say.
    pub licences: Vec<String>,
    /// Files whose licence or copyright header is gone.
    pub headers_removed: u64,
    /// By whom it was confirmed, in words.
    pub reviewed: String,
    /// A person confirmed it.
    pub is_reviewed: bool,
    /// That person says that fair use was considered.
    pub fair_use_considered: Option<bool>,
    /// What contradicts its address.
    pub contradicted_by: Vec<String>,
    /// What it says of itself that would make it the vendor's own.
    pub claims_own: Option<String>,
    /// Files rejected one by one.
    pub rejected_files: u64,
    /// The files.
    pub files: Vec<FileRow>,
    /// The first of them.
    pub sample: Vec<FileRow>,
}

/// What is said of a place that was looked at on the host and is no claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Exclusions {
    /// Places that hold only what is public.
    pub own_public: u64,
    /// Places that do not match.
    pub unrelated: u64,
    /// Places that were rejected.
    pub rejected_places: u64,
}

/// What is said of the places of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkCounts {
    /// Places of it that are in the input.
    pub looked_at: u64,
    /// Of those, places that hold only what is public.
    pub own_public: u64,
    /// Places of the list that are not in the input.
    pub absent: u64,
    /// Its root holds only what is public.
    pub root_is_public: bool,
}

/// A claimed place, and a place that is not.
#[derive(Debug)]
pub enum Chosen {
    /// Claimed.
    In(Box<Item>),
    /// Left out.
    Out(LeftOut),
    /// For an expert.
    Expert(LeftOut),
    /// The vendor's own package.
    Own(Routed),
}

/// What is claimed of a host, and what is not.
#[derive(Debug, Default)]
pub struct Selection {
    /// Claimed, in order: roots of networks first, then those that hold most.
    pub items: Vec<Item>,
    /// Left out, with reasons.
    pub left_out: Vec<LeftOut>,
    /// To be looked at by an expert.
    pub expert: Vec<LeftOut>,
    /// The vendor's own packages.
    pub own: Vec<Routed>,
    /// Secrets in claimed places.
    pub secrets: Vec<Routed>,
    /// Signs of tampering in claimed places.
    pub abuse: Vec<Routed>,
    /// What is not claimed, in figures.
    pub exclusions: Exclusions,
    /// By network.
    pub networks: BTreeMap<String, NetworkCounts>,
    /// All host names with a recorded copy.
    pub hosts_seen: BTreeMap<String, u64>,
}

impl What<'_> {
    /// Whether an address is on the host by its name.
    fn is_at(&self, host: Option<&str>) -> bool {
        let names = if self.at.is_empty() {
            &self.host.names
        } else {
            self.at
        };
        host.is_some_and(|host| names.iter().any(|name| name == host))
    }

    fn is_told_by_package(&self) -> bool {
        self.at.is_empty() && self.host.names.is_empty() && !self.host.ecosystems.is_empty()
    }

    /// Whether a root may be on the host, as far as its address says.
    pub(super) fn may_be_on(&self, gather: &Gather, root: &str) -> bool {
        let Some(origin) = gather.origins.get(root) else {
            return false;
        };
        let host = origin.host.as_deref();
        if !self.is_told_by_package() {
            return self.is_at(host);
        }
        let path = origin.url.as_deref().and_then(|url| url.split_once("://"));
        let has_form = |part: &String| path.is_some_and(|(_, path)| path.contains(part.as_str()));
        !host.is_some_and(|host| self.hosts.has_name(host))
            && self.host.address.iter().any(has_form)
    }

    /// Whether it is, by what lies there too.
    fn is_on(&self, gather: &Gather, root: &str) -> bool {
        if !self.may_be_on(gather, root) || !self.is_told_by_package() {
            return self.may_be_on(gather, root);
        }
        let has_image = || {
            let of_root = |((of, _), found): (&(String, String), &Vec<Match>)| {
                of == root && found.iter().any(|found| found.image.is_some())
            };
            self.host.ecosystems.iter().any(|kind| kind == "image")
                && gather.matches.iter().any(of_root)
        };
        let package = gather.packages.get(root);
        // No record says what is in a wheel; its name does, and the address that a person recorded.
        let name = root.to_ascii_lowercase();
        let has_ending = || {
            let mut endings = self.host.endings.iter();
            endings.any(|ending| name.ends_with(ending.as_str()))
        };
        match package {
            Some(package) => self.host.ecosystems.contains(&package.ecosystem),
            None => has_ending() || has_image(),
        }
    }
}

impl Selection {
    /// Refuses a case that cannot tell what is the vendor's own.
    ///
    /// # Errors
    /// What is missing.
    pub fn check_owner(gather: &Gather) -> Result<(), Unowned> {
        let run = gather.run.as_ref();
        let mut missing = Vec::new();
        if run.is_none_or(|run| run.organisation.is_none()) {
            missing.push("no organisation profile was given (`scan --org FILE`)");
        }
        if !run.is_some_and(|run| run.sets.iter().any(|set| set.role == "public")) {
            missing.push(
                "no set of what the vendor has published was given (`sign --public`, then `scan --signatures`)",
            );
        }
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Unowned { missing })
        }
    }

    /// Chooses. `archive` gives the SHA-256 of the archive that a match at a locator was read from.
    #[must_use]
    pub fn of(
        gather: &Gather,
        reviews: &Reviews,
        what: &What,
        archive: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let mut out = Self::default();
        for ((root, work), (copy, is_suspect)) in &gather.places {
            if !gather.is_claimable(work) {
                continue;
            }
            let origin = gather.origins.get(root);
            out.note_host(origin, copy);
            if what.only.is_some_and(|only| !only.contains(&copy_id(copy))) {
                continue;
            }
            let chooser = Chooser {
                gather,
                reviews,
                what,
                archive,
            };
            match chooser.choose(copy, *is_suspect, origin) {
                Some(Chosen::In(item)) => {
                    out.route(gather, &item);
                    out.items.push(*item);
                }
                Some(Chosen::Out(row)) => out.left_out.push(row),
                Some(Chosen::Expert(row)) => out.expert.push(row),
                Some(Chosen::Own(row)) => out.own.push(row),
                None => {}
            }
        }
        let rejected = |row: &&LeftOut| row.reason.starts_with(REJECTED);
        out.exclusions.rejected_places = count(out.left_out.iter().filter(rejected).count());
        out.count_places(gather, what);
        // Stable and total: shares first, addresses where shares agree.
        out.items.sort_by(|a, b| {
            b.is_network_root
                .cmp(&a.is_network_root)
                .then(share_key(b).cmp(&share_key(a)))
                .then_with(|| (&a.url, &a.id).cmp(&(&b.url, &b.id)))
        });
        for rows in [&mut out.secrets, &mut out.abuse, &mut out.own] {
            rows.sort();
            rows.dedup();
        }
        out
    }

    /// The rows of an earlier notice that are no longer claimed: rejected since, gone from the case, or (but for a retraction)
    /// left out for another reason.
    #[must_use]
    pub fn dropped_of(&self, rows: &[String], is_retraction: bool) -> Vec<LeftOut> {
        let there = self.left_out.iter().chain(&self.expert);
        let is_meant = |row: &&LeftOut| !is_retraction || row.reason.starts_with(REJECTED);
        let mut dropped: Vec<LeftOut> = there.clone().filter(is_meant).cloned().collect();
        let items = self.items.iter().map(|item| item.id.as_str());
        let known: BTreeSet<&str> = items.chain(there.map(|row| row.id.as_str())).collect();
        let gone = rows.iter().filter(|id| !known.contains(id.as_str()));
        dropped.extend(gone.map(|id| LeftOut {
            id: id.clone(),
            locator: String::new(),
            url: None,
            class: String::new(),
            reason: format!("its row {id} is no longer in the case"),
        }));
        dropped
    }

    /// Claims nothing, and lists nothing beside: what is drafted takes claims back.
    pub fn keep_none(&mut self) {
        self.items.clear();
        self.secrets.clear();
        self.abuse.clear();
    }

    fn note_host(&mut self, origin: Option<&Origin>, copy: &Copy) {
        let proven = origin.filter(|origin| origin.certainty == Certainty::Proven);
        if let Some(host) = proven.and_then(|origin| origin.host.clone())
            && !FOR_EXPERTS.contains(&copy.class.as_str())
        {
            *self.hosts_seen.entry(host).or_default() += 1;
        }
    }

    /// What goes another way: secrets to the private channel, signs of tampering to that for abuse.
    fn route(&mut self, gather: &Gather, item: &Item) {
        let below = |locator: &str| {
            let path = locator.strip_prefix(item.locator.as_str());
            path.unwrap_or(locator)
                .trim_start_matches(['!', '/'])
                .to_owned()
        };
        for secret in gather.secrets.get(&item.locator).into_iter().flatten() {
            self.secrets.push(Routed {
                url: item.url.clone(),
                path: format!("{}, line {}", below(&secret.locator), secret.line),
                what: format!("{} ({})", secret.rule, secret.severity.as_str()),
            });
        }
        for sign in gather.signs.get(&item.locator).into_iter().flatten() {
            let line = sign
                .line
                .map_or(String::new(), |line| format!(", line {line}"));
            self.abuse.push(Routed {
                url: item.url.clone(),
                path: format!("{}{line}", sign.path),
                what: format!("{} ({})", sign.rule, sign.severity.as_str()),
            });
        }
    }

    /// Counts the other places of the host, and those of each network.
    fn count_places(&mut self, gather: &Gather, what: &What) {
        let mut public_urls = BTreeSet::new();
        for (root, class) in &gather.classes {
            let origin = gather.origins.get(root);
            let is_public = class == "own-public";
            if is_public && let Some(url) = origin.and_then(|origin| origin.url.as_deref()) {
                public_urls.insert(plain(url));
            }
            if what.may_be_on(gather, root) {
                self.exclusions.own_public += u64::from(is_public);
                self.exclusions.unrelated += u64::from(class == "unrelated");
            }
            if let Some(network) = origin.and_then(|origin| origin.network.as_ref()) {
                let counts = self.networks.entry(network.clone()).or_default();
                counts.looked_at += 1;
                counts.own_public += u64::from(is_public);
            }
        }
        for (network, counts) in &mut self.networks {
            counts.absent = gather.absent.get(network).copied().unwrap_or(0);
            counts.root_is_public = public_urls.contains(&plain(network));
        }
    }
}

/// How a rejection begins in a reason.
const REJECTED: &str = "rejected by";

/// Shares have no total order as floats; millionths are finer than is shown.
fn share_key(item: &Item) -> u64 {
    let share = item
        .of_original
        .unwrap_or_else(|| item.files_of_work as f64 / item.files_total.max(1) as f64);
    (share.clamp(0.0, 1.0) * 1e6) as u64
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
