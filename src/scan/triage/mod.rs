//! A triage: a first answer over thousands of clones, from what indexes and headers say.
//!
//! A scan reads every byte. A triage reads lists: the indexes of git stores, the headers of tars, the directories of zips.
//! It holds what stands there against the exact tier of the sets, and it reads a file or member only where that can be had
//! without unpacking anything and its length is that of a signed file. So it looks for equal bytes and for nothing else:
//! no exposure, no map, no text that differs in its line ends.
//!
//! What it finds it says with what that rests on ([`Basis`]): bytes that were read, the name of a git object, or length
//! and checksum in a header, which is a hint and no match. What it did not look at is counted by reason ([`REASONS`]): each
//! is a reason of the ledger, and a problem at the container with a number. So the account adds up as that of a scan, and
//! is never complete: a triage is no ground to say that something is not there.
//!
//! Left out: archives within archives, cpio and ar (which could be walked as a tar is), and the checksum at the end of a
//! gzip stream.

mod archive;
mod store;

use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;

use hashbrown::HashSet;

use super::analyse::match_facts;
use super::facts::{MatchFact, name_number};
use super::input::{self, InputRoot, Unit};
use super::place::{Placed, PlacedContainer, Target, problem};
use super::tally::Tally;
use super::{OpenFacts, Scan, UnitDone, formats, unit};
use crate::blob::digest::StreamDigests;
use crate::blob::lines::LineCounter;
use crate::blob::{ContentKey, Locator, MemberName, Sha256Digest};
use crate::container::{Effect, Input, InputFile, Trouble};
use crate::record::{Basis, Grade};
use crate::signature::{ListDigests, SetGroup};

/// How much of a file is looked at to tell what it is: as much as every format asks for; bytes.
const HEAD: usize = 4 << 10;

/// Code of files and members that were not read, since no signed file has their length.
pub const LENGTH: &str = "triage-length";
/// Code of git objects that were held against the sets by name.
pub const ID: &str = "triage-id";
/// Code of members of a zip that were held against the sets by length and checksum.
pub const CHECKSUM: &str = "triage-checksum";
/// Code of what has to be unpacked, or has names that the sets do not hold.
pub const PACKED: &str = "triage-packed";
/// Code of containers of which only headers were read.
pub const HEADERS: &str = "triage-headers";

/// Every reason for which a triage leaves something unread, as they stand in the ledger, and what each means to people.
pub const REASONS: [(&str, &str); 5] = [
    (ID, "git objects known by name only"),
    (
        LENGTH,
        "files and members whose length is that of no signed file",
    ),
    (
        CHECKSUM,
        "members of zips known by length and checksum only",
    ),
    (
        PACKED,
        "files and members that would have to be unpacked or opened",
    ),
    (
        HEADERS,
        "containers of which only headers and indexes were read",
    ),
];

/// A number and the words for one of it or for several.
fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What is said of loose files that were not read.
pub fn unread_files(files: u64) -> String {
    format!(
        "{} not read, since no signed file has that length; what may be within them, and texts that differ in form, were not looked for",
        plural(files, "file was", "files were")
    )
}

/// Why an entry was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Id,
    Length,
    Checksum,
    Packed,
}

impl Reason {
    fn code(self) -> &'static str {
        match self {
            Reason::Id => ID,
            Reason::Length => LENGTH,
            Reason::Checksum => CHECKSUM,
            Reason::Packed => PACKED,
        }
    }

    /// What is said of so many entries of one container.
    fn said(self, entries: u64) -> String {
        match self {
            Reason::Id => format!(
                "{} held against the sets by the names that indexes and files give them, and not read",
                plural(entries, "object was", "objects were")
            ),
            Reason::Length => format!(
                "{} not read, since no signed file has that length; what may be within was not looked for",
                plural(entries, "entry was", "entries were")
            ),
            Reason::Checksum => format!(
                "{} held against the sets by length and CRC-32, as the directory states them, and not unpacked",
                plural(entries, "entry was", "entries were")
            ),
            Reason::Packed => format!(
                "{} not looked at, since that takes unpacking or opening them, or names that the sets do not hold",
                plural(entries, "entry was", "entries were")
            ),
        }
    }
}

/// What a triage asks of the sets.
#[derive(Debug)]
pub struct Triage {
    /// Lengths of all files of those sets whose matches are told, in bytes.
    lengths: HashSet<u64>,
    /// There is a file whose length nobody knows, so that any length is one of a signed file.
    any_length: bool,
    asks_checksums: bool,
    asks_git: bool,
    /// Sets whose matches are told and that cannot be asked for checksums, or for git ids.
    without_checksums: usize,
    without_git: usize,
}

