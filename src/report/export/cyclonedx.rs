//! CycloneDX 1.6 (ECMA-424, first edition): the third-party code that is in what leaked.
//!
//! A component for each package that an item of kind `third-party` names, or that stands in the input below a
//! `node_modules` with a manifest of its own. What a name in a path says is weaker than what a manifest says, and so each
//! component carries its evidence: the technique, a confidence and the places. The confidences are those of the
//! inventory's words (`high`, `medium`, `low`) as numbers; they order evidence and measure nothing.
//!
//! The serial number is made of the content (UUID version 8, RFC 9562, section 5.8), so that the same case gives the same
//! document. A licence is told as a manifest has it, and called declared. Left out: dependencies between components, which
//! paths do not tell.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write;

use serde_json::{Value, json};

use super::{ExportError, Records, uuid};
use crate::record::{Item, Package, Record, Run};
use crate::report::text::visible;
use crate::scan::parts::LICENCE;

/// The kind of item that names a package.
const KIND: &str = "third-party";
/// Places that are named for one component.
const PLACES_MAX: usize = 16;

/// What is known of a component.
#[derive(Default)]
struct Known {
    /// Ways in which it was recognised, and the confidence of each in hundredths.
    methods: BTreeMap<&'static str, (u8, String)>,
    /// The first places by locator, with lines.
    places: BTreeSet<(String, u64)>,
    places_total: u64,
    /// Licences, as manifests say.
    licences: BTreeSet<String>,
}

impl Known {
    fn add(&mut self, technique: &'static str, confidence: u8, value: &str, place: (&str, u64)) {
        let method = self
            .methods
            .entry(technique)
            .or_insert((confidence, value.to_owned()));
        if confidence > method.0 {
            *method = (confidence, value.to_owned());
        }
        self.places_total += 1;
        self.places.insert((place.0.to_owned(), place.1));
        if self.places.len() > PLACES_MAX {
            self.places.pop_last();
        }
    }
}

/// Writes a document.
///
/// # Errors
/// When records cannot be read or the output cannot be written.
pub fn write(records: &Records, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut known: BTreeMap<(String, String), Known> = BTreeMap::new();
    let mut run = None;
    let mut complete = false;
    records(&mut |record| {
        match record {
            Record::Item(item) if item.kind == KIND => note_item(&item, &mut known),
            Record::Package(package) if is_part(&package.locator) => {
                note_package(&package, &mut known);
            }
            Record::Run(row) => run = Some(*row),
            Record::Ledger(ledger) => complete = ledger.read_all(),
            _ => {}
        }
        Ok(())
    })?;
    let components: Vec<Value> = known.iter().map(component).collect();
    let metadata = metadata(run.as_ref(), complete);
    let body = serde_json::to_string(&json!([&metadata, &components]))?;
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial_number(body.as_bytes()),
        "version": 1,
        "metadata": metadata,
        "components": components,
    });
    let text = serde_json::to_string(&document)?;
    writeln!(out, "{}", crate::blob::locator::shown_json(&text))?;
    Ok(())
}

fn is_part(locator: &str) -> bool {
    locator.contains("/node_modules/")
}

fn note_item(item: &Item, known: &mut BTreeMap<(String, String), Known>) {
    let (name, version) = name_and_version(&item.value);
    let confidence = match item.confidence.as_str() {
        "high" => 90,
        "medium" => 60,
        _ => 30,
    };
    let said = item
        .detail
        .as_deref()
        .unwrap_or("named by the path of a recovered source");
    let of_name = known
        .entry((name.to_owned(), version.to_owned()))
        .or_default();
    of_name.add("filename", confidence, said, (&item.locator, item.line));
    if let Some((_, licence)) = said.split_once(LICENCE) {
        of_name.licences.insert(licence.to_owned());
    }
}

fn note_package(package: &Package, known: &mut BTreeMap<(String, String), Known>) {
    let version = package.version.clone().unwrap_or_default();
    let of_name = known.entry((package.name.clone(), version)).or_default();
    of_name.add(
        "manifest-analysis",
        100,
        "its manifest",
        (&package.locator, 0),
    );
    of_name.licences.extend(package.licence.clone());
}

/// `name@version` in two; a scope begins with an `@` of its own.
fn name_and_version(value: &str) -> (&str, &str) {
    match value.rfind('@') {
        Some(at) if at > 0 => (&value[..at], &value[at + 1..]),
        _ => (value, ""),
    }
}

