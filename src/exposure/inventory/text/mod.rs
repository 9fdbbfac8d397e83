//! Items of any text: what people write in comments, addresses, names.
//!
//! An address means the same in a string, a comment, a page or the middle of a line that no lexer can read, so this
//! looks for the marks that addresses and remarks have (`://`, `@`, `TODO`, the end of a host) in the bytes as they are,
//! and judges each by what stands round it. That is several times as fast as any lexer, and misses nothing for a lexer
//! that was out of step. Two things need more: a value that a script hides behind escapes is read again from its
//! literals with the escapes undone, and what stands between `${` and `}` is a hole (`${}`) in a value.
//!
//! [`address`] reads URLs, hosts, private addresses and buckets, [`mail`] addresses of people, [`path`] folders of the
//! machine that a build ran on, [`remark`] what comments say to colleagues, [`import`] the packages that scripts load.
//!
//! No value tells a secret: user names and queries of URLs are left out, and what looks like a token is replaced
//! ([`inert`]).
//!
//! Left out: addresses that are put together from pieces, and those that exist for examples alone.

mod address;
mod import;
mod inert;
mod mail;
mod marks;
mod path;
mod remark;

pub(super) use remark::worries;

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::{Confidence, HOLE, ItemFact};
use crate::lex::{Family, Kind, Sink, Token, lex, unescape};

pub(in crate::exposure::inventory) use inert::inert;

/// Findings that are kept of one content; further ones are counted.
const FOUND_MAX: usize = 100_000;

/// A zero in this many bytes at the beginning says that it is no text.
const HEAD_BYTES: usize = 1_024;

/// How far a line is looked back at, in bytes; what is longer was made by a program.
const LINE_MAX_BYTES: usize = 2_048;

/// How far back a comment may have begun, in bytes.
const COMMENT_MAX_BYTES: usize = 4_096;

/// A literal with escapes that is read again, in bytes.
const ESCAPED_MAX_BYTES: usize = 4_096;

/// The items of a text, whatever it is written in.
pub(super) fn items(family: Family, bytes: &[u8]) -> Vec<ItemFact> {
    // Programs hold words that look like addresses by accident.
    if memchr(0, &bytes[..bytes.len().min(HEAD_BYTES)]).is_some() {
        return Vec::new();
    }
    let page = Page {
        bytes,
        family,
        is_literal: false,
    };
    let mut found = Finds::default();
    address::find(&page, &mut found);
    mail::find(&page, &mut found);
    path::find(&page, &mut found);
    remark::find(&page, &mut found);
    import::find(&page, &mut found);
    if family == Family::Script && has_escapes(bytes) {
        lex(
            family,
            bytes,
            &mut Literals {
                bytes,
                found: &mut found,
            },
        );
    }
    found.into_items(bytes)
}

/// A text that is searched.
struct Page<'t> {
    bytes: &'t [u8],
    family: Family,
    /// It is the value of a literal, and no line of a program.
    is_literal: bool,
}

impl<'t> Page<'t> {
    /// What stands before `at` on its line.
    fn line_before(&self, at: usize) -> &'t [u8] {
        let from = at.saturating_sub(LINE_MAX_BYTES);
        let head = &self.bytes[from..at];
        memrchr(b'\n', head).map_or(head, |end| &head[end + 1..])
    }

    /// What stands from `at` to the end of its line.
    fn line_behind(&self, at: usize) -> &'t [u8] {
        let rest = &self.bytes[at..self.bytes.len().min(at + LINE_MAX_BYTES)];
        memchr(b'\n', rest).map_or(rest, |end| &rest[..end])
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn before(&self, at: usize) -> Option<u8> {
        self.byte(at.checked_sub(1)?)
    }

    /// Whether `at` lies in a comment, as far as its line and the opening of the last comment tell.
    fn is_in_comment(&self, at: usize) -> bool {
        if self.is_literal {
            return false;
        }
        let before = self.line_before(at);
        let start = before.trim_ascii_start();
        let (line_mark, has_blocks): (&[u8], bool) = match self.family {
            Family::Script | Family::Rust | Family::Clike | Family::Css => (b"//", true),
            Family::Python | Family::Ruby | Family::Shell => (b"#", false),
            Family::Sql => (b"--", true),
            Family::Html | Family::Generic => (b"#", true),
        };
        if start.starts_with(line_mark) || has_mark(before, line_mark) {
            return true;
        }
        if self.family.is_mixed() && (start.starts_with(b"//") || has_mark(before, b"<!--")) {
            return true;
        }
        has_blocks
            && ((start.starts_with(b"*") && !start.starts_with(b"*/")) || self.is_in_block(at))
    }

    /// Whether the last `/*` before `at` opens a comment that is not closed there. Globs hold both marks too, so one that
    /// opens must stand behind a blank or a bracket.
    fn is_in_block(&self, at: usize) -> bool {
        let from = at.saturating_sub(COMMENT_MAX_BYTES);
        let head = &self.bytes[from..at];
        let Some(open) = memmem::rfind(head, b"/*") else {
            return false;
        };
        let opens = open.checked_sub(1).is_none_or(|before| {
            matches!(head[before], b'(' | b'{' | b',' | b';' | b'}' | b')')
                || head[before].is_ascii_whitespace()
        });
        opens && memmem::find(&head[open + 2..], b"*/").is_none()
    }
}

