//! The fingerprints of a `.wfp`, as SCANOSS's clients make them.
//!
//! Letters and digits of ASCII, lower-case, and nothing else of the bytes; CRC-32C of each 30 of them in a row; of each 64
//! such in a row the least, where it is another than the one before. What is written is CRC-32C of that value (its four
//! bytes, little-endian), with the line in which the last byte of the window stands. So every run of 93 letters and digits
//! that two files share gives a value that both have.
//!
//! A CRC is linear, so that of the next 30 bytes follows from that of the last by two look-ups. What this leaves out:
//! the rules by which a client passes whole files over (by name, by length, by their first line), and the digests of lines.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::super::digest::{hex, md5_of};

/// Letters and digits of which one value is made.
const GRAM: usize = 30;
/// Values of which the least is taken.
const WINDOW: usize = 64;

/// The polynomial of CRC-32C (RFC 3720, appendix B.4), reflected.
const POLYNOMIAL: u32 = 0x82F6_3B78;

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                value >> 1 ^ POLYNOMIAL
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[byte] = value;
        byte += 1;
    }
    table
}

/// What a byte that is about to fall out has left in the state: itself, then as many zeros as a gram is long.
const fn leaving() -> [u32; 256] {
    let mut leaving = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut state = TABLE[byte];
        let mut zeros = 0;
        while zeros < GRAM {
            state = state >> 8 ^ TABLE[(state & 0xFF) as usize];
            zeros += 1;
        }
        leaving[byte] = state;
        byte += 1;
    }
    leaving
}

/// What the start value of the CRC comes to over a gram.
const fn start() -> u32 {
    let mut state = u32::MAX;
    let mut bytes = 0;
    while bytes < GRAM {
        state = state >> 8 ^ TABLE[(state & 0xFF) as usize];
        bytes += 1;
    }
    state
}

static TABLE: [u32; 256] = table();
static LEAVING: [u32; 256] = leaving();
const START: u32 = start();

fn step(state: u32, byte: u8) -> u32 {
    state >> 8 ^ TABLE[usize::from(state as u8 ^ byte)]
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(u32::MAX, |state, &byte| step(state, byte))
}

/// What stands behind the `file=` line of a content: `fh2=` with the MD5 of the text with the other kind of line ends,
/// and lines of fingerprints. Content with a NUL is taken for no text and has none.
#[must_use]
pub fn winnowed(content: &[u8]) -> String {
    let mut out = String::new();
    if memchr::memchr(0, content).is_some() {
        return out;
    }
    if let Some(other) = with_other_ends(content) {
        let _ = writeln!(out, "fh2={}", hex(&md5_of(&other)));
    }
    let mut grams = VecDeque::with_capacity(GRAM + 1);
    let mut window = VecDeque::with_capacity(WINDOW + 1);
    let (mut state, mut line, mut last_line) = (0, 1_u64, 0);
    let mut last = None;
    let mut least = u32::MAX;
    for &byte in content {
        if byte == b'\n' {
            line += 1;
        }
        if !byte.is_ascii_alphanumeric() {
            continue;
        }
        let byte = byte.to_ascii_lowercase();
        state = step(state, byte);
        grams.push_back(byte);
        if grams.len() > GRAM
            && let Some(gone) = grams.pop_front()
        {
            state ^= LEAVING[usize::from(gone)];
        }
        if grams.len() < GRAM {
            continue;
        }
        let value: u32 = !(state ^ START);
        window.push_back(value);
        least = least.min(value);
        if window.len() > WINDOW && window.pop_front() == Some(least) {
            least = window.iter().copied().min().unwrap_or(u32::MAX);
        }
        if window.len() < WINDOW || last == Some(least) {
            continue;
        }
        let written = crc32c(&least.to_le_bytes());
        let _ = if last_line == line {
            write!(out, ",{written:08x}")
        } else {
            let end = if last_line == 0 { "" } else { "\n" };
            write!(out, "{end}{line}={written:08x}")
        };
        (last, last_line) = (Some(least), line);
    }
    if last.is_some() {
        out.push('\n');
    }
    out
}

/// The same lines with CRLF at their ends, or with LF where all have CRLF. `None` where there are no lines.
fn with_other_ends(content: &[u8]) -> Option<Vec<u8>> {
    let (mut pairs, mut alone) = (0_u64, 0_u64);
    let mut plain = Vec::with_capacity(content.len());
    let mut bytes = content.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.next_if_eq(&b'\n').is_some() => pairs += 1,
            b'\r' | b'\n' => alone += 1,
            other => {
                plain.push(other);
                continue;
            }
        }
        plain.push(b'\n');
    }
    if pairs + alone == 0 {
        return None;
    }
    if alone == 0 {
        return Some(plain);
    }
    let mut other = Vec::with_capacity(plain.len() + (pairs + alone) as usize);
    for byte in plain {
        if byte == b'\n' {
            other.push(b'\r');
        }
        other.push(byte);
    }
    Some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_agrees_with_the_published_vectors() {
        // RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    }

    #[test]
    fn values_that_roll_are_those_of_each_gram() {
        let text = b"the quick brown fox jumps over the lazy dog and then it sleeps".to_vec();
        let letters: Vec<u8> = text
            .iter()
            .copied()
            .filter(u8::is_ascii_alphanumeric)
            .collect();
        let mut state = 0;
        for (at, &byte) in letters.iter().enumerate() {
            state = step(state, byte);
            if at >= GRAM {
                state ^= LEAVING[usize::from(letters[at - GRAM])];
            }
            if at + 1 >= GRAM {
                assert_eq!(!(state ^ START), crc32c(&letters[at + 1 - GRAM..=at]));
            }
        }
    }

    #[test]
    fn line_ends_are_turned_round() {
        assert_eq!(with_other_ends(b"abc"), None);
        assert_eq!(with_other_ends(b"a\nb\r\n\r").unwrap(), b"a\r\nb\r\n\r\n");
        assert_eq!(with_other_ends(b"a\r\nb\r\n").unwrap(), b"a\nb\n");
    }
}
