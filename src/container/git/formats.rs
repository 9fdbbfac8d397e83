//! Packs, bundles and loose objects as containers, wherever they lie: in a store, in an archive, by themselves.
//!
//! Their members are objects, called by their names in hexadecimal. Files, commits and tags are entries: messages are
//! texts that people wrote, and tell as much as files do. A tree is a folder, so it is counted as such (`git-tree`).

use std::collections::{HashMap, VecDeque};

use flate2::{Decompress, FlushDecompress};

use super::super::{Body, Effect, Event, Format, Input, LenOf, Member, Told, Trouble, Walker};
use super::graph::{Graph, Refs};
use super::head::Head;
use super::object::{Hash, Kind, Oid, id_of, loose_header};
use super::pack::{Broken, Found, Object, PackWalk, Source, Which, is_pack};
use super::refs::RefFiles;
use crate::blob::{Limits, MemberName};

/// A pack.
pub struct GitPack;

impl Format for GitPack {
    fn name(&self) -> &'static str {
        "git-pack"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        is_pack(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let walk = PackWalk::open(input, 0, Hash::Sha1, None, Which::All, limits)?;
        let mut walker = PackWalker::new("git-pack", walk);
        walker.limits = limits.clone();
        Ok(Box::new(walker))
    }
}

/// A bundle: what a pack needs to be fetched from, in one file.
pub struct GitBundle;

impl Format for GitBundle {
    fn name(&self) -> &'static str {
        "git-bundle"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(b"# v2 git bundle\n") || head.starts_with(b"# v3 git bundle\n")
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let head = BundleHead::read(&input)?;
        let walk = PackWalk::open(input, head.pack_at, head.hash, None, Which::All, limits)?;
        let mut walker = PackWalker::new("git-bundle", walk);
        walker.prerequisites = head.prerequisites;
        let mut names = RefFiles::default();
        for (name, id) in head.refs {
            names.add_direct(name, id);
        }
        walker.refs = Some(names.resolve());
        walker.limits = limits.clone();
        Ok(Box::new(walker))
    }
}

/// What stands before the pack of a bundle (gitformat-bundle(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
struct BundleHead {
    hash: Hash,
    /// How many commits a reader must have already.
    prerequisites: u64,
    refs: Vec<(Vec<u8>, Oid)>,
    pack_at: u64,
}

impl BundleHead {
    fn read(input: &Input) -> Result<Self, Trouble> {
        /// A head with a million names takes about 64 MB.
        const MOST: usize = 64 << 20;
        let mut len = 64 << 10;
        loop {
            let head = input.slice(0, len).map_err(|error| {
                Trouble::damaged(
                    "unreadable",
                    format!("the file could not be read: {error}"),
                    None,
                )
            })?;
            if let Some(found) = Self::parse(&head) {
                return Ok(found);
            }
            if head.len() < len || len >= MOST {
                return Err(Trouble::skipped(
                    "git-bundle-damaged",
                    "the list of names in front of the pack does not end; its objects were not read",
                    Some(input.len()),
                ));
            }
            len *= 4;
        }
    }

    /// `None` where it does not end within `head`.
    fn parse(head: &[u8]) -> Option<Self> {
        let mut found = Self {
            hash: Hash::Sha1,
            prerequisites: 0,
            refs: Vec::new(),
            pack_at: 0,
        };
        let mut at = memchr::memchr(b'\n', head)? + 1;
        loop {
            let end = at + memchr::memchr(b'\n', &head[at..])?;
            let line = &head[at..end];
            at = end + 1;
            match line.first() {
                None => break,
                Some(b'@') if line == b"@object-format=sha256" => found.hash = Hash::Sha256,
                Some(b'@') => {}
                Some(b'-') => found.prerequisites += 1,
                Some(_) => {
                    let id = Oid::parse(line);
                    let name = memchr::memchr(b' ', line).map(|space| line[space + 1..].to_vec());
                    found.refs.extend(name.zip(id));
                }
            }
        }
        found.pack_at = at as u64;
        Some(found)
    }
}

/// Gives the objects of a pack as members.
struct PackWalker {
    kind: &'static str,
    walk: PackWalk,
    prerequisites: u64,
    /// What the list in front of a bundle leads to; a pack by itself has none.
    refs: Option<Refs>,
    limits: Limits,
    ready: VecDeque<Event>,
}

