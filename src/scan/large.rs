//! Containers that are larger than may be held.
//!
//! What stands in a file of the input as it is, is opened where it stands: a layer in an image that `docker save` wrote, a
//! tarball in a tar of a mirror. What stands packed has to be unpacked to a place where it can be read to and fro, and
//! that is a folder which the user gives for it (`--spill DIR`). Without one it is a problem that says so, and is read
//! once like other large content.
//!
//! A spilled file has no name: it is gone when its last reader is, also when the program is killed, and nobody else may
//! read it. Maps are not opened so: their scanner wants them whole.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::analyse::written_of;
use super::analyse::{Analyser, Begun, Keep, absent, fill, match_facts};
use super::building::{Building, Frame, Visited};
use super::facts::{Child, Facts, MatchFact};
use super::formats;
use super::links::given_links;
use super::streamed::WINDOW;
use super::unit::{HEAD, digests};
use crate::blob::{ContentKey, Sha256Digest};
use crate::container::{Body, Event, Input, InputFile, Member, Trouble, Walker};
use crate::exposure::Role;
use crate::signature::ListDigests;

/// The folder for it.
#[derive(Debug, Clone)]
pub struct Spill {
    folder: PathBuf,
}

/// One content on its way to disk.
pub struct Spilling {
    file: File,
    len: u64,
}

impl Spill {
    /// Spills into `folder`, which is there.
    pub fn into_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Begins a file.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn begin(&self) -> io::Result<Spilling> {
        let file = tempfile::tempfile_in(&self.folder)?;
        Ok(Spilling { file, len: 0 })
    }
}

impl Spilling {
    /// Adds bytes.
    ///
    /// # Errors
    /// When they cannot be written: the disk may be full.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// The content, to be read.
    ///
    /// # Errors
    /// When the system cannot go back to its beginning.
    pub fn finish(mut self) -> io::Result<InputFile> {
        self.file.rewind()?;
        Ok(InputFile::new(self.file, self.len))
    }
}

/// What is to be done with a member that is larger than may be held.
pub(super) enum Large {
    /// It is begun like any other.
    Open(Member),
    /// It is read once; the bytes were read already.
    Stream(Member, Bytes),
}

/// A streamed member whose first bytes were read already.
pub(super) struct Resumed<'a> {
    pub head: Bytes,
    pub walker: &'a mut dyn Walker,
}

impl Walker for Resumed<'_> {
    fn kind(&self) -> &'static str {
        self.walker.kind()
    }

    fn next(&mut self) -> Option<Event> {
        None
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        if self.head.is_empty() {
            return self.walker.read_streamed(buffer);
        }
        let head = self.head.split_to(self.head.len().min(buffer.len()));
        buffer[..head.len()].copy_from_slice(&head);
        head.len()
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        self.walker.streamed_trouble()
    }
}

/// Whether content that begins so is a container that can be read at positions; maps are read as a whole.
fn can_open(head: &[u8]) -> bool {
    formats::format_of(head).is_some_and(|format| format.name() != "source-map")
}

impl Analyser {
    /// What is to be done with a member that is larger than may be held: a container is opened where it stands, or where
    /// it was spilled; everything else is read once.
    pub(super) fn large(
        &self,
        mut member: Member,
        walker: &mut dyn Walker,
        building: &mut Building,
        input_len: u64,
    ) -> Large {
        let in_place = walker.stands().filter(|_| member.trouble.is_none());
        if let Some(Input::File(file)) = in_place {
            let is_container = file.read_at(0, HEAD).is_ok_and(|head| can_open(&head));
            if is_container
                && building
                    .charge_bytes(file.len, input_len, &self.limits)
                    .is_none()
            {
                member.body = Body::At(file);
                return Large::Open(member);
            }
            return Large::Stream(member, Bytes::new());
        }
        let Some(spill) = &self.spill else {
            return Large::Stream(member, Bytes::new());
        };
        let mut head = vec![0; HEAD];
        let got = fill(walker, &mut head);
        head.truncate(got);
        if !can_open(&head) {
            return Large::Stream(member, head.into());
        }
        let mut content = Resumed {
            head: head.into(),
            walker,
        };
        match self.spill(spill, &mut content, building, input_len) {
            Ok(file) => {
                member.trouble = member.trouble.or_else(|| content.streamed_trouble());
                member.body = Body::At(file);
            }
            Err(trouble) => {
                member.trouble = Some(trouble);
                member.body = Body::Absent;
            }
        }
        Large::Open(member)
    }

