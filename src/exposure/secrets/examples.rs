//! Examples of rules, made when they are needed, so that no file holds anything that looks live.
//!
//! `<<name argument>>` in an example stands for something that a generator makes: random text of an alphabet, a token with
//! its checksum, a whole key. The same place in the same example gives the same text each time.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::super::bech32;
use super::super::registry::base62_crc32;
use super::super::samples::{self, random};
use super::find;
use super::rule::{Rule, SecretRuleError};
use crate::exposure::inspect::Role;

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Puts what the generators make in the place of `<<…>>`.
///
/// # Errors
/// A generator that does not exist.
pub fn expand(example: &str, purpose: &str) -> Result<Vec<u8>, SecretRuleError> {
    let mut out = Vec::new();
    let mut rest = example;
    while let Some((before, behind)) = rest.split_once("<<") {
        out.extend_from_slice(before.as_bytes());
        let (spec, tail) = behind.split_once(">>").unwrap_or((behind, ""));
        let seed = format!("{purpose} {example} {}", out.len());
        let unknown = || SecretRuleError::UnknownGenerator {
            name: spec.to_owned(),
        };
        out.extend(make(spec, &seed).ok_or_else(unknown)?);
        rest = tail;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Characters of an alphabet, all of it used about equally often.
fn letters(alphabet: &[u8], seed: &str, len: usize) -> String {
    random(seed, len * 2)
        .chunks(2)
        .map(|pair| {
            let number = usize::from(pair[0]) << 8 | usize::from(pair[1]);
            char::from(alphabet[number % alphabet.len()])
        })
        .collect()
}

fn make(spec: &str, seed: &str) -> Option<Vec<u8>> {
    let (name, argument) = spec.split_once(' ').unwrap_or((spec, ""));
    let len = || argument.parse::<usize>().ok();
    let of = |alphabet: &str, len: usize| letters(alphabet.as_bytes(), seed, len);
    let lower = "abcdefghijklmnopqrstuvwxyz";
    let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let text = match name {
        "base62" => letters(BASE62, seed, len()?),
        "letters" => of(&format!("{lower}{upper}"), len()?),
        "lower" => of(&format!("{lower}0123456789"), len()?),
        "upper" => of(&format!("{upper}0123456789"), len()?),
        "digits" => of("123456789", len()?),
        "hex" => of("0123456789abcdef", len()?),
        "HEX" => of("0123456789ABCDEF", len()?),
        "base32" => of(&format!("{upper}234567"), len()?),
        "base64" => of(&format!("{upper}{lower}0123456789+/"), len()?),
        "base64url" => of(&format!("{upper}{lower}0123456789-_"), len()?),
        "bytes64" => STANDARD.encode(random(seed, len()?)),
        "bytesurl" => URL_SAFE_NO_PAD.encode(random(seed, len()?)),
        "uuid" => {
            let hex = of("0123456789abcdef", 32);
            format!(
                "{}-{}-{}-{}-{}",
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..]
            )
        }
        "crc62" => {
            let body = letters(BASE62, seed, 30);
            format!("{argument}{body}{}", base62_crc32(&body))
        }
        "jwt" => {
            let claims = r#"{"iss":"https://login.acme.example","sub":"u-4711","exp":1924992000}"#;
            jwt(claims, seed)
        }
        "jwt-sample" => jwt(r#"{"sub":"1234567890","name":"John Doe"}"#, seed),
        "jwt-service" => jwt(
            r#"{"iss":"supabase","role":"service_role","exp":1924992000}"#,
            seed,
        ),
        "pypi" => pypi(seed),
        "gcp" => gcp(seed),
        "gcp-escaped" => gcp(seed).replace('\\', "\\\\").replace('"', "\\\""),
        "discord" => {
            let id = STANDARD_NO_PAD.encode("1032645723948572614");
            format!(
                "{id}.{}.{}",
                letters(BASE62, seed, 6),
                letters(BASE62, &format!("{seed}2"), 38)
            )
        }
        "basic" => STANDARD.encode(format!("deploy:{}", letters(BASE62, seed, 14))),
        "age" => age(seed),
        "card" => card(seed),
        "iban" => iban(seed),
        "make" => return samples::make(argument).ok(),
        _ => return None,
    };
    Some(text.into_bytes())
}

fn jwt(claims: &str, seed: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.{}.{}",
        part(r#"{"alg":"HS256","typ":"JWT"}"#),
        part(claims),
        URL_SAFE_NO_PAD.encode(random(seed, 32))
    )
}

/// A macaroon in its binary form, version 2: location, identifier, end, a caveat, ends, signature.
fn pypi(seed: &str) -> String {
    let field = |kind: u8, content: &[u8]| [&[kind, content.len() as u8][..], content].concat();
    let macaroon = [
        vec![2],
        field(1, b"packages.acme.example"),
        field(2, letters(BASE62, seed, 36).as_bytes()),
        vec![0],
        field(2, b"[3,\"0f8fad5b\"]"),
        vec![0, 0],
        field(6, &random(seed, 32)),
    ];
    format!("pypi-{}", URL_SAFE_NO_PAD.encode(macaroon.concat()))
}

fn gcp(seed: &str) -> String {
    let key = samples::make("pkcs8-rsa").unwrap_or_default();
    serde_json::json!({
        "type": "service_account",
        "project_id": "acme-prod",
        "private_key_id": letters(b"0123456789abcdef", seed, 40),
        "private_key": String::from_utf8_lossy(&key),
        "client_email": "deploy@acme-prod.iam.example",
    })
    .to_string()
}

/// Bech32 of 32 bytes, in capitals (BIP 173).
fn age(seed: &str) -> String {
    bech32::written("age-secret-key-", &random(seed, 32)).to_ascii_uppercase()
}

/// The number of a card with a right last digit (ISO/IEC 7812-1, annex B).
fn card(seed: &str) -> String {
    let body = format!("4{}", letters(b"0123456789", seed, 14));
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit - b'0');
            if at % 2 == 0 {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                digit
            }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// A German account's number with right check digits (ISO 13616).
fn iban(seed: &str) -> String {
    let account = letters(b"0123456789", seed, 18);
    // D is 13 and E is 14.
    let remainder = format!("{account}131400")
        .bytes()
        .fold(0_u32, |sum, digit| {
            (sum * 10 + u32::from(digit - b'0')) % 97
        });
    format!("DE{:02}{account}", 98 - remainder)
}

/// What is wrong with the examples of a rule: those that should match and do not, and the reverse.
///
/// # Errors
/// A generator that does not exist.
pub fn failures(rule: &Rule) -> Result<Vec<String>, SecretRuleError> {
    let mut wrong = Vec::new();
    let both = rule
        .matches
        .iter()
        .map(|text| (text, true))
        .chain(rule.rejects.iter().map(|text| (text, false)));
    for (number, (text, must_match)) in both.enumerate() {
        let bytes = expand(text, &rule.id)?;
        let found = find::find(&bytes, Role::Own);
        if found.iter().any(|one| one.fact.rule == rule.id) != must_match {
            let verb = if must_match {
                "must match, and does not"
            } else {
                "must not match, and does"
            };
            wrong.push(format!(
                "{}: example {}: {verb}: {text}",
                rule.id,
                number + 1
            ));
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::super::rule::RuleSet;
    use super::*;

    #[test]
    fn every_example_of_every_rule_holds() {
        let mut wrong = Vec::new();
        for one in RuleSet::builtin().iter() {
            let rule = &one.rule;
            assert!(
                rule.matches.len() >= 2
                    || rule.matches.len() == 1 && rule.id == "openvpn-static-key",
                "{}",
                rule.id
            );
            assert!(rule.rejects.len() >= 2, "{}", rule.id);
            wrong.extend(failures(rule).unwrap());
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn an_unknown_generator_is_an_error() {
        assert!(matches!(
            expand("<<nothing>>", ""),
            Err(SecretRuleError::UnknownGenerator { .. })
        ));
        assert_eq!(
            expand("a<<hex 4>>", "x").unwrap(),
            expand("a<<hex 4>>", "x").unwrap()
        );
    }
}
