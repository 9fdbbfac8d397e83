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

use super::content::Hits;
use super::inventory::{self, ItemFact, Terms};
use super::place::{is_raw_source, name_unpacked};
use super::secrets::{self, SecretFact};
use super::user::UserRules;
use super::{CaseKey, KnownSecrets, Organisation, known, party};
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

    /// Reads a text. `hits` are those of the literal pass over the same bytes.
    pub fn inspect(&self, bytes: &[u8], hits: &Hits, role: Role) -> Inspected {
        if self.is_off {
            return Inspected::default();
        }
        let found = secrets::find(bytes, hits, role).into_iter();
        let mut secrets: Vec<SecretFact> = found.map(|one| self.sealed(one)).collect();
        secrets.extend(self.known_in(bytes));
        if let Some(rules) = &self.user {
            secrets.extend(rules.facts(bytes, role, self.case_key.as_ref()));
        }
        secrets.sort_by_key(|fact| (fact.line, fact.column));
        let mut items = match (role, self.inventory) {
            (Role::Own, InventoryScope::Sources | InventoryScope::All) => {
                inventory::items_of(bytes)
            }
            _ => Vec::new(),
        };
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
    pub fn inspect_strings(&self, text: &[u8], hits: &Hits, kinds: Option<&[&str]>) -> Inspected {
        let mut found = self.inspect(text, hits, Role::Bulk);
        if let Some(kinds) = kinds {
            let mut items = inventory::items_of(text);
            items.retain(|item| kinds.contains(&item.kind.as_str()));
            found.items.extend(items);
        }
        found
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
