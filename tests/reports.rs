//! A report held against an earlier one and against claims, from outside: what it prints is what its twin says.

mod common;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use common::{export, run, scratch, tgz};
use serde_json::{Value, json};

/// The class that these tests are about.
const CLASS: &str = "map-embedded-sources";

fn release(folder: &Path, name: &str, sources: &[&str]) {
    let names: Vec<String> = (0..sources.len())
        .map(|index| format!("../src/{index}.ts"))
        .collect();
    let map = json!({"version": 3, "sources": names, "sourcesContent": sources, "names": [], "mappings": "AAAA"});
    let files = [
        (
            "package/package.json",
            format!(r#"{{"name":"{name}","version":"1.0.0","license":"UNLICENSED"}}"#),
        ),
        ("package/cli.js.map", map.to_string()),
    ];
    std::fs::write(folder.join(format!("{name}.tgz")), tgz(&files)).unwrap();
}

fn report(case: &Path, output: &Path, more: &[&OsStr]) -> (Value, String) {
    let arguments = [
        OsStr::new("report"),
        case.as_os_str(),
        "--output".as_ref(),
        output.as_os_str(),
    ];
    run(arguments.into_iter().chain(more.iter().copied())).expect(0);
    let twin = std::fs::read(output.join("report.json")).unwrap();
    let page = std::fs::read_to_string(output.join("index.html")).unwrap();
    (serde_json::from_slice(&twin).unwrap(), page)
}

fn rows<'v>(twin: &'v Value, table: &str) -> Vec<(&'v str, &'v str)> {
    let rows = twin["changes"][table]["rows"].as_array().unwrap();
    let mut rows: Vec<_> = rows
        .iter()
        .filter(|row| row["what"] == CLASS)
        .map(|row| {
            let file = row["locator"].as_str().unwrap().split("!/").next().unwrap();
            (file, row["cause"].as_str().unwrap())
        })
        .collect();
    rows.sort_unstable();
    rows
}

struct Incident {
    folder: tempfile::TempDir,
    input: PathBuf,
    case: PathBuf,
}

fn incident() -> Incident {
    let folder = scratch();
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    for name in ["stays", "goes", "changes"] {
        release(
            &input,
            name,
            &["export const a = 1;\n", "export const b = 2;\n"],
        );
    }
    let case = folder.path().join("a.case");
    Incident {
        folder,
        input,
        case,
    }
}

impl Incident {
    fn scan(&self, more: &[&OsStr]) {
        let arguments = [
            OsStr::new("scan"),
            self.input.as_os_str(),
            "--case".as_ref(),
            self.case.as_os_str(),
        ];
        run(arguments.into_iter().chain(more.iter().copied())).expect(0);
    }
}

#[test]
fn what_changed_since_an_earlier_report_is_told_with_its_cause() {
    let incident = incident();
    incident.scan(&[]);
    let first = incident.folder.path().join("first");
    let (twin, _) = report(&incident.case, &first, &[]);
    assert_eq!(twin["changes"], Value::Null);
    let findings = std::fs::read_to_string(first.join("findings.jsonl")).unwrap();
    assert_eq!(
        twin["findings_list"]["findings"].as_u64(),
        Some(findings.lines().count() as u64 - 1)
    );
    assert_eq!(
        export(&incident.case).all("exposure").count(),
        findings.lines().count() - 1
    );

    // Nothing changed: nothing is told.
    let previous = first.join("report.json");
    let since = [OsStr::new("--since"), previous.as_os_str()];
    let (twin, _) = report(&incident.case, &incident.folder.path().join("same"), &since);
    assert_eq!(
        twin["changes"]["unchanged"],
        twin["findings_list"]["findings"]
    );
    for table in ["new", "withdrawn", "reclassified"] {
        assert_eq!(twin["changes"][table]["total"], 0, "{table}");
    }

    std::fs::remove_file(incident.input.join("goes.tgz")).unwrap();
    std::fs::write(
        incident.input.join("changes.tgz"),
        tgz(&[("package/x.js", "run()\n")]),
    )
    .unwrap();
    release(&incident.input, "comes", &["export const c = 3;\n"]);
    incident.scan(&[]);
    let second = incident.folder.path().join("second");
    let (twin, page) = report(&incident.case, &second, &since);
    assert_eq!(
        rows(&twin, "new"),
        [("in/comes.tgz", "new file, or one with other content")]
    );
    assert_eq!(
        rows(&twin, "withdrawn"),
        [
            ("in/changes.tgz", "content changed"),
            ("in/goes.tgz", "file gone from the input")
        ]
    );
    assert!(page.contains("file gone from the input") && page.contains("id=\"changes\""));
    let table = std::fs::read_to_string(second.join("changes.csv")).unwrap();
    let of_class = table.lines().filter(|line| line.contains(CLASS));
    assert_eq!(of_class.count(), 3, "{table}");

    // A profile that owns what nobody owned: the same bytes, judged with other words.
    let profile = incident.folder.path().join("acme.toml");
    std::fs::write(&profile, "name = \"Acme\"\npackages = [\"stays\"]\n").unwrap();
    let previous = second.join("report.json");
    incident.scan(&["--org".as_ref(), profile.as_os_str()]);
    let third = incident.folder.path().join("third");
    let (twin, _) = report(
        &incident.case,
        &third,
        &["--since".as_ref(), previous.as_os_str()],
    );
    assert_eq!(twin["changes"]["differences"][0]["what"], "profile");

    // A list that is not the report's is refused, and so is what is no report.
    let mut altered = findings;
    altered.push('\n');
    std::fs::write(first.join("findings.jsonl"), altered).unwrap();
    let refused = |previous: &Path, words: &str| {
        let output = incident.folder.path().join("refused");
        run([
            OsStr::new("report"),
            incident.case.as_os_str(),
            "--output".as_ref(),
            output.as_os_str(),
            "--since".as_ref(),
            previous.as_os_str(),
        ])
        .expect(2)
        .says(words);
    };
    refused(&first.join("report.json"), "was changed since");
    refused(&profile, "is no report.json");
}

