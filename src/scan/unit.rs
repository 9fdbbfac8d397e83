//! Reading one unit: from a file to facts and an account.
//!
//! A small file is read whole and analysed where it is. A large archive is walked by one thread, and its members
//! are handed out in batches to whoever has nothing to do, so that one huge tarball keeps all cores busy just as
//! a hundred thousand small packages do. Batches are taken back in order: who analysed them does not show.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::analyse::{Analyser, guarded};
use super::building::{Building, Visited, as_void_layer};
use super::facts::{Child, Facts, TextDigest, Tree};
use super::formats;
use super::hollow::Pieces;
use super::input::{self, InputRoot, Unit};
use super::large::{Large, Resumed};
use crate::blob::digest::StreamDigests;
use crate::blob::{ContentKey, Limits, MemberName, Sha256Digest, room};
use crate::container::brotli;
use crate::container::git::remotes::{CONFIG_MAX, remotes_of};
use crate::container::git::store::{ALTERNATES, StoreFile, StoreFiles, StoreWalker};
use crate::container::image;
use crate::container::{Body, Event, Format, Input, InputFile, Member, Trouble, Walker};
use crate::exposure::{Location, Role};

/// Files up to this size are read whole; of larger ones, those that can be streamed are.
const WHOLE_MAX: u64 = 64 << 20;
/// Archives from this size on are handed out in batches.
const SHARED_MIN: u64 = 256 << 10;
/// A batch is handed out when it has this many bytes,
const BATCH_BYTES: u64 = 1 << 20;
/// or this many members.
const BATCH_MEMBERS: usize = 512;
/// Times what a thread may hold without asking that may wait in batches of a container; beyond that the walking thread analyses its own.
const WAITING: u64 = 1;
/// What a unit holds of a file that it does not read whole, in bytes.
const PIECES: u64 = 4 << 20;

/// How much of a file is looked at to tell its format, where it is not read whole: as much as any trial looks at, so that
/// it tells the same of it as of the whole.
pub(super) const HEAD: usize = brotli::LOOK;

/// A batch of members with their ordinals.
type Batch = Vec<(Member, u32)>;

/// All units of a scan, among which a git store finds those that it borrows from.
pub struct Around<'a> {
    /// The inputs.
    pub roots: &'a [InputRoot],
    /// All units, sorted.
    pub units: &'a [Unit],
    /// The largest file that is read whole, in bytes.
    pub whole_max: u64,
}

impl Around<'_> {
    /// The git store in the folder at `path`, if it is part of an input.
    fn store_at(&self, path: &Path) -> Option<FolderFiles> {
        let folder = path.canonicalize().ok()?;
        self.roots.iter().enumerate().find_map(|(index, root)| {
            let top = root.path.canonicalize().ok()?;
            let below = input::slashed(folder.strip_prefix(top).ok()?);
            let order = |unit: &Unit| (unit.input, &unit.path).cmp(&(index, &below));
            let found = self.units.binary_search_by(order).ok()?;
            let files = self.units[found].store.as_ref()?;
            let folder = input::path_of(root, &self.units[found]);
            Some(FolderFiles::new(folder, files, self.whole_max))
        })
    }

    /// The stores that the one in `folder` borrows from, and those that they borrow from; and what is not in the input.
    pub(super) fn borrowed(&self, files: &FolderFiles) -> (Vec<Box<dyn StoreFiles>>, Vec<Vec<u8>>) {
        /// As deep as git goes.
        const DEPTH_MAX: usize = 5;
        let (mut found, mut absent) = (Vec::new(), Vec::new());
        let mut open = vec![(files.clone(), 0)];
        while let Some((files, depth)) = open.pop() {
            for line in alternates(&files) {
                let objects = files.folder.join("objects");
                let path = input::below_path(&objects, &line);
                // It names the folder of the objects.
                match path.parent().and_then(|folder| self.store_at(folder)) {
                    Some(other) => {
                        if depth < DEPTH_MAX {
                            open.push((other.clone(), depth + 1));
                        }
                        found.push(Box::new(other) as Box<dyn StoreFiles>);
                    }
                    None => absent.push(line),
                }
            }
        }
        (found, absent)
    }
}

