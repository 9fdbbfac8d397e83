//! What stands at the head of a git store beside the work, where nothing is checked out of it: git itself says what it should be.

mod common;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::{Random, Records, git, git_fed, number, run, scan, scratch, tgz, write_all};
use serde_json::Value;

/// Files of the work.
const FILES: usize = 6;

/// A text that nobody else has.
fn prose(seed: u64, lines: usize) -> String {
    let mut random = Random::new(seed * 6_151 + 17);
    (0..lines).map(|_| random.text(50) + "\n").collect()
}

fn work() -> Vec<(String, String)> {
    (0..FILES)
        .map(|index| (format!("src/part{index}.txt"), prose(index as u64, 40)))
        .collect()
}

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

#[track_caller]
fn scan_with(status: i32, input: &Path, sets: &[&Path]) -> Records {
    let mut all: Vec<OsString> = vec![input.into()];
    for set in sets {
        all.extend(["--signatures".into(), (*set).into()]);
    }
    scan(status, all)
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    write_all(folder, &[(name, content)]);
}

#[track_caller]
fn commit(root: &Path, day: u64) {
    let date = format!("--date={} +0000", 1_600_000_000 + day * 86_400);
    git(root, ["add", "-A"]);
    git(root, ["commit", "-q", "-m", &format!("day {day}"), &date]);
}

/// What lies in the archive of [`repository`].
const PACKED: [(&str, &str); 2] = [("x.txt", "one of two\n"), ("y.txt", "the other one\n")];

/// A repository as a seed has it: files of the work and others in folders within one another, some of them at several paths,
/// renamed and removed in time; a link, a program, a submodule, an archive, branches, and a tag of the middle.
fn repository(root: &Path, seed: u64) {
    std::fs::create_dir_all(root).unwrap();
    git(root, ["init", "-q"]);
    let mut random = Random::new(seed * 31 + 7);
    let mut below = |count: u64| random.number() % count;
    let work = work();
    for day in 0..6 {
        for file in 0..5 {
            let folders = ["", "a/", "a/b/", "a/b/c/", "z/", "z/a/b/"];
            let folder = folders[below(6) as usize];
            // Few contents, so that they come again at other paths.
            let content = match below(5) {
                0 => work[below(FILES as u64) as usize].1.clone(),
                1 => String::new(),
                _ => prose(100 + below(8), 3),
            };
            write(root, &format!("{folder}f{day}-{file}.txt"), content);
        }
        write(root, "always.txt", prose(500 + day, 9));
        if day == 1 {
            std::os::unix::fs::symlink("always.txt", root.join("link")).unwrap();
            write(root, "z/inner.tgz", tgz(&PACKED));
            write(root, "again/inner.tgz", tgz(&PACKED));
            write(root, "z/deep/work.txt", &work[0].1);
            write(root, "run.sh", "#!/bin/sh\nexit 0\n");
            git(root, ["add", "-A"]);
            git(root, ["update-index", "--chmod=+x", "run.sh"]);
        }
        if day == 4 {
            git(root, ["mv", "z/deep", "moved"]);
            git(root, ["rm", "-q", "f0-0.txt", "--ignore-unmatch"]);
        }
        commit(root, day);
        if day == 2 {
            git(root, ["tag", "-a", "v1", "-m", "the first"]);
            git(root, ["branch", "side"]);
        }
    }
    let there = String::from_utf8(git(root, ["rev-parse", "HEAD"])).unwrap();
    let line = format!("160000,{},parts/module", there.trim());
    git(root, ["update-index", "--add", "--cacheinfo", &line]);
    git(root, ["commit", "-q", "-m", "a submodule"]);
    // Git keeps a folder where nothing is checked out of the submodule.
    std::fs::create_dir_all(root.join("parts/module")).unwrap();
    git(root, ["checkout", "-q", "side"]);
    write(root, "only-aside.txt", prose(900, 5));
    write(root, "aside-work.txt", &work[1].1);
    commit(root, 9);
    git(root, ["checkout", "-q", "main"]);
}

