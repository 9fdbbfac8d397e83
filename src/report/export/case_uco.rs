//! CASE 1.5.0 on UCO 1.5.0 (Cyber-investigation Analysis Standard Expression), as JSON-LD: what was found, for case systems.
//!
//! One graph: the program as a tool, the scan as an investigative action with the inputs that it read, a provenance record of the
//! places that were examined, each place with its class and with the addresses that it was got from, and each file that carries a
//! match, an exposure or a credential, with its SHA-256 and what was found in it as classifications. Relationships say what lies
//! in which input and what came from where; a place that only says so of itself is told to be a hint.
//!
//! Identifiers are UUIDs of version 5 over what an object is about, as in [STIX](super::stix), since the ontology wants names that
//! end so. The method of a digest is a plain string: the validator takes the member of the vocabulary as no more, and minds another
//! type. There is no time but that of the scan.
//!
//! Left out: ranges of matches and shares by file, for which there are no words yet; the inventory; whatever people decided.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Write;

use serde_json::{Map, Value, json};

use super::stix::uuid_of;
use super::{ExportError, Items, Records};
use crate::record::{Certainty, Copy, Origin, Record, Run};
use crate::report::text::visible;

/// Where the names of this graph begin: a reserved name, since they lead nowhere.
const BASE: &str = "https://strandline.example/kb/";
/// Ontologies by their prefix.
const PREFIXES: [(&str, &str); 9] = [
    (
        "case-investigation",
        "https://ontology.caseontology.org/case/investigation/",
    ),
    (
        "uco-action",
        "https://ontology.unifiedcyberontology.org/uco/action/",
    ),
    (
        "uco-analysis",
        "https://ontology.unifiedcyberontology.org/uco/analysis/",
    ),
    (
        "uco-core",
        "https://ontology.unifiedcyberontology.org/uco/core/",
    ),
    (
        "uco-observable",
        "https://ontology.unifiedcyberontology.org/uco/observable/",
    ),
    (
        "uco-tool",
        "https://ontology.unifiedcyberontology.org/uco/tool/",
    ),
    (
        "uco-types",
        "https://ontology.unifiedcyberontology.org/uco/types/",
    ),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ("kb", BASE),
];

/// A place that was examined.
#[derive(Debug, Default)]
struct Place {
    class: String,
    /// What it holds, a sentence for each work.
    holds: BTreeSet<String>,
    /// Addresses, and whether a person recorded that it was got from there.
    addresses: BTreeMap<String, bool>,
}

/// A file with what was found in it.
#[derive(Debug)]
struct Found {
    locator: String,
    sha256: Option<String>,
    classes: BTreeSet<String>,
}

/// Writes the graph.
///
/// # Errors
/// When records cannot be read or the output cannot be written.
pub fn write(records: &Records, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut run: Option<Run> = None;
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    records(&mut |record| {
        match record {
            Record::Run(one) => run = Some(*one),
            Record::Examined(one) => places.entry(one.locator).or_default().class = one.class,
            Record::Copy(copy) | Record::Suspect(copy) => {
                let place = places.entry(copy.locator.clone()).or_default();
                place.holds.insert(held(&copy));
            }
            Record::Origin(origin) => add_origin(&mut places, *origin),
            _ => {}
        }
        Ok(())
    })?;
    let context: Map<String, Value> = (PREFIXES.iter())
        .map(|(prefix, iri)| ((*prefix).to_owned(), json!(iri)))
        .collect();
    write!(
        out,
        "{{\"@context\":{},\"@graph\":[",
        Value::Object(context)
    )?;
    let mut graph = Graph {
        items: Items::new(out),
        given: HashSet::new(),
        labels: BTreeSet::new(),
    };
    graph.scan(run.as_ref(), &places)?;
    for (locator, place) in &places {
        graph.place(locator, place)?;
    }
    graph.files(records)?;
    writeln!(out, "\n]}}")?;
    Ok(())
}

fn add_origin(places: &mut BTreeMap<String, Place>, origin: Origin) {
    let Some(url) = origin
        .url
        .filter(|_| origin.present && !origin.locator.is_empty())
    else {
        return;
    };
    let is_proven = origin.certainty == Certainty::Proven;
    let place = places.entry(origin.locator).or_default();
    *place.addresses.entry(url).or_default() |= is_proven;
}

