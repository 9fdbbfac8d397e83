//! Decides of one place whether it is claimed, and makes its row.
//!
//! Pure of what is held of the case: the same records and decisions make the same row. A reason why a place is out is a
//! sentence for whoever reads the list; it is made here and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use super::super::gather::Gather;
use super::{
    Chosen, FOR_EXPERTS, FileRow, Item, LeftOut, REJECTED, Routed, SAMPLE, STRETCHES_SHOWN, What,
    count,
};
use crate::blob::locator::unescape;
use crate::case::{Decision, Reviews, Standing as Holds, copy_id, match_id, seen};
use crate::copies::lineage::plain;
use crate::record::{Certainty, Copy, Counted, GitPlace, Grade, Match, Origin, Standing};
use crate::report::text::{grouped, percent};

/// Decides of single places.
pub(super) struct Chooser<'a> {
    pub(super) gather: &'a Gather,
    pub(super) reviews: &'a Reviews,
    pub(super) what: &'a What<'a>,
    pub(super) archive: &'a dyn Fn(&str) -> Option<String>,
}

impl Chooser<'_> {
    /// `None`: it is on another host.
    pub(super) fn choose(
        &self,
        copy: &Copy,
        is_suspect: bool,
        origin: Option<&Origin>,
    ) -> Option<Chosen> {
        let url = origin.and_then(|origin| origin.url.clone());
        let url = url.or_else(|| copy.url.clone());
        let out = |reason: String| LeftOut {
            id: copy_id(copy),
            locator: copy.locator.clone(),
            url: url.clone(),
            class: copy.class.clone(),
            reason,
        };
        let Some(origin) = origin.filter(|origin| origin.url.is_some()) else {
            return Some(Chosen::Out(out("no address of it is recorded".to_owned())));
        };
        if !self.what.is_on(self.gather, &copy.locator) {
            return None;
        }
        if origin.certainty != Certainty::Proven {
            let reason = if origin.contradicted_by.is_empty() {
                "its address is only a hint: the place says so of itself, and nobody recorded it"
                    .to_owned()
            } else {
                format!(
                    "what was recorded of its address is contradicted: {}",
                    origin.contradicted_by.join("; ")
                )
            };
            return Some(Chosen::Out(out(reason)));
        }
        if origin
            .url
            .as_deref()
            .is_some_and(|url| opened(url).contains("***"))
        {
            let reason = "its recorded address held a secret, which is not kept; record it without";
            return Some(Chosen::Out(out(reason.to_owned())));
        }
        if let Some(own) = self.own_package(copy, origin) {
            return Some(Chosen::Own(own));
        }
        let holds = self.holds(copy);
        if let Holds::Decided(review) = &holds
            && review.decision == Decision::Rejected
        {
            let reason = format!("{REJECTED} {} on {}", review.reviewer, day(&review.time));
            return Some(Chosen::Out(out(reason)));
        }
        let is_included = self
            .what
            .include
            .iter()
            .any(|grade| grade.as_str() == copy.class);
        if (is_suspect || FOR_EXPERTS.contains(&copy.class.as_str())) && !is_included {
            let reason = format!(
                "{}: whether that is the work is for an expert to say",
                copy.class
            );
            return Some(Chosen::Expert(out(reason)));
        }
        let reviewed = match holds {
            Holds::Decided(review) => Ok(review),
            Holds::Stale(review) => Err(format!(
                "{} by {} on {}, and the row has changed since",
                review.decision.as_str(),
                review.reviewer,
                day(&review.time)
            )),
            Holds::Open => Err("nobody reviewed it".to_owned()),
        };
        if let Err(reason) = &reviewed
            && !self.what.unreviewed
        {
            return Some(Chosen::Out(out(reason.clone())));
        }
        Some(match self.item(copy, origin, reviewed) {
            Some(item) => Chosen::In(Box::new(item)),
            None => Chosen::Out(out(
                "no file of it is left: all were rejected, not read, or of grades that are left out"
                    .to_owned(),
            )),
        })
    }

    fn holds(&self, copy: &Copy) -> Holds {
        // A row that cannot be digested is one that nobody can have confirmed.
        seen(copy).map_or(Holds::Open, |seen| {
            self.reviews.standing(&copy_id(copy), &seen)
        })
    }

    /// The vendor's own package under its own name: taking it down is a matter of its owner, not of a notice.
    fn own_package(&self, copy: &Copy, origin: &Origin) -> Option<Routed> {
        let package = self.gather.packages.get(&copy.locator)?;
        let url = origin.url.clone()?;
        copy.claims_own.as_ref()?;
        let is_its_place = self.what.is_told_by_package() && url.contains(&package.name);
        let is_its_place = is_its_place && self.what.host.own.is_some();
        is_its_place.then(|| Routed {
            url,
            path: String::new(),
            what: format!(
                "{} {}",
                package.name,
                package.version.as_deref().unwrap_or("(version not stated)")
            ),
        })
    }

    fn item(
        &self,
        copy: &Copy,
        origin: &Origin,
        reviewed: Result<crate::case::Review, String>,
    ) -> Option<Item> {
        let url = opened(origin.url.as_deref()?);
        let key = (copy.locator.clone(), copy.work.clone());
        let found = self.gather.matches.get(&key).map_or(&[][..], Vec::as_slice);
        let rejected = self.rejected(found);
        let claimed = |found: &&Match| {
            (found.grade.makes_copy() || self.what.include.contains(&found.grade))
                && !found.file.is_empty()
                && found.grade != Grade::Hinted
                && !rejected.contains(&content_key(found))
        };
        let kept: Vec<&Match> = found.iter().filter(claimed).collect();
        let mut best: BTreeMap<&str, Grade> = BTreeMap::new();
        for found in &kept {
            let grade = best.entry(&found.file).or_insert(found.grade);
            *grade = found.grade.min(*grade);
        }
        let files = self.files(&copy.locator, &url, &kept);
        if files.is_empty() {
            return None;
        }
        let files_here = count(files.len());
        let bytes_here = files.iter().map(|file| file.bytes).sum();
        // Shares are of what lies open: where some of it is in a store only, or was rejected, none are stated.
        let is_open = rejected.is_empty() && files.iter().all(|file| file.is_laid_out);
        let [share_files, share_bytes] = match is_open {
            true => shares(copy, files_here, bytes_here),
            false => [None, None],
        };
        let entire = self.what.hosts.entire;
        let is_entire = share_files.is_some_and(|share| share >= entire.files)
            && share_bytes.is_some_and(|share| share >= entire.bytes)
            && copy.unread_files == Some(0);
        let depth = files.iter().map(|file| file.depth).min().unwrap_or(0);
        let (is_reviewed, fair_use_considered) = match &reviewed {
            Ok(review) => (true, review.fair_use_considered),
            Err(_) => (false, None),
        };
        let is_root = |network: &String| plain(network) == plain(&url);
        Some(Item {
            id: copy_id(copy),
            locator: copy.locator.clone(),
            is_network_root: origin.network.as_ref().is_some_and(is_root),
            network: origin.network.as_deref().map(opened),
            parent: origin.parent.as_deref().map(opened),
            seen_at: origin.seen_at.clone(),
            class: copy.class.clone(),
            work: copy.work.clone(),
            release: copy.release.clone(),
            files_of_work: count(best.len()),
            files_total: copy.files_total,
            of_original: rejected.is_empty().then_some(copy.of_original),
            grades: grades(&best),
            files_here,
            bytes_here,
            unmatched_files: copy.unmatched_files,
            public_files: copy.public_files,
            unmatched_words: unmatched_words(copy, &files, [share_files, share_bytes]),
            share_files,
            share_bytes,
            is_entire,
            pinned: self.pinned(origin, &kept, &files),
            history_only: depth >= DEPTH_HIDDEN,
            standing_words: depth_words(depth),
            licences: licences(copy),
            headers_removed: self
                .gather
                .compared
                .get(&copy.locator)
                .map_or(0, |row| row.headers_removed),
            reviewed: reviewed_words(&reviewed),
            is_reviewed,
            fair_use_considered,
            contradicted_by: origin.contradicted_by.clone(),
            claims_own: copy.claims_own.clone(),
            rejected_files: count(rejected.len()),
            sample: files.iter().take(SAMPLE).cloned().collect(),
            files,
            url,
        })
    }

    /// Pairs of a content and a file of the work that were rejected: the same pair lies elsewhere in the place too.
    fn rejected(&self, found: &[Match]) -> BTreeSet<(String, String)> {
        let is_rejected = |found: &&Match| {
            let Ok(seen) = seen(found) else { return false };
            match self.reviews.standing(&match_id(found), &seen) {
                Holds::Decided(review) | Holds::Stale(review) => {
                    review.decision == Decision::Rejected
                }
                Holds::Open => false,
            }
        };
        found.iter().filter(is_rejected).map(content_key).collect()
    }

    /// One row for each file at the place: of those at one path with the same bytes the best.
    fn files(&self, root: &str, url: &str, kept: &[&Match]) -> Vec<FileRow> {
        // What the store says of a content at a path.
        let mut stored: BTreeMap<(&str, &str), &GitPlace> = BTreeMap::new();
        for found in kept {
            if let (Some(git), Some(sha256)) = (&found.git, &found.sha256) {
                for path in &git.paths {
                    let place = stored.entry((path, sha256)).or_insert(git);
                    if git.standing < place.standing {
                        *place = git;
                    }
                }
            }
        }
        let mut rows: BTreeMap<(String, Option<String>), FileRow> = BTreeMap::new();
        for found in kept {
            let is_laid_out = found.git.is_none();
            let path = match &found.git {
                Some(git) => git
                    .paths
                    .first()
                    .cloned()
                    .unwrap_or_else(|| git.object.clone()),
                None => below(root, &found.locator),
            };
            let git = found.git.as_deref().or_else(|| {
                let sha256 = found.sha256.as_deref()?;
                stored.get(&(path.as_str(), sha256)).copied()
            });
            let row = self.file(url, &path, found, git, is_laid_out);
            let key = (path, found.sha256.clone());
            match rows.get_mut(&key) {
                None => drop(rows.insert(key, row)),
                Some(known) => merge(known, row),
            }
        }
        let mut rows: Vec<FileRow> = rows.into_values().collect();
        rows.sort_by(|a, b| (a.grade, &a.path, &a.id).cmp(&(b.grade, &b.path, &b.id)));
        rows
    }

    fn file(
        &self,
        url: &str,
        path: &str,
        found: &Match,
        git: Option<&GitPlace>,
        is_laid_out: bool,
    ) -> FileRow {
        let lines = union(found.ranges.iter().map(|range| range.target_lines));
        let bytes = union_half_open(found.ranges.iter().map(|range| range.target_bytes));
        let commit = git.and_then(|git| Some(git.last.as_ref()?.commit.clone()));
        // A hop in a path leads into an archive, where no host addresses anything.
        let raw = unescape(path).filter(|_| !path.contains("!/"));
        let permalink = raw.zip(commit.as_deref()).and_then(|(raw, commit)| {
            self.what
                .host
                .permalink(url, commit, &raw, lines.first().copied())
        });
        let address = match (&permalink, &commit, &found.sha256) {
            (Some(link), _, _) => link.clone(),
            (None, Some(commit), _) => format!("{path} in commit {commit}"),
            (None, None, Some(sha256)) => format!("{path}, SHA-256 {sha256}"),
            (None, None, None) => path.to_owned(),
        };
        let depth = if is_laid_out {
            0
        } else {
            depth(git.and_then(|git| git.standing))
        };
        FileRow {
            id: match_id(found),
            path: path.to_owned(),
            permalink,
            address,
            commit,
            lines: stretches(&lines),
            grade: found.grade,
            original: found.file.clone(),
            also: 0,
            of_original: found.of_original,
            of_target: found.of_target,
            bytes: bytes.iter().map(|[start, end]| end - start).sum(),
            sha256: found.sha256.clone(),
            standing_words: depth_words(depth),
            depth,
            is_laid_out,
        }
    }

    /// What holds an item fast, in words.
    fn pinned(&self, origin: &Origin, kept: &[&Match], files: &[FileRow]) -> String {
        let commits: BTreeSet<&str> = files
            .iter()
            .filter_map(|file| file.commit.as_deref())
            .collect();
        let with = files.iter().filter(|file| file.commit.is_some()).count();
        let seen = origin.seen_at.as_deref();
        let seen = seen.map_or(
            "when it was seen there is not recorded".to_owned(),
            |time| format!("it was seen at its address at {time}"),
        );
        let mut commits = commits.into_iter();
        match (commits.next(), commits.next(), files.len() - with) {
            (Some(commit), None, 0) => format!("Pinned at commit {commit}; {seen}."),
            (Some(_), _, without) if without > 0 => format!(
                "{} of its files are pinned at a commit, {} are held fast by their SHA-256; {seen}.",
                grouped(count(with)),
                grouped(count(without))
            ),
            (Some(_), _, _) => format!("Each file is pinned at its commit; {seen}."),
            (None, _, _) => {
                let acquired = origin.acquired.as_ref();
                let digest = acquired.and_then(|acquired| acquired.sha256.clone());
                let digest = digest.or_else(|| {
                    let first = kept.iter().find(|found| is_in_archive(origin, found))?;
                    (self.archive)(&first.locator)
                });
                match digest {
                    Some(digest) => format!(
                        "No commit is known of what was fetched; the archive has the SHA-256 {digest}; {seen}."
                    ),
                    None => format!(
                        "No commit is known of what was fetched; each file is held fast by its SHA-256; {seen}."
                    ),
                }
            }
        }
    }
}

