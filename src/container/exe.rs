//! What tools put into an executable beside its program: a section, a note, a resource.
//!
//! Runtimes that pack an application into one file (Bun, Node) hang it on the runtime's executable where the system's
//! own format has room for it. This finds the place by walking the format's tables, which takes microseconds however
//! large the file is, and never by searching for bytes: the runtime holds the same words, to look for them itself.
//! Tables are read by the `object` crate and every claim in them is checked there. Binaries for several processors in
//! one file are left out.

use std::ops::Range;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::macho::{MachHeader32, MachHeader64};
use object::pe::{ImageDosHeader, ImageNtHeaders32, ImageNtHeaders64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::read::macho::{MachHeader, Section, Segment};
use object::read::pe::{ImageNtHeaders, ResourceDirectoryTable, ResourceNameOrId};

/// The resource type for raw data (`RT_RCDATA`).
const RAW_DATA: u16 = 10;

/// Whether content begins as an executable does: ELF, PE, or Mach-O for one processor.
pub fn is_executable(head: &[u8]) -> bool {
    const MACHO: [&[u8]; 2] = [b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"];
    head.starts_with(b"\x7fELF")
        || head.starts_with(b"MZ")
        || MACHO.iter().any(|magic| head.starts_with(magic))
}

/// Under which names a tool leaves its data, by format.
pub struct Wanted {
    /// Section of an ELF or PE file; empty for none.
    pub section: &'static [u8],
    /// Note of an ELF file; empty for none.
    pub note: &'static [u8],
    /// Raw-data resource of a PE file; empty for none.
    pub resource: &'static str,
    /// Section of a Mach-O file.
    pub macho_section: &'static [u8],
}

/// Where the wanted data stands in an executable.
pub fn find(exe: &[u8], wanted: &Wanted) -> Option<Range<usize>> {
    let found = if exe.starts_with(b"\x7fELF") {
        match exe.get(4)? {
            1 => in_elf::<FileHeader32<Endianness>>(exe, wanted),
            _ => in_elf::<FileHeader64<Endianness>>(exe, wanted),
        }
    } else if exe.starts_with(b"MZ") {
        in_pe::<ImageNtHeaders64>(exe, wanted).or_else(|| in_pe::<ImageNtHeaders32>(exe, wanted))
    } else if exe.starts_with(b"\xcf\xfa\xed\xfe") {
        in_macho::<MachHeader64<Endianness>>(exe, wanted)
    } else if exe.starts_with(b"\xce\xfa\xed\xfe") {
        in_macho::<MachHeader32<Endianness>>(exe, wanted)
    } else {
        None
    }?;
    let start = (found.as_ptr() as usize).checked_sub(exe.as_ptr() as usize)?;
    (!found.is_empty()).then(|| start..start + found.len())
}

fn in_elf<'a, H: FileHeader<Endian = Endianness>>(
    exe: &'a [u8],
    wanted: &Wanted,
) -> Option<&'a [u8]> {
    let header = H::parse(exe).ok()?;
    let endian = header.endian().ok()?;
    // A packer may leave one table damaged and the other right.
    let sections = header.sections(endian, exe).ok();
    if !wanted.section.is_empty()
        && let Some(sections) = &sections
        && let Some((_, section)) = sections.section_by_name(endian, wanted.section)
    {
        return section.data(endian, exe).ok();
    }
    if wanted.note.is_empty() {
        return None;
    }
    let segments = header.program_headers(endian, exe).unwrap_or_default();
    let of_segments = segments
        .iter()
        .filter_map(|segment| segment.notes(endian, exe).ok()?);
    let of_sections = sections
        .iter()
        .flat_map(|sections| sections.iter())
        .filter_map(|section| section.notes(endian, exe).ok()?);
    for mut notes in of_segments.chain(of_sections) {
        while let Ok(Some(note)) = notes.next() {
            if note.name() == wanted.note {
                return Some(note.desc());
            }
        }
    }
    None
}

