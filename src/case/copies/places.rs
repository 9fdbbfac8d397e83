//! What a root holds beside the work: files that match nothing, files that could not be read, licences, paths.
//!
//! Units say so of themselves (see [`files`](crate::scan::files)); here those of a root are added up, and what is known of
//! files that had nothing to tell is taken from their rows. Of a root that is git stores and nothing else the files at their heads
//! are counted, where all of them are known (see [`heads`](crate::scan::heads)): they are what a visitor sees there. Where files lie
//! open, a store beside them adds none.

use std::collections::{BTreeMap, BTreeSet};

use super::super::roots::Root;
use super::super::store::{Case, CaseError, unpacked};
use crate::record::{Copy, Counted, LicenceFile};
use crate::scan::files::{FileTally, Held};
use crate::scan::heads::Counts;
use crate::scan::several::Part;
use crate::signature::paths::PathIndex;

/// Licence files that a record names.
const LICENCES_MAX: usize = 16;

/// What a root holds.
#[derive(Default)]
pub(super) struct Place {
    pub(super) files: FileTally,
    /// Anything of it was read.
    is_read: bool,
    /// How many bytes those files have that match nothing, is not known.
    lacks_bytes: bool,
}

impl Place {
    /// Its files, and where they were counted; `None` where they are not known.
    pub(super) fn counted(&self) -> Option<(Counted, Counts)> {
        let open = self.files.counts();
        if open.all() > 0 || !self.files.stores {
            return Some((Counted::LaidOut, open));
        }
        let head = self.files.heads.known()?;
        Some((Counted::Head, *head))
    }

    /// Whether nothing can be said of it, since none of its files could be read.
    pub(super) fn is_unreadable(&self) -> bool {
        let files = &self.files;
        let has_none = files.read() == 0 && files.unread.files + files.cut > 0;
        !self.is_read || (has_none && !files.stores)
    }
}

/// What each root holds, by its locator.
pub(super) type Places<'r> = BTreeMap<&'r str, Place>;

/// What the case says of a unit.
struct UnitRow {
    unit: i64,
    path: Vec<u8>,
    size: i64,
    is_read: bool,
    is_archive: bool,
    /// Its files; none where it is one that matches nothing, or was not read.
    tally: Option<Vec<u8>>,
}

impl UnitRow {
    fn read(row: &rusqlite::Row) -> rusqlite::Result<Self> {
        Ok(Self {
            unit: row.get(0)?,
            path: row.get(1)?,
            size: row.get(2)?,
            is_read: row.get(3)?,
            is_archive: row.get(4)?,
            tally: row.get(5)?,
        })
    }
}

