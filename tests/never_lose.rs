//! What could get lost in silence: settings and captures larger than a reader takes, texts larger than may be held, what a map
//! says beside its sources, what a stream packs without a name, and what only a path tells.
//!
//! Every one of these is found by the program as it is built, or named as a problem with status 3.

mod common;

use std::fs;

use common::*;
use serde_json::json;
use strandline::exposure::secrets::examples::expand;

const INCOMPLETE: i32 = 3;

fn made(spec: &str, purpose: &str) -> String {
    String::from_utf8(expand(spec, purpose).unwrap()).unwrap()
}

fn token(purpose: &str) -> String {
    made("<<crc62 ghp_>>", purpose)
}

/// Class and detail of the exposures at a place.
fn exposures<'r>(records: &'r Records, locator: &str) -> Vec<(&'r str, &'r str)> {
    let all = records.all("exposure");
    all.filter(|one| text(one, "locator") == locator)
        .map(|one| (text(one, "class"), text(one, "detail")))
        .collect()
}

/// A kubeconfig with so many clusters, and a live token.
fn kubeconfig(clusters: usize, token: &str) -> String {
    let mut text = "apiVersion: v1\nkind: Config\nclusters:\n".to_owned();
    for number in 0..clusters {
        text.push_str(&format!(
            "- name: c{number}\n  cluster:\n    server: https://c{number}.acme.example\n"
        ));
    }
    text.push_str(&format!(
        "contexts:\n- name: a\n  context: {{cluster: c0, user: me}}\nusers:\n- name: me\n  user:\n    token: {token}\n"
    ));
    text
}

#[test]
fn large_settings_are_read_or_said_to_be_unread() {
    let folder = scratch();
    let secret = token("large settings");
    let large = kubeconfig(12_000, &secret);
    assert!(large.len() > 600 << 10, "{}", large.len());
    let header = json!({"name": "Authorization", "value": format!("Bearer {secret}")});
    let entry = |body: &str, headers: serde_json::Value| {
        json!({"startedDateTime": "2026-01-01T00:00:00Z",
            "request": {"method": "GET", "url": "https://a.example/x", "headers": headers, "cookies": []},
            "response": {"status": 200, "headers": [], "content": {"text": body, "mimeType": "text/plain"}}})
    };
    let capture = json!({"log": {"version": "1.2", "creator": {"name": "x"}, "entries": [
        entry(&"some words ".repeat(900_000), json!([])), entry("", json!([header]))]}});
    let dotenv: String = (0..20_000)
        .map(|number| format!("SETTING_{number}=value\n"))
        .chain([format!("API_TOKEN={secret}\n")])
        .collect();
    assert!(dotenv.len() > 300 << 10);
    let input = folder.path().join("in");
    write_all(
        &input,
        &[
            ("kubeconfig.yaml", large.as_bytes()),
            ("capture.har", capture.to_string().as_bytes()),
            (".env", dotenv.as_bytes()),
        ],
    );
    let records = scan(0, [&input]);
    assert_eq!(records.problems(), []);
    let found = exposures(&records, "in/kubeconfig.yaml");
    assert!(
        found
            .iter()
            .any(|(class, said)| *class == "kubeconfig" && said.contains("12000 clusters")),
        "{found:?}"
    );
    let found = exposures(&records, "in/capture.har");
    assert!(
        found
            .iter()
            .any(|(class, said)| *class == "recorded-traffic" && said.contains('1')),
        "{found:?}"
    );
    let found = exposures(&records, "in/.env");
    assert!(
        found.iter().any(|(_, said)| said.contains("20001")),
        "{found:?}"
    );
    // The header of the capture is told as what it is, on its line.
    let secrets: Vec<_> = records
        .all("secret")
        .map(|one| text(one, "locator"))
        .collect();
    for file in ["in/.env", "in/capture.har", "in/kubeconfig.yaml"] {
        assert!(secrets.contains(&file), "{file}: {secrets:?}");
    }
}