/// What a place holds of a work.
fn held(copy: &Copy) -> String {
    format!(
        "{} of {} {}: {} of {} first-party files match, {:.1} % of their bytes",
        copy.class,
        copy.work,
        copy.release,
        copy.files_matched,
        copy.files_total,
        copy.of_original * 100.0
    )
}

/// The name of an object: of its kind, and of what it is about.
fn name_of(kind: &str, about: &str) -> String {
    format!("kb:{kind}-{}", uuid_of(&format!("case-uco {kind}"), about))
}

fn reference(id: &str) -> Value {
    json!({ "@id": id })
}

/// A digest as the ontology has it; none where the text is no SHA-256.
fn content_facet(about: &str, sha256: Option<&str>) -> Option<Value> {
    let is_digest = |text: &&str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let sha256 = sha256.filter(is_digest)?.to_ascii_lowercase();
    Some(json!({
        "@id": name_of("content-data-facet", about),
        "@type": "uco-observable:ContentDataFacet",
        "uco-observable:hash": {
            "@id": name_of("hash", about),
            "@type": "uco-types:Hash",
            "uco-types:hashMethod": "SHA256",
            "uco-types:hashValue": { "@type": "xsd:hexBinary", "@value": sha256 },
        },
    }))
}

fn class_facet<'c>(about: &str, classes: impl IntoIterator<Item = &'c str>) -> Option<Value> {
    let classes: Vec<Value> = classes
        .into_iter()
        .map(|class| {
            json!({
                "@id": name_of("artifact-classification", &format!("{about}\0{class}")),
                "@type": "uco-analysis:ArtifactClassification",
                "uco-analysis:class": visible(class),
            })
        })
        .collect();
    (!classes.is_empty()).then(|| {
        json!({
            "@id": name_of("artifact-classification-result-facet", about),
            "@type": "uco-analysis:ArtifactClassificationResultFacet",
            "uco-analysis:classification": classes,
        })
    })
}

fn file_facet(about: &str, locator: &str) -> Value {
    let name = locator.rsplit('/').next().unwrap_or(locator);
    json!({
        "@id": name_of("file-facet", about),
        "@type": "uco-observable:FileFacet",
        "uco-observable:fileName": visible(name),
        "uco-observable:filePath": visible(locator),
    })
}

/// The label of the input that a locator begins with.
fn label_of(locator: &str) -> &str {
    let label = locator.split('/').next().unwrap_or(locator);
    label.strip_suffix('!').unwrap_or(label)
}

fn input_name(label: &str) -> String {
    name_of("input", label)
}

/// The graph as it is written.
struct Graph<'w> {
    items: Items<'w>,
    /// Files that were given: 8 bytes each. A place that comes again is another object, since a graph would make both one.
    given: HashSet<u64>,
    /// Inputs that are in the graph.
    labels: BTreeSet<String>,
}

