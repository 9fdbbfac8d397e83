//! The contract that people and programs outside rely on: records and their schema, locators, the views of a case,
//! exit statuses, and the rule that nothing is written outside the folder that the user named.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use common::{
    Records, assert_same, incident, incident_arguments, manifest, package, run, scan, scratch,
    sha256, sign_incident, source_map, sql, strandline, tar, text, tgz, tree, write_all,
    write_menagerie, zip,
};
use serde_json::Value;

/// Names that mean something to a shell, a file system, a terminal or a locator.
const HOSTILE_NAMES: [&[u8]; 12] = [
    b"@at",
    b"!",
    b"bang!/slash!",
    b"100%25#2",
    b"line\nfeed\x1b[31m",
    b"\xff\xfenot unicode",
    "\u{202e}gpj.exe".as_bytes(),
    b"../../../up.txt",
    b"/absolute.txt",
    b"CON",
    b"a b",
    "\u{e9}\u{65e5}".as_bytes(),
];

/// A release of a package of which there are several.
fn release(version: &str, sources: &[(&str, Option<&str>)]) -> Vec<u8> {
    tgz(&[
        ("package/package.json", manifest("several", version)),
        ("package/a.js.map", source_map(sources)),
    ])
}

/// A scan of everything that there is: every kind of container, hostile names, releases, matches and copies.
struct RichScan {
    folder: tempfile::TempDir,
    arguments: Vec<OsString>,
}

impl RichScan {
    fn new() -> Self {
        let folder = scratch();
        let input = folder.path().join("in");
        write_menagerie(&input);
        let twice = HOSTILE_NAMES.iter().chain(&HOSTILE_NAMES).zip(0..);
        let members: Vec<_> = twice
            .map(|(name, number)| (name, format!("content {number}")))
            .collect();
        let names = [
            "../a.ts",
            "a%b#c.ts",
            "@x",
            "",
            "a\u{0}b",
            "a.ts",
            "a.ts",
            "webpack:///./q!/x.ts?1",
        ];
        let sources: Vec<_> = names.map(|name| (name, Some("let content;"))).to_vec();
        let original = std::fs::read(incident().join("acme-cli/src/cli.ts")).unwrap();
        write_all(
            &input,
            &[
                ("hostile.tgz".as_bytes(), tgz(&members)),
                (b"hostile.js.map", source_map(&sources).into()),
                (b"found/@cli!.ts", original.clone()),
                (b"found/cli.zip", zip(&[("deep/cli.ts", original)])),
                (b"odd\xff\n name", b"loose".to_vec()),
                (
                    b"settings.js",
                    b"const url = 'postgres://svc:k7Gm2PxQ9wLz@db.acme-internal.net:5432/main';"
                        .to_vec(),
                ),
                (b"releases/1.tgz", release("1.0.0", &sources[..1])),
                (b"releases/2.tgz", release("1.0.1", &sources)),
            ],
        );
        let mut arguments = incident_arguments(&sign_incident(folder.path()));
        arguments.extend([input.into(), "--record".into(), "all".into()]);
        Self { folder, arguments }
    }

    fn records(&self) -> Records {
        scan(3, &self.arguments)
    }

    /// The file or folder that a label stands for.
    fn input(&self, label: &str) -> PathBuf {
        match label {
            "in" => self.folder.path().join("in"),
            _ => incident().join(label),
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------
// The schema

/// A strict reader of the part of JSON Schema that is used. A keyword that it does not know fails the test, so that
/// nothing is taken for checked that is not.
struct Schema(Value);

impl Schema {
    fn of_the_program() -> Self {
        Self(serde_json::from_slice(&run(["schema"]).expect(0).stdout).expect("the schema is JSON"))
    }

    fn errors(&self, record: &Value) -> Vec<String> {
        let mut errors = Vec::new();
        self.check(&self.0, record, "", &mut errors);
        errors
    }

    fn resolve(&self, reference: &Value) -> &Value {
        let path = reference.as_str().and_then(|path| path.strip_prefix('#'));
        path.and_then(|path| self.0.pointer(path))
            .unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
        for (keyword, says) in schema.as_object().expect("a schema is an object") {
            let holds = match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "format" | "default" => true,
                "$ref" => {
                    self.check(self.resolve(says), value, at, errors);
                    true
                }
                "type" => names(says).iter().any(|name| is_of_type(value, name)),
                "const" => says == value,
                "minimum" => value
                    .as_f64()
                    .is_none_or(|number| number >= says.as_f64().unwrap_or(f64::MAX)),
                "minItems" => value
                    .as_array()
                    .is_none_or(|items| items.len() as u64 >= says.as_u64().unwrap()),
                "maxItems" => value
                    .as_array()
                    .is_none_or(|items| items.len() as u64 <= says.as_u64().unwrap()),
                "required" => names(says).iter().all(|name| value.get(name).is_some()),
                "oneOf" | "anyOf" => {
                    let fits = |choice: &&Value| {
                        let mut errors = Vec::new();
                        self.check(choice, value, at, &mut errors);
                        errors.is_empty()
                    };
                    let fitting = says.as_array().unwrap().iter().filter(fits).count();
                    fitting == 1 || (keyword == "anyOf" && fitting > 1)
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(says, item, &format!("{at}/{index}"), errors);
                    }
                    true
                }
                "properties" => {
                    for (name, schema) in says.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.check(schema, value, &format!("{at}/{name}"), errors);
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        if schema["properties"].get(name).is_none() {
                            self.check(says, value, &format!("{at}/{name}"), errors);
                        }
                    }
                    true
                }
                other => panic!("this test does not know the keyword {other}"),
            };
            if !holds {
                errors.push(format!("{at}: {keyword} {says}"));
            }
        }
    }