/// The lines of a store's list of stores that it borrows from.
fn alternates(files: &FolderFiles) -> Vec<Vec<u8>> {
    let order = |file: &StoreFile| file.path.as_slice().cmp(ALTERNATES);
    let Ok(number) = files.files.binary_search_by(order) else {
        return Vec::new();
    };
    let Ok(Input::Memory(text)) = files.open(number) else {
        return Vec::new();
    };
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .map(<[u8]>::to_vec)
        .collect()
}

/// Bytes of memory that a unit holds of its file while it is read.
pub fn held(unit: &Unit, limits: &Limits) -> u64 {
    let whole_max = whole_max(limits);
    match unit.stamp.size {
        // Its packs, one at a time.
        size if unit.store.is_some() => size.min(whole_max),
        size if size <= whole_max => size,
        _ => PIECES,
    }
}

/// The largest file that is read whole, whatever it is.
pub fn whole_max(limits: &Limits) -> u64 {
    WHOLE_MAX.min(limits.hold())
}

/// Reads one unit. `None` where the run is to stop before it is done.
pub fn read(analyser: &Analyser, root: &InputRoot, unit: &Unit, around: &Around) -> Option<Child> {
    if let Some(files) = &unit.store {
        let child = read_store(analyser, root, unit, files, around);
        let stopped = analyser.progress.stop.load(Ordering::Relaxed);
        return (!stopped).then_some(child);
    }
    let child = match input::open(root, unit) {
        Ok((file, stamp)) => {
            let read = || {
                let mut child = read_file(analyser, &InputFile::new(file, stamp.size), &unit.path);
                note_change(&mut child, root, unit, stamp);
                child
            };
            match &unit.twin {
                Some(twin) if analyser.wishes.keep == super::analyse::Keep::Nothing => {
                    let is_stopped = || analyser.progress.stop.load(Ordering::Relaxed);
                    twin.or_read(analyser, &unit.path, stamp, is_stopped, read)
                }
                _ => read(),
            }
        }
        Err(trouble) => unread(trouble),
    };
    let stopped = analyser.progress.stop.load(Ordering::Relaxed);
    (!stopped).then_some(child)
}

/// A file that changed while it was read gives what was read, and a problem.
fn note_change(child: &mut Child, root: &InputRoot, unit: &Unit, before: input::Stamp) {
    let Some(mut trouble) = change_of(root, unit, before) else {
        return;
    };
    trouble.unread = trouble.unread.map(|size| size.saturating_sub(child.len));
    child.trouble.get_or_insert(trouble);
}

/// The trouble of a file that is not what it was; what is unread is all of it.
pub(super) fn change_of(root: &InputRoot, unit: &Unit, before: input::Stamp) -> Option<Trouble> {
    let after = std::fs::metadata(input::path_of(root, unit)).map(|m| input::Stamp::of(&m));
    let size = after.as_ref().map_or(before.size, |after| after.size);
    let is_same = after.is_ok_and(|after| after.size == before.size && after.mtime == before.mtime);
    (!is_same).then(|| {
        Trouble::damaged(
            "changed-while-read",
            "the file changed or vanished while it was read; what was read is reported, run the same command again",
            Some(size),
        )
    })
}

/// The files of a git directory in the file system.
#[derive(Debug, Clone)]
pub(super) struct FolderFiles {
    folder: PathBuf,
    files: Arc<Vec<StoreFile>>,
    whole_max: u64,
}

impl FolderFiles {
    /// The files of the store in `folder`, of which those up to `whole_max` bytes are read whole.
    pub(super) fn new(folder: PathBuf, files: &Arc<Vec<StoreFile>>, whole_max: u64) -> Self {
        Self {
            folder,
            files: Arc::clone(files),
            whole_max,
        }
    }
}

impl StoreFiles for FolderFiles {
    fn list(&self) -> &[StoreFile] {
        &self.files
    }

