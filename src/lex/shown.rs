//! Tokens as a line of text, for the golden vectors of the tests.

use super::{Family, Kind, Sink, Token, lex};

/// Collects tokens, and the places where pieces begin.
#[derive(Default)]
pub(super) struct Collected {
    pub tokens: Vec<Token>,
    pub pieces: Vec<usize>,
}

impl Sink for Collected {
    fn token(&mut self, token: Token) {
        self.tokens.push(token);
    }

    fn piece(&mut self) {
        self.pieces.push(self.tokens.len());
    }
}

/// The tokens of a text.
pub(super) fn collected(family: Family, text: &[u8]) -> Collected {
    let mut all = Collected::default();
    lex(family, text, &mut all);
    all
}

/// `n:`ame, `k:`eyword, `p:`roperty, `d:`igits, `t:`ext, `r:`egex; an operator is itself, and `¶` begins a piece.
pub(super) fn shown(family: Family, text: &str) -> String {
    let all = collected(family, text.as_bytes());
    let mut words = Vec::new();
    for (index, token) in all.tokens.iter().enumerate() {
        if all.pieces.contains(&index) {
            words.push("¶".to_owned());
        }
        let mark = match token.kind {
            Kind::Name => "n:",
            Kind::Keyword => "k:",
            Kind::Property => "p:",
            Kind::Number => "d:",
            Kind::Text => "t:",
            Kind::Regex => "r:",
            Kind::Punct => "",
        };
        words.push(format!(
            "{mark}{}",
            String::from_utf8_lossy(token.of(text.as_bytes()))
        ));
    }
    words.join(" ")
}

/// Asserts that a text gives these tokens, as [`shown`] writes them.
#[track_caller]
pub(super) fn gives(family: Family, text: &str, tokens: &str) {
    assert_eq!(shown(family, text), tokens, "{text}");
}

/// Asserts what every lexer promises of the tokens of a text.
pub(super) fn assert_promises(family: Family, text: &[u8]) {
    let mut end = 0;
    for token in collected(family, text).tokens {
        assert!(
            token.start >= end,
            "{family:?}: {token:?} comes before {end} in {text:?}"
        );
        assert!(
            token.end >= token.start,
            "{family:?}: {token:?} in {text:?}"
        );
        assert!(
            token.end as usize <= text.len(),
            "{family:?}: {token:?} is beyond {text:?}"
        );
        assert!(
            token.kind == Kind::Text || token.end > token.start,
            "{family:?}: {token:?} is empty in {text:?}"
        );
        end = token.end;
    }
}
