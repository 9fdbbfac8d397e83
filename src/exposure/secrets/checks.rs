//! What can be told of a credential without a network.
//!
//! A check gets the whole text and where the match stands, and says whether the credential holds together, what it says of
//! itself (an account, an issuer, a scope: nothing that is secret), and where it begins and ends if the expression saw only
//! a part of it. A check that fails ends the matter: a token whose checksum is wrong is none.
//!
//! Sources: RFC 7515, 7517 and 7519 (tokens and keys in JSON), BIP 173 (Bech32), ISO/IEC 7812-1 annex B (cards), ISO 13616
//! (accounts), the format of tokens as their issuers publish it; for the number in an AWS key id, research notes of section
//! 4.3 (it stands in bits 1 to 40 of what is behind the prefix, in base32).

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;
use serde::Deserialize;

use super::super::key;
use super::super::registry::base62_crc32;
use super::super::shown;
use super::super::values::{entropy, is_credential, is_placeholder};
use super::Check;
use crate::exposure::rules::Rules;
use crate::record::Severity;

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
    /// The secret of an application of Azure AD: three characters stand before.
    AzureClientSecret,
    /// A shared access signature with its version.
    AzureSas,
    /// A key of Azure with the mark of a service in it.
    AzureIdentifiable,
    /// A token of Terraform Cloud: fourteen characters stand before.
    Atlas,
    /// A key of OpenAI, of which the mark in its middle was seen.
    Openai,
    /// A token of Slack, which holds the number of its workspace.
    Slack,
    /// A bot's number, then its secret.
    Telegram,
    /// The id of a bot in Base64, a time, and a signature.
    Discord,
    /// Thirty-two digits stand before the number of a data centre.
    Mailchimp,
    /// A licence key of New Relic, whose end was seen.
    NewRelic,
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
    /// `user:password` in Base64.
    BasicAuth,
    /// A JSON Web Key with its private part (RFC 7517).
    Jwk,
    /// The name says that the value is a credential, and it looks like one.
    Credential,
    /// As long as a key, a code of authentication or a first block is, beside a name that says so.
    KeyMaterial,
}

/// What a check says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// How much could be checked.
    pub check: Check,
    /// What the credential says of itself.
    pub detail: Option<String>,
    /// How bad it is, where that differs from the rule.
    pub severity: Option<Severity>,
    /// Where the secret stands, where the expression saw only a part of it.
    pub span: Option<Range<usize>>,
    /// What is to be shown of it, where the check knows better.
    pub shown: Option<String>,
}

impl Verdict {
    /// Nothing was checked.
    pub(super) fn unchecked() -> Self {
        Self::of(Check::Unchecked)
    }

    fn of(check: Check) -> Self {
        Self {
            check,
            detail: None,
            severity: None,
            span: None,
            shown: None,
        }
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    fn span(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    fn shown(mut self, shown: impl Into<String>) -> Self {
        self.shown = Some(shown.into());
        self
    }
}

/// Where a match stands.
#[derive(Debug, Clone)]
pub struct Place<'t> {
    /// The whole text.
    pub text: &'t [u8],
    /// The match.
    pub whole: Range<usize>,
    /// What is secret in it.
    pub value: Range<usize>,
}

impl<'t> Place<'t> {
    fn bytes(&self) -> &'t [u8] {
        self.text.get(self.value.clone()).unwrap_or_default()
    }

    fn str(&self) -> Option<&'t str> {
        std::str::from_utf8(self.bytes()).ok()
    }

    /// So many bytes round the match.
    fn around(&self, before: usize, behind: usize) -> (usize, &'t [u8]) {
        let start = self.whole.start.saturating_sub(before);
        let end = self.text.len().min(self.whole.end.saturating_add(behind));
        (start, self.text.get(start..end).unwrap_or_default())
    }

    /// Where a run of so many bytes begins that ends where the match begins, with none of its kind before it.
    fn run_before(&self, len: Range<usize>, is_part: impl Fn(u8) -> bool) -> Option<usize> {
        let before = self.text.get(..self.whole.start)?;
        let run = before
            .iter()
            .rev()
            .take(len.end)
            .take_while(|&&byte| is_part(byte))
            .count();
        len.contains(&run).then(|| self.whole.start - run)
    }
}

