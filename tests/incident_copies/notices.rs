//! From a scanned incident to what is sent: review, notices to its hosts, the linter, both briefs, a sealed folder.
//!
//! What is true of each place is in the labels of the generator; all else is read from what the program wrote, as whoever gets
//! it does.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::common::{Ran, run, scratch, text};
use super::{Examined, Label};

/// The two hosts with the most copies, each like one that the program's data knows.
const HOSTS: [(&str, &str); 2] = [("code-a", "github"), ("git-b", "gitlab")];
/// Who complains, so that no blank is left but those of the person who signs.
const CONTACTS: &str = "holder = \"Acme Broadcast\"\nname = \"R. Reader\"\nemail = \"legal@acme.example\"\nphone = \"+1 555 0100\"\naddress = \"1 Quay, Tidewater\"\nauthority = \"The owner, by its counsel.\"\ndescription = \"A video player and its server. It was not published.\"\nwork_url = \"It is not available online.\"\nregistration = \"none\"\nlicence = \"It is not under an open source licence.\"\nother_party = \"Not known.\"\norganisation = \"Acme Broadcast\"\ntitle = \"Counsel\"\n";

/// The case of one's own, and what was made of it.
struct Sent<'a> {
    examined: &'a Examined,
    folder: tempfile::TempDir,
}

impl Sent<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }

    fn run(&self, words: &[&str]) -> Ran {
        let folder = self.folder.path().to_str().expect("a name");
        let made = self.examined.made.to_str().expect("a name");
        let words = words.iter();
        run(words.map(|word| OsString::from(word.replace("{}", folder).replace("{made}", made))))
    }

    /// Rows of `case review --export`, by locator.
    fn rows(&self, name: &str) -> BTreeMap<String, BTreeMap<String, String>> {
        let export = format!("{{}}/{name}.csv");
        self.run(&["case", "review", "{}/a.case", "--export", &export])
            .expect(0);
        let mut rows = csv::Reader::from_path(self.path(&format!("{name}.csv"))).expect("a table");
        let head = rows.headers().expect("a head").clone();
        rows.records()
            .map(|row| {
                let row = row.expect("a row");
                let row: BTreeMap<String, String> = (head.iter().zip(row.iter()))
                    .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                    .collect();
                (row["location"].clone(), row)
            })
            .collect()
    }

    fn confirm(&self, ids: &[&str]) {
        let mut words = vec!["case", "review", "{}/a.case", "--by", "R. Reader"];
        words.extend(["--fair-use-considered", "yes", "--confirm"]);
        words.extend(ids);
        self.run(&words).expect(0);
    }
}

/// Confirms what is proposed in bulk, and of what a person is to look at the copies, since that is what a person would see.
/// Gives the locators of what was confirmed.
fn review(sent: &Sent, labels: &[Label]) -> BTreeSet<String> {
    let rows = sent.rows("before");
    let of = |word: &str| -> Vec<(&String, &str)> {
        let rows = rows
            .iter()
            .filter(|(_, row)| row["proposal"].starts_with(word));
        rows.map(|(locator, row)| (locator, row["id"].as_str()))
            .collect()
    };
    let is_copy = |locator: &str| {
        let label = labels.iter().find(|label| label.locator() == locator);
        label.is_some_and(Label::is_copy)
    };
    let proposed = of("confirm");
    // What is proposed needs no second look: none of it is anything else.
    for (locator, _) in &proposed {
        assert!(is_copy(locator), "{locator} was proposed");
    }
    assert!(proposed.len() >= 30, "{} proposed", proposed.len());
    let ids: Vec<&str> = proposed.iter().map(|(_, id)| *id).collect();
    sent.confirm(&ids);
    let looked: Vec<_> = (of("look").into_iter())
        .filter(|(locator, _)| is_copy(locator))
        .collect();
    let ids: Vec<&str> = looked.iter().map(|(_, id)| *id).collect();
    sent.confirm(&ids);
    let confirmed = proposed.iter().chain(&looked);
    confirmed.map(|(locator, _)| (*locator).clone()).collect()
}

