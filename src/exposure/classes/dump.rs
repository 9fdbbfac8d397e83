//! Dumps of databases: what `mysqldump`, `pg_dump`, `mongodump` and Redis write.
//!
//! A dump says in its first lines or bytes what it is of. Whether it holds rows or only the shape of the tables makes the
//! difference between a leak of data and of a schema, so the statements that bring rows are looked for, and addresses
//! in them counted. Sources: the headers that the tools write; `pg_backup_archiver.c` of PostgreSQL; `rdb.h` of Redis; the BSON
//! specification, version 1.1.

use super::people;
use super::read::{Reader, counted, has, head, listed, short, text_start};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// What the tool says of itself stands in the first lines; bytes.
const LOOKED_AT: usize = 4 << 10;
/// Tables and collections that are named.
const NAMED_MAX: usize = 64;
/// From so many different addresses on it is data of people.
const ADDRESSES_MIN: usize = 20;
/// Documents of a BSON file that are checked before it counts as one.
const DOCUMENTS_CHECKED: usize = 16;

/// Dumps of databases.
pub(super) struct DatabaseDump;

impl Class for DatabaseDump {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        dump(bytes, true)
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        dump(head, false)
    }
}

fn dump(bytes: &[u8], is_whole: bool) -> Option<Artifact> {
    match *bytes.first()? {
        b'-' | b'/' | b'\n' | b'P' | 0xef => sql(bytes, is_whole).or_else(|| postgres(bytes)),
        b'R' => redis(bytes),
        0x6d | 0x81 => mongo_archive(bytes).or_else(|| bson(bytes, is_whole)),
        _ => bson(bytes, is_whole),
    }
}

fn proven(circumstance: &str, said: String) -> Option<Artifact> {
    Some(Artifact::proven("database-dump", circumstance, said))
}

/// Statements of SQL, by the tools that write them.
fn sql(bytes: &[u8], is_whole: bool) -> Option<Artifact> {
    const TOOLS: [(&[u8], &str); 7] = [
        (b"-- MySQL dump ", "mysqldump"),
        (b"-- MariaDB dump ", "mariadb-dump"),
        (b"-- PostgreSQL database dump", "pg_dump"),
        (b"-- PostgreSQL database cluster dump", "pg_dumpall"),
        (b"-- phpMyAdmin SQL Dump", "phpMyAdmin"),
        (b"-- Dump of table ", "Sequel"),
        (
            b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;",
            "sqlite3 .dump",
        ),
    ];
    let text = text_start(bytes);
    // MariaDB's begins with a comment that only its own client reads.
    const BEGINNINGS: [&[u8]; 4] = [b"--", b"/*!", b"/*M!", b"PRAGMA "];
    if !BEGINNINGS.iter().any(|begin| text.starts_with(begin)) {
        return None;
    }
    let start = head(text, LOOKED_AT);
    let (_, tool) = TOOLS.iter().find(|(word, _)| has(start, word))?;
    let rows = [&b"INSERT INTO "[..], b"REPLACE INTO ", b" FROM stdin;"];
    let has_rows = rows.iter().any(|word| has(text, word));
    let mut tables: Vec<&[u8]> = memchr::memmem::find_iter(text, b"CREATE TABLE ")
        .filter_map(|at| table_name(&text[at + 13..]))
        .take(NAMED_MAX)
        .collect();
    tables.sort_unstable();
    tables.dedup();
    let mut said = format!(
        "{tool}: {} ({})",
        counted(tables.len() as u64, "table"),
        listed(&tables)
    );
    let part = if is_whole { "" } else { " in its beginning" };
    if !has_rows {
        said.push_str(&format!("; no rows{part}"));
        return proven(if is_whole { "schema-only" } else { "" }, said);
    }
    let addresses = people::distinct_addresses(text);
    if addresses < ADDRESSES_MIN {
        said.push_str("; rows in it");
        return proven("", said);
    }
    said.push_str(&format!(
        "; rows in it, with {} like e-mail addresses{part}",
        counted(addresses as u64, "different value")
    ));
    proven("personal", said)
}

