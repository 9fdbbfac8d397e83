//! The table of container formats, and what leaf content is called.
//!
//! The next format is one new file with a [`Format`] and one line here. Content decides, never the name.

use crate::blob::Limits;
use crate::container::{
    Format, Walker,
    ar::Ar,
    asar::Asar,
    brotli::Brotli,
    bun::{Bun, BunMap},
    bzip2::Bzip2,
    cab::Cab,
    cpio::Cpio,
    deno::Deno,
    git::{GitBundle, GitLoose, GitPack, found::StoreFinder},
    gzip::Gzip,
    har::Har,
    iso::Iso,
    lz4::Lz4,
    lzma::Lzma,
    mail::{Mail, mbox::Mbox},
    nexe::Nexe,
    pkg::Pkg,
    ram::RamBundle,
    rpm::Rpm,
    sea::Sea,
    sevenz::SevenZ,
    tar::Tar,
    warc::Warc,
    warc_gz::WarcGz,
    xz::Xz,
    zip::{PrefixedZip, Zip},
    zlib::Zlib,
    zstd::Zstd,
};
use crate::sourcemap::container::{SourceMap, runs_on};

/// Every format that is opened, in the order in which they are tried: those without a magic of their own last, so
/// that they are tried only where nothing else is known.
static FORMATS: &[&dyn Format] = &[
    // Before gzip, which it is too.
    &WarcGz,
    &Gzip { runs_on },
    &Zstd { runs_on },
    &Xz { runs_on },
    &Bzip2 { runs_on },
    &Lz4 { runs_on },
    &Zip,
    &SevenZ,
    &Tar,
    &Ar,
    &Cpio,
    &Rpm,
    &Cab,
    #[cfg(feature = "rar")]
    &crate::container::rar::Rar,
    &Iso,
    &Asar,
    &Sea,
    &Bun,
    &Pkg,
    &Deno,
    &Nexe,
    &PrefixedZip,
    &Har,
    &Warc,
    &Mbox,
    &Mail,
    &GitPack,
    &GitBundle,
    &RamBundle,
    &BunMap,
    &SourceMap,
    // Before zlib, which it is too.
    &GitLoose,
    &Zlib {
        is_candidate: is_unknown,
        runs_on,
    },
    &Lzma {
        is_candidate: is_unknown,
        runs_on,
    },
    &Brotli {
        is_candidate: is_unknown,
        is_known,
        runs_on,
    },
];

/// Every format that is opened, in the order in which they are tried.
pub fn all() -> &'static [&'static dyn Format] {
    FORMATS
}

/// Formats whose members are files of folders, among which git directories may lie.
const OF_FOLDERS: [&str; 10] = [
    "gzip", "zstd", "xz", "bzip2", "lz4", "zip", "tar", "asar", "zlib", "lzma",
];

/// The same walker, or one that finds git directories in what it gives.
pub fn with_stores(
    format: &dyn Format,
    walker: Box<dyn Walker>,
    limits: &Limits,
) -> Box<dyn Walker> {
    if OF_FOLDERS.contains(&format.name()) {
        return Box::new(StoreFinder::new(walker, limits));
    }
    walker
}

/// Whether content that begins so is nothing that has a name here.
fn is_unknown(head: &[u8]) -> bool {
    leaf_kind(head) == "binary" && not_opened(head).is_none()
}

/// Whether content that begins so is text, or of a kind that has a magic.
fn is_known(head: &[u8]) -> bool {
    !matches!(leaf_kind(head), "binary" | "empty")
        || not_opened(head).is_some()
        || by_magic(head).is_some()
}

/// The format of content that begins so.
pub fn format_of(head: &[u8]) -> Option<&'static dyn Format> {
    FORMATS
        .iter()
        .copied()
        .find(|format| format.recognise(head))
}

