//! What the tests share: running the program as a user does, and making inputs for it.
//!
//! Nothing here uses the library: the tests see the binary, its exit status, its output and the files it writes.
//! What they compare with comes from other hands: the `tar` and `zip` crates, Python's libraries, or bytes laid
//! out in the test itself.

// Each test file is a program of its own and uses its part.
#![allow(dead_code)]

pub mod pages;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sha2::Digest as _;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_strandline");

/// `fixtures/` of the project.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The made-up incident.
pub fn incident() -> PathBuf {
    fixtures().join("incident")
}

/// Signs the vendor's tree of the incident into `folder`.
#[track_caller]
pub fn sign_incident(folder: &Path) -> PathBuf {
    let set = folder.join("acme.sigset");
    run([
        OsStr::new("sign"),
        incident().join("acme-cli/src").as_os_str(),
        OsStr::new("--work"),
        OsStr::new("acme-cli"),
        OsStr::new("--release"),
        OsStr::new("2.1.0"),
        OsStr::new("--org"),
        incident().join("acme.toml").as_os_str(),
        OsStr::new("--output"),
        set.as_os_str(),
    ])
    .expect(0)
    .prints("45 files");
    set
}

/// Arguments of the scan of the whole incident: `published` and `copies`, with the set and the profile.
pub fn incident_arguments(set: &Path) -> Vec<OsString> {
    let root = incident();
    vec![
        root.join("published").into(),
        root.join("copies").into(),
        "--signatures".into(),
        set.into(),
        "--org".into(),
        root.join("acme.toml").into(),
    ]
}

/// A private folder for one test, on the file system of the build; removed at the end.
pub fn scratch() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("strandline-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("the build folder is writable")
}

// ---------------------------------------------------------------------------------------------------------------
// Running

/// How a run ended.
pub struct Ran {
    /// Exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
    what: String,
}

/// The program with these arguments, to be run.
pub fn strandline<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null());
    // Neither the person's colours nor their backtraces are part of a test.
    command
        .env("NO_COLOR", "1")
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LOG");
    command
}

/// Runs the program with these arguments.
#[track_caller]
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    finish(&mut strandline(arguments))
}

/// Runs a command to its end; a panic in it fails the test.
#[track_caller]
pub fn finish(command: &mut Command) -> Ran {
    let what = format!("{command:?}");
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    ran(what, output)
}

/// Starts the program and leaves it running.
#[track_caller]
pub fn start<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Child {
    strandline(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Waits for a program that was started.
#[track_caller]
pub fn wait(child: Child) -> Ran {
    ran(
        "a started run".to_owned(),
        child.wait_with_output().expect("it ends"),
    )
}

#[track_caller]
fn ran(what: String, output: Output) -> Ran {
    let ran = Ran {
        status: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        what,
    };
    assert!(
        !ran.stderr.contains("panicked"),
        "a panic crossed a worker: {ran}"
    );
    ran
}

impl Ran {
    /// Asserts the exit status.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "exit status of {self}");
        self
    }

    /// Asserts that standard error says something.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(
            self.stderr.contains(words),
            "standard error lacks {words:?}: {self}"
        );
        self
    }

    /// Asserts that standard output says something.
    #[track_caller]
    pub fn prints(self, words: &str) -> Self {
        assert!(
            self.text().contains(words),
            "standard output lacks {words:?}: {self}"
        );
        self
    }

    /// Standard output as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("output is UTF-8")
    }

    /// Standard output as records.
    #[track_caller]
    pub fn records(&self) -> Records {
        Records::parse(&self.stdout)
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let head = |text: &str| text.chars().take(4_000).collect::<String>();
        write!(
            out,
            "{}\n  ended with {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.what,
            self.status,
            head(&String::from_utf8_lossy(&self.stdout)),
            head(&self.stderr)
        )
    }
}

/// Scans with `--jsonl -` and gives the records; asserts the exit status and that the account adds up.
#[track_caller]
pub fn scan<S: AsRef<OsStr>>(status: i32, arguments: impl IntoIterator<Item = S>) -> Records {
    let mut all: Vec<OsString> = ["scan", "--jsonl", "-"].map(OsString::from).to_vec();
    all.extend(
        arguments
            .into_iter()
            .map(|argument| argument.as_ref().to_owned()),
    );
    let records = run(&all).expect(status).records();
    records.check_frame();
    records
}

