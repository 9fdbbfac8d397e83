//! Records of how inputs were acquired (`scan --acquisition`): address, time, tool, person, headers, digest, capture.
//!
//! Three forms are read, told by their first bytes: CSV with the columns below and any number of `header:NAME`; JSON, as one
//! list or as objects one after the other, with the same keys and `headers`; and WARC ([`warc`](super::warc)), which is a record of
//! how something was fetched whoever wrote it. What such a record says is what a person or a tool wrote down; that it
//! holds for the bytes at hand is shown by the digest alone, and whether it agrees is told.
//!
//! Headers that let in whoever has them are hidden when they are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::command::command_without_passwords;
use super::list::{
    OriginList, OriginsError, Table, base_name, nearest, not_too_large, path_of, plain_name,
    quoted, time_of,
};
use super::warc;
use crate::blob::digest::hex;
use crate::blob::url::{address_without_passwords, names_a_secret, without_passwords};
use crate::exposure::Location;
use crate::record::Acquired;

/// Columns, and keys of objects.
const COLUMNS: [&str; 8] = [
    "path", "url", "time", "tool", "version", "person", "sha256", "capture",
];
/// What the column of a header begins with.
const HEADER: &str = "header:";
/// Headers that are kept of one response, and how much of each.
const HEADERS_MAX: usize = 128;
const HEADER_MAX: usize = 4 << 10;
/// Objects that are read of one file.
const OBJECTS_MAX: usize = 2_000_000;
/// A larger file of objects is refused, in bytes: each is held as a tree of values.
const JSON_MAX: u64 = 64 << 20;
/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Acquisition {
    /// File and line, as they are quoted.
    pub(super) from: String,
    pub(super) path: Option<String>,
    pub(super) url: Option<Location>,
    pub(super) acquired: Acquired,
    /// It stands in a capture, which may hold much that is no input.
    pub(super) is_captured: bool,
}

/// The records of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcquisitionList {
    pub(super) rows: Vec<Acquisition>,
    /// Name of the file, as it is quoted.
    pub(super) file: String,
    /// The folder that paths in it begin at.
    pub(super) base: PathBuf,
    digest: String,
}

impl AcquisitionList {
    /// Reads the records of a file; `file` is only quoted, and paths in it begin at `base`.
    ///
    /// # Errors
    /// What is none of the three forms, unknown columns or keys, and values that are not what they should be.
    pub fn parse(bytes: &[u8], file: &str, base: &Path) -> Result<Self, OriginsError> {
        let name = base_name(file);
        let bare = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first = bare.iter().find(|byte| !byte.is_ascii_whitespace());
        not_too_large(bytes, file, OriginList::FILE_MAX)?;
        let rows = if warc::is_capture(bytes) {
            warc::read(bytes, file, &name)?
        } else if matches!(first, Some(b'[' | b'{')) {
            in_json(bare, file, &name)?
        } else {
            in_csv(bytes, file, &name)?
        };
        Ok(Self {
            rows,
            file: name,
            base: base.to_path_buf(),
            digest: hex(blake3::hash(bytes).as_bytes()),
        })
    }

    /// BLAKE3 of the file, hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

fn known(written: &str) -> Result<String, &'static str> {
    let plain = plain_name(written);
    if let Some(name) = plain.strip_prefix(HEADER)
        && !name.is_empty()
    {
        return Ok(plain);
    }
    if COLUMNS.contains(&plain.as_str()) {
        return Ok(plain);
    }
    Err(nearest(&plain, &COLUMNS))
}

fn in_csv(bytes: &[u8], file: &str, name: &str) -> Result<Vec<Acquisition>, OriginsError> {
    let mut table = Table::open(bytes, file, known)?;
    let mut rows = Vec::new();
    while let Some(cells) = table.next_row()? {
        let fields: BTreeMap<String, String> = cells
            .all()
            .map(|(column, text)| (column.to_owned(), text.to_owned()))
            .collect();
        rows.push(row_of(fields, file, name, cells.line)?);
    }
    Ok(rows)
}

