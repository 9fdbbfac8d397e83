//! Rule files of gitleaks and Kingfisher, whole, as those programs carry them: `python3 fixtures/rules.py` gets them.
//! Without them the tests say so and pass, unless STRANDLINE_REQUIRE_RULES=1.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use common::*;
use strandline::exposure::Role;
use strandline::exposure::user::UserRules;
use strandline::exposure::user::read::{FileRule, Needs, RuleFile, read};

/// Rules of gitleaks 8.30.1 that have an expression.
const GITLEAKS: usize = 221;
/// Examples of Kingfisher 1.79.0 that its own expressions do not match, in any engine.
const NO_MATCH: usize = 11;

fn folder() -> Option<PathBuf> {
    let folder = packages_folder().join("rules");
    if folder.join("gitleaks.toml").is_file() {
        return Some(folder);
    }
    let folder = folder.display();
    let why = format!("none in {folder}: run `python3 fixtures/rules.py`");
    skipped("rules of other programs", &why, "STRANDLINE_REQUIRE_RULES");
    None
}

fn kingfisher(folder: &Path) -> Vec<FileRule> {
    let files = fs::read_dir(folder.join("kingfisher")).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files = paths.iter().map(|path| {
        let file = read(&fs::read(path).unwrap());
        file.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    });
    files.flat_map(|file: RuleFile| file.rules).collect()
}

#[test]
fn all_rules_can_be_run() {
    let Some(folder) = folder() else { return };
    let file = read(&fs::read(folder.join("gitleaks.toml")).unwrap()).unwrap();
    assert_eq!(file.rules.len(), GITLEAKS);
    assert_eq!(UserRules::new(&file.rules).unwrap().len(), GITLEAKS);
    let rules = kingfisher(&folder);
    assert!(rules.len() > 400, "{}", rules.len());
    UserRules::new(&rules).unwrap();
}

#[test]
fn each_example_is_found_by_its_own_rule() {
    let Some(folder) = folder() else { return };
    let (mut examples, mut missed) = (0, Vec::new());
    for rule in kingfisher(&folder) {
        // What the file asks for beside the expression keeps some of its own examples out, which is right.
        let bare = FileRule {
            entropy: 0.0,
            needs: Needs::default(),
            ..rule
        };
        let rules = UserRules::new(std::slice::from_ref(&bare)).unwrap();
        let whole = regex::bytes::RegexBuilder::new(&bare.pattern)
            .unicode(false)
            .size_limit(64 << 20)
            .build();
        for example in &bare.examples {
            examples += 1;
            // As it stands: parts that are written otherwise are searched too.
            let finds = |text: &str| {
                let facts = rules.facts(text.as_bytes(), Role::Bulk, None);
                facts.iter().any(|fact| fact.written.is_none())
            };
            if !finds(example) {
                missed.push(format!("{}: {example}", bare.id));
            }
            // In windows, and far from other text, as over the whole.
            let far = format!(
                "{}\n{example}\n{}",
                "x y ".repeat(5_000),
                "z w ".repeat(5_000)
            );
            if let Ok(whole) = &whole {
                for text in [example, &far] {
                    let is_there = whole
                        .find(text.as_bytes())
                        .is_some_and(|one| !one.is_empty());
                    assert_eq!(finds(text), is_there, "{}: {example}", bare.id);
                }
            }
        }
    }
    assert!(examples > 800, "{examples}");
    assert!(missed.len() <= NO_MATCH, "{missed:#?}");
}

#[test]
fn what_is_written_otherwise_is_found_too() {
    let folder = scratch();
    let rules = "[[rules]]\nid = 'ours'\nregex = '''acme_([a-f0-9]{32})'''\nkeywords = ['acme']\n";
    let value = |name: &str| format!("acme_{}", &sha256(name.as_bytes())[..32]);
    let (a, b, c, d) = (value("a"), value("b"), value("c"), value("d"));
    let wide: Vec<u8> = format!("line one of it\nkey = {d}\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(format!("user:{c}:more"));
    let joined = format!("// x\nlet k = \"{}\" + '{}';\n", &b[..9], &b[9..]);
    let escaped = format!("// x\nlet k = \"\\u0061{}\";\n", &a[1..]);
    write_all(
        folder.path(),
        &[
            ("rules.toml", rules.as_bytes()),
            ("in/a.js", escaped.as_bytes()),
            ("in/b.js", joined.as_bytes()),
            (
                "in/c.txt",
                format!("# x\nAuth: Basic {base64}\n").as_bytes(),
            ),
            ("in/d.txt", &wide),
        ],
    );
    let at = |name: &str| folder.path().join(name).into_os_string();
    let records = scan(0, [at("in"), "--rules".into(), at("rules.toml")]);
    let found: Vec<_> = records
        .all("secret")
        .filter(|one| text(one, "tier") == "user")
        .map(|one| {
            let place = (number(one, "line"), number(one, "column"));
            (text(one, "locator"), place, text(one, "written"))
        })
        .collect();
    let want = [
        ("in/a.js", (2, 20), "escaped"),
        ("in/b.js", (2, 15), "folded"),
        ("in/c.txt", (2, 26), "base64"),
        ("in/d.txt", (2, 12), "utf-16"),
    ];
    assert_eq!(found, want);
}

#[test]
fn a_scan_runs_them_and_says_what_it_does_not_honour() {
    let folder = scratch();
    let path = folder.path().join("ours.toml");
    let rules = "[[rules]]\nid = 'ours'\nregex = '''acme_([A-Za-z0-9]{32})'''\npath = '''x'''\n\
                 [[rules.allowlists]]\npaths = ['''node_modules''']\n";
    fs::write(&path, rules).unwrap();
    let value = &sha256(b"a rule of our own")[..32];
    let text_in = format!("let token = 'acme_{value}';\n");
    let package = tgz(&[("package/node_modules/a/x.js", text_in.as_bytes())]);
    let input = folder.path().join("p.tgz");
    fs::write(&input, package).unwrap();
    let arguments = [
        "scan",
        input.to_str().unwrap(),
        "--rules",
        path.to_str().unwrap(),
    ];
    run(arguments)
        .expect(0)
        .says("not honoured: allow-lists by path, in ours")
        .says("not honoured: conditions on the path");
    let records = scan(0, &arguments[1..]);
    let found: Vec<_> = records
        .all("secret")
        .filter(|one| text(one, "tier") == "user")
        .collect();
    let [found] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((number(found, "line"), number(found, "column")), (1, 19));
    assert!(!text(found, "redacted").contains(&value[..8]));
    assert!(!records.all("run").next().unwrap()["user_rules"].is_null());
    fs::write(&path, "[[rules]]\nid = 'ours'\nregex = '''(?=a)'''\n").unwrap();
    run(arguments).expect(2).says("rule `ours`");
}
