//! A draft: its files, their lines, and which question each part of them answers.
//!
//! A draft may be ours, one text file for a question; or somebody's letter, in which questions are headings, lines that end in
//! `?` or `:`, or are not there at all. So a part is known by the words of its heading, or of the name of its file, and
//! what nothing is known of is treated as claimed: a wrong address is found, wherever it stands.

use super::rules::{Part, Rules};

/// A longer line is no heading; bytes.
const HEADING_MAX: usize = 300;

/// What a file is to the reader of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// What is sent.
    Text,
    /// A table that goes with it: addresses stand in it again.
    Table,
}

/// A file of a draft.
#[derive(Debug, Clone)]
pub struct DraftFile {
    /// Its name, as it is shown.
    pub name: String,
    /// What it is.
    pub form: Form,
    /// Its text; what is no UTF-8 in it was replaced.
    pub text: String,
    /// Where lines begin.
    starts: Vec<usize>,
    /// Where parts begin; ascending.
    parts: Vec<(usize, Part)>,
    /// Where headings begin and end; ascending.
    headings: Vec<(usize, usize)>,
}

impl DraftFile {
    /// Reads a file. What ends with `.csv` is a table.
    #[must_use]
    pub fn new(name: &str, text: String) -> Self {
        let is_table = name.to_ascii_lowercase().ends_with(".csv");
        let mut file = Self {
            name: name.to_owned(),
            form: if is_table { Form::Table } else { Form::Text },
            starts: std::iter::once(0)
                .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
                .collect(),
            text,
            parts: Vec::new(),
            headings: Vec::new(),
        };
        file.find_parts();
        file
    }

    fn find_parts(&mut self) {
        let rules = Rules::builtin();
        let stem = self.name.rsplit('/').next().unwrap_or(&self.name);
        let spaced = stem.replace(['-', '_', '.'], " ");
        let mut parts = vec![(0, rules.part_of(&spaced).unwrap_or(Part::Unknown))];
        let mut headings = Vec::new();
        if self.form == Form::Text {
            for (start, line) in self.lines() {
                let Some(length) = heading(line) else {
                    continue;
                };
                let head = line.get(..length).unwrap_or(line);
                match rules.part_of(head) {
                    Some(part) => parts.push((start, part)),
                    None if line.starts_with('#') => parts.push((start, Part::Other)),
                    None => continue,
                }
                headings.push((start, start + length));
            }
        }
        self.parts = parts;
        self.headings = headings;
    }

