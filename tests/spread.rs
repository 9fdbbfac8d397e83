//! How much of a script its map explains, held against the same counted by another reader of maps: the `sourcemap` crate.
//!
//! The packages are those of `fixtures/packages.tsv`, got by `fixtures/fetch.py`; without them this says so and passes,
//! unless STRANDLINE_REQUIRE_PACKAGES=1.

mod common;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use common::{packages_folder, scan, scratch, skipped, text, tgz, write_all};
use serde_json::Value;

/// Packages with scripts of one line and of many, made by several tools.
const PACKAGES: [&str; 6] = [
    "hls.js-1.7.4.tgz",
    "bootstrap-5.3.8.tgz",
    "rxjs-7.8.2.tgz",
    "maplibre-gl-6.17.0.tgz",
    "wrangler-4.0.0.tgz",
    "core-js-3.51.0.tgz",
];

/// What a map's record says, by the path of its script: characters explained, and all.
fn told(archive: &Path) -> BTreeMap<String, (u64, u64)> {
    let records = scan(0, [archive]);
    let maps = records
        .all("map")
        .filter(|map| map["explained"] != Value::Null);
    maps.filter(|map| map["kind"] == "file")
        .map(|map| {
            let explained = &map["explained"];
            let script = text(explained, "script").split_once("!/").unwrap().1;
            let number = |key: &str| explained[key].as_u64().unwrap();
            (script.to_owned(), (number("characters"), number("of")))
        })
        .collect()
}

/// The same by the other reader, character by character.
fn counted(script: &str, map: &[u8]) -> (u64, u64) {
    let map = sourcemap::SourceMap::from_slice(map).unwrap();
    let mut places: BTreeMap<(u32, u32), bool> = BTreeMap::new();
    for token in map.tokens() {
        places.insert(token.get_dst(), token.has_source());
    }
    let (mut explained, mut all) = (0, 0);
    for (number, line) in script.split('\n').enumerate() {
        let line = line.trim_end_matches('\r');
        if line.starts_with("//# sourceMappingURL=") || line.starts_with("/*# sourceMappingURL=") {
            continue;
        }
        let mut is_of_source = false;
        for column in 0..line.encode_utf16().count() as u32 {
            if let Some(begins) = places.get(&(number as u32, column)) {
                is_of_source = *begins;
            }
            explained += u64::from(is_of_source);
            all += 1;
        }
    }
    (explained, all)
}

/// All files of an archive.
fn files(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let packed = std::fs::File::open(archive).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(path, bytes);
    }
    files
}

#[test]
fn the_share_is_what_another_reader_counts() {
    let mut compared = 0;
    for name in PACKAGES {
        let archive = packages_folder().join(name);
        if !archive.exists() {
            return skipped(
                "the share of the bundle explained",
                &format!("{name} is not there; run `python3 fixtures/fetch.py`"),
                "STRANDLINE_REQUIRE_PACKAGES",
            );
        }
        let files = files(&archive);
        for (script, told) in told(&archive).into_iter().take(60) {
            let map = &files[&format!("{script}.map")];
            let text = String::from_utf8_lossy(&files[&script]);
            assert_eq!(told, counted(&text, map), "{name} {script}");
            compared += 1;
        }
    }
    eprintln!("{compared} maps");
    assert!(compared >= 100, "{compared} maps");
}

#[test]
fn a_map_whose_script_is_not_there_or_another_one_explains_nothing() {
    let map =
        r#"{"version":3,"file":"a.js","sources":["a.ts"],"names":[],"mappings":"AAAA,GAAG;AACH"}"#;
    let script = "let a=1\nlet b\n//# sourceMappingURL=a.js.map\n";
    let folder = scratch();
    let write = |name: &str, script: Option<&str>| {
        let mut members = vec![("package/a.js.map", map.as_bytes())];
        members.extend(script.map(|script| ("package/a.js", script.as_bytes())));
        write_all(folder.path(), &[(name, tgz(&members))]);
        told(&folder.path().join(name))
    };
    let whole = BTreeMap::from([("package/a.js".to_owned(), (12, 12))]);
    assert_eq!(write("whole.tgz", Some(script)), whole);
    assert!(write("alone.tgz", None).is_empty());
    assert!(write("unlinked.tgz", Some("let a=1\nlet b\n")).is_empty());
    let short = "x\n//# sourceMappingURL=a.js.map\n";
    assert!(write("short.tgz", Some(short)).is_empty());
    // In a folder the script is a unit of its own.
    let members = [("in/a.js", script), ("in/a.js.map", map)];
    write_all(folder.path(), &members);
    let records = scan(0, [folder.path().join("in")]);
    let explained = &records.all("map").next().unwrap()["explained"];
    assert_eq!(
        (&explained["characters"], &explained["of"]),
        (&12.into(), &12.into())
    );
}
