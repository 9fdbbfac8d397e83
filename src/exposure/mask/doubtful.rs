//! What is no finding, and should not be seen all the same.
//!
//! A rule for findings must hardly ever be wrong. A mask may: a word too many under `*` costs a reader a look at the file, one
//! too few shows a password. So here the form of what stands round a value is enough: settings whose name says what their
//! value is, headers of requests, lines of files that hold logins, hashes of passwords, and keys whose end was cut off.
//!
//! Left out: values in code that no name and no form tells of, and names beside values that are calls, references or words.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};

use super::super::rules::Rules;
use super::super::values::{is_credential, is_named_credential};

/// How far a key goes behind its first line, where no end is found; bytes.
const KEY_MAX_BYTES: usize = 64 << 10;

/// A setting on a line of its own: its name, and a value without blanks or anything that makes it an expression.
const SETTING: &str = r#"(?m)^[ \t>+-]{0,32}(?:export[ \t]+)?["']?(?P<key>[A-Za-z_][A-Za-z0-9_.-]{0,63})["']?[ \t]{0,4}[=:][ \t]{0,4}["']?(?P<value>[^\s"',;(){}<>\[\]$%&*#@~.][^\s"',;(){}<>]{5,})["']?,?[ \t]*\r?$"#;

/// Forms that have the secret in a group.
const FORMS: [&str; 6] = [
    // Headers of requests.
    r"\b(?i:bearer|basic)[ \t]+(?P<value>[A-Za-z0-9._~+/-]{16,}={0,2})",
    // Settings of package managers.
    r"\b_(?i:authtoken|auth|password)[ \t]{0,4}=[ \t]{0,4}(?P<value>[^\s$]\S{5,})",
    // Logins by machine.
    r"\b(?i:login|user)[ \t]+\S{1,100}\s{1,16}(?i:password)[ \t]+(?P<value>\S{4,256})",
    // Logins of databases: host, port, database, user, password.
    r"(?m)^[^\s:#]{1,253}:(?:\d{1,5}|\*):[^\s:]{1,63}:[^\s:]{1,63}:(?P<value>\S{4,256})\r?$",
    // Hashes of passwords.
    r"\$(?:apr1|1|2[abxy]|5|6|7|y|gy|argon2i?d?|scrypt|pbkdf2[a-z0-9-]{0,12})\$(?P<value>[A-Za-z0-9./,=$+-]{16,})",
    // Logins to registries of images, in Base64.
    r#"\bdockerconfig(?:json)?["']?[ \t]{0,4}:[ \t]{0,4}["']?(?P<value>[A-Za-z0-9+/]{16,}={0,2})"#,
];

/// One compiled form; like all patterns of ours it is tried by a test.
fn compiled(text: &str) -> Regex {
    match RegexBuilder::new(text).unicode(false).build() {
        Ok(regex) => regex,
        Err(error) => panic!("a built-in pattern is broken: {error}"),
    }
}

/// Calls `take` with every stretch that should not be seen.
pub(super) fn stretches(text: &[u8], mut take: impl FnMut(Range<usize>)) {
    static FORM: LazyLock<Vec<Regex>> =
        LazyLock::new(|| FORMS.iter().map(|form| compiled(form)).collect());
    settings(text, &mut take);
    for form in FORM.iter() {
        for found in form.captures_iter(text) {
            if let Some(value) = found.name("value") {
                take(value.range());
            }
        }
    }
    keys(text, &mut take);
}

fn settings(text: &[u8], take: &mut impl FnMut(Range<usize>)) {
    static LINE: LazyLock<Regex> = LazyLock::new(|| compiled(SETTING));
    let words = Rules::builtin().words();
    for found in LINE.captures_iter(text) {
        let (Some(key), Some(value)) = (found.name("key"), found.name("value")) else {
            continue;
        };
        let key = String::from_utf8_lossy(key.as_bytes()).replace(['.', '-'], "_");
        let told = String::from_utf8_lossy(value.as_bytes());
        // As a file of settings for a program has it; in code a name beside a name is most often another variable.
        let is_environment = !key.bytes().any(|byte| byte.is_ascii_lowercase());
        let has = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        let is_secret = match is_environment {
            true => is_credential(&key, &told, words),
            false => is_mixed && is_named_credential(&key, &told, words),
        };
        if is_secret {
            take(value.range());
        }
    }
}

/// Private keys from their first line on, as far as what follows may be of them: an end may never come.
fn keys(text: &[u8], take: &mut impl FnMut(Range<usize>)) {
    const BEGIN: &[u8] = b"PRIVATE KEY-----";
    /// Bytes of a first line before that.
    const BEGIN_REACH: usize = 40;
    let mut until = 0;
    for at in memmem::find_iter(text, BEGIN) {
        let from = at + BEGIN.len();
        let front = text
            .get(at.saturating_sub(BEGIN_REACH)..at)
            .unwrap_or_default();
        let dashes = memmem::rfind(front, b"-----").and_then(|dashes| front.get(dashes..));
        let is_begin = dashes.is_some_and(|front| front.starts_with(b"-----BEGIN"));
        if !is_begin || from < until {
            continue;
        }
        let reach = text.get(from..text.len().min(from + KEY_MAX_BYTES));
        until = from;
        for line in reach
            .unwrap_or_default()
            .split_inclusive(|&byte| byte == b'\n')
        {
            if !may_be_of_key(line) {
                break;
            }
            if !line.trim_ascii().is_empty() {
                take(until..until + line.len());
            }
            until += line.len();
        }
    }
}