    /// The lines, each with where it begins; without their ends.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.starts.iter().enumerate().map(|(index, &start)| {
            let end = self
                .starts
                .get(index + 1)
                .map_or(self.text.len(), |next| next - 1);
            let line = self.text.get(start..end).unwrap_or_default();
            (start, line.strip_suffix('\r').unwrap_or(line))
        })
    }

    /// Line and column of a place, 1-based; columns in bytes.
    #[must_use]
    pub fn place(&self, at: usize) -> (u64, u64) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        (line as u64, (at - start) as u64 + 1)
    }

    /// Which question is answered at a place.
    #[must_use]
    pub fn part(&self, at: usize) -> Part {
        let index = self.parts.partition_point(|(start, _)| *start <= at);
        let part = index.checked_sub(1).and_then(|index| self.parts.get(index));
        part.map_or(Part::Unknown, |(_, part)| *part)
    }

    /// Where the part begins that a place stands in: one question and its answer.
    #[must_use]
    pub fn part_start(&self, at: usize) -> usize {
        let index = self.parts.partition_point(|(start, _)| *start <= at);
        let part = index.checked_sub(1).and_then(|index| self.parts.get(index));
        part.map_or(0, |(start, _)| *start)
    }

    /// What stands before a place in its line, so many bytes at most.
    #[must_use]
    pub fn line_before(&self, at: usize, most: usize) -> &str {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let from = floor(&self.text, start.max(at.saturating_sub(most)));
        self.text.get(from..at).unwrap_or_default()
    }

    /// Whether a place stands in a line that an open box begins, or before one: a statement that a person may tick.
    #[must_use]
    pub fn is_before_open_box(&self, at: usize) -> bool {
        let line = self.starts.partition_point(|start| *start <= at);
        let begins = |line: usize| {
            let start = self.starts.get(line.checked_sub(1)?)?;
            let text = self
                .text
                .get(*start..)?
                .trim_start_matches([' ', '\t', '-', '*']);
            Some(text.starts_with("[ ]") || text.starts_with('☐'))
        };
        begins(line) == Some(true) || begins(line + 1) == Some(true)
    }

    /// Whether a place stands in a heading: a question asks, and states nothing.
    #[must_use]
    pub fn is_heading(&self, at: usize) -> bool {
        let index = self.headings.partition_point(|(start, _)| *start <= at);
        let heading = index
            .checked_sub(1)
            .and_then(|index| self.headings.get(index));
        heading.is_some_and(|(_, end)| at < *end)
    }

    /// The answers of a part: its text without headings, each stretch with where it begins.
    pub fn answers(&self, part: Part) -> Vec<(usize, &str)> {
        let mut answers = Vec::new();
        for (index, (start, kind)) in self.parts.iter().enumerate() {
            if *kind != part {
                continue;
            }
            let end = self
                .parts
                .get(index + 1)
                .map_or(self.text.len(), |(next, _)| *next);
            let heading = self
                .headings
                .binary_search_by_key(start, |(start, _)| *start);
            let heading = heading.ok().and_then(|index| self.headings.get(index));
            let from = heading.map_or(*start, |(_, end)| *end);
            if let Some(text) = self.text.get(from..end) {
                answers.push((from, text));
            }
        }
        answers
    }

    /// The sentence round a place: up to an end of a sentence, a blank line or a bound.
    #[must_use]
    pub fn sentence(&self, at: usize) -> &str {
        const REACH: usize = 400;
        let text = &self.text;
        let ends = |window: &str, at: usize| {
            let rest = window.get(at..).unwrap_or_default();
            let ends_sentence = rest.starts_with(['.', '!', '?', ';'])
                && rest.chars().nth(1).is_none_or(char::is_whitespace);
            ends_sentence || rest.starts_with("\n\n") || rest.starts_with("\r\n\r\n")
        };
        let low = floor(text, at.saturating_sub(REACH));
        let high = floor(text, (at + REACH).min(text.len()));
        let before = text.get(low..at).unwrap_or_default();
        let start = before
            .char_indices()
            .rev()
            .find(|(index, _)| ends(before, *index));
        let start = start.map_or(low, |(index, _)| low + index + 1);
        let behind = text.get(at..high).unwrap_or_default();
        let end = behind
            .char_indices()
            .find(|(index, _)| ends(behind, *index));
        let end = end.map_or(high, |(index, c)| at + index + c.len_utf8());
        text.get(start..end).unwrap_or_default()
    }

    /// The text between two places, or up to its end.
    #[must_use]
    pub fn between(&self, from: usize, to: usize) -> &str {
        let (from, to) = (
            floor(&self.text, from),
            floor(&self.text, to.min(self.text.len())),
        );
        self.text.get(from..to).unwrap_or_default()
    }

    /// What stands round a place, so many bytes to either side.
    #[must_use]
    pub fn around(&self, at: usize, reach: usize) -> &str {
        let low = floor(&self.text, at.saturating_sub(reach));
        let high = floor(&self.text, (at + reach).min(self.text.len()));
        self.text.get(low..high).unwrap_or_default()
    }
}

