//! Files that are run or obeyed for where they lie: workflows, tasks of editors, hooks, instructions for agents, settings of
//! package managers, build scripts.
//!
//! Which paths, and which words make a line of them telling or loud, is data. An added file is told once, by its most
//! telling line; of a changed one each new line that tells something, and of one with other new lines only that it was
//! changed.

use std::collections::HashSet;

use super::rules;
use super::text::{Text, Thing, stripped};

/// The rules that go by paths.
const RULES: [&str; 8] = [
    "ci-workflow",
    "editor-task",
    "git-hook",
    "agent-instructions",
    "agent-tools",
    "package-settings",
    "build-hook",
    "startup-file",
];

/// How much a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Voice {
    Plain,
    Telling,
    Loud,
}

/// What a file is, held against the same file of the original, where there is one.
pub(super) fn of(text: &Text, original: Option<&Text>) -> Vec<Thing> {
    let mut things = Vec::new();
    for rule in RULES {
        let paths = rules::parameter(rule, "paths");
        if paths.iter().any(|pattern| matches(pattern, &text.path)) {
            match original {
                None => things.push(added(rule, text)),
                Some(original) => changed(rule, text, original, &mut things),
            }
        }
    }
    things
}

fn added(rule: &'static str, text: &Text) -> Thing {
    let lines = new_lines(rule, text, &HashSet::new());
    let loudest = lines
        .into_iter()
        .max_by_key(|(at, voice)| (*voice, std::cmp::Reverse(*at)));
    let (at, when) = match loudest {
        Some((at, Voice::Loud)) => (at, "loud"),
        Some((at, Voice::Telling)) => (at, "added-telling"),
        _ => (0, "added"),
    };
    let span = text.line(at);
    let said = match when {
        "added" => format!("added, {} lines", text.lines()),
        _ => format!("added: {}", super::shown::part(text, &span)),
    };
    Thing::new(rule, span, b"").when(when).said(said)
}

fn changed(rule: &'static str, text: &Text, original: &Text, things: &mut Vec<Thing>) {
    let known: HashSet<Vec<u8>> = lines(original)
        .map(|at| stripped(original.get(original.line(at))))
        .collect();
    let new = new_lines(rule, text, &known);
    let telling = new.iter().filter(|(_, voice)| *voice > Voice::Plain);
    let before = things.len();
    for (at, voice) in telling {
        let span = text.line(*at);
        let key = stripped(text.get(span.clone()));
        let when = if *voice == Voice::Loud {
            "loud"
        } else {
            "telling"
        };
        things.push(Thing::new(rule, span, &key).when(when));
    }
    if let (Some((at, _)), true) = (new.first(), things.len() == before) {
        things.push(Thing::new(rule, text.line(*at), b"changed").when("changed"));
    }
}

/// Lines that are not known and hold more than a remark, with how much each says.
fn new_lines(rule: &str, text: &Text, known: &HashSet<Vec<u8>>) -> Vec<(usize, Voice)> {
    let (tells, shouts) = (
        rules::parameter(rule, "tells"),
        rules::parameter(rule, "shouts"),
    );
    let has = |line: &str, words: &[String]| words.iter().any(|word| line.contains(word.as_str()));
    let voice = |line: &str| match line {
        line if has(line, shouts) => Voice::Loud,
        line if has(line, tells) => Voice::Telling,
        _ => Voice::Plain,
    };
    let new = |at: usize| {
        let line = text.get(text.line(at));
        let bare = stripped(line);
        let is_remark = bare.is_empty()
            || bare.starts_with(b"//")
            || bare.starts_with(b"#") && !bare.starts_with(b"#!");
        let is_prose = text.path.ends_with(".md") || text.path.ends_with("rules");
        if known.contains(&bare) || bare.is_empty() || is_remark && !is_prose {
            return None;
        }
        let lower = String::from_utf8_lossy(line).to_ascii_lowercase();
        Some((at, voice(&lower)))
    };
    lines(text).filter_map(new).collect()
}

/// Where lines begin.
fn lines<'t>(text: &'t Text) -> impl Iterator<Item = usize> + 't {
    let feeds = memchr::memchr_iter(b'\n', text.bytes).map(|at| at + 1);
    [0].into_iter().chain(feeds)
}

/// Whether a path, in small letters, ends as a pattern says: parts between `/`, in each any number of `*`; `**` at its end
/// stands for whatever lies below.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let path: Vec<&str> = path.split('/').collect();
    let mut pattern: Vec<&str> = pattern.split('/').collect();
    let is_same = |from: usize| {
        let parts = path.get(from..).unwrap_or_default();
        pattern
            .iter()
            .zip(parts)
            .all(|(pattern, part)| is_like(pattern, part))
    };
    if pattern.last() == Some(&"**") {
        pattern.pop();
        let is_same = |from: usize| {
            let parts = path.get(from..).unwrap_or_default();
            parts.len() > pattern.len()
                && pattern
                    .iter()
                    .zip(parts)
                    .all(|(pattern, part)| is_like(pattern, part))
        };
        return (0..path.len()).any(is_same);
    }
    path.len().checked_sub(pattern.len()).is_some_and(is_same)
}

/// Whether a part of a path is like a part of a pattern.
fn is_like(pattern: &str, part: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = part.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(before) = last.replace(piece) {
            let before: &str = before;
            match rest.find(before) {
                Some(at) => rest = rest.get(at + before.len()..).unwrap_or_default(),
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(piece) => rest.ends_with(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_of_whole_parts() {
        for (pattern, path, expected) in [
            ("agents.md", "x/agents.md", true),
            ("agents.md", "x/myagents.md", false),
            (
                ".github/workflows/*.yml",
                "a/.github/workflows/ci.yml",
                true,
            ),
            (
                ".github/workflows/*.yml",
                ".github/workflows/x/ci.yml",
                false,
            ),
            (".husky/**", ".husky/_/pre-commit", true),
            (".husky/**", ".husky", false),
            ("*.pth", "site/x.pth", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("a/b/c", "b/c", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
