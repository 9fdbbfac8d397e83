//! What the model counts and says, from records to figures.

use super::super::gather::digest;
use super::super::questions::AnswerState;
use super::super::sample::{self, exposure, package, problem, source};
use super::*;
use crate::record::Party;

fn build(records: Vec<Record>) -> Model {
    Model::build(records)
}

/// A complete run with these records in it.
fn within(records: Vec<Record>) -> Model {
    let mut all = vec![Record::from(sample::run())];
    all.extend(records);
    all.push(Record::from(sample::full_ledger()));
    build(all)
}

#[test]
fn equal_content_counts_once_in_distinct_and_at_each_place() {
    let map = "a.tgz!/package/cli.js.map";
    let model = within(vec![
        Record::from(source(map, "src/a.ts", 100, Party::First, 1)),
        Record::from(source(map, "src/b.ts", 100, Party::First, 1)),
        Record::from(source(map, "node_modules/x/a.ts", 100, Party::Third, 1)),
        Record::from(source(map, "src/c.ts", 7, Party::Unknown, 2)),
    ]);
    let Sources {
        places, distinct, ..
    } = &model.sources;
    assert_eq!(
        (places.recovered, places.bytes, places.own_bytes()),
        (4, 307, 207)
    );
    assert_eq!((distinct.files, distinct.bytes), (2, 107));
    assert_eq!((distinct.first, distinct.first_bytes), (1, 100));
    assert_eq!(
        (distinct.third, distinct.unknown, distinct.unknown_bytes),
        (1, 1, 7)
    );
}

/// Accepting a problem lets a scan end well. It reads nothing.
#[test]
fn what_was_accepted_was_not_read_nevertheless() {
    let mut ledger = sample::full_ledger();
    ledger.entries += 2;
    ledger.skipped.insert("encrypted".to_owned(), 2);
    let model = build(vec![Record::from(sample::run()), Record::from(ledger)]);
    assert!(!model.verdict.complete);
    assert_eq!(
        model.verdict.reasons,
        ["2 entries skipped: encrypted (accepted by whoever ran the scan)"]
    );
    let answer = |question: &str| {
        let mut answers = model.verdict.answers.iter();
        let found = answers.find(|row| row.question.starts_with(question));
        found.map(|row| (row.answer.clone(), row.state))
    };
    let (unread, _) = answer("What could not").unwrap();
    assert!(
        unread.starts_with("2 of 3,212 entries: 2 skipped"),
        "{unread}"
    );
    assert!(
        unread.contains("Whoever ran the scan accepted that"),
        "{unread}"
    );
    let (leaked, state) = answer("What leaked").unwrap();
    assert_eq!(state, AnswerState::NotYetSupportable, "{leaked}");
    let page = super::super::render_html(&model).unwrap();
    assert!(!page.contains("everything in the input was read"));
    assert!(page.contains("but for what whoever ran the scan accepted"));
}

/// Most actions follow from lists, which the public view is without.
#[test]
fn the_public_view_does_not_say_that_nothing_is_to_be_done() {
    let todo = |view| {
        let mut builder = Builder::new(Settings {
            view,
            key: b"0123456789abcdef".to_vec(),
            ..Settings::default()
        });
        let reference = crate::record::Reference {
            locator: "m/a.js".to_owned(),
            hops: crate::record::Hops::default(),
            target: "https://bucket.example/all.zip".to_owned(),
            kind: ReferenceKind::Bucket,
            found: None,
        };
        let records = [
            Record::from(sample::run()),
            Record::Reference(reference),
            Record::from(sample::full_ledger()),
        ];
        for record in records {
            builder.add(record).unwrap();
        }
        let model = builder.finish().model;
        let said = model.verdict.answers.last().map(|row| row.answer.clone());
        (said.unwrap(), super::super::render_html(&model).unwrap())
    };
    let (said, _) = todo(View::Internal);
    assert!(said.contains("look at what the input points to"), "{said}");
    let (said, page) = todo(View::Public);
    assert!(said.contains("withheld in this view"), "{said}");
    assert!(page.contains("are withheld in this view, as the lists are"));
    assert!(!page.contains("follows from what was seen"));
}

