//! pkg's executables (`pkg`, `@yao-pkg/pkg`): a file system behind a patched Node.
//!
//! Behind the runtime stand the files one after the other, each perhaps compressed, and then the *prelude*: a function
//! in JavaScript whose last arguments are JSON: the files (path → store → [offset, length]), the entry point, links,
//! the dictionary by which paths were shortened, and how files are compressed. Stores: 0 V8 bytecode, 1 content, 2 the
//! names in a folder, 3 what `stat` gave. Source: `lib/producer.ts` and `lib/packer.ts` of `@yao-pkg/pkg`. Where the
//! files begin is written into the runtime; it is also the length of the longest reach before the prelude, which needs
//! no search.
//!
//! pkg ships a file's source whenever bytecode fails, and dependencies always. Arguments are separated by a line that
//! JSON cannot hold, so that they are told apart without understanding the script.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;

use bytes::Bytes;

use super::exe;
use super::json::{self, Shape, Token, Tokens};
use super::listed::{Listed, held};
use super::{Format, Input, Member, Trouble, Walker, safe};
use crate::blob::{Decoders, Limits, MemberName, room};

const BEGIN: &[u8] =
    b"(function(process, require, console, EXECPATH_FD, PAYLOAD_POSITION, PAYLOAD_SIZE) {";
const END: &[u8] = b"\n})";
const SEPARATOR: &[u8] = b"\n,\n";
/// Arguments behind the files, in the newest version.
const ARGUMENTS_MAX: usize = 4;
/// The prelude begins so close to the end of an executable; the index of 300,000 files takes less.
const PRELUDE_MAX: usize = 64 << 20;

/// An executable made by pkg.
pub struct Pkg;

impl Format for Pkg {
    fn name(&self) -> &'static str {
        "pkg"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        prelude(head).is_some()
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let content = held(input)?;
        let mut list = Listed::new("pkg", content.clone());
        if let Some(range) = prelude(&content) {
            match Prelude::read(&content, &range) {
                Some(prelude) => prelude.list(range.start, limits, &mut list),
                None => list.trouble(Trouble::odd(
                    "pkg-index-damaged",
                    "the index of files could not be read; the executable was read as a region",
                )),
            }
        }
        Ok(list.finish())
    }
}

/// Where the prelude stands: at the end, but for a signature behind it in Mach-O files.
fn prelude(content: &[u8]) -> Option<Range<usize>> {
    let is_macho = || content.starts_with(b"\xcf\xfa\xed\xfe");
    if !exe::is_executable(content) || !(content.ends_with(END) || is_macho()) {
        return None;
    }
    let from = content.len().saturating_sub(PRELUDE_MAX);
    let start = from + memchr::memmem::rfind(&content[from..], BEGIN)?;
    let end = start + memchr::memmem::rfind(&content[start..], END)? + END.len();
    Some(start..end)
}

/// One stored thing: path, number of the store, offset and length.
struct Stored {
    path: Bytes,
    store: u64,
    offset: usize,
    len: usize,
}

struct Prelude {
    stored: Vec<Stored>,
    links: usize,
    /// From shortened names to names.
    names: HashMap<Vec<u8>, Vec<u8>>,
    compression: u64,
}

impl Prelude {
    fn read(content: &Bytes, range: &Range<usize>) -> Option<Self> {
        let text = content.slice(range.clone());
        // `\n);` closes the call before the end.
        let text = text.slice(..memchr::memmem::rfind(&text, b"\n);")?);
        let (mut arguments, mut rest) = (Vec::new(), text);
        let files = loop {
            let line = memchr::memrchr(b'\n', &rest)?;
            if arguments.len() == ARGUMENTS_MAX || !rest[..=line].ends_with(SEPARATOR) {
                break rest.slice(line + 1..);
            }
            arguments.push(rest.slice(line + 1..));
            rest = rest.slice(..line + 1 - SEPARATOR.len());
        };
        arguments.reverse();
        let stored = stored(files)?;
        let strings = |index: usize| arguments.get(index).cloned().map(pairs).unwrap_or_default();
        Some(Self {
            stored,
            links: strings(1).len(),
            names: strings(2)
                .into_iter()
                .map(|(name, key)| (key, name))
                .collect(),
            compression: arguments
                .get(3)
                .and_then(|word| json::number(word))
                .unwrap_or(0),
        })
    }

