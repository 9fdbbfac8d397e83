//! Tars and zips by their headers.
//!
//! Members are taken as they come, but for those in folders called `.git`: as in a scan, these are kept back until the
//! archive ends, and are a store where they make one. What can be read of such a store is what stands in the archive as it
//! is: in a tar everything, in a zip what was stored. Of loose objects the name is enough.

use std::collections::BTreeMap;

use super::store::objects;
use super::{Account, Opened, PACKED, Stands};
use crate::blob::MemberName;
use crate::blob::limits::Meter;
use crate::container::git::found::{folder_of, is_store_of};
use crate::container::git::store::{KIND, StoreFile, StoreFiles};
use crate::container::zip::headers::{Header, Headers};
use crate::container::{Body, Event, Input, Trouble, Walker, tar};

/// What a member that is kept back is held to take beside its name; bytes.
const KEPT_COST: u64 = 200;
/// How often the bytes of a zip may be read for entries that stand on the same ones.
const OVERLAP_MAX: u64 = 16;

/// A member that is kept back.
struct Kept {
    /// Path below the folder that may be a store.
    path: Vec<u8>,
    len: u64,
    stands: Stands,
}

/// Takes the members of an archive.
struct Members<'a, 's, 'o> {
    account: &'a mut Account<'s>,
    opened: &'o mut Opened,
    kept: BTreeMap<Vec<u8>, Vec<Kept>>,
    /// Bytes that these take.
    held: u64,
    meter: Meter,
}

impl<'a, 's, 'o> Members<'a, 's, 'o> {
    fn new(account: &'a mut Account<'s>, opened: &'o mut Opened) -> Self {
        Self {
            account,
            opened,
            kept: BTreeMap::new(),
            held: 0,
            meter: Meter::default(),
        }
    }

    /// Takes a member; `false` where a limit ends the walk.
    fn take(&mut self, name: Vec<u8>, len: u64, stands: Stands) -> bool {
        let limits = &self.account.scan.analyser.limits;
        if let Some(code) = self.meter.charge(0, self.opened.len, limits) {
            let said = format!(
                "stopped after {} members of this container; raise --limit-{}",
                self.meter.entries - 1,
                code.trim_end_matches("-limit")
            );
            self.account
                .lose(&Trouble::damaged(code, said, None), &self.opened.at);
            self.opened.entries += 1;
            return false;
        }
        match folder_of(&name) {
            Some(end) if self.held < limits.hold() && !matches!(stands, Stands::Absent(_)) => {
                self.held += name.len() as u64 + KEPT_COST;
                let path = name[end + 1..].to_vec();
                let kept = Kept { path, len, stands };
                self.kept
                    .entry(name[..end].to_vec())
                    .or_default()
                    .push(kept);
            }
            _ => self.give(MemberName::Named(name), len, stands),
        }
        true
    }

    fn give(&mut self, name: MemberName, len: u64, stands: Stands) {
        self.account.member(self.opened, &name, len, || stands);
    }

    fn other(&mut self, kind: &str) {
        *self.account.tally.other.entry(kind.to_owned()).or_insert(0) += 1;
    }

    /// Gives what was kept back.
    fn finish(mut self) {
        for (folder, mut members) in std::mem::take(&mut self.kept) {
            members.sort_by(|a, b| a.path.cmp(&b.path));
            let is_one = is_store_of(members.iter().map(|member| &member.path[..]));
            let mut files = Held::default();
            for member in members {
                // Of two members at one path the first is a file of the store, and the other stands by itself.
                let is_second = files
                    .list
                    .last()
                    .is_some_and(|file| file.path == member.path);
                if is_one && !is_second {
                    files.list.push(StoreFile {
                        path: member.path,
                        len: member.len,
                    });
                    files.stands.push(member.stands);
                    continue;
                }
                let name = [&folder[..], b"/", &member.path].concat();
                self.give(MemberName::Named(name), member.len, member.stands);
            }
            if is_one {
                self.store(folder, &files);
            }
        }
    }

    fn store(&mut self, folder: Vec<u8>, files: &Held) {
        let name = MemberName::Named(folder);
        let ordinal = self.opened.ordinal(&name);
        let at = self.opened.place_of(&name, ordinal);
        let len = files.list.iter().map(|file| file.len).sum();
        let mut opened = Opened::new(at, KIND, len);
        objects(self.account, &mut opened, files, |number| {
            files.stands[number].again()
        });
        self.account.close(opened);
        self.account.headers_only();
        self.opened.entries += 1;
    }
}

impl Stands {
    fn again(&self) -> Stands {
        match self {
            Stands::At(input) => Stands::At(input.clone()),
            Stands::Packed(crc32) => Stands::Packed(*crc32),
            Stands::Absent(trouble) => Stands::Absent(trouble.clone()),
        }
    }
}

