//! JSON documents that tools keep accounts, state and recordings in.
//!
//! The keys of the outermost object tell what a document is, so they are collected first, from its head, without reading
//! what is below them; only a document whose keys fit is parsed. That keeps data in JSON, which there is much of, cheap.
//!
//! Left out: HAR, which is a container, and lock files, which are read by lines.

use std::cell::Cell;

use serde_json::Value;

use super::bounded_json::{self, NoTree};
use super::circumstance::{CREDENTIALS, ENCRYPTED, NO_CREDENTIALS};
use super::text::{Credentials, Text, counted};
use super::{Artifact, agents, lockfiles, recordings, sealed, terraform};

/// A larger document is not parsed; bytes.
const BYTES_MAX: usize = 8 << 20;

/// How much of a document is looked at for its keys; bytes.
const LOOK: usize = BYTES_MAX;

/// Most keys of the outermost object that are kept.
const KEYS_MAX: usize = 1024;

/// A document of JSON whose keys are known.
pub struct Document<'a> {
    /// All of it.
    pub text: &'a str,
    /// Keys of the outermost object, as written.
    keys: Vec<&'a str>,
    /// It is the beginning of a larger one.
    is_beginning: bool,
    /// It was to be parsed, and is too large for that.
    is_unread: Cell<bool>,
}

/// What reads one kind of document.
type Reader = fn(&Document<'_>) -> Option<Artifact>;

/// Keys that a document must have, all of them, and what then reads it.
const READERS: &[(&[&str], Reader)] = &[
    (&["auths"], docker),
    (&["type", "private_key"], service_account),
    (&["refresh_token", "client_secret"], user_login),
    (&["installed"], client_secrets),
    (&["web"], client_secrets),
    (&["installationId", "subscriptions"], azure_profile),
    (&["AccessToken", "RefreshToken"], msal_cache),
    (&["Account", "RefreshToken"], msal_cache),
    (&["credentials"], terraform::login_json),
    (&["terraform_version"], terraform::state),
    (&["encrypted_data", "lineage"], terraform::state),
    (&["sops"], sealed::sops_json),
    (&["crypto", "version"], wallet),
    (&["Crypto", "version"], wallet),
    (&["kty"], web_key),
    (&["keys"], web_keys),
    (&["http-basic"], composer),
    (&["github-oauth"], composer),
    (&["gitlab-token"], composer),
    (&["host", "password"], transfer),
    (&["mcpServers"], agents::servers),
    (&["servers", "inputs"], agents::servers),
    (&["info", "item"], recordings::collection),
    (&["_postman_variable_scope"], recordings::variables),
    (&["values", "name"], recordings::variables),
    (&["http_interactions"], recordings::cassette_json),
    (&["sessionId", "type"], agents::transcript),
    (&["lockfileVersion"], lockfiles::json),
    (&["_meta", "default"], lockfiles::json),
    (&["packages", "packages-dev"], lockfiles::json),
    (&["uuid", "parentUuid"], agents::transcript),
];

/// The first reader of which all keys are there and that knows the document.
pub fn read(text: &Text<'_>) -> Option<Artifact> {
    let mut document = Document::of(text.text);
    document.is_beginning = text.is_beginning;
    let artifact = READERS
        .iter()
        .filter(|(keys, _)| keys.iter().all(|key| document.has(key)))
        .find_map(|(_, read)| read(&document));
    if document.is_unread.get() {
        text.note_unread();
    }
    artifact
}

impl<'a> Document<'a> {
    /// Collects the keys of the outermost object.
    pub fn of(text: &'a str) -> Document<'a> {
        let mut keys = Vec::new();
        let bytes = &text.as_bytes()[..text.len().min(LOOK)];
        let (mut at, mut depth) = (0_usize, 0_u64);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    // A second document behind the first, as in a log of them.
                    if depth == 0 {
                        break;
                    }
                }
                b'"' => {
                    let Some(end) = string_end(bytes, at + 1) else {
                        break;
                    };
                    let behind = bytes.get(end + 1..).unwrap_or_default();
                    let is_key = depth == 1 && behind.trim_ascii_start().first() == Some(&b':');
                    if is_key && keys.len() < KEYS_MAX {
                        keys.extend(text.get(at + 1..end));
                    }
                    at = end;
                }
                _ => {}
            }
            at += 1;
        }
        Document {
            text,
            keys,
            is_beginning: false,
            is_unread: Cell::new(false),
        }
    }

    /// Whether the outermost object has a key, in the head of the document.
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains(&key)
    }

    /// The document, parsed. `None` where it is no JSON; where it is too large, that is noted.
    pub fn value(&self) -> Option<Value> {
        if self.is_beginning {
            self.is_unread.set(true);
            return None;
        }
        self.value_of(self.text)
    }

    /// The same of a part of it that is a document of its own.
    pub fn value_of(&self, part: &str) -> Option<Value> {
        if part.len() > BYTES_MAX {
            self.is_unread.set(true);
            return None;
        }
        let tree = bounded_json::read(part.as_bytes());
        if tree == Err(NoTree::TooLarge) {
            self.is_unread.set(true);
        }
        tree.ok()
    }
}