/// Runs Python with `arguments`; its exit status must be 0.
#[track_caller]
pub fn python<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Vec<u8> {
    let mut command = Command::new("python3");
    command.arg("-B").args(arguments);
    let output = command
        .output()
        .expect("python3 is installed: it is the oracle of these tests");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Runs git in a folder; what it prints.
#[track_caller]
pub fn git<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Vec<u8> {
    git_fed(folder, arguments, b"")
}

/// The same with something on its standard input.
#[track_caller]
pub fn git_fed<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
    input: &[u8],
) -> Vec<u8> {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"])
        .args([
            "-c",
            "maintenance.auto=false",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "A. Author")
        .env("GIT_AUTHOR_EMAIL", "author@acme.example")
        .env("GIT_COMMITTER_NAME", "C. Committer")
        .env("GIT_COMMITTER_EMAIL", "committer@acme.example")
        .env("GIT_COMMITTER_DATE", "1700000000 +0000")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .expect("git is installed: it is the oracle of these tests");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        let _ = std::io::Write::write_all(&mut stdin, &input);
    });
    let output = child.wait_with_output().expect("git ends");
    feeder.join().expect("input was taken");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The rows that an SQL query gives on a case, through Python's sqlite3.
#[track_caller]
pub fn sql(case: &Path, statement: &str) -> Vec<Vec<Value>> {
    const SCRIPT: &str = "
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for row in db.execute(sys.argv[2]):
    print(json.dumps([v.hex() if isinstance(v, bytes) else v for v in row]))
db.commit()
";
    let arguments = [
        OsStr::new("-c"),
        OsStr::new(SCRIPT),
        case.as_os_str(),
        OsStr::new(statement),
    ];
    let output = python(arguments);
    lines(&output)
        .map(|line| serde_json::from_slice(line).expect("the script prints JSON"))
        .collect()
}

/// Whether this process is root, for whom nothing is unreadable.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` runs");
    id.stdout.trim_ascii() == b"0"
}

// ---------------------------------------------------------------------------------------------------------------
// Records

/// The lines of some output, without empty ones.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
}

/// A stream of records.
#[derive(Debug, Clone, PartialEq)]
pub struct Records(pub Vec<Value>);

impl Records {
    /// Parses JSON Lines; `type` must stand first in each.
    #[track_caller]
    pub fn parse(bytes: &[u8]) -> Self {
        for line in lines(bytes) {
            assert!(
                line.starts_with(br#"{"type":""#),
                "`type` does not stand first: {}",
                String::from_utf8_lossy(line)
            );
        }
        Self::parse_rows(bytes)
    }

    /// Parses JSON Lines, whatever stands first in them.
    #[track_caller]
    pub fn parse_rows(bytes: &[u8]) -> Self {
        let parse = |line: &[u8]| {
            serde_json::from_slice(line)
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(line)))
        };
        Self(lines(bytes).map(parse).collect())
    }

    /// Reads the manifest of an output folder.
    #[track_caller]
    pub fn manifest(output: &Path) -> Self {
        let path = output.join("manifest.jsonl");
        Self::parse_rows(&std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}")))
    }

    /// All records of one type.
    pub fn all<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        let kind = kind.to_owned();
        self.0
            .iter()
            .filter(move |record| record["type"] == kind.as_str())
    }

    /// The record of one type at one locator.
    #[track_caller]
    pub fn at(&self, kind: &str, locator: &str) -> &Value {
        let mut found = self.all(kind).filter(|record| record["locator"] == locator);
        let first = found.next().unwrap_or_else(|| {
            panic!(
                "no {kind} at {locator}; there are {:#?}",
                self.locators(kind)
            )
        });
        assert!(found.next().is_none(), "two {kind} records at {locator}");
        first
    }

    /// The locators of all records of one type, in their order.
    pub fn locators(&self, kind: &str) -> Vec<&str> {
        self.all(kind)
            .map(|record| text(record, "locator"))
            .collect()
    }

    /// Codes and locators of all problems.
    pub fn problems(&self) -> Vec<(&str, &str)> {
        self.all("problem")
            .map(|record| (text(record, "code"), text(record, "locator")))
            .collect()
    }

    /// The ledger.
    #[track_caller]
    pub fn ledger(&self) -> &Value {
        let last = self.0.last().expect("there are records");
        assert_eq!(last["type"], "ledger", "the ledger comes last");
        last
    }

    /// What every stream of a scan keeps to: `run` first, `ledger` last, both once, and the account adds up.
    #[track_caller]
    pub fn check_frame(&self) {
        assert_eq!(self.0[0]["type"], "run", "`run` comes first");
        assert_eq!(self.all("run").count(), 1, "one run");
        assert_eq!(self.all("ledger").count(), 1, "one ledger");
        let ledger = self.ledger();
        let kept_out: u64 = ["skipped", "damaged"]
            .iter()
            .flat_map(|key| ledger[key].as_object().expect("counts by reason").values())
            .map(|count| count.as_u64().expect("a count"))
            .sum();
        assert_eq!(
            number(ledger, "entries"),
            number(ledger, "scanned") + number(ledger, "duplicate") + kept_out,
            "the account adds up: {ledger}"
        );
    }

    /// The same without what differs from run to run.
    pub fn normalised(mut self) -> Self {
        for record in self.0.iter_mut().filter(|record| record["type"] == "run") {
            for key in ["started", "seconds"] {
                record.as_object_mut().expect("an object").remove(key);
            }
        }
        self
    }
}

