//! What is said of each copy beside how much of the work it holds: where that stands, since when, what lies beside it, and
//! whose it may be; and what changed between two scans.

mod common;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::{Records, git, manifest, number, program, run, scan, scratch, text, tgz, write_all};
use serde_json::{Value, json};

/// Files of the work, in folders of their own.
const FILES: usize = 12;

/// Path and content of a file of the work.
fn file(index: usize) -> (String, String) {
    (
        format!("src/part{index}/ledger{index}.js"),
        program(index as u64),
    )
}

fn work() -> Vec<(String, String)> {
    (0..FILES).map(file).collect()
}

fn foreign(index: u64) -> String {
    program(1_000 + index)
}

const MIT: &str = "MIT License\n\nCopyright (c) 2024 Somebody\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this software, to deal in it without restriction, including without limitation the rights to use it.\n\nThe above copyright notice and this permission notice shall be included in all copies.\n";

#[track_caller]
fn sign(folder: &Path, files: &[(String, String)], name: &str, more: &[&str]) -> PathBuf {
    let tree = folder.join(format!("work-{name}"));
    write_all(&tree, files);
    let set = folder.join(format!("{name}.sigset"));
    let mut arguments: Vec<OsString> = vec!["sign".into(), tree.into(), "--work".into()];
    arguments.extend(["acme", "--release", name, "--output"].map(OsString::from));
    arguments.push(set.clone().into());
    arguments.extend(more.iter().map(OsString::from));
    run(arguments).expect(0);
    set
}

fn arguments(input: &Path, sets: &[&Path], more: &[&str]) -> Vec<OsString> {
    let mut all: Vec<OsString> = vec![input.into()];
    for set in sets {
        all.extend(["--signatures".into(), (*set).into()]);
    }
    all.extend(more.iter().map(OsString::from));
    all
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    write_all(folder, &[(name, content)]);
}

/// An empty repository.
fn repository(root: &Path) {
    std::fs::create_dir_all(root).unwrap();
    git(root, ["init", "-q"]);
}

/// Commits everything, so many days after a day in 2020.
#[track_caller]
fn commit(root: &Path, day: u64) {
    let date = format!("--date={} +0000", 1_600_000_000 + day * 86_400);
    git(root, ["add", "-A"]);
    git(root, ["commit", "-q", "-m", &format!("day {day}"), &date]);
}

#[track_caller]
fn class<'r>(records: &'r Records, locator: &str) -> &'r str {
    text(records.at("examined", locator), "class")
}

#[test]
fn where_a_copy_stands_in_a_repository_and_since_when() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let input = folder.path().join("in");
    let head = input.join("head");
    repository(&head);
    write(&head, "notes.txt", "ours\n");
    commit(&head, 0);
    write_all(&head, &work());
    commit(&head, 10);
    write(&head, "notes.txt", "ours again\n");
    commit(&head, 20);

    let branch = input.join("branch");
    repository(&branch);
    write(&branch, "notes.txt", "ours\n");
    commit(&branch, 0);
    git(&branch, ["checkout", "-q", "-b", "side"]);
    write_all(&branch, &work());
    commit(&branch, 5);
    git(&branch, ["checkout", "-q", "main"]);

    let past = input.join("past");
    repository(&past);
    write_all(&past, &work());
    commit(&past, 1);
    git(&past, ["rm", "-q", "-r", "src"]);
    write(&past, "notes.txt", "nothing to see\n");
    commit(&past, 2);

    let records = scan(0, arguments(&input, &[&set], &[]));
    let of = |name: &str| records.at("copy", &format!("in/{name}"));
    assert_eq!(of("head")["standing"], json!({"checked-out": FILES}));
    assert_eq!(of("branch")["standing"], json!({"other-ref": FILES}));
    assert_eq!(of("past")["standing"], json!({"history-only": FILES}));
    for (name, first) in [("head", 10), ("branch", 5), ("past", 1)] {
        let dates = &of(name)["dates"];
        assert_eq!(dates["basis"], "git-author", "{name}");
        let day = humantime(1_600_000_000 + first * 86_400);
        assert_eq!(dates["first"], day, "{name}");
    }
    assert_eq!(class(&records, "in/past"), "verbatim");
    // What lies there beside it: one file each.
    for name in ["head", "branch", "past"] {
        assert_eq!(number(of(name), "unmatched_files"), 1, "{name}");
    }
    let mut all = arguments(&input, &[&set], &[]);
    all.insert(0, "scan".into());
    run(all)
        .expect(0)
        .prints("(100.0 % of its bytes), only in history")
        .prints("(100.0 % of its bytes), only on other branches or tags");
}

