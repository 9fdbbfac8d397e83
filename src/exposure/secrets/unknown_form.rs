//! What is a credential in the settings of a program that nobody here knows.
//!
//! Where a file is one of a known form (a dotenv file, a Compose file), a name that says secret is enough. Settings of any
//! program are another matter: the same `name: value` lines hold translations (`password: Passwort!`), keys of caches, names of
//! objects that hold a secret (`existingSecret: db-login-2`), versions of packages, types and rules of forms. So here
//! more is asked. The last word of the name has to say what the value is, and a value has to be one that nobody writes for
//! people or for another program: no reference, name, version or word.
//!
//! Left out, so that the answer can be trusted where nobody looks twice: words without a digit or a mark within, words that
//! hyphens join, values with letters beyond ASCII, and short values beside names that say only `token` or `key`.

use super::super::rules::Rules;
use super::super::values::entropy;

/// A value beside a name that says only what sort of thing it is; bytes, digits, and Shannon entropy in bits a byte.
const RANDOM_MIN: usize = 12;
const RANDOM_DIGITS: usize = 2;
const RANDOM_BITS: f64 = 3.2;

/// One of these stands in each name that counts.
const TELLING: [&str; 6] = ["pass", "pwd", "secret", "token", "key", "auth"];

/// Words that may follow the one that says what a value is: where it is used.
const BEHIND: [&str; 14] = [
    "prod",
    "production",
    "dev",
    "development",
    "stage",
    "staging",
    "test",
    "live",
    "main",
    "primary",
    "secondary",
    "default",
    "value",
    "base",
];

/// Words before `key` that make it one that opens something.
const BEFORE_KEY: [&str; 28] = [
    "access",
    "account",
    "admin",
    "aes",
    "api",
    "app",
    "application",
    "auth",
    "client",
    "connection",
    "cookie",
    "crypto",
    "deploy",
    "encryption",
    "hmac",
    "integration",
    "jwt",
    "license",
    "master",
    "private",
    "secret",
    "server",
    "service",
    "session",
    "shared",
    "signing",
    "storage",
    "webhook",
];

/// Words that make any name one of something else.
const OTHERS: [&str; 6] = ["existing", "public", "ref", "example", "sample", "fake"];

/// How values begin that only say where the real one is, or how it is locked.
const REFERENCES: [&str; 21] = [
    "ENC(",
    "ENC[",
    "arn:",
    "classpath:",
    "env:",
    "env.",
    "file:",
    "git+",
    "github:",
    "link:",
    "npm:",
    "op:",
    "prompt:",
    "ref+",
    "secret:",
    "ssm:",
    "vault:",
    "workspace:",
    "@Microsoft",
    "%(",
    "sealed:",
];

/// What stands in values that are filled in elsewhere, and in texts for people with places for others in them.
const PLACES_WITHIN: [&str; 13] = [
    "{", "<%", "://", "$(", "getenv", "environ", "%1", "%2", "%s", "%d", "%@", "|", "\\",
];

/// How the names of ciphers, digests, types and encodings begin.
const TERMS: [&str; 18] = [
    "aes1", "aes2", "aes-", "argon2", "base64", "bcrypt", "es256", "hmac-", "hs256", "md5",
    "pbkdf2", "rs256", "scrypt", "sha1", "sha2", "sha5", "utf", "varchar",
];

/// Words that many give as a password until they have one.
const FIRST_PASSWORDS: [&str; 14] = [
    "demo", "dev", "hello", "local", "login", "p@ssw0rd", "p@ssword", "passw0rd", "pa$$w0rd",
    "pa$$word", "sample", "string", "value", "welcome",
];

