//! SQLite databases: the tables that the first page names, and which of their columns speak of people.
//!
//! A database file says what it is in its first hundred bytes, and its first page holds the beginning of the list of
//! tables: the statements that made them, with the names of all columns. That much is read here, by itself and without
//! opening the database: the cells of the first page, and of the pages that it points to where the list is longer and they are
//! there. Rows are not read; how many pages there are is said instead. Source: "Database File Format" of SQLite,
//! sections 1.3, 1.6 and 2.
//!
//! A coverage database and the like say by their tables that they are something else, and are left to that.

use std::collections::BTreeSet;

use super::people;
use super::read::{Reader, counted, head, listed};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";
/// Bytes of the header of a file.
const FILE_HEADER: usize = 100;
/// Pages of the list of tables that are read.
const PAGES_MAX: usize = 64;
/// A longer statement is cut; bytes.
const STATEMENT_MAX: usize = 16 << 10;

/// Databases of SQLite.
pub(super) struct Sqlite;

impl Class for Sqlite {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        database(bytes)
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        database(head)
    }
}

/// What a database says of itself.
pub(super) struct Database<'a> {
    pub(super) pages: u64,
    pub(super) page_size: u64,
    /// Names of the tables, and the statements that made them.
    pub(super) tables: Vec<(&'a [u8], &'a [u8])>,
    /// The list goes on where it could not be read.
    is_cut: bool,
}

fn database(bytes: &[u8]) -> Option<Artifact> {
    let database = read(bytes)?;
    if database.has_table(b"coverage_schema") {
        return None;
    }
    let mut names: Vec<&[u8]> = database.tables.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let mut columns: Vec<String> = database
        .tables
        .iter()
        .flat_map(|(_, statement)| columns_of(statement))
        .filter(|column| people::speaks_of_people(column))
        .collect();
    columns.sort_unstable();
    columns.dedup();
    let size = format!(
        "SQLite, {} of {} bytes",
        counted(database.pages, "page"),
        database.page_size
    );
    if names.is_empty() {
        let (circumstance, said) = if database.is_cut {
            ("", "its list of tables could not be read")
        } else {
            ("empty", "no tables")
        };
        return Some(Artifact::proven(
            "database",
            circumstance,
            format!("{size}: {said}"),
        ));
    }
    let more = if database.is_cut { " or more" } else { "" };
    let mut said = format!(
        "{size}: {}{more} ({})",
        counted(names.len() as u64, "table"),
        listed(&names)
    );
    let circumstance = if columns.is_empty() {
        ""
    } else {
        said.push_str(&format!("; columns {}", listed(&columns)));
        "personal"
    };
    Some(Artifact::proven("database", circumstance, said))
}

/// Reads the header and the list of tables.
pub(super) fn read(bytes: &[u8]) -> Option<Database<'_>> {
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    let page_size = match Reader::at(bytes, 16)?.u16_be()? {
        1 => 65_536,
        size if size.is_power_of_two() && size >= 512 => usize::from(size),
        _ => return None,
    };
    let mut database = Database {
        pages: Reader::at(bytes, 28)?.u32_be()?.into(),
        page_size: page_size as u64,
        tables: Vec::new(),
        is_cut: false,
    };
    let mut open = vec![1_usize];
    // A page stands in a tree once.
    let mut read = BTreeSet::new();
    while let Some(page) = open.pop() {
        if read.len() == PAGES_MAX {
            database.is_cut = true;
            break;
        }
        let is_read = read.insert(page) && database.read_page(bytes, page, &mut open).is_some();
        database.is_cut |= !is_read;
    }
    Some(database)
}

impl<'a> Database<'a> {
    pub(super) fn has_table(&self, name: &[u8]) -> bool {
        self.tables.iter().any(|(table, _)| *table == name)
    }

    /// Reads one page of the list's tree: a leaf's rows, or where the leaves stand.
    fn read_page(&mut self, bytes: &'a [u8], number: usize, open: &mut Vec<usize>) -> Option<()> {
        const LEAF: u8 = 13;
        const INNER: u8 = 5;
        let size = usize::try_from(self.page_size).ok()?;
        let start = number.checked_sub(1)?.checked_mul(size)?;
        let page = head(bytes.get(start..)?, size);
        let mut header = Reader::at(page, if number == 1 { FILE_HEADER } else { 0 })?;
        let kind = header.byte()?;
        header.skip(2)?;
        let cells = header.u16_be()?;
        header.skip(3)?;
        if kind == INNER {
            let last = header.u32_be()?;
            open.push(usize::try_from(last).ok()?);
        } else if kind != LEAF {
            return None;
        }
        // Rows do not overlap: those of a damaged page that do could be read as often as it has places for them.
        let mut room = size;
        for _ in 0..cells {
            let at = usize::from(header.u16_be()?);
            let mut cell = Reader::at(page, at)?;
            if kind == INNER {
                if open.len() < PAGES_MAX {
                    open.push(usize::try_from(cell.u32_be()?).ok()?);
                }
                continue;
            }
            // A statement that is longer than the page goes on elsewhere; what is here names its first columns.
            let table = table_of(&mut cell);
            room = room.checked_sub(cell.position().checked_sub(at)?)?;
            self.tables.extend(table);
        }
        Some(())
    }
}