/// A field that is a string.
#[track_caller]
pub fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} is no string in {record}"))
}

/// A field that is a number.
#[track_caller]
pub fn number(record: &Value, key: &str) -> u64 {
    record[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key} is no number in {record}"))
}

/// Asserts that two streams are equal, and says where they are not.
#[track_caller]
pub fn assert_same(one: &Records, other: &Records, what: &str) {
    if one == other {
        return;
    }
    let mut message = format!("{what}: {} and {} records\n", one.0.len(), other.0.len());
    let differ = one.0.iter().zip(&other.0).filter(|(a, b)| a != b);
    for (a, b) in differ.take(3) {
        let _ = writeln!(message, "- {a}\n+ {b}");
    }
    panic!("{message}");
}

/// The records of a case, as `case export` writes them.
#[track_caller]
pub fn export(case: &Path) -> Records {
    let arguments = [OsStr::new("case"), OsStr::new("export"), case.as_os_str()];
    run(arguments).expect(0).records().normalised()
}

/// Escapes a name as the contract of locators says, written from its words alone.
pub fn escaped(name: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = name;
    while !rest.is_empty() {
        let len = (1..=rest.len().min(4)).find(|&len| std::str::from_utf8(&rest[..len]).is_ok());
        let piece = &rest[..len.unwrap_or(1)];
        let at_start = rest.len() == name.len();
        rest = &rest[piece.len()..];
        let character = std::str::from_utf8(piece)
            .ok()
            .and_then(|piece| piece.chars().next());
        let plain = match character {
            None | Some('%' | '#') => false,
            Some('@') => !at_start,
            Some('!') => !(rest.is_empty() || rest[0] == b'/'),
            Some('\0'..='\x1f' | '\x7f' | '\u{80}'..='\u{9f}') => false,
            Some('\u{61c}' | '\u{200e}' | '\u{200f}') => false,
            Some('\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => false,
            Some(_) => true,
        };
        match character {
            Some(character) if plain => text.push(character),
            _ => piece.iter().for_each(|byte| {
                let _ = write!(text, "%{byte:02X}");
            }),
        }
    }
    text
}

/// Records as `case export` and `--jsonl` write them, to be compared byte for byte.
#[track_caller]
pub fn assert_identical(one: &[u8], other: &[u8], what: &str) {
    let records = |bytes| Records::parse(bytes).normalised();
    assert_same(&records(one), &records(other), what);
    // Equal records may still be written differently. The first one carries times and cannot be compared so.
    let written = |bytes| lines(bytes).skip(1).collect::<Vec<_>>();
    assert!(
        written(one) == written(other),
        "{what}: equal records, written differently"
    );
}

// ---------------------------------------------------------------------------------------------------------------
// Files and digests

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in sha2::Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Writes files below a folder, making the folders between.
#[track_caller]
pub fn write_all<N: AsRef<[u8]>, B: AsRef<[u8]>>(folder: &Path, files: &[(N, B)]) {
    for (name, bytes) in files {
        let path = folder.join(OsStr::from_bytes(name.as_ref()));
        std::fs::create_dir_all(path.parent().expect("it has a folder"))
            .expect("folders can be made");
        std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    }
}

/// Every file and folder below a folder with its mode and, for files, its SHA-256.
pub fn tree(folder: &Path) -> BTreeMap<String, (u32, Option<String>)> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder that can be read") {
            let entry = entry.expect("an entry");
            let metadata = entry.metadata().expect("it can be looked at");
            let mode = metadata.permissions().mode() & 0o7777;
            let name = entry.path().strip_prefix(folder).expect("below").to_owned();
            let digest = metadata
                .is_file()
                .then(|| sha256(&std::fs::read(entry.path()).expect("a file that can be read")));
            if metadata.is_dir() {
                waiting.push(entry.path());
            }
            found.insert(name.to_string_lossy().into_owned(), (mode, digest));
        }
    }
    found
}