/// A time as records give it.
fn humantime(seconds: u64) -> String {
    let out = common::python([
        "-c",
        &format!(
            "import datetime as d; print(d.datetime.fromtimestamp({seconds}, d.UTC).strftime('%Y-%m-%dT%H:%M:%SZ'), end='')"
        ),
    ]);
    String::from_utf8(out).unwrap()
}

/// A tar whose members were written at this time, in seconds since 1970.
fn written_at(seconds: u64, members: &[(String, String)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in members {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(seconds);
        header.set_cksum();
        builder.append(&header, text.as_bytes()).unwrap();
    }
    common::gzip(&builder.into_inner().unwrap())
}

#[test]
fn what_archives_say_of_their_members_dates_a_copy() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let input = folder.path().join("in");
    write(&input, "dated.tgz", written_at(1_774_940_400, &work()));
    write(&input, "npm.tgz", written_at(499_162_500, &work()));
    let records = scan(0, arguments(&input, &[&set], &[]));
    let dates = &records.at("copy", "in/dated.tgz")["dates"];
    let at = "2026-03-31T07:00:00Z";
    assert_eq!(
        *dates,
        json!({"first": at, "last": at, "basis": "archive-member"})
    );
    // A time that is the same in every package says nothing.
    assert_eq!(records.at("copy", "in/npm.tgz")["dates"], Value::Null);
    let written = |name: &str| {
        let mut found = records
            .all("match")
            .filter(|found| text(found, "locator").starts_with(name));
        found.next().map(|found| found["written"].clone())
    };
    assert_eq!(written("in/dated.tgz"), Some(json!(at)));
    assert_eq!(written("in/npm.tgz"), Some(Value::Null));
}

#[test]
fn a_copy_of_which_only_layout_is_another_is_reformatted() {
    let folder = scratch();
    let mut files = work();
    let settings =
        json!({"port": 4_817, "hosts": ["ledger.example", "books.example"], "note": "a  b"});
    let list: Vec<Value> = (0..90)
        .map(|n| json!({"id": n, "name": program(n)[..40]}))
        .collect();
    let prose = "# Ledger\n\nWhat it keeps:\n\n- accounts\n  - by day, `a  b`\n- books\n";
    let shell = "#!/bin/sh\n# Looks first.\nif test -f ledger; then\n  run ledger  --all\nfi\n";
    for (name, text) in [
        (
            "settings.json",
            serde_json::to_string_pretty(&settings).unwrap(),
        ),
        ("list.json", serde_json::to_string_pretty(&list).unwrap()),
        ("README.md", prose.to_owned()),
        ("run.sh", shell.to_owned()),
    ] {
        files.push((name.to_owned(), text));
    }
    let set = sign(folder.path(), &files, "1", &[]);
    let input = folder.path().join("in");
    let copy = |name: &str, how: &dyn Fn(&str, &str) -> String| {
        let files = files
            .iter()
            .map(|(path, text)| (path.clone(), how(path, text)));
        write_all(&input.join(name), &files.collect::<Vec<_>>());
    };
    let tabs = |_: &str, text: &str| text.replace("\n  ", "\n\t").replace("\t  ", "\t\t");
    copy("tabs", &tabs);
    copy("dense", &|path, text| match path.ends_with(".json") {
        true => serde_json::from_str::<Value>(text).unwrap().to_string(),
        false => tabs(path, text),
    });
    copy("number", &|path, text| {
        tabs(path, text).replace("4817", "4818")
    });
    copy("string", &|path, text| {
        tabs(path, text).replace("\"a  b\"", "\"a b\"")
    });
    copy("commented", &|path, text| {
        tabs(path, text).replace("first.\n", "first. ")
    });
    let records = scan(
        0,
        arguments(&input, &[&set], &["--copies-root", input.to_str().unwrap()]),
    );
    for name in ["tabs", "dense"] {
        let copy = records.at("copy", &format!("in/{name}"));
        assert_eq!(copy["class"], "reformatted", "{copy}");
        assert_eq!(copy["grades"], json!({"normalized": FILES + 4}), "{name}");
    }
    for name in ["number", "string", "commented"] {
        // Which of both hangs on whether so short a file is found in another form.
        let class = class(&records, &format!("in/{name}"));
        assert!(["modified", "partial"].contains(&class), "{name}: {class}");
    }
}

