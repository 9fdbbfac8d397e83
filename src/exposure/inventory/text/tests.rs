use super::super::items_of;
use super::*;

/// Values of one kind in a text, in the order in which they stand.
fn values(kind: &str, text: &str) -> Vec<String> {
    let items = items_of(text.as_bytes());
    items
        .into_iter()
        .filter(|item| item.kind == kind)
        .map(|item| item.value)
        .collect()
}

#[track_caller]
fn gives(kind: &str, text: &str, expected: &[&str]) {
    assert_eq!(values(kind, text), expected, "{kind} in {text}");
}

const SCRIPT: &str = "export function a(b: string) { return b === undefined; }\n";

#[test]
fn urls_are_read_to_their_end_with_holes() {
    for (text, url, host) in [
        (
            "const a = 'https://api.acme.io/v1?key=b#c';",
            "https://api.acme.io/v1",
            "api.acme.io",
        ),
        (
            "const a = `https://${region}.api.acme.io/v1/${f({a: 1})}/x`;",
            "https://${}.api.acme.io/v1/${}/x",
            "${}.api.acme.io",
        ),
        (
            "const a = 'https:\\/\\/api.acme.io\\/v1';",
            "https://api.acme.io/v1",
            "api.acme.io",
        ),
        (
            "const a = 'https\\u003a\\x2f/api.acme.io';",
            "https://api.acme.io",
            "api.acme.io",
        ),
        (
            "// see https://docs.acme.io/a_(b), and more",
            "https://docs.acme.io/a_(b)",
            "docs.acme.io",
        ),
        (
            "// (see https://docs.acme.io/a).",
            "https://docs.acme.io/a",
            "docs.acme.io",
        ),
        (
            "const a = 'postgres://me:word@db.acme.io:5432/main';",
            "postgres://db.acme.io:5432/main",
            "db.acme.io",
        ),
        (
            "const a = 'http://billing:8080/x';",
            "http://billing:8080/x",
            "billing",
        ),
        (
            "const a = 'http://ci.acme.internal/x';",
            "http://ci.acme.internal/x",
            "ci.acme.internal",
        ),
    ] {
        let text = format!("{SCRIPT}{text}");
        gives("url", &text, &[url]);
        gives("host", &text, &[host]);
    }
}

#[test]
fn places_that_are_nobodys_are_no_hosts() {
    for text in [
        "const a = 'https://example.com/a';",
        "const a = 'https://api.acme.example/a';",
        "const a = 'http://localhost:8080/a';",
        "const a = 'http://127.0.0.1/a';",
        "const a = 'https://' + b;",
        "const a = `https://${b}`;",
        "const a = 'webpack://a.b.com/c';",
        "import a from 'socket.io'; a.com(b.org);",
        "const a = 'config.local', b = this.app.internal, c = '.env.local';",
        "const a = 'tsconfig.app.json', b = 'a.b.io.ts';",
        "socket.io/2;",
        "const a = { 'panes.list.text.dev': 'b' };",
    ] {
        gives("host", &format!("{SCRIPT}{text}"), &[]);
    }
}

#[test]
fn hosts_stand_by_themselves() {
    for (text, host) in [
        ("const a = 'hooks.acme.com';", "hooks.acme.com"),
        ("const a = 'a.eu.acme.io:443';", "a.eu.acme.io"),
        ("// ask npmsite.com/package/a", "npmsite.com"),
        ("// runs on build-7.acme.corp.", "build-7.acme.corp"),
        (
            "const a = host.includes('us.i.acme.com') ? 1 : 2;",
            "us.i.acme.com",
        ),
    ] {
        gives("host", &format!("{SCRIPT}{text}"), &[host]);
    }
}

#[test]
fn private_addresses_and_their_networks() {
    for (text, expected) in [
        ("a = '10.1.2.3'", "10.1.2.3"),
        ("a = '192.168.0.0/16'", "192.168.0.0/16"),
        ("a = 'http://172.16.4.5:80/b'", "172.16.4.5"),
        ("a = '100.64.0.1'", "100.64.0.1"),
        ("a = 'fd12:3456:789a::1'", "fd12:3456:789a::1"),
        ("a = 'fe80::1'", "fe80::1"),
    ] {
        gives("private-address", text, &[expected]);
    }
    for text in [
        "a = '172.32.0.1'",
        "a = '100.1.2.3'",
        "version 10.1.2.3",
        "a = '10.1.2'",
        "a = '8.8.8.8'",
        "a = '127.0.0.1'",
        "Chrome/10.0.0.0",
        "v10.1.2.3",
        "a = '110.1.2.3'",
        "fdef: 1",
        "feed::a",
    ] {
        gives("private-address", text, &[]);
    }
}

#[test]
fn buckets_by_the_structure_of_their_host() {
    for (text, expected) in [
        ("a = 's3://acme-dumps/x'", "s3://acme-dumps"),
        (
            "a = 'https://acme-dumps.s3.eu-west-1.amazonaws.com/x'",
            "acme-dumps",
        ),
        ("a = 'https://s3.amazonaws.com/acme-dumps/x'", "acme-dumps"),
        (
            "a = 'https://storage.googleapis.com/acme-dumps/x'",
            "acme-dumps",
        ),
        (
            "a = 'https://acme.blob.core.windows.net/dumps/x'",
            "acme/dumps",
        ),
        ("a = 'arn:aws:s3:::acme-dumps/*'", "acme-dumps"),
    ] {
        gives("bucket", text, &[expected]);
    }
    gives("bucket", "a = 'https://sqs.eu-west-1.amazonaws.com/x'", &[]);
}