/// Whether what matches lies in an archive that is the place itself.
fn is_in_archive(origin: &Origin, found: &Match) -> bool {
    let rest = found.locator.strip_prefix(origin.locator.as_str());
    rest.is_some_and(|rest| rest.starts_with("!/"))
}

/// From which depth on a visitor does not see a file.
const DEPTH_HIDDEN: u8 = 2;

fn depth(standing: Option<Standing>) -> u8 {
    match standing {
        Some(Standing::DefaultBranchHead) => 1,
        Some(Standing::OtherRef) => 2,
        Some(Standing::HistoryOnly) => 3,
        Some(Standing::Unreachable) => 4,
        // Without names nothing says what a visitor sees.
        None => 1,
    }
}

fn depth_words(depth: u8) -> &'static str {
    match depth {
        0 | 1 => "",
        2 => {
            "Not in the default branch, which a visitor sees first; in another branch or tag, in the commit named."
        }
        3 => "Not in the files that a visitor sees; in the history, in the commit named.",
        _ => {
            "Not in the files that a visitor sees; no branch or tag leads to it any more; in the commit named."
        }
    }
}

/// A second row for the same content at the same path.
fn merge(known: &mut FileRow, other: FileRow) {
    let is_other_file = known.original != other.original;
    let also = known.also + u64::from(is_other_file);
    let is_laid_out = known.is_laid_out || other.is_laid_out;
    let depth = known.depth.min(other.depth);
    let better = (other.grade, !other.is_laid_out, &other.original)
        < (known.grade, !known.is_laid_out, &known.original);
    if better {
        *known = other;
    }
    known.also = also;
    known.is_laid_out = is_laid_out;
    known.depth = depth;
    known.standing_words = depth_words(depth);
}

