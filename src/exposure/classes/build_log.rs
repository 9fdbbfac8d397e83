//! Logs of builds and of failed installations: commands, paths, versions, and often the whole environment of the machine.
//!
//! A log is told by what its tool writes in every line or at its beginning: npm's debug log, Yarn's error log, the log of
//! a runner of continuous integration. In any of them, lines of `NAME=value` with the names that every environment has are an
//! environment, which is worse. What tokens are in it the search for credentials tells.

use super::read::{counted, has, head, listed};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// What a log is stands in its first bytes.
const LOOKED_AT: usize = 4 << 10;
/// Variables that every environment has some of.
const USUAL: [&[u8]; 12] = [
    b"PATH",
    b"HOME",
    b"USER",
    b"SHELL",
    b"LANG",
    b"PWD",
    b"HOSTNAME",
    b"TERM",
    b"LOGNAME",
    b"SHLVL",
    b"CI",
    b"OLDPWD",
];
/// So many of them are an environment,
const USUAL_MIN: usize = 3;
/// with so many others.
const VARIABLES_MIN: u64 = 6;
/// Names that are told.
const TOLD_MAX: usize = 64;

/// Logs of builds.
pub(super) struct BuildLog;

impl Class for BuildLog {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        log(bytes)
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        log(head)
    }
}

fn log(bytes: &[u8]) -> Option<Artifact> {
    let form = form_of(head(bytes, LOOKED_AT))?;
    let (variables, usual) = environment(bytes);
    if usual.len() >= USUAL_MIN && variables >= VARIABLES_MIN {
        let said = format!(
            "{form}, with an environment of {} ({})",
            counted(variables, "variable"),
            listed(&usual)
        );
        return Some(Artifact::proven("build-log", "environment", said));
    }
    Some(Artifact::proven("build-log", "", form.to_owned()))
}

fn form_of(start: &[u8]) -> Option<&'static str> {
    // A number or a time, a bracket, a colour, or the first word of one tool: most texts begin otherwise.
    const WORDS: [&[u8]; 5] = [
        b"Arguments: ",
        b"Running with ",
        b"Started by ",
        b"section_start:",
        b"travis_",
    ];
    let is_candidate = match *start.first()? {
        b'0'..=b'9' | b'[' | b'#' | b'\x1b' | 0xef => true,
        _ => WORDS.iter().any(|word| start.starts_with(word)),
    };
    if !is_candidate {
        return None;
    }
    let begins = |text: &[u8]| start.starts_with(text);
    if begins(b"0 info it worked if it ends with ok")
        || (begins(b"0 verbose cli ") && has(start, b"\n1 "))
    {
        return Some("npm's debug log");
    }
    if begins(b"Arguments: \n") && has(start, b"\nPATH: \n") {
        return Some("Yarn's error log");
    }
    if has(start, b"##[group]") || has(start, b"##[section]") {
        return Some("log of a runner of GitHub or Azure");
    }
    if has(start, b"section_start:") && has(start, b"Running with gitlab-runner") {
        return Some("log of a GitLab runner");
    }
    if begins(b"Started by ") && has(start, b"[Pipeline] ") {
        return Some("log of Jenkins");
    }
    if has(start, b"travis_fold:start:") || has(start, b"travis_time:start") {
        return Some("log of Travis");
    }
    None
}

/// How many lines set a variable, in whatever the log puts before it, and which usual ones are among them.
fn environment(bytes: &[u8]) -> (u64, Vec<&[u8]>) {
    let mut count = 0;
    let mut usual: Vec<&[u8]> = Vec::new();
    for at in memchr::memchr_iter(b'=', bytes) {
        let before = &bytes[at.saturating_sub(64)..at];
        let is_part = |b: &&u8| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'_';
        let len = before.iter().rev().take_while(is_part).count();
        let name = &before[before.len() - len..];
        let edge = before.len().checked_sub(len + 1).map(|edge| before[edge]);
        let is_name = name.first().is_some_and(|b| !b.is_ascii_digit());
        if !is_name || !matches!(edge, None | Some(b'\n' | b' ' | b'\t')) {
            continue;
        }
        count += 1;
        if USUAL.contains(&name) && !usual.contains(&name) && usual.len() < TOLD_MAX {
            usual.push(name);
        }
    }
    (count, usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(String, String)> {
        log(text.as_bytes()).map(|found| (found.circumstance, found.detail))
    }

    #[test]
    fn a_log_with_an_environment_is_worse() {
        let npm = "0 verbose cli /usr/bin/node /usr/bin/npm\n1 info using npm@10.2.4\n";
        assert_eq!(told(npm), Some((String::new(), "npm's debug log".into())));
        let env = "PATH=/bin\nHOME=/root\nUSER=root\nNODE_ENV=production\nA=1\nB=2\n";
        let (circumstance, said) = told(&format!("{npm}{env}")).unwrap();
        assert_eq!(circumstance, "environment");
        assert!(said.ends_with("6 variables (PATH, HOME, USER)"), "{said}");
        let runner =
            "2024-05-01T10:00:00.0000000Z ##[group]Operating System\n2024-05-01T10:00:00Z Ubuntu\n";
        assert!(told(runner).is_some());
        assert_eq!(told(env), None);
        assert_eq!(told("Arguments: none\n"), None);
        assert_eq!(told(""), None);
    }
}
