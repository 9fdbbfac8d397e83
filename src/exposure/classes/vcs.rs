//! Folders of version control systems other than git: Subversion, Mercurial, CVS, Bazaar.
//!
//! Each keeps a list of all files and the address of the repository in a file of its own form.

use super::circumstance::CREDENTIALS;
use super::hosts::Hosts;
use super::text::{Credentials, Text, settings};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

const CLASS: &str = "other-vcs-folder";

/// The database of a Subversion work copy, and Mercurial's state of a work copy.
pub struct WorkCopies;

/// How much of the database is looked at: its schema stands in its first pages. Bytes.
const LOOK: usize = 64 << 10;

impl Class for WorkCopies {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        let head = &bytes[..bytes.len().min(LOOK)];
        let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
        if bytes.starts_with(b"SQLite format 3\0") {
            let is_work_copy = has(b"CREATE TABLE REPOSITORY") && has(b"CREATE TABLE WCROOT");
            return is_work_copy
                .then(|| Artifact::proven(CLASS, "", "the database of a Subversion work copy"));
        }
        if bytes.starts_with(b"Bazaar-NG meta directory")
            || bytes.starts_with(b"Bazaar Working Tree")
        {
            return Some(Artifact::proven(CLASS, "", "a Bazaar folder"));
        }
        None
    }
}

/// `.hg/hgrc`: `[paths]` with `default`, and logins in `[auth]`.
pub fn read_hgrc(text: &Text<'_>) -> Option<Artifact> {
    let mut found = Credentials::default();
    let mut hosts = Hosts::default();
    let mut has_path = false;
    for (section, key, value) in settings(text) {
        match section {
            "paths" if key.starts_with("default") => {
                has_path = true;
                found.add_url(value);
                hosts.add(value);
            }
            "auth" if key.ends_with(".password") => {
                has_path = true;
                found.add(value);
            }
            _ => {}
        }
    }
    if !has_path {
        return None;
    }
    let circumstance = if found.is_live() { CREDENTIALS } else { "" };
    let detail = format!(
        "settings of a Mercurial repository: {found}{}",
        hosts.said()
    );
    Some(Artifact::proven(CLASS, circumstance, detail).pointing_to(hosts))
}

/// `CVS/Root` (`:pserver:user@host:/path`) and `CVS/Entries` (`/name/1.4/date//`).
pub fn read_cvs(text: &Text<'_>) -> Option<Artifact> {
    let is_root = [":pserver:", ":ext:", ":local:", ":gserver:"]
        .iter()
        .any(|method| text.first.starts_with(method));
    let lines = text.lines().count();
    if is_root && lines == 1 {
        return Some(Artifact::proven(
            CLASS,
            "",
            "the address of a CVS repository",
        ));
    }
    let is_entry = |line: &str| {
        line == "D"
            || line.trim_start_matches('D').starts_with('/') && line.matches('/').count() == 5
    };
    let has_entry = text.first.starts_with('/');
    (has_entry && text.lines().all(is_entry))
        .then(|| Artifact::proven(CLASS, "", format!("a list of {lines} files that CVS keeps")))
}
