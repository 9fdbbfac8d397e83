//! What a process had in its environment, as `env` prints it.
//!
//! Shells and build services set a handful of names that no settings file has together: the path, the home folder, the
//! present folder. A text of assignments with those is a dump, and dumps hold the tokens that builds were given.

use super::Artifact;
use super::circumstance::{CREDENTIALS, ENVIRONMENT};
use super::text::{Credentials, Text, counted};

/// `NAME=value` lines that a process had.
pub fn read(text: &Text<'_>) -> Option<Artifact> {
    const TELLING: [&str; 9] = [
        "PATH", "HOME", "PWD", "SHELL", "USER", "LANG", "TERM", "OLDPWD", "SHLVL",
    ];
    let (mut found, mut telling, mut assignments) = (Credentials::default(), 0_u32, 0_u32);
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let is_name = !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            continue;
        }
        assignments += 1;
        // `PATH=$HOME/bin:$PATH` is a script's.
        if value.contains('$') {
            continue;
        }
        // `PWD` is the present folder and no password.
        match TELLING.iter().position(|name| *name == key) {
            Some(number) => telling |= 1 << number,
            None => found.add_named(key, value),
        }
    }
    if telling.count_ones() < 4 {
        return None;
    }
    let circumstance = if found.is_live() {
        CREDENTIALS
    } else {
        ENVIRONMENT
    };
    let detail = format!(
        "the environment of a process, {}: {found}",
        counted(assignments, "variable")
    );
    Some(Artifact::proven("build-log", circumstance, detail))
}
