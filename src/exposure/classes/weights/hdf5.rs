//! HDF5: models of Keras, and numbers of every other kind.
//!
//! Read: the names of what stands at the root, where the file was written with the oldest superblock (which is what
//! writers do unless told otherwise), and whether Keras left its attributes. Source: HDF5 File Format Specification 3.0,
//! sections II.A and III.D.

use super::super::read::{Reader, has, head, listed};

/// What an HDF5 file is.
pub(in super::super) struct Hdf5 {
    /// A model of Keras.
    pub(in super::super) is_keras: bool,
    /// In a phrase.
    pub(in super::super) said: String,
}

const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Attributes of the root stand in the beginning; bytes.
const LOOKED_AT: usize = 1 << 20;
/// A longer list of names is cut; bytes.
const NAMES_MAX_BYTES: u64 = 1 << 16;

/// The file that content begins with.
pub(in super::super) fn recognise(bytes: &[u8]) -> Option<Hdf5> {
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    let start = head(bytes, LOOKED_AT);
    let is_keras = has(start, b"keras_version") || has(start, b"layer_names");
    let names = root_names(bytes).unwrap_or_default();
    let what = if is_keras { "HDF5 of Keras" } else { "HDF5" };
    let said = if names.is_empty() {
        what.to_owned()
    } else {
        format!("{what}, with {} at its root", listed(&names))
    };
    Some(Hdf5 { is_keras, said })
}

/// Names of the members of the root group: those in its local heap.
fn root_names(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut superblock = Reader::at(bytes, MAGIC.len())?;
    let version = superblock.byte()?;
    superblock.skip(4)?;
    // Sizes of offsets and of lengths: eight bytes each on every machine of today.
    if version > 1 || superblock.take(2)? != [8, 8] {
        return None;
    }
    let root = if version == 0 { 56 } else { 60 };
    let mut entry = Reader::at(bytes, root + 16)?;
    const HAS_HEAP: u32 = 1;
    if entry.u32_le()? != HAS_HEAP {
        return None;
    }
    entry.skip(4 + 8)?;
    let heap = usize::try_from(entry.u64_le()?).ok()?;
    let mut heap = Reader::at(bytes, heap)?;
    if heap.take(4)? != b"HEAP" {
        return None;
    }
    heap.skip(4)?;
    let len = heap.u64_le()?.min(NAMES_MAX_BYTES);
    heap.skip(8)?;
    let data = usize::try_from(heap.u64_le()?).ok()?;
    let names = Reader::at(bytes, data)?.rest();
    let names = head(names, usize::try_from(len).ok()?);
    // Behind the names is free room, which begins with a small number: no text.
    let is_name =
        |name: &&[u8]| name.iter().all(|b| b.is_ascii_graphic() || *b == b' ') && name.len() > 1;
    Some(names.split(|&b| b == 0).filter(is_name).collect())
}
