//! Lists of what was signed, for other programs: what a set keeps to itself, in their form, in the clear.
//!
//! A path can hold any byte but NUL, and the forms differ in what they can say. `sha256sum` escapes line ends and
//! backslashes; a SWHID carries a path that does not fit on the line as a qualifier, percent-encoded; hashdeep and SCANOSS have
//! no way that they read back, so that there line ends are written as `%0A` and `%0D`, and counted.

use std::io::{self, Write};

use super::super::digest::hex;
use super::Kind;

/// A file of a list that is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Path, raw.
    pub path: Vec<u8>,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
    /// Git blob id.
    pub git_sha1: [u8; 20],
    /// Length in bytes.
    pub bytes: u64,
    /// MD5 of the bytes and what [`winnowed`](super::winnowed) gives, for a `.wfp`.
    pub wfp: Option<([u8; 16], String)>,
}

/// Writes a list in order of path. Says how many paths had to be spelt otherwise.
///
/// # Errors
/// It cannot be written.
pub fn write(kind: Kind, rows: &[Row], out: &mut (impl Write + ?Sized)) -> io::Result<u64> {
    let mut respelt = 0;
    if kind == Kind::Hashdeep {
        out.write_all(b"%%%% HASHDEEP-1.0\n%%%% size,sha256,filename\n## \n")?;
    }
    for row in rows {
        match kind {
            Kind::Sha256sum => sha256sum(row, out)?,
            Kind::Swhid => swhid(row, out)?,
            Kind::Hashdeep => {
                // As `hashdeep -r -l .` names it, so that an audit in the folder calls no file moved.
                write!(out, "{},{},./", row.bytes, hex(&row.sha256))?;
                respelt += u64::from(on_one_line(&row.path, out)?);
            }
            Kind::Wfp => {
                let Some((md5, prints)) = &row.wfp else {
                    continue;
                };
                write!(out, "file={},{},", hex(md5), row.bytes)?;
                respelt += u64::from(on_one_line(&row.path, out)?);
                out.write_all(prints.as_bytes())?;
            }
        }
    }
    Ok(respelt)
}

fn sha256sum(row: &Row, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let is_plain = !row.path.iter().any(|byte| b"\\\n\r".contains(byte));
    write!(
        out,
        "{}{}  ",
        if is_plain { "" } else { "\\" },
        hex(&row.sha256)
    )?;
    for &byte in &row.path {
        match byte {
            b'\\' => out.write_all(b"\\\\")?,
            b'\n' => out.write_all(b"\\n")?,
            b'\r' => out.write_all(b"\\r")?,
            byte => out.write_all(&[byte])?,
        }
    }
    out.write_all(b"\n")
}

fn swhid(row: &Row, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    write!(out, "swh:1:cnt:{}", hex(&row.git_sha1))?;
    let is_plain = !row.path.iter().any(u8::is_ascii_control);
    if is_plain {
        out.write_all(b"\t")?;
        out.write_all(&row.path)?;
    } else {
        out.write_all(b";path=/")?;
        for &byte in &row.path {
            // What a qualifier may not hold as it is, and what a line may not.
            if byte.is_ascii_graphic() && !b"%;".contains(&byte) {
                out.write_all(&[byte])?;
            } else {
                write!(out, "%{byte:02X}")?;
            }
        }
    }
    out.write_all(b"\n")
}

/// Writes a path and ends the line; says whether it had to be spelt otherwise.
fn on_one_line(path: &[u8], out: &mut (impl Write + ?Sized)) -> io::Result<bool> {
    let mut is_respelt = false;
    for &byte in path {
        match byte {
            b'\n' | b'\r' => {
                write!(out, "%{byte:02X}")?;
                is_respelt = true;
            }
            byte => out.write_all(&[byte])?,
        }
    }
    out.write_all(b"\n")?;
    Ok(is_respelt)
}

#[cfg(test)]
mod tests {
    use super::super::{Digest, read};
    use super::*;

    /// What is written is read back, names that are hard to write among them.
    #[test]
    fn lists_are_read_back() {
        let names: [&[u8]; 6] = [b"a", b"b c", b"d\\e", b"f\ng;h%", b"\xff", b"i, (j) = k"];
        let rows: Vec<Row> = (1_u8..)
            .zip(names)
            .map(|(number, name)| Row {
                path: name.to_vec(),
                sha256: [number; 32],
                git_sha1: [number; 20],
                bytes: 30,
                wfp: Some(([number; 16], "fh2=00\n1=00000000\n".to_owned())),
            })
            .collect();
        for kind in [Kind::Sha256sum, Kind::Swhid, Kind::Hashdeep, Kind::Wfp] {
            let mut out = Vec::new();
            let respelt = write(kind, &rows, &mut out).unwrap();
            let list = read(out.as_slice()).unwrap();
            assert_eq!((list.kind, list.not_understood.0), (kind, 0));
            let is_exact = matches!(kind, Kind::Sha256sum | Kind::Swhid);
            assert_eq!(respelt, u64::from(!is_exact));
            assert_eq!(list.files.len(), rows.len());
            for (file, row) in list.files.iter().zip(&rows) {
                assert!(!is_exact || file.path == row.path, "{kind:?} {file:?}");
                let digest = match kind {
                    Kind::Swhid => Digest::Git(row.git_sha1),
                    Kind::Wfp => Digest::Md5([row.sha256[0]; 16]),
                    _ => Digest::Sha256(row.sha256),
                };
                assert_eq!(file.digest, digest);
            }
        }
    }
}
