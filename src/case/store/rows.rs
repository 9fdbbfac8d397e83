//! Rows: how records and what belongs to units are stored and come back.

use rusqlite::{Connection, params};

use super::CaseError;
use crate::blob::{ContentKey, Locator, Sha256Digest};
use crate::case::links;
use crate::exposure::Packument;
use crate::record::{Hops, Record};
use crate::scan::files::FileTally;
use crate::scan::place::PlacedContainer;
use crate::signature::ported::Echoes;

pub(in crate::case) fn parse(text: &str) -> Result<Record, CaseError> {
    serde_json::from_str(text).map_err(|error| CaseError::Damaged {
        what: error.to_string(),
    })
}

/// A value as JSON.
pub(in crate::case) fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    /// Room for nearly every record, so that it is not moved while it grows; bytes.
    const USUAL: usize = 1 << 10;
    let mut text = Vec::with_capacity(USUAL);
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::ToSqlConversionFailure(error)
    };
    serde_json::to_writer(&mut text, value).map_err(|error| failed(error.into()))?;
    String::from_utf8(text).map_err(|error| failed(error.into()))
}

/// A value as it is stored where nobody but this program reads it.
pub(super) fn packed(value: &impl serde::Serialize) -> rusqlite::Result<Vec<u8>> {
    postcard::to_stdvec(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Stores what a unit echoes, if it does.
pub(in crate::case) fn put_echoes(
    db: &Connection,
    unit: i64,
    joined: bool,
    echoes: &Echoes,
) -> rusqlite::Result<()> {
    if echoes.is_empty() {
        return Ok(());
    }
    db.prepare_cached("INSERT INTO echo VALUES (?1, ?2, ?3)")?
        .execute(params![unit, joined, packed(echoes)?])
        .map(drop)
}

/// Stores what documents of registries say of releases.
pub(in crate::case) fn put_published(
    db: &Connection,
    unit: i64,
    joined: bool,
    documents: &[(String, Packument)],
) -> rusqlite::Result<()> {
    for (locator, document) in documents {
        db.prepare_cached("INSERT INTO published VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                unit,
                joined,
                document.name,
                locator,
                packed(&document.times)?
            ])?;
    }
    Ok(())
}

/// Stores which contents of own sources a unit has.
pub(in crate::case) fn put_own_contents(
    db: &Connection,
    unit: i64,
    joined: bool,
    contents: &[(ContentKey, Sha256Digest)],
) -> rusqlite::Result<()> {
    for (key, sha256) in contents {
        db.prepare_cached("INSERT INTO own_content VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![unit, joined, key.0, sha256.0])?;
    }
    Ok(())
}

/// Stores what a unit has of files.
pub(in crate::case) fn put_files(
    db: &Connection,
    unit: i64,
    joined: bool,
    files: &FileTally,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO file_tally VALUES (?1, ?2, ?3)")?
        .execute(params![unit, joined, packed(files)?])
        .map(drop)
}

/// Reads a value that was stored so.
pub(in crate::case) fn unpacked<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    what: &str,
) -> Result<T, CaseError> {
    postcard::from_bytes(bytes).map_err(|error| CaseError::Damaged {
        what: format!("{what}: {error}"),
    })
}

/// Writes one record. What its columns say already is left out of its JSON; [`restore`] puts it back.
pub(in crate::case) fn put_record(
    db: &Connection,
    unit: Option<i64>,
    joined: bool,
    mut record: Record,
) -> rusqlite::Result<()> {
    let (locator, way) = match record.place_mut() {
        Some((locator, hops)) => {
            let way = std::mem::take(hops).beside(locator);
            (std::mem::take(locator), way)
        }
        None => Default::default(),
    };
    let (key, lines) = links::found_by(&record);
    let length = match &record {
        Record::Secret(secret) => Some(secret.length as i64),
        _ => None,
    };
    db.prepare_cached(
        "INSERT INTO record (unit, joined, type, locator, way, json, key, lines, length)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        unit,
        joined,
        record.kind(),
        locator,
        way,
        json(&record)?,
        key,
        lines,
        length
    ])
    .map(drop)
}

/// The record of a row of the case: undoes what [`put_record`] does.
pub(in crate::case) fn restore(row: RecordRow) -> Result<Record, CaseError> {
    let mut record = match &row.later {
        None => parse(&row.json)?,
        Some(later) => amended(&row.json, later)?,
    };
    if let Some((locator, hops)) = record.place_mut() {
        *hops = Hops::of(&row.locator, &row.way).ok_or_else(|| CaseError::Damaged {
            what: format!("the way to {}", row.locator),
        })?;
        *locator = row.locator;
    }
    if let (Record::Secret(secret), Some(length)) = (&mut record, row.length) {
        secret.length = length;
    }
    if let Some(found) = row.found {
        links::put_found(&mut record, found, row.by.as_deref());
    }
    Ok(record)
}

/// A record with the fields that a join found.
fn amended(json: &str, later: &str) -> Result<Record, CaseError> {
    let damaged = |error: serde_json::Error| CaseError::Damaged {
        what: error.to_string(),
    };
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).map_err(damaged)?;
    let later: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(later).map_err(damaged)?;
    fields.extend(later);
    serde_json::from_value(fields.into()).map_err(damaged)
}

/// A row of the record table.
pub(in crate::case) struct RecordRow {
    pub(super) unit: Option<i64>,
    locator: String,
    way: String,
    json: String,
    /// Of a secret.
    length: Option<u64>,
    /// What it leads to in another unit, and what says so.
    found: Option<String>,
    by: Option<String>,
    /// Fields that a join found.
    later: Option<String>,
}

impl RecordRow {
    /// The columns that [`RecordRow::read`] wants.
    pub(in crate::case) const COLUMNS: &str =
        "unit, record.locator, way, record.json, link.locator, link.by, amended.json, length";
    /// How many they are.
    pub(in crate::case) const WIDTH: usize = 8;
    /// The tables that they stand in.
    pub(in crate::case) const TABLES: &str = "record LEFT JOIN link ON link.record = record.id
         LEFT JOIN amended ON amended.record = record.id";

    pub(in crate::case) fn read(row: &rusqlite::Row) -> rusqlite::Result<Self> {
        Ok(Self {
            unit: row.get(0)?,
            locator: row.get(1)?,
            way: row.get(2)?,
            json: row.get(3)?,
            found: row.get(4)?,
            by: row.get(5)?,
            later: row.get(6)?,
            length: row.get::<_, Option<i64>>(7)?.map(|length| length as u64),
        })
    }
}

/// Writes one row of the container table.
pub(in crate::case) fn put_container(
    db: &Connection,
    unit: i64,
    joined: bool,
    row: &PlacedContainer,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO container VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![
            unit,
            joined,
            row.locator,
            row.kind,
            row.sha256,
            row.bytes as i64,
            row.entries as i64
        ])
        .map(drop)
}

/// The keys of a unit's row.
pub(in crate::case) fn keys_of(bytes: &[u8]) -> impl Iterator<Item = ContentKey> + '_ {
    bytes
        .chunks_exact(ContentKey::LEN)
        .filter_map(|chunk| chunk.try_into().ok().map(ContentKey))
}

/// The locator of a unit.
pub(in crate::case) fn locator_of(label: &str, path: &[u8]) -> Locator {
    Locator::file(label, path)
}