impl PackWalker {
    fn new(kind: &'static str, walk: PackWalk) -> Self {
        let mut ready = VecDeque::new();
        if walk.hash() == Hash::Sha256 {
            ready.push_back(Event::Other("git-sha256"));
        }
        Self {
            kind,
            walk,
            prerequisites: 0,
            refs: None,
            limits: Limits::default(),
            ready,
        }
    }
}

impl Walker for PackWalker {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            match self.walk.advance()? {
                Found::Object(object) => object_events(object, &mut self.ready),
                Found::Broken(mut broken) => {
                    if self.prerequisites > 0 && broken.trouble.code == "git-base-missing" {
                        broken.trouble.detail.push_str(
                            "; the bundle builds on commits that it does not hold, get a full one",
                        );
                    }
                    return Some(broken_event(*broken));
                }
                Found::Trouble(trouble) => return Some(Event::Trouble(trouble)),
                Found::Wants(_) => {}
            }
        }
    }

    fn tell(&mut self, members: &[&MemberName], lens: Option<&LenOf>) -> Told {
        let walk = &self.walk;
        told(members, self.refs.as_ref(), &self.limits, lens, |add| {
            let mut walk = walk.again(Which::AllButBlobs);
            while let Some(found) = walk.advance() {
                if let Found::Object(object) = found
                    && !add(&object)
                {
                    return;
                }
            }
        })
    }
}

/// Finds out where objects stand. `read` shows commits, trees and tags, and ends early where it is told to. Where lengths of
/// members are given, files at the head are counted.
pub(super) fn told(
    members: &[&MemberName],
    refs: Option<&Refs>,
    limits: &Limits,
    lens: Option<&LenOf>,
    read: impl Fn(&mut dyn FnMut(&Object) -> bool),
) -> Told {
    let mut wanted = Vec::new();
    let mut keys = HashMap::new();
    let numbers: Vec<Option<usize>> = members
        .iter()
        .map(|name| {
            let id = Oid::parse(name.bytes())
                .filter(|id| name.bytes().len() == id.hash().width() * 2)?;
            Some(*keys.entry(id.key()).or_insert_with(|| {
                wanted.push((id, Kind::Blob));
                wanted.len() - 1
            }))
        })
        .collect();
    if wanted.is_empty() {
        return Told::default();
    }
    let mut graph = Graph::new(&keys);
    let mut is_full = false;
    read(&mut |object| {
        if let Some(&number) = keys.get(&object.id.key()) {
            wanted[number].1 = object.kind;
        }
        graph.add(object.kind, &object.id, &object.bytes);
        is_full = graph.weight() > limits.hold();
        !is_full
    });
    if is_full {
        return Told {
            git: Vec::new(),
            head: None,
            troubles: vec![Trouble::odd(
                "git-history-not-told",
                format!(
                    "the history has more commits and folders than may be held ({} bytes), so that paths, dates and standing of objects are not told; raise --memory",
                    limits.hold()
                ),
            )],
        };
    }
    let mut metas = graph.tell(&wanted, refs);
    let head = lens.zip(refs).and_then(|(lens, refs)| {
        let mut head = Head::of(&graph, &keys, refs)?;
        read(&mut |object| head.take(object, lens));
        let (files, places) = head.finish()?;
        for (meta, places) in metas.iter_mut().zip(places) {
            meta.at_head = places;
        }
        Some(files)
    });
    Told {
        git: numbers
            .into_iter()
            .map(|number| metas.get(number?).cloned().map(Box::new))
            .collect(),
        head,
        troubles: Vec::new(),
    }
}

/// What an object is in the account: a member, or a folder.
pub(super) fn object_events(object: Object, events: &mut VecDeque<Event>) {
    if object.kind == Kind::Tree {
        events.push_back(Event::Other("git-tree"));
        events.extend(object.trouble.map(Event::Trouble));
        return;
    }
    let mut member = Member::whole(name_of(&object.id), object.bytes);
    member.trouble = object.trouble;
    events.push_back(Event::Member(member));
}

/// What an entry that gave no object is in the account.
pub(super) fn broken_event(broken: Broken) -> Event {
    let Broken {
        offset,
        id,
        kind,
        bytes,
        mut trouble,
    } = broken;
    if kind == Some(Kind::Tree) {
        trouble.effect = Effect::Damaged;
        return Event::Trouble(trouble);
    }
    let name = id.map_or(MemberName::Offset(offset), |id| name_of(&id));
    let mut member = Member::absent(name, trouble);
    if let Some(bytes) = bytes {
        member.body = Body::Held(bytes);
    }
    Event::Member(member)
}

