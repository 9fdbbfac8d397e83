use super::*;
use crate::copies::made;
use crate::record::{Copy, Examined, Hops};

/// A list of which `classes` were found at the first places: a class, and the share of the work.
fn places(listed: usize, classes: &[(&str, f64)]) -> Places {
    let mut places = Places::default();
    for number in 0..listed.max(classes.len()) {
        let found = classes.get(number);
        let locator = found.map_or(String::new(), |_| format!("in/{number}"));
        if number < listed {
            places.add(Record::from(origin(number, &locator)));
        }
        let Some((class, share)) = found else {
            continue;
        };
        places.add(Record::Examined(Examined {
            locator: locator.clone(),
            hops: Hops::default(),
            class: (*class).to_owned(),
            note: None,
        }));
        if *share > 0.0 {
            places.add(Record::from(Copy {
                locator,
                work: "acme".to_owned(),
                class: (*class).to_owned(),
                of_original: *share,
                ..Copy::default()
            }));
        }
    }
    places
}

fn origin(number: usize, locator: &str) -> Origin {
    let url = format!("https://git.example/f{number}/x");
    Origin {
        network: (number > 0).then(|| "https://git.example/f1/x".to_owned()),
        present: !locator.is_empty(),
        ..made::origin(locator, &url, Certainty::Proven)
    }
}

fn scope(places: &Places, draws: &[Draw]) -> Scope {
    places.scope(None, 0.98, 0.95, draws)
}

fn drawn(places: &Places, numbers: impl Iterator<Item = usize>) -> Draw {
    Draw {
        seed: 1,
        n: 1,
        network: None,
        list: places.digest(None),
        from: 1,
        drawn: numbers
            .map(|number| format!("git.example/f{number}/x"))
            .collect(),
    }
}

#[test]
fn all_were_examined_and_hold_the_work() {
    let scope = scope(&places(97, &[("verbatim", 1.0); 97]), &[]);
    assert_eq!(scope.support, Support::All);
    assert_eq!(
        scope.sentence,
        "All 97 of the 97 listed places were examined; 97 hold at least 98 % of acme, counted in bytes of its first-party files."
    );
    assert!(scope.bound.is_none() && scope.no_bound.is_none());
}

#[test]
fn some_are_own_public_code() {
    let mut classes = vec![("verbatim", 1.0); 37];
    classes.extend([("own-public", 0.0); 3]);
    let scope = scope(&places(40, &classes), &[]);
    assert_eq!(scope.support, Support::NotSupported);
    assert_eq!(
        scope.verdict,
        "A statement about all listed places is not supported: 3 of 40 examined do not hold that much (3 are own public code). Name one by one the places that do."
    );
}

#[test]
fn each_class_is_counted_once() {
    let classes = [
        ("verbatim", 1.0),
        ("modified", 0.97),
        ("partial", 0.2),
        ("ported", 0.0),
        ("own-public", 0.5),
        ("unrelated", 0.0),
        ("undecided", 0.0),
        ("unreadable", 0.0),
    ];
    let mut all = places(9, &classes);
    all.add(Record::Suspect(Box::new(Copy {
        locator: "in/3".to_owned(),
        ..Copy::default()
    })));
    let counts = scope(&all, &[]).total;
    let found = [
        counts.hold,
        counts.part,
        counts.suspects,
        counts.own_public,
        counts.unrelated,
        counts.undecided,
        counts.not_examined,
    ];
    assert_eq!(found, [1, 2, 1, 1, 1, 2, 1]);
    assert_eq!((counts.places, counts.examined), (9, 6));
}

#[test]
fn without_a_draw_nothing_is_said_of_the_rest() {
    let scope = scope(&places(97, &[("verbatim", 1.0); 40]), &[]);
    assert_eq!(scope.support, Support::ExaminedOnly);
    assert!(scope.bound.is_none());
    assert!(
        scope
            .sentence
            .ends_with("Of the 57 not examined nothing is said.")
    );
    assert!(scope.verdict.contains("not drawn at random"));
}

