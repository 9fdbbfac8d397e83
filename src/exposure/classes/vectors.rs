//! Indexes of vectors: what was embedded can in part be got back from them, and who holds one can ask it.
//!
//! Told by their first bytes: FAISS by the four letters of the sort of index and a dimension that goes with its length; hnswlib,
//! which has no magic, by a header whose sizes must agree with each other and with the file's; USearch by its name. Sources:
//! `index_write.cpp` of FAISS, `hnswalg.h` of hnswlib.
//!
//! Left out: Annoy, whose files are bare numbers.

use super::read::{Reader, counted};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// More dimensions than any embedding has.
const DIMENSIONS_MAX: u32 = 1 << 16;

/// Indexes of vectors.
pub(super) struct VectorIndex;

impl Class for VectorIndex {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        index(bytes, Some(bytes.len() as u64))
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        index(head, None)
    }
}

fn index(bytes: &[u8], len: Option<u64>) -> Option<Artifact> {
    let said = faiss(bytes)
        .or_else(|| usearch(bytes))
        .or_else(|| hnswlib(bytes, len))?;
    Some(Artifact::proven("vector-index", "", said))
}

/// Letters of the sorts of indexes, then the dimension, the number of vectors, and two numbers that are always the same.
fn faiss(bytes: &[u8]) -> Option<String> {
    const UNUSED: u64 = 1 << 20;
    let [b'I', kind @ ..] = *bytes.first_chunk::<4>()? else {
        return None;
    };
    if !kind.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let letters = String::from_utf8_lossy(&kind).into_owned();
    let mut reader = Reader::at(bytes, 4)?;
    let dimensions = reader.u32_le()?;
    let vectors = reader.u64_le()?;
    if !(1..=DIMENSIONS_MAX).contains(&dimensions)
        || reader.u64_le()? != UNUSED
        || reader.u64_le()? != UNUSED
    {
        return None;
    }
    Some(format!(
        "FAISS I{letters}: {} of {dimensions} dimensions",
        counted(vectors, "vector")
    ))
}

fn usearch(bytes: &[u8]) -> Option<String> {
    // Its own header stands behind the vectors, unless they are kept elsewhere.
    bytes.starts_with(b"usearch").then(|| "USearch".to_owned())
}

/// `offsetLevel0, max_elements, cur_element_count, size_data_per_element, label_offset, offsetData`, each of eight bytes.
fn hnswlib(bytes: &[u8], len: Option<u64>) -> Option<String> {
    const HEADER: u64 = 96;
    let mut reader = Reader::new(bytes);
    let level0 = reader.u64_le()?;
    let room = reader.u64_le()?;
    let count = reader.u64_le()?;
    let [size, label, data] = [reader.u64_le()?, reader.u64_le()?, reader.u64_le()?];
    // The label is the last of an element, behind its vector.
    let vector = label.checked_sub(data)?;
    let fits = level0 == 0
        && count > 0
        && count <= room
        && size == label.checked_add(8)?
        && data > 0
        && vector > 0
        && vector.is_multiple_of(4)
        && vector / 4 <= u64::from(DIMENSIONS_MAX)
        && len.is_none_or(|len| {
            count
                .checked_mul(size)
                .and_then(|all| all.checked_add(HEADER))
                .is_some_and(|least| least <= len)
        });
    fits.then(|| format!("hnswlib: {} of {vector} bytes", counted(count, "vector")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> Option<String> {
        index(bytes, Some(bytes.len() as u64)).map(|found| found.detail)
    }

    #[test]
    fn each_form_is_told() {
        let mut flat = b"IxFI".to_vec();
        flat.extend(64_u32.to_le_bytes());
        for number in [1_000_u64, 1 << 20, 1 << 20] {
            flat.extend(number.to_le_bytes());
        }
        assert_eq!(
            said(&flat).as_deref(),
            Some("FAISS IxFI: 1,000 vectors of 64 dimensions")
        );
        flat[20] = 9;
        assert_eq!(said(&flat), None);

        let numbers = [0_u64, 10, 2, 32 + 8, 32, 16];
        let mut graph: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        graph.resize(96 + 80, 0);
        assert_eq!(
            said(&graph).as_deref(),
            Some("hnswlib: 2 vectors of 16 bytes")
        );
        graph.pop();
        assert_eq!(said(&graph), None);
        assert_eq!(said(&[0; 200]), None);
        assert_eq!(said(b"Image of a cat"), None);
    }
}
