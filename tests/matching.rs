//! What becomes of a copy that is no longer the same bytes: made-up works are signed, copies of them are made by this test and
//! by other people's tools, and each has to be found, for what it is and where it is, and nothing else.
//!
//! The code is generated: words that nobody else has, in three languages, so that what agrees was copied.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Random, Records, assert_same, export, number, run, scan, scratch, skipped, text};
use serde_json::Value;

/// Functions in a file of the work.
const FUNCTIONS: u64 = 24;

/// A word of so many syllables.
fn word(random: &mut Random, syllables: u64) -> String {
    (0..syllables)
        .map(|_| {
            let number = random.number() >> 20;
            let consonant = b"bdfgklmnprstvz"[(number % 14) as usize] as char;
            let vowel = b"aeiou"[(number / 14 % 5) as usize] as char;
            format!("{consonant}{vowel}")
        })
        .collect()
}

#[derive(Debug, Clone, Copy)]
enum Language {
    Script,
    Python,
    Rust,
}

/// A program of its own for each `seed`; what a tool may rename comes from `names`.
fn program(language: Language, seed: u64, names: u64) -> String {
    let mut random = Random::new(seed * 7919 + 1);
    let mut names = Random::new(names * 104_729 + 1);
    let mut code = String::new();
    for _ in 0..FUNCTIONS {
        let [function, a, b, x] = std::array::from_fn(|_| word(&mut names, 3));
        let [property, method, key, other] = std::array::from_fn(|_| word(&mut random, 4));
        let phrase = format!("{} {}", word(&mut random, 4), word(&mut random, 4));
        let [n, m, k] = std::array::from_fn(|_| random.number() % 90_000 + 10_000);
        let _ = match language {
            Language::Script => writeln!(
                code,
                "export function {function}({a}, {b}) {{\n  const {x} = {a}.{property} + {n};\n  if ({x} > {m}) {{\n    \
                 {b}.{method}(\"{phrase}\", {{ {key}: {x}, {other}: {k} }});\n  }}\n  return {x};\n}}\n"
            ),
            Language::Python => writeln!(
                code,
                "def {function}({a}, {b}):\n    {x} = {a}.{property} + {n}\n    if {x} > {m}:\n        \
                 {b}.{method}(\"{phrase}\", {key}={x}, {other}={k})\n    return {x}\n\n"
            ),
            Language::Rust => writeln!(
                code,
                "pub fn {function}({a}: &Input, {b}: &mut Output) -> u64 {{\n    let {x} = {a}.{property} + {n};\n    \
                 if {x} > {m} {{\n        {b}.{method}(\"{phrase}\", Row {{ {key}: {x}, {other}: {k} }});\n    }}\n    {x}\n}}\n"
            ),
        };
    }
    code
}

/// The files of the work of this test, by name.
fn work() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("src/a.js", program(Language::Script, 1, 1)),
        ("src/b.js", program(Language::Script, 2, 2)),
        ("src/c.py", program(Language::Python, 3, 3)),
        ("src/d.rs", program(Language::Rust, 4, 4)),
    ])
}

/// Code of somebody else.
fn foreign(number: u64) -> String {
    let language = [Language::Script, Language::Python, Language::Rust][number as usize % 3];
    program(language, 1_000 + number, 2_000 + number)
}

fn write<B: AsRef<[u8]>>(folder: &Path, name: &str, content: B) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn write_all<'n, B: AsRef<[u8]>>(
    folder: &Path,
    files: impl IntoIterator<Item = (&'n str, B)>,
) -> PathBuf {
    for (name, content) in files {
        write(folder, name, content);
    }
    folder.to_owned()
}

/// Signs a tree, and gives the set.
#[track_caller]
fn sign(folder: &Path, tree: &Path, release: &str, more: &[&str]) -> PathBuf {
    let set = folder.join(format!("{release}{}.sigset", more.concat()));
    let mut arguments: Vec<OsString> = vec!["sign".into(), tree.into()];
    arguments.extend(["--work", "acme", "--release", release, "--output"].map(OsString::from));
    arguments.push(set.clone().into());
    arguments.extend(more.iter().map(OsString::from));
    run(arguments).expect(0);
    set
}

fn arguments(input: &Path, sets: &[&Path], more: &[&str]) -> Vec<OsString> {
    let mut all: Vec<OsString> = vec![input.into()];
    for set in sets {
        all.extend(["--signatures".into(), (*set).into()]);
    }
    all.extend(more.iter().map(OsString::from));
    all
}

/// The work, signed.
fn signed(folder: &Path) -> PathBuf {
    let tree = write_all(&folder.join("work"), work());
    sign(folder, &tree, "1", &[])
}

/// Grades by locator and file.
fn grades(records: &Records) -> BTreeMap<(String, String), String> {
    let matches = records.all("match");
    matches
        .map(|found| {
            let field = |key| text(found, key).to_owned();
            ((field("locator"), field("file")), field("grade"))
        })
        .collect()
}

#[track_caller]
fn found<'r>(records: &'r Records, locator: &str, file: &str) -> &'r Value {
    let mut all = records.all("match");
    all.find(|found| text(found, "locator") == locator && text(found, "file") == file)
        .unwrap_or_else(|| panic!("{file} is not found at {locator}: {:#?}", grades(records)))
}

/// Bytes of the target that the ranges of a match cover.
fn bytes_of(found: &Value) -> Vec<Range<usize>> {
    let ranges = found["ranges"].as_array().unwrap().iter();
    let place = |at: &Value| at.as_u64().unwrap() as usize;
    ranges
        .map(|range| place(&range["target_bytes"][0])..place(&range["target_bytes"][1]))
        .collect()
}

