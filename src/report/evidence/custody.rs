//! The custody log in a folder: its entries as they were hashed, one a line.
//!
//! The log also says what people decided, set by hand and drafted, with their reasons. That is theirs, and a folder goes to the
//! other side; but a log with an entry cut out would prove nothing. So such an entry is *withheld*: in its place stand its
//! digest, which the next entry names, and its leaf, which the tree head is made of. The chain and the head are checked as
//! before, and whoever is shown the entry later can check that it is the one. That something was withheld is said.

use serde::{Deserialize, Serialize};

use super::tree_head::{self, Node};
use crate::blob::Sha256Digest;

/// Why entries are withheld.
const REASON: &str = "work product";
/// What entries begin with that are about handing on what the case holds; all others are somebody's opinion or draft.
const SHOWN: [&str; 2] = ["seal", "case reveal"];

/// Of an entry, what ties it to others.
#[derive(Debug, Deserialize)]
pub struct Link {
    /// Its number, from 1.
    pub seq: u64,
    /// SHA-256 of the one before, hex.
    pub previous: String,
    /// When, by the clock of the machine.
    pub time: String,
    /// Who.
    pub actor: String,
}

/// What stands in place of an entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Withheld {
    seq: u64,
    withheld: String,
    /// SHA-256 of the entry, hex.
    sha256: String,
    /// Base64 of its leaf.
    leaf: String,
}

/// A line of the log.
#[derive(Debug)]
pub struct Row {
    /// SHA-256 of the entry, hex.
    pub sha256: String,
    /// Its leaf.
    pub leaf: Node,
    /// Its number.
    pub seq: u64,
    /// What is in it; `None` where it is withheld.
    pub link: Option<Link>,
}

/// The log as it is written, and how many of its entries are withheld. `whole` keeps all.
#[must_use]
pub fn text(entries: &[String], whole: bool) -> (String, u64) {
    let (mut text, mut withheld) = (String::new(), 0);
    for (entry, seq) in entries.iter().zip(1..) {
        if whole || is_shown(entry) {
            text.push_str(entry);
        } else {
            withheld += 1;
            let row = Withheld {
                seq,
                withheld: REASON.to_owned(),
                sha256: Sha256Digest::of(entry.as_bytes()).hex(),
                leaf: tree_head::base64(&tree_head::leaf(entry.as_bytes())),
            };
            text.push_str(&serde_json::to_string(&row).unwrap_or_default());
        }
        text.push('\n');
    }
    (text, withheld)
}

fn is_shown(entry: &str) -> bool {
    let entry: serde_json::Value = serde_json::from_str(entry).unwrap_or_default();
    let command = entry["command"].as_str().unwrap_or_default();
    SHOWN
        .iter()
        .any(|known| command == *known || command.starts_with(&format!("{known} ")))
}

/// Reads a line of the log.
///
/// # Errors
/// When it is neither an entry nor stands for one.
pub fn row(line: &str) -> Result<Row, String> {
    if let Ok(held) = serde_json::from_str::<Withheld>(line) {
        let leaf = tree_head::from_base64(&held.leaf).ok_or("its leaf is none")?;
        return Ok(Row {
            sha256: held.sha256,
            leaf,
            seq: held.seq,
            link: None,
        });
    }
    let link: Link = serde_json::from_str(line).map_err(|error| error.to_string())?;
    Ok(Row {
        sha256: Sha256Digest::of(line.as_bytes()).hex(),
        leaf: tree_head::leaf(line.as_bytes()),
        seq: link.seq,
        link: Some(link),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_think_is_withheld_and_the_chain_holds() {
        let entry = |seq: u64, command: &str| {
            format!(
                r#"{{"seq":{seq},"time":"t","actor":"a","command":"{command}","previous":"p"}}"#
            )
        };
        let entries = [
            entry(1, "case reveal x"),
            entry(2, "report --severity"),
            entry(3, "sealant"),
            entry(4, "seal --view counsel"),
        ];
        let (whole, none) = text(&entries, true);
        assert_eq!(
            (whole, none),
            (entries.map(|entry| entry + "\n").concat(), 0)
        );
        let entries = [
            entry(1, "case reveal x"),
            entry(2, "notice"),
            entry(3, "seal"),
        ];
        let (cut, withheld) = text(&entries, false);
        assert_eq!(withheld, 1);
        assert!(!cut.contains("notice"), "{cut}");
        for (line, entry) in cut.lines().zip(&entries) {
            let row = row(line).unwrap();
            assert_eq!(row.sha256, Sha256Digest::of(entry.as_bytes()).hex());
            assert_eq!(row.leaf, tree_head::leaf(entry.as_bytes()));
        }
        assert!(row("{}").is_err());
    }
}
