//! Time by somebody else: RFC 3161.
//!
//! The custody log says when things were done, by the clock of the machine that did them, which its user sets. A time-stamping
//! authority signs a digest together with its own time, so that afterwards nobody, the sealer included, can have made the
//! folder later. The program has no network: `seal` writes the query, the user sends it, and `verify --import-tsr` takes the
//! reply in. In the EU a reply of a qualified authority is presumed right about the time (eIDAS, Article 41).
//!
//! The query is about the SHA-256 of the list of the lists ([`super::bag::TAG_MANIFEST_FILE`]), which binds every other file; not
//! of the tree head alone, which binds the log and nothing else, nor of the signature, which a folder need not have. Its
//! nonce is made of that digest instead of drawn: nonces keep an old reply from passing for a fresh one, and here an older
//! reply would only say more. So the same folder has the same query. Query and reply stand outside of the list.
//!
//! What is checked of a reply: that it was granted, is about this digest and answers this query; that the one signature over
//! it holds, by the certificate that the signed attributes name, which is for time-stamping and was valid at that time. Where
//! the user gives certificates that they trust, also that it leads up to one of them. What is not: whether a
//! certificate was revoked, which is asked of a server.

use cms::cert::CertificateChoices;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{Int, ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, SubjectKeyIdentifier};
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion, TstInfo};

use super::asymmetric::{self, Hash};
use crate::blob::Sha256Digest;
use crate::blob::digest::hex;

/// The query.
pub const QUERY_FILE: &str = "tagmanifest-sha256.txt.tsq";
/// The reply.
pub const REPLY_FILE: &str = "tagmanifest-sha256.txt.tsr";
/// Bytes of a reply, and of a file of certificates.
pub const MAX_REPLY_BYTES: u64 = 1 << 20;

/// Bytes of the nonce.
const NONCE_BYTES: usize = 8;
/// Certificates between a signer and one that is trusted.
const MAX_CHAIN: usize = 8;

const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// Why a reply proves nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StampError {
    /// It cannot be read.
    #[error("it is no time-stamp reply in DER: {0}")]
    Unreadable(String),
    /// It says no.
    #[error("the authority did not grant it ({0})")]
    NotGranted(String),
    /// Something does not fit.
    #[error("{0}")]
    Wrong(&'static str),
    /// It is made with something that this program does not know.
    #[error("it is made with {0}, which this program does not check; `openssl ts -verify` may")]
    Unknown(String),
}

impl From<der::Error> for StampError {
    fn from(error: der::Error) -> Self {
        StampError::Unreadable(error.to_string())
    }
}

/// What a reply proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// When, by the authority's clock: seconds since 1970.
    pub time: u64,
    /// The subject of the certificate that signed.
    pub authority: String,
    /// SHA-256 of that certificate, hex.
    pub certificate: String,
    /// The policy of the authority.
    pub policy: String,
    /// The number of the stamp, hex.
    pub serial: String,
    /// Whether the certificate leads up to one that is trusted; `None` where none was given.
    pub trusted: Option<bool>,
}

/// The nonce for a digest: its digest again, cut, positive.
fn nonce(digest: &Sha256Digest) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    nonce.copy_from_slice(&Sha256Digest::of(&digest.0).0[..NONCE_BYTES]);
    nonce[0] = nonce[0] & 0x3f | 0x40;
    nonce
}

/// The query about a digest, in DER. Asks for the certificate too.
///
/// # Errors
/// Never, as far as is known.
pub fn query(digest: &Sha256Digest) -> der::Result<Vec<u8>> {
    TimeStampReq {
        version: TspVersion::V1,
        message_imprint: MessageImprint {
            hash_algorithm: AlgorithmIdentifierOwned {
                oid: SHA_256,
                parameters: Some(Any::null()),
            },
            hashed_message: OctetString::new(digest.0)?,
        },
        req_policy: None,
        nonce: Some(Int::new(&nonce(digest))?),
        cert_req: true,
        extensions: None,
    }
    .to_der()
}

/// Certificates in PEM that the user trusts.
///
/// # Errors
/// When there is none in it, or one cannot be read.
pub fn read_trusted(pem: &[u8]) -> Result<Vec<Certificate>, StampError> {
    let found = Certificate::load_pem_chain(pem)?;
    if found.is_empty() {
        return Err(StampError::Wrong("there is no certificate in it"));
    }
    Ok(found)
}

