use super::*;
use crate::copies::made;
use crate::record::{Examined, Hops, RunSet, Sign};

fn run(work: &str) -> Record {
    let text = serde_json::json!({
        "type": "run", "schema": 1, "version": "strandline 1", "program": null, "rules": "00",
        "sets": [], "organisation": null, "inputs": [], "limits": {}, "decoders": null,
        "started": null, "seconds": null, "wall": null,
    });
    let Record::Run(mut run) = serde_json::from_value(text).unwrap() else {
        panic!("a run");
    };
    run.sets.push(RunSet {
        work: work.to_owned(),
        release: "1".to_owned(),
        digest: "ab".repeat(32),
        role: "signature".to_owned(),
    });
    Record::Run(run)
}

fn examined(locator: &str, class: &str) -> Record {
    Record::Examined(Examined {
        locator: locator.to_owned(),
        hops: Hops::default(),
        class: class.to_owned(),
        note: None,
    })
}

fn copy(locator: &str, class: &str) -> [Record; 2] {
    let row = Record::from(Copy {
        locator: locator.to_owned(),
        work: "acme".to_owned(),
        class: class.to_owned(),
        files_matched: 4,
        files_total: 4,
        of_original: 1.0,
        ..Copy::default()
    });
    [row, examined(locator, class)]
}

fn origin(locator: &str, url: &str, certainty: Certainty) -> Record {
    Record::from(Origin {
        host: Some("code.example".to_owned()),
        ..made::origin(locator, url, certainty)
    })
}

fn compared(locator: &str, signs: usize) -> Vec<Record> {
    let comparison = Record::from(made::comparison(locator));
    let sign = |severity| {
        Record::from(Sign {
            rule: "x".to_owned(),
            severity,
            certainty: Certainty::Hint,
            locator: format!("{locator}/x"),
            hops: Hops::default(),
            root: locator.to_owned(),
            path: "x".to_owned(),
            line: None,
            found: String::new(),
            original: None,
            sha256: None,
        })
    };
    let signs = (0..signs).map(|_| sign(Severity::Medium));
    let all = signs.chain([sign(Severity::Low), comparison]);
    all.collect()
}

fn side(records: impl IntoIterator<Item = Record>) -> Side {
    let mut side = Side::default();
    side.add(run("acme"));
    records.into_iter().for_each(|record| side.add(record));
    side
}

fn rows(before: &Side, after: &Side) -> Vec<(Became, String)> {
    let told = difference(before, after).unwrap();
    let rows = told.changes.into_iter();
    rows.map(|row| (row.became, row.place)).collect()
}

#[test]
fn a_recorded_address_is_what_a_place_is_known_by() {
    let at = |locator: &str, url: &str, certainty| {
        let records = copy(locator, "verbatim").into_iter();
        side(records.chain([origin(locator, url, certainty)]))
    };
    let proven = Certainty::Proven;
    let before = at("monday/x", "https://Code.example/a/b.git", proven);
    let after = at("tuesday/y", "ssh://code.example/a/b/", proven);
    assert_eq!(rows(&before, &after), []);
    assert_eq!(difference(&before, &after).unwrap().same, 1);
    for written in ["git@code.example:A/b", "http://code.example:80/a/b.git/"] {
        assert_eq!(rows(&before, &at("tuesday/y", written, proven)), []);
    }
    // It is shown as it was written last.
    let partial = copy("tuesday/y", "partial").into_iter();
    let partial = partial.chain([origin("tuesday/y", "https://Code.example/A/b/", proven)]);
    let changed = (Became::Changed, "code.example/A/b".to_owned());
    assert_eq!(rows(&before, &side(partial)), [changed]);
    // What a place says of itself makes it no other place.
    let hinted = at("tuesday/y", "https://code.example/a/b", Certainty::Hint);
    assert_eq!(
        rows(&before, &hinted),
        [
            (Became::New, "tuesday/y".to_owned()),
            (Became::Gone, "code.example/a/b".to_owned())
        ]
    );
}