    fn open(&self, number: usize) -> Result<Input, Trouble> {
        let (file, stamp) = input::open_in_store(&self.folder, &self.files[number])?;
        let file = InputFile::new(file, stamp.size);
        if stamp.size > self.whole_max {
            return Ok(Input::File(file));
        }
        let len = usize::try_from(stamp.size).unwrap_or(usize::MAX);
        file.read_at(0, len)
            .map(Input::Memory)
            .map_err(|error| failed(&error, stamp.size))
    }

    fn open_head(&self, number: usize, len: usize) -> Result<Bytes, Trouble> {
        let (file, stamp) = input::open_in_store(&self.folder, &self.files[number])?;
        let file = InputFile::new(file, stamp.size);
        let head = file.read_at(0, len);
        head.map_err(|error| failed(&error, stamp.size))
    }
}

/// The git store of a folder that is a repository: the one in its `.git`, or itself where it is bare. `None` where it is none.
pub fn store_walker(root: &InputRoot, units: &[Unit], limits: &Limits) -> Option<StoreWalker> {
    let is_it = |unit: &&Unit| unit.path.is_empty() || unit.path == b".git";
    let unit = units.iter().find(is_it)?;
    let whole_max = whole_max(limits);
    let around = Around {
        roots: std::slice::from_ref(root),
        units,
        whole_max,
    };
    let files = FolderFiles::new(input::path_of(root, unit), unit.store.as_ref()?, whole_max);
    let (borrowed, _) = around.borrowed(&files);
    let mut walker = StoreWalker::new(Box::new(files), limits);
    walker.borrow_from(borrowed);
    Some(walker)
}

/// Reads a git store: one container with everything that its files hold.
fn read_store(
    analyser: &Analyser,
    root: &InputRoot,
    unit: &Unit,
    files: &Arc<Vec<StoreFile>>,
    around: &Around,
) -> Child {
    let files = FolderFiles::new(input::path_of(root, unit), files, around.whole_max);
    let (borrowed, absent) = around.borrowed(&files);
    let mut walker = StoreWalker::new(Box::new(files), &analyser.limits);
    walker.borrow_from(borrowed);
    let mut facts = Facts::plain(walker.kind());
    facts.levels = 1;
    facts
        .troubles
        .extend(absent.iter().map(|path| borrowed_trouble(path)));
    // No entry is a store, so that none can be one that holds it.
    let above = ContentKey::of(b"");
    let building = share(
        analyser,
        &mut walker,
        b"",
        unit.stamp.size,
        above,
        &mut facts,
    );
    building.finish(&mut walker, &mut facts);
    let trouble = store_change(root, unit);
    Child {
        name: MemberName::Named(Vec::new()),
        ordinal: 1,
        len: unit.stamp.size,
        key: walker.key(),
        sha256: None,
        facts: Arc::new(facts),
        trouble,
        source: None,
        links: Vec::new(),
        git: None,
        written: None,
        text: None,
        kept: None,
    }
}

/// The remotes of a git directory, by name, their addresses without passwords. Where its settings cannot be read there are
/// none; that they cannot is told when they are read as the entry that they are.
pub(super) fn remotes(root: &InputRoot, unit: &Unit) -> Vec<(String, String)> {
    let files = unit.store.as_deref().map_or(&[][..], Vec::as_slice);
    let Some(config) = files.iter().find(|file| file.path == b"config") else {
        return Vec::new();
    };
    if config.len > CONFIG_MAX as u64 {
        return Vec::new();
    }
    let opened = input::open_in_store(&input::path_of(root, unit), config);
    let bytes = opened.ok().and_then(|(file, stamp)| {
        let len = usize::try_from(stamp.size).unwrap_or(CONFIG_MAX);
        InputFile::new(file, stamp.size)
            .read_at(0, len.min(CONFIG_MAX))
            .ok()
    });
    let remotes = remotes_of(&bytes.unwrap_or_default()).into_iter();
    remotes
        .filter_map(|remote| Some((remote.name, Location::read(&remote.url)?.shown)))
        .collect()
}

