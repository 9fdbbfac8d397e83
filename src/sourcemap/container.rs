//! Maps as containers: the members of a map are its sources, those of a script are the data URLs in it.

use bytes::Bytes;

use super::{
    Content, MapScan, OddityKind, RawString, Status, data_url, looks_like_map, scan, strict,
};
use crate::blob::{Limits, MemberName};
use crate::container::{Body, Event, Format, Input, MapHead, Member, SourceMeta, Trouble, Walker};
use crate::record::SourceStatus;

/// The source map format (ECMA-426), recognised by its keys.
pub struct SourceMap;

impl Format for SourceMap {
    fn name(&self) -> &'static str {
        "source-map"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        looks_like_map(head)
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

/// A source that is still a slice of the map.
struct Slot {
    meta: SourceMeta,
    /// The string as it stands in the map, and whether its end is there.
    content: Option<(Bytes, bool)>,
}

/// Gives the sources of one map.
struct MapWalker {
    head: Option<Box<MapHead>>,
    slots: std::vec::IntoIter<Slot>,
    trouble: Option<Trouble>,
}

impl MapWalker {
    fn open(document: &Bytes, limits: &Limits) -> Result<Self, Trouble> {
        let limits = super::Limits {
            entries: usize::try_from(limits.entries).unwrap_or(usize::MAX),
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
        let slots: Vec<Slot> = map
            .sources
            .iter()
            .map(|slot| Slot {
                meta: SourceMeta {
                    source_root: slot.source_root.map(text),
                    name: slot.name.map(text),
                    ignored: slot.ignored,
                    status: SourceStatus::Missing,
                },
                content: match slot.content {
                    Content::Missing => None,
                    Content::Raw(string) => Some((document.slice_ref(string.raw), string.complete)),
                },
            })
            .collect();
        let limit = map
            .oddity(super::OddityKind::TooManyEntries)
            .or(map.oddity(super::OddityKind::TooDeep));
        let trouble = if let Some(limit) = limit {
            Some(Trouble::damaged(
                "entries-limit",
                format!(
                    "a limit was reached in the map at offset {}; raise --limit-entries",
                    limit.offset
                ),
                None,
            ))
        } else {
            map.truncated.then(|| {
                Trouble::damaged(
                    "truncated",
                    "the map ends before its end; every source before the cut was read, get the file again for the rest",
                    None,
                )
            })
        };
        let verdict = strict::judge(document);
        let head = MapHead {
            file: map.file.clone(),
            debug_id: map.debug_id.clone(),
            sections: map.sections as u64,
            valid: Some(verdict.is_valid()),
            errors: errors(&verdict, &map),
            section_urls: map.sections_with_url.clone(),
        };
        Ok(Self {
            head: Some(Box::new(head)),
            slots: slots.into_iter(),
            trouble,
        })
    }
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
        if let Some(head) = self.head.take() {
            return Some(Event::Map(head));
        }
        let Some(slot) = self.slots.next() else {
            return self.trouble.take().map(Event::Trouble);
        };
        Some(Event::Member(member(slot)))
    }
}

fn member(slot: Slot) -> Member {
    let mut meta = slot.meta;
    let name = MemberName::Named(meta.name.clone().unwrap_or_default());
    let Some((raw, complete)) = slot.content else {
        let mut member = Member::absent(
            name,
            Trouble::skipped(
                "no-content",
                "the map names this source and holds no content",
                None,
            ),
        );
        member.source = Some(Box::new(meta));
        return member;
    };
    let decoded = RawString {
        raw: &raw,
        complete,
    }
    .decode();
    meta.status = decoded.status.into();
    let bytes = match decoded.bytes {
        std::borrow::Cow::Borrowed(bytes) => raw.slice_ref(bytes),
        std::borrow::Cow::Owned(bytes) => bytes.into(),
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
    }
}

/// Gives the data URLs that links of a script or style sheet hold.
pub struct DataUrls {
    text: Bytes,
    /// Each URL as a slice of the text, last first.
    urls: Vec<Bytes>,
}

impl DataUrls {
    /// Of these links of `text`, those that are data URLs. `None` where there is none.
    pub fn of(text: &Bytes, links: &[super::Link]) -> Option<Self> {
        let mut urls: Vec<Bytes> = links
            .iter()
            .filter(|link| super::classify(link.url) == super::Target::Data)
            .map(|link| text.slice_ref(link.url))
            .collect();
        urls.reverse();
        (!urls.is_empty()).then(|| Self {
            text: text.clone(),
            urls,
        })
    }
}

impl Walker for DataUrls {
    fn kind(&self) -> &'static str {
        "data-url"
    }

    fn next(&mut self) -> Option<Event> {
        let (url, decoded) = loop {
            let url = self.urls.pop()?;
            let decoded = data_url::decode(&url);
            // Code that makes such links holds their beginning, with nothing behind it.
            if !decoded
                .as_ref()
                .is_ok_and(|decoded| decoded.bytes.is_empty())
            {
                break (url, decoded);
            }
        };
        let offset = (url.as_ptr() as usize - self.text.as_ptr() as usize) as u64;
        let name = MemberName::Offset(offset);
        Some(Event::Member(match decoded {
            Ok(decoded) => {
                let mut member = Member::whole(name, decoded.bytes.into());
                if !decoded.complete {
                    member.trouble = Some(Trouble::damaged(
                        "data-url-damaged",
                        "the data URL is cut or holds characters that its encoding does not have; what came before them was read",
                        None,
                    ));
                }
                member
            }
            Err(error) => Member::absent(
                name,
                Trouble::damaged(
                    "data-url-damaged",
                    error.to_string(),
                    Some(url.len() as u64),
                ),
            ),
        }))
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
