//! Git stores, held against git itself: what `git cat-file --batch-all-objects` gives of a repository, the program
//! must give too, however it is kept.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Random, Records, git, git_fed, number, scan, scratch, sha256, text};

const INCOMPLETE: i32 = 3;

/// One object, as git tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    kind: String,
    sha256: String,
    bytes: u64,
}

/// Every object of a repository by its name.
#[track_caller]
fn told(repository: &Path) -> BTreeMap<String, Told> {
    let out = git(
        repository,
        ["cat-file", "--batch-all-objects", "--batch", "--unordered"],
    );
    let (mut objects, mut rest) = (BTreeMap::new(), &out[..]);
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap();
        let line = std::str::from_utf8(&rest[..end]).unwrap();
        let fields: Vec<_> = line.split(' ').collect();
        let len: usize = fields[2].parse().unwrap();
        let bytes = &rest[end + 1..end + 1 + len];
        objects.insert(
            fields[0].to_owned(),
            Told {
                kind: fields[1].to_owned(),
                sha256: sha256(bytes),
                bytes: len as u64,
            },
        );
        rest = &rest[end + len + 2..];
    }
    objects
}

/// The entries in a container by their names, without those of containers within.
fn entries(records: &Records, container: &str) -> BTreeMap<String, (String, u64)> {
    let prefix = format!("{container}!/");
    records
        .all("blob")
        .filter_map(|blob| {
            let name = text(blob, "locator").strip_prefix(&prefix)?;
            (!name.contains("!/")).then(|| {
                (
                    name.to_owned(),
                    (text(blob, "sha256").to_owned(), number(blob, "bytes")),
                )
            })
        })
        .collect()
}

/// Asserts that a container gave every object that git knows, and nothing else that is called by a name of git's.
#[track_caller]
fn assert_all(records: &Records, container: &str, told: &BTreeMap<String, Told>) {
    let mut found = entries(records, container);
    found.retain(|name, _| is_id(name));
    let expected: BTreeMap<_, _> = told
        .iter()
        .filter(|(_, object)| object.kind != "tree")
        .map(|(id, object)| (id.clone(), (object.sha256.clone(), object.bytes)))
        .collect();
    let names = |map: &BTreeMap<String, _>| map.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&found), names(&expected), "{:?}", records.problems());
    assert_eq!(found, expected);
}

fn is_id(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn trees(told: &BTreeMap<String, Told>) -> usize {
    told.values().filter(|object| object.kind == "tree").count()
}

/// Scans one path and records every blob.
#[track_caller]
fn scan_all(status: i32, path: &Path) -> Records {
    scan(
        status,
        [path.as_os_str(), "--record".as_ref(), "all".as_ref()],
    )
}

/// A repository with a history: files that change a little, folders, a tag, another branch, a branch that was deleted,
/// names that are no UTF-8.
fn repository(folder: &Path, more: &[&str]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let root = folder.join("repo");
    std::fs::create_dir_all(&root).unwrap();
    git(&root, ["init", "-q"].iter().chain(more));
    let mut random = Random::new(11);
    let mut lines: Vec<String> = (0..300).map(|_| random.text(40)).collect();
    std::fs::create_dir_all(root.join("src/deep/er")).unwrap();
    for number in 0..24 {
        lines[number * 7] = random.text(30);
        lines.push(random.text(50));
        std::fs::write(root.join("src/main.txt"), lines.join("\n")).unwrap();
        std::fs::write(root.join("src/deep/er/notes.txt"), random.text(400)).unwrap();
        if number % 5 == 0 {
            std::fs::write(
                root.join(OsStr::from_bytes(b"src/nam\xe9.txt")),
                random.text(90),
            )
            .unwrap();
        }
        commit(&root, number as u64);
        if number == 10 {
            git(&root, ["tag", "-a", "v1", "-m", "the first"]);
            git(&root, ["branch", "side"]);
        }
    }
    git(&root, ["checkout", "-q", "-b", "gone", "side"]);
    std::fs::write(
        root.join("secret.txt"),
        "only on a branch that was deleted\n",
    )
    .unwrap();
    commit(&root, 90);
    git(&root, ["checkout", "-q", "side"]);
    std::fs::write(root.join("aside.txt"), "only on the side\n").unwrap();
    commit(&root, 91);
    git(&root, ["checkout", "-q", "main"]);
    git(&root, ["branch", "-q", "-D", "gone"]);
    root
}

/// Commits everything, so many days after a day in 2020.
#[track_caller]
fn commit(root: &Path, day: u64) {
    let date = format!("--date={} +0100", 1_600_000_000 + day * 86_400);
    git(root, ["add", "-A"]);
    git(root, ["commit", "-q", "-m", &format!("day {day}"), &date]);
}

/// The packs of a repository.
fn packs(repository: &Path) -> Vec<PathBuf> {
    let folder = repository.join(".git/objects/pack");
    let mut packs: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "pack")
        })
        .collect();
    packs.sort();
    packs
}

