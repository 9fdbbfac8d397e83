//! Says of records where they stand in the container images around them.
//!
//! Documents and layers are members of one archive, or files of one folder; what they say together is known when all of
//! them were read ([`View`]). Then every record about a layer, or about something in one, is told its images, its place in
//! the stack, and whether a later layer hides it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::facts::{Child, Outcome, Tree};
use crate::blob::locator::{escape, unescape};
use crate::blob::{Hop, Locator, MemberName};
use crate::container::image::Part;
use crate::container::image::view::{Held, HowRead, InLayer, Placing, View};
use crate::container::{Effect, Trouble};
use crate::record::{ImagePlace, Record};

/// The images among the members of an archive.
pub fn of_tree(tree: &Tree) -> Option<View<'_>> {
    let has_images = |child: &&Child| matches!(child.facts.image.as_deref(), Some(Part::Doc(_)));
    tree.children.iter().find(has_images)?;
    // Of entries of one name the last is what unpacking leaves.
    let last: BTreeMap<&[u8], &Child> = (tree.children.iter())
        .map(|child| (child.name.bytes(), child))
        .collect();
    let held: Vec<Held> = (last.into_iter())
        .map(|(path, child)| Held {
            path,
            part: child.facts.image.as_deref(),
            sha256: child.sha256,
            read: match child.outcome() {
                _ if child.facts.tree.is_some() => HowRead::Opened,
                Outcome::Read => HowRead::Leaf,
                _ => HowRead::InPart,
            },
        })
        .collect();
    let exists = |path: &[u8]| {
        let number = super::facts::name_number(path);
        tree.names.binary_search(&number).is_ok()
    };
    View::of(&held, &exists, &tree.links)
}

/// Notes in an archive that was read what only its images can tell of its members: that they were not.
pub fn note_unread(tree: &mut Tree) {
    let unread: BTreeMap<Vec<u8>, Trouble> = match of_tree(tree) {
        Some(view) => (view.troubles().iter())
            .filter(|(_, trouble)| trouble.effect != Effect::Odd)
            .cloned()
            .collect(),
        None => return,
    };
    // The last of a name is the one that counts.
    let mut last = BTreeMap::new();
    for (index, child) in tree.children.iter().enumerate() {
        if unread.contains_key(child.name.bytes()) {
            last.insert(child.name.bytes().to_vec(), index);
        }
    }
    for (path, index) in last {
        if let (Some(trouble), Some(child)) = (unread.get(&path), tree.children.get_mut(index)) {
            Arc::make_mut(&mut child.facts)
                .troubles
                .push(trouble.clone());
        }
    }
}

/// The problems of an archive's images, each at the document that it is about.
pub fn problems(view: &View, tree: &Tree, at: &Locator) -> Vec<Record> {
    let troubles = view.troubles().iter();
    // What was not read is said by the entry itself.
    troubles
        .filter(|(_, trouble)| trouble.effect == Effect::Odd)
        .map(|(path, trouble)| {
            let here = at.member(&tree.kind, &MemberName::Named(path.clone()), 1);
            super::place::problem(trouble, &here)
        })
        .collect()
}

/// Says of records about the entry at `path`, whose locator is `here`, or about something within it, how it stands in
/// the images. `root` gives the locator of a folder that holds images.
pub fn note(
    view: &View,
    path: &[u8],
    here: &Locator,
    root: &dyn Fn(&[u8]) -> String,
    records: &mut [Record],
) {
    let depth = here.hops().list().len();
    for record in records {
        let is_package = matches!(record, Record::Package(_));
        let Some((_, hops)) = record.place_mut() else {
            continue;
        };
        let found = {
            let hops = hops.list();
            let member = hops.get(depth).map(|hop| member_of(hop));
            let is_folder = hops.get(depth + 1).is_some_and(|hop| hop.kind == "git");
            let member = member.map(|(mut name, ordinal)| {
                // A package is where its manifest is.
                if is_package && hops.len() == depth + 1 {
                    name.extend_from_slice(b"/package.json");
                }
                (name, ordinal)
            });
            let within = member.as_ref().map(|(name, ordinal)| InLayer {
                name,
                ordinal: *ordinal,
                is_folder,
            });
            view.placing(path, within)
        };
        let slot = match record {
            Record::Match(row) => &mut row.image,
            Record::Exposure(row) => &mut row.image,
            Record::Source(row) => &mut row.image,
            Record::Blob(row) => &mut row.image,
            Record::Package(row) => &mut row.image,
            _ => continue,
        };
        // Of an image within an image the inner one says more.
        if let (None, Some(found)) = (&slot, found) {
            *slot = Some(Box::new(image_place(found, root)));
        }
    }
}

/// The raw name of a member, and which of that name it is.
fn member_of(hop: &Hop) -> (Vec<u8>, u32) {
    let (name, ordinal) = match hop.name.split_once('#') {
        Some((name, ordinal)) => (name, ordinal.parse().unwrap_or(1)),
        None => (hop.name.as_str(), 1),
    };
    let raw = unescape(name).unwrap_or_else(|| name.as_bytes().to_vec());
    (raw, ordinal)
}

fn image_place(found: Placing, root: &dyn Fn(&[u8]) -> String) -> ImagePlace {
    let folder = found.root.strip_suffix(b"/").unwrap_or(&found.root);
    let mut images = found.images;
    for image in &mut images {
        image.manifest = image.manifest.take().map(|text| escape(text.as_bytes()));
    }
    ImagePlace {
        root: root(folder),
        standing: found.standing,
        images,
        more_images: found.more,
    }
}
