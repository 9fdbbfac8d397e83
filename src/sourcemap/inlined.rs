//! What content carries inside: data URLs in its links, modules in its `eval` calls, maps, and archives.
//!
//! Links within a module or a map belong to that, which is looked at by itself: they are left out here, so that each
//! map is found once.

use std::ops::Range;

use bytes::Bytes;

use super::carve::{self, Carved};
use super::eval::{self, Module};
use super::{Link, Target, classify, data_url};
use crate::blob::MemberName;
use crate::container::carve::Found;
use crate::container::{Event, Member, Trouble, Walker};

/// Links and modules of one text.
pub struct Inlined<'a> {
    text: &'a Bytes,
    /// Links that are not in a module.
    pub links: Vec<Link<'a>>,
    modules: Vec<Module<'a>>,
    maps: Vec<Carved>,
    stopped_at: Option<usize>,
    archives: Vec<Found>,
}

/// What to look for beside links: few texts have any, and a literal pass says which.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// Modules in `eval` calls.
    pub modules: bool,
    /// Maps.
    pub maps: bool,
}

impl<'a> Inlined<'a> {
    /// Looks through a text.
    pub fn of(text: &'a Bytes, wanted: Wanted) -> Self {
        let modules = if wanted.modules {
            eval::modules(text)
        } else {
            Vec::new()
        };
        let carve::Found {
            mut maps,
            stopped_at,
        } = if wanted.maps {
            carve::maps(text)
        } else {
            carve::Found::default()
        };
        maps.retain(|map| !is_within(&modules, map.offset));
        let mut links = if super::is_wasm(text) {
            super::wasm_links(text)
        } else {
            super::links(text)
        };
        links.retain(|link| !is_within(&modules, link.offset) && !is_within(&maps, link.offset));
        Self {
            text,
            links,
            modules,
            maps,
            stopped_at,
            archives: Vec::new(),
        }
    }

    /// What kept the text from being searched to its end for maps.
    pub fn trouble(&self) -> Option<Trouble> {
        let at = self.stopped_at?;
        Some(Trouble::damaged(
            "search-limit",
            format!(
                "so much of this text looks like the beginning of a map that it was not searched for maps behind offset {at}, which no flag changes"
            ),
            Some((self.text.len() - at) as u64),
        ))
    }

    /// The ranges of what was found, in order: what stands in them is part of that.
    pub fn ranges(&self) -> Vec<Range<usize>> {
        let links = self.links.iter().map(|link| {
            let start = link.url.as_ptr() as usize - self.text.as_ptr() as usize;
            start..start + link.url.len()
        });
        let modules = self.modules.iter().map(Part::span);
        let maps = self.maps.iter().map(Part::span);
        let mut ranges: Vec<_> = links.chain(modules).chain(maps).collect();
        ranges.sort_by_key(|range| range.start);
        ranges
    }

    /// Takes in the archives that stand in the content, in order.
    pub fn add_archives(&mut self, archives: Vec<Found>) {
        // A link in an archive is not this text's.
        self.links.retain(|link| !is_within(&archives, link.offset));
        self.archives = archives;
    }

    /// Gives the data URLs and the modules; `None` where there are none.
    pub fn walker(&self) -> Option<InlinedWalker> {
        let urls = self
            .links
            .iter()
            .filter(|link| classify(link.url) == Target::Data)
            .map(|link| Piece::Url(self.text.slice_ref(link.url)));
        let modules = self
            .modules
            .iter()
            .map(|module| Piece::Module(self.text.slice_ref(module.raw)));
        let maps = self.maps.iter().map(|map| {
            let raw = self.text.slice(map.offset..map.offset + map.len);
            Piece::Map(raw, map.is_string)
        });
        let archives = self
            .archives
            .iter()
            .map(|found| Piece::Archive(found.offset, found.bytes.clone()));
        let mut pieces: Vec<Piece> = urls.chain(modules).chain(maps).chain(archives).collect();
        let kind = if !self.modules.is_empty() {
            "eval"
        } else if !self.maps.is_empty() {
            "embedded-map"
        } else if pieces.iter().any(|piece| matches!(piece, Piece::Url(_))) {
            "data-url"
        } else {
            "embedded"
        };
        pieces.sort_by_key(|piece| piece.offset(self.text));
        (!pieces.is_empty()).then(|| InlinedWalker {
            text: self.text.clone(),
            pieces: pieces.into_iter(),
            kind,
        })
    }
}

enum Piece {
    Url(Bytes),
    Module(Bytes),
    /// A map, or the inside of a string that may hold one.
    Map(Bytes, bool),
    /// An archive, and where it stands.
    Archive(usize, Bytes),
}

