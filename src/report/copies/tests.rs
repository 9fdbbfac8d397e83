use std::collections::BTreeMap;

use super::super::bounded::Count;
use super::super::sample::copies::{change, comparison, lineage, origin, sign, url};
use super::super::{Builder, Model, Settings, View, render_html};
use super::draw::branches;
use super::tree::{Node, grow};
use super::*;
use crate::record::{
    Certainty, ChangeKind, Copy, CopyDates, Examined, Hops, ParentBasis, Record, Severity,
};

fn copy(locator: &str, share: f64, first: Option<&str>) -> Record {
    Record::from(Copy {
        locator: locator.to_owned(),
        work: "acme-cli".to_owned(),
        release: "2.1.88".to_owned(),
        files_matched: 10,
        files_total: 10,
        of_original: share,
        class: "modified".to_owned(),
        dates: first.map(|first| CopyDates {
            first: first.to_owned(),
            last: first.to_owned(),
            basis: "git-author".to_owned(),
        }),
        ..Copy::default()
    })
}

fn section(records: Vec<Record>, view: View) -> Copies {
    report(records, view).copies
}

fn report(records: Vec<Record>, view: View) -> Model {
    let mut builder = Builder::new(Settings {
        view,
        key: b"0123456789abcdef".to_vec(),
        overrides: Vec::new(),
        ..Settings::default()
    });
    for record in records {
        builder.add(record).unwrap();
    }
    builder.finish().model
}

fn internal(records: Vec<Record>) -> Copies {
    section(records, View::Internal)
}

#[test]
fn rows_are_joined_in_any_order_of_records() {
    let mut records = vec![
        copy("a", 0.5, None),
        copy("b", 1.0, None),
        origin("a", "first", None, Certainty::Proven).into(),
        origin("b", "second", Some("first"), Certainty::Proven).into(),
        origin("", "gone", None, Certainty::Proven).into(),
        comparison("a", 3, 1).into(),
        sign("a", "install-script", Severity::High, "package.json", "x").into(),
        sign("a", "ci-workflow", Severity::Low, "ci.yml", "y").into(),
        change("a", ChangeKind::Added, "x.js", 9).into(),
        change("a", ChangeKind::Removed, "y.js", 0).into(),
        lineage("b", Some("a"), ParentBasis::Recorded).into(),
        lineage("a", None, ParentBasis::Recorded).into(),
    ];
    let out = internal(records.clone());
    // The root of a network stands before a copy that holds more.
    let row = &out.copies.rows[0];
    assert_eq!((row.locator.as_str(), row.is_network_root), ("a", true));
    assert_eq!(row.url, Some(url("first")));
    assert_eq!(row.location_word(), "recorded");
    assert_eq!(
        (row.signs, row.notes, row.signs_worst),
        (Some(1), 1, Some(Severity::High))
    );
    assert_eq!(row.delta.as_ref().map(|delta| delta.files.added), Some(1));
    // What was not compared has no number of signs.
    assert_eq!(
        (out.copies.rows[1].signs, &out.copies.rows[1].delta),
        (None, &None)
    );
    assert_eq!(
        out.largest.as_ref().map(|largest| largest.of_original),
        Some(1.0)
    );
    assert_eq!((out.located.listed, out.located.listed_absent), (3, 1));
    assert_eq!(
        (
            out.located.recorded,
            out.located.hosts_total,
            out.located.networks
        ),
        (2, 1, 1)
    );
    assert_eq!(
        (
            out.tampering.total,
            out.tampering.copies,
            out.tampering.copies_high
        ),
        (2, 1, 1)
    );
    assert_eq!(out.tampering.rules[0].rule, "install-script");
    assert_eq!(
        out.compared
            .changes
            .iter()
            .map(|row| row.count)
            .sum::<u64>(),
        2
    );
    // Removed files have no lines to be read.
    assert_eq!(out.compared.table.total, 1);
    assert_eq!(out.compared.table.rows[0].outside, "12–40, 77");
    records.reverse();
    assert_eq!(internal(records), out);
}

