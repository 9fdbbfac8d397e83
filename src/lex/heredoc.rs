//! Documents that stand within a program: what Ruby and the shell have behind `<<END`.
//!
//! A document begins on the line below the one that announces it, so that what is announced waits until the line ends.
//! Each of its lines is a [`Kind::Text`], trimmed, blank ones none: a document is often a page of another language, of
//! which a copy may have kept a part, and how far it is indented hangs on where it stands. Substitutions in it are not
//! taken out.
//!
//! What is announced and ends nowhere was none, but a shift. As each look for an end that is not there goes through the
//! rest of the text, only a few are made.

use super::reader::Reader;
use super::{Kind, Sink};

/// Documents that one line announces.
const PENDING_MAX: usize = 4;

/// Looks for an end that may fail before no more are made.
const FAILURES_MAX: u8 = 4;

/// What was announced: where the word stands that ends it.
#[derive(Clone, Copy, Default)]
struct Pending {
    start: usize,
    end: usize,
    is_indented: bool,
}

/// Documents that wait for the end of the line.
#[derive(Default)]
pub(super) struct Heredocs {
    pending: [Pending; PENDING_MAX],
    /// Entries of `pending` in use.
    count: usize,
    failures: u8,
}

impl Heredocs {
    /// Announces a document that the word of `text` from `start` to `end` ends, on a line of its own, behind blanks where
    /// `is_indented`. False where there is no such line: then it is no document.
    pub(super) fn announce(
        &mut self,
        text: &[u8],
        start: usize,
        end: usize,
        is_indented: bool,
    ) -> bool {
        let pending = Pending {
            start,
            end,
            is_indented,
        };
        if self.count == PENDING_MAX || start >= end || self.failures == FAILURES_MAX {
            return false;
        }
        let line = memchr::memchr(b'\n', &text[end..]).map(|len| end + len + 1);
        if line
            .and_then(|line| self.end_of(text, line, pending))
            .is_none()
        {
            return false;
        }
        self.pending[self.count] = pending;
        self.count += 1;
        true
    }

    /// Gives the documents that were announced, where the reader stands at the beginning of the line behind.
    #[inline]
    pub(super) fn read(&mut self, reader: &mut Reader<'_, '_, impl Sink>) {
        if self.count > 0 {
            self.read_pending(reader);
        }
    }

    fn read_pending(&mut self, reader: &mut Reader<'_, '_, impl Sink>) {
        let pending = self.pending;
        for &pending in pending.iter().take(std::mem::take(&mut self.count)) {
            // Two documents of one line may have looked for the same end.
            let Some((last, behind)) = self.end_of(reader.text, reader.at, pending) else {
                return;
            };
            let body = &reader.text[reader.at..last];
            let mut start = reader.at;
            for line in body.split_inclusive(|&b| b == b'\n') {
                let trimmed = line.trim_ascii();
                if !trimmed.is_empty() {
                    let from = start + (line.len() - line.trim_ascii_start().len());
                    reader.emit(Kind::Text, from, from + trimmed.len());
                }
                start += line.len();
            }
            reader.at = behind;
        }
    }

    /// Where the line begins that ends a document whose first line begins at `from`, and where it ends.
    fn end_of(&mut self, text: &[u8], from: usize, pending: Pending) -> Option<(usize, usize)> {
        if self.failures == FAILURES_MAX {
            return None;
        }
        let name = &text[pending.start..pending.end];
        let mut start = from;
        for line in text.get(from..)?.split_inclusive(|&b| b == b'\n') {
            let bare = line.trim_ascii_end();
            let bare = match pending.is_indented {
                true => bare.trim_ascii_start(),
                false => bare,
            };
            if bare == name {
                return Some((start, start + bare_len(line)));
            }
            start += line.len();
        }
        self.failures += 1;
        None
    }
}

/// Bytes of a line before its line feed.
fn bare_len(line: &[u8]) -> usize {
    line.len() - usize::from(line.ends_with(b"\n"))
}