const STRUCTURE: Check = Check::StructureOk;

impl Validator {
    /// Runs the check; `None` where it fails.
    pub fn run(self, place: &Place<'_>) -> Option<Verdict> {
        match self {
            Validator::Base62Crc32 => crc32(place),
            Validator::AwsKeyId => aws_key_id(place),
            Validator::Jwt => jwt(place),
            Validator::PrivateKey => private_key(place),
            Validator::GcpServiceAccount => gcp(place),
            Validator::Macaroon => macaroon(place),
            Validator::AzureClientSecret => azure_client_secret(place),
            Validator::AzureSas => azure_sas(place),
            Validator::AzureIdentifiable => azure_identifiable(place),
            Validator::Atlas => atlas(place),
            Validator::Openai => openai(place),
            Validator::Slack => slack(place),
            Validator::Telegram => telegram(place),
            Validator::Discord => discord(place),
            Validator::Mailchimp => mailchimp(place),
            Validator::NewRelic => new_relic(place),
            Validator::Base64Of64 => base64_of_64(place),
            Validator::Luhn => luhn(place),
            Validator::Iban => iban(place),
            Validator::Bech32 => bech32(place),
            Validator::Url => url(place),
            Validator::ConnectionString => connection_string(place),
            Validator::BasicAuth => basic_auth(place),
            Validator::Jwk => jwk(place),
            Validator::Credential => credential(place),
            Validator::KeyMaterial => key_material(place),
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Checksums

/// `ghp_` or `npm_`, thirty characters, and their checksum in six.
fn crc32(place: &Place<'_>) -> Option<Verdict> {
    let text = place.str()?;
    let (_, rest) = text.split_once('_')?;
    let (body, sum) = rest.split_at_checked(30)?;
    (base62_crc32(body) == sum).then(|| Verdict::of(Check::ChecksumOk))
}

/// The polynomial of Bech32 over its values; 1 for a right checksum.
fn bech32(place: &Place<'_>) -> Option<Verdict> {
    const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let text = place.bytes().to_ascii_lowercase();
    let split = memchr::memrchr(b'1', &text)?;
    let (name, data) = (text.get(..split)?, text.get(split + 1..)?);
    let mut sum = 1_u32;
    let mut take = |value: u32| {
        let top = sum >> 25;
        sum = (sum & 0x1ff_ffff) << 5 ^ value;
        for (bit, generator) in GENERATOR.iter().enumerate() {
            if top >> bit & 1 == 1 {
                sum ^= generator;
            }
        }
    };
    name.iter().for_each(|byte| take(u32::from(byte >> 5)));
    take(0);
    name.iter().for_each(|byte| take(u32::from(byte & 31)));
    for byte in data {
        take(DIGITS.iter().position(|digit| digit == byte)? as u32);
    }
    (sum == 1).then(|| Verdict::of(Check::ChecksumOk))
}

fn digits_of(bytes: &[u8]) -> Vec<u32> {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit());
    digits.map(|byte| u32::from(byte - b'0')).collect()
}

fn luhn(place: &Place<'_>) -> Option<Verdict> {
    let digits = digits_of(place.bytes());
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match at % 2 {
            0 => digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    let different = (0..10).filter(|digit| digits.contains(digit)).count();
    (matches!(digits.len(), 13..=19) && sum % 10 == 0 && different > 4)
        .then(|| Verdict::of(Check::ChecksumOk))
}

/// The first four characters go behind, letters count from 10, and the rest by 97 is 1.
fn iban(place: &Place<'_>) -> Option<Verdict> {
    let text: Vec<u8> = place
        .bytes()
        .iter()
        .copied()
        .filter(|byte| *byte != b' ')
        .collect();
    let (front, rest) = text.split_at_checked(4)?;
    let mut remainder = 0_u32;
    for &byte in rest.iter().chain(front) {
        let value = (byte as char).to_digit(36)?;
        remainder = match value {
            0..=9 => remainder * 10 + value,
            _ => remainder * 100 + value,
        } % 97;
    }
    (remainder == 1 && text.len() >= 15)
        .then(|| Verdict::of(Check::ChecksumOk).detail(shown(&text[..2])))
}

// ---------------------------------------------------------------------------------------------------------------
// Clouds

fn aws_key_id(place: &Place<'_>) -> Option<Verdict> {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let id = place.bytes();
    // Ten digits of base32 are fifty bits; the first forty-eight hold the number.
    let bits = id.get(4..14)?.iter().try_fold(0_u64, |bits, byte| {
        let digit = DIGITS.iter().position(|digit| digit == byte)?;
        Some(bits << 5 | digit as u64)
    })? >> 2;
    let account = (bits & 0x7fff_ffff_ff80) >> 7;
    let temporary = if id.starts_with(b"ASIA") {
        ", temporary"
    } else {
        ""
    };
    // Ids of the old kind hold no number: their fifth character is below Q.
    let detail = match bits >> 47 {
        1 if account < 1_000_000_000_000 => format!("account {account:012}{temporary}"),
        _ => format!("of the old kind, without the number of its account{temporary}"),
    };
    Some(Verdict::of(STRUCTURE).detail(detail))
}

/// A JSON string's value behind its key, escaped or not, without what would need unescaping.
fn json_string<'t>(text: &'t [u8], key: &str) -> Option<&'t [u8]> {
    let at = memmem::find(text, key.as_bytes())? + key.len();
    let rest = text.get(at..)?;
    let skip = |bytes: &'t [u8], marks: &[u8]| {
        let len = bytes.iter().take_while(|byte| marks.contains(byte)).count();
        &bytes[len..]
    };
    let rest = skip(rest, b"\\\"");
    let rest = skip(rest, b" \t\r\n");
    let rest = rest.strip_prefix(b":")?;
    let rest = skip(skip(rest, b" \t\r\n"), b"\\\"");
    let end = memchr::memchr2(b'"', b'\\', rest)?;
    Some(&rest[..end])
}

