//! Tokens that say something of themselves: whose they are, what they are for, until when.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;

use super::{Place, STRUCTURE, Verdict};
use crate::exposure::shown;
use crate::record::Severity;

pub(super) fn slack(place: &Place<'_>) -> Option<Verdict> {
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
pub(super) fn discord(place: &Place<'_>) -> Option<Verdict> {
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
pub(super) fn macaroon(place: &Place<'_>) -> Option<Verdict> {
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

pub(super) fn jwt(place: &Place<'_>) -> Option<Verdict> {
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
