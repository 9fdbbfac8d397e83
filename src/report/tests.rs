//! The report as a whole: what it answers, that page, twin and lists agree, and what each view holds.

use std::collections::BTreeSet;

use serde_json::Value;

use super::questions::AnswerState;
use super::sample;
use super::*;
use crate::record::{Certainty, Party, Record, Severity};

fn report(records: Vec<Record>, view: View, key: &[u8]) -> Report {
    let mut builder = Builder::new(Settings {
        view,
        key: key.to_vec(),
        overrides: Vec::new(),
        ..Settings::default()
    });
    for record in records {
        builder.add(record).unwrap();
    }
    builder.finish()
}

fn internal(records: Vec<Record>) -> Report {
    report(records, View::Internal, b"")
}

/// Everything that a report is written as.
fn written(report: &Report) -> String {
    let mut all = render_html(&report.model).unwrap();
    all.push_str(&serde_json::to_string_pretty(&report.model).unwrap());
    for list in &report.lists {
        all.push_str(&list.text);
    }
    all
}

#[test]
fn eight_questions_have_an_answer_each() {
    let model = internal(sample::incident()).model;
    let answers = &model.verdict.answers;
    assert_eq!(answers.len(), 8);
    for row in answers {
        assert!(row.answer.ends_with('.'), "{}", row.answer);
        assert!(!row.evidence.is_empty(), "{}", row.question);
    }
    let said = |at: usize| answers[at].answer.as_str();
    assert!(said(0).starts_with("So far: 1,0"), "{}", said(0));
    assert!(
        said(0).contains("7 exposures of 6 classes (2 critical, 2 high, 1 medium, 1 low, 1 info)"),
        "{}",
        said(0)
    );
    assert!(
        said(0).contains("@acme/cli@2.1.88 and @acme/cli@0.2.8"),
        "{}",
        said(0)
    );
    assert_eq!(answers[1].state, AnswerState::NotKnown, "{}", said(1));
    assert!(
        said(3).starts_with("2 distinct credentials at 3 places, 1 with"),
        "{}",
        said(3)
    );
    assert!(
        said(4).contains("read 2 security controls, 3 feature flags"),
        "{}",
        said(4)
    );
    assert!(
        said(5).contains("3 of the 7 places examined"),
        "{}",
        said(5)
    );
    assert!(
        said(6).starts_with("7 of 3,217 entries: 3 skipped, 4 damaged; 3 problems recorded"),
        "{}",
        said(6)
    );
    assert!(
        said(7).starts_with("At once: withdraw the packages"),
        "{}",
        said(7)
    );
}

/// Nothing was found: said with its scope where all was read, and not at all where it was not.
#[test]
fn absences_stand_on_the_ledger() {
    let ended = |ledger| {
        let records = vec![Record::from(sample::run()), Record::from(ledger)];
        internal(records).model.verdict
    };
    let whole = ended(sample::full_ledger());
    for at in [0, 3, 4, 5] {
        let row = &whole.answers[at];
        assert!(
            row.answer
                .contains("was found. Scope: all that the input holds"),
            "{}",
            row.answer
        );
        assert_eq!(row.state, AnswerState::Seen);
    }
    assert_eq!(whole.level, 0);
    let part = ended(sample::partial_ledger());
    for at in [0, 3, 4, 5] {
        assert_eq!(
            part.answers[at].state,
            AnswerState::NotYetSupportable,
            "{at}"
        );
    }
    assert!(part.axes.iter().all(|axis| axis.words() == "at least 0"));
}

#[test]
fn axes_are_set_by_rows_that_are_named() {
    let model = internal(sample::incident()).model;
    let axis = |id: &str| model.axis(id).unwrap();
    assert_eq!(axis("secrets").level, 4);
    assert!(
        axis("secrets")
            .rows
            .iter()
            .any(|row| row.figure == "secrets-critical" && row.value == 1)
    );
    assert!(
        axis("secrets")
            .rows
            .iter()
            .all(|row| !row.places.is_empty())
    );
    assert_eq!((axis("ip").level, axis("spread").level), (4, 4));
    assert_eq!(axis("personal").level, 1);
    assert_eq!(model.verdict.level, 4);
    assert_eq!(model.verdict.headline.len(), 3);
    for axis in &model.verdict.axes {
        assert!(
            axis.rows.iter().all(|row| row.value >= row.from),
            "{axis:?}"
        );
    }
}

