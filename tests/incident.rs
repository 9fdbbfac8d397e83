//! The made-up incident of `fixtures/incident`, from the signature set to the recovered sources, held against
//! `expected.json`, which the script that built the copies wrote without this program.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use common::{
    Records, incident, incident_arguments, number, run, scratch, sha256, sign_incident, text, tree,
};
use serde_json::Value;

fn expected() -> Value {
    let text = std::fs::read(incident().join("expected.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn scan_everything(folder: &Path, more: &[&str]) -> Records {
    let mut arguments = incident_arguments(&sign_incident(folder));
    arguments.extend(more.iter().map(OsString::from));
    common::scan(0, arguments)
}

const TGZ: &str = "published/acme-cli-2.1.0.tgz";

fn in_map(name: &str) -> String {
    format!("{TGZ}!/package/dist/cli.js.map!/{name}")
}

#[test]
fn the_fixture_is_what_its_script_makes() {
    common::python([
        incident().join("make.py").as_os_str(),
        OsStr::new("--check"),
    ]);
}

#[test]
fn every_source_of_the_map_comes_back() {
    let folder = scratch();
    let records = scan_everything(folder.path(), &[]);
    let expected = expected();
    let row = |name: &str, bytes: &Value, sha256: &Value, party: &Value| {
        (
            name.to_owned(),
            bytes.to_string(),
            sha256.to_string(),
            party.to_string(),
        )
    };
    let wanted: BTreeSet<_> = expected["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            row(
                &in_map(text(s, "name")),
                &s["bytes"],
                &s["sha256"],
                &s["party"],
            )
        })
        .collect();
    let found: BTreeSet<_> = records
        .all("source")
        .map(|s| row(text(s, "locator"), &s["bytes"], &s["sha256"], &s["party"]))
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(records.all("source").count(), wanted.len());
    for source in records.all("source") {
        assert_eq!(source["status"], "exact");
        assert_ne!(text(source, "party_reason"), "");
        assert_eq!(text(source, "locator"), in_map(text(source, "name")));
    }
    let map = records.at("map", &format!("{TGZ}!/package/dist/cli.js.map"));
    assert_eq!(map["sources"], expected["map"]["sources"]);
    assert_eq!(map["with_content"], expected["map"]["with_content"]);
}

#[test]
fn the_package_is_named_and_its_members_are_hashed() {
    let folder = scratch();
    let records = scan_everything(folder.path(), &["--record", "all"]);
    let expected = expected();
    let package = records.at("package", TGZ);
    for key in ["name", "version", "licence"] {
        assert_eq!(package[key], expected["package"][key]);
    }
    assert_eq!(package["ecosystem"], "npm");
    assert_eq!(package["declared_open"], false);
    assert_eq!(package["complete"], true);
    for party in ["first", "third", "unknown"] {
        assert_eq!(package["sources"][party], expected["map"][party], "{party}");
    }
    assert_eq!(
        package["sources"]["with_content"],
        expected["map"]["with_content"]
    );
    let tarball = std::fs::read(incident().join(TGZ)).unwrap();
    assert_eq!(text(package, "sha256"), sha256(&tarball));
    let members = expected["package"]["members"].as_array().unwrap();
    assert_eq!(number(package, "files"), members.len() as u64);
    for member in members {
        let blob = records.at("blob", &format!("{TGZ}!/{}", text(member, "name")));
        assert_eq!(
            (&blob["sha256"], &blob["bytes"]),
            (&member["sha256"], &member["bytes"])
        );
    }
    let map = records.at("map", &format!("{TGZ}!/package/dist/cli.js.map"));
    assert_eq!(
        (&map["valid"], &map["errors"]),
        (&true.into(), &serde_json::json!([]))
    );
    let exposure = records.at("exposure", &format!("{TGZ}!/package/dist/cli.js.map"));
    assert_eq!(exposure["class"], "map-embedded-sources");
    assert_eq!(exposure["severity"], "critical");
    assert_eq!(exposure["certainty"], "proven");
}

