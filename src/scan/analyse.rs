//! From bytes to content facts: the one recursion.
//!
//! A blob is hashed, looked up, asked what it is, and either examined as a leaf or opened; what comes out of a
//! container goes round again. The recursion is an explicit stack of open containers, so that nesting cannot
//! exhaust the thread's. Everything here is a function of bytes, rules and sets; nothing knows of a place.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use super::facts::{Child, Facts, Kept, LinkFact, MatchFact, TextDigest, Tree, name_number};
use super::formats;
use super::large::{Large, Resumed, Spill};
use super::public;
use super::seen::{Known, Seen};
use crate::blob::digest::StreamDigests;
use crate::blob::limits::Meter;
use crate::blob::lines::LineCounter;
use crate::blob::{ContentKey, Limits, MemberName, Sha256Digest, count_lines};
use crate::container::carve::{self, Mark};
use crate::container::git::store::{StoreFiles, StoreWalker};
use crate::container::image;
use crate::container::image::Doc;
use crate::container::image::doc::Why;
use crate::container::image::listing::Lister;
use crate::container::{Body, Effect, Event, Format, Input, Member, SourceMeta, Trouble, Walker};
use crate::exposure::named::Beginning;
use crate::exposure::{self, Organisation, Prefilter};
use crate::record::{Grade, ReferenceKind};
use crate::signature::ported::Echo;
use crate::signature::{Hit, SetGroup, norm_text};
use crate::sourcemap::inlined::{Inlined, Wanted};
use crate::sourcemap::{self, Target};

/// Content that is streamed is looked at in windows of this size, each of which begins with the end of the last.
pub(super) const WINDOW: usize = 1 << 20;
/// Bytes by which windows overlap: longer than any literal that is looked for.
const OVERLAP: usize = 4 << 10;

/// What a run asks of the analysis beside the rules.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Keep digests of every blob.
    pub record_all: bool,
    /// Keep the bytes of sources, for `recover`; or of every leaf, for `sign`.
    pub keep: Keep,
}

/// Which bytes are kept with the facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Keep {
    /// None.
    #[default]
    Nothing,
    /// Those of sources of maps.
    Sources,
    /// Those of members with these names, by [`name_number`], and of maps inside them: what skeletons are made of.
    Named(Arc<HashSet<u64>>),
    /// Those of every leaf.
    Leaves,
}

/// Takes the bytes of each content with a match that is told, at least once, before facts of it are given. What it cannot
/// take it remembers itself.
pub trait Collector: Send + Sync {
    /// Takes one content.
    fn take(&self, sha256: &Sha256Digest, bytes: &[u8]);
}

/// Numbers for the progress bar.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of input files that were read.
    pub bytes_in: AtomicU64,
    /// Entries met.
    pub entries: AtomicU64,
    /// Findings so far, roughly: facts that will become records.
    pub findings: AtomicU64,
    /// Set when the user wants to stop.
    pub stop: AtomicBool,
}

/// Everything that the analysis of any content needs.
pub struct Analyser {
    /// Limits in force.
    pub limits: Limits,
    /// Sets that content is held against.
    pub sets: SetGroup,
    /// What the run wants.
    pub wishes: Wishes,
    /// What was seen before.
    pub seen: Seen,
    /// Where containers go that are larger than may be held.
    pub spill: Option<Spill>,
    /// The one literal pass.
    pub prefilter: Prefilter,
    /// Whose packages are told where a file names them.
    pub organisation: Option<Organisation>,
    /// Where the bytes of matches go.
    pub collector: Option<Arc<dyn Collector>>,
    /// For the progress bar, and to stop.
    pub progress: Arc<Progress>,
}

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
    pub(super) sha256: Option<Sha256Digest>,
    pub(super) facts: Facts,
    pub(super) trouble: Option<Trouble>,
    pub(super) source: Option<Box<SourceMeta>>,
    pub(super) links: Vec<LinkFact>,
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
}