/// The address and the project stand beside the key's id, and the key itself holds together.
fn gcp(place: &Place<'_>) -> Option<Verdict> {
    /// The file takes less; bytes.
    const FILE_BYTES: usize = 8192;
    let (start, around) = place.around(FILE_BYTES, FILE_BYTES);
    memmem::find(around, b"service_account")?;
    let email = json_string(around, "client_email")?;
    let armour = memmem::find_iter(around, key::PEM_LABEL_END);
    let key = armour
        .take(8)
        .find_map(|at| key::pem_key_at(place.text, start + at))?;
    let detail = format!("{}, {}", shown(email), key.algorithm.as_str());
    Some(Verdict::of(STRUCTURE).detail(detail))
}

fn base64_of_64(place: &Place<'_>) -> Option<Verdict> {
    let key = STANDARD.decode(place.bytes()).ok()?;
    let (_, around) = place.around(300, 0);
    let account = memmem::rfind(around, b"AccountName=").map(|at| {
        let name = &around[at + 12..];
        let len = name
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        shown(&name[..len])
    });
    let verdict = Verdict::of(STRUCTURE);
    (key.len() == 64).then(|| match account {
        Some(account) => verdict.detail(format!("account {account}")),
        None => verdict,
    })
}

fn azure_client_secret(place: &Place<'_>) -> Option<Verdict> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_~.".contains(&byte);
    let start = place.run_before(3..4, is_part)?;
    Some(Verdict::of(STRUCTURE).span(start..place.value.end))
}

