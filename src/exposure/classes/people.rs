//! Data about people: tables whose columns speak of them, and rows with many distinct addresses.
//!
//! One address is a contact; hundreds in the rows of a table are customers. Only content that is made of rows is asked: a
//! CSV whose first line names columns, and JSON of one object after another, a line each or in a list. What counts is
//! that columns are named as data of people are (`parameters.columns` of the rule), and how many different addresses
//! stand in the rows. Addresses of domains that are reserved for examples are none.
//!
//! Left out: whose the data are, and whether they are made up: a person has to look.

use std::collections::HashSet;

use super::read::{counted, head, listed, text_start};
use super::{Artifact, Class};
use crate::exposure::content::Hits;
use crate::exposure::rules::Rules;

/// From so many different addresses on rows are an export.
const ADDRESSES_MIN: usize = 20;
/// From so many rows on columns alone are a hint.
const ROWS_MIN: u64 = 20;
/// Different addresses that are counted.
const ADDRESSES_MAX: usize = 100_000;
/// A longer first line is no list of columns; bytes.
const HEADER_MAX: usize = 8 << 10;
/// Columns that a table has at least.
const COLUMNS_MIN: usize = 2;
/// Longest address and longest part before the `@` (RFC 5321, 4.5.3.1); bytes.
const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;

/// Exports of data about people, and sets of data in lines of JSON.
pub(super) struct PersonalData;

impl Class for PersonalData {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        rows(bytes, "")
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        rows(head, " in its beginning")
    }
}

/// Whether a column of this name is one of those that speak of people.
pub(super) fn speaks_of_people(column: &str) -> bool {
    let words = Rules::builtin()
        .get("personal-data")
        .map_or(&[][..], |rule| rule.parameter("columns"));
    let plain: String = column
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    words.contains(&plain)
}

fn rows(bytes: &[u8], where_counted: &str) -> Option<Artifact> {
    let text = text_start(bytes);
    let (form, mut columns) = match *text.first()? {
        b'{' => json_lines(text)?,
        b'[' => json_list(text)?,
        _ => csv(text)?,
    };
    let count = match form {
        Form::List => 0,
        _ => memchr::memchr_iter(b'\n', text).count() as u64,
    };
    let told: Vec<String> = {
        let names = columns.iter().filter(|column| speaks_of_people(column));
        names.cloned().collect()
    };
    let is_large = form == Form::List || count >= ROWS_MIN;
    if !is_large {
        return None;
    }
    let addresses = if told.is_empty() && form == Form::Csv {
        0
    } else {
        distinct_addresses(text)
    };
    let lines = match form {
        Form::List => "a list in JSON".to_owned(),
        Form::Lines => format!("{} of JSON{where_counted}", counted(count, "line")),
        Form::Csv => format!("a table, {}{where_counted}", counted(count, "line")),
    };
    if addresses >= ADDRESSES_MIN {
        let more = if addresses >= ADDRESSES_MAX {
            " or more"
        } else {
            ""
        };
        columns.truncate(64);
        let said = format!(
            "{lines}: {}{more} of e-mail addresses{where_counted}; columns {}",
            counted(addresses as u64, "different value"),
            listed(&columns)
        );
        return Some(Artifact::proven("personal-data", "", said));
    }
    if told.len() >= COLUMNS_MIN && form != Form::List {
        let said = format!("{lines}; columns {}", listed(&told));
        return Some(Artifact::hinted("personal-data", "columns-only", said));
    }
    // Lines of JSON are how sets for training and logs of events are kept.
    (form == Form::Lines).then(|| {
        let is_training = columns.iter().any(|name| is_for_training(name));
        let circumstance = if is_training { "training" } else { "" };
        Artifact::proven(
            "data-set",
            circumstance,
            format!("{lines}; keys {}", listed(&columns)),
        )
    })
}

/// Keys of examples that a model is trained with.
fn is_for_training(key: &str) -> bool {
    let words = Rules::builtin()
        .get("data-set")
        .map_or(&[][..], |rule| rule.parameter("training_keys"));
    words.iter().any(|word| word == key)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Lines,
    List,
}

