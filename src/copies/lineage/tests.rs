use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::copies::made;
use crate::record::{Certainty, Change, Copy, CopyDates, Origin, OriginBy, Record};

/// A change that puts a file in; `text` tells one content from another.
fn added(path: &str, text: u64) -> ChangeId {
    ChangeId::of(ChangeKind::Added, path, Some(&format!("{text:064x}")))
}

fn removed(path: &str) -> ChangeId {
    ChangeId::of(ChangeKind::Removed, path, None)
}

fn copy(locator: &str, changes: &[ChangeId]) -> CopyChanges {
    CopyChanges {
        locator: locator.to_owned(),
        class: "modified".to_owned(),
        changes: Some(changes.to_vec()),
        ..CopyChanges::default()
    }
}

fn dated_by(mut copy: CopyChanges, basis: &str, date: &str) -> CopyChanges {
    copy.dates.insert(basis.to_owned(), date.to_owned());
    copy
}

fn at(copy: CopyChanges, url: &str, parent: Option<&str>) -> CopyChanges {
    CopyChanges {
        url: Some(url.to_owned()),
        parent: parent.map(str::to_owned),
        ..copy
    }
}

/// Files `a0`, `a1`, …
fn files(count: u64) -> Vec<ChangeId> {
    (0..count).map(|n| added(&format!("a{n}"), n)).collect()
}

fn row<'r>(rows: &'r [Lineage], locator: &str) -> &'r Lineage {
    rows.iter().find(|row| row.locator == locator).unwrap()
}

#[test]
fn a_copy_with_all_changes_of_another_and_more_was_made_of_it() {
    let mut more = files(3);
    more.push(added("own", 9));
    let rows = of(&[copy("a", &[]), copy("b", &files(3)), copy("c", &more)]);
    let child = row(&rows, "c");
    assert_eq!(child.parent.as_deref(), Some("b"));
    assert_eq!(child.parent_basis, Some(ParentBasis::SharedChanges));
    assert_eq!((child.changes_shared, child.changes_own), (3, 1));
    // Never the other way round, and never of one that changed nothing.
    assert_eq!(row(&rows, "b").parent, None);
    assert_eq!(row(&rows, "a").parent, None);
}

#[test]
fn the_nearest_of_a_line_is_the_parent() {
    let line: Vec<CopyChanges> = (1..=30)
        .map(|n| copy(&format!("c{n:02}"), &files(n)))
        .collect();
    let rows = of(&line);
    for (n, row) in rows.iter().enumerate().skip(1) {
        assert_eq!(row.parent.as_deref(), Some(format!("c{n:02}").as_str()));
    }
}

#[test]
fn a_file_that_was_edited_further_does_not_count_against() {
    let parent = [added("x", 1), added("y", 1), added("z", 1)];
    let child = [added("x", 1), added("y", 1), added("z", 2), added("w", 1)];
    let rows = of(&[copy("a", &parent), copy("b", &child)]);
    assert_eq!(row(&rows, "b").parent.as_deref(), Some("a"));
    // But that nothing of it is left does.
    let child = [added("x", 2), added("y", 2), added("z", 1), added("w", 1)];
    let rows = of(&[copy("a", &parent), copy("b", &child)]);
    assert_eq!(row(&rows, "b").parent, None);
}

#[test]
fn leaving_out_the_same_folder_makes_no_parent() {
    let left_out: Vec<ChangeId> = (0..50).map(|n| removed(&format!("docs/{n}"))).collect();
    let mut more = left_out.clone();
    more.push(added("evil.js", 1));
    let rows = of(&[copy("a", &left_out), copy("b", &more)]);
    assert_eq!(row(&rows, "b").parent, None);
}

