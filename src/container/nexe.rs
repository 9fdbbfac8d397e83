//! nexe's executables: resources behind a patched Node.
//!
//! Behind the runtime stand a script that starts the application, the resources one after the other, and a footer: the
//! word `<nexe~~sentinel>`, the length of the script and that of the resources, each as a little-endian double. The
//! script begins with the index as JSON (path → [offset, length], offsets from the first resource). The footer may stand
//! before a signature; the runtime looks for it in the last 16,000 bytes. Sources: `src/compiler.ts`,
//! `src/fs/bundle.ts` and `src/patches/boot-nexe.ts` of the nexe repository, and executables made by nexe 3.3.7.
//!
//! Paths stay as they are written (`./lib/a.js`). Newer versions pack the resources into a zip and leave the index
//! empty; they are given as a region then, and what a region is, its bytes decide.

use std::ops::Range;

use bytes::Bytes;

use super::exe;
use super::json::{self, Shape, Token, Tokens};
use super::listed::{Listed, held};
use super::{Format, Input, Trouble, Walker};
use crate::blob::Limits;

const SENTINEL: &[u8] = b"<nexe~~sentinel>";
/// The sentinel and two doubles. In bytes.
const FOOTER: usize = 32;
/// How far before the end the runtime looks for the footer. In bytes.
const TAIL: usize = 16_000;
/// What the index is assigned to.
const INDEX: &[u8] = b"process.__nexe";

/// An executable made by nexe.
pub struct Nexe;

impl Format for Nexe {
    fn name(&self) -> &'static str {
        "nexe"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        Layout::of(head).is_some()
    }

    fn open(&self, input: Input, _: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let content = held(input)?;
        let mut list = Listed::new("nexe", content.clone());
        if let Some(layout) = Layout::of(&content) {
            layout.list(&content, &mut list);
        }
        Ok(list.finish())
    }
}

/// Where the parts stand.
struct Layout {
    script: Range<usize>,
    resources: Range<usize>,
    footer: Range<usize>,
}

impl Layout {
    /// The last footer whose lengths fit into what stands before it.
    fn of(content: &[u8]) -> Option<Self> {
        if !exe::is_executable(content) {
            return None;
        }
        let from = content.len().saturating_sub(TAIL);
        memchr::memmem::rfind_iter(&content[from..], SENTINEL)
            .find_map(|at| Self::read(content, from + at))
    }

    fn read(content: &[u8], at: usize) -> Option<Self> {
        let length = |at: usize| {
            let raw = content.get(at..)?.first_chunk()?;
            whole(f64::from_le_bytes(*raw))
        };
        let script_len = length(at + SENTINEL.len())?;
        let resources = at.checked_sub(length(at + SENTINEL.len() + 8)?)?;
        let script = resources.checked_sub(script_len)?;
        // An empty script starts nothing.
        (script_len > 0).then_some(Self {
            script: script..resources,
            resources: resources..at,
            footer: at..at + FOOTER,
        })
    }

    fn list(self, content: &Bytes, list: &mut Listed) {
        list.claim(&self.footer);
        let script = content.slice(self.script.clone());
        let index = memchr::memmem::find(&script, INDEX)
            .and_then(|at| memchr::memchr(b'{', &script[at..]).map(|open| at + open))
            .map(|at| resources(script.slice(at..)));
        let Some(index) = index else {
            list.trouble(Trouble::odd(
                "nexe-index-missing",
                "the script that starts the application has no index of resources; both were read as regions",
            ));
            list.region(self.script);
            list.region(self.resources);
            return;
        };
        let mut lies = 0_u64;
        for (path, offset, len) in index {
            let place = usize::try_from(offset)
                .ok()
                .and_then(|offset| self.resources.start.checked_add(offset))
                .and_then(|start| Some(start..start.checked_add(usize::try_from(len).ok()?)?))
                .filter(|range| range.end <= self.resources.end);
            match place {
                Some(range) => list.member(path, range),
                None => lies += 1,
            }
        }
        if lies > 0 {
            list.trouble(Trouble::odd(
                "nexe-index-damaged",
                format!("{lies} places in the index are beyond the resources; what no file claims is given as regions"),
            ));
        }
        list.region(self.script);
    }
}

/// A length that was written as a double; `None` where it is none.
fn whole(number: f64) -> Option<usize> {
    /// From here on, not every whole number is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_length = (0.0..EXACT).contains(&number) && number.fract() == 0.0;
    is_length.then_some(number as usize)
}