/// Packs everything, unreachable objects too, with long chains; the one pack.
#[track_caller]
fn pack_all(root: &Path) -> PathBuf {
    let ids: String = told(root).into_keys().map(|id| id + "\n").collect();
    let arguments = [
        "pack-objects",
        "--depth=50",
        "--window=50",
        "--no-reuse-delta",
        "-q",
    ];
    git_fed(root, arguments.into_iter().chain(["all"]), ids.as_bytes());
    let mut found: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "pack")
        })
        .collect();
    assert_eq!(found.len(), 1);
    let pack = root.with_file_name("all.pack");
    std::fs::rename(found.remove(0), &pack).unwrap();
    pack
}

// ---------------------------------------------------------------------------------------------------------------
// Packs, bundles and loose objects by themselves

#[test]
fn a_pack_by_itself_gives_every_object() {
    let folder = scratch();
    let root = repository(folder.path(), &[]);
    let told = told(&root);
    let pack = pack_all(&root);
    let records = scan_all(0, &pack);
    assert_all(&records, "all.pack", &told);
    assert_eq!(
        number(&records.ledger()["other"], "git-tree"),
        trees(&told) as u64
    );
    // The same with differences that name their base, and inside of archives.
    let refs = git_fed(
        &root,
        ["pack-objects", "--stdout", "--no-reuse-delta", "-q"],
        told.keys()
            .map(|id| format!("{id}\n"))
            .collect::<String>()
            .as_bytes(),
    );
    let path = folder.path().join("refs.tgz");
    std::fs::write(&path, common::tgz(&[("a/b.bin", refs)])).unwrap();
    assert_all(&scan_all(0, &path), "refs.tgz!/a/b.bin", &told);
}

#[test]
fn a_pack_of_a_sha256_repository() {
    let folder = scratch();
    let root = repository(folder.path(), &["--object-format=sha256"]);
    let told = told(&root);
    let records = scan_all(0, &pack_all(&root));
    assert_all(&records, "all.pack", &told);
    assert_eq!(number(&records.ledger()["other"], "git-sha256"), 1);
}

#[test]
fn bundles_whole_and_thin() {
    let folder = scratch();
    let root = repository(folder.path(), &[]);
    let path = folder.path().join("whole.bundle");
    let name = path.to_str().unwrap();
    git(&root, ["bundle", "create", "-q", name, "--all"]);
    let clone = folder.path().join("clone.git");
    git(
        &root,
        ["clone", "-q", "--mirror", name, clone.to_str().unwrap()],
    );
    assert_all(&scan_all(0, &path), "whole.bundle", &told(&clone));

    let path = folder.path().join("third.bundle");
    let name = path.to_str().unwrap();
    git(
        &root,
        ["bundle", "create", "-q", "--version=3", name, "main"],
    );
    assert!(entries(&scan_all(0, &path), "third.bundle").len() > 50);

    let path = folder.path().join("thin.bundle");
    let name = path.to_str().unwrap();
    git(&root, ["bundle", "create", "-q", name, "main~2..main"]);
    let records = scan_all(INCOMPLETE, &path);
    assert!(
        records
            .problems()
            .iter()
            .any(|(code, _)| *code == "git-base-missing")
    );
    let found = entries(&records, "thin.bundle");
    let told = told(&root);
    let head = git(&root, ["rev-parse", "main"]);
    let head = std::str::from_utf8(&head).unwrap().trim();
    assert_eq!(found[head].0, told[head].sha256);
}

#[test]
fn a_loose_object_is_called_by_its_name() {
    let folder = scratch();
    let root = repository(folder.path(), &[]);
    let told = told(&root);
    let id = told
        .iter()
        .find(|(_, object)| object.kind == "blob")
        .unwrap()
        .0;
    let file = root.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    let copy = folder.path().join("x.bin");
    std::fs::copy(&file, &copy).unwrap();
    let records = scan_all(0, &copy);
    assert_eq!(entries(&records, "x.bin")[id].0, told[id].sha256);
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&copy, &bytes[..bytes.len() - 6]).unwrap();
    let records = scan_all(INCOMPLETE, &copy);
    assert_eq!(records.ledger()["damaged"]["git-object-damaged"], 1);
}

