//! Keys that cannot be used, folders that were altered or made to break a reader, cases that cannot be relied on; and logs that
//! go on.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use super::common::{self, finish, python, run, scratch, strandline};
use super::{accepts, key, own_case, scripts, seal, ssh_signature_holds, verify};

#[test]
fn a_log_that_goes_on_is_proven() {
    let place = scratch();
    let case = own_case(place.path(), "a.case");
    let at = |name: &str| place.path().join(name);
    seal(&case, &at("one"), [""; 0]).expect(0);
    for _ in 0..3 {
        let more = place.path().join(format!(
            "more-{}",
            std::fs::read_dir(place.path()).unwrap().count()
        ));
        seal(&case, &more, [""; 0]).expect(0);
    }
    let one = at("one");
    let previous = [OsStr::new("--previous"), one.as_os_str()];
    seal(&case, &at("two"), previous).expect(0);
    verify(&at("two"), [""; 0])
        .expect(0)
        .prints("goes on from 1 entry of");
    verify(&at("two"), previous)
        .expect(0)
        .prints("the one that was named");
    accepts(
        &at("two"),
        &["python3", "-B", "-c", &scripts(&at("two"))[0].1],
    );
    // Another case has another log.
    let other = own_case(place.path(), "b.case");
    let mut command = strandline([
        OsStr::new("seal"),
        other.as_os_str(),
        "--output".as_ref(),
        at("other").as_os_str(),
    ]);
    finish(command.env("SOURCE_DATE_EPOCH", "1")).expect(0);
    let two = at("two");
    seal(
        &other,
        &at("no"),
        [OsStr::new("--previous"), two.as_os_str()],
    )
    .expect(2)
    .says("does not go on");
    assert!(!at("no").exists());
    verify(&at("other"), [OsStr::new("--previous"), one.as_os_str()])
        .expect(1)
        .prints("does not go on");
}

