//! Sets made of lists that other programs wrote: each program makes the list itself, of a tree made here, and what the set
//! finds has to be the tree and nothing else. `sha256sum` and git are needed; hashdeep, and SCANOSS's own winnowing
//! (Python's `scanoss-winnowing`), are asked where they are, and with STRANDLINE_REQUIRE_LISTS=1 have to be.

mod common;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Records, git, number, run, scan, scratch, skipped, text, write_all};

const REQUIRED: &str = "STRANDLINE_REQUIRE_LISTS";

/// Files of a work: none is a copy of another, one is empty, one lies among dependencies.
fn work(folder: &Path) -> PathBuf {
    let tree = folder.join("work");
    let code = |seed: u64| common::Random::new(seed).text(2_000).into_bytes();
    let files: [(&str, Vec<u8>); 6] = [
        ("src/a.js", code(1)),
        ("src/b, c.py", code(2)),
        ("lib/d.bin", (0..=255).cycle().take(3_000).collect()),
        ("lib/short", b"short\n".to_vec()),
        ("empty", Vec::new()),
        ("node_modules/left-pad/index.js", code(3)),
    ];
    write_all(&tree, &files);
    tree
}

/// What a program prints that is run in a folder; `None` where it is not there.
fn printed(folder: &Path, program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then_some(output.stdout)
}

/// Makes a set of a list, and gives what was printed.
#[track_caller]
fn sign(folder: &Path, list: &[u8], name: &str, status: i32) -> (PathBuf, String) {
    let (from, set) = (
        folder.join(format!("{name}.list")),
        folder.join(format!("{name}.sigset")),
    );
    std::fs::write(&from, list).unwrap();
    let mut arguments: Vec<OsString> = vec!["sign".into(), "--from".into(), from.into()];
    arguments.extend(["--work", "acme", "--release", "1", "--output"].map(OsString::from));
    arguments.push(set.clone().into());
    let ran = run(arguments).expect(status);
    (set, ran.text().to_owned())
}

fn scan_with(input: &Path, set: &Path, more: &[&str], status: i32) -> Records {
    let mut arguments: Vec<OsString> = vec![input.into(), "--signatures".into(), set.into()];
    arguments.extend(more.iter().map(OsString::from));
    scan(status, arguments)
}

/// Which files of the work are found where.
fn found(records: &Records) -> Vec<(String, String)> {
    let matches = records.all("match");
    let mut found: Vec<_> = matches
        .map(|found| {
            assert_eq!(text(found, "grade"), "exact");
            (
                text(found, "locator").to_owned(),
                text(found, "file").to_owned(),
            )
        })
        .collect();
    found.sort();
    found
}

/// Holds the set of a list against the tree it was made of, and against one that differs in a byte of each file.
#[track_caller]
fn check(folder: &Path, tree: &Path, name: &str, list: &[u8], expected: &[&str]) {
    let (set, said) = sign(folder, list, name, 0);
    assert!(said.contains("equal bytes and nothing else"), "{said}");
    let pairs: Vec<_> = expected
        .iter()
        .map(|file| (format!("work/{file}"), (*file).to_owned()))
        .collect();
    let records = scan_with(tree, &set, &[], 0);
    assert_eq!(found(&records), pairs, "{name}");
    let copy = records.at("copy", "work");
    assert_eq!(number(copy, "files_matched"), expected.len() as u64);
    assert_eq!(number(copy, "files_total"), expected.len() as u64);
    assert_eq!(text(copy, "class"), "verbatim", "{name}");
    for found in records.all("match") {
        let range = &found["ranges"][0];
        assert_eq!(range["original_lines"], range["target_lines"], "{name}");
    }
    // A triage finds the same, though the list may not say which lengths to look for.
    let triaged = scan_with(tree, &set, &["--triage"], 3);
    assert_eq!(found(&triaged), pairs, "{name}, triage");

    let other = folder.join("other");
    for (file, _) in common::tree(tree) {
        let Ok(mut bytes) = std::fs::read(tree.join(&file)) else {
            continue;
        };
        bytes.push(b'\n');
        write_all(&other, &[(file, bytes)]);
    }
    assert_eq!(found(&scan_with(&other, &set, &[], 0)), [], "{name}");
}

