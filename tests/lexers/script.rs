//! Scripts, held against acorn's tokens and TypeScript's tree (`fixtures/tokens.mjs`): where each string, template,
//! regular expression and number of a real file begins and ends.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use strandline::lex::{Family, Kind};
use strandline::sourcemap::{Content, scan};

use super::{All, assert_linear};
use crate::common::{packages, packages_folder, scratch, skipped};

/// Packages whose scripts are read, of many hands and compilers.
const SCRIPTS: [&str; 18] = [
    "ag-grid-enterprise-36.2.0",
    "antd-6.6.8",
    "core-js-3.51.0",
    "devextreme-26.1.5",
    "echarts-6.1.0",
    "effect-4.1.0",
    "eslint-10.15.0",
    "gatsby-5.16.1",
    "highlight.js-11.12.0",
    "lodash-4.18.1",
    "mermaid-11.17.2",
    "monaco-editor-0.52.2",
    "plotly.js-3.7.0",
    "prettier-3.10.1",
    "swagger-ui-dist-5.35.0",
    "three-0.187.0",
    "typescript-5.9.3",
    "webpack-5.112.2",
];
/// Packages with maps that hold sources in TypeScript, JSX and TSX.
const SOURCES: [&str; 4] = [
    "drizzle-orm-0.45.4",
    "hls.js-1.7.4",
    "sanity-5.31.2",
    "swagger-ui-dist-5.35.0",
];
/// Bytes of each package and set that are read.
const PACKAGE_MAX_BYTES: usize = 1_500_000;
/// A file with lines of so many bytes, on the average, is minified.
const MINIFIED_LINE_BYTES: usize = 400;

/// What a parser of others is asked about a file, and what the file is called.
struct Job {
    parser: &'static str,
    name: String,
    text: Vec<u8>,
}

/// Files of one kind, from many packages.
#[derive(Default)]
struct Jobs {
    plain: Vec<Job>,
    minified: Vec<Job>,
    typescript: Vec<Job>,
    markup: Vec<Job>,
    /// Some of the plain ones, for names.
    trees: Vec<Job>,
}

fn gather() -> Jobs {
    let mut jobs = Jobs::default();
    for package in SCRIPTS {
        let (mut plain, mut minified) = (0, 0);
        for (name, text) in members(package, &[".js", ".mjs", ".cjs", ".d.ts"]) {
            if name.ends_with(".ts") {
                if text.len() > 20_000 && text.len() < 400_000 {
                    push(&mut jobs.typescript, "typescript", name, text);
                }
                continue;
            }
            let lines = memchr::memchr_iter(b'\n', &text).count() + 1;
            let (bytes, list) = if text.len() / lines > MINIFIED_LINE_BYTES {
                (&mut minified, &mut jobs.minified)
            } else {
                (&mut plain, &mut jobs.plain)
            };
            // The first file counts whatever its size, so that the largest are among them.
            if *bytes == 0 || *bytes + text.len() < PACKAGE_MAX_BYTES {
                *bytes += text.len();
                if list.len() % 10 == 0 && text.len() < PACKAGE_MAX_BYTES {
                    let name = format!("{name}.jsx");
                    push(&mut jobs.trees, "typescript", name, text.clone());
                }
                push(list, "acorn", name, text);
            }
        }
    }
    let mut met = BTreeSet::new();
    for package in SOURCES {
        let mut bytes = 0;
        for (_, map) in members(package, &[".map"]) {
            let Ok(scan) = scan(&map) else { continue };
            for source in &scan.sources {
                let (Some(name), Content::Raw(content)) = (source.name, source.content) else {
                    continue;
                };
                let name = String::from_utf8_lossy(&name.decode().bytes).into_owned();
                let text = content.decode().bytes.into_owned();
                if !met.insert(text.clone()) {
                    continue;
                }
                if name.ends_with(".tsx") || name.ends_with(".jsx") {
                    push(&mut jobs.markup, "typescript", name, text);
                } else if name.ends_with(".ts") && bytes < PACKAGE_MAX_BYTES {
                    bytes += text.len();
                    push(&mut jobs.typescript, "typescript", name, text);
                }
            }
        }
    }
    jobs
}

fn push(jobs: &mut Vec<Job>, parser: &'static str, name: String, text: Vec<u8>) {
    jobs.push(Job { parser, name, text });
}

