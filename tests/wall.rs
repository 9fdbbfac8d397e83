//! The wall: that it denies what it should, that nothing needed is denied, and that the program does not even try.
//!
//! What the system lets a process do is asked of the system: this test binary starts itself again, raises the wall and
//! tries. What the program does is seen by strace, which also plays the kernel that has no wall.
#![cfg(target_os = "linux")]
// Calls that the standard library has no word for.
#![allow(unsafe_code)]

mod common;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ran, Records, finish, run, scratch, skipped, text, write_all};
use strandline::cli::wall::Wall;
use strandline::record::WallState;

/// Set where this binary was started by itself, to the folder to work in.
const BEHIND: &str = "STRANDLINE_TEST_BEHIND_THE_WALL";
/// The wall can be up here, so its tests must not be skipped.
const REQUIRED: &str = "STRANDLINE_REQUIRE_WALL";

// ---------------------------------------------------------------------------------------------------------------
// What is denied

/// Starts this binary again, to run one test alone.
fn again(test: &str, folder: &Path) -> Ran {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    finish(command.env(BEHIND, folder))
}

/// Whether the wall can be up on this machine; says so where it cannot.
fn can_stand() -> bool {
    let folder = scratch();
    let ran = again("raised_by_itself", folder.path());
    if ran.text().contains("state Up") {
        return true;
    }
    let line = ran.text().lines().find(|line| line.contains("state "));
    skipped("the wall", line.unwrap_or("it cannot be raised"), REQUIRED);
    false
}

#[test]
fn raised_by_itself() {
    if std::env::var_os(BEHIND).is_some() {
        let wall = Wall::around::<&Path>([]).raise();
        println!("state {:?}: {:?}", wall.state, wall.why);
    }
}

