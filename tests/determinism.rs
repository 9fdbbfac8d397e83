//! The same input gives the same records: for any number of threads, with a case and without, in one run or in
//! many, whatever ended the runs before and whatever changed between them.

mod common;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{
    Random, Records, assert_identical, finish, incident_arguments, package, run, scratch,
    sign_incident, sql, start, strandline, wait, write_all, write_menagerie,
};

const JOBS: [&str; 3] = ["1", "2", "8"];

/// `scan` with these arguments.
fn scan(arguments: &[OsString]) -> Vec<OsString> {
    [&["scan".into(), "--quiet".into()], arguments].concat()
}

/// `scan` with these arguments into a case.
fn scan_into(case: &Path, arguments: &[OsString]) -> Vec<OsString> {
    [&scan(arguments)[..], &["--case".into(), case.into()]].concat()
}

fn with(arguments: &[OsString], more: &[&str]) -> Vec<OsString> {
    let more: Vec<_> = more.iter().map(OsString::from).collect();
    [arguments, &more].concat()
}

/// What `case export` writes.
#[track_caller]
fn export(case: &Path) -> Vec<u8> {
    let arguments = [OsStr::new("case"), OsStr::new("export"), case.as_os_str()];
    let ran = run(arguments).expect(0);
    ran.records().check_frame();
    ran.stdout
}

/// What a scan into a case of its own gives.
#[track_caller]
fn fresh(folder: &Path, name: &str, arguments: &[OsString], status: i32) -> Vec<u8> {
    let case = folder.join(name);
    run(scan_into(&case, arguments)).expect(status);
    export(&case)
}

/// Runs a scan with 1, 2 and 8 threads, to standard output and into a case, and gives the records of all six.
#[track_caller]
fn assert_the_same_for_any_jobs(arguments: &[OsString], status: i32) -> Records {
    let folder = scratch();
    let mut first: Option<Vec<u8>> = None;
    for jobs in JOBS {
        let arguments = with(arguments, &["--jobs", jobs]);
        let stream = run(with(&scan(&arguments), &["--jsonl", "-"]))
            .expect(status)
            .stdout;
        let case = fresh(folder.path(), &format!("{jobs}.case"), &arguments, status);
        let first = first.get_or_insert_with(|| stream.clone());
        assert_identical(first, &stream, &format!("1 and {jobs} jobs"));
        assert_identical(
            first,
            &case,
            &format!("{jobs} jobs, with and without a case"),
        );
    }
    let records = Records::parse(&first.expect("there were runs"));
    records.check_frame();
    records
}

#[test]
fn the_incident_is_the_same_for_any_number_of_threads() {
    let folder = scratch();
    let arguments = incident_arguments(&sign_incident(folder.path()));
    let records = assert_the_same_for_any_jobs(&with(&arguments, &["--record", "all"]), 0);
    assert!(records.all("copy").count() > 0 && records.all("blob").count() > 0);
}

#[test]
fn containers_of_every_kind_are_the_same_for_any_number_of_threads() {
    let folder = scratch();
    let input = folder.path().join("in");
    write_menagerie(&input);
    for more in [&[][..], &["--record", "all"]] {
        let records = assert_the_same_for_any_jobs(&with(&[input.clone().into()], more), 3);
        let problems = records.problems();
        assert!(
            problems.contains(&("truncated", "in/truncated.tgz")),
            "{problems:?}"
        );
        assert!(
            records.ledger()["duplicate"].as_u64() > Some(200),
            "{}",
            records.ledger()
        );
    }
}

/// Limits count bytes, members and levels; where they cut must not depend on who reads, or in what order. Content
/// of the menagerie that one place cuts stands whole at another.
#[track_caller]
fn assert_cut_alike(flag: &str, value: &str, code: &str) {
    let folder = scratch();
    let input = folder.path().join("in");
    write_menagerie(&input);
    let arguments = with(&[input.into()], &[flag, value]);
    let records = assert_the_same_for_any_jobs(&arguments, 3);
    let hit = records.problems().iter().any(|(found, _)| *found == code);
    assert!(hit, "{flag} {value}: {:?}", records.problems());
}

