//! The section on copies: where they are, how far it has spread, what was made of what, and what was put in.
//!
//! A table of copies is true only as a whole: a row needs what the scan says (how much of the work is there), what a list
//! or a clone says (where it was got from), what the comparison says (what was changed in it), and what lineage makes of
//! that. These come as records of their own, in any order, so they are gathered by the root that they speak of and joined
//! at the end. A root that is public already, or holds nothing of the work, never stands among the copies.
//!
//! - [`model`]: what is shown
//! - [`gather`]: records in, joined rows out; [`roots`] and [`signs`] hold what is joined, [`rows`] words it
//! - [`scope`]: what may be said of places that nobody examined
//! - [`spread`]: copies by date, each source of dates apart
//! - [`tree`]: forks as a nested list
//! - [`draw`]: the timeline as a drawing, and how lists nest
//!
//! The public view has the figures only: a row of pseudonyms with dates and sizes could still be told by who knows the
//! place. Lines of a copy stand in no view, since a case holds none; `compare --html` shows them from the files.

pub(super) mod draw;
mod gather;
mod model;
mod roots;
mod rows;
mod scope;
mod signs;
mod spread;
#[cfg(test)]
mod tests;
mod tree;

pub(super) use gather::{CopiesGather, Judged};
pub use model::*;
pub(super) use roots::Roots;
pub use scope::{ScopeRow, scope_rows};
pub(super) use scope::{not_examined, of_all_listed};
pub(super) use spread::day;