/// What came of a call: 0 or an error number.
fn call(number: libc::c_long, arguments: [libc::c_long; 4]) -> i32 {
    let [a, b, c, d] = arguments;
    // SAFETY: each call below is given null or plain numbers, and is denied or fails on them.
    let result = unsafe { libc::syscall(number, a, b, c, d, 0, 0) };
    if result >= 0 {
        return 0;
    }
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

fn error_of<T>(result: std::io::Result<T>) -> i32 {
    result
        .err()
        .map_or(0, |error| error.raw_os_error().unwrap_or(-1))
}

#[test]
fn what_is_forbidden_fails() {
    let Some(folder) = std::env::var_os(BEHIND).map(PathBuf::from) else {
        if can_stand() {
            let folder = scratch();
            let files = [("in/a.txt", "a"), ("beside.txt", "b"), ("out/old.txt", "")];
            write_all(folder.path(), &files);
            std::os::unix::fs::symlink("../beside.txt", folder.path().join("in/link")).unwrap();
            again("what_is_forbidden_fails", folder.path())
                .expect(0)
                .prints("behind the wall");
        }
        return;
    };
    let at = |name: &str| folder.join(name);
    // Open before the wall, as outputs are.
    let mut open = std::fs::File::create(at("open.txt")).unwrap();
    let wall = Wall::around([at("in")])
        .with_output(Some(&at("out")))
        .raise();
    assert_eq!(wall.state, WallState::Up, "{wall:?}");
    println!("behind the wall");

    let denied = libc::EACCES;
    for path in ["beside.txt", "in/link", "out/old.txt", "open.txt"] {
        assert_eq!(error_of(std::fs::read(at(path))), denied, "reading {path}");
    }
    for path in ["/etc/passwd", "/proc/self/environ", "/dev/null", "/"] {
        assert_eq!(
            error_of(std::fs::File::open(path)),
            denied,
            "opening {path}"
        );
    }
    for path in [
        "in/a.txt",
        "in/new",
        "beside.txt",
        "new",
        "open.txt",
        "/dev/null",
    ] {
        assert_eq!(
            error_of(std::fs::write(at(path), "x")),
            denied,
            "writing {path}"
        );
    }
    for path in ["in/a.txt", "beside.txt", "out/old.txt"] {
        assert_eq!(
            error_of(std::fs::remove_file(at(path))),
            denied,
            "removing {path}"
        );
        let moved = std::fs::rename(at(path), at("out/moved"));
        assert!(
            [denied, libc::EXDEV].contains(&error_of(moved)),
            "moving {path}"
        );
        let linked = std::fs::hard_link(at(path), at("out/linked"));
        assert!(
            [0, denied, libc::EXDEV].contains(&error_of(linked)),
            "linking {path}"
        );
    }
    assert_eq!(
        error_of(std::fs::read(at("out/linked"))),
        denied,
        "a link gives no rights"
    );
    let cut = std::ffi::CString::new(at("in/a.txt").into_os_string().into_encoded_bytes()).unwrap();
    // SAFETY: the path ends with NUL.
    assert_eq!(unsafe { libc::truncate(cut.as_ptr(), 0) }, -1);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    assert_eq!(
        error_of(std::fs::set_permissions(at("in/a.txt"), mode)),
        libc::EPERM
    );
    assert_eq!(
        error_of(std::os::unix::fs::symlink("/", at("out/link"))),
        denied
    );

    let refused = libc::EPERM;
    assert_eq!(
        error_of(std::net::TcpStream::connect("127.0.0.1:9")),
        refused
    );
    assert_eq!(error_of(std::net::UdpSocket::bind("127.0.0.1:0")), refused);
    assert_eq!(
        error_of(std::os::unix::net::UnixDatagram::unbound()),
        refused
    );
    assert_ne!(error_of(Command::new("/bin/true").spawn()), 0);
    let parent = i64::from(std::os::unix::process::parent_id());
    let exec = i64::from(libc::PROT_EXEC);
    for (what, number, arguments) in [
        ("execve", libc::SYS_execve, [0; 4]),
        ("execveat", libc::SYS_execveat, [0; 4]),
        (
            "ptrace",
            libc::SYS_ptrace,
            [i64::from(libc::PTRACE_TRACEME), 0, 0, 0],
        ),
        ("kill", libc::SYS_kill, [parent, 0, 0, 0]),
        ("tgkill", libc::SYS_tgkill, [parent, parent, 0, 0]),
        ("prlimit64", libc::SYS_prlimit64, [parent, 0, 0, 0]),
        ("pidfd_open", libc::SYS_pidfd_open, [parent, 0, 0, 0]),
        (
            "process_vm_readv",
            libc::SYS_process_vm_readv,
            [parent, 0, 0, 0],
        ),
        (
            "unshare",
            libc::SYS_unshare,
            [i64::from(libc::CLONE_NEWUSER), 0, 0, 0],
        ),
        (
            "clone",
            libc::SYS_clone,
            [i64::from(libc::SIGCHLD), 0, 0, 0],
        ),
        ("bpf", libc::SYS_bpf, [0; 4]),
        ("perf_event_open", libc::SYS_perf_event_open, [0; 4]),
        ("userfaultfd", libc::SYS_userfaultfd, [0; 4]),
        ("io_uring_setup", libc::SYS_io_uring_setup, [1, 0, 0, 0]),
        ("keyctl", libc::SYS_keyctl, [0; 4]),
        ("mount", libc::SYS_mount, [0; 4]),
        ("ioctl TIOCSTI", libc::SYS_ioctl, [0, 0x5412, 0, 0]),
        // The upper half of an argument that the kernel does not look at hides nothing.
        (
            "ioctl TIOCSTI, disguised",
            libc::SYS_ioctl,
            [0, 0x1_0000_5412, 0, 0],
        ),
        (
            "mmap of code",
            libc::SYS_mmap,
            [
                0,
                4096,
                exec,
                i64::from(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS),
            ],
        ),
        ("mprotect to code", libc::SYS_mprotect, [0, 4096, exec, 0]),
    ] {
        assert_eq!(call(number, arguments), refused, "{what}");
    }
    let absent = libc::ENOSYS;
    assert_eq!(call(libc::SYS_clone3, [0; 4]), absent, "clone3");
    // The second set of numbers of x86-64, and calls of later kernels (file_getattr).
    for number in [
        0x4000_0000 + 41,
        0x4000_0000 + 520,
        0x4000_0000,
        468,
        10_000,
    ] {
        assert_eq!(call(number, [0; 4]), absent, "call {number:#x}");
    }

    // And what is needed goes on.
    assert_eq!(std::fs::read(at("in/a.txt")).unwrap(), b"a");
    assert_eq!(std::fs::read_dir(at("in")).unwrap().count(), 2);
    std::fs::create_dir(at("out/deep")).unwrap();
    std::fs::write(at("out/deep/new.txt"), "x").unwrap();
    std::io::Write::write_all(&mut open, b"written").unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(|| vec![1_u8; 64 << 20].len()))
        .collect();
    assert!(
        threads
            .into_iter()
            .all(|thread| thread.join().unwrap() == 64 << 20)
    );
    assert!(std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(1))).is_err());
    let spread = std::thread::spawn(|| error_of(std::net::UdpSocket::bind("127.0.0.1:0")));
    assert_eq!(spread.join().unwrap(), refused, "threads inherit the wall");
}