#[test]
fn a_hint_is_a_hint_and_a_record_outweighs_it() {
    let hint = || Record::from(origin("a", "forged", None, Certainty::Hint));
    let out = internal(vec![copy("a", 1.0, None), hint(), copy("b", 1.0, None)]);
    assert_eq!(out.copies.rows[0].location_word(), "hint");
    assert_eq!(out.copies.rows[1].location_word(), "not recorded");
    assert_eq!(
        (out.located.recorded, out.located.hint, out.located.unknown),
        (0, 1, 1)
    );
    let record = || Record::from(origin("a", "first", None, Certainty::Proven));
    assert_eq!((out.located.hosts_total, out.located.hosts_by_hint), (0, 1));
    for records in [vec![hint(), record()], vec![record(), hint()]] {
        let mut all = vec![copy("a", 1.0, None)];
        all.extend(records);
        let row = &internal(all).copies.rows[0];
        assert_eq!(
            (row.url.clone(), row.location_word()),
            (Some(url("first")), "recorded")
        );
    }
    let page = render_html(&report(vec![copy("a", 1.0, None), hint()], View::Internal)).unwrap();
    assert!(page.contains("location: hint; host code.forge.example"));
}

/// A clone names its own remote, and whoever forges it names any host.
#[test]
fn hosts_that_copies_name_themselves_are_told_apart() {
    let hinted = |locator: &str, host: &str| {
        let mut row = origin(locator, locator, None, Certainty::Hint);
        row.host = Some(host.to_owned());
        row.network = Some(format!("https://{host}/x"));
        Record::from(row)
    };
    let copies = || ["a", "b", "c"].map(|at| copy(at, 1.0, None)).to_vec();
    let mut records = copies();
    records.extend([
        origin("a", "first", None, Certainty::Proven).into(),
        // The same host as the recorded one is no further one.
        hinted("b", "code.forge.example"),
        hinted("c", "forged.example"),
    ]);
    let model = report(records, View::Internal);
    let at = &model.copies.located;
    assert_eq!((at.hosts_total, at.hosts_by_hint), (1, 1));
    assert_eq!((at.networks, at.networks_by_hint), (1, 2));
    let names = |of: &[Count]| of.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&at.hosts), ["code.forge.example"]);
    assert_eq!(
        names(&at.hosts_hinted),
        ["code.forge.example", "forged.example"]
    );
    let said = &model.verdict.answers[5].answer;
    assert!(
        said.contains(
            "they are at 1 host and 1 more by hint only, in 1 fork network and 2 more by hint only"
        ),
        "{said}"
    );
    let mut alone = copies();
    alone.push(hinted("c", "forged.example"));
    let model = report(alone, View::Internal);
    let said = &model.verdict.answers[5].answer;
    assert!(said.contains("they are at 1 host by hint only"), "{said}");
}

#[test]
fn own_public_and_unrelated_roots_never_stand_among_the_copies() {
    let examined = |locator: &str, class: &str| {
        Record::Examined(Examined {
            locator: locator.to_owned(),
            hops: Hops::default(),
            class: class.to_owned(),
            note: None,
        })
    };
    let out = internal(vec![
        copy("a", 1.0, None),
        examined("a", "modified"),
        examined("ours", "own-public"),
        examined("other", "unrelated"),
        examined("locked", "unreadable"),
        origin("ours", "ours", None, Certainty::Proven).into(),
    ]);
    assert_eq!(out.copies.total, 1);
    assert_eq!(out.own_public.rows[0].locator, "ours");
    assert_eq!(out.own_public.rows[0].url, Some(url("ours")));
    let others: Vec<&str> = out
        .others
        .rows
        .iter()
        .map(|row| row.locator.as_str())
        .collect();
    assert_eq!(others, ["locked", "other"]);
    assert_eq!(out.located.recorded, 0, "an address of what is no copy");
}

#[test]
fn dates_of_different_sources_are_never_added_up() {
    let out = internal(vec![
        copy("a", 1.0, Some("2026-04-01T23:59:59Z")),
        copy("b", 1.0, Some("2026-04-03T00:00:00Z")),
        copy("c", 1.0, None),
        copy("d", 1.0, Some("yesterday")),
        origin("a", "first", None, Certainty::Proven).into(),
    ]);
    let spread = &out.spread;
    assert_eq!(spread.step, "day");
    let rows: Vec<(&str, u64, u64)> = spread
        .rows
        .iter()
        .map(|row| (row.when.as_str(), row.seen_at, row.git_author))
        .collect();
    assert_eq!(
        rows,
        [
            ("2026-04-01", 0, 1),
            ("2026-04-02", 1, 0),
            ("2026-04-03", 0, 1)
        ]
    );
    assert_eq!(spread.undated, 2);
    assert_eq!(spread.sources[0].basis, "seen-at");
    assert_eq!(
        (spread.sources[1].copies, spread.sources[1].last.as_str()),
        (2, "2026-04-03")
    );
}

