//! The lexers, held against tokenizers and parsers that others wrote, on real files, and against texts that are meant
//! to hurt them.
//!
//! The packages are those of `fixtures/packages.tsv`, got by `fixtures/fetch.py`; without them the tests that need them
//! say so and pass, unless STRANDLINE_REQUIRE_PACKAGES=1.

mod common;
#[path = "lexers/script.rs"]
mod script;

use std::time::{Duration, Instant};

use strandline::lex::{Family, Sink, Token, lex};

/// All tokens of a text.
pub struct All(pub Vec<Token>);

impl All {
    /// Those of this text.
    pub fn of(family: Family, text: &[u8]) -> Vec<Token> {
        let mut all = All(Vec::new());
        lex(family, text, &mut all);
        all.0
    }
}

impl Sink for All {
    fn token(&mut self, token: Token) {
        self.0.push(token);
    }
}

/// Asserts that texts that repeat `shards`, and end in `tail`, take no more than linear time.
#[track_caller]
pub fn assert_linear(family: Family, shards: &[(&str, &str)]) {
    // In steps, so that what grows faster fails long before the last of them. The limit is many times what is needed.
    const LIMIT: Duration = Duration::from_secs(5);
    for (shard, tail) in shards {
        for bytes in [1 << 16, 1 << 18, 1 << 20] {
            let count = bytes / shard.len();
            let text = [shard.repeat(count), tail.repeat(count)].concat();
            let start = Instant::now();
            All::of(family, text.as_bytes());
            let took = start.elapsed();
            assert!(
                took < LIMIT,
                "{bytes} bytes of {shard:?} and {tail:?} took {took:?}"
            );
        }
    }
}