#[test]
fn a_later_copy_is_no_parent_by_one_clock_only() {
    let mut more = files(5);
    more.push(added("own", 1));
    let child = dated_by(copy("b", &more), "git-author", "2026-04-01T10:00:00Z");
    let with = |basis: &str, date: &str| {
        let parent = dated_by(copy("a", &files(5)), basis, date);
        let rows = of(&[parent, child.clone()]);
        row(&rows, "b").parent.clone()
    };
    assert_eq!(with("git-author", "2026-04-02T10:00:00Z"), None);
    assert_eq!(
        with("git-author", "2026-04-01T10:00:00Z").as_deref(),
        Some("a")
    );
    // Another clock says nothing of which was first.
    assert_eq!(
        with("seen-at", "2026-04-02T10:00:00Z").as_deref(),
        Some("a")
    );
    assert_eq!(with("file", "2026-04-02T10:00:00Z").as_deref(), Some("a"));
}

#[test]
fn equal_copies_are_a_family_and_only_dates_order_them() {
    let same = files(4);
    let rows = of(&[copy("a", &same), copy("b", &same)]);
    assert!(rows.iter().all(|row| row.parent.is_none()));
    assert!(
        rows.iter()
            .all(|row| row.family == "a" && row.family_size == 2)
    );
    let rows = of(&[
        dated_by(copy("a", &same), "git-author", "2026-04-02T10:00:00Z"),
        dated_by(copy("b", &same), "git-author", "2026-04-01T10:00:00Z"),
    ]);
    assert_eq!(row(&rows, "a").parent.as_deref(), Some("b"));
    assert_eq!(row(&rows, "b").parent, None);
}

#[test]
fn ties_are_listed_and_the_network_decides() {
    let mut more = files(4);
    more.push(added("own", 1));
    let mut others: Vec<CopyChanges> = (0..40)
        .map(|n| copy(&format!("p{n:02}"), &files(4)))
        .collect();
    let network = Some("https://host.example/one".to_owned());
    others[7].network.clone_from(&network);
    let mut child = copy("z", &more);
    // One place, however it is written.
    child.network = Some("git@Host.example:one.git".to_owned());
    others.push(child);
    let rows = of(&others);
    let child = row(&rows, "z");
    assert_eq!(child.parent.as_deref(), Some("p07"));
    assert_eq!(child.parent_ties.len(), TIES_MAX);
    assert_eq!(child.parent_ties[0], "p00");
}

#[test]
fn a_family_is_near_its_first_and_of_its_class() {
    // Each agrees to 95 % with the next one, and the last not with the first.
    let of_many = |from: u64| {
        (from..from + 100)
            .map(|n| added(&format!("f{n}"), n))
            .collect::<Vec<_>>()
    };
    let rows = of(&[
        copy("a", &of_many(0)),
        copy("b", &of_many(2)),
        copy("c", &of_many(4)),
        CopyChanges {
            class: "partial".to_owned(),
            ..copy("d", &of_many(0))
        },
    ]);
    assert_eq!(row(&rows, "b").family, "a");
    assert_eq!(row(&rows, "c").family, "c");
    assert_eq!(row(&rows, "d").family, "d");
    assert_eq!(row(&rows, "a").family_size, 2);
}

#[test]
fn a_recorded_parent_wins_and_a_contradiction_is_said() {
    let root = at(copy("a", &files(6)), "https://h.example/a", None);
    let other: Vec<ChangeId> = (0..6).map(|n| added(&format!("b{n}"), n)).collect();
    let mut child = other.clone();
    child.push(added("own", 1));
    let all = [
        root.clone(),
        at(copy("b", &other), "https://h.example/b", None),
        at(
            copy("c", &child),
            "https://h.example/c",
            Some("https://H.example/a.git/"),
        ),
    ];
    let rows = of(&all);
    let child = row(&rows, "c");
    assert_eq!(child.parent.as_deref(), Some("a"));
    assert_eq!(child.parent_basis, Some(ParentBasis::Recorded));
    assert!(child.contradicted);
    // A parent that went on after the fork is none.
    let rows = of(&[
        root,
        at(
            copy("c", &files(2)),
            "https://h.example/c",
            Some("https://h.example/a"),
        ),
    ]);
    assert!(!row(&rows, "c").contradicted);
    // One that is not among the copies is named by its address, and the nearest copy stands beside it.
    let mut more = files(6);
    more.push(added("own", 1));
    let rows = of(&[
        copy("a", &files(6)),
        at(
            copy("c", &more),
            "https://h.example/c",
            Some("https://h.example/gone"),
        ),
    ]);
    let child = row(&rows, "c");
    assert_eq!(child.parent.as_deref(), Some("a"));
    assert_eq!(child.parent_basis, Some(ParentBasis::SharedChanges));
    assert_eq!(child.parent_url.as_deref(), Some("https://h.example/gone"));
}

