//! Skeletons: real maps with contents laid out as if they had none and held against those, and how the program finds
//! the script that a map belongs to.
//!
//! The packages are those that `fixtures/fetch.py` gets; without them this says so and passes, unless
//! STRANDLINE_REQUIRE_PACKAGES=1.

mod common;

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use strandline::sourcemap::{Content, scan, skeleton};

/// A file of a package, by the end of its name.
fn member(package: &Path, ending: &str) -> Vec<u8> {
    let file = std::fs::File::open(package).expect("the package is there");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    for member in archive.entries().expect("a tar") {
        let mut member = member.expect("a member");
        if member.path_bytes().ends_with(ending.as_bytes()) {
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).expect("its bytes");
            return bytes;
        }
    }
    panic!("{} holds no {ending}", package.display());
}

/// Words of a script by line and column, strings and comments apart. Regular expressions are taken for code.
fn words(text: &[u8]) -> HashMap<(usize, usize), Vec<u8>> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    let mut found = HashMap::new();
    let (mut at, mut line, mut line_at) = (0, 0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let len = match rest[0] {
            b'\n' => {
                line += 1;
                line_at = at + 1;
                1
            }
            b'/' if rest.starts_with(b"//") => rest
                .iter()
                .position(|&byte| byte == b'\n')
                .unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => {
                let end = rest.windows(2).skip(2).position(|pair| pair == b"*/");
                end.map_or(rest.len(), |end| end + 4)
            }
            quote @ (b'"' | b'\'') => {
                let mut end = 1;
                while end < rest.len() && rest[end] != quote && rest[end] != b'\n' {
                    end += if rest[end] == b'\\' { 2 } else { 1 };
                }
                end + usize::from(rest.get(end) == Some(&quote))
            }
            byte if is_word(byte) => {
                let len = rest
                    .iter()
                    .position(|&byte| !is_word(byte))
                    .unwrap_or(rest.len());
                // Columns count characters; lines that are not ASCII are left out.
                if !byte.is_ascii_digit() && text[line_at..at].is_ascii() {
                    found.insert((line, at - line_at), rest[..len].to_vec());
                }
                len
            }
            _ => 1,
        };
        for (index, _) in rest[..len.min(rest.len())]
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, byte)| **byte == b'\n')
        {
            line += 1;
            line_at = at + index + 1;
        }
        at += len.max(1);
    }
    found
}

#[test]
fn most_words_of_a_real_source_stand_in_its_skeleton_where_they_stood() {
    if common::packages().is_none() {
        return;
    }
    for (package, script, map, recovered_min, right_min) in [
        (
            "mermaid-11.17.2.tgz",
            "dist/mermaid.min.js",
            "dist/mermaid.min.js.map",
            0.58,
            0.84,
        ),
        (
            "monaco-editor-0.52.2.tgz",
            "min/vs/editor/editor.main.js",
            "min-maps/vs/editor/editor.main.js.map",
            0.58,
            0.84,
        ),
    ] {
        let package = common::packages_folder().join(package);
        let (script, map) = (member(&package, script), member(&package, map));
        let scan = scan(&map).expect("a map");
        let skeletons = skeleton::lay_out(&script, &scan, |_| true, usize::MAX);
        let (mut all, mut placed, mut right) = (0, 0, 0);
        for (slot, source) in scan.sources.iter().enumerate() {
            let Content::Raw(content) = source.content else {
                continue;
            };
            let truth = words(&content.decode().bytes);
            let drawn = skeletons
                .get(&slot)
                .map(|drawn| words(&drawn.text))
                .unwrap_or_default();
            all += truth.len();
            placed += drawn.len();
            right += drawn
                .iter()
                .filter(|(place, word)| truth.get(place) == Some(word))
                .count();
        }
        let (recovered, correct) = (right as f64 / all as f64, right as f64 / placed as f64);
        let figures = format!(
            "{}: {recovered:.3} of {all} words recovered, {correct:.3} of {placed} right",
            package.display()
        );
        println!("{figures}");
        assert!(
            recovered >= recovered_min && correct >= right_min,
            "{figures}"
        );
    }
}

/// `function area(box) {` and, on the next line, `  return box.size`, minified; the source has no content.
const SCRIPT: &str = "function a(b){return b.c}";
const MAP: &str = r#"{"version":3,"sources":["src/area.ts"],"names":["area","box"],"mappings":"AAAA,SAASA,EAAKC,GACZ,OAAOA"}"#;
const SKELETON: &str = "function area(box){\n  return box.c}\n";

/// The one row of the manifest of a recovery with skeletons, and the skeleton that it names.
#[track_caller]
fn recover(input: &Path) -> (Value, Option<String>) {
    let folder = common::scratch();
    let output = folder.path().join("out");
    common::run([
        "recover".as_ref(),
        input.as_os_str(),
        "--skeletons".as_ref(),
        "--output".as_ref(),
        output.as_os_str(),
    ])
    .expect(0);
    let manifest = common::Records::manifest(&output);
    let rows: Vec<_> = manifest.all("source").collect();
    assert_eq!(rows.len(), 1);
    let row = rows[0].clone();
    let text = row["skeleton_path"]
        .as_str()
        .map(|path| std::fs::read_to_string(output.join(path)).expect("the skeleton is there"));
    assert_eq!(row["skeleton"], text.is_some());
    assert_eq!(row["path"], Value::Null, "a skeleton is no source");
    assert_eq!(row["status"], "missing");
    (row, text)
}