/// Drafts to one host, holds each draft against the linter, and gives the texts.
fn drafted(sent: &Sent, host: &str) -> Vec<String> {
    let to = format!("{{}}/to-{host}");
    sent.run(&[
        "notice",
        "{}/a.case",
        "--host",
        host,
        "--hosts",
        "{}/hosts.toml",
        "--contacts",
        "{}/contacts.toml",
        "--output",
        &to,
    ])
    .expect(0);
    let mut texts = Vec::new();
    for number in 1.. {
        let folder = format!("to-{host}/notice-{number}");
        if !sent.path(&folder).is_dir() {
            break;
        }
        let draft = format!("{{}}/{folder}");
        sent.run(&[
            "notice",
            "lint",
            &draft,
            "--case",
            "{}/a.case",
            "--org",
            "{made}/org.toml",
        ])
        .expect(0);
        texts.push(sent.read(&format!("{folder}/notice.txt")));
    }
    texts
}

/// Addresses of places that a notice lists: those that stand behind a number, at the beginning of a line.
fn listed(text: &str) -> Vec<&str> {
    let numbered = text.lines().filter_map(|line| {
        let (number, rest) = line.split_once(". ")?;
        let is_place =
            number.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with("https://");
        is_place.then_some(rest)
    });
    numbered.collect()
}

/// The elements of the statute, each by words that only it has.
fn check_elements(text: &str) {
    let elements: [(&str, &[&str]); 6] = [
        ("i", &["Signature"]),
        (
            "ii",
            &[
                "Work: tide-original, release 4.2.0.",
                "of its files are nowhere public",
                "A video player and its server.",
            ],
        ),
        (
            "iii",
            &["   - ", "matches ", "Review: reviewed by R. Reader on "],
        ),
        (
            "iv",
            &["legal@acme.example", "+1 555 0100", "1 Quay, Tidewater"],
        ),
        ("v", &["good faith"]),
        ("vi", &["penalty of perjury"]),
    ];
    for (element, words) in elements {
        for words in words {
            assert!(text.contains(words), "({element}): {words}\n{text}");
        }
    }
    // Each file has an address at its commit, or a digest.
    for file in text.lines().filter(|line| line.starts_with("   - ")) {
        let is_pinned =
            file.contains("/blob/") || file.contains("SHA-256 ") || file.contains(" in commit ");
        assert!(is_pinned, "{file}");
    }
    assert!(text.contains("[ ] ") && !text.contains("[x]") && !text.contains("[X]"));
}

/// Every figure of a brief that the report has too.
fn check_briefs(sent: &Sent, folder: &str, report: &str) {
    let twin: Value =
        serde_json::from_str(&sent.read(&format!("{report}/report.json"))).expect("figures");
    let page = |who: &str| sent.read(&format!("{folder}/brief-{who}.html"));
    let (counsel, executive) = (page("counsel"), page("executive"));
    let copies = &twin["copies"];
    let number = |value: &Value| value.as_u64().expect("a number");
    let all = number(&copies["copies"]["total"]);
    let (examined, hosts) = (
        number(&copies["examined_total"]),
        number(&copies["located"]["hosts_total"]),
    );
    let suspects = number(&copies["suspects"]["total"]);
    let (tampered, high) = (
        number(&copies["tampering"]["copies"]),
        number(&copies["tampering"]["copies_high"]),
    );
    let rows = sent.rows(&format!("of-{}", folder.replace('/', "-")));
    let confirmed = rows
        .values()
        .filter(|row| row["decision"] == "confirmed")
        .count();
    for words in [
        format!(
            "{all} copies in {examined} places that were examined, at {hosts} hosts; {suspects} more show weaker signs only."
        ),
        format!("{tampered} copies were changed in ways that look like tampering"),
        format!("{confirmed} of {all} copies were confirmed by a person"),
        format!("Highest: {} of 4", twin["verdict"]["level"]),
    ] {
        assert!(executive.contains(&words), "{words}\n{executive}");
    }
    let own_public = copies["examined"].as_array().expect("classes");
    let own_public = own_public.iter().find(|row| row["name"] == "own-public");
    for words in [
        format!("Signs of tampering: {tampered} copies, {high} with one of high severity"),
        format!("Suspected only, for an expert: {suspects} places"),
        format!(
            "Excluded: {} that hold only what the owner has published",
            own_public.expect("a class")["count"]
        ),
        format!("<td>All</td><td>{all}</td><td>{confirmed}</td>"),
        "[marking, to be filled in by counsel]".to_owned(),
    ] {
        assert!(counsel.contains(&words), "{words}\n{counsel}");
    }
    // The rows of hosts come to their sum.
    for host in copies["located"]["hosts"]
        .as_array()
        .expect("hosts")
        .iter()
        .take(5)
    {
        let words = format!("<td>{}</td><td>{}</td>", text(host, "name"), host["count"]);
        assert!(counsel.contains(&words), "{words}\n{counsel}");
    }
    for row in copies["copies"]["rows"].as_array().expect("rows") {
        let url = row["url"].as_str().unwrap_or("https://");
        assert!(
            !executive.contains(text(row, "locator")) && !executive.contains(url),
            "{row}"
        );
    }
    assert!(!executive.contains("!/") && !executive.contains("https://"));
}

