//! What people decide of copies, in the terminal and in a spreadsheet. The spreadsheets are Python's csv module.

#[path = "review/after.rs"]
mod after;
mod common;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use common::{Ran, copy_tree, incident, python, run, scratch, sign_incident, sql};

/// Three copies of a work: `a` and `b` of one fork network, `c` of no known address.
struct Place {
    folder: tempfile::TempDir,
    set: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = scratch();
        let set = sign_incident(folder.path());
        let place = Self { folder, set };
        for name in ["a", "b", "c"] {
            copy_tree(
                &incident().join("acme-cli/src"),
                &place.path("clones").join(name).join("src"),
            );
        }
        // A copy of a part.
        std::fs::remove_dir_all(place.path("clones/b/src/agent")).unwrap_or_else(|_| {
            let first = first_folder(&place.path("clones/b/src"));
            std::fs::remove_dir_all(first).unwrap();
        });
        std::fs::write(
            place.path("forks.csv"),
            "url,path,parent,seen-at\n\
             https://git.example/ann/cli,clones/a,https://git.example/acme/cli,2026-04-01T08:00:00Z\n\
             https://git.example/bob/cli,clones/b,https://git.example/ann/cli,2026-04-01T09:00:00Z\n",
        )
        .unwrap();
        place.scan();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Scans on into the case.
    fn scan(&self) {
        let paths = ["clones", "forks.csv", "it.case"].map(|name| self.path(name).into_os_string());
        let [clones, forks, case] = &paths;
        run([
            OsStr::new("scan"),
            clones,
            OsStr::new("--copies-root"),
            clones,
            OsStr::new("--signatures"),
            self.set.as_os_str(),
            OsStr::new("--origins"),
            forks,
            OsStr::new("--case"),
            case,
        ])
        .expect(0);
    }

    #[track_caller]
    fn case(&self, words: &[&str]) -> Ran {
        let mut all: Vec<OsString> = vec!["case".into()];
        let case = self.path("it.case");
        for word in words {
            all.push(match *word {
                "CASE" => case.clone().into(),
                word => word.into(),
            });
        }
        run(all)
    }

    #[track_caller]
    fn review(&self, words: &[&str]) -> Ran {
        self.case(&[&["review", "CASE"], words].concat())
    }

    /// Ids by the last part of the locator.
    fn ids(&self) -> BTreeMap<String, String> {
        let listed = self.review(&[]).expect(0);
        let rows = listed.text().lines().filter(|line| is_row(line));
        rows.map(|line| {
            let place = line
                .split_whitespace()
                .find(|word| word.starts_with("clones/"));
            (place.unwrap()[7..].to_owned(), line[..13].to_owned())
        })
        .collect()
    }

    /// Exports, lets Python edit the rows by their place, and says where the edited file is.
    fn edited(&self, name: &str, how: &str) -> String {
        let (from, to) = (
            self.path(&format!("{name}.csv")),
            self.path(&format!("{name}-edited.csv")),
        );
        let path = from.to_str().unwrap();
        self.review(&["--export", path]).expect(0);
        edit(&from, &to, how);
        to.to_str().unwrap().to_owned()
    }
}