#[test]
fn sources_without_content_are_named_and_not_counted_as_recovered() {
    let mut missing = source("a.map", "src/a.ts", 0, Party::First, 0);
    missing.status = crate::record::SourceStatus::Missing;
    let mut forged = source("a.map", "src/b.ts", 9, Party::First, 0);
    forged.sha256 = Some("not a digest".to_owned());
    let model = within(vec![Record::from(missing), Record::from(forged)]);
    assert_eq!(
        (model.sources.places.named, model.sources.places.missing),
        (2, 1)
    );
    assert_eq!(
        (
            model.sources.distinct.files,
            model.sources.distinct.without_digest
        ),
        (0, 1)
    );
}

#[test]
fn a_package_gets_the_worst_severity_below_it_and_no_other() {
    let counts = |n| BTreeMap::from([("env-file".to_owned(), n)]);
    let mut archive = package("m/a.tgz", "a", "1");
    archive.exposures = counts(2);
    let mut folder = package("m/a", "b", "1");
    folder.exposures = counts(1);
    let clean = package("m/c.tgz", "c", "1");
    let hint = Certainty::Hint;
    let model = within(vec![
        Record::from(archive),
        Record::Exposure(exposure(
            "x",
            Severity::Low,
            hint,
            "m/a.tgz!/package/.env",
            "",
        )),
        Record::Exposure(exposure(
            "x",
            Severity::Critical,
            hint,
            "m/a.tgz!/in.zip!/.env",
            "",
        )),
        Record::Exposure(exposure("x", Severity::Medium, hint, "m/a/deep/.env", "")),
        Record::Exposure(exposure("x", Severity::High, hint, "m/ab/.env", "")),
        Record::from(folder),
        Record::from(clean),
    ]);
    let seen: Vec<(&str, Option<Severity>)> = model
        .packages
        .table
        .rows
        .iter()
        .map(|row| (row.locator.as_str(), row.severity))
        .collect();
    assert_eq!(
        seen,
        [
            ("m/a.tgz", Some(Severity::Critical)),
            ("m/a", Some(Severity::Medium)),
            ("m/c.tgz", None)
        ]
    );
    assert_eq!(
        (model.packages.with_findings, model.packages.table.total),
        (2, 3)
    );
    assert_eq!(model.verdict.highest, Some(Severity::Critical));
}

#[test]
fn exposures_are_grouped_by_severity_proven_first() {
    let model = within(vec![
        Record::Exposure(exposure("b", Severity::High, Certainty::Hint, "m/1", "")),
        Record::Exposure(exposure("c", Severity::High, Certainty::Proven, "m/2", "")),
        Record::Exposure(exposure("a", Severity::Low, Certainty::Proven, "m/3", "")),
        Record::Exposure(exposure("c", Severity::Low, Certainty::Proven, "m/2", "")),
    ]);
    let order: Vec<(Severity, &str)> = model
        .exposures
        .severities
        .iter()
        .flat_map(|group| {
            group
                .table
                .rows
                .iter()
                .map(|row| (row.severity, row.class.as_str()))
        })
        .collect();
    use Severity::{High, Low};
    assert_eq!(order, [(High, "c"), (High, "b"), (Low, "a"), (Low, "c")]);
    let class = model
        .exposures
        .classes
        .iter()
        .find(|row| row.class == "c")
        .unwrap();
    assert_eq!(
        (class.highest, class.proven, class.hint, class.distinct),
        (High, 2, 0, 1)
    );
    assert_eq!((model.exposures.total, model.exposures.hint), (4, 1));
}

#[test]
fn tables_are_bounded_and_say_their_total() {
    let many = 3 * ROWS as u64;
    let mut records = Vec::new();
    for i in 0..many {
        let at = format!("m/{i:05}");
        records.push(Record::from(package(&at, "p", "1")));
        records.push(Record::Exposure(exposure(
            "x",
            Severity::High,
            Certainty::Hint,
            &at,
            "",
        )));
        records.push(Record::Problem(problem("truncated", &at, "", Some(i))));
    }
    let model = within(records);
    assert_eq!(
        (model.packages.table.total, model.packages.table.rows.len()),
        (many, ROWS)
    );
    let group = &model.exposures.severities[0].table;
    assert_eq!((group.total, group.rows.len()), (many, ROWS));
    assert_eq!(model.problems.table.rows[0].bytes_unread, Some(many - 1));
    assert_eq!(model.problems.codes[0].count, many);
}