/// A number of up to nine bytes, the highest first.
fn varint(reader: &mut Reader) -> Option<u64> {
    let mut number = 0_u64;
    for _ in 0..8 {
        let byte = reader.byte()?;
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    Some(number << 8 | u64::from(reader.byte()?))
}

/// A row of the list: `type, name, tbl_name, rootpage, sql`. `None` where it is no table.
fn table_of<'a>(cell: &mut Reader<'a>) -> Option<(&'a [u8], &'a [u8])> {
    varint(cell)?;
    varint(cell)?;
    let before = cell.position();
    let header_len = usize::try_from(varint(cell)?).ok()?;
    let mut widths = [0_usize; 5];
    for width in &mut widths {
        *width = width_of(varint(cell)?)?;
    }
    let read = cell.position() - before;
    cell.take(header_len.checked_sub(read)?)?;
    let kind = cell.take(widths[0])?;
    let name = cell.take(widths[1])?;
    cell.take(widths[2])?;
    cell.take(widths[3])?;
    let there = cell.rest().len().min(widths[4]).min(STATEMENT_MAX);
    let statement = cell.take(there)?;
    (kind == b"table" && !name.starts_with(b"sqlite_")).then_some((name, statement))
}

/// Bytes of a value of a serial type.
fn width_of(kind: u64) -> Option<usize> {
    match kind {
        0 | 8 | 9 => Some(0),
        1..=4 => usize::try_from(kind).ok(),
        5 => Some(6),
        6 | 7 => Some(8),
        12.. => usize::try_from((kind - 12) / 2).ok(),
        _ => None,
    }
}

/// Names of the columns of a `CREATE TABLE`: the first word of each part between commas that no other bracket encloses.
pub(super) fn columns_of(statement: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(statement);
    let Some(at) = text.find('(') else {
        return Vec::new();
    };
    let mut columns = Vec::new();
    let mut depth = 0_u32;
    let mut part = String::new();
    let mut end = |part: &mut String| {
        let word = part.split_whitespace().next().unwrap_or_default();
        let word = word.trim_matches(['"', '`', '\'', '[', ']']);
        if !word.is_empty() {
            columns.push(word.to_owned());
        }
        part.clear();
    };
    for c in text[at + 1..].chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            ',' if depth == 0 => end(&mut part),
            _ if depth == 0 => part.push(c),
            _ => {}
        }
    }
    end(&mut part);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database by SQLite itself.
    fn made(statements: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch(statements).unwrap();
        drop(database);
        std::fs::read(path).unwrap()
    }

    #[test]
    fn tables_and_columns_are_read_as_sqlite_wrote_them() {
        let bytes = made(
            "CREATE TABLE customers(id INTEGER PRIMARY KEY, \"E-Mail\" TEXT, price DECIMAL(10, 2), phone TEXT);
             CREATE TABLE notes(body TEXT); CREATE INDEX i ON notes(body);",
        );
        let found = database(&bytes).unwrap();
        assert_eq!(found.circumstance, "personal");
        assert!(
            found
                .detail
                .contains("2 tables (customers, notes); columns E-Mail, phone"),
            "{}",
            found.detail
        );
    }

    #[test]
    fn a_list_of_many_pages_is_followed() {
        let many: String = (0..200)
            .map(|n| format!("CREATE TABLE t{n:03}(a TEXT, b TEXT, c TEXT);"))
            .collect();
        let bytes = made(&many);
        assert_eq!(read(&bytes).unwrap().tables.len(), 200);
        let head = read(&bytes[..4096]).unwrap();
        assert!(head.is_cut && head.tables.len() < 200);
    }

    #[test]
    fn a_row_is_not_read_as_often_as_it_is_named() {
        let columns: String = (0..2_600).map(|n| format!("email{n},")).collect();
        let mut bytes = made(&format!(
            "PRAGMA page_size = 65536; CREATE TABLE a({columns:.10000} b);"
        ));
        let cell: [u8; 2] = bytes[108..110].try_into().unwrap();
        let count = (usize::from(u16::from_be_bytes(cell)) - 108) / 2;
        bytes[103..105].copy_from_slice(&u16::try_from(count).unwrap().to_be_bytes());
        for place in bytes[108..108 + 2 * count].chunks_exact_mut(2) {
            place.copy_from_slice(&cell);
        }
        let read = read(&bytes).unwrap();
        assert!(
            read.is_cut && read.tables.len() < 8,
            "{} tables",
            read.tables.len()
        );
    }

    #[test]
    fn an_empty_database_says_so() {
        let found = database(&made("CREATE TABLE a(b); DROP TABLE a;")).unwrap();
        assert_eq!(found.circumstance, "empty");
        assert!(database(b"SQLite format 3\0").is_none());
    }

    proptest::proptest! {
        #[test]
        fn damage_is_no_panic(at in 0_usize..4096, byte: u8) {
            let mut bytes = made("CREATE TABLE a(email TEXT, b TEXT);");
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
            database(&bytes);
            database(&bytes[..at.min(bytes.len())]);
        }
    }
}
