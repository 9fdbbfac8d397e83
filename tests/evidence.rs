//! Sealed folders, held against programs of other hands: `sha256sum`, `bagit`, `ssh-keygen`, `openssl ts`, `securesystemslib`,
//! and the scripts that the folder's own instructions give. What they accept, `verify` accepts; and no byte of any file can
//! be changed without its saying so.

#[path = "evidence/authority.rs"]
mod authority;
mod common;
#[path = "evidence/odd.rs"]
mod odd;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use authority::Authority;
use common::{Ran, finish, incident_arguments, run, scratch, sign_incident, skipped, strandline};
use serde_json::Value;

/// Any day, so that clocks stand still.
const EPOCH: &str = "1775000000";

/// The incident, scanned once: its case and the contents that were kept.
struct Scanned {
    case: PathBuf,
    kept: PathBuf,
    _folder: tempfile::TempDir,
}

static SCANNED: LazyLock<Scanned> = LazyLock::new(|| {
    let folder = scratch();
    let set = sign_incident(folder.path());
    let (case, kept) = (folder.path().join("a.case"), folder.path().join("kept"));
    let mut arguments = incident_arguments(&set);
    arguments.insert(0, "scan".into());
    arguments.extend(["--case".into(), case.clone().into()]);
    arguments.extend(["--keep-matched".into(), kept.clone().into()]);
    run(arguments).expect(0);
    Scanned {
        case,
        kept,
        _folder: folder,
    }
});

/// A case of one's own: sealing adds to its log.
fn own_case(folder: &Path, name: &str) -> PathBuf {
    let case = folder.join(name);
    std::fs::copy(&SCANNED.case, &case).unwrap();
    case
}

fn seal<S: AsRef<OsStr>>(case: &Path, output: &Path, more: impl IntoIterator<Item = S>) -> Ran {
    let mut command = strandline([OsStr::new("seal"), case.as_os_str()]);
    command.arg("--output").arg(output).args(more);
    command.env("SOURCE_DATE_EPOCH", EPOCH);
    finish(&mut command)
}

fn verify<S: AsRef<OsStr>>(folder: &Path, more: impl IntoIterator<Item = S>) -> Ran {
    let mut command = strandline([OsStr::new("verify"), folder.as_os_str()]);
    finish(command.args(more))
}

/// A command of somebody else in a folder: whether it went well, and what it said.
fn others(folder: &Path, command: &[&str]) -> (bool, String) {
    let (program, arguments) = command.split_first().unwrap();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[track_caller]
fn accepts(folder: &Path, command: &[&str]) -> String {
    let (went_well, said) = others(folder, command);
    assert!(went_well, "{command:?}: {said}");
    said
}

/// All files below a folder, by path.
fn files(folder: &Path) -> Vec<String> {
    let walked = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter();
    let files = walked
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap();
            path.to_str().unwrap().to_owned()
        })
        .collect()
}

/// A new key, and the file of allowed signers that names it.
fn key(folder: &Path, kind: &[&str], passphrase: &str) -> (PathBuf, PathBuf) {
    let key = folder.join("key");
    let mut command = vec![
        "ssh-keygen",
        "-q",
        "-f",
        "key",
        "-N",
        passphrase,
        "-C",
        "test key",
        "-t",
    ];
    command.extend(kind);
    accepts(folder, &command);
    let public = std::fs::read_to_string(folder.join("key.pub")).unwrap();
    let signers = folder.join("signers");
    let row = format!("a@example.com namespaces=\"strandline-evidence\" {public}");
    std::fs::write(&signers, row).unwrap();
    (key, signers)
}

/// The scripts in the folder's own instructions.
fn scripts(folder: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(folder.join("HOW-TO-VERIFY.txt")).unwrap();
    let parts = text.split("\n--- ").skip(1);
    parts
        .map(|part| {
            let (name, rest) = part.split_once('\n').unwrap();
            let (script, _) = rest.split_once("\n---\n").unwrap();
            (name.to_owned(), script.to_owned())
        })
        .collect()
}

fn ssh_signature_holds(folder: &Path, signers: &Path) -> bool {
    let list = std::fs::File::open(folder.join("tagmanifest-sha256.txt")).unwrap();
    let output = Command::new("ssh-keygen")
        .args([
            "-Y",
            "verify",
            "-I",
            "a@example.com",
            "-n",
            "strandline-evidence",
            "-f",
        ])
        .arg(signers)
        .args(["-s", "tagmanifest-sha256.txt.sig"])
        .current_dir(folder)
        .stdin(list)
        .output()
        .unwrap();
    output.status.success()
}

