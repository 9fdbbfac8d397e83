//! A capture as a record of how something was acquired (WARC, ISO 28500:2017): each response or resource says its address,
//! its time and its headers, and the capture itself which software wrote it.
//!
//! Whose bytes they are is found by digest: the body is read through once, its chunks undone, and its SHA-256 is that of
//! an input or it is not. What a capture of a page holds beside, scripts and pictures, is nobody's origin and is not told.
//! Records may be packed in gzip, each by itself or all together. Damage ends the reading of a capture with an error,
//! since what follows could be anything; the capture as an *input* is read past its damage by
//! [`container::warc`](crate::container::warc).

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

use sha2::{Digest as _, Sha256};

use super::acquired::{Acquisition, headers_of};
use super::list::{OriginsError, time_of};
use crate::blob::digest::hex;
use crate::exposure::Location;
use crate::record::Acquired;

const GZIP: &[u8] = &[0x1f, 0x8b, 8];
const MAGIC: &[u8] = b"WARC/";
/// Longest head of a record, and of a response in it.
const HEAD_MAX: u64 = 256 << 10;
/// Records that are read of one capture.
const RECORDS_MAX: usize = 1_000_000;
/// Bytes that a packed capture may unfold to.
const UNPACKED_MAX: u64 = 64 << 30;

/// Whether bytes begin as a capture does, packed or not.
pub(super) fn is_capture(bytes: &[u8]) -> bool {
    if !bytes.starts_with(GZIP) {
        return bytes.starts_with(MAGIC);
    }
    let mut first = [0; MAGIC.len()];
    let mut reader = flate2::bufread::MultiGzDecoder::new(bytes);
    reader.read_exact(&mut first).is_ok() && first == MAGIC
}

/// The responses and resources of a capture.
pub(super) fn read(bytes: &[u8], file: &str, name: &str) -> Result<Vec<Acquisition>, OriginsError> {
    let unpacked: Box<dyn Read + '_> = if bytes.starts_with(GZIP) {
        Box::new(flate2::bufread::MultiGzDecoder::new(bytes).take(UNPACKED_MAX))
    } else {
        Box::new(bytes)
    };
    let mut capture = Capture {
        reader: BufReader::with_capacity(64 << 10, unpacked),
        name,
        software: None,
        rows: Vec::new(),
    };
    for record in 1..=RECORDS_MAX {
        match capture.record(record) {
            Ok(true) => {}
            Ok(false) => return Ok(capture.rows),
            Err(error) => {
                return Err(OriginsError::Form {
                    file: file.to_owned(),
                    line: record as u64,
                    what: format!(
                        "record {record} of the capture cannot be read: {error}; give a whole capture, or write down what it says as CSV"
                    ),
                });
            }
        }
    }
    Err(OriginsError::TooMuch {
        file: file.to_owned(),
        what: "records",
        found: RECORDS_MAX + 1,
        most: RECORDS_MAX,
    })
}

struct Capture<'b> {
    reader: BufReader<Box<dyn Read + 'b>>,
    name: &'b str,
    software: Option<String>,
    rows: Vec<Acquisition>,
}

/// Fields of a head: names in lower case.
type Fields = Vec<(String, String)>;

impl Capture<'_> {
    /// Reads a record; says whether there was one.
    fn record(&mut self, number: usize) -> io::Result<bool> {
        let Some(first) = first_line(&mut self.reader)? else {
            return Ok(false);
        };
        if !first.starts_with("WARC/") {
            return Err(odd("it does not begin with `WARC/`"));
        }
        let fields = fields(&mut self.reader)?;
        let get = |name: &str| {
            let found = fields.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value.as_str())
        };
        let length = get("content-length").and_then(|length| length.parse::<u64>().ok());
        let length = length.ok_or_else(|| odd("it does not say its length"))?;
        let mut block = (&mut self.reader).take(length);
        let kind = get("warc-type").unwrap_or_default().to_ascii_lowercase();
        match kind.as_str() {
            "warcinfo" => {
                let info = fields_until_end(&mut block)?;
                let software = info.into_iter().find(|(name, _)| name == "software");
                self.software = software.map(|(_, value)| value).or(self.software.take());
            }
            "response" | "resource" => {
                let url = get("warc-target-uri").map(|uri| uri.trim_matches(['<', '>']));
                let (headers, sha256) = body(&mut block, kind == "response")?;
                self.rows.push(Acquisition {
                    from: format!("{}, record {number}", self.name),
                    path: None,
                    url: url.and_then(Location::read),
                    acquired: Acquired {
                        time: get("warc-date").and_then(time_of),
                        tool: self.software.clone(),
                        person: None,
                        headers,
                        sha256: Some(sha256),
                        sha256_agrees: None,
                        capture: Some(self.name.to_owned()),
                    },
                    is_captured: true,
                });
            }
            _ => {}
        }
        io::copy(&mut block, &mut io::sink())?;
        if block.limit() > 0 {
            return Err(odd("it ends before its length"));
        }
        Ok(true)
    }
}

fn odd(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// One line without its end; bounded.
fn line(reader: &mut impl BufRead, left: &mut u64) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = reader.take(*left).read_until(b'\n', &mut bytes)?;
    *left -= read as u64;
    if read == 0 {
        return if *left == 0 {
            Err(odd("its head is longer than any"))
        } else {
            Ok(None)
        };
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}

/// The first line that is not empty.
fn first_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut left = HEAD_MAX;
    loop {
        match line(reader, &mut left)? {
            Some(text) if text.is_empty() => {}
            other => return Ok(other),
        }
    }
}