/// The same, as far as a magic tells it: of content that begins so nothing is unpacked to find out.
pub fn by_magic(head: &[u8]) -> Option<&'static dyn Format> {
    let with_magic = &FORMATS[..FORMATS.len() - 3];
    with_magic
        .iter()
        .copied()
        .find(|format| format.recognise(head))
}

/// Whether content that begins so is a source map.
pub fn is_map(head: &[u8]) -> bool {
    SourceMap.recognise(head)
}

/// Containers that are recognised but not opened yet: saying so is the least.
const NOT_OPENED: &[(&str, &[u8])] = &[
    #[cfg(not(feature = "rar"))]
    ("rar", b"Rar!\x1a\x07"),
    ("tnef", b"\x78\x9f\x3e\x22"),
];

/// The format of a container that cannot be opened yet.
pub fn not_opened(head: &[u8]) -> Option<&'static str> {
    NOT_OPENED
        .iter()
        .find(|(_, magic)| head.starts_with(magic))
        .map(|(kind, _)| *kind)
}

/// What leaf content is called in `blob` records.
pub fn leaf_kind(head: &[u8]) -> &'static str {
    const MAGICS: [(&str, &[u8]); 15] = [
        ("elf", b"\x7fELF"),
        ("pe", b"MZ"),
        ("mach-o", b"\xcf\xfa\xed\xfe"),
        ("mach-o", b"\xca\xfe\xba\xbe"),
        ("wasm", b"\0asm"),
        ("png", b"\x89PNG\r\n"),
        ("jpeg", b"\xff\xd8\xff"),
        ("gif", b"GIF8"),
        ("pdf", b"%PDF-"),
        ("woff", b"wOFF"),
        ("woff2", b"wOF2"),
        ("sqlite", b"SQLite format 3\0"),
        ("webp", b"RIFF"),
        ("ttf", b"\0\x01\0\0\0"),
        // Bytecode of React Native's engine: 0x1F1903C103BC1FC6.
        ("hermes", b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f"),
    ];
    if head.is_empty() {
        return "empty";
    }
    if let Some((kind, _)) = MAGICS.iter().find(|(_, magic)| head.starts_with(magic)) {
        return kind;
    }
    let head = &head[..head.len().min(4096)];
    if memchr::memchr(0, head).is_some() {
        return "binary";
    }
    match std::str::from_utf8(head) {
        // The head may end within a character.
        Err(error) if error.error_len().is_some() => "binary",
        _ if is_page(head) => "html",
        _ => "text",
    }
}

/// Whether a text begins as a page in HTML does: what a server says in place of a file that it does not have.
fn is_page(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let head = head.trim_ascii_start();
    [&b"<!doctype html"[..], b"<html"].iter().any(|begin| {
        head.get(..begin.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(begin))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        let name = |head: &[u8]| format_of(head).map(Format::name);
        assert_eq!(name(b"\x1f\x8b\x08\0rest"), Some("gzip"));
        assert_eq!(name(b"PK\x03\x04"), Some("zip"));
        assert_eq!(
            name(br#"{"version":3,"sources":["a"],"sourcesContent":["b"],"mappings":""}"#),
            Some("source-map")
        );
        assert_eq!(name(br#"{"name":"x","version":"1.0.0"}"#), None);
        assert_eq!(name(b""), None);
        assert_eq!(name(b"\xfd7zXZ\0"), Some("xz"));
        let rar = b"Rar!\x1a\x07";
        assert_eq!(name(rar).or(not_opened(rar)), Some("rar"));
        assert_eq!(name(rar).is_some(), cfg!(feature = "rar"));
        assert_eq!(leaf_kind("naïve".as_bytes()), "text");
        assert_eq!(leaf_kind(b"a\0b"), "binary");
        assert_eq!(leaf_kind(b"\n<!DOCTYPE html>\n"), "html");
        assert_eq!(leaf_kind(b"<p>"), "text");
        assert_eq!(
            leaf_kind(b"\xc6\x1f\xbc\x03\xc1\x03\x19\x1f\x60\0"),
            "hermes"
        );
    }
}