/// Most of `truth` is covered, and next to nothing beside it.
#[track_caller]
fn assert_covers(found: &Value, truth: Range<usize>) {
    let ranges = bytes_of(found);
    let within: usize = ranges
        .iter()
        .map(|range| {
            range
                .end
                .min(truth.end)
                .saturating_sub(range.start.max(truth.start))
        })
        .sum();
    let all: usize = ranges.iter().map(Range::len).sum();
    assert!(
        within * 10 >= truth.len() * 8 && (all - within) * 20 <= truth.len(),
        "{within} of {} bytes at {truth:?}, and {} beside: {found}",
        truth.len(),
        all - within
    );
}

fn lines(text: &str, from: usize, count: usize) -> String {
    let lines = text.lines().skip(from).take(count);
    lines.map(|line| format!("{line}\n")).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xFF, 0xFE].into_iter().chain(units).collect()
}

#[test]
fn each_change_has_its_grade_and_its_place() {
    let folder = scratch();
    let set = signed(folder.path());
    let work = work();
    let (a, b, c, d) = (
        &work["src/a.js"],
        &work["src/b.js"],
        &work["src/c.py"],
        &work["src/d.rs"],
    );
    let input = folder.path().join("in");
    let crlf = |text: &str| text.replace('\n', "\r\n");
    write(&input, "same/a.js", a);
    write(&input, "crlf/a.js", crlf(a));
    write(&input, "utf16/c.py", utf16(c));
    let cut = lines(c, 40, 25);
    let (before, behind) = (foreign(1), foreign(4));
    write(&input, "cut/page.md", format!("{before}{cut}{behind}"));
    // The same, two bytes a letter: ranges are of the bytes that lie there.
    write(
        &input,
        "cut16/page.md",
        utf16(&format!("{before}{cut}{behind}")),
    );
    let between = foreign(7);
    write(
        &input,
        "joined/all.txt",
        format!("{between}{b}{before}{d}{behind}"),
    );
    let records = scan(0, arguments(&input, &[&set], &[]));
    let grade =
        |locator: &str, file: &str| text(found(&records, locator, file), "grade").to_owned();
    assert_eq!(grade("in/same/a.js", "src/a.js"), "exact");
    assert_eq!(grade("in/crlf/a.js", "src/a.js"), "normalized");
    assert_eq!(grade("in/utf16/c.py", "src/c.py"), "normalized");
    for (locator, file) in [
        ("in/cut/page.md", "src/c.py"),
        ("in/cut16/page.md", "src/c.py"),
        ("in/joined/all.txt", "src/b.js"),
        ("in/joined/all.txt", "src/d.rs"),
    ] {
        assert_eq!(grade(locator, file), "excerpt", "{locator}");
    }
    assert_eq!(records.all("match").count(), 7, "{:#?}", grades(&records));

    let start = before.len();
    let of_cut = found(&records, "in/cut/page.md", "src/c.py");
    assert_covers(of_cut, start..start + cut.len());
    let of_wide = found(&records, "in/cut16/page.md", "src/c.py");
    assert_covers(of_wide, 2 + 2 * start..2 + 2 * (start + cut.len()));
    let of_b = found(&records, "in/joined/all.txt", "src/b.js");
    assert_covers(of_b, between.len()..between.len() + b.len());
    for row in of_cut["ranges"].as_array().unwrap() {
        // Line 41 of the work stands behind all lines of what came before.
        let shift = before.lines().count() as i64 - 40;
        for side in 0..2 {
            let line = |key: &str| row[key][side].as_i64().unwrap();
            let off = line("target_lines") - line("original_lines") - shift;
            assert!(off.abs() <= 2, "{row}");
        }
    }
    for (key, least, most) in [("of_original", 0.08, 0.25), ("of_target", 0.02, 0.2)] {
        let share = of_cut[key].as_f64().unwrap();
        assert!((least..most).contains(&share), "{key} {share}");
    }
    assert!(of_cut["log10_p"].as_f64().unwrap() < -6.0, "{of_cut}");
    assert!(
        (0.5..1.0).contains(&of_cut["score"].as_f64().unwrap()),
        "{of_cut}"
    );
    let of_equal = found(&records, "in/crlf/a.js", "src/a.js");
    assert!(of_equal["log10_p"].is_null() && of_equal["score"] == 1.0);
}

/// A copy counts whole files whole and a cut one with its share; what was renamed is no copy, and is never called one.
#[test]
fn copies_and_suspects_are_rolled_up() {
    let folder = scratch();
    let set = signed(folder.path());
    let work = work();
    let root = folder.path().join("in");
    let package = |name: &str| common::manifest(name, "1.0.0");
    let whole = root.join("whole");
    write_all(&whole, [("package.json", package("whole"))]);
    write_all(&whole, work.clone());
    let part = root.join("part");
    write_all(&part, [("package.json", package("part"))]);
    write(&part, "a.js", &work["src/a.js"]);
    write(
        &part,
        "cut.js",
        format!("{}{}", foreign(1), lines(&work["src/b.js"], 0, 96)),
    );
    let renamed = root.join("renamed");
    write_all(&renamed, [("package.json", package("renamed"))]);
    write(&renamed, "x.js", program(Language::Script, 1, 77));
    let other = root.join("other");
    write_all(&other, [("package.json", package("other"))]);
    write(&other, "y.js", foreign(1));
    let records = scan(0, arguments(&root, &[&set], &[]));

    let copy = records.at("copy", "in/whole");
    assert_eq!(
        (text(copy, "class"), number(copy, "files_matched")),
        ("verbatim", 4)
    );
    assert_eq!(
        (&copy["of_original"], &copy["release_basis"]),
        (&1.0.into(), &Value::Null)
    );
    let copy = records.at("copy", "in/part");
    assert_eq!(
        (text(copy, "class"), number(copy, "files_matched")),
        ("partial", 2)
    );
    assert_eq!(
        copy["grades"],
        serde_json::json!({"exact": 1, "excerpt": 1})
    );
    let bytes = |name: &str| work[name].len() as f64;
    let total: f64 = work.values().map(|content| content.len() as f64).sum();
    let expected = (bytes("src/a.js") + bytes("src/b.js") * 96.0 / 192.0) / total;
    let share = copy["of_original"].as_f64().unwrap();
    assert!(
        (share - expected).abs() < 0.05,
        "{share} and not {expected}"
    );

    let suspect = records.at("suspect", "in/renamed");
    assert_eq!(suspect["grades"], serde_json::json!({"derived": 1}));
    assert_eq!(text(suspect, "class"), "derived");
    assert_eq!(records.all("suspect").count(), 1);
    assert_eq!(records.all("copy").count(), 2);
    let class = |locator: &str| text(records.at("examined", locator), "class").to_owned();
    let classes = ["in/whole", "in/part", "in/renamed", "in/other"].map(class);
    assert_eq!(classes, ["verbatim", "partial", "derived", "unrelated"]);

    let report = folder.path().join("report");
    let report_arguments = ["--report".into(), report.clone().into_os_string()];
    let summary = run(std::iter::once("scan".into())
        .chain(arguments(&root, &[&set], &[]))
        .chain(report_arguments));
    let summary = summary.expect(0).prints("baseline    none was given");
    let about: Vec<&str> = std::str::from_utf8(&summary.stdout)
        .unwrap()
        .lines()
        .collect();
    let about = about.iter().filter(|line| line.contains("in/renamed"));
    let about: Vec<_> = about.collect();
    assert!(
        !about.is_empty()
            && about
                .iter()
                .all(|line| !line.contains("cop") && line.contains("derived")),
        "{about:?}"
    );
    let page = std::fs::read_to_string(report.join("index.html")).unwrap();
    assert!(page.contains("No baseline of public code was given"));
    assert!(page.contains("excerpt") && page.contains("derived"));
}

