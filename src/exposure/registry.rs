//! Files that hold the token with which a package is published: `.npmrc`, `.yarnrc.yml`, `.pypirc`.
//!
//! A token line alone is no such file: it stands in every manual. The whole text must have the file's shape, and the
//! value must be literal: `${NPM_TOKEN}` gives nothing away. What can be checked without a network is checked: an npm
//! token ends with a checksum (base62 of the CRC-32 of its body), a PyPI token is a macaroon (version 2 of the binary
//! format). No host is named here; the lines are recognised by their structure.
//!
//! Left out: tokens in other texts, which are for the secret rules.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::rules::Words;
use super::values;

/// Which client reads the file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum RegistryFile {
    /// `.npmrc` (npm, pnpm, Yarn 1, Bun).
    Npm,
    /// `.yarnrc.yml` (Yarn 2 and later).
    Yarn,
    /// `.pypirc` (twine, flit, hatch, setuptools).
    Pypi,
}

impl RegistryFile {
    /// What people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            RegistryFile::Npm => "npm",
            RegistryFile::Yarn => "Yarn",
            RegistryFile::Pypi => "PyPI",
        }
    }
}

/// What could be checked of a token without a network.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum TokenCheck {
    /// It carries a checksum, and that is wrong: mistyped or made up.
    ChecksumWrong,
    /// Nothing in it can be checked.
    Unchecked,
    /// It is built as it should be.
    StructureOk,
    /// Its checksum is right.
    ChecksumOk,
}

/// A file with credentials for a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenFile {
    pub file: RegistryFile,
    /// At least one value is literal and no placeholder.
    pub live: bool,
    /// The best check among the live values.
    pub check: TokenCheck,
}

/// A shorter value is no token and no password that a registry accepts; characters.
const MIN_TOKEN: usize = 8;

/// The registry file that the bytes are, where they are one with credentials in it.
pub(super) fn parse(bytes: &[u8], words: &Words) -> Option<TokenFile> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ini = || lines(text, &['#', ';']);
    let credentials = npm_values(ini())
        .map(|values| (RegistryFile::Npm, values))
        .or_else(|| Some((RegistryFile::Yarn, yarn_values(text)?)))
        .or_else(|| Some((RegistryFile::Yarn, classic_values(ini())?)))
        .or_else(|| Some((RegistryFile::Pypi, pypi_values(ini())?)));
    let (file, values) = credentials?;
    let live = values
        .iter()
        .filter(|value| value.len() >= MIN_TOKEN && !values::is_placeholder(value, words));
    let best = live.map(|value| check_token(value)).max();
    Some(TokenFile {
        file,
        live: best.is_some(),
        check: best.unwrap_or(TokenCheck::Unchecked),
    })
}

/// Values of the same keys as npm's, in the form of Yarn's first version: `key value`, either in quotes where it must be.
fn classic_values<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Vec<&'a str>> {
    let mut values = Vec::new();
    for line in lines {
        let (key, value) = line.split_once([' ', '\t'])?;
        let (key, value) = (key.trim_matches('"'), value.trim());
        let is_key = !key.is_empty() && !key.contains(|c: char| "(){};,=\"'".contains(c));
        // A value is one word, or stands in quotes.
        let is_value =
            value.starts_with('"') && value.ends_with('"') || !value.contains(char::is_whitespace);
        if !is_key || !is_value || value.ends_with([',', ';']) {
            return None;
        }
        let setting = if key.starts_with("//") {
            key.rsplit(':').next().unwrap_or(key)
        } else {
            key
        };
        if matches!(setting, "_authToken" | "_auth" | "_password") {
            values.push(unquoted(value));
        }
    }
    (!values.is_empty()).then_some(values)
}

/// Lines that say something, without white space at their ends.
fn lines<'a>(text: &'a str, comments: &'static [char]) -> impl Iterator<Item = &'a str> {
    text.lines()
        .map(str::trim)
        .filter(move |line| !line.is_empty() && !line.starts_with(comments))
}