/// The nearest place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// How much of a line is a heading: one of Markdown, a bold line, a numbered one, or a question or label and nothing before it.
fn heading(line: &str) -> Option<usize> {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return None;
    }
    if trimmed.len() <= HEADING_MAX {
        let is_bold = trimmed.len() > 4 && trimmed.starts_with("**") && trimmed.ends_with("**");
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let is_numbered = (1..=2).contains(&digits)
            && trimmed
                .get(digits..)
                .is_some_and(|rest| rest.starts_with(['.', ')']));
        if trimmed.starts_with('#') || is_bold || trimmed.ends_with([':', '?']) {
            return Some(line.len());
        }
        if is_numbered && !trimmed.contains("://") {
            let end = line.find(['?', ':']).map_or(line.len(), |at| at + 1);
            return Some(end);
        }
    }
    // A label or question with its answer behind it.
    let end = line.find("? ").or_else(|| line.find(": "))? + 1;
    let is_label = end <= HEADING_MAX
        && !line.get(..end)?.contains("://")
        && !trimmed.starts_with(['[', '-', '*', '|', '>']);
    is_label.then_some(end)
}

/// A draft as a whole.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Its files, by name.
    pub files: Vec<DraftFile>,
    /// What lay beside them and was not looked at, with the reason.
    pub left_out: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str, text: &str) -> Vec<Part> {
        let file = DraftFile::new(name, text.to_owned());
        file.lines().map(|(start, _)| file.part(start)).collect()
    }

    #[test]
    fn parts_are_known_by_headings_and_names_of_files() {
        assert_eq!(
            parts(
                "notice.md",
                "hello\n# Original work\ntext\n## Whatever\nx\n**Infringing URLs?**\ny\n"
            ),
            [
                Part::Unknown,
                Part::Original,
                Part::Original,
                Part::Other,
                Part::Other,
                Part::Listed,
                Part::Listed,
                Part::Listed
            ]
        );
        assert_eq!(
            parts("09-fork-urls.txt", "https://a.example/x")[0],
            Part::Listed
        );
        assert_eq!(parts("a.txt", "Contact: x@y.example\r\n")[0], Part::Contact);
        assert_eq!(
            parts("a.txt", "see https://a.example/license: x")[0],
            Part::Unknown
        );
    }

    #[test]
    fn answers_leave_questions_out() {
        let text = "Are there technological measures? Yes, some.\nmore\nName: A\n";
        let file = DraftFile::new("a.txt", text.to_owned());
        let answers = file.answers(Part::Circumvention);
        assert_eq!(answers, [(33, " Yes, some.\nmore\nName: A\n")]);
        assert!(file.is_heading(3) && !file.is_heading(35));
    }

    #[test]
    fn sentences_end_where_they_should() {
        let file = DraftFile::new("a.txt", "One. Two of a.b here? Three\n\nFour".to_owned());
        assert_eq!(file.sentence(8), " Two of a.b here?");
        assert_eq!(file.sentence(30), "\nFour");
        assert_eq!(file.place(30), (3, 2));
    }

    #[test]
    fn a_line_before_an_open_box_is_an_offer() {
        let file = DraftFile::new(
            "a.txt",
            "All of them.\n\"most\":\n[ ] to be ticked\nend".to_owned(),
        );
        assert!(!file.is_before_open_box(0) && !file.is_before_open_box(39));
        assert!(file.is_before_open_box(14) && file.is_before_open_box(25));
        assert_eq!(file.line_before(17, 2), "os");
        assert_eq!(file.line_before(17, 20), "\"mos");
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_places(text in "[\\PC\\n\\r#*?: .é]{0,200}", at in 0usize..220) {
            let file = DraftFile::new("x.md", text.clone());
            let at = floor(&text, at.min(text.len()));
            let (line, column) = file.place(at);
            proptest::prop_assert!(line >= 1 && column >= 1);
            proptest::prop_assert!(text.contains(file.sentence(at)));
            proptest::prop_assert!(text.contains(file.around(at, 30)));
            for part in [Part::Unknown, Part::Contact, Part::Original] {
                file.answers(part);
            }
        }
    }
}
