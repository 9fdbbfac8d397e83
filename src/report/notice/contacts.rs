//! Who complains: from a file outside the case, since a case is handed on and a telephone number need not be.
//!
//! What is not said there stays a blank in brackets for a person to fill; no key is guessed.

use std::collections::BTreeMap;

use thiserror::Error;

/// Keys of the file, with the blank that stands for each.
const KEYS: [(&str, &str); 18] = [
    ("holder", "[copyright holder]"),
    ("name", "[full name]"),
    ("organisation", "[organisation]"),
    ("title", "[title]"),
    ("email", "[e-mail address]"),
    ("phone", "[telephone number]"),
    ("address", "[postal address]"),
    (
        "authority",
        "[nature of the ownership, or of the authority to act for the owner]",
    ),
    (
        "description",
        "[what the work is and does, and that it was not published]",
    ),
    (
        "work_url",
        "[address of the original, or: it is not available online]",
    ),
    ("registration", "[registration number, or: none]"),
    (
        "licence",
        "[under which licence, or: not under an open source licence]",
    ),
    ("solution", ""),
    (
        "other_party",
        "[contact of those who put it there, or: not known]",
    ),
    ("ticket", "[ticket number]"),
    (
        "ground",
        "[the law that the publication is alleged to break]",
    ),
    ("country", "[country]"),
    ("reference", "[reference of the sender]"),
];

/// Why a file of contacts was refused.
#[derive(Debug, Error)]
pub enum ContactsError {
    /// It is no TOML, or its values are no texts.
    #[error("the contacts cannot be used: {0}")]
    Damaged(String),
    /// A key that nothing asks for.
    #[error("the contacts have a key {key:?} that no notice asks for; did you mean `{nearest}`?")]
    Unknown {
        /// The key.
        key: String,
        /// The nearest known one.
        nearest: &'static str,
    },
}

/// Who complains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    said: BTreeMap<String, String>,
}

impl Contacts {
    /// Reads a file.
    ///
    /// # Errors
    /// When a key is not known, or a value is no text.
    pub fn parse(text: &str) -> Result<Self, ContactsError> {
        let said: BTreeMap<String, String> =
            toml::from_str(text).map_err(|error| ContactsError::Damaged(error.to_string()))?;
        for key in said.keys() {
            if !KEYS.iter().any(|(known, _)| known == key) {
                let near = |(known, _): &&(&'static str, &str)| {
                    (strsim::jaro_winkler(key, known) * 1e6) as u64
                };
                let nearest = KEYS
                    .iter()
                    .max_by_key(near)
                    .map_or("name", |(known, _)| *known);
                return Err(ContactsError::Unknown {
                    key: key.clone(),
                    nearest,
                });
            }
        }
        Ok(Self { said })
    }

    /// The mail address, where one was given.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.said.get("email").map(String::as_str)
    }

    /// What is said of each key, blanks in brackets where nothing is.
    pub(in crate::report) fn filled(&self) -> BTreeMap<&'static str, &str> {
        let value = |(key, blank): &(&'static str, &'static str)| {
            let said = self.said.get(*key).map(|text| text.trim());
            (*key, said.filter(|text| !text.is_empty()).unwrap_or(blank))
        };
        KEYS.iter().map(value).collect()
    }

    /// Keys of which nothing is said.
    pub fn blanks(&self) -> impl Iterator<Item = &'static str> {
        let is_said = |key: &str| {
            self.said
                .get(key)
                .is_some_and(|text| !text.trim().is_empty())
        };
        KEYS.iter()
            .map(|(key, _)| *key)
            .filter(move |key| !is_said(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_a_blank_and_a_slip_is_told() {
        let contacts = Contacts::parse("name = \"R. Reader\"\n").unwrap();
        let filled = contacts.filled();
        assert_eq!(
            (filled["name"], filled["email"]),
            ("R. Reader", "[e-mail address]")
        );
        let error = Contacts::parse("emial = \"x\"\n").unwrap_err().to_string();
        assert!(error.contains("did you mean `email`"), "{error}");
        assert!(Contacts::parse("name = 3\n").is_err());
    }
}
