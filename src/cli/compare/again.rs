//! Copies of a case, read again: where each lies, and whether it is still what was scanned.
//!
//! What is told of a copy is true of the bytes that the scan saw. One that changed since, or went, or lies within a container,
//! is not held against anything: a problem says which and why.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{CliError, path_from_bytes};
use super::read::{Place, ReadPlace, Reader};
use crate::case::{Case, CopyPlace, CopyUnit};
use crate::copies::tree::{Held, Reading};
use crate::record::Problem;

/// Where a copy of a case is to be read.
pub fn place_of(of_case: &CopyPlace, case: &Path, one_file_system: bool) -> Place {
    Place {
        file: file_of(of_case),
        label: of_case.label.clone(),
        path: of_case.path.clone(),
        others: of_case.others.clone(),
        case: Some(case.to_path_buf()),
        one_file_system,
    }
}

/// Where the root of a copy lies.
fn file_of(place: &CopyPlace) -> PathBuf {
    let input = path_from_bytes(&place.input);
    if place.path.is_empty() {
        return input;
    }
    input.join(path_from_bytes(&place.path))
}

/// The contents of the original, which copies share.
pub fn held_of(reading: &Reading) -> Held {
    let files = reading.tree.files.values();
    files
        .filter_map(|file| Some((file.sha256?, file.bytes.clone()?)))
        .collect()
}

/// Reads a copy; of one that is gone, or is another than was scanned, the problem.
pub fn read(
    reader: &Reader,
    case: &Case,
    of_case: &CopyPlace,
    place: &Place,
    held: &Held,
) -> Result<Result<ReadPlace, Problem>, CliError> {
    let problem = |code: &str, detail: String| {
        Ok(Err(Problem {
            code: code.to_owned(),
            locator: of_case.locator.clone(),
            hops: of_case.hops.clone(),
            detail,
            bytes_unread: None,
        }))
    };
    if of_case.is_within {
        return problem(
            "unsupported",
            "this copy lies within a container, and was not compared; unpack it and compare it by itself".to_owned(),
        );
    }
    if let Err(error) = std::fs::metadata(&place.file) {
        return problem(
            "vanished",
            format!("this copy was not compared, since it is not where it was scanned: {error}"),
        );
    }
    let read = reader.read(place, Some(held))?;
    match change_since(&case.units_of_copy(of_case)?, &read, place) {
        Some(what) => problem(
            "changed-since-scan",
            format!("this copy was not compared, since {what} since the scan; scan it again"),
        ),
        None => Ok(Ok(read)),
    }
}

/// What became of a copy since it was scanned, if anything did.
fn change_since(units: &[CopyUnit], read: &ReadPlace, place: &Place) -> Option<&'static str> {
    let before: BTreeMap<&[u8], &CopyUnit> = units
        .iter()
        .map(|unit| (unit.path.as_slice(), unit))
        .filter(|(path, _)| place.holds(path, false))
        .collect();
    let mut found = 0;
    for unit in &read.units {
        let Some(held) = before.get(unit.path.as_slice()) else {
            return Some("files came");
        };
        found += 1;
        // The store beside a work tree is no part of what is compared.
        if unit.is_store && !read.is_store {
            continue;
        }
        let is_same = match (held.sha256, unit.sha256) {
            (Some(before), Some(now)) => before == now.0,
            _ => held.stamp.size == unit.stamp.size && held.stamp.mtime == unit.stamp.mtime,
        };
        if !is_same {
            return Some("it changed");
        }
    }
    let stores = |path: &[u8]| place.others.contains(path);
    let gone = before.keys().filter(|path| !stores(path)).count() > found;
    gone.then_some("files went")
}
