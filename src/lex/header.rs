//! The header of a file: licence, copyright, the marker of a generator. Thousands of foreign files share that stretch, and
//! it says nothing of any.
//!
//! It is what the comments at the very beginning say, up to the last paragraph that speaks of such. A paragraph ends
//! with a blank line, be it blank within its comment, or with the comment. Where more than [`SILENCE_MAX_BYTES`] are of
//! something else the header is over: an essay that mentions a licence somewhere is no header. What tells the system or
//! the language how to read the file may stand before and between.

use super::Family;
use super::nature::{generator_in, has_licence_phrase};
use std::ops::Range;

/// A header is looked for in this many bytes: the longest licence that is put on top of files, and some.
const HEAD_MAX_BYTES: usize = 24 << 10;

/// This many bytes of comments that speak of something else may stand before one that speaks of rights.
const SILENCE_MAX_BYTES: usize = 1_024;

/// A longer paragraph is a program in one line, and no licence.
const PARAGRAPH_MAX_BYTES: usize = 4 << 10;

/// Where the text behind its header begins; 0 where there is none. The place may lie within a comment, at the
/// beginning of a line of it.
#[must_use]
pub fn header_end(text: &[u8], family: Family) -> usize {
    let head = &text[..text.len().min(HEAD_MAX_BYTES)];
    let marks = Marks::of(family);
    let mut header = Header::default();
    let mut at = preamble_end(head, 0);
    while let Some(end) = marks.comment_end(head, at) {
        header.read(head, at..end);
        if header.is_over {
            break;
        }
        at = preamble_end(head, end);
    }
    header.end
}

/// Where else in a text licences stand: paragraphs with a phrase of one, and those right behind them that speak of rights.
/// In order, and apart from each other.
#[must_use]
pub fn licence_texts(text: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < text.len() {
        let line = &text[at..at + line_len(&text[at..])];
        at += line.len();
        if !is_blank(line) && at < text.len() {
            continue;
        }
        let paragraph = &text[start..at];
        let continues = found.last().is_some_and(|last| last.end == start);
        if paragraph.len() <= PARAGRAPH_MAX_BYTES
            && is_of_a_header(paragraph)
            && (continues || has_licence_phrase(paragraph))
        {
            match found.last_mut().filter(|_| continues) {
                Some(last) => last.end = at,
                None => found.push(start..at),
            }
        }
        start = at;
    }
    found
}

/// What opens and closes comments.
struct Marks {
    enclosed: &'static [(&'static [u8], &'static [u8])],
    /// Those that end with the line.
    lines: &'static [&'static [u8]],
}

impl Marks {
    fn of(family: Family) -> Marks {
        match family {
            // What begins with `#` is no comment here.
            Family::Script | Family::Rust | Family::Clike | Family::Css => Marks {
                enclosed: &[(b"/*", b"*/")],
                lines: &[b"//"],
            },
            Family::Python => Marks {
                enclosed: &[(b"\"\"\"", b"\"\"\""), (b"'''", b"'''")],
                lines: &[b"#"],
            },
            Family::Ruby | Family::Shell => Marks {
                enclosed: &[],
                lines: &[b"#"],
            },
            Family::Html => Marks {
                enclosed: &[(b"<!--", b"-->")],
                lines: &[],
            },
            Family::Sql => Marks {
                enclosed: &[(b"/*", b"*/")],
                lines: &[b"--", b"#"],
            },
            Family::Generic => Marks {
                enclosed: &[
                    (b"/*", b"*/"),
                    (b"<!--", b"-->"),
                    (b"{-", b"-}"),
                    (b"\"\"\"", b"\"\"\""),
                    (b"'''", b"'''"),
                ],
                lines: &[b"//", b"#", b"--", b";", b"%"],
            },
        }
    }

