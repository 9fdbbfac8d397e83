//! What became of notices, with dates held against Python's datetime; and who wrote a work, held against git.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::common::{self, git, incident, python, sql};
use super::{Place, copy_tree};

/// Puts a notice into a case as it is drafted.
fn put_notice(place: &Place, id: &str, host: &str, rows: &[&str]) {
    let rows: Vec<String> = rows.iter().map(|row| format!("\"{row}\"")).collect();
    let json = format!(
        "{{\"id\":\"{id}\",\"host\":\"{host}\",\"network\":null,\"drafted\":\"2026-04-01T09:00:00Z\",\"actor\":\"r\",\"folder\":\"out\",\"sha256\":\"00\",\"rows\":[{}],\"overrides\":[],\"follows\":null}}",
        rows.join(",")
    );
    sql(
        &place.path("it.case"),
        &format!("INSERT INTO notice (id, json) VALUES ('{id}', '{json}')"),
    );
}

#[test]
fn what_became_of_notices_is_written_down_and_what_follows_is_told() {
    let place = Place::new();
    let ids = place.ids();
    place
        .case(&[
            "notice",
            "set",
            "CASE",
            "n1",
            "sent",
            "--date",
            "2026-04-01",
        ])
        .expect(2)
        .says("this case has no notices");
    put_notice(&place, "n1", "github", &[&ids["a"], &ids["b"]]);
    put_notice(&place, "n2", "gitlab", &[&ids["c"]]);
    let set = |words: &[&str]| place.case(&[&["notice", "set", "CASE"], words].concat());
    set(&["n9", "sent", "--date", "2026-04-01"])
        .expect(2)
        .says("no notice n9; this case has n1, n2");
    set(&["n1", "sent", "--date", "1.4.2026"])
        .expect(2)
        .says("2026-04-01");
    set(&["n1", "removed", "--date", "2026-04-02"])
        .expect(0)
        .says("never set as sent");
    set(&[
        "n1",
        "sent",
        "--date",
        "2026-04-01",
        "--reference",
        "1234567",
    ])
    .expect(0)
    .prints("2026-04-01 n1 sent (1234567)");
    set(&[
        "n1",
        "counter",
        "--date",
        "2026-04-10",
        "--note",
        "two lines\nof it",
    ])
    .expect(0);
    set(&["n2", "sent", "--date", "2026-04-13"]).expect(0);
    place
        .review(&["--reject", &ids["b"], "--by", "R"])
        .expect(0);
    let listed = place
        .case(&["notice", "list", "CASE", "--today", "2026-04-27"])
        .expect(0);
    let heads: Vec<&str> = listed
        .text()
        .lines()
        .filter(|line| line.starts_with("overdue ") || line.starts_with("due "))
        .collect();
    assert_eq!(heads.len(), 3, "{listed}");
    assert!(heads[0].starts_with("overdue"), "{listed}");
    assert!(heads.last().unwrap().starts_with("due"), "{listed}");
    listed
        .prints("by 2026-04-24  n1  you: tell the host that a suit was filed")
        .prints("2026-04-24 to 2026-04-30  n1  host: the content comes back")
        .prints("by 2026-04-14  n2  host")
        .prints("unchecked")
        .prints(&format!("1 of its rows rejected since: {}", ids["b"]));
    // A lawyer's own table stands instead.
    let own = place.path("own.toml");
    std::fs::write(&own, "holidays = [\"2026-04-13\"]\n[[deadline]]\nid = \"own\"\nhosts = [\"*\"]\nafter = \"counter\"\nby = \"you\"\nwhat = \"call\"\ndays = [1, 1]\ncount = \"business\"\nground = \"g\"\nchecked = \"read\"\n").unwrap();
    place
        .case(&[
            "notice",
            "list",
            "CASE",
            "--deadlines",
            own.to_str().unwrap(),
            "--today",
            "2026-04-11",
        ])
        .expect(0)
        .prints("due      2026-04-14  n1  you: call");
    std::fs::write(&own, "[[deadline]]\nid = \"own\"\n").unwrap();
    place
        .case(&[
            "notice",
            "list",
            "CASE",
            "--deadlines",
            own.to_str().unwrap(),
        ])
        .expect(2)
        .says("own.toml");
    place
        .case(&["custody", "CASE"])
        .expect(0)
        .prints("case notice set n1 counter 2026-04-10");
}

