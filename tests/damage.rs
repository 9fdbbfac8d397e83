//! Real maps, cut, flipped and spliced: whatever stands before the damage comes out as it was.
//!
//! The maps are those of the packages that `fixtures/fetch.py` gets; without them this says so and passes, unless
//! STRANDLINE_REQUIRE_PACKAGES=1.

mod common;

use std::collections::HashMap;

use common::{Random, real_maps};
use strandline::sourcemap::{Content, MapScan, Status, looks_like_map, scan};

/// Each content that is there, by the offset in the document where its string begins: the text, and whether it is whole.
fn contents(document: &[u8], scan: &MapScan) -> HashMap<usize, (Vec<u8>, bool)> {
    let start = document.as_ptr() as usize;
    let whole = |slot: &strandline::sourcemap::SourceSlot| match slot.content {
        Content::Missing => None,
        Content::Raw(string) => {
            let text = string.decode();
            let offset = string.raw.as_ptr() as usize - start;
            let is_whole = text.status != Status::Truncated;
            Some((offset, (text.bytes.into_owned(), is_whole)))
        }
    };
    scan.sources.iter().filter_map(whole).collect()
}

/// Asserts that what ends before `damage` is found in `broken`, where it stood, as it was.
#[track_caller]
fn assert_kept(name: &str, map: &[u8], broken: &[u8], damage: usize) -> usize {
    let whole = scan(map).expect("a real map");
    let expected: Vec<_> = whole
        .sources
        .iter()
        .filter_map(|slot| match slot.content {
            Content::Raw(string) => Some(string),
            Content::Missing => None,
        })
        .map(|string| (string.raw.as_ptr() as usize - map.as_ptr() as usize, string))
        .filter(|(offset, string)| offset + string.raw.len() < damage)
        .collect();
    let Ok(found) = scan(broken) else {
        assert!(
            expected.is_empty(),
            "{name}, damaged at {damage}, is no map any more"
        );
        return 0;
    };
    let found = contents(broken, &found);
    for (offset, string) in &expected {
        let kept = found
            .get(offset)
            .map(|(text, is_whole)| (text.as_slice(), *is_whole));
        let text = string.decode().bytes;
        assert_eq!(
            kept,
            Some((&text[..], true)),
            "{name}, damaged at {damage}, lost {offset}"
        );
    }
    expected.len()
}

#[test]
fn what_stands_before_the_damage_is_recovered() {
    let Some(maps) = real_maps() else { return };
    let mut random = Random::new(20_261_121);
    let mut kept = 0;
    // Small enough to be damaged often, and with something before most damage.
    let fit = maps.iter().filter(|(_, map)| {
        (2_000..400_000).contains(&map.len())
            && looks_like_map(map)
            && scan(map).is_ok_and(|scan| scan.with_content() >= 3)
    });
    let some: Vec<_> = fit.collect();
    assert!(some.len() > 100, "{} maps", some.len());
    for (name, map) in &some {
        for _ in 0..6 {
            let at = (random.share() * map.len() as f64) as usize;
            let cut = &map[..at];
            kept += assert_kept(name, map, cut, at);
            // What the cut runs through is a beginning of what it was.
            if let Ok(found) = scan(cut) {
                let whole = contents(map, &scan(map).unwrap());
                for (offset, (text, is_whole)) in contents(cut, &found) {
                    if !is_whole && let Some((all, _)) = whole.get(&offset) {
                        assert!(all.starts_with(&text), "{name}, cut at {at}");
                    }
                }
            }
            let mut flipped = map.clone();
            flipped[at] ^= 1 << (random.number() % 8);
            kept += assert_kept(name, map, &flipped, at);
            let (_, other) = &some[random.number() as usize % some.len()];
            let piece = &other[other.len() / 3..other.len() / 2];
            let spliced = [&map[..at], piece, &map[at..]].concat();
            kept += assert_kept(name, map, &spliced, at);
        }
    }
    assert!(kept > 5_000, "{kept} contents before the damage");
}
