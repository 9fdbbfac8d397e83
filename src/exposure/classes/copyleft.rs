//! Files that state the GPL or the AGPL in their header, for packages that declare something permissive.
//!
//! What a file states is a fact of its bytes; that it stands in conflict with what is declared round it is judged at its
//! place. Only the header is read, and only the plain case counts: the tag that names the licence, or the notice that the
//! licence itself tells people to put there, without an alternative beside it. What follows from that takes a lawyer.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::read::{has, head};
use super::{Artifact, Class};
use crate::exposure::content::Hits;
use crate::exposure::licence::stated_licence;

/// A header stands in the beginning; bytes.
const LOOKED_AT: usize = 4 << 10;

/// Files under a strong copyleft.
pub(super) struct Copyleft;

/// Words of the notice, and what they name.
const NOTICES: [(&[u8], &str); 3] = [
    (b"GNU Affero General Public License", "AGPL"),
    (b"GNU AFFERO GENERAL PUBLIC LICENSE", "AGPL"),
    (b"GNU General Public License", "GPL"),
];

/// Words of an alternative, of an exception, or of a text that is about licences.
const OTHERWISE: [&[u8]; 13] = [
    b"Lesser",
    b"LGPL",
    b"MIT ",
    b"MIT-",
    b"BSD",
    b"Apache",
    b"Mozilla",
    b"MPL",
    b"exception",
    b"Exception",
    b"dual",
    b"Dual",
    b"alternative",
];

impl Class for Copyleft {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        // One of them is in every tag and every notice that counts; most files have neither.
        static WORDS: LazyLock<[Finder; 2]> =
            LazyLock::new(|| [Finder::new("GPL-"), Finder::new("GNU ")]);
        let start = head(bytes, LOOKED_AT);
        if !WORDS.iter().any(|word| word.find(start).is_some()) {
            return None;
        }
        let is_comment =
            |b: &u8| matches!(b, b'/' | b'#' | b'*' | b'-' | b'<' | b';' | b'%' | b'"');
        if !start.iter().take(64).any(is_comment) {
            return None;
        }
        let said = match stated_licence(bytes) {
            Some(stated) => strong(stated)?.to_owned(),
            None => notice(start)?.to_owned(),
        };
        Some(Artifact::proven(
            "licence-conflict",
            "",
            format!("its header states {said}"),
        ))
    }
}

/// The expression, where it asks for a strong copyleft and gives no other choice.
fn strong(stated: &str) -> Option<&str> {
    let is_strong = |word: &str| {
        ["GPL-", "AGPL-"]
            .iter()
            .any(|begin| word.starts_with(begin))
    };
    let words = stated.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    let mut words = words.filter(|word| !word.is_empty()).peekable();
    let is_choice = stated.contains(" OR ") || stated.contains(" or ") || stated.contains(" WITH ");
    (!is_choice && words.any(is_strong)).then_some(stated)
}

fn notice(start: &[u8]) -> Option<&'static str> {
    let (_, name) = NOTICES.iter().find(|(words, _)| has(start, words))?;
    let is_notice = has(start, b"redistribute") && has(start, b"and/or modify");
    let is_plain = !OTHERWISE.iter().any(|word| has(start, word));
    (is_notice && is_plain).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        Copyleft
            .recognise(text.as_bytes(), &Hits::default())
            .map(|found| found.detail)
    }

    #[test]
    fn only_the_plain_case_counts() {
        assert_eq!(
            told("// SPDX-License-Identifier: AGPL-3.0-only\n").as_deref(),
            Some("its header states AGPL-3.0-only")
        );
        let notice = "/* This program is free software: you can redistribute it and/or modify\n * it under the terms of the GNU General Public License as published by\n * the Free Software Foundation. */\n";
        assert_eq!(told(notice).as_deref(), Some("its header states GPL"));
        for other in [
            "// SPDX-License-Identifier: MIT OR GPL-2.0-only\n",
            "// SPDX-License-Identifier: LGPL-3.0-only\n",
            "// SPDX-License-Identifier: GPL-2.0-only WITH Classpath-exception-2.0\n",
            "/* Dual licensed under the MIT and the GNU General Public License: redistribute and/or modify */",
            "/* See the GNU General Public License. */",
            "",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
