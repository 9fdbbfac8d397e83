//! What editors keep beside a file while it is open: swap and undo files of Vim.
//!
//! A swap file holds the text that was being edited, its full path, and the names of user and machine (Vim's `memline.c`,
//! block zero). Backups of other editors have no form of their own and are told by name.

use super::{Artifact, Class};
use crate::exposure::content::Hits;
use crate::exposure::shown;

const CLASS: &str = "editor-leftover";

/// Swap and undo files of Vim.
pub struct Editor;

/// Where block zero has the names of user, machine and file.
const USER: std::ops::Range<usize> = 28..68;
const MACHINE: std::ops::Range<usize> = 68..108;
const FILE: std::ops::Range<usize> = 108..998;

impl Class for Editor {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        match bytes.first()? {
            b'b' if matches!(bytes.get(..6), Some(b"b0VIM " | b"b0nano")) => swap(bytes),
            b'V' if bytes.starts_with(b"Vim\x9fUnDo\xe5") => Some(Artifact::proven(
                CLASS,
                "",
                "an undo file of Vim, with what was changed",
            )),
            b'V' if bytes.starts_with(b"VimCrypt~0") => Some(Artifact::proven(
                "encrypted-secrets",
                "",
                "a file that Vim encrypted",
            )),
            _ => None,
        }
    }
}

fn swap(bytes: &[u8]) -> Option<Artifact> {
    let text = |range| {
        let field: &[u8] = bytes.get(range)?;
        let end = memchr::memchr(0, field)?;
        field.get(..end)
    };
    let (user, machine) = (text(USER)?, text(MACHINE)?);
    let who = match (user.is_empty(), machine.is_empty()) {
        (true, true) => "",
        (false, true) => ", names a user",
        (true, false) => ", names a machine",
        (false, false) => ", names a user and a machine",
    };
    let file = bytes.get(FILE.start..bytes.len().min(FILE.end))?;
    let file = file.split(|&byte| byte == 0).next().unwrap_or_default();
    // A home folder is a person's name.
    let name = file.rsplit(|&byte| byte == b'/').next().unwrap_or(file);
    let detail = format!("a swap file of an editor, of {}{who}", shown(name));
    Some(Artifact::proven(CLASS, "", detail))
}