impl Graph<'_> {
    /// The tool, the scan, its inputs, and the record of what it examined.
    fn scan(
        &mut self,
        run: Option<&Run>,
        places: &BTreeMap<String, Place>,
    ) -> Result<(), ExportError> {
        let version = run.map_or("unknown", |run| run.version.as_str());
        let tool = name_of("tool", version);
        self.items.put(&json!({
            "@id": tool,
            "@type": "uco-tool:AnalyticTool",
            "uco-core:name": "strandline",
            "uco-tool:version": version,
        }))?;
        let inputs = run.map(|run| run.inputs.as_slice()).unwrap_or_default();
        for input in inputs {
            let id = input_name(&input.label);
            let mut facets = vec![file_facet(&id, &input.label)];
            facets.extend(content_facet(&id, input.sha256.as_deref()));
            self.labels.insert(input.label.clone());
            self.items.put(&json!({
                "@id": id,
                "@type": "uco-observable:ObservableObject",
                "uco-core:name": visible(&input.label),
                "uco-core:hasFacet": facets,
            }))?;
        }
        let named: Vec<Value> = inputs
            .iter()
            .map(|input| reference(&input_name(&input.label)))
            .collect();
        let examined: Vec<Value> = places
            .keys()
            .map(|locator| reference(&name_of("place", locator)))
            .collect();
        let about = run
            .and_then(|run| run.started.as_deref())
            .unwrap_or_default();
        let record = name_of("provenance-record", about);
        let results = if examined.is_empty() {
            &named
        } else {
            &examined
        };
        // A record of nothing, and an action without inputs, are none.
        if results.is_empty() {
            return Ok(());
        }
        self.items.put(&json!({
            "@id": record,
            "@type": "case-investigation:ProvenanceRecord",
            "uco-core:name": "What was examined",
            "uco-core:object": results,
        }))?;
        let mut action = json!({
            "@id": name_of("investigative-action", about),
            "@type": "case-investigation:InvestigativeAction",
            "uco-core:name": "scan",
            "uco-action:instrument": reference(&tool),
            "uco-action:object": named,
            "uco-action:result": [reference(&record)],
        });
        if !about.is_empty() {
            action["uco-action:startTime"] = json!({ "@type": "xsd:dateTime", "@value": about });
        }
        self.items.put(&action)
    }

    /// A place, where it lies and where it came from.
    fn place(&mut self, locator: &str, place: &Place) -> Result<(), ExportError> {
        let id = name_of("place", locator);
        let mut object = json!({
            "@id": id,
            "@type": "uco-observable:ObservableObject",
            "uco-core:name": visible(locator),
        });
        if !place.holds.is_empty() {
            let holds: Vec<String> = place.holds.iter().map(|text| visible(text)).collect();
            object["uco-core:description"] = json!(holds);
        }
        let class = Some(place.class.as_str()).filter(|class| !class.is_empty());
        if let Some(facet) = class_facet(&id, class) {
            object["uco-core:hasFacet"] = json!([facet]);
        }
        self.items.put(&object)?;
        self.within(&id, locator)?;
        for (url, is_proven) in &place.addresses {
            let address = name_of("url", url);
            if self.is_new("url", url) {
                self.items.put(&json!({
                    "@id": address,
                    "@type": "uco-observable:URL",
                    "uco-core:hasFacet": [{
                        "@id": name_of("url-facet", url),
                        "@type": "uco-observable:URLFacet",
                        "uco-observable:fullValue": visible(url),
                    }],
                }))?;
            }
            let how = if *is_proven {
                "recorded by a person"
            } else {
                "a hint: the place says so of itself"
            };
            self.relate(&id, &address, "Downloaded_From", Some(how))?;
        }
        Ok(())
    }

    /// The files with something in them. Records of one file come one after the other.
    fn files(&mut self, records: &Records) -> Result<(), ExportError> {
        let mut held: Option<Found> = None;
        records(&mut |record| {
            let (locator, sha256, class) = match record {
                Record::Match(found) => {
                    let class = format!(
                        "match {} {} {} {}",
                        found.grade.as_str(),
                        found.work,
                        found.release,
                        found.file
                    );
                    (found.locator, found.sha256, class)
                }
                Record::Exposure(one) => (
                    one.locator,
                    one.sha256,
                    format!("exposure {} {}", one.severity.as_str(), one.class),
                ),
                Record::Secret(one) => (
                    one.locator,
                    one.sha256,
                    format!("secret {} {}", one.severity.as_str(), one.rule),
                ),
                _ => return Ok(()),
            };
            match held.as_mut().filter(|held| held.locator == locator) {
                Some(held) => {
                    held.sha256 = held.sha256.take().or(sha256);
                    held.classes.insert(class);
                }
                None => {
                    let next = Found {
                        locator,
                        sha256,
                        classes: BTreeSet::from([class]),
                    };
                    if let Some(done) = held.replace(next) {
                        self.file(&done)?;
                    }
                }
            }
            Ok(())
        })?;
        held.map_or(Ok(()), |last| self.file(&last))
    }

    fn file(&mut self, found: &Found) -> Result<(), ExportError> {
        let mut about = found.locator.clone();
        while !self.is_new("file", &about) {
            about.push_str("\0again");
        }
        let id = name_of("file", &about);
        let mut facets = vec![file_facet(&id, &found.locator)];
        facets.extend(content_facet(&id, found.sha256.as_deref()));
        facets.extend(class_facet(&id, found.classes.iter().map(String::as_str)));
        self.items.put(&json!({
            "@id": id,
            "@type": "uco-observable:File",
            "uco-core:name": visible(&found.locator),
            "uco-core:hasFacet": facets,
        }))?;
        self.within(&id, &found.locator)
    }

    /// Says in which input something lies, where that is in the graph and is something else.
    fn within(&mut self, id: &str, locator: &str) -> Result<(), ExportError> {
        let label = label_of(locator);
        if !self.labels.contains(label) {
            return Ok(());
        }
        self.relate(id, &input_name(label), "Contained_Within", None)
    }

    fn relate(
        &mut self,
        source: &str,
        target: &str,
        kind: &str,
        how: Option<&str>,
    ) -> Result<(), ExportError> {
        let mut relation = json!({
            "@id": name_of("relationship", &format!("{source} {kind} {target}")),
            "@type": "uco-observable:ObservableRelationship",
            "uco-core:source": reference(source),
            "uco-core:target": reference(target),
            "uco-core:kindOfRelationship": kind,
            "uco-core:isDirectional": true,
        });
        if let Some(how) = how {
            relation["uco-core:description"] = json!(how);
        }
        self.items.put(&relation)
    }

    fn is_new(&mut self, kind: &str, about: &str) -> bool {
        let digest = blake3::hash(format!("{kind}\0{about}").as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&digest.as_bytes()[..8]);
        self.given.insert(u64::from_le_bytes(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(records: &[Value]) -> Value {
        let records: Vec<Record> = records
            .iter()
            .map(|record| serde_json::from_value(record.clone()).unwrap())
            .collect();
        let give = |take: &mut super::super::Take<'_>| records.iter().cloned().try_for_each(take);
        let mut out = Vec::new();
        write(&give, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    fn exposure(locator: &str, class: &str) -> Value {
        json!({"type": "exposure", "class": class, "severity": "high", "certainty": "proven", "locator": locator,
               "hops": [], "sha256": "AB".repeat(32), "detail": ""})
    }

    fn examined(locator: &str) -> Value {
        json!({"type": "examined", "locator": locator, "hops": [], "class": "unrelated"})
    }

    #[test]
    fn a_file_is_one_object_with_all_that_was_found_in_it() {
        let rows = [
            exposure("a/x", "one"),
            exposure("a/x", "two"),
            exposure("a/y", "one"),
            exposure("a/x", "three"),
        ];
        let all = graph(&rows);
        let files: Vec<&Value> = all["@graph"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["@type"] == "uco-observable:File")
            .collect();
        assert_eq!(files.len(), 3);
        let classes = |file: &Value| {
            file["uco-core:hasFacet"][2]["uco-analysis:classification"]
                .as_array()
                .unwrap()
                .len()
        };
        assert_eq!(
            (classes(files[0]), classes(files[1]), classes(files[2])),
            (2, 1, 1)
        );
        let ids: BTreeSet<&str> = files
            .iter()
            .map(|file| file["@id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), 3);
        let hash = &files[0]["uco-core:hasFacet"][1]["uco-observable:hash"]["uco-types:hashValue"]
            ["@value"];
        assert_eq!(hash, &json!("ab".repeat(32)));
    }

    #[test]
    fn every_name_ends_with_an_identifier_and_stands_once() {
        let all = graph(&[examined("a/b"), exposure("a/b", "x"), exposure("a/c", "x")]);
        let mut ids = Vec::new();
        let mut todo = vec![&all["@graph"]];
        while let Some(value) = todo.pop() {
            match value {
                Value::Array(all) => todo.extend(all),
                Value::Object(fields) => {
                    if let Some(id) = fields.get("@id").filter(|_| fields.len() > 1) {
                        ids.push(id.as_str().unwrap().to_owned());
                    }
                    todo.extend(fields.values());
                }
                _ => {}
            }
        }
        let distinct: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        for id in &ids {
            let uuid = &id[id.len() - 36..];
            assert_eq!(
                (uuid.as_bytes()[8], uuid.as_bytes()[14]),
                (b'-', b'5'),
                "{id}"
            );
        }
    }

    #[test]
    fn labels_are_told_from_locators() {
        assert_eq!(label_of("a.tgz!/package/x.js"), "a.tgz");
        assert_eq!(label_of("copies/a.tgz!/x"), "copies");
        assert_eq!(label_of("one"), "one");
    }
}
