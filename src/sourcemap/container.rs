//! Maps as containers: the members of a map are its sources.
//!
//! Some files hold maps one after the other, one a line. Each that follows the first is a region directly below it, so
//! that their number costs no depth and every byte is looked at once; what is no map is one region, up to the end.

use bytes::Bytes;

use super::consistency::{self, Consistency, Place};
use super::sniff::map_at;
use super::{
    Content, MapScan, OddityKind, RawString, Status, looks_like_map, mapped, scan, strict, utf16,
};
use crate::blob::url::name_without_passwords;
use crate::blob::{Limits, MemberName, count_lines};
use crate::container::strings::Strings;
use crate::container::{
    Body, Event, Format, Input, MapHead, Member, SourceMeta, Trouble, Walker, Written,
};
use crate::record::SourceStatus;

/// List entries that are read of one map, whatever the limits: each costs a thousand times what it takes in the map.
const ENTRIES_MAX: usize = 1 << 20;

/// The source map format (ECMA-426), recognised by its keys.
pub struct SourceMap;

impl Format for SourceMap {
    fn name(&self) -> &'static str {
        "source-map"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        looks_like_map(head) || utf16::to_utf8(head).is_some_and(|text| looks_like_map(&text))
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let Input::Memory(document) = input else {
            return Err(Trouble::skipped(
                "memory-limit",
                "the map is larger than content may be held; raise --memory to twice its size",
                Some(input.len()),
            ));
        };
        MapWalker::open(&document, limits).map(|walker| Box::new(walker) as Box<dyn Walker>)
    }
}

impl From<Status> for SourceStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Exact => SourceStatus::Exact,
            Status::LoneSurrogate => SourceStatus::LoneSurrogate,
            Status::InvalidUtf8 => SourceStatus::InvalidUtf8,
            Status::Truncated => SourceStatus::Truncated,
            Status::Missing => SourceStatus::Missing,
            Status::Refused => SourceStatus::Refused,
        }
    }
}

/// Why it is not known whether a source has content.
#[derive(Clone, Copy)]
enum Lack {
    /// The map is cut.
    Cut,
    /// It has more entries than are read.
    Limit,
}

impl Lack {
    fn of(map: &MapScan<'_>) -> Option<Self> {
        if map.oddity(OddityKind::TooManyEntries).is_some() {
            Some(Lack::Limit)
        } else {
            map.truncated.then_some(Lack::Cut)
        }
    }

    fn trouble(lack: Option<Self>) -> Trouble {
        match lack {
            None => Trouble::skipped(
                "no-content",
                "the map names this source and holds no content",
                None,
            ),
            Some(Lack::Cut) => Trouble::skipped(
                "truncated",
                "the map ends before the content of this source, if it had one; get the file again",
                None,
            ),
            Some(Lack::Limit) => Trouble::skipped(
                "entries-limit",
                "the map has more list entries than are read of one, so the content of this source, if it has one, was left out; raise --limit-entries",
                None,
            ),
        }
    }
}

/// A source that is still a slice of the map.
struct Slot {
    meta: SourceMeta,
    /// The string as it stands in the map, and whether its end is there.
    content: Option<(Bytes, bool)>,
    /// Places to be looked up in it.
    places: Vec<Place>,
}

/// Gives the sources of one map.
struct MapWalker {
    /// What kept contents from being read, where a source without one may have had one.
    lack: Option<Lack>,
    head: Option<Box<MapHead>>,
    /// Its head has been given once.
    begun: bool,
    consistency: Consistency,
    slots: std::vec::IntoIter<Slot>,
    /// What stands beside the contents.
    strings: Option<Strings>,
    behind: Option<Behind>,
    /// What kept it from being read in full, and what is told only where nothing follows it.
    trouble: Option<Trouble>,
    misplaced: Option<Trouble>,
}

/// What stands behind a map: further maps, and then perhaps something that is none.
struct Behind {
    document: Bytes,
    /// Where the first map ends, and how far the walk has come.
    from: usize,
    at: usize,
    /// What follows holds no map.
    is_rest: bool,
}

