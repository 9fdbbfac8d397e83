//! What the tests of formats share: walking a container to its end.

use bytes::Bytes;

use super::{Body, Effect, Event, Format, Input, Trouble, Walker};
use crate::blob::{Limits, MemberName};

/// What a walk gave.
#[derive(Debug, Default, PartialEq)]
pub struct Seen {
    /// Names, `@OFFSET` for regions, and contents as far as they could be had.
    pub members: Vec<(String, Vec<u8>)>,
    /// Codes of the troubles of members and of the container.
    pub codes: Vec<String>,
    /// What they mean, in the same order.
    pub effects: Vec<Effect>,
    /// Folders, links and headers.
    pub others: Vec<&'static str>,
    /// The word for the container in hops.
    pub kind: &'static str,
    /// How many members were streamed.
    pub streamed: usize,
}

impl Seen {
    fn take(&mut self, trouble: Trouble) {
        self.effects.push(trouble.effect);
        self.codes.push(trouble.code.into_owned());
    }

    /// Members by name, in a form that is easy to write down.
    pub fn named(&self) -> Vec<(&str, &[u8])> {
        let members = self.members.iter();
        members
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect()
    }
}

/// Walks content to its end.
pub fn walk(format: &dyn Format, bytes: &[u8], limits: &Limits) -> Result<Seen, Trouble> {
    walk_input(format, Input::Memory(Bytes::copy_from_slice(bytes)), limits)
}

/// Walks content to its end, wherever it is.
pub fn walk_input(format: &dyn Format, input: Input, limits: &Limits) -> Result<Seen, Trouble> {
    harvest(format, &input);
    let mut walker = format.open(input, limits)?;
    Ok(walked(walker.as_mut()))
}

/// Keeps what a test walks in the folder that STRANDLINE_FUZZ_HARVEST names, if it does: seeds of `tests/fuzz`.
fn harvest(format: &dyn Format, input: &Input) {
    /// What is larger is slow to mutate and tells no more, in bytes.
    const SEED_MAX: u64 = 8 << 10;
    let Some(folder) = std::env::var_os("STRANDLINE_FUZZ_HARVEST") else {
        return;
    };
    if input.len() > SEED_MAX {
        return;
    }
    let bytes = input.slice(0, SEED_MAX as usize).unwrap();
    let folder = std::path::Path::new(&folder).join(format.name());
    std::fs::create_dir_all(&folder).unwrap();
    let name = blake3::hash(&bytes).to_hex();
    std::fs::write(folder.join(&name[..16]), bytes).unwrap();
}

/// What a walker gives until its end.
pub fn walked(walker: &mut dyn Walker) -> Seen {
    let mut seen = Seen::default();
    while let Some(event) = walker.next() {
        match event {
            Event::Member(member) => {
                if let Some(trouble) = member.trouble {
                    seen.take(trouble);
                }
                let content = match member.body {
                    Body::Held(content) => content.to_vec(),
                    Body::Streamed(_) => {
                        seen.streamed += 1;
                        let (mut content, mut buffer) = (Vec::new(), [0; 1 << 10]);
                        loop {
                            match walker.read_streamed(&mut buffer) {
                                0 => break,
                                got => content.extend_from_slice(&buffer[..got]),
                            }
                        }
                        if let Some(trouble) = walker.streamed_trouble() {
                            seen.take(trouble);
                        }
                        content
                    }
                    Body::At(_) | Body::Files(_) | Body::Absent => continue,
                };
                let name = match member.name {
                    MemberName::Named(name) => String::from_utf8_lossy(&name).into_owned(),
                    MemberName::Offset(at) => format!("@{at}"),
                };
                seen.members.push((name, content));
            }
            Event::Trouble(trouble) => seen.take(trouble),
            Event::Other(kind) | Event::NamedOther(kind, ..) => seen.others.push(kind),
            Event::Map(_) => seen.others.push("map"),
        }
    }
    seen.kind = walker.kind();
    seen
}

/// Puts numbers and texts at offsets of a block of zeros.
fn laid(len: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; len];
    for (at, field) in fields {
        bytes[*at..at + field.len()].copy_from_slice(field);
    }
    bytes
}

/// An ELF file of nothing but one note.
pub fn elf_with_note(name: &[u8], data: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    note.extend((name.len() as u32 + 1).to_le_bytes());
    note.extend((data.len() as u32).to_le_bytes());
    note.extend(0_u32.to_le_bytes());
    note.extend(name);
    note.resize((note.len() + 1).next_multiple_of(4), 0);
    note.extend(data);
    note.resize(note.len().next_multiple_of(4), 0);
    let len = (note.len() as u64).to_le_bytes();
    let mut exe = laid(
        120,
        &[
            // 64 bits, little-endian, version 1; then type, machine, version.
            (0, b"\x7fELF\x02\x01\x01"),
            (16, &[2, 0, 62, 0, 1]),
            // One program header of 56 bytes at 64: PT_NOTE, readable, at 120.
            (32, &[64]),
            (52, &[64, 0, 56, 0, 1, 0, 64]),
            (64, &[4, 0, 0, 0, 4]),
            (72, &[120]),
            (96, &len),
            (104, &len),
            (112, &[4]),
        ],
    );
    exe.extend(note);
    exe
}

/// A Mach-O file of nothing but one segment with one section.
pub fn macho_with_section(segment: &[u8], section: &[u8], data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u64).to_le_bytes();
    let mut exe = laid(
        184,
        &[
            (0, b"\xcf\xfa\xed\xfe\x07\0\0\x01"),
            // An executable with one load command of 152 bytes: LC_SEGMENT_64.
            (12, &[2]),
            (16, &[1]),
            (20, &[152]),
            (32, &[0x19]),
            (36, &[152]),
            (40, segment),
            (64, &len),
            (72, &[184]),
            (80, &len),
            (96, &[1]),
            (104, section),
            (120, segment),
            (144, &len),
            (152, &[184]),
        ],
    );
    exe.extend(data);
    exe
}

/// A PE file of nothing but one section.
pub fn pe_with_section(name: &[u8], data: &[u8]) -> Vec<u8> {
    let len = (data.len() as u32).to_le_bytes();
    let mut exe = laid(
        0x200,
        &[
            (0, b"MZ"),
            (0x3c, &[0x40]),
            (0x40, b"PE\0\0\x64\x86\x01"),
            // 240 bytes of optional header for 64 bits, with 16 directories.
            (0x54, &[240]),
            (0x58, &[0x0b, 0x02]),
            (0xc4, &[16]),
            (0x148, name),
            (0x150, &len),
            (0x154, &[0, 0x10]),
            (0x158, &len),
            (0x15c, &[0, 0x02]),
        ],
    );
    exe.extend(data);
    exe
}
