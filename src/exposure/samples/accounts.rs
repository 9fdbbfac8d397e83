//! Inputs of the rules about accounts, version control and what people and their tools leave behind.
//!
//! Most of those are texts, which the rule file writes down itself; `filled` puts what looks live into them. The rest are
//! forms of bytes, each as short as a strict reader lets it be.

use super::{Generator, STANDARD, integer, random, random_word, ssh_string, tlv, wrapped};
use base64::Engine as _;

use crate::exposure::bech32;

pub(super) const GENERATORS: &[Generator] = &[
    ("filled", |words| filled(&words.join(" ")).into_bytes()),
    ("openpgp", |words| {
        armoured(
            &openpgp(words.first().copied().unwrap_or("plain")),
            words.first() == Some(&"public"),
        )
    }),
    ("openpgp-packets", |words| {
        openpgp(words.first().copied().unwrap_or("plain"))
    }),
    ("pkcs12", |words| {
        pkcs12(words.first().copied().unwrap_or("key"))
    }),
    ("jks", |words| jks(words.first() == Some(&"key"))),
    ("bks", |words| bks(words.first() == Some(&"key"))),
    ("age-identity", |_| age_identity()),
    ("keytab", |_| {
        [&[5, 2, 0, 0, 0, 40][..], &random("keytab", 40)].concat()
    }),
    ("known-hosts", |hosts| known_hosts(hosts)),
    ("ds-store", |names| ds_store(names)),
    ("vim-swap", |names| {
        vim_swap(names.first().copied().unwrap_or("notes.txt"))
    }),
    ("svn-database", |_| {
        let schema = "CREATE TABLE REPOSITORY (id INTEGER) CREATE TABLE WCROOT (id INTEGER)";
        [&b"SQLite format 3\0"[..], &[0; 84], schema.as_bytes()].concat()
    }),
    ("other-database", |_| {
        [
            &b"SQLite format 3\0"[..],
            &[0; 84],
            b"CREATE TABLE notes (id INTEGER)",
        ]
        .concat()
    }),
    ("git-index", |_| {
        [&b"DIRC\0\0\0\x02\0\0\0\x01"[..], &random("index", 80)].concat()
    }),
    ("git-crypt", |_| {
        [&b"\0GITCRYPT\0"[..], &random("git-crypt", 60)].concat()
    }),
    ("photo", |words| photo(words.first() == Some(&"placed"))),
];

/// Puts something that looks live in for `{word:N}`, `{base64:N}` (bytes), `{hex:N}` (digits) and `{encoded:TEXT}`.
fn filled(template: &str) -> String {
    let template = if template.is_empty() {
        "{word:8}"
    } else {
        template
    };
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let made = behind.split_once('}').and_then(|(inside, after)| {
            let (kind, argument) = inside.split_once(':')?;
            let size = argument.parse().unwrap_or(0_usize);
            let purpose = format!("{template}{}", out.len());
            let made = match kind {
                "word" => random_word(&purpose, size),
                "base64" => STANDARD.encode(random(&purpose, size)),
                "hex" => random(&purpose, size)
                    .iter()
                    .map(|byte| format!("{:x}", byte & 15))
                    .collect(),
                "encoded" => STANDARD.encode(filled(argument)),
                _ => return None,
            };
            Some((made, after))
        });
        match made {
            Some((made, after)) => {
                out.push_str(&made);
                rest = after;
            }
            None => {
                out.push('{');
                rest = behind;
            }
        }
    }
    out + rest
}

/// A key packet of version 4 with an Edwards curve, and a user's name: `plain`, `encrypted`, `stub` or `public`.
fn openpgp(kind: &str) -> Vec<u8> {
    // 1.3.6.1.4.1.11591.15.1, and a point with its prefix.
    let curve = b"\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01";
    let point = [&[0x01, 0x07, 0x40][..], &random("openpgp point", 32)].concat();
    let public = [&[4, 0x60, 0, 0, 0, 22][..], curve, &point].concat();
    let secret = match kind {
        "public" => Vec::new(),
        "encrypted" => [
            &[254, 9, 3, 8][..],
            &random("openpgp", 9),
            &random("openpgp cipher", 68),
        ]
        .concat(),
        "stub" => [&[254, 0, 101, 0][..], b"GNU\x01"].concat(),
        _ => [
            &[0, 1, 0][..],
            &[0x80],
            &random("openpgp secret", 31),
            &[1, 2],
        ]
        .concat(),
    };
    let tag = if kind == "public" { 0x98 } else { 0x94 };
    let body = [public, secret].concat();
    let name = b"Sample <sample@acme.example>";
    [
        &[tag, body.len() as u8][..],
        &body,
        &[0xb4, name.len() as u8],
        name,
    ]
    .concat()
}

