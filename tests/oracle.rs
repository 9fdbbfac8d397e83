//! Real packages, held against Python's `tarfile` and `json` (`fixtures/oracle.py`): the same files, the same
//! bytes, the same sources, hash by hash.
//!
//! The packages are those of `fixtures/packages.tsv`, got by `fixtures/fetch.py` into `fixtures/packages`, or
//! wherever STRANDLINE_PACKAGES says. Without them these tests say so and pass; with
//! STRANDLINE_REQUIRE_PACKAGES=1 they fail.

mod common;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use common::{Records, escaped, lines, number, packages, python, run, scratch, sha256, text};
use serde_json::Value;

/// Puts the packages into one folder of ours, which is then the input.
fn gather(packages: &[PathBuf], folder: &Path) -> PathBuf {
    let input = folder.join("packages");
    std::fs::create_dir(&input).unwrap();
    for path in packages {
        let target = input.join(path.file_name().unwrap());
        if std::fs::hard_link(path, &target).is_err() {
            std::fs::copy(path, &target).unwrap();
        }
    }
    input
}

fn oracle(flag: &[&str], packages: &[PathBuf]) -> Vec<Value> {
    let script = common::fixtures().join("oracle.py");
    let arguments = std::iter::once(script.as_os_str())
        .chain(flag.iter().map(OsStr::new))
        .chain(packages.iter().map(|path| path.as_os_str()));
    lines(&python(arguments))
        .map(|line| serde_json::from_slice(line).expect("the oracle prints JSON"))
        .collect()
}

