//! Notices, as a legal team drafts them: what is claimed, what is not, and what stops a draft.

mod common;
#[path = "notice/planted.rs"]
mod planted;
#[path = "notice/structure.rs"]
mod structure;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::{Ran, git, manifest, program, run, scratch, tgz, write_all};
use strandline::case::{Case, Decision, Review, copy_id, match_id, seen};
use strandline::record::{Copy, Record};

/// Files of the work.
const FILES: usize = 6;
/// Two forges of the user's own, one like each of two that the data knows; the second takes few places at once.
const HOSTS: &str = r#"
[[host]]
id = "code-a"
name = "Code A"
like = "github"
names = ["code-a.example"]

[[host]]
id = "git-b"
name = "Git B"
like = "gitlab"
names = ["git-b.example"]
rows = 2
"#;
const CONTACTS: &str =
    "holder = \"Acme Broadcast\"\nname = \"R. Reader\"\nemail = \"legal@acme.example\"\n";
/// A name that would forge a heading, a field, a place and a direction, were it not shown escaped.
const HOSTILE: &str = "src/a\n# Heading {{ contact.email }} 100%#L1\u{202e}.js";

fn work() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = (0..FILES)
        .map(|index| {
            (
                format!("src/part{index}/ledger{index}.js"),
                program(index as u64),
            )
        })
        .collect();
    files.push(("src/z/hostile.js".to_owned(), program(77)));
    files
}

fn public() -> Vec<(String, String)> {
    vec![("lib/open.js".to_owned(), program(500))]
}

/// An incident of a few places: a folder, an archive and a clone on one host, forks on another, and what is no copy.
struct Incident {
    folder: tempfile::TempDir,
}

impl Incident {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `owner`: what the scan is told of what is the vendor's own.
    fn made(owner: bool) -> Self {
        let incident = Self::prepared();
        incident.scan(owner);
        incident
    }

    /// Everything but the scan.
    fn prepared() -> Self {
        let incident = Self { folder: scratch() };
        let at = |name: &str| incident.path(name);
        let mut original = work();
        original.extend(public());
        write_all(&at("work"), &original);
        write_all(&at("open"), &public());
        std::fs::write(at("org.toml"), "name = \"Acme\"\nscopes = [\"@acme\"]\n").unwrap();
        std::fs::write(at("hosts.toml"), HOSTS).unwrap();
        std::fs::write(at("contacts.toml"), CONTACTS).unwrap();
        incident.write_copies();
        incident
    }

    fn scan(&self, owner: bool) {
        let at = |name: &str| self.path(name);
        let sign = |tree: &str, more: &[&str]| {
            let set = at(&format!("{tree}.sigset"));
            let mut words: Vec<OsString> = vec!["sign".into(), at(tree).into()];
            words.extend(["--work", tree, "--release", "1.0", "--output"].map(OsString::from));
            words.push(set.clone().into());
            words.extend(more.iter().map(OsString::from));
            run(&words).expect(0);
            set
        };
        let mut scan: Vec<OsString> = vec!["scan".into(), at("copies").into(), "--quiet".into()];
        let mut add = |flag: &str, value: PathBuf| scan.extend([flag.into(), value.into()]);
        add("--signatures", sign("work", &[]));
        add("--case", at("a.case"));
        add("--origins", at("origins.csv"));
        add("--copies-root", at("copies"));
        if owner {
            add("--signatures", sign("open", &["--public"]));
            add("--org", at("org.toml"));
        }
        run(&scan).expect(0);
    }

