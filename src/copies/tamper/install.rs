//! What runs when a package is installed: scripts of npm and Composer manifests.

use std::sync::LazyLock;

use regex::bytes::Regex;
use serde_json::Value;

use super::text::{Take, Text, Thing, stripped};
use super::{pattern, rules};
use crate::exposure::classes::bounded_json;

/// A larger manifest is read by lines; bytes.
const PARSED_BYTES: usize = 8 << 20;

/// A manifest as a tree; `None` where it is none, or too large for what it says.
pub(super) fn tree(bytes: &[u8]) -> Option<Value> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > PARSED_BYTES {
        return None;
    }
    bounded_json::read(bytes).ok()
}

/// Whether the file is a manifest with scripts.
fn is_manifest(text: &Text) -> bool {
    matches!(text.name(), "package.json" | "composer.json")
}

/// Scripts that a package manager runs by itself.
pub(super) fn scripts(text: &Text, take: Take<'_>) {
    if !is_manifest(text) {
        return;
    }
    match tree(text.bytes) {
        Some(tree) => {
            for (name, command) in named_scripts(&tree) {
                script(text, &name, &command, take);
            }
        }
        None => by_lines(text, take),
    }
}

fn is_run_alone(name: &str) -> bool {
    rules::parameter("install-script", "names")
        .iter()
        .any(|one| one == name)
}

fn named_scripts(tree: &Value) -> Vec<(String, String)> {
    let Some(scripts) = tree.get("scripts").and_then(Value::as_object) else {
        return Vec::new();
    };
    let all = scripts.iter().filter(|(name, _)| is_run_alone(name));
    let command = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    all.map(|(name, value)| (name.clone(), command(value)))
        .collect()
}

fn script(text: &Text, name: &str, command: &str, take: Take<'_>) {
    let quoted = format!("\"{name}\"");
    let at = memchr::memmem::find_iter(text.bytes, quoted.as_bytes()).find(|at| {
        text.get(at + quoted.len()..text.bytes.len())
            .trim_ascii_start()
            .starts_with(b":")
    });
    let at = at.unwrap_or(0);
    let is = |list: &str, word: &str| {
        rules::parameter("install-script", list)
            .iter()
            .any(|one| one == word)
    };
    let bare = command.trim();
    let when = match is("publishing", name) {
        _ if is("ordinary", bare) => "ordinary",
        true => "when-published",
        false => "",
    };
    let key = [name.as_bytes(), b"=", &stripped(command.as_bytes())].concat();
    let said = format!("{name}: {}", super::shown::safe(command.as_bytes()));
    let mut thing = Thing::new("install-script", at..at + quoted.len(), &key)
        .when(when)
        .said(said);
    thing.name = Some(name.to_owned());
    take(thing);
}

/// A manifest that cannot be parsed, as npm could not either; its lines are a hint.
fn by_lines(text: &Text, take: Take<'_>) {
    static LINE: LazyLock<Regex> =
        pattern!(r#""(?P<name>[a-zA-Z-]{1,40})"\s*:\s*"(?P<command>(?:[^"\\\n]|\\.){0,400})"#);
    for found in LINE.captures_iter(text.bytes) {
        let (Some(whole), Some(name), Some(command)) =
            (found.get(0), found.name("name"), found.name("command"))
        else {
            continue;
        };
        let name = String::from_utf8_lossy(name.as_bytes());
        if is_run_alone(&name) {
            let key = [name.as_bytes(), b"=", &stripped(command.as_bytes())].concat();
            let mut thing = Thing::new("install-script", whole.range(), &key).when("unparsed");
            thing.certainty = Some(crate::record::Certainty::Hint);
            thing.name = Some(name.into_owned());
            take(thing);
        }
    }
}

/// What the original runs under the same name.
pub(super) fn was(original: &[u8], name: &str) -> Option<String> {
    let tree = tree(original)?;
    let scripts = named_scripts(&tree);
    let held = scripts.into_iter().find(|(held, _)| held == name)?;
    Some(super::shown::safe(held.1.as_bytes()))
}
