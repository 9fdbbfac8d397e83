//! The licence that a file states of itself, in one line at its beginning.
//!
//! `SPDX-License-Identifier: EXPRESSION` in a comment (SPDX 2.3, annex E). It speaks for the file alone, and is nearer
//! than any manifest. Only the tag is looked for: what the text of a licence or a notice says takes a lawyer.

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
}
