//! The signature of the folder: SSHSIG, as `ssh-keygen -Y sign` makes it (OpenSSH's PROTOCOL.sshsig).
//!
//! A signature says that the holder of a key stands behind the folder, so the key is the user's: a file of theirs, or one in
//! their agent, and the program has none. Everybody who works with git or servers has such a key, and OpenSSH, which checks
//! it, is part of each of the three systems.
//!
//! What is signed is the list of the lists ([`super::bag::TAG_MANIFEST_FILE`]), which binds every other file. The namespace
//! keeps such a signature from standing for anything else that the same key signs, and the other way round. Signatures
//! stand outside of the list: they are made of it. `ssh-keygen -Y sign -n strandline-evidence` writes the same file, so a
//! folder can be signed later, or by somebody else.
//!
//! Whose a key is, the signature does not say. That is told by a file of allowed signers (ssh-keygen(1), "ALLOWED SIGNERS"),
//! which has to come from elsewhere than the folder ([`AllowedSigners`]).

use rsa::BigUint;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::sha2::{Digest as _, Sha512};
use rsa::signature::{Signer as _, Verifier as _};
use ssh_key::private::{KeypairData, RsaKeypair};
use ssh_key::public::KeyData;
use ssh_key::{
    Algorithm, EcdsaCurve, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SshSig,
};

/// What the signature is for.
pub const NAMESPACE: &str = "strandline-evidence";
/// The signature beside what it signs, where `ssh-keygen -Y sign` puts it.
pub const SIGNATURE_FILE: &str = "tagmanifest-sha256.txt.sig";
/// Bytes of a signature file, of a key file, and of a list of allowed signers.
pub const MAX_SIGNATURE_BYTES: u64 = 64 << 10;
/// Bytes of a list of allowed signers.
pub const MAX_SIGNERS_BYTES: u64 = 4 << 20;

/// Why nothing was signed, or a signature does not hold.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key cannot be used.
    #[error("the key cannot sign: {0}; use an Ed25519, ECDSA (P-256, P-384) or RSA key")]
    Key(ssh_key::Error),
    /// Whoever was asked to sign did not.
    #[error("{0}")]
    Refused(String),
    /// What came back is no signature by the key.
    #[error("what was made with the key is no signature by it; nothing is sealed with it")]
    Wrong,
}

/// Something that signs: a key file, or an agent.
pub trait Signs {
    /// The key that it signs with.
    fn public_key(&self) -> &PublicKey;
    /// Signs bytes as they are.
    ///
    /// # Errors
    /// When it does not.
    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignError>;
}

/// A key that was read from a file, and decrypted.
pub struct FileKey {
    private: PrivateKey,
    public: PublicKey,
}

impl FileKey {
    /// Takes a key that is not encrypted any more.
    #[must_use]
    pub fn new(private: PrivateKey) -> Self {
        let public = private.public_key().clone();
        Self { private, public }
    }
}

impl Signs for FileKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignError> {
        // The library's own way takes one prime of the key for both, and then refuses it (ssh-key 0.6.7).
        if let KeypairData::Rsa(pair) = self.private.key_data() {
            return sign_rsa(pair, bytes).map_err(SignError::Key);
        }
        let signed = self.private.try_sign(bytes);
        signed.map_err(|_| SignError::Key(ssh_key::Error::AlgorithmUnknown))
    }
}

fn sign_rsa(pair: &RsaKeypair, bytes: &[u8]) -> Result<Signature, ssh_key::Error> {
    let private = &pair.private;
    let primes = vec![
        BigUint::try_from(&private.p)?,
        BigUint::try_from(&private.q)?,
    ];
    let key = rsa::RsaPrivateKey::from_components(
        BigUint::try_from(&pair.public.n)?,
        BigUint::try_from(&pair.public.e)?,
        BigUint::try_from(&private.d)?,
        primes,
    );
    let scheme = Pkcs1v15Sign::new::<Sha512>();
    let signed = key.and_then(|key| key.sign(scheme, &Sha512::digest(bytes)));
    let hash = Some(HashAlg::Sha512);
    Signature::new(
        Algorithm::Rsa { hash },
        signed.map_err(|_| ssh_key::Error::Crypto)?,
    )
}

