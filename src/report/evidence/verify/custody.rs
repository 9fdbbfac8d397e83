//! Whether the custody log holds together, its head is right, and it goes on from an earlier one.

use serde::{Deserialize, Serialize};

use super::{Asked, Check, Folder, Outcome, told};
use crate::report::evidence::custody::{self, Row};
use crate::report::evidence::tree_head::{self, Checkpoint, Node};
use crate::report::evidence::{CHECKPOINT_FILE, CONSISTENCY_FILE, CUSTODY_FILE};
use crate::report::text::plural;

/// Bytes of a log.
const MAX_LOG_BYTES: u64 = 256 << 20;
const SMALL: u64 = 64 << 10;
/// What stands in the first entry for the one before it.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Two heads of one log, and the proof that one goes on from the other: `consistency.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consistency {
    /// The earlier head.
    pub previous: Head,
    /// SHA-256 of the tag manifest of the earlier folder, hex.
    pub previous_tag_manifest: String,
    /// The later head.
    pub current: Head,
    /// The proof (RFC 9162, section 2.1.4), base64, in its order.
    pub proof: Vec<String>,
}

/// A head as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Names the log.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Base64 of the root.
    pub root: String,
}

impl From<&Checkpoint> for Head {
    fn from(of: &Checkpoint) -> Self {
        Self {
            origin: of.origin.clone(),
            size: of.size,
            root: tree_head::base64(&of.root),
        }
    }
}

impl Head {
    fn checkpoint(&self) -> Option<Checkpoint> {
        Some(Checkpoint {
            origin: self.origin.clone(),
            size: self.size,
            root: tree_head::from_base64(&self.root)?,
        })
    }
}

/// The checks, and the head where it is right.
pub fn check(folder: &Folder, asked: &Asked) -> (Vec<Check>, Option<Checkpoint>) {
    let rows = folder
        .text(CUSTODY_FILE, MAX_LOG_BYTES)
        .and_then(|log| rows(&log));
    let chained = rows.as_deref().map_err(Clone::clone).and_then(chain);
    let head = rows
        .as_deref()
        .map_err(Clone::clone)
        .and_then(|rows| head(folder, rows));
    let mut checks = vec![told(
        "custody log",
        chained,
        "no entry was changed, moved or taken out behind another",
        "that clocks were right, or that nobody wrote the whole log anew; a head noted elsewhere shows that",
    )];
    checks.push(told(
        "tree head",
        head.as_ref()
            .map(|head| {
                format!(
                    "{} of {} (RFC 9162)",
                    tree_head::base64(&head.root),
                    entries(head.size)
                )
            })
            .map_err(Clone::clone),
        "the checkpoint stands for exactly this log: the same head noted elsewhere means the same log",
        "when that was",
    ));
    let head = head.ok();
    checks.extend(goes_on(folder, head.as_ref(), asked));
    (checks, head)
}

/// The lines of the log, as far as each is one.
fn rows(log: &str) -> Result<Vec<Row>, String> {
    if !log.ends_with('\n') {
        return Err(format!("{CUSTODY_FILE} does not end with a line feed"));
    }
    let lines = log.split_terminator('\n').zip(1_u64..);
    let rows = lines.map(|(line, number)| {
        custody::row(line).map_err(|error| format!("entry {number} cannot be read: {error}"))
    });
    rows.collect()
}

fn chain(rows: &[Row]) -> Result<String, String> {
    let (mut previous, mut withheld) = (NOTHING, 0_u64);
    for (row, wanted) in rows.iter().zip(1_u64..) {
        let follows = match &row.link {
            Some(link) => link.previous == previous,
            None => {
                withheld += 1;
                true
            }
        };
        if row.seq != wanted || !follows {
            return Err(format!("entry {wanted} does not follow the one before it"));
        }
        previous = &row.sha256;
    }
    let last = rows.last().and_then(|row| row.link.as_ref());
    let last = last.ok_or("its last entry is not that of a sealing".to_owned())?;
    let held = match withheld {
        0 => String::new(),
        some => format!(" ({some} withheld as work product, by digest)"),
    };
    Ok(format!(
        "{}{held}, each with the digest of the one before; the last of {} by {}",
        entries(rows.len() as u64),
        last.time,
        last.actor
    ))
}

