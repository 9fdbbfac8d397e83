//! Small texts by their shape: what settings, logs and lists have in common, and the recognisers that read them.
//!
//! Most texts in an input are code. Settings show on the first line that says something what they are written in: a
//! brace, a section in brackets, a tag, `key: value`, `key = value`. So that line is looked at once, and only recognisers
//! of its shape are asked; code is let go there. What a recogniser then reads by lines is read whole, and of a text
//! without measure its beginning; what has to be parsed is parsed up to a size, and what is larger is noted as unread
//! ([`Text::note_unread`]).
//!
//! Values are weighed as everywhere: a reference to a variable or a placeholder gives nothing away. No value is kept.

use std::cell::{Cell, OnceCell};

use super::circumstance::PLACEHOLDERS;
use super::{Artifact, Class};
use super::{
    agents, ci, cloud, deploy, documents, environment, git, ide, json, kube, lists, lockfiles,
};
use super::{logins, package_logins, recordings, sealed, secret_keys, ssh, terraform, vcs};
use crate::exposure::content::Hits;
use crate::exposure::rules::Rules;
use crate::exposure::values;

/// Of a text of this size or more only the beginning is read; bytes of both.
const READ_MAX: usize = 64 << 20;
const HEAD_OF_LARGE: usize = 1 << 20;

/// How far the first line that says something is looked for, and how long it may be; bytes.
const HEAD: usize = 8 << 10;

/// What a text is written in, as far as its first line that says something shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{`: JSON, or something like it.
    Object,
    /// `[section]`: ini, TOML.
    Section,
    /// `<tag`: XML.
    Tag,
    /// `key: value`, or `---`: YAML.
    Mapping,
    /// `word:word`: lists with fields between colons, and addresses.
    Colons,
    /// `key = value` or `KEY=value`.
    Assignment,
    /// Anything else.
    Other,
}

/// A text of settings, a log or a list.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    /// All of it, without a byte-order mark.
    pub text: &'a str,
    /// The first line that is neither empty nor a comment with `#` or `;`; trimmed.
    pub first: &'a str,
    /// What it is written in.
    pub shape: Shape,
    /// Keys of the outermost mapping, once somebody asked for them.
    keys: OnceCell<Vec<&'a str>>,
    /// It is the beginning of a text that is too large to be held.
    pub is_beginning: bool,
    /// Its first lines made it one of a form that is parsed, and it was too large for that.
    is_unread: Cell<bool>,
}

