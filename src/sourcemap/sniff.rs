//! Whether bytes look like a source map, before anything is made of them.

use memchr::memmem;

use super::cursor::{Cursor, Front, Key, Step, is_three};
use super::unescape::RawString;

/// Whether the bytes look like a source map, by the keys of the object at the front.
///
/// Needs either a `sourcesContent` list, a `mappings` string, or `sections` that hold maps, and beside it another key
/// of a map, so that a file that merely mentions the words is not taken for one. A document that is cut inside its
/// `sources` is taken when its version is 3. Documents without the words cost one fast search for each word. Keys
/// that are spelt with escapes are not looked for here; [`scan`](super::scan()) reads them.
pub fn looks_like_map(document: &[u8]) -> bool {
    let front = Front::of(document);
    if document.get(front.start) != Some(&b'{') {
        return false;
    }
    let mut cursor = Cursor {
        document,
        at: front.start + 1,
    };
    cursor.skip_space();
    cursor.peek() == Some(b'"')
        && has_telling_word(document, front.start)
        && Evidence::default().gather(cursor).is_some()
}

/// The bytes of the map that begins at `from`, white space and prefixes apart; to the end of the document where it has
/// none. `None` where no map begins. Looks at nothing behind the end of the object that stands there.
pub(super) fn map_at(document: &[u8], from: usize) -> Option<std::ops::Range<usize>> {
    let mut cursor = Cursor { document, at: from };
    cursor.skip_space();
    let start = cursor.at;
    cursor.at += Front::of(cursor.rest()).start;
    if cursor.peek() != Some(b'{') {
        return None;
    }
    cursor.skip_value();
    let end = cursor.at.min(document.len());
    looks_like_map(document.get(start..end)?).then_some(start..end)
}

fn has_telling_word(document: &[u8], start: usize) -> bool {
    let text = document.get(start..).unwrap_or_default();
    let has = |word: &str| memmem::find(text, word.as_bytes()).is_some();
    let closed = || text.trim_ascii_end().last() == Some(&b'}');
    has("\"sourcesContent\"")
        || has("\"mappings\"")
        || has("\"sections\"")
        || (!closed() && has("\"sources\""))
}

/// What the keys of an object say for its being a map.
#[derive(Default)]
struct Evidence {
    version: bool,
    version_is_3: bool,
    sources: bool,
    contents: bool,
    mappings: bool,
    sections: bool,
    /// `names`, `file` or `sourceRoot`.
    other: bool,
    /// Of a section's map, whose own sections are not followed.
    is_inner: bool,
}

impl Evidence {
    /// Walks keys until the case is made. `None` when it never is.
    fn gather(mut self, mut cursor: Cursor<'_>) -> Option<()> {
        loop {
            match cursor.next_key(|_| ()) {
                Step::Key(key) => self.note(&key, cursor.clone()),
                Step::End => return None,
                Step::Cut => return self.cut_in_sources().then_some(()),
            }
            if self.suffices() {
                return Some(());
            }
            if !cursor.skip_value() {
                return self.cut_in_sources().then_some(());
            }
        }
    }

    /// `at_value` stands at the value of `key`.
    fn note(&mut self, key: &RawString<'_>, mut at_value: Cursor<'_>) {
        let opens = at_value.peek();
        match Key::of(key) {
            Some(Key::Version) => {
                self.version = true;
                self.version_is_3 = is_three(at_value.take_value());
            }
            Some(Key::Sources) => self.sources |= opens == Some(b'['),
            Some(Key::SourcesContent) => self.contents |= opens == Some(b'['),
            Some(Key::Mappings) => self.mappings |= opens == Some(b'"'),
            Some(Key::Sections) if !self.is_inner => {
                self.sections |= opens == Some(b'[') && holds_maps(at_value);
            }
            Some(Key::Names) => self.other |= opens == Some(b'['),
            Some(Key::File | Key::SourceRoot) => self.other |= opens == Some(b'"'),
            Some(Key::Sections | Key::DebugId | Key::IgnoreList | Key::SourcesHash) | None => {}
        }
    }

    fn suffices(&self) -> bool {
        let beside = self.version || self.sources || self.other;
        self.sections || (self.contents && (beside || self.mappings)) || (self.mappings && beside)
    }

    fn cut_in_sources(&self) -> bool {
        self.version_is_3 && self.sources
    }
}

/// Whether the list at the cursor begins with a section: an object with an `offset` object beside a `map` or `url`, or
/// with a `map` that looks like one by itself. A section without its offset is wrong, and its sources are there.
fn holds_maps(mut cursor: Cursor<'_>) -> bool {
    cursor.at += 1;
    cursor.skip_space();
    if cursor.peek() != Some(b'{') {
        return false;
    }
    cursor.at += 1;
    let (mut has_offset, mut has_map) = (false, false);
    while let Step::Key(key) = cursor.next_key(|_| ()) {
        let opens = cursor.peek();
        has_offset |= key.says(b"offset") && opens == Some(b'{');
        if key.says(b"map") && opens == Some(b'{') {
            has_map = true;
            let mut inner = cursor.clone();
            inner.at += 1;
            let evidence = Evidence {
                is_inner: true,
                ..Evidence::default()
            };
            if evidence.gather(inner).is_some() {
                return true;
            }
        }
        has_map |= key.says(b"url") && opens == Some(b'"');
        if (has_offset && has_map) || !cursor.skip_value() {
            break;
        }
    }
    has_offset && has_map
}
