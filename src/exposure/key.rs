//! Private keys, parsed rather than guessed.
//!
//! A line that says `BEGIN PRIVATE KEY` is in half of all cryptography libraries, as a string to compare with. So the
//! armour only says where to look; what lies between is decoded and parsed, and only a structure that holds together is
//! a key: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017, A.1.2, with modulus = product of the primes), SEC 1 (RFC 5915), the old
//! DSA form of OpenSSL, OpenSSH's `openssh-key-v1` (OpenSSH, PROTOCOL.key) and PuTTY's `.ppk` (PuTTY manual, appendix
//! C). Keys stand in source code too, so escapes, quotes, concatenation and comment marks around the lines are looked
//! through. Certificates and public keys are no finding, and neither are dots, `xxxx`, or a key with a mangled digit.
//!
//! The readers are our own few lines because all that is asked is "does it hold together": nothing is computed
//! with a key, none is kept, and no key material ever leaves this module.
//!
//! Left out: OpenPGP, keystores (PKCS#12, JKS), JSON Web Keys and other forms, which are classes of their own.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

/// How a key is written down.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum KeyFormat {
    /// PKCS#8, plain or encrypted.
    Pkcs8,
    /// PKCS#1: an RSA key alone.
    Pkcs1,
    /// SEC 1: an elliptic-curve key alone.
    Sec1,
    /// OpenSSL's old form of a DSA key.
    Dsa,
    /// OpenSSH.
    OpenSsh,
    /// PuTTY.
    Putty,
    /// Encrypted as a whole under a PEM header (RFC 1421 style), so that only the label tells its kind.
    LegacyEncrypted,
}

impl KeyFormat {
    /// The name that people know.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyFormat::Pkcs8 => "PKCS#8",
            KeyFormat::Pkcs1 => "PKCS#1",
            KeyFormat::Sec1 => "SEC 1",
            KeyFormat::Dsa => "DSA",
            KeyFormat::OpenSsh => "OpenSSH",
            KeyFormat::Putty => "PuTTY",
            KeyFormat::LegacyEncrypted => "PEM, encrypted",
        }
    }
}

/// What a key is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum KeyAlgorithm {
    /// RSA.
    Rsa,
    /// An elliptic curve in short Weierstrass form (ECDSA, ECDH).
    Ec,
    /// Ed25519, Ed448, X25519 or X448.
    Edwards,
    /// DSA.
    Dsa,
    /// Another one, or hidden by encryption.
    Other,
}

impl KeyAlgorithm {
    /// The name that people know.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyAlgorithm::Rsa => "RSA",
            KeyAlgorithm::Ec => "EC",
            KeyAlgorithm::Edwards => "Ed25519/X25519 family",
            KeyAlgorithm::Dsa => "DSA",
            KeyAlgorithm::Other => "other",
        }
    }
}

/// A key that was parsed. It holds none of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ParsedKey {
    pub format: KeyFormat,
    pub algorithm: KeyAlgorithm,
    pub encrypted: bool,
}

/// The end of the first line of PEM armour, as the literal pass looks for it.
pub(super) const PEM_LABEL_END: &[u8] = b"PRIVATE KEY-----";

/// The start of a PuTTY key file.
pub(super) const PUTTY_START: &[u8] = b"PuTTY-User-Key-File-";

/// A longer body is no key: RSA with 16,384 bits takes 13 KB, escapes and indentation included 64 KiB. Bytes.
const MAX_ARMOUR: usize = 64 << 10;

/// Most distance from `-----BEGIN ` to `PRIVATE KEY-----`. Bytes.
const MAX_LABEL: usize = 32;