/// Values of `_authToken`, `_auth` and `_password` of an ini file. `None` for another shape, or without such keys.
fn npm_values<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Vec<&'a str>> {
    let mut values = Vec::new();
    for line in lines {
        if line.starts_with('[') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let key = key.trim();
        if key.is_empty() || key.contains(|c: char| c.is_whitespace() || "(){};,\"'".contains(c)) {
            return None;
        }
        // Scoped to a host (`//host/path/:_authToken`) or, as before npm 9, for all of them.
        let setting = if key.starts_with("//") {
            key.rsplit(':').next().unwrap_or(key)
        } else {
            key
        };
        if matches!(setting, "_authToken" | "_auth" | "_password") {
            values.push(unquoted(value));
        }
    }
    if values.is_empty() {
        None
    } else {
        Some(values)
    }
}

/// Values of `npmAuthToken` and `npmAuthIdent` of a YAML file. `None` for another shape, or without such keys.
fn yarn_values(text: &str) -> Option<Vec<&str>> {
    let mut values = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    {
        let inside = line.starts_with([' ', '\t', '-']);
        let Some((key, value)) = line
            .split_once(':')
            .filter(|(_, value)| value.is_empty() || value.starts_with([' ', '\r']))
        else {
            // A list entry, or a key with a URL in quotes; at the margin it would be no YAML mapping.
            if inside { continue } else { return None }
        };
        let key = key
            .trim()
            .trim_start_matches("- ")
            .trim_matches(['"', '\'']);
        if !inside && key.contains(|c: char| c.is_whitespace() || "(){};,=".contains(c)) {
            return None;
        }
        if matches!(key, "npmAuthToken" | "npmAuthIdent") {
            let value = value.split(" #").next().unwrap_or(value);
            if value.trim().ends_with([',', ';']) || value.trim().starts_with(['{', '[']) {
                return None;
            }
            values.push(unquoted(value));
        }
    }
    if values.is_empty() {
        None
    } else {
        Some(values)
    }
}

/// Values of `password` of an ini file with a `[distutils]` or a `[pypi]` section (`testpypi` and such included).
fn pypi_values<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Vec<&'a str>> {
    let mut values = Vec::new();
    let (mut named, mut in_section) = (false, false);
    for line in lines {
        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            in_section = true;
            named |= section == "distutils" || section.ends_with("pypi");
        } else if !in_section {
            return None;
        } else if let Some((key, value)) = line.split_once(['=', ':'])
            && key.trim() == "password"
        {
            values.push(unquoted(value));
        }
    }
    if named && !values.is_empty() {
        Some(values)
    } else {
        None
    }
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

/// Checks what a token's own structure allows.
fn check_token(token: &str) -> TokenCheck {
    if let Some(rest) = token.strip_prefix("npm_") {
        return match rest.split_at_checked(rest.len().saturating_sub(CHECKSUM_CHARS)) {
            Some((body, checksum)) if body.len() == 30 && checksum == base62_crc32(body) => {
                TokenCheck::ChecksumOk
            }
            Some(_) if rest.len() == 36 => TokenCheck::ChecksumWrong,
            _ => TokenCheck::Unchecked,
        };
    }
    if let Some(macaroon) = token.strip_prefix("pypi-") {
        // Version 2, then field 1 (the location) with its length.
        let whole = URL_SAFE_NO_PAD.decode(macaroon.trim_end_matches('='));
        return match whole.as_deref() {
            Ok([2, 1, length, rest @ ..]) if rest.len() > usize::from(*length) + 32 => {
                TokenCheck::StructureOk
            }
            _ => TokenCheck::ChecksumWrong,
        };
    }
    // `_auth` and `npmAuthIdent` hold user:password in base64.
    let decoded = STANDARD_NO_PAD
        .decode(token.trim_end_matches('='))
        .unwrap_or_default();
    let pair = std::str::from_utf8(&decoded)
        .ok()
        .and_then(|text| text.split_once(':'));
    match pair {
        Some((user, password))
            if !user.is_empty()
                && !password.is_empty()
                && decoded.iter().all(u8::is_ascii_graphic) =>
        {
            TokenCheck::StructureOk
        }
        _ => TokenCheck::Unchecked,
    }
}

