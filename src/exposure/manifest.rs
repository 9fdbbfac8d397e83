//! npm's `package.json`: what a package says about itself.
//!
//! Only what a package *declares* is read here. `declared_open` is a claim of the manifest, an OSI licence and a
//! repository that could be public, and reports say it as a claim. A manifest is recognised by its content, an object
//! with a `name` and a `version` that are both strings; lock files and browser extensions look alike and are told
//! apart by keys of their own. Which manifest is *nearest* to an entry, and whether it is called `package.json`, is the
//! engine's to know.
//!
//! Reading is lenient where npm is: a byte-order mark, keys given twice (the last one counts), the object and array
//! spellings of `license` from before 2013.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use bytes::Bytes;

use super::address;
use super::content::Read;
use crate::container::json::{Token, Tokens};

/// A larger file is no manifest that a person wrote; bytes.
const MAX_BYTES: usize = 8 << 20;

/// A longer licence expression is not evaluated; bytes.
const MAX_EXPRESSION: usize = 1024;

/// What a package says about itself.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Manifest {
    /// `npm` so far.
    pub ecosystem: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its licence as written; several of the old array form are joined with ` OR `.
    pub licence: Option<String>,
    /// Its repository as written.
    pub repository: Option<String>,
    /// It says `private: true`.
    pub private: bool,
    /// It declares an OSI-approved licence and a repository that is public by its structure.
    pub declared_open: bool,
}

impl Manifest {
    /// Reads a `package.json`. `None` for anything else, at the price of two substring searches in most cases.
    pub fn from_npm(bytes: &[u8]) -> Option<Manifest> {
        match Manifest::read_npm(bytes) {
            Read::Is(manifest) => Some(manifest),
            Read::IsNot | Read::TooLarge => None,
        }
    }

    /// The same; says of a larger file whether its first keys are those of one.
    pub(super) fn read_npm(bytes: &[u8]) -> Read<Manifest> {
        let bytes = bytes
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(bytes)
            .trim_ascii_start();
        if bytes.first() != Some(&b'{') || begins_with_version_number(bytes) {
            return Read::IsNot;
        }
        if bytes.len() > MAX_BYTES {
            return if begins_as_manifest(bytes) {
                Read::TooLarge
            } else {
                Read::IsNot
            };
        }
        if !has_both_keys(bytes) {
            return Read::IsNot;
        }
        Manifest::parse(bytes).into()
    }

    fn parse(bytes: &[u8]) -> Option<Manifest> {
        let fields: Fields = serde_json::from_slice(bytes).ok()?;
        let (name, version) = (fields.name?, fields.version?);
        if name.trim().is_empty() {
            return None;
        }
        let licence = fields
            .licence
            .as_ref()
            .and_then(licence_text)
            .or(fields.licences.as_ref().and_then(licence_text));
        let repository = fields.repository.as_ref().and_then(repository_text);
        let declared_open = !fields.private
            && licence.as_deref().is_some_and(has_osi_way)
            && repository.as_deref().is_some_and(is_public_by_structure);
        Some(Manifest {
            ecosystem: "npm".into(),
            name,
            version: Some(version),
            licence,
            repository,
            private: fields.private,
            declared_open,
        })
    }

    /// Whether it states an open licence, or another one; `None` where it says nothing of that.
    pub fn states_open(&self) -> Option<bool> {
        if self.private {
            return Some(false);
        }
        states_open(self.licence.as_deref()?)
    }

    /// Whether it says that nobody outside may have it: private, `UNLICENSED`, or no licence at all.
    pub fn is_proprietary(&self) -> bool {
        self.private || self.licence.as_deref().is_none_or(says_unlicensed)
    }

    /// The scope of its name with the `@`, where it has one.
    pub fn scope(&self) -> Option<&str> {
        self.name
            .split_once('/')
            .map(|(scope, _)| scope)
            .filter(|scope| scope.starts_with('@'))
    }
}

