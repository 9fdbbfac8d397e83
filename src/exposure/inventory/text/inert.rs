//! Text of an input without what might be a secret in it.
//!
//! Items are told in the clear, and comments and addresses may hold a password or a token. Whether one is live is for the
//! search for secrets to say; here whatever looks like one is replaced, since a remark is as good without it.

/// A run of this many characters that mixes letters and digits is taken for a token.
const TOKEN_MIN_CHARS: usize = 20;

/// Words behind which a value stands that is not told.
const WORDS: [&str; 8] = [
    "password", "passwd", "pwd", "secret", "token", "apikey", "api_key", "api-key",
];

/// What stands for what is not told.
const MASK: char = '…';

/// `text` with tokens, and values of what is called a password or the like, replaced by `…`.
pub(in crate::exposure::inventory) fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_of_token(c)).unwrap_or(rest.len());
        if end == 0 {
            let len = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..len]);
            rest = &rest[len..];
            continue;
        }
        let (run, behind) = rest.split_at(end);
        if is_token(run) || names_secret(&out) {
            out.push(MASK);
        } else {
            out.push_str(run);
        }
        rest = behind;
    }
    out
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '_' | '-')
}

/// Whether a run of characters is likely to be random: long, with digits among letters, and not words and numbers only.
fn is_token(run: &str) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = |part: &str| {
        part.bytes().all(|b| b.is_ascii_digit()) || part.bytes().all(|b| b.is_ascii_alphabetic())
    };
    run.len() >= TOKEN_MIN_CHARS && digits >= 3 && !run.split(['-', '_']).all(is_plain)
}

/// Whether what was read so far ends with `password=` or the like.
fn names_secret(before: &str) -> bool {
    let Some(name) = before
        .trim_end_matches([' ', '"', '\''])
        .strip_suffix(['=', ':'])
    else {
        return false;
    };
    let name = name.trim_end_matches([' ', '"', '\'']);
    let from = name.len().saturating_sub(10);
    let tail = name.get(from..).unwrap_or(name).to_ascii_lowercase();
    WORDS.iter().any(|word| tail.ends_with(word))
}