#[test]
fn copies_side_by_side_in_one_archive_are_copies() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let at = |top: &str, files: &[(String, String)]| -> Vec<(String, String)> {
        let files = files.iter();
        files
            .map(|(path, text)| (format!("{top}/{path}"), text.clone()))
            .collect()
    };
    let package = |name: &str, held: usize| {
        let mut files = work()[..held].to_vec();
        files.push(("package.json".to_owned(), manifest(name, "1.0.0")));
        files.push(("own.js".to_owned(), foreign(held as u64)));
        files.push(("notes.txt".to_owned(), "ours\n".to_owned()));
        files
    };
    let input = folder.path().join("in");
    // Forks keep the name of what they are forks of.
    let forks = [
        at("dump/one", &package("tide", FILES)),
        at("dump/two", &package("tide", 5)),
        at("dump/none", &package("none", 0)),
    ]
    .concat();
    write(&input, "forks.tgz", tgz(&forks));
    // Where each has its own, they may be the packages of one workspace.
    let apart = [
        at("dump/one", &package("one", FILES)),
        at("dump/two", &package("two", 5)),
    ]
    .concat();
    write(&input, "apart.tgz", tgz(&apart));
    // A workspace is one, however many manifests are in it.
    let workspace = [
        at("space/packages/one", &package("one", 7)),
        at("space/packages/two", &package("two", 5)),
        vec![("space/package.json".to_owned(), manifest("space", "1.0.0"))],
    ]
    .concat();
    write(&input, "space.tgz", tgz(&workspace));
    // So is what has something beside.
    let beside = [
        forks.clone(),
        vec![("dump/LICENSE".to_owned(), MIT.to_owned())],
    ]
    .concat();
    write(&input, "beside.tgz", tgz(&beside));
    // Clones, each with its store.
    let clones = folder.path().join("clones");
    for (name, held) in [("a", FILES), ("b", 3)] {
        let clone = clones.join(name);
        repository(&clone);
        write_all(&clone, &work()[..held]);
        commit(&clone, 3);
    }
    let packed = "import sys, tarfile; tarfile.open(sys.argv[2], 'w:gz').add(sys.argv[1], '')";
    let to = input.join("clones.tgz");
    common::python([
        "-c".as_ref(),
        packed.as_ref(),
        clones.as_os_str(),
        to.as_os_str(),
    ]);

    let records = scan(0, arguments(&input, &[&set], &[]));
    records.check_frame();
    let examined: Vec<(&str, &str)> = records
        .all("examined")
        .map(|row| (text(row, "locator"), text(row, "class")))
        .collect();
    assert_eq!(
        examined,
        [
            ("in/apart.tgz", "verbatim"),
            ("in/beside.tgz", "verbatim"),
            ("in/clones.tgz!/a", "verbatim"),
            ("in/clones.tgz!/b", "partial"),
            ("in/forks.tgz!/dump/none", "unrelated"),
            ("in/forks.tgz!/dump/one", "verbatim"),
            ("in/forks.tgz!/dump/two", "partial"),
            ("in/space.tgz", "partial"),
        ]
    );
    // The manifest, the script and the notes.
    let rest = |held: usize| manifest("tide", "1.0.0").len() + foreign(held as u64).len() + 5;
    for (name, held) in [("forks.tgz!/dump/one", FILES), ("forks.tgz!/dump/two", 5)] {
        let copy = records.at("copy", &format!("in/{name}"));
        assert_eq!(number(copy, "files_matched"), held as u64, "{name}");
        assert_eq!(number(copy, "unmatched_files"), 3, "{name}");
        assert_eq!(number(copy, "unmatched_bytes"), rest(held) as u64, "{name}");
        assert_eq!(copy["hops"].as_array().unwrap().len(), 2, "{copy}");
    }
    for name in ["a", "b"] {
        let copy = records.at("copy", &format!("in/clones.tgz!/{name}"));
        assert_eq!(number(copy, "unmatched_bytes"), 0, "{name}");
    }
    // Where the user says that what lies in a folder is a copy, an archive there is one.
    let more = ["--copies-root", input.to_str().unwrap()];
    let records = scan(0, arguments(&input, &[&set], &more));
    assert_eq!(records.all("examined").count(), 5);
}

