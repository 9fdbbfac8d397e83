//! Containers that are larger than may be held: opened in the file of the input where they stand as they are, and in the
//! folder that the user gives where they have to be unpacked first.

mod common;

use std::ffi::OsString;
use std::path::Path;

use common::{
    Random, Records, assert_same, gzip, scan, scratch, sha256, tar, text, write_all, zip,
};

const INCOMPLETE: i32 = 3;
/// Twice what may be held.
const MEMORY: &str = "16M";

/// A tarball that does not fit, with a file in front of it and one behind it that do.
fn large_tar(secret: &str) -> Vec<u8> {
    let fill = Random::new(11).text(9 << 20);
    tar(&[("a/fill.txt", fill.as_str()), ("a/wanted.ts", secret)])
}

fn scan_of(input: &Path, status: i32, more: &[&str]) -> Records {
    let mut arguments: Vec<OsString> = vec![input.into()];
    arguments.extend(["--record", "all", "--memory", MEMORY].map(OsString::from));
    arguments.extend(more.iter().map(OsString::from));
    scan(status, arguments)
}

#[track_caller]
fn assert_found(records: &Records, locator: &str, content: &str) {
    assert_eq!(
        text(records.at("blob", locator), "sha256"),
        sha256(content.as_bytes())
    );
}

#[test]
fn a_container_is_opened_where_it_stands() {
    let folder = scratch();
    let secret = "export const wanted = 1;\n";
    let layer = large_tar(secret);
    let image = tar(&[
        ("first.txt", b"1".as_slice()),
        ("layer.tar", &layer),
        ("layer.tar.gz", &gzip(&layer)),
        ("last.txt", b"2"),
    ]);
    let zipped = zip(&[("layer.tar", layer.as_slice())]);
    let deeper = tar(&[("image.tar", image.as_slice()), ("z.zip", &zipped)]);
    let input = folder.path().join("in");
    write_all(&input, &[("image.tar", &image), ("deeper.tar", &deeper)]);
    let records = scan_of(&input, INCOMPLETE, &["--jobs", "1"]);
    for image in ["in/image.tar", "in/deeper.tar!/image.tar"] {
        assert_found(
            &records,
            &format!("{image}!/layer.tar!/a/wanted.ts"),
            secret,
        );
        assert_found(
            &records,
            &format!("{image}!/layer.tar.gz!/a/wanted.ts"),
            secret,
        );
        assert_found(&records, &format!("{image}!/last.txt"), "2");
    }
    // Packed in a zip it cannot be opened where it stands; it is the only thing that was not read.
    let shut = "in/deeper.tar!/z.zip!/layer.tar";
    assert_eq!(records.problems(), [("memory-limit", shut)]);
    assert_eq!(records.ledger()["complete"], false);
    let again = scan_of(&input, INCOMPLETE, &["--jobs", "3"]);
    assert_same(&records.normalised(), &again.normalised(), "more threads");
}

#[test]
fn what_is_packed_is_opened_in_the_folder_that_is_given() {
    let folder = scratch();
    let secret = "export const wanted = 2;\n";
    let layer = large_tar(secret);
    let twice = zip(&[("deep/layer.tar", layer.as_slice())]);
    let input = folder.path().join("in");
    let image = gzip(&tar(&[
        ("layer.tar", layer.as_slice()),
        ("twice.zip", &twice),
    ]));
    write_all(&input, &[("image.tgz", &image)]);
    let spill = folder.path().join("spill");
    std::fs::create_dir(&spill).unwrap();
    let more = ["--spill", spill.to_str().unwrap()];
    let records = scan_of(&input, 0, &more);
    for way in ["layer.tar", "twice.zip!/deep/layer.tar"] {
        assert_found(
            &records,
            &format!("in/image.tgz!/{way}!/a/wanted.ts"),
            secret,
        );
    }
    assert_eq!(records.problems(), []);
    assert_eq!(std::fs::read_dir(&spill).unwrap().count(), 0);
    let without = scan_of(&input, INCOMPLETE, &[]);
    let shut = without.problems();
    assert!(
        shut.iter().all(|(code, _)| *code == "memory-limit"),
        "{shut:?}"
    );
    assert_eq!(shut.len(), 2);
    // A container that unfolds to more than a limit allows is said, and what was spilled of it goes.
    let cut = scan_of(
        &input,
        INCOMPLETE,
        &[&more[..], &["--limit-bytes", "12M"]].concat(),
    );
    assert!(!cut.problems().is_empty());
    assert_eq!(std::fs::read_dir(&spill).unwrap().count(), 0);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = scratch();
    write_all(folder.path(), &[("a.txt", "a")]);
    common::run([
        OsString::from("scan"),
        folder.path().into(),
        "--spill".into(),
        folder.path().join("none").into(),
    ])
    .expect(2)
    .says("none");
}
