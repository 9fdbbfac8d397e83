//! What a file system can hold beside well-behaved files: several paths of one file, holes, paths without end, folders
//! without end, mounts, and files that change or fail while they are read.
#![cfg(target_os = "linux")]

mod common;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use common::{Records, finish, number, package, run, scan, scratch, skipped, write_all};

/// Length of a file that would take minutes to read: 60 GiB.
const HUGE: u64 = 60 << 30;

/// What strace wrote of a scan, and its records; `None` where it cannot watch here.
fn traced(more: &[OsString], input: &Path, status: i32) -> Option<(String, Records)> {
    let can_watch = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output();
    if !can_watch.is_ok_and(|output| output.status.success()) {
        skipped(
            "what strace sees",
            "it cannot watch here",
            "STRANDLINE_REQUIRE_TOOLS",
        );
        return None;
    }
    let folder = scratch();
    let log = folder.path().join("log");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", "4096"]).args(more);
    command.arg("-o").arg(&log).arg(common::PROGRAM);
    command
        .args(["scan", "--jobs", "1", "--record", "all", "--jsonl", "-"])
        .arg(input);
    let records = finish(&mut command).expect(status).records();
    records.check_frame();
    Some((
        String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned(),
        records,
    ))
}

#[test]
fn a_file_with_several_paths_is_read_once_and_recorded_at_each() {
    let folder = scratch();
    let at = |name: &str| folder.path().join("in").join(name);
    let text = "a text with several names, and none of them is the first\n";
    write_all(
        &at(""),
        &[
            ("b.tgz", package(1)),
            ("a/text.txt", text.into()),
            ("copy.txt", text.into()),
        ],
    );
    for (from, to) in [
        ("b.tgz", "a/linked.tgz"),
        ("b.tgz", "z.tgz"),
        ("a/text.txt", "text.txt"),
    ] {
        std::fs::hard_link(at(from), at(to)).unwrap();
    }
    // The truth: the same files without links.
    let apart = scratch();
    for name in [
        "a/linked.tgz",
        "a/text.txt",
        "b.tgz",
        "copy.txt",
        "text.txt",
        "z.tgz",
    ] {
        let bytes = std::fs::read(at(name)).unwrap();
        write_all(&apart.path().join("in"), &[(name, bytes)]);
    }
    let bytes = |names: &[&str]| -> u64 {
        names
            .iter()
            .map(|name| std::fs::metadata(at(name)).unwrap().len())
            .sum()
    };
    let truth = scan(
        0,
        [
            OsStr::new("--record"),
            OsStr::new("all"),
            apart.path().join("in").as_os_str(),
        ],
    );
    for jobs in ["1", "2", "7"] {
        let arguments = ["--record", "all", "--jobs", jobs].map(OsString::from);
        let linked = scan(0, arguments.into_iter().chain([at("").into()]));
        assert_eq!(
            number(linked.ledger(), "bytes_in"),
            bytes(&["b.tgz", "text.txt", "copy.txt"])
        );
        let all = |records: &Records| {
            let records = records
                .0
                .iter()
                .filter(|record| record["type"] != "run")
                .cloned();
            let mut records: Vec<_> = records.collect();
            records.iter_mut().for_each(|record| {
                record.as_object_mut().unwrap().remove("bytes_in");
            });
            records
        };
        assert_eq!(all(&linked), all(&truth), "with {jobs} threads");
    }
    let Some((log, _)) = traced(&["-e".into(), "trace=pread64".into()], &at(""), 0) else {
        return;
    };
    let read = |name: &str| {
        log.lines()
            .any(|line| line.contains(at(name).to_str().unwrap()))
    };
    assert!(
        read("a/linked.tgz") && read("a/text.txt") && read("copy.txt"),
        "{log}"
    );
    assert!(
        !read("b.tgz") && !read("z.tgz"),
        "read a second time: {log}"
    );
    assert!(
        !log.lines().any(|line| line.contains("/in/text.txt")),
        "{log}"
    );
}

#[test]
fn a_case_with_linked_files_goes_on_when_a_path_comes_or_goes() {
    let folder = scratch();
    let at = |name: &str| folder.path().join("in").join(name);
    write_all(&at(""), &[("b.tgz", package(1))]);
    std::fs::hard_link(at("b.tgz"), at("c.tgz")).unwrap();
    let into = |case: &str| {
        let case = folder.path().join(case);
        run([
            OsStr::new("scan"),
            at("").as_os_str(),
            OsStr::new("--case"),
            case.as_os_str(),
        ])
        .expect(0);
        let export = run([OsStr::new("case"), OsStr::new("export"), case.as_os_str()]).expect(0);
        export.records().normalised()
    };
    into("going");
    std::fs::hard_link(at("b.tgz"), at("a.tgz")).unwrap();
    assert_eq!(into("going"), into("one"));
    std::fs::remove_file(at("b.tgz")).unwrap();
    assert_eq!(into("going"), into("two"));
}