/// A version and what may be done stand among the parameters.
fn azure_sas(place: &Place<'_>) -> Option<Verdict> {
    let (_, around) = place.around(600, 300);
    let value = |key: &[u8]| {
        let at = memmem::rfind(around, key)? + key.len();
        let rest = &around[at..];
        let len = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"-%:".contains(byte))
            .count();
        Some(shown(&rest[..len.min(40)]))
    };
    let version = value(b"sv=")?;
    let detail = match (value(b"sp="), value(b"se=")) {
        (Some(rights), Some(end)) => format!("rights {rights}, until {end}, version {version}"),
        (Some(rights), None) => format!("rights {rights}, version {version}"),
        _ => format!("version {version}"),
    };
    version
        .starts_with("20")
        .then(|| Verdict::of(STRUCTURE).detail(detail))
}

/// The mark stands behind 52 characters in keys of 84, behind 76 in others.
fn azure_identifiable(place: &Place<'_>) -> Option<Verdict> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let start = place.run_before(32..77, is_part)?;
    let len = place.value.end - start;
    matches!(len, 44 | 56 | 84 | 86 | 88)
        .then(|| Verdict::of(STRUCTURE).span(start..place.value.end))
}

// ---------------------------------------------------------------------------------------------------------------
// Tokens whose mark is not at their beginning

fn atlas(place: &Place<'_>) -> Option<Verdict> {
    let start = place.run_before(14..15, |byte| byte.is_ascii_alphanumeric())?;
    Some(Verdict::of(STRUCTURE).span(start..place.value.end))
}

fn openai(place: &Place<'_>) -> Option<Verdict> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let start = place.run_before(20..120, is_part)?;
    let before = place.text.get(start..place.whole.start)?;
    let kind = match before {
        [b's', b'k', b'-', b'p', b'r', b'o', b'j', b'-', ..] => "of a project",
        [
            b's',
            b'k',
            b'-',
            b's',
            b'v',
            b'c',
            b'a',
            b'c',
            b'c',
            b't',
            b'-',
            ..,
        ] => "of a service account",
        [b's', b'k', b'-', b'a', b'd', b'm', b'i', b'n', b'-', ..] => "of an administrator",
        [b's', b'k', b'-', ..] => "of a user",
        _ => return None,
    };
    Some(
        Verdict::of(STRUCTURE)
            .detail(kind)
            .span(start..place.value.end),
    )
}

fn telegram(place: &Place<'_>) -> Option<Verdict> {
    let start = place.run_before(8..11, |byte| byte.is_ascii_digit())?;
    let before = start.checked_sub(1).and_then(|at| place.text.get(at));
    let is_word = before
        .is_some_and(|byte| byte.is_ascii_alphanumeric() && !place.text[..start].ends_with(b"bot"));
    let id = place.text.get(start..place.whole.start)?;
    let secret = place.value.start + 1..place.value.end;
    let shown_id = format!("{}:…", shown(id));
    (!is_word).then(|| {
        Verdict::of(STRUCTURE)
            .detail(format!("bot {}", shown(id)))
            .span(start..secret.end)
            .shown(shown_id)
    })
}

fn mailchimp(place: &Place<'_>) -> Option<Verdict> {
    let start = place.run_before(32..33, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))?;
    Some(Verdict::of(STRUCTURE).span(start..place.value.end))
}

fn new_relic(place: &Place<'_>) -> Option<Verdict> {
    let start = place.run_before(36..37, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))?;
    Some(Verdict::of(STRUCTURE).span(start..place.value.end))
}

// ---------------------------------------------------------------------------------------------------------------
// Tokens that say something of themselves

