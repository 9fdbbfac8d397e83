//! Signatures of certificates and time stamps: RSA with PKCS #1 v1.5, and ECDSA over P-256 and P-384.
//!
//! These are what authorities use. Others (RSA-PSS, Ed25519, P-521) are said to be unknown, not wrong.

use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::timestamp::StampError;

const RSA_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// A hash function that signatures are made over. SHA-1 names certificates only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// Only for the names of certificates in old stamps.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// By the id of the function.
    ///
    /// # Errors
    /// When it is another.
    pub fn of(oid: &ObjectIdentifier) -> Result<Self, StampError> {
        match oid.to_string().as_str() {
            "2.16.840.1.101.3.4.2.1" => Ok(Hash::Sha256),
            "2.16.840.1.101.3.4.2.2" => Ok(Hash::Sha384),
            "2.16.840.1.101.3.4.2.3" => Ok(Hash::Sha512),
            other => Err(StampError::Unknown(format!("the digest {other}"))),
        }
    }

    /// By the id of a signature that is made over it.
    ///
    /// # Errors
    /// When it is another.
    pub fn of_signature(oid: &ObjectIdentifier) -> Result<Self, StampError> {
        match oid.to_string().as_str() {
            "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => Ok(Hash::Sha256),
            "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Ok(Hash::Sha384),
            "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Ok(Hash::Sha512),
            other => Err(StampError::Unknown(format!("the signature {other}"))),
        }
    }

    /// The digest of bytes.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha1 => sha1_of(bytes),
            Hash::Sha256 => Sha256::digest(bytes).to_vec(),
            Hash::Sha384 => Sha384::digest(bytes).to_vec(),
            Hash::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

fn sha1_of(bytes: &[u8]) -> Vec<u8> {
    use sha1::Digest as _;
    sha1::Sha1::digest(bytes).to_vec()
}

/// Whether the id of a signature goes with a digest; that of RSA alone names none.
///
/// # Errors
/// When not, or it is another.
pub fn names_hash(signature: &ObjectIdentifier, hash: Hash) -> Result<(), StampError> {
    if *signature == RSA_KEY || Hash::of_signature(signature)? == hash {
        return Ok(());
    }
    Err(StampError::Wrong(
        "its parts say different things of how it was signed",
    ))
}

/// Whether the holder of a key signed bytes.
///
/// # Errors
/// When not, or the key is of another kind.
pub fn verify(
    key: &SubjectPublicKeyInfoOwned,
    hash: Hash,
    bytes: &[u8],
    signature: &[u8],
) -> Result<(), StampError> {
    let der = key.to_der()?;
    let digest = hash.digest(bytes);
    let curve = key.algorithm.parameters.as_ref();
    let curve = curve.and_then(|any| ObjectIdentifier::from_der(&any.to_der().ok()?).ok());
    let holds = match (key.algorithm.oid, curve) {
        (RSA_KEY, _) => {
            let scheme = match hash {
                Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                Hash::Sha1 => return Err(StampError::Unknown("SHA-1".to_owned())),
            };
            rsa::RsaPublicKey::from_public_key_der(&der)
                .is_ok_and(|key| key.verify(scheme, &digest, signature).is_ok())
        }
        (EC_KEY, Some(P_256)) => p256::ecdsa::VerifyingKey::from_public_key_der(&der)
            .ok()
            .zip(p256::ecdsa::Signature::from_der(signature).ok())
            .is_some_and(|(key, signature)| key.verify_prehash(&digest, &signature).is_ok()),
        (EC_KEY, Some(P_384)) => p384::ecdsa::VerifyingKey::from_public_key_der(&der)
            .ok()
            .zip(p384::ecdsa::Signature::from_der(signature).ok())
            .is_some_and(|(key, signature)| key.verify_prehash(&digest, &signature).is_ok()),
        (other, curve) => {
            let curve = curve.map_or(String::new(), |curve| format!(" ({curve})"));
            return Err(StampError::Unknown(format!(
                "a key of the kind {other}{curve}"
            )));
        }
    };
    if holds {
        Ok(())
    } else {
        Err(StampError::Wrong("its signature does not hold"))
    }
}