/// The files of a package with these endings.
fn members(package: &str, endings: &[&str]) -> Vec<(String, Vec<u8>)> {
    let path = packages_folder().join(format!("{package}.tgz"));
    let file = std::fs::File::open(path).expect("a package: run `python3 fixtures/fetch.py`");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut found = Vec::new();
    for member in archive.entries().expect("a tar") {
        let mut member = member.expect("a member");
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        if endings.iter().any(|ending| name.ends_with(ending)) {
            let mut text = Vec::new();
            member.read_to_end(&mut text).expect("its bytes");
            found.push((format!("{package}!/{name}"), text));
        }
    }
    found
}

/// A literal or name: its kind as `tokens.mjs` numbers it, and where it stands.
type Place = (u32, u32, u32);

/// The kinds that are literals.
const LITERALS: std::ops::RangeInclusive<u32> = 1..=3;
const TEXT: u32 = 1;

/// What the parsers say, `None` where one refuses the file.
fn asked(jobs: &[Job], tools: &[PathBuf; 2], folder: &Path) -> Vec<Option<Vec<Place>>> {
    let mut list = String::new();
    for (index, job) in jobs.iter().enumerate() {
        let path = folder.join(index.to_string());
        std::fs::write(&path, &job.text).unwrap();
        let ending = job.name.rsplit('.').next().unwrap_or_default();
        let dialect = if job.name.ends_with(".d.ts") {
            "d.ts"
        } else {
            ending
        };
        list += &format!("{} {} a.{dialect}\n", job.parser, path.display());
    }
    let path = folder.join("jobs");
    std::fs::write(&path, list).unwrap();
    let output = Command::new("node")
        // Concatenations of thousands of operands are nested as deep in a tree.
        .arg("--stack-size=4000")
        .arg(crate::common::fixtures().join("tokens.mjs"))
        .args(tools)
        .stdin(Stdio::from(std::fs::File::open(path).unwrap()))
        .output()
        .expect("node");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut numbers = output
        .stdout
        .chunks_exact(4)
        .map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap()));
    let mut next = || numbers.next().expect("an answer for each file");
    jobs.iter()
        .map(|_| {
            let count = next();
            (count != u32::MAX).then(|| {
                let mut place = || {
                    let (start, end) = (next(), next());
                    (start >> 28, start & 0x0FFF_FFFF, end)
                };
                (0..count).map(|_| place()).collect()
            })
        })
        .collect()
}

/// What the lexer says, keywords and marks apart.
fn ours(text: &[u8]) -> Vec<Place> {
    let tokens = All::of(Family::Script, text);
    let place = |token: &strandline::lex::Token| {
        let kind = match token.kind {
            Kind::Text => TEXT,
            Kind::Regex => 2,
            Kind::Number => 3,
            Kind::Property => 4,
            Kind::Name => 5,
            Kind::Keyword | Kind::Punct => return None,
        };
        // Empty templates are left out on both sides.
        let before = (token.start as usize).checked_sub(1).map(|at| text[at]);
        let is_empty_template = token.start == token.end && before == Some(b'`');
        (!is_empty_template).then_some((kind, token.start, token.end))
    };
    tokens.iter().filter_map(place).collect()
}

/// How far the lexer and the parsers agree about some files.
#[derive(Default)]
struct Agreement {
    files: usize,
    refused: usize,
    literals: usize,
    names: usize,
    names_wrong: usize,
    /// Files with a literal that differs, with the first of them.
    differing: Vec<String>,
}

fn compare(jobs: &[Job], truths: &[Option<Vec<Place>>]) -> Agreement {
    let mut all = Agreement::default();
    for (job, truth) in jobs.iter().zip(truths) {
        all.files += 1;
        let Some(truth) = truth else {
            all.refused += 1;
            continue;
        };
        let (truth, found): (BTreeSet<Place>, BTreeSet<Place>) = (
            truth.iter().copied().collect(),
            ours(&job.text).into_iter().collect(),
        );
        let is_literal = |place: &&Place| LITERALS.contains(&place.0);
        all.literals += truth.iter().filter(is_literal).count();
        let differs: Vec<_> = truth
            .symmetric_difference(&found)
            .filter(is_literal)
            .collect();
        if let Some((kind, start, end)) = differs.iter().min_by_key(|place| place.1) {
            let near = job
                .text
                .get(start.saturating_sub(60) as usize..(*end as usize + 40).min(job.text.len()));
            all.differing.push(format!(
                "{}: {} literals, the first of kind {kind} at {start}..{end}: {}",
                job.name,
                differs.len(),
                String::from_utf8_lossy(near.unwrap_or_default())
            ));
        }
        let names = truth.iter().filter(|place| !LITERALS.contains(&place.0));
        all.names += names.clone().count();
        all.names_wrong += names.filter(|place| !found.contains(place)).count();
    }
    all
}

