//! Sets of data in the formats of analysis: Parquet, Arrow and Feather, Avro, ORC, NumPy's arrays, HDF5, TFRecord's kin.
//!
//! What can be read without a reader of the whole format is: the numbers of rows and the names of columns in Parquet's footer,
//! the schema of Avro, the shape of an array. Columns that speak of people make the difference. Sources: `parquet.thrift` and
//! the compact protocol of Thrift; Avro 1.11; `numpy/lib/format.py`.

use super::people;
use super::read::{Reader, counted, head, listed, short, tail};
use super::weights::hdf5;
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// Names of columns that are kept.
const COLUMNS_MAX: usize = 4_096;
/// Levels of structures within each other that are read.
const NESTING_MAX: u32 = 32;

/// Sets of data.
pub(super) struct DataSet;

impl Class for DataSet {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        table(bytes, true)
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        table(head, false)
    }
}

/// What a set says of itself.
#[derive(Default)]
struct Table {
    said: String,
    columns: Vec<String>,
}

fn table(bytes: &[u8], is_whole: bool) -> Option<Artifact> {
    let Table { said, columns } = match *bytes.first()? {
        b'P' if bytes.starts_with(b"PAR1") => parquet(bytes, is_whole)?,
        b'A' if bytes.starts_with(b"ARROW1\0\0") => plain("Arrow, a file"),
        b'F' if bytes.starts_with(b"FEA1") => plain("Feather, version 1"),
        b'O' if bytes.starts_with(b"Obj\x01") => avro(bytes)?,
        b'O' if bytes.starts_with(b"ORC")
            && (!is_whole
                || tail(bytes, 4) == b"ORC\0"
                || tail(bytes, 32).windows(3).any(|w| w == b"ORC")) =>
        {
            plain("ORC")
        }
        0x93 => numpy(bytes)?,
        0x89 => {
            let file = hdf5::recognise(bytes).filter(|file| !file.is_keras)?;
            plain(&file.said)
        }
        _ => return None,
    };
    let told: Vec<&String> = columns
        .iter()
        .filter(|column| people::speaks_of_people(column))
        .collect();
    let circumstance = if told.is_empty() { "" } else { "personal" };
    Some(Artifact::proven("data-set", circumstance, said))
}

fn plain(said: &str) -> Table {
    Table {
        said: said.to_owned(),
        columns: Vec::new(),
    }
}

/// The footer stands before the last eight bytes: its length, and the magic once more.
fn parquet(bytes: &[u8], is_whole: bool) -> Option<Table> {
    if !is_whole {
        return Some(plain(
            "Parquet; its footer stands at its end and was not read",
        ));
    }
    let end = bytes.len().checked_sub(8)?;
    let mut last = Reader::at(bytes, end)?;
    let len = usize::try_from(last.u32_le()?).ok()?;
    if last.rest() == b"PARE" {
        return Some(plain("Parquet, its footer encrypted"));
    }
    if last.rest() != b"PAR1" {
        return Some(plain("Parquet, cut before its footer"));
    }
    let footer = bytes.get(end.checked_sub(len)?..end)?;
    let mut footer = Footer {
        reader: Reader::new(footer),
        columns: Vec::new(),
        rows: None,
        maker: b"",
    };
    let is_read = footer.read().is_some();
    let mut said = format!(
        "Parquet: {}, {} ({})",
        footer
            .rows
            .map_or("rows not read".into(), |rows| counted(rows, "row")),
        counted(footer.columns.len() as u64, "column"),
        listed(&footer.columns)
    );
    if !is_read {
        said.push_str("; its footer is damaged");
    }
    if !footer.maker.is_empty() {
        said.push_str(&format!("; made by {}", short(footer.maker)));
    }
    Some(Table {
        said,
        columns: footer.columns,
    })
}

/// `FileMetaData` in the compact protocol: 2 the schema, 3 the number of rows, 6 who made it.
struct Footer<'a> {
    reader: Reader<'a>,
    columns: Vec<String>,
    rows: Option<u64>,
    maker: &'a [u8],
}

impl<'a> Footer<'a> {
    fn read(&mut self) -> Option<()> {
        let mut id = 0;
        while let Some((kind, field)) = self.field(id)? {
            id = field;
            match (field, kind) {
                (2, LIST) => self.schema()?,
                (3, I64) => self.rows = Some(self.zigzag()?),
                (6, BINARY) => self.maker = self.binary()?,
                _ => self.skip(kind, 0)?,
            }
        }
        Some(())
    }

