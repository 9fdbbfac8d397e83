//! What can be told of a credential without a network.
//!
//! A check gets the whole text and where the match stands, and says whether the credential holds together, what it says of
//! itself (an account, an issuer, a scope: nothing that is secret), and where it begins and ends if the expression saw only
//! a part of it. A check that fails ends the matter: a token whose checksum is wrong is none.
//!
//! Sources: RFC 7515, 7517 and 7519 (tokens and keys in JSON), BIP 173 (Bech32), ISO/IEC 7812-1 annex B (cards), ISO 13616
//! (accounts), the format of tokens as their issuers publish it; for the number in an AWS key id, research notes of section
//! 4.3 (it stands in bits 1 to 40 of what is behind the prefix, in base32).

mod clouds;
mod keys;
mod passwords;
mod sums;
mod tokens;

use std::ops::Range;

use serde::Deserialize;

use super::Check;
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
    /// An address of JDBC with a password.
    Jdbc,
    /// A connection string of PostgreSQL with a password.
    Libpq,
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
            Validator::Base62Crc32 => sums::crc32(place),
            Validator::AwsKeyId => clouds::aws_key_id(place),
            Validator::Jwt => tokens::jwt(place),
            Validator::PrivateKey => keys::private_key(place),
            Validator::GcpServiceAccount => clouds::gcp(place),
            Validator::Macaroon => tokens::macaroon(place),
            Validator::AzureClientSecret => clouds::azure_client_secret(place),
            Validator::AzureSas => clouds::azure_sas(place),
            Validator::AzureIdentifiable => clouds::azure_identifiable(place),
            Validator::Atlas => clouds::atlas(place),
            Validator::Openai => clouds::openai(place),
            Validator::Slack => tokens::slack(place),
            Validator::Telegram => clouds::telegram(place),
            Validator::Discord => tokens::discord(place),
            Validator::Mailchimp => clouds::mailchimp(place),
            Validator::NewRelic => clouds::new_relic(place),
            Validator::Base64Of64 => clouds::base64_of_64(place),
            Validator::Luhn => sums::luhn(place),
            Validator::Iban => sums::iban(place),
            Validator::Bech32 => sums::bech32(place),
            Validator::Url => passwords::url(place),
            Validator::ConnectionString => passwords::connection_string(place),
            Validator::Jdbc => passwords::jdbc(place),
            Validator::Libpq => passwords::libpq(place),
            Validator::BasicAuth => passwords::basic_auth(place),
            Validator::Jwk => keys::jwk(place),
            Validator::Credential => passwords::credential(place),
            Validator::KeyMaterial => passwords::key_material(place),
        }
    }
}