fn armoured(packets: &[u8], is_public: bool) -> Vec<u8> {
    let label = if is_public { "PUBLIC" } else { "PRIVATE" };
    format!(
        "-----BEGIN PGP {label} KEY BLOCK-----\nComment: sample\n\n{}=abcd\n-----END PGP {label} KEY BLOCK-----\n",
        wrapped(packets)
    )
    .into_bytes()
}

const OID_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const OID_ENCRYPTED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";

/// PKCS#12 with a shrouded key (`key`), with a certificate in clear (`certificate`), or sealed as a whole.
fn pkcs12(kind: &str) -> Vec<u8> {
    let bag = |last: u8| {
        let id = [
            b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01".as_slice(),
            &[last],
        ]
        .concat();
        tlv(0x30, &[id, tlv(0xa0, &random("bag", 120))].concat())
    };
    let content = match kind {
        "key" => tlv(
            0x30,
            &[
                OID_DATA.to_vec(),
                tlv(0xa0, &tlv(0x04, &tlv(0x30, &bag(2)))),
            ]
            .concat(),
        ),
        "certificate" => tlv(
            0x30,
            &[
                OID_DATA.to_vec(),
                tlv(0xa0, &tlv(0x04, &tlv(0x30, &bag(3)))),
            ]
            .concat(),
        ),
        _ => tlv(
            0x30,
            &[OID_ENCRYPTED.to_vec(), tlv(0xa0, &random("sealed", 150))].concat(),
        ),
    };
    let safe = tlv(
        0x30,
        &[
            OID_DATA.to_vec(),
            tlv(0xa0, &tlv(0x04, &tlv(0x30, &content))),
        ]
        .concat(),
    );
    tlv(0x30, &[integer(3), safe].concat())
}

/// A string of Java's `DataOutputStream`.
fn java_text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

fn java_bytes(bytes: &[u8]) -> Vec<u8> {
    ssh_string(bytes)
}

fn jks(with_key: bool) -> Vec<u8> {
    let certificate = [
        java_text("X.509"),
        java_bytes(&random("jks certificate", 60)),
    ]
    .concat();
    let entry = if with_key {
        let key = java_bytes(&random("jks key", 80));
        [
            vec![0, 0, 0, 1],
            java_text("signer"),
            vec![0; 8],
            key,
            vec![0, 0, 0, 1],
            certificate,
        ]
        .concat()
    } else {
        [
            vec![0, 0, 0, 2],
            java_text("authority"),
            vec![0; 8],
            certificate,
        ]
        .concat()
    };
    [
        &b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01"[..],
        &entry,
        &random("jks digest", 20),
    ]
    .concat()
}

fn bks(with_key: bool) -> Vec<u8> {
    let head = [
        vec![0, 0, 0, 2, 0, 0, 0, 20],
        random("bks salt", 20),
        vec![0, 0, 4, 0],
    ]
    .concat();
    let name = |alias: &str| [java_text(alias), vec![0; 8], vec![0; 4]].concat();
    let entry = if with_key {
        [vec![4], name("signer"), java_bytes(&random("bks key", 80))].concat()
    } else {
        [
            vec![1],
            name("authority"),
            java_text("X.509"),
            java_bytes(&random("bks certificate", 60)),
        ]
        .concat()
    };
    [head, entry, vec![0], random("bks digest", 20)].concat()
}

/// 32 bytes in Bech32 (BIP 173), in capitals.
fn age_identity() -> Vec<u8> {
    let key = bech32::written("age-secret-key-", &random("age", 32)).to_ascii_uppercase();
    format!("# created: 2024-05-01T12:00:00Z\n{key}\n").into_bytes()
}

