//! Photographs that say where they were taken.
//!
//! A JPEG file keeps what the camera knew in its first segments, as a small TIFF (Exif 2.3, 4.5): a directory of tags, one of
//! which points to a directory of the place. Latitude and longitude must both be there.

use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// Photographs with a place.
pub struct Photo;

/// Most segments before the picture, and most tags of a directory, that are looked at.
const SEGMENTS_MAX: usize = 64;
const TAGS_MAX: u16 = 512;

/// Tag of the directory of the place; tags of latitude and longitude in it.
const PLACE: u16 = 0x8825;
const LATITUDE: u16 = 2;
const LONGITUDE: u16 = 4;

impl Class for Photo {
    fn recognise(&self, bytes: &[u8], _hits: &Hits) -> Option<Artifact> {
        let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
        for _ in 0..SEGMENTS_MAX {
            let [0xff, kind @ 0xe0..=0xfe, high, low] = *rest.first_chunk::<4>()? else {
                return None;
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let segment = rest.get(4..2 + length)?;
            if kind == 0xe1
                && let Some(tiff) = segment.strip_prefix(b"Exif\0\0")
            {
                return has_place(tiff).then(|| {
                    Artifact::proven(
                        "photo-location",
                        "",
                        "a photograph with the place where it was taken",
                    )
                });
            }
            rest = rest.get(2 + length..)?;
        }
        None
    }
}

fn has_place(tiff: &[u8]) -> bool {
    let is_little = match tiff.get(..4) {
        Some(b"II*\0") => true,
        Some(b"MM\0*") => false,
        _ => return false,
    };
    let tiff = Tiff { tiff, is_little };
    let Some(place) = tiff.long(4).and_then(|at| tiff.tag(at, PLACE)) else {
        return false;
    };
    [LATITUDE, LONGITUDE].iter().all(|&tag| {
        // Three fractions; a camera without a fix writes zeros.
        let value = tiff
            .tag(place, tag)
            .and_then(|at| tiff.tiff.get(at..at + 24));
        value.is_some_and(|value| {
            value
                .as_chunks::<8>()
                .0
                .iter()
                .any(|fraction| fraction[..4] != [0; 4])
        })
    })
}

struct Tiff<'a> {
    tiff: &'a [u8],
    is_little: bool,
}

impl Tiff<'_> {
    fn short(&self, at: usize) -> Option<u16> {
        let two = *self.tiff.get(at..)?.first_chunk::<2>()?;
        Some(if self.is_little {
            u16::from_le_bytes(two)
        } else {
            u16::from_be_bytes(two)
        })
    }

    fn long(&self, at: usize) -> Option<usize> {
        let four = *self.tiff.get(at..)?.first_chunk::<4>()?;
        let number = if self.is_little {
            u32::from_le_bytes(four)
        } else {
            u32::from_be_bytes(four)
        };
        usize::try_from(number).ok()
    }

    /// The value, or the offset of the value, of a tag of the directory at `at`.
    fn tag(&self, at: usize, tag: u16) -> Option<usize> {
        let count = self.short(at)?.min(TAGS_MAX);
        let entry = |index: u16| at.checked_add(2 + usize::from(index) * 12);
        let found = (0..count)
            .filter_map(entry)
            .find(|&entry| self.short(entry) == Some(tag))?;
        self.long(found.checked_add(8)?)
    }
}