/// Every equal file at its place with its original, and no other. Files that were changed are found by their stretches, each
/// with its own original; files outside the work match nothing.
/// How files match that are other than their originals in their normal form: in one copy they are indented anew, in another
/// edited.
fn of_changed(copy: &str) -> &'static str {
    if copy == "copies/reformatted" {
        "normalized"
    } else {
        "excerpt"
    }
}

#[test]
fn each_copied_file_is_matched_to_its_original() {
    let folder = scratch();
    let records = scan_everything(folder.path(), &[]);
    let file_of = |path: &str| path.strip_prefix("src/").unwrap().to_owned();
    let (mut wanted, mut changed) = (BTreeSet::new(), BTreeSet::new());
    for copy in expected()["copies"].as_object().unwrap().values() {
        let root = match text(copy, "root") {
            "" => format!("{}/", text(copy, "path")),
            top => format!("{}!/{top}/", text(copy, "path")),
        };
        for source in copy["sources"].as_array().unwrap() {
            let locator = format!("{root}{}", text(source, "path"));
            let file = file_of(text(source, "of"));
            let grade = match text(source, "grade") {
                "identical" => "exact",
                "normalized" => "normalized",
                _ => {
                    let grade = of_changed(text(copy, "path"));
                    changed.insert((locator, file, grade.to_owned()));
                    continue;
                }
            };
            wanted.insert((locator, file, grade.to_owned()));
        }
    }
    let of_row =
        |record: &Value| ["locator", "file", "grade"].map(|key| text(record, key).to_owned());
    let found: BTreeSet<_> = records
        .all("match")
        .map(of_row)
        .filter(|row| row[0].starts_with("copies/"))
        .map(|[locator, file, grade]| (locator, file, grade))
        .collect();
    assert!(
        wanted.len() > 150 && changed.len() == 7,
        "the fixture has copies"
    );
    let all: BTreeSet<_> = wanted.union(&changed).cloned().collect();
    assert_eq!(found, all);
    // The bundle of the release is made of the work, too; its sources are the work.
    let bundle = format!("{TGZ}!/package/dist/cli.js");
    for source in records
        .all("match")
        .filter(|m| text(m, "locator").starts_with(TGZ) && text(m, "locator") != bundle)
    {
        let [locator, file, grade] = of_row(source);
        assert_eq!(
            (locator, grade.as_str()),
            (in_map(&format!("../src/{file}")), "exact")
        );
    }
}

#[test]
fn each_copy_has_its_row() {
    let folder = scratch();
    let records = scan_everything(folder.path(), &[]);
    let expected = expected();
    let total = number(&expected["work"], "src_files");
    let mut copies = 0;
    for copy in expected["copies"].as_object().unwrap().values() {
        let path = text(copy, "path");
        let examined = text(records.at("examined", path), "class");
        let (exact, normalized) = (number(copy, "identical"), number(copy, "normalized"));
        if exact + normalized == 0 {
            assert_eq!(examined, "unrelated", "{path}");
            assert!(
                !records.locators("copy").contains(&path),
                "{path} is no copy"
            );
            continue;
        }
        copies += 1;
        let found = records.at("copy", path);
        let changed = number(copy, "changed");
        let mut grades =
            BTreeMap::from([("exact", exact), ("normalized", normalized), ("excerpt", 0)]);
        *grades.entry(of_changed(path)).or_default() += changed;
        grades.retain(|_, count| *count > 0);
        assert_eq!(found["grades"], serde_json::json!(grades), "{path}");
        assert_eq!(number(found, "files_total"), total, "{path}");
        let missing = number(copy, "missing");
        assert_eq!(total - number(found, "files_matched"), missing, "{path}");
        assert_eq!(text(found, "class"), examined, "{path}");
        let share = found["of_original"].as_f64().unwrap();
        assert_eq!(share == 1.0, missing == 0, "{path}: {share}");
    }
    assert_eq!(
        copies, 5,
        "five of the six copies hold exact or normalized files"
    );
    // The release itself holds the work too, through its map.
    assert_eq!(records.at("copy", TGZ)["grades"]["exact"], total);
    assert_eq!(records.all("copy").count(), copies + 1);
    assert_eq!(records.all("examined").count(), 7);
    assert_eq!(records.all("suspect").count(), 0);
    assert_eq!(records.ledger()["complete"], true);
}

