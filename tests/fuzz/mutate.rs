//! Making mutants: a seed, changed in a few places as a hostile or a broken writer would.
//!
//! A mutant is a function of the run's seed, the target's name and its own number, and of nothing else: neither the clock
//! nor the order of targets. So a number is all that it takes to get one back.

use crate::common::Random;

/// Values at which lengths, counts and signs turn.
const EDGES: [u64; 16] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];
/// A mutant is not longer, in bytes: what hides in length alone is what the tests of limits are for.
const MUTANT_MAX: usize = 96 << 10;

/// A random number generator for one mutant.
pub fn random(seed: u64, target: &str, number: u64) -> Random {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(target.as_bytes());
    hasher.update(&number.to_le_bytes());
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    Random::new(u64::from_le_bytes(bytes) | 1)
}

/// A number below `end`; 0 where that is 0.
pub fn below(random: &mut Random, end: usize) -> usize {
    ((random.number() >> 11) % end.max(1) as u64) as usize
}

/// One of some things, of which there is one at least.
pub fn pick<'a, T>(random: &mut Random, of: &'a [T]) -> &'a T {
    &of[below(random, of.len())]
}

/// A mutant of one of `seeds`; `words` are what the format is written with.
pub fn mutant(random: &mut Random, seeds: &[Vec<u8>], words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = pick(random, seeds).clone();
    // Mostly one change, seldom many: what is broken everywhere is refused at the door.
    let changes = 1 << below(random, 5);
    for _ in 0..=below(random, changes) {
        change(random, &mut bytes, seeds, words);
    }
    bytes.truncate(MUTANT_MAX);
    bytes
}

/// A place: anywhere, or near an end, where headers and trailers are; and rather where something stands than in padding.
fn place(random: &mut Random, bytes: &[u8]) -> usize {
    let len = bytes.len();
    let at = match below(random, 4) {
        0 => below(random, len.min(64)),
        1 => len.saturating_sub(1 + below(random, len.min(64))),
        _ => below(random, len),
    };
    let padding = bytes[at.min(len)..].iter().position(|&byte| byte != 0);
    match padding {
        Some(padding) if padding > 8 && below(random, 4) > 0 => at + padding,
        _ => at,
    }
}

/// The length of a piece: mostly short.
fn span(random: &mut Random, most: usize) -> usize {
    let short = 1 << below(random, 10);
    1 + below(random, most.min(short))
}

fn change(random: &mut Random, bytes: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&[u8]]) {
    if bytes.is_empty() {
        bytes.push(random.number() as u8);
        return;
    }
    let at = place(random, bytes);
    match below(random, 16) {
        0 | 1 => bytes[at] ^= 1 << below(random, 8),
        2 => bytes[at] = *pick(random, &[0, 1, 0x7f, 0x80, 0xff, b'"', b'\\', b'\n', b'/']),
        3 => bytes[at] = bytes[at].wrapping_add(*pick(random, &[1, 0xff, 16, 0xf0])),
        4..=6 => number(random, bytes, at),
        7 => digits(random, bytes),
        8 => bytes.truncate(at),
        9 => {
            let end = at + span(random, bytes.len() - at);
            bytes.drain(at..end);
        }
        10 => {
            let end = at + span(random, bytes.len() - at);
            let piece = bytes[at..end].to_vec();
            let to = place(random, bytes);
            bytes.splice(to..to, piece);
        }
        11 => {
            let end = at + span(random, bytes.len() - at);
            let piece = bytes[at..end].to_vec();
            let to = below(random, bytes.len() - piece.len() + 1);
            bytes[to..to + piece.len()].copy_from_slice(&piece);
        }
        12 => {
            let other = pick(random, seeds);
            let from = below(random, other.len());
            let to = from + span(random, other.len() - from).min(other.len() - from);
            bytes.splice(at..at, other[from..to].iter().copied());
        }
        13 => {
            let other = pick(random, seeds);
            let from = place(random, other);
            bytes.truncate(at);
            bytes.extend_from_slice(other.get(from..).unwrap_or_default());
        }
        14 if !words.is_empty() => {
            let word = pick(random, words);
            if below(random, 2) == 0 {
                bytes.splice(at..at, word.iter().copied());
            } else {
                let end = bytes.len().min(at + word.len());
                bytes.splice(at..end, word.iter().copied());
            }
        }
        14 => bytes.insert(at, random.number() as u8),
        _ => {
            // The same again and again: nesting, and lists that are longer than anybody thought.
            let end = at + span(random, (bytes.len() - at).min(64));
            let piece = bytes[at..end].to_vec();
            let times = 1 << below(random, 11);
            let times = times.min(MUTANT_MAX / piece.len().max(1));
            bytes.splice(at..at, piece.repeat(times));
        }
    }
}

/// Writes a number of 2, 4 or 8 bytes: one at an edge, or what stands there a little off, or how much is left.
fn number(random: &mut Random, bytes: &mut [u8], at: usize) {
    let width = *pick(random, &[1, 2, 4, 4, 8]);
    let Some(at) = bytes.len().checked_sub(width).map(|last| at.min(last)) else {
        return;
    };
    let is_big = below(random, 2) == 0;
    let mut field = [0; 8];
    field[..width].copy_from_slice(&bytes[at..at + width]);
    if is_big {
        field[..width].reverse();
    }
    let old = u64::from_le_bytes(field);
    let new = match below(random, 4) {
        0 => old.wrapping_add(*pick(random, &[1, 2, 8, u64::MAX, 0_u64.wrapping_sub(8)])),
        1 => (bytes.len() as u64).wrapping_sub(*pick(random, &[0, 1, at as u64, u64::MAX])),
        2 => 0_u64.wrapping_sub(*pick(random, &[1, 2, 8, 0x100])),
        _ => *pick(random, &EDGES),
    };
    field = new.to_le_bytes();
    if is_big {
        field[..width].reverse();
    }
    bytes[at..at + width].copy_from_slice(&field[..width]);
}

/// Writes another number where one stands in digits: decimal, octal or hexadecimal.
fn digits(random: &mut Random, bytes: &mut Vec<u8>) {
    let start = place(random, bytes);
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    let Some(from) = bytes[start..].iter().position(is_digit) else {
        return;
    };
    let from = start + from;
    let len = bytes[from..]
        .iter()
        .take_while(|byte| is_digit(byte))
        .count();
    let value = *pick(random, &EDGES);
    let text = match below(random, 4) {
        0 => format!("{value:o}"),
        1 => format!("{value:x}"),
        2 => format!("-{value}"),
        _ => value.to_string(),
    };
    // In fields of a fixed width what follows must stay where it is.
    if below(random, 2) == 0 {
        let text = format!("{text:0>len$}");
        bytes.splice(from..from + len, text.bytes().take(len));
    } else {
        bytes.splice(from..from + len, text.bytes());
    }
}
