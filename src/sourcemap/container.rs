//! Maps as containers: the members of a map are its sources.

use bytes::Bytes;

use super::consistency::{self, Consistency, Place};
use super::{
    Content, MapScan, OddityKind, RawString, Status, looks_like_map, mapped, scan, strict, utf16,
};
use crate::blob::{Limits, MemberName, count_lines};
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
    /// What stands behind the map, and where: another map, or something that is none.
    behind: Option<(u64, Bytes)>,
    trouble: Option<Trouble>,
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
        // A map behind this one is judged by itself.
        let own = match map.oddity(OddityKind::TrailingBytes) {
            Some(odd) if looks_like_map(&document[odd.offset..]) => &document[..odd.offset],
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
                    source_root: slot.source_root.map(text),
                    name: slot.name.map(text),
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
        let trouble = trouble_of(&map, document);
        let head = MapHead {
            file: map.file.clone(),
            debug_id: map.debug_id.clone(),
            sections: map.sections as u64,
            valid: Some(verdict.is_valid()),
            errors: errors(&verdict, &map),
            section_urls: map.sections_with_url.clone(),
            consistency: Consistency::default(),
        };
        let behind = map
            .oddity(super::OddityKind::TrailingBytes)
            .map(|odd| (odd.offset as u64, document.slice(odd.offset..)));
        Ok(Self {
            lack: Lack::of(&map),
            head: Some(Box::new(head)),
            begun: false,
            consistency: Consistency::default(),
            slots: slots.into_iter(),
            behind,
            trouble,
        })
    }
}

/// What kept the map from being read in full, if anything: the first of these that applies.
fn trouble_of(map: &super::MapScan, document: &[u8]) -> Option<Trouble> {
    use super::OddityKind::{Misplaced, TooDeep, TooManyEntries, TrailingBytes};
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
    if let Some(trailing) = map.oddity(TrailingBytes) {
        let unread = document.len() - trailing.offset;
        let what = format!(
            "the map ends at offset {}, and {unread} bytes follow",
            trailing.offset
        );
        return Some(if looks_like_map(&document[trailing.offset..]) {
            Trouble::odd(
                "trailing-data",
                format!("{what}; they are a map of their own and were read so"),
            )
        } else {
            Trouble::damaged(
                "trailing-data",
                format!(
                    "{what} that are no map; they were scanned as they stand, get the file again if it should be whole"
                ),
                None,
            )
        });
    }
    map.oddity(Misplaced).map(|misplaced| {
        Trouble::damaged(
            "map-damaged",
            format!(
                "the map is no JSON from offset {} on; what is no JSON was stepped over, get the file again for the rest",
                misplaced.offset
            ),
            None,
        )
    })
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
        if let Some((offset, rest)) = self.behind.take() {
            let name = MemberName::Offset(offset);
            return Some(Event::Member(Member::whole(name, rest)));
        }
        self.trouble.take().map(Event::Trouble)
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