// ---------------------------------------------------------------------------------------------------------------
// Stores

/// Scans a folder that holds repositories; nothing of their git directories may be a unit of its own.
#[track_caller]
fn scan_stores(status: i32, folder: &Path) -> Records {
    let records = scan_all(status, folder);
    for blob in records.all("blob") {
        let file = text(blob, "locator").split("!/").next().unwrap();
        assert!(
            !file.contains("/objects/") && !file.ends_with("/HEAD"),
            "{file}"
        );
    }
    records
}

#[test]
fn a_store_is_one_unit_however_its_objects_are_kept() {
    let folder = scratch();
    let root = repository(&folder.path().join("in"), &[]);
    let input = folder.path().join("in");
    let told = told(&root);
    let check = |what: &str| {
        let records = scan_stores(0, &input);
        assert_all(&records, "in/repo/.git", &told);
        let other = &records.ledger()["other"];
        assert_eq!(number(other, "git-tree"), trees(&told) as u64, "{what}");
        // What is checked out are files as ever, and belongs to the same place.
        records.at("blob", "in/repo/src/main.txt");
        records.at("blob", "in/repo/.git!/config");
        records
    };
    let loose = check("loose");
    let loose = number(&loose.ledger()["other"], "git-loose");
    assert_eq!(loose, told.len() as u64);
    git(&root, ["repack", "-q", "-df"]);
    check("reachable ones packed, the others loose");
    git(
        &root,
        ["repack", "-q", "-adfk", "--depth=50", "--window=50"],
    );
    let records = check("one pack");
    assert!(records.ledger()["other"].get("git-loose").is_none());
    git(&root, ["gc", "-q", "--no-prune"]);
    check("collected, with a bitmap and a commit graph");
    // Once more beside it: every object twice.
    let again = folder.path().join("again");
    std::fs::create_dir(&again).unwrap();
    git(&again, ["init", "-q", "--bare"]);
    for pack in packs(&root) {
        git_fed(
            &again,
            ["unpack-objects", "-q"],
            &std::fs::read(&pack).unwrap(),
        );
    }
    for entry in std::fs::read_dir(again.join("objects")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name.len() == 2 {
            std::fs::rename(entry.path(), root.join(".git/objects").join(name)).unwrap();
        }
    }
    let records = check("packed and loose");
    assert!(number(&records.ledger()["other"], "git-stored-again") as usize >= told.len());
}

#[test]
fn several_packs_and_an_index_over_them() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    git(&root, ["repack", "-q", "-d"]);
    for number in 0..3 {
        std::fs::write(root.join("more.txt"), format!("{number}\n").repeat(50)).unwrap();
        commit(&root, 100 + number);
        git(&root, ["repack", "-q", "-d"]);
    }
    git(&root, ["multi-pack-index", "write"]);
    let told = told(&root);
    assert_eq!(packs(&root).len(), 4);
    assert_all(&scan_stores(0, &input), "in/repo/.git", &told);
    // Their own indexes are gone: the one over all is enough, and without any the packs tell themselves.
    for pack in packs(&root) {
        std::fs::remove_file(pack.with_extension("idx")).unwrap();
    }
    assert_all(&scan_stores(0, &input), "in/repo/.git", &told);
    std::fs::remove_file(root.join(".git/objects/pack/multi-pack-index")).unwrap();
    assert_all(&scan_stores(0, &input), "in/repo/.git", &told);
}

#[test]
fn old_indexes_and_sha256() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    git(
        &root,
        ["-c", "pack.indexVersion=1", "repack", "-q", "-adfk"],
    );
    assert_all(&scan_stores(0, &input), "in/repo/.git", &told(&root));

    let input = folder.path().join("wide");
    let root = repository(&input, &["--object-format=sha256"]);
    let before = told(&root);
    assert_all(&scan_stores(0, &input), "wide/repo/.git", &before);
    git(&root, ["repack", "-q", "-adfk"]);
    let records = scan_stores(0, &input);
    assert_all(&records, "wide/repo/.git", &before);
    assert_eq!(number(&records.ledger()["other"], "git-sha256"), 1);
}

