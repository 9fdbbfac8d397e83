//! Copies: the matches of each root, rolled up.
//!
//! A root is a place that people speak of as one thing: an archive, a repository, a package, a folder that was given. Of
//! each root and each work one row says how much of the work is there. What is equal, or holds equal stretches, makes a
//! `copy`; a root with weaker matches only is a `suspect`, also one that is a suspected port of the work as a whole (see
//! [`ports`](super::ports)). Only first-party files of the work count: a vendored library
//! that both have is nobody's leak. A set that is made of lists knows no party, and all its files count but those that
//! lie among dependencies; where it does not know every length, the share of the work is one of files.
//!
//! **How much.** Each file of the work counts once, with its best match, and with as many of its bytes as are there: all of
//! them where it is equal, its share of the original where stretches of it are. Stretches in several contents of the
//! root count together, by their lines: a file that was split is there as a whole. Beside files that are there, those that
//! may be there (derived, ported, hinted) are counted in `grades` and nowhere else.
//!
//! **Which release.** Releases of a work share most of their files, so a copy of one matches all. Named is the release
//! that most files of the root agree with: first those that are equal byte for byte, then those equal in normal form,
//! then by bytes of the work that are there. Files that agree better with one release than with all others tell; they
//! are listed. Where nothing tells two releases apart, that is said.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::join::JoinInput;
use super::ports::suspect_of;
use super::roots::Root;
use super::store::{Case, CaseError};
use super::union::Lines;
use crate::record::{Basis, Copy, Examined, Grade, Match, Record, ReleaseBasis, ReleaseMatch};
use crate::signature::{Counted, Set};

/// Of two releases that differ by less than this share of the bytes that are there, neither is nearer.
const TIE_SHARE: f64 = 0.02;
/// Shares of both sides from which on a file is there as a whole: a tool that lays code out anew adds a comma here and
/// there.
const WHOLE_MIN_SHARE: f64 = 0.98;
/// A work of which every file is there, and less than this share of its bytes, is there in part.
const MODIFIED_MIN_SHARE: f64 = 0.5;
/// Parts that shares are added up in.
const BILLION: f64 = 1e9;
/// Files that tell releases apart are named up to this number; all are counted.
const TELLING_MAX: usize = 16;

/// The best match of one file of a work.
#[derive(Debug, Clone, Copy)]
struct Best {
    grade: Grade,
    basis: Basis,
    of_original: f64,
    of_target: f64,
    /// Lines of the original that this match covers.
    lines: u64,
    /// Share of the original that is there in all contents of the root together.
    share: f64,
}

impl Best {
    /// Whether it is all there but for white space and punctuation, and nothing beside it.
    fn is_reformatted(self) -> bool {
        self.grade == Grade::Normalized
            || (self.grade == Grade::Excerpt
                && self.of_original.min(self.of_target) >= WHOLE_MIN_SHARE)
    }

    fn better(self, other: Best) -> Best {
        let rank = |best: &Best| (best.grade, best.basis);
        let by_target = other.of_target.total_cmp(&self.of_target);
        let by_original = other.of_original.total_cmp(&self.of_original);
        let by_all = by_original
            .then(by_target)
            .then(other.lines.cmp(&self.lines));
        let more = by_all.is_gt();
        if rank(&other) < rank(&self) || (rank(&other) == rank(&self) && more) {
            other
        } else {
            self
        }
    }
}

/// Matches of a root with a work: files of each release by name, and what each content of the root agrees with.
#[derive(Default)]
struct OfWork {
    releases: BTreeMap<String, BTreeMap<String, Best>>,
    targets: BTreeMap<String, Vec<(String, Grade, String)>>,
    /// Of each file of each release the lines that stand in any content, where stretches agree, and the shares of the
    /// original of all contents added up, in billionths, so that their order does not show: no more than that is there.
    pieces: BTreeMap<(String, String), (Lines, u64)>,
}

impl OfWork {
    /// Counts further lines that other contents hold, in proportion to those of the best match.
    fn add_up(&mut self) {
        for ((release, file), (lines, at_most)) in std::mem::take(&mut self.pieces) {
            let files = self.releases.get_mut(&release);
            let best = files.and_then(|files| files.get_mut(&file));
            let is_cut = |best: &&mut Best| best.grade == Grade::Excerpt && best.lines > 0;
            if let Some(best) = best.filter(is_cut) {
                let share = best.of_original * lines.count() as f64 / best.lines as f64;
                let share = share.min(at_most as f64 / BILLION);
                best.share = share.max(best.of_original).min(1.0);
            }
        }
    }
}