/// Path, offset and length of each resource in the object at the front of `document`; code follows behind it.
fn resources(document: Bytes) -> Vec<(Vec<u8>, u64, u64)> {
    let (mut found, mut depth) = (Vec::new(), 0_usize);
    let (mut is_resources, mut path, mut numbers) = (false, None, Vec::new());
    for token in Tokens::new(document) {
        match token {
            Token::Open(_) => {
                depth += 1;
                numbers.clear();
            }
            Token::Close(shape) => {
                if let (Shape::Array, [offset, len], true) = (shape, &numbers[..], is_resources) {
                    found.extend(path.take().map(|path| (path, *offset, *len)));
                }
                numbers.clear();
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
            Token::Key(raw) if depth == 1 => is_resources = raw == "resources",
            Token::Key(raw) => path = Some(json::unescape(&raw).into_owned()),
            Token::Word(word) if numbers.len() < 3 => numbers.extend(json::number(&word)),
            Token::Word(_) | Token::Text(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    fn laid(script: &str, resources: &[u8], behind: &[u8]) -> Vec<u8> {
        [
            b"\x7fELF the runtime",
            script.as_bytes(),
            resources,
            SENTINEL,
            &(script.len() as f64).to_le_bytes(),
            &(resources.len() as f64).to_le_bytes(),
            behind,
        ]
        .concat()
    }

    fn script(index: &str) -> String {
        format!("!(function () {{process.__nexe = {{\"resources\":{index}}};\nrun([1,2])}})();")
    }

    fn usual() -> Vec<u8> {
        laid(
            &script(r#"{"./\u00fc.json":[0,7],"./lib/a.js":[7,4],"./empty":[11,0]}"#),
            br#"{"a":1}a();rest"#,
            b"",
        )
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(Nexe.recognise(bytes));
        walk(&Nexe, bytes, &Limits::default()).expect("it opens")
    }

    fn get<'a>(seen: &'a Seen, name: &str) -> Option<&'a [u8]> {
        let found = seen.members.iter().find(|(known, _)| known == name);
        found.map(|(_, bytes)| bytes.as_slice())
    }

    fn has_region(seen: &Seen, bytes: &[u8]) -> bool {
        let mut regions = seen
            .members
            .iter()
            .filter(|(name, _)| name.starts_with('@'));
        regions.any(|(_, region)| region == bytes)
    }

    #[test]
    fn resources_come_out_under_their_paths_and_nothing_is_lost() {
        for behind in [&b""[..], b"a signature"] {
            let mut exe = usual();
            exe.extend(behind);
            let found = seen(&exe);
            assert_eq!(get(&found, "./ü.json"), Some(&br#"{"a":1}"#[..]));
            assert_eq!(get(&found, "./lib/a.js"), Some(&b"a();"[..]));
            assert_eq!(get(&found, "./empty"), Some(&b""[..]));
            assert!(has_region(&found, b"rest") && has_region(&found, b"\x7fELF the runtime"));
            assert!(found.codes.is_empty());
            let given: usize = found.members.iter().map(|(_, bytes)| bytes.len()).sum();
            assert_eq!(given, exe.len() - FOOTER);
        }
    }

    #[test]
    fn a_zip_of_resources_is_a_region() {
        let found = seen(&laid(&script("{}"), b"PK\x03\x04", b""));
        assert!(has_region(&found, b"PK\x03\x04"));
        let found = seen(&laid("start()", b"PK\x03\x04", b""));
        assert!(has_region(&found, b"PK\x03\x04") && has_region(&found, b"start()"));
        assert_eq!(found.codes, ["nexe-index-missing"]);
    }

    #[test]
    fn an_index_that_lies_costs_no_bytes() {
        let index = r#"{"./a":[9000000000000000000,9000000000000000000],"./b":[3,2],"./c":[0,4]}"#;
        let found = seen(&laid(&script(index), b"abcd", b""));
        assert_eq!(get(&found, "./c"), Some(&b"abcd"[..]));
        assert_eq!(get(&found, "./b"), None);
        assert_eq!(found.codes, ["nexe-index-damaged"]);
    }

    #[test]
    fn what_only_has_the_word_is_refused() {
        for length in [f64::NAN, f64::INFINITY, -1.0, 0.5, 1e300, 99.0] {
            let mut exe = b"\x7fELF the runtime".to_vec();
            exe.extend(SENTINEL);
            exe.extend(length.to_le_bytes());
            exe.extend(0_f64.to_le_bytes());
            assert!(!Nexe.recognise(&exe), "{length}");
        }
        assert!(!Nexe.recognise(&usual()[1..]));
        assert!(!Nexe.recognise(&[usual(), vec![1; TAIL]].concat()));
    }

    proptest! {
        #[test]
        fn damage_never_panics(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), cut in 0..40_usize) {
            let mut exe = usual();
            for (at, byte) in flips {
                let at = at.index(exe.len());
                exe[at] = byte;
            }
            exe.truncate(exe.len() - cut);
            let _ = walk(&Nexe, &exe, &Limits::default());
        }

        #[test]
        fn damage_before_the_footer_loses_no_byte(flips in proptest::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 0..8)) {
            let mut exe = usual();
            let magic = 4;
            for (at, byte) in flips {
                let at = magic + at.index(exe.len() - FOOTER - magic);
                exe[at] = byte;
            }
            let found = seen(&exe);
            let mut given = vec![0_u32; 256];
            for (_, bytes) in &found.members {
                bytes.iter().for_each(|byte| given[usize::from(*byte)] += 1);
            }
            let mut there = vec![0_u32; 256];
            exe[..exe.len() - FOOTER].iter().for_each(|byte| there[usize::from(*byte)] += 1);
            prop_assert!(there.iter().zip(&given).all(|(there, given)| there <= given));
        }
    }
}
