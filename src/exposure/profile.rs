//! The organisation's profile: what the user tells us with `--org acme.toml`.
//!
//! Whose a source is decides how bad it is that it is out, and bytes alone cannot tell. A profile is a flat TOML file
//! that people write by hand in the first hour of an incident, so a typo must not pass in silence: a key that nobody
//! knows is an error that names its line and the nearest key that exists.
//!
//! ```toml
//! name = "Acme"
//! scopes = ["@acme", "@acme-internal"]
//! packages = ["acme-cli"]
//! domains = ["acme.com"]            # and everything below it
//! mail_domains = ["acme.com"]
//! repositories = ["github.com/acme"] # and everything below it
//! code_names = ["heron"]
//! ```
//!
//! Left out: anything that would need the network, such as asking who owns a scope.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::address;

/// The keys of a profile, in the order in which they enter its digest.
const KEYS: [&str; 7] = [
    "name",
    "scopes",
    "packages",
    "domains",
    "mail_domains",
    "repositories",
    "code_names",
];

/// Why a profile could not be used. Each says where and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The file is not TOML.
    #[error("{file}:{line}: not valid TOML: {message}")]
    Syntax {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: usize,
        /// What the TOML parser says.
        message: String,
    },
    /// A key that no profile has.
    #[error("{file}:{line}: unknown key `{key}`; did you mean `{nearest}`? (keys: {})", KEYS.join(", "))]
    UnknownKey {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: usize,
        /// The key as written.
        key: String,
        /// The known key that is most like it.
        nearest: &'static str,
    },
    /// A value of another type than the key takes.
    #[error("{file}:{line}: `{key}` must be {expected}, not {found}")]
    WrongType {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: usize,
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A value that cannot mean what the key means.
    #[error("{file}:{line}: `{value}` in `{key}`: {why}")]
    BadValue {
        /// Name of the file, as given.
        file: String,
        /// Line, 1-based.
        line: usize,
        /// The key.
        key: String,
        /// The value as written.
        value: String,
        /// What is wrong and what to write instead.
        why: &'static str,
    },
    /// No name given.
    #[error("{file}: `name` is missing; add a line such as name = \"Acme\"")]
    NoName {
        /// Name of the file, as given.
        file: String,
    },
}

/// What the user says belongs to the organisation. All lists may be empty; entries keep the user's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisation {
    /// Its name, for people.
    pub name: String,
    /// npm scopes, each with its `@`.
    pub scopes: Vec<String>,
    /// Package names outside those scopes.
    pub packages: Vec<String>,
    /// Domains, lower case; each stands for everything below it too.
    pub domains: Vec<String>,
    /// Domains of its mail addresses, lower case.
    pub mail_domains: Vec<String>,
    /// Repositories as `host/path`; each stands for everything below it too.
    pub repositories: Vec<String>,
    /// Internal names that nobody outside should know.
    pub code_names: Vec<String>,
}

impl Organisation {
    /// Reads a profile.
    ///
    /// # Errors
    /// Text that is not TOML, an unknown key, a wrong type, a value that cannot be meant, a missing `name`; `file` is
    /// only quoted in them.
    pub fn parse(text: &str, file: &str) -> Result<Organisation, ProfileError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = Source { text, file };
        let table = DeTable::parse(text).map_err(|error| ProfileError::Syntax {
            file: file.to_owned(),
            line: source.line(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;

        let mut org = Organisation::default();
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                "name" => org.name = source.string("name", value)?,
                "scopes" => org.scopes = source.list("scopes", value, scope_form)?,
                "packages" => org.packages = source.list("packages", value, package_form)?,
                "domains" => org.domains = source.list("domains", value, domain_form)?,
                "mail_domains" => {
                    org.mail_domains = source.list("mail_domains", value, mail_domain_form)?
                }
                "repositories" => {
                    org.repositories = source.list("repositories", value, repository_form)?
                }
                "code_names" => org.code_names = source.list("code_names", value, word_form)?,
                unknown => {
                    return Err(ProfileError::UnknownKey {
                        file: file.to_owned(),
                        line: source.line(key.span().start),
                        key: unknown.to_owned(),
                        nearest: nearest_key(unknown),
                    });
                }
            }
        }
        if org.name.is_empty() {
            return Err(ProfileError::NoName {
                file: file.to_owned(),
            });
        }
        Ok(org)
    }

