//! What people decide of copies, and what follows.
//!
//! The program says what it saw; whether a row goes into a notice is decided by a person who looked. This room makes that
//! work bearable and keeps it honest. [`rows`] gives every copy with what holds of it, [`mod@proposal`] says what the facts speak for
//! and why, and decides nothing. [`table`] is the same as a spreadsheet, out and in again; [`mod@merge`] holds what came back
//! against what was decided in the case meanwhile, so that of two people who worked on one list neither is overruled in
//! silence. Behind the notices, [`deadlines`] says what is due when, by a file that a lawyer can edit; and [`authorship`] says who wrote
//! what is claimed.
//!
//! Left out: reading files and writing them, and the case itself; that is for the commands.

pub mod authorship;
pub mod calendar;
pub mod cells;
pub mod deadlines;
pub mod merge;
pub mod proposal;
pub mod rows;
pub mod table;

pub use merge::{Merged, merge};
pub use proposal::{Proposal, Propose, Tampering, proposal};
pub use rows::{FileRow, Row, files_of, read_rows, rejected_since};