fn component(((name, version), known): (&(String, String), &Known)) -> Value {
    let purl = purl(name, version);
    let methods: Vec<Value> = known
        .methods
        .iter()
        .map(|(technique, (confidence, value))| {
            json!({
                "technique": technique,
                "confidence": f64::from(*confidence) / 100.0,
                "value": visible(value),
            })
        })
        .collect();
    let best = known
        .methods
        .values()
        .map(|(confidence, _)| *confidence)
        .max()
        .unwrap_or(0);
    let occurrences: Vec<Value> = known
        .places
        .iter()
        .map(|(locator, line)| match line {
            0 => json!({ "location": visible(locator) }),
            line => json!({ "location": visible(locator), "line": line }),
        })
        .collect();
    let (group, bare) = match name.split_once('/') {
        Some((scope, bare)) if scope.starts_with('@') => (Some(scope), bare),
        _ => (None, name.as_str()),
    };
    let mut fields = json!({
        "type": "library",
        "bom-ref": purl,
        "name": visible(if bare.is_empty() { name } else { bare }),
        "purl": purl,
        "evidence": {
            "identity": [{
                "field": "purl",
                "confidence": f64::from(best) / 100.0,
                "concludedValue": purl,
                "methods": methods,
            }],
            "occurrences": occurrences,
        },
        "properties": [
            { "name": "strandline:places", "value": known.places_total.to_string() },
            { "name": "strandline:version", "value": if version.is_empty() { "unknown" } else { "as named" } },
        ],
    });
    if let Some(fields) = fields.as_object_mut() {
        if let Some(group) = group {
            fields.insert("group".to_owned(), visible(group).into());
        }
        if !version.is_empty() {
            fields.insert("version".to_owned(), visible(version).into());
        }
        if !known.licences.is_empty() {
            // By name, not as an expression: what somebody wrote need not be one.
            let licences = known.licences.iter().map(|licence| {
                json!({ "license": { "name": visible(licence), "acknowledgement": "declared" } })
            });
            fields.insert("licenses".to_owned(), licences.collect());
        }
    }
    fields
}

/// A package URL (ECMA-427) of type npm.
fn purl(name: &str, version: &str) -> String {
    let name: Vec<String> = name.split('/').map(encoded).collect();
    let mut purl = format!("pkg:npm/{}", name.join("/"));
    if !version.is_empty() {
        let _ = write!(purl, "@{}", encoded(version));
    }
    purl
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn metadata(run: Option<&Run>, complete: bool) -> Value {
    let labels: Vec<String> = run
        .map(|run| {
            run.inputs
                .iter()
                .map(|input| visible(&input.label))
                .collect()
        })
        .unwrap_or_default();
    let name = if labels.is_empty() {
        "unknown input".to_owned()
    } else {
        labels.join(", ")
    };
    let version = run.map_or("unknown", |run| {
        run.version.trim_start_matches("strandline ")
    });
    json!({
        "tools": { "components": [
            { "type": "application", "name": "strandline", "version": version },
        ]},
        "component": { "type": "application", "bom-ref": "input", "name": name },
        "properties": [
            { "name": "strandline:complete", "value": complete.to_string() },
            { "name": "strandline:rules", "value": run.map_or("unknown", |run| run.rules.as_str()) },
        ],
    })
}

fn serial_number(content: &[u8]) -> String {
    let digest = blake3::hash(content);
    format!("urn:uuid:{}", uuid(digest.as_bytes(), 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Hops, Party};

    fn item(value: &str, locator: &str) -> Record {
        Record::Item(Item {
            kind: KIND.to_owned(),
            value: value.to_owned(),
            locator: locator.to_owned(),
            hops: Hops::default(),
            line: 0,
            party: Party::Third,
            confidence: "high".to_owned(),
            detail: None,
        })
    }

    fn document(rows: Vec<Record>) -> Value {
        let mut out = Vec::new();
        write(
            &|take| rows.iter().cloned().try_for_each(&mut *take),
            &mut out,
        )
        .unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn each_package_is_one_component_with_its_evidence() {
        let found = document(vec![
            item("@acme/x@1.0.0", "m/a"),
            item("@acme/x@1.0.0", "m/b"),
            item("zod", "m/a"),
        ]);
        let components = found["components"].as_array().unwrap();
        assert_eq!(components.len(), 2);
        assert_eq!(components[0]["purl"], "pkg:npm/%40acme/x@1.0.0");
        assert_eq!(
            (&components[0]["group"], &components[0]["name"]),
            (&json!("@acme"), &json!("x"))
        );
        assert_eq!(
            components[0]["evidence"]["occurrences"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        assert!(components[0].get("licenses").is_none());
        assert!(components[1].get("version").is_none());
        assert_eq!(components[1]["purl"], "pkg:npm/zod");
    }

    #[test]
    fn licences_are_told_as_manifests_have_them() {
        let Record::Item(mut row) = item("a@1.0.0", "m/a") else {
            unreachable!()
        };
        row.detail = Some(format!("1 source; x{LICENCE}(MIT OR ISC)"));
        let found = document(vec![Record::Item(row), item("a@1.0.0", "m/b")]);
        assert_eq!(
            found["components"][0]["licenses"],
            json!([{ "license": { "name": "(MIT OR ISC)", "acknowledgement": "declared" } }])
        );
    }

    #[test]
    fn the_serial_number_follows_the_content() {
        let one = document(vec![item("a@1.0.0", "m/a")]);
        assert_eq!(one, document(vec![item("a@1.0.0", "m/a")]));
        let other = document(vec![item("a@1.0.1", "m/a")]);
        assert_ne!(one["serialNumber"], other["serialNumber"]);
        let number = one["serialNumber"].as_str().unwrap();
        assert_eq!(number.as_bytes()[number.len() - 22], b'8', "{number}");
    }
}
