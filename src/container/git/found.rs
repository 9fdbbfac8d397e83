//! Git directories within archives.
//!
//! An archive gives its members one after the other, and a store is many of them. So those that lie in a folder called
//! `.git`, or something that ends so, are kept back until the archive ends; then each such folder that is a store is
//! given as one member with all its files, and is read as a store in a folder is. What is none is given as it came.
//! Where a member of one cannot be held, all of them are given as they came, and it is said.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::super::{Body, Event, Input, LenOf, Member, Told, Trouble, Walker};
use super::store::{StoreFile, StoreFiles, is_store};
use crate::blob::{Limits, MemberName};

/// What the folder of a store is called, or ends with.
const FOLDER: &[u8] = b".git";

/// Length of the path of the innermost folder called so that a member lies in; submodules keep theirs within.
pub fn folder_of(path: &[u8]) -> Option<usize> {
    let end = memchr::memmem::rfind(path, b".git/")? + FOLDER.len();
    // Submodules: `.git/modules/NAME/…`.
    let below = &path[end..];
    let Some(module) = below.strip_prefix(b"/modules/") else {
        return Some(end);
    };
    let inner = [
        &b"/objects/"[..],
        b"/refs/",
        b"/HEAD",
        b"/config",
        b"/packed-refs",
        b"/shallow",
        b"/logs/",
        b"/info/",
        b"/hooks/",
        b"/index",
        b"/description",
        b"/ORIG_HEAD",
    ]
    .iter()
    .filter_map(|part| memchr::memmem::find(module, part))
    .min();
    Some(inner.map_or(end, |len| end + b"/modules/".len() + len))
}

/// Whether files with these paths make a store.
pub fn is_store_of<'p>(paths: impl Iterator<Item = &'p [u8]> + Clone) -> bool {
    let has = |test: fn(&[u8]) -> bool| paths.clone().any(test);
    is_store(
        has(|path| path == b"HEAD"),
        has(|path| path.starts_with(b"objects/")),
        has(|path| path.starts_with(b"refs/") || path == b"packed-refs"),
    )
}

/// A store that was found in an archive, in memory.
#[derive(Debug)]
pub struct HeldFiles {
    list: Vec<StoreFile>,
    bytes: Vec<Bytes>,
}

impl StoreFiles for HeldFiles {
    fn list(&self) -> &[StoreFile] {
        &self.list
    }

    fn open(&self, number: usize) -> Result<Input, Trouble> {
        Ok(Input::Memory(self.bytes[number].clone()))
    }
}

/// Passes on what an archive gives, stores in one piece.
pub struct StoreFinder {
    walker: Box<dyn Walker>,
    /// Members by the folder that they lie in, as far as they may be files of a store.
    kept: BTreeMap<Vec<u8>, Vec<Member>>,
    held: u64,
    hold: u64,
    is_over: bool,
    ready: VecDeque<Event>,
}

impl StoreFinder {
    /// Looks through what `walker` gives.
    pub fn new(walker: Box<dyn Walker>, limits: &Limits) -> Self {
        Self {
            walker,
            kept: BTreeMap::new(),
            held: 0,
            hold: limits.hold(),
            is_over: false,
            ready: VecDeque::new(),
        }
    }

    /// Keeps a member back, or gives it.
    fn take(&mut self, member: Member) -> Option<Event> {
        if let (MemberName::Named(path), Body::Streamed(_)) = (&member.name, &member.body)
            && folder_of(path).is_some()
        {
            self.give_up();
            self.ready.push_back(Event::Member(member));
            return self.ready.pop_front();
        }
        let folder = match (&member.name, &member.body) {
            (MemberName::Named(path), Body::Held(bytes)) if member.trouble.is_none() => {
                folder_of(path).map(|end| (path[..end].to_vec(), bytes.len() as u64))
            }
            _ => None,
        };
        let Some((folder, len)) = folder else {
            return Some(Event::Member(member));
        };
        self.held += len;
        self.kept.entry(folder).or_default().push(member);
        if self.held > self.hold {
            self.give_up();
        }
        self.ready.pop_front()
    }

    /// Too much for one piece: what was kept back is given as what it is made of.
    fn give_up(&mut self) {
        self.hold = 0;
        self.ready.push_back(Event::Trouble(Trouble::odd(
            "git-store-in-parts",
            "git directories in this archive are larger than may be held; their files were read one by one, and where objects stand is not told; raise --memory, or unpack it and scan the result",
        )));
        for members in std::mem::take(&mut self.kept).into_values() {
            self.ready.extend(members.into_iter().map(Event::Member));
        }
    }

    /// Gives what was kept back.
    fn finish(&mut self) {
        for (folder, mut members) in std::mem::take(&mut self.kept) {
            // Of two members at one path the first is a file of the store, and the other stands by itself.
            members.sort_by(|a, b| a.name.cmp(&b.name));
            let below = |member: &Member| member.name.bytes()[folder.len() + 1..].to_vec();
            let paths: Vec<_> = members.iter().map(below).collect();
            if !is_store_of(paths.iter().map(Vec::as_slice)) {
                self.ready.extend(members.into_iter().map(Event::Member));
                continue;
            }
            let mut files = HeldFiles {
                list: Vec::new(),
                bytes: Vec::new(),
            };
            for member in members {
                let path = below(&member);
                let is_second = files.list.last().is_some_and(|file| file.path == path);
                match member.body {
                    Body::Held(bytes) if !is_second => {
                        let len = bytes.len() as u64;
                        files.list.push(StoreFile { path, len });
                        files.bytes.push(bytes);
                    }
                    body => self
                        .ready
                        .push_back(Event::Member(Member { body, ..member })),
                }
            }
            let mut store = Member::whole(MemberName::Named(folder), Bytes::new());
            store.body = Body::Files(Box::new(files));
            self.ready.push_back(Event::Member(store));
        }
    }
}

impl Walker for StoreFinder {
    fn kind(&self) -> &'static str {
        self.walker.kind()
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            let event = match self.walker.next() {
                Some(Event::Member(member)) if self.hold > 0 => self.take(member),
                Some(event) => Some(event),
                None => {
                    self.is_over = true;
                    self.finish();
                    None
                }
            };
            if event.is_some() {
                return event;
            }
        }
    }

    fn stands(&self) -> Option<Input> {
        self.walker.stands()
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        self.walker.read_streamed(buffer)
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.walker.streamed_trouble()
    }

    fn tell(&mut self, members: &[&MemberName], lens: Option<&LenOf>) -> Told {
        self.walker.tell(members, lens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_by_the_store_that_they_lie_in() {
        let folder = |path: &[u8]| folder_of(path).map(|end| path[..end].to_vec());
        assert_eq!(folder(b"a/.git/HEAD").unwrap(), b"a/.git");
        assert_eq!(folder(b"b.git/objects/pack/p.pack").unwrap(), b"b.git");
        assert_eq!(folder(b".git/modules/s/HEAD").unwrap(), b".git/modules/s");
        assert_eq!(
            folder(b".git/modules/a/b/objects/ab/cd").unwrap(),
            b".git/modules/a/b"
        );
        assert_eq!(folder(b"a/.gitignore"), None);
        assert_eq!(folder(b"a/.git"), None);
    }
}
