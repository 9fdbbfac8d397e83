//! Keys, stores, settings and leftovers as the programs make them that people use: each told as what it is, by its bytes.
//!
//! `fixtures/accounts.py` makes them, under names that say nothing. What is missing is named on standard error, and with
//! STRANDLINE_REQUIRE_ACCOUNTS=1 it fails.

mod common;

use common::{scan, scratch, text};

const REQUIRED: &str = "STRANDLINE_REQUIRE_ACCOUNTS";

#[test]
fn what_programs_leave_is_told_by_its_bytes() {
    let folder = scratch();
    let rows = common::made_by("accounts.py", [folder.path()], "accounts", REQUIRED);
    let records = scan(0, [folder.path().join("in")]);
    let mut wrong = Vec::new();
    for row in &rows {
        let at = text(row, "at");
        let told: Vec<_> = records
            .all("exposure")
            .filter(|found| text(found, "locator") == at)
            .collect();
        let is_right = match row["class"].as_str() {
            None => told.is_empty(),
            Some(class) => told.iter().any(|found| {
                text(found, "class") == class
                    && text(found, "certainty")
                        == if class == "terraform-variables" {
                            "hint"
                        } else {
                            "proven"
                        }
                    && row["severity"]
                        .as_str()
                        .is_none_or(|severity| text(found, "severity") == severity)
                    && text(found, "detail").contains(text(row, "says"))
            }),
        };
        if !is_right {
            wrong.push(format!("{row}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