    fn list(self, prelude: usize, limits: &Limits, list: &mut Listed) {
        let (hold, decoders) = (limits.hold(), limits.decoders);
        let reach = |stored: &Stored| stored.offset.saturating_add(stored.len);
        let longest = self.stored.iter().map(reach).max().unwrap_or(0);
        let Some(start) = prelude.checked_sub(longest) else {
            list.trouble(Trouble::odd(
                "pkg-index-damaged",
                format!("the index names {longest} bytes of files, and {prelude} bytes stand before it; the executable was read as a region"),
            ));
            return;
        };
        for _ in 0..self.links {
            list.other("symlink");
        }
        for stored in &self.stored {
            let range = start + stored.offset..start + reach(stored);
            let ending: &[u8] = match stored.store {
                0 => b".jsc",
                1 => b"",
                kind => {
                    list.claim(&range);
                    list.other(if kind == 2 { "folder" } else { "stat" });
                    continue;
                }
            };
            let name = [&self.name(&stored.path)[..], ending].concat();
            let compression = self.compression;
            if compression == 0 {
                list.member(name, range);
                continue;
            }
            list.packed(&range, move |packed| {
                let (bytes, trouble) = unpack(packed, compression, hold, decoders);
                let bytes = bytes.unwrap_or_else(|| Bytes::copy_from_slice(packed));
                let mut member = Member::whole(MemberName::Named(name), bytes);
                member.trouble = trouble;
                member
            });
        }
    }

    /// The path that a shortened one stands for.
    fn name(&self, path: &[u8]) -> Vec<u8> {
        let path = json::unescape(path);
        if self.compression == 0 {
            return path.into_owned();
        }
        let parts: Vec<&[u8]> = path
            .split(|byte| *byte == b'/')
            .map(|part| self.names.get(part).map_or(part, Vec::as_slice))
            .collect();
        parts.join(&b'/')
    }
}

/// The stored things of the index. `None` where it is none.
fn stored(files: Bytes) -> Option<Vec<Stored>> {
    let mut tokens = Tokens::new(files);
    if tokens.next()? != Token::Open(Shape::Object) {
        return None;
    }
    let (mut found, mut depth) = (Vec::new(), 1);
    let (mut path, mut store, mut numbers) = (Bytes::new(), None, Vec::new());
    for token in tokens {
        match token {
            Token::Open(_) => depth += 1,
            Token::Close(shape) => {
                if let (Shape::Array, Some(store), [offset, len]) = (shape, store, &numbers[..]) {
                    found.push(Stored {
                        path: path.clone(),
                        store,
                        offset: *offset,
                        len: *len,
                    });
                }
                numbers.clear();
                depth -= 1;
            }
            Token::Key(key) if depth == 1 => path = key,
            Token::Key(key) => store = json::number(&key),
            Token::Word(word) if numbers.len() < 3 => {
                numbers.extend(json::number(&word).and_then(|number| usize::try_from(number).ok()));
            }
            Token::Word(_) | Token::Text(_) => {}
        }
    }
    Some(found)
}

/// The pairs of strings of an object.
fn pairs(object: Bytes) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut found, mut key) = (Vec::new(), None);
    for token in Tokens::new(object) {
        match token {
            Token::Key(raw) => key = Some(json::unescape(&raw).into_owned()),
            Token::Text(raw) => {
                let value = json::unescape(&raw).into_owned();
                found.extend(key.take().map(|key| (key, value)));
            }
            _ => {}
        }
    }
    found
}

