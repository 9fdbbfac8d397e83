//! Logins of package managers other than those of npm and PyPI: cargo, RubyGems, NuGet, Maven, Gradle, Poetry, Hex.

use super::Artifact;
use super::text::{Credentials, Text, is_live, names_secret, settings};

const CLASS: &str = "package-manager-login";

/// `[registry] token = "…"` of cargo (Cargo reference, "Credentials"), `[http-basic.NAME]` of Poetry, `[install]` of Bun.
pub fn read_toml(text: &Text<'_>) -> Option<Artifact> {
    let mut found = Credentials::default();
    let mut what = "";
    for (section, key, value) in settings(text) {
        match (section, key) {
            (section, "token" | "secret-key")
                if section == "registry" || section.starts_with("registries.") =>
            {
                found.add(value);
                what = "cargo";
            }
            (section, "password") if section.starts_with("http-basic.") => {
                found.add(value);
                what = "Poetry";
            }
            (section, _) if section.starts_with("pypi-token") => {
                found.add(value);
                what = "Poetry";
            }
            ("install.scopes" | "install.registry" | "install", _) if value.contains("token") => {
                let token = value.split_once("token").map_or("", |(_, rest)| rest);
                found.add(token.trim_matches(['"', ' ', '=', '}', ':', ',']));
                what = "Bun";
            }
            _ => {}
        }
    }
    found.artifact(CLASS, &format!("logins of {what}"))
}

/// `:rubygems_api_key: …` (RubyGems guides, "API key").
pub fn read_yaml(text: &Text<'_>) -> Option<Artifact> {
    let mut found = Credentials::default();
    for line in text.lines().filter(|line| line.starts_with(':')) {
        let Some((key, value)) = line.rsplit_once(": ") else {
            continue;
        };
        if key.ends_with("_api_key") || key == ":github" {
            found.add(value);
        }
    }
    found.artifact(CLASS, "keys of RubyGems")
}

/// `nuget.config` and `settings.xml`.
pub fn read_xml(text: &Text<'_>) -> Option<Artifact> {
    const MAY_BE: [&str; 2] = ["<packageSourceCredentials>", "<servers>"];
    if !MAY_BE.iter().any(|tag| text.text.contains(tag)) {
        return None;
    }
    // What a tool installs explains itself in comments, with examples of logins.
    let said = without_comments(text.text);
    nuget(&said).or_else(|| maven(&said))
}

/// XML without its comments; what follows one that does not end is left out.
fn without_comments(text: &str) -> String {
    let mut parts = text.split("<!--");
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        said.push_str(part.split_once("-->").map_or("", |(_, behind)| behind));
    }
    said
}

/// `<packageSourceCredentials>` with `<add key="ClearTextPassword" value="…" />` (NuGet reference).
fn nuget(text: &str) -> Option<Artifact> {
    let at = text.find("<packageSourceCredentials>")?;
    let part = &text[at..];
    let part = &part[..part
        .find("</packageSourceCredentials>")
        .unwrap_or(part.len())];
    let mut found = Credentials::default();
    for entry in part.split("<add ").skip(1) {
        let entry = &entry[..entry.find('>').unwrap_or(entry.len())];
        let key = attribute(entry, "key").unwrap_or_default();
        if key.eq_ignore_ascii_case("ClearTextPassword") || key.eq_ignore_ascii_case("Password") {
            found.add(attribute(entry, "value").unwrap_or_default());
        }
    }
    found.artifact(CLASS, "logins of NuGet")
}

/// `<server>` with `<password>` (Maven settings reference, "Servers").
fn maven(text: &str) -> Option<Artifact> {
    let at = text.find("<servers>")?;
    let part = &text[at..];
    let part = &part[..part.find("</servers>").unwrap_or(part.len())];
    let mut found = Credentials::default();
    for tag in ["<password>", "<passphrase>"] {
        for rest in part.split(tag).skip(1) {
            found.add(rest.split('<').next().unwrap_or_default());
        }
    }
    found.artifact(CLASS, "logins of Maven")
}

/// The value of an attribute of a tag.
pub fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let at = tag.match_indices(name).find(|(at, _)| {
        let before = tag[..*at].chars().next_back();
        before.is_none_or(char::is_whitespace)
    })?;
    let rest = tag[at.0 + name.len()..]
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next()
}

/// `gradle.properties`: passwords and keys for signing and publishing.
pub fn read_properties(text: &Text<'_>) -> Option<Artifact> {
    const OF_GRADLE: [&str; 6] = [
        "org.gradle.",
        "signing.",
        "android.",
        "systemProp.",
        "kotlin.",
        "mavenCentral",
    ];
    let pairs = || text.lines().filter_map(|line| line.trim().split_once('='));
    let mut found = Credentials::default();
    for (key, value) in pairs() {
        let (key, value) = (key.trim(), value.trim());
        if key.contains(char::is_whitespace) {
            return None;
        }
        let is_named = key.ends_with("Password")
            || key.ends_with("Token")
            || key.starts_with("signing.") && names_secret(key);
        if is_named || is_live(key, value) {
            found.add(value);
        }
    }
    let is_gradle =
        pairs().any(|(key, _)| OF_GRADLE.iter().any(|begin| key.trim().starts_with(begin)));
    if !is_gradle {
        return None;
    }
    found.artifact(CLASS, "properties of Gradle")
}
