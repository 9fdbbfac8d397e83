//! Copies: the matches of each root, rolled up.
//!
//! A root is a place that people speak of as one thing: an archive, a repository, a package, a folder that was given. Of
//! each root and each work one row says how much of the work is there. What is equal, or holds equal stretches, makes a
//! `copy`; a root with weaker matches only is a `suspect`: `derived` files, a suspected port of the work as a whole
//! (see [`ports`](super::ports)), `names-only` where no content matches and paths agree (see
//! [`paths`](crate::signature::paths)), or `hinted` by headers that a triage read. Only first-party files of the work
//! count: a vendored library that both have is nobody's leak. A set that is made of lists knows no party, and all its files
//! count but those that lie among dependencies; where it does not know every length, the share of the work is one of files.
//!
//! **How much.** Each file of the work counts once, with its best match, and with as many of its bytes as are there: all of
//! them where it is equal, its share of the original where stretches of it are. Stretches in several contents of the
//! root count together, by their lines: a file that was split is there as a whole. Beside files that are there, those that
//! may be there (derived, ported, hinted) are counted in `grades` and nowhere else.
//!
//! **Where.** What lies in a place as files, or in archives there, is what a visitor sees; in a git store it may stand at
//! the head, on another branch, or in history only, and then who looks at the place sees nothing. Each file counts in
//! `standing` with the best place that it has.
//!
//! **Which release.** Releases of a work share most of their files, so a copy of one matches all. Named is the release
//! that most files of the root agree with: first those that are equal byte for byte, then those equal in normal form,
//! then by bytes of the work that are there. Files that agree better with one release than with all others tell; they
//! are listed. Where nothing tells two releases apart, that is said.
//!
//! **What is public of it.** A file of the work whose content a `--public` set has as a whole is no part of what leaked: it
//! counts neither as there nor as missing, or else no copy of a work that is public in part could be a whole one. Sets hold keyed
//! values, so one cannot be held against the other; a content that is in both says so wherever it is met in the input.
//!
//! **Reformatted or modified.** A copy is `reformatted` where each file is there with the same tokens and comments, and only
//! layout tells it from the original: that is proven file by file by a digest (`norm-text/1`, `layout/2`), and no share of
//! fingerprints is enough for it. A header that was cut out, or a letter that nobody sees, makes it `modified`. So does what
//! a tool does beyond layout, and every layout where the set has no such digests: one that an older release signed.
//!
//! **Traces.** Names of exports, tables and messages survive a minifier and a translator. Where they are all that is there,
//! the class says what was made of the work, `derived` or `ported`, and the row stays a copy.
//!
//! **Whose.** What is the organisation's own is no copy: see `own.rs`. Every root has its `examined` row, with the reason
//! where its class is not what its matches say.

mod held;
mod matched;
mod own;
mod places;
mod release;
mod unwalked;

use std::collections::{BTreeMap, BTreeSet};

use super::join::JoinInput;
use super::ports::{Ports, suspect_of};
use super::roots::Root;
use super::store::{Case, CaseError};
use crate::record::{Copy, Examined, Match, Record};
use crate::signature::Set;
use held::Signed;
use own::Own;
use places::{Place, Places};
use unwalked::Unwalked;

/// Of two releases that differ by less than this share of the bytes that are there, neither is nearer.
const TIE_SHARE: f64 = 0.02;
/// Share of a file from which on it is there as a whole, whatever stands round it.
const WHOLE_MIN_SHARE: f64 = 0.98;
/// A work of which every file is there, and less than this share of its bytes, is there in part.
const MODIFIED_MIN_SHARE: f64 = 0.5;
/// Parts that shares are added up in.
const BILLION: f64 = 1e9;
/// Files that tell releases apart are named up to this number; all are counted.
const TELLING_MAX: usize = 16;

/// The private sets of a run, by work and release.
type Works<'s> = BTreeMap<&'s str, BTreeMap<&'s str, &'s Set>>;

/// What the roll-up of each root needs.
struct RollUp<'a> {
    input: &'a JoinInput<'a>,
    works: Works<'a>,
    own: Own,
    places: Places<'a>,
    unwalked: Unwalked,
    own_public: &'a BTreeSet<i64>,
    /// Files of the works, by set and number, whose content is public, wherever in the input that was seen.
    public_of: BTreeSet<(u32, u32)>,
    /// What is counted of releases, filled where one is met.
    signed: BTreeMap<&'a str, BTreeMap<&'a str, Signed<'a>>>,
}

/// One row of a root, with the match that it rests on where no content has one.
struct Row {
    copy: Copy,
    is_suspect: bool,
    port: Option<Match>,
}

