//! What a person writes of a row, and how it gets through a spreadsheet.

use crate::blob::Sha256Digest;
use crate::blob::locator::{is_control_or_bidi, shown};
use crate::case::{Decision, Review, Standing};

/// Characters of a name.
pub(super) const NAME_MAX: usize = 200;
/// Characters of a note.
pub(super) const NOTE_MAX: usize = 4_000;

/// What a person writes of a row, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    /// The decision, in its word; empty where there is none.
    pub decision: String,
    /// Who decided.
    pub reviewer: String,
    /// When, as it stands there.
    pub date: String,
    /// `yes`, `no`, or empty.
    pub fair_use: String,
    /// The note.
    pub note: String,
}

impl Cells {
    /// The cells of what holds. A decision about a row that has changed since holds no more, so its cells are empty.
    #[must_use]
    pub fn of(standing: &Standing) -> Self {
        match standing {
            Standing::Decided(review) => Self::of_review(review),
            Standing::Open | Standing::Stale(_) => Self::default(),
        }
    }

    fn of_review(review: &Review) -> Self {
        let fair_use = review
            .fair_use_considered
            .map_or("", |yes| if yes { "yes" } else { "no" });
        Self {
            decision: review.decision.as_str().to_owned(),
            reviewer: shown(&review.reviewer),
            date: review.time.clone(),
            fair_use: fair_use.to_owned(),
            note: review.note.as_deref().map(shown_lines).unwrap_or_default(),
        }
    }

    /// A digest of all but the date: what tells whether a row was touched. It begins with a letter, so that no spreadsheet takes
    /// it for a number.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut bytes = Vec::new();
        for part in [&self.decision, &self.reviewer, &self.fair_use, &self.note] {
            bytes.extend_from_slice(part.as_bytes());
            bytes.push(0);
        }
        let hex = Sha256Digest::of(&bytes).hex();
        format!("b{}", hex.get(..12).unwrap_or_default())
    }
}

fn shown_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(shown).collect();
    lines.join("\n")
}

/// What holds, in words.
#[must_use]
pub fn standing_words(standing: &Standing) -> String {
    match standing {
        Standing::Open => "open".to_owned(),
        Standing::Decided(review) => decided_words(review),
        Standing::Stale(review) => format!("changed since it was {}", decided_words(review)),
    }
}

/// `confirmed by R. Reader, 2026-04-01T00:00:00Z, in bulk with 12 rows`.
#[must_use]
pub fn decided_words(review: &Review) -> String {
    let bulk = review
        .bulk
        .map_or(String::new(), |rows| format!(", in bulk, {rows} rows"));
    format!(
        "{} by {}, {}{bulk}",
        review.decision.as_str(),
        shown(&review.reviewer),
        shown(&review.time)
    )
}

/// Whether a spreadsheet would take a text for a formula, were it not for apostrophes in front.
pub(super) fn is_formula_at_heart(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A text as a cell, from which [`text_of`] gives it back.
pub(super) fn cell_of(text: &str) -> String {
    let mark = if is_formula_at_heart(text) { "'" } else { "" };
    let needs_quotes = text.contains(['"', ',', ';', '\n', '\r', '\t'])
        || text.starts_with(' ')
        || text.ends_with(' ');
    if needs_quotes {
        format!("\"{mark}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{mark}{text}")
    }
}

/// The text that a cell was made of.
pub(super) fn text_of(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula_at_heart(rest) => rest,
        _ => cell,
    }
}

/// The decision that a word means.
#[must_use]
pub fn word_of(word: &str) -> Option<Decision> {
    match word {
        "confirmed" | "confirm" => Some(Decision::Confirmed),
        "rejected" | "reject" => Some(Decision::Rejected),
        "open" => Some(Decision::Open),
        _ => None,
    }
}

/// The name of a person, as it is kept.
///
/// # Errors
/// What is wrong with it, to be put behind what it is.
pub fn clean_name(text: &str) -> Result<String, String> {
    let name = clean(text, NAME_MAX)?;
    if name.is_empty() {
        return Err("is empty; a person who decides names themselves".to_owned());
    }
    if name.contains('\n') {
        return Err("runs over several lines".to_owned());
    }
    Ok(name)
}

/// A note, as it is kept.
///
/// # Errors
/// What is wrong with it, to be put behind what it is.
pub fn clean_note(text: &str) -> Result<String, String> {
    clean(text, NOTE_MAX)
}

/// A text of people without what spreadsheets do to it: blanks at its ends, other line ends, tabs.
pub(super) fn clean(text: &str, most: usize) -> Result<String, String> {
    let text = text
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\t', " ");
    let text = text.trim();
    if let Some(odd) = text.chars().find(|c| *c != '\n' && is_control_or_bidi(*c)) {
        return Err(format!(
            "has a character that moves text (U+{:04X}); take it out",
            u32::from(odd)
        ));
    }
    let count = text.chars().count();
    if count > most {
        return Err(format!("has {count} characters, and {most} are the most"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_cell_is_a_formula(text in "[=+@\t\r'-][ -~]{0,5}") {
            let cell = cell_of(&text);
            let inner = cell.strip_prefix('"').unwrap_or(&cell);
            prop_assert!(inner.starts_with('\'') || !is_formula_at_heart(&text), "{cell}");
        }
    }

    #[test]
    fn a_name_is_one_line_of_a_person() {
        assert_eq!(clean_name(" R. Reader ").as_deref(), Ok("R. Reader"));
        for bad in ["", "  ", "a\nb", "a\u{7}b"] {
            assert!(clean_name(bad).is_err(), "{bad:?}");
        }
    }
}
