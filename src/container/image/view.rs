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

use super::doc::{Descriptor, Doc, SavedImage, Why};
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
/// Links that are followed one after the other.
const LINKS_MAX: usize = 8;
/// Symbolic links to one folder that are looked at for each entry in it; of more the answer stays open.
const LINKS_TO_ONE_MAX: usize = 64;
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
    /// How far it was read.
    pub read: HowRead,
}

/// How far an entry was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HowRead {
    /// As what it is, for all that is known of it.
    #[default]
    Leaf,
    /// As a container.
    Opened,
    /// Not to its end, which is said already.
    InPart,
}

/// What is known of the entries around the documents of images.
struct Around<'f, 'a> {
    docs: BTreeMap<&'a [u8], &'a Doc>,
    exists: &'f dyn Fn(&[u8]) -> bool,
    /// Where links lead to.
    links: &'f BTreeMap<Vec<u8>, Vec<u8>>,
    /// Blobs by their SHA-256, in hexadecimal.
    by_digest: HashMap<String, &'a [u8]>,
}

/// Where what a document names is.
enum Place {
    /// At this path, be it that a link leads there.
    Here(Vec<u8>),
    /// Nowhere: the path that it should have, and what is to be said of it.
    Nowhere(Vec<u8>, String),
}

impl Place {
    fn path(&self) -> &[u8] {
        match self {
            Place::Here(path) | Place::Nowhere(path, _) => path,
        }
    }

    fn into_path(self) -> Vec<u8> {
        match self {
            Place::Here(path) | Place::Nowhere(path, _) => path,
        }
    }
}

impl Around<'_, '_> {
    /// Looks for what a document names by a path below the folder of its images: there, at the plain form of the path,
    /// with the digits of a digest as they are mostly written, along a link, and by its digest.
    fn locate(&self, root: &[u8], named: &str) -> Place {
        let mut ways = vec![join(root, named)];
        let plain = plain_path(named.as_bytes());
        if plain != named.as_bytes() {
            ways.push([root, &plain].concat());
        }
        let digest = named
            .strip_prefix("blobs/")
            .and_then(|rest| rest.split_once('/'));
        if let Some((algorithm, hex)) = digest
            && hex.bytes().any(|byte| byte.is_ascii_uppercase())
        {
            let lower = format!("blobs/{algorithm}/{}", hex.to_ascii_lowercase());
            ways.push(join(root, &lower));
        }
        for way in &ways {
            if let Some(path) = self.follow_links(way) {
                return Place::Here(path);
            }
        }
        if let Some(("sha256", hex)) = digest
            && let Some(path) = self.by_digest.get(&hex.to_ascii_lowercase())
        {
            return Place::Here(path.to_vec());
        }
        let path = ways.swap_remove(0);
        let mut text = escape(&path);
        if let Some(target) = self.links.get(&path) {
            text.push_str(" (a link to ");
            text.push_str(&escape(target));
            text.push(')');
        }
        Place::Nowhere(path, text)
    }

    /// The entry at a path, or the one that links from there lead to.
    fn follow_links(&self, path: &[u8]) -> Option<Vec<u8>> {
        let mut path = path.to_vec();
        for _ in 0..LINKS_MAX {
            if (self.exists)(&path) {
                return Some(path);
            }
            let target = self.links.get(&path)?;
            // Archives of a folder as a whole write its members so.
            let dotted = [b"./", target.as_slice()].concat();
            let is_dotted = (self.exists)(&dotted) || self.links.contains_key(&dotted);
            path = if is_dotted { dotted } else { target.clone() };
        }
        None
    }
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
    /// A layer is not here that may be the same as one that is.
    has_lost: bool,
    /// The folder of its documents.
    root: Vec<u8>,
}