const LOCAL: [&str; 4] = ["lib/d.bin", "lib/short", "src/a.js", "src/b, c.py"];
/// Where the list states lengths, what is too short is left out too.
const LONG: [&str; 3] = ["lib/d.bin", "src/a.js", "src/b, c.py"];
const FILES: [&str; 6] = [
    "./empty",
    "./lib/d.bin",
    "./lib/short",
    "./node_modules/left-pad/index.js",
    "./src/a.js",
    "./src/b, c.py",
];

#[test]
fn lists_of_sha256sum_make_a_set() {
    let folder = scratch();
    let tree = work(folder.path());
    for (name, option) in [("plain", "--text"), ("tag", "--tag"), ("zero", "--zero")] {
        let mut arguments = vec![option];
        arguments.extend(FILES);
        let list = printed(&tree, "sha256sum", &arguments).expect("sha256sum");
        check(folder.path(), &tree, name, &list, &LOCAL);
    }
}

#[test]
fn lists_of_hashdeep_make_a_set() {
    let folder = scratch();
    let tree = work(folder.path());
    for (name, digests) in [("both", "md5,sha256"), ("sha256", "sha256"), ("md5", "md5")] {
        let Some(list) = printed(&tree, "hashdeep", &["-c", digests, "-r", "-l", "."]) else {
            return skipped("lists of hashdeep", "there is no hashdeep", REQUIRED);
        };
        check(folder.path(), &tree, name, &list, &LONG);
    }
}

/// Git's own ids, written as SWHIDs.
#[test]
fn lists_of_swhids_make_a_set() {
    let folder = scratch();
    let tree = work(folder.path());
    let mut list = String::from("# contents\n");
    for file in FILES {
        let id = git(&tree, ["hash-object", "--no-filters", file]);
        let id = String::from_utf8(id).unwrap();
        list.push_str(&format!("swh:1:cnt:{}\t{file}\n", id.trim()));
    }
    check(folder.path(), &tree, "swhid", list.as_bytes(), &LOCAL);
}

#[test]
fn lists_of_scanoss_make_a_set() {
    let folder = scratch();
    let tree = work(folder.path());
    let program = "import sys\nfrom scanoss_winnowing.winnowing import Winnowing\n\
        w = Winnowing(quiet=True, all_extensions=True)\n\
        for name in sys.argv[1:]:\n    \
        sys.stdout.write(w.wfp_for_contents(name, False, open(name, 'rb').read()))\n";
    let mut arguments = vec!["-c", program];
    arguments.extend(FILES);
    let Some(list) = printed(&tree, "python3", &arguments) else {
        return skipped(
            "lists of SCANOSS",
            "scanoss-winnowing is not there",
            REQUIRED,
        );
    };
    check(folder.path(), &tree, "wfp", &list, &LONG);
}

#[test]
fn what_a_list_does_not_say_is_not_made_up() {
    let folder = scratch();
    let tree = work(folder.path());
    let id = git(&tree, ["hash-object", "--no-filters", "src/a.js"]);
    let id = String::from_utf8(id).unwrap();
    let list = format!("swh:1:cnt:{}\tsrc/a.js\n", id.trim());
    let (set, _) = sign(folder.path(), list.as_bytes(), "swhid", 0);
    // By its id in a store that a triage does not read: neither lines nor bytes of it are known.
    git(&tree, ["init", "--quiet", "."]);
    git(&tree, ["add", "src/a.js"]);
    let records = scan_with(&tree.join(".git"), &set, &["--triage"], 3);
    let found: Vec<_> = records.all("match").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(text(found[0], "basis"), "id");
    assert_eq!(found[0]["ranges"], serde_json::json!([]));
    // A set that has no git ids is not said to have been held against the objects.
    let sums = printed(&tree, "sha256sum", &["src/a.js"]).expect("sha256sum");
    let (set, _) = sign(folder.path(), &sums, "sums", 0);
    let records = scan_with(&tree.join(".git"), &set, &["--triage"], 3);
    assert_eq!(records.all("match").count(), 0);
    let codes: Vec<_> = records
        .problems()
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    assert!(codes.contains(&"triage-names"), "{codes:?}");
    assert!(!codes.contains(&"triage-id"), "{codes:?}");
}