/// One byte changed in the middle of a file is found out.
fn check_tampering(sent: &Sent, file: &str) {
    let path = sent.path(file);
    let mut bytes = std::fs::read(&path).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).expect("to write");
    sent.run(&["verify", "{}/sealed"]).expect(1);
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).expect("to write");
}

pub(super) fn from_review_to_seal(examined: &Examined) {
    let sent = Sent {
        examined,
        folder: scratch(),
    };
    std::fs::copy(examined.made.join("tide.case"), sent.path("a.case")).expect("the case");
    let hosts = HOSTS.map(|(id, like)| {
        format!("[[host]]\nid = \"{id}\"\nname = \"{id}\"\nlike = \"{like}\"\nnames = [\"{id}.example\"]\n")
    });
    std::fs::write(sent.path("hosts.toml"), hosts.concat()).expect("to write");
    std::fs::write(sent.path("contacts.toml"), CONTACTS).expect("to write");
    let labels = &examined.labels;
    let confirmed = review(&sent, labels);
    let mut foreign = 0;
    let urls: BTreeMap<String, String> = (examined.scanned.all("origin"))
        .filter(|row| row["present"] == true && row["certainty"] == "proven")
        .filter_map(|row| {
            Some((
                text(row, "locator").to_owned(),
                row["url"].as_str()?.to_owned(),
            ))
        })
        .collect();
    for (host, _) in HOSTS {
        let texts = drafted(&sent, host);
        texts.iter().for_each(|text| check_elements(text));
        let found: Vec<&str> = texts.iter().flat_map(|text| listed(text)).collect();
        let distinct: BTreeSet<&str> = found.iter().copied().collect();
        assert_eq!(found.len(), distinct.len(), "a place is in two notices");
        let at_host = |url: &String| url.split('/').nth(2) == Some(&format!("{host}.example"));
        let wanted: BTreeSet<&str> = (urls.iter())
            .filter(|(locator, url)| confirmed.contains(*locator) && at_host(url))
            .map(|(_, url)| url.as_str())
            .collect();
        assert!(wanted.len() >= 10, "{host}: {wanted:?}");
        assert_eq!(distinct, wanted, "{host}");
        // By the labels, whatever the program thinks of them.
        let is_foreign = |label: &&Label| ["own-public", "unrelated"].contains(&&*label.class);
        for label in labels.iter().filter(is_foreign) {
            if let Some(url) = urls.get(&label.locator()).filter(|url| at_host(url)) {
                foreign += 1;
                assert!(!distinct.contains(url.as_str()), "{}", label.path);
            }
        }
    }
    assert!(foreign >= 4, "{foreign} places that no notice may name");
    sent.run(&[
        "case",
        "notice",
        "set",
        "{}/a.case",
        "n1",
        "sent",
        "--date",
        "2026-04-06",
    ])
    .expect(0);
    sent.run(&[
        "report",
        "{}/a.case",
        "--output",
        "{}/report",
        "--brief",
        "counsel,executive",
        "--today",
        "2026-04-20",
    ])
    .expect(0);
    check_briefs(&sent, "report", "report");
    sent.run(&[
        "seal",
        "{}/a.case",
        "--output",
        "{}/sealed",
        "--include-work-product",
        "--export",
        "case-uco",
    ])
    .expect(0);
    sent.run(&["verify", "{}/sealed"]).expect(0);
    check_briefs(&sent, "sealed/data/work-product", "sealed/data/report");
    let exported = sent
        .run(&["case", "export", "{}/a.case", "--format", "case-uco"])
        .expect(0);
    assert!(
        exported.stdout
            == std::fs::read(sent.path("sealed/data/exports/case-uco.jsonld")).expect("an export")
    );
    for file in [
        "sealed/data/records.jsonl",
        "sealed/data/work-product/brief-counsel.html",
        "sealed/data/exports/case-uco.jsonld",
        "sealed/data/certificate-902-14.html",
        "sealed/manifest-sha256.txt",
    ] {
        assert!(Path::new(&sent.path(file)).is_file(), "{file}");
        check_tampering(&sent, file);
    }
    sent.run(&["verify", "{}/sealed"]).expect(0);
}