/// A baseline takes away what it has, and the note with it.
#[test]
fn a_baseline_takes_away_what_is_common() {
    let folder = scratch();
    let common = program(Language::Script, 50, 50);
    let tree = folder.path().join("work");
    write_all(&tree, work());
    write(&tree, "src/common.js", &common);
    let set = sign(folder.path(), &tree, "1", &[]);
    let public = folder.path().join("public");
    write(&public, "lib/common.js", &common);
    for number in 0..6 {
        write(&public, &format!("lib/{number}.js"), foreign(30 + number));
    }
    let baseline = sign(folder.path(), &public, "1", &["--baseline"]);
    let input = folder.path().join("in");
    write(
        &input,
        "all.js",
        format!("{}{common}{}", foreign(1), foreign(2)),
    );
    write(&input, "same.js", &common);
    write(
        &input,
        "ours.js",
        format!("{}{}", foreign(1), work()["src/a.js"]),
    );
    let mut all = arguments(&input, &[&set], &["--baseline"]);
    all.push(baseline.into());
    let records = scan(0, &all);
    let copied: Vec<_> = records
        .all("match")
        .filter(|found| text(found, "grade") != "derived")
        .map(|found| (text(found, "locator"), text(found, "file")))
        .collect();
    assert_eq!(copied, [("in/ours.js", "src/a.js")]);
    all.insert(0, "scan".into());
    let printed = run(&all).expect(0).text().to_owned();
    assert!(!printed.contains("none was given"), "{printed}");
    // Without it, both are found.
    let records = scan(0, arguments(&input, &[&set], &[]));
    assert_eq!(records.all("match").count(), 3, "{:#?}", grades(&records));
}

#[test]
fn code_of_others_matches_nothing() {
    let folder = scratch();
    let set = signed(folder.path());
    let input = folder.path().join("in");
    for number in 0..30 {
        write(&input, &format!("{number}.txt"), foreign(number));
    }
    write(
        &input,
        "licence.txt",
        "Permission is hereby granted, free of charge, to any person\n".repeat(30),
    );
    let records = scan(0, arguments(&input, &[&set], &[]));
    assert_eq!(grades(&records), BTreeMap::new());
    assert_eq!(
        records.all("copy").count() + records.all("suspect").count(),
        0
    );
    assert_eq!(text(records.at("examined", "in"), "class"), "unrelated");
}

/// The first release is public, the second is not; what is in both is nobody's leak, however it was changed.
#[test]
fn what_is_public_is_not_called_leaked() {
    let folder = scratch();
    let work = work();
    let first: Vec<_> = work
        .iter()
        .map(|(name, text)| (*name, text))
        .take(2)
        .collect();
    let tree = write_all(&folder.path().join("first"), first);
    let public = sign(folder.path(), &tree, "1", &["--public"]);
    let tree = write_all(&folder.path().join("second"), work.clone());
    let private = sign(folder.path(), &tree, "2", &[]);
    let input = folder.path().join("in");
    let a = &work["src/a.js"];
    let page = |name: &str| input.join(name);
    write(
        &page("open"),
        "package.json",
        common::manifest("open", "1.0.0"),
    );
    write(&page("open"), "a.js", a);
    write(&page("open"), "crlf.js", a.replace('\n', "\r\n"));
    write(
        &page("open"),
        "cut.js",
        format!("{}{}", foreign(1), lines(a, 30, 60)),
    );
    write(
        &page("open"),
        "renamed.js",
        program(Language::Script, 1, 78),
    );
    write(
        &page("ours"),
        "package.json",
        common::manifest("ours", "1.0.0"),
    );
    write(
        &page("ours"),
        "mixed.txt",
        format!("{a}{}{}", foreign(2), work["src/d.rs"]),
    );
    let records = scan(0, arguments(&input, &[&private, &public], &[]));
    let all = grades(&records);
    let expected = ("in/ours/mixed.txt".to_owned(), "src/d.rs".to_owned());
    assert_eq!(all.keys().collect::<Vec<_>>(), [&expected], "{all:#?}");
    let class = |locator: &str| text(records.at("examined", locator), "class").to_owned();
    assert_eq!(
        [class("in/open"), class("in/ours")],
        ["own-public", "partial"]
    );
    assert_eq!(records.locators("copy"), ["in/ours"]);
    run(std::iter::once("scan".into()).chain(arguments(&input, &[&private, &public], &[])))
        .expect(0)
        .prints("1 hold what is public of it and no more");
    // Without the public set everything is told.
    let records = scan(0, arguments(&input, &[&private], &[]));
    assert_eq!(records.all("match").count(), 6, "{:#?}", grades(&records));
    // A triage keeps to it as well.
    let records = scan(3, arguments(&input, &[&private, &public], &["--triage"]));
    assert_eq!(grades(&records), BTreeMap::new());
    assert_eq!(text(records.at("examined", "in"), "class"), "own-public");
}

