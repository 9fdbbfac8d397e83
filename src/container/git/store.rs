//! A git directory as one container: its objects, wherever it keeps them, and the files beside them.
//!
//! Objects lie loose, one a file, and in packs; one object may lie in several of these. It is one entry. So what was
//! given once is not given again (it is counted, as `git-stored-again`), and an entry that is damaged in one place is
//! reported only when no other place has it whole. Everything else in the directory is an entry by its path: settings
//! and hooks hold secrets too. Indexes are read and counted; what they say is believed as far as the packs bear it out.
//!
//! What lies in another store that this one borrows from (`objects/info/alternates`) belongs to that one. A store that
//! was cloned in part says so itself, so what it lacks is no damage; it is told as `git-partial` and `git-shallow`.

use std::collections::{HashSet, VecDeque};

use super::super::{Event, Input, LenOf, Member, Told, Trouble, Walker};
use super::formats::{Loose, broken_event, is_loose, loose_kind, object_events, read_loose, told};
use super::graph::Refs;
use super::index::{Index, MultiIndex};
use super::object::{Hash, Kind, Oid};
use super::pack::{Broken, Found, Listing, Object, PackWalk, Which, is_pack, read_one};
use super::refs::{RefFiles, is_ref_file};
use crate::blob::{ContentKey, Limits, MemberName};

/// The word for a store in hops.
pub const KIND: &str = "git";

/// The file that names the stores which a store borrows from.
pub const ALTERNATES: &[u8] = b"objects/info/alternates";

/// A file of a git directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFile {
    /// Path below the directory, raw, with `/` between folders.
    pub path: Vec<u8>,
    /// Length in bytes when the directory was looked at.
    pub len: u64,
}

/// The files of a git directory, and a way to open them.
pub trait StoreFiles: Send + Sync + std::fmt::Debug {
    /// What there is, sorted by path.
    fn list(&self) -> &[StoreFile];

    /// Opens one of them.
    ///
    /// # Errors
    /// The trouble to report.
    fn open(&self, number: usize) -> Result<Input, Trouble>;

    /// The first `len` bytes of one of them, or fewer.
    ///
    /// # Errors
    /// The trouble to report.
    fn open_head(&self, number: usize, len: usize) -> Result<bytes::Bytes, Trouble> {
        self.open(number)?
            .slice(0, len)
            .map_err(|error| Trouble::skipped("unreadable", error.to_string(), None))
    }
}

/// What a file is to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Pack,
    Index,
    MultiIndex,
    /// A loose object, by what its file is called.
    Loose(Oid),
    Other,
}

fn role_of(path: &[u8]) -> Role {
    let Some(inner) = path.strip_prefix(b"objects/") else {
        return Role::Other;
    };
    if let Some(name) = inner.strip_prefix(b"pack/") {
        return match name {
            b"multi-pack-index" => Role::MultiIndex,
            name if name.ends_with(b".pack") => Role::Pack,
            name if name.ends_with(b".idx") => Role::Index,
            _ => Role::Other,
        };
    }
    match inner {
        [a, b, b'/', rest @ ..] if matches!(rest.len(), 38 | 62) => {
            let name = [&[*a, *b][..], rest].concat();
            Oid::parse(&name).map_or(Role::Other, Role::Loose)
        }
        _ => Role::Other,
    }
}

/// Whether files with these paths make a git directory (gitrepository-layout(5)): `HEAD`, objects, and a place for
/// names.
pub fn is_store(has_head: bool, has_objects: bool, has_refs: bool) -> bool {
    has_head && has_objects && has_refs
}

/// What the settings of a store say that changes how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The digest of its names.
    pub hash: Hash,
    /// Objects were left with the server.
    pub is_partial: bool,
}

