//! DSSE: an envelope for a statement that programs read (<https://github.com/secure-systems-lab/dsse>, version 1.0).
//!
//! What is signed is not the JSON but its bytes with their type and both lengths before them ([`pae`]), so that nobody has
//! to agree on how JSON is written, and no signature for one type passes for another. The signature is the plain one of
//! the key's algorithm, which libraries of the supply chain check without knowing SSH: of Ed25519 64 bytes, of ECDSA DER
//! (RFC 3279, section 2.2.3), of RSA PKCS #1 v1.5 with SHA-512. A key in a security token signs other bytes than it is
//! given, so it can sign the folder (SSHSIG) and not this; the envelope is then written without a signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The type of an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// What is in it.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// Base64 of it.
    pub payload: String,
    /// Who signed it.
    pub signatures: Vec<Signed>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// A hint at the key: its OpenSSH fingerprint.
    pub keyid: String,
    /// Base64 of the signature.
    pub sig: String,
}

impl Envelope {
    /// An envelope round a statement; `signature` is fingerprint and bytes.
    #[must_use]
    pub fn new(statement: &[u8], signature: Option<(&str, &[u8])>) -> Self {
        let signed = signature.map(|(keyid, bytes)| Signed {
            keyid: keyid.to_owned(),
            sig: STANDARD.encode(bytes),
        });
        Self {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: STANDARD.encode(statement),
            signatures: signed.into_iter().collect(),
        }
    }

    /// The statement; `None` where it is no base64.
    #[must_use]
    pub fn statement(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.payload).ok()
    }
}

impl Signed {
    /// The bytes of the signature.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.sig).ok()
    }
}

/// The bytes that are signed: "PAE" of the specification.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_that_of_the_specification() {
        let signed = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(
            signed,
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn an_envelope_gives_back_its_statement() {
        let envelope = Envelope::new(b"{}", Some(("SHA256:x", &[1, 2])));
        assert_eq!(envelope.statement().unwrap(), b"{}");
        assert_eq!(envelope.signatures[0].bytes().unwrap(), [1, 2]);
        assert!(Envelope::new(b"{}", None).signatures.is_empty());
    }
}
