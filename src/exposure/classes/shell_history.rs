//! Histories of typed commands, as far as they have a form of their own.
//!
//! zsh writes the time and the duration of each command in front of it (zsh manual, EXTENDED_HISTORY: `: START:ELAPSED;COMMAND`),
//! and editline, which database clients and language shells are built with, a cookie on the first line. bash and most
//! others write bare commands, which only their names tell.

use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// What editline begins a history with (libedit, history.c).
const EDITLINE: &[u8] = b"_HiStOrY_V2_\n";

/// Histories of typed commands.
pub struct ShellHistory;

impl Class for ShellHistory {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        let told = |what: &str, lines: usize| {
            let detail = format!("{what}, {lines} commands");
            Some(Artifact::proven("shell-history", "", detail))
        };
        if let Some(commands) = bytes.strip_prefix(EDITLINE) {
            return told("a history of editline", lines(commands).count());
        }
        if !bytes.starts_with(b": ") {
            return None;
        }
        let timed = lines(bytes).filter(|line| is_timed(line)).count();
        let first_is = lines(bytes).next().is_some_and(is_timed);
        (first_is && timed > 1).then(|| told("a history of zsh with times", timed))?
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.split(|&byte| byte == b'\n');
    lines.filter(|line| !line.is_empty())
}

/// `: 1700000000:0;ls`
fn is_timed(line: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(line) = line.strip_prefix(b": ") else {
        return false;
    };
    let (start, rest) = line.split_at(digits(line));
    let Some(rest) = rest.strip_prefix(b":") else {
        return false;
    };
    let elapsed = digits(rest);
    matches!(start.len(), 9..=11) && elapsed > 0 && rest.get(elapsed) == Some(&b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        ShellHistory
            .recognise(text.as_bytes(), &Hits::default())
            .map(|found| found.detail)
    }

    #[test]
    fn histories_with_a_form_are_told() {
        assert_eq!(
            of(": 1700000000:0;ls -l\n: 1700000001:12;make\nsecond line\n").as_deref(),
            Some("a history of zsh with times, 2 commands")
        );
        assert_eq!(
            of("_HiStOrY_V2_\nselect\\0401;\n").as_deref(),
            Some("a history of editline, 1 commands")
        );
        for text in [
            "",
            ": ",
            ": 1700000000:0;ls\n",
            ": x\n: 1700000000:0;ls\n",
            "_HiStOrY_V2_",
            "ls\n",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
