//! Maps of real packages, held against readers that others wrote: the `sourcemap` crate, serde_json, and Mozilla's
//! `source-map` (npm).
//!
//! What the strict verdict calls valid, all have to read; the other way round nothing follows, since they read maps that
//! the standard calls wrong. Names and contents have to be the same, byte for byte.
//!
//! The packages are those of `fixtures/packages.tsv`, got by `fixtures/fetch.py`; without them this says so and passes,
//! unless STRANDLINE_REQUIRE_PACKAGES=1. Mozilla's reader is one of them, and is asked where `node` is there.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{packages_folder, real_maps, skipped};
use strandline::sourcemap::strict::judge;

/// Mozilla's reader, unpacked into `folder`; `None`, and said so, without `node`.
fn mozilla(folder: &Path) -> Option<PathBuf> {
    if Command::new("node").arg("--version").output().is_err() {
        skipped(
            "Mozilla's reader",
            "there is no node",
            "STRANDLINE_REQUIRE_PACKAGES",
        );
        return None;
    }
    let packed = std::fs::File::open(packages_folder().join("source-map-0.7.6.tgz"))
        .expect("Mozilla's reader: run `python3 fixtures/fetch.py`");
    tar::Archive::new(flate2::read::GzDecoder::new(packed))
        .unpack(folder)
        .unwrap();
    Some(folder.join("package"))
}

#[test]
fn what_is_called_valid_is_read_by_others() {
    let Some(maps) = real_maps() else { return };
    let (valid, wrong): (Vec<_>, Vec<_>) = maps.iter().partition(|(_, map)| judge(map).is_valid());
    assert!(valid.len() > wrong.len(), "most published maps are valid");
    for (name, map) in &wrong {
        eprintln!("{name}: {:?}", judge(map).lines());
    }
    for (name, map) in &valid {
        if let Err(error) = sourcemap::decode_slice(map) {
            panic!("the crate does not read {name}: {error}");
        }
    }
    let folder = common::scratch();
    let Some(module) = mozilla(folder.path()) else {
        return;
    };
    let mut paths = String::new();
    for (index, (_, map)) in valid.iter().enumerate() {
        let path = folder.path().join(format!("{index}.map"));
        std::fs::write(&path, map).unwrap();
        paths.push_str(path.to_str().unwrap());
        paths.push('\n');
    }
    let list = folder.path().join("paths");
    std::fs::write(&list, paths).unwrap();
    let output = Command::new("node")
        .arg(common::fixtures().join("consume.mjs"))
        .arg(module)
        .stdin(Stdio::from(std::fs::File::open(list).unwrap()))
        .output()
        .expect("node");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), valid.len());
    for (line, (name, _)) in said.lines().zip(&valid) {
        assert_eq!(line, "ok", "Mozilla's reader on {name}");
    }
}

/// Name and content of each source, as a reader that follows JSON gives them: sections flattened in their order.
fn by_json(map: &serde_json::Value, into: &mut Vec<(Option<String>, Option<String>)>) {
    for section in map["sections"].as_array().into_iter().flatten() {
        by_json(&section["map"], into);
    }
    let list = |key: &str| map[key].as_array().cloned().unwrap_or_default();
    let (names, contents) = (list("sources"), list("sourcesContent"));
    for index in 0..names.len().max(contents.len()) {
        let text = |list: &[serde_json::Value]| {
            let value = list.get(index).and_then(serde_json::Value::as_str);
            value.map(str::to_owned)
        };
        into.push((text(&names), text(&contents)));
    }
}

#[test]
fn names_and_contents_are_those_of_other_readers() {
    let Some(maps) = real_maps() else { return };
    let (mut compared, mut by_library) = (0, 0);
    for (name, map) in &maps {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(map) else {
            continue;
        };
        let mut expected = Vec::new();
        by_json(&value, &mut expected);
        let scan =
            strandline::sourcemap::scan(map).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(scan.sources.len(), expected.len(), "{name}");
        for (slot, (source, content)) in scan.sources.iter().zip(&expected) {
            let found = slot.name.map(|name| name.decode().bytes.into_owned());
            assert_eq!(
                found.as_deref(),
                source.as_deref().map(str::as_bytes),
                "{name}"
            );
            let found = slot.content.decode().map(|text| text.bytes.into_owned());
            assert_eq!(
                found.as_deref(),
                content.as_deref().map(str::as_bytes),
                "{name}: {source:?}"
            );
            compared += 1;
        }
        let Ok(sourcemap::DecodedMap::Regular(library)) = sourcemap::decode_slice(map) else {
            continue;
        };
        for (index, slot) in (0..library.get_source_count()).zip(&scan.sources) {
            let found = slot.content.decode().map(|text| text.bytes.into_owned());
            let theirs = library.get_source_contents(index).map(str::as_bytes);
            assert_eq!(found.as_deref(), theirs, "{name}: source {index}");
            by_library += 1;
        }
    }
    assert!(
        compared > 50_000 && by_library > 50_000,
        "{compared} and {by_library} sources"
    );
}