impl Settings {
    /// Reads `config`. Only whether keys are there is asked, so its grammar hardly matters.
    pub fn parse(config: &[u8]) -> Self {
        let mut settings = Self {
            hash: Hash::Sha1,
            is_partial: false,
        };
        for line in config.split(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(line).to_ascii_lowercase();
            let (key, value) = line.split_once('=').unwrap_or((&line, "true"));
            match key.trim() {
                "objectformat" if value.trim() == "sha256" => settings.hash = Hash::Sha256,
                "partialclone" => settings.is_partial = true,
                "promisor" if value.trim() == "true" => settings.is_partial = true,
                _ => {}
            }
        }
        settings
    }
}

/// Files that are read whole: settings, names, indexes.
pub(super) fn small(
    files: &dyn StoreFiles,
    number: usize,
    limits: &Limits,
) -> Result<bytes::Bytes, Trouble> {
    let input = files.open(number)?;
    if input.len() > limits.hold() {
        return Err(Trouble::odd(
            "memory-limit",
            "larger than may be held; raise --memory",
        ));
    }
    let len = usize::try_from(input.len()).unwrap_or(usize::MAX);
    input.slice(0, len).map_err(|error| {
        Trouble::damaged(
            "unreadable",
            format!("the file could not be read: {error}"),
            None,
        )
    })
}

/// What is known of a store before its objects are read.
pub struct Layout {
    /// Its settings.
    pub settings: Settings,
    pub(super) packs: Vec<usize>,
    pub(super) indexes: Vec<usize>,
    pub(super) multi: Option<usize>,
    pub(super) loose: Vec<(usize, Oid)>,
    refs: Vec<usize>,
    pub(super) others: Vec<usize>,
}

impl Layout {
    /// Sorts the files of a store by what they are to it.
    pub fn of(files: &dyn StoreFiles, limits: &Limits) -> Self {
        let mut layout = Self {
            settings: Settings::parse(b""),
            packs: Vec::new(),
            indexes: Vec::new(),
            multi: None,
            loose: Vec::new(),
            refs: Vec::new(),
            others: Vec::new(),
        };
        for (number, file) in files.list().iter().enumerate() {
            match role_of(&file.path) {
                Role::Pack => layout.packs.push(number),
                Role::Index => layout.indexes.push(number),
                Role::MultiIndex => layout.multi = Some(number),
                Role::Loose(id) => layout.loose.push((number, id)),
                Role::Other => {
                    if file.path == b"config"
                        && let Ok(config) = small(files, number, limits)
                    {
                        layout.settings = Settings::parse(&config);
                    }
                    if is_ref_file(&file.path) {
                        layout.refs.push(number);
                    }
                    layout.others.push(number);
                }
            }
        }
        layout
    }