#[test]
fn records_that_lead_in_a_circle_are_said_and_do_not_hang() {
    let rows = of(&[
        at(
            copy("a", &files(1)),
            "https://h.example/a",
            Some("https://h.example/b"),
        ),
        at(
            copy("b", &files(2)),
            "https://h.example/b",
            Some("https://h.example/a"),
        ),
        at(
            copy("c", &files(3)),
            "https://h.example/c",
            Some("https://h.example/c"),
        ),
    ]);
    assert!(row(&rows, "a").contradicted && row(&rows, "b").contradicted);
    assert_eq!(row(&rows, "c").parent.as_deref(), Some("b"));
}

#[test]
fn shared_changes_never_close_a_circle_with_records() {
    // b is recorded as made of c, which by its changes would be made of b.
    let rows = of(&[
        at(
            copy("b", &files(2)),
            "https://h.example/b",
            Some("https://h.example/c"),
        ),
        at(copy("c", &files(3)), "https://h.example/c", None),
    ]);
    assert_eq!(row(&rows, "b").parent.as_deref(), Some("c"));
    assert_eq!(row(&rows, "c").parent, None);
}

#[test]
fn a_copy_that_was_not_compared_is_not_taken_for_the_original() {
    let unknown = CopyChanges {
        changes: None,
        ..copy("b", &[])
    };
    let rows = of(&[copy("a", &[]), unknown]);
    assert_eq!(row(&rows, "b").family, "b");
    assert_eq!(row(&rows, "a").family_size, 1);
}

#[test]
fn more_changes_than_can_be_compared_are_said() {
    let many: Vec<ChangeId> = (0..=CHANGES_MAX as u128)
        .map(|n| ChangeId {
            what: n,
            path: n,
            telling: true,
            is_new: true,
        })
        .collect();
    let rows = of(&[copy("a", &many), copy("b", &files(2))]);
    assert!(row(&rows, "a").bounded && !row(&rows, "b").bounded);
    assert_eq!(row(&rows, "a").changes_own, CHANGES_MAX as u64 + 1);
}

fn origin(
    locator: &str,
    by: OriginBy,
    certainty: Certainty,
    url: &str,
    parent: Option<&str>,
) -> Record {
    Origin {
        parent: parent.map(str::to_owned),
        network: Some("https://h.example/root".to_owned()),
        seen_at: Some("2026-04-03T00:00:00Z".to_owned()),
        listed: matches!(by, OriginBy::Origins | OriginBy::Acquisition),
        by,
        ..made::origin(locator, url, certainty)
    }
    .into()
}

fn change(root: &str, kind: ChangeKind, path: &str, text: Option<u64>) -> Record {
    Change {
        locator: format!("{root}/{path}"),
        hops: Hops::default(),
        root: root.to_owned(),
        kind,
        path: (kind != ChangeKind::Removed).then(|| path.to_owned()),
        original: (kind != ChangeKind::Added).then(|| path.to_owned()),
        sha256: text.map(|text| format!("{text:064x}")),
        original_sha256: None,
        content: None,
        bytes: None,
        lines_added: None,
        lines_removed: None,
        outside: Vec::new(),
        header_removed: false,
        lines_ordered: true,
    }
    .into()
}

