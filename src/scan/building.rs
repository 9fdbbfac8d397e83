//! A container that is being read: what its members were, counted as they come.
//!
//! Most members have nothing to tell; of those nothing is kept but a key and a length in a sum. Limits are charged here,
//! and what a container knows of its members as a whole (commits of a git store, the layer of an image) is asked for
//! when it closes.

use std::collections::HashMap;
use std::sync::Arc;

use super::analyse::{body_len, guarded};
use super::facts::{Child, Facts, Kept, LinkFact, TextDigest, Tree, name_number};
use super::files::Count;
use super::formats;
use crate::blob::limits::Meter;
use crate::blob::{ContentKey, Limits, MemberName, Sha256Digest};
use crate::container::image;
use crate::container::image::listing::Lister;
use crate::container::{Body, Effect, LenOf, Member, SourceMeta, Trouble, Walker, git};
use crate::exposure::Role;
use crate::record::ReferenceKind;
use crate::signature::paths::PathIndex;

/// What came of one member.
#[derive(Debug)]
pub enum Visited {
    /// Nothing to tell: its key and length in bytes.
    Plain {
        /// Key of the content.
        key: ContentKey,
        /// Length in bytes.
        len: u64,
        /// Its name says that it is a compiled script.
        compiled: bool,
    },
    /// Something to tell.
    Child(Box<Child>),
}

impl Visited {
    /// Length of the member in bytes, as far as it was read.
    pub(super) fn len(&self) -> u64 {
        match self {
            Visited::Plain { len, .. } => *len,
            Visited::Child(child) => child.len,
        }
    }

    /// Bytes of the member and of everything in it.
    fn total_bytes(&self) -> u64 {
        match self {
            Visited::Plain { len, .. } => *len,
            Visited::Child(child) => {
                let within = child.facts.tree.as_ref().map_or(0, |tree| tree.total_bytes);
                child.len.saturating_add(within)
            }
        }
    }

    /// The member and everything in it.
    fn total_entries(&self) -> u64 {
        let within = match self {
            Visited::Plain { .. } => 0,
            Visited::Child(child) => {
                let tree = child.facts.tree.as_ref();
                tree.map_or(0, |tree| tree.total_entries)
            }
        };
        within.saturating_add(1)
    }
}

/// An open container.
pub(super) struct Frame {
    pub(super) walker: Box<dyn Walker>,
    pub(super) input_len: u64,
    pub(super) building: Building,
    /// Bytes that it and the containers round it take.
    pub(super) held: u64,
    /// What becomes of it when it is closed.
    pub(super) name: MemberName,
    pub(super) ordinal: u32,
    pub(super) len: u64,
    pub(super) key: ContentKey,
    /// How closely it is read.
    pub(super) role: Role,
    pub(super) sha256: Option<Sha256Digest>,
    pub(super) facts: Facts,
    pub(super) trouble: Option<Trouble>,
    pub(super) source: Option<Box<SourceMeta>>,
    pub(super) links: Vec<LinkFact>,
    pub(super) written: Option<i64>,
    pub(super) text: Option<Box<TextDigest>>,
    pub(super) kept: Option<Kept>,
}

/// The tree of a container while it is walked.
#[derive(Default)]
pub struct Building {
    tree: Tree,
    /// How many members of each name there are.
    names: HashMap<u64, u32>,
    meter: Meter,
    levels: u32,
    room: u64,
    cut_by_limit: bool,
    folder: Vec<u8>,
    in_folder: u64,
    /// Of what may be a layer of an image.
    lister: Option<Box<Lister>>,
    /// Something in that is no zero byte of the one member that a compressed stream has.
    is_filled: bool,
    /// Bytes of the members in the folder.
    bytes_in_folder: u64,
    /// The length of each member, in the order of their names, where those of a store are asked for.
    lens: Option<Vec<u64>>,
}

impl Building {
    /// Of the container that is called so.
    pub fn of(name: &[u8]) -> Self {
        Self {
            lister: image::may_be_layer(name).then(Box::default),
            ..Self::default()
        }
    }

    /// Keeps the lengths of members where `walker` gives the objects of a store and the files at its head are to be counted.
    pub fn with_lens(mut self, walker: &dyn Walker, is_asked: bool) -> Self {
        let tells_of_head = matches!(walker.kind(), git::store::KIND | "git-bundle");
        self.lens = (is_asked && tells_of_head).then(Vec::new);
        self
    }

