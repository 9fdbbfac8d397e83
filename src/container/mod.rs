//! Containers: anything that has members.
//!
//! Every format is one file with the same small shape: a [`Format`] that says what its content looks like, and a
//! [`Walker`] that gives the members one after the other. The walker knows nothing of digests, locators or
//! findings; the engine knows nothing of formats. A new format is one new file and one line in the engine's
//! table.
//!
//! A walker never stops silently. It gives every byte it could get, and a [`Trouble`] for what it could not.
//! Names are raw bytes and mean nothing here: `../` and absolute names are data, not paths.

pub mod ar;
pub mod asar;
pub mod brotli;
pub mod bun;
pub mod bzip2;
pub mod cab;
pub mod carve;
pub mod claims;
pub mod codes;
pub mod cpio;
pub mod deno;
pub mod exe;
pub mod feed;
pub mod git;
pub mod gzip;
pub mod har;
pub mod http;
pub mod image;
pub mod inflate;
pub mod iso;
pub mod json;
pub mod listed;
pub mod lz4;
pub mod lzma;
pub mod mail;
pub mod nexe;
pub mod pkg;
pub mod ram;
#[cfg(feature = "rar")]
pub mod rar;
pub mod rpm;
pub mod safe;
pub mod sea;
pub mod sevenz;
pub mod spans;
pub mod stream;
pub mod strings;
pub mod tar;
#[cfg(test)]
pub mod testing;
pub mod warc;
pub mod warc_gz;
pub mod xz;
pub mod zip;
pub mod zlib;
pub mod zstd;

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::blob::{ContentKey, Limits, MemberName};

pub use feed::{Feed, Input, InputFile};

/// One container format.
pub trait Format: Sync {
    /// The word for it in hops and in the `container` table.
    fn name(&self) -> &'static str;

    /// Whether content that begins with `head` is of this format.
    ///
    /// `head` is the whole content where that is in memory, and at least its first 4 KiB otherwise.
    fn recognise(&self, head: &[u8]) -> bool;

    /// Opens the content.
    ///
    /// # Errors
    /// The trouble that kept it from being opened at all.
    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble>;
}

/// Gives the members of one opened container.
pub trait Walker: Send {
    /// The word for it in hops: usually the format's, but a tar in one compressed stream is one hop.
    fn kind(&self) -> &'static str;

    /// The next thing in the container; `None` at its end.
    fn next(&mut self) -> Option<Event>;

    /// Reads on in a member that was given as [`Body::Streamed`]; 0 at its end.
    ///
    /// The next call of [`Walker::next`] skips what was not read.
    fn read_streamed(&mut self, _buffer: &mut [u8]) -> usize {
        0
    }

    /// Where a member stands that was just given as [`Body::Streamed`], if its bytes lie in a file as they are: there it
    /// can be opened, however large it is.
    fn stands(&self) -> Option<Input> {
        None
    }

    /// The trouble that ended a streamed member early, if any.
    fn streamed_trouble(&mut self) -> Option<Trouble> {
        None
    }

    /// The strings beside its members, of a container that is a JSON document; once, before its members.
    fn strings(&mut self) -> Option<strings::Strings> {
        None
    }

    /// A key of all that it gave, of a container that is many files and so has no bytes of its own.
    fn key(&self) -> Option<ContentKey> {
        None
    }

    /// What the container knows of members beside their bytes, asked at its end for those that something is to be said
    /// of; one answer for each name, or none at all. Where files at the head of a store are to be counted, `lens` gives the
    /// lengths of all members.
    fn tell(&mut self, _members: &[&MemberName], _lens: Option<&LenOf>) -> Told {
        Told::default()
    }
}

/// The length in bytes of a member of a container, by its name; `None` where there is none of that name.
pub type LenOf<'a> = dyn Fn(&[u8]) -> Option<u64> + 'a;

/// What a container knows of some of its members, and what kept it from knowing more.
#[derive(Debug, Default)]
pub struct Told {
    /// By the names that were asked for, in their order.
    pub git: Vec<Option<Box<GitMeta>>>,
    /// What stands at the head of a store; `None` where nobody asked, or it cannot be told.
    pub head: Option<HeadFiles>,
    /// What is odd about it.
    pub troubles: Vec<Trouble>,
}

/// Where an object of a git store stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitMeta {
    /// `blob`, `commit`, `tag`.
    pub kind: String,
    /// Paths at which commits hold it, raw, sorted.
    pub paths: Vec<Vec<u8>>,
    /// There are more.
    pub more_paths: bool,
    /// The first commit that holds it, by author date.
    pub first: Option<GitCommit>,
    /// The last one.
    pub last: Option<GitCommit>,
    /// How the names of the store lead to it; `None` where there are no names.
    pub standing: Option<crate::record::Standing>,
    /// At how many paths it is a regular file in what `HEAD` leads to, where [`Told::head`] is told.
    pub at_head: u64,
}

/// The regular files in what `HEAD` of a git store leads to: what a checkout would lay out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadFiles {
    /// How many, each path once.
    pub files: u64,
    /// Their bytes, as far as they were read.
    pub bytes: u64,
    /// How many of them have a content that the store did not give.
    pub absent: u64,
}

/// A commit of a git store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitCommit {
    /// Its name in hexadecimal.
    pub id: String,
    /// Author date, seconds since 1970; `None` where it states none.
    pub date: Option<i64>,
}

