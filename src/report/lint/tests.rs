//! The rules against their examples, and drafts as a whole.

use super::*;

fn draft(files: &[(&str, &str)]) -> Draft {
    let files = files
        .iter()
        .map(|(name, text)| DraftFile::new(name, (*text).to_owned()));
    Draft {
        files: files.collect(),
        left_out: Vec::new(),
    }
}

fn found(text: &str, asked: &Asked) -> Report {
    lint(&draft(&[("notice.md", text)]), &sample::facts(), asked)
}

#[test]
fn each_rule_finds_its_bad_draft_and_passes_the_mended_one() {
    let mut wrong = Vec::new();
    for rule in Rules::builtin().iter() {
        let asked = Asked {
            rows: rule.rows,
            ..Asked::default()
        };
        let bad = found(&rule.bad, &asked);
        let good = found(&rule.good, &asked);
        if !bad.by_rule.contains_key(rule.id.as_str()) {
            wrong.push(format!(
                "{}: nothing in the bad draft, but {:?}",
                rule.id,
                bad.by_rule.keys()
            ));
        }
        if let Some(told) = good.by_rule.get(rule.id.as_str()) {
            wrong.push(format!(
                "{}: in the good draft {:?}",
                rule.id, told.findings
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hosts_are_those_of_notices() {
    let (rules, forms) = (
        Rules::builtin(),
        crate::report::notice::Hosts::builtin().unwrap(),
    );
    for id in forms.ids() {
        let (host, form) = (rules.hosts.get(id).unwrap(), forms.get(id).unwrap());
        assert_eq!(
            (&host.names, host.rows),
            (&form.names, Some(form.rows as u64)),
            "{id}"
        );
    }
    // The limit is the host's, whoever tells which host it is.
    let rows: String = (0..101)
        .map(|n| format!("https://github.com/u{n}/leak\n"))
        .collect();
    let text = format!("# URLs of infringing repositories\n{rows}");
    let limit = |asked: &Asked| found(&text, asked).by_rule.contains_key("row-limit");
    assert!(limit(&Asked::default()));
    assert!(!limit(&Asked {
        rows: Some(101),
        ..Asked::default()
    }));
}

#[test]
fn a_notice_of_files_need_not_say_that_whole_repositories_are_meant() {
    let head = "# URLs of infringing material\nIn https://code.example/u9/tool these files:\n";
    let says = |row: &str| {
        let report = found(&format!("{head}{row}\n"), &Asked::default());
        report.by_rule.contains_key("entire-unsaid")
    };
    // The case knows nothing of that place.
    let commit = "0123456789abcdef0123456789abcdef01234567";
    assert!(!says(&format!(
        "https://code.example/u9/tool/blob/{commit}/src/a.ts"
    )));
    assert!(says("all of it"));
}

#[test]
fn rules_are_named_once_and_say_how_to_mend() {
    let rules = Rules::builtin();
    let ids: std::collections::BTreeSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids.len(), rules.iter().count());
    for rule in rules.iter() {
        assert!(!rule.why.is_empty() && !rule.mend.is_empty(), "{}", rule.id);
        assert_ne!(rule.bad, rule.good, "{}", rule.id);
    }
}

const GOOD: &str = "# 1. Are you authorised?
I am authorized to act on behalf of the owner.
# 5. Description of the original work
The work is acme-cli 2.1.0, a command line program of 40 source files in TypeScript in the folders src/query and src/auth. Each
file has the copyright header of the company, and the classes QueryEngine and ReefCache are its own. It was written by employees
from 2024 on and was not published.
# 6. Original URL
https://code.example/acme/public is our public repository; nothing of it is claimed.
# 7. Infringing material
The entire repository is infringing:
https://code.example/u1/leak at commit 1111111111111111111111111111111111111111: 40 of 40 files of the work (100 % of its bytes) have the same SHA-256.
# 8. Technological measures that control access
No.
# 13. Statements
[ ] I have a good faith belief that the use is not authorized by the copyright owner, its agent, or the law.
[ ] I have taken fair use into consideration.
[ ] The information is accurate, and under penalty of perjury I am authorized to act.
# 14. Contact
Name: Jane Roe
E-mail: legal@acme.example
Phone: +00 000
Signature: ____________
";

#[test]
fn a_true_draft_passes() {
    let report = found(GOOD, &Asked::default());
    assert!(report.by_rule.is_empty(), "{:#?}", report.by_rule);
    assert_eq!(report.claimed, 1);
    assert_eq!(report.worst(), None);
}

#[test]
fn a_folder_is_one_draft_and_its_table_is_no_second_list() {
    let files = [
        (
            "05-work.txt",
            "# 5. Description of the original work\nThe files of acme-cli.\n",
        ),
        (
            "07-material.txt",
            "The entire repository is infringing:\nhttps://code.example/u1/leak 1111111111111111111111111111111111111111\n",
        ),
        (
            "exhibit.csv",
            "url,class\nhttps://code.example/u1/leak,verbatim\nhttps://code.example/u6/other,unrelated\n",
        ),
    ];
    let report = lint(&draft(&files), &sample::facts(), &Asked::default());
    assert!(
        !report.by_rule.contains_key("duplicate"),
        "{:?}",
        report.by_rule
    );
    let unrelated = &report.by_rule["unrelated"].findings;
    assert_eq!(
        (unrelated[0].file.as_str(), unrelated[0].line),
        ("exhibit.csv", 3)
    );
    assert_eq!(
        report.by_rule["thin-description"].findings[0].file,
        "05-work.txt"
    );
}

/// A draft of ours names the root of a network, repeats its list by question, and offers the sworn sentence with an open box.
#[test]
fn what_is_said_about_a_row_is_no_row() {
    let text = "# 7. Infringing material\nThe entire repository:\n1. https://code.example/u1/leak\n   At commit 1111111111111111111111111111111111111111.\n   \
                Forked from https://code.example/acme/public, as recorded.\n# 9. Forks\nFork network of https://code.example/acme/public.\n- https://code.example/u1/leak\n\
                The sentence (\"all forks\"):\n[ ] to be ticked\n";
    let report = found(text, &Asked::default());
    let told: Vec<&&str> = report.by_rule.keys().collect();
    assert_eq!(told, [&"missing-element"], "{:?}", report.by_rule);
}

#[test]
fn what_pins_a_row_stands_in_that_row() {
    let (commit, digest) = ("1".repeat(40), "a".repeat(64));
    let text = format!(
        "# Infringing material\nOnly files:\n1. https://code.example/u1/leak\n   Forked from https://code.example/acme/public\n   src/query.ts, SHA-256 {digest}\n\
         2. https://code.example/u2/part\n   at commit {commit}\n3. https://code.example/u11/past\n   in the history\n"
    );
    let report = found(&text, &Asked::default());
    let lines = |id: &str| -> Vec<u64> {
        let told = report.by_rule.get(id).map(|rule| &rule.findings);
        told.into_iter().flatten().map(|one| one.line).collect()
    };
    assert_eq!((lines("no-commit"), lines("unpinned")), (vec![3], vec![8]));
    assert!(lines("history-only").is_empty());
}

#[test]
fn what_is_private_is_never_shown_in_full() {
    let text = "heron, quiet_reef_rollout, ci.acme.internal, Ada Example, ACME-4711, AKIA2OGYBAH6QLXNNT4V, bob@other.example";
    let report = found(text, &Asked::default());
    let shown = format!("{:?}", report.by_rule);
    for value in [
        "heron",
        "quiet_reef",
        "ci.acme",
        "Ada Example",
        "4711\"",
        "bob@other.example",
    ] {
        assert!(!shown.contains(value), "{value}: {shown}");
    }
    assert_eq!(report.by_rule["published-code-name"].findings[0].column, 1);
}

#[test]
fn findings_are_counted_beyond_what_is_kept() {
    let text: String = (0..100_000)
        .map(|n| format!("https://code.example/x{n}/y\n"))
        .collect();
    let report = found(&text, &Asked::default());
    let unknown = &report.by_rule["unknown-place"];
    assert_eq!((unknown.total, unknown.findings.len()), (100_000, KEPT_MAX));
    assert_eq!(report.by_rule["row-limit"].total, 1);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn any_draft_is_read_without_panic(text in "(heron|https://code.example/u1/leak|# Contact|all forks|99%|\\[x\\] perjury|Signature:|[\\PC\\n\\r\\t]){0,60}") {
        found(&text, &Asked::default());
    }
}