/// What is said of a store that borrows from one that is not there.
pub(super) fn borrowed_trouble(path: &[u8]) -> Trouble {
    Trouble::odd(
        "git-borrowed",
        format!(
            "objects are borrowed from {}, which is no store of the input: what they hold was not looked at; give it as an input too",
            crate::blob::locator::escape(path)
        ),
    )
}

/// The trouble of a store that is not what it was.
pub(super) fn store_change(root: &InputRoot, unit: &Unit) -> Option<Trouble> {
    let is_changed = input::look_again(root, unit).stamp != unit.stamp;
    is_changed.then(|| {
        Trouble::damaged(
            "changed-while-read",
            "files of the git store changed, came or went while it was read; what was read is reported, run the same command again",
            None,
        )
    })
}

/// Whether a trouble with a file may be gone the next time, though the file is the same.
pub fn may_pass(trouble: &Trouble) -> bool {
    matches!(
        trouble.code.as_ref(),
        "unreadable" | "vanished" | "changed-while-read"
    )
}

fn unread(trouble: Trouble) -> Child {
    Child {
        name: MemberName::Named(Vec::new()),
        ordinal: 1,
        len: 0,
        key: None,
        sha256: None,
        facts: Arc::new(Facts::plain("absent")),
        trouble: Some(trouble),
        source: None,
        links: Vec::new(),
        git: None,
        written: None,
        text: None,
        kept: None,
    }
}

pub(super) fn failed(error: &std::io::Error, len: u64) -> Trouble {
    Trouble::damaged(
        "unreadable",
        format!(
            "the file could not be read to its end: {error}; run the same command again when it can be read"
        ),
        Some(len),
    )
}

fn read_file(analyser: &Analyser, file: &InputFile, name: &[u8]) -> Child {
    let head = match file.read_at(0, HEAD) {
        Ok(head) => head,
        Err(error) => return unread(failed(&error, file.len)),
    };
    let format = formats::format_of(&head).filter(|format| format.name() != "source-map");
    let is_small = file.len <= whole_max(&analyser.limits);
    if is_small || (format.is_none() && file.len <= analyser.limits.hold()) {
        if !is_small {
            room::want(file.len);
        }
        return match file.read_at(0, usize::try_from(file.len).unwrap_or(usize::MAX)) {
            Ok(bytes) => analyse_whole(analyser, bytes, name, format),
            Err(error) => unread(failed(&error, file.len)),
        };
    }
    let pieces = Pieces::of(file);
    let mut child = match format {
        Some(format) => {
            let (file, digests) = match &pieces {
                // The hole at its end is no part of an archive: each block of it would be looked at.
                Some(pieces) => (file.up_to(pieces.end()), digests_of_pieces(file, pieces)),
                None => (file.clone(), digests(&Input::File(file.clone()))),
            };
            analyse_as(analyser, Input::File(file), name, digests, format)
        }
        None => analyse_streamed(analyser, file, name, pieces.as_ref()),
    };
    if let Some(pieces) = &pieces {
        pieces.mark(file, &mut child);
    }
    child
}

fn analyse_whole(
    analyser: &Analyser,
    bytes: Bytes,
    name: &[u8],
    format: Option<&'static dyn Format>,
) -> Child {
    if let Some(format) = format
        && (bytes.len() as u64 >= SHARED_MIN || image::may_be_layer(name))
    {
        return analyse_shared(analyser, Input::Memory(bytes), name, format);
    }
    let member = Member::whole(MemberName::Named(Vec::new()), bytes.clone());
    let role = analyser.inspector.role_of(name, false, false);
    let mut child = match analyser.visit_as(role, member, 1, 0, &[]) {
        Visited::Child(child) => *child,
        Visited::Plain { key, len, .. } => Child {
            name: MemberName::Named(Vec::new()),
            ordinal: 1,
            len,
            key: Some(key),
            sha256: Some(Sha256Digest::of(&bytes)),
            facts: Arc::new(Facts::plain(formats::leaf_kind(&bytes))),
            trouble: None,
            source: None,
            links: Vec::new(),
            git: None,
            written: None,
            text: None,
            kept: None,
        },
    };
    if let Some(facts) = as_void_layer(&bytes, name, Some(Arc::clone(&child.facts))) {
        child.facts = facts;
    }
    child
}