/// What of the files at the head match nothing, as git lists them: how many, and their bytes. Of the archive its members count.
fn expected(store: &Path, work: &BTreeSet<String>) -> (u64, u64) {
    let (mut files, mut bytes) = (0, 0);
    let listed = git(store, ["ls-tree", "-r", "-l", "HEAD"]);
    for line in String::from_utf8(listed).unwrap().lines() {
        let (row, path) = line.split_once('\t').unwrap();
        let row: Vec<&str> = row.split_ascii_whitespace().collect();
        let [mode, _, id, size] = row[..] else {
            panic!("{line}")
        };
        if !mode.starts_with("100") || work.contains(id) {
            continue;
        }
        if path.ends_with(".tgz") {
            files += PACKED.len() as u64;
            bytes += PACKED
                .map(|(_, text)| text.len() as u64)
                .iter()
                .sum::<u64>();
        } else {
            files += 1;
            bytes += size.parse::<u64>().unwrap();
        }
    }
    (files, bytes)
}

/// The names that git gives to the files of the work.
fn ids_of_work(folder: &Path, more: &[&str]) -> BTreeSet<String> {
    let at = folder.join(format!("ids{}", more.len()));
    std::fs::create_dir_all(&at).unwrap();
    git(&at, ["init", "-q"].iter().chain(more));
    let ids = work().into_iter().map(|(_, text)| {
        let id = git_fed(&at, ["hash-object", "--stdin"], text.as_bytes());
        String::from_utf8(id).unwrap().trim().to_owned()
    });
    ids.collect()
}

#[track_caller]
fn counted(copy: &Value) -> (u64, u64) {
    assert_eq!(copy["counted"], "head", "{copy}");
    assert_eq!(copy["unread_files"], 0, "{copy}");
    assert_eq!(copy["public_files"], 0, "{copy}");
    (
        number(copy, "unmatched_files"),
        number(copy, "unmatched_bytes"),
    )
}

#[test]
fn files_at_the_head_are_those_that_git_lists() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let ids = ids_of_work(folder.path(), &[]);
    let input = folder.path().join("in");
    std::fs::create_dir_all(&input).unwrap();
    let clone = |from: &Path, name: &str| -> PathBuf {
        let to = input.join(name);
        let words = ["clone", "-q", "--bare"].map(OsString::from);
        let paths = [from.into(), to.clone().into()];
        git(folder.path(), words.into_iter().chain(paths));
        to
    };
    let mut stores = Vec::new();
    for seed in 0..3 {
        let root = folder.path().join(format!("made{seed}"));
        repository(&root, seed);
        // As it came, each object by itself; in one pack; at a tag, at a commit, on another branch.
        stores.push(clone(&root, &format!("loose{seed}.git")));
        let packed = clone(&root, &format!("packed{seed}.git"));
        git(&packed, ["repack", "-a", "-d", "-q"]);
        stores.push(packed);
        let tagged = clone(&root, &format!("tagged{seed}.git"));
        git(&tagged, ["symbolic-ref", "HEAD", "refs/tags/v1"]);
        stores.push(tagged);
        let detached = clone(&root, &format!("detached{seed}.git"));
        git(&detached, ["update-ref", "--no-deref", "HEAD", "main~3"]);
        stores.push(detached);
        let aside = clone(&root, &format!("aside{seed}.git"));
        git(&aside, ["symbolic-ref", "HEAD", "refs/heads/side"]);
        stores.push(aside);
    }
    let first = folder.path().join("made0");
    git(
        &first,
        ["bundle", "create", "-q", "../in/all.bundle", "--all"],
    );
    // The same as it lies checked out.
    std::fs::rename(folder.path().join("made1"), input.join("open")).unwrap();
    // Stores side by side in an archive.
    let dump = folder.path().join("dump");
    std::fs::create_dir_all(&dump).unwrap();
    for name in ["packed1.git", "aside2.git"] {
        let words = ["clone", "-q", "--bare"].map(OsString::from);
        let paths = [input.join(name).into(), dump.join(name).into()];
        git(folder.path(), words.into_iter().chain(paths));
    }
    let packed = "import sys, tarfile; tarfile.open(sys.argv[2], 'w:gz').add(sys.argv[1], 'dump')";
    let to = input.join("dump.tgz");
    common::python([
        "-c".as_ref(),
        packed.as_ref(),
        dump.as_os_str(),
        to.as_os_str(),
    ]);

    let records = scan_with(0, &input, &[&set]);
    records.check_frame();
    let of = |name: &str| records.at("copy", &format!("in/{name}"));
    for store in &stores {
        let name = store.file_name().unwrap().to_str().unwrap();
        let expected = expected(store, &ids);
        assert!(expected.0 > 10, "{name}");
        assert_eq!(counted(of(name)), expected, "{name}");
    }
    assert_eq!(counted(of("all.bundle")), expected(&first, &ids));
    for name in ["packed1.git", "aside2.git"] {
        let copy = of(&format!("dump.tgz!/dump/{name}"));
        assert_eq!(counted(copy), expected(&input.join(name), &ids), "{name}");
    }
    // Files that lie open count as they lie there, and the store beside them adds none. A checkout has as many, but for its two
    // archives, which are places of their own in a folder.
    let (open, bare) = (of("open"), of("loose1.git"));
    assert_eq!(open["counted"], "laid-out");
    let packed: usize = PACKED.iter().map(|(_, text)| 2 * text.len()).sum();
    for (key, apart) in [("unmatched_files", 4), ("unmatched_bytes", packed as u64)] {
        assert_eq!(number(open, key) + apart, number(bare, key), "{key}");
    }
}