/// The fingerprint of a key, as OpenSSH shows it.
#[must_use]
pub fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The signature file for `message`.
///
/// # Errors
/// When the signer does not sign, or gives something else back.
pub fn seal(signer: &dyn Signs, message: &[u8]) -> Result<String, SignError> {
    let bytes = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message).map_err(SignError::Key)?;
    let signature = signer.sign(&bytes)?;
    let key = signer.public_key().key_data().clone();
    let armoured = SshSig::new(key, NAMESPACE, HashAlg::Sha512, signature)
        .and_then(|signed| form(&signed))
        .map_err(SignError::Key)?;
    match check(armoured.as_bytes(), message) {
        Signed::By(_) => Ok(armoured),
        _ => Err(SignError::Wrong),
    }
}

/// A signature file, as ssh-keygen writes it.
fn form(signed: &SshSig) -> Result<String, ssh_key::Error> {
    let text = signed.to_pem(LineEnding::LF)?;
    Ok(format!("{}\n", text.trim_end()))
}

/// What a signature file is worth.
#[derive(Debug)]
pub enum Signed {
    /// The holder of this key signed the message.
    By(Box<KeyData>),
    /// It does not hold, and why.
    Not(String),
    /// It is of a kind that this program does not check.
    Unknown(String),
}

/// Holds a signature file against a message.
#[must_use]
pub fn check(armoured: &[u8], message: &[u8]) -> Signed {
    let signed = match SshSig::from_pem(armoured) {
        Ok(signed) => signed,
        Err(ssh_key::Error::AlgorithmUnsupported { algorithm }) => {
            return Signed::Unknown(format!("a key of the kind {algorithm}"));
        }
        Err(error) => return Signed::Not(format!("it cannot be read: {error}")),
    };
    let form = form(&signed).unwrap_or_default();
    if form.as_bytes() != armoured || signed.version() != 1 {
        return Signed::Not("it is not in the form that ssh-keygen writes".to_owned());
    }
    if signed.namespace() != NAMESPACE {
        return Signed::Not(format!(
            "it was made for {:?}, not for {NAMESPACE:?}",
            signed.namespace()
        ));
    }
    let key = PublicKey::from(signed.public_key().clone());
    if !is_known(key.key_data()) {
        return Signed::Unknown(format!("a key of the kind {}", key.algorithm()));
    }
    match key.verify(NAMESPACE, message, &signed) {
        Ok(()) => Signed::By(Box::new(key.key_data().clone())),
        Err(_) => Signed::Not("what it signs is not what is here".to_owned()),
    }
}

/// Whether signatures of such a key can be checked here.
fn is_known(key: &KeyData) -> bool {
    matches!(
        key.algorithm(),
        Algorithm::Ed25519
            | Algorithm::SkEd25519
            | Algorithm::SkEcdsaSha2NistP256
            | Algorithm::Rsa { .. }
            | Algorithm::Ecdsa {
                curve: EcdsaCurve::NistP256 | EcdsaCurve::NistP384
            }
    )
}

/// Whether a key signs bytes as they are. One in a security token signs what it makes of them.
#[must_use]
pub fn signs_plain(key: &KeyData) -> bool {
    is_known(key)
        && !matches!(
            key.algorithm(),
            Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256
        )
}

/// A plain signature, as DSSE has it; `None` for keys that cannot make one.
#[must_use]
pub fn plain(signature: &Signature) -> Option<Vec<u8>> {
    match signature.algorithm() {
        Algorithm::Ed25519
        | Algorithm::Rsa {
            hash: Some(HashAlg::Sha512),
        } => Some(signature.as_bytes().to_vec()),
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        } => {
            let signature = p256::ecdsa::Signature::try_from(signature).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP384,
        } => {
            let signature = p384::ecdsa::Signature::try_from(signature).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        _ => None,
    }
}

/// Whether a key signs `bytes` with a plain signature.
#[must_use]
pub fn check_plain(key: &KeyData, bytes: &[u8], signature: &[u8]) -> bool {
    from_plain(key, signature).is_some_and(|signature| key.verify(bytes, &signature).is_ok())
}

