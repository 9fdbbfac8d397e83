//! A file as the readers of this stage see it, and what they find in it.

use std::cell::OnceCell;
use std::hash::Hasher;
use std::ops::Range;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::rules::TamperRules;
use crate::exposure::mask::Masks;
use crate::record::Certainty;

/// Bytes a line has on average in code that no person laid out, bytes of such a file at least, and in how many of its bytes
/// one is a mark: a payload in Base64 has long lines, too, and hardly any.
const PACKED_LINE_BYTES: usize = 400;
const PACKED_BYTES: usize = 4 << 10;
const PACKED_MARK_IN: usize = 40;

/// How far a text is looked at to tell that it is none; bytes.
const HEAD: usize = 8 << 10;

/// What a file is there for, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It may be run.
    Code,
    /// It is read by people.
    Prose,
    /// It holds settings, tables or markup.
    Data,
}

/// A text file.
pub(super) struct Text<'a> {
    /// Its path, in small letters.
    pub path: String,
    /// All of it.
    pub bytes: &'a [u8],
    /// What it is there for.
    pub role: Role,
    /// Its lines are longer than people write them: minified or bundled.
    pub is_packed: bool,
    /// It lies in a folder of installed dependencies.
    pub is_dependency: bool,
    starts: Vec<usize>,
    /// Where credentials stand, once something of it is shown.
    masks: OnceCell<Masks>,
}

impl<'a> Text<'a> {
    /// A file as text; `None` where it is none.
    pub fn of(path: &[u8], bytes: &'a [u8]) -> Option<Text<'a>> {
        let head = bytes.get(..HEAD).unwrap_or(bytes);
        if bytes.is_empty() || memchr::memchr(0, head).is_some() {
            return None;
        }
        let path = String::from_utf8_lossy(path).to_ascii_lowercase();
        let starts = [0].into_iter();
        let starts: Vec<usize> = starts
            .chain(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1))
            .collect();
        Some(Text {
            role: role(&path),
            is_packed: path.ends_with(".min.js") || is_packed(bytes, starts.len()),
            is_dependency: is_below(&path, "dependency_folders"),
            path,
            bytes,
            starts,
            masks: OnceCell::new(),
        })
    }

    /// Which line a byte stands in, 1-based.
    pub fn line_number(&self, at: usize) -> u64 {
        self.starts.partition_point(|&start| start <= at) as u64
    }

    /// Where the line begins and ends that a byte stands in.
    pub fn line(&self, at: usize) -> Range<usize> {
        let number = self.starts.partition_point(|&start| start <= at);
        let begin = number.checked_sub(1).and_then(|one| self.starts.get(one));
        let end = self
            .starts
            .get(number)
            .map_or(self.bytes.len(), |next| next - 1);
        let begin = begin.copied().unwrap_or(0);
        begin..end.max(begin)
    }

    /// Where credentials stand in it.
    pub fn masks(&self) -> &Masks {
        self.masks.get_or_init(|| Masks::of(self.bytes))
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.starts.len()
    }

    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Bytes of a span.
    pub fn get(&self, span: Range<usize>) -> &'a [u8] {
        self.bytes.get(span).unwrap_or_default()
    }

    /// The text round a span, at most so many bytes to each side.
    pub fn round(&self, span: &Range<usize>, reach: usize) -> &'a [u8] {
        self.get(span.start.saturating_sub(reach)..(span.end + reach).min(self.bytes.len()))
    }
}

/// Whether a text was minified or bundled.
fn is_packed(bytes: &[u8], lines: usize) -> bool {
    let has_long_lines = bytes.len() / lines.max(1) > PACKED_LINE_BYTES;
    let is_mark = |byte: &&u8| b";,(){}".contains(byte);
    has_long_lines
        && bytes.len() >= PACKED_BYTES
        && bytes.iter().filter(is_mark).count() * PACKED_MARK_IN >= bytes.len()
}

