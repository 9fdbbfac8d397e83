//! Recorded traffic: cassettes of test libraries, collections and variables of API clients, captures of browsers.
//!
//! People record against a live service with a live token, and the recording keeps both. A HAR is a container here; its
//! headers and cookies are looked at before it is opened.

use bytes::Bytes;
use serde_json::Value;

use super::Artifact;
use super::circumstance::CREDENTIALS;
use super::json::{Document, each_text, text_of};
use super::text::{Credentials, Text, counted};
use super::yaml;
use crate::container::json::{Shape, Token, Tokens, unescape};

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
    let mut open = vec![value];
    while let Some(value) = open.pop() {
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

/// Where in a capture a token stands, as far as headers and cookies go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Elsewhere,
    /// A request or a response.
    Side,
    /// The headers of one, and one of them.
    Headers,
    Header,
    /// The cookies of one.
    Cookies,
}

impl Place {
    /// The place within a bracket that opens behind `key`.
    fn within(self, key: Option<&[u8]>, shape: Shape) -> Place {
        match (self, key, shape) {
            (Place::Elsewhere, Some(b"request" | b"response"), Shape::Object) => Place::Side,
            (Place::Side, Some(b"headers"), Shape::Array) => Place::Headers,
            (Place::Side, Some(b"cookies"), Shape::Array) => Place::Cookies,
            (Place::Headers, None, Shape::Object) => Place::Header,
            _ => Place::Elsewhere,
        }
    }
}

/// Brackets within one another that are told apart; what lies deeper holds no headers.
const DEPTH_MAX: usize = 64;

/// A HAR, which the engine knows to be one. It is read token by token, so that neither its size nor a fault in it hides
/// the headers (HAR 1.2, "headers", "cookies").
pub fn har(document: &Bytes) -> Artifact {
    let (mut found, mut cookies) = (Credentials::default(), 0_u32);
    let mut places: Vec<Place> = Vec::new();
    let mut deeper = 0_u64;
    let mut key: Option<Bytes> = None;
    let mut header: [Option<Bytes>; 2] = [None, None];
    for token in Tokens::new(document.clone()) {
        let place = places.last().copied().unwrap_or(Place::Elsewhere);
        match token {
            Token::Open(_) if places.len() == DEPTH_MAX => deeper += 1,
            Token::Open(shape) => {
                if place == Place::Cookies && shape == Shape::Object {
                    cookies = cookies.saturating_add(1);
                }
                header = [None, None];
                places.push(place.within(key.as_deref(), shape));
            }
            Token::Close(_) if deeper > 0 => deeper -= 1,
            Token::Close(_) => {
                if place == Place::Header
                    && let [Some(name), Some(value)] = &header
                    && is_header(&String::from_utf8_lossy(&unescape(name)))
                {
                    add(&String::from_utf8_lossy(&unescape(value)), &mut found);
                }
                places.pop();
            }
            Token::Key(name) => {
                key = Some(name);
                continue;
            }
            Token::Text(text) if place == Place::Header && deeper == 0 => match key.as_deref() {
                Some(b"name") => header[0] = Some(text),
                Some(b"value") => header[1] = Some(text),
                _ => {}
            },
            Token::Text(_) | Token::Word(_) => {}
        }
        key = None;
    }
    artifact(
        format!("a capture of a browser, {}", counted(cookies, "cookie")),
        &found,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A capture with `fill` bytes in a body before the entry that matters.
    fn capture(fill: usize, cookie: &str) -> Bytes {
        let header = |name: &str, value: &str| json!({"name": name, "value": value});
        let entry = |headers: Value, body: String| {
            json!({
                "request": {"headers": headers, "cookies": [{"name": "a", "value": "b"}, {}]},
                "response": {"headers": [], "content": {"text": body, "headers": [header("cookie", "x")]}},
            })
        };
        let first = entry(json!([]), "x".repeat(fill));
        let second = entry(
            json!([header("Accept", "*/*"), header("Cookie", cookie)]),
            String::new(),
        );
        json!({"log": {"version": "1.2", "entries": [first, second]}})
            .to_string()
            .into()
    }

    #[test]
    fn headers_of_a_capture_are_read_whatever_its_size() {
        for fill in [10, 9 << 20] {
            let artifact = har(&capture(fill, "session=q8Zt5vKx0Wb3q8Zt5vKx"));
            assert_eq!(artifact.circumstance, CREDENTIALS, "{}", artifact.detail);
            assert!(artifact.detail.contains("4 cookies"), "{}", artifact.detail);
        }
        assert_eq!(har(&capture(10, "")).circumstance, "");
        // A fault costs what it covers.
        let mut torn = capture(10, "session=q8Zt5vKx0Wb3q8Zt5vKx").to_vec();
        torn.truncate(torn.len() - 2);
        assert_eq!(har(&torn.into()).circumstance, CREDENTIALS);
        let deep = "[".repeat(1 << 20);
        assert_eq!(har(&deep.into()).circumstance, "");
    }
}
