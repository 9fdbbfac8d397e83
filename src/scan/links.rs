//! Where contents point to: maps, debug ids, packages, what a container says beside the bytes.

use super::facts::LinkFact;
use crate::blob::url::name_without_passwords;
use crate::exposure;
use crate::record::ReferenceKind;
use crate::sourcemap::{self, Target};

/// The debug ids of a script, as links to maps that have the same.
pub(super) fn debug_links(text: &[u8]) -> impl Iterator<Item = LinkFact> {
    let ids = sourcemap::debug_ids(text).into_iter();
    ids.map(|id| LinkFact {
        target: id.to_ascii_lowercase(),
        kind: ReferenceKind::DebugId,
        conforming: true,
        beside: None,
    })
}

/// The link of a package that a file names.
pub(super) fn package_link((target, beside): exposure::named::Package) -> LinkFact {
    LinkFact {
        target,
        kind: ReferenceKind::Package,
        conforming: true,
        beside,
    }
}

pub(super) fn link_fact(link: &sourcemap::Link) -> Option<LinkFact> {
    link_to(link.url, link.conforming)
}

fn link_to(target: &[u8], conforming: bool) -> Option<LinkFact> {
    let kind = match sourcemap::classify(target) {
        Target::Data => return None,
        Target::Url => ReferenceKind::Url,
        Target::Bucket => ReferenceKind::Bucket,
        Target::File => ReferenceKind::File,
    };
    Some(LinkFact {
        target: name_without_passwords(target.to_vec()),
        kind,
        conforming,
        beside: None,
    })
}

/// The links that a container gives beside the bytes of a member. A header is what the standard asks for first
/// (ECMA-426, "Linking through HTTP headers").
pub(super) fn given_links(targets: &[Vec<u8>]) -> Vec<LinkFact> {
    targets
        .iter()
        .filter_map(|target| link_to(target, true))
        .collect()
}