/// Whether a name may be that of a credential: quick, for the names of all lines.
pub(super) fn may_tell(name: &[u8]) -> bool {
    let has = |word: &str| {
        name.windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    TELLING.iter().any(|word| has(word))
}

/// Whether what stands beside a name is a credential, whatever program reads it. Both were found to be one in settings of
/// a known form.
pub(super) fn is_credential(name: &str, value: &str) -> bool {
    let is_meant = match strength(name) {
        Strength::Outright => has_digit_or_mark(value),
        Strength::Sort => is_random(value),
        Strength::None => false,
    };
    is_meant && !stands_for_other(value)
}

/// Whether a name says that its value is a password or a secret, and not only a key or a token of some sort.
pub(super) fn says_outright(name: &str) -> bool {
    strength(name) == Strength::Outright
}

/// What a name says.
#[derive(Debug, PartialEq, Eq)]
enum Strength {
    /// That the value is a password or a secret.
    Outright,
    /// That it is a key or a token, of which there are many sorts.
    Sort,
    /// Nothing.
    None,
}

fn strength(name: &str) -> Strength {
    // What holds quotes or the mark of a comment is a line of something else.
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.:/@$*[] ".contains(c);
    let words = words_of(name);
    if !name.chars().all(is_part) || words.iter().any(|word| OTHERS.contains(&word.as_str())) {
        return Strength::None;
    }
    let is_behind = |word: &String| {
        BEHIND.contains(&word.as_str()) || word.bytes().all(|byte| byte.is_ascii_digit())
    };
    let count = words.len()
        - words
            .iter()
            .rev()
            .take_while(|word| is_behind(word))
            .count();
    let mut words = words.iter().take(count).map(String::as_str).rev();
    let (last, before) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    // `password1`, `requirepass`, `dbpassword`.
    let last = last.trim_end_matches(|c: char| c.is_ascii_digit());
    let ends = |ends: &[&str]| ends.iter().any(|end| last.ends_with(end));
    if matches!(last, "pass" | "requirepass" | "dbpass" | "userpass")
        || ends(&["password", "passwd", "passphrase", "pwd", "secret"])
    {
        Strength::Outright
    } else if ends(&["token", "apikey", "secretkey", "accesskey", "authkey"])
        || matches!(last, "auth" | "masterauth")
        || last == "key" && BEFORE_KEY.contains(&before)
    {
        Strength::Sort
    } else {
        Strength::None
    }
}

/// `spring.mail.smtpPassword` as `spring`, `mail`, `smtp`, `password`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for c in name.chars() {
        let is_new = !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() && was_small;
        if is_new && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        was_small = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A digit, or a mark that stands neither first nor last, where words for people have theirs.
fn has_digit_or_mark(value: &str) -> bool {
    let inner = value.get(1..value.len().saturating_sub(1));
    value.bytes().any(|byte| byte.is_ascii_digit())
        || value.len() >= 8
            && inner.is_some_and(|inner| inner.contains(['!', '#', '$', '^', '*', '@']))
}

fn is_random(value: &str) -> bool {
    let count = |kind: fn(&u8) -> bool| value.as_bytes().iter().filter(|byte| kind(byte)).count();
    let digits = count(u8::is_ascii_digit);
    // Paths and names of hosts have digits in them as well.
    let is_mixed = count(u8::is_ascii_uppercase) > 0 && count(u8::is_ascii_lowercase) > 0;
    value.len() >= RANDOM_MIN
        && digits >= RANDOM_DIGITS
        && count(u8::is_ascii_alphabetic) >= 2
        && !value.contains([',', ':', ';', '(', ')', '[', ']', '<', '>', '"', '\'', '`'])
        && (!value.contains(['/', '.']) || is_mixed && digits > RANDOM_DIGITS)
        && entropy(value.as_bytes()) >= RANDOM_BITS
}

/// Whether a value is a reference, a name, a version, a term or a word rather than the thing itself.
fn stands_for_other(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let framed = |frame: &str| {
        value.len() > 2 * frame.len() && value.starts_with(frame) && value.ends_with(frame)
    };
    // Digits and marks round a word are put there in a hurry.
    let word = lower.trim_matches(|c: char| !c.is_ascii_alphabetic());
    let is_word = Rules::builtin().words().placeholder_values.contains(word)
        || FIRST_PASSWORDS
            .iter()
            .any(|first| lower.trim_end_matches(|c: char| !c.is_ascii_alphabetic()) == *first);
    let is_term = value.len() <= 16 && TERMS.iter().any(|term| lower.starts_with(term));
    !value.bytes().all(|byte| byte.is_ascii_graphic())
        || value.starts_with(['$', '*', '&', '[', '('])
        || REFERENCES.iter().any(|begin| value.starts_with(begin))
        || PLACES_WITHIN.iter().any(|part| value.contains(part))
        || framed("@")
        || framed("__")
        || is_word
        || is_term
        || is_call(value)
        || is_version(value)
        || is_mail(value)
        || is_joined(value)
}

/// `lookup('x')`, `ENV["X"]`, `varchar(255)`.
fn is_call(value: &str) -> bool {
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.'));
    let rest = value.get(end.unwrap_or(value.len())..).unwrap_or_default();
    end.is_some_and(|end| end > 0)
        && (rest.starts_with('(') && rest.ends_with(')')
            || rest.starts_with('[') && rest.ends_with(']'))
}

/// `^1.2.3-rc.1`, `v2.0`, `>=3.1`.
fn is_version(value: &str) -> bool {
    let rest = value.trim_start_matches(['^', '~', '=', '<', '>', 'v']);
    let mut parts = rest.splitn(3, '.');
    let mut is_number = || {
        let part = parts.next().unwrap_or_default();
        !part.is_empty() && part.len() <= 5 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    is_number() && is_number()
}

/// `ann@mail.example`, as a whole.
fn is_mail(value: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    value.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && user.chars().all(is_name)
            && host.chars().all(is_name)
            && host.rsplit_once('.').is_some_and(|(_, top)| {
                top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
            })
    })
}