/// A locator below a root, without the root.
fn below(root: &str, locator: &str) -> String {
    let rest = locator.strip_prefix(root).unwrap_or(locator);
    let rest = rest.strip_prefix("!/").unwrap_or(rest);
    rest.strip_prefix('/').unwrap_or(rest).to_owned()
}

fn content_key(found: &Match) -> (String, String) {
    let content = found.sha256.as_ref().unwrap_or(&found.locator);
    (content.clone(), found.file.clone())
}

/// Shares of the files and bytes that lie at a place, as far as the others were counted.
fn shares(copy: &Copy, files: u64, bytes: u64) -> [Option<f64>; 2] {
    let Some(unmatched) = copy.unmatched_files else {
        return [None, None];
    };
    let others = unmatched + copy.public_files.unwrap_or(0) + copy.unread_files.unwrap_or(0);
    let share = |part: u64, rest: u64| {
        let all = part + rest;
        (all > 0).then(|| part as f64 / all as f64)
    };
    [
        share(files, others),
        copy.unmatched_bytes.and_then(|rest| share(bytes, rest)),
    ]
}

/// What else lies at a place, in words that stand behind how many files match.
fn unmatched_words(copy: &Copy, files: &[FileRow], [share, of_bytes]: [Option<f64>; 2]) -> String {
    let Some(unmatched) = copy.unmatched_files else {
        return "how many others lie there was not counted".to_owned();
    };
    let stored = files.iter().filter(|file| !file.is_laid_out).count();
    let hidden = files.iter().filter(|file| file.depth >= DEPTH_HIDDEN);
    let mut words = match (stored, copy.counted) {
        (0, _) => format!("{} match nothing", grouped(unmatched)),
        (_, Some(Counted::Head)) => match hidden.count() {
            0 => format!("{} of those at its head match nothing", grouped(unmatched)),
            hidden => format!(
                "{} of them not at its head; of the files there, {} match nothing",
                grouped(count(hidden)),
                grouped(unmatched)
            ),
        },
        (stored, _) => format!(
            "{} of them in the store of the clone only; of the files that lie open, {} match nothing",
            grouped(count(stored)),
            grouped(unmatched)
        ),
    };
    for (number, what) in [
        (copy.public_files, "match what the owner published"),
        (copy.unread_files, "were not read in full"),
    ] {
        if let Some(number) = number.filter(|number| *number > 0) {
            words += &format!(", {} {what}", grouped(number));
        }
    }
    if let Some(share) = share {
        words += &format!(": {} of the files", percent(share));
    }
    if let Some(of_bytes) = of_bytes {
        words += &format!(
            ", {} of the bytes of those that match and those that match nothing",
            percent(of_bytes)
        );
    }
    words
}

