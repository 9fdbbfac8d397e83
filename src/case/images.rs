//! The container images that lie in an input as folders.
//!
//! Each document and each layer is a unit of its own there, so what they say together is a join: it is put together from
//! what the case keeps of each, and told of the records of the layers when these are placed.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use super::store::{Case, CaseError, locator_of, unpacked};
use crate::blob::{Locator, Sha256Digest};
use crate::container::image::Part;
use crate::container::image::view::{Held, HowRead, View};
use crate::container::{Effect, Trouble};
use crate::record::Record;
use crate::scan::images;
use crate::scan::place::problem;

/// A file of an input that may belong to images.
pub(super) struct PartRow {
    path: Vec<u8>,
    sha256: Option<Sha256Digest>,
    /// `None` for a blob that is no document and no layer.
    part: Option<Part>,
    read: HowRead,
}

/// Path, digest, and what it is to an image.
type Row = (Vec<u8>, Option<[u8; 32]>, Option<Vec<u8>>, bool, bool);

impl Case {
    /// The files of an input that may belong to images, by path; none where there is no document of any.
    pub(super) fn image_parts(&self, input: i64) -> Result<Vec<PartRow>, CaseError> {
        let read = || -> rusqlite::Result<Vec<Row>> {
            let has_any = self
                .db
                .query_row(
                    "SELECT 1 FROM open_fact JOIN unit ON unit.id = open_fact.unit
                     WHERE unit.input = ?1 AND image IS NOT NULL LIMIT 1",
                    [input],
                    |_| Ok(()),
                )
                .optional()?;
            if has_any.is_none() {
                return Ok(Vec::new());
            }
            let mut query = self.db.prepare(
                // `blobs/`, `layer.tar`
                "SELECT unit.path, unit.sha256, image, coalesce(is_archive, 0) OR entries > 1, length(keys) > 0
                 FROM unit LEFT JOIN open_fact ON unit.id = open_fact.unit
                 WHERE unit.input = ?1 AND (image IS NOT NULL OR instr(unit.path, x'626c6f62732f') > 0
                   OR instr(unit.path, x'6c617965722e746172') > 0)
                 ORDER BY unit.path",
            )?;
            query
                .query_map([input], |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                    ))
                })?
                .collect()
        };
        let rows = read().map_err(|error| self.wrap(error))?;
        rows.into_iter()
            .map(|(path, sha256, part, is_opened, has_key)| {
                let part = part.map(|part| unpacked(&part, "a part of an image"));
                Ok(PartRow {
                    path,
                    sha256: sha256.map(Sha256Digest),
                    part: part.transpose()?,
                    read: match (is_opened, has_key) {
                        (true, _) => HowRead::Opened,
                        (false, true) => HowRead::Leaf,
                        (false, false) => HowRead::InPart,
                    },
                })
            })
            .collect()
    }

    /// The images among the files of an input.
    pub(super) fn images<'a>(
        &self,
        input: i64,
        parts: &'a [PartRow],
    ) -> Result<Option<View<'a>>, CaseError> {
        let held: Vec<Held> = (parts.iter())
            .map(|row| Held {
                path: &row.path,
                part: row.part.as_ref(),
                sha256: row.sha256,
                read: row.read,
            })
            .collect();
        let mut query = self
            .db
            .prepare("SELECT 1 FROM unit WHERE input = ?1 AND path = ?2")
            .map_err(|error| self.wrap(error))?;
        let query = std::cell::RefCell::new(&mut query);
        let exists = |path: &[u8]| {
            let mut query = query.borrow_mut();
            query.exists(params![input, path]).unwrap_or(false)
        };
        // Links of a folder are not followed: a blob that is one is found by its digest, or is said to be missing.
        Ok(View::of(&held, &exists, &BTreeMap::new()))
    }
}

/// Files of an input that were not read, by path, which their own bytes do not tell.
pub(super) type Unread = BTreeMap<Vec<u8>, Trouble>;

/// The images of an input, while its files are placed.
pub(super) struct ImagesOfInput<'a> {
    view: View<'a>,
    label: &'a str,
    /// What is odd, by path; what was told is gone.
    troubles: BTreeMap<Vec<u8>, Vec<Trouble>>,
    unread: Unread,
}

impl<'a> ImagesOfInput<'a> {
    pub(super) fn new(view: View<'a>, label: &'a str) -> Self {
        let mut troubles: BTreeMap<Vec<u8>, Vec<Trouble>> = BTreeMap::new();
        let mut unread = Unread::new();
        for (path, trouble) in view.troubles() {
            if trouble.effect != Effect::Odd {
                unread.insert(path.clone(), trouble.clone());
            }
            let of_path = troubles.entry(path.clone()).or_default();
            of_path.push(trouble.clone());
        }
        Self {
            view,
            label,
            troubles,
            unread,
        }
    }

    /// The files that only the images can tell were not read.
    pub(super) fn unread(&self) -> Unread {
        self.unread.clone()
    }

    /// Says of the records of the file at `path` how they stand, and adds what is odd about it.
    pub(super) fn note(&mut self, path: &[u8], at: &Locator, records: &mut Vec<Record>) {
        let root = |folder: &[u8]| match folder {
            b"" => self.label.to_owned(),
            folder => locator_of(self.label, folder).as_str().to_owned(),
        };
        images::note(&self.view, path, at, &root, records);
        let troubles = self.troubles.remove(path).unwrap_or_default();
        records.extend(troubles.iter().map(|trouble| problem(trouble, at)));
    }

    /// What is odd about files that had nothing else to tell.
    pub(super) fn rest(self) -> Vec<Record> {
        let mut records = Vec::new();
        for (path, troubles) in self.troubles {
            let at = locator_of(self.label, &path);
            records.extend(troubles.iter().map(|trouble| problem(trouble, &at)));
        }
        records
    }
}