#[test]
fn a_second_wave_is_told_by_its_mix() {
    let all = |signs: usize, count: usize, class: &str| {
        let places = (0..count).map(|n| format!("in/{n}"));
        side(places.flat_map(|place| {
            let records = copy(&place, class).into_iter();
            records.chain(compared(&place, signs)).collect::<Vec<_>>()
        }))
    };
    let (before, after) = (all(0, 5, "verbatim"), all(2, 2, "modified"));
    let told = difference(&before, &after).unwrap();
    assert_eq!(
        told.mix_changed,
        [
            "the share of compared copies with signs of tampering rose from 0.0 % to 100.0 %",
            "the share of copies that are verbatim fell from 100.0 % to 0.0 %"
        ]
    );
    let of = |became| {
        told.changes
            .iter()
            .filter(|row| row.became == became)
            .count()
    };
    assert_eq!((of(Became::Changed), of(Became::Gone)), (2, 3));
    assert_eq!(told.changes[0].after.as_ref().unwrap().signs, Some(2));
    assert_eq!(difference(&before, &before).unwrap().mix_changed, [""; 0]);
}

#[test]
fn what_was_not_looked_at_is_not_called_gone_for_good() {
    let before = side(
        copy("in/a", "verbatim")
            .into_iter()
            .chain([examined("in/b", "unrelated")]),
    );
    let after = side(
        copy("in/b", "partial")
            .into_iter()
            .chain([examined("in/a", "unreadable")]),
    );
    let told = difference(&before, &after).unwrap();
    let [new, gone] = &told.changes[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (new.became, new.before.as_ref().unwrap().class.as_str()),
        (Became::New, "unrelated")
    );
    assert_eq!(
        (gone.became, gone.after.as_ref().unwrap().class.as_str()),
        (Became::Gone, "unreadable")
    );
    let own = side([examined("in/c", "own-public")]);
    let told = difference(&own, &before).unwrap();
    assert!(
        told.changes
            .iter()
            .any(|row| row.work.is_none() && row.became == Became::Gone)
    );
}

#[test]
fn other_works_are_refused_and_other_sets_are_said() {
    let mut other = Side::default();
    other.add(run("zeta"));
    let error = difference(&side([]), &other).unwrap_err();
    assert!(error.to_string().contains("no work in common"), "{error}");
    let error = difference(&Side::default(), &other).unwrap_err();
    assert_eq!(error, DiffError::NotSearched { which: "first" });
    other.add(run("acme"));
    let mut again = side([]);
    let Record::Run(mut run) = run("acme") else {
        panic!("a run");
    };
    run.sets[0].digest = "cd".repeat(32);
    run.rules = "01".to_owned();
    again.add(Record::Run(run));
    let told = difference(&side([]), &again).unwrap();
    assert_eq!(
        told.made_otherwise,
        [
            "set of the first only: signature acme 1 (abababababab)",
            "set of the second only: signature acme 1 (cdcdcdcdcdcd)",
            "other rules"
        ]
    );
}

proptest::proptest! {
    /// Nothing is lost and nothing told twice, whatever the order of records.
    #[test]
    fn every_copy_is_in_one_row(
        old in proptest::collection::btree_set(0_u8..20, 0..12),
        new in proptest::collection::btree_set(0_u8..20, 0..12),
        turned in proptest::prelude::any::<bool>(),
    ) {
        let records = |places: &BTreeSet<u8>| -> Vec<Record> {
            let all = places.iter().flat_map(|n| copy(&format!("in/{n}"), "verbatim"));
            let mut all: Vec<Record> = all.collect();
            if turned {
                all.reverse();
            }
            all
        };
        let told = difference(&side(records(&old)), &side(records(&new))).unwrap();
        let count = |became| told.changes.iter().filter(|row| row.became == became).count();
        proptest::prop_assert_eq!(count(Became::New), new.difference(&old).count());
        proptest::prop_assert_eq!(count(Became::Gone), old.difference(&new).count());
        proptest::prop_assert_eq!(told.same as usize, old.intersection(&new).count());
    }
}