/// A release that was signed, and its files that count by name: how many have that name, and their bytes.
struct Signed<'s> {
    set: &'s Set,
    counted: Counted,
    files: HashMap<String, (u64, u64)>,
}

impl<'s> Signed<'s> {
    fn of(set: &'s Set) -> Self {
        let mut files = HashMap::new();
        for id in 0..set.files_total() {
            let info = set.file(id);
            let Some(info) = info.filter(|info| set.counts(info)) else {
                continue;
            };
            let name = set
                .name(id)
                .map_or_else(|| id.to_string(), crate::blob::locator::escape);
            let (count, bytes) = files.entry(name).or_insert((0, 0));
            *count += 1;
            *bytes += info.bytes;
        }
        Self {
            set,
            counted: set.counted(),
            files,
        }
    }
}

/// What of a release is in a root.
#[derive(Default)]
struct Held {
    grades: BTreeMap<String, u64>,
    files: u64,
    bytes: f64,
    weakest: Basis,
    /// Files that were counted and are there in part, or with other text in them.
    changed: u64,
    exact: u64,
}

impl Held {
    fn of(signed: &Signed, files: &BTreeMap<String, Best>, is_copy: bool) -> Held {
        let mut held = Held::default();
        for (name, best) in files {
            let Some(&(count, bytes)) = signed.files.get(name) else {
                continue;
            };
            *held
                .grades
                .entry(best.grade.as_str().to_owned())
                .or_insert(0) += count;
            // Beside files that are there, one that may be there is no part of the copy.
            if is_copy && !best.grade.makes_copy() {
                continue;
            }
            let is_whole = matches!(best.grade, Grade::Exact | Grade::Normalized | Grade::Hinted);
            let share = if is_whole { 1.0 } else { best.share };
            held.files += count;
            held.bytes += bytes as f64 * share;
            held.weakest = held.weakest.max(best.basis);
            held.changed += if is_whole || best.is_reformatted() {
                0
            } else {
                count
            };
            held.exact += if best.grade == Grade::Exact { count } else { 0 };
        }
        held
    }

    fn of_original(&self, counted: Counted) -> f64 {
        match counted.bytes {
            Some(bytes) => self.bytes / bytes.max(1) as f64,
            None => self.files as f64 / counted.files.max(1) as f64,
        }
    }
}

/// How contents of a root speak for a release.
#[derive(Debug, Default, Clone)]
struct Evidence {
    /// Contents that are equal to a file of it, and those that are so in normal form.
    exact: u64,
    equal: u64,
    /// Contents that agree better with it than with any other, and the files that they agree with.
    telling: u64,
    files: BTreeSet<String>,
}

impl Case {
    /// Gives the `copy`, `suspect` and `examined` rows of all roots.
    pub(super) fn roll_up_copies(
        &self,
        input: &JoinInput,
        roots: &BTreeMap<String, Root>,
        own_public: &BTreeSet<i64>,
    ) -> Result<(), CaseError> {
        let mut works: BTreeMap<&str, BTreeMap<&str, &Set>> = BTreeMap::new();
        let sets = input.placer.sets.sets().iter();
        for set in sets.filter(|set| !set.is_public() && !set.is_baseline()) {
            let releases = works.entry(set.work()).or_default();
            releases.entry(set.release()).or_insert(set);
        }
        if works.is_empty() {
            return Ok(());
        }
        let mut signed: BTreeMap<&str, BTreeMap<&str, Signed>> = BTreeMap::new();
        let mut classes: BTreeMap<&str, String> = BTreeMap::new();
        let mut ports = self.suspected_ports(input, roots)?;
        for ((root, work), found) in self.matches_of(roots, &works)? {
            let Some((&work, releases)) = works.get_key_value(work.as_str()) else {
                continue;
            };
            let signed = signed.entry(work).or_default();
            for (&release, &set) in releases {
                if found.releases.contains_key(release) {
                    signed.entry(release).or_insert_with(|| Signed::of(set));
                }
            }
            let Some(mut copy) = copy_of(&found, signed, releases.len()) else {
                continue;
            };
            root.clone_into(&mut copy.locator);
            copy.hops = roots[root].hops.clone();
            (copy.url, copy.location) = (roots[root].url.clone(), roots[root].location);
            // A copy needs no suspicion.
            if let Some(port) = ports.remove(&(root, work.to_owned()))
                && copy.class == SUSPECT
            {
                copy.grades.insert(port.grade.as_str().to_owned(), 1);
                self.put_joined(Record::from(port))?;
            }
            let class = classes.entry(root).or_insert_with(|| copy.class.clone());
            if class == SUSPECT {
                class.clone_from(&copy.class);
            }
            self.put_joined(if copy.class == SUSPECT {
                Record::Suspect(Box::new(copy))
            } else {
                Record::from(copy)
            })?;
        }
        for ((root, work), port) in ports {
            let releases = works.get(work.as_str());
            let Some(set) = releases.and_then(|releases| releases.get(port.release.as_str()))
            else {
                continue;
            };
            classes.entry(root).or_insert_with(|| SUSPECT.to_owned());
            let mut suspect = suspect_of(&port, set, SUSPECT);
            (suspect.url, suspect.location) = (roots[root].url.clone(), roots[root].location);
            self.put_joined(Record::from(port))?;
            self.put_joined(Record::Suspect(Box::new(suspect)))?;
        }
        for (locator, root) in roots {
            let class = classes.remove(locator.as_str()).unwrap_or_else(|| {
                let is_public = root.units.iter().any(|unit| own_public.contains(unit));
                let class = match (is_public, input.triage) {
                    (true, _) => "own-public",
                    (false, true) => "undecided",
                    (false, false) => "unrelated",
                };
                class.to_owned()
            });
            self.put_joined(Record::Examined(Examined {
                locator: locator.clone(),
                hops: root.hops.clone(),
                class,
            }))?;
        }
        Ok(())
    }

