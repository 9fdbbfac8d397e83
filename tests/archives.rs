//! Archives of every kind, made by the tools that people use: in each a planted file stands, and must be found by exact
//! match at the right place.
//!
//! `fixtures/archives.py` makes them. A tool that is missing is named on standard error; with STRANDLINE_REQUIRE_TOOLS=1
//! it fails. So it is with the archives that other projects test their own readers with, which come in packages of
//! Debian: STRANDLINE_DEBS is a folder that holds those.

mod common;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use common::{Records, run, scan, scratch, skipped, text};
use serde_json::Value;

const INCOMPLETE: i32 = 3;
const REQUIRED: &str = "STRANDLINE_REQUIRE_TOOLS";

/// Makes the archives, and says what is in them.
fn make(folder: &Path) -> Vec<Value> {
    common::made_by("archives.py", [folder], "archives", REQUIRED)
}

#[test]
fn every_planted_file_is_found_where_it_is() {
    let folder = scratch();
    let made = folder.path().join("made");
    let rows = make(&made);
    assert!(rows.len() > 60, "{} archives", rows.len());
    let set = folder.path().join("planted.sigset");
    common::sign_planted(&made.join("planted"), &set);
    let input = made.join("in");
    let arguments = [
        input.as_os_str(),
        OsStr::new("--signatures"),
        set.as_os_str(),
    ];
    let complaints = complaints(&rows, &scan(INCOMPLETE, arguments));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let safe = arguments.into_iter().chain([OsStr::new("--safe-decoders")]);
    let complaints = self::complaints(&rows, &scan(INCOMPLETE, safe));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What is not found, or not said.
fn complaints(rows: &[Value], records: &Records) -> Vec<String> {
    let problems = records.problems();
    let mut complaints = Vec::new();
    for row in rows {
        let file = format!("in/{}", text(row, "file"));
        let locator = format!("in/{}", text(row, "locator"));
        let is_there = records
            .all("match")
            .any(|found| found["locator"] == locator && found["grade"] == row["grade"]);
        if !is_there {
            complaints.push(format!("{locator}: not found"));
        }
        let said: Vec<_> = problems
            .iter()
            .filter(|(_, at)| *at == file || at.starts_with(&format!("{file}!")))
            .map(|(code, _)| *code)
            .collect();
        if said.contains(&"contains-itself") || said.contains(&"internal-error") {
            complaints.push(format!("{file}: {said:?}"));
        }
        match row["problem"].as_str() {
            Some(code) if !said.contains(&code) => {
                complaints.push(format!("{file}: no {code} in {said:?}"));
            }
            _ => {}
        }
    }
    complaints
}

/// The archives that others test their readers with: none brings the program down, and the account adds up.
#[test]
fn archives_of_other_projects_are_survived() {
    const PACKAGES: [&str; 2] = ["golang-1.19-src", "libpython3.11-testsuite"];
    let Some(folder) = std::env::var_os("STRANDLINE_DEBS").map(PathBuf::from) else {
        skipped(
            "archives of other projects",
            "STRANDLINE_DEBS is not set",
            REQUIRED,
        );
        return;
    };
    for package in PACKAGES {
        let found = std::fs::read_dir(&folder)
            .expect("STRANDLINE_DEBS is a folder")
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(package) && name.ends_with(".deb")
            });
        let Some(path) = found else {
            skipped(package, "the package is not there", REQUIRED);
            continue;
        };
        // A package is an archive itself, and all of them are opened where they lie.
        let ran = run([
            OsStr::new("scan"),
            OsStr::new("--jsonl"),
            OsStr::new("-"),
            path.as_os_str(),
        ]);
        assert!(matches!(ran.status, Some(0 | 3)), "{}", ran.stderr);
        let records = ran.records();
        records.check_frame();
        let faults = records.problems();
        let faults: Vec<_> = faults
            .iter()
            .filter(|(code, _)| *code == "internal-error")
            .collect();
        assert_eq!(faults, [] as [&(&str, &str); 0]);
        assert!(
            common::number(records.ledger(), "containers") > 15,
            "{package}"
        );
    }
}
