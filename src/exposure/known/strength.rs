//! How many guesses a secret takes, by a careful estimate.
//!
//! Nobody can tell from a value how it was made: what looks random may be a word in a language that this file does not
//! know. So the estimate leans to the low side: what repeats, counts up, or runs on like English is counted for next to
//! nothing, and the rest as drawn from the smallest alphabet that holds the whole value.
//!
//! Left out: lists of passwords that people use. A value like those is short or made of words, and both tell.

/// What a byte adds that repeats the one before it or counts on from it; bits.
const RUN_BITS: f64 = 0.5;

/// What a letter adds that often follows the one before it in English; bits.
const WORD_BITS: f64 = 1.5;

/// Pairs of consonants, and of vowels, that English words are full of; a consonant beside a vowel is common anyway.
const COMMON_PAIRS: &[u8] = b"th nd st nt ng sh ch ck ll ss tt ff rr pp tr ct pl bl ns nc mp pr gr br fr cl cr sp sc rd rt \
rs ts ld ls rm rn rk lt lk dm gh wh ph sw sk qu ea ou io ee oo ai ie ia au oa ue ei eo ui oi";

/// log2 of the guesses that it takes to find the value, estimated on the low side.
pub fn bits(value: &[u8]) -> f64 {
    let period = period(value);
    let unit = &value[..period];
    let times = value.len().div_ceil(period.max(1)).max(1);
    bits_of_unit(unit) + (times as f64).log2()
}

fn bits_of_unit(value: &[u8]) -> f64 {
    let fresh = alphabet(value).log2();
    let mut before = None;
    let each = value.iter().map(|&byte| {
        let bits = before.map_or(fresh, |before| added(before, byte, fresh));
        before = Some(byte);
        bits
    });
    each.sum()
}

/// What a byte adds behind another.
fn added(before: u8, byte: u8, fresh: f64) -> f64 {
    if byte.abs_diff(before) <= 1 {
        return fresh.min(RUN_BITS);
    }
    let same_case = before.is_ascii_uppercase() == byte.is_ascii_uppercase()
        || (before.is_ascii_uppercase() && byte.is_ascii_lowercase());
    let pair = [before.to_ascii_lowercase(), byte.to_ascii_lowercase()];
    if same_case && pair.iter().all(u8::is_ascii_lowercase) && is_common(pair) {
        return fresh.min(WORD_BITS);
    }
    fresh
}

/// Whether two letters often stand beside each other.
fn is_common(pair: [u8; 2]) -> bool {
    let is_vowel = |byte: u8| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    is_vowel(pair[0]) != is_vowel(pair[1])
        || COMMON_PAIRS
            .split(|&byte| byte == b' ')
            .any(|known| known == pair)
}

/// Size of the smallest alphabet that holds the value.
fn alphabet(value: &[u8]) -> f64 {
    let all = |is: fn(u8) -> bool| value.iter().all(|&byte| is(byte));
    let any = |is: fn(u8) -> bool| value.iter().any(|&byte| is(byte));
    if all(|byte| byte.is_ascii_digit()) {
        return 10.0;
    }
    if all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f' | b'-'))
        || all(|byte| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F' | b'-'))
    {
        return 16.0;
    }
    type Class = (fn(u8) -> bool, f64);
    let classes: [Class; 4] = [
        (|byte| byte.is_ascii_lowercase(), 26.0),
        (|byte| byte.is_ascii_uppercase(), 26.0),
        (|byte| byte.is_ascii_digit(), 10.0),
        // Of marks a value holds few, at places that are no surprise.
        (|byte| !byte.is_ascii_alphanumeric(), 4.0),
    ];
    let size: f64 = classes
        .into_iter()
        .filter(|(is, _)| any(*is))
        .map(|(_, size)| size)
        .sum();
    size.max(2.0)
}

/// Length of the shortest beginning that, written again and again, gives the value.
fn period(value: &[u8]) -> usize {
    // The prefix function of Knuth, Morris and Pratt.
    let mut border = vec![0_usize; value.len()];
    for end in 1..value.len() {
        let mut len = border[end - 1];
        while len > 0 && value[len] != value[end] {
            len = border[len - 1];
        }
        border[end] = len + usize::from(value[len] == value[end]);
    }
    let longest = border.last().copied().unwrap_or(0);
    value.len() - longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_make_up_takes_few_guesses() {
        for weak in [
            "aaaaaaaaaaaaaaaaaaaa",
            "1234567890123456",
            "abcdefghijklmnop",
            "passwordpassword",
            "abababababababab",
            "production",
            "administrator",
            "configuration",
        ] {
            assert!(
                bits(weak.as_bytes()) < 28.0,
                "{weak}: {}",
                bits(weak.as_bytes())
            );
        }
        assert!(bits(b"correct-horse-battery-staple") < 88.0);
    }

    #[test]
    fn what_is_drawn_at_random_takes_many() {
        // Drawn from a hash, so that no value stands here that could be anybody's.
        let digest = blake3::hash(b"strandline strength");
        let hex = digest.to_hex();
        assert!(bits(&hex.as_bytes()[..32]) > 88.0);
        let letters: Vec<u8> = digest
            .as_bytes()
            .iter()
            .map(|byte| b'a' + byte % 26)
            .collect();
        assert!(bits(&letters) > 88.0);
        // Twelve of them are fewer than a holder of the set could try.
        assert!(bits(&letters[..12]) < 64.0);
    }

    #[test]
    fn nothing_is_no_secret() {
        assert!(bits(b"") < 2.0);
        assert!(bits(b"x") < 8.0);
    }
}