#[test]
fn what_is_larger_than_is_parsed_is_a_problem() {
    let folder = scratch();
    let input = folder.path().join("in");
    let clusters = kubeconfig(300_000, &token("too large"));
    assert!(clusters.len() > 16 << 20);
    let manifest = format!(
        "{{\"name\":\"@acme/cli\",\"version\":\"1.0.0\",\"x\":\"{}\"}}",
        "y".repeat(9 << 20)
    );
    // Many nodes in few bytes.
    let cassette = format!("http_interactions:\n- [{}]\n", "a,".repeat(1 << 20));
    let state = format!(
        "{{\"terraform_version\":\"1.5.0\",\"resources\":[],\"x\":\"{}\"}}",
        "y".repeat(17 << 20)
    );
    let data = format!("{{\"rows\":[\"{}\"]}}", "y".repeat(17 << 20));
    write_all(
        &input,
        &[
            ("cassette.yml", cassette.as_bytes()),
            ("data.json", data.as_bytes()),
            ("kubeconfig", clusters.as_bytes()),
            ("package.json", manifest.as_bytes()),
            ("state.json", state.as_bytes()),
        ],
    );
    let records = scan(INCOMPLETE, [&input]);
    let unread = ["cassette.yml", "kubeconfig", "package.json", "state.json"];
    let want: Vec<_> = unread.iter().map(|name| format!("in/{name}")).collect();
    let problems = records.problems();
    let told: Vec<_> = problems
        .iter()
        .map(|(_, locator)| (*locator).to_owned())
        .collect();
    assert_eq!(told, want);
    assert!(
        problems.iter().all(|(code, _)| *code == "settings-unread"),
        "{problems:?}"
    );
    // Its text was searched all the same.
    assert!(records.locators("secret").contains(&"in/kubeconfig"));
    scan(
        0,
        [
            input.to_str().unwrap(),
            "--accept-problem",
            "settings-unread",
        ],
    );
}

#[test]
fn a_text_that_cannot_be_held_is_searched_like_one_that_can() {
    let folder = scratch();
    let fill = Random::new(5).text(3 << 20);
    let fill: String = fill
        .as_bytes()
        .chunks(90)
        .flat_map(|line| [std::str::from_utf8(line).unwrap(), "\n"])
        .collect();
    let (one, two) = (token("one"), token("two"));
    let key = made("<<make pkcs8-rsa>>", "key");
    let rule = sha256(b"rule");
    let large = [
        format!("first = '{one}'\n"),
        fill.clone(),
        format!("let t = \"\\u0067{}\";\n", &two[1..]),
        fill.clone(),
        key,
        fill.clone(),
        format!("\nours_{rule}\n"),
        fill.clone(),
        "the word that opens\n".to_owned(),
    ]
    .concat();
    let wide: Vec<u8> = large.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let rules =
        "[[rules]]\nid='ours'\nregex='''ours_[0-9a-f]{64}'''\nkeywords=['word that opens']\n";
    write_all(
        folder.path(),
        &[
            ("in/large.log", large.as_bytes()),
            ("in/wide.log", &[b"\xff\xfe".as_slice(), &wide].concat()),
            ("in/large.tar", &tar(&[("a/large.log", large.as_bytes())])),
            ("rules.toml", rules.as_bytes()),
        ],
    );
    let input = folder.path().join("in");
    let rules = folder.path().join("rules.toml");
    let told = |status: i32, memory: &str| {
        let arguments = [
            input.to_str().unwrap(),
            "--rules",
            rules.to_str().unwrap(),
            "--memory",
            memory,
        ];
        let records = scan(status, arguments);
        let secrets = records.all("secret").map(|one| {
            let place = (
                text(one, "locator").to_owned(),
                number(one, "line"),
                number(one, "column"),
            );
            (
                place,
                text(one, "rule").to_owned(),
                one["written"].clone(),
                one["detail"].clone(),
            )
        });
        let mut secrets: Vec<_> = secrets.collect();
        secrets.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(records.problems(), [], "with {memory}");
        secrets
    };
    let held = told(0, "1G");
    let (plain, packed) = ("in/large.log", "in/large.tar!/a/large.log");
    for locator in [plain, packed, "in/wide.log"] {
        let rules: Vec<_> = (held.iter())
            .filter(|(place, ..)| place.0 == locator)
            .map(|(_, rule, ..)| rule.as_str())
            .collect();
        assert_eq!(
            rules,
            [
                "github-token",
                "github-token",
                "private-key-in-text",
                "ours"
            ],
            "{locator}"
        );
    }
    assert_eq!(told(0, "16M"), held);
}

