//! Parts of a git folder by their own form: settings, packed references, the log of references, the index.
//!
//! A whole folder is told by its `HEAD`; these are what is left where somebody removed the rest, or where they were
//! copied out of it. Remotes say where internal repositories are, and now and then with which password.

use super::circumstance::CREDENTIALS;
use super::hosts::Hosts;
use super::text::{Credentials, Text, counted, settings};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

const CLASS: &str = "git-metadata";

/// Packed references and the index, told by their first bytes.
pub struct GitParts;

impl Class for GitParts {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        let detail = match bytes.first()? {
            b'#' if bytes.starts_with(b"# pack-refs with:") => {
                let lines = bytes.split(|&byte| byte == b'\n').skip(1);
                let names = lines
                    .filter(|line| line.len() > 41 && line[40] == b' ')
                    .count();
                counted(u32::try_from(names).unwrap_or(u32::MAX), "packed reference")
            }
            b'D' => {
                let paths = index_entries(bytes)?;
                format!("the index of a work tree with {}", counted(paths, "path"))
            }
            _ => return None,
        };
        Some(Artifact::proven(CLASS, "", detail))
    }
}

/// `DIRC`, version 2 to 4, number of entries (gitformat-index), which take at least 62 bytes each.
fn index_entries(bytes: &[u8]) -> Option<u32> {
    let rest = bytes.strip_prefix(b"DIRC")?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (count, rest) = rest.split_first_chunk::<4>()?;
    let count = u32::from_be_bytes(*count);
    let fits = u64::from(count) * 62 <= rest.len() as u64;
    (matches!(u32::from_be_bytes(*version), 2..=4) && fits).then_some(count)
}

/// `.git/config`: `[core]` with what git writes there, and remotes.
pub fn read_config(text: &Text<'_>) -> Option<Artifact> {
    let mut found = Credentials::default();
    let mut hosts = Hosts::default();
    let (mut is_git, mut remotes) = (false, 0_u32);
    for (section, key, value) in settings(text) {
        let is_remote = section.starts_with("remote \"");
        match key {
            "repositoryformatversion" if section == "core" => is_git = true,
            "url" | "pushurl" if is_remote || section.starts_with("submodule \"") => {
                remotes += u32::from(is_remote && key == "url");
                found.add_url(value);
                hosts.add(value);
            }
            "extraheader" => found.add(value),
            _ => {}
        }
    }
    if !is_git {
        return None;
    }
    let circumstance = if found.is_live() { CREDENTIALS } else { "" };
    let logins = if found.is_empty() {
        String::new()
    } else {
        format!(", {found}")
    };
    let detail = format!(
        "settings of a repository with {}{}{logins}",
        counted(remotes, "remote"),
        hosts.said()
    );
    Some(Artifact::proven(CLASS, circumstance, detail).pointing_to(hosts))
}

/// `OLD NEW Name <mail> SECONDS +ZONE\tmessage` on every line (gitrepository-layout, "logs").
pub fn read_reflog(text: &Text<'_>) -> Option<Artifact> {
    let is_entry = |line: &str| {
        let (ids, rest) = line
            .split_at_checked(82)
            .or_else(|| line.split_at_checked(130))?;
        let mut ids = ids.split(' ');
        let is_id = |id: Option<&str>| {
            id.is_some_and(|id| {
                matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit())
            })
        };
        (is_id(ids.next()) && is_id(ids.next()) && rest.contains("> ")).then_some(())
    };
    let mut entries = 0_u32;
    for line in text.lines() {
        is_entry(line)?;
        entries += 1;
    }
    let detail = format!(
        "a log of references with {}",
        counted(entries, "entry").replace("entrys", "entries")
    );
    (entries > 0).then(|| Artifact::proven(CLASS, "", detail))
}