fn comparison(root: &str) -> Record {
    made::comparison(root).into()
}

#[test]
fn what_lineage_is_told_by_is_read_from_records_in_any_order() {
    let copy = |locator: &str| {
        Record::from(Copy {
            locator: locator.to_owned(),
            class: "modified".to_owned(),
            dates: Some(CopyDates {
                first: "2026-04-01T00:00:00Z".to_owned(),
                last: "2026-04-02T00:00:00Z".to_owned(),
                basis: "git-author".to_owned(),
            }),
            ..Copy::default()
        })
    };
    let mut records = vec![
        origin(
            "a",
            OriginBy::Origins,
            Certainty::Proven,
            "https://h.example/a",
            Some("https://h.example/root"),
        ),
        // What a clone says of itself is no record.
        origin(
            "a",
            OriginBy::GitRemote,
            Certainty::Hint,
            "https://0.example/forged",
            Some("https://0.example/p"),
        ),
        origin(
            "unrelated",
            OriginBy::Origins,
            Certainty::Proven,
            "https://h.example/u",
            None,
        ),
        copy("a"),
        copy("b"),
        comparison("a"),
        change("a", ChangeKind::Added, "x.js", Some(1)),
        change("a", ChangeKind::Removed, "docs/y", None),
    ];
    let copies = copies_in(&records);
    assert_eq!(copies.len(), 2, "{copies:?}");
    assert_eq!(copies[0].url.as_deref(), Some("https://h.example/a"));
    assert_eq!(copies[0].parent.as_deref(), Some("https://h.example/root"));
    assert_eq!(copies[0].dates["seen-at"], "2026-04-03T00:00:00Z");
    assert_eq!(copies[0].dates["git-author"], "2026-04-01T00:00:00Z");
    let changes = copies[0].changes.as_ref().unwrap();
    assert_eq!(changes, &[added("x.js", 1), removed("docs/y")]);
    assert_eq!(copies[1].changes, None);
    records.reverse();
    assert_eq!(of(&copies_in(&records)), of(&copies));
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }
}

/// How many parents were found, of a made-up spread.
#[derive(Debug, Default)]
struct Outcome {
    /// Copies that were made of another copy and have changes by which that can be told.
    told: u64,
    /// The parent named is the true one, or has the same changes as that.
    right: u64,
    /// The parent named is an ancestor, but not the nearest.
    above: u64,
    none: u64,
    wrong: u64,
}

