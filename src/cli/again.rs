//! Reading a content of a case from its input once more.
//!
//! What the case says of a content holds for the bytes that the scan saw. So the one unit that holds it is read again, and what
//! stands at its locator is taken only where the digests are those that the case keeps: of an input that changed since,
//! nothing is shown, since it would be something else than what was found.

use std::collections::HashSet;
use std::path::Path;

use super::pipeline::{Pipeline, Request};
use super::{CliError, Common, warn_of};
use crate::blob::locator::shown;
use crate::blob::{Locator, Sha256Digest};
use crate::case::{Case, UnitAt};
use crate::exposure::Inspector;
use crate::scan::analyse::Keep;
use crate::scan::facts::{Standing, each_entry};
use crate::signature::SetGroup;

/// A content to be read again.
pub struct Again<'a> {
    /// Where it stood.
    pub locator: &'a str,
    /// SHA-256 of it, hex, where the case keeps that.
    pub sha256: Option<&'a str>,
    /// The unit that holds it.
    pub at: &'a UnitAt,
    /// Where the input lies now, if not where it lay.
    pub input: Option<&'a Path>,
    /// What to do where it is not there any more.
    pub advice: &'a str,
}

impl Again<'_> {
    fn changed(&self, what: &str) -> CliError {
        CliError::new(format!(
            "{what} since the scan, so nothing is shown of it; {}: {}",
            self.advice,
            shown(self.locator)
        ))
    }

    /// Reads it, behind the wall.
    ///
    /// # Errors
    /// Where it is gone, or not what the scan found.
    pub fn read(&self, common: &Common) -> Result<Vec<u8>, CliError> {
        let path = match self.input {
            Some(path) => path.to_path_buf(),
            None => super::path_from_bytes(&self.at.input),
        };
        let paths = [path];
        let only = HashSet::from([(0, self.at.path.clone())]);
        let pipeline = Pipeline::new(Request {
            paths: &paths,
            label: None,
            case: None,
            common,
            organisation: None,
            inspector: Inspector::off(),
            sets: SetGroup::default(),
            record_all: true,
            keep: Keep::Leaves,
            collector: None,
            only: Some(&only),
            fail_on: None,
            accepted: &[],
            triage: false,
            releases: None,
        })
        .map_err(|_| self.changed("the input is gone"))?;
        let mut case = Case::in_memory()?;
        let wall = pipeline.raise_wall(None, None);
        warn_of(&wall, common);
        // The label may have been another; what stands behind it is the same.
        let wanted = self.locator.get(self.at.label.len()..).unwrap_or_default();
        let (mut target, mut is_same_unit) = (None, true);
        pipeline.run(&mut case, &wall, |roots, units, done| {
            for unit in done {
                let row = &units[unit.index];
                let label = &roots[row.input].label;
                is_same_unit &= unit.sha256.map(|digest| digest.0) == self.at.sha256
                    || self.at.sha256.is_none();
                let Some(child) = unit.kept.take() else {
                    continue;
                };
                let standing = Standing {
                    at: &Locator::file(label, &row.path),
                    path: &row.path,
                    above: &[],
                };
                each_entry(&child, &standing, &mut |child, standing| {
                    let here = standing.at.as_str().get(label.len()..);
                    if here == Some(wanted) && target.is_none() {
                        target = child.kept.as_ref().map(|kept| kept.bytes().into_owned());
                    }
                    Ok::<_, CliError>(())
                })?;
            }
            Ok(())
        })?;
        let target = target.filter(|_| is_same_unit);
        let target =
            target.ok_or_else(|| self.changed("the input changed or cannot be read any more"))?;
        let is_same = self
            .sha256
            .is_none_or(|sha256| sha256 == Sha256Digest::of(&target).hex());
        if is_same {
            Ok(target)
        } else {
            Err(self.changed("the content changed"))
        }
    }
}
