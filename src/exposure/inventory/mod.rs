//! What recovered code reveals: flags, settings, hosts, commands, prompts, people.
//!
//! A stolen inventory is what the second attack is planned from, so whoever answers for a leak must know it first. One
//! door, [`items_of`], tells the family of a text and hands it to those who read it: `script` reads JavaScript and
//! TypeScript by their syntax, `others` every other family by its tokens, and `text` whatever people write in any
//! text: comments, addresses, names. What they give is put in order here: told once for each content, with the first
//! line and how often, and cut to a bound.
//!
//! Everything is a function of the bytes. Left out: whose the text is, and what its place says.

pub mod gates;
mod others;
mod script;
mod terms;
mod text;

pub use script::signatures::{self, Signatures};
pub use script::{WORKER_STACK_BYTES, on_worker_stack};

use std::collections::HashMap;

use crate::lex::{Family, family_of};

pub(super) use others::places::FILE as PLACES;
pub use others::places::{ShownPlace, shown as shown_places};
pub use terms::{Terms, TermsError};

/// How sure it is that an item is what its kind says.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Confidence {
    /// Looks like it.
    Low,
    /// Stands where such things stand.
    Medium,
    /// The code says so.
    High,
}

impl Confidence {
    /// The word in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// One thing that a text reveals.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ItemFact {
    /// What it is: one of [`KINDS`].
    pub kind: String,
    /// The value, as the text means it (escapes undone), cut to a bound.
    pub value: String,
    /// Line, 1-based.
    pub line: u64,
    /// How sure.
    pub confidence: Confidence,
    /// What else the code says of it: a default, a description, the call that names it.
    pub detail: Option<String>,
    /// Of a switch that the build sets, numbers of the names that stand behind it; see [`gates`].
    pub behind: Vec<u32>,
}

/// All kinds of items, with what each is.
pub const KINDS: &[(&str, &str)] = &[
    ("flag", "a feature flag: a switch that the vendor can turn"),
    (
        "gate-not-in-bundle",
        "a flag of the sources whose name, or what stands behind it, is not among the strings of the bundle",
    ),
    ("env", "an environment variable that the program reads"),
    ("route", "a path that a server answers or a client asks for"),
    ("command", "a command of a command line"),
    ("option", "an option of a command line"),
    ("slash-command", "a command that is typed with a slash"),
    ("tool", "a tool that a model may call"),
    ("prompt", "prose that a model is told"),
    ("telemetry", "an event that the program reports"),
    ("model", "a model of a provider, by its id"),
    (
        "provider",
        "a provider of models or of services, by what the program loads or calls",
    ),
    ("storage", "a table or collection that data lies in"),
    ("bucket", "a place in an object store"),
    (
        "crypto",
        "a cipher, a digest, or a fixed key, salt or vector",
    ),
    (
        "control",
        "something that keeps the program safe, by its name: a check, a limit, a filter",
    ),
    (
        "weak-point",
        "worth a look: a place where input might reach what runs",
    ),
    (
        "url",
        "an address that the text names, without user and query",
    ),
    ("host", "a machine, by its name or its public address"),
    ("private-address", "an address of a network inside"),
    ("email", "an address of mail"),
    (
        "person",
        "somebody who is named as author, or whose home folder a path shows",
    ),
    ("build-path", "a folder of the machine that a build ran on"),
    ("todo", "what is left to do, as a comment says it"),
    ("ticket", "a ticket of a tracker, named in a comment"),
    ("security-comment", "a comment about what is not safe"),
    (
        "internal-marker",
        "a mark for what is not meant for others, or silences a check of security",
    ),
    ("owner", "a person or a team that answers for something"),
    ("licence", "a licence that a file states"),
    ("import", "a package that the code loads, as it is written"),
    (
        "third-party",
        "a package of others whose code is in a bundle",
    ),
    (
        "internal-scope",
        "a package of the organisation by its name: to be reserved where others could take it",
    ),
    ("code-name", "a name that nobody outside should know"),
    (
        "code-name-like",
        "a word that many names share and nobody else uses",
    ),
    ("term", "a word of the user's own list"),
];

/// What stands in a value for a part that is known only at run time.
pub(crate) const HOLE: &str = "${}";

/// Longest value of an item, in characters; what is cut off is shown as `…`.
pub(crate) const VALUE_CHARS: usize = 300;

/// Longest detail of an item, in characters.
pub(crate) const DETAIL_CHARS: usize = 300;

/// Most items of one kind that are told of one content. What is left out is counted in the detail of the last.
const KIND_ITEMS: usize = 2_000;

/// The items of a text, each kind and value once, in the order in which they stand first.
pub fn items_of(bytes: &[u8]) -> Vec<ItemFact> {
    // Lines are those of the text, as an editor shows it.
    if let Some(text) = super::secrets::utf16_text(bytes) {
        return items_in(&text);
    }
    items_in(bytes)
}