    /// The matches of each root and work.
    fn matches_of<'r>(
        &self,
        roots: &'r BTreeMap<String, Root>,
        works: &BTreeMap<&str, BTreeMap<&str, &Set>>,
    ) -> Result<BTreeMap<(&'r str, String), OfWork>, CaseError> {
        let mut of_unit = BTreeMap::new();
        for (locator, root) in roots {
            of_unit.extend(root.units.iter().map(|unit| (*unit, locator.as_str())));
        }
        let mut matched: BTreeMap<(&str, String), OfWork> = BTreeMap::new();
        for (unit, record) in self.records_of_type("match")? {
            let (Some(root), Record::Match(found)) =
                (unit.and_then(|unit| of_unit.get(&unit)), record)
            else {
                continue;
            };
            let is_one_of_many = works
                .get(found.work.as_str())
                .is_some_and(|releases| releases.len() > 1);
            let Match {
                locator,
                work,
                release,
                file,
                grade,
                basis,
                of_original,
                of_target,
                ranges,
                ..
            } = *found;
            let of_work = matched.entry((root, work)).or_default();
            if is_one_of_many {
                let of_target = of_work.targets.entry(locator).or_default();
                of_target.push((release.clone(), grade, file.clone()));
            }
            let ranges = ranges.iter().map(|range| range.original_lines);
            if grade == Grade::Excerpt {
                let name = (release.clone(), file.clone());
                let (lines, at_most) = of_work.pieces.entry(name).or_default();
                ranges.clone().for_each(|range| lines.add(range));
                *at_most = at_most.saturating_add((of_original * BILLION) as u64);
            }
            let best = Best {
                grade,
                basis,
                of_original,
                of_target,
                lines: Lines::of(ranges).count(),
                share: of_original,
            };
            of_work
                .releases
                .entry(release)
                .or_default()
                .entry(file)
                .and_modify(|held| *held = held.better(best))
                .or_insert(best);
        }
        matched.values_mut().for_each(OfWork::add_up);
        Ok(matched)
    }
}

/// The class of a root that has weaker matches only.
const SUSPECT: &str = "suspect";

