//! Values of settings: is there something behind the `=`, and does it look like a credential?
//!
//! Nothing can prove offline that a password works. What can be told is the opposite: empty values, template syntax,
//! `your-token-here`, runs of one character and counting sequences are nobody's secret. What remains is judged by the
//! setting's name and the value's shape. The word lists are data (`signatures/exposure.toml`, `[words]`).

use super::rules::Words;

/// Shortest text that is taken for a random one, in characters.
const RANDOM_CHARS: usize = 20;

/// Least Shannon entropy of a random text, in bits a character; English prose stays below, hex lies near 3.8.
const RANDOM_BITS: f64 = 3.5;

/// Whether a value stands for one that is filled in elsewhere.
pub(super) fn is_placeholder(value: &str, words: &Words) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    lower.is_empty()
        || is_template(value)
        || is_repetition(value)
        || is_sequence(&lower)
        || is_constant_name(value)
        || words.placeholder_values.contains(&lower)
        || has_placeholder_part(&lower, words)
}

/// `${X}`, `$X`, `$(x)`, `{{x}}`, `<x>`, `%X%`, `[x]`.
fn is_template(value: &str) -> bool {
    let framed = |open: char, close: char| {
        value.len() > 1 && value.starts_with(open) && value.ends_with(close)
    };
    value.starts_with('$')
        || value.contains("${")
        || value.contains("{{")
        || framed('<', '>')
        || framed('%', '%')
        || framed('[', ']')
}

/// `your-token`, `changeme`; a host below the reserved `.example` is a host like any other.
fn has_placeholder_part(lower: &str, words: &Words) -> bool {
    let rest = lower.replace(".example", "");
    words
        .placeholder_parts
        .iter()
        .any(|part| rest.contains(part.as_str()))
}

/// Nothing but marks (`***`, `...`), or a longer text of at most two different letters and digits: `xxxxxxxx`,
/// `00000000-0000-0000-0000-000000000000`. A short one may be a number that is meant (`3000`).
fn is_repetition(value: &str) -> bool {
    let mut seen = [false; 256];
    value
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .for_each(|byte| seen[usize::from(byte)] = true);
    let different = seen.iter().filter(|&&there| there).count();
    value.is_ascii() && (different == 0 || different <= 2 && value.len() >= 6)
}

/// `12345678`, `abcdefgh`, `0123456789abcdef`: four steps of five go up by one.
fn is_sequence(lower: &str) -> bool {
    let bytes = lower.as_bytes();
    let steps = bytes
        .windows(2)
        .filter(|pair| pair[0].wrapping_add(1) == pair[1] || matches!(pair, [b'9', b'0' | b'a']))
        .count();
    bytes.len() >= 4 && steps * 5 >= (bytes.len() - 1) * 4
}

