//! Command lines without what they let somebody in with.
//!
//! Who notes down a tool often pastes the whole line, and with it a password for the host. What is known to
//! hold one is hidden: addresses, values behind flags and names that say so, headers and cookies, and what one-letter flags
//! that carry logins give (`-u`, `-p` and their like), in a bundle of flags too. A flag that only begins like one of those loses
//! its end with them. What no name tells stays, as everywhere.

use std::ops::Range;

use crate::blob::url::{names_a_secret, without_passwords};

/// What stands for a value that is not shown.
const HIDDEN: &str = "***";

/// Flags whose next word opens something, though their names do not say so: curl's, and those of what it is like.
const OPENERS: [&str; 10] = [
    "-u",
    "-U",
    "-b",
    "-p",
    "-a",
    "-E",
    "--user",
    "--proxy-user",
    "--cookie",
    "--oauth2-bearer",
];

/// Schemes of the header that lets somebody in: what follows is the key.
const SCHEMES: [&str; 4] = ["bearer", "basic", "digest", "negotiate"];

/// A command line, or the name of a tool, without passwords.
pub(super) fn command_without_passwords(text: &str) -> String {
    let text = without_passwords(text);
    let mut shown = String::with_capacity(text.len());
    let (mut at, mut is_next) = (0, false);
    for range in words_of(&text) {
        let word = &text[range.clone()];
        let is_flag = word.starts_with('-');
        // An address behind a flag is no value of it, and was cut already.
        let secret = match is_next && !is_flag && !word.contains("://") {
            true => Some(0..word.len()),
            false => secret_of(word),
        };
        is_next = opens(word);
        shown.push_str(&text[at..range.start]);
        match secret {
            None => shown.push_str(word),
            Some(secret) => {
                shown.push_str(&word[..secret.start]);
                shown.push_str(HIDDEN);
                shown.push_str(&word[secret.end..]);
            }
        }
        at = range.end;
    }
    shown.push_str(&text[at..]);
    shown
}

/// The words of a line; blanks within quotes are part of one. A quote that nobody closes is none: `Ann's curl`.
fn words_of(text: &str) -> Vec<Range<usize>> {
    words_between(text, true).unwrap_or_else(|| words_between(text, false).unwrap_or_default())
}

/// The words, with quotes or without; `None` where one is left open.
fn words_between(text: &str, has_quotes: bool) -> Option<Vec<Range<usize>>> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    for (at, letter) in text.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if letter.is_whitespace() => {
                words.extend(start.take().map(|start| start..at));
                continue;
            }
            None if has_quotes && matches!(letter, '"' | '\'') => quote = Some(letter),
            None => {}
        }
        start.get_or_insert(at);
    }
    words.extend(start.map(|start| start..text.len()));
    quote.is_none().then_some(words)
}

/// Whether the word behind this one opens something.
fn opens(word: &str) -> bool {
    let bare = word.trim_matches(['"', '\'']);
    if bare.starts_with('-') {
        // Short flags come in bundles: `-sSLu`.
        let is_bundle = !bare.starts_with("--") && bare.len() > 2 && bare.ends_with(['u', 'U']);
        return OPENERS.contains(&bare)
            || is_bundle
            || !bare.contains('=') && names_a_secret(bare.as_bytes());
    }
    let name = bare.strip_suffix(':');
    name.is_some_and(is_secret_name) || SCHEMES.iter().any(|one| bare.eq_ignore_ascii_case(one))
}

/// What within a word opens something: behind `NAME=`, behind `Name:` of a header, behind curl's `-u`.
fn secret_of(word: &str) -> Option<Range<usize>> {
    let quotes = ['"', '\''];
    let end = word.trim_end_matches(quotes).len();
    let value = |start: usize| (start < end).then_some(start..end);
    if let Some(rest) = word.strip_prefix("-u")
        && rest.contains(':')
    {
        return value(2);
    }
    // `sshpass` and `mysql` take it so.
    if word.starts_with("-p") && !word.starts_with("-p=") {
        return value(2);
    }
    if let Some((flag, rest)) = word.split_once('=')
        && flag.starts_with("--")
    {
        // `--user=…` gives what `--user …` gives, where more than a name stands there; of `--header=` the value is a header.
        let start = flag.len() + 1;
        if OPENERS.contains(&flag) && (rest.contains(':') || !flag.ends_with("user")) {
            return value(start);
        }
        if flag == "--header"
            && let Some(inner) = secret_of(rest)
        {
            return Some(start + inner.start..start + inner.end);
        }
    }
    if let Some((name, rest)) = word.split_once('=')
        && is_secret_name(name.trim_start_matches(quotes))
    {
        let quoted = rest.len() - rest.trim_start_matches(quotes).len();
        return value(name.len() + 1 + quoted);
    }
    let (name, rest) = word.split_once(':')?;
    let is_header = is_secret_name(name.trim_start_matches("-H").trim_start_matches(quotes));
    let blanks = rest.len() - rest.trim_start().len();
    (is_header && !rest.starts_with("//"))
        .then(|| value(name.len() + 1 + blanks))
        .flatten()
}

fn is_secret_name(name: &str) -> bool {
    // npm names a setting after the address that it is for.
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:".contains(letter);
    name.chars().all(is_plain)
        && (names_a_secret(name.as_bytes()) || name.to_ascii_lowercase().contains("cookie"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_somebody_in_is_hidden() {
        for (line, shown) in [
            ("curl 8.9", "curl 8.9"),
            (
                "git clone --mirror https://git.example/a/b",
                "git clone --mirror https://git.example/a/b",
            ),
            (
                "curl -u me:hunter2 https://me:hunter2@git.example/a?token=hunter2",
                "curl -u *** https://***@git.example/a?token=***",
            ),
            ("curl -ume:hunter2 -sSL x", "curl -u*** -sSL x"),
            ("curl -sSLu me:hunter2 x", "curl -sSLu *** x"),
            ("curl --user=me:hunter2 x", "curl --user=*** x"),
            (
                "curl --header=\"Private-Token: hunter2\" x",
                "curl --header=\"Private-Token: ***\" x",
            ),
            (
                "docker login -u me -p hunter2 reg.example",
                "docker login -u *** -p *** reg.example",
            ),
            ("mysql -phunter2 db", "mysql -p*** db"),
            ("http -a me:hunter2 x", "http -a *** x"),
            (
                "curl -H \"Authorization: Bearer hunter2\" -H 'Accept: a/b' x",
                "curl -H \"Authorization: ***\" -H 'Accept: a/b' x",
            ),
            (
                "curl -H'X-Api-Key: hunter2' --cookie 'a=hunter2' x",
                "curl -H'X-Api-Key: ***' --cookie *** x",
            ),
            (
                "wget --http-password=hunter2 --user=me x",
                "wget --http-password=*** --user=me x",
            ),
            (
                "GH_TOKEN=hunter2 gh --token hunter2 --auth-no-challenge x",
                "GH_TOKEN=*** gh --token *** --auth-no-challenge ***",
            ),
            ("Ann's curl --token hunter2 x", "Ann's curl --token *** x"),
            ("sshpass -p hunter2 scp a b", "sshpass -p *** scp a b"),
            ("Authorization: Bearer hunter2", "Authorization: *** ***"),
            (
                "npm pack --//r.example/:_authToken=hunter2",
                "npm pack --//r.example/:_authToken=***",
            ),
        ] {
            assert_eq!(command_without_passwords(line), shown);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,80}") {
            let _ = command_without_passwords(&text);
        }
    }
}