fn items_in(bytes: &[u8]) -> Vec<ItemFact> {
    // What begins as only modules do needs no further look, and a module that is mostly prose, as prompts are, would not
    // be told by one.
    let family = if script::begins_as_module(bytes) {
        Family::Script
    } else {
        family_of(bytes)
    };
    let mut found = match family {
        Family::Script => script::items(bytes),
        _ => others::items(family, bytes),
    };
    found.extend(text::items(family, bytes));
    in_order(found)
}

/// Each kind and value once: the first line, the best confidence and detail, and how often it stands there.
fn in_order(mut found: Vec<ItemFact>) -> Vec<ItemFact> {
    found.sort_by(|a, b| (a.line, &a.kind, &a.value).cmp(&(b.line, &b.kind, &b.value)));
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    let mut items: Vec<(ItemFact, u64)> = Vec::new();
    for item in found {
        let key = (item.kind.clone(), item.value.clone());
        match places.get(&key).and_then(|&at| items.get_mut(at)) {
            Some((first, count)) => {
                *count += 1;
                first.confidence = first.confidence.max(item.confidence);
                first.detail = first.detail.take().or(item.detail);
                first.behind.extend(item.behind);
            }
            None => {
                places.insert(key, items.len());
                items.push((item, 1));
            }
        }
    }
    bounded(items)
}

/// At most [`KIND_ITEMS`] of each kind, and the counts written into the details.
fn bounded(items: Vec<(ItemFact, u64)>) -> Vec<ItemFact> {
    let mut told: HashMap<String, (usize, usize, u64)> = HashMap::new();
    let mut kept: Vec<ItemFact> = Vec::with_capacity(items.len());
    for (mut item, count) in items {
        let (number, last, cut) = told.entry(item.kind.clone()).or_default();
        if *number == KIND_ITEMS {
            *cut += 1;
            continue;
        }
        *number += 1;
        *last = kept.len();
        if count > 1 {
            add_detail(&mut item.detail, &format!("{count} times"));
        }
        kept.push(item);
    }
    for (_, last, cut) in told.into_values().filter(|(_, _, cut)| *cut > 0) {
        if let Some(item) = kept.get_mut(last) {
            add_detail(
                &mut item.detail,
                &format!("{cut} more of this kind are not listed"),
            );
        }
    }
    kept
}

/// Writes one thing more into a detail.
fn add_detail(detail: &mut Option<String>, what: &str) {
    match detail {
        Some(detail) => {
            detail.push_str("; ");
            detail.push_str(what);
        }
        None => *detail = Some(what.to_owned()),
    }
}

/// A text cut to so many characters, the last a `…` where something was cut off.
pub(crate) fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        None => text.to_owned(),
        Some(_) => text
            .chars()
            .take(chars.saturating_sub(1))
            .chain(['…'])
            .collect(),
    }
}

/// Whether a remark speaks of what is not safe, as a `security-comment` does.
pub fn is_worry(remark: &str) -> bool {
    text::worries(remark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: &str, value: &str, line: u64, confidence: Confidence) -> ItemFact {
        ItemFact {
            kind: kind.to_owned(),
            value: value.to_owned(),
            line,
            confidence,
            detail: None,
            behind: Vec::new(),
        }
    }

    #[test]
    fn each_value_is_told_once_where_it_stands_first() {
        let items = in_order(vec![
            item("env", "B", 9, Confidence::High),
            item("env", "A", 7, Confidence::Low),
            item("env", "A", 3, Confidence::Low),
            item("env", "A", 8, Confidence::High),
            item("flag", "A", 3, Confidence::Low),
        ]);
        let short: Vec<_> = items
            .iter()
            .map(|i| (i.kind.as_str(), i.value.as_str(), i.line))
            .collect();
        assert_eq!(short, [("env", "A", 3), ("flag", "A", 3), ("env", "B", 9)]);
        assert_eq!(items[0].confidence, Confidence::High);
        assert_eq!(items[0].detail.as_deref(), Some("3 times"));
        assert_eq!(items[2].detail, None);
    }

    #[test]
    fn a_text_in_utf16_tells_the_same() {
        let text =
            "const a = 1;\r\nconst b = process.env.ACME_B;\r\n// TODO: https://api.acme.dev/v1\r\n";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let told = items_of(text.as_bytes());
        assert!(told.len() > 2);
        assert_eq!(items_of(&wide), told);
        assert_eq!(items_of(&[&b"\xff\xfe"[..], &wide].concat()), told);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let many = (0..KIND_ITEMS + 5)
            .map(|at| item("env", &format!("N{at:05}"), at as u64 + 1, Confidence::High));
        let items = in_order(many.collect());
        assert_eq!(items.len(), KIND_ITEMS);
        assert_eq!(
            items[KIND_ITEMS - 1].detail.as_deref(),
            Some("5 more of this kind are not listed")
        );
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("äbcd", 3), "äb…");
    }

    #[test]
    fn kinds_are_told_apart() {
        let mut names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KINDS.len());
    }
}