fn in_json(bytes: &[u8], file: &str, name: &str) -> Result<Vec<Acquisition>, OriginsError> {
    not_too_large(bytes, file, JSON_MAX)?;
    let line_at = |offset: usize| {
        let before = bytes.get(..offset).unwrap_or(bytes);
        memchr::memchr_iter(b'\n', before).count() as u64 + 1
    };
    let form = |line: u64, what: String| OriginsError::Form {
        file: file.to_owned(),
        line,
        what,
    };
    let mut rows = Vec::new();
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let (mut line, mut counted) = (1, 0);
    while let Some(value) = values.next() {
        let value = value.map_err(|error| {
            form(
                error.line() as u64,
                format!("this is no JSON: {error}; give one object a line, or a list of them"),
            )
        })?;
        let objects = match value {
            Value::Array(list) => list,
            one => vec![one],
        };
        for object in objects {
            let Value::Object(fields) = object else {
                let what = "this is no object; give one for each thing that was acquired";
                return Err(form(line, what.to_owned()));
            };
            if rows.len() >= OBJECTS_MAX {
                return Err(OriginsError::TooMuch {
                    file: file.to_owned(),
                    what: "objects",
                    found: rows.len() + 1,
                    most: OBJECTS_MAX,
                });
            }
            rows.push(row_of(fields_of(fields, file, line)?, file, name, line)?);
        }
        // Lines are counted on from where the last object ended.
        let end = values.byte_offset();
        line += line_at(end) - line_at(counted);
        counted = end;
    }
    Ok(rows)
}

fn fields_of(
    object: serde_json::Map<String, Value>,
    file: &str,
    line: u64,
) -> Result<BTreeMap<String, String>, OriginsError> {
    let mut fields = BTreeMap::new();
    let text = |key: &str, value: Value| match value {
        Value::String(text) => Ok(Some(text.trim().to_owned())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Null => Ok(None),
        other => Err(OriginsError::BadCell {
            file: file.to_owned(),
            line,
            column: quoted(key),
            value: quoted(&other.to_string()),
            wanted: "text",
        }),
    };
    for (key, value) in object {
        if let (true, Value::Object(headers)) = (plain_name(&key) == "headers", &value) {
            for (name, value) in headers {
                let value = match value {
                    // A header that came twice is a list.
                    Value::Array(all) => {
                        let all = all.iter().map(|one| one.as_str().unwrap_or_default());
                        Some(all.collect::<Vec<_>>().join(", "))
                    }
                    other => text(&key, other.clone())?,
                };
                let name = format!("{HEADER}{}", name.trim().to_ascii_lowercase());
                fields.extend(value.map(|value| (name, value)));
            }
            continue;
        }
        let name = known(&key).map_err(|nearest| OriginsError::BadCell {
            file: file.to_owned(),
            line,
            column: quoted(&key),
            value: quoted(&key),
            wanted: match nearest {
                "path" => "known key; did you mean `path`?",
                "url" => "known key; did you mean `url`?",
                "time" => "known key; did you mean `time`?",
                _ => "known key: path, url, time, tool, version, person, sha256, capture, headers",
            },
        })?;
        fields.extend(text(&key, value)?.map(|value| (name, value)));
    }
    fields.retain(|_, value| !value.is_empty());
    Ok(fields)
}

fn row_of(
    mut fields: BTreeMap<String, String>,
    file: &str,
    name: &str,
    line: u64,
) -> Result<Acquisition, OriginsError> {
    let bad = |column: &str, value: &str, wanted: &'static str| OriginsError::BadCell {
        file: file.to_owned(),
        line,
        column: column.to_owned(),
        value: quoted(value),
        wanted,
    };
    let headers = fields
        .iter()
        .filter_map(|(column, value)| Some((column.strip_prefix(HEADER)?, value.as_str())));
    let headers = headers_of(headers);
    let time = fields.remove("time").map(|text| {
        let wanted = "date, or date and time with zone, such as 2026-03-31T04:00:00Z";
        time_of(&text).ok_or_else(|| bad("time", &text, wanted))
    });
    let sha256 = fields.remove("sha256").map(|text| {
        let text = text.to_ascii_lowercase();
        let text = text.strip_prefix("sha256:").unwrap_or(&text).to_owned();
        let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_digest {
            Ok(text)
        } else {
            Err(bad("sha256", &text, "SHA-256 in 64 hexadecimal digits"))
        }
    });
    let tool = match (fields.remove("tool"), fields.remove("version")) {
        (Some(tool), Some(version)) => Some(format!("{tool} {version}")),
        (tool, version) => tool.or(version),
    };
    let row = Acquisition {
        from: format!("{name}:{line}"),
        path: (fields.remove("path")).map(|path| path_of(&path).into_owned()),
        url: fields.remove("url").and_then(|url| Location::read(&url)),
        acquired: Acquired {
            time: time.transpose()?,
            tool: tool.as_deref().map(command_without_passwords),
            person: (fields.remove("person")).map(|person| without_passwords(&person).into_owned()),
            headers,
            sha256: sha256.transpose()?,
            sha256_agrees: None,
            capture: fields
                .remove("capture")
                .map(|capture| address_without_passwords(&capture).into_owned()),
        },
        is_captured: false,
    };
    if row.path.is_none() && row.url.is_none() && row.acquired.sha256.is_none() {
        return Err(OriginsError::NoPlace {
            file: file.to_owned(),
            line,
        });
    }
    Ok(row)
}

