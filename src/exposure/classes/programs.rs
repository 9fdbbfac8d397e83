//! What compilers leave in programs and beside them: symbols for debuggers, tables of names, the versions and paths of a build.
//!
//! Symbols in a file of their own (PDB, dSYM, DWARF split off, Breakpad's, R8's list of names) undo what stripping and
//! obfuscation are done for. Symbols within a program do the same, but are how half of the world's programs are shipped, and
//! weigh less. What Go and Rust write into every program names modules, crates, revisions and paths.
//!
//! Tables are read by the `object` crate; of sections only the names, the sizes and first strings. Sources: System V ABI;
//! the notes on `debug/buildinfo` of Go; "PDB file format" of LLVM.
//!
//! Left out: Mach-O for several processors in one file; types and lines within the symbols.

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader};
use object::read::pe::{PeFile32, PeFile64};
use object::read::{CodeView, Object};

use super::read::{Reader, counted, grouped, has, head, listed, short};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// The first bytes that are looked at for words.
const LOOKED_AT: usize = 4 << 10;
/// Sections that are looked at.
const SECTIONS_MAX: usize = 1 << 12;
/// Crates that are named.
const CRATES_MAX: usize = 4_096;

/// Symbols for debuggers.
pub(super) struct DebugSymbols;

/// What compilers say of a build.
pub(super) struct BuildInfo;

impl Class for DebugSymbols {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        match *bytes.first()? {
            0x7f => elf_symbols(bytes),
            b'M' => program_database(bytes).or_else(|| breakpad(bytes)),
            b'B' => portable_database(bytes),
            0xcf | 0xce => mach_o_symbols(bytes),
            b'#' => obfuscation(bytes),
            _ => None,
        }
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        match *head.first()? {
            b'M' => program_database(head).or_else(|| breakpad(head)),
            b'#' => obfuscation(head),
            _ => None,
        }
    }
}

fn symbols(circumstance: &str, said: String) -> Option<Artifact> {
    Some(Artifact::proven("debug-symbols", circumstance, said))
}

/// A file of blocks, of which the third field says how large and the fifth how many.
fn program_database(bytes: &[u8]) -> Option<Artifact> {
    const MAGIC: &[u8] = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0";
    let mut reader = Reader::new(bytes.strip_prefix(MAGIC)?);
    let size = reader.u32_le()?;
    reader.skip(4)?;
    let blocks = reader.u32_le()?;
    symbols(
        "",
        format!(
            "PDB: {} of {} bytes",
            counted(blocks.into(), "block"),
            grouped(size.into())
        ),
    )
}

/// .NET's own, a root of metadata that says which version it is.
fn portable_database(bytes: &[u8]) -> Option<Artifact> {
    let is_one = bytes.starts_with(b"BSJB") && has(head(bytes, 64), b"PDB v1.0");
    is_one.then(|| symbols("", "portable PDB".to_owned()))?
}

/// `MODULE Linux x86_64 ID NAME` (Breakpad's text form).
fn breakpad(bytes: &[u8]) -> Option<Artifact> {
    let start = head(bytes, LOOKED_AT);
    let line = start.strip_prefix(b"MODULE ")?;
    let line = &line[..memchr::memchr(b'\n', line)?];
    let mut words = line.split(|&b| b == b' ').skip(2);
    let id = words.next()?;
    let name = words.next()?;
    let is_id = id.len() >= 32 && id.iter().all(u8::is_ascii_hexdigit);
    is_id.then(|| {
        symbols(
            "",
            format!("Breakpad: symbols of {}", short(name.trim_ascii())),
        )
    })?
}

/// The names that R8 and ProGuard took away, each with what it became.
fn obfuscation(bytes: &[u8]) -> Option<Artifact> {
    let start = head(bytes, LOOKED_AT);
    let is_map = start.starts_with(b"# compiler: R8") || has(start, b"\n# compiler: R8");
    is_map.then(|| {
        let classes = memchr::memmem::find_iter(bytes, b":\n").count() as u64;
        symbols("", format!("R8: names of {}", counted(classes, "class")))
    })?
}

/// What the sections of an ELF file say.
#[derive(Default)]
struct Sections<'a> {
    debug: u64,
    is_split: bool,
    /// The program itself is not in the file.
    is_apart: bool,
    names: u64,
    path: Option<&'a [u8]>,
    go: Option<&'a [u8]>,
}

fn sections_of(bytes: &[u8]) -> Option<Sections<'_>> {
    match bytes.get(4)? {
        1 => read_sections::<FileHeader32<Endianness>>(bytes),
        _ => read_sections::<FileHeader64<Endianness>>(bytes),
    }
}

