//! An excerpt match can be computed again by anybody: thirty lines of Python, written from the documentation alone, come to
//! the same fingerprints, lines and counts as the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use strandline::signature::prints::{FilePrints, Tier};
use strandline::signature::{FileEntry, Options, PartyFlag, SetBuilder};

/// Line of the first place of each fingerprint, by value.
fn places(text: &[u8]) -> BTreeMap<u64, u32> {
    let prints = FilePrints::of(text);
    let winnow = prints.of_tier(Tier::Winnow).iter();
    winnow.map(|print| (print.value, print.line)).collect()
}

#[test]
fn python_finds_the_same_fingerprints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = fs::read_to_string(root.join("src/signature/format.rs")).expect("of the project");
    // Its first comment speaks of licences, as a header does, and a header gives no fingerprints.
    let text = file.split_once("\n\n").expect("an essay").1;
    let original = text.as_bytes();
    // Cut, moved, indented anew, with other letters where nobody looks.
    let cut: Vec<&str> = text
        .lines()
        .skip(90)
        .take(140)
        .map(str::trim_start)
        .collect();
    let escaped: String = (0..40)
        .map(|n| format!("C:\\\\new\\\\table{n} \\&lt;\n"))
        .collect();
    let copy = format!(
        "// pasted\\n é\n{escaped}{}\n{}",
        cut[70..].join("\n"),
        cut[..70].join("\n")
    );
    let dir = std::env::temp_dir().join(format!("strandline-recompute-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a folder");
    let (one, two) = (dir.join("original"), dir.join("copy"));
    fs::write(&one, original).expect("written");
    fs::write(&two, &copy).expect("written");
    let output = Command::new("python3")
        .arg(root.join("tests/recompute.py"))
        .args([&one, &two])
        .output()
        .expect("python3 runs");
    fs::remove_dir_all(&dir).expect("removed");
    assert!(output.status.success(), "{output:?}");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");

    let (ours, theirs) = (places(original), places(copy.as_bytes()));
    let shared: BTreeSet<u64> = ours
        .keys()
        .filter(|value| theirs.contains_key(value))
        .copied()
        .collect();
    let mut lines: Vec<[u32; 2]> = shared
        .iter()
        .map(|value| [ours[value], theirs[value]])
        .collect();
    lines.sort_unstable();
    assert!(shared.len() > 20, "{}", shared.len());
    assert_eq!(said["original"], ours.len());
    assert_eq!(said["copy"], theirs.len());
    assert_eq!(said["lines"], serde_json::json!(lines));
}

/// The same of a set: a reader of a hundred lines of Python, written from the page on the format alone, finds in it what was
/// signed.
#[test]
fn python_reads_a_set_from_its_documentation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| {
        let text = fs::read_to_string(root.join(name)).expect("of the project");
        text.split_once("\n\n").expect("an essay").1.to_owned()
    };
    // The second has one line of two thousand letters and then empty ones, so that numbers need more than a byte.
    let long: String = (0..400).map(|n| format!("w{n}x")).collect();
    let far = "\n".repeat(300);
    let files = [
        ("a.rs", read("src/signature/format.rs")),
        (
            "b.rs",
            format!("{far}{long}{far}{}", read("src/signature/index.rs")),
        ),
        ("c.rs", String::from("no")),
    ];
    let dir = std::env::temp_dir().join(format!("strandline-read-set-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a folder");
    let (set, text) = (dir.join("set"), dir.join("text"));
    fs::write(&text, &files[1].1).expect("written");
    for (is_compact, is_baseline) in [(false, false), (true, false), (false, true)] {
        let options = Options {
            compact: is_compact,
            baseline: is_baseline,
            ..Options::default()
        };
        let mut builder = SetBuilder::new("acme", "1", options);
        for (name, content) in &files {
            builder.add(FileEntry::of(*name, PartyFlag::First, content.as_bytes()));
        }
        fs::write(&set, builder.finish().expect("a set").set_bytes).expect("written");
        let output = Command::new("python3")
            .arg(root.join("tests/read_set.py"))
            .args([&set, &text])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .expect("python3 runs");
        assert!(output.status.success(), "{output:?}");
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(said["work"], "acme");
        assert_eq!(said["files"], 3);
        for tier in Tier::ALL {
            let index = &said["tiers"][tier.id()];
            let counts: Vec<usize> = (files.iter())
                .map(|(_, text)| FilePrints::of(text.as_bytes()).of_tier(tier).len())
                .collect();
            let rows = index["rows"].as_array().expect("rows");
            let all: usize = counts.iter().sum();
            let is_thinned = is_compact && !matches!(tier, Tier::Atoms | Tier::Pieces);
            assert!(rows.len() <= all && rows.len() * 5 >= all, "{tier:?}");
            if !is_baseline {
                assert_eq!(rows.len() < all, is_thinned && all > 10, "{tier:?} {all}");
            }
        }
        held_against_the_text(&said, is_baseline);
    }
    fs::remove_dir_all(&dir).expect("removed");
}

/// Values and lines of the second file as its set has them are those that Python makes of its text.
fn held_against_the_text(said: &serde_json::Value, is_baseline: bool) {
    let index = &said["tiers"]["winnow/1"];
    let number = |value: &serde_json::Value| value.as_u64().expect("a number");
    let of_text: BTreeMap<u64, u64> = (said["winnow"].as_array().expect("rows").iter())
        .map(|row| (number(&row[0]), number(&row[1])))
        .collect();
    assert!(of_text.len() > 20, "{}", of_text.len());
    let rows: Vec<(u64, u64)> = (index["rows"].as_array().expect("rows").iter())
        .map(|row| (number(&row[0]), number(&row[1])))
        .collect();
    if is_baseline {
        let values: BTreeSet<u64> = rows.iter().map(|row| row.0).collect();
        assert!(of_text.keys().all(|value| values.contains(value)));
        return;
    }
    let start = |file: usize| number(&index["starts"][file]);
    let of_file: BTreeMap<u64, u64> = (rows.iter())
        .filter(|(_, place)| (start(1)..start(2)).contains(place))
        .map(|&(value, place)| {
            let line = &index["lines"][1][(place - start(1)) as usize][0];
            (value, number(line))
        })
        .collect();
    assert_eq!(of_file, of_text);
}