#[test]
fn problems_of_unknown_extent_come_first_and_harmless_ones_last() {
    let model = within(vec![
        Record::Problem(problem("a", "1", "", Some(0))),
        Record::Problem(problem("b", "2", "", Some(5))),
        Record::Problem(problem("c", "3", "", None)),
    ]);
    let codes: Vec<&str> = model
        .problems
        .table
        .rows
        .iter()
        .map(|row| row.code.as_str())
        .collect();
    assert_eq!(codes, ["c", "b", "a"]);
}

#[test]
fn absence_is_stated_with_its_scope_when_everything_was_read() {
    let model = within(Vec::new());
    assert!(model.verdict.complete && model.verdict.reasons.is_empty());
    for absence in [
        &model.exposures.absence,
        &model.sources.absence,
        &model.copies.absence,
        &model.references.absence,
    ] {
        let said = absence.as_ref().unwrap();
        assert!(said.supportable && said.reasons.is_empty());
        assert!(
            said.text
                .contains("3,210 entries in 19 containers of 2 inputs"),
            "{}",
            said.text
        );
    }
}

#[test]
fn absence_is_not_yet_supportable_while_something_was_not_read() {
    let model = build(vec![
        Record::from(sample::run()),
        Record::from(sample::partial_ledger()),
    ]);
    let said = model.exposures.absence.as_ref().unwrap();
    assert!(!said.supportable);
    assert!(
        said.text.starts_with("Not yet supportable"),
        "{}",
        said.text
    );
    // Sources without content are no reason: there was nothing to read.
    assert_eq!(
        said.reasons,
        [
            "3 entries skipped: encrypted",
            "4 entries damaged: truncated"
        ]
    );
    assert!(!model.verdict.complete);
}

#[test]
fn a_run_without_a_ledger_or_with_a_wrong_sum_is_not_complete() {
    let unfinished = build(vec![Record::from(sample::run())]);
    assert!(
        !unfinished.verdict.complete && unfinished.verdict.reasons[0].contains("without a ledger")
    );
    let mut wrong = sample::full_ledger();
    wrong.scanned += 1;
    let wrong = build(vec![Record::from(wrong)]);
    assert!(!wrong.verdict.complete && !wrong.coverage.adds_up);
    assert!(
        wrong.verdict.reasons[0].contains("does not add up"),
        "{:?}",
        wrong.verdict.reasons
    );
    assert!(build(Vec::new()).verdict.highest.is_none());
}

#[test]
fn copies_are_not_spoken_of_unless_a_set_was_given() {
    let mut run = sample::run();
    run.sets.clear();
    let model = build(vec![Record::from(run), Record::from(sample::full_ledger())]);
    assert!(!model.copies.searched && model.copies.absence.is_none());
    let spread = &model.verdict.answers[5];
    assert_eq!(spread.state, AnswerState::NotKnown);
    assert!(
        spread.answer.contains("copies were not searched for"),
        "{}",
        spread.answer
    );
}

#[test]
fn an_incident_is_summed_up() {
    let model = build(sample::incident());
    assert_eq!(model.verdict.highest, Some(Severity::Critical));
    assert_eq!(model.copies.copies.rows[1].grades[0].name, "normalized");
    assert_eq!(model.copies.others.rows[0].class, "unreadable");
    assert_eq!(model.references.table.rows[0].kind_word(), "bucket");
}

#[test]
fn the_json_twin_is_the_same_each_time() {
    let twin = |records| serde_json::to_string(&build(records)).unwrap();
    assert_eq!(twin(sample::incident()), twin(sample::incident()));
    let value: serde_json::Value = serde_json::from_str(&twin(sample::incident())).unwrap();
    assert_eq!(value["report"], REPORT_VERSION);
    assert_eq!(value["packages"]["table"]["total"], 14);
}

#[test]
fn digests_are_read_or_refused() {
    assert_eq!(digest(&"0f".repeat(32)), Some([15; 16]));
    assert_eq!(digest("0f"), None);
    assert_eq!(digest(&"zz".repeat(32)), None);
    assert_eq!(digest(&"é".repeat(32)), None);
}
