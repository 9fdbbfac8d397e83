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

/// Whether a password is that of an example: it says what it is, or repeats the user.
fn is_word(password: &str, user: &str) -> bool {
    let lower = password.to_ascii_lowercase();
    lower == user.to_ascii_lowercase()
        || ["1234", "pass", "pwd", "secret", "token"]
            .iter()
            .any(|word| lower.contains(word))
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
    if is_placeholder(password, words)
        || is_word(password, user)
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

/// `jdbc:kind://host…password=…`, and Oracle's `jdbc:oracle:thin:user/password@host` (JDBC specification, "connection URL").
pub(super) fn jdbc(place: &Place<'_>) -> Option<Verdict> {
    let words = Rules::builtin().words();
    let password = place.str()?;
    let (_, around) = place.around(0, 300);
    let line = around.split(|&byte| byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let (_, rest) = line.split_once("jdbc:")?;
    let (kind, rest) = rest.split_once(':')?;
    // What is before the password, or behind it.
    let at = match memmem::find(rest.as_bytes(), b"//") {
        Some(slashes) => slashes + 2,
        None => rest.find('@')? + 1,
    };
    let host = rest.get(at..)?.split(['/', ';', '?', ',', '"', '\'', ' ']);
    let host = host.map(|host| host.trim_matches(['(', ')'])).next()?;
    let name = host.split(':').next().filter(|name| !name.is_empty())?;
    let user = rest.split('/').next().unwrap_or_default();
    let is_one = !is_placeholder(password, words) && !is_word(password, user) && !is_nobodys(name);
    is_one.then(|| {
        let shown_url = format!(
            "jdbc:{}, {}, password ***",
            shown(kind.as_bytes()),
            shown(host.as_bytes())
        );
        Verdict::of(STRUCTURE).shown(shown_url)
    })
}

/// `host=… dbname=… password=…` on one line (PostgreSQL manual, "Connection Strings"). In a call of a program commas stand
/// between them.
pub(super) fn libpq(place: &Place<'_>) -> Option<Verdict> {
    let words = Rules::builtin().words();
    let password = place.str()?;
    let (start, around) = place.around(300, 200);
    let at = place.whole.start.checked_sub(start)?;
    let (before, behind) = around.split_at_checked(at)?;
    let begin = memchr::memrchr(b'\n', before).map_or(0, |feed| feed + 1);
    let end = memchr::memchr(b'\n', behind).unwrap_or(behind.len());
    let line = around.get(begin..at + end)?;
    let value = |key: &[u8]| {
        let at = memmem::find(line, key)? + key.len();
        let rest = line.get(at..)?;
        let len = rest
            .iter()
            .take_while(|byte| !b" \"',;\t\r".contains(byte))
            .count();
        std::str::from_utf8(rest.get(..len)?).ok()
    };
    let (host, _) = value(b"host=").zip(value(b"dbname="))?;
    let is_between_commas = before.last() == Some(&b',')
        || matches!(place.text.get(place.value.end), Some(b',' | b')' | b'('));
    let is_mixed = password.bytes().any(|byte| byte.is_ascii_digit())
        && password.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_one = is_mixed
        && !is_between_commas
        && !is_placeholder(password, words)
        && !is_word(password, value(b"user=").unwrap_or_default())
        && !host.is_empty()
        && !is_nobodys(host);
    is_one.then(|| {
        let shown = format!("{}, password ***", shown(host.as_bytes()));
        Verdict::of(STRUCTURE).shown(shown)
    })
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