#[test]
fn many_dates_become_months_and_years_and_the_latest_stay() {
    let dated = |year: u32, month: u32, day: u32| {
        let date = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
        copy(&date, 1.0, Some(&date))
    };
    let months: Vec<Record> = (1..=12)
        .flat_map(|m| (1..=28).map(move |d| dated(2026, m, d)))
        .collect();
    let spread = internal(months).spread;
    assert_eq!((spread.step.as_str(), spread.rows.len()), ("month", 12));
    let years: Vec<Record> = (0..900).map(|n| dated(1_000 + n, 1, 1)).collect();
    let spread = internal(years).spread;
    assert_eq!(
        (spread.step.as_str(), spread.rows.len(), spread.earlier),
        ("year", 60, 840)
    );
    assert_eq!(spread.rows[59].when, "1899");
}

fn node(locator: &str, parent: Option<&str>) -> Node {
    Node {
        row: TreeRow {
            locator: locator.to_owned(),
            ..TreeRow::default()
        },
        network: Some("https://h.example/one".to_owned()),
        parent: parent.map(str::to_owned),
    }
}

fn grown(nodes: Vec<Node>) -> Tree {
    let mut tree = Tree::default();
    grow(nodes, &mut tree);
    tree
}

/// Copies that a tree shows, and those that it says it leaves out.
fn counted(tree: &Tree) -> u64 {
    let rows = tree.networks.iter().flat_map(|network| &network.rows);
    rows.map(|row| row.more.max(u64::from(!row.locator.is_empty())))
        .sum::<u64>()
        + tree.left_out
}

#[test]
fn children_stand_below_their_parents() {
    let tree = grown(vec![
        node("c", Some("a")),
        node("a", None),
        node("d", Some("c")),
        node("b", None),
    ]);
    let rows: Vec<(usize, &str)> = tree.networks[0]
        .rows
        .iter()
        .map(|row| (row.depth, row.locator.as_str()))
        .collect();
    assert_eq!(rows, [(0, "a"), (1, "c"), (2, "d"), (0, "b")]);
}

/// Of a copy that nothing ties to another the table of copies says all; a copy in a network stands there all the same.
#[test]
fn copies_that_nothing_ties_to_others_are_counted_only() {
    let alone = |name: &str, parent| Node {
        network: None,
        ..node(name, parent)
    };
    let tree = grown(vec![
        alone("a", None),
        alone("b", Some("a")),
        alone("c", None),
        alone("d", None),
        alone("e", None),
        node("f", None),
    ]);
    assert_eq!(tree.alone, 3);
    let rows = |of: &TreeOf| of.rows.iter().map(|row| row.locator.clone()).collect();
    let rows: Vec<Vec<String>> = tree.networks.iter().map(rows).collect();
    // That of no network stands last, though it is larger.
    assert_eq!(rows, [vec!["f"], vec!["a", "b"]]);
}

#[test]
fn circles_crowds_and_chains_are_bounded_and_counted() {
    let circle = grown(vec![
        node("a", Some("c")),
        node("b", Some("a")),
        node("c", Some("b")),
        node("d", Some("b")),
    ]);
    let rows: Vec<(usize, &str)> = circle.networks[0]
        .rows
        .iter()
        .map(|row| (row.depth, row.locator.as_str()))
        .collect();
    assert_eq!(rows, [(0, "a"), (1, "b"), (2, "c"), (2, "d")]);
    let itself = grown(vec![node("a", Some("a"))]);
    assert_eq!(counted(&itself), 1);
    let crowd: Vec<Node> = std::iter::once(node("a", None))
        .chain((0..5_000).map(|n| node(&format!("b{n}"), Some("a"))))
        .collect();
    let crowd = grown(crowd);
    assert_eq!(crowd.networks[0].rows.len(), 27);
    assert_eq!(counted(&crowd), 5_001);
    let chain = (0..5_000).map(|n: u32| {
        let before = n.checked_sub(1).map(|n| format!("{n:04}"));
        node(&format!("{n:04}"), before.as_deref())
    });
    let chain = grown(chain.collect());
    assert_eq!(counted(&chain), 5_000);
    assert!(chain.networks[0].rows.len() < 20);
    let networks = (0..3_000).map(|n| Node {
        network: Some(format!("https://h.example/{n}")),
        ..node(&format!("{n}"), None)
    });
    assert_eq!(counted(&grown(networks.collect())), 3_000);
}