impl Behind {
    /// The next map, or what is none, with its offset.
    fn next(&mut self) -> Option<(u64, Bytes)> {
        if self.is_rest {
            return None;
        }
        let rest = &self.document[self.at..];
        let blanks = rest.iter().take_while(|byte| is_space(**byte)).count();
        let range = map_at(&self.document, self.at).unwrap_or_else(|| {
            self.is_rest = true;
            self.at + blanks..self.document.len()
        });
        if range.is_empty() {
            self.is_rest = false;
            self.at = self.document.len();
            return None;
        }
        if !self.is_rest {
            self.at = range.end;
        }
        Some((range.start as u64, self.document.slice(range)))
    }

    /// What is said of it, once all of it was given.
    fn trouble(&self) -> Trouble {
        let what = format!(
            "the map ends at offset {}, and {} bytes follow",
            self.from,
            self.document.len() - self.from
        );
        if !self.is_rest {
            return Trouble::odd(
                "trailing-data",
                format!("{what}; they are maps of their own and were read so"),
            );
        }
        let maps = if self.at > self.from {
            "; maps of their own were read so"
        } else {
            ""
        };
        Trouble::damaged(
            "trailing-data",
            format!(
                "{what}{maps}; from offset {} on they are no map and were scanned as they stand, get the file again if it should be whole",
                self.at
            ),
            None,
        )
    }
}

/// White space between maps, as JSON has it (RFC 8259, 2).
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

impl MapWalker {
    fn open(original: &Bytes, limits: &Limits) -> Result<Self, Trouble> {
        let document = &utf16::to_utf8(original).map_or_else(|| original.clone(), Bytes::from);
        let limits = super::Limits {
            entries: usize::try_from(limits.entries)
                .unwrap_or(usize::MAX)
                .min(ENTRIES_MAX),
            ..super::Limits::default()
        };
        let map = super::scan_with(document, &limits).map_err(|error| {
            Trouble::damaged(
                "map-damaged",
                error.to_string(),
                Some(document.len() as u64),
            )
        })?;
        let text = |string: RawString| string.decode().bytes.into_owned();
        // Names are addresses now and then, and stand in every locator below this one.
        let address = |string: RawString| name_without_passwords(text(string));
        // A map behind this one is judged by itself.
        let trailing = map
            .oddity(OddityKind::TrailingBytes)
            .map(|odd| odd.offset.min(document.len()));
        let own = match trailing {
            Some(offset) if map_at(document, offset).is_some() => &document[..offset],
            _ => &original[..],
        };
        let verdict = strict::judge(own);
        let mut places = consistency::places_of(&map, own, &verdict.samples);
        let mut profiles = mapped::missing_profiles(&map);
        let slots: Vec<Slot> = map
            .sources
            .iter()
            .enumerate()
            .map(|(index, slot)| Slot {
                meta: SourceMeta {
                    source_root: slot.source_root.map(address),
                    name: slot.name.map(address),
                    ignored: slot.ignored,
                    hash: slot.hash.map(text),
                    status: SourceStatus::Missing,
                    lines: 0,
                    profile: profiles.remove(&index).map(Box::new),
                    written: None,
                },
                places: places.remove(&index).unwrap_or_default(),
                content: match slot.content {
                    Content::Missing => None,
                    Content::Raw(string) => Some((document.slice_ref(string.raw), string.complete)),
                },
            })
            .collect();
        let trouble = trouble_of(&map);
        let misplaced = map.oddity(OddityKind::Misplaced).map(|misplaced| {
            Trouble::damaged(
                "map-damaged",
                format!(
                    "the map is no JSON from offset {} on; what is no JSON was stepped over, get the file again for the rest",
                    misplaced.offset
                ),
                None,
            )
        });
        let head = MapHead {
            file: map.file.clone(),
            debug_id: map.debug_id.clone(),
            sections: map.sections as u64,
            valid: Some(verdict.is_valid()),
            errors: errors(&verdict, &map),
            section_urls: (map.sections_with_url.iter())
                .map(|url| name_without_passwords(url.clone()))
                .collect(),
            consistency: Consistency::default(),
            spread: verdict.spread,
        };
        let behind = trailing.map(|from| Behind {
            document: document.clone(),
            from,
            at: from,
            is_rest: false,
        });
        Ok(Self {
            lack: Lack::of(&map),
            head: Some(Box::new(head)),
            begun: false,
            consistency: Consistency::default(),
            slots: slots.into_iter(),
            strings: Some(strings_beside(document, &map)),
            behind,
            trouble,
            misplaced,
        })
    }
}