/// What reads one form.
type Reader = fn(&Text<'_>) -> Option<Artifact>;

/// Readers by the shape of what they read; the first that knows a text has it.
const READERS: &[(Shape, Reader)] = &[
    (Shape::Object, json::read),
    (Shape::Section, cloud::read_ini),
    (Shape::Section, package_logins::read_toml),
    (Shape::Section, secret_keys::read_wireguard),
    (Shape::Section, git::read_config),
    (Shape::Section, vcs::read_hgrc),
    (Shape::Section, logins::read_ini),
    (Shape::Section, lockfiles::read_settings),
    (Shape::Section, lockfiles::read_toml_lock),
    (Shape::Section, documents::read_folder_settings),
    (Shape::Assignment, lockfiles::read_toml_lock),
    (Shape::Tag, ide::read_xml),
    (Shape::Tag, package_logins::read_xml),
    (Shape::Tag, documents::read_core_properties),
    (Shape::Mapping, kube::read),
    (Shape::Mapping, sealed::read_yaml),
    (Shape::Mapping, package_logins::read_yaml),
    (Shape::Mapping, logins::read_hosts_yaml),
    (Shape::Mapping, recordings::read_cassette),
    (Shape::Mapping, ci::read_yaml),
    (Shape::Mapping, deploy::read_yaml),
    (Shape::Mapping, lockfiles::read_yaml_lock),
    (Shape::Assignment, environment::read),
    (Shape::Assignment, terraform::read_variables),
    (Shape::Assignment, package_logins::read_properties),
    (Shape::Assignment, lockfiles::read_settings),
    (Shape::Other, logins::read_netrc),
    (Shape::Other, logins::read_pgpass),
    (Shape::Other, terraform::read_login),
    (Shape::Other, ssh::read),
    (Shape::Other, deploy::read_dockerfile),
    (Shape::Other, ci::read_jenkinsfile),
    (Shape::Other, git::read_reflog),
    (Shape::Other, vcs::read_cvs),
    (Shape::Other, lists::read_hosts),
    (Shape::Other, lockfiles::read_yarn_lock),
    (Shape::Other, lockfiles::read_gem_lock),
    (Shape::Colons, ssh::read),
    (Shape::Colons, lockfiles::read_yarn_lock),
    (Shape::Colons, logins::read_htpasswd),
    (Shape::Colons, logins::read_git_credentials),
    (Shape::Colons, logins::read_pgpass),
    (Shape::Colons, vcs::read_cvs),
    (Shape::Mapping, agents::read_front_matter),
];

/// What is said of a text that is too large to be parsed.
const UNREAD: &str = "its first keys are those of settings, state or a recording";

/// Settings, logs and lists.
pub struct Texts;

/// The first artifact that a reader knows it to be.
fn read(text: &Text<'_>, unread: &mut Vec<&'static str>) -> Option<Artifact> {
    let artifact = READERS
        .iter()
        .filter(|(shape, _)| *shape == text.shape)
        .find_map(|(_, read)| read(text));
    if text.is_unread.get() {
        unread.push(UNREAD);
    }
    artifact
}

impl Class for Texts {
    fn recognise(&self, bytes: &[u8], hits: &Hits) -> Option<Artifact> {
        self.read(bytes, hits, &mut Vec::new())
    }

    fn read(&self, bytes: &[u8], _hits: &Hits, unread: &mut Vec<&'static str>) -> Option<Artifact> {
        let Some(head) = bytes
            .get(..READ_MAX)
            .and_then(|_| bytes.get(..HEAD_OF_LARGE))
        else {
            return read(&Text::of(bytes)?, unread);
        };
        let artifact = self.read_beginning(head, unread)?;
        if unread.is_empty() {
            unread.push(UNREAD);
        }
        Some(Artifact {
            detail: format!("{}; told by its beginning", artifact.detail),
            ..artifact
        })
    }

    fn read_beginning(&self, head: &[u8], unread: &mut Vec<&'static str>) -> Option<Artifact> {
        // Whole lines: what is cut would be read as something else.
        let lines = memchr::memrchr(b'\n', head).map_or(head, |feed| &head[..=feed]);
        let text = Text {
            is_beginning: true,
            ..Text::of(lines)?
        };
        read(&text, unread)
    }
}

impl<'a> Text<'a> {
    /// A text that may be settings. `None` for bytes that are no text, and for code as far as that shows.
    pub fn of(bytes: &'a [u8]) -> Option<Text<'a>> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = first_line(bytes)?;
        let shape = shape_of(first);
        if shape == Shape::Other && !may_be_lines(first) {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let first = std::str::from_utf8(first).ok()?;
        Some(Text {
            text,
            first,
            shape,
            keys: OnceCell::new(),
            is_beginning: false,
            is_unread: Cell::new(false),
        })
    }

    /// Notes that a reader would have parsed it, were it not for its size.
    pub fn note_unread(&self) {
        self.is_unread.set(true);
    }

    /// Its lines that say something, trimmed at the end only.
    pub fn lines(&self) -> impl Iterator<Item = &'a str> {
        let lines = self.text.lines().map(str::trim_end);
        lines.filter(|line| !line.is_empty() && !line.trim_start().starts_with(['#', ';']))
    }

    /// The keys of the outermost mapping by the text's lines, as those of a YAML document stand: each once.
    pub fn keys(&self) -> &[&'a str] {
        self.keys.get_or_init(|| top_keys(self.text))
    }

    /// Whether the outermost mapping has a key.
    pub fn has_key(&self, key: &str) -> bool {
        self.keys().contains(&key)
    }
}

/// Most keys of a mapping that are kept.
const KEYS_MAX: usize = 256;

fn top_keys(text: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    for line in text.lines() {
        let is_top =
            line.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '"' | '.'));
        let Some((key, rest)) = line.split_once(':').filter(|_| is_top) else {
            continue;
        };
        let key = key.trim_matches(['"', '\'']);
        let is_key = (rest.is_empty() || rest.starts_with([' ', '\t', '\r'])) && !key.contains(' ');
        if is_key && !keys.contains(&key) {
            keys.push(key);
            if keys.len() == KEYS_MAX {
                break;
            }
        }
    }
    keys
}

/// The first line that is neither empty nor a comment.
fn first_line(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(..HEAD).unwrap_or(bytes);
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest[..end].trim_ascii();
        if !line.is_empty() && !matches!(line[0], b'#' | b';') {
            return Some(line);
        }
        rest = rest.get(end + 1..)?;
    }
    None
}

fn shape_of(line: &[u8]) -> Shape {
    match line.first() {
        Some(b'{') => Shape::Object,
        Some(b'[') if line.ends_with(b"]") => Shape::Section,
        Some(b'<') => Shape::Tag,
        _ if line == b"---" => Shape::Mapping,
        _ => shape_of_pair(line),
    }
}