/// The key whose armour's label ends with [`PEM_LABEL_END`] at `at`, where there is one.
pub(super) fn pem_key_at(bytes: &[u8], at: usize) -> Option<ParsedKey> {
    let label_start = at.saturating_sub(MAX_LABEL);
    let before = bytes.get(label_start..at)?;
    // An END line, or a label of another text, has no BEGIN close before it.
    let begin = memmem::rfind(before, b"-----BEGIN ")?;
    let label = &before[begin + b"-----BEGIN ".len()..];
    if !label
        .iter()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ')
    {
        return None;
    }
    let body = bytes.get(at + PEM_LABEL_END.len()..)?;
    let body = body.get(..MAX_ARMOUR).unwrap_or(body);
    // Neither base64 nor the headers hold five dashes: the body ends there, whatever follows.
    let body = &body[..memmem::find(body, b"-----")?];
    let armour = Armour::read(body);
    let der = decode_base64(&armour.text)?;
    if armour.encrypted {
        // The cipher's blocks are 8 or 16 bytes; less than two blocks hold no key.
        let plausible = der.len() >= 32 && der.len() % 8 == 0;
        let algorithm = match label {
            b"RSA " => KeyAlgorithm::Rsa,
            b"EC " => KeyAlgorithm::Ec,
            b"DSA " => KeyAlgorithm::Dsa,
            _ => KeyAlgorithm::Other,
        };
        return plausible.then_some(ParsedKey {
            format: KeyFormat::LegacyEncrypted,
            algorithm,
            encrypted: true,
        });
    }
    openssh_key(&der).or_else(|| der_key(&der))
}

/// What stands between the armour's lines: base64 alone, and whether a header says that it is encrypted.
pub(super) struct Armour {
    pub text: Vec<u8>,
    encrypted: bool,
}

impl Armour {
    /// Looks through what surrounds the lines in source code: line ends and tabs as escapes, quotes with whatever
    /// joins two strings, indentation, and the marks of comments and YAML blocks.
    pub fn read(body: &[u8]) -> Armour {
        let mut text = Vec::with_capacity(body.len());
        let mut encrypted = false;
        let mut rest = body;
        // The quote that ended the last piece of string; everything up to its like is code that joins two pieces.
        let mut outside: Option<u8> = None;
        // Length of the text where the present line began, to take the name of a header off again.
        let mut line_start = 0;
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            match byte {
                b'"' | b'\'' | b'`' => match outside {
                    None => outside = Some(byte),
                    Some(quote) if quote == byte => {
                        outside = None;
                        line_start = text.len();
                    }
                    Some(_) => {}
                },
                b'\n' => line_start = text.len(),
                b'\\' => {
                    while let Some(more) = rest.strip_prefix(b"\\") {
                        rest = more;
                    }
                    // White space; any other escape (`\/` of JSON) stands for the character itself.
                    if let Some((b'n' | b'r' | b't', after)) = rest.split_first() {
                        rest = after;
                        line_start = text.len();
                    }
                }
                _ if outside.is_some() => {}
                b':' => {
                    // A header line (RFC 1421, 4.6). What was collected of it is its name; its value ends with the line,
                    // written as such or as an escape.
                    let end = memchr::memchr2(b'\n', b'\\', rest).unwrap_or(rest.len());
                    encrypted |= memmem::find(&rest[..end], b"ENCRYPTED").is_some();
                    text.truncate(line_start);
                    rest = &rest[end..];
                }
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'=' => text.push(byte),
                _ => {}
            }
        }
        Armour { text, encrypted }
    }
}

/// Base64 with or without padding (RFC 4648, section 4).
pub(super) fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    if text.is_empty() {
        None
    } else {
        LENIENT.decode(text).ok()
    }
}

/// A key in DER: PKCS#8, PKCS#1, SEC 1, DSA, encrypted PKCS#8. The whole of `der` must be the key.
pub(super) fn der_key(der: &[u8]) -> Option<ParsedKey> {
    pkcs8(der)
        .or_else(|| plain(rsa(der), KeyFormat::Pkcs1, KeyAlgorithm::Rsa))
        .or_else(|| plain(elliptic(der), KeyFormat::Sec1, KeyAlgorithm::Ec))
        .or_else(|| plain(dsa(der), KeyFormat::Dsa, KeyAlgorithm::Dsa))
        .or_else(|| encrypted_pkcs8(der))
}