#[test]
fn the_release_that_a_copy_came_from_is_named() {
    let folder = scratch();
    let mut sets = Vec::new();
    let mut releases = Vec::new();
    for (number, release) in ["1.0", "1.1", "2.0"].into_iter().enumerate() {
        let mut files = work();
        files.insert(
            "src/e.js",
            program(Language::Script, 100 + number as u64, 100),
        );
        if release == "2.0" {
            files.insert("src/new.py", program(Language::Python, 200, 200));
        }
        let tree = write_all(&folder.path().join(release), files.clone());
        sets.push(sign(folder.path(), &tree, release, &[]));
        releases.push(files);
    }
    let input = folder.path().join("in");
    let place = |name: &str, files: &BTreeMap<&str, String>| {
        write(
            &input,
            &format!("{name}/package.json"),
            common::manifest(name, "1.0.0"),
        );
        for (path, content) in files {
            write(&input.join(name), path, content);
        }
    };
    place("middle", &releases[1]);
    place("last", &releases[2]);
    place("any", &work());
    let edited: BTreeMap<&str, String> = releases[2]
        .iter()
        .map(|(path, content)| (*path, format!("{}{content}", foreign(1))))
        .collect();
    place("edited", &edited);
    let sets: Vec<&Path> = sets.iter().map(PathBuf::as_path).collect();
    let records = scan(0, arguments(&input, &sets, &[]));
    assert_eq!(
        records.locators("copy").len(),
        4,
        "one row for each place and work"
    );
    let copy = |name: &str| records.at("copy", &format!("in/{name}"));
    let telling = |name: &str, release: &str| {
        let rows = copy(name)["release_basis"]["releases"].as_array().unwrap();
        let row = rows.iter().find(|row| row["release"] == release).unwrap();
        row["telling_files"].clone()
    };
    assert_eq!(text(copy("middle"), "release"), "1.1");
    assert_eq!(telling("middle", "1.1"), serde_json::json!(["src/e.js"]));
    assert_eq!(telling("middle", "1.0"), serde_json::json!([]));
    assert_eq!(text(copy("last"), "release"), "2.0");
    assert_eq!(
        telling("last", "2.0"),
        serde_json::json!(["src/e.js", "src/new.py"])
    );
    assert_eq!(text(copy("edited"), "release"), "2.0");
    assert_eq!(copy("last")["release_basis"]["ties"], serde_json::json!([]));
    assert_eq!(
        copy("any")["release_basis"]["ties"],
        serde_json::json!(["1.1", "2.0"])
    );
    run(std::iter::once("scan".into()).chain(arguments(&input, &sets, &[])))
        .expect(0)
        .prints("in/any: partial of acme 1.0 (or 1.1, 2.0: nothing tells them apart)")
        .prints("in/middle: verbatim of acme 1.1 (1 file tells, such as src/e.js)");
}

/// A tool that people ship with: what it makes is found in one line, and the bytes say where.
#[test]
fn minified_and_bundled_code_is_found() {
    let folder = scratch();
    let set = signed(folder.path());
    let input = folder.path().join("in");
    let sources = folder.path().join("sources");
    let work = work();
    write(&sources, "a.js", &work["src/a.js"]);
    write(&sources, "b.js", &work["src/b.js"]);
    let mut entry = "export * from './a.js';\nexport * from './b.js';\n".to_owned();
    for number in 0..6 {
        let language = Language::Script;
        write(
            &sources,
            &format!("f{number}.js"),
            program(language, 300 + number, 300 + number),
        );
        let _ = writeln!(entry, "export * from './f{number}.js';");
    }
    write(&sources, "index.js", entry);
    let output = input.join("bundle.js");
    let made = Command::new("esbuild")
        .arg(sources.join("index.js"))
        .args(["--bundle", "--minify", "--format=esm", "--log-level=error"])
        .arg(format!("--outfile={}", output.display()))
        .output();
    match made {
        Ok(made) => assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        ),
        Err(error) => {
            skipped(
                "code minified by esbuild",
                &error.to_string(),
                "STRANDLINE_REQUIRE_ESBUILD",
            );
            return;
        }
    }
    let records = scan(0, arguments(&input, &[&set], &[]));
    let files: BTreeSet<_> = grades(&records).into_keys().map(|(_, file)| file).collect();
    assert_eq!(files, ["src/a.js", "src/b.js"].map(String::from).into());
    let bundle = std::fs::read_to_string(&output).unwrap();
    for (file, seed) in [("src/a.js", 1), ("src/b.js", 2)] {
        // Its literals are still there: from the first to the last of them it must be.
        let literals: Vec<String> = program(Language::Script, seed, seed)
            .split('"')
            .skip(1)
            .step_by(2)
            .map(|literal| format!("\"{literal}\""))
            .collect();
        let start = bundle.find(&literals[0]).unwrap();
        let end = bundle.find(literals.last().unwrap()).unwrap();
        let ranges = bytes_of(found(&records, "in/bundle.js", file));
        assert!(!ranges.is_empty(), "{file}");
        for range in ranges {
            let slack = 300;
            assert!(
                range.start + slack >= start && range.end <= end + slack,
                "{file}: {range:?} and {start}..{end}"
            );
        }
    }
}