#[test]
fn the_script_of_a_map_is_found_by_its_link_its_name_or_its_file() {
    let linked = format!("{SCRIPT}\n//# sourceMappingURL=maps/a.map");
    let named = MAP.replacen('{', r#"{"file":"../dist/x.js","#, 1);
    for (script, text, map, map_text) in [
        ("dist/a.js", linked.as_str(), "dist/maps/a.map", MAP),
        ("dist/a.js", SCRIPT, "dist/a.js.map", MAP),
        ("dist/x.js", SCRIPT, "maps/y.map", named.as_str()),
    ] {
        let files = [(script, text), (map, map_text)];
        let folder = common::scratch();
        let archive = folder.path().join("a.tgz");
        std::fs::write(&archive, common::tgz(&files)).expect("the build folder is writable");
        let (row, drawn) = recover(&archive);
        assert_eq!(drawn.as_deref(), Some(SKELETON), "{script} in an archive");
        let path = common::text(&row, "skeleton_path");
        assert!(path.ends_with("src/area.ts.skeleton"), "{path}");
        let loose = folder.path().join("loose");
        common::write_all(&loose, &files);
        let drawn = recover(&loose).1;
        assert_eq!(drawn.as_deref(), Some(SKELETON), "{script} in a folder");
    }
    let inline = format!("{SCRIPT}\n//# sourceMappingURL={}", common::data_url(MAP));
    let folder = common::scratch();
    common::write_all(folder.path(), &[("a.js", inline)]);
    assert_eq!(recover(folder.path()).1.as_deref(), Some(SKELETON));
}

#[test]
fn a_map_cannot_have_what_lies_elsewhere_laid_out() {
    let folder = common::scratch();
    common::write_all(folder.path(), &[("secret.js", SCRIPT)]);
    let input = folder.path().join("input");
    std::fs::create_dir(&input).expect("the build folder is writable");
    std::os::unix::fs::symlink(folder.path(), input.join("link")).expect("links can be made");
    for file in ["../secret.js", "link/secret.js", "/etc/passwd"] {
        let map = MAP.replacen('{', &format!(r#"{{"file":"{file}","#), 1);
        common::write_all(&input, &[("y.map", map)]);
        assert_eq!(recover(&input).1, None, "{file}");
    }
}

#[test]
fn a_skeleton_is_of_the_script_that_is_named_and_says_of_which() {
    let linked = "fake();\n//# sourceMappingURL=real.js.map";
    let named = MAP.replacen('{', r#"{"file":"real.js","#, 1);
    let folder = common::scratch();
    let loose = folder.path().join("in");
    let files = [
        ("aaa.js", linked),
        ("real.js", SCRIPT),
        ("real.js.map", named.as_str()),
    ];
    common::write_all(&loose, &files);
    let (row, drawn) = recover(&loose);
    assert_eq!(drawn.as_deref(), Some(SKELETON));
    assert_eq!(row["skeleton_from"], "in/real.js");
    assert_eq!(row["skeleton_sha256"], common::sha256(SKELETON.as_bytes()));
    let archive = folder.path().join("a.tgz");
    std::fs::write(&archive, common::tgz(&files)).expect("the build folder is writable");
    let (row, drawn) = recover(&archive);
    assert_eq!(drawn.as_deref(), Some(SKELETON));
    assert_eq!(row["skeleton_from"], "a.tgz!/real.js");
}

#[test]
fn a_source_called_as_a_skeleton_is_another_file() {
    let folder = common::scratch();
    let map = format!(
        r#"{{"version":3,"sources":["src/area.ts","src/area.ts.skeleton"],"sourcesContent":[null,{}],{}"#,
        Value::from(SKELETON),
        MAP.split_once(r#""names""#)
            .map(|(_, rest)| format!(r#""names"{rest}"#))
            .expect("names"),
    );
    common::write_all(
        folder.path(),
        &[("in/a.js", SCRIPT), ("in/a.js.map", map.as_str())],
    );
    let output = folder.path().join("out");
    common::run([
        "recover".as_ref(),
        folder.path().join("in").as_os_str(),
        "--skeletons".as_ref(),
        "--output".as_ref(),
        output.as_os_str(),
    ])
    .expect(0)
    .prints("1 recovered into 1 files");
    let manifest = common::Records::manifest(&output);
    let paths: Vec<_> = manifest
        .all("source")
        .filter_map(|row| row["path"].as_str().or(row["skeleton_path"].as_str()))
        .collect();
    assert_eq!(paths.len(), 2);
    assert_ne!(paths[0], paths[1]);
}