#[test]
fn a_key_in_an_agent_signs_behind_the_wall() {
    let place = scratch();
    let (_, signers) = key(place.path(), &["ed25519"], "");
    // Paths of sockets are short.
    let socket = tempfile::tempdir().unwrap();
    let path = socket.path().join("agent");
    let mut agent = Command::new("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("ssh-agent is installed with ssh-keygen");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !path.exists() && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let added = Command::new("ssh-add")
        .arg(place.path().join("key"))
        .env("SSH_AUTH_SOCK", &path)
        .output()
        .unwrap();
    let case = own_case(place.path(), "a.case");
    let asked = |which: &str, out: &str| {
        let mut command = strandline([OsStr::new("seal"), case.as_os_str()]);
        command
            .arg("--output")
            .arg(place.path().join(out))
            .args(["--sign-agent", which]);
        finish(command.env("SSH_AUTH_SOCK", &path))
    };
    let (right, wrong) = (asked("test key", "sealed"), asked("another", "none"));
    let _ = agent.kill();
    let _ = agent.wait();
    assert!(added.status.success(), "{added:?}");
    right.expect(0).prints("of folder and statement");
    wrong.expect(2).says("test key");
    let out = place.path().join("sealed");
    assert!(ssh_signature_holds(&out, &signers));
    verify(&out, [OsStr::new("--allowed-signers"), signers.as_os_str()]).expect(0);
    let mut command = strandline([
        OsStr::new("seal"),
        case.as_os_str(),
        "--sign-agent".as_ref(),
        "x".as_ref(),
    ]);
    command
        .arg("--output")
        .arg(place.path().join("no"))
        .env_remove("SSH_AUTH_SOCK");
    finish(&mut command)
        .expect(2)
        .says("SSH_AUTH_SOCK is not set");
}

#[test]
fn a_key_that_cannot_be_used_seals_nothing() {
    let place = scratch();
    let case = own_case(place.path(), "a.case");
    let (key, _) = key(place.path(), &["ed25519"], "a passphrase");
    let out = place.path().join("sealed");
    // Without a terminal nobody can be asked.
    let mut command = Command::new("setsid");
    command
        .arg(common::PROGRAM)
        .arg("seal")
        .arg(&case)
        .arg("--output")
        .arg(&out);
    command
        .arg("--sign-key")
        .arg(&key)
        .stdin(std::process::Stdio::null());
    finish(&mut command).expect(2).says("no terminal");
    for missing in ["none", "signers.none"] {
        let path = place.path().join(missing);
        seal(&case, &out, [OsStr::new("--sign-key"), path.as_os_str()])
            .expect(2)
            .says(missing);
    }
    let public = place.path().join("key.pub");
    seal(&case, &out, [OsStr::new("--sign-key"), public.as_os_str()])
        .expect(2)
        .says("no private key");
    assert!(!out.exists());
    run([OsStr::new("case"), OsStr::new("custody"), case.as_os_str()])
        .expect(0)
        .prints("nothing was shown");
}

#[test]
fn an_unsigned_folder_can_be_signed_later_by_ssh_itself() {
    let place = scratch();
    let (key, signers) = key(place.path(), &["ed25519"], "");
    let out = place.path().join("sealed");
    seal(&own_case(place.path(), "a.case"), &out, [""; 0]).expect(0);
    let by = [OsStr::new("--allowed-signers"), signers.as_os_str()];
    verify(&out, by).expect(1).prints("unsigned");
    accepts(
        &out,
        &[
            "ssh-keygen",
            "-Y",
            "sign",
            "-n",
            "strandline-evidence",
            "-f",
            key.to_str().unwrap(),
            "tagmanifest-sha256.txt",
        ],
    );
    verify(&out, by).expect(0).prints("signed by a@example.com");
    // By somebody who is not on the list.
    let stranger = tempfile::tempdir().unwrap();
    let (key, _) = super::key(stranger.path(), &["ed25519"], "");
    std::fs::remove_file(out.join("tagmanifest-sha256.txt.sig")).unwrap();
    accepts(
        &out,
        &[
            "ssh-keygen",
            "-Y",
            "sign",
            "-n",
            "strandline-evidence",
            "-f",
            key.to_str().unwrap(),
            "tagmanifest-sha256.txt",
        ],
    );
    verify(&out, by)
        .expect(1)
        .prints("not among the allowed signers");
    verify(&out, [""; 0]).expect(0);
}

#[test]
fn folders_made_to_break_a_reader_are_refused() {
    let place = scratch();
    let sealed = place.path().join("sealed");
    seal(&own_case(place.path(), "a.case"), &sealed, [""; 0]).expect(0);
    let copy = |name: &str| {
        let to = place.path().join(name);
        accepts(place.path(), &["cp", "-r", "sealed", to.to_str().unwrap()]);
        to
    };
    let list = std::fs::read_to_string(sealed.join("manifest-sha256.txt")).unwrap();
    let rewrite = |name: &str, text: &[u8]| {
        let folder = copy(name);
        std::fs::write(folder.join("manifest-sha256.txt"), text).unwrap();
        folder
    };
    let first = list.lines().next().unwrap().to_owned() + "\n";
    let outside = format!("{list}{}  data/../../secret\n", &first[..64]);
    let many = format!("{}  data/x\n", &first[..64]).repeat(1_000_001);
    for (name, text, words) in [
        ("twice", first.clone() + &list, "out of order"),
        ("outside", outside, "leads elsewhere"),
        (
            "bom",
            format!("\u{feff}{list}"),
            "line 1 is not what this program writes",
        ),
        ("many", many, "out of order"),
        ("empty", String::new(), "is not in manifest-sha256.txt"),
    ] {
        verify(&rewrite(name, text.as_bytes()), [""; 0])
            .expect(1)
            .prints(words);
    }
    let folder = copy("more");
    std::fs::write(folder.join("data/more.txt"), "x").unwrap();
    verify(&folder, [""; 0])
        .expect(1)
        .prints("data/more.txt is there and in no list");
    let folder = copy("hollow");
    std::fs::create_dir(folder.join("data/exhibits/more")).unwrap();
    verify(&folder, [""; 0])
        .expect(1)
        .prints("data/exhibits/more is an empty folder");
    // What no list can name may go without a trace in the lists; that is said.
    verify(&sealed, [""; 0])
        .expect(0)
        .prints("in no list: tagmanifest-sha256.txt.tsq; not there: tagmanifest-sha256.txt.sig, tagmanifest-sha256.txt.tsr.")
        .prints("is not proven by the manifest");
    let folder = copy("unasked");
    std::fs::remove_file(folder.join("tagmanifest-sha256.txt.tsq")).unwrap();
    verify(&folder, [""; 0])
        .expect(0)
        .prints("the query was there when the folder was sealed and was taken away")
        .prints("holds; without: outside the lists");
    let folder = copy("less");
    std::fs::remove_file(folder.join("data/report/index.html")).unwrap();
    verify(&folder, [""; 0])
        .expect(1)
        .prints("is listed and missing");
    let folder = copy("link");
    std::fs::rename(folder.join("data/checkpoint"), folder.join("moved")).unwrap();
    std::os::unix::fs::symlink("../moved", folder.join("data/checkpoint")).unwrap();
    verify(&folder, [""; 0]).expect(1).prints("was not opened");
    let folder = copy("pipe");
    std::fs::remove_file(folder.join("data/custody.jsonl")).unwrap();
    accepts(&folder, &["mkfifo", "data/custody.jsonl"]);
    verify(&folder, [""; 0]).expect(1).prints("was not opened");
    let folder = copy("huge");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(folder.join("data/checkpoint"))
        .unwrap();
    file.set_len(1 << 24).unwrap();
    verify(&folder, ["--quiet"])
        .expect(1)
        .prints("which none of ours has");
    let empty = place.path().join("nothing");
    std::fs::create_dir(&empty).unwrap();
    verify(&empty, [""; 0]).expect(2).says("no evidence folder");
    verify(&place.path().join("missing"), [""; 0])
        .expect(2)
        .says("cannot read");
}

#[test]
fn a_case_that_cannot_be_relied_on_is_not_sealed() {
    let place = scratch();
    let case = own_case(place.path(), "a.case");
    let out = place.path().join("one");
    seal(&case, &out, [""; 0]).expect(0);
    let mut command = strandline([
        OsStr::new("seal"),
        case.as_os_str(),
        "--output".as_ref(),
        place.path().join("soon").as_os_str(),
    ]);
    finish(command.env("SOURCE_DATE_EPOCH", "soon"))
        .expect(2)
        .says("SOURCE_DATE_EPOCH");
    // Nothing is overwritten.
    seal(&case, &out, [""; 0]).expect(2).says("not empty");
    let db = rusqlite::Connection::open(&case).unwrap();
    db.execute(
        "UPDATE custody SET entry = replace(entry, 'counsel', 'public')",
        [],
    )
    .unwrap();
    drop(db);
    let other = place.path().join("two");
    seal(&case, &other, [""; 0])
        .expect(2)
        .says("does not hold together");
    assert!(!other.exists());
}

#[test]
fn a_proof_by_another_implementation_is_the_same() {
    // RFC 9162, section 2.1.4.1, word by word, as recursion.
    let script = r#"
import base64, hashlib, json, sys
def h(x): return hashlib.sha256(x).digest()
def k(n):
    p = 1
    while p * 2 < n: p *= 2
    return p
def mth(d):
    return h(b"\x00" + d[0]) if len(d) == 1 else h(b"\x01" + mth(d[:k(len(d))]) + mth(d[k(len(d)):]))
def subproof(m, d, b):
    n = len(d)
    if m == n: return [] if b else [mth(d)]
    s = k(n)
    if m <= s: return subproof(m, d[:s], b) + [mth(d[s:])]
    return subproof(m - s, d[s:], False) + [mth(d[:s])]
d = open(sys.argv[1] + "/data/custody.jsonl", "rb").read().split(b"\n")[:-1]
c = json.load(open(sys.argv[1] + "/data/consistency.json"))
want = [base64.b64encode(x).decode() for x in subproof(c["previous"]["size"], d, True)]
assert c["proof"] == want, (c["proof"], want)
print("same", len(want))
"#;
    let place = scratch();
    let case = own_case(place.path(), "a.case");
    let mut earlier: Vec<PathBuf> = Vec::new();
    for count in 0..6 {
        let out = place.path().join(format!("s{count}"));
        let previous = earlier
            .get(count / 2)
            .map(|path| ["--previous".as_ref(), path.as_os_str()]);
        seal(&case, &out, previous.into_iter().flatten()).expect(0);
        if out.join("data/consistency.json").exists() {
            let said = python([OsStr::new("-c"), script.as_ref(), out.as_os_str()]);
            assert!(said.starts_with(b"same"));
            verify(&out, ["--quiet"]).expect(0);
        }
        earlier.push(out);
    }
}
