//! Keys of clouds, and tokens whose mark is not at their beginning, so that a check reads what stands before it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::{Place, STRUCTURE, Verdict};
use crate::exposure::key;
use crate::exposure::shown;

pub(super) fn aws_key_id(place: &Place<'_>) -> Option<Verdict> {
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
pub(super) fn json_string<'t>(text: &'t [u8], key: &str) -> Option<&'t [u8]> {
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
pub(super) fn gcp(place: &Place<'_>) -> Option<Verdict> {
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

pub(super) fn base64_of_64(place: &Place<'_>) -> Option<Verdict> {
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

pub(super) fn azure_client_secret(place: &Place<'_>) -> Option<Verdict> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_~.".contains(&byte);
    let start = place.run_before(3..4, is_part)?;
    Some(Verdict::of(STRUCTURE).span(start..place.value.end))
}

/// A version and what may be done stand among the parameters.
pub(super) fn azure_sas(place: &Place<'_>) -> Option<Verdict> {
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
pub(super) fn azure_identifiable(place: &Place<'_>) -> Option<Verdict> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let start = place.run_before(32..77, is_part)?;
    let len = place.value.end - start;
    matches!(len, 44 | 56 | 84 | 86 | 88)
        .then(|| Verdict::of(STRUCTURE).span(start..place.value.end))
}

pub(super) fn atlas(place: &Place<'_>) -> Option<Verdict> {
    let start = place.run_before(14..15, |byte| byte.is_ascii_alphanumeric())?;
    Some(Verdict::of(STRUCTURE).span(start..place.value.end))
}

pub(super) fn openai(place: &Place<'_>) -> Option<Verdict> {
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

pub(super) fn telegram(place: &Place<'_>) -> Option<Verdict> {
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

pub(super) fn mailchimp(place: &Place<'_>) -> Option<Verdict> {
    let start = place.run_before(32..33, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))?;
    Some(Verdict::of(STRUCTURE).span(start..place.value.end))
}

pub(super) fn new_relic(place: &Place<'_>) -> Option<Verdict> {
    let start = place.run_before(36..37, |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))?;
    Some(Verdict::of(STRUCTURE).span(start..place.value.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(id: &str) -> Option<String> {
        let all = 0..id.len();
        let place = Place {
            text: id.as_bytes(),
            whole: all.clone(),
            value: all,
        };
        aws_key_id(&place)?.detail
    }

    #[test]
    fn an_id_tells_its_account() {
        // The id and the account of a published description of the form; assembled here.
        let published = ["ASIA", "Y34FZKBOKMUTVV7A"].concat();
        assert_eq!(said(&published).unwrap(), "account 609629065308, temporary");
        assert!(
            said("AKIAAAAAAAAAAAAAAAAA")
                .unwrap()
                .starts_with("of the old kind")
        );
        assert_eq!(said("AKIA"), None);
        assert_eq!(said("AKIA0000000000000000"), None);
    }
}