fn is_row(line: &str) -> bool {
    line.len() > 13
        && line.starts_with('c')
        && line[1..13].bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn first_folder(folder: &Path) -> PathBuf {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.remove(0)
}

/// Reads a table with Python's csv module, runs `how` on `rows` (a dictionary by place) and writes it again.
#[track_caller]
fn edit(from: &Path, to: &Path, how: &str) {
    const SCRIPT: &str = "
import csv, sys
with open(sys.argv[1], newline='', encoding='utf-8') as file:
    reader = csv.DictReader(file)
    every = list(reader)
    names = reader.fieldnames
rows = {row['location'].removeprefix('clones/'): row for row in every}
delimiter, encoding = ',', 'utf-8'
exec(sys.argv[3])
with open(sys.argv[2], 'w', newline='', encoding=encoding) as file:
    writer = csv.DictWriter(file, names, delimiter=delimiter, extrasaction='ignore')
    writer.writeheader()
    writer.writerows(every)
";
    python([
        OsStr::new("-c"),
        OsStr::new(SCRIPT),
        from.as_os_str(),
        to.as_os_str(),
        OsStr::new(how),
    ]);
}

#[test]
fn rows_are_listed_decided_one_by_one_and_in_bulk() {
    let place = Place::new();
    let listed = place.review(&[]).expect(0);
    listed
        .prints("review       3 rows: 0 confirmed, 0 rejected, 3 open")
        .prints("network      https://git.example/acme/cli: 2 rows, 0 confirmed")
        .prints("confirm  verbatim, 100 % of acme-cli 2.1.0, 45 of 45 files  clones/a  https://git.example/ann/cli")
        .prints("every file is there byte for byte")
        .prints("no address is recorded");
    let ids = place.ids();
    assert_eq!(ids.len(), 3, "{ids:?}");

    // Nobody decides without a name, nothing of what is not there, and nothing without saying of what.
    place
        .review(&["--confirm", &ids["a"]])
        .expect(2)
        .says("--by NAME");
    place
        .review(&["--by", "R. Reader"])
        .expect(2)
        .says("--confirm");
    place
        .review(&["--confirm", "--by", "R"])
        .expect(2)
        .says("no row is named");
    place
        .review(&["--confirm", &ids["a"], "c00", "--by", "R"])
        .expect(2)
        .says("no row c00");
    place
        .review(&["--confirm", &ids["a"], "--all-of", "verbatim", "--by", "R"])
        .expect(2)
        .says("not both");
    place
        .review(&["--reject", "--all-of", "translated", "--by", "R"])
        .expect(2)
        .says("no rows of class translated");
    place
        .review(&["--confirm", &ids["a"], "--by", "R\u{202e}"])
        .expect(2)
        .says("U+202E");
    assert_eq!(
        sql(&place.path("it.case"), "SELECT count(*) FROM review"),
        [[0]]
    );

    place
        .review(&[
            "--confirm",
            &ids["a"],
            "--by",
            "R. Reader",
            "--note",
            "looked at all of it",
            "--fair-use-considered",
            "yes",
        ])
        .expect(0)
        .prints("1 row confirmed by R. Reader\n");
    place
        .review(&[])
        .expect(0)
        .prints("1 confirmed, 0 rejected, 2 open")
        .prints("confirmed by R. Reader, 20");
    // In bulk only what nobody has decided yet.
    place
        .review(&[
            "--reject",
            "--group",
            "https://git.example/acme/cli",
            "--by",
            "S. Second",
        ])
        .expect(0)
        .prints("recorded as one decision in bulk, for 1 row")
        .prints("left as decided before: 1 row;");
    place
        .review(&[
            "--open",
            "--group",
            "https://git.example/acme/cli",
            "--by",
            "S. Second",
        ])
        .expect(0)
        .prints("2 rows opened again by S. Second; recorded as one decision in bulk, for 2 rows");
    let rows = sql(
        &place.path("it.case"),
        "SELECT json_extract(json, '$.decision'), json_extract(json, '$.bulk'), json_extract(json, '$.fair_use_considered') FROM review ORDER BY seq",
    );
    let rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(rows.len(), 4);
    assert!(
        rows[0].contains("confirmed") && rows[0].contains("Null") && rows[0].contains("Number(1)"),
        "{rows:?}"
    );
    assert!(
        rows[1].contains("rejected") && rows[1].contains("Number(1)"),
        "{rows:?}"
    );
    assert!(
        rows[2].contains("open") && rows[2].contains("Number(2)"),
        "{rows:?}"
    );
    // Each run is in the custody log, and the log holds together.
    let log = place.case(&["custody", "CASE"]).expect(0);
    assert_eq!(log.text().matches("case review:").count(), 3);
    log.prints("1 row decided by R. Reader")
        .prints("the log holds together");
}

#[test]
fn a_file_is_decided_on_its_own() {
    let place = Place::new();
    let ids = place.ids();
    let files = place.review(&["--files", &ids["a"]]).expect(0);
    let first = files
        .text()
        .lines()
        .find(|line| line.starts_with('m'))
        .unwrap();
    let id = first[..13].to_owned();
    assert_eq!(
        files
            .text()
            .lines()
            .filter(|line| line.starts_with('m'))
            .count(),
        45
    );
    place
        .review(&[
            "--reject",
            &id,
            "--by",
            "R",
            "--note",
            "=from a public talk",
        ])
        .expect(0)
        .prints("1 row rejected by R");
    place
        .review(&["--files", &ids["a"]])
        .expect(0)
        .prints("rejected by R, 20");
    place
        .review(&["--files", "c00"])
        .expect(2)
        .says("no row c00");
    // The file goes out with the others, and may be decided again there.
    let path = place.edited(
        "all",
        "next(row for row in every if row['id'][0] == 'm')['decision'] = 'confirmed'",
    );
    place
        .review(&["--import", &path])
        .expect(0)
        .prints("1 row taken, 3 unchanged, 0 refused");
    place
        .review(&["--files", &ids["a"]])
        .expect(0)
        .prints("confirmed by R, 20")
        .prints("=from a public talk");
}

#[test]
fn a_table_goes_out_and_comes_back() {
    let place = Place::new();
    let untouched = place.edited("untouched", "");
    place
        .review(&["--import", &untouched])
        .expect(0)
        .prints("0 rows taken, 3 unchanged, 0 refused");
    let path = place.edited(
        "first",
        "rows['a'].update(decision='confirmed', reviewer='R. Reader', note='=SUM(1) and more\\nof it', date='2026-04-02T10:00:00Z')\n\
         rows['b'].update(decision='Rejected', reviewer='S. Second', date='4/2/26')\n\
         rows['b']['fair-use-considered'] = 'yes'\n\
         delimiter = ';'; encoding = 'utf-8-sig'",
    );
    place
        .review(&["--import", &path])
        .expect(0)
        .prints("2 rows taken, 1 unchanged, 0 refused")
        .prints("1 date is not in RFC 3339");
    let rows = sql(
        &place.path("it.case"),
        "SELECT json_extract(json, '$.reviewer'), json_extract(json, '$.time'), json_extract(json, '$.note') FROM review ORDER BY seq",
    );
    assert_eq!(
        rows[0],
        [
            "R. Reader",
            "2026-04-02T10:00:00Z",
            "=SUM(1) and more\nof it"
        ]
    );
    assert_ne!(rows[1][1], "4/2/26");
    // What was taken goes out as it came in, is no formula there, and taken in again changes nothing.
    let again = place.edited(
        "again",
        "assert rows['a']['note'] == \"'=SUM(1) and more\\nof it\", rows['a']",
    );
    place
        .review(&["--import", &again])
        .expect(0)
        .prints("0 rows taken, 3 unchanged, 0 refused");
    // The file of before, a second time: it says what holds.
    place
        .review(&["--import", &path])
        .expect(0)
        .prints("0 rows taken, 3 unchanged, 0 refused");
    let log = place.case(&["custody", "CASE"]).expect(0);
    assert_eq!(log.text().matches("case review --export").count(), 3);
    log.prints("2 rows decided by R. Reader, S. Second")
        .prints("first-edited.csv");
}

#[test]
fn of_two_people_with_one_list_neither_is_overruled() {
    let place = Place::new();
    let mine = place.edited(
        "mine",
        "rows['a'].update(decision='rejected', reviewer='M. Mine'); rows['b'].update(decision='confirmed', reviewer='M. Mine')",
    );
    let ids = place.ids();
    place
        .review(&["--confirm", &ids["a"], "--by", "Y. Yours"])
        .expect(0);
    let refused = place.review(&["--import", &mine]).expect(2);
    refused
        .says(&format!(
            "line 2, {}: conflict: here rejected by M. Mine, and in the case confirmed by Y. Yours",
            ids["a"]
        ))
        .says("nothing was taken, since 1 row cannot be");
    assert_eq!(
        sql(&place.path("it.case"), "SELECT count(*) FROM review"),
        [[1]]
    );
    place
        .review(&["--import", &mine, "--accept-rest"])
        .expect(1)
        .prints("1 row taken, 1 unchanged, 1 refused");
    place
        .review(&[])
        .expect(0)
        .prints("2 confirmed, 0 rejected, 1 open");
}

#[test]
fn bad_rows_are_refused_by_line() {
    let place = Place::new();
    let bad = place.edited(
        "bad",
        "rows['a'].update(decision='perhaps', reviewer='R')\n\
         rows['b'].update(decision='confirmed')\n\
         rows['c'].update(decision='confirmed', reviewer='R', seen='0' * 64)\n\
         every += [dict(rows['a'], id='c000000000000', decision='open'), dict(rows['a'], id='cdddddddddddd'), dict(rows['a'], id='cdddddddddddd')]",
    );
    let ran = place.review(&["--import", &bad]).expect(2);
    for (line, why) in [
        (2, "`perhaps` is no decision"),
        (3, "names no reviewer"),
        (4, "not what it was when the file was written"),
        (5, "no row of this case has this id"),
        (6, "more than once, first in line 6"),
        (7, "more than once, first in line 6"),
    ] {
        let is_said = ran
            .stderr
            .lines()
            .any(|said| said.contains(&format!("line {line}, ")) && said.contains(why));
        assert!(is_said, "{line} {why}: {ran}");
    }
    let latin = place.edited(
        "latin",
        "rows['b'].update(decision='confirmed', reviewer='Ren\u{e9}'); encoding = 'latin-1'",
    );
    place
        .review(&["--import", &latin])
        .expect(2)
        .says("line 3, ")
        .says("0xE9");
    let wide = place.edited("wide", "encoding = 'utf-16'");
    place.review(&["--import", &wide]).expect(2).says("UTF-16");
    let lost = place.edited("lost", "names.remove('seen')");
    place
        .review(&["--import", &lost])
        .expect(2)
        .says("no column `seen`");
    place
        .review(&["--import", "gone.csv"])
        .expect(2)
        .says("cannot read gone.csv");
    // Nothing is overwritten.
    let there = place.path("bad.csv");
    place
        .review(&["--export", there.to_str().unwrap()])
        .expect(2)
        .says("is there already");
    assert_eq!(
        sql(&place.path("it.case"), "SELECT count(*) FROM review"),
        [[0]]
    );
}

#[test]
fn a_decision_does_not_outlive_what_it_was_about() {
    let place = Place::new();
    let ids = place.ids();
    place
        .review(&["--confirm", &ids["a"], &ids["c"], "--by", "R"])
        .expect(0)
        .prints("in bulk, for 2 rows");
    let mine = place.edited(
        "mine",
        "rows['b'].update(decision='confirmed', reviewer='M')",
    );
    for name in ["a", "b"] {
        let folder = first_folder(&place.path("clones").join(name).join("src"));
        std::fs::remove_dir_all(folder).unwrap();
    }
    place.scan();
    place
        .review(&[])
        .expect(0)
        .prints("1 confirmed, 0 rejected, 2 open (1 decided before they changed)")
        .prints("changed since it was confirmed by R, 20");
    place
        .review(&["--import", &mine])
        .expect(2)
        .says("not what it was when the file was written");
    // It is looked at again.
    let again = place.edited("again", "assert rows['a']['decision'] == '' and 'changed since' in rows['a']['standing']\nrows['a'].update(decision='rejected', reviewer='M')");
    place
        .review(&["--import", &again])
        .expect(0)
        .prints("1 row taken, 2 unchanged, 0 refused");
}