#[test]
fn a_damaged_list_gives_what_can_be_read_and_says_what_cannot() {
    let folder = scratch();
    let tree = work(folder.path());
    let mut list = printed(&tree, "sha256sum", &FILES).expect("sha256sum");
    list.extend(b"0123  cut\n");
    let (set, _) = sign(folder.path(), &list, "cut", 3);
    assert_eq!(found(&scan_with(&tree, &set, &[], 0)).len(), LOCAL.len());
    let from = folder.path().join("md5");
    std::fs::write(&from, "900150983cd24fb0d6963f7d28e17f72  a\n").unwrap();
    let mut arguments: Vec<OsString> = vec!["sign".into(), "--from".into(), from.into()];
    arguments.extend(["--work", "acme", "--release", "1", "--output"].map(OsString::from));
    let set = folder.path().join("none.sigset");
    arguments.push(set.clone().into());
    run(arguments).expect(2).says("it is no list of digests");
    assert!(!set.exists() || std::fs::metadata(&set).unwrap().len() == 0);
}

#[test]
fn a_case_that_keeps_no_such_digests_is_not_asked() {
    let folder = scratch();
    let tree = work(folder.path());
    let case = folder.path().join("case");
    let arguments: [OsString; 5] = [
        tree.into(),
        "--record".into(),
        "all".into(),
        "--case".into(),
        case.clone().into(),
    ];
    scan(0, arguments);
    let list = b"swh:1:cnt:f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f\tabc\n";
    let (set, _) = sign(folder.path(), list, "swhid", 0);
    let arguments: [OsString; 5] = [
        "case".into(),
        "match".into(),
        case.into(),
        "--signatures".into(),
        set.into(),
    ];
    run(arguments).expect(2).says("a case keeps neither");
}

/// Signs the tree and has lists of it written; gives them by kind.
fn exported(folder: &Path, tree: &Path, kinds: &[&str]) -> Vec<PathBuf> {
    let mut arguments: Vec<OsString> = vec!["sign".into(), tree.into()];
    arguments.extend(["--work", "acme", "--release", "1", "--output"].map(OsString::from));
    arguments.push(folder.join("exported.sigset").into());
    let mut lists = Vec::new();
    for kind in kinds {
        let list = folder.join(format!("exported.{kind}"));
        arguments.push("--export".into());
        arguments.push(format!("{kind}={}", list.display()).into());
        lists.push(list);
    }
    run(arguments).expect(0);
    lists
}

/// `sha256sum` and hashdeep check the lists that are written for them, and find a byte that is changed.
#[test]
fn other_programs_check_the_lists_that_are_written() {
    let folder = scratch();
    let tree = work(folder.path());
    write_all(&tree, &[("src/odd\\name\n.js", vec![b'x'; 100])]);
    let lists = exported(folder.path(), &tree, &["sha256sum", "swhid", "hashdeep"]);
    let sums = lists[0].to_str().unwrap();
    assert!(printed(&tree, "sha256sum", &["--check", "--strict", sums]).is_some());

    let swhids = std::fs::read_to_string(&lists[1]).unwrap();
    assert_eq!(swhids.lines().count(), 4);
    for file in ["src/a.js", "src/b, c.py", "lib/d.bin"] {
        let id = git(&tree, ["hash-object", "--no-filters", file]);
        let id = String::from_utf8(id).unwrap();
        let row = format!("swh:1:cnt:{}\t{file}\n", id.trim());
        assert!(swhids.contains(&row), "{swhids}");
    }

    let deep = lists[2].to_str().unwrap();
    let strangers = ["-x", "-k", deep, "-r", "-l", "."];
    let is_there = printed(&tree, "hashdeep", &["-V"]).is_some();
    if !is_there {
        skipped("lists for hashdeep", "there is no hashdeep", REQUIRED);
    }
    let short = "./empty\n./lib/short\n./node_modules/left-pad/index.js\n";
    let unknown = || {
        // It ends with a status of its own where a file of the list was not met.
        let output = Command::new("hashdeep")
            .args(strangers)
            .current_dir(&tree)
            .output();
        let printed = output.map_or(Vec::new(), |output| output.stdout);
        let mut lines: Vec<_> = std::str::from_utf8(&printed).unwrap().lines().collect();
        lines.sort_unstable();
        lines.join("\n") + "\n"
    };
    assert!(!is_there || unknown() == short, "{}", unknown());
    std::fs::write(tree.join("src/a.js"), "changed").unwrap();
    assert!(printed(&tree, "sha256sum", &["--check", "--strict", sums]).is_none());
    assert!(!is_there || unknown() == format!("{short}./src/a.js\n"));
}