/// The strings of a map that are neither contents nor mappings.
fn strings_beside(document: &Bytes, map: &MapScan) -> Strings {
    let place_of = |string: &RawString| {
        let from = (string.raw.as_ptr() as usize).wrapping_sub(document.as_ptr() as usize);
        from..from.saturating_add(string.raw.len())
    };
    let contents = map.sources.iter().filter_map(|slot| match &slot.content {
        Content::Raw(string) => Some(place_of(string)),
        Content::Missing => None,
    });
    let mappings = map.parts.iter().map(|part| place_of(&part.mappings));
    let members: Vec<_> = (contents.chain(mappings))
        .filter(|range| range.end <= document.len())
        .collect();
    Strings::beside(document.clone(), map.start..map.end, members)
}

/// What kept the map from being read in full, if anything: the first of these that applies.
fn trouble_of(map: &MapScan) -> Option<Trouble> {
    use super::OddityKind::{TooDeep, TooManyEntries};
    if let Some(limit) = map.oddity(TooManyEntries) {
        return Some(Trouble::damaged(
            "entries-limit",
            format!(
                "the map has more list entries than are read of one (--limit-entries, at most {ENTRIES_MAX}); what stands behind offset {} was left out",
                limit.offset
            ),
            None,
        ));
    }
    if let Some(limit) = map.oddity(TooDeep) {
        return Some(Trouble::damaged(
            "depth-limit",
            format!(
                "the sections of the map are nested too deeply; those within the one at offset {} were left out, which no flag changes",
                limit.offset
            ),
            None,
        ));
    }
    if map.truncated {
        return Some(Trouble::damaged(
            "truncated",
            "the map ends before its end; every source before the cut was read, get the file again for the rest",
            None,
        ));
    }
    None
}

/// What the strict verdict says, and behind it what the lenient scan saw beyond that.
///
/// Where the document is no JSON the verdict stops there, and the scan says more. Else it saw more only in what the
/// standard has no error for.
fn errors(verdict: &strict::Verdict, map: &MapScan<'_>) -> Vec<String> {
    let beyond = |kind| {
        matches!(
            kind,
            OddityKind::DuplicateKey
                | OddityKind::LengthsDiffer
                | OddityKind::TooManyEntries
                | OddityKind::TooDeep
        )
    };
    let told = |kind| matches!(kind, OddityKind::ByteOrderMark | OddityKind::XssiPrefix);
    let mut lines = verdict.lines();
    let odd = map.oddities.iter().filter(|odd| {
        if verdict.is_json {
            beyond(odd.kind)
        } else {
            !told(odd.kind)
        }
    });
    lines.extend(odd.map(|odd| {
        format!(
            "{} at byte {} ({}×)",
            odd.kind.as_str(),
            odd.offset,
            odd.count
        )
    }));
    lines
}

impl Walker for MapWalker {
    fn kind(&self) -> &'static str {
        "source-map"
    }

    fn strings(&mut self) -> Option<Strings> {
        self.strings.take()
    }

    fn next(&mut self) -> Option<Event> {
        if !std::mem::replace(&mut self.begun, true) {
            return self.head.clone().map(Event::Map);
        }
        if let Some(slot) = self.slots.next() {
            let member = member(slot, self.lack, &mut self.consistency);
            return Some(Event::Member(member));
        }
        if let Some(mut head) = self.head.take()
            && self.consistency != Consistency::default()
        {
            head.consistency = self.consistency;
            return Some(Event::Map(head));
        }
        if let Some((offset, region)) = self.behind.as_mut().and_then(Behind::next) {
            let name = MemberName::Offset(offset);
            return Some(Event::Member(Member::whole(name, region)));
        }
        let behind = self.behind.take().map(|behind| behind.trouble());
        let misplaced = self.misplaced.take();
        self.trouble
            .take()
            .or(behind)
            .or(misplaced)
            .map(Event::Trouble)
    }
}