    /// The keys that the schema describes for a type of record.
    fn keys(&self, kind: &Value) -> BTreeSet<String> {
        let choices = self.0["oneOf"].as_array().unwrap();
        let choice = choices
            .iter()
            .find(|choice| choice["properties"]["type"]["const"] == *kind);
        let described =
            &self.resolve(&choice.unwrap_or_else(|| panic!("no {kind}"))["$ref"])["properties"];
        let keys = described.as_object().unwrap().keys().cloned();
        keys.chain(["type".to_owned()]).collect()
    }
}

fn names(says: &Value) -> Vec<&str> {
    match says {
        Value::String(name) => vec![name],
        list => list
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect(),
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("this test does not know the type {other}"),
    }
}

#[test]
fn every_record_is_as_the_schema_says() {
    let schema = Schema::of_the_program();
    let records = RichScan::new().records();
    let mut kinds = BTreeSet::new();
    for record in &records.0 {
        kinds.insert(text(record, "type"));
        assert_eq!(schema.errors(record), [""; 0], "{record}");
        let described = schema.keys(&record["type"]);
        for key in record.as_object().unwrap().keys() {
            assert!(described.contains(key), "{key} is not described: {record}");
        }
    }
    let wanted = [
        "run",
        "package",
        "map",
        "source",
        "reference",
        "exposure",
        "match",
        "origin",
        "copy",
        "examined",
        "blob",
        "problem",
        "item",
        "release",
        "since",
        "secret",
        "ledger",
    ];
    assert_eq!(kinds, BTreeSet::from(wanted), "the scan is rich");
    assert_eq!(records.0[0]["schema"], 1);
    second_opinion(&schema, &records);
}

/// Python's `jsonschema`, where it is installed, must agree.
fn second_opinion(schema: &Schema, records: &Records) {
    const SCRIPT: &str = "
import json, sys
try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit('not installed')
schema, *records = map(json.loads, sys.stdin)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
print(sum(1 for record in records for _ in validator.iter_errors(record)), len(records))
";
    let mut python = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> = std::iter::once(&schema.0)
        .chain(&records.0)
        .map(Value::to_string)
        .collect();
    // It reads nothing where the package is missing.
    let _ = python
        .stdin
        .take()
        .unwrap()
        .write_all(lines.join("\n").as_bytes());
    let output = python.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.stderr.starts_with(b"not installed") {
        let line =
            b"SKIPPED the second opinion on the schema: Python's jsonschema is not installed\n";
        std::io::stderr().write_all(line).unwrap();
        return;
    }
    assert_eq!(
        said.trim(),
        format!("0 {}", records.0.len()),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_record_that_breaks_the_schema_is_noticed() {
    let schema = Schema::of_the_program();
    let records = scan(0, [incident().join("published")]);
    let broken = |change: fn(&mut Value)| {
        let mut record = records.all("source").next().unwrap().clone();
        change(&mut record);
        !schema.errors(&record).is_empty()
    };
    assert!(!broken(|_| {}));
    assert!(broken(|record| record["type"] = "sauce".into()));
    assert!(broken(|record| record["status"] = "fine".into()));
    assert!(broken(|record| record["bytes"] = (-1).into()));
    assert!(broken(|record| record["hops"] = "a/b".into()));
    assert!(broken(|record| drop(
        record.as_object_mut().unwrap().remove("locator")
    )));
}

// ---------------------------------------------------------------------------------------------------------------
// Locators

/// Undoes the escapes of a locator.
fn unescaped(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, tail) = rest.split_at(2);
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
        rest = tail;
    }
    bytes
}

/// A hop's name and which of that name it is.
fn numbered(hop: &str) -> (&str, usize) {
    let (name, number) = hop.split_once('#').unwrap_or((hop, "1"));
    (name, number.parse().expect("a number follows #"))
}