/// The name behind `CREATE TABLE`.
fn table_name(rest: &[u8]) -> Option<&[u8]> {
    const NAME_MAX: usize = 160;
    let rest = rest.strip_prefix(b"IF NOT EXISTS ").unwrap_or(rest);
    let rest = head(rest, NAME_MAX);
    let end = rest
        .iter()
        .position(|b| matches!(b, b'(' | b' ' | b'\n' | b';'))?;
    let name = rest[..end].trim_ascii();
    let name = name
        .strip_prefix(b"`")
        .and_then(|n| n.strip_suffix(b"`"))
        .unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

/// PostgreSQL's own format: a magic, a version, then the name of the database and of the server.
fn postgres(bytes: &[u8]) -> Option<Artifact> {
    let mut reader = Reader::new(bytes);
    if reader.take(5)? != b"PGDMP" {
        return None;
    }
    let (major, minor, _) = (reader.byte()?, reader.byte()?, reader.byte()?);
    let width = usize::from(reader.byte()?);
    reader.skip(1)?;
    reader.byte()?;
    if !(4..=8).contains(&width) {
        return None;
    }
    let number = |reader: &mut Reader| {
        // Its sign first: how hard it is packed may be -1, for nothing was said.
        reader.byte()?;
        let bytes = reader.take(width)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0_u64, |sum, b| sum << 8 | u64::from(*b)),
        )
    };
    let mut said = format!("pg_dump, archive of version {major}.{minor}");
    // Since 1.15 how it is packed is one byte; then seven numbers of the time.
    let name = (|| {
        if (major, minor) >= (1, 15) {
            reader.byte()?;
        } else if (major, minor) >= (1, 2) {
            number(&mut reader)?;
        }
        for _ in 0..7 {
            number(&mut reader)?;
        }
        let len: u64 = number(&mut reader)?;
        reader.take(usize::try_from(len).ok()?)
    })();
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        said.push_str(&format!("; database {}", short(name)));
    }
    proven("", said)
}

/// `REDIS` and four digits, then pairs that say which server wrote it.
fn redis(bytes: &[u8]) -> Option<Artifact> {
    let version = bytes.strip_prefix(b"REDIS")?.get(..4)?;
    if !version.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let start = head(bytes, LOOKED_AT);
    let mut said = format!("Redis, version {}", String::from_utf8_lossy(version));
    if let Some(at) = memchr::memmem::find(start, b"redis-ver") {
        let mut reader = Reader::at(start, at + 9)?;
        let len = usize::from(reader.byte()?);
        if let Some(server) = reader.take(len).filter(|text| text.is_ascii()) {
            said.push_str(&format!(" of the format, by server {}", short(server)));
        }
    }
    proven("", said)
}

/// The archive of `mongodump --archive`: a magic, then documents.
fn mongo_archive(bytes: &[u8]) -> Option<Artifact> {
    bytes
        .starts_with(b"\x6d\xe2\x99\x81")
        .then(|| Artifact::proven("database-dump", "", "mongodump, an archive".to_owned()))
}

/// A collection as `mongodump` writes it: one document after another, each with its length, and an `_id` first.
fn bson(bytes: &[u8], is_whole: bool) -> Option<Artifact> {
    let mut reader = Reader::new(bytes);
    let mut checked = 0;
    let mut names: Vec<&[u8]> = Vec::new();
    while !reader.rest().is_empty() && checked < DOCUMENTS_CHECKED {
        let start = reader.position();
        let len = usize::try_from(reader.u32_le()?).ok()?;
        let kind = reader.byte()?;
        if len < 14 || !matches!(kind, 0x01 | 0x02 | 0x03 | 0x05 | 0x07 | 0x10 | 0x12) {
            return None;
        }
        if !reader.rest().starts_with(b"_id\0") {
            return None;
        }
        let mut document = Reader::at(bytes, start)?;
        match document.take(len) {
            Some(document) if document.last() == Some(&0) => {
                if checked == 0 {
                    names = fields_of(document);
                }
            }
            None if !is_whole && checked > 0 => break,
            _ => return None,
        }
        reader = document;
        checked += 1;
    }
    if checked == 0 {
        return None;
    }
    let mut personal: Vec<String> = names
        .iter()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .filter(|name| people::speaks_of_people(name))
        .collect();
    personal.sort_unstable();
    let said = format!(
        "mongodump, a collection of documents with {}",
        listed(&names)
    );
    proven(if personal.is_empty() { "" } else { "personal" }, said)
}

