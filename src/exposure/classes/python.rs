//! Programs of Python that were packed or compiled: what is in them can be turned back into something very like the source.
//!
//! PyInstaller hangs an archive on an executable and ends it with a mark, from which its list of contents is found; the
//! scripts and modules in it are compiled code. A `.pyc` names the file that it was made from. Sources: PyInstaller's
//! `CArchive` documentation; `importlib/_bootstrap_external.py` and `marshal.c` of Python.
//!
//! Left out: undoing the compilation; py2exe and Nuitka, whose archives are found as archives where they are some.

use super::read::{Reader, counted, grouped, listed, short, tail};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// The mark stands before signatures at most; bytes.
const TAIL: usize = 1 << 20;
/// Entries of a list that are counted.
const ENTRIES_MAX: u64 = 1 << 16;
/// Scripts that are told.
const SCRIPTS_MAX: usize = 64;

/// Programs that PyInstaller packed.
pub(super) struct FrozenPython;

/// Compiled modules.
pub(super) struct PythonBytecode;

impl Class for FrozenPython {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        if !crate::container::exe::is_executable(bytes) {
            return None;
        }
        let said = archive(bytes)?;
        Some(Artifact::proven("frozen-python", "", said))
    }
}

/// The mark, then lengths: of the archive with the mark, where the list stands in it and how long it is, the version, a name.
fn archive(bytes: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"MEI\x0c\x0b\x0a\x0b\x0e";
    const COOKIE: usize = 88;
    let end = tail(bytes, TAIL);
    let at = bytes.len() - end.len() + memchr::memmem::rfind(end, MARK)?;
    let mut cookie = Reader::at(bytes, at + MARK.len())?;
    let (len, list, list_len, version) = (
        cookie.u32_be()?,
        cookie.u32_be()?,
        cookie.u32_be()?,
        cookie.u32_be()?,
    );
    let start = at
        .checked_add(COOKIE)?
        .checked_sub(usize::try_from(len).ok()?)?;
    let list = start.checked_add(usize::try_from(list).ok()?)?;
    let list = Reader::at(bytes, list)?.take(usize::try_from(list_len).ok()?)?;
    let mut reader = Reader::new(list);
    let (mut entries, mut scripts, mut modules, mut sizes) = (0, Vec::new(), 0, 0_u64);
    while let Some((kind, name, size)) = entry(&mut reader) {
        entries += 1;
        sizes = sizes.saturating_add(size);
        match kind {
            b's' if scripts.len() < SCRIPTS_MAX => scripts.push(name),
            b'm' | b'M' | b'z' => modules += 1,
            _ => {}
        }
        if entries >= ENTRIES_MAX {
            break;
        }
    }
    if entries == 0 {
        return None;
    }
    Some(format!(
        "PyInstaller, Python {}.{}: {} of {} bytes, scripts {}, {} of modules; the compiled code in it was not read",
        version / 100,
        version % 100,
        counted(entries, "entry"),
        grouped(sizes),
        listed(&scripts),
        counted(modules, "archive")
    ))
}

/// An entry: its length, where it stands, its sizes, whether it is packed, what it is, its name.
fn entry<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8], u64)> {
    const FIXED: usize = 18;
    let len = usize::try_from(reader.u32_be()?).ok()?;
    reader.skip(8)?;
    let size = reader.u32_be()?;
    reader.skip(1)?;
    let kind = reader.byte()?;
    let name = reader.take(len.checked_sub(FIXED)?)?;
    let name = &name[..memchr::memchr(0, name).unwrap_or(name.len())];
    Some((kind, name, size.into()))
}

impl Class for PythonBytecode {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        let (version, code) = header(bytes)?;
        let name = file_name(code)?;
        let said = format!("Python {version}, made from {}", short(name));
        Some(Artifact::proven("python-bytecode", "", said))
    }
}

/// A number that grows with the version, `\r\n`, flags, two numbers more; then a code object.
fn header(bytes: &[u8]) -> Option<(&'static str, &[u8])> {
    /// The first numbers of each version.
    const VERSIONS: [(u16, &str); 11] = [
        (3800, "3.16 or later"),
        (3700, "3.16"),
        (3650, "3.15"),
        (3600, "3.14"),
        (3550, "3.13"),
        (3500, "3.12"),
        (3450, "3.11"),
        (3430, "3.10"),
        (3420, "3.9"),
        (3400, "3.8"),
        (3390, "3.7"),
    ];
    let mut reader = Reader::new(bytes);
    let number = reader.u16_le()?;
    if reader.take(2)? != b"\r\n" {
        return None;
    }
    let (_, version) = VERSIONS.iter().find(|(first, _)| number >= *first)?;
    if number > 4_000 || reader.u32_le()? > 3 {
        return None;
    }
    reader.skip(8)?;
    let code = reader.rest();
    // A code object, which is remembered or not.
    matches!(code.first(), Some(b'c' | 0xe3)).then_some((version, code))
}

/// The first text that ends in `.py` and is as long as it says.
fn file_name(code: &[u8]) -> Option<&[u8]> {
    const NAME_MAX: usize = 255;
    memchr::memmem::find_iter(code, b".py").find_map(|at| {
        let end = at + 3;
        let from = at.saturating_sub(NAME_MAX);
        (from..at).rev().find_map(|start| {
            let len = end - start;
            let before = code.get(start.checked_sub(2)?..start)?;
            let is_text = matches!(before[0] & 0x7f, b'z' | b'Z');
            (is_text && usize::from(before[1]) == len).then(|| &code[start..end])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytecode_names_its_source() {
        let name = b"/srv/acme/billing.py";
        let mut bytes = b"\xa7\x0d\r\n\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\xe3xxxx.py".to_vec();
        let told = |bytes: &[u8]| {
            let found = PythonBytecode.recognise(bytes, &Hits::default());
            found.map(|found| found.detail)
        };
        assert_eq!(told(&bytes), None);
        bytes.extend([0xda, name.len() as u8]);
        bytes.extend(name);
        assert_eq!(
            told(&bytes).as_deref(),
            Some("Python 3.11, made from /srv/acme/billing.py")
        );
        assert_eq!(told(b"\xa7\x0d\r\n"), None);
        assert_eq!(told(b"ab\r\ncdefghijklmnopq"), None);
    }

    #[test]
    fn a_packed_program_lists_its_scripts() {
        let entry = |kind: u8, name: &[u8]| {
            let len = 18 + name.len() as u32 + 1;
            [
                &len.to_be_bytes()[..],
                &[0; 8],
                &100_u32.to_be_bytes(),
                &[1, kind],
                name,
                b"\0",
            ]
            .concat()
        };
        let list = [entry(b's', b"billing"), entry(b'z', b"PYZ.pyz")].concat();
        let mut bytes = b"\x7fELF....".to_vec();
        let len = 10 + list.len() as u32 + 88;
        bytes.extend([0; 10]);
        bytes.extend(&list);
        bytes.extend(b"MEI\x0c\x0b\x0a\x0b\x0e");
        for number in [len, 10, list.len() as u32, 311] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.resize(bytes.len() + 64, 0);
        let found = FrozenPython.recognise(&bytes, &Hits::default()).unwrap();
        assert!(
            found.detail.starts_with(
                "PyInstaller, Python 3.11: 2 entries of 200 bytes, scripts billing, 1 archive"
            ),
            "{}",
            found.detail
        );
        let cut = bytes.len() - 80;
        assert_eq!(
            FrozenPython.recognise(&bytes[..cut], &Hits::default()),
            None
        );
    }
}
