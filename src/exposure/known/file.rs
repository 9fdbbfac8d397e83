//! The file that holds a set of live secrets.
//!
//! JSON, so that whoever is asked to hand one over can read what is in it: a head with the format, the salt where the set
//! was made without a key, else the id of the key, how many lines of the list are not in it; and of each secret its name,
//! its length, where the window of its filter begins, the filter and the digest, all but the name without meaning to who
//! lacks the key. Sorted by name, so that the order of the list is not in it.
//!
//! A set that was made with a key is the same each time. Without one it is not: its salt is drawn, so that two sets do not
//! show whether they hold the same secret, and nothing can be computed ahead of seeing one.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{
    Entry, FILTER_BITS, KnownSecrets, List, Listed, SetKey, WINDOW, digest_of, filter_of, list,
    strength,
};
use crate::blob::digest::hex;

/// What the file says that it is.
const FORMAT: &str = "strandline known secrets 1";

/// A larger file is no set; bytes.
const FILE_MAX_BYTES: u64 = 64 << 20;

/// Of a longer value only the beginning is asked for the window of the filter; bytes.
const WINDOWED_BYTES: usize = 256;

/// Why a set could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The system says so.
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Something else.
    #[error("it is no set of live secrets ({0}); make one with `sign --secrets`")]
    NoSet(String),
    /// By a later version.
    #[error("it is written as {0:?}, which this version does not know; use a newer one")]
    Version(String),
    /// Another key, or none.
    #[error("it was made with a key; give that file with --key")]
    NeedsKey,
    /// Another key.
    #[error("it was made with another key than that of --key")]
    WrongKey,
    /// The list.
    #[error(transparent)]
    List(#[from] list::ListError),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: String,
    /// 32 bytes, hex, where there is no key.
    salt: Option<String>,
    /// 16 bytes, hex, where there is one.
    key_id: Option<String>,
    left_out: u64,
    secrets: Vec<StoredSecret>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredSecret {
    name: String,
    bytes: u64,
    window: u64,
    filter: u32,
    digest: String,
}

/// What is asked for first, so that a later version can be told from nonsense.
#[derive(Deserialize)]
struct Head {
    format: String,
}

/// What a set is keyed with.
#[derive(Debug, Clone)]
pub enum Keying {
    /// A key of the user's, which is not in the set.
    Given(SetKey),
    /// A salt, which is.
    Salt(SetKey),
}

impl Keying {
    /// A salt that nobody knows ahead, drawn from the system: before the wall is up.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn drawn() -> std::io::Result<Self> {
        let mut bytes = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Keying::Salt(SetKey(bytes)))
    }

    /// Whether the key is not in the set.
    pub fn is_given(&self) -> bool {
        matches!(self, Keying::Given(_))
    }
}

