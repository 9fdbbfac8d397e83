//! Source maps: getting the original sources back, byte for byte.
//!
//! A source map (ECMA-426) is a JSON document whose `sources` and `sourcesContent` lists hold the names and the full
//! text of the files that went into a bundle. Nothing needs decoding to recover them: they are strings, and finding
//! strings is far cheaper than understanding a map. This module therefore never builds a JSON tree and never looks at
//! `mappings`. It walks bytes, so that a map with a byte-order mark, a lone surrogate, bytes that are not UTF-8, a raw
//! control character or a missing second half still gives back every string that can be seen.
//!
//! - [`scan()`] finds the names and contents of one map as raw slices; [`looks_like_map`] says whether to try.
//! - [`RawString::decode`] turns a slice into the exact bytes and says how exact they are ([`Status`]).
//! - [`links`] finds `sourceMappingURL` comments in JavaScript and CSS, [`classify`] says what they point to.
//! - [`strict::judge`] says whether a map is valid by the standard, which none of the others asks.
//! - [`data_url`] reads maps that sit inside such a comment, [`eval`] modules that sit inside a call.
//! - [`join_source`], [`resolve_source`] and [`resolve_link`] do the path arithmetic, always inside the container;
//!   [`resolve_captured`] does it for captures of traffic, whose members have URLs.
//!
//! - [`carve`] finds maps inside other texts, [`mapped`] reads what mappings tell of sources, [`consistency`] holds that
//!   against contents, and [`skeleton`] lays generated code out where a content is missing.
//!
//! Where several maps stand in one file, [`MapScan::end`] says where the next one may begin, and the container gives it.
//! Nothing is fetched, opened or written.

mod block;
pub mod carve;
pub mod consistency;
pub mod container;
mod cursor;
pub mod data_url;
pub mod eval;
pub mod inlined;
pub mod layout;
pub mod link;
pub mod mapped;
pub mod resolve;
pub mod scan;
pub mod skeleton;
pub mod sniff;
pub mod spread;
pub mod strict;
pub mod unescape;
pub mod utf16;
pub mod vlq;

pub use link::{Link, LinkKind, Target, classify, debug_ids, is_wasm, links, wasm_links};
pub use resolve::{captured_url, join_source, resolve_captured, resolve_link, resolve_source};
pub use scan::{
    Content, Limits, MapScan, NotAMap, Oddity, OddityKind, SourceSlot, scan, scan_with,
};
pub use sniff::looks_like_map;
pub use unescape::{Decoded, RawString, Status};