#[test]
fn what_is_public_at_a_head_is_counted_apart() {
    let folder = scratch();
    let private = sign(folder.path(), &work(), "2", &[]);
    let public = sign(folder.path(), &work()[..3], "1", &["--public"]);
    let input = folder.path().join("in");
    for (name, held) in [("leaking", 5), ("fork", 3)] {
        let root = folder.path().join(name);
        write_all(&root, &work()[..held]);
        write(&root, "also/part0.txt", &work()[0].1);
        write(&root, "own.txt", prose(300, 4));
        git(&root, ["init", "-q", "--object-format=sha256"]);
        commit(&root, 1);
        let words = ["clone", "-q", "--bare"].map(OsString::from);
        let to = input.join(format!("{name}.git"));
        git(
            folder.path(),
            words.into_iter().chain([root.into(), to.into()]),
        );
    }
    let records = scan_with(0, &input, &[&private, &public]);
    assert_eq!(records.locators("copy"), ["in/leaking.git"]);
    let copy = records.at("copy", "in/leaking.git");
    assert_eq!(copy["counted"], "head");
    // Each path once: one content stands at two.
    assert_eq!(number(copy, "public_files"), 4);
    assert_eq!(number(copy, "unmatched_files"), 1);
    assert_eq!(number(copy, "unmatched_bytes"), prose(300, 4).len() as u64);
    let fork = records.at("examined", "in/fork.git");
    assert_eq!(fork["class"], "own-public");
    assert_eq!(
        fork["note"],
        "4 of the 5 files at its head match what is public of the work, and nothing beyond"
    );
}

/// The file of a loose object.
fn loose(store: &Path, spec: &str) -> PathBuf {
    let id = String::from_utf8(git(store, ["rev-parse", spec])).unwrap();
    let (folder, name) = id.trim().split_at(2);
    store.join("objects").join(folder).join(name)
}