#[test]
fn what_lies_beside_the_work_is_counted_with_its_licences() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let input = folder.path().join("in");
    let place = input.join("tree");
    write(&place, "package.json", manifest("tree", "1.0.0"));
    write_all(&place, &work());
    write(&place, "LICENSE", MIT);
    write(&place, "docs/terms.txt", MIT);
    write(&place, "licensing.js", foreign(1));
    write(
        &place,
        "node_modules/dep/LICENSE.md",
        "All rights reserved.\n",
    );
    let extra = foreign(2);
    let mut members: Vec<(String, String)> = work();
    members.push(("extra.js".to_owned(), extra.clone()));
    members.push(("COPYING".to_owned(), MIT.to_owned()));
    let inner = tgz(&[("x.txt", "one"), ("y.txt", "two")]);
    let members: Vec<(String, Vec<u8>)> = members
        .into_iter()
        .map(|(name, content)| (format!("package/{name}"), content.into_bytes()))
        .chain([("package/inner.tgz".to_owned(), inner)])
        .collect();
    write(&input, "packed.tgz", tgz(&members));
    write(&input, "clean/package.json", manifest("clean", "1.0.0"));
    let records = scan(0, arguments(&input, &[&set], &[]));

    let copy = records.at("copy", "in/tree");
    // The manifest, two licences, the script, and the licence of the dependency.
    assert_eq!(number(copy, "unmatched_files"), 5);
    let bytes: usize = [
        manifest("tree", "1.0.0").len(),
        MIT.len() * 2,
        foreign(1).len(),
        "All rights reserved.\n".len(),
    ]
    .iter()
    .sum();
    assert_eq!(number(copy, "unmatched_bytes"), bytes as u64);
    assert_eq!(
        copy["licences"],
        json!([
            {"path": "LICENSE", "licence": "MIT"},
            {"path": "docs/terms.txt", "licence": "MIT"},
            {"path": "node_modules/dep/LICENSE.md", "licence": null},
        ])
    );
    assert_eq!(copy["dates"]["basis"], "file");
    assert_eq!(copy["standing"], json!({"checked-out": FILES}));

    let copy = records.at("copy", "in/packed.tgz");
    // Of the nested archive its members count.
    assert_eq!(number(copy, "unmatched_files"), 4);
    let bytes = extra.len() + MIT.len() + 6;
    assert_eq!(number(copy, "unmatched_bytes"), bytes as u64);
    assert_eq!(
        copy["licences"],
        json!([{"path": "package/COPYING", "licence": "MIT"}])
    );
    assert_eq!(copy["dates"], Value::Null);
    assert_eq!(class(&records, "in/clean"), "unrelated");
}

