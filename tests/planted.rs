//! A planted secret is nowhere in any output.
//!
//! Passwords and tokens stand in links to maps, in the names of their sources, in lists of places and records of how
//! something was fetched, in settings and in manifests. Everything that the program writes about such an input is searched for them:
//! records, the case itself, the report in each view and its lists, briefs, exports, the sealed folder, a notice, the terminal. They are
//! made when the test runs.

mod common;

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use common::{Ran, git, incident, run, scratch, sign_incident, text, tgz, write_all};
use serde_json::json;
use strandline::exposure::secrets::examples::expand;

/// Bytes of a secret that nobody may see together.
const PIECE: usize = 8;

/// A secret that is made for a purpose: nothing but its place tells that it is one.
fn made(purpose: &str) -> String {
    String::from_utf8(expand("<<base62 20>>", purpose).unwrap()).unwrap()
}

struct Planted {
    folder: tempfile::TempDir,
    set: PathBuf,
    /// Pieces of them in small letters, each with where it stands.
    pieces: HashMap<Vec<u8>, &'static str>,
}

impl Planted {
    fn new() -> Self {
        let folder = scratch();
        let set = sign_incident(folder.path());
        let mut planted = Self {
            folder,
            set,
            pieces: HashMap::new(),
        };
        planted.publish();
        planted.copy();
        planted.tell();
        planted
    }