    fn write_copies(&self) {
        let at = |name: &str| self.path(&format!("copies/{name}"));
        write_all(&at("plain"), &work());
        let packed: Vec<(String, String)> = work()
            .into_iter()
            .map(|(path, text)| (format!("main/{path}"), text))
            .collect();
        std::fs::write(at("branch.tgz"), tgz(&packed)).unwrap();
        // A clone with a hostile name in it, and a second one with everything in its history only.
        let mut hostile = work();
        hostile.retain(|(path, _)| path != "src/z/hostile.js");
        hostile.push((HOSTILE.to_owned(), program(77)));
        for (name, files) in [("clone", &hostile), ("gone", &work())] {
            write_all(&at(name), files);
            git(&at(name), ["init", "-q"]);
            git(&at(name), ["add", "."]);
            commit(&at(name), "first");
        }
        git(&at("gone"), ["rm", "-rq", "."]);
        write_all(&at("gone"), &[("README.md", "Nothing here.\n")]);
        git(&at("gone"), ["add", "."]);
        commit(&at("gone"), "second");
        for fork in 0..3 {
            let mut files = work();
            files.push(("notes.txt".to_owned(), format!("notes of {fork}\n")));
            write_all(&at(&format!("fork{fork}")), &files);
        }
        write_all(&at("sdk"), &public());
        write_all(
            &at("other"),
            &[("x.js", program(900)), ("y.js", program(901))],
        );
        write_all(&at("hinted"), &work());
        let hint = manifest("ledger", "1.0.0").replacen(
            '{',
            "{\"repository\":\"https://code-a.example/u9/hinted\",",
            1,
        );
        write_all(&at("hinted"), &[("package.json", hint)]);
        let mut list = String::from("path,url,host,parent,seen-at\n");
        for (path, url, parent) in [
            ("plain", "https://code-a.example/u1/plain", ""),
            (
                "branch.tgz",
                "https://code-a.example/u2/branch/archive/main.tar.gz",
                "",
            ),
            ("clone", "https://code-a.example/u3/clone.git", ""),
            ("gone", "https://code-a.example/u4/gone", ""),
            ("fork0", "https://git-b.example/g/tide", ""),
            (
                "fork1",
                "https://git-b.example/f1/tide",
                "https://git-b.example/g/tide",
            ),
            (
                "fork2",
                "https://git-b.example/f2/tide",
                "https://git-b.example/g/tide",
            ),
            ("sdk", "https://code-a.example/acme/sdk", ""),
            ("other", "https://code-a.example/u5/other", ""),
        ] {
            let host = url.split('/').nth(2).unwrap();
            list += &format!("copies/{path},{url},{host},{parent},2026-04-03T07:00:00Z\n");
        }
        std::fs::write(self.path("origins.csv"), list).unwrap();
    }

    /// Decides of all copies for which `of` gives a decision.
    fn review(&self, of: impl Fn(&Copy) -> Option<Decision>) {
        let case = Case::open(&self.path("a.case")).unwrap();
        let mut reviews = Vec::new();
        case.records(|record| {
            if let Record::Copy(copy) = record
                && let Some(decision) = of(&copy)
            {
                reviews.push(decided(
                    copy_id(&copy),
                    &copy.locator,
                    seen(&*copy).unwrap(),
                    decision,
                ));
            }
            Ok::<_, strandline::case::CaseError>(())
        })
        .unwrap();
        assert!(!reviews.is_empty());
        case.add_reviews(&reviews).unwrap();
    }

    fn confirm_all(&self) {
        self.review(|_| Some(Decision::Confirmed));
    }

    fn draft(&self, host: &str, to: &str, more: &[&str]) -> Ran {
        let mut words: Vec<OsString> = vec!["notice".into(), self.path("a.case").into()];
        words.extend(["--host", host, "--output"].map(OsString::from));
        words.push(self.path(to).into());
        for (flag, file) in [("--hosts", "hosts.toml"), ("--contacts", "contacts.toml")] {
            words.extend([flag.into(), self.path(file).into()]);
        }
        words.extend(more.iter().map(OsString::from));
        run(&words)
    }

    fn read(&self, path: &str) -> String {
        let path = self.path(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }
}

fn commit(folder: &Path, message: &str) {
    git(
        folder,
        [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@a.example",
            "commit",
            "-qm",
            message,
        ],
    );
}

fn decided(subject: String, locator: &str, seen: String, decision: Decision) -> Review {
    Review {
        subject,
        locator: locator.to_owned(),
        seen,
        decision,
        reviewer: "R. Reader".to_owned(),
        time: "2026-04-05T00:00:00Z".to_owned(),
        bulk: None,
        fair_use_considered: Some(true),
        note: None,
    }
}

/// Addresses in a text that begin with `https://HOST/`, up to the owner and the name.
fn places<'t>(text: &'t str, host: &str) -> BTreeSet<&'t str> {
    let start = format!("https://{host}/");
    text.match_indices(&start)
        .filter_map(|(at, _)| text[at + start.len()..].split('/').next())
        .collect()
}