/// `{"version":3,…`: how nearly every source map begins. Told before anything is searched, since maps are large.
fn begins_with_version_number(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    for prefix in [&b"{"[..], b"\"version\"", b":"] {
        match rest.trim_ascii_start().strip_prefix(prefix) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.trim_ascii_start().first() != Some(&b'"')
}

/// Whether the outermost object has both keys near its beginning, as texts. Npm writes them first.
fn begins_as_manifest(bytes: &[u8]) -> bool {
    /// How far they are looked for; bytes.
    const HEAD: usize = 64 << 10;
    let (mut depth, mut open, mut key) = (0_u64, [false; 2], None);
    for token in Tokens::new(Bytes::copy_from_slice(&bytes[..HEAD.min(bytes.len())])) {
        match token {
            Token::Open(_) => depth += 1,
            Token::Close(_) => depth = depth.saturating_sub(1),
            Token::Key(name) if depth == 1 => {
                key = [&b"name"[..], b"version"]
                    .iter()
                    .position(|one| *one == name);
                continue;
            }
            Token::Text(_) if depth == 1 => {
                if let Some(has) = key.and_then(|key| open.get_mut(key)) {
                    *has = true;
                }
            }
            _ => {}
        }
        key = None;
    }
    open == [true; 2]
}

/// Whether both keys could be there; parsing says whether they are.
fn has_both_keys(bytes: &[u8]) -> bool {
    [&b"\"name\""[..], b"\"version\""]
        .iter()
        .all(|key| memchr::memmem::find(bytes, key).is_some())
}

/// npm's word for "all rights reserved", in the spellings found in the wild.
fn says_unlicensed(licence: &str) -> bool {
    let word = licence.trim().to_ascii_lowercase();
    matches!(
        word.as_str(),
        "" | "unlicensed"
            | "proprietary"
            | "none"
            | "all rights reserved"
            | "commercial"
            | "private"
    )
}

/// Whether a licence expression states an open licence, or another one; `None` where it says nothing, or only where the
/// licence is.
pub fn states_open(licence: &str) -> Option<bool> {
    let word = licence.trim().to_ascii_uppercase();
    let says_nothing = matches!(word.as_str(), "" | "NOASSERTION") || word.starts_with("SEE LICEN");
    (!says_nothing).then(|| has_osi_way(licence))
}

/// Whether a licence expression can be satisfied with OSI-approved licences alone.
///
/// SPDX expressions (SPDX 2.3, annex D), read leniently: deprecated ids, `/` for `OR`, common misspellings, and the
/// wordings `The … License`. `UNLICENSED` and `SEE LICENSE IN …` are no licences.
fn has_osi_way(licence: &str) -> bool {
    let licence = licence.trim();
    if licence.len() > MAX_EXPRESSION || says_unlicensed(licence) {
        return false;
    }
    if licence.to_ascii_uppercase().starts_with("SEE LICEN") {
        return false;
    }
    evaluates_to_osi(licence) || evaluates_to_osi(plain_name(licence))
}

fn evaluates_to_osi(expression: &str) -> bool {
    spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|requirement| {
            requirement
                .license
                .id()
                .is_some_and(spdx::LicenseId::is_osi_approved)
        })
    })
}

/// `The MIT License` and `MIT*` as `MIT`.
fn plain_name(licence: &str) -> &str {
    let without = |text: &'_ str, word: &str| -> Option<usize> {
        let at = text.len().checked_sub(word.len())?;
        text.get(at..)
            .filter(|end| end.eq_ignore_ascii_case(word))
            .map(|_| at)
    };
    let mut name = licence.trim_end_matches(['*', '.']);
    if name
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("the "))
    {
        name = &name[4..];
    }
    for word in [" license", " licence"] {
        if let Some(at) = without(name, word) {
            name = &name[..at];
        }
    }
    name.trim()
}

/// Whether a repository could be public, by its text alone: an address whose host is no internal name.
fn is_public_by_structure(repository: &str) -> bool {
    address::repository(repository).is_some_and(|address| !address::is_internal_host(&address.host))
}

/// `"MIT"`, `{"type": "MIT"}`, or an array of either.
fn licence_text(value: &Value) -> Option<String> {
    let one = |value: &Value| -> Option<String> {
        let text = value
            .as_str()
            .or_else(|| value.get("type")?.as_str())
            .or_else(|| value.get("name")?.as_str())?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    match value {
        Value::Array(several) => {
            let names: Vec<String> = several.iter().filter_map(one).collect();
            if names.is_empty() {
                None
            } else {
                Some(names.join(" OR "))
            }
        }
        value => one(value),
    }
}

/// `"acme/cli"` or `{"type": "git", "url": "…"}`.
fn repository_text(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value.get("url")?.as_str())?;
    // It may carry a password, which nobody has to remember later.
    super::Location::read(text.trim()).map(|location| location.shown)
}