/// Whatever the number of threads, and whether a case was finished in one sitting or in two.
#[test]
fn the_same_on_any_number_of_threads_and_from_a_case() {
    let folder = scratch();
    let set = signed(folder.path());
    let input = folder.path().join("in");
    let work = work();
    for number in 0..40_u64 {
        let file = ["src/a.js", "src/b.js", "src/c.py", "src/d.rs"][number as usize % 4];
        let part = lines(&work[file], number as usize, 40);
        let content = format!("{}{part}{}", foreign(number), foreign(number + 100));
        write(&input, &format!("{number}.txt"), &content);
        let members = [
            ("package/index.js", content.as_bytes()),
            ("package/same.js", work[file].as_bytes()),
        ];
        write(&input, &format!("{number}.tgz"), common::tgz(&members));
    }
    let scan_on = |jobs: &str| scan(0, arguments(&input, &[&set], &["--jobs", jobs])).normalised();
    let one = scan_on("1");
    assert!(one.all("match").count() > 110);
    assert_same(&one, &scan_on("8"), "threads");
    let case = folder.path().join("a.case");
    let with_case = |status| {
        let mut all = arguments(&input, &[&set], &["--case"]);
        all.push(case.clone().into());
        scan(status, all)
    };
    // Half of the input first.
    let away = folder.path().join("away");
    std::fs::create_dir(&away).unwrap();
    let names: Vec<_> = std::fs::read_dir(&input)
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    for name in names.iter().step_by(2) {
        std::fs::rename(input.join(name), away.join(name)).unwrap();
    }
    let half = with_case(0);
    assert!(half.all("match").count() < one.all("match").count());
    for name in names.iter().step_by(2) {
        std::fs::rename(away.join(name), input.join(name)).unwrap();
    }
    with_case(0);
    assert_same(&one, &export(&case).normalised(), "a case");
}

/// What is handed on holds nothing that can be guessed word by word, and says so.
#[test]
fn a_set_for_third_parties_leaves_out_what_can_be_guessed() {
    let folder = scratch();
    let tree = write_all(&folder.path().join("work"), work());
    // A licence that thousands of others have, too, is nobody's work.
    let mit = "The MIT License\n\nPermission is hereby granted, free of charge, to any person. The software is provided\n\"as is\", without warranty of any kind.\n";
    write(&tree, "LICENSE", mit.repeat(9));
    let short = "const password = 'correct horse battery staple';\n";
    write(&tree, "src/short.js", short);
    write(
        &tree,
        "package.json",
        r#"{"name":"acme","version":"1.0.0","license":"MIT"}"#,
    );
    write(
        &tree,
        "src/bound.js",
        format!(
            "// SPDX-License-Identifier: LicenseRef-Acme\n{}",
            program(Language::Script, 9, 9)
        ),
    );
    let set = folder.path().join("handed.sigset");
    let mut command: Vec<OsString> = vec!["sign".into(), tree.clone().into()];
    command.extend(
        [
            "--work",
            "acme",
            "--release",
            "1",
            "--for-third-parties",
            "--output",
        ]
        .map(OsString::from),
    );
    command.push(set.clone().into());
    let said = run(command).expect(0);
    let said = said
        .prints("2 a text under 200 bytes, which who has the set could guess, such as ")
        .prints("1 the text of a public licence, such as work/LICENSE")
        .prints("of single words, which who has the set could guess")
        .prints("licences    4 under an open licence, 1 under another, 0 not known");
    assert!(!said.text().contains("atoms/1"), "{}", said.text());
    assert_eq!(
        std::fs::read(&set).unwrap()[24] & 4,
        4,
        "the flag of the header"
    );
    let input = folder.path().join("in");
    write(&input, "short.js", short);
    write(
        &input,
        "cut.js",
        format!("{}{}", foreign(1), lines(&work()["src/a.js"], 0, 60)),
    );
    let records = scan(0, arguments(&input, &[&set], &[]));
    let files: Vec<_> = grades(&records).into_keys().collect();
    assert_eq!(files, [("in/cut.js".to_owned(), "src/a.js".to_owned())]);
    // The owner's own set has all of it.
    let own = sign(folder.path(), &tree, "1", &[]);
    let records = scan(0, arguments(&input, &[&own], &[]));
    assert!(
        records
            .all("match")
            .any(|found| text(found, "file") == "src/short.js")
    );
}

/// A case keeps digests and no fingerprints: that is said, and what digests tell is told.
#[test]
fn a_case_says_what_it_cannot_be_asked() {
    let folder = scratch();
    let set = signed(folder.path());
    let input = folder.path().join("in");
    let a = &work()["src/a.js"];
    write(&input, "same.js", a);
    write(&input, "form.js", utf16(&a.replace('\n', " \r\n")));
    write(
        &input,
        "cut.js",
        format!("{}{}", foreign(1), lines(a, 0, 60)),
    );
    let case = folder.path().join("a.case");
    let mut all = arguments(&input, &[], &["--record", "all", "--case"]);
    all.push(case.clone().into());
    scan(0, all);
    let matching = [
        OsStr::new("case"),
        OsStr::new("match"),
        case.as_os_str(),
        OsStr::new("--signatures"),
        set.as_os_str(),
    ];
    let ran = run(matching).expect(0);
    let ran = ran.says("keeps no fingerprints");
    let records = Records::parse_rows(&ran.stdout);
    assert_eq!(records.locators("match"), ["in/form.js", "in/same.js"]);
    assert_eq!(records.at("match", "in/form.js")["grade"], "normalized");

    // As a scan with the sets tells it, also where a part of the work is public.
    let open = sign(folder.path(), &input, "open", &["--public"]);
    let sets = [OsStr::new("--signatures"), open.as_os_str()];
    let ran = run(matching.iter().chain(&sets)).expect(0);
    let later = Records::parse_rows(&ran.stdout);
    let at_once = scan(0, arguments(&input, &[&set, &open], &[]));
    let equal = at_once.all("match").filter(|row| row["log10_p"].is_null());
    assert_eq!(later.0.len(), equal.count());
}

