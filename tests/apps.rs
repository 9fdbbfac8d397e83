//! Applications packed by the tools that pack real ones: Electron's asar, Node with postject, pkg's producer, nexe, Metro
//! and Hermes of React Native, three versions of Deno, four of Bun. What went in must come out, hash by hash.
//!
//! `fixtures/apps.py` builds them and says what is in them, into `fixtures/packages/apps` or wherever STRANDLINE_APPS
//! says. Without them this test says so and passes; with STRANDLINE_REQUIRE_APPS=1 it fails. Bun's, Deno's and nexe's are
//! optional even then, because of their size. The runtimes of pkg, Deno and nexe are stand-ins.

mod common;

use std::ffi::OsStr;
use std::path::PathBuf;

use common::{Records, lines, scan, skipped, text};
use serde_json::Value;

/// The folder of applications; `None` where there is none and none is required.
fn apps() -> Option<PathBuf> {
    let folder = std::env::var_os("STRANDLINE_APPS").map_or_else(
        || common::fixtures().join("packages").join("apps"),
        PathBuf::from,
    );
    if folder.join("expected.jsonl").exists() {
        return Some(folder);
    }
    let why = format!(
        "no applications in {}: run `python3 fixtures/apps.py --all`, or set STRANDLINE_APPS",
        folder.display()
    );
    skipped("applications", &why, "STRANDLINE_REQUIRE_APPS");
    None
}

/// The record of `kind` that stands at a locator, or between the two parts of one with a `*`.
fn find<'a>(records: &'a Records, kind: &str, locator: &str) -> Option<&'a Value> {
    let locator = format!("made/{locator}");
    let (front, back) = locator.split_once('*').unwrap_or((&locator, ""));
    let is_exact = !locator.contains('*');
    records.all(kind).find(|record| {
        let at = text(record, "locator");
        at == locator || (!is_exact && at.starts_with(front) && at.ends_with(back))
    })
}

#[test]
fn what_real_tools_packed_comes_out_byte_for_byte() {
    let Some(folder) = apps() else {
        return;
    };
    let made = folder.join("made");
    let all: [&OsStr; 3] = [made.as_ref(), "--record".as_ref(), "all".as_ref()];
    let records = scan(0, all);
    assert_eq!(records.problems(), []);
    let expected = std::fs::read(folder.join("expected.jsonl")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in lines(&expected) {
        let row: Value = serde_json::from_slice(line).unwrap();
        let found = find(&records, text(&row, "kind"), text(&row, "locator"));
        let is_right = |found: &Value| match text(&row, "kind") {
            "reference" => found["found"] == format!("made/{}", text(&row, "found")),
            "blob" if row["content"].is_string() && found["kind"] != row["content"] => false,
            _ => found["sha256"] == row["sha256"],
        };
        if !found.is_some_and(is_right) {
            wrong.push(format!("{row} but {found:?}"));
        }
        count += 1;
    }
    assert!(count > 10, "{count} files are expected");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let other = &records.ledger()["other"];
    assert_eq!(other["unpacked"], 1, "beside the archive: {other}");
}
