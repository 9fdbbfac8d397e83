//! What running text gives away: credentials and items, behind one door.
//!
//! How closely a text is read depends on whose it may be. Every text is searched for credentials that their own form
//! gives away. What needs more reading, or would be noise in the code of others, is left to texts that may be the
//! vendor's own: recovered sources that no name makes a third party's, and original files that lie there as such. A
//! content that stands in both roles is read in both, and each place tells what its role asks for ([`Role`]), so that
//! what is told of a place never depends on what was read before it.
//!
//! Left out: whose a text really is. That is judged at its place.

use std::sync::Arc;

use super::content::Trait;
use super::inventory::{self, ItemFact, Terms};
use super::mask::items::mask;
use super::place::{self, is_raw_source, name_unpacked};
use super::secrets::{self, SecretFact};
use super::user::UserRules;
use super::{CaseKey, KnownSecrets, Organisation, YaraRules, known, party};
use crate::blob::ContentKey;

/// How closely a text is read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Role {
    /// As everything is.
    Bulk,
    /// As what may be the vendor's own.
    Own,
}

impl Role {
    /// The key under which what was read in this role is remembered.
    #[must_use]
    pub fn key(self, content: ContentKey) -> ContentKey {
        match self {
            Role::Bulk => content,
            Role::Own => content.read_closely(),
        }
    }
}

/// Which texts the inventory is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InventoryScope {
    /// Recovered sources and original files that may be the vendor's own.
    #[default]
    Sources,
    /// Every text.
    All,
    /// None.
    None,
}

impl InventoryScope {
    /// The word of the flag.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            InventoryScope::Sources => "sources",
            InventoryScope::All => "all",
            InventoryScope::None => "none",
        }
    }
}

/// What is looked for in running text.
#[derive(Debug, Clone, Default)]
pub struct Inspector {
    /// Nothing is.
    pub is_off: bool,
    /// Which texts the inventory is made of.
    pub inventory: InventoryScope,
    /// Whose code it may be, where the user said so.
    pub organisation: Option<Organisation>,
    /// The live secrets of the user's own.
    pub known: Option<Arc<KnownSecrets>>,
    /// Rules of the user's own.
    pub user: Option<Arc<UserRules>>,
    /// YARA rules of the user's own.
    pub yara: Option<Arc<YaraRules>>,
    /// What fingerprints of secrets are keyed with.
    pub case_key: Option<CaseKey>,
    /// Words of the user's own and code names, which are looked for in every content.
    pub terms: Option<Arc<Terms>>,
}

/// What was found in a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inspected {
    /// Credentials, in the order in which they stand.
    pub secrets: Vec<SecretFact>,
    /// Items, in the order in which they stand.
    pub items: Vec<ItemFact>,
}

impl Inspector {
    /// One that looks for nothing.
    pub fn off() -> Self {
        Self {
            is_off: true,
            ..Self::default()
        }
    }

    /// The role of a text by the name that it goes by. `is_source` says that a map names it, `ignored` that the map calls
    /// it others' code.
    pub fn role_of(&self, name: &[u8], is_source: bool, ignored: bool) -> Role {
        if self.is_off {
            return Role::Bulk;
        }
        if self.inventory == InventoryScope::All {
            return Role::Own;
        }
        // What a stream packs has no name of its own, and goes by this one.
        let name = if is_source { name } else { name_unpacked(name) };
        if !is_source && !is_raw_source(name) {
            return Role::Bulk;
        }
        match party::party_of(name, None, self.organisation.as_ref(), ignored).party {
            crate::record::Party::Third => Role::Bulk,
            _ => Role::Own,
        }
    }

    /// The user's words and code names in a content, or in a piece of one behind `lines_before` lines.
    pub fn terms_in(&self, bytes: &[u8], lines_before: u64) -> Vec<ItemFact> {
        let terms = self.terms.as_ref().filter(|_| !self.is_off);
        terms.map_or_else(Vec::new, |terms| terms.items_of(bytes, lines_before))
    }

    /// Reads a text of which nothing else is known.
    pub fn inspect(&self, bytes: &[u8], role: Role) -> Inspected {
        self.inspect_known(bytes, role, &[])
    }

    /// Reads a text that is what these say: in settings a value needs no quotes.
    pub fn inspect_known(&self, bytes: &[u8], role: Role, traits: &[Trait]) -> Inspected {
        let is_wanted = role == Role::Own && self.inventory != InventoryScope::None;
        let settings = place::may_be_settings(traits);
        self.inspect_with(bytes, role, settings, || match is_wanted {
            true => inventory::items_of(bytes),
            false => Vec::new(),
        })
    }

