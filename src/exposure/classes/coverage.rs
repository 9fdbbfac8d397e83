//! Reports of test coverage: they name every file of the source tree, often with the path of the machine that ran the tests.
//!
//! Told by their own form: lcov's lines, Istanbul's JSON, Cobertura's and Clover's and JaCoCo's XML, coverage.py's database, gcov's notes,
//! Go's profile. Paths that are absolute make the difference.

use std::collections::BTreeSet;

use super::read::{counted, has, head, listed, short, text_start};
use super::{Artifact, Class, sqlite};
use crate::exposure::content::Hits;

/// What a report is stands in its first bytes.
const LOOKED_AT: usize = 4 << 10;
/// Paths that are kept to be counted.
const PATHS_MAX: usize = 1 << 16;

/// Reports of coverage.
pub(super) struct Coverage;

impl Class for Coverage {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        match *bytes.first()? {
            b'T' | b'S' => lcov(bytes),
            b'{' => istanbul(bytes),
            b'<' | 0xef => xml(bytes),
            b'm' => go(bytes),
            b'o' | b'a' | b'g' => gcov(bytes),
            _ => None,
        }
        .or_else(|| coverage_py(bytes))
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        self.recognise(head, &Hits::default())
    }
}

/// A report with these files.
fn report(form: &str, paths: &BTreeSet<&[u8]>) -> Artifact {
    let absolute: Vec<&&[u8]> = paths.iter().filter(|path| is_absolute(path)).collect();
    let mut said = format!("{form}: {}", counted(paths.len() as u64, "file"));
    if let Some(first) = absolute.first() {
        said.push_str(&format!(
            ", {} such as {}",
            counted(absolute.len() as u64, "absolute path"),
            short(first)
        ));
        return Artifact::proven("coverage-report", "absolute-paths", said);
    }
    let some: Vec<&[u8]> = paths.iter().copied().collect();
    if !some.is_empty() {
        said.push_str(&format!(" ({})", listed(&some)));
    }
    Artifact::proven("coverage-report", "", said)
}

