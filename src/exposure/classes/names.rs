//! Names that hint at a class of exposure where the bytes prove nothing.
//!
//! Much of what people and their tools leave behind has no form of its own: a list of typed commands is a text like any
//! other, and only `.bash_history` says what it is. So a rule may carry names (`parameters.names`), and an entry that goes
//! by one of them is a hint, unless its bytes proved the class or are plainly something else. A name is written as
//!
//! - `name`: a file of that name; `*.ending`: a file whose name ends so
//! - `folder/`: anything below a folder of that name
//! - `parent/` before any of them: the folder that it must lie in directly
//!
//! without regard to ASCII case. What content an entry may have to be such a thing is `parameters.name_kinds`: words for
//! content as in `blob` records, `text` and `binary` where the rule says nothing. Nothing that is empty, and no page in
//! HTML that answers in place of a file, is a hint.
//!
//! Every entry of every input is asked, so nearly all of them are let go by two things that cost nothing to know of a part
//! of a path: its length and one of its bytes. Only what some name agrees with in both is looked up.
//!
//! Left out: what the hint weighs, which is judged at the place.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::exposure::rules::Rules;

/// The rules' parameter that holds names.
pub const NAMES: &str = "names";

/// The rules' parameter that holds the kinds of content that an entry of such a name may have.
const KINDS: &str = "name_kinds";

/// Kinds of content that a hint may rest on where the rule says nothing.
const USUAL_KINDS: [&str; 2] = ["text", "binary"];

/// Which part of a path a name is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    /// The whole name of the file.
    File,
    /// The end of the name of the file.
    Ending,
    /// A folder round it.
    Folder,
}

/// A name of a rule.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    part: Part,
    /// Lower case, without `*` and `/`.
    text: Vec<u8>,
    /// The folder that it must lie in directly, lower case.
    parent: Option<Vec<u8>>,
    /// Id of the class.
    class: &'static str,
}

impl Pattern {
    /// `name`, `*.ending`, `folder/`, `parent/name` and so on.
    fn read(written: &str, class: &'static str) -> Pattern {
        let lower = written.to_ascii_lowercase();
        let (whole, is_folder) = match lower.strip_suffix('/') {
            Some(whole) => (whole, true),
            None => (lower.as_str(), false),
        };
        let (parent, last) = match whole.rsplit_once('/') {
            Some((parent, last)) => (Some(parent.as_bytes().to_vec()), last),
            None => (None, whole),
        };
        let (part, text) = match last.strip_prefix('*') {
            _ if is_folder => (Part::Folder, last),
            Some(ending) => (Part::Ending, ending),
            None => (Part::File, last),
        };
        Pattern {
            part,
            text: text.as_bytes().to_vec(),
            parent,
            class,
        }
    }

    /// Whether it stands at the end of `before`, which ends where the part of the path ends.
    fn stands_in(&self, before: &[u8]) -> bool {
        let Some(start) = before.len().checked_sub(self.text.len()) else {
            return false;
        };
        let (round, found) = before.split_at(start);
        let is_whole = round.last().is_none_or(|&byte| is_separator(byte));
        let fits = match self.part {
            // An ending is the end of something.
            Part::Ending => !is_whole,
            Part::File | Part::Folder => is_whole,
        };
        fits && found.eq_ignore_ascii_case(&self.text) && self.lies_in_parent(round)
    }

    fn lies_in_parent(&self, round: &[u8]) -> bool {
        let Some(parent) = &self.parent else {
            return true;
        };
        let mut parts = round.rsplit(|&byte| is_separator(byte));
        let _begin_of_name = parts.next();
        parts
            .next()
            .is_some_and(|folder| folder.eq_ignore_ascii_case(parent))
    }
}

/// All names of all rules.
#[derive(Default)]
struct Table {
    by_text: HashMap<(Part, Vec<u8>), Vec<Pattern>>,
    files: Filter,
    endings: Filter,
    folders: Filter,
}