fn entries(count: u64) -> String {
    plural(count, "entry", "entries")
}

fn head(folder: &Folder, rows: &[Row]) -> Result<Checkpoint, String> {
    let text = folder.text(CHECKPOINT_FILE, SMALL)?;
    let said = Checkpoint::parse(&text).ok_or(format!(
        "{CHECKPOINT_FILE} is not origin, size and root, a line each"
    ))?;
    match of_rows(rows) {
        Some(found) if found == said => Ok(said),
        _ => Err(format!(
            "{CHECKPOINT_FILE} is of another log than {CUSTODY_FILE}"
        )),
    }
}

fn of_rows(rows: &[Row]) -> Option<Checkpoint> {
    let leaves: Vec<Node> = rows.iter().map(|row| row.leaf).collect();
    Some(Checkpoint::of_leaves(&rows.first()?.sha256, &leaves))
}

/// Whether the log goes on from an earlier one: by the proof in the folder, and by the folder that the user names.
fn goes_on(folder: &Folder, head: Option<&Checkpoint>, asked: &Asked) -> Option<Check> {
    let proves = "the log of the earlier folder is the beginning of this one, entry by entry";
    let not = "that the earlier folder is what it says, unless it is verified too";
    let name = "consistency";
    let text = match folder.text(CONSISTENCY_FILE, SMALL) {
        Ok(text) => Some(text),
        Err(error) if error.ends_with("is missing") => None,
        Err(error) => return Some(told(name, Err(error), proves, not)),
    };
    let Some(text) = text else {
        let asked = asked.previous.as_ref()?;
        let says = match held_against(folder, asked) {
            Ok(says) => told(name, Ok(says), proves, not),
            Err(says) => told(name, Err(says), proves, not),
        };
        return Some(says);
    };
    let Some(head) = head else {
        return Some(Check {
            name,
            outcome: Outcome::Failed,
            says: "the head that it should lead to is not right".to_owned(),
            proves,
            not,
        });
    };
    Some(told(name, proven(&text, head, asked), proves, not))
}

/// Whether the log in this folder begins with one that had this head.
fn held_against(folder: &Folder, previous: &Checkpoint) -> Result<String, String> {
    let rows = rows(&folder.text(CUSTODY_FILE, MAX_LOG_BYTES)?)?;
    let size = usize::try_from(previous.size).unwrap_or(usize::MAX);
    if rows.get(..size).and_then(of_rows).as_ref() == Some(previous) {
        return Ok(format!(
            "goes on from the {} of the earlier folder",
            entries(previous.size)
        ));
    }
    Err("the log does not go on from that of the earlier folder".to_owned())
}

fn proven(text: &str, head: &Checkpoint, asked: &Asked) -> Result<String, String> {
    let said: Consistency = serde_json::from_str(text)
        .map_err(|error| format!("{CONSISTENCY_FILE} cannot be read: {error}"))?;
    let unreadable = || format!("{CONSISTENCY_FILE} has a head or a node that cannot be read");
    let previous = said.previous.checkpoint().ok_or_else(unreadable)?;
    let current = said.current.checkpoint().ok_or_else(unreadable)?;
    let proof: Option<Vec<Node>> = said
        .proof
        .iter()
        .map(|node| tree_head::from_base64(node))
        .collect();
    let proof = proof.ok_or_else(unreadable)?;
    if current != *head || previous.origin != head.origin {
        return Err(format!("{CONSISTENCY_FILE} is about another log"));
    }
    if !tree_head::is_consistent(&previous, head, &proof) {
        return Err("the proof does not lead from the earlier head to this one".to_owned());
    }
    match &asked.previous {
        Some(known) if *known != previous => Err(
            "the earlier folder that was named has another head than the proof begins with"
                .to_owned(),
        ),
        known => Ok(format!(
            "goes on from {} of an earlier folder{}",
            entries(previous.size),
            if known.is_some() {
                ", the one that was named"
            } else {
                ""
            }
        )),
    }
}
