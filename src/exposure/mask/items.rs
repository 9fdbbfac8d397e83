//! Items without the credentials that stand in their text.
//!
//! An item is told in the clear: an address with its path, a remark, the prose that a model is told. What looks like a token
//! is left out where it is read ([`inventory`](crate::exposure::inventory)), but looks are a guess, and the search for credentials
//! knows. So whatever it found in a content is replaced in the content's items too, also where an item was cut within it.

use aho_corasick::AhoCorasick;

use crate::exposure::inventory::ItemFact;

/// What stands for a credential.
const MASK: &str = "…";

/// Bytes of a credential by which it is looked for; the rest is compared where these stand.
const START_BYTES: usize = 12;

/// A shorter one is a word of many texts.
const LEAST_BYTES: usize = 5;

/// Replaces the credentials in values and details of items.
pub(in crate::exposure) fn mask(items: &mut [ItemFact], secrets: &[Vec<u8>]) {
    let mut secrets: Vec<&[u8]> = secrets.iter().map(Vec::as_slice).collect();
    secrets.retain(|secret| secret.len() >= LEAST_BYTES);
    secrets.sort_unstable();
    secrets.dedup();
    if items.is_empty() || secrets.is_empty() {
        return;
    }
    let starts = secrets
        .iter()
        .map(|secret| secret.get(..START_BYTES).unwrap_or(secret));
    let Ok(search) = AhoCorasick::new(starts) else {
        return;
    };
    for item in items {
        let texts = [Some(&mut item.value), item.detail.as_mut()];
        for text in texts.into_iter().flatten() {
            if let Some(masked) = masked(text, &search, &secrets) {
                *text = masked;
            }
        }
    }
}

/// The text without them; nothing where none stands in it.
fn masked(text: &str, search: &AhoCorasick, secrets: &[&[u8]]) -> Option<String> {
    let mut out = String::new();
    let mut told = 0;
    for hit in search.find_overlapping_iter(text.as_bytes()) {
        let Some(secret) = secrets.get(hit.pattern().as_usize()) else {
            continue;
        };
        let rest = text.as_bytes().get(hit.start()..).unwrap_or_default();
        // An item is cut to a bound, and a `…` says so.
        let rest = rest.strip_suffix(MASK.as_bytes()).unwrap_or(rest);
        let len = rest.len().min(secret.len());
        if rest.get(..len) != secret.get(..len) || hit.start() + len <= told {
            continue;
        }
        if hit.start() > told || told == 0 {
            out.push_str(text.get(told..hit.start()).unwrap_or_default());
            out.push_str(MASK);
        }
        told = hit.start() + len;
    }
    (told > 0).then(|| out + text.get(told..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::inventory::Confidence;

    fn after(value: &str, detail: Option<&str>, secrets: &[&str]) -> (String, Option<String>) {
        let mut items = vec![ItemFact {
            kind: "url".to_owned(),
            value: value.to_owned(),
            line: 1,
            confidence: Confidence::High,
            detail: detail.map(str::to_owned),
            behind: Vec::new(),
        }];
        let secrets: Vec<Vec<u8>> = secrets
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect();
        mask(&mut items, &secrets);
        let item = items.remove(0);
        (item.value, item.detail)
    }

    #[test]
    fn what_the_search_found_is_in_no_item() {
        let long = "abcdefghijklmnopqrstuvwxyz";
        let told = after(
            &format!("https://h/{long}/x"),
            Some("default: hunter"),
            &[long, "hunter"],
        );
        assert_eq!(
            told,
            ("https://h/…/x".to_owned(), Some("default: …".to_owned()))
        );
        // Cut within it, twice, two that overlap, and others that only begin so.
        assert_eq!(after("see abcdefghijklmn…", None, &[long]).0, "see ……");
        assert_eq!(after(&format!("{long} é {long}"), None, &[long]).0, "… é …");
        assert_eq!(after("aabbccdd", None, &["aabbcc", "bbccdd"]).0, "…");
        let other = "abcdefghijklmnop is another";
        assert_eq!(after(other, None, &[long]).0, other);
        assert_eq!(after("abcd", None, &["abcd"]).0, "abcd");
    }
}