// ---------------------------------------------------------------------------------------------------------------
// Containers, made by other hands

/// A tar with these members, names as raw bytes (up to 100).
pub fn tar<N: AsRef<[u8]>, B: AsRef<[u8]>>(members: &[(N, B)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let (name, bytes) = (name.as_ref(), bytes.as_ref());
        let mut header = tar::Header::new_ustar();
        // Not through `set_path`, which refuses the names that matter here.
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        builder.append(&header, bytes).expect("memory is writable");
    }
    builder.into_inner().expect("memory is writable")
}

/// Bytes that look random and are the same each time, so that what is made of them does not shrink when packed
/// (xorshift64*, Vigna 2016).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed; the seed is not 0.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 up to 1.
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Text of `len` hexadecimal digits.
    pub fn text(&mut self, len: usize) -> String {
        let mut text = String::new();
        while text.len() < len {
            let _ = write!(text, "{:016x}", self.number());
        }
        text.truncate(len);
        text
    }
}

/// A program that nobody else has.
pub fn program(seed: u64) -> String {
    let mut random = Random::new(seed * 7_919 + 3);
    let word = |random: &mut Random| -> String {
        let letters = (0..9).map(|_| (b'a' + (random.number() >> 24) as u8 % 26) as char);
        letters.collect()
    };
    let mut code = String::new();
    for _ in 0..24 {
        let [function, a, b, property, key] = std::array::from_fn(|_| word(&mut random));
        let (n, m) = (random.number() % 90_000, random.number() % 90_000);
        code.push_str(&format!(
            "export function {function}({a}, {b}) {{\n  if ({a}.{property} > {n}) {{\n    return {b}.{key}({m}, \"{} {}\");\n  }}\n  return {m};\n}}\n",
            word(&mut random),
            word(&mut random)
        ));
    }
    code
}

/// Copies a folder with everything in it.
pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// One gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory is writable");
    encoder.finish().expect("memory is writable")
}

/// A compressed tar with these members.
pub fn tgz<N: AsRef<[u8]>, B: AsRef<[u8]>>(members: &[(N, B)]) -> Vec<u8> {
    gzip(&tar(members))
}

/// A zip with these members, deflated.
pub fn zip<B: AsRef<[u8]>>(members: &[(&str, B)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in members {
        writer.start_file(*name, options).expect("a name that fits");
        writer
            .write_all(bytes.as_ref())
            .expect("memory is writable");
    }
    writer.finish().expect("memory is writable").into_inner()
}

/// A source map with these sources; `None` is a source without content.
pub fn source_map(sources: &[(&str, Option<&str>)]) -> String {
    let names: Vec<_> = sources.iter().map(|(name, _)| name).collect();
    let contents: Vec<_> = sources.iter().map(|(_, content)| content).collect();
    serde_json::json!({
        "version": 3, "sources": names, "sourcesContent": contents, "names": [], "mappings": "AAAA",
    })
    .to_string()
}

/// A map as a `data:` URL.
pub fn data_url(map: &str) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(map);
    format!("data:application/json;base64,{encoded}")
}

/// A `package.json`.
pub fn manifest(name: &str, version: &str) -> String {
    serde_json::json!({ "name": name, "version": version, "license": "UNLICENSED" }).to_string()
}

/// A package with a map of two sources, one of them without content, as npm packs it. Each number gives another.
pub fn package(number: u64) -> Vec<u8> {
    let mut random = Random::new(number + 1);
    let source = format!("export const of{number} = '{}';\n", random.text(600));
    let sources = [
        ("../src/app.ts", Some(source.as_str())),
        ("../src/lost.ts", None),
    ];
    let script = format!("var of{number};\n//# sourceMappingURL=app.js.map\n");
    tgz(&[
        (
            "package/package.json",
            manifest(&format!("package-{number}"), "1.0.0"),
        ),
        ("package/dist/app.js", script),
        ("package/dist/app.js.map", source_map(&sources)),
        ("package/notes.txt", random.text(900)),
    ])
}

