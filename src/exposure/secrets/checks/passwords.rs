//! Passwords, by what stands round them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use memchr::memmem;

use super::{Check, Place, STRUCTURE, Verdict};
use crate::exposure::rules::Rules;
use crate::exposure::shown;
use crate::exposure::values::{entropy, is_credential, is_placeholder};
use crate::record::Severity;

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

pub(super) fn url(place: &Place<'_>) -> Option<Verdict> {
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
        || lower.contains("1234")
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
pub(super) fn connection_string(place: &Place<'_>) -> Option<Verdict> {
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

pub(super) fn basic_auth(place: &Place<'_>) -> Option<Verdict> {
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
pub(super) fn name_of(place: &Place<'_>) -> String {
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

pub(super) fn credential(place: &Place<'_>) -> Option<Verdict> {
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
pub(super) fn key_material(place: &Place<'_>) -> Option<Verdict> {
    let text = place.bytes();
    let is_hex = text.len().is_multiple_of(2) && text.iter().all(u8::is_ascii_hexdigit);
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
