//! Snapshots of a running program's memory and time: heap snapshots, profiles, the logs of V8.
//!
//! A heap snapshot holds every string of the program at that moment: tokens, requests, data of users. A profile holds the
//! names of functions and the paths of files. Sources: `heap-snapshot-generator.cc` and the protocol of V8's inspector; `hprof_b_spec.h`
//! of OpenJDK.

use super::read::{Reader, counted, has, head, short, tail, text_start};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// What a document is stands in its first bytes.
const LOOKED_AT: usize = 4 << 10;
/// The last keys of a profile stand in its tail.
const TAIL: usize = 64 << 10;

/// Heap snapshots.
pub(super) struct HeapSnapshot;

/// Profiles of time, and logs and traces of engines.
pub(super) struct Profile;

impl Class for HeapSnapshot {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        let said = match *bytes.first()? {
            b'{' => v8_snapshot(bytes),
            b'J' => hprof(bytes),
            _ => None,
        }?;
        Some(Artifact::proven("heap-snapshot", "", said))
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        self.recognise(head, &Hits::default())
    }
}

impl Class for Profile {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        let said = match *bytes.first()? {
            b'{' => cpu_profile(bytes).or_else(|| trace(bytes)),
            b'[' => trace_list(bytes),
            b'v' => v8_log(bytes),
            _ => None,
        }?;
        Some(Artifact::proven("profile", "", said))
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        let start = head.first()?;
        let said = match start {
            b'{' => trace(head),
            b'[' => trace_list(head),
            b'v' => v8_log(head),
            _ => None,
        }?;
        Some(Artifact::proven("profile", "", said))
    }
}

/// `{"snapshot":{"meta":{"node_fields":…},"node_count":…`.
fn v8_snapshot(bytes: &[u8]) -> Option<String> {
    let start = head(text_start(bytes), LOOKED_AT);
    if !has(start, b"\"snapshot\"") || !has(start, b"\"node_fields\"") || !has(start, b"\"meta\"") {
        return None;
    }
    let number = |key: &[u8]| {
        let at = memchr::memmem::find(start, key)? + key.len();
        let digits = start.get(at..)?.trim_ascii_start();
        let end = digits.iter().position(|b| !b.is_ascii_digit())?;
        std::str::from_utf8(&digits[..end])
            .ok()?
            .parse::<u64>()
            .ok()
    };
    let nodes = number(b"\"node_count\":");
    Some(match nodes {
        Some(nodes) => format!(
            "V8: {}, with the strings of the program",
            counted(nodes, "object")
        ),
        None => "V8, with the strings of the program".to_owned(),
    })
}

/// `JAVA PROFILE 1.0.x`, a NUL, the width of ids.
fn hprof(bytes: &[u8]) -> Option<String> {
    let mut reader = Reader::new(bytes);
    let name = head(bytes, 32);
    if !name.starts_with(b"JAVA PROFILE 1.0") {
        return None;
    }
    let name = reader.c_string()?;
    let width = reader.u32_be()?;
    matches!(width, 4 | 8).then(|| format!("Java: {}", short(name)))
}

/// `{"nodes":[{"id":1,"callFrame":…` and, behind them, samples.
fn cpu_profile(bytes: &[u8]) -> Option<String> {
    let start = head(bytes, LOOKED_AT);
    if !has(start, b"\"callFrame\"") {
        return None;
    }
    let is_time = has(start, b"\"nodes\"") && has(start, b"\"hitCount\"");
    let is_heap = has(start, b"\"head\"") && has(start, b"\"selfSize\"");
    let end = tail(bytes, TAIL);
    let has_samples = has(end, b"\"timeDeltas\"")
        || has(end, b"\"samples\"")
        || has(end, b"\"endTime\"")
        || has(start, b"\"samples\"");
    let kind = match (is_time, is_heap) {
        (true, _) if has_samples => "of time",
        (_, true) => "of allocations",
        _ => return None,
    };
    let functions = memchr::memmem::find_iter(bytes, b"\"functionName\"").count();
    Some(format!(
        "V8, a profile {kind}: {}",
        counted(functions as u64, "function")
    ))
}

/// Events of a trace as Chromium, Node and many tools write them.
fn trace(bytes: &[u8]) -> Option<String> {
    let start = head(bytes, LOOKED_AT);
    let is_trace =
        has(start, b"\"traceEvents\"") && has(start, b"\"pid\"") && has(start, b"\"ph\"");
    is_trace.then(|| "a trace of events".to_owned())
}

fn trace_list(bytes: &[u8]) -> Option<String> {
    let start = head(bytes, LOOKED_AT);
    let keys = [
        &b"\"pid\""[..],
        b"\"tid\"",
        b"\"ph\"",
        b"\"ts\"",
        b"\"cat\"",
    ];
    keys.iter()
        .all(|key| has(start, key))
        .then(|| "a trace of events".to_owned())
}

/// `v8-version,12,4,…` and lines of what was compiled.
fn v8_log(bytes: &[u8]) -> Option<String> {
    let rest = bytes.strip_prefix(b"v8-version,")?;
    rest.first()
        .is_some_and(u8::is_ascii_digit)
        .then(|| "V8, a log of its compiler".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_and_profiles_are_told_apart() {
        let hits = Hits::default();
        let snapshot = br#"{"snapshot":{"meta":{"node_fields":["type"]},"node_count":1234,"edge_count":9},"nodes":[]}"#;
        let found = HeapSnapshot.recognise(snapshot, &hits).unwrap();
        assert!(
            found.detail.starts_with("V8: 1,234 objects"),
            "{}",
            found.detail
        );
        assert_eq!(Profile.recognise(snapshot, &hits), None);
        let profile = br#"{"nodes":[{"id":1,"callFrame":{"functionName":"f"},"hitCount":0}],"samples":[],"timeDeltas":[]}"#;
        let found = Profile.recognise(profile, &hits).unwrap();
        assert_eq!(found.detail, "V8, a profile of time: 1 function");
        assert_eq!(HeapSnapshot.recognise(profile, &hits), None);
        assert!(
            HeapSnapshot
                .recognise(b"JAVA PROFILE 1.0.2\0\0\0\0\x08", &hits)
                .is_some()
        );
        for other in [
            &b"{\"nodes\":[]}"[..],
            b"JAVA PROFILES",
            b"v8-version,",
            b"[{\"pid\":1}]",
            b"{",
        ] {
            assert_eq!(HeapSnapshot.recognise(other, &hits), None);
            assert_eq!(Profile.recognise(other, &hits), None);
        }
    }
}