#[test]
fn an_axis_set_by_hand_is_printed_with_what_the_rules_say() {
    let overrides = Override::pair(
        &["spread=1".to_owned()],
        &["All copies are our own test machines.".to_owned()],
    );
    let mut builder = Builder::new(Settings {
        overrides: overrides.unwrap(),
        ..Settings::default()
    });
    for record in sample::incident() {
        builder.add(record).unwrap();
    }
    let model = builder.finish().model;
    let page = render_html(&model).unwrap();
    assert!(page.contains("1 (set by hand; by the rules 4)"));
    assert!(page.contains("All copies are our own test machines."));
}

/// Lines of the lists are the numbers that page and twin print.
#[test]
fn lists_have_the_lines_that_the_page_says() {
    let report = internal(sample::incident());
    let page = render_html(&report.model).unwrap();
    let names: Vec<&str> = report.lists.iter().map(|list| list.name).collect();
    assert_eq!(
        names,
        [
            "rotate.csv",
            "close.csv",
            "preserve-logs.csv",
            "containment.csv",
            "reserve-names.txt",
            "block-sha256.txt",
            "block-hosts.txt",
            "block-sources.csv",
            "inventory.csv"
        ]
    );
    for (list, row) in report.lists.iter().zip(&report.model.actions.lists) {
        assert_eq!(list.name, row.file);
        let heading = u64::from(list.name.ends_with(".csv"));
        let lines = list.text.lines().count() as u64 - heading;
        assert_eq!((lines, row.lines), (row.total, row.total), "{}", list.name);
        assert!(lines > 0, "{}", list.name);
        assert!(page.contains(&format!("<code>{}</code>", list.name)));
    }
    let list = |name: &str| {
        &report
            .lists
            .iter()
            .find(|list| list.name == name)
            .unwrap()
            .text
    };
    assert_eq!(
        list("reserve-names.txt"),
        "@acme-internal/flags\n@acme-internal/telemetry\n"
    );
    assert_eq!(
        list("block-hosts.txt"),
        "acme-artifacts.storage.example\ndrop.forge.example\nmaps.acme.example\n"
    );
    // Each line of the block lists has its source, in their order; what was put into a copy names it, and the rule.
    let values: Vec<&str> = list("block-sources.csv")
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(1))
        .collect();
    let blocked = [list("block-sha256.txt"), list("block-hosts.txt")];
    let blocked: Vec<&str> = blocked.iter().flat_map(|list| list.lines()).collect();
    assert_eq!(values, blocked);
    let from_copy = |line: &&str| line.contains(",drop.forge.example,host,put into a copy,");
    let line = list("block-sources.csv").lines().find(from_copy).unwrap();
    assert_eq!(
        line,
        "now,drop.forge.example,host,put into a copy,new-host,mirror/clone-formatted.zip,mirror/clone-formatted.zip/scripts/setup.js,7,0"
    );
    let total = report.model.rotation.table.total;
    assert_eq!(list("rotate.csv").lines().count() as u64 - 1, total);
    assert!(
        list("rotate.csv")
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("critical,")
    );
    assert_eq!(
        list("inventory.csv").lines().count() as u64 - 1,
        report.model.inventory.distinct
    );
}

#[test]
fn lists_are_inert() {
    for list in internal(sample::hostile()).lists {
        let is_inert = |c: char| c == '\r' || c == '\n' || !text::is_invisible(c);
        assert!(list.text.chars().all(is_inert), "{}", list.name);
        for line in list.text.lines() {
            assert!(!line.starts_with(['=', '+', '\t']), "{}: {line}", list.name);
        }
    }
}

/// Every figure of the page stands in the twin: the numbers of each cell are looked for among all of the twin's.
#[test]
fn the_twin_holds_the_numbers_of_the_page() {
    let model = internal(sample::incident()).model;
    let mut numbers = BTreeSet::new();
    collect(&serde_json::to_value(&model).unwrap(), &mut numbers);
    let page = render_html(&model).unwrap();
    let mut seen = 0;
    for cell in page.split("<td class=\"n").skip(1) {
        let (_, rest) = cell.split_once('>').unwrap();
        let text = rest.split('<').next().unwrap().replace(',', "");
        if let Ok(number) = text.parse::<u64>() {
            // Numbers of rows are the page's own.
            assert!(numbers.contains(&number) || number <= 60, "{number}");
            seen += 1;
        }
    }
    assert!(seen > 300, "{seen}");
}

