//! GGUF, and the formats of GGML before it: language models for programs that run on one machine.
//!
//! Read: the numbers of tensors and of pairs that the header states, the pairs that name the model, and, where the
//! tensors' own list is there, their parameters. Source: the format's description in the repository of `ggml`.

use super::super::read::{Reader, counted, grouped, listed};
use super::Weights;

/// Pairs and tensors beyond these are made to keep a reader busy.
const PAIRS_MAX: u64 = 1 << 16;
const TENSORS_MAX: u64 = 1 << 20;
/// Arrays within arrays, which the format allows and nobody writes.
const NESTING_MAX: u32 = 4;
/// A longer text is no name of a model.
const NAME_MAX_BYTES: usize = 512;

/// Pairs that say what the model is.
const TOLD: [&str; 9] = [
    "general.architecture",
    "general.name",
    "general.author",
    "general.organization",
    "general.license",
    "general.finetune",
    "general.size_label",
    "general.base_model.0.name",
    "general.source.url",
];

/// Magics of the formats before GGUF, as they stand in a file.
const BEFORE: [(&[u8; 4], &str); 4] = [
    (b"lmgg", "GGML"),
    (b"fmgg", "GGMF"),
    (b"tjgg", "GGJT"),
    (b"algg", "GGLA, an adapter"),
];

/// The model in content that begins so. `is_whole`: nothing more stands behind it.
pub(super) fn recognise(bytes: &[u8], is_whole: bool) -> Option<Weights> {
    let mut reader = Reader::new(bytes);
    let magic = reader.take(4)?;
    if magic != b"GGUF" {
        let (_, name) = BEFORE.iter().find(|(known, _)| magic == &known[..])?;
        return (bytes.len() > 64).then(|| Weights {
            said: format!("{name}, a model in a format before GGUF"),
            bytes: bytes.len() as u64,
        });
    }
    let version = reader.u32_le()?;
    let wide = match version {
        1 => false,
        2 | 3 => true,
        // The same, written the other way round.
        _ if version.swap_bytes() == 3 => {
            return Some(Weights {
                said: "GGUF 3 in big-endian order: its header was not read".into(),
                bytes: bytes.len() as u64,
            });
        }
        _ => return None,
    };
    let tensors = count(&mut reader, wide)?;
    let pairs = count(&mut reader, wide)?;
    if pairs > PAIRS_MAX || tensors > TENSORS_MAX {
        return None;
    }
    let mut told = Vec::new();
    let mut said = format!("GGUF {version}: {}", counted(tensors, "tensor"));
    let is_read = (0..pairs).all(|_| pair(&mut reader, wide, &mut told).is_some());
    let parameters = if is_read {
        parameters(&mut reader, wide, tensors)
    } else {
        None
    };
    match parameters {
        Some(parameters) => said.push_str(&format!(", {} parameters", grouped(parameters))),
        None if is_whole => said.push_str(", its header is damaged"),
        None => {}
    }
    if !told.is_empty() {
        said.push_str(&format!("; {}", listed(&told)));
    }
    Some(Weights {
        said,
        bytes: bytes.len() as u64,
    })
}

fn count(reader: &mut Reader, wide: bool) -> Option<u64> {
    if wide {
        reader.u64_le()
    } else {
        reader.u32_le().map(u64::from)
    }
}

fn text<'a>(reader: &mut Reader<'a>, wide: bool) -> Option<&'a [u8]> {
    let len = count(reader, wide)?;
    reader.take(usize::try_from(len).ok()?)
}

fn pair(reader: &mut Reader, wide: bool, told: &mut Vec<String>) -> Option<()> {
    const STRING: u32 = 8;
    let key = text(reader, wide)?;
    let kind = reader.u32_le()?;
    if kind != STRING {
        return skip(reader, kind, wide, 0);
    }
    let value = text(reader, wide)?;
    if let Some(known) = TOLD.iter().find(|known| known.as_bytes() == key)
        && value.len() <= NAME_MAX_BYTES
    {
        let short = known.trim_start_matches("general.");
        told.push(format!("{short}={}", String::from_utf8_lossy(value)));
    }
    Some(())
}

/// Bytes of a value of a type; `None` for texts, arrays and what is no type.
fn width(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn skip(reader: &mut Reader, kind: u32, wide: bool, nesting: u32) -> Option<()> {
    if let Some(width) = width(kind) {
        return reader.skip(width);
    }
    match kind {
        8 => text(reader, wide).map(|_| ()),
        9 if nesting < NESTING_MAX => {
            let inner = reader.u32_le()?;
            let len = count(reader, wide)?;
            if let Some(width) = width(inner) {
                return reader.skip(len.checked_mul(width)?);
            }
            // Each takes bytes of its own, so that a length which is made up ends with the bytes.
            (0..len).try_for_each(|_| skip(reader, inner, wide, nesting + 1))
        }
        _ => None,
    }
}

/// All numbers of all tensors; `None` where their list is not there in full.
fn parameters(reader: &mut Reader, wide: bool, tensors: u64) -> Option<u64> {
    const DIMENSIONS_MAX: u32 = 8;
    let mut total = 0_u64;
    for _ in 0..tensors {
        text(reader, wide)?;
        let dimensions = reader.u32_le()?;
        if dimensions > DIMENSIONS_MAX {
            return None;
        }
        let mut numbers = 1_u64;
        for _ in 0..dimensions {
            numbers = numbers.saturating_mul(count(reader, wide)?);
        }
        total = total.saturating_add(numbers);
        // Its type, and where it stands.
        reader.skip(12)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn model() -> Vec<u8> {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(3_u64.to_le_bytes());
        bytes.extend(
            [
                &string("general.architecture")[..],
                &8_u32.to_le_bytes(),
                &string("llama"),
            ]
            .concat(),
        );
        bytes.extend([&string("n")[..], &4_u32.to_le_bytes(), &7_u32.to_le_bytes()].concat());
        let array = [
            &string("tokens")[..],
            &9_u32.to_le_bytes(),
            &8_u32.to_le_bytes(),
            &2_u64.to_le_bytes(),
        ]
        .concat();
        bytes.extend([array, string("a"), string("b")].concat());
        bytes.extend(string("w"));
        bytes.extend(2_u32.to_le_bytes());
        bytes.extend([3_u64.to_le_bytes(), 5_u64.to_le_bytes()].concat());
        bytes.extend([0; 12]);
        bytes
    }

    #[test]
    fn a_model_says_what_it_is() {
        let bytes = model();
        let said = |bytes: &[u8], whole| recognise(bytes, whole).map(|found| found.said);
        assert_eq!(
            said(&bytes, true).as_deref(),
            Some("GGUF 3: 1 tensor, 15 parameters; architecture=llama")
        );
        let cut = &bytes[..80];
        assert_eq!(
            said(cut, false).as_deref(),
            Some("GGUF 3: 1 tensor; architecture=llama")
        );
        assert!(said(cut, true).is_some_and(|said| said.contains("damaged")));
        assert!(said(b"GGUF\x09\0\0\0", true).is_none());
        assert!(said(b"GGUF", true).is_none());
    }

    #[test]
    fn made_up_lengths_take_neither_time_nor_memory() {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(string("tokens"));
        bytes.extend([9_u32.to_le_bytes(), 9_u32.to_le_bytes()].concat());
        bytes.extend(u64::MAX.to_le_bytes());
        assert!(recognise(&bytes, true).is_some());
        bytes.truncate(8);
        bytes.extend([0xff; 16]);
        assert!(recognise(&bytes, true).is_none());
    }
}