/// Whether a line has a mark that opens a comment: behind a blank or at its beginning, and not in a URL.
fn has_mark(line: &[u8], mark: &[u8]) -> bool {
    memmem::find_iter(line, mark).any(|at| {
        let blank = at == 0
            || line[at - 1].is_ascii_whitespace()
            || matches!(line[at - 1], b';' | b'{' | b'}' | b',' | b')');
        blank && line.get(at + mark.len()) != Some(&b'!')
    })
}

/// One thing that was found, and where.
struct Found {
    at: usize,
    kind: &'static str,
    value: String,
    confidence: Confidence,
    detail: Option<String>,
}

/// Everything that was found.
#[derive(Default)]
struct Finds {
    all: Vec<Found>,
    left_out: u64,
}

impl Finds {
    fn add(
        &mut self,
        at: usize,
        kind: &'static str,
        value: impl Into<String>,
        confidence: Confidence,
    ) {
        self.add_with(at, kind, value, confidence, None);
    }

    fn add_with(
        &mut self,
        at: usize,
        kind: &'static str,
        value: impl Into<String>,
        confidence: Confidence,
        detail: Option<String>,
    ) {
        if self.all.len() >= FOUND_MAX {
            self.left_out += 1;
            return;
        }
        let mut value = value.into();
        // While addresses are judged, a hole is two characters that no address has.
        if matches!(kind, "url" | "host" | "bucket") {
            value = value.replace(address::HOLE, HOLE);
        }
        self.all.push(Found {
            at,
            kind,
            value: super::cut(&value, super::VALUE_CHARS),
            confidence,
            detail: detail.map(|detail| super::cut(&detail, super::DETAIL_CHARS)),
        });
    }

    /// The findings with their lines, in the order in which they stand.
    fn into_items(self, bytes: &[u8]) -> Vec<ItemFact> {
        let mut all = self.all;
        all.sort_by_key(|found| found.at);
        if let (Some(last), true) = (all.last_mut(), self.left_out > 0) {
            let more = format!(
                "{} more findings in this text are not listed",
                self.left_out
            );
            last.detail = Some(
                last.detail
                    .take()
                    .map_or(more.clone(), |detail| format!("{detail}; {more}")),
            );
        }
        let (mut line, mut counted) = (1, 0);
        let items = all.into_iter().map(|found| {
            line += memchr_iter(b'\n', &bytes[counted..found.at]).count() as u64;
            counted = found.at;
            ItemFact {
                kind: found.kind.to_owned(),
                value: found.value,
                line,
                confidence: found.confidence,
                detail: found.detail,
                behind: Vec::new(),
            }
        });
        items.collect()
    }
}

/// Whether a script writes characters of addresses in another way.
fn has_escapes(bytes: &[u8]) -> bool {
    [&b"\\x"[..], b"\\u00", b"\\u{"]
        .iter()
        .any(|escape| memmem::find(bytes, escape).is_some())
}

/// Reads literals with escapes again, as values.
struct Literals<'t, 'f> {
    bytes: &'t [u8],
    found: &'f mut Finds,
}

impl Sink for Literals<'_, '_> {
    fn token(&mut self, token: Token) {
        let raw = token.of(self.bytes);
        if token.kind != Kind::Text
            || raw.len() > ESCAPED_MAX_BYTES
            || memchr(b'\\', raw).is_none()
            || !has_escapes(raw)
        {
            return;
        }
        let mut value = Vec::with_capacity(raw.len());
        unescape(Family::Script, raw, &mut value);
        let page = Page {
            bytes: &value,
            family: Family::Script,
            is_literal: true,
        };
        let mut found = Finds::default();
        address::find(&page, &mut found);
        mail::find(&page, &mut found);
        for one in found.all {
            self.found.add_with(
                token.start as usize,
                one.kind,
                one.value,
                one.confidence,
                one.detail,
            );
        }
    }
}

#[cfg(test)]
mod tests;