#[test]
fn mail_is_told_from_what_looks_like_it() {
    for (text, expected) in [
        ("// Author: Ada <ada@acme.io>", "ada@acme.io"),
        ("a = 'mailto:ada+b@acme.io'", "ada+b@acme.io"),
        ("// Email Address []:ada@acme.com", "ada@acme.com"),
        ("a = `${b}@acme.io`", "${}@acme.io"),
        ("report to ada@acme.io.", "ada@acme.io"),
        ("a = 'ada\\u0040acme.io'", "ada@acme.io"),
    ] {
        gives("email", &format!("{SCRIPT}{text}"), &[expected]);
    }
    for text in [
        "git@github.com:acme/a.git",
        "a = 'https://ada@acme.io/a'",
        "a = 'ada:word@acme.io:80'",
        "a = 'icon@2x.png'",
        "a = 'lodash@4.17.x'",
        "a = 'aes256-gcm@openssh.com.'",
        "a = 'user@example.com'",
        "b@c.js",
        "this@Outer.inner",
        "{@link a.b}",
    ] {
        let found = values("email", &format!("{SCRIPT}{text}\n"));
        assert!(
            found.is_empty() || text.contains("openssh"),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn remarks_count_in_comments_only() {
    gives(
        "todo",
        &format!("{SCRIPT}// TODO(ada): tell nobody\nlet a = 'TODO: b';\n"),
        &["TODO(ada): tell nobody"],
    );
    gives(
        "owner",
        &format!("{SCRIPT}// TODO(ada): tell nobody\n"),
        &["ada"],
    );
    gives("owner", &format!("{SCRIPT}// TODO(someday): a\n"), &[]);
    gives(
        "todo",
        &format!("{SCRIPT}/*\n FIXME this\n*/ let a = 'XXX';\n"),
        &["FIXME this"],
    );
    gives(
        "todo",
        &format!("{SCRIPT}let a = ['src/**/*.ts'];\nlet b = TODO;\n"),
        &[],
    );
    gives(
        "ticket",
        &format!("{SCRIPT}// ACME-123, UTF-8, SHA-256, CVE-2020-1\nlet a = 'ACME-9';\n"),
        &["ACME-123"],
    );
    gives(
        "security-comment",
        &format!("{SCRIPT}// this is insecure: password=hunter2secret\n"),
        &["this is insecure: password=…"],
    );
    gives(
        "internal-marker",
        &format!("{SCRIPT}/** @internal */ let a;\n// eslint-disable-next-line a/b\n"),
        &["@internal"],
    );
    gives(
        "person",
        &format!("{SCRIPT}// Author: Ada Byron <ada@acme.io>, Bob Ross\n"),
        &["Ada Byron", "Bob Ross"],
    );
    gives(
        "licence",
        "// SPDX-License-Identifier: MIT OR Apache-2.0\n",
        &["MIT OR Apache-2.0"],
    );
    gives(
        "owner",
        "* @acme/core\n/docs/ @ada\n",
        &["acme/core", "ada"],
    );
}

#[test]
fn folders_of_builds_name_their_user() {
    gives("person", "a = '/Users/ada/work/a.ts'", &["ada"]);
    gives(
        "build-path",
        "a = 'C:\\\\Users\\\\Ada\\\\a\\\\b.ts'",
        &["C:\\Users\\Ada\\a\\b.ts"],
    );
    gives(
        "build-path",
        "x /home/runner/work/acme/acme/src/a.ts",
        &["/home/runner/work/acme/acme/src/a.ts"],
    );
    gives(
        "person",
        "x /home/runner/work/acme/a.ts https://a.b/home/ada/c /home/user/a",
        &[],
    );
}

#[test]
fn what_looks_like_a_secret_is_not_told() {
    // Put together here, so that it is none where it stands.
    let token = ["a1B2c3D4", "e5F6g7H8", "i9J0k1L2"].concat();
    assert_eq!(inert(&format!("/hook/{token}/x")), "/hook/…/x");
    assert_eq!(inert("password: hunter2, rest"), "password: …, rest");
    assert_eq!(
        inert("a-very-long-name-of-a-page-2020-11-02"),
        "a-very-long-name-of-a-page-2020-11-02"
    );
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(proptest::prop_oneof![
        proptest::prelude::Just(b"://".to_vec()), proptest::prelude::Just(b"@".to_vec()), proptest::prelude::Just(b"${".to_vec()),
        proptest::prelude::Just(b"}".to_vec()), proptest::prelude::Just(b".com".to_vec()), proptest::prelude::Just(b"http".to_vec()),
        proptest::prelude::Just(b"/*TODO(".to_vec()), proptest::prelude::Just(b"fe80::".to_vec()), proptest::prelude::Just(b"10.0.".to_vec()),
        proptest::prelude::Just(b"\xc3".to_vec()), proptest::prelude::Just(b":\\Users\\".to_vec()), proptest::prelude::Just(b"A-1".to_vec()),
        proptest::collection::vec(proptest::prelude::any::<u8>(), 1..4),
    ], 0..40)) {
        for family in Family::ALL {
            items(family, &bytes.concat());
        }
    }
}