fn slack(place: &Place<'_>) -> Option<Verdict> {
    let text = place.str()?;
    let kind = match text.get(..5)? {
        "xoxb-" => "bot",
        "xoxp-" => "user",
        "xoxa-" => "workspace",
        "xoxr-" => "refresh",
        "xoxe-" | "xoxe." => "rotated",
        _ => "legacy",
    };
    let workspace = text
        .split('-')
        .find(|part| part.len() >= 9 && part.bytes().all(|byte| byte.is_ascii_digit()));
    let detail = workspace.map_or(kind.to_owned(), |number| {
        format!("{kind}, workspace number {number}")
    });
    Some(Verdict::of(STRUCTURE).detail(detail))
}

/// The first part is the bot's id in Base64; an id holds the milliseconds since 2015 above its 22 low bits.
fn discord(place: &Place<'_>) -> Option<Verdict> {
    let text = place.str()?;
    let first = text.split('.').next()?;
    let id = STANDARD_NO_PAD
        .decode(first)
        .or_else(|_| URL_SAFE_NO_PAD.decode(first))
        .ok()?;
    let id: u64 = std::str::from_utf8(&id).ok()?.parse().ok()?;
    let seconds = (id >> 22) / 1000 + 1_420_070_400;
    let made = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))?;
    let made = humantime::format_rfc3339_seconds(made).to_string();
    let day = made.get(..10)?;
    (id >> 22 != 0).then(|| Verdict::of(STRUCTURE).detail(format!("bot {id}, made on {day}")))
}

/// Version 2 of the binary form; its location is said.
fn macaroon(place: &Place<'_>) -> Option<Verdict> {
    let bytes = place.bytes();
    let bytes = bytes.strip_prefix(b"pypi-").unwrap_or(bytes);
    let bytes = URL_SAFE_NO_PAD.decode(bytes).ok()?;
    let (version, mut rest) = bytes.split_first()?;
    let (mut location, mut caveats, mut scope) = (None, 0, "of a user");
    // Kinds: 0 end, 1 location, 2 identifier, 4 verification, 6 signature; lengths are numbers of seven bits a byte.
    let mut signature = None;
    while let Some((&kind, tail)) = rest.split_first() {
        if kind == 0 {
            rest = tail;
            continue;
        }
        let (len, tail) = packed_len(tail)?;
        let field = tail.get(..len)?;
        rest = &tail[len..];
        match kind {
            1 => location = Some(field),
            2 => {
                caveats += 1;
                if memmem::find(field, b"projects").is_some()
                    || field.starts_with(b"[1,")
                    || field.starts_with(b"[2,")
                {
                    scope = "limited to projects";
                }
            }
            4 => {}
            6 => signature = Some(field.len()),
            _ => return None,
        }
    }
    let detail = format!("{scope}, for {}", shown(location.unwrap_or_default()));
    (*version == 2 && caveats > 0 && signature == Some(32))
        .then(|| Verdict::of(STRUCTURE).detail(detail))
}

/// A number in groups of seven bits, the lowest first, and what is behind it.
fn packed_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut len = 0_usize;
    for (at, &byte) in bytes.iter().take(3).enumerate() {
        len |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((len, &bytes[at + 1..]));
        }
    }
    None
}

fn jwt(place: &Place<'_>) -> Option<Verdict> {
    let text = place.str()?;
    let mut parts = text.split('.');
    let mut json = || -> Option<serde_json::Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()
    };
    let (head, claims) = (json()?, json()?);
    let algorithm = head.get("alg")?.as_str()?.to_owned();
    let said = |key: &str| {
        let value = claims.get(key)?;
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        (!text.is_empty()).then(|| shown(text.get(..80).unwrap_or(&text).as_bytes()))
    };
    // What the form's own introduction signs, and its likes, is nobody's.
    let is_sample = said("name").is_some_and(|name| name == "John Doe")
        || said("sub").is_some_and(|sub| sub == "1234567890");
    if is_sample {
        return None;
    }
    let mut words = vec![shown(algorithm.as_bytes())];
    words.extend(said("iss").map(|iss| format!("issuer {iss}")));
    words.extend(said("role").map(|role| format!("role {role}")));
    words.extend(
        claims
            .get("exp")
            .and_then(serde_json::Value::as_u64)
            .map(until)
            .or(Some("does not expire".into())),
    );
    let severity = match said("role").as_deref() {
        Some("service_role") => Some(Severity::Critical),
        Some("anon") => Some(Severity::Info),
        _ if algorithm == "none" => Some(Severity::Low),
        _ => None,
    };
    let tail = text.get(text.len().saturating_sub(4)..)?;
    let verdict = Verdict::of(STRUCTURE)
        .detail(words.join(", "))
        .shown(format!("{} …{tail}", words[0]));
    Some(match severity {
        Some(severity) => verdict.severity(severity),
        None => verdict,
    })
}

