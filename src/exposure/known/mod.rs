//! The live secrets of the user's own, looked for in everything that is read.
//!
//! "No credentials are out" is what a responder most wants to say, and what rules cannot prove: they know forms, and a
//! secret may have none. The company knows its live secrets, though. `sign --secrets` makes a set of them that holds keyed
//! digests only, and `scan --known-secrets` says of each whether it stands anywhere.
//!
//! **Searched at every byte.** A search for tokens would depend on where one ends: a password in a connection string, a
//! value with blanks, a token glued to another would be missed, and a missed one makes a statement of absence wrong. So
//! no text is cut into tokens: at each place eight bytes are multiplied by a secret number, and 24 bits of that, the
//! *filter*, are looked up. Where a secret of the set has this filter, the digest of as many bytes as the secret has is
//! compared. Which eight bytes of a secret make its filter is chosen when the set is made: those that say most, so that
//! a value which begins with `https://` costs no more than others. One multiplication and one look at a table that fits
//! in the first cache make some 1 GB/s, whatever the set holds (`benches/RESULTS.md`).
//!
//! **What a holder of a set can test.** A set is not a `.sigset`: those are handed on, and name files of a work; this one
//! is about values that are alive, and there is nothing in it to match but whole values. Hence a format of its own
//! ([`mod@file`]), which no other command takes. It gives away, to whoever reads it, the name and the length of each secret.
//! Made with `--key`, nothing else: filters and digests are keyed with what is not in it. Made without, the key is in the
//! set, and whoever has it can do what the scan does: try values, as fast as the scan does. A slow hash would not help: the
//! scan tries a value at each byte of all that it reads, and what makes it quick makes guessing quick, since the filter
//! throws out all but one in 16 million of a guesser's values as well. So guessing is kept hopeless instead: without
//! `--key`, a value that takes fewer than 2^88 guesses is refused, 2^64 and the 24 bits that the filter tells ([`strength`]).
//! With `--key`, values of 2^28 guesses are taken.
//!
//! What is found is told by the name that the list gives it, never by a part of the value.
//!
//! Left out: names of entries (only content is searched), values of less than eight bytes, and secrets in a form that
//! nobody undoes, such as encrypted or split over statements.

mod decoded;
pub mod file;
pub mod list;
mod search;
pub mod strength;

use std::fmt;
use std::ops::Range;

pub use file::{Keying, SetError, build};
pub use list::{List, ListError, Listed, Remark};
pub use search::{Lines, Search};

use super::CaseKey;
use super::secrets::{Check, SecretFact, Tier};
use super::windows::View;
use crate::record::Severity;

/// Bytes that make a filter.
const WINDOW: usize = 8;

/// Bits of a filter.
const FILTER_BITS: u32 = 24;

/// Bits of the first table for each secret, as a power of two: one place in 64 goes on to the second.
const COARSE_SPARE_BITS: u32 = 6;

/// Least and most bits of the first table, as powers of two: from 4 KiB to 256 KiB.
const COARSE_BITS: std::ops::RangeInclusive<u32> = 15..=21;

/// The 32 bytes that a set is keyed with. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SetKey(pub [u8; 32]);

impl SetKey {
    /// What to derive it for from a key file.
    pub const CONTEXT: &str = "strandline known secrets 1: key from a key file";

    /// Of what filters are multiplied with. Odd, so that no bit is lost.
    fn multiplier(&self) -> u64 {
        let bytes = blake3::derive_key("strandline known secrets 1: filter", &self.0);
        let (first, _) = bytes.as_chunks::<8>();
        first.first().map_or(1, |first| u64::from_le_bytes(*first)) | 1
    }

    /// Of what digests are keyed with.
    fn digests(&self) -> [u8; 32] {
        blake3::derive_key("strandline known secrets 1: digests", &self.0)
    }

    /// What tells keys apart without giving them away.
    fn id(&self) -> [u8; 16] {
        short(&blake3::derive_key(
            "strandline known secrets 1: key id",
            &self.0,
        ))
    }
}

impl fmt::Debug for SetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetKey")
    }
}

/// The first half of a digest.
fn short(digest: &[u8; 32]) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    first
}

/// What a set holds of one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    /// Its length in bytes.
    bytes: usize,
    /// Where in it the window of its filter begins.
    window: usize,
    filter: u32,
    digest: [u8; 16],
}

/// A set of live secrets, ready to be looked for.
#[derive(Clone)]
pub struct KnownSecrets {
    entries: Vec<Entry>,
    left_out: u64,
    is_keyed: bool,
    /// BLAKE3 of the file.
    digest: [u8; 32],
    multiplier: u64,
    digests: [u8; 32],
    /// A bit for the first bits of each filter.
    coarse: Vec<u64>,
    coarse_shift: u32,
    /// Filters, sorted, and whose they are.
    fine: Vec<(u32, u32)>,
}