    fn spill(
        &self,
        spill: &Spill,
        content: &mut dyn Walker,
        building: &mut Building,
        input_len: u64,
    ) -> Result<InputFile, Trouble> {
        let failed = |error: std::io::Error| {
            Trouble::skipped(
                "spill-failed",
                format!(
                    "a container could not be written to the folder of --spill: {error}; make room there, or give another"
                ),
                None,
            )
        };
        let mut spilling = spill.begin().map_err(failed)?;
        let mut buffer = vec![0; WINDOW];
        loop {
            let got = fill(content, &mut buffer);
            if got == 0 || self.progress.stop.load(Ordering::Relaxed) {
                return spilling.finish().map_err(failed);
            }
            if let Some(limit) = building.charge_bytes(got as u64, input_len, &self.limits) {
                return Err(limit);
            }
            spilling.write(&buffer[..got]).map_err(failed)?;
        }
    }

    /// Begins a container that is too large to be held, in the file where it stands.
    pub(super) fn begin_large(
        &self,
        mut member: Member,
        file: &InputFile,
        ordinal: u32,
        depth: u32,
        above: u64,
        ancestors: &[ContentKey],
    ) -> Begun {
        let input = Input::File(file.clone());
        let head = file.read_at(0, HEAD);
        let (head, (key, sha256)) = match head.and_then(|head| Ok((head, digests(&input)?))) {
            Ok(read) => read,
            Err(error) => {
                member.trouble = Some(Trouble::damaged(
                    "unreadable",
                    format!(
                        "the file could not be read: {error}; run the same command again when it can be read"
                    ),
                    Some(file.len),
                ));
                return Begun::Done(absent(member, ordinal));
            }
        };
        if self.wishes.keep == Keep::Nothing
            && let Some(Some(facts)) = self.known(&key, depth, above, member.name.bytes())
        {
            return done(member, ordinal, file.len, (key, sha256), facts);
        }
        let format = formats::format_of(&head);
        let mut facts = Facts::plain(format.map_or("", |format| format.name()));
        if !self.sets.is_empty() {
            facts.matches = self.matches_of_file(&input, &sha256, &mut facts.troubles);
        }
        facts.levels = 1;
        self.run_yara_over_file(file, self.limits.within(above).hold(), &mut facts);
        let opened = match format {
            Some(format) if !self.is_shut(&mut facts, key, file.len, depth, ancestors) => {
                let limits = self.limits.within(above);
                match format.open(input, &limits) {
                    Ok(walker) => Some(formats::with_stores(format, walker, &limits)),
                    Err(trouble) => {
                        facts.troubles.push(trouble);
                        None
                    }
                }
            }
            _ => None,
        };
        let Some(walker) = opened else {
            let facts = Arc::new(facts);
            self.remember(key, &facts);
            return done(member, ordinal, file.len, (key, sha256), facts);
        };
        Begun::Opened(Box::new(Frame {
            input_len: file.len,
            held: above,
            building: Building::of(member.name.bytes())
                .with_lens(walker.as_ref(), self.sets.has_works()),
            walker,
            ordinal,
            len: file.len,
            key,
            role: Role::Bulk,
            sha256: Some(sha256),
            trouble: member.trouble,
            text: None,
            kept: None,
            source: member.source,
            links: given_links(&member.links),
            written: written_of(member.time, &facts),
            name: member.name,
            facts,
        }))
    }
}

impl Analyser {
    /// The matches of content that stands in a file and is too large to be held, by its digests.
    fn matches_of_file(
        &self,
        input: &Input,
        sha256: &Sha256Digest,
        troubles: &mut Vec<Trouble>,
    ) -> Vec<MatchFact> {
        if !self.sets.asks_more_than_sha256() {
            return match_facts(self.sets.lookup_digests(&sha256.0, None));
        }
        match ListDigests::read(input.reader(0), input.len()) {
            Ok(digests) => match_facts(self.sets.lookup_listed(&sha256.0, &digests)),
            Err(error) => {
                troubles.push(Trouble::damaged(
                    "unreadable",
                    format!(
                        "the file could not be read again: {error}; run the same command again when it can be read"
                    ),
                    None,
                ));
                match_facts(self.sets.lookup_digests(&sha256.0, None))
            }
        }
    }
}

/// A container that is not opened here, with what is known of it.
fn done(
    member: Member,
    ordinal: u32,
    len: u64,
    digests: (ContentKey, Sha256Digest),
    facts: Arc<Facts>,
) -> Begun {
    Begun::Done(Visited::Child(Box::new(Child {
        name: member.name,
        ordinal,
        len,
        key: Some(digests.0),
        sha256: Some(digests.1),
        written: written_of(member.time, &facts),
        facts,
        links: given_links(&member.links),
        trouble: member.trouble,
        source: member.source,
        git: None,
        text: None,
        kept: None,
    })))
}
