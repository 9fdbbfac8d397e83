//! rar, of the generations 1.5 to 4 and 5 to 7 (RAR 5.0 archive format; technote.txt of the older ones).
//!
//! Built with the feature `rar` only. Headers and codecs are a kept crate's, which is memory-safe; what is here is what
//! it does not know: what may be held, what is said of each file, and what stands in the archive and belongs to nobody.
//! libarchive is the oracle.
//!
//! The crate pushes files into sinks and has no place to stop and go on, so that the walk decodes in passes. Files that
//! stand for themselves come in batches: a pass skips those that were given and stops when a batch is full. A file at
//! which the crate gives up altogether costs itself, and the next pass goes on behind it. A solid archive is one pass,
//! since each file looks back on those before it: nothing is unpacked twice, all of it together is held against what may
//! be held, and damage costs what stands behind it. Stored files that are too large to be held are streamed from where
//! they stand, without a look at their checksums.
//!
//! The crate refuses an archive whose headers are damaged anywhere. What stands before the damage is opened as an archive
//! of its own then, and the rest is a region. So is what stands behind the last header; the comment is one at 0.
//!
//! Left out: what is encrypted, files that go on in other volumes (stored ones give what stands in this one), streams of
//! NTFS, and archives of before 1.5, whose magic is another.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use bytes::Bytes;
use rars::{
    Archive, ArchiveMember, ArchiveMemberDetail, ArchiveReadOptions, ArchiveReader, AttrSource,
    Error, ErrorKind, ExtractionDecision, ExtractionErrorAction, rar15_40, rar50,
};

use super::claims::Claims;
use super::feed::Input;
use super::spans::Spans;
use super::zip::is_link_target;
use super::{Body, Effect, Event, Format, Member, Trouble, Walker};
use crate::blob::{Limits, MemberName, room};

const MAGIC: &[u8] = b"Rar!\x1a\x07";
/// What a header takes in memory once it is read, in bytes, beside what stands in it.
const HEADER_COST: u64 = 512;
/// Parts of what may be held that headers, and a batch of files, may take.
const PARTS: u64 = 4;
/// Files at which the crate gave up before the rest is left out: each costs a walk over all headers.
const FAULTS_MAX: u32 = 1_000;
/// Longest comment that is read; the older generations allow 64 KiB, RAR 5 256 KiB.
const COMMENT_MAX: u64 = 1 << 20;
/// Headers of the older generations: 7 bytes, of which crc, type, flags and size (technote.txt).
const OLD_HEADER: usize = 7;
/// The flag of a header with data behind it, whose length follows.
const OLD_HAS_DATA: u16 = 0x8000;

/// The rar format.
pub struct Rar;

impl Format for Rar {
    fn name(&self) -> &'static str {
        "rar"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let (archive, trouble) = match parse(&input, limits) {
            Ok(archive) => (Some(archive), None),
            Err(fault) if fault.is_encrypted() => return Err(encrypted_headers(input.len())),
            Err(fault) => {
                let end = fault.offset().or_else(|| old_end(&input)).unwrap_or(0);
                let before = parse(&input.within(0, end.min(input.len())), limits);
                (before.ok(), Some(fault.of_headers()))
            }
        };
        Ok(Box::new(RarWalker::new(archive, trouble, input, limits)))
    }
}

/// What the crate says, or that it fell.
enum Fault {
    Said(Error),
    Fell,
}

impl Fault {
    fn kind(&self) -> Option<ErrorKind> {
        match self {
            Fault::Said(error) => Some(error.kind()),
            Fault::Fell => None,
        }
    }

    fn is_encrypted(&self) -> bool {
        let is_undone = |error: &Error| {
            matches!(
                error.root_cause(),
                Error::FeatureDisabled {
                    feature: "encryption"
                }
            )
        };
        matches!(
            self.kind(),
            Some(ErrorKind::PasswordRequired | ErrorKind::BadPassword)
        ) || matches!(self, Fault::Said(error) if is_undone(error))
    }

    /// Where the header begins that could not be read.
    fn offset(&self) -> Option<u64> {
        match self {
            Fault::Said(Error::AtArchiveOffset { offset, .. }) => u64::try_from(*offset).ok(),
            _ => None,
        }
    }

