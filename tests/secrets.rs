//! Credentials in everything that can carry them: planted ones are found in the right file, line and column, by the
//! program as it is built, and nothing of them is anywhere in what it says. Public code gives next to none.
//!
//! The tokens are made here, with checksums that are right, and name nobody. What public code gives is asked of the
//! packages of `fixtures/packages.tsv`, got by `fixtures/fetch.py`; without them this says so and passes, unless
//! STRANDLINE_REQUIRE_PACKAGES=1.

mod common;

use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{
    Records, data_url, git, gzip, number, packages_folder, real_maps, run, scratch, skipped,
    source_map, tar, text, tgz, write_all, zip,
};
use serde_json::json;
use strandline::exposure::Role;
use strandline::exposure::secrets::examples::expand;
use strandline::exposure::secrets::{Tier, find};

/// Credentials of many kinds: the rule that must name it, and how it is made.
const KINDS: [(&str, &str); 22] = [
    ("github-token", "<<crc62 ghp_>>"),
    ("npm-token", "<<crc62 npm_>>"),
    ("github-token", "<<crc62 gho_>>"),
    ("aws-access-key-id", "AKIA<<base32 16>>"),
    ("gitlab-token", "glpat-<<base62 20>>"),
    ("stripe-live-key", "sk_live_<<base62 24>>"),
    (
        "slack-token",
        "xoxb-<<digits 12>>-<<digits 12>>-<<base62 24>>",
    ),
    ("jwt", "<<jwt>>"),
    ("age-secret-key", "<<age>>"),
    ("pypi-token", "<<pypi>>"),
    ("sendgrid-key", "SG.<<base62 22>>.<<base62 43>>"),
    ("anthropic-key", "sk-ant-api03-<<base62 93>>AA"),
    ("openai-key", "sk-proj-<<base62 74>>T3BlbkFJ<<base62 74>>"),
    ("huggingface-token", "hf_<<letters 34>>"),
    ("google-api-key", "AIza<<base62 35>>"),
    ("shopify-token", "shpat_<<hex 32>>"),
    ("crates-token", "cio<<base62 32>>"),
    ("telegram-bot-token", "<<digits 10>>:AAH<<base62 32>>"),
    ("digitalocean-token", "dop_v1_<<hex 64>>"),
    (
        "github-fine-grained-token",
        "github_pat_<<base62 22>>_<<base62 59>>",
    ),
    ("docker-token", "dckr_pat_<<base62 27>>"),
    ("grafana-token", "glsa_<<base62 32>>_<<hex 8>>"),
];

/// A planted credential and what must be said of it.
struct Planted {
    value: String,
    rule: &'static str,
    /// How its locator begins and ends.
    locator: (String, String),
    line: u64,
    column: u64,
    written: Option<&'static str>,
}

/// Plants credentials, each kind in turn.
struct Planter {
    count: usize,
    files: Vec<(String, Vec<u8>)>,
    planted: Vec<Planted>,
}

impl Planter {
    fn next(&mut self) -> (String, &'static str) {
        let (rule, spec) = KINDS[self.count % KINDS.len()];
        self.count += 1;
        let value = expand(spec, &format!("planted {}", self.count)).unwrap();
        (String::from_utf8(value).unwrap(), rule)
    }

    /// Three of them in a text, on lines of their own, carried by what `pack` makes of it below a name. `ends` is how the
    /// locator goes on behind the file's name.
    fn carry(
        &mut self,
        name: &str,
        ends: &str,
        written: Option<&'static str>,
        pack: impl Fn(&str) -> Vec<u8>,
    ) {
        let mut text = "// one\n// two\n".to_owned();
        for line in 3..6 {
            let (value, rule) = self.next();
            text.push_str(&format!("const t{line} = \"{value}\";\n"));
            self.plant(&value, rule, name, ends, line, 13, written);
        }
        self.files.push((name.to_owned(), pack(&text)));
    }