/// The file of a set of what a list holds.
///
/// # Errors
/// When the list holds nothing or too much.
pub fn build(list: &List, keying: &Keying) -> Result<Vec<u8>, SetError> {
    list.check()?;
    let (key, salt) = match keying {
        Keying::Given(key) => (key, None),
        Keying::Salt(key) => (key, Some(hex(&key.0))),
    };
    let (multiplier, digests) = (key.multiplier(), key.digests());
    let stored = |one: &Listed| {
        let (window, product) = window_of(&one.value, multiplier);
        StoredSecret {
            name: one.name.clone(),
            bytes: one.value.len() as u64,
            window: window as u64,
            filter: filter_of(product),
            digest: hex(&digest_of(&digests, &one.value)),
        }
    };
    let mut secrets: Vec<StoredSecret> = list.secrets.iter().map(stored).collect();
    secrets.sort_by(|a, b| a.name.cmp(&b.name));
    let file = Stored {
        format: FORMAT.to_owned(),
        key_id: salt.is_none().then(|| hex(&key.id())),
        salt,
        left_out: list.refused,
        secrets,
    };
    let mut bytes =
        serde_json::to_vec_pretty(&file).map_err(|error| SetError::NoSet(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The most telling window of a value, and its product.
fn window_of(value: &[u8], multiplier: u64) -> (usize, u64) {
    let beginning = &value[..value.len().min(WINDOWED_BYTES)];
    let (mut best, mut most) = (0, f64::MIN);
    for (at, window) in beginning.windows(WINDOW).enumerate() {
        let bits = strength::bits(window);
        if bits > most {
            (best, most) = (at, bits);
        }
    }
    let mut window = [0; WINDOW];
    for (byte, from) in window.iter_mut().zip(&beginning[best..]) {
        *byte = *from;
    }
    (best, u64::from_le_bytes(window).wrapping_mul(multiplier))
}

impl KnownSecrets {
    /// Opens the file of a set. `key` is what `--key` gave, if it did; a set that needs none takes none.
    ///
    /// # Errors
    /// When it cannot be read, is something else or damaged, or needs another key.
    pub fn open(path: &Path, key: Option<&SetKey>) -> Result<Self, SetError> {
        let mut bytes = Vec::new();
        let file = File::open(path)?;
        file.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_MAX_BYTES {
            return Err(SetError::NoSet(format!(
                "larger than {FILE_MAX_BYTES} bytes"
            )));
        }
        Self::read(&bytes, key)
    }

    /// The same of its bytes.
    ///
    /// # Errors
    /// As [`KnownSecrets::open`].
    pub fn read(bytes: &[u8], key: Option<&SetKey>) -> Result<Self, SetError> {
        let said = |error: serde_json::Error| SetError::NoSet(error.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(said)?;
        if head.format != FORMAT {
            return Err(match head.format.starts_with("strandline known secrets ") {
                true => SetError::Version(head.format),
                false => SetError::NoSet(crate::blob::locator::shown(&head.format)),
            });
        }
        let stored: Stored = serde_json::from_slice(bytes).map_err(said)?;
        let (set_key, is_keyed) = key_of(&stored, key)?;
        let entries = stored.secrets.iter().map(entry).collect::<Result<_, _>>()?;
        let digest = *blake3::hash(bytes).as_bytes();
        Ok(Self::new(
            entries,
            stored.left_out,
            is_keyed,
            &set_key,
            digest,
        ))
    }
}

/// The key of a set, and whether it is not in the set.
fn key_of(stored: &Stored, given: Option<&SetKey>) -> Result<(SetKey, bool), SetError> {
    match (&stored.salt, &stored.key_id) {
        (Some(salt), None) => {
            let salt = from_hex(salt).ok_or_else(|| damaged("salt"))?;
            Ok((SetKey(salt), false))
        }
        (None, Some(id)) => {
            let key = given.ok_or(SetError::NeedsKey)?;
            if hex(&key.id()) != *id {
                return Err(SetError::WrongKey);
            }
            Ok((key.clone(), true))
        }
        _ => Err(damaged("key")),
    }
}

fn entry(stored: &StoredSecret) -> Result<Entry, SetError> {
    let lengths = list::LENGTH_MIN as u64..=list::LENGTH_MAX as u64;
    let fits = lengths.contains(&stored.bytes)
        && stored.window <= stored.bytes - WINDOW as u64
        && stored.filter >> FILTER_BITS == 0
        && !stored.name.is_empty()
        && !stored.name.chars().any(char::is_control);
    let digest = from_hex(&stored.digest).filter(|_| fits);
    Ok(Entry {
        name: stored.name.clone(),
        bytes: stored.bytes as usize,
        window: stored.window as usize,
        filter: stored.filter,
        digest: digest.ok_or_else(|| damaged("a secret"))?,
    })
}

fn damaged(what: &str) -> SetError {
    SetError::NoSet(format!("{what} does not hold together"))
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::testing::made;
    use super::*;

    fn list() -> List {
        List::parse(
            format!("B={}\nA={}\n", made("b"), made("a")).as_bytes(),
            true,
        )
    }

    #[test]
    fn a_file_holds_names_and_no_value() {
        let key = SetKey([7; 32]);
        let bytes = build(&list(), &Keying::Given(key.clone())).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.find("\"A\"").unwrap() < text.find("\"B\"").unwrap());
        for value in [made("a"), made("b")] {
            // Nor any part of one that could be typed.
            assert!(
                value
                    .as_bytes()
                    .windows(5)
                    .all(|part| { memchr::memmem::find(&bytes, part).is_none() })
            );
        }
        assert_eq!(bytes, build(&list(), &Keying::Given(key.clone())).unwrap());
        assert_ne!(
            bytes,
            build(&list(), &Keying::Given(SetKey([8; 32]))).unwrap()
        );
        assert_ne!(
            build(&list(), &Keying::drawn().unwrap()).unwrap(),
            build(&list(), &Keying::drawn().unwrap()).unwrap()
        );
    }

    #[test]
    fn the_right_key_opens_it_and_no_other() {
        let key = SetKey([7; 32]);
        let bytes = build(&list(), &Keying::Given(key.clone())).unwrap();
        let text = made("a");
        let set = KnownSecrets::read(&bytes, Some(&key)).unwrap();
        assert_eq!(set.find(text.as_bytes()).len(), 1);
        assert!(set.is_keyed());
        assert!(matches!(
            KnownSecrets::read(&bytes, None),
            Err(SetError::NeedsKey)
        ));
        let other = KnownSecrets::read(&bytes, Some(&SetKey([8; 32])));
        assert!(matches!(other, Err(SetError::WrongKey)));
        // A key that is for other sets does no harm.
        let bytes = build(&list(), &Keying::drawn().unwrap()).unwrap();
        let set = KnownSecrets::read(&bytes, Some(&key)).unwrap();
        assert_eq!(
            (set.find(text.as_bytes()).len(), set.is_keyed()),
            (1, false)
        );
    }

    #[test]
    fn what_is_no_set_is_refused() {
        let bytes = build(&list(), &Keying::Given(SetKey([7; 32]))).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let key = SetKey([7; 32]);
        let read = |text: &str| KnownSecrets::read(text.as_bytes(), Some(&key));
        assert!(read(&text).is_ok());
        assert!(matches!(
            read(&text.replace("secrets 1", "secrets 2")),
            Err(SetError::Version(_))
        ));
        let harmful = [
            ("\"bytes\": 32", "\"bytes\": 7"),
            ("\"bytes\": 32", "\"bytes\": 99999999999"),
            ("\"window\": ", "\"window\": 9"),
            ("\"filter\": ", "\"filter\": 99"),
            ("\"digest\": \"", "\"digest\": \"0"),
            ("\"left_out\"", "\"more\": 1, \"left_out\""),
            ("\"key_id\": \"", "\"key_id\": \"\", \"x\": \""),
        ];
        for (from, to) in harmful {
            assert!(text.contains(from), "{from}");
            assert!(read(&text.replacen(from, to, 1)).is_err(), "{to}");
        }
        assert!(read("").is_err() && read("{}").is_err() && read("[]").is_err());
    }

    #[test]
    fn an_empty_list_makes_no_set() {
        let list = List::parse(b"# nothing\n", false);
        assert!(matches!(
            build(&list, &Keying::drawn().unwrap()),
            Err(SetError::List(_))
        ));
    }
}
