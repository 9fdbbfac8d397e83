//! Captures of traffic: WARC files by `warcio`, and HAR files in the orders that browsers have.
//!
//! `fixtures/captures.py` serves a small site on this machine, captures it, and says what must come out: every body with
//! its codings undone, every original of a map, and for each script where its map is, as its header or its comment says.
//! `warcio` reads its files back there, so that three agree: the server, another reader, and this program. Without it the
//! test says so and passes; with STRANDLINE_REQUIRE_CAPTURES=1 it fails. What needs no other tool is tested besides.

mod common;

use std::ffi::OsStr;
use std::process::Command;

use common::{
    Records, gzip, lines, python, run, scan, scratch, skipped, source_map, text, write_all,
};
use serde_json::{Value, json};

fn has_warcio() -> bool {
    let found = Command::new("python3")
        .args(["-c", "import warcio"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        skipped(
            "captures",
            "there is no warcio: run `pip install -r fixtures/requirements.txt`",
            "STRANDLINE_REQUIRE_CAPTURES",
        );
    }
    found
}

/// Whether a record of the expected kind stands where it should, with what it should hold.
fn is_there(records: &Records, expected: &Value) -> bool {
    let locator = format!("made/{}", text(expected, "locator"));
    let (front, back) = locator.split_once('*').unwrap_or((&locator, ""));
    let is_exact = !locator.contains('*');
    records.all(text(expected, "kind")).any(|record| {
        let at = text(record, "locator");
        let stands = at == locator || (!is_exact && at.starts_with(front) && at.ends_with(back));
        let found = expected["found"].as_str().map(|at| format!("made/{at}"));
        stands
            && (expected["sha256"].is_null() || record["sha256"] == expected["sha256"])
            && (!expected
                .as_object()
                .is_some_and(|row| row.contains_key("found"))
                || record["found"].as_str() == found.as_deref())
    })
}

#[test]
fn what_was_served_comes_out() {
    if !has_warcio() {
        return;
    }
    let folder = scratch();
    let script = common::fixtures().join("captures.py");
    python([script.as_os_str(), folder.path().as_os_str()]);
    let made = folder.path().join("made");
    let all: [&OsStr; 3] = [made.as_ref(), "--record".as_ref(), "all".as_ref()];
    let records = scan(0, all);
    assert_eq!(records.problems(), []);
    let expected = std::fs::read(folder.path().join("expected.jsonl")).unwrap();
    let rows: Vec<Value> = lines(&expected)
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let wrong: Vec<_> = rows.iter().filter(|row| !is_there(&records, row)).collect();
    assert!(rows.len() > 60, "{} records are expected", rows.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    let ledger = records.ledger();
    // The answers whose bodies the HAR files do not hold.
    assert_eq!(ledger["skipped"], json!({ "no-content": 2 }));
    let other = json!({ "metadata": 2, "request": 24, "revisit": 2, "warcinfo": 2 });
    assert_eq!(ledger["other"], other);

    let output = folder.path().join("out");
    run([
        OsStr::new("recover"),
        made.join("crawl.warc.gz").as_os_str(),
        OsStr::new("--output"),
        output.as_os_str(),
    ])
    .expect(0);
    let manifest = Records::manifest(&output);
    let urls: Vec<_> = manifest.0.iter().map(|row| text(row, "url")).collect();
    assert_eq!(urls.len(), 3);
    for url in urls {
        let path = url.strip_prefix("http://127.0.0.1:").expect("of the site");
        assert!(path.contains("/src/"), "{url}");
    }
}

/// An entry of a HAR.
fn entry(url: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    json!({
        "request": { "method": "GET", "url": url },
        "response": { "status": 200, "headers": headers, "content": { "text": body } },
    })
}

fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "creator": {}, "entries": entries } }).to_string()
}

