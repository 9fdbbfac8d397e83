//! The draft of a certificate of a qualified person (Federal Rules of Evidence 902(14) and 902(13), United States).
//!
//! Data that were copied from a device or file prove themselves in court where a qualified person certifies that they were
//! identified by their digests. The program knows the facts of that and fills them in; who the person is, what makes them
//! qualified and that it is true they have to say themselves, so these are blanks, and nothing is signed. It is a draft for
//! a lawyer, who knows whether the rule applies at all.
//!
//! It is written twice, as text to be edited and as a page to be printed, of the same blocks ([`Draft`]): what the one says, the
//! other does.

use std::fmt::Write as _;

use askama::Template;

use super::{CUSTODY_FILE, EXHIBITS_FILE, RECORDS_FILE, REPORT_FILE, bag};
use crate::blob::Sha256Digest;
use crate::blob::locator::shown;
use crate::record::{Ledger, Run};
use crate::report::ReportError;

/// Inputs that are listed; more are counted.
const MAX_INPUTS: usize = 200;
/// Columns of the text.
const COLUMNS: usize = 110;
/// Columns that a name takes before its value.
const NAME_COLUMNS: usize = 28;
/// A blank to be filled by hand.
const BLANK: &str = "________________________________________";

/// What is filled in.
pub struct Facts<'a> {
    /// The run that made the records.
    pub run: &'a Run,
    /// What was read.
    pub ledger: &'a Ledger,
    /// Files of the payload and their digests.
    pub files: &'a bag::Manifest,
    /// Entries of the custody log.
    pub entries: u64,
    /// Rows of the list of exhibits.
    pub exhibits: u64,
    /// Name and version of the program that seals.
    pub program: &'a str,
    /// BLAKE3 of its file.
    pub program_blake3: Option<&'a str>,
}