fn from_plain(key: &KeyData, bytes: &[u8]) -> Option<Signature> {
    match key.algorithm() {
        Algorithm::Ed25519 => Signature::new(Algorithm::Ed25519, bytes).ok(),
        Algorithm::Rsa { .. } => {
            let hash = Some(HashAlg::Sha512);
            Signature::new(Algorithm::Rsa { hash }, bytes).ok()
        }
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        } => Signature::try_from(p256::ecdsa::Signature::from_der(bytes).ok()?).ok(),
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP384,
        } => Signature::try_from(p384::ecdsa::Signature::from_der(bytes).ok()?).ok(),
        _ => None,
    }
}

/// Who may sign, by a file of the user's.
#[derive(Debug, Default)]
pub struct AllowedSigners {
    rows: Vec<Allowed>,
    /// Lines that were not used, with what is in them.
    pub unused: Vec<String>,
}

#[derive(Debug)]
struct Allowed {
    principals: String,
    key: KeyData,
    /// The entry holds for a time only, which a signature without a clock cannot be held against.
    for_a_time: bool,
}

impl AllowedSigners {
    /// Reads such a file. Lines of authorities of certificates are not used, nor is what cannot be read; both are counted.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut signers = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match allowed(line) {
                Ok(Some(row)) => signers.rows.push(row),
                Ok(None) => {}
                Err(why) => signers.unused.push(format!("line {}: {why}", index + 1)),
            }
        }
        signers
    }

    /// The names that a key is listed under, and whether each holds for a time only.
    #[must_use]
    pub fn who(&self, key: &KeyData) -> Vec<(&str, bool)> {
        let rows = self.rows.iter().filter(|row| row.key == *key);
        rows.map(|row| (row.principals.as_str(), row.for_a_time))
            .collect()
    }
}

/// A line of the file; `None` where it is for other namespaces.
fn allowed(line: &str) -> Result<Option<Allowed>, &'static str> {
    let fields = fields(line);
    let mut fields = fields.iter().map(String::as_str);
    let principals = fields.next().unwrap_or_default().trim_matches('"');
    let second = fields.next().ok_or("it has no key")?;
    let (options, kind) = if is_key_type(second) {
        ("", second)
    } else {
        (second, fields.next().ok_or("it has no key")?)
    };
    let key = fields.next().ok_or("it has no key")?;
    let key =
        PublicKey::from_openssh(&format!("{kind} {key}")).map_err(|_| "its key cannot be read")?;
    let mut for_a_time = false;
    for option in split_outside_quotes(options, ',') {
        let (name, value) = option.split_once('=').unwrap_or((&option, ""));
        match name.to_ascii_lowercase().as_str() {
            "" => {}
            "namespaces" => {
                let mut patterns = value.trim_matches('"').split(',');
                if !patterns.any(|pattern| is_like(pattern.as_bytes(), NAMESPACE.as_bytes())) {
                    return Ok(None);
                }
            }
            "valid-after" | "valid-before" => for_a_time = true,
            "cert-authority" => return Err("it is of an authority, and certificates are not read"),
            _ => return Err("it has an option that is not known"),
        }
    }
    Ok(Some(Allowed {
        principals: principals.to_owned(),
        key: key.key_data().clone(),
        for_a_time,
    }))
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"]
        .iter()
        .any(|start| word.starts_with(start))
}

fn fields(line: &str) -> Vec<String> {
    let parts = split_outside_quotes(line, ' ').into_iter();
    let parts = parts.flat_map(|part| split_outside_quotes(&part, '\t'));
    parts.filter(|part| !part.is_empty()).collect()
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for character in text.chars() {
        quoted ^= character == '"';
        match parts.last_mut() {
            Some(part) if character != separator || quoted => part.push(character),
            _ => parts.push(String::new()),
        }
    }
    parts
}