/// Undoes the compression of one file; `None` where there is none, or none that is known.
fn unpack(
    packed: &[u8],
    compression: u64,
    most: u64,
    decoders: Decoders,
) -> (Option<Bytes>, Option<Trouble>) {
    const BUFFER: usize = 32 << 10;
    let mut decoder: Box<dyn Read + '_> = match compression {
        1 => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        2 => Box::new(brotli_decompressor::Decompressor::new(packed, BUFFER)),
        3 => match safe::zstd(packed, decoders) {
            Some(decoder) => decoder,
            None => return (None, None),
        },
        unknown => {
            let trouble = Trouble::skipped(
                "unsupported",
                format!(
                    "files are compressed by method {unknown}, which is not known; the packed bytes were read"
                ),
                Some(packed.len() as u64),
            );
            return (None, Some(trouble));
        }
    };
    let mut bytes = Vec::new();
    let result = room::read(&mut decoder, most + 1, &mut bytes);
    let trouble = if bytes.len() as u64 > most {
        bytes.truncate(most as usize);
        Some(Trouble::damaged(
            "memory-limit",
            format!("the content unfolds to more than {most} bytes; raise --memory"),
            None,
        ))
    } else {
        result.err().map(|error| {
            Trouble::damaged(
                "corrupt-data",
                format!(
                    "the packed content is damaged ({error}); what came before the damage was read"
                ),
                None,
            )
        })
    };
    (Some(bytes.into()), trouble)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    /// An executable as pkg lays it.
    fn laid(files: &[(&str, u64, &[u8])], tail: &str) -> Vec<u8> {
        let mut exe = b"\x7fELF the runtime".to_vec();
        let mut index: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
        let start = exe.len();
        for (path, store, bytes) in files {
            let stores = index.entry(*path).or_insert_with(|| serde_json::json!({}));
            stores[store.to_string()] = serde_json::json!([exe.len() - start, bytes.len()]);
            exe.extend_from_slice(bytes);
        }
        exe.extend(BEGIN);
        exe.extend(b" return (function (A, B) { a\n,\nb })(function (exports) {\nx\n},\n");
        exe.extend(serde_json::Value::Object(index).to_string().as_bytes());
        exe.extend(tail.as_bytes());
        exe.extend(b"\n);\n})");
        exe
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(Pkg.recognise(bytes));
        walk(&Pkg, bytes, &Limits::default()).expect("it opens")
    }

    #[test]
    fn files_come_out_of_plain_ones() {
        for tail in [
            "\n,\n\"/snapshot/a.js\"",
            "\n,\n\"/snapshot/a.js\"\n,\n{\"/l\":\"/a\"}\n,\n{}\n,\n0",
        ] {
            let found = seen(&laid(
                &[
                    ("/snapshot/a.js", 1, b"run()"),
                    ("/snapshot/a.js", 3, b"{\"mode\":1}"),
                    ("/snapshot/b.js", 0, b"BYTECODE"),
                    ("/snapshot", 2, b"[\"a.js\"]"),
                ],
                tail,
            ));
            assert_eq!(
                found.members[0],
                ("/snapshot/a.js".to_owned(), b"run()".to_vec())
            );
            assert_eq!(
                found.members[1],
                ("/snapshot/b.js.jsc".to_owned(), b"BYTECODE".to_vec())
            );
            assert_eq!(found.members[2].0, "@0");
            assert!(found.others.contains(&"folder") && found.others.contains(&"stat"));
            assert!(found.codes.is_empty());
        }
    }

    #[test]
    fn files_come_out_of_compressed_ones_under_their_names() {
        let text = b"a source, a source, a source";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        let packed = [
            (1, gzip.finish().unwrap()),
            (3, zstd::encode_all(&text[..], 1).unwrap()),
        ];
        for (method, packed) in packed {
            let tail = format!(
                "\n,\n\"x\"\n,\n{{}}\n,\n{{\"\":\"0\",\"snapshot\":\"1\",\"a.js\":\"2\"}}\n,\n{method}"
            );
            let found = seen(&laid(&[("0/1/2", 1, &packed)], &tail));
            assert_eq!(
                found.members[0],
                ("/snapshot/a.js".to_owned(), text.to_vec())
            );
            assert!(found.codes.is_empty());
        }
    }

    #[test]
    fn an_index_that_lies_costs_no_bytes() {
        let exe = laid(&[("/a", 1, b"run()")], "\n,\n\"x\"");
        let text = String::from_utf8_lossy(&exe)
            .replace("[0,5]", "[9000000000000000000,9000000000000000000]");
        let found = seen(text.as_bytes());
        assert_eq!(found.members, [("@0".to_owned(), text.as_bytes().to_vec())]);
        assert_eq!(found.codes, ["pkg-index-damaged"]);
    }

    proptest! {
        #[test]
        fn damage_never_panics(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            let mut bytes = laid(&[("/a", 1, b"run()"), ("/b", 0, b"x")], "\n,\n\"x\"\n,\n{}\n,\n{\"a\":\"0\"}\n,\n2");
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = walk(&Pkg, &bytes, &Limits::default());
        }
    }
}