/// Fields up to an empty line.
fn fields(reader: &mut impl BufRead) -> io::Result<Fields> {
    let mut left = HEAD_MAX;
    let mut fields = Fields::new();
    loop {
        let text = line(reader, &mut left)?.ok_or_else(|| odd("its head does not end"))?;
        if text.is_empty() {
            return Ok(fields);
        }
        add_field(&mut fields, &text);
    }
}

/// Fields up to the end.
fn fields_until_end(reader: &mut impl BufRead) -> io::Result<Fields> {
    let mut left = HEAD_MAX;
    let mut fields = Fields::new();
    while let Some(text) = line(reader, &mut left)? {
        add_field(&mut fields, &text);
    }
    Ok(fields)
}

fn add_field(fields: &mut Fields, text: &str) {
    if text.starts_with([' ', '\t'])
        && let Some((_, value)) = fields.last_mut()
    {
        value.push(' ');
        value.push_str(text.trim());
    } else if let Some((name, value)) = text.split_once(':') {
        fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// The headers of a response and the SHA-256 of its body; a resource is a body and nothing else.
fn body(
    block: &mut impl BufRead,
    is_response: bool,
) -> io::Result<(BTreeMap<String, String>, String)> {
    let mut digest = Sha256::new();
    let mut headers = BTreeMap::new();
    if is_response && block.fill_buf()?.starts_with(b"HTTP/") {
        let mut left = HEAD_MAX;
        line(block, &mut left)?;
        let fields = fields(block)?;
        let is_chunked = fields.iter().any(|(name, value)| {
            name == "transfer-encoding" && value.to_ascii_lowercase().contains("chunked")
        });
        let all = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        headers = headers_of(all);
        // Some tools undo the chunks and leave the header.
        if is_chunked && chunk_size(block.fill_buf()?).is_some() {
            chunks(block, &mut digest)?;
            return Ok((headers, hex(&digest.finalize())));
        }
    }
    copy(block, u64::MAX, &mut digest)?;
    Ok((headers, hex(&digest.finalize())))
}

/// Undoes chunks (RFC 9112, 7.1).
fn chunks(block: &mut impl BufRead, digest: &mut Sha256) -> io::Result<()> {
    loop {
        let mut left = HEAD_MAX;
        let Some(text) = line(block, &mut left)? else {
            return Ok(());
        };
        let Some(size) = chunk_size(format!("{text}\r\n").as_bytes()) else {
            return Err(odd("a chunk does not say its size"));
        };
        if size == 0 {
            return Ok(());
        }
        copy(block, size, digest)?;
        line(block, &mut 2)?;
    }
}

/// The size that a chunk begins with.
fn chunk_size(bytes: &[u8]) -> Option<u64> {
    let line = bytes.get(..memchr::memchr(b'\n', bytes)?)?;
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii();
    let is_hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| is_hex)?;
    u64::from_str_radix(text, 16).ok()
}

fn copy(block: &mut impl BufRead, most: u64, digest: &mut Sha256) -> io::Result<()> {
    let mut rest = block.take(most);
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        digest.update(bytes);
        let len = bytes.len();
        rest.consume(len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn record(kind: &str, fields: &str, block: &[u8]) -> Vec<u8> {
        let head = format!(
            "WARC/1.1\r\nWARC-Type: {kind}\r\n{fields}Content-Length: {}\r\n\r\n",
            block.len()
        );
        [head.as_bytes(), block, b"\r\n\r\n"].concat()
    }

    fn capture() -> Vec<Vec<u8>> {
        let fields =
            "WARC-Target-URI: <https://cdn.example/a.tgz>\r\nWARC-Date: 2026-04-01T00:00:00Z\r\n";
        vec![
            record("warcinfo", "", b"software: Wget/1.24\r\nformat: WARC\r\n"),
            record("request", fields, b"GET /a.tgz HTTP/1.1\r\n\r\n"),
            record("response", fields, b"HTTP/1.1 200 OK\r\nETag: x\r\nSet-Cookie: a=b\r\n\r\nhello"),
            record("response", fields, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n"),
            record("response", fields, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello"),
            record("resource", fields, b"hello"),
        ]
    }

    #[test]
    fn responses_say_where_when_and_what() {
        let plain = capture().concat();
        let packed = capture().into_iter().flat_map(|record| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&record).unwrap();
            gzip.finish().unwrap()
        });
        for bytes in [plain, packed.collect()] {
            assert!(is_capture(&bytes));
            let rows = read(&bytes, "c.warc", "c.warc").unwrap();
            assert_eq!(rows.len(), 4);
            for row in &rows {
                assert_eq!(row.url.as_ref().unwrap().key, "cdn.example/a.tgz");
                assert_eq!(row.acquired.time.as_deref(), Some("2026-04-01T00:00:00Z"));
                assert_eq!(row.acquired.tool.as_deref(), Some("Wget/1.24"));
                let wanted = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
                assert_eq!(row.acquired.sha256.as_deref(), Some(wanted));
            }
            assert_eq!(rows[0].acquired.headers["set-cookie"], "***");
        }
    }

    #[test]
    fn damage_is_told_with_its_record() {
        let whole = capture().concat();
        let cut = &whole[..whole.len() - 7];
        let error = read(cut, "c.warc", "c.warc").unwrap_err().to_string();
        assert!(error.contains("record 6 of the capture"), "{error}");
        let none = read(b"WARC/1.0\r\nWARC-Type: x\r\n\r\n", "c", "c").unwrap_err();
        assert!(none.to_string().contains("length"));
    }

    proptest::proptest! {
        #[test]
        fn any_damage_is_read_without_panic(at in 0_usize..1200, with: u8) {
            let mut bytes = capture().concat();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = with;
            }
            let _ = read(&bytes, "c", "c");
        }
    }
}