/// Whether a path, in small letters, lies below a folder of a list.
pub(super) fn is_below(path: &str, list: &str) -> bool {
    let folders = TamperRules::builtin().words(list);
    let mut parts = path.split('/').rev();
    parts.next();
    parts.any(|part| folders.iter().any(|folder| folder == part))
}

/// The ending of a path behind its last dot; empty where it has none.
pub(super) fn ending(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn role(path: &str) -> Role {
    let words = TamperRules::builtin();
    let name = path.rsplit('/').next().unwrap_or(path);
    let has = |list: &str, word: &str| words.words(list).iter().any(|one| one == word);
    let stem = name.split('.').next().unwrap_or(name);
    match ending(path) {
        ending if has("prose_endings", ending) => Role::Prose,
        ending if has("data_endings", ending) => Role::Data,
        "" if has("prose_names", stem) => Role::Prose,
        _ => Role::Code,
    }
}

/// Something in a text that is a sign if the original has it nowhere.
pub(super) struct Thing {
    /// The rule.
    pub rule: &'static str,
    /// The circumstance by which it is judged.
    pub when: &'static str,
    /// How sure, where that is otherwise than the rule says.
    pub certainty: Option<Certainty>,
    /// Where.
    pub span: Range<usize>,
    /// What it is: no sign where the original has that.
    pub key: u128,
    /// What sort of thing it is: where the original has that sort, it is judged as `original-does`.
    pub sort: Option<u128>,
    /// What is said of it, where that is not its line.
    pub said: Option<String>,
    /// A name to be judged against others: of a dependency, a script.
    pub name: Option<String>,
}

impl Thing {
    /// A thing that is told by its line and judged plainly.
    pub fn new(rule: &'static str, span: Range<usize>, key: &[u8]) -> Thing {
        Thing {
            rule,
            when: "",
            certainty: None,
            span,
            key: hash(rule, key),
            sort: None,
            said: None,
            name: None,
        }
    }

    /// Judged under a circumstance.
    pub fn when(mut self, when: &'static str) -> Thing {
        self.when = when;
        self
    }

    /// Of a sort that the original may have too.
    pub fn sort(mut self, sort: &[u8]) -> Thing {
        self.sort = Some(hash(self.rule, &[b"sort ", sort].concat()));
        self
    }

    /// Told otherwise than by its line.
    pub fn said(mut self, said: String) -> Thing {
        self.said = Some(said);
        self
    }
}

/// A key of something that a rule is about.
pub(super) fn hash(rule: &str, key: &[u8]) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(rule.as_bytes());
    hasher.write_u8(0);
    hasher.write(key);
    hasher.finish128().as_u128()
}

/// A text without blanks, so that another layout makes no other key; bounded.
pub(super) fn stripped(text: &[u8]) -> Vec<u8> {
    const BYTES_MAX: usize = 4096;
    let shown = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    shown.take(BYTES_MAX).copied().collect()
}

/// Takes what a reader finds.
pub(super) type Take<'s> = &'s mut dyn FnMut(Thing);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_bytes() {
        let text = Text::of(b"src/A.ts", b"ab\n\ncd").unwrap();
        let lines: Vec<u64> = (0..6).map(|at| text.line_number(at)).collect();
        assert_eq!(lines, [1, 1, 1, 2, 3, 3]);
        assert_eq!(text.get(text.line(1)), b"ab");
        assert_eq!(text.get(text.line(3)), b"");
        assert_eq!(text.get(text.line(99)), b"cd");
        assert!(Text::of(b"x", b"a\0b").is_none());
    }

    #[test]
    fn roles_go_by_names() {
        for (path, expected) in [
            ("docs/readme.md", Role::Prose),
            ("licence", Role::Prose),
            ("a/b.json", Role::Data),
            ("src/x.ts", Role::Code),
            ("makefile", Role::Code),
        ] {
            assert_eq!(role(path), expected, "{path}");
        }
    }
}
