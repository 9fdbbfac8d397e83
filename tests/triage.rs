//! Triage, held against a scan of the same input: what it proves a scan finds too, and what a scan finds beyond it lies
//! in something that the triage said it did not look at.

mod common;

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use common::{
    Random, Records, assert_same, export, git, git_fed, number, python, run, scan, scratch, text,
};

const INCOMPLETE: i32 = 3;

/// Files of the work.
const FILES: usize = 40;

/// The content of a file of the work; lengths differ.
fn content(number: usize) -> String {
    let mut random = Random::new(1_000 + number as u64);
    (0..5 + number)
        .map(|_| random.text(50) + "\n")
        .collect::<String>()
}

/// Signs the work: `src/N.ts`, with the names beside the set.
fn work(folder: &Path) -> PathBuf {
    let tree = folder.join("work");
    std::fs::create_dir_all(&tree).unwrap();
    for number in 0..FILES {
        std::fs::write(tree.join(format!("{number}.ts")), content(number)).unwrap();
    }
    let set = folder.join("work.sigset");
    let arguments: [&OsStr; 8] = [
        "sign".as_ref(),
        tree.as_ref(),
        "--work".as_ref(),
        "acme".as_ref(),
        "--release".as_ref(),
        "1".as_ref(),
        "--output".as_ref(),
        set.as_ref(),
    ];
    run(arguments).expect(0);
    set
}

/// A repository with files of the work among two hundred others; `.git` is in it.
fn repository(root: &Path, planted: &[usize], more: &[&str]) {
    std::fs::create_dir_all(root).unwrap();
    git(root, ["init", "-q"].iter().chain(more));
    let mut random = Random::new(planted[0] as u64);
    for number in 0..200 {
        std::fs::write(root.join(format!("{number}.txt")), random.text(300)).unwrap();
    }
    git(root, ["add", "-A"]);
    git(root, ["commit", "-q", "-m", "others"]);
    for number in planted {
        std::fs::write(root.join(format!("copied-{number}.ts")), content(*number)).unwrap();
        git(root, ["add", "-A"]);
        git(root, ["commit", "-q", "-m", "one more"]);
    }
}

/// Leaves nothing but the store.
fn drop_worktree(root: &Path) {
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::remove_file(path).unwrap();
        }
    }
}

fn packs_of(root: &Path) -> PathBuf {
    root.join(".git/objects/pack")
}

/// Files with an extension in a folder.
fn with_extension(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    found.sort();
    found
}

fn arguments(input: &Path, set: &Path, more: &[&str]) -> Vec<OsString> {
    let mut all: Vec<OsString> = vec![input.into(), "--signatures".into(), set.into()];
    all.extend(more.iter().map(OsString::from));
    all
}

fn triage(input: &Path, set: &Path) -> Records {
    scan(INCOMPLETE, arguments(input, set, &["--triage"]))
}

/// Locators and files of all matches, and what each rests on.
fn matches(records: &Records) -> BTreeSet<(String, String, String)> {
    records
        .all("match")
        .map(|found| {
            let field = |key| text(found, key).to_owned();
            (field("locator"), field("file"), field("basis"))
        })
        .collect()
}