/// `key: value`, `"key": value`, `:key: value`, `key = value`; a key has no blanks in it.
fn shape_of_pair(line: &[u8]) -> Shape {
    let line = line.strip_prefix(b"- ").unwrap_or(line);
    let line = line.strip_prefix(b":").unwrap_or(line);
    let end = line.iter().position(|&byte| {
        !byte.is_ascii_alphanumeric()
            && !matches!(byte, b'_' | b'-' | b'.' | b'"' | b'\'' | b'/' | b'@' | b'$')
    });
    let Some(end) = end.filter(|&end| end > 0) else {
        return Shape::Other;
    };
    let rest = &line[end..];
    match rest.trim_ascii_start() {
        [b':', after @ ..]
            if rest[0] == b':' && matches!(after.first(), None | Some(b' ' | b'\t')) =>
        {
            Shape::Mapping
        }
        // Not `a == b` and not `f => …`.
        [b'=', after @ ..] if !matches!(after.first(), Some(b'=' | b'>')) => Shape::Assignment,
        // `user:$apr1$…`, `host:port:database:user:password`, `https://user:…`
        [b':', ..] if rest[0] == b':' => Shape::Colons,
        _ => Shape::Other,
    }
}

/// Whether the first line may be of one of the forms that have no shape; nothing that a line of code begins with.
fn may_be_lines(line: &[u8]) -> bool {
    const WORDS: [&[u8]; 25] = [
        b"machine ",
        b"default ",
        b"FROM ",
        b"ARG ",
        b"Host ",
        b"pipeline ",
        b"GEM",
        b"GIT",
        b"PATH",
        b"credentials ",
        b"Match ",
        b"Include ",
        b"localhost",
        b"*:",
        b"|1|",
        b"bind ",
        b"daemonize ",
        b"listener ",
        b"port ",
        b"protected-mode ",
        b"requirepass ",
        b"tcp-backlog ",
        b"[",
        b"@",
        b"\"",
    ];
    if line.starts_with(b"\"use ") {
        return false;
    }
    let is_number = |byte: &u8| byte.is_ascii_digit();
    WORDS.iter().any(|word| line.starts_with(word))
        || line.first().is_some_and(is_number)
        || memchr::memmem::find(line, b" ssh-").is_some()
        || line.starts_with(b"ssh-")
        || line.starts_with(b"ecdsa-sha2-")
        || memchr::memmem::find(line, b" ecdsa-sha2-").is_some()
        || line.starts_with(b":")
        // Not the comments of most languages.
        || line.starts_with(b"/") && !matches!(line.get(1), Some(b'/' | b'*'))
}

/// Credentials of a file: how many there are, and how many look live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Credentials {
    all: u32,
    live: u32,
}

/// A shorter value is taken for no credential; characters.
const MIN_VALUE: usize = 4;

impl Credentials {
    /// Takes in a value that its place makes a credential.
    pub fn add(&mut self, value: &str) {
        let value = unquoted(value);
        self.all = self.all.saturating_add(1);
        let is_live =
            value.len() >= MIN_VALUE && !values::is_placeholder(value, Rules::builtin().words());
        self.live = self.live.saturating_add(u32::from(is_live));
    }

    /// Takes in a setting that is a credential by its name or its value.
    pub fn add_setting(&mut self, key: &str, value: &str) {
        if is_live(key, value) {
            self.all = self.all.saturating_add(1);
            self.live = self.live.saturating_add(1);
        }
    }

    /// Takes in a setting of a file in which most settings are none of an account: names of variables are in capitals, and
    /// under any other name only a value counts that no word is.
    pub fn add_variable(&mut self, key: &str, value: &str) {
        let is_variable = !key.bytes().any(|byte| byte.is_ascii_lowercase());
        if is_variable || is_wordless(value) {
            self.add_setting(key, value);
        }
    }

    /// Takes in a setting that is a credential by its name; what only looks random is none here.
    pub fn add_named(&mut self, key: &str, value: &str) {
        if names_secret(key) {
            self.add_setting(key, value);
        }
    }

    /// Takes in the password of a URL, where there is one.
    pub fn add_url(&mut self, url: &str) {
        if let Some(password) = url_password(url) {
            self.add(password);
        }
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.all == 0
    }

    /// At least one looks live.
    pub fn is_live(&self) -> bool {
        self.live > 0
    }

    /// An artifact of a class whose plain severity is that of live credentials. `None` without any.
    pub fn artifact(&self, class: &str, what: &str) -> Option<Artifact> {
        let circumstance = if self.live > 0 { "" } else { PLACEHOLDERS };
        (self.all > 0).then(|| Artifact::proven(class, circumstance, format!("{what}: {self}")))
    }
}

impl std::fmt::Display for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.all, self.live) {
            (0, _) => f.write_str("no credentials"),
            (all, 0) => write!(
                f,
                "{}, all placeholders or references",
                counted(all, "credential")
            ),
            (all, live) => write!(f, "{}, {live} like live ones", counted(all, "credential")),
        }
    }
}

