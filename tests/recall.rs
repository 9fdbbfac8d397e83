//! A small part of the benchmark of matching (`benches/leakbench`), for every change: files of real packages are signed,
//! changed as copies are, and have to be found again, each change as often as here is written; and files of other packages
//! must not be taken for them. What each grade is worth on a large scale is measured there.
//!
//! No baseline is given, so that the verdict is as careful as it gets. The packages are those of `fixtures/packages.tsv`;
//! without them the test says so and passes, unless STRANDLINE_REQUIRE_PACKAGES=1. What esbuild makes is asked for where it
//! is, unless STRANDLINE_REQUIRE_ESBUILD=1.

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Random, Records, run, scan, scratch, skipped, text};
use strandline::lex::{Family, Kind, Sink, Token, family_of, lex};

/// Packages that are signed, and those that are foreign.
const WORKS: [&str; 3] = ["fabric", "leaflet", "rxjs"];
const FOREIGN: [&str; 5] = ["acorn", "eslint", "highlight.js", "jquery-ui", "lodash"];
/// Files that are taken of each package.
const FILES: usize = 24;
/// A file is at least as long, in bytes: as the aims of the benchmark have it.
const FILE_MIN: usize = 400;
const FILE_MAX: usize = 16 << 10;

/// A way of changing a text; the share of its targets that must be found, in percent.
struct Class {
    name: &'static str,
    floor: usize,
    change: fn(&str, &mut Random) -> Option<Vec<u8>>,
}

const CLASSES: &[Class] = &[
    Class {
        name: "line-ends",
        floor: 100,
        change: |text, _| Some(text.replace('\n', "\r\n").into_bytes()),
    },
    Class {
        name: "utf-16",
        floor: 100,
        change: |text, _| {
            let units = format!("\u{feff}{text} ");
            Some(units.encode_utf16().flat_map(u16::to_le_bytes).collect())
        },
    },
    Class {
        name: "indented",
        floor: 100,
        change: |text, _| {
            let lines = text
                .lines()
                .map(|line| format!("\t\t{}\n", line.trim_start()));
            Some(lines.collect::<String>().into_bytes())
        },
    },
    Class {
        name: "edited",
        floor: 93,
        change: edited,
    },
    Class {
        name: "excerpt-25",
        floor: 97,
        change: excerpt,
    },
    Class {
        name: "halves-exchanged",
        floor: 96,
        change: |text, _| {
            let lines: Vec<&str> = text.lines().collect();
            let (head, tail) = lines.split_at(lines.len() / 2);
            Some([tail, head].concat().join("\n").into_bytes())
        },
    },
    Class {
        name: "without-comments",
        floor: 96,
        change: |text, _| Some(rewritten(text, |token, _| token.to_owned())),
    },
    Class {
        name: "renamed",
        floor: 75,
        change: renamed,
    },
    Class {
        name: "in-json",
        floor: 98,
        change: |text, _| serde_json::to_vec(&serde_json::json!({ "answer": text })).ok(),
    },
    Class {
        name: "minified",
        floor: 90,
        change: minified,
    },
];

/// One line of eight is dropped, and another follows one that stays.
fn edited(text: &str, random: &mut Random) -> Option<Vec<u8>> {
    let mut lines = String::new();
    for line in text.lines() {
        match random.number() >> 20 & 15 {
            0 | 1 => {}
            2 | 3 => lines.push_str(&format!("{line}\n{}();\n", random.text(12))),
            _ => lines.push_str(&format!("{line}\n")),
        }
    }
    Some(lines.into_bytes())
}

/// 25 lines from the middle, if they are of some length and no comment.
fn excerpt(text: &str, _: &mut Random) -> Option<Vec<u8>> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().checked_sub(25)? / 2;
    let lines = &lines[first..first + 25];
    let is_comment = |line: &&&str| line.trim_start().starts_with(['*', '/']);
    let code = lines.iter().filter(|line| !is_comment(line));
    let bytes: usize = code.map(|line| line.trim().len()).sum();
    (bytes >= FILE_MIN).then(|| lines.join("\n").into_bytes())
}

#[derive(Default)]
struct Tokens(Vec<Token>);

impl Sink for Tokens {
    fn token(&mut self, token: Token) {
        self.0.push(token);
    }
}

/// The text with its tokens as `write` has them, and without what stands between them but the delimiters of literals: a line
/// end or a blank is left where anything else was.
fn rewritten(text: &str, mut write: impl FnMut(&str, Kind) -> String) -> Vec<u8> {
    let mut tokens = Tokens::default();
    lex(Family::Script, text.as_bytes(), &mut tokens);
    let (mut made, mut behind) = (String::new(), 0);
    for token in tokens.0 {
        let (start, end) = (token.start as usize, token.end as usize);
        let between = &text[behind..start];
        let opens = between.ends_with(['"', '\'', '`', '/']);
        let closes = between.starts_with(['"', '\'', '`', '/', '}'])
            && !between.starts_with("//")
            && !between.starts_with("/*");
        if closes {
            made.extend(between.chars().next());
        }
        made.push(if between.contains('\n') { '\n' } else { ' ' });
        if opens && between.len() > usize::from(closes) {
            made.extend(between.chars().next_back());
        }
        made.push_str(&write(&text[start..end], token.kind));
        behind = end;
    }
    made.push_str(&text[behind..]);
    made.into_bytes()
}

