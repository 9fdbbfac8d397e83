//! Where copies come from: lists of places, records of acquisition and clones made by git; and what `case scope` and
//! `case sample` say of the places that were not examined.

mod common;

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use common::{
    Ran, Records, copy_tree, git, incident, lines, run, scratch, sign_incident, text, tgz,
    write_all,
};
use serde_json::{Value, json};

/// A folder with a set, and copies of the work in `clones`.
struct Place {
    folder: tempfile::TempDir,
    set: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = scratch();
        let set = sign_incident(folder.path());
        std::fs::create_dir(folder.path().join("clones")).unwrap();
        Self { folder, set }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A clone with the whole work in it, made by git, whose remote is `url`.
    fn clone(&self, name: &str, url: &str) -> PathBuf {
        let clone = self.copy(name);
        git(&clone, ["init", "-q"]);
        git(&clone, ["add", "-A"]);
        git(&clone, ["commit", "-qm", "x"]);
        git(&clone, ["remote", "add", "origin", url]);
        clone
    }

    /// A folder with the whole work in it.
    fn copy(&self, name: &str) -> PathBuf {
        let folder = self.path("clones").join(name);
        copy_tree(&incident().join("acme-cli/src"), &folder.join("src"));
        folder
    }

    /// Scans `clones` into a case.
    #[track_caller]
    fn scan(&self, status: i32, more: &[&OsStr]) -> Ran {
        let _ = std::fs::remove_file(self.path("it.case"));
        self.scan_on(status, more)
    }

    /// The same, on into the case that there is.
    #[track_caller]
    fn scan_on(&self, status: i32, more: &[&OsStr]) -> Ran {
        let (clones, case) = (self.path("clones"), self.path("it.case"));
        let mut all: Vec<&OsStr> = vec![
            "scan".as_ref(),
            clones.as_ref(),
            "--signatures".as_ref(),
            self.set.as_ref(),
            "--case".as_ref(),
            case.as_ref(),
        ];
        all.extend(more);
        run(all).expect(status)
    }

    fn records(&self) -> Records {
        let case = self.path("it.case");
        run([OsStr::new("case"), "export".as_ref(), case.as_ref()])
            .expect(0)
            .records()
    }

    #[track_caller]
    fn case(&self, command: &str, more: &[&str]) -> Ran {
        let case = self.path("it.case");
        let mut all = vec![OsString::from("case"), command.into(), case.into()];
        all.extend(more.iter().map(OsString::from));
        run(all)
    }

    #[track_caller]
    fn scope(&self, more: &[&str]) -> Value {
        let more = [&["--json"], more].concat();
        let ran = self.case("scope", &more).expect(0);
        serde_json::from_slice(&ran.stdout).unwrap()
    }
}

/// The origins of a root, by what says so.
fn origins<'r>(records: &'r Records, root: &str) -> Vec<&'r Value> {
    let mut of_root: Vec<&Value> = records
        .all("origin")
        .filter(|origin| origin["locator"] == root)
        .collect();
    of_root.sort_by_key(|origin| text(origin, "by").to_owned());
    of_root
}

fn details(records: &Records, code: &str) -> Vec<String> {
    let of_code = records.all("problem").filter(|row| row["code"] == code);
    of_code.map(|row| text(row, "detail").to_owned()).collect()
}

