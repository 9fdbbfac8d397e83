//! The report as those see it who cannot see, and as those check it who write HTML for a living.
//!
//! What checks the pages stands in `common/pages.rs`.

mod common;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::pages::{assert_clean, checkers};
use common::{incident, run, scratch};

/// The report of the incident in a view; the case it is of stays in the folder.
fn report(folder: &Path, view: &str) -> PathBuf {
    let case = folder.join("a.case");
    if !case.exists() {
        let mut arguments = vec![OsString::from("scan"), "--case".into(), case.clone().into()];
        let at = |name: &str| incident().join(name).into_os_string();
        arguments.extend([
            at("published"),
            at("copies"),
            "--org".into(),
            at("acme.toml"),
        ]);
        arguments.extend(["--signatures".into(), at("acme-cli-2.1.0.sigset")]);
        run(&arguments).expect(0);
    }
    let output = folder.join(view);
    let arguments: [OsString; 6] = [
        "report".into(),
        case.into(),
        "--output".into(),
        output.clone().into(),
        "--view".into(),
        view.into(),
    ];
    run(&arguments).expect(0);
    output
}

#[test]
fn each_view_is_clean_by_checkers_of_other_hands() {
    let Some(tools) = checkers() else { return };
    let folder = scratch();
    for view in ["internal", "counsel", "public"] {
        assert_clean(&tools, &report(folder.path(), view).join("index.html"));
    }
}

/// Nothing of the input is in the public view: no name of a package, a work, a folder or a file of the incident.
#[test]
fn the_public_view_of_the_incident_names_nothing() {
    let folder = scratch();
    let public = report(folder.path(), "public");
    let files: Vec<_> = std::fs::read_dir(&public)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for name in ["index.html", "report.json"] {
        let text = std::fs::read_to_string(public.join(name)).unwrap();
        for word in [
            "acme",
            "Acme",
            "verbatim/",
            "2.1.0",
            "Driftwood",
            "src/prompts",
            "cli.ts",
        ] {
            let at = text.find(word).map(|at| {
                text[at.saturating_sub(60)..]
                    .chars()
                    .take(120)
                    .collect::<String>()
            });
            assert!(at.is_none(), "{name} holds {word}: {at:?}");
        }
    }
    let twin = |folder: &Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(folder.join("report.json")).unwrap()).unwrap()
    };
    let (one, two) = (twin(&report(folder.path(), "internal")), twin(&public));
    for figure in [
        "/sources/places",
        "/exposures/total",
        "/size/all",
        "/inventory/distinct",
        "/coverage",
    ] {
        assert_eq!(one.pointer(figure), two.pointer(figure), "{figure}");
        assert!(one.pointer(figure).is_some(), "{figure}");
    }
}

#[test]
fn severity_by_hand_needs_an_axis_and_a_reason() {
    let folder = scratch();
    let first = report(folder.path(), "internal");
    let page = std::fs::read_to_string(first.join("index.html")).unwrap();
    assert!(!page.contains("set by hand"));
    let with = |output: &str, more: &[&str]| {
        let mut arguments: Vec<OsString> = vec![
            "report".into(),
            folder.path().join("a.case").into(),
            "--output".into(),
            folder.path().join(output).into(),
        ];
        arguments.extend(more.iter().map(OsString::from));
        run(&arguments)
    };
    with("x", &["--severity", "cvss=9"]).expect(2);
    with("x", &["--severity", "cvss=4", "--reason", "y"])
        .expect(2)
        .says("axes are");
    with(
        "set",
        &[
            "--severity",
            "spread=0",
            "--reason",
            "All of them are ours.",
        ],
    )
    .expect(0)
    .says("spread set to 0 by hand: All of them are ours.");
    let page = std::fs::read_to_string(folder.path().join("set/index.html")).unwrap();
    assert!(
        page.contains("0 (set by hand; by the rules") && page.contains("All of them are ours.")
    );
    assert!(page.contains("Set by hand by ") && page.contains("because: All of them are ours."));
    // Who did it, and when, is in the custody log too; a refused one and a report without it are not.
    let custody = || {
        let case = folder.path().join("a.case");
        run([OsString::from("case"), "custody".into(), case.into()]).expect(0)
    };
    let log = custody();
    let entries = log.text().matches("report --severity").count();
    assert_eq!(entries, 1, "{}", log.text());
    let log = log
        .prints("severity of a report (internal): spread set to 0 by hand: All of them are ours.");
    log.prints("the log holds together");
    with("plain", &[]).expect(0);
    assert_eq!(custody().text().matches("report --severity").count(), 1);
    // The public view says that and why, and not who.
    let by_hand = [
        "--severity",
        "spread=0",
        "--reason",
        "All of them are ours.",
    ];
    with("open", &[&by_hand[..], &["--view", "public"]].concat()).expect(0);
    let page = std::fs::read_to_string(folder.path().join("open/index.html")).unwrap();
    assert!(page.contains("Set by hand at ") && page.contains("because: All of them are ours."));
}