#[test]
fn a_link_leads_to_a_map_of_the_same_capture_and_nowhere_else() {
    let folder = scratch();
    let input = folder.path().join("in");
    let map = source_map(&[("../src/a.ts", Some("export const a = 1;\n"))]);
    let capture = har(&[
        entry("https://h/js/header.js", &[("SourceMap", "a.js.map")], "1"),
        entry(
            "https://h/js/both.js",
            &[("sourcemap", "a.js.map")],
            "2\n//# sourceMappingURL=a.js.map\n",
        ),
        entry(
            "https://h/js/absolute.js",
            &[],
            "3\n//# sourceMappingURL=https://H:443/js/a.js.map#x\n",
        ),
        entry(
            "https://h/js/host.js",
            &[],
            "4\n//# sourceMappingURL=//h/js/a.js.map\n",
        ),
        entry(
            "https://h/js/file.js",
            &[("SourceMap", "file:///in/beside.js.map")],
            "5",
        ),
        entry(
            "https://h/js/beside.js",
            &[],
            "6\n//# sourceMappingURL=beside.js.map\n",
        ),
        entry(
            "https://h/js/twice.js",
            &[("X-SourceMap", "twice.js.map")],
            "7",
        ),
        entry("https://h/js/a.js.map", &[], &map),
        entry("https://h/js/twice.js.map", &[], "<!doctype html>"),
        entry("https://h/js/twice.js.map", &[], &map),
        // What stands behind the path of a URL is no part of the file's name.
        entry(
            "https://h/app/.env?v=1/2",
            &[],
            "API_KEY=an-invented-value-0123456789\n",
        ),
        // Equal bytes elsewhere have no header, and no link.
        entry("https://h/other/plain.js", &[], "1"),
    ]);
    let files = [
        ("page.har", capture.into_bytes()),
        ("beside.js.map", map.clone().into_bytes()),
        (
            "page.har.gz",
            gzip(har(&[entry("https://h/z.js", &[], "z")]).as_bytes()),
        ),
    ];
    write_all(&input, &files);
    let records = scan(0, [input.as_os_str(), "--record".as_ref(), "all".as_ref()]);
    let at = |name: &str| format!("in/page.har!/https://h/js/{name}");
    for (script, found) in [
        ("header.js", Some("a.js.map")),
        ("both.js", Some("a.js.map")),
        ("absolute.js", Some("a.js.map")),
        ("host.js", Some("a.js.map")),
        ("file.js", None),
        ("beside.js", None),
        ("twice.js", Some("twice.js.map#2")),
    ] {
        let reference = records.at("reference", &at(script));
        let expected = found.map(at);
        assert_eq!(reference["found"].as_str(), expected.as_deref(), "{script}");
    }
    assert_eq!(records.all("reference").count(), 7);
    let source = records.at("source", &format!("{}!/../src/a.ts", at("a.js.map")));
    assert_eq!(source["url"], "https://h/src/a.ts");
    let env = records.at("exposure", "in/page.har!/https://h/app/.env?v=1/2");
    assert_eq!(env["class"], "dotenv");
    let dangling: Vec<_> = records
        .all("exposure")
        .filter(|exposure| exposure["class"] == "map-dangling-link")
        .map(|exposure| text(exposure, "locator").to_owned())
        .collect();
    assert_eq!(dangling, [at("beside.js"), at("file.js")]);
    records.at("blob", "in/page.har.gz!/!/https://h/z.js");
}

#[test]
fn a_case_holds_what_a_capture_says_beside_the_bytes() {
    let folder = scratch();
    let input = folder.path().join("in");
    let map = source_map(&[("a.ts", Some("export const a = 1;\n"))]);
    let entries = [
        entry("https://h/a.js", &[("SourceMap", "a.map")], "one"),
        entry("https://h/a.map", &[], &map),
    ];
    write_all(
        &input,
        &[("a.har", har(&entries)), ("b.har", har(&entries))],
    );
    let case = folder.path().join("x.case");
    let arguments = [input.as_os_str(), "--case".as_ref(), case.as_os_str()];
    let first = scan(0, arguments);
    for name in ["a.har", "b.har"] {
        let reference = first.at("reference", &format!("in/{name}!/https://h/a.js"));
        let found = format!("in/{name}!/https://h/a.map");
        assert_eq!(reference["found"], found.as_str());
    }
    let again = scan(0, arguments);
    common::assert_same(&first.normalised(), &again.normalised(), "a second run");
}