#[test]
fn a_list_says_where_copies_come_from_and_what_was_not_examined() {
    let place = Place::new();
    place.clone("a", "https://git.example/a/cli.git");
    place.clone("b", "git@git.example:b/cli.git");
    place.clone("c", "https://me:hunter2@git.example/c/cli");
    let list = place.write(
        "forks.csv",
        "\u{feff}Seen_At,URL,path,parent\r\n2026-04-01T02:00:00+02:00,https://git.example/A/cli,clones/a,https://git.example/acme/cli\r\n,https://git.example/b/cli,,git.example/a/cli\r\n,https://git.example/gone/cli,clones/gone,\"https://git.example/a/cli\"\r\n,https://git.example/never/cli,,\r\n",
    );
    let ran = place.scan(0, &["--origins".as_ref(), list.as_ref()]);
    ran.prints("origins     4 places listed: 2 in the input, 2 not examined")
        .prints("; from https://git.example/A/cli")
        .prints("; location: hint, https://***@git.example/c/cli");
    let records = place.records();
    let a = origins(&records, "clones/a");
    assert_eq!(a.len(), 1, "{a:?}");
    assert_eq!(a[0]["by"], "origins");
    assert_eq!(a[0]["certainty"], "proven");
    assert_eq!(a[0]["host"], "git.example");
    assert_eq!(a[0]["network"], "https://git.example/acme/cli");
    assert_eq!(a[0]["seen_at"], "2026-04-01T00:00:00Z");
    // The list names it, and that this clone is it only the clone says.
    let b = origins(&records, "clones/b");
    assert_eq!((b.len(), &b[0]["listed"]), (1, &json!(true)));
    assert_eq!(b[0]["certainty"], "hint");
    assert_eq!(b[0]["network"], "https://git.example/acme/cli");
    let c = origins(&records, "clones/c");
    assert_eq!(
        (&c[0]["by"], &c[0]["listed"]),
        (&json!("git-remote"), &json!(false))
    );
    let absent = origins(&records, "");
    assert_eq!(absent.len(), 2);
    assert!(absent.iter().all(|origin| origin["present"] == false));
    let copies: Vec<(&str, &Value, &Value)> = records
        .all("copy")
        .map(|copy| (text(copy, "locator"), &copy["url"], &copy["location"]))
        .collect();
    assert_eq!(
        copies,
        [
            (
                "clones/a",
                &json!("https://git.example/A/cli"),
                &json!("proven")
            ),
            (
                "clones/b",
                &json!("https://git.example/b/cli"),
                &json!("hint")
            ),
            (
                "clones/c",
                &json!("https://***@git.example/c/cli"),
                &json!("hint")
            ),
        ]
    );
    let case = std::fs::read(place.path("it.case")).unwrap();
    let hit = case.windows(7).any(|window| window == b"hunter2");
    assert!(!hit, "the password of a remote stands in the case");
    // Another list, and nothing is read anew.
    let other = place.write(
        "other.csv",
        "path,url\nclones/../clones/c,https://git.example/c/cli\n",
    );
    place.scan_on(0, &["--origins".as_ref(), other.as_ref()]);
    let records = place.records();
    assert_eq!(origins(&records, "clones/c")[0]["certainty"], "proven");
    assert_eq!(origins(&records, "").len(), 0);
    assert_eq!(
        records.all("run").next().unwrap()["origins"]["acquisitions"],
        json!([])
    );
}