/// `NPM_TOKEN`: the name of a variable where its value should be.
fn is_constant_name(value: &str) -> bool {
    value.contains('_')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Whether a setting looks like a live credential: by its name, by a password in a URL, or by a random-looking value.
/// Never true for a placeholder.
pub(super) fn is_credential(key: &str, value: &str, words: &Words) -> bool {
    if is_placeholder(value, words) {
        return false;
    }
    if url_password(value).is_some_and(|password| !is_placeholder(password, words)) {
        return true;
    }
    match named(key, words) {
        Named::Secret => value.len() >= 4 && !is_setting(value),
        Named::Public => false,
        Named::Other => looks_random(value),
    }
}

/// Whether a setting is called a credential, and its value may be one.
pub(super) fn is_named_credential(key: &str, value: &str, words: &Words) -> bool {
    let is_live = !is_placeholder(value, words) && !is_setting(value);
    is_live && named(key, words) == Named::Secret
}

/// What a setting is by its name.
#[derive(PartialEq, Eq)]
enum Named {
    /// A credential.
    Secret,
    /// Made to be seen (a browser's publishable key), or what only describes a secret (its length, its file).
    Public,
    /// Anything else.
    Other,
}

fn named(key: &str, words: &Words) -> Named {
    let parts: Vec<String> = key.split('_').map(str::to_ascii_lowercase).collect();
    let (Some(last), whole) = (parts.last(), parts.join("_")) else {
        return Named::Other;
    };
    let is_public = |part: &String| parts.contains(part) || whole.starts_with(&format!("{part}_"));
    if words.public_parts.iter().any(is_public) || words.descriptive_ends.contains(last) {
        return Named::Public;
    }
    let has_part =
        |part: &String| parts.contains(part) || whole.contains(part.as_str()) && part.contains('_');
    let has_end = |end: &String| last.ends_with(end.as_str());
    if words.secret_parts.iter().any(has_part) || words.secret_ends.iter().any(has_end) {
        Named::Secret
    } else {
        Named::Other
    }
}

/// Booleans, numbers of up to six digits and durations are settings, whatever their names say.
fn is_setting(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let number = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    matches!(
        lower.as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off"
    ) || lower.len() <= 6
        && !number.is_empty()
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The password of `scheme://user:password@host`, unless the host is this machine.
fn url_password(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, host) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    let host = host.split(':').next()?;
    let here = matches!(
        host,
        "localhost" | "127.0.0.1" | "0.0.0.0" | "host.docker.internal" | ""
    );
    (!here && !password.is_empty()).then_some(password)
}

/// A long run of letters and digits without words in it. UUIDs name things and are not counted.
fn looks_random(value: &str) -> bool {
    let token = value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-.".contains(&byte));
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    token
        && value.len() >= RANDOM_CHARS
        && digits * 12 >= value.len()
        && letters * 12 >= value.len()
        && !is_uuid(value)
        && entropy(value.as_bytes()) >= RANDOM_BITS
}

/// 8-4-4-4-12 hex digits (RFC 9562, section 4).
fn is_uuid(value: &str) -> bool {
    let groups: Vec<&str> = value.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && value
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Shannon entropy of the bytes, in bits a byte.
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    bytes
        .iter()
        .for_each(|&byte| counts[usize::from(byte)] += 1);
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| f64::from(count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::rules::Rules;

    fn words() -> &'static Words {
        Rules::builtin().words()
    }

    #[test]
    fn placeholders_are_recognised() {
        for value in [
            "",
            "  ",
            "${NPM_TOKEN}",
            "$TOKEN",
            "{{ token }}",
            "<token>",
            "%TOKEN%",
            "[your key]",
            "xxxxxxxx",
            "****",
            "00000000-0000-0000-0000-000000000000",
            "your-token-here",
            "changeme",
            "CHANGE_ME",
            "password",
            "1234567890",
            "abcdefghijkl",
            "0123456789abcdef",
            "NPM_TOKEN",
            "example-key",
            "AKIAIOSFODNN7EXAMPLE",
            "REDACTED",
            "...",
            "null",
            "pre-${X}-post",
        ] {
            assert!(is_placeholder(value, words()), "{value}");
        }
        for value in [
            "hunter2!",
            "correct horse",
            "Zx81kLq0",
            "a1b2c3d4e5",
            "postgres://u:p@h/d",
            "0x1F",
        ] {
            assert!(!is_placeholder(value, words()), "{value}");
        }
    }

    #[test]
    fn credentials_are_told_from_settings() {
        for (key, value) in [
            ("DB_PASSWORD", "hunter2!"),
            ("API_KEY", "k-93jf02"),
            ("STRIPE_SECRET_KEY", "sk-93jf02jf"),
            ("DATABASE_URL", "postgres://app:Zx81kLq0@db.acme.dev/app"),
            ("apiKey", "k-93jf02"),
            ("SECRET_KEY_BASE", "93jf02jf"),
            ("OPAQUE", "q8Zt5vKx0Wb3Yp7Lr2Nd6Hs4"),
            ("GITHUB_TOKEN", "t-93jf02"),
            ("aws_secret_access_key", "93jf/02jf"),
        ] {
            assert!(is_credential(key, value, words()), "{key}={value}");
        }
        for (key, value) in [
            ("NODE_ENV", "production"),
            ("PORT", "3000"),
            ("API_URL", "https://api.acme.dev/v1"),
            ("AUTH", "true"),
            ("TOKEN_TTL", "3600"),
            ("PASSWORD_MIN_LENGTH", "12"),
            ("API_KEY", "your-api-key"),
            ("DB_PASSWORD", ""),
            ("NEXT_PUBLIC_API_KEY", "k-93jf02"),
            ("SSH_KEY_FILE", "/etc/keys/a"),
            ("APP_ID", "q8Zt5vKx0Wb3Yp7Lr2Nd6Hs4"),
            ("TENANT", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            ("DATABASE_URL", "postgres://app:Zx81kLq0@localhost/app"),
            ("GREETING", "hello-there-general-kenobi"),
            ("MONKEY", "george"),
            ("SESSION_TOKEN_TIMEOUT", "30s"),
            ("TOKEN", "30s"),
            ("SECRET_KEY", "on"),
        ] {
            assert!(!is_credential(key, value, words()), "{key}={value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_value_is_judged_without_panic(key in "\\PC{0,20}", value in "\\PC{0,40}") {
            let credential = is_credential(&key, &value, words());
            proptest::prop_assert!(!(credential && is_placeholder(&value, words())));
        }
    }
}