    /// The end of the comment that begins at `at`, if one does; lines with the same mark are one, but those of
    /// documentation (`///`, `//!`) are another.
    fn comment_end(&self, head: &[u8], at: usize) -> Option<usize> {
        let rest = &head[at..];
        for (open, close) in self.enclosed {
            if let Some(inside) = rest.strip_prefix(*open) {
                let len = memchr::memmem::find(inside, close)? + open.len() + close.len();
                return Some(at + len);
            }
        }
        let mark = self.lines.iter().find(|mark| rest.starts_with(mark))?;
        let kind = |line: &[u8]| {
            let behind = line.trim_ascii_start().strip_prefix(*mark)?;
            Some(behind.first().copied().filter(|b| matches!(b, b'/' | b'!')))
        };
        let lines = rest.split_inclusive(|&b| b == b'\n');
        let same = lines.take_while(|line| kind(line).is_some() && kind(line) == kind(rest));
        Some(at + same.map(<[u8]>::len).sum::<usize>())
    }
}

/// The end of blanks, and of lines that tell the system or the language how to read the file.
fn preamble_end(head: &[u8], mut at: usize) -> usize {
    const LINES: [&[u8]; 7] = [
        b"\xEF\xBB\xBF",
        b"#!/",
        b"<?php",
        b"<?xml",
        b"<!DOCTYPE",
        b"\"use strict\";",
        b"'use strict';",
    ];
    loop {
        at += head[at..]
            .iter()
            .take_while(|b| b.is_ascii_whitespace())
            .count();
        let rest = &head[at..];
        let Some(line) = LINES.iter().find(|line| rest.starts_with(line)) else {
            return at;
        };
        // What stands on the line of a tag is a part of it; a sign or a statement may have a comment behind it.
        let is_whole = line.starts_with(b"#") || (line.starts_with(b"<") && *line != b"<?php");
        at += if is_whole { line_len(rest) } else { line.len() };
    }
}

/// Bytes of a line with its line feed.
fn line_len(rest: &[u8]) -> usize {
    memchr::memchr(b'\n', rest).map_or(rest.len(), |len| len + 1)
}

/// A header that is being read, paragraph after paragraph.
#[derive(Default)]
struct Header {
    end: usize,
    /// Bytes of comments since.
    silence: usize,
    is_over: bool,
}

impl Header {
    fn read(&mut self, head: &[u8], comment: Range<usize>) {
        let mut paragraph = comment.start;
        let mut at = comment.start;
        while at < comment.end {
            let line = &head[at..comment.end];
            let line = &line[..line_len(line)];
            at += line.len();
            if (is_blank(line) || at == comment.end) && self.end_paragraph(head, paragraph..at) {
                return;
            }
            if is_blank(line) {
                paragraph = at;
            }
        }
        // What closes a comment goes with its last paragraph.
        if self.end > comment.start
            && head[self.end..comment.end]
                .split(|&b| b == b'\n')
                .all(is_blank)
        {
            self.end = comment.end;
        }
    }

    /// Returns whether the header is over.
    fn end_paragraph(&mut self, head: &[u8], paragraph: Range<usize>) -> bool {
        let text = &head[paragraph.clone()];
        if is_of_a_header(text) {
            self.end = paragraph.end;
            self.silence = 0;
        } else {
            self.silence += text.len();
        }
        self.is_over = self.silence > SILENCE_MAX_BYTES;
        self.is_over
    }
}

/// Whether a line of a comment has no letter or digit.
fn is_blank(line: &[u8]) -> bool {
    !line.iter().any(|&b| b.is_ascii_alphanumeric() || b >= 0x80)
}

