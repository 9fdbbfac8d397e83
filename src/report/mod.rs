//! The report: records in, one page out.
//!
//! A responder reads it at three in the morning on a dark screen; a lawyer prints it and reads it a year later.
//! Both need the same things: what is out, where, how much, and what could not be read. So the page is one file,
//! is readable without script (there is none in it), loads nothing, prints, and shows the same numbers as its JSON
//! twin, because both come from one [`Model`].
//!
//! The way is one-directional: records → [`Builder`] (a stream: millions of records become bounded tables) → [`Model`]
//! → [`render_html`]. What a table leaves out is said beside it ("showing 500 of 12,345"). Whatever came from an
//! input is hostile: it goes through [`text::shown`], which spells out control and bidi characters, and then through
//! the template engine's HTML escaping; nothing from an input becomes a link, a style or a comment.
//!
//! What is *not* here: reading records (that is `case`) and writing files (the caller does, mode 0600).

mod actions;
mod axes;
mod beside;
mod bounded;
pub mod brief;
pub mod claims;
mod containment;
mod copies;
mod definitions;
pub mod evidence;
mod exhibit;
pub mod export;
mod finding;
mod folders;
mod gather;
mod html;
mod inventory;
pub mod lint;
mod lists;
mod live;
mod model;
pub mod notice;
mod questions;
pub mod review;
mod rotation;
#[cfg(test)]
mod sample;
mod since;
pub mod since_previous;
mod size;
#[cfg(test)]
mod tests;
pub mod text;
mod tiers;
mod timeline;
pub mod treemap;
mod verdict;
mod views;

pub use actions::{Action, Actions};
pub use axes::{Axis, AxisRow, Override, OverrideError};
pub use beside::{BesidePage, LINES_OF_FILE};
pub use bounded::{Count, Table};
pub use containment::{Containment, ContainmentError, ContainmentPlace};
pub use copies::*;
pub use definitions::Definition;
pub use exhibit::{Side, definition, render_exhibit};
pub use folders::{CarrierRow, CellKind, Counts, FolderRow, Part};
pub use html::{MAX_HTML_BYTES, render_html};
pub use inventory::{Inventory, ItemRow, KindTable};
pub use lists::{ListFile, ListRow};
pub use live::live_secrets;
pub use model::*;
pub use questions::{Answer, AnswerState};
pub use rotation::{Rotation, SecretRow, Spot};
pub use since::{ReleaseRow, Releases, SinceRow};
pub use size::{Amount, LanguageRow, ModuleRow, Size};
pub use timeline::TimeRow;
pub use views::{PSEUDONYM_CONTEXT, View};

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The template engine failed. Templates are compiled in, so this is a defect of the program.
    #[error("the report page could not be rendered: {0}; please report this as a defect")]
    Render(#[from] askama::Error),
    /// A record has something in it that the view does not know how to leave out.
    #[error(
        "the view cannot be made of a `{kind}` record: {reason}; please report this as a defect, and use the internal view"
    )]
    View {
        /// Type of the record.
        kind: &'static str,
        /// What is wrong with what is left.
        reason: String,
    },
    /// The page stays too large even with its tables cut to a few rows.
    #[error(
        "the report page has {bytes} bytes, more than the {limit} allowed, even with its tables cut; \
         use the JSON records of the case instead"
    )]
    TooLarge {
        /// Size of the smallest page that could be made, in bytes.
        bytes: usize,
        /// Largest size allowed, in bytes.
        limit: usize,
    },
}