#[test]
fn bare_stores_worktrees_and_submodules() {
    let folder = scratch();
    let root = repository(folder.path(), &[]);
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    let bare = input.join("bare.git");
    git(
        &root,
        ["clone", "-q", "--bare", ".", bare.to_str().unwrap()],
    );
    let records = scan_stores(0, &input);
    assert_all(&records, "in/bare.git", &told(&bare));
    // The store itself as an input.
    assert_all(&scan_all(0, &bare), "bare.git", &told(&bare));
    assert_all(&scan_all(0, &root.join(".git")), ".git", &told(&root));

    let whole = input.join("whole");
    git(&bare, ["worktree", "add", "-q", "../tree", "side"]);
    git(&root, ["clone", "-q", ".", whole.to_str().unwrap()]);
    git(
        &whole,
        ["submodule", "--quiet", "add", bare.to_str().unwrap(), "sub"],
    );
    commit(&whole, 200);
    let records = scan_stores(0, &input);
    assert_all(&records, "in/whole/.git", &told(&whole));
    let inner = told(&whole.join("sub"));
    assert_all(&records, "in/whole/.git/modules/sub", &inner);
    records.at("blob", "in/whole/sub/.git");
    records.at("blob", "in/tree/.git");
    records.at("blob", "in/tree/aside.txt");
    assert_eq!(records.problems(), []);
}

#[test]
fn shallow_partial_and_borrowing_clones() {
    let folder = scratch();
    let root = repository(folder.path(), &[]);
    git(&root, ["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", root.display());
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    let at = |name: &str| input.join(name).to_str().unwrap().to_owned();
    git(&root, ["clone", "-q", "--depth=2", &url, &at("shallow")]);
    git(
        &root,
        [
            "clone",
            "-q",
            "--filter=blob:none",
            "--no-checkout",
            &url,
            &at("partial"),
        ],
    );
    git(&root, ["clone", "-q", "--shared", ".", &at("shared")]);
    let records = scan_stores(0, &input);
    let codes: BTreeSet<_> = records.problems().into_iter().collect();
    assert_eq!(
        codes,
        BTreeSet::from([
            // What it borrows from is not in the input.
            ("git-borrowed", "in/shared/.git"),
            ("git-partial", "in/partial/.git"),
            ("git-shallow", "in/shallow/.git"),
        ])
    );
    assert_all(&records, "in/shallow/.git", &told(&input.join("shallow")));
    let partial = git(
        &input.join("partial"),
        [
            "cat-file",
            "--batch-all-objects",
            "--batch-check=%(objectname) %(objecttype)",
        ],
    );
    let partial = String::from_utf8(partial).unwrap();
    let commits = partial.lines().filter(|line| !line.ends_with("tree"));
    let found = entries(&records, "in/partial/.git");
    let found = found.keys().filter(|name| is_id(name)).count();
    assert_eq!(found, commits.count());
    // What it borrows belongs to another store: nothing of its own.
    let found = entries(&records, "in/shared/.git");
    assert!(!found.keys().any(|name| is_id(name)), "{found:?}");
}

// ---------------------------------------------------------------------------------------------------------------
// Damage

#[test]
fn damage_costs_what_depends_on_it_and_is_said() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    git(
        &root,
        ["repack", "-q", "-adfk", "--depth=50", "--window=50"],
    );
    let told = told(&root);
    let pack = packs(&root).remove(0);
    let whole = std::fs::read(&pack).unwrap();
    let set = |bytes: &[u8]| {
        let mut permissions = std::fs::metadata(&pack).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
        std::fs::set_permissions(&pack, permissions).unwrap();
        std::fs::write(&pack, bytes).unwrap();
    };
    let expected: BTreeMap<_, _> = (told.iter().filter(|(_, object)| object.kind != "tree"))
        .map(|(id, object)| (id.clone(), object.sha256.clone()))
        .collect();
    let mut random = Random::new(5);
    for round in 0..6 {
        let mut bytes = whole.clone();
        let at = 12 + (random.number() as usize) % (bytes.len() - 40);
        if round == 5 {
            bytes.truncate(bytes.len() / 2);
        } else {
            bytes[at..at + 4].fill(0xa5);
        }
        set(&bytes);
        for has_index in [true, false] {
            let index = pack.with_extension("idx");
            let aside = folder.path().join("idx");
            if !has_index {
                std::fs::rename(&index, &aside).unwrap();
            }
            let records = scan_stores(INCOMPLETE, &input);
            if !has_index {
                std::fs::rename(&aside, &index).unwrap();
            }
            let mut good = 0;
            for (name, (sha256, _)) in entries(&records, "in/repo/.git") {
                if is_id(&name) && expected.get(&name) == Some(&sha256) {
                    good += 1;
                } else if is_id(&name) {
                    // Not whole: then it is said at its place.
                    let at = format!("in/repo/.git!/{name}");
                    assert!(
                        records.problems().iter().any(|(_, locator)| *locator == at),
                        "{name}"
                    );
                }
            }
            let least = if round == 5 { 1 } else { expected.len() / 2 };
            assert!(
                good >= least,
                "{good} of {} in round {round}",
                expected.len()
            );
            let ledger = records.ledger();
            if has_index && round < 5 {
                // Every object that an index names is accounted for by its name; trees are none.
                let damaged: u64 = ["damaged", "skipped"]
                    .iter()
                    .flat_map(|key| ledger[key].as_object().unwrap().values())
                    .map(|count| count.as_u64().unwrap())
                    .sum();
                assert!(good as u64 + damaged >= expected.len() as u64, "{ledger}");
            }
        }
    }
}

