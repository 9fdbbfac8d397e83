//! A script by its tokens, where there is no tree: broken, generated, or unfit to be parsed.
//!
//! What is told here is what three or four tokens say by themselves: `process.env.NAME`, and calls with a literal that the
//! signatures know without a module. Names stand for nothing, sums are not put together.

use super::super::Confidence;
use super::signatures::{Needs, Signatures, kind};
use super::{Found, env, rules};
use crate::lex::{Family, Kind, Sink, Token, lex, unescape};

/// Tokens that are remembered: `globalThis . process . env [ 'NAME' ]`.
const WINDOW: usize = 8;

/// The items of a script by its tokens.
pub(super) fn found(text: &[u8]) -> Vec<Found> {
    let mut tokens = Tokens {
        text,
        last: Vec::with_capacity(WINDOW),
        found: Vec::new(),
        pending: None,
    };
    lex(Family::Script, text, &mut tokens);
    tokens.found
}

struct Tokens<'t> {
    text: &'t [u8],
    last: Vec<Token>,
    found: Vec<Found>,
    /// A variable that was read just now, while its default may follow.
    pending: Option<(usize, bool)>,
}

impl Sink for Tokens<'_> {
    fn token(&mut self, token: Token) {
        self.default(token);
        if self.last.len() == WINDOW {
            self.last.remove(0);
        }
        self.last.push(token);
        match token.kind {
            Kind::Property | Kind::Name => self.member(),
            Kind::Text => self.literal(),
            _ => {}
        }
    }
}

impl Tokens<'_> {
    /// The token so many before the last one.
    fn back(&self, count: usize) -> &[u8] {
        let token = self
            .last
            .len()
            .checked_sub(count + 1)
            .and_then(|at| self.last.get(at));
        token.map_or(b"", |token| token.of(self.text))
    }

    fn is_env_before(&self, count: usize) -> bool {
        self.back(count) == b"env"
            && matches!(self.back(count + 1), b"." | b"?.")
            && (matches!(self.back(count + 2), b"process" | b"Bun")
                || (self.back(count + 2) == b"meta" && self.back(count + 4) == b"import"))
    }

    /// `process.env.NAME`
    fn member(&mut self) {
        if matches!(self.back(1), b"." | b"?.") && self.is_env_before(2) {
            let name = String::from_utf8_lossy(self.back(0)).into_owned();
            self.env(name);
        }
    }

    fn literal(&mut self) {
        let Some(token) = self.last.last().copied() else {
            return;
        };
        let mut value = Vec::new();
        unescape(Family::Script, token.of(self.text), &mut value);
        let text = String::from_utf8_lossy(&value).into_owned();
        let is_member = self.back(1) == b"[" && self.is_env_before(2);
        let is_got = self.back(1) == b"(" && self.back(2) == b"get" && self.is_deno();
        if is_member || is_got {
            self.env(text);
        } else if self.back(1) == b"(" {
            self.call(token, text);
        }
    }

    fn is_deno(&self) -> bool {
        self.back(3) == b"."
            && self.back(4) == b"env"
            && self.back(5) == b"."
            && self.back(6) == b"Deno"
    }

    fn env(&mut self, name: String) {
        let at = self.last.last().map_or(0, |token| token.start);
        if env::is_told(&name) {
            self.found.push(Found {
                at,
                kind: "env",
                value: name,
                confidence: Confidence::High,
                detail: None,
            });
            self.pending = Some((self.found.len() - 1, false));
        }
    }

    /// `?? 'x'` behind a variable.
    fn default(&mut self, token: Token) {
        let Some((index, is_beside)) = self.pending.take() else {
            return;
        };
        match (token.kind, token.of(self.text)) {
            (Kind::Punct, b"??" | b"||") => self.pending = Some((index, true)),
            (Kind::Punct, b"]" | b")") if !is_beside => self.pending = Some((index, false)),
            (Kind::Text | Kind::Number, text) if is_beside => {
                if let Some(found) = self.found.get_mut(index) {
                    found.detail = Some(env::shown_default(
                        &found.value,
                        &String::from_utf8_lossy(text),
                    ));
                }
            }
            _ => {}
        }
    }

    /// `name('literal'`
    fn call(&mut self, token: Token, text: String) {
        let Ok(tail) = std::str::from_utf8(self.back(2)) else {
            return;
        };
        let is_method = matches!(self.back(3), b"." | b"?.");
        let owner = if is_method {
            std::str::from_utf8(self.back(4)).ok()
        } else {
            None
        };
        let told = Signatures::builtin().calls(tail).find_map(|(rule, call)| {
            let is_called = match call.split_once('.') {
                Some((wanted, _)) => owner == Some(wanted),
                None => {
                    !call.starts_with("new ") && (!is_method || !matches!(call, "fetch" | "eval"))
                }
            };
            let is_told =
                is_called && rule.argument == 0 && rule.needs == Needs::Any && rule.says.is_none();
            let sure = rule
                .without
                .filter(|_| is_told && rules::has_shape(rule.shape, &text))?;
            Some((
                kind(&rule.kind),
                Confidence::from(sure).min(Confidence::Medium),
                format!("{}: {call}, by its tokens", rule.about),
            ))
        });
        if let Some((kind, confidence, detail)) = told {
            self.found.push(Found {
                at: token.start,
                kind,
                value: text,
                confidence,
                detail: Some(detail),
            });
        }
    }
}
