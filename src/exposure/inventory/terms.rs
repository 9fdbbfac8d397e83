//! Words of the user's own, looked for in everything that was decoded.
//!
//! A responder knows words that no rule can: customers, projects, machines, people. `scan --terms FILE` takes them, one a
//! line, and finds them in every content, whoever's it is, in UTF-8 and UTF-16 and whatever the case of their letters.
//! Code names of the organisation's profile are looked for in the same way, but as words of their own or as parts of a
//! name (`heronMode`, `USE_HERON`), since they are common words too.
//!
//! Each is told once for a content: where it stands first, and how often. Left out: patterns, and words that are written
//! with escapes or put together.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use memchr::memchr_iter;

use super::{Confidence, ItemFact};
use crate::exposure::Organisation;

/// A shorter word would be found everywhere.
const WORD_MIN_CHARS: usize = 3;

/// Longest word, in bytes, and most of them: what an automaton of reasonable size holds.
const WORD_MAX_BYTES: usize = 200;
const WORDS_MAX: usize = 20_000;

/// Why a list of words could not be used. Each says where and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// Nothing to look for.
    #[error("{file}: no words in it; write one a line (lines that begin with # are left out)")]
    Empty {
        /// Name of the file, as given.
        file: String,
    },
    /// A word that cannot be looked for.
    #[error("{file}:{line}: {why}")]
    Word {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: usize,
        /// What is wrong with it and what to write instead.
        why: String,
    },
    /// More words than are looked for at once.
    #[error("{file}: more than {WORDS_MAX} words; give fewer")]
    TooMany {
        /// Name of the file, as given.
        file: String,
    },
}

/// One word.
#[derive(Clone, PartialEq, Eq)]
struct Word {
    text: String,
    /// It is a code name of the profile.
    is_code_name: bool,
}

/// What looks for the words.
#[derive(Clone)]
pub struct Terms {
    words: Vec<Word>,
    automaton: AhoCorasick,
    /// The word that each pattern of the automaton stands for, and bytes of a character in it.
    patterns: Vec<(usize, Width)>,
}

/// How a pattern is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Utf8,
    Utf16,
}

impl std::fmt::Debug for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The words are the user's, and may be as secret as what they look for.
        write!(f, "Terms({} words)", self.words.len())
    }
}

