//! Lock files and settings of package managers that point to registries and repositories inside a company.
//!
//! The hosts are read from the whole text, because every lock file writes addresses the same way, and only files that are
//! lock files or such settings by their form are read. The profile may call more hosts one's own; that is judged at the
//! place, for which all hosts are kept. Addresses of git with SSH say that a dependency is not public.
//!
//! Left out: packages that are named without an address, which is the inventory's.

use super::Artifact;
use super::circumstance::{CREDENTIALS, ELSEWHERE, GIT_SSH};
use super::hosts::{Hosts, addresses};
use super::json::Document;
use super::text::{Credentials, Text, settings};

const CLASS: &str = "internal-hosts";

/// What the addresses of a file make of it.
fn artifact(what: &str, text: &str) -> Option<Artifact> {
    let (mut hosts, mut found) = (Hosts::default(), Credentials::default());
    hosts.add_all(text);
    for address in addresses(text, "\"'<>,") {
        found.add_url(address);
    }
    let circumstance = if found.is_live() {
        CREDENTIALS
    } else if !hosts.internal().is_empty() {
        ""
    } else if hosts.has_ssh() {
        GIT_SSH
    } else {
        ELSEWHERE
    };
    let ssh = if hosts.has_ssh() {
        ", repositories by SSH"
    } else {
        ""
    };
    let logins = if found.is_empty() {
        String::new()
    } else {
        format!(", {found}")
    };
    let detail = format!("{what}{}{ssh}{logins}", hosts.said());
    Some(Artifact::proven(CLASS, circumstance, detail).pointing_to(hosts))
}

/// Lock files in JSON: npm, Pipenv, Composer.
pub fn json(document: &Document<'_>) -> Option<Artifact> {
    artifact("a lock file", document.text)
}

/// `# yarn lockfile v1`, whose entries are names with ranges.
pub fn read_yarn_lock(text: &Text<'_>) -> Option<Artifact> {
    let is_lock = text
        .text
        .get(..text.text.len().min(256))?
        .contains("yarn lockfile v1");
    is_lock.then(|| artifact("a lock file", text.text))?
}

/// Yarn's later form, and pnpm's.
pub fn read_yaml_lock(text: &Text<'_>) -> Option<Artifact> {
    let keys = text.keys();
    let has = |key: &str| keys.contains(&key);
    if has("__metadata") || has("lockfileVersion") && (has("packages") || has("importers")) {
        return artifact("a lock file", text.text);
    }
    if has("npmRegistryServer") || has("npmScopes") || has("yarnPath") || has("nodeLinker") {
        return artifact("settings of a package manager", text.text);
    }
    read_yarn_lock(text)
}

/// cargo, Poetry, uv: `[[package]]` with a `source`.
pub fn read_toml_lock(text: &Text<'_>) -> Option<Artifact> {
    let is_lock = text.text.contains("\n[[package]]") || text.text.starts_with("[[package]]");
    let has_source = text.text.contains("\nsource = ")
        || text.text.contains("\n[package.source]")
        || text.text.contains("\nchecksum = ");
    (is_lock && has_source).then(|| artifact("a lock file", text.text))?
}

/// Bundler: `GEM` or `GIT` with a `remote:`.
pub fn read_gem_lock(text: &Text<'_>) -> Option<Artifact> {
    let is_lock = matches!(text.first, "GEM" | "GIT" | "PATH") && text.text.contains("\n  remote:");
    is_lock.then(|| artifact("a lock file", text.text))?
}

/// Keys of settings that name a registry.
const REGISTRY_KEYS: [&str; 8] = [
    "registry",
    "index-url",
    "extra-index-url",
    "index",
    "find-links",
    "proxy",
    "https-proxy",
    "url",
];

/// `.npmrc`, `pip.conf`, `.cargo/config.toml`, `bunfig.toml`, `uv.toml`.
pub fn read_settings(text: &Text<'_>) -> Option<Artifact> {
    let mut names_registry = false;
    for (section, key, value) in settings(text) {
        let name = key.rsplit(':').next().unwrap_or(key);
        let is_section = section.is_empty()
            || matches!(
                section,
                "global" | "install" | "distutils" | "registry" | "tool.uv" | "index"
            )
            || section.starts_with("source.")
            || section.starts_with("registries")
            || section.starts_with("install.")
            || section.starts_with("tool.poetry.source");
        names_registry |= is_section && REGISTRY_KEYS.contains(&name) && value.contains("://");
        // A line of code or of a shell is no setting.
        if section.is_empty() && key.contains(|c: char| c.is_whitespace() || "(){}\"'".contains(c))
        {
            return None;
        }
    }
    names_registry.then(|| artifact("settings of a package manager", text.text))?
}