/// Whether Python has what checks bags and envelopes here.
fn has_libraries() -> bool {
    let found = others(
        Path::new("."),
        &[
            "python3",
            "-c",
            "import bagit, cryptography, securesystemslib",
        ],
    );
    if !found.0 {
        skipped(
            "evidence by bagit and securesystemslib",
            "they are not installed",
            "STRANDLINE_REQUIRE_EVIDENCE",
        );
    }
    found.0
}

#[test]
fn programs_of_other_hands_accept_a_folder_signed_with_each_kind_of_key() {
    let kinds: [&[&str]; 4] = [
        &["ed25519"],
        &["ecdsa", "-b", "256"],
        &["ecdsa", "-b", "384"],
        &["rsa", "-b", "2048"],
    ];
    let has_libraries = has_libraries();
    for kind in kinds {
        let place = scratch();
        let (key, signers) = key(place.path(), kind, "");
        let out = place.path().join("sealed");
        let case = own_case(place.path(), "a.case");
        seal(&case, &out, [OsStr::new("--sign-key"), key.as_os_str()])
            .expect(0)
            .prints("of folder and statement");
        accepts(
            &out,
            &[
                "sha256sum",
                "--strict",
                "--quiet",
                "-c",
                "tagmanifest-sha256.txt",
                "manifest-sha256.txt",
            ],
        );
        assert!(ssh_signature_holds(&out, &signers), "{kind:?}");
        let by = [OsStr::new("--allowed-signers"), signers.as_os_str()];
        verify(&out, by)
            .expect(0)
            .prints("signed by a@example.com")
            .prints("signed by the same key")
            .prints("holds; without: time stamp");
        verify(&out, [""; 0])
            .expect(0)
            .prints("whose it is was not checked");
        let scripts = scripts(&out);
        assert_eq!(scripts.len(), 2);
        for (name, script) in &scripts {
            if name.contains("statement") && !has_libraries {
                continue;
            }
            std::fs::copy(place.path().join("key.pub"), out.join("signer.pub")).unwrap();
            let said = accepts(&out, &["python3", "-B", "-c", script]);
            assert!(
                !name.contains("statement") || said.contains("signed by SHA256:"),
                "{said}"
            );
            std::fs::remove_file(out.join("signer.pub")).unwrap();
        }
        if has_libraries {
            accepts(
                &out,
                &[
                    "python3",
                    "-B",
                    "-c",
                    "import bagit; bagit.Bag('.').validate()",
                ],
            );
        }
    }
}

#[test]
fn no_byte_of_any_file_can_be_changed() {
    let place = scratch();
    let (key, _) = key(place.path(), &["ed25519"], "");
    let earlier = place.path().join("earlier");
    let out = place.path().join("sealed");
    let case = own_case(place.path(), "a.case");
    seal(&case, &earlier, [""; 0]).expect(0);
    let more = [
        OsStr::new("--sign-key"),
        key.as_os_str(),
        OsStr::new("--previous"),
        earlier.as_os_str(),
        OsStr::new("--copy-matched"),
        SCANNED.kept.as_os_str(),
        OsStr::new("--include-work-product"),
    ];
    seal(&case, &out, more).expect(0);
    Authority::new(place.path(), &["rsa:2048"]).stamp(&out);
    verify(&out, [""; 0]).expect(0).prints("\nholds\n");
    let all = files(&out);
    for path in [
        "data/consistency.json",
        "tagmanifest-sha256.txt.sig",
        "tagmanifest-sha256.txt.tsr",
    ] {
        assert!(all.contains(&path.to_owned()), "{path}");
    }
    // Of the contents that were copied, a few are enough.
    let (copies, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|path| path.contains("/files/"));
    assert!(copies.len() > 20, "{}", copies.len());
    for path in others.iter().chain(copies.iter().take(3)) {
        let whole = std::fs::read(out.join(path)).unwrap();
        if whole.is_empty() {
            continue;
        }
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(out.join(path), changed).unwrap();
            let ran = verify(&out, ["--quiet"]);
            assert_eq!(ran.status, Some(1), "byte {at} of {path}: {ran}");
        }
        std::fs::write(out.join(path), &whole[..whole.len() - 1]).unwrap();
        verify(&out, ["--quiet"]).expect(1);
        std::fs::write(out.join(path), &whole).unwrap();
    }
    verify(&out, ["--quiet"]).expect(0);
}