/// Holds a reply against the digest that it should be about.
///
/// # Errors
/// When it does not prove what it should.
pub fn check(
    reply: &[u8],
    digest: &Sha256Digest,
    trusted: &[Certificate],
) -> Result<Stamp, StampError> {
    let reply = TimeStampResp::from_der(reply)?;
    // Granted as it was asked (RFC 3161, section 2.4.2); we ask for nothing that would need to be modified.
    if reply.status.status as u8 != 0 {
        return Err(StampError::NotGranted(format!("{:?}", reply.status.status)));
    }
    let token = reply.time_stamp_token;
    let token = token.ok_or(StampError::Wrong("it has no token"))?;
    let signed = signed_data(&token)?;
    let content = signed.encap_content_info.econtent.as_ref();
    let content = content.ok_or(StampError::Wrong("its token is empty"))?;
    if signed.encap_content_info.econtent_type != TST_INFO {
        return Err(StampError::Wrong(
            "its token is about something else than time",
        ));
    }
    let info = TstInfo::from_der(content.value())?;
    about(&info, digest)?;
    let mut signers = signed.signer_infos.0.iter();
    let (Some(signer), None) = (signers.next(), signers.next()) else {
        return Err(StampError::Wrong("it has not one signature"));
    };
    let others = certificates(&signed);
    let certificate = others.iter().find(|one| is_meant(&signer.sid, one));
    let certificate = certificate.ok_or(StampError::Wrong(
        "the certificate that signed it is not in it; ask the authority again with the query as it is, which asks for it",
    ))?;
    agrees_with_itself(&signed, signer)?;
    signature_holds(signer, content.value(), certificate)?;
    let time = info.gen_time.to_unix_duration().as_secs();
    fit_for_stamps(certificate, time)?;
    Ok(Stamp {
        time,
        authority: certificate.tbs_certificate.subject.to_string(),
        certificate: Sha256Digest::of(&certificate.to_der()?).hex(),
        policy: info.policy.to_string(),
        serial: hex(info.serial_number.as_bytes()),
        trusted: (!trusted.is_empty()).then(|| leads_up(certificate, &others, trusted, time)),
    })
}

fn signed_data(token: &ContentInfo) -> Result<SignedData, StampError> {
    if token.content_type != SIGNED_DATA {
        return Err(StampError::Wrong("its token is not signed"));
    }
    Ok(SignedData::from_der(&token.content.to_der()?)?)
}

/// Whether the stamp is about the digest and answers our query.
fn about(info: &TstInfo, digest: &Sha256Digest) -> Result<(), StampError> {
    let imprint = &info.message_imprint;
    if imprint.hash_algorithm.oid != SHA_256 || imprint.hashed_message.as_bytes() != digest.0 {
        return Err(StampError::Wrong("it is about other bytes than these"));
    }
    let given = info.nonce.as_ref().map(Int::as_bytes);
    if given != Some(&nonce(digest)[..]) {
        return Err(StampError::Wrong(
            "it answers another query than the one in the folder",
        ));
    }
    Ok(())
}

fn certificates(signed: &SignedData) -> Vec<Certificate> {
    let choices = signed.certificates.iter().flat_map(|set| set.0.iter());
    choices
        .filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
            CertificateChoices::Other(_) => None,
        })
        .collect()
}

fn is_meant(id: &SignerIdentifier, certificate: &Certificate) -> bool {
    let body = &certificate.tbs_certificate;
    match id {
        SignerIdentifier::IssuerAndSerialNumber(id) => {
            id.issuer == body.issuer && id.serial_number == body.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(id) => {
            let own = body.get::<SubjectKeyIdentifier>().ok().flatten();
            own.is_some_and(|(_, own)| own.0 == id.0)
        }
    }
}

/// Whether what no signature covers says the same as what is signed: versions and algorithms (RFC 5652, sections 5.1 and 5.3).
fn agrees_with_itself(signed: &SignedData, signer: &SignerInfo) -> Result<(), StampError> {
    let is_plain = |one: &AlgorithmIdentifierOwned| {
        let given = one.parameters.as_ref();
        given.is_none_or(|given| *given == Any::null())
    };
    let digests = signed.digest_algorithms.as_slice();
    let is_named = digests.iter().any(|one| one.oid == signer.digest_alg.oid);
    let versions = match signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(_) => CmsVersion::V1,
        SignerIdentifier::SubjectKeyIdentifier(_) => CmsVersion::V3,
    };
    let agrees = is_named
        && digests.iter().all(is_plain)
        && is_plain(&signer.digest_alg)
        && is_plain(&signer.signature_algorithm)
        && signer.version == versions
        && signed.version >= CmsVersion::V3;
    if agrees {
        Ok(())
    } else {
        Err(StampError::Wrong(
            "its parts say different things of how it was signed",
        ))
    }
}