    fn inspect_with(
        &self,
        bytes: &[u8],
        role: Role,
        is_settings: bool,
        items_of: impl FnOnce() -> Vec<ItemFact>,
    ) -> Inspected {
        if self.is_off {
            return Inspected::default();
        }
        let mut found = secrets::find(bytes, role);
        if is_settings {
            found.extend(secrets::settings::find(bytes, &found));
        }
        let mut values: Vec<Vec<u8>> = found.iter().map(|one| one.value.bytes().to_vec()).collect();
        let mut secrets: Vec<SecretFact> = found.into_iter().map(|one| self.sealed(one)).collect();
        secrets.extend(self.known_in(bytes));
        if let Some(rules) = &self.user {
            secrets.extend(rules.facts(bytes, role, self.case_key.as_ref()));
        }
        secrets.sort_by_key(|fact| (fact.line, fact.column));
        let mut items = items_of();
        if !items.is_empty() {
            values.extend(as_they_stand(bytes, &secrets));
            mask(&mut items, &values);
        }
        // What the user looks for is the user's to see.
        items.extend(self.terms_in(bytes, 0));
        Inspected { secrets, items }
    }

    /// Numbers of the names in a script that leads to a map: what tells which gates of the sources are not in it.
    pub fn names_in(&self, script: &[u8]) -> Vec<u32> {
        if self.is_off || self.inventory == InventoryScope::None {
            return Vec::new();
        }
        inventory::gates::names_in(script)
    }

    /// Reads strings of a document, a line each, as every text is read; of `kinds`, where they are given, items too.
    pub fn inspect_strings(&self, text: &[u8], kinds: Option<&[&str]>) -> Inspected {
        self.inspect_with(text, Role::Bulk, false, || {
            let mut items = kinds.map_or_else(Vec::new, |_| inventory::items_of(text));
            items.retain(|item| kinds.is_some_and(|kinds| kinds.contains(&item.kind.as_str())));
            items
        })
    }

    /// A find without its bytes, and with a fingerprint of them where there is a key.
    pub(super) fn sealed(&self, found: secrets::Found) -> SecretFact {
        let key = self.case_key.as_ref();
        SecretFact {
            fingerprint: key.map(|key| key.fingerprint(found.value.bytes())),
            ..found.fact
        }
    }

    /// The live secrets of the user's own in any content.
    pub fn known_in(&self, bytes: &[u8]) -> Vec<SecretFact> {
        let known = self.known.as_ref().filter(|_| !self.is_off);
        known.map_or_else(Vec::new, |known| known.facts(bytes, self.case_key.as_ref()))
    }

    /// Looks for them in a window of a content, of which the first `told` bytes were part of the last one.
    pub fn look_for_known(&self, search: &mut known::Search, window: &[u8], told: usize) {
        if let Some(set) = self.known.as_ref().filter(|_| !self.is_off) {
            search.look(set, window, told, self.case_key.as_ref());
        }
    }
}

/// The bytes of credentials by their places, in order of lines; those that stand there otherwise are left out.
fn as_they_stand(bytes: &[u8], secrets: &[SecretFact]) -> Vec<Vec<u8>> {
    let mut feeds = memchr::memchr_iter(b'\n', bytes);
    let (mut line, mut start) = (1, 0);
    let mut values = Vec::new();
    for secret in secrets.iter().filter(|secret| secret.written.is_none()) {
        while line < secret.line
            && let Some(feed) = feeds.next()
        {
            (line, start) = (line + 1, feed + 1);
        }
        let begin = start + (secret.column as usize).saturating_sub(1);
        let end = begin.saturating_add(secret.length as usize);
        values.extend(bytes.get(begin..end).map(<[u8]>::to_vec));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::secrets::examples::expand;

    #[test]
    fn no_item_tells_what_a_secret_does_not() {
        // Letters alone, which no guess takes for a token.
        let hook = "const url = 'https://hooks.acme.dev/services/T<<upper 9>>/B<<upper 9>>/<<letters 24>>';\n";
        let text = expand(&format!("// the hook of ops\n{hook}// TODO: {hook}"), "x").unwrap();
        let found = Inspector::default().inspect(&text, Role::Own);
        assert!(found.items.len() > 2 && found.secrets.len() > 1);
        let told = format!("{:?}", found.items);
        let text = String::from_utf8(text).unwrap();
        let key = text
            .split(['/', '\''])
            .find(|part| part.len() == 24)
            .unwrap();
        assert!(!told.contains(&key[..12]), "{told}");
    }
}