fn plain(holds: Option<()>, format: KeyFormat, algorithm: KeyAlgorithm) -> Option<ParsedKey> {
    holds.map(|()| ParsedKey {
        format,
        algorithm,
        encrypted: false,
    })
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// A reader over DER (X.690): tag, definite length, content. It borrows, never allocates, never recurses.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next element, whatever it is.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // Up to four bytes of length: a key of 4 GiB is none.
            0x81..=0x84 => {
                let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (
                    length
                        .iter()
                        .fold(0usize, |sum, &byte| sum << 8 | usize::from(byte)),
                    rest,
                )
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The next element, which must have this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any()
            .and_then(|(found, content)| (found == tag).then_some(content))
    }

    /// A positive integer without its sign byte.
    fn positive(&mut self) -> Option<&'a [u8]> {
        let content = self.expect(INTEGER)?;
        let number = content.strip_prefix(b"\0").unwrap_or(content);
        let negative = content.first().is_some_and(|byte| byte & 0x80 != 0);
        (!negative && number.iter().any(|&byte| byte != 0)).then_some(number)
    }

    /// A version number of one byte.
    fn version(&mut self) -> Option<u8> {
        match self.expect(INTEGER)? {
            [version] => Some(*version),
            _ => None,
        }
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// The content of a sequence that is all there is.
fn whole_sequence(der: &[u8]) -> Option<Der<'_>> {
    let mut outer = Der(der);
    let content = outer.expect(SEQUENCE)?;
    outer.end()?;
    Some(Der(content))
}

/// RFC 5958: version, algorithm, private key, then attributes and public key where there are any.
fn pkcs8(der: &[u8]) -> Option<ParsedKey> {
    let mut fields = whole_sequence(der)?;
    if fields.version()? > 1 {
        return None;
    }
    let id = Der(fields.expect(SEQUENCE)?).expect(OBJECT_ID)?;
    let key = fields.expect(OCTET_STRING)?;
    while let Some((tag, _)) = fields.any() {
        if !matches!(tag, 0xa0 | 0x80 | 0xa1 | 0x81) {
            return None;
        }
    }
    fields.end()?;
    let algorithm = match id {
        // 1.2.840.113549.1.1.1 rsaEncryption, .10 RSASSA-PSS
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 | 0x0a] => {
            rsa(key).map(|()| KeyAlgorithm::Rsa)
        }
        // 1.2.840.10045.2.1 ecPublicKey
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] => elliptic(key).map(|()| KeyAlgorithm::Ec),
        // 1.3.101.110 to .113: X25519, X448, Ed25519, Ed448 (RFC 8410)
        [0x2b, 0x65, kind @ 0x6e..=0x71] => edwards(key, *kind).map(|()| KeyAlgorithm::Edwards),
        // 1.2.840.10040.4.1 DSA: one integer
        [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01] => {
            Der(key).positive().map(|_| KeyAlgorithm::Dsa)
        }
        // Any other algorithm, the post-quantum ones among them: at least 128 bits of key.
        _ => (key.len() >= 16 && id.len() >= 3).then_some(KeyAlgorithm::Other),
    }?;
    Some(ParsedKey {
        format: KeyFormat::Pkcs8,
        algorithm,
        encrypted: false,
    })
}

/// RFC 5958, section 3: an encryption algorithm with its parameters, then the encrypted key.
fn encrypted_pkcs8(der: &[u8]) -> Option<ParsedKey> {
    let mut fields = whole_sequence(der)?;
    let mut algorithm = Der(fields.expect(SEQUENCE)?);
    algorithm.expect(OBJECT_ID)?;
    algorithm.expect(SEQUENCE)?;
    let key = fields.expect(OCTET_STRING)?;
    fields.end()?;
    (key.len() >= 16).then_some(ParsedKey {
        format: KeyFormat::Pkcs8,
        algorithm: KeyAlgorithm::Other,
        encrypted: true,
    })
}