#[test]
fn what_is_whole_elsewhere_is_not_lost() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    let told = told(&root);
    // The pack holds all that the loose ones hold; one of these is damaged.
    git(&root, ["repack", "-q", "-afk"]);
    let id = told
        .iter()
        .find(|(_, object)| object.kind == "blob" && object.bytes > 200)
        .unwrap()
        .0;
    let file = root.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    if file.exists() {
        std::fs::remove_file(&file).unwrap();
    }
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, common::gzip(b"no object at all")).unwrap();
    let records = scan_stores(0, &input);
    assert_all(&records, "in/repo/.git", &told);
    assert!(
        records
            .problems()
            .contains(&("git-object-damaged", "in/repo/.git"))
    );
}

// ---------------------------------------------------------------------------------------------------------------
// Where objects stand

/// What git tells of where each blob of a repository stands: its paths, the first and the last author date of commits
/// that hold it, and whether a name leads there.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Stands {
    paths: BTreeSet<Vec<u8>>,
    dates: Option<(i64, i64)>,
    standing: String,
}

/// Found out the long way: every tree of every commit.
fn stands(root: &Path, told: &BTreeMap<String, Told>) -> BTreeMap<String, Stands> {
    let commits = |arguments: &[&str]| -> BTreeSet<String> {
        let out = git(root, ["rev-list"].iter().chain(arguments));
        String::from_utf8(out)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let reachable = commits(&["--all"]);
    let head = git(root, ["rev-parse", "HEAD"]);
    let head = String::from_utf8(head).unwrap().trim().to_owned();
    let tips = git(
        root,
        ["for-each-ref", "--format=%(objectname) %(*objectname)"],
    );
    let tips = String::from_utf8(tips).unwrap();
    let tips: BTreeSet<&str> = tips.split_whitespace().collect();
    let mut found: BTreeMap<String, Stands> = BTreeMap::new();
    for (id, _) in told.iter().filter(|(_, object)| object.kind == "commit") {
        let date = git(root, ["log", "-1", "--format=%at", id]);
        let date: i64 = String::from_utf8(date).unwrap().trim().parse().unwrap();
        let rank = if *id == head {
            "a"
        } else if tips.contains(id.as_str()) {
            "b"
        } else if reachable.contains(id) {
            "c"
        } else {
            "d"
        };
        let rows = git(root, ["ls-tree", "-r", "-z", id]);
        for row in rows.split(|&byte| byte == 0).filter(|row| !row.is_empty()) {
            let tab = row.iter().position(|&byte| byte == b'\t').unwrap();
            let blob = std::str::from_utf8(&row[..tab])
                .unwrap()
                .rsplit(' ')
                .next()
                .unwrap();
            let stands = found.entry(blob.to_owned()).or_default();
            stands.paths.insert(row[tab + 1..].to_vec());
            let (first, last) = stands.dates.unwrap_or((date, date));
            stands.dates = Some((first.min(date), last.max(date)));
            if stands.standing.is_empty() || rank < stands.standing.as_str() {
                stands.standing = rank.to_owned();
            }
        }
    }
    for stands in found.values_mut() {
        stands.standing = match stands.standing.as_str() {
            "a" => "default-branch-head",
            "b" => "other-ref",
            "c" => "history-only",
            _ => "unreachable",
        }
        .to_owned();
    }
    found
}

#[track_caller]
fn assert_stands(
    records: &Records,
    store: &str,
    expected: &BTreeMap<String, Stands>,
    has_names: bool,
) {
    let mut seen = BTreeSet::new();
    for (id, stands) in expected {
        let blob = records.at("blob", &format!("{store}!/{id}"));
        let place = &blob["git"];
        assert_eq!(
            (text(place, "store"), text(place, "object")),
            (store, id.as_str())
        );
        assert_eq!(place["kind"], "blob");
        let paths: Vec<String> = stands
            .paths
            .iter()
            .map(|path| common::escaped(path))
            .collect();
        assert_eq!(place["paths"], serde_json::json!(paths), "{id}");
        assert_eq!(place["more_paths"], false);
        let date = |seconds: i64| {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds as u64);
            humantime::format_rfc3339_seconds(time).to_string()
        };
        let (first, last) = stands.dates.unwrap();
        assert_eq!(place["first"]["date"], date(first), "{id}");
        assert_eq!(place["last"]["date"], date(last), "{id}");
        if has_names {
            assert_eq!(
                place["standing"], stands.standing,
                "{id} {:?}",
                stands.paths
            );
            seen.insert(stands.standing.clone());
        } else {
            assert!(place["standing"].is_null());
        }
    }
    if has_names {
        assert_eq!(seen.len(), 4, "{seen:?}");
    }
}

