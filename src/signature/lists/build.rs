//! A set of what lists name: the exact tier and nothing else.

use std::collections::BTreeSet;

use sha2::Digest as _;

use super::super::builder::{BuildError, Built, Options, Summary, check_name, count};
use super::super::format::{
    self, EXACT_ID, FILES_ID, FLAG_BASELINE, FLAG_OF_LISTS, FLAG_PUBLIC, FileRow, LicenceFlag,
    MD5_SIZE_ID, PartyFlag, Preface,
};
use super::super::key::Key;
use super::super::{names, table};
use super::{Digest, Listed};

/// Makes a set of what lists name. The same path with the same digest counts once; order does not matter.
/// [`Options::for_third_parties`] is not kept: of what was not read nobody can say what is short.
///
/// # Errors
/// A name that is empty or too long, no file, too many, or files that are named in different ways: one file would then
/// count as two.
pub fn build(
    work: &str,
    release: &str,
    options: Options,
    mut files: Vec<(Listed, PartyFlag)>,
) -> Result<Built, BuildError> {
    check_name("work", work)?;
    check_name("release", release)?;
    let added = files.len();
    // Of repeats the one that states a length stays.
    files.sort_by(|(a, of_a), (b, of_b)| {
        let place = a.path.cmp(&b.path).then(a.digest.cmp(&b.digest));
        place.then(b.bytes.cmp(&a.bytes)).then(of_a.cmp(of_b))
    });
    files.dedup_by(|(later, _), (kept, _)| later.path == kept.path && later.digest == kept.digest);
    let Some((first, _)) = files.first() else {
        return Err(BuildError::NoFiles);
    };
    let kind = first.digest.kind();
    if let Some((other, _)) = files.iter().find(|(file, _)| file.digest.kind() != kind) {
        return Err(BuildError::MixedLists {
            kinds: [kind, other.digest.kind()],
        });
    }
    let rows: Vec<FileRow> = files
        .iter()
        .map(|(file, party)| row(file, *party))
        .collect();
    let counts = count(rows.iter().copied())?;
    let contents: BTreeSet<[u8; 32]> = files.iter().map(|(file, _)| identity(file)).collect();
    let contents: Vec<[u8; 32]> = contents.into_iter().collect();
    let (key, stored_key) = match options.key {
        Some(given) => (given, None),
        None => {
            let derived = Key::derived(work, release, &contents);
            (derived.clone(), Some(derived))
        }
    };
    let mut sections = vec![
        (FILES_ID, rows.iter().flat_map(FileRow::encode).collect()),
        digests_section(&key, &files),
    ];
    sections.sort_unstable_by_key(|(id, _): &(_, Vec<u8>)| *id);
    let flag = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
    let preface = Preface {
        flags: FLAG_OF_LISTS
            | flag(options.public, FLAG_PUBLIC)
            | flag(options.baseline, FLAG_BASELINE),
        counts,
        work: work.to_owned(),
        release: release.to_owned(),
        key_id: key.id(),
        key: stored_key,
    };
    let set_bytes = format::assemble(&preface, &sections);
    let set_sha256 = sha2::Sha256::digest(&set_bytes).into();
    let paths = files.iter().map(|(file, _)| file.path.as_slice());
    let mut names = Vec::new();
    names::write(work, release, &set_sha256, paths, &mut names)?;
    let summary = Summary {
        files: counts.files,
        bytes: counts.bytes,
        first_party_files: counts.first_party_files,
        first_party_bytes: counts.first_party_bytes,
        texts: 0,
        contents: contents.len() as u32,
        repeats: (added - files.len()) as u64,
        printed: 0,
        atoms_left_out: 0,
        thinned_out: 0,
        sections: sections
            .iter()
            .map(|(id, body)| (*id, body.len() as u64))
            .collect(),
        set_bytes: set_bytes.len() as u64,
        set_sha256,
        key_id: preface.key_id,
    };
    Ok(Built {
        set_bytes,
        names,
        summary,
    })
}

fn row(file: &Listed, party: PartyFlag) -> FileRow {
    FileRow {
        bytes: file.bytes.unwrap_or(0),
        lines: 0,
        party,
        licence: LicenceFlag::Unknown,
        has_norm: false,
        family: None,
        is_length_known: file.bytes.is_some(),
    }
}

/// What stands for a content where a key is derived: see [`Key::derived`].
fn identity(file: &Listed) -> [u8; 32] {
    let mut identity = [0; 32];
    match file.digest {
        Digest::Sha256(digest) => identity = digest,
        Digest::Git(id) => identity[..20].copy_from_slice(&id),
        Digest::Md5(digest) => {
            identity[..16].copy_from_slice(&digest);
            identity[16..24].copy_from_slice(&file.bytes.unwrap_or(0).to_le_bytes());
        }
    }
    identity
}

/// The section of the digests, which are all of one kind.
fn digests_section(key: &Key, files: &[(Listed, PartyFlag)]) -> (&'static str, Vec<u8>) {
    let (mut sha256, mut git, mut md5) = (Vec::new(), Vec::new(), Vec::new());
    for (id, (file, _)) in (0..).zip(files) {
        match &file.digest {
            Digest::Sha256(digest) => sha256.push((key.sha256_value(digest), id)),
            Digest::Git(digest) => git.push((key.git_value(digest), id)),
            Digest::Md5(digest) => {
                md5.push((key.md5_value(file.bytes.unwrap_or(0), digest), id));
            }
        }
    }
    if md5.is_empty() {
        let mut section = table::build(sha256);
        section.extend(table::build(git));
        (EXACT_ID, section)
    } else {
        (MD5_SIZE_ID, table::build(md5))
    }
}