impl Case {
    /// Adds up what the units of each root hold.
    pub(super) fn places<'r>(
        &self,
        roots: &'r BTreeMap<String, Root>,
        paths: &PathIndex,
    ) -> Result<Places<'r>, CaseError> {
        // Sorted: of millions of units a map would take several times as much.
        let mut of_unit: Vec<(i64, &str)> = Vec::new();
        // What an archive of several copies holds is added up for each of them, and for all.
        for (locator, root) in roots.iter().filter(|(_, root)| root.archive.is_none()) {
            of_unit.extend(root.units.iter().map(|unit| (*unit, locator.as_str())));
        }
        of_unit.sort_unstable();
        let mut places = Places::new();
        let mut query = self
            .db
            .prepare(
                "SELECT unit.id, unit.path, unit.size, length(unit.keys) > 0,
                        coalesce(open_fact.is_archive, 0), file_tally.files
                 FROM unit LEFT JOIN open_fact ON open_fact.unit = unit.id
                 LEFT JOIN file_tally ON file_tally.unit = unit.id",
            )
            .map_err(|error| self.wrap(error))?;
        let mut rows = query.query([]).map_err(|error| self.wrap(error))?;
        while let Some(row) = rows.next().map_err(|error| self.wrap(error))? {
            let found = UnitRow::read(row).map_err(|error| self.wrap(error))?;
            let Ok(at) = of_unit.binary_search_by_key(&found.unit, |(unit, _)| *unit) else {
                continue;
            };
            let (_, root) = of_unit[at];
            let place = places.entry(root).or_default();
            place.is_read |= found.is_read;
            let place = &mut place.files;
            if !found.is_archive {
                place.paths.extend(paths.find(&found.path));
            }
            match found.tally {
                Some(tally) => {
                    place.unite(unpacked(&tally, &format!("files of unit {}", found.unit))?);
                }
                None => {
                    let kind = if found.is_read {
                        Held::Other
                    } else {
                        Held::Unread
                    };
                    place.add(kind, found.size.unsigned_abs());
                }
            }
        }
        drop(rows);
        drop(query);
        self.add_parts(roots, &mut places)?;
        Ok(places)
    }

    /// Adds what the copies hold that lie side by side in one archive.
    fn add_parts<'r>(
        &self,
        roots: &'r BTreeMap<String, Root>,
        places: &mut Places<'r>,
    ) -> Result<(), CaseError> {
        let inputs: BTreeSet<i64> = roots
            .values()
            .filter(|root| root.is_several)
            .map(|root| root.input)
            .collect();
        for input in inputs {
            let parts = self.parts_of(input)?;
            let of_input = roots.iter().filter(|(_, root)| root.input == input);
            for (locator, root) in of_input.filter(|(_, root)| root.archive.is_some()) {
                let unit = root.units.first().and_then(|unit| parts.get(unit));
                let archive = root.archive.as_deref().unwrap_or_default();
                let is_it = |part: &&Part| format!("{archive}!/{}", part.folder) == *locator;
                if let Some(part) = unit.and_then(|parts| parts.iter().find(is_it)) {
                    let place = Place {
                        files: part.files.clone(),
                        is_read: true,
                        lacks_bytes: part.lacks_bytes,
                    };
                    places.insert(locator, place);
                }
            }
        }
        Ok(())
    }
}

/// Says in a row what its place holds beside the work.
pub(super) fn fill(copy: &mut Copy, place: &Place) {
    if let Some((counted, files)) = place.counted() {
        copy.counted = Some(counted);
        copy.unmatched_files = Some(files.other.files);
        copy.unmatched_bytes = (!place.lacks_bytes).then_some(files.other.bytes);
        copy.public_files = Some(files.public.files);
        copy.unread_files = Some(files.unread.files);
    }
    let place = &place.files;
    // What the head holds is what lies beside the store.
    let is_laid_out = place.read() > 0;
    let licences = place.licences.iter();
    let licences = licences.filter(|licence| !(licence.in_store && is_laid_out));
    copy.licences = licences
        .take(LICENCES_MAX)
        .map(|licence| LicenceFile {
            path: below(&licence.at, &copy.locator).to_owned(),
            licence: licence.id.clone(),
        })
        .collect();
}

/// The way from a root to something in it.
fn below<'a>(at: &'a str, root: &str) -> &'a str {
    let rest = at.strip_prefix(root);
    let rest = rest.and_then(|rest| rest.strip_prefix("!/").or_else(|| rest.strip_prefix('/')));
    rest.unwrap_or(at)
}

/// What is to be said of how much of a root was read; `None` where that is all.
pub(super) fn reading_note(place: &Place) -> Option<String> {
    let cut = place.files.cut;
    let files = place.counted().and_then(|(counted, files)| {
        let (unread, all) = (files.unread.files, files.all());
        let files = files_in_words(counted, all);
        match unread {
            0 => None,
            _ if unread == all => Some(format!("none of {files} could be read in full")),
            _ => Some(format!("{unread} of {files} could not be read in full")),
        }
    });
    let containers = (cut > 0).then(|| {
        let containers = if cut == 1 { "container" } else { "containers" };
        format!("{cut} {containers} could not be read to the end")
    });
    let notes: Vec<String> = [files, containers].into_iter().flatten().collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// All files of a place, where they were counted.
pub(super) fn files_in_words(counted: Counted, all: u64) -> String {
    match counted {
        Counted::LaidOut => format!("its {all} files"),
        Counted::Head => format!("the {all} files at its head"),
    }
}