/// `1 key`, `2 keys`.
pub fn counted(count: u32, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Shortest value that is no word, in characters.
const MIN_WORDLESS: usize = 12;

/// Letters and digits, and no word of a language or part of a path.
fn is_wordless(value: &str) -> bool {
    value.len() >= MIN_WORDLESS
        && value.bytes().filter(u8::is_ascii_digit).count() >= 2
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !value.contains([' ', '/', ':', ','])
}

/// Whether a setting looks like a live credential by its name or its value.
pub fn is_live(key: &str, value: &str) -> bool {
    // A bare `key` is that of a cache, of an object or of a pair more often than one that opens something.
    if key.eq_ignore_ascii_case("key") && (!is_wordless(value) || value.contains('-')) {
        return false;
    }
    let mut name = String::with_capacity(key.len() + 4);
    let mut was_small = false;
    for c in key.chars() {
        match c {
            '-' | '.' | '_' | ' ' => name.push('_'),
            // `clientSecret` has the same parts as `client_secret`.
            c if c.is_ascii_uppercase() && was_small => {
                name.push('_');
                name.push(c);
            }
            c => name.push(c),
        }
        was_small = c.is_ascii_lowercase();
    }
    values::is_credential(&name, unquoted(value), Rules::builtin().words())
}

/// Whether a setting's name calls it a secret, whatever its value is.
pub fn names_secret(key: &str) -> bool {
    const TELLING: &str = "q8Zt5vKx0Wb3";
    is_live(key, TELLING)
}

/// The password of `scheme://user:password@host`, or a token that stands for both.
pub fn url_password(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '"', '\'', ' ']).next()?;
    let (user, _host) = authority.rsplit_once('@')?;
    match user.split_once(':') {
        Some((_, password)) => Some(password).filter(|password| !password.is_empty()),
        // A bare name is a user (`git@`); a long random one is a token.
        None => Some(user).filter(|user| user.len() >= 20),
    }
}

/// A value without the quotes round it, and without a comma behind it.
pub fn unquoted(value: &str) -> &str {
    let value = value.trim().trim_end_matches(',').trim_end();
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// A setting of an ini file, or of TOML as far as its lines look the same: section, key and value, unquoted.
pub fn settings<'a>(text: &Text<'a>) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    let mut section = "";
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name.trim_matches(['[', ']']).trim();
            return None;
        }
        let (key, value) = line.split_once('=')?;
        Some((section, unquoted(key), unquoted(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_says_something_shows_the_shape() {
        for (text, shape) in [
            ("\u{feff}\n{\"a\":1}", Some(Shape::Object)),
            ("# note\n; more\n[default]\nkey = x\n", Some(Shape::Section)),
            ("<?xml version=\"1.0\"?>", Some(Shape::Tag)),
            ("---\na: b", Some(Shape::Mapping)),
            (":rubygems_api_key: x", Some(Shape::Mapping)),
            ("apiVersion: v1", Some(Shape::Mapping)),
            ("\"@a/b\": c", Some(Shape::Mapping)),
            ("KEY=value", Some(Shape::Assignment)),
            ("db_password = \"x\"", Some(Shape::Assignment)),
            ("FROM node:20", Some(Shape::Other)),
            ("a == b", None),
            ("f => x", None),
            ("import x from 'y'", None),
            ("\"use strict\";", None),
            ("!function(){}", None),
            ("/* note */", None),
            ("", None),
            ("# only\n# comments", None),
        ] {
            assert_eq!(
                Text::of(text.as_bytes()).map(|text| text.shape),
                shape,
                "{text}"
            );
        }
        assert!(Text::of(b"a: \xff").is_none());
    }

    #[test]
    fn settings_are_weighed_in_every_spelling() {
        for (key, value) in [
            ("client-secret", "q8Zt5vKx0Wb3"),
            ("clientSecret", "q8Zt5vKx0Wb3"),
            ("db.password", "\"hunter2!\""),
        ] {
            assert!(is_live(key, value), "{key}");
        }
        for (key, value) in [
            ("client-secret", "${SECRET}"),
            ("name", "q8Zt5vKx0Wb3"),
            ("token", "your-token"),
        ] {
            assert!(!is_live(key, value), "{key}");
        }
        assert!(!is_live("key", "v1-deps-2024-05") && !is_live("key", "env/state"));
        let count = |key: &str, value: &str| {
            let mut found = Credentials::default();
            found.add_variable(key, value);
            found.is_live()
        };
        assert!(count("DEPLOY_TOKEN", "hunter2!") && count("token", "q8Zt5vKx0Wb3"));
        assert!(!count("id-token", "write") && !count("token", "hunter2!"));
        assert!(names_secret("registryPassword") && !names_secret("registryHost"));
        assert_eq!(url_password("https://u:p@h/x"), Some("p"));
        assert_eq!(url_password("ssh://git@h/x"), None);
        assert_eq!(unquoted(" 'a', "), "a");
    }
}