    /// How many files of each kind there are that hold objects, or say where they are.
    pub(super) fn counted(&self) -> [(&'static str, usize); 4] {
        let indexes = self.indexes.len() + usize::from(self.multi.is_some());
        let is_sha256 = self.settings.hash == Hash::Sha256;
        [
            ("git-pack", self.packs.len()),
            ("git-index", indexes),
            ("git-loose", self.loose.len()),
            ("git-sha256", usize::from(is_sha256)),
        ]
    }

    /// What the store says itself that it lacks.
    pub(super) fn lacks(&self, files: &dyn StoreFiles) -> impl Iterator<Item = Trouble> + use<> {
        let partial = self.settings.is_partial.then(|| {
            Trouble::odd(
                "git-partial",
                "a partial clone: the server kept objects back, so what they hold was not looked at",
            )
        });
        let shallow = self.file(files, b"shallow");
        let is_shallow = shallow.is_some_and(|number| files.list()[number].len > 0);
        let shallow = is_shallow.then(|| {
            Trouble::odd(
                "git-shallow",
                "a shallow clone: the history before some commits is not here, so what it held was not looked at",
            )
        });
        partial.into_iter().chain(shallow)
    }

    pub(super) fn file(&self, files: &dyn StoreFiles, path: &[u8]) -> Option<usize> {
        let order = |file: &StoreFile| file.path.as_slice().cmp(path);
        files.list().binary_search_by(order).ok()
    }

    /// The names of the store; `None` where they are kept in a form that is not read.
    fn names(&self, files: &dyn StoreFiles, limits: &Limits) -> Option<Refs> {
        if self.file(files, b"reftable/tables.list").is_some() {
            return None;
        }
        let mut names = RefFiles::default();
        for &number in &self.refs {
            if let Ok(bytes) = small(files, number, limits) {
                names.add(&files.list()[number].path, &bytes);
            }
        }
        Some(names.resolve())
    }

    /// What an index says of a pack: its own, else that over several.
    fn listing(
        &self,
        files: &dyn StoreFiles,
        pack: usize,
        limits: &Limits,
    ) -> Option<Result<Listing, Trouble>> {
        let path = &files.list()[pack].path;
        let beside = [path.strip_suffix(b"pack".as_slice())?, b"idx"].concat();
        if let Some(number) = self.file(files, &beside) {
            let parsed = small(files, number, limits).and_then(|bytes| {
                Index::parse(bytes, self.settings.hash).map_err(|error| {
                    let path = crate::blob::locator::escape(&beside);
                    Trouble::odd(
                        "git-index-damaged",
                        format!("{path} is of no use: {error}; the pack was read without it"),
                    )
                })
            });
            return Some(parsed.map(|index| {
                (0..index.count())
                    .filter_map(|number| Some((index.offset(number)?, index.id(number))))
                    .collect()
            }));
        }
        let multi = MultiIndex::parse(small(files, self.multi?, limits).ok()?).ok()?;
        let name = beside.rsplit(|&byte| byte == b'/').next()?;
        let wanted = multi.packs().iter().position(|pack| pack == name)? as u32;
        let listing = (0..multi.count()).filter_map(|number| {
            let (pack, offset) = multi.place(number)?;
            (pack == wanted).then(|| (offset, multi.id(number)))
        });
        Some(Ok(listing.collect()))
    }
}

/// Gives everything that a git directory holds.
pub struct StoreWalker {
    files: Box<dyn StoreFiles>,
    /// Stores that this one borrows from: their history is part of its own.
    borrowed: Vec<(Box<dyn StoreFiles>, Layout)>,
    layout: Layout,
    limits: Limits,
    stage: Stage,
    walk: Option<(PackWalk, usize)>,
    ready: VecDeque<Event>,
    /// Names that were given, where an object may lie in several places.
    given: Option<HashSet<[u8; 20]>>,
    /// Loose objects that are no blobs.
    loose_history: Vec<(usize, Oid)>,
    /// What could not be read in one place, by what an index or a file calls it.
    broken: Vec<Broken>,
    digest: blake3::Hasher,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Others(usize),
    Packs(usize),
    Loose(usize),
    Broken,
    End,
}

impl StoreWalker {
    /// Begins with a directory.
    pub fn new(files: Box<dyn StoreFiles>, limits: &Limits) -> Self {
        let layout = Layout::of(files.as_ref(), limits);
        let holders = layout.packs.len() + usize::from(!layout.loose.is_empty());
        let mut ready = VecDeque::new();
        for (word, count) in layout.counted() {
            ready.extend((0..count).map(|_| Event::Other(word)));
        }
        ready.extend(layout.lacks(files.as_ref()).map(Event::Trouble));
        Self {
            given: (holders > 1).then(HashSet::new),
            files,
            borrowed: Vec::new(),
            layout,
            limits: limits.clone(),
            stage: Stage::Others(0),
            walk: None,
            ready,
            loose_history: Vec::new(),
            broken: Vec::new(),
            digest: blake3::Hasher::new(),
        }
    }

    /// Names the stores that this one borrows from. Their objects are entries of theirs; what stands where is asked of
    /// both.
    pub fn borrow_from(&mut self, stores: Vec<Box<dyn StoreFiles>>) {
        self.borrowed = (stores.into_iter())
            .map(|files| {
                let layout = Layout::of(files.as_ref(), &self.limits);
                (files, layout)
            })
            .collect();
    }

