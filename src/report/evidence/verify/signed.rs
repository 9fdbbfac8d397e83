//! Who stands behind the folder, and when it was there: signature, signed statement, time stamp.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use ssh_key::public::KeyData;

use super::stated::Stated;
use super::{Asked, Check, Folder, Outcome};
use crate::blob::Sha256Digest;
use crate::report::evidence::bag::TAG_MANIFEST_FILE;
use crate::report::evidence::dsse;
use crate::report::evidence::sshsig::{self, MAX_SIGNATURE_BYTES, SIGNATURE_FILE, Signed};
use crate::report::evidence::timestamp::{
    self, MAX_REPLY_BYTES, QUERY_FILE, REPLY_FILE, StampError,
};

const SMALL: u64 = 64 << 10;
/// Seconds until the year 10,000, in which times have no form any more.
const MAX_SECONDS: u64 = 253_402_300_799;

/// The checks.
pub fn check(
    folder: &Folder,
    found: &BTreeMap<String, u64>,
    stated: Option<&Stated>,
    asked: &Asked,
) -> Vec<Check> {
    let (by_whom, key) = signature(folder, found, asked);
    vec![
        by_whom,
        statement(stated, key.as_ref()),
        stamp(folder, found, asked),
    ]
}

fn signature(
    folder: &Folder,
    found: &BTreeMap<String, u64>,
    asked: &Asked,
) -> (Check, Option<KeyData>) {
    let ended = |outcome, says: String| Check {
        name: "signature",
        outcome,
        says,
        proves: "the holder of the key signed this folder as it is (SSHSIG over the tag manifest)",
        not: "when, and that what the folder says is right",
    };
    if !found.contains_key(SIGNATURE_FILE) {
        let says = "unsigned: whoever can write in the folder can have made it anew".to_owned();
        // Who names signers expects one of them.
        let outcome = if asked.signers.is_some() {
            Outcome::Failed
        } else {
            Outcome::Absent
        };
        return (ended(outcome, says), None);
    }
    let read = folder.read(SIGNATURE_FILE, MAX_SIGNATURE_BYTES);
    let message = folder.read(TAG_MANIFEST_FILE, SMALL);
    let (read, message) = match (read, message) {
        (Ok(read), Ok(message)) => (read, message),
        (Err(error), _) | (_, Err(error)) => return (ended(Outcome::Failed, error), None),
    };
    match sshsig::check(&read, &message) {
        Signed::By(key) => {
            let (outcome, says) = by_whom(&key, asked);
            (ended(outcome, says), Some(*key))
        }
        Signed::Not(why) => {
            let says = format!("the signature does not hold: {why}");
            (ended(Outcome::Failed, says), None)
        }
        Signed::Unknown(what) => {
            let says = format!(
                "it is signed with {what}, which this program does not check; `ssh-keygen -Y verify` may"
            );
            (ended(Outcome::Unchecked, says), None)
        }
    }
}

/// Whose key it is, as far as the user said.
fn by_whom(key: &KeyData, asked: &Asked) -> (Outcome, String) {
    let print = sshsig::fingerprint(key);
    let Some(signers) = &asked.signers else {
        return (
            Outcome::Passed,
            format!("signed by key {print}; whose it is was not checked (--allowed-signers)"),
        );
    };
    let who = signers.who(key);
    let unused = match signers.unused.as_slice() {
        [] => String::new(),
        [one, ..] => format!(
            "; {} lines of the allowed signers were not used ({one})",
            signers.unused.len()
        ),
    };
    match who.first() {
        Some((name, for_a_time)) => {
            let time = if *for_a_time {
                "; the list says it holds for a time only, which is not checked"
            } else {
                ""
            };
            let says = format!("signed by {name}, key {print}{time}{unused}");
            (Outcome::Passed, says)
        }
        None => {
            let says =
                format!("signed by key {print}, which is not among the allowed signers{unused}");
            (Outcome::Failed, says)
        }
    }
}

