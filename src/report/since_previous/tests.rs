//! Changes between runs made for it.

use std::path::Path;

use super::super::sample::{exposure, run, secret};
use super::*;
use crate::record::{Certainty, RunInput, RunKnown, RunOrigins, RunYara, Severity};

struct At {
    record: Record,
    unit: UnitName,
}

fn at(class: &str, severity: Severity, unit: &str, sha256: &str) -> At {
    At {
        record: Record::Exposure(exposure(
            class,
            severity,
            Certainty::Proven,
            &format!("{unit}!/x"),
            "",
        )),
        unit: UnitName {
            locator: unit.to_owned(),
            sha256: Some(sha256.to_owned()),
        },
    }
}

fn labelled(rules: &str, labels: &[&str]) -> Run {
    let mut run = run();
    run.rules = rules.to_owned();
    run.inputs = labels
        .iter()
        .map(|label| RunInput {
            label: (*label).to_owned(),
            sha256: None,
        })
        .collect();
    run
}

fn list(run: &Run, findings: &[At]) -> Previous {
    let mut units = Units::default();
    findings.iter().for_each(|finding| units.add(&finding.unit));
    units.add(&UnitName {
        locator: "m/silent.tgz".to_owned(),
        sha256: Some("7".to_owned()),
    });
    let scanned = Scanned {
        units,
        ..Scanned::default()
    };
    let mut comparer = Comparer::new(Some(run), true, scanned, None);
    let mut out = Vec::new();
    comparer.begin(&mut out).unwrap();
    for finding in findings {
        comparer
            .add(&finding.record, Some(&finding.unit), &mut out)
            .unwrap();
    }
    Previous::parse(&out, Path::new("findings.jsonl")).unwrap()
}

fn changes(
    previous: &Previous,
    run: &Run,
    findings: &[At],
    units: &[(&str, &str)],
) -> (Changes, String) {
    let mut comparer = Comparer::new(Some(run), true, Scanned::default(), Some(previous));
    for finding in findings {
        comparer
            .add(&finding.record, Some(&finding.unit), &mut Vec::new())
            .unwrap();
    }
    let units = units
        .iter()
        .map(|(unit, sha256)| ((*unit).to_owned(), Some((*sha256).to_owned())))
        .collect();
    let mut table = Vec::new();
    let found = comparer.finish(&units, &mut table).unwrap().unwrap();
    (found, String::from_utf8(table).unwrap())
}

fn causes(table: &Table<ChangeRow>) -> Vec<(&str, &str)> {
    table
        .rows
        .iter()
        .map(|row| (row.what.as_str(), row.cause.as_str()))
        .collect()
}

#[test]
fn every_change_has_its_cause() {
    use Severity::{High, Info};
    let before = list(
        &labelled("r1", &["m", "gone"]),
        &[
            at("a", High, "gone/x.tgz", "1"),
            at("b", High, "m/away.tgz", "2"),
            at("c", High, "m/other.tgz", "3"),
            at("d", High, "m/same.tgz", "4"),
            at("e", High, "m/same.tgz", "4"),
            at("f", High, "m/same.tgz", "4"),
        ],
    );
    let now = [
        at("d", Info, "m/same.tgz", "4"),
        at("e", High, "m/same.tgz", "4"),
        at("g", High, "m/other.tgz", "33"),
        at("h", High, "m/same.tgz", "4"),
        at("i", High, "m/fresh.tgz", "5"),
        at("j", High, "new/y.tgz", "6"),
        at("k", High, "m/silent.tgz", "7"),
    ];
    let units = [("m/other.tgz", "33"), ("m/same.tgz", "4")];
    let (found, table) = changes(&before, &labelled("r1", &["m", "new"]), &now, &units);
    assert_eq!(
        causes(&found.new),
        [
            ("g", "content changed"),
            ("h", "other content of the input changed"),
            ("i", "new file, or one with other content"),
            ("j", "new input"),
            // Nothing was found in it before, and it was there.
            ("k", "other content of the input changed"),
        ]
    );
    assert_eq!(
        causes(&found.withdrawn),
        [
            ("a", "input gone"),
            ("b", "file gone from the input"),
            ("c", "content changed"),
            ("f", "other content of the input changed"),
        ]
    );
    assert_eq!(
        causes(&found.reclassified),
        [("d", "other content of the input changed")]
    );
    assert_eq!(
        found.reclassified.rows[0].before.as_deref(),
        Some("high proven")
    );
    assert_eq!((found.unchanged, table.lines().count()), (1, 11));

    let (found, _) = changes(&before, &labelled("r2", &["m", "gone"]), &now, &units);
    assert_eq!(causes(&found.reclassified), [("d", "rules changed")]);
    assert_eq!(
        causes(&found.new)[2],
        ("i", "new file, or one with other content")
    );
    assert_eq!(found.differences[0].what, "rules");
}