fn collect(value: &Value, numbers: &mut BTreeSet<u64>) {
    match value {
        Value::Number(number) => {
            numbers.extend(number.as_u64());
        }
        Value::Array(rows) => rows.iter().for_each(|row| collect(row, numbers)),
        Value::Object(fields) => fields.values().for_each(|row| collect(row, numbers)),
        _ => {}
    }
}

/// Puts a distinctive text in the place of every string of a record that the program did not choose itself.
fn planted(records: Vec<Record>, planted: &mut Vec<String>) -> Vec<Record> {
    records
        .into_iter()
        .map(|record| {
            let mut value = serde_json::to_value(&record).unwrap();
            // The name and version of the program stand in each view.
            let version = value.get("type").is_some_and(|kind| kind == "run");
            let version = version.then(|| value["version"].take());
            plant("", &mut value, planted);
            if let Some(version) = version {
                value["version"] = version;
            }
            serde_json::from_value(value).unwrap()
        })
        .collect()
}

/// What the program chooses: enums and ids of its rules. Their shape cannot come from an input.
const CHOSEN: [&str; 24] = [
    "type",
    "severity",
    "certainty",
    "party",
    "status",
    "kind",
    "check",
    "tier",
    "ecosystem",
    "grade",
    "basis",
    "class",
    "rule",
    "code",
    "confidence",
    "role",
    "state",
    "decoders",
    "program",
    "rules",
    "by",
    "parent_basis",
    "location",
    "counted",
];

fn plant(key: &str, value: &mut Value, planted: &mut Vec<String>) {
    match value {
        Value::String(text) if !CHOSEN.contains(&key) && key != "started" => {
            let number = planted.len();
            // Both sides of each hop and folder, so that no part of a path may stay.
            let mark = format!("pLaNt{number:05}x");
            *text = match key {
                "sha256" | "digest" | "organisation" => {
                    format!("{:0>64}", format!("abcdef{number:05}"))
                }
                "locator" | "map" | "url" | "name" | "found" if text.contains('/') => text
                    .split('/')
                    .map(|part| match part {
                        "" | "." | ".." | "node_modules" => part.to_owned(),
                        _ if part.ends_with('!') => format!("{mark}!"),
                        _ if part.starts_with('@') && !part.starts_with("@acme") => part.to_owned(),
                        _ => format!("{mark}.ts"),
                    })
                    .collect::<Vec<_>>()
                    .join("/"),
                _ => mark.clone(),
            };
            planted.push(match key {
                "sha256" | "digest" | "organisation" => format!("abcdef{number:05}"),
                _ => mark,
            });
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| plant(key, row, planted)),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                plant(key, value, planted);
            }
        }
        _ => {}
    }
}

#[test]
fn the_public_view_holds_nothing_of_the_input() {
    let mut marks = Vec::new();
    let records = planted(sample::incident(), &mut marks);
    assert!(marks.len() > 5_000, "{}", marks.len());
    // The test can fail: the internal view shows many of them.
    let shown = written(&internal(records.clone()));
    let some = marks.iter().step_by(marks.len() / 1_500);
    assert!(some.filter(|mark| shown.contains(*mark)).count() > 10);
    let public = report(records, View::Public, b"0123456789abcdef");
    assert!(public.lists.is_empty());
    let all = written(&public).to_lowercase();
    assert!(
        !all.contains("plant0"),
        "{:?}",
        all.split("plant0").nth(1).map(|rest| &rest[..40])
    );
    assert!(!all.contains("abcdef0"));
}

/// Words that look as if the program had chosen them, and did not.
#[test]
fn the_public_view_keeps_only_words_of_the_programs_own_shape() {
    let mut records = sample::hostile();
    for record in &mut records {
        if let Record::Item(item) = record {
            item.kind = "Acme Secret Kind".to_owned();
        }
    }
    let all = written(&report(records, View::Public, b"0123456789abcdef"));
    for part in [
        "alert(1)",
        "Acme",
        "acme",
        "Driftwood",
        "tidy-lib",
        "dana",
        "10.4.0.17",
        "aB3x",
    ] {
        assert!(!all.contains(part), "{part}");
    }
}

