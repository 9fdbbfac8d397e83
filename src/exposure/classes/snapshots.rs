//! Snapshots of tests: what a program answered when somebody recorded it.

use super::text::counted;
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// Snapshots of the test runners of JavaScript.
pub struct Snapshots;

impl Class for Snapshots {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        let rest = bytes.strip_prefix(b"// ")?;
        let runners = [
            &b"Jest Snapshot v"[..],
            b"Vitest Snapshot v",
            b"Bun Snapshot v",
        ];
        runners.iter().find(|runner| rest.starts_with(runner))?;
        let count = memchr::memmem::find_iter(bytes, b"\nexports[`").count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Some(Artifact::proven(
            "test-snapshots",
            "",
            counted(count, "snapshot"),
        ))
    }
}
