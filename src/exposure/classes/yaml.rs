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
