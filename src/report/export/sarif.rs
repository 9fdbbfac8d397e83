//! SARIF 2.1.0 (OASIS Standard, 27 March 2020, with errata 01): exposures and secrets as results.
//!
//! One run. A rule for each class and each rule of secrets that came up, with why it matters and what to do. Places are
//! locators, percent-encoded as relative references (RFC 3986), so that a viewer can show them, though none can open
//! what lies in an archive. Lines stand where a record has one; columns do not, since the standard counts them in
//! characters and records count bytes. `partialFingerprints` holds the finding's id, by which later runs know it.
//! Problems are notifications of the invocation: a viewer that shows no results shows then why.
//!
//! Left out: copies and items, which are no defects of code, and a score, which nothing here could prove.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use serde_json::{Value, json};

use super::{ExportError, Items, Records};
use crate::exposure::Rules;
use crate::record::{Certainty, Exposure, Ledger, Problem, Record, Run, Secret, Severity};
use crate::report::finding::{Finding, Numberer};
use crate::report::text::visible;

/// Name under which the finding's id stands; the number grows when ids are made in another way.
const FINGERPRINT: &str = "strandlineFinding/v1";

/// What is known of a rule when all results were seen.
struct Told {
    severity: Severity,
    is_secret: bool,
}

/// Writes a log.
///
/// # Errors
/// When records cannot be read or the output cannot be written.
pub fn write(records: &Records, out: &mut dyn Write) -> Result<(), ExportError> {
    write!(
        out,
        "{{\"$schema\":\"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{{\"results\":["
    )?;
    let mut rules: BTreeMap<String, Told> = BTreeMap::new();
    let (mut run, mut ledger) = (None, None);
    let mut numberer = Numberer::default();
    let mut items = Items::new(out);
    records(&mut |record| {
        let result = match &record {
            Record::Exposure(row) => of_exposure(row),
            Record::Secret(row) => of_secret(row),
            _ => {
                match record {
                    Record::Run(row) => run = Some(*row),
                    Record::Ledger(row) => ledger = Some(*row),
                    _ => {}
                }
                return Ok(());
            }
        };
        let Some(finding) = Finding::of(&record) else {
            return Ok(());
        };
        note_rule(&record, &mut rules);
        items.put(&with_fingerprint(result, numberer.id(&finding)))
    })?;
    write!(
        out,
        "],\"tool\":{},\"columnKind\":\"utf16CodeUnits\",\"invocations\":[{{{}\"toolExecutionNotifications\":[",
        tool(run.as_ref(), &rules),
        account(run.as_ref(), ledger.as_ref())
    )?;
    let mut items = Items::new(out);
    records(&mut |record| match record {
        Record::Problem(row) => items.put(&notification(&row)),
        _ => Ok(()),
    })?;
    writeln!(out, "]}}]}}]}}")?;
    Ok(())
}

fn note_rule(record: &Record, rules: &mut BTreeMap<String, Told>) {
    let (id, severity, is_secret) = match record {
        Record::Exposure(row) => (&row.class, row.severity, false),
        Record::Secret(row) => (&row.rule, row.severity, true),
        _ => return,
    };
    let told = rules.entry(visible(id)).or_insert(Told {
        severity,
        is_secret,
    });
    told.severity = told.severity.max(severity);
}

fn of_exposure(row: &Exposure) -> Value {
    let certainty = match row.certainty {
        Certainty::Proven => "proven",
        Certainty::Hint => "hint",
    };
    json!({
        "ruleId": visible(&row.class),
        "level": level(row.severity),
        "message": {"text": sentence(&row.detail, &row.class)},
        "locations": [place(&row.locator, None)],
        "properties": {
            "severity": row.severity.as_str(),
            "certainty": certainty,
            "locator": row.locator,
            "sha256": row.sha256,
        },
    })
}

fn of_secret(row: &Secret) -> Value {
    let mut said = format!("{} ({})", row.redacted, row.check);
    if let Some(detail) = &row.detail {
        let _ = write!(said, ": {detail}");
    }
    json!({
        "ruleId": visible(&row.rule),
        "level": level(row.severity),
        "message": {"text": sentence(&said, &row.rule)},
        "locations": [place(&row.locator, Some(row.line))],
        "properties": {
            "severity": row.severity.as_str(),
            "check": row.check,
            "tier": row.tier,
            "locator": row.locator,
            "columnInBytes": row.column,
            "sha256": row.sha256,
            "keyedFingerprint": row.fingerprint,
        },
    })
}

fn with_fingerprint(mut result: Value, id: String) -> Value {
    if let Some(fields) = result.as_object_mut() {
        fields.insert("partialFingerprints".to_owned(), json!({ FINGERPRINT: id }));
    }
    result
}

