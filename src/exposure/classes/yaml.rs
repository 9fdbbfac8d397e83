//! YAML, where a line does not say enough.
//!
//! The reader keeps its own account of nodes, depth and aliases, so that a short document does not unfold into a large
//! one; beside that only documents of a size that people write are read.

use serde_json::Value;

use super::text::Text;

/// A larger document is not parsed; bytes.
const MAX_BYTES: usize = 512 << 10;

/// The documents of a text. `None` where one of them cannot be read.
pub fn documents(text: &Text<'_>) -> Option<Vec<Value>> {
    if text.text.len() > MAX_BYTES {
        return None;
    }
    serde_saphyr::from_multiple(text.text).ok()
}

/// The keys of the outermost mapping of a text by its lines, each once at most.
pub fn top_keys<'a>(text: &Text<'a>) -> Vec<&'a str> {
    const KEYS_MAX: usize = 256;
    let mut keys = Vec::new();
    for line in text.text.lines() {
        let is_top = line
            .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '"' | '.' | 'x'));
        let Some((key, rest)) = line.split_once(':').filter(|_| is_top) else {
            continue;
        };
        let key = key.trim_matches(['"', '\'']);
        let is_key = (rest.is_empty() || rest.starts_with([' ', '\t', '\r'])) && !key.contains(' ');
        if is_key && keys.len() < KEYS_MAX && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}
