//! Who wrote the files that were matched, as the vendor's own history states it.
//!
//! Whoever claims a work is asked who wrote it and when, and whether people did. A repository answers that with facts: commits with
//! authors and dates, co-authors that messages name, marks by which generators sign what they write. They go into a table as
//! they stand. Whether a tool that is named as co-author wrote anything that the law protects or not is nothing that a table says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use crate::container::git::history::{PathHistory, Told};
use crate::report::export::csv::cell;

/// Names that one cell holds.
const PEOPLE_MAX: usize = 50;

/// A file of a work, and its path in the repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkFile {
    /// Name of the work.
    pub work: String,
    /// Its path in the work, escaped as locators are.
    pub file: String,
    /// Its path in the repository, raw.
    pub path: Vec<u8>,
}

/// What a generator's mark says of a file as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generated {
    /// A mark stands in it.
    Marked(&'static str),
    /// None of those that are known.
    No,
    /// It was not looked at: it is not there now, or could not be read.
    Unknown,
}

/// The table, as CSV; files in their order beside what is told of each, and what marks say.
#[must_use]
pub fn written(files: &[WorkFile], told: &Told, generated: &[Generated]) -> String {
    let head = "work,file,path,in-history,commits,first,last,first-commit,last-commit,authors,co-authors,generated";
    let mut out = format!("{head}\r\n");
    let nothing = PathHistory::default();
    for (number, file) in files.iter().enumerate() {
        let history = told.paths.get(number).unwrap_or(&nothing);
        let mark = match generated.get(number) {
            Some(Generated::Marked(mark)) => format!("marked: {mark}"),
            Some(Generated::No) => "no mark".to_owned(),
            Some(Generated::Unknown) | None => "not looked at".to_owned(),
        };
        let dates = || history.changes.iter().filter_map(|change| change.date);
        let commit = |change: Option<&crate::container::git::history::Change>| {
            change.map(|change| change.commit.hex()).unwrap_or_default()
        };
        let row = [
            file.work.clone(),
            file.file.clone(),
            crate::blob::locator::escape(&file.path),
            place(history).to_owned(),
            history.changes.len().to_string(),
            dates().min().map(time).unwrap_or_default(),
            dates().max().map(time).unwrap_or_default(),
            commit(history.changes.first()),
            commit(history.changes.last()),
            people(told, history.changes.iter().map(|change| change.author)),
            people(
                told,
                history
                    .changes
                    .iter()
                    .flat_map(|change| change.co_authors.clone()),
            ),
            mark,
        ];
        // Writing to a String cannot fail.
        let _ = write!(out, "{}\r\n", row.map(|text| cell(&text)).join(","));
    }
    out
}

fn place(history: &PathHistory) -> &'static str {
    match (&history.at_head, history.changes.is_empty()) {
        (Some(_), _) => "yes",
        (None, false) => "earlier",
        (None, true) => "no",
    }
}

/// Names with the number of commits, the most first.
fn people(told: &Told, of: impl Iterator<Item = u32>) -> String {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for person in of {
        *counts.entry(person).or_default() += 1;
    }
    let name = |person: u32| {
        let raw = told.people.get(person as usize).map(Vec::as_slice);
        String::from_utf8_lossy(raw.unwrap_or_default()).into_owned()
    };
    let mut named: Vec<(u64, String)> = counts
        .into_iter()
        .map(|(person, count)| (count, name(person)))
        .collect();
    named.sort_by(|a, b| (b.0, &a.1).cmp(&(a.0, &b.1)));
    let more = named.len().saturating_sub(PEOPLE_MAX);
    let mut words: Vec<String> = (named.into_iter().take(PEOPLE_MAX))
        .map(|(count, name)| format!("{name} ({count})"))
        .collect();
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join("; ")
}

/// A time that a commit states, which may be any number.
fn time(seconds: i64) -> String {
    /// The end of the year 9999.
    const LAST: u64 = 253_402_300_799;
    match u64::try_from(seconds) {
        Ok(seconds) if seconds <= LAST => {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            humantime::format_rfc3339_seconds(time).to_string()
        }
        _ => format!("{seconds} seconds after 1970"),
    }
}

/// How many authors and co-authors a table names.
#[must_use]
pub fn people_count(told: &Told) -> (usize, usize) {
    let changes = || told.paths.iter().flat_map(|path| &path.changes);
    let authors: BTreeSet<u32> = changes().map(|change| change.author).collect();
    let others: BTreeSet<u32> = changes()
        .flat_map(|change| change.co_authors.clone())
        .collect();
    (authors.len(), others.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::git::history::Change;
    use crate::container::git::object::{Hash, Kind, id_of};

    #[test]
    fn a_row_says_what_commits_state() {
        let id = |text: &str| id_of(Hash::Sha1, Kind::Blob, text.as_bytes());
        let change = |date, author, co: &[u32]| Change {
            commit: id("c"),
            date,
            author,
            co_authors: co.to_vec(),
        };
        let told = Told {
            people: vec![
                b"=A <a@acme.example>".to_vec(),
                b"Bot, Inc <b@acme.example>".to_vec(),
            ],
            paths: vec![
                PathHistory {
                    changes: vec![
                        change(Some(-5), 1, &[]),
                        change(Some(0), 0, &[1]),
                        change(None, 0, &[]),
                    ],
                    at_head: Some(id("x")),
                },
                PathHistory::default(),
            ],
            ..Told::default()
        };
        let file = |path: &str| WorkFile {
            work: "acme".to_owned(),
            file: path.to_owned(),
            path: path.as_bytes().to_vec(),
        };
        let out = written(
            &[file("a.js"), file("b.js"), file("c.js")],
            &told,
            &[Generated::Marked("@generated"), Generated::No],
        );
        let rows: Vec<&str> = out.split("\r\n").collect();
        assert!(
            rows[1].starts_with("acme,a.js,a.js,yes,3,'-5 seconds after 1970,1970-01-01T00:00:00Z"),
            "{out}"
        );
        assert!(
            rows[1].contains("'=A <a@acme.example> (2); Bot, Inc <b@acme.example> (1)"),
            "{out}"
        );
        assert!(rows[1].ends_with("marked: @generated"), "{out}");
        assert!(
            rows[2].starts_with("acme,b.js,b.js,no,0,,,,,,,no mark"),
            "{out}"
        );
        assert!(rows[3].ends_with("not looked at"), "{out}");
        assert_eq!(people_count(&told), (2, 1));
    }
}