/// Forks of forks, each with up to four edits: new files, further edits, popular patches, files left out.
fn spread(count: usize, seed: u64, dates: bool) -> (Vec<CopyChanges>, Outcome) {
    let mut dice = Dice(seed);
    let mut held: Vec<BTreeMap<String, ChangeId>> = Vec::new();
    let mut true_parent: Vec<Option<usize>> = Vec::new();
    for n in 0..count {
        let parent = (n > 0 && dice.roll(10) > 0).then(|| dice.roll(n as u64) as usize);
        let mut files = parent.map_or_else(BTreeMap::new, |parent| held[parent].clone());
        for _ in 0..dice.roll(5) {
            match dice.roll(10) {
                0..=3 => {
                    let path = format!("new/{}", dice.roll(1 << 40));
                    files.insert(path.clone(), added(&path, dice.roll(1 << 40)));
                }
                4..=6 => {
                    let path = format!("src/{}", dice.roll(300));
                    let text = format!("{:064x}", dice.roll(1 << 40));
                    files.insert(
                        path.clone(),
                        ChangeId::of(ChangeKind::Changed, &path, Some(&text)),
                    );
                }
                7 | 8 => {
                    let path = format!("popular/{}", dice.roll(6));
                    files.insert(path.clone(), added(&path, 1));
                }
                _ => {
                    let path = format!("src/{}", dice.roll(300));
                    files.insert(path.clone(), removed(&path));
                }
            }
        }
        held.push(files);
        true_parent.push(parent);
    }
    let copies: Vec<CopyChanges> = held
        .iter()
        .enumerate()
        .map(|(n, files)| {
            let changes: Vec<ChangeId> = files.values().copied().collect();
            // Names say nothing of the order.
            let copy = copy(&format!("{:05}", (n * 7_919) % 100_003), &changes);
            if dates && n % 2 == 0 {
                let date = format!(
                    "2026-04-{:02}T{:02}:{:02}:00Z",
                    1 + n / 1_440,
                    n / 60 % 24,
                    n % 60
                );
                return dated_by(copy, "git-author", &date);
            }
            copy
        })
        .collect();
    let rows = of(&copies);
    let by_name: BTreeMap<&str, usize> = copies
        .iter()
        .enumerate()
        .map(|(n, copy)| (copy.locator.as_str(), n))
        .collect();
    let set = |n: usize| held[n].values().copied().collect::<BTreeSet<ChangeId>>();
    let mut outcome = Outcome::default();
    for row in &rows {
        let n = by_name[row.locator.as_str()];
        // What is the same as its parent stands beside it.
        let mut truth = true_parent[n];
        while let Some(parent) = truth.filter(|&parent| set(parent) == set(n)) {
            truth = true_parent[parent];
        }
        let Some(truth) = truth.filter(|&truth| held[truth].values().any(|change| change.telling))
        else {
            continue;
        };
        outcome.told += 1;
        let Some(named) = row.parent.as_deref().map(|name| by_name[name]) else {
            outcome.none += 1;
            continue;
        };
        let mut line = vec![n];
        while let Some(parent) = line.last().and_then(|&at| true_parent[at]) {
            line.push(parent);
        }
        if set(named) == set(truth) || (set(named) == set(n)) {
            outcome.right += 1;
        } else if line.iter().any(|&ancestor| set(ancestor) == set(named)) {
            outcome.above += 1;
        } else {
            outcome.wrong += 1;
        }
    }
    (copies, outcome)
}

#[test]
fn parents_of_a_made_up_spread_are_found() {
    for dates in [false, true] {
        let mut all = Outcome::default();
        for seed in 1..=10 {
            let (_, one) = spread(300, seed, dates);
            all.told += one.told;
            all.right += one.right;
            all.above += one.above;
            all.none += one.none;
            all.wrong += one.wrong;
        }
        let of_all = |count: u64| 100 * count / all.told;
        println!(
            "dates {dates}: {all:?}, right {} %, wrong {} %",
            of_all(all.right),
            of_all(all.wrong)
        );
        assert!(of_all(all.right) >= 70, "{all:?}");
        assert!(of_all(all.wrong) <= 10, "{all:?}");
    }
}

#[test]
fn three_thousand_copies_take_seconds() {
    let start = Instant::now();
    let (copies, outcome) = spread(3_000, 11, true);
    println!("3,000 forks: {:?}, {outcome:?}", start.elapsed());
    assert_eq!(copies.len(), 3_000);
    // The worst: the same thousand files, each copy without another half of them, and nothing rare.
    let mut dice = Dice(5);
    let copies: Vec<CopyChanges> = (0..600)
        .map(|n| {
            let changes: Vec<ChangeId> = (0..1_000)
                .filter(|_| dice.roll(2) == 0)
                .map(|file| added(&format!("{file}"), 1))
                .collect();
            copy(&format!("{n}"), &changes)
        })
        .collect();
    let start = Instant::now();
    let rows = of(&copies);
    println!(
        "600 mixtures: {:?}, bounded {}",
        start.elapsed(),
        rows.iter().filter(|row| row.bounded).count()
    );
    assert!(start.elapsed().as_secs() < 60);
    // All the same, and one more that has all of them.
    let mut copies: Vec<CopyChanges> = (0..3_000)
        .map(|n| copy(&format!("{n}"), &files(20)))
        .collect();
    copies.extend((0..3_000).map(|n| copy(&format!("x{n}"), &files(30))));
    let start = Instant::now();
    let rows = of(&copies);
    println!("3,000 of 3,000 equal ones: {:?}", start.elapsed());
    assert!(start.elapsed().as_secs() < 30);
    assert!(
        rows.iter()
            .all(|row| row.family_size == 3_000 || row.changes_shared == 20)
    );
}