    /// The next field's type and number; `None` inside where the structure ends.
    fn field(&mut self, before: u64) -> Option<Option<(u8, u64)>> {
        let byte = self.reader.byte()?;
        if byte == 0 {
            return Some(None);
        }
        let id = match byte >> 4 {
            0 => self.zigzag()?,
            step => before + u64::from(step),
        };
        Some(Some((byte & 0xf, id)))
    }

    fn zigzag(&mut self) -> Option<u64> {
        let number = self.reader.leb128()?;
        Some(number >> 1)
    }

    fn binary(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.reader.leb128()?).ok()?;
        self.reader.take(len)
    }

    fn list(&mut self) -> Option<(u8, u64)> {
        let byte = self.reader.byte()?;
        let len = match byte >> 4 {
            15 => self.reader.leb128()?,
            len => u64::from(len),
        };
        Some((byte & 0xf, len))
    }

    /// Elements of the schema: 4 the name, 5 how many children. The first is the root.
    fn schema(&mut self) -> Option<()> {
        let (kind, len) = self.list()?;
        if kind != STRUCT {
            return None;
        }
        for index in 0..len {
            let (mut id, mut name, mut is_leaf) = (0, &b""[..], true);
            while let Some((kind, field)) = self.field(id)? {
                id = field;
                match (field, kind) {
                    (4, BINARY) => name = self.binary()?,
                    (5, I32) => is_leaf = self.zigzag()? == 0,
                    _ => self.skip(kind, 0)?,
                }
            }
            if index > 0 && is_leaf && self.columns.len() < COLUMNS_MAX {
                self.columns
                    .push(String::from_utf8_lossy(name).into_owned());
            }
        }
        Some(())
    }

    fn skip(&mut self, kind: u8, nesting: u32) -> Option<()> {
        if nesting > NESTING_MAX {
            return None;
        }
        match kind {
            // Truth values are part of their type.
            1 | 2 => Some(()),
            3 => self.reader.skip(1),
            4 | I32 | I64 => self.zigzag().map(|_| ()),
            7 => self.reader.skip(8),
            BINARY => self.binary().map(|_| ()),
            LIST | 10 => {
                let (inner, len) = self.list()?;
                let inner = as_element(inner);
                (0..len).try_for_each(|_| self.skip(inner, nesting + 1))
            }
            11 => {
                let len = self.reader.leb128()?;
                if len == 0 {
                    return Some(());
                }
                let kinds = self.reader.byte()?;
                let (key, value) = (as_element(kinds >> 4), as_element(kinds & 0xf));
                (0..len).try_for_each(|_| {
                    self.skip(key, nesting + 1)?;
                    self.skip(value, nesting + 1)
                })
            }
            STRUCT => {
                let mut id = 0;
                while let Some((kind, field)) = self.field(id)? {
                    id = field;
                    self.skip(kind, nesting + 1)?;
                }
                Some(())
            }
            _ => None,
        }
    }
}

/// The type of an element of a list or a map. Truth values take a byte each there, and none as fields: of elements without
/// bytes a few could declare any number.
fn as_element(kind: u8) -> u8 {
    const BYTE: u8 = 3;
    if matches!(kind, 1 | 2) { BYTE } else { kind }
}

/// Types of the compact protocol.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A magic, then pairs of which one is the schema in JSON.
fn avro(bytes: &[u8]) -> Option<Table> {
    let mut reader = Reader::at(bytes, 4)?;
    let mut schema = None;
    loop {
        let blocks = zigzag(&mut reader)?;
        if blocks == 0 {
            break;
        }
        if blocks < 0 {
            zigzag(&mut reader)?;
        }
        for _ in 0..blocks.unsigned_abs() {
            let key = bytes_of(&mut reader)?;
            let value = bytes_of(&mut reader)?;
            if key == b"avro.schema" {
                schema = Some(value);
            }
        }
    }
    #[derive(serde::Deserialize)]
    struct Schema {
        name: Option<String>,
        #[serde(default)]
        fields: Vec<Field>,
    }
    #[derive(serde::Deserialize)]
    struct Field {
        name: String,
    }
    let schema: Schema = serde_json::from_slice(schema?).ok()?;
    let columns: Vec<String> = schema.fields.into_iter().map(|field| field.name).collect();
    let name = schema.name.unwrap_or_default();
    Some(Table {
        said: format!(
            "Avro: {} with {} ({})",
            short(if name.is_empty() { "records" } else { &name }),
            counted(columns.len() as u64, "column"),
            listed(&columns)
        ),
        columns,
    })
}

fn zigzag(reader: &mut Reader) -> Option<i64> {
    let number = reader.leb128()?;
    Some((number >> 1) as i64 ^ -((number & 1) as i64))
}

fn bytes_of<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let len = usize::try_from(zigzag(reader)?).ok()?;
    reader.take(len)
}