fn member(slot: Slot, lack: Option<Lack>, consistency: &mut Consistency) -> Member {
    let mut meta = slot.meta;
    let name = MemberName::Named(meta.name.clone().unwrap_or_default());
    let Some((raw, complete)) = slot.content else {
        let mut member = Member::absent(name, Lack::trouble(lack));
        member.source = Some(Box::new(meta));
        return member;
    };
    let decoded = RawString {
        raw: &raw,
        complete,
    }
    .decode();
    meta.status = decoded.status.into();
    meta.lines = count_lines(&decoded.bytes);
    consistency.look(&decoded.bytes, &slot.places);
    let bytes = match decoded.bytes {
        std::borrow::Cow::Borrowed(bytes) => raw.slice_ref(bytes),
        std::borrow::Cow::Owned(bytes) => {
            meta.written = Some(Written {
                raw: raw.clone(),
                complete,
            });
            bytes.into()
        }
    };
    let trouble = (meta.status == SourceStatus::Truncated).then(|| {
        Trouble::damaged(
            "truncated",
            "the map ends within this source; what is there was read",
            None,
        )
    });
    Member {
        name,
        body: Body::Held(bytes),
        trouble,
        source: Some(Box::new(meta)),
        links: Vec::new(),
        time: None,
    }
}

/// Whether a gzip member that begins so is part of a map that may run on in the next member.
pub fn runs_on(head: &[u8]) -> bool {
    looks_like_map(head) || (scan(head).is_ok_and(|map| map.truncated))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(document: &'static [u8]) -> Box<MapHead> {
        let input = Input::Memory(Bytes::from_static(document));
        let mut walker = SourceMap.open(input, &Limits::default()).unwrap();
        let Some(Event::Map(head)) = walker.next() else {
            panic!("the head comes first");
        };
        head
    }

    fn regions(document: &str) -> (Vec<(String, usize)>, Vec<String>) {
        let seen =
            crate::container::testing::walk(&SourceMap, document.as_bytes(), &Limits::default())
                .unwrap();
        let regions = seen
            .members
            .into_iter()
            .filter(|(name, _)| name.starts_with('@'))
            .map(|(name, bytes)| (name, bytes.len()))
            .collect();
        (regions, seen.codes)
    }

    #[test]
    fn maps_one_after_the_other_are_regions_of_their_own() {
        let map = r#"{"version":3,"sources":["a"],"sourcesContent":["x"],"mappings":"AAAA"}"#;
        let step = map.len() + 1;
        let lines = format!("{map}\n").repeat(40);
        let (found, codes) = regions(&lines);
        let expected: Vec<_> = (1..40)
            .map(|line| (format!("@{}", line * step), map.len()))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(codes, ["trailing-data"]);

        // What is no map ends it, and so does a cut.
        let (found, codes) = regions(&format!("{map}\n{map} {{\"a\":1}}\n{map}"));
        assert_eq!(
            found,
            [
                (format!("@{step}"), map.len()),
                (format!("@{}", 2 * step), 8 + step - 1)
            ]
        );
        assert_eq!(codes, ["trailing-data"]);
        let (found, _) = regions(&format!("{map}\n{}", &map[..map.len() - 4]));
        assert_eq!(found, [(format!("@{step}"), map.len() - 4)]);
    }

    #[test]
    fn many_maps_take_linear_time() {
        // Without contents: each would have every byte behind it searched for the word.
        let map = "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AAAA\"}\n";
        let (found, codes) = regions(&map.repeat(40_000));
        assert_eq!(found.len(), 39_999);
        assert_eq!(codes, ["no-content", "trailing-data"]);
    }

    #[test]
    fn the_head_holds_the_verdict_and_what_the_scan_saw_beyond_it() {
        let good = head(br#"{"version":3,"sources":["a"],"mappings":"AAAA"}"#);
        assert_eq!((good.valid, good.errors.len()), (Some(true), 0));

        // Lists of two lengths are no error of the standard; both voices are heard.
        let odd =
            head(br#"{"version":3,"sources":["a"],"sourcesContent":["x","y"],"mappings":"ACAA"}"#);
        assert_eq!(odd.valid, Some(false));
        let codes: Vec<_> = odd
            .errors
            .iter()
            .map(|line| line.split([':', ' ']).next().unwrap())
            .collect();
        assert_eq!(codes, ["segment-source-out-of-range", "lengths-differ"]);

        // Of what is no JSON the scan tells more.
        let broken = head(br#"{"version":"3","sources":["a",],"mappings":"AAAA"}"#);
        assert_eq!(broken.valid, Some(false));
        assert!(broken.errors[0].starts_with("json-unexpected-byte: "));
        assert!(
            broken
                .errors
                .iter()
                .any(|line| line.starts_with("wrong-version"))
        );
    }
}