    /// Notes a member for those who ask what stands in a layer.
    pub fn list(&mut self, member: &Member, ordinal: u32) {
        if let (Some(lister), MemberName::Named(name)) = (&mut self.lister, &member.name) {
            let is_void = |body: &Body| matches!(body, Body::Held(bytes) if image::is_void(bytes));
            self.is_filled |= !name.is_empty() || !is_void(&member.body);
            match member.body {
                Body::Files(_) => lister.folder(name),
                _ => lister.member(name, ordinal),
            }
        }
    }

    /// Takes what another one noted of the same container; where the two saw different parts of it, that is nothing.
    pub fn take_listing(&mut self, other: &mut Self, is_same: bool) {
        self.lister = other.lister.take();
        self.is_filled = other.is_filled;
        if let (Some(lister), false) = (&mut self.lister, is_same) {
            **lister = Lister::default();
            self.cut_by_limit = true;
        }
    }

    /// Which member of its name this is, from 1. Takes the name in, so it is asked once for each member.
    pub fn ordinal(&mut self, name: &MemberName) -> u32 {
        let number = name_number(name.bytes());
        self.tree.names.push(number);
        if matches!(name, MemberName::Offset(_)) {
            return 1;
        }
        let count = self.names.entry(number).or_insert(0);
        *count += 1;
        *count
    }

    /// Counts a member in the folder it stands in, and where works have a file that is called so. Neighbours mostly share
    /// a folder, so it is looked up once for all.
    pub fn count_folder(&mut self, member: &Member, known: &PathIndex) {
        let path = member.name.bytes();
        self.tree.paths.extend(known.find(path));
        let folder = folder_of(path);
        if self.folder != folder {
            self.flush_folder();
            self.folder = folder.to_vec();
        }
        self.in_folder += 1;
        // Files of a store are no files of the folder.
        if !matches!(member.body, Body::Files(_)) {
            self.bytes_in_folder += body_len(&member.body);
        }
    }

    /// Counts the bytes of a member whose length was not known when it was met.
    pub fn count_bytes(&mut self, name: &MemberName, bytes: u64) {
        let folder = folder_of(name.bytes()).to_vec();
        let count = self.tree.folders.entry(folder).or_default();
        count.add(Count { files: 0, bytes });
    }

    fn flush_folder(&mut self) {
        let count = Count {
            files: std::mem::take(&mut self.in_folder),
            bytes: std::mem::take(&mut self.bytes_in_folder),
        };
        if count.files > 0 {
            let folder = std::mem::take(&mut self.folder);
            self.tree.folders.entry(folder).or_default().add(count);
        }
    }

    /// Takes what came of a member.
    pub fn push(&mut self, visited: Visited) {
        let tree = &mut self.tree;
        tree.total_bytes = tree.total_bytes.saturating_add(visited.total_bytes());
        tree.total_entries = tree.total_entries.saturating_add(visited.total_entries());
        if let Some(lens) = &mut self.lens {
            lens.push(visited.len());
        }
        match visited {
            Visited::Plain { key, len, compiled } => {
                self.room = self.room.max(len);
                self.tree.plain.push(key);
                self.tree.plain_bytes += len;
                self.tree.compiled += u64::from(compiled);
            }
            Visited::Child(child) => {
                self.levels = self.levels.max(child.facts.levels);
                self.room = self.room.max(child.len.saturating_add(child.facts.room));
                self.cut_by_limit |= child.facts.cut_by_limit;
                self.tree.children.push(*child);
            }
        }
    }

    /// Takes something that is no member.
    pub fn other(&mut self, kind: &str) {
        self.count_other(kind);
    }

    /// The same, with its name and where it leads to.
    pub fn named_other(&mut self, kind: &str, name: &[u8], target: &[u8]) {
        self.count_other(kind);
        if let Some(lister) = &mut self.lister {
            match kind {
                "folder" => lister.folder(name),
                "symlink" => lister.link(name, target),
                _ => lister.other(name),
            }
        } else if !target.is_empty() && image::may_be_layer(name) {
            let target = match kind {
                "symlink" => image::link_target(name, target),
                _ => target.to_vec(),
            };
            self.tree.links.insert(name.to_vec(), target);
        }
    }