#[test]
fn what_is_not_known_of_a_head_is_not_told() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let input = folder.path().join("in");
    let root = input.join("made");
    write_all(&root, &work());
    write(&root, "docs/a.txt", prose(1_001, 4));
    write(&root, "docs/b.txt", prose(1_002, 4));
    write(&root, "b-again.txt", prose(1_002, 4));
    git(&root, ["init", "-q"]);
    commit(&root, 1);
    let clone = |name: &str, how: &str| -> PathBuf {
        let to = input.join(name);
        let words = ["clone", "-q", "--bare", how].map(OsString::from);
        let paths = [root.clone().into(), to.clone().into()];
        git(folder.path(), words.into_iter().chain(paths));
        to
    };
    clone("whole.git", "--no-tags");
    let no_file = clone("no-file.git", "--no-hardlinks");
    std::fs::remove_file(loose(&no_file, "HEAD:docs/b.txt")).unwrap();
    let no_folder = clone("no-folder.git", "--no-hardlinks");
    std::fs::remove_file(loose(&no_folder, "HEAD:docs")).unwrap();
    let no_head = clone("no-head.git", "--no-tags");
    git(&no_head, ["symbolic-ref", "HEAD", "refs/heads/nothing"]);
    let no_commit = clone("no-commit.git", "--no-hardlinks");
    std::fs::remove_file(loose(&no_commit, "HEAD")).unwrap();
    // One that has a file of the work itself, and borrows the rest: those that lend are read, and what matches is theirs.
    let borrowing = clone("borrowing.git", "--shared");
    let other = folder.path().join("other");
    git(
        folder.path(),
        [
            "clone".as_ref(),
            "-q".as_ref(),
            borrowing.as_os_str(),
            other.as_os_str(),
        ],
    );
    write(&other, "more.txt", work()[0].1.replace('\n', "\r\n"));
    commit(&other, 2);
    git(&other, ["push", "-q", "origin", "HEAD:main"]);

    let records = scan_with(0, &input, &[&set]);
    let of = |name: &str| records.at("copy", &format!("in/{name}"));
    assert_eq!(number(of("whole.git"), "unmatched_files"), 3);
    assert_eq!(number(of("whole.git"), "unread_files"), 0);
    // What the store does not have was not read, at each of its paths.
    let lacking = of("no-file.git");
    assert_eq!(number(lacking, "unmatched_files"), 1);
    assert_eq!(number(lacking, "unread_files"), 2);
    assert_eq!(
        number(lacking, "unmatched_bytes"),
        prose(1_001, 4).len() as u64
    );
    let note = &records.at("examined", "in/no-file.git")["note"];
    assert_eq!(
        note,
        "2 of the 9 files at its head could not be read in full"
    );
    for name in [
        "no-folder.git",
        "no-head.git",
        "no-commit.git",
        "borrowing.git",
    ] {
        for key in [
            "counted",
            "unmatched_files",
            "unmatched_bytes",
            "unread_files",
        ] {
            assert_eq!(of(name)[key], Value::Null, "{name}: {key}");
        }
    }
}

#[test]
fn folders_that_unfold_without_end_end_at_once() {
    let folder = scratch();
    let set = sign(folder.path(), &work(), "1", &[]);
    let input = folder.path().join("in");
    for (name, depth) in [("five", 5), ("thirty", 30)] {
        let store = input.join(format!("{name}.git"));
        std::fs::create_dir_all(&store).unwrap();
        git(&store, ["init", "-q", "--bare"]);
        let object = |kind: &[&str], bytes: &[u8]| -> String {
            let id = git_fed(&store, kind, bytes);
            String::from_utf8(id).unwrap().trim().to_owned()
        };
        let blob = ["hash-object", "-w", "--stdin"];
        let ours = object(&blob, work()[0].1.as_bytes());
        let other = object(&blob, b"something else\n");
        let lines = format!("100644 blob {ours}\to\n100644 blob {other}\tx\n");
        let mut tree = object(&["mktree"], lines.as_bytes());
        for _ in 0..depth {
            let lines = (0..10).map(|number| format!("040000 tree {tree}\t{number}\n"));
            tree = object(&["mktree"], lines.collect::<String>().as_bytes());
        }
        let commit = object(&["commit-tree", &tree, "-m", "all"], b"");
        git(&store, ["update-ref", "refs/heads/main", &commit]);
    }
    let begun = std::time::Instant::now();
    let records = scan_with(0, &input, &[&set]);
    assert!(begun.elapsed().as_secs() < 30);
    let five = records.at("copy", "in/five.git");
    assert_eq!(counted(five), (100_000, 100_000 * 15));
    assert_eq!(
        records.at("copy", "in/thirty.git")["unmatched_files"],
        Value::Null
    );
}