/// Headers as they are kept: by name in lower case, bounded, and nothing in them that lets anybody in.
pub(super) fn headers_of<'h>(
    headers: impl Iterator<Item = (&'h str, &'h str)>,
) -> BTreeMap<String, String> {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers.take(HEADERS_MAX) {
        let name = name.trim().to_ascii_lowercase();
        let value = if name.contains("cookie") || names_a_secret(name.as_bytes()) {
            "***".to_owned()
        } else if name.ends_with("location") {
            Location::read(value).map_or(String::new(), |location| location.shown)
        } else {
            without_passwords(value).into_owned()
        };
        let mut value: String = value.chars().take(HEADER_MAX).collect();
        if let Some(held) = kept.get(&name) {
            value = format!("{held}, {value}");
        }
        kept.insert(name, value);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<AcquisitionList, OriginsError> {
        AcquisitionList::parse(bytes, "got.csv", Path::new("/base"))
    }

    #[test]
    fn the_three_forms_say_the_same() {
        let digest = "AB".repeat(32);
        let csv = format!(
            "path,url,time,tool,version,person,sha256,header:ETag,header:Set-Cookie\na.tgz,https://u:pw@git.example/a.tgz,2026-04-01T02:00:00+02:00,curl,8.9,Ann,{digest},\"\"\"x\"\"\",id=1\n"
        );
        let row = |line: u64| {
            format!(
                r#"{{"path":"a.tgz","url":"https://u:pw@git.example/a.tgz","time":"2026-04-01T00:00:00Z","tool":"curl","version":8.9,"person":"Ann","sha256":"{digest}","capture":null,"headers":{{"etag":"\"x\"","set-cookie":["id=1"]}},"path":"a{line}.tgz"}}"#
            )
        };
        let csv = parse(csv.as_bytes()).unwrap().rows;
        assert_eq!(csv[0].acquired.headers["etag"], "\"x\"");
        assert_eq!(csv[0].acquired.headers["set-cookie"], "***");
        assert_eq!(csv[0].acquired.tool.as_deref(), Some("curl 8.9"));
        assert!(!format!("{csv:?}").contains("pw"));
        let lines = parse(format!("{}\n{}\n", row(1), row(2)).as_bytes()).unwrap();
        let list = parse(format!("[{},{}]", row(1), row(2)).as_bytes()).unwrap();
        for rows in [lines.rows, list.rows] {
            assert_eq!(rows.len(), 2);
            assert_eq!(rows[0].acquired, csv[0].acquired);
            assert_eq!(rows[1].path.as_deref(), Some("a2.tgz"));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let fails = |bytes: &[u8]| parse(bytes).unwrap_err().to_string();
        assert!(fails(b"path,whom\n").contains("unknown column `whom`"));
        assert!(fails(b"path,sha256\na,12\n").starts_with("got.csv:2: `12`"));
        assert!(fails(b"path,time\na,noon\n").starts_with("got.csv:2: `noon`"));
        assert!(fails(b"tool\ncurl\n").contains("names no place"));
        assert!(fails(b"{\"path\":\"a\"}\n{\"path\":").contains("no JSON"));
        assert!(fails(b"{\"path\":\"a\"}\n3").starts_with("got.csv:1:"));
        assert!(fails(b"[[1]]").contains("no object"));
        assert!(fails(b"{\"pth\":\"a\"}").contains("did you mean `path`?"));
        assert!(fails(b"{\"path\":{}}").contains("no text"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>, first in "[\\[{W]?") {
            let _ = parse(&[first.as_bytes(), &bytes].concat());
        }
    }
}