fn statement(stated: Option<&Stated>, key: Option<&KeyData>) -> Check {
    let ended = |outcome, says: String| Check {
        name: "signed statement",
        outcome,
        says,
        proves: "the key that signed the folder also signed the statement by itself, for programs that read DSSE",
        not: "anything that the signature of the folder does not",
    };
    let Some(stated) = stated else {
        return ended(
            Outcome::Failed,
            "there is no statement to be read".to_owned(),
        );
    };
    let signatures = &stated.envelope.signatures;
    let (signature, key) = match (signatures.as_slice(), key) {
        ([], _) => {
            return ended(
                Outcome::Absent,
                "the statement is not signed by itself".to_owned(),
            );
        }
        ([signature], Some(key)) => (signature, key),
        ([_], None) => {
            let says =
                "the statement is signed, but no signature of the folder says with which key";
            return ended(Outcome::Unchecked, says.to_owned());
        }
        _ => return ended(Outcome::Failed, "it has several signatures".to_owned()),
    };
    let bytes = dsse::pae(&stated.envelope.payload_type, &stated.payload);
    let print = sshsig::fingerprint(key);
    if signature.keyid != print {
        let says = format!(
            "the statement names the key {:?}, and the folder was signed by another, so it is checked with none",
            signature.keyid
        );
        return ended(Outcome::Unchecked, says);
    }
    let holds = signature
        .bytes()
        .is_some_and(|sig| sshsig::check_plain(key, &bytes, &sig));
    if holds {
        ended(Outcome::Passed, format!("signed by the same key, {print}"))
    } else {
        ended(Outcome::Failed, "its signature does not hold".to_owned())
    }
}

fn stamp(folder: &Folder, found: &BTreeMap<String, u64>, asked: &Asked) -> Check {
    let ended = |outcome, says: String| Check {
        name: "time stamp",
        outcome,
        says,
        proves: "the folder was as it is at that time, by the clock of the authority (RFC 3161)",
        not: "that the certificate was not revoked, and that anything in the folder is right",
    };
    let digest = match folder.digest(TAG_MANIFEST_FILE) {
        Ok((digest, _)) => digest,
        Err(error) => return ended(Outcome::Failed, error),
    };
    if let Err(error) = query_fits(folder, found, &digest) {
        return ended(Outcome::Failed, error);
    }
    let reply = match &asked.reply {
        Some(reply) => Ok(reply.clone()),
        None if !found.contains_key(REPLY_FILE) => {
            let says = "none: when the folder was made is said by its custody log only";
            let outcome = if asked.trusted.is_empty() {
                Outcome::Absent
            } else {
                Outcome::Failed
            };
            return ended(outcome, says.to_owned());
        }
        None => folder.read(REPLY_FILE, MAX_REPLY_BYTES),
    };
    let checked = match reply {
        Ok(reply) => timestamp::check(&reply, &digest, &asked.trusted),
        Err(error) => return ended(Outcome::Failed, error),
    };
    match checked {
        Ok(stamp) => {
            let whose = match stamp.trusted {
                Some(true) => "; its certificate leads up to one that you trust",
                Some(false) => {
                    let says = format!(
                        "the certificate of {} does not lead up to any that you trust",
                        stamp.authority
                    );
                    return ended(Outcome::Failed, says);
                }
                None => "; whose certificate that is was not checked (--tsa-ca)",
            };
            let time = UNIX_EPOCH + Duration::from_secs(stamp.time.min(MAX_SECONDS));
            let says = format!(
                "{}, number {}, by {} (certificate {}){whose}",
                humantime::format_rfc3339_seconds(time),
                stamp.serial,
                stamp.authority,
                stamp.certificate
            );
            ended(Outcome::Passed, says)
        }
        Err(error @ StampError::Unknown(_)) => ended(Outcome::Unchecked, error.to_string()),
        Err(error) => ended(Outcome::Failed, error.to_string()),
    }
}

/// Whether the query is the one that this folder has. It may be missing: the reply says by itself what it is about.
fn query_fits(
    folder: &Folder,
    found: &BTreeMap<String, u64>,
    digest: &Sha256Digest,
) -> Result<(), String> {
    if !found.contains_key(QUERY_FILE) {
        return Ok(());
    }
    let there = folder.read(QUERY_FILE, SMALL)?;
    let ours = timestamp::query(digest).map_err(|error| error.to_string())?;
    if there == ours {
        return Ok(());
    }
    Err(format!("{QUERY_FILE} does not ask about this folder"))
}
