//! React Native's indexed RAM bundle: an application's modules, each by itself, so that a phone loads only some.
//!
//! One file: a magic number, the count of modules, the length of the code that runs first, a table of offset and length
//! for each module, then that code and the modules, each with a NUL behind it. All numbers are 32-bit little-endian;
//! offsets count from the end of the table, lengths hold the NUL. A module that is not there has zeros in the table, and
//! modules that were put together share one place. Source: `RamBundle/as-indexed-file.js` of the `metro` package, which
//! writes it, and `JSIndexedRAMBundle.cpp` of React Native, which reads it.
//!
//! Modules have numbers only. They are named as in the other form of the bundle, a folder `js-modules` with a file for
//! each and a file `UNBUNDLE` that holds the magic number: that form is just files, and needs nothing here.
//!
//! The table is a claim. A module whose bytes are not all there gives what is there, and what no module claims is given
//! as regions. The table is read while modules are given, so that memory is the file and 16 bytes a module.

use std::ops::Range;

use bytes::Bytes;

use super::claims::Claims;
use super::listed::{held, number_at};
use super::{Event, Format, Input, Member, Trouble, Walker};
use crate::blob::{Limits, MemberName};

/// 0xFB0BD1E5 as the file has it.
const MAGIC: &[u8] = b"\xe5\xd1\x0b\xfb";
/// Where the table begins.
const TABLE_AT: usize = 12;
/// Bytes of one place in it.
const ROW: usize = 8;
/// The name of the code that runs first; in the other form it is the bundle itself.
const STARTUP: &[u8] = b"startup.js";

/// The indexed RAM bundle.
pub struct RamBundle;

impl Format for RamBundle {
    fn name(&self) -> &'static str {
        "ram-bundle"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(MAGIC) && head.len() >= TABLE_AT
    }

    fn open(&self, input: Input, _: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let content = held(input)?;
        let number = |at| number_at(&content, at, 4).map_or(0, |number| number as usize);
        let (stated, startup) = (number(4), number(8));
        let rows = (content.len() - TABLE_AT.min(content.len())) / ROW;
        let mut troubles = Vec::new();
        if stated > rows {
            troubles.push(Trouble::damaged(
                "truncated",
                format!("the table states {stated} modules, of which {rows} at most are there; get the file again"),
                None,
            ));
        }
        Ok(Box::new(RamWalker {
            base: (TABLE_AT + stated.min(rows) * ROW).min(content.len()),
            modules: stated.min(rows),
            next: 0,
            startup: Some(startup),
            claims: Some(Claims::default()),
            regions: Vec::new(),
            troubles,
            content,
        }))
    }
}

struct RamWalker {
    content: Bytes,
    /// Where the table ends, from which offsets count.
    base: usize,
    modules: usize,
    /// Number of the module that comes next.
    next: usize,
    /// Length of the code that runs first, until it was given.
    startup: Option<usize>,
    /// What was claimed; `None` once that was settled.
    claims: Option<Claims>,
    /// What nobody claimed, last first.
    regions: Vec<(u64, u64)>,
    troubles: Vec<Trouble>,
}

impl RamWalker {
    /// The code in `range` without the NUL behind it.
    fn code(&mut self, name: Vec<u8>, range: Range<usize>) -> Event {
        let end = range.end.min(self.content.len());
        let start = range.start.min(end);
        if let Some(claims) = &mut self.claims {
            claims.note(start as u64, (end - start) as u64);
        }
        let missing = range.end - range.start - (end - start);
        let code = self.content.slice(start..end);
        let ends_well = missing == 0 && code.last() == Some(&0);
        let code = code.slice(..code.len() - usize::from(ends_well));
        let mut member = Member::whole(MemberName::Named(name), code);
        member.trouble = (missing > 0).then(|| {
            Trouble::damaged(
                "truncated",
                format!(
                    "the file ends {missing} bytes before this module does; what is there was read"
                ),
                Some(missing as u64),
            )
        });
        Event::Member(member)
    }

    /// The next module that the table has a place for.
    fn module(&mut self) -> Option<Event> {
        while self.next < self.modules {
            let number = self.next;
            self.next += 1;
            let at = TABLE_AT + number * ROW;
            let field = |at| number_at(&self.content, at, 4).map_or(0, |number| number as usize);
            let (offset, len) = (field(at), field(at + 4));
            if len > 0 {
                let start = self.base + offset;
                let name = format!("js-modules/{number}.js").into_bytes();
                return Some(self.code(name, start..start + len));
            }
        }
        None
    }

    /// Looks at what the table left out, once it was read.
    fn settle(&mut self, claims: Claims) {
        let (overlaps, regions) = claims.settle(self.base as u64, self.content.len() as u64);
        if overlaps > 0 {
            self.troubles.push(Trouble::odd(
                "ram-overlap",
                format!("{overlaps} modules begin within the bytes of another; each was read as the table states"),
            ));
        }
        self.regions = regions;
        self.regions.reverse();
    }
}