#[test]
fn what_a_map_says_beside_its_sources_is_searched() {
    let folder = scratch();
    let values: Vec<String> = (0..4)
        .map(|number| token(&format!("map {number}")))
        .collect();
    let live = &sha256(b"a live secret of ours")[..40];
    let map = json!({
        "version": 3,
        "sources": ["webpack:///src/a.ts", format!("https://me:{}@git.corp.acme.internal/b.ts", values[0])],
        "names": ["render", values[1]],
        "mappings": "AAAA",
        "x_build": {"github": values[2], "deep": [{"a": [live]}], "note": "project heron"},
        "file": "a.js",
        "sourcesContent": [format!("const t = '{}';\n", values[3]), null],
    });
    let map = serde_json::to_string_pretty(&map)
        .unwrap()
        .replace(&values[2], &format!("\\u0067{}", &values[2][1..]));
    let inline = format!("x();\n//# sourceMappingURL={}\n", data_url(&map));
    write_all(
        folder.path(),
        &[
            ("in/a.js.map", map.as_bytes()),
            ("in/b.js", inline.as_bytes()),
            ("live.env", format!("LIVE={live}\n").as_bytes()),
            ("terms.txt", b"heron\n"),
            ("key", &[7; 32]),
        ],
    );
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    run([
        "sign",
        "--secrets",
        &at("live.env"),
        "--output",
        &at("set"),
        "--key",
        &at("key"),
    ])
    .expect(0);
    let arguments = [
        at("in"),
        "--known-secrets".into(),
        at("set"),
        "--key".into(),
        at("key"),
        "--terms".into(),
        at("terms.txt"),
    ];
    let records = scan(0, arguments);
    let line_of = |word: &str| {
        let at = map.find(word).unwrap();
        let feed = map[..at].rfind('\n').map_or(0, |feed| feed + 1);
        (
            map[..at].matches('\n').count() as u64 + 1,
            (at - feed) as u64 + 1,
        )
    };
    for locator in [
        "in/a.js.map".to_owned(),
        format!("in/b.js!/@{}", inline.find("data:").unwrap()),
    ] {
        let mut told: Vec<_> = (records.all("secret"))
            .filter(|one| text(one, "locator") == locator)
            .map(|one| {
                (
                    number(one, "line"),
                    number(one, "column"),
                    text(one, "tier"),
                    one["written"].as_str(),
                )
            })
            .collect();
        told.sort_unstable();
        let place = |word: &str, tier, written| {
            let (line, column) = line_of(word);
            (line, column, tier, written)
        };
        let mut want = vec![
            place(&values[0], "specific", None),
            place(&values[1], "specific", None),
            place(
                &format!("\\u0067{}", &values[2][1..]),
                "specific",
                Some("escaped"),
            ),
            place(live, "known", None),
        ];
        want.sort_unstable();
        assert_eq!(told, want, "{locator}");
        let items: Vec<_> = (records.all("item"))
            .filter(|one| text(one, "locator") == locator)
            .map(|one| (text(one, "kind"), text(one, "value"), number(one, "line")))
            .collect();
        assert!(
            items.contains(&("term", "heron", line_of("heron").0)),
            "{items:?}"
        );
        let host = ("host", "git.corp.acme.internal", line_of("git.corp").0);
        assert!(items.contains(&host), "{items:?}");
    }
    // That of the source is told in the source, and nowhere else.
    let of_source: Vec<_> = (records.all("secret"))
        .map(|one| text(one, "locator"))
        .filter(|locator| locator.ends_with("a.ts"))
        .collect();
    assert_eq!(of_source.len(), 2, "{of_source:?}");
    assert_eq!(records.all("secret").count(), 10);
}

#[test]
fn what_a_stream_packs_is_judged_by_the_streams_name() {
    let folder = scratch();
    let key = made("<<make pkcs8-rsa>>", "packed");
    let settings = format!(
        "const password = '{}';\nconsole.log(password);\n",
        made("q<<base62 18>>", "packed")
    );
    write_all(
        &folder.path().join("in"),
        &[
            ("tests/fixtures/key.pem", key.as_bytes()),
            ("tests/fixtures/key.pem.gz", &gzip(key.as_bytes())),
            ("keys/key.pem.gz", &gzip(key.as_bytes())),
            ("src/settings.ts", settings.as_bytes()),
            (
                "src/packed.ts.gz",
                &gzip(format!("// packed\n{settings}").as_bytes()),
            ),
        ],
    );
    let records = scan(0, [folder.path().join("in")]);
    let severity = |locator: &str| {
        let one = records
            .all("exposure")
            .find(|one| text(one, "locator") == locator);
        text(
            one.unwrap_or_else(|| panic!("nothing at {locator}")),
            "severity",
        )
        .to_owned()
    };
    let in_tests = severity("in/tests/fixtures/key.pem");
    assert_eq!(severity("in/tests/fixtures/key.pem.gz!/"), in_tests);
    assert_ne!(severity("in/keys/key.pem.gz!/"), in_tests);
    let generic: Vec<_> = records
        .all("secret")
        .filter(|one| text(one, "tier") == "generic")
        .map(|one| (text(one, "locator"), number(one, "line")))
        .collect();
    assert_eq!(
        generic,
        [("in/src/packed.ts.gz!/", 2), ("in/src/settings.ts", 1)]
    );
}

