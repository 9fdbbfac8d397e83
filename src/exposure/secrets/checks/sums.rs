//! Credentials whose own form holds a checksum.

use super::{Check, Place, Verdict};
use crate::exposure::bech32;
use crate::exposure::registry::base62_crc32;
use crate::exposure::shown;

/// `ghp_` or `npm_`, thirty characters, and their checksum in six.
pub(super) fn crc32(place: &Place<'_>) -> Option<Verdict> {
    let text = place.str()?;
    let (_, rest) = text.split_once('_')?;
    let (body, sum) = rest.split_at_checked(30)?;
    (base62_crc32(body) == sum).then(|| Verdict::of(Check::ChecksumOk))
}

pub(super) fn bech32(place: &Place<'_>) -> Option<Verdict> {
    bech32::holds(place.bytes()).then(|| Verdict::of(Check::ChecksumOk))
}

fn digits_of(bytes: &[u8]) -> Vec<u32> {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit());
    digits.map(|byte| u32::from(byte - b'0')).collect()
}

pub(super) fn luhn(place: &Place<'_>) -> Option<Verdict> {
    let digits = digits_of(place.bytes());
    // The places behind a point are no number of a card.
    let before = place
        .value
        .start
        .checked_sub(1)
        .and_then(|at| place.text.get(at));
    if matches!(before, Some(b'.' | b'-' | b'_')) || place.text.get(place.value.end) == Some(&b'.')
    {
        return None;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match at % 2 {
            0 => digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    let different = (0..10).filter(|digit| digits.contains(digit)).count();
    (matches!(digits.len(), 13..=19) && sum.is_multiple_of(10) && different > 4)
        .then(|| Verdict::of(Check::ChecksumOk))
}

/// The first four characters go behind, letters count from 10, and the rest by 97 is 1.
pub(super) fn iban(place: &Place<'_>) -> Option<Verdict> {
    let text: Vec<u8> = place
        .bytes()
        .iter()
        .copied()
        .filter(|byte| *byte != b' ')
        .collect();
    let (front, rest) = text.split_at_checked(4)?;
    let mut remainder = 0_u32;
    for &byte in rest.iter().chain(front) {
        let value = (byte as char).to_digit(36)?;
        remainder = match value {
            0..=9 => remainder * 10 + value,
            _ => remainder * 100 + value,
        } % 97;
    }
    (remainder == 1 && text.len() >= 15)
        .then(|| Verdict::of(Check::ChecksumOk).detail(shown(&text[..2])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_right(check: fn(&Place<'_>) -> Option<Verdict>, text: &str) -> bool {
        let all = 0..text.len();
        let place = Place {
            text: text.as_bytes(),
            whole: all.clone(),
            value: all,
        };
        check(&place).is_some()
    }

    #[test]
    fn sums_are_those_of_the_standards() {
        // BIP 173, "Test vectors".
        for text in [
            "A12UEL5L",
            "a12uel5l",
            "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        ] {
            assert!(is_right(bech32, text), "{text}");
        }
        for text in ["A1G7SGD8", "10a06t8", "a12uel5m", "1", "", "é"] {
            assert!(!is_right(bech32, text), "{text}");
        }
        // The register of ISO 13616, its example for Germany.
        assert!(
            is_right(iban, "DE89370400440532013000")
                && is_right(iban, "DE89 3704 0044 0532 0130 00")
        );
        assert!(!is_right(iban, "DE88370400440532013000") && !is_right(iban, "DE"));
        // A number for tests that has the sum, and one that has not.
        assert!(is_right(luhn, "4012 8888 8888 1881") && !is_right(luhn, "4012888888881882"));
        assert!(!is_right(luhn, "4111111111111111"), "too few digits differ");
    }
}
