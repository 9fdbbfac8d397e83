//! What a script or style sheet carries inside: data URLs in its links, and modules in its `eval` calls.
//!
//! Links within a module belong to the module, which is looked at by itself: they are left out here, so that each map
//! is found once.

use bytes::Bytes;

use super::eval::{self, Module};
use super::{Link, Target, classify, data_url};
use crate::blob::MemberName;
use crate::container::{Event, Member, Trouble, Walker};

/// Links and modules of one text.
pub struct Inlined<'a> {
    text: &'a Bytes,
    /// Links that are not in a module.
    pub links: Vec<Link<'a>>,
    modules: Vec<Module<'a>>,
}

impl<'a> Inlined<'a> {
    /// Looks through a text; for modules only where asked, as few texts have any.
    pub fn of(text: &'a Bytes, with_modules: bool) -> Self {
        let modules = if with_modules {
            eval::modules(text)
        } else {
            Vec::new()
        };
        let mut links = if super::is_wasm(text) {
            super::wasm_links(text)
        } else {
            super::links(text)
        };
        links.retain(|link| {
            let behind = modules.partition_point(|module| module.offset <= link.offset);
            let before = behind.checked_sub(1).and_then(|index| modules.get(index));
            before.is_none_or(|module| link.offset >= module.offset + module.raw.len())
        });
        Self {
            text,
            links,
            modules,
        }
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
        let mut pieces: Vec<Piece> = urls.chain(modules).collect();
        let kind = if self.modules.is_empty() {
            "data-url"
        } else {
            "eval"
        };
        pieces.sort_by_key(|piece| piece.raw().as_ptr() as usize);
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
}

impl Piece {
    fn raw(&self) -> &Bytes {
        match self {
            Piece::Url(raw) | Piece::Module(raw) => raw,
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
            };
            if let Some(member) = member {
                return Some(Event::Member(member));
            }
        }
    }
}

impl InlinedWalker {
    fn url_member(&self, url: &Bytes) -> Option<Member> {
        let offset = (url.as_ptr() as usize - self.text.as_ptr() as usize) as u64;
        let name = MemberName::Offset(offset);
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

fn module_member(raw: &Bytes) -> Member {
    let text = Module { offset: 0, raw }.text();
    let path = eval::path(&text).unwrap_or_default().to_vec();
    Member::whole(MemberName::Named(path), text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_a_module_are_the_modules() {
        let url = "data:application/json;base64,e30=";
        let text = format!(
            "eval(\"a\\n//# sourceMappingURL={url}\\n//# sourceURL=webpack:///./a.js\");\n//# sourceMappingURL={url}\n"
        );
        let text = Bytes::from(text);
        let inlined = Inlined::of(&text, true);
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
        assert_eq!(Inlined::of(&text, false).links.len(), 2);
    }
}
