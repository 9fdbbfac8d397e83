//! The licence that a file states of itself, in one line at its beginning.
//!
//! `SPDX-License-Identifier: EXPRESSION` in a comment (SPDX 2.3, annex E). It speaks for the file alone, and is nearer
//! than any manifest. Which licence a text is that is one as a whole is told by its title and its first phrase; what it, or
//! a notice, says takes a lawyer.

use crate::lex::{Family, is_licence};

/// The tag stands in the beginning of a file, if at all; bytes.
const HEAD_BYTES: usize = 4096;
/// A longer line holds no expression.
const LINE_MAX_BYTES: usize = 256;

const TAG: &[u8] = b"SPDX-License-Identifier:";

/// The expression of the first tag in a content, without what closes the comment. `None` where there is none, or it is
/// no text.
pub fn stated_licence(content: &[u8]) -> Option<&str> {
    let head = &content[..content.len().min(HEAD_BYTES)];
    let at = memchr::memmem::find(head, TAG)? + TAG.len();
    let rest = &content[at..content.len().min(at + LINE_MAX_BYTES)];
    let line = memchr::memchr2(b'\n', b'\r', rest).map_or(rest, |end| &rest[..end]);
    let mut text = std::str::from_utf8(line).ok()?;
    for close in ["*/", "-->", "\"", "'", "#}"] {
        text = text.split_once(close).map_or(text, |(before, _)| before);
    }
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// A text that is larger is no licence by itself, in bytes; the longest known has 35 KB.
const TEXT_MAX_BYTES: usize = 64 << 10;
/// Title and first phrase stand in the beginning; bytes.
const TITLE_BYTES: usize = 2048;

/// Phrases that all stand in the beginning of a licence, lower case, and its SPDX identifier; what is a special case of
/// another stands before it. Of families of which the version or the number of clauses decides, both are asked.
const TITLES: [(&[&str], &str); 17] = [
    (
        &["gnu affero general public license", "version 3"],
        "AGPL-3.0",
    ),
    (
        &["gnu lesser general public license", "version 3"],
        "LGPL-3.0",
    ),
    (
        &["gnu lesser general public license", "version 2.1"],
        "LGPL-2.1",
    ),
    (&["gnu general public license", "version 3"], "GPL-3.0"),
    (&["gnu general public license", "version 2"], "GPL-2.0"),
    (&["apache license", "version 2.0"], "Apache-2.0"),
    (&["mozilla public license version 2.0"], "MPL-2.0"),
    (&["mozilla public license", "version 2.0"], "MPL-2.0"),
    (&["eclipse public license", "v 2.0"], "EPL-2.0"),
    (&["boost software license - version 1.0"], "BSL-1.0"),
    (&["business source license 1.1"], "BUSL-1.1"),
    (
        &["creative commons legal code", "cc0 1.0 universal"],
        "CC0-1.0",
    ),
    (
        &["this is free and unencumbered software released into the public domain"],
        "Unlicense",
    ),
    (
        &[
            "permission is hereby granted, free of charge",
            "without restriction, including without limitation",
        ],
        "MIT",
    ),
    (
        &[
            "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that",
        ],
        "ISC",
    ),
    (
        &[
            "redistribution and use in source and binary forms",
            "neither the name",
        ],
        "BSD-3-Clause",
    ),
    (
        &[
            "redistribution and use in source and binary forms",
            "redistributions in binary form must reproduce",
        ],
        "BSD-2-Clause",
    ),
];

/// Whether a content is the text of a licence, and which one that is where it states so or is well known.
pub fn licence_text(content: &[u8]) -> Option<Option<String>> {
    if content.len() > TEXT_MAX_BYTES {
        return None;
    }
    let head = &content[..content.len().min(TITLE_BYTES)];
    let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
    // Nearly no text that is none gets beyond this.
    if ![&b"icen"[..], b"ICEN", b"ermission", b"edistribution"]
        .iter()
        .any(|word| has(word))
    {
        return None;
    }
    let id = stated_licence(content).map_or_else(|| known_title(head), |id| Some(id.to_owned()));
    let is_known = ["BUSL-1.1", "CC0-1.0"]
        .iter()
        .any(|known| id.as_deref() == Some(known));
    (is_known || is_licence(content, Family::Generic)).then_some(id)
}

/// The identifier of the licence that begins so.
fn known_title(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let flat = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, id) =
        (TITLES.iter()).find(|(phrases, _)| phrases.iter().all(|one| flat.contains(one)))?;
    Some((*id).to_owned())
}