/// Whether a paragraph speaks of licence, copyright or warranty, or of the program that made the file.
fn is_of_a_header(paragraph: &[u8]) -> bool {
    const WORDS: [&[u8]; 9] = [
        b"copyright",
        b"licen",
        b"spdx",
        b"all rights reserved",
        b"(c) ",
        b"\xC2\xA9",
        b"redistribut",
        b"public domain",
        b"warrant",
    ];
    let paragraph = paragraph.to_ascii_lowercase();
    let mut words = WORDS.iter();
    words.any(|word| memchr::memmem::find(&paragraph, word).is_some())
        || generator_in(&paragraph).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn header(family: Family, header: &str, rest: &str) {
        let text = format!("{header}{rest}");
        let end = header_end(text.as_bytes(), family);
        assert_eq!(&text[..end], header, "{text}");
    }

    #[test]
    fn the_licence_on_top_is_the_header() {
        header(
            Family::Script,
            "/* (c) A, MIT License */",
            "\nimport a from 'b';\n",
        );
        header(
            Family::Script,
            "// Copyright A\n// all of it\n",
            "\n// What it does.\nlet a;\n",
        );
        header(
            Family::Script,
            "#!/usr/bin/env node\n/** Words. */\n/* @license MIT */",
            " let a;\n",
        );
        header(
            Family::Script,
            "\"use strict\";\n/*! Copyright A\n */",
            "\nlet a;\n",
        );
        header(
            Family::Python,
            "#!/usr/bin/python\n# Copyright A\n",
            "import b\n",
        );
        header(
            Family::Python,
            "\"\"\"\n:copyright: A\n\"\"\"",
            "\nimport b\n",
        );
        header(
            Family::Rust,
            "// SPDX-License-Identifier: MIT\n",
            "//! The module.\n",
        );
        header(Family::Clike, "<?php\n/* Copyright A */", "\necho 1;\n");
        header(Family::Generic, "<!-- Copyright A -->", "<a/>");
        header(
            Family::Generic,
            "-- Licensed to you\n",
            "\n-- What it does.\n",
        );
    }

    #[test]
    fn the_marker_of_a_generator_is_header() {
        header(
            Family::Python,
            "# -*- coding: utf-8 -*-\n# Generated by the protocol buffer compiler.  DO NOT EDIT!\n# source: a\n",
            "import b\n",
        );
        header(
            Family::Clike,
            "",
            "/* The codes are generated from the table below. */\nint a;\n",
        );
    }

    #[test]
    fn a_header_ends_with_the_paragraph_that_speaks_of_rights() {
        header(
            Family::Script,
            "/*\n * Copyright A\n *\n * Licensed to you.\n *\n",
            " * What it does.\n */\nlet a;\n",
        );
        let essay = "// Words and words.\n".repeat(40);
        header(
            Family::Rust,
            &format!("{essay}//\n// Copyright A\n"),
            "fn a() {}\n",
        );
        let essay = "// Words and words.\n".repeat(60);
        header(
            Family::Rust,
            "",
            &format!("{essay}//\n// Copyright A\nfn a() {{}}\n"),
        );
        header(
            Family::Rust,
            "// Copyright A\n//\n",
            &format!("{essay}//\n// A licence is no matter.\nfn a() {{}}\n"),
        );
    }

    #[test]
    fn licences_are_found_within() {
        let before = "let a = 1; // licence\n\n";
        let licence = "// Copyright A\n// Permission is hereby granted, free\n// of charge, to all\n//\n// without warranty\n//\n";
        let behind = "// What b does.\nlet b = 2;\n";
        let text = format!("{before}{licence}{behind}");
        let licence = before.len()..before.len() + licence.len();
        assert_eq!(licence_texts(text.as_bytes()), [licence]);
        assert!(licence_texts(before.as_bytes()).is_empty());
        let line = format!(
            "/* Permission is hereby granted, free of charge */{}",
            "a();".repeat(2000)
        );
        assert!(licence_texts(line.as_bytes()).is_empty());
    }

    #[test]
    fn other_comments_stay() {
        header(
            Family::Clike,
            "",
            "/* What it does. */ int a; /* Copyright A */",
        );
        header(Family::Clike, "", "#define COPYRIGHT \"A\"\nint a;\n");
        header(Family::Clike, "", "/* Copyright A, open");
        header(Family::Script, "", "let a // Copyright");
        header(Family::Rust, "", "#![license]\nfn a() {}\n");
        header(Family::Script, "", "");
    }
}
