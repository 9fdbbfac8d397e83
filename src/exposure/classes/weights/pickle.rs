//! Pickles: objects of Python as a little program that builds them, and with them most models before safetensors.
//!
//! The program is read, never run: opcode after opcode, for the names of the modules whose classes and functions it calls.
//! Those say what the objects are (`torch`, `sklearn`) and whether loading them starts something (`os`, `subprocess`).
//! Source: `pickletools.py` of Python, whose table of opcodes this follows.
//!
//! Left out: protocols 0 and 1, which have no magic.

use std::collections::BTreeSet;

use super::super::read::Reader;

/// Names that are kept.
const GLOBALS_MAX: usize = 512;
/// Strings that a name may be made of are the last ones on the stack, or among the first that were remembered.
const MEMO_MAX: usize = 1 << 14;
/// A longer text is no name of a module.
const NAME_MAX_BYTES: usize = 200;

/// What a pickle is made of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pickle {
    /// Names of the classes and functions that it calls, such as `collections OrderedDict`.
    pub(super) globals: BTreeSet<String>,
    /// It ends with what was read, and not with its last opcode.
    pub(super) is_cut: bool,
}

/// How an opcode's argument is read.
enum Argument {
    None,
    Bytes(u64),
    /// Its length first: in 1, 4 or 8 bytes.
    Counted(u32),
    Line,
}

fn argument(opcode: u8) -> Option<Argument> {
    Some(match opcode {
        b'(' | b'0' | b'1' | b'2' | b'N' | b'Q' | b'R' | b'a' | b'b' | b'd' | b'}' | b'e'
        | b'l' | b']' | b'o' | b's' | b't' | b')' | b'u' => Argument::None,
        0x81 | 0x85..=0x89 | 0x8f..=0x94 | 0x97 | 0x98 => Argument::None,
        b'K' | b'h' | b'q' | 0x80 | 0x82 => Argument::Bytes(1),
        b'M' | 0x83 => Argument::Bytes(2),
        b'J' | b'j' | b'r' | 0x84 => Argument::Bytes(4),
        b'G' | 0x95 => Argument::Bytes(8),
        b'U' | b'C' | 0x8a | 0x8c => Argument::Counted(1),
        b'T' | b'X' | b'B' | 0x8b => Argument::Counted(4),
        0x8d | 0x8e | 0x96 => Argument::Counted(8),
        b'F' | b'I' | b'L' | b'P' | b'S' | b'V' | b'g' | b'p' => Argument::Line,
        _ => return None,
    })
}

/// Reads the program that content begins with. `None` where it is none.
pub(super) fn read(bytes: &[u8], is_whole: bool) -> Option<Pickle> {
    let mut reader = Reader::new(bytes);
    if reader.byte()? != 0x80 || !(2..=5).contains(&reader.byte()?) {
        return None;
    }
    let mut pickle = Pickle::default();
    let mut names = Names::default();
    loop {
        let Some(opcode) = reader.byte() else {
            pickle.is_cut = true;
            break;
        };
        if opcode == b'.' {
            break;
        }
        match step(opcode, &mut reader, &mut pickle, &mut names) {
            Step::Next => {}
            Step::Cut => {
                pickle.is_cut = true;
                break;
            }
            Step::Wrong => return None,
        }
    }
    // Of a whole file that ends in the middle nothing is known.
    (!(pickle.is_cut && is_whole)).then_some(pickle)
}

enum Step {
    Next,
    Cut,
    Wrong,
}