/// The files of a store in an archive.
#[derive(Default)]
struct Held {
    list: Vec<StoreFile>,
    stands: Vec<Stands>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.list.fmt(f)
    }
}

impl StoreFiles for Held {
    fn list(&self) -> &[StoreFile] {
        &self.list
    }

    fn open(&self, number: usize) -> Result<Input, Trouble> {
        match &self.stands[number] {
            Stands::At(input) => Ok(input.clone()),
            Stands::Packed(_) => Err(Trouble::skipped(
                PACKED,
                format!(
                    "{} is packed in the archive, and was not read",
                    crate::blob::locator::escape(&self.list[number].path)
                ),
                Some(self.list[number].len),
            )),
            Stands::Absent(trouble) => Err(trouble.clone()),
        }
    }
}

/// Triages a tar.
pub(super) fn tar(
    account: &mut Account,
    opened: &mut Opened,
    input: &Input,
) -> Result<(), Trouble> {
    let mut walker = tar::by_headers(input.clone());
    let mut members = Members::new(account, opened);
    while let Some(event) = walker.next() {
        let member = match event {
            Event::Member(member) => member,
            Event::Other(kind) | Event::NamedOther(kind, ..) => {
                members.other(kind);
                continue;
            }
            Event::Trouble(trouble) => {
                members.account.say(&trouble, &members.opened.at);
                continue;
            }
            Event::Map(_) => continue,
        };
        let is_sparse =
            (member.trouble.as_ref()).is_some_and(|trouble| trouble.code == "sparse-member");
        let (len, stands) = match (member.body, member.trouble) {
            (Body::Held(bytes), _) => (bytes.len() as u64, Stands::At(Input::Memory(bytes))),
            (Body::Streamed(Some(len)), _) if is_sparse => (
                len,
                // What is stored is not the member.
                Stands::Absent(Trouble::skipped(
                    PACKED,
                    "a sparse member, which would have to be put together; it was not looked at",
                    Some(len),
                )),
            ),
            (Body::Streamed(Some(len)), _) => match walker.data_at() {
                Some(at) => (len, Stands::At(input.within(at, len))),
                None => (len, absent(len)),
            },
            (_, Some(trouble)) => (0, Stands::Absent(trouble)),
            (_, None) => (0, absent(0)),
        };
        if let Stands::At(found) = &stands
            && found.len() < len
        {
            let cut = Trouble::damaged(
                "truncated",
                "the tar ends within this member",
                Some(len - found.len()),
            );
            members.take(member.name.bytes().to_vec(), len, Stands::Absent(cut));
            break;
        }
        if !members.take(member.name.bytes().to_vec(), len, stands) {
            break;
        }
    }
    members.finish();
    Ok(())
}

fn absent(len: u64) -> Stands {
    Stands::Absent(Trouble::skipped(
        PACKED,
        "its bytes could not be had without unpacking",
        Some(len),
    ))
}

/// Triages a zip.
pub(super) fn zip(
    account: &mut Account,
    opened: &mut Opened,
    input: &Input,
) -> Result<(), Trouble> {
    let mut headers = Headers::open(input.clone()).map_err(|_| {
        Trouble::skipped(
            PACKED,
            "a zip without a directory: what is in it was not looked at, since that takes opening it",
            Some(input.len()),
        )
    })?;
    let mut members = Members::new(account, opened);
    let mut read = 0_u64;
    for header in headers.by_ref() {
        if let Some(other) = header.other {
            members.other(other);
            continue;
        }
        let Header {
            name,
            unpacked,
            packed,
            crc32,
            stored_at,
            ..
        } = header;
        let stands = match stored_at {
            Some(at) => {
                let found = input.within(at, packed);
                let is_wanted = members.account.triage.lengths.contains(&unpacked);
                read += if is_wanted { found.len() } else { 0 };
                if read > input.len().saturating_mul(OVERLAP_MAX) {
                    let said = "entries of the zip stand on the same bytes, which were read so often that it is enough; this one was not read";
                    Stands::Absent(Trouble::skipped("zip-overlap", said, Some(packed)))
                } else if found.len() < packed {
                    let said = "the zip ends within this entry";
                    let missing = packed - found.len();
                    Stands::Absent(Trouble::damaged("truncated", said, Some(missing)))
                } else {
                    Stands::At(found)
                }
            }
            None => Stands::Packed(crc32),
        };
        if !members.take(name, unpacked, stands) {
            break;
        }
    }
    if let Some(trouble) = headers.finish() {
        members.account.say(&trouble, &members.opened.at);
    }
    members.finish();
    Ok(())
}