    /// Whether a package is the organisation's: named by itself, or in one of its scopes.
    pub fn owns_package(&self, name: &str) -> bool {
        let scope = name.split_once('/').map(|(scope, _)| scope);
        self.packages.iter().any(|own| own == name)
            || scope.is_some_and(|scope| {
                self.scopes
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(scope))
            })
    }

    /// Whether a host is one of the organisation's domains or lies below one. A port is ignored.
    pub fn owns_host(&self, host: &str) -> bool {
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => host,
        };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.domains.iter().any(|own| is_at_or_below(&host, own))
    }

    /// Whether a repository, in any of npm's spellings, is the organisation's or lies below one that is.
    pub fn owns_repository(&self, url: &str) -> bool {
        let Some(address) = address::repository(url) else {
            return false;
        };
        let place = format!("{}/{}", address.host, address.path).to_ascii_lowercase();
        self.repositories.iter().any(|own| {
            place
                .strip_prefix(own.to_ascii_lowercase().as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }) || self
            .domains
            .iter()
            .any(|own| is_at_or_below(&address.host, own))
    }

    /// BLAKE3 of the canonical form: every key in a fixed order, lists sorted and without repeats, lengths before
    /// texts. Two profiles that say the same have the same digest, however they are written.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"strandline organisation 1\n");
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(&self.name);
        for list in [
            &self.scopes,
            &self.packages,
            &self.domains,
            &self.mail_domains,
            &self.repositories,
            &self.code_names,
        ] {
            let sorted: BTreeSet<&String> = list.iter().collect();
            add(&sorted.len().to_string());
            for entry in sorted {
                add(entry);
            }
        }
        *hasher.finalize().as_bytes()
    }
}

/// Whether `host` is `domain` or one of its subdomains; both lower case.
fn is_at_or_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The known key that takes the fewest edits to reach.
fn nearest_key(unknown: &str) -> &'static str {
    let unknown = unknown.to_ascii_lowercase();
    KEYS.into_iter()
        .min_by_key(|key| strsim::damerau_levenshtein(key, &unknown))
        .unwrap_or("name")
}

/// A form that an entry is brought into, or what is wrong with it.
type Form = fn(&str) -> Result<String, &'static str>;

fn word_form(text: &str) -> Result<String, &'static str> {
    Ok(text.to_owned())
}

fn scope_form(text: &str) -> Result<String, &'static str> {
    let bare = text.strip_prefix('@').unwrap_or(text);
    if bare.is_empty() || bare.contains('/') {
        return Err("a scope is a name such as \"@acme\"; single packages belong under `packages`");
    }
    Ok(format!("@{bare}"))
}

fn package_form(text: &str) -> Result<String, &'static str> {
    if text.contains('*') {
        return Err("package names are exact; list a whole scope under `scopes`");
    }
    Ok(text.to_owned())
}

fn domain_form(text: &str) -> Result<String, &'static str> {
    let bare = text
        .strip_prefix("*.")
        .or_else(|| text.strip_prefix('.'))
        .unwrap_or(text);
    let bare = bare.trim_end_matches('.').to_ascii_lowercase();
    if bare.contains(['/', ':', '@']) {
        return Err("a domain is a name such as \"acme.com\", without scheme, path or port");
    }
    if !bare.contains('.') {
        return Err("a whole top-level domain belongs to nobody; write a name with a dot in it");
    }
    Ok(bare)
}

