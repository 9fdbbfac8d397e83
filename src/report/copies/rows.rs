//! Rows of records: what of one is shown, and in which words.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::bounded::Count;
use super::super::model::GRADES;
use super::super::text::{KEPT_CHARS, clip, release_words};
use super::model::*;
use crate::record::Copy;

/// Licence files that a row names.
const LICENCES_SHOWN: usize = 3;
/// Stretches of lines that a row names.
const STRETCHES_SHOWN: usize = 8;

/// The largest share first, then by place.
pub(super) type CopyKey = (Reverse<u64>, String);

pub(super) fn row_of(copy: Copy) -> (CopyKey, CopyRow) {
    // Millionths: floats have no total order, and finer is not shown.
    let share = (copy.of_original.clamp(0.0, 1.0) * 1e6) as u64;
    let why = copy.release_basis.as_ref();
    let licences = copy.licences.iter().take(LICENCES_SHOWN).map(|file| {
        let says = file.licence.as_deref().unwrap_or("not recognised");
        kept(&format!("{}: {says}", file.path))
    });
    let mut licences: Vec<String> = licences.collect();
    let more = copy.licences.len().saturating_sub(LICENCES_SHOWN);
    if more > 0 {
        licences.push(format!("and {more} more"));
    }
    let row = CopyRow {
        locator: kept(&copy.locator),
        why: why.and_then(|basis| Some(kept(&release_words(basis, &copy.release)?))),
        grades: grades(copy.grades),
        standing: counts(copy.standing),
        licences,
        url: copy.url.as_deref().map(kept),
        location: copy.location,
        work: kept(&copy.work),
        release: kept(&copy.release),
        files_matched: copy.files_matched,
        files_total: copy.files_total,
        of_original: copy.of_original,
        unmatched_files: copy.unmatched_files,
        unmatched_bytes: copy.unmatched_bytes,
        class: kept(&copy.class),
        dates: copy.dates.map(|dates| DateSpan {
            first: kept(&dates.first),
            last: kept(&dates.last),
            basis: kept(&dates.basis),
        }),
        ..CopyRow::default()
    };
    ((Reverse(share), row.locator.clone()), row)
}

fn grades(of: BTreeMap<String, u64>) -> Vec<Count> {
    let mut grades = counts(of);
    let strength = |name: &str| {
        GRADES
            .iter()
            .position(|(_, word)| *word == name)
            .unwrap_or(GRADES.len())
    };
    grades.sort_by_key(|grade| strength(&grade.name));
    grades
}

/// Counts that are not 0; of forged ones the first few.
fn counts(of: BTreeMap<String, u64>) -> Vec<Count> {
    const WORDS: usize = 8;
    let rows = of.into_iter().filter(|(_, count)| *count > 0);
    rows.take(WORDS)
        .map(|(name, count)| Count {
            name: kept(&name),
            count,
        })
        .collect()
}

/// `12–40, 77, and 3 more stretches`.
pub(super) fn stretches(lines: &[[u64; 2]]) -> String {
    let shown = lines.iter().take(STRETCHES_SHOWN).map(|[first, last]| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}–{last}")
        }
    });
    let mut shown: Vec<String> = shown.collect();
    let more = lines.len().saturating_sub(STRETCHES_SHOWN);
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

pub(super) fn kept(text: &str) -> String {
    clip(text, KEPT_CHARS)
}
