//! Bech32: text with a checksum, in which keys of some tools are written (BIP 173, "Bech32" and "Checksum").
//!
//! A name, `1`, then digits of five bits each, the last six of them the checksum. Bech32m (BIP 350) differs in what the
//! register holds at the end. Left out: what is limited to addresses (their length).

/// The digits, by value.
const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// What the code's generator gives for each of the five bits that leave the register.
const GENERATOR: [u32; 5] = [
    0x3b6a_57b2,
    0x2650_8e6d,
    0x1ea1_19fa,
    0x3d42_33dd,
    0x2a14_62b3,
];

/// Digits of a checksum.
const CHECKSUM: usize = 6;

/// What the register holds behind a whole text: 1, or the constant of BIP 350.
const BECH32: u32 = 1;
const BECH32M: u32 = 0x2bc8_30a3;

/// Whether a text in small letters or in capitals ends with the checksum of what stands before it.
pub(crate) fn holds(text: &[u8]) -> bool {
    ends_with(text, BECH32)
}

/// The same for the later form, in which newer addresses are written.
pub(crate) fn holds_m(text: &[u8]) -> bool {
    ends_with(text, BECH32M)
}

fn ends_with(text: &[u8], constant: u32) -> bool {
    if text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase) {
        return false;
    }
    let text = text.to_ascii_lowercase();
    let Some(split) = memchr::memrchr(b'1', &text) else {
        return false;
    };
    let (name, digits) = (&text[..split], &text[split + 1..]);
    let value = |digit: &u8| DIGITS.iter().position(|one| one == digit);
    let values: Option<Vec<u32>> = (digits.iter())
        .map(|digit| value(digit).map(|value| value as u32))
        .collect();
    let is_long_enough = !name.is_empty() && digits.len() >= CHECKSUM;
    is_long_enough && values.is_some_and(|values| register(name, values) == constant)
}

/// The text of a name in small letters and of bytes.
pub(super) fn written(name: &str, bytes: &[u8]) -> String {
    let values = groups_of_five(bytes);
    let all = values.iter().copied().chain([0; CHECKSUM]);
    let rest = register(name.as_bytes(), all) ^ 1;
    let checksum = (0..CHECKSUM).map(|at| rest >> (5 * (CHECKSUM - 1 - at)));
    let digits: String = (values.iter().copied().chain(checksum))
        .map(|value| char::from(DIGITS[(value & 31) as usize]))
        .collect();
    format!("{name}1{digits}")
}

/// The bits of bytes in fives, the last filled up with zeros.
fn groups_of_five(bytes: &[u8]) -> Vec<u32> {
    let bit = |at: usize| u32::from(bytes.get(at / 8).copied().unwrap_or(0) >> (7 - at % 8) & 1);
    (0..(bytes.len() * 8).div_ceil(5))
        .map(|group| (0..5).fold(0, |value, at| value << 1 | bit(5 * group + at)))
        .collect()
}

/// What is in the register behind a name and values.
fn register(name: &[u8], values: impl IntoIterator<Item = u32>) -> u32 {
    let high = name.iter().map(|byte| u32::from(byte >> 5));
    let low = name.iter().map(|byte| u32::from(byte & 31));
    let all = high.chain([0]).chain(low).chain(values);
    all.fold(1, |sum, value| {
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ value;
        GENERATOR
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1)
            .fold(next, |next, (_, generator)| next ^ generator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_the_standard() {
        // BIP 173, "Test vectors".
        for right in [
            "A12UEL5L",
            "a12uel5l",
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
            "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
            "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
            "?1ezyfcl",
        ] {
            assert!(holds(right.as_bytes()), "{right}");
        }
        for wrong in [
            "pzry9x0s0muk",
            "1pzry9x0s0muk",
            "x1b4n0q5v",
            "li1dgmt3",
            "A1G7SGD8",
            "10a06t8",
            "1qzzfhee",
            "a12UEL5L",
            "",
        ] {
            assert!(!holds(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn vectors_of_the_later_form() {
        // BIP 350, "Test vectors for Bech32m".
        for right in ["A1LQFN3A", "a1lqfn3a", "?1v759aa"] {
            assert!(
                holds_m(right.as_bytes()) && !holds(right.as_bytes()),
                "{right}"
            );
        }
        assert!(!holds_m(b"a12uel5l"));
    }

    #[test]
    fn what_is_written_holds() {
        // The bits of 0 to 31, five each, as the standard's own vector has them.
        let bytes = (0..32_u128).fold([0_u8; 20], |mut bytes, value| {
            for bit in (0..5).filter(|bit| value >> (4 - bit) & 1 == 1) {
                let at = 5 * value as usize + bit;
                bytes[at / 8] |= 0x80 >> (at % 8);
            }
            bytes
        });
        assert_eq!(
            written("abcdef", &bytes),
            "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"
        );
        assert!(holds(written("age-secret-key-", &[7; 32]).as_bytes()));
    }
}