    fn secret(&mut self, purpose: &'static str) -> String {
        let secret = made(purpose);
        let lower = secret.to_ascii_lowercase();
        let pieces = lower.as_bytes().windows(PIECE);
        self.pieces
            .extend(pieces.map(|piece| (piece.to_vec(), purpose)));
        secret
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A package of the vendor's with all sorts of addresses in it.
    fn publish(&mut self) {
        let link = self.secret("link to a map");
        let slash = self.secret("link to a map, behind a slash");
        let query = self.secret("query of a link");
        let source = self.secret("name of a source");
        let parameter = self.secret("query of a source");
        let root = self.secret("root of sources");
        let section = self.secret("section of a map");
        let setting = self.secret("settings");
        let quoted = self.secret("settings in quotes");
        let token = self.secret("settings of a registry");
        let repository = self.secret("manifest");
        let comment = self.secret("comment");
        let header = self.secret("header");
        let manifest = json!({
            "name": "@acme/cli", "version": "2.1.0", "license": "UNLICENSED",
            "repository": {"type": "git", "url": format!("https://ci:{repository}@git.acme.example/acme/cli.git")},
        });
        // Tests sign this file too, and what begins as a map is read as one.
        const VERSION: &str = "version";
        let map = json!({
            (VERSION): 3,
            "sourceRoot": format!("https://ci:{root}@src.acme.example/"),
            "sources": [
                format!("https://dev:{source}@src.acme.example/a.ts"),
                format!("https://src.acme.example/b.ts?access_token={parameter}"),
                "c.ts",
            ],
            "sourcesContent": [
                format!("// TODO see https://me:{comment}@wiki.acme.example/x\nexport const a = 1;\n"),
                "export const b = 2;\n", "export const c = 3;\n",
            ],
            "names": [], "mappings": "AAAA",
        });
        let index = json!({
            (VERSION): 3,
            "sections": [{"offset": {"line": 0, "column": 0}, "url": format!("https://ci:{section}@maps.acme.example/part.js.map")}],
        });
        let page = json!({"log": {"version": "1.2", "entries": [{
            "request": {"method": "GET", "url": format!("https://ci:{header}@cdn.acme.example/x.js"), "headers": []},
            "response": {"status": 200, "headers": [], "content": {"text": "f();", "mimeType": "text/javascript"}},
        }]}});
        let script = |link: &str| format!("f();\n//# sourceMappingURL={link}\n");
        let package = tgz(&[
            ("package/package.json", manifest.to_string()),
            (
                "package/app.js",
                script(&format!("https://ci:{link}@maps.acme.example/app.js.map")),
            ),
            (
                "package/slash.js",
                script(&format!("https://ci:a/{slash}@maps.acme.example/s.js.map")),
            ),
            (
                "package/web.js",
                script(&format!(
                    "https://maps.acme.example/web.js.map?token={query}"
                )),
            ),
            ("package/cli.js", script("cli.js.map")),
            ("package/cli.js.map", map.to_string()),
            ("package/index.js.map", index.to_string()),
            ("package/page.har", page.to_string()),
            (
                "package/.env",
                format!("PORT=3000\nDB_PASSWORD={setting}\nAPI_TOKEN=\"{quoted}\"\n"),
            ),
            (
                "package/.npmrc",
                format!("//r.acme.example/:_authToken={token}\n"),
            ),
        ]);
        write_all(&self.path("published"), &[("cli-2.1.0.tgz", package)]);
    }

    /// A clone of a copy, whose remote has a password.
    fn copy(&mut self) {
        let remote = self.secret("remote of a clone");
        let clone = self.path("copies/one");
        copy_tree(&incident().join("acme-cli/src"), &clone.join("src"));
        git(&clone, ["init", "-q"]);
        git(&clone, ["add", "-A"]);
        git(&clone, ["commit", "-qm", "x"]);
        let url = format!("https://ann:{remote}@git.example/ann/cli");
        git(&clone, ["remote", "add", "origin", &url]);
        copy_tree(
            &incident().join("acme-cli/src"),
            &self.path("copies/two/src"),
        );
    }

    /// What people say of the copies.
    fn tell(&mut self) {
        let slash = self.secret("password with a slash");
        let blank = self.secret("address and a remark");
        let parent = self.secret("parent");
        let word = self.secret("passwd");
        let path = self.secret("address in the place of a path");
        let host = self.secret("address in the place of a host");
        let scp = self.secret("address without a scheme");
        let list = format!(
            "url,path,parent,host\nhttps://ann:x/{slash}@git.example/ann/cli,copies/one,https://me:{parent}@git.example/acme/cli,\nhttps://bob:{blank}@git.example/bob/cli seen today,copies/two,,\nhttps://git.example/eve/cli?passwd={word},,,me:{host}@git.example\nme:x/{scp}@git.example:tom/cli,,,\n,https://me:{path}@git.example/zed/cli,,\n"
        );
        let address = self.secret("address of a fetch");
        let user = self.secret("user of a tool");
        let header = self.secret("header of a tool");
        let flag = self.secret("flag of a tool");
        let location = self.secret("redirect");
        let got = format!(
            "path,url,time,tool,person,header:location\ncopies/one,https://me:{address}@git.example/ann/cli,2026-04-01T00:00:00Z,\"curl -u me:{user} -H 'Authorization: Bearer {header}' --password {flag}\",Ann,https://cdn.example/x?X-Amz-Signature={location}\n"
        );
        write_all(self.folder.path(), &[("forks.csv", list), ("got.csv", got)]);
    }

    fn run(&self, words: &[&str], status: i32) -> Ran {
        let words = words.iter().map(|word| match word.strip_prefix("./") {
            Some(name) => self.path(name).into_os_string(),
            None => OsString::from(word),
        });
        let ran = run(words).expect(status);
        self.assert_none_in(ran.text().as_bytes(), "standard output");
        self.assert_none_in(ran.stderr.as_bytes(), "standard error");
        ran
    }

    #[track_caller]
    fn assert_none_in(&self, bytes: &[u8], what: &str) {
        // Hosts are told in small letters.
        let bytes = bytes.to_ascii_lowercase();
        for (at, window) in bytes.windows(PIECE).enumerate() {
            if let Some(purpose) = self.pieces.get(window) {
                let near = &bytes[at.saturating_sub(80)..at + PIECE];
                let near = String::from_utf8_lossy(near);
                panic!("{what} shows the {purpose}: {near}");
            }
        }
    }

    #[track_caller]
    fn assert_none_below(&self, folder: &Path, looked: &mut u32) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            self.assert_none_in(name.as_bytes(), "a name");
            if path.is_dir() {
                self.assert_none_below(&path, looked);
            } else {
                *looked += 1;
                self.assert_none_in(&std::fs::read(&path).unwrap(), &name);
            }
        }
    }
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_planted_secret_is_in_no_output() {
    let planted = Planted::new();
    std::fs::create_dir(planted.path("out")).unwrap();
    let set = planted.set.display().to_string();
    let org = incident().join("acme.toml").display().to_string();
    planted.run(
        &[
            "scan",
            "./published",
            "./copies",
            "--signatures",
            &set,
            "--org",
            &org,
            "--origins",
            "./forks.csv",
            "--acquisition",
            "./got.csv",
            "--case",
            "./out/it.case",
            "--report",
            "./out/first",
            "--jsonl",
            "./out/records.jsonl",
            "--record",
            "all",
        ],
        0,
    );
    for view in ["internal", "counsel", "public"] {
        let out = format!("./out/report-{view}");
        planted.run(
            &["report", "./out/it.case", "--output", &out, "--view", view],
            0,
        );
    }
    let briefs = ["--brief", "counsel,executive", "--output", "./out/briefs"];
    planted.run(&[&["report", "./out/it.case"], &briefs[..]].concat(), 0);
    for format in ["jsonl", "csv", "sarif", "cyclonedx", "stix", "case-uco"] {
        let out = format!("./out/export-{format}");
        planted.run(
            &[
                "case",
                "export",
                "./out/it.case",
                "--format",
                format,
                "--output",
                &out,
            ],
            0,
        );
    }
    for view in ["internal", "counsel"] {
        let out = format!("./out/sealed-{view}");
        planted.run(
            &[
                "seal",
                "./out/it.case",
                "--output",
                &out,
                "--view",
                view,
                "--include-work-product",
            ],
            0,
        );
        planted.run(&["verify", &out], 0);
    }
    for look in ["info", "match", "scope", "review", "custody"] {
        let words = ["case", look, "./out/it.case"];
        let more: &[&str] = if look == "match" {
            &["--signatures", &set]
        } else {
            &[]
        };
        planted.run(&[&words[..], more].concat(), 0);
    }
    planted.run(
        &[
            "notice",
            "./out/it.case",
            "--host",
            "git.example",
            "--include-unreviewed",
            "--override",
            "a test",
            "--output",
            "./out/notice",
        ],
        0,
    );
    let mut looked = 0;
    planted.assert_none_below(&planted.path("out"), &mut looked);
    assert!(looked > 60, "only {looked} files were looked at");
    // Of sources the contents are what was asked for; names and manifest are the program's.
    planted.run(&["recover", "./published", "--output", "./recovered"], 0);
    let manifest = std::fs::read(planted.path("recovered/manifest.jsonl")).unwrap();
    planted.assert_none_in(&manifest, "the manifest");
}