fn explain(case: &Path, found: &str, more: &[&OsStr]) -> common::Ran {
    let all = ["explain".as_ref(), case.as_os_str(), found.as_ref()];
    run(all.into_iter().chain(more.iter().copied()))
}

/// Why it is a match: from the case alone, with the original, and as a page; never of an input that changed.
#[test]
fn a_match_is_explained_from_the_input_and_the_original() {
    let folder = scratch();
    let set = signed(folder.path());
    let tree = folder.path().join("work");
    let work = work();
    let a = &work["src/a.js"];
    let cut = format!("{}{}", foreign(1), lines(a, 16, 64));
    let members = [
        ("package/cut.js", cut.as_bytes()),
        (
            "package/both.js",
            &[a.as_bytes(), work["src/b.js"].as_bytes()].concat(),
        ),
    ];
    let input = folder.path().join("in");
    write(&input, "x.tgz", common::tgz(&members));
    let case = folder.path().join("a.case");
    let mut all = arguments(&input, &[&set], &["--case"]);
    all.push(case.clone().into());
    scan(0, all);

    let locator = "in/x.tgz!/package/cut.js";
    let sha256 = common::sha256(cut.as_bytes());
    explain(&case, locator, &[])
        .expect(0)
        .prints(&sha256)
        .prints("grade         excerpt: stretches")
        .prints("of the original: lines ")
        .prints("give the work with --original");
    let original = [OsStr::new("--original"), tree.as_os_str()];
    explain(&case, locator, &original)
        .expect(0)
        .prints("winnow/1: ")
        .prints("carries the grade")
        .prints("95 % interval of the rate");
    // Two matches stand at the other place: they are told apart by number.
    let both = "in/x.tgz!/package/both.js";
    let asked = explain(&case, both, &[]).expect(2).says("several matches");
    let number = asked.stderr.split_whitespace().next().unwrap().to_owned();
    explain(&case, &number, &original).expect(0).prints(both);
    explain(&case, "in/nowhere", &[]).expect(2).says("no match");
    let other = tree.join("src/d.rs");
    explain(&case, locator, &[original[0], other.as_os_str()])
        .expect(2)
        .says("not the file src/a.js that was signed");

    let page = folder.path().join("exhibit.html");
    let html = |path: &Path| {
        let more = [
            original[0],
            original[1],
            OsStr::new("--html"),
            path.as_os_str(),
        ];
        explain(&case, locator, &more)
    };
    html(&page).expect(0);
    let text = std::fs::read_to_string(&page).unwrap();
    for told in [
        &sha256,
        &common::sha256(a.as_bytes()),
        "<span>20</span>",
        locator,
        "exact binomial 95 % interval",
        "verdict/1, with exact/1, ",
    ] {
        assert!(text.contains(told), "the page lacks {told}");
    }
    let words = text.to_lowercase();
    for word in [
        "copy", "copied", "leak", "stolen", "infring", "<script", "http:",
    ] {
        assert!(!words.contains(word), "{word}");
    }
    // The same length, other bytes.
    let changed = cut.replace("const", "cons7");
    write(
        &input,
        "x.tgz",
        common::tgz(&[("package/cut.js", changed.as_bytes())]),
    );
    let late = folder.path().join("late.html");
    html(&late).expect(2).says("since the scan");
    // Behind the wall nothing can be removed: what may stay is empty.
    let left = std::fs::read(&late).unwrap_or_default();
    assert!(left.is_empty(), "nothing half-written stays behind");
}

/// A file that was cut in pieces is there as a whole where all pieces are, and a piece that is there twice counts once.
#[test]
fn pieces_of_a_file_count_together() {
    let folder = scratch();
    let tree = write_all(
        &folder.path().join("work"),
        [("src/a.js", &work()["src/a.js"])],
    );
    let set = sign(folder.path(), &tree, "1", &[]);
    let a = &work()["src/a.js"];
    let third = a.lines().count() / 3;
    let piece = |number: usize| lines(a, number * third, third);
    let share = |name: &str, pieces: &[usize]| {
        let input = folder.path().join(name);
        for (at, &number) in pieces.iter().enumerate() {
            write(
                &input,
                &format!("{at}.js"),
                format!("{}{}", foreign(at as u64), piece(number)),
            );
        }
        let records = scan(0, arguments(&input, &[&set], &[]));
        let copy = records.all("copy").next().unwrap().clone();
        assert_eq!(number(&copy, "files_matched"), 1);
        copy["of_original"].as_f64().unwrap()
    };
    let one = share("one", &[0]);
    assert!((0.25..0.4).contains(&one), "{one}");
    let again = share("again", &[0, 0]);
    assert!((one - again).abs() < 0.01, "{one} {again}");
    let two = share("two", &[0, 2]);
    assert!((0.55..0.75).contains(&two), "{two}");
    let all = share("all", &[2, 0, 1]);
    assert!(all > 0.93, "{all}");
}