/// What SCANOSS's own client makes of real files, line for line: this project's sources, with other line ends too.
#[test]
fn fingerprints_for_scanoss_are_its_own() {
    let folder = scratch();
    let tree = folder.path().join("work");
    for source in ["src/signature", "src/lex", "tests"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let name = path.file_name().unwrap().to_str().unwrap();
            let code = std::fs::read_to_string(&path).unwrap();
            let other = code.replace('\n', "\r\n");
            let files = [
                (format!("{source}/{name}"), code),
                (format!("crlf/{source}/{name}"), other),
            ];
            write_all(&tree, &files);
        }
    }
    let line: String = common::Random::new(5).text(50_000).replace('\n', " ");
    write_all(&tree, &[("one-line.js", line)]);
    let list = exported(folder.path(), &tree, &["wfp"]).remove(0);
    let ours = std::fs::read_to_string(&list).unwrap();
    let program = "import sys\nfrom scanoss_winnowing.winnowing import Winnowing\n\
        w = Winnowing(quiet=True, all_extensions=True)\n\
        for line in open(sys.argv[1]):\n    \
        if line.startswith('file='):\n        \
        name = line.rstrip('\\n').split(',', 2)[2]\n        \
        sys.stdout.write(w.wfp_for_contents(name, False, open(name, 'rb').read()))\n";
    let Some(theirs) = printed(&tree, "python3", &["-c", program, list.to_str().unwrap()]) else {
        return skipped(
            "fingerprints of SCANOSS",
            "scanoss-winnowing is not there",
            REQUIRED,
        );
    };
    assert!(ours.lines().count() > 10_000, "{}", ours.lines().count());
    let theirs = String::from_utf8(theirs).unwrap();
    assert_eq!(ours.lines().count(), theirs.lines().count());
    for (number, (our, their)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert_eq!(our, their, "line {number}");
    }
}

/// The id that is printed of a folder is that of git, which knows programs, links, and folders that sort among files.
#[cfg(unix)]
#[test]
fn the_id_of_a_folder_is_that_of_git() {
    use std::os::unix::fs::PermissionsExt;
    let folder = scratch();
    let tree = work(folder.path());
    write_all(
        &tree,
        &[
            ("a.b/x", "1"),
            ("a/y", "2"),
            ("a0", "3"),
            ("a-", "4"),
            ("a/\u{e9}\n", "5"),
        ],
    );
    std::fs::create_dir_all(tree.join("nothing/in/it")).unwrap();
    std::os::unix::fs::symlink("../a", tree.join("a/link")).unwrap();
    std::os::unix::fs::symlink("nowhere", tree.join("dangling")).unwrap();
    let program = tree.join("a/y");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let printed = |name: &str| {
        let mut arguments: Vec<OsString> = vec!["sign".into(), tree.clone().into()];
        arguments.extend(["--work", "acme", "--release", "1", "--output"].map(OsString::from));
        arguments.push(folder.path().join(name).into());
        let ran = run(arguments).expect(0);
        let line = ran.text().lines().find(|line| line.starts_with("tree "));
        line.expect("a tree").to_owned()
    };
    let by_git = || {
        git(&tree, ["add", "--all", "--force"]);
        let id = String::from_utf8(git(&tree, ["write-tree"])).unwrap();
        format!("swh:1:dir:{} ", id.trim())
    };
    let before = printed("before.sigset");
    git(&tree, ["init", "--quiet", "."]);
    git(&tree, ["config", "core.autocrlf", "false"]);
    let id = by_git();
    assert!(before.contains(&id), "{before} {id}");
    // The store itself is no part of the tree.
    assert_eq!(printed("with-store.sigset"), before);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o644)).unwrap();
    let after = printed("after.sigset");
    assert_ne!(after, before);
    assert!(after.contains(&by_git()), "{after}");
    // In the place of a folder with a store git holds a commit.
    std::fs::create_dir_all(tree.join("lib/.git")).unwrap();
    let none = printed("none.sigset");
    assert!(none.contains("a git store of its own"), "{none}");
}