/// What is left still says which place is meant, and that something was cut; and what differs in nothing else is two things.
#[test]
fn what_is_left_names_the_place() {
    let planted = Planted::new();
    let published = planted.path("published");
    let records = common::scan(
        0,
        [
            OsStr::new("--inventory"),
            "none".as_ref(),
            published.as_ref(),
        ],
    );
    let targets: Vec<&str> = records
        .all("reference")
        .map(|row| text(row, "target"))
        .collect();
    for target in [
        "https://***@maps.acme.example/app.js.map",
        "https://maps.acme.example/web.js.map?token=***",
        "https://***@maps.acme.example/part.js.map",
    ] {
        assert!(targets.contains(&target), "{target}: {targets:?}");
    }
    let names: Vec<&str> = records.all("source").map(|row| text(row, "name")).collect();
    // In the order of locators.
    assert_eq!(
        names,
        [
            "c.ts",
            "https://***@src.acme.example/a.ts",
            "https://src.acme.example/b.ts?access_token=***"
        ]
    );
    let secrets: Vec<(&str, &str)> = records
        .all("secret")
        .map(|row| (text(row, "rule"), text(row, "locator")))
        .collect();
    for (rule, file) in [
        ("generic-password", ".env"),
        ("generic-secret", ".env"),
        ("generic-secret", ".npmrc"),
    ] {
        let locator = format!("published/cli-2.1.0.tgz!/package/{file}");
        assert!(secrets.contains(&(rule, &locator)), "{rule}: {secrets:?}");
    }
    // Two sources that differ in their passwords alone.
    let folder = scratch();
    let map = json!({
        "version": 3, "sources": ["https://a:one1@h.example/x.ts", "https://a:two2@h.example/x.ts"],
        "sourcesContent": ["one();", "two();"], "names": [], "mappings": "AAAA",
    });
    write_all(folder.path(), &[("in/a.js.map", map.to_string())]);
    let records = common::scan(0, [folder.path().join("in")]);
    assert_eq!(
        records.locators("source"),
        [
            "in/a.js.map!/https://***@h.example/x.ts",
            "in/a.js.map!/https://***@h.example/x.ts#2"
        ]
    );
}