/// `until` and the day.
fn until(seconds: u64) -> String {
    let time = std::time::UNIX_EPOCH
        .checked_add(std::time::Duration::from_secs(seconds.min(253_402_300_799)));
    let time = time
        .map(|time| humantime::format_rfc3339_seconds(time).to_string())
        .unwrap_or_default();
    format!("expires {}", time.get(..10).unwrap_or("never"))
}

// ---------------------------------------------------------------------------------------------------------------
// Keys

fn private_key(place: &Place<'_>) -> Option<Verdict> {
    let at = place.whole.start;
    let key = match place.bytes() {
        bytes if bytes.starts_with(b"PuTTY") => key::putty_key_at(place.text, at)?,
        _ => key::pem_key_at(place.text, at)?,
    };
    // From the first line's dashes on, to those of the last.
    let line = at.saturating_sub(40);
    let start =
        memmem::rfind(place.text.get(line..at)?, b"-----BEGIN").map_or(at, |back| line + back);
    let rest = place.text.get(place.whole.end..)?;
    let end = place.whole.end
        + memmem::find(rest, b"-----END")
            .unwrap_or(rest.len())
            .min(64 << 10);
    let locked = if key.encrypted {
        ", with a passphrase"
    } else {
        ""
    };
    let name = format!("{} {}{locked}", key.format.as_str(), key.algorithm.as_str());
    let verdict = Verdict::of(STRUCTURE)
        .detail(name.clone())
        .shown(name)
        .span(start..end);
    Some(if key.encrypted {
        verdict.severity(Severity::Medium)
    } else {
        verdict
    })
}

/// The object that holds the key's type, and in it the private part.
fn jwk(place: &Place<'_>) -> Option<Verdict> {
    /// Bytes of the largest object that is looked at.
    const OBJECT_BYTES: usize = 8192;
    let before = place.text.get(..place.whole.start)?;
    let window = place.whole.start.saturating_sub(OBJECT_BYTES);
    let open = window + memchr::memrchr2(b'{', b'}', &before[window..])?;
    let rest = place
        .text
        .get(open..place.text.len().min(open + OBJECT_BYTES))?;
    let object = &rest[..memchr::memchr(b'}', rest)? + 1];
    let kind = json_string(object, "\"kty").or_else(|| json_string(object, "kty"))?;
    let part: &[u8] = if kind == b"oct" { b"\"k" } else { b"\"d" };
    let part = memmem::find_iter(object, part).find_map(|at| {
        let name = std::str::from_utf8(&object[at..at + 2]).ok()?;
        matches!(object.get(at + 2), Some(b'"' | b'\\'))
            .then(|| json_string(&object[at..], name))?
    })?;
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    let curve = json_string(object, "\"crv")
        .map(|curve| format!(" {}", shown(curve)))
        .unwrap_or_default();
    let name = format!("{}{curve}, {} bits", shown(kind), bytes.len() * 8);
    let start = open + (part.as_ptr() as usize).checked_sub(object.as_ptr() as usize)?;
    let is_key = bytes.len() >= 16 && entropy(&bytes) > 3.0;
    is_key.then(|| {
        Verdict::of(STRUCTURE)
            .detail(name.clone())
            .shown(name)
            .span(start..start + part.len())
    })
}

