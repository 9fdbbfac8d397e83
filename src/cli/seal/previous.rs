//! An earlier folder of the same case: that its custody log is the beginning of the one that is sealed now.

use std::path::Path;

use crate::blob::Sha256Digest;
use crate::case::Case;
use crate::cli::CliError;
use crate::report::evidence::tree_head::{self, Checkpoint};
use crate::report::evidence::verify::{Consistency, Folder};
use crate::report::evidence::{self, bag};

/// Bytes of a checkpoint.
const SMALL: u64 = 64 << 10;

/// What is known of an earlier folder.
pub struct Previous {
    /// The head of the log in it.
    pub head: Checkpoint,
    /// SHA-256 of its tag manifest.
    pub tag_manifest: Sha256Digest,
}

/// Reads the tree head of an earlier folder.
pub fn head_in(path: &Path) -> Result<(Folder, Checkpoint), CliError> {
    let folder = Folder::open(path).map_err(|error| CliError::new(error.to_string()))?;
    let text = folder.text(evidence::CHECKPOINT_FILE, SMALL);
    let head = text.ok().and_then(|text| Checkpoint::parse(&text));
    let head = head.ok_or_else(|| {
        CliError::new(format!(
            "{} has no tree head in {}; name a folder that `seal` wrote",
            path.display(),
            evidence::CHECKPOINT_FILE
        ))
    })?;
    Ok((folder, head))
}

/// Reads what is needed of an earlier folder.
pub fn read_previous(path: &Path) -> Result<Previous, CliError> {
    let (folder, head) = head_in(path)?;
    let (tag_manifest, _) = folder
        .digest(bag::TAG_MANIFEST_FILE)
        .map_err(|error| CliError::new(format!("{}: {error}", path.display())))?;
    Ok(Previous { head, tag_manifest })
}

/// The head over the first entries of the log; `None` where there are none.
fn head_of(case: &Case, entries: usize) -> Result<Option<Checkpoint>, CliError> {
    let texts = case.custody_texts()?;
    let entries: Vec<&[u8]> = texts.iter().map(String::as_bytes).take(entries).collect();
    Ok(Checkpoint::of(&entries))
}

/// Whether the log begins with that of the earlier folder.
pub fn check_goes_on(case: &Case, earlier: &Checkpoint) -> Result<(), CliError> {
    let size = usize::try_from(earlier.size).unwrap_or(usize::MAX);
    if head_of(case, size)?.as_ref() == Some(earlier) {
        return Ok(());
    }
    Err(CliError::new(
        "the custody log of this case does not go on from the one in the earlier folder: it is of another case, or one of the two was changed",
    ))
}

/// The proof that a log goes on from that of the earlier folder.
pub fn consistency(
    previous: &Previous,
    head: &Checkpoint,
    leaves: &[tree_head::Node],
) -> Result<Consistency, CliError> {
    let size = usize::try_from(previous.head.size).unwrap_or(usize::MAX);
    let proof = tree_head::consistency(size, leaves).ok_or_else(|| {
        CliError::new("the custody log is shorter than the one in the earlier folder")
    })?;
    Ok(Consistency {
        previous: (&previous.head).into(),
        previous_tag_manifest: previous.tag_manifest.hex(),
        current: head.into(),
        proof: proof.iter().map(tree_head::base64).collect(),
    })
}