    fn count_other(&mut self, kind: &str) {
        match self.tree.other.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                self.tree.other.insert(kind.to_owned(), 1);
            }
        }
    }

    /// Takes what a map says of itself.
    pub fn map(&mut self, head: Box<crate::container::MapHead>) {
        self.tree.map = Some(head);
    }

    /// Charges a member of `bytes` bytes; the trouble of the limit that is now exceeded, if any.
    pub fn charge(&mut self, bytes: u64, input_len: u64, limits: &Limits) -> Option<Trouble> {
        let code = self.meter.charge(bytes, input_len, limits)?;
        self.cut_by_limit = true;
        Some(Trouble::damaged(
            code,
            format!(
                "stopped after {} members and {} bytes of this container; what was read until then is reported, raise --limit-{} to read on",
                self.meter.entries - 1,
                self.meter.bytes.saturating_sub(bytes),
                code.trim_end_matches("-limit"),
            ),
            None,
        ))
    }

    /// Charges `bytes` more bytes of the member that was charged last.
    pub(super) fn charge_bytes(
        &mut self,
        bytes: u64,
        input_len: u64,
        limits: &Limits,
    ) -> Option<Trouble> {
        self.meter.entries = self.meter.entries.saturating_sub(1);
        self.charge(bytes, input_len, limits)
    }

    /// The trouble of a container whose members, nested ones included, have given all the bytes that it may give;
    /// asked before each further member. It depends on the members before alone, so that facts stay a function of
    /// bytes and limits.
    pub fn is_full(&mut self, input_len: u64, limits: &Limits) -> Option<Trouble> {
        let tree = &self.tree;
        if limits.is_bomb(tree.total_entries, tree.total_bytes, input_len) {
            self.cut_by_limit = true;
            return Some(Trouble::damaged(
                "ratio-limit",
                format!(
                    "this container and those in it unfold to {} entries and {} bytes, too much for its size; what came before is reported, raise --limit-ratio to read on",
                    tree.total_entries, tree.total_bytes
                ),
                None,
            ));
        }
        if tree.total_bytes <= limits.bytes {
            return None;
        }
        self.cut_by_limit = true;
        Some(Trouble::damaged(
            "bytes-limit",
            format!(
                "this container and those in it unfold to more than {} bytes; what came before is reported, raise --limit-bytes to read on",
                limits.bytes
            ),
            None,
        ))
    }

    /// Gives what was counted since the last time, without members: folders, links and headers.
    pub fn split(&mut self) -> Tree {
        self.flush_folder();
        std::mem::take(&mut self.tree)
    }

    /// Takes what was counted elsewhere.
    pub fn absorb(&mut self, counted: Tree) {
        for (kind, count) in counted.other {
            *self.tree.other.entry(kind).or_insert(0) += count;
        }
        for (folder, count) in counted.folders {
            self.tree.folders.entry(folder).or_default().add(count);
        }
        self.tree.links.extend(counted.links);
        self.tree.paths.extend(counted.paths);
        self.tree.map = counted.map.or(self.tree.map.take());
    }

    /// Takes a member that was counted elsewhere, and the number of its name.
    pub fn push_named(&mut self, visited: Visited, name: u64) {
        self.tree.names.push(name);
        self.push(visited);
    }

    /// Whether a limit cut something in it.
    pub fn is_cut(&self) -> bool {
        self.cut_by_limit
    }

    /// Closes the container: its tree goes into its facts.
    pub fn finish(mut self, walker: &mut dyn Walker, facts: &mut Facts) {
        self.flush_folder();
        walker.kind().clone_into(&mut self.tree.kind);
        self.ask(walker, facts);
        let mut names = std::mem::take(&mut self.tree.names);
        if self.tree.children.iter().any(leads_elsewhere) {
            names.sort_unstable();
            names.dedup();
            self.tree.names = names;
        }
        facts.cut_by_limit |= self.cut_by_limit;
        facts.levels = self.levels + 1;
        facts.room = self.room;
        // A layer without anything in it is the end of a tar and nothing before it.
        let is_void = self.tree.entries() > 0 && !self.is_filled;
        let is_layer = self.tree.kind.contains("tar") || is_void;
        if let Some(lister) = self.lister.filter(|_| is_layer) {
            let lister = if is_void { Box::default() } else { lister };
            let is_whole = facts
                .troubles
                .iter()
                .all(|trouble| trouble.effect == Effect::Odd);
            let listing = lister.finish(is_whole && !self.cut_by_limit);
            facts.image = Some(Box::new(image::Part::Layer(listing)));
        }
        super::images::note_unread(&mut self.tree);
        facts.tree = Some(self.tree);
    }
}