/// Opens an archive and hands its members out.
fn analyse_shared(
    analyser: &Analyser,
    input: Input,
    name: &[u8],
    format: &'static dyn Format,
) -> Child {
    let digests = digests(&input);
    analyse_as(analyser, input, name, digests, format)
}

/// The same where the digests are known, or could not be had.
fn analyse_as(
    analyser: &Analyser,
    input: Input,
    name: &[u8],
    digests: std::io::Result<(ContentKey, Sha256Digest)>,
    format: &'static dyn Format,
) -> Child {
    let len = input.len();
    let (key, sha256) = match digests {
        Ok(digests) => digests,
        Err(error) => return unread(failed(&error, len)),
    };
    let mut facts = Facts::plain(format.name());
    facts.levels = 1;
    let mut text = None;
    if let Input::Memory(bytes) = &input {
        let examined = guarded(|| analyser.examine_container(bytes, format, &mut facts));
        facts.troubles.extend(examined.err());
        text = analyser.text_digest(bytes);
        if !analyser.sets.is_empty() {
            facts.matches = analyser.matches(bytes, &sha256, true).0;
        }
    }
    let child = move |facts| root(len, key, sha256, text, facts);
    let read = analyser.inspector.role_of(name, false, false).key(key);
    if analyser.wishes.keep == super::analyse::Keep::Nothing
        && let Some(Some(known)) = analyser.known(&read, 0, 0, name)
    {
        return child(known);
    }
    let hold = analyser.limits.hold();
    let ran = guarded(|| analyser.run_yara_over(&input, hold, &mut facts));
    facts.troubles.extend(ran.err());
    // What is packed need not be held while it is read unpacked.
    match guarded(|| format.open(input, &analyser.limits)).flatten() {
        Ok(walker) => {
            let mut walker = formats::with_stores(format, walker, &analyser.limits);
            let beside = guarded(|| analyser.read_beside(walker.as_mut(), &mut facts));
            facts.troubles.extend(beside.err());
            let building = share(analyser, walker.as_mut(), name, len, key, &mut facts);
            building.finish(walker.as_mut(), &mut facts);
        }
        Err(trouble) => facts.troubles.push(trouble),
    }
    let facts = Arc::new(facts);
    if !facts.cut_by_limit && analyser.wishes.keep == super::analyse::Keep::Nothing {
        analyser.seen.insert_facts(read, &facts);
    }
    child(facts)
}

fn root(
    len: u64,
    key: ContentKey,
    sha256: Sha256Digest,
    text: Option<Box<TextDigest>>,
    facts: Arc<Facts>,
) -> Child {
    Child {
        name: MemberName::Named(Vec::new()),
        ordinal: 1,
        len,
        key: Some(key),
        sha256: Some(sha256),
        facts,
        trouble: None,
        source: None,
        links: Vec::new(),
        git: None,
        written: None,
        text,
        kept: None,
    }
}

pub(super) fn digests(input: &Input) -> std::io::Result<(ContentKey, Sha256Digest)> {
    if let Input::Memory(bytes) = input {
        return Ok((ContentKey::of(bytes), Sha256Digest::of(bytes)));
    }
    let mut digests = StreamDigests::default();
    let mut reader = input.reader(0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut reader, &mut buffer)? {
            0 => break,
            got => digests.update(&buffer[..got]),
        }
    }
    let (key, sha256, _) = digests.finish();
    Ok((key, sha256))
}

/// The digests of what a file with too many holes stores. The second is nobody's, and is taken away again.
fn digests_of_pieces(
    file: &InputFile,
    pieces: &Pieces,
) -> std::io::Result<(ContentKey, Sha256Digest)> {
    let mut digests = StreamDigests::default();
    let (mut position, mut buffer) = (0, vec![0; 1 << 20]);
    loop {
        let (got, end) = pieces.read_into(file, position, &mut buffer)?;
        if got == 0 {
            break;
        }
        digests.update(&buffer[..got]);
        position = end;
    }
    let (stored, sha256, _) = digests.finish();
    Ok((pieces.key(file, &stored), sha256))
}