#[test]
fn a_severity_that_a_neighbour_changed_is_reclassified() {
    let incident = incident();
    incident.scan(&[]);
    let first = incident.folder.path().join("first");
    report(&incident.case, &first, &[]);
    let open =
        r#"{"name":"open","version":"1.0.0","license":"MIT","repository":"github:acme/open"}"#;
    let files = [
        ("package/package.json", open),
        ("package/a.ts", "export const a = 1;\n"),
        ("package/b.ts", "export const b = 2;\n"),
    ];
    std::fs::write(incident.input.join("open.tgz"), tgz(&files)).unwrap();
    incident.scan(&[]);
    let previous = first.join("report.json");
    let since = [OsStr::new("--since"), previous.as_os_str()];
    let (twin, _) = report(
        &incident.case,
        &incident.folder.path().join("second"),
        &since,
    );
    let changed = &twin["changes"]["reclassified"];
    assert_eq!(changed["total"], 3);
    assert_eq!(changed["rows"][0]["before"], "critical proven");
    assert_eq!(changed["rows"][0]["now"], "info proven");
    assert_eq!(
        changed["rows"][0]["cause"],
        "other content of the input changed"
    );
}

#[test]
fn claims_are_held_against_the_records() {
    let incident = incident();
    incident.scan(&[]);
    let claims = incident.folder.path().join("claims.csv");
    std::fs::write(
        &claims,
        "id,text,kind,value,tolerance,package\n\
         a,\"=two, says a <b>blog</b>\",files,2,,\n\
         b,,lines,about 7,,\n",
    )
    .unwrap();
    let with = [OsStr::new("--claims"), claims.as_os_str()];
    let arguments = [
        OsStr::new("report"),
        incident.case.as_os_str(),
        "--output".as_ref(),
    ];
    let output = incident.folder.path().join("bad");
    run(arguments
        .into_iter()
        .chain([output.as_os_str()])
        .chain(with))
    .expect(2)
    .says("claims.csv:3: `about 7`");
    assert!(
        !output.exists(),
        "nothing is made before everything given can be read"
    );

    std::fs::write(
        &claims,
        "id,text,kind,value,tolerance,package\n\
         a,\"=two, says a <b>blog</b>\",files,2,,\n\
         b,,lines,7,about,\n\
         c,,version,1.0.0,,stays\n\
         d,,vector,map-embedded-sources,,goes\n\
         e,,files,2,,elsewhere\n\
         f,,files,3,,\n\
         g,,version,1.0.0,only,stays\n",
    )
    .unwrap();
    let (twin, page) = report(&incident.case, &incident.folder.path().join("good"), &with);
    let outcomes: Vec<&str> = twin["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        [
            "supported",
            "contradicted",
            "supported",
            "supported",
            "not-examinable",
            "contradicted",
            "not-examinable"
        ]
    );
    // Two contents, at three places each.
    let counts: Vec<u64> = (twin["claims"][0]["figures"].as_array().unwrap().iter())
        .map(|figure| figure["count"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [2, 2, 6, 6, 6]);
    assert!(page.contains("id=\"claims\"") && !page.contains("<b>blog"));
}