/// Bytes that the oracle shows under `key`: as text, or in hexadecimal where they are no Unicode.
fn raw(row: &Value, key: &str) -> Vec<u8> {
    let Some(hex) = row[format!("{key}_hex").as_str()].as_str() else {
        return row[key].as_str().unwrap_or_default().as_bytes().to_vec();
    };
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// Numbers equal names: the second of a name in one container ends in `#2`.
#[derive(Default)]
struct Ordinals(HashMap<String, u32>);

impl Ordinals {
    fn number(&mut self, locator: String) -> String {
        let count = self.0.entry(locator.clone()).or_insert(0);
        *count += 1;
        match *count {
            1 => locator,
            count => format!("{locator}#{count}"),
        }
    }
}

/// What is said of one content at its place.
type Row = (String, Option<u64>, Option<String>);

fn row(locator: String, record: &Value) -> Row {
    (
        locator,
        record["bytes"].as_u64(),
        record["sha256"].as_str().map(str::to_owned),
    )
}

/// The oracle's rows for members, under the locators that the contract gives them.
fn expected_members(packages: &[PathBuf]) -> Vec<Row> {
    let mut ordinals = Ordinals::default();
    let place = |member: &Value| {
        let name = escaped(&raw(member, "path"));
        let locator = format!("packages/{}!/{name}", text(member, "package"));
        row(ordinals.number(locator), member)
    };
    oracle(&[], packages).iter().map(place).collect()
}

/// The oracle's rows for sources, under the locators that the contract gives them.
fn expected_sources(packages: &[PathBuf]) -> Vec<Row> {
    let mut ordinals = Ordinals::default();
    // Locators of sources that were met, by the locator of their map and their index in it.
    let mut met: HashMap<(String, u64), String> = HashMap::new();
    let inline = |offset: &Value| {
        offset
            .as_u64()
            .map_or(String::new(), |at| format!("!/@{at}"))
    };
    let mut rows = Vec::new();
    for source in oracle(&["--deep"], packages) {
        let member = escaped(&raw(&source, "map"));
        let mut map = format!("packages/{}!/{member}", text(&source, "package"));
        for hop in source["via"].as_array().unwrap() {
            map.push_str(&inline(&hop[0]));
            map = met[&(map, hop[1].as_u64().unwrap())].clone();
        }
        map.push_str(&inline(&source["inline"]));
        let name = escaped(&raw(&source, "name"));
        let locator = ordinals.number(format!("{map}!/{name}"));
        met.insert((map, number(&source, "index")), locator.clone());
        rows.push(row(locator, &source));
    }
    rows
}

/// Asserts that two lists hold the same rows, each as often, in whatever order.
#[track_caller]
fn assert_equal(mut found: Vec<Row>, mut expected: Vec<Row>, what: &str) {
    assert!(!expected.is_empty(), "the oracle found {what}");
    found.sort();
    expected.sort();
    if found == expected {
        return;
    }
    let count = |rows: &[Row]| {
        let mut counts: HashMap<Row, i64> = HashMap::new();
        rows.iter()
            .for_each(|row| *counts.entry(row.clone()).or_default() += 1);
        counts
    };
    let (has, wants) = (count(&found), count(&expected));
    let over = |a: &HashMap<Row, i64>, b: &HashMap<Row, i64>| {
        let mut rows: Vec<Row> = a
            .iter()
            .filter(|(row, count)| b.get(row).is_none_or(|other| other < count))
            .map(|(row, _)| row.clone())
            .collect();
        rows.sort();
        rows
    };
    let (extra, missing) = (over(&has, &wants), over(&wants, &has));
    panic!(
        "{what}: {} found, {} expected\n{} too many, such as {:#?}\n{} missing, such as {:#?}",
        found.len(),
        expected.len(),
        extra.len(),
        &extra[..extra.len().min(5)],
        missing.len(),
        &missing[..missing.len().min(5)]
    );
}

#[test]
fn every_file_and_every_source_of_the_packages_is_the_oracles() {
    let Some(packages) = packages() else { return };
    let folder = scratch();
    let input = gather(&packages, folder.path());
    let output = folder.path().join("records.jsonl");
    run([
        OsStr::new("scan"),
        input.as_os_str(),
        OsStr::new("--record"),
        OsStr::new("all"),
        OsStr::new("--jsonl"),
        output.as_os_str(),
    ])
    .expect(0)
    .prints("everything was read in full");

    let (mut members, mut sources, mut bare, mut archives) = (vec![], vec![], vec![], 0);
    let (mut maps, mut named_packages) = ((0, 0), 0);
    let (mut files, mut ledger) = (0, Value::Null);
    let bytes = std::fs::read(&output).unwrap();
    for line in lines(&bytes) {
        let record: Value = serde_json::from_slice(line).unwrap();
        match text(&record, "type") {
            "blob" => match text(&record, "locator").matches("!/").count() {
                0 => archives += 1,
                1 => members.push(row(text(&record, "locator").to_owned(), &record)),
                _ => {}
            },
            "source" => {
                let found = row(text(&record, "locator").to_owned(), &record);
                check_source(&record);
                if found.2.is_none() {
                    bare.push(found.0.clone());
                }
                sources.push(found);
            }
            "map" => {
                maps = (
                    maps.0 + number(&record, "sources"),
                    maps.1 + number(&record, "with_content"),
                )
            }
            "package" => {
                named_packages += 1;
                files += number(&record, "files");
                assert_eq!(record["complete"], true, "{record}");
            }
            "ledger" => ledger = record,
            _ => {}
        }
    }
    assert_eq!(archives, packages.len(), "one blob for each archive");
    assert_eq!(
        named_packages,
        packages.len(),
        "one package record for each archive"
    );
    assert_eq!(files, members.len() as u64, "files of the package records");
    let (named, empty) = (sources.len() as u64, bare.len() as u64);
    assert_eq!(maps, (named, named - empty), "counts of the map records");
    assert_equal(members, expected_members(&packages), "members");
    assert_equal(sources, expected_sources(&packages), "sources");
    assert_eq!(ledger["complete"], true);
    let skipped = if empty == 0 {
        serde_json::json!({})
    } else {
        serde_json::json!({ "no-content": empty })
    };
    assert_eq!(
        ledger["skipped"], skipped,
        "only sources without content are left out"
    );
    assert_eq!(ledger["damaged"], serde_json::json!({}));
    let input_bytes: u64 = packages
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert_eq!(number(&ledger, "bytes_in"), input_bytes);
}

/// What must be true of each source record by itself.
fn check_source(record: &Value) {
    let locator = text(record, "locator");
    let has_content = record["sha256"].is_string();
    assert_eq!(record["status"] == "missing", !has_content, "{record}");
    assert_eq!(record["bytes"].is_u64(), has_content, "{record}");
    let name = text(record, "name");
    let rest = locator
        .strip_prefix(text(record, "map"))
        .unwrap_or_default();
    let own = rest.strip_prefix("!/").unwrap_or_default();
    let ordinal = own.strip_prefix(name).unwrap_or("not the name");
    assert!(ordinal.is_empty() || ordinal.starts_with('#'), "{record}");
    if let Some(raw) = record["name_b64"].as_str() {
        let raw = base64::engine::general_purpose::STANDARD
            .decode(raw)
            .unwrap();
        assert_eq!(escaped(&raw), name, "{record}");
    }
}

/// Packages with maps of different kinds: one big map, many small ones, inline ones, webpack names.
const WITH_MAPS: [&str; 6] = [
    "aws-cdk-",
    "drizzle-orm-",
    "hls.js-",
    "mermaid-",
    "pdfjs-dist-",
    "tensorflow-tfjs-",
];

#[test]
fn recover_writes_what_the_oracle_decodes() {
    let Some(mut packages) = packages() else {
        return;
    };
    packages.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        WITH_MAPS.iter().any(|start| name.starts_with(start))
    });
    assert!(!packages.is_empty(), "none of {WITH_MAPS:?} is there");
    let folder = scratch();
    let input = gather(&packages, folder.path());
    let output = folder.path().join("out");
    run([
        OsStr::new("recover"),
        input.as_os_str(),
        OsStr::new("--output"),
        output.as_os_str(),
    ])
    .expect(0);

    let manifest = Records::manifest(&output);
    let rows = manifest.all("source");
    let found: Vec<Row> = rows
        .map(|source| row(text(source, "locator").to_owned(), source))
        .collect();
    assert_eq!(
        found.len(),
        manifest.0.len(),
        "the manifest holds sources only"
    );
    assert_equal(found, expected_sources(&packages), "rows of the manifest");
    let mut of_path: HashMap<&str, &str> = HashMap::new();
    for source in &manifest.0 {
        let digest = source["sha256"].as_str();
        assert_eq!(source["path"].is_string(), digest.is_some(), "{source}");
        let (Some(path), Some(digest)) = (source["path"].as_str(), digest) else {
            continue;
        };
        let before = of_path.insert(path, digest);
        assert!(
            before.is_none_or(|before| before == digest),
            "two contents at {path}"
        );
    }
    let mut files = common::tree(&output);
    files.retain(|_, (_, digest)| digest.is_some());
    files.remove("manifest.jsonl").expect("the manifest");
    for (path, digest) in &of_path {
        let (_, found) = files
            .remove(*path)
            .unwrap_or_else(|| panic!("{path} was not written"));
        assert_eq!(found.as_deref(), Some(*digest), "{path}");
    }
    assert!(
        files.is_empty(),
        "files that no row names: {:?}",
        files.keys().take(5)
    );
}

/// The digests above come from the program and from Python; this one from the file itself.
#[test]
fn the_archives_own_digests_are_right() {
    let Some(packages) = packages() else { return };
    let few = &packages[..packages.len().min(5)];
    let records = common::scan(0, few);
    for path in few {
        let label = path.file_name().unwrap().to_string_lossy().into_owned();
        let digest = sha256(&std::fs::read(path).unwrap());
        assert_eq!(text(records.at("package", &label), "sha256"), digest);
        let inputs = records.0[0]["inputs"].as_array().unwrap();
        let input = inputs
            .iter()
            .find(|input| input["label"] == label.as_str())
            .unwrap();
        assert_eq!(text(input, "sha256"), digest);
    }
}
