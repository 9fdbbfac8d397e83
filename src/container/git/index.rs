//! What lies beside packs and says where each object is: `.idx`, version 1 and 2, and the index over several packs
//! (gitformat-pack(5)).
//!
//! Both are read where they lie, without a table of their own, and both are claims: a number out of range is nobody's,
//! and what a pack holds at an offset decides what it is.

use bytes::Bytes;

use super::object::{Hash, Oid};

/// The table of 256 sums in front of the names.
const FANOUT: usize = 256 * 4;

/// Why an index is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Not what an index begins with.
    #[error("it does not begin as an index does")]
    NotAnIndex,
    /// A version that is not known.
    #[error("it has a version that is not known")]
    Version,
    /// Shorter than the number of its objects needs.
    #[error("it is cut")]
    Cut,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The index of one pack.
#[derive(Debug, Clone)]
pub struct Index {
    bytes: Bytes,
    hash: Hash,
    count: u32,
    is_first: bool,
}

impl Index {
    /// Reads the index of a pack of a store whose names are `hash`.
    ///
    /// # Errors
    /// What makes it useless.
    pub fn parse(bytes: Bytes, hash: Hash) -> Result<Self, IndexError> {
        let is_first = !bytes.starts_with(b"\xfftOc");
        if !is_first && u32_at(&bytes, 4) != Some(2) {
            return Err(IndexError::Version);
        }
        let head = if is_first { 0 } else { 8 };
        let count = u32_at(&bytes, head + FANOUT - 4).ok_or(IndexError::NotAnIndex)?;
        if is_first && bytes.starts_with(b"PACK") {
            return Err(IndexError::NotAnIndex);
        }
        let each = if is_first {
            4 + hash.width()
        } else {
            hash.width() + 8
        };
        let needed = (count as usize)
            .checked_mul(each)
            .and_then(|table| table.checked_add(head + FANOUT));
        if needed.is_none_or(|needed| needed > bytes.len()) {
            return Err(IndexError::Cut);
        }
        Ok(Self {
            bytes,
            hash,
            count,
            is_first,
        })
    }

    /// How many objects it names.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The name of the `number`th object.
    pub fn id(&self, number: u32) -> Option<Oid> {
        let number = self.within(number)?;
        let at = if self.is_first {
            FANOUT + number * (4 + self.hash.width()) + 4
        } else {
            8 + FANOUT + number * self.hash.width()
        };
        Oid::read(self.bytes.get(at..)?, self.hash)
    }

    /// Where the `number`th object stands in the pack, in bytes from its beginning.
    pub fn offset(&self, number: u32) -> Option<u64> {
        let number = self.within(number)?;
        if self.is_first {
            return u32_at(&self.bytes, FANOUT + number * (4 + self.hash.width())).map(u64::from);
        }
        let count = self.count as usize;
        let offsets = 8 + FANOUT + count * (self.hash.width() + 4);
        let short = u32_at(&self.bytes, offsets + number * 4)?;
        if short & 0x8000_0000 == 0 {
            return Some(short.into());
        }
        let number = (short & 0x7fff_ffff) as usize;
        u64_at(&self.bytes, offsets + count * 4 + number.checked_mul(8)?)
    }

    /// Where its names stand: the first of them, and how far each is from the one before it, in bytes.
    pub fn table(&self) -> (usize, usize) {
        if self.is_first {
            return (FANOUT + 4, 4 + self.hash.width());
        }
        (8 + FANOUT, self.hash.width())
    }

    /// How many names begin with a byte up to `first`, as its table of sums says.
    pub fn sum(&self, first: u8) -> Option<u32> {
        let head = if self.is_first { 0 } else { 8 };
        u32_at(&self.bytes, head + usize::from(first) * 4)
    }

    /// The number of the object called `id`.
    pub fn find(&self, id: &Oid) -> Option<u32> {
        search(self.count, id, |number| self.id(number))
    }

    fn within(&self, number: u32) -> Option<usize> {
        (number < self.count).then_some(number as usize)
    }
}

/// Looks a name up among `count` sorted ones.
fn search(count: u32, id: &Oid, name: impl Fn(u32) -> Option<Oid>) -> Option<u32> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        match name(middle)?.cmp(id) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Some(middle),
        }
    }
    None
}

/// The index over several packs.
#[derive(Debug, Clone)]
pub struct MultiIndex {
    bytes: Bytes,
    hash: Hash,
    count: u32,
    names: usize,
    places: usize,
    large: Option<usize>,
    packs: Vec<Vec<u8>>,
}