// ---------------------------------------------------------------------------------------------------------------
// Passwords

/// Machines that are this one, or nobody's.
fn is_nobodys(host: &str) -> bool {
    let host = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|b| b.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    matches!(
        host.as_str(),
        "localhost"
            | "127.0.0.1"
            | "0.0.0.0"
            | "::1"
            | "host"
            | "hostname"
            | "server"
            | "domain"
            | "foo"
            | "bar"
            | "example"
            | "test"
    ) || host.starts_with("example.")
        || host.ends_with(".test")
        || host.ends_with(".invalid")
        || host.ends_with("docker.internal")
        || host.contains("example.com")
        || host.contains("example.org")
        || host.contains("example.net")
        || host.contains("mydomain")
        || host.contains("yourdomain")
}

fn url(place: &Place<'_>) -> Option<Verdict> {
    let words = Rules::builtin().words();
    let whole = std::str::from_utf8(place.text.get(place.whole.clone())?).ok()?;
    let password = place.str()?;
    let before = place.text.get(..place.whole.start)?;
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
    let len = before
        .iter()
        .rev()
        .take(32)
        .take_while(|byte| is_scheme(**byte))
        .count();
    let scheme = std::str::from_utf8(&before[before.len() - len..])
        .ok()?
        .to_ascii_lowercase();
    let scheme = scheme
        .trim_start_matches(|c: char| !c.is_ascii_alphabetic())
        .to_owned();
    let (user, host) = whole.split_once("://")?.1.rsplit_once('@')?;
    let user = user.split(':').next()?;
    let lower = password.to_ascii_lowercase();
    let is_word = lower == user.to_ascii_lowercase()
        || lower.contains("pass")
        || lower.contains("pwd")
        || lower.contains("secret")
        || lower.contains("token");
    if is_placeholder(password, words)
        || is_word
        || is_nobodys(host)
        || user.contains(['$', '%']) && user.len() < 3
    {
        return None;
    }
    // A port and a path with `@` in it: `host:8080` is none of ours, since `/` may not stand in a password.
    if password.bytes().all(|byte| byte.is_ascii_digit()) && password.len() < 6
        || password.starts_with(['$', '%', '<', '{'])
    {
        return None;
    }
    let is_database = [
        "postgres",
        "postgresql",
        "mysql",
        "mariadb",
        "mongodb",
        "redis",
        "rediss",
        "amqp",
        "amqps",
        "mssql",
        "sqlserver",
        "clickhouse",
        "cockroachdb",
        "oracle",
        "snowflake",
        "neo4j",
        "bolt",
        "cassandra",
        "couchbase",
        "nats",
    ]
    .iter()
    .any(|name| scheme == *name || scheme.starts_with(&format!("{name}+")));
    let shown_url = format!(
        "{}://{}:***@{}",
        shown(scheme.as_bytes()),
        shown(user.as_bytes()),
        shown(host.as_bytes())
    );
    let verdict = Verdict::of(STRUCTURE)
        .detail(if is_database {
            "a database or a queue"
        } else {
            "a service"
        })
        .shown(shown_url);
    Some(if is_database {
        verdict
    } else {
        verdict.severity(Severity::Medium)
    })
}

/// A machine or a user is named in the same string.
fn connection_string(place: &Place<'_>) -> Option<Verdict> {
    let words = Rules::builtin().words();
    let password = place.str()?;
    let (_, around) = place.around(300, 200);
    let around = around.to_ascii_lowercase();
    let has = |key: &[u8]| memmem::find(&around, key).is_some();
    let is_one = [
        &b"server="[..],
        b"data source=",
        b"host=",
        b"database=",
        b"initial catalog=",
        b"addr=",
    ]
    .iter()
    .any(|key| has(key))
        && [&b"user id="[..], b"uid=", b"user=", b"username="]
            .iter()
            .any(|key| has(key));
    let lower = password.to_ascii_lowercase();
    let is_word = is_placeholder(password, words)
        || lower.contains("password")
        || has(b"server=localhost")
        || has(b"host=localhost")
        || has(b"data source=localhost");
    let server = [&b"server="[..], b"data source=", b"host="]
        .iter()
        .find_map(|key| {
            let at = memmem::find(&around, key)? + key.len();
            let len = around[at..]
                .iter()
                .take_while(|byte| !b";\"' \n".contains(byte))
                .count();
            Some(shown(&around[at..at + len]))
        })
        .unwrap_or_default();
    (is_one && !is_word).then(|| Verdict::of(STRUCTURE).shown(format!("{server}, password ***")))
}

