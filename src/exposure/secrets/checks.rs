//! What can be told of a credential without a network.

use serde::Deserialize;

/// A check that a rule may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validator {
    /// The last six characters are the CRC-32 of the thirty before, in base62.
    Base62Crc32,
    /// An access key id of AWS, which holds the number of its account.
    AwsKeyId,
    /// A JSON Web Token (RFC 7519).
    Jwt,
    /// A private key in PEM or PuTTY armour.
    PrivateKey,
    /// A service account's key file.
    GcpServiceAccount,
    /// A macaroon in its binary form.
    Macaroon,
    /// `live` or `test` in the name of the key.
    LiveOrTest,
    /// A bot's number, then its secret.
    Telegram,
    /// The id of a bot in Base64, a time, and a signature.
    Discord,
    /// Sixty-four bytes in Base64.
    Base64Of64,
    /// The number of a card (ISO/IEC 7812-1, annex B).
    Luhn,
    /// An account's number (ISO 13616).
    Iban,
    /// Bech32 (BIP 173).
    Bech32,
    /// A URL with a password.
    Url,
    /// A connection string with a password.
    ConnectionString,
    /// A JSON Web Key with its private part (RFC 7517).
    Jwk,
    /// As long as a key of a cipher or a code of authentication is.
    KeyMaterial,
}