/// What matches is kept by its digest, once, for its owner only, and shows what it was when the input is gone.
#[test]
fn matched_contents_are_kept_and_explained_from_there() {
    let folder = scratch();
    let set = signed(folder.path());
    let tree = folder.path().join("work");
    let work = work();
    let a = &work["src/a.js"];
    let cut = format!("{}{}", foreign(1), lines(a, 16, 64));
    let map = common::source_map(&[("src/b.js", Some(&work["src/b.js"])), ("x.js", Some("x"))]);
    let other = foreign(3);
    let members = [
        ("package/cut.js", cut.as_bytes()),
        ("package/again.js", cut.as_bytes()),
        ("package/a.js", a.as_bytes()),
        ("package/a.js.map", map.as_bytes()),
        ("package/other.js", other.as_bytes()),
    ];
    let input = folder.path().join("in");
    write(&input, "x.tgz", common::tgz(&members));
    write(&input, "loose.js", &cut);
    let (case, kept) = (folder.path().join("a.case"), folder.path().join("kept"));
    let scan_into = |kept: &Path| {
        let mut all = arguments(&input, &[&set], &["--keep-matched"]);
        all.extend([kept.into(), "--case".into(), case.clone().into()]);
        all.insert(0, "scan".into());
        run(all)
    };
    scan_into(&kept).expect(0).prints("kept        3 contents");
    let records = export(&case);
    let matched: BTreeSet<&str> = records
        .all("match")
        .map(|row| text(row, "sha256"))
        .collect();
    assert_eq!(matched.len(), 3);
    let there = common::tree(&kept);
    for (name, (mode, sha256)) in &there {
        if let Some(sha256) = sha256 {
            assert_eq!((sha256, mode & 0o777), (name, 0o600));
        }
    }
    let names: BTreeSet<&str> = there.keys().map(String::as_str).collect();
    assert_eq!(names, matched);
    let mode = std::os::unix::fs::PermissionsExt::mode(&kept.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);

    // The same again reads nothing and keeps all; into another folder nothing comes of what was read before, and that is said.
    scan_into(&kept).expect(0).prints("kept        3 contents");
    assert_eq!(common::tree(&kept), there);
    assert_same(&export(&case), &records, "once and twice");
    let late = folder.path().join("late");
    scan_into(&late)
        .expect(0)
        .prints("kept        0 contents")
        .says("3 contents with a match not kept");
    scan_into(&input.join("kept"))
        .expect(2)
        .says("lies in an input");
    assert!(!input.join("kept").exists());
    scan_into(&tree).expect(2).says("holds other things");

    std::fs::remove_file(input.join("x.tgz")).unwrap();
    let page = folder.path().join("exhibit.html");
    let locator = "in/x.tgz!/package/cut.js";
    let explained = |more: &[&OsStr]| {
        let original = [OsStr::new("--original"), tree.as_os_str()];
        let html = [OsStr::new("--html"), page.as_os_str()];
        explain(&case, locator, &[&original, &html, more].concat())
    };
    let from_kept = [OsStr::new("--kept"), kept.as_os_str()];
    explained(&[]).expect(2).says("since the scan");
    std::fs::remove_file(&page).ok();
    explained(&[OsStr::new("--kept"), late.as_os_str()])
        .expect(2)
        .says("since the scan");
    std::fs::remove_file(&page).ok();
    explained(&from_kept)
        .expect(0)
        .prints("read from the folder in which the scan kept it");
    let shown = std::fs::read_to_string(&page).unwrap();
    let sha256 = common::sha256(cut.as_bytes());
    assert!(shown.contains(&sha256) && shown.contains("the folder in which the scan kept it"));
    // Bytes that are not those of the name show nothing.
    std::fs::write(kept.join(&sha256), cut.replace("const", "cons7")).unwrap();
    std::fs::remove_file(&page).unwrap();
    explained(&from_kept)
        .expect(2)
        .says("is not the content of that name");
}

/// A program in another language with the words of the work is a suspected port of it, as a place and never as a copy; one
/// with words of its own is not, nor is anything where no baseline says which words are rare.
#[test]
fn a_port_is_suspected_of_a_place_as_a_whole() {
    let folder = scratch();
    let tree = folder.path().join("work");
    let [a, b] = [1, 2].map(|seed| program(Language::Script, seed, seed));
    write_all(&tree, [("src/a.js", &a), ("src/b.js", &b)]);
    let set = sign(folder.path(), &tree, "1", &[]);
    let public = folder.path().join("public");
    for number in 0..6 {
        write(&public, &format!("lib/{number}.js"), foreign(30 + number));
    }
    let baseline = sign(folder.path(), &public, "1", &["--baseline"]);
    let input = folder.path().join("in");
    // Names of their own, one file of the work in two, and what they need beside it.
    let port = [3, 4].map(|names| program(Language::Python, names - 2, 900 + names));
    let halves = port[0].split_at(port[0].find("\n\ndef ").unwrap() + 1);
    let others = program(Language::Python, 700, 701);
    let packed = common::tgz(&[
        ("acme/one.py", halves.0.as_bytes()),
        ("acme/two.py", halves.1.as_bytes()),
        ("acme/three.py", port[1].as_bytes()),
        ("acme/other.py", others.as_bytes()),
    ]);
    write(&input, "port.tgz", packed);
    let foreign: Vec<_> = (0..4)
        .map(|number| {
            let name = format!("other/{number}.py");
            (name, program(Language::Python, 800 + number, 801 + number))
        })
        .collect();
    let members: Vec<_> = foreign
        .iter()
        .map(|(name, content)| (name.as_str(), content.as_bytes()))
        .collect();
    write(&input, "foreign.tgz", common::tgz(&members));
    let both = [("a.js", a.as_bytes()), ("a.py", port[0].as_bytes())];
    write(&input, "copy.tgz", common::tgz(&both));
    let with = |set: &Path, more: &[&str]| {
        let mut all = arguments(&input, &[set], more);
        all.extend(["--baseline".into(), baseline.clone().into()]);
        all
    };

    let records = scan(0, with(&set, &[]));
    let ports: Vec<_> = records
        .all("match")
        .filter(|found| text(found, "grade") == "ported")
        .collect();
    assert_eq!(ports.len(), 1, "{:#?}", grades(&records));
    let port = found(&records, "in/port.tgz", "");
    assert_eq!(port, ports[0]);
    assert_eq!([text(port, "work"), text(port, "release")], ["acme", "1"]);
    assert!(port["score"].as_f64().unwrap() > 0.5, "{port}");
    assert!(port["sha256"].is_null() && port["log10_p"].is_null());
    assert_eq!(port["ranges"], serde_json::json!([]));
    let suspects: Vec<_> = records.all("suspect").collect();
    assert_eq!(suspects.len(), 1);
    assert_eq!(text(suspects[0], "locator"), "in/port.tgz");
    assert_eq!(suspects[0]["grades"], serde_json::json!({"ported": 1}));
    assert_eq!(number(suspects[0], "files_matched"), 0);
    let class = |root| text(records.at("examined", root), "class").to_owned();
    assert_eq!(class("in/port.tgz"), "ported");
    assert_eq!(class("in/foreign.tgz"), "unrelated");
    assert_eq!(class("in/copy.tgz"), "partial");

    // Whatever the number of threads, and through a case.
    let one = scan(0, with(&set, &["--jobs", "1"])).normalised();
    assert_same(
        &one,
        &scan(0, with(&set, &["--jobs", "8"])).normalised(),
        "threads",
    );
    let case = folder.path().join("a.case");
    let mut kept = with(&set, &["--case"]);
    kept.insert(kept.len() - 2, case.clone().into());
    for _ in 0..2 {
        scan(0, &kept);
        assert_same(&one, &export(&case).normalised(), "a case");
    }
    let place: &OsStr = "in/port.tgz".as_ref();
    let told = run(["explain".as_ref(), case.as_os_str(), place]).expect(0);
    assert!(told.text().contains("suspected port"), "{}", told.text());
    run([
        "explain".as_ref(),
        case.as_os_str(),
        place,
        "--original".as_ref(),
        tree.as_os_str(),
    ])
    .expect(2);

    // Nobody knows what is rare, or no single word is in the set.
    let silent = [
        scan(0, arguments(&input, &[&set], &[])),
        scan(
            0,
            with(
                &sign(folder.path(), &tree, "1", &["--for-third-parties"]),
                &[],
            ),
        ),
    ];
    // What is public explains it.
    let open = sign(folder.path(), &tree, "0", &["--public"]);
    let mut explained = with(&set, &["--signatures"]);
    explained.insert(explained.len() - 2, open.into());
    for records in silent.iter().chain([&scan(0, explained)]) {
        let grades = grades(records);
        assert!(
            !grades.values().any(|grade| grade == "ported"),
            "{grades:#?}"
        );
    }
}

