//! Who reads the report, and what they may see of it.
//!
//! Three views come from one case. *Internal* shows everything that the records hold; secrets are redacted in those
//! already. *Counsel* is for people who judge duties and rights: the same figures and rows, without the previews of
//! secrets and without the values of items that only help an attacker: numbers in the order in which they first appear stand in
//! their place. Few addresses are private and few things are called insecure, so that a digest without a key could be
//! found by trying. *Public* is for everybody: figures only, with a
//! pseudonym wherever the input said something.
//!
//! The public view is made before anything is counted: each record is turned into one in which nothing of the input is
//! left, and the report is built from those. So no table, sentence or drawing can give away what it never held. The
//! rule is "deny what is not named": a record is taken apart as JSON, and every string in it becomes a pseudonym unless its key is
//! on the short list of those whose words the program chooses itself, and the word has the shape of such words. A field
//! that is added to a record one day is covered by that, without anybody thinking of it.
//!
//! Pseudonyms of the public view are keyed (BLAKE3): with the user's `--case-key`, so that two reports of one case speak of the same
//! things by the same names; else with random bytes that nobody keeps, so that two public reports cannot be joined, nor a guess be tested.
//! What stays: how paths are nested, `node_modules`, and the ending of a file's name where it says the language. Sizes
//! and counts of what was read are exact in all views: who holds the same files can tell by them that they are the same.

use hashbrown::HashMap;
use serde_json::Value;

use super::ReportError;
use super::copies::day;
use super::inventory::INTERNAL;
use super::size::language_ending;
use crate::exposure::inventory::is_worry;
use crate::exposure::yara::CLASS_PREFIX;
use crate::record::{Item, Record};

/// Who reads the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Those who handle the incident.
    #[default]
    Internal,
    /// Legal counsel.
    Counsel,
    /// Everybody.
    Public,
}

impl View {
    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            View::Internal => "internal",
            View::Counsel => "counsel",
            View::Public => "public",
        }
    }

    /// What it leaves out, in a sentence.
    pub fn leaves_out(self) -> &'static str {
        match self {
            View::Internal => "Shows all that the records hold; secrets are redacted.",
            View::Counsel => {
                "Leaves out previews of secrets, and values of items that mainly help an attacker: numbers stand in their place, in the order in which they first appear, so that the same number may mean something else in another report. Figures are those of the internal view."
            }
            View::Public => {
                "Holds no secret, no line of a source, and no name or path of the input: pseudonyms (keyed digests) stand in their place. Dates of publication and of commits, downloads and digests are withheld too. Other figures are those of the internal view. Action lists are not part of it."
            }
        }
    }

    /// Whether digests of contents and archives are shown.
    pub(super) fn shows_digests(self) -> bool {
        self != View::Public
    }
}

/// What stands where a text is left out.
pub(super) const WITHHELD: &str = "withheld in this view";

/// `derive_key` context of the key of pseudonyms, also from a key file.
pub const PSEUDONYM_CONTEXT: &str = "strandline report 1: pseudonyms of the public view";

/// Hex digits of a pseudonym: 48 bits, so that a million names have few that fall together.
const PSEUDONYM_DIGITS: usize = 12;

/// Bytes of a digest that tells values apart; it leaves the process nowhere.
const NUMBERED_BYTES: usize = 16;

/// Longest word of the program's own.
const WORD_CHARS: usize = 40;

/// Turns records into those of a view.
pub(super) struct Mask {
    view: View,
    key: [u8; 32],
    /// The user gave no key.
    is_unkeyed: bool,
    /// Numbers of the values that counsel is not shown, by their digests.
    numbers: HashMap<[u8; NUMBERED_BYTES], usize>,
}

impl Mask {
    /// `key` is any secret material; pseudonyms are keyed by what is derived from it.
    pub(super) fn new(view: View, key: &[u8]) -> Self {
        Self {
            view,
            key: blake3::derive_key(PSEUDONYM_CONTEXT, key),
            is_unkeyed: key.is_empty(),
            numbers: HashMap::new(),
        }
    }

