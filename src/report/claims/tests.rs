//! Claims against records made for it.

use super::super::sample::{exposure, full_ledger, package, run, source};
use super::read::figure_of;
use super::*;
use crate::record::{Certainty, Severity};

fn claims(text: &str) -> Result<Claims, ClaimError> {
    Claims::parse(text, Path::new("claims.toml"))
}

fn one(kind: &str, value: &str, tolerance: &str) -> Claims {
    let text = format!(
        "[[claim]]\nid = \"a\"\nkind = \"{kind}\"\nvalue = \"{value}\"\ntolerance = \"{tolerance}\"\n"
    );
    claims(&text).unwrap()
}

fn examined(claims: &Claims, complete: bool) -> ClaimRow {
    let mut examiner = Examiner::new(claims);
    let mut ledger = full_ledger();
    ledger.complete = complete;
    let mut records: Vec<Record> = (0..19)
        .map(|n| {
            Record::from(source(
                "m/a.map",
                &format!("src/{n}.ts"),
                100,
                Party::First,
                n,
            ))
        })
        .collect();
    records.push(Record::from(source(
        "m/b.map",
        "src/0.ts",
        100,
        Party::First,
        0,
    )));
    records.push(Record::from(ledger));
    records.iter().for_each(|record| examiner.note(record));
    records.iter().for_each(|record| examiner.add(record));
    examiner.finish().remove(0)
}

fn outcome(kind: &str, value: &str, tolerance: &str) -> Outcome {
    examined(&one(kind, value, tolerance), true).outcome
}

#[test]
fn a_figure_is_held_against_every_count_within_its_words() {
    use Outcome::{Contradicted, NotExaminable, Supported};
    // 19 distinct, 20 at places.
    for (value, tolerance, expected) in [
        ("19", "", Supported),
        ("20", "", Supported),
        ("21", "", Contradicted),
        ("21", "about", Supported),
        ("30", "about", Contradicted),
        ("19", "more than", Supported),
        ("20", "more than", Contradicted),
        ("20", "at least", Supported),
        ("19", "less than", Contradicted),
        ("20", "less than", Supported),
        ("20", "nearly", Supported),
        ("18", "nearly", Contradicted),
        ("22", "10%", Supported),
        ("22", "1%", Contradicted),
    ] {
        assert_eq!(
            outcome("files", value, tolerance),
            expected,
            "{tolerance} {value}"
        );
    }
    assert_eq!(outcome("bytes", "1.9K", ""), Supported);
    assert_eq!(outcome("bytes", "1.8 KB", ""), Contradicted);
    let unread = examined(&one("files", "21", ""), false);
    assert_eq!(unread.outcome, NotExaminable);
    assert_eq!(unread.figures[0].count, 19);
    assert!(unread.figures[0].definition.contains("equal contents once"));
}

#[test]
fn versions_and_vectors_are_looked_for() {
    assert_eq!(outcome("version", "1.0.0", ""), Outcome::NotExaminable);
    assert_eq!(
        outcome("vector", "map-embedded-sources", ""),
        Outcome::Contradicted
    );
    let unread = examined(&one("vector", "map-embedded-sources", ""), false);
    assert_eq!(unread.outcome, Outcome::NotExaminable);
}

/// Records of one package: version, findings, read in full.
fn versions(held: &[(&str, &str, u64, bool)]) -> Vec<Record> {
    let mut records = Vec::new();
    for (name, version, findings, is_whole) in held {
        let mut row = package(&format!("m/{name}-{version}.tgz"), name, version);
        row.exposures = BTreeMap::from([("map-embedded-sources".to_owned(), *findings)]);
        row.secrets = 0;
        row.complete = *is_whole;
        records.push(Record::from(row));
    }
    records
}

/// What is said of a release: versions that were published before and after it and are not in the input.
fn release(name: &str, unseen: Option<(u64, u64)>) -> Record {
    let mut row = super::super::sample::release("1.1.0", 2, 0);
    row.name = name.to_owned();
    row.unseen_before = unseen.map(|(before, _)| before);
    row.unseen_after = unseen.map(|(_, after)| after);
    Record::from(row)
}

fn judged(claim: &Claims, mut records: Vec<Record>) -> (Outcome, String) {
    records.push(Record::from(full_ledger()));
    let mut examiner = Examiner::new(claim);
    records.iter().for_each(|record| examiner.note(record));
    records.iter().for_each(|record| examiner.add(record));
    let row = examiner.finish().remove(0);
    (row.outcome, row.reason)
}

