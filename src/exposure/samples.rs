//! The inputs of the rules' examples, made when they are asked for.
//!
//! A rule about private keys needs private keys to be tested with, and a repository full of keys and tokens sets off
//! every scanner that reads it, ours included. So the rule file names a generator, and the bytes come from here: well
//! formed, the same each time (they are drawn from a hash of the generator's name), and good for nothing. The RSA key
//! has 92 bits.
//!
//! Left out: other people's formats in full. Each generator writes the least that a strict reader accepts.

mod accounts;
mod artifacts;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::registry::base62_crc32;
use super::rules::{Example, RuleError};

/// A file of an example: its path in the package, and its bytes.
pub type MadeFile = (Vec<u8>, Vec<u8>);

/// The files of an example: path and bytes, in the order of the rule file.
///
/// # Errors
/// A file without exactly one content, base64 that is none, an unknown generator.
pub fn example_files(example: &Example) -> Result<Vec<MadeFile>, RuleError> {
    let mut files = Vec::with_capacity(example.files.len());
    for file in &example.files {
        let bytes = match (&file.text, &file.base64, &file.make) {
            (Some(text), None, None) => text.clone().into_bytes(),
            (None, Some(base64), None) => {
                STANDARD.decode(base64).map_err(|error| RuleError::Base64 {
                    path: file.path.clone(),
                    message: error.to_string(),
                })?
            }
            (None, None, Some(spec)) => make(spec)?,
            _ => {
                return Err(RuleError::NoContent {
                    path: file.path.clone(),
                });
            }
        };
        files.push((file.path.clone().into_bytes(), bytes));
    }
    Ok(files)
}

/// A generator: its name, and what makes the bytes from the arguments.
type Generator = (&'static str, fn(&[&str]) -> Vec<u8>);

const GENERATORS: &[Generator] = &[
    ("pkcs8-ed25519", |_| {
        pem(
            "PRIVATE KEY",
            &pkcs8(ED25519, &tlv(0x04, &random("ed25519", 32))),
        )
    }),
    ("pkcs8-rsa", |_| {
        pem("PRIVATE KEY", &pkcs8(RSA, &rsa_key(RSA_N)))
    }),
    ("pkcs8-ec", |_| pem("PRIVATE KEY", &pkcs8(EC, &ec_key()))),
    ("pkcs8-encrypted", |_| {
        pem("ENCRYPTED PRIVATE KEY", &encrypted_pkcs8())
    }),
    ("pkcs8-ed25519-der", |_| {
        pkcs8(ED25519, &tlv(0x04, &random("ed25519", 32)))
    }),
    ("pkcs1-rsa", |_| pem("RSA PRIVATE KEY", &rsa_key(RSA_N))),
    ("pkcs1-rsa-mangled", |_| {
        pem("RSA PRIVATE KEY", &rsa_key(RSA_N + 2))
    }),
    ("pkcs1-rsa-encrypted", |_| legacy_encrypted()),
    ("sec1-ec", |_| pem("EC PRIVATE KEY", &ec_key())),
    ("openssh-ed25519", |_| {
        pem("OPENSSH PRIVATE KEY", &openssh(false))
    }),
    ("openssh-ed25519-encrypted", |_| {
        pem("OPENSSH PRIVATE KEY", &openssh(true))
    }),
    ("putty-ed25519", |_| putty()),
    ("certificate", |_| {
        pem(
            "CERTIFICATE",
            &tlv(
                0x30,
                &[tlv(0x30, &random("certificate", 200)), tlv(0x30, ED25519)].concat(),
            ),
        )
    }),
    ("public-key", |_| {
        pem(
            "PUBLIC KEY",
            &tlv(
                0x30,
                &[tlv(0x30, ED25519), tlv(0x03, &random("public", 33))].concat(),
            ),
        )
    }),
    ("key-in-javascript", |_| key_in_javascript()),
    ("npm-token-file", |_| npm_file(&npm_token(true))),
    ("npm-token-file-wrong-checksum", |_| {
        npm_file(&npm_token(false))
    }),
    ("npm-auth-file", |_| {
        format!(
            "_auth={}\nemail=ops@acme.example\n",
            STANDARD.encode("deploy:q8Zt5vKx0Wb3")
        )
        .into_bytes()
    }),
    ("npm-token-readme", |_| {
        format!(
            "# Setup\n\nAdd this line, with your own token:\n\n    {}",
            text(npm_file(&npm_token(true)))
        )
        .into_bytes()
    }),
    ("yarn-token-file", |_| {
        format!(
            "nodeLinker: node-modules\nnpmScopes:\n  acme:\n    npmAuthToken: \"{}\"\n",
            npm_token(true)
        )
        .into_bytes()
    }),
    ("pypi-token-file", |_| pypi_file()),
    ("dotenv", |_| dotenv()),
    ("inline-map", |names| inline_map(names, true)),
    ("inline-map-names", |names| inline_map(names, false)),
    ("npm-tarball", npm_tarball),
];

/// All of them.
fn generators() -> impl Iterator<Item = &'static Generator> {
    GENERATORS
        .iter()
        .chain(accounts::GENERATORS)
        .chain(artifacts::GENERATORS)
}