    #[expect(clippy::too_many_arguments)]
    fn plant(
        &mut self,
        value: &str,
        rule: &'static str,
        name: &str,
        ends: &str,
        line: u64,
        column: u64,
        written: Option<&'static str>,
    ) {
        self.planted.push(Planted {
            value: value.to_owned(),
            rule,
            locator: (format!("in/{name}"), ends.to_owned()),
            line,
            column,
            written,
        });
    }

    /// One that a text writes in its own way: `write` gives the line and where in it the value begins (0-based).
    fn write(
        &mut self,
        name: &str,
        line_of: impl Fn(&str) -> (String, usize),
        written: &'static str,
    ) {
        let (value, rule) = self.next();
        let (line, column) = line_of(&value);
        self.plant(&value, rule, name, "", 2, column as u64 + 1, Some(written));
        self.files
            .push((name.to_owned(), format!("// {name}\n{line}\n").into_bytes()));
    }
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn seven(bytes: &[u8]) -> Vec<u8> {
    let mut writer = sevenz_rust2::ArchiveWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    let entry = sevenz_rust2::ArchiveEntry::new_file("a.ts");
    writer.push_archive_entry(entry, Some(bytes)).unwrap();
    writer.finish().unwrap().into_inner()
}

/// One file in the new ASCII form of cpio.
fn cpio(bytes: &[u8]) -> Vec<u8> {
    let member = |name: &str, bytes: &[u8]| {
        let fields = [
            1,
            0o100_644,
            0,
            0,
            1,
            0,
            bytes.len(),
            0,
            0,
            0,
            0,
            name.len() + 1,
            0,
        ];
        let mut member = b"070701".to_vec();
        fields
            .iter()
            .for_each(|field| member.extend(format!("{field:08X}").bytes()));
        member.extend(name.bytes().chain([0]));
        member.resize(member.len().next_multiple_of(4), 0);
        member.extend(bytes);
        member.resize(member.len().next_multiple_of(4), 0);
        member
    };
    [member("a.ts", bytes), member("TRAILER!!!", b"")].concat()
}

/// A Debian package with one file.
fn deb(bytes: &[u8]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    let data = tgz(&[("./a.ts", bytes)]);
    for (name, content) in [
        ("debian-binary", &b"2.0\n"[..]),
        ("control.tar.gz", &tgz(&[("./control", "Package: a\n")])),
        ("data.tar.gz", &data),
    ] {
        archive.extend(
            format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
                0,
                0,
                0,
                "100644",
                content.len()
            )
            .bytes(),
        );
        archive.extend(content);
        if content.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}

fn wide(text: &str) -> Vec<u8> {
    [0xFEFF]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect()
}

/// Everything that is planted.
fn plant(folder: &Path) -> Vec<Planted> {
    let mut all = Planter {
        count: 0,
        files: Vec::new(),
        planted: Vec::new(),
    };
    let bytes = |text: &str| text.as_bytes().to_vec();
    let map = |text: &str| source_map(&[("src/a.ts", Some(text))]);
    all.carry("plain.ts", "", None, bytes);
    all.carry("notes.txt", "", None, bytes);
    all.carry("wide.txt", "", Some("utf-16"), wide);
    all.carry("outside.js.map", "!/src/a.ts", None, |text| {
        map(text).into_bytes()
    });
    all.carry("inline.js", "!/src/a.ts", None, |text| {
        format!("run();\n//# sourceMappingURL={}\n", data_url(&map(text))).into_bytes()
    });
    all.carry("index.js.map", "!/src/a.ts", None, |text| {
        let section: serde_json::Value = serde_json::from_str(&map(text)).unwrap();
        json!({ "version": 3, "sections": [{ "offset": { "line": 0, "column": 0 }, "map": section }] }).to_string().into_bytes()
    });
    all.carry("nested.tgz", "!/a.ts", None, |text| {
        tgz(&[("inner.tgz", tgz(&[("a.ts", text)]))])
    });
    all.carry("a.whl", "!/pkg/a.py", None, |text| {
        zip(&[("pkg/a.py", text)])
    });
    all.carry("a.crate", "!/a-1.0.0/src/a.rs", None, |text| {
        tgz(&[("a-1.0.0/src/a.rs", text)])
    });
    all.carry("a.tar", "!/a.ts", None, |text| tar(&[("a.ts", text)]));
    all.carry("a.js.gz", "!/", None, |text| gzip(text.as_bytes()));
    all.carry("a.js.xz", "!/", None, |text| xz(text.as_bytes()));
    all.carry("a.js.zst", "!/", None, |text| {
        zstd::bulk::compress(text.as_bytes(), 1).unwrap()
    });
    all.carry("a.7z", "!/a.ts", None, |text| seven(text.as_bytes()));
    all.carry("a.cpio", "!/a.ts", None, |text| cpio(text.as_bytes()));
    all.carry("a.deb", "!/data.tar.gz!/./a.ts", None, |text| {
        deb(text.as_bytes())
    });
    // The map's JSON writes the first letter of every token as an escape.
    let (value, rule) = all.next();
    let escaped = map(&format!("const t = \"{value}\";\n")).replace(
        &value,
        &format!("\\u{:04x}{}", value.as_bytes()[0], &value[1..]),
    );
    assert!(!escaped.contains(&value));
    all.plant(&value, rule, "escaped.js.map", "!/src/a.ts", 1, 12, None);
    all.files
        .push(("escaped.js.map".into(), escaped.into_bytes()));
    // A notebook: the value in a line of a cell, as JSON has it.
    let (value, rule) = all.next();
    let cell = json!({ "nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{ "cell_type": "code", "metadata": {}, "outputs": [], "source": [format!("t = '{value}'\n")] }] });
    let cell = cell.to_string();
    let column = cell.find(&value).unwrap() as u64 + 1;
    all.plant(&value, rule, "book.ipynb", "", 1, column, None);
    all.files.push(("book.ipynb".into(), cell.into_bytes()));
    // Written in ways of their own.
    let halves = |value: &str| (value[..4].to_owned(), value[4..].to_owned());
    for number in 0..3 {
        let hex = |value: &str| {
            (
                format!("t = \"\\x{:02x}{}\"", value.as_bytes()[0], &value[1..]),
                5,
            )
        };
        all.write(&format!("hex{number}.js"), hex, "escaped");
        let unicode = |value: &str| {
            (
                format!("t = '\\u{:04X}{}'", value.as_bytes()[0], &value[1..]),
                5,
            )
        };
        all.write(&format!("unicode{number}.py"), unicode, "escaped");
        let folded = |value: &str| {
            let (one, two) = halves(value);
            (format!("const t = '{one}' + \"{two}\";"), 11)
        };
        all.write(&format!("folded{number}.js"), folded, "folded");
        let lines = |value: &str| {
            let (one, two) = halves(value);
            (format!("const t = '{one}' +\n    '{two}';"), 11)
        };
        all.write(&format!("lines{number}.ts"), lines, "folded");
        let joined = |value: &str| {
            let (one, two) = halves(value);
            (format!("const t = ['{one}', '{two}'].join('');"), 12)
        };
        all.write(&format!("joined{number}.ts"), joined, "folded");
        let adjacent = |value: &str| {
            let (one, two) = halves(value);
            (format!("t = ('{one}'\n     '{two}')"), 6)
        };
        all.write(&format!("adjacent{number}.ts"), adjacent, "folded");
        let packed = |value: &str| {
            (
                format!("t: {}", STANDARD.encode(format!("token: {value} # keep"))),
                3 + 9,
            )
        };
        all.write(&format!("packed{number}.yaml"), packed, "base64");
    }
    write_all(folder, &all.files);
    all.planted
}

/// A repository with a packed commit that holds a credential, in a file that a later one deletes.
fn plant_in_git(folder: &Path) -> Planted {
    let value = String::from_utf8(expand("<<crc62 ghp_>>", "git").unwrap()).unwrap();
    write_all(folder, &[("a.js", format!("x\nt = '{value}'\n"))]);
    let commit = |message: &str| {
        git(folder, ["add", "-A"]);
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
    };
    git(folder, ["init", "-q"]);
    commit("one");
    std::fs::remove_file(folder.join("a.js")).unwrap();
    write_all(folder, &[("b.js", "x\n")]);
    commit("two");
    git(folder, ["gc", "-q"]);
    Planted {
        value,
        rule: "github-token",
        locator: ("repo".into(), String::new()),
        line: 2,
        column: 6,
        written: None,
    }
}

fn is_told(records: &Records, planted: &Planted) -> bool {
    records.all("secret").any(|secret| {
        let locator = text(secret, "locator");
        locator.starts_with(&planted.locator.0)
            && locator.ends_with(&planted.locator.1)
            && secret["rule"] == planted.rule
            && (number(secret, "line"), number(secret, "column")) == (planted.line, planted.column)
            && secret["written"].as_str() == planted.written
    })
}

#[test]
fn planted_credentials_are_found_where_they_stand_and_shown_nowhere() {
    let folder = scratch();
    let (input, repository, report) = (
        folder.path().join("in"),
        folder.path().join("repo"),
        folder.path().join("report"),
    );
    let mut planted = plant(&input);
    planted.push(plant_in_git(&repository));
    assert!(planted.len() >= 60, "{}", planted.len());
    let ran = run([
        "scan".as_ref(),
        input.as_os_str(),
        repository.as_os_str(),
        "--jsonl".as_ref(),
        "-".as_ref(),
        "--report".as_ref(),
        report.as_os_str(),
    ])
    .expect(0);
    let records = ran.records();
    let missed: Vec<String> = planted
        .iter()
        .filter(|one| !is_told(&records, one))
        .map(|one| {
            format!(
                "{} in {} … {}:{}:{} ({:?})",
                one.rule, one.locator.0, one.locator.1, one.line, one.column, one.written
            )
        })
        .collect();
    let told: Vec<String> = records
        .all("secret")
        .map(|secret| {
            format!(
                "{} {}:{}:{} {}",
                text(secret, "rule"),
                text(secret, "locator"),
                secret["line"],
                secret["column"],
                secret["written"]
            )
        })
        .collect();
    // A map in a data URL is opened, and not told a second time as Base64.
    assert!(!told.iter().any(|told| told.contains("inline.js:")));
    assert!(
        missed.is_empty(),
        "missed:\n{}\ntold:\n{}",
        missed.join("\n"),
        told.join("\n")
    );
    // Ids may be shown as they are; nothing else may.
    let shown = common::tree(&report)
        .into_keys()
        .filter_map(|name| std::fs::read(report.join(name)).ok());
    let outputs: Vec<Vec<u8>> = [ran.stdout.clone(), ran.stderr.clone().into_bytes()]
        .into_iter()
        .chain(shown)
        .collect();
    for one in planted.iter().filter(|one| one.rule != "aws-access-key-id") {
        for output in &outputs {
            assert!(
                memchr::memmem::find(output, one.value.as_bytes()).is_none(),
                "{} is shown",
                one.rule
            );
        }
    }
}

#[test]
fn an_id_and_its_secret_raise_each_other() {
    let folder = scratch();
    let pair = expand(
        "id = AKIA<<base32 16>>\n\naws_secret_access_key = <<base64 40>>\n",
        "pair",
    )
    .unwrap();
    let far = expand(
        &format!(
            "id = AKIA<<base32 16>>\n{}aws_secret_access_key = <<base64 40>>\n",
            "\n".repeat(20)
        ),
        "far",
    )
    .unwrap();
    write_all(
        folder.path(),
        &[("in/near.txt", &pair), ("in/far.txt", &far)],
    );
    let records = run([
        "scan".as_ref(),
        folder.path().join("in").as_os_str(),
        "--jsonl".as_ref(),
        "-".as_ref(),
    ])
    .expect(0)
    .records();
    let severity = |file: &str, rule: &str| {
        let mut secrets = records
            .all("secret")
            .filter(|secret| text(secret, "locator").ends_with(file) && secret["rule"] == rule);
        secrets
            .next()
            .map(|secret| text(secret, "severity").to_owned())
            .unwrap_or_default()
    };
    assert_eq!(severity("near.txt", "aws-access-key-id"), "high");
    assert_eq!(severity("near.txt", "aws-secret-access-key"), "critical");
    assert_eq!(severity("far.txt", "aws-access-key-id"), "medium");
    assert_eq!(severity("far.txt", "aws-secret-access-key"), "high");
}

#[test]
fn public_sources_give_next_to_none() {
    let Some(maps) = real_maps() else { return };
    let mut told = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (name, map) in &maps {
        let Ok(map) = serde_json::from_slice::<serde_json::Value>(map) else {
            continue;
        };
        let contents = map["sourcesContent"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|content| content.as_str());
        for content in contents.filter(|content| seen.insert(common::sha256(content.as_bytes()))) {
            let found = find(content.as_bytes(), Role::Bulk);
            told.extend(
                found
                    .into_iter()
                    .filter(|one| one.fact.tier == Tier::Specific)
                    .map(|one| format!("{name}: {:?}", one.fact)),
            );
        }
    }
    assert!(told.len() <= 5, "{}", told.join("\n"));
}

#[test]
fn popular_packages_give_nothing_that_is_bad() {
    const PACKAGES: [&str; 10] = [
        "acorn-8.19.0.tgz",
        "bootstrap-5.3.8.tgz",
        "core-js-3.51.0.tgz",
        "eslint-10.15.0.tgz",
        "hls.js-1.7.4.tgz",
        "leaflet-1.9.4.tgz",
        "lodash-4.18.1.tgz",
        "prettier-3.10.1.tgz",
        "rxjs-7.8.2.tgz",
        "swagger-ui-dist-5.35.0.tgz",
    ];
    let paths = PACKAGES.map(|name| packages_folder().join(name));
    if paths.iter().any(|path| !path.exists()) {
        return skipped(
            "popular packages",
            "run `python3 fixtures/fetch.py`",
            "STRANDLINE_REQUIRE_PACKAGES",
        );
    }
    let mut arguments = vec!["scan".into(), "--jsonl".into(), "-".into()];
    arguments.extend(paths.iter().map(|path| path.clone().into_os_string()));
    let records = run(arguments).records();
    let bad = records
        .all("secret")
        .filter(|secret| matches!(text(secret, "severity"), "high" | "critical"));
    let bad: Vec<_> = bad.collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn hostile_texts_take_no_longer_than_others() {
    /// A megabyte of one word, of each sort that starts an attempt.
    const BYTES: usize = 1 << 20;
    for word in [
        "AKIA",
        "AKIA ",
        "eyJh",
        "\"eyJh-",
        "ghp_",
        "://",
        "://a:",
        "\"kty\":\"EC\",",
        "-----BEGIN PRIVATE KEY-----",
        "\\u0067",
        "'a'+",
        "'a'\n",
        "password = 'a1",
        "4",
        "4 ",
        "DE12",
        "A1b2",
        "private_key_id\": \"",
        "sk-",
        ";Password=a;Server=",
        "{\"files\":{",
    ] {
        let hostile = word.repeat(BYTES / word.len());
        // What is quadratic takes hours here, and is seen without a clock.
        for role in [Role::Bulk, Role::Own] {
            assert!(find(hostile.as_bytes(), role).len() <= 10_000, "{word}");
        }
    }
}