    /// The record as the view may hold it.
    ///
    /// # Errors
    /// A record that cannot be made again from what is left: a field of a kind that this module does not know. Loud,
    /// because the other way out would be to show it.
    pub(super) fn apply(&mut self, record: Record) -> Result<Record, ReportError> {
        match self.view {
            View::Internal => Ok(record),
            View::Counsel => Ok(self.for_counsel(record)),
            View::Public => self.publish(&record),
        }
    }

    fn publish(&self, record: &Record) -> Result<Record, ReportError> {
        let kind = record.kind();
        let failed = |error: serde_json::Error| ReportError::View {
            kind,
            reason: error.to_string(),
        };
        let Value::Object(fields) = serde_json::to_value(record).map_err(failed)? else {
            return Err(ReportError::View {
                kind,
                reason: "not an object".to_owned(),
            });
        };
        // A rule of the user's own may be called after what it looks for.
        let is_users = fields
            .get("tier")
            .and_then(Value::as_str)
            .is_some_and(|tier| tier == "user" || tier == "known");
        let masked = fields
            .into_iter()
            .map(|(key, value)| {
                let value = self.field(kind, &key, value, is_users);
                (key, value)
            })
            .collect();
        let mut masked: Record = serde_json::from_value(Value::Object(masked)).map_err(failed)?;
        // It is never written, and decides which records are one credential.
        if let (Record::Secret(masked), Record::Secret(secret)) = (&mut masked, record) {
            masked.length = secret.length;
        }
        Ok(masked)
    }

    fn for_counsel(&mut self, record: Record) -> Record {
        match record {
            Record::Secret(mut secret) => {
                WITHHELD.clone_into(&mut secret.redacted);
                secret.detail = None;
                Record::Secret(secret)
            }
            Record::Item(mut item) => {
                let is_withheld = FOR_MENDERS.contains(&item.kind.as_str()) || tells(&item);
                if is_withheld {
                    // Distinct values stay distinct, and say nothing.
                    item.value = self.withheld(&item.value);
                }
                item.detail = match item.detail {
                    Some(said) if !is_withheld && !names_private_address(&said) => Some(said),
                    // That a host is internal sets an axis in each view.
                    Some(said) if is_axis(&said) => Some(INTERNAL.to_owned()),
                    _ => None,
                };
                Record::Item(item)
            }
            other => other,
        }
    }

    /// What stands for a value that counsel is not shown: its number, or under a key of the user's own its pseudonym.
    fn withheld(&mut self, value: &str) -> String {
        if !self.is_unkeyed {
            return self.pseudonym("value", value);
        }
        let digest = self.keyed("value", value);
        let mut short = [0; NUMBERED_BYTES];
        short.copy_from_slice(&digest.as_bytes()[..NUMBERED_BYTES]);
        let next = self.numbers.len() + 1;
        let number = self.numbers.entry(short).or_insert(next);
        format!("value-{number}")
    }

    fn field(&self, record: &str, key: &str, value: Value, is_users: bool) -> Value {
        match (record, key) {
            ("source", "name") => self.value("url", value),
            (_, "type") | ("run", "version" | "program" | "rules" | "started" | "wall") => value,
            // Where a thing stands within stores and images says nothing that a public report needs.
            (_, "git" | "image" | "mapped" | "elsewhere" | "release_basis" | "wall") => Value::Null,
            // Names of headers are the input's, and who fetched what is for those who handle the incident.
            ("origin", "acquired") => Value::Null,
            // A day says when it spread; a second names the commit.
            ("copy" | "suspect", "dates") => days_of(&value),
            ("origin", "seen_at") => value.as_str().and_then(day).into(),
            ("lineage", "first") => Value::Null,
            // A list of dates of publication names the package as well as its name does.
            // So does how often it was fetched, which registries tell everybody.
            ("release", "published" | "published_by" | "downloads") => Value::Null,
            ("since", "window") => {
                serde_json::json!({"from": null, "until": null, "seconds": null})
            }
            // The path of a map, where it is about a map.
            ("since", "what") => self.value("what", value),
            ("since", "introduced" | "not_before" | "last" | "removed" | "absent_between")
            | ("release", "previous") => self.value("version", value),
            (_, "hops" | "errors" | "ranges") => Value::Array(Vec::new()),
            // What is not stated and what is not shown are two things.
            ("package", "licence") if value.is_string() => Value::String(WITHHELD.to_owned()),
            // That a host is internal sets an axis in each view.
            ("item", "detail") if value.as_str().is_some_and(is_axis) => {
                Value::String(INTERNAL.to_owned())
            }
            (_, "detail" | "redacted" | "party_reason") if value.is_string() => {
                Value::String(WITHHELD.to_owned())
            }
            (_, "rule") if is_users => self.value(key, value),
            (_, key) if OWN_WORDS.contains(&key) => self.own_words(value),
            _ => self.value(key, value),
        }
    }

