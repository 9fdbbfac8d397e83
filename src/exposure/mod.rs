//! What an input exposes that should not be public, and whose code it is.
//!
//! Two kinds of answers are kept strictly apart, because equal bytes in two places must never inherit each other's
//! verdict. [`content`] says what bytes *are* (a private key, assignments of a dotenv file, an npm manifest): pure
//! functions of the bytes, computed once for each distinct content behind one literal pass. [`place`] says what they
//! *mean where they lie*: the same key below `test/` and at the root of a package is two findings of different weight.
//! [`party`] says whose a recovered source is, [`profile`] holds what the user told us about the organisation, and
//! [`rules`] holds the classes themselves: titles, reasons, what to do, severities and word lists are data in
//! `signatures/exposure.toml`, each with examples that must match and examples that must not.
//!
//! Running text is read behind one door, [`inspect`]: for credentials by [`secrets`], and for what recovered code reveals by
//! [`inventory`]. Text that is shown to people goes through [`mask`].

mod address;
pub(crate) mod bech32;
mod case_key;
pub mod classes;
pub mod content;
mod dotenv;
pub mod inspect;
pub mod inventory;
mod key;
pub mod known;
mod licence;
pub mod location;
pub mod manifest;
pub mod mask;
pub mod named;
pub mod packument;
pub mod party;
pub mod place;
pub mod profile;
mod registry;
pub mod rules;
pub mod samples;
pub mod secrets;
pub mod user;
mod values;
pub mod windows;
mod words;
pub mod yara;

pub use case_key::CaseKey;
pub use classes::{Artifact, artifacts_beginning};
pub use content::{Hits, Prefilter, Told, Trait, told_of, traits_of};
pub use inspect::{Inspected, Inspector, InventoryScope, Role};
pub use inventory::{ItemFact, Terms, TermsError, gates};
pub use key::{KeyAlgorithm, KeyFormat};
pub use known::KnownSecrets;
pub use licence::{is_licence_name, licence_text, may_be_prose, stated_licence};
pub use location::Location;
pub use manifest::{Manifest, states_open};
pub use named::packages_in;
pub use packument::Packument;
pub use party::{PartyVerdict, package_of_source, party_of};
pub use place::{
    Finding, MapSummary, PartyCounts, PlaceContext, RawSources, is_compiled, is_raw_source,
    is_test_folder, is_told, judge_carrier, judge_entry, judge_map, judge_name,
    judge_nested_archive, judge_orphan, judge_raw_sources, judge_reference, judge_tests,
    lies_as_settings, name_is_of_interest, name_unpacked, severity_of_secret,
};
pub use profile::{Organisation, ProfileError};
pub use registry::{RegistryFile, TokenCheck};
pub use rules::{Example, Rule, RuleError, RuleKind, Rules};
pub use samples::{MadeFile, example_files};
pub use secrets::SecretFact;
pub use windows::TextSearch;
pub use yara::YaraRules;

/// BLAKE3 over the digests of all rules that the program carries: results are comparable while it is the same.
pub fn rules_digest() -> [u8; 32] {
    let secrets = secrets::rule::RuleSet::builtin().digest();
    *blake3::hash(&[Rules::builtin().digest(), secrets].concat()).as_bytes()
}

/// Longest piece of hostile text that is quoted in a reason or a detail, in characters.
const SHOWN_CHARS: usize = 160;

/// Bytes of an input as text that is safe to print: control and bidi characters escaped, long text cut with `…`.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..SHOWN_CHARS * 4).unwrap_or(bytes));
    let mut safe = String::with_capacity(text.len());
    for (count, c) in text.chars().enumerate() {
        if count == SHOWN_CHARS {
            safe.push('…');
            break;
        }
        if c.is_control() || is_bidi_control(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Characters that change the direction of text around them (Unicode, UAX #9, table 4).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_inert_and_short() {
        assert_eq!(shown(b"a\x1b[31m\nb"), "a\\u{1b}[31m\\u{a}b");
        assert_eq!(shown("x\u{202e}y".as_bytes()), "x\\u{202e}y");
        assert_eq!(shown(&[b'a'; 5000]).chars().count(), SHOWN_CHARS + 1);
        assert_eq!(shown(b"\xff"), "\u{fffd}");
    }
}