impl Piece {
    fn offset(&self, text: &Bytes) -> usize {
        match self {
            Piece::Url(raw) | Piece::Module(raw) | Piece::Map(raw, _) => {
                raw.as_ptr() as usize - text.as_ptr() as usize
            }
            Piece::Archive(offset, _) => *offset,
        }
    }
}

/// Gives what a text carries inside, in order.
pub struct InlinedWalker {
    text: Bytes,
    pieces: std::vec::IntoIter<Piece>,
    kind: &'static str,
}

impl Walker for InlinedWalker {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            let member = match self.pieces.next()? {
                Piece::Url(url) => self.url_member(&url),
                Piece::Module(raw) => Some(module_member(&raw)),
                Piece::Map(raw, is_string) => Some(self.map_member(raw, is_string)),
                Piece::Archive(offset, bytes) => {
                    Some(Member::whole(MemberName::Offset(offset as u64), bytes))
                }
            };
            if let Some(member) = member {
                return Some(Event::Member(member));
            }
        }
    }
}

impl InlinedWalker {
    /// The name of a piece: where it begins.
    fn name_of(&self, piece: &Bytes) -> MemberName {
        MemberName::Offset((piece.as_ptr() as usize - self.text.as_ptr() as usize) as u64)
    }

    fn map_member(&self, raw: Bytes, is_string: bool) -> Member {
        let name = self.name_of(&raw);
        if !is_string {
            return Member::whole(name, raw);
        }
        // The escapes of JSON are those of scripts too.
        let text = Module {
            offset: 0,
            raw: &raw,
        }
        .text();
        Member::whole(name, text.into())
    }

    fn url_member(&self, url: &Bytes) -> Option<Member> {
        let name = self.name_of(url);
        let decoded = match data_url::decode(url) {
            // Code that makes such links holds their beginning, with nothing behind it.
            Ok(decoded) if decoded.bytes.is_empty() => return None,
            Ok(decoded) => decoded,
            Err(error) => {
                let unread = Some(url.len() as u64);
                let trouble = Trouble::damaged("data-url-damaged", error.to_string(), unread);
                return Some(Member::absent(name, trouble));
            }
        };
        let mut member = Member::whole(name, decoded.bytes.into());
        if !decoded.complete {
            member.trouble = Some(Trouble::damaged(
                "data-url-damaged",
                "the data URL is cut or holds characters that its encoding does not have; what came before them was read",
                None,
            ));
        }
        Some(member)
    }
}

/// A part of a text that is looked at by itself.
trait Part {
    fn span(&self) -> Range<usize>;
}

impl Part for Module<'_> {
    fn span(&self) -> Range<usize> {
        self.offset..self.offset + self.raw.len()
    }
}

impl Part for Found {
    fn span(&self) -> Range<usize> {
        self.offset..self.offset + self.len
    }
}

impl Part for Carved {
    fn span(&self) -> Range<usize> {
        self.offset..self.offset + self.len
    }
}

/// Whether an offset lies in one of these parts, which are in order.
fn is_within(parts: &[impl Part], offset: usize) -> bool {
    let behind = parts.partition_point(|part| part.span().start <= offset);
    let before = behind.checked_sub(1).and_then(|index| parts.get(index));
    before.is_some_and(|part| part.span().contains(&offset))
}

fn module_member(raw: &Bytes) -> Member {
    let text = Module { offset: 0, raw }.text();
    let path = eval::path(&text).unwrap_or_default().to_vec();
    Member::whole(MemberName::of_address(path), text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITH_MODULES: Wanted = Wanted {
        modules: true,
        maps: false,
    };

    #[test]
    fn links_in_a_module_are_the_modules() {
        let url = "data:application/json;base64,e30=";
        let text = format!(
            "eval(\"a\\n//# sourceMappingURL={url}\\n//# sourceURL=webpack:///./a.js\");\n//# sourceMappingURL={url}\n"
        );
        let text = Bytes::from(text);
        let inlined = Inlined::of(&text, WITH_MODULES);
        assert_eq!(inlined.links.len(), 1);
        let mut walker = inlined.walker().unwrap();
        assert_eq!(walker.kind(), "eval");
        let Some(Event::Member(module)) = walker.next() else {
            panic!("a module");
        };
        assert_eq!(module.name.bytes(), b"webpack:///./a.js");
        let Some(Event::Member(map)) = walker.next() else {
            panic!("a data URL");
        };
        assert!(
            matches!(map.name, MemberName::Offset(at) if at as usize == text.len() - url.len() - 1)
        );
        assert!(walker.next().is_none());
        assert_eq!(Inlined::of(&text, Wanted::default()).links.len(), 2);
    }
}