#[test]
fn the_same_case_gives_the_same_bytes() {
    let place = scratch();
    let (key, _) = key(place.path(), &["ed25519"], "");
    let sealed: Vec<PathBuf> = ["one", "two"]
        .iter()
        .map(|name| {
            let case = own_case(place.path(), &format!("{name}.case"));
            let out = place.path().join(name);
            let jobs = if *name == "one" { "1" } else { "4" };
            let more = [
                OsStr::new("--sign-key"),
                key.as_os_str(),
                OsStr::new("--jobs"),
                OsStr::new(jobs),
            ];
            seal(&case, &out, more).expect(0);
            out
        })
        .collect();
    assert_eq!(files(&sealed[0]), files(&sealed[1]));
    for path in files(&sealed[0]) {
        let [one, two] =
            [0, 1].map(|index: usize| std::fs::read(sealed[index].join(&path)).unwrap());
        assert!(one == two, "{path} differs");
    }
    // Without it, time is told in the log, and nowhere else but in what follows from it.
    let info = std::fs::read_to_string(sealed[0].join("bag-info.txt")).unwrap();
    assert!(info.contains("Bagging-Date: 2026-03-31\n"), "{info}");
    let out = place.path().join("now");
    let case = own_case(place.path(), "now.case");
    let mut command = strandline([OsStr::new("seal"), case.as_os_str()]);
    command
        .arg("--output")
        .arg(&out)
        .env_remove("SOURCE_DATE_EPOCH");
    finish(&mut command).expect(0);
    let info = std::fs::read_to_string(out.join("bag-info.txt")).unwrap();
    assert!(!info.contains("Bagging-Date"), "{info}");
    let report = |folder: &Path| std::fs::read(folder.join("data/report/index.html")).unwrap();
    assert!(report(&out) == report(&sealed[0]));
}

#[test]
fn a_time_stamp_is_taken_in_and_holds_for_openssl_too() {
    let ec = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    for key in [&["rsa:2048"][..], &ec] {
        let place = scratch();
        let authority = Authority::new(place.path(), key);
        let sealed: Vec<PathBuf> = ["counsel", "internal"]
            .iter()
            .map(|view| {
                let out = place.path().join(view);
                let case = own_case(place.path(), &format!("{view}.case"));
                seal(&case, &out, ["--view", view]).expect(0);
                out
            })
            .collect();
        let (out, other) = (&sealed[0], &sealed[1]);
        let root = authority.certificate("root.pem");
        let trusting = [OsStr::new("--tsa-ca"), root.as_os_str()];
        verify(out, trusting)
            .expect(1)
            .prints("FAILED       time stamp");
        authority.stamp(out);
        verify(out, [""; 0])
            .expect(0)
            .prints("number 02")
            .prints("CN=stamper");
        verify(out, trusting)
            .expect(0)
            .prints("leads up to one that you trust");
        let stranger = authority.certificate("other.pem");
        verify(out, [OsStr::new("--tsa-ca"), stranger.as_os_str()])
            .expect(1)
            .prints("does not lead up to any that you trust");
        let root = root.to_str().unwrap();
        for about in [
            ["-queryfile", "tagmanifest-sha256.txt.tsq"],
            ["-data", "tagmanifest-sha256.txt"],
        ] {
            accepts(
                out,
                &[
                    "openssl",
                    "ts",
                    "-verify",
                    about[0],
                    about[1],
                    "-in",
                    "tagmanifest-sha256.txt.tsr",
                    "-CAfile",
                    root,
                ],
            );
        }
        // The reply for one folder is none for another, and nothing is put in.
        let reply = out.join("tagmanifest-sha256.txt.tsr");
        verify(other, [OsStr::new("--import-tsr"), reply.as_os_str()])
            .expect(1)
            .prints("it is about other bytes than these")
            .says("was not taken in");
        assert!(!other.join("tagmanifest-sha256.txt.tsr").exists());
        // Nothing is overwritten.
        verify(out, [OsStr::new("--import-tsr"), reply.as_os_str()]).expect(2);
    }
}

