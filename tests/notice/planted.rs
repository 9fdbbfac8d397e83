//! Nothing that is secret, and nothing that people thought, leaves the case by a notice, a brief or a sealed folder unless it is
//! asked for. Secrets are made when the test runs.

use std::ffi::OsString;
use std::path::Path;

use strandline::exposure::secrets::examples::expand;

use super::Incident;
use super::common::{finish, run, strandline, write_all};

/// Bytes of a secret that nobody may see together.
const PIECE: usize = 10;
const REASON: &str = "because-of-the-quiet-heron";
const NOTE: &str = "between-us-the-slow-otter";

/// Files below a folder that hold a text.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let walked = walkdir::WalkDir::new(folder).into_iter();
    let files = walked
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    let holds = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        memchr::memmem::find(&bytes, text.as_bytes()).is_some()
    };
    files
        .filter(|entry| holds(entry.path()))
        .map(|entry| entry.path().display().to_string())
        .collect()
}

/// An incident of which one copy has secrets in it, beside the work.
fn planted() -> (Incident, Vec<String>) {
    let made = |template: &str, purpose: &str| {
        String::from_utf8(expand(template, purpose).unwrap()).unwrap()
    };
    let token = made("<<crc62 ghp_>>", "notices 1");
    let key = made("<<make pkcs8-ed25519>>", "notices 2");
    let incident = Incident::prepared();
    let settings = format!("export const auth = {{ token: \"{token}\" }};\n");
    write_all(
        &incident.path("copies/plain"),
        &[("src/settings.js", settings), ("src/key.pem", key.clone())],
    );
    incident.scan(true);
    let body = key.lines().filter(|line| !line.starts_with("-----"));
    let mut secrets: Vec<String> = body.map(str::to_owned).collect();
    secrets.push(token.trim_start_matches("ghp_").to_owned());
    (incident, secrets)
}

fn sealed(incident: &Incident, to: &str, more: &[&str]) {
    let case = incident.path("a.case");
    let mut words: Vec<OsString> = vec!["seal".into(), case.into(), "--output".into()];
    words.push(incident.path(to).into());
    words.extend(more.iter().map(OsString::from));
    run(&words).expect(0);
    run([OsString::from("verify"), incident.path(to).into()]).expect(0);
}

#[test]
fn secrets_are_in_no_file_that_is_written() {
    let (incident, secrets) = planted();
    incident.confirm_all();
    incident.draft("code-a", "notices", &["--docx"]).expect(0);
    let channel = incident.read("notices/secrets.txt");
    assert!(
        channel.contains("u1/plain") && channel.contains("settings.js"),
        "{channel}"
    );
    let case = incident.path("a.case");
    let mut report: Vec<OsString> = vec!["report".into(), case.into(), "--output".into()];
    report.push(incident.path("report").into());
    report.extend(["--brief", "counsel,executive"].map(OsString::from));
    run(&report).expect(0);
    let all = [
        "--view",
        "internal",
        "--include-work-product",
        "--export",
        "case-uco,sarif,stix,cyclonedx",
    ];
    sealed(&incident, "sealed", &all);
    for folder in ["notices", "report", "sealed"] {
        assert!(incident.path(folder).is_dir());
        for secret in &secrets {
            for piece in secret.as_bytes().windows(PIECE.min(secret.len())) {
                let piece = std::str::from_utf8(piece).unwrap();
                assert_eq!(holding(&incident.path(folder), piece), [""; 0], "{piece}");
            }
        }
    }
    // The values are there to be found: the inputs have them.
    assert!(
        secrets
            .iter()
            .all(|one| !holding(&incident.path("copies"), one).is_empty())
    );
}

#[test]
fn what_people_thought_is_withheld_and_the_log_still_holds() {
    let incident = Incident::made(false);
    incident.confirm_all();
    let case = incident.path("a.case");
    let words = |list: &[&str]| -> Vec<OsString> {
        let mut words: Vec<OsString> = list.iter().map(OsString::from).collect();
        words.insert(2.min(words.len()), case.clone().into());
        words
    };
    // A reason why a notice was drafted in spite of something, a note, and a severity set by hand.
    incident
        .draft("code-a", "notices", &["--override", REASON])
        .expect(0);
    run(words(&[
        "case",
        "review",
        "--open",
        "--all-of",
        "partial",
        "--by",
        "R. Reader",
        "--note",
        NOTE,
    ]))
    .expect(0);
    let mut report: Vec<OsString> = vec!["report".into(), case.clone().into(), "--output".into()];
    report.push(incident.path("report").into());
    report.extend(["--severity", "ip=1", "--reason", REASON].map(OsString::from));
    run(&report).expect(0);
    sealed(&incident, "plain", &[]);
    for secret in [REASON, NOTE, "R. Reader", "Brief for"] {
        assert_eq!(
            holding(&incident.path("plain"), secret),
            [""; 0],
            "{secret}"
        );
    }
    let log = incident.read("plain/data/custody.jsonl");
    let withheld = log
        .lines()
        .filter(|line| line.contains("\"withheld\":\"work product\""));
    assert!(withheld.count() >= 3, "{log}");
    // What is withheld is bound all the same: another digest in its place is found out.
    let first = log.lines().next().unwrap();
    let row: serde_json::Value = serde_json::from_str(first).unwrap();
    let digest = row["sha256"].as_str().unwrap();
    let forged = log.replacen(digest, &"0".repeat(64), 1);
    std::fs::write(incident.path("plain/data/custody.jsonl"), forged).unwrap();
    let verify = [OsString::from("verify"), incident.path("plain").into()];
    run(verify).expect(1).prints("custody");
    // With work product all of it is there, both briefs too.
    sealed(&incident, "whole", &["--include-work-product"]);
    for (secret, file) in [
        (REASON, "data/work-product/notices.jsonl"),
        (REASON, "data/custody.jsonl"),
        (NOTE, "data/work-product/reviews.jsonl"),
        ("Brief for counsel", "data/work-product/brief-counsel.html"),
        (
            "Brief for executives",
            "data/work-product/brief-executive.html",
        ),
    ] {
        let found = holding(&incident.path("whole"), secret);
        assert!(
            found.iter().any(|path| path.ends_with(file)),
            "{file}: {found:?}"
        );
    }
    // The same case, day and log give the same bytes.
    let twin = |name: &str| {
        let copy = incident.path(&format!("{name}.case"));
        std::fs::copy(&case, &copy).unwrap();
        let to = incident.path(name);
        let mut command = strandline([
            "seal".as_ref(),
            copy.as_os_str(),
            "--output".as_ref(),
            to.as_os_str(),
        ]);
        command
            .arg("--include-work-product")
            .env("SOURCE_DATE_EPOCH", "1775000000");
        finish(&mut command).expect(0);
        super::common::tree(&to)
    };
    assert_eq!(twin("one"), twin("two"));
}
