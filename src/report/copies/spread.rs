//! Copies by date. When a copy was seen, when its author says it was made and when its files were written are three
//! things, so each has a column of its own, and nothing adds them up.

use std::collections::BTreeMap;

use super::model::{CopyRow, DateSource, Spread, SpreadRow};

/// Rows of the timeline.
const SPREAD_ROWS: usize = 60;

/// The sources of dates, in order of columns.
pub(super) const SOURCES: [&str; 3] = ["seen-at", "git-author", "file"];

/// The first characters of a date that make a year, a month or a day.
const STEPS: [(&str, usize); 3] = [("day", 10), ("month", 7), ("year", 4)];

/// The day of an RFC 3339 date; `None` where it is none.
pub(in crate::report) fn day(date: &str) -> Option<&str> {
    let day = date.get(..10)?;
    let is_day = day.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    is_day.then_some(day)
}

/// The timeline of all copies.
pub(super) fn spread<'r>(copies: impl Iterator<Item = &'r CopyRow>) -> Spread {
    let mut out = Spread::default();
    let mut days: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    let mut sources: [Option<DateSource>; 3] = Default::default();
    for row in copies {
        let mut is_dated = false;
        for (at, (basis, source)) in SOURCES.iter().zip(&mut sources).enumerate() {
            let Some(day) = date_of(row, basis).and_then(day) else {
                continue;
            };
            is_dated = true;
            if let Some(count) = days.entry(day).or_default().get_mut(at) {
                *count += 1;
            }
            let source = source.get_or_insert_with(|| DateSource {
                basis: (*basis).to_owned(),
                copies: 0,
                first: day.to_owned(),
                last: day.to_owned(),
            });
            source.copies += 1;
            if day < source.first.as_str() {
                day.clone_into(&mut source.first);
            }
            if day > source.last.as_str() {
                day.clone_into(&mut source.last);
            }
        }
        out.undated += u64::from(!is_dated);
    }
    out.sources = sources.into_iter().flatten().collect();
    for (step, chars) in STEPS {
        let rows = rows(&days, chars);
        step.clone_into(&mut out.step);
        out.rows = rows;
        if out.rows.len() <= SPREAD_ROWS {
            return out;
        }
    }
    // Forged dates may name a thousand years; the latest matter.
    let cut = out.rows.len() - SPREAD_ROWS;
    let earlier = out.rows.drain(..cut);
    out.earlier = earlier
        .map(|row| row.seen_at + row.git_author + row.file)
        .sum();
    out
}

fn date_of<'r>(row: &'r CopyRow, basis: &str) -> Option<&'r str> {
    if basis == "seen-at" {
        return row.seen_at.as_deref();
    }
    let dates = row.dates.as_ref().filter(|dates| dates.basis == basis)?;
    Some(&dates.first)
}

fn rows(days: &BTreeMap<&str, [u64; 3]>, chars: usize) -> Vec<SpreadRow> {
    let mut rows: Vec<SpreadRow> = Vec::new();
    for (day, [seen_at, git_author, file]) in days {
        let when = day.get(..chars).unwrap_or(day);
        if rows.last().is_none_or(|row| row.when != when) {
            rows.push(SpreadRow {
                when: when.to_owned(),
                ..SpreadRow::default()
            });
        }
        if let Some(row) = rows.last_mut() {
            row.seen_at += seen_at;
            row.git_author += git_author;
            row.file += file;
        }
    }
    rows
}