fn read_sections<H: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Option<Sections<'_>> {
    let header = H::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    if header.e_type(endian) == object::elf::ET_CORE {
        return None;
    }
    let table = header.sections(endian, bytes).ok()?;
    let mut found = Sections::default();
    for section in table.iter().take(SECTIONS_MAX) {
        let Ok(name) = table.section_name(endian, section) else {
            continue;
        };
        let size: u64 = section.sh_size(endian).into();
        let is_empty = section.sh_type(endian) == object::elf::SHT_NOBITS;
        match name {
            b".debug_info" | b".zdebug_info" if !is_empty => found.debug += size,
            b".debug_info.dwo" => {
                found.debug += size;
                found.is_split = true;
            }
            b".text" => found.is_apart = is_empty,
            b".symtab" if !is_empty => found.names = size,
            b".debug_line_str" | b".debug_str" => {
                let data = section.data(endian, bytes).unwrap_or_default();
                found.path = found.path.or_else(|| first_path(data));
            }
            b".go.buildinfo" => found.go = section.data(endian, bytes).ok(),
            _ => {}
        }
    }
    Some(found)
}

/// The first string that is an absolute path: where the compiler ran comes first.
fn first_path(strings: &[u8]) -> Option<&[u8]> {
    const STRINGS_MAX: usize = 4_096;
    strings.split(|&b| b == 0).take(STRINGS_MAX).find(|text| {
        text.starts_with(b"/") && text.len() > 3 && text.iter().all(u8::is_ascii_graphic)
    })
}

fn elf_symbols(bytes: &[u8]) -> Option<Artifact> {
    let found = sections_of(bytes)?;
    let path = found
        .path
        .map(|path| format!(", with paths such as {}", short(path)))
        .unwrap_or_default();
    if found.debug > 0 {
        let said = format!("DWARF: {} bytes of it{path}", grouped(found.debug));
        let is_alone = found.is_split || found.is_apart;
        return symbols(if is_alone { "" } else { "in-program" }, said);
    }
    (found.names > 0 && is_program(bytes)).then(|| {
        symbols(
            "names-only",
            format!("a table of names of {} bytes", grouped(found.names)),
        )
    })?
}

/// Executables and libraries; objects that are yet to be linked need their names.
fn is_program(bytes: &[u8]) -> bool {
    let kind = bytes.get(16..18);
    matches!(kind, Some([2 | 3, 0] | [0, 2 | 3]))
}

/// Files of the type for symbols, and programs with a segment for them.
fn mach_o_symbols(bytes: &[u8]) -> Option<Artifact> {
    const SYMBOLS: u32 = 10;
    const OBJECT: u32 = 1;
    let is_mach_o =
        bytes.starts_with(b"\xcf\xfa\xed\xfe") || bytes.starts_with(b"\xce\xfa\xed\xfe");
    let kind = Reader::at(bytes, 12)?.u32_le()?;
    if !is_mach_o || kind == OBJECT {
        return None;
    }
    let commands = usize::try_from(Reader::at(bytes, 20)?.u32_le()?).ok()?;
    let has_dwarf = has(head(bytes, commands.saturating_add(32)), b"__debug_info\0");
    match kind {
        SYMBOLS => symbols("", "dSYM".to_owned()),
        _ if has_dwarf => symbols("in-program", "DWARF in a Mach-O program".to_owned()),
        _ => None,
    }
}

impl Class for BuildInfo {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        let said = match *bytes.first()? {
            0x7f => go(bytes).or_else(|| rust(bytes)),
            b'M' if bytes.starts_with(b"MZ") => debug_file(bytes).or_else(|| rust(bytes)),
            0xcf if bytes.starts_with(b"\xcf\xfa\xed\xfe") => rust(bytes),
            _ => None,
        }?;
        Some(Artifact::proven("program-build-info", "", said))
    }
}

/// Lines of `path`, `mod`, `dep` and `build`, between two marks of sixteen bytes.
fn go(bytes: &[u8]) -> Option<String> {
    const INLINE: u8 = 2;
    const MARK: usize = 16;
    let info = sections_of(bytes)?.go?;
    let mut reader = Reader::new(info);
    if reader.take(14)? != b"\xff Go buildinf:" {
        return None;
    }
    let (_pointers, flags) = (reader.byte()?, reader.byte()?);
    let (mut version, mut module): (&[u8], &[u8]) = (b"", b"");
    if flags & INLINE != 0 {
        reader.skip(16)?;
        let len = usize::try_from(reader.leb128()?).ok()?;
        version = reader.take(len)?;
        let len = usize::try_from(reader.leb128()?).ok()?;
        module = reader.take(len)?;
    }
    let mut said = format!(
        "Go {}",
        short(version.strip_prefix(b"go").unwrap_or(version))
    );
    // Marks of sixteen bytes stand before it and behind it.
    let module = module.get(MARK..).unwrap_or_default();
    let lines = module.split(|&b| b == b'\n');
    let told = lines.filter_map(|line| {
        let name = [
            &b"path\t"[..],
            b"build\tvcs.revision=",
            b"build\tvcs.modified=",
        ];
        name.iter().find_map(|name| line.strip_prefix(*name))
    });
    let told: Vec<&[u8]> = told.collect();
    if !told.is_empty() {
        said.push_str(&format!(": {}", listed(&told)));
    }
    let deps = memchr::memmem::find_iter(module, b"\ndep\t").count() as u64;
    if deps > 0 {
        said.push_str(&format!(", {}", counted(deps, "dependency")));
    }
    Some(said)
}