    fn note(&mut self, name: &[u8], len: u64) {
        self.digest.update(&(name.len() as u64).to_le_bytes());
        self.digest.update(name);
        self.digest.update(&len.to_le_bytes());
    }

    fn other(&mut self, number: usize) {
        let file = self.files.list()[number].clone();
        let name = MemberName::Named(file.path.clone());
        self.note(&file.path, file.len);
        let member = match small(self.files.as_ref(), number, &self.limits) {
            Ok(bytes) => Member::whole(name, bytes),
            Err(mut trouble) => {
                trouble.effect = super::super::Effect::Skipped;
                trouble.unread = Some(file.len);
                Member::absent(name, trouble)
            }
        };
        self.ready.push_back(Event::Member(member));
    }

    /// Something is wrong with a file that holds objects: it is an entry that could not be read.
    fn file_trouble(&mut self, number: usize, mut trouble: Trouble) {
        let path = self.files.list()[number].path.clone();
        trouble.effect = super::super::Effect::Skipped;
        self.ready.push_back(Event::Member(Member::absent(
            MemberName::Named(path),
            trouble,
        )));
    }

    fn open_pack(&mut self, number: usize) {
        let files = self.files.as_ref();
        let listing = match self.layout.listing(files, number, &self.limits) {
            Some(Ok(listing)) => Some(listing),
            Some(Err(trouble)) => {
                self.ready.push_back(Event::Trouble(trouble));
                None
            }
            None => None,
        };
        let opened = self.files.open(number).and_then(|input| {
            PackWalk::open(
                input,
                0,
                self.layout.settings.hash,
                listing,
                Which::All,
                &self.limits,
            )
        });
        match opened {
            Ok(walk) => self.walk = Some((walk, number)),
            Err(trouble) => self.file_trouble(number, trouble),
        }
    }

    fn object(&mut self, object: Object) {
        if let Some(given) = &mut self.given
            && !given.insert(object.id.key())
        {
            self.ready.push_back(Event::Other("git-stored-again"));
            self.ready.extend(object.trouble.map(Event::Trouble));
            return;
        }
        self.note(object.id.as_bytes(), object.bytes.len() as u64);
        object_events(object, &mut self.ready);
    }

    /// Goes on in the pack that is open.
    fn advance_pack(&mut self) {
        let Some((walk, number)) = &mut self.walk else {
            return;
        };
        let number = *number;
        match walk.advance() {
            None => self.walk = None,
            Some(Found::Object(object)) => self.object(object),
            Some(Found::Broken(mut broken)) => {
                let path = crate::blob::locator::escape(&self.files.list()[number].path);
                broken.trouble.detail.push_str(&format!(" ({path})"));
                if broken.id.is_some() {
                    self.broken.push(*broken);
                    return;
                }
                // Without a name it is called by the file that holds it.
                let path = self.files.list()[number].path.clone();
                let mut event = broken_event(*broken);
                if let Event::Member(member) = &mut event {
                    member.name = MemberName::Named(path);
                }
                self.ready.push_back(event);
            }
            Some(Found::Trouble(mut trouble)) => {
                let path = crate::blob::locator::escape(&self.files.list()[number].path);
                trouble.detail.push_str(&format!(" ({path})"));
                self.ready.push_back(Event::Trouble(trouble));
            }
            Some(Found::Wants(id)) => {
                let base = self.find(&id);
                if let (Some((kind, bytes)), Some((walk, _))) = (base, &mut self.walk) {
                    walk.supply(kind, bytes);
                }
            }
        }
    }

