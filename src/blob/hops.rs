//! The way from an input to an entry, one hop for each container that was opened.
//!
//! Thousands of entries stand in one container, and each of their records carries the whole way. So a way is a
//! chain that shares everything but its last hop, and the case keeps only what a locator does not say already
//! ([`Hops::beside`]).

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One step of the way from an input to an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// What was opened to get here: `file`, `tar`, `gzip`, `zip`, `source-map`, …
    pub kind: String,
    /// Name of the member in it, escaped as locators are.
    pub name: String,
    /// The member's raw name in base64, where escaping changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_b64: Option<String>,
}

impl Hop {
    /// A hop to a member whose name reads `name` in locators; what stands behind a `#` there is its ordinal.
    fn read(kind: &str, name: &str) -> Self {
        let bare = name.split('#').next().unwrap_or_default();
        // Nearly no name has anything that is escaped.
        let escaped = Some(bare).filter(|bare| bare.contains('%'));
        let raw = escaped.and_then(super::locator::unescape);
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            name_b64: raw.map(|raw| base64::engine::general_purpose::STANDARD.encode(raw)),
        }
    }
}

/// All hops of a way, the input's file first. Written and read as a list of [`Hop`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hops(Option<Arc<Link>>);

#[derive(Debug, PartialEq, Eq)]
struct Link {
    before: Hops,
    hop: Hop,
}

impl Hops {
    /// The same way and one hop more: to the member that reads `name` in locators.
    #[must_use]
    pub fn then(&self, kind: &str, name: &str) -> Self {
        self.and(Hop::read(kind, name))
    }

    fn and(&self, hop: Hop) -> Self {
        let before = self.clone();
        Self(Some(Arc::new(Link { before, hop })))
    }

    /// The hops, the input's file first.
    pub fn list(&self) -> Vec<&Hop> {
        let mut list = Vec::new();
        let mut at = self;
        while let Some(link) = &at.0 {
            list.push(&link.hop);
            at = &link.before;
        }
        list.reverse();
        list
    }

    /// What a locator does not say of its way: the length of its label in bytes and the kind of each hop, with
    /// blanks between. Empty for a way without hops.
    pub fn beside(&self, locator: &str) -> String {
        let list = self.list();
        let Some(first) = list.first() else {
            return String::new();
        };
        let entry = locator.split("!/").next().unwrap_or_default();
        // A label stands before its file's path, or is all there is.
        let label = entry.strip_suffix(&first.name).unwrap_or(entry);
        let label = label.strip_suffix('/').unwrap_or(entry);
        let mut text = label.len().to_string();
        for hop in list {
            text.push(' ');
            text.push_str(&hop.kind);
        }
        text
    }

    /// Undoes [`Hops::beside`]. `None` where the two do not belong together.
    pub fn of(locator: &str, beside: &str) -> Option<Self> {
        let mut hops = Self::default();
        let mut kinds = beside.split(' ');
        let label = kinds.next().filter(|label| !label.is_empty());
        let Some(label) = label else {
            return Some(hops);
        };
        let mut names = locator.split("!/");
        for (index, kind) in kinds.enumerate() {
            let name = names.next()?;
            let path = if index == 0 {
                name.get(label.parse().ok()?..)?
                    .strip_prefix('/')
                    .unwrap_or(name)
            } else {
                name
            };
            hops = hops.then(kind, path);
        }
        names.next().is_none().then_some(hops)
    }
}

impl Serialize for Hops {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.list())
    }
}

impl<'de> Deserialize<'de> for Hops {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Vec::<Hop>::deserialize(deserializer)?;
        Ok(list
            .into_iter()
            .fold(Self::default(), |way, hop| way.and(hop)))
    }
}

impl JsonSchema for Hops {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Hops".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Vec::<Hop>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::blob::{Locator, MemberName};

    fn member() -> impl Strategy<Value = (MemberName, u32)> {
        let named = proptest::collection::vec(any::<u8>(), 0..12).prop_map(MemberName::Named);
        let offset = any::<u64>().prop_map(MemberName::Offset);
        (prop_oneof![named, offset], 1..4_u32)
    }

    proptest! {
        #[test]
        fn a_way_comes_back_from_its_locator_and_the_rest(
            label in "[a-z@/]{1,9}(#2)?",
            path in proptest::collection::vec(any::<u8>(), 0..12),
            members in proptest::collection::vec(member(), 0..5),
        ) {
            let mut at = Locator::file(&label, &path);
            for (name, ordinal) in &members {
                at = at.member("tar.gz", name, *ordinal);
            }
            let hops = Hops::of(at.as_str(), &at.hops().beside(at.as_str()));
            prop_assert_eq!(hops.as_ref(), Some(at.hops()));
            let text = serde_json::to_string(at.hops()).unwrap();
            let read: Hops = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, at.hops());
        }
    }

    #[test]
    fn the_raw_name_is_given_where_escaping_changed_it() {
        let at = Locator::file("in", b"a%b.tgz").member("tar", &MemberName::Named(b"x".into()), 2);
        let hops = at.hops().list();
        assert_eq!(hops[0].name, "a%25b.tgz");
        assert_eq!(hops[0].name_b64.as_deref(), Some("YSViLnRneg=="));
        assert_eq!((hops[1].name.as_str(), &hops[1].name_b64), ("x#2", &None));
    }

    #[test]
    fn kinds_that_do_not_belong_to_a_locator_are_refused() {
        assert_eq!(Hops::of("in/a!/b", "2 file"), None);
        assert_eq!(Hops::of("in/a", "2 file tar"), None);
        assert_eq!(Hops::of("in", "9 file"), None);
    }
}