#[test]
fn objects_are_told_with_paths_dates_and_standing() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    let told = told(&root);
    let expected = stands(&root, &told);
    assert!(expected.len() > 40);
    // Loose; with names in a list; in one pack; in a pack without an index.
    assert_stands(&scan_stores(0, &input), "in/repo/.git", &expected, true);
    git(&root, ["pack-refs", "--all"]);
    git(
        &root,
        ["repack", "-q", "-adfk", "--depth=50", "--window=50"],
    );
    assert_stands(&scan_stores(0, &input), "in/repo/.git", &expected, true);
    std::fs::remove_file(packs(&root).remove(0).with_extension("idx")).unwrap();
    assert_stands(&scan_stores(0, &input), "in/repo/.git", &expected, true);
    git(
        &root,
        ["index-pack", packs(&root).remove(0).to_str().unwrap()],
    );
    // A pack by itself has no names.
    let pack = pack_all(&root);
    assert_stands(&scan_all(0, &pack), "all.pack", &expected, false);
}

#[test]
fn a_bundle_tells_where_its_names_lead() {
    let folder = scratch();
    let root = repository(folder.path(), &[]);
    let path = folder.path().join("all.bundle");
    git(
        &root,
        [
            "bundle",
            "create",
            "-q",
            path.to_str().unwrap(),
            "HEAD",
            "--all",
        ],
    );
    let records = scan_all(0, &path);
    let mut seen = BTreeMap::new();
    for blob in records.all("blob") {
        if let Some(place) = blob["git"].as_object() {
            *seen.entry(place["standing"].to_string()).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn what_is_found_in_history_says_where_it_stands() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    let map = common::source_map(&[(
        "../src/app.ts",
        Some("export const a = 'in a map in an archive';\n"),
    )]);
    std::fs::create_dir_all(root.join("dist")).unwrap();
    std::fs::write(root.join("dist/app.js.map"), &map).unwrap();
    std::fs::write(
        root.join("dist/app.js"),
        "run();\n//# sourceMappingURL=app.js.map\n",
    )
    .unwrap();
    std::fs::write(root.join("old.tgz"), common::package(3)).unwrap();
    commit(&root, 60);
    git(&root, ["rm", "-q", "-r", "dist", "old.tgz"]);
    commit(&root, 61);
    git(&root, ["repack", "-q", "-adf"]);
    let records = scan_stores(0, &input);
    let source = |suffix: &str| {
        records
            .all("source")
            .find(|source| {
                let locator = text(source, "locator");
                locator.starts_with("in/repo/.git!/") && locator.ends_with(suffix)
            })
            .unwrap_or_else(|| panic!("no source {suffix}: {:?}", records.locators("source")))
    };
    let place = &source("/../src/app.ts")["git"];
    let id = git(&root, ["rev-parse", "HEAD~1:dist/app.js.map"]);
    assert_eq!(text(place, "object"), String::from_utf8(id).unwrap().trim());
    assert_eq!(place["paths"], serde_json::json!(["dist/app.js.map"]));
    assert_eq!(place["standing"], "history-only");
    assert_eq!(place["first"], place["last"]);
    let nested = records
        .all("source")
        .find(|source| text(source, "locator").contains("!/package/"));
    assert_eq!(
        nested.unwrap()["git"]["paths"],
        serde_json::json!(["old.tgz"])
    );
    // Exposures too, and the copy that is still checked out has none.
    assert!(
        records
            .all("exposure")
            .any(|row| row["git"]["standing"] == "history-only")
    );
}

#[test]
fn a_dotenv_file_that_was_deleted_is_still_out() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    std::fs::create_dir_all(root.join("deploy")).unwrap();
    std::fs::write(
        root.join("deploy/.env"),
        "API_KEY=an-invented-value-0123456789\n",
    )
    .unwrap();
    std::fs::write(
        root.join("deploy/a-copy.txt"),
        "API_KEY=an-invented-value-0123456789\n",
    )
    .unwrap();
    commit(&root, 60);
    git(&root, ["rm", "-q", "-r", "deploy"]);
    commit(&root, 61);
    git(&root, ["gc", "-q"]);
    let records = scan_stores(0, &input);
    let found = records
        .all("exposure")
        .find(|row| row["class"] == "dotenv")
        .expect("it is found");
    assert!(text(found, "locator").starts_with("in/repo/.git!/"));
    assert_eq!(found["git"]["standing"], "history-only");
    assert_eq!(
        found["git"]["paths"],
        serde_json::json!(
            ["deploy/a-copy.txt", "deploy/.env"]
                .iter()
                .collect::<BTreeSet<_>>()
        )
    );
    // The folder itself is told as it was before.
    assert!(
        records
            .all("exposure")
            .any(|row| row["class"] == "git-folder" && row["locator"] == "in/repo/.git!/HEAD")
    );
}

/// Who gives a repository knows that it is one. Within a package, an archive or a folder of other things it was published.
#[test]
fn a_repository_that_was_given_as_one_is_no_exposure_of_itself() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    let told = |arguments: &[&OsStr]| {
        let records = scan(0, arguments);
        let rows = records.all("exposure");
        let rows = rows.filter(|row| row["class"] == "git-folder");
        rows.map(|row| text(row, "locator").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&[input.as_os_str()]), ["in/repo/.git!/HEAD"]);
    assert_eq!(told(&[root.as_os_str()]), [""; 0]);
    let copies = OsStr::new("--copies-root");
    assert_eq!(
        told(&[input.as_os_str(), copies, input.as_os_str()]),
        [""; 0]
    );
    // What lies deeper in a copy, or in a package, somebody put there.
    let package = folder.path().join("package.tgz");
    let mut tar = Command::new("tar");
    tar.current_dir(&input)
        .arg("-czf")
        .arg(&package)
        .arg("repo");
    assert!(tar.output().unwrap().status.success());
    assert_eq!(
        told(&[package.as_os_str()]),
        ["package.tgz!/repo/.git!/HEAD"]
    );
    let deep = folder.path().join("deep");
    std::fs::create_dir_all(deep.join("copy/vendor")).unwrap();
    std::fs::rename(&root, deep.join("copy/vendor/tool")).unwrap();
    assert_eq!(
        told(&[deep.as_os_str(), copies, deep.as_os_str()]),
        ["deep/copy/vendor/tool/.git!/HEAD"]
    );
}