    /// Looks for an object in the whole store: the base of a difference in a thin pack.
    fn find(&self, id: &Oid) -> Option<(Kind, bytes::Bytes)> {
        let files = self.files.as_ref();
        let loose = self.layout.loose.iter().find(|(_, name)| name == id);
        if let Some((number, _)) = loose
            && let Loose::Object(object) =
                read_loose(files.open(*number).ok()?, Some(*id), &self.limits)
            && object.id == *id
        {
            return Some((object.kind, object.bytes));
        }
        self.layout.indexes.iter().find_map(|&number| {
            let index = small(files, number, &self.limits).ok()?;
            let index = Index::parse(index, self.layout.settings.hash).ok()?;
            let offset = index.offset(index.find(id)?)?;
            let path = files.list()[number].path.strip_suffix(b"idx".as_slice())?;
            let pack = self.layout.file(files, &[path, b"pack"].concat())?;
            let input = files.open(pack).ok()?;
            let (kind, bytes) = read_one(
                input,
                offset,
                &index,
                self.layout.settings.hash,
                &self.limits,
            )?;
            let is_it = super::object::id_of(id.hash(), kind, &bytes) == *id;
            is_it.then_some((kind, bytes))
        })
    }

    fn loose(&mut self, number: usize, id: Oid) {
        let input = match self.files.open(number) {
            Ok(input) => input,
            Err(trouble) => {
                self.broken.push(Broken {
                    offset: 0,
                    id: Some(id),
                    kind: None,
                    bytes: None,
                    trouble,
                });
                return;
            }
        };
        let head = input.slice(0, 4 << 10).unwrap_or_default();
        if !is_loose(&head) && is_pack(&head) {
            // Whatever put it there, it is opened for what it is.
            self.other(number);
            return;
        }
        match read_loose(input, Some(id), &self.limits) {
            Loose::Object(object) => {
                if object.kind != Kind::Blob {
                    self.loose_history.push((number, id));
                }
                self.object(object);
            }
            Loose::Broken(broken) => self.broken.push(*broken),
        }
    }

    /// What no place had whole.
    fn give_broken(&mut self) {
        let given = self.given.take().unwrap_or_default();
        let mut told = HashSet::new();
        for broken in std::mem::take(&mut self.broken) {
            let is_new = broken
                .id
                .is_none_or(|id| !given.contains(&id.key()) && told.insert(id.key()));
            if is_new {
                self.ready.push_back(broken_event(broken));
            } else {
                // It is whole elsewhere, or was told of: damage all the same.
                let mut trouble = broken.trouble;
                trouble.effect = super::super::Effect::Odd;
                self.ready.push_back(Event::Trouble(trouble));
            }
        }
    }
}

impl Walker for StoreWalker {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn key(&self) -> Option<ContentKey> {
        Some(ContentKey::from_blake3(&self.digest.finalize()))
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.walk.is_some() {
                self.advance_pack();
                continue;
            }
            self.stage = match self.stage {
                Stage::Others(turn) => match self.layout.others.get(turn).copied() {
                    Some(number) => {
                        self.other(number);
                        Stage::Others(turn + 1)
                    }
                    None => Stage::Packs(0),
                },
                Stage::Packs(turn) => match self.layout.packs.get(turn).copied() {
                    Some(number) => {
                        self.open_pack(number);
                        Stage::Packs(turn + 1)
                    }
                    None => Stage::Loose(0),
                },
                Stage::Loose(turn) => match self.layout.loose.get(turn).copied() {
                    Some((number, id)) => {
                        self.loose(number, id);
                        Stage::Loose(turn + 1)
                    }
                    None => Stage::Broken,
                },
                Stage::Broken => {
                    self.give_broken();
                    Stage::End
                }
                Stage::End => return None,
            };
        }
    }

    fn tell(&mut self, members: &[&MemberName], lens: Option<&LenOf>) -> Told {
        let files = self.files.as_ref();
        let refs = self.layout.names(files, &self.limits);
        let mut answer = told(members, refs.as_ref(), &self.limits, lens, |add| {
            self.history(add)
        });
        if self.layout.file(files, ALTERNATES).is_some() {
            // What is absent here may have been read where it lies, and match there.
            answer.head = answer.head.filter(|head| head.absent == 0);
        }
        if refs.is_none() && answer.git.iter().any(Option::is_some) {
            answer.troubles.push(Trouble::odd(
                "git-names-not-read",
                "the names of this store are kept as a reftable, which is not read; how they lead to objects is not told",
            ));
        }
        answer
    }
}