/// A large package: so many members, and so many bytes packed, that it is read by several threads in batches.
pub fn large_package() -> Vec<u8> {
    let mut random = Random::new(42);
    let mut members = vec![(
        "package/package.json".to_owned(),
        manifest("large", "3.0.0"),
    )];
    for number in 0..1_500 {
        // Every seventh is a copy of one before, so that what is found first depends on who is quick.
        let text = if number % 7 == 6 {
            "a copy, many times".to_owned()
        } else {
            random.text(1_200)
        };
        members.push((format!("package/lib/{number}.txt"), text.clone()));
        if number % 50 == 0 {
            let name = format!("../src/{number}.ts");
            let map = source_map(&[(name.as_str(), Some(text.as_str()))]);
            members.push((format!("package/lib/{number}.js.map"), map));
        }
    }
    tgz(&members)
}

/// A WARC with a script and a map in every tenth of its records, large enough to be read by several threads; `packed`
/// record by record.
pub fn large_crawl(packed: bool) -> Vec<u8> {
    let mut random = Random::new(43);
    let mut crawl = Vec::new();
    let mut add = |url: &str, fields: &str, body: &str| {
        let block = format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}");
        let head = format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nContent-Length: {}\r\n\r\n",
            block.len()
        );
        let record = [head.as_bytes(), block.as_bytes(), b"\r\n\r\n"].concat();
        crawl.extend(if packed { gzip(&record) } else { record });
    };
    for number in 0..220 {
        let text = random.text(1_200);
        let url = format!("https://h/{number}.js");
        if number % 10 > 0 {
            add(&url, "", &text);
            continue;
        }
        // The map comes before or behind the script that leads to it.
        let map = source_map(&[("a.ts", Some(text.as_str()))]);
        let link = format!("SourceMap: {}.map\r\n", number % 20);
        add(&url, &link, "the same in all");
        add(&format!("https://h/{number}.map"), "", &map);
    }
    crawl
}

/// A HAR with two scripts of equal bytes, of which one has a header that leads to a map.
pub fn capture() -> String {
    let map = source_map(&[("a.ts", Some("export const a = 1;\n"))]);
    let entry = |url: &str, headers: Value, text: &str| {
        serde_json::json!({
            "request": { "method": "GET", "url": url },
            "response": { "status": 200, "headers": headers, "content": { "text": text } },
        })
    };
    let header = serde_json::json!([{ "name": "SourceMap", "value": "a.map" }]);
    let none = serde_json::json!([]);
    let entries = [
        entry("https://h/a.js", header, "run();"),
        entry("https://h/b.js", none.clone(), "run();"),
        entry("https://h/a.map", none, &map),
    ];
    serde_json::json!({ "log": { "version": "1.2", "creator": {}, "entries": entries } })
        .to_string()
}