fn in_pe<'a, H: ImageNtHeaders>(exe: &'a [u8], wanted: &Wanted) -> Option<&'a [u8]> {
    let mut offset = ImageDosHeader::parse(exe).ok()?.nt_headers_offset().into();
    let (header, directories) = H::parse(exe, &mut offset).ok()?;
    let sections = header.sections(exe, offset).ok()?;
    if !wanted.section.is_empty() {
        let section = sections
            .iter()
            .find(|section| section.raw_name() == wanted.section);
        if let Some(section) = section {
            return section.pe_data(exe).ok();
        }
    }
    if wanted.resource.is_empty() {
        return None;
    }
    let tree = directories.resource_directory(exe, &sections).ok()??;
    let of_type = |table: ResourceDirectoryTable<'a>| {
        let entry = table
            .entries
            .iter()
            .find(|entry| matches!(entry.name_or_id(), ResourceNameOrId::Id(RAW_DATA)))?;
        entry.data(tree).ok()?.table()
    };
    let named = of_type(tree.root().ok()?)?.entries.iter().find(|entry| {
        entry
            .name_or_id()
            .name()
            .and_then(|name| name.to_string_lossy(tree).ok())
            .is_some_and(|name| name == wanted.resource)
    })?;
    // Below the name, one entry for each language.
    let entry = named.data(tree).ok()?.table()?.entries.first()?;
    let place = entry.data(tree).ok()?.data()?;
    let address = place.offset_to_data.get(object::LittleEndian);
    let len = place.size.get(object::LittleEndian) as usize;
    let data = sections.pe_data_at(exe, address)?;
    Some(data.get(..len).unwrap_or(data))
}

fn in_macho<'a, H: MachHeader<Endian = Endianness>>(
    exe: &'a [u8],
    wanted: &Wanted,
) -> Option<&'a [u8]> {
    let header = H::parse(exe, 0).ok()?;
    let endian = header.endian().ok()?;
    let mut commands = header.load_commands(endian, exe, 0).ok()?;
    while let Ok(Some(command)) = commands.next() {
        let Ok(Some((segment, rest))) = H::Segment::from_command(command) else {
            continue;
        };
        let sections = segment.sections(endian, rest).ok()?;
        if let Some(section) = sections
            .iter()
            .find(|section| section.name() == wanted.macho_section)
        {
            return section
                .data(endian, exe, section.offset(endian).into())
                .ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WANTED: Wanted = Wanted {
        section: b".bun",
        note: b"NODE_SEA_BLOB",
        resource: "NODE_SEA_BLOB",
        macho_section: b"__bun",
    };

    #[test]
    fn a_note_is_found_through_the_program_headers() {
        let exe = super::super::testing::elf_with_note(b"NODE_SEA_BLOB", b"the data");
        let range = find(&exe, &WANTED).expect("it is there");
        assert_eq!(&exe[range], b"the data");
        assert!(find(&exe[..exe.len() - 20], &WANTED).is_none());
    }

    #[test]
    fn a_section_of_a_mach_o_file_is_found() {
        let exe = super::super::testing::macho_with_section(b"__BUN", b"__bun", b"the data");
        let range = find(&exe, &WANTED).expect("it is there");
        assert_eq!(&exe[range], b"the data");
    }

    #[test]
    fn a_section_of_a_pe_file_is_found() {
        let exe = super::super::testing::pe_with_section(b".bun", b"the data");
        let range = find(&exe, &WANTED).expect("it is there");
        assert_eq!(&exe[range], b"the data");
    }

    proptest! {
        #[test]
        fn damage_never_panics(which in 0..3_usize, flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>()) {
            let mut exe = match which {
                0 => super::super::testing::elf_with_note(b"NODE_SEA_BLOB", b"the data"),
                1 => super::super::testing::macho_with_section(b"__BUN", b"__bun", b"the data"),
                _ => super::super::testing::pe_with_section(b".bun", b"the data"),
            };
            for (at, byte) in flips {
                let at = at.index(exe.len());
                exe[at] = byte;
            }
            exe.truncate(exe.len() - cut.index(exe.len()) / 4);
            if let Some(range) = find(&exe, &WANTED) {
                prop_assert!(range.end <= exe.len());
            }
        }
    }
}
