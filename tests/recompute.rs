//! An excerpt match can be computed again by anybody: thirty lines of Python, written from the documentation alone, come to
//! the same fingerprints, lines and counts as the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use strandline::signature::prints::{FilePrints, Tier};

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
