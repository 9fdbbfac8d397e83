//! What a container that is a JSON document says beside its members: names and addresses in a map, headers in a capture.
//!
//! It is searched as any text is, for credentials, the user's words and live secrets, and told at the container itself, on the
//! line where it stands there. What machines, folders and people it names are items, since paths of sources are where they
//! show; of others' code they are not told. Left out: everything that needs code.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use super::analyse::Analyser;
use super::facts::Facts;
use crate::container::Walker;
use crate::container::strings::{Piece, Strings};
use crate::exposure::known::Lines;
use crate::exposure::secrets::Written;
use crate::exposure::{Inspected, InventoryScope, ItemFact, SecretFact};

/// Kinds of items that a path or an address shows.
const KINDS: [&str; 6] = [
    "host",
    "private-address",
    "bucket",
    "email",
    "person",
    "build-path",
];

impl Analyser {
    /// Searches what `walker` has beside its members, and adds it to the facts of the container.
    pub(super) fn read_beside(&self, walker: &mut dyn Walker, facts: &mut Facts) {
        if self.inspector.is_off {
            return;
        }
        let Some(mut strings) = walker.strings() else {
            return;
        };
        let is_listed = self.inspector.inventory != InventoryScope::None;
        let mut secrets: Vec<(usize, SecretFact)> = Vec::new();
        let mut items: Vec<(usize, ItemFact)> = Vec::new();
        while let Some(piece) = strings.next_piece() {
            if self.progress.stop.load(Ordering::Relaxed) {
                return;
            }
            let kinds = is_listed.then_some(&KINDS[..]);
            let found = self.inspector.inspect_strings(&piece.text, kinds);
            place(&strings, &piece, found, &mut secrets, &mut items);
        }
        tell(&strings, secrets, items, facts);
    }
}

/// Gives what was found in a piece its places in the document.
fn place(
    strings: &Strings,
    piece: &Piece,
    found: Inspected,
    secrets: &mut Vec<(usize, SecretFact)>,
    items: &mut Vec<(usize, ItemFact)>,
) {
    if found.secrets.is_empty() && found.items.is_empty() {
        return;
    }
    let feeds = memchr::memchr_iter(b'\n', &piece.text).map(|feed| feed + 1);
    let lines: Vec<usize> = std::iter::once(0).chain(feeds).collect();
    let at = |line: u64, column: u64| {
        let line = usize::try_from(line)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        let begins = lines.get(line).copied().unwrap_or(piece.text.len());
        begins.saturating_add(
            usize::try_from(column)
                .unwrap_or(usize::MAX)
                .saturating_sub(1),
        )
    };
    for mut fact in found.secrets {
        let place = strings.place_of(piece, at(fact.line, fact.column));
        let len = usize::try_from(fact.length).unwrap_or(usize::MAX);
        let stretch = strings.document().get(place..).unwrap_or_default();
        let stretch = stretch.get(..len).unwrap_or(stretch);
        if memchr::memchr(b'\\', stretch).is_some() {
            fact.written.get_or_insert(Written::Escaped);
        }
        secrets.push((place, fact));
    }
    for item in found.items {
        // Behind the quote.
        let place = strings.place_of(piece, at(item.line, 2));
        items.push((place, item));
    }
}

/// Adds it to the facts, in the order of the document.
fn tell(
    strings: &Strings,
    mut secrets: Vec<(usize, SecretFact)>,
    mut items: Vec<(usize, ItemFact)>,
    facts: &mut Facts,
) {
    secrets.sort_by(|a, b| (a.0, &a.1.rule).cmp(&(b.0, &b.1.rule)));
    let mut lines = Lines::new(strings.document(), 0, 0);
    for (place, mut fact) in secrets {
        (fact.line, fact.column) = lines.at(place);
        facts.secrets.push(fact);
    }
    items.sort_by(|a, b| (a.0, &a.1.kind, &a.1.value).cmp(&(b.0, &b.1.kind, &b.1.value)));
    let mut lines = Lines::new(strings.document(), 0, 0);
    let mut told: HashSet<(String, String)> = HashSet::new();
    for (place, mut item) in items {
        if !told.insert((item.kind.clone(), item.value.clone())) {
            continue;
        }
        (item.line, _) = lines.at(place);
        facts.items.push(item);
    }
}