impl StoreWalker {
    /// Shows every commit, tree and tag, and nothing else, until `add` says that it is enough. Gives where names lead; `None`
    /// where they are kept in a form that is not read.
    pub fn show_history(&mut self, add: &mut dyn FnMut(&Object) -> bool) -> Option<Refs> {
        self.loose_history.clone_from(&self.layout.loose);
        self.history(add);
        self.layout.names(self.files.as_ref(), &self.limits)
    }

    /// The content of a file of this store, by its name.
    pub fn blob(&self, id: &Oid) -> Option<bytes::Bytes> {
        let (kind, bytes) = self.find(id)?;
        (kind == Kind::Blob).then_some(bytes)
    }

    /// Shows every commit, tree and tag once more, also those that are borrowed.
    fn history(&self, add: &mut dyn FnMut(&Object) -> bool) {
        let own = (self.files.as_ref(), &self.layout, &self.loose_history[..]);
        let borrowed = self.borrowed.iter();
        let borrowed = borrowed.map(|(files, layout)| (files.as_ref(), layout, &layout.loose[..]));
        for (files, layout, loose) in std::iter::once(own).chain(borrowed) {
            if !self.history_of(files, layout, loose, add) {
                return;
            }
        }
    }

    /// The same of one store; `false` where it is enough.
    fn history_of(
        &self,
        files: &dyn StoreFiles,
        layout: &Layout,
        loose: &[(usize, Oid)],
        add: &mut dyn FnMut(&Object) -> bool,
    ) -> bool {
        for &number in &layout.packs {
            let listing = layout.listing(files, number, &self.limits);
            let opened = files.open(number).and_then(|input| {
                PackWalk::open(
                    input,
                    0,
                    layout.settings.hash,
                    listing.and_then(Result::ok),
                    Which::AllButBlobs,
                    &self.limits,
                )
            });
            let Ok(mut walk) = opened else { continue };
            while let Some(found) = walk.advance() {
                match found {
                    Found::Object(object) if !add(&object) => return false,
                    Found::Wants(id) => {
                        if let Some((kind, bytes)) = self.find(&id) {
                            walk.supply(kind, bytes);
                        }
                    }
                    _ => {}
                }
            }
        }
        loose.iter().all(|&(number, id)| {
            let Ok(input) = files.open(number) else {
                return true;
            };
            if loose_kind(&input) == Some(Kind::Blob) {
                return true;
            }
            match read_loose(input, Some(id), &self.limits) {
                Loose::Object(object) => add(&object),
                Loose::Broken(_) => true,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_by_what_they_are_to_a_store() {
        assert_eq!(role_of(b"objects/pack/pack-1.pack"), Role::Pack);
        assert_eq!(role_of(b"objects/pack/pack-1.idx"), Role::Index);
        assert_eq!(role_of(b"objects/pack/multi-pack-index"), Role::MultiIndex);
        assert_eq!(role_of(b"objects/pack/pack-1.rev"), Role::Other);
        let loose = [&b"objects/ab/"[..], &[b'c'; 38]].concat();
        assert!(matches!(role_of(&loose), Role::Loose(_)));
        let odd = [&b"objects/ab/"[..], &[b'x'; 38]].concat();
        assert_eq!(role_of(&odd), Role::Other);
        assert_eq!(role_of(b"config"), Role::Other);
    }

    #[test]
    fn settings_are_asked_for_what_matters() {
        let settings = Settings::parse(
            b"[extensions]\n\tobjectFormat = SHA256\n[remote \"o\"]\n\tpromisor = true\n",
        );
        assert_eq!(settings.hash, Hash::Sha256);
        assert!(settings.is_partial);
        let settings = Settings::parse(b"[core]\n\tbare = false\n");
        assert_eq!(settings.hash, Hash::Sha1);
        assert!(!settings.is_partial);
    }
}