/// A piece of the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    /// What it is called.
    Title(&'static str),
    /// A paragraph without a number.
    Note(&'static str),
    /// A numbered one; with a box, which the person ticks.
    Numbered {
        number: u8,
        has_box: bool,
        text: &'static str,
    },
    /// A fact.
    Item { name: String, value: String },
    /// A blank, behind what belongs in it.
    Blank(&'static str),
}

/// The draft, to be written as text or as a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    blocks: Vec<Block>,
}

/// The draft.
#[must_use]
pub fn draft(facts: &Facts<'_>) -> Draft {
    let mut draft = Draft { blocks: Vec::new() };
    draft.blocks.extend(HEAD.iter().cloned());
    draft.process(facts);
    draft.data(facts);
    draft.digests(facts);
    draft.blocks.extend(TAIL.iter().cloned());
    draft
}

impl Draft {
    fn item(&mut self, name: &str, value: &str) {
        self.blocks.push(Block::Item {
            name: shown(name),
            value: shown(value),
        });
    }

    fn numbered(&mut self, number: u8, text: &'static str) {
        self.blocks.push(Block::Numbered {
            number,
            has_box: false,
            text,
        });
    }

    fn process(&mut self, facts: &Facts<'_>) {
        let run = facts.run;
        self.numbered(3, PROCESS);
        self.item("Records made by", &run.version);
        self.item("Program file, BLAKE3", opt(run.program.as_deref()));
        self.item("Rules, BLAKE3", &run.rules);
        self.item("Run began (UTC)", opt(run.started.as_deref()));
        self.item("Folder sealed by", facts.program);
        self.item("Program file, BLAKE3", opt(facts.program_blake3));
        for set in &run.sets {
            let named = format!("{} {}, digest {}", set.work, set.release, set.digest);
            self.item("Signature set", &named);
        }
    }

    fn data(&mut self, facts: &Facts<'_>) {
        self.numbered(4, DATA);
        let run = facts.run;
        for input in run.inputs.iter().take(MAX_INPUTS) {
            let digest = input.sha256.as_deref();
            let digest = digest.unwrap_or("a folder or store; its members stand in the records");
            self.item(&format!("Input {}", input.label), digest);
        }
        if run.inputs.len() > MAX_INPUTS {
            let more = run.inputs.len() - MAX_INPUTS;
            let said = format!("{more}, which the first line of the records names");
            self.item("Further inputs", &said);
        }
        let ledger = facts.ledger;
        let kept_out =
            |counts: &std::collections::BTreeMap<String, u64>| counts.values().sum::<u64>();
        let account = format!(
            "{} = {} scanned + {} duplicate + {} skipped + {} damaged",
            ledger.entries,
            ledger.scanned,
            ledger.duplicate,
            kept_out(&ledger.skipped),
            kept_out(&ledger.damaged)
        );
        self.item("Entries found", &account);
        let read = if ledger.read_all() {
            "yes"
        } else if ledger.complete {
            "but for what whoever ran the scan accepted; the records say what that was"
        } else {
            "no; the records say what was not"
        };
        self.item("Everything read in full", read);
    }

    fn digests(&mut self, facts: &Facts<'_>) {
        self.numbered(5, IDENTIFICATION);
        for path in [RECORDS_FILE, EXHIBITS_FILE, REPORT_FILE, CUSTODY_FILE] {
            let digest = facts.files.files.get(path).map(Sha256Digest::hex);
            self.item(path, opt(digest.as_deref()));
        }
        self.item("Exhibits listed", &facts.exhibits.to_string());
        self.item("Entries of the custody log", &facts.entries.to_string());
        self.blocks.push(Block::Blank(BINDS));
    }

    /// As text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!("{STATE}\n");
        let mut was_item = false;
        for block in &self.blocks {
            let is_item = matches!(block, Block::Item { .. });
            if !(is_item && was_item) {
                out.push('\n');
            }
            was_item = is_item;
            match block {
                Block::Title(text) => out += &format!("{}\n", text.to_uppercase()),
                Block::Note(text) => wrapped(&mut out, "", text),
                Block::Numbered {
                    number,
                    has_box,
                    text,
                } => {
                    let mark = if *has_box { "[ ] " } else { "" };
                    wrapped(&mut out, &format!("{number}. {mark}"), text);
                }
                Block::Item { name, value } => {
                    let name = format!("{name}:");
                    let _ = writeln!(out, "   {name:<NAME_COLUMNS$} {value}");
                }
                Block::Blank(label) => {
                    wrapped(&mut out, "   ", &format!("{label}: {BLANK}{BLANK}"))
                }
            }
        }
        out
    }

    /// As a page to be printed.
    ///
    /// # Errors
    /// When the template engine fails.
    pub fn html(&self) -> Result<String, ReportError> {
        Ok(Page {
            state: STATE,
            blocks: &self.blocks,
        }
        .render()?)
    }
}

#[derive(Template)]
#[template(path = "certificate.html")]
struct Page<'d> {
    state: &'static str,
    blocks: &'d [Block],
}

/// A paragraph in lines, those behind the first set in as far as the text begins.
fn wrapped(out: &mut String, mark: &str, text: &str) {
    let indent = " ".repeat(mark.chars().count());
    let mut line = mark.to_owned();
    let mut is_first = true;
    for word in text.split_whitespace() {
        if !is_first && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            let _ = writeln!(out, "{line}");
            line.clone_from(&indent);
            is_first = true;
        }
        if !is_first {
            line.push(' ');
        }
        line.push_str(word);
        is_first = false;
    }
    let _ = writeln!(out, "{line}");
}

fn opt(value: Option<&str>) -> &str {
    value.unwrap_or("not known")
}

const STATE: &str = "DRAFT - NOT SIGNED";

