//! Signature sets: fingerprints of a work, and how contents are held against them.
//!
//! A set (`.sigset`) is what an owner of code can hand to a scan so that it recognises the code and yet does not carry
//! it. It holds digests, sizes and flags; no text and no paths. The paths lie in a second file (`.names`) that stays in
//! private. [`SetBuilder`] makes both, [`Set`] opens one, [`SetGroup`] asks many sets at once.
//!
//! # Tiers
//!
//! What is compared is cut into tiers. Each tier has an algorithm id that is published once and never changes its
//! meaning; golden vectors in the tests hold it in place. This release knows:
//!
//! | section | what it holds |
//! | --- | --- |
//! | `files/1` | one row per file of the work: bytes, lines, party, licence (not a tier; the others point into it) |
//! | `exact/1` | SHA-256 of the bytes, and the git blob id (SHA-1 object format) |
//! | `md5-size/1` | length and MD5, where a [list](lists) names a file by these only |
//! | `crc-size/1` | length and CRC-32, which the headers of a zip state: a hint for a triage, and no match by itself |
//! | `norm-text/1` | digest of the text in its normal form, see [`norm_text`] |
//! | `layout/2` | digest of a text without its layout: of a program its tokens and comments, see [`layout`] |
//! | `layout/1` | the same of programs only, as sets had it before |
//! | `winnow/1`, `pieces/1`, `shape/1`, `grams/1`, `atoms/1` | fingerprints, see [`prints`] |
//!
//! A later tier is one more section. A reader that does not know a section id says so ([`Set::unknown_tiers`]) and goes
//! on without it. The bytes of the file are laid out in [`format`](mod@format), those of `.names` in [`names`].
//!
//! # What a holder of a set can test
//!
//! Hashing is not hiding. Stored values are keyed ([`Key`]), and it depends on the key what that is worth:
//!
//! * **Derived key** (no `--key`): the key is computed from work, release and content and stands in the set's header.
//!   Anybody who holds the set can test whether *a text that they already have* is in the work, byte for byte, in
//!   normal form or but for its layout. Nobody can read a text out of it that they cannot guess whole; but a text of low entropy (an empty
//!   file, a licence, a generated stub, a one-line configuration with a short secret as its only unknown) can be
//!   guessed by trying. The key then serves one end: values of two sets cannot be compared with each other.
//!   Fingerprints widen that: with them, a stretch of 30 letters and digits, a run of tokens, or one literal or name
//!   (`atoms/1`) can be tested by itself, so that what is short can be guessed piece by piece. A set that is made
//!   [for third parties](Options::for_third_parties) has no single atoms, and `sign` leaves texts under 200 bytes out of it.
//! * **Given key** (`--key FILE`): the key is not in the set. Who holds set and key can test what is said above. Who
//!   holds the set alone cannot test a text.
//! * **In the clear, always**: name of work and release, the number of files, and for each file its length in bytes, its
//!   line count, party and licence flags, whether it is text, which files are equal to each other, and the order
//!   of the files by path. Lengths and line counts together are often enough to recognise a known public release.
//!   Two sets under one given key also show which files are the same in both.
//!
//! # Sets of lists
//!
//! A set can also be made of [lists of digests](lists) that other programs wrote. It says so in its header
//! ([`Set::is_of_lists`]), has the exact tier and no other, and of each file it knows what its list says: by SHA-256, by
//! git blob id, or by MD5 and length; often no length, never lines. Contents are digested in the other ways only while
//! such a set is asked, and with MD5 only where the length is one of the list.
//!
//! # What this leaves out
//!
//! Policy. This module says "equal to file 17 of that set"; whether that makes a copy is judged elsewhere. An empty
//! file is equal to every other empty file, and a licence text to every other: ask [`Set::file`] for length, party
//! and licence before a hit is called evidence. A set that is public or a baseline says so and is read like any other.
//! Nothing here makes a file: the builder writes into what it is given, and who gives it sets the permissions.

mod builder;
pub mod compact;
mod digest;
pub mod format;
mod group;
mod index;
mod key;
pub mod layout;
mod liken;
pub mod lists;
mod mmap;
pub mod names;
pub mod norm_text;
pub mod paths;
pub mod ported;
pub mod prints;
mod ranges;
mod runs;
mod set;
mod shared;
mod table;
pub mod validation;
pub mod verdict;

pub use builder::{BuildError, Built, FileEntry, Options, SetBuilder, Summary};
pub use digest::{
    FileDigests, ListDigests, digests_of, digests_with_sha256, git_blob_sha1, git_blob_sha1_read,
    md5_of,
};
pub use format::{LicenceFlag, PartyFlag};
pub use group::{Found, Grade, Hit, SetGroup};
pub use index::LinePrint;
pub use key::{Key, KeyError};
pub use liken::{Agreement, Common, Least, Likeness, Trace};
pub use names::{NamesError, NamesFault, names_path};
pub use ranges::Stretch;
pub use runs::Spill;
pub use set::{Counted, Fault, FileInfo, Set, SetError};
pub use shared::{Shared, SharedCount, lines_of, shared};
pub use table::Ids;

#[cfg(test)]
mod tests;