/// Makes a file of [`HUGE`] bytes with something in the beginning and the midst of it.
fn make_hollow(path: &Path, head: &[u8], at: u64) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::create(path).unwrap();
    file.set_len(HUGE).unwrap();
    file.write_all_at(head, 0).unwrap();
    let link = b"\n//# sourceMappingURL=gone.js.map\n";
    file.write_all_at(link, at).unwrap();
}

#[test]
fn a_hole_is_not_read_and_what_is_stored_is() {
    use std::os::unix::fs::MetadataExt;
    let folder = scratch();
    let at = |name: &str| folder.path().join("in").join(name);
    std::fs::create_dir(at("")).unwrap();
    make_hollow(&at("a.img"), b"disk", HUGE / 2);
    if std::fs::metadata(at("a.img")).unwrap().blocks() * 512 > 1 << 20 {
        skipped(
            "sparse files",
            "this file system stores holes",
            "STRANDLINE_REQUIRE_WALL",
        );
        return;
    }
    make_hollow(&at("b.img"), b"disk", HUGE / 2);
    make_hollow(&at("elsewhere.img"), b"disk", HUGE / 4);
    std::fs::File::create(at("empty.img"))
        .unwrap()
        .set_len(HUGE)
        .unwrap();
    write_all(
        &at(""),
        &[
            ("c.tgz", package(1)),
            ("d.tar", common::tar(&[("a.txt", "text")])),
        ],
    );
    for name in ["c.tgz", "d.tar"] {
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(at(name))
            .unwrap();
        file.set_len(HUGE).unwrap();
    }
    let clock = std::time::Instant::now();
    let records = scan(0, [at("")]);
    let took = clock.elapsed();
    assert!(took.as_secs() < 60, "300 GiB of holes took {took:?}");
    let sparse: Vec<_> = [
        "a.img",
        "b.img",
        "c.tgz",
        "d.tar",
        "elsewhere.img",
        "empty.img",
    ]
    .map(|name| ("sparse-file", format!("in/{name}")))
    .into();
    let problems: Vec<_> = records
        .problems()
        .into_iter()
        .map(|(code, at)| (code, at.to_owned()))
        .collect();
    let said: Vec<_> = problems
        .into_iter()
        .filter(|(code, _)| *code == "sparse-file")
        .collect();
    assert_eq!(said, sparse);
    // What is stored was looked at, and no digest is made up.
    let links = records.locators("reference");
    let links: Vec<_> = links
        .into_iter()
        .filter(|at| at.ends_with(".img"))
        .collect();
    assert_eq!(links, ["in/a.img", "in/b.img", "in/elsewhere.img"]);
    assert!(records.at("package", "in/c.tgz")["sha256"].is_null());
    assert_eq!(records.locators("package"), ["in/c.tgz"]);
    // Equal at equal offsets is a duplicate, equal elsewhere is not.
    assert_eq!(
        number(records.ledger(), "duplicate"),
        1,
        "{}",
        records.ledger()
    );
    assert_eq!(number(records.ledger(), "bytes_in"), 6 * HUGE);
    assert!(number(records.ledger(), "bytes_scanned") < 1 << 20);
}

/// Holes that can be read are, so that the digest is that of the file.
#[test]
fn small_holes_are_zeros() {
    let folder = scratch();
    let path = folder.path().join("in.img");
    std::fs::File::create(&path)
        .unwrap()
        .set_len(1 << 20)
        .unwrap();
    let records = scan(
        0,
        [OsStr::new("--record"), OsStr::new("all"), path.as_os_str()],
    );
    let sum = finish(Command::new("sha256sum").arg(&path)).expect(0);
    assert!(
        sum.text()
            .starts_with(records.at("blob", "in.img")["sha256"].as_str().unwrap())
    );
    assert_eq!(records.problems(), []);
}

#[test]
fn paths_longer_than_the_system_takes_are_said() {
    let folder = scratch();
    // From within, since no path leads there.
    let script = "
import os, sys
os.chdir(sys.argv[1])
for level in range(25):
    name = '%02d-' % level + 'x' * 200
    os.mkdir(name); os.chdir(name)
    open('file', 'w').write('level %d' % level)
    open('g' * 250, 'w').write('other %d' % level)
";
    common::python([
        OsStr::new("-c"),
        OsStr::new(script),
        folder.path().as_os_str(),
    ]);
    let records = scan(
        3,
        [
            OsStr::new("--record"),
            OsStr::new("all"),
            folder.path().as_os_str(),
        ],
    );
    let ledger = records.ledger();
    let unread = number(&ledger["skipped"], "unreadable");
    let (folders, files) = (
        number(&ledger["other"], "folder"),
        number(ledger, "entries"),
    );
    assert!((10..25).contains(&folders), "{folders} folders were met");
    // Two files in each folder that could be opened; what is below the last is one problem.
    assert!(
        files == 2 * folders - 2 || files == 2 * folders,
        "{files} files in {folders} folders"
    );
    assert_eq!(records.all("blob").count() as u64, files - unread);
    let said = records.problems().len() as u64;
    assert_eq!(
        said,
        unread + 1,
        "each that was not read, and the folder that could not be listed"
    );
    assert!(
        records
            .all("problem")
            .all(|problem| problem.to_string().contains("longer than the system takes"))
    );
    finish(Command::new("rm").arg("-rf").arg(folder.path())).expect(0);
}