#[test]
fn own_material_stays_out_and_claims_hide_nothing() {
    let folder = scratch();
    let private = sign(folder.path(), &work(), "2", &[]);
    let public = sign(folder.path(), &work()[..4], "1", &["--public"]);
    let input = folder.path().join("in");
    let sdk = |name: &str, files: usize| {
        let place = input.join(name);
        write(&place, "package.json", manifest("@acme/sdk", "1.0.0"));
        write_all(&place, &work()[..files]);
        write(&place, "LICENSE", MIT);
        place
    };
    sdk("sdk", 4);
    sdk("fork", 4);
    sdk("leaking", 6);
    // A store and a work tree of the same.
    let clone = sdk("clone", 4);
    repository(&clone);
    commit(&clone, 3);
    let org = folder.path().join("acme.toml");
    std::fs::write(&org, "name = \"Acme\"\nscopes = [\"@acme\"]\n").unwrap();
    let more = ["--org", org.to_str().unwrap()];
    let all = arguments(&input, &[&private, &public], &more);
    let records = scan(0, &all);
    for name in ["in/sdk", "in/fork", "in/clone"] {
        assert_eq!(class(&records, name), "own-public", "{name}");
    }
    assert_eq!(
        records.at("examined", "in/sdk")["note"],
        "4 of its 6 files match what is public of the work, and nothing beyond"
    );
    // Two files more are a leak, whatever the manifest says.
    assert_eq!(records.locators("copy"), ["in/leaking"]);
    let copy = records.at("copy", "in/leaking");
    assert_eq!(number(copy, "files_matched"), 2);
    assert_eq!(number(copy, "public_files"), 4);
    assert_eq!(number(copy, "unmatched_files"), 2);
    assert_eq!(text(copy, "claims_own"), "its package is called @acme/sdk");
    // Without the public set all four are copies that claim to be own.
    let records = scan(0, arguments(&input, &[&private], &more));
    assert_eq!(records.all("copy").count(), 4);
    assert!(
        records
            .all("copy")
            .all(|copy| !copy["claims_own"].is_null())
    );
}

#[test]
fn names_without_content_are_a_suspicion() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let input = folder.path().join("in");
    let rewritten = |count: usize| -> Vec<(String, String)> {
        let files = work().into_iter().take(count).enumerate();
        let files = files.map(|(index, (path, _))| {
            let path = path.replace("src/", "repo-main/lib/").replace(".js", ".py");
            (path, foreign(index as u64))
        });
        files.collect()
    };
    write(&input, "loose/package.json", manifest("loose", "1.0.0"));
    write_all(&input.join("loose"), &rewritten(6));
    write(&input, "few/package.json", manifest("few", "1.0.0"));
    write_all(&input.join("few"), &rewritten(4));
    write(&input, "packed.tgz", tgz(&rewritten(FILES)));
    let records = scan(0, arguments(&input, &[&set], &[]));
    assert_eq!(records.all("copy").count(), 0);
    assert_eq!(records.locators("suspect"), ["in/loose", "in/packed.tgz"]);
    let suspect = records.at("suspect", "in/packed.tgz");
    assert_eq!(text(suspect, "class"), "names-only");
    assert_eq!(number(suspect, "paths_matched"), FILES as u64);
    assert_eq!(number(suspect, "files_matched"), 0);
    assert_eq!(
        number(records.at("suspect", "in/loose"), "paths_matched"),
        6
    );
    assert_eq!(class(&records, "in/few"), "unrelated");
    // The same on any number of threads.
    let with = |jobs: &str| scan(0, arguments(&input, &[&set], &["--jobs", jobs])).normalised();
    common::assert_same(&with("1"), &with("3"), "one thread and three");
    // Without the names nobody can tell.
    let names = set.with_extension("names");
    std::fs::remove_file(names).unwrap();
    let records = scan(0, arguments(&input, &[&set], &[]));
    assert_eq!(records.all("suspect").count(), 0);
}

#[test]
fn what_cannot_be_read_is_not_called_unrelated() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let input = folder.path().join("in");
    let whole = tgz(&work());
    write(&input, "cut.zip", &b"PK\x03\x04 and no more of it"[..]);
    write(&input, "cut.tgz", &whole[..whole.len() / 2]);
    let records = scan(3, arguments(&input, &[&set], &[]));
    // What is no archive any more is a file of the folder round it, which has no other.
    assert_eq!(class(&records, "in"), "unreadable");
    assert_eq!(
        records.at("examined", "in")["note"],
        "none of its 1 files could be read in full"
    );
    // Of what is cut the beginning speaks, and it is said.
    assert_eq!(class(&records, "in/cut.tgz"), "partial");
    let note = records.at("examined", "in/cut.tgz")["note"].clone();
    assert!(
        note.as_str()
            .is_some_and(|note| note.contains("could not be read")),
        "{note}"
    );
}