/// Walks a locator with other hands: the `tar` and `zip` crates, flate2 and `serde_json`.
fn walk(rich: &RichScan, locator: &str) -> Option<Vec<u8>> {
    let mut hops = locator.split("!/");
    let (label, path) = hops.next()?.split_once('/')?;
    let path = rich.input(label).join(OsStr::from_bytes(&unescaped(path)));
    let mut bytes = std::fs::read(path).ok()?;
    for hop in hops {
        let (name, number) = numbered(hop);
        bytes = match name.strip_prefix('@') {
            Some(offset) => region_at(&bytes, offset.parse().ok()?)?,
            None => {
                let name = unescaped(name);
                let mut equal = members(&bytes)
                    .into_iter()
                    .filter(|(member, _)| *member == name);
                equal.nth(number - 1)?.1
            }
        };
    }
    Some(bytes)
}

/// What stands at an offset: a data URL in a script, or the comment at the end of a zip.
fn region_at(bytes: &[u8], offset: usize) -> Option<Vec<u8>> {
    let region = bytes.get(offset..)?;
    if bytes.starts_with(b"PK") {
        return Some(region.to_vec());
    }
    let url = region.strip_prefix(b"data:application/json;base64,")?;
    let end = url
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(url.len());
    base64::engine::general_purpose::STANDARD
        .decode(&url[..end])
        .ok()
}

type Members = Vec<(Vec<u8>, Vec<u8>)>;

fn members(bytes: &[u8]) -> Members {
    let is_tar = |bytes: &[u8]| bytes.get(257..262) == Some(b"ustar");
    if bytes.starts_with(b"\x1f\x8b") {
        let streams = gunzip(bytes);
        if streams.first().is_some_and(|first| is_tar(first)) {
            return untar(&streams.concat());
        }
        if streams
            .first()
            .is_some_and(|first| first.starts_with(b"WARC/"))
        {
            return responses(&streams.concat());
        }
        return streams
            .into_iter()
            .map(|stream| (Vec::new(), stream))
            .collect();
    }
    if bytes.starts_with(b"PK") {
        return unzip(bytes);
    }
    if is_tar(bytes) {
        return untar(bytes);
    }
    if bytes.starts_with(b"WARC/") {
        return responses(bytes);
    }
    let map: Value = serde_json::from_slice(bytes).unwrap_or_default();
    if let Some(entries) = map["log"]["entries"].as_array() {
        let text = |value: &Value| value.as_str().unwrap_or_default().as_bytes().to_vec();
        return entries
            .iter()
            .map(|entry| {
                let content = &entry["response"]["content"]["text"];
                (text(&entry["request"]["url"]), text(content))
            })
            .collect();
    }
    sources_of(&map)
}

/// The bodies of a WARC that holds nothing but responses without codings.
fn responses(mut bytes: &[u8]) -> Members {
    let mut members = Members::new();
    let empty_line = |bytes: &[u8]| memchr::memmem::find(bytes, b"\r\n\r\n");
    while let Some(head_end) = empty_line(bytes) {
        let head = std::str::from_utf8(&bytes[..head_end]).unwrap();
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.expect("every record has it").trim()
        };
        let block = &bytes[head_end + 4..];
        let len: usize = field("Content-Length:").parse().unwrap();
        let (block, rest) = block.split_at(len);
        let body = empty_line(block);
        let url = field("WARC-Target-URI:").as_bytes().to_vec();
        members.push((url, block[body.unwrap() + 4..].to_vec()));
        bytes = &rest[4..];
    }
    members
}

/// What each member of a stream unpacks to, as far as it goes.
fn gunzip(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut streams = Vec::new();
    while bytes.starts_with(b"\x1f\x8b") {
        let mut stream = Vec::new();
        // What was read before an error stays in `stream`.
        let ended = flate2::bufread::GzDecoder::new(&mut bytes).read_to_end(&mut stream);
        streams.push(stream);
        if ended.is_err() {
            break;
        }
    }
    streams
}

fn untar(bytes: &[u8]) -> Members {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap().map_while(Result::ok);
    let files = entries.filter(|entry| entry.header().entry_type().is_file());
    files
        .map(|mut entry| {
            let mut content = Vec::new();
            let _ = entry.read_to_end(&mut content);
            (entry.path_bytes().into_owned(), content)
        })
        .collect()
}

fn unzip(bytes: &[u8]) -> Members {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.name_raw().to_vec(), content)
        })
        .collect()
}

fn sources_of(map: &Value) -> Members {
    let sections = map["sections"].as_array().into_iter().flatten();
    let within = sections.flat_map(|section| sources_of(&section["map"]));
    let names = map["sources"].as_array().into_iter().flatten();
    let contents = map["sourcesContent"].as_array().into_iter().flatten();
    let pairs = names.zip(contents).map(|(name, content)| {
        let bytes = |value: &Value| value.as_str().unwrap_or_default().as_bytes().to_vec();
        (bytes(name), bytes(content))
    });
    pairs.chain(within).collect()
}