/// Whether a text fits a pattern of ssh_config(5): `*` for any characters, `?` for one. Steps are bounded by the product of
/// the lengths.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let mut fits = vec![false; text.len() + 1];
    fits[0] = true;
    for &letter in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match letter {
                b'*' => fits[at] || (at > 0 && next[at - 1]),
                b'?' => at > 0 && fits[at - 1],
                _ => at > 0 && fits[at - 1] && text[at - 1] == letter,
            };
        }
        fits = next;
    }
    fits[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssh_key::private::{EcdsaKeypair, Ed25519Keypair};

    /// A key of each kind, made of fixed bytes: keys of tests are nobody's.
    fn keys() -> Vec<FileKey> {
        let ed25519 = KeypairData::from(Ed25519Keypair::from_seed(&[7; 32]));
        let secret = p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap();
        let p256 = KeypairData::from(EcdsaKeypair::NistP256 {
            public: secret.verifying_key().to_encoded_point(false),
            private: p256::SecretKey::from_slice(&[9; 32]).unwrap().into(),
        });
        let secret = p384::ecdsa::SigningKey::from_slice(&[9; 48]).unwrap();
        let p384 = KeypairData::from(EcdsaKeypair::NistP384 {
            public: secret.verifying_key().to_encoded_point(false),
            private: p384::SecretKey::from_slice(&[9; 48]).unwrap().into(),
        });
        let keys = [ed25519, p256, p384].into_iter();
        keys.map(|key| FileKey::new(PrivateKey::new(key, "test").unwrap()))
            .collect()
    }

    #[test]
    fn each_kind_of_key_signs_and_no_change_passes() {
        for key in keys() {
            let armoured = seal(&key, b"the list").unwrap();
            assert!(matches!(
                check(armoured.as_bytes(), b"the list"),
                Signed::By(_)
            ));
            assert!(matches!(
                check(armoured.as_bytes(), b"the lisT"),
                Signed::Not(_)
            ));
            // The same key and bytes give the same file.
            assert_eq!(armoured, seal(&key, b"the list").unwrap());
            for at in 0..armoured.len() {
                let mut changed = armoured.clone().into_bytes();
                changed[at] ^= 1;
                assert!(
                    !matches!(check(&changed, b"the list"), Signed::By(_)),
                    "{at}"
                );
            }
            let plain = plain(&key.sign(b"bytes").unwrap()).unwrap();
            let data = key.public_key().key_data();
            assert!(check_plain(data, b"bytes", &plain));
            assert!(!check_plain(data, b"bytez", &plain));
            assert!(!check_plain(data, b"bytes", &plain[1..]));
        }
    }

    #[test]
    fn a_signature_for_something_else_is_none_for_this() {
        for key in keys() {
            let other = key.private.sign("git", HashAlg::Sha512, b"x").unwrap();
            let armoured = form(&other).unwrap();
            let Signed::Not(why) = check(armoured.as_bytes(), b"x") else {
                panic!("taken");
            };
            assert!(why.contains("\"git\""), "{why}");
        }
    }

    #[test]
    fn allowed_signers_are_those_of_the_file() {
        let keys = keys();
        let line = |index: usize| keys[index].public.to_openssh().unwrap();
        let text = format!(
            "# ours\n\na@example.com,b@example.com {}\nc@example.com namespaces=\"git,file\" {}\nd@example.com valid-before=\"20300101\",namespaces=\"strand*\" {}\ne@example.com cert-authority {}\nf@example.com nonsense\n",
            line(0),
            line(0),
            line(1),
            line(1)
        );
        let signers = AllowedSigners::parse(&text);
        let who = |index: usize| signers.who(keys[index].public.key_data());
        assert_eq!(who(0), [("a@example.com,b@example.com", false)]);
        assert_eq!(who(1), [("d@example.com", true)]);
        assert!(who(2).is_empty());
        assert_eq!(signers.unused.len(), 2, "{:?}", signers.unused);
    }

    #[test]
    fn patterns_are_those_of_ssh() {
        for (pattern, text, fits) in [
            ("*", "x", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*-evidence", NAMESPACE, true),
            ("git", NAMESPACE, false),
            ("", "", true),
        ] {
            assert_eq!(
                is_like(pattern.as_bytes(), text.as_bytes()),
                fits,
                "{pattern}"
            );
        }
    }
}