/// Every name is another one, the same everywhere: those of types and of what is imported, too, which no tool does.
fn renamed(text: &str, random: &mut Random) -> Option<Vec<u8>> {
    let mut names: HashMap<String, String> = HashMap::new();
    Some(rewritten(text, |word, kind| match kind {
        Kind::Name => names
            .entry(word.to_owned())
            .or_insert_with(|| format!("v{}", random.text(5)))
            .clone(),
        _ => word.to_owned(),
    }))
}

/// By esbuild; nothing where it is not there, or where nothing of it is left, as of a file of types.
fn minified(text: &str, _: &mut Random) -> Option<Vec<u8>> {
    let mut child = Command::new("esbuild")
        .args(["--minify", "--loader=ts", "--log-level=silent"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    std::io::Write::write_all(&mut input, text.as_bytes()).ok()?;
    drop(input);
    let made = child.wait_with_output().ok()?.stdout;
    (made.len() >= FILE_MIN).then_some(made)
}

/// Programs of a package that are neither too short nor too long, by path.
fn files_of(package: &str) -> Option<BTreeMap<String, String>> {
    let packages = common::packages()?;
    let path = packages.iter().find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let version = name
            .strip_prefix(package)
            .and_then(|rest| rest.strip_prefix('-'));
        version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    })?;
    let packed = std::fs::read(path).expect("a package that was fetched");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice()));
    let mut files = BTreeMap::new();
    for member in archive.entries().expect("a tar") {
        let mut member = member.expect("a member");
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let is_program = [".js", ".ts", ".mjs"]
            .iter()
            .any(|kind| name.ends_with(kind));
        // What others made of the sources would be found, too.
        let is_made = name.ends_with(".d.ts") || name.ends_with(".min.js");
        let is_source = !WORKS.contains(&package) || name.starts_with("package/src/");
        if is_program
            && !is_made
            && is_source
            && (FILE_MIN..FILE_MAX).contains(&(member.size() as usize))
        {
            let mut content = String::new();
            if member.read_to_string(&mut content).is_ok()
                && family_of(content.as_bytes()) == Family::Script
            {
                files.insert(name, content);
            }
        }
    }
    Some(spread(files))
}

/// Some of them, from all over.
fn spread(files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let step = files.len().div_ceil(FILES).max(1);
    files.into_iter().step_by(step).collect()
}

fn write(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, content).expect("written");
}

/// Files of which works each target matches, by its locator.
fn found(records: &Records) -> BTreeMap<&str, BTreeSet<(&str, &str)>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for one in records.all("match") {
        let files = found.entry(text(one, "locator")).or_default();
        files.insert((text(one, "work"), text(one, "file")));
    }
    found
}

#[test]
fn changed_files_of_real_packages_are_found_and_foreign_ones_are_not() {
    let folder = scratch();
    let (input, works) = (folder.path().join("in"), folder.path().join("works"));
    let mut random = Random::new(20_261_122);
    let mut arguments: Vec<OsString> = vec![input.clone().into()];
    // By the place of each target the file that it was made of.
    let mut truth: BTreeMap<String, (&str, String)> = BTreeMap::new();
    for work in WORKS {
        let Some(files) = files_of(work) else { return };
        for (name, content) in &files {
            write(&works.join(work).join(name), content.as_bytes());
            for class in CLASSES {
                let Some(target) = (class.change)(content, &mut random) else {
                    continue;
                };
                let path = format!("{}/{}", class.name, truth.len());
                write(&input.join(&path), &target);
                truth.insert(format!("in/{path}"), (work, name.clone()));
            }
        }
        let set = folder.path().join(format!("{work}.sigset"));
        let (tree, set) = (works.join(work).into_os_string(), set.into_os_string());
        let mut sign: Vec<OsString> = vec!["sign".into(), tree, "--work".into(), work.into()];
        sign.extend(["--release", "1", "--output"].map(OsString::from));
        run(sign.into_iter().chain([set.clone()])).expect(0);
        arguments.extend(["--signatures".into(), set]);
    }
    for package in FOREIGN {
        let Some(files) = files_of(package) else {
            return;
        };
        for (name, content) in &files {
            write(
                &input.join("foreign").join(package).join(name),
                content.as_bytes(),
            );
        }
    }
    let records = scan(0, arguments);
    let found = found(&records);
    let mut faults = Vec::new();
    for class in CLASSES {
        let begins = format!("in/{}/", class.name);
        let targets: Vec<_> = truth
            .iter()
            .filter(|(at, _)| at.starts_with(&begins))
            .collect();
        if class.name == "minified" && targets.is_empty() {
            skipped(
                "code minified by esbuild",
                "there is no esbuild",
                "STRANDLINE_REQUIRE_ESBUILD",
            );
            continue;
        }
        let is_found = |at: &str, work: &str, file: &str| {
            found.get(at).is_some_and(|all| all.contains(&(work, file)))
        };
        let missed: Vec<&String> = targets
            .iter()
            .filter(|(at, (work, file))| !is_found(at, work, file))
            .map(|(_, (_, file))| file)
            .collect();
        let percent = (targets.len() - missed.len()) * 100 / targets.len().max(1);
        println!("{}: {percent} % of {}", class.name, targets.len());
        if percent < class.floor || targets.len() < 20 {
            faults.push(format!(
                "{}: {percent} % of {}, not {missed:?}",
                class.name,
                targets.len()
            ));
        }
    }
    for (at, files) in &found {
        let work = truth.get(*at).map(|(work, _)| *work);
        // Files of one work have much in common; of two works nothing here has.
        for (other, file) in files.iter().filter(|(other, _)| Some(*other) != work) {
            faults.push(format!("{at} is said to be of {other}, {file}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
