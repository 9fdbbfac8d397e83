//! The case: one SQLite file with everything known about one incident.
//!
//! A scan writes units, each whole or not at all, in the order of reports; so whenever the program dies, what is
//! in the file is true, and the same command goes on from there. What needs more than one unit is computed after
//! the last one from what is stored (`join.rs`), and replaced each time. People may ask the file in SQL: the views
//! are documented in `schema.sql` and in README, and stay.
//!
//! A scan without `--case` uses the same code on a file that is in memory only.

mod code_names;
mod compared;
mod copies;
pub mod custody;
mod draws;
mod findings;
mod images;
mod join;
mod lineage;
mod links;
mod notices;
mod origins;
mod ports;
mod public;
mod published;
mod review;
mod roots;
mod since;
mod store;
mod union;
mod versions;

pub use compared::{CopyPlace, CopyUnit};
pub use custody::{Custody, Deed, Handled};
pub use draws::Draw;
pub use findings::UnitName;
pub use join::JoinInput;
pub use notices::{Notice, NoticeEvent, NoticeState};
pub use origins::{AcquisitionList, OriginList, OriginsAsked, OriginsError};
pub use published::{ListError, ReleaseList};
pub use review::{Decision, Review, Reviews, Standing, copy_id, match_id, seen};
pub use roots::CopiesRoot;
pub use store::{Case, CaseError, Info, Plan, UnitAt};
