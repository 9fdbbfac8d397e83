//! Variables and options of shell scripts.
//!
//! A variable in capitals that a script uses and does not set comes from its environment (POSIX.1-2024, Shell Command
//! Language, 2.6.2: `${NAME:-word}` gives `word` where it is not set). One that is exported is there for others to read.
//! Options are the patterns of a `case` that begin with dashes.

use std::collections::HashSet;

use super::places::is_variable;
use crate::exposure::inventory::script::shown_default;
use crate::exposure::inventory::{Confidence, ItemFact};

/// Variables of the shell itself, and those that every environment has.
const USUAL: [&str; 34] = [
    "BASH",
    "BASH_SOURCE",
    "BASH_VERSION",
    "BASHPID",
    "COLUMNS",
    "DIRSTACK",
    "EUID",
    "FUNCNAME",
    "HOME",
    "HOSTNAME",
    "IFS",
    "LANG",
    "LC_ALL",
    "LINENO",
    "LINES",
    "LOGNAME",
    "OLDPWD",
    "OPTARG",
    "OPTIND",
    "OSTYPE",
    "PATH",
    "PPID",
    "PS1",
    "PS4",
    "PWD",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "SHELL",
    "SHLVL",
    "TERM",
    "TMPDIR",
    "UID",
    "USER",
];

/// Longest line that is read; what is longer was made by a program, or is data.
const LINE_MAX_BYTES: usize = 4_096;

/// The items of a shell script.
pub(super) fn items(bytes: &[u8]) -> Vec<ItemFact> {
    let mut found = Script::default();
    for (number, line) in bytes.split(|&b| b == b'\n').enumerate() {
        let line = std::str::from_utf8(line).unwrap_or_default();
        let code = line.trim_start();
        if line.len() > LINE_MAX_BYTES || code.starts_with('#') {
            continue;
        }
        found.line = number as u64 + 1;
        found.read_sets(code);
        found.read_uses(code);
        found.read_options(code);
    }
    found
        .items
        .retain(|(item, is_sure)| *is_sure || !found.set.contains(&item.value));
    found.items.into_iter().map(|(item, _)| item).collect()
}

#[derive(Default)]
struct Script {
    line: u64,
    /// Variables that the script sets itself.
    set: HashSet<String>,
    /// With whether it is one even if the script sets it too.
    items: Vec<(ItemFact, bool)>,
}

impl Script {
    fn add(
        &mut self,
        kind: &str,
        value: &str,
        confidence: Confidence,
        detail: Option<String>,
        is_sure: bool,
    ) {
        let item = ItemFact {
            kind: kind.to_owned(),
            value: value.to_owned(),
            line: self.line,
            confidence,
            detail,
            behind: Vec::new(),
        };
        self.items.push((item, is_sure));
    }

    /// `NAME=`, `export NAME`, `read NAME`, `for NAME in`.
    fn read_sets(&mut self, code: &str) {
        let words = code
            .split([' ', '\t', ';', '('])
            .filter(|word| !word.is_empty());
        let mut exports = false;
        let mut takes_names = false;
        for word in words {
            let name = word.split(['=', '+']).next().unwrap_or_default();
            let is_set =
                word[name.len()..].starts_with('=') || word[name.len()..].starts_with("+=");
            match word {
                "export" => exports = true,
                "read" | "for" | "local" | "declare" | "readonly" | "typeset" => takes_names = true,
                _ if is_variable(name) && (is_set || exports || takes_names) => {
                    if exports && is_set && !USUAL.contains(&name) {
                        let detail = Some("set for what is started".to_owned());
                        self.add("env", name, Confidence::Medium, detail, true);
                    }
                    // `NAME="${NAME:-word}"` takes what is there.
                    if !word.contains(&format!("${{{name}")) {
                        self.set.insert(name.to_owned());
                    }
                }
                "-r" | "-x" | "-a" | "-g" => {}
                _ if is_set => {}
                _ => (exports, takes_names) = (false, false),
            }
        }
    }

    /// `$NAME`, `${NAME}`, `${NAME:-word}`.
    fn read_uses(&mut self, code: &str) {
        for (at, _) in code.match_indices('$') {
            let rest = &code[at + 1..];
            let (rest, is_braced) = rest
                .strip_prefix('{')
                .map_or((rest, false), |rest| (rest, true));
            let len = rest
                .bytes()
                .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                .count();
            let (name, behind) = rest.split_at(len);
            if !is_variable(name) || USUAL.contains(&name) {
                continue;
            }
            let word = is_braced
                .then(|| behind.trim_start_matches(':'))
                .and_then(|behind| behind.strip_prefix(['-', '=']))
                .map(|word| word.split('}').next().unwrap_or_default());
            let asks = is_braced && behind.trim_start_matches(':').starts_with('?');
            let detail = word
                .filter(|word| !word.is_empty())
                .map(|word| shown_default(name, word));
            let is_sure = word.is_some() || asks;
            let confidence = if is_sure {
                Confidence::High
            } else {
                Confidence::Medium
            };
            self.add("env", name, confidence, detail, is_sure);
        }
    }

    /// `-r|--region)`.
    fn read_options(&mut self, code: &str) {
        let Some((pattern, _)) = code.split_once(')') else {
            return;
        };
        if !pattern.starts_with('-') {
            return;
        }
        for form in pattern.split('|').map(str::trim) {
            let name = form
                .strip_prefix("--")
                .map(|name| name.split('=').next().unwrap_or(name));
            let is_name = |name: &&str| {
                name.starts_with(|c: char| c.is_ascii_alphabetic())
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            };
            if let Some(name) = name.filter(is_name) {
                self.add("option", name, Confidence::Medium, None, true);
            }
        }
    }
}