/// Files that nothing but their path tells; the last is too large to be held where little may be.
const NAMED: [&str; 6] = [
    "home/.aws/credentials",
    "home/.bash_history",
    "home/.ssh/note",
    "app/node_modules/a/x.orig",
    "app/.svn/entries",
    "home/.zsh_history",
];

#[test]
fn what_only_a_path_tells_is_told_in_every_container() {
    let folder = scratch();
    let large = Random::new(9).text(9 << 20);
    let files: Vec<(&str, &str)> = NAMED
        .iter()
        .map(|name| {
            (
                *name,
                if name.ends_with(".zsh_history") {
                    large.as_str()
                } else {
                    "some words\n"
                },
            )
        })
        .collect();
    let (packed, zipped) = (tar(&files), zip(&files));
    let config =
        json!({"rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", sha256(&packed))]}})
            .to_string();
    let saved = json!([{"Config": "config.json", "RepoTags": ["a:1"], "Layers": ["0/layer.tar"]}])
        .to_string();
    let image = tar(&[
        ("0/layer.tar", packed.as_slice()),
        ("config.json", config.as_bytes()),
        ("manifest.json", saved.as_bytes()),
    ]);
    let mut all: Vec<(String, Vec<u8>)> = vec![
        ("in/a.tar".into(), packed.clone()),
        ("in/b.tgz".into(), gzip(&packed)),
        ("in/c.zip".into(), zipped),
        ("in/d.image.tar".into(), image),
    ];
    all.extend(
        files
            .iter()
            .map(|(name, text)| (format!("in/{name}"), text.as_bytes().to_vec())),
    );
    // A stream has the name that it goes by.
    all.extend(
        files[..2]
            .iter()
            .map(|(name, text)| (format!("in/{name}.gz"), gzip(text.as_bytes()))),
    );
    write_all(folder.path(), &all);
    for memory in ["1G", "16M"] {
        let input = folder.path().join("in");
        let records = scan(0, [input.to_str().unwrap(), "--memory", memory]);
        let told = |locator: &str| -> Vec<(String, String)> {
            let all = records
                .all("exposure")
                .filter(|one| text(one, "locator") == locator);
            all.map(|one| {
                (
                    text(one, "class").to_owned(),
                    text(one, "certainty").to_owned(),
                )
            })
            .collect()
        };
        for name in NAMED {
            let loose = told(&format!("in/{name}"));
            assert!(!loose.is_empty(), "{name} with {memory}");
            for container in ["a.tar", "b.tgz", "c.zip", "d.image.tar!/0/layer.tar"] {
                assert_eq!(
                    told(&format!("in/{container}!/{name}")),
                    loose,
                    "{container} {name} {memory}"
                );
            }
        }
        for name in &NAMED[..2] {
            assert_eq!(
                told(&format!("in/{name}.gz!/")),
                told(&format!("in/{name}")),
                "{name}.gz"
            );
        }
    }
}

#[test]
fn a_code_that_is_none_is_refused() {
    let folder = scratch();
    fs::write(folder.path().join("a.txt"), "a").unwrap();
    let input = folder.path().to_str().unwrap();
    run(["scan", input, "--accept-problem", "memory-limits"])
        .expect(2)
        .says("did you mean `memory-limit`?");
    run(["scan", input, "--accept-problem", "memory-limit"]).expect(0);
}

#[test]
fn sign_names_what_it_could_not_read() {
    let folder = scratch();
    let whole = tgz(&[
        ("a.ts", Random::new(3).text(9_000)),
        ("b.ts", Random::new(4).text(9_000)),
    ]);
    write_all(
        folder.path(),
        &[
            ("in/whole.tgz", &whole[..]),
            ("in/torn.tgz", &whole[..whole.len() / 2]),
        ],
    );
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let arguments = [
        "sign",
        &at("in"),
        "--work",
        "w",
        "--release",
        "1",
        "--output",
        &at("w.sigset"),
    ];
    run(arguments)
        .expect(INCOMPLETE)
        .says("truncated: in/torn.tgz:");
}