/// Whoever has an output can go to each place in it, without this program, and finds the same bytes there.
#[test]
fn every_locator_can_be_walked_again() {
    let rich = RichScan::new();
    let records = rich.records();
    let mut walked = 0;
    let sealed = ["blob", "source", "match", "exposure"]
        .into_iter()
        .flat_map(|kind| records.all(kind));
    for record in sealed.filter(|record| record["sha256"].is_string()) {
        let locator = text(record, "locator");
        let bytes = walk(&rich, locator).unwrap_or_else(|| panic!("{locator} leads nowhere"));
        assert_eq!(record["sha256"], sha256(&bytes), "{locator}");
        walked += 1;
    }
    assert!(walked > 2_000, "{walked} places");
    for name in HOSTILE_NAMES {
        let locator = format!("in/hostile.tgz!/{}", common::escaped(name));
        records.at("blob", &locator);
        records.at("blob", &format!("{locator}#2"));
    }
    records.at(
        "blob",
        &format!("in/{}", common::escaped(b"odd\xff\n name")),
    );
}

/// `hops` says the same as the locator, with the raw names beside the escaped ones.
#[test]
fn hops_and_locators_agree() {
    let records = RichScan::new().records();
    let with_hops = records.0.iter().filter(|record| record["hops"].is_array());
    let mut raw_names = 0;
    for record in with_hops {
        let locator = text(record, "locator");
        let hops = record["hops"].as_array().unwrap();
        let (label, path) = locator.split_once("!/").unwrap_or((locator, ""));
        let first = hops.first().map_or("", |hop| text(hop, "name"));
        let path_below = label.split_once('/').map_or("", |(_, path)| path);
        assert!(first == label || first == path_below, "{record}");
        let rest: Vec<_> = hops.iter().skip(1).map(|hop| text(hop, "name")).collect();
        assert_eq!(rest.join("!/"), path, "{record}");
        for hop in hops {
            let (name, _) = numbered(text(hop, "name"));
            if let Some(raw) = hop["name_b64"].as_str() {
                let raw = base64::engine::general_purpose::STANDARD
                    .decode(raw)
                    .unwrap();
                assert_eq!(raw, unescaped(name), "{hop}");
                raw_names += 1;
            } else {
                assert!(!name.contains('%'), "{hop} lost its raw name");
            }
        }
    }
    assert!(raw_names >= 4, "{raw_names} names were escaped");
}

/// Programs join records by locator: one thing, one row.
#[test]
fn what_stands_once_is_said_once() {
    let records = RichScan::new().records();
    let keys: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("package", &["locator"][..]),
        ("map", &["locator"]),
        ("source", &["locator"]),
        ("blob", &["locator"]),
        ("examined", &["locator"]),
        ("copy", &["locator", "work", "release"]),
        ("match", &["locator", "work", "release", "file"]),
        ("exposure", &["locator", "class", "detail"]),
        ("reference", &["locator", "target"]),
        ("problem", &["locator", "code", "detail"]),
    ]);
    for (kind, key) in keys {
        let mut seen = BTreeSet::new();
        for record in records.all(kind) {
            let row: Vec<_> = key.iter().map(|key| text(record, key)).collect();
            assert!(seen.insert(row), "twice: {record}");
        }
        assert!(!seen.is_empty(), "there are {kind} records");
    }
    let maps: BTreeSet<_> = records.locators("map").into_iter().collect();
    assert!(
        records
            .all("source")
            .all(|source| maps.contains(text(source, "map")))
    );
}

// ---------------------------------------------------------------------------------------------------------------
// The case

/// A value of a record as a view shows it.
fn in_sql(value: &Value) -> Value {
    match value {
        Value::Bool(value) => u8::from(*value).into(),
        Value::Object(_) | Value::Array(_) => value.to_string().into(),
        other => other.clone(),
    }
}