/// Columns of a CSV: short names without anything that code would have, and a second line with as many parts.
fn csv(text: &[u8]) -> Option<(Form, Vec<String>)> {
    let first = head(text, HEADER_MAX);
    let (line, rest) = first.split_at(memchr::memchr(b'\n', first)?);
    // Code and prose have what names of columns do not.
    let is_other = memchr::memchr3(b'(', b'{', b'=', line).is_some()
        || matches!(line.first(), Some(b'/' | b'<' | b'#' | b'*' | b'.' | b'-'));
    if rest.len() < 2 || is_other {
        return None;
    }
    let mark = [b',', b';', b'\t', b'|']
        .into_iter()
        .max_by_key(|mark| memchr::memchr_iter(*mark, line).count())?;
    let names: Vec<&[u8]> = line
        .trim_ascii_end()
        .split(|&b| b == mark)
        .map(|name| name.trim_ascii())
        .map(|name| name.strip_prefix(b"\"").unwrap_or(name))
        .map(|name| name.strip_suffix(b"\"").unwrap_or(name))
        .collect();
    let is_name = |name: &&[u8]| {
        (1..=64).contains(&name.len())
            && name
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b' ' | b'.' | b'/'))
    };
    if names.len() < COLUMNS_MIN || !names.iter().all(is_name) {
        return None;
    }
    let second = &rest[1..];
    let second = &second[..memchr::memchr(b'\n', second).unwrap_or(second.len())];
    // Quoted values may hold the mark.
    if memchr::memchr_iter(mark, second).count() + 1 < names.len() {
        return None;
    }
    let text = |name: &&[u8]| String::from_utf8_lossy(name).into_owned();
    Some((Form::Csv, names.iter().map(text).collect()))
}

/// Keys of the first line, where that is an object and so is the second one.
fn json_lines(text: &[u8]) -> Option<(Form, Vec<String>)> {
    let end = memchr::memchr(b'\n', text)?;
    let second = text.get(end + 1..)?;
    if second.first() != Some(&b'{') || text[..end].trim_ascii_end().last() != Some(&b'}') {
        return None;
    }
    Some((Form::Lines, keys_of(&text[..end])?))
}

/// Keys of the first object of a list of objects.
fn json_list(text: &[u8]) -> Option<(Form, Vec<String>)> {
    let first = text.get(1..)?.trim_ascii_start();
    if first.first() != Some(&b'{') {
        return None;
    }
    let keys = keys_of(first)?;
    keys.iter()
        .any(|key| speaks_of_people(key))
        .then_some((Form::List, keys))
}

/// Keys of the object that a text begins with.
fn keys_of(text: &[u8]) -> Option<Vec<String>> {
    struct Keys(Vec<String>);
    impl<'de> serde::Deserialize<'de> for Keys {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let object: std::collections::BTreeMap<String, serde::de::IgnoredAny> =
                serde::Deserialize::deserialize(deserializer)?;
            Ok(Keys(object.into_keys().collect()))
        }
    }
    let mut objects = serde_json::Deserializer::from_slice(text).into_iter::<Keys>();
    objects.next()?.ok().map(|keys| keys.0)
}

/// How many different addresses stand in a text. Each place of an `@` costs the length of an address.
pub(super) fn distinct_addresses(text: &[u8]) -> usize {
    let mut seen: HashSet<u64> = HashSet::new();
    for at in memchr::memchr_iter(b'@', text) {
        if let Some(address) = address_at(text, at) {
            let lower = address.to_ascii_lowercase();
            let digest = blake3::hash(&lower);
            let (first, _) = digest.as_bytes().as_chunks::<8>();
            seen.extend(first.first().map(|bytes| u64::from_le_bytes(*bytes)));
            if seen.len() >= ADDRESSES_MAX {
                break;
            }
        }
    }
    seen.len()
}

