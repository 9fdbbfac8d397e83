//! Text for people, without the credentials that stand in it.
//!
//! A diff, an exhibit and the line of a sign show text of an input as it stands, and credentials stand in it. So each text is
//! searched as a whole, as closely as any text is, before a line or a part of it is taken out: a key runs over lines, a name
//! beside a value is what makes it one, and half a token has no form by which it would be known. What was found is overwritten
//! in its place, so that lines and columns stay what they are; where a text is quoted for its sense, a `…` stands for it.
//! What is too doubtful to be told as a finding is overwritten too (`doubtful`).
//!
//! Left out: what nothing here knows. A text that went through here may still hold a secret that looks like none.

mod doubtful;
pub(super) mod items;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::secrets;
use crate::blob::Sha256Digest;

/// What a byte of a credential is shown as.
const MASK: u8 = b'*';

/// What stands for a credential in a quotation.
const CUT: &str = "…";

/// Where credentials stand in one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Masks {
    /// Sorted, apart from each other.
    spans: Vec<Range<usize>>,
}

impl Masks {
    /// Looks for them in a text. All of it is to be given.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let mut found = Vec::new();
        let mut take = |span| {
            let span = whole_characters(text, span);
            if !span.is_empty() {
                found.push(span);
            }
        };
        secrets::stretches(text, &mut take);
        doubtful::stretches(text, &mut take);
        found.sort_by_key(|span: &Range<usize>| (span.start, span.end));
        let mut spans: Vec<Range<usize>> = Vec::new();
        for span in found {
            match spans.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => spans.push(span),
            }
        }
        Self { spans }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The text with every byte of them but the ends of lines overwritten: as long as it was, and with as many lines.
    #[must_use]
    pub fn over<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        if self.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = text.to_vec();
        for span in &self.spans {
            let span = span.start.min(out.len())..span.end.min(out.len());
            for byte in out.get_mut(span).unwrap_or_default() {
                if !matches!(byte, b'\n' | b'\r') {
                    *byte = MASK;
                }
            }
        }
        Cow::Owned(out)
    }

    /// A part of the text, with a `…` for each of them that stands or ends in it.
    #[must_use]
    pub fn quote(&self, text: &[u8], part: Range<usize>) -> Vec<u8> {
        let part = part.start.min(text.len())..part.end.min(text.len());
        let mut out = Vec::new();
        let mut at = part.start;
        let first = self.spans.partition_point(|span| span.end <= part.start);
        for span in self.spans.iter().skip(first) {
            if span.start >= part.end {
                break;
            }
            out.extend_from_slice(text.get(at..span.start).unwrap_or_default());
            out.extend_from_slice(CUT.as_bytes());
            at = span.end.min(part.end);
        }
        out.extend_from_slice(text.get(at..part.end).unwrap_or_default());
        out
    }
}

/// Grown to whole characters of UTF-8, so that what is left is text if it was.
fn whole_characters(text: &[u8], span: Range<usize>) -> Range<usize> {
    if span.is_empty() {
        return span;
    }
    let goes_on = |at: usize| text.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    // A character has four bytes at most; of what is none nothing is taken.
    let before = (0..4).find(|back| !goes_on(span.start.saturating_sub(*back)));
    let behind = (0..4).find(|more| !goes_on(span.end + more));
    span.start.saturating_sub(before.unwrap_or(0))..(span.end + behind.unwrap_or(0)).min(text.len())
}

/// Masks of contents, so that each is searched once however many copies have it.
#[derive(Debug, Default)]
pub struct MaskCache {
    held: HashMap<Sha256Digest, Arc<Masks>>,
}

impl MaskCache {
    /// The masks of the text of a content; without its digest it is searched each time.
    pub fn of(&mut self, sha256: Option<Sha256Digest>, text: &[u8]) -> Arc<Masks> {
        let Some(sha256) = sha256 else {
            return Arc::new(Masks::of(text));
        };
        let held = self.held.entry(sha256);
        Arc::clone(held.or_insert_with(|| Arc::new(Masks::of(text))))
    }
}

#[cfg(test)]
mod tests;
