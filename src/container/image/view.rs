//! What the documents of images and the listings of their layers say together.
//!
//! Every document is followed from where it is found: an index to manifests and further indexes, a manifest to its layers,
//! a list of `docker save` to its images. They are hostile: what they name may be missing, may be something else, may lead
//! back to them; each is looked at once, and what is odd is told at the document that says it. A manifest that nothing
//! leads to makes an image too, but what stands in it is `unreferenced`.
//!
//! Whether an entry can be seen from the top is asked for few entries, of few images each: an index over all listings says
//! which layers could hide a path at all, so the price of an answer does not grow with their size.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::doc::{Descriptor, Doc, SavedImage};
use super::{Listing, Part, folders_of, number, plain_path};
use crate::blob::Sha256Digest;
use crate::blob::locator::escape;
use crate::container::Trouble;
use crate::record::{ImageUse, LayerStanding};

/// Layers of an image that are told apart; engines stop at 127 or 500.
const LAYERS_MAX: usize = 512;
/// Images that are looked at for each layer, and named for each entry.
const USES_MAX: usize = 16;
/// Layers of all images together.
const SLOTS_MAX: usize = 1 << 20;
/// Missing blobs that are named for each document.
const NAMED_MAX: usize = 4;
/// Indexes within one another that are followed.
const DEPTH_MAX: usize = 32;

/// An entry that may belong to images: a member of an archive, or a file of a folder.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// Its path, raw.
    pub path: &'a [u8],
    /// What it is to an image.
    pub part: Option<&'a Part>,
    /// The digest of its bytes, where it is known.
    pub sha256: Option<Sha256Digest>,
}

/// Where in a layer something stands.
#[derive(Debug, Clone, Copy)]
pub struct InLayer<'a> {
    /// The name as the layer gives it.
    pub name: &'a [u8],
    /// Which member of that name.
    pub ordinal: u32,
    /// It is many files: a git directory.
    pub is_folder: bool,
}

/// How a place stands in the images around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placing {
    /// The folder of the images, raw.
    pub root: Vec<u8>,
    /// The best standing in any of the images; `None` where it is not known, or of what is not in a layer.
    pub standing: Option<LayerStanding>,
    /// The images.
    pub images: Vec<ImageUse>,
    /// There are more.
    pub more: bool,
}

/// An image.
#[derive(Debug, Default)]
struct Image {
    tags: BTreeSet<String>,
    /// Its manifest's digest, as an index names it.
    manifest: Option<String>,
    platform: Option<String>,
    config: Vec<u8>,
    layers: Vec<Slot>,
    /// A document that is found by its name leads to it.
    is_reached: bool,
    /// The listing of each layer.
    at: Vec<Option<usize>>,
    /// The uppermost layer of which not everything is known.
    unknown: Option<usize>,
}

/// A place in the stack of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    path: Vec<u8>,
    is_files: bool,
}

/// That an image uses a blob, and as which of its layers.
#[derive(Debug, Clone, Copy)]
struct Use {
    image: usize,
    layer: Option<usize>,
}

/// The images of an archive or of a folder.
#[derive(Debug, Default)]
pub struct View<'a> {
    images: Vec<Image>,
    uses: HashMap<Vec<u8>, Vec<Use>>,
    /// Images by their manifest, and by their configuration.
    by_doc: HashMap<Vec<u8>, usize>,
    listings: Vec<&'a Listing>,
    listing_of: HashMap<&'a [u8], usize>,
    /// Which listings have a number among what may hide things.
    hiding: HashMap<u64, Vec<usize>>,
    /// Which listings have it among their folders.
    folders: HashMap<u64, Vec<usize>>,
    roots: BTreeSet<Vec<u8>>,
    slots: usize,
    troubles: Vec<(Vec<u8>, Trouble)>,
}

