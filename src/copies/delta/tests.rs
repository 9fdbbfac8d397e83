use proptest::prelude::*;

use super::*;

fn tree(files: &[(&str, &[u8])]) -> Tree {
    let kind = |bytes: &[u8]| crate::scan::formats::leaf_kind(bytes).to_owned();
    Tree::of_files(files.iter().copied(), kind)
}

fn kinds(delta: &Delta) -> Vec<String> {
    let path = |side: Option<(&[u8], &TreeFile)>| {
        side.map_or("-".to_owned(), |(path, _)| {
            String::from_utf8_lossy(path).into_owned()
        })
    };
    let pairs = delta.pairs.iter();
    pairs
        .map(|pair| {
            format!(
                "{:?} {} {}",
                pair.kind,
                path(pair.original),
                path(pair.copy)
            )
        })
        .collect()
}

fn text(seed: u64, lines: u64) -> Vec<u8> {
    let line = |n: u64| format!("let v{} = call({});\n", seed * 1_000 + n, n * 7 + seed);
    (0..lines).map(line).collect::<String>().into_bytes()
}

#[test]
fn every_kind_of_change_is_told() {
    let (a, b, c, d, e) = (text(1, 9), text(2, 9), text(3, 9), text(4, 9), text(5, 9));
    let edited = [&text(4, 9)[..], b"more();\n"].concat();
    let renamed = [b"first();\n", &text(5, 9)[..]].concat();
    let crlf = String::from_utf8(b.clone()).unwrap().replace('\n', "\r\n");
    let original = tree(&[
        ("a", &a),
        ("b", &b),
        ("c", &c),
        ("d", &d),
        ("e.js", &e),
        ("f", b"\0\x01"),
    ]);
    let copy = tree(&[
        ("a", &a),
        ("b", crlf.as_bytes()),
        ("n/c", &c),
        ("d", &edited),
        ("n/x.js", &renamed),
        ("g", b"\0new binary"),
    ]);
    let delta = Delta::between(&original, &copy);
    assert_eq!(
        kinds(&delta),
        [
            "Reformatted b b",
            "Changed d d",
            "Added - g",
            "Moved c n/c",
            "Changed e.js n/x.js",
            "Removed f -",
        ]
    );
    let counts = &delta.counts;
    assert_eq!((counts.original, counts.copy, counts.equal), (6, 6, 1));
    assert_eq!(
        (counts.reformatted, counts.moved, counts.changed),
        (1, 1, 2)
    );
    assert_eq!((counts.added, counts.removed), (1, 1));
    assert_eq!(delta.lines_outside, 2);
    assert_eq!(delta.bytes_outside, 11 + 8 + 9);
    assert_eq!(delta.bytes_held + 2, delta.bytes_original);
}

#[test]
fn what_the_original_has_is_not_outside_of_it_wherever_it_stands() {
    let a = text(1, 9);
    let (original, copy) = (tree(&[("a", &a)]), tree(&[("a", &a), ("b", &a)]));
    let delta = Delta::between(&original, &copy);
    assert_eq!(kinds(&delta), ["Moved a b"]);
    assert_eq!(delta.bytes_outside, 0);
    // The other way it is one file less, and no byte less.
    let back = Delta::between(&copy, &original);
    assert_eq!(kinds(&back), ["Removed b -"]);
    assert_eq!(back.bytes_held, back.bytes_original);
}

#[test]
fn a_file_that_stands_alone_is_held_against_the_other() {
    let (original, copy) = (tree(&[("a.js", b"one()\n")]), tree(&[("b.js", b"two()\n")]));
    assert_eq!(
        kinds(&Delta::between(&original, &copy)),
        ["Changed a.js b.js"]
    );
}

#[test]
fn short_files_are_not_found_by_what_is_in_them() {
    let original = tree(&[("a/__init__.py", b""), ("b", b"1\n"), ("c", b"2\n")]);
    let copy = tree(&[("n", b""), ("z/b", b"1\n"), ("c", b"2\n")]);
    let delta = Delta::between(&original, &copy);
    assert_eq!(
        kinds(&delta),
        ["Added - n", "Moved b z/b", "Removed a/__init__.py -"]
    );
}

#[test]
fn a_header_that_was_taken_away_is_told() {
    let body = text(1, 20);
    let head = b"// Copyright 2026 Acme Corp.\n// SPDX-License-Identifier: UNLICENSED\n\n";
    let whole = [&head[..], &body].concat();
    let count = |copy: &[u8]| {
        let (original, copy) = (tree(&[("a.js", &whole)]), tree(&[("a.js", copy)]));
        Delta::between(&original, &copy).headers_removed
    };
    assert_eq!(count(&body), 1);
    assert_eq!(
        count(&[&b"// Copyright 2026 Mallory.\n"[..], &body].concat()),
        1
    );
    assert_eq!(count(&[&whole[..], b"more();\n"].concat()), 0);
    // Written as another comment it still says so.
    let block = [
        &b"/*\n * Copyright 2026 Acme Corp.\n * SPDX-License-Identifier: UNLICENSED\n */\n"[..],
        &body,
    ]
    .concat();
    assert_eq!(count(&block), 0);
}

