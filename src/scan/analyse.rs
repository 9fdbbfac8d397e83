//! From bytes to content facts: the one recursion.
//!
//! A blob is hashed, looked up, asked what it is, and either examined as a leaf or opened; what comes out of a
//! container goes round again. The recursion is an explicit stack of open containers, so that nesting cannot
//! exhaust the thread's. Everything here is a function of bytes, rules and sets; nothing knows of a place. What a container
//! counts is in [`building`](super::building), what is too large to be held in `streamed`.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use super::building::{Building, Frame, Visited, as_void_layer, is_unlisted, lacks_room};
use super::facts::{Child, Facts, Kept, LicenceText, MatchFact, TextDigest, name_number};
use super::formats;
use super::large::{Large, Resumed, Spill};
use super::links::{debug_links, given_links, link_fact, package_link};
use super::public;
use super::seen::{Known, Seen};
use crate::blob::{ContentKey, Limits, MemberName, Sha256Digest, count_lines};
use crate::container::carve::{self, Mark};
use crate::container::git::store::{StoreFiles, StoreWalker};
use crate::container::image;
use crate::container::{Body, Effect, Event, Format, Input, Member, SourceMeta, Trouble, Walker};
use crate::exposure::{self, Inspector, Organisation, Prefilter, Role};
use crate::record::Grade;
use crate::signature::ported::Echo;
use crate::signature::{Hit, SetGroup, norm_text};
use crate::sourcemap::inlined::{Inlined, Wanted};
use crate::sourcemap::{self, Target};

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
    /// What is looked for in running text.
    pub inspector: Inspector,
    /// Where the bytes of matches go.
    pub collector: Option<Arc<dyn Collector>>,
    /// For the progress bar, and to stop.
    pub progress: Arc<Progress>,
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
        let role = self.role_of(&member);
        self.visit_as(role, member, ordinal, depth, ancestors)
    }

    /// The same for a file that is called otherwise than the member that stands for it.
    pub fn visit_as(
        &self,
        role: Role,
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
        guarded(|| self.visit_stack(role, member, ordinal, depth, ancestors))
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
            written: None,
            text: None,
            kept: None,
        }))
    }

    /// How closely a member is read of a container that was read so. Without a name of its own it goes by the container's.
    pub(super) fn role_within(&self, outer: Role, member: &Member) -> Role {
        if member.source.is_none() && member.name.bytes().is_empty() {
            return outer;
        }
        self.role_of(member)
    }

    /// How closely a member is read.
    pub(super) fn role_of(&self, member: &Member) -> Role {
        let (name, ignored) = match &member.source {
            Some(source) => (source.name.as_deref().unwrap_or_default(), source.ignored),
            None => (member.name.bytes(), false),
        };
        self.inspector
            .role_of(name, member.source.is_some(), ignored)
    }

    fn visit_stack(
        &self,
        role: Role,
        member: Member,
        ordinal: u32,
        depth: u32,
        ancestors: &[ContentKey],
    ) -> Visited {
        let mut frames = match self.begin(role, member, ordinal, depth, 0, ancestors) {
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
                let role = self.role_within(frame.role, &member);
                match self.begin(role, member, ordinal, inner, held, &open) {
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
                    frame.building.count_folder(&member, self.sets.paths());
                    if !matches!(member.body, Body::Streamed(_)) {
                        return Some((member, ordinal));
                    }
                    let (walker, building) = (frame.walker.as_mut(), &mut frame.building);
                    match self.large(member, walker, building, frame.input_len) {
                        Large::Open(member) => {
                            building.count_bytes(&member.name, body_len(&member.body));
                            return Some((member, ordinal));
                        }
                        Large::Stream(member, head) => {
                            let name = member.name.clone();
                            let mut content = Resumed { head, walker };
                            let (len, held) = (frame.input_len, frame.held);
                            let visited =
                                self.stream(member, ordinal, &mut content, building, len, held);
                            frame.building.count_bytes(&name, visited.len());
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
                self.remember(frame.role.key(frame.key), &facts);
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
            written: frame.written,
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
        role: Role,
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
            && let Some(facts) = self.known(&role.key(key), depth, above, member.name.bytes())
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
        let walker = self.open(
            &bytes, role, format, &mut facts, key, depth, &limits, ancestors,
        );
        self.run_yara(&bytes, &mut facts);
        let walker = walker.map(|mut walker| {
            self.read_beside(walker.as_mut(), &mut facts);
            walker
        });
        let Some(walker) = walker else {
            let facts = Arc::new(facts);
            self.remember(role.key(key), &facts);
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
            building: Building::of(member.name.bytes())
                .with_lens(walker.as_ref(), self.sets.has_works()),
            walker,
            ordinal,
            len: bytes.len() as u64,
            key,
            role,
            sha256: Some(sha256.unwrap_or_else(|| Sha256Digest::of(&bytes))),
            trouble: member.trouble,
            text: self.text_digest(&bytes),
            kept,
            source: member.source,
            links: given_links(&member.links),
            written: written_of(member.time, &facts),
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
        let building = Building::default().with_lens(walker.as_ref(), self.sets.has_works());
        let mut facts = Facts::plain(walker.kind());
        facts.levels = 1;
        Begun::Opened(Box::new(Frame {
            input_len: len,
            held: above,
            walker,
            building,
            ordinal,
            len,
            // Nothing that it holds can be it: it has no bytes.
            key: ContentKey::of(b""),
            role: Role::Bulk,
            sha256: None,
            trouble: member.trouble,
            text: None,
            kept: None,
            source: None,
            links: Vec::new(),
            written: None,
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
            // Without a name of its own it goes by that of its container.
            && !member.name.bytes().is_empty()
            && !exposure::name_is_of_interest(member.name.bytes())
            && !image::is_of_interest(member.name.bytes(), ordinal)
            && !(self.sets.has_works() && exposure::is_licence_name(member.name.bytes()))
        {
            return Visited::Plain {
                key,
                len: bytes.len() as u64,
                compiled: exposure::is_compiled(member.name.bytes()),
            };
        }
        let facts = facts.unwrap_or_else(|| Arc::new(Facts::plain(formats::leaf_kind(bytes))));
        Visited::Child(Box::new(Child {
            name: member.name,
            ordinal,
            len: bytes.len() as u64,
            key: Some(key),
            sha256: Some(sha256.unwrap_or_else(|| Sha256Digest::of(bytes))),
            written: written_of(member.time, &facts),
            facts,
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
        role: Role,
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
            self.examine_container(bytes, format, facts);
        } else {
            self.examine_leaf(bytes, role, facts, &mut walker);
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

    /// What a container is beside what it holds.
    pub(super) fn examine_container(
        &self,
        bytes: &Bytes,
        format: &'static dyn Format,
        facts: &mut Facts,
    ) {
        if format.name() == "har" {
            // What a browser sent stands beside the bodies that are opened.
            let capture = exposure::classes::har(bytes);
            facts.traits.push(exposure::Trait::Artifact(capture));
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
    fn examine_leaf(
        &self,
        bytes: &Bytes,
        role: Role,
        facts: &mut Facts,
        walker: &mut Option<Box<dyn Walker>>,
    ) {
        if let Some(kind) = formats::not_opened(bytes) {
            kind.clone_into(&mut facts.kind);
            facts.troubles.push(unsupported(kind, bytes.len() as u64));
            return;
        }
        formats::leaf_kind(bytes).clone_into(&mut facts.kind);
        let hits = self.prefilter.scan(bytes);
        let told = exposure::told_of(bytes, &hits);
        facts.traits = told.traits;
        facts.troubles.extend(settings_unread(&told.unread));
        let inspected = self.inspector.inspect_known(bytes, role, &facts.traits);
        (facts.secrets, facts.items) = (inspected.secrets, inspected.items);
        if self.sets.has_works() && facts.kind == "text" {
            facts.licence = exposure::licence_text(bytes).map(|id| LicenceText { id });
        }
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
            if hits.has_more_archives()
                && facts.troubles.iter().all(|one| one.code != "carve-limit")
            {
                facts.troubles.push(Trouble::damaged(
                    "carve-limit",
                    "so many places here look like the beginning of an archive that those behind the last of them were not looked at",
                    None,
                ));
            }
            if is_executable(&facts.kind) {
                // A runtime holds the word and examples of it; only what brings its map along says something.
                inlined
                    .links
                    .retain(|link| sourcemap::classify(link.url) == Target::Data);
            }
            facts.troubles.extend(inlined.trouble());
            facts.links = inlined.links.iter().filter_map(link_fact).collect();
            if !inlined.links.is_empty() && facts.kind == "text" {
                facts.names = self.inspector.names_in(bytes);
                if !self.inspector.is_off {
                    facts.lengths = sourcemap::spread::line_lengths(bytes);
                }
            }
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
pub(super) fn is_executable(kind: &str) -> bool {
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

/// What is said of content that a reader of settings and documents would have parsed, were it not for its size.
pub(super) fn settings_unread(unread: &[&'static str]) -> Option<Trouble> {
    let first = unread.first()?;
    Some(Trouble::damaged(
        "settings-unread",
        format!(
            "{first}, and it is larger than is parsed of such: what it would be as a whole was not told, its text was searched for credentials; look at it by hand"
        ),
        None,
    ))
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

/// When a member was written, where that dates something: of what matches nothing nobody asks for it.
pub(super) fn written_of(time: Option<i64>, facts: &Facts) -> Option<i64> {
    time.filter(|_| !facts.matches.is_empty())
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
        written: None,
        text: None,
        kept: None,
    }))
}
