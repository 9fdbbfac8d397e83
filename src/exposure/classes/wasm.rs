//! WebAssembly modules with names, with symbols for debuggers.
//!
//! Both are custom sections (WebAssembly core specification, 5.5.2 and appendix A.4.1; "DWARF for WebAssembly"). Names are
//! what most tools leave in; DWARF has the paths of the sources too. A link to a source map is a reference of its own.

use super::read::{Reader, counted, grouped, listed};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// Names of functions that are told.
const NAMES_MAX: u64 = 64;

/// Modules with names or symbols.
pub(super) struct WasmSymbols;

#[derive(Default)]
struct Seen<'a> {
    dwarf: u64,
    functions: u64,
    names: Vec<&'a [u8]>,
}

impl Class for WasmSymbols {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        let mut reader = Reader::new(bytes);
        if reader.take(4)? != b"\0asm" || reader.take(4)? != [1, 0, 0, 0] {
            return None;
        }
        let mut seen = Seen::default();
        while let Some(section) = next(&mut reader) {
            seen.look(section);
        }
        let mut said = Vec::new();
        if seen.dwarf > 0 {
            said.push(format!("DWARF of {} bytes", grouped(seen.dwarf)));
        }
        if seen.functions > 0 {
            let names = counted(seen.functions, "named function");
            said.push(format!("{names} ({})", listed(&seen.names)));
        }
        let circumstance = if seen.dwarf > 0 { "" } else { "names-only" };
        (!said.is_empty()).then(|| Artifact::proven("wasm-symbols", circumstance, said.join(", ")))
    }
}

/// The next custom section's content; empty for other sections. `None` at the end.
fn next<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let id = reader.byte()?;
    let len = usize::try_from(reader.leb128()?).ok()?;
    let section = reader.take(len)?;
    Some(if id == 0 { section } else { b"" })
}

fn text<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let len = usize::try_from(reader.leb128()?).ok()?;
    reader.take(len)
}

impl<'a> Seen<'a> {
    fn look(&mut self, section: &'a [u8]) {
        let mut reader = Reader::new(section);
        match text(&mut reader) {
            Some(b".debug_info") => self.dwarf += reader.rest().len() as u64,
            Some(b"name") => {
                self.read_names(reader);
            }
            _ => {}
        }
    }

    /// The second part of the section: how many functions, then each one's number and name.
    fn read_names(&mut self, mut section: Reader<'a>) -> Option<()> {
        const FUNCTIONS: u8 = 1;
        loop {
            let kind = section.byte()?;
            let part = text(&mut section)?;
            if kind != FUNCTIONS {
                continue;
            }
            let mut part = Reader::new(part);
            let count = part.leb128()?;
            for index in 0..count {
                part.leb128()?;
                let name = text(&mut part)?;
                self.functions += 1;
                if index < NAMES_MAX {
                    self.names.push(name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id, content.len() as u8][..], content].concat()
    }

    fn told(sections: &[Vec<u8>]) -> Option<(String, String)> {
        let bytes = [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat();
        WasmSymbols
            .recognise(&bytes, &Hits::default())
            .map(|found| (found.circumstance, found.detail))
    }

    #[test]
    fn names_and_symbols_are_told() {
        let names = section(0, b"\x04name\x00\x02\x01m\x01\x09\x02\x00\x03add\x01\x01b");
        assert_eq!(
            told(&[section(1, b"\0"), names.clone()]).unwrap(),
            ("names-only".into(), "2 named functions (add, b)".into())
        );
        let dwarf = section(0, b"\x0b.debug_infoxyz");
        assert_eq!(
            told(&[dwarf, names]).unwrap().1,
            "DWARF of 3 bytes, 2 named functions (add, b)"
        );
        assert_eq!(told(&[section(1, b"\0")]), None);
        assert_eq!(told(&[section(0, b"\x04name\x01\x7f")]), None);
        assert_eq!(told(&[vec![0, 0xff]]), None);
    }
}