/// Whether a file is called as licences and notices are.
pub fn is_licence_name(path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let words: [&[u8]; 6] = [
        b"license",
        b"licence",
        b"copying",
        b"notice",
        b"unlicense",
        b"copyright",
    ];
    words.iter().any(|word| {
        name.strip_prefix(*word).is_some_and(|rest| {
            // `license.js` is code, `license-checker.md` prose about something else.
            rest.is_empty() || is_prose_ending(rest) || rest.starts_with(b"-") && is_plain(rest)
        })
    })
}

/// Whether a file may be prose by its name: a licence that is called otherwise.
pub fn may_be_prose(path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    match memchr::memrchr(b'.', name) {
        None | Some(0) => true,
        Some(dot) => is_prose_ending(&name[dot..].to_ascii_lowercase()) || is_licence_name(name),
    }
}

fn is_prose_ending(ending: &[u8]) -> bool {
    [
        &b".txt"[..],
        b".md",
        b".rst",
        b".html",
        b".htm",
        b".adoc",
        b".rtf",
    ]
    .contains(&ending)
}

/// `-MIT`, `-APACHE`: one word, with an ending of prose at most.
fn is_plain(rest: &[u8]) -> bool {
    let end = memchr::memrchr(b'.', rest).filter(|&dot| is_prose_ending(&rest[dot..]));
    let word = &rest[1..end.unwrap_or(rest.len())];
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    word.len() <= 20 && word.iter().all(is_word) && end.is_some() | !word.contains(&b'.')
}

#[cfg(test)]
mod tests {
    use super::super::manifest::states_open;
    use super::*;

    #[test]
    fn tags_in_comments_of_many_languages() {
        for (content, expected, is_open) in [
            (
                "// SPDX-License-Identifier: MIT\nx",
                Some("MIT"),
                Some(true),
            ),
            (
                "/* SPDX-License-Identifier: Apache-2.0 OR MIT */\r\n",
                Some("Apache-2.0 OR MIT"),
                Some(true),
            ),
            (
                "<!-- SPDX-License-Identifier: BUSL-1.1 -->",
                Some("BUSL-1.1"),
                Some(false),
            ),
            (
                "# SPDX-License-Identifier: LicenseRef-Acme\n",
                Some("LicenseRef-Acme"),
                Some(false),
            ),
            (
                "# SPDX-License-Identifier: NOASSERTION",
                Some("NOASSERTION"),
                None,
            ),
            ("# SPDX-License-Identifier:\n", None, None),
            ("no tag", None, None),
        ] {
            let found = stated_licence(content.as_bytes());
            assert_eq!(found, expected, "{content}");
            assert_eq!(found.and_then(states_open), is_open, "{content}");
        }
    }

    #[test]
    fn far_below_the_head_is_no_tag() {
        let content = [
            &b"x\n".repeat(HEAD_BYTES)[..],
            b"SPDX-License-Identifier: MIT",
        ]
        .concat();
        assert_eq!(stated_licence(&content), None);
    }

    #[test]
    fn licences_are_told_by_title_and_text() {
        let mit = "MIT License\n\nCopyright (c) 2024 Somebody\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this software, to deal in it without restriction, including without limitation the rights to use it.\nThe above copyright notice and this permission notice shall be included.\n";
        assert_eq!(licence_text(mit.as_bytes()), Some(Some("MIT".to_owned())));
        let unknown = "Redistribution and use in source and binary forms are fine.\nRedistributions of source code must retain this.\n";
        assert_eq!(licence_text(unknown.as_bytes()), Some(None));
        for none in ["Acme licensing server\n", "let permission = 1;\n", ""] {
            assert_eq!(licence_text(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn names_of_licences() {
        for name in [
            "LICENSE",
            "a/LICENCE.txt",
            "COPYING",
            "LICENSE-MIT",
            "license-apache.md",
            "NOTICE.md",
        ] {
            assert!(is_licence_name(name.as_bytes()), "{name}");
        }
        for name in [
            "license.js",
            "licensed.txt",
            "notices/a.ts",
            "license-checker.js",
            "README",
        ] {
            assert!(!is_licence_name(name.as_bytes()), "{name}");
        }
        assert!(may_be_prose(b"docs/terms") && may_be_prose(b"a.md") && !may_be_prose(b"a.lua"));
    }
}