#[test]
fn what_the_limit_of_entries_cuts_is_the_same_for_any_number_of_threads() {
    assert_cut_alike("--limit-entries", "3", "entries-limit");
    assert_cut_alike("--limit-entries", "700", "entries-limit");
}

#[test]
fn what_the_limit_of_depth_cuts_is_the_same_for_any_number_of_threads() {
    assert_cut_alike("--limit-depth", "1", "depth-limit");
    assert_cut_alike("--limit-depth", "2", "depth-limit");
}

#[test]
fn what_the_limit_of_bytes_cuts_is_the_same_for_any_number_of_threads() {
    assert_cut_alike("--limit-bytes", "2K", "bytes-limit");
    assert_cut_alike("--limit-bytes", "700K", "bytes-limit");
}

// ---------------------------------------------------------------------------------------------------------------
// Interrupted

/// An input that takes long enough to be hit, and what an undisturbed run makes of it.
struct LongRun {
    folder: tempfile::TempDir,
    arguments: Vec<OsString>,
    files: u64,
    undisturbed: Vec<u8>,
    took: Duration,
}

impl LongRun {
    fn new() -> Self {
        const PACKAGES: u64 = 1_200;
        let folder = scratch();
        let input = folder.path().join("in");
        let packages: Vec<_> = (0..PACKAGES)
            // Every third has a twin, so that duplicates are met on both sides of an interruption.
            .map(|number| {
                (
                    format!("{:02}/{number:04}.tgz", number % 40),
                    package(number - number % 3 / 2),
                )
            })
            .collect();
        write_all(&input, &packages);
        write_menagerie(&input.join("20"));
        let arguments = vec![
            input.into(),
            "--jobs".into(),
            "2".into(),
            "--record".into(),
            "all".into(),
        ];
        let begun = Instant::now();
        let undisturbed = fresh(folder.path(), "undisturbed", &arguments, 3);
        let took = begun.elapsed();
        let case = folder.path().join("undisturbed");
        let files = units(&case).expect("the case is finished");
        Self {
            folder,
            arguments,
            files,
            undisturbed,
            took,
        }
    }

    fn case(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, case: &Path) -> Vec<OsString> {
        scan_into(case, &self.arguments)
    }

    /// Whether the case was left in the midst of reading: some files are done and some are not.
    fn is_halfway(&self, case: &Path) -> bool {
        units(case).is_some_and(|done| (1..self.files).contains(&done))
    }

    #[track_caller]
    fn assert_finishes(&self, case: &Path, what: &str) {
        run(self.command(case)).expect(3);
        assert_identical(&self.undisturbed, &export(case), what);
    }
}

/// Files that are done in a case; `None` where there is no case yet.
#[track_caller]
fn units(case: &Path) -> Option<u64> {
    let info = run([OsStr::new("case"), OsStr::new("info"), case.as_os_str()]);
    let files = info
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("files "))?;
    Some(
        files
            .trim()
            .replace(',', "")
            .parse()
            .expect("a number of files"),
    )
}

/// Ten moments spread over the run, two for each case, so that resumed runs are killed too.
#[test]
fn a_case_killed_at_any_moment_is_finished_by_the_same_command() {
    let long = LongRun::new();
    let mut random = Random::new(0x5eed);
    let (mut killed, mut halfway) = (0, 0);
    for round in 0..5 {
        let case = long.case(&format!("killed-{round}"));
        for half in 0..2 {
            let moment = (f64::from(round * 2 + half) + random.share()) / 10.0;
            let mut child = start(long.command(&case));
            std::thread::sleep(long.took.mul_f64(moment));
            child.kill().expect("it is ours");
            killed += u32::from(wait(child).status.is_none());
            halfway += u32::from(long.is_halfway(&case));
        }
        long.assert_finishes(&case, &format!("round {round}"));
    }
    assert!(
        killed >= 3,
        "only {killed} of ten runs were still going when they were killed"
    );
    assert!(halfway >= 1, "no kill left a case halfway");
}

