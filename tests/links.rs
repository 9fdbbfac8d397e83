//! What leads from one place of the input to another: scripts to maps by debug id, and sources that their own map does
//! not hold to where their content is.

mod common;

use std::path::Path;

use common::{Records, run, scan, scratch, sha256, source_map, text, tgz, write_all};
use serde_json::Value;

const ID: &str = "85314830-023f-4cf1-a267-535f4e37bb17";

/// A text of so many lines.
fn lines(count: usize) -> String {
    (0..count)
        .map(|line| format!("let line_{line} = {line};\n"))
        .collect()
}

/// A map of one source whose first ten lines are mapped, with or without its content, and with further keys.
fn map_of(name: &str, content: Option<&str>, more: &str) -> String {
    let content = content.map_or("null".to_owned(), |text| Value::from(text).to_string());
    format!(
        r#"{{"version":3,{more}"sources":["{name}"],"sourcesContent":[{content}],"names":[],"mappings":"AAAA{}"}}"#,
        ";AACA".repeat(9)
    )
}

/// Where the only source without content of a scan may lie, and what says so.
#[track_caller]
fn elsewhere(input: &Path) -> Option<(String, String)> {
    let records = scan(0, [input]);
    let missing: Vec<_> = records
        .all("source")
        .filter(|source| source["status"] == "missing")
        .collect();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0]["mapped"]["lines"], 10);
    let found = missing[0].get("elsewhere")?;
    Some((
        text(found, "locator").to_owned(),
        text(found, "by").to_owned(),
    ))
}

#[test]
fn a_source_that_lies_beside_its_map_is_found_by_its_path() {
    let folder = scratch();
    let files = [
        ("package/dist/a.js.map", map_of("../src/a.ts", None, "")),
        ("package/src/a.ts", lines(10)),
    ];
    let archive = folder.path().join("a.tgz");
    std::fs::write(&archive, tgz(&files)).unwrap();
    assert_eq!(
        elsewhere(&archive),
        Some(("a.tgz!/package/src/a.ts".to_owned(), "path".to_owned()))
    );
    let loose = folder.path().join("loose");
    write_all(&loose, &files);
    assert_eq!(
        elsewhere(&loose),
        Some(("loose/package/src/a.ts".to_owned(), "path".to_owned()))
    );
}