/// Whether a line may be one of a key: Base64 with what quotes, joins and escapes it, or a header of one.
fn may_be_of_key(line: &[u8]) -> bool {
    const HEADERS: [&[u8]; 2] = [b"Proc-Type:", b"DEK-Info:"];
    let is_part = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || byte.is_ascii_whitespace()
            || b"+/=\\\"'`>,;.*#|-".contains(byte)
    };
    let is_header = |header: &[u8]| memmem::find(line, header).is_some();
    let is_words = || {
        let words = line.trim_ascii().split(|byte| byte.is_ascii_whitespace());
        words
            .filter(|word| word.len() > 1 && word.iter().all(u8::is_ascii_alphabetic))
            .count()
            > 1
    };
    HEADERS.into_iter().any(is_header)
        || (line.iter().all(is_part) && memmem::find(line, b"-----").is_none() && !is_words())
}

#[cfg(test)]
mod tests {
    use super::super::Masks;
    use super::*;
    use crate::exposure::secrets::examples::expand;

    fn over(text: &str) -> String {
        let masked = Masks::of(text.as_bytes())
            .over(text.as_bytes())
            .into_owned();
        String::from_utf8(masked).unwrap()
    }

    fn made(template: &str) -> String {
        String::from_utf8(expand(template, "doubtful").unwrap()).unwrap()
    }

    #[test]
    fn values_are_masked_by_what_stands_round_them() {
        for (before, template, behind) in [
            ("DB_PASSWORD=", "<<base62 20>>", "\nPORT=8080\n"),
            ("export API_KEY=\"", "<<base62 32>>", "\"\n"),
            ("  password: ", "<<base62 20>>", "\n"),
            ("> client-secret = ", "<<base62 20>>", "\n"),
            ("Authorization: Bearer ", "<<base62 40>>", "\n"),
            ("//packages.example/:_authToken=", "<<base62 36>>", "\n"),
            (
                "machine h.example login me password ",
                "<<base62 16>>",
                "\n",
            ),
            ("db.example:5432:app:app:", "<<base62 16>>", "\n"),
            ("admin:$apr1$", "<<base62 8>>$<<base62 22>>", "\n"),
            ("data:\n  .dockerconfigjson: ", "<<base62 80>>", "\n"),
        ] {
            let value = made(template);
            let text = format!("{before}{value}{behind}");
            let stars = "*".repeat(value.len());
            assert_eq!(over(&text), format!("{before}{stars}{behind}"));
        }
    }

    #[test]
    fn what_only_looks_so_is_shown() {
        for text in [
            "PORT=8080\nNODE_ENV=production\nTOKEN_FILE=/run/secrets/token1\n",
            "token = parser.next_token\npassword: string\n",
            "password = getPassword(user1)\n",
            "  integrity: sha512-Ab3dE5gH7jK9Ab3dE5gH7jK9Ab3dE5gH7jK9Ab3dE5gH7jK9\n",
            "PASSWORD=changeme\nAPI_TOKEN=${TOKEN_1}\nsecret: <your-secret-1>\n",
            "The basic idea is that a bearer of good news is welcome.\n",
            "-----BEGIN PRIVATE KEY-----\n\nis how the first line of a key looks.\n",
        ] {
            assert_eq!(over(text), text);
        }
    }

    #[test]
    fn a_key_without_an_end_is_masked_as_far_as_it_goes() {
        let key = made("<<make pkcs8-ed25519>>");
        let body: Vec<&str> = key
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let first = key.lines().next().unwrap();
        for (before, behind) in [("", ""), ("> ", ""), ("  \"", "\\n\" +")] {
            let lines = body.iter().map(|line| format!("{before}{line}{behind}\n"));
            let text = format!(
                "{before}{first}{behind}\n{}function next() {{}}\n",
                lines.collect::<String>()
            );
            let masked = over(&text);
            assert!(masked.ends_with("\nfunction next() {}\n"), "{masked}");
            assert!(
                body.iter().all(|line| !masked.contains(&line[..10])),
                "{masked}"
            );
        }
    }

    #[test]
    fn any_length_takes_linear_time() {
        for part in [
            "password: ",
            "-----BEGIN PRIVATE KEY-----\n",
            "login a ",
            "basic ",
            "$1$",
            "a:1:b:c:",
            "A=",
        ] {
            let text = part.repeat((1 << 20) / part.len());
            stretches(text.as_bytes(), |_| {});
        }
    }
}