/// What the walk met from one batch to the next.
struct Slot {
    /// Folders, links, headers, and the name of each member of the batch.
    counted: Tree,
    /// What is wrong with the container.
    troubles: Vec<Trouble>,
    /// What came of the batch; `None` while it is under way.
    visited: Option<Vec<Visited>>,
}

/// Slots in the order of the walk; the batches in them are filled by whoever has time.
#[derive(Default)]
struct Returned {
    slots: Mutex<Vec<Slot>>,
    waiting: AtomicU64,
}

impl Returned {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self, counted: Tree, troubles: Vec<Trouble>) -> usize {
        let mut slots = self.lock();
        slots.push(Slot {
            counted,
            troubles,
            visited: None,
        });
        slots.len() - 1
    }

    fn fill(&self, slot: usize, visited: Vec<Visited>) {
        self.lock()[slot].visited = Some(visited);
    }
}

/// Slots put together again, in order. Everything behind the member that a limit cut is left out, also what the
/// walk had met there by then: how far it had come depends on who is quick.
#[derive(Default)]
struct Merged {
    building: Building,
    troubles: Vec<Trouble>,
    next: usize,
    full: bool,
}

impl Merged {
    /// Takes the slots that are filled, up to the first that is not.
    fn take_ready(&mut self, returned: &Returned, input_len: u64, limits: &Limits) {
        let mut slots = returned.lock();
        while !self.full
            && let Some(slot) = slots.get_mut(self.next)
            && let Some(visited) = slot.visited.take()
        {
            self.next += 1;
            let mut counted = std::mem::take(&mut slot.counted);
            let names = std::mem::take(&mut counted.names);
            self.building.absorb(counted);
            for (one, name) in visited.into_iter().zip(names) {
                if let Some(trouble) = self.building.is_full(input_len, limits) {
                    self.troubles.push(trouble);
                    self.full = true;
                    return;
                }
                self.building.push_named(one, name);
            }
            self.troubles.append(&mut slot.troubles);
        }
    }
}

/// The thread that walks a container: what it met since it last handed out a batch.
struct Sharer<'a> {
    analyser: &'a Analyser,
    /// How what has no name of its own is read.
    role: Role,
    returned: &'a Returned,
    key: ContentKey,
    /// Counts and limits of the walk; what comes of members is put together elsewhere.
    counting: Building,
    troubles: Vec<Trouble>,
    batch: Batch,
    batch_bytes: u64,
}

/// Walks a container and gives its members to all threads; the tree comes back as if one had done it.
fn share(
    analyser: &Analyser,
    walker: &mut dyn Walker,
    name: &[u8],
    input_len: u64,
    key: ContentKey,
    facts: &mut Facts,
) -> Building {
    let returned = Returned::default();
    let mut merged = Merged {
        building: Building::default().with_lens(walker, analyser.sets.has_works()),
        ..Merged::default()
    };
    let mut sharer = Sharer {
        analyser,
        role: analyser.inspector.role_of(name, false, false),
        returned: &returned,
        key,
        counting: Building::of(name),
        troubles: Vec::new(),
        batch: Batch::new(),
        batch_bytes: 0,
    };
    rayon::in_place_scope(|scope| {
        while !merged.full && !analyser.progress.stop.load(Ordering::Relaxed) {
            let event = match guarded(|| walker.next()) {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(fault) => {
                    sharer.troubles.push(fault);
                    break;
                }
            };
            if !sharer.take(scope, event, walker, input_len) {
                break;
            }
            if sharer.batch_bytes >= BATCH_BYTES || sharer.batch.len() >= BATCH_MEMBERS {
                sharer.hand_out(scope);
                merged.take_ready(&returned, input_len, &analyser.limits);
            }
        }
        sharer.hand_out(scope);
    });
    merged.take_ready(&returned, input_len, &analyser.limits);
    let is_same = !merged.full;
    merged.building.take_listing(&mut sharer.counting, is_same);
    facts.cut_by_limit |= sharer.counting.is_cut();
    facts.troubles.append(&mut merged.troubles);
    merged.building
}