impl Case {
    /// Gives the `copy`, `suspect` and `examined` rows of all roots.
    pub(super) fn roll_up_copies(
        &self,
        input: &JoinInput,
        roots: &BTreeMap<String, Root>,
        own_public: &BTreeSet<i64>,
    ) -> Result<(), CaseError> {
        let sets = input.placer.sets;
        let works = works_of(sets.sets());
        if works.is_empty() {
            return Ok(());
        }
        let mut ports = self.suspected_ports(input, roots)?;
        let places = if input.triage {
            Places::new()
        } else {
            self.places(roots, sets.paths())?
        };
        let public_of = places.values().flat_map(|place| &place.files.public_of);
        let public_of = public_of.copied().collect();
        let mut roll = RollUp {
            public_of,
            own: self.own_places(input.placer.organisation, roots)?,
            input,
            works,
            places,
            unwalked: self.unwalked(roots)?,
            own_public,
            signed: BTreeMap::new(),
        };
        // An archive of several copies is asked last, what it has none of which is told of.
        let mut told: BTreeSet<&str> = BTreeSet::new();
        let several = roots.iter().filter(|(_, root)| root.is_several);
        let others = roots.iter().filter(|(_, root)| !root.is_several);
        for (locator, root) in others.chain(several) {
            let rows = self.rows_of(&mut roll, locator, root, &mut ports)?;
            if let (Some(archive), false) = (&root.archive, rows.is_empty()) {
                told.insert(archive);
            }
            let is_named = |row: &Row| row.copy.class == "names-only";
            if root.is_several
                && (rows.is_empty() || told.contains(locator.as_str()) && rows.iter().all(is_named))
            {
                continue;
            }
            let examined = roll.examined(locator, root, &rows);
            if roll.own.address(locator).is_none() {
                for row in rows {
                    self.put_row(row)?;
                }
            }
            self.put_joined(Record::Examined(examined))?;
        }
        for (at, why) in roll.unwalked.alone {
            self.put_joined(Record::Examined(Examined {
                locator: at.as_str().to_owned(),
                hops: at.hops().clone(),
                class: "unreadable".to_owned(),
                note: Some(why),
            }))?;
        }
        Ok(())
    }

    fn put_row(&self, row: Row) -> Result<(), CaseError> {
        if let Some(port) = row.port {
            self.put_joined(Record::from(port))?;
        }
        self.put_joined(if row.is_suspect {
            Record::Suspect(Box::new(row.copy))
        } else {
            Record::from(row.copy)
        })
    }

    /// The rows of a root, one for each work that it has something of, by work.
    fn rows_of<'r>(
        &self,
        roll: &mut RollUp,
        locator: &'r str,
        root: &Root,
        ports: &mut Ports<'r>,
    ) -> Result<Vec<Row>, CaseError> {
        let mut rows = Vec::new();
        for (work, found) in self.matches_in(locator, root, &roll.works)? {
            let Some((copy, made)) = roll.roll_up(&work, &found) else {
                continue;
            };
            let mut row = Row {
                copy,
                is_suspect: !made.is_copy,
                port: None,
            };
            // A copy needs no suspicion, but where the port explains what there is of it.
            if let Some(port) = ports.remove(&(locator, work))
                && (row.is_suspect || made.is_thin)
            {
                if made.is_thin {
                    "ported".clone_into(&mut row.copy.class);
                }
                let grade = port.grade.as_str().to_owned();
                row.copy.grades.insert(grade, 1);
                row.port = Some(port);
            }
            rows.push(row);
        }
        let works: Vec<&str> = roll.works.keys().copied().collect();
        for work in works {
            let Some(port) = ports.remove(&(locator, work.to_owned())) else {
                continue;
            };
            if let Some(set) = roll.works[work].get(port.release.as_str()).copied() {
                let mut copy = suspect_of(&port, set, "ported");
                copy.files_total = roll.files_total(set);
                rows.push(Row {
                    copy,
                    is_suspect: true,
                    port: Some(port),
                });
            }
        }
        if rows.is_empty() && !roll.is_own_public(locator, root) {
            rows.extend(roll.named(locator));
        }
        rows.sort_by(|a, b| a.copy.work.cmp(&b.copy.work));
        for row in &mut rows {
            locator.clone_into(&mut row.copy.locator);
            row.copy.hops = root.hops.clone();
            (row.copy.url, row.copy.location) = (root.url.clone(), root.location);
            row.copy.claims_own = roll.own.claim(locator).map(str::to_owned);
            if let Some(place) = roll.places.get(locator) {
                places::fill(&mut row.copy, place);
            }
        }
        Ok(rows)
    }
}