/// A folder that may not be entered is named, as a place or as a part of one.
#[cfg(unix)]
#[test]
fn what_cannot_be_walked_is_named() {
    use std::os::unix::fs::PermissionsExt;
    if common::is_root() {
        return;
    }
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let input = folder.path().join("in");
    write(&input, "open/package.json", manifest("open", "1.0.0"));
    for shut in ["shut", "open/shut"] {
        std::fs::create_dir_all(input.join(shut)).unwrap();
        let none = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(input.join(shut), none).unwrap();
    }
    let records = scan(3, arguments(&input, &[&set], &[]));
    for shut in ["shut", "open/shut"] {
        let all = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(input.join(shut), all).unwrap();
    }
    assert_eq!(class(&records, "in/shut"), "unreadable");
    let open = records.at("examined", "in/open");
    assert_eq!(open["note"], "1 folder in it could not be walked");
}

fn case_of(folder: &Path, name: &str, input: &Path, set: &Path) -> PathBuf {
    let case = folder.join(name);
    let mut all = arguments(input, &[set], &["--case"]);
    all.insert(0, "scan".into());
    all.push(case.clone().into());
    run(all).expect(0);
    case
}

#[test]
fn two_cases_say_what_is_new_gone_and_changed() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let input = folder.path().join("in");
    let place = |name: &str, count: usize| {
        write(
            &input,
            &format!("{name}/package.json"),
            manifest(name, "1.0.0"),
        );
        write_all(&input.join(name), &work()[..count]);
    };
    place("stays", FILES);
    place("grows", 4);
    place("goes", FILES);
    place("empties", FILES);
    let first = case_of(folder.path(), "first.case", &input, &set);
    place("grows", 9);
    place("comes", FILES);
    std::fs::remove_dir_all(input.join("goes")).unwrap();
    std::fs::remove_dir_all(input.join("empties/src")).unwrap();
    let second = case_of(folder.path(), "second.case", &input, &set);
    let out = folder.path().join("difference.json");
    let difference = |a: &Path, b: &Path| -> Vec<OsString> {
        vec!["case".into(), "diff".into(), a.into(), b.into()]
    };
    let mut all = difference(&first, &second);
    all.extend(["--json".into(), out.clone().into()]);
    // What it writes is the user's alone, never takes the place of anything, and may have to stay out of a repository.
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    run(&all)
        .expect(0)
        .says("difference.json lies in a git work tree")
        .prints("in/comes")
        .prints("not in the second case")
        .prints("1 same");
    run(&all).expect(2).says("nothing is ever overwritten");
    let mode = std::fs::metadata(&out).unwrap().permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    let told: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let rows: Vec<(String, String)> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let field = |key: &str| row[key].as_str().unwrap().to_owned();
            (field("became"), field("place"))
        })
        .collect();
    let expected = [
        ("new", "in/comes"),
        ("changed", "in/grows"),
        ("gone", "in/empties"),
        ("gone", "in/goes"),
    ];
    assert_eq!(rows, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(told["same"], 1);
    assert_eq!(told["changes"][2]["after"]["class"], "unrelated");
    assert_eq!(told["changes"][3]["after"], Value::Null);
    assert_eq!(told["made_otherwise"], json!([]));
    // A case by itself has nothing new; one of another work cannot be asked.
    let copy = folder.path().join("copy.case");
    std::fs::copy(&first, &copy).unwrap();
    run(difference(&first, &copy)).expect(0).prints("4 same");
    run(difference(&first, &first))
        .expect(2)
        .says("the same file");
    let bare = folder.path().join("bare.case");
    run([
        "scan".into(),
        input.clone().into_os_string(),
        "--case".into(),
        bare.clone().into(),
    ])
    .expect(0);
    run(difference(&first, &bare))
        .expect(2)
        .says("without a signature set");
}
