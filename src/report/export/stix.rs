//! STIX 2.1 (OASIS Standard, 10 June 2021): indicators of what was put into copies.
//!
//! One bundle: who says it (an identity of the sort `system`), an indicator for each content of a file that carries a sign
//! of tampering, by its SHA-256, one for each host that such a sign names, and a grouping round them. Only signs of
//! `medium` and worse are told: below that they are notes, and nobody should be warned of an ordinary change. An indicator
//! says that a file or host was seen in a copy and not in the original; the word for that in the standard's vocabulary is
//! `anomalous-activity`, since nothing here shows what anybody meant.
//!
//! Where the sign is a match of a YARA rule of the user's own, the indicator has the rule's name among its labels; its
//! pattern stays the digest of the file, since rules are not kept in a case.
//!
//! Identifiers are UUIDs of version 5 (RFC 9562, section 5.5) over what an object is about, in a namespace of this program,
//! so that the same content has the same indicator in every case. Times are those of the scan.
//!
//! Left out: the copies themselves, of which notices speak; and wallets, for which the standard has no pattern.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{ExportError, Items, Records, uuid};
use crate::copies::tamper::TamperRules;
use crate::exposure::yara::CLASS_PREFIX;
use crate::record::{Record, Severity, Sign};
use crate::report::lists::host_in;
use crate::report::text::visible;

/// Namespace of the identifiers: a random UUID of this program.
const NAMESPACE: [u8; 16] = [
    0x6e, 0x0b, 0x52, 0x5d, 0x3a, 0xc1, 0x4f, 0x87, 0x9d, 0x24, 0x71, 0xe8, 0x05, 0xb9, 0x6c, 0x13,
];
/// Signs below this are notes.
const SEVERITY_MIN: Severity = Severity::Medium;
/// Places that an indicator names.
const PLACES_MAX: usize = 16;
/// Rules that are among its labels.
const LABELS_MAX: usize = 16;
/// The time of a case that does not say when it was made.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// What an indicator is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// SHA-256 of a file, hex.
    File(String),
    Host(String),
}

impl Subject {
    fn pattern(&self) -> String {
        match self {
            Subject::File(sha256) => format!("[file:hashes.'SHA-256' = '{sha256}']"),
            Subject::Host(host) if host.parse::<std::net::Ipv4Addr>().is_ok() => {
                format!("[ipv4-addr:value = '{host}']")
            }
            Subject::Host(host) => format!("[domain-name:value = '{host}']"),
        }
    }

    fn name(&self) -> String {
        match self {
            Subject::File(sha256) => format!("File {}… in copies", &sha256[..12]),
            Subject::Host(host) => format!("Host {host} in copies"),
        }
    }
}

/// What was seen of a subject.
#[derive(Debug)]
struct Seen {
    worst: Severity,
    rules: BTreeSet<String>,
    /// Locators of the first places.
    places: BTreeSet<String>,
    has_more: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            worst: SEVERITY_MIN,
            rules: BTreeSet::new(),
            places: BTreeSet::new(),
            has_more: false,
        }
    }
}

impl Seen {
    fn add(&mut self, sign: &Sign) {
        self.worst = self.worst.max(sign.severity);
        self.rules.insert(visible(&sign.rule));
        self.places.insert(visible(&sign.locator));
        if self.places.len() > PLACES_MAX {
            self.places.pop_last();
            self.has_more = true;
        }
    }

    fn description(&self) -> String {
        let rules = self.rules.iter().map(|id| {
            let title = TamperRules::builtin().get(id).map(|rule| &rule.title);
            title.map_or_else(|| id.clone(), |title| format!("{title} ({id})"))
        });
        let rules: Vec<String> = rules.collect();
        let places: Vec<&str> = self.places.iter().map(String::as_str).collect();
        let more = if self.has_more { ", and others" } else { "" };
        format!(
            "Seen in copies and not in the original: {}. At {}{more}.",
            rules.join("; "),
            places.join(", ")
        )
    }

    /// How bad it is, and rules of the user's own, which other programs may know by their names.
    fn labels(&self) -> Vec<&str> {
        let rules = self.rules.iter().map(String::as_str);
        let of_user = rules.filter(|rule| rule.starts_with(CLASS_PREFIX));
        [self.worst.as_str()]
            .into_iter()
            .chain(of_user.take(LABELS_MAX))
            .collect()
    }
}