impl MultiIndex {
    /// Reads it.
    ///
    /// # Errors
    /// What makes it useless.
    pub fn parse(bytes: Bytes) -> Result<Self, IndexError> {
        /// Signature, version, hash, chunks, base files, packs.
        const HEAD: usize = 12;
        if !bytes.starts_with(b"MIDX") {
            return Err(IndexError::NotAnIndex);
        }
        let [version, hash, chunks] = *bytes
            .get(4..)
            .and_then(|rest| rest.first_chunk())
            .ok_or(IndexError::Cut)?;
        let hash = match (version, hash) {
            (1, 1) => Hash::Sha1,
            (1, 2) => Hash::Sha256,
            _ => return Err(IndexError::Version),
        };
        let chunk = |name: &[u8; 4]| {
            (0..usize::from(chunks)).find_map(|number| {
                let row = bytes.get(HEAD + number * 12..)?;
                if !row.starts_with(name) {
                    return None;
                }
                usize::try_from(u64_at(row, 4)?).ok()
            })
        };
        let fanout = chunk(b"OIDF").ok_or(IndexError::Cut)?;
        let count = fanout
            .checked_add(FANOUT - 4)
            .and_then(|at| u32_at(&bytes, at))
            .ok_or(IndexError::Cut)?;
        let names = chunk(b"OIDL").ok_or(IndexError::Cut)?;
        let places = chunk(b"OOFF").ok_or(IndexError::Cut)?;
        let fits = |at: usize, each: usize| {
            (count as usize)
                .checked_mul(each)
                .and_then(|len| at.checked_add(len))
                .is_some_and(|end| end <= bytes.len())
        };
        if !fits(names, hash.width()) || !fits(places, 8) {
            return Err(IndexError::Cut);
        }
        let packs = chunk(b"PNAM").and_then(|at| bytes.get(at..)).map(|rest| {
            rest.split(|&byte| byte == 0)
                .take(u32_at(&bytes, 8).unwrap_or(0) as usize)
                .map(<[u8]>::to_vec)
                .collect()
        });
        Ok(Self {
            hash,
            count,
            names,
            places,
            large: chunk(b"LOFF"),
            packs: packs.ok_or(IndexError::Cut)?,
            bytes,
        })
    }

    /// Names of the `.idx` files of the packs, by number.
    pub fn packs(&self) -> &[Vec<u8>] {
        &self.packs
    }

    /// How many objects it names.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The name of the `number`th object.
    pub fn id(&self, number: u32) -> Option<Oid> {
        let number = (number < self.count).then_some(number as usize)?;
        Oid::read(
            self.bytes.get(self.names + number * self.hash.width()..)?,
            self.hash,
        )
    }

    /// In which pack the `number`th object stands, and where in it.
    pub fn place(&self, number: u32) -> Option<(u32, u64)> {
        let at = self.places + (number < self.count).then_some(number as usize)? * 8;
        let pack = u32_at(&self.bytes, at)?;
        let short = u32_at(&self.bytes, at + 4)?;
        let Some(large) = self.large.filter(|_| short & 0x8000_0000 != 0) else {
            return Some((pack, short.into()));
        };
        let number = (short & 0x7fff_ffff) as usize;
        let at = large.checked_add(number.checked_mul(8)?)?;
        Some((pack, u64_at(&self.bytes, at)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two objects, the second beyond 4 GiB.
    fn second_version() -> Vec<u8> {
        let mut bytes = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..256_u32 {
            bytes.extend((u32::from(first >= 1) + u32::from(first >= 9)).to_be_bytes());
        }
        bytes.extend([1; 20]);
        bytes.extend([9; 20]);
        bytes.extend([0; 8]);
        bytes.extend(12_u32.to_be_bytes());
        bytes.extend(0x8000_0000_u32.to_be_bytes());
        bytes.extend((5_u64 << 32).to_be_bytes());
        bytes.extend([0; 40]);
        bytes
    }

    #[test]
    fn offsets_of_31_and_of_64_bits() {
        let index = Index::parse(second_version().into(), Hash::Sha1).unwrap();
        assert_eq!(index.count(), 2);
        assert_eq!(index.offset(0), Some(12));
        assert_eq!(index.offset(1), Some(5 << 32));
        assert_eq!(index.offset(2), None);
        let id = Oid::read(&[9; 20], Hash::Sha1).unwrap();
        assert_eq!(index.find(&id), Some(1));
        assert_eq!(index.find(&Oid::read(&[8; 20], Hash::Sha1).unwrap()), None);
    }

    #[test]
    fn the_first_version() {
        let mut bytes = Vec::new();
        for first in 0..256_u32 {
            bytes.extend(u32::from(first >= 7).to_be_bytes());
        }
        bytes.extend(300_u32.to_be_bytes());
        bytes.extend([7; 20]);
        bytes.extend([0; 40]);
        let index = Index::parse(bytes.into(), Hash::Sha1).unwrap();
        assert_eq!((index.count(), index.offset(0)), (1, Some(300)));
        assert_eq!(index.id(0).unwrap().as_bytes(), [7; 20]);
    }

    #[test]
    fn what_is_cut_is_said() {
        let bytes = second_version();
        let cut = |len: usize| Index::parse(bytes[..len].to_vec().into(), Hash::Sha1).err();
        assert_eq!(cut(1_040), Some(IndexError::Cut));
        assert_eq!(cut(6), Some(IndexError::Version));
        assert!(MultiIndex::parse(b"MIDX".as_slice().into()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(
            at in 0..1_200_usize,
            with in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = second_version();
            let at = at % bytes.len();
            bytes[at] = with;
            bytes.truncate(cut.index(bytes.len() + 1));
            for hash in [Hash::Sha1, Hash::Sha256] {
                if let Ok(index) = Index::parse(bytes.clone().into(), hash) {
                    for number in 0..index.count().min(5) {
                        let _ = (index.id(number), index.offset(number));
                    }
                }
            }
            let mut multi = b"MIDX\x01\x01\x04\0\0\0\0\x01".to_vec();
            multi.extend(&bytes);
            let _ = MultiIndex::parse(multi.into());
        }
    }
}
