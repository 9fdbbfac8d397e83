//! YAML, where a line does not say enough.
//!
//! The reader keeps its own account of nodes, depth and aliases, so that a short document does not unfold into a large
//! one. A document that is larger than is parsed, or holds more than the account allows, is noted as unread.

use serde_json::Value;

use super::text::Text;

/// A larger text is not parsed; bytes. Recordings are the largest that people keep.
const BYTES_MAX: usize = 8 << 20;

/// Mappings, lists and scalars that are read of one text.
const NODES_MAX: usize = 1 << 20;

/// Documents that are read of one text.
const DOCUMENTS_MAX: usize = 1 << 14;

/// The documents of a text. `None` where one of them cannot be read; where that is for its size, the text says so.
pub fn documents(text: &Text<'_>) -> Option<Vec<Value>> {
    if text.is_beginning || text.text.len() > BYTES_MAX {
        text.note_unread();
        return None;
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: NODES_MAX,
            max_events: 4 * NODES_MAX,
            max_documents: DOCUMENTS_MAX,
        },
        with_snippet: false,
    };
    let documents = serde_saphyr::from_multiple_with_options(text.text, options);
    let is_over = |error: &serde_saphyr::Error| {
        matches!(error.without_snippet(), serde_saphyr::Error::Budget { .. })
    };
    if documents.as_ref().is_err_and(is_over) {
        text.note_unread();
    }
    documents.ok()
}