/// Which lengths go with a byte: a bit for each length, those from 31 on together.
struct Filter([u32; 256]);

impl Default for Filter {
    fn default() -> Filter {
        Filter([0; 256])
    }
}

impl Filter {
    fn add(&mut self, byte: u8, length: usize) {
        self.0[usize::from(byte)] |= 1 << length.min(31);
    }

    fn passes(&self, byte: u8, length: usize) -> bool {
        self.0[usize::from(byte.to_ascii_lowercase())] >> length.min(31) & 1 == 1
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::of_rules);

impl Table {
    fn of_rules() -> Table {
        let mut table = Table::default();
        for rule in Rules::builtin().iter() {
            for name in rule.parameter(NAMES) {
                table.add(Pattern::read(name, &rule.id));
            }
        }
        table
    }

    fn add(&mut self, pattern: Pattern) {
        let (Some(&first), Some(&last)) = (pattern.text.first(), pattern.text.last()) else {
            return;
        };
        let length = pattern.text.len();
        // Many names end with the same letters; endings begin with the same dot.
        match pattern.part {
            Part::File => self.files.add(first, length),
            Part::Ending => self.endings.add(last, length),
            Part::Folder => self.folders.add(first, length),
        }
        let key = (pattern.part, pattern.text.clone());
        self.by_text.entry(key).or_default().push(pattern);
    }