#[test]
fn a_source_in_another_map_is_found_by_what_speaks_for_it_most() {
    let content = lines(11);
    let hash = format!(
        r#""sourcesHash":["sha256-{}"],"#,
        sha256(content.as_bytes())
    );
    let opaque = r#""sourcesHash":["v1-7f3a09bc55e1d240"],"#;
    let debug = format!(r#""debugId":"{ID}","#);
    let other = debug.replace("8531", "9531");
    for (one, another, expected) in [
        ("", "", Some("name-and-lines")),
        (hash.as_str(), "", Some("hash")),
        (opaque, opaque, Some("hash")),
        (opaque, "", Some("name-and-lines")),
        (&debug, &debug, Some("debug-id")),
        (&debug, &other, Some("name-and-lines")),
    ] {
        let folder = scratch();
        let without = map_of("webpack://app/./src/query/a.ts?1f", None, one);
        let with = map_of("../src/query/a.ts", Some(&content), another);
        write_all(
            folder.path(),
            &[("one/a.js.map", without), ("two/b.js.map", with)],
        );
        let found = elsewhere(folder.path());
        assert_eq!(
            found.as_ref().map(|(_, by)| by.as_str()),
            expected,
            "{one} {another}"
        );
        let (locator, _) = found.unwrap();
        assert!(
            locator.ends_with("two/b.js.map!/../src/query/a.ts"),
            "{locator}"
        );
    }
}

#[test]
fn neither_the_map_nor_its_script_nor_a_word_is_a_source_elsewhere() {
    for name in ["index.js", "index.js.map", ""] {
        let folder = scratch();
        let map = map_of(name, None, r#""file":"index.js","#);
        write_all(
            folder.path(),
            &[("index.js.map", map), ("index.js", lines(10))],
        );
        assert_eq!(elsewhere(folder.path()), None, "{name}");
    }
    let folder = scratch();
    let hash = r#""sourcesHash":["1"],"#;
    let (without, with) = (
        map_of("q/x.ts", None, hash),
        map_of("r/y.ts", Some("1"), hash),
    );
    write_all(folder.path(), &[("one.map", without), ("two.map", with)]);
    assert_eq!(elsewhere(folder.path()), None, "a short hash");
    let folder = scratch();
    let build = format!(r#""debugId":"{ID}","#);
    let (without, with) = (
        map_of("q/x.ts", None, &build),
        map_of("q/x.ts", Some("1"), &build),
    );
    write_all(folder.path(), &[("one.map", without), ("two.map", with)]);
    assert_eq!(elsewhere(folder.path()), None, "too short for its mappings");
}

#[test]
fn a_name_alone_speaks_for_nothing() {
    for (name, content) in [
        // Too short for the mappings, and far longer than they need.
        ("../src/query/a.ts", lines(9)),
        ("../src/query/a.ts", lines(40)),
        ("../src/other/a.ts", lines(10)),
    ] {
        let folder = scratch();
        let without = map_of("../src/query/a.ts", None, "");
        let with = map_of(name, Some(&content), "");
        write_all(
            folder.path(),
            &[("one/a.js.map", without), ("two/b.js.map", with)],
        );
        assert_eq!(elsewhere(folder.path()), None, "{name}");
    }
    // Names without a folder are too many.
    let folder = scratch();
    let (without, with) = (
        map_of("a.ts", None, ""),
        map_of("./a.ts", Some(&lines(10)), ""),
    );
    write_all(
        folder.path(),
        &[("one/a.js.map", without), ("two/b.js.map", with)],
    );
    assert_eq!(elsewhere(folder.path()), None);
}

#[test]
fn a_script_leads_to_the_map_with_its_debug_id_wherever_that_lies() {
    let folder = scratch();
    let id = ID.to_uppercase();
    let map =
        source_map(&[("a.ts", Some("1\n"))]).replacen('{', &format!(r#"{{"debugId":"{ID}","#), 1);
    let archive = tgz(&[("maps/x.map", map.as_str())]);
    let script = format!("f();\n//# debugId={id}\n");
    let unknown = script.replace("8531", "9531");
    write_all(
        folder.path(),
        &[
            ("app.js", script.as_bytes()),
            ("maps.tgz", &archive),
            ("other.js", unknown.as_bytes()),
        ],
    );
    let case = folder.path().join("../links.case");
    let arguments = [
        "scan".as_ref(),
        folder.path().as_os_str(),
        "--case".as_ref(),
        case.as_os_str(),
    ];
    run(arguments).expect(0);
    let check = |records: &Records| {
        let references: Vec<_> = records.all("reference").collect();
        assert_eq!(references.len(), 2);
        assert!(
            references
                .iter()
                .all(|reference| reference["kind"] == "debug-id")
        );
        assert_eq!(references[0]["target"], ID);
        let found = text(references[0], "found");
        assert!(found.ends_with("maps.tgz!/maps/x.map"), "{found}");
        assert_eq!(references[1]["found"], Value::Null);
    };
    check(&common::export(&case));
    // The same again from the case alone; and nothing is left of it once the map is gone.
    run(arguments).expect(0);
    check(&common::export(&case));
    std::fs::remove_file(folder.path().join("maps.tgz")).unwrap();
    run(arguments).expect(0);
    let records = common::export(&case);
    assert!(
        records
            .all("reference")
            .all(|reference| reference["found"] == Value::Null)
    );
    std::fs::remove_file(&case).unwrap();
}

#[test]
fn a_map_with_other_contents_is_named() {
    let folder = scratch();
    // Twenty places of one line, each where a word begins.
    let map = |content: &str| {
        let mappings = format!("AAAA{}", ",IAAI".repeat(19));
        format!(
            r#"{{"version":3,"sources":["a.ts"],"sourcesContent":["{content}"],"names":[],"mappings":"{mappings}"}}"#
        )
    };
    let (good, bad) = (map(&"abc ".repeat(20)), map(&"abcdefgh".repeat(12)));
    write_all(folder.path(), &[("good.map", good), ("bad.map", bad)]);
    let records = scan(0, [folder.path()]);
    let scores: Vec<_> = records
        .all("map")
        .map(|map| map["consistency"]["score"].as_f64())
        .collect();
    assert_eq!(scores, [Some(0.05), Some(1.0)]);
    run(["scan".as_ref(), folder.path().as_os_str()])
        .expect(0)
        .prints("1 map whose mappings do not fit the contents")
        .prints("bad.map: 1 of 20 places fit");
}

#[test]
fn a_source_that_leads_to_another_source_of_its_map_finds_it() {
    let folder = scratch();
    let inner = source_map(&[("orig/a.coffee", Some("x = 1\n"))]);
    let script = "x = 1;\n//# sourceMappingURL=a.js.map\n";
    let map = source_map(&[("mid/a.js", Some(script)), ("mid/a.js.map", Some(&inner))]);
    write_all(folder.path(), &[("bundle.js.map", map)]);
    let records = scan(0, [folder.path()]);
    let references: Vec<_> = records.all("reference").collect();
    assert_eq!(references.len(), 1);
    assert!(text(references[0], "found").ends_with("bundle.js.map!/mid/a.js.map"));
    let sources = records.locators("source");
    assert!(
        sources
            .iter()
            .any(|at| at.ends_with("!/mid/a.js.map!/orig/a.coffee"))
    );
}

#[test]
fn maps_inside_other_texts_are_found_where_they_begin() {
    let folder = scratch();
    let map = source_map(&[("src/a.ts", Some("let a = \"{\";\n"))]);
    let string = serde_json::to_string(&map).unwrap();
    let twice = serde_json::to_string(&string).unwrap();
    write_all(
        folder.path(),
        &[
            (
                "dump.bin",
                [b"\0\x01\xff".as_slice(), map.as_bytes(), b"\0\0"].concat(),
            ),
            (
                "log.txt",
                format!("12:00 wrote {map} in 3 ms\n").into_bytes(),
            ),
            (
                "module.js",
                format!("module.exports = {map};\n").into_bytes(),
            ),
            (
                "string.json",
                format!(r#"{{"id":1,"map":{string}}}"#).into_bytes(),
            ),
            ("twice.json", twice.into_bytes()),
            ("two.ndjson", format!("x {map}\n{{}}\n{map}\n").into_bytes()),
        ],
    );
    let records = scan(0, [folder.path()]);
    let label = folder.path().file_name().unwrap().to_str().unwrap();
    let found: Vec<_> = records
        .all("map")
        .map(|map| {
            let at = text(map, "locator").strip_prefix(label).unwrap();
            (at.to_owned(), text(map, "kind").to_owned())
        })
        .collect();
    let embedded = |at: &str| (at.to_owned(), "embedded".to_owned());
    assert_eq!(
        found[..4],
        [
            embedded("/dump.bin!/@3"),
            embedded("/log.txt!/@12"),
            embedded("/module.js!/@17"),
            embedded("/string.json!/@15"),
        ]
    );
    assert_eq!(found[4].0, "/twice.json!/@1!/@1");
    assert!(
        records
            .all("source")
            .all(|source| source["sha256"] == sha256(b"let a = \"{\";\n"))
    );
    assert_eq!(records.all("source").count(), 7);
}
