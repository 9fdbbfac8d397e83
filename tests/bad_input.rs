//! Bad input: each kind gives a clear message or a problem row, the exit status of the contract, and costs nothing
//! of what lies beside it.
//!
//! The damaged bytes are laid out here or made by other hands and then broken, so that each test says what is
//! wrong with them.

mod common;

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{
    PROGRAM, Ran, Random, Records, finish, gzip, incident, number, package, run, scan, scratch,
    sha256, sign_incident, source_map, sql, strandline, tar, text, tgz, write_all, zip,
};

const INCOMPLETE: i32 = 3;
const FAILED: i32 = 2;

/// Scans a folder that holds `bad` between two good packages, of which nothing may be lost.
#[track_caller]
fn scan_between<B: AsRef<[u8]>>(status: i32, bad: &[(&str, B)], more: &[&str]) -> Records {
    let folder = scratch();
    let input = folder.path().join("in");
    write_all(&input, bad);
    scan_with_good(status, &input, more)
}

/// Puts the two good packages into a folder, and scans it.
#[track_caller]
fn scan_with_good(status: i32, input: &Path, more: &[&str]) -> Records {
    write_all(
        input,
        &[("a-good.tgz", package(1)), ("z-good.tgz", package(2))],
    );
    let mut arguments = vec![input.into(), "--record".into(), "all".into()];
    arguments.extend(more.iter().map(OsString::from));
    let records = scan(status, arguments);
    assert_good_is_there(&records);
    let ledger = records.ledger();
    assert_eq!(ledger["complete"], status != INCOMPLETE, "{ledger}");
    records
}

#[track_caller]
fn assert_good_is_there(records: &Records) {
    for good in ["in/a-good.tgz", "in/z-good.tgz"] {
        records.at(
            "source",
            &format!("{good}!/package/dist/app.js.map!/../src/app.ts"),
        );
        assert_eq!(records.at("package", good)["complete"], true);
    }
}

/// Asserts that a problem stands at a place, and says what to do or what was done.
#[track_caller]
fn assert_problem(records: &Records, code: &str, locator: &str) {
    let found = records
        .all("problem")
        .find(|problem| problem["code"] == code && problem["locator"] == locator)
        .unwrap_or_else(|| panic!("no {code} at {locator}: {:?}", records.problems()));
    assert!(text(found, "detail").len() > 30, "{found}");
}

#[track_caller]
fn assert_blob(records: &Records, locator: &str, bytes: &[u8]) {
    assert_eq!(
        text(records.at("blob", locator), "sha256"),
        sha256(bytes),
        "{locator}"
    );
}