#[test]
fn an_interrupt_saves_what_is_known() {
    let long = LongRun::new();
    // When it takes effect depends on the machine; one of these is in the midst of reading.
    for (round, share) in [0.5, 0.35, 0.65, 0.2, 0.8, 0.1].into_iter().enumerate() {
        let case = long.case(&format!("interrupted-{round}"));
        let (jsonl, report) = (case.with_extension("jsonl"), case.with_extension("report"));
        let mut command = long.command(&case);
        command.extend(["--jsonl".into(), jsonl.clone().into()]);
        command.extend(["--report".into(), report.clone().into()]);
        let child = start(&command);
        std::thread::sleep(long.took.mul_f64(share));
        finish(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]))
            .expect(0);
        let ran = wait(child);
        if !long.is_halfway(&case) {
            continue;
        }
        ran.expect(3).says("what is known so far is kept");
        let arguments = [OsStr::new("case"), OsStr::new("export"), case.as_os_str()];
        let known = run(arguments).expect(3).says("has not finished").records();
        known.check_frame();
        assert_eq!(known.ledger()["complete"], false);
        assert!(
            known.all("package").count() > 0,
            "packages that were read are there"
        );
        let all = Records::parse(&long.undisturbed);
        for record in known.all("map") {
            assert!(all.all("map").any(|other| other == record), "{record}");
        }
        run([OsStr::new("case"), OsStr::new("info"), case.as_os_str()])
            .expect(3)
            .prints("not finished");
        // Nothing that the stopped run wrote is in the way of the same command.
        run(&command).expect(3);
        assert_identical(&long.undisturbed, &export(&case), "after an interrupt");
        assert!(jsonl.exists() && report.join("index.html").exists());
        return;
    }
    panic!("no interrupt came in the midst of reading");
}

// ---------------------------------------------------------------------------------------------------------------
// Run again

/// Marks what a case says of each package, so that one sees what is read again: only that loses its mark.
fn mark_packages(case: &Path) {
    sql(
        case,
        "UPDATE record SET json = replace(json, '\"UNLICENSED\"', '\"MARKED\"') WHERE type = 'package' AND NOT joined",
    );
}

fn marked(export: &[u8]) -> Vec<String> {
    let records = Records::parse(export);
    let marked = records
        .all("package")
        .filter(|package| package["licence"] == "MARKED");
    marked
        .map(|package| common::text(package, "locator").to_owned())
        .collect()
}

#[test]
fn a_finished_case_is_not_read_again() {
    let folder = scratch();
    let (input, case) = (folder.path().join("in"), folder.path().join("a.case"));
    write_all(
        &input,
        &[
            ("a.tgz", package(1)),
            ("b.tgz", package(2)),
            ("c.tgz", package(3)),
        ],
    );
    let arguments = [OsString::from(&input)];
    run(scan_into(&case, &arguments)).expect(0);
    let first = export(&case);
    run(scan_into(&case, &arguments)).expect(0);
    assert_identical(&first, &export(&case), "the second run");

    mark_packages(&case);
    run(scan_into(&case, &arguments)).expect(0);
    assert_eq!(
        marked(&export(&case)),
        ["in/a.tgz", "in/b.tgz", "in/c.tgz"],
        "nothing is read again"
    );

    // Same bytes, another time: a file that was touched is read again, and only that.
    write_all(&input, &[("b.tgz", package(2))]);
    run(scan_into(&case, &arguments)).expect(0);
    assert_eq!(marked(&export(&case)), ["in/a.tgz", "in/c.tgz"]);

    // Other limits are other results.
    run(scan_into(
        &case,
        &with(&arguments, &["--limit-depth", "15"]),
    ))
    .expect(0);
    assert_eq!(marked(&export(&case)), [""; 0]);
}