/// Whether the certificate signed the attributes, and these name content and certificate (RFC 5652, section 5.4; RFC 3161,
/// section 2.4.2).
fn signature_holds(
    signer: &SignerInfo,
    content: &[u8],
    certificate: &Certificate,
) -> Result<(), StampError> {
    let hash = Hash::of(&signer.digest_alg.oid)?;
    let attributes = signer.signed_attrs.as_ref();
    let attributes = attributes.ok_or(StampError::Wrong("it signs no attributes"))?;
    let one = |oid: ObjectIdentifier| {
        let mut found = attributes.iter().filter(|one| one.oid == oid);
        let values = found.next()?.values.as_slice();
        match (values, found.next()) {
            ([value], None) => Some(value),
            _ => None,
        }
    };
    let kind = one(CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
    if kind != Some(TST_INFO) {
        return Err(StampError::Wrong(
            "what it signs says that it is something else",
        ));
    }
    let digest = one(MESSAGE_DIGEST).and_then(|value| value.decode_as::<OctetString>().ok());
    if digest.is_none_or(|digest| digest.as_bytes() != hash.digest(content)) {
        return Err(StampError::Wrong("what it signs is not what it says"));
    }
    names(
        one(SIGNING_CERTIFICATE),
        one(SIGNING_CERTIFICATE_V2),
        certificate,
    )?;
    // As a SET, whatever tag it stands under.
    let bytes = attributes.to_der()?;
    let key = &certificate.tbs_certificate.subject_public_key_info;
    asymmetric::names_hash(&signer.signature_algorithm.oid, hash)?;
    asymmetric::verify(key, hash, &bytes, signer.signature.as_bytes())
}

/// Whether the signed attributes name this certificate (RFC 2634, section 5.4; RFC 5035).
fn names(
    first: Option<&Any>,
    second: Option<&Any>,
    certificate: &Certificate,
) -> Result<(), StampError> {
    let der = certificate.to_der()?;
    let wrong = StampError::Wrong("it does not name the certificate that signed it");
    let (id, hash) = match (second, first) {
        (Some(value), _) => cert_id(value, Some(Hash::Sha256))?,
        (None, Some(value)) => cert_id(value, None)?,
        (None, None) => return Err(wrong),
    };
    if hash.digest(&der) == id {
        Ok(())
    } else {
        Err(wrong)
    }
}

/// The digest of the first certificate that is named, and how it was made. In the second version the algorithm may be given;
/// the first knows SHA-1 only.
fn cert_id(value: &Any, default: Option<Hash>) -> Result<(Vec<u8>, Hash), StampError> {
    // SigningCertificate ::= SEQUENCE { certs SEQUENCE OF ESSCertID, … }
    let outer = Any::from_der(value.value())?;
    let first = Any::from_der(first_element(outer.value())?)?;
    let mut fields = first.value();
    let mut next = || -> Result<Option<Any>, StampError> {
        if fields.is_empty() {
            return Ok(None);
        }
        let element = first_element(fields)?;
        fields = &fields[element.len()..];
        Ok(Some(Any::from_der(element)?))
    };
    let short = StampError::Wrong("it does not name the certificate that signed it");
    let head = next()?.ok_or(StampError::Wrong(
        "it does not name the certificate that signed it",
    ))?;
    match (head.decode_as::<OctetString>(), default) {
        (Ok(id), default) => Ok((id.into_bytes(), default.unwrap_or(Hash::Sha1))),
        (Err(_), Some(_)) => {
            let algorithm = head.decode_as::<AlgorithmIdentifierOwned>()?;
            let id = next()?.ok_or(short)?.decode_as::<OctetString>()?;
            Ok((id.into_bytes(), Hash::of(&algorithm.oid)?))
        }
        (Err(error), None) => Err(error.into()),
    }
}

/// The first element of some that follow each other.
fn first_element(bytes: &[u8]) -> Result<&[u8], StampError> {
    use der::{Header, Reader as _, SliceReader};
    let mut reader = SliceReader::new(bytes)?;
    let header = Header::decode(&mut reader)?;
    let head = usize::try_from(reader.position()).unwrap_or(usize::MAX);
    let body = usize::try_from(header.length).unwrap_or(usize::MAX);
    bytes
        .get(..head.saturating_add(body))
        .ok_or(StampError::Wrong("it is cut off"))
}

/// Whether a certificate is for time-stamping and nothing else (RFC 3161, section 2.3), and was valid.
fn fit_for_stamps(certificate: &Certificate, time: u64) -> Result<(), StampError> {
    let usage = certificate.tbs_certificate.get::<ExtendedKeyUsage>();
    let usage = usage?.ok_or(StampError::Wrong(
        "its certificate is not for time-stamping",
    ))?;
    if !usage.0 || usage.1.0 != [TIME_STAMPING] {
        return Err(StampError::Wrong(
            "its certificate is not for time-stamping alone",
        ));
    }
    if !was_valid(certificate, time) {
        return Err(StampError::Wrong(
            "its certificate was not valid at the time that it says",
        ));
    }
    Ok(())
}

fn was_valid(certificate: &Certificate, time: u64) -> bool {
    let validity = &certificate.tbs_certificate.validity;
    let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
    (seconds(&validity.not_before)..=seconds(&validity.not_after)).contains(&time)
}

/// Whether a certificate is trusted, or was signed by one that is, over others that were sent along.
fn leads_up(
    from: &Certificate,
    others: &[Certificate],
    trusted: &[Certificate],
    time: u64,
) -> bool {
    let mut at = from.clone();
    for _ in 0..MAX_CHAIN {
        if trusted.contains(&at) {
            return true;
        }
        let above = |above: &&Certificate| {
            above.tbs_certificate.subject == at.tbs_certificate.issuer
                && is_authority(above)
                && was_valid(above, time)
                && has_signed(above, &at)
        };
        if trusted.iter().any(|one| above(&one)) {
            return true;
        }
        let Some(next) = others.iter().find(|one| above(one) && **one != at) else {
            return false;
        };
        at = next.clone();
    }
    false
}

fn is_authority(certificate: &Certificate) -> bool {
    let found = certificate.tbs_certificate.get::<BasicConstraints>();
    matches!(found, Ok(Some((_, constraints))) if constraints.ca)
}

fn has_signed(above: &Certificate, below: &Certificate) -> bool {
    let key = &above.tbs_certificate.subject_public_key_info;
    let (Ok(hash), Ok(bytes)) = (
        Hash::of_signature(&below.signature_algorithm.oid),
        below.tbs_certificate.to_der(),
    ) else {
        return false;
    };
    asymmetric::verify(key, hash, &bytes, below.signature.raw_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_that_of_a_digest() {
        let digest = Sha256Digest::of(b"abc");
        let der = query(&digest).unwrap();
        assert_eq!(der, query(&digest).unwrap());
        let read = TimeStampReq::from_der(&der).unwrap();
        assert_eq!(read.message_imprint.hashed_message.as_bytes(), digest.0);
        assert!(read.cert_req);
        assert_eq!(read.nonce.unwrap().as_bytes(), nonce(&digest));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        let digest = Sha256Digest::of(b"abc");
        for bytes in [&b""[..], b"\x30\x00", b"\x30\x84\xff\xff\xff\xff", b"text"] {
            let error = check(bytes, &digest, &[]).unwrap_err();
            assert!(matches!(error, StampError::Unreadable(_)), "{error}");
        }
        // A refusal: status 2, and no token.
        let error = check(b"\x30\x05\x30\x03\x02\x01\x02", &digest, &[]).unwrap_err();
        assert!(matches!(error, StampError::NotGranted(_)), "{error}");
    }
}