const HEAD: [Block; 6] = [
    Block::Title("Certificate of a qualified person"),
    Block::Note(
        "Data copied from an electronic device, storage medium or file (Federal Rules of Evidence, Rule 902(14)), and records generated by an electronic process or system (Rule 902(13))",
    ),
    Block::Note(
        "Whether these rules apply, and whether this form fits, is for counsel to judge. What stands in lines was filled in by a program from its records; blanks and boxes are for the person who certifies. Nothing here was confirmed by anybody yet.",
    ),
    Block::Numbered {
        number: 1,
        has_box: false,
        text: "My name is ________________________________. I work as ________________________________ for ________________________________.",
    },
    Block::Numbered {
        number: 2,
        has_box: false,
        text: "What makes me qualified to speak of this process (training, experience, position):",
    },
    Block::Blank("My training, experience and position"),
];

const PROCESS: &str = "The process. A program examined the data, computed the SHA-256 of what it read, and wrote records of what it found. It was used as follows:";

const DATA: &str = "The data that were examined, as they were named to the program:";

const IDENTIFICATION: &str = "The process of digital identification. SHA-256 (FIPS 180-4) gives data a value of 256 bits; two files that differ are not known ever to have had the same. The folder this draft stands in lists the SHA-256 of each of its files, and that of each exhibit. Values as they were when it was sealed:";

const BINDS: &str = "SHA-256 of tagmanifest-sha256.txt (to be copied in by the person who certifies; it binds all files)";

const TAIL: [Block; 8] = [
    Block::Numbered {
        number: 6,
        has_box: true,
        text: "I, or somebody under my direction, compared the SHA-256 values of the copies offered with those of the originals or of the list of exhibits, and they were the same, except: ________________________________",
    },
    Block::Numbered {
        number: 7,
        has_box: true,
        text: "The process described in 3 produces an accurate result. My reasons: ________________________________",
    },
    Block::Numbered {
        number: 8,
        has_box: true,
        text: "The records were made at or near the time of the events by this process, and kept in the course of a regularly conducted activity, as a regular practice of it (Rule 902(11), as Rules 902(13) and (14) require).",
    },
    Block::Note(
        "I declare under penalty of perjury under the laws of the United States of America that the foregoing is true and correct. (28 U.S.C. 1746; another form of words applies to what is signed elsewhere.)",
    ),
    Block::Blank("Executed on (day)"),
    Block::Blank("At (place)"),
    Block::Blank("Signature"),
    Block::Blank("Notice to the other side under Rule 902(11), by whom and when"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn with(label: &str) -> Draft {
        let mut draft = Draft {
            blocks: HEAD.to_vec(),
        };
        draft.item(&format!("Input {label}"), "digest");
        draft.blocks.extend(TAIL.iter().cloned());
        draft
    }

    #[test]
    fn text_and_page_say_the_same() {
        let draft = with("copies");
        let (text, page) = (draft.text(), draft.html().unwrap());
        // The page without its tags, both without line ends and blanks to be filled.
        let plain = |text: &str| -> String {
            let text = text.replace('_', " ").to_lowercase();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let text = plain(&text);
        let mut found = 0;
        for block in &draft.blocks {
            let said = match block {
                Block::Title(text) | Block::Note(text) | Block::Numbered { text, .. } => *text,
                Block::Item { value, .. } => value,
                Block::Blank(label) => label,
            };
            assert!(text.contains(&plain(said)), "{said}\n{text}");
            let first = said.split("____").next().unwrap_or_default().trim();
            assert!(page.contains(first), "{first}\n{page}");
            found += 1;
        }
        assert_eq!(found, 15);
        assert!(BINDS.contains(crate::report::evidence::bag::TAG_MANIFEST_FILE));
        assert!(
            draft
                .text()
                .lines()
                .all(|line| line.chars().count() <= COLUMNS + 4)
        );
    }

    #[test]
    fn a_name_in_the_input_is_a_line_and_no_tag() {
        let draft = with("<b>x</b>\n6. [x] signed\u{202e}");
        let (text, page) = (draft.text(), draft.html().unwrap());
        assert!(
            !text.contains("\n6. [x]") && !text.contains('\u{202e}'),
            "{text}"
        );
        assert!(
            !page.contains("<b>") && !page.contains('\u{202e}'),
            "{page}"
        );
        assert!(!page.contains("checked") && !text.contains("[x]\n"));
    }
}