/// Rolls the matches of one root with one work up; `None` where no first-party file of it is among them. `releases` of the
/// work were signed.
fn copy_of(found: &OfWork, signed: &BTreeMap<&str, Signed>, releases: usize) -> Option<Copy> {
    let counted: Vec<_> = found
        .releases
        .iter()
        .filter_map(|(release, files)| Some((release, files, signed.get(release.as_str())?)))
        .collect();
    let is_copy = counted.iter().any(|(_, files, signed)| {
        let own = files
            .iter()
            .filter(|(name, _)| signed.files.contains_key(*name));
        own.into_iter().any(|(_, best)| best.grade.makes_copy())
    });
    let evidence = evidence_of(found, signed);
    let none = Evidence::default();
    let mut held: Vec<_> = counted
        .iter()
        .map(|(release, files, signed)| {
            let evidence = evidence.get(release.as_str()).unwrap_or(&none);
            (
                *release,
                *signed,
                Held::of(signed, files, is_copy),
                evidence,
            )
        })
        .filter(|(_, _, held, _)| held.files > 0)
        .collect();
    // The nearest first; of equals the first by name.
    held.sort_by(|a, b| {
        let equal = |(_, _, _, evidence): &(_, _, _, &Evidence)| (evidence.exact, evidence.equal);
        let by_bytes = b.2.bytes.total_cmp(&a.2.bytes);
        equal(b).cmp(&equal(a)).then(by_bytes).then(a.0.cmp(b.0))
    });
    let mut ties: Vec<&String> = {
        let (_, _, best, told) = held.first()?;
        let as_near = held.iter().filter(|(_, _, held, evidence)| {
            (evidence.exact, evidence.equal) == (told.exact, told.equal)
                && held.bytes >= best.bytes * (1.0 - TIE_SHARE)
        });
        as_near.map(|(release, ..)| *release).collect()
    };
    ties.sort_unstable();
    let named = *ties.first()?;
    let (_, signed, of_named, _) = held.iter().find(|(release, ..)| *release == named)?;
    let set = signed.set;
    let basis = (releases > 1).then(|| {
        let mut rows: Vec<ReleaseMatch> = held.iter().map(release_row).collect();
        rows.sort_by(|a, b| a.release.cmp(&b.release));
        ReleaseBasis {
            ties: ties.iter().skip(1).map(|name| (*name).clone()).collect(),
            releases: rows,
        }
    });
    let total = signed.counted.files;
    let share = of_named.of_original(signed.counted);
    let class = if !is_copy {
        SUSPECT
    } else if of_named.files < total || (of_named.changed > 0 && share < MODIFIED_MIN_SHARE) {
        "partial"
    } else if of_named.changed > 0 {
        "modified"
    } else if of_named.exact == total {
        "verbatim"
    } else {
        "reformatted"
    };
    Some(Copy {
        work: set.work().to_owned(),
        release: set.release().to_owned(),
        files_matched: of_named.files,
        files_total: total,
        of_original: share,
        grades: of_named.grades.clone(),
        basis: of_named.weakest,
        class: class.to_owned(),
        release_basis: basis,
        ..Copy::default()
    })
}

fn release_row(
    (release, signed, held, evidence): &(&String, &Signed, Held, &Evidence),
) -> ReleaseMatch {
    ReleaseMatch {
        release: (*release).clone(),
        files_matched: held.files,
        of_original: held.of_original(signed.counted),
        equal: evidence.equal,
        telling: evidence.telling,
        telling_files: evidence.files.iter().take(TELLING_MAX).cloned().collect(),
    }
}

/// How the contents of a root speak for each release.
fn evidence_of(found: &OfWork, signed: &BTreeMap<&str, Signed>) -> BTreeMap<String, Evidence> {
    let mut evidence: BTreeMap<String, Evidence> = BTreeMap::new();
    for matches in found.targets.values() {
        let own = matches.iter().filter(|(release, grade, file)| {
            grade.makes_copy()
                && signed
                    .get(release.as_str())
                    .is_some_and(|signed| signed.files.contains_key(file))
        });
        let mut of_release: BTreeMap<&str, Grade> = BTreeMap::new();
        for (release, grade, _) in own.clone() {
            let best = of_release.entry(release).or_insert(*grade);
            *best = (*best).min(*grade);
        }
        let Some(&best) = of_release.values().min() else {
            continue;
        };
        let mut nearest = of_release.iter().filter(|(_, grade)| **grade == best);
        let alone = match (nearest.next(), nearest.next()) {
            (Some((release, _)), None) => Some(*release),
            _ => None,
        };
        for (release, grade) in &of_release {
            let of_release = evidence.entry((*release).to_owned()).or_default();
            of_release.exact += u64::from(*grade == Grade::Exact);
            of_release.equal += u64::from(*grade <= Grade::Normalized);
            of_release.telling += u64::from(alone == Some(release));
        }
        let telling = own.filter(|(release, grade, _)| alone == Some(release) && *grade == best);
        for (release, _, file) in telling {
            let of_release = evidence.entry(release.clone()).or_default();
            of_release.files.insert(file.clone());
        }
    }
    evidence
}