impl<'a> View<'a> {
    /// Puts together what is known of images among `held`. `exists` says whether there is an entry at a path, also one
    /// that has nothing to tell. `None` where there are no images.
    pub fn of(held: &[Held<'a>], exists: &dyn Fn(&[u8]) -> bool) -> Option<Self> {
        let docs: BTreeMap<&[u8], &Doc> = (held.iter())
            .filter_map(|held| match held.part? {
                Part::Doc(doc) => Some((held.path, doc)),
                Part::Layer(_) => None,
            })
            .collect();
        let mut view = Self::default();
        for (path, doc) in &docs {
            let Some(root) = root_of(path, doc) else {
                continue;
            };
            view.roots.insert(root.to_vec());
            match doc {
                Doc::Index(_) => view.follow(path, root, &docs, exists),
                Doc::Saved(images) => view.add_saved(path, root, images, &docs, exists),
                _ => {}
            }
        }
        if view.roots.is_empty() {
            return None;
        }
        view.add_unreached(&docs, exists);
        view.check_digests(held);
        for held in held {
            if let Some(Part::Layer(listing)) = held.part
                && view.uses.contains_key(held.path)
            {
                view.listing_of.insert(held.path, view.listings.len());
                view.listings.push(listing);
            }
        }
        view.index();
        Some(view)
    }

    /// What is odd, and at which path.
    pub fn troubles(&self) -> &[(Vec<u8>, Trouble)] {
        &self.troubles
    }

    // -----------------------------------------------------------------------------------------------------------
    // Following documents

    /// Follows an index to all images that it leads to.
    fn follow(
        &mut self,
        path: &[u8],
        root: &[u8],
        docs: &BTreeMap<&'a [u8], &'a Doc>,
        exists: &dyn Fn(&[u8]) -> bool,
    ) {
        /// An index that is still to be followed, and which of those that were followed led to it.
        struct Open {
            path: Vec<u8>,
            by: Option<usize>,
            name: Option<String>,
            platform: Option<String>,
        }
        let mut seen = BTreeSet::new();
        let mut followed: Vec<(Vec<u8>, Option<usize>)> = Vec::new();
        let mut open = vec![Open {
            path: path.to_vec(),
            by: None,
            name: None,
            platform: None,
        }];
        while let Some(index) = open.pop() {
            // Of two ways to one index the names along the first are kept.
            if !seen.insert(index.path.clone()) {
                continue;
            }
            let Some(Doc::Index(manifests)) = docs.get(index.path.as_slice()) else {
                continue;
            };
            let own = followed.len();
            followed.push((index.path.clone(), index.by));
            let mut way = BTreeSet::new();
            let mut at = Some(own);
            while let Some((path, by)) = at.and_then(|at| followed.get(at)) {
                way.insert(path.clone());
                at = *by;
            }
            let mut missing = Vec::new();
            let mut children = Vec::new();
            for found in manifests {
                let path = join(root, &found.path());
                let name = found.name.clone().or_else(|| index.name.clone());
                let platform = found.platform.clone().or_else(|| index.platform.clone());
                match docs.get(path.as_slice()) {
                    Some(Doc::Manifest { config, layers }) => {
                        let digest = Some(found.digest.clone());
                        let image = self.add_manifest(&path, root, (config, layers), docs, exists);
                        self.name_image(image, name, digest, platform);
                    }
                    Some(Doc::Index(_)) => {
                        if way.contains(&path) || way.len() > DEPTH_MAX {
                            self.tell(&index.path, "image-index-cycle", "this index leads back to itself through what it names, or into more than 32 further ones; it was not followed again".to_owned());
                            continue;
                        }
                        children.push(Open {
                            path,
                            by: Some(own),
                            name,
                            platform,
                        });
                    }
                    _ if !exists(&path) => missing.push(found.digest.as_str()),
                    // A kind of document that is none of an image's.
                    _ => self.add_use(&path, None, None),
                }
            }
            self.tell_missing(&index.path, &missing);
            open.extend(children.into_iter().rev());
        }
    }

    /// Takes the image of a manifest, or gives the one that is there already.
    fn add_manifest(
        &mut self,
        path: &[u8],
        root: &[u8],
        (config, layers): (&Descriptor, &[Descriptor]),
        docs: &BTreeMap<&'a [u8], &'a Doc>,
        exists: &dyn Fn(&[u8]) -> bool,
    ) -> Option<usize> {
        if let Some(image) = self.image_at(path) {
            return Some(image);
        }
        let slots = (layers.iter())
            .map(|layer| Slot {
                path: join(root, &layer.path()),
                is_files: layer.may_be_files(),
            })
            .collect();
        let config_path = join(root, &config.path());
        self.add_image(path, config_path, slots, docs, exists)
    }

    fn image_at(&self, path: &[u8]) -> Option<usize> {
        self.by_doc.get(path).copied()
    }

    fn add_saved(
        &mut self,
        path: &[u8],
        root: &[u8],
        saved: &[SavedImage],
        docs: &BTreeMap<&'a [u8], &'a Doc>,
        exists: &dyn Fn(&[u8]) -> bool,
    ) {
        for found in saved {
            let layers = (found.layers.iter())
                .map(|layer| Slot {
                    path: join(root, layer),
                    is_files: true,
                })
                .collect::<Vec<_>>();
            let config = join(root, &found.config);
            // Both forms may stand side by side and speak of one image.
            let same = |image: &Image| {
                image.config == config
                    && image.layers.len() == layers.len()
                    && image
                        .layers
                        .iter()
                        .zip(&layers)
                        .all(|(a, b)| a.path == b.path)
            };
            let known = self.image_at(&config).filter(|at| same(&self.images[*at]));
            let image = known.or_else(|| self.add_image(path, config, layers, docs, exists));
            if found.tags.is_empty() {
                self.name_image(image, None, None, None);
            }
            for tag in &found.tags {
                self.name_image(image, Some(tag.clone()), None, None);
            }
        }
    }

    /// Manifests that nothing leads to.
    fn add_unreached(
        &mut self,
        docs: &BTreeMap<&'a [u8], &'a Doc>,
        exists: &dyn Fn(&[u8]) -> bool,
    ) {
        for (path, doc) in docs {
            let Doc::Manifest { config, layers } = doc else {
                continue;
            };
            if self.uses.contains_key(*path) {
                continue;
            }
            if let Some(root) = self.root_above(path) {
                let image = self.add_manifest(path, &root, (config, layers), docs, exists);
                if let Some(image) = image {
                    self.images[image].manifest = digest_in(path);
                }
            }
        }
    }

    /// Takes an image that the document at `by` speaks of.
    fn add_image(
        &mut self,
        by: &[u8],
        config: Vec<u8>,
        layers: Vec<Slot>,
        docs: &BTreeMap<&'a [u8], &'a Doc>,
        exists: &dyn Fn(&[u8]) -> bool,
    ) -> Option<usize> {
        self.slots += layers.len() + 1;
        if layers.len() > LAYERS_MAX || self.slots > SLOTS_MAX {
            self.tell(by, "image-limit", format!(
                "an image with {} layers, or too many images: how its files stand is not told, all of them were read",
                layers.len()
            ));
            return None;
        }
        let mut missing = Vec::new();
        for path in layers.iter().map(|slot| &slot.path).chain([&config]) {
            if !exists(path) {
                missing.push(escape(path));
            }
        }
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        self.tell_missing(by, &missing);
        let platform = match docs.get(config.as_slice()) {
            Some(Doc::Config {
                platform,
                layers: known,
            }) => {
                if *known != layers.len() as u64 {
                    self.tell(by, "image-layers", format!(
                        "{} layers are named here and {known} in the configuration of the image; those named here were taken",
                        layers.len()
                    ));
                }
                platform.clone()
            }
            _ => None,
        };
        let number = self.images.len();
        for doc in [by, &config] {
            self.add_use(doc, Some(number), None);
            self.by_doc.entry(doc.to_vec()).or_insert(number);
        }
        for (layer, slot) in layers.iter().enumerate() {
            self.add_use(&slot.path, Some(number), Some(layer));
        }
        self.images.push(Image {
            platform,
            config,
            layers,
            ..Image::default()
        });
        Some(number)
    }

    fn add_use(&mut self, path: &[u8], image: Option<usize>, layer: Option<usize>) {
        let uses = self.uses.entry(path.to_vec()).or_default();
        uses.extend(image.map(|image| Use { image, layer }));
    }

    fn name_image(
        &mut self,
        image: Option<usize>,
        tag: Option<String>,
        manifest: Option<String>,
        platform: Option<String>,
    ) {
        let Some(image) = image.map(|image| &mut self.images[image]) else {
            return;
        };
        image.is_reached = true;
        image.tags.extend(tag);
        image.manifest = image.manifest.take().or(manifest);
        image.platform = image.platform.take().or(platform);
    }

    fn tell(&mut self, path: &[u8], code: &'static str, detail: String) {
        self.troubles
            .push((path.to_vec(), Trouble::odd(code, detail)));
    }

    fn tell_missing(&mut self, by: &[u8], missing: &[&str]) {
        if missing.is_empty() {
            return;
        }
        let named = &missing[..missing.len().min(NAMED_MAX)];
        let more = match missing.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        self.tell(by, "image-blob-missing", format!(
            "{}{more}: named here and not in the input, so what it holds was not looked at, nor what it hides of layers below it",
            named.join(", ")
        ));
    }

    /// Blobs are called by what their bytes hash to.
    fn check_digests(&mut self, held: &[Held]) {
        for held in held {
            let (Some(named), Some(found)) = (digest_in(held.path), held.sha256) else {
                continue;
            };
            let Some(named) = named.strip_prefix("sha256:") else {
                continue;
            };
            if self.root_above(held.path).is_some() && !named.eq_ignore_ascii_case(&found.hex()) {
                self.tell(held.path, "image-digest", format!(
                    "the bytes have the SHA-256 {}, which is not what the blob is called by; they were read as they are",
                    found.hex()
                ));
            }
        }
    }

    /// The root in whose folder of blobs a path lies.
    fn root_above(&self, path: &[u8]) -> Option<Vec<u8>> {
        let at = memchr::memmem::rfind(path, b"blobs/")?;
        let root = &path[..at];
        self.roots.contains(root).then(|| root.to_vec())
    }

    // -----------------------------------------------------------------------------------------------------------
    // Standing

    /// Makes the index over all listings.
    fn index(&mut self) {
        for (number, listing) in self.listings.iter().enumerate() {
            let hiding = [&listing.files, &listing.removed, &listing.opaque];
            for path in hiding.into_iter().flatten() {
                let list = self.hiding.entry(*path).or_default();
                if list.last() != Some(&number) {
                    list.push(number);
                }
            }
            for path in &listing.folders {
                self.folders.entry(*path).or_default().push(number);
            }
        }
        for image in &mut self.images {
            for (layer, slot) in image.layers.iter().enumerate() {
                let listing = self.listing_of.get(slot.path.as_slice()).copied();
                image.at.push(listing);
                let is_whole = listing.is_some_and(|listing| self.listings[listing].is_whole);
                if slot.is_files && !is_whole {
                    image.unknown = Some(layer);
                }
            }
        }
    }

    /// How something stands in the images: the entry `within` the blob at `path`, or that blob itself. `None` where it
    /// is no part of any.
    pub fn placing(&self, path: &[u8], within: Option<InLayer>) -> Option<Placing> {
        let around = || {
            let mut roots = self.roots.iter().filter(|root| path.starts_with(root));
            roots.next_back().cloned()
        };
        let Some(uses) = self.uses.get(path) else {
            let is_layer = within.is_some() && super::may_be_layer(path);
            let root = self
                .root_above(path)
                .or_else(|| around().filter(|_| is_layer))?;
            return Some(Placing {
                root,
                standing: Some(LayerStanding::Unreferenced),
                ..Placing::default()
            });
        };
        let root = self.root_above(path).or_else(around)?;
        let mut placing = Placing {
            root,
            ..Placing::default()
        };
        let sought = within.map(|within| Sought::new(&within));
        let mut before: Option<usize> = None;
        for used in uses {
            let image = &self.images[used.image];
            let (standing, by_layer) = match (&sought, &within, used.layer) {
                _ if !image.is_reached => (Some(LayerStanding::Unreferenced), None),
                (Some(sought), Some(within), Some(layer)) => {
                    self.standing(image, layer, sought, within, path)
                }
                _ => (None, None),
            };
            let found = ImageUse {
                tags: image
                    .tags
                    .iter()
                    .map(|tag| escape(tag.as_bytes()))
                    .collect(),
                manifest: image.manifest.clone(),
                platform: image
                    .platform
                    .as_deref()
                    .map(|text| escape(text.as_bytes())),
                layer: used.layer.map(|layer| layer as u64),
                layers: image.layers.len() as u64,
                standing,
                by_layer: by_layer.map(|layer| layer as u64),
            };
            // A layer that stands in an image twice counts where it stands better.
            if before == Some(used.image) {
                if let Some(last) = placing.images.last_mut()
                    && better(found.standing, last.standing)
                {
                    *last = found;
                }
                continue;
            }
            if placing.images.len() == USES_MAX {
                placing.more = true;
                break;
            }
            before = Some(used.image);
            placing.images.push(found);
        }
        let mut known = placing.images.iter().filter_map(|found| found.standing);
        let best = known.clone().min();
        let is_sure = best == Some(LayerStanding::Top)
            || placing.images.iter().all(|found| found.standing.is_some());
        placing.standing = if sought.is_some() {
            best.filter(|_| is_sure)
        } else {
            let all = known.all(|standing| standing == LayerStanding::Unreferenced);
            best.filter(|_| is_sure && all)
        };
        Some(placing)
    }

    /// How an entry of a layer stands in an image, and which layer hides it.
    fn standing(
        &self,
        image: &Image,
        layer: usize,
        sought: &Sought,
        within: &InLayer,
        path: &[u8],
    ) -> (Option<LayerStanding>, Option<usize>) {
        let own = self.listing_of.get(path).map(|own| self.listings[*own]);
        if own.is_some_and(|own| {
            !within.is_folder && !own.is_last(sought.path, within.name, within.ordinal)
        }) {
            return (Some(LayerStanding::Replaced), Some(layer));
        }
        let lists = self.lists(sought);
        let may_hide = |listing: &usize| {
            let mut lists = lists.iter();
            lists.any(|list| list.binary_search(listing).is_ok())
        };
        // Where no layer of any image could hide it, none is looked at.
        let above = if lists.is_empty() {
            &[]
        } else {
            &image.at[layer + 1..]
        };
        let first = above.iter().zip(layer + 1..).find_map(|(listing, above)| {
            let listing = listing.filter(may_hide)?;
            Some((above, sought.hidden_by(self.listings[listing])?))
        });
        match first {
            Some((above, how)) => (Some(how), Some(above)),
            None if image.unknown.is_some_and(|unknown| unknown > layer) => (None, None),
            None => (Some(LayerStanding::Top), None),
        }
    }

    /// Listings that may hide what is sought.
    fn lists(&self, sought: &Sought) -> Vec<&Vec<usize>> {
        let paths = sought.folders.iter().chain([&sought.path]);
        let hiding = paths.filter_map(|path| self.hiding.get(path));
        hiding.chain(self.folders.get(&sought.path)).collect()
    }
}

/// A place in a layer that is looked for in those above.
struct Sought {
    path: u64,
    /// The folders round it, and the top.
    folders: Vec<u64>,
    is_folder: bool,
}

impl Sought {
    fn new(within: &InLayer) -> Self {
        let path = plain_path(within.name);
        let folders = folders_of(&path).chain([&b""[..]]).map(number).collect();
        Self {
            path: number(&path),
            folders,
            is_folder: within.is_folder,
        }
    }

