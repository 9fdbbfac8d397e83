//! Live secrets that are not written plainly.
//!
//! What is undone is what is undone for rules ([`super::super::secrets`]): escapes of literals, literals that a program puts
//! together, Base64, UTF-16. Every text is read as closely as one that may be the vendor's own, since a digest that
//! agrees is no noise, and a statement of absence is worth what it looked at. A secret that stands plainly in what a
//! part copies is told once, as it stands.

use std::collections::{BTreeSet, HashMap};

use super::search::{PLACES_MAX, and_more};
use super::{CaseKey, Found, KnownSecrets, SecretFact};
use crate::exposure::Role;
use crate::exposure::secrets::Written;
use crate::exposure::secrets::written::{parts_in, utf16};
use crate::exposure::windows::View;

/// A find in a decoded part.
struct Hidden {
    at: usize,
    /// Bytes that it takes as it is written.
    bytes: usize,
    found: Found,
    how: Written,
    fingerprint: Option<[u8; 16]>,
    /// Further places of the secret that are not told; of the last of it.
    more: u64,
}

/// What of the set stands in a text in another form than its own.
pub(super) fn facts(
    set: &KnownSecrets,
    bytes: &[u8],
    case_key: Option<&CaseKey>,
) -> Vec<SecretFact> {
    let Some(wide) = utf16(bytes) else {
        return in_parts(set, &View::whole(bytes, Role::Own), case_key);
    };
    // Lines and columns are those of the text, as an editor shows it.
    let mut facts = set.plain_facts(&wide, case_key);
    facts.extend(in_parts(set, &View::whole(&wide, Role::Own), case_key));
    for fact in &mut facts {
        fact.written = Some(Written::Utf16);
    }
    facts
}

/// What begins in a view's own part. Every text is read closely.
pub(super) fn in_parts(
    set: &KnownSecrets,
    view: &View,
    case_key: Option<&CaseKey>,
) -> Vec<SecretFact> {
    let view = &View {
        role: Role::Own,
        ..view.clone()
    };
    let bytes = view.bytes;
    let mut hidden: Vec<Hidden> = Vec::new();
    let mut told: BTreeSet<(usize, u32)> = BTreeSet::new();
    // Of each secret by itself: one that stands in a text very often hides no other.
    let mut places: HashMap<u32, (u64, usize)> = HashMap::new();
    parts_in(view, |part| {
        for found in set.find(&part.text) {
            let Some(value) = part.text.get(found.range()) else {
                continue;
            };
            let at = part.place_of(found.at);
            let end = part.place_of(found.range().end - 1) + 1;
            let is_plain = bytes.get(at..at + value.len()) == Some(value);
            if is_plain || !view.owns(at) || !told.insert((at, found.secret)) {
                continue;
            }
            let (count, last) = places.entry(found.secret).or_default();
            *count += 1;
            if *count > PLACES_MAX {
                if let Some(last) = hidden.get_mut(*last) {
                    last.more += 1;
                }
                continue;
            }
            *last = hidden.len();
            hidden.push(Hidden {
                at,
                bytes: end.saturating_sub(at),
                found,
                how: part.how,
                fingerprint: case_key.map(|key| key.fingerprint(value)),
                more: 0,
            });
        }
    });
    hidden.sort_by_key(|one| (one.at, one.found.secret));
    let mut lines = view.lines();
    let facts = hidden.into_iter().map(|one| {
        let (line, column) = lines.at(one.at.min(bytes.len()));
        SecretFact {
            length: one.bytes as u64,
            written: Some(one.how),
            fingerprint: one.fingerprint,
            detail: (one.more > 0).then(|| and_more(one.more)),
            ..set.fact(&one.found, line, column)
        }
    });
    facts.collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::super::testing::made;
    use super::super::{Keying, List, build};
    use super::*;

    #[test]
    fn what_is_written_otherwise_is_found_where_it_stands() {
        let a = made("a");
        let list = List::parse(format!("A={a}\n").as_bytes(), false);
        let file = build(&list, &Keying::drawn().unwrap()).unwrap();
        let set = KnownSecrets::read(&file, None).unwrap();
        let told = |bytes: &[u8]| -> Vec<(u64, u64, Option<Written>)> {
            let facts = set.facts(bytes, None).into_iter();
            facts
                .map(|fact| (fact.line, fact.column, fact.written))
                .collect()
        };
        let escaped = format!("x\nlet k = \"\\u{:04x}{}\";\n", a.as_bytes()[0], &a[1..]);
        assert_eq!(told(escaped.as_bytes()), [(2, 10, Some(Written::Escaped))]);
        let folded = format!("x\nlet k = \"{}\" + '{}';\n", &a[..9], &a[9..]);
        assert_eq!(told(folded.as_bytes()), [(2, 10, Some(Written::Folded))]);
        let base64 = base64::engine::general_purpose::STANDARD.encode(format!("user:{a}:more"));
        let base64 = format!("Authorization: Basic {base64}\n");
        let found = told(base64.as_bytes());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].2, Some(Written::Base64));
        let wide: Vec<u8> = format!("line one of it\nkey={a}\n")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(told(&wide), [(2, 5, Some(Written::Utf16))]);
        // What stands plainly beside an escape is told once.
        let often = folded.repeat(5_000);
        let b = made("b");
        let list = List::parse(format!("A={a}\nB={b}\n").as_bytes(), false);
        let both = build(&list, &Keying::drawn().unwrap()).unwrap();
        let both = KnownSecrets::read(&both, None).unwrap();
        let hides = format!("{often}let k = \"{}\" + '{}';\n", &b[..9], &b[9..]);
        let facts = both.facts(hides.as_bytes(), None);
        assert_eq!(facts.iter().filter(|fact| fact.rule == "B").count(), 1);
        assert_eq!(facts.len(), PLACES_MAX as usize + 1);
        assert!(facts.iter().any(|fact| {
            fact.detail.as_deref() == Some("and at 4936 more places of this content")
        }));
        let plain = format!("let k = \"\\u0041 {a}\";\n");
        assert_eq!(told(plain.as_bytes()), [(1, 17, None)]);
    }
}