#[test]
fn only_one_version_is_a_claim_about_the_others() {
    use Outcome::{Contradicted, NotExaminable, Supported};
    let published = |other: u64, is_whole: bool, unseen: Option<(u64, u64)>| {
        let mut records = versions(&[("a", "1.0.0", 3, true), ("a", "1.1.0", other, is_whole)]);
        records.push(release("a", unseen));
        records
    };
    let two = |other: u64, is_whole: bool| published(other, is_whole, Some((0, 0)));
    let only = one("version", "1.0.0", "only");
    for (unseen, said) in [
        (
            None,
            "nothing that was read says which versions were published",
        ),
        (Some((1, 0)), "1 further version was published"),
        (Some((0, 2)), "2 further versions were published"),
    ] {
        let (outcome, reason) = judged(&only, published(0, true, unseen));
        assert_eq!(outcome, NotExaminable);
        assert!(reason.contains(said), "{reason}");
    }
    let (outcome, reason) = judged(&only, two(1, true));
    assert_eq!(outcome, Contradicted);
    assert!(reason.contains("in version 1.1.0 too"), "{reason}");
    assert_eq!(
        judged(&one("version", "1.0.0", ""), two(1, true)).0,
        Supported
    );
    let (outcome, reason) = judged(&only, two(0, true));
    assert_eq!(outcome, Supported);
    assert!(reason.contains("the 1 other version"), "{reason}");
    let (outcome, reason) = judged(&only, two(0, false));
    assert_eq!(outcome, NotExaminable);
    assert!(reason.contains("1.1.0 was not read in full"), "{reason}");
    // Alone in the input, it says nothing of the others.
    let alone = versions(&[("a", "1.0.0", 3, true)]);
    assert_eq!(judged(&only, alone).0, NotExaminable);
    // Another package has versions of its own.
    let other = versions(&[("a", "1.0.0", 3, true), ("b", "1.1.0", 1, true)]);
    assert_eq!(judged(&only, other).0, NotExaminable);
    let mut unread = two(0, true);
    let mut triage = run();
    triage.triage = true;
    unread.push(Record::from(triage));
    assert_eq!(judged(&only, unread).0, NotExaminable);
}

#[test]
fn only_one_class_is_a_claim_about_the_others() {
    let found = |classes: &[&str]| {
        let classes = classes.iter();
        classes
            .map(|class| {
                Record::Exposure(exposure(
                    class,
                    Severity::High,
                    Certainty::Proven,
                    "m/a.tgz!/x",
                    "",
                ))
            })
            .collect::<Vec<_>>()
    };
    let only = one("vector", "map-embedded-sources", "only");
    let (outcome, reason) = judged(&only, found(&["map-embedded-sources", "env-file"]));
    assert_eq!(outcome, Outcome::Contradicted);
    assert!(reason.contains("1 other class"), "{reason}");
    let alone = found(&["map-embedded-sources"]);
    assert_eq!(judged(&only, alone).0, Outcome::Supported);
}

#[test]
fn a_ceiling_is_no_ceiling_while_something_was_not_read() {
    let said = |tolerance: &str| examined(&one("files", "19", tolerance), false);
    assert_eq!(said("at most").outcome, Outcome::NotExaminable);
    assert_eq!(said("at least").outcome, Outcome::Supported);
    assert!(said("").reason.ends_with("; not everything was read"));
}

#[test]
fn what_is_wrong_with_claims_is_said() {
    let fails = |kind: &str, value: &str, tolerance: &str| {
        let text = format!(
            "[[claim]]\nid = \"a\"\nkind = \"{kind}\"\nvalue = \"{value}\"\ntolerance = \"{tolerance}\"\n"
        );
        claims(&text).unwrap_err().what
    };
    assert!(fails("file", "1", "").contains("did you mean `files`?"));
    assert!(fails("files", "many", "").contains("no figure"));
    assert!(fails("files", "1", "abuot").contains("did you mean `about`?"));
    assert!(
        fails("vector", "map-embeded-sources", "").contains("did you mean `map-embedded-sources`?")
    );
    assert!(fails("version", "", "").contains("needs one"));
    assert!(fails("version", "only 1.0.0", "").contains("stands in `tolerance`"));
    assert!(fails("version", "1.0.0", "at least").contains("does not go with a version"));
    assert!(fails("vector", "map-embedded-sources", "not").contains("does not go with a vector"));
    assert!(fails("files", "19", "only").contains("unknown word"));
    // A unit of something else, a comma that parts no thousands, a part of a file.
    assert!(fails("files", "59.8 MB", "").contains("no figure"));
    assert!(fails("lines", "19 files", "").contains("no figure"));
    assert!(fails("files", "1,9 million", "").contains("no figure"));
    assert!(fails("files", "1.900", "").contains("no figure"));
    assert_eq!(claims("[[claim]]\nid = 1\n").unwrap_err().line, 2);
    assert!(claims("[[claims]]\nid = \"a\"\n").is_err());
}

#[test]
fn claims_are_read_from_csv_too() {
    let text = "id,kind,value,text\r\n1,files,\"1,900\",\"He said: \"\"1,900\nfiles\"\"\"\r\n\r\n2,lines,512K,\r\n";
    let read = Claims::parse(text, Path::new("c.CSV")).unwrap();
    assert_eq!(read.claims.len(), 2);
    assert_eq!(read.claims[0].written.text, "He said: \"1,900\nfiles\"");
    assert_eq!(
        read.claims[1].range.map(|range| (range.from, range.to)),
        Some((511_500.0, 512_500.0))
    );
    let fails = |text| {
        Claims::parse(text, Path::new("c.csv"))
            .unwrap_err()
            .to_string()
    };
    assert!(fails("id,kind,valu\n").contains("did you mean `value`?"));
    assert!(fails("id,kind,value\n1,files\n").starts_with("c.csv:2: 2 cells"));
    assert!(fails("id,kind,value\n1,files,1\n1,files,1\n").contains("twice"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,60}", csv in "[a-z,\"\n]{0,60}") {
        let _ = claims(&text);
        let _ = Claims::parse(&csv, Path::new("c.csv"));
        let _ = figure_of(ClaimKind::Bytes, &text);
    }
}
