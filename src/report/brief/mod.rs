//! Two pages for those who read one: a brief for executives, and one for counsel.
//!
//! A report of forty pages answers everything, and those who decide read the first. So each of the two gets one printed page
//! (A4 or Letter), made of the same [`Model`] as the report beside it and of what people decided and sent, which the model does not hold: for
//! that the copies are counted again here, by the report's own rules ([`Facts`]). The executives' page has plain words, and neither a line of a source nor a secret, a path or a
//! host: only the names of hosts that a notice was drafted to. The counsel's page has the rows with legal weight: whose work, what
//! was confirmed where and by how many, notices and their dates, what is suspected only, what is left out, what was kept.
//!
//! What is said is data (`signatures/briefs`), templates as those of notices are: users change them, and get fields and no
//! power. A template is cut into sections before it is rendered, so that no name of an input makes a heading; lists in it
//! are bounded (`context`), so that a page stays a page, and what is left out is counted.
//!
//! Left out: any word on what follows from it. Both are work product and go into a sealed folder only where that is asked for.

mod context;
mod facts;
mod page;

use serde_json::Value;

use super::notice::{Contacts, Part, TemplatesError, Text, docx, rendered};
use super::review::calendar::Day;
use super::{Model, ReportError};
pub use facts::Facts;

/// Instructions that one section may take; each is a few lines with bounded loops.
const FUEL: u64 = 500_000;
/// Begins a section.
const HEADING: &str = "## ";

/// Who a brief is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BriefKind {
    /// Legal counsel.
    Counsel,
    /// Those who decide.
    Executive,
}

impl BriefKind {
    /// Both, in the order in which they are written.
    pub const ALL: [Self; 2] = [Self::Counsel, Self::Executive];

    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counsel => "counsel",
            Self::Executive => "executive",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Counsel => "Brief for counsel",
            Self::Executive => "Brief for executives",
        }
    }

    fn builtin(self) -> &'static str {
        match self {
            Self::Counsel => include_str!("../../../signatures/briefs/counsel.txt"),
            Self::Executive => include_str!("../../../signatures/briefs/executive.txt"),
        }
    }

    /// The file of its template.
    #[must_use]
    pub fn template(self) -> String {
        format!("{}.txt", self.as_str())
    }
}

/// What a brief is made of, beside the report.
#[derive(Debug, Clone)]
pub struct Ground<'a> {
    /// The figures of the report.
    pub model: &'a Model,
    /// What people decided, sent and kept.
    pub facts: &'a Facts,
    /// Who complains, where that was given.
    pub contacts: &'a Contacts,
    /// The day that dates are counted from.
    pub today: Day,
}

/// A brief.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Who it is for.
    pub kind: BriefKind,
    text: Text,
    state: String,
}

impl Brief {
    /// Makes one; `template` stands in place of the program's own.
    ///
    /// # Errors
    /// When the template is broken, or names a field that there is not.
    pub fn make(
        kind: BriefKind,
        template: Option<&str>,
        ground: &Ground<'_>,
    ) -> Result<Self, TemplatesError> {
        let context = context::context(ground);
        let parts = parts(kind, template.unwrap_or(kind.builtin()), &context)?;
        let version = ground.model.method.version.as_deref();
        Ok(Self {
            kind,
            text: Text {
                title: kind.title().to_owned(),
                stamps: Vec::new(),
                parts,
            },
            state: format!(
                "As of {}; by {} from the figures of the report beside it. What is said here was seen in what was handed in, or written down by people.",
                ground.today,
                version.unwrap_or("strandline")
            ),
        })
    }

    /// One page to be read and printed.
    ///
    /// # Errors
    /// When the template engine fails.
    pub fn html(&self) -> Result<String, ReportError> {
        page::html(&self.text, &self.state)
    }

    /// The same for a word processor.
    #[must_use]
    pub fn docx(&self) -> Vec<u8> {
        docx(&page::plain(&self.text, &self.state))
    }
}

/// The sections of a template, each rendered by itself.
fn parts(kind: BriefKind, template: &str, context: &Value) -> Result<Vec<Part>, TemplatesError> {
    let name = kind.template();
    let mut sections: Vec<(String, String)> = vec![(String::new(), String::new())];
    for line in template.lines() {
        if let Some(title) = line.strip_prefix(HEADING) {
            // Lines before a section keep their number in what is told of a slip.
            let above = sections.iter().map(|(_, text)| text.matches('\n').count());
            let above = above.max().unwrap_or(0) + 1;
            sections.push((title.trim().to_owned(), "\n".repeat(above)));
        } else if let Some((_, text)) = sections.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let mut parts = Vec::new();
    for (number, (title, source)) in sections.into_iter().enumerate() {
        let text = rendered(&name, &source, context, FUEL)?;
        let text = text.trim_matches('\n').to_owned();
        if number > 0 {
            let file = title.clone();
            parts.push(Part { file, title, text });
        } else if !text.trim().is_empty() {
            return Err(TemplatesError::Broken {
                name,
                reason: format!("text stands before its first section; begin one with `{HEADING}`"),
            });
        }
    }
    if parts.is_empty() {
        return Err(TemplatesError::Broken {
            name,
            reason: format!("it has no section; begin one with `{HEADING}`"),
        });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests;