/// Dates as Python counts them.
#[test]
fn days_are_counted_as_python_counts_them() {
    const SCRIPT: &str = "
import datetime as d
on = d.date(2023, 12, 1)
for step in range(0, 900, 7):
    start = on + d.timedelta(days=step)
    for days in (1, 5, 10, 14):
        plain = start + d.timedelta(days=days)
        day, left = start, days
        while left:
            day += d.timedelta(days=1)
            left -= day.weekday() < 5
        print(start, days, plain, day)
";
    let told = python(["-c", SCRIPT]);
    let mut text = String::new();
    for (number, line) in common::lines(&told).enumerate() {
        let line = std::str::from_utf8(line).unwrap();
        let [on, days, plain, business] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        for (count, end) in [("calendar", plain), ("business", business)] {
            text += &format!(
                "[[deadline]]\nid = \"{count}-{number}\"\nhosts = [\"*\"]\nafter = \"sent\"\nby = \"you\"\nwhat = \"w\"\nground = \"g\"\nchecked = \"read\"\ndays = [{days}, {days}]\ncount = \"{count}\"\nexample = {{ on = \"{on}\", from = \"{end}\", to = \"{end}\" }}\n"
            );
        }
    }
    // The program holds every example of a table against its own counting.
    let place = Place::new();
    let path = place.path("python.toml");
    std::fs::write(&path, &text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let list = |path: &str| place.case(&["notice", "list", "CASE", "--deadlines", path]);
    list(&path).expect(0);
    std::fs::write(
        &path,
        text.replacen("to = \"2023-12-", "to = \"2022-12-", 1),
    )
    .unwrap();
    list(&path).expect(2).says("its example");
}

/// A repository of the vendor in which the signed tree lies in `cli`, with branches, a merge, an edit beside, and a revert.
fn vendor(place: &Place) -> PathBuf {
    let repo = place.path("vendor");
    std::fs::create_dir(&repo).unwrap();
    git(&repo, ["init", "-q"]);
    let mut day = 0;
    let mut commit = |author: &str, message: &str| {
        day += 1;
        let date = format!("2026-01-{day:02}T12:00:00Z");
        git(&repo, ["add", "-A"]);
        git(
            &repo,
            [
                "commit",
                "-q",
                "--allow-empty",
                "--author",
                author,
                "--date",
                &date,
                "-m",
                message,
            ],
        );
    };
    copy_tree(&incident().join("acme-cli/src"), &repo.join("cli"));
    commit("Ann <ann@acme.example>", "All of it");
    let files = files_below(&repo.join("cli"));
    let append = |number: usize, text: &str| {
        let path = &files[number];
        let mut bytes = std::fs::read(path).unwrap();
        bytes.extend_from_slice(text.as_bytes());
        std::fs::write(path, bytes).unwrap();
    };
    append(0, "// one\n");
    append(1, "// one\n");
    commit(
        "Bob <bob@acme.example>",
        "Two files\n\nCo-authored-by: Helper <helper@tool.example>\nCo-Authored-By: =Odd, Name <odd@tool.example>",
    );
    git(&repo, ["checkout", "-q", "-b", "side"]);
    append(0, "// side\n");
    commit("Cleo <cleo@acme.example>", "On a side");
    git(&repo, ["checkout", "-q", "main"]);
    append(2, "// main\n");
    commit("Ann <ann@acme.example>", "On main");
    git(&repo, ["merge", "-q", "--no-ff", "--no-commit", "side"]);
    append(5, "// in the merge\n");
    commit("In <the@merge.example>", "Joined");
    git(&repo, ["checkout", "-q", "-b", "other", "HEAD~1"]);
    append(0, "// side\n");
    commit("Dan <dan@acme.example>", "The same again");
    git(&repo, ["checkout", "-q", "main"]);
    git(&repo, ["merge", "-q", "-m", "Nothing new", "other"]);
    std::fs::remove_file(&files[3]).unwrap();
    commit("Ann <ann@acme.example>", "One less");
    let mut marked = b"// Code generated by protoc. DO NOT EDIT.\n".to_vec();
    marked.extend(std::fs::read(&files[4]).unwrap());
    std::fs::write(&files[4], marked).unwrap();
    commit("Bot <bot@acme.example>", "Generated");
    repo
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn who_wrote_what_is_what_git_says() {
    let place = Place::new();
    let repo = vendor(&place);
    let rows = |repo: &Path, name: &str, status: i32| {
        let out = place.path(name);
        place
            .case(&[
                "authorship",
                "CASE",
                "--below",
                "cli",
                "--history",
                repo.to_str().unwrap(),
                "--output",
                out.to_str().unwrap(),
            ])
            .expect(status);
        const SCRIPT: &str = "import csv, json, sys\nprint(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8')))))";
        let told = python([OsStr::new("-c"), OsStr::new(SCRIPT), out.as_os_str()]);
        let rows: Vec<BTreeMap<String, String>> = serde_json::from_slice(&told).unwrap();
        rows
    };
    let told = rows(&repo, "loose.csv", 0);
    assert_eq!(told.len(), 45);
    // By path, what git says that each commit of any branch changed; of a merge, what is otherwise than in all of its parents.
    let log = git(
        &repo,
        [
            "log",
            "--all",
            "-c",
            "--no-renames",
            "--name-only",
            "--format=%x00%at %an <%ae>",
        ],
    );
    let log = String::from_utf8(log).unwrap();
    let mut by_path: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for commit in log.split('\0').skip(1) {
        let mut lines = commit.lines().filter(|line| !line.is_empty());
        let head = lines.next().unwrap();
        for path in lines {
            by_path.entry(path).or_default().push(head);
        }
    }
    assert!(log.contains("In <the@merge.example>"));
    for row in &told {
        let mut commits = by_path[row["path"].as_str()].clone();
        commits.sort_unstable();
        assert_eq!(row["commits"], commits.len().to_string(), "{row:?}");
        let mut authors: BTreeMap<&str, u64> = BTreeMap::new();
        for commit in &commits {
            *authors
                .entry(commit.split_once(' ').unwrap().1)
                .or_default() += 1;
        }
        for (author, count) in authors {
            assert!(
                row["authors"].contains(&format!("{author} ({count})")),
                "{row:?}"
            );
        }
        let day = |line: Option<&&str>| {
            line.unwrap()
                .split(' ')
                .next()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        let time = |seconds| humantime(seconds);
        assert_eq!(row["first"], time(day(commits.first())), "{row:?}");
        assert_eq!(row["last"], time(day(commits.last())), "{row:?}");
    }
    let of = |marks: &str| {
        told.iter()
            .filter(|row| row["generated"].contains(marks))
            .count()
    };
    assert_eq!(
        (of("marked: code generated by"), of("not looked at")),
        (1, 1)
    );
    assert_eq!(
        told.iter()
            .filter(|row| row["in-history"] == "earlier")
            .count(),
        1
    );
    let helped = told
        .iter()
        .filter(|row| row["co-authors"].contains("Helper <helper@tool.example> (1)"));
    assert_eq!(helped.count(), 2);
    // Packed it is the same; a clone in part says what it lacks.
    git(&repo, ["gc", "-q"]);
    assert_eq!(rows(&repo, "packed.csv", 0), told);
    let source = format!("file://{}", repo.display());
    git(
        place.folder.path(),
        ["clone", "-q", "--bare", "--depth", "2", &source, "cut"],
    );
    let cut = rows(&place.path("cut"), "cut.csv", 3);
    assert!(
        cut.iter()
            .all(|row| row["commits"] <= told[0]["commits"] || row["commits"].len() == 1)
    );
    // What is no repository, and paths that are not there.
    let clones = place.path("clones");
    place
        .case(&["authorship", "CASE", "--history", clones.to_str().unwrap()])
        .expect(2)
        .says("is no git repository");
    place
        .case(&["authorship", "CASE", "--history", repo.to_str().unwrap()])
        .expect(0)
        .says("--below");
    place
        .case(&["custody", "CASE"])
        .expect(0)
        .prints("authors of 45 files");
}

/// A time as Python writes it.
fn humantime(seconds: u64) -> String {
    let script = format!(
        "import datetime as d; print(d.datetime.fromtimestamp({seconds}, d.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'), end='')"
    );
    String::from_utf8(python(["-c", &script])).unwrap()
}