/// A message says something and ends as a sentence does.
fn sentence(text: &str, otherwise: &str) -> String {
    let text = visible(if text.is_empty() { otherwise } else { text });
    if text.ends_with('.') {
        text
    } else {
        format!("{text}.")
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn place(locator: &str, line: Option<u64>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": reference(locator) } });
    if let (Some(line), Some(fields)) = (line.filter(|line| *line > 0), physical.as_object_mut()) {
        fields.insert("region".to_owned(), json!({ "startLine": line }));
    }
    json!({ "physicalLocation": physical })
}

/// A locator as a relative reference: what is not unreserved is encoded, but the slashes and exclamation marks that
/// divide it. Segments of dots would be taken away by who resolves it, and are spelled with encoded dots.
fn reference(locator: &str) -> String {
    let mut uri = String::with_capacity(locator.len() + 16);
    for (index, segment) in locator.split('/').enumerate() {
        if index > 0 {
            uri.push('/');
        }
        let name = segment.trim_end_matches('!');
        let is_dots = matches!(name, "." | "..");
        // An empty first segment would make it absolute, an empty one further on is lost by some who normalise.
        if segment.is_empty() {
            uri.push_str("%20");
            continue;
        }
        for byte in segment.bytes() {
            let is_plain =
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'!');
            if is_plain || (byte == b'.' && !is_dots) {
                uri.push(char::from(byte));
            } else {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

fn notification(row: &Problem) -> Value {
    let level = if row.bytes_unread == Some(0) {
        "warning"
    } else {
        "error"
    };
    json!({
        "descriptor": { "id": visible(&row.code) },
        "level": level,
        "message": { "text": sentence(&row.detail, &row.code) },
        "locations": [place(&row.locator, None)],
        "properties": { "locator": row.locator, "bytesUnread": row.bytes_unread },
    })
}

fn tool(run: Option<&Run>, rules: &BTreeMap<String, Told>) -> Value {
    let version = run.map_or("", |run| run.version.as_str());
    let version = version.strip_prefix("strandline ").unwrap_or(version);
    let rules: Vec<Value> = rules
        .iter()
        .map(|(id, told)| descriptor(id, told))
        .collect();
    json!({
        "driver": {
            "name": "Strandline",
            "version": if version.is_empty() { "unknown" } else { version },
            "shortDescription": { "text": "Offline leak forensics: what is out, where it is, how bad it is." },
            "rules": rules,
            "properties": { "rulesDigest": run.map(|run| &run.rules) },
        }
    })
}

fn descriptor(id: &str, told: &Told) -> Value {
    let known = Rules::builtin().get(id);
    let (title, why, action) = match known {
        Some(rule) => (rule.title.clone(), rule.why.clone(), rule.action.clone()),
        None if told.is_secret => (
            format!("A credential of the form {id}."),
            "Who has it can act in its owner's name until it is revoked.".to_owned(),
            "Revoke it where it was issued, and look through the logs there.".to_owned(),
        ),
        None => (
            format!("An artifact of the class {id}."),
            "It should not be public.".to_owned(),
            "See what it holds, and take it away.".to_owned(),
        ),
    };
    json!({
        "id": id,
        "name": pascal(id),
        "shortDescription": { "text": sentence(&title, id) },
        "fullDescription": { "text": sentence(&why, id) },
        "help": { "text": sentence(&action, id) },
        "defaultConfiguration": { "level": level(told.severity) },
        "properties": { "kind": if told.is_secret { "secret" } else { "exposure" } },
    })
}

/// `map-embedded-sources` as `MapEmbeddedSources`, which viewers show.
fn pascal(id: &str) -> String {
    let words = id.split(|character: char| !character.is_ascii_alphanumeric());
    let mut name = String::new();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    if name.is_empty() {
        "Rule".to_owned()
    } else {
        name
    }
}

/// Whether the run came to its end, and what of the inputs was not read.
fn account(run: Option<&Run>, ledger: Option<&Ledger>) -> String {
    let properties = json!({
        "complete": ledger.is_some_and(Ledger::read_all),
        "entries": ledger.map(|ledger| ledger.entries),
        "inputs": run.map(|run| run.inputs.iter().map(|input| &input.label).collect::<Vec<_>>()),
    });
    let text = format!(
        "\"executionSuccessful\":{},\"properties\":{},",
        ledger.is_some(),
        properties
    );
    crate::blob::locator::shown_json(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    fn log(rows: Vec<Record>) -> Value {
        let mut out = Vec::new();
        write(
            &|take| rows.iter().cloned().try_for_each(&mut *take),
            &mut out,
        )
        .unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn results_have_rules_places_and_fingerprints() {
        let log = log(sample::incident());
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(!results.is_empty());
        for result in results {
            assert!(
                rules.iter().any(|rule| rule["id"] == result["ruleId"]),
                "{result}"
            );
            assert_eq!(
                result["partialFingerprints"][FINGERPRINT]
                    .as_str()
                    .unwrap()
                    .len(),
                32
            );
        }
        assert_eq!(run["invocations"][0]["properties"]["complete"], false);
        assert!(
            !run["invocations"][0]["toolExecutionNotifications"]
                .as_array()
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn locators_become_relative_references() {
        for (locator, uri) in [
            ("a.tgz!/package/x y.js", "a.tgz!/package/x%20y.js"),
            ("a/%25#2", "a/%2525%232"),
            ("m.map!/../src/./a.ts", "m.map!/%2E%2E/src/%2E/a.ts"),
            ("c:/x?y", "c%3A/x%3Fy"),
            ("x.gz!/", "x.gz!/%20"),
            ("m.map!/webpack://é", "m.map!/webpack%3A/%20/%C3%A9"),
        ] {
            assert_eq!(reference(locator), uri, "{locator}");
        }
    }

    #[test]
    fn an_empty_case_is_a_log_too() {
        let log = log(Vec::new());
        assert_eq!(log["runs"][0]["results"], json!([]));
        assert_eq!(
            log["runs"][0]["invocations"][0]["executionSuccessful"],
            false
        );
    }

    proptest::proptest! {
        #[test]
        fn references_hold_nothing_that_must_be_encoded(locator in "\\PC{0,30}") {
            let uri = reference(&locator);
            proptest::prop_assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~!/%".contains(&byte)));
            proptest::prop_assert!(!uri.starts_with('/'));
        }
    }
}
