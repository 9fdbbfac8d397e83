//! Strandline finds how far a leak has spread.
//!
//! One pass ties the stages together, each depending on those to its right only:
//!
//! ```text
//! cli → report → copies → case → scan → exposure, signature, sourcemap → container → lex, blob
//! ```
//!
//! [`record`] and [`blob`] hold the words that all of them share. Nothing here uses the network, runs anything
//! from an input, or writes below a path that the user did not name.

#![deny(unsafe_code)]

pub mod blob;
pub mod case;
pub mod cli;
pub mod container;
pub mod copies;
pub mod exposure;
pub mod lex;
pub mod record;
pub mod report;
pub mod scan;
pub mod signature;
pub mod sourcemap;