/// One file of the work in each kind of place.
fn places(folder: &Path) -> PathBuf {
    let root = folder.join("in");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("plain.ts"), content(0)).unwrap();

    repository(&root.join("packed"), &[1, 2], &[]);
    git(&root.join("packed"), ["gc", "-q"]);
    repository(&root.join("loose"), &[3], &[]);
    // Without their own indexes, so that the one over both is all there is.
    let multi = root.join("multi");
    repository(&multi, &[4], &[]);
    git(&multi, ["repack", "-q", "-d"]);
    std::fs::write(multi.join("copied-5.ts"), content(5)).unwrap();
    git(&multi, ["add", "-A"]);
    git(&multi, ["commit", "-q", "-m", "two"]);
    git(&multi, ["repack", "-q", "-d"]);
    git(&multi, ["multi-pack-index", "write"]);
    for path in with_extension(&packs_of(&multi), "idx") {
        std::fs::remove_file(path).unwrap();
    }
    // Packs that hold the same, and a loose object that is packed too.
    let again = root.join("again");
    repository(&again, &[6], &[]);
    git(&again, ["repack", "-q", "-a", "-d"]);
    git_fed(
        &again,
        ["hash-object", "-w", "--stdin"],
        content(6).as_bytes(),
    );
    for name in ["packed", "loose", "multi", "again"] {
        drop_worktree(&root.join(name));
    }
    git(&root, ["clone", "-q", "--bare", "packed", "bare"]);
    repository(&root.join("sha256"), &[7], &["--object-format=sha256"]);
    drop_worktree(&root.join("sha256"));
    repository(&root.join("unindexed"), &[8], &[]);
    git(&root.join("unindexed"), ["gc", "-q"]);
    for path in with_extension(&packs_of(&root.join("unindexed")), "idx") {
        std::fs::remove_file(path).unwrap();
    }
    drop_worktree(&root.join("unindexed"));

    let within = folder.join("within");
    repository(&within, &[9], &[]);
    git(&within, ["gc", "-q"]);
    drop_worktree(&within);
    git(
        &within,
        ["bundle", "create", "-q", "../in/history.bundle", "--all"],
    );
    let files = folder.join("files");
    std::fs::create_dir_all(&files).unwrap();
    for number in 10..20 {
        std::fs::write(files.join(format!("{number}.ts")), content(number)).unwrap();
    }
    python([
        OsStr::new("-c"),
        OsStr::new(
            "
import gzip, lzma, sys, tarfile, zipfile
files, within, root = sys.argv[1:]
name = lambda number: f'{files}/{number}.ts'
with tarfile.open(f'{root}/members.tar', 'w', format=tarfile.PAX_FORMAT) as tar:
    tar.add(name(10), 'long/' * 60 + '10.ts')
    tar.add(name(10), 'twice.ts')
    tar.add(name(11), 'twice.ts')
    tar.add(within + '/.git', 'clone/.git')
with tarfile.open(f'{root}/members.tgz', 'w:gz') as tar:
    tar.add(name(12), '12.ts')
with zipfile.ZipFile(f'{root}/stored.zip', 'w') as archive:
    archive.write(name(13), '13.ts')
with zipfile.ZipFile(f'{root}/deflated.jar', 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.write(name(14), '14.ts')
    archive.writestr('other.txt', b'nothing of the work' * 100)
with open(name(15), 'rb') as file:
    content = file.read()
with gzip.open(f'{root}/one.gz', 'wb') as out:
    out.write(content)
with lzma.open(f'{root}/one.xz', 'wb') as out:
    out.write(content)
",
        ),
        files.as_os_str(),
        within.as_os_str(),
        root.as_os_str(),
    ]);
    root
}