/// The quote that ends the string whose content begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// A text below an object's key.
pub fn text_of<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}

/// Gives each text of a document with its key to `take`. Nesting is bounded by the reader of JSON (128).
pub fn each_text(value: &Value, take: &mut dyn FnMut(&str, &str)) {
    let mut open = vec![("", value)];
    while let Some((key, value)) = open.pop() {
        match value {
            Value::String(text) => take(key, text),
            Value::Array(items) => open.extend(items.iter().map(|item| (key, item))),
            Value::Object(fields) => {
                open.extend(fields.iter().map(|(key, field)| (key.as_str(), field)));
            }
            _ => {}
        }
    }
}

/// A login of a container client: `auths`, each with `auth` (user:password in base64), `identitytoken` and the like
/// (docker config file, "auths").
fn docker(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let auths = value.get("auths")?.as_object()?;
    let mut found = Credentials::default();
    for login in auths.values() {
        for key in ["auth", "password", "identitytoken", "registrytoken"] {
            if let Some(text) = text_of(login, key).filter(|text| !text.is_empty()) {
                found.add(text);
            }
        }
    }
    let stores = value
        .get("credsStore")
        .or(value.get("credHelpers"))
        .is_some();
    if found.is_empty() && !stores && auths.is_empty() {
        return None;
    }
    let what = format!(
        "logins of a container client for {}",
        counted(u32::try_from(auths.len()).unwrap_or(u32::MAX), "registry")
            .replace("registrys", "registries")
    );
    if found.is_empty() {
        let detail = format!("{what}, kept elsewhere");
        return Some(Artifact::proven("login-file", NO_CREDENTIALS, detail));
    }
    found.artifact("login-file", &what)
}

/// A service account of Google's cloud: the private key is in it.
fn service_account(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    if text_of(&value, "type") != Some("service_account") {
        return None;
    }
    let mut found = Credentials::default();
    // Short of a key it is a template.
    match text_of(&value, "private_key")? {
        key if key.len() > 400 && key.contains("PRIVATE KEY-----") => found.add("q8Zt5vKx0Wb3"),
        _ => found.add(""),
    }
    let id = text_of(&value, "private_key_id").unwrap_or_default();
    let end = id.get(id.len().saturating_sub(4)..).unwrap_or_default();
    let shown = crate::exposure::shown(end.as_bytes());
    found.artifact(
        "cloud-login",
        &format!("key of a service account, its id ends with {shown}"),
    )
}

/// Application-default credentials of a person (`authorized_user`), and what is built like them.
fn user_login(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let mut found = Credentials::default();
    for key in ["refresh_token", "client_secret"] {
        found.add(text_of(&value, key)?);
    }
    found.artifact("cloud-login", "login of a person at a cloud")
}

/// The secret of an application at an identity provider (`client_secret_….json`).
fn client_secrets(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let inner = value.get("installed").or(value.get("web"))?;
    text_of(inner, "client_id")?;
    text_of(inner, "token_uri").or(text_of(inner, "auth_uri"))?;
    let mut found = Credentials::default();
    found.add(text_of(inner, "client_secret")?);
    found.artifact(
        "cloud-login",
        "secret of an application at an identity provider",
    )
}

/// `azureProfile.json`: subscriptions and tenants, no tokens.
fn azure_profile(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let subscriptions = value.get("subscriptions")?.as_array()?.len();
    let detail = format!(
        "profile of a cloud's command line with {}",
        counted(
            u32::try_from(subscriptions).unwrap_or(u32::MAX),
            "subscription"
        )
    );
    Some(Artifact::proven("cloud-login", NO_CREDENTIALS, detail))
}