#[test]
fn every_view_agrees_with_the_export() {
    let rich = RichScan::new();
    let case = rich.folder.path().join("a.case");
    let mut arguments = vec![
        "scan".into(),
        "--quiet".into(),
        "--case".into(),
        case.clone().into(),
    ];
    arguments.extend(rich.arguments.iter().cloned());
    run(arguments).expect(3);
    let records = common::export(&case);
    let views = sql(
        &case,
        "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name",
    );
    let views: Vec<_> = views.iter().map(|row| row[0].as_str().unwrap()).collect();
    let wanted = [
        "v_copy",
        "v_custody",
        "v_exposure",
        "v_ledger",
        "v_match",
        "v_origin",
        "v_package",
        "v_problem",
        "v_release",
        "v_review",
        "v_secret",
        "v_since",
        "v_source",
    ];
    assert_eq!(views, wanted);
    // The account, who was shown what, and what people decided are no records.
    let of_records = |view: &&str| !matches!(*view, "v_ledger" | "v_custody" | "v_review");
    for view in views.into_iter().filter(of_records) {
        let columns = sql(
            &case,
            &format!("SELECT name FROM pragma_table_info('{view}')"),
        );
        let columns: Vec<_> = columns.iter().map(|row| row[0].as_str().unwrap()).collect();
        let row_of = |record: &Value| -> Vec<String> {
            // Of an object in the record the view shows one field in a column.
            let value = |column: &&str| {
                let of = |object: &str| {
                    Some(&record[object][column.strip_prefix(object)?.strip_prefix('_')?])
                };
                let dates = column
                    .strip_prefix("date_")
                    .map(|field| &record["dates"][field]);
                let field = of("sources").or_else(|| of("window")).or(dates);
                let whole = &record[*column];
                in_sql(field.unwrap_or(whole.get("now").unwrap_or(whole))).to_string()
            };
            columns.iter().map(value).collect()
        };
        let mut wanted: Vec<_> = records.all(&view[2..]).map(row_of).collect();
        let rows = sql(&case, &format!("SELECT * FROM {view}"));
        let mut found: Vec<Vec<_>> = rows
            .iter()
            .map(|row| row.iter().map(Value::to_string).collect())
            .collect();
        wanted.sort();
        found.sort();
        assert!(
            !wanted.is_empty() && columns.len() > 2,
            "{view} shows something"
        );
        assert_eq!(found, wanted, "{view}");
    }
    let ledger = sql(&case, "SELECT name, amount FROM v_ledger");
    for row in &ledger {
        let name = row[0].as_str().unwrap();
        assert_eq!(row[1], in_sql(&records.ledger()[name]), "{name}");
    }
    assert_eq!(
        ledger.len() + 1,
        records.ledger().as_object().unwrap().len(),
        "all but `type`"
    );
}

/// A set that is signed after the scan finds what it would have found in it.
#[test]
fn a_set_that_comes_later_finds_the_same() {
    let folder = scratch();
    let set = sign_incident(folder.path());
    let case = folder.path().join("a.case");
    let inputs = ["published", "copies"].map(|name| incident().join(name));
    let mut arguments: Vec<OsString> = ["scan", "--quiet", "--record", "all", "--case"]
        .map(OsString::from)
        .to_vec();
    arguments.push(case.clone().into());
    arguments.extend(inputs.iter().map(OsString::from));
    run(&arguments).expect(0);
    let signatures = [OsStr::new("--signatures"), set.as_os_str()];
    let later = [
        &[OsStr::new("case"), OsStr::new("match"), case.as_os_str()],
        &signatures[..],
    ]
    .concat();
    let ran = run(&later).expect(0);
    let equal = |records: &Records| {
        let mut rows: Vec<Value> = records
            .all("match")
            .filter(|row| row["grade"] == "exact" || row["grade"] == "normalized")
            .cloned()
            .collect();
        // The digests of a blob are kept; the hops to it and the time that an archive states are not.
        for row in &mut rows {
            row["hops"] = Value::Null;
            row.as_object_mut().unwrap().remove("written");
        }
        rows.sort_by_cached_key(Value::to_string);
        Records(rows)
    };
    let at_once = scan(
        0,
        inputs.iter().map(|path| path.as_os_str()).chain(signatures),
    );
    assert!(equal(&at_once).0.len() > 200);
    let normalized = |row: &&Value| row["grade"] == "normalized";
    assert!(equal(&at_once).0.iter().filter(normalized).count() > 30);
    // What is the same but for layout is told by its tokens, which no case keeps: here the files of one copy.
    let (later, mut at_once) = (equal(&ran.records()), equal(&at_once));
    let all = at_once.0.len();
    at_once.0.retain(|row| {
        row["grade"] == "exact"
            || later.0.contains(row)
            || !text(row, "locator").starts_with("copies/reformatted/")
    });
    assert!((1..=8).contains(&(all - at_once.0.len())), "{all}");
    assert_same(&later, &at_once, "later and at once");

    // Without digests there is nothing to hold a set against, which is no absence of matches.
    let bare = folder.path().join("bare.case");
    run([
        OsStr::new("scan"),
        inputs[0].as_os_str(),
        OsStr::new("--case"),
        bare.as_os_str(),
    ])
    .expect(0);
    let later = [
        &[OsStr::new("case"), OsStr::new("match"), bare.as_os_str()],
        &signatures[..],
    ]
    .concat();
    run(&later).expect(2).says("--record all");
}

// ---------------------------------------------------------------------------------------------------------------
// Inputs