    /// Whether a layer above hides it. What is put in the place of a folder takes away all that was in it.
    fn hidden_by(&self, above: &Listing) -> Option<LayerStanding> {
        let has = |list: &[u64], path: &u64| list.binary_search(path).is_ok();
        if !self.is_folder && (has(&above.files, &self.path) || has(&above.folders, &self.path)) {
            return Some(LayerStanding::Replaced);
        }
        let is_gone = has(&above.removed, &self.path)
            || (self.is_folder
                && (has(&above.files, &self.path) || has(&above.opaque, &self.path)))
            || self.folders.iter().any(|folder| {
                has(&above.removed, folder)
                    || has(&above.opaque, folder)
                    || has(&above.files, folder)
            });
        is_gone.then_some(LayerStanding::Deleted)
    }
}

/// Whether the one standing is better to know of than the other; what is not known is worst.
fn better(one: Option<LayerStanding>, other: Option<LayerStanding>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one < other,
        (one, _) => one.is_some(),
    }
}

/// The folder of images that a document heads by its name, with the slash at its end.
fn root_of<'p>(path: &'p [u8], doc: &Doc) -> Option<&'p [u8]> {
    let name: &[u8] = match doc {
        Doc::Index(_) => b"index.json",
        Doc::Saved(_) => b"manifest.json",
        _ => return None,
    };
    let root = path.strip_suffix(name)?;
    (root.is_empty() || root.ends_with(b"/")).then_some(root)
}