#[test]
fn a_store_in_an_archive_is_read_as_one_in_a_folder() {
    let folder = scratch();
    let root = repository(folder.path(), &[]);
    git(&root, ["repack", "-q", "-df"]);
    let told = told(&root);
    let expected = stands(&root, &told);
    let packed = |name: &str, program: &str, arguments: &[&str]| {
        let path = folder.path().join(name);
        let mut command = Command::new(program);
        command
            .current_dir(folder.path())
            .args(arguments)
            .arg(&path)
            .arg("repo");
        assert!(command.output().unwrap().status.success(), "{command:?}");
        path
    };
    // Python's zip takes no names that are not UTF-8; the store has none.
    let zipped = folder.path().join("b.zip");
    common::python(
        ["-m", "zipfile", "-c"]
            .map(OsStr::new)
            .into_iter()
            .chain([zipped.as_os_str(), root.join(".git").as_os_str()]),
    );
    let records = scan_all(0, &zipped);
    assert_all(&records, "b.zip!/.git", &told);
    assert_stands(&records, "b.zip!/.git", &expected, true);
    let paths = [
        packed("a.tgz", "tar", &["-czf"]),
        packed("a.tar", "tar", &["-cf"]),
    ];
    for path in paths {
        let records = scan_all(0, &path);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_all(&records, &format!("{name}!/repo/.git"), &told);
        assert_stands(&records, &format!("{name}!/repo/.git"), &expected, true);
        records.at("blob", &format!("{name}!/repo/src/main.txt"));
        records.at("blob", &format!("{name}!/repo/.git!/config"));
        assert_eq!(records.problems(), []);
    }
    // What is no store is what it was.
    let path = folder.path().join("b.tgz");
    std::fs::write(
        &path,
        common::tgz(&[("p/.git/HEAD", "ref: refs/heads/x"), ("p/a", "a")]),
    )
    .unwrap();
    scan_all(0, &path).at("blob", "b.tgz!/p/.git/HEAD");
}