#[test]
fn a_notice_has_every_confirmed_copy_of_its_host_and_nothing_else() {
    let incident = Incident::made(true);
    incident.confirm_all();
    incident.draft("code-a", "out", &["--docx"]).expect(0);
    let text = incident.read("out/notice-1/notice.txt");
    assert_eq!(
        places(&text, "code-a.example"),
        BTreeSet::from(["u1", "u2", "u3", "u4"]),
        "{text}"
    );
    for words in ["git-b.example", "acme/sdk", "u5/other", "u9/hinted"] {
        assert!(!text.contains(words), "{words}");
    }
    // The questions of the form in their order, one file each, and what they say is what the whole says.
    let mut at = 0;
    for number in 1..=14 {
        let head = format!("\n{number}. ");
        at = text[at..]
            .find(&head)
            .unwrap_or_else(|| panic!("{number}\n{text}"))
            + at;
    }
    let form: Vec<_> = std::fs::read_dir(incident.path("out/notice-1/form"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(form.len(), 14);
    for path in form {
        let part = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(part.trim_end()), "{path:?}");
    }
    // Nothing is ticked, signed or claimed beyond what was asked for.
    assert!(!text.contains("[x]") && !text.contains("[X]"));
    for words in [
        "8. Do you claim to have any technological measures in place to control access to your copyrighted content?\n\nNo.",
        "[ ] I swear, under penalty of perjury",
        "[ ] I have taken fair use into consideration",
        "Signature (full legal name): [ ",
        "E-mail: legal@acme.example",
        "Telephone: [telephone number]",
        "reviewed by R. Reader on 2026-04-05",
        "such as unchanged forks of its public repositories: 1 places",
        "places that were looked at and do not match: 1;",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let left_out = incident.read("out/left-out.csv");
    assert!(
        left_out.contains("hinted") && left_out.contains("only a hint"),
        "{left_out}"
    );
    // What was drafted is in the case, and in its custody log.
    let case = Case::open(&incident.path("a.case")).unwrap();
    let notices = case.notices().unwrap();
    assert_eq!((notices.len(), notices[0].rows.len()), (1, 4));
    assert_eq!(notices[0].sha256, common::sha256(text.as_bytes()));
    let custody = case.custody().unwrap();
    assert!(
        custody
            .entries
            .iter()
            .any(|(entry, _)| entry.deed.command.starts_with("notice"))
    );
    drop(case);
    assert!(incident.path("out/notice-1/notice.docx").is_file());
}

#[test]
fn each_file_is_pinned_as_its_host_does_and_no_name_breaks_out() {
    let incident = Incident::made(true);
    incident.confirm_all();
    incident.draft("code-a", "out", &[]).expect(0);
    let text = incident.read("out/notice-1/notice.txt");
    let head =
        String::from_utf8(git(&incident.path("copies/clone"), ["rev-parse", "HEAD"])).unwrap();
    let link = format!(
        "https://code-a.example/u3/clone/blob/{}/src/part0/ledger0.js#L1-L144",
        head.trim()
    );
    assert!(text.contains(&link), "{link}\n{text}");
    assert!(
        text.contains(
            "/src/a%0A%23%20Heading%20%7B%7B%20contact.email%20%7D%7D%20100%25%23L1%E2%80%AE.js#L1"
        ),
        "{text}"
    );
    let before =
        String::from_utf8(git(&incident.path("copies/gone"), ["rev-parse", "HEAD~1"])).unwrap();
    assert!(
        text.contains(&format!("u4/gone/blob/{}/src", before.trim())),
        "{text}"
    );
    assert!(
        text.contains("Not in the files that a visitor sees; in the history, in the commit named.")
    );
    let archive = common::sha256(&std::fs::read(incident.path("copies/branch.tgz")).unwrap());
    assert!(
        text.contains(&format!("the archive has the SHA-256 {archive}")),
        "{text}"
    );
    for file in ["notice.txt", "notice.html", "exhibit.html", "exhibit.csv"] {
        let text = incident.read(&format!("out/notice-1/{file}"));
        assert!(
            !text.contains("\n# Heading") && !text.contains('\u{202e}'),
            "{file}"
        );
        assert!(!text.to_lowercase().contains("<script"), "{file}");
    }
    // The same figures everywhere: one row for each file of each place.
    let exhibit = incident.read("out/notice-1/exhibit.csv");
    assert_eq!(exhibit.lines().count(), 1 + 4 * (FILES + 1), "{exhibit}");
    let page = incident.read("out/notice-1/exhibit.html");
    assert!(page.contains("4 places with 28 files that match"), "{page}");
    assert!(page.contains("Validation card"));
    assert_eq!(text.matches("   - ").count(), 4 * (FILES + 1));
}

#[test]
fn a_network_is_one_notice_that_is_cut_where_its_host_takes_no_more() {
    let incident = Incident::made(true);
    incident.confirm_all();
    incident.draft("git-b", "out", &[]).expect(0);
    let first = incident.read("out/notice-1/notice.txt");
    let second = incident.read("out/notice-2/notice.txt");
    assert!(
        first.contains("fork network of https://git-b.example/g/tide (1 of 2)"),
        "{first}"
    );
    assert!(
        first.contains("1. https://git-b.example/g/tide\n"),
        "the root first\n{first}"
    );
    assert_eq!(
        places(&second, "git-b.example").len(),
        2,
        "a place, and the root that it is a fork of"
    );
    for text in [&first, &second] {
        for element in ["(i)", "(ii)", "(iii)", "(iv)", "(v)", "(vi)"] {
            assert!(
                text.contains(&format!("512(c)(3)(A){element}")),
                "{element}"
            );
        }
    }
    assert!(!incident.path("out/notice-3").exists());
    // Drafted again, all is the same but the ids in the case.
    incident.draft("git-b", "again", &[]).expect(0);
    let tree = |name: &str| common::tree(&incident.path(name));
    assert_eq!(tree("out"), tree("again"));
}

#[test]
fn nothing_is_drafted_of_rows_that_nobody_confirmed() {
    let incident = Incident::made(true);
    incident
        .draft("code-a", "none", &[])
        .expect(2)
        .says("nobody reviewed it");
    incident
        .draft("code-a", "stamped", &["--include-unreviewed"])
        .expect(0);
    let stamp = "ROWS THAT NOBODY REVIEWED ARE IN THIS DRAFT";
    for file in [
        "notice.txt",
        "notice.html",
        "exhibit.html",
        "exhibit.csv",
        "form/07-material.txt",
    ] {
        let text = incident.read(&format!("stamped/notice-1/{file}"));
        assert!(text.contains(stamp), "{file}");
    }
    assert!(
        incident
            .read("stamped/notice-1/notice.txt")
            .contains("NOT REVIEWED: nobody reviewed it")
    );
    incident.review(|copy| {
        Some(match copy.locator.ends_with("plain") {
            true => Decision::Rejected,
            false => Decision::Confirmed,
        })
    });
    // One file of another place is rejected by itself.
    let case = Case::open(&incident.path("a.case")).unwrap();
    let mut reject = None;
    case.records(|record| {
        if let Record::Match(found) = record
            && found.locator.starts_with("copies/branch.tgz")
            && found.file.contains("ledger3")
        {
            reject = Some(decided(
                match_id(&found),
                &found.locator,
                seen(&*found).unwrap(),
                Decision::Rejected,
            ));
        }
        Ok::<_, strandline::case::CaseError>(())
    })
    .unwrap();
    case.add_reviews(&[reject.expect("a match")]).unwrap();
    drop(case);
    incident.draft("code-a", "out", &[]).expect(0);
    let text = incident.read("out/notice-1/notice.txt");
    assert_eq!(
        places(&text, "code-a.example"),
        BTreeSet::from(["u2", "u3", "u4"])
    );
    assert!(
        text.contains("files rejected in review: 1, and places rejected in review: 1."),
        "{text}"
    );
    assert!(!text.contains("main/src/part3/"), "{text}");
    assert!(
        incident
            .read("out/left-out.csv")
            .contains("rejected by R. Reader on 2026-04-05")
    );
    // The first draft named the rejected one, and is revised and taken back by name.
    incident
        .draft("code-a", "revised", &["--revise", "n1"])
        .expect(0);
    assert!(
        incident
            .read("revised/notice-1/before-sending.txt")
            .contains("https://code-a.example/u1/plain (rejected by")
    );
    incident
        .draft("code-a", "retracted", &["--retract", "n1"])
        .expect(0);
    let text = incident.read("retracted/notice-1/notice.txt");
    assert!(
        text.contains("https://code-a.example/u1/plain: rejected by R. Reader")
            && !text.contains("u2/branch"),
        "{text}"
    );
    incident
        .draft("code-a", "no", &["--revise", "n9"])
        .expect(2)
        .says("there is no notice n9");
}

#[test]
fn a_case_that_does_not_know_what_is_the_vendors_own_is_refused() {
    let incident = Incident::made(false);
    incident.confirm_all();
    incident
        .draft("code-a", "no", &[])
        .expect(2)
        .says("scan --org FILE")
        .says("sign --public");
    assert!(!incident.path("no/notice-1").exists());
    let reason = "the public code was looked through by hand";
    incident
        .draft("code-a", "out", &["--override", reason])
        .expect(0);
    for file in ["notice.txt", "notice.html", "exhibit.html", "exhibit.csv"] {
        assert!(
            incident
                .read(&format!("out/notice-1/{file}"))
                .contains(reason),
            "{file}"
        );
    }
    let case = Case::open(&incident.path("a.case")).unwrap();
    assert!(case.notices().unwrap()[0].overrides[0].contains(reason));
}

#[test]
fn slips_are_told_and_a_host_without_data_gets_the_general_text() {
    let incident = Incident::made(true);
    incident.confirm_all();
    incident
        .draft("githubb", "no", &[])
        .expect(2)
        .says("known are generic, github");
    incident
        .draft("elsewhere.example", "no", &[])
        .expect(2)
        .says("no copy has an address there")
        .says("code-a.example (");
    incident
        .draft("dsa", "dsa", &["--at", "code-a.example"])
        .expect(0);
    let text = incident.read("dsa/notice-1/notice.txt");
    for element in ["(a)", "(b)", "(c)", "(d)"] {
        assert!(
            text.contains(&format!("16(2){element}")),
            "{element}\n{text}"
        );
    }
    // No file of hosts: the name of the host is known, and how it addresses files is not.
    let mut words: Vec<OsString> = vec!["notice".into(), incident.path("a.case").into()];
    words.extend(["--host", "code-a.example", "--output"].map(OsString::from));
    words.push(incident.path("general").into());
    run(&words).expect(0);
    let text = incident.read("general/notice-1/notice.txt");
    assert!(
        text.contains("512(c)(3)(A)(vi)") && !text.contains("/blob/"),
        "{text}"
    );
    assert!(text.contains(" in commit "), "{text}");
    assert!(
        incident
            .read("general/notice-1/before-sending.txt")
            .contains("There is no data for this host")
    );
    // A template that names a field that there is not says which there are.
    let templates = incident.path("templates");
    write_all(&templates, &[("service.txt", "{{ host.nmae }}\n")]);
    let folder = templates.to_str().unwrap();
    incident
        .draft("code-a", "slip", &["--templates", folder])
        .expect(2)
        .says("host.nmae")
        .says("host.name");
    write_all(
        &templates,
        &[(
            "service.txt",
            "{% for item in items %}{{ item.ulr }}{% endfor %}\n",
        )],
    );
    incident
        .draft("code-a", "slip", &["--templates", folder])
        .expect(2)
        .says("item.ulr");
    write_all(
        &templates,
        &[("service.txt", "It is {{ host.name }}, by us.\n")],
    );
    incident
        .draft("code-a", "own", &["--templates", folder])
        .expect(0);
    assert!(
        incident
            .read("own/notice-1/form/03-service.txt")
            .contains("It is Code A, by us.")
    );
    std::fs::write(incident.path("contacts.toml"), "emial = \"x\"\n").unwrap();
    incident
        .draft("code-a", "no", &[])
        .expect(2)
        .says("did you mean `email`");
}
