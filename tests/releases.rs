//! Since when, and is it public already: what is said of several releases of a package, and of contents that stand
//! elsewhere under an open licence.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{Records, git, run, scan, scratch, sql, text, tgz, write_all};
use serde_json::{Value, json};

/// The manifest of the made-up package.
fn manifest(name: &str, version: &str, more: &str) -> String {
    format!(r#"{{"name":"{name}","version":"{version}"{more}}}"#)
}

const OPEN: &str = r#","license":"MIT","repository":"github:acme/open""#;
const CLOSED: &str = r#","license":"UNLICENSED""#;

/// A map of own sources, by name and content.
fn map_of(sources: &[(&str, &str)]) -> String {
    let names: Vec<&str> = sources.iter().map(|(name, _)| *name).collect();
    let contents: Vec<&str> = sources.iter().map(|(_, content)| *content).collect();
    json!({"version": 3, "sources": names, "sourcesContent": contents, "names": [], "mappings": "AAAA"}).to_string()
}

/// Writes a release of `@acme/cli` as `npm pack` does.
fn release(folder: &Path, version: &str, files: &[(&str, String)]) -> PathBuf {
    let mut all = vec![(
        "package/package.json".to_owned(),
        manifest("@acme/cli", version, CLOSED),
    )];
    all.extend(
        files
            .iter()
            .map(|(name, text)| (format!("package/{name}"), text.clone())),
    );
    let files: Vec<(&str, String)> = all
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()))
        .collect();
    let path = folder.join(format!("acme-cli-{version}.tgz"));
    std::fs::write(&path, tgz(&files)).unwrap();
    path
}

/// Four releases: clean, a map, the same map under another build hash and more, clean again.
fn mirror(folder: &Path) {
    let query = "export const query = 1;\n";
    let parse = "export const parse = 2;\n";
    release(folder, "1.9.0", &[("cli.js", "run()\n".to_owned())]);
    let first = map_of(&[("../src/query.ts", query), ("../src/parse.ts", parse)]);
    release(folder, "1.10.0", &[("dist/cli-3f2a1b9c.js.map", first)]);
    let second = map_of(&[
        ("../src/query.ts", query),
        ("../src/parse.ts", "export const parse = 3;\n"),
    ]);
    release(folder, "1.10.1", &[("dist/cli-77aa01de.js.map", second)]);
    release(folder, "2.0.0-rc.1", &[("cli.js", "run()\n".to_owned())]);
}

fn of<'r>(records: &'r Records, kind: &str, subject: &str) -> Vec<&'r Value> {
    let all = records.all(kind);
    all.filter(|row| kind != "since" || row["subject"] == subject)
        .collect()
}

#[test]
fn findings_have_a_history_over_releases() {
    let folder = scratch();
    mirror(folder.path());
    let records = scan(0, [folder.path()]);
    let order: Vec<&str> = of(&records, "release", "")
        .into_iter()
        .map(|row| text(row, "version"))
        .collect();
    let mut by_order = of(&records, "release", "");
    by_order.sort_by_key(|row| row["position"].as_u64());
    let sorted: Vec<&str> = by_order.iter().map(|row| text(row, "version")).collect();
    assert_eq!(
        sorted,
        ["1.9.0", "1.10.0", "1.10.1", "2.0.0-rc.1"],
        "{order:?}"
    );
    let maps: Vec<u64> = by_order
        .iter()
        .map(|row| row["maps"]["now"].as_u64().unwrap())
        .collect();
    assert_eq!(maps, [0, 1, 1, 0]);
    assert_eq!(by_order[1]["jumps"], json!(["maps"]));
    assert_eq!(by_order[2]["contents_new"], 1);
    assert_eq!(by_order[2]["contents_gone"], 1);
    assert_eq!(by_order[2]["contents_kept"], 1);
    assert_eq!(
        by_order[1]["archive_bytes"]["before"],
        by_order[0]["archive_bytes"]["now"]
    );
    let size = std::fs::metadata(folder.path().join("acme-cli-1.9.0.tgz"))
        .unwrap()
        .len();
    assert_eq!(by_order[0]["archive_bytes"]["now"], size);

    // One map in spite of two build hashes.
    let [map] = of(&records, "since", "map")[..] else {
        panic!()
    };
    assert_eq!(map["what"], "dist/cli-*.js.map");
    assert_eq!(
        (&map["introduced"], &map["last"]),
        (&json!("1.10.0"), &json!("1.10.1"))
    );
    assert_eq!(
        (&map["not_before"], &map["removed"]),
        (&json!("1.9.0"), &json!("2.0.0-rc.1"))
    );
    assert_eq!(map["still_there"], false);
    assert_eq!(
        map["window"],
        json!({"from": null, "until": null, "seconds": null})
    );
    let exposures = of(&records, "since", "exposure");
    let exposure = exposures
        .iter()
        .find(|row| row["what"] == "map-embedded-sources")
        .unwrap();
    assert_eq!(
        (text(exposure, "what"), text(exposure, "severity")),
        ("map-embedded-sources", "critical")
    );

    // Three contents: one in both, one in each.
    let mut contents: Vec<_> = of(&records, "since", "source")
        .into_iter()
        .map(|row| {
            (
                text(row, "introduced"),
                text(row, "last"),
                row["count"].as_u64().unwrap(),
            )
        })
        .collect();
    contents.sort_unstable();
    assert_eq!(
        contents,
        [
            ("1.10.0", "1.10.0", 1),
            ("1.10.0", "1.10.1", 1),
            ("1.10.1", "1.10.1", 1)
        ]
    );
}