// ---------------------------------------------------------------------------------------------------------------
// What is tried

/// Calls of the program, as strace writes them; `None` where it cannot watch here.
fn traced(more: &[&str], arguments: &[OsString]) -> Option<(Vec<String>, Ran)> {
    let why = match Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .output()
    {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(why) = why {
        skipped("what strace sees", &why, "STRANDLINE_REQUIRE_TOOLS");
        return None;
    }
    let folder = scratch();
    let log = folder.path().join("log");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", "4096"]).args(more);
    command
        .arg("-o")
        .arg(&log)
        .arg(common::PROGRAM)
        .args(arguments);
    let ran = finish(command.env("NO_COLOR", "1"));
    let log = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    Some((log.lines().map(str::to_owned).collect(), ran))
}

/// Everything that a scan can be given, and where it writes.
struct Rich {
    folder: tempfile::TempDir,
    arguments: Vec<OsString>,
}

impl Rich {
    fn new() -> Self {
        let folder = scratch();
        let at = |name: &str| folder.path().join(name);
        common::write_menagerie(&at("in"));
        let set = common::sign_incident(folder.path());
        std::fs::create_dir(at("output")).unwrap();
        std::fs::write(
            at("list"),
            common::incident()
                .join("copies")
                .into_os_string()
                .into_encoded_bytes(),
        )
        .unwrap();
        std::os::unix::fs::symlink(common::incident().join("published"), at("linked")).unwrap();
        let mut arguments: Vec<OsString> =
            vec!["scan".into(), at("in").into(), at("linked").into()];
        for (flag, path) in [
            ("--files-from", at("list")),
            ("--signatures", set),
            ("--org", common::incident().join("acme.toml")),
            ("--case", at("output/a.case")),
            ("--report", at("output/report")),
            ("--jsonl", at("output/a.jsonl")),
        ] {
            arguments.extend([flag.into(), path.into()]);
        }
        Self { folder, arguments }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("output")
    }
}

fn assert_keeps_to_itself(wall: &[&str]) {
    let rich = Rich::new();
    let arguments: Vec<OsString> = rich
        .arguments
        .iter()
        .cloned()
        .chain(wall.iter().map(Into::into))
        .collect();
    let Some((lines, ran)) = traced(&CALLS, &arguments) else {
        return;
    };
    // The menagerie has damage in it.
    let ran = ran.expect(3);
    let state = if wall.is_empty() {
        "wall        "
    } else {
        "wall        off: --no-sandbox"
    };
    let ran = ran.prints(state);
    let (reads, writes) = keeps_to(&rich.output(), &lines, &ran);
    // What is written: the case and its log, two files of the report, the records.
    assert!(
        reads > 30 && writes >= 5,
        "strace saw it: {reads} read, {writes} written"
    );
}

/// What strace is asked for.
const CALLS: [&str; 2] = [
    "-e",
    "trace=%network,%file,fork,vfork,clone,clone3,ptrace,execve,execveat",
];

/// Nothing was started, called, or written outside of a folder. How many files were opened to be read and to be written.
#[track_caller]
fn keeps_to(output: &Path, lines: &[String], ran: &Ran) -> (u32, u32) {
    let output = output.to_str().unwrap();
    let (mut starts, mut reads, mut writes) = (0, 0, 0);
    for line in lines {
        // A number of the thread, then the call.
        let Some((_, line)) = line.split_once(' ') else {
            continue;
        };
        let line = line.trim_start();
        let name = line.split('(').next().unwrap_or_default();
        match name {
            "execve" => starts += 1,
            "clone" | "clone3" => assert!(line.contains("CLONE_THREAD"), "a process: {line}"),
            "open" | "openat" | "openat2" | "creat" => {
                let is_written = ["O_WRONLY", "O_RDWR", "O_CREAT", "creat("]
                    .iter()
                    .any(|word| line.contains(word));
                reads += u32::from(!is_written);
                writes += u32::from(is_written);
                assert!(
                    !is_written || line.contains(output),
                    "written outside: {line}\n{ran}"
                );
            }
            "mkdir" | "mkdirat" | "unlink" | "unlinkat" | "rename" | "renameat" | "renameat2"
            | "chmod" | "fchmodat" | "truncate" | "link" | "linkat" | "symlink" | "symlinkat"
            | "mknod" | "mknodat" | "utimensat" => {
                assert!(line.contains(output), "changed outside: {line}");
            }
            "socket" | "socketpair" | "connect" | "bind" | "sendto" | "sendmsg" | "recvfrom"
            | "fork" | "vfork" | "execveat" | "ptrace" => panic!("{line}"),
            _ => {}
        }
    }
    assert_eq!(starts, 1, "one program was started: this");
    // Nothing that was needed was denied: SQLite would take its log away, and sync the folder that it lies in.
    let folder = format!("\"{output}\", O_RDONLY");
    let denied: Vec<&String> = (lines.iter())
        .filter(|line| line.contains("EACCES") || line.contains("EPERM"))
        .filter(|line| !(line.contains("unlink") && line.contains("a.case-wal")))
        .filter(|line| !line.contains(&folder))
        .collect();
    assert!(denied.is_empty(), "{denied:#?}");
    (reads, writes)
}

/// Comparing reads what strangers made, behind the wall; what is asked of cases reads nothing else.
#[test]
fn neither_do_comparisons_nor_what_is_asked_of_cases() {
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("output")).unwrap();
    let (copies, work) = (
        common::incident().join("copies"),
        common::incident().join("acme-cli/src"),
    );
    let set = common::sign_incident(folder.path());
    for name in ["a.case", "b.case"] {
        let arguments: Vec<OsString> = [
            "scan".into(),
            copies.clone().into(),
            "--signatures".into(),
            set.clone().into(),
            "--case".into(),
            at("output").join(name).into(),
            "--quiet".into(),
        ]
        .into();
        run(arguments);
    }
    let out = |name: &str| OsString::from(at("output").join(name));
    let case = out("a.case");
    let compare = |of: [OsString; 2], name: &str| -> Vec<OsString> {
        let [first, second] = of;
        let to = |end: &str| out(&format!("{name}.{end}"));
        [
            "compare".into(),
            work.clone().into(),
            first,
            second,
            "--jsonl".into(),
            to("jsonl"),
            "--diff".into(),
            to("diff"),
            "--html".into(),
            to("html"),
        ]
        .into()
    };
    let one = copies.join("reformatted").into_os_string();
    let asked: [(Vec<OsString>, u32); 5] = [
        (compare([one, "--no-progress".into()], "pair"), 3),
        (compare(["--case".into(), case.clone()], "case"), 4),
        (["case".into(), "scope".into(), case.clone()].into(), 0),
        (
            ["case".into(), "scope".into(), case.clone(), "--json".into()].into(),
            0,
        ),
        (
            [
                "case".into(),
                "diff".into(),
                case,
                out("b.case"),
                "--json".into(),
                out("diff.json"),
            ]
            .into(),
            1,
        ),
    ];
    for (arguments, least) in asked {
        let Some((lines, ran)) = traced(&CALLS, &arguments) else {
            return;
        };
        assert!([Some(0), Some(3)].contains(&ran.status), "{ran}");
        let (_, writes) = keeps_to(&at("output"), &lines, &ran);
        assert!(writes >= least, "{writes} written by {arguments:?}");
    }
    for name in ["pair", "case"] {
        let records = std::fs::read(at("output").join(format!("{name}.jsonl"))).unwrap();
        let records = Records::parse(&records);
        records.check_frame();
        if can_stand() {
            assert_eq!(wall_of(&records), ("up", None));
        }
    }
    for (name, (mode, _)) in common::tree(&at("output")) {
        let is_case = name.contains(".case");
        assert!(is_case || mode & 0o777 == 0o600, "{name} is {mode:o}");
    }
}