#[test]
fn a_clone_that_borrows_knows_where_its_own_objects_stand() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    let shared = input.join("shared");
    git(&input, ["clone", "-q", "--shared", "repo", "shared"]);
    std::fs::write(shared.join("src/new.txt"), "only in the clone\n").unwrap();
    commit(&shared, 70);
    let id = git(&shared, ["rev-parse", "HEAD:src/new.txt"]);
    let id = String::from_utf8(id).unwrap().trim().to_owned();
    let records = scan_stores(0, &input);
    let place = &records.at("blob", &format!("in/shared/.git!/{id}"))["git"];
    assert_eq!(place["paths"], serde_json::json!(["src/new.txt"]));
    assert_eq!(place["standing"], "default-branch-head");
    assert_eq!(records.problems(), []);
    // Scanned by itself it says what it lacks.
    let records = scan_stores(0, &shared);
    assert_eq!(records.problems(), [("git-borrowed", "shared/.git")]);
    drop(root);
}

#[test]
fn a_thin_pack_finds_its_bases_in_the_store() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    git(&root, ["repack", "-q", "-adfk"]);
    let before = told(&root);
    // What a push that was stopped leaves: a thin pack, as it came over the wire.
    let text = std::fs::read_to_string(root.join("src/main.txt")).unwrap();
    std::fs::write(root.join("src/main.txt"), format!("{text}\none line more")).unwrap();
    commit(&root, 80);
    let thin = git_fed(
        &root,
        ["pack-objects", "--stdout", "--thin", "--revs", "-q"],
        b"main\n^main~1\n",
    );
    let after = told(&root);
    let new: Vec<_> = after
        .keys()
        .filter(|id| !before.contains_key(*id))
        .collect();
    for id in &new {
        std::fs::remove_file(root.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    }
    std::fs::write(root.join(".git/objects/pack/pack-thin.pack"), thin).unwrap();
    assert_all(&scan_stores(0, &input), "in/repo/.git", &after);
}

#[test]
fn the_same_whatever_the_number_of_threads() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    git(&root, ["repack", "-q", "-d"]);
    git(&input, ["clone", "-q", "--bare", "repo", "fork.git"]);
    let with = |jobs: &str| {
        let arguments = [
            input.as_os_str(),
            "--record".as_ref(),
            "all".as_ref(),
            "--jobs".as_ref(),
            jobs.as_ref(),
        ];
        scan(0, arguments).normalised()
    };
    common::assert_same(&with("1"), &with("4"), "one thread and four");
}

#[test]
fn a_match_in_history_says_where_it_stands() {
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    let set = common::sign_incident(folder.path());
    let from = common::incident().join("acme-cli/src/cli.ts");
    std::fs::copy(&from, root.join("taken.ts")).unwrap();
    commit(&root, 60);
    std::fs::remove_file(root.join("taken.ts")).unwrap();
    commit(&root, 61);
    let records = scan(
        0,
        [input.as_os_str(), "--signatures".as_ref(), set.as_os_str()],
    );
    let found: Vec<_> = records.all("match").collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["git"]["paths"], serde_json::json!(["taken.ts"]));
    assert_eq!(found[0]["git"]["standing"], "history-only");
    // It counts for the repository, whose files are checked out beside it.
    assert_eq!(records.locators("copy"), ["in/repo"]);
}

#[test]
fn an_index_that_lies_is_found_out() {
    use std::os::unix::fs::PermissionsExt;
    let folder = scratch();
    let input = folder.path().join("in");
    let root = repository(&input, &[]);
    git(&root, ["repack", "-q", "-adfk"]);
    let told = told(&root);
    let index = packs(&root).remove(0).with_extension("idx");
    std::fs::set_permissions(&index, std::fs::Permissions::from_mode(0o644)).unwrap();
    let whole = std::fs::read(&index).unwrap();
    // One object goes by another's name.
    let mut bytes = whole.clone();
    let names = 8 + 256 * 4;
    bytes.copy_within(names..names + 20, names + 20);
    std::fs::write(&index, &bytes).unwrap();
    let records = scan_stores(0, &input);
    assert_all(&records, "in/repo/.git", &told);
    assert!(
        records
            .problems()
            .iter()
            .any(|(code, _)| *code == "git-id-mismatch")
    );
    // It does not name one of them: the pack does.
    let mut bytes = whole.clone();
    let count = told.len();
    bytes[8 + 255 * 4..names].copy_from_slice(&(count as u32 - 1).to_be_bytes());
    std::fs::write(&index, &bytes).unwrap();
    assert_all(&scan_stores(0, &input), "in/repo/.git", &told);
    // It is something else.
    std::fs::write(&index, b"no index").unwrap();
    let records = scan_stores(0, &input);
    assert_all(&records, "in/repo/.git", &told);
    assert_eq!(records.problems(), [("git-index-damaged", "in/repo/.git")]);
}