#[test]
fn the_public_view_has_the_figures_of_the_internal_one() {
    let one = internal(sample::incident()).model;
    let two = report(sample::incident(), View::Public, b"0123456789abcdef").model;
    assert_eq!(one.sources.places, two.sources.places);
    assert_eq!(one.sources.distinct, two.sources.distinct);
    assert_eq!(one.size.all, two.size.all);
    assert_eq!(one.size.languages, two.size.languages);
    assert_eq!(one.rotation.places, two.rotation.places);
    assert_eq!(one.inventory.places, two.inventory.places);
    assert_eq!(one.inventory.distinct, two.inventory.distinct);
    assert_eq!(one.exposures.total, two.exposures.total);
    assert_eq!(one.packages.with_findings, two.packages.with_findings);
    assert_eq!(one.coverage, two.coverage);
    let levels =
        |model: &Model| -> Vec<u8> { model.verdict.axes.iter().map(|axis| axis.level).collect() };
    assert_eq!(levels(&one), levels(&two));
    let cells = |model: &Model| {
        model
            .sources
            .treemap
            .iter()
            .filter(|part| part.children.is_empty())
            .count()
    };
    assert_eq!(cells(&one), cells(&two));
}

#[test]
fn pseudonyms_are_equal_under_one_key_and_cannot_be_joined_under_two() {
    let names = |key: &[u8]| -> BTreeSet<String> {
        let model = report(sample::incident(), View::Public, key).model;
        model
            .packages
            .table
            .rows
            .into_iter()
            .map(|row| row.locator)
            .collect()
    };
    let (one, again, other) = (
        names(b"key number one.."),
        names(b"key number one.."),
        names(b"key number two.."),
    );
    assert_eq!(one, again);
    assert!(one.is_disjoint(&other));
    assert_eq!(one.len(), 14);
}

#[test]
fn counsel_sees_places_and_not_what_helps_an_attacker() {
    let counsel = report(sample::incident(), View::Counsel, b"");
    let all = written(&counsel);
    for left_out in [
        "aB3x",
        "isDangerousCommand",
        "10.4.0.17",
        "exec of a string",
    ] {
        assert!(!all.contains(left_out), "{left_out}");
    }
    // Numbers: what is behind one cannot be found by trying.
    assert!(all.contains("value-1"));
    for told in [
        "@acme/cli",
        "dana.lee",
        "registry-token",
        "src/services/api/file003.ts",
    ] {
        assert!(all.contains(told), "{told}");
    }
    let one = internal(sample::incident()).model;
    assert_eq!(one.inventory.distinct, counsel.model.inventory.distinct);
    assert_eq!(one.rotation.table.total, counsel.model.rotation.table.total);
}

/// What is withheld under one kind is withheld under each.
#[test]
fn counsel_is_not_told_beside_what_is_withheld() {
    let item = |kind: &str, value: &str, detail: Option<&str>| {
        let at = "a.tgz!/package/a.js.map!/src/a.ts";
        let mut item = sample::item(kind, value, at, Party::First, "high");
        item.detail = detail.map(str::to_owned);
        Record::Item(item)
    };
    let records = vec![
        Record::from(sample::run()),
        item(
            "security-comment",
            "TODO: insecure until the check is back",
            None,
        ),
        item("todo", "TODO: insecure until the check is back", None),
        item("todo", "TODO: rename the button", None),
        item("private-address", "10.4.7.1", None),
        item(
            "url",
            "http://10.4.7.1/metrics",
            Some("internal, of a private network"),
        ),
        item("env", "METRICS", Some("default 10.4.7.1")),
        item("todo", "TODO: move off fd12:3456:789a::1, please", None),
        item("todo", "TODO: fe80::1%eth0 answers too", None),
        item("todo", "TODO: use std::fd::OwnedFd", None),
        Record::from(sample::full_ledger()),
    ];
    let all = written(&report(records.clone(), View::Counsel, b""));
    for left_out in ["insecure until", "10.4.7.1", "fd12:3456", "fe80::"] {
        assert!(!all.contains(left_out), "{left_out}");
    }
    for told in [
        "rename the button",
        "METRICS",
        "value-2",
        "std::fd::OwnedFd",
    ] {
        assert!(all.contains(told), "{told}");
    }
    // Under a key they are pseudonyms, as in other reports of that key.
    let keyed = written(&report(records, View::Counsel, b"0123456789abcdef"));
    assert!(!keyed.contains("value-2\"") && !keyed.contains("10.4.7.1"));
}