/// Three members of text that does not shrink.
fn three() -> [(&'static str, String); 3] {
    let mut random = Random::new(7);
    ["one.txt", "two.txt", "three.txt"].map(|name| (name, random.text(4_000)))
}

// ---------------------------------------------------------------------------------------------------------------
// Archives

#[test]
fn a_truncated_gzip_gives_what_came_before() {
    let members = three();
    let whole = tgz(&members);
    let records = scan_between(
        INCOMPLETE,
        &[("cut.tgz", &whole[..whole.len() * 5 / 8])],
        &[],
    );
    assert_problem(&records, "truncated", "in/cut.tgz");
    assert_problem(&records, "truncated", "in/cut.tgz!/two.txt");
    assert_blob(&records, "in/cut.tgz!/one.txt", members[0].1.as_bytes());
    let cut = records.at("blob", "in/cut.tgz!/two.txt");
    let read = number(cut, "bytes") as usize;
    assert!(read > 0, "the second member is there in part");
    assert_blob(
        &records,
        "in/cut.tgz!/two.txt",
        &members[1].1.as_bytes()[..read],
    );
    assert_eq!(records.ledger()["damaged"]["truncated"], 2);

    let stream = gzip(members[0].1.as_bytes());
    let records = scan_between(INCOMPLETE, &[("cut.gz", &stream[..stream.len() / 2])], &[]);
    assert_problem(&records, "truncated", "in/cut.gz!/");
}

#[test]
fn a_damaged_gzip_gives_what_came_before() {
    let members = three();
    let mut bytes = tgz(&members);
    let middle = bytes.len() * 5 / 8;
    bytes[middle..middle + 64].fill(0xff);
    let records = scan_between(INCOMPLETE, &[("bad.tgz", bytes)], &[]);
    assert_blob(&records, "in/bad.tgz!/one.txt", members[0].1.as_bytes());
    assert!(
        records
            .problems()
            .iter()
            .any(|(_, locator)| *locator == "in/bad.tgz")
    );
}

#[test]
fn a_wrong_checksum_is_odd_and_loses_nothing() {
    let mut stream = gzip(b"some text");
    let at = stream.len() - 8;
    stream[at] ^= 1;
    let records = scan_between(0, &[("sum.gz", stream)], &[]);
    assert_problem(&records, "checksum-mismatch", "in/sum.gz!/");
    assert_blob(&records, "in/sum.gz!/", b"some text");
}

#[test]
fn what_follows_a_gzip_is_scanned() {
    let stream = gzip(b"some text");
    let hidden = package(9);
    let rest = [b"not a gzip".as_slice(), b"\nmore"].concat();
    let at = stream.len();
    let files = [
        ("text.gz", [&stream[..], &rest].concat()),
        ("two.gz", [&stream[..], &hidden].concat()),
    ];
    let records = scan_between(0, &files, &[]);
    let locator = format!("in/text.gz!/@{at}");
    assert_problem(&records, "trailing-data", &locator);
    assert_blob(&records, &locator, &rest);
    // What follows is a gzip itself, and so a member like the first.
    assert!(
        records.0.iter().any(|record| record["type"] == "source"
            && text(record, "locator").starts_with("in/two.gz!/")),
        "the package behind the text is opened"
    );
}

/// Where the header of the second member of [`three`] stands: a header and 4000 bytes in blocks of 512.
const SECOND_HEADER: usize = 512 + 8 * 512;

/// Changes the field at `at` of the second header, and sets its checksum right again.
fn with_second_header(bytes: &mut [u8], at: usize, field: &[u8]) {
    let header = &mut bytes[SECOND_HEADER..SECOND_HEADER + 512];
    header[at..at + field.len()].copy_from_slice(field);
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[test]
fn a_tar_with_lying_sizes_is_read_as_far_as_it_goes() {
    let members = three();
    let lie = |size: &[u8; 12]| {
        let mut bytes = tar(&members);
        with_second_header(&mut bytes, 124, size);
        bytes
    };
    let files = [
        ("huge.tar", lie(b"77777777777\0")),
        ("large.tar", lie(b"00000777777\0")),
        (
            "negative.tar",
            lie(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        ),
        ("none.tar", lie(b"not a number")),
        ("small.tar", lie(b"00000000001\0")),
        (
            "wide.tar",
            lie(b"\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"),
        ),
    ];
    let records = scan_between(INCOMPLETE, &files, &[]);
    for (name, _) in &files {
        assert_blob(
            &records,
            &format!("in/{name}!/one.txt"),
            members[0].1.as_bytes(),
        );
    }
    for name in ["huge", "large", "wide"] {
        assert_problem(&records, "truncated", &format!("in/{name}.tar!/two.txt"));
    }
    for name in ["negative", "none"] {
        assert_problem(&records, "tar-damaged", &format!("in/{name}.tar!/two.txt"));
        assert_blob(
            &records,
            &format!("in/{name}.tar!/three.txt"),
            members[2].1.as_bytes(),
        );
    }
    assert_problem(&records, "tar-damaged", "in/small.tar");
    assert_blob(&records, "in/small.tar!/three.txt", members[2].1.as_bytes());
}

#[test]
fn a_tar_with_a_bad_checksum_is_read_on_behind_it() {
    let members = three();
    let mut bytes = tar(&members);
    bytes[SECOND_HEADER + 148] ^= 1;
    let records = scan_between(
        INCOMPLETE,
        &[("sum.tar", &bytes), ("sum.tgz", &gzip(&bytes))],
        &[],
    );
    for name in ["sum.tar", "sum.tgz"] {
        assert_problem(&records, "tar-damaged", &format!("in/{name}"));
        assert_blob(
            &records,
            &format!("in/{name}!/one.txt"),
            members[0].1.as_bytes(),
        );
        assert_blob(
            &records,
            &format!("in/{name}!/three.txt"),
            members[2].1.as_bytes(),
        );
    }
}

#[test]
fn a_zip_without_directory_is_a_problem() {
    let whole = zip(&three());
    let records = scan_between(INCOMPLETE, &[("cut.zip", &whole[..whole.len() - 40])], &[]);
    assert_problem(&records, "zip-no-directory", "in/cut.zip");
    assert_eq!(records.ledger()["damaged"]["zip-no-directory"], 1);
    for (name, text) in three() {
        assert_blob(&records, &format!("in/cut.zip!/{name}"), text.as_bytes());
    }
}

#[test]
fn a_zip_with_a_damaged_entry_gives_the_others() {
    let members = three();
    let mut bytes = zip(&members);
    // The local header of the second entry, which the directory points to.
    let mut heads = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == b"PK\x03\x04");
    let second = heads.nth(1).expect("three entries").0;
    bytes[second] = b'X';
    let records = scan_between(INCOMPLETE, &[("bad.zip", bytes)], &[]);
    assert_problem(&records, "zip-entry-damaged", "in/bad.zip!/two.txt");
    assert_blob(&records, "in/bad.zip!/one.txt", members[0].1.as_bytes());
    assert_blob(&records, "in/bad.zip!/three.txt", members[2].1.as_bytes());
}

#[test]
fn a_pax_record_without_its_end_loses_nothing() {
    let mut bytes = tar(&[("pax", "9 path=x"), ("real.txt", "text")]);
    bytes[156] = b'x';
    let header = &mut bytes[..512];
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let records = scan_between(0, &[("pax.tar", bytes)], &[]);
    assert_problem(&records, "pax-malformed", "in/pax.tar");
    assert_blob(&records, "in/pax.tar!/real.txt", b"text");
}

#[test]
fn an_archive_before_an_archive_is_read() {
    let map = source_map(&[("../src/hidden.ts", Some("hidden"))]);
    let front = zip(&[("app.js.map", &map)]);
    let back = zip(&[("b.txt", "plain")]);
    let files = [
        ("two.zip", [&front[..], &back].concat()),
        ("behind.zip", [&back[..], &[b'x'; 99]].concat()),
    ];
    let records = scan_between(0, &files, &[]);
    assert_problem(&records, "leading-data", "in/two.zip!/@0");
    records.at("source", "in/two.zip!/@0!/app.js.map!/../src/hidden.ts");
    let behind = format!("in/behind.zip!/@{}", back.len());
    assert_problem(&records, "trailing-data", &behind);
    assert_blob(&records, &behind, &[b'x'; 99]);
    assert_blob(&records, "in/two.zip!/b.txt", b"plain");
}

#[test]
fn what_is_too_large_to_be_held_is_said_and_matched_as_it_stands() {
    let folder = scratch();
    let large = "const x = 1;\n".repeat(100_000);
    let map = source_map(&[("a.ts", Some("hidden"))]);
    let inline = format!("{large}//# sourceMappingURL={}\n", common::data_url(&map));
    write_all(
        folder.path(),
        &[
            ("work/a.js", large.as_bytes()),
            ("work/b.js", b"const another = 'short enough to be held';"),
            ("in/held.zip", &zip(&[("a.js", &large), ("b.js", &inline)])),
        ],
    );
    // The archive is read as a stream where its members are larger than half the memory.
    let sign = |input: &str, memory: &str, set: &str| {
        let path = folder.path().join(set);
        let ran = run([
            OsStr::new("sign"),
            folder.path().join(input).as_os_str(),
            OsStr::new("--work"),
            OsStr::new("w"),
            OsStr::new("--release"),
            OsStr::new("1"),
            OsStr::new("--memory"),
            OsStr::new(memory),
            OsStr::new("--output"),
            path.as_os_str(),
        ]);
        (ran, path)
    };
    let (ran, set) = sign("work", "1G", "whole.sigset");
    ran.expect(0);
    let records = scan(
        INCOMPLETE,
        [
            folder.path().join("in").as_os_str(),
            OsStr::new("--memory"),
            OsStr::new("1M"),
            OsStr::new("--signatures"),
            set.as_os_str(),
        ],
    );
    let matched = records.at("match", "in/held.zip!/a.js");
    assert_eq!(matched["grade"], "exact");
    assert_problem(&records, "memory-limit", "in/held.zip!/b.js");

    write_all(
        folder.path(),
        &[("more/w.zip", zip(&[("a.js", &large), ("b.js", &inline)]))],
    );
    write_all(
        folder.path(),
        &[("more/c.js", "const another = 'short enough';")],
    );
    let (ran, _) = sign("more", "1M", "cut.sigset");
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(
        told.contains("left out    2 larger than content may be held") && told.contains("a.js"),
        "{told}"
    );
    ran.expect(INCOMPLETE);
}

#[test]
fn a_damaged_capture_gives_what_is_whole_in_it() {
    let body = |text: &str| {
        format!(
            r#"{{"request":{{"url":"https://h/{text}.js"}},"response":{{"content":{{"text":"{text}"}}}}}}"#
        )
    };
    let har = format!(
        r#"{{"log":{{"creator":{{}},"entries":[{},{}]}}}}"#,
        body("first"),
        body("second")
    );
    let record = |name: &str, body: &str| {
        format!(
            "WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: https://h/{name}\r\nContent-Length: {}\r\n\r\n{body}\r\n\r\n",
            body.len()
        )
    };
    let warc = [record("one", "first"), record("two", "second")].concat();
    let packed = [
        gzip(record("one", "first").as_bytes()),
        gzip(record("two", "second").as_bytes()),
    ]
    .concat();
    let mut ram = b"\xe5\xd1\x0b\xfb\x02\0\0\0\x06\0\0\0".to_vec();
    for number in [6_u32, 7, 13, 99] {
        ram.extend(number.to_le_bytes());
    }
    ram.extend(b"run()\0first;\0second;");
    let files = [
        ("cut.har", har.as_bytes()[..har.len() - 6].to_vec()),
        ("cut.ram", ram),
        ("cut.warc", warc.as_bytes()[..warc.len() - 7].to_vec()),
        ("cut.warc.gz", packed[..packed.len() - 12].to_vec()),
        (
            "long.warc",
            warc.replacen("Length: 5", "Length: 999", 1).into_bytes(),
        ),
    ];
    let records = scan_between(INCOMPLETE, &files, &[]);
    assert_blob(&records, "in/cut.har!/https://h/first.js", b"first");
    assert_blob(&records, "in/cut.har!/https://h/second.js", b"second");
    assert_problem(&records, "truncated", "in/cut.har");
    assert_blob(&records, "in/cut.ram!/js-modules/0.js", b"first;");
    assert_problem(&records, "truncated", "in/cut.ram!/js-modules/1.js");
    assert_blob(&records, "in/cut.warc!/https://h/one", b"first");
    assert_problem(&records, "truncated", "in/cut.warc!/https://h/two");
    assert_blob(&records, "in/cut.warc.gz!/https://h/one", b"first");
    assert_problem(&records, "truncated", "in/cut.warc.gz");
    assert_problem(&records, "length-mismatch", "in/long.warc!/https://h/one");
    assert_blob(&records, "in/long.warc!/https://h/one", b"first");
    assert_blob(&records, "in/long.warc!/https://h/two", b"second");
}

#[test]
fn bombs_are_cut_by_limits_that_say_how_to_go_on() {
    let zeros = vec![0; 8 << 20];
    let bomb = zip(&[("zeros", &zeros), ("more", &zeros)]);
    // No single container in it gives more than the limit; all of them together do.
    let boxes: Vec<_> = (0..4_u8)
        .map(|fill| zip(&[("box", vec![fill; 500 << 10])]))
        .collect();
    let boxes = zip(&[
        ("1", &boxes[0]),
        ("2", &boxes[1]),
        ("3", &boxes[2]),
        ("4", &boxes[3]),
    ]);
    let nested = (0..6).fold(b"the core".to_vec(), |inner, _| gzip(&inner));
    for (flag, value, code, name, bytes, at) in [
        (
            "--limit-bytes",
            "1M",
            "bytes-limit",
            "bomb.zip",
            &bomb,
            "in/bomb.zip",
        ),
        (
            "--limit-bytes",
            "1M",
            "bytes-limit",
            "boxes.zip",
            &boxes,
            "in/boxes.zip",
        ),
        (
            "--limit-entries",
            "5",
            "entries-limit",
            "many.tar",
            &tar(&[("same", "x"); 9]),
            "in/many.tar",
        ),
        (
            "--limit-depth",
            "4",
            "depth-limit",
            "deep.gz",
            &nested,
            "in/deep.gz!/!/!/!/",
        ),
    ] {
        let records = scan_between(INCOMPLETE, &[(name, bytes)], &[flag, value]);
        assert_problem(&records, code, at);
        let told = records
            .all("problem")
            .any(|problem| text(problem, "detail").contains(flag));
        assert!(told, "{flag} is named: {records:?}");
    }
    // With the limits as they are, all three are read to their end.
    scan_between(0, &[("bomb.zip", &bomb), ("deep.gz", &nested)], &[]);
}

/// A ratio is judged beyond 256 MiB only, so this one is large; its content is one long run of zeros.
#[test]
fn a_bomb_by_its_ratio_is_cut() {
    let zeros = vec![0; 300 << 20];
    let records = scan_between(
        INCOMPLETE,
        &[("zeros.gz", gzip(&zeros))],
        &["--limit-ratio", "100"],
    );
    assert!(
        records
            .problems()
            .iter()
            .any(|(code, _)| *code == "ratio-limit"),
        "{:?}",
        records.problems()
    );
}

/// A problem that the user accepts by its code no longer makes a scan incomplete; a finding then decides.
#[test]
fn an_accepted_problem_does_not_count() {
    let folder = scratch();
    let input = folder.path().join("in");
    // Cut within the directory: every entry can still be found by its local header.
    let whole = zip(&three());
    write_all(
        &input,
        &[
            ("cut.zip", &whole[..whole.len() - 40]),
            ("good.tgz", &package(1)),
        ],
    );
    let ends = |status: i32, more: &[&str]| {
        let mut arguments = vec![OsStr::new("scan"), input.as_os_str()];
        arguments.extend(more.iter().map(OsStr::new));
        run(arguments).expect(status);
    };
    ends(3, &[]);
    ends(3, &["--fail-on", "high"]);
    ends(0, &["--accept-problem", "zip-no-directory"]);
    ends(3, &["--accept-problem", "truncated"]);
    ends(
        1,
        &["--accept-problem", "zip-no-directory", "--fail-on", "high"],
    );
}

// ---------------------------------------------------------------------------------------------------------------
// Maps

#[test]
fn an_empty_map_is_an_entry_like_any_other() {
    let records = scan_between(0, &[("empty.js.map", ""), ("braces.js.map", "{}")], &[]);
    assert_eq!(records.at("blob", "in/empty.js.map")["kind"], "empty");
    assert_eq!(records.problems(), []);
    assert_eq!(records.all("map").count(), 2, "those of the good packages");
}

#[test]
fn a_map_that_is_cut_gives_the_sources_before_the_cut() {
    let map = common::source_map(&[("a.ts", Some("let a = 1;")), ("b.ts", Some("let b = 2;"))]);
    let end = map.find("let b").expect("the content stands there") + 4;
    let records = scan_between(INCOMPLETE, &[("cut.js.map", &map[..end])], &[]);
    assert_problem(&records, "truncated", "in/cut.js.map");
    assert_eq!(
        records.at("source", "in/cut.js.map!/a.ts")["sha256"],
        sha256(b"let a = 1;")
    );
}

/// A map that stops being one gives what it held until then, and never passes for read in full.
#[test]
fn a_map_that_turns_into_something_else_is_a_problem() {
    let map = common::source_map(&[("a.ts", Some("let a;"))]);
    let head = r#"{"version":3,"sources":["a.ts","b.ts"],"sourcesContent":["let a;","#;
    let files = [
        ("behind.js.map", format!("{map}\n{map}")),
        ("midway.js.map", format!("{head} x] }}: \\ x")),
        ("within.js.map", map.replacen(':', ": oops", 1)),
    ];
    let records = scan_between(INCOMPLETE, &files, &[]);
    assert_problem(&records, "trailing-data", "in/behind.js.map");
    assert_problem(&records, "trailing-data", "in/midway.js.map");
    assert_problem(&records, "map-damaged", "in/within.js.map");
    for (name, _) in &files {
        let source = records.at("source", &format!("in/{name}!/a.ts"));
        assert_eq!(source["sha256"], sha256(b"let a;"), "{name}");
    }
}

/// A hundred million bytes under the name of a map: as text, as JSON that never ends, and as a map that turns into
/// something else.
#[test]
fn a_large_map_that_is_no_json_ends() {
    const LEN: usize = 100_000_000;
    let fill = |head: &str, with: &str| {
        let mut bytes = head.as_bytes().to_vec();
        bytes.extend(with.bytes().cycle().take(LEN - head.len()));
        bytes
    };
    let text = fill("", "this is no JSON at all\n");
    let records = scan_between(0, &[("text.js.map", &text)], &[]);
    assert_eq!(
        number(records.at("blob", "in/text.js.map"), "bytes"),
        LEN as u64
    );
    assert_eq!(records.problems(), []);

    let broken = fill(
        r#"{"version":3,"sources":["a.ts"],"sourcesContent":["let a;"],"names":["#,
        "x] }: \\ ",
    );
    let records = scan_between(INCOMPLETE, &[("broken.js.map", &broken)], &[]);
    assert!(
        records
            .problems()
            .iter()
            .any(|(_, locator)| *locator == "in/broken.js.map"),
        "{:?}",
        records.problems()
    );
    assert_eq!(
        records.at("source", "in/broken.js.map!/a.ts")["sha256"],
        sha256(b"let a;")
    );
}

/// A second map behind the first is a map like any other, at the offset where it begins.
#[test]
fn maps_one_behind_the_other_are_all_read() {
    let map = |name: &str, text: &str| source_map(&[(name, Some(text))]);
    let (one, two) = (map("a.ts", "let a;"), map("b.ts", "let b;"));
    let both = format!("{one}\n{two}");
    let records = scan_between(0, &[("both.map", both.as_bytes())], &[]);
    assert_eq!(records.problems(), [("trailing-data", "in/both.map")]);
    let second = format!("in/both.map!/@{}", one.len() + 1);
    assert_eq!(number(records.at("map", "in/both.map"), "sources"), 1);
    assert_eq!(number(records.at("map", &second), "sources"), 1);
    let source = records.at("source", &format!("{second}!/b.ts"));
    assert_eq!(source["sha256"], sha256(b"let b;"));
}

/// Bytes in UTF-16 are no JSON, but every source is there.
#[test]
fn a_map_in_utf16_gives_its_sources() {
    let map = source_map(&[("a.ts", Some("let ü = '😀';"))]);
    let bytes: Vec<u8> = std::iter::once(0xFEFF)
        .chain(map.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let records = scan_between(0, &[("wide.js.map", &bytes)], &[]);
    let source = records.at("source", "in/wide.js.map!/a.ts");
    assert_eq!(source["sha256"], sha256("let ü = '😀';".as_bytes()));
    assert_eq!(source["status"], "exact");
    assert_eq!(records.at("map", "in/wide.js.map")["valid"], false);
}

// ---------------------------------------------------------------------------------------------------------------
// Files

/// `mkfifo`, since the standard library has none.
fn make_pipe(path: &Path) {
    finish(Command::new("mkfifo").arg(path)).expect(0);
}

#[test]
fn what_is_no_file_is_counted_and_never_opened() {
    let folder = scratch();
    let input = folder.path().join("in");
    write_all(&input, &[("below/file.txt", "text")]);
    make_pipe(&input.join("pipe"));
    let _socket = std::os::unix::net::UnixListener::bind(input.join("socket")).unwrap();
    for (target, name) in [
        ("..", "up"),
        ("loop", "loop"),
        ("nowhere", "dangling"),
        ("below/file.txt", "link"),
    ] {
        symlink(target, input.join(name)).unwrap();
    }
    let records = scan_with_good(0, &input, &[]);
    let other = &records.ledger()["other"];
    assert_eq!(
        [&other["symlink"], &other["fifo"], &other["socket"]],
        [4, 1, 1],
        "{other}"
    );
    assert_eq!(records.problems(), []);
}

#[test]
fn an_input_that_cannot_be_one_is_named() {
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    make_pipe(&at("pipe"));
    symlink(at("loop"), at("loop")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    write_all(folder.path(), &[("file", "")]);
    for name in ["pipe", "loop", "dangling", "missing", "file/below"] {
        // A good input beside it does not hide the bad one.
        for command in ["scan", "recover"] {
            let (output, file) = (at("out"), at("file"));
            let mut arguments = vec![OsString::from(command), file.into(), at(name).into()];
            if command == "recover" {
                arguments.extend(["--output".into(), output.into()]);
            }
            run(arguments).expect(FAILED).says(name);
        }
    }
    // A link that the user names is followed: it is the input, under its own name.
    symlink(at("file"), at("link")).unwrap();
    let records = scan(0, [at("link")]);
    assert_eq!(
        records.all("run").next().unwrap()["inputs"][0]["label"],
        "link"
    );
}

/// Runs the program as somebody for whom not everything is readable.
fn as_nobody(arguments: &[OsString]) -> Command {
    if !common::is_root() {
        return strandline(arguments);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(PROGRAM)
        .args(arguments);
    command
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read_is_a_problem_at_its_place() {
    let folder = scratch();
    set_mode(folder.path(), 0o755);
    let input = folder.path().join("in");
    write_all(
        &input,
        &[
            ("closed/inner.txt", "text"),
            ("secret.tgz", "text"),
            ("a-good.tgz", ""),
        ],
    );
    write_all(
        &input,
        &[("a-good.tgz", package(1)), ("z-good.tgz", package(2))],
    );
    for name in ["closed", "secret.tgz"] {
        set_mode(&input.join(name), 0);
    }
    let arguments = [
        "scan".into(),
        "--jsonl".into(),
        "-".into(),
        input.clone().into(),
    ];
    let ran = finish(&mut as_nobody(&arguments));
    set_mode(&input.join("closed"), 0o700);
    let records = ran.expect(INCOMPLETE).records();
    records.check_frame();
    assert_good_is_there(&records);
    assert_problem(&records, "unreadable", "in/closed");
    assert_problem(&records, "unreadable", "in/secret.tgz");
    assert_eq!(records.ledger()["skipped"]["unreadable"], 1);
    assert_eq!(records.ledger()["complete"], false);
}

// ---------------------------------------------------------------------------------------------------------------
// The case

fn scan_into(case: &Path, input: &Path) -> Vec<OsString> {
    vec![
        "scan".into(),
        "--quiet".into(),
        input.into(),
        "--case".into(),
        case.into(),
    ]
}

/// Enough packages that a case of them takes a few megabytes.
fn many_packages(folder: &Path) -> PathBuf {
    let input = folder.join("in");
    let files: Vec<_> = (0..300)
        .map(|number| (format!("{number:03}.tgz"), package(number)))
        .collect();
    write_all(&input, &files);
    input
}

/// On a file system of its own that is too small, and then is made larger.
#[test]
fn a_full_disk_is_said_and_the_case_is_finished_when_there_is_room() {
    let folder = scratch();
    let input = many_packages(folder.path());
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let script = r#"
set -e
mount -t tmpfs -o size=256k none "$DISK" || exit 77
set +e
"$PROGRAM" scan --quiet "$INPUT" --case "$DISK/a.case"; echo "first $?"
mount -o remount,size=64m "$DISK"
"$PROGRAM" scan --quiet "$INPUT" --case "$DISK/a.case"; echo "second $?"
"$PROGRAM" case export "$DISK/a.case" > "$EXPORT"
"#;
    let exported = folder.path().join("exported");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.envs([
        ("PROGRAM", OsStr::new(PROGRAM)),
        ("INPUT", input.as_os_str()),
    ]);
    command.envs([("DISK", disk.as_os_str()), ("EXPORT", exported.as_os_str())]);
    let ran = finish(&mut command);
    if ran.status != Some(0) && !ran.text().contains("first") {
        // Straight to the handle, since the test runner swallows what is printed by macros.
        let line = format!(
            "SKIPPED a full disk: no small file system can be made here: {}\n",
            ran.stderr
        );
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
        return;
    }
    let ran = ran
        .says("the disk is full")
        .says("make room and run the same command again");
    assert_eq!(ran.text(), "first 2\nsecond 0\n", "{ran}");
    assert_is_as_undisturbed(folder.path(), &input, &std::fs::read(exported).unwrap());
}

/// The same where the shell limits how large a file may grow, which needs no rights.
#[test]
fn a_case_that_may_not_grow_is_said_and_finished_later() {
    let folder = scratch();
    let input = many_packages(folder.path());
    let case = folder.path().join("a.case");
    let mut command = Command::new("sh");
    // Blocks are of 512 bytes in POSIX and of 1024 in some shells: 128 or 256 KiB.
    let script = r#"trap '' XFSZ; ulimit -f 256; exec "$@""#;
    command
        .args(["-c", script, "sh", PROGRAM])
        .args(scan_into(&case, &input));
    finish(&mut command)
        .expect(FAILED)
        .says("a.case")
        .says("could not be");
    run(scan_into(&case, &input)).expect(0);
    let export = run([OsStr::new("case"), OsStr::new("export"), case.as_os_str()]).expect(0);
    assert_is_as_undisturbed(folder.path(), &input, &export.stdout);
}

#[track_caller]
fn assert_is_as_undisturbed(folder: &Path, input: &Path, export: &[u8]) {
    let case = folder.join("undisturbed.case");
    run(scan_into(&case, input)).expect(0);
    let undisturbed = run([OsStr::new("case"), OsStr::new("export"), case.as_os_str()]).expect(0);
    common::assert_identical(&undisturbed.stdout, export, "after the disk was full");
}

#[test]
fn what_is_no_case_of_ours_is_refused_and_left_alone() {
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    write_all(
        folder.path(),
        &[
            ("in.txt", "text"),
            (
                "notes.txt",
                "not a database at all, but long enough to be one",
            ),
        ],
    );
    run(scan_into(&at("newer.case"), &at("in.txt"))).expect(0);
    sql(&at("newer.case"), "PRAGMA user_version = 99");
    sql(&at("other.sqlite"), "CREATE TABLE theirs (x)");
    for (name, words) in [
        ("newer.case", "newer version"),
        ("other.sqlite", "not a case"),
        ("notes.txt", "not a case"),
    ] {
        let before = std::fs::read(at(name)).unwrap();
        let refused = |ran: Ran| ran.expect(FAILED).says(words).says(name);
        refused(run(scan_into(&at(name), &at("in.txt"))));
        for command in ["info", "export"] {
            refused(run([
                OsStr::new("case"),
                OsStr::new(command),
                at(name).as_os_str(),
            ]));
        }
        assert!(
            before == std::fs::read(at(name)).unwrap(),
            "{name} was changed"
        );
    }
    let none = at("none.case");
    run([OsStr::new("case"), OsStr::new("info"), none.as_os_str()])
        .expect(FAILED)
        .says("none.case");
    assert!(!none.exists(), "looking makes no file");
}

// ---------------------------------------------------------------------------------------------------------------
// Sets, profiles, flags

/// Every byte of a set is under a checksum or must be zero, so a flip anywhere is found; cuts are too.
#[test]
fn a_set_with_a_flipped_bit_or_a_cut_is_refused() {
    let folder = scratch();
    let set = sign_incident(folder.path());
    let whole = std::fs::read(&set).unwrap();
    let input = incident().join("copies/unrelated");
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(&set, bytes).unwrap();
        let ran = run([
            OsStr::new("scan"),
            input.as_os_str(),
            OsStr::new("--signatures"),
            set.as_os_str(),
        ]);
        assert_eq!(ran.status, Some(FAILED), "{what}: {ran}");
        assert!(ran.stderr.contains("acme.sigset"), "{what}: {ran}");
    };
    // Magic, version, lengths, flags, names, the section table, the header's checksum, and on through the sections.
    let header = u32::from_le_bytes(whole[12..16].try_into().unwrap()) as usize;
    let in_header = (0..header).step_by(11).chain(header - 32..header - 28);
    let in_sections = (header..whole.len())
        .step_by(whole.len() / 40)
        .chain([whole.len() - 1]);
    for (count, at) in in_header.chain(in_sections).enumerate() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (count % 8);
        refused(&bytes, &format!("bit {} of byte {at}", count % 8));
    }
    for len in [
        0,
        7,
        8,
        111,
        header - 1,
        header,
        header + 1,
        whole.len() / 2,
        whole.len() - 1,
    ] {
        refused(&whole[..len], &format!("cut to {len} bytes"));
    }
    refused(&[&whole[..], b"\0"].concat(), "a byte too many");
    refused(b"\0not a set", "something else");
    std::fs::write(&set, &whole).unwrap();
    run([
        OsStr::new("scan"),
        input.as_os_str(),
        OsStr::new("--signatures"),
        set.as_os_str(),
    ])
    .expect(0);
}

#[test]
fn a_profile_with_a_typo_names_the_key_the_line_and_the_nearest() {
    let folder = scratch();
    let profile = folder.path().join("acme.toml");
    for (text, words) in [
        (
            "name = \"Acme\"\n\nscope = [\"@acme\"]\n",
            &["acme.toml:3", "`scope`", "`scopes`"][..],
        ),
        (
            "name = \"Acme\"\nmail_domain = []\n",
            &["acme.toml:2", "`mail_domain`", "`mail_domains`"],
        ),
        (
            "name = \"Acme\"\nscopes = \"@acme\"\n",
            &["acme.toml:2", "`scopes`"],
        ),
        (
            "name = \"Acme\"\ndomains = [\"acme.example\"\n",
            &["acme.toml:"],
        ),
    ] {
        std::fs::write(&profile, text).unwrap();
        let mut ran = run([
            OsStr::new("scan"),
            folder.path().as_os_str(),
            OsStr::new("--org"),
            profile.as_os_str(),
        ])
        .expect(FAILED);
        for word in words {
            ran = ran.says(word);
        }
    }
}

#[test]
fn a_command_that_cannot_be_run_says_so() {
    let folder = scratch();
    write_all(folder.path(), &[("in.txt", "text")]);
    let input = folder.path().join("in.txt");
    let input = input.to_str().unwrap();
    for (arguments, words) in [
        (&["scan", input, "--no-such-flag"][..], "--no-such-flag"),
        (&["scan", input, "--jobs", "0"], "--jobs"),
        (
            &["scan", input, "--fail-on", "terrible"],
            "critical, high, medium, low, info",
        ),
        (&["scan", input, "--memory", "lots"], "--memory"),
        (&["scan"], "no input"),
        (&["scan", input, input, "--label", "x"], "--label"),
        (
            &["scan", input, "--signatures", "missing.sigset"],
            "missing.sigset",
        ),
        (&["scan", input, "--org", "missing.toml"], "missing.toml"),
        (
            &["scan", input, "--files-from", "missing.list"],
            "missing.list",
        ),
        (
            &["scan", input, "--jsonl", "/nowhere/out.jsonl"],
            "/nowhere/out.jsonl",
        ),
        (
            &["scan", input, "--case", "/nowhere/a.case"],
            "/nowhere/a.case",
        ),
        (&["recover", input], "--output"),
        (&["no-such-command"], "no-such-command"),
        (&[], "Usage"),
    ] {
        let ran = run(arguments).expect(FAILED).says(words);
        assert_eq!(
            ran.text(),
            "",
            "nothing but results goes to standard output"
        );
    }
}

/// A finding of each severity, and the levels at which it fails.
#[test]
fn a_release_gate_fails_from_its_level_on() {
    const LEVELS: [&str; 5] = ["info", "low", "medium", "high", "critical"];
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    let open = r#"{"name":"open","version":"1.0.0","license":"MIT","repository":"https://code.example.com/acme/open"}"#;
    let proprietary = r#"{"name":"closed","version":"1.0.0","license":"UNLICENSED"}"#;
    let map = common::source_map(&[("../src/a.ts", Some("export const a = 1;\n"))]);
    let nameless = common::source_map(&[("../src/a.ts", None)]);
    write_all(
        folder.path(),
        &[
            (
                "critical.tgz",
                tgz(&[
                    ("package/package.json", proprietary),
                    ("package/dist/a.js.map", &map),
                ]),
            ),
            (
                "info.tgz",
                tgz(&[
                    ("package/package.json", open),
                    ("package/dist/a.js.map", &map),
                ]),
            ),
            (
                "medium.tgz",
                tgz(&[
                    ("package/package.json", proprietary),
                    ("package/dist/a.js.map", &nameless),
                ]),
            ),
            (
                "none.tgz",
                tgz(&[
                    ("package/package.json", open),
                    ("package/dist/a.js", "var a;"),
                ]),
            ),
        ],
    );
    for (name, worst) in [
        ("critical", Some(4)),
        ("medium", Some(2)),
        ("info", Some(0)),
        ("none", None),
    ] {
        let input = at(&format!("{name}.tgz"));
        for (level, severity) in LEVELS.iter().enumerate() {
            let fails = worst.is_some_and(|worst| worst >= level);
            let arguments = [
                input.as_os_str(),
                OsStr::new("--fail-on"),
                OsStr::new(severity),
            ];
            let records = scan(i32::from(fails), arguments);
            let failing = number(records.ledger(), "findings_failing");
            assert_eq!(failing > 0, fails, "{name} at --fail-on {severity}");
        }
        scan(0, [input]);
    }
}

/// What is there already is never replaced, be it evidence or an earlier result.
#[test]
fn nothing_is_overwritten() {
    let folder = scratch();
    let input = folder.path().join("in.tgz");
    std::fs::write(&input, package(1)).unwrap();
    let before = std::fs::read(&input).unwrap();
    let scan = |jsonl: &Path| {
        run([
            OsStr::new("scan"),
            input.as_os_str(),
            OsStr::new("--jsonl"),
            jsonl.as_os_str(),
        ])
    };
    scan(&input).expect(FAILED).says("is there already");
    run([
        OsStr::new("sign"),
        input.as_os_str(),
        OsStr::new("--work"),
        OsStr::new("w"),
        OsStr::new("--release"),
        OsStr::new("1"),
        OsStr::new("--output"),
        input.as_os_str(),
    ])
    .expect(FAILED)
    .says("is there already");
    assert_eq!(std::fs::read(&input).unwrap(), before);
    // A device takes a stream; it is written into, and stays what it is.
    scan(Path::new("/dev/null")).expect(0);
    let new = folder.path().join("new.jsonl");
    scan(&new).expect(0);
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&new).unwrap().permissions())
            & 0o777,
        0o600
    );
}

/// A reader that had enough changes nothing of the verdict, and words in a path are no closed pipe.
#[test]
fn a_closed_pipe_is_told_from_an_error() {
    let folder = scratch();
    let missing = folder.path().join("Broken pipe");
    run([OsStr::new("scan"), missing.as_os_str()])
        .expect(FAILED)
        .says("Broken pipe");
    let input = folder.path().join("in");
    let packages: Vec<_> = (0..60)
        .map(|number| (format!("{number}.tgz"), package(number)))
        .collect();
    write_all(&input, &packages);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(r#"{ "$0" scan "$1" --fail-on low --jsonl -; echo "status $?" >&2; } | head -c 1"#)
        .args([OsStr::new(PROGRAM), input.as_os_str()]);
    finish(&mut command).says("status 1");
}

/// Containers within containers, each holding the next many times over: few bytes, and more entries than memory.
#[test]
fn what_unfolds_to_too_many_entries_is_cut() {
    let mut bytes = b"at the bottom".to_vec();
    for level in 0..6 {
        let names: Vec<String> = (0..30).map(|copy| format!("{level}-{copy}.zip")).collect();
        let members: Vec<_> = names.iter().map(|name| (name.as_str(), &bytes)).collect();
        bytes = zip(&members);
    }
    let records = scan_between(INCOMPLETE, &[("laugh.zip", &bytes)], &[]);
    let problems = records.problems();
    assert!(problems.contains(&("ratio-limit", "in/laugh.zip")));
    let entries = number(records.ledger(), "entries");
    assert!(entries < 2_000_000, "{entries}");
}

/// What one run found with one set says nothing about another set.
#[test]
fn a_case_does_not_mix_findings_of_different_sets() {
    let folder = scratch();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    write_all(&one, &[("a.ts", "export const one = 1;\n".repeat(40))]);
    write_all(&other, &[("b.ts", "export const other = 2;\n".repeat(40))]);
    let sign = |input: &Path, work: &str| {
        let set = folder.path().join(format!("{work}.sigset"));
        let arguments = ["--work", work, "--release", "1", "--output"].map(OsString::from);
        let mut all = vec!["sign".into(), input.into()];
        all.extend(arguments);
        all.push(set.clone().into());
        run(all).expect(0);
        set
    };
    let case = folder.path().join("c.case");
    let scan_with = |inputs: &[&Path], set: PathBuf| {
        let mut all: Vec<OsString> = vec!["scan".into()];
        all.extend(inputs.iter().map(OsString::from));
        all.extend(["--signatures".into(), set.into()]);
        all.extend(["--case".into(), case.clone().into()]);
        run(all)
    };
    scan_with(&[&one], sign(&one, "alpha"))
        .expect(0)
        .prints("1 of 1 places");
    let beta = sign(&other, "beta");
    scan_with(&[&other], beta.clone())
        .expect(FAILED)
        .says("read with other sets");
    // Both again: the one holds nothing of beta.
    scan_with(&[&one, &other], beta)
        .expect(0)
        .prints("1 of 2 places");
}

/// A link may lead to a file that has nothing to tell itself.
#[test]
fn a_link_to_any_member_is_found() {
    let script = "var a;\n//# sourceMappingURL=cli.json\n";
    let archive = tgz(&[
        ("package/cli.js", script),
        ("package/cli.json", "{\"not\": \"a map\"}"),
    ]);
    let records = scan_between(0, &[("links.tgz", &archive)], &[]);
    assert_eq!(
        records.at("reference", "in/links.tgz!/package/cli.js")["found"],
        "in/links.tgz!/package/cli.json"
    );
}

/// In a mirror each package has its own manifest, whatever lies at the top.
#[test]
fn a_manifest_at_the_top_does_not_speak_for_packages_below() {
    let inner = r#"{"name":"inner","version":"1.0.0","license":"MIT","repository":"github:a/b"}"#;
    let map = source_map(&[("../src/a.ts", Some("let a;"))]);
    let files = [
        (
            "mirror/package.json",
            r#"{"name":"root","version":"0.0.1"}"#,
        ),
        ("mirror/inner/package.json", inner),
        ("mirror/inner/dist/a.js.map", map.as_str()),
    ];
    let records = scan_between(0, &files, &[]);
    assert_eq!(records.at("package", "in/mirror/inner")["maps"], 1);
    let exposures = records.all("exposure");
    let exposures: Vec<_> = exposures
        .filter(|row| row["locator"] == "in/mirror/inner/dist/a.js.map")
        .collect();
    assert_eq!(
        exposures.len(),
        2,
        "the map, and that its script is not there"
    );
    assert!(exposures.iter().all(|row| row["severity"] == "info"));
}

/// What is too large to be opened is said, whatever it may hold.
#[test]
fn a_program_that_is_too_large_to_open_is_said() {
    let mut program = b"\x7fELF".to_vec();
    program.resize(3 << 20, 0);
    let archive = zip(&[("program", &program)]);
    let records = scan_between(INCOMPLETE, &[("large.zip", &archive)], &["--memory", "2M"]);
    let problems = records.problems();
    assert!(
        problems.contains(&("memory-limit", "in/large.zip!/program")),
        "{problems:?}"
    );
    assert_eq!(
        number(records.at("blob", "in/large.zip!/program"), "bytes"),
        3 << 20
    );
}

/// A workspace is one place, however many packages it has; each of them is a package all the same.
#[test]
fn a_copy_of_a_workspace_is_one_copy() {
    let folder = scratch();
    let input = folder.path().join("in");
    let text = |name: &str| format!("export const {name} = 1;\n").repeat(40);
    let package = |name: &str| format!(r#"{{"name":"{name}","version":"1.0.0"}}"#);
    write_all(
        &input,
        &[
            ("work/package.json", package("work")),
            ("work/packages/a/package.json", package("a")),
            ("work/packages/a/index.ts", text("a")),
            ("work/packages/b/package.json", package("b")),
            ("work/packages/b/index.ts", text("b")),
        ],
    );
    let set = folder.path().join("work.sigset");
    let signed = [
        ("--work", "work".into()),
        ("--release", "1".into()),
        ("--output", set.clone().into_os_string()),
    ];
    let mut arguments = vec![OsString::from("sign"), input.clone().into()];
    for (flag, value) in signed {
        arguments.extend([flag.into(), value]);
    }
    run(arguments).expect(0);
    let records = scan(
        0,
        [
            input.as_os_str(),
            OsStr::new("--signatures"),
            set.as_os_str(),
        ],
    );
    assert_eq!(records.locators("copy"), ["in/work"]);
    assert_eq!(records.at("copy", "in/work")["class"], "verbatim");
    assert_eq!(
        records.locators("package"),
        ["in/work", "in/work/packages/a", "in/work/packages/b"]
    );
}

#[test]
fn contents_that_were_not_read_are_not_said_to_be_absent() {
    let sources: Vec<_> = (0..8).map(|index| format!("src/{index}.ts")).collect();
    let sources: Vec<_> = sources
        .iter()
        .map(|name| (name.as_str(), Some("let x = 1;\n")))
        .collect();
    let map = source_map(&sources);
    // The names are behind the contents in this map, so that a limit or a cut leaves names without contents.
    let front = map.replacen('{', "{\"version\":3,", 1);
    let names: Vec<_> = sources.iter().map(|(name, _)| name).collect();
    let swapped = format!(
        r#"{{"version":3,"sources":{},"sourcesContent":["a\\n","b"],"mappings":""}}"#,
        serde_json::to_string(&names).unwrap()
    );
    let cut = &swapped[..swapped.len() - 20];
    for (name, bytes, flags, code, status) in [
        (
            "limited.map",
            front.as_str(),
            &["--limit-entries", "10"][..],
            "entries-limit",
            "refused",
        ),
        ("cut.map", cut, &[], "truncated", "missing"),
    ] {
        let records = scan_between(INCOMPLETE, &[(name, bytes.as_bytes())], flags);
        let of_map: Vec<_> = records
            .all("source")
            .filter(|source| text(source, "map").ends_with(name))
            .collect();
        assert_eq!(of_map.len(), 8, "every entry has its row");
        let absent = of_map.iter().filter(|source| source["status"] == status);
        assert!(absent.count() >= 5, "{name}: {of_map:?}");
        assert!(number(&records.ledger()["skipped"], code) >= 5);
        for exposure in records.all("exposure") {
            assert!(
                !text(exposure, "detail").contains("no contents;"),
                "{exposure}"
            );
        }
        assert_eq!(records.ledger()["complete"], false);
    }
}

/// Zips within zips: each is held while what is in it is read, so together they may take what one may.
#[test]
fn containers_within_one_another_share_what_may_be_held() {
    let mut random = Random::new(3);
    let (core, fill) = (random.text(6 << 20), random.text(6 << 20));
    let deep = zip(&[("core.txt", core.as_bytes())]);
    let inner = zip(&[("deep.zip", &deep)]);
    let middle = zip(&[("inner.zip", inner.as_slice()), ("fill", fill.as_bytes())]);
    let outer = zip(&[("middle.zip", &middle)]);
    let folder = scratch();
    let input = folder.path().join("in");
    // The same containers stand where there is room for them, before and behind.
    write_all(
        &input,
        &[("0.zip", &inner), ("a.zip", &outer), ("z.zip", &inner)],
    );
    let scan = |memory: &str, jobs: &str, status| {
        let mut arguments: Vec<OsString> = vec![input.clone().into()];
        let more = ["--record", "all", "--memory", memory, "--jobs", jobs];
        arguments.extend(more.map(OsString::from));
        scan(status, arguments)
    };
    let within = "middle.zip!/inner.zip!/deep.zip";
    let roomy = scan("64M", "2", 0);
    assert_blob(
        &roomy,
        &format!("in/a.zip!/{within}!/core.txt"),
        core.as_bytes(),
    );
    let tight = scan("24M", "1", INCOMPLETE);
    assert_problem(&tight, "memory-limit", &format!("in/a.zip!/{within}"));
    for open in ["in/0.zip", "in/z.zip"] {
        assert_blob(
            &tight,
            &format!("{open}!/deep.zip!/core.txt"),
            core.as_bytes(),
        );
    }
    let again = scan("24M", "4", INCOMPLETE);
    common::assert_same(&tight.normalised(), &again.normalised(), "more threads");
}

#[test]
fn the_case_within_an_input_is_no_part_of_it() {
    let folder = scratch();
    write_all(folder.path(), &[("in/a.txt", "a"), ("in/i.case.txt", "b")]);
    let input = folder.path().join("in");
    let case = input.join("i.case");
    let arguments = || scan_into(&case, &input);
    run(arguments()).expect(0);
    let first = common::export(&case);
    run(arguments()).expect(0);
    let second = common::export(&case);
    assert_eq!(number(first.ledger(), "entries"), 2);
    assert_eq!(number(second.ledger(), "entries"), 2);
    assert_eq!(
        second.ledger()["other"]["own-case"],
        1,
        "{}",
        second.ledger()
    );
}

#[test]
fn a_case_that_may_not_be_written_can_be_read() {
    let folder = scratch();
    write_all(folder.path(), &[("in/a.txt", "a")]);
    let sealed = folder.path().join("sealed");
    std::fs::create_dir(&sealed).unwrap();
    let case = sealed.join("i.case");
    run(scan_into(&case, &folder.path().join("in"))).expect(0);
    let before = common::export(&case);
    set_mode(&case, 0o444);
    set_mode(&sealed, 0o555);
    set_mode(folder.path(), 0o755);
    let arguments = ["case", "export"].map(OsString::from);
    let arguments: Vec<OsString> = arguments.into_iter().chain([case.clone().into()]).collect();
    let after = finish(&mut as_nobody(&arguments))
        .expect(0)
        .records()
        .normalised();
    assert_eq!(after, before);
    set_mode(&sealed, 0o755);
}

#[test]
fn the_last_part_of_a_split_zip_is_no_whole_one() {
    let mut split = zip(&[("a.txt", "text")]);
    let end = split.len() - 22;
    split[end + 4] = 6;
    let records = scan_between(INCOMPLETE, &[("split.zip", split)], &[]);
    assert_problem(&records, "split-archive", "in/split.zip");
    assert_blob(&records, "in/split.zip!/a.txt", b"text");
}