    fn words(&self) -> String {
        match self {
            // The rest of it repeats names, which are not escaped there.
            Fault::Said(error) => error.root_cause().to_string(),
            Fault::Fell => "a fault of the decoder".to_owned(),
        }
    }

    fn of_headers(&self) -> Trouble {
        if self.kind() == Some(ErrorKind::ResourceLimit) {
            let detail = format!(
                "the headers of the rar archive take more than may be held ({}); what is behind was scanned as it stands, raise --memory",
                self.words()
            );
            return Trouble::damaged("memory-limit", detail, None);
        }
        Trouble::damaged(
            "rar-damaged",
            format!(
                "the headers of the rar archive cannot be read to their end ({}); what stands before was opened, the rest was scanned as it stands, get the file again",
                self.words()
            ),
            None,
        )
    }

    /// What it means for a file of which `missing` bytes are not there.
    fn of_member(&self, missing: Option<u64>) -> Trouble {
        if self.is_encrypted() {
            return encrypted(missing);
        }
        let words = self.words();
        match self.kind() {
            Some(ErrorKind::ChecksumMismatch) if missing == Some(0) => Trouble::odd(
                "checksum-mismatch",
                "the checksum of the entry does not fit; the bytes were read as they stand",
            ),
            Some(ErrorKind::ResourceLimit) => Trouble::damaged(
                "memory-limit",
                format!("the entry takes more memory than may be used ({words}); raise --memory"),
                missing,
            ),
            Some(ErrorKind::UnsupportedFeature | ErrorKind::UnsupportedFormat) => Trouble::damaged(
                "unsupported",
                format!(
                    "the entry is packed in a way that is not read ({words}); unpack it with another program and scan the result"
                ),
                missing,
            ),
            _ => Trouble::damaged(
                "rar-damaged",
                format!(
                    "the packed bytes of the entry are damaged or cut ({words}); what came before the damage was read"
                ),
                missing,
            ),
        }
    }
}

/// Runs the crate; a panic in it is a fault like any other.
fn guarded<T>(work: impl FnOnce() -> rars::Result<T>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(Fault::Said),
        Err(_) => Err(Fault::Fell),
    }
}

fn parse(input: &Input, limits: &Limits) -> Result<Archive, Fault> {
    let source = Source {
        input: input.clone(),
        position: 0,
    };
    guarded(|| ArchiveReader::read_reader_with_options(source, options(limits)))
}

/// What bounds the crate. Output is bounded by the sinks: a limit of its own would end a solid archive at once.
fn options(limits: &Limits) -> ArchiveReadOptions<'static> {
    let hold = limits.hold();
    let window = limits.window();
    ArchiveReadOptions::new()
        .with_max_header_count((hold / PARTS / HEADER_COST).max(64))
        .with_max_header_bytes((hold / PARTS).max(64 << 10))
        .with_rar50_dictionary_size_limit(window)
        .with_rar50_buffered_decode_limit(hold)
        // Tables and buffers stand beside the dictionary.
        .with_max_reader_workspace_bytes(hold.max(window.saturating_add(window / 2)))
}

/// Where the last whole header of an archive of the older generations ends, with its data; the crate does not say it.
fn old_end(input: &Input) -> Option<u64> {
    let mut at = 0;
    loop {
        let head = input.slice(at, OLD_HEADER + 4).ok()?;
        let short = |at: usize| Some(u16::from_le_bytes(*head.get(at..)?.first_chunk()?));
        let (Some(stated), Some(flags), Some(size)) = (short(0), short(3), short(5)) else {
            return Some(at);
        };
        let data = match head.get(OLD_HEADER..).and_then(|rest| rest.first_chunk()) {
            Some(raw) if flags & OLD_HAS_DATA != 0 => u64::from(u32::from_le_bytes(*raw)),
            _ => 0,
        };
        let end = at + u64::from(size) + data;
        let header = input.slice(at, usize::from(size)).ok()?;
        let made = crc32fast::hash(header.get(2..).unwrap_or_default()) as u16;
        // The marker at the beginning has a fixed checksum, which is its magic.
        let is_sound = (at == 0 || stated == made) && usize::from(size) >= OLD_HEADER;
        if !is_sound || end > input.len() {
            return Some(at);
        }
        at = end;
    }
}

fn encrypted_headers(len: u64) -> Trouble {
    Trouble::skipped(
        "encrypted",
        "the headers of the rar archive are encrypted, so that not even names can be read; unpack it with its password and scan the result",
        Some(len),
    )
}

