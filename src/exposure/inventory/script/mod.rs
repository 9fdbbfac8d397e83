//! Items of JavaScript and TypeScript.

use super::ItemFact;

/// The items of a script.
pub(super) fn items(_bytes: &[u8]) -> Vec<ItemFact> {
    Vec::new()
}
