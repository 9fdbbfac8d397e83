//! Records that tests of this folder are made with.

use std::collections::BTreeMap;

use crate::blob::Hops;
use crate::record::{Certainty, Comparison, FileCounts, Origin, OriginBy};

/// What a list says of a place.
pub(super) fn origin(locator: &str, url: &str, certainty: Certainty) -> Origin {
    Origin::said(locator, Hops::default(), url, OriginBy::Origins, certainty)
}

/// A comparison in which nothing was found.
pub(super) fn comparison(locator: &str) -> Comparison {
    Comparison {
        locator: locator.to_owned(),
        hops: Hops::default(),
        original: "work".to_owned(),
        files: FileCounts::default(),
        bytes_original: 0,
        bytes_held: 0,
        bytes_outside: 0,
        lines_outside: 0,
        headers_removed: 0,
        signs: BTreeMap::new(),
        complete: true,
        copy_folder: None,
        original_folder: None,
    }
}