/// A place in the stack of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    path: Vec<u8>,
    is_files: bool,
    is_encrypted: bool,
    /// Nothing is known of what it is: it is not here, and it has no digest by which it is told from others.
    is_lost: bool,
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
    /// Which listings have a path as a symbolic link, where something stands behind that in any.
    links: HashMap<u64, Vec<usize>>,
    /// Such links by the folders that they lead to, and those that lead through another one.
    led: HashMap<u64, Vec<(u64, usize)>>,
    chained: Vec<(u64, usize)>,
    roots: BTreeSet<Vec<u8>>,
    /// Roots of which a document is missing or was not read.
    unread: BTreeSet<Vec<u8>>,
    slots: usize,
    troubles: Vec<(Vec<u8>, Trouble)>,
}

impl<'a> View<'a> {
    /// Puts together what is known of images among `held`. `exists` says whether there is an entry at a path, also one
    /// that has nothing to tell; `links` where links among them lead to. `None` where there are no images.
    pub fn of(
        held: &[Held<'a>],
        exists: &dyn Fn(&[u8]) -> bool,
        links: &BTreeMap<Vec<u8>, Vec<u8>>,
    ) -> Option<Self> {
        let docs: BTreeMap<&[u8], &Doc> = (held.iter())
            .filter_map(|held| match held.part? {
                Part::Doc(doc) => Some((held.path, doc)),
                Part::Layer(_) => None,
            })
            .collect();
        let by_path: BTreeMap<&[u8], &Held> = held.iter().map(|held| (held.path, held)).collect();
        let is_root = |path: &[u8], doc: &Doc| {
            let root = root_of(path, doc)?;
            let is_one = !matches!(doc, Doc::Unread(_)) || has_blobs(root, &by_path, exists);
            is_one.then(|| root.to_vec())
        };
        let roots: Vec<_> = (docs.iter())
            .filter_map(|(path, doc)| Some((*path, *doc, is_root(path, doc)?)))
            .collect();
        if roots.is_empty() {
            return None;
        }
        let by_digest = (held.iter())
            .filter_map(|held| Some((held.sha256?.hex(), held.path)))
            .rev()
            .collect();
        let around = Around {
            docs,
            exists,
            links,
            by_digest,
        };
        let around = &around;
        let mut view = Self {
            roots: roots.iter().map(|(_, _, root)| root.clone()).collect(),
            ..Self::default()
        };
        for (path, doc, root) in &roots {
            match doc {
                Doc::Index(_) => view.follow(path, root, around),
                Doc::Saved(images) => view.add_saved(path, root, images, around),
                Doc::Unread(why) => view.tell_unread(path, root, *why, &by_path),
                _ => {}
            }
        }
        view.add_unreached(around);
        view.check_digests(held);
        view.check_layers(&by_path);
        view.check_docs(around, &by_path);
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
    fn follow(&mut self, path: &[u8], root: &[u8], around: &Around<'_, 'a>) {
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
            let Some(Doc::Index(manifests)) = around.docs.get(index.path.as_slice()) else {
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
            self.tell_unusable(&index.path, root, manifests.iter());
            for found in manifests.iter().filter(|found| found.is_usable()) {
                let place = around.locate(root, &found.path());
                let path = place.path().to_vec();
                let name = found.name.clone().or_else(|| index.name.clone());
                let platform = found.platform.clone().or_else(|| index.platform.clone());
                match around.docs.get(path.as_slice()) {
                    Some(Doc::Manifest { config, layers }) => {
                        let digest = Some(found.digest.clone());
                        let image = self.add_manifest(&path, root, (config, layers), around);
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
                    _ if matches!(place, Place::Nowhere(..)) => {
                        self.unread.insert(root.to_vec());
                        missing.push(found.digest.as_str());
                    }
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
        around: &Around<'_, 'a>,
    ) -> Option<usize> {
        if let Some(image) = self.image_at(path) {
            return Some(image);
        }
        self.tell_unusable(path, root, layers.iter().chain([config]));
        let mut missing = Vec::new();
        let slots = (layers.iter())
            .map(|layer| Slot {
                is_files: layer.may_be_files(),
                is_encrypted: layer.is_encrypted(),
                is_lost: !layer.is_usable(),
                path: match layer.is_usable() {
                    true => place(around.locate(root, &layer.path()), &mut missing),
                    false => Vec::new(),
                },
            })
            .collect();
        let config = match config.is_usable() {
            true => place(around.locate(root, &config.path()), &mut missing),
            false => Vec::new(),
        };
        self.tell_missing_places(path, &missing);
        self.add_image(path, root, config, slots, around)
    }

    fn image_at(&self, path: &[u8]) -> Option<usize> {
        self.by_doc.get(path).copied()
    }

    fn add_saved(
        &mut self,
        path: &[u8],
        root: &[u8],
        saved: &[SavedImage],
        around: &Around<'_, 'a>,
    ) {
        for found in saved {
            let mut missing = Vec::new();
            let layers = (found.layers.iter())
                .map(|layer| {
                    let before = missing.len();
                    let path = place(around.locate(root, layer), &mut missing);
                    Slot {
                        // A path says nothing of what it names, other than a digest.
                        is_lost: missing.len() > before && digest_in(&path).is_none(),
                        path,
                        is_files: true,
                        is_encrypted: false,
                    }
                })
                .collect::<Vec<_>>();
            let config = place(around.locate(root, &found.config), &mut missing);
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
            let image = known.or_else(|| {
                self.tell_missing_places(path, &missing);
                self.add_image(path, root, config, layers, around)
            });
            if found.tags.is_empty() {
                self.name_image(image, None, None, None);
            }
            for tag in &found.tags {
                self.name_image(image, Some(tag.clone()), None, None);
            }
        }
    }

    /// Manifests that nothing leads to.
    fn add_unreached(&mut self, around: &Around<'_, 'a>) {
        for (path, doc) in &around.docs {
            let Doc::Manifest { config, layers } = doc else {
                continue;
            };
            if self.uses.contains_key(*path) {
                continue;
            }
            if let Some(root) = self.root_above(path) {
                let image = self.add_manifest(path, &root, (config, layers), around);
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
        root: &[u8],
        config: Vec<u8>,
        layers: Vec<Slot>,
        around: &Around<'_, 'a>,
    ) -> Option<usize> {
        self.slots += layers.len() + 1;
        if layers.len() > LAYERS_MAX || self.slots > SLOTS_MAX {
            self.tell(by, "image-limit", format!(
                "an image with {} layers, or too many images: how its files stand is not told, all of them were read",
                layers.len()
            ));
            return None;
        }
        let platform = match around.docs.get(config.as_slice()) {
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
        for doc in [by, &config].into_iter().filter(|doc| !doc.is_empty()) {
            self.add_use(doc, Some(number), None);
            self.by_doc.entry(doc.to_vec()).or_insert(number);
        }
        let named = |slot: &&Slot| !slot.path.is_empty();
        for (layer, slot) in layers.iter().enumerate().filter(|(_, slot)| named(slot)) {
            self.add_use(&slot.path, Some(number), Some(layer));
        }
        self.images.push(Image {
            platform,
            config,
            has_lost: layers.iter().any(|slot| slot.is_lost),
            layers,
            root: root.to_vec(),
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

    /// Says of a document that parts of it name nothing, and that its images are not known for that.
    fn tell_unusable<'d>(
        &mut self,
        by: &[u8],
        root: &[u8],
        named: impl Iterator<Item = &'d Descriptor>,
    ) {
        let unusable = named.filter(|found| !found.is_usable()).count();
        if unusable > 0 {
            self.unread.insert(root.to_vec());
            self.tell(by, "image-document", format!(
                "{unusable} of the blobs that it speaks of are named by no digest, so what they hold and hide is not known; the others were taken"
            ));
        }
    }

    /// Says of what should be a document that it was not read as one. Its bytes were looked at like any others.
    fn tell_unread(
        &mut self,
        path: &[u8],
        root: &[u8],
        why: Why,
        by_path: &BTreeMap<&[u8], &Held>,
    ) {
        self.unread.insert(root.to_vec());
        let (code, what) = match why {
            Why::Memory => ("memory-limit", "larger than content may be held here"),
            Why::Size => ("image-document", "larger than 4 MiB"),
            Why::Broken => ("image-document", "no JSON, cut or damaged"),
        };
        let next = if why == Why::Memory {
            "; raise --memory"
        } else {
            ""
        };
        let detail = format!(
            "a document of an image, and {what}, so the images that it speaks of are not known; the layers were read all the same{next}"
        );
        let is_said = by_path
            .get(path)
            .is_some_and(|held| held.read == HowRead::InPart);
        let trouble = if is_said {
            Trouble::odd(code, detail)
        } else {
            Trouble::damaged(code, detail, None)
        };
        self.troubles.push((path.to_vec(), trouble));
    }

    /// Looks for what is named as a document of an image and was not read as one.
    fn check_docs(&mut self, around: &Around<'_, 'a>, by_path: &BTreeMap<&[u8], &Held>) {
        let mut unread = Vec::new();
        for (path, doc) in &around.docs {
            let Doc::Unread(why) = doc else { continue };
            let uses = self.uses.get(*path);
            let is_layer = |used: &Use| used.layer.is_some();
            if uses.is_some_and(|uses| !uses.iter().any(is_layer)) {
                unread.extend(self.root_above(path).map(|root| (*path, root, *why)));
            }
        }
        for (path, root, why) in unread {
            self.tell_unread(path, &root, why, by_path);
        }
    }

    /// What is called a layer and was not opened as one was not read: nobody else can tell that of its bytes.
    fn check_layers(&mut self, by_path: &BTreeMap<&[u8], &Held>) {
        let mut told = BTreeSet::new();
        let mut found = Vec::new();
        for slot in self.images.iter().flat_map(|image| &image.layers) {
            let Some(held) = by_path.get(slot.path.as_slice()) else {
                continue;
            };
            let is_layer = matches!(held.part, Some(Part::Layer(_)));
            if is_layer || !slot.is_files || !told.insert(held.path) {
                continue;
            }
            let trouble = match held.read {
                HowRead::InPart => continue,
                HowRead::Opened => Trouble::odd(
                    "image-layer",
                    "called a layer of an image, and no tar: it was read as what it is, and what it hides of layers below it is not known",
                ),
                HowRead::Leaf if slot.is_encrypted => Trouble::skipped(
                    "encrypted",
                    "an encrypted layer of an image: decrypt the image with its key and scan the result",
                    None,
                ),
                HowRead::Leaf => Trouble::skipped(
                    "image-layer",
                    "called a layer of an image, and nothing that this version opens: what is in it was not read; unpack it and scan the result",
                    None,
                ),
            };
            found.push((held.path.to_vec(), trouble));
        }
        self.troubles.extend(found);
    }

    fn tell_missing_places(&mut self, by: &[u8], missing: &[String]) {
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        self.tell_missing(by, &missing);
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
            "{}{more}: named here, and no file here and no link that could be followed leads to one, so what it holds was not looked at in its place, nor what it hides of layers below it",
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
        for (number, listing) in self.listings.iter().enumerate() {
            // Most links lead to files, and nothing is ever put behind them.
            for link in (listing.links.iter()).filter(|link| self.folders.contains_key(&link.path))
            {
                self.links.entry(link.path).or_default().push(number);
                self.led
                    .entry(link.target)
                    .or_default()
                    .push((link.path, number));
            }
        }
        for (number, listing) in self.listings.iter().enumerate() {
            for link in listing
                .links
                .iter()
                .filter(|link| self.links.contains_key(&link.path))
            {
                let mut way = link.through.iter().chain([&link.target]);
                if way.any(|folder| self.links.contains_key(folder)) {
                    self.chained.push((link.path, number));
                }
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
                standing: self.unreferenced(&root),
                root,
                ..Placing::default()
            });
        };
        let of_image = |used: &Use| self.images[used.image].root.clone();
        let root = self
            .root_above(path)
            .or_else(|| uses.first().map(of_image))
            .or_else(around)?;
        let mut placing = Placing {
            root,
            ..Placing::default()
        };
        let sought = within.map(|within| Sought::new(&within));
        let mut before: Option<usize> = None;
        for used in uses {
            let image = &self.images[used.image];
            let (standing, by_layer) = match (&sought, &within, used.layer) {
                _ if !image.is_reached => (self.unreferenced(&image.root), None),
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

    /// How something stands that no document leads to: that is known where all documents were read.
    fn unreferenced(&self, root: &[u8]) -> Option<LayerStanding> {
        (!self.unread.contains(root)).then_some(LayerStanding::Unreferenced)
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
        if self.goes_through_link(image, sought) {
            return (None, None);
        }
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
            // It may stand at the top once more.
            Some(_) if image.has_lost => (None, None),
            Some((above, how)) => (Some(how), Some(above)),
            None if self.is_led_to(image, layer, sought) => (None, None),
            None if image.unknown.is_some_and(|unknown| unknown > layer) => (None, None),
            None => (Some(LayerStanding::Top), None),
        }
    }

    /// Whether a folder round what is sought is a symbolic link in a layer of the image: where it stands is not known.
    fn goes_through_link(&self, image: &Image, sought: &Sought) -> bool {
        let mut lists = (sought.folders.iter()).filter_map(|folder| self.links.get(folder));
        lists.any(|list| has_any(image, 0, list))
    }

    /// Whether a layer above puts something where a link leads to what is sought, or round it, and may hide it so.
    fn is_led_to(&self, image: &Image, layer: usize, sought: &Sought) -> bool {
        let places = sought.folders.iter().chain([&sought.path]);
        let mut lists = (places.filter_map(|place| self.led.get(place))).chain([&self.chained]);
        lists.any(|list| {
            list.len() > LINKS_TO_ONE_MAX
                || list.iter().any(|(link, listing)| {
                    let users = self.folders.get(link);
                    has_any(image, 0, &[*listing])
                        && users.is_some_and(|users| has_any(image, layer + 1, users))
                })
        })
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

/// Whether a layer of an image from `layer` on has one of these listings, which are sorted.
fn has_any(image: &Image, layer: usize, listings: &[usize]) -> bool {
    let mut above = image.at.iter().skip(layer).flatten();
    above.any(|listing| listings.binary_search(listing).is_ok())
}

/// The path of a place; what is nowhere is noted.
fn place(place: Place, missing: &mut Vec<String>) -> Vec<u8> {
    if let Place::Nowhere(_, text) = &place {
        missing.push(text.clone());
    }
    place.into_path()
}

/// Whether a folder holds what images consist of, so that a document that was not read is missed there.
fn has_blobs(root: &[u8], held: &BTreeMap<&[u8], &Held>, exists: &dyn Fn(&[u8]) -> bool) -> bool {
    let blobs = join(root, "blobs/");
    let mut below = held
        .range(root..)
        .take_while(|(path, _)| path.starts_with(root));
    exists(&join(root, "oci-layout"))
        || (held.range(blobs.as_slice()..).next()).is_some_and(|(path, _)| path.starts_with(&blobs))
        || below.any(|(_, held)| matches!(held.part, Some(Part::Layer(_))))
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
    let names: &[&[u8]] = match doc {
        Doc::Index(_) => &[b"index.json"],
        Doc::Saved(_) => &[b"manifest.json"],
        Doc::Unread(_) => &[b"index.json", b"manifest.json"],
        _ => return None,
    };
    let root = names.iter().find_map(|name| path.strip_suffix(*name))?;
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
                read: HowRead::Opened,
            })
            .collect();
        let exists = |path: &[u8]| held.iter().any(|held| held.path == path);
        let view = View::of(&held, &exists, &BTreeMap::new()).expect("there are images");
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
                read: HowRead::Opened,
            })
            .collect();
        let view = View::of(&held, &|_| true, &BTreeMap::new()).expect("there are images");
        assert!(
            view.troubles()
                .iter()
                .any(|(_, trouble)| trouble.code == "image-index-cycle")
        );
        assert_eq!(view.images.len(), 1);
    }
}