impl fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownSecrets({})", self.entries.len())
    }
}

/// One place of one secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Where it begins.
    pub at: usize,
    /// Its length in bytes.
    pub bytes: usize,
    /// Its number in the set.
    secret: u32,
}

impl Found {
    /// The bytes that it takes.
    pub fn range(&self) -> Range<usize> {
        self.at..self.at + self.bytes
    }
}

impl KnownSecrets {
    fn new(
        entries: Vec<Entry>,
        left_out: u64,
        is_keyed: bool,
        key: &SetKey,
        digest: [u8; 32],
    ) -> Self {
        let wanted = entries.len().max(1).ilog2() + 1 + COARSE_SPARE_BITS;
        let bits = wanted.clamp(*COARSE_BITS.start(), *COARSE_BITS.end());
        let mut coarse = vec![0_u64; (1 << bits) / 64];
        let mut fine = Vec::with_capacity(entries.len());
        for (number, entry) in (0_u32..).zip(&entries) {
            let slot = (entry.filter >> (FILTER_BITS - bits)) as usize;
            if let Some(word) = coarse.get_mut(slot / 64) {
                *word |= 1 << (slot % 64);
            }
            fine.push((entry.filter, number));
        }
        fine.sort_unstable();
        Self {
            entries,
            left_out,
            is_keyed,
            digest,
            multiplier: key.multiplier(),
            digests: key.digests(),
            coarse,
            coarse_shift: u64::BITS - bits,
            fine,
        }
    }

    /// Secrets in the set.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Lines of the list that it was made of and that it does not hold.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether its key is not in it.
    pub fn is_keyed(&self) -> bool {
        self.is_keyed
    }

    /// BLAKE3 of the file.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// What a secret is called.
    pub fn name(&self, found: &Found) -> &str {
        let entry = self.entries.get(found.secret as usize);
        entry.map_or("", |entry| &entry.name)
    }

    /// Each place of each secret, in order.
    pub fn find(&self, bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        let windows = bytes.windows(WINDOW).enumerate();
        for (at, window) in windows {
            let Ok(window) = <[u8; WINDOW]>::try_from(window) else {
                continue;
            };
            let product = u64::from_le_bytes(window).wrapping_mul(self.multiplier);
            let slot = (product >> self.coarse_shift) as usize;
            let word = self.coarse.get(slot / 64).copied().unwrap_or(0);
            if word >> (slot % 64) & 1 == 1 {
                self.look(bytes, at, filter_of(product), &mut found);
            }
        }
        found.sort_unstable();
        found
    }

    /// Compares digests where a filter is that of a secret.
    #[cold]
    fn look(&self, bytes: &[u8], at: usize, filter: u32, found: &mut Vec<Found>) {
        let first = self.fine.partition_point(|(known, _)| *known < filter);
        let same = self.fine[first..].iter();
        for &(_, secret) in same.take_while(|(known, _)| *known == filter) {
            let Some(entry) = self.entries.get(secret as usize) else {
                continue;
            };
            let Some(at) = at.checked_sub(entry.window) else {
                continue;
            };
            let value = bytes.get(at..at + entry.bytes);
            if value.is_some_and(|value| digest_of(&self.digests, value) == entry.digest) {
                found.push(Found {
                    at,
                    bytes: entry.bytes,
                    secret,
                });
            }
        }
    }

    /// What is told of a text: each place of each secret, the first of them where there are very many, also where it is
    /// written otherwise.
    pub fn facts(&self, bytes: &[u8], case_key: Option<&CaseKey>) -> Vec<SecretFact> {
        let mut facts = self.plain_facts(bytes, case_key);
        facts.extend(decoded::facts(self, bytes, case_key));
        facts
    }

    /// What a view holds in another form than its own.
    pub fn facts_in_parts(&self, view: &View, case_key: Option<&CaseKey>) -> Vec<SecretFact> {
        decoded::in_parts(self, view, case_key)
    }

    /// The same as it stands.
    fn plain_facts(&self, bytes: &[u8], case_key: Option<&CaseKey>) -> Vec<SecretFact> {
        let mut search = Search::default();
        search.look(self, bytes, 0, case_key);
        search.finish()
    }

    fn fact(&self, found: &Found, line: u64, column: u64) -> SecretFact {
        let name = self.name(found).to_owned();
        SecretFact {
            redacted: name.clone(),
            rule: name,
            tier: Tier::Known,
            line,
            column,
            length: found.bytes as u64,
            // The digest of the whole value is the same; what it is good for nobody looked at.
            check: Check::Unchecked,
            severity: Severity::Critical,
            written: None,
            detail: None,
            fingerprint: None,
            of_settings: false,
            in_any_settings: false,
        }
    }
}

