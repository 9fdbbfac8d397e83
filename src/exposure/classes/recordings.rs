//! Recorded traffic: cassettes of test libraries, collections and variables of API clients, captures of browsers.
//!
//! People record against a live service with a live token, and the recording keeps both. A HAR is a container here; its
//! headers and cookies are looked at before it is opened.

use serde_json::Value;

use super::circumstance::CREDENTIALS;
use super::json::{Document, each_text, text_of};
use super::text::{Credentials, Text, counted};
use super::yaml;
use super::{Artifact, bounded_json};

const CLASS: &str = "recorded-traffic";

/// Headers that carry a login.
const HEADERS: [&str; 6] = [
    "authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "proxy-authorization",
    "x-auth-token",
];

fn is_header(name: &str) -> bool {
    HEADERS
        .iter()
        .any(|header| name.eq_ignore_ascii_case(header))
}

fn artifact(what: String, found: &Credentials) -> Artifact {
    let circumstance = if found.is_live() { CREDENTIALS } else { "" };
    Artifact::proven(CLASS, circumstance, format!("{what}: {found}"))
}

/// Cassettes in YAML: `http_interactions` (VCR) or `interactions` (vcrpy, go-vcr), each with a request.
pub fn read_cassette(text: &Text<'_>) -> Option<Artifact> {
    if !text.has_key("http_interactions") && !text.has_key("interactions") {
        return None;
    }
    let documents = yaml::documents(text)?;
    cassette(documents.first()?)
}

/// The same in JSON.
pub fn cassette_json(document: &Document<'_>) -> Option<Artifact> {
    cassette(&document.value()?)
}

fn cassette(value: &Value) -> Option<Artifact> {
    let turns = value
        .get("http_interactions")
        .or(value.get("interactions"))?
        .as_array()?;
    let mut found = Credentials::default();
    for turn in turns {
        for side in ["request", "response"] {
            for (name, values) in turn
                .get(side)?
                .get("headers")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if is_header(name) {
                    each_text(values, &mut |_, text| add(text, &mut found));
                    if let Some(text) = values.as_str() {
                        add(text, &mut found);
                    }
                }
            }
        }
    }
    let count = u32::try_from(turns.len()).unwrap_or(u32::MAX);
    (count > 0).then(|| {
        artifact(
            format!("a recording of {}", counted(count, "request")),
            &found,
        )
    })
}

/// A header's value without the word that says how it is to be read.
fn add(value: &str, found: &mut Credentials) {
    let value = value.trim();
    let bare = ["Bearer ", "Basic ", "token ", "bearer "]
        .iter()
        .find_map(|word| value.strip_prefix(word));
    found.add(bare.unwrap_or(value));
}

/// A collection of an API client: `info.schema`, and items with requests.
pub fn collection(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let info = value.get("info")?;
    text_of(info, "schema").filter(|schema| schema.contains("collection"))?;
    let items = value.get("item")?.as_array()?.len();
    let mut found = Credentials::default();
    add_pairs(&value, &mut found);
    let count = u32::try_from(items).unwrap_or(u32::MAX);
    Some(artifact(
        format!(
            "a collection of an API client with {}",
            counted(count, "item")
        ),
        &found,
    ))
}

/// Variables of an API client: `values` with `key`, `value` and whether they are in use.
pub fn variables(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let values = value.get("values")?.as_array()?;
    let is_variable = |value: &Value| {
        value.get("key").is_some() && value.get("value").is_some() && value.get("enabled").is_some()
    };
    if values.is_empty() || !values.iter().all(is_variable) {
        return None;
    }
    let mut found = Credentials::default();
    add_pairs(&value, &mut found);
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    Some(artifact(
        format!("{} of an API client", counted(count, "variable")),
        &found,
    ))
}

/// Pairs of `key` (or `name`) and `value`, wherever they stand: headers by their names, the rest as settings.
fn add_pairs(value: &Value, found: &mut Credentials) {
    const VALUES_MAX: usize = 1 << 20;
    let mut open = vec![value];
    let mut seen = 0;
    while let Some(value) = open.pop() {
        seen += 1;
        if seen > VALUES_MAX {
            return;
        }
        let name = text_of(value, "key").or(text_of(value, "name"));
        if let (Some(name), Some(text)) = (name, text_of(value, "value")) {
            if is_header(name) {
                add(text, found);
            } else {
                found.add_setting(name, text);
            }
        }
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
}

/// A capture is parsed as a whole up to this size; bytes.
const HAR_MAX: usize = 8 << 20;

/// A HAR, which the engine knows to be one.
pub fn har(bytes: &[u8]) -> Artifact {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let parsed: Option<Value> = (bytes.len() <= HAR_MAX)
        .then(|| bounded_json::read(bytes))
        .flatten();
    let Some(value) = parsed else {
        return Artifact::proven(CLASS, "", "a capture of a browser, headers not read");
    };
    let entries = value
        .get("log")
        .and_then(|log| log.get("entries"))
        .and_then(Value::as_array);
    let mut found = Credentials::default();
    let mut cookies = 0_u32;
    for entry in entries.into_iter().flatten() {
        for side in ["request", "response"] {
            let Some(side) = entry.get(side) else {
                continue;
            };
            for header in side
                .get("headers")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                if let (Some(name), Some(text)) =
                    (text_of(header, "name"), text_of(header, "value"))
                    && is_header(name)
                {
                    add(text, &mut found);
                }
            }
            let listed = side
                .get("cookies")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            cookies = cookies.saturating_add(u32::try_from(listed).unwrap_or(u32::MAX));
        }
    }
    artifact(
        format!("a capture of a browser, {}", counted(cookies, "cookie")),
        &found,
    )
}