/// Characters of an npm token's checksum.
const CHECKSUM_CHARS: usize = 6;

/// CRC-32 (ISO-HDLC) of the body in base62, digits before capitals before small letters, padded to six.
pub(super) fn base62_crc32(body: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut text = [b'0'; CHECKSUM_CHARS];
    for place in text.iter_mut().rev() {
        *place = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    text.iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::rules::Rules;
    use crate::exposure::samples::make;

    fn read(text: &str) -> Option<TokenFile> {
        parse(text.as_bytes(), Rules::builtin().words())
    }

    fn sample(name: &str) -> String {
        String::from_utf8(make(name).unwrap()).unwrap()
    }

    #[test]
    fn token_files_are_read_and_checked() {
        for (name, file, check) in [
            ("npm-token-file", RegistryFile::Npm, TokenCheck::ChecksumOk),
            (
                "npm-token-file-wrong-checksum",
                RegistryFile::Npm,
                TokenCheck::ChecksumWrong,
            ),
            ("npm-auth-file", RegistryFile::Npm, TokenCheck::StructureOk),
            (
                "yarn-token-file",
                RegistryFile::Yarn,
                TokenCheck::ChecksumOk,
            ),
            (
                "filled registry \"https://packages.acme.example/\"\n\"//packages.acme.example/:_authToken\" \"{word:36}\"\n",
                RegistryFile::Yarn,
                TokenCheck::Unchecked,
            ),
            (
                "pypi-token-file",
                RegistryFile::Pypi,
                TokenCheck::StructureOk,
            ),
        ] {
            assert_eq!(
                read(&sample(name)),
                Some(TokenFile {
                    file,
                    live: true,
                    check
                }),
                "{name}"
            );
        }
        let legacy = "//host.tld/:_authToken = 7a1c0f9e-2b6d-4c58-9e03-d4f8a6b1c2e7\nsave-exact\n; note\nfoo[]=bar";
        assert_eq!(
            read(legacy),
            Some(TokenFile {
                file: RegistryFile::Npm,
                live: true,
                check: TokenCheck::Unchecked
            })
        );
    }

    #[test]
    fn references_and_placeholders_are_not_live() {
        for text in [
            "//host.tld/:_authToken=${NPM_TOKEN}",
            "_authToken=",
            "_auth=xxxxxxxxxxxxxxxx",
            "npmAuthToken: \"${NPM_TOKEN:-}\"",
            "npmScopes:\n  acme:\n    npmAuthToken: <your token>\n",
            "[pypi]\nusername = __token__\npassword = pypi-your-token-here\n",
        ] {
            assert!(read(text).is_some_and(|file| !file.live), "{text}");
        }
    }

    #[test]
    fn texts_of_another_shape_are_none() {
        let token = sample("npm-token-file");
        for text in [
            format!("# Setup\n\nPut this into your file:\n\n{token}"),
            format!("RUN echo \"{}\" > .npmrc", token.trim()),
            "const _authToken 'abcdefgh12345';\nthis is prose :_authToken here".into(),
            "const a = { npmAuthToken: 'abcdefgh12345' };".into(),
            "export default {\n  npmAuthToken: 'q8Zt5vKx0Wb3',\n}".into(),
            "registry=https://host.tld/\n".into(),
            "[server]\nusername = a\npassword = q8Zt5vKx0Wb3\n".into(),
            "nodeLinker: node-modules\n".into(),
            String::new(),
        ] {
            assert_eq!(read(&text), None, "{text}");
        }
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        // CRC-32's own check value (ISO-HDLC): 0xCBF43926 of "123456789", in base62.
        assert_eq!(base62_crc32("123456789"), "3jZRME");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(//h/|:|_authToken|=|npm_|pypi-|\\[pypi\\]|password|npmAuthToken: |\n| |\"|é)*") {
            let _ = read(&text);
        }
    }
}