fn step<'a>(
    opcode: u8,
    reader: &mut Reader<'a>,
    pickle: &mut Pickle,
    names: &mut Names<'a>,
) -> Step {
    if matches!(opcode, b'c' | b'i') {
        return match (line(reader), line(reader)) {
            (Some(module), Some(name)) => pickle.add(module, name),
            _ => Step::Cut,
        };
    }
    let Some(kind) = argument(opcode) else {
        return Step::Wrong;
    };
    let taken = match kind {
        Argument::None => Some(&b""[..]),
        Argument::Bytes(len) => reader.take(len as usize),
        Argument::Counted(width) => {
            let len = match width {
                1 => reader.byte().map(u64::from),
                4 => reader.u32_le().map(u64::from),
                _ => reader.u64_le(),
            };
            len.and_then(|len| usize::try_from(len).ok())
                .and_then(|len| reader.take(len))
        }
        Argument::Line => line(reader),
    };
    let Some(taken) = taken else { return Step::Cut };
    let remembers = matches!(opcode, 0x94 | b'q' | b'r');
    names.is_top &= remembers;
    match opcode {
        0x8c | b'X' | 0x8d => names.push(taken),
        // Remembered under the next number, or under one that is named.
        0x94 => names.remember(None),
        b'q' | b'r' => names.remember(number(taken)),
        b'h' | b'j' => names.recall(number(taken)),
        0x93 => {
            let [module, name] = names.last;
            return pickle.add(module, name);
        }
        _ => {}
    }
    Step::Next
}

fn line<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let len = memchr::memchr(b'\n', reader.rest())?;
    let taken = reader.take(len)?;
    reader.take(1)?;
    Some(taken)
}

/// A number in one or four bytes.
fn number(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [one] => Some(usize::from(one)),
        [a, b, c, d] => usize::try_from(u32::from_le_bytes([a, b, c, d])).ok(),
        _ => None,
    }
}

impl Pickle {
    fn add(&mut self, module: &[u8], name: &[u8]) -> Step {
        let is_name = |text: &[u8]| {
            !text.is_empty()
                && text.len() <= NAME_MAX_BYTES
                && text
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'<' | b'>'))
        };
        if is_name(module) && is_name(name) && self.globals.len() < GLOBALS_MAX {
            let text = [module, b" ", name].concat();
            self.globals
                .insert(String::from_utf8_lossy(&text).into_owned());
        }
        Step::Next
    }
}

/// The last two texts, and those that were remembered: what names are made of since protocol 4.
#[derive(Default)]
struct Names<'a> {
    last: [&'a [u8]; 2],
    memo: Vec<&'a [u8]>,
    /// The thing on top is the last text.
    is_top: bool,
}

impl<'a> Names<'a> {
    fn push(&mut self, text: &'a [u8]) {
        self.last = [self.last[1], text];
        self.is_top = true;
    }

    fn remember(&mut self, at: Option<usize>) {
        let at = at.unwrap_or(self.memo.len());
        if at < MEMO_MAX {
            if self.memo.len() <= at {
                self.memo.resize(at + 1, b"");
            }
            self.memo[at] = if self.is_top { self.last[1] } else { b"" };
        }
        self.is_top = false;
    }

    fn recall(&mut self, at: Option<usize>) {
        if let Some(text) = at
            .and_then(|at| self.memo.get(at))
            .filter(|t| !t.is_empty())
        {
            self.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globals(bytes: &[u8]) -> Option<Vec<String>> {
        read(bytes, true).map(|pickle| pickle.globals.into_iter().collect())
    }

    #[test]
    fn names_are_read_in_every_protocol() {
        // Both are `pickle.dumps(collections.OrderedDict(), protocol)` of Python 3.11.
        let two = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01.";
        let four = b"\x80\x04\x95\x22\0\0\0\0\0\0\0\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94.";
        for bytes in [&two[..], four] {
            assert_eq!(
                globals(bytes),
                Some(vec!["collections OrderedDict".to_owned()])
            );
        }
        // A module that was named before stands for itself by its number.
        let again = b"\x80\x04\x8c\x01m\x94\x8c\x01a\x94\x93\x94h\x00\x8c\x01b\x94\x93\x94.";
        assert_eq!(
            globals(again),
            Some(vec!["m a".to_owned(), "m b".to_owned()])
        );
    }

    #[test]
    fn what_is_cut_or_no_program_is_none() {
        assert_eq!(globals(b"\x80\x04\x8c\x0bcoll"), None);
        assert!(read(b"\x80\x04\x8c\x0bcoll", false).is_some_and(|pickle| pickle.is_cut));
        assert_eq!(globals(b"\x80\x04\xff."), None);
        assert_eq!(globals(b"\x80\x09."), None);
        assert_eq!(
            globals(b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff."),
            None
        );
        assert_eq!(globals(b""), None);
    }
}