impl Building {
    /// Asks the container what else it knows of the members that have something to tell, and of its head.
    fn ask(&mut self, walker: &mut dyn Walker, facts: &mut Facts) {
        let lens = self.len_by_name();
        let len_of = |name: &[u8]| lens.as_ref()?.get(&name_number(name)).copied();
        let len_of: Option<&LenOf> = lens.is_some().then_some(&len_of);
        let children = &mut self.tree.children;
        if children.is_empty() {
            return;
        }
        let names: Vec<&MemberName> = children.iter().map(|child| &child.name).collect();
        match guarded(|| walker.tell(&names, len_of)) {
            Ok(told) => {
                self.tree.head = told.head;
                for (child, git) in children.iter_mut().zip(told.git) {
                    child.git = git;
                }
                facts.troubles.extend(told.troubles);
            }
            Err(fault) => facts.troubles.push(fault),
        }
    }

    /// The lengths of members, by the numbers of their names.
    fn len_by_name(&mut self) -> Option<hashbrown::HashMap<u64, u64>> {
        let lens = self.lens.take()?;
        let names = &self.tree.names;
        let is_whole = names.len() == lens.len() && !self.tree.children.is_empty();
        is_whole.then(|| names.iter().copied().zip(lens).collect())
    }
}

/// The folder that a member stands in.
fn folder_of(path: &[u8]) -> &[u8] {
    &path[..memchr::memrchr(b'/', path).unwrap_or(0)]
}

/// Whether memory kept something in it from being read.
pub(super) fn lacks_room(facts: &Facts) -> bool {
    let is_of_memory = |trouble: &Trouble| trouble.code == "memory-limit";
    let mut children = facts.tree.iter().flat_map(|tree| &tree.children);
    facts.troubles.iter().any(is_of_memory)
        || children.any(|child| {
            let mut troubles = child.trouble.iter().chain(&child.facts.troubles);
            troubles.any(is_of_memory)
        })
}

/// Whether a tar is called as a layer of an image is, and what stands in it was not noted, since it was met under
/// another name first.
pub(super) fn is_unlisted(facts: &Facts, name: &[u8]) -> bool {
    // A stream with one member may be a layer without anything in it.
    let is_tar = |tree: &Tree| tree.kind.contains("tar") || tree.total_entries == 1;
    facts.image.is_none() && facts.tree.as_ref().is_some_and(is_tar) && image::may_be_layer(name)
}

/// The facts of content that is called as a layer is and has nothing in it: zero bytes, or none at all.
pub(super) fn as_void_layer(
    bytes: &[u8],
    name: &[u8],
    facts: Option<Arc<Facts>>,
) -> Option<Arc<Facts>> {
    if !image::may_be_layer(name) || !image::is_void(bytes) {
        return facts;
    }
    let mut facts = facts.unwrap_or_else(|| Arc::new(Facts::plain(formats::leaf_kind(bytes))));
    let listing = Lister::default().finish(true);
    Arc::make_mut(&mut facts).image = Some(Box::new(image::Part::Layer(listing)));
    Some(facts)
}

/// Whether an entry points to others beside it, names sources that may lie there, or is a map, whose script may.
fn leads_elsewhere(entry: &Child) -> bool {
    let names_missing = |entry: &Child| {
        let map = entry.facts.as_map();
        let mut sources = map.into_iter().flat_map(|(tree, _)| &tree.children);
        sources.any(|child| child.source.is_some() && child.key.is_none())
    };
    let mut links = entry.facts.links.iter();
    links.any(|link| link.kind == ReferenceKind::File || link.beside.is_some())
        || matches!(entry.facts.image.as_deref(), Some(image::Part::Doc(_)))
        || entry.facts.as_map().is_some()
        || (entry.facts.tree.as_ref())
            .is_some_and(|tree| tree.is_inside() && tree.children.iter().any(names_missing))
}