#[test]
fn a_file_that_cannot_be_read_is_neither_equal_nor_changed() {
    let mut original = tree(&[("a", b"one\n"), ("b", b"two\n")]);
    let copy = original.clone();
    original.files.get_mut(&b"a"[..]).unwrap().sha256 = None;
    let delta = Delta::between(&original, &copy);
    assert!(delta.pairs.is_empty());
    assert_eq!(delta.counts.equal, 1);
    // Its digest is enough to tell that it is another.
    let mut copy = copy;
    let file = copy.files.get_mut(&b"b"[..]).unwrap();
    (file.sha256, file.bytes) = (Some(Sha256Digest([7; 32])), None);
    let delta = Delta::between(&original, &copy);
    assert_eq!(kinds(&delta), ["Changed b b"]);
    assert_eq!(delta.details[0].lines, None);
}

#[test]
fn verdicts_are_the_same_for_every_copy() {
    let (a, b) = (text(1, 30), [&text(1, 30)[..], b"more();\n"].concat());
    let (original, copy) = (tree(&[("a", &a)]), tree(&[("a", &b), ("n", &text(7, 3))]));
    let (base, verdicts) = (Base::of(&original), Verdicts::default());
    let first = base.against(&copy, &verdicts);
    let again = base.against(&copy, &verdicts);
    assert_eq!(
        (kinds(&first), &first.details),
        (kinds(&again), &again.details)
    );
    assert_eq!(verdicts.0.lock().unwrap().len(), 1);
}

fn files() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let name = prop::sample::select(vec!["a", "b", "c", "n/a", "n/b.js", "m/c.js", "x"]);
    let line = prop::sample::select(vec![
        "let a;\n",
        "call();\r\n",
        "\n",
        "  if (b) {}\n",
        "\u{202e}\n",
    ]);
    let content = prop_oneof![
        prop::collection::vec(line, 0..30).prop_map(|lines| lines.concat().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..60),
    ];
    prop::collection::btree_map(name.prop_map(str::to_owned), content, 0..7)
}

fn tree_of(files: &BTreeMap<String, Vec<u8>>) -> Tree {
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    tree(&files)
}

proptest! {
    #[test]
    fn nothing_is_lost(a in files(), b in files()) {
        let (original, copy) = (tree_of(&a), tree_of(&b));
        let delta = Delta::between(&original, &copy);
        let counts = &delta.counts;
        prop_assert_eq!(
            counts.copy,
            counts.equal + counts.reformatted + counts.moved + counts.changed + counts.added
        );
        let found: BTreeSet<_> = delta.pairs.iter().filter_map(|pair| pair.original).map(|(path, _)| path).collect();
        prop_assert!(counts.original <= counts.equal + found.len() as u64);
        prop_assert!(delta.bytes_held <= delta.bytes_original);
        let bytes: u64 = copy.files.values().map(|file| file.len).sum();
        prop_assert!(delta.bytes_outside <= bytes);
        for (pair, detail) in delta.pairs.iter().zip(&delta.details) {
            prop_assert_eq!(pair.copy.is_none(), pair.kind == ChangeKind::Removed);
            prop_assert_eq!(pair.original.is_none(), pair.kind == ChangeKind::Added);
            prop_assert!(detail.lines.is_none() || pair.kind == ChangeKind::Changed);
        }
    }

    #[test]
    fn the_same_has_no_changes(a in files()) {
        let (original, copy) = (tree_of(&a), tree_of(&a));
        let delta = Delta::between(&original, &copy);
        prop_assert!(delta.pairs.is_empty());
        prop_assert_eq!(delta.bytes_held, delta.bytes_original);
        prop_assert_eq!(delta.bytes_outside, 0);
    }

    #[test]
    fn what_one_way_adds_the_other_removes(seeds in prop::collection::btree_map("[a-f]", 1_u64..1_000, 2..6), others in prop::collection::btree_map("[d-i]", 1_000_u64..2_000, 2..6)) {
        // Texts of their own each: nothing is moved, and nothing alike.
        let of = |seeds: &BTreeMap<String, u64>| -> BTreeMap<String, Vec<u8>> {
            let file = |(index, (path, seed)): (usize, (&String, &u64))| (path.clone(), text(seed * 10 + index as u64, 5));
            seeds.iter().enumerate().map(file).collect()
        };
        let (original, copy) = (tree_of(&of(&seeds)), tree_of(&of(&others)));
        let (there, back) = (Delta::between(&original, &copy), Delta::between(&copy, &original));
        prop_assert_eq!(there.counts.added, back.counts.removed);
        prop_assert_eq!(there.counts.removed, back.counts.added);
        prop_assert_eq!(there.counts.changed, back.counts.changed);
    }
}