/// The address round an `@`, if it is one and not of a domain that is kept for examples (RFC 2606).
fn address_at(text: &[u8], at: usize) -> Option<&[u8]> {
    let is_local =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-');
    let is_domain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let before = &text[at.saturating_sub(LOCAL_MAX)..at];
    let local = before.iter().rev().take_while(|b| is_local(b)).count();
    let after = head(&text[at + 1..], DOMAIN_MAX);
    let domain = &after[..after.iter().take_while(|b| is_domain(b)).count()];
    let domain = domain.strip_suffix(b".").unwrap_or(domain);
    let mut labels = domain.rsplit(|&b| b == b'.');
    let top = labels.next()?;
    let second = labels.next()?;
    let is_top = (2..=24).contains(&top.len()) && top.iter().all(u8::is_ascii_alphabetic);
    let lower = [top.to_ascii_lowercase(), second.to_ascii_lowercase()];
    let is_reserved = [&b"example"[..], b"test", b"invalid", b"localhost"].contains(&&lower[0][..])
        || lower[1] == b"example";
    (local > 0 && !second.is_empty() && is_top && !is_reserved)
        .then(|| &text[at - local..at + 1 + domain.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, String, bool)> {
        PersonalData
            .recognise(text.as_bytes(), &Hits::default())
            .map(|found| (found.class, found.circumstance, found.is_hint))
    }

    fn table(rows: usize, row: impl Fn(usize) -> String) -> String {
        (0..rows).map(row).collect()
    }

    #[test]
    fn rows_with_many_addresses_are_an_export() {
        let proven = Some(("personal-data".to_owned(), String::new(), false));
        let csv = format!(
            "id,email,city\n{}",
            table(30, |n| format!("{n},u{n}@acme.dev,Bonn\n"))
        );
        assert_eq!(found(&csv), proven);
        let same = format!("id,email\n{}", table(30, |n| format!("{n},ops@acme.dev\n")));
        assert_eq!(found(&same), None);
        let reserved = format!(
            "id,email\n{}",
            table(30, |n| format!("{n},u{n}@mail.example.com\n"))
        );
        assert_eq!(found(&reserved), None);
        let lines = table(30, |n| {
            format!("{{\"id\":{n},\"email\":\"u{n}@acme.dev\"}}\n")
        });
        assert_eq!(found(&lines), proven);
        let list = format!(
            "[{}]",
            table(30, |n| format!("{{\"email\":\"u{n}@acme.dev\"}},")).trim_end_matches(',')
        );
        assert_eq!(found(&list), proven);
    }

    #[test]
    fn columns_alone_are_a_hint() {
        let hint = Some(("personal-data".to_owned(), "columns-only".to_owned(), true));
        let csv = format!(
            "First Name;Phone;City\n{}",
            table(30, |n| format!("A;{n};B\n"))
        );
        assert_eq!(found(&csv), hint);
        let short = "First Name;Phone;City\nA;1;B\n";
        assert_eq!(found(short), None);
    }

    #[test]
    fn lines_of_json_are_a_set_of_data() {
        let lines = table(30, |n| {
            format!("{{\"prompt\":\"{n}\",\"completion\":\"y\"}}\n")
        });
        assert_eq!(
            found(&lines),
            Some(("data-set".to_owned(), "training".to_owned(), false))
        );
        let lines = table(30, |n| format!("{{\"a\":{n}}}\n"));
        assert_eq!(
            found(&lines),
            Some(("data-set".to_owned(), String::new(), false))
        );
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "{",
            "[",
            "[{",
            "{\n{",
            "a,b",
            "a,b\n",
            "const a = [\n  {\n",
            "{\n  \"a\": 1\n}\n",
            "import a, b\nfrom c\n",
            "@",
            "a@",
            "@b.c",
        ] {
            assert_eq!(found(text), None, "{text:?}");
        }
        assert_eq!(address_at(b"<a.b@acme.dev>", 4), Some(&b"a.b@acme.dev"[..]));
        assert_eq!(address_at(b"@acme.dev", 0), None);
        assert_eq!(address_at(b"left@2x.png1", 4), None);
    }
}