/// Words that hyphens or points join, a number or two behind them: `db-login-2`, `errors.password1`, `min8`.
fn is_joined(value: &str) -> bool {
    /// Digits that stand behind a word; a word of fewer letters is none.
    const DIGITS: usize = 2;
    const LETTERS: usize = 2;
    let is_piece = |piece: &str| {
        let word = piece.trim_end_matches(|c: char| c.is_ascii_digit());
        let letters = word.bytes().all(|byte| byte.is_ascii_lowercase());
        let digits = piece.len() - word.len();
        let is_number = word.is_empty() || word == "v";
        letters && (is_number && digits <= 4 || word.len() >= LETTERS && digits <= DIGITS)
    };
    let mut pieces = value.split(['-', '_', '.', '/', ':']);
    let has_more = value.contains(['-', '_', '.', '/', ':']);
    // A short word with a digit behind it is a word; a longer one may be what somebody chose.
    (has_more || value.len() <= 8) && pieces.all(is_piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_name_says_what_a_value_is() {
        for name in [
            "password",
            "spring.datasource.password",
            "nodes[0].password",
            "smtp_password",
            "DB_PASSWORD_PROD",
            "dbPassword",
            "mail.password2",
            "client-secret",
            "requirepass",
            "app.pwd",
            "secret_key_base_secret",
        ] {
            assert_eq!(strength(name), Strength::Outright, "{name}");
            assert!(may_tell(name.as_bytes()), "{name}");
        }
        for name in [
            "apiKey",
            "api.key",
            "access_token",
            "jwt.secret.key",
            "auth",
            "SECRET_KEY_BASE",
        ] {
            assert_eq!(strength(name), Strength::Sort, "{name}");
            assert!(may_tell(name.as_bytes()), "{name}");
        }
        for name in [
            "existingSecret",
            "secretKeyRef",
            "secret_name",
            "password.length",
            "compass",
            "bypass",
            "key",
            "cache_key",
            "primaryKey",
            "public_api_key",
            "tokenizer",
            "# password",
            "\"password",
            "value",
            "",
            "...",
        ] {
            assert_eq!(strength(name), Strength::None, "{name}");
        }
    }

    #[test]
    fn what_nobody_writes_for_people_or_programs_is_a_credential() {
        for (name, value) in [
            ("password", "q8Zt5vKx0W"),
            ("password", "hunter2!"),
            ("password", "Tr!ck#yone"),
            ("password", "summer2024x"),
            ("client_secret", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            ("api_key", "q8Zt5vKx0Wb3Yp7L"),
            ("access_token", "abc/DEF+123q8Zt5vKx0W=="),
            ("auth_token", "0f8fad5bd9cb469fa16570867728950e"),
        ] {
            assert!(is_credential(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn words_names_references_and_versions_are_none() {
        for value in [
            "Passwort",
            "Passwort!",
            "Passwort?",
            "!Passwort",
            "Contraseña1",
            "パスワード8a",
            "Passwort%1$s",
            "Passwort{0}",
            "password123",
            "Admin123!",
            "P@ssw0rd",
            "Passw0rd1!",
            "${DB_PASSWORD1}",
            "a${X1}b",
            "{{.Values.x1}}",
            "{cipher}q8Zt5vKx0W",
            "ENC(q8Zt5vKx0W)",
            "ENC[PKCS7,q8Zt5vKx0W]",
            "vault:secret/db#p1",
            "env:DB_PASSWORD1",
            "arn:aws:secretsmanager:x1",
            "@DB_PASS1@",
            "__DB_PASS1__",
            "%(ENV_X1)s",
            "*db_pass1",
            "$2b$10$q8Zt5vKx0W",
            "lookup('env','X1')",
            "ENV[\"X1\"]",
            "varchar(255)",
            "VARCHAR2",
            "argon2id",
            "sha256",
            "^1.2.3-rc.1",
            "3.0.1-alpha.1",
            "v2.0.1a",
            "ann1@mail.example",
            "db-login-2",
            "my-app-secret-v1",
            "errors.password1",
            "min8",
            "string:8",
            "required|min8",
        ] {
            assert!(!is_credential("password", value), "{value}");
        }
        for value in [
            "q8Zt5vKx",
            "Ctrl+F1",
            "oauth2-proxy",
            "login-01.prod.acme1.example",
            "a/b/c12345678",
            "aaaaaaaaaaa12",
        ] {
            assert!(!is_credential("auth_token", value), "{value}");
        }
        assert!(!is_credential(
            "cache_key",
            "0f8fad5bd9cb469fa16570867728950e"
        ));
    }

    proptest::proptest! {
        #[test]
        fn any_pair_is_judged(name in "\\PC{0,30}", value in "\\PC{0,40}") {
            let is_one = is_credential(&name, &value);
            proptest::prop_assert!(!is_one || may_tell(name.as_bytes()));
        }
    }
}
