//! What mutants are made of: the corpus in `fixtures/fuzz`, files of the project, and small containers made here.
//!
//! `fixtures/fuzz/seeds/TARGET` holds inputs of the formats' own tests and of real tools, cut to the smallest that say
//! something; `fixtures/fuzz/found/TARGET` holds what was once read wrongly. Both are read as they are first, so that what
//! was found stays mended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use strandline::signature::{FileEntry, Options, PartyFlag, SetBuilder};

use crate::common;

/// Seeds by target.
pub type Seeds = BTreeMap<String, Vec<Vec<u8>>>;

/// The corpus, and what is made here.
pub fn all() -> Seeds {
    let mut seeds = Seeds::new();
    let corpus = ["seeds", "found"].map(|folder| common::fixtures().join("fuzz").join(folder));
    let more = std::env::var_os("STRANDLINE_FUZZ_SEEDS").map(PathBuf::from);
    for folder in corpus.into_iter().chain(more) {
        for target in entries(&folder) {
            let name = target.file_name().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            let files = entries(&target);
            let read = files.iter().map(|path| read(path));
            seeds.entry(name).or_default().extend(read);
        }
    }
    for (target, bytes) in made() {
        seeds.entry(target.to_owned()).or_default().push(bytes);
    }
    seeds
}

/// What is in a folder, by name; nothing where there is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let is_shown = |path: &PathBuf| {
        !path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    let mut paths: Vec<_> = paths.filter(is_shown).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn made() -> Vec<(&'static str, Vec<u8>)> {
    let incident = common::incident();
    let map = common::source_map(&[
        ("../src/a.ts", Some("export const a = 1;\n")),
        ("b.ts", None),
    ]);
    let indexed = format!(
        r#"{{"version":3,"file":"x.js","sections":[{{"offset":{{"line":0,"column":0}},"map":{map}}},{{"offset":{{"line":9,"column":2}},"map":{map}}}]}}"#
    );
    let rich = r#")]}'
{"version":3,"file":"o.js","sourceRoot":"r/","names":["a","b\u0041"],"sources":["a.ts",null,"b.ts"],"sourcesContent":["let a\u000a=\ud83d\ude00;\n\ud800",null,"x\\\"y\n\nz"],"mappings":"AAAAA,IAAM,SAASC;ACCTC,SCDF;;EAGJ,+/////D","ignoreList":[1],"rangeMappings":"B;;C","x_google_ignoreList":[0],"debugId":"85314830-023f-4cf1-a267-535f4e37bb17"}"#;
    let url = common::data_url(&map);
    let script = format!(
        "var a;\n//# sourceMappingURL={url}\neval(\"__webpack_require__.r(x);\\n//# sourceURL=[module]\\n//# sourceMappingURL={url}\\n//# sourceURL=webpack-internal:///./src/a.ts\\n\");\nvar m = {};\n//# debugId=85314830-023f-4cf1-a267-535f4e37bb17\n/*# sourceMappingURL=https://h.example/a.js.map */\nconst t = `{rich}`;",
        serde_json::to_string(&map).expect("a string")
    );
    let tar = common::tar(&[
        ("package/package.json", common::manifest("@acme/x", "1.0.0")),
        (
            "package/.env",
            "API_KEY=4f9a8b7c6d5e4f3a2b1c\nDB=postgres://u:p4ssw0rd@db.corp.acme.example/x\n"
                .to_owned(),
        ),
        ("package/a.js", script.clone()),
        ("package/a.js.map", map.clone()),
    ]);
    let zip = common::zip(&[("a.js", script.as_bytes()), ("a.js.map", map.as_bytes())]);
    let mut made = vec![
        ("source-map", map.clone().into_bytes()),
        ("source-map", indexed.into_bytes()),
        ("source-map", rich.as_bytes().to_vec()),
        ("text", script.into_bytes()),
        ("data-url", url.into_bytes()),
        ("data-url", b"data:text/plain;charset=\"utf-8\",%7B%22version%22%3A3%7D".to_vec()),
        ("tar", tar.clone()),
        ("gzip", common::gzip(&tar)),
        ("gzip", common::gzip(map.as_bytes())),
        ("zip", zip),
        ("har", common::capture().into_bytes()),
        ("profile", read(&incident.join("acme.toml"))),
        ("set", read(&incident.join("acme-cli-2.1.0.sigset"))),
        ("names", read(&incident.join("acme-cli-2.1.0.names"))),
        ("lockfile", read(&common::fixtures().join("apps/package-lock.json"))),
        ("lockfile", LOCK_PNPM.to_vec()),
        ("lockfile", LOCK_YARN.to_vec()),
        ("lockfile", LOCK_BERRY.to_vec()),
        ("lockfile", STORE_NPM.to_vec()),
        ("lockfile", STORE_PNPM.to_vec()),
        ("image-doc", IMAGE_INDEX.to_vec()),
        ("image-doc", IMAGE_MANIFEST.to_vec()),
        ("image-doc", IMAGE_SAVED.to_vec()),
        ("image-doc", IMAGE_CONFIG.to_vec()),
        ("secrets", SECRETS.to_vec()),
        ("secrets", b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n".to_vec()),
        ("secrets", b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 2\nAAAAC3NzaC1lZDI1NTE5AAAA\nIAAA\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: 00\n".to_vec()),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, deflate\r\nTransfer-Encoding: chunked\r\nSourceMap: a.map\r\n X: y\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\n".to_vec()),
        ("git-text", b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@x> 1700000000 +0000\ncommitter C <c@x> 1700000000 -1200\nencoding x\n\nmessage\n".to_vec()),
        ("git-text", b"object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype commit\ntag v1\ntagger A <a@x> 1700000000 +0000\n\nx\n".to_vec()),
        ("git-text", b"# pack-refs with: peeled fully-peeled sorted \n4b825dc642cb6eb9a060e54bf8d69288fbee4904 refs/tags/v1\n^4b825dc642cb6eb9a060e54bf8d69288fbee4904\nref: refs/heads/main\n".to_vec()),
        ("git-text", b"100644 a\0aaaaaaaaaaaaaaaaaaaa40000 b\0bbbbbbbbbbbbbbbbbbbb120000 c\0cccccccccccccccccccc".to_vec()),
        ("git-text", b"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n\tpartialClone = origin\n".to_vec()),
        // A base of seven bytes, and what copies and inserts of it make.
        ("git-delta", b"\x07abcdefg\x07\x0a\x90\x07\x03xyz".to_vec()),
    ];
    for text in [
        "export const a = 1;\r\n\tb();\n",
        "\u{feff}x \u{a0}\r\r\n\n",
    ] {
        made.push(("norm-text", text.as_bytes().to_vec()));
    }
    for path in [
        "src/lex/python.rs",
        "tests/recompute.py",
        "fixtures/tokens.mjs",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        made.push(("code", read(&path)));
    }
    made.extend(incident_texts().into_iter().map(|text| ("incident", text)));
    made.push(("set-small", small_set()));
    made.extend(super::exposure::seeds());
    made
}

/// A little of each language, with what is odd in it.
pub fn code() -> Vec<Vec<u8>> {
    let files = entries(&common::fixtures().join("fuzz/seeds/code"));
    files.iter().map(|path| read(path)).collect()
}

/// The files of the incident's work, and one of all of them: a bundle.
pub fn incident_texts() -> Vec<Vec<u8>> {
    let mut folders = vec![common::incident().join("acme-cli/src")];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.push(read(&path));
            }
        }
    }
    texts.sort();
    texts.push(texts.concat());
    texts
}

