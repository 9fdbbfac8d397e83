//! Programs, dumps, data and models by the tools that people make them with: each is told for what it is, under a name
//! that says nothing, and says what its own header says.
//!
//! `fixtures/artifacts.py` makes them with libraries from PyPI and with programs. A tool that is missing is named on
//! standard error; with STRANDLINE_REQUIRE_ARTIFACTS=1 it fails.

mod common;

use std::ffi::OsStr;
use std::path::Path;

use common::{Records, lines, python, scan, scratch, skipped, text};
use serde_json::Value;

/// Tools that few machines have; the others have to be there where they are required.
const RARE: [&str; 2] = ["gcore that may look at a process", "a server of PostgreSQL"];

/// Makes everything in a folder, and says what is in the files.
fn make(folder: &Path) -> Vec<Value> {
    std::fs::create_dir(folder).unwrap();
    let script = common::fixtures().join("artifacts.py");
    let printed = python([script.as_os_str(), folder.as_os_str()]);
    // Libraries print what they like between.
    let rows: Vec<Value> = lines(&printed)
        .filter(|line| line.starts_with(b"{"))
        .map(|line| serde_json::from_slice(line).expect("the script prints JSON"))
        .collect();
    let (missing, rows): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row["missing"].is_string());
    for row in missing {
        let tool = text(&row, "missing");
        let why = format!("{tool} is not installed");
        let required = if RARE.contains(&tool) {
            "STRANDLINE_REQUIRE_RARE_TOOLS"
        } else {
            "STRANDLINE_REQUIRE_ARTIFACTS"
        };
        skipped("artifacts", &why, required);
    }
    rows
}

/// What is wrong with the findings about one file; nothing, it should be.
fn complaint(row: &Value, records: &Records) -> Option<String> {
    let place = format!("in/{}{}", text(row, "file"), text(row, "at"));
    let here: Vec<&Value> = records
        .all("exposure")
        .filter(|found| found["locator"] == place.as_str())
        .collect();
    let Some(class) = row["class"].as_str() else {
        return (!here.is_empty()).then(|| format!("{place}: {here:?}"));
    };
    let Some(found) = here.iter().find(|found| found["class"] == class) else {
        return Some(format!("{place}: no {class} but {here:?}"));
    };
    let detail = text(found, "detail");
    if row["severity"].is_string() && found["severity"] != row["severity"] {
        return Some(format!("{place}: {} of {detail}", found["severity"]));
    }
    let mut says = row["says"].as_array().unwrap().iter();
    let unsaid = says.find(|words| !detail.contains(words.as_str().unwrap()));
    unsaid.map(|words| format!("{place}: no {words} in {detail}"))
}

#[test]
fn every_artifact_is_told_as_its_tool_made_it() {
    let folder = scratch();
    let rows = make(&folder.path().join("in"));
    assert!(rows.len() >= 15, "{} files", rows.len());
    let input = folder.path().join("in");
    let records = scan(0, [input.as_os_str()]);
    let complaints: Vec<_> = rows
        .iter()
        .filter_map(|row| complaint(row, &records))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A model is often larger than may be held: its beginning says what it is, and that no more was looked at.
#[test]
fn what_is_too_large_to_be_held_is_told_by_its_beginning() {
    const BYTES: u64 = 3 << 20;
    let folder = scratch();
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    let header = format!(
        "{{\"a\":{{\"dtype\":\"BF16\",\"shape\":[{}],\"data_offsets\":[0,{BYTES}]}}}}",
        BYTES / 2
    );
    let mut model = (header.len() as u64).to_le_bytes().to_vec();
    model.extend(header.as_bytes());
    // No bytes that could be taken for something else, and no hole.
    model.extend((0..BYTES).map(|n| (n * 7 % 251) as u8));
    std::fs::write(input.join("model"), &model).unwrap();
    // A table in whose middle another form begins: that is no file.
    let mut rows = "id,phone,surname\n".to_owned();
    for number in 0..200_000 {
        rows.push_str(&format!("{number},{number},x\nSF:{number}\nTN:\n"));
    }
    std::fs::write(input.join("rows"), rows).unwrap();
    let arguments = [input.as_os_str(), OsStr::new("--memory"), OsStr::new("2M")];
    let records = scan(0, arguments);
    let found: Vec<(&str, &str, &str)> = records
        .all("exposure")
        .map(|row| {
            (
                text(row, "locator"),
                text(row, "class"),
                text(row, "detail"),
            )
        })
        .collect();
    let [
        ("in/model", "model-weights", model_said),
        ("in/rows", "personal-data", rows_said),
    ] = found[..]
    else {
        panic!("{found:?}");
    };
    assert_eq!(
        model_said,
        "safetensors: 1 tensor (BF16), 3,145,728 bytes of them; told by its beginning"
    );
    assert!(
        rows_said.contains("in its beginning; columns phone, surname"),
        "{rows_said}"
    );
}