fn public_key(purpose: &str) -> String {
    STANDARD.encode([ssh_string(b"ssh-ed25519"), ssh_string(&random(purpose, 32))].concat())
}

/// A line for each host; a line of authorised keys for `-`.
fn known_hosts(hosts: &[&str]) -> Vec<u8> {
    let line = |host: &&str| match *host {
        "-" => format!("ssh-ed25519 {} sample\n", public_key("authorised")),
        host => format!("{host} ssh-ed25519 {}\n", public_key(host)),
    };
    let hosts = if hosts.is_empty() { &["-"] } else { hosts };
    hosts.iter().map(line).collect::<String>().into_bytes()
}

/// A `.DS_Store` with one leaf, a record for each name: what file managers write, block by block.
fn ds_store(names: &[&str]) -> Vec<u8> {
    let big = |number: usize| (number as u32).to_be_bytes();
    let mut leaf = [big(0), big(names.len())].concat();
    for name in names {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        leaf.extend(
            [
                &big(units.len() / 2)[..],
                &units,
                b"Ilocblob",
                &big(16),
                &[0; 16],
            ]
            .concat(),
        );
    }
    leaf.resize(leaf.len().next_multiple_of(4096), 0);
    let header = [big(2), big(0), big(names.len()), big(1), big(4096)].concat();
    // Offsets count from behind the first four bytes: the root at 2048, the tree's head at 4096, the leaf at 8192.
    let mut root = [
        big(3),
        big(0),
        big(2048 | 11),
        big(4096 | 5),
        big(8192 | 12),
    ]
    .concat();
    root.resize(8 + 1024, 0);
    root.extend([&big(1)[..], b"\x04DSDB", &big(1)].concat());
    root.resize(2048, 0);
    let mut file = [&b"\0\0\0\x01Bud1"[..], &big(2048), &big(2048), &big(2048)].concat();
    file.resize(4 + 2048, 0);
    file.extend(root);
    file.extend(header);
    file.resize(4 + 8192, 0);
    file.extend(leaf);
    file
}

fn vim_swap(name: &str) -> Vec<u8> {
    let mut block = b"b0VIM 9.1".to_vec();
    for (at, field) in [(28, "sample"), (68, "builder"), (108, name)] {
        block.resize(at, 0);
        block.extend(field.as_bytes());
    }
    block.resize(4096, 0);
    block
}

/// The first segments of a photograph, with a place in them or without.
fn photo(placed: bool) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [
            &tag.to_be_bytes()[..],
            &kind.to_be_bytes(),
            &count.to_be_bytes(),
            &value.to_be_bytes(),
        ]
        .concat()
    };
    let fractions: Vec<u8> = [48_u32, 1, 8, 1, 30, 1]
        .iter()
        .flat_map(|number| number.to_be_bytes())
        .collect();
    let mut tiff = b"MM\0*\0\0\0\x08".to_vec();
    tiff.extend([0, 1]);
    tiff.extend(if placed {
        entry(0x8825, 4, 1, 26)
    } else {
        entry(0x0112, 3, 1, 0x0001_0000)
    });
    tiff.extend([0; 4]);
    tiff.extend([0, 2]);
    tiff.extend(entry(2, 5, 3, 56));
    tiff.extend(entry(4, 5, 3, 80));
    tiff.extend([0; 4]);
    tiff.extend(fractions.repeat(2));
    let segment = [b"Exif\0\0".to_vec(), tiff].concat();
    let length = ((segment.len() + 2) as u16).to_be_bytes();
    [&b"\xff\xd8\xff\xe1"[..], &length, &segment, b"\xff\xda"].concat()
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    #[test]
    fn templates_are_filled_and_braces_left() {
        let made = filled("{\"a\": \"{word:8}\", {b} {hex:4}{encoded:x}");
        assert!(
            made.starts_with("{\"a\": \"") && made.contains(", {b} ") && made.ends_with("eA=="),
            "{made}"
        );
        assert_eq!(
            made.len(),
            "{\"a\": \"".len() + 8 + "\", {b} ".len() + 4 + 4
        );
        assert_eq!(made, filled("{\"a\": \"{word:8}\", {b} {hex:4}{encoded:x}"));
        assert!(text(known_hosts(&["a.b", "-"])).lines().count() == 2);
    }
}