/// One setting that differs, by its name, and a run that has it.
fn settings() -> Vec<(&'static str, Run)> {
    let with = |change: fn(&mut Run)| {
        let mut run = labelled("r1", &["m"]);
        change(&mut run);
        run
    };
    vec![
        (
            "live secrets",
            with(|run| {
                run.known_secrets = Some(RunKnown {
                    digest: "12".repeat(32),
                    secrets: 3,
                    left_out: 0,
                    is_keyed: true,
                });
            }),
        ),
        (
            "own rules",
            with(|run| run.user_rules = Some("u".to_owned())),
        ),
        ("terms", with(|run| run.terms = Some("t".to_owned()))),
        (
            "inventory",
            with(|run| run.inventory = Some("all".to_owned())),
        ),
        (
            "origins",
            with(|run| {
                run.origins = Some(Box::new(RunOrigins {
                    copies_roots: vec!["m".to_owned()],
                    ..RunOrigins::default()
                }));
            }),
        ),
        (
            "YARA rules",
            with(|run| {
                run.yara = Some(Box::new(RunYara {
                    digest: "34".repeat(32),
                    engine: "yara".to_owned(),
                    files: 1,
                    rules: 2,
                    left_out: 0,
                    timeout_seconds: 60,
                }));
            }),
        ),
    ]
}

/// The cause of a finding of a kind that is new in a file that was there before.
fn cause_of(kind: &str, before: &Run, now: &Run, form: u32) -> String {
    let unit = "m/same.tgz";
    let mut previous = list(before, &[at("a", Severity::High, unit, "4")]);
    previous.head.form = form;
    let record = match kind {
        "secret" => Record::Secret(secret(
            "r",
            Severity::High,
            "unchecked",
            "m/same.tgz!/x",
            "…abcd",
        )),
        "copy" => Record::from(crate::record::Copy {
            locator: unit.to_owned(),
            ..crate::record::Copy::default()
        }),
        "item" => Record::Item(super::super::sample::item(
            "flag",
            "x",
            "m/same.tgz!/x",
            crate::record::Party::First,
            "high",
        )),
        class => at(class, Severity::High, unit, "4").record,
    };
    let found = At {
        unit: at("", Severity::High, unit, "4").unit,
        record,
    };
    let (changes, _) = changes(&previous, now, &[found], &[(unit, "4")]);
    changes.new.rows[0].cause.clone()
}

#[test]
fn each_setting_is_a_cause_of_its_own_of_what_it_bears_on() {
    const OTHER: &str = "other content of the input changed";
    let before = labelled("r1", &["m"]);
    for (what, now) in settings() {
        let bearing = match what {
            "terms" | "inventory" => "item",
            "origins" => "copy",
            "YARA rules" => "yara:signs/loader",
            _ => "secret",
        };
        let changed = format!("{what} changed");
        assert_eq!(cause_of(bearing, &before, &now, 2), changed);
        assert_eq!(cause_of(bearing, &now, &before, 2), changed, "taken away");
        assert_eq!(cause_of("dotenv", &before, &now, 2), OTHER, "{what}");
        assert_eq!(cause_of(bearing, &now, &now, 2), OTHER, "{what}");
    }
    let (_, origins) = settings().remove(4);
    assert_eq!(
        cause_of("git-folder", &before, &origins, 2),
        "origins changed"
    );
}

#[test]
fn what_an_earlier_form_does_not_tell_is_said() {
    let run = labelled("r1", &["m"]);
    let (_, other) = settings().remove(0);
    assert_eq!(
        cause_of("secret", &run, &other, 1),
        "other content of the input changed, or a change of live secrets or own rules, of which the earlier report does not tell"
    );
    assert_eq!(
        cause_of("dotenv", &run, &other, 1),
        "other content of the input changed"
    );
    // A list of that form has no such fields.
    let head = serde_json::json!({
        "form": 1, "version": "", "program": null, "rules": "", "sets": [], "organisation": null,
        "releases": null, "limits": {}, "decoders": null, "triage": false, "started": null,
        "inputs": [], "complete": true, "units": null,
    });
    let text = format!("{head}\n");
    assert!(Previous::parse(text.as_bytes(), Path::new("f.jsonl")).is_ok());
}

#[test]
fn damaged_lists_are_refused() {
    let parse = |text: &str| {
        Previous::parse(text.as_bytes(), Path::new("f.jsonl"))
            .unwrap_err()
            .to_string()
    };
    assert!(parse("").contains("nothing"));
    assert!(parse("{}").starts_with("f.jsonl:1:"));
    let head = serde_json::to_string(&Head {
        form: 9,
        ..Head::default()
    })
    .unwrap();
    assert!(parse(&head).contains("its form is 9"));
    let head = serde_json::to_string(&Head {
        form: head::FORM,
        ..Head::default()
    })
    .unwrap();
    assert!(parse(&format!("{head}\n{{\"id\":1}}\n")).starts_with("f.jsonl:2:"));
}