#[test]
fn what_contradicts_itself_is_kept_and_not_proven() {
    let place = Place::new();
    place.clone("a", "https://git.example/other/cli");
    place.copy("b");
    std::fs::write(
        place.path("clones/b/package.json"),
        r#"{"name":"b","version":"1.0.0"}"#,
    )
    .unwrap();
    let list = place.write(
        "forks.csv",
        "path,url,host,parent\nclones/a,https://git.example/a/cli,,\nclones/b,https://git.example/b1/cli,,\nclones/b,https://git.example/b2/cli,,\n,https://git.example/x/cli,else.example,https://git.example/y/cli\n,https://git.example/y/cli,,https://git.example/x/cli\n,https://git.example/z/cli,,https://git.example/p/cli\n,https://git.example/z/cli,,https://git.example/q/cli\n",
    );
    let ran = place.scan(0, &["--origins".as_ref(), list.as_ref()]);
    ran.prints("is contradicted").prints("origin-contradiction");
    let records = place.records();
    let a = origins(&records, "clones/a");
    assert_eq!(a.len(), 2);
    for origin in &a {
        assert_eq!(origin["certainty"], "hint", "{origin}");
        assert_eq!(origin["contradicted_by"].as_array().unwrap().len(), 1);
    }
    let b = origins(&records, "clones/b");
    let urls: Vec<&str> = b.iter().map(|origin| text(origin, "url")).collect();
    assert_eq!(
        urls,
        ["https://git.example/b1/cli", "https://git.example/b2/cli"]
    );
    assert_eq!(
        b[0]["contradicted_by"],
        json!(["forks.csv:4 says https://git.example/b2/cli"])
    );
    let copy = |root: &str| records.at("copy", root);
    assert_eq!(
        (&copy("clones/a")["location"], &copy("clones/b")["url"]),
        (&json!("hint"), &Value::Null)
    );
    let told = details(&records, "origin-contradiction").join("\n");
    for words in [
        "the clone's own remote origin says https://git.example/other/cli",
        "its parents lead back to itself",
        "names the host else.example",
        "names several parents: https://git.example/p/cli, https://git.example/q/cli",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(records.ledger()["complete"], true);
}

#[test]
fn each_thing_in_a_folder_of_copies_is_one_root() {
    let place = Place::new();
    place.clone("a", "https://git.example/a/cli");
    place.clone("a/vendor/inner", "https://git.example/inner/cli");
    place.copy("plain");
    std::fs::write(place.path("clones/b.tgz"), tgz(&[("package/x.js", "1")])).unwrap();
    let list = place.write(
        "forks.csv",
        "path,url\nclones/plain,https://git.example/plain/cli\n",
    );
    place.scan(0, &["--origins".as_ref(), list.as_ref()]);
    let records = place.records();
    assert_eq!(
        records.locators("examined"),
        [
            "clones",
            "clones/a",
            "clones/a/vendor/inner",
            "clones/b.tgz"
        ]
    );
    let told = details(&records, "origin-no-root");
    assert!(
        told.len() == 1 && told[0].contains("--copies-root"),
        "{told:?}"
    );
    let clones = place.path("clones");
    place.scan(
        0,
        &[
            "--copies-root".as_ref(),
            clones.as_ref(),
            "--origins".as_ref(),
            list.as_ref(),
        ],
    );
    let records = place.records();
    assert_eq!(
        records.locators("examined"),
        ["clones/a", "clones/b.tgz", "clones/plain"]
    );
    assert_eq!(details(&records, "origin-no-root"), Vec::<String>::new());
    assert_eq!(origins(&records, "clones/plain")[0]["certainty"], "proven");
    // Two clones in one root: neither speaks for it.
    assert_eq!(origins(&records, "clones/a").len(), 0);
    let run_row = records.all("run").next().unwrap();
    assert_eq!(run_row["origins"]["copies_roots"], json!(["clones"]));
    let elsewhere = place.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    place
        .scan(2, &["--copies-root".as_ref(), elsewhere.as_ref()])
        .says("give it as an input too");
}

#[test]
fn records_of_acquisition_say_how_and_whether_the_digest_agrees() {
    let place = Place::new();
    let bytes = tgz(&[(
        "package/package.json",
        r#"{"name":"a","version":"1.0.0","repository":"https://git.example/said/cli"}"#,
    )]);
    for name in ["a.tgz", "b.tgz", "c.tgz", "d.tgz"] {
        let bytes = [&bytes[..], name.as_bytes()].concat();
        std::fs::write(place.path("clones").join(name), bytes).unwrap();
    }
    let read = |name: &str| std::fs::read(place.path("clones").join(name)).unwrap();
    let digest = |name: &str| common::sha256(&read(name));
    let csv = place.write(
        "got.csv",
        format!(
            "path,url,time,tool,version,person,sha256,capture,header:etag,header:authorization\nclones/a.tgz,https://u:hunter2@cdn.example/a.tgz,2026-04-01T00:00:00Z,curl,8.9,Ann,{},a.warc,x,Bearer hunter2\n",
            digest("a.tgz")
        ),
    );
    let json_lines = place.write(
        "got.json",
        json!({"url": "https://cdn.example/b.tgz", "path": "clones/b.tgz", "sha256": "0".repeat(64)}).to_string(),
    );
    let body = read("c.tgz");
    let block = [b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", &body[..]].concat();
    let head = format!(
        "WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: https://cdn.example/c?id=3\r\nWARC-Date: 2026-04-03T00:00:00Z\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    let info =
        "WARC/1.1\r\nWARC-Type: warcinfo\r\nContent-Length: 17\r\n\r\nsoftware: Wget/1\n\r\n\r\n";
    let warc = place.write(
        "got.warc",
        [info.as_bytes(), head.as_bytes(), &block, b"\r\n\r\n"].concat(),
    );
    let flags: Vec<&OsStr> = [&csv, &json_lines, &warc]
        .into_iter()
        .flat_map(|file| [OsStr::new("--acquisition"), file.as_ref()])
        .collect();
    place.scan(0, &flags);
    let records = place.records();
    let one = |name: &str| {
        let of_root = origins(&records, &format!("clones/{name}"));
        assert_eq!(of_root.len(), 1, "{of_root:?}");
        of_root[0].clone()
    };
    let (a, b, c, d) = (one("a.tgz"), one("b.tgz"), one("c.tgz"), one("d.tgz"));
    assert_eq!(a["by"], "acquisition");
    assert_eq!(a["certainty"], "proven");
    assert_eq!(a["url"], "https://***@cdn.example/a.tgz");
    assert_eq!(a["acquired"]["tool"], "curl 8.9");
    assert_eq!(a["acquired"]["sha256_agrees"], true);
    assert_eq!(
        a["acquired"]["headers"],
        json!({"authorization": "***", "etag": "x"})
    );
    assert_eq!(
        (&b["certainty"], &b["acquired"]["sha256_agrees"]),
        (&json!("hint"), &json!(false))
    );
    assert_eq!(details(&records, "acquisition-digest").len(), 1);
    assert_eq!(
        (&c["url"], &c["acquired"]["tool"]),
        (&json!("https://cdn.example/c?id=3"), &json!("Wget/1"))
    );
    assert_eq!(c["acquired"]["headers"], json!({"server": "x"}));
    assert_eq!(
        (&d["by"], &d["certainty"]),
        (&json!("package-metadata"), &json!("hint"))
    );
    assert_eq!(d["url"], "https://git.example/said/cli");
    let other = place.write(
        "none.json",
        json!([{"url": "https://cdn.example/nothing.tgz"}]).to_string(),
    );
    place.scan(0, &["--acquisition".as_ref(), other.as_ref()]);
    assert_eq!(details(&place.records(), "acquisition-unmatched").len(), 1);
}

#[test]
fn lists_that_cannot_be_read_say_why() {
    let place = Place::new();
    place.copy("a");
    for (bytes, said) in [
        (
            &b""[..],
            "is empty; its first line names the columns: path, url",
        ),
        (b"pth,url\n", "did you mean `path`?"),
        (b"path,url\na,\xff\n", ":2: this is not UTF-8"),
        (b"path,url\n\"a,b\nc,d\n", "close the quote"),
        (b"path,seen-at\na,once\n", ":2: `once` in `seen-at`"),
    ] {
        let list = place.write("bad.csv", bytes);
        place
            .scan(2, &["--origins".as_ref(), list.as_ref()])
            .says(said);
    }
    let list = place.write("head.csv", "path,url\n");
    place.scan(0, &["--origins".as_ref(), list.as_ref()]);
    place
        .case("sample", &["--n", "1", "--seed", "1"])
        .expect(2)
        .says("no list of places");
    assert_eq!(place.scope(&[])["is_listed"], false);
}

/// Four clones and a list of `absent` other places, of one network.
fn listed(place: &Place, absent: usize) -> PathBuf {
    let mut list = "url,path,parent\n".to_owned();
    for name in ["a", "b", "c", "d"] {
        place.copy(name);
        let _ = writeln!(
            list,
            "https://git.example/{name}/cli,clones/{name},https://git.example/acme/cli"
        );
    }
    for number in 0..absent {
        let _ = writeln!(
            list,
            "https://git.example/f{number}/cli,,https://git.example/acme/cli"
        );
    }
    place.write("forks.csv", list)
}

fn scan_listed(place: &Place, list: &Path) {
    let clones = place.path("clones");
    place.scan_on(
        0,
        &[
            "--copies-root".as_ref(),
            clones.as_ref(),
            "--origins".as_ref(),
            list.as_ref(),
        ],
    );
}

#[test]
fn the_sentence_says_what_the_data_supports() {
    let place = Place::new();
    let list = listed(&place, 0);
    scan_listed(&place, &list);
    let scope = place.scope(&[]);
    assert_eq!(scope["support"], "all");
    assert_eq!(
        scope["sentence"],
        "All 4 of the 4 listed places were examined; 4 hold at least 98 % of acme-cli, counted in bytes of its first-party files."
    );
    // One of them holds something else.
    std::fs::remove_dir_all(place.path("clones/d")).unwrap();
    write_all(&place.path("clones/d"), &[("x.js", "run()")]);
    scan_listed(&place, &list);
    let ran = place.case("scope", &[]).expect(0);
    ran.prints("All 4 of the 4 listed places were examined; 3 hold")
        .prints("is not supported: 1 of 4 examined does not hold that much (1 is unrelated)");
    assert_eq!(place.scope(&["--threshold", "1"])["total"]["hold"], 3);
    place
        .case("scope", &["--network", "https://git.example/none/x"])
        .expect(2)
        .says("no listed place belongs");
    place.case("scope", &["--threshold", "98"]).expect(2);
}

#[test]
fn a_draw_is_the_same_for_all_and_carries_a_bound() {
    let place = Place::new();
    let list = listed(&place, 60);
    scan_listed(&place, &list);
    let scope = place.scope(&[]);
    assert_eq!(
        (&scope["support"], &scope["bound"]),
        (&json!("examined-only"), &Value::Null)
    );
    assert_eq!(scope["total"]["not_examined"], 60);
    let draw = |seed: &str| {
        let ran = place
            .case("sample", &["--n", "10", "--seed", seed])
            .expect(0);
        ran.says("10 drawn of 60 not examined").stdout
    };
    // A draw that nobody examines carries nothing; so this one is made in a copy of the case.
    let kept = std::fs::read(place.path("it.case")).unwrap();
    let other = draw("8");
    std::fs::write(place.path("it.case"), kept).unwrap();
    let drawn = draw("7");
    assert_ne!(other, drawn);
    // The order of the list does not matter.
    let text = std::fs::read_to_string(&list).unwrap();
    let mut rows: Vec<&str> = text.lines().collect();
    rows[1..].reverse();
    let list = place.write("forks.csv", rows.join("\n"));
    scan_listed(&place, &list);
    assert_eq!(draw("7"), drawn);
    place
        .case("custody", &[])
        .expect(0)
        .prints("case sample --n 10 --seed 7")
        .prints("10 places drawn");
    let waits = place.scope(&[]);
    assert!(text_of(&waits, "no_bound").contains("10 of the 10 places"));
    // They are fetched and examined.
    let mut all = rows.join("\n");
    let drawn: Vec<String> = lines(&drawn)
        .skip(1)
        .map(|line| {
            String::from_utf8_lossy(line)
                .split(',')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(drawn.len(), 10);
    for url in &drawn {
        let name = url.split('/').nth(3).unwrap();
        place.copy(name);
        all = all.replace(&format!("{url},,"), &format!("{url},clones/{name},"));
    }
    let list = place.write("forks.csv", all);
    scan_listed(&place, &list);
    let scope = place.scope(&[]);
    assert_eq!(scope["support"], "bounded", "{scope:#}");
    let bound = &scope["bound"];
    assert_eq!(
        (&bound["drawn"], &bound["from"], &bound["rest"]),
        (&json!(10), &json!(60), &json!(50))
    );
    // 1 - 0.05^(1/10).
    assert!((bound["upper"].as_f64().unwrap() - 0.258_865_550_893).abs() < 1e-9);
    assert_eq!(bound["rule_of_three"], 0.3);
    assert!(text_of(&scope, "sentence").contains("10 of them were drawn at random from 60"));
    // With another list the draw says nothing.
    let longer = std::fs::read_to_string(&list).unwrap() + "\nhttps://git.example/new/cli,,\n";
    let list = place.write("forks.csv", longer);
    scan_listed(&place, &list);
    assert!(text_of(&place.scope(&[]), "no_bound").contains("the list was changed"));
}

fn text_of<'v>(scope: &'v Value, key: &str) -> &'v str {
    scope[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {scope:#}"))
}

#[test]
fn cells_that_begin_like_formulas_are_given_out_harmless() {
    let place = Place::new();
    place.copy("a");
    let list = place.write("forks.csv", "url\n=HYPERLINK(1)\n+x\n\u{202e}evil\n");
    place.scan(0, &["--origins".as_ref(), list.as_ref()]);
    let drawn = place.case("sample", &["--n", "9", "--seed", "1"]).expect(0);
    let text = drawn.text();
    assert!(
        text.contains("'=HYPERLINK(1)") && text.contains("'+x"),
        "{text}"
    );
    assert!(!text.contains('\u{202e}'));
    assert!(!text.lines().any(|line| line.starts_with(['=', '+'])));
}

#[test]
fn a_hundred_thousand_places_of_which_three_are_present() {
    let place = Place::new();
    let list = listed(&place, 100_000);
    std::fs::remove_dir_all(place.path("clones/d")).unwrap();
    let began = std::time::Instant::now();
    scan_listed(&place, &list);
    let scanned = began.elapsed();
    let scope = place.scope(&["--network", "git@git.example:acme/cli.git"]);
    assert_eq!(scope["total"]["places"], 100_004);
    assert_eq!(scope["total"]["not_examined"], 100_001);
    assert_eq!(scope["total"]["hold"], 3);
    let ran = place
        .case("sample", &["--n", "59", "--seed", "1"])
        .expect(0);
    assert_eq!(lines(&ran.stdout).count(), 60);
    // Far above what it takes, also of a program built without optimisation on a busy machine.
    assert!(scanned.as_secs() < 180, "{scanned:?}");
}