#[test]
fn a_folder_holds_no_content_and_no_opinion_unless_asked() {
    let place = scratch();
    let case = own_case(place.path(), "a.case");
    let note = "what we think of it";
    let db = rusqlite::Connection::open(&case).unwrap();
    let review = format!(
        r#"{{"subject":"c0","locator":"x","seen":"","decision":"confirmed","reviewer":"R","time":"2026-04-01T00:00:00Z","bulk":null,"fair_use_considered":null,"note":"{note}"}}"#
    );
    db.execute(
        "INSERT INTO review (subject, json) VALUES ('c0', ?1)",
        [&review],
    )
    .unwrap();
    drop(db);
    let out = place.path().join("plain");
    seal(&case, &out, [""; 0])
        .expect(0)
        .prints("none of their contents copied");
    let source = std::fs::read_to_string(common::incident().join("acme-cli/src/cli.ts"))
        .unwrap_or_else(|_| panic!("the incident has a cli.ts"));
    let line = source.lines().max_by_key(|line| line.len()).unwrap();
    let holds = |folder: &Path, text: &str| {
        files(folder).into_iter().find(|path| {
            let bytes = std::fs::read(folder.join(path)).unwrap();
            memchr::memmem::find(&bytes, text.as_bytes()).is_some()
        })
    };
    assert_eq!(holds(&out, line), None);
    assert_eq!(holds(&out, note), None);
    // A folder that keeps none of them gives no copies, and no empty folder for them.
    let none = place.path().join("none");
    std::fs::create_dir(&none).unwrap();
    let bare = place.path().join("bare");
    seal(
        &case,
        &bare,
        [OsStr::new("--copy-matched"), none.as_os_str()],
    )
    .expect(0);
    assert!(!bare.join("data/exhibits/files").exists());
    verify(&bare, [""; 0]).expect(0);
    let all = place.path().join("all");
    let more = [
        OsStr::new("--include-work-product"),
        OsStr::new("--copy-matched"),
        SCANNED.kept.as_os_str(),
    ];
    seal(&case, &all, more).expect(0);
    assert_eq!(
        holds(&all, note).as_deref(),
        Some("data/work-product/reviews.jsonl")
    );
    verify(&all, [""; 0]).expect(0);
    // Each copy is what its name says, and the list names it.
    let list = std::fs::read_to_string(all.join("data/exhibits/exhibits.csv")).unwrap();
    let copies: Vec<String> = files(&all)
        .into_iter()
        .filter(|path| path.contains("/files/"))
        .collect();
    assert!(!copies.is_empty());
    for path in copies {
        let name = path.rsplit('/').next().unwrap();
        assert!(list.contains(&format!(",{name},")), "{name}");
        assert!(accepts(&all, &["sha256sum", &path]).starts_with(name));
    }
}

#[test]
fn what_is_claimed_is_what_the_records_say() {
    let place = scratch();
    let case = own_case(place.path(), "a.case");
    let out = place.path().join("sealed");
    seal(&case, &out, [""; 0]).expect(0).prints("unsigned");
    verify(&out, [""; 0])
        .expect(0)
        .prints("holds; without: signature, signed statement, time stamp");
    let exported = run([OsStr::new("case"), OsStr::new("export"), case.as_os_str()])
        .expect(0)
        .stdout;
    assert!(std::fs::read(out.join("data/records.jsonl")).unwrap() == exported);
    let script = "import base64, json; print(base64.b64decode(json.load(open('data/attestation.dsse.json'))['payload']).decode())";
    let statement: Value =
        serde_json::from_str(&accepts(&out, &["python3", "-c", script])).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    let subjects = statement["subject"].as_array().unwrap();
    let is_file = |subject: &&Value| subject["name"].as_str().unwrap().starts_with("data/");
    assert_eq!(
        subjects.iter().filter(is_file).count() + 1,
        files(&out.join("data")).len()
    );
    let certificate = std::fs::read_to_string(out.join("data/certificate-902-14.txt")).unwrap();
    assert!(certificate.starts_with("DRAFT - NOT SIGNED\n"));
    for path in [
        "data/records.jsonl",
        "data/exhibits/exhibits.csv",
        "data/custody.jsonl",
    ] {
        let digest = accepts(&out, &["sha256sum", path]);
        assert!(certificate.contains(&digest[..64]), "{path}: {certificate}");
    }
    let custody = std::fs::read_to_string(out.join("data/custody.jsonl")).unwrap();
    let entry: Value = serde_json::from_str(custody.lines().next().unwrap()).unwrap();
    assert_eq!(
        entry["command"],
        "seal --view counsel (time by SOURCE_DATE_EPOCH)"
    );
    assert_eq!(entry["time"], "2026-03-31T23:33:20.000Z");
}