/// RFC 8017, A.1.2: version, n, e, d, p, q, d mod (p-1), d mod (q-1), 1/q mod p, where n = p·q.
fn rsa(der: &[u8]) -> Option<()> {
    let mut fields = whole_sequence(der)?;
    let version = fields.version()?;
    let [n, e, _d, p, q] = [
        fields.positive()?,
        fields.positive()?,
        fields.positive()?,
        fields.positive()?,
        fields.positive()?,
    ];
    for _ in 0..3 {
        fields.positive()?;
    }
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    match version {
        0 => {
            fields.end()?;
            (odd(n) && odd(e) && is_product(n, p, q)).then_some(())
        }
        // With more than two primes the rest of them follows in a sequence.
        1 => fields
            .expect(SEQUENCE)
            .filter(|_| odd(n) && odd(e))
            .map(|_| ()),
        _ => None,
    }
}

/// Whether n = p·q, tested modulo ten primes near 2^31: a false answer has odds below 2^-300.
fn is_product(n: &[u8], p: &[u8], q: &[u8]) -> bool {
    const PRIMES: [u64; 10] = [
        2147483647, 2147483629, 2147483587, 2147483579, 2147483563, 2147483549, 2147483543,
        2147483497, 2147483489, 2147483477,
    ];
    let modulo = |number: &[u8], m: u64| {
        number
            .iter()
            .fold(0u64, |rest, &byte| (rest << 8 | u64::from(byte)) % m)
    };
    PRIMES
        .iter()
        .all(|&m| modulo(n, m) == modulo(p, m) * modulo(q, m) % m)
}

/// RFC 5915: version 1, the private number, then curve and public key where there are any.
fn elliptic(der: &[u8]) -> Option<()> {
    let mut fields = whole_sequence(der)?;
    if fields.version()? != 1 {
        return None;
    }
    let number = fields.expect(OCTET_STRING)?;
    while let Some((tag, _)) = fields.any() {
        if !matches!(tag, 0xa0 | 0xa1) {
            return None;
        }
    }
    fields.end()?;
    // From 112 bits (secp112r1) to 571 (sect571r1).
    let sized = (14..=72).contains(&number.len());
    (sized && number.iter().any(|&byte| byte != 0)).then_some(())
}

/// RFC 8410, section 7: an octet string of the length that the curve asks for. `kind` is the last byte of the object id.
fn edwards(key: &[u8], kind: u8) -> Option<()> {
    let length = match kind {
        0x6e | 0x70 => 32,
        0x6f => 56,
        _ => 57,
    };
    let mut fields = Der(key);
    let number = fields.expect(OCTET_STRING)?;
    fields.end()?;
    (number.len() == length && number.iter().any(|&byte| byte != 0)).then_some(())
}

/// OpenSSL's DSA form: version 0, p, q, g, public, private; the last is smaller than q.
fn dsa(der: &[u8]) -> Option<()> {
    let mut fields = whole_sequence(der)?;
    if fields.version()? != 0 {
        return None;
    }
    let [p, q, g, public, private] = [
        fields.positive()?,
        fields.positive()?,
        fields.positive()?,
        fields.positive()?,
        fields.positive()?,
    ];
    fields.end()?;
    (p.len() > q.len() && g.len() <= p.len() && public.len() <= p.len() && private.len() <= q.len())
        .then_some(())
}

/// Start of the binary form of an OpenSSH key.
const OPENSSH_MAGIC: &[u8] = b"openssh-key-v1\0";