#[test]
fn the_release_gate_fails_with_the_paths_printed() {
    let folder = scratch();
    let arguments = incident_arguments(&sign_incident(folder.path()));
    let scan = |more: &[&str]| {
        let mut all = vec![OsString::from("scan")];
        all.extend(arguments.iter().cloned());
        all.extend(more.iter().map(OsString::from));
        run(all)
    };
    let map = format!("{TGZ}!/package/dist/cli.js.map");
    scan(&[]).expect(0).prints("1 critical").prints("6 of 7");
    for severity in ["info", "high", "critical"] {
        scan(&["--fail-on", severity])
            .expect(1)
            .prints("map-embedded-sources")
            .prints(&map);
    }
    let quiet = scan(&["--quiet"]).expect(0);
    assert_eq!(quiet.text(), "", "--quiet prints nothing but results");
    // A clean tree passes the gate.
    run([
        OsStr::new("scan"),
        incident().join("copies/unrelated").as_os_str(),
        OsStr::new("--fail-on"),
        OsStr::new("info"),
    ])
    .expect(0);
    let records = {
        let mut all = arguments.clone();
        all.extend(["--fail-on", "high"].map(OsString::from));
        common::scan(1, all)
    };
    assert_eq!(records.ledger()["findings_failing"], 1);
}

#[test]
fn recover_writes_each_source_once_and_privately() {
    let folder = scratch();
    let output = folder.path().join("out");
    let recover = || {
        run([
            OsStr::new("recover"),
            incident().join("published").as_os_str(),
            OsStr::new("--org"),
            incident().join("acme.toml").as_os_str(),
            OsStr::new("--output"),
            output.as_os_str(),
        ])
    };
    recover().expect(0).prints("50 recovered");
    let manifest = Records::manifest(&output);
    let wanted: BTreeSet<_> = expected()["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| ["name", "sha256", "party"].map(|key| text(source, key).to_owned()))
        .collect();
    let found: BTreeSet<_> = manifest
        .0
        .iter()
        .map(|row| ["name", "sha256", "party"].map(|key| text(row, key).to_owned()))
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(manifest.0.len(), wanted.len());
    let written = tree(&output);
    for row in &manifest.0 {
        let path = text(row, "path");
        assert!(path.starts_with("sources/"), "{path}");
        let (_, digest) = &written[path];
        assert_eq!(digest.as_deref(), row["sha256"].as_str(), "{path}");
    }
    for (path, (mode, digest)) in &written {
        let private = if digest.is_some() { 0o600 } else { 0o700 };
        assert_eq!(*mode, private, "mode of {path}");
    }
    let files = written.values().filter(|(_, digest)| digest.is_some());
    assert_eq!(
        files.count(),
        wanted.len() + 1,
        "the sources and the manifest"
    );

    recover().expect(2).says("not empty");
    assert_eq!(tree(&output), written, "the second run changed nothing");
}

#[test]
fn the_manifest_is_a_stream_of_records() {
    let folder = scratch();
    let output = folder.path().join("out");
    run([
        OsStr::new("recover"),
        incident().join("published").as_os_str(),
        OsStr::new("--output"),
        output.as_os_str(),
    ])
    .expect(0);
    let strict = Records::parse(&std::fs::read(output.join("manifest.jsonl")).unwrap());
    assert_eq!(strict.all("source").count(), 50);
}

#[test]
fn the_report_is_one_private_page_without_script() {
    use std::os::unix::fs::PermissionsExt;
    let folder = scratch();
    let report = folder.path().join("report");
    let mut arguments = vec![
        OsString::from("scan"),
        "--report".into(),
        report.clone().into(),
    ];
    arguments.extend(incident_arguments(&sign_incident(folder.path())));
    run(&arguments).expect(0).prints("index.html");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let page = report.join("index.html");
    assert_eq!((mode(&report), mode(&page)), (0o700, 0o600));
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(!html.to_lowercase().contains("<script"), "no script");
    for loaded in ["<link ", "<iframe", " src=\"http", "url(http"] {
        assert!(!html.contains(loaded), "the page loads something: {loaded}");
    }
    for told in [
        "acme-cli-2.1.0.tgz",
        "map-embedded-sources",
        "copies/verbatim",
        "copies/unrelated",
        "package/src/prompts",
    ] {
        assert!(html.contains(told), "the report does not tell of {told}");
    }
    run(&arguments).expect(2).says("not empty");
}

/// The report of a finished case is the one that the scan wrote.
#[test]
fn a_report_can_be_made_again_from_the_case() {
    let folder = scratch();
    let (case, one, two) = (
        folder.path().join("a.case"),
        folder.path().join("one"),
        folder.path().join("two"),
    );
    let mut arguments = vec![OsString::from("scan"), "--case".into(), case.clone().into()];
    arguments.extend(["--report".into(), one.clone().into()]);
    arguments.extend(incident_arguments(&sign_incident(folder.path())));
    run(&arguments).expect(0);
    let again = [
        OsStr::new("report"),
        case.as_os_str(),
        OsStr::new("--output"),
        two.as_os_str(),
    ];
    run(again).expect(0);
    assert_eq!(tree(&one), tree(&two));
    run(again).expect(2).says("not empty");
}

#[test]
fn a_set_holds_no_text_of_the_work_and_is_deterministic() {
    let (one, two) = (scratch(), scratch());
    let (first, second) = (sign_incident(one.path()), sign_incident(two.path()));
    let bytes = std::fs::read(&first).unwrap();
    assert_eq!(
        bytes,
        std::fs::read(second).unwrap(),
        "signing is deterministic"
    );
    for path in [first.clone(), first.with_extension("names")] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{path:?}");
    }
    for word in ["systemPrompt", "Driftwood", "cli.ts", "function", "import"] {
        let found = bytes
            .windows(word.len())
            .any(|window| window == word.as_bytes());
        assert!(!found, "the set holds {word:?}");
    }
    // Without its names the set still matches, by ids.
    std::fs::remove_file(first.with_extension("names")).unwrap();
    let records = common::scan(0, incident_arguments(&first));
    assert_eq!(records.at("copy", "copies/verbatim")["files_matched"], 45);
    for found in records.all("match") {
        assert!(text(found, "file").parse::<u32>().is_ok(), "{found}");
    }
}