impl<'a> Sharer<'a> {
    /// Takes what the walk met. `false` when a limit ends it.
    fn take<'scope>(
        &mut self,
        scope: &rayon::Scope<'scope>,
        event: Event,
        walker: &mut dyn Walker,
        input_len: u64,
    ) -> bool
    where
        'a: 'scope,
    {
        let member = match event {
            Event::Member(member) => member,
            Event::Other(kind) => {
                self.counting.other(kind);
                return true;
            }
            Event::NamedOther(kind, name, target) => {
                self.counting.named_other(kind, &name, &target);
                return true;
            }
            Event::Trouble(trouble) => {
                self.troubles.push(trouble);
                return true;
            }
            Event::Map(head) => {
                self.counting.map(head);
                return true;
            }
        };
        let len = super::analyse::body_len(&member.body);
        let limits = &self.analyser.limits;
        if let Some(trouble) = self.counting.charge(len, input_len, limits) {
            self.troubles.push(trouble);
            return false;
        }
        let is_streamed = matches!(member.body, Body::Streamed(_));
        if is_streamed {
            // A slot of its own: names and members of a slot go together.
            self.hand_out(scope);
        }
        let ordinal = self.counting.ordinal(&member.name);
        self.counting.list(&member, ordinal);
        let paths = self.analyser.sets.paths();
        self.counting.count_folder(&member, paths);
        if is_streamed {
            let counting = &mut self.counting;
            match self.analyser.large(member, walker, counting, input_len) {
                Large::Open(member) => {
                    let len = super::analyse::body_len(&member.body);
                    self.counting.count_bytes(&member.name, len);
                    // Begun where it was met, and alone.
                    self.batch_bytes = u64::MAX;
                    self.batch.push((member, ordinal));
                }
                Large::Stream(member, head) => {
                    let slot = self.reserve();
                    let name = member.name.clone();
                    let (counting, mut content) = (&mut self.counting, Resumed { head, walker });
                    let visited = (self.analyser).stream(
                        member,
                        ordinal,
                        &mut content,
                        counting,
                        input_len,
                        0,
                    );
                    counting.count_bytes(&name, visited.len());
                    self.returned.fill(slot, vec![visited]);
                }
            }
            return true;
        }
        self.batch_bytes += len;
        self.batch.push((member, ordinal));
        true
    }

    fn reserve(&mut self) -> usize {
        let troubles = std::mem::take(&mut self.troubles);
        self.returned.reserve(self.counting.split(), troubles)
    }

    /// Hands the batch to whoever is free, or analyses it here when enough is waiting already.
    fn hand_out<'scope>(&mut self, scope: &rayon::Scope<'scope>)
    where
        'a: 'scope,
    {
        let slot = self.reserve();
        let batch = std::mem::take(&mut self.batch);
        let bytes = std::mem::take(&mut self.batch_bytes);
        let (analyser, returned, key) = (self.analyser, self.returned, self.key);
        let outer = self.role;
        let waiting = &returned.waiting;
        // Large content stays with the thread that has its turn to hold it.
        let is_done_here = batch.is_empty()
            || rayon::current_num_threads() == 1
            || bytes >= room::small()
            || waiting.load(Ordering::Relaxed).saturating_add(bytes)
                > room::small().saturating_mul(WAITING);
        let work = move || {
            let visited = batch
                .into_iter()
                .map(|(member, ordinal)| {
                    let role = analyser.role_within(outer, &member);
                    analyser.visit_as(role, member, ordinal, 1, &[key])
                })
                .collect();
            returned.fill(slot, visited);
        };
        if is_done_here {
            work();
            room::settle();
            return;
        }
        waiting.fetch_add(bytes, Ordering::Relaxed);
        scope.spawn(move |_| {
            work();
            room::settle();
            waiting.fetch_sub(bytes, Ordering::Relaxed);
        });
    }
}

