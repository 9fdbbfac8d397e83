//! Items of programs in other languages than JavaScript and TypeScript, by their tokens.
//!
//! These languages read their environment, their command line and their routes through few well-known calls, so that a
//! literal and the handful of tokens before it say what it is: `os.getenv("X")`, `@app.get("/x")`, `env = "X"`. Which
//! calls, is data ([`places`], `signatures/inventory-tokens.toml`). Shells have no calls for it: their variables are read
//! as they write them ([`shell`]).
//!
//! Left out: names that are put together or passed on, settings in files, and what is imported under another name.

pub(super) mod places;
mod shell;

use std::collections::VecDeque;

use memchr::memchr_iter;

use self::places::{At, Place, Places};
use super::script::shown_default;
use super::{ItemFact, VALUE_CHARS, cut};
use crate::lex::{Family, Kind, Sink, Token, lex};

/// Tokens before a literal that are looked at.
const TOKENS_BEFORE: usize = 24;

/// Longest literal that names something, in bytes.
const LITERAL_MAX_BYTES: usize = 300;

/// The items of a text of this family.
pub(super) fn items(family: Family, bytes: &[u8]) -> Vec<ItemFact> {
    if family == Family::Shell {
        return shell::items(bytes);
    }
    let places = Places::builtin().of(family);
    if places.is_empty() {
        return Vec::new();
    }
    let mut reader = Reader {
        bytes,
        places,
        before: VecDeque::with_capacity(TOKENS_BEFORE),
        items: Vec::new(),
        pending: None,
        line: 1,
        counted: 0,
    };
    lex(family, bytes, &mut reader);
    reader.items
}

/// Reads literals with what stands before them.
struct Reader<'t> {
    bytes: &'t [u8],
    places: &'t [Place],
    before: VecDeque<Token>,
    items: Vec<ItemFact>,
    /// The last item takes the next literal as its default, if nothing but a comma lies between: tokens since.
    pending: Option<usize>,
    /// Line of the byte up to which line feeds were counted.
    line: u64,
    counted: usize,
}

impl Sink for Reader<'_> {
    fn token(&mut self, token: Token) {
        if token.kind == Kind::Text {
            self.literal(token);
        }
        self.pending = self
            .pending
            .map(|since| since + 1)
            .filter(|since| *since < 3);
        if self.before.len() == TOKENS_BEFORE {
            self.before.pop_front();
        }
        self.before.push_back(token);
    }
}