#[test]
fn a_scan_neither_calls_nor_starts_nor_writes_elsewhere() {
    assert_keeps_to_itself(&[]);
}

#[test]
fn nor_does_it_without_the_wall() {
    assert_keeps_to_itself(&["--no-sandbox"]);
}

// ---------------------------------------------------------------------------------------------------------------
// What is said

fn wall_of(records: &Records) -> (&str, Option<&str>) {
    let wall = &records.0[0]["wall"];
    (text(wall, "state"), wall["why"].as_str())
}

/// strace answers in place of the kernel.
#[test]
fn a_kernel_without_it_is_said_and_nothing_else_changes() {
    if !can_stand() {
        return;
    }
    let input = common::incident().join("published");
    let arguments: Vec<OsString> =
        ["scan".into(), input.into(), "--jsonl".into(), "-".into()].into();
    let up = run(&arguments).expect(0).records();
    assert_eq!(wall_of(&up), ("up", None));
    let (no_files, no_calls) = (
        "inject=landlock_create_ruleset:error=ENOSYS",
        "inject=seccomp:error=EINVAL",
    );
    let trace = "trace=landlock_create_ruleset,seccomp";
    for (injected, state, why) in [
        (vec!["-e", trace, "-e", no_files], "partly", "Landlock"),
        (vec!["-e", trace, "-e", no_calls], "partly", "seccomp"),
        (
            vec!["-e", trace, "-e", no_files, "-e", no_calls],
            "down",
            "Landlock",
        ),
        (
            vec![
                "-e",
                trace,
                "-e",
                "inject=landlock_create_ruleset:error=EOPNOTSUPP",
            ],
            "partly",
            "not enabled",
        ),
    ] {
        let Some((_, ran)) = traced(&injected, &arguments) else {
            return;
        };
        let records = ran.expect(0).records();
        let said = wall_of(&records);
        assert_eq!(said.0, state, "{said:?}");
        assert!(said.1.is_some_and(|said| said.contains(why)), "{said:?}");
        assert_eq!(without_wall(&records), without_wall(&up));
    }
    // Without records to say it, standard error does.
    let folder = scratch();
    let case = folder.path().join("a.case");
    run([
        OsStr::new("scan"),
        arguments[1].as_os_str(),
        OsStr::new("--case"),
        case.as_os_str(),
    ])
    .expect(0);
    let report: Vec<OsString> = [
        "report".into(),
        case.into(),
        "--output".into(),
        folder.path().join("report").into(),
    ]
    .into();
    let (_, ran) = traced(&["-e", trace, "-e", no_files], &report).unwrap();
    ran.expect(0).says("the wall is partly up: Landlock");
}

