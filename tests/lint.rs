//! `notice lint` from outside: drafts held against the case of the small incident.
//!
//! What each rule finds and passes is data (`signatures/lint.toml`) and tested beside the rules; here it is what a case, a folder and
//! a command line add to that.

mod common;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use common::{incident, run, scratch, sign_incident, sql};
use serde_json::Value;

/// Where the copies of the incident were found.
const ORIGINS: [(&str, &str); 4] = [
    ("verbatim", "https://code.example/u1/leak"),
    ("partial", "https://code.example/u2/part"),
    ("unrelated", "https://code.example/u3/other"),
    ("unfetched", "https://code.example/u4/unfetched"),
];
const PROFILE: &str = "name = \"Acme\"\nscopes = [\"@acme\"]\ndomains = [\"acme.example\"]\nmail_domains = [\"acme.example\"]\n\
                       repositories = [\"code.example/acme\"]\ncode_names = [\"Saltmarsh\"]\n";

struct Scene {
    folder: tempfile::TempDir,
    case: PathBuf,
    org: PathBuf,
}

/// The incident, scanned with a list of where its copies were found.
fn scene() -> Scene {
    let folder = scratch();
    let at = |name: &str| folder.path().join(name);
    let (set, case, org, origins) = (
        sign_incident(folder.path()),
        at("a.case"),
        at("acme.toml"),
        at("origins.csv"),
    );
    std::fs::write(&org, PROFILE).unwrap();
    let rows: String = ORIGINS
        .iter()
        .map(|(path, url)| format!("copies/{path},{url},code.example,,2026-04-03T07:00:00Z\n"))
        .collect();
    std::fs::write(&origins, format!("path,url,host,parent,seen-at\n{rows}")).unwrap();
    let copies = incident().join("copies");
    let mut arguments: Vec<OsString> = vec!["scan".into(), copies.clone().into()];
    for (flag, value) in [
        ("--signatures", &set),
        ("--case", &case),
        ("--org", &org),
        ("--origins", &origins),
        ("--copies-root", &copies),
    ] {
        arguments.extend([flag.into(), value.into()]);
    }
    run(&arguments).expect(0);
    Scene { folder, case, org }
}

impl Scene {
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn lint(&self, draft: &Path, more: &[&str]) -> common::Ran {
        let mut arguments: Vec<OsString> = vec![
            "notice".into(),
            "lint".into(),
            draft.into(),
            "--case".into(),
            self.case.clone().into(),
            "--org".into(),
            self.org.clone().into(),
        ];
        arguments.extend(more.iter().map(OsString::from));
        run(&arguments)
    }

    /// Findings by rule, as JSON has them.
    fn found(&self, draft: &Path, more: &[&str]) -> Value {
        let ran = self.lint(draft, &[more, &["--json", "--quiet"]].concat());
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
    }
}

fn rules(found: &Value) -> Vec<&str> {
    let rules = found["rules"].as_array().expect("rules");
    rules
        .iter()
        .map(|rule| rule["rule"].as_str().unwrap())
        .collect()
}

