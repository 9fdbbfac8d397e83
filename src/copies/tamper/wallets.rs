//! Addresses of wallets, told by their form and, where it has one, by their checksum.
//!
//! Base58Check as in Bitcoin's reference client: a version, twenty bytes, and the first four bytes of SHA-256 of SHA-256 of
//! them. Left out: the checksums that need Keccak (Ethereum's capitals, Monero), so those are told by form.

use sha2::{Digest, Sha256};

use crate::exposure::bech32;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Bytes of an address with version and checksum.
const ADDRESS: usize = 25;

/// Bytes of a public key.
const KEY: usize = 32;

/// What an address belongs to.
pub(super) struct Wallet {
    /// The network.
    pub network: &'static str,
    /// Its checksum holds.
    pub is_sure: bool,
}

/// What a word is the address of, given the text round it.
pub(super) fn of(word: &[u8], round: &[u8]) -> Option<Wallet> {
    let by = |network, is_sure| Some(Wallet { network, is_sure });
    if let Some(digits) = word.strip_prefix(b"0x") {
        let sorts = digits
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len();
        return if sorts >= 8 {
            by("Ethereum", false)
        } else {
            None
        };
    }
    let start = word.get(..4)?.to_ascii_lowercase();
    if start.starts_with(b"bc1") || start.starts_with(b"ltc1") {
        let network = if start.starts_with(b"b") {
            "Bitcoin"
        } else {
            "Litecoin"
        };
        if bech32::holds(word) || bech32::holds_m(word) {
            return by(network, true);
        }
    }
    match word.len() {
        25..=35 => {
            if let Some(network) = checked(word) {
                return by(network, true);
            }
            by_words(word, round)
        }
        36..=44 => by_words(word, round),
        95 if matches!(word, [b'4' | b'8', b'0'..=b'9' | b'A' | b'B', ..])
            && has_all_sorts(word) =>
        {
            by("Monero", false)
        }
        _ => None,
    }
}

/// The network of an address whose checksum holds.
fn checked(word: &[u8]) -> Option<&'static str> {
    let bytes = decoded(word)?;
    let (body, sum) = bytes.split_at_checked(ADDRESS - 4)?;
    let twice = Sha256::digest(Sha256::digest(body));
    if sum.len() != 4 || twice.get(..4) != Some(sum) {
        return None;
    }
    Some(match body.first()? {
        0x00 | 0x05 => "Bitcoin",
        0x41 => "Tron",
        0x30 | 0x32 => "Litecoin",
        0x1e | 0x16 => "Dogecoin",
        0x4c | 0x10 => "Dash",
        _ => return None,
    })
}

/// A key without a checksum: only where words say that it is one.
fn by_words(word: &[u8], round: &[u8]) -> Option<Wallet> {
    let round = round.to_ascii_lowercase();
    let words = super::rules::parameter("wallet", "words");
    let is_said = words
        .iter()
        .any(|one| memchr::memmem::find(&round, one.as_bytes()).is_some());
    let is_key =
        is_said && has_all_sorts(word) && decoded(word).is_some_and(|bytes| bytes.len() == KEY);
    is_key.then_some(Wallet {
        network: "Solana",
        is_sure: false,
    })
}

fn has_all_sorts(word: &[u8]) -> bool {
    [
        u8::is_ascii_uppercase,
        u8::is_ascii_lowercase,
        u8::is_ascii_digit,
    ]
    .iter()
    .all(|sort| word.iter().any(|byte| sort(byte)))
}

/// Base58, most significant digit first, a `1` for each leading zero byte.
fn decoded(word: &[u8]) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::new();
    for digit in word {
        let mut carry = ALPHABET.iter().position(|one| one == digit)? as u32;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(carry as u8);
            carry >>= 8;
        }
    }
    let zeros = word.iter().take_while(|&&digit| digit == b'1').count();
    bytes.extend(std::iter::repeat_n(0, zeros));
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(word: &str, round: &str) -> Option<(&'static str, bool)> {
        of(word.as_bytes(), round.as_bytes()).map(|wallet| (wallet.network, wallet.is_sure))
    }

    #[test]
    fn addresses_of_standards_and_words_that_only_look_so() {
        // The first block of Bitcoin; BIP 173 and BIP 350, "Test vectors".
        assert_eq!(
            network("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", ""),
            Some(("Bitcoin", true))
        );
        assert_eq!(
            network("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", ""),
            Some(("Bitcoin", true))
        );
        assert_eq!(
            network(
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                ""
            ),
            Some(("Bitcoin", true))
        );
        assert_eq!(network("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", ""), None);
        assert_eq!(
            network("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", ""),
            None
        );
        assert_eq!(
            network("0x52908400098527886E0F7030069857D2E4169EE7", ""),
            Some(("Ethereum", false))
        );
        assert_eq!(
            network("0x0000000000000000000000000000000000000000", ""),
            None
        );
        assert_eq!(network("getBlockHashOfTheLongestChain", "wallet"), None);
    }

    #[test]
    fn keys_without_a_checksum_need_words() {
        let key = "4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T";
        assert_eq!(network(key, "x = "), None);
        assert_eq!(network(key, "const wallet = "), Some(("Solana", false)));
    }

    proptest::proptest! {
        #[test]
        fn any_word_is_read(word in "[1-9A-HJ-NP-Za-km-z]{0,100}") {
            let _ = of(word.as_bytes(), b"wallet");
        }
    }
}
