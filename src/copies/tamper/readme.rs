//! What a document says to its reader: to download a program, to unpack it with a password, that something was unlocked.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use super::text::{Role, Take, Text, Thing, stripped};
use super::{pattern, rules};

/// Bytes round a password in which an archive is named.
const NEAR: usize = 300;

/// Links to archives and programs, and passwords of archives.
pub(super) fn links(text: &Text, take: Take<'_>) {
    static LINK: LazyLock<Regex> = pattern!(
        r#"(?i)(?:https?://|\]\()[^\s"'<>()]{1,300}?\.(?P<ending>zip|rar|7z|exe|msi|scr|dmg|pkg|apk|iso|jar|bat|ps1|vbs|hta|lnk|appimage|deb|rpm|tar\.gz|tgz|xz)(?:[?#][^\s"'<>()]{0,100})?(?:[\s"'<>()]|$)"#
    );
    static PASSWORD: LazyLock<Regex> = pattern!(
        r"(?i)(?:\b(?:password|passwd|pass|pwd|mot de passe|passwort|contraseña)|пароль|密码)[*_` ]{0,4}(?::|=|：|- |– )[*_` ]{0,4}[^ \t\r\n]{3,40}"
    );
    static ARCHIVE: LazyLock<Regex> = pattern!(
        r"(?i)\b(?:archives?|zip|rar|7z|7-zip|winrar|unzip|unpack|extract|installer|setup\.exe)\b"
    );
    if text.role != Role::Prose {
        return;
    }
    for found in LINK.captures_iter(text.bytes) {
        let (Some(whole), Some(ending)) = (found.get(0), found.name("ending")) else {
            continue;
        };
        let ending = String::from_utf8_lossy(ending.as_bytes()).to_ascii_lowercase();
        let is_ordinary = rules::parameter("download-link", "ordinary").contains(&ending);
        let when = if is_ordinary { "source-archive" } else { "" };
        take(Thing::new("download-link", whole.range(), &stripped(whole.as_bytes())).when(when));
    }
    for found in PASSWORD.find_iter(text.bytes) {
        if ARCHIVE.is_match(text.round(&found.range(), NEAR)) {
            let key = stripped(found.as_bytes());
            take(Thing::new("download-link", found.range(), &key).when("password"));
        }
    }
}

/// Words that promise what is not the owner's to give.
pub(super) fn lures(text: &Text, take: Take<'_>) {
    static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(rules::parameter("lure-words", "words"))
            .ok()
    });
    let Some(search) = WORDS.as_ref().filter(|_| text.role == Role::Prose) else {
        return;
    };
    for found in search.find_iter(text.bytes) {
        let is_word =
            |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-');
        let before = found
            .start()
            .checked_sub(1)
            .and_then(|at| text.bytes.get(at));
        if !is_word(before) && !is_word(text.bytes.get(found.end())) {
            let key = stripped(text.get(text.line(found.start())));
            take(Thing::new("lure-words", found.range(), &key));
        }
    }
}