fn mail_domain_form(text: &str) -> Result<String, &'static str> {
    domain_form(text.strip_prefix('@').unwrap_or(text))
}

fn repository_form(text: &str) -> Result<String, &'static str> {
    let bare = text.strip_suffix("/*").unwrap_or(text);
    let address = address::repository(bare).ok_or(
        "a repository is written as \"https://host/owner/name\", \"host/owner\" or \"owner/name\"",
    )?;
    Ok(format!("{}/{}", address.host, address.path))
}

/// The text of a profile, for lines in errors.
struct Source<'a> {
    text: &'a str,
    file: &'a str,
}

impl Source<'_> {
    /// Line of a byte offset, 1-based.
    fn line(&self, offset: usize) -> usize {
        let before = self
            .text
            .as_bytes()
            .get(..offset)
            .unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    /// A string with something in it.
    fn string(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, ProfileError> {
        let Some(text) = value.get_ref().as_str() else {
            return Err(self.wrong_type(key, "a string", value));
        };
        if text.trim().is_empty() {
            return Err(self.bad_value(key, text, "must not be empty", value));
        }
        Ok(text.trim().to_owned())
    }

    /// A list of strings, each in its form.
    fn list(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        form: Form,
    ) -> Result<Vec<String>, ProfileError> {
        let Some(array) = value.get_ref().as_array() else {
            return Err(self.wrong_type(key, "a list of strings", value));
        };
        let mut entries = Vec::new();
        for entry in array.iter() {
            if entry.get_ref().as_str().is_none() {
                return Err(self.wrong_type(key, "a list of strings", entry));
            }
            let text = self.string(key, entry)?;
            entries.push(form(&text).map_err(|why| self.bad_value(key, &text, why, entry))?);
        }
        Ok(entries)
    }

    fn wrong_type(
        &self,
        key: &str,
        expected: &'static str,
        at: &Spanned<DeValue<'_>>,
    ) -> ProfileError {
        ProfileError::WrongType {
            file: self.file.to_owned(),
            line: self.line(at.span().start),
            key: key.to_owned(),
            expected,
            found: at.get_ref().type_str(),
        }
    }

    fn bad_value(
        &self,
        key: &str,
        value: &str,
        why: &'static str,
        at: &Spanned<DeValue<'_>>,
    ) -> ProfileError {
        ProfileError::BadValue {
            file: self.file.to_owned(),
            line: self.line(at.span().start),
            key: key.to_owned(),
            value: value.to_owned(),
            why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: &str = r#"
name = "Acme"
scopes = ["@acme", "acme-labs"]
packages = ["acme-cli"]
domains = ["Acme.com", "*.acme.dev"]
mail_domains = ["@acme.com"]
repositories = ["https://github.com/acme/*", "gitlab:acme/tools"]
code_names = ["heron"]
"#;

    fn acme() -> Organisation {
        Organisation::parse(ACME, "acme.toml").unwrap()
    }

    #[test]
    fn a_full_profile_is_read_into_its_forms() {
        let org = acme();
        assert_eq!(org.scopes, ["@acme", "@acme-labs"]);
        assert_eq!(org.domains, ["acme.com", "acme.dev"]);
        assert_eq!(org.mail_domains, ["acme.com"]);
        assert_eq!(
            org.repositories,
            ["github.com/acme", "gitlab.com/acme/tools"]
        );
    }

    #[test]
    fn packages_are_owned_by_name_or_scope_and_not_by_prefix() {
        let org = acme();
        for name in ["acme-cli", "@acme/core", "@acme-labs/x"] {
            assert!(org.owns_package(name), "{name}");
        }
        for name in ["acme-cli-tools", "@acme-fake/core", "acme", "@acme", "core"] {
            assert!(!org.owns_package(name), "{name}");
        }
    }

    #[test]
    fn hosts_are_owned_at_and_below_a_domain() {
        let org = acme();
        for host in ["acme.com", "API.acme.com", "acme.com:8443", "a.b.acme.dev."] {
            assert!(org.owns_host(host), "{host}");
        }
        for host in ["notacme.com", "acme.com.evil.net", "com", ""] {
            assert!(!org.owns_host(host), "{host}");
        }
    }

    #[test]
    fn repositories_are_owned_in_every_spelling() {
        let org = acme();
        for url in [
            "git+ssh://git@github.com/ACME/secret.git",
            "acme/x",
            "gitlab:acme/tools",
            "https://git.acme.com/a/b",
        ] {
            assert!(org.owns_repository(url), "{url}");
        }
        for url in [
            "github:acme-fan/x",
            "gitlab:acme/other",
            "not a url",
            "https://github.com/evil/acme",
        ] {
            assert!(!org.owns_repository(url), "{url}");
        }
    }

    #[test]
    fn an_unknown_key_names_its_line_and_the_nearest_key() {
        let error =
            Organisation::parse("name = \"A\"\n\nscope = [\"@a\"]\n", "a.toml").unwrap_err();
        assert!(
            matches!(
                &error,
                ProfileError::UnknownKey {
                    line: 3,
                    nearest: "scopes",
                    ..
                }
            ),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .starts_with("a.toml:3: unknown key `scope`; did you mean `scopes`?"),
            "{error}"
        );
        let error = Organisation::parse("mail-domain = []\n", "a.toml").unwrap_err();
        assert!(matches!(
            error,
            ProfileError::UnknownKey {
                line: 1,
                nearest: "mail_domains",
                ..
            }
        ));
    }

    #[test]
    fn wrong_types_and_values_name_their_line() {
        let cases = [
            ("name = 3", 1, "must be a string, not integer"),
            (
                "name = \"A\"\nscopes = \"@a\"",
                2,
                "must be a list of strings, not string",
            ),
            (
                "name = \"A\"\nscopes = [\n \"@a\",\n 7,\n]",
                4,
                "must be a list of strings, not integer",
            ),
            (
                "name = \"A\"\nscopes = [\"@a/b\"]",
                2,
                "belong under `packages`",
            ),
            ("name = \"A\"\ndomains = [\"com\"]", 2, "name with a dot"),
            (
                "name = \"A\"\ndomains = [\"https://a.com\"]",
                2,
                "without scheme",
            ),
            ("name = \"A\"\nrepositories = [\"./x\"]", 2, "host/owner"),
            ("name = \"  \"", 1, "must not be empty"),
            ("name = \"A\"\nname = \"B\"", 2, "not valid TOML"),
            ("scopes = []\nname =", 2, "not valid TOML"),
        ];
        for (text, line, message) in cases {
            let error = Organisation::parse(text, "a.toml").unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("a.toml:{line}: ")),
                "{text}: {error}"
            );
            assert!(error.contains(message), "{text}: {error}");
        }
        let error = Organisation::parse("scopes = []", "a.toml").unwrap_err();
        assert!(matches!(error, ProfileError::NoName { .. }));
    }

    #[test]
    fn the_digest_is_of_what_is_said_not_of_how() {
        let reordered = "code_names=['heron']\nrepositories=['gitlab:acme/tools','github.com/acme']\n\
            mail_domains=['acme.com']\ndomains=['acme.dev','acme.com','acme.dev']\npackages=['acme-cli']\n\
            scopes=['@acme-labs','@acme']\nname='Acme'";
        assert_eq!(
            Organisation::parse(reordered, "b.toml").unwrap().digest(),
            acme().digest()
        );
        let moved = Organisation {
            packages: vec![],
            code_names: vec!["acme-cli".into(), "heron".into()],
            ..acme()
        };
        assert_ne!(moved.digest(), acme().digest());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_error_or_a_profile(text in "(name|scopes|x|=|\\[|\\]|\"|'|\n|@a|,| |é)*") {
            let _ = Organisation::parse(&text, "p.toml");
        }
    }
}