/// Runs the program with something on its standard input.
fn run_with_input(arguments: &[&OsStr], input: &[u8]) -> common::Ran {
    let mut child = strandline(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    common::wait(child)
}

#[test]
fn a_list_of_files_may_hold_any_name() {
    let folder = scratch();
    let names: [&[u8]; 4] = [b"plain.txt", b"two\nlines.txt", b" blank ", b"\xff.bin"];
    write_all(folder.path(), &names.map(|name| (name, name)));
    let path = |name: &&[u8]| {
        folder
            .path()
            .join(OsStr::from_bytes(name))
            .into_os_string()
            .into_encoded_bytes()
    };
    let by_nul = names.iter().map(path).collect::<Vec<_>>().join(&0);
    let labels: Vec<String> = names.iter().map(|name| common::escaped(name)).collect();
    let list = folder.path().join("list");
    std::fs::write(&list, &by_nul).unwrap();
    let arguments =
        |list: &'static str| ["scan", "--jsonl", "-", "--files-from", list].map(OsStr::new);
    let mut from_file = arguments("");
    from_file[4] = list.as_os_str();
    for ran in [run(from_file), run_with_input(&arguments("-"), &by_nul)] {
        let records = ran.expect(0).records();
        let inputs = records.0[0]["inputs"].as_array().unwrap();
        let found: Vec<_> = inputs.iter().map(|input| text(input, "label")).collect();
        assert_eq!(found, labels);
        for (input, name) in inputs.iter().zip(names) {
            assert_eq!(input["sha256"], sha256(name));
        }
    }
    // Separated by lines, with an input beside the list.
    let mut lines = [path(&names[0]), path(&names[2])].join(&b'\n');
    lines.push(b'\n');
    let more = folder.path().join(OsStr::from_bytes(names[1]));
    let arguments = [&arguments("-")[..], &[more.as_os_str()]].concat();
    let records = run_with_input(&arguments, &lines).expect(0).records();
    assert_eq!(records.0[0]["inputs"].as_array().unwrap().len(), 3);
    run_with_input(&arguments[..5], b"\n\n")
        .expect(2)
        .says("no input");
}

#[test]
fn a_label_stands_for_the_input() {
    let folder = scratch();
    write_all(
        folder.path(),
        &[("x/a.tgz", package(1)), ("y/a.tgz", package(2))],
    );
    let (one, two) = (folder.path().join("x/a.tgz"), folder.path().join("y/a.tgz"));
    let records = scan(
        0,
        [
            one.as_os_str(),
            OsStr::new("--label"),
            OsStr::new("mirror-3"),
        ],
    );
    assert_eq!(records.locators("package"), ["mirror-3"]);
    assert!(
        records
            .locators("source")
            .iter()
            .all(|locator| locator.starts_with("mirror-3!/package/"))
    );
    let records = scan(0, [&one, &two]);
    assert_eq!(records.locators("package"), ["a.tgz", "a.tgz#2"]);
}

// ---------------------------------------------------------------------------------------------------------------
// The program about itself

/// The commands that `--help` names.
fn commands() -> Vec<String> {
    let help = run(["--help"]).expect(0);
    let listed = help
        .text()
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1);
    let names = listed
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        // What is indented further goes on with the line above.
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// README names each flag that a command takes.
#[test]
fn readme_names_every_flag() {
    let readme = std::fs::read_to_string(common::fixtures().join("../README.md")).unwrap();
    let mut flags = BTreeSet::new();
    let below = [
        "case authorship",
        "case export",
        "case match",
        "case notice list",
        "case notice set",
        "case reveal",
        "case review",
        "case sample",
        "case scope",
    ]
    .map(str::to_owned);
    for command in commands().into_iter().chain(below) {
        if command == "help" {
            continue;
        }
        let help = run(command.split(' ').chain(["--help"])).expect(0);
        let lines = help.text().lines().map(str::trim);
        let heads = lines.filter(|line| line.starts_with('-'));
        let words = heads.flat_map(|line| line.split([' ', ',', '=']));
        flags.extend(
            words
                .filter(|word| word.starts_with("--"))
                .map(|word| word.trim_end_matches(|last: char| !last.is_ascii_alphanumeric()))
                .map(str::to_owned),
        );
    }
    assert!(
        flags.len() > 50 && flags.contains("--limit-ratio"),
        "{flags:?}"
    );
    for usual in ["--help", "--version"] {
        flags.remove(usual);
    }
    flags.retain(|flag| !readme.contains(flag.as_str()));
    assert!(flags.is_empty(), "{flags:?}");
}

#[test]
fn completions_name_every_command() {
    let folder = scratch();
    let commands = commands();
    assert!(commands.len() >= 9, "{commands:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(["completions", shell]).expect(0);
        for command in commands
            .iter()
            .map(String::as_str)
            .chain(["files-from", "limit-depth"])
        {
            assert!(ran.text().contains(command), "{shell} lacks {command}");
        }
        let script = folder.path().join(shell);
        std::fs::write(&script, &ran.stdout).unwrap();
        // The shells that are here must at least be able to read theirs.
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {shell}")])
            .output()
            .unwrap();
        if ["bash", "zsh", "fish"].contains(&shell) && found.status.success() {
            common::finish(Command::new(shell).arg("-n").arg(&script)).expect(0);
        }
    }
    run(["completions", "tcsh"]).expect(2);
}

#[test]
fn the_man_page_is_clean() {
    let folder = scratch();
    let page = folder.path().join("strandline.1");
    let man = run(["man"]).expect(0);
    for command in commands() {
        assert!(
            man.text().contains(&format!("strandline\\-{command}")),
            "{command}"
        );
    }
    std::fs::write(&page, &man.stdout).unwrap();
    for checker in [
        &["groff", "-ww", "-man", "-Tutf8", "-z"][..],
        &["man", "--warnings", "-E", "UTF-8", "-l"],
    ] {
        let Ok(output) = Command::new(checker[0])
            .args(&checker[1..])
            .arg(&page)
            .output()
        else {
            let line = format!("SKIPPED the man page: {} is not installed\n", checker[0]);
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            continue;
        };
        assert!(output.status.success(), "{checker:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{checker:?}");
    }
}

#[test]
fn rules_are_listed_and_pass_their_own_examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("signatures");
    let list = run(["rules", "list"]).expect(0);
    let mut rules = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        // The axes of severity, hosts, deadlines and places to contain are no rules; those for drafts have tests of their own.
        let others = ["impact", "hosts", "deadlines", "containment", "lint"];
        let stem = path.file_stem().unwrap_or_default();
        if path.is_dir() || others.iter().any(|other| stem == *other) {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for id in text.lines().filter_map(|line| line.strip_prefix("id = \"")) {
            let id = id.trim_end_matches('"');
            assert!(
                list.text()
                    .lines()
                    .any(|line| line.starts_with(&format!("{id} ("))),
                "{id}"
            );
            rules += 1;
        }
    }
    assert!(rules >= 10, "the first ten classes");
    run(["rules", "test"]).expect(0).prints(", 0 failed");
}

