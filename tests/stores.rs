//! Package managers' stores and lockfiles, made by the managers themselves: which of them hold the leaked release, and which
//! only name it.
//!
//! `fixtures/stores.py` lets each manager install two made-up packages from a registry on the loopback interface.
//! STRANDLINE_MANAGERS is the folder with the managers; what is missing is named on standard error, and with
//! STRANDLINE_REQUIRE_MANAGERS=1 it fails.

mod common;

use std::ffi::OsStr;
use std::path::Path;

use common::{Records, scan, scratch, text, write_all};
use serde_json::Value;

const REQUIRED: &str = "STRANDLINE_REQUIRE_MANAGERS";
const TARGET: &str = "npm:@acme/cli@2.1.0";

fn profile(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("acme.toml");
    std::fs::write(&path, "name = \"Acme\"\nscopes = [\"@acme\"]\n").expect("it can be written");
    path
}

/// Whether a text is what a pattern with `*` in it says; a star stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    for (number, part) in pattern.split('*').enumerate() {
        match rest.find(part) {
            Some(at) if number > 0 || at == 0 => rest = &rest[at + part.len()..],
            _ => return false,
        }
    }
    rest.is_empty() || pattern.ends_with('*')
}

/// Whether the records tell the package at a place as a row asks.
fn is_told(records: &Records, row: &Value) -> bool {
    let at = text(row, "at");
    let kind = text(row, "kind");
    records.all(kind).any(|record| {
        let locator = text(record, "locator").replace("%40", "@");
        let file = locator.split("!/").next().unwrap_or_default();
        let is_it = match kind {
            "reference" => record["kind"] == "package" && record["target"] == TARGET,
            _ => record["name"] == "@acme/cli" && record["version"] == "2.1.0",
        };
        let is_found = row["found"].as_str().is_none_or(|start| {
            let found = record["found"].as_str().unwrap_or_default();
            found.replace("%40", "@").starts_with(start)
        });
        is_it && is_found && is_like(file, at)
    })
}

#[test]
fn every_manager_is_told_to_hold_or_to_name_the_release() {
    let folder = scratch();
    let made = folder.path().join("made");
    let tools = std::env::var_os("STRANDLINE_MANAGERS").unwrap_or_default();
    let arguments = [made.as_os_str(), &tools];
    let rows = common::made_by("stores.py", arguments, "places", REQUIRED);
    let input = made.join("in");
    let org = profile(folder.path());
    let records = scan(0, [input.as_os_str(), OsStr::new("--org"), org.as_os_str()]);
    let untold: Vec<_> = (rows.iter())
        .filter(|row| !is_told(&records, row))
        .map(Value::to_string)
        .collect();
    let told: Vec<_> = records
        .all("reference")
        .map(|record| format!("{} -> {}", text(record, "locator"), record["found"]))
        .collect();
    assert!(untold.is_empty(), "{}\n{told:#?}", untold.join("\n"));
    // Other packages are not told, and without a profile none is.
    assert!(
        records
            .all("reference")
            .all(|record| record["target"] == TARGET)
    );
    let without = scan(0, [input.as_os_str()]);
    assert_eq!(without.all("reference").count(), 0);
}

#[test]
fn what_is_only_named_is_not_found() {
    let folder = scratch();
    let lock = r#"{"lockfileVersion":3,"packages":{"node_modules/@acme/cli":{"version":"2.1.0"}}}"#;
    write_all(
        &folder.path().join("one"),
        &[("package-lock.json", lock.as_bytes())],
    );
    write_all(
        &folder.path().join("two"),
        &[
            ("package-lock.json", lock.as_bytes()),
            (
                "old/bun.lockb",
                b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n\0",
            ),
            (
                "node_modules/@acme/cli/package.json",
                common::manifest("@acme/cli", "2.1.0").as_bytes(),
            ),
        ],
    );
    let org = profile(folder.path());
    let found = |records: &Records, at: &str| records.at("reference", at)["found"].clone();
    let one = folder.path().join("one");
    let two = folder.path().join("two");
    let alone = scan(0, [one.as_os_str(), OsStr::new("--org"), org.as_os_str()]);
    assert_eq!(found(&alone, "one/package-lock.json"), Value::Null);
    // What another machine holds is better than nothing; what the same one holds is better than that.
    let both = scan(
        0,
        [
            one.as_os_str(),
            two.as_os_str(),
            OsStr::new("--org"),
            org.as_os_str(),
        ],
    );
    let held = "two/node_modules/@acme/cli";
    assert_eq!(found(&both, "one/package-lock.json"), held);
    assert_eq!(found(&both, "two/package-lock.json"), held);
    assert_eq!(both.problems(), [("lockfile-unread", "two/old/bun.lockb")]);
}

/// What is too large to be held is not read as a lockfile, and that is said.
#[test]
fn a_lockfile_that_cannot_be_held_is_said_to_be_unread() {
    let folder = scratch();
    let input = folder.path().join("in");
    let many = |line: &str| line.repeat((12 << 20) / line.len());
    let npm = format!(
        "\u{feff}{{\"lockfileVersion\":3,\"packages\":{{{}\"node_modules/@acme/cli\":{{\"version\":\"2.1.0\"}}}}}}",
        many("\"node_modules/x\":{\"version\":\"1.0.0\",\"resolved\":\"x\"},")
    );
    let pnpm = format!(
        "lockfileVersion: '9.0'\n\npackages:\n\n{}",
        many("  x@1.0.0:\n    resolution: {}\n\n")
    );
    let yarn = format!(
        "# yarn lockfile v1\n\n\n{}",
        many("x@1:\n  version \"1.0.0\"\n\n")
    );
    let bucket = many(&format!("\n{}\t{{\"key\":\"x\"}}", "0123456789".repeat(4)));
    let other = format!("{{\"packages\":[{}1]}}", many("1,"));
    write_all(
        &input,
        &[
            ("package-lock.json", npm.as_bytes()),
            ("pnpm-lock.yaml", pnpm.as_bytes()),
            ("yarn.lock", yarn.as_bytes()),
            ("_cacache/index-v5/00/00/x", bucket.as_bytes()),
            ("other.json", other.as_bytes()),
        ],
    );
    let org = profile(folder.path());
    let with_memory = |code, more: &[&OsStr]| {
        let given = [input.as_os_str(), OsStr::new("--memory"), OsStr::new("8M")];
        scan(code, given.iter().chain(more))
    };
    let records = with_memory(3, &[OsStr::new("--org"), org.as_os_str()]);
    let unread = |path| ("memory-limit", path);
    assert_eq!(
        records.problems(),
        [
            unread("in/_cacache/index-v5/00/00/x"),
            unread("in/package-lock.json"),
            unread("in/pnpm-lock.yaml"),
            unread("in/yarn.lock"),
        ]
    );
    // Without a profile nobody asked what they name, and with room for them they are read.
    assert_eq!(with_memory(0, &[]).problems(), []);
    let roomy = scan(0, [input.as_os_str(), OsStr::new("--org"), org.as_os_str()]);
    assert_eq!(
        roomy.at("reference", "in/package-lock.json")["target"],
        TARGET
    );
}