    /// A value whose strings the program chose; what does not look like that becomes a pseudonym.
    fn own_words(&self, value: Value) -> Value {
        match value {
            Value::String(word) => Value::String(self.own_word(word)),
            Value::Object(counts) => {
                let rows = counts.into_iter();
                Value::Object(
                    rows.map(|(key, value)| (self.own_word(key), self.value("", value)))
                        .collect(),
                )
            }
            Value::Array(rows) => {
                Value::Array(rows.into_iter().map(|row| self.own_words(row)).collect())
            }
            other => other,
        }
    }

    fn own_word(&self, word: String) -> String {
        if is_own_word(&word) {
            word
        } else if let Some(rule) = word.strip_prefix(CLASS_PREFIX) {
            // That it is a match of a rule of the user's own decides what it counts on.
            format!("{CLASS_PREFIX}{}", self.pseudonym("word", rule))
        } else {
            self.pseudonym("word", &word)
        }
    }

    /// Any other value: strings become pseudonyms, numbers and truth values stay.
    fn value(&self, key: &str, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(key, &text)),
            Value::Array(rows) => {
                Value::Array(rows.into_iter().map(|row| self.value(key, row)).collect())
            }
            Value::Object(fields) => {
                let masked = fields.into_iter().map(|(key, value)| {
                    let value = if OWN_WORDS.contains(&key.as_str()) {
                        self.own_words(value)
                    } else {
                        self.value(&key, value)
                    };
                    (key, value)
                });
                Value::Object(masked.collect())
            }
            other => other,
        }
    }

    fn text(&self, key: &str, text: &str) -> String {
        match key {
            // Told apart by it, and never shown.
            "sha256" => self.digest(text),
            "locator" | "map" | "url" | "found" | "root" | "family" | "parent" | "parent_url"
            | "parent_ties" | "network" => self.path(text),
            "label" => self.component(text),
            "value" => self.pseudonym("value", text),
            "name" | "version" | "work" | "release" => self.pseudonym(key, text),
            "target" => self.pseudonym("target", text),
            _ => self.pseudonym("text", text),
        }
    }

    /// A locator or path, component by component: how things are nested stays.
    fn path(&self, path: &str) -> String {
        let parts: Vec<String> = path.split('/').map(|part| self.component(part)).collect();
        parts.join("/")
    }

    fn component(&self, part: &str) -> String {
        let (name, opens) = match part.strip_suffix('!') {
            Some(name) => (name, "!"),
            None => (part, ""),
        };
        let offset = name.strip_prefix('@');
        let is_shape = matches!(name, "" | "." | ".." | "node_modules")
            || offset.is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            });
        if is_shape {
            return part.to_owned();
        }
        // A scope of packages and the scheme of an address shape the tree of folders.
        let scope = if offset.is_some() { "@" } else { "" };
        let end = if name.ends_with(':') {
            ":"
        } else {
            language_ending(name).unwrap_or_default()
        };
        format!("{scope}{}{end}{opens}", self.pseudonym("p", name))
    }

    fn pseudonym(&self, kind: &str, text: &str) -> String {
        let digest = self.keyed(kind, text).to_hex();
        let short = digest.get(..PSEUDONYM_DIGITS).unwrap_or_default();
        format!("{kind}-{short}")
    }

    fn digest(&self, text: &str) -> String {
        self.keyed("sha256", text).to_hex().to_string()
    }

    fn keyed(&self, kind: &str, text: &str) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(kind.as_bytes());
        hasher.update(&[0]);
        hasher.update(text.as_bytes());
        hasher.finalize()
    }
}

