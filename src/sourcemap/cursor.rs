//! Steps through a document that may be damaged: what the sniff and the scan of maps share.
//!
//! A cursor goes over keys, strings and values with no tree and no recursion, and never gives up at a wrong byte: it
//! steps over what does not belong there and tells where that was.

use memchr::{memchr, memchr2};

use super::unescape::{RawString, closing_quote};

/// What stands before the map.
pub(super) struct Front {
    /// Offset of the first byte that is neither prefix nor white space.
    pub(super) start: usize,
    pub(super) has_mark: bool,
    pub(super) xssi: Option<usize>,
}

impl Front {
    /// Steps over a byte-order mark, white space, and the line that servers put in front of JSON so that no browser
    /// runs it (ECMA-426, "Fetching source maps"; there only for HTTP, but saved files have it too).
    pub(super) fn of(document: &[u8]) -> Front {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        const XSSI: &[u8] = b")]}'";
        let has_mark = document.starts_with(MARK);
        let mut cursor = Cursor {
            document,
            at: if has_mark { MARK.len() } else { 0 },
        };
        cursor.skip_space();
        let prefix_at = cursor.at;
        if !cursor.rest().starts_with(XSSI) {
            return Front {
                start: prefix_at,
                has_mark,
                xssi: None,
            };
        }
        // Up to the end of the line, or to the map where that begins in the same one.
        cursor.at += memchr2(b'\n', b'{', cursor.rest()).unwrap_or(cursor.rest().len());
        if !cursor.begins_object() {
            cursor.at += memchr(b'\n', cursor.rest()).unwrap_or(0);
        }
        cursor.skip_space();
        Front {
            start: cursor.at,
            has_mark,
            xssi: Some(prefix_at),
        }
    }
}

/// A place in the document, and the steps that both the sniff and the scan take from it.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    pub(super) document: &'a [u8],
    pub(super) at: usize,
}

/// What [`Cursor::next_key`] came to.
pub(super) enum Step<'a> {
    /// A key; the cursor stands at its value (or at whatever stands in the value's place).
    Key(RawString<'a>),
    /// The object is over.
    End,
    /// The document is over.
    Cut,
}

impl<'a> Cursor<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.document.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.document.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Whether an object with a key stands here, and not a bracket of something else.
    fn begins_object(&self) -> bool {
        let mut inner = self.clone();
        inner.at += 1;
        inner.skip_space();
        if self.peek() != Some(b'{') || inner.peek() != Some(b'"') {
            return false;
        }
        let key = inner.string();
        inner.skip_space();
        !key.raw.contains(&b'\n') && inner.peek() == Some(b':')
    }

    /// Reads the string whose opening quote stands at the cursor.
    pub(super) fn string(&mut self) -> RawString<'a> {
        let start = self.at + 1;
        let quote = closing_quote(self.document, start);
        let end = quote.unwrap_or(self.document.len());
        self.at = quote.map_or(end, |quote| quote + 1);
        RawString {
            raw: self.document.get(start..end).unwrap_or_default(),
            complete: quote.is_some(),
        }
    }

    /// Goes to the next key of an object and past its colon. What does not belong there is told to `misplaced` by its
    /// offset and stepped over.
    pub(super) fn next_key(&mut self, mut misplaced: impl FnMut(usize)) -> Step<'a> {
        loop {
            self.skip_space();
            match self.peek() {
                None => return Step::Cut,
                Some(b'}') => {
                    self.at += 1;
                    return Step::End;
                }
                Some(b',') => self.at += 1,
                Some(b'"') => {
                    let key_at = self.at;
                    let key = self.string();
                    self.skip_space();
                    match self.peek() {
                        None => return Step::Cut,
                        Some(b':') => {
                            self.at += 1;
                            self.skip_space();
                            return match self.peek() {
                                None => Step::Cut,
                                Some(_) => Step::Key(key),
                            };
                        }
                        Some(_) => misplaced(key_at),
                    }
                }
                Some(_) => {
                    misplaced(self.at);
                    self.skip_value();
                }
            }
        }
    }

    /// Steps over one value and says whether it is complete. Takes at least one byte unless a value is wanting: before
    /// `,`, `}` and `]` it takes none, except that a closing bracket in the place of a key is taken by `next_key`.
    pub(super) fn skip_value(&mut self) -> bool {
        match self.peek() {
            None => false,
            Some(b'"') => self.string().complete,
            Some(b'{' | b'[') => self.skip_nested(0),
            Some(b',' | b'}') => true,
            Some(_) => self.skip_scalar(),
        }
    }

    /// Steps over one value and returns it as written.
    pub(super) fn take_value(&mut self) -> &'a [u8] {
        let start = self.at;
        self.skip_value();
        self.document.get(start..self.at).unwrap_or_default()
    }

    /// Steps over brackets and all they hold, where `open` of them are open already. Which kind of bracket closes
    /// which is not checked: a damaged document is to be got through, not judged.
    pub(super) fn skip_nested(&mut self, mut open: usize) -> bool {
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            self.at += 1;
            if open == 0 {
                return true;
            }
        }
        false
    }

    /// Steps over a number, a word, or a stray byte: at least one byte, then up to the next one with a meaning.
    pub(super) fn skip_scalar(&mut self) -> bool {
        self.at += 1;
        while let Some(byte) = self.peek() {
            if matches!(
                byte,
                b',' | b']' | b'}' | b'[' | b'{' | b'"' | b':' | b' ' | b'\t' | b'\n' | b'\r'
            ) {
                return true;
            }
            self.at += 1;
        }
        false
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Version,
    File,
    SourceRoot,
    Sources,
    SourcesContent,
    Names,
    Mappings,
    Sections,
    IgnoreList,
    DebugId,
    SourcesHash,
}

impl Key {
    pub(super) fn of(key: &RawString<'_>) -> Option<Key> {
        const KEYS: [(&[u8], Key); 13] = [
            (b"version", Key::Version),
            (b"file", Key::File),
            (b"sourceRoot", Key::SourceRoot),
            (b"sources", Key::Sources),
            (b"sourcesContent", Key::SourcesContent),
            (b"names", Key::Names),
            (b"mappings", Key::Mappings),
            (b"sections", Key::Sections),
            (b"ignoreList", Key::IgnoreList),
            (b"x_google_ignoreList", Key::IgnoreList),
            (b"debugId", Key::DebugId),
            (b"debug_id", Key::DebugId),
            (b"sourcesHash", Key::SourcesHash),
        ];
        KEYS.iter()
            .find(|(name, _)| key.says(name))
            .map(|(_, key)| *key)
    }

    /// Several spellings of one key may stand side by side: the two ignore lists, the two debug ids.
    pub(super) fn has_spellings(self) -> bool {
        matches!(self, Key::IgnoreList | Key::DebugId)
    }

    pub(super) fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

/// Whether a value is the number 3, however it is written.
pub(super) fn is_three(value: &[u8]) -> bool {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse::<f64>().ok())
        == Some(3.0)
}
