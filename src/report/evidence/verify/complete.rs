//! Whether the folder is whole: the lists, what they list, and nothing else; and what no list can speak of.
//!
//! What is made of the list of the lists (signature, query, reply) comes after it, so that it stands in none: whether one was
//! put there or taken away later cannot be seen by the lists. That is said, with their names.

use std::collections::BTreeMap;

use super::folder::first_of;
use super::{Check, Folder, Outcome, told};
use crate::report::evidence::bag::{self, Manifest};
use crate::report::evidence::{HOW_TO_FILE, NEEDED, TAG_FILES, sshsig, timestamp};

const SMALL: u64 = 64 << 10;
/// Bytes of a manifest: the most files, with long names.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// The checks, and the list of the payload as far as it could be read.
pub fn check(
    folder: &Folder,
    found: &BTreeMap<String, u64>,
    walked: Result<(), String>,
) -> (Vec<Check>, Manifest) {
    let tags = read(folder, bag::TAG_MANIFEST_FILE, SMALL);
    let payload = read(folder, bag::MANIFEST_FILE, MAX_MANIFEST_BYTES);
    let whole = walked
        .and_then(|()| forms(folder))
        .and_then(|()| listed(&tags, &payload, found))
        .and_then(|()| digests(folder, &tags, &payload));
    let whole = whole.map(|files| {
        format!("{files} files are those of the two lists, by SHA-256; what else may be there is told below")
    });
    let checks = vec![
        told(
            "bag",
            whole,
            "of what the lists name nothing was changed, added or taken away since they were made, and no empty folder lies there (BagIt 1.0)",
            "who made the lists, and when",
        ),
        beside(found),
        told(
            "payload count",
            counted(folder, found),
            "bag-info.txt and the payload are of one sealing",
            "anything about what the files say",
        ),
    ];
    (checks, payload.unwrap_or_default())
}

fn read(folder: &Folder, file: &str, limit: u64) -> Result<Manifest, String> {
    let bytes = folder.read(file, limit)?;
    Manifest::parse(&bytes).map_err(|error| format!("{file}: {error}"))
}

/// Whether the declaration is that of a bag.
fn forms(folder: &Folder) -> Result<(), String> {
    if folder.text(bag::DECLARATION_FILE, SMALL)? == bag::DECLARATION {
        return Ok(());
    }
    Err(format!(
        "{} does not declare BagIt 1.0",
        bag::DECLARATION_FILE
    ))
}

/// Whether lists and folder name the same files.
fn listed(
    tags: &Result<Manifest, String>,
    payload: &Result<Manifest, String>,
    found: &BTreeMap<String, u64>,
) -> Result<(), String> {
    let (tags, payload) = (tags.as_ref()?, payload.as_ref()?);
    let mut wrong = Vec::new();
    for file in TAG_FILES {
        if !tags.files.contains_key(file) {
            wrong.push(format!("{file} is not in {}", bag::TAG_MANIFEST_FILE));
        }
    }
    for path in tags.files.keys() {
        if !TAG_FILES.contains(&path.as_str()) {
            wrong.push(format!(
                "{path} does not belong in {}",
                bag::TAG_MANIFEST_FILE
            ));
        }
    }
    for path in NEEDED {
        if !payload.files.contains_key(path) {
            wrong.push(format!("{path} is not in {}", bag::MANIFEST_FILE));
        }
    }
    for path in payload.files.keys() {
        if !path.starts_with(bag::PAYLOAD) {
            wrong.push(format!("{path} does not belong in {}", bag::MANIFEST_FILE));
        }
    }
    for path in tags.files.keys().chain(payload.files.keys()) {
        if !found.contains_key(path) {
            wrong.push(format!("{path} is listed and missing"));
        }
    }
    for path in found.keys() {
        let is_listed = tags.files.contains_key(path) || payload.files.contains_key(path);
        if !is_listed && !BESIDE.contains(&path.as_str()) {
            wrong.push(format!("{path} is there and in no list"));
        }
    }
    first_of(&wrong)
}

/// What is made of the list of the lists, and so stands in none; and that list.
const BESIDE: [&str; 4] = [
    bag::TAG_MANIFEST_FILE,
    sshsig::SIGNATURE_FILE,
    timestamp::QUERY_FILE,
    timestamp::REPLY_FILE,
];

/// Which of the files that no list can name are there. The query is made with each folder, so that it was taken away where
/// it is missing; of the others the lists do not even know whether there ever were any.
fn beside(found: &BTreeMap<String, u64>) -> Check {
    let named = |is_there: bool| {
        let files = BESIDE.into_iter().skip(1);
        let files: Vec<&str> = files
            .filter(|file| found.contains_key(*file) == is_there)
            .collect();
        match files.as_slice() {
            [] => "none".to_owned(),
            files => files.join(", "),
        }
    };
    let (outcome, gone) = if found.contains_key(timestamp::QUERY_FILE) {
        (Outcome::Passed, "")
    } else {
        (
            Outcome::Absent,
            "; the query was there when the folder was sealed and was taken away",
        )
    };
    let says = format!(
        "in no list: {}; not there: {}{gone}. That none was added or taken away since is not proven by the manifest",
        named(true),
        named(false)
    );
    Check {
        name: "outside the lists",
        outcome,
        says,
        proves: "what the lists do not name is this and no more",
        not: "that there was no other signature or time stamp before; each proves itself, below",
    }
}

/// Whether each file has the digest that its list says, and how many there are.
fn digests(
    folder: &Folder,
    tags: &Result<Manifest, String>,
    payload: &Result<Manifest, String>,
) -> Result<usize, String> {
    let (tags, payload) = (tags.as_ref()?, payload.as_ref()?);
    let (mut wrong, mut files) = (Vec::new(), 0);
    for (path, wanted) in tags.files.iter().chain(&payload.files) {
        files += 1;
        match folder.digest(path) {
            Ok((digest, _)) if digest == *wanted => {}
            Ok(_) => wrong.push(format!(
                "{path} was changed: it has another SHA-256 than listed"
            )),
            Err(error) => wrong.push(error),
        }
    }
    first_of(&wrong).map(|()| files)
}

/// Whether the payload is as large as is said. A folder whose instructions are gone is not whole either.
fn counted(folder: &Folder, found: &BTreeMap<String, u64>) -> Result<String, String> {
    if !found.contains_key(HOW_TO_FILE) {
        return Err(format!("{HOW_TO_FILE} is missing"));
    }
    let info = folder.text(bag::INFO_FILE, SMALL)?;
    let said = bag::oxum(&info).ok_or(format!("{} does not say Payload-Oxum", bag::INFO_FILE))?;
    let payload = found
        .iter()
        .filter(|(path, _)| path.starts_with(bag::PAYLOAD));
    let there = payload.fold((0_u64, 0_u64), |(bytes, files), (_, size)| {
        (bytes.saturating_add(*size), files + 1)
    });
    if said == there {
        return Ok(format!("{} bytes in {} files, as said", there.0, there.1));
    }
    Err(format!(
        "the payload has {} bytes in {} files, and {} says {} in {}",
        there.0,
        there.1,
        bag::INFO_FILE,
        said.0,
        said.1
    ))
}