impl Building {
    /// Of the container that is called so.
    pub fn of(name: &[u8]) -> Self {
        Self {
            lister: image::may_be_layer(name).then(Box::default),
            ..Self::default()
        }
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

    /// Counts a member in the folder it stands in. Neighbours mostly share one, so it is looked up once for all.
    pub fn count_folder(&mut self, name: &MemberName) {
        let path = name.bytes();
        let folder = &path[..memchr::memrchr(b'/', path).unwrap_or(0)];
        if self.folder != folder {
            self.flush_folder();
            self.folder = folder.to_vec();
        }
        self.in_folder += 1;
    }

    fn flush_folder(&mut self) {
        let count = std::mem::take(&mut self.in_folder);
        if count > 0 {
            *self
                .tree
                .folders
                .entry(std::mem::take(&mut self.folder))
                .or_insert(0) += count;
        }
    }

    /// Takes what came of a member.
    pub fn push(&mut self, visited: Visited) {
        let tree = &mut self.tree;
        tree.total_bytes = tree.total_bytes.saturating_add(visited.total_bytes());
        tree.total_entries = tree.total_entries.saturating_add(visited.total_entries());
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
            *self.tree.folders.entry(folder).or_insert(0) += count;
        }
        self.tree.links.extend(counted.links);
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
    /// Asks the container what else it knows of the members that have something to tell.
    fn ask(&mut self, walker: &mut dyn Walker, facts: &mut Facts) {
        let children = &mut self.tree.children;
        if children.is_empty() {
            return;
        }
        let names: Vec<&MemberName> = children.iter().map(|child| &child.name).collect();
        match guarded(|| walker.tell(&names)) {
            Ok(told) => {
                for (child, git) in children.iter_mut().zip(told.git) {
                    child.git = git;
                }
                facts.troubles.extend(told.troubles);
            }
            Err(fault) => facts.troubles.push(fault),
        }
    }
}

/// Whether memory kept something in it from being read.
fn lacks_room(facts: &Facts) -> bool {
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
fn is_unlisted(facts: &Facts, name: &[u8]) -> bool {
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

/// Whether an entry points to others beside it, or names sources that may lie there.
fn leads_elsewhere(entry: &Child) -> bool {
    let names_missing = |entry: &Child| {
        let map = entry.facts.as_map();
        let mut sources = map.into_iter().flat_map(|(tree, _)| &tree.children);
        sources.any(|child| child.source.is_some() && child.key.is_none())
    };
    let mut links = entry.facts.links.iter();
    links.any(|link| link.kind == ReferenceKind::File || link.beside.is_some())
        || matches!(entry.facts.image.as_deref(), Some(image::Part::Doc(_)))
        || names_missing(entry)
        || (entry.facts.tree.as_ref())
            .is_some_and(|tree| tree.is_inside() && tree.children.iter().any(names_missing))
}

/// Runs a parser; a panic in it becomes a trouble, so that none crosses a worker.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| fault())
}

fn fault() -> Trouble {
    Trouble::damaged(
        "internal-error",
        "a fault of this program kept the entry from being read to its end; please report it",
        None,
    )
}

/// Where the analysis of a member stands.
pub(super) enum Begun {
    Done(Visited),
    Opened(Box<Frame>),
}

impl Analyser {
    /// Analyses one member and everything in it.
    ///
    /// `depth` is the number of containers round it, `ancestors` their keys. A panic in a parser becomes a
    /// problem of the member.
    pub fn visit(
        &self,
        member: Member,
        ordinal: u32,
        depth: u32,
        ancestors: &[ContentKey],
    ) -> Visited {
        let name = member.name.clone();
        let held = match &member.body {
            Body::Held(bytes) => Some(bytes.clone()),
            _ => None,
        };
        guarded(|| self.visit_stack(member, ordinal, depth, ancestors))
            .unwrap_or_else(|fault| self.after_panic(name, ordinal, held, fault))
    }

    fn after_panic(
        &self,
        name: MemberName,
        ordinal: u32,
        held: Option<Bytes>,
        fault: Trouble,
    ) -> Visited {
        let bytes = held.unwrap_or_default();
        let mut facts = Facts::plain(formats::leaf_kind(&bytes));
        facts.cut_by_limit = true;
        facts.troubles.push(fault);
        Visited::Child(Box::new(Child {
            name,
            ordinal,
            len: bytes.len() as u64,
            key: Some(ContentKey::of(&bytes)),
            sha256: Some(Sha256Digest::of(&bytes)),
            facts: Arc::new(facts),
            trouble: None,
            source: None,
            links: Vec::new(),
            git: None,
            text: None,
            kept: None,
        }))
    }

    fn visit_stack(
        &self,
        member: Member,
        ordinal: u32,
        depth: u32,
        ancestors: &[ContentKey],
    ) -> Visited {
        let mut frames = match self.begin(member, ordinal, depth, 0, ancestors) {
            Begun::Done(visited) => return visited,
            Begun::Opened(frame) => vec![frame],
        };
        let mut open: Vec<ContentKey> = ancestors.to_vec();
        open.extend(frames.iter().map(|frame| frame.key));
        loop {
            let inner = depth + frames.len() as u32;
            let Some(frame) = frames.last_mut() else {
                unreachable!("the loop returns with the last frame");
            };
            let held = frame.held;
            if let Some((member, ordinal)) = self.advance(frame) {
                match self.begin(member, ordinal, inner, held, &open) {
                    Begun::Done(visited) => frame.building.push(visited),
                    Begun::Opened(frame) => {
                        open.push(frame.key);
                        frames.push(frame);
                    }
                }
                continue;
            }
            open.pop();
            let Some(frame) = frames.pop() else {
                unreachable!("a frame was just looked at");
            };
            let visited = self.close(*frame);
            match frames.last_mut() {
                Some(parent) => parent.building.push(visited),
                None => return visited,
            }
        }
    }

    /// The next member of an open container that is to be begun; `None` at its end.
    fn advance(&self, frame: &mut Frame) -> Option<(Member, u32)> {
        while !self.progress.stop.load(Ordering::Relaxed) {
            match frame.walker.next()? {
                Event::Member(member) => {
                    let len = body_len(&member.body);
                    let building = &mut frame.building;
                    let limit = building
                        .is_full(frame.input_len, &self.limits)
                        .or_else(|| building.charge(len, frame.input_len, &self.limits));
                    if let Some(trouble) = limit {
                        frame.facts.troubles.push(trouble);
                        return None;
                    }
                    let ordinal = frame.building.ordinal(&member.name);
                    frame.building.list(&member, ordinal);
                    frame.building.count_folder(&member.name);
                    if !matches!(member.body, Body::Streamed(_)) {
                        return Some((member, ordinal));
                    }
                    let (walker, building) = (frame.walker.as_mut(), &mut frame.building);
                    match self.large(member, walker, building, frame.input_len) {
                        Large::Open(member) => return Some((member, ordinal)),
                        Large::Stream(member, head) => {
                            let mut content = Resumed { head, walker };
                            let (len, held) = (frame.input_len, frame.held);
                            let visited =
                                self.stream(member, ordinal, &mut content, building, len, held);
                            frame.building.push(visited);
                        }
                    }
                }
                Event::Other(kind) => frame.building.other(kind),
                Event::NamedOther(kind, name, target) => {
                    frame.building.named_other(kind, &name, &target);
                }
                Event::Trouble(trouble) => frame.facts.troubles.push(trouble),
                Event::Map(head) => frame.building.map(head),
            }
        }
        None
    }

    fn close(&self, frame: Frame) -> Visited {
        let mut facts = frame.facts;
        let mut walker = frame.walker;
        frame.building.finish(walker.as_mut(), &mut facts);
        // Where less is held round it there may be room.
        facts.cut_by_limit |= frame.held > 0 && lacks_room(&facts);
        let facts = Arc::new(facts);
        let key = match walker.key() {
            Some(key) => key,
            None => {
                self.remember(frame.key, &facts);
                frame.key
            }
        };
        self.progress
            .findings
            .fetch_add(u64::from(facts.as_map().is_some()), Ordering::Relaxed);
        Visited::Child(Box::new(Child {
            name: frame.name,
            ordinal: frame.ordinal,
            len: frame.len,
            key: Some(key),
            sha256: frame.sha256,
            facts,
            trouble: frame.trouble,
            source: frame.source,
            links: frame.links,
            git: None,
            text: frame.text,
            kept: frame.kept,
        }))
    }

    /// Remembers facts for the next place, unless this place cut them or bytes must be kept there too.
    pub(super) fn remember(&self, key: ContentKey, facts: &Arc<Facts>) {
        if facts.cut_by_limit || self.wishes.keep != Keep::Nothing {
            return;
        }
        if facts.is_plain() {
            self.seen.insert_plain(key);
        } else {
            self.seen.insert_facts(key, facts);
        }
    }

    /// Hashes a member, looks it up, and examines or opens it.
    fn begin(
        &self,
        mut member: Member,
        ordinal: u32,
        depth: u32,
        above: u64,
        ancestors: &[ContentKey],
    ) -> Begun {
        self.progress.entries.fetch_add(1, Ordering::Relaxed);
        let bytes = match std::mem::replace(&mut member.body, Body::Absent) {
            Body::Held(bytes) => bytes,
            Body::At(file) => {
                return self.begin_large(member, &file, ordinal, depth, above, ancestors);
            }
            Body::Files(files) => return self.begin_store(member, files, ordinal, depth, above),
            Body::Streamed(_) | Body::Absent => return Begun::Done(absent(member, ordinal)),
        };
        let key = ContentKey::of(&bytes);
        if self.wishes.keep == Keep::Nothing
            && let Some(facts) = self.known(&key, depth, above, member.name.bytes())
        {
            return Begun::Done(self.finish_leaf(member, ordinal, &bytes, key, None, facts));
        }
        // Evidence is identified by SHA-256; content that is neither reported nor held against a set needs none.
        let sha256 = (!self.sets.is_empty()).then(|| Sha256Digest::of(&bytes));
        let format = formats::format_of(&bytes);
        let mut facts = self.examine(&bytes, sha256.as_ref(), format.is_some());
        // An input as a whole is the unit's; what is in containers takes of what may be held.
        let held = above + if depth == 0 { 0 } else { bytes.len() as u64 };
        let limits = self.limits.within(held);
        let walker = self.open(&bytes, format, &mut facts, key, depth, &limits, ancestors);
        let Some(walker) = walker else {
            let facts = Arc::new(facts);
            self.remember(key, &facts);
            return Begun::Done(self.finish_leaf(
                member,
                ordinal,
                &bytes,
                key,
                sha256,
                Some(facts),
            ));
        };
        let kept = self.keep(&bytes, &member.name, Some(&facts), &mut member.source);
        Begun::Opened(Box::new(Frame {
            input_len: bytes.len() as u64,
            held,
            walker,
            building: Building::of(member.name.bytes()),
            ordinal,
            len: bytes.len() as u64,
            key,
            sha256: Some(sha256.unwrap_or_else(|| Sha256Digest::of(&bytes))),
            trouble: member.trouble,
            text: self.text_digest(&bytes),
            kept,
            source: member.source,
            links: given_links(&member.links),
            name: member.name,
            facts,
        }))
    }

    /// Begins a git store that an archive holds.
    fn begin_store(
        &self,
        member: Member,
        files: Box<dyn StoreFiles>,
        ordinal: u32,
        depth: u32,
        above: u64,
    ) -> Begun {
        let len = files.list().iter().map(|file| file.len).sum();
        if depth >= self.limits.depth {
            let mut member = member;
            member.trouble = Some(self.too_deep(len));
            return Begun::Done(absent(member, ordinal));
        }
        let walker = Box::new(StoreWalker::new(files, &self.limits.within(above)));
        let mut facts = Facts::plain(walker.kind());
        facts.levels = 1;
        Begun::Opened(Box::new(Frame {
            input_len: len,
            held: above,
            walker,
            building: Building::default(),
            ordinal,
            len,
            // Nothing that it holds can be it: it has no bytes.
            key: ContentKey::of(b""),
            sha256: None,
            trouble: member.trouble,
            text: None,
            kept: None,
            source: None,
            links: Vec::new(),
            name: member.name,
            facts,
        }))
    }

    fn too_deep(&self, len: u64) -> Trouble {
        Trouble::skipped(
            "depth-limit",
            format!(
                "more than {} containers within one another; what is in this one was not read, raise --limit-depth",
                self.limits.depth
            ),
            Some(len),
        )
    }

    /// What is known of content that stands at `depth` in containers that take `above` bytes: nothing, where a limit
    /// would cut it here and did not where it was seen, or where it is called as a layer is and was not listed as one.
    /// `Some(None)` is content that has nothing to tell.
    pub(super) fn known(
        &self,
        key: &ContentKey,
        depth: u32,
        above: u64,
        name: &[u8],
    ) -> Option<Option<Arc<Facts>>> {
        match self.seen.get(key)? {
            Known::Plain => Some(None),
            Known::Facts(facts) if depth + facts.levels > self.limits.depth => None,
            Known::Facts(facts) if above > 0 && facts.room > self.limits.within(above).hold() => {
                None
            }
            Known::Facts(facts) if is_unlisted(&facts, name) => None,
            Known::Facts(facts) => Some(Some(facts)),
        }
    }

    /// Keeps the bytes of a member where the run wants them.
    fn keep(
        &self,
        bytes: &Bytes,
        name: &MemberName,
        facts: Option<&Facts>,
        source: &mut Option<Box<SourceMeta>>,
    ) -> Option<Kept> {
        let written = source.as_mut().and_then(|meta| meta.written.take());
        let is_wanted = match &self.wishes.keep {
            Keep::Nothing => false,
            Keep::Sources => source.is_some(),
            Keep::Named(names) => match name {
                MemberName::Named(name) => names.contains(&name_number(name)),
                MemberName::Offset(_) => facts.is_some_and(|facts| facts.kind == "source-map"),
            },
            Keep::Leaves => true,
        };
        is_wanted.then(|| match written {
            Some(written) => Kept::Written(written),
            None => Kept::Whole(bytes.clone()),
        })
    }

    /// What is kept of a text where the run wants digests of everything.
    pub(super) fn text_digest(&self, bytes: &[u8]) -> Option<Box<TextDigest>> {
        let norm = self.wishes.record_all.then(|| norm_text::digest(bytes))??;
        Some(Box::new(TextDigest {
            norm,
            lines: count_lines(bytes),
        }))
    }

    fn finish_leaf(
        &self,
        mut member: Member,
        ordinal: u32,
        bytes: &Bytes,
        key: ContentKey,
        sha256: Option<Sha256Digest>,
        facts: Option<Arc<Facts>>,
    ) -> Visited {
        let facts = as_void_layer(bytes, member.name.bytes(), facts);
        let plain = facts.as_ref().is_none_or(|facts| facts.is_plain());
        let kept = self.keep(bytes, &member.name, facts.as_deref(), &mut member.source);
        let links = given_links(&member.links);
        if plain
            && member.trouble.is_none()
            && member.source.is_none()
            && links.is_empty()
            && kept.is_none()
            && !self.wishes.record_all
            && !exposure::name_is_of_interest(member.name.bytes())
            && !image::is_of_interest(member.name.bytes(), ordinal)
        {
            return Visited::Plain {
                key,
                len: bytes.len() as u64,
                compiled: exposure::is_compiled(member.name.bytes()),
            };
        }
        Visited::Child(Box::new(Child {
            name: member.name,
            ordinal,
            len: bytes.len() as u64,
            key: Some(key),
            sha256: Some(sha256.unwrap_or_else(|| Sha256Digest::of(bytes))),
            facts: facts.unwrap_or_else(|| Arc::new(Facts::plain(formats::leaf_kind(bytes)))),
            trouble: member.trouble,
            source: member.source,
            links,
            git: None,
            text: self.text_digest(bytes),
            kept,
        }))
    }

    /// What content is in itself, whether or not it is a container.
    fn examine(&self, bytes: &Bytes, sha256: Option<&Sha256Digest>, is_container: bool) -> Facts {
        let mut facts = Facts::plain("");
        if let Some(sha256) = sha256 {
            (facts.matches, facts.echoes) = self.matches(bytes, sha256, is_container);
            if !facts.matches.is_empty() {
                facts.lines = count_lines(bytes);
            }
        }
        facts
    }

    /// The matches of a content, and what it echoes. Of a container that is text itself, as maps are, what it holds is asked for its
    /// fingerprints, and not the whole once more.
    pub(super) fn matches(
        &self,
        bytes: &[u8],
        sha256: &Sha256Digest,
        is_container: bool,
    ) -> (Vec<MatchFact>, Vec<Echo>) {
        let (hits, echoes) = if is_container {
            (self.sets.lookup_whole(&sha256.0, bytes), Vec::new())
        } else {
            self.sets.lookup_with_echoes(&sha256.0, bytes)
        };
        let matches = match_facts(hits);
        if let Some(collector) = self.collector.as_ref().filter(|_| !matches.is_empty())
            && !public::told(&self.sets, &matches).matches.is_empty()
        {
            collector.take(sha256, bytes);
        }
        (matches, echoes)
    }

    /// Opens content that is a container, or examines it as a leaf. `None` where nothing is left to walk.
    #[expect(clippy::too_many_arguments, reason = "content, and where it stands")]
    fn open(
        &self,
        bytes: &Bytes,
        format: Option<&'static dyn Format>,
        facts: &mut Facts,
        key: ContentKey,
        depth: u32,
        limits: &Limits,
        ancestors: &[ContentKey],
    ) -> Option<Box<dyn Walker>> {
        let mut walker: Option<Box<dyn Walker>> = None;
        if let Some(format) = format {
            format.name().clone_into(&mut facts.kind);
        } else {
            self.examine_leaf(bytes, facts, &mut walker);
        }
        if format.is_none() && walker.is_none() {
            return None;
        }
        facts.levels = 1;
        if self.is_shut(facts, key, bytes.len() as u64, depth, ancestors) {
            return None;
        }
        let Some(format) = format else {
            return walker;
        };
        match format.open(Input::Memory(bytes.clone()), limits) {
            Ok(walker) => Some(formats::with_stores(format, walker, limits)),
            Err(trouble) => {
                facts.troubles.push(trouble);
                None
            }
        }
    }

    /// Whether a container is not opened here: it stands too deep, or in itself. The facts say so.
    pub(super) fn is_shut(
        &self,
        facts: &mut Facts,
        key: ContentKey,
        len: u64,
        depth: u32,
        ancestors: &[ContentKey],
    ) -> bool {
        let trouble = if depth >= self.limits.depth {
            self.too_deep(len)
        } else if ancestors.contains(&key) {
            Trouble::odd(
                "contains-itself",
                "this container holds a copy of itself; the copy was not opened again",
            )
        } else {
            return false;
        };
        facts.cut_by_limit = true;
        facts.troubles.push(trouble);
        true
    }

    /// Examines content that is no archive and no map; it may still hold data URLs and modules.
    fn examine_leaf(&self, bytes: &Bytes, facts: &mut Facts, walker: &mut Option<Box<dyn Walker>>) {
        if let Some(kind) = formats::not_opened(bytes) {
            kind.clone_into(&mut facts.kind);
            facts.troubles.push(unsupported(kind, bytes.len() as u64));
            return;
        }
        formats::leaf_kind(bytes).clone_into(&mut facts.kind);
        let hits = self.prefilter.scan(bytes);
        facts.traits = exposure::traits_of(bytes, &hits);
        facts.image = image::Doc::of(bytes).map(|doc| Box::new(image::Part::Doc(doc)));
        let wanted = Wanted {
            modules: hits.has_module(),
            maps: hits.has_map_contents(),
        };
        let may_hold = !hits.archives().is_empty();
        if hits.has_link() || wanted.modules || wanted.maps || may_hold || sourcemap::is_wasm(bytes)
        {
            let mut inlined = Inlined::of(bytes, wanted);
            if may_hold {
                self.carve(bytes, hits.archives(), &mut inlined, facts);
            }
            if is_executable(&facts.kind) {
                // A runtime holds the word and examples of it; only what brings its map along says something.
                inlined
                    .links
                    .retain(|link| sourcemap::classify(link.url) == Target::Data);
            }
            facts.troubles.extend(inlined.trouble());
            facts.links = inlined.links.iter().filter_map(link_fact).collect();
            *walker = inlined
                .walker()
                .map(|walker| Box::new(walker) as Box<dyn Walker>);
        }
        if hits.has_debug_id() {
            facts.links.extend(debug_links(bytes));
        }
        if let Some(org) = &self.organisation {
            let (named, trouble) = exposure::packages_in(bytes, org);
            facts.links.extend(named.into_iter().map(package_link));
            facts.troubles.extend(trouble);
        }
        self.progress
            .findings
            .fetch_add(facts.matches.len() as u64, Ordering::Relaxed);
    }

    /// Looks for archives where the literal pass says that one may begin.
    fn carve(
        &self,
        bytes: &Bytes,
        marks: &[(usize, Mark)],
        inlined: &mut Inlined,
        facts: &mut Facts,
    ) {
        // Both are in order, so one pass tells which places are part of what was found already.
        let mut ranges = inlined.ranges().into_iter().peekable();
        let mut covered = 0;
        let marks = marks.iter().copied().filter(|(offset, _)| {
            while let Some(range) = ranges.next_if(|range| range.start <= *offset) {
                covered = covered.max(range.end);
            }
            *offset >= covered
        });
        let marks: Vec<_> = marks.collect();
        let carved = carve::archives(bytes, marks, &self.limits, formats::is_map);
        facts.troubles.extend(carved.trouble);
        inlined.add_archives(carved.found);
    }

    /// Reads a member that is too large to be held: digests, and the literal pass window by window.
    pub fn stream(
        &self,
        member: Member,
        ordinal: u32,
        walker: &mut dyn Walker,
        building: &mut Building,
        input_len: u64,
        above: u64,
    ) -> Visited {
        self.progress.entries.fetch_add(1, Ordering::Relaxed);
        let mut digests = StreamDigests::default();
        let mut facts = Facts::plain("");
        let mut window: Vec<u8> = Vec::with_capacity(WINDOW + OVERLAP);
        let mut limit = None;
        let mut lines = LineCounter::default();
        let mut has_inlined = false;
        let mut unread = Unread::default();
        let mut buffer = vec![0; WINDOW];
        loop {
            let got = fill(walker, &mut buffer);
            if got == 0 || self.progress.stop.load(Ordering::Relaxed) {
                break;
            }
            let bytes = &buffer[..got];
            digests.update(bytes);
            lines.update(bytes);
            if facts.kind.is_empty() {
                self.stream_head(bytes, above, &mut facts);
                unread = Unread::of(bytes, self.organisation.is_some());
            }
            window.extend_from_slice(bytes);
            has_inlined |= self.stream_window(&window, &mut facts);
            unread.look(&window);
            window.drain(..window.len().saturating_sub(OVERLAP));
            limit = building.charge_bytes(got as u64, input_len, &self.limits);
            if limit.is_some() {
                facts.cut_by_limit = true;
                break;
            }
        }
        let (key, sha256, len) = digests.finish();
        let hold = self.limits.within(above).hold();
        if unread.is_image_doc {
            facts.image = Some(Box::new(image::Part::Doc(Doc::Unread(Why::Memory))));
        }
        let unseen = unread.phrases(has_inlined);
        self.stream_end(&sha256, lines.count(), unseen, hold, &mut facts);
        facts.troubles.extend(limit);
        let mut troubles = walker.streamed_trouble().into_iter().chain(member.trouble);
        let trouble = troubles.next();
        facts.troubles.extend(troubles);
        Visited::Child(Box::new(Child {
            name: member.name,
            ordinal,
            len,
            key: Some(key),
            sha256: Some(sha256),
            facts: Arc::new(facts),
            trouble,
            source: member.source,
            links: given_links(&member.links),
            git: None,
            text: None,
            kept: None,
        }))
    }

    /// What is known of streamed content at its end: whose it is by its digest, and what could not be looked at.
    fn stream_end(
        &self,
        sha256: &Sha256Digest,
        lines: u64,
        mut unseen: Vec<&'static str>,
        hold: u64,
        facts: &mut Facts,
    ) {
        // Of a container that was not opened it is said already.
        if (facts.troubles.iter()).any(|trouble| trouble.code == "memory-limit") {
            unseen.clear();
        }
        if is_executable(&facts.kind) {
            unseen.push("no application was looked for in it");
        }
        if !self.sets.is_empty() {
            facts.matches = match_facts(self.sets.lookup_digests(&sha256.0, None));
            if facts.matches.is_empty() && self.sets.asks_more_than_sha256() {
                unseen.push(
                    "it was not held against sets made of lists that name files by git id or by MD5",
                );
            }
            if !facts.matches.is_empty() {
                facts.lines = lines;
            } else if facts.kind == "text" && self.sets.has_prints() {
                unseen.push(
                    "it was held against the sets as it stands, not in its normal form, and no fingerprints were made of it",
                );
            } else if facts.kind == "text" {
                unseen
                    .push("it was held against the sets as it stands, and not in its normal form");
            }
        }
        if !unseen.is_empty() {
            facts.troubles.push(Trouble::damaged(
                "memory-limit",
                format!(
                    "larger than content may be held here ({hold} bytes), so {}; raise --memory",
                    unseen.join(", and ")
                ),
                None,
            ));
        }
        self.progress
            .findings
            .fetch_add(facts.matches.len() as u64, Ordering::Relaxed);
    }

    fn stream_head(&self, head: &[u8], above: u64, facts: &mut Facts) {
        let container = formats::format_of(head)
            .map(|format| format.name())
            .or_else(|| formats::not_opened(head));
        match container {
            Some(kind) => {
                kind.clone_into(&mut facts.kind);
                facts.troubles.push(Trouble::skipped(
                    "memory-limit",
                    format!("a {kind} within a container, larger than content may be held here ({} bytes); raise --memory{}", self.limits.within(above).hold(), self.or_spill(kind)),
                    None,
                ));
            }
            None => formats::leaf_kind(head).clone_into(&mut facts.kind),
        }
    }

    /// What may be done beside raising the memory, for a container of this kind.
    fn or_spill(&self, kind: &str) -> &'static str {
        if self.spill.is_some() || kind == "source-map" {
            return "";
        }
        ", or give a folder for it with --spill"
    }

    /// Looks through a window; whether something stands in it that would have to be opened.
    fn stream_window(&self, window: &[u8], facts: &mut Facts) -> bool {
        let hits = self.prefilter.scan(window);
        for fact in exposure::traits_of(window, &hits) {
            if !facts.traits.contains(&fact) {
                facts.traits.push(fact);
            }
        }
        let mut has_inlined =
            hits.has_module() || hits.has_map_contents() || !hits.archives().is_empty();
        if hits.has_debug_id() {
            for link in debug_links(window) {
                if !facts.links.contains(&link) {
                    facts.links.push(link);
                }
            }
        }
        if hits.has_link() {
            for link in &sourcemap::links(window) {
                match link_fact(link) {
                    Some(link) if facts.links.contains(&link) => {}
                    Some(link) => facts.links.push(link),
                    None => has_inlined = true,
                }
            }
        }
        has_inlined
    }
}

/// What streamed content may be that is read as a whole or not at all.
#[derive(Debug, Default)]
struct Unread {
    lockfile: Option<Beginning>,
    is_lockfile: bool,
    may_be_image_doc: bool,
    is_image_doc: bool,
}

impl Unread {
    /// Of content that begins with `head`; packages are told only where there is a profile.
    fn of(head: &[u8], has_profile: bool) -> Self {
        Self {
            lockfile: Beginning::of(head).filter(|_| has_profile),
            may_be_image_doc: Doc::may_begin_with(head),
            ..Self::default()
        }
    }