#[test]
fn what_changed_between_runs_is_as_in_a_fresh_case() {
    let folder = scratch();
    let (input, case) = (folder.path().join("in"), folder.path().join("a.case"));
    write_menagerie(&input);
    let arguments = [OsString::from(&input)];
    let mut before = fresh(folder.path(), "a.case", &arguments, 3);
    let remove = |name: &str| std::fs::remove_file(input.join(name)).unwrap();
    let write = |name: &str, bytes: &[u8]| write_all(&input, &[(name, bytes)]);
    // Each change reaches further than its own file: a manifest says whose its neighbours are, a map is what a
    // link points to, and the first place of content that stands twice counts as scanned.
    let changes: [(&str, &dyn Fn()); 6] = [
        ("a changed manifest", &|| {
            write(
                "app/package.json",
                common::manifest("other", "9.9.9").as_bytes(),
            )
        }),
        ("a changed archive", &|| write("package-2.tgz", &package(3))),
        ("a removed map", &|| remove("app/dist/app.js.map")),
        ("a removed archive whose content stands elsewhere", &|| {
            remove("copy/nested.tgz")
        }),
        ("an added map, which a link pointed to", &|| {
            write(
                "app/dist/gone.js.map",
                common::source_map(&[("b.ts", Some("let b;"))]).as_bytes(),
            )
        }),
        ("an added archive before all others", &|| {
            write("0.tgz", &package(1))
        }),
    ];
    for (index, (what, change)) in changes.iter().enumerate() {
        change();
        run(scan_into(&case, &arguments)).expect(3);
        let after = export(&case);
        assert_identical(
            &fresh(folder.path(), &format!("{index}"), &arguments, 3),
            &after,
            what,
        );
        assert_ne!(before, after, "{what} shows");
        before = after;
    }
}

/// A case keeps inputs of earlier runs; what it says of them stays.
#[test]
fn a_case_takes_one_input_after_the_other() {
    let folder = scratch();
    let inputs: Vec<_> = ["one", "two"].map(|name| folder.path().join(name)).to_vec();
    write_all(&inputs[0], &[("a.tgz", package(1))]);
    write_all(&inputs[1], &[("b.tgz", package(2)), ("c.tgz", package(1))]);
    let case = folder.path().join("a.case");
    let both: Vec<OsString> = inputs.iter().map(OsString::from).collect();
    for input in &both {
        run(scan_into(&case, std::slice::from_ref(input))).expect(0);
    }
    let grown = Records::parse(&export(&case));
    let together = Records::parse(&fresh(folder.path(), "together", &both, 0));
    for kind in ["package", "map", "source", "exposure", "reference"] {
        assert_eq!(grown.locators(kind), together.locators(kind), "{kind}");
    }
    let account = |records: &Records| {
        ["entries", "scanned", "duplicate"].map(|key| common::number(records.ledger(), key))
    };
    assert_eq!(account(&grown), account(&together));
}

#[test]
fn two_runs_never_write_one_case() {
    let folder = scratch();
    let (input, case) = (folder.path().join("in"), folder.path().join("a.case"));
    write_all(&input, &[("a.tgz", package(1))]);
    run(scan_into(&case, &[OsString::from(&input)])).expect(0);
    // A reader that holds the file is enough to keep a writer out, and to be told so.
    let holder = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()";
    let mut python = std::process::Command::new("python3")
        .args([OsStr::new("-c"), OsStr::new(holder), case.as_os_str()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = [0; 5];
    std::io::Read::read_exact(python.stdout.as_mut().unwrap(), &mut line).unwrap();
    let ran = finish(&mut strandline(scan_into(&case, &[OsString::from(&input)])));
    drop(python.stdin.take());
    python.wait().unwrap();
    ran.expect(2).says("in use by another run");
}
