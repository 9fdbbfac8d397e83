//! Models by their ids, and providers by the modules of their kits.

use super::super::Confidence;
use super::names::is_one_of;
use super::reader::Reader;
use super::signatures::Signatures;

/// Whether a string is the id of a model: begins as those of a provider do, and has a number in it.
pub(super) fn id(reader: &mut Reader, at: u32, text: &str) {
    let first = text.as_bytes().first();
    if !first.is_some_and(u8::is_ascii_lowercase) {
        return;
    }
    // Most strings are told apart by having no digit, or by how long they are.
    let words = &Signatures::builtin().words;
    let is_id = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'/' | b'_' | b'@')
        })
        && words
            .models
            .iter()
            .any(|start| text.len() > start.len() && text.starts_with(start.as_str()))
        && !is_file(text);
    if is_id || words.models_whole.contains(text) {
        reader.add(
            at,
            "model",
            text,
            if is_id {
                Confidence::High
            } else {
                Confidence::Medium
            },
            None,
        );
    }
}

fn is_file(text: &str) -> bool {
    [".js", ".ts", ".json", ".md", ".css", ".png", ".svg"]
        .iter()
        .any(|end| text.ends_with(end))
}

/// Providers whose kits the text loads.
pub(super) fn providers(reader: &mut Reader) {
    let mut modules: Vec<String> = reader.names.modules().map(str::to_owned).collect();
    modules.sort_unstable();
    for provider in &Signatures::builtin().provider {
        let Some(module) = modules
            .iter()
            .find(|module| is_one_of(module, &provider.modules))
        else {
            continue;
        };
        let at = place_of(reader.strings.0, module);
        reader.add(
            at,
            "provider",
            provider.name.as_str(),
            Confidence::High,
            Some(format!("loads {module}")),
        );
    }
}

/// Where a module is named first.
fn place_of(text: &[u8], module: &str) -> u32 {
    memchr::memmem::find(text, module.as_bytes())
        .and_then(|at| u32::try_from(at).ok())
        .unwrap_or(0)
}