fn any_copies() -> impl Strategy<Value = Vec<CopyChanges>> {
    let change = (0_u64..12, 0_u64..3).prop_map(|(path, text)| match text {
        0 => removed(&path.to_string()),
        text => added(&path.to_string(), text),
    });
    let date = proptest::option::of(1_u64..5);
    let one = (
        proptest::option::weighted(0.9, proptest::collection::vec(change, 0..14)),
        date,
        proptest::option::of(0_usize..30),
        0_usize..2,
    );
    proptest::collection::vec(one, 0..30).prop_map(|rows| {
        let rows = rows.into_iter().enumerate();
        rows.map(|(n, (changes, date, parent, class))| CopyChanges {
            locator: format!("{n:02}"),
            class: ["modified", "partial"][class].to_owned(),
            url: Some(format!("https://h.example/{n}")),
            parent: parent.map(|n| format!("https://h.example/{n}")),
            dates: date
                .map(|day| ("git-author".to_owned(), format!("2026-04-0{day}T00:00:00Z")))
                .into_iter()
                .collect(),
            changes,
            ..CopyChanges::default()
        })
        .collect()
    })
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(mut copies in any_copies(), turn in 0_usize..30) {
        let rows = of(&copies);
        let again = of(&copies);
        prop_assert_eq!(&rows, &again);
        let by = turn % copies.len().max(1);
        copies.rotate_left(by);
        copies.extend(copies.clone().into_iter().take(5));
        prop_assert_eq!(of(&copies), rows);
    }

    #[test]
    fn families_and_parents_are_what_they_say(copies in any_copies()) {
        let rows = of(&copies);
        prop_assert_eq!(rows.len(), copies.len());
        let by_name: BTreeMap<&str, &CopyChanges> = copies.iter().map(|copy| (copy.locator.as_str(), copy)).collect();
        let set = |name: &str| by_name[name].changes.as_ref().map(|changes| changes.iter().copied().collect::<BTreeSet<_>>());
        for row in &rows {
            let own = set(&row.locator);
            let members = rows.iter().filter(|other| other.family == row.family).count() as u64;
            prop_assert_eq!(members, row.family_size);
            if row.family != row.locator {
                let (own, first) = (own.clone().unwrap(), set(&row.family).unwrap());
                let shared = own.intersection(&first).count();
                prop_assert!(shared * 100 >= own.union(&first).count() * FAMILY_PERCENT);
                prop_assert_eq!(&by_name[row.family.as_str()].class, &by_name[row.locator.as_str()].class);
            }
            prop_assert_ne!(row.parent.as_deref(), Some(row.locator.as_str()));
            if row.parent_basis == Some(ParentBasis::SharedChanges) {
                let (own, parent) = (own.unwrap(), set(row.parent.as_deref().unwrap()).unwrap());
                prop_assert!(own.intersection(&parent).any(|change| change.telling));
                prop_assert!(parent.len() <= own.len());
                // No parent by changes leads back.
                let mut at = row.parent.as_deref();
                for _ in 0..copies.len() {
                    let Some(name) = at else { break };
                    prop_assert_ne!(name, row.locator.as_str());
                    at = rows.iter().find(|other| other.locator == name).and_then(|other| other.parent.as_deref());
                }
            }
        }
    }
}