/// A set of few files in two languages: most of its bytes are tables that mean something.
fn small_set() -> Vec<u8> {
    let mut builder = SetBuilder::new("acme", "1", Options::default());
    let of = |path: &str, party, text: &[u8]| FileEntry::of(path, party, text);
    for (number, text) in incident_texts().iter().take(2).enumerate() {
        builder.add(of(&format!("{number}.ts"), PartyFlag::First, text));
    }
    for text in code().iter().take(3) {
        builder.add(of("other", PartyFlag::Third, text));
    }
    builder.finish().expect("a set").set_bytes
}

const SECRETS: &[u8] = b"//registry.acme.example/:_authToken=npm_abcdefghijklmnopqrstuvwxyz0123456789\n_auth=dXNlcjpwYXNz\nregistry=https://u:p@r.acme.example/\nAPI_KEY='4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c'\nexport DB=\"postgres://u:p4ssw0rd@db.corp.acme.example:5432/x\"\nmachine h.example login u password s3cr3tvalue\n";
const LOCK_PNPM: &[u8] = b"lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      '@acme/x':\n        specifier: ^1.0.0\n        version: 1.0.0(react@18.0.0)\npackages:\n  '@acme/x@1.0.0':\n    resolution: {integrity: sha512-AAAA}\n  /@acme/y/2.0.0:\n    resolution: {integrity: sha512-BBBB}\n";
const LOCK_YARN: &[u8] = b"# yarn lockfile v1\n\n\"@acme/x@^1.0.0\", \"@acme/x@npm:@acme/z@1\":\n  version \"1.0.0\"\n  resolved \"https://r.example/@acme/x/-/x-1.0.0.tgz#aaaa\"\n  integrity sha512-AAAA\n  dependencies:\n    \"@acme/y\" \"^1\"\n";
const LOCK_BERRY: &[u8] = b"__metadata:\n  version: 8\n\n\"@acme/x@npm:^1.0.0, @acme/x@workspace:.\":\n  version: 1.0.0\n  resolution: \"@acme/x@npm:1.0.0\"\n  checksum: 10c0/aaaa\n";
const STORE_NPM: &[u8] = b"\n0123456789abcdef0123456789abcdef01234567\t{\"key\":\"make-fetch-happen:request-cache:https://r.example/@acme%2fx\",\"integrity\":\"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\",\"time\":1,\"size\":2,\"metadata\":{\"url\":\"https://r.example/@acme/x/-/x-1.0.0.tgz\"}}";
const STORE_PNPM: &[u8] = b"{\"name\":\"@acme/x\",\"version\":\"1.0.0\",\"requiresBuild\":false,\"files\":{\"a.js\":{\"checkedAt\":1,\"integrity\":\"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\",\"mode\":420,\"size\":2}}}";
const IMAGE_INDEX: &[u8] = b"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"size\":2,\"annotations\":{\"org.opencontainers.image.ref.name\":\"x\"}}]}";
const IMAGE_MANIFEST: &[u8] = b"{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"size\":2},\"layers\":[{\"mediaType\":\"t\",\"digest\":\"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\",\"size\":9,\"urls\":[\"https://h.example/x\"]}]}";
const IMAGE_SAVED: &[u8] = b"[{\"Config\":\"blobs/sha256/a.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[\"b/layer.tar\",\"../c/layer.tar\"]}]";
const IMAGE_CONFIG: &[u8] = b"{\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]},\"history\":[{\"created_by\":\"x\"}]}";