/// Names of the fields of a document, up to the first whose kind has no width that is known here.
fn fields_of(document: &[u8]) -> Vec<&[u8]> {
    let mut reader = Reader::new(document);
    let mut names = Vec::new();
    let _len = reader.u32_le();
    while names.len() < NAMED_MAX {
        let (Some(kind), Some(name)) = (reader.byte(), reader.c_string()) else {
            break;
        };
        if kind == 0 {
            break;
        }
        names.push(name);
        let width = match kind {
            0x01 | 0x09 | 0x11 | 0x12 => Some(8),
            0x02 => reader.u32_le().map(u64::from),
            // The length of a document is in its length.
            0x03 | 0x04 => reader
                .u32_le()
                .and_then(|len| u64::from(len).checked_sub(4)),
            0x05 => reader.u32_le().map(|len| u64::from(len) + 1),
            0x06 | 0x0a | 0x7f | 0xff => Some(0),
            0x07 => Some(12),
            0x08 => Some(1),
            0x10 => Some(4),
            0x13 => Some(16),
            _ => None,
        };
        if width.and_then(|width| reader.skip(width)).is_none() {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> Option<(String, String)> {
        dump(bytes, true).map(|found| (found.circumstance, found.detail))
    }

    #[test]
    fn sql_is_judged_by_its_rows() {
        let start =
            "-- MySQL dump 10.13  Distrib 8.0.36\n--\nCREATE TABLE `users` (\n  `id` int\n);\n";
        let (circumstance, said) = told(start.as_bytes()).unwrap();
        assert_eq!(
            (circumstance.as_str(), said.as_str()),
            ("schema-only", "mysqldump: 1 table (users); no rows")
        );
        let rows = format!("{start}INSERT INTO `users` VALUES (1);\n");
        assert_eq!(told(rows.as_bytes()).unwrap().0, "");
        let people: String = (0..30).map(|n| format!("({n},'u{n}@acme.dev'),")).collect();
        let rows = format!("{start}INSERT INTO `users` VALUES {people}\n");
        assert_eq!(told(rows.as_bytes()).unwrap().0, "personal");
        assert_eq!(
            told(b"-- a migration\nCREATE TABLE a(b);\nINSERT INTO a VALUES (1);\n"),
            None
        );
        assert_eq!(told(b"/* dump */"), None);
    }

    #[test]
    fn a_collection_is_documents_to_its_end() {
        // {_id: 7 (int32), email: "a"}
        let document = b"\x1b\0\0\0\x10_id\0\x07\0\0\0\x02email\0\x02\0\0\0a\0\0";
        assert_eq!(document.len(), 0x1b);
        let twice = [&document[..], document].concat();
        let (circumstance, said) = told(&twice).unwrap();
        assert_eq!(circumstance, "personal");
        assert!(said.ends_with("with _id, email"), "{said}");
        assert_eq!(told(&twice[..40]), None);
        assert!(dump(&twice[..40], false).is_some());
        assert_eq!(told(b"\x0e\0\0\0\x10id\0\x07\0\0\0\0\0"), None);
    }

    #[test]
    fn magics_need_what_follows_them() {
        assert!(
            told(b"REDIS0011\xfa\x09redis-ver\x057.2.4\xfa")
                .unwrap()
                .1
                .ends_with("7.2.4")
        );
        assert_eq!(told(b"REDIS_URL=redis://localhost"), None);
        assert_eq!(told(b"PGDMP"), None);
        assert!(told(b"PGDMP\x01\x0e\0\x04\x08\x01").is_some());
    }
}