/// OpenSSH, PROTOCOL.key: cipher, key derivation and its options, number of keys, public keys, private part.
fn openssh_key(bytes: &[u8]) -> Option<ParsedKey> {
    let mut fields = Ssh(bytes.strip_prefix(OPENSSH_MAGIC)?);
    let cipher = fields.string()?;
    let _derivation = fields.string()?;
    let _options = fields.string()?;
    // The format speaks of several keys; nobody has ever written more than one.
    if fields.number()? != 1 {
        return None;
    }
    let public_type = Ssh(fields.string()?).string()?;
    let private = fields.string()?;
    let algorithm = ssh_algorithm(public_type);
    let encrypted = cipher != b"none";
    if encrypted {
        let plausible = private.len() >= 16;
        return plausible.then_some(ParsedKey {
            format: KeyFormat::OpenSsh,
            algorithm,
            encrypted,
        });
    }
    let mut private = Ssh(private);
    if private.number()? != private.number()? || private.string()? != public_type {
        return None;
    }
    // The fields differ by type; each has at least a public part, a private part and a comment, then 1, 2, 3 … as padding.
    let mut count = 0;
    while let Some(_field) = private.string() {
        count += 1;
    }
    let padded = private
        .0
        .iter()
        .zip(1u8..)
        .all(|(&byte, expected)| byte == expected);
    (count >= 3 && padded && private.0.len() < 256).then_some(ParsedKey {
        format: KeyFormat::OpenSsh,
        algorithm,
        encrypted,
    })
}

fn ssh_algorithm(name: &[u8]) -> KeyAlgorithm {
    match name {
        b"ssh-rsa" => KeyAlgorithm::Rsa,
        b"ssh-ed25519" => KeyAlgorithm::Edwards,
        b"ssh-dss" => KeyAlgorithm::Dsa,
        name if name.starts_with(b"ecdsa-sha2-") => KeyAlgorithm::Ec,
        _ => KeyAlgorithm::Other,
    }
}

/// A reader over SSH's wire types (RFC 4251, section 5). A string that does not fit leaves the reader where it was.
struct Ssh<'a>(&'a [u8]);

impl<'a> Ssh<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (content, rest) =
            rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        self.0 = rest;
        Some(content)
    }
}

/// The PuTTY key file that begins at `at`. Versions 2 and 3: header lines, then base64 in as many lines as they say.
pub(super) fn putty_key_at(bytes: &[u8], at: usize) -> Option<ParsedKey> {
    let text = bytes.get(at..)?.strip_prefix(PUTTY_START)?;
    let text = text.get(..MAX_ARMOUR).unwrap_or(text);
    // The next key begins a file of its own; so many starts in a row cost no more than one.
    let text = &text[..memmem::find(text, PUTTY_START).unwrap_or(text.len())];
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let (_version, kind) = split_header(lines.next()?)?;
    let mut encrypted = None;
    while let Some(line) = lines.next() {
        let Some((name, value)) = split_header(line) else {
            continue;
        };
        match name {
            b"Encryption" => encrypted = Some(value != b"none"),
            b"Private-Lines" => {
                let count: usize = std::str::from_utf8(value).ok()?.parse().ok()?;
                let blob: Vec<u8> = lines.by_ref().take(count).flatten().copied().collect();
                let private = decode_base64(&blob)?;
                return (private.len() >= 16).then_some(ParsedKey {
                    format: KeyFormat::Putty,
                    algorithm: ssh_algorithm(kind),
                    encrypted: encrypted?,
                });
            }
            _ => {}
        }
    }
    None
}

