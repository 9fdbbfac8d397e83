//! Core dumps: the memory of a program at the moment when it ended, with everything that it knew.
//!
//! ELF files of the type for cores name the program in a note, which is read; minidumps of Windows, and of the
//! crash reporters of browsers and Electron, say how many streams they have. Sources: System V ABI, "ELF Header";
//! `elfcore.h` of Linux; `minidumpapiset.h` of Windows.

use super::read::{Reader, counted, short};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// Parts and notes that are looked at for the name.
const PARTS_MAX: u16 = 4_096;
const NOTES_MAX: usize = 256;
/// More streams than a minidump has.
const STREAMS_MAX: u32 = 4_096;

/// Core dumps.
pub(super) struct CoreDump;

impl Class for CoreDump {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        let said = match *bytes.first()? {
            0x7f => elf(bytes),
            b'M' => minidump(bytes),
            _ => None,
        }?;
        Some(Artifact::proven("core-dump", "", said))
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        self.recognise(head, &Hits::default())
    }
}

fn elf(bytes: &[u8]) -> Option<String> {
    const CORE: u16 = 4;
    let [0x7f, b'E', b'L', b'F', class, order, ..] = *bytes else {
        return None;
    };
    // Nearly every machine of today is little-endian; of others only the header is read.
    let (is_wide, is_little) = (class == 2, order == 1);
    let mut kind = Reader::at(bytes, 16)?;
    let kind = if is_little {
        kind.u16_le()?
    } else {
        kind.u16_be()?
    };
    if kind != CORE {
        return None;
    }
    let name = if is_wide && is_little {
        program(bytes)
    } else {
        None
    };
    Some(match name {
        Some(name) => format!("memory of a program, ELF: {name}"),
        None => "memory of a program, ELF".to_owned(),
    })
}

/// The name of the program and its arguments, from the note `NT_PRPSINFO`.
fn program(bytes: &[u8]) -> Option<String> {
    const NOTE: u32 = 4;
    let parts = usize::try_from(Reader::at(bytes, 32)?.u64_le()?).ok()?;
    let mut header = Reader::at(bytes, 54)?;
    let (width, count) = (usize::from(header.u16_le()?), header.u16_le()?);
    for index in 0..usize::from(count.min(PARTS_MAX)) {
        let mut part = Reader::at(bytes, parts.checked_add(index.checked_mul(width)?)?)?;
        if part.u32_le()? != NOTE {
            continue;
        }
        part.skip(4)?;
        let start = usize::try_from(part.u64_le()?).ok()?;
        return name_in_notes(bytes, start);
    }
    None
}

fn name_in_notes(bytes: &[u8], start: usize) -> Option<String> {
    const PRPSINFO: u32 = 3;
    let mut notes = Reader::at(bytes, start)?;
    for _ in 0..NOTES_MAX {
        let (name, len, kind) = (notes.u32_le()?, notes.u32_le()?, notes.u32_le()?);
        let padded = |len: u32| u64::from(len).next_multiple_of(4);
        notes.skip(padded(name))?;
        if kind == PRPSINFO {
            // Behind the state and the ids: the name in 16 bytes, the arguments in 80.
            notes.skip(40)?;
            let name = notes.take(16)?;
            let arguments = notes.take(80)?;
            let text = |field: &[u8]| {
                let end = memchr::memchr(0, field).unwrap_or(field.len());
                short(field[..end].trim_ascii())
            };
            // Arguments may be credentials: only that there are some is said.
            let has_arguments = arguments.trim_ascii().contains(&b' ');
            let more = if has_arguments {
                ", with arguments"
            } else {
                ""
            };
            return Some(format!("{}{more}", text(name)));
        }
        notes.skip(padded(len))?;
    }
    None
}

fn minidump(bytes: &[u8]) -> Option<String> {
    const VERSION: u16 = 0xa793;
    let mut reader = Reader::new(bytes);
    if reader.take(4)? != b"MDMP" || reader.u16_le()? != VERSION {
        return None;
    }
    reader.skip(2)?;
    let streams = reader.u32_le()?;
    (1..=STREAMS_MAX).contains(&streams).then(|| {
        format!(
            "memory of a program, minidump: {}",
            counted(streams.into(), "stream")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> Option<String> {
        CoreDump
            .recognise(bytes, &Hits::default())
            .map(|found| found.detail)
    }

    fn core() -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0);
        bytes[16] = 4;
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes.extend([4, 0, 0, 0, 0, 0, 0, 0, 120, 0, 0, 0, 0, 0, 0, 0]);
        bytes.resize(120, 0);
        bytes.extend([5, 0, 0, 0, 136, 0, 0, 0, 3, 0, 0, 0]);
        bytes.extend(b"CORE\0\0\0\0");
        bytes.resize(bytes.len() + 40, 0);
        bytes.extend(b"billingd\0\0\0\0\0\0\0\0");
        bytes.extend(b"billingd --token=abc");
        bytes.resize(bytes.len() + 60, 0);
        bytes
    }

    #[test]
    fn the_program_is_named_and_its_arguments_are_not() {
        assert_eq!(
            said(&core()).as_deref(),
            Some("memory of a program, ELF: billingd, with arguments")
        );
        for len in 18..core().len() {
            assert!(said(&core()[..len]).is_some());
        }
    }

    #[test]
    fn programs_are_none() {
        let mut program = core();
        program[16] = 3;
        assert_eq!(said(&program), None);
        assert_eq!(said(b"MDMP\0\0"), None);
        assert!(said(b"MDMP\x93\xa7\0\0\x09\0\0\0").is_some());
    }
}
