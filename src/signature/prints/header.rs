//! The licence header of a source file: a stretch that thousands of foreign files share, and which says nothing of any.
//!
//! It is the comments at the very beginning, up to the first line that is none, where they speak of a licence or a
//! copyright. A comment in `/* … */`, `<!-- … -->` or three quotes counts for itself, lines that begin with the same mark (`//`, `#`,
//! `--`, `;`, `%`) count together up to a blank one. What is behind the last that speaks of it is no part of the header.

/// A header is looked for in this many bytes.
const HEAD_BYTES: usize = 16 << 10;

/// Where the text behind its licence header begins; 0 where there is none.
pub(super) fn header_end(text: &[u8]) -> usize {
    let head = &text[..text.len().min(HEAD_BYTES)];
    let mut end = 0;
    let mut at = 0;
    while let Some(stop) = comment_end(head, blanks_end(head, at)) {
        if speaks_of_licence(&head[at..stop]) {
            end = stop;
        }
        at = stop;
    }
    end
}

fn blanks_end(head: &[u8], at: usize) -> usize {
    let blank = head[at..].iter().take_while(|b| b.is_ascii_whitespace());
    at + blank.count()
}

/// The end of the comment that begins at `at`, if one does.
fn comment_end(head: &[u8], at: usize) -> Option<usize> {
    let rest = &head[at..];
    let enclosed = [
        (&b"/*"[..], &b"*/"[..]),
        (b"<!--", b"-->"),
        (b"\"\"\"", b"\"\"\""),
        (b"\'\'\'", b"\'\'\'"),
    ];
    for (open, close) in enclosed {
        if let Some(inside) = rest.strip_prefix(open) {
            let len = memchr::memmem::find(inside, close)? + open.len() + close.len();
            return Some(at + len);
        }
    }
    let marks = [&b"//"[..], b"#", b"--", b";", b"%"];
    let mark = marks.into_iter().find(|mark| rest.starts_with(mark))?;
    let lines = rest.split_inclusive(|&b| b == b'\n');
    let same = lines.take_while(|line| line.trim_ascii_start().starts_with(mark));
    Some(at + same.map(<[u8]>::len).sum::<usize>())
}

fn speaks_of_licence(comment: &[u8]) -> bool {
    let comment = comment.to_ascii_lowercase();
    let words = [&b"licen"[..], b"copyright", b"(c)", b"all rights reserved"];
    words
        .into_iter()
        .any(|word| memchr::memmem::find(&comment, word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(text: &str) -> &str {
        &text[header_end(text.as_bytes())..]
    }

    #[test]
    fn headers_end_where_the_licence_does() {
        assert_eq!(
            rest("// Copyright me\n// all of it\n\n// Adds.\nfn a() {}"),
            "\n// Adds.\nfn a() {}"
        );
        assert_eq!(
            rest("#!/usr/bin/python\n# Licence: MIT\nimport a"),
            "import a"
        );
        assert_eq!(
            rest("/* (c) me */ /** Adds. */ let a"),
            " /** Adds. */ let a"
        );
        assert_eq!(rest("<!-- Licensed to you -->\n<p>"), "\n<p>");
    }

    #[test]
    fn other_comments_stay() {
        for text in [
            "// Adds.\nlet a",
            "let a // Copyright",
            "",
            "/* Copyright",
            "# a",
        ] {
            assert_eq!(rest(text), text);
        }
    }
}