    fn patterns(&self, part: Part, text: &[u8]) -> &[Pattern] {
        let key = (part, text.to_ascii_lowercase());
        self.by_text.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Gives each pattern that a path goes by to `take`, until that says stop: those of the file first.
    fn walk(&self, path: &[u8], mut take: impl FnMut(&Pattern) -> bool) {
        let mut give = |part: Part, start: usize, end: usize| {
            let mut patterns = self.patterns(part, &path[start..end]).iter();
            patterns.any(|pattern| pattern.stands_in(&path[..end]) && take(pattern))
        };
        let start = memchr::memrchr2(b'/', b'\\', path).map_or(0, |at| at + 1);
        let (end, name) = (path.len(), &path[start..]);
        if let (Some(&first), Some(&last)) = (name.first(), name.last()) {
            if self.files.passes(first, name.len()) && give(Part::File, start, end) {
                return;
            }
            // An ending begins with a dot, or is the last byte.
            let dots = memchr::memchr_iter(b'.', name).map(|at| start + at);
            for at in dots.chain([end - 1]) {
                if self.endings.passes(last, end - at) && give(Part::Ending, at, end) {
                    return;
                }
            }
        }
        let mut end = start;
        while let Some(before) = end.checked_sub(1) {
            let start = memchr::memrchr2(b'/', b'\\', &path[..before]).map_or(0, |at| at + 1);
            let is_likely = path[start..before]
                .first()
                .is_some_and(|&first| self.folders.passes(first, before - start));
            if is_likely && give(Part::Folder, start, before) {
                return;
            }
            end = start;
        }
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// Whether any rule names this path.
pub fn is_named(path: &[u8]) -> bool {
    let mut found = false;
    TABLE.walk(path, |_| {
        found = true;
        true
    });
    found
}

/// The classes that a path hints at, where content of this kind (the word of `blob` records) may be such a thing; each
/// once, the one that the end of the path speaks for first.
pub fn classes_named(path: &[u8], kind: &str) -> Vec<&'static str> {
    let mut classes = Vec::new();
    TABLE.walk(path, |pattern| {
        if !classes.contains(&pattern.class) && may_be(pattern.class, kind) {
            classes.push(pattern.class);
        }
        false
    });
    classes
}

fn may_be(class: &str, kind: &str) -> bool {
    match Rules::builtin()
        .get(class)
        .map(|rule| rule.parameter(KINDS))
    {
        None | Some([]) => USUAL_KINDS.contains(&kind),
        Some(kinds) => kinds.iter().any(|known| known == kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[&str]) -> Table {
        let mut table = Table::default();
        for name in names {
            table.add(Pattern::read(name, "c"));
        }
        table
    }

    fn names(table: &Table, path: &str) -> bool {
        let mut found = false;
        table.walk(path.as_bytes(), |_| {
            found = true;
            true
        });
        found
    }

    #[test]
    fn each_way_of_writing_a_name_finds_what_it_says() {
        for (name, found, not) in [
            (
                ".bash_history",
                &[".bash_history", "a/.BASH_history", "a\\b\\.bash_history"][..],
                &["x.bash_history", ".bash_history/a", ".bash_history2", ""][..],
            ),
            (
                "*.tfstate.backup",
                &[
                    "a.tfstate.backup",
                    "x/A.TFSTATE.Backup",
                    "a.b.tfstate.backup",
                ],
                &[
                    ".tfstate.backup",
                    "x/.tfstate.backup",
                    "atfstate.backup",
                    "a.tfstate.backup/x",
                ],
            ),
            ("*~", &["a~", "x/notes.txt~"], &["~", "a~b", "x/~", "~/a"]),
            (
                ".idea/",
                &[".idea/a", "x/.idea/b/c.xml", "x\\.Idea\\b"],
                &[".idea", "x/.idea", "x.idea/a", ".idea2/a"],
            ),
            (
                ".aws/credentials",
                &[
                    ".aws/credentials",
                    "home/u/.aws/credentials",
                    ".AWS\\Credentials",
                ],
                &[
                    "credentials",
                    "aws/credentials",
                    ".aws/x/credentials",
                    ".aws/credentials/x",
                ],
            ),
            (
                ".github/workflows/",
                &[".github/workflows/ci.yml", "a/.github/workflows/b/c"],
                &[
                    ".github/ci.yml",
                    "workflows/ci.yml",
                    ".github/x/workflows/ci.yml",
                ],
            ),
            (
                "adr/*.md",
                &["docs/adr/0001-x.md", "adr/a.md"],
                &["adr/.md", "docs/a.md", "adr/x/a.md"],
            ),
        ] {
            let table = table(&[name]);
            for path in found {
                assert!(names(&table, path), "{name}: {path}");
            }
            for path in not {
                assert!(!names(&table, path), "{name}: {path}");
            }
        }
    }

    #[test]
    fn content_that_cannot_be_it_is_no_hint() {
        assert_eq!(
            classes_named(b"home/.bash_history", "text"),
            ["shell-history"]
        );
        assert!(is_named(b"home/.bash_history") && !is_named(b"home/history.js"));
        for kind in ["empty", "html", "png", "elf"] {
            assert!(
                classes_named(b"home/.bash_history", kind).is_empty(),
                "{kind}"
            );
        }
    }

    #[test]
    fn no_rule_has_a_name_that_finds_nothing() {
        for rule in Rules::builtin().iter() {
            for name in rule.parameter(NAMES) {
                let example = name.replace('*', "x");
                let example = if example.ends_with('/') {
                    format!("{example}x")
                } else {
                    example
                };
                assert!(is_named(example.as_bytes()), "{}: {name}", rule.id);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_walk_finds_what_plain_comparison_finds(path in "[aA./~]{0,12}") {
            let texts = ["a", "a.a", "*.a", "*~", "a/", ".a/", "a/a", "a/*.a", "a/.a/"];
            for text in texts {
                let pattern = Pattern::read(text, "c");
                let ends = |end: usize| pattern.stands_in(&path.as_bytes()[..end]);
                let expected = match pattern.part {
                    Part::Folder => path.match_indices('/').any(|(at, _)| ends(at)),
                    _ => ends(path.len()),
                };
                proptest::prop_assert_eq!(names(&table(&[text]), &path), expected, "{} in {}", text, path);
            }
        }
    }
}
