//! Logs of package managers and builds, by how they begin.

use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// Logs.
pub struct BuildLog;

/// Beginnings that only a log has, and what writes it.
const BEGINNINGS: [(&[u8], &str); 7] = [
    (b"0 info it worked if it ends with ok", "npm"),
    (b"0 verbose cli ", "npm"),
    (b"0 verbose cli\t", "npm"),
    (b"Arguments: \n", "Yarn"),
    (b"Started by user ", "a build service"),
    (b"Started by an SCM change", "a build service"),
    (b"Running with gitlab-runner ", "a build service"),
];

impl Class for BuildLog {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let begins = BEGINNINGS
            .iter()
            .find(|(begin, _)| bytes.starts_with(begin));
        let writer = match begins {
            Some((_, writer)) => writer,
            None if is_stamped(bytes) => "a build service",
            None => return None,
        };
        Some(Artifact::proven(
            "build-log",
            "",
            format!("a log of {writer}"),
        ))
    }
}

/// `2024-05-01T12:00:00.1234567Z ##[group]…`, as hosted runners write on one of the first lines.
fn is_stamped(bytes: &[u8]) -> bool {
    let is_stamp = |line: &[u8]| {
        line.len() > 29
            && line[4] == b'-'
            && line[10] == b'T'
            && line[19] == b'.'
            && line[27] == b'Z'
            && line[28] == b' '
    };
    if !bytes.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let mut lines = bytes.split(|&byte| byte == b'\n').take(64);
    let (mut all, mut marked) = (true, false);
    for line in lines.by_ref().filter(|line| !line.is_empty()) {
        all &= is_stamp(line);
        marked |= all && line[29..].starts_with(b"##[");
        if !all {
            break;
        }
    }
    all && marked
}