impl Walker for RamWalker {
    fn kind(&self) -> &'static str {
        "ram-bundle"
    }

    fn next(&mut self) -> Option<Event> {
        if let Some(len) = self.startup.take().filter(|len| *len > 0) {
            return Some(self.code(STARTUP.to_vec(), self.base..self.base + len));
        }
        if let Some(module) = self.module() {
            return Some(module);
        }
        if let Some(claims) = self.claims.take() {
            self.settle(claims);
        }
        if let Some((from, to)) = self.regions.pop() {
            let region = self.content.slice(from as usize..to as usize);
            return Some(if region.iter().all(|byte| *byte == 0) {
                Event::Other("padding")
            } else {
                Event::Member(Member::whole(MemberName::Offset(from), region))
            });
        }
        self.troubles.pop().map(Event::Trouble)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    /// A bundle with this code in front and these rows (offset, length), and bytes behind the table.
    fn laid(startup: u32, rows: &[(u32, u32)], code: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend((rows.len() as u32).to_le_bytes());
        bytes.extend(startup.to_le_bytes());
        for (offset, len) in rows {
            bytes.extend(offset.to_le_bytes());
            bytes.extend(len.to_le_bytes());
        }
        bytes.extend(code);
        bytes
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(RamBundle.recognise(bytes));
        walk(&RamBundle, bytes, &Limits::default()).expect("it opens")
    }

    #[test]
    fn startup_code_and_modules_come_out() {
        let rows = [(6, 3), (0, 0), (9, 2), (6, 3)];
        let found = seen(&laid(6, &rows, b"run()\0m0\0m\0"));
        assert_eq!(
            found.named(),
            [
                ("startup.js", &b"run()"[..]),
                ("js-modules/0.js", b"m0"),
                ("js-modules/2.js", b"m"),
                ("js-modules/3.js", b"m0"),
            ]
        );
        assert!(found.codes.is_empty() && found.others.is_empty());
    }

    #[test]
    fn what_the_table_does_not_mention_is_a_region() {
        let found = seen(&laid(2, &[(4, 2)], b"s\0??m\0\0\0end"));
        let base = TABLE_AT + ROW;
        assert_eq!(
            found.named(),
            [
                ("startup.js", &b"s"[..]),
                ("js-modules/0.js", b"m"),
                (format!("@{}", base + 2).as_str(), b"??"),
                (format!("@{}", base + 6).as_str(), b"\0\0end"),
            ]
        );
        assert_eq!(seen(&laid(2, &[], b"s\0\0\0")).others, ["padding"]);
    }

    #[test]
    fn a_table_that_lies_gives_what_is_there() {
        let rows = [(2, 99), (u32::MAX, u32::MAX), (3, 1)];
        let found = seen(&laid(2, &rows, b"s\0abc"));
        assert_eq!(
            found.named(),
            [
                ("startup.js", &b"s"[..]),
                ("js-modules/0.js", b"abc"),
                ("js-modules/1.js", b""),
                ("js-modules/2.js", b"b"),
            ]
        );
        assert_eq!(found.codes, ["truncated", "truncated", "ram-overlap"]);
        let mut endless = laid(2, &[(0, 2)], b"");
        endless[4..8].fill(0xff);
        assert!(seen(&endless).codes.contains(&"truncated".to_owned()));
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(startup in "[a-z]{0,9}", modules in proptest::collection::vec("[a-z]{0,20}", 0..9)) {
            let mut code = [startup.as_bytes(), b"\0"].concat();
            let (mut rows, mut expected) = (Vec::new(), vec![("startup.js".to_owned(), startup.clone().into_bytes())]);
            for (number, module) in modules.iter().enumerate() {
                rows.push((code.len() as u32, module.len() as u32 + 1));
                code.extend(module.as_bytes());
                code.push(0);
                expected.push((format!("js-modules/{number}.js"), module.clone().into_bytes()));
            }
            let found = seen(&laid(startup.len() as u32 + 1, &rows, &code));
            prop_assert_eq!(found.members, expected);
            prop_assert!(found.codes.is_empty() && found.others.is_empty());
        }

        #[test]
        fn damage_never_panics_and_invents_nothing(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in 0..50_usize) {
            let mut bytes = laid(6, &[(6, 3), (0, 0), (9, 2)], b"run()\0m0\0m\0");
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            for (_, code) in walk(&RamBundle, &bytes, &Limits::default()).expect("it opens").members {
                prop_assert!(code.is_empty() || memchr::memmem::find(&bytes, &code).is_some());
            }
        }
    }
}