impl Triage {
    /// Prepares to ask these sets. What is in public ones and baselines alone is not told, and need not be read.
    pub fn new(group: &SetGroup) -> Self {
        let sets = group.sets().iter();
        let told = || {
            sets.clone()
                .filter(|set| !set.is_public() && !set.is_baseline())
        };
        Self {
            lengths: told().flat_map(|set| set.lengths()).collect(),
            any_length: told().any(|set| set.has_unknown_lengths()),
            asks_checksums: told().any(|set| set.has_crc()),
            asks_git: told().any(|set| set.has_git()),
            without_checksums: told().filter(|set| !set.has_crc()).count(),
            without_git: told().filter(|set| !set.has_git()).count(),
        }
    }

    /// Whether a signed file may have this length.
    fn is_wanted(&self, len: u64) -> bool {
        self.any_length || self.lengths.contains(&len)
    }

    fn matches<'s, I: Iterator<Item = u32> + 's>(
        group: &'s SetGroup,
        grade: Grade,
        find: impl Fn(&'s crate::signature::Set) -> I + 's,
    ) -> impl Iterator<Item = MatchFact> + 's {
        (0..).zip(group.sets()).flat_map(move |(set, asked)| {
            find(asked).map(move |file| MatchFact {
                set,
                file,
                grade,
                found: None,
            })
        })
    }
}

/// Where the bytes of an entry are.
enum Stands {
    /// Here, as they are.
    At(Input),
    /// Packed; a header states their CRC-32.
    Packed(u32),
    /// Nowhere.
    Absent(Trouble),
}

/// What was read of an entry.
#[derive(Debug, Clone, Copy)]
struct Read {
    sha256: Sha256Digest,
    lines: u64,
    bytes: u64,
}

/// A container that is open.
struct Opened {
    at: Locator,
    kind: &'static str,
    len: u64,
    entries: u64,
    /// Entries that were not read, and their bytes as far as those are stated.
    unread: BTreeMap<Reason, (u64, Option<u64>)>,
    /// How many members of each name there are.
    names: HashMap<u64, u32>,
}

impl Opened {
    fn new(at: Locator, kind: &'static str, len: u64) -> Self {
        Self {
            at,
            kind,
            len,
            entries: 0,
            unread: BTreeMap::new(),
            names: HashMap::new(),
        }
    }

    /// Which member of its name this is, from 1. Asked once for each, in the order of the container.
    fn ordinal(&mut self, name: &MemberName) -> u32 {
        let count = self.names.entry(name_number(name.bytes())).or_insert(0);
        *count += 1;
        *count
    }

    fn place_of(&self, name: &MemberName, ordinal: u32) -> Locator {
        self.at.member(self.kind, name, ordinal)
    }
}

/// What was met in one unit.
struct Account<'a> {
    scan: &'a Scan<'a>,
    triage: &'a Triage,
    tally: Tally,
    placed: Placed,
}