/// Paths of crates in the messages of panics: `…/registry/src/INDEX-HASH/NAME-VERSION/src/lib.rs`.
fn rust(bytes: &[u8]) -> Option<String> {
    const FOLDER: &[u8] = b"/registry/src/";
    const NAME_MAX: usize = 160;
    let mut crates: std::collections::BTreeSet<&[u8]> = std::collections::BTreeSet::new();
    for at in memchr::memmem::find_iter(bytes, FOLDER) {
        let rest = head(&bytes[at + FOLDER.len()..], NAME_MAX);
        let mut parts = rest.split(|&b| b == b'/');
        let index = parts.next().unwrap_or_default();
        let name = parts.next().unwrap_or_default();
        let is_name = name.len() > 3
            && name
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+'));
        // Something stands behind it, so that the name is whole.
        if index.contains(&b'-') && is_name && parts.next().is_some() && crates.len() < CRATES_MAX {
            crates.insert(name);
        }
    }
    let crates: Vec<&[u8]> = crates.into_iter().collect();
    (!crates.is_empty()).then(|| {
        format!(
            "Rust: {} ({})",
            counted(crates.len() as u64, "crate"),
            listed(&crates)
        )
    })
}

/// Where the symbols of a Windows program were written when it was linked.
fn debug_file(bytes: &[u8]) -> Option<String> {
    let path = |info: Option<CodeView<'_>>| info.map(|info| short(info.path()));
    let found = match PeFile64::parse(bytes) {
        Ok(file) => file.pdb_info().ok().map(path)?,
        Err(_) => PeFile32::parse(bytes).ok()?.pdb_info().ok().map(path)?,
    };
    found
        .filter(|path| !path.is_empty())
        .map(|path| format!("symbols were written to {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::samples::make;

    fn told(bytes: &[u8]) -> Option<(String, String)> {
        DebugSymbols
            .recognise(bytes, &Hits::default())
            .map(|found| (found.circumstance, found.detail))
    }

    #[test]
    fn symbols_are_weighed_by_where_they_are() {
        let kind =
            |sections: &str| told(&make(&format!("elf {sections}")).unwrap()).map(|found| found.0);
        assert_eq!(kind(".debug_info .symtab").as_deref(), Some("in-program"));
        assert_eq!(kind(".debug_info.dwo").as_deref(), Some(""));
        assert_eq!(kind(".symtab").as_deref(), Some("names-only"));
        assert_eq!(kind(".rodata"), None);
        assert_eq!(told(&make("core-dump").unwrap()), None);
    }

    #[test]
    fn databases_of_symbols_need_more_than_their_name() {
        let mut pdb = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0".to_vec();
        assert_eq!(told(&pdb), None);
        pdb.extend([4096_u32, 1, 12].map(u32::to_le_bytes).concat());
        assert_eq!(told(&pdb).unwrap().1, "PDB: 12 blocks of 4,096 bytes");
        let id = "0123456789ABCDEF0123456789ABCDEF0";
        assert!(
            told(format!("MODULE Linux x86_64 {id} billing\nFILE 0 a.c\n").as_bytes()).is_some()
        );
        assert_eq!(told(b"MODULE Linux x86_64 short billing\n"), None);
        assert_eq!(told(b"MZ"), None);
        assert_eq!(told(b""), None);
    }

    proptest::proptest! {
        #[test]
        fn damage_is_no_panic(at in 0_usize..600, byte: u8) {
            for spec in ["elf .debug_info .debug_str .go.buildinfo", "core-dump"] {
                let mut bytes = make(spec).unwrap();
                if let Some(slot) = bytes.get_mut(at) {
                    *slot = byte;
                }
                told(&bytes);
                BuildInfo.recognise(&bytes, &Hits::default());
                told(&bytes[..at.min(bytes.len())]);
            }
        }
    }
}