#[test]
fn a_compact_set_finds_what_is_large_enough() {
    let folder = scratch();
    let tree = write_all(&folder.path().join("work"), work());
    let whole = sign(folder.path(), &tree, "1", &[]);
    let thin = sign(folder.path(), &tree, "1", &["--compact"]);
    let bytes = |set: &Path| std::fs::metadata(set).unwrap().len();
    assert!(bytes(&thin) * 100 < bytes(&whole) * 75);
    let input = folder.path().join("in");
    let work = work();
    let cut = lines(&work["src/c.py"], 40, 50);
    write(&input, "cut/page.md", format!("{}{cut}", foreign(1)));
    write(&input, "renamed/a.js", program(Language::Script, 1, 77));
    write(&input, "else/z.js", foreign(3));
    let by = |set: &Path| scan(0, arguments(&input, &[set], &[]));
    let (thin, whole) = (by(&thin), by(&whole));
    assert_eq!(grades(&thin), grades(&whole));
    assert_eq!(grades(&thin).len(), 2, "{:?}", grades(&thin));
    for (locator, file) in [
        ("in/cut/page.md", "src/c.py"),
        ("in/renamed/a.js", "src/a.js"),
    ] {
        for (key, room) in [("of_original", 0.15), ("of_target", 0.15)] {
            let share = |records| found(records, locator, file)[key].as_f64().unwrap();
            let off = share(&thin) - share(&whole);
            assert!(off.abs() <= room, "{locator} {key} {off}");
        }
        let log10_p = |records| found(records, locator, file)["log10_p"].as_f64().unwrap();
        assert!(log10_p(&thin) > log10_p(&whole), "{locator}");
    }
    run([
        "sign",
        "x",
        "--work",
        "a",
        "--release",
        "1",
        "--output",
        "y",
        "--compact",
        "--baseline",
    ])
    .expect(2);
}

#[test]
fn a_work_larger_than_memory_makes_the_same_set() {
    let folder = scratch();
    let tree = folder.path().join("work");
    for number in 0..40 {
        write(&tree, &format!("src/{number}.txt"), foreign(number));
    }
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let large = sign(&out, &tree, "1", &[]);
    let small = sign(&out, &tree, "1", &["--memory", "100K"]);
    let (large, small) = (std::fs::read(large).unwrap(), std::fs::read(small).unwrap());
    assert!(large == small && large.len() > 40_000, "{}", large.len());
    // Two sets, two files of names, and nothing that was put aside.
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 4);
}

/// A set may come from anybody, and so may the names in it; and the same one given twice is one.
#[test]
fn names_in_a_set_do_nothing_to_a_terminal_and_a_set_counts_once() {
    let folder = scratch();
    let tree = write_all(&folder.path().join("work"), work());
    let set = folder.path().join("odd.sigset");
    let (name, release) = ("a\u{1b}[31m<b>", "1\u{202e}");
    let mut sign: Vec<OsString> = vec!["sign".into(), tree.clone().into()];
    sign.extend(["--work", name, "--release", release, "--output"].map(OsString::from));
    sign.push(set.clone().into());
    let signed = run(sign).expect(0);
    let case = folder.path().join("case");
    let mut scan: Vec<OsString> = vec!["scan".into()];
    scan.extend(arguments(&tree.join("src"), &[&set, &set], &[]));
    scan.extend(["--case".into(), case.clone().into()]);
    let scanned = run(scan).expect(0).says("is asked once");
    let records = export(&case);
    assert_eq!(records.all("match").count(), work().len());
    let explained = explain(&case, "1", &[]).expect(0);
    for ran in [&signed, &scanned, &explained] {
        assert!(
            !ran.text().contains(['\u{1b}', '\u{202e}']),
            "{}",
            ran.text()
        );
        assert!(ran.text().contains("[31m<b>"), "{}", ran.text());
    }
}