    fn look(&mut self, window: &[u8]) {
        self.is_lockfile |= self.lockfile.is_some_and(|begun| begun.is_told_by(window));
        self.is_image_doc |= self.may_be_image_doc && Doc::has_words(window);
    }

    /// What is to be said of it at its end. Of an image's document the image says it.
    fn phrases(&self, has_inlined: bool) -> Vec<&'static str> {
        let inlined = "maps, modules and archives that may be within it were not opened";
        let lockfile = "the packages that it names, as a lockfile or an index does, were not read";
        let said = [(has_inlined, inlined), (self.is_lockfile, lockfile)];
        let said = said.into_iter().filter(|(is_so, _)| *is_so);
        said.map(|(_, phrase)| phrase).collect()
    }
}

/// The facts of what a look into sets found.
pub fn match_facts(hits: Vec<Hit>) -> Vec<MatchFact> {
    hits.into_iter()
        .map(|hit| MatchFact {
            set: hit.set as u32,
            file: hit.file,
            grade: match hit.grade {
                crate::signature::Grade::Exact => Grade::Exact,
                crate::signature::Grade::Normalized => Grade::Normalized,
                crate::signature::Grade::Excerpt => Grade::Excerpt,
                crate::signature::Grade::Derived => Grade::Derived,
            },
            found: hit.found,
        })
        .collect()
}