fn join(root: &[u8], path: &str) -> Vec<u8> {
    [root, path.as_bytes()].concat()
}

/// The digest that a blob is called by, as documents write it.
fn digest_in(path: &[u8]) -> Option<String> {
    let mut parts = path.rsplit(|&byte| byte == b'/');
    let (hex, algorithm) = (parts.next()?, parts.next()?);
    (parts.next()? == b"blobs").then(|| {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        format!("{}:{}", text(algorithm), text(hex))
    })
}

#[cfg(test)]
mod tests {
    use super::super::listing::Lister;
    use super::*;

    fn blob(letter: char) -> String {
        format!("blobs/sha256/{}", String::from(letter).repeat(64))
    }

    fn descriptor(letter: char) -> Descriptor {
        Descriptor {
            media_type: String::new(),
            digest: format!("sha256:{}", String::from(letter).repeat(64)),
            name: None,
            platform: None,
        }
    }

    fn layer(names: &[&str]) -> Part {
        let mut lister = Lister::default();
        for name in names {
            match name.strip_suffix('/') {
                Some(folder) => lister.folder(folder.as_bytes()),
                None => lister.member(name.as_bytes(), 1),
            }
        }
        Part::Layer(lister.finish(true))
    }

    fn manifest(layers: &str) -> Part {
        Part::Doc(Doc::Manifest {
            config: descriptor('c'),
            layers: layers.chars().map(descriptor).collect(),
        })
    }

