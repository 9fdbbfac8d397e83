//! Secrets that somebody encrypted before keeping them: Ansible Vault, SOPS, Sealed Secrets, git-crypt, age.
//!
//! Without the key they give no value away, yet they say which secrets there are, and stay as safe as the key does.

use super::json::Document;
use super::text::{Text, counted};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

const CLASS: &str = "encrypted-secrets";

/// Files that are encrypted as a whole, told by their first bytes.
pub struct Sealed;

impl Class for Sealed {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        let what = match bytes.first()? {
            b'$' if is_ansible(bytes) => "Ansible Vault",
            b'\0' if bytes.starts_with(b"\0GITCRYPT\0") => "git-crypt",
            b'a' if bytes.starts_with(b"age-encryption.org/v1\n-> ") => "age",
            b'-' if bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") => "age",
            _ => return None,
        };
        Some(Artifact::proven(
            CLASS,
            "",
            format!("a file encrypted with {what}"),
        ))
    }
}

/// `$ANSIBLE_VAULT;1.1;AES256`, then lines of hex digits.
fn is_ansible(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let head = lines.next().unwrap_or_default();
    let body = lines.next().unwrap_or_default();
    head.starts_with(b"$ANSIBLE_VAULT;1.")
        && body.len() >= 32
        && body.iter().all(u8::is_ascii_hexdigit)
}

/// SOPS in YAML (`sops:` with a `mac`, values `ENC[…]`), values of Ansible Vault, and sealed secrets of a cluster.
pub fn read_yaml(text: &Text<'_>) -> Option<Artifact> {
    let values = |mark: &str| u32::try_from(text.text.matches(mark).count()).unwrap_or(u32::MAX);
    if text.has_key("sops") {
        let sealed = values("ENC[AES256_GCM,");
        let has_mac = text
            .text
            .lines()
            .any(|line| line.trim_start().starts_with("mac: ENC["));
        let detail = format!("SOPS with {}", counted(sealed, "encrypted value"));
        return (has_mac && sealed > 0).then(|| Artifact::proven(CLASS, "", detail));
    }
    if text.has_key("kind") && text.text.contains("\nkind: SealedSecret") {
        return Some(Artifact::proven(CLASS, "", "a sealed secret of a cluster"));
    }
    let vault = values("!vault |");
    let detail = format!("{} of Ansible Vault", counted(vault, "encrypted value"));
    (vault > 0 && text.text.contains("$ANSIBLE_VAULT;1."))
        .then(|| Artifact::proven(CLASS, "", detail))
}

/// The same of SOPS in JSON.
pub fn sops_json(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let sops = value.get("sops")?;
    sops.get("mac")?
        .as_str()
        .filter(|mac| mac.starts_with("ENC["))?;
    let sealed =
        u32::try_from(document.text.matches("ENC[AES256_GCM,").count()).unwrap_or(u32::MAX);
    let detail = format!("SOPS with {}", counted(sealed, "encrypted value"));
    Some(Artifact::proven(CLASS, "", detail))
}