/// A folder with every kind of container, nested, doubled and damaged, and every kind of link.
pub fn write_menagerie(folder: &Path) {
    let inner = package(1);
    let map = source_map(&[("a.ts", Some("export const a = 1;\n")), ("gone.ts", None)]);
    let index =
        format!(r#"{{"version":3,"sections":[{{"offset":{{"line":0,"column":0}},"map":{map}}}]}}"#);
    let nested = tgz(&[
        (
            "package/package.json",
            manifest("nested", "1.0.0").into_bytes(),
        ),
        ("package/vendor/inner.tgz", inner.clone()),
        (
            "package/vendor/inner.zip",
            zip(&[("deep.tgz", inner.clone())]),
        ),
    ]);
    let links = "//# sourceMappingURL=gone.js.map\n";
    let bucket = "//# sourceMappingURL=https://maps.acme-assets.s3.amazonaws.com/remote.js.map\n";
    let files: [(&str, Vec<u8>); 22] = [
        ("app/package.json", manifest("app", "0.1.0").into()),
        (
            "app/dist/app.js",
            "var a;\n//# sourceMappingURL=app.js.map\n".into(),
        ),
        ("app/dist/app.js.map", map.clone().into()),
        ("app/dist/index.js.map", index.into()),
        ("app/dist/dangling.js", links.into()),
        ("app/dist/remote.js", bucket.into()),
        (
            "app/dist/inline.js",
            format!("x();\n//# sourceMappingURL={}\n", data_url(&map)).into(),
        ),
        ("app/.env", "API_KEY=an-invented-value-0123456789\n".into()),
        ("app/.git/HEAD", "ref: refs/heads/main\n".into()),
        ("app/packed.tgz", inner.clone()),
        ("copy/nested.tgz", nested.clone()),
        ("crawl.warc.gz", large_crawl(true)),
        ("crawl.warc", large_crawl(false)),
        ("large.tgz", large_package()),
        (
            "log.txt.gz",
            [gzip(b"one line\n"), gzip(b"another line\n")].concat(),
        ),
        ("nested.tgz", nested.clone()),
        (
            "package.zip",
            zip(&[
                ("package/package.json", manifest("zipped", "1.0.0")),
                ("package/a.js.map", map),
            ]),
        ),
        ("page.har", capture().into_bytes()),
        ("package-1.tgz", inner.clone()),
        ("package-2.tgz", package(2)),
        (
            "plain.tar",
            tar(&[
                ("same.txt", "one"),
                ("same.txt", "two"),
                ("../up!/@x#1.txt", "three"),
            ]),
        ),
        ("truncated.tgz", nested[..nested.len() / 2].to_vec()),
    ];
    write_all(folder, &files);
}

// ---------------------------------------------------------------------------------------------------------------
// Real packages

/// Where the packages of `fixtures/fetch.py` lie.
pub fn packages_folder() -> PathBuf {
    std::env::var_os("STRANDLINE_PACKAGES")
        .map_or_else(|| fixtures().join("packages"), PathBuf::from)
}

/// Says on standard error that a test is skipped, and why; fails where `required` is 1 in the environment.
pub fn skipped(what: &str, why: &str, required: &str) {
    assert!(
        std::env::var_os(required).is_none_or(|value| value != "1"),
        "{what}: {why}"
    );
    // Straight to the handle, since the test runner swallows what is printed by macros.
    let line = format!("SKIPPED {what}: {why}\n");
    std::io::stderr()
        .write_all(line.as_bytes())
        .expect("standard error");
}

/// The packages, sorted; `None` where there are none and none are required.
pub fn packages() -> Option<Vec<PathBuf>> {
    let folder = packages_folder();
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("a folder that can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .collect();
    found.sort();
    if found.is_empty() {
        let why = format!(
            "no packages in {}: run `python3 fixtures/fetch.py`, or set STRANDLINE_PACKAGES",
            folder.display()
        );
        skipped("real packages", &why, "STRANDLINE_REQUIRE_PACKAGES");
        return None;
    }
    Some(found)
}

/// Every file called `*.map` in the packages, with the package's name; `None` where there are no packages.
pub fn real_maps() -> Option<Vec<(String, Vec<u8>)>> {
    let mut maps = Vec::new();
    for path in packages()? {
        let package = path.file_name().unwrap().to_string_lossy().into_owned();
        let file = std::fs::File::open(&path).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
        for member in archive.entries().unwrap() {
            let mut member = member.unwrap();
            let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
            if name.ends_with(".map") && member.header().entry_type().is_file() {
                let mut map = Vec::new();
                std::io::Read::read_to_end(&mut member, &mut map).unwrap();
                maps.push((format!("{package}!/{name}"), map));
            }
        }
    }
    Some(maps)
}

/// Runs a program of `fixtures/` that makes things with other people's tools, and gives the rows that it prints; says what
/// it could not make for want of a tool. `required` is the variable that forbids that.
#[track_caller]
pub fn made_by<S: AsRef<OsStr>>(
    script: &str,
    arguments: impl IntoIterator<Item = S>,
    things: &str,
    required: &str,
) -> Vec<Value> {
    let script = fixtures().join(script).into_os_string();
    let arguments = arguments.into_iter().map(|it| it.as_ref().to_owned());
    let printed = python(std::iter::once(script).chain(arguments));
    let rows = lines(&printed).map(|line| serde_json::from_slice(line).expect("it prints JSON"));
    let (missing, rows): (Vec<Value>, Vec<Value>) =
        rows.partition(|row: &Value| row["missing"].is_string());
    for row in missing {
        let why = format!("{} is not installed", text(&row, "missing"));
        skipped(&format!("{} {things}", row["cases"]), &why, required);
    }
    rows
}

/// Signs the files below `planted`, into a set.
#[track_caller]
pub fn sign_planted(planted: &Path, set: &Path) {
    run([
        OsStr::new("sign"),
        planted.as_os_str(),
        OsStr::new("--work"),
        OsStr::new("planted"),
        OsStr::new("--release"),
        OsStr::new("1"),
        OsStr::new("--output"),
        set.as_os_str(),
    ])
    .expect(0);
}