/// A file that is too large to be held and is no archive: read once, window by window. Of one with too many holes, its
/// pieces are.
fn analyse_streamed(
    analyser: &Analyser,
    file: &InputFile,
    name: &[u8],
    pieces: Option<&Pieces>,
) -> Child {
    let mut walker = PlainFile {
        file: file.clone(),
        pieces,
        position: 0,
        trouble: None,
    };
    let member = Member {
        // How closely it is read, its name decides.
        name: MemberName::Named(name.to_vec()),
        body: Body::Streamed(Some(file.len)),
        trouble: None,
        source: None,
        links: Vec::new(),
        time: None,
    };
    let mut building = Building::default();
    let mut child = match analyser.stream(member, 1, &mut walker, &mut building, file.len, 0) {
        Visited::Child(child) => *child,
        Visited::Plain { .. } => unread(failed(&std::io::Error::other("no content"), file.len)),
    };
    child.name = MemberName::Named(Vec::new());
    if let (Some(pieces), Some(stored)) = (pieces, &child.key) {
        child.key = Some(pieces.key(file, stored));
    }
    child
}

/// A file as the only, streamed member of nothing.
struct PlainFile<'a> {
    file: InputFile,
    pieces: Option<&'a Pieces>,
    position: u64,
    trouble: Option<Trouble>,
}

impl Walker for PlainFile<'_> {
    fn kind(&self) -> &'static str {
        "file"
    }

    fn next(&mut self) -> Option<Event> {
        None
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        let read = match self.pieces {
            Some(pieces) => pieces.read_into(&self.file, self.position, buffer),
            None => (self.file.read_into(self.position, buffer))
                .map(|got| (got, self.position + got as u64)),
        };
        match read {
            Ok((got, end)) => {
                self.position = end;
                got
            }
            Err(error) => {
                self.trouble = Some(failed(&error, self.file.len - self.position));
                0
            }
        }
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A container whose walker has a fault: one member, then a panic.
    struct Faulty;

    impl Format for Faulty {
        fn name(&self) -> &'static str {
            "faulty"
        }

        fn recognise(&self, _head: &[u8]) -> bool {
            true
        }

        fn open(
            &self,
            input: Input,
            _limits: &crate::blob::Limits,
        ) -> Result<Box<dyn Walker>, Trouble> {
            assert!(!input.is_empty(), "a fault in opening");
            Ok(Box::new(FaultyWalker { given: false }))
        }
    }

    struct FaultyWalker {
        given: bool,
    }

    impl Walker for FaultyWalker {
        fn kind(&self) -> &'static str {
            "faulty"
        }

        fn next(&mut self) -> Option<Event> {
            assert!(!self.given, "a fault in walking");
            self.given = true;
            let name = MemberName::Named(b"a".to_vec());
            Some(Event::Member(Member::whole(
                name,
                Bytes::from_static(b"text"),
            )))
        }
    }

    fn analyse(bytes: &'static [u8]) -> Child {
        let analyser = Analyser {
            limits: crate::blob::Limits::default(),
            sets: crate::signature::SetGroup::new(Vec::new()),
            wishes: crate::scan::analyse::Wishes::default(),
            seen: crate::scan::seen::Seen::default(),
            spill: None,
            collector: None,
            prefilter: crate::exposure::Prefilter::new(),
            organisation: None,
            inspector: crate::exposure::Inspector::default(),
            progress: Arc::default(),
        };
        analyse_shared(&analyser, Input::Memory(bytes.into()), b"", &Faulty)
    }

    #[test]
    fn a_panic_in_a_walker_is_a_trouble_and_loses_nothing_before_it() {
        let child = analyse(b"x");
        assert_eq!(child.facts.troubles[0].code, "internal-error");
        assert_eq!(child.facts.tree.as_ref().unwrap().entries(), 1);
        let unopened = analyse(b"");
        assert_eq!(unopened.facts.troubles[0].code, "internal-error");
        assert!(unopened.facts.tree.is_none());
    }
}
