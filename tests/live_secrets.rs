//! Live secrets proven absent or found, fingerprints that two reports share, and one secret shown to a person.
//!
//! The values are made here, from digests; the terminal is Python's `pty`.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::*;
use serde_json::Value;

/// 32 letters and digits, the same each time and nobody's.
fn made(purpose: &str) -> String {
    let letters = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let hex = sha256(purpose.as_bytes());
    let bytes = (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap());
    bytes
        .map(|byte| char::from(letters[usize::from(byte) % letters.len()]))
        .collect()
}

/// A folder with a list of four secrets, and an input that holds three of them in three carriers.
struct Prepared {
    folder: tempfile::TempDir,
    values: [String; 4],
}

impl Prepared {
    fn new() -> Self {
        let folder = scratch();
        let values = ["pay", "database", "mail", "unused"].map(made);
        let [pay, database, mail, unused] = &values;
        let list = format!(
            "PAY={pay}\nexport DATABASE='{database}'\nMAIL=\"{mail}\" # old\nUNUSED={unused}\n"
        );
        fs::write(folder.path().join("live.env"), list).unwrap();
        fs::write(folder.path().join("key"), [7; 32]).unwrap();
        fs::write(folder.path().join("other"), [8; 32]).unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let script = format!("// x\nconnect('postgres://me:{database}@db.acme.example/x');\n");
        let map = source_map(&[("src/a.ts", Some(&format!("line\n  let k = \"{pay}\"\n")))]);
        let data = format!("{}{mail}\n", "\0".repeat(5000));
        let package = tgz(&[("package/data.bin", data.as_bytes())]);
        write_all(
            &folder.path().join("in"),
            &[
                ("one.js", script.as_bytes()),
                ("x.js.map", map.as_bytes()),
                ("p.tgz", package.as_slice()),
            ],
        );
        Self { folder, values }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    fn sign(&self, more: &[&str]) -> Ran {
        let (list, set) = (self.path("live.env"), self.path("acme.known"));
        let arguments = ["sign", "--secrets", &list, "--output", &set];
        run(arguments.iter().chain(more))
    }

    /// Arguments that scan an input for the set.
    fn arguments(&self, input: &str, more: &[&str]) -> Vec<String> {
        let set = self.path("acme.known");
        let mut all = vec![self.path(input), "--known-secrets".to_owned(), set];
        all.extend(more.iter().map(|one| (*one).to_owned()));
        all
    }

    fn scan(&self, input: &str, more: &[&str]) -> Ran {
        let first = vec!["scan".to_owned()];
        run(first.into_iter().chain(self.arguments(input, more)))
    }
}

fn known(records: &Records) -> Vec<(&str, &str, u64, u64)> {
    let known = records.all("secret");
    let known = known.filter(|one| text(one, "tier") == "known");
    let mut told: Vec<_> = known
        .map(|one| {
            let place = (number(one, "line"), number(one, "column"));
            (text(one, "rule"), text(one, "locator"), place.0, place.1)
        })
        .collect();
    told.sort_unstable();
    told
}

#[test]
fn each_secret_is_found_where_it_stands_and_none_is_shown() {
    let made = Prepared::new();
    let key = made.path("key");
    let key = ["--key", key.as_str()];
    let signed = made.sign(&key).expect(0).prints("4 live secrets");
    let records = scan(0, made.arguments("in", &key));
    let want = [
        ("DATABASE", "in/one.js", 2, 24),
        ("MAIL", "in/p.tgz!/package/data.bin", 1, 5001),
        ("PAY", "in/x.js.map!/src/a.ts", 2, 12),
    ];
    assert_eq!(known(&records), want);
    let set = &records.all("run").next().unwrap()["known_secrets"];
    assert_eq!((number(set, "secrets"), number(set, "left_out")), (4, 0));
    let summary = made.scan("in", &key).expect(0);
    let summary = summary.prints("4 live secrets tested, 3 present: DATABASE, MAIL, PAY");
    let report = made.path("report");
    made.scan("in", &[&key[..], &["--report", &report]].concat())
        .expect(0);
    let page = fs::read_to_string(made.at("report").join("index.html")).unwrap();
    assert!(page.contains("4 live secrets tested, 3 present"));
    let all = made.scan("in", &[&key[..], &["--jsonl", "-"]].concat());
    let set = fs::read_to_string(made.at("acme.known")).unwrap();
    let said = [
        signed.text(),
        &signed.stderr,
        summary.text(),
        &summary.stderr,
    ];
    for said in said.into_iter().chain([all.text(), &page, &set]) {
        for value in &made.values {
            assert!(!said.contains(value.as_str()));
        }
    }
}

#[test]
fn what_was_not_read_leaves_absence_open() {
    let made = Prepared::new();
    made.sign(&[]).expect(0);
    fs::write(made.at("clean.js"), "nothing\n").unwrap();
    let whole = made.scan("clean.js", &[]).expect(0);
    let whole = whole.prints("4 live secrets tested, 0 present\n");
    assert!(!whole.text().contains("supportable"));
    let package = tgz(&[("package/a.js", "x".repeat(10_000).as_bytes())]);
    fs::write(made.at("cut.tgz"), &package[..package.len() / 2]).unwrap();
    made.scan("cut.tgz", &[])
        .expect(3)
        .prints("0 present; not yet supportable: that none of them is there");
}

#[test]
fn what_is_too_large_to_be_held_is_searched_all_the_same() {
    let made = Prepared::new();
    made.sign(&[]).expect(0);
    // Over the end of the first window, which is 1 MiB.
    let lines = (1 << 20) / 7;
    let before = "a line\n".repeat(lines);
    let text = format!("{before}{}\n{}", made.values[0], "b line\n".repeat(600_000));
    let package = tgz(&[("package/big.txt", text.as_bytes())]);
    fs::write(made.at("big.tgz"), package).unwrap();
    let want = [("PAY", "big.tgz!/package/big.txt", lines as u64 + 1, 1)];
    let held = scan(0, made.arguments("big.tgz", &[]));
    assert_eq!(known(&held), want);
    let streamed = made.scan("big.tgz", &["--memory", "2M", "--jsonl", "-"]);
    assert_eq!(known(&streamed.records()), want);
}

#[test]
fn a_wrong_key_and_a_wrong_file_are_refused() {
    let made = Prepared::new();
    made.sign(&["--key", &made.path("key")]).expect(0);
    let none = made.scan("in", &[]).expect(2);
    none.says("give that file with --key");
    let other = made.path("other");
    let wrong = made.scan("in", &["--key", &other]).expect(2);
    wrong.says("another key");
    let (input, list) = (made.path("in"), made.path("live.env"));
    run(["scan", &input, "--known-secrets", &list])
        .expect(2)
        .says("no set of live secrets");
}

#[test]
fn lines_that_are_refused_are_told_by_number() {
    let prepared = Prepared::new();
    let value = made("a");
    let list = format!("{value}\nhunter22\nabc\n{}\n", &value[..12]);
    fs::write(prepared.at("live.env"), list).unwrap();
    let ran = prepared.sign(&[]).expect(3);
    let ran = ran.says("line 2: ").says("line 3: ").says("line 4: ");
    assert!(!ran.stderr.contains("hunter22") && !ran.stderr.contains(&value[..12]));
    fs::write(prepared.at("live.env"), "abc\n").unwrap();
    fs::remove_file(prepared.at("acme.known")).unwrap();
    let none = prepared.sign(&[]).expect(2);
    none.says("no secret that can be taken");
}

#[test]
fn one_key_makes_fingerprints_that_can_be_compared() {
    let made = Prepared::new();
    made.sign(&[]).expect(0);
    let fingerprints = |key: Option<&str>| -> Vec<Value> {
        let key = key.map(|name| made.path(name));
        let more: Vec<&str> = key.iter().flat_map(|key| ["--case-key", key]).collect();
        let records = scan(0, made.arguments("in", &more));
        let secrets = records.all("secret");
        secrets.map(|one| one["fingerprint"].clone()).collect()
    };
    let with_key = fingerprints(Some("key"));
    assert!(with_key.len() >= 3);
    let is_hex = |one: &Value| one.as_str().is_some_and(|hex| hex.len() == 32);
    assert!(with_key.iter().all(is_hex));
    assert_eq!(with_key, fingerprints(Some("key")));
    let other = fingerprints(Some("other"));
    let mut pairs = with_key.iter().zip(&other);
    assert!(pairs.all(|(one, other)| one != other));
    assert!(fingerprints(None).iter().all(Value::is_null));
}

/// Runs the program on a terminal of its own and gives what it shows.
fn on_a_terminal(arguments: &[&str]) -> String {
    let program = "import pty, sys; pty.spawn(sys.argv[1:])";
    let mut all = vec!["-c", program, PROGRAM];
    all.extend(arguments);
    String::from_utf8_lossy(&python(all)).into_owned()
}

#[test]
fn a_secret_is_shown_on_a_terminal_only_and_that_is_written_down() {
    let made = Prepared::new();
    made.sign(&[]).expect(0);
    let case = made.path("incident.case");
    made.scan("in", &["--case", &case, "-q"]).expect(0);
    let records = export(Path::new(&case));
    let mut secrets = records.all("secret");
    let found = secrets.find(|one| text(one, "rule") == "DATABASE").unwrap();
    let id = text(found, "id");
    let value = made.values[1].as_str();
    let reveal = ["case", "reveal", &case, id, "-q"];
    let refused = run(reveal).expect(2).says("on a terminal only");
    assert!(!refused.text().contains(value) && !refused.stderr.contains(value));
    let custody = || run(["case", "custody", &case]);
    assert!(!custody().expect(0).text().contains("case reveal"));
    let shown = on_a_terminal(&reveal);
    assert!(shown.contains(value), "{shown}");
    let log = custody().expect(0).prints("the log holds together");
    let log = log.prints(&format!("case reveal {id}"));
    assert!(!log.text().contains(value));
    // Moved, it is read from where it is said to lie; changed, nothing of it is shown.
    let moved = made.path("moved");
    fs::rename(made.at("in"), &moved).unwrap();
    let gone = on_a_terminal(&reveal);
    assert!(gone.contains("--input") && !gone.contains(value), "{gone}");
    let elsewhere = [&reveal[..], &["--input", &moved]].concat();
    let shown = on_a_terminal(&elsewhere);
    assert!(shown.contains(value), "{shown}");
    let script = made.at("moved").join("one.js");
    let bytes = fs::read(&script).unwrap();
    fs::write(&script, [&bytes[..], b"\n"].concat()).unwrap();
    let changed = on_a_terminal(&elsewhere);
    assert!(
        changed.contains("changed") && !changed.contains(value),
        "{changed}"
    );
    // Two were shown. The same scan again keeps the log, and a change of it is found.
    fs::rename(&moved, made.at("in")).unwrap();
    made.scan("in", &["--case", &case, "-q"]).expect(0);
    let log = custody().expect(0).prints("the log holds together");
    assert_eq!(log.text().matches("case reveal").count(), 2);
    let change = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
                  db.execute(\"UPDATE custody SET entry = replace(entry, 'reveal', 'export') WHERE seq = 1\"); db.commit()";
    python(["-c", change, &case]);
    let log = custody().expect(1);
    log.prints("does not hold together from entry 1");
}