/// What a YARA rule says of a copy is no leak, in whatever view: the axes are the same in all.
#[test]
fn a_match_of_a_rule_of_the_users_own_counts_on_no_axis_in_any_view() {
    let found = sample::exposure(
        "yara:rules/loader",
        Severity::Critical,
        Certainty::Hint,
        "a.tgz!/package/a.js",
        "the YARA rule loader of the file rules matches",
    );
    let records = vec![
        Record::from(sample::run()),
        Record::Exposure(found),
        Record::from(sample::full_ledger()),
    ];
    for view in [View::Internal, View::Counsel, View::Public] {
        let model = report(records.clone(), view, b"0123456789abcdef").model;
        assert_eq!(model.exposures.total, 1, "{view:?}");
        let levels: Vec<u8> = model.verdict.axes.iter().map(|axis| axis.level).collect();
        assert!(
            levels.iter().all(|level| *level == 0),
            "{view:?}: {levels:?}"
        );
    }
}

/// What a view leaves out of a credential is not what tells it from others.
#[test]
fn every_view_counts_as_many_credentials() {
    let within = |file: &str, rule: &str, tier: &str, column: u64, length: u64| {
        let place = format!("a.tgz!/{file}");
        let mut secret = sample::secret(rule, Severity::High, "unchecked", &place, "…aB3x");
        (secret.tier, secret.column, secret.length) = (tier.to_owned(), column, length);
        secret.sha256 = Some(sample::digest(column));
        Record::Secret(secret)
    };
    let at = |file: &str, shown: &str| {
        let place = format!("a.tgz!/{file}");
        Record::Secret(sample::secret(
            "github-token",
            Severity::High,
            "unchecked",
            &place,
            shown,
        ))
    };
    let records = vec![
        Record::from(sample::run()),
        at("one", "ghp_…aB3x"),
        at("two", "ghp_…cD4y"),
        at("three", "ghp_…cD4y"),
        // A form, and in it a live secret that begins behind it and ends before it.
        within("four", "url-password", "specific", 9, 40),
        within("four", "DEPLOY_TOKEN", "known", 13, 20),
        // A live secret that is longer than what has a form at its beginning.
        within("five", "github-token", "specific", 9, 20),
        within("five", "PUSH_TOKEN", "known", 9, 40),
        Record::from(sample::full_ledger()),
    ];
    for view in [View::Internal, View::Counsel, View::Public] {
        let rotation = report(records.clone(), view, b"0123456789abcdef")
            .model
            .rotation;
        assert_eq!((rotation.table.total, rotation.places), (5, 6), "{view:?}");
    }
}

/// Many records, and long ones: tables are bounded, totals are not, and the page keeps its size.
#[test]
fn a_million_items_are_counted_and_some_are_shown() {
    let mut builder = Builder::new(Settings::default());
    let long = "x".repeat(150);
    for i in 0..60_000_u64 {
        let kind = ["env", "flag", "host", "prompt"][(i % 4) as usize];
        let at = format!("a.tgz!/package/cli.js.map!/src/{long}/{i}.ts");
        let value = format!("{kind}-{i}-{long}");
        builder
            .add(Record::Item(sample::item(
                kind,
                &value,
                &at,
                Party::First,
                "high",
            )))
            .unwrap();
        let shown = format!("tok_…{i:06}");
        builder
            .add(Record::Secret(sample::secret(
                "r",
                Severity::High,
                "unchecked",
                &at,
                &shown,
            )))
            .unwrap();
    }
    let report = builder.finish();
    assert_eq!(report.model.inventory.distinct, 60_000);
    assert_eq!(report.model.rotation.table.total, 60_000);
    let page = render_html(&report.model).unwrap();
    assert!(page.len() <= MAX_HTML_BYTES);
    assert!(page.contains("Showing 60 of 15,000"));
    assert!(page.contains("50,000 <strong class=\"bound\">of 60,000"));
}

#[test]
fn one_package_opens_with_the_severity_and_many_with_their_rows() {
    let order = |records: Vec<Record>| {
        let page = render_html(&internal(records).model).unwrap();
        page.find("id=\"h-packages\"") < page.find("id=\"h-severity\"")
    };
    assert!(order(sample::incident()));
    let one = vec![
        Record::from(sample::run()),
        Record::from(sample::package("a.tgz", "a", "1")),
        Record::Exposure(sample::exposure(
            "dotenv",
            Severity::High,
            Certainty::Hint,
            "a.tgz!/.env",
            "x",
        )),
        Record::from(sample::full_ledger()),
    ];
    assert!(!order(one));
}