impl<'a> Account<'a> {
    fn sets(&self) -> &'a SetGroup {
        &self.scan.analyser.sets
    }

    /// Counts entries of a container that were not read.
    fn skip(&mut self, opened: &mut Opened, reason: Reason, entries: u64, bytes: Option<u64>) {
        if entries == 0 {
            return;
        }
        opened.entries += entries;
        let (count, sum) = opened.unread.entry(reason).or_insert((0, Some(0)));
        *count += entries;
        *sum = sum.zip(bytes).map(|(sum, bytes)| sum.saturating_add(bytes));
        self.tally.entries += entries;
        *self
            .tally
            .skipped
            .entry(reason.code().to_owned())
            .or_insert(0) += entries;
    }

    /// Counts one entry that came to nothing, and says why.
    fn lose(&mut self, trouble: &Trouble, at: &Locator) {
        let counts = match trouble.effect {
            Effect::Damaged => &mut self.tally.damaged,
            Effect::Skipped | Effect::Odd => &mut self.tally.skipped,
        };
        self.tally.entries += 1;
        *counts.entry(trouble.code.clone().into_owned()).or_insert(0) += 1;
        self.placed.records.push(problem(trouble, at));
    }

    fn say(&mut self, trouble: &Trouble, at: &Locator) {
        self.placed.records.push(problem(trouble, at));
    }

    /// Takes one member of a container.
    fn member(
        &mut self,
        opened: &mut Opened,
        name: &MemberName,
        len: u64,
        stands: impl FnOnce() -> Stands,
    ) {
        let ordinal = opened.ordinal(name);
        let is_wanted = self.triage.is_wanted(len);
        match stands() {
            Stands::Absent(trouble) => {
                opened.entries += 1;
                self.lose(&trouble, &opened.place_of(name, ordinal));
            }
            _ if !is_wanted => self.skip(opened, Reason::Length, 1, Some(len)),
            Stands::Packed(crc32) => {
                if !self.triage.asks_checksums {
                    self.skip(opened, Reason::Packed, 1, Some(len));
                    return;
                }
                let sets = self.sets();
                let found = Triage::matches(sets, Grade::Hinted, |set| set.find_crc(len, crc32));
                self.tell(
                    &found.collect::<Vec<_>>(),
                    &opened.place_of(name, ordinal),
                    Basis::Header,
                    None,
                );
                self.skip(opened, Reason::Checksum, 1, Some(len));
            }
            Stands::At(input) => {
                let head = input.slice(0, HEAD).unwrap_or_default();
                if formats::by_magic(&head).is_some() || formats::not_opened(&head).is_some() {
                    self.skip(opened, Reason::Packed, 1, Some(len));
                    return;
                }
                opened.entries += 1;
                match self.content(&input, &opened.place_of(name, ordinal)) {
                    Ok(_) => {}
                    Err(trouble) => self.lose(&trouble, &opened.place_of(name, ordinal)),
                }
            }
        }
    }

    /// Reads content and holds it against the sets.
    fn content(&mut self, input: &Input, at: &Locator) -> Result<Sha256Digest, Trouble> {
        let read = digests(input).map_err(|error| unit::failed(&error, input.len()))?;
        let (key, sha256, lines) = read;
        let sets = self.sets();
        let hits = if sets.asks_more_than_sha256() {
            let digests = ListDigests::read(input.reader(0), input.len())
                .map_err(|error| unit::failed(&error, input.len()))?;
            sets.lookup_listed(&sha256.0, &digests)
        } else {
            sets.lookup_digests(&sha256.0, None)
        };
        let read = Read {
            sha256,
            lines,
            bytes: input.len(),
        };
        self.tell(&match_facts(hits), at, Basis::Content, Some(read));
        self.tally.entries += 1;
        self.tally.bytes += input.len();
        self.tally.keys.push(key);
        Ok(sha256)
    }

    /// Records matches. Of content that was not read, length and lines are those of the file that it is held to be.
    fn tell(&mut self, found: &[MatchFact], at: &Locator, basis: Basis, read: Option<Read>) {
        let Some(fact) = found.first() else { return };
        let file = self.sets().sets()[fact.set as usize].file(fact.file);
        let stated = file.map_or((0, 0), |file| (file.bytes, u64::from(file.lines)));
        let target = Target {
            sha256: read.map(|read| read.sha256),
            basis,
            lines: read.map_or(stated.1, |read| read.lines),
            bytes: read.map_or(stated.0, |read| read.bytes),
            written: None,
        };
        let placer = &self.scan.placer;
        placer.tell_matches(found, at, &target, &mut self.placed);
    }

    /// Closes a container: says what was not read in it.
    fn close(&mut self, opened: Opened) {
        for (reason, (entries, bytes)) in &opened.unread {
            let trouble = Trouble::skipped(reason.code(), reason.said(*entries), *bytes);
            self.say(&trouble, &opened.at);
        }
        let without = self.triage.without_checksums;
        if without > 0 && opened.unread.contains_key(&Reason::Checksum) {
            self.say(&not_held(without, "CRC-32"), &opened.at);
        }
        self.tally.damaged_containers += 1;
        self.placed.containers.push(PlacedContainer {
            locator: opened.at.as_str().to_owned(),
            kind: opened.kind.to_owned(),
            sha256: None,
            bytes: opened.len,
            entries: opened.entries,
        });
    }

    /// Counts a container itself, of which headers were read.
    fn headers_only(&mut self) {
        self.tally.entries += 1;
        *self.tally.skipped.entry(HEADERS.to_owned()).or_insert(0) += 1;
    }
}

/// What is said where some of the sets hold none of the names that a container gives.
fn not_held(sets: usize, names: &str) -> Trouble {
    Trouble::odd(
        "triage-names",
        format!(
            "{} no {names} of files, and what is here was not held against {}; scan it without --triage",
            plural(sets as u64, "set has", "sets have"),
            if sets == 1 { "it" } else { "them" }
        ),
    )
}