/// The table of the contract, command by command: 0 clean, 1 findings, 2 could not run, 3 not read in full.
#[test]
fn exit_statuses_are_those_of_the_contract() {
    let folder = scratch();
    let at = |name: &str| {
        folder
            .path()
            .join(name)
            .into_os_string()
            .into_string()
            .unwrap()
    };
    let whole = package(1);
    write_all(
        folder.path(),
        &[
            ("whole.tgz", &whole[..]),
            ("cut.tgz", &whole[..whole.len() / 2]),
            ("full/file", b"x"),
        ],
    );
    let (whole, cut, missing) = (at("whole.tgz"), at("cut.tgz"), at("missing.tgz"));
    let scan = |input: &str, more: &[&str]| -> Vec<String> {
        ["scan", input]
            .iter()
            .chain(more)
            .map(|word| (*word).to_owned())
            .collect()
    };
    let to = |command: &str, input: &str, output: &str| -> Vec<String> {
        [command, input, "--output", &at(output)]
            .map(str::to_owned)
            .to_vec()
    };
    let sign = |input: &str, output: &str| {
        [
            to("sign", input, output),
            ["--work", "w", "--release", "1"]
                .map(str::to_owned)
                .to_vec(),
        ]
        .concat()
    };
    let case = |what: &str, name: &str| ["case", what, &at(name)].map(str::to_owned).to_vec();
    let table = [
        (0, scan(&whole, &[])),
        (0, scan(&whole, &["--case", &at("whole.case")])),
        (1, scan(&whole, &["--fail-on", "critical"])),
        (2, scan(&missing, &[])),
        (2, scan(&whole, &["--case", &missing, "--jobs", "many"])),
        (3, scan(&cut, &[])),
        (
            3,
            scan(&cut, &["--fail-on", "info", "--case", &at("cut.case")]),
        ),
        (0, scan(&cut, &["--accept-problem", "truncated"])),
        (0, to("recover", &whole, "recovered")),
        (2, to("recover", &whole, "recovered")),
        (2, to("recover", &whole, "full")),
        (2, to("recover", &missing, "nothing")),
        (3, to("recover", &cut, "partly")),
        (0, sign(&whole, "whole.sigset")),
        (2, sign(&missing, "missing.sigset")),
        (3, sign(&cut, "cut.sigset")),
        (0, case("info", "whole.case")),
        (0, case("export", "whole.case")),
        (2, case("info", "missing.case")),
        (0, to("report", &at("whole.case"), "report")),
        (2, to("report", &at("whole.case"), "report")),
        (2, to("report", &at("missing.case"), "none")),
        (0, vec!["schema".to_owned()]),
        (0, vec!["--version".to_owned()]),
        (0, vec!["--help".to_owned()]),
    ];
    for (status, arguments) in table {
        run(arguments).expect(status);
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Writing

/// Names of sources that try to lead out of a folder, to overwrite one another, or to be something else than a file.
fn hostile_sources() -> Vec<String> {
    let long = "long/".repeat(400) + &"x".repeat(400);
    let mut names: Vec<String> = [
        "../../../../../../outside.ts",
        "/outside.ts",
        "//outside.ts",
        "..",
        ".",
        "",
        "a/../../../../../../outside.ts",
        "..\\..\\outside.ts",
        "C:\\outside.ts",
        "file:///outside.ts",
        "webpack://app/./../../../../outside.ts",
        "%2e%2e/%2e%2e/%2e%2e/outside.ts",
        "nul\u{0}byte.ts",
        "line\nfeed.ts",
        "CON",
        "con.ts",
        "src/AUX.ts",
        "src/lpt1",
        "src/Case.ts",
        "src/case.ts",
        "src/CASE.TS",
        "src/dir",
        "src/dir/file.ts",
        "src/DIR/other.ts",
        "src/dot.",
        "src/blank ",
        "src/caf\u{e9}.ts",
        "src/cafe\u{301}.ts",
        "src/<pipe>|?*\".ts",
        "src/\u{202e}st.exe",
        "manifest.jsonl",
        "sources/manifest.jsonl",
        "~/.ssh/authorized_keys",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push(long);
    names
}

#[test]
fn nothing_is_written_outside_the_output() {
    let folder = scratch();
    let input = folder.path().join("deep/er/in");
    let output = folder.path().join("deep/er/out");
    let names = hostile_sources();
    // Each has content of its own, so that nothing is spared by being equal.
    let contents: Vec<String> = (0..names.len())
        .map(|number| format!("export const n = {number};\n"))
        .collect();
    let sources: Vec<_> = names
        .iter()
        .zip(&contents)
        .map(|(name, content)| (name.as_str(), Some(content.as_str())))
        .collect();
    let map = source_map(&sources);
    let small = source_map(&[
        ("../../../../../../../outside.ts", Some("let outside;\n")),
        ("x.ts", Some("let x;\n")),
    ]);
    write_all(
        &input,
        &[
            ("all.js.map", map.clone().into_bytes()),
            (
                "package.tgz",
                tgz(&[
                    ("package/package.json", manifest("x", "1.0.0")),
                    ("package/a.js.map", map),
                ]),
            ),
            (
                "names.tar",
                tar(&[
                    ("../../../../../../up.js.map", small.clone()),
                    ("/absolute.js.map", small.clone()),
                ]),
            ),
            ("names.zip", zip(&[("../../../../../../up.js.map", small)])),
        ],
    );
    let before = tree(folder.path());
    run([
        OsStr::new("recover"),
        input.as_os_str(),
        OsStr::new("--output"),
        output.as_os_str(),
    ])
    .expect(0);

    let mut after = tree(folder.path());
    after.retain(|path, _| path != "deep/er/out" && !path.starts_with("deep/er/out/"));
    assert_eq!(before, after, "something beside the output changed");
    assert!(!Path::new("/outside.ts").exists());

    let written = tree(&output);
    let manifest = Records::manifest(&output);
    assert_eq!(
        manifest.0.len(),
        2 * names.len() + 3 * 2,
        "a row for each source of each map"
    );
    let mut contents_of: BTreeMap<String, &str> = BTreeMap::new();
    for row in &manifest.0 {
        let path = text(row, "path");
        assert!(path.starts_with("sources/"), "{path}");
        let digest = text(row, "sha256");
        assert_eq!(written[path].1.as_deref(), Some(digest), "{row}");
        // On a file system that does not tell cases apart, each path still holds its own content.
        let held = contents_of.entry(path.to_lowercase()).or_insert(digest);
        assert_eq!(*held, digest, "{path} collides with another by case");
        for part in path.split('/') {
            assert!(is_ordinary(part), "{part:?} in {path}");
        }
    }
    for path in contents_of.keys() {
        let mut folders = Path::new(path).ancestors().skip(1);
        let file = folders.find(|folder| contents_of.contains_key(folder.to_str().unwrap()));
        assert_eq!(file, None, "{path} lies in a file");
    }
    let recovered: BTreeSet<_> = manifest
        .0
        .iter()
        .map(|row| text(row, "sha256").to_owned())
        .collect();
    assert!(
        contents
            .iter()
            .all(|content| recovered.contains(&sha256(content.as_bytes()))),
        "every content came back"
    );
}

/// A component that every system takes as a name and nothing else.
fn is_ordinary(part: &str) -> bool {
    let stem = part
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let device = ["con", "prn", "aux", "nul"].contains(&stem.as_str())
        || ["com", "lpt"].iter().any(|kind| {
            let number = stem.strip_prefix(kind);
            number.is_some_and(|number| {
                number.len() == 1
                    && number != "0"
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            })
        });
    let odd = |character: char| character.is_control() || "\\:*?\"<>|\u{202e}".contains(character);
    !part.is_empty()
        && part.len() <= 255
        && !device
        && !part.ends_with(['.', ' '])
        && !part.chars().any(odd)
}