#[test]
fn dates_come_from_documents_and_lists_and_never_from_archives() {
    let folder = scratch();
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    mirror(&input);
    let document = json!({
        "name": "@acme/cli", "dist-tags": {"latest": "1.10.1"}, "versions": {},
        "time": {"created": "2026-01-01T00:00:00Z", "1.9.0": "2026-01-01T00:00:00Z", "1.9.5": "2026-01-15T00:00:00Z",
                 "1.10.0": "2026-02-01T00:00:00Z", "1.10.1": "2026-02-03T00:00:00Z",
                 "2.0.0-rc.1": "2026-02-04T12:00:00.000Z"},
    });
    std::fs::write(input.join("acme-cli.json"), document.to_string()).unwrap();
    let records = scan(0, [&input]);
    let map = of(&records, "since", "map")[0];
    assert_eq!(map["window"]["from"], "2026-02-01T00:00:00Z");
    assert_eq!(map["window"]["seconds"], 3 * 86_400 + 12 * 3_600);
    // 1.9.5 was published and is not here: it may have been the first.
    assert_eq!(map["unseen"], 1);
    let first = of(&records, "release", "")
        .into_iter()
        .find(|row| row["version"] == "1.10.0")
        .unwrap();
    assert_eq!(
        (&first["unseen_before"], &first["published_by"]),
        (&json!(1), &json!("in/acme-cli.json"))
    );
    let behind: Vec<&Value> = of(&records, "release", "")
        .into_iter()
        .map(|row| &row["unseen_after"])
        .collect();
    assert_eq!(behind.iter().filter(|count| !count.is_null()).count(), 1);

    // The user's list goes before the document.
    let list = folder.path().join("dates.tsv");
    std::fs::write(
        &list,
        "name\tversion\tpublished\tdownloads\n@acme/cli\t1.10.0\t2026-02-02T01:00:00+01:00\t7\n",
    )
    .unwrap();
    let records = scan(
        0,
        [input.as_os_str(), "--packages".as_ref(), list.as_os_str()],
    );
    let first = of(&records, "release", "")
        .into_iter()
        .find(|row| row["version"] == "1.10.0")
        .unwrap();
    assert_eq!(first["published"], "2026-02-02T00:00:00Z");
    assert_eq!(
        (&first["published_by"], &first["downloads"]),
        (&json!("list"), &json!(7))
    );
    assert!(records.all("run").next().unwrap()["releases"].is_string());

    std::fs::write(&list, "name\tverson\n").unwrap();
    run([
        "scan".as_ref(),
        input.as_os_str(),
        "--packages".as_ref(),
        list.as_os_str(),
    ])
    .expect(2)
    .says("unknown column `verson`; did you mean `version`?");
}