/// Key, SHA-256 and lines of content.
fn digests(input: &Input) -> std::io::Result<(ContentKey, Sha256Digest, u64)> {
    let (mut digests, mut lines) = (StreamDigests::default(), LineCounter::default());
    let mut reader = input.reader(0);
    let buffer_len = usize::try_from(input.len())
        .unwrap_or(usize::MAX)
        .clamp(1, 1 << 20);
    let mut buffer = vec![0; buffer_len];
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            got => {
                digests.update(&buffer[..got]);
                lines.update(&buffer[..got]);
            }
        }
    }
    let (key, sha256, len) = digests.finish();
    if len < input.len() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok((key, sha256, lines.count()))
}

/// What is known of the file of a unit, beside what is in it.
#[derive(Default)]
struct Own {
    /// It is a container of files, of this kind.
    archive: Option<&'static str>,
    sha256: Option<Sha256Digest>,
    /// What kept it from being looked at as it should.
    may_pass: bool,
}

/// Triages one unit. `None` where the run is to stop before it is done.
pub(super) fn read(scan: &Scan, triage: &Triage, index: usize) -> Option<UnitDone> {
    let row = &scan.units[index];
    let root = &scan.roots[row.input];
    let at = Locator::file(&root.label, &row.path);
    let mut account = Account {
        scan,
        triage,
        tally: Tally::default(),
        placed: Placed::default(),
    };
    let own = match &row.store {
        Some(files) => store::unit(&mut account, root, row, files, &at),
        None => account.file(root, row, &at),
    };
    let progress = &scan.analyser.progress;
    if progress.stop.load(std::sync::atomic::Ordering::Relaxed) {
        return None;
    }
    Some(UnitDone {
        index,
        tally: account.tally,
        placed: account.placed,
        open: own.archive.map(|kind| OpenFacts::Archive {
            kind: kind.to_owned(),
            sha256: own.sha256,
            inner: None,
        }),
        sha256: own.sha256,
        is_final: !own.may_pass,
        kept: None,
    })
}

impl Account<'_> {
    /// Triages a file that is a unit.
    fn file(&mut self, root: &InputRoot, row: &Unit, at: &Locator) -> Own {
        let (file, before) = match input::open(root, row) {
            Ok(opened) => opened,
            Err(trouble) => return self.unreadable(&trouble, at),
        };
        let file = InputFile::new(file, before.size);
        let head = match file.read_at(0, HEAD) {
            Ok(head) => head,
            Err(error) => return self.unreadable(&unit::failed(&error, before.size), at),
        };
        let format = formats::by_magic(&head).map(|format| format.name());
        let input = Input::File(file);
        let mut own = Own::default();
        let outcome = match format.or_else(|| formats::not_opened(&head)) {
            Some(kind @ ("tar" | "zip")) => {
                own.archive = Some(kind);
                let mut opened = Opened::new(at.clone(), kind, input.len());
                let result = match kind {
                    "tar" => archive::tar(self, &mut opened, &input),
                    _ => archive::zip(self, &mut opened, &input),
                };
                match result {
                    Ok(()) => {
                        self.close(opened);
                        self.headers_only();
                        Ok(())
                    }
                    Err(trouble) => Err(trouble),
                }
            }
            Some(kind) => {
                own.archive =
                    (!matches!(kind, "source-map" | "bun-map" | "ram-bundle")).then_some(kind);
                Err(Trouble::skipped(
                    PACKED,
                    format!(
                        "a {kind}: what is in it was not looked at, since that takes opening it"
                    ),
                    Some(before.size),
                ))
            }
            None if self.triage.is_wanted(before.size) => self
                .content(&input, at)
                .map(|sha256| own.sha256 = Some(sha256)),
            None => {
                self.tally.entries += 1;
                *self.tally.skipped.entry(LENGTH.to_owned()).or_insert(0) += 1;
                Ok(())
            }
        };
        if let Err(trouble) = outcome {
            own.may_pass = unit::may_pass(&trouble);
            self.lose(&trouble, at);
        }
        if let Some(trouble) = unit::change_of(root, row, before) {
            // What was counted of it stays; that it is not what is there now is said.
            own.may_pass = true;
            self.say(&trouble, at);
        }
        own
    }

    fn unreadable(&mut self, trouble: &Trouble, at: &Locator) -> Own {
        self.lose(trouble, at);
        Own {
            may_pass: unit::may_pass(trouble),
            ..Own::default()
        }
    }
}