/// The token cache of Microsoft's login library.
fn msal_cache(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let mut found = Credentials::default();
    for kind in ["AccessToken", "RefreshToken", "IdToken"] {
        for token in value
            .get(kind)
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|all| all.values())
        {
            if let Some(secret) = text_of(token, "secret") {
                found.add(secret);
            }
        }
    }
    found.artifact("cloud-login", "cache of tokens of a cloud's login")
}

/// A wallet of Ethereum: the key is encrypted with a password (Web3 Secret Storage, version 3).
fn wallet(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let crypto = value.get("crypto").or(value.get("Crypto"))?;
    text_of(crypto, "ciphertext").filter(|text| text.len() >= 32)?;
    text_of(crypto, "kdf")?;
    Some(Artifact::proven(
        "secret-key-file",
        ENCRYPTED,
        "a wallet whose key a password protects",
    ))
}

/// A private JSON Web Key (RFC 7517): `d`, or `k` of a symmetric one.
fn is_private_key(key: &Value) -> bool {
    let long = |name: &str| {
        text_of(key, name).is_some_and(|text| {
            text.len() >= 16
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
        })
    };
    match text_of(key, "kty") {
        Some("oct") => long("k"),
        Some(_) => long("d"),
        None => false,
    }
}

fn web_key(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    is_private_key(&value)
        .then(|| Artifact::proven("secret-key-file", "", "a private JSON Web Key"))
}

fn web_keys(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let keys = value.get("keys")?.as_array()?;
    let count = keys.iter().filter(|key| is_private_key(key)).count();
    let detail = format!("{count} of {} JSON Web Keys are private", keys.len());
    (count > 0).then(|| Artifact::proven("secret-key-file", "", detail))
}

/// `auth.json` of Composer.
fn composer(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let mut found = Credentials::default();
    for kind in [
        "http-basic",
        "github-oauth",
        "gitlab-oauth",
        "gitlab-token",
        "bearer",
        "bitbucket-oauth",
    ] {
        for login in value
            .get(kind)
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|all| all.values())
        {
            match login {
                Value::String(token) => found.add(token),
                login => ["password", "token", "consumer-secret"]
                    .iter()
                    .filter_map(|key| text_of(login, key))
                    .for_each(|text| found.add(text)),
            }
        }
    }
    found.artifact("package-manager-login", "logins of Composer")
}

/// Settings of an editor's file transfer (`sftp.json`).
fn transfer(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    text_of(&value, "host")?;
    ["username", "user", "remotePath", "protocol"]
        .iter()
        .find(|key| document.has(key))?;
    let mut found = Credentials::default();
    for key in ["password", "passphrase"] {
        if let Some(text) = text_of(&value, key).filter(|text| !text.is_empty()) {
            found.add(text);
        }
    }
    let circumstance = if found.is_live() { CREDENTIALS } else { "" };
    Some(Artifact::proven(
        "ide-settings",
        circumstance,
        format!("settings of a file transfer: {found}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_outermost_object_are_found() {
        let document = Document::of(r#"{"a":{"b":[1,"c",{"d":2}]},"e\"f":"g:","h" : 1}{"i":2}"#);
        assert_eq!(document.keys, ["a", r#"e\"f"#, "h"]);
        for cut in [r#"{"a"#, r#"{"a\"#, "{", "", r#"{"a""#] {
            assert!(Document::of(cut).keys.is_empty(), "{cut}");
        }
    }

    #[test]
    fn public_keys_are_no_finding() {
        let read = |text: &str| read(&Text::of(text.as_bytes()).unwrap());
        assert_eq!(
            read(
                r#"{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAA"}"#
            ),
            None
        );
        assert_eq!(
            read(r#"{"keys":[{"kty":"RSA","n":"AAAAAAAAAAAAAAAAAAAA","e":"AQAB"}]}"#),
            None
        );
        assert!(read(r#"{"keys":[{"kty":"EC","d":"AAAAAAAAAAAAAAAAAAAA"}]}"#).is_some());
        assert_eq!(read(r#"{"keys":["a","b"]}"#), None);
    }
}