fn is_absolute(path: &[u8]) -> bool {
    path.starts_with(b"/")
        || matches!(path, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
}

/// `TN:`, `SF:PATH`, lines of counts, `end_of_record` (geninfo's manual page).
fn lcov(bytes: &[u8]) -> Option<Artifact> {
    let start = head(bytes, LOOKED_AT);
    let is_lcov = (start.starts_with(b"TN:") && has(start, b"\nSF:")) || start.starts_with(b"SF:");
    if !is_lcov || !(has(start, b"\nDA:") || has(start, b"\nFN:") || has(bytes, b"\nend_of_record"))
    {
        return None;
    }
    let mut paths = BTreeSet::new();
    let mut add = |at: usize| {
        let rest = &bytes[at..];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        if paths.len() < PATHS_MAX {
            paths.insert(line.trim_ascii_end());
        }
    };
    if bytes.starts_with(b"SF:") {
        add(3);
    }
    memchr::memmem::find_iter(bytes, b"\nSF:").for_each(|at| add(at + 4));
    Some(report("lcov", &paths))
}

/// `{"PATH":{"path":"PATH","statementMap":{…`.
fn istanbul(bytes: &[u8]) -> Option<Artifact> {
    let start = head(text_start(bytes), LOOKED_AT);
    if !has(start, b"\"statementMap\"") || !has(start, b"\"path\"") {
        return None;
    }
    let mut paths = BTreeSet::new();
    for at in memchr::memmem::find_iter(bytes, b"\"path\"") {
        let rest = bytes[at + 6..].trim_ascii_start();
        let rest = rest
            .strip_prefix(b":")
            .unwrap_or_default()
            .trim_ascii_start();
        let Some(rest) = rest.strip_prefix(b"\"") else {
            continue;
        };
        if let Some(end) = memchr::memchr(b'"', rest)
            && paths.len() < PATHS_MAX
        {
            paths.insert(&rest[..end]);
        }
    }
    Some(report("Istanbul", &paths))
}

/// Cobertura (`line-rate`), Clover, JaCoCo.
fn xml(bytes: &[u8]) -> Option<Artifact> {
    let start = head(text_start(bytes), LOOKED_AT);
    const BEGINNINGS: [&[u8]; 4] = [b"<?xml", b"<!DOCTYPE", b"<coverage", b"<report"];
    if !BEGINNINGS.iter().any(|begin| start.starts_with(begin)) {
        return None;
    }
    let (form, key): (&str, &[u8]) = if has(start, b"<coverage") && has(start, b"line-rate=") {
        ("Cobertura", b"filename=\"")
    } else if has(start, b"<coverage") && has(start, b"clover=") {
        ("Clover", b"path=\"")
    } else if has(start, b"<report") && has(start, b"JACOCO") {
        ("JaCoCo", b"sourcefilename=\"")
    } else {
        return None;
    };
    let mut paths = BTreeSet::new();
    let mut add = |at: usize, end: u8| {
        let rest = &bytes[at..];
        if let Some(len) = memchr::memchr(end, rest)
            && paths.len() < PATHS_MAX
        {
            paths.insert(&rest[..len]);
        }
    };
    memchr::memmem::find_iter(bytes, key).for_each(|at| add(at + key.len(), b'"'));
    // The folder that Cobertura's names are relative to.
    memchr::memmem::find_iter(bytes, b"<source>").for_each(|at| add(at + 8, b'<'));
    Some(report(form, &paths))
}

/// `mode: set` and lines of `PATH:1.2,3.4 5 6` (Go's `cover`).
fn go(bytes: &[u8]) -> Option<Artifact> {
    let modes = [&b"mode: set\n"[..], b"mode: count\n", b"mode: atomic\n"];
    let mode = modes.iter().find(|mode| bytes.starts_with(mode))?;
    let mut paths = BTreeSet::new();
    for line in bytes[mode.len()..].split(|&b| b == b'\n') {
        if let Some(at) = memchr::memrchr(b':', line)
            && paths.len() < PATHS_MAX
        {
            paths.insert(&line[..at]);
        }
    }
    (!paths.is_empty()).then(|| report("Go", &paths))
}

/// Notes and counts of GCC and Clang, in either order of bytes.
fn gcov(bytes: &[u8]) -> Option<Artifact> {
    let form = match bytes.first_chunk::<4>()? {
        b"oncg" | b"gcno" => "gcov, notes of a compiled file",
        b"adcg" | b"gcda" => "gcov, counts of a run",
        _ => return None,
    };
    // A version follows: letters and digits.
    let version = bytes.get(4..8)?;
    version
        .iter()
        .all(u8::is_ascii_graphic)
        .then(|| Artifact::proven("coverage-report", "", form.to_owned()))
}

/// The database of coverage.py: its tables say what it is.
fn coverage_py(bytes: &[u8]) -> Option<Artifact> {
    let database = sqlite::read(bytes)?;
    if !database.has_table(b"coverage_schema") {
        return None;
    }
    // Rows are not read, but paths stand in them as they are.
    let is_absolute = crate::exposure::classes::build_path::first_in(bytes);
    let said = "coverage.py, a database".to_owned();
    Some(match is_absolute {
        Some(path) => Artifact::proven(
            "coverage-report",
            "absolute-paths",
            format!("{said}, with paths such as {path}"),
        ),
        None => Artifact::proven("coverage-report", "", said),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &[u8]) -> Option<(String, String)> {
        Coverage
            .recognise(text, &Hits::default())
            .map(|found| (found.circumstance, found.detail))
    }

    #[test]
    fn each_form_names_its_files() {
        let lcov =
            b"TN:\nSF:/srv/build/src/a.ts\nDA:1,1\nend_of_record\nSF:src/b.ts\nend_of_record\n";
        assert_eq!(
            told(lcov),
            Some((
                "absolute-paths".into(),
                "lcov: 2 files, 1 absolute path such as /srv/build/src/a.ts".into()
            ))
        );
        let json = br#"{"src/a.js": {"path":"src/a.js","statementMap":{}}}"#;
        assert_eq!(
            told(json),
            Some((String::new(), "Istanbul: 1 file (src/a.js)".into()))
        );
        let xml = b"<?xml version=\"1.0\" ?>\n<coverage line-rate=\"1\"><source>C:\\work</source><class filename=\"a.py\"/></coverage>";
        assert_eq!(told(xml).unwrap().0, "absolute-paths");
        assert_eq!(
            told(b"mode: set\nacme.example/x/a.go:1.2,3.4 5 6\n")
                .unwrap()
                .1,
            "Go: 1 file (acme.example/x/a.go)"
        );
        assert!(told(b"oncgB22*").is_some());
        for other in [
            &b"TN:\n"[..],
            b"SF: a city",
            b"{\"path\":1}",
            b"<coverage>",
            b"mode: set\n",
            b"once",
            b"",
            b"oncg",
        ] {
            assert_eq!(told(other), None);
        }
    }
}