/// One thing that a walker meets.
#[derive(Debug)]
pub enum Event {
    /// A regular member.
    Member(Member),
    /// A folder, link or header, by kind: counted, never opened.
    Other(&'static str),
    /// The same, where what stands at its name is asked, and where a link leads to, as written: of a tar.
    NamedOther(&'static str, Vec<u8>, Vec<u8>),
    /// Something is wrong with the container itself.
    Trouble(Trouble),
    /// What a source map says of itself; given before its sources, and again behind them with what they told.
    Map(Box<MapHead>),
}

/// What a source map says of itself, beside its sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapHead {
    /// The generated file that it belongs to.
    pub file: Option<Vec<u8>>,
    /// `debugId` or `debug_id`.
    pub debug_id: Option<Vec<u8>>,
    /// Sections, for an index map.
    pub sections: u64,
    /// It is valid by ECMA-426; `None` while nobody has judged it.
    pub valid: Option<bool>,
    /// Why it is not, and what else is odd about it, one phrase each.
    pub errors: Vec<String>,
    /// Maps elsewhere that sections point to.
    pub section_urls: Vec<Vec<u8>>,
    /// How its mappings agree with its contents; known once all of them were given.
    pub consistency: crate::sourcemap::consistency::Consistency,
    /// How much of the generated code its mappings say to come from a source.
    pub spread: crate::sourcemap::spread::Spread,
}

/// One regular member of a container.
#[derive(Debug)]
pub struct Member {
    /// How the container calls it.
    pub name: MemberName,
    /// Its bytes, as far as they could be had.
    pub body: Body,
    /// What kept the bytes from being read, or is odd about them.
    pub trouble: Option<Trouble>,
    /// What a source map says of a source.
    pub source: Option<Box<SourceMeta>>,
    /// Where its source map is, as the container says beside the bytes: `SourceMap` headers of a response. As written.
    pub links: Vec<Vec<u8>>,
    /// When it was written, as the container says: seconds since 1970. Whoever packed it wrote that.
    pub time: Option<i64>,
}

impl Member {
    /// A member with all its bytes.
    pub fn whole(name: MemberName, bytes: Bytes) -> Self {
        Self {
            name,
            body: Body::Held(bytes),
            trouble: None,
            source: None,
            links: Vec::new(),
            time: None,
        }
    }

    /// A member whose bytes could not be had.
    pub fn absent(name: MemberName, trouble: Trouble) -> Self {
        Self {
            name,
            body: Body::Absent,
            trouble: Some(trouble),
            source: None,
            links: Vec::new(),
            time: None,
        }
    }
}

/// The bytes of a member.
#[derive(Debug)]
pub enum Body {
    /// In memory.
    Held(Bytes),
    /// Larger than may be held: `len` bytes to be read through [`Walker::read_streamed`], if known.
    Streamed(Option<u64>),
    /// Larger than may be held, in a file where it can be read at positions. No walker gives it: it is made of a
    /// streamed one.
    At(InputFile),
    /// A git directory: many files that are read as one container.
    Files(Box<dyn git::store::StoreFiles>),
    /// Not to be had.
    Absent,
}

/// What a source map says of one of its sources, beside the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceMeta {
    /// The `sourceRoot` in force.
    pub source_root: Option<Vec<u8>>,
    /// `sources[i]`; `None` where it is null or no string.
    pub name: Option<Vec<u8>>,
    /// Listed in an ignore list.
    pub ignored: bool,
    /// The hash that the map gives of it, as written.
    pub hash: Option<Vec<u8>>,
    /// How well the content could be given back.
    pub status: crate::record::SourceStatus,
    /// Lines of the content, where there is one.
    pub lines: u64,
    /// What the mappings tell of it, where there is none.
    pub profile: Option<Box<crate::sourcemap::mapped::Profile>>,
    /// The content as it stands in the map. Lets a content be kept without a second copy of it.
    #[serde(skip)]
    pub written: Option<Written>,
}

/// A content as it stands in a map: a slice of that, with its escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The bytes between the quotes.
    pub raw: Bytes,
    /// Whether the closing quote is there.
    pub complete: bool,
}

impl Written {
    /// The content.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        let string = crate::sourcemap::RawString {
            raw: &self.raw,
            complete: self.complete,
        };
        string.decode().bytes
    }
}

/// What a problem means for the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Odd, but every byte was read.
    Odd,
    /// The entry was not read at all.
    Skipped,
    /// The entry was read in part.
    Damaged,
}

/// Something that kept bytes from being read, or is odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Code, as in `problem` records and `--accept-problem`.
    pub code: Cow<'static, str>,
    /// What happened, where, and what to do next.
    pub detail: String,
    /// Bytes that were not read; `None` when nobody can tell.
    pub unread: Option<u64>,
    /// What it means for the ledger.
    pub effect: Effect,
}

impl Trouble {
    /// Odd, but every byte was read.
    pub fn odd(code: &'static str, detail: impl Into<String>) -> Self {
        debug_assert!(codes::is_known(code), "{code} is not listed");
        Self {
            code: code.into(),
            detail: detail.into(),
            unread: Some(0),
            effect: Effect::Odd,
        }
    }

    /// Nothing was read.
    pub fn skipped(code: &'static str, detail: impl Into<String>, unread: Option<u64>) -> Self {
        debug_assert!(codes::is_known(code), "{code} is not listed");
        Self {
            code: code.into(),
            detail: detail.into(),
            unread,
            effect: Effect::Skipped,
        }
    }

    /// Read in part.
    pub fn damaged(code: &'static str, detail: impl Into<String>, unread: Option<u64>) -> Self {
        debug_assert!(codes::is_known(code), "{code} is not listed");
        Self {
            code: code.into(),
            detail: detail.into(),
            unread,
            effect: Effect::Damaged,
        }
    }
}