#[test]
fn a_draw_that_was_examined_gives_a_bound() {
    let places = places(97, &[("verbatim", 1.0); 40]);
    let draw = drawn(&places, 10..40);
    let scope = scope(&places, &[draw]);
    assert_eq!(scope.support, Support::Bounded);
    let bound = scope.bound.unwrap();
    assert_eq!(
        (bound.drawn, bound.from, bound.misses, bound.rest),
        (30, 87, 0, 57)
    );
    assert_eq!(bound.rule_of_three, Some(0.1));
    assert_eq!(
        bound.rest_misses_at_most,
        odds::misses_at_most(0, 30, 87, 0.95)
    );
    assert!(bound.rest_misses_at_most > 0);
}

#[test]
fn misses_in_the_draw_are_bounded_and_not_supported() {
    let mut classes = vec![("verbatim", 1.0); 39];
    classes.push(("undecided", 0.0));
    let places = places(97, &classes);
    let scope = scope(&places, &[drawn(&places, 10..40)]);
    assert_eq!(scope.support, Support::NotSupported);
    let bound = scope.bound.unwrap();
    assert_eq!((bound.misses, bound.rule_of_three), (1, None));
    assert_eq!(
        bound.rest_misses_at_most + 1,
        odds::misses_at_most(1, 30, 87, 0.95)
    );
}

#[test]
fn a_draw_counts_only_when_all_of_it_was_examined_and_the_list_is_the_same() {
    let old = places(90, &[("verbatim", 1.0); 40]);
    let new = places(97, &[("verbatim", 1.0); 40]);
    let why = |draw: Draw| scope(&new, &[draw]).no_bound.unwrap();
    assert!(why(drawn(&old, 10..40)).contains("the list was changed"));
    assert!(why(drawn(&new, 10..41)).contains("1 of the 31 places"));
    let of_network = Draw {
        network: Some("x".to_owned()),
        ..drawn(&new, 10..40)
    };
    assert!(why(of_network).contains("not drawn"));
}

#[test]
fn one_address_is_one_place_and_the_best_copy_speaks() {
    let mut places = places(1, &[("partial", 0.3), ("verbatim", 1.0)]);
    places.add(Record::from(Origin {
        url: Some("git@git.example:F0/x.git".to_owned()),
        certainty: Certainty::Hint,
        ..origin(0, "in/1")
    }));
    let scope = scope(&places, &[]);
    assert_eq!((scope.total.places, scope.total.hold), (1, 1));
    assert_eq!((scope.total.by_hint, scope.unlisted.places), (0, 0));
}

#[test]
fn shares_never_look_like_none_or_all_where_they_are_not() {
    for (share, said) in [
        (0.98, "98 %"),
        (1.0, "100 %"),
        (0.0, "0 %"),
        (0.258_865_55, "25.89 %"),
        (0.000_028_144, "0.0028 %"),
        (0.999_99, "99.999 %"),
        (0.3, "30 %"),
    ] {
        assert_eq!(per_cent(share), said);
    }
}

#[test]
fn a_copy_of_two_addresses_decides_neither() {
    let mut places = places(2, &[("verbatim", 1.0), ("verbatim", 1.0)]);
    for number in [0, 5] {
        places.add(Record::from(Origin {
            contradicted_by: vec!["x".to_owned()],
            ..origin(number, "in/0")
        }));
    }
    let scope = scope(&places, &[]);
    let counts = &scope.total;
    assert_eq!(
        (counts.hold, counts.undecided, counts.contradicted),
        (1, 2, 2)
    );
    assert_eq!(scope.support, Support::NotSupported);
}

#[test]
fn without_a_list_the_input_is_all_there_is() {
    let scope = scope(&places(0, &[("verbatim", 1.0); 2]), &[]);
    assert_eq!(scope.support, Support::All);
    assert!(
        scope
            .sentence
            .starts_with("All 2 of the 2 places in the input")
    );
    let nothing = Places::default().scope(None, 0.98, 0.95, &[]);
    assert_eq!(nothing.support, Support::Nothing);
}

#[test]
fn a_network_is_counted_by_itself() {
    let places = places(5, &[("verbatim", 1.0), ("unrelated", 0.0)]);
    let of_network = places.scope(Some("https://git.example/f1/x"), 0.98, 0.95, &[]);
    assert_eq!(
        (of_network.total.places, of_network.total.unrelated),
        (4, 1)
    );
    let all = scope(&places, &[]);
    assert_eq!(all.networks["https://git.example/f1/x"], of_network.total);
    assert_eq!(places.not_examined(None).len(), 3);
}