/// The system fails while a file is read; strace plays it.
#[test]
fn what_vanishes_or_fails_is_said_at_its_place() {
    let folder = scratch();
    write_all(
        folder.path(),
        &[
            ("a.tgz", package(1)),
            ("victim.tgz", package(2)),
            ("z.tgz", package(3)),
        ],
    );
    let victim = folder.path().join("victim.tgz");
    for (fault, code) in [
        ("inject=openat:error=ENOENT", "vanished"),
        ("inject=openat:error=EACCES", "unreadable"),
        ("inject=openat:error=EIO", "unreadable"),
        ("inject=pread64:error=EIO", "unreadable"),
        ("inject=openat:error=ELOOP", "unreadable"),
    ] {
        let more: Vec<OsString> = vec![
            "-P".into(),
            victim.clone().into(),
            "-e".into(),
            fault.into(),
        ];
        let Some((_, records)) = traced(&more, folder.path(), 3) else {
            return;
        };
        let problems = records.problems();
        assert_eq!(problems.len(), 1, "{fault}: {problems:?}");
        assert_eq!(problems[0].0, code, "{fault}");
        assert!(
            problems[0].1.ends_with("/victim.tgz"),
            "{fault}: {problems:?}"
        );
        assert_eq!(
            records.all("package").count(),
            2,
            "{fault}: the others are read"
        );
    }
}

/// One that grows has the end that it had when it was opened, and is told of.
#[test]
fn a_growing_file_ends() {
    let folder = scratch();
    let path = folder.path().join("growing.log");
    let script = r#"
yes 'a line of a log that somebody still writes' | head -c 8M > "$0"
yes 'a line of a log that somebody still writes' >> "$0" & writer=$!
trap 'kill $writer' EXIT
"$1" scan --memory 2M --jsonl - "$0"; echo "status $?" >&2
"#;
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(&path).arg(common::PROGRAM);
    let ran = finish(&mut command).says("status 3");
    let records = ran.records();
    records.check_frame();
    let codes: Vec<_> = records
        .problems()
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    assert!(codes.contains(&"changed-while-read"), "{codes:?}");
}

/// A folder with very many entries.
#[test]
fn a_folder_with_many_entries_is_walked() {
    const MANY: u64 = 20_000;
    let folder = scratch();
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    for number in 0..MANY {
        std::fs::write(
            input.join(format!("{number}.txt")),
            format!("{}", number % 7),
        )
        .unwrap();
    }
    let records = scan(0, [&input]);
    assert_eq!(number(records.ledger(), "entries"), MANY);
    assert_eq!(number(records.ledger(), "scanned"), 7);
}

#[test]
fn other_file_systems_are_left_out_where_that_is_asked() {
    let folder = scratch();
    let input = folder.path().join("in");
    write_all(
        &input,
        &[
            ("a.txt", "a"),
            ("mounted/hidden.txt", "never seen"),
            ("bound", "x"),
            ("deep/er/c.txt", "c"),
        ],
    );
    let script = r#"
set -e
mount -t tmpfs -o size=1m none "$INPUT/mounted" || exit 77
echo on another file system > "$INPUT/mounted/b.txt"
mkdir "$INPUT/mounted/below"
mount --bind "$INPUT/mounted/b.txt" "$INPUT/bound"
"$PROGRAM" scan --jsonl - "$INPUT"
"$PROGRAM" scan --jsonl - --one-file-system "$INPUT"
"$PROGRAM" scan --one-file-system "$INPUT" >&2
"#;
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.envs([
        ("PROGRAM", OsStr::new(common::PROGRAM)),
        ("INPUT", input.as_os_str()),
    ]);
    let ran = finish(&mut command);
    if ran.status != Some(0) {
        skipped("mounts", &ran.stderr, "STRANDLINE_REQUIRE_MOUNTS");
        return;
    }
    let ran = ran.says("left out    2 mounted files and folders");
    let both = Records::parse(&ran.stdout);
    let ledgers: Vec<_> = both.all("ledger").collect();
    // Without the flag: a, b twice, c, and four folders.
    assert_eq!(number(ledgers[0], "entries"), 4, "{}", ledgers[0]);
    assert_eq!(number(&ledgers[0]["other"], "folder"), 4);
    assert!(ledgers[0]["other"]["mount"].is_null());
    assert_eq!(number(ledgers[1], "entries"), 2, "{}", ledgers[1]);
    assert_eq!(number(&ledgers[1]["other"], "mount"), 2);
    assert_eq!(ledgers[1]["complete"], true, "what was asked for is no gap");
}