/// The filter of a product.
fn filter_of(product: u64) -> u32 {
    (product >> (u64::BITS - FILTER_BITS)) as u32
}

/// The stored digest of a value.
fn digest_of(key: &[u8; 32], value: &[u8]) -> [u8; 16] {
    short(blake3::keyed_hash(key, value).as_bytes())
}

#[cfg(test)]
pub(crate) mod testing {
    //! Secrets for tests, the same each time and nobody's.

    /// 32 characters that look drawn at random.
    pub fn made(purpose: &str) -> String {
        let digest = blake3::hash(format!("strandline known {purpose}").as_bytes());
        let letters = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
        let each = digest.as_bytes().iter();
        each.map(|&byte| char::from(letters[usize::from(byte) % letters.len()]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::made;
    use super::*;

    fn set_of(values: &[String], key: Option<&SetKey>) -> KnownSecrets {
        let list = List::parse(values.join("\n").as_bytes(), key.is_some());
        assert_eq!(list.secrets.len(), values.len(), "{:?}", list.remarks);
        let keying = key.map_or_else(
            || Keying::drawn().unwrap(),
            |key| Keying::Given(key.clone()),
        );
        let bytes = build(&list, &keying).unwrap();
        KnownSecrets::read(&bytes, key).unwrap()
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        let values: Vec<String> = (0..40).map(|number| made(&number.to_string())).collect();
        let set = set_of(&values, None);
        for value in &values {
            for text in [
                value.clone(),
                format!("x{value}y"),
                format!("a line\npostgres://me:{value}@db.acme.example/x\n"),
                format!("{}{value}", "\u{0}".repeat(1000)),
            ] {
                let found = set.find(text.as_bytes());
                assert_eq!(found.len(), 1, "{text}");
                assert_eq!(&text[found[0].range()], value);
            }
        }
        let others: String = (0..400)
            .map(|number| made(&format!("other {number}")))
            .collect();
        assert_eq!(set.find(others.as_bytes()), []);
        // All but the last byte is not the secret.
        assert_eq!(set.find(&values[0].as_bytes()[..31]), []);
    }

    #[test]
    fn lines_columns_and_names_are_told_and_no_value() {
        let (a, b) = (made("a"), made("b"));
        let list = List::parse(format!("MAIL={a}\nPAY={b}\n").as_bytes(), false);
        let set =
            KnownSecrets::read(&build(&list, &Keying::drawn().unwrap()).unwrap(), None).unwrap();
        let text = format!("let x = 1;\nlet y = \"{b}\";\n\n  {a}{b}\n");
        let facts = set.facts(text.as_bytes(), None);
        let told: Vec<_> = facts
            .iter()
            .map(|fact| (fact.rule.as_str(), fact.line, fact.column))
            .collect();
        assert_eq!(told, [("PAY", 2, 10), ("MAIL", 4, 3), ("PAY", 4, 35)]);
        assert!(facts.iter().all(|fact| fact.severity == Severity::Critical));
        let said = format!("{facts:?}{set:?}");
        assert!(!said.contains(&a) && !said.contains(&b));
    }

    #[test]
    fn very_many_places_are_counted_and_not_all_told() {
        let value = made("a");
        let set = set_of(std::slice::from_ref(&value), None);
        let facts = set.facts(format!("{value}\n").repeat(1000).as_bytes(), None);
        assert_eq!(facts.len(), 64);
        let last = facts.last().unwrap().detail.as_deref();
        assert_eq!(last, Some("and at 936 more places of this content"));
    }

    #[test]
    fn what_begins_like_everything_is_filtered_by_what_is_its_own() {
        // Were the first eight bytes the filter, each address would be looked at closely.
        let value = format!("https://hooks.acme.example/{}", made("hook"));
        let set = set_of(std::slice::from_ref(&value), None);
        let text = "https://hooks.acme.example/ ".repeat(50);
        let near = |text: &str| {
            text.as_bytes()
                .windows(WINDOW)
                .map(|window| u64::from_le_bytes(window.try_into().unwrap()))
                .filter(|window| filter_of(window.wrapping_mul(set.multiplier)) == set.fine[0].0)
                .count()
        };
        assert_eq!((near(&text), near(&value)), (0, 1));
    }

    #[test]
    fn equal_filters_are_told_apart_by_digests() {
        // The window is the most telling part, which these have in common.
        let shared = made("shared");
        let values = [format!("aaaaaaaa{shared}"), format!("bbbbbbbb{shared}")];
        let set = set_of(&values, None);
        assert_eq!(set.fine[0].0, set.fine[1].0);
        let found = set.find(values[1].as_bytes());
        assert_eq!(found.len(), 1);
        assert_eq!(set.name(&found[0]), "line 2");
    }
}