#[test]
fn what_headers_carry_is_found_and_the_rest_is_named() {
    let folder = scratch();
    let set = work(folder.path());
    let root = places(folder.path());
    let found = triage(&root, &set);
    let told = matches(&found);

    let of_basis = |basis: &str| -> BTreeSet<(String, String)> {
        let of = told.iter().filter(|(_, _, found)| found == basis);
        of.map(|(locator, file, _)| {
            let container = locator
                .rsplit_once("!/")
                .map_or("", |(container, _)| container);
            (container.to_owned(), file.clone())
        })
        .collect()
    };
    let expected = |rows: &[(&str, usize)]| -> BTreeSet<(String, String)> {
        let rows = rows.iter();
        rows.map(|(container, number)| ((*container).to_owned(), format!("{number}.ts")))
            .collect()
    };
    assert_eq!(
        of_basis("id"),
        expected(&[
            ("in/packed/.git", 1),
            ("in/packed/.git", 2),
            ("in/bare", 1),
            ("in/bare", 2),
            ("in/loose/.git", 3),
            ("in/multi/.git", 4),
            ("in/multi/.git", 5),
            ("in/again/.git", 6),
            ("in/members.tar!/clone/.git", 9),
        ])
    );
    assert_eq!(
        of_basis("content"),
        expected(&[
            ("", 0),
            ("in/members.tar", 10),
            ("in/members.tar", 11),
            ("in/stored.zip", 13),
        ])
    );
    assert_eq!(of_basis("header"), expected(&[("in/deflated.jar", 14)]));
    let second = found
        .all("match")
        .find(|found| text(found, "file") == "11.ts")
        .unwrap();
    assert_eq!(text(second, "locator"), "in/members.tar!/twice.ts#2");
    for found in found.all("match") {
        let is_hint = found["basis"] == "header";
        assert_eq!(found["grade"] == "hinted", is_hint, "{found}");
        assert_eq!(
            found["sha256"].is_null(),
            found["basis"] != "content",
            "{found}"
        );
    }

    // A scan of the same.
    let all = scan(0, arguments(&root, &set, &[]));
    let whole: BTreeSet<_> = matches(&all)
        .into_iter()
        .map(|(locator, file, _)| (locator, file))
        .collect();
    let proven: BTreeSet<_> = told
        .iter()
        .map(|(locator, file, _)| (locator.clone(), file.clone()))
        .collect();
    assert!(
        proven.is_subset(&whole),
        "{:#?}",
        proven.difference(&whole).collect::<Vec<_>>()
    );
    let named: Vec<&str> = found
        .all("problem")
        .filter(|problem| text(problem, "code").starts_with("triage-"))
        .map(|problem| text(problem, "locator"))
        .collect();
    let beyond: Vec<_> = whole.difference(&proven).collect();
    for number in [7, 8, 9, 12, 15] {
        let file = format!("{number}.ts");
        assert!(beyond.iter().any(|(_, found)| *found == file), "{beyond:?}");
    }
    for (locator, _) in beyond {
        let is_named = |name: &&str| {
            *name != "in"
                && locator
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with("!/"))
        };
        assert!(named.iter().any(is_named), "{locator}: {named:?}");
    }

    // What it counts is what git counts.
    let packed = git(&root.join("packed"), ["count-objects", "-v"]);
    let packed = String::from_utf8(packed).unwrap();
    let objects = packed
        .lines()
        .find_map(|line| line.strip_prefix("in-pack: "));
    let said = found
        .all("problem")
        .find(|problem| problem["code"] == "triage-id" && problem["locator"] == "in/packed/.git");
    let said = text(said.unwrap(), "detail").to_owned();
    assert!(
        said.starts_with(&format!("{} objects", objects.unwrap())),
        "{said}"
    );
    assert_eq!(found.ledger()["complete"], false);
    assert_eq!(found.0[0]["triage"], true);
    assert_eq!(all.0[0]["triage"], false);

    // The packed zip may hold a file: that is no copy.
    assert_eq!(found.locators("suspect"), ["in/deflated.jar"]);
    let jar = |record: &&serde_json::Value| record["locator"] == "in/deflated.jar";
    assert!(!found.all("copy").any(|copy| jar(&&copy.clone())));
    let classes: BTreeSet<_> = found
        .all("examined")
        .map(|examined| text(examined, "class").to_owned())
        .collect();
    assert!(
        !classes.contains("unrelated") && classes.contains("undecided"),
        "{classes:?}"
    );
}

#[test]
fn the_same_whatever_the_number_of_threads_and_a_case_begins_anew() {
    let folder = scratch();
    let set = work(folder.path());
    let root = places(folder.path());
    let jobs = |jobs: &str| {
        let more = ["--triage", "--jobs", jobs];
        scan(INCOMPLETE, arguments(&root, &set, &more)).normalised()
    };
    assert_same(&jobs("1"), &jobs("3"), "one thread and three");

    let case = folder.path().join("a.case");
    let path = case.to_str().unwrap();
    run([OsString::from("scan")].into_iter().chain(arguments(
        &root,
        &set,
        &["--triage", "--case", path],
    )))
    .expect(INCOMPLETE)
    .prints("git objects known by name only");
    run([OsString::from("scan")]
        .into_iter()
        .chain(arguments(&root, &set, &["--case", path])))
    .expect(0);
    let fresh = scan(0, arguments(&root, &set, &[])).normalised();
    assert_same(&export(&case), &fresh, "a scan after a triage, and a scan");
}