/// `Name: value`.
fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b':', line)?;
    Some((&line[..at], line[at + 1..].trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::samples::make;

    fn first_key(text: &[u8]) -> Option<ParsedKey> {
        memmem::find(text, PEM_LABEL_END).and_then(|at| pem_key_at(text, at))
    }

    fn sample(name: &str) -> Vec<u8> {
        make(name).unwrap()
    }

    #[test]
    fn every_format_is_parsed() {
        use KeyFormat::*;
        for (name, format, algorithm, encrypted) in [
            ("pkcs8-ed25519", Pkcs8, KeyAlgorithm::Edwards, false),
            ("pkcs8-rsa", Pkcs8, KeyAlgorithm::Rsa, false),
            ("pkcs8-ec", Pkcs8, KeyAlgorithm::Ec, false),
            ("pkcs8-encrypted", Pkcs8, KeyAlgorithm::Other, true),
            ("pkcs1-rsa", Pkcs1, KeyAlgorithm::Rsa, false),
            (
                "pkcs1-rsa-encrypted",
                LegacyEncrypted,
                KeyAlgorithm::Rsa,
                true,
            ),
            ("sec1-ec", Sec1, KeyAlgorithm::Ec, false),
            ("openssh-ed25519", OpenSsh, KeyAlgorithm::Edwards, false),
            (
                "openssh-ed25519-encrypted",
                OpenSsh,
                KeyAlgorithm::Edwards,
                true,
            ),
        ] {
            assert_eq!(
                first_key(&sample(name)),
                Some(ParsedKey {
                    format,
                    algorithm,
                    encrypted
                }),
                "{name}"
            );
        }
        let putty = sample("putty-ed25519");
        let found = ParsedKey {
            format: Putty,
            algorithm: KeyAlgorithm::Edwards,
            encrypted: false,
        };
        assert_eq!(putty_key_at(&putty, 0), Some(found));
    }

    #[test]
    fn what_is_public_or_broken_is_no_key() {
        for name in ["certificate", "public-key", "pkcs1-rsa-mangled"] {
            assert_eq!(first_key(&sample(name)), None, "{name}");
        }
        for text in [
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nxxxxxxxxxxxxxxxx\n-----END RSA PRIVATE KEY-----",
            "if (text.startsWith('-----BEGIN PRIVATE KEY-----')) { return text.split('-----END PRIVATE KEY-----') }",
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----",
            "-----END PRIVATE KEY-----MCAwAAAA-----",
            "PRIVATE KEY-----",
        ] {
            assert_eq!(first_key(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_key_inside_source_code_is_found() {
        let pem = String::from_utf8(sample("pkcs1-rsa")).unwrap();
        let json = serde_json::to_string(&pem).unwrap();
        let twice = serde_json::to_string(&json).unwrap();
        let concatenated: String = pem
            .lines()
            .map(|line| format!("  \"{line}\\n\" +\n"))
            .collect();
        let array: String = pem.lines().map(|line| format!("  '{line}',\r\n")).collect();
        let yaml: String = pem.lines().map(|line| format!("    {line}\r\n")).collect();
        let comment: String = pem.lines().map(|line| format!(" # {line}\n")).collect();
        let slashes = json.replace('/', "\\/");
        for text in [json, twice, concatenated, array, yaml, comment, slashes] {
            let found = first_key(text.as_bytes());
            assert_eq!(
                found.map(|key| key.format),
                Some(KeyFormat::Pkcs1),
                "{text}"
            );
        }
        let legacy =
            serde_json::to_vec(&String::from_utf8(sample("pkcs1-rsa-encrypted")).unwrap()).unwrap();
        assert_eq!(first_key(&legacy).map(|key| key.encrypted), Some(true));
    }

    #[test]
    fn a_truncated_key_is_no_key() {
        let pem = sample("pkcs8-rsa");
        let text = String::from_utf8(pem).unwrap();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let der = decode_base64(body.as_bytes()).unwrap();
        assert!(der_key(&der).is_some());
        for cut in 0..der.len() {
            assert_eq!(der_key(&der[..cut]), None, "{cut} of {} bytes", der.len());
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for der in [
            &b"\x30\x84\xff\xff\xff\xff"[..],
            b"\x30\x80\x00\x00",
            b"\x30\x85\x01\x01\x01\x01\x01",
            b"\x30",
        ] {
            assert_eq!(der_key(der), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            der_key(&bytes);
            openssh_key(&[OPENSSH_MAGIC, &bytes].concat());
            pem_key_at(&[b"-----BEGIN PRIVATE KEY-----", &bytes[..], b"-----END"].concat(), 11);
            putty_key_at(&[PUTTY_START, &bytes].concat(), 0);
        }

        #[test]
        fn a_mangled_key_is_read_without_panic(at in 0usize..300, value: u8) {
            let mut pem = sample("openssh-ed25519");
            let length = pem.len();
            pem[at % length] = value;
            first_key(&pem);
        }
    }
}