/// Whether content of this kind is a program, which may carry a script and all that belongs to it.
fn is_executable(kind: &str) -> bool {
    matches!(kind, "elf" | "pe" | "mach-o")
}

fn unsupported(kind: &str, len: u64) -> Trouble {
    Trouble::skipped(
        "unsupported",
        format!(
            "{kind} is recognised and not opened by this version; unpack it and scan the result"
        ),
        Some(len),
    )
}

/// Reads until the buffer is full or the member ends.
pub(super) fn fill(walker: &mut dyn Walker, buffer: &mut [u8]) -> usize {
    let mut got = 0;
    while got < buffer.len() {
        match walker.read_streamed(&mut buffer[got..]) {
            0 => break,
            n => got += n,
        }
    }
    got
}

/// Bytes that a member takes from what its container may give.
pub(super) fn body_len(body: &Body) -> u64 {
    match body {
        Body::Held(bytes) => bytes.len() as u64,
        Body::At(file) => file.len,
        // Charged while it is read.
        Body::Files(files) => files.list().iter().map(|file| file.len).sum(),
        Body::Streamed(_) | Body::Absent => 0,
    }
}

pub(super) fn absent(member: Member, ordinal: u32) -> Visited {
    let mut facts = Facts::plain("absent");
    if member
        .trouble
        .as_ref()
        .is_none_or(|trouble| trouble.effect == Effect::Odd)
    {
        facts.troubles.push(Trouble::skipped(
            "no-content",
            "the container names this entry and holds no content",
            None,
        ));
    }
    Visited::Child(Box::new(Child {
        name: member.name,
        ordinal,
        len: 0,
        key: None,
        sha256: None,
        facts: Arc::new(facts),
        links: given_links(&member.links),
        trouble: member.trouble,
        source: member.source,
        git: None,
        text: None,
        kept: None,
    }))
}

/// The debug ids of a script, as links to maps that have the same.
fn debug_links(text: &[u8]) -> impl Iterator<Item = LinkFact> {
    let ids = sourcemap::debug_ids(text).into_iter();
    ids.map(|id| LinkFact {
        target: id.to_ascii_lowercase(),
        kind: ReferenceKind::DebugId,
        conforming: true,
        beside: None,
    })
}

/// The link of a package that a file names.
fn package_link((target, beside): exposure::named::Package) -> LinkFact {
    LinkFact {
        target,
        kind: ReferenceKind::Package,
        conforming: true,
        beside,
    }
}

fn link_fact(link: &sourcemap::Link) -> Option<LinkFact> {
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
        target: target.to_vec(),
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