/// A magic, a version, the length of a header that is a dictionary in Python's own words.
fn numpy(bytes: &[u8]) -> Option<Table> {
    const HEADER_MAX: usize = 64 << 10;
    let mut reader = Reader::new(bytes);
    if reader.take(6)? != b"\x93NUMPY" {
        return None;
    }
    let len = match reader.u16_le()? & 0xff {
        1 => usize::from(reader.u16_le()?),
        2 | 3 => usize::try_from(reader.u32_le()?).ok()?,
        _ => return None,
    };
    let text = head(reader.rest(), len.min(HEADER_MAX)).trim_ascii();
    let text = std::str::from_utf8(text).ok()?;
    text.starts_with('{').then(|| Table {
        said: format!("NumPy array: {}", short(text)),
        columns: names_in(text),
    })
}

/// Names of the fields of a structured array: the first of each pair.
fn names_in(header: &str) -> Vec<String> {
    let parts = header.split("('").skip(1);
    let names = parts.filter_map(|part| part.split_once('\''));
    names
        .map(|(name, _)| name.to_owned())
        .take(COLUMNS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> Option<(String, String)> {
        table(bytes, true).map(|found| (found.circumstance, found.detail))
    }

    /// A footer with a root, two columns and seven rows.
    fn footer() -> Vec<u8> {
        let column = |name: &str| [&[0x48, name.len() as u8][..], name.as_bytes(), b"\0"].concat();
        let root = [&b"\x48\x01r\x15\x04\0"[..]].concat();
        let schema = [&b"\x29\x3c"[..], &root, &column("email"), &column("n")].concat();
        [
            &b"\x15\x02"[..],
            &schema[..1].iter().map(|_| 0x19).collect::<Vec<u8>>(),
            &schema[1..],
            b"\x16\x0e\0",
        ]
        .concat()
    }

    #[test]
    fn a_parquet_footer_names_rows_and_columns() {
        let footer = footer();
        let len = (footer.len() as u32).to_le_bytes();
        let file = [b"PAR1", &footer[..], &len, b"PAR1"].concat();
        assert_eq!(
            told(&file),
            Some((
                "personal".into(),
                "Parquet: 7 rows, 2 columns (email, n)".into()
            ))
        );
        assert!(
            told(&file[..file.len() - 1])
                .unwrap()
                .1
                .contains("cut before")
        );
        let mut damaged = file.clone();
        damaged[6] = 0xff;
        assert!(told(&damaged).unwrap().1.contains("damaged"));
        assert!(told(b"PAR1").is_none());
    }

    #[test]
    fn shapes_and_schemas_are_told() {
        let array =
            b"\x93NUMPY\x01\0\x3a\0{'descr': [('email', '<U9'), ('n', '<i8')], 'shape': (3,)}";
        let (circumstance, said) = told(array).unwrap();
        assert_eq!(circumstance, "personal");
        assert!(said.starts_with("NumPy array: {'descr'"), "{said}");
        let schema =
            br#"{"type":"record","name":"User","fields":[{"name":"phone","type":"string"}]}"#;
        let mut avro = b"Obj\x01\x02\x16avro.schema".to_vec();
        avro.extend([(schema.len() as u8) << 1 | 0x80, (schema.len() >> 6) as u8]);
        avro.extend(schema);
        avro.push(0);
        assert_eq!(told(&avro).unwrap().1, "Avro: User with 1 column (phone)");
        assert!(told(b"Obj\x01\xff\xff\xff").is_none());
        assert!(told(b"\x93NUMPY").is_none());
        assert!(told(b"").is_none());
    }

    #[test]
    fn elements_without_bytes_take_no_time() {
        // Field 1: a map or a list of 2^62 truth values.
        for declared in [
            &b"\x1b\x80\x80\x80\x80\x80\x80\x80\x80\x40\x11\0"[..],
            b"\x1b\x80\x80\x80\x80\x80\x80\x80\x80\x40\x22\0",
            b"\x19\xf1\x80\x80\x80\x80\x80\x80\x80\x80\x40\0",
        ] {
            let len = (declared.len() as u32).to_le_bytes();
            let file = [b"PAR1", declared, &len, b"PAR1"].concat();
            assert!(told(&file).unwrap().1.contains("damaged"));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_footer_is_read_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let len = (bytes.len() as u32).to_le_bytes();
            table(&[b"PAR1", &bytes[..], &len, b"PAR1"].concat(), true);
            table(&[b"Obj\x01", &bytes[..]].concat(), true);
            table(&[b"\x93NUMPY\x01\0", &bytes[..]].concat(), true);
        }
    }
}
