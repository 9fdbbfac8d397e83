//! Container images, made by the tools that people use: what a later layer deleted or replaced is found, and said to be so.
//!
//! `fixtures/images.py` makes them, and lets a tool unpack one, so that what it says is there is held against what stands
//! at the top here. A tool that is missing is named on standard error; with STRANDLINE_REQUIRE_IMAGES=1 it fails.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{Records, assert_same, export, scan, scratch, text};
use serde_json::Value;

const REQUIRED: &str = "STRANDLINE_REQUIRE_IMAGES";

/// Images, a set of what is planted in them, and what is to be said of them.
struct Made {
    folder: tempfile::TempDir,
    rows: Vec<Value>,
}

impl Made {
    fn new() -> Self {
        let folder = scratch();
        let made = folder.path().join("made");
        let rows = common::made_by("images.py", [&made], "images", REQUIRED);
        common::sign_planted(&made.join("planted"), &folder.path().join("planted.sigset"));
        Self { folder, rows }
    }

    fn input(&self) -> PathBuf {
        self.folder.path().join("made/in")
    }

    fn arguments(&self) -> Vec<std::ffi::OsString> {
        vec![
            self.input().into(),
            "--record".into(),
            "all".into(),
            "--signatures".into(),
            self.folder.path().join("planted.sigset").into(),
        ]
    }

    fn with<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Value> {
        self.rows.iter().filter(move |row| !row[key].is_null())
    }
}

/// What is wrong with what was said of a planted file; empty where nothing is.
fn complaint(records: &Records, row: &Value) -> Option<String> {
    let locator = format!("in/{}", text(row, "locator"));
    let found = records
        .all("match")
        .find(|found| found["locator"] == locator && found["grade"] == "exact");
    let Some(found) = found else {
        return Some(format!("{locator}: not found"));
    };
    let image = &found["image"];
    let complain = |what: &str| Some(format!("{locator}: {what}: {row} but {image}"));
    if image["standing"] != row["standing"] {
        return complain("standing");
    }
    let uses = image["images"].as_array().expect("a list of images");
    if let Some(standings) = row["standings"].as_array() {
        let said: Vec<_> = uses.iter().map(|used| used["standing"].clone()).collect();
        return (said != *standings)
            .then(|| complain("standings"))
            .flatten();
    }
    let is_said = uses.iter().any(|used| {
        ["tags", "layer", "layers", "by_layer"]
            .iter()
            .all(|key| used[key] == row[key])
    });
    if row["tags"].is_null() {
        (!uses.is_empty()).then(|| complain("images")).flatten()
    } else {
        (!is_said).then(|| complain("image")).flatten()
    }
}

#[test]
fn what_layers_hide_is_found_and_said_to_be_hidden() {
    let made = Made::new();
    let records = scan(0, made.arguments());
    let complaints: Vec<_> = made
        .with("planted")
        .filter_map(|row| complaint(&records, row))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(made.with("planted").count() >= 31);
    for row in made.with("problem") {
        let image = format!("in/{}/", text(row, "image"));
        let said = records.problems();
        let is_said =
            (said.iter()).any(|(code, at)| *code == text(row, "problem") && at.starts_with(&image));
        assert!(is_said, "{row}: {said:?}");
    }
    // Packages in a layer are packages, as anywhere.
    let package = records
        .all("package")
        .find(|package| text(package, "locator").starts_with("in/old-save.tar.gz!/"))
        .expect("the package in the layer");
    assert_eq!(package["name"], "acme-cli");
    assert_eq!(package["image"]["standing"], "top");
}

/// Of an image that its tool unpacked: the files that are there then are those that stand at the top here.
#[test]
fn the_top_is_what_the_tool_unpacks() {
    let made = Made::new();
    let records = scan(0, made.arguments());
    for row in made.with("visible") {
        let image = format!("in/{}", text(row, "image"));
        let visible: BTreeSet<&str> = (row["visible"].as_array().expect("a list"))
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let top: BTreeSet<&str> = records
            .all("blob")
            .filter(|blob| blob["image"]["root"] == image.as_str())
            .filter(|blob| blob["image"]["standing"] == "top")
            .filter_map(|blob| text(blob, "locator").split("!/").nth(1))
            // Whiteouts are entries, and no files of the image.
            .filter(|path| !path.contains(".wh."))
            .collect();
        assert_eq!(top, visible);
    }
}

#[test]
fn threads_and_sittings_do_not_show() {
    let made = Made::new();
    let case = |name: &str| made.folder.path().join(name);
    let scanned = |name: &str, jobs: &str| {
        let mut arguments = made.arguments();
        arguments.extend(["--jobs".into(), jobs.into(), "--case".into()]);
        arguments.push(case(name).into());
        scan(0, arguments);
    };
    scanned("one.case", "1");
    scanned("two.case", "4");
    assert_same(
        &export(&case("one.case")),
        &export(&case("two.case")),
        "jobs",
    );

    // Without its documents the layers stand nowhere; with them again, where they stood.
    let index = made.input().join("platforms/index.json");
    let text = std::fs::read(&index).expect("the index is there");
    std::fs::remove_file(&index).expect("it can be removed");
    scanned("one.case", "1");
    let without = export(&case("one.case"));
    let standing = |records: &Records| {
        let found = records
            .all("match")
            .find(|found| common::text(found, "locator").starts_with("in/platforms/"));
        found.expect("the planted file")["image"]["standing"].clone()
    };
    assert_eq!(standing(&without), Value::Null);
    std::fs::write(&index, text).expect("it can be written");
    scanned("one.case", "1");
    assert_same(
        &export(&case("one.case")),
        &export(&case("two.case")),
        "in sittings",
    );
}

/// A tar that was met under another name first is listed all the same when it is a layer.
#[test]
fn a_layer_that_was_seen_before_is_still_a_layer() {
    let made = Made::new();
    let hostile = made.input().join("hostile/blobs/sha256");
    let copies = made.input().join("a-copies");
    std::fs::create_dir(&copies).expect("a folder");
    copy_all(&hostile, &copies);
    let mut arguments = made.arguments();
    arguments.extend(["--jobs".into(), "1".into()]);
    let records = scan(0, arguments);
    let complaints: Vec<_> = made
        .with("planted")
        .filter_map(|row| complaint(&records, row))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn copy_all(from: &Path, to: &Path) {
    for (number, entry) in std::fs::read_dir(from).expect("a folder").enumerate() {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(format!("{number}.bin"))).expect("copied");
    }
}