fn encrypted(unread: Option<u64>) -> Trouble {
    Trouble::skipped(
        "encrypted",
        "the entry is encrypted and was not read; unpack it with its password and scan the result",
        unread,
    )
}

fn split() -> Trouble {
    Trouble::damaged(
        "split-archive",
        "the entry goes on in another part of a split rar archive; unpack all parts together and scan the result",
        None,
    )
}

fn too_large(size: Option<u64>) -> Trouble {
    Trouble::skipped(
        "memory-limit",
        "the entry, or those of the solid archive together, take more than may be held; raise --memory",
        size,
    )
}

/// The archive as the crate wants it: read at positions of its own.
struct Source {
    input: Input,
    position: u64,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.input.reader(self.position).read(buffer)?;
        self.position += got as u64;
        Ok(got)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.input.len().checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// What the headers say of a file beyond what the crate hands on with it.
#[derive(Clone, Copy)]
struct Place {
    at: u64,
    packed: u64,
    /// `None` where it was not known when the header was written.
    size: Option<u64>,
}

/// The files of an archive in their order, and all that somebody claims.
fn places(archive: &Archive) -> (Vec<Place>, Claims, Vec<Event>) {
    let mut claims = Claims::default();
    let mut services = Vec::new();
    let places = match archive {
        Archive::Rar50Plus(archive) => new_places(archive, &mut claims, &mut services),
        Archive::Rar15To40(archive) => old_places(archive, &mut claims, &mut services),
        _ => Vec::new(),
    };
    (places, claims, services)
}

fn new_places(
    archive: &rar50::Archive,
    claims: &mut Claims,
    services: &mut Vec<Event>,
) -> Vec<Place> {
    let header = |claims: &mut Claims, block: &rar50::BlockHeader| {
        // Its ranges begin behind checksum and length, and leave out what is added to the header.
        let end = block.header_range.end.max(block.data_range.start);
        claims.note(block.offset as u64, end.saturating_sub(block.offset) as u64);
    };
    let data = |claims: &mut Claims, block: &rar50::BlockHeader| {
        claims.note(block.data_range.start as u64, block.data_range.len() as u64);
    };
    claims.note(0, MAGIC.len() as u64 + 2);
    header(claims, &archive.main.block);
    let mut places = Vec::new();
    for block in &archive.blocks {
        match block {
            rar50::Block::File(file) => {
                header(claims, &file.block);
                data(claims, &file.block);
                places.push(Place {
                    at: file.block.data_range.start as u64,
                    packed: file.block.data_range.len() as u64,
                    size: file.known_unpacked_size(),
                });
            }
            rar50::Block::Service(service) => {
                header(claims, &service.block);
                data(claims, &service.block);
                services.push(about_service(&service.name, service.unpacked_size));
            }
            rar50::Block::End(end) => header(claims, &end.block),
            rar50::Block::Unknown(block) => header(claims, block),
            _ => {}
        }
    }
    places
}

fn old_places(
    archive: &rar15_40::Archive,
    claims: &mut Claims,
    services: &mut Vec<Event>,
) -> Vec<Place> {
    let header = |claims: &mut Claims, block: &rar15_40::BlockHeader| {
        claims.note(block.offset as u64, u64::from(block.head_size));
    };
    let mark = MAGIC.len() as u64 + 1;
    claims.note(0, mark + u64::from(archive.main.head_size));
    let mut places = Vec::new();
    for block in &archive.blocks {
        match block {
            rar15_40::Block::File(file) => {
                header(claims, &file.block);
                let place = Place {
                    at: file.packed_range.start as u64,
                    packed: file.packed_range.len() as u64,
                    size: Some(file.unp_size),
                };
                claims.note(place.at, place.packed);
                places.push(place);
            }
            rar15_40::Block::NewSub(service) => {
                header(claims, &service.file.block);
                let range = &service.file.packed_range;
                claims.note(range.start as u64, range.len() as u64);
                services.push(about_service(&service.file.name, service.file.unp_size));
            }
            rar15_40::Block::Comment(comment) => {
                header(claims, &comment.block);
                let range = &comment.packed_range;
                claims.note(range.start as u64, range.len() as u64);
                services.push(Event::Other("header"));
            }
            rar15_40::Block::Protect(record) => {
                header(claims, &record.block);
                let range = &record.data_range;
                claims.note(range.start as u64, range.len() as u64);
                services.push(Event::Other("header"));
            }
            rar15_40::Block::End(block) | rar15_40::Block::Unknown(block) => header(claims, block),
            _ => {}
        }
    }
    places
}

/// What is said of a header that serves another: a stream of NTFS has content, the others have none of anybody's.
fn about_service(name: &[u8], size: u64) -> Event {
    if name == b"STM" {
        return Event::Trouble(Trouble::damaged(
            "unsupported",
            "a file of the rar archive has a second stream (NTFS), which was not read; unpack it with another program and scan the result",
            Some(size),
        ));
    }
    Event::Other("header")
}

/// The comment of the archive, as a region where the archive begins: somebody's words, packed or not.
fn comment(archive: &Archive, limits: &Limits) -> Option<Event> {
    let options = options(limits).with_max_member_output_bytes(COMMENT_MAX.min(limits.hold()));
    let name = MemberName::Offset(0);
    match guarded(|| archive.comment_with_options(options)) {
        Ok(words) => words.map(|words| Event::Member(Member::whole(name, words.into()))),
        Err(fault) => {
            let mut trouble = fault.of_member(None);
            trouble.effect = Effect::Skipped;
            Some(Event::Member(Member::absent(name, trouble)))
        }
    }
}

/// What a pass found of one file.
struct Row {
    name: Vec<u8>,
    place: Place,
    content: Vec<u8>,
    /// Its content went beyond what may be held, and was let go.
    is_too_large: bool,
    is_link: bool,
    fate: Fate,
}

enum Fate {
    Unpacked(Option<Trouble>),
    Other(&'static str),
    Absent(Trouble),
    /// To be read from where it stands.
    Stands(Option<Trouble>),
}

/// What sinks and decisions of a pass share.
#[derive(Default)]
struct Pass {
    rows: Vec<Row>,
    held: u64,
    /// Bytes that came out, held or not, of all passes.
    out: u64,
    /// The limit that was hit, by its code.
    over: Option<&'static str>,
}

/// Takes the content of the last row.
struct Sink {
    pass: Rc<RefCell<Pass>>,
    limits: Limits,
    input: u64,
    is_solid: bool,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let pass = &mut *self.pass.borrow_mut();
        pass.out = pass.out.saturating_add(bytes.len() as u64);
        if pass.out > self.limits.bytes {
            pass.over = Some("bytes-limit");
        } else if self.limits.is_bomb(0, pass.out, self.input) {
            pass.over = Some("ratio-limit");
        }
        if pass.over.is_some() {
            return Err(io::Error::other("a limit was hit"));
        }
        let Some(row) = pass.rows.last_mut() else {
            return Err(io::Error::other("a sink without a file"));
        };
        let wanted = pass.held.saturating_add(bytes.len() as u64);
        if !row.is_too_large && wanted <= self.limits.hold() {
            pass.held = wanted;
            row.content.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        row.is_too_large = true;
        pass.held -= row.content.len() as u64;
        row.content = Vec::new();
        // What is behind it in a solid archive looks back on it.
        if self.is_solid {
            return Ok(bytes.len());
        }
        Err(io::Error::other("more than may be held"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives the files in their order, and then what belongs to nobody.
struct RarWalker {
    archive: Option<Archive>,
    places: Vec<Place>,
    is_solid: bool,
    /// The file that the next pass begins with.
    next: usize,
    /// Bytes that came out so far, and files at which the crate gave up.
    out: u64,
    faults: u32,
    input_len: u64,
    limits: Limits,
    spans: Spans,
    rows: VecDeque<Row>,
    pending: VecDeque<Event>,
    /// First last.
    regions: Vec<(u64, u64)>,
}

impl RarWalker {
    fn new(
        archive: Option<Archive>,
        trouble: Option<Trouble>,
        input: Input,
        limits: &Limits,
    ) -> Self {
        let (places, claims, services) = archive.as_ref().map(places).unwrap_or_default();
        let comment = archive
            .as_ref()
            .and_then(|archive| comment(archive, limits));
        let mut regions = claims.settle(0, input.len()).1;
        regions.reverse();
        let is_solid = archive.as_ref().is_some_and(|archive| {
            let is_stated = match archive {
                Archive::Rar50Plus(archive) => archive.main.is_solid(),
                Archive::Rar15To40(archive) => archive.main.is_solid(),
                _ => false,
            };
            is_stated || archive.members().any(|member| member.is_solid())
        });
        let pending = trouble
            .into_iter()
            .map(Event::Trouble)
            .chain(services)
            .chain(comment)
            .collect();
        Self {
            archive,
            places,
            is_solid,
            next: 0,
            out: 0,
            faults: 0,
            input_len: input.len(),
            limits: limits.clone(),
            spans: Spans::new(input, limits.hold()),
            rows: VecDeque::new(),
            pending,
            regions,
        }
    }

    /// Runs one pass, after which there are rows.
    fn pass(&mut self, archive: &Archive) {
        let pass = Rc::new(RefCell::new(Pass {
            out: self.out,
            ..Pass::default()
        }));
        let mut index = 0;
        let decide = |member: &ArchiveMember| {
            index += 1;
            if index <= self.next {
                return Ok(ExtractionDecision::Skip);
            }
            let place = self.places.get(index - 1).copied();
            Ok(self.decide(&pass, member, place.unwrap_or(NOWHERE)))
        };
        let on_error = |_: &ArchiveMember, error: &Error| {
            let mut pass = pass.borrow_mut();
            let is_over = pass.over.is_some();
            if let Some(row) = pass.rows.last_mut() {
                row.fail(&Fault::Said(error.clone()));
            }
            Ok(if is_over {
                ExtractionErrorAction::Abort
            } else {
                ExtractionErrorAction::Continue
            })
        };
        let options = options(&self.limits);
        let result = guarded(|| archive.extract_with_control_and_errors(options, decide, on_error));
        let mut pass = pass.take();
        self.out = pass.out;
        if let Err(fault) = &result
            && let Some(row) = pass.rows.last_mut()
        {
            row.fail(fault);
        }
        let is_stuck = pass.rows.is_empty();
        self.next += pass.rows.len();
        self.rows = pass.rows.into();
        self.faults += u32::from(result.is_err());
        let is_over = pass.over.is_some() || self.faults > FAULTS_MAX;
        if self.is_solid || is_stuck || is_over {
            self.leave_out(archive, pass.over);
        }
    }

    /// What becomes of a file.
    fn decide(
        &self,
        pass: &Rc<RefCell<Pass>>,
        member: &ArchiveMember,
        place: Place,
    ) -> ExtractionDecision {
        let hold = self.limits.hold();
        let size = place.size.unwrap_or(0);
        let mut row = Row::of(member, place);
        let is_idle = !matches!(row.fate, Fate::Unpacked(_));
        let is_free = member.meta.is_directory || member.meta.is_redirection;
        if self.is_solid && is_idle && !is_free {
            // The crate skips nothing in a solid archive, so it ends here: what is behind is said by its kind.
            pass.borrow_mut().rows.push(row);
            return ExtractionDecision::Stop;
        }
        let state = &mut *pass.borrow_mut();
        if is_idle {
            state.rows.push(row);
            return ExtractionDecision::Skip;
        }
        if !self.is_solid {
            if !state.rows.is_empty() && state.held.saturating_add(size) > hold / PARTS {
                return ExtractionDecision::Stop;
            }
            if size > hold {
                row.fate = if member.meta.is_stored && place.packed == size {
                    Fate::Stands(None)
                } else {
                    Fate::Absent(too_large(place.size))
                };
                state.rows.push(row);
                return ExtractionDecision::Skip;
            }
        }
        room::want(state.held.saturating_add(size).min(hold));
        state.rows.push(row);
        ExtractionDecision::Extract(Box::new(Sink {
            pass: Rc::clone(pass),
            limits: self.limits.clone(),
            input: self.input_len,
            is_solid: self.is_solid,
        }))
    }

    /// Says of each file that no pass will come to why.
    fn leave_out(&mut self, archive: &Archive, over: Option<&'static str>) {
        for (index, member) in archive.members().enumerate().skip(self.next) {
            let place = self.places.get(index).copied().unwrap_or(NOWHERE);
            let mut row = Row::of(&member, place);
            if matches!(row.fate, Fate::Unpacked(_)) {
                row.fate = Fate::Absent(match over {
                    Some(code) => Trouble::skipped(
                        code,
                        "the rar archive unfolds to more than the limit allows; the entry was not read",
                        place.size,
                    ),
                    None => Trouble::skipped(
                        "rar-damaged",
                        "the entry can only be unpacked behind one before it that could not be read",
                        place.size,
                    ),
                });
            }
            self.rows.push_back(row);
        }
        self.next = usize::MAX;
    }

    fn event(&mut self, row: Row) -> Event {
        let name = MemberName::Named(row.name);
        let trouble = match row.fate {
            Fate::Other(kind) => return Event::Other(kind),
            Fate::Absent(trouble) => return Event::Member(Member::absent(name, trouble)),
            Fate::Stands(trouble) => {
                let mut member = self.spans.member(name, row.place.at, row.place.packed);
                member.trouble = trouble.or(member.trouble);
                return Event::Member(member);
            }
            Fate::Unpacked(_) if row.is_too_large => {
                return Event::Member(Member::absent(name, too_large(row.place.size)));
            }
            Fate::Unpacked(trouble) => trouble,
        };
        if row.is_link && trouble.is_none() && is_link_target(&row.content) {
            return Event::Other("symlink");
        }
        let is_lost = row.content.is_empty()
            && (trouble.as_ref()).is_some_and(|trouble| trouble.effect != Effect::Odd);
        let mut member = Member::whole(name, Bytes::from(row.content));
        member.trouble = trouble;
        if is_lost {
            member.body = Body::Absent;
            if let Some(trouble) = &mut member.trouble {
                trouble.effect = Effect::Skipped;
            }
        }
        Event::Member(member)
    }

    fn region(&mut self) -> Option<Event> {
        while let Some((from, to)) = self.regions.pop() {
            if let Some(mut member) = self.spans.region(from, to) {
                member.trouble.get_or_insert_with(|| {
                    Trouble::odd(
                        "gap-data",
                        format!(
                            "{} bytes from offset {from} of the rar archive belong to no file that it names; they were scanned as they stand",
                            to - from
                        ),
                    )
                });
                return Some(Event::Member(member));
            }
        }
        None
    }
}

/// The place of a file that the headers do not have.
const NOWHERE: Place = Place {
    at: 0,
    packed: 0,
    size: None,
};

impl Row {
    /// What the header of a file says.
    fn of(member: &ArchiveMember, place: Place) -> Self {
        let meta = &member.meta;
        let fate = if meta.is_directory {
            Fate::Other("folder")
        } else if meta.is_redirection {
            Fate::Other(redirection(member))
        } else if meta.is_encrypted {
            Fate::Absent(encrypted(place.size))
        } else if meta.is_split_before || meta.is_split_after {
            if meta.is_stored {
                Fate::Stands(Some(split()))
            } else {
                Fate::Absent(Trouble {
                    effect: Effect::Skipped,
                    unread: place.size,
                    ..split()
                })
            }
        } else {
            Fate::Unpacked(None)
        };
        Self {
            name: meta.name.clone(),
            place,
            content: Vec::new(),
            is_too_large: false,
            is_link: matches!(meta.attr_source(), AttrSource::Unix)
                && meta.file_attr & 0o170_000 == 0o120_000,
            fate,
        }
    }

    fn fail(&mut self, fault: &Fault) {
        if let Fate::Unpacked(trouble) = &mut self.fate
            && trouble.is_none()
        {
            let got = self.content.len() as u64;
            let missing = self.place.size.map(|size| size.saturating_sub(got));
            *trouble = Some(fault.of_member(missing));
        }
    }
}

/// What a file is that stands for another (RAR 5.0 archive format, file system redirection record).
fn redirection(member: &ArchiveMember) -> &'static str {
    let ArchiveMemberDetail::Rar50Plus {
        redirection: Some(record),
        ..
    } = &member.detail
    else {
        return "symlink";
    };
    match record.redirection_type {
        1..=3 => "symlink",
        4 => "hard-link",
        5 => "copy",
        _ => "header",
    }
}

impl Walker for RarWalker {
    fn kind(&self) -> &'static str {
        "rar"
    }

    fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.pending.pop_front() {
            return Some(event);
        }
        if self.rows.is_empty()
            && self.next < self.places.len()
            && let Some(archive) = self.archive.take()
        {
            self.pass(&archive);
            self.archive = Some(archive);
        }
        match self.rows.pop_front() {
            Some(row) => Some(self.event(row)),
            None => self.region(),
        }
    }

    fn stands(&self) -> Option<Input> {
        self.spans.stands()
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        self.spans.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    /// Archives made by the writer of the crate, of the generation that the name begins with.
    macro_rules! made {
        ($($name:literal),*) => {
            &[$(($name, include_bytes!(concat!("../../fixtures/rar/", $name, ".rar")))),*]
        };
    }

    const MADE: &[(&str, &[u8])] = made![
        "15-plain",
        "2-plain",
        "4-plain",
        "4-solid",
        "4-stored",
        "4-encrypted",
        "4-sealed",
        "4-odd",
        "4-vol0",
        "5-plain",
        "5-solid",
        "5-stored",
        "5-encrypted",
        "5-sealed",
        "5-odd",
        "5-vol0"
    ];

    fn made(name: &str) -> &'static [u8] {
        MADE.iter().find(|(made, _)| *made == name).unwrap().1
    }

    fn seen_within(bytes: &[u8], limits: &Limits) -> Seen {
        assert!(Rar.recognise(bytes));
        walk(&Rar, bytes, limits).unwrap()
    }

    fn seen(bytes: &[u8]) -> Seen {
        seen_within(bytes, &Limits::default())
    }

    fn text(lines: usize) -> Vec<u8> {
        let line = |number: usize| format!("line {} of the text\n", number * 7 % 13).into_bytes();
        (0..lines).flat_map(line).collect()
    }

    fn four() -> Vec<(String, Vec<u8>)> {
        let files = [
            ("a.txt", text(20)),
            ("dir/ü.txt", text(8)),
            ("empty", Vec::new()),
            ("last", b"the last of them".to_vec()),
        ];
        let named = |(name, content): (&str, Vec<u8>)| (name.to_owned(), content);
        files.into_iter().map(named).collect()
    }

    #[test]
    fn every_generation_is_read() {
        for name in [
            "15-plain", "2-plain", "4-plain", "4-solid", "4-stored", "5-plain", "5-solid",
            "5-stored",
        ] {
            let found = seen(made(name));
            assert_eq!(found.members, four(), "{name}");
            assert_eq!(found.codes, [""; 0], "{name}");
        }
    }

    /// What libarchive makes of the same bytes. It does not know solid archives of the older generations nor what was
    /// packed before 2.9, and does not always come to an end of an empty file of RAR 5.
    #[test]
    fn libarchive_reads_the_same() {
        if Command::new("bsdtar").arg("--version").output().is_err() {
            assert!(
                std::env::var_os("STRANDLINE_REQUIRE_TOOLS").is_none(),
                "bsdtar is not there"
            );
            eprintln!("skipped: bsdtar is not there");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        for name in ["4-plain", "4-stored", "5-plain", "5-solid", "5-stored"] {
            let bytes = made(name);
            let path = folder.path().join("a.rar");
            std::fs::write(&path, bytes).unwrap();
            let output = Command::new("bsdtar")
                .arg("-xOf")
                .arg(&path)
                .args(["a.txt", "last"])
                .output()
                .unwrap();
            let members = seen(bytes).members.into_iter();
            let own: Vec<u8> = members
                .filter(|(name, _)| ["a.txt", "last"].contains(&name.as_str()))
                .flat_map(|(_, content)| content)
                .collect();
            assert!(!own.is_empty() && own == output.stdout, "{name}");
        }
    }

    #[test]
    fn folders_links_and_comments() {
        for name in ["4-odd", "5-odd"] {
            let found = seen(made(name));
            assert!(
                found.others.contains(&"folder"),
                "{name}: {:?}",
                found.others
            );
            assert!(
                found.others.contains(&"symlink"),
                "{name}: {:?}",
                found.others
            );
            assert!(found.members.contains(&("big".to_owned(), text(5_000))));
            assert_eq!(found.codes, [""; 0], "{name}");
            let comment = found
                .members
                .iter()
                .any(|(_, content)| content.starts_with(b"a comment of somebody"));
            assert!(comment, "{name}: {:?}", found.members.len());
        }
    }

    #[test]
    fn what_is_encrypted_or_split_is_said() {
        for generation in ["4", "5"] {
            let found = seen(made(&format!("{generation}-encrypted")));
            assert!(
                found.codes.iter().all(|code| code == "encrypted"),
                "{:?}",
                found.codes
            );
            assert!(found.codes.len() >= 3, "{:?}", found.codes);
            let sealed = made(&format!("{generation}-sealed"));
            let trouble = walk(&Rar, sealed, &Limits::default()).unwrap_err();
            assert_eq!(trouble.code, "encrypted");
            let found = seen(made(&format!("{generation}-vol0")));
            assert_eq!(found.codes, ["split-archive"]);
            assert_eq!(found.members.len(), 1);
            assert!(text(60).starts_with(&found.members[0].1));
            assert!(found.members[0].1.len() > 500);
        }
    }

    #[test]
    fn a_cut_archive_gives_what_stands_before() {
        for name in ["4-stored", "5-stored"] {
            let whole = made(name);
            let at = memchr::memmem::find(whole, b"the last of them").unwrap();
            let found = seen(&whole[..at + 8]);
            assert_eq!(found.codes, ["rar-damaged", "gap-data"], "{name}");
            assert_eq!(found.members[..3], four()[..3], "{name}");
            assert!(found.members[3].1.ends_with(b"the last"), "{name}");
        }
    }

    #[test]
    fn damage_costs_what_it_stands_on() {
        for name in ["4-stored", "5-stored"] {
            let mut bytes = made(name).to_vec();
            let at = memchr::memmem::find(&bytes, b"line 7").unwrap();
            bytes[at] = b'L';
            let found = seen(&bytes);
            assert_eq!(found.codes, ["checksum-mismatch"], "{name}");
            assert_eq!(found.members.len(), 4);
            assert_eq!(found.members[1..], four()[1..], "{name}");
        }
        for name in ["4-plain", "5-plain"] {
            let mut bytes = made(name).to_vec();
            let at = memchr::memmem::find(&bytes, b"a.txt").unwrap();
            bytes[at + 40..at + 60].fill(0xff);
            let found = seen(&bytes);
            assert_eq!(found.codes.len(), 1, "{name}: {:?}", found.codes);
            assert!(found.members.ends_with(&four()[1..]), "{name}");
        }
        // Behind damage nothing of a solid archive can be had, and each file says so.
        let mut bytes = made("5-solid").to_vec();
        let at = memchr::memmem::find(&bytes, b"a.txt").unwrap();
        bytes[at + 40..at + 60].fill(0xff);
        let found = seen(&bytes);
        assert!(found.codes.len() >= 3, "{:?}", found.codes);
    }

    #[test]
    fn what_may_not_be_held_is_streamed_or_said() {
        let limits = Limits {
            memory: 600,
            ..Limits::default()
        };
        for name in ["4-stored", "5-stored"] {
            let found = seen_within(made(name), &limits);
            assert_eq!(found.members, four(), "{name}");
        }
        let found = seen_within(made("5-odd"), &limits);
        assert!(found.codes.contains(&"memory-limit".to_owned()));
        let few = Limits {
            bytes: 450,
            ..Limits::default()
        };
        for name in ["4-plain", "5-plain", "5-solid"] {
            let found = seen_within(made(name), &few);
            assert!(
                found.codes.contains(&"bytes-limit".to_owned()),
                "{name}: {:?}",
                found.codes
            );
        }
    }

    #[test]
    fn what_stands_behind_is_a_region() {
        // The older one has no header that ends it, so that another one is looked for there.
        for (name, codes) in [
            ("4-plain", &["rar-damaged", "gap-data"][..]),
            ("5-plain", &["gap-data"]),
        ] {
            let bytes = [made(name), b"behind the archive"].concat();
            let found = seen(&bytes);
            assert_eq!(found.codes, codes, "{name}");
            assert_eq!(found.members[4].1, b"behind the archive");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn damage_never_panics(
            which in any::<prop::sample::Index>(),
            flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in 0..300_usize,
            memory in 0..100_000_u64,
        ) {
            let mut bytes = which.get(MADE).1.to_vec();
            for (at, byte) in flips {
                let at = at.index(bytes.len() - MAGIC.len()) + MAGIC.len();
                bytes[at] = byte;
            }
            let len = bytes.len().saturating_sub(cut).max(MAGIC.len());
            bytes.truncate(len);
            let limits = Limits { memory, ..Limits::default() };
            if let Ok(found) = walk(&Rar, &bytes, &limits) {
                prop_assert!(found.members.len() < 100);
            }
        }
    }
}