fn basic_auth(place: &Place<'_>) -> Option<Verdict> {
    let words = Rules::builtin().words();
    let text = place.bytes();
    let bytes = STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    let is_plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let lower = password.to_ascii_lowercase();
    let is_word = is_placeholder(password, words)
        || lower.contains("pass")
        || lower.contains("secret")
        || lower == user.to_ascii_lowercase();
    // The sample of the standard (RFC 7617, section 2) and its likes are words for people.
    let is_sample = matches!(lower.as_str(), "open sesame" | "opensesame")
        || password.len() < 6
        || entropy(password.as_bytes()) < 2.5;
    (is_plain && !is_word && !is_sample)
        .then(|| Verdict::of(STRUCTURE).shown(format!("{}:***", shown(user.as_bytes()))))
}

/// The whole name of which the match saw a part, in small letters with `_` between its words.
fn name_of(place: &Place<'_>) -> String {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
    let before = place.text.get(..place.whole.start).unwrap_or_default();
    let start = place.whole.start
        - before
            .iter()
            .rev()
            .take(64)
            .take_while(|byte| is_part(byte))
            .count();
    let rest = place.text.get(start..place.value.start).unwrap_or_default();
    let name = &rest[..rest.iter().take_while(|byte| is_part(byte)).count()];
    let mut words = String::new();
    for (at, &byte) in name.iter().enumerate() {
        let begins = byte.is_ascii_uppercase() && at > 0 && name[at - 1].is_ascii_lowercase();
        if begins || byte == b'-' {
            words.push('_');
        }
        if byte != b'-' {
            words.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    words
}

fn credential(place: &Place<'_>) -> Option<Verdict> {
    let words = Rules::builtin().words();
    let value = place.str()?;
    let name = name_of(place);
    let has = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
    // One word, or several, are a label or a name; a password for people has digits or marks in it.
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let is_code = value.bytes().any(|byte| b" (){}<>;,\\".contains(&byte))
        || value.starts_with(['/', '.', '#', '@', '$']);
    let is_path = value.matches('/').count() > 2 || value.contains("://");
    let is_live = is_mixed
        && !is_code
        && !is_path
        && is_credential(&name, value, words)
        && entropy(value.as_bytes()) >= 2.6;
    is_live.then(|| {
        Verdict::of(Check::Unchecked).detail(format!("beside `{}`", shown(name.as_bytes())))
    })
}

/// Sixteen, twenty-four, thirty-two or sixty-four bytes, in hexadecimal or Base64.
fn key_material(place: &Place<'_>) -> Option<Verdict> {
    let text = place.bytes();
    let is_hex = text.len() % 2 == 0 && text.iter().all(u8::is_ascii_hexdigit);
    let len = if is_hex {
        text.len() / 2
    } else {
        STANDARD
            .decode(text)
            .or_else(|_| STANDARD_NO_PAD.decode(text))
            .ok()?
            .len()
    };
    let name = name_of(place);
    let is_word = is_placeholder(place.str()?, Rules::builtin().words()) || name.contains("public");
    let is_key = matches!(len, 16 | 24 | 32 | 64) && !is_word && entropy(text) >= 3.0;
    is_key.then(|| {
        Verdict::of(STRUCTURE).detail(format!("{len} bytes beside `{}`", shown(name.as_bytes())))
    })
}