#[test]
fn an_index_that_lies_is_said() {
    let folder = scratch();
    let set = work(folder.path());
    let root = folder.path().join("repo");
    repository(&root, &[1, 2], &[]);
    git(&root, ["gc", "-q"]);
    drop_worktree(&root);
    let index = with_extension(&packs_of(&root), "idx").remove(0);
    let good = std::fs::read(&index).unwrap();
    let mut permissions = std::fs::metadata(&index).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    std::fs::set_permissions(&index, permissions).unwrap();
    let before = matches(&triage(&root, &set));
    assert_eq!(before.len(), 2);

    const NAMES: usize = 8 + 1_024;
    let count = u32::from_be_bytes(good[NAMES - 4..NAMES].try_into().unwrap());
    let mut unsorted = good.clone();
    let (one, other) = unsorted[NAMES..].split_at_mut(20);
    one.swap_with_slice(&mut other[..20]);
    let mut sums = good.clone();
    sums[8 + 4 * 77] = 0xff;
    let stated = |count: u32| {
        let mut bytes = good.clone();
        bytes[NAMES - 4..NAMES].copy_from_slice(&count.to_be_bytes());
        bytes
    };
    let cases = [
        (unsorted, "out of order", true),
        (sums, "table of sums", true),
        (stated(count - 1), "its pack states", false),
        (stated(u32::MAX), "of no use", false),
        (good[..good.len() / 2].to_vec(), "of no use", false),
    ];
    for (bytes, says, finds_all) in cases {
        std::fs::write(&index, bytes).unwrap();
        let records = triage(&root, &set);
        let mut told = records.all("problem");
        assert!(
            told.any(|problem| problem["code"] == "git-index-damaged"
                && text(problem, "detail").contains(says)),
            "{says}: {:?}",
            records.problems()
        );
        let found = matches(&records);
        assert!(found.is_subset(&before), "{says}: {found:?}");
        assert!(found == before || !finds_all, "{says}: {found:?}");
        // What it may have left out is told as not looked at.
        let left: Vec<_> = records.problems();
        assert!(
            finds_all || left.iter().any(|(code, _)| *code == "triage-packed"),
            "{left:?}"
        );
    }
}

#[test]
fn headers_of_a_zip_that_lie_make_no_copy() {
    let folder = scratch();
    let set = work(folder.path());
    let zip = folder.path().join("liar.zip");
    python([
        OsStr::new("-c"),
        OsStr::new(
            "
import struct, sys, zipfile, zlib
content = open(sys.argv[1], 'rb').read()
with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.writestr('a.ts', b'something else altogether' * 20)
data = bytearray(open(sys.argv[2], 'rb').read())
entry = data.index(b'PK\\x01\\x02')
data[entry + 16:entry + 20] = struct.pack('<I', zlib.crc32(content))
data[entry + 24:entry + 28] = struct.pack('<I', len(content))
open(sys.argv[2], 'wb').write(data)
",
        ),
        folder.path().join("work/3.ts").as_os_str(),
        zip.as_os_str(),
    ]);
    let records = triage(&zip, &set);
    let found: Vec<_> = records.all("match").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["grade"], &found[0]["basis"]),
        (&"hinted".into(), &"header".into())
    );
    assert_eq!(records.all("copy").count(), 0);
    assert_eq!(records.all("suspect").count(), 1);
    // A stored entry is read: there a lie is found out.
    python([
        OsStr::new("-c"),
        OsStr::new(
            "
import struct, sys, zipfile, zlib
content = open(sys.argv[1], 'rb').read()
with zipfile.ZipFile(sys.argv[2], 'w') as archive:
    archive.writestr('a.ts', b'x' * len(content))
data = bytearray(open(sys.argv[2], 'rb').read())
entry = data.index(b'PK\\x01\\x02')
data[entry + 16:entry + 20] = struct.pack('<I', zlib.crc32(content))
open(sys.argv[2], 'wb').write(data)
",
        ),
        folder.path().join("work/3.ts").as_os_str(),
        zip.as_os_str(),
    ]);
    assert_eq!(triage(&zip, &set).all("match").count(), 0);
}

#[test]
fn a_triage_needs_something_to_look_for_and_keeps_no_digests() {
    let folder = scratch();
    let set = work(folder.path());
    let input = folder.path().join("work");
    run([OsStr::new("scan"), input.as_ref(), "--triage".as_ref()])
        .expect(2)
        .says("--signatures");
    for more in [["--record", "all"], ["--fail-on", "high"]] {
        let all = arguments(&input, &set, &["--triage", more[0], more[1]]);
        run([OsString::from("scan")].into_iter().chain(all))
            .expect(2)
            .says("--triage");
    }
    // Even where every file was read: nothing but equal bytes was looked for.
    let records = triage(&input, &set);
    assert_eq!(records.all("match").count(), FILES);
    assert_eq!(number(records.ledger(), "scanned"), FILES as u64);
    assert_eq!(records.ledger()["complete"], false);
}