impl Reader<'_> {
    fn literal(&mut self, token: Token) {
        let raw = token.of(self.bytes);
        let Some(value) = std::str::from_utf8(raw)
            .ok()
            .filter(|_| raw.len() <= LITERAL_MAX_BYTES)
        else {
            return;
        };
        self.take_default(value);
        let Some(standing) = self.standing() else {
            return;
        };
        let found = self.places.iter().find_map(|place| {
            let is_there = standing.at.contains(&place.at)
                && place.takes(&standing.name)
                && place.argument.is_none_or(|n| n == standing.argument);
            is_there
                .then(|| Some((place, place.shape.value(value)?)))
                .flatten()
        });
        let Some((place, (value, default))) = found else {
            return;
        };
        let line = self.line_of(token.start as usize);
        self.items.push(ItemFact {
            kind: place.kind.clone(),
            value: cut(value, VALUE_CHARS),
            line,
            confidence: place.confidence.into(),
            behind: Vec::new(),
            detail: default
                .filter(|text| !text.is_empty())
                .map(|text| shown_default(value, text)),
        });
        self.pending = place.default.then_some(0);
    }

    /// The literal right behind a name and a comma is what is taken where the name is not set.
    fn take_default(&mut self, value: &str) {
        if value.is_empty() {
            return;
        }
        let is_behind_comma = self
            .before
            .back()
            .is_some_and(|last| last.of(self.bytes) == b",");
        if self.pending == Some(2)
            && is_behind_comma
            && let Some(item) = self.items.last_mut()
        {
            item.detail = Some(shown_default(&item.value, value));
        }
    }

    fn line_of(&mut self, at: usize) -> u64 {
        self.line += memchr_iter(b'\n', &self.bytes[self.counted..at]).count() as u64;
        self.counted = at;
        self.line
    }

    fn text(&self, index: usize) -> &[u8] {
        self.before
            .get(index)
            .map_or(b"", |token| token.of(self.bytes))
    }

    /// Where the next literal stands.
    fn standing(&self) -> Option<Standing> {
        let last = self.before.len().checked_sub(1)?;
        match self.text(last) {
            // `env = "X"`, `Use: "x"`; in a call that is an argument with a name.
            b"=" | b":" => {
                let name = self.chain(last)?.0;
                let mut standing = Standing {
                    at: vec![At::Key],
                    name,
                    argument: 0,
                };
                if let Some(around) = self
                    .around(last)
                    .filter(|_| matches!(standing.name.as_str(), "value" | "path" | "name" | "key"))
                {
                    standing = around;
                }
                Some(standing)
            }
            _ => self.around(self.before.len()).or_else(|| {
                let (name, _) = self.chain(self.before.len())?;
                Some(Standing {
                    at: vec![At::Word],
                    name,
                    argument: 0,
                })
            }),
        }
    }

    /// The call or the index that `end` lies in.
    fn around(&self, end: usize) -> Option<Standing> {
        let (mut depth, mut argument) = (0_usize, 0);
        for index in (0..end).rev() {
            match self.text(index) {
                b")" | b"]" | b"}" => depth += 1,
                b"(" | b"[" | b"{" if depth > 0 => depth -= 1,
                b"," if depth == 0 => argument += 1,
                open @ (b"(" | b"[") => {
                    let is_call = open == b"(";
                    // Routes may stand in a list of their own: `@Get({"/a", "/b"})` and `methods=["GET"]`.
                    let (name, first) = self.chain(index)?;
                    let mark = first.checked_sub(1).map(|before| self.text(before));
                    let is_marked = is_call && matches!(mark, Some(b"@" | b"#[" | b"["));
                    let at = match (is_call, is_marked) {
                        (true, true) => vec![At::Mark, At::Call],
                        (true, false) => vec![At::Call],
                        (false, _) => vec![At::Index],
                    };
                    return Some(Standing { at, name, argument });
                }
                b"{" | b";" if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }

    /// The names joined by dots that end before `end`, and where the first of them stands: `os.environ.get`, `env::var`,
    /// `env!`, `cmd.Flags().String`.
    fn chain(&self, end: usize) -> Option<(String, usize)> {
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut index = end;
        let mut wants_name = true;
        while let Some(before) = index.checked_sub(1) {
            let text = self.text(before);
            let is_name = matches!(
                self.before.get(before)?.kind,
                Kind::Name | Kind::Property | Kind::Keyword
            );
            match text {
                b"!" | b"?" if wants_name && parts.is_empty() => {}
                b")" if wants_name
                    && !parts.is_empty()
                    && before > 0
                    && self.text(before - 1) == b"(" =>
                {
                    parts.push(b"()");
                    index = before - 1;
                    continue;
                }
                _ if wants_name && is_name => wants_name = false,
                b"." | b"::" | b"?." | b"->" if !wants_name => wants_name = true,
                _ => break,
            }
            parts.push(text);
            index = before;
        }
        let has_name = parts
            .iter()
            .any(|part| part.iter().any(u8::is_ascii_alphabetic));
        parts.reverse();
        // A call before the chain begins: `).long("x")`.
        let name = String::from_utf8_lossy(&parts.concat()).replace("->", ".");
        has_name.then_some((name, index))
    }
}

/// Where a literal stands.
struct Standing {
    at: Vec<At>,
    name: String,
    argument: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex::family_of;

    #[test]
    fn defaults_stand_behind_the_name() {
        let text = b"import os\ndef a():\n    b = os.getenv('ACME_REGION', 'eu')\n    c = os.getenv('ACME_ZONE')\n    d = ['x']\n";
        let found = items(family_of(text), text);
        let short: Vec<_> = found
            .iter()
            .map(|item| (item.value.as_str(), item.line, item.detail.as_deref()))
            .collect();
        assert_eq!(
            short,
            [
                ("ACME_REGION", 3, Some("default: eu")),
                ("ACME_ZONE", 4, None)
            ]
        );
    }

    #[test]
    fn defaults_that_may_be_secrets_are_not_told() {
        for text in [
            &b"import os\ndef a():\n    return os.getenv('DB_PASSWORD', 'hunter2')\n"[..],
            b"import os\ndef a():\n    return os.getenv('DB_URL', 'postgres://u:hunter2@db/x')\n",
            b"#!/bin/sh\nset -e\npsql \"${DB_PASSWORD:-hunter2}\"\n",
        ] {
            let found = items(family_of(text), text);
            let details: Vec<_> = found
                .iter()
                .filter_map(|item| item.detail.as_deref())
                .collect();
            assert_eq!(details, ["default: not shown, it may be a secret"]);
        }
    }

    #[test]
    fn shells_have_variables_of_their_own() {
        let text = b"#!/bin/sh\nset -e\nOUT=a\nif [ -z \"$ACME_KEY\" ]; then exit 1; fi\necho \"${ACME_REGION:-eu} $OUT\"\nexport ACME_MODE=b\ncase \"$1\" in\n  -r|--region) shift ;;\nesac\n";
        let found = items(family_of(text), text);
        let short: Vec<_> = found
            .iter()
            .map(|item| {
                (
                    item.kind.as_str(),
                    item.value.as_str(),
                    item.line,
                    item.detail.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            short,
            [
                ("env", "ACME_KEY", 4, None),
                ("env", "ACME_REGION", 5, Some("default: eu")),
                ("env", "ACME_MODE", 6, Some("set for what is started")),
                ("option", "region", 8, None),
            ]
        );
    }
}
