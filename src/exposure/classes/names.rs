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
//! Every entry of every input is asked, so a path is read once, backwards, with a running number for each of its parts;
//! the number of a whole name, of each ending that begins with a dot, and of each folder is looked up in a small bit
//! table, and only what passes that is compared as bytes.
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
struct Table {
    by_number: HashMap<u64, Vec<Pattern>>,
    /// A bit for the low end of each number that is there.
    bits: [u64; BITS / 64],
}

/// Bits of the small table: sixteen for each of some five hundred names.
const BITS: usize = 8192;

static TABLE: LazyLock<Table> = LazyLock::new(Table::of_rules);

impl Table {
    fn of_rules() -> Table {
        let mut table = Table {
            by_number: HashMap::new(),
            bits: [0; BITS / 64],
        };
        for rule in Rules::builtin().iter() {
            for name in rule.parameter(NAMES) {
                table.add(Pattern::read(name, &rule.id));
            }
        }
        table
    }

    fn add(&mut self, pattern: Pattern) {
        let mut number = Number::new();
        pattern.text.iter().rev().for_each(|&byte| number.add(byte));
        let number = number.of(pattern.part);
        let bit = number as usize % BITS;
        self.bits[bit / 64] |= 1 << (bit % 64);
        self.by_number.entry(number).or_default().push(pattern);
    }

    /// The patterns whose number this is: nearly always none, and told by one bit.
    fn look(&self, number: u64) -> &[Pattern] {
        let bit = number as usize % BITS;
        if self.bits[bit / 64] >> (bit % 64) & 1 == 0 {
            return &[];
        }
        self.by_number.get(&number).map_or(&[], Vec::as_slice)
    }

    /// Gives each pattern that a path goes by to `take`, until that says stop.
    fn walk(&self, path: &[u8], mut take: impl FnMut(&Pattern) -> bool) {
        let mut end = path.len();
        let mut number = Number::new();
        let mut is_file = true;
        let mut give = |found: u64, end: usize| {
            let mut patterns = self.look(found).iter();
            patterns.any(|pattern| pattern.stands_in(&path[..end]) && take(pattern))
        };
        for (at, &byte) in path.iter().enumerate().rev() {
            if is_separator(byte) {
                let part = if is_file { Part::File } else { Part::Folder };
                if at + 1 < end && give(number.of(part), end) {
                    return;
                }
                (end, number, is_file) = (at, Number::new(), false);
                continue;
            }
            let byte = byte.to_ascii_lowercase();
            number.add(byte);
            let may_begin_ending = byte == b'.' || at + 1 == path.len();
            if is_file && may_begin_ending && give(number.of(Part::Ending), end) {
                return;
            }
        }
        let part = if is_file { Part::File } else { Part::Folder };
        if end > 0 {
            give(number.of(part), end);
        }
    }
}

/// A running number over bytes (FNV-1a, 64 bits), by part of the path.
struct Number(u64);

impl Number {
    fn new() -> Number {
        Number(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }

    fn of(&self, part: Part) -> u64 {
        // The low end of the product of a multiplication knows little of the high end.
        self.0 ^ self.0 >> 29 ^ part as u64
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
        let mut table = Table {
            by_number: HashMap::new(),
            bits: [0; BITS / 64],
        };
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