fn licences(copy: &Copy) -> Vec<String> {
    let words = |file: &crate::record::LicenceFile| {
        format!(
            "{}: {}",
            file.path,
            file.licence.as_deref().unwrap_or("not recognised")
        )
    };
    copy.licences.iter().map(words).collect()
}

fn grades(best: &BTreeMap<&str, Grade>) -> String {
    let mut counts: BTreeMap<Grade, u64> = BTreeMap::new();
    for grade in best.values() {
        *counts.entry(*grade).or_default() += 1;
    }
    let words =
        |(grade, number): (&Grade, &u64)| format!("{} {}", grouped(*number), grade.as_str());
    let words: Vec<String> = counts.iter().map(words).collect();
    words.join(", ")
}

fn reviewed_words(reviewed: &Result<crate::case::Review, String>) -> String {
    match reviewed {
        Ok(review) => {
            let bulk = review.bulk.map_or(String::new(), |rows| {
                format!(", as one of {} rows decided at once", grouped(rows))
            });
            format!(
                "reviewed by {} on {}{bulk}",
                review.reviewer,
                day(&review.time)
            )
        }
        Err(why) => format!("NOT REVIEWED: {why}"),
    }
}

/// The day of a time.
fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

/// Stretches put together where they touch, in order; ends inclusive.
fn union(stretches: impl Iterator<Item = [u64; 2]>) -> Vec<[u64; 2]> {
    let half_open = stretches.map(|[first, last]| [first, last.saturating_add(1)]);
    let mut out = union_half_open(half_open);
    for [_, last] in &mut out {
        *last = last.saturating_sub(1);
    }
    out
}

fn union_half_open(stretches: impl Iterator<Item = [u64; 2]>) -> Vec<[u64; 2]> {
    let mut all: Vec<[u64; 2]> = stretches.filter(|[start, end]| start < end).collect();
    all.sort_unstable();
    let mut out: Vec<[u64; 2]> = Vec::new();
    for [start, end] in all {
        match out.last_mut() {
            Some(last) if start <= last[1] => last[1] = last[1].max(end),
            _ => out.push([start, end]),
        }
    }
    out
}

/// `12-40, 77, and 3 more stretches`.
fn stretches(lines: &[[u64; 2]]) -> String {
    let words = |[first, last]: &[u64; 2]| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    let mut shown: Vec<String> = lines.iter().take(STRETCHES_SHOWN).map(words).collect();
    let more = lines.len().saturating_sub(STRETCHES_SHOWN);
    if more > 0 {
        shown.push(format!("and {more} more stretches"));
    }
    shown.join(", ")
}

/// The address that somebody else can open: without the name and password that stood in what was recorded.
fn opened(url: &str) -> String {
    url.replacen("://***@", "://", 1)
}
