//! Whether the statement is about these files and says what the records say.

use serde_json::Value;

use super::records::Counted;
use super::{Check, Folder, told};
use crate::report::evidence::STATEMENT_FILE;
use crate::report::evidence::bag::{self, Manifest};
use crate::report::evidence::dsse::{Envelope, PAYLOAD_TYPE};
use crate::report::evidence::statement::{LISTED, PREDICATE_TYPE, STATEMENT_TYPE, Statement};
use crate::report::evidence::tree_head::{self, Checkpoint};

/// Bytes of a statement in its envelope.
const MAX_BYTES: u64 = 512 << 20;

/// The envelope, and what is in it.
pub struct Stated {
    /// The envelope.
    pub envelope: Envelope,
    /// The bytes in it.
    pub payload: Vec<u8>,
}

/// Reads it.
pub fn read(folder: &Folder) -> Result<Stated, String> {
    let bytes = folder.read(STATEMENT_FILE, MAX_BYTES)?;
    let envelope: Envelope = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{STATEMENT_FILE} cannot be read: {error}"))?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(format!("{STATEMENT_FILE} holds no in-toto statement"));
    }
    let payload = envelope.statement();
    let payload = payload.ok_or(format!("what {STATEMENT_FILE} holds is no base64"))?;
    Ok(Stated { envelope, payload })
}

/// Checks it.
pub fn check(
    stated: &Result<Stated, String>,
    manifest: &Manifest,
    counted: &Result<Counted, String>,
    head: Option<&Checkpoint>,
) -> Check {
    let result = stated.as_ref().map_err(Clone::clone);
    let result = result.and_then(|stated| fits(&stated.payload, manifest, counted, head));
    told(
        "statement",
        result,
        "the statement is about the files of this folder, and its figures are those of the records (in-toto, DSSE)",
        "who states it, unless it is signed",
    )
}

fn fits(
    payload: &[u8],
    manifest: &Manifest,
    counted: &Result<Counted, String>,
    head: Option<&Checkpoint>,
) -> Result<String, String> {
    let statement: Statement = serde_json::from_slice(payload)
        .map_err(|error| format!("the statement cannot be read: {error}"))?;
    if statement.kind != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
        return Err("it is a statement of another kind".to_owned());
    }
    let (mut files, mut exhibits) = (0_u64, 0_u64);
    for subject in &statement.subject {
        if subject.name.starts_with(LISTED) {
            exhibits += 1;
            continue;
        }
        let digest = manifest.files.get(&subject.name);
        if digest.map(crate::blob::Sha256Digest::hex).as_ref() != Some(&subject.digest.sha256) {
            return Err(format!(
                "{:?} is not in the folder as it states",
                subject.name
            ));
        }
        files += 1;
    }
    // All of the payload but the statement.
    if files + 1 != manifest.files.len() as u64 {
        return Err(format!(
            "it is about {files} of the {} files that {} lists",
            manifest.files.len(),
            bag::MANIFEST_FILE
        ));
    }
    let said = &statement.predicate;
    let rows = said
        .exhibits
        .listed
        .saturating_sub(said.exhibits.without_subject);
    if exhibits != rows {
        return Err(format!("it says {rows} exhibits and names {exhibits}"));
    }
    let counted = counted
        .as_ref()
        .map_err(|_| "the records cannot be read".to_owned())?;
    let is_same = |ours: &Value, theirs: &Value| ours == theirs;
    if said.counts != counted.counts
        || !is_same(&said.run, &counted.run)
        || !is_same(&said.ledger, &counted.ledger)
    {
        return Err("it says of the records what they do not say".to_owned());
    }
    let is_head = head.is_some_and(|head| {
        said.custody.origin == head.origin
            && said.custody.size == head.size
            && said.custody.root == tree_head::base64(&head.root)
    });
    if !is_head {
        return Err("it names another head of the custody log".to_owned());
    }
    Ok(format!(
        "about {files} files and {exhibits} exhibits, by SHA-256; run, ledger, counts and tree head are those of the folder"
    ))
}