    fn index(manifests: &str) -> Part {
        Part::Doc(Doc::Index(manifests.chars().map(descriptor).collect()))
    }

    /// The images among these parts, and how a name in a layer stands.
    fn stands(
        parts: &[(String, Part)],
        path: &str,
        name: &str,
    ) -> (Option<LayerStanding>, Vec<ImageUse>) {
        let held: Vec<_> = parts
            .iter()
            .map(|(path, part)| Held {
                path: path.as_bytes(),
                part: Some(part),
                sha256: None,
            })
            .collect();
        let exists = |path: &[u8]| held.iter().any(|held| held.path == path);
        let view = View::of(&held, &exists).expect("there are images");
        let within = InLayer {
            name: name.as_bytes(),
            ordinal: 1,
            is_folder: false,
        };
        let placing = view
            .placing(path.as_bytes(), Some(within))
            .expect("a part of them");
        (placing.standing, placing.images)
    }

    #[test]
    fn later_layers_hide_what_earlier_ones_hold() {
        use LayerStanding::{Deleted, Replaced, Top};
        let parts = [
            ("index.json".to_owned(), index("e")),
            (blob('e'), manifest("012")),
            (
                blob('0'),
                layer(&["a", "d/x", "o/y", "p/z", "f", "g/h", "keep"]),
            ),
            (
                blob('1'),
                layer(&[".wh.a", ".wh.d", "o/.wh..wh..opq", "o/new", "f", "g"]),
            ),
            (blob('2'), layer(&["a", "p/"])),
        ];
        let at = |name: &str| {
            let (standing, images) = stands(&parts, &blob('0'), name);
            (standing.expect("known"), images[0].by_layer)
        };
        assert_eq!(at("a"), (Deleted, Some(1)));
        assert_eq!(at("./d/x"), (Deleted, Some(1)));
        assert_eq!(at("o/y"), (Deleted, Some(1)));
        assert_eq!(at("f"), (Replaced, Some(1)));
        assert_eq!(at("g/h"), (Deleted, Some(1)));
        assert_eq!(at("p/z"), (Top, None));
        assert_eq!(at("keep"), (Top, None));
        assert_eq!(stands(&parts, &blob('2'), "a").0, Some(Top));
        assert_eq!(stands(&parts, &blob('1'), "o/new").0, Some(Top));
    }

