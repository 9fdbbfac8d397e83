//! Copies that are not there any more when they are looked at, and cases that another version made.

mod common;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Records, finish, incident, run, scratch, sign_incident, skipped, sql, text, tree};

/// Files of the work of the small incident.
const FILES: u64 = 45;

/// Three copies, byte for byte: `a`, `gone` and `z`.
fn copies(folder: &Path) -> [PathBuf; 3] {
    let from = incident().join("copies/verbatim");
    ["a", "gone", "z"].map(|name| {
        let to = folder.join(name);
        finish(Command::new("cp").arg("-r").arg(&from).arg(&to)).expect(0);
        to
    })
}

/// Arguments of a scan of the copies into a case.
fn scan_of(copies: &[PathBuf], set: &Path, case: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["scan", "--jsonl", "-", "--signatures"]
        .map(OsString::from)
        .to_vec();
    arguments.extend([set.into(), "--case".into(), case.into()]);
    arguments.extend(copies.iter().map(OsString::from));
    arguments
}

fn classes(records: &Records) -> Vec<(&str, &str)> {
    records
        .all("examined")
        .map(|row| (text(row, "locator"), text(row, "class")))
        .collect()
}

/// It was there when the folder was listed, and none of its files when they were opened; strace plays it.
#[test]
fn a_copy_that_vanishes_while_it_is_examined_is_told_and_read_when_it_is_back() {
    let folder = scratch();
    let copies = copies(folder.path());
    let set = sign_incident(folder.path());
    let case = folder.path().join("one.case");
    let arguments = scan_of(&copies, &set, &case);
    let watch = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output();
    if !watch.is_ok_and(|output| output.status.success()) {
        return skipped(
            "a copy that vanishes",
            "strace cannot watch here",
            "STRANDLINE_REQUIRE_TOOLS",
        );
    }
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "inject=openat:error=ENOENT",
    ]);
    let gone: Vec<String> = tree(&copies[1])
        .into_iter()
        .filter_map(|(name, (_, digest))| digest.map(|_| name))
        .collect();
    for name in &gone {
        command.arg("-P").arg(copies[1].join(name));
    }
    command.arg(common::PROGRAM).args(&arguments);
    let records = finish(&mut command).expect(3).records();
    records.check_frame();
    let problems = records.problems();
    assert_eq!(problems.len() as u64, gone.len() as u64, "{problems:?}");
    for (code, locator) in problems {
        assert_eq!(code, "vanished", "{locator}");
        assert!(locator.starts_with("gone/"), "{locator}");
    }
    let others = [("a", "verbatim"), ("gone", "unreadable"), ("z", "verbatim")];
    assert_eq!(classes(&records), others);
    assert_eq!(records.locators("copy"), ["a", "z"]);

    // It is there again: the same command finishes the case, as if nothing had been.
    let again = run(&arguments).expect(0).records();
    assert_eq!(again.locators("copy"), ["a", "gone", "z"]);
    let fresh = run(scan_of(&copies, &set, &folder.path().join("two.case")))
        .expect(0)
        .records();
    assert_eq!(again.at("copy", "gone"), fresh.at("copy", "gone"));
}

/// It was scanned, and has gone when it is to be held against the original.
#[test]
fn a_copy_that_vanished_since_the_scan_is_told_and_the_others_are_compared() {
    let folder = scratch();
    let copies = copies(folder.path());
    let set = sign_incident(folder.path());
    let case = folder.path().join("one.case");
    let scanned = run(scan_of(&copies, &set, &case)).expect(0).records();
    assert_eq!(scanned.at("copy", "gone")["files_matched"], FILES);
    std::fs::remove_dir_all(&copies[1]).unwrap();
    let original = incident().join("acme-cli/src");
    let compared = run([
        OsStr::new("compare"),
        original.as_os_str(),
        "--case".as_ref(),
        case.as_os_str(),
        "--jsonl".as_ref(),
        "-".as_ref(),
    ])
    .expect(3)
    .records();
    assert_eq!(compared.locators("comparison"), ["a", "z"]);
    let problems = compared.problems();
    assert!(
        !problems.is_empty()
            && problems
                .iter()
                .all(|(_, locator)| locator.starts_with("gone")),
        "{problems:?}"
    );
}

/// Neither guessed nor lost: it says which version, and the case stays as it is.
#[test]
fn a_case_of_another_version_is_refused_by_what_reads_copies() {
    let folder = scratch();
    let copies = copies(folder.path());
    let set = sign_incident(folder.path());
    let case = folder.path().join("one.case");
    run(scan_of(&copies[..1], &set, &case)).expect(0);
    let original = incident().join("acme-cli/src");
    let other = folder.path().join("other.case");
    for (version, words) in [("99", "newer version"), ("3", "older version")] {
        sql(&case, &format!("PRAGMA user_version = {version}"));
        let before = std::fs::read(&case).unwrap();
        std::fs::copy(&case, &other).unwrap();
        let with = |front: &[&str], back: &[&OsStr]| -> Vec<OsString> {
            let front = front.iter().map(OsString::from);
            front.chain(back.iter().map(OsString::from)).collect()
        };
        for arguments in [
            scan_of(&copies, &set, &case),
            with(
                &["compare"],
                &[original.as_ref(), "--case".as_ref(), case.as_ref()],
            ),
            with(&["case", "scope"], &[case.as_ref()]),
            with(
                &["case", "sample", "--n", "3", "--seed", "1"],
                &[case.as_ref()],
            ),
            with(&["case", "diff"], &[case.as_ref(), other.as_ref()]),
        ] {
            run(&arguments).expect(2).says(words).says("one.case");
        }
        assert!(
            before == std::fs::read(&case).unwrap(),
            "the case was changed"
        );
    }
}
