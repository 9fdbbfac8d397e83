//! Terraform and OpenTofu: states, variables, logins.
//!
//! A state holds every attribute of every resource in clear, passwords that were generated included; `sensitive` only
//! keeps them off the screen (Terraform documentation, "Sensitive Data in State").

use serde_json::Value;

use super::Artifact;
use super::circumstance::{CREDENTIALS, ENCRYPTED, NO_CREDENTIALS, PLACEHOLDERS};
use super::json::{Document, each_text};
use super::text::{Credentials, Text, counted, is_live, names_secret, unquoted};

/// A state, versions 3 (`modules`) and 4 (`resources`).
pub fn state(document: &Document<'_>) -> Option<Artifact> {
    const CLASS: &str = "terraform-state";
    let is_state = document.has("serial") && document.has("lineage");
    if !is_state
        && !document.has("resources")
        && !document.has("modules")
        && !document.has("planned_values")
    {
        return None;
    }
    let value = document.value()?;
    if value.get("encrypted_data").is_some() {
        return Some(Artifact::proven(CLASS, ENCRYPTED, "an encrypted state"));
    }
    if value.get("planned_values").is_some() {
        return Some(Artifact::proven(CLASS, "", "a plan in JSON"));
    }
    let lists = value.get("resources").or(value.get("modules"));
    let resources = lists.and_then(Value::as_array)?;
    let mut found = Credentials::default();
    each_text(&value, &mut |key, text| found.add_setting(key, text));
    let sensitive = resources.iter().any(has_sensitive);
    let count = u32::try_from(resources.len()).unwrap_or(u32::MAX);
    let noun = if value.get("resources").is_some() {
        "resource"
    } else {
        "module"
    };
    let detail = format!("state of {}: {found}", counted(count, noun));
    let circumstance = if found.is_live() || sensitive {
        ""
    } else {
        NO_CREDENTIALS
    };
    Some(Artifact::proven(CLASS, circumstance, detail))
}

/// Whether an instance names attributes that are not to be shown.
fn has_sensitive(resource: &Value) -> bool {
    let instances = resource.get("instances").and_then(Value::as_array);
    instances.into_iter().flatten().any(|instance| {
        let named = instance
            .get("sensitive_attributes")
            .and_then(Value::as_array);
        named.is_some_and(|named| !named.is_empty())
    })
}

/// Values of variables: `name = "text"`, lists and maps, all in HCL, and nothing else.
pub fn read_variables(text: &Text<'_>) -> Option<Artifact> {
    const CLASS: &str = "terraform-variables";
    let (mut assignments, mut secrets) = (0_u32, Credentials::default());
    let mut depth = 0_usize;
    let mut is_spaced = true;
    for line in text.lines().map(str::trim) {
        if line.starts_with("//") {
            continue;
        }
        let is_outer = depth == 0;
        depth += line.matches(['{', '[']).count();
        depth = depth.saturating_sub(line.matches(['}', ']']).count());
        let Some((key, value)) = line.split_once('=') else {
            if is_outer {
                return None;
            }
            continue;
        };
        let (name, value) = (unquoted(key), value.trim());
        if is_outer {
            is_spaced &= key.ends_with(' ');
            let is_literal = value.starts_with(['"', '{', '[', '<'])
                || value == "true"
                || value == "false"
                || value == "null"
                || value.parse::<f64>().is_ok();
            let is_name = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            if !is_literal || !is_name || value.ends_with(';') {
                return None;
            }
            assignments += 1;
        }
        if value.starts_with('"')
            && (names_secret(name) || is_live(name, value))
            && !unquoted(value).is_empty()
        {
            secrets.add(value);
        }
    }
    // One line may be anything; `KEY="x"` without blanks is a shell's.
    if assignments < 2 || !is_spaced || secrets.is_empty() {
        return None;
    }
    let circumstance = if secrets.is_live() {
        CREDENTIALS
    } else {
        PLACEHOLDERS
    };
    let detail = format!("{} in HCL: {secrets}", counted(assignments, "value"));
    Some(Artifact::hinted(CLASS, circumstance, detail))
}

/// `credentials "host" { token = "…" }` of the command line's settings.
pub fn read_login(text: &Text<'_>) -> Option<Artifact> {
    if !text.first.starts_with("credentials \"") {
        return None;
    }
    let mut found = Credentials::default();
    for line in text.lines() {
        if let Some(value) = line.trim().strip_prefix("token") {
            found.add(value.trim_start().strip_prefix('=')?);
        }
    }
    found.artifact("cloud-login", "login of Terraform")
}

/// The same in JSON: `credentials.tfrc.json`.
pub fn login_json(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let mut found = Credentials::default();
    for (host, login) in value.get("credentials")?.as_object()? {
        if host.contains('.') {
            found.add(login.get("token")?.as_str()?);
        }
    }
    found.artifact("cloud-login", "login of Terraform")
}