/// How an object is called.
pub(super) fn name_of(id: &Oid) -> MemberName {
    MemberName::Named(id.hex().into_bytes())
}

/// A loose object: one object, deflated, in a file of its own.
pub struct GitLoose;

impl Format for GitLoose {
    fn name(&self) -> &'static str {
        "git-loose"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        is_loose(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let mut ready = VecDeque::new();
        match read_loose(input, None, limits) {
            Loose::Object(object) => object_events(object, &mut ready),
            Loose::Broken(broken) => ready.push_back(broken_event(*broken)),
        }
        Ok(Box::new(LooseWalker { ready }))
    }
}

struct LooseWalker {
    ready: VecDeque<Event>,
}

impl Walker for LooseWalker {
    fn kind(&self) -> &'static str {
        "git-loose"
    }

    fn next(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }
}

/// Whether content begins as a loose object does: a zlib stream that begins with the header of an object.
pub(super) fn is_loose(head: &[u8]) -> bool {
    loose_head(head).is_some()
}

/// What a loose object is, by its header.
pub(super) fn loose_kind(input: &Input) -> Option<Kind> {
    let head = input.slice(0, 4 << 10).ok()?;
    loose_head(&head).map(|(kind, ..)| kind)
}

/// The header of a loose object.
fn loose_head(packed: &[u8]) -> Option<(Kind, u64, usize)> {
    let is_zlib = packed.first_chunk().is_some_and(|start| {
        start[0] & 15 == 8 && u16::from_be_bytes(*start).is_multiple_of(31) && start[1] & 0x20 == 0
    });
    if !is_zlib {
        return None;
    }
    let mut head = [0; 64];
    let mut inflater = Decompress::new(true);
    // It makes what it can before it says that something is wrong.
    let _ = inflater.decompress(
        &packed[..packed.len().min(4 << 10)],
        &mut head,
        FlushDecompress::None,
    );
    let made = (inflater.total_out() as usize).min(head.len());
    loose_header(&head[..made])
}

/// What reading a loose object gave.
pub(super) enum Loose {
    Object(Object),
    Broken(Box<Broken>),
}

/// Reads a loose object; `claimed` is what its file is called.
pub(super) fn read_loose(input: Input, claimed: Option<Oid>, limits: &Limits) -> Loose {
    let broken = |kind, bytes, trouble| {
        Loose::Broken(Box::new(Broken {
            offset: 0,
            id: claimed,
            kind,
            bytes,
            trouble,
        }))
    };
    let head = input.slice(0, 4 << 10).unwrap_or_default();
    let Some((kind, stated, header)) = loose_head(&head) else {
        let trouble = Trouble::skipped(
            "git-object-damaged",
            "this loose object does not begin as one does; nothing of it was read",
            Some(input.len()),
        );
        return broken(None, None, trouble);
    };
    if stated > limits.hold() {
        let trouble = Trouble::skipped(
            "memory-limit",
            format!("the object states {stated} bytes, more than may be held; raise --memory"),
            Some(stated),
        );
        return broken(Some(kind), None, trouble);
    }
    let len = input.len();
    let mut source = Source::new(input, 0, limits.decoders);
    let inflated = source.inflate(0, stated + header as u64, len);
    let bytes = bytes::Bytes::from(inflated.bytes);
    let bytes = bytes.slice(header.min(bytes.len())..);
    if let Some(fault) = inflated.fault {
        let detail = format!("the loose object is damaged: {fault}; what came before is given");
        let left = stated.saturating_sub(bytes.len() as u64);
        return broken(
            Some(kind),
            Some(bytes),
            Trouble::damaged("git-object-damaged", detail, Some(left)),
        );
    }
    let hash = claimed.map_or(Hash::Sha1, |id| id.hash());
    let id = id_of(hash, kind, &bytes);
    let behind = len.saturating_sub(inflated.used);
    let mut trouble = (behind > 0).then(|| {
        Trouble::damaged(
            "git-unlisted",
            format!("{behind} bytes follow the loose object; they were not read"),
            Some(behind),
        )
    });
    if let Some(claimed) = claimed.filter(|claimed| *claimed != id) {
        trouble.get_or_insert_with(|| {
            Trouble::odd(
                "git-id-mismatch",
                format!(
                    "the file is called {}, and its bytes say otherwise",
                    claimed.hex()
                ),
            )
        });
    }
    Loose::Object(Object {
        kind,
        id,
        bytes,
        offset: 0,
        trouble,
    })
}