/// The keys that matter, collected without building the rest.
#[derive(Default)]
struct Fields {
    name: Option<String>,
    version: Option<String>,
    licence: Option<Value>,
    licences: Option<Value>,
    repository: Option<Value>,
    private: bool,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a package manifest")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                // A number here (a source map, a cache) ends the reading at once.
                "name" => fields.name = Some(map.next_value()?),
                "version" => fields.version = Some(map.next_value()?),
                "license" => fields.licence = Some(map.next_value()?),
                "licenses" => fields.licences = Some(map.next_value()?),
                "repository" => fields.repository = Some(map.next_value()?),
                "private" => {
                    let value: Value = map.next_value()?;
                    fields.private = value == Value::Bool(true) || value.as_str() == Some("true");
                }
                // Lock files and browser extensions carry a name and a version too.
                "lockfileVersion" | "manifest_version" => {
                    return Err(A::Error::custom("no manifest"));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(rest: &str) -> Manifest {
        let text = format!("{{\"name\":\"x\",\"version\":\"1.0.0\"{rest}}}");
        Manifest::from_npm(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
    }

    fn open(licence: &str, repository: &str) -> bool {
        manifest(&format!(
            ",\"license\":{licence},\"repository\":{repository}"
        ))
        .declared_open
    }

    #[test]
    fn a_manifest_is_read_whatever_its_spelling() {
        let text = "\u{feff} {\"name\":\"@acme/cli\",\"version\":\"2.1.0\",\"license\":\"MIT\",\"private\":false,\
            \"repository\":{\"type\":\"git\",\"url\":\"git+https://github.com/acme/cli.git\"},\"x\":[{}]}\n";
        let found = Manifest::from_npm(text.as_bytes()).unwrap();
        assert_eq!(
            (found.ecosystem.as_str(), found.name.as_str()),
            ("npm", "@acme/cli")
        );
        assert_eq!(found.version.as_deref(), Some("2.1.0"));
        assert_eq!(
            found.repository.as_deref(),
            Some("git+https://github.com/acme/cli.git")
        );
        assert_eq!(found.scope(), Some("@acme"));
        assert!(found.declared_open && !found.private && !found.is_proprietary());
        assert_eq!(
            manifest(",\"licenses\":[{\"type\":\"MIT\"},\"Apache-2.0\"]")
                .licence
                .as_deref(),
            Some("MIT OR Apache-2.0")
        );
        assert_eq!(
            manifest(",\"license\":{\"type\":\"ISC\"}")
                .licence
                .as_deref(),
            Some("ISC")
        );
        assert_eq!(
            manifest(",\"license\":\"ISC\",\"license\":\"MIT\"")
                .licence
                .as_deref(),
            Some("MIT")
        );
        assert_eq!(manifest(",\"license\":\"\"").licence, None);
        assert_eq!(
            manifest(",\"license\":7,\"repository\":[]").repository,
            None
        );
    }

    #[test]
    fn other_json_is_no_manifest() {
        for text in [
            "",
            "{}",
            "[]",
            "null",
            "{\"name\":\"x\"}",
            "{\"version\":\"1\"}",
            "{\"name\":1,\"version\":\"1\"}",
            "{\"version\":3,\"sources\":[],\"name\":\"x\"}",
            " { \"version\" : 3 , \"name\": \"x\"}",
            "{\"version\":",
            "{\"name\":\"\",\"version\":\"1\"}",
            "{\"name\":\"x\",\"version\":\"1\",\"lockfileVersion\":3}",
            "{\"name\":\"x\",\"version\":\"1\",\"manifest_version\":3}",
            "{\"name\":\"x\",\"version\":\"1\"",
            "{\"name\":\"x\",\"version\":\"1\"} x",
            "\"name\" \"version\"",
        ] {
            assert_eq!(Manifest::from_npm(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_or_read_without_harm() {
        let deep = "[".repeat(200_000);
        let text = format!("{{\"name\":\"x\",\"version\":\"1\",\"repository\":{deep}");
        assert_eq!(Manifest::from_npm(text.as_bytes()), None);
        let text = format!(
            "{{\"name\":\"x\",\"version\":\"1\",\"other\":{deep}{}}}",
            "]".repeat(200_000)
        );
        assert!(Manifest::from_npm(text.as_bytes()).is_some());
        let licence = "(".repeat(1000);
        assert!(!open(&format!("\"{licence}\""), "\"acme/x\""));
    }

    #[test]
    fn open_needs_an_osi_way_and_a_public_repository() {
        for licence in [
            "MIT",
            "(MIT OR Apache-2.0)",
            "MIT OR LicenseRef-Acme",
            "Apache 2.0",
            "BSD",
            "The MIT License",
            "MIT*",
            "GPL-3.0",
            "MIT/Apache-2.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "0BSD",
            "Unlicense",
            "mit",
        ] {
            assert!(open(&format!("\"{licence}\""), "\"acme/x\""), "{licence}");
        }
        for licence in [
            "UNLICENSED",
            "unlicensed",
            "SEE LICENSE IN LICENSE.md",
            "LicenseRef-Acme",
            "MIT AND LicenseRef-Acme",
            "BUSL-1.1",
            "CC-BY-NC-4.0",
            "",
            "mitigated",
            "Acme licence 1.0",
        ] {
            assert!(!open(&format!("\"{licence}\""), "\"acme/x\""), "{licence}");
        }
        for repository in [
            "\"https://git.corp.acme.com/x/y\"",
            "\"git@gitserver:x/y.git\"",
            "\"file:../x\"",
            "null",
            "\"https://10.0.0.1/x/y\"",
            "{\"type\":\"git\"}",
            "\"\"",
        ] {
            assert!(!open("\"MIT\"", repository), "{repository}");
        }
        assert!(
            !manifest(",\"license\":\"MIT\",\"repository\":\"acme/x\",\"private\":true")
                .declared_open
        );
    }

    #[test]
    fn proprietary_is_said_not_guessed() {
        for rest in [
            "",
            ",\"license\":\"UNLICENSED\"",
            ",\"license\":\"MIT\",\"private\":true",
        ] {
            assert!(manifest(rest).is_proprietary(), "{rest}");
        }
        for rest in [
            ",\"license\":\"MIT\"",
            ",\"license\":\"SEE LICENSE IN LICENSE.md\"",
        ] {
            assert!(!manifest(rest).is_proprietary(), "{rest}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(tail in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            let mut bytes = b"{\"name\":\"x\",\"version\":\"1\",\"license\":".to_vec();
            bytes.extend(tail);
            let _ = Manifest::from_npm(&bytes);
        }
    }
}