    #[test]
    fn what_is_missing_leaves_the_answer_open() {
        let parts = [
            ("index.json".to_owned(), index("e")),
            (blob('e'), manifest("012")),
            (blob('0'), layer(&["a", "b"])),
            (blob('2'), layer(&[".wh.a"])),
        ];
        assert_eq!(
            stands(&parts, &blob('0'), "a").0,
            Some(LayerStanding::Deleted)
        );
        assert_eq!(stands(&parts, &blob('0'), "b").0, None);
    }

    #[test]
    fn a_layer_twice_in_an_image_counts_where_it_stands_best() {
        let parts = [
            ("index.json".to_owned(), index("e")),
            (blob('e'), manifest("010")),
            (blob('0'), layer(&["a"])),
            (blob('1'), layer(&[".wh.a"])),
        ];
        let (standing, images) = stands(&parts, &blob('0'), "a");
        assert_eq!(standing, Some(LayerStanding::Top));
        assert_eq!(images.len(), 1);
        assert_eq!(images[0].layer, Some(2));
    }

    #[test]
    fn what_nothing_names_is_unreferenced() {
        let parts = [
            ("index.json".to_owned(), index("e")),
            (blob('e'), manifest("0")),
            (blob('0'), layer(&["a"])),
            (blob('1'), layer(&["a"])),
            (blob('f'), manifest("2")),
            (blob('2'), layer(&["a"])),
        ];
        let unreferenced = Some(LayerStanding::Unreferenced);
        assert_eq!(stands(&parts, &blob('1'), "a"), (unreferenced, Vec::new()));
        let (standing, images) = stands(&parts, &blob('2'), "a");
        assert_eq!((standing, images.len()), (unreferenced, 1));
    }

    #[test]
    fn indexes_that_lead_in_a_circle_end() {
        let parts = [
            ("index.json".to_owned(), index("aab")),
            (blob('a'), index("b")),
            (blob('b'), index("ae")),
            (blob('e'), manifest("0")),
            (blob('0'), layer(&["x"])),
        ];
        let held: Vec<_> = parts
            .iter()
            .map(|(path, part)| Held {
                path: path.as_bytes(),
                part: Some(part),
                sha256: None,
            })
            .collect();
        let view = View::of(&held, &|_| true).expect("there are images");
        assert!(
            view.troubles()
                .iter()
                .any(|(_, trouble)| trouble.code == "image-index-cycle")
        );
        assert_eq!(view.images.len(), 1);
    }
}
