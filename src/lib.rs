//! x
#![deny(unsafe_code)]
pub mod blob;
pub mod container;
pub mod exposure;
pub mod record;
pub mod scan;
pub mod signature;
pub mod sourcemap;