impl<'a> RollUp<'a> {
    /// Rolls the matches of one root with one work up, and says whether that is a copy.
    fn roll_up(&mut self, work: &str, found: &matched::OfWork) -> Option<(Copy, release::Made)> {
        let releases = self.works.get(work)?;
        let count = releases.len();
        let met = releases
            .iter()
            .filter(|(release, _)| found.releases.contains_key(**release));
        let met: Vec<&'a Set> = met.map(|(_, set)| *set).collect();
        for set in met {
            self.signed(set);
        }
        release::copy_of(found, self.signed.get(work)?, count)
    }

    /// What is counted of a release.
    fn signed(&mut self, set: &'a Set) -> &Signed<'a> {
        let of_work = self.signed.entry(set.work()).or_default();
        of_work.entry(set.release()).or_insert_with(|| {
            let sets = self.input.placer.sets.sets();
            let index = sets.iter().position(|other| std::ptr::eq(other, set));
            let index = index.and_then(|index| u32::try_from(index).ok());
            let public_of = &self.public_of;
            let is_public = |id| index.is_some_and(|index| public_of.contains(&(index, id)));
            Signed::of(set, is_public)
        })
    }

    /// Files of a release that count, for rows that no file of it is matched in.
    fn files_total(&mut self, set: &'a Set) -> u64 {
        self.signed(set).counted.files
    }

    /// Whether something in a root is public, and nothing beyond that was told.
    fn is_own_public(&self, locator: &str, root: &Root) -> bool {
        if root.archive.is_some() {
            let counted = self.places.get(locator).and_then(Place::counted);
            return counted.is_some_and(|(_, files)| files.public.files > 0);
        }
        root.units.iter().any(|unit| self.own_public.contains(unit))
    }

    /// Rows for works of which a root has the paths, though no content: of each the release with most of them.
    fn named(&mut self, locator: &str) -> Vec<Row> {
        let sets = self.input.placer.sets;
        // Of files that are not there any more, names say nothing.
        let Some(place) = self
            .places
            .get(locator)
            .filter(|place| !place.is_unreadable())
        else {
            return Vec::new();
        };
        let mut best: BTreeMap<&str, (u64, &'a Set)> = BTreeMap::new();
        for (index, shared) in sets.paths().told(&place.files.paths) {
            let Some(set) = sets.sets().get(index) else {
                continue;
            };
            let held = best.get(set.work());
            let is_nearer = held.is_none_or(|(most, held)| {
                shared > *most || (shared == *most && set.release() < held.release())
            });
            if is_nearer {
                best.insert(set.work(), (shared, set));
            }
        }
        let rows = best.into_values().map(|(shared, set)| Row {
            copy: Copy {
                work: set.work().to_owned(),
                release: set.release().to_owned(),
                files_total: self.files_total(set),
                class: "names-only".to_owned(),
                paths_matched: Some(shared),
                ..Copy::default()
            },
            is_suspect: true,
            port: None,
        });
        rows.collect()
    }

    /// What is said of a root as a whole: its copies speak for it, then its suspects, the first by name of the work.
    fn examined(&self, locator: &str, root: &Root, rows: &[Row]) -> Examined {
        let place = self.places.get(locator);
        let copy = rows.iter().find(|row| !row.is_suspect).or(rows.first());
        let (class, why) = if let Some(address) = self.own.address(locator) {
            let why = format!("it was got from {address}, which the profile names as own");
            ("own-public", Some(why))
        } else if let Some(row) = copy {
            (row.copy.class.as_str(), None)
        } else if self.is_own_public(locator, root) {
            ("own-public", place.and_then(public_note))
        } else if self.input.triage {
            ("undecided", None)
        } else if place.is_some_and(Place::is_unreadable) {
            ("unreadable", None)
        } else {
            ("unrelated", None)
        };
        let unread = place.and_then(places::reading_note);
        let notes = [why, unread, self.unwalked.note(locator)];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        Examined {
            locator: locator.to_owned(),
            hops: root.hops.clone(),
            class: class.to_owned(),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        }
    }
}

fn public_note(place: &Place) -> Option<String> {
    let (counted, files) = place.counted()?;
    let all = files.all();
    (all > 0).then(|| {
        format!(
            "{} of {} match what is public of the work, and nothing beyond",
            files.public.files,
            places::files_in_words(counted, all)
        )
    })
}

fn works_of(sets: &[Set]) -> Works<'_> {
    let mut works = Works::new();
    let private = sets
        .iter()
        .filter(|set| !set.is_public() && !set.is_baseline());
    for set in private {
        let releases = works.entry(set.work()).or_default();
        releases.entry(set.release()).or_insert(set);
    }
    works
}