#[test]
fn absence_is_not_claimed_of_a_release_that_was_not_read() {
    let folder = scratch();
    mirror(folder.path());
    // The last release is cut short.
    let last = folder.path().join("acme-cli-2.0.0-rc.1.tgz");
    let blank: Vec<u8> = (0..200_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let whole = tgz(&[
        (
            "package/package.json",
            manifest("@acme/cli", "2.0.0-rc.1", CLOSED).into_bytes(),
        ),
        ("package/cli.bin", blank),
    ]);
    std::fs::write(&last, &whole[..whole.len() / 2]).unwrap();
    let records = scan(3, [folder.path()]);
    let map = of(&records, "since", "map")[0];
    assert_eq!(
        (&map["removed"], &map["still_there"]),
        (&Value::Null, &Value::Null),
        "{map}"
    );
    let newest = of(&records, "release", "")
        .into_iter()
        .find(|row| row["position"] == 4)
        .unwrap();
    assert_eq!(newest["complete"], false);
}

#[test]
fn a_history_is_the_same_for_any_order_of_work_and_after_a_rest() {
    let folder = scratch();
    mirror(folder.path());
    let one = scan(
        0,
        [folder.path().as_os_str(), "--jobs".as_ref(), "1".as_ref()],
    );
    let many = scan(
        0,
        [folder.path().as_os_str(), "--jobs".as_ref(), "4".as_ref()],
    );
    let told = |records: &Records| {
        let kinds = ["release", "since"];
        kinds.map(|kind| records.all(kind).cloned().collect::<Vec<_>>())
    };
    assert_eq!(told(&one), told(&many));
    // A case that grows: first two releases, then all.
    let late = folder.path().join("acme-cli-1.10.1.tgz");
    let aside = scratch();
    let held = aside.path().join("held.tgz");
    std::fs::rename(&late, &held).unwrap();
    let case = aside.path().join("a.case");
    let arguments = [
        "scan".as_ref(),
        folder.path().as_os_str(),
        "--case".as_ref(),
        case.as_os_str(),
    ];
    run(arguments).expect(0);
    std::fs::rename(&held, &late).unwrap();
    run(arguments).expect(0);
    let grown = run(["case".as_ref(), "export".as_ref(), case.as_os_str()])
        .expect(0)
        .records();
    assert_eq!(told(&grown), told(&one));
    let views = sql(
        &case,
        "SELECT count(*), (SELECT count(*) FROM v_since) FROM v_release",
    );
    assert_eq!(
        views,
        [[
            json!(4),
            json!(
                of(&one, "since", "map").len()
                    + of(&one, "since", "exposure").len()
                    + of(&one, "since", "source").len()
            )
        ]]
    );
}

#[test]
fn packages_below_node_modules_are_no_releases() {
    let folder = scratch();
    let inner = |version| manifest("dep", version, CLOSED);
    release(
        folder.path(),
        "1.0.0",
        &[("node_modules/dep/package.json", inner("1.0.0"))],
    );
    release(
        folder.path(),
        "1.0.1",
        &[("node_modules/dep/package.json", inner("1.0.1"))],
    );
    let records = scan(0, [folder.path()]);
    let names: Vec<&str> = records
        .all("release")
        .map(|row| text(row, "name"))
        .collect();
    assert_eq!(names, ["@acme/cli", "@acme/cli"]);
}

/// Real releases, held against what the tarballs hold as the `tar` crate reads them.
#[test]
fn real_releases_agree_with_what_is_in_their_tarballs() {
    let folder = std::env::var_os("STRANDLINE_RELEASES")
        .map_or_else(|| common::fixtures().join("releases"), PathBuf::from);
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .collect();
    if found.is_empty() {
        let why = "run `python3 fixtures/fetch.py --set releases`";
        return common::skipped("real releases", why, "STRANDLINE_REQUIRE_PACKAGES");
    }
    found.sort();
    // Package and path of each map, with the versions that have it. The versions of these sort as their names do.
    let mut maps: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut newest: BTreeMap<String, String> = BTreeMap::new();
    for path in &found {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let (name, version) = stem.rsplit_once('-').unwrap();
        newest.insert(name.to_owned(), version.to_owned());
        let file = std::fs::File::open(path).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
        for member in archive.entries().unwrap() {
            let path = String::from_utf8(member.unwrap().path_bytes().into_owned()).unwrap();
            if path.ends_with(".map") {
                let path = path.strip_prefix("package/").unwrap().to_owned();
                maps.entry((name.to_owned(), path))
                    .or_default()
                    .push(version.to_owned());
            }
        }
    }
    let records = scan(0, [&folder]);
    let rows = of(&records, "since", "map");
    assert!(
        maps.len() > 15 && rows.len() == maps.len(),
        "{} rows, {} maps",
        rows.len(),
        maps.len()
    );
    for row in rows {
        let versions = &maps[&(text(row, "name").to_owned(), text(row, "what").to_owned())];
        assert_eq!(text(row, "introduced"), versions[0], "{row}");
        assert_eq!(text(row, "last"), versions[versions.len() - 1], "{row}");
        assert_eq!(
            row["releases"].as_u64(),
            Some(versions.len() as u64),
            "{row}"
        );
        let is_in_newest = versions.contains(&newest[text(row, "name")]);
        assert_eq!(row["still_there"], is_in_newest, "{row}");
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Already public?

const SHARED: &str = "export function shared(): number {\n  return 1;\n}\n";
const SECOND: &str = "export function second(): number {\n  return 2;\n}\n";

/// The exposure of the map in `acme-cli-1.0.0.tgz`, and the sources in it by `public`.
fn judged(records: &Records) -> (&Value, Vec<&Value>) {
    let exposure = records
        .all("exposure")
        .find(|row| {
            row["class"] == "map-embedded-sources"
                && text(row, "locator").contains("acme-cli-1.0.0")
        })
        .unwrap();
    let of_map = |row: &&Value| row["map"] == exposure["locator"];
    (
        exposure,
        records
            .all("source")
            .filter(of_map)
            .map(|row| &row["public"])
            .collect(),
    )
}

#[test]
fn a_source_in_an_open_package_of_the_input_is_public() {
    let folder = scratch();
    let map = map_of(&[("../src/shared.ts", SHARED), ("../src/second.ts", SECOND)]);
    release(folder.path(), "1.0.0", &[("cli.js.map", map)]);
    let records = scan(0, [folder.path()]);
    assert_eq!(judged(&records).0["severity"], "critical");
    assert!(judged(&records).1.iter().all(|public| public.is_null()));

    let open = |name: &str, more: &str, files: &[(&str, &str)]| {
        let mut all = vec![("package/package.json", manifest(name, "1.0.0", more))];
        all.extend(files.iter().map(|(name, text)| (*name, (*text).to_owned())));
        std::fs::write(folder.path().join(format!("{name}.tgz")), tgz(&all)).unwrap();
    };
    // A licence alone is no declaration; nor is a package that keeps it to itself.
    open(
        "half",
        r#","license":"MIT""#,
        &[("package/src/shared.ts", SHARED)],
    );
    open("closed", CLOSED, &[("package/src/second.ts", SECOND)]);
    assert_eq!(judged(&scan(0, [folder.path()])).0["severity"], "critical");

    open("open", OPEN, &[("package/src/shared.ts", SHARED)]);
    let records = scan(0, [folder.path()]);
    let (exposure, public) = judged(&records);
    assert_eq!(exposure["severity"], "critical");
    let said = "; 1 of 2 own sources also stand in ";
    assert!(text(exposure, "detail").contains(said), "{exposure}");
    // In the order of names: the second one first.
    let place = text(public[1], "where");
    assert!(
        place.ends_with("/open.tgz") && public[1]["by"] == "package",
        "{public:?}"
    );
    assert!(public[0].is_null());

    open("open-too", OPEN, &[("package/src/second.ts", SECOND)]);
    let records = scan(0, [folder.path()]);
    let (exposure, public) = judged(&records);
    assert_eq!(exposure["severity"], "info");
    assert!(
        text(exposure, "detail").ends_with(", declared open"),
        "{exposure}"
    );
    assert_eq!(public.len(), 2);
    // What fails, and what is printed, follow.
    run([
        "scan".as_ref(),
        folder.path().as_os_str(),
        "--fail-on".as_ref(),
        "medium".as_ref(),
    ])
    .expect(0)
    .prints("exposures   ");
    let printed = run(["scan".as_ref(), folder.path().as_os_str()]).expect(0);
    assert!(!printed.text().contains("critical"), "{printed}");

    // In a case the views say the same, and when the open package is taken away it is as it was.
    let aside = scratch();
    let case = aside.path().join("a.case");
    let arguments = [
        "scan".as_ref(),
        folder.path().as_os_str(),
        "--case".as_ref(),
        case.as_os_str(),
    ];
    run(arguments).expect(0);
    let severity = "SELECT severity FROM v_exposure WHERE class = 'map-embedded-sources' AND locator LIKE '%acme-cli-1.0.0%'";
    assert_eq!(sql(&case, severity), [[json!("info")]]);
    std::fs::remove_file(folder.path().join("open-too.tgz")).unwrap();
    run(arguments).expect(0);
    assert_eq!(sql(&case, severity), [[json!("critical")]]);
}

#[test]
fn a_source_in_a_clone_of_an_open_repository_is_public() {
    let folder = scratch();
    let clone = folder.path().join("clone");
    // It was there in an earlier commit only.
    write_all(
        &clone,
        &[
            ("package.json", manifest("open", "1.0.0", OPEN)),
            ("a.ts", SHARED.to_owned()),
        ],
    );
    git(&clone, ["init", "--quiet"]);
    git(&clone, ["add", "."]);
    git(&clone, ["commit", "--quiet", "-m", "one"]);
    git(&clone, ["rm", "--quiet", "a.ts"]);
    git(&clone, ["commit", "--quiet", "-m", "two"]);
    release(
        folder.path(),
        "1.0.0",
        &[("cli.js.map", map_of(&[("../src/shared.ts", SHARED)]))],
    );
    let records = scan(0, [folder.path()]);
    let (exposure, public) = judged(&records);
    assert_eq!(public[0]["by"], "repository", "{public:?}");
    assert!(text(public[0], "where").ends_with("/clone"));
    assert_eq!(exposure["severity"], "info");
}

#[test]
fn a_copy_of_a_signed_work_is_not_made_public_by_its_own_word() {
    let folder = scratch();
    let source = folder.path().join("src");
    write_all(&source, &[("shared.ts", SHARED)]);
    let set = folder.path().join("acme.sigset");
    run([
        "sign".as_ref(),
        source.as_os_str(),
        "--work".as_ref(),
        "acme".as_ref(),
        "--release".as_ref(),
        "1".as_ref(),
        "--output".as_ref(),
        set.as_os_str(),
    ])
    .expect(0);
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    release(
        &input,
        "1.0.0",
        &[("cli.js.map", map_of(&[("../src/shared.ts", SHARED)]))],
    );
    let copy = [
        ("package/package.json", manifest("copy", "1.0.0", OPEN)),
        ("package/a.ts", SHARED.to_owned()),
    ];
    std::fs::write(input.join("copy.tgz"), tgz(&copy)).unwrap();
    assert_eq!(judged(&scan(0, [&input])).0["severity"], "info");
    let records = scan(
        0,
        [input.as_os_str(), "--signatures".as_ref(), set.as_os_str()],
    );
    assert_eq!(judged(&records).0["severity"], "critical");

    // A public set of the same says that it is public.
    let public = folder.path().join("public.sigset");
    run([
        "sign".as_ref(),
        source.as_os_str(),
        "--work".as_ref(),
        "acme-open".as_ref(),
        "--release".as_ref(),
        "1".as_ref(),
        "--public".as_ref(),
        "--output".as_ref(),
        public.as_os_str(),
    ])
    .expect(0);
    let records = scan(
        0,
        [
            input.as_os_str(),
            "--signatures".as_ref(),
            public.as_os_str(),
        ],
    );
    let (exposure, sources) = judged(&records);
    assert_eq!(sources[0], &json!({"where": "acme-open 1", "by": "set"}));
    assert_eq!(exposure["severity"], "info", "{exposure}");
}