/// The set that README's first command takes is the one that `sign` makes of the vendor's tree.
#[test]
fn the_set_beside_the_incident_is_what_sign_makes() {
    let folder = scratch();
    let made = sign_incident(folder.path());
    for extension in ["sigset", "names"] {
        let kept = incident().join(format!("acme-cli-2.1.0.{extension}"));
        let digest = |path: &Path| sha256(&std::fs::read(path).unwrap());
        assert_eq!(
            digest(&made.with_extension(extension)),
            digest(&kept),
            "{} is outdated: sign fixtures/incident/acme-cli/src again",
            kept.display()
        );
    }
}

/// README shows what its first command prints, to the last line but the seconds, and the wall that a machine may not have.
#[test]
fn readme_shows_the_real_output() {
    let readme = std::fs::read_to_string(common::fixtures().join("../README.md")).unwrap();
    let block = |fence: &str| {
        let (_, rest) = readme.split_once(fence).unwrap();
        rest.split_once("```").unwrap().0.trim().to_owned()
    };
    let command = block("```sh\ncargo run --release -- ");
    let shown = block("```text\n");
    let folder = scratch();
    let report = folder.path().join("incident-report");
    let report = report.to_str().unwrap();
    let arguments = command.split(' ').map(|word| match word {
        "incident-report" => report.to_owned(),
        word if word.starts_with("fixtures/") => {
            let path = common::fixtures().join("..").join(word);
            path.to_str().unwrap().to_owned()
        }
        word => word.to_owned(),
    });
    let ran = run(arguments).expect(0);
    let without_seconds = |text: &str| -> Vec<String> {
        let line = |line: &str| {
            let head = line.rsplit_once(" containers, in ");
            head.map_or(line, |(head, _)| head).to_owned()
        };
        let is_wall = |line: &&str| line.starts_with("wall  ");
        text.lines()
            .filter(|line| !is_wall(line))
            .map(line)
            .collect()
    };
    assert_eq!(
        without_seconds(&ran.text().trim().replace(report, "incident-report")),
        without_seconds(&shown)
    );
}