/// Makes the bytes that `spec` names: a generator and its arguments, with single blanks between.
///
/// # Errors
/// A generator that does not exist.
pub(super) fn make(spec: &str) -> Result<Vec<u8>, RuleError> {
    let mut words = spec.split(' ');
    let name = words.next().unwrap_or_default();
    let arguments: Vec<&str> = words.collect();
    match generators().find(|(known, _)| *known == name) {
        Some((_, generate)) => Ok(generate(&arguments)),
        None => Err(RuleError::UnknownGenerator {
            name: name.to_owned(),
            known: generators()
                .map(|(known, _)| *known)
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// Bytes that look random and are the same each time.
pub(super) fn random(purpose: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(b"strandline sample ")
        .update(purpose.as_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// Letters and digits that look random and are the same each time.
fn random_word(purpose: &str, length: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    random(purpose, length)
        .iter()
        .map(|&byte| char::from(DIGITS[usize::from(byte) % DIGITS.len()]))
        .collect()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// PEM armour (RFC 7468): 64 characters a line.
fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    format!(
        "-----BEGIN {label}-----\n{}-----END {label}-----\n",
        wrapped(der)
    )
    .into_bytes()
}

fn wrapped(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut lines = String::new();
    for (count, digit) in encoded.chars().enumerate() {
        if count > 0 && count % 64 == 0 {
            lines.push('\n');
        }
        lines.push(digit);
    }
    lines.push('\n');
    lines
}

/// An element of DER with a definite length (X.690).
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    match content.len() {
        short @ 0..=0x7f => element.push(short as u8),
        long => {
            element.push(0x82);
            element.extend((long as u16).to_be_bytes());
        }
    }
    element.extend(content);
    element
}

/// A positive INTEGER.
fn integer(number: u128) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let start = bytes
        .iter()
        .position(|&byte| byte != 0)
        .unwrap_or(bytes.len() - 1);
    let mut content = Vec::new();
    if bytes[start] & 0x80 != 0 {
        content.push(0);
    }
    content.extend(&bytes[start..]);
    tlv(0x02, &content)
}

/// Object ids with their parameters.
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
const EC: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

/// Two Mersenne primes and their product.
const RSA_P: u128 = (1 << 61) - 1;
const RSA_Q: u128 = (1 << 31) - 1;
const RSA_N: u128 = RSA_P * RSA_Q;

fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    tlv(
        0x30,
        &[integer(0), tlv(0x30, algorithm), tlv(0x04, key)].concat(),
    )
}

fn encrypted_pkcs8() -> Vec<u8> {
    // PBES2 (1.2.840.113549.1.5.13) with parameters that nobody reads.
    let algorithm = [
        &b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"[..],
        &tlv(0x30, &random("pbes2", 60)),
    ]
    .concat();
    tlv(
        0x30,
        &[tlv(0x30, &algorithm), tlv(0x04, &random("ciphertext", 64))].concat(),
    )
}

fn rsa_key(modulus: u128) -> Vec<u8> {
    let numbers = [
        0,
        modulus,
        65_537,
        0x1d0f_1d0f_1d0f_1d0f_1d0f,
        RSA_P,
        RSA_Q,
        0x1234_5677,
        0x1234_5679,
        0x7654_3211,
    ];
    tlv(0x30, &numbers.map(integer).concat())
}

fn ec_key() -> Vec<u8> {
    tlv(0x30, &[integer(1), tlv(0x04, &random("ec", 32))].concat())
}

fn legacy_encrypted() -> Vec<u8> {
    format!(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,{:032X}\n\n{}-----END RSA PRIVATE KEY-----\n",
        u128::MAX / 3,
        wrapped(&random("legacy", 320))
    )
    .into_bytes()
}

/// A string of SSH's wire format (RFC 4251, section 5).
fn ssh_string(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[..], content].concat()
}

fn openssh(encrypted: bool) -> Vec<u8> {
    let public = random("openssh public", 32);
    let blob = [ssh_string(b"ssh-ed25519"), ssh_string(&public)].concat();
    let check = [0x5au8; 4];
    let mut private = [&check[..], &check, &blob].concat();
    private.extend(ssh_string(&[random("openssh seed", 32), public].concat()));
    private.extend(ssh_string(b"sample"));
    private.extend((1u8..).take((8 - private.len() % 8) % 8));
    let (cipher, derivation) = if encrypted {
        (&b"aes256-ctr"[..], &b"bcrypt"[..])
    } else {
        (&b"none"[..], &b"none"[..])
    };
    if encrypted {
        private = random("openssh ciphertext", 160);
    }
    [
        b"openssh-key-v1\0".to_vec(),
        ssh_string(cipher),
        ssh_string(derivation),
        ssh_string(b""),
        1u32.to_be_bytes().to_vec(),
        ssh_string(&blob),
        ssh_string(&private),
    ]
    .concat()
}

fn putty() -> Vec<u8> {
    let public = [
        ssh_string(b"ssh-ed25519"),
        ssh_string(&random("putty public", 32)),
    ]
    .concat();
    let private = ssh_string(&random("putty private", 32));
    format!(
        "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\nComment: sample\r\nPublic-Lines: 1\r\n{}\r\n\
         Private-Lines: 1\r\n{}\r\nPrivate-MAC: {}\r\n",
        STANDARD.encode(public),
        STANDARD.encode(private),
        blake3::hash(b"sample").to_hex()
    )
    .into_bytes()
}

/// A key as a string of a script, its line ends escaped.
fn key_in_javascript() -> Vec<u8> {
    let key = text(pem(
        "PRIVATE KEY",
        &pkcs8(ED25519, &tlv(0x04, &random("ed25519", 32))),
    ));
    format!(
        "export const signingKey = \"{}\";\n",
        key.replace('\n', "\\n")
    )
    .into_bytes()
}

fn npm_token(checksum: bool) -> String {
    let body = random_word("npm token", 30);
    let end = if checksum {
        base62_crc32(&body)
    } else {
        base62_crc32(&body).chars().rev().collect()
    };
    format!("npm_{body}{end}")
}

fn npm_file(token: &str) -> Vec<u8> {
    format!("//packages.acme.example/:_authToken={token}\n").into_bytes()
}

/// A macaroon in its binary form, version 2: location, identifier, end of header, signature.
fn pypi_file() -> Vec<u8> {
    let field = |kind: u8, content: &[u8]| [&[kind, content.len() as u8][..], content].concat();
    let macaroon = [
        vec![2],
        field(1, b"packages.acme.example"),
        field(2, random_word("pypi", 36).as_bytes()),
        vec![0, 0],
        field(6, &random("pypi", 32)),
    ]
    .concat();
    let token = URL_SAFE_NO_PAD.encode(macaroon);
    format!("[distutils]\nindex-servers =\n    acme\n\n[acme]\nusername = __token__\npassword = pypi-{token}\n").into_bytes()
}

fn dotenv() -> Vec<u8> {
    format!(
        "# production\nNODE_ENV=production\nDATABASE_URL=postgres://app:{}@db1.acme.example/app\nSESSION_SECRET={}\n",
        random_word("database", 16),
        random_word("session", 32)
    )
    .into_bytes()
}

/// A script with a source map in a data URL. The arguments are the names of its sources.
fn inline_map(names: &[&str], content: bool) -> Vec<u8> {
    let contents: Vec<Option<&str>> = names
        .iter()
        .map(|_| content.then_some("export const answer: number = 42;\n"))
        .collect();
    let map = serde_json::json!({
        "version": 3, "file": "index.js", "sources": names, "sourcesContent": contents, "names": [], "mappings": "AAAA"
    });
    let map = STANDARD.encode(map.to_string());
    format!("export const answer = 42;\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,{map}\n").into_bytes()
}

/// A packed npm package: name, licence (`-` for none), repository (`-` for none).
fn npm_tarball(arguments: &[&str]) -> Vec<u8> {
    let given = |index: usize| {
        arguments
            .get(index)
            .copied()
            .filter(|&argument| argument != "-")
    };
    let mut manifest =
        serde_json::json!({ "name": given(0).unwrap_or("sample"), "version": "1.0.0" });
    for (key, index) in [("license", 1), ("repository", 2)] {
        if let Some(value) = given(index) {
            manifest[key] = value.into();
        }
    }
    let mut tar = tar_member("package/package.json", manifest.to_string().as_bytes());
    tar.extend(tar_member("package/index.js", b"module.exports = 42;\n"));
    tar.extend([0; 1024]);
    gzip(&tar)
}

/// One regular file of a tar (POSIX.1-1988 ustar), padded to whole blocks of 512 bytes.
fn tar_member(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    let mut put = |at: usize, field: &[u8]| header[at..at + field.len()].copy_from_slice(field);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut member = [&header[..], content].concat();
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

/// Gzip with stored blocks (RFC 1951, 3.2.4; RFC 1952).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut stream = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend((block.len() as u16).to_le_bytes());
        stream.extend((!(block.len() as u16)).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(crc32fast::hash(bytes).to_le_bytes());
    stream.extend((bytes.len() as u32).to_le_bytes());
    stream
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::rules::ExampleFile;

    fn file(text: Option<&str>, base64: Option<&str>, make: Option<&str>) -> ExampleFile {
        let owned = |value: Option<&str>| value.map(str::to_owned);
        ExampleFile {
            path: "a".into(),
            text: owned(text),
            base64: owned(base64),
            make: owned(make),
        }
    }

    fn files_of(file: ExampleFile) -> Result<Vec<MadeFile>, RuleError> {
        example_files(&Example {
            note: "n".into(),
            severity: None,
            organisation: None,
            files: vec![file],
        })
    }

    #[test]
    fn a_file_has_exactly_one_content() {
        assert_eq!(
            files_of(file(Some("x"), None, None)).unwrap(),
            [(b"a".to_vec(), b"x".to_vec())]
        );
        assert_eq!(
            files_of(file(None, Some("eA=="), None)).unwrap(),
            [(b"a".to_vec(), b"x".to_vec())]
        );
        assert!(matches!(
            files_of(file(None, None, None)),
            Err(RuleError::NoContent { .. })
        ));
        assert!(matches!(
            files_of(file(Some("x"), Some("eA=="), None)),
            Err(RuleError::NoContent { .. })
        ));
        assert!(matches!(
            files_of(file(None, Some("%"), None)),
            Err(RuleError::Base64 { .. })
        ));
        assert!(matches!(
            files_of(file(None, None, Some("no-such"))),
            Err(RuleError::UnknownGenerator { .. })
        ));
    }

    #[test]
    fn generators_give_the_same_bytes_each_time() {
        for (name, _) in generators() {
            let first = make(name).unwrap();
            assert!(!first.is_empty(), "{name}");
            assert_eq!(first, make(name).unwrap(), "{name}");
        }
    }
}