#[test]
fn lists_nest_as_deep_as_rows_stand() {
    let tree = grown(vec![
        node("a", None),
        node("b", Some("a")),
        node("c", Some("b")),
        node("d", None),
    ]);
    for most in 0..=4 {
        let nested = branches(&tree.networks[0], most);
        let opened = nested.iter().filter(|branch| branch.opens).count();
        let closed: usize = nested.iter().map(|branch| branch.closes).sum();
        assert_eq!(opened, closed, "{most}");
        assert_eq!(nested.len(), most.min(4));
    }
}

/// Three thousand forks of one network: the page stays small and says what it leaves out.
#[test]
fn three_thousand_copies_make_a_page() {
    let mut records = Vec::new();
    for n in 0..3_000_u32 {
        let place = format!("forks/{n:04}");
        let day = format!("2026-04-{:02}T10:00:00Z", 1 + n % 28);
        records.push(copy(&place, f64::from(n % 100) / 100.0, Some(&day)));
        records.push(
            origin(
                &place,
                &format!("fork{n}"),
                Some("first"),
                Certainty::Proven,
            )
            .into(),
        );
        records.push(comparison(&place, 5, 2).into());
        for file in 0..3 {
            records.push(
                change(
                    &place,
                    ChangeKind::Added,
                    &format!("{file}.js"),
                    u64::from(n),
                )
                .into(),
            );
        }
        records.push(
            sign(
                &place,
                "install-script",
                Severity::High,
                "package.json",
                "x",
            )
            .into(),
        );
        let parent = n.checked_sub(1).map(|n| format!("forks/{:04}", n / 3));
        records.push(lineage(&place, parent.as_deref(), ParentBasis::SharedChanges).into());
    }
    let start = std::time::Instant::now();
    let model = report(records, View::Internal);
    let page = render_html(&model).unwrap();
    println!(
        "3,000 copies: {} bytes in {:?}",
        page.len(),
        start.elapsed()
    );
    assert!(page.len() < 2_500_000, "{}", page.len());
    assert_eq!(model.copies.copies.total, 3_000);
    assert_eq!(model.copies.located.recorded, 3_000);
    assert_eq!(model.copies.tampering.rules[0].copies, 3_000);
    assert!(page.contains("of 3,000; the rest is in the records of the case."));
    assert_eq!(counted(&model.copies.tree), 3_000);
}

/// The public view has the figures of the internal one, and no row of a single place.
#[test]
fn the_public_view_has_figures_only() {
    let records = super::super::sample::incident();
    let (one, two) = (internal(records.clone()), section(records, View::Public));
    assert!(one.located.hosts.len() == 1 && !one.tree.networks.is_empty());
    assert!(two.copies.rows.is_empty() && two.suspects.rows.is_empty());
    assert!(two.located.hosts.is_empty() && two.tree.networks.is_empty());
    assert!(two.tampering.table.rows.is_empty() && two.compared.table.rows.is_empty());
    assert_eq!(one.copies.total, two.copies.total);
    let figures = |of: &Located| {
        (
            of.recorded,
            of.hint,
            of.unknown,
            of.hosts_total,
            of.networks,
            of.listed_absent,
        )
    };
    assert_eq!(figures(&one.located), figures(&two.located));
    assert_eq!(one.spread, two.spread);
    let rules = |of: &Tampering| -> BTreeMap<String, u64> {
        of.rules
            .iter()
            .map(|rule| (rule.rule.clone(), rule.copies))
            .collect()
    };
    assert_eq!(rules(&one.tampering), rules(&two.tampering));
    assert_eq!(
        (one.tree.recorded, one.tree.by_changes),
        (two.tree.recorded, two.tree.by_changes)
    );
    assert_eq!(one.compared.changes, two.compared.changes);
}