#[test]
fn literals_and_names_stand_where_the_parsers_of_others_find_them() {
    if packages().is_none() {
        return;
    }
    if Command::new("node").arg("--version").output().is_err() {
        return skipped(
            "parsers of scripts",
            "there is no node",
            "STRANDLINE_REQUIRE_PACKAGES",
        );
    }
    let folder = scratch();
    let tools = ["acorn-8.19.0", "typescript-5.9.3"].map(|tool| {
        let target = folder.path().join(tool);
        let packed = std::fs::File::open(packages_folder().join(format!("{tool}.tgz")))
            .expect("the parsers: run `python3 fixtures/fetch.py`");
        tar::Archive::new(flate2::read::GzDecoder::new(packed))
            .unpack(&target)
            .unwrap();
        target.join("package")
    });
    let jobs = gather();
    // For each set: the fewest literals that make it worth something, and the share of names that may differ. Types
    // cannot be told from values without a parser; compilers drop them.
    for (what, jobs, literals_min, names_wrong_max) in [
        ("plain", &jobs.plain, 100_000, 0.0),
        ("minified", &jobs.minified, 500_000, 0.0),
        ("trees", &jobs.trees, 10_000, 0.0),
        ("TypeScript", &jobs.typescript, 20_000, 0.02),
        ("markup", &jobs.markup, 20_000, 0.002),
    ] {
        let all = compare(jobs, &asked(jobs, &tools, folder.path()));
        let bytes: usize = jobs.iter().map(|job| job.text.len()).sum();
        println!(
            "{what}: {} files of {bytes} bytes, {} refused; {} literals, files that differ: {}; {} of {} names differ",
            all.files,
            all.refused,
            all.literals,
            all.differing.len(),
            all.names_wrong,
            all.names
        );
        assert!(
            all.differing.is_empty(),
            "{what}:\n{}",
            all.differing.join("\n")
        );
        assert!(
            all.literals >= literals_min,
            "{what}: {} literals",
            all.literals
        );
        assert!(
            all.refused * 20 <= all.files,
            "{what}: the parsers refuse {} files",
            all.refused
        );
        assert!(
            all.names_wrong as f64 <= all.names as f64 * names_wrong_max,
            "{what}: names"
        );
    }
}

#[test]
fn no_text_takes_more_than_linear_time() {
    assert_linear(
        Family::Script,
        &[
            ("(", ""),
            ("({[", "]})"),
            ("<", ""),
            ("<a", ""),
            ("<a ", ""),
            ("<a>", ""),
            ("<a>", "</b>"),
            ("<a>{", "}"),
            ("<a b='c'>{", "}"),
            ("<a b='c'>{", "}</a>"),
            ("(<a>", "</a>"),
            ("=<A<", "</A>"),
            ("=<a b", ""),
            ("=<a /**/", ""),
            ("`${", ""),
            ("`${", "}"),
            ("`${", "}`"),
            ("`", ""),
            ("`\\", ""),
            ("/", ""),
            ("=/[", ""),
            ("=/a", "]"),
            ("=/\\", ""),
            ("/*", ""),
            ("/**/", ""),
            ("a?/**/", ""),
            ("x={a/**/", ""),
            ("{a ", ""),
            ("'\\", ""),
            ("'", ""),
            ("#", ""),
            ("\\u{0", ""),
            ("a\\u{", ""),
            ("\\u{", "0"),
            ("<!--", "\n"),
            ("-->\n", ""),
            ("0x", ""),
            ("1_", ""),
            ("1e+", ""),
            ("class a{", "}"),
            ("a?", ":"),
            ("\u{2028}", ""),
            ("\u{e2}", "\u{80}"),
            ("//\u{201c}", ""),
            ("@a\n", ""),
        ],
    );
}