/// Lines of the findings of a rule.
fn lines(found: &Value, id: &str) -> Vec<u64> {
    let rule = found["rules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["rule"] == id);
    let rule = rule.unwrap_or_else(|| panic!("no {id}: {:?}", rules(found)));
    let findings = rule["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|one| one["line"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_bad_letter_is_told_line_by_line_and_ends_with_1() {
    let scene = scene();
    let letter = "All forks are infringing. The entire repository is infringing:\n\
                  https://code.example/u1/leak\n\
                  https://code.example/u2/part\n\
                  https://code.example/u3/other\n\
                  https://code.example/u4/unfetched\n\
                  https://code.example/u5/nobody\n\
                  https://code.example/acme/sdk\n\
                  https://code.example/u1/leak/blob/main/src/index.ts\n\
                  It holds the code of Saltmarsh, see ci.corp.acme.example.\n";
    let draft = scene.write("letter.md", letter);
    let found = scene.found(&draft, &[]);
    assert_eq!(lines(&found, "unrelated"), [4]);
    assert_eq!(lines(&found, "not-examined"), [5]);
    assert_eq!(lines(&found, "unknown-place"), [6]);
    assert_eq!(lines(&found, "own-repository"), [7]);
    assert_eq!(lines(&found, "unpinned"), [8]);
    assert_eq!(lines(&found, "published-code-name"), [9]);
    assert_eq!(lines(&found, "published-host"), [9]);
    assert_eq!(lines(&found, "not-reviewed"), [2, 3]);
    assert_eq!(lines(&found, "forks-not-supported"), [1]);
    assert!(rules(&found).contains(&"missing-element"));
    scene
        .lint(&draft, &[])
        .expect(1)
        .prints("error own-repository")
        .prints("letter.md:7:1")
        .prints("mend");
}

/// A forge of the user's own is known from the file that its notices are drafted with: its names, how many places it takes, and
/// what a notice to it needs.
#[test]
fn hosts_of_the_users_own_are_told_by_their_file() {
    let scene = scene();
    let letter = "https://code.example/u1/leak\nhttps://code.example/u2/part\nhttps://mirror.example/u1/leak\n";
    let draft = scene.write("letter.txt", letter);
    let hosts = scene.write(
        "hosts.toml",
        "[[host]]\nid = \"forge\"\nname = \"Forge\"\nlike = \"dsa\"\nrows = 2\nnames = [\"code.example\"]\n",
    );
    let hosts = hosts.to_str().unwrap();
    scene
        .lint(&draft, &["--host", "forge"])
        .expect(2)
        .says("add it with --hosts");
    let found = scene.found(&draft, &["--hosts", hosts, "--host", "forge"]);
    assert_eq!(found["host"], "forge");
    assert_eq!(lines(&found, "other-host"), [3]);
    assert!(rules(&found).contains(&"row-limit"));
    let of_dsa = scene.found(&draft, &["--host", "dsa"]);
    let missing = |found: &Value| -> Vec<Value> {
        let rule = found["rules"].as_array().unwrap().iter();
        let rule = rule.filter(|rule| rule["rule"] == "missing-element");
        rule.flat_map(|rule| rule["findings"].as_array().unwrap().clone())
            .map(|one| one["found"].clone())
            .collect()
    };
    assert_eq!(missing(&found), missing(&of_dsa));
    // Of the addresses alone it is told as well.
    assert_eq!(scene.found(&draft, &["--hosts", hosts])["host"], "forge");
    assert_eq!(scene.found(&draft, &[])["host"], "code.example");
}

#[test]
fn without_a_profile_that_is_said_and_nothing_is_guessed() {
    let scene = scene();
    let draft = scene.write("letter.txt", "https://code.example/acme/sdk\n");
    let ran = run([
        OsStr::new("notice"),
        "lint".as_ref(),
        draft.as_os_str(),
        "--case".as_ref(),
        scene.case.as_os_str(),
    ])
    .expect(1);
    let text = ran.text();
    assert!(
        text.contains("no profile was given") && !text.contains("own-repository"),
        "{text}"
    );
}

#[test]
fn a_folder_is_read_by_name_and_what_is_no_text_is_named() {
    let scene = scene();
    scene.write("notice/07-material.txt", "https://code.example/u3/other\n");
    scene.write("notice/exhibit.csv", "url\nhttps://code.example/u1/leak\n");
    scene.write("notice/notice.docx", "PK");
    let draft = scene.folder.path().join("notice");
    let found = scene.found(&draft, &[]);
    assert_eq!(
        found["files"],
        serde_json::json!(["07-material.txt", "exhibit.csv"])
    );
    assert_eq!(lines(&found, "unrelated"), [1]);
    let remarks = found["remarks"].to_string();
    assert!(remarks.contains("notice.docx"), "{remarks}");
}

#[test]
fn the_weight_from_which_it_fails_is_the_users() {
    let scene = scene();
    let text = "I am authorized to act for the owner of the copyrighted work. I have a good faith belief. This is accurate, under\n\
                penalty of perjury.\nOriginal work:\nOur program.\nName:\nE-mail:\nPhone:\nSignature:\nhttps://acme.example/program is our homepage.\n";
    let draft = scene.write("thin.txt", text);
    let found = scene.found(&draft, &[]);
    assert_eq!(found["errors"], 0, "{found:#}");
    assert!(found["warnings"].as_u64().unwrap() > 0);
    scene.lint(&draft, &[]).expect(0);
    scene.lint(&draft, &["--fail-on", "warning"]).expect(1);
    scene.lint(&draft, &["--fail-on", "terrible"]).expect(2);
}

#[test]
fn what_cannot_be_read_is_2() {
    let scene = scene();
    let draft = scene.write("a.txt", "x");
    scene
        .lint(&scene.folder.path().join("nothing"), &[])
        .expect(2)
        .says("cannot read");
    std::fs::create_dir(scene.folder.path().join("empty")).unwrap();
    scene
        .lint(&scene.folder.path().join("empty"), &[])
        .expect(2)
        .says("no text file");
    scene
        .lint(&draft, &["--host", "nowhere"])
        .expect(2)
        .says("github");
    let names = scene.write("bad.names", "{\"type\":\"names\"}\nnot JSON\n");
    scene
        .lint(&draft, &["--names", names.to_str().unwrap()])
        .expect(2)
        .says("bad.names:2");
}

#[test]
fn hostile_text_moves_no_terminal_and_loses_nothing() {
    let scene = scene();
    let bytes =
        b"https://code.example/\x1b[2J\xe2\x80\xaex \xff\xfe https://code.example/u3/other\x07\n";
    let draft = scene.folder.path().join("a\u{1b}b.txt");
    std::fs::write(&draft, bytes).unwrap();
    let ran = scene.lint(&draft, &[]).expect(1);
    assert!(
        !ran.stdout.contains(&0x1b) && !ran.stdout.contains(&7),
        "{ran}"
    );
    let found = scene.found(&draft, &[]);
    assert_eq!(lines(&found, "unrelated"), [1]);
    assert!(rules(&found).contains(&"hidden-characters"));
}

#[test]
fn paths_of_the_work_that_no_listed_place_has_are_private() {
    let scene = scene();
    let names = incident()
        .parent()
        .unwrap()
        .join("incident/acme-cli-2.1.0.names");
    let text = std::fs::read_to_string(&names).unwrap();
    let path = text
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<Value>(line).ok()?["path"]
                .as_str()
                .map(str::to_owned)
        })
        .find(|path| path.contains('/'))
        .expect("a path");
    let draft = scene.write(
        "a.txt",
        &format!("https://code.example/u3/other\nOur work has {path} too.\n"),
    );
    let found = scene.found(&draft, &["--names", names.to_str().unwrap()]);
    assert_eq!(lines(&found, "published-work-path"), [2]);
    // The place that holds all of it shows the path to everybody.
    let draft = scene.write(
        "b.txt",
        &format!("https://code.example/u1/leak\nOur work has {path} too.\n"),
    );
    let found = scene.found(&draft, &["--names", names.to_str().unwrap()]);
    assert!(!rules(&found).contains(&"published-work-path"), "{found:#}");
}

#[test]
fn nothing_is_written_into_the_case() {
    let scene = scene();
    let count = || {
        sql(
            &scene.case,
            "SELECT (SELECT count(*) FROM custody), (SELECT count(*) FROM record)",
        )
    };
    let before = count();
    let draft = scene.write("a.txt", "https://code.example/u3/other\n");
    scene.lint(&draft, &[]).expect(1);
    assert_eq!(count(), before);
}