/// Writes a bundle.
///
/// # Errors
/// When records cannot be read or the output cannot be written.
pub fn write(records: &Records, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut seen: BTreeMap<Subject, Seen> = BTreeMap::new();
    let mut time = NO_TIME.to_owned();
    records(&mut |record| {
        match record {
            Record::Run(run) => time = run.started.unwrap_or(time.clone()),
            Record::Sign(sign) if sign.severity >= SEVERITY_MIN => {
                for subject in subjects_of(&sign) {
                    seen.entry(subject).or_default().add(&sign);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    let identity = id_of("identity", "strandline");
    let indicators: Vec<Value> = seen
        .iter()
        .map(|(subject, seen)| indicator(subject, seen, &identity, &time))
        .collect();
    let ids: Vec<&Value> = indicators.iter().map(|object| &object["id"]).collect();
    let about = serde_json::to_string(&ids)?;
    write!(
        out,
        "{{\"type\":\"bundle\",\"id\":\"{}\",\"objects\":[",
        id_of("bundle", &format!("{time} {about}"))
    )?;
    let mut items = Items::new(out);
    items.put(&json!({
        "type": "identity",
        "spec_version": "2.1",
        "id": identity,
        "created": NO_TIME,
        "modified": NO_TIME,
        "name": "strandline",
        "identity_class": "system",
    }))?;
    for object in &indicators {
        items.put(object)?;
    }
    // A grouping has at least one object.
    if !ids.is_empty() {
        items.put(&json!({
            "type": "grouping",
            "spec_version": "2.1",
            "id": id_of("grouping", &format!("{time} {about}")),
            "created_by_ref": identity,
            "created": time,
            "modified": time,
            "name": "What copies have and the original has not",
            "context": "suspicious-activity",
            "object_refs": ids,
        }))?;
    }
    writeln!(out, "\n]}}")?;
    Ok(())
}

/// What a sign says something about.
fn subjects_of(sign: &Sign) -> impl Iterator<Item = Subject> {
    let is_digest =
        |text: &&String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let file = sign.sha256.as_ref().filter(is_digest);
    let file = file.map(|sha256| Subject::File(sha256.to_ascii_lowercase()));
    let is_plain = |host: &String| {
        let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        !host.is_empty() && host.bytes().all(is_part)
    };
    let host = host_in(&sign.rule, &sign.found).filter(is_plain);
    file.into_iter().chain(host.map(Subject::Host))
}

fn indicator(subject: &Subject, seen: &Seen, identity: &str, time: &str) -> Value {
    let pattern = subject.pattern();
    json!({
        "type": "indicator",
        "spec_version": "2.1",
        "id": id_of("indicator", &pattern),
        "created_by_ref": identity,
        "created": time,
        "modified": time,
        "name": subject.name(),
        "description": seen.description(),
        "indicator_types": ["anomalous-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": time,
        "labels": seen.labels(),
    })
}

/// `TYPE--UUID`, of version 5 over what the object is about.
fn id_of(kind: &str, about: &str) -> String {
    format!("{kind}--{}", uuid_of(kind, about))
}

/// A UUID of version 5, in the namespace of this program, over a kind of object and what it is about.
pub(super) fn uuid_of(kind: &str, about: &str) -> String {
    let mut hasher = Sha1::new();
    hasher.update(NAMESPACE);
    hasher.update(format!("{kind} {about}"));
    let digest = hasher.finalize();
    uuid(&digest, 5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Certainty, Hops};

    fn sign(rule: &str, severity: Severity, path: &str, found: &str) -> Record {
        Record::from(Sign {
            rule: rule.to_owned(),
            severity,
            certainty: Certainty::Proven,
            locator: format!("copy/{path}"),
            hops: Hops::default(),
            root: "copy".to_owned(),
            path: path.to_owned(),
            line: None,
            found: found.to_owned(),
            original: None,
            sha256: Some("ab".repeat(32)),
        })
    }

    fn bundle(records: &[Record]) -> Value {
        let mut out = Vec::new();
        let give = |take: &mut super::super::Take<'_>| records.iter().cloned().try_for_each(take);
        write(&give, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn files_and_hosts_of_signs_are_indicators_and_notes_are_none() {
        let out = bundle(&[
            sign("new-host", Severity::High, "a.js", "https://drop.example/x"),
            sign(
                "new-host",
                Severity::Medium,
                "b.js",
                "https://drop.example/y",
            ),
            sign("new-host", Severity::Low, "c.js", "https://docs.example"),
            sign("webhook", Severity::High, "d.js", "http://203.0.113.9/hook"),
        ]);
        let objects = out["objects"].as_array().unwrap();
        let patterns: Vec<&str> = objects
            .iter()
            .filter_map(|object| object["pattern"].as_str())
            .collect();
        let file = format!("[file:hashes.'SHA-256' = '{}']", "ab".repeat(32));
        assert_eq!(
            patterns,
            [
                file.as_str(),
                "[ipv4-addr:value = '203.0.113.9']",
                "[domain-name:value = 'drop.example']"
            ]
        );
        assert_eq!(
            objects.last().unwrap()["object_refs"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
    }

    #[test]
    fn a_match_of_a_yara_rule_is_a_label() {
        let out = bundle(&[
            sign("yara:stealers/loader", Severity::High, "a.js", "matches"),
            sign("new-host", Severity::Medium, "a.js", "none"),
        ]);
        let indicator = &out["objects"][1];
        assert_eq!(indicator["labels"], json!(["high", "yara:stealers/loader"]));
        assert_eq!(indicator["pattern_type"], "stix");
    }

    #[test]
    fn a_case_without_signs_gives_no_grouping() {
        let out = bundle(&[]);
        let objects = out["objects"].as_array().unwrap();
        assert_eq!(objects.len(), 1);
        assert_eq!(objects[0]["type"], "identity");
    }

    #[test]
    fn identifiers_are_of_version_5_and_say_what_they_are_about() {
        let id = id_of("indicator", "x");
        assert_eq!(id, id_of("indicator", "x"));
        assert_ne!(id, id_of("indicator", "y"));
        let uuid = id.strip_prefix("indicator--").unwrap();
        assert_eq!(uuid.as_bytes()[14], b'5');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
