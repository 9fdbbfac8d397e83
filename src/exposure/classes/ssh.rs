//! SSH's own files: known hosts, authorised keys, settings of the client.
//!
//! None of them holds a secret; they say which machines a person reaches, under which names, and who may log in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Artifact;
use super::circumstance::PUBLIC_KEYS;
use super::hosts::is_inside;
use super::text::{Text, counted};

const CLASS: &str = "ssh-settings";

/// What every line agrees to be.
pub fn read(text: &Text<'_>) -> Option<Artifact> {
    if text.first.starts_with("Host ") {
        return read_client(text);
    }
    let (mut hosts, mut hashed, mut internal, mut keys) = (0_u32, 0_u32, 0_u32, 0_u32);
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.windows(2).position(|pair| is_key(pair[0], pair[1]))?;
        match at {
            0 => keys += 1,
            // `@cert-authority` and `@revoked` may stand before the hosts.
            _ if is_host_list(words[at - 1]) && (at == 1 || words[0].starts_with('@')) => {
                let names = words[at - 1];
                hosts += 1;
                hashed += u32::from(names.starts_with("|1|"));
                internal += u32::from(names.split(',').any(|name| {
                    is_inside(
                        name.trim_matches(['[', ']'])
                            .split("]:")
                            .next()
                            .unwrap_or(name),
                    )
                }));
            }
            // Options before the key.
            _ => keys += 1,
        }
    }
    if hosts > 0 {
        let detail = format!(
            "{}: {hashed} hashed, {internal} inside a network",
            counted(hosts, "known host")
        );
        return Some(Artifact::proven(CLASS, "", detail));
    }
    let detail = format!("{} for login", counted(keys, "public key"));
    (keys > 0).then(|| Artifact::proven(CLASS, PUBLIC_KEYS, detail))
}

/// Whether two words are a type of key and a key of that type: the key's data begins with its type (RFC 4253, 6.6).
fn is_key(kind: &str, data: &str) -> bool {
    let is_kind =
        kind.starts_with("ssh-") || kind.starts_with("ecdsa-sha2-") || kind.starts_with("sk-");
    is_kind
        && data.len() >= 64
        && STANDARD.decode(data).is_ok_and(|key| {
            key.get(4..4 + kind.len()) == Some(kind.as_bytes())
                && key
                    .first_chunk::<4>()
                    .map(|length| u32::from_be_bytes(*length) as usize)
                    == Some(kind.len())
        })
}

/// `host,[host]:port`, a pattern, or a hashed name.
fn is_host_list(word: &str) -> bool {
    word.starts_with("|1|")
        || !word.contains(['=', '"'])
            && (word.contains(['.', '[', '*', ':']) || !word.contains('-'))
}

/// `Host …` with `HostName`, `User` or `IdentityFile` below it (ssh_config manual).
fn read_client(text: &Text<'_>) -> Option<Artifact> {
    let (mut hosts, mut settings) = (0_u32, 0_u32);
    for line in text.lines() {
        let (key, _) = line.trim().split_once([' ', '\t', '='])?;
        match key.to_ascii_lowercase().as_str() {
            "host" => hosts += 1,
            "hostname" | "user" | "identityfile" | "proxyjump" | "proxycommand" => settings += 1,
            _ => {}
        }
    }
    let detail = format!("settings of an SSH client for {}", counted(hosts, "host"));
    (settings > 0).then(|| Artifact::proven(CLASS, "", detail))
}