/// Keys whose words the program chooses: enums, ids of its rules, codes, and maps of counts by such words.
const OWN_WORDS: [&str; 36] = [
    "inventory",
    "subject",
    "jumps",
    "severity",
    "certainty",
    "party",
    "status",
    "kind",
    "check",
    "tier",
    "ecosystem",
    "grade",
    "grades",
    "basis",
    "class",
    "rule",
    "code",
    "confidence",
    "role",
    "state",
    "written",
    "by",
    "standing",
    "decoders",
    "exposures",
    "skipped",
    "damaged",
    "other",
    "limits",
    "language",
    "evidence",
    "location",
    "counted",
    "parent_basis",
    "first_basis",
    "signs",
];

/// First and last day of a copy, without the time; null where they are no dates.
fn days_of(dates: &Value) -> Value {
    let of = |key: &str| dates.get(key).and_then(Value::as_str).and_then(day);
    let basis = dates.get("basis").and_then(Value::as_str);
    match (
        of("first"),
        of("last"),
        basis.filter(|basis| is_own_word(basis)),
    ) {
        (Some(first), Some(last), Some(basis)) => {
            serde_json::json!({"first": first, "last": last, "basis": basis})
        }
        _ => Value::Null,
    }
}

/// The shape of the program's own words: small letters, digits and hyphens.
fn is_own_word(word: &str) -> bool {
    word.len() <= WORD_CHARS
        && word.bytes().all(|byte| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || matches!(byte, b'-' | b'_' | b'+' | b'#')
        })
}

/// Kinds of items whose values are left to those who mend things.
const FOR_MENDERS: [&str; 6] = [
    "control",
    "weak-point",
    "security-comment",
    "private-address",
    "crypto",
    "gate-not-in-bundle",
];

/// Whether what is said of an item begins with the words that set an axis.
fn is_axis(said: &str) -> bool {
    said.starts_with(INTERNAL)
}

/// Whether an item of another kind says what stands beside it as one of those: a remark about what is not safe is one of
/// what is left to do as well, and an address is part of a longer one.
fn tells(item: &Item) -> bool {
    let is_worry = item.kind == "todo" && is_worry(&item.value);
    is_worry || names_private_address(&item.value)
}

/// Whether a text names an address in a network inside: of version 4 (RFC 1918, RFC 6598, RFC 3927) or of version 6 (RFC 4193,
/// RFC 4291 section 2.5.6).
fn names_private_address(text: &str) -> bool {
    names_private_v4(text) || names_private_v6(text)
}

fn names_private_v6(text: &str) -> bool {
    let is_other = |letter: char| !letter.is_ascii_hexdigit() && letter != ':';
    let is_inside = |part: &str| {
        // A colon behind it ends a word or a host.
        let whole = part.parse::<std::net::Ipv6Addr>().ok();
        let address = whole.or_else(|| part.strip_suffix(':')?.parse().ok());
        address.is_some_and(|one| one.is_unique_local() || one.is_unicast_link_local())
    };
    text.split(is_other).any(is_inside)
}

fn names_private_v4(text: &str) -> bool {
    let is_other = |letter: char| !letter.is_ascii_digit() && letter != '.';
    let is_inside = |part: &str| {
        let address = part.trim_matches('.').parse::<std::net::Ipv4Addr>();
        address.is_ok_and(|one| {
            let [first, second, ..] = one.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            one.is_private() || one.is_link_local() || is_shared
        })
    };
    text.split(is_other).any(is_inside)
}