impl Terms {
    /// Reads a list: one word a line, blanks round it dropped; empty lines and those that begin with `#` are left out.
    ///
    /// # Errors
    /// No word, one that is too short or too long, one that begins like a pattern (`re:`), or too many; `file` is only
    /// quoted in them.
    pub fn parse(text: &str, file: &str) -> Result<Terms, TermsError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut words = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let word = line.trim();
            if word.is_empty() || word.starts_with('#') {
                continue;
            }
            let why = if word.starts_with("re:") {
                "patterns are not looked for; write the word itself".to_owned()
            } else if word.chars().count() < WORD_MIN_CHARS {
                format!(
                    "shorter than {WORD_MIN_CHARS} characters, which would be found everywhere; write more of it"
                )
            } else if word.len() > WORD_MAX_BYTES {
                format!("longer than {WORD_MAX_BYTES} bytes; write the beginning of it")
            } else {
                words.push(word.to_owned());
                continue;
            };
            return Err(TermsError::Word {
                file: file.to_owned(),
                line: index + 1,
                why,
            });
        }
        if words.is_empty() {
            return Err(TermsError::Empty {
                file: file.to_owned(),
            });
        }
        let word = |text| Word {
            text,
            is_code_name: false,
        };
        Self::of(words.into_iter().map(word)).ok_or_else(|| TermsError::TooMany {
            file: file.to_owned(),
        })
    }

    /// These words and the code names of the profile; `None` where there are neither.
    #[must_use]
    pub fn with_code_names(
        terms: Option<&Terms>,
        organisation: Option<&Organisation>,
    ) -> Option<Arc<Terms>> {
        let names = organisation.map_or(&[][..], |organisation| &organisation.code_names);
        let names = names
            .iter()
            .filter(|name| name.chars().count() >= WORD_MIN_CHARS && name.len() <= WORD_MAX_BYTES);
        let names = names.map(|name| Word {
            text: name.clone(),
            is_code_name: true,
        });
        let words = terms.map_or(&[][..], |terms| &terms.words).iter().cloned();
        Self::of(names.chain(words))
            .filter(|terms| !terms.words.is_empty())
            .map(Arc::new)
    }

    /// BLAKE3 of what is looked for: the words in small letters, sorted.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let sorted: BTreeSet<(bool, String)> = self
            .words
            .iter()
            .map(|word| (word.is_code_name, word.text.to_lowercase()))
            .collect();
        let mut hasher = blake3::Hasher::new();
        for (is_code_name, text) in sorted {
            hasher.update(&[u8::from(is_code_name)]);
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// What looks for these words, those that differ in case only once; `None` where they are too many.
    fn of(words: impl Iterator<Item = Word>) -> Option<Terms> {
        let mut seen = BTreeSet::new();
        let words: Vec<Word> = words
            .filter(|word| seen.insert((word.is_code_name, word.text.to_lowercase())))
            .collect();
        if words.len() > WORDS_MAX {
            return None;
        }
        let mut bytes: Vec<Vec<u8>> = Vec::new();
        let mut patterns = Vec::new();
        for (index, word) in words.iter().enumerate() {
            // Letters beyond ASCII are looked for as written, all small and all capital.
            let forms: BTreeSet<String> = match word.text.is_ascii() {
                true => [word.text.clone()].into(),
                false => [
                    word.text.clone(),
                    word.text.to_lowercase(),
                    word.text.to_uppercase(),
                ]
                .into(),
            };
            for form in forms {
                bytes.push(form.as_bytes().to_vec());
                patterns.push((index, Width::Utf8));
                bytes.push(form.encode_utf16().flat_map(u16::to_le_bytes).collect());
                patterns.push((index, Width::Utf16));
                bytes.push(form.encode_utf16().flat_map(u16::to_be_bytes).collect());
                patterns.push((index, Width::Utf16));
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .build(&bytes)
            .ok()?;
        Some(Terms {
            words,
            automaton,
            patterns,
        })
    }

    /// The words in a content, in the order in which they stand first. `lines_before` are those of what was read of it
    /// before these bytes.
    #[must_use]
    pub fn items_of(&self, bytes: &[u8], lines_before: u64) -> Vec<ItemFact> {
        // Where each word was told, and where its last hit ends: in UTF-16 both orders of bytes may fit one place.
        let mut places: HashMap<usize, (usize, usize)> = HashMap::new();
        let mut items: Vec<(ItemFact, u64)> = Vec::new();
        let (mut line, mut counted) = (lines_before + 1, 0);
        for hit in self.automaton.find_overlapping_iter(bytes) {
            let Some(&(index, width)) = self.patterns.get(hit.pattern().as_usize()) else {
                continue;
            };
            let Some(word) = self.words.get(index) else {
                continue;
            };
            if word.is_code_name
                && width == Width::Utf8
                && !is_own_word(bytes, hit.start(), hit.end())
            {
                continue;
            }
            if let Some((told, last_end)) = places.get_mut(&index) {
                if hit.start() >= *last_end
                    && let Some((_, count)) = items.get_mut(*told)
                {
                    *count += 1;
                    *last_end = hit.end();
                }
                continue;
            }
            // Overlapping hits come in the order of their ends.
            let at = hit.start().max(counted);
            line += memchr_iter(b'\n', &bytes[counted..at]).count() as u64;
            counted = at;
            places.insert(index, (items.len(), hit.end()));
            let item = ItemFact {
                kind: if word.is_code_name {
                    "code-name"
                } else {
                    "term"
                }
                .to_owned(),
                value: word.text.clone(),
                line,
                confidence: Confidence::High,
                detail: None,
                behind: Vec::new(),
            };
            items.push((item, 1));
        }
        let counted = items.into_iter().map(|(mut item, count)| {
            item.detail = (count > 1).then(|| format!("{count} times"));
            item
        });
        counted.collect()
    }
}

/// Whether a hit is a word by itself, or a part of a name that begins and ends as parts of names do.
fn is_own_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let byte = |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied();
    let (first, last) = (byte(Some(start)), byte(end.checked_sub(1)));
    let (before, behind) = (byte(start.checked_sub(1)), byte(Some(end)));
    let is_upper = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_uppercase());
    let is_lower = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase());
    let is_letter = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphabetic() || b >= 0x80);
    let begins = !is_letter(before) || (is_lower(before) && is_upper(first));
    let ends = !is_letter(behind) || (is_lower(last) && is_upper(behind));
    begins && ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(terms: &Terms, bytes: &[u8]) -> Vec<(String, String, u64, Option<String>)> {
        let items = terms.items_of(bytes, 0).into_iter();
        items
            .map(|item| (item.kind, item.value, item.line, item.detail))
            .collect()
    }

    fn item(
        kind: &str,
        value: &str,
        line: u64,
        detail: Option<&str>,
    ) -> (String, String, u64, Option<String>) {
        (
            kind.to_owned(),
            value.to_owned(),
            line,
            detail.map(str::to_owned),
        )
    }

    #[test]
    fn words_are_found_whatever_their_case_and_encoding() {
        let terms = Terms::parse("# customers\nGlobex\n\n  Öl-Müller \nGLOBEX\n", "t").unwrap();
        assert_eq!(
            found(&terms, b"a\nmyglobexkey GLOBEX"),
            [item("term", "Globex", 2, Some("2 times"))]
        );
        assert_eq!(
            found(&terms, "x öl-müller".as_bytes()),
            [item("term", "Öl-Müller", 1, None)]
        );
        let wide: Vec<u8> = "\u{feff}for GloBex"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(found(&terms, &wide), [item("term", "Globex", 1, None)]);
        assert_eq!(found(&terms, b"glo bex"), []);
    }

    #[test]
    fn code_names_are_words_of_their_own() {
        let org = Organisation::parse("name='A'\ncode_names=['heron']", "t").unwrap();
        let terms = Terms::with_code_names(None, Some(&org)).unwrap();
        for text in [
            "the heron flies",
            "heronMode",
            "USE_HERON_2",
            "isHeron",
            "x.heron()",
        ] {
            assert_eq!(found(&terms, text.as_bytes()).len(), 1, "{text}");
        }
        for text in ["Theronia", "heroncliff", "cheron"] {
            assert_eq!(found(&terms, text.as_bytes()).len(), 0, "{text}");
        }
        assert!(Terms::with_code_names(None, None).is_none());
    }

    #[test]
    fn lists_that_cannot_be_meant_are_errors() {
        for (text, expected) in [
            ("", "t: no words"),
            ("# a\n", "t: no words"),
            ("abc\nab\n", "t:2: shorter than 3"),
            ("re:a+", "t:1: patterns are not looked for"),
        ] {
            let error = Terms::parse(text, "t").unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let terms = Terms::parse("secretword", "t").unwrap();
        assert!(!format!("{terms:?}").contains("secretword"));
        assert_eq!(
            terms.digest(),
            Terms::parse("SecretWord\n#x", "u").unwrap().digest()
        );
    }
}