fn without_wall(records: &Records) -> Records {
    let mut records = records.clone().normalised();
    records.0[0].as_object_mut().unwrap().remove("wall");
    records
}

#[test]
fn the_records_are_the_same_with_and_without_it() {
    let folder = scratch();
    common::write_menagerie(&folder.path().join("in"));
    let mut inputs = vec![folder.path().join("in"), common::incident()];
    // The larger ones say no more, and take long without optimisation.
    let is_small = |path: &PathBuf| std::fs::metadata(path).unwrap().len() < 1 << 20;
    inputs.extend(common::packages().into_iter().flatten().filter(is_small));
    let arguments: Vec<OsString> = ["scan".into(), "--jsonl".into(), "-".into()]
        .into_iter()
        .chain(inputs.into_iter().map(Into::into))
        .collect();
    let behind = run(&arguments).expect(3).records();
    let off: Vec<OsString> = arguments
        .into_iter()
        .chain(["--no-sandbox".into()])
        .collect();
    let off = run(&off).expect(3).records();
    assert_eq!(wall_of(&off), ("off", Some("--no-sandbox")));
    assert_eq!(without_wall(&behind), without_wall(&off));
}

// ---------------------------------------------------------------------------------------------------------------
// What goes on behind it

#[test]
fn other_commands_work_behind_it() {
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    let input = common::incident().join("published");
    let recover = |more: &[&str], output: &Path| {
        let arguments = [
            OsStr::new("recover"),
            input.as_os_str(),
            OsStr::new("--output"),
            output.as_os_str(),
        ];
        let more = more.iter().map(OsStr::new);
        run(arguments.into_iter().chain(more)).expect(0);
        std::fs::read(output.join("manifest.jsonl")).unwrap()
    };
    let (behind, off) = (
        recover(&["--skeletons"], &at("one")),
        recover(&["--skeletons", "--no-sandbox"], &at("two")),
    );
    assert!(!behind.is_empty() && behind == off);
    common::sign_incident(folder.path());
}

/// An output that could not be written is in nobody's way, though nothing can be removed behind the wall.
#[test]
fn what_could_not_be_written_is_not_in_the_way() {
    let folder = scratch();
    let (input, output) = (folder.path().join("in.png"), folder.path().join("a.sigset"));
    std::fs::write(&input, "x").unwrap();
    let sign = || {
        run([
            OsStr::new("sign"),
            input.as_os_str(),
            OsStr::new("--work"),
            OsStr::new("w"),
            OsStr::new("--release"),
            OsStr::new("1"),
            OsStr::new("--output"),
            output.as_os_str(),
        ])
    };
    sign().expect(2).says("no file to sign");
    assert!(std::fs::metadata(&output).map_or(0, |found| found.len()) == 0);
    std::fs::write(
        &input,
        "a text that is long enough to be somebody's own work",
    )
    .unwrap();
    sign().expect(0);
    let mode = std::fs::metadata(&output).unwrap().permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
}
